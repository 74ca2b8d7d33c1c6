// Windows at an instant: on which days one can hold it, and which edge comes next.
#include "schedule/schedule.h"

#define MINUTE_MS  60000
#define DAY_MS     86400000LL
#define BACK_DAYS  2 // a window may have begun the day before, and a clock may have gone back since
#define AHEAD_DAYS 15 // the same day of next week, and the week after when a gap swallowed that

struct span {
    pw_unix_ms from;
    pw_unix_ms to; // not after `from`: not there that day
};

static int64_t day_at(const struct pw_zone *zone, pw_unix_ms utc)
{
    int64_t local = pw_zone_local(zone, utc);
    return local / DAY_MS - (local % DAY_MS < 0 ? 1 : 0);
}

// The window that begins on a local day; none when that is not one of its days.
static struct span span_on(const struct pw_zone *zone, const struct pw_window *window, int64_t day)
{
    int64_t weekday = (day + 3) % 7; // 1970-01-01 was a Thursday; 0 is Monday
    weekday += weekday < 0 ? 7 : 0;
    if (((unsigned)window->days >> weekday & 1U) == 0) {
        return (struct span){0, 0};
    }
    int64_t to_min = window->to_min > window->from_min ? window->to_min : window->to_min + 1440;
    return (struct span){
        .from = pw_zone_instant(zone, day * DAY_MS + (int64_t)window->from_min * MINUTE_MS, false),
        .to = pw_zone_instant(zone, day * DAY_MS + to_min * MINUTE_MS, true),
    };
}

// The latest end of the windows that hold an instant; the instant itself when none does.
static pw_unix_ms held_until(const struct pw_zone *zone, const struct pw_plan *plan, pw_unix_ms utc)
{
    pw_unix_ms until = utc;
    int64_t today = day_at(zone, utc);
    for (unsigned i = 0; i < plan->windows; i++) {
        for (int64_t day = today - BACK_DAYS; day <= today + 1; day++) {
            struct span span = span_on(zone, &plan->window[i], day);
            if (span.from <= utc && utc < span.to) {
                until = pw_max(until, span.to);
            }
        }
    }
    return until;
}

// The first beginning after an instant; INT64_MAX: none.
static pw_unix_ms next_begin(const struct pw_zone *zone, const struct pw_plan *plan, pw_unix_ms utc)
{
    pw_unix_ms begin = INT64_MAX;
    int64_t today = day_at(zone, utc);
    for (unsigned i = 0; i < plan->windows; i++) {
        for (int64_t day = today - 1; day <= today + AHEAD_DAYS; day++) {
            struct span span = span_on(zone, &plan->window[i], day);
            if (span.from > utc && span.from < span.to) {
                begin = pw_min(begin, span.from);
                break; // later days begin later
            }
        }
    }
    return begin;
}

// Windows that touch make one.
static struct pw_schedule_answer plan_at(const struct pw_zone *zone, const struct pw_plan *plan,
                                         pw_unix_ms utc)
{
    if (plan->windows == 0) {
        return (struct pw_schedule_answer){.allowed = true, .until = INT64_MAX};
    }
    pw_unix_ms until = held_until(zone, plan, utc);
    if (until == utc) {
        return (struct pw_schedule_answer){.allowed = false, .until = next_begin(zone, plan, utc)};
    }
    for (pw_unix_ms next = held_until(zone, plan, until); next > until;) {
        until = next;
        next = held_until(zone, plan, until);
        if (until > utc + AHEAD_DAYS * DAY_MS) {
            return (struct pw_schedule_answer){.allowed = true, .until = INT64_MAX};
        }
    }
    return (struct pw_schedule_answer){.allowed = true, .until = until};
}

bool pw_schedule_holds(const struct pw_schedule *schedule)
{
    return schedule->timer.windows > 0 || schedule->week.windows > 0;
}

struct pw_schedule_answer pw_schedule_at(const struct pw_schedule *schedule, pw_unix_ms utc)
{
    PW_ASSERT(utc > 0 && utc <= PW_ZONE_LAST_MS);
    struct pw_schedule_answer timer = plan_at(&schedule->zone, &schedule->timer, utc);
    struct pw_schedule_answer plan = plan_at(&schedule->zone, &schedule->week, utc);
    if (timer.allowed && plan.allowed) {
        return (struct pw_schedule_answer){.allowed = true,
                                           .until = pw_min(timer.until, plan.until)};
    }
    // The first instant at which neither forbids it; two plans that never meet end at the horizon.
    pw_unix_ms at = utc;
    while ((!timer.allowed || !plan.allowed) && at < utc + AHEAD_DAYS * DAY_MS) {
        at = pw_max(timer.allowed ? at : timer.until, plan.allowed ? at : plan.until);
        if (at > PW_ZONE_LAST_MS) {
            return (struct pw_schedule_answer){.allowed = false, .until = INT64_MAX};
        }
        timer = plan_at(&schedule->zone, &schedule->timer, at);
        plan = plan_at(&schedule->zone, &schedule->week, at);
    }
    bool meet = timer.allowed && plan.allowed;
    return (struct pw_schedule_answer){.allowed = false, .until = meet ? at : INT64_MAX};
}

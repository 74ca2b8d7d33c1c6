// The zone's clock: when it changes, what it shows, and when it shows something.
#include "schedule/schedule.h"

#define DAY_S 86400

// One change of the clock.
struct change {
    int64_t at_s; // UTC
    bool dst;     // what holds from then on
};

enum { CHANGES = 6 }; // two each of a year, the one before and the one after

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static bool is_leap(int64_t year)
{
    return pw_days_in_month(year, 2) == 29;
}

// Days since 1970-01-01 of the rule's day in a year.
static int64_t day_of(const struct pw_zone_rule *rule, int64_t year)
{
    int64_t new_year = pw_days_of(year, 1, 1);
    switch (rule->kind) {
    case PW_ZONE_JULIAN: return new_year + rule->day - 1 + (is_leap(year) && rule->day > 59);
    case PW_ZONE_DAY: return new_year + rule->day;
    case PW_ZONE_MONTH: break;
    }
    int64_t first = pw_days_of(year, rule->month, 1);
    int64_t weekday = (first + 4) % 7; // 1970-01-01 was a Thursday; 0 is Sunday
    int64_t day = (rule->day - weekday + 7) % 7 + ((int64_t)rule->week - 1) * 7;
    return first + (day < pw_days_in_month(year, rule->month) ? day : day - 7);
}

// The changes around an instant, oldest year first.
static void changes_around(const struct pw_zone *zone, int64_t utc_s, struct change list[CHANGES])
{
    int64_t year = pw_date_of(floor_div(utc_s + zone->std_s, DAY_S)).year - 1;
    for (unsigned i = 0; i < CHANGES; i += 2, year++) {
        list[i] = (struct change){.at_s = day_of(&zone->start, year) * DAY_S + zone->start.time_s -
                                          zone->std_s,
                                  .dst = true};
        list[i + 1] = (struct change){.at_s = day_of(&zone->end, year) * DAY_S + zone->end.time_s -
                                              zone->dst_s,
                                      .dst = false};
    }
}

// The last change before an instant decides. Where daylight saving time ends at the moment it
// begins anew, it goes on (RFC 8536 §3.3.1: that is how "all year" is written).
static bool is_dst(const struct pw_zone *zone, int64_t utc_s)
{
    struct change list[CHANGES];
    struct change last = {.at_s = INT64_MIN};
    if (zone->dst[0] == '\0') {
        return false;
    }
    changes_around(zone, utc_s, list);
    for (unsigned i = 0; i < CHANGES; i++) {
        bool later = list[i].at_s > last.at_s || (list[i].at_s == last.at_s && list[i].dst);
        if (list[i].at_s <= utc_s && later) {
            last = list[i];
        }
    }
    return last.dst;
}

struct pw_zone pw_zone_utc(void)
{
    return (struct pw_zone){.std = "UTC"};
}

int32_t pw_zone_offset_s(const struct pw_zone *zone, pw_unix_ms utc)
{
    return is_dst(zone, floor_div(utc, 1000)) ? zone->dst_s : zone->std_s;
}

const char *pw_zone_name(const struct pw_zone *zone, pw_unix_ms utc)
{
    return is_dst(zone, floor_div(utc, 1000)) ? zone->dst : zone->std;
}

int64_t pw_zone_local(const struct pw_zone *zone, pw_unix_ms utc)
{
    return utc + (int64_t)pw_zone_offset_s(zone, utc) * 1000;
}

// The change that makes the clock jump over `local`. Of both readings of a time in the gap the
// change lies after the one and not after the other.
static pw_unix_ms change_over(const struct pw_zone *zone, int64_t after, int64_t until)
{
    struct change list[CHANGES];
    changes_around(zone, floor_div(until, 1000), list);
    for (unsigned i = 0; i < CHANGES; i++) {
        pw_unix_ms at = list[i].at_s * 1000;
        if (at > after && at <= until) {
            return at;
        }
    }
    PW_UNREACHABLE();
}

pw_unix_ms pw_zone_instant(const struct pw_zone *zone, int64_t local, bool last)
{
    pw_unix_ms as_std = local - (int64_t)zone->std_s * 1000;
    if (zone->dst[0] == '\0') {
        return as_std;
    }
    pw_unix_ms as_dst = local - (int64_t)zone->dst_s * 1000;
    pw_unix_ms early = pw_min(as_std, as_dst);
    pw_unix_ms late = pw_max(as_std, as_dst);
    bool is_early = pw_zone_local(zone, early) == local;
    bool is_late = pw_zone_local(zone, late) == local;
    if (is_early && is_late) {
        return last ? late : early;
    }
    if (is_early || is_late) {
        return is_early ? early : late;
    }
    return change_over(zone, early, late);
}

static void put_two(struct pw_out *out, int64_t value)
{
    pw_put_c(out, (char)('0' + value / 10));
    pw_put_c(out, (char)('0' + value % 10));
}

void pw_zone_print(const struct pw_zone *zone, pw_unix_ms utc, pw_unix_ms from, struct pw_out *out)
{
    static const char *const names[] = {"thu ", "fri ", "sat ", "sun ", "mon ", "tue ", "wed "};
    enum { DAY_MS = DAY_S * 1000 };
    int64_t local = pw_zone_local(zone, utc);
    int64_t day = floor_div(local, DAY_MS);
    int64_t minute = (local - day * DAY_MS) / 60000;
    if (utc <= from - DAY_MS || utc >= from + DAY_MS) {
        pw_put_s(out, names[day - floor_div(day, 7) * 7]);
    }
    put_two(out, minute / 60);
    pw_put_c(out, ':');
    put_two(out, minute % 60);
}

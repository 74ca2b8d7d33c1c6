// schedule: at which instants charging is allowed. A time zone (POSIX TZ string), a delay timer
// (one window every day) and a weekly plan give one answer: allowed at instant t or not, and when
// that changes next. Instants are wall time in UTC milliseconds; local time is milliseconds since
// 1970-01-01 00:00 of the zone's own clock.
//
// What the clock of a zone with daylight saving time does to a window:
//  - A time of day in the gap (the clock goes forward over it) means the instant of the change: the
//    first moment at which the clock is past it. A window that lies wholly in the gap is not there
//    that night.
//  - A time of day in the overlap (the clock goes back and shows it twice) begins a window the
//    first time and ends one the second time: a window is never cut in two.
//  - Everywhere else a window holds exactly the instants at which the clock shows its times.
//
// Sources: POSIX.1-2017 §8.3 (TZ), RFC 8536 §3.3 (footer: offsets of a rule -167..167 h, daylight
// saving all year); facts/ac-evse-rapi-load.md §6 items 15 and 16.
#ifndef PW_SCHEDULE_H
#define PW_SCHEDULE_H

#include "base/base.h"

#define PW_ZONE_NAME_MAX    9  // "CEST", "<+0330>": 3 to 8 characters without brackets, and NUL
#define PW_PLAN_WINDOWS_MAX 16 // windows of a weekly plan
#define PW_PLAN_TEXT_MAX    16 // "mon 22:00" and NUL, with room

// The last instant that counts as wall time: the end of the year 9999.
#define PW_ZONE_LAST_MS 253402300799999LL

// Which day of a year a change falls on.
enum pw_zone_day {
    PW_ZONE_MONTH,  // Mm.w.d: day d (0 Sunday) of week w (5: the last) of month m
    PW_ZONE_JULIAN, // Jn: day 1..365, the 29th of February is never counted
    PW_ZONE_DAY,    // n: day 0..365, the 29th of February is counted
};

struct pw_zone_rule {
    enum pw_zone_day kind;
    uint8_t month;  // MONTH: 1..12
    uint8_t week;   // MONTH: 1..5
    uint16_t day;   // MONTH: 0..6; JULIAN: 1..365; DAY: 0..365
    int32_t time_s; // after local midnight of that day, -167..167 h
};

struct pw_zone {
    char std[PW_ZONE_NAME_MAX];
    char dst[PW_ZONE_NAME_MAX]; // "": no daylight saving time
    int32_t std_s;              // seconds east of Greenwich
    int32_t dst_s;
    struct pw_zone_rule start; // of daylight saving time, in standard time
    struct pw_zone_rule end;   // in daylight saving time
};

// UTC, the zone of "UTC0".
struct pw_zone pw_zone_utc(void);

// Reads "CET-1CEST,M3.5.0,M10.5.0/3". Strict: the whole text, names of 3 to 8 letters (or letters,
// digits and signs in <>), offsets up to 24:59:59, both rules when there is daylight saving time.
// PW_ERR_RANGE with one sentence in *why (thing, value, what is allowed); *zone is left alone then.
PW_MUST_USE int pw_zone_parse(struct pw_str text, struct pw_zone *zone, struct pw_out *why);

// Seconds east of Greenwich at an instant, 0..PW_ZONE_LAST_MS.
int32_t pw_zone_offset_s(const struct pw_zone *zone, pw_unix_ms utc);
// The name in force there: "CET".
const char *pw_zone_name(const struct pw_zone *zone, pw_unix_ms utc);
// What the zone's clock shows at an instant.
int64_t pw_zone_local(const struct pw_zone *zone, pw_unix_ms utc);
// When the zone's clock shows `local`: in an overlap the first or the last time, in a gap the
// instant of the change.
pw_unix_ms pw_zone_instant(const struct pw_zone *zone, int64_t local, bool last);
// Writes the clock's "HH:MM" at `utc`, or "mon HH:MM" when that is not within 24 hours of `from`.
void pw_zone_print(const struct pw_zone *zone, pw_unix_ms utc, pw_unix_ms from, struct pw_out *out);

// A window of the week: on each of `days` (bit 0 Monday … bit 6 Sunday) from `from_min` minutes
// after midnight to `to_min`; to_min <= from_min means the next day's.
struct pw_window {
    uint8_t days;
    uint16_t from_min; // 0..1439
    uint16_t to_min;   // 0..1440
};

// Windows in which charging is allowed; none: always.
struct pw_plan {
    struct pw_window window[PW_PLAN_WINDOWS_MAX];
    uint8_t windows;
};

// "HH:MM-HH:MM", over midnight too, the end at most 24:00; "" gives the empty plan. PW_ERR_RANGE
// with one sentence in *why; *plan is left alone then.
PW_MUST_USE int pw_plan_parse_timer(struct pw_str text, struct pw_plan *plan, struct pw_out *why);
// "mon-fri 22:00-06:00; sat,sun 00:00-24:00": windows apart by ';', each days and times; days are
// mon tue wed thu fri sat sun in lists and ranges (fri-mon goes over the weekend). A window belongs
// to the day on which it begins. "" gives the empty plan. Errors as above; PW_ERR_LIMIT for more
// than PW_PLAN_WINDOWS_MAX windows.
PW_MUST_USE int pw_plan_parse_week(struct pw_str text, struct pw_plan *plan, struct pw_out *why);

// A charge is allowed when the timer and the weekly plan both allow it.
struct pw_schedule {
    struct pw_zone zone;
    struct pw_plan timer;
    struct pw_plan week;
};

struct pw_schedule_answer {
    bool allowed;
    pw_unix_ms until; // the first later instant at which that is otherwise; INT64_MAX: never
};

// True when there is anything to wait for.
bool pw_schedule_holds(const struct pw_schedule *schedule);
// What counts at `utc` (1..PW_ZONE_LAST_MS). Costs up to some thousand divisions: ask again at
// `until`, or when the clock was set, not every turn.
struct pw_schedule_answer pw_schedule_at(const struct pw_schedule *schedule, pw_unix_ms utc);

#endif

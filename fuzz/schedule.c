// Target functions: the parsers of core/schedule and the answer they lead to. Input: eight bytes of
// an instant, then a zone, a timer and a weekly plan, a line each. Whatever is accepted has an
// answer whose next change lies ahead and is one.
#include "schedule/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static pw_unix_ms instant(const uint8_t *data)
{
    uint64_t number = (uint64_t)pw_be32(data) << 32 | pw_be32(data + 4);
    return (pw_unix_ms)(1 + number % (uint64_t)(PW_ZONE_LAST_MS - 1));
}

static void clock_goes_round(const struct pw_zone *zone, pw_unix_ms at)
{
    int64_t local = pw_zone_local(zone, at);
    pw_unix_ms first = pw_zone_instant(zone, local, false);
    pw_unix_ms last = pw_zone_instant(zone, local, true);
    PW_ASSERT(first == at || last == at);
    PW_ASSERT(first <= last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[240] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_schedule schedule = {.zone = pw_zone_utc()};
    if (size < 8) {
        return 0;
    }
    pw_unix_ms at = instant(data);
    struct pw_str rest = {.at = (const char *)data + 8, .len = size - 8};
    struct pw_str zone = pw_str_cut(&rest, '\n');
    struct pw_str timer = pw_str_cut(&rest, '\n');
    bool good = pw_zone_parse(zone, &schedule.zone, &why) == PW_OK;
    good = pw_plan_parse_timer(timer, &schedule.timer, &why) == PW_OK && good;
    good = pw_plan_parse_week(rest, &schedule.week, &why) == PW_OK && good;
    PW_ASSERT(good == (why.len == 0));
    clock_goes_round(&schedule.zone, at);
    struct pw_schedule_answer now = pw_schedule_at(&schedule, at);
    PW_ASSERT(now.until > at);
    if (now.until <= PW_ZONE_LAST_MS) {
        PW_ASSERT(pw_schedule_at(&schedule, now.until).allowed != now.allowed);
        PW_ASSERT(pw_schedule_at(&schedule, now.until - 1).allowed == now.allowed);
    }
    return 0;
}

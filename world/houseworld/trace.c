// A recorded house, line by line.
#include "houseworld/houseworld.h"

// "12.5" and "2026-01-31T12:00:00Z" in seconds.
static int time_of(struct pw_str text, int64_t *second)
{
    pw_unix_ms wall = 0;
    int64_t ms = 0;
    if (pw_parse_fixed(text, 3, &ms) == PW_OK) {
        *second = ms / 1000;
        return PW_OK;
    }
    int err = pw_parse_time(text, &wall);
    *second = wall / 1000;
    return err;
}

static int refuse(struct pw_out *why, const char *what, struct pw_str value)
{
    pw_put_s(why, what);
    pw_put_s(why, " \"");
    pw_put(why, value);
    pw_put_s(why, "\": a line is time,L1,L2,L3 with a time in seconds or RFC 3339, rising, and "
                  "ampere from -1000 to 1000");
    return PW_ERR_RANGE;
}

int pw_world_trace_line(struct pw_str line, int64_t *origin, struct pw_world_house_sample *sample,
                        struct pw_out *why)
{
    struct pw_str rest = pw_str_trim(line);
    if (rest.len == 0 || rest.at[0] == '#' || pw_str_starts(rest, "time")) {
        return 0;
    }
    int64_t second = 0;
    struct pw_str field = pw_str_trim(pw_str_cut(&rest, ','));
    if (time_of(field, &second) != PW_OK) {
        return refuse(why, "time", field);
    }
    if (*origin == 0) {
        *origin = second + 1; // so that 0 stays "none"
    }
    second -= *origin - 1;
    if (second < 0 || second > UINT32_MAX) {
        return refuse(why, "time", field);
    }
    sample->second = (uint32_t)second;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        int64_t ma = 0;
        field = pw_str_trim(pw_str_cut(&rest, ','));
        if (pw_parse_fixed(field, 3, &ma) != PW_OK || ma < -1000000 || ma > 1000000) {
            return refuse(why, "ampere", field);
        }
        sample->ampere[p] = (float)ma / 1000.0F;
    }
    return 1;
}

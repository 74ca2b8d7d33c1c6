// One turn of the dc machine, shared by the files of this room: senses first (sense.c), then the
// decision (dc.c). Everything that compares a time also says when the comparison will change.
#ifndef PW_DC_TURN_H
#define PW_DC_TURN_H

#include "dc/dc.h"

struct turn {
    struct pw_dc *dc;
    const struct pw_dc_input *in;
    pw_ms now;
    pw_ms next; // when to be called again at the latest
};

// A current below this is none as far as switching is concerned (facts/dc-can.md §4: 1 A).
#define SAFE_MA           1000
// Below this no charge begins or goes on.
#define LEAST_MA          100
// Below this, with more asked for, the vehicle takes nothing.
#define NOTHING_MA        500
#define FAST_STOP_MS      500
#define FAST_UNLOAD_MS    300
#define ORDERLY_STOP_MS   3000
#define ORDERLY_UNLOAD_MS 1000
#define EMERGENCY_MS      100
#define SWITCH_MS         500 // a contactor with feedback has moved by then
#define SETTLE_MS         100 // one without is taken to have

// True when `span` has passed since `since`; if not, asks to be called when it has.
static inline bool passed(struct turn *t, pw_ms since, int32_t span)
{
    bool is = pw_elapsed(since, (pw_ms)span, t->now);
    if (!is) {
        t->next = pw_earlier(t->next, pw_after(since, (pw_ms)span));
    }
    return is;
}

// True when something last seen at `at` is not older than `span`.
static inline bool fresh(struct turn *t, pw_ms at, int32_t span)
{
    return at != PW_NEVER && !passed(t, at, span);
}

// True when nothing has been seen for `span`, counted from the start when there never was anything.
static inline bool silent(struct turn *t, pw_ms at, int32_t span)
{
    return passed(t, at == PW_NEVER ? t->dc->start : at, span);
}

static inline bool measured(struct turn *t)
{
    return fresh(t, t->in->out_at, t->dc->config.measure_ms);
}

// The output carries less than SAFE_MA, by a measurement not older than the present state.
static inline bool unloaded(struct turn *t)
{
    return measured(t) && t->in->out_at > t->dc->since && t->in->out_ma < SAFE_MA;
}

static inline bool battery_known(struct turn *t)
{
    return fresh(t, t->in->battery_at, t->dc->config.measure_ms);
}

struct state_row {
    const char *name;
    bool rectifier;
    bool closed;
    enum { ZERO, TRICKLE, RAMPED } current;
};

extern const struct state_row pw_dc_state_rows[PW_DC_STATE_ROWS];

enum stop { ORDERLY, FAST, AT_ONCE };

void pw_dc_sense(struct turn *t);

#endif

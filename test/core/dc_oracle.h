// What core/dc must never do, told apart from how it does it: a judge that sees inputs and outputs
// only. Shared by the enumeration (test/core/dc_test.c) and the fuzz target (fuzz/dc_machine.c).
#ifndef PW_TEST_DC_ORACLE_H
#define PW_TEST_DC_ORACLE_H

#include "dc/dc.h"

struct dc_oracle {
    bool begun;
    struct pw_dc_output out; // of the turn before
    uint32_t latched;
    pw_ms bus_bad_since; // PW_NEVER: it is well
    pw_ms estop_since;
    pw_ms no_permit_since;
    pw_ms opened_at;
};

static inline struct dc_oracle dc_oracle_new(void)
{
    return (struct dc_oracle){.bus_bad_since = PW_NEVER,
                              .estop_since = PW_NEVER,
                              .no_permit_since = PW_NEVER,
                              .opened_at = PW_NEVER};
}

static inline void dc_oracle_since(pw_ms *since, bool is, pw_ms now)
{
    if (!is) {
        *since = PW_NEVER;
    } else if (*since == PW_NEVER) {
        *since = now;
    }
}

static inline bool dc_oracle_heard(pw_ms at, int32_t span, pw_ms now)
{
    return at != PW_NEVER && !pw_elapsed(at, (pw_ms)span, now);
}

// Rules of one instant.
static inline const char *dc_oracle_instant(const struct pw_dc *dc, const struct pw_dc_input *in,
                                            pw_ms now)
{
    const struct pw_dc_output *out = &dc->out;
    const struct pw_dc_config *c = &dc->config;
    bool heard = dc_oracle_heard(in->bms_at, c->bms_zero_ms, now);
    if (out->set_mv > c->max_mv || out->set_mv < 0 || out->set_ma < 0) {
        return "set-point outside the station's limits";
    }
    if (dc->plugged && in->bms_at != PW_NEVER && out->rectifier_on &&
        out->set_mv > pw_max(0, in->bms_mv)) {
        return "voltage above what the battery bears";
    }
    int64_t most = pw_max(0, pw_min(in->stack_ma, c->max_ma));
    most = heard && !in->bms_stop ? pw_min(most, pw_max(0, in->bms_ma)) : 0;
    if (out->set_ma > most) {
        return "current above a limit, or for a battery that asks for none";
    }
    if (out->set_ma > 0 && !out->rectifier_on) {
        return "current asked of a rectifier that is off";
    }
    if (!out->contactor_closed && out->set_ma > 2000) {
        return "more than a trickle with an open contactor";
    }
    bool flows = out->contactor_closed && out->set_ma > 0;
    if (flows && (!in->permit || !dc->plugged || dc->faults != 0 || !in->bus_ok || in->estop)) {
        return "current without permit, vehicle, bus, or in spite of a fault";
    }
    if (in->estop && out->rectifier_on) {
        return "emergency stop not obeyed in one turn";
    }
    for (unsigned i = 0; i < PW_DC_FAULT_ROWS; i++) {
        bool latched = pw_dc_fault_rows[i].stays && (dc->faults & PW_DC_BIT(i)) != 0;
        if (latched && out->rectifier_on) {
            return "rectifier on in spite of a latched fault";
        }
    }
    if (dc->off && (out->contactor_closed || in->feedback == PW_DC_FEEDBACK_CLOSED)) {
        return "called off with a closed contactor";
    }
    return NULL;
}

// Rules over time. `next` is what pw_dc_step returned. NULL, or the rule that was broken.
static inline const char *dc_oracle_judge(struct dc_oracle *o, const struct pw_dc *dc,
                                          const struct pw_dc_input *in, pw_ms now, pw_ms next)
{
    const struct pw_dc_output *out = &dc->out;
    const struct pw_dc_config *c = &dc->config;
    dc_oracle_since(&o->bus_bad_since, !in->bus_ok, now);
    dc_oracle_since(&o->estop_since, in->estop, now);
    dc_oracle_since(&o->no_permit_since, !in->permit, now);
    bool closed = out->contactor_closed;
    bool closes = o->begun && closed && !o->out.contactor_closed;
    const char *broken = dc_oracle_instant(dc, in, now);
    pw_ms bms_at = in->bms_at == PW_NEVER ? 0 : in->bms_at;
    if (broken != NULL) {
        return broken;
    }
    if (next <= now || (closed && next > now + 500)) {
        return "no useful deadline";
    }
    if (closed && pw_elapsed(o->bus_bad_since, 1001, now)) {
        return "bus not active for 1 s and the contactor is closed";
    }
    if (closed && pw_elapsed(o->estop_since, 101, now)) {
        return "contactor closed 100 ms after emergency stop";
    }
    if (closed && pw_elapsed(o->no_permit_since, 4500, now)) {
        return "contactor closed long after the permit went";
    }
    if (out->rectifier_on && pw_elapsed(bms_at, 5001, now)) {
        return "BMS silent for 5 s and the rectifier is on";
    }
    if (closes && pw_elapsed(o->opened_at, 0, now) && now - o->opened_at < (pw_ms)c->min_off_ms) {
        return "contactor closed again too soon";
    }
    bool known = !c->no_contactor && dc_oracle_heard(in->battery_at, c->measure_ms, now);
    if (closes && known && in->out_mv - in->battery_mv > c->match_mv) {
        return "contactor closed with the output above the battery";
    }
    if (closes && known && in->battery_mv - in->out_mv > c->match_mv) {
        return "contactor closed with the output below the battery";
    }
    if (closes && (dc->faults != 0 || !in->permit || in->feedback == PW_DC_FEEDBACK_CLOSED)) {
        return "contactor closed against the rules";
    }
    uint32_t latched = pw_dc_latched(dc);
    if (o->begun && (o->latched & ~latched) != 0) {
        return "a latched fault went away by itself";
    }
    if (o->begun && !closed && o->out.contactor_closed) {
        o->opened_at = now;
    }
    o->begun = true;
    o->latched = latched;
    o->out = *out;
    return NULL;
}

#endif

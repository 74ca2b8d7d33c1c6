#include "meter/meter.h"

static int32_t or_default(int32_t value, int32_t fallback)
{
    return value == 0 ? fallback : value;
}

static int fill(struct pw_meter_config *to, const struct pw_meter_config *from)
{
    struct pw_meter_config c = {
        .min_mv = or_default(from->min_mv, 56000),
        .max_mv = or_default(from->max_mv, 85500),
        .max_ma = or_default(from->max_ma, 300000),
        .start_ma = or_default(from->start_ma, 50),
        .jump_mv = or_default(from->jump_mv, 15000),
        .jump_ma = or_default(from->jump_ma, 150000),
        .gap_ms = or_default(from->gap_ms, 3000),
        .checkpoint_ms = or_default(from->checkpoint_ms, 60000),
        .checkpoint_mwh = or_default(from->checkpoint_mwh, 100000),
    };
    bool negative = c.min_mv < 0 || c.max_mv < 0 || c.max_ma < 0 || c.start_ma < 0 ||
                    c.jump_mv < 0 || c.jump_ma < 0 || c.gap_ms < 0 || c.checkpoint_ms < 0 ||
                    c.checkpoint_mwh < 0;
    // Up to 2 kV, 2 kA and a minute the widest product below stays inside 63 bits.
    bool wide = c.max_mv > 2000000 || c.max_ma > 2000000 || c.gap_ms > 60000;
    if (negative || wide || c.min_mv >= c.max_mv) {
        return PW_ERR_RANGE;
    }
    *to = c;
    return PW_OK;
}

int pw_meter_init(struct pw_meter *meter, const struct pw_meter_config *config, pw_ms now)
{
    struct pw_meter fresh = {.at = PW_NEVER, .doubt_at = PW_NEVER, .saving.saved_at = now};
    int err = pw_meter_configure(&fresh, config);
    if (err < 0) {
        return err;
    }
    *meter = fresh;
    return PW_OK;
}

int pw_meter_configure(struct pw_meter *meter, const struct pw_meter_config *config)
{
    int err = fill(&meter->config, config);
    meter->saving.every_ms = meter->config.checkpoint_ms;
    meter->saving.every_mwh = meter->config.checkpoint_mwh;
    return err;
}

int pw_meter_restore(struct pw_meter *meter, struct pw_meter_register saved, pw_ms now)
{
    int err = pw_meter_register_check(saved, meter->total);
    if (err < 0) {
        return err;
    }
    meter->total = saved;
    pw_meter_saving_done(&meter->saving, saved.energy_mwh, now);
    return PW_OK;
}

static bool far(int32_t a, int32_t b, int32_t most)
{
    int64_t distance = (int64_t)a - b;
    return distance > most || distance < -(int64_t)most;
}

// Adds the trapezoid from the last good sample to this one, and makes this one the last.
static void count(struct pw_meter *meter, int32_t mv, int32_t ma, pw_ms at)
{
    if (meter->at != PW_NEVER) {
        pw_ms span = at - meter->at;
        if (span <= (pw_ms)meter->config.gap_ms) {
            // mV x mA is a microwatt, times a millisecond a nanojoule; two powers make halves.
            uint64_t power = (uint64_t)meter->mv * (uint64_t)meter->ma;
            power += (uint64_t)mv * (uint64_t)ma;
            pw_meter_register_add(&meter->total, power * span);
        } else {
            meter->gaps++;
        }
    }
    meter->mv = mv;
    meter->ma = ma;
    meter->at = at;
    meter->quality = PW_METER_GOOD;
    meter->doubt_at = PW_NEVER;
}

static enum pw_meter_quality judge(const struct pw_meter *meter, int32_t mv, int32_t ma, pw_ms now)
{
    const struct pw_meter_config *c = &meter->config;
    pw_ms last = meter->doubt_at != PW_NEVER ? meter->doubt_at : meter->at;
    if (last != PW_NEVER && now <= last) {
        return PW_METER_STALE;
    }
    if (mv < 0 || ma < 0) {
        return PW_METER_NEGATIVE;
    }
    if (mv < c->min_mv || mv > c->max_mv || ma > c->max_ma) {
        return PW_METER_RANGE;
    }
    bool neighbour = meter->at != PW_NEVER && now - meter->at <= (pw_ms)c->gap_ms;
    if (neighbour && (far(mv, meter->mv, c->jump_mv) || far(ma, meter->ma, c->jump_ma))) {
        return PW_METER_JUMP;
    }
    return PW_METER_GOOD;
}

enum pw_meter_quality pw_meter_sample(struct pw_meter *meter, int32_t mv, int32_t ma, pw_ms now)
{
    const struct pw_meter_config *c = &meter->config;
    if (ma < c->start_ma && ma > -c->start_ma) {
        ma = 0; // what a sensor shows without a current is no energy
    }
    enum pw_meter_quality quality = judge(meter, mv, ma, now);
    if (quality == PW_METER_JUMP && meter->doubt_at != PW_NEVER &&
        !far(mv, meter->doubt_mv, c->jump_mv) && !far(ma, meter->doubt_ma, c->jump_ma)) {
        // Two samples agree: the step was real, and it happened when the first of them was taken.
        count(meter, meter->doubt_mv, meter->doubt_ma, meter->doubt_at);
        quality = PW_METER_GOOD;
    }
    if (quality == PW_METER_GOOD) {
        count(meter, mv, ma, now);
        return quality;
    }
    meter->quality = quality;
    meter->refused++;
    if (quality == PW_METER_JUMP) {
        meter->doubt_mv = mv;
        meter->doubt_ma = ma;
        meter->doubt_at = now;
    } else if (quality != PW_METER_STALE) {
        // What lies around a sample that makes no sense is not known either.
        meter->at = PW_NEVER;
        meter->doubt_at = PW_NEVER;
    }
    return quality;
}

bool pw_meter_checkpoint_due(const struct pw_meter *meter, pw_ms now)
{
    return pw_meter_saving_due(&meter->saving, meter->total.energy_mwh, now);
}

void pw_meter_checkpointed(struct pw_meter *meter, pw_ms now)
{
    pw_meter_saving_done(&meter->saving, meter->total.energy_mwh, now);
}

pw_ms pw_meter_deadline(const struct pw_meter *meter)
{
    return pw_meter_saving_deadline(&meter->saving, meter->total.energy_mwh);
}

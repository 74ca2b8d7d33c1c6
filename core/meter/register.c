#include "meter/meter.h"

void pw_meter_register_add(struct pw_meter_register *reg, uint64_t units)
{
    reg->rest += units; // below 2^33 before, so it does not run over
    reg->energy_mwh += reg->rest / PW_METER_UNITS_PER_MWH;
    reg->rest %= PW_METER_UNITS_PER_MWH;
}

int pw_meter_register_check(struct pw_meter_register saved, struct pw_meter_register now)
{
    if (saved.rest >= PW_METER_UNITS_PER_MWH) {
        return PW_ERR_RANGE;
    }
    return saved.energy_mwh < now.energy_mwh ? PW_ERR_BUSY : PW_OK;
}

bool pw_meter_saving_due(const struct pw_meter_saving *saving, uint64_t energy_mwh, pw_ms now)
{
    uint64_t unsaved = energy_mwh - saving->saved_mwh;
    return unsaved >= (uint64_t)saving->every_mwh ||
           (unsaved > 0 && pw_elapsed(saving->saved_at, (pw_ms)saving->every_ms, now));
}

void pw_meter_saving_done(struct pw_meter_saving *saving, uint64_t energy_mwh, pw_ms now)
{
    saving->saved_mwh = energy_mwh;
    saving->saved_at = now;
}

pw_ms pw_meter_saving_deadline(const struct pw_meter_saving *saving, uint64_t energy_mwh)
{
    if (energy_mwh == saving->saved_mwh) {
        return PW_NEVER;
    }
    return pw_after(saving->saved_at, (pw_ms)saving->every_ms);
}

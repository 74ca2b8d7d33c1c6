// Meter values: how a sample becomes a MeterValues message, and the clock-aligned readings, on the
// multiples of the interval since midnight UTC.
#include "cp16/measurands.h"
#include "cp16/parts.h"

// The quantities a setting lists. It was checked when it was set.
uint32_t pw_cp16_quantities(const struct pw_cp16 *cp, enum pw_setting_id id)
{
    uint32_t mask = 0;
    char why[1];
    struct pw_out out = PW_OUT(why);
    int err = pw_cp16_measurands(pw_str_of(pw_settings_text(cp->settings, id)), &mask, &out);
    return err == PW_OK ? mask : 0;
}

bool pw_cp16_send_meter_values(struct pw_cp16 *cp, unsigned connector,
                               const struct pw_sample *sample, int32_t transaction_id, pw_ms now)
{
    struct pw_cp16_meter_value part;
    bool clock = sample->reading == PW_READING_CLOCK;
    bool begin = sample->reading == PW_READING_BEGIN;
    bool seed = !clock && pw_settings_int(cp->settings, PW_SET_SEED_MEASURANDS) != 0;
    uint32_t mask = pw_cp16_quantities(cp, clock   ? PW_SET_ALIGNED_DATA
                                           : begin ? PW_SET_START_SAMPLED_DATA
                                                   : PW_SET_SAMPLED_DATA);
    bool any = pw_cp16_fill(&part, sample, mask, seed, pw_cp16_stamp_wall(cp, sample->at, now));
    // The first reading is signed for StopTransaction in any case.
    if (!begin || pw_settings_int(cp->settings, PW_SET_SIGN_STARTED) != 0) {
        any = pw_cp16_fill_signed(cp, &part, sample, 0, pw_cp16_key_in_every_value(cp)) || any;
    }
    if (!any) {
        return false;
    }
    struct pw_ocpp16_meter_values_req req = {
        .connector_id = (int32_t)connector,
        .transaction_id = transaction_id,
        .has = transaction_id != 0 ? PW_OCPP16_HAS(meter_values_req, transaction_id) : 0,
        .meter_value = {.items = &part.meter_value, .count = 1},
    };
    pw_cp16_send(cp, PW_OCPP16_METER_VALUES, &req, now);
    return true;
}

static void plan_aligned(struct pw_cp16 *cp, pw_ms now)
{
    int64_t interval_ms = (int64_t)pw_settings_int(cp->settings, PW_SET_ALIGNED_S) * 1000;
    pw_unix_ms wall = pw_cp16_wall(cp, now);
    if (interval_ms == 0 || wall == 0) {
        cp->aligned_at = PW_NEVER;
        return;
    }
    int64_t of_day = wall % 86400000;
    int64_t next = pw_min((of_day / interval_ms + 1) * interval_ms, 86400000);
    cp->aligned_at = pw_after(now, (pw_ms)(next - of_day));
}

static void read_aligned(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        struct pw_sample sample;
        cp->host->measure(cp->host->context, i, PW_READING_CLOCK, &sample, now);
        sample.at = pw_cp16_stamp(cp, now);
        if (pw_journal_open_on(cp->journal, i) != NULL) {
            // A full queue is counted by the journal and shown in the status.
            (void)!pw_journal_meter(cp->journal, i, &sample);
        } else if (pw_cp16_online(cp)) {
            cp->voice[i].sample = sample;
            cp->voice[i].clock_meter = true;
        }
    }
}

void pw_cp16_step_readings(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->aligned_at == PW_NEVER) {
        plan_aligned(cp, now);
    }
    if (now >= cp->aligned_at) {
        read_aligned(cp, now);
        plan_aligned(cp, now);
    }
}

// The connector whose clock-aligned reading outside a transaction waits, or 0.
static unsigned waiting(const struct pw_cp16 *cp)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].clock_meter) {
            return i;
        }
    }
    return 0;
}

static pw_ms reading_due(const struct pw_cp16 *cp, pw_ms now)
{
    return waiting(cp) != 0 ? now : PW_NEVER;
}

static void say_reading(struct pw_cp16 *cp, pw_ms now)
{
    unsigned connector = waiting(cp);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    voice->clock_meter = false;
    // Nothing in it may be wanted any more: then nothing is said.
    (void)pw_cp16_send_meter_values(cp, connector, &voice->sample, 0, now);
}

const struct pw_cp16_topic pw_cp16_reading_topic = {
    .name = "MeterValues",
    .due = reading_due,
    .say = say_reading,
};

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

// The measurands of MeterValues with a reading taken for this reason.
static enum pw_setting_id list_of(enum pw_reading reading)
{
    if (reading == PW_READING_CLOCK) {
        return PW_SET_ALIGNED_DATA;
    }
    return reading == PW_READING_BEGIN ? PW_SET_START_SAMPLED_DATA : PW_SET_SAMPLED_DATA;
}

bool pw_cp16_send_meter_values(struct pw_cp16 *cp, unsigned connector,
                               const struct pw_sample *sample,
                               const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_cp16_meter_value part;
    bool clock = sample->reading == PW_READING_CLOCK;
    bool begin = sample->reading == PW_READING_BEGIN;
    bool seed = !clock && pw_settings_int(cp->settings, PW_SET_SEED_MEASURANDS) != 0;
    uint32_t mask = pw_cp16_quantities(cp, list_of(sample->reading));
    bool any = pw_cp16_fill(&part, sample, mask, seed,
                            pw_cp16_record_wall(cp, clock ? NULL : transaction, sample->at));
    // The first reading is signed for StopTransaction in any case.
    if (!begin || pw_cp16_start_is_signed(cp, mask)) {
        any = pw_cp16_fill_signed(cp, &part, sample, pw_cp16_key_in_every_value(cp)) || any;
    }
    if (!any) {
        return false;
    }
    struct pw_ocpp16_meter_values_req req = {
        .connector_id = (int32_t)connector,
        .transaction_id = transaction != NULL ? transaction->transaction_id : 0,
        .has = transaction != NULL ? PW_OCPP16_HAS(meter_values_req, transaction_id) : 0,
        .meter_value = {.items = &part.meter_value, .count = 1},
    };
    pw_cp16_send(cp, PW_OCPP16_METER_VALUES, &req, now);
    return true;
}

void pw_cp16_keep_reading(struct pw_cp16 *cp, unsigned connector, const struct pw_sample *sample)
{
    bool clock = sample->reading == PW_READING_CLOCK;
    bool open = pw_journal_open_on(cp->journal, connector) != NULL;
    enum pw_setting_id stop_list = clock ? PW_SET_STOP_ALIGNED_DATA : PW_SET_STOP_SAMPLED_DATA;
    // A full queue and a store in trouble are counted and logged by the journal, and shown in the
    // status.
    if (pw_cp16_quantities(cp, list_of(sample->reading)) != 0 || pw_sample_is_signed(sample)) {
        (void)!pw_journal_meter(cp->journal, connector, sample);
    }
    if (open && pw_cp16_quantities(cp, stop_list) != 0) {
        // Its signature leaves with its own message; StopTransaction has those of begin and end.
        struct pw_sample note = *sample;
        note.has &= ~(1U << PW_SIGNED_NUMBER);
        (void)!pw_journal_note(cp->journal, connector, &note);
    }
}

// ---------------------------------------------------------------------------------------------
// Clock-aligned readings. They bear the boundary itself as their time, though they are taken a turn
// later. Outside a transaction they wait in the queue too (OCPP 1.6 §3.7).

static void plan_aligned(struct pw_cp16 *cp, pw_ms now)
{
    enum { DAY_MS = 86400000 };
    int64_t interval_ms = (int64_t)pw_settings_int(cp->settings, PW_SET_ALIGNED_S) * 1000;
    pw_unix_ms wall = pw_cp16_wall(cp, now);
    if (interval_ms == 0 || wall == 0) {
        cp->aligned_at = PW_NEVER;
        return;
    }
    // A clock that was set back a little must not bring the same boundary twice.
    bool again = wall < cp->aligned_wall && cp->aligned_wall - wall < interval_ms;
    pw_unix_ms from = again ? cp->aligned_wall : wall;
    int64_t of_day = from % DAY_MS;
    cp->aligned_next = from - of_day + pw_min((of_day / interval_ms + 1) * interval_ms, DAY_MS);
    cp->aligned_at = pw_after(now, (pw_ms)(cp->aligned_next - wall));
}

static void read_aligned(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        struct pw_sample sample;
        cp->host->measure(cp->host->context, i, PW_READING_CLOCK, &sample, now);
        sample.at = pw_cp16_stamp(cp, now);
        sample.at.wall = cp->aligned_next;
        cp->host->meter(cp->host->context, i, &sample, now);
    }
    cp->aligned_wall = cp->aligned_next;
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

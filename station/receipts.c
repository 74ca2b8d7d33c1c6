// The charges of this station that have ended, as far as the journal keeps them, newest first.
#include "parts.h"
#include "session/session.h"

// 0 when the clock was not known then and cannot be worked out any more.
static pw_unix_ms wall_of(const struct pw_station *st, struct pw_stamp at, pw_ms now)
{
    bool lost = at.wall == 0 && at.boot != st->journal.boot;
    return lost ? 0 : pw_cp16_stamp_wall(&st->cp16, at, now);
}

static bool value_of(const struct pw_sample *sample, enum pw_quantity quantity, int64_t *value)
{
    *value = sample->value[quantity];
    return (sample->has >> (unsigned)quantity & 1U) != 0;
}

// What the register has come on; false when one of its two readings is missing.
static bool energy_of(const struct pw_transaction *receipt, int64_t *wh)
{
    int64_t first = 0;
    int64_t last = 0;
    bool known = value_of(&receipt->first, PW_ENERGY_WH, &first) &&
                 value_of(&receipt->last, PW_ENERGY_WH, &last) && last >= first;
    *wh = last - first;
    return known;
}

static const char *reason_of(const struct pw_transaction *receipt)
{
    return receipt->reason < PW_REASON_ROWS
               ? pw_session_reason_name((enum pw_session_reason)receipt->reason)
               : "";
}

static void json_receipt(const struct pw_station *st, const struct pw_transaction *receipt,
                         struct pw_json_writer *json, pw_ms now)
{
    pw_unix_ms began = wall_of(st, receipt->first.at, now);
    pw_unix_ms ended = wall_of(st, receipt->last.at, now);
    int64_t wh = 0;
    int64_t soc_first = 0;
    int64_t soc_last = 0;
    bool energy_known = energy_of(receipt, &wh);
    bool first_known = value_of(&receipt->first, PW_SOC_PERMILLE, &soc_first);
    bool last_known = value_of(&receipt->last, PW_SOC_PERMILLE, &soc_last);
    pw_json_open(json, '{');
    pw_json_say_int(json, "number", receipt->seq);
    pw_json_say_int(json, "connector_id", receipt->connector);
    pw_json_say_s(json, "id_tag", receipt->id_tag);
    pw_json_say_known_time(json, "began", began);
    pw_json_say_known_time(json, "ended", ended);
    pw_json_say_known(json, "duration_s", began > 0 && ended >= began, ended - began, 3);
    pw_json_say_known(json, "energy_wh", energy_known, wh, 0);
    pw_json_say_known(json, "soc_begin_percent", first_known, soc_first, 1);
    pw_json_say_known(json, "soc_end_percent", last_known, soc_last, 1);
    pw_json_say_s(json, "reason", reason_of(receipt));
    pw_json_close(json, '}');
}

void pw_report_charges_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    struct pw_transaction receipt;
    pw_json_open(&json, '{');
    pw_json_key(&json, "charges");
    pw_json_open(&json, '[');
    int err = PW_OK;
    for (unsigned back = 0; err != PW_ERR_RANGE; back++) {
        err = pw_journal_receipt(&st->journal, back, &receipt);
        if (err == PW_OK) {
            json_receipt(st, &receipt, &json, now);
        }
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}

static void put_receipt(const struct pw_station *st, const struct pw_transaction *receipt,
                        struct pw_out *out, pw_ms now)
{
    pw_unix_ms began = wall_of(st, receipt->first.at, now);
    int64_t wh = 0;
    if (began > 0) {
        pw_put_time(out, began);
    } else {
        pw_put_s(out, "-");
    }
    pw_put_s(out, "\tconnector ");
    pw_put_uint(out, receipt->connector);
    pw_put_s(out, "\t");
    if (energy_of(receipt, &wh)) {
        pw_put_places(out, wh, 3, 3);
        pw_put_s(out, " kWh\t");
    } else {
        pw_put_s(out, "-\t");
    }
    pw_put_s(out, receipt->id_tag);
    pw_put_s(out, "\t");
    pw_put_s(out, reason_of(receipt));
    pw_put_c(out, '\n');
}

int pw_report_charge(const struct pw_station *st, unsigned back, struct pw_transaction *receipt,
                     struct pw_out *out, pw_ms now)
{
    int err = pw_journal_receipt(&st->journal, back, receipt);
    if (err == PW_OK) {
        put_receipt(st, receipt, out, now);
    }
    return err;
}

void pw_report_charges(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_transaction receipt;
    int err = PW_OK;
    unsigned found = 0;
    for (unsigned back = 0; err != PW_ERR_RANGE; back++) {
        err = pw_journal_receipt(&st->journal, back, &receipt);
        if (err == PW_OK) {
            put_receipt(st, &receipt, out, now);
            found++;
        }
    }
    if (found == 0) {
        pw_put_s(out, "no charge has ended yet\n");
    }
}

// StopTransaction: with transactionData, the readings of the whole transaction. The first and the
// last always stand in it; of those between as many, evenly spread, as fit one message
// (erratum 3.91 and new §3.16.6 of OCPP 1.6).
#include "cp16/measurands.h"
#include "cp16/parts.h"

struct data {
    struct pw_cp16 *cp;
    const struct pw_transaction *transaction;
    uint32_t sampled; // quantities of sampled readings
    uint32_t aligned; // and of clock-aligned ones
    bool key;         // the next signed reading carries the public key
};

static bool fill(const struct data *data, const struct pw_sample *sample,
                 struct pw_cp16_meter_value *part)
{
    uint32_t mask = 0;
    switch (sample->reading) {
    case PW_READING_BEGIN:
    case PW_READING_END: mask = data->sampled | data->aligned; break;
    case PW_READING_CLOCK: mask = data->aligned; break;
    case PW_READING_PERIODIC:
    case PW_READING_TRIGGER:
    case PW_READING_INTERRUPTION_BEGIN:
    case PW_READING_INTERRUPTION_END:
    case PW_READING_OTHER:
    case PW_READINGS: mask = data->sampled; break;
    }
    return pw_cp16_fill(part, sample, mask, false,
                        pw_cp16_record_wall(data->cp, data->transaction, sample->at));
}

// Appends one reading; nothing when nothing of it is wanted. Signed readings of begin and end are
// always there (Signed Meter Values 1.0 §3.1.4).
static void put(struct data *data, const struct pw_sample *sample, struct pw_out *out)
{
    struct pw_cp16_meter_value part;
    bool edge = sample->reading == PW_READING_BEGIN || sample->reading == PW_READING_END;
    bool any = fill(data, sample, &part);
    if (edge && pw_cp16_fill_signed(data->cp, &part, sample, data->key)) {
        data->key = pw_cp16_key_in_every_value(data->cp);
        any = true;
    }
    if (any) {
        pw_put_s(out, out->at[out->len - 1] == '[' ? "" : ",");
        pw_ocpp_encode(&pw_ocpp16_meter_value, &part.meter_value, out);
    }
}

// Readings between the first and the last of which something is wanted.
static uint32_t count(const struct data *data)
{
    struct pw_note_walk walk = {.transaction = data->transaction->seq};
    struct pw_cp16_meter_value part;
    struct pw_sample sample;
    uint32_t found = 0;
    while (pw_journal_next_note(data->cp->journal, &walk, &sample)) {
        found += fill(data, &sample, &part) ? 1 : 0;
    }
    return found;
}

// Writes `wanted` of `there` readings between the first and the last. False when there is no room.
static bool put_all(struct data *data, uint32_t wanted, uint32_t there, struct pw_out *out)
{
    struct pw_note_walk walk = {.transaction = data->transaction->seq};
    struct pw_cp16_meter_value part;
    struct pw_sample sample;
    uint32_t at = 0;
    data->key = pw_cp16_key_in_stop(data->cp);
    pw_put_s(out, ",\"transactionData\":[");
    put(data, &data->transaction->first, out);
    while (wanted > 0 && !out->full && pw_journal_next_note(data->cp->journal, &walk, &sample)) {
        if (!fill(data, &sample, &part)) {
            continue;
        }
        // Spread evenly: the one at which the share of those chosen passes a whole number.
        if ((uint64_t)(at + 1) * wanted / there > (uint64_t)at * wanted / there) {
            put(data, &sample, out);
        }
        at++;
    }
    put(data, &data->transaction->last, out);
    pw_put_s(out, "]}]");
    return !out->full;
}

void pw_cp16_put_transaction_data(struct pw_cp16 *cp, const struct pw_transaction *transaction)
{
    struct data data = {
        .cp = cp,
        .transaction = transaction,
        .sampled = pw_cp16_quantities(cp, PW_SET_STOP_SAMPLED_DATA),
        .aligned = pw_cp16_quantities(cp, PW_SET_STOP_ALIGNED_DATA),
    };
    if (data.sampled == 0 && data.aligned == 0 && !pw_sample_is_signed(&transaction->first) &&
        !pw_sample_is_signed(&transaction->last)) {
        return;
    }
    // The message is printed already: its end, "}]", gives way.
    PW_ASSERT(cp->out_len > 2 && cp->out[cp->out_len - 1] == ']' &&
              cp->out[cp->out_len - 2] == '}');
    size_t bare = cp->out_len - 2;
    uint32_t there = count(&data);
    uint32_t wanted =
        (uint32_t)pw_min(there, pw_settings_int(cp->settings, PW_SET_STOP_VALUES_MAX) - 2);
    for (;;) {
        struct pw_out out = PW_OUT(cp->out);
        out.len = bare;
        if (put_all(&data, wanted, there, &out)) {
            cp->out_len = out.len;
            break;
        }
        if (wanted == 0) {
            // Not even the first and the last: the message goes without.
            cp->out[bare] = '}';
            cp->out[bare + 1] = ']';
            cp->out_len = bare + 2;
            break;
        }
        wanted = wanted * 3 / 4;
    }
    if (wanted < there) {
        struct pw_line line;
        pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "transaction-data-thinned");
        pw_line_int(&line, "of", there);
        pw_line_int(&line, "sent", wanted);
        pw_line_end(&line);
    }
}

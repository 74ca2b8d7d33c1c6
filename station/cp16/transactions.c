// The messages of transactions, from the journal in order: start, meter values, stop.
#include "cp16/measurands.h"
#include "cp16/parts.h"

enum { TIMEOUT_PAUSE_MS = 5000 }; // before a transaction message that timed out is sent again

static void send_start(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_ocpp16_start_transaction_req req = {
        .connector_id = transaction->connector,
        .id_tag = pw_str_of(transaction->id_tag),
        .meter_start_wh = (int32_t)transaction->first.value[PW_ENERGY_WH],
        .timestamp = pw_cp16_stamp_wall(cp, transaction->first.at, now),
    };
    pw_cp16_send(cp, PW_OCPP16_START_TRANSACTION, &req, now);
}

static void send_stop(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_cp16_meter_value first;
    struct pw_cp16_meter_value last;
    struct pw_ocpp16_meter_value data[2];
    uint32_t count = 0;
    uint32_t mask = pw_cp16_quantities(cp, PW_SET_STOP_SAMPLED_DATA);
    pw_unix_ms started = pw_cp16_stamp_wall(cp, transaction->first.at, now);
    pw_unix_ms stopped = pw_cp16_stamp_wall(cp, transaction->last.at, now);
    int reason = pw_ocpp_code_find(
        &pw_ocpp16_stop_reason,
        pw_str_of(pw_session_reason_name((enum pw_session_reason)transaction->reason)));
    // Signed readings of begin and end are always there, also with an empty StopTxnSampledData
    // (Signed Meter Values 1.0 §3.1.4).
    bool key = pw_cp16_key_in_stop(cp);
    bool any = pw_cp16_fill(&first, &transaction->first, mask, false, started);
    if (pw_cp16_fill_signed(cp, &first, &transaction->first, 0, key)) {
        key = pw_cp16_key_in_every_value(cp);
        any = true;
    }
    if (any) {
        data[count++] = first.meter_value;
    }
    any = pw_cp16_fill(&last, &transaction->last, mask, false, stopped);
    if (pw_cp16_fill_signed(cp, &last, &transaction->last, 1, key) || any) {
        data[count++] = last.meter_value;
    }
    struct pw_ocpp16_stop_transaction_req req = {
        .has = reason >= 0 ? PW_OCPP16_HAS(stop_transaction_req, reason) : 0,
        .id_tag = pw_str_of(transaction->stop_id_tag),
        .meter_stop_wh = (int32_t)transaction->last.value[PW_ENERGY_WH],
        .timestamp = stopped,
        .transaction_id = transaction->transaction_id,
        .reason = reason >= 0 ? (enum pw_ocpp16_stop_reason)reason : PW_OCPP16_REASON_OTHER,
        .transaction_data = {.items = data, .count = count},
    };
    req.has |= req.id_tag.len > 0 ? PW_OCPP16_HAS(stop_transaction_req, id_tag) : 0;
    req.has |= count > 0 ? PW_OCPP16_HAS(stop_transaction_req, transaction_data) : 0;
    pw_cp16_send(cp, PW_OCPP16_STOP_TRANSACTION, &req, now);
}

static void send_message(struct pw_cp16 *cp, pw_ms now)
{
    const struct pw_transaction *transaction = &cp->message.transaction;
    switch (cp->message.kind) {
    case PW_MESSAGE_START: send_start(cp, transaction, now); return;
    case PW_MESSAGE_STOP: send_stop(cp, transaction, now); return;
    case PW_MESSAGE_METER:
        if (!pw_cp16_send_meter_values(cp, transaction->connector, &cp->message.sample,
                                       transaction->transaction_id, now)) {
            // Nothing in it is wanted any more: it leaves the queue as if it had been said.
            cp->settle = true;
            cp->settle_refused = false;
        }
        return;
    }
    PW_UNREACHABLE();
}

// Tells the journal what became of the message at its head. False: it is not ready to hear it.
static bool settle(struct pw_cp16 *cp, pw_ms now)
{
    int err = cp->settle_refused ? pw_journal_refused(cp->journal, &cp->message)
                                 : pw_journal_answered(cp->journal, &cp->message, cp->settle_id);
    if (err == PW_ERR_AGAIN) {
        return false;
    }
    cp->settle = false;
    if (err != PW_OK) {
        // The store is in trouble: the same message goes out again later, which is harmless.
        cp->message_at = pw_after(now, TIMEOUT_PAUSE_MS);
        return false;
    }
    cp->attempts = 0;
    cp->message_at = now;
    return true;
}

static pw_ms transaction_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    return pw_journal_waiting(cp->journal) > 0 ? cp->message_at : PW_NEVER;
}

static void say_transaction(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->settle && !settle(cp, now)) {
        return;
    }
    if (now >= cp->message_at && pw_journal_head(cp->journal, &cp->message) == PW_OK) {
        send_message(cp, now);
    }
}

static bool start_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_start_transaction_conf conf;
    if (!pw_cp16_decode(cp, PW_OCPP16_START_TRANSACTION, payload, &conf)) {
        return false;
    }
    cp->settle_id = conf.transaction_id;
    if (conf.id_tag_info.status != PW_OCPP16_AUTHORIZATION_ACCEPTED) {
        cp->host->start_refused(cp->host->context, cp->message.transaction.connector,
                                cp->message.transaction.seq, now);
    }
    return true;
}

static bool transaction_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    if (cp->message.kind == PW_MESSAGE_START && !start_answered(cp, payload, now)) {
        return false;
    }
    cp->settle = true;
    cp->settle_refused = false;
    return true;
}

// A refused transaction message is sent again after interval x attempts, then set aside; only
// refusals count, not silence (OCPP 1.6 §3.7.1, errata J 3.3).
static void transaction_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    if (code == NULL) {
        cp->message_at = pw_after(now, TIMEOUT_PAUSE_MS);
        return;
    }
    pw_ms pause = (pw_ms)pw_settings_int(cp->settings, PW_SET_TX_RETRY_S) * 1000;
    cp->attempts++;
    if (cp->attempts >= (unsigned)pw_settings_int(cp->settings, PW_SET_TX_ATTEMPTS)) {
        cp->settle = true;
        cp->settle_refused = true;
        return;
    }
    cp->message_at = pw_after(now, pause * cp->attempts);
}

const struct pw_cp16_topic pw_cp16_transaction_topic = {
    .name = "transaction message",
    .due = transaction_due,
    .say = say_transaction,
    .answered = transaction_answered,
    .failed = transaction_failed,
};

// The messages of transactions, from the journal in order: start, meter values, stop.
#include "cp16/measurands.h"
#include "cp16/parts.h"

enum { TIMEOUT_PAUSE_MS = 5000 }; // before a transaction message that timed out is sent again

pw_unix_ms pw_cp16_record_wall(const struct pw_cp16 *cp, const struct pw_transaction *transaction,
                               struct pw_stamp at)
{
    pw_unix_ms wall = pw_journal_wall(cp->journal, at);
    if (transaction == NULL || transaction->seq == 0) {
        return wall;
    }
    return pw_max(wall, pw_journal_wall(cp->journal, transaction->first.at));
}

// Its id is remembered: the answer may come after we stopped waiting.
static void remember_start(struct pw_cp16 *cp, uint32_t transaction)
{
    struct pw_cp16_start *start = &cp->starts[cp->starts_at];
    int err = pw_str_copy(start->id, sizeof(start->id), pw_ocpp_rpc_id(&cp->rpc));
    PW_ASSERT(err == PW_OK);
    start->transaction = transaction;
    cp->starts_at = (uint8_t)((cp->starts_at + 1U) % PW_CP16_STARTS);
}

static void send_start(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_ocpp16_start_transaction_req req = {
        .has = transaction->reserved ? PW_OCPP16_HAS(start_transaction_req, reservation_id) : 0,
        .connector_id = transaction->connector,
        .id_tag = pw_str_of(transaction->id_tag),
        .meter_start_wh = (int32_t)transaction->first.value[PW_ENERGY_WH],
        .reservation_id = transaction->reservation_id,
        .timestamp = pw_cp16_record_wall(cp, transaction, transaction->first.at),
    };
    pw_cp16_send(cp, PW_OCPP16_START_TRANSACTION, &req, now);
    remember_start(cp, transaction->seq);
}

static void send_stop(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    int reason = pw_ocpp_code_find(
        &pw_ocpp16_stop_reason,
        pw_str_of(pw_session_reason_name((enum pw_session_reason)transaction->reason)));
    struct pw_ocpp16_stop_transaction_req req = {
        .has = reason >= 0 ? PW_OCPP16_HAS(stop_transaction_req, reason) : 0,
        .id_tag = pw_str_of(transaction->stop_id_tag),
        .meter_stop_wh = (int32_t)transaction->last.value[PW_ENERGY_WH],
        .timestamp = pw_cp16_record_wall(cp, transaction, transaction->last.at),
        .transaction_id = transaction->transaction_id,
        .reason = reason >= 0 ? (enum pw_ocpp16_stop_reason)reason : PW_OCPP16_REASON_OTHER,
    };
    req.has |= req.id_tag.len > 0 ? PW_OCPP16_HAS(stop_transaction_req, id_tag) : 0;
    pw_cp16_send(cp, PW_OCPP16_STOP_TRANSACTION, &req, now);
    pw_cp16_put_transaction_data(cp, transaction);
}

static void send_message(struct pw_cp16 *cp, pw_ms now)
{
    const struct pw_transaction *transaction = &cp->message.transaction;
    switch (cp->message.kind) {
    case PW_MESSAGE_START: send_start(cp, transaction, now); return;
    case PW_MESSAGE_STOP: send_stop(cp, transaction, now); return;
    case PW_MESSAGE_METER:
        if (!pw_cp16_send_meter_values(cp, cp->message.connector, &cp->message.sample,
                                       transaction->seq == 0 ? NULL : transaction, now)) {
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
    // Without a clock a record's time cannot be told, and no other may be.
    return cp->clock_known && pw_journal_waiting(cp->journal) > 0 ? cp->message_at : PW_NEVER;
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

// What is said of the card that began it.
static void hear_id_tag(struct pw_cp16 *cp, const struct pw_ocpp16_start_transaction_conf *conf,
                        const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_tag card;
    bool fits = pw_cp16_tag(pw_str_of(transaction->id_tag), &conf->id_tag_info, &card);
    PW_ASSERT(fits);
    pw_cp16_learn(cp, &card, now);
    cp->host->start_answered(cp->host->context, transaction->connector, transaction->seq, &card,
                             now);
}

static bool start_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_start_transaction_conf conf;
    if (!pw_cp16_decode(cp, PW_OCPP16_START_TRANSACTION, payload, &conf)) {
        return false;
    }
    cp->settle_id = conf.transaction_id;
    hear_id_tag(cp, &conf, &cp->message.transaction, now);
    return true;
}

static void identify(struct pw_cp16 *cp, uint32_t transaction,
                     const struct pw_ocpp16_start_transaction_conf *conf, pw_ms now)
{
    if (cp->message.kind == PW_MESSAGE_START && cp->message.transaction.seq == transaction &&
        cp->message.seq == cp->journal->head && pw_journal_waiting(cp->journal) > 0) {
        // It still heads the queue, perhaps sent once more: the first answer counts.
        cp->settle = true;
        cp->settle_refused = false;
        cp->settle_id = conf->transaction_id;
        hear_id_tag(cp, conf, &cp->message.transaction, now);
        return;
    }
    if (pw_journal_identified(cp->journal, transaction, conf->transaction_id) != PW_OK) {
        return;
    }
    for (unsigned i = 1; i <= cp->connectors; i++) {
        const struct pw_transaction *open = pw_journal_open_on(cp->journal, i);
        if (open != NULL && open->seq == transaction) {
            hear_id_tag(cp, conf, open, now);
        }
    }
}

void pw_cp16_late_answer(struct pw_cp16 *cp, struct pw_str id, const struct pw_json_node *payload,
                         pw_ms now)
{
    struct pw_ocpp16_start_transaction_conf conf;
    for (size_t i = 0; i < PW_CP16_STARTS; i++) {
        struct pw_cp16_start *start = &cp->starts[i];
        if (start->id[0] == '\0' || !pw_str_is(id, start->id) ||
            !pw_cp16_decode(cp, PW_OCPP16_START_TRANSACTION, payload, &conf)) {
            continue;
        }
        start->id[0] = '\0';
        identify(cp, start->transaction, &conf, now);
    }
}

// The message under way was sent before, and its answer has come since (pw_cp16_late_answer).
static bool is_settled(const struct pw_cp16 *cp)
{
    return cp->settle;
}

// What the central system says of the card that ended it. Whatever else it answers, it was told.
static void stop_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_stop_transaction_conf conf;
    struct pw_str id_tag = pw_str_of(cp->message.transaction.stop_id_tag);
    struct pw_tag card;
    if (id_tag.len > 0 && pw_cp16_decode(cp, PW_OCPP16_STOP_TRANSACTION, payload, &conf) &&
        (conf.has & PW_OCPP16_HAS(stop_transaction_conf, id_tag_info)) != 0 &&
        pw_cp16_tag(id_tag, &conf.id_tag_info, &card)) {
        pw_cp16_learn(cp, &card, now);
    }
}

static bool transaction_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    if (is_settled(cp)) {
        return true;
    }
    if (cp->message.kind == PW_MESSAGE_START && !start_answered(cp, payload, now)) {
        return false;
    }
    if (cp->message.kind == PW_MESSAGE_STOP) {
        stop_answered(cp, payload, now);
    }
    cp->settle = true;
    cp->settle_refused = false;
    return true;
}

// A refused transaction message is sent again after interval x attempts, then set aside; only
// refusals count, not silence (OCPP 1.6 §3.7.1, errata J 3.3).
static void transaction_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    if (is_settled(cp)) {
        return;
    }
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

// What the central system asks in profile Core, the configuration apart.
#include "cp16/parts.h"

static enum pw_ocpp16_generic_status generic(enum pw_cp16_answer answer)
{
    return answer == PW_CP16_ACCEPTED ? PW_OCPP16_GENERIC_ACCEPTED : PW_OCPP16_GENERIC_REJECTED;
}

static void answer_availability(struct pw_cp16 *cp, struct pw_str id,
                                enum pw_ocpp16_availability_status status)
{
    struct pw_ocpp16_change_availability_conf conf = {.status = status};
    pw_cp16_reply(cp, id, PW_OCPP16_CHANGE_AVAILABILITY, &conf);
}

static void say_available(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    answer_availability(cp, id,
                        kept ? PW_OCPP16_AVAILABILITY_ACCEPTED : PW_OCPP16_AVAILABILITY_REJECTED);
}

static void say_scheduled(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    answer_availability(cp, id,
                        kept ? PW_OCPP16_AVAILABILITY_SCHEDULED : PW_OCPP16_AVAILABILITY_REJECTED);
}

void pw_cp16_on_availability(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                             pw_ms now)
{
    enum pw_cp16_answer answer = PW_CP16_REJECTED;
    int32_t connector = req->change_availability.connector_id;
    if (connector == 0 || pw_cp16_is_connector(cp, connector)) {
        bool operative = req->change_availability.type == PW_OCPP16_AVAILABILITY_OPERATIVE;
        answer = cp->host->availability(cp->host->context, (unsigned)connector, operative, now);
    }
    if (answer != PW_CP16_ACCEPTED && answer != PW_CP16_SCHEDULED) {
        say_available(cp, id, false);
        return;
    }
    pw_cp16_reply_later(cp, id, cp->journal->keep_ticket,
                        answer == PW_CP16_ACCEPTED ? say_available : say_scheduled);
}

// A TxProfile for the transaction to come, without an id (§5.11, errata 3.41, 3.67).
static bool takes_profile(struct pw_cp16 *cp, const struct pw_ocpp16_charging_profile *from,
                          struct pw_profile *to)
{
    char text[120] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_cp16_profile(from, to, &why);
    if (err == PW_OK && (from->has & PW_OCPP16_HAS(charging_profile, transaction_id)) != 0) {
        pw_put_s(&why, "a remote start's profile has no transactionId");
        err = PW_ERR_RANGE;
    }
    if (err != PW_OK) {
        pw_cp16_profile_refused(cp, from->charging_profile_id, text);
    }
    return err == PW_OK;
}

void pw_cp16_on_start(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                      pw_ms now)
{
    struct pw_ocpp16_remote_start_transaction_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    bool named = (req->remote_start_transaction.has &
                  PW_OCPP16_HAS(remote_start_transaction_req, connector_id)) != 0;
    bool limited = (req->remote_start_transaction.has &
                    PW_OCPP16_HAS(remote_start_transaction_req, charging_profile)) != 0;
    int32_t connector = named ? req->remote_start_transaction.connector_id : 0;
    struct pw_profile profile;
    bool good =
        !limited || takes_profile(cp, &req->remote_start_transaction.charging_profile, &profile);
    // Remote commands wait for acceptance (OCPP 1.6 §4.2).
    if (cp->boot == PW_CP16_BOOT_ACCEPTED && (!named || pw_cp16_is_connector(cp, connector)) &&
        good && req->remote_start_transaction.id_tag.len > 0) {
        conf.status = generic(cp->host->remote_start(cp->host->context, (unsigned)connector,
                                                     req->remote_start_transaction.id_tag,
                                                     limited ? &profile : NULL, now));
    }
    pw_cp16_reply(cp, id, PW_OCPP16_REMOTE_START_TRANSACTION, &conf);
}

void pw_cp16_on_stop(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                     pw_ms now)
{
    struct pw_ocpp16_remote_stop_transaction_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    unsigned connector =
        pw_journal_connector_of(cp->journal, req->remote_stop_transaction.transaction_id);
    if (cp->boot == PW_CP16_BOOT_ACCEPTED && connector != 0) {
        conf.status = generic(cp->host->remote_stop(cp->host->context, connector, now));
    }
    pw_cp16_reply(cp, id, PW_OCPP16_REMOTE_STOP_TRANSACTION, &conf);
}

void pw_cp16_on_reset(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                      pw_ms now)
{
    struct pw_ocpp16_reset_conf conf = {
        .status = generic(
            cp->host->reset(cp->host->context, req->reset.type == PW_OCPP16_RESET_HARD, now))};
    pw_cp16_reply(cp, id, PW_OCPP16_RESET, &conf);
}

// A lock takes its time: the charge ends before it (10 s), and its motor tries more than once.
enum { UNLOCK_MOST_MS = 20000 };

static void answer_unlock(struct pw_cp16 *cp, struct pw_str id, int err)
{
    struct pw_ocpp16_unlock_connector_conf conf = {
        .status = err == PW_OK            ? PW_OCPP16_UNLOCK_UNLOCKED
                  : err == PW_ERR_UNKNOWN ? PW_OCPP16_UNLOCK_NOT_SUPPORTED
                                          : PW_OCPP16_UNLOCK_FAILED};
    pw_cp16_reply(cp, id, PW_OCPP16_UNLOCK_CONNECTOR, &conf);
}

// Without a connector lock, or without such a connector: NotSupported, and the transaction goes on
// (errata 3.84, 3.87).
void pw_cp16_on_unlock(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                       pw_ms now)
{
    int32_t connector = req->unlock_connector.connector_id;
    int err = PW_ERR_UNKNOWN;
    if (pw_cp16_is_connector(cp, connector)) {
        err = cp->host->unlock(cp->host->context, (unsigned)connector, now);
    }
    bool room = cp->unlocking.connector == 0 &&
                pw_str_copy(cp->unlocking.id, sizeof(cp->unlocking.id), id) == PW_OK;
    if (err != PW_ERR_AGAIN || !room) {
        answer_unlock(cp, id, err);
        return;
    }
    cp->unlocking.connector = (unsigned)connector;
    cp->unlocking.until = pw_after(now, UNLOCK_MOST_MS);
}

void pw_cp16_step_unlock(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_cp16_unlocking *unlocking = &cp->unlocking;
    if (unlocking->connector == 0 || cp->out_len > 0) {
        return;
    }
    int err = cp->host->unlock(cp->host->context, unlocking->connector, now);
    if (err == PW_ERR_AGAIN && now < unlocking->until) {
        return;
    }
    unlocking->connector = 0;
    answer_unlock(cp, pw_str_of(unlocking->id), err);
}

// "Limit", with the number of a connector: who limits its current. OCPP has no message of its own
// for a charge that is throttled and goes on.
void pw_cp16_on_data(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                     pw_ms now)
{
    char text[PW_CP16_LIMIT_MAX];
    struct pw_out json = PW_OUT(text);
    int64_t connector = 0;
    struct pw_str own = pw_str_of(pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR));
    struct pw_ocpp16_data_transfer_conf conf = {.status = PW_OCPP16_DATA_TRANSFER_ACCEPTED};
    if (!pw_str_eq(req->data_transfer.vendor_id, own)) {
        conf.status = PW_OCPP16_DATA_TRANSFER_UNKNOWN_VENDOR_ID;
    } else if (!pw_str_is(req->data_transfer.message_id, "Limit")) {
        conf.status = PW_OCPP16_DATA_TRANSFER_UNKNOWN_MESSAGE_ID;
    } else if (pw_parse_int(req->data_transfer.data, 1, cp->connectors, &connector) != PW_OK) {
        conf.status = PW_OCPP16_DATA_TRANSFER_REJECTED;
    } else {
        cp->host->limit(cp->host->context, (unsigned)connector, &json, now);
        PW_ASSERT(!json.full);
        conf.data = pw_out_str(&json);
        conf.has = PW_OCPP16_HAS(data_transfer_conf, data);
    }
    pw_cp16_reply(cp, id, PW_OCPP16_DATA_TRANSFER, &conf);
}

// Which effect each command has: one row an action.
#include "records.h"

#include <string.h>

#define CONNECTION_S 180   // a driver may still have to plug in (ConnectionTimeOut is often 60 s)
#define SOON_S       30    // what a station does at once
#define STOP_S       60    // a stop, with its message
#define BOOT_S       300   // a reset, charges stopped before
#define LATER_S      86400 // what waits for the end of a charge
#define FILE_S       3600  // from one status of a transfer to the next

static void copy(char *to, size_t cap, struct pw_str text)
{
    struct pw_out out = {.cap = cap};
    out.at = to;
    pw_put(&out, text);
}

static void put_at(struct pw_out *words, int connector)
{
    pw_put_s(words, connector == 0 ? " of the station" : " on connector ");
    if (connector != 0) {
        pw_put_int(words, connector);
    }
}

// --- Transactions.

static void aim_start(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_remote_start_transaction_req *req = message;
    if ((req->has & PW_OCPP16_HAS(remote_start_transaction_req, connector_id)) != 0) {
        watch->connector = req->connector_id;
    }
    copy(watch->word, sizeof(watch->word), req->id_tag);
}

static enum expect keep_start(const struct answered *answered)
{
    const struct pw_ocpp16_remote_start_transaction_req *req = answered->req;
    const struct pw_ocpp16_remote_start_transaction_conf *conf = answered->conf;
    if (conf->status != PW_OCPP16_GENERIC_ACCEPTED) {
        return EXPECT_NOTHING;
    }
    if ((req->has & PW_OCPP16_HAS(remote_start_transaction_req, charging_profile)) != 0) {
        profile_carried(answered, &req->charging_profile, answered->watch->connector);
    }
    return EXPECT_EFFECT;
}

static enum seen sees_start(const struct watch *watch, const struct sight *sight,
                            struct pw_out *words)
{
    if (sight->kind != SIGHT_STARTED ||
        (watch->connector >= 0 && sight->connector != watch->connector) ||
        !pw_str_eq_nocase(sight->text, pw_str_of(watch->word))) {
        return SEEN_NOT;
    }
    pw_put_s(words, "transaction ");
    pw_put_int(words, sight->number);
    pw_put_s(words, " started");
    put_at(words, sight->connector);
    return SEEN_ALL;
}

static void aim_stop(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_remote_stop_transaction_req *req = message;
    watch->number = req->transaction_id;
}

static enum seen sees_stop(const struct watch *watch, const struct sight *sight,
                           struct pw_out *words)
{
    if (sight->kind != SIGHT_STOPPED || sight->number != watch->number) {
        return SEEN_NOT;
    }
    pw_put_s(words, "transaction ");
    pw_put_int(words, sight->number);
    pw_put_s(words, " stopped: ");
    pw_put(words, sight->text);
    return SEEN_ALL;
}

// --- The station.

static enum seen sees_boot(const struct watch *watch, const struct sight *sight,
                           struct pw_out *words)
{
    (void)watch;
    if (sight->kind != SIGHT_BOOT) {
        return SEEN_NOT;
    }
    pw_put_s(words, "boot at ");
    pw_put_time(words, sight->number);
    return SEEN_ALL;
}

static void aim_availability(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_change_availability_req *req = message;
    watch->connector = req->connector_id;
    watch->number = (int64_t)req->type;
}

static bool fits_availability(int64_t type, int status)
{
    bool off = status == PW_OCPP16_STATUS_UNAVAILABLE;
    return type == PW_OCPP16_AVAILABILITY_INOPERATIVE ? off : !off;
}

static void put_status(struct pw_out *words, int status, int connector)
{
    pw_put_s(words, "status ");
    pw_put(words, pw_ocpp_code_text(&pw_ocpp16_connector_status, status));
    put_at(words, connector);
}

static enum expect keep_availability(const struct answered *answered)
{
    const struct pw_ocpp16_change_availability_conf *conf = answered->conf;
    struct watch *watch = answered->watch;
    if (conf->status == PW_OCPP16_AVAILABILITY_REJECTED) {
        return EXPECT_NOTHING;
    }
    const struct connector *connector = connector_of(answered->station, watch->connector);
    if (watch->seen[0] == '\0' && connector != NULL && connector->status >= 0 &&
        fits_availability(watch->number, connector->status)) {
        // No StatusNotification comes when nothing changes.
        put_status(answered->effect, connector->status, watch->connector);
        return EXPECT_NOTHING;
    }
    if (conf->status == PW_OCPP16_AVAILABILITY_SCHEDULED) {
        watch->wait_ms = (pw_ms)LATER_S * 1000;
        pw_put_s(answered->effect, "scheduled for the end of the charge");
    }
    return EXPECT_EFFECT;
}

static enum seen sees_availability(const struct watch *watch, const struct sight *sight,
                                   struct pw_out *words)
{
    if (sight->kind != SIGHT_STATUS || sight->connector != watch->connector ||
        !fits_availability(watch->number, sight->status)) {
        return SEEN_NOT;
    }
    put_status(words, sight->status, sight->connector);
    return SEEN_ALL;
}

static enum expect keep_unlock(const struct answered *answered)
{
    const struct pw_ocpp16_unlock_connector_conf *conf = answered->conf;
    if (conf->status == PW_OCPP16_UNLOCK_UNLOCKED) {
        pw_put_s(answered->effect, "unlocked");
    }
    return EXPECT_NOTHING;
}

static void aim_configuration(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_change_configuration_req *req = message;
    copy(watch->word, sizeof(watch->word), req->key);
}

static enum seen sees_configuration(const struct watch *watch, const struct sight *sight,
                                    struct pw_out *words)
{
    struct pw_str key = pw_str_of(watch->word);
    bool link = pw_str_eq_nocase(key, PW_STR("AuthorizationKey")) ||
                pw_str_eq_nocase(key, PW_STR("SecurityProfile"));
    if (link && sight->kind == SIGHT_CONNECTED) {
        // A station that could not connect with a new profile is back with the old one: without TLS
        // here, where a proxy may have ended it, is all that can be said for sure.
        pw_put_s(words, "connected again, by its ");
        pw_put(words, sight->text);
        pw_put_s(words, sight->number >= 2 ? " over TLS" : " without TLS");
        return SEEN_ALL;
    }
    if (sight->kind != SIGHT_READ || !pw_str_eq_nocase(sight->word, key)) {
        return SEEN_NOT;
    }
    pw_put_s(words, sight->text.at == NULL ? "the station has no value for it" : "read back: ");
    pw_put(words, sight->text);
    return SEEN_ALL;
}

// --- Triggers.

static void aim_trigger(struct watch *watch, const void *message)
{
    static const enum pw_ocpp16_action actions[] = {
        [PW_OCPP16_TRIGGER_BOOT_NOTIFICATION] = PW_OCPP16_BOOT_NOTIFICATION,
        [PW_OCPP16_TRIGGER_DIAGNOSTICS_STATUS] = PW_OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION,
        [PW_OCPP16_TRIGGER_FIRMWARE_STATUS] = PW_OCPP16_FIRMWARE_STATUS_NOTIFICATION,
        [PW_OCPP16_TRIGGER_HEARTBEAT] = PW_OCPP16_HEARTBEAT,
        [PW_OCPP16_TRIGGER_METER_VALUES] = PW_OCPP16_METER_VALUES,
        [PW_OCPP16_TRIGGER_STATUS_NOTIFICATION] = PW_OCPP16_STATUS_NOTIFICATION,
    };
    const struct pw_ocpp16_trigger_message_req *req = message;
    watch->number = actions[req->requested_message.code];
    if ((req->has & PW_OCPP16_HAS(trigger_message_req, connector_id)) != 0) {
        watch->connector = req->connector_id;
    }
}

static void aim_extended_trigger(struct watch *watch, const void *message)
{
    static const enum pw_ocpp16_action actions[] = {
        [PW_OCPP16_EXTENDED_BOOT_NOTIFICATION] = PW_OCPP16_BOOT_NOTIFICATION,
        [PW_OCPP16_EXTENDED_LOG_STATUS] = PW_OCPP16_LOG_STATUS_NOTIFICATION,
        [PW_OCPP16_EXTENDED_FIRMWARE_STATUS] = PW_OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION,
        [PW_OCPP16_EXTENDED_HEARTBEAT] = PW_OCPP16_HEARTBEAT,
        [PW_OCPP16_EXTENDED_METER_VALUES] = PW_OCPP16_METER_VALUES,
        [PW_OCPP16_EXTENDED_SIGN_CERTIFICATE] = PW_OCPP16_SIGN_CERTIFICATE,
        [PW_OCPP16_EXTENDED_STATUS_NOTIFICATION] = PW_OCPP16_STATUS_NOTIFICATION,
    };
    const struct pw_ocpp16_extended_trigger_message_req *req = message;
    watch->number = actions[req->requested_message.code];
    if ((req->has & PW_OCPP16_HAS(extended_trigger_message_req, connector_id)) != 0) {
        watch->connector = req->connector_id;
    }
}

static enum seen sees_message(const struct watch *watch, const struct sight *sight,
                              struct pw_out *words)
{
    // A connector is part of the question only where the message names one.
    bool here =
        watch->connector < 0 || sight->connector < 0 || sight->connector == watch->connector;
    if (sight->kind != SIGHT_MESSAGE || sight->action != watch->number || !here) {
        return SEEN_NOT;
    }
    pw_put(words, action_text(sight->action));
    pw_put_s(words, " came");
    if (sight->connector >= 0) {
        put_at(words, sight->connector);
    }
    return SEEN_ALL;
}

// --- Reservations.

static void aim_reserve(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_reserve_now_req *req = message;
    watch->connector = req->connector_id;
}

static enum seen sees_reserved(const struct watch *watch, const struct sight *sight,
                               struct pw_out *words)
{
    bool here = watch->connector == 0 || sight->connector == watch->connector;
    if (sight->kind != SIGHT_STATUS || !here || sight->status != PW_OCPP16_STATUS_RESERVED) {
        return SEEN_NOT;
    }
    put_status(words, sight->status, sight->connector);
    return SEEN_ALL;
}

static enum seen sees_unreserved(const struct watch *watch, const struct sight *sight,
                                 struct pw_out *words)
{
    if (sight->kind != SIGHT_STATUS || sight->connector != watch->connector ||
        sight->status == PW_OCPP16_STATUS_RESERVED) {
        return SEEN_NOT;
    }
    put_status(words, sight->status, sight->connector);
    return SEEN_ALL;
}

// --- Files. The trail of statuses is the effect.

static enum seen sees_job(const struct watch *watch, const struct sight *sight,
                          struct pw_out *words)
{
    if (sight->kind != SIGHT_JOB || sight->number != watch->number) {
        return SEEN_NOT;
    }
    pw_put_s(words, watch->seen);
    pw_put_s(words, watch->seen[0] != '\0' ? ", " : "");
    pw_put(words, sight->text);
    bool good = pw_str_is(sight->text, "Installed") || pw_str_is(sight->text, "Uploaded");
    return !sight->over ? SEEN_PART : good ? SEEN_ALL : SEEN_FAILED;
}

// --- Certificates.

static void aim_install(struct watch *watch, const void *message)
{
    const struct pw_ocpp16_install_certificate_req *req = message;
    watch->number = (int64_t)req->certificate_type;
}

static enum seen sees_list(const struct watch *watch, const struct sight *sight,
                           struct pw_out *words)
{
    if (sight->kind != SIGHT_LISTED || sight->status != (int)watch->number) {
        return SEEN_NOT;
    }
    pw_put_s(words, "the station lists ");
    pw_put_int(words, sight->number);
    pw_put_s(words, sight->number == 1 ? " certificate of this use" : " certificates of this use");
    return SEEN_ALL;
}

static enum seen sees_connected(const struct watch *watch, const struct sight *sight,
                                struct pw_out *words)
{
    (void)watch;
    if (sight->kind != SIGHT_CONNECTED || !pw_str_is(sight->text, "certificate")) {
        return SEEN_NOT;
    }
    pw_put_s(words, "connected with its certificate");
    return SEEN_ALL;
}

// --- The table.

static const struct effect_row rows[] = {
    {PW_OCPP16_CANCEL_RESERVATION, SOON_S, NULL, reservation_cancelled, sees_unreserved},
    {PW_OCPP16_CERTIFICATE_SIGNED, BOOT_S, NULL, certificate_taken, sees_connected},
    {PW_OCPP16_CHANGE_AVAILABILITY, SOON_S, aim_availability, keep_availability, sees_availability},
    {PW_OCPP16_CHANGE_CONFIGURATION, STOP_S, aim_configuration, configuration_changed,
     sees_configuration},
    {PW_OCPP16_CLEAR_CHARGING_PROFILE, 0, NULL, profiles_cleared, NULL},
    {PW_OCPP16_DELETE_CERTIFICATE, 0, NULL, certificate_deleted, NULL},
    {PW_OCPP16_EXTENDED_TRIGGER_MESSAGE, SOON_S, aim_extended_trigger, NULL, sees_message},
    {PW_OCPP16_GET_COMPOSITE_SCHEDULE, 0, NULL, composite_kept, NULL},
    {PW_OCPP16_GET_CONFIGURATION, 0, NULL, configuration_kept, NULL},
    {PW_OCPP16_GET_DIAGNOSTICS, FILE_S, NULL, diagnostics_asked, sees_job},
    {PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS, 0, NULL, certificates_listed, NULL},
    {PW_OCPP16_GET_LOCAL_LIST_VERSION, 0, NULL, list_version_kept, NULL},
    {PW_OCPP16_GET_LOG, FILE_S, NULL, log_asked, sees_job},
    {PW_OCPP16_INSTALL_CERTIFICATE, SOON_S, aim_install, certificate_installed, sees_list},
    {PW_OCPP16_REMOTE_START_TRANSACTION, CONNECTION_S, aim_start, keep_start, sees_start},
    {PW_OCPP16_REMOTE_STOP_TRANSACTION, STOP_S, aim_stop, NULL, sees_stop},
    {PW_OCPP16_RESERVE_NOW, SOON_S, aim_reserve, reservation_made, sees_reserved},
    {PW_OCPP16_RESET, BOOT_S, NULL, NULL, sees_boot},
    {PW_OCPP16_SEND_LOCAL_LIST, 0, NULL, list_sent, NULL},
    {PW_OCPP16_SET_CHARGING_PROFILE, 0, NULL, profile_set, NULL},
    {PW_OCPP16_SIGNED_UPDATE_FIRMWARE, FILE_S, NULL, signed_firmware_asked, sees_job},
    {PW_OCPP16_TRIGGER_MESSAGE, SOON_S, aim_trigger, NULL, sees_message},
    {PW_OCPP16_UNLOCK_CONNECTOR, 0, NULL, keep_unlock, NULL},
    {PW_OCPP16_UPDATE_FIRMWARE, FILE_S, NULL, firmware_asked, sees_job},
};

const struct effect_row *effect_row_of(int action)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((int)rows[i].action == action) {
            return &rows[i];
        }
    }
    return NULL;
}

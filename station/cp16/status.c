// StatusNotification: what a connector's condition is, once it has lasted.
#include "cp16/parts.h"

#include <string.h>

// Almost always both are the same literal: then there is nothing to compare.
static bool same_text(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

static bool same_status(const struct pw_cp16_status *a, const struct pw_cp16_status *b)
{
    return a->status == b->status && same_text(a->error_code, b->error_code) &&
           same_text(a->info, b->info) && same_text(a->vendor_code, b->vendor_code);
}

void pw_cp16_status(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_status *status,
                    pw_ms now)
{
    PW_ASSERT(connector <= cp->connectors);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    if (voice->now.error_code == NULL || !same_status(&voice->now, status)) {
        voice->now = *status;
        voice->since = now;
    }
}

// When the condition of a connector is to be reported; PW_NEVER when it is known already.
static pw_ms due_of(const struct pw_cp16 *cp, const struct pw_cp16_voice *voice)
{
    if (voice->now.error_code == NULL) {
        return PW_NEVER;
    }
    if (!voice->said_any) {
        return voice->since;
    }
    if (same_status(&voice->now, &voice->said)) {
        return PW_NEVER;
    }
    return pw_after(voice->since, (pw_ms)pw_settings_int(cp->settings, PW_SET_STATUS_MIN_S) * 1000);
}

static pw_ms status_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i <= cp->connectors; i++) {
        at = pw_earlier(at, due_of(cp, &cp->voice[i]));
    }
    return at;
}

void pw_cp16_say_status(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    struct pw_cp16_voice *voice = &cp->voice[connector];
    struct pw_str word = pw_str_of(pw_session_status_name(voice->now.status));
    int status = pw_ocpp_code_find(&pw_ocpp16_connector_status, word);
    int error = pw_ocpp_code_find(&pw_ocpp16_error_code, pw_str_of(voice->now.error_code));
    PW_ASSERT(status >= 0 && error >= 0);
    struct pw_ocpp16_status_notification_req req = {
        .connector_id = (int32_t)connector,
        .status = (enum pw_ocpp16_connector_status)status,
        .error_code = (enum pw_ocpp16_error_code)error,
        .info = pw_str_of(voice->now.info),
        .vendor_id = pw_str_of(pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR)),
        .vendor_error_code = pw_str_of(voice->now.vendor_code),
        .timestamp = pw_cp16_stamp_wall(
            cp, (struct pw_stamp){.mono = voice->since, .boot = cp->journal->boot}, now),
    };
    req.has |= req.timestamp > 0 ? PW_OCPP16_HAS(status_notification_req, timestamp) : 0;
    req.has |= req.info.len > 0 ? PW_OCPP16_HAS(status_notification_req, info) : 0;
    if (req.vendor_error_code.len > 0) {
        req.has |= PW_OCPP16_HAS(status_notification_req, vendor_error_code) |
                   PW_OCPP16_HAS(status_notification_req, vendor_id);
    }
    voice->said = voice->now;
    voice->said_any = true;
    cp->call_connector = connector;
    pw_cp16_send(cp, PW_OCPP16_STATUS_NOTIFICATION, &req, now);
}

static void say_status(struct pw_cp16 *cp, pw_ms now)
{
    unsigned connector = 0;
    while (now < due_of(cp, &cp->voice[connector])) {
        connector++;
        PW_ASSERT(connector <= cp->connectors);
    }
    pw_cp16_say_status(cp, connector, now);
}

// Silence: nobody heard it. A refusal, though, is an answer.
static void status_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    (void)now;
    cp->voice[cp->call_connector].said_any = code != NULL;
}

const struct pw_cp16_topic pw_cp16_status_topic = {
    .name = "StatusNotification",
    .due = status_due,
    .say = say_status,
    .failed = status_failed,
};

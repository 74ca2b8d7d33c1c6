// What the central system asks: one row an action. And the reading of whatever comes over the link.
#include "cp16/parts.h"

void pw_cp16_reply(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp16_action action,
                   const void *conf)
{
    struct pw_out out = PW_OUT(cp->out);
    pw_ocpp16_put_result(&out, id, action, conf);
    if (pw_out_err(&out) != PW_OK) {
        out = PW_OUT(cp->out);
        pw_ocpp_put_error(&out, id, PW_OCPP_INTERNAL_ERROR,
                          PW_STR("the answer is longer than this station can send"));
    }
    cp->out_len = out.len;
}

void pw_cp16_refuse(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp_error code,
                    struct pw_str why)
{
    struct pw_out out = PW_OUT(cp->out);
    pw_ocpp_put_error(&out, id, code, why);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    cp->out_len = out.len;
}

bool pw_cp16_is_connector(const struct pw_cp16 *cp, int32_t connector)
{
    return connector >= 1 && (uint32_t)connector <= cp->connectors;
}

static const struct row {
    enum pw_ocpp16_action action;
    void (*answer)(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                   pw_ms now);
} rows[] = {
    {PW_OCPP16_CERTIFICATE_SIGNED, pw_cp16_on_certificate_signed},
    {PW_OCPP16_CANCEL_RESERVATION, pw_cp16_on_cancel},
    {PW_OCPP16_CHANGE_AVAILABILITY, pw_cp16_on_availability},
    {PW_OCPP16_CHANGE_CONFIGURATION, pw_cp16_on_change},
    {PW_OCPP16_CLEAR_CACHE, pw_cp16_on_cache},
    {PW_OCPP16_CLEAR_CHARGING_PROFILE, pw_cp16_on_clear_profile},
    {PW_OCPP16_DATA_TRANSFER, pw_cp16_on_data},
    {PW_OCPP16_DELETE_CERTIFICATE, pw_cp16_on_delete_certificate},
    {PW_OCPP16_GET_COMPOSITE_SCHEDULE, pw_cp16_on_composite},
    {PW_OCPP16_GET_CONFIGURATION, pw_cp16_on_get},
    {PW_OCPP16_GET_DIAGNOSTICS, pw_cp16_on_diagnostics},
    {PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS, pw_cp16_on_installed_certificates},
    {PW_OCPP16_GET_LOG, pw_cp16_on_log},
    {PW_OCPP16_INSTALL_CERTIFICATE, pw_cp16_on_install_certificate},
    {PW_OCPP16_GET_LOCAL_LIST_VERSION, pw_cp16_on_list_version},
    {PW_OCPP16_REMOTE_START_TRANSACTION, pw_cp16_on_start},
    {PW_OCPP16_REMOTE_STOP_TRANSACTION, pw_cp16_on_stop},
    {PW_OCPP16_RESERVE_NOW, pw_cp16_on_reserve},
    {PW_OCPP16_RESET, pw_cp16_on_reset},
    {PW_OCPP16_SET_CHARGING_PROFILE, pw_cp16_on_set_profile},
    {PW_OCPP16_EXTENDED_TRIGGER_MESSAGE, pw_cp16_on_extended_trigger},
    {PW_OCPP16_TRIGGER_MESSAGE, pw_cp16_on_trigger},
    {PW_OCPP16_SIGNED_UPDATE_FIRMWARE, pw_cp16_on_signed_update},
    {PW_OCPP16_SEND_LOCAL_LIST, pw_cp16_on_list},
    {PW_OCPP16_UNLOCK_CONNECTOR, pw_cp16_on_unlock},
    {PW_OCPP16_UPDATE_FIRMWARE, pw_cp16_on_update},
};

static const struct row *row_of(int action)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((int)rows[i].action == action) {
            return &rows[i];
        }
    }
    return NULL;
}

bool pw_cp16_serves(enum pw_ocpp16_action action)
{
    return row_of((int)action) != NULL;
}

static void answer(struct pw_cp16 *cp, const struct pw_ocpp_frame *frame, pw_ms now)
{
    union pw_cp16_request req;
    struct pw_ocpp_fault fault;
    int action = pw_ocpp16_action_find(frame->action);
    if (action < 0 || (pw_ocpp16_actions[action].sender & PW_OCPP16_FROM_CENTRAL) == 0) {
        pw_cp16_refuse(cp, frame->id, PW_OCPP_NOT_IMPLEMENTED, PW_STR("this action is not known"));
        return;
    }
    const struct row *row = row_of(action);
    if (row == NULL) {
        pw_cp16_refuse(cp, frame->id, PW_OCPP_NOT_SUPPORTED,
                       PW_STR("this action's feature profile is not supported"));
        return;
    }
    PW_ASSERT(pw_ocpp16_actions[action].req->size <= sizeof(req));
    if (pw_ocpp_decode(pw_ocpp16_actions[action].req, frame->payload,
                       PW_OCPP_NULL_IS_ABSENT | PW_OCPP_KEEP_UNKNOWN_CODES, &req,
                       &fault) != PW_OK) {
        pw_cp16_refuse(cp, frame->id, fault.code, pw_str_of(fault.text));
        return;
    }
    row->answer(cp, frame->id, &req, now);
}

static void note_malformed(struct pw_cp16 *cp, struct pw_str what, const char *why, pw_ms now)
{
    struct pw_line line;
    cp->malformed++;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "strange-message");
    pw_line_str(&line, "what", what);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
    if (cp->security != NULL) {
        pw_security_event(cp->security, PW_SECURITY_INVALID_MESSAGES, pw_str_of(why), now);
    }
}

static void note_replayed(struct pw_cp16 *cp, struct pw_str id, pw_ms now)
{
    struct pw_line line;
    cp->malformed++;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "replayed-call");
    pw_line_str(&line, "id", id);
    pw_line_end(&line);
    if (cp->security != NULL) {
        pw_security_event(cp->security, PW_SECURITY_REPLAY, id, now);
    }
}

// The same call once more, to the letter: somebody plays back what was heard (T06). A central
// system that only uses its ids again asks something else, and is answered.
static bool is_replayed(struct pw_cp16 *cp, struct pw_str id, struct pw_str text)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.at[i]) * 16777619U;
    }
    for (size_t i = 0; i < PW_CP16_SERVED; i++) {
        if (cp->served[i].hash == hash && pw_str_is(id, cp->served[i].id)) {
            return true;
        }
    }
    struct pw_cp16_served *place = &cp->served[cp->served_at];
    if (pw_str_copy(place->id, sizeof(place->id), id) == PW_OK) {
        place->hash = hash;
        cp->served_at = (uint8_t)((cp->served_at + 1U) % PW_CP16_SERVED);
    }
    return false;
}

static void on_answer(struct pw_cp16 *cp, const struct pw_ocpp_frame *frame, pw_ms now)
{
    enum pw_ocpp_answer match = pw_ocpp_rpc_answer(&cp->rpc, frame->id);
    if (match != PW_OCPP_ANSWER_MATCHED) {
        note_malformed(cp, frame->id, pw_ocpp_answer_name(match), now);
        if (match != PW_OCPP_ANSWER_DUPLICATE && frame->kind == PW_OCPP_RESULT) {
            pw_cp16_late_answer(cp, frame->id, frame->payload, now);
        }
        return;
    }
    if (frame->kind == PW_OCPP_RESULT) {
        pw_cp16_call_answered(cp, frame->payload, now);
        return;
    }
    char code[40];
    // A word longer than any known one is cut by the copy: it is only shown.
    if (pw_str_copy(code, sizeof(code), frame->error_word) != PW_OK) {
        code[0] = '?';
        code[1] = '\0';
    }
    cp->timeouts = 0;
    pw_cp16_call_failed(cp, code, now);
}

int pw_cp16_text(struct pw_cp16 *cp, struct pw_str text, pw_ms now)
{
    struct pw_json json = {.node = cp->node,
                           .cap = PW_COUNT(cp->node),
                           .spare = cp->spare,
                           .spare_cap = sizeof(cp->spare)};
    struct pw_ocpp_frame frame = {.kind = PW_OCPP_CALL};
    struct pw_ocpp_fault fault;
    if (cp->link == PW_CP16_LINK_DOWN) {
        return PW_OK;
    }
    cp->heard_at = now;
    if (cp->out_len > 0) {
        return PW_ERR_AGAIN;
    }
    int err = pw_ocpp_frame_read(&json, text, &frame, &fault);
    // One answer at a time waits for the disk.
    if (err == PW_OK && frame.kind == PW_OCPP_CALL && cp->late.say != NULL) {
        return PW_ERR_AGAIN;
    }
    // Rejected: neither calls nor answers until the interval is over (OCPP 1.6 §4.2).
    bool mute = cp->boot == PW_CP16_BOOT_REJECTED && cp->speaking != &pw_cp16_boot_topic;
    if (err == PW_ERR_UNKNOWN) {
        note_malformed(cp, PW_STR("message type"), "is none of 2, 3, 4", now);
    } else if (err != PW_OK) {
        note_malformed(cp, frame.id, fault.text, now);
        if (frame.id.len > 0 && !mute) {
            pw_cp16_refuse(cp, frame.id, fault.code, pw_str_of(fault.text));
        }
    } else if (frame.kind != PW_OCPP_CALL) {
        on_answer(cp, &frame, now);
    } else if (!mute && is_replayed(cp, frame.id, text)) {
        note_replayed(cp, frame.id, now);
    } else if (!mute) {
        answer(cp, &frame, now);
    }
    return PW_OK;
}

// What we say by ourselves: one row a topic, in order of urgency, and one CALL at a time.
#include "cp16/parts.h"

// A person at the reader comes first, then what the operator should see, then the records in
// order, then the rest.
static const struct pw_cp16_topic *const topics[] = {
    &pw_cp16_trigger_topic,     &pw_cp16_boot_topic,   &pw_cp16_authorise_topic,
    &pw_cp16_status_topic,      &pw_cp16_sign_topic,   &pw_cp16_vehicle_topic,
    &pw_cp16_transaction_topic, &pw_cp16_upload_topic, &pw_cp16_failure_topic,
    &pw_cp16_update_topic,      &pw_cp16_event_topic,  &pw_cp16_heartbeat_topic,
};

static bool may_say(const struct pw_cp16 *cp, const struct pw_cp16_topic *topic)
{
    return topic->unaccepted || cp->boot == PW_CP16_BOOT_ACCEPTED;
}

pw_ms pw_cp16_topics_due(const struct pw_cp16 *cp, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t i = 0; i < PW_COUNT(topics); i++) {
        at = may_say(cp, topics[i]) ? pw_earlier(at, topics[i]->due(cp, now)) : at;
    }
    return at;
}

void pw_cp16_say_something(struct pw_cp16 *cp, pw_ms now)
{
    for (size_t i = 0; i < PW_COUNT(topics); i++) {
        if (!may_say(cp, topics[i]) || now < topics[i]->due(cp, now)) {
            continue;
        }
        cp->speaking = topics[i];
        topics[i]->say(cp, now);
        if (cp->out_len > 0) {
            return;
        }
        cp->speaking = NULL;
    }
}

void pw_cp16_send(struct pw_cp16 *cp, enum pw_ocpp16_action action, const void *req, pw_ms now)
{
    pw_ms timeout = (pw_ms)pw_settings_int(cp->settings, PW_SET_MESSAGE_TIMEOUT_S) * 1000;
    struct pw_out out = PW_OUT(cp->out);
    PW_ASSERT(cp->out_len == 0 && cp->speaking != NULL);
    int err = pw_ocpp_rpc_call(&cp->rpc, (int)action, timeout, now);
    PW_ASSERT(err == PW_OK);
    pw_ocpp16_put_call(&out, pw_ocpp_rpc_id(&cp->rpc), action, req);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    cp->out_len = out.len;
    pw_cp16_spoke(cp, now);
}

bool pw_cp16_decode(struct pw_cp16 *cp, enum pw_ocpp16_action action,
                    const struct pw_json_node *payload, void *conf)
{
    struct pw_ocpp_fault fault;
    if (pw_ocpp_decode(pw_ocpp16_actions[action].conf, payload, PW_OCPP_NULL_IS_ABSENT, conf,
                       &fault) == PW_OK) {
        return true;
    }
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "bad-answer");
    pw_line_str(&line, "call", pw_ocpp16_action_name(action));
    pw_line_s(&line, "why", fault.text);
    pw_line_end(&line);
    return false;
}

void pw_cp16_call_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    const struct pw_cp16_topic *topic = cp->speaking;
    cp->timeouts = 0;
    if (topic->answered != NULL && !topic->answered(cp, payload, now)) {
        pw_cp16_call_failed(cp, "an answer that is not valid", now);
        return;
    }
    cp->speaking = NULL;
}

void pw_cp16_call_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    const struct pw_cp16_topic *topic = cp->speaking;
    cp->speaking = NULL;
    if (code != NULL) {
        struct pw_line line;
        pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "call-refused");
        pw_line_s(&line, "call", topic->name);
        pw_line_s(&line, "code", code);
        pw_line_end(&line);
    }
    if (topic->failed != NULL) {
        topic->failed(cp, code, now);
    }
}

// The strict central system: hears, checks, writes down, answers.
#include "parts.h"
#include "said.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 4096, SPARE_MAX = 16384, STARTS_MAX = 4096, TRANSIT_MS = 80 };

static struct rig *rig_of(struct street *street)
{
    return street->central_context;
}

// ---------------------------------------------------------------------------------------------
// What is written down.

static struct rig_message *note(struct rig *r)
{
    if (r->count % 256 == 0) {
        r->messages = realloc((void *)r->messages, (r->count + 256) * sizeof(struct rig_message *));
        PW_ASSERT(r->messages != NULL);
    }
    struct rig_message *message = calloc(1, sizeof(*message));
    PW_ASSERT(message != NULL);
    message->at = r->street.now;
    r->messages[r->count++] = message;
    return message;
}

static struct rig_message *find_call(struct rig *r, bool from_station, const char *id)
{
    for (size_t i = r->count; i-- > 0;) {
        struct rig_message *message = r->messages[i];
        if (message->kind == PW_OCPP_CALL && message->from_station == from_station &&
            strcmp(message->id, id) == 0) {
            return message;
        }
    }
    return NULL;
}

// One line for the judge with the official schemas (test/peers/schema/judge.mjs), who is strict
// with the central system of the test as well. What the station says, the street has written down.
static void dump(const struct rig_message *message)
{
    const char *path = getenv("PW_OCPP_DUMP");
    bool known =
        message->action[0] != '\0' && pw_ocpp16_action_find(pw_str_of(message->action)) >= 0;
    FILE *file = path == NULL || path[0] == '\0' || !known ? NULL : fopen(path, "a");
    if (file == NULL) {
        return;
    }
    char *payload = cJSON_PrintUnformatted(message->payload);
    (void)fprintf(file, "{\"by\":\"the case\",\"kind\":%d,\"action\":\"%s\",\"payload\":%s}\n",
                  (int)message->kind, message->action, payload == NULL ? "null" : payload);
    free(payload);
    (void)fclose(file);
}

// ---------------------------------------------------------------------------------------------
// What is checked.

static void check_payload(struct rig *r, const struct rig_message *message,
                          const struct pw_json_node *payload)
{
    static union {
        long long align;
        unsigned char bytes[2048];
    } decoded;
    struct pw_ocpp_fault fault;
    int action = pw_ocpp16_action_find(pw_str_of(message->action));
    if (action < 0) {
        rig_fail(r, "%s is no action of OCPP 1.6", message->action);
    }
    const struct pw_ocpp16_action_row *row = &pw_ocpp16_actions[action];
    bool asks = message->kind == PW_OCPP_CALL;
    bool station = message->from_station == asks;
    if ((row->sender & (station ? PW_OCPP16_FROM_STATION : PW_OCPP16_FROM_CENTRAL)) == 0) {
        rig_fail(r, "%s goes the other way", message->action);
    }
    const struct pw_ocpp_object *object = asks ? row->req : row->conf;
    PW_ASSERT(object->size <= sizeof(decoded));
    if (pw_ocpp_decode(object, payload, PW_OCPP_REFUSE_UNKNOWN_KEYS, &decoded, &fault) != PW_OK) {
        rig_fail(r, "%s of %s: %s", asks ? "request" : "answer", message->action, fault.text);
    }
}

static void read_frame(struct rig *r, struct pw_str text, struct rig_message *message, bool judged)
{
    static struct pw_json_node nodes[NODES_MAX];
    static char spare[SPARE_MAX];
    struct pw_json json = {
        .node = nodes, .cap = NODES_MAX, .spare = spare, .spare_cap = sizeof(spare)};
    struct pw_ocpp_frame frame = {.kind = PW_OCPP_CALL};
    struct pw_ocpp_fault fault;
    if (pw_ocpp_frame_read(&json, text, &frame, &fault) != PW_OK) {
        rig_fail(r, "this is no frame: %.*s (%s)", (int)text.len, text.at, fault.text);
    }
    message->kind = frame.kind;
    if (pw_str_copy(message->id, sizeof(message->id), frame.id) != PW_OK && !r->lenient) {
        rig_fail(r, "a message id of more than 36 characters: %.*s", (int)frame.id.len,
                 frame.id.at);
    }
    cJSON *whole = cJSON_ParseWithLength(text.at, text.len);
    PW_ASSERT(whole != NULL);
    int last = cJSON_GetArraySize(whole) - 1;
    message->payload = cJSON_DetachItemFromArray(whole, last);
    cJSON_Delete(whole);
    if (frame.kind == PW_OCPP_ERROR) {
        (void)!pw_str_copy(message->code, sizeof(message->code), frame.error_word);
        return;
    }
    if (frame.kind == PW_OCPP_CALL &&
        pw_str_copy(message->action, sizeof(message->action), frame.action) != PW_OK) {
        rig_fail(r, "an action of %zu characters", frame.action.len);
    }
    if (frame.kind == PW_OCPP_RESULT) {
        // An answer to text that only looked like a call has no action to judge it by.
        const struct rig_message *call = find_call(r, !message->from_station, message->id);
        if (call == NULL && !r->lenient) {
            rig_fail(r, "an answer to nothing that was asked: %s", message->id);
        }
        if (call != NULL) {
            memcpy(message->action, call->action, sizeof(message->action));
        }
    }
    if (judged && message->action[0] != '\0') {
        check_payload(r, message, frame.payload);
    }
}

// One CALL in flight (OCPP-J §4.1.1), and only BootNotification before acceptance (§4.2).
static void check_order(struct rig *r, const struct rig_message *call)
{
    bool boot = strcmp(call->action, "BootNotification") == 0;
    bool open = r->in_flight[0] != '\0' &&
                (r->answered_at == PW_NEVER || r->street.now < r->answered_at + TRANSIT_MS);
    const struct rig_message *before = find_call(r, true, r->in_flight);
    if (open && before != NULL && before != call) {
        pw_ms waited = r->street.now - before->at;
        pw_ms timeout =
            (pw_ms)pw_settings_int(&r->street.station->settings, PW_SET_MESSAGE_TIMEOUT_S) * 1000;
        if (waited < timeout && !r->lenient) {
            rig_fail(r, "%s is sent while %s is in flight", call->action, before->action);
        }
    }
    if (!boot && !r->accepted && !r->lenient) {
        if (r->triggered == 0) {
            rig_fail(r, "%s is sent before BootNotification was accepted", call->action);
        }
        r->triggered--;
    }
}

// ---------------------------------------------------------------------------------------------
// What is answered.

static const struct {
    const char *action;
    const char *payload;
} usual[] = {
    {"BootNotification", "{'status':'Accepted','currentTime':'$NOW','interval':300}"},
    {"Heartbeat", "{'currentTime':'$NOW'}"},
    {"Authorize", "{'idTagInfo':{'status':'Accepted'}}"},
    {"StartTransaction", "{'transactionId':$TX,'idTagInfo':{'status':'Accepted'}}"},
    {"DataTransfer", "{'status':'Accepted'}"},
    {"SignCertificate", "{'status':'Accepted'}"},
};

static struct rig_answer *answer_row(struct rig *r, const char *action)
{
    for (unsigned i = 0; i < r->answer_count; i++) {
        if (strcmp(r->answers[i].action, action) == 0) {
            return &r->answers[i];
        }
    }
    return NULL;
}

static void set_answer(struct rig *r, const char *action, int how, const char *text, unsigned times)
{
    struct rig_answer *row = answer_row(r, action);
    if (row == NULL) {
        PW_ASSERT(r->answer_count < PW_COUNT(r->answers));
        row = &r->answers[r->answer_count++];
    }
    memset(row, 0, sizeof(*row));
    (void)snprintf(row->action, sizeof(row->action), "%s", action);
    PW_ASSERT(strlen(text) < sizeof(row->text));
    (void)snprintf(row->text, sizeof(row->text), "%s", text);
    row->how = how == 0 ? RIG_SAYS : how == 1 ? RIG_REFUSES : RIG_MUTE;
    row->times = times;
}

void rig_answer(struct rig *r, const char *action, const char *payload, unsigned times)
{
    set_answer(r, action, 0, payload, times);
}

void rig_answer_error(struct rig *r, const char *action, const char *code, unsigned times)
{
    set_answer(r, action, 1, code, times);
}

void rig_answer_never(struct rig *r, const char *action, unsigned times)
{
    set_answer(r, action, 2, "", times);
}

void rig_answer_usual(struct rig *r, const char *action)
{
    struct rig_answer *row = answer_row(r, action);
    if (row != NULL) {
        *row = r->answers[--r->answer_count];
    }
}

// The id of this transaction: the same for the same request said again.
static int transaction_of(struct rig *r, const struct rig_message *call)
{
    char *text = cJSON_PrintUnformatted(call->payload);
    PW_ASSERT(text != NULL && strlen(text) < sizeof(r->starts[0].text));
    unsigned i = 0;
    while (i < r->start_count && strcmp(r->starts[i].text, text) != 0) {
        i++;
    }
    if (i == r->start_count) {
        PW_ASSERT(r->start_count < STARTS_MAX);
        (void)snprintf(r->starts[i].text, sizeof(r->starts[i].text), "%s", text);
        r->starts[i].transaction = 1001 + (int)i;
        r->start_count++;
    }
    free(text);
    r->transaction = r->starts[i].transaction;
    return r->transaction;
}

static void post(struct rig *r, struct pw_str text, bool judged)
{
    struct rig_message *message = note(r);
    message->from_station = false;
    read_frame(r, text, message, judged);
    if (judged) {
        dump(message);
    }
    street_post(&r->street, text);
}

static void put_quoted(struct pw_out *out, int kind, const char *id)
{
    pw_put_c(out, '[');
    pw_put_int(out, kind);
    pw_put_s(out, ",\"");
    pw_put_s(out, id);
    pw_put_c(out, '"');
}

static void answer(struct rig *r, struct rig_message *call)
{
    static char text[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    struct rig_answer *row = answer_row(r, call->action);
    const char *payload = "{}";
    int transaction =
        strcmp(call->action, "StartTransaction") == 0 ? transaction_of(r, call) : r->transaction;
    for (size_t i = 0; i < PW_COUNT(usual); i++) {
        if (strcmp(usual[i].action, call->action) == 0) {
            payload = usual[i].payload;
        }
    }
    if (row != NULL && row->how == RIG_SAYS) {
        payload = row->text;
    }
    bool refuse = row != NULL && row->how == RIG_REFUSES;
    bool mute = row != NULL && row->how == RIG_MUTE;
    put_quoted(&out, refuse ? 4 : 3, call->id);
    pw_put_c(&out, ',');
    if (refuse) {
        pw_put_c(&out, '"');
        pw_put_s(&out, row->text);
        pw_put_s(&out, "\",\"\",{}");
    } else {
        rig_expand(r, payload, transaction, &out);
    }
    pw_put_c(&out, ']');
    if (row != NULL && row->times > 0 && --row->times == 0) {
        rig_answer_usual(r, call->action);
    }
    if (mute) {
        return;
    }
    call->answered = true;
    r->answered_at = r->street.now;
    post(r, pw_out_str(&out), true);
    if (strcmp(call->action, "BootNotification") == 0 && !refuse) {
        r->accepted =
            strcmp(rig_text(r->messages[r->count - 1]->payload, "status"), "Accepted") == 0;
    }
}

static void hear_answer(struct rig *r, struct rig_message *message)
{
    struct rig_message *call = find_call(r, false, message->id);
    if (call == NULL && !r->lenient) {
        rig_fail(r, "an answer to nothing that was asked: %s", message->id);
    }
    if (call == NULL) {
        return;
    }
    if (call->answered) {
        rig_fail(r, "%s is answered twice", call->action);
    }
    call->answered = true;
    memcpy(message->action, call->action, sizeof(message->action));
    if (message->kind == PW_OCPP_RESULT && strstr(call->action, "TriggerMessage") != NULL &&
        strcmp(rig_text(message->payload, "status"), "Accepted") == 0) {
        r->triggered += 2; // one for each connector at most, as a rule
    }
}

static void hear(struct street *street, struct pw_str text)
{
    struct rig *r = rig_of(street);
    struct rig_message *message = note(r);
    message->from_station = true;
    read_frame(r, text, message, true);
    if (message->kind != PW_OCPP_CALL) {
        hear_answer(r, message);
        return;
    }
    check_order(r, message);
    memcpy(r->in_flight, message->id, sizeof(r->in_flight));
    r->answered_at = PW_NEVER;
    answer(r, message);
}

static bool opened(struct street *street)
{
    struct rig *r = rig_of(street);
    r->opens++;
    r->in_flight[0] = '\0';
    return true;
}

static void closed(struct street *street)
{
    rig_of(street)->in_flight[0] = '\0';
}

const struct street_central rig_central = {.open = opened, .hear = hear, .closed = closed};

void rig_central_init(struct rig *r)
{
    r->street.central = &rig_central;
    r->street.central_context = r;
    r->transaction = 1000;
    r->answered_at = PW_NEVER;
    r->starts = calloc(STARTS_MAX, sizeof(*r->starts));
    PW_ASSERT(r->starts != NULL);
}

void rig_central_free(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        cJSON_Delete(r->messages[i]->payload);
        free(r->messages[i]);
    }
    free((void *)r->messages);
    free(r->starts);
}

void rig_central_new_program(struct rig *r)
{
    r->accepted = false;
    r->triggered = 0;
    r->in_flight[0] = '\0';
}

// ---------------------------------------------------------------------------------------------
// What a case asks about.

static bool is_call(struct rig *r, const struct rig_message *message, const char *action,
                    const cJSON *subset)
{
    char *text = NULL;
    bool same = message->from_station && message->kind == PW_OCPP_CALL &&
                strcmp(message->action, action) == 0;
    if (same) {
        text = cJSON_PrintUnformatted(subset);
        same = rig_matches(r, message->payload, text);
        free(text);
    }
    return same;
}

// Number of the first such call from `from` on; r->count: none.
static size_t find(struct rig *r, const char *action, const cJSON *subset, size_t from)
{
    size_t i = from;
    while (i < r->count && !is_call(r, r->messages[i], action, subset)) {
        i++;
    }
    return i;
}

// What was heard instead, for the sentence.
static void put_heard(const struct rig *r, size_t from, struct pw_out *out)
{
    for (size_t i = from; i < r->count; i++) {
        const struct rig_message *message = r->messages[i];
        if (!message->from_station || message->kind != PW_OCPP_CALL) {
            continue;
        }
        char *text = cJSON_PrintUnformatted(message->payload);
        pw_put_s(out, "\n      heard ");
        pw_put_s(out, message->action);
        pw_put_s(out, text == NULL ? "" : text);
        free(text);
    }
}

const cJSON *rig_expect_(struct rig *r, const char *action, const char *subset, pw_ms ms)
{
    static char heard[RIG_NOTE_MAX / 2];
    cJSON *want = rig_json(r, subset, r->transaction);
    pw_ms end = r->street.now + ms;
    size_t at = find(r, action, want, r->cursor);
    while (at == r->count && r->street.now < end) {
        size_t from = r->count;
        rig_slice(r);
        at = from == r->count ? from : find(r, action, want, from);
    }
    cJSON_Delete(want);
    if (at == r->count) {
        struct pw_out out = PW_OUT(heard);
        heard[0] = '\0';
        put_heard(r, r->cursor, &out);
        rig_fail(r, "no %s %s%s", action, subset, heard);
    }
    r->cursor = at + 1;
    return r->messages[at]->payload;
}

const cJSON *rig_expect_too_(struct rig *r, const char *action, const char *subset)
{
    size_t cursor = r->cursor;
    const cJSON *payload = rig_expect_(r, action, subset, RIG_WAIT_MS);
    r->cursor = cursor;
    return payload;
}

void rig_expect_none_(struct rig *r, const char *action, const char *subset, pw_ms ms)
{
    cJSON *want = rig_json(r, subset, r->transaction);
    rig_run(r, ms);
    size_t at = find(r, action, want, r->cursor);
    cJSON_Delete(want);
    if (at < r->count) {
        char *text = cJSON_PrintUnformatted(r->messages[at]->payload);
        rig_fail(r, "%s %s was said", action, text);
    }
}

void rig_forget(struct rig *r)
{
    r->cursor = r->count;
}

unsigned rig_count(struct rig *r, const char *action, const char *subset, size_t from)
{
    cJSON *want = rig_json(r, subset, r->transaction);
    unsigned count = 0;
    for (size_t at = find(r, action, want, from); at < r->count;
         at = find(r, action, want, at + 1)) {
        count++;
    }
    cJSON_Delete(want);
    return count;
}

const struct rig_message *rig_last(const struct rig *r, const char *action)
{
    for (size_t i = r->count; i-- > 0;) {
        if (r->messages[i]->from_station && r->messages[i]->kind == PW_OCPP_CALL &&
            strcmp(r->messages[i]->action, action) == 0) {
            return r->messages[i];
        }
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// What a case asks the station.

static void next_id(struct rig *r, char *id, size_t cap)
{
    (void)snprintf(id, cap, "ask-%u", ++r->asked);
}

void rig_post(struct rig *r, const char *action, const char *payload)
{
    static char text[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    char id[PW_OCPP_ID_MAX + 1];
    next_id(r, id, sizeof(id));
    put_quoted(&out, 2, id);
    pw_put_s(&out, ",\"");
    pw_put_s(&out, action);
    pw_put_s(&out, "\",");
    rig_expand(r, payload, r->transaction, &out);
    pw_put_c(&out, ']');
    if (pw_out_err(&out) != PW_OK) {
        rig_fail(r, "a question longer than the street carries");
    }
    if (strcmp(action, "RemoteStartTransaction") == 0) {
        rig_leave(r);
    }
    post(r, pw_out_str(&out), !r->lenient);
}

const struct rig_message *rig_answered(const struct rig *r)
{
    char id[PW_OCPP_ID_MAX + 1];
    (void)snprintf(id, sizeof(id), "ask-%u", r->asked);
    for (size_t i = r->count; i-- > 0;) {
        const struct rig_message *message = r->messages[i];
        if (message->from_station && message->kind != PW_OCPP_CALL &&
            strcmp(message->id, id) == 0) {
            return message;
        }
    }
    return NULL;
}

static const struct rig_message *await(struct rig *r)
{
    pw_ms end = r->street.now + RIG_WAIT_MS;
    const struct rig_message *message = rig_answered(r);
    while (message == NULL && r->street.now < end) {
        rig_slice(r);
        message = rig_answered(r);
    }
    return message;
}

const cJSON *rig_ask_(struct rig *r, const char *action, const char *payload)
{
    rig_post(r, action, payload);
    const struct rig_message *message = await(r);
    if (message == NULL) {
        rig_fail(r, "%s %s is not answered", action, payload);
    }
    if (message->kind == PW_OCPP_ERROR) {
        rig_fail(r, "%s %s is answered with %s", action, payload, message->code);
    }
    return message->payload;
}

const char *rig_ask_error_(struct rig *r, const char *action, const char *payload)
{
    bool lenient = r->lenient;
    r->lenient = true;
    rig_post(r, action, payload);
    r->lenient = lenient;
    const struct rig_message *message = await(r);
    if (message == NULL) {
        rig_fail(r, "%s %s is not answered", action, payload);
    }
    return message->kind == PW_OCPP_ERROR ? message->code : "";
}

// What the street's letters cannot carry is put into the station's hand.
static void deliver(struct rig *r, struct pw_str text)
{
    if (text.len < STREET_TEXT_MAX) {
        street_post(&r->street, text);
        return;
    }
    said(SAID_TO_STATION, (uintptr_t)&r->street, text);
    while (pw_station_text(r->street.station, text, r->street.now) == PW_ERR_AGAIN) {
        rig_slice(r);
    }
    r->street.station_at = r->street.now;
}

void rig_send_raw(struct rig *r, const char *text)
{
    static char whole[RIG_RAW_MAX];
    struct pw_out out = PW_OUT(whole);
    char id[PW_OCPP_ID_MAX + 1];
    const char *at = strstr(text, "%ID");
    next_id(r, id, sizeof(id));
    pw_put(&out,
           (struct pw_str){.at = text, .len = at == NULL ? strlen(text) : (size_t)(at - text)});
    if (at != NULL) {
        pw_put_s(&out, id);
        pw_put_s(&out, at + strlen("%ID"));
    }
    if (pw_out_err(&out) != PW_OK) {
        rig_fail(r, "a text longer than the street carries");
    }
    // Its answer is an answer to this.
    struct rig_message *message = note(r);
    message->kind = PW_OCPP_CALL;
    memcpy(message->id, id, sizeof(id));
    cJSON *json = cJSON_ParseWithLength(out.at, out.len);
    const char *action = cJSON_GetStringValue(cJSON_GetArrayItem(json, 2));
    (void)snprintf(message->action, sizeof(message->action), "%s", action == NULL ? "" : action);
    cJSON_Delete(json);
    deliver(r, pw_out_str(&out));
}

const char *rig_ask_raw(struct rig *r, const char *text)
{
    rig_send_raw(r, text);
    const struct rig_message *message = await(r);
    return message == NULL ? NULL : message->kind == PW_OCPP_ERROR ? message->code : "";
}

void rig_send_result(struct rig *r, const char *id, const char *payload)
{
    static char text[STREET_TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    put_quoted(&out, 3, id);
    pw_put_c(&out, ',');
    rig_expand(r, payload, r->transaction, &out);
    pw_put_c(&out, ']');
    street_post(&r->street, pw_out_str(&out));
    if (r->in_flight[0] != '\0' && strcmp(id, r->in_flight) == 0) {
        r->answered_at = r->street.now;
    }
}

void rig_configure_(struct rig *r, const char *key, const char *value, const char *status)
{
    char payload[2048];
    (void)snprintf(payload, sizeof(payload), "{'key':'%s','value':'%s'}", key, value);
    const cJSON *conf = rig_ask_(r, "ChangeConfiguration", payload);
    if (strcmp(rig_text(conf, "status"), status) != 0) {
        rig_fail(r, "%s = %s is answered with %s", key, value, rig_text(conf, "status"));
    }
}

static const cJSON *get_key(struct rig *r, const char *key)
{
    char payload[128];
    (void)snprintf(payload, sizeof(payload), "{'key':['%s']}", key);
    return rig_at(rig_ask_(r, "GetConfiguration", payload), "configurationKey.0");
}

const char *rig_key(struct rig *r, const char *key)
{
    const cJSON *row = get_key(r, key);
    return row == NULL ? NULL : rig_text(row, "value");
}

bool rig_key_readonly(struct rig *r, const char *key)
{
    return cJSON_IsTrue(rig_at(get_key(r, key), "readonly")) != 0;
}

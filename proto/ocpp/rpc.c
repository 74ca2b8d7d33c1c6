// Frames and the exchange of calls and answers.
#include "ocpp/rpc.h"

#include <string.h>

// --- Reading.

static int refuse(struct pw_ocpp_fault *fault, enum pw_ocpp_error code, const char *reason)
{
    struct pw_out out = PW_OUT(fault->text);
    fault->code = code;
    pw_put_s(&out, reason);
    return PW_ERR_PEER;
}

static struct pw_str text_of(const struct pw_json_node *node)
{
    struct pw_str text = {.at = NULL};
    (void)!pw_json_text(node, &text);
    return text;
}

// A text that is no JSON may still have begun as a CALL: then its sender is told.
static struct pw_str find_call_id(const struct pw_json *json)
{
    int64_t kind = 0;
    bool is_call = json->count > 2 && pw_json_is(&json->node[0], PW_JSON_ARRAY) &&
                   pw_json_int(&json->node[1], PW_OCPP_CALL, PW_OCPP_CALL, &kind) == PW_OK;
    return is_call ? text_of(&json->node[2]) : (struct pw_str){.at = NULL};
}

static int refuse_json(const struct pw_json *json, struct pw_ocpp_frame *frame,
                       struct pw_ocpp_fault *fault)
{
    struct pw_out out = PW_OUT(fault->text);
    bool our_room = json->fault == PW_JSON_TOO_MANY || json->fault == PW_JSON_TOO_LONG ||
                    json->fault == PW_JSON_NO_SPARE;
    frame->id = find_call_id(json);
    fault->code = our_room ? PW_OCPP_INTERNAL_ERROR : PW_OCPP_FORMATION_VIOLATION;
    pw_put_s(&out, pw_json_fault_name(json->fault));
    pw_put_s(&out, " at byte ");
    pw_put_uint(&out, json->fault_at);
    return our_room ? PW_ERR_LIMIT : PW_ERR_PEER;
}

static int read_call(struct pw_json_iter *iter, struct pw_ocpp_frame *frame,
                     struct pw_ocpp_fault *fault)
{
    const struct pw_json_node *action = pw_json_next(iter);
    const struct pw_json_node *payload = pw_json_next(iter);
    if (payload == NULL) {
        return refuse(fault, PW_OCPP_PROTOCOL_ERROR,
                      "a CALL holds type, id, action and payload; here something is missing");
    }
    if (pw_json_next(iter) != NULL || !pw_json_is(action, PW_JSON_STRING)) {
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION,
                      "a CALL holds type, id, action (a text) and payload, no more");
    }
    if (frame->id.len > PW_OCPP_ID_MAX && pw_json_chars(frame->id) > PW_OCPP_ID_MAX) {
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION, "the id is longer than 36 characters");
    }
    if (payload->kind != PW_JSON_OBJECT && payload->kind != PW_JSON_NULL) {
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION, "the payload is no object");
    }
    frame->action = text_of(action);
    frame->payload = payload->kind == PW_JSON_NULL ? NULL : payload;
    return PW_OK;
}

static int read_result(struct pw_json_iter *iter, struct pw_ocpp_frame *frame,
                       struct pw_ocpp_fault *fault)
{
    const struct pw_json_node *payload = pw_json_next(iter);
    if (payload == NULL || pw_json_next(iter) != NULL ||
        (payload->kind != PW_JSON_OBJECT && payload->kind != PW_JSON_NULL)) {
        frame->id = (struct pw_str){.at = NULL};
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION,
                      "a CALLRESULT holds type, id and payload (an object)");
    }
    frame->payload = payload->kind == PW_JSON_NULL ? NULL : payload;
    return PW_OK;
}

// Only the code is needed to know that a call has failed: what else is missing costs nothing.
static int read_error(struct pw_json_iter *iter, struct pw_ocpp_frame *frame,
                      struct pw_ocpp_fault *fault)
{
    const struct pw_json_node *code = pw_json_next(iter);
    if (!pw_json_is(code, PW_JSON_STRING)) {
        frame->id = (struct pw_str){.at = NULL};
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION,
                      "a CALLERROR holds type, id, code, description and details");
    }
    frame->error_word = text_of(code);
    frame->error = pw_ocpp_error_find(frame->error_word);
    frame->description = pw_json_head(text_of(pw_json_next(iter)), PW_OCPP_DESCRIPTION_MAX);
    frame->payload = pw_json_next(iter);
    return PW_OK;
}

int pw_ocpp_frame_read(struct pw_json *json, struct pw_str text, struct pw_ocpp_frame *frame,
                       struct pw_ocpp_fault *fault)
{
    int64_t kind = 0;
    *frame = (struct pw_ocpp_frame){.kind = PW_OCPP_CALL};
    if (pw_json_read(json, text) != PW_OK) {
        return refuse_json(json, frame, fault);
    }
    bool is_array = pw_json_is(&json->node[0], PW_JSON_ARRAY);
    struct pw_json_iter iter = pw_json_each(&json->node[0]);
    const struct pw_json_node *type = pw_json_next(&iter);
    const struct pw_json_node *id = pw_json_next(&iter);
    if (!is_array || pw_json_int(type, INT64_MIN, INT64_MAX, &kind) != PW_OK) {
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION,
                      "a frame is a list that starts with a type");
    }
    if (kind < PW_OCPP_CALL || kind > PW_OCPP_ERROR) {
        (void)refuse(fault, PW_OCPP_NOT_SUPPORTED, "a message type other than 2, 3 and 4");
        return PW_ERR_UNKNOWN;
    }
    frame->kind = (enum pw_ocpp_frame_kind)kind;
    frame->id = text_of(id);
    if (frame->id.len == 0) {
        return refuse(fault, PW_OCPP_FORMATION_VIOLATION, "the id is no text, or empty");
    }
    switch (frame->kind) {
    case PW_OCPP_CALL: return read_call(&iter, frame, fault);
    case PW_OCPP_RESULT: return read_result(&iter, frame, fault);
    case PW_OCPP_ERROR: return read_error(&iter, frame, fault);
    }
    PW_UNREACHABLE();
}

// --- Printing.

static struct pw_json_writer begin(struct pw_out *out, enum pw_ocpp_frame_kind kind,
                                   struct pw_str id)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '[');
    pw_json_put_int(&json, (int64_t)kind);
    pw_json_put_text(&json, id);
    return json;
}

void pw_ocpp_put_call(struct pw_out *out, struct pw_str id, struct pw_str action,
                      const struct pw_ocpp_object *object, const void *req)
{
    struct pw_json_writer json = begin(out, PW_OCPP_CALL, id);
    pw_json_put_text(&json, action);
    pw_json_put_raw(&json, (struct pw_str){.at = NULL});
    pw_ocpp_encode(object, req, out);
    pw_json_close(&json, ']');
}

void pw_ocpp_put_call_raw(struct pw_out *out, struct pw_str id, struct pw_str action,
                          struct pw_str payload)
{
    struct pw_json_writer json = begin(out, PW_OCPP_CALL, id);
    pw_json_put_text(&json, action);
    pw_json_put_raw(&json, payload);
    pw_json_close(&json, ']');
}

void pw_ocpp_put_result(struct pw_out *out, struct pw_str id, const struct pw_ocpp_object *object,
                        const void *conf)
{
    struct pw_json_writer json = begin(out, PW_OCPP_RESULT, id);
    pw_json_put_raw(&json, (struct pw_str){.at = NULL});
    pw_ocpp_encode(object, conf, out);
    pw_json_close(&json, ']');
}

void pw_ocpp_put_result_raw(struct pw_out *out, struct pw_str id, struct pw_str payload)
{
    struct pw_json_writer json = begin(out, PW_OCPP_RESULT, id);
    pw_json_put_raw(&json, payload);
    pw_json_close(&json, ']');
}

void pw_ocpp_put_error(struct pw_out *out, struct pw_str id, enum pw_ocpp_error code,
                       struct pw_str description)
{
    struct pw_json_writer json = begin(out, PW_OCPP_ERROR, id);
    pw_json_put_text(&json, pw_ocpp_error_text(code));
    pw_json_put_text(&json, pw_json_head(description, PW_OCPP_DESCRIPTION_MAX));
    pw_json_put_raw(&json, PW_STR("{}"));
    pw_json_close(&json, ']');
}

// --- Error codes.

#define ERRORS(E)                                                                                  \
    E("NotImplemented")                                                                            \
    E("NotSupported")                                                                              \
    E("InternalError")                                                                             \
    E("ProtocolError")                                                                             \
    E("SecurityError")                                                                             \
    E("FormationViolation")                                                                        \
    E("PropertyConstraintViolation")                                                               \
    E("OccurenceConstraintViolation")                                                              \
    E("TypeConstraintViolation")                                                                   \
    E("GenericError")
#define WORD(word)   word
#define LENGTH(word) (uint8_t)(sizeof(word) - 1),

static const uint8_t error_lengths[] = {ERRORS(LENGTH)};
static const struct pw_ocpp_codes error_words = {
    .text = ERRORS(WORD),
    .len = error_lengths,
    .count = (uint8_t)PW_COUNT(error_lengths),
};

struct pw_str pw_ocpp_error_text(enum pw_ocpp_error code)
{
    return pw_ocpp_code_text(&error_words, (int)code);
}

enum pw_ocpp_error pw_ocpp_error_find(struct pw_str word)
{
    int code = pw_ocpp_code_find(&error_words, word);
    if (code >= 0) {
        return (enum pw_ocpp_error)code;
    }
    return pw_str_is(word, "OccurrenceConstraintViolation") ? PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION
           : pw_str_is(word, "FormatViolation")             ? PW_OCPP_FORMATION_VIOLATION
                                                            : PW_OCPP_GENERIC_ERROR;
}

// --- The exchange.

void pw_ocpp_rpc_init(struct pw_ocpp_rpc *rpc, uint64_t nonce)
{
    *rpc = (struct pw_ocpp_rpc){.deadline = PW_NEVER, .nonce = nonce};
}

int pw_ocpp_rpc_call(struct pw_ocpp_rpc *rpc, int action, pw_ms timeout, pw_ms now)
{
    if (rpc->open) {
        return PW_ERR_BUSY;
    }
    struct pw_out out = PW_OUT(rpc->id);
    pw_put_hex(&out, rpc->nonce, 16);
    pw_put_c(&out, '-');
    pw_put_uint(&out, rpc->next++);
    rpc->open = true;
    rpc->action = action;
    rpc->sent_at = now;
    rpc->deadline = pw_after(now, timeout);
    return PW_OK;
}

struct pw_str pw_ocpp_rpc_id(const struct pw_ocpp_rpc *rpc)
{
    return pw_str_of(rpc->id);
}

// The open call becomes a past one.
static void close_call(struct pw_ocpp_rpc *rpc, bool answered)
{
    struct pw_ocpp_past *past = &rpc->recent[rpc->recent_at];
    memcpy(past->id, rpc->id, sizeof(past->id));
    past->answered = answered;
    rpc->recent_at = (uint8_t)((rpc->recent_at + 1U) % PW_OCPP_RECENT_MAX);
    rpc->open = false;
    rpc->deadline = PW_NEVER;
}

enum pw_ocpp_answer pw_ocpp_rpc_answer(struct pw_ocpp_rpc *rpc, struct pw_str id)
{
    if (rpc->open && pw_str_is(id, rpc->id)) {
        close_call(rpc, true);
        return PW_OCPP_ANSWER_MATCHED;
    }
    for (size_t i = 0; i < PW_COUNT(rpc->recent); i++) {
        const struct pw_ocpp_past *past = &rpc->recent[i];
        if (past->id[0] == '\0' || !pw_str_is(id, past->id)) {
            continue;
        }
        rpc->duplicate += past->answered ? 1 : 0;
        rpc->late += past->answered ? 0 : 1;
        return past->answered ? PW_OCPP_ANSWER_DUPLICATE : PW_OCPP_ANSWER_LATE;
    }
    rpc->unknown++;
    return PW_OCPP_ANSWER_UNKNOWN;
}

bool pw_ocpp_rpc_timed_out(struct pw_ocpp_rpc *rpc, pw_ms now)
{
    if (!rpc->open || rpc->deadline == PW_NEVER || now < rpc->deadline) {
        return false;
    }
    close_call(rpc, false);
    return true;
}

bool pw_ocpp_rpc_drop(struct pw_ocpp_rpc *rpc)
{
    bool was_open = rpc->open;
    if (was_open) {
        close_call(rpc, false);
    }
    rpc->serving = false;
    return was_open;
}

int pw_ocpp_rpc_serve(struct pw_ocpp_rpc *rpc, struct pw_str id)
{
    if (rpc->serving) {
        return pw_str_is(id, rpc->served_id) ? PW_ERR_PEER : PW_ERR_BUSY;
    }
    if (pw_str_copy(rpc->served_id, sizeof(rpc->served_id), id) != PW_OK) {
        return PW_ERR_RANGE;
    }
    rpc->serving = true;
    return PW_OK;
}

void pw_ocpp_rpc_served(struct pw_ocpp_rpc *rpc)
{
    rpc->serving = false;
}

static const char *const answer_names[] = {"matched", "late", "duplicate", "unknown"};

const char *pw_ocpp_answer_name(enum pw_ocpp_answer answer)
{
    PW_ASSERT((size_t)answer < PW_COUNT(answer_names));
    return answer_names[answer];
}

// The interpreter that checks and reads. Objects and lists being read lie on a small stack; inside
// a list the fields are only checked (there is no struct to fill yet), by the same rows.
#include "ocpp/rows.h"

#include <string.h>

struct level {
    const struct pw_ocpp_object *object; // of the list's elements, for a list
    const struct pw_json_node *at;       // the next element, or the next member's key
    const struct pw_json_node *end;
    unsigned char *to;             // NULL: only check
    const struct pw_ocpp_row *row; // object: the field being read
    uint32_t has;
    uint32_t index; // list: elements begun
    bool is_list;
};

struct decoder {
    unsigned policy;
    bool shallow; // lists were checked already
    struct pw_ocpp_fault *fault;
    uint32_t depth;
    struct level level[PW_OCPP_NEST_MAX];
};

// --- Saying what is wrong.

#define EXCERPT_MAX 40 // characters of a foreign value or key in a fault

static void put_excerpt(struct pw_out *out, struct pw_str text)
{
    struct pw_str head = pw_json_head(text, EXCERPT_MAX);
    pw_put(out, head);
    pw_put_s(out, head.len < text.len ? "..." : "");
}

static void put_path(struct pw_out *out, const struct decoder *decoder)
{
    for (uint32_t i = 0; i < decoder->depth; i++) {
        const struct level *level = &decoder->level[i];
        if (level->is_list) {
            pw_put_c(out, '[');
            pw_put_uint(out, level->index - 1);
            pw_put_c(out, ']');
        } else if (level->row != NULL) {
            pw_put_s(out, i > 0 ? "." : "");
            pw_put_s(out, level->row->key);
        }
    }
}

// Writes the path, the value if there is one, and the reason. Always false.
static bool refuse(struct decoder *decoder, enum pw_ocpp_error code,
                   const struct pw_json_node *value, const char *reason)
{
    struct pw_out out = PW_OUT(decoder->fault->text);
    decoder->fault->code = code;
    put_path(&out, decoder);
    pw_put_s(&out, out.len > 0 ? ": " : "");
    if (value != NULL) {
        bool is_text = value->kind == PW_JSON_STRING;
        pw_put_s(&out, is_text ? "\"" : "");
        put_excerpt(&out, (struct pw_str){.at = value->at, .len = value->len});
        pw_put_s(&out, is_text ? "\" " : " ");
    }
    pw_put_s(&out, reason);
    return false;
}

static bool refuse_type(struct decoder *decoder, const struct pw_json_node *value,
                        const char *reason)
{
    return refuse(decoder, PW_OCPP_TYPE_CONSTRAINT_VIOLATION, value, reason);
}

static bool refuse_value(struct decoder *decoder, const struct pw_json_node *value,
                         const char *reason)
{
    return refuse(decoder, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION, value, reason);
}

// --- Plain values. `to` is the member, or NULL.

static void set(void *to, const void *value, size_t size)
{
    if (to != NULL) {
        memcpy(to, value, size);
    }
}

static bool read_int(struct decoder *decoder, const struct pw_ocpp_row *row,
                     const struct pw_json_node *node, void *to)
{
    int64_t wide = 0;
    bool tenths = row->kind == PW_OCPP_KIND_TENTHS;
    int64_t min = row->kind == PW_OCPP_KIND_NAT ? 0 : row->kind == PW_OCPP_KIND_POS ? 1 : INT32_MIN;
    if (node->kind != PW_JSON_NUMBER) {
        return refuse_type(decoder, node, "is no number");
    }
    int err = pw_json_fixed(node, tenths ? 1 : 0, &wide);
    if (err != PW_OK || wide < min || wide > INT32_MAX) {
        struct pw_str text = {.at = node->at, .len = node->len};
        if (tenths) {
            return refuse_value(decoder, node, "is no multiple of 0.1, or too large");
        }
        if (err != PW_OK && pw_parse_int(text, INT64_MIN, INT64_MAX, &wide) == PW_ERR_PEER) {
            return refuse_type(decoder, node, "is no whole number");
        }
        return refuse_value(decoder, node,
                            min == 0   ? "is out of 0..2147483647"
                            : min == 1 ? "is out of 1..2147483647"
                                       : "is out of -2147483648..2147483647");
    }
    int32_t value = (int32_t)wide;
    set(to, &value, sizeof(value));
    return true;
}

static bool read_flag(struct decoder *decoder, const struct pw_json_node *node, void *to)
{
    bool value = node->kind == PW_JSON_TRUE;
    if (!value && node->kind != PW_JSON_FALSE) {
        return refuse_type(decoder, node, "is neither true nor false");
    }
    set(to, &value, sizeof(value));
    return true;
}

// Apart, so that its buffer is not set up for every value that is read.
__attribute__((noinline, cold)) static bool
refuse_length(struct decoder *decoder, const struct pw_json_node *value, size_t chars, uint32_t max)
{
    char reason[64];
    struct pw_out out = PW_OUT(reason);
    pw_put_s(&out, "has ");
    pw_put_uint(&out, chars);
    pw_put_s(&out, " characters, at most ");
    pw_put_uint(&out, max);
    return refuse_value(decoder, value, reason);
}

static bool read_text(struct decoder *decoder, uint32_t max, const struct pw_json_node *node,
                      void *to)
{
    struct pw_str text = {.at = node->at, .len = node->len};
    // A text of few bytes has no more characters than that.
    if (max > 0 && text.len > max) {
        size_t chars = pw_json_chars(text);
        if (chars > max) {
            return refuse_length(decoder, node, chars, max);
        }
    }
    if (text.len > 0 && memchr(text.at, '\0', text.len) != NULL) {
        return refuse_value(decoder, NULL, "holds U+0000");
    }
    set(to, &text, sizeof(text));
    return true;
}

static bool read_time(struct decoder *decoder, const struct pw_json_node *node, void *to)
{
    pw_unix_ms value = 0;
    if (pw_parse_time((struct pw_str){.at = node->at, .len = node->len}, &value) != PW_OK) {
        return refuse_value(decoder, node, "is no date and time (ISO 8601)");
    }
    set(to, &value, sizeof(value));
    return true;
}

// The words there are, where they fit.
__attribute__((noinline, cold)) static bool refuse_code(struct decoder *decoder,
                                                        const struct pw_json_node *value,
                                                        const struct pw_ocpp_codes *codes)
{
    char reason[140];
    struct pw_out out = PW_OUT(reason);
    for (int i = 0; i < codes->count; i++) {
        pw_put_s(&out, i == 0 ? "is none of " : ", ");
        pw_put(&out, pw_ocpp_code_text(codes, i));
    }
    return refuse_value(decoder, value, out.full ? "is not a known value" : reason);
}

static bool read_code(struct decoder *decoder, const struct pw_ocpp_row *row,
                      const struct pw_json_node *node, void *to)
{
    struct pw_ocpp_word word = {.text = {.at = node->at, .len = node->len}};
    bool is_word = row->kind == PW_OCPP_KIND_WORD;
    int code = pw_ocpp_code_find(row->of.codes, word.text);
    if (code < 0 && !(is_word && (decoder->policy & PW_OCPP_KEEP_UNKNOWN_CODES) != 0)) {
        return refuse_code(decoder, node, row->of.codes);
    }
    word.code = (int16_t)(code < 0 ? PW_OCPP_OTHER : code);
    // Every enumeration of the rows is as large as this one (the rows assert it).
    enum pw_ocpp_kind plain = (enum pw_ocpp_kind)word.code;
    set(to, is_word ? (const void *)&word : &plain, is_word ? sizeof(word) : sizeof(plain));
    return true;
}

// --- Objects and lists.

// Begins to read what the container holds.
static void push(struct decoder *decoder, const struct pw_ocpp_object *object,
                 const struct pw_json_node *container, void *to)
{
    PW_ASSERT(decoder->depth < PW_OCPP_NEST_MAX);
    decoder->level[decoder->depth++] = (struct level){
        .object = object,
        .at = container + 1,
        .end = container + container->span,
        .to = to,
        .is_list = container->kind == PW_JSON_ARRAY,
    };
}

static bool begin_object(struct decoder *decoder, const struct pw_ocpp_object *object,
                         const struct pw_json_node *node, void *to)
{
    if (node->kind != PW_JSON_OBJECT) {
        return refuse_type(decoder, node, "is no object");
    }
    push(decoder, object, node, to);
    return true;
}

static bool begin_list(struct decoder *decoder, const struct pw_ocpp_row *row,
                       const struct pw_json_node *node, void *to)
{
    if (node->kind != PW_JSON_ARRAY) {
        return refuse_type(decoder, node, "is no list");
    }
    struct pw_ocpp_list list = {
        .node = node,
        .of = row->of.object,
        .count = pw_json_count(node),
        .policy = (uint8_t)decoder->policy,
    };
    if (list.count == 0 && (row->must || row->some)) {
        return refuse(decoder, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION, NULL,
                      "holds nothing, at least one element is required");
    }
    set(to, &list, sizeof(list));
    if (decoder->shallow) {
        return true;
    }
    push(decoder, list.of, node, NULL);
    return true;
}

static bool read_value(struct decoder *decoder, const struct pw_ocpp_row *row,
                       const struct pw_json_node *node, void *to)
{
    enum pw_ocpp_kind kind = (enum pw_ocpp_kind)row->kind;
    bool wants_text = kind == PW_OCPP_KIND_TEXT || kind == PW_OCPP_KIND_TIME ||
                      kind == PW_OCPP_KIND_CODE || kind == PW_OCPP_KIND_WORD;
    if (wants_text && node->kind != PW_JSON_STRING) {
        return refuse_type(decoder, node, "is no text");
    }
    switch (kind) {
    case PW_OCPP_KIND_INT:
    case PW_OCPP_KIND_NAT:
    case PW_OCPP_KIND_POS:
    case PW_OCPP_KIND_TENTHS: return read_int(decoder, row, node, to);
    case PW_OCPP_KIND_BOOL: return read_flag(decoder, node, to);
    case PW_OCPP_KIND_TEXT: return read_text(decoder, row->of.max, node, to);
    case PW_OCPP_KIND_TIME: return read_time(decoder, node, to);
    case PW_OCPP_KIND_CODE:
    case PW_OCPP_KIND_WORD: return read_code(decoder, row, node, to);
    case PW_OCPP_KIND_OBJECT: return begin_object(decoder, row->of.object, node, to);
    case PW_OCPP_KIND_LIST: return begin_list(decoder, row, node, to);
    }
    PW_UNREACHABLE();
}

static bool refuse_key(struct decoder *decoder, struct level *level, const struct pw_json_node *key)
{
    struct pw_out out = PW_OUT(decoder->fault->text);
    decoder->fault->code = PW_OCPP_FORMATION_VIOLATION;
    level->row = NULL;
    put_path(&out, decoder);
    pw_put_s(&out, out.len > 0 ? "." : "");
    put_excerpt(&out, (struct pw_str){.at = key->at, .len = key->len});
    pw_put_s(&out, ": is no field here");
    return false;
}

// Most senders keep an order: the row after the last one is the best guess.
static const struct pw_ocpp_row *find_row(const struct level *level, const struct pw_json_node *key)
{
    if (level->object->count == 0) {
        return NULL; // a message without fields
    }
    const struct pw_ocpp_row *first = level->object->rows;
    const struct pw_ocpp_row *end = first + level->object->count;
    const struct pw_ocpp_row *row = level->row == NULL ? first : level->row + 1;
    for (uint32_t i = level->object->count; i > 0; i--, row++) {
        row = row == end ? first : row;
        if (row->key_len == key->len && pw_ocpp_same(row->key, key->at, key->len)) {
            return row;
        }
    }
    return NULL;
}

static bool read_member(struct decoder *decoder, struct level *level)
{
    const struct pw_json_node *key = level->at;
    const struct pw_json_node *node = key + 1;
    const struct pw_ocpp_row *row = find_row(level, key);
    level->at = node + node->span;
    if (row == NULL) {
        return (decoder->policy & PW_OCPP_REFUSE_UNKNOWN_KEYS) == 0 ||
               refuse_key(decoder, level, key);
    }
    level->row = row;
    if (node->kind == PW_JSON_NULL && !row->must &&
        (decoder->policy & PW_OCPP_NULL_IS_ABSENT) != 0) {
        return true;
    }
    level->has |= 1U << (row - level->object->rows);
    return read_value(decoder, row, node, level->to == NULL ? NULL : level->to + row->offset);
}

// All members are read: are the required ones there?
static bool end_object(struct decoder *decoder, struct level *level)
{
    uint32_t missing = level->object->must & ~level->has;
    if (missing != 0) {
        level->row = level->object->rows + __builtin_ctz(missing);
        return refuse(decoder, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION, NULL,
                      "is required, but not there");
    }
    set(level->to, &level->has, sizeof(level->has));
    decoder->depth--;
    return true;
}

static bool read_element(struct decoder *decoder, struct level *level)
{
    const struct pw_json_node *node = level->at;
    level->at += node->span;
    level->index++;
    return pw_ocpp_is_bare(level->object) ? read_value(decoder, &level->object->rows[0], node, NULL)
                                          : begin_object(decoder, level->object, node, NULL);
}

static bool read_all(struct decoder *decoder)
{
    while (decoder->depth > 0) {
        struct level *level = &decoder->level[decoder->depth - 1];
        bool good = true;
        if (level->at < level->end) {
            good = level->is_list ? read_element(decoder, level) : read_member(decoder, level);
        } else if (level->is_list) {
            decoder->depth--;
        } else {
            good = end_object(decoder, level);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

// The value itself is the object's only field.
static bool read_bare(struct decoder *decoder, const struct pw_ocpp_object *object,
                      const struct pw_json_node *node, unsigned char *to)
{
    const uint32_t has = 1;
    memcpy(to, &has, sizeof(has));
    return read_value(decoder, &object->rows[0], node, to + object->rows[0].offset);
}

static bool decode(struct decoder *decoder, const struct pw_ocpp_object *object,
                   const struct pw_json_node *from, unsigned char *to)
{
    static const struct pw_json_node nothing = {
        .at = "{}", .len = 2, .span = 1, .kind = PW_JSON_OBJECT};
    decoder->depth = 0;
    memset(to, 0, object->size);
    if (from == NULL || from->kind == PW_JSON_NULL) {
        from = &nothing;
    }
    if (pw_ocpp_is_bare(object)) {
        return read_bare(decoder, object, from, to);
    }
    if (from->kind != PW_JSON_OBJECT) {
        return refuse(decoder, PW_OCPP_FORMATION_VIOLATION, NULL, "the payload is no object");
    }
    push(decoder, object, from, to);
    return read_all(decoder);
}

int pw_ocpp_decode(const struct pw_ocpp_object *object, const struct pw_json_node *from,
                   unsigned policy, void *to, struct pw_ocpp_fault *fault)
{
    struct decoder decoder; // its levels are set as they are entered
    decoder.policy = policy;
    decoder.shallow = false;
    decoder.fault = fault;
    return decode(&decoder, object, from, to) ? PW_OK : PW_ERR_PEER;
}

struct pw_ocpp_iter pw_ocpp_each(const struct pw_ocpp_list *received)
{
    return (struct pw_ocpp_iter){
        .json = pw_json_each(received->node),
        .of = received->of,
        .policy = received->policy,
    };
}

bool pw_ocpp_next(struct pw_ocpp_iter *iter, void *element, size_t element_size)
{
    const struct pw_json_node *node = pw_json_next(&iter->json);
    if (node == NULL) {
        return false;
    }
    struct pw_ocpp_fault fault;
    struct decoder decoder;
    decoder.policy = iter->policy;
    decoder.shallow = true;
    decoder.fault = &fault;
    PW_ASSERT(element_size == iter->of->size);
    // It was checked with the message it came in.
    bool good = decode(&decoder, iter->of, node, element);
    PW_ASSERT(good);
    return true;
}

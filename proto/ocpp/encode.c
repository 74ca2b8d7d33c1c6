// The interpreter that writes.
#include "ocpp/codec.h"

#include <string.h>

struct level {
    const struct pw_ocpp_object *object; // of the list's elements, for a list
    const unsigned char *from;           // the struct, or the list's first element
    uint32_t at;                         // the next row or element
    uint32_t end;
    bool is_list;
};

struct encoder {
    struct pw_json_writer json;
    uint32_t depth;
    struct level level[PW_OCPP_NEST_MAX];
};

static void push(struct encoder *encoder, struct level level)
{
    PW_ASSERT(encoder->depth < PW_OCPP_NEST_MAX);
    pw_json_open(&encoder->json, level.is_list ? '[' : '{');
    encoder->level[encoder->depth++] = level;
}

static void begin_object(struct encoder *encoder, const struct pw_ocpp_object *object,
                         const unsigned char *from)
{
    push(encoder, (struct level){.object = object, .from = from, .end = object->count});
}

static void begin_list(struct encoder *encoder, const struct pw_ocpp_object *object,
                       const unsigned char *from)
{
    struct pw_ocpp_list list;
    memcpy(&list, from, sizeof(list));
    PW_ASSERT(list.items != NULL || list.count == 0);
    push(encoder,
         (struct level){.object = object, .from = list.items, .end = list.count, .is_list = true});
}

static void put_int(struct encoder *encoder, const unsigned char *from, unsigned decimals)
{
    int32_t value;
    memcpy(&value, from, sizeof(value));
    pw_json_put_fixed(&encoder->json, value, decimals);
}

static void put_flag(struct encoder *encoder, const unsigned char *from)
{
    bool value;
    memcpy(&value, from, sizeof(value));
    pw_json_put_bool(&encoder->json, value);
}

static void put_text(struct encoder *encoder, const unsigned char *from)
{
    struct pw_str value;
    memcpy(&value, from, sizeof(value));
    pw_json_put_text(&encoder->json, value);
}

static void put_time(struct encoder *encoder, const unsigned char *from)
{
    pw_unix_ms value;
    memcpy(&value, from, sizeof(value));
    pw_json_put_time(&encoder->json, value);
}

static void put_code(struct encoder *encoder, const struct pw_ocpp_codes *codes,
                     const unsigned char *from)
{
    enum pw_ocpp_kind code; // as large as every enumeration of the rows
    memcpy(&code, from, sizeof(code));
    pw_json_put_word(&encoder->json, pw_ocpp_code_text(codes, (int)code));
}

static void put_word(struct encoder *encoder, const struct pw_ocpp_codes *codes,
                     const unsigned char *from)
{
    struct pw_ocpp_word word;
    memcpy(&word, from, sizeof(word));
    if (word.code == PW_OCPP_OTHER) {
        pw_json_put_text(&encoder->json, word.text);
    } else {
        pw_json_put_word(&encoder->json, pw_ocpp_code_text(codes, word.code));
    }
}

static void put_value(struct encoder *encoder, const struct pw_ocpp_row *row,
                      const unsigned char *from)
{
    switch ((enum pw_ocpp_kind)row->kind) {
    case PW_OCPP_KIND_INT:
    case PW_OCPP_KIND_NAT:
    case PW_OCPP_KIND_POS: put_int(encoder, from, 0); return;
    case PW_OCPP_KIND_TENTHS: put_int(encoder, from, 1); return;
    case PW_OCPP_KIND_BOOL: put_flag(encoder, from); return;
    case PW_OCPP_KIND_TEXT: put_text(encoder, from); return;
    case PW_OCPP_KIND_TIME: put_time(encoder, from); return;
    case PW_OCPP_KIND_CODE: put_code(encoder, row->of.codes, from); return;
    case PW_OCPP_KIND_WORD: put_word(encoder, row->of.codes, from); return;
    case PW_OCPP_KIND_OBJECT: begin_object(encoder, row->of.object, from); return;
    case PW_OCPP_KIND_LIST: begin_list(encoder, row->of.object, from); return;
    }
    PW_UNREACHABLE();
}

static void put_element(struct encoder *encoder, const struct level *level, uint32_t index)
{
    const unsigned char *element = level->from + (size_t)index * level->object->size;
    if (pw_ocpp_is_bare(level->object)) {
        put_value(encoder, &level->object->rows[0], element + level->object->rows[0].offset);
    } else {
        begin_object(encoder, level->object, element);
    }
}

static void put_member(struct encoder *encoder, const struct level *level, uint32_t index)
{
    const struct pw_ocpp_row *row = &level->object->rows[index];
    uint32_t has;
    memcpy(&has, level->from, sizeof(has));
    if (row->must || (has >> index & 1U) != 0) {
        pw_json_key_word(&encoder->json, (struct pw_str){.at = row->key, .len = row->key_len});
        put_value(encoder, row, level->from + row->offset);
    }
}

void pw_ocpp_encode(const struct pw_ocpp_object *object, const void *from, struct pw_out *out)
{
    struct encoder encoder = {.json = PW_JSON_WRITER(out)};
    PW_ASSERT(from != NULL || object->count == 0);
    if (pw_ocpp_is_bare(object)) {
        put_value(&encoder, &object->rows[0], (const unsigned char *)from + object->rows[0].offset);
        return;
    }
    begin_object(&encoder, object, from);
    while (encoder.depth > 0) {
        struct level *level = &encoder.level[encoder.depth - 1];
        if (level->at == level->end) {
            pw_json_close(&encoder.json, level->is_list ? ']' : '}');
            encoder.depth--;
        } else if (level->is_list) {
            put_element(&encoder, level, level->at++);
        } else {
            put_member(&encoder, level, level->at++);
        }
    }
}

// Prints our rows as JSON, for compare.mjs to hold against the official schemas:
// {"Action.req": [fields…], …}; field: [key, type, required, max | words | fields, least]
#include "ocpp/ocpp.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

static const char *const type_names[] = {
    "integer", "integer", "integer", "tenths", "boolean", "string",
    "time",    "enum",    "enum",    "object", "array",
};

struct level {
    const struct pw_ocpp_object *object;
    uint32_t at;
};

static void put_words(struct pw_json_writer *json, const struct pw_ocpp_codes *codes)
{
    pw_json_open(json, '[');
    for (int i = 0; i < codes->count; i++) {
        pw_json_put_text(json, pw_ocpp_code_text(codes, i));
    }
    pw_json_close(json, ']');
}

// Opens the field; a part's own fields follow inside it.
static bool put_field(struct pw_json_writer *json, const struct pw_ocpp_row *row)
{
    pw_json_open(json, '{');
    pw_json_say_s(json, "key", row->key);
    pw_json_say_s(json, "type", type_names[row->kind]);
    pw_json_say_bool(json, "required", row->must);
    if (row->kind == PW_OCPP_KIND_TEXT && row->of.max > 0) {
        pw_json_say_int(json, "maxLength", row->of.max);
    }
    if (row->kind == PW_OCPP_KIND_LIST && (row->must || row->some)) {
        pw_json_say_int(json, "minItems", 1);
    }
    if (row->kind == PW_OCPP_KIND_NAT || row->kind == PW_OCPP_KIND_POS) {
        pw_json_say_int(json, "minimum", row->kind == PW_OCPP_KIND_POS ? 1 : 0);
    }
    if (row->kind == PW_OCPP_KIND_CODE || row->kind == PW_OCPP_KIND_WORD) {
        pw_json_key(json, "enum");
        put_words(json, row->of.codes);
    }
    if (row->kind == PW_OCPP_KIND_OBJECT || row->kind == PW_OCPP_KIND_LIST) {
        pw_json_key(json, "fields");
        pw_json_open(json, '[');
        return true;
    }
    pw_json_close(json, '}');
    return false;
}

static void put_message(struct pw_json_writer *json, struct pw_str name, const char *kind,
                        const struct pw_ocpp_object *object)
{
    char key[64];
    struct pw_out key_out = PW_OUT(key);
    struct level level[PW_OCPP_NEST_MAX + 1];
    uint32_t depth = 0;
    pw_put(&key_out, name);
    pw_put_s(&key_out, kind);
    pw_json_key(json, key);
    pw_json_open(json, '[');
    level[depth++] = (struct level){.object = object};
    while (depth > 0) {
        struct level *top = &level[depth - 1];
        if (top->at == top->object->count) {
            depth--;
            pw_json_close(json, ']');
            if (depth > 0) {
                pw_json_close(json, '}');
            }
            continue;
        }
        const struct pw_ocpp_row *row = &top->object->rows[top->at++];
        if (put_field(json, row)) {
            level[depth++] = (struct level){.object = row->of.object};
        }
    }
}

int main(void)
{
    static char text[TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        struct pw_str name = pw_ocpp16_action_name((enum pw_ocpp16_action)i);
        put_message(&json, name, ".req", pw_ocpp16_actions[i].req);
        put_message(&json, name, ".conf", pw_ocpp16_actions[i].conf);
    }
    pw_json_close(&json, '}');
    (void)puts(text);
    return pw_out_err(&out) == PW_OK ? 0 : 1;
}

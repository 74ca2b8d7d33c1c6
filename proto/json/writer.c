// The streaming writer.
#include "json/json.h"
#include "json/utf8.h"

static void before_value(struct pw_json_writer *json)
{
    if (json->comma) {
        pw_put_c(json->out, ',');
    }
    json->comma = true;
}

void pw_json_open(struct pw_json_writer *json, char bracket)
{
    PW_ASSERT(bracket == '{' || bracket == '[');
    before_value(json);
    pw_put_c(json->out, bracket);
    json->comma = false;
}

void pw_json_close(struct pw_json_writer *json, char bracket)
{
    PW_ASSERT(bracket == '}' || bracket == ']');
    pw_put_c(json->out, bracket);
    json->comma = true;
}

static void put_escape(struct pw_out *out, unsigned char c)
{
    char letter = c == '"' || c == '\\' ? (char)c
                  : c == '\b'           ? 'b'
                  : c == '\f'           ? 'f'
                  : c == '\n'           ? 'n'
                  : c == '\r'           ? 'r'
                  : c == '\t'           ? 't'
                                        : 'u';
    pw_put_c(out, '\\');
    pw_put_c(out, letter);
    if (letter == 'u') {
        pw_put_hex(out, c, 4);
    }
}

static void put_quoted(struct pw_out *out, struct pw_str text)
{
    size_t start = 0;
    size_t at = 0;
    pw_put_c(out, '"');
    while (at < text.len) {
        unsigned char c = (unsigned char)text.at[at];
        size_t size = c < 0x80 ? 1 : pw_json_utf8_size(text.at + at, text.len - at);
        if (size > 0 && c >= 0x20 && c != '"' && c != '\\') {
            at += size;
            continue;
        }
        pw_put(out, (struct pw_str){.at = text.at + start, .len = at - start});
        if (size == 0) {
            pw_put_s(out, "\xEF\xBF\xBD");
        } else {
            put_escape(out, c);
        }
        start = ++at;
    }
    if (at > start) {
        pw_put(out, (struct pw_str){.at = text.at + start, .len = at - start});
    }
    pw_put_c(out, '"');
}

void pw_json_key(struct pw_json_writer *json, const char *key)
{
    before_value(json);
    put_quoted(json->out, pw_str_of(key));
    pw_put_c(json->out, ':');
    json->comma = false;
}

void pw_json_put_text(struct pw_json_writer *json, struct pw_str text)
{
    before_value(json);
    put_quoted(json->out, text);
}

void pw_json_put_s(struct pw_json_writer *json, const char *terminated)
{
    pw_json_put_text(json, pw_str_of(terminated));
}

void pw_json_put_int(struct pw_json_writer *json, int64_t value)
{
    before_value(json);
    pw_put_int(json->out, value);
}

void pw_json_put_fixed(struct pw_json_writer *json, int64_t value, unsigned decimals)
{
    before_value(json);
    pw_put_fixed(json->out, value, decimals);
}

void pw_json_put_bool(struct pw_json_writer *json, bool value)
{
    pw_json_put_raw(json, value ? PW_STR("true") : PW_STR("false"));
}

void pw_json_put_null(struct pw_json_writer *json)
{
    pw_json_put_raw(json, PW_STR("null"));
}

void pw_json_put_time(struct pw_json_writer *json, pw_unix_ms wall)
{
    before_value(json);
    pw_put_c(json->out, '"');
    pw_put_time(json->out, wall);
    pw_put_c(json->out, '"');
}

void pw_json_put_raw(struct pw_json_writer *json, struct pw_str json_text)
{
    before_value(json);
    pw_put(json->out, json_text);
}

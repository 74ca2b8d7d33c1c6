// The streaming writer.
#include "json/json.h"
#include "json/plain.h"
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

static void put_careful(struct pw_out *out, struct pw_str text)
{
    const char *end = text.at + text.len;
    const char *start = text.at;
    for (;;) {
        const char *at = pw_json_plain_end(start, end);
        size_t size = at < end ? pw_json_utf8_size(at, (size_t)(end - at)) : 0;
        at += size > 1 ? size : 0;
        pw_put(out, (struct pw_str){.at = start, .len = (size_t)(at - start)});
        if (at == end && size != 1) {
            return;
        }
        start = at;
        if (size == 0) {
            pw_put_s(out, "\xEF\xBF\xBD");
            start++;
        } else if (size == 1) {
            put_escape(out, (unsigned char)*at);
            start++;
        }
    }
}

// memcpy for short texts, which most are: two words that may overlap, instead of a call.
static void copy_short(char *to, const char *from, size_t len)
{
    uint64_t words[2];
    if (len < sizeof(words[0]) || len > sizeof(words)) {
        memcpy(to, from, len);
        return;
    }
    size_t last = len - sizeof(words[1]);
    memcpy(&words[0], from, sizeof(words[0]));
    memcpy(&words[1], from + last, sizeof(words[1]));
    memcpy(to, &words[0], sizeof(words[0]));
    memcpy(to + last, &words[1], sizeof(words[1]));
}

// Comma, quote, text and quote. Where the text is plain and there is room it is one copy.
static void put_quoted(struct pw_json_writer *json, struct pw_str text, bool plain)
{
    struct pw_out *out = json->out;
    size_t most = text.len + 4; // with a comma, two quotes and the NUL
    if (!plain || text.len == 0 || out->cap < most || out->cap - most < out->len) {
        before_value(json);
        pw_put_c(out, '"');
        if (text.len > 0) {
            put_careful(out, text);
        }
        pw_put_c(out, '"');
        return;
    }
    char *at = out->at + out->len;
    if (json->comma) {
        *at++ = ',';
    }
    json->comma = true;
    *at++ = '"';
    copy_short(at, text.at, text.len);
    at += text.len;
    *at++ = '"';
    *at = '\0';
    out->len = (size_t)(at - out->at);
}

void pw_json_put_text(struct pw_json_writer *json, struct pw_str text)
{
    bool plain =
        text.len > 0 && pw_json_plain_end(text.at, text.at + text.len) == text.at + text.len;
    put_quoted(json, text, plain);
}

void pw_json_put_word(struct pw_json_writer *json, struct pw_str word)
{
    put_quoted(json, word, true);
}

static void end_key(struct pw_json_writer *json)
{
    pw_put_c(json->out, ':');
    json->comma = false;
}

void pw_json_key(struct pw_json_writer *json, const char *key)
{
    pw_json_put_s(json, key);
    end_key(json);
}

void pw_json_key_word(struct pw_json_writer *json, struct pw_str key)
{
    pw_json_put_word(json, key);
    end_key(json);
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

void pw_json_say_text(struct pw_json_writer *json, const char *key, struct pw_str text)
{
    pw_json_key(json, key);
    pw_json_put_text(json, text);
}

void pw_json_say_s(struct pw_json_writer *json, const char *key, const char *terminated)
{
    pw_json_say_text(json, key, pw_str_of(terminated));
}

void pw_json_say_int(struct pw_json_writer *json, const char *key, int64_t value)
{
    pw_json_key(json, key);
    pw_json_put_int(json, value);
}

void pw_json_say_fixed(struct pw_json_writer *json, const char *key, int64_t value,
                       unsigned decimals)
{
    pw_json_key(json, key);
    pw_json_put_fixed(json, value, decimals);
}

void pw_json_say_bool(struct pw_json_writer *json, const char *key, bool value)
{
    pw_json_key(json, key);
    pw_json_put_bool(json, value);
}

void pw_json_say_raw(struct pw_json_writer *json, const char *key, struct pw_str json_text)
{
    pw_json_key(json, key);
    pw_json_put_raw(json, json_text);
}

void pw_json_say_known(struct pw_json_writer *json, const char *key, bool known, int64_t value,
                       unsigned decimals)
{
    if (known) {
        pw_json_say_fixed(json, key, value, decimals);
    } else {
        pw_json_say_raw(json, key, PW_STR("null"));
    }
}

void pw_json_say_known_s(struct pw_json_writer *json, const char *key, const char *terminated)
{
    if (terminated[0] != '\0') {
        pw_json_say_s(json, key, terminated);
    } else {
        pw_json_say_raw(json, key, PW_STR("null"));
    }
}

void pw_json_say_known_time(struct pw_json_writer *json, const char *key, pw_unix_ms wall)
{
    pw_json_key(json, key);
    if (wall > 0) {
        pw_json_put_time(json, wall);
    } else {
        pw_json_put_null(json);
    }
}

void pw_json_put_error(struct pw_out *out, const char *code, struct pw_str message)
{
    out->len = 0;
    out->full = false;
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "error");
    pw_json_open(&json, '{');
    pw_json_key(&json, "code");
    pw_json_put_s(&json, code);
    pw_json_key(&json, "message");
    pw_json_put_text(&json, message);
    pw_json_close(&json, '}');
    pw_json_close(&json, '}');
}

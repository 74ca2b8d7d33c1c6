// The reader: one pass over the text, one state per step, open containers on a small stack.
#include "json/json.h"
#include "json/utf8.h"

#include <string.h>

// What may come next, white space aside.
enum expect {
    VALUE,
    VALUE_OR_CLOSE,
    KEY,
    KEY_OR_CLOSE,
    COMMA_OR_CLOSE,
    NOTHING,
};

struct reader {
    struct pw_json *json;
    const char *at;
    const char *end;
    enum expect expect;
    uint32_t depth;
    uint16_t open[PW_JSON_DEPTH_MAX]; // nodes of the containers not closed yet
};

static bool fail(struct reader *reader, enum pw_json_fault fault)
{
    reader->json->fault = fault;
    return false;
}

static void skip_space(struct reader *reader)
{
    const char *at = reader->at;
    while (at < reader->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    reader->at = at;
}

static struct pw_json_node *add(struct reader *reader, enum pw_json_kind kind)
{
    struct pw_json *json = reader->json;
    if (json->count == json->cap || json->count == PW_JSON_NODES_MAX) {
        (void)fail(reader, PW_JSON_TOO_MANY);
        return NULL;
    }
    struct pw_json_node *node = &json->node[json->count++];
    *node = (struct pw_json_node){.at = reader->at, .span = 1, .kind = (uint8_t)kind};
    return node;
}

// --- Strings.

// The first byte from `at` that is not plain: a quote, a backslash, a control byte, or no ASCII.
static const char *plain_end(const char *at, const char *end)
{
    // A machine word at a time. A byte's top bit is set in `below` if it is under 0x20, in `quote`
    // and `slash` if it is that character, in the word itself if it is no ASCII. A borrow can only
    // mark a byte above one that is marked already, and then the bytes are looked at one by one.
    const size_t ones = SIZE_MAX / 0xFF;
    for (size_t word; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        size_t below = word - ones * 0x20;
        size_t quote = (word ^ (ones * '"')) - ones;
        size_t slash = (word ^ (ones * '\\')) - ones;
        if (((below | quote | slash | word) & (ones * 0x80)) != 0) {
            break;
        }
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four digits after \u; -1 if they are not there.
static int32_t take_unit(struct reader *reader)
{
    int32_t unit = 0;
    if (reader->end - reader->at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*reader->at++);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

// The character of a \u escape, of both if it takes a surrogate pair; -1 if it is bad.
static int32_t take_escaped_character(struct reader *reader)
{
    int32_t high = take_unit(reader);
    if (high < 0xD800 || high > 0xDFFF) {
        return high;
    }
    if (high > 0xDBFF || reader->end - reader->at < 2 || reader->at[0] != '\\' ||
        reader->at[1] != 'u') {
        return -1;
    }
    reader->at += 2;
    int32_t low = take_unit(reader);
    if (low < 0xDC00 || low > 0xDFFF) {
        return -1;
    }
    return 0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00);
}

static size_t put_utf8(char to[4], uint32_t character)
{
    if (character < 0x80) {
        to[0] = (char)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1;) {
        to[i] = (char)(0x80U | (character & 0x3FU));
        character >>= 6;
    }
    to[0] = (char)((0xF00U >> size & 0xFFU) | character);
    return size;
}

static bool spare(struct reader *reader, const char *from, size_t len)
{
    struct pw_json *json = reader->json;
    if (len > json->spare_cap - json->spare_len) {
        return fail(reader, PW_JSON_NO_SPARE);
    }
    if (len > 0) {
        memcpy(json->spare + json->spare_len, from, len);
        json->spare_len += len;
    }
    return true;
}

// At a backslash: its meaning goes to the spare room.
static bool unescape(struct reader *reader)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    reader->at++;
    if (reader->at == reader->end) {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    char c = *reader->at++;
    if (c == 'u') {
        char utf8[4];
        int32_t character = take_escaped_character(reader);
        if (character < 0) {
            return fail(reader, PW_JSON_BAD_ESCAPE);
        }
        return spare(reader, utf8, put_utf8(utf8, (uint32_t)character));
    }
    const char *found = memchr(escapes, c, sizeof(escapes) - 1);
    if (found == NULL) {
        return fail(reader, PW_JSON_BAD_ESCAPE);
    }
    return spare(reader, &meanings[found - escapes], 1);
}

// The rest of a string that holds an escape: `start` is its first byte, reader->at the backslash.
static bool read_escaped(struct reader *reader, struct pw_json_node *node, const char *start)
{
    struct pw_json *json = reader->json;
    size_t spare_start = json->spare_len;
    while (reader->at < reader->end) {
        const char *stop = plain_end(reader->at, reader->end);
        size_t wide = stop < reader->end && (unsigned char)*stop >= 0x80
                          ? pw_json_utf8_size(stop, (size_t)(reader->end - stop))
                          : 0;
        reader->at = stop + wide;
        if (wide > 0) {
            continue;
        }
        if (!spare(reader, start, (size_t)(stop - start))) {
            return false;
        }
        if (stop == reader->end) {
            break;
        }
        if (*stop == '"') {
            reader->at++;
            node->at = json->spare + spare_start;
            node->len = (uint32_t)(json->spare_len - spare_start);
            return true;
        }
        if (*stop != '\\') {
            return fail(reader,
                        (unsigned char)*stop < 0x20 ? PW_JSON_BAD_SYNTAX : PW_JSON_BAD_UTF8);
        }
        if (!unescape(reader)) {
            return false;
        }
        start = reader->at;
    }
    return fail(reader, PW_JSON_BAD_SYNTAX);
}

// At the opening quote.
static struct pw_json_node *read_string(struct reader *reader)
{
    struct pw_json_node *node = add(reader, PW_JSON_STRING);
    if (node == NULL) {
        return NULL;
    }
    const char *start = ++reader->at;
    for (;;) {
        const char *stop = plain_end(reader->at, reader->end);
        reader->at = stop;
        if (stop == reader->end || (unsigned char)*stop < 0x20) {
            (void)fail(reader, PW_JSON_BAD_SYNTAX);
            return NULL;
        }
        if (*stop == '"') {
            reader->at++;
            node->at = start;
            node->len = (uint32_t)(stop - start);
            return node;
        }
        if (*stop == '\\') {
            return read_escaped(reader, node, start) ? node : NULL;
        }
        size_t wide = pw_json_utf8_size(stop, (size_t)(reader->end - stop));
        if (wide == 0) {
            (void)fail(reader, PW_JSON_BAD_UTF8);
            return NULL;
        }
        reader->at += wide;
    }
}

// --- Numbers and words.

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

// The end of the number at `at`, or NULL (RFC 8259 §6).
static const char *number_end(const char *at, const char *end)
{
    at += at < end && *at == '-' ? 1 : 0;
    const char *part = digits_end(at, end);
    if (part == at || (*at == '0' && part - at > 1)) {
        return NULL;
    }
    if (part < end && *part == '.') {
        at = part + 1;
        part = digits_end(at, end);
        if (part == at) {
            return NULL;
        }
    }
    if (part < end && (*part == 'e' || *part == 'E')) {
        at = part + 1;
        at += at < end && (*at == '+' || *at == '-') ? 1 : 0;
        part = digits_end(at, end);
        if (part == at) {
            return NULL;
        }
    }
    return part;
}

static bool read_number(struct reader *reader)
{
    struct pw_json_node *node = add(reader, PW_JSON_NUMBER);
    if (node == NULL) {
        return false;
    }
    const char *end = number_end(reader->at, reader->end);
    if (end == NULL) {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    node->len = (uint32_t)(end - reader->at);
    reader->at = end;
    return true;
}

static bool read_word(struct reader *reader, enum pw_json_kind kind, struct pw_str word)
{
    struct pw_json_node *node = add(reader, kind);
    if (node == NULL) {
        return false;
    }
    if ((size_t)(reader->end - reader->at) < word.len ||
        memcmp(reader->at, word.at, word.len) != 0) {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    node->len = (uint32_t)word.len;
    reader->at += word.len;
    return true;
}

// --- Structure.

static bool open_container(struct reader *reader, enum pw_json_kind kind)
{
    if (reader->depth == PW_JSON_DEPTH_MAX) {
        return fail(reader, PW_JSON_TOO_DEEP);
    }
    struct pw_json_node *node = add(reader, kind);
    if (node == NULL) {
        return false;
    }
    node->span = 0;
    reader->open[reader->depth++] = (uint16_t)(node - reader->json->node);
    reader->at++;
    reader->expect = kind == PW_JSON_ARRAY ? VALUE_OR_CLOSE : KEY_OR_CLOSE;
    return true;
}

static bool close_container(struct reader *reader)
{
    struct pw_json *json = reader->json;
    struct pw_json_node *node = &json->node[reader->open[reader->depth - 1]];
    if (*reader->at != (node->kind == PW_JSON_ARRAY ? ']' : '}')) {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    reader->at++;
    node->len = (uint32_t)(reader->at - node->at);
    node->span = (uint16_t)(json->count - reader->open[reader->depth - 1]);
    reader->depth--;
    reader->expect = reader->depth == 0 ? NOTHING : COMMA_OR_CLOSE;
    return true;
}

static bool read_value(struct reader *reader)
{
    bool good = false;
    switch (*reader->at) {
    case '{': return open_container(reader, PW_JSON_OBJECT);
    case '[': return open_container(reader, PW_JSON_ARRAY);
    case '"': good = read_string(reader) != NULL; break;
    case 't': good = read_word(reader, PW_JSON_TRUE, PW_STR("true")); break;
    case 'f': good = read_word(reader, PW_JSON_FALSE, PW_STR("false")); break;
    case 'n': good = read_word(reader, PW_JSON_NULL, PW_STR("null")); break;
    default: good = read_number(reader); break;
    }
    reader->expect = reader->depth == 0 ? NOTHING : COMMA_OR_CLOSE;
    return good;
}

// Whether the key read last is new in its object.
static bool check_key(struct reader *reader, const struct pw_json_node *key)
{
    uint32_t members = 0;
    const struct pw_json_node *other = &reader->json->node[reader->open[reader->depth - 1] + 1];
    for (; other < key; other += 1 + other[1].span) {
        if (other->len == key->len && memcmp(other->at, key->at, key->len) == 0) {
            return fail(reader, PW_JSON_DUPLICATE_KEY);
        }
        if (++members == PW_JSON_MEMBERS_MAX) {
            return fail(reader, PW_JSON_TOO_MANY);
        }
    }
    return true;
}

static bool read_key(struct reader *reader)
{
    if (*reader->at != '"') {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    const char *start = reader->at;
    const struct pw_json_node *key = read_string(reader);
    if (key == NULL) {
        return false;
    }
    if (!check_key(reader, key)) {
        reader->at = start;
        return false;
    }
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != ':') {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    reader->at++;
    reader->expect = VALUE;
    return true;
}

static bool read_comma(struct reader *reader)
{
    if (*reader->at != ',') {
        return close_container(reader);
    }
    reader->at++;
    bool in_array = reader->json->node[reader->open[reader->depth - 1]].kind == PW_JSON_ARRAY;
    reader->expect = in_array ? VALUE : KEY;
    return true;
}

static bool step(struct reader *reader)
{
    skip_space(reader);
    if (reader->at == reader->end) {
        return fail(reader, PW_JSON_BAD_SYNTAX);
    }
    switch (reader->expect) {
    case VALUE_OR_CLOSE: return *reader->at == ']' ? close_container(reader) : read_value(reader);
    case VALUE: return read_value(reader);
    case KEY_OR_CLOSE: return *reader->at == '}' ? close_container(reader) : read_key(reader);
    case KEY: return read_key(reader);
    case COMMA_OR_CLOSE: return read_comma(reader);
    case NOTHING: break;
    }
    PW_UNREACHABLE();
}

static bool read_all(struct reader *reader, size_t len)
{
    if (len > PW_JSON_TEXT_MAX) {
        return fail(reader, PW_JSON_TOO_LONG);
    }
    while (reader->expect != NOTHING) {
        if (!step(reader)) {
            return false;
        }
    }
    skip_space(reader);
    return reader->at == reader->end || fail(reader, PW_JSON_TRAILING);
}

int pw_json_read(struct pw_json *json, struct pw_str text)
{
    struct reader reader = {.json = json, .at = text.at, .end = text.at, .expect = VALUE};
    if (text.len > 0) {
        reader.end += text.len;
    }
    json->count = 0;
    json->spare_len = 0;
    json->fault = PW_JSON_FINE;
    json->fault_at = 0;
    if (read_all(&reader, text.len)) {
        return PW_OK;
    }
    json->fault_at = text.len == 0 ? 0 : (size_t)(reader.at - text.at);
    return json->fault >= PW_JSON_TOO_DEEP ? PW_ERR_LIMIT : PW_ERR_PEER;
}

static const char *const fault_names[] = {
    "fine",
    "no JSON",
    "no UTF-8",
    "bad escape",
    "duplicate key",
    "text after the value",
    "nested too deeply",
    "too many values",
    "too long",
    "no room for escaped text",
};

const char *pw_json_fault_name(enum pw_json_fault fault)
{
    PW_ASSERT((size_t)fault < PW_COUNT(fault_names));
    return fault_names[fault];
}

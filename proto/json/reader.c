// The reader: one pass over the text. Each turn of its loop takes one element or member of the
// container that is open; a value that opens a container makes it the open one.
//
// Functions that read take the place to read at and return the place after it, or NULL when they
// have noted a fault: so the place stays in a register.
#include "json/json.h"
#include "json/plain.h"
#include "json/utf8.h"

#include <string.h>

// A container that is not closed yet.
struct open {
    struct pw_json_node *node;
    bool object;
    bool begun;      // it holds something
    uint8_t members; // read so far
    uint32_t seen;   // one bit for each hash of its keys
};

struct reader {
    struct pw_json *json;
    const char *start;
    const char *end;
    struct pw_json_node *next; // to fill
    struct pw_json_node *last; // behind the array
    uint32_t depth;
    struct open open[PW_JSON_DEPTH_MAX];
};

// Rare paths stay out of the loop: their bulk would slow down what every byte takes.
#define RARE __attribute__((noinline, cold))

RARE static const char *fail(struct reader *reader, const char *at, enum pw_json_fault fault)
{
    reader->json->fault = fault;
    reader->json->fault_at = at == NULL ? 0 : (size_t)(at - reader->start);
    return NULL;
}

static const char *skip_space(const char *at, const char *end)
{
    // Most texts have none: one comparison tells.
    if (at < end && (unsigned char)*at > ' ') {
        return at;
    }
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

// Adds a node for the value that starts at `at` and ends at `after`.
static const char *add(struct reader *reader, enum pw_json_kind kind, const char *at,
                       const char *after)
{
    if (reader->next == reader->last) {
        return fail(reader, at, PW_JSON_TOO_MANY);
    }
    *reader->next++ = (struct pw_json_node){
        .at = at, .len = (uint32_t)(after - at), .span = 1, .kind = (uint8_t)kind};
    return after;
}

// --- Strings.

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The four digits after \u; -1 if they are not there.
static int32_t unit_at(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

// The character of a \u escape, of both if it takes a surrogate pair; -1 if it is bad. *at is
// after the 'u', and then after the digits.
static int32_t take_escaped_character(const char **at, const char *end)
{
    int32_t high = unit_at(*at, end);
    if (high < 0xD800 || high > 0xDFFF) {
        *at += high < 0 ? 0 : 4;
        return high;
    }
    if (high > 0xDBFF || end - *at < 6 || (*at)[4] != '\\' || (*at)[5] != 'u') {
        return -1;
    }
    int32_t low = unit_at(*at + 6, end);
    if (low < 0xDC00 || low > 0xDFFF) {
        return -1;
    }
    *at += 10;
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

// Adds to the spare room; `at` is where the text stands if there is none left.
static bool spare(struct reader *reader, const char *at, const char *from, size_t len)
{
    struct pw_json *json = reader->json;
    if (len > json->spare_cap - json->spare_len) {
        (void)fail(reader, at, PW_JSON_NO_SPARE);
        return false;
    }
    if (len > 0) {
        memcpy(json->spare + json->spare_len, from, len);
        json->spare_len += len;
    }
    return true;
}

// After a backslash: what it stands for goes to the spare room.
static const char *unescape(struct reader *reader, const char *at)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char utf8[4];
    if (at == reader->end) {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    const char *found = memchr(escapes, *at, sizeof(escapes) - 1);
    if (found != NULL) {
        return spare(reader, at, &meanings[found - escapes], 1) ? at + 1 : NULL;
    }
    if (*at++ != 'u') {
        return fail(reader, at, PW_JSON_BAD_ESCAPE);
    }
    int32_t character = take_escaped_character(&at, reader->end);
    if (character < 0) {
        return fail(reader, at, PW_JSON_BAD_ESCAPE);
    }
    return spare(reader, at, utf8, put_utf8(utf8, (uint32_t)character)) ? at : NULL;
}

// A string that is not plain, from its first byte on. As long as it has no escape it is a view of
// the source; from the first one on it is gathered in the spare room.
RARE static const char *read_characters(struct reader *reader, const char *at)
{
    const struct pw_json *json = reader->json;
    size_t spare_start = json->spare_len;
    const char *start = at; // of what is not in the spare room yet
    bool escaped = false;
    for (;;) {
        at = pw_json_plain_end(at, reader->end);
        if (at == reader->end || (unsigned char)*at < 0x20) {
            return fail(reader, at, PW_JSON_BAD_SYNTAX);
        }
        if ((unsigned char)*at >= 0x80) {
            size_t size = pw_json_utf8_size(at, (size_t)(reader->end - at));
            if (size == 0) {
                return fail(reader, at, PW_JSON_BAD_UTF8);
            }
            at += size;
            continue;
        }
        if (*at == '"' && !escaped) {
            return add(reader, PW_JSON_STRING, start, at) == NULL ? NULL : at + 1;
        }
        if (!spare(reader, at, start, (size_t)(at - start))) {
            return NULL;
        }
        if (*at == '"') {
            const char *text = json->spare + spare_start;
            const char *end = json->spare + json->spare_len;
            return add(reader, PW_JSON_STRING, text, end) == NULL ? NULL : at + 1;
        }
        escaped = true;
        at = unescape(reader, at + 1);
        if (at == NULL) {
            return NULL;
        }
        start = at;
    }
}

// At the opening quote. Most strings are short and plain: those end here.
static const char *read_string(struct reader *reader, const char *at)
{
    const char *stop = pw_json_plain_end(++at, reader->end);
    if (stop == reader->end || *stop != '"') {
        return read_characters(reader, at);
    }
    return add(reader, PW_JSON_STRING, at, stop) == NULL ? NULL : stop + 1;
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

static const char *read_number(struct reader *reader, const char *at)
{
    const char *after = number_end(at, reader->end);
    return after == NULL ? fail(reader, at, PW_JSON_BAD_SYNTAX)
                         : add(reader, PW_JSON_NUMBER, at, after);
}

static const char *read_word(struct reader *reader, const char *at, enum pw_json_kind kind,
                             struct pw_str word)
{
    if ((size_t)(reader->end - at) < word.len || memcmp(at, word.at, word.len) != 0) {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    return add(reader, kind, at, at + word.len);
}

// --- Structure.

static const char *open_container(struct reader *reader, const char *at, enum pw_json_kind kind)
{
    if (reader->depth == PW_JSON_DEPTH_MAX) {
        return fail(reader, at, PW_JSON_TOO_DEEP);
    }
    if (add(reader, kind, at, at) == NULL) {
        return NULL;
    }
    struct pw_json_node *node = reader->next - 1;
    node->span = 0;
    reader->open[reader->depth++] = (struct open){
        .node = node,
        .object = kind == PW_JSON_OBJECT,
    };
    return at + 1;
}

static const char *close_container(struct reader *reader, const char *at)
{
    struct pw_json_node *node = reader->open[--reader->depth].node;
    node->len = (uint32_t)(at + 1 - node->at);
    node->span = (uint16_t)(reader->next - node);
    return at + 1;
}

static const char *read_value(struct reader *reader, const char *at)
{
    at = skip_space(at, reader->end);
    if (at == reader->end) {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    switch (*at) {
    case '"': return read_string(reader, at);
    case '{': return open_container(reader, at, PW_JSON_OBJECT);
    case '[': return open_container(reader, at, PW_JSON_ARRAY);
    case 't': return read_word(reader, at, PW_JSON_TRUE, PW_STR("true"));
    case 'f': return read_word(reader, at, PW_JSON_FALSE, PW_STR("false"));
    case 'n': return read_word(reader, at, PW_JSON_NULL, PW_STR("null"));
    default: return read_number(reader, at);
    }
}

// Whether another key of the open object is the same.
static bool is_known(const struct open *open, const struct pw_json_node *key)
{
    const struct pw_json_node *other = open->node + 1;
    for (; other < key; other += 1 + other[1].span) {
        if (other->len == key->len && memcmp(other->at, key->at, key->len) == 0) {
            return true;
        }
    }
    return false;
}

// Only keys of the same hash need to be looked at for a duplicate.
static uint32_t key_bit(const struct pw_json_node *key)
{
    uint32_t hash = key->len;
    if (key->len > 0) {
        hash += (uint32_t)(unsigned char)key->at[0] * 5 +
                (uint32_t)(unsigned char)key->at[key->len - 1] * 3;
    }
    return 1U << (hash % 32);
}

static const char *read_key(struct reader *reader, const char *at)
{
    struct open *open = &reader->open[reader->depth - 1];
    at = skip_space(at, reader->end);
    if (at == reader->end || *at != '"') {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    if (open->members == PW_JSON_MEMBERS_MAX) {
        return fail(reader, at, PW_JSON_TOO_MANY);
    }
    const struct pw_json_node *key = reader->next;
    const char *after = read_string(reader, at);
    if (after == NULL) {
        return NULL;
    }
    uint32_t bit = key_bit(key);
    if ((open->seen & bit) != 0 && is_known(open, key)) {
        return fail(reader, at, PW_JSON_DUPLICATE_KEY);
    }
    open->seen |= bit;
    open->members++;
    at = skip_space(after, reader->end);
    if (at == reader->end || *at != ':') {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    return at + 1;
}

// One turn inside the open container: its end, or a comma if one is due and the next value.
static const char *read_inside(struct reader *reader, const char *at)
{
    struct open *open = &reader->open[reader->depth - 1];
    at = skip_space(at, reader->end);
    if (at == reader->end) {
        return fail(reader, at, PW_JSON_BAD_SYNTAX);
    }
    if (*at == (open->object ? '}' : ']')) {
        return close_container(reader, at);
    }
    if (open->begun) {
        if (*at != ',') {
            return fail(reader, at, PW_JSON_BAD_SYNTAX);
        }
        at++;
    }
    open->begun = true;
    if (open->object) {
        at = read_key(reader, at);
    }
    return at == NULL ? NULL : read_value(reader, at);
}

static bool read_all(struct reader *reader, size_t len)
{
    if (len > PW_JSON_TEXT_MAX) {
        (void)fail(reader, reader->start, PW_JSON_TOO_LONG);
        return false;
    }
    const char *at = read_value(reader, reader->start);
    while (at != NULL && reader->depth > 0) {
        at = read_inside(reader, at);
    }
    if (at == NULL) {
        return false;
    }
    at = skip_space(at, reader->end);
    if (at != reader->end) {
        (void)fail(reader, at, PW_JSON_TRAILING);
    }
    return at == reader->end;
}

int pw_json_read(struct pw_json *json, struct pw_str text)
{
    struct reader reader; // its containers are set as they open
    reader.json = json;
    reader.start = text.len == 0 ? "" : text.at;
    reader.end = reader.start + text.len;
    reader.next = json->node;
    reader.last = json->node + (json->cap < PW_JSON_NODES_MAX ? json->cap : PW_JSON_NODES_MAX);
    reader.depth = 0;
    json->spare_len = 0;
    json->fault = PW_JSON_FINE;
    json->fault_at = 0;
    bool good = read_all(&reader, text.len);
    json->count = (uint32_t)(reader.next - json->node);
    if (good) {
        return PW_OK;
    }
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

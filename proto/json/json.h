// json: a bounded reader and a streaming writer. No heap, no recursion, no float.
//
// The reader is strict RFC 8259: UTF-8 and \u escapes are checked (a lone surrogate is refused),
// keys are unique in their object, nothing follows the value. It makes an index of nodes in the
// caller's array; strings that hold escapes are unescaped once, into the caller's spare room, so
// every string a node shows is plain text. Numbers stay text until asked for, and are then exact
// decimals in integers.
#ifndef PW_JSON_H
#define PW_JSON_H

#include "base/base.h"

enum {
    PW_JSON_DEPTH_MAX = 16,     // objects and arrays open at once
    PW_JSON_MEMBERS_MAX = 128,  // members of one object; bounds the search for duplicate keys
    PW_JSON_NODES_MAX = 0xFFFF, // nodes of one text, however large the caller's array
    PW_JSON_TEXT_MAX = 1 << 24, // bytes of one text
};

enum pw_json_kind {
    PW_JSON_NULL,
    PW_JSON_FALSE,
    PW_JSON_TRUE,
    PW_JSON_NUMBER,
    PW_JSON_STRING,
    PW_JSON_ARRAY,
    PW_JSON_OBJECT,
};

// One value. Nodes lie in the order of the text: a container is followed by all it holds, in an
// object key (a string) and value take turns. 16 bytes on a 64-bit machine, 12 on a 32-bit one.
struct pw_json_node {
    const char *at; // a string: its plain text; anything else: its bytes in the source
    uint32_t len;
    uint16_t span; // nodes up to the next value beside this one; 1 for a leaf
    uint8_t kind;  // enum pw_json_kind
};

// What can be wrong with a text.
enum pw_json_fault {
    PW_JSON_FINE,
    PW_JSON_BAD_SYNTAX,
    PW_JSON_BAD_UTF8,
    PW_JSON_BAD_ESCAPE,    // unknown escape, or half of a surrogate pair
    PW_JSON_DUPLICATE_KEY, // the same key twice in one object
    PW_JSON_TRAILING,      // more than white space after the value
    PW_JSON_TOO_DEEP,      // PW_JSON_DEPTH_MAX
    PW_JSON_TOO_MANY,      // the node array, PW_JSON_NODES_MAX or PW_JSON_MEMBERS_MAX
    PW_JSON_TOO_LONG,      // PW_JSON_TEXT_MAX
    PW_JSON_NO_SPARE,      // the spare room for unescaped strings
};

// A text being read. The first four fields belong to the caller: set them once, read many texts.
struct pw_json {
    struct pw_json_node *node; // the index; node[0] is the whole value
    uint32_t cap;              // nodes in it: a text of n bytes never needs more than n / 2 + 1
    char *spare;               // for strings with escapes; as long as the text is always enough
    size_t spare_cap;          // 0 refuses texts with escapes (spare may then be NULL)

    // Results of the last read.
    uint32_t count;           // nodes filled; after a refusal they are those before the fault,
                              // and containers not closed yet have span 0
    size_t spare_len;         // bytes of spare used
    enum pw_json_fault fault; // why it was refused
    size_t fault_at;          // offset in the text where
};

// Reads a whole text. The nodes borrow from `text` and from the spare room. PW_ERR_PEER for a bad
// text, PW_ERR_LIMIT for one beyond a bound; `fault` tells which. Cost: one pass over the bytes.
PW_MUST_USE int pw_json_read(struct pw_json *json, struct pw_str text);

// A few words for a fault ("duplicate key"). Never NULL.
const char *pw_json_fault_name(enum pw_json_fault fault);

// --- Looking. A NULL node is "not there": every look-up accepts it and finds nothing.

// The value under `key`, or NULL: no such member, or not an object. Linear in the members.
const struct pw_json_node *pw_json_member(const struct pw_json_node *object, const char *key);

// Going through an array or object: next() gives one value a call, NULL after the last. In an
// object `key` holds the member's name.
//     struct pw_json_iter it = pw_json_each(array);
//     for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) …
struct pw_json_iter {
    const struct pw_json_node *at;
    const struct pw_json_node *end;
    bool named;
    struct pw_str key;
};
struct pw_json_iter pw_json_each(const struct pw_json_node *container);
const struct pw_json_node *pw_json_next(struct pw_json_iter *iter);
uint32_t pw_json_count(const struct pw_json_node *container); // elements or members

bool pw_json_is(const struct pw_json_node *node, enum pw_json_kind kind);

// The readings below answer PW_ERR_UNKNOWN for NULL, PW_ERR_PEER for another kind of value,
// PW_ERR_RANGE for a number that does not fit, and leave *value alone on error.

// The number times 10^decimals, exactly. "16.5" with 1 gives 165; "1e2" with 0 gives 100; "0.05"
// with 1 is PW_ERR_RANGE. decimals ≤ 18.
PW_MUST_USE int pw_json_fixed(const struct pw_json_node *node, unsigned decimals, int64_t *value);
// A whole number in [min, max]. "5.0" and "5e0" are whole.
PW_MUST_USE int pw_json_int(const struct pw_json_node *node, int64_t min, int64_t max,
                            int64_t *value);
PW_MUST_USE int pw_json_bool(const struct pw_json_node *node, bool *value);
PW_MUST_USE int pw_json_text(const struct pw_json_node *node, struct pw_str *value);
// The string, terminated, in the caller's array. PW_ERR_LIMIT when it does not fit.
PW_MUST_USE int pw_json_copy(const struct pw_json_node *node, char *to, size_t cap);

// Characters (Unicode code points) of a valid UTF-8 text: what maxLength and CiString count.
size_t pw_json_chars(struct pw_str utf8);
// The longest head of at most `chars` characters, cut on a character's border.
struct pw_str pw_json_head(struct pw_str utf8, size_t chars);

// --- Writing. Commas are set where they belong; the caller pairs open and close, and puts a key
// before each value in an object. What does not fit is seen in out->full.

struct pw_json_writer {
    struct pw_out *out;
    bool comma; // a value stands before the next one
};

#define PW_JSON_WRITER(pw_out) ((struct pw_json_writer){.out = (pw_out)})

void pw_json_open(struct pw_json_writer *json, char bracket);  // '{' or '['
void pw_json_close(struct pw_json_writer *json, char bracket); // '}' or ']'
void pw_json_key(struct pw_json_writer *json, const char *key);
// Escaped as needed; a byte that is no UTF-8 leaves as U+FFFD, so what is written is always JSON.
void pw_json_put_text(struct pw_json_writer *json, struct pw_str text);
void pw_json_put_s(struct pw_json_writer *json, const char *terminated);
// Words of our own tables, printable ASCII without quote and backslash: nothing in them is looked
// at. Never for what came from outside.
void pw_json_put_word(struct pw_json_writer *json, struct pw_str word);
void pw_json_key_word(struct pw_json_writer *json, struct pw_str key);
void pw_json_put_int(struct pw_json_writer *json, int64_t value);
void pw_json_put_fixed(struct pw_json_writer *json, int64_t value, unsigned decimals);
void pw_json_put_bool(struct pw_json_writer *json, bool value);
void pw_json_put_null(struct pw_json_writer *json);
void pw_json_put_time(struct pw_json_writer *json, pw_unix_ms wall); // as a string
// Text that already is JSON: a payload kept, a value cut from a read text.
void pw_json_put_raw(struct pw_json_writer *json, struct pw_str json_text);
// A member whole: key and value.
void pw_json_say_text(struct pw_json_writer *json, const char *key, struct pw_str text);
void pw_json_say_s(struct pw_json_writer *json, const char *key, const char *terminated);
void pw_json_say_int(struct pw_json_writer *json, const char *key, int64_t value);
void pw_json_say_fixed(struct pw_json_writer *json, const char *key, int64_t value,
                       unsigned decimals);
void pw_json_say_bool(struct pw_json_writer *json, const char *key, bool value);
void pw_json_say_raw(struct pw_json_writer *json, const char *key, struct pw_str json_text);
// The same where nothing may be known: null for what is not, for an empty text, for no time.
void pw_json_say_known(struct pw_json_writer *json, const char *key, bool known, int64_t value,
                       unsigned decimals);
void pw_json_say_known_s(struct pw_json_writer *json, const char *key, const char *terminated);
void pw_json_say_known_time(struct pw_json_writer *json, const char *key, pw_unix_ms wall);
// Starts *out anew with the answer that every interface of ours gives to what it refuses:
// {"error":{"code":CODE,"message":MESSAGE}}.
void pw_json_put_error(struct pw_out *out, const char *code, struct pw_str message);

#endif

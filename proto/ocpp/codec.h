// The codec: messages are rows, one interpreter checks, decodes and encodes them. It knows no
// version; the rows of OCPP 1.6 are in v16/.
//
// Decoding gives views into the text that was read: they live as long as the pw_json and its text.
#ifndef PW_OCPP_CODEC_H
#define PW_OCPP_CODEC_H

#include "base/base.h"
#include "json/json.h"

// Error codes of a CALLERROR, OCPP-J 1.6 §4.2.3. OCCURENCE and FORMATION go over the wire as that
// table has them; the right spellings are understood too (errata 5.1, 5.2).
enum pw_ocpp_error {
    PW_OCPP_NOT_IMPLEMENTED, // the action is not known
    PW_OCPP_NOT_SUPPORTED,   // known, but not offered here
    PW_OCPP_INTERNAL_ERROR,  // our own trouble: no room, no store
    PW_OCPP_PROTOCOL_ERROR,  // the frame is incomplete
    PW_OCPP_SECURITY_ERROR,  // not allowed, or not yet (before BootNotification is accepted)
    // No JSON, not an object, a duplicate or unknown key.
    PW_OCPP_FORMATION_VIOLATION,
    // The right type with a value that is not allowed: too long, out of range, no such word.
    PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
    // A required field is missing, a list that may not be is empty.
    PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION,
    // The wrong JSON type.
    PW_OCPP_TYPE_CONSTRAINT_VIOLATION,
    PW_OCPP_GENERIC_ERROR, // anything else
};

enum {
    PW_OCPP_FAULT_MAX = 192, // bytes of a fault's text with its NUL
    PW_OCPP_NEST_MAX = 5,    // objects within objects, lists counted through
    PW_OCPP_OTHER = -1,      // a code that is in no list (see pw_ocpp_word)
};

// What is wrong with a message: the answer's code and a text naming the field (with its path), the
// value and what is allowed: "meterValue[0].sampledValue[2].unit: \"Furlong\" is not a known
// value".
struct pw_ocpp_fault {
    enum pw_ocpp_error code;
    char text[PW_OCPP_FAULT_MAX];
};

// How strictly to read. 0: unknown keys are skipped, all else is refused.
enum pw_ocpp_policy {
    PW_OCPP_REFUSE_UNKNOWN_KEYS = 1, // as the schemas have it (erratum J 3.2)
    PW_OCPP_KEEP_UNKNOWN_CODES = 2,  // in fields of type pw_ocpp_word only
    PW_OCPP_NULL_IS_ABSENT = 4,      // "info": null for an optional field counts as not there
};

// --- Field types that are more than an integer, a bool, an enum or a pw_str.

// An enumeration that grows in the field (measurand, unit…): the code and the text as received.
// With code PW_OCPP_OTHER only the text says what it is; otherwise encoding looks at the code only.
struct pw_ocpp_word {
    int16_t code;
    struct pw_str text;
};

struct pw_ocpp_object;

// A list. To send: set items and count (an array of the element's struct). Received: go through it
// with pw_ocpp_each; the elements were checked already when the message was decoded.
struct pw_ocpp_list {
    const void *items;
    const struct pw_json_node *node;
    const struct pw_ocpp_object *of; // set by decode
    uint32_t count;
    uint8_t policy; // set by decode
};

struct pw_ocpp_iter {
    struct pw_json_iter json;
    const struct pw_ocpp_object *of;
    uint8_t policy;
};

//     struct pw_ocpp16_meter_value meter_value;
//     for (struct pw_ocpp_iter it = pw_ocpp_each(&req.meter_value);
//          pw_ocpp_next(&it, &meter_value, sizeof(meter_value));) …
struct pw_ocpp_iter pw_ocpp_each(const struct pw_ocpp_list *received);
bool pw_ocpp_next(struct pw_ocpp_iter *iter, void *element, size_t element_size);

// --- Rows.

// The words of an enumeration, one after the other without separators, and their lengths.
struct pw_ocpp_codes {
    const char *text;
    const uint8_t *len;
    uint8_t count;
};

// The word for a code. PW_ASSERTs that it is one.
struct pw_str pw_ocpp_code_text(const struct pw_ocpp_codes *codes, int code);
// The code for a word (case matters), or PW_ERR_UNKNOWN.
PW_MUST_USE int pw_ocpp_code_find(const struct pw_ocpp_codes *codes, struct pw_str word);

enum pw_ocpp_kind {
    PW_OCPP_KIND_INT,    // int32_t, any
    PW_OCPP_KIND_NAT,    // int32_t, 0 and up
    PW_OCPP_KIND_POS,    // int32_t, 1 and up
    PW_OCPP_KIND_TENTHS, // int32_t, 0.1 units: a multiple of 0.1
    PW_OCPP_KIND_BOOL,   // bool
    PW_OCPP_KIND_TEXT,   // struct pw_str, at most `max` characters
    PW_OCPP_KIND_TIME,   // pw_unix_ms
    PW_OCPP_KIND_CODE,   // an enum
    PW_OCPP_KIND_WORD,   // struct pw_ocpp_word
    PW_OCPP_KIND_OBJECT, // the struct itself
    PW_OCPP_KIND_LIST,   // struct pw_ocpp_list
};

struct pw_ocpp_row {
    const char *key;
    union {
        uint32_t max;
        const struct pw_ocpp_codes *codes;
        const struct pw_ocpp_object *object;
    } of;
    uint16_t offset; // of the member
    uint8_t key_len;
    uint8_t kind : 5; // enum pw_ocpp_kind
    uint8_t must : 1; // required; a required list holds one element at least
    uint8_t some : 1; // a list that is optional but not empty when there
};

// A struct and its rows. `size` is the struct's.
struct pw_ocpp_object {
    const struct pw_ocpp_row *rows;
    uint32_t must; // the bits of the required fields
    uint16_t size;
    uint8_t count;
};

// A bare object stands for a value that has no key: its only row, with an empty key, describes the
// value itself (an element of a list of texts).
bool pw_ocpp_is_bare(const struct pw_ocpp_object *object);

// Every struct starts with `uint32_t has`, one bit a row in the order of the rows. Decoding sets
// the bits of what was there; encoding writes required fields always, optional ones by their bit.

// Checks `from` against the rows and fills the struct at `to` (object->size bytes). `policy` is a
// sum of enum pw_ocpp_policy. NULL and JSON null count as an empty object at the top (OCPP-J
// §4.2.1). PW_ERR_PEER: *fault says what is wrong, and nothing of `to` may be used.
PW_MUST_USE int pw_ocpp_decode(const struct pw_ocpp_object *object, const struct pw_json_node *from,
                               unsigned policy, void *to, struct pw_ocpp_fault *fault);

// Writes the struct as JSON. `from` may be NULL for an object without fields. Nothing is checked
// but what cannot be written (a code out of its list is our bug). See out->full for the end of the
// room.
void pw_ocpp_encode(const struct pw_ocpp_object *object, const void *from, struct pw_out *out);

// The wire's word for an error code, and back: PW_OCPP_GENERIC_ERROR for one not known.
struct pw_str pw_ocpp_error_text(enum pw_ocpp_error code);
enum pw_ocpp_error pw_ocpp_error_find(struct pw_str word);

#endif

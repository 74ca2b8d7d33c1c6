// Messages made from the rows: valid ones at random, and ones with a single field spoilt.
#ifndef PW_TEST_OCPP_SAMPLE_H
#define PW_TEST_OCPP_SAMPLE_H

#include "ocpp/ocpp.h"

// What is done to the one field that is the target.
enum spoil {
    SPOIL_NOTHING,
    SPOIL_MISSING,
    SPOIL_NULL,
    SPOIL_TYPE,         // a JSON type the field never has
    SPOIL_OTHER_TYPE,   // another one
    SPOIL_LOW,          // the lowest value, the shortest text
    SPOIL_BELOW,        // one below the lowest
    SPOIL_NEAR,         // one below the highest, one character below the longest
    SPOIL_HIGH,         // the highest value, the longest text
    SPOIL_HIGH_WIDE,    // the longest text, in characters of three bytes
    SPOIL_HIGH_ESCAPED, // the longest text, each character a \u escape
    SPOIL_ABOVE,        // one above the highest, one character too long
    SPOIL_ABOVE_WIDE,   // one character too long, in characters of three bytes
    SPOIL_HUGE,         // a number of forty digits
    SPOIL_FRACTION,     // a number with digits finer than the field takes
    SPOIL_WORD,         // a word or time that is none
    SPOIL_CASE,         // a word in the wrong case
    SPOIL_ZERO_CHAR,    // U+0000 in a text
    SPOIL_EMPTY,        // an empty list
    SPOIL_EXTRA,        // an unknown key beside the field
    SPOIL_TWICE,        // the key a second time
    SPOIL_COUNT,
};

enum presence { PRESENT_ALL, PRESENT_REQUIRED, PRESENT_RANDOM };

struct sample {
    uint32_t seed;          // of the random values
    enum presence presence; // which optional fields are there; the target always is
    uint32_t target;        // number of the field to spoil, from 0, in the order of writing
    enum spoil spoil;
    // Out.
    uint32_t fields;               // fields met
    const struct pw_ocpp_row *row; // the target's row, if it was met
};

// Writes a message. The text is what pw_ocpp_encode would write for the same values.
void sample_write(struct sample *sample, const struct pw_ocpp_object *object, struct pw_out *out);

// The answer the decoder owes: PW_OK, or PW_ERR_PEER with *code. SPOIL_COUNT-type mistakes that do
// not apply to the row answer PW_ERR_UNKNOWN: skip them.
int sample_expect(const struct pw_ocpp_row *row, enum spoil spoil, unsigned policy,
                  enum pw_ocpp_error *code);

// Turns the received lists in a decoded struct into arrays, so that it can be sent. The arrays lie
// in `room`; PW_ERR_LIMIT when it is full.
struct room {
    unsigned char *at;
    size_t cap;
    size_t used;
};
PW_MUST_USE int sample_own_lists(const struct pw_ocpp_object *object, void *decoded,
                                 struct room *room);

uint32_t sample_random(uint32_t *seed); // xorshift

#endif

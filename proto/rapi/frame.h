// frame: lines of RAPI, as both the client and a board make and take them. Pure.
// A line is `$`, words with one space between, perhaps ` :ss` (sequence id, two hex digits, 00 is
// none), perhaps `^xk` (XOR of all before it) or `*ck` (their 8-bit sum), CR. `$` begins anew
// wherever it stands; what stands outside of a line is no RAPI and is dropped.
// Source: facts/ac-evse-rapi-load.md §2.1, §2.7.
#ifndef PW_RAPI_FRAME_H
#define PW_RAPI_FRAME_H

#include "base/base.h"

#define PW_RAPI_COMMAND_MAX 31 // a longer command, `$` to checksum, is dropped by the board unheard
#define PW_RAPI_TOKENS_MAX  10 // words of a command, sequence id included; more are refused
#define PW_RAPI_LINE_MAX    80 // longest line taken from a board
#define PW_RAPI_WORDS_MAX   12 // words of a line from a board

enum pw_rapi_check { PW_RAPI_CHECK_NONE, PW_RAPI_CHECK_XOR, PW_RAPI_CHECK_SUM };

// Cuts lines out of a stream of bytes. Zeroed it is ready.
struct pw_rapi_reader {
    char text[PW_RAPI_LINE_MAX];
    uint8_t len;
    bool inside;      // a `$` has been seen and no end yet
    uint32_t dropped; // lines that were too long, or broken off by another `$`
};

// True when `byte` ends a line: text and len hold it from `$` on without its CR, until the next
// call. A NUL or another control character breaks the line off; LF outside of a line is nothing.
bool pw_rapi_read(struct pw_rapi_reader *reader, uint8_t byte);

// A line taken apart. Views into the line that was given.
struct pw_rapi_line {
    struct pw_str body;                    // from `$` on, without sequence id and checksum
    struct pw_str word[PW_RAPI_WORDS_MAX]; // [0] without the `$`
    uint8_t words;
    uint8_t seq; // 0: none
    enum pw_rapi_check check;
};

// PW_ERR_PEER: it does not begin with `$`, has no word, or its checksum does not hold or is none;
// PW_ERR_LIMIT: too many words.
PW_MUST_USE int pw_rapi_split(struct pw_str text, struct pw_rapi_line *line);

// Writes `body` (from `$` on) as a line: id (0: none), checksum, CR. PW_ERR_LIMIT when it does not
// fit into `out`.
PW_MUST_USE int pw_rapi_write(struct pw_out *out, struct pw_str body, uint8_t seq,
                              enum pw_rapi_check check);

// Exactly `digits` hex digits, or 1 to 4 with digits 0. PW_ERR_PEER if it is none. Decimals are
// read by pw_parse_int, as strictly.
PW_MUST_USE int pw_rapi_hex(struct pw_str word, unsigned digits, uint16_t *value);

#endif

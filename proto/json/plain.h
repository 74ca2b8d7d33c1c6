// The part of a string that needs no care: reader and writer pass over it at a word a step.
#ifndef PW_JSON_PLAIN_H
#define PW_JSON_PLAIN_H

#include "base/base.h"

#include <string.h>

// The first byte from `at` that is not plain: a quote, a backslash, a control byte, or no ASCII.
static inline const char *pw_json_plain_end(const char *at, const char *end)
{
    // A machine word at a time. A byte's top bit is set in `below` if it is under 0x20, in `quote`
    // and `slash` if it is that character, in the word itself if it is no ASCII. A borrow can only
    // mark a byte above one that is marked already, so the lowest mark is true.
    const size_t ones = SIZE_MAX / 0xFF;
    for (size_t word; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        size_t below = word - ones * 0x20;
        size_t quote = (word ^ (ones * '"')) - ones;
        size_t slash = (word ^ (ones * '\\')) - ones;
        size_t marks = (below | quote | slash | word) & (ones * 0x80);
        if (marks != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return at + __builtin_ctzll(marks) / 8;
#else
            break;
#endif
        }
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\') {
        at++;
    }
    return at;
}

#endif

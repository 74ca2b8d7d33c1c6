// Characters of UTF-8 texts.
#include "json/json.h"
#include "json/utf8.h"

static bool between(unsigned char c, unsigned low, unsigned high)
{
    return c >= low && c <= high;
}

size_t pw_json_utf8_size(const char *at, size_t left)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (left == 0 || byte[0] < 0x80) {
        return left == 0 ? 0 : 1;
    }
    // Only the second byte's range depends on the first: it keeps out overlong forms (E0, F0),
    // surrogates (ED) and what lies beyond U+10FFFF (F4).
    unsigned low = byte[0] == 0xE0 ? 0xA0 : byte[0] == 0xF0 ? 0x90 : 0x80;
    unsigned high = byte[0] == 0xED ? 0x9F : byte[0] == 0xF4 ? 0x8F : 0xBF;
    size_t size = between(byte[0], 0xC2, 0xDF)   ? 2
                  : between(byte[0], 0xE0, 0xEF) ? 3
                  : between(byte[0], 0xF0, 0xF4) ? 4
                                                 : 0;
    if (size == 0 || size > left || !between(byte[1], low, high)) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if (!between(byte[i], 0x80, 0xBF)) {
            return 0;
        }
    }
    return size;
}

// Every byte that does not continue a character starts one.
static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0U) != 0x80;
}

size_t pw_json_chars(struct pw_str utf8)
{
    size_t chars = 0;
    for (size_t i = 0; i < utf8.len; i++) {
        chars += starts_character(utf8.at[i]) ? 1 : 0;
    }
    return chars;
}

struct pw_str pw_json_head(struct pw_str utf8, size_t chars)
{
    size_t at = 0;
    for (; at < utf8.len; at++) {
        if (starts_character(utf8.at[at]) && chars-- == 0) {
            break;
        }
    }
    return (struct pw_str){.at = utf8.at, .len = at};
}

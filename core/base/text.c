// Text views and the parsers of numbers. Time text is in calendar.c.
#include "base/base.h"

#include <string.h>

struct pw_str pw_str_of(const char *terminated)
{
    return (struct pw_str){.at = terminated, .len = terminated == NULL ? 0 : strlen(terminated)};
}

bool pw_str_eq(struct pw_str a, struct pw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool pw_str_is(struct pw_str a, const char *terminated)
{
    return pw_str_eq(a, pw_str_of(terminated));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool pw_str_eq_nocase(struct pw_str a, struct pw_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i])) {
            return false;
        }
    }
    return true;
}

bool pw_str_starts(struct pw_str a, const char *prefix)
{
    size_t len = strlen(prefix);
    return a.len >= len && (len == 0 || memcmp(a.at, prefix, len) == 0);
}

struct pw_str pw_str_cut(struct pw_str *rest, char separator)
{
    const char *found = rest->len == 0 ? NULL : memchr(rest->at, separator, rest->len);
    struct pw_str head = *rest;
    if (found == NULL) {
        *rest = (struct pw_str){.at = NULL, .len = 0};
        return head;
    }
    head.len = (size_t)(found - rest->at);
    rest->at = found + 1;
    rest->len -= head.len + 1;
    return head;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct pw_str pw_str_trim(struct pw_str a)
{
    while (a.len > 0 && is_space(a.at[0])) {
        a.at++;
        a.len--;
    }
    while (a.len > 0 && is_space(a.at[a.len - 1])) {
        a.len--;
    }
    return a;
}

size_t pw_str_obeyed(struct pw_str text, size_t at)
{
    const unsigned char *c = (const unsigned char *)text.at + at;
    size_t left = text.len - at;
    if (left >= 1 && (c[0] < ' ' || c[0] == 0x7F)) {
        return 1;
    }
    if (left >= 2 &&
        ((c[0] == 0xC2 && c[1] >= 0x80 && c[1] <= 0x9F) || (c[0] == 0xD8 && c[1] == 0x9C))) {
        return 2;
    }
    bool three = left >= 3 && c[0] == 0xE2;
    bool marks =
        three && c[1] == 0x80 && (c[2] == 0x8E || c[2] == 0x8F || (c[2] >= 0xAA && c[2] <= 0xAE));
    bool isolates = three && c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9;
    return marks || isolates ? 3 : 0;
}

int pw_str_copy(char *to, size_t cap, struct pw_str from)
{
    PW_ASSERT(cap > 0);
    if (from.len >= cap) {
        to[0] = '\0';
        return PW_ERR_LIMIT;
    }
    if (from.len > 0) {
        memcpy(to, from.at, from.len);
    }
    to[from.len] = '\0';
    return PW_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Adds a digit towards the sign, so that INT64_MIN can be read as well as INT64_MAX.
static bool add_digit(int64_t *sum, bool negative, int digit)
{
    int64_t step;
    if (__builtin_mul_overflow(*sum, (int64_t)10, &step)) {
        return false;
    }
    return !__builtin_add_overflow(step, (int64_t)(negative ? -digit : digit), sum);
}

int pw_parse_int(struct pw_str text, int64_t min, int64_t max, int64_t *value)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    size_t at = negative ? 1 : 0;
    int64_t sum = 0;
    bool fits = true;
    if (at == text.len) {
        return PW_ERR_PEER;
    }
    for (; at < text.len; at++) {
        if (!is_digit(text.at[at])) {
            return PW_ERR_PEER;
        }
        fits = fits && add_digit(&sum, negative, text.at[at] - '0');
    }
    if (!fits || sum < min || sum > max) {
        return PW_ERR_RANGE;
    }
    *value = sum;
    return PW_OK;
}

int pw_parse_fixed(struct pw_str text, unsigned decimals, int64_t *value)
{
    if (text.len == 0) {
        return PW_ERR_PEER;
    }
    bool negative = text.at[0] == '-';
    struct pw_str rest = {.at = text.at + (negative ? 1 : 0), .len = text.len - (negative ? 1 : 0)};
    struct pw_str whole = pw_str_cut(&rest, '.');
    bool has_point = whole.len + (negative ? 1U : 0U) < text.len;
    int64_t sum = 0;
    if (whole.len == 0 || (has_point && rest.len == 0)) {
        return PW_ERR_PEER;
    }
    for (size_t i = 0; i < whole.len; i++) {
        if (!is_digit(whole.at[i])) {
            return PW_ERR_PEER;
        }
        if (!add_digit(&sum, negative, whole.at[i] - '0')) {
            return PW_ERR_RANGE;
        }
    }
    size_t places = rest.len > decimals ? rest.len : decimals;
    for (size_t i = 0; i < places; i++) {
        char digit = i < rest.len ? rest.at[i] : '0';
        if (!is_digit(digit)) {
            return PW_ERR_PEER;
        }
        if (i >= decimals) {
            if (digit != '0') {
                return PW_ERR_RANGE;
            }
        } else if (!add_digit(&sum, negative, digit - '0')) {
            return PW_ERR_RANGE;
        }
    }
    *value = sum;
    return PW_OK;
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int pw_parse_hex(struct pw_str text, uint8_t *to, size_t cap)
{
    if (text.len % 2 != 0) {
        return PW_ERR_PEER;
    }
    if (text.len / 2 > cap || text.len / 2 > INT32_MAX) {
        return PW_ERR_LIMIT;
    }
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.at[i]);
        int low = hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0) {
            return PW_ERR_PEER;
        }
        to[i / 2] = (uint8_t)(high * 16 + low);
    }
    return (int)(text.len / 2);
}

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

int pw_parse_base64(struct pw_str text, uint8_t *to, size_t cap)
{
    uint32_t bits = 0;
    unsigned count = 0;
    size_t len = 0;
    while (text.len > 0 && text.at[text.len - 1] == '=') {
        text.len--;
    }
    for (size_t i = 0; i < text.len; i++) {
        int value = sextet(text.at[i]);
        if (value < 0) {
            return PW_ERR_PEER;
        }
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8) {
            continue;
        }
        if (len == cap) {
            return PW_ERR_LIMIT;
        }
        count -= 8;
        to[len++] = (uint8_t)(bits >> count);
    }
    return (int)len;
}

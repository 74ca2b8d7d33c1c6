#include "release/scan.h"

#include <string.h>

struct scan pw_scan_of(struct pw_str text, const char *what, struct pw_out *why)
{
    return (struct scan){.left = text, .len = text.len, .what = what, .name = "", .why = why};
}

void pw_scan_fail(struct scan *scan, const char *sentence)
{
    if (!scan->bad) {
        pw_put_s(scan->why, scan->what);
        pw_put_s(scan->why, ", byte ");
        pw_put_uint(scan->why, scan->len - scan->left.len);
        pw_put_s(scan->why, ": ");
        pw_put_s(scan->why, scan->name);
        pw_put_c(scan->why, ' ');
        pw_put_s(scan->why, sentence);
    }
    scan->bad = true;
}

static void skip(struct scan *scan, size_t len)
{
    scan->left.at += len;
    scan->left.len -= len;
}

bool pw_scan_if(struct scan *scan, const char *literal)
{
    if (scan->bad || !pw_str_starts(scan->left, literal)) {
        return false;
    }
    skip(scan, strlen(literal));
    return true;
}

void pw_scan_expect(struct scan *scan, const char *literal)
{
    if (!scan->bad && !pw_scan_if(scan, literal)) {
        pw_scan_fail(scan, "is not followed by");
        pw_put_c(scan->why, ' ');
        pw_put_s(scan->why, literal);
    }
}

void pw_scan_member(struct scan *scan, const char *before, const char *name)
{
    pw_scan_expect(scan, before);
    if (!scan->bad) {
        scan->name = name;
    }
    if (!(pw_scan_if(scan, "\"") && pw_scan_if(scan, name) && pw_scan_if(scan, "\":"))) {
        pw_scan_fail(scan, "is not where it must be");
    }
}

void pw_scan_text(struct scan *scan, char *to, size_t cap, bool (*allowed)(char c))
{
    size_t len = 0;
    to[0] = '\0';
    if (!pw_scan_if(scan, "\"")) {
        pw_scan_fail(scan, "must be a text");
        return;
    }
    while (len < scan->left.len && len < cap - 1 && allowed(scan->left.at[len])) {
        len++;
    }
    if (len == scan->left.len || scan->left.at[len] != '"') {
        skip(scan, len);
        pw_scan_fail(scan, "is too long, or has a character that it must not have");
        return;
    }
    memcpy(to, scan->left.at, len);
    to[len] = '\0';
    skip(scan, len + 1);
}

static size_t digits(struct pw_str text)
{
    size_t len = 0;
    while (len < text.len && text.at[len] >= '0' && text.at[len] <= '9') {
        len++;
    }
    return len;
}

uint64_t pw_scan_number(struct scan *scan, uint64_t least, uint64_t most)
{
    struct pw_str text = {.at = scan->left.at, .len = scan->bad ? 0 : digits(scan->left)};
    int64_t value = 0;
    PW_ASSERT(most <= INT64_MAX);
    if (text.len == 0 || (text.len > 1 && text.at[0] == '0')) {
        pw_scan_fail(scan, "must be a number without leading zeros");
        return least;
    }
    if (pw_parse_int(text, (int64_t)least, (int64_t)most, &value) != PW_OK) {
        bool first = !scan->bad;
        pw_scan_fail(scan, "is ");
        if (first) {
            pw_put(scan->why, (struct pw_str){.at = text.at, .len = text.len > 24 ? 24 : text.len});
            pw_put_s(scan->why, ", must be ");
            pw_put_uint(scan->why, least);
            pw_put_s(scan->why, " to ");
            pw_put_uint(scan->why, most);
        }
        return least;
    }
    skip(scan, text.len);
    return (uint64_t)value;
}

static bool is_lower_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

void pw_scan_hex(struct scan *scan, uint8_t *to, size_t len)
{
    bool ok = pw_scan_if(scan, "\"") && scan->left.len > 2 * len && scan->left.at[2 * len] == '"';
    for (size_t i = 0; ok && i < 2 * len; i++) {
        ok = is_lower_hex(scan->left.at[i]);
    }
    struct pw_str text = {.at = scan->left.at, .len = 2 * len};
    if (!ok || pw_parse_hex(text, to, len) != (int)len) {
        memset(to, 0, len);
        pw_scan_fail(scan, "must be lower-case hexadecimal digits, no more and no fewer");
        return;
    }
    skip(scan, text.len + 1);
}

pw_unix_ms pw_scan_time(struct scan *scan, bool never)
{
    char text[PW_TIME_TEXT_MAX];
    char again[PW_TIME_TEXT_MAX];
    struct pw_out out = PW_OUT(again);
    pw_unix_ms value = 0;
    pw_scan_text(scan, text, sizeof(text), pw_scan_is_visible);
    if (scan->bad || (never && text[0] == '\0')) {
        return 0;
    }
    if (pw_parse_time(pw_str_of(text), &value) == PW_OK && value > 0) {
        pw_put_time(&out, value);
    }
    if (value <= 0 || strcmp(text, again) != 0) {
        pw_scan_fail(scan, "must be a time as 2026-01-31T23:59:59.000Z");
        return 0;
    }
    return value;
}

int pw_scan_end(struct scan *scan)
{
    if (scan->left.len > 0) {
        pw_scan_fail(scan, "is not the end");
    }
    return scan->bad ? PW_ERR_RANGE : PW_OK;
}

bool pw_scan_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool pw_scan_is_visible(char c)
{
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
}

void pw_scan_put_hex(struct pw_out *out, const uint8_t *at, size_t len)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        pw_put_c(out, digit[at[i] >> 4]);
        pw_put_c(out, digit[at[i] & 15]);
    }
}

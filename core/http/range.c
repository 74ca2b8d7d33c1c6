// Ranges of bytes that a request asks for.
#include "http.h"

// A number of the header; false for anything else. More digits than fit stand for the most.
static bool take(struct pw_str text, uint64_t *value)
{
    uint64_t read = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        read = read > (INT64_MAX - digit) / 10 ? INT64_MAX : read * 10 + digit;
    }
    *value = read;
    return text.len > 0;
}

enum pw_http_range pw_http_range(const struct pw_http_request *request, struct pw_str etag,
                                 uint64_t size, uint64_t *first, uint64_t *len)
{
    const struct pw_str unit = PW_STR("bytes=");
    struct pw_str range = request->range;
    *first = 0;
    *len = size;
    bool same = request->if_range.len == 0 || pw_str_eq(request->if_range, etag);
    if (!same || range.len <= unit.len ||
        !pw_str_eq_nocase((struct pw_str){.at = range.at, .len = unit.len}, unit)) {
        return PW_HTTP_WHOLE;
    }
    range = pw_str_trim((struct pw_str){.at = range.at + unit.len, .len = range.len - unit.len});
    size_t dash = 0;
    while (dash < range.len && range.at[dash] != '-') {
        dash++;
    }
    struct pw_str from = {.at = range.at, .len = dash};
    struct pw_str to = {.at = range.at + dash + 1,
                        .len = dash < range.len ? range.len - dash - 1 : 0};
    uint64_t a = 0;
    uint64_t b = 0;
    bool has_to = take(to, &b);
    if (dash == range.len || (!has_to && to.len > 0)) {
        return PW_HTTP_WHOLE; // nonsense, or more than one
    }
    if (from.len == 0) {
        if (!has_to) {
            return PW_HTTP_WHOLE;
        }
        *len = b < size ? b : size;
        *first = size - *len;
        return *len > 0 ? PW_HTTP_PART : PW_HTTP_BEYOND;
    }
    if (!take(from, &a) || (has_to && b < a)) {
        return PW_HTTP_WHOLE;
    }
    if (a >= size) {
        return PW_HTTP_BEYOND;
    }
    uint64_t last = has_to && b < size ? b : size - 1;
    *first = a;
    *len = last - a + 1;
    return PW_HTTP_PART;
}

// What both interpreters ask the rows.
#include "ocpp/rows.h"

#include <string.h>

// memcmp for texts of a few words: calling it takes longer than comparing them here. The last word
// may overlap the one before.
static inline bool same(const char *a, const char *b, size_t len)
{
    uint64_t x;
    uint64_t y;
    if (len >= sizeof(x)) {
        for (size_t i = 0; i + sizeof(x) < len; i += sizeof(x)) {
            memcpy(&x, a + i, sizeof(x));
            memcpy(&y, b + i, sizeof(y));
            if (x != y) {
                return false;
            }
        }
        memcpy(&x, a + len - sizeof(x), sizeof(x));
        memcpy(&y, b + len - sizeof(y), sizeof(y));
        return x == y;
    }
    if (len >= sizeof(uint32_t)) {
        uint32_t p[2];
        uint32_t q[2];
        memcpy(&p[0], a, sizeof(p[0]));
        memcpy(&q[0], b, sizeof(q[0]));
        memcpy(&p[1], a + len - sizeof(p[1]), sizeof(p[1]));
        memcpy(&q[1], b + len - sizeof(q[1]), sizeof(q[1]));
        return p[0] == q[0] && p[1] == q[1];
    }
    size_t i = 0;
    while (i < len && a[i] == b[i]) {
        i++;
    }
    return i == len;
}

const struct pw_ocpp_row *pw_ocpp_row_find(const struct pw_ocpp_object *object, uint32_t guess,
                                           const char *key, size_t len)
{
    for (uint32_t i = 0; i < object->count; i++, guess++) {
        guess = guess >= object->count ? 0 : guess;
        const struct pw_ocpp_row *row = &object->rows[guess];
        if (row->key_len == len && same(row->key, key, len)) {
            return row;
        }
    }
    return NULL;
}

struct pw_str pw_ocpp_code_text(const struct pw_ocpp_codes *codes, int code)
{
    PW_ASSERT(code >= 0 && code < codes->count);
    const char *at = codes->text;
    for (int i = 0; i < code; i++) {
        at += codes->len[i];
    }
    return (struct pw_str){.at = at, .len = codes->len[code]};
}

int pw_ocpp_code_find(const struct pw_ocpp_codes *codes, struct pw_str word)
{
    const char *at = codes->text;
    for (int i = 0; i < codes->count; i++) {
        if (codes->len[i] == word.len && same(at, word.at, word.len)) {
            return i;
        }
        at += codes->len[i];
    }
    return PW_ERR_UNKNOWN;
}

bool pw_ocpp_is_bare(const struct pw_ocpp_object *object)
{
    return object->count == 1 && object->rows[0].key_len == 0;
}

// What both interpreters ask the rows.
#include "ocpp/rows.h"

#include <string.h>

// memcmp for texts of a few words: calling it takes longer than comparing them here.
static bool same(const char *a, const char *b, size_t len)
{
    uint64_t x;
    uint64_t y;
    if (len < sizeof(x)) {
        size_t i = 0;
        while (i < len && a[i] == b[i]) {
            i++;
        }
        return i == len;
    }
    for (size_t i = 0; i + sizeof(x) < len; i += sizeof(x)) {
        memcpy(&x, a + i, sizeof(x));
        memcpy(&y, b + i, sizeof(y));
        if (x != y) {
            return false;
        }
    }
    // The last word, which may overlap the one before.
    memcpy(&x, a + len - sizeof(x), sizeof(x));
    memcpy(&y, b + len - sizeof(y), sizeof(y));
    return x == y;
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

// Comparing short words: what looking up rows and codes spends its time on.
#ifndef PW_OCPP_ROWS_H
#define PW_OCPP_ROWS_H

#include "ocpp/codec.h"

#include <string.h>

// memcmp for texts of a few words: calling it takes longer than comparing them here. The last word
// may overlap the one before.
static inline bool pw_ocpp_same(const char *a, const char *b, size_t len)
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

#endif

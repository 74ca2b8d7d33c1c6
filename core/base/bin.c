#include "base/base.h"

#include <string.h>

void pw_bin_put(struct pw_bin_out *to, uint64_t value, unsigned bytes)
{
    PW_ASSERT(bytes >= 1 && bytes <= 8);
    to->bad = to->bad || to->cap - to->len < bytes;
    for (unsigned i = bytes; i-- > 0 && !to->bad;) {
        to->at[to->len++] = (uint8_t)(value >> (8 * i));
    }
}

void pw_bin_put_bytes(struct pw_bin_out *to, const void *from, size_t len)
{
    to->bad = to->bad || to->cap - to->len < len;
    if (!to->bad) {
        memcpy(to->at + to->len, from, len);
        to->len += len;
    }
}

void pw_bin_put_text(struct pw_bin_out *to, const char *text, unsigned bytes)
{
    size_t len = strlen(text);
    to->bad = to->bad || (bytes < sizeof(len) && len >> (8 * bytes) != 0);
    pw_bin_put(to, len, bytes);
    pw_bin_put_bytes(to, text, len);
}

struct pw_str pw_bin_str(const struct pw_bin_out *to)
{
    PW_ASSERT(!to->bad);
    return (struct pw_str){.at = (const char *)to->at, .len = to->len};
}

uint64_t pw_bin_get(struct pw_bin_in *from, unsigned bytes)
{
    uint64_t value = 0;
    PW_ASSERT(bytes >= 1 && bytes <= 8);
    from->bad = from->bad || from->left < bytes;
    for (unsigned i = 0; i < bytes && !from->bad; i++) {
        value = value << 8 | *from->at++;
        from->left--;
    }
    return value;
}

void pw_bin_get_bytes(struct pw_bin_in *from, void *to, size_t len)
{
    from->bad = from->bad || from->left < len;
    if (from->bad) {
        memset(to, 0, len);
        return;
    }
    memcpy(to, from->at, len);
    from->at += len;
    from->left -= len;
}

void pw_bin_get_text(struct pw_bin_in *from, char *to, size_t cap, unsigned bytes)
{
    size_t len = (size_t)pw_bin_get(from, bytes);
    from->bad = from->bad || len >= cap;
    len = from->bad ? 0 : len;
    pw_bin_get_bytes(from, to, len);
    to[from->bad ? 0 : len] = '\0';
}

bool pw_bin_end(const struct pw_bin_in *from)
{
    return !from->bad && from->left == 0;
}

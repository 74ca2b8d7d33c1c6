// Target functions: pw_http_head_judge.
// Any bytes: what is judged of them is the same however much follows, and no earlier part of a good
// head was refused.
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_str all = {.at = (const char *)data, .len = size};
    struct pw_http_head head = pw_http_head_judge(all);
    PW_ASSERT((head.progress == PW_HEAD_REFUSED) == (head.reason != NULL));
    PW_ASSERT(head.progress != PW_HEAD_MORE || size < PW_HTTP_HEAD_MAX);
    if (head.progress != PW_HEAD_WHOLE) {
        return 0;
    }
    PW_ASSERT(head.len <= size && head.len <= PW_HTTP_HEAD_MAX && data[head.len - 1] == '\n');
    size_t step = head.len > 256 ? head.len / 256 : 1;
    for (size_t len = 0; len < head.len; len += step) {
        all.len = len;
        PW_ASSERT(pw_http_head_judge(all).progress == PW_HEAD_MORE);
    }
    all.len = head.len;
    PW_ASSERT(pw_http_head_judge(all).len == head.len);
    return 0;
}

// Target functions: pw_slcan_feed, pw_slcan_print.
// Any bytes in any order; every frame found is a valid one and is read back from its own print.
#include "can/slcan.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pw_can_frame *frame)
{
    char printed[PW_SLCAN_LINE_MAX];
    struct pw_out out = PW_OUT(printed);
    struct pw_slcan fresh = {0};
    struct pw_slcan_line line = {0};
    PW_ASSERT(pw_can_valid(frame));
    pw_slcan_print(&out, frame);
    PW_ASSERT(!out.full);
    for (size_t i = 0; i < out.len; i++) {
        pw_slcan_feed(&fresh, printed[i], &line);
    }
    PW_ASSERT(line.kind == PW_SLCAN_FRAME && line.frame.id == frame->id);
    PW_ASSERT(memcmp(line.frame.data, frame->data, sizeof(frame->data)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_slcan slcan = {0};
    struct pw_slcan_line line;
    for (size_t i = 0; i < size; i++) {
        pw_slcan_feed(&slcan, (char)data[i], &line);
        if (line.kind == PW_SLCAN_FRAME) {
            check(&line.frame);
        }
    }
    return 0;
}

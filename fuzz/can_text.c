// Target functions: pw_can_parse, pw_can_print, pw_candump_parse.
// What is read must be printed and read again as the same.
#include "can/candump.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frame(struct pw_str text)
{
    struct pw_can_frame read = {0};
    struct pw_can_frame again = {0};
    char printed[PW_CAN_TEXT_MAX];
    struct pw_out out = PW_OUT(printed);
    if (pw_can_parse(text, &read) != PW_OK) {
        return;
    }
    PW_ASSERT(pw_can_valid(&read));
    pw_can_print(&out, &read);
    PW_ASSERT(!out.full);
    PW_ASSERT(pw_can_parse(pw_out_str(&out), &again) == PW_OK);
    PW_ASSERT(again.id == read.id && again.extended == read.extended);
    PW_ASSERT(again.remote == read.remote && again.len == read.len);
    PW_ASSERT(memcmp(again.data, read.data, sizeof(read.data)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_candump_line line;
    struct pw_str text = {.at = (const char *)data, .len = size};
    frame(text);
    (void)!pw_candump_parse(text, &line);
    return 0;
}

// Target function: pw_board_file_parse.
// Any text; what it takes is a board whose calibration core/analog takes too.
#include "board/file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_board_file board;
    struct pw_analog analog;
    char text[512];
    struct pw_out why = PW_OUT(text);
    struct pw_str all = {.at = (const char *)data, .len = size};
    if (size > PW_CONFIG_FILE_MAX) {
        return 0;
    }
    int err = pw_board_file_parse(&board, "board.yaml", all, &why);
    PW_ASSERT((err == PW_OK) == (why.len == 0));
    PW_ASSERT(err != PW_OK || pw_analog_init(&analog, &board.analog) == PW_OK);
    PW_ASSERT(err != PW_OK || memchr(board.device, 0, sizeof(board.device)) != NULL);
    return 0;
}

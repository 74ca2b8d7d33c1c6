#include "blank.h"

void pw_blank_board_init(struct pw_blank_board *board, const struct pw_blank_machine *machine)
{
    *board = (struct pw_blank_board){
        .machine = machine, .drive = {.cp = PW_BOARD_CP_FAULT}, .driven_at = PW_NEVER};
    machine->off(machine->context);
}

bool pw_blank_board_sense(struct pw_blank_board *board, struct pw_board_senses *senses, pw_ms now)
{
    return board->machine->sense(board->machine->context, senses, now);
}

pw_ms pw_blank_board_drive(struct pw_blank_board *board, const struct pw_board_drive *drive,
                           pw_ms now)
{
    if (drive != NULL) {
        board->drive = *drive;
    }
    if (drive != NULL || board->driven_at == PW_NEVER ||
        pw_elapsed(board->driven_at, PW_BLANK_REPEAT_MS, now)) {
        board->machine->drive(board->machine->context, &board->drive);
        board->driven_at = now;
    }
    return pw_after(board->driven_at, PW_BLANK_REPEAT_MS);
}

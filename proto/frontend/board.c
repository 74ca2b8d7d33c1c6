// The board's end: hears what it shall do, and stops doing it when nobody says it any more.
#include "frontend/frontend.h"

#include <string.h>

void pw_frontend_board_init(struct pw_frontend_board *board, const struct pw_frontend_hello *hello)
{
    memset(board, 0, sizeof(*board));
    board->hello = *hello;
    board->hello_due = true;
    board->drive_at = PW_NEVER;
}

static bool is_alone(const struct pw_frontend_board *board, pw_ms now)
{
    return board->drive_at == PW_NEVER ||
           pw_elapsed(board->drive_at, board->hello.watchdog_ms, now);
}

bool pw_frontend_board_feed(struct pw_frontend_board *board, uint8_t byte, pw_ms now)
{
    const struct pw_frontend_message *message = &board->reader.message;
    if (!pw_frontend_feed(&board->reader, byte, now)) {
        return false;
    }
    // An ASK of another version is answered too: the station says best that it cannot be.
    board->hello_due = board->hello_due || message->kind == PW_FRONTEND_ASK;
    if (message->kind != PW_FRONTEND_DRIVE) {
        return false;
    }
    board->barred = message->drive.contactor && (board->barred || is_alone(board, now));
    board->drive = message->drive;
    board->drive_seq = message->seq;
    board->drive_at = now;
    return true;
}

struct pw_board_drive pw_frontend_board_drive(const struct pw_frontend_board *board, pw_ms now)
{
    if (!is_alone(board, now)) {
        struct pw_board_drive drive = board->drive;
        drive.contactor = drive.contactor && !board->barred;
        return drive;
    }
    return (struct pw_board_drive){
        .cp = PW_BOARD_CP_FAULT, .lock = board->drive.lock, .lamp = PW_BOARD_LAMP_FAULT};
}

pw_ms pw_frontend_board_deadline(const struct pw_frontend_board *board, pw_ms now)
{
    return is_alone(board, now) ? PW_NEVER : pw_after(board->drive_at, board->hello.watchdog_ms);
}

static size_t put(struct pw_frontend_board *board, enum pw_frontend_kind kind, pw_ms now,
                  uint8_t *to)
{
    board->out.kind = kind;
    board->out.seq = board->seq++;
    return pw_frontend_put(&board->out, now, to);
}

size_t pw_frontend_board_hello(struct pw_frontend_board *board, pw_ms now, uint8_t *to)
{
    if (!board->hello_due) {
        return 0;
    }
    board->hello_due = false;
    board->out.hello = board->hello;
    return put(board, PW_FRONTEND_HELLO, now, to);
}

size_t pw_frontend_board_senses(struct pw_frontend_board *board,
                                const struct pw_board_senses *senses, pw_ms now, uint8_t *to)
{
    board->out.senses =
        (struct pw_frontend_senses){.senses = *senses, .drive_seq = board->drive_seq};
    board->out.senses.senses.opened = board->barred || is_alone(board, now);
    return put(board, PW_FRONTEND_SENSES, now, to);
}

size_t pw_frontend_board_block(struct pw_frontend_board *board, const struct pw_board_block *block,
                               pw_ms now, uint8_t *to)
{
    board->out.block = *block;
    return put(board, PW_FRONTEND_BLOCK, now, to);
}

size_t pw_frontend_board_mains(struct pw_frontend_board *board, const struct pw_board_mains *mains,
                               pw_ms now, uint8_t *to)
{
    board->out.mains = *mains;
    return put(board, PW_FRONTEND_MAINS, now, to);
}

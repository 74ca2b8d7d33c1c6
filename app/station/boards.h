// boards: the hardware of the station's pilot connectors in the loop. Senses are stored as they
// come, a bounded number a turn; a board that is lost is opened again.
#ifndef PW_APP_STATION_BOARDS_H
#define PW_APP_STATION_BOARDS_H

#include "board/hardware.h"
#include "loop.h"
#include "station.h"

#define BOARDS_READ_MAX  64  // senses and blocks of one board in one turn
#define BOARDS_REOPEN_MS 500 // between tries to open a lost board
#define BOARDS_REPEAT_MS 100 // a board hears its drive at least so often

struct boards {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct board {
        struct boards *boards;
        unsigned connector; // from 1; 0: a connector of another kind
        struct pw_board_file file;
        struct pw_hardware *hardware; // NULL: away
        struct pw_watch watch;
        pw_ms reopen_at;
        bool complained; // about this loss
        bool fits;       // the station took what the board is; its senses count
        bool more;       // was not read to the end
        struct pw_board_drive drive;
        pw_ms driven_at; // PW_NEVER: the station has not said yet
    } board[PW_CONNECTORS_MAX];
};

// Reads the board files that the settings name; `config` is the configuration file, whose folder
// relative names count from. PW_ERR_RANGE or PW_ERR_PEER with one sentence in *why for what can
// never be. boards_open does that too, and opens them; hardware that is not there is tried again.
PW_MUST_USE int boards_check(const struct pw_settings *settings, const char *config,
                             struct pw_out *why);
PW_MUST_USE int boards_open(struct boards *boards, const struct pw_settings *settings,
                            const char *config, struct pw_out *why);
void boards_close(struct boards *boards);

// Opens lost boards again, reads at deadlines. Returns when it wants to be called next.
pw_ms boards_step(struct boards *boards, pw_ms now);

// Hands over what the station wants driven, and repeats it. Returns when it wants to be called
// next.
pw_ms boards_flush(struct boards *boards, pw_ms now);

// Opens every contactor without asking the station: the panic hook.
void boards_off(struct boards *boards);

#endif

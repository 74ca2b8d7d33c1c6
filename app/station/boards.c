#include "boards.h"

#include <stdlib.h>
#include <string.h>

#define PATH_CAP 512

static void tell(const struct board *board, enum pw_level level, const char *event,
                 struct pw_str why)
{
    struct pw_line line;
    pw_line(&line, board->boards->log, level, "board", event);
    pw_line_int(&line, "connector", board->connector);
    pw_line_str(&line, "why", why);
    pw_line_end(&line);
}

static void complain(struct board *board, struct pw_str why)
{
    if (!board->complained) {
        tell(board, PW_LOG_WARN, "away", why);
    }
    board->complained = true;
}

static void lose(struct board *board, pw_ms now)
{
    pw_watch_end(&board->watch);
    pw_hardware_close(board->hardware);
    board->hardware = NULL;
    board->fits = false;
    board->more = false;
    board->reopen_at = pw_after(now, BOARDS_REOPEN_MS);
}

// ---------------------------------------------------------------------------------------------
// Reading.

// Senses count only once the station knows, and accepts, what they come from.
static void introduce(struct board *board)
{
    char text[PW_HARDWARE_REASON_MAX] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_outlet_board what = {.analog = board->file.analog};
    board->fits = pw_hardware_traits(board->hardware, &what.traits) &&
                  pw_station_board(board->boards->station, board->connector, &what, &why) == PW_OK;
    if (!board->fits) {
        tell(board, PW_LOG_ERROR, "refused", pw_out_str(&why));
    }
}

static void take(struct board *board, const struct pw_hardware_event *event, pw_ms now)
{
    struct pw_station *station = board->boards->station;
    switch (event->kind) {
    case PW_HARDWARE_SENSES:
        if (board->fits) {
            pw_station_senses(station, board->connector, event->senses, now);
        }
        return;
    case PW_HARDWARE_BLOCK:
        if (board->fits) {
            pw_station_block(station, board->connector, event->block, now);
        }
        return;
    case PW_HARDWARE_STATE:
        board->fits = false;
        tell(board, event->up ? PW_LOG_INFO : PW_LOG_WARN, event->up ? "up" : "down",
             pw_str_of(event->why));
        if (event->up) {
            introduce(board);
        }
        return;
    }
    PW_UNREACHABLE();
}

static void read_some(struct board *board, pw_ms now)
{
    board->more = false;
    for (unsigned i = 0; i < BOARDS_READ_MAX; i++) {
        struct pw_hardware_event event;
        int got = pw_hardware_read(board->hardware, now, &event);
        if (got == 0) {
            return;
        }
        if (got < 0) {
            complain(board, PW_STR("the board is lost"));
            lose(board, now);
            return;
        }
        take(board, &event, now);
    }
    board->more = true;
}

static void on_ready(void *context, unsigned events)
{
    struct board *board = context;
    (void)events;
    read_some(board, pw_clock_now(board->boards->loop->clock));
}

// ---------------------------------------------------------------------------------------------
// Opening.

static int open_board(struct board *board, pw_ms now, struct pw_out *why)
{
    int err = pw_hardware_open(&board->hardware, &board->file, now, why);
    if (err != PW_OK) {
        board->reopen_at = pw_after(now, BOARDS_REOPEN_MS);
        return err;
    }
    board->complained = false;
    board->driven_at = PW_NEVER; // hears at once what it shall do
    board->watch = (struct pw_watch){.ready = on_ready, .context = board};
    pw_watch_start(&board->watch, board->boards->loop, pw_hardware_fd(board->hardware),
                   PW_LOOP_READ, PW_LOOP_CAN);
    return PW_OK;
}

static void try_open(struct board *board, pw_ms now)
{
    char text[PW_HARDWARE_REASON_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (open_board(board, now, &why) != PW_OK) {
        complain(board, pw_out_str(&why));
    }
}

static int file_path(const char *name, const char *config, struct pw_out *path)
{
    const char *slash = config != NULL ? strrchr(config, '/') : NULL;
    if (name[0] != '/' && slash != NULL) {
        pw_put(path, (struct pw_str){.at = config, .len = (size_t)(slash - config) + 1});
    }
    pw_put_s(path, name);
    return pw_out_err(path);
}

// Which file each pilot connector names, read and checked. *connector is 0 for another kind.
static int read_file(const struct pw_settings *settings, unsigned index, const char *config,
                     struct board *board, struct pw_out *why)
{
    char text[PATH_CAP] = "";
    struct pw_out path = PW_OUT(text);
    if (index >= settings->connectors ||
        pw_settings_connector(settings, PW_SET_KIND, index) != PW_KIND_OF_CONNECTOR_PILOT) {
        return PW_OK;
    }
    const char *name = pw_settings_connector_text(settings, PW_SET_BOARD, index);
    board->connector = index + 1;
    if (name[0] == '\0' || file_path(name, config, &path) != PW_OK) {
        pw_put_s(why, "connectors[");
        pw_put_uint(why, index);
        pw_put_s(why, name[0] == '\0'
                          ? "].board: is missing; examples/boards has files to begin with"
                          : "].board: the path is longer than 511 characters");
        return PW_ERR_RANGE;
    }
    return pw_board_file_read(&board->file, text, why);
}

// Two connectors before one front-end would share its contactor, and each would hear half of it.
static int refuse_shared(const struct board *boards, unsigned index, struct pw_out *why)
{
    const char *device = boards[index].file.device;
    for (unsigned i = 0; i < index; i++) {
        if (device[0] != '\0' && pw_str_is(pw_str_of(device), boards[i].file.device)) {
            pw_put_s(why, "connectors[");
            pw_put_uint(why, index);
            pw_put_s(why, "].board: \"");
            pw_put_s(why, device);
            pw_put_s(why, "\" is the board of connectors[");
            pw_put_uint(why, i);
            pw_put_s(why, "] already; each needs its own");
            return PW_ERR_RANGE;
        }
    }
    return PW_OK;
}

int boards_check(const struct pw_settings *settings, const char *config, struct pw_out *why)
{
    struct board board[PW_CONNECTORS_MAX] = {{.connector = 0}};
    int err = PW_OK;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX && err == PW_OK; i++) {
        err = read_file(settings, i, config, &board[i], why);
        if (err == PW_OK) {
            err = refuse_shared(board, i, why);
        }
    }
    return err;
}

int boards_open(struct boards *boards, const struct pw_settings *settings, const char *config,
                struct pw_out *why)
{
    pw_ms now = pw_clock_now(boards->loop->clock);
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct board *board = &boards->board[i];
        char text[PW_HARDWARE_REASON_MAX] = "";
        struct pw_out reason = PW_OUT(text);
        memset(board, 0, sizeof(*board));
        board->boards = boards;
        int err = read_file(settings, i, config, board, why);
        if (err == PW_OK) {
            err = refuse_shared(boards->board, i, why);
        }
        if (err != PW_OK) {
            board->connector = 0;
            return err;
        }
        if (board->connector == 0) {
            continue;
        }
        err = open_board(board, now, &reason);
        if (err == PW_ERR_RANGE) {
            pw_put(why, pw_out_str(&reason));
            return err;
        }
        if (err != PW_OK) {
            complain(board, pw_out_str(&reason));
        }
    }
    return PW_OK;
}

void boards_close(struct boards *boards)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        pw_watch_end(&boards->board[i].watch);
        pw_hardware_close(boards->board[i].hardware);
        boards->board[i].hardware = NULL;
    }
}

// ---------------------------------------------------------------------------------------------
// The turn.

static pw_ms step_board(struct board *board, pw_ms now)
{
    if (board->hardware == NULL && now >= board->reopen_at) {
        try_open(board, now);
    }
    if (board->hardware != NULL && (board->more || now >= pw_hardware_deadline(board->hardware))) {
        read_some(board, now);
    }
    if (board->hardware == NULL) {
        return board->reopen_at;
    }
    return board->more ? now : pw_hardware_deadline(board->hardware);
}

pw_ms boards_step(struct boards *boards, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        if (boards->board[i].connector != 0) {
            at = pw_earlier(at, step_board(&boards->board[i], now));
        }
    }
    return at;
}

static void drive(struct board *board, pw_ms now)
{
    board->driven_at = now;
    if (pw_hardware_drive(board->hardware, &board->drive, now) == PW_ERR_PEER) {
        complain(board, PW_STR("the board is lost"));
        lose(board, now);
    }
}

pw_ms boards_flush(struct boards *boards, pw_ms now)
{
    struct pw_board_drive wanted;
    unsigned connector = 0;
    pw_ms at = PW_NEVER;
    while (pw_station_take_drive(boards->station, &connector, &wanted)) {
        struct board *board = &boards->board[connector - 1];
        board->drive = wanted;
        board->driven_at = PW_NEVER;
    }
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        struct board *board = &boards->board[i];
        bool due =
            board->driven_at == PW_NEVER || pw_elapsed(board->driven_at, BOARDS_REPEAT_MS, now);
        if (board->hardware != NULL && due) {
            drive(board, now);
        }
        if (board->hardware != NULL) {
            at = pw_earlier(at, pw_earlier(pw_after(board->driven_at, BOARDS_REPEAT_MS),
                                           pw_hardware_deadline(board->hardware)));
        }
    }
    return at;
}

void boards_off(struct boards *boards)
{
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        if (boards->board[i].hardware != NULL) {
            pw_hardware_off(boards->board[i].hardware);
        }
    }
}

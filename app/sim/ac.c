#include "scenario/acscenario.h"
#include "sim.h"
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PRESENT_MS 1000 // a station that has not written for so long does not read either

static struct pw_frontend_hello hello_of(const struct pw_sim_options *options)
{
    const struct pw_acpath_config *path = &options->ac.path;
    const struct pw_acboard_config *board = &options->ac.board;
    uint16_t has = PW_FRONTEND_HAS_ALL;
    struct pw_frontend_hello hello = {
        .version = PW_FRONTEND_VERSION,
        .phases = (uint8_t)path->phases,
        .step_ppm = (uint16_t)board->step_ppm,
        .watchdog_ms = PW_BOARD_SILENCE_MS,
        .rate_hz = board->raw ? PW_ACBOARD_RATE_HZ : 0,
        .name = "pilotwire-sim",
    };
    has &= (uint16_t) ~(board->raw ? PW_FRONTEND_HAS_MAINS : PW_FRONTEND_HAS_BLOCKS);
    if (!path->socket) {
        has &= (uint16_t) ~(PW_FRONTEND_HAS_LOCK | PW_FRONTEND_HAS_PP);
    }
    hello.has = has;
    return hello;
}

// ---------------------------------------------------------------------------------------------
// The line.

static void hang_up(struct pw_sim_ac *ac)
{
    if (ac->fd >= 0 && ac->fd != ac->pty.fd) {
        pw_watch_end(&ac->watch);
        (void)close(ac->fd);
        ac->fd = -1;
    }
    ac->out_len = 0;
}

static void flush(struct pw_sim_ac *ac)
{
    while (ac->fd >= 0 && ac->out_len > 0) {
        int wrote = pw_stream_write(ac->fd, ac->out, ac->out_len);
        if (wrote < 0) {
            hang_up(ac);
            return;
        }
        if (wrote == 0) {
            return;
        }
        ac->out_len -= (size_t)wrote;
        memmove(ac->out, ac->out + wrote, ac->out_len);
    }
}

// Whole frames only: what nobody takes in time is dropped as on any serial line.
static void send_frame(struct pw_sim_ac *ac, const uint8_t *frame, size_t len)
{
    if (len == 0 || ac->fd < 0) {
        return;
    }
    if (len > sizeof(ac->out) - ac->out_len) {
        ac->dropped++;
        return;
    }
    memcpy(ac->out + ac->out_len, frame, len);
    ac->out_len += len;
}

static void hear(struct pw_sim *sim, const uint8_t *bytes, size_t len)
{
    struct pw_sim_ac *ac = &sim->ac;
    pw_ms now = pw_clock_now(&sim->clock);
    ac->heard_at = now;
    for (size_t i = 0; i < len; i++) {
        bool deaf = ac->world.board.deaf || ac->world.board.dead;
        if (!deaf && pw_frontend_board_feed(&ac->board, bytes[i], now)) {
            pw_world_ac_drive(&ac->world, &ac->board.drive, now);
        }
    }
}

static void read_line(void *context, unsigned events)
{
    (void)events;
    struct pw_sim *sim = context;
    uint8_t bytes[1024];
    int got = pw_stream_read(sim->ac.fd, bytes, sizeof(bytes));
    if (got > 0) {
        hear(sim, bytes, (size_t)got);
    } else if (got < 0) {
        hang_up(&sim->ac);
    }
}

static void accept_station(void *context, unsigned events)
{
    (void)events;
    struct pw_sim *sim = context;
    struct pw_sim_ac *ac = &sim->ac;
    int fd = accept4(ac->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (fd < 0) {
        return;
    }
    hang_up(ac); // one station at a time: the newest
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ac->fd = fd;
    ac->watch = (struct pw_watch){.ready = read_line, .context = sim};
    pw_watch_start(&ac->watch, &sim->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
}

// ---------------------------------------------------------------------------------------------

static int fail(struct pw_out *reason, const char *where, const char *what)
{
    pw_put_s(reason, "--listen ");
    pw_put_s(reason, where);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    return PW_ERR_RANGE;
}

static int listen_tcp(struct pw_sim *sim, struct pw_out *reason)
{
    const char *where = sim->options.listen;
    struct pw_str rest = pw_str_of(where);
    struct pw_str host = pw_str_cut(&rest, ':');
    char address[INET_ADDRSTRLEN];
    int64_t port = 0;
    struct sockaddr_in at = {.sin_family = AF_INET};
    if (pw_parse_int(rest, 1, 65535, &port) != PW_OK ||
        pw_str_copy(address, sizeof(address), host) != PW_OK ||
        inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        return fail(reason, where, "must be ADDRESS:PORT, e.g. 127.0.0.1:2000");
    }
    at.sin_port = htons((uint16_t)port);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return fail(reason, where, strerror(errno));
    }
    sim->ac.listen_fd = fd;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0) {
        return fail(reason, where, strerror(errno));
    }
    sim->ac.listening = (struct pw_watch){.ready = accept_station, .context = sim};
    pw_watch_start(&sim->ac.listening, &sim->loop, fd, PW_LOOP_READ, PW_LOOP_CAN);
    return PW_OK;
}

static int open_ac(struct pw_sim *sim, struct pw_out *reason)
{
    struct pw_sim_ac *ac = &sim->ac;
    struct pw_frontend_hello hello = hello_of(&sim->options);
    pw_world_ac_init(&ac->world, &sim->options.ac, pw_clock_now(&sim->clock));
    pw_frontend_board_init(&ac->board, &hello);
    ac->pty = PW_SIM_PTY_NONE;
    ac->listen_fd = ac->fd = -1;
    ac->heard_at = ac->mains_at = PW_NEVER;
    ac->soc_start_permille = pw_world_ac_truth(&ac->world).soc_permille;
    if (sim->options.listen != NULL) {
        return listen_tcp(sim, reason);
    }
    int err = pw_sim_pty_open(&ac->pty, "--link", sim->options.link, reason);
    if (err == PW_OK) {
        ac->fd = ac->pty.fd;
        ac->watch = (struct pw_watch){.ready = read_line, .context = sim};
        pw_watch_start(&ac->watch, &sim->loop, ac->fd, PW_LOOP_READ, PW_LOOP_CAN);
    }
    return err;
}

static void close_ac(struct pw_sim *sim)
{
    struct pw_sim_ac *ac = &sim->ac;
    pw_watch_end(&ac->listening);
    hang_up(ac);
    pw_watch_end(&ac->watch);
    pw_sim_pty_close(&ac->pty);
    if (ac->listen_fd >= 0) {
        (void)close(ac->listen_fd);
    }
}

// Nobody reads a pty that nobody has open; what would pile up there would be old when it is read.
static bool is_heard(const struct pw_sim_ac *ac, pw_ms now)
{
    bool silent = ac->heard_at == PW_NEVER || pw_elapsed(ac->heard_at, PRESENT_MS, now);
    return ac->fd >= 0 && (ac->fd != ac->pty.fd || !silent);
}

static void report(struct pw_sim_ac *ac, pw_ms now)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_board_senses senses;
    struct pw_board_block block;
    bool heard = is_heard(ac, now);
    if (!heard && ac->pty.fd >= 0) {
        pw_sim_pty_forget(&ac->pty);
        ac->out_len = 0;
    }
    while (pw_world_ac_take_block(&ac->world, &block)) {
        if (heard) {
            send_frame(ac, frame, pw_frontend_board_block(&ac->board, &block, now, frame));
        }
    }
    if (!pw_world_ac_take_senses(&ac->world, &senses) || !heard) {
        return;
    }
    send_frame(ac, frame, pw_frontend_board_hello(&ac->board, now, frame));
    send_frame(ac, frame, pw_frontend_board_senses(&ac->board, &senses, now, frame));
    if (senses.mains.at != PW_NEVER && senses.mains.at != ac->mains_at) {
        ac->mains_at = senses.mains.at;
        send_frame(ac, frame, pw_frontend_board_mains(&ac->board, &senses.mains, now, frame));
    }
}

// What a certified meter before the contactor shows: the truth, with the power shared out as the
// currents are.
static struct pw_board_mains at_the_meter(const struct pw_sim_ac *ac)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&ac->world);
    struct pw_board_mains mains = {
        .at = ac->world.now,
        .mhz = (int32_t)(ac->world.path.hertz * 1000),
        .import_mwh = truth.energy_mwh,
    };
    int64_t sum = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        sum += truth.ma[p];
    }
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        mains.mv[p] = truth.mv[p];
        mains.ma[p] = truth.ma[p];
        mains.mw[p] = sum > 0 ? (int32_t)((int64_t)truth.mw * truth.ma[p] / sum) : 0;
    }
    return mains;
}

static pw_ms turn_ac(struct pw_sim *sim, pw_ms now)
{
    struct pw_sim_ac *ac = &sim->ac;
    if (ac->was_dead && !ac->world.board.dead) {
        struct pw_frontend_hello hello = hello_of(&sim->options);
        pw_frontend_board_init(&ac->board, &hello); // it starts anew
    }
    ac->was_dead = ac->world.board.dead;
    (void)pw_world_ac_step(&ac->world, now);
    if (sim->wired.server != NULL) {
        struct pw_board_mains mains = at_the_meter(ac);
        pw_modbus_server_show(sim->wired.server, &mains);
    }
    report(ac, now);
    flush(ac);
    return pw_world_ac_step(&ac->world, now);
}

static int line_ac(struct pw_sim *sim, struct pw_str text, struct pw_out *answer)
{
    return pw_acscenario_run(&sim->ac.world, text, answer);
}

static bool take_card_ac(struct pw_sim *sim, char *to, size_t cap)
{
    return pw_world_ac_take_card(&sim->ac.world, to, cap);
}

static void status_ac(const struct pw_sim *sim, struct pw_line *line)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&sim->ac.world);
    pw_line_s(line, "car", truth.plugged ? sim->ac.world.car.kind->word : "none");
    pw_line_fixed(line, "soc", truth.soc_permille, 1);
    pw_line_s(line, "level", pw_world_ac_level_name(truth.level));
    pw_line_fixed(line, "offer", truth.offer_ma, 3);
    pw_line_fixed(line, "a1", truth.ma[0], 3);
    pw_line_fixed(line, "a2", truth.ma[1], 3);
    pw_line_fixed(line, "a3", truth.ma[2], 3);
    pw_line_fixed(line, "w", truth.mw, 3);
    pw_line_fixed(line, "wh", truth.energy_mwh, 3);
    pw_line_s(line, "contactor", truth.any_closed ? "closed" : "open");
}

static void result_ac(const struct pw_sim *sim, struct pw_out *out)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&sim->ac.world);
    pw_put_s(out, "{\"energy_wh_physical\":");
    pw_put_fixed(out, truth.energy_mwh, 3);
    pw_put_s(out, ",\"soc_start\":");
    pw_put_fixed(out, sim->ac.soc_start_permille, 1);
    pw_put_s(out, ",\"soc_end\":");
    pw_put_fixed(out, truth.soc_permille, 1);
    pw_put_s(out, ",\"car\":\"");
    pw_put_s(out, sim->ac.world.car.kind->word);
    pw_put_s(out, "\",\"opened_loaded\":");
    pw_put_uint(out, truth.wear.opened_loaded);
    pw_put_c(out, '}');
}

const struct pw_sim_kind pw_sim_kind_ac = {
    .open = open_ac,
    .close = close_ac,
    .turn = turn_ac,
    .line = line_ac,
    .take_card = take_card_ac,
    .status = status_ac,
    .result = result_ac,
};

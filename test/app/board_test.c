// pilotwire-station with the board of an AC outlet, played here over TCP in real time with the
// simulated car behind it.
#include "acworld/acworld.h"
#include "frontend/frontend.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define OPEN_MS     100 // from the edge to the contactor, facts/ac-evse-rapi-load.md §1.3
#define TRIES       3   // a busy machine may be late once

struct bench {
    char dir[64];
    int server;
    int fd; // the station's connection; -1: none
    pid_t station;
    int log;
    char text[65536]; // what the station has logged
    size_t text_len;
    struct pw_frontend_board board;
    struct pw_world_ac world;
};

static pw_ms now_ms(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

// ---------------------------------------------------------------------------------------------
// The board.

static void send_frame(struct bench *bench, const uint8_t *frame, size_t len)
{
    if (len > 0 && bench->fd >= 0 && send(bench->fd, frame, len, MSG_NOSIGNAL) < 0) {
        (void)close(bench->fd);
        bench->fd = -1;
    }
}

static void hear(struct bench *bench, pw_ms now)
{
    uint8_t bytes[512];
    ssize_t got = bench->fd >= 0 ? read(bench->fd, bytes, sizeof(bytes)) : -1;
    for (ssize_t i = 0; i < got; i++) {
        (void)pw_frontend_board_feed(&bench->board, bytes[i], now);
    }
    const struct pw_board_drive drive = pw_frontend_board_drive(&bench->board, now);
    pw_world_ac_drive(&bench->world, &drive, now);
}

static void speak(struct bench *bench, pw_ms now)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_board_senses senses;
    send_frame(bench, frame, pw_frontend_board_hello(&bench->board, now, frame));
    if (pw_world_ac_take_senses(&bench->world, &senses)) {
        send_frame(bench, frame, pw_frontend_board_senses(&bench->board, &senses, now, frame));
        if (senses.mains.at != PW_NEVER) {
            send_frame(bench, frame,
                       pw_frontend_board_mains(&bench->board, &senses.mains, now, frame));
        }
    }
}

static void read_log(struct bench *bench)
{
    size_t room = sizeof(bench->text) - 1 - bench->text_len;
    ssize_t got = read(bench->log, bench->text + bench->text_len, room);
    bench->text_len += got > 0 ? (size_t)got : 0;
    bench->text[bench->text_len] = '\0';
}

static void turn(struct bench *bench)
{
    struct pollfd ready = {.fd = bench->fd, .events = POLLIN};
    (void)poll(&ready, 1, 1);
    read_log(bench);
    if (bench->server < 0) {
        return; // a test without a board
    }
    if (bench->fd < 0) {
        bench->fd = accept4(bench->server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    }
    pw_ms now = now_ms();
    hear(bench, now);
    (void)pw_world_ac_step(&bench->world, now);
    speak(bench, now);
}

static struct pw_world_ac_truth truth(const struct bench *bench)
{
    return pw_world_ac_truth(&bench->world);
}

#define UNTIL(bench, condition)                                                                    \
    do {                                                                                           \
        pw_ms until = now_ms() + PATIENCE_MS;                                                      \
        while (!(condition) && now_ms() < until) {                                                 \
            turn(bench);                                                                           \
        }                                                                                          \
        if (!(condition)) {                                                                        \
            fail_msg("gave up waiting for %s; the station said\n%s", #condition, (bench)->text);   \
        }                                                                                          \
    } while (0)

// ---------------------------------------------------------------------------------------------
// The station.

static void write_file(const struct bench *bench, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", bench->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_files(const struct bench *bench, const char *device)
{
    char board[256];
    (void)snprintf(board, sizeof(board), "board:\n  kind: frontend\nfrontend:\n  device: %s\n",
                   device);
    write_file(bench, "board.yaml", board);
    write_file(bench, "station.yaml",
               "station:\n  id: board-test\nsession:\n  free_id_tag: FREE\ncharging:\n  "
               "plug_and_charge: true\n"
               "connectors:\n  - kind: pilot\n    board: board.yaml\n    min_off_s: 1\n");
}

// Runs the station with `option` (NULL: none); its words come out of bench->log.
static void start_station(struct bench *bench, const char *option)
{
    char config[128];
    char control[128];
    int ends[2];
    (void)snprintf(config, sizeof(config), "%s/station.yaml", bench->dir);
    (void)snprintf(control, sizeof(control), "%s/control", bench->dir);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    bench->station = fork();
    assert_true(bench->station >= 0);
    if (bench->station == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execl(PW_STATION_PROGRAM, PW_STATION_PROGRAM, "--config", config, "--data",
                    bench->dir, "--control", control, option, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    bench->log = ends[0];
    assert_int_equal(fcntl(bench->log, F_SETFL, O_NONBLOCK), 0);
}

static int end_station(struct bench *bench)
{
    int status = 0;
    pw_ms until = now_ms() + PATIENCE_MS;
    while (waitpid(bench->station, &status, WNOHANG) == 0) {
        turn(bench);
        if (now_ms() > until) {
            (void)kill(bench->station, SIGKILL);
        }
    }
    read_log(bench);
    (void)close(bench->log);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void place(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->fd = -1;
    bench->server = -1;
    (void)snprintf(bench->dir, sizeof(bench->dir), "board-XXXXXX");
    assert_non_null(mkdtemp(bench->dir));
}

static void leave(const struct bench *bench)
{
    static const char *const names[] = {"board.yaml", "station.yaml",   "control",
                                        "station.db", "station.db-wal", "station.db-shm"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", bench->dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(bench->dir);
    if (bench->fd >= 0) {
        (void)close(bench->fd);
    }
    if (bench->server >= 0) {
        (void)close(bench->server);
    }
}

static void begin(struct bench *bench)
{
    const struct pw_frontend_hello hello = {
        .version = PW_FRONTEND_VERSION,
        .phases = 3,
        .has = PW_FRONTEND_HAS_ALL & ~PW_FRONTEND_HAS_BLOCKS,
        .step_ppm = 100,
        .watchdog_ms = PW_BOARD_SILENCE_MS,
        .name = "board_test",
    };
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    char device[64];
    place(bench);
    bench->server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(bench->server, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(bench->server, 1), 0);
    assert_int_equal(getsockname(bench->server, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(device, sizeof(device), "tcp:127.0.0.1:%u", ntohs(at.sin_port));
    write_files(bench, device);
    struct pw_world_ac_config config = pw_world_ac_defaults();
    config.plugged = true;
    pw_world_ac_init(&bench->world, &config, now_ms());
    pw_frontend_board_init(&bench->board, &hello);
    start_station(bench, NULL);
}

// ---------------------------------------------------------------------------------------------

// From the car's S2 to the open contactor, as the board hears it: wire, loop, debounce, decision,
// wire.
static pw_ms open_time(struct bench *bench)
{
    UNTIL(bench, truth(bench).any_closed);
    for (pw_ms until = now_ms() + 300; now_ms() < until;) {
        turn(bench);
    }
    pw_ms since = now_ms();
    pw_world_ac_plug(&bench->world, false);
    UNTIL(bench, !pw_frontend_board_drive(&bench->board, now_ms()).contactor);
    pw_ms took = now_ms() - since;
    UNTIL(bench, !truth(bench).any_closed);
    return took;
}

static void a_pulled_plug_opens_in_time_through_wire_and_loop(void **state)
{
    static struct bench bench;
    pw_ms best = PW_NEVER;
    (void)state;
    begin(&bench);
    for (unsigned i = 0; i < TRIES && best > OPEN_MS; i++) {
        pw_ms took = open_time(&bench);
        print_message("edge to command: %u ms\n", (unsigned)took);
        best = pw_earlier(best, took);
        pw_world_ac_plug(&bench.world, true);
    }
    assert_true(best <= OPEN_MS);
    assert_int_equal(bench.board.reader.bad, 0);
    (void)kill(bench.station, SIGTERM);
    assert_int_equal(end_station(&bench), 0);
    assert_false(truth(&bench).any_closed);
    assert_int_equal(truth(&bench).cp, PW_BOARD_CP_FAULT);
    leave(&bench);
}

static void a_board_that_is_lost_is_opened_again(void **state)
{
    static struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, strstr(bench.text, "board up") != NULL);
    (void)close(bench.fd);
    bench.fd = -1;
    UNTIL(&bench, strstr(bench.text, "board away") != NULL);
    const char *away = strstr(bench.text, "board away");
    UNTIL(&bench, strstr(away, "board up") != NULL);
    (void)kill(bench.station, SIGTERM);
    assert_int_equal(end_station(&bench), 0);
    leave(&bench);
}

// Reason: nobody is left to say "open": the board does.
static void a_killed_station_leaves_nothing_closed(void **state)
{
    static struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, truth(&bench).any_closed);
    (void)kill(bench.station, SIGKILL);
    pw_ms since = now_ms();
    UNTIL(&bench, !truth(&bench).any_closed);
    assert_true(now_ms() - since <= PW_BOARD_SILENCE_MS + 500);
    assert_int_equal(end_station(&bench), -1);
    leave(&bench);
}

static void a_wrong_board_file_is_refused_before_anything_starts(void **state)
{
    static struct bench bench;
    (void)state;
    place(&bench);
    write_files(&bench, "/dev/ttyACM0@1000000");
    start_station(&bench, "--check");
    assert_int_equal(end_station(&bench), 0);
    bench.text_len = 0;
    write_file(&bench, "board.yaml", "board:\n  kind: frontend\n  colour: red\n");
    start_station(&bench, "--check");
    assert_int_equal(end_station(&bench), 2);
    assert_non_null(strstr(bench.text, "board.yaml:3: board.colour: no board has such a key"));
    bench.text_len = 0;
    start_station(&bench, NULL);
    assert_int_equal(end_station(&bench), 2);
    leave(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulled_plug_opens_in_time_through_wire_and_loop),
        cmocka_unit_test(a_board_that_is_lost_is_opened_again),
        cmocka_unit_test(a_killed_station_leaves_nothing_closed),
        cmocka_unit_test(a_wrong_board_file_is_refused_before_anything_starts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

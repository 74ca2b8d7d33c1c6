// A front-end on a pty and behind TCP, its board's end played here in real time.
#include "frontend/frontend.h"

#include "board/hardware.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000 // longest wait for something that will come

// The board's end: a microcontroller on the other side of the line.
struct peer {
    int fd;
    struct pw_frontend_board board;
    struct pw_board_senses senses;
    pw_ms senses_at;
    bool mute;
};

struct bench {
    struct pw_hardware *hardware;
    struct peer peer;
    int slave; // kept open: a pty without a slave hangs up
    struct pw_board_file file;
    unsigned senses;
    unsigned blocks;
    struct pw_board_senses last;
    struct pw_board_block block;
    bool up;
    unsigned states;
    char why[PW_HARDWARE_REASON_MAX];
    int end; // an error that read gave
};

static pw_ms now_ms(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

static void peer_send(struct peer *peer, const uint8_t *frame, size_t len)
{
    if (len > 0) {
        assert_int_equal(write(peer->fd, frame, len), len);
    }
}

static void peer_step(struct peer *peer, pw_ms now)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    uint8_t bytes[512];
    ssize_t got = read(peer->fd, bytes, sizeof(bytes));
    for (ssize_t i = 0; i < got; i++) {
        (void)pw_frontend_board_feed(&peer->board, bytes[i], now);
    }
    if (peer->mute) {
        return;
    }
    peer_send(peer, frame, pw_frontend_board_hello(&peer->board, now, frame));
    if (now >= peer->senses_at) {
        peer->senses_at = now + PW_FRONTEND_SENSES_MS;
        peer->senses.at = now;
        peer_send(peer, frame, pw_frontend_board_senses(&peer->board, &peer->senses, now, frame));
    }
}

static void hear(struct bench *bench, pw_ms now)
{
    struct pw_hardware_event event;
    int got = pw_hardware_read(bench->hardware, now, &event);
    for (; got == 1; got = pw_hardware_read(bench->hardware, now, &event)) {
        switch (event.kind) {
        case PW_HARDWARE_SENSES:
            bench->senses++;
            bench->last = *event.senses;
            break;
        case PW_HARDWARE_BLOCK:
            bench->blocks++;
            bench->block = *event.block;
            break;
        case PW_HARDWARE_STATE:
            bench->states++;
            bench->up = event.up;
            assert_int_equal(pw_str_copy(bench->why, sizeof(bench->why), pw_str_of(event.why)),
                             PW_OK);
            break;
        }
    }
    bench->end = got;
}

// One millisecond or so, as a loop would spend it.
static void turn(struct bench *bench)
{
    struct pollfd ready[2] = {
        {.fd = bench->peer.fd, .events = POLLIN},
        {.fd = bench->hardware ? pw_hardware_fd(bench->hardware) : -1, .events = POLLIN}};
    (void)poll(ready, 2, 1);
    pw_ms now = now_ms();
    if (bench->peer.fd >= 0) {
        peer_step(&bench->peer, now);
    }
    if (bench->hardware != NULL && bench->end == 0) {
        hear(bench, now_ms());
    }
}

#define UNTIL(bench, condition)                                                                    \
    do {                                                                                           \
        pw_ms until = now_ms() + WAIT_MS;                                                          \
        while (!(condition) && now_ms() < until) {                                                 \
            turn(bench);                                                                           \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static void run(struct bench *bench, pw_ms ms)
{
    for (pw_ms until = now_ms() + ms; now_ms() < until;) {
        turn(bench);
    }
}

static const struct pw_frontend_hello hello = {
    .version = PW_FRONTEND_VERSION,
    .phases = 3,
    .has = PW_FRONTEND_HAS_CONTACT | PW_FRONTEND_HAS_RCD | PW_FRONTEND_HAS_RCD_TEST |
           PW_FRONTEND_HAS_ESTOP,
    .step_ppm = 100,
    .watchdog_ms = 500,
    .name = "bench",
};

static void begin_peer(struct peer *peer)
{
    pw_frontend_board_init(&peer->board, &hello);
    peer->senses = (struct pw_board_senses){.cp_high_mv = 12000,
                                            .cp_low_mv = PW_BOARD_UNKNOWN,
                                            .pp_ohm = PW_BOARD_OPEN_OHM,
                                            .contact = PW_BOARD_CONTACT_OPEN,
                                            .rcd = PW_BOARD_RCD_OK,
                                            .mains = {.at = PW_NEVER}};
}

static void open_hardware(struct bench *bench)
{
    char text[PW_HARDWARE_REASON_MAX];
    struct pw_out why = PW_OUT(text);
    if (pw_hardware_open(&bench->hardware, &bench->file, now_ms(), &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

static void begin(struct bench *bench)
{
    struct termios mode;
    char name[128];
    memset(bench, 0, sizeof(*bench));
    bench->file.kind = PW_BOARD_KIND_FRONTEND;
    assert_int_equal(openpty(&bench->peer.fd, &bench->slave, name, NULL, NULL), 0);
    assert_int_equal(tcgetattr(bench->slave, &mode), 0);
    cfmakeraw(&mode);
    assert_int_equal(tcsetattr(bench->slave, TCSANOW, &mode), 0);
    assert_int_equal(fcntl(bench->peer.fd, F_SETFL, O_NONBLOCK), 0);
    struct pw_out out = PW_OUT(bench->file.device);
    pw_put_s(&out, name);
    pw_put_s(&out, "@1000000");
    begin_peer(&bench->peer);
    open_hardware(bench);
}

static void end(struct bench *bench)
{
    pw_hardware_close(bench->hardware);
    (void)close(bench->peer.fd);
    if (bench->slave > 0) {
        (void)close(bench->slave);
    }
}

static const struct pw_board_drive charging = {
    .cp = PW_BOARD_CP_PWM, .duty_ppm = 266600, .contactor = true, .lock = true};

static bool closed(const struct bench *bench)
{
    return pw_frontend_board_drive(&bench->peer.board, now_ms()).contactor;
}

static void drive(struct bench *bench, const struct pw_board_drive *what)
{
    assert_int_equal(pw_hardware_drive(bench->hardware, what, now_ms()), PW_OK);
}

// ---------------------------------------------------------------------------------------------

static void a_board_comes_up_says_what_it_is_and_is_driven(void **state)
{
    struct bench bench;
    struct pw_board_traits traits;
    (void)state;
    begin(&bench);
    assert_false(pw_hardware_traits(bench.hardware, &traits));
    UNTIL(&bench, bench.up);
    assert_true(pw_hardware_traits(bench.hardware, &traits));
    assert_int_equal(traits.step_ppm, 100);
    assert_false(traits.no_feedback);
    assert_false(traits.no_rcd);
    assert_true(traits.blind_lock);
    assert_true(traits.no_earth);
    assert_true(traits.no_probe);
    assert_false(traits.blocks);
    drive(&bench, &charging);
    UNTIL(&bench, closed(&bench));
    bench.peer.senses.estop = true;
    UNTIL(&bench, bench.last.estop);
    assert_int_equal(bench.last.pp_ohm, PW_BOARD_OPEN_OHM);
    assert_in_range(now_ms() - bench.last.at, 0, 100);
    end(&bench);
}

static void blocks_arrive_whole(void **state)
{
    struct bench bench;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_board_block block = {.rate_hz = 4000, .count = 64, .cp_high = 7, .cp_low = INT16_MIN};
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up);
    for (size_t i = 0; i < 64; i++) {
        block.volt[2][i] = (int16_t)(i * 100);
    }
    block.at = now_ms();
    peer_send(&bench.peer, frame,
              pw_frontend_board_block(&bench.peer.board, &block, now_ms(), frame));
    UNTIL(&bench, bench.blocks == 1);
    assert_memory_equal(bench.block.volt, block.volt, sizeof(block.volt));
    assert_int_equal(bench.block.cp_low, INT16_MIN);
    end(&bench);
}

// Reason: a boot loader's greeting, noise while a plug is put in, half a frame.
static void rubbish_on_the_line_costs_nothing_but_itself(void **state)
{
    struct bench bench;
    uint8_t rubbish[600];
    (void)state;
    begin(&bench);
    memset(rubbish, 0xA5, sizeof(rubbish));
    memcpy(rubbish, "ROM v3 boot:0x13\r\n", 18);
    peer_send(&bench.peer, rubbish, sizeof(rubbish));
    run(&bench, 5);
    peer_send(&bench.peer, rubbish, sizeof(rubbish));
    UNTIL(&bench, bench.up);
    peer_send(&bench.peer, rubbish, 7);
    unsigned senses = bench.senses;
    UNTIL(&bench, bench.senses > senses + 5);
    assert_int_equal(bench.states, 1);
    end(&bench);
}

static void a_board_that_falls_silent_is_told_and_comes_back(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up);
    drive(&bench, &charging);
    UNTIL(&bench, closed(&bench));
    bench.peer.mute = true;
    pw_ms since = now_ms();
    UNTIL(&bench, !bench.up);
    assert_in_range(now_ms() - since, PW_FRONTEND_LOST_MS - 20, PW_FRONTEND_LOST_MS + 1000);
    assert_string_equal(bench.why, "the board is silent");
    // Nobody drives what nobody hears: the board's watchdog has the last word.
    UNTIL(&bench, !closed(&bench));
    bench.peer.mute = false;
    UNTIL(&bench, bench.up);
    end(&bench);
}

static void a_board_of_another_version_is_refused(void **state)
{
    struct bench bench;
    struct pw_board_traits traits;
    (void)state;
    begin(&bench);
    bench.peer.board.hello.version = 2;
    UNTIL(&bench, bench.states == 1);
    assert_false(bench.up);
    assert_non_null(strstr(bench.why, "another version"));
    drive(&bench, &charging);
    run(&bench, 50);
    assert_int_equal(bench.senses, 0);
    assert_false(closed(&bench));
    assert_false(pw_hardware_traits(bench.hardware, &traits));
    end(&bench);
}

// Reason: the station hangs; nobody calls us. facts/reliability.md §7.1 A24.
static void a_station_that_hangs_lets_the_board_open(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up);
    drive(&bench, &charging);
    UNTIL(&bench, closed(&bench));
    struct pw_hardware *hardware = bench.hardware;
    bench.hardware = NULL;
    pw_ms since = now_ms();
    UNTIL(&bench, !closed(&bench));
    assert_in_range(now_ms() - since, 380, 1500);
    bench.hardware = hardware;
    end(&bench);
}

// Reason: the panic hook's way, with a frame of ours half sent or not.
static void off_opens_at_once(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up);
    drive(&bench, &charging);
    UNTIL(&bench, closed(&bench));
    pw_hardware_off(bench.hardware);
    struct pw_hardware *hardware = bench.hardware;
    bench.hardware = NULL;
    pw_ms since = now_ms();
    UNTIL(&bench, !closed(&bench));
    assert_true(now_ms() - since < 390);
    assert_true(pw_frontend_board_drive(&bench.peer.board, now_ms()).lock);
    bench.hardware = hardware;
    end(&bench);
}

static void a_pulled_plug_is_a_lost_board(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench);
    UNTIL(&bench, bench.up);
    (void)close(bench.peer.fd);
    bench.peer.fd = -1;
    UNTIL(&bench, bench.end == PW_ERR_PEER);
    assert_int_equal(pw_hardware_drive(bench.hardware, &charging, now_ms()), PW_ERR_PEER);
    assert_int_equal(pw_hardware_deadline(bench.hardware), PW_NEVER);
    end(&bench);
}

static void begin_tcp(struct bench *bench)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    memset(bench, 0, sizeof(*bench));
    int server = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &len), 0);
    struct pw_out out = PW_OUT(bench->file.device);
    pw_put_s(&out, "tcp:127.0.0.1:");
    pw_put_uint(&out, ntohs(at.sin_port));
    begin_peer(&bench->peer);
    bench->peer.fd = -1;
    open_hardware(bench);
    bench->peer.fd = accept(server, NULL, NULL);
    (void)close(server);
    assert_int_equal(fcntl(bench->peer.fd, F_SETFL, O_NONBLOCK), 0);
}

static void a_board_behind_tcp_works_the_same(void **state)
{
    struct bench bench;
    (void)state;
    begin_tcp(&bench);
    UNTIL(&bench, bench.up);
    drive(&bench, &charging);
    UNTIL(&bench, closed(&bench));
    end(&bench);
}

// Reason: a line that brings rubbish as fast as it is read kept the station from all its other
// work, the timeouts of that very board among them. Every read must come back with some of it left.
static void a_flood_of_rubbish_does_not_hold_the_reader(void **state)
{
    struct bench bench;
    struct pw_hardware_event event;
    static uint8_t rubbish[65536];
    (void)state;
    begin_tcp(&bench);
    UNTIL(&bench, bench.up);
    bench.peer.mute = true;
    memset(rubbish, 0xA5, sizeof(rubbish));
    pw_ms since = now_ms();
    while (bench.up && now_ms() - since < WAIT_MS) {
        (void)!write(bench.peer.fd, rubbish, sizeof(rubbish));
        turn(&bench);
    }
    assert_in_range(now_ms() - since, PW_FRONTEND_LOST_MS - 20, PW_FRONTEND_LOST_MS + 1000);
    (void)!write(bench.peer.fd, rubbish, sizeof(rubbish));
    struct pollfd line = {.fd = pw_hardware_fd(bench.hardware), .events = POLLIN};
    assert_int_equal(poll(&line, 1, WAIT_MS), 1);
    assert_int_equal(pw_hardware_read(bench.hardware, now_ms(), &event), 0);
    assert_int_equal(poll(&line, 1, 0), 1);
    end(&bench);
}

static void nobody_behind_tcp_is_a_lost_board(void **state)
{
    struct bench bench;
    (void)state;
    memset(&bench, 0, sizeof(bench));
    bench.peer.fd = -1;
    assert_int_equal(
        pw_str_copy(bench.file.device, sizeof(bench.file.device), PW_STR("tcp:127.0.0.1:1")),
        PW_OK);
    open_hardware(&bench);
    UNTIL(&bench, bench.end == PW_ERR_PEER);
    end(&bench);
}

static void a_device_that_cannot_be_says_what_is_wrong(void **state)
{
    static const struct {
        const char *device;
        int err;
        const char *why;
    } rows[] = {
        {"/nonexistent", PW_ERR_UNKNOWN, "/nonexistent: the device cannot be opened: No such"},
        {"/dev/null", PW_ERR_UNKNOWN, "/dev/null: not a serial device"},
        {"/dev/null@fast", PW_ERR_RANGE, "the serial speed must be 9600"},
        {"/dev/null@123", PW_ERR_RANGE, "the serial speed must be 9600"},
        {"tcp:localhost:7001", PW_ERR_RANGE, "the address in numbers"},
        {"tcp:127.0.0.1:0", PW_ERR_RANGE, "the port 1 to 65535"},
        {"@9600", PW_ERR_RANGE, "1 to 127 characters"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_hardware *hardware = NULL;
        struct pw_board_file file = {.kind = PW_BOARD_KIND_FRONTEND};
        char text[PW_HARDWARE_REASON_MAX] = "";
        struct pw_out why = PW_OUT(text);
        assert_int_equal(pw_str_copy(file.device, sizeof(file.device), pw_str_of(rows[i].device)),
                         PW_OK);
        int err = pw_hardware_open(&hardware, &file, 0, &why);
        assert_null(hardware);
        if (err != rows[i].err || strstr(text, rows[i].why) == NULL) {
            fail_msg("%s: %d %s", rows[i].device, err, text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_comes_up_says_what_it_is_and_is_driven),
        cmocka_unit_test(blocks_arrive_whole),
        cmocka_unit_test(rubbish_on_the_line_costs_nothing_but_itself),
        cmocka_unit_test(a_board_that_falls_silent_is_told_and_comes_back),
        cmocka_unit_test(a_board_of_another_version_is_refused),
        cmocka_unit_test(a_station_that_hangs_lets_the_board_open),
        cmocka_unit_test(off_opens_at_once),
        cmocka_unit_test(a_pulled_plug_is_a_lost_board),
        cmocka_unit_test(a_board_behind_tcp_works_the_same),
        cmocka_unit_test(a_flood_of_rubbish_does_not_hold_the_reader),
        cmocka_unit_test(nobody_behind_tcp_is_a_lost_board),
        cmocka_unit_test(a_device_that_cannot_be_says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

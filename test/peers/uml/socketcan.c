// Our SocketCAN wire on a real kernel, in the guest of run-in-guest.sh: frames both ways with
// can-utils as the other side, error frames and bus-off put on a vcan, interfaces going away, and a
// controller with a real bus-off: the kernel's slcan driver, whose serial adapter is played here on
// a pty (facts/platform.md §1).
#include "can/wire.h"
#include "slcan_pty.h"
#include "test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 5000

static pw_ms now_ms(void)
{
    struct timespec time;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
    return (pw_ms)time.tv_sec * 1000U + (pw_ms)time.tv_nsec / 1000000U;
}

static struct pw_can_wire *open_wire(const char *url)
{
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out reason = PW_OUT(text);
    struct pw_can_wire *wire = NULL;
    if (pw_can_wire_open(&wire, pw_str_of(url), now_ms(), &reason) != PW_OK) {
        fail_msg("%s", text);
    }
    return wire;
}

static void shell(const char *command)
{
    int status = system(command); // NOLINT(cert-env33-c): ip and cansend, with our own words
    if (status != 0) {
        fail_msg("%s: %d", command, status);
    }
}

static int wait_event(struct pw_can_wire *wire, struct pw_can_event *event, pw_ms longest)
{
    pw_ms until = now_ms() + longest;
    for (pw_ms now = now_ms(); now < until; now = now_ms()) {
        int got = pw_can_wire_read(wire, now, event);
        if (got != 0) {
            return got;
        }
        struct pollfd ready = {.fd = pw_can_wire_fd(wire), .events = POLLIN};
        pw_ms deadline = pw_earlier(pw_can_wire_deadline(wire), until);
        (void)poll(&ready, 1, deadline > now ? (int)(deadline - now) : 0);
    }
    return 0;
}

static void expect_frame(struct pw_can_wire *wire, const char *expected)
{
    struct pw_can_event event;
    char text[PW_CAN_TEXT_MAX];
    struct pw_out out = PW_OUT(text);
    assert_int_equal(wait_event(wire, &event, WAIT_MS), 1);
    assert_int_equal(event.kind, PW_CAN_EVENT_FRAME);
    pw_can_print(&out, &event.frame);
    assert_string_equal(text, expected);
}

static void expect_state(struct pw_can_wire *wire, enum pw_can_state state)
{
    struct pw_can_event event;
    assert_int_equal(wait_event(wire, &event, WAIT_MS), 1);
    assert_int_equal(event.kind, PW_CAN_EVENT_STATE);
    assert_string_equal(pw_can_state_name(event.state), pw_can_state_name(state));
}

static void expect_silence(struct pw_can_wire *wire, pw_ms longest)
{
    struct pw_can_event event;
    assert_int_equal(wait_event(wire, &event, longest), 0);
}

static int send_text(struct pw_can_wire *wire, const char *text)
{
    struct pw_can_frame frame = {0};
    assert_int_equal(pw_can_parse(pw_str_of(text), &frame), PW_OK);
    return pw_can_wire_send(wire, &frame);
}

// ---------------------------------------------------------------------------------------------

static const char *const frames[] = {
    "1806E5F4#035C0410000263FF",
    "18FF50E5#02FA007B18000000",
    "00000000#",
    "1FFFFFFF#FF",
    "000#0120",
    "7FF#1122334455667788",
    "123#R8",
    "1806E5F4#R0",
};

static void every_kind_of_frame_crosses_the_kernel(void **state)
{
    (void)state;
    struct pw_can_wire *a = open_wire("socketcan:vcan0");
    struct pw_can_wire *b = open_wire("socketcan:vcan0");
    assert_int_equal(pw_can_wire_state(a), PW_CAN_ACTIVE);
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        assert_int_equal(send_text(a, frames[i]), PW_OK);
        expect_frame(b, frames[i]);
    }
    expect_silence(a, 100); // our own frames do not come back
    pw_can_wire_close(a);
    pw_can_wire_close(b);
}

static void cansend_is_heard(void **state)
{
    (void)state;
    struct pw_can_wire *wire = open_wire("socketcan:vcan0");
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        char command[80];
        (void)snprintf(command, sizeof(command), "cansend vcan0 '%s'", frames[i]);
        shell(command);
        expect_frame(wire, frames[i]);
    }
    pw_can_wire_close(wire);
}

static void candump_hears_us(void **state)
{
    (void)state;
    struct pw_can_wire *wire = open_wire("socketcan:vcan0");
    char command[64];
    char line[128];
    (void)snprintf(command, sizeof(command), "candump -L -T 4000 -n %zu vcan0", PW_COUNT(frames));
    FILE *dump = popen(command, "r"); // NOLINT(cert-env33-c): our own words
    assert_non_null(dump);
    (void)usleep(300000); // candump says nothing when its socket is there
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        assert_int_equal(send_text(wire, frames[i]), PW_OK);
    }
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        assert_non_null(fgets(line, sizeof(line), dump));
        char *frame = strrchr(line, ' ');
        assert_non_null(frame);
        frame[strcspn(frame, "\n")] = '\0';
        bool bare = strcmp(frames[i], "1806E5F4#R0") == 0; // candump leaves the 0 away
        assert_string_equal(frame + 1, bare ? "1806E5F4#R" : frames[i]);
    }
    assert_int_equal(pclose(dump), 0);
    pw_can_wire_close(wire);
}

// Error frames on a vcan move the state; bus-off stays until a restart is told, for seconds too.
static void injected_bus_off_lasts_until_the_restart(void **state)
{
    (void)state;
    static const struct pw_can_error restarted = {.classes = PW_CAN_ERROR_RESTARTED};
    struct pw_can_wire *station = open_wire("socketcan:vcan0");
    struct pw_can_wire *world = open_wire("socketcan:vcan0");
    shell("cansend vcan0 20000004#0008000000000000");
    expect_state(station, PW_CAN_WARNING);
    expect_state(world, PW_CAN_WARNING);
    shell("cansend vcan0 20000004#0020000000000000");
    expect_state(station, PW_CAN_PASSIVE);
    shell("cansend vcan0 20000040#0000000000000000");
    expect_state(station, PW_CAN_OFF);
    shell("cansend vcan0 20000020#0000000000000000");
    expect_silence(station, 1500);
    assert_int_equal(send_text(station, "123#11"), PW_ERR_BUSY);
    assert_int_equal(pw_can_wire_stats(station).errors, 4);
    assert_int_equal(pw_can_wire_send_error(world, &restarted), PW_OK);
    expect_state(station, PW_CAN_ACTIVE);
    assert_int_equal(send_text(station, "123#11"), PW_OK);
    pw_can_wire_close(station);
    pw_can_wire_close(world);
}

static void an_interface_that_goes_down_comes_back(void **state)
{
    (void)state;
    struct pw_can_wire *wire = open_wire("socketcan:vcan1");
    shell("ip link set vcan1 down");
    expect_state(wire, PW_CAN_DOWN);
    assert_int_equal(send_text(wire, "123#11"), PW_ERR_BUSY);
    shell("ip link set vcan1 up");
    expect_state(wire, PW_CAN_ACTIVE);
    shell("cansend vcan1 123#22");
    expect_frame(wire, "123#22");
    pw_can_wire_close(wire);
    shell("ip link set vcan1 down");
    wire = open_wire("socketcan:vcan1"); // a station started before its interface
    assert_int_equal(pw_can_wire_state(wire), PW_CAN_DOWN);
    shell("ip link set vcan1 up");
    expect_state(wire, PW_CAN_ACTIVE);
    pw_can_wire_close(wire);
}

static void an_interface_pulled_out_is_a_lost_wire(void **state)
{
    (void)state;
    struct pw_can_event event;
    shell("ip link add vcan9 type vcan && ip link set vcan9 up");
    struct pw_can_wire *wire = open_wire("socketcan:vcan9");
    shell("ip link del vcan9");
    expect_state(wire, PW_CAN_DOWN);
    assert_int_equal(wait_event(wire, &event, WAIT_MS), PW_ERR_PEER);
    assert_int_equal(send_text(wire, "123#11"), PW_ERR_PEER);
    pw_can_wire_close(wire);
}

static void what_is_no_can_interface_is_named(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"socketcan:lo", "not a CAN interface"},
                                          {"socketcan:can77", "no such interface"}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[PW_CAN_WIRE_REASON_MAX];
        struct pw_out reason = PW_OUT(text);
        struct pw_can_wire *wire = NULL;
        assert_int_equal(pw_can_wire_open(&wire, pw_str_of(rows[i][0]), now_ms(), &reason),
                         PW_ERR_UNKNOWN);
        if (strstr(text, rows[i][1]) == NULL) {
            fail_msg("%s", text);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// A controller behind a serial line: the kernel's slcan driver, and the adapter we play.

struct adapter {
    struct slcan_pty pty;
    char heard[8192];
    size_t len;
};

static void listen_adapter(struct adapter *adapter, int longest)
{
    struct pollfd ready = {.fd = adapter->pty.master, .events = POLLIN};
    while (poll(&ready, 1, longest) == 1 && adapter->len < sizeof(adapter->heard) - 1) {
        ssize_t got = read(adapter->pty.master, adapter->heard + adapter->len,
                           sizeof(adapter->heard) - 1 - adapter->len);
        if (got <= 0) {
            return;
        }
        adapter->len += (size_t)got;
        adapter->heard[adapter->len] = '\0';
        longest = 50;
    }
}

// Runs a command while the adapter reads: the driver waits for its commands to be taken.
static void shell_with_adapter(struct adapter *adapter, const char *command)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        listen_adapter(adapter, 10);
    }
    if (status != 0) {
        fail_msg("%s: %d", command, status);
    }
}

static void say(const struct adapter *adapter, const char *text)
{
    assert_int_equal(write(adapter->pty.master, text, strlen(text)), (ssize_t)strlen(text));
}

// Forgets what was heard before; then the next thing heard must be `expected`.
static void expect_adapter(struct adapter *adapter, const char *expected)
{
    pw_ms until = now_ms() + WAIT_MS;
    while (strstr(adapter->heard, expected) == NULL && now_ms() < until) {
        listen_adapter(adapter, 100);
    }
    assert_non_null(strstr(adapter->heard, expected));
    adapter->len = 0;
    adapter->heard[0] = '\0';
}

static void plug_adapter(struct adapter *adapter)
{
    char command[128];
    *adapter = (struct adapter){0};
    assert_true(slcan_pty_open(&adapter->pty));
    (void)snprintf(command, sizeof(command),
                   "ip link set %s type can bitrate 250000 && ip link set %s up", adapter->pty.name,
                   adapter->pty.name);
    shell_with_adapter(adapter, command);
    expect_adapter(adapter, "C\rS5\rO\r");
}

static struct pw_can_wire *open_adapter(const struct adapter *adapter)
{
    char url[64];
    (void)snprintf(url, sizeof(url), "socketcan:%s", adapter->pty.name);
    return open_wire(url);
}

static void unplug_adapter(struct adapter *adapter)
{
    slcan_pty_close(&adapter->pty);
}

// Waits until "ip link" shows these words: it learns of a lost carrier up to a second later.
static void link_is(const struct adapter *adapter, const char *words)
{
    char command[160];
    (void)snprintf(command, sizeof(command),
                   "for i in 1 2 3 4 5 6 7 8 9; do ip -d link show %s | grep -q '%s' && exit 0; "
                   "sleep 0.3; done; exit 1",
                   adapter->pty.name, words);
    shell(command);
}

// The whole way down and back: warning, passive, bus-off in the controller itself, and the restart
// a technician (or the network setup) makes.
static void a_real_bus_off_is_seen_and_left(void **state)
{
    (void)state;
    struct adapter adapter;
    char command[128];
    plug_adapter(&adapter);
    struct pw_can_wire *wire = open_adapter(&adapter);
    assert_int_equal(pw_can_wire_state(wire), PW_CAN_ACTIVE);
    assert_int_equal(send_text(wire, "1806E5F4#035C0410000263FF"), PW_OK);
    expect_adapter(&adapter, "T1806E5F48035C0410000263FF\r");
    say(&adapter, "t1232AABB\r");
    expect_frame(wire, "123#AABB");
    say(&adapter, "sw100000\r");
    expect_state(wire, PW_CAN_WARNING);
    say(&adapter, "sp140000\r");
    expect_state(wire, PW_CAN_PASSIVE);
    say(&adapter, "sb000256\r");
    expect_state(wire, PW_CAN_OFF);
    link_is(&adapter, "state BUS-OFF");
    link_is(&adapter, "NO-CARRIER");
    assert_int_equal(send_text(wire, "123#11"), PW_ERR_BUSY);
    expect_silence(wire, 1200); // the controller stays off
    struct pw_can_wire *late = open_adapter(&adapter);
    assert_int_equal(pw_can_wire_state(late), PW_CAN_OFF); // a station started meanwhile knows
    pw_can_wire_close(late);
    (void)snprintf(command, sizeof(command), "ip link set %s down && ip link set %s up",
                   adapter.pty.name, adapter.pty.name);
    shell_with_adapter(&adapter, command);
    expect_adapter(&adapter, "O\r");
    expect_state(wire, PW_CAN_DOWN);
    expect_state(wire, PW_CAN_ACTIVE);
    assert_int_equal(send_text(wire, "123#33"), PW_OK);
    expect_adapter(&adapter, "t123133\r");
    pw_can_wire_close(wire);
    unplug_adapter(&adapter);
}

// Nobody takes the frames: the interface's queue fills and says so, instead of holding the station.
static void a_full_queue_refuses_and_recovers(void **state)
{
    (void)state;
    struct adapter adapter;
    plug_adapter(&adapter);
    struct pw_can_wire *wire = open_adapter(&adapter);
    unsigned taken = 0;
    int err = PW_OK;
    while (taken < 100000 && (err = send_text(wire, "123#1122334455667788")) == PW_OK) {
        taken++;
    }
    assert_int_equal(err, PW_ERR_AGAIN);
    assert_true(taken > 0);
    pw_ms until = now_ms() + WAIT_MS;
    do {
        adapter.len = 0;
        listen_adapter(&adapter, 50);
        err = send_text(wire, "7FF#");
    } while (err == PW_ERR_AGAIN && now_ms() < until);
    assert_int_equal(err, PW_OK);
    expect_adapter(&adapter, "t7FF0\r");
    pw_can_wire_close(wire);
    unplug_adapter(&adapter);
}

static void a_pulled_adapter_is_a_lost_wire(void **state)
{
    (void)state;
    struct adapter adapter;
    struct pw_can_event event;
    plug_adapter(&adapter);
    struct pw_can_wire *wire = open_adapter(&adapter);
    unplug_adapter(&adapter);
    expect_state(wire, PW_CAN_DOWN);
    assert_int_equal(wait_event(wire, &event, WAIT_MS), PW_ERR_PEER);
    pw_can_wire_close(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_frame_crosses_the_kernel),
        cmocka_unit_test(cansend_is_heard),
        cmocka_unit_test(candump_hears_us),
        cmocka_unit_test(injected_bus_off_lasts_until_the_restart),
        cmocka_unit_test(an_interface_that_goes_down_comes_back),
        cmocka_unit_test(an_interface_pulled_out_is_a_lost_wire),
        cmocka_unit_test(what_is_no_can_interface_is_named),
        cmocka_unit_test(a_real_bus_off_is_seen_and_left),
        cmocka_unit_test(a_full_queue_refuses_and_recovers),
        cmocka_unit_test(a_pulled_adapter_is_a_lost_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The CAN wires on a machine without CAN hardware: multicast over loopback, a serial adapter played
// on a pty and behind TCP, and a candump log. SocketCAN itself is proven in the Linux guest
// (test/peers/uml).
#include "../folder.h"
#include "can/slcan.h"
#include "can/wire.h"
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/can.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000 // longest wait for something that will come

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

// Waits as a loop would: for the descriptor or the deadline. 1, or the error that ended it.
static int wait_event(struct pw_can_wire *wire, struct pw_can_event *event)
{
    pw_ms until = now_ms() + WAIT_MS;
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
    assert_int_equal(wait_event(wire, &event), 1);
    assert_int_equal(event.kind, PW_CAN_EVENT_FRAME);
    pw_can_print(&out, &event.frame);
    assert_string_equal(text, expected);
}

static void expect_state(struct pw_can_wire *wire, enum pw_can_state state)
{
    struct pw_can_event event;
    assert_int_equal(wait_event(wire, &event), 1);
    assert_int_equal(event.kind, PW_CAN_EVENT_STATE);
    assert_string_equal(pw_can_state_name(event.state), pw_can_state_name(state));
    assert_int_equal(pw_can_wire_state(wire), state);
}

static void expect_silence(struct pw_can_wire *wire)
{
    struct pw_can_event event;
    assert_int_equal(pw_can_wire_read(wire, now_ms(), &event), 0);
}

static int send_text(struct pw_can_wire *wire, const char *text)
{
    struct pw_can_frame frame = {0};
    assert_int_equal(pw_can_parse(pw_str_of(text), &frame), PW_OK);
    return pw_can_wire_send(wire, &frame);
}

// ---------------------------------------------------------------------------------------------

static void a_url_that_cannot_be_says_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int err;
        const char *reason;
    } rows[] = {
        {"", PW_ERR_PEER, "expected socketcan:can0"},
        {"can0", PW_ERR_PEER, "expected socketcan:can0"},
        {"mcast:", PW_ERR_PEER, "expected socketcan:can0"},
        {"kvaser:0", PW_ERR_PEER, "expected socketcan:can0"},
        {"socketcan:a-name-far-too-long", PW_ERR_RANGE, "1 to 15 characters"},
        {"socketcan:nosuch0", PW_ERR_UNKNOWN, ""},
        {"mcast:192.168.0.1:43113", PW_ERR_RANGE, "224.0.0.0 to 239.255.255.255"},
        {"mcast:here:43113", PW_ERR_RANGE, "224.0.0.0 to 239.255.255.255"},
        {"mcast:239.74.163.2:0", PW_ERR_RANGE, "1 to 65535"},
        {"mcast:239.74.163.2:70000", PW_ERR_RANGE, "1 to 65535"},
        {"mcast:239.74.163.2:43113@nosuch0", PW_ERR_UNKNOWN, "no such interface"},
        {"slcan:/nonexistent", PW_ERR_UNKNOWN, "No such file"},
        {"slcan:/dev/null", PW_ERR_UNKNOWN, "not a serial device"},
        {"slcan:/dev/null@83333", PW_ERR_RANGE, "bit rate"},
        {"slcan:/dev/null@fast", PW_ERR_RANGE, "bit rate"},
        {"slcan:/dev/null@250000,17", PW_ERR_RANGE, "serial speed"},
        {"slcan:tcp:localhost:1", PW_ERR_RANGE, "in numbers"},
        {"slcan:tcp:127.0.0.1", PW_ERR_RANGE, "the port"},
        {"slcan:tcp:127.0.0.1:99999", PW_ERR_RANGE, "the port"},
        {"replay:/nonexistent.log", PW_ERR_UNKNOWN, "No such file"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[PW_CAN_WIRE_REASON_MAX];
        struct pw_out reason = PW_OUT(text);
        struct pw_can_wire *wire = NULL;
        int err = pw_can_wire_open(&wire, pw_str_of(rows[i].url), 0, &reason);
        assert_null(wire);
        if (err != rows[i].err || strstr(text, rows[i].reason) == NULL ||
            strstr(text, rows[i].url) == NULL) {
            fail_msg("%s: %s: %s", rows[i].url, pw_err_name(err), text);
        }
    }
}

// The build machine's kernel may have no CAN: then the reason must say so, not just a number.
static void a_kernel_without_can_is_named(void **state)
{
    (void)state;
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out reason = PW_OUT(text);
    struct pw_can_wire *wire = NULL;
    int fd = socket(PF_CAN, SOCK_RAW, CAN_RAW);
    assert_int_equal(pw_can_wire_open(&wire, PW_STR("socketcan:nosuch0"), 0, &reason),
                     PW_ERR_UNKNOWN);
    const char *expected = fd < 0 ? "no SocketCAN" : "no such interface";
    assert_non_null(strstr(text, expected));
    if (fd >= 0) {
        (void)close(fd);
    }
}

// ---------------------------------------------------------------------------------------------
// Multicast

// A port nobody uses: the system's choice, free again when we take it for the group.
static unsigned free_udp_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static void mcast_url(char url[64])
{
    (void)snprintf(url, 64, "mcast:239.74.163.2:%u", free_udp_port());
}

// Three programs on one bus: each hears the two others, none hears itself.
static void a_multicast_bus_joins_all_but_the_sender(void **state)
{
    (void)state;
    char url[64];
    mcast_url(url);
    struct pw_can_wire *a = open_wire(url);
    struct pw_can_wire *b = open_wire(url);
    struct pw_can_wire *c = open_wire(url);
    assert_int_equal(pw_can_wire_state(a), PW_CAN_ACTIVE);
    assert_string_equal(pw_can_wire_url(a), url);
    assert_int_equal(send_text(a, "1806E5F4#035C0410000263FF"), PW_OK);
    assert_int_equal(send_text(a, "123#R8"), PW_OK);
    expect_frame(b, "1806E5F4#035C0410000263FF");
    expect_frame(b, "123#R8");
    expect_frame(c, "1806E5F4#035C0410000263FF");
    expect_frame(c, "123#R8");
    assert_int_equal(send_text(b, "7FF#"), PW_OK);
    expect_frame(a, "7FF#");
    expect_frame(c, "7FF#");
    expect_silence(a);
    expect_silence(b);
    struct pw_can_wire_stats stats = pw_can_wire_stats(a);
    assert_int_equal(stats.sent, 2);
    assert_int_equal(stats.received, 1);
    pw_can_wire_close(a);
    pw_can_wire_close(b);
    pw_can_wire_close(c);
}

// The simulator breaks the bus: the station sees bus-off, may not send, and sees the restart.
static void error_frames_cross_the_multicast_bus(void **state)
{
    (void)state;
    static const struct pw_can_error off = {.classes = PW_CAN_ERROR_BUS_OFF};
    static const struct pw_can_error noise = {.classes = PW_CAN_ERROR_NO_ACK};
    static const struct pw_can_error restarted = {.classes = PW_CAN_ERROR_RESTARTED};
    char url[64];
    mcast_url(url);
    struct pw_can_wire *station = open_wire(url);
    struct pw_can_wire *world = open_wire(url);
    assert_int_equal(pw_can_wire_send_error(world, &off), PW_OK);
    assert_int_equal(pw_can_wire_send_error(world, &noise), PW_OK);
    expect_state(station, PW_CAN_OFF);
    assert_int_equal(send_text(station, "123#11"), PW_ERR_BUSY);
    assert_int_equal(pw_can_wire_stats(station).refused, 1);
    assert_int_equal(send_text(world, "123#22"), PW_OK);
    expect_frame(station, "123#22"); // the error without a change of state is no event
    assert_int_equal(pw_can_wire_stats(station).errors, 2);
    assert_int_equal(pw_can_wire_send_error(world, &restarted), PW_OK);
    expect_state(station, PW_CAN_ACTIVE);
    assert_int_equal(send_text(station, "123#33"), PW_OK);
    expect_frame(world, "123#33");
    pw_can_wire_close(station);
    pw_can_wire_close(world);
}

static void strangers_on_the_port_are_counted_and_ignored(void **state)
{
    (void)state;
    char url[64];
    mcast_url(url);
    struct pw_can_wire *wire = open_wire(url);
    struct pw_can_wire *other = open_wire(url);
    struct sockaddr_in to = {.sin_family = AF_INET};
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_addr.s_addr = inet_addr("239.74.163.2");
    to.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback, sizeof(loopback)), 0);
    char junk[2000];
    memset(junk, 0x8B, sizeof(junk));
    assert_int_equal(sendto(fd, junk, 10, 0, (struct sockaddr *)&to, sizeof(to)), 10);
    assert_int_equal(sendto(fd, junk, 2000, 0, (struct sockaddr *)&to, sizeof(to)), 2000);
    assert_int_equal(sendto(fd, junk, 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
    assert_int_equal(send_text(other, "123#"), PW_OK);
    expect_frame(wire, "123#");
    assert_int_equal(pw_can_wire_stats(wire).malformed, 3);
    // However much they send, one read ends: the loop has other things to do.
    for (int i = 0; i < 200; i++) {
        assert_int_equal(sendto(fd, junk, 10, 0, (struct sockaddr *)&to, sizeof(to)), 10);
    }
    struct pw_can_event event;
    assert_int_equal(pw_can_wire_read(wire, 0, &event), 0);
    assert_in_range(pw_can_wire_stats(wire).malformed, 4, 3 + 100);
    (void)close(fd);
    pw_can_wire_close(wire);
    pw_can_wire_close(other);
}

static void an_invalid_frame_is_not_sent(void **state)
{
    (void)state;
    char url[64];
    mcast_url(url);
    struct pw_can_wire *wire = open_wire(url);
    static const struct pw_can_frame frames[] = {{.id = 0x800}, {.len = 9}};
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        assert_int_equal(pw_can_wire_send(wire, &frames[i]), PW_ERR_RANGE);
    }
    struct pw_can_error error = {.classes = 0x20000000};
    assert_int_equal(pw_can_wire_send_error(wire, &error), PW_ERR_RANGE);
    pw_can_wire_close(wire);
}

// ---------------------------------------------------------------------------------------------
// slcan: the test is the adapter.

// Reads what the wire wrote until `expected` has come, all of it and nothing else.
static void expect_text(int fd, const char *expected)
{
    char text[512] = "";
    size_t len = 0;
    size_t want = strlen(expected);
    pw_ms until = now_ms() + WAIT_MS;
    while (len < want && now_ms() < until) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 100) != 1) {
            continue;
        }
        ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
        text[len] = '\0';
    }
    assert_string_equal(text, expected);
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static struct pw_can_wire *open_pty(int *adapter, const char *rates)
{
    int line;
    char name[64];
    char url[128];
    assert_int_equal(openpty(adapter, &line, name, NULL, NULL), 0);
    (void)snprintf(url, sizeof(url), "slcan:%s%s", name, rates);
    struct pw_can_wire *wire = open_wire(url);
    (void)close(line); // the wire holds the other end alone: closing it is a hang-up
    return wire;
}

static void an_adapter_on_a_serial_line_is_opened_used_and_closed(void **state)
{
    (void)state;
    int adapter;
    struct pw_can_wire *wire = open_pty(&adapter, "");
    assert_int_equal(pw_can_wire_state(wire), PW_CAN_DOWN);
    expect_state(wire, PW_CAN_ACTIVE);
    expect_text(adapter, "\rC\rS5\rO\r");
    say(adapter, "\a\r\r");
    assert_int_equal(send_text(wire, "1806E5F4#035C0410000263FF"), PW_OK);
    assert_int_equal(send_text(wire, "123#R2"), PW_OK);
    expect_text(adapter, "T1806E5F48035C0410000263FF\rr1232\r");
    say(adapter, "z\rT18FF50E58");
    say(adapter, "0102030405060708\rjunk\rt1230\r");
    expect_frame(wire, "18FF50E5#0102030405060708");
    expect_frame(wire, "123#");
    assert_int_equal(pw_can_wire_stats(wire).malformed, 1);
    pw_can_wire_close(wire);
    expect_text(adapter, "C\r");
    (void)close(adapter);
}

static void the_bit_rate_of_the_url_is_set(void **state)
{
    (void)state;
    int adapter;
    struct pw_can_wire *wire = open_pty(&adapter, "@125000,1000000");
    expect_state(wire, PW_CAN_ACTIVE);
    expect_text(adapter, "\rC\rS4\rO\r");
    pw_can_wire_close(wire);
    (void)close(adapter);
}

// Lawicel's flags are asked for every second; newer adapters report their state unasked.
static void the_adapters_status_is_the_state_of_the_bus(void **state)
{
    (void)state;
    int adapter;
    struct pw_can_wire *wire = open_pty(&adapter, "");
    expect_state(wire, PW_CAN_ACTIVE);
    expect_text(adapter, "\rC\rS5\rO\r");
    struct pw_can_event event;
    assert_int_equal(pw_can_wire_read(wire, now_ms() + 1000, &event), 0);
    expect_text(adapter, "F\r");
    say(adapter, "F24\r");
    expect_state(wire, PW_CAN_PASSIVE);
    say(adapter, "F04\r");
    expect_state(wire, PW_CAN_WARNING);
    say(adapter, "sb000256\r");
    expect_state(wire, PW_CAN_OFF);
    assert_int_equal(send_text(wire, "123#11"), PW_ERR_BUSY);
    say(adapter, "F00\rsa000000\r"); // only the second may end bus-off
    expect_state(wire, PW_CAN_ACTIVE);
    assert_int_equal(pw_can_wire_stats(wire).errors, 4);
    pw_can_wire_close(wire);
    (void)close(adapter);
}

static void an_unplugged_adapter_is_a_lost_wire(void **state)
{
    (void)state;
    int adapter;
    struct pw_can_event event = {0};
    struct pw_can_wire *wire = open_pty(&adapter, "");
    expect_state(wire, PW_CAN_ACTIVE);
    (void)close(adapter);
    expect_state(wire, PW_CAN_DOWN);
    assert_int_equal(wait_event(wire, &event), PW_ERR_PEER);
    assert_int_equal(send_text(wire, "123#11"), PW_ERR_PEER);
    assert_int_equal(pw_can_wire_send_error(wire, &event.error), PW_ERR_PEER);
    pw_can_wire_close(wire);
}

// An adapter that does not read must not hold the station: what does not fit is refused at once.
static void a_stuck_adapter_refuses_frames_and_keeps_their_order(void **state)
{
    (void)state;
    int adapter;
    struct pw_can_wire *wire = open_pty(&adapter, "");
    expect_state(wire, PW_CAN_ACTIVE);
    unsigned taken = 0;
    while (taken < 100000 && send_text(wire, "123#1122334455667788") == PW_OK) {
        taken++;
    }
    assert_true(taken > 10 && taken < 100000);
    assert_int_equal(send_text(wire, "123#1122334455667788"), PW_ERR_AGAIN);
    size_t expected = strlen("\rC\rS5\rO\r") + taken * strlen("t12381122334455667788\r");
    size_t got = 0;
    pw_ms until = now_ms() + WAIT_MS;
    while (got < expected && now_ms() < until) {
        char text[4096];
        struct pw_can_event event;
        struct pollfd ready = {.fd = adapter, .events = POLLIN};
        if (poll(&ready, 1, 10) == 1) {
            ssize_t bytes = read(adapter, text, sizeof(text));
            assert_true(bytes > 0);
            got += (size_t)bytes;
        }
        assert_int_equal(pw_can_wire_read(wire, 0, &event), 0); // flushes; no status is due at 0
    }
    assert_int_equal(got, expected);
    pw_can_wire_close(wire);
    (void)close(adapter);
}

static int listen_tcp(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void an_adapter_behind_tcp_works_the_same(void **state)
{
    (void)state;
    unsigned port;
    char url[64];
    int listener = listen_tcp(&port);
    (void)snprintf(url, sizeof(url), "slcan:tcp:127.0.0.1:%u@500000", port);
    struct pw_can_wire *wire = open_wire(url);
    expect_state(wire, PW_CAN_ACTIVE);
    int adapter = accept(listener, NULL, NULL);
    assert_true(adapter >= 0);
    expect_text(adapter, "\rC\rS6\rO\r");
    say(adapter, "t1232AABB\r");
    expect_frame(wire, "123#AABB");
    assert_int_equal(send_text(wire, "123#CC"), PW_OK);
    expect_text(adapter, "t1231CC\r");
    (void)close(adapter);
    (void)close(listener);
    expect_state(wire, PW_CAN_DOWN);
    pw_can_wire_close(wire);
}

static void nobody_behind_tcp_is_a_lost_wire(void **state)
{
    (void)state;
    unsigned port;
    char url[64];
    int listener = listen_tcp(&port);
    (void)close(listener);
    (void)snprintf(url, sizeof(url), "slcan:tcp:127.0.0.1:%u", port);
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out reason = PW_OUT(text);
    struct pw_can_wire *wire = NULL;
    struct pw_can_event event;
    // the refusal may come at once or with the first look
    int err = pw_can_wire_open(&wire, pw_str_of(url), now_ms(), &reason);
    if (err == PW_OK) {
        assert_int_equal(wait_event(wire, &event), PW_ERR_PEER);
        pw_can_wire_close(wire);
    } else {
        assert_non_null(strstr(text, "refused"));
    }
}

// ---------------------------------------------------------------------------------------------
// Replay, in virtual time: no waiting.

static void a_log_is_replayed_at_its_own_pace(void **state)
{
    (void)state;
    struct folder folder;
    char path[128];
    char url[160];
    folder_make(&folder);
    folder_write(&folder, "drive.log",
                 "(1700000000.000000) can0 1806E5F4#035C0410000263FF\n"
                 "# a remark\n\n"
                 "(1700000000.000900) can0 123#R8\n"
                 "(1700000000.250000) can0 20000040#0000000000000000\n"
                 "(1700000000.500000) can0 20000100#0000000000000000\n"
                 "(1699999999.000000) can0 7FF#\n",
                 0600, path);
    (void)snprintf(url, sizeof(url), "replay:%s", path);
    char text[PW_CAN_WIRE_REASON_MAX];
    struct pw_out reason = PW_OUT(text);
    struct pw_can_wire *wire = NULL;
    struct pw_can_event event;
    assert_int_equal(pw_can_wire_open(&wire, pw_str_of(url), 5000, &reason), PW_OK);
    assert_int_equal(pw_can_wire_fd(wire), -1);
    assert_int_equal(pw_can_wire_deadline(wire), 5000);
    assert_int_equal(pw_can_wire_read(wire, 5000, &event), 1);
    assert_int_equal(event.frame.id, 0x1806E5F4);
    assert_int_equal(pw_can_wire_read(wire, 5000, &event), 1);
    assert_true(event.frame.remote);
    assert_int_equal(pw_can_wire_read(wire, 5000, &event), 0);
    assert_int_equal(pw_can_wire_deadline(wire), 5250);
    assert_int_equal(pw_can_wire_read(wire, 5249, &event), 0);
    assert_int_equal(pw_can_wire_read(wire, 5250, &event), 1);
    assert_int_equal(event.state, PW_CAN_OFF);
    assert_int_equal(pw_can_wire_read(wire, 9000, &event), 1);
    assert_int_equal(event.state, PW_CAN_ACTIVE);
    assert_int_equal(pw_can_wire_read(wire, 9000, &event), 1); // the clock stepped back: at once
    assert_int_equal(event.frame.id, 0x7FF);
    assert_int_equal(send_text(wire, "123#"), PW_OK);
    assert_int_equal(pw_can_wire_read(wire, 9000, &event), 1);
    assert_int_equal(event.state, PW_CAN_DOWN);
    assert_int_equal(pw_can_wire_read(wire, 9000, &event), PW_ERR_PEER);
    assert_int_equal(pw_can_wire_deadline(wire) == PW_NEVER, 1);
    struct pw_can_wire_stats stats = pw_can_wire_stats(wire);
    assert_int_equal(stats.received, 3);
    assert_int_equal(stats.errors, 2);
    assert_int_equal(stats.malformed, 1);
    assert_int_equal(stats.sent, 1);
    pw_can_wire_close(wire);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_that_cannot_be_says_what_is_wrong),
        cmocka_unit_test(a_kernel_without_can_is_named),
        cmocka_unit_test(a_multicast_bus_joins_all_but_the_sender),
        cmocka_unit_test(error_frames_cross_the_multicast_bus),
        cmocka_unit_test(strangers_on_the_port_are_counted_and_ignored),
        cmocka_unit_test(an_invalid_frame_is_not_sent),
        cmocka_unit_test(an_adapter_on_a_serial_line_is_opened_used_and_closed),
        cmocka_unit_test(the_bit_rate_of_the_url_is_set),
        cmocka_unit_test(the_adapters_status_is_the_state_of_the_bus),
        cmocka_unit_test(an_unplugged_adapter_is_a_lost_wire),
        cmocka_unit_test(a_stuck_adapter_refuses_frames_and_keeps_their_order),
        cmocka_unit_test(an_adapter_behind_tcp_works_the_same),
        cmocka_unit_test(nobody_behind_tcp_is_a_lost_wire),
        cmocka_unit_test(a_log_is_replayed_at_its_own_pace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// pilotwire-sim as a stranger meets it: another process on the wire, a control socket, a card
// reader that is a serial device, an interrupt. Real time, three times as fast; every wait is
// bounded.
#include "can/elcon.h"
#include "can/rivot.h"
#include "can/wire.h"
#include "place.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pw_can_wire *open_wire(const struct place *place)
{
    char text[256] = "";
    struct pw_can_wire *wire = NULL;
    struct pw_out reason = PW_OUT(text);
    if (pw_can_wire_open(&wire, pw_str_of(place->url), place_now_ms(), &reason) != PW_OK) {
        fail_msg("%s", text);
    }
    return wire;
}

// Waits for a frame with this id, or for the bus to take this state.
static bool await(struct pw_can_wire *wire, uint32_t id, enum pw_can_state state)
{
    pw_ms end = place_now_ms() + PATIENCE_MS;
    while (place_now_ms() < end) {
        struct pollfd wait = {.fd = pw_can_wire_fd(wire), .events = POLLIN};
        struct pw_can_event event;
        (void)poll(&wait, 1, 100);
        while (pw_can_wire_read(wire, place_now_ms(), &event) == 1) {
            bool frame = event.kind == PW_CAN_EVENT_FRAME && event.frame.id == id;
            bool changed = event.kind == PW_CAN_EVENT_STATE && event.state == state;
            if (id != 0 ? frame : changed) {
                return true;
            }
        }
    }
    return false;
}

static void a_whole_visit(void **state)
{
    (void)state;
    struct place place;
    place_setup(&place);
    const char *const arguments[] = {
        "dc",       "--can",     place.url,     "--soc",    "50", "--plugged", "--card-reader",
        place.card, "--control", place.control, "--status", "0",  "--vehicle", "pro",
        NULL};
    char text[8192];
    struct pw_can_wire *wire = open_wire(&place);
    struct program program = place_start(arguments, "1700000000000:1700000000000:3");
    int control = place_connect_control(&place);

    assert_true(await(wire, PW_RIVOT_TERMINAL_ID, PW_CAN_ACTIVE));
    assert_true(await(wire, 0x1806E5F4, PW_CAN_ACTIVE));
    assert_true(await(wire, 0x1A0, PW_CAN_ACTIVE)); // the I/O node's inputs

    assert_string_equal(place_ask(control, "card 04A1B2C3\n"), "ok");
    int card = open(place.card_link, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    assert_true(card >= 0);
    char line[128];
    place_read_line(card, line, sizeof(line));
    assert_string_equal(line, "04A1B2C3\r");
    (void)close(card);

    assert_non_null(strstr(place_ask(control, "status\n"), "\"vehicle\":\"NX-100 Pro\""));
    assert_non_null(strstr(place_ask(control, "fly\n"), "error: unknown command \"fly\""));
    assert_string_equal(place_ask(control, "bus off\n"), "ok");
    assert_true(await(wire, 0, PW_CAN_OFF));
    pw_can_wire_close(wire); // a controller that is restarted on a bus that is still broken
    wire = open_wire(&place);
    struct pw_can_frame frame = pw_can_frame_11(0x220, 1);
    assert_int_equal(pw_can_wire_send(wire, &frame), PW_OK);
    assert_true(await(wire, 0, PW_CAN_OFF));
    assert_string_equal(place_ask(control, "bus on\n"), "ok");
    assert_true(await(wire, 0, PW_CAN_ACTIVE));
    assert_string_equal(place_ask(control, "unplug\n"), "ok");
    assert_int_equal(write(program.in, "soc 60\n", 7), 7);
    place_read_line(program.out, line, sizeof(line));
    while (strcmp(line, "ok") != 0 && line[0] != '\0') { // log lines stand before it
        place_read_line(program.out, line, sizeof(line));
    }
    assert_string_equal(line, "ok");

    (void)kill(program.pid, SIGINT);
    assert_int_equal(place_finish(&program, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "{\"energy_wh_physical\":0,\"soc_start\":50,\"soc_end\":60,"
                                 "\"vehicle_model\":\"NX-100 Pro\"}\n"));
    assert_int_equal(access(place.card_link, F_OK), -1);
    assert_int_equal(access(place.control, F_OK), -1);
    (void)close(control);
    pw_can_wire_close(wire);
    (void)rmdir(place.dir);
}

// Reason: a person at a shell changes what happens to a running charge, and a script sees whether
// it worked.
static void one_command_is_told_from_the_shell(void **state)
{
    (void)state;
    struct place place;
    place_setup(&place);
    const char *const arguments[] = {"dc",          "--can",    place.url, "--control",
                                     place.control, "--status", "0",       NULL};
    struct program program = place_start(arguments, "");
    (void)close(place_connect_control(&place)); // it listens now

    static const struct {
        const char *words[4];
        int status;
        const char *says;
    } told[] = {
        {{"soc", "60", NULL}, 0, "ok\n"},
        {{"rectifier", "alarm", "fan", NULL}, 0, "ok\n"},
        {{"status", NULL}, 0, "\"soc_percent\":60"},
        {{"help", NULL}, 0, "rectifier alarm <alarm>|clear"},
        {{"soc", "101", NULL}, 3, "error: soc \"101\": must be 0..100"},
        {{"fly", NULL}, 3, "error: unknown command \"fly\""},
        {{NULL}, 2, "needs a socket and a command"},
        {{" ", NULL}, 2, "the command is empty"},
    };
    for (size_t i = 0; i < PW_COUNT(told); i++) {
        char text[8192];
        const char *line[8] = {"tell", place.control};
        memcpy(&line[2], told[i].words, sizeof(told[i].words));
        struct program teller = place_start(line, "");
        assert_int_equal(place_finish(&teller, text, sizeof(text)), told[i].status);
        if (strstr(text, told[i].says) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", text, told[i].says);
        }
    }
    char text[8192];
    (void)kill(program.pid, SIGINT);
    assert_int_equal(place_finish(&program, text, sizeof(text)), 0);
    const char *const late[] = {"tell", place.control, "plug", NULL};
    struct program teller = place_start(late, "");
    assert_int_equal(place_finish(&teller, text, sizeof(text)), 1);
    assert_non_null(strstr(text, "No such file or directory"));
    (void)rmdir(place.dir);
}

static void help_lists_options_and_commands(void **state)
{
    (void)state;
    char text[16384];
    const char *const arguments[] = {"--help", NULL};
    struct program program = place_start(arguments, "");
    assert_int_equal(place_finish(&program, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "--vehicle classic|pro|max"));
    assert_non_null(strstr(text, "rectifier alarm <alarm>|clear"));
    assert_non_null(strstr(text, "--link PATH"));
    assert_non_null(strstr(text, "leak dc <mA>"));
    assert_non_null(strstr(text, "freeze on|off"));
}

static void wrong_arguments_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[6];
        const char *says;
    } wrong[] = {
        {{NULL}, "first argument \"\": must be dc, ac, openevse, house, meter or tell"},
        {{"meter", NULL}, "--meter: must be given"},
        {{"meter", "--meter", "modbus:tcp:h:1/0/abb", NULL}, "the unit must be 1..247"},
        {{"meter", "--soc", "5", NULL}, "unknown option \"--soc\""},
        {{"hv", NULL}, "first argument \"hv\": must be dc"},
        {{"ac", NULL}, "--link or --listen: one of them must be given"},
        {{"ac", "--link", "/tmp/x", "--car", "fast", NULL}, "--car \"fast\": must be honest, slow"},
        {{"ac", "--can", "mcast:239.74.163.2:1", NULL}, "unknown option \"--can\""},
        {{"dc", NULL}, "--can: must be given"},
        {{"dc", "--can", NULL}, "--can: needs a value"},
        {{"dc", "--fast", NULL}, "unknown option \"--fast\""},
        {{"dc", "--soc", "101", NULL}, "--soc \"101\": must be 0..100"},
        {{"dc", "--soc", "half", NULL}, "--soc \"half\": must be 0..100"},
        {{"dc", "--vehicle", "truck", NULL}, "--vehicle \"truck\": must be classic|pro|max"},
        {{"dc", "--modules", "0", NULL}, "--modules \"0\": must be 1..16"},
        {{"dc", "--can", "mcast:239.74.163.2:43113", "--vehicle-bus", "1", NULL},
         "--can2: must be given when a device is on bus 1"},
        {{"dc", "--can", "smoke:signal", NULL}, "smoke:signal"},
        {{"dc", "--can", "replay:/nonexistent", NULL}, "/nonexistent"},
    };
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        char text[8192];
        struct program program = place_start(wrong[i].arguments, "");
        assert_int_not_equal(place_finish(&program, text, sizeof(text)), 0);
        if (strstr(text, wrong[i].says) == NULL) {
            fail_msg("\"%s\" does not say \"%s\"", text, wrong[i].says);
        }
    }
}

static void a_senseless_clock_is_refused(void **state)
{
    (void)state;
    char text[8192];
    const char *const arguments[] = {"dc", "--can", "mcast:239.74.163.2:43113", NULL};
    struct program program = place_start(arguments, "tomorrow");
    assert_int_not_equal(place_finish(&program, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "PILOTWIRE_CLOCK must be"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_visit),
        cmocka_unit_test(one_command_is_told_from_the_shell),
        cmocka_unit_test(help_lists_options_and_commands),
        cmocka_unit_test(wrong_arguments_are_refused_by_name),
        cmocka_unit_test(a_senseless_clock_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

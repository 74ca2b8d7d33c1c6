// The OpenEVSE board against recordings of the real firmware 8.2.3: each command is given at its
// recorded time, each event of the car happens at its own, and every line of the board must come
// with the same text in the same order, and every movement of the relay in between.
// Classes of delay: within LATE_MS of the recorded moment, which tells a reply (2 to 40 ms) from
// one that waits for a lock's motor (0.3 s), a display, a debounce (0.3 s), a self test (1.3 s) or
// a restart. A window of time of 64 ms is two rounds of the firmware's loop.
#include "oeboard/oeboard.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATE_MS = 64, EVENTS_MAX = 700, TEXT_MAX = 80 };

struct event {
    pw_ms at;
    char kind; // '>' to the board, '<' from it, 'c' the car, 'r' the relay
    char text[TEXT_MAX];
};

struct tape {
    struct event event[EVENTS_MAX];
    size_t count;
};

static struct tape recorded;
static struct tape played;
static struct pw_oeboard board;
static struct pw_oeboard_senses senses;
static char partial[TEXT_MAX];
static size_t partial_len;

static void add(struct tape *tape, pw_ms at, char kind, const char *text)
{
    assert_true(tape->count < EVENTS_MAX);
    struct event *event = &tape->event[tape->count++];
    event->at = at;
    event->kind = kind;
    (void)snprintf(event->text, sizeof(event->text), "%s", text);
}

// "   22.200 > $SC 10 V", "   18.000   [car C]", "   19.324   [relay PB0 1]". The relay is open
// when a recording begins: the first movement of the output is none.
static void read_line(const char *line)
{
    double seconds = 0.0;
    char text[TEXT_MAX] = "";
    char sign = 0;
    char *rest = NULL;
    seconds = strtod(line, &rest);
    if (rest == line) {
        return;
    }
    pw_ms at = (pw_ms)(seconds * 1000.0 + 0.5);
    sign = rest[1];
    (void)snprintf(text, sizeof(text), "%s", rest + 3);
    text[strcspn(text, "\r\n")] = '\0';
    if (sign == '>' || sign == '<') {
        add(&recorded, at, sign, text);
    } else if (strncmp(text, "[car ", 5) == 0) {
        text[strlen(text) - 1] = '\0';
        add(&recorded, at, 'c', text + 5);
    } else if (strncmp(text, "[relay ", 7) == 0 && at > 3000) {
        add(&recorded, at, 'r', strchr(text, '1') != NULL ? "1" : "0");
    }
}

static void load(const char *name)
{
    char path[300];
    char line[200];
    (void)snprintf(path, sizeof(path), "%s/%s", RECORDINGS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    recorded.count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        read_line(line);
    }
    (void)fclose(file);
    assert_true(recorded.count > 40);
}

static void move_car(const char *what)
{
    if (what[1] == '\0' && what[0] >= 'A' && what[0] <= 'D') {
        senses.level = (enum pw_oeboard_level)(what[0] - 'A');
        senses.leak = false;
    } else if (strcmp(what, "gfi") == 0) {
        senses.leak = true;
    } else if (strncmp(what, "diode", 5) == 0) {
        senses.diode = what[5] == '1';
    } else if (strcmp(what, "stuck1") == 0) {
        senses.live = true;
    } else if (strcmp(what, "stuck0") == 0) {
        senses.live = false;
    } else {
        fail_msg("car %s", what);
    }
}

static void hear(pw_ms now)
{
    uint8_t bytes[200];
    size_t len = pw_oeboard_take(&board, bytes, sizeof(bytes), now);
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n') {
            partial[partial_len] = '\0';
            if (partial_len > 0) {
                add(&played, now, '<', partial);
            }
            partial_len = 0;
        } else if (partial_len + 1 < sizeof(partial)) {
            partial[partial_len++] = (char)bytes[i];
        }
    }
}

// One millisecond a step: whatever the board would rather.
static void play(uint64_t seed, pw_ms until)
{
    size_t at = 0;
    bool relay = false;
    played.count = partial_len = 0;
    senses = (struct pw_oeboard_senses){.diode = true, .temp_dc = PW_OEBOARD_NO_PROBE};
    pw_oeboard_init(&board, NULL, seed, 0);
    pw_oeboard_power(&board, true, 0);
    for (pw_ms now = 0; now < until; now++) {
        for (; at < recorded.count && recorded.event[at].at <= now; at++) {
            const struct event *event = &recorded.event[at];
            if (event->kind == 'c') {
                move_car(event->text);
            } else if (event->kind == '>') {
                pw_oeboard_hear(&board, (const uint8_t *)event->text, strlen(event->text), now);
                pw_oeboard_hear(&board, (const uint8_t *)"\r", 1, now);
            }
        }
        (void)pw_oeboard_step(&board, &senses, now);
        if (pw_oeboard_drive(&board).relay != relay) {
            relay = !relay;
            add(&played, now, 'r', relay ? "1" : "0");
        }
        hear(now);
    }
}

static void compare(const char *name, uint64_t seed)
{
    size_t k = 0;
    for (size_t i = 0; i < recorded.count; i++) {
        const struct event *want = &recorded.event[i];
        if (want->kind != '<' && want->kind != 'r') {
            continue;
        }
        const struct event *got = k < played.count ? &played.event[k] : NULL;
        int64_t off = got != NULL ? (int64_t)got->at - (int64_t)want->at : 0;
        if (got == NULL || got->kind != want->kind || strcmp(got->text, want->text) != 0 ||
            llabs(off) > LATE_MS) {
            fail_msg("%s, seed %llu: at %llu ms \"%s\" expected, at %llu came \"%s\"", name,
                     (unsigned long long)seed, (unsigned long long)want->at, want->text,
                     got != NULL ? (unsigned long long)got->at : 0ULL,
                     got != NULL ? got->text : "nothing");
        }
        k++;
    }
    assert_int_equal(k, played.count);
}

// Reason: whatever the seed, as a real board never takes quite the same time twice.
static void replay(const char *name)
{
    load(name);
    pw_ms until = recorded.event[recorded.count - 1].at + 300;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        play(seed, until);
        compare(name, seed);
    }
}

static void commands_and_a_session_as_recorded(void **state)
{
    (void)state;
    replay("8.2.3_commands_and_session.txt");
}

static void heartbeat_and_faults_as_recorded(void **state)
{
    (void)state;
    replay("8.2.3_heartbeat_and_faults.txt");
}

static void queued_commands_locks_and_echo_as_recorded(void **state)
{
    (void)state;
    replay("8.2.3_misc.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_and_a_session_as_recorded),
        cmocka_unit_test(heartbeat_and_faults_as_recorded),
        cmocka_unit_test(queued_commands_locks_and_echo_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Recordings of a real board with firmware 8.2.3 (test/golden/rapi): every line of it is a line,
// every command we would send was understood by it, and the client lives with a board that answers
// exactly so.
#include "rapi/rapi.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 700, TEXT_MAX = 80 };

struct event {
    pw_ms at;
    char sign; // '>' to the board, '<' from it
    char text[TEXT_MAX];
};

static struct event events[EVENTS_MAX];
static unsigned count;

static const char *const files[] = {"8.2.3_commands_and_session.txt",
                                    "8.2.3_heartbeat_and_faults.txt", "8.2.3_misc.txt"};

static void load(const char *name)
{
    char path[300];
    char line[200];
    (void)snprintf(path, sizeof(path), "%s/%s", RECORDINGS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char *rest = NULL;
        double seconds = strtod(line, &rest);
        if (rest == line || (rest[1] != '>' && rest[1] != '<')) {
            continue;
        }
        assert_true(count < EVENTS_MAX);
        events[count].at = (pw_ms)(seconds * 1000.0 + 0.5);
        events[count].sign = rest[1];
        (void)snprintf(events[count].text, TEXT_MAX, "%s", rest + 3);
        events[count].text[strcspn(events[count].text, "\r\n")] = '\0';
        count++;
    }
    (void)fclose(file);
    assert_true(count > 40);
}

static bool is_answer(const struct event *event)
{
    return event->sign == '<' &&
           (strncmp(event->text, "$OK", 3) == 0 || strncmp(event->text, "$NK", 3) == 0);
}

// The answer to the command at `index`; NULL: another command came first.
static const struct event *answer_to(unsigned index)
{
    for (unsigned i = index + 1; i < count && events[i].sign == '<'; i++) {
        if (is_answer(&events[i])) {
            return &events[i];
        }
    }
    return NULL;
}

static struct pw_str text_of(const struct event *event)
{
    return pw_str_of(event->text);
}

static void every_line_of_the_board_is_one_and_is_made_again_alike(void **state)
{
    (void)state;
    unsigned echoes = 0;
    for (unsigned f = 0; f < PW_COUNT(files); f++) {
        load(files[f]);
        for (unsigned i = 0; i < count; i++) {
            struct pw_rapi_line line;
            char again[TEXT_MAX];
            struct pw_out out = PW_OUT(again);
            if (events[i].sign != '<') {
                continue;
            }
            assert_int_equal(pw_rapi_split(text_of(&events[i]), &line), PW_OK);
            if (line.check == PW_RAPI_CHECK_NONE) {
                echoes++; // `$FF E` switched the echo on
                continue;
            }
            if (strstr(events[i].text, "OK  ^") != NULL) {
                continue; // two spaces and nothing
            }
            assert_int_equal(pw_rapi_write(&out, line.body, line.seq, line.check), PW_OK);
            again[out.len - 1] = '\0';
            assert_string_equal(again, events[i].text);
        }
    }
    assert_int_equal(echoes, 3);
}

// Reason: a board refuses without saying why: what we send has to be right before it leaves.
static void what_our_rows_let_pass_the_board_understood(void **state)
{
    (void)state;
    unsigned passed = 0;
    for (unsigned f = 0; f < PW_COUNT(files); f++) {
        load(files[f]);
        for (unsigned i = 0; i < count; i++) {
            struct pw_rapi_line line;
            const struct event *answer = events[i].sign == '>' ? answer_to(i) : NULL;
            if (answer == NULL) {
                continue;
            }
            bool ok = strncmp(answer->text, "$OK", 3) == 0;
            int err = pw_rapi_split(text_of(&events[i]), &line);
            if (err == PW_ERR_PEER) {
                assert_false(ok); // a wrong checksum
                continue;
            }
            assert_true(err == PW_OK || !ok);
            if (err != PW_OK || pw_rapi_command_of(&line, NULL) == NULL) {
                // What we refuse, the board refused, or made something else of.
                assert_true(!ok || strcmp(events[i].text, "$GS extra") == 0 ||
                            strcmp(events[i].text, "$SC 262 V") == 0 ||
                            strcmp(events[i].text, "$SY 100 6") == 0);
                continue;
            }
            passed++;
        }
    }
    assert_true(passed > 100);
}

static struct pw_rapi_client client;

static void hear(const char *text)
{
    (void)!pw_rapi_bytes(&client, (const uint8_t *)text, strlen(text));
}

// What the recorded board said to `body` last before `now`, or will say first; NULL: it was never
// asked.
static const struct event *recorded(struct pw_str body, pw_ms now, pw_ms *delay)
{
    const struct event *found = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct pw_rapi_line line;
        const struct event *answer = events[i].sign == '>' ? answer_to(i) : NULL;
        if (answer == NULL || pw_rapi_split(text_of(&events[i]), &line) != PW_OK ||
            !pw_str_eq(line.body, body)) {
            continue;
        }
        if (found == NULL || events[i].at <= now) {
            found = answer;
            *delay = answer->at - events[i].at;
        }
    }
    return found;
}

struct pending {
    pw_ms at;
    char text[TEXT_MAX];
};

// The recorded answer to what the client sent, with its id.
static void prepare(struct pw_str sent, pw_ms now, struct pending *pending)
{
    char copy[PW_RAPI_COMMAND_MAX + 1];
    struct pw_rapi_line line;
    struct pw_rapi_line answer;
    struct pw_out out = PW_OUT(pending->text);
    pw_ms delay = 20;
    memcpy(copy, sent.at, sent.len);
    assert_int_equal(pw_rapi_split((struct pw_str){.at = copy, .len = sent.len - 1}, &line), PW_OK);
    const struct event *event = recorded(line.body, now, &delay);
    struct pw_str body = PW_STR("$NK");
    if (event != NULL) {
        assert_int_equal(pw_rapi_split(text_of(event), &answer), PW_OK);
        body = answer.body;
    }
    assert_int_equal(pw_rapi_write(&out, body, line.seq, PW_RAPI_CHECK_XOR), PW_OK);
    pending->at = now + delay;
}

// The recording's own lines at their times, and its answers to our commands.
static unsigned play(pw_ms *end)
{
    struct pending pending = {.at = PW_NEVER};
    unsigned said = 0;
    pw_ms now = events[0].at - 1;
    pw_rapi_up(&client, now);
    for (unsigned i = 0; i < count;) {
        pw_ms due = pw_rapi_step(&client, now);
        struct pw_str out = pw_rapi_out(&client);
        if (out.len > 0) {
            prepare(out, now, &pending);
            pw_rapi_out_sent(&client, out.len, now);
            due = pw_rapi_step(&client, now);
        }
        now = pw_earlier(pw_earlier(due > now ? due : now + 1, events[i].at), pending.at);
        if (pending.at <= now) {
            hear(pending.text);
            pending.at = PW_NEVER;
        } else if (events[i].at <= now) {
            if (events[i].sign == '<' && !is_answer(&events[i])) {
                hear(events[i].text);
                hear("\r");
                said += events[i].text[1] == 'A' ? 1 : 0;
            }
            i++;
        }
    }
    (void)pw_rapi_step(&client, now);
    *end = now;
    return said;
}

static void the_client_lives_with_the_recorded_board(void **state)
{
    (void)state;
    for (unsigned f = 0; f < PW_COUNT(files); f++) {
        struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
        const struct pw_rapi_view *view = pw_rapi_view(&client);
        pw_ms end;
        load(files[f]);
        assert_int_equal(pw_rapi_init(&client, &config, NULL, 0, NULL), PW_OK);
        unsigned said = play(&end);
        assert_true(view->ok);
        assert_int_equal(view->events, said);
        assert_int_equal(view->reboots, 1);
        assert_string_equal(view->firmware, "8.2.3");
        assert_true(view->answers > 20);
        assert_int_equal(view->timeouts, 0);
        // Echoes without a checksum, in the last recording: no lines of a board with checksums.
        assert_int_equal(view->bad, f == 2 ? 3 : 0);
        assert_true(view->offered_ma != PW_RAPI_UNKNOWN && view->state_at != PW_NEVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_of_the_board_is_one_and_is_made_again_alike),
        cmocka_unit_test(what_our_rows_let_pass_the_board_understood),
        cmocka_unit_test(the_client_lives_with_the_recorded_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

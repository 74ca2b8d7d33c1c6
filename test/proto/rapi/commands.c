// Lines, words and rows of RAPI: what is a line, what people may send, and that doc/rapi.md says
// the same.
#include "rapi/rapi.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int raw(const char *line, enum pw_rapi_who who, char *body, char *why)
{
    struct pw_out to = {.at = body, .cap = 100};
    struct pw_out reason = {.at = why, .cap = 200};
    body[0] = '\0';
    why[0] = '\0';
    return pw_rapi_command_raw(pw_str_of(line), who, &to, &reason);
}

static void lines_are_cut_at_dollar_and_cr(void **state)
{
    static const char stream[] = "noise\r\n$GS^30\r\n half $GS $GV^35\r$\r$GS\nX\r$G\0S\r"
                                 "$GG*B2\r";
    static const char *const want[] = {"$GS^30", "$GV^35", "$", "$GG*B2"};
    struct pw_rapi_reader reader = {.len = 0};
    unsigned found = 0;
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(stream); i++) {
        if (pw_rapi_read(&reader, (uint8_t)stream[i])) {
            assert_true(found < PW_COUNT(want));
            assert_int_equal(reader.len, strlen(want[found]));
            assert_memory_equal(reader.text, want[found], reader.len);
            found++;
        }
    }
    assert_int_equal(found, PW_COUNT(want));
    assert_int_equal(reader.dropped, 3);
    // The longest, and one more.
    for (unsigned len = PW_RAPI_LINE_MAX; len <= PW_RAPI_LINE_MAX + 1; len++) {
        assert_false(pw_rapi_read(&reader, '$'));
        for (unsigned i = 1; i < len; i++) {
            assert_false(pw_rapi_read(&reader, 'x'));
        }
        assert_int_equal(pw_rapi_read(&reader, '\r'), len == PW_RAPI_LINE_MAX);
    }
}

static void checksums_and_ids_are_strict(void **state)
{
    static const struct {
        const char *line;
        int err;
        unsigned words;
        uint8_t seq;
    } rows[] = {
        {"$GS^30", PW_OK, 1, 0},
        {"$GS*BE", PW_OK, 1, 0},
        {"$GS*be", PW_OK, 1, 0},
        {"$GS", PW_OK, 1, 0},
        {"$GS^31", PW_ERR_PEER, 0, 0},
        {"$GS*BF", PW_ERR_PEER, 0, 0},
        {"$GS^zz", PW_ERR_PEER, 0, 0},
        {"$GS^3", PW_ERR_PEER, 0, 0},
        {"$GS^", PW_ERR_PEER, 0, 0},
        {"$GS^300", PW_ERR_PEER, 0, 0},
        {"$GS^30^30", PW_ERR_PEER, 0, 0},
        {"$", PW_ERR_PEER, 0, 0},
        {"", PW_ERR_PEER, 0, 0},
        {"GS", PW_ERR_PEER, 0, 0},
        {"$   ", PW_ERR_PEER, 0, 0},
        {"$OK  ^20", PW_OK, 1, 0},
        {"$OK 01 0 01 0200 :01^09", PW_OK, 5, 1},
        {"$OK 20 :7F^69", PW_OK, 2, 0x7F},
        {"$OK :00", PW_OK, 1, 0},
        {"$OK :1", PW_OK, 2, 0},
        {"$OK :100", PW_OK, 2, 0},
        {"$:01", PW_OK, 1, 0},
        {"$a b c d e f g h i j k l", PW_OK, 12, 0},
        {"$a b c d e f g h i j k l m", PW_ERR_LIMIT, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_rapi_line line;
        assert_int_equal(pw_rapi_split(pw_str_of(rows[i].line), &line), rows[i].err);
        if (rows[i].err == PW_OK) {
            assert_int_equal(line.words, rows[i].words);
            assert_int_equal(line.seq, rows[i].seq);
        }
    }
}

static const struct {
    const char *line;
    enum pw_rapi_who who;
    int err;
    const char *why; // part of it
} typed[] = {
    {"GS", PW_RAPI_ANYBODY, PW_OK, ""},
    {"$GS^30", PW_RAPI_ANYBODY, PW_OK, ""},
    {"$GS*BE\r\n", PW_RAPI_ANYBODY, PW_OK, ""},
    {"GU", PW_RAPI_ANYBODY, PW_OK, ""},
    {"SL 2", PW_RAPI_ADMIN, PW_OK, ""},
    {"SL 2", PW_RAPI_ANYBODY, PW_ERR_BUSY, "administrator"},
    {"SL 3", PW_RAPI_ADMIN, PW_ERR_RANGE, "$SL: level is 3, must be one of 1|2|A"},
    {"SA 220 0", PW_RAPI_ADMIN, PW_OK, ""},
    {"S2 1", PW_RAPI_ADMIN, PW_OK, ""},
    {"T0 75", PW_RAPI_ADMIN, PW_OK, ""},
    {"SC 16", PW_RAPI_ADMIN, PW_OK, ""},
    {"SC 16", PW_RAPI_ANYBODY, PW_ERR_BUSY, "administrator"},
    {"SC 16 V", PW_RAPI_ADMIN, PW_ERR_BUSY, "use a limit"},
    {"SC 32 M", PW_RAPI_ADMIN, PW_ERR_BUSY, "never be changed again"},
    {"SC 4294967328", PW_RAPI_ADMIN, PW_ERR_RANGE, "must be 6 to 80 A"},
    {"SC 262", PW_RAPI_ADMIN, PW_ERR_RANGE, "must be 6 to 80 A"},
    {"SC -1", PW_RAPI_ADMIN, PW_ERR_RANGE, "current is -1, must be 6 to 80 A"},
    {"SC -0", PW_RAPI_ADMIN, PW_ERR_RANGE, "must be 6 to 80 A"},
    {"SC 3x", PW_RAPI_ADMIN, PW_ERR_RANGE, "current is 3x"},
    {"SC 1e1", PW_RAPI_ADMIN, PW_ERR_RANGE, ""},
    {"SC 16.5", PW_RAPI_ADMIN, PW_ERR_RANGE, ""},
    {"SC 5", PW_RAPI_ADMIN, PW_ERR_RANGE, ""},
    {"SC", PW_RAPI_ADMIN, PW_ERR_RANGE, "wrong number of arguments"},
    {"SK", PW_RAPI_ADMIN, PW_ERR_RANGE, "wrong number of arguments"},
    {"SK 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "lifetime energy"},
    {"SY", PW_RAPI_ADMIN, PW_ERR_BUSY, "heartbeat"},
    {"SY 165", PW_RAPI_ADMIN, PW_ERR_BUSY, "heartbeat"},
    {"SY 5 6", PW_RAPI_ADMIN, PW_ERR_BUSY, "heartbeat"},
    {"SY 100 6", PW_RAPI_ADMIN, PW_ERR_RANGE, "0 to 60 s"},
    {"FF D 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF F 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF G 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF R 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF T 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF V 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF O 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FF D 1", PW_RAPI_ADMIN, PW_OK, ""},
    {"FF D 2", PW_RAPI_ADMIN, PW_ERR_RANGE, ""},
    {"FF Q 1", PW_RAPI_ADMIN, PW_ERR_RANGE, ""},
    {"FF E 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "echo"},
    {"FF B 0", PW_RAPI_ADMIN, PW_OK, ""},
    {"SD 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"SG 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"FE", PW_RAPI_ADMIN, PW_ERR_BUSY, "enable, sleep or off"},
    {"FS", PW_RAPI_ADMIN, PW_ERR_BUSY, "enable, sleep or off"},
    {"FD", PW_RAPI_ADMIN, PW_ERR_BUSY, "enable, sleep or off"},
    {"F1", PW_RAPI_ADMIN, PW_ERR_BUSY, "button"},
    {"FR", PW_RAPI_ADMIN, PW_OK, ""},
    {"FR", PW_RAPI_ANYBODY, PW_ERR_BUSY, "administrator"},
    {"S3 4", PW_RAPI_ADMIN, PW_ERR_BUSY, "limit of time"},
    {"S3 0", PW_RAPI_ADMIN, PW_OK, ""},
    {"ST 0 0 0 0", PW_RAPI_ADMIN, PW_OK, ""},
    {"ST 22 0 6 30", PW_RAPI_ADMIN, PW_ERR_BUSY, "timer"},
    {"ST 24 0 6 30", PW_RAPI_ADMIN, PW_ERR_RANGE, "start hour is 24, must be 0 to 23 h"},
    {"S1 26 3 1 12 34 56", PW_RAPI_ADMIN, PW_OK, ""},
    {"S1 26 13 1 12 34 56", PW_RAPI_ADMIN, PW_ERR_RANGE, "month is 13"},
    {"FP 0 1 a", PW_RAPI_ADMIN, PW_OK, ""},
    {"FP 0 0 a b c d e f g", PW_RAPI_ADMIN, PW_OK, ""},
    {"FP 0 0 a b c d e f g h", PW_RAPI_ADMIN, PW_ERR_LIMIT, "10 words"},
    {"FP 0 0 1234567890123456", PW_RAPI_ADMIN, PW_OK, ""},
    {"FP 16 0 a", PW_RAPI_ADMIN, PW_ERR_RANGE, "x is 16, must be 0 to 15"},
    {"FP 0 0 a\tb", PW_RAPI_ADMIN, PW_ERR_PEER, "character"},
    {"FP 0 0 \xC3\xA4", PW_RAPI_ADMIN, PW_ERR_PEER, "character"},
    {"GS extra", PW_RAPI_ADMIN, PW_ERR_RANGE, "wrong number of arguments"},
    {"gs", PW_RAPI_ADMIN, PW_ERR_RANGE, "$gs is no command of RAPI"},
    {"XX", PW_RAPI_ADMIN, PW_ERR_RANGE, "$XX is no command of RAPI"},
    {"$GS^zz", PW_RAPI_ADMIN, PW_ERR_PEER, "checksum"},
    {"$GS^31", PW_RAPI_ADMIN, PW_ERR_PEER, "checksum"},
    {"GS $FD", PW_RAPI_ADMIN, PW_ERR_PEER, "character"},
    {"", PW_RAPI_ADMIN, PW_ERR_PEER, "no RAPI line"},
    {"$", PW_RAPI_ADMIN, PW_ERR_PEER, "no RAPI line"},
    {"G 1 2 3 4 5 6 7 8 9 10 11 12", PW_RAPI_ADMIN, PW_ERR_LIMIT, "10 words"},
    {"FP 0 0 aaaaaaaaaaaaaaaaaaaaa", PW_RAPI_ADMIN, PW_ERR_LIMIT, "28 characters"},
    {"G7", PW_RAPI_ANYBODY, PW_OK, ""},
    {"S7 1", PW_RAPI_ADMIN, PW_OK, ""},
    {"SR 0", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"SR 3 1", PW_RAPI_ADMIN, PW_OK, ""},
    {"SV 1", PW_RAPI_ADMIN, PW_ERR_BUSY, "protections"},
    {"SV 230000", PW_RAPI_ADMIN, PW_OK, ""},
};

// Reason: T25, T26: what boards take for numbers, and what they let anybody switch off.
static void what_people_may_not_send_is_refused_with_a_reason(void **state)
{
    char body[100];
    char why[200];
    (void)state;
    for (size_t i = 0; i < PW_COUNT(typed); i++) {
        int err = raw(typed[i].line, typed[i].who, body, why);
        if (err != typed[i].err || strstr(why, typed[i].why) == NULL) {
            fail_msg("%s: %s, %s", typed[i].line, pw_err_name(err), why);
        }
        assert_true((err == PW_OK) == (body[0] == '$'));
        assert_true((err == PW_OK) == (why[0] == '\0'));
    }
    char long_line[4096];
    memset(long_line, 'A', sizeof(long_line) - 1);
    long_line[sizeof(long_line) - 1] = '\0';
    assert_int_equal(raw(long_line, PW_RAPI_ADMIN, body, why), PW_ERR_LIMIT);
}

// The command of a row with `value` for its argument `chosen`.
static const struct pw_rapi_command *with_value(const struct pw_rapi_command *row, unsigned chosen,
                                                int64_t value)
{
    char text[100];
    struct pw_out out = PW_OUT(text);
    struct pw_rapi_line line;
    pw_put_c(&out, '$');
    pw_put_s(&out, row->name);
    for (unsigned a = 0; a < PW_RAPI_ARGS_MAX && row->arg[a].name != NULL; a++) {
        struct pw_str words = pw_str_of(row->arg[a].words);
        pw_put_c(&out, ' ');
        if (row->arg[a].form == PW_RAPI_NUMBER) {
            pw_put_int(&out, a == chosen ? value : row->arg[a].least);
        } else if (row->arg[a].form == PW_RAPI_CHOICE) {
            pw_put(&out, pw_str_cut(&words, '|'));
        } else {
            pw_put_s(&out, "a");
        }
    }
    assert_int_equal(pw_rapi_split(pw_out_str(&out), &line), PW_OK);
    return pw_rapi_command_of(&line, NULL);
}

// At and just beyond both ends of each. Beyond them another row of the name may take it: `$S3 0`.
static void every_number_of_every_row_has_its_ends(void **state)
{
    const struct pw_rapi_command *row;
    (void)state;
    for (unsigned r = 0; (row = pw_rapi_command_at(r)) != NULL; r++) {
        for (unsigned a = 0; a < PW_RAPI_ARGS_MAX && row->arg[a].name != NULL; a++) {
            if (row->arg[a].form == PW_RAPI_NUMBER) {
                assert_non_null(with_value(row, a, row->arg[a].least));
                assert_non_null(with_value(row, a, row->arg[a].most));
                assert_true(with_value(row, a, (int64_t)row->arg[a].least - 1) != row);
                assert_true(with_value(row, a, (int64_t)row->arg[a].most + 1) != row);
            }
        }
    }
}

static void states_that_nobody_knows_are_faults(void **state)
{
    (void)state;
    assert_string_equal(pw_rapi_state_of(0x0A)->ocpp16, "HighTemperature");
    assert_string_equal(pw_rapi_state_of(0x0B)->ocpp16, "OverCurrentFailure");
    assert_int_equal(pw_rapi_state_of(0xFE)->ends, PW_RAPI_ENDS_NONE);
    for (unsigned code = 0x12; code < 0xFE; code++) {
        assert_string_equal(pw_rapi_state_of((uint8_t)code)->vendor, "PW-OE-STATE");
    }
    unsigned rows = 0;
    while (pw_rapi_state_at(rows) != NULL) {
        rows++;
    }
    assert_int_equal(rows, 21);
}

// ---------------------------------------------------------------------------------------------
// doc/rapi.md has one line a row.

static void put_version(struct pw_out *out, int32_t version)
{
    pw_put_int(out, version / 10000);
    pw_put_c(out, '.');
    pw_put_int(out, version / 100 % 100);
    if (version % 100 != 0) {
        pw_put_c(out, '.');
        pw_put_int(out, version % 100);
    }
}

// "A|M|0|1" with another separator: `|` ends a cell.
static void put_words(struct pw_out *out, const char *words)
{
    for (const char *c = words; *c != '\0'; c++) {
        pw_put_c(out, *c == '|' ? '/' : *c);
    }
}

static void put_range(struct pw_out *out, const struct pw_rapi_arg *arg)
{
    pw_put_int(out, arg->least);
    if (arg->most != arg->least) {
        pw_put_s(out, "–");
        pw_put_int(out, arg->most);
    }
    pw_put_s(out, arg->unit[0] == '\0' ? "" : " ");
    pw_put_s(out, arg->unit);
}

static void put_args(struct pw_out *out, const struct pw_rapi_command *row)
{
    for (unsigned a = 0; a < PW_RAPI_ARGS_MAX && row->arg[a].name != NULL; a++) {
        const struct pw_rapi_arg *arg = &row->arg[a];
        pw_put_s(out, a == 0 ? "" : ", ");
        pw_put_s(out, arg->name);
        pw_put_c(out, ' ');
        if (arg->form == PW_RAPI_NUMBER) {
            put_range(out, arg);
        } else if (arg->form == PW_RAPI_CHOICE) {
            put_words(out, arg->words);
        }
    }
}

static void put_row(struct pw_out *out, const struct pw_rapi_command *row)
{
    static const char *const who[] = {"anybody", "administrator", "nobody: "};
    pw_put_s(out, "| `$");
    pw_put_s(out, row->name);
    pw_put_s(out, "` | ");
    put_args(out, row);
    pw_put_s(out, " | ");
    pw_put_s(out, row->text);
    pw_put_s(out, " | ");
    put_words(out, row->answer);
    pw_put_s(out, " | ");
    if (row->since_board != 0) {
        pw_put_s(out, "firmware ");
        put_version(out, row->since_board);
    } else if (row->since_rapi != 0) {
        put_version(out, row->since_rapi);
    }
    if (row->until_rapi != 0) {
        pw_put_s(out, ", not from ");
        put_version(out, row->until_rapi);
    }
    pw_put_s(out, " | ");
    pw_put_s(out, who[row->who]);
    pw_put_s(out, row->why);
    pw_put_s(out, " |");
}

static void the_document_has_every_row(void **state)
{
    const struct pw_rapi_command *row;
    static char doc[65536];
    unsigned missing = 0;
    (void)state;
    FILE *file = fopen(RAPI_DOC, "r");
    assert_non_null(file);
    size_t len = fread(doc, 1, sizeof(doc) - 1, file);
    doc[len] = '\0';
    (void)fclose(file);
    for (unsigned r = 0; (row = pw_rapi_command_at(r)) != NULL; r++) {
        char text[600];
        struct pw_out out = PW_OUT(text);
        put_row(&out, row);
        assert_false(out.full);
        if (strstr(doc, text) == NULL) {
            (void)fprintf(stderr, "%s\n", text);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_at_dollar_and_cr),
        cmocka_unit_test(checksums_and_ids_are_strict),
        cmocka_unit_test(what_people_may_not_send_is_refused_with_a_reason),
        cmocka_unit_test(every_number_of_every_row_has_its_ends),
        cmocka_unit_test(states_that_nobody_knows_are_faults),
        cmocka_unit_test(the_document_has_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

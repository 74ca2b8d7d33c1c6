// The front-end protocol's codec: the frames that doc/frontend.md shows, every single-byte error,
// and streams with rubbish in them.
#include "../can/dice.h"
#include "sample.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

// The message's frame as "03 81 00 ..." .
static void print_frame(const struct pw_frontend_message *message, char *text, size_t cap)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_out out = {.at = text, .cap = cap};
    size_t len = pw_frontend_put(message, SAMPLE_NOW, frame);
    for (size_t i = 0; i < len; i++) {
        pw_put_s(&out, i > 0 ? " " : "");
        pw_put_hex(&out, frame[i], 2);
    }
    assert_false(out.full);
}

// The line after "```frame NAME" blocks: all their lines joined by single spaces.
static bool find_in_doc(FILE *doc, const char *name, char *text, size_t cap)
{
    char line[LINE_MAX_BYTES];
    char head[64];
    struct pw_out out = {.at = text, .cap = cap};
    assert_true(snprintf(head, sizeof(head), "```frame %s\n", name) < (int)sizeof(head));
    bool inside = false;
    rewind(doc);
    while (fgets(line, sizeof(line), doc) != NULL) {
        if (inside && strncmp(line, "```", 3) == 0) {
            return true;
        }
        if (inside) {
            pw_put_s(&out, out.len > 0 ? " " : "");
            pw_put(&out, pw_str_trim(pw_str_of(line)));
        }
        inside = inside || strcmp(line, head) == 0;
    }
    return false;
}

// Reason: somebody writes a board's firmware from that page alone.
static void the_frames_in_the_document_are_the_frames_on_the_wire(void **state)
{
    (void)state;
    FILE *doc = fopen(FRONTEND_DOC, "r");
    assert_non_null(doc);
    for (size_t i = 0; sample_name(i) != NULL; i++) {
        char text[4096];
        char said[4096] = "";
        const struct pw_frontend_message message = sample(sample_name(i));
        print_frame(&message, text, sizeof(text));
        if (!find_in_doc(doc, sample_name(i), said, sizeof(said)) || strcmp(said, text) != 0) {
            fail_msg("frame %s in doc/frontend.md is\n%s\nmust be\n%s", sample_name(i), said, text);
        }
    }
    assert_int_equal(fclose(doc), 0);
}

// Whether two messages are the same on the wire.
static void expect_same(const struct pw_frontend_message *a, const struct pw_frontend_message *b)
{
    uint8_t one[PW_FRONTEND_FRAME_MAX];
    uint8_t two[PW_FRONTEND_FRAME_MAX];
    size_t len = pw_frontend_put(a, SAMPLE_NOW, one);
    assert_int_equal(pw_frontend_put(b, SAMPLE_NOW, two), len);
    assert_memory_equal(one, two, len);
}

static void what_was_put_is_read_back(void **state)
{
    (void)state;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_frontend_message got;
    for (size_t i = 0; sample_name(i) != NULL; i++) {
        const struct pw_frontend_message message = sample(sample_name(i));
        size_t len = pw_frontend_put(&message, SAMPLE_NOW, frame);
        assert_null(memchr(frame, 0, len - 1));
        assert_int_equal(pw_frontend_get(frame, len - 1, SAMPLE_NOW, &got), PW_OK);
        expect_same(&message, &got);
    }
    struct pw_frontend_message senses = sample("senses");
    size_t len = pw_frontend_put(&senses, SAMPLE_NOW, frame);
    assert_int_equal(pw_frontend_get(frame, len - 1, 500, &got), PW_OK);
    assert_int_equal(got.senses.senses.at, 498); // another clock, the same age
    assert_int_equal(got.senses.senses.cp_high_mv, 5980);
    assert_int_equal(got.senses.senses.cp_low_mv, -11960);
    assert_int_equal(got.senses.senses.temp_dc[1], PW_BOARD_UNKNOWN);
    assert_int_equal(got.senses.senses.load_mv[0], PW_BOARD_UNKNOWN);
    assert_int_equal(got.senses.drive_seq, 7);
}

// Reason: a pilot sampler that has died must look dead, however lively the line is.
static void an_old_sample_stays_old_and_none_stays_none(void **state)
{
    (void)state;
    static const struct {
        pw_ms at;
        pw_ms read;
    } rows[] = {{PW_NEVER, PW_NEVER},
                {SAMPLE_NOW, SAMPLE_NOW},
                {SAMPLE_NOW + 5, SAMPLE_NOW}, // from the future: now
                {SAMPLE_NOW - 300, SAMPLE_NOW - 300},
                {0, SAMPLE_NOW - 65534}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        uint8_t frame[PW_FRONTEND_FRAME_MAX];
        struct pw_frontend_message message = sample("senses");
        message.senses.senses.at = rows[i].at;
        size_t len = pw_frontend_put(&message, SAMPLE_NOW, frame);
        assert_int_equal(pw_frontend_get(frame, len - 1, SAMPLE_NOW, &message), PW_OK);
        assert_int_equal(message.senses.senses.at, rows[i].read);
    }
}

// Reason: a flipped bit in DRIVE could close a contactor.
static void any_one_wrong_byte_is_refused(void **state)
{
    (void)state;
    unsigned tried = 0;
    for (size_t i = 0; sample_name(i) != NULL; i++) {
        uint8_t frame[PW_FRONTEND_FRAME_MAX];
        uint8_t bad[PW_FRONTEND_FRAME_MAX];
        const struct pw_frontend_message message = sample(sample_name(i));
        struct pw_frontend_message got;
        size_t len = pw_frontend_put(&message, SAMPLE_NOW, frame) - 1;
        for (size_t at = 0; at < len; at++) {
            for (unsigned wrong = 1; wrong < 256; wrong++, tried++) {
                memcpy(bad, frame, len);
                bad[at] ^= (uint8_t)wrong;
                if (pw_frontend_get(bad, len, SAMPLE_NOW, &got) == PW_OK) {
                    fail_msg("%s: byte %zu ^ %02X is taken", sample_name(i), at, wrong);
                }
            }
            memcpy(bad, frame, len);
            assert_int_equal(pw_frontend_get(bad, at, SAMPLE_NOW, &got), PW_ERR_PEER);
        }
    }
    print_message("%u frames with one wrong byte\n", tried);
}

// A frame of our own making: any kind and body, coded correctly. Short, so each run fits.
static int read_raw(unsigned kind, const uint8_t *body, size_t len)
{
    uint8_t plain[64] = {(uint8_t)kind, 0};
    uint8_t frame[80];
    size_t run = 0; // where the length of the present run stands
    size_t at = 1;
    memcpy(plain + 2, body, len);
    pw_set_be16(plain + 2 + len, pw_frontend_crc(plain, 2 + len));
    for (size_t i = 0; i < len + 4; i++) {
        if (plain[i] == 0) {
            frame[run] = (uint8_t)(at - run);
            run = at;
        } else {
            frame[at] = plain[i];
        }
        at++;
    }
    frame[run] = (uint8_t)(at - run);
    struct pw_frontend_message message;
    return pw_frontend_get(frame, at, SAMPLE_NOW, &message);
}

// Reason: the checksum says that the bytes arrived, not that they make sense.
static void a_drive_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t body[8];
        size_t len;
        int err;
    } rows[] = {
        {{2, 0, 4, 0x11, 0x68, 0x03, 3}, 7, PW_OK},
        {{0, 0, 0, 0, 0, 0, 0}, 7, PW_OK},
        {{3, 0, 0, 0, 0, 0, 0}, 7, PW_ERR_PEER},             // no such pilot
        {{2, 0, 0, 0, 0, 0, 0}, 7, PW_ERR_PEER},             // PWM of nothing
        {{2, 0, 0x0F, 0x42, 0x40, 0, 0}, 7, PW_ERR_PEER},    // PWM of all
        {{2, 0x80, 0x0F, 0x42, 0x3F, 0, 0}, 7, PW_ERR_PEER}, // of more than all
        {{1, 0, 0, 0, 1, 0, 0}, 7, PW_ERR_PEER},             // duty without PWM
        {{0, 0, 0, 0, 0, 0x20, 0}, 7, PW_ERR_PEER},          // unknown bit
        {{0, 0, 0, 0, 0, 0, 5}, 7, PW_ERR_PEER},             // no such lamp
        {{0, 0, 0, 0, 0, 0}, 6, PW_ERR_PEER},
        {{0, 0, 0, 0, 0, 0, 0, 0}, 8, PW_ERR_PEER},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (read_raw(PW_FRONTEND_DRIVE, rows[i].body, rows[i].len) != rows[i].err) {
            fail_msg("row %zu", i);
        }
    }
    assert_int_equal(read_raw(0x83, rows[1].body, 7), PW_ERR_PEER); // no such kind
}

static void a_frame_of_another_version_gives_its_version(void **state)
{
    (void)state;
    static const uint8_t body[] = {9, 1, 2, 3};
    assert_int_equal(read_raw(PW_FRONTEND_HELLO, body, sizeof(body)), PW_OK);
    assert_int_equal(read_raw(PW_FRONTEND_HELLO, body, 0), PW_ERR_PEER);
}

static struct pw_frontend_message random_block(struct dice *dice)
{
    struct pw_frontend_message message = {.kind = PW_FRONTEND_BLOCK,
                                          .seq = (uint8_t)dice_int(dice, 0, 255)};
    struct pw_board_block *block = &message.block;
    // few values, so that runs of zeros and of 254 other bytes both come
    int32_t span = dice_int(dice, 0, 3) == 0 ? 1 : 32767;
    block->at = SAMPLE_NOW - (pw_ms)dice_int(dice, 0, 100);
    block->rate_hz = 4000;
    block->count = (uint8_t)dice_int(dice, 1, PW_BOARD_BLOCK_MAX);
    for (size_t i = 0; i < (size_t)PW_BOARD_PHASES * block->count; i++) {
        size_t phase = i / block->count;
        block->volt[phase][i % block->count] = (int16_t)dice_int(dice, -span, span);
        block->ampere[phase][i % block->count] = (int16_t)dice_int(dice, -span, span);
    }
    return message;
}

// Reason: a plug that is pulled and put back, a line that hums, a board that restarts in the middle
// of a frame: the next whole frame must be understood.
static void after_rubbish_the_next_whole_frame_is_read(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    struct pw_frontend_reader reader = {0};
    for (unsigned round = 0; round < 2000; round++) {
        const struct pw_frontend_message sent = random_block(&dice);
        uint8_t frame[PW_FRONTEND_FRAME_MAX];
        int32_t rubbish = dice_int(&dice, 0, round % 50 == 0 ? 3000 : 40);
        for (int32_t i = 0; i < rubbish; i++) {
            assert_false(pw_frontend_feed(&reader, (uint8_t)dice_int(&dice, 0, 255), SAMPLE_NOW));
        }
        assert_false(pw_frontend_feed(&reader, 0, SAMPLE_NOW));
        size_t len = pw_frontend_put(&sent, SAMPLE_NOW, frame);
        for (size_t i = 0; i + 1 < len; i++) {
            assert_false(pw_frontend_feed(&reader, frame[i], SAMPLE_NOW));
        }
        assert_true(pw_frontend_feed(&reader, 0, SAMPLE_NOW));
        expect_same(&sent, &reader.message);
    }
    assert_true(reader.bad > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frames_in_the_document_are_the_frames_on_the_wire),
        cmocka_unit_test(what_was_put_is_read_back),
        cmocka_unit_test(an_old_sample_stays_old_and_none_stays_none),
        cmocka_unit_test(any_one_wrong_byte_is_refused),
        cmocka_unit_test(a_drive_that_cannot_be_is_refused),
        cmocka_unit_test(a_frame_of_another_version_gives_its_version),
        cmocka_unit_test(after_rubbish_the_next_whole_frame_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

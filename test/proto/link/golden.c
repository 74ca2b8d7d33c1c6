// doc/link.md against the code: every message, field and event kind stands in its tables, and every
// example in it is what the codec writes and reads. With an argument it prints what the document
// must hold.
#include "link/parts.h"
#include "sample.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef LINK_DOC
#error "LINK_DOC is the path of doc/link.md"
#endif

static char *doc;

static void read_doc(void)
{
    FILE *file = fopen(LINK_DOC, "re");
    assert_non_null(file);
    doc = calloc(1, 1 << 18);
    assert_non_null(doc);
    size_t len = fread(doc, 1, (1 << 18) - 1, file);
    assert_true(len > 1000 && len < (1 << 18) - 1);
    (void)fclose(file);
}

// A line goes to the printer, or must stand in the document.
static void want(bool print, const char *line)
{
    if (print) {
        (void)puts(line);
    } else if (strstr(doc, line) == NULL) {
        fail_msg("doc/link.md lacks: %s", line);
    }
}

static const char *bound(int64_t value, char text[24])
{
    if (value == INT64_MAX) {
        return "2^63-1";
    }
    if (value == INT64_MIN) {
        return "-2^63";
    }
    (void)snprintf(text, 24, "%lld", (long long)value);
    return text;
}

static void want_field(bool print, const char *name, const char *kind, unsigned tag,
                       const int64_t range[2], const char *presence)
{
    char line[200];
    char low[24];
    char high[24];
    (void)snprintf(line, sizeof(line), "| %u | %s | %s | %s..%s | %s |", tag, name, kind,
                   bound(range[0], low), bound(range[1], high), presence);
    want(print, line);
}

static void every_row(bool print)
{
    char line[200];
#define TYPE(NAME, name, type, from, form)                                                         \
    (void)snprintf(line, sizeof(line), "| 0x%02X | %s | %s | %s |", (unsigned)(type), #name,       \
                   #from, #form);                                                                  \
    want(print, line);
    PW_LINK_MESSAGES(TYPE)
#undef TYPE
#define FIELD(S, kind, member, tag, least, most, presence, absent)                                 \
    want_field(print, #member, #kind, tag, (const int64_t[2]){(least), (most)}, #presence);
#define STRUCT(name, LIST)                                                                         \
    if (print) {                                                                                   \
        (void)puts(#name);                                                                         \
    }                                                                                              \
    LIST(FIELD, name)
    PW_LINK_STRUCTS(STRUCT)
#undef STRUCT
#undef FIELD
#define KIND(NAME, number, word)                                                                   \
    (void)snprintf(line, sizeof(line), "| %u | %s |", (unsigned)(number), word);                   \
    want(print, line);
    PW_LINK_EVENT_KINDS(KIND)
#undef KIND
}

static void put_hex(const uint8_t *at, size_t len, struct pw_out *out)
{
    for (size_t i = 0; i < len; i++) {
        pw_put_s(out, i == 0 ? "" : i % 24 == 0 ? "\n" : " ");
        pw_put_hex(out, at[i], 2);
    }
}

static void every_sample(bool print)
{
    uint8_t bytes[1024];
    char text[4096];
    const char *name = "";
    size_t len = 0;
    for (unsigned i = 0; (len = sample_write(i, bytes, sizeof(bytes), &name)) > 0; i++) {
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "`");
        pw_put_s(&out, name);
        pw_put_s(&out, "`\n```\n");
        put_hex(bytes, len, &out);
        pw_put_s(&out, "\n```");
        want(print, text);
    }
}

static void the_document_says_what_the_rows_say(void **state)
{
    (void)state;
    every_row(false);
}

static void the_examples_are_what_the_codec_writes(void **state)
{
    (void)state;
    every_sample(false);
}

// What is read is what was written: encoding it again gives the same bytes.
static void the_examples_are_read_back(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    const char *name = "";
    size_t len = 0;
    for (unsigned i = 0; (len = sample_write(i, bytes, sizeof(bytes), &name)) > 0; i++) {
        struct pw_link_frame frame;
        struct pw_link_message message;
        uint8_t again[1024];
        struct pw_link_writer w = {.at = again, .cap = sizeof(again)};
        assert_int_equal(pw_link_frame_read(bytes, len, PW_LINK_FRAME_MAX, &frame), len);
        assert_int_equal(pw_link_decode(&frame, &message, NULL), PW_OK);
        assert_string_equal(pw_link_type_row(message.type)->name, name);
        bool empty = frame.len == 0 && message.type != PW_LINK_OK;
        pw_link_begin(&w, message.type, message.number, empty ? NULL : (const void *)&message.as);
        if (message.type == PW_LINK_SNAPSHOT) {
            struct pw_link_connector c;
            bool bad = false;
            assert_true(
                pw_link_next(&message.as.snapshot.connectors, &pw_link_connector_rows, &c, &bad));
            pw_link_add(&w, PW_LINK_TAG_ITEMS, &pw_link_connector_rows, &c);
        } else if (message.type == PW_LINK_LOG_BATCH) {
            struct pw_link_line line;
            bool bad = false;
            assert_true(pw_link_next(&message.as.log_batch.lines, &pw_link_line_rows, &line, &bad));
            pw_link_add(&w, PW_LINK_TAG_ITEMS, &pw_link_line_rows, &line);
        }
        assert_int_equal(pw_link_end(&w), len);
        assert_memory_equal(again, bytes, len);
    }
}

// Every example cut at every byte, and every byte of it replaced by every value: a defined result,
// and nothing read beyond the frame.
static void every_cut_and_every_wrong_byte_has_a_defined_result(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    const char *name = "";
    size_t len = 0;
    for (unsigned i = 0; (len = sample_write(i, bytes, sizeof(bytes), &name)) > 0; i++) {
        struct pw_link_frame frame;
        for (size_t cut = 0; cut < len; cut++) {
            uint8_t *part = malloc(cut == 0 ? 1 : cut); // its end is where sanitizers look
            assert_non_null(part);
            memcpy(part, bytes, cut);
            assert_int_equal(pw_link_frame_read(part, cut, PW_LINK_FRAME_MAX, &frame),
                             PW_ERR_AGAIN);
            free(part);
        }
        for (size_t at = 0; at < len; at++) {
            uint8_t right = bytes[at];
            for (unsigned value = 0; value < 256; value++) {
                struct pw_link_message message;
                char text[PW_LINK_WHY_MAX] = "";
                struct pw_out why = PW_OUT(text);
                bytes[at] = (uint8_t)value;
                int whole = pw_link_frame_read(bytes, len, PW_LINK_FRAME_MAX, &frame);
                int err = whole < 0 ? whole : pw_link_decode(&frame, &message, &why);
                // A refusal of a body says what is wrong.
                assert_true(whole < 0 || err == PW_OK || err == PW_ERR_UNKNOWN || why.len > 0);
            }
            bytes[at] = right;
        }
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        every_row(true);
        every_sample(true);
        return EXIT_SUCCESS;
    }
    read_doc();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_says_what_the_rows_say),
        cmocka_unit_test(the_examples_are_what_the_codec_writes),
        cmocka_unit_test(the_examples_are_read_back),
        cmocka_unit_test(every_cut_and_every_wrong_byte_has_a_defined_result),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(doc);
    return failed;
}

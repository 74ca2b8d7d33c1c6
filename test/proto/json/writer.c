// What the writer puts out is always JSON, and says what it was told.
#include "json/json.h"
#include "test.h"

#include <string.h>

static struct pw_json_node nodes[1024];
static char spare[4096];
static struct pw_json json = {.node = nodes, .cap = 1024, .spare = spare, .spare_cap = 4096};

static void commas_stand_between_values_only(void **state)
{
    char text[256];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    (void)state;
    pw_json_open(&writer, '{');
    pw_json_key(&writer, "a");
    pw_json_open(&writer, '[');
    pw_json_close(&writer, ']');
    pw_json_key(&writer, "b");
    pw_json_open(&writer, '[');
    pw_json_put_int(&writer, -1);
    pw_json_put_fixed(&writer, 165, 1);
    pw_json_open(&writer, '{');
    pw_json_close(&writer, '}');
    pw_json_put_bool(&writer, true);
    pw_json_put_bool(&writer, false);
    pw_json_put_null(&writer);
    pw_json_put_raw(&writer, PW_STR("{\"raw\":1}"));
    pw_json_put_time(&writer, 0);
    pw_json_close(&writer, ']');
    pw_json_say_s(&writer, "c\"", "d");
    pw_json_close(&writer, '}');
    assert_string_equal(text, "{\"a\":[],\"b\":[-1,16.5,{},true,false,null,{\"raw\":1},"
                              "\"1970-01-01T00:00:00.000Z\"],\"c\\\"\":\"d\"}");
    assert_int_equal(pw_json_read(&json, pw_out_str(&out)), PW_OK);
}

// Any text the world hands us (a battery's model name from a bus) must not break the frame.
static void every_pair_of_bytes_is_written_as_json_and_read_back(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char bytes[2] = {(char)first, (char)second};
            char text[64];
            struct pw_out out = PW_OUT(text);
            struct pw_json_writer writer = PW_JSON_WRITER(&out);
            struct pw_str got = {.at = NULL};
            pw_json_put_text(&writer, (struct pw_str){.at = bytes, .len = 2});
            assert_int_equal(pw_json_read(&json, pw_out_str(&out)), PW_OK);
            assert_int_equal(pw_json_text(nodes, &got), PW_OK);
            if (first < 0x80 && second < 0x80) {
                assert_int_equal(got.len, 2);
                assert_memory_equal(got.at, bytes, 2);
            }
        }
    }
}

static void bytes_that_are_no_utf8_leave_as_the_replacement_character(void **state)
{
    char text[64];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    (void)state;
    pw_json_put_text(&writer, PW_STR("a\xFF\xE2\x82z\xC3\xBC\xC3"));
    assert_string_equal(text, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xC3\xBC\xEF\xBF\xBD\"");
}

static void control_characters_are_escaped(void **state)
{
    char text[64];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    (void)state;
    pw_json_put_text(&writer, PW_STR("\x00\x01\b\f\n\r\t\x1F\"\\/"));
    assert_string_equal(text, "\"\\u0000\\u0001\\b\\f\\n\\r\\t\\u001F\\\"\\\\/\"");
}

static void a_full_room_is_seen_at_the_end(void **state)
{
    char text[8];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    (void)state;
    pw_json_put_s(&writer, "12345");
    assert_int_equal(pw_out_err(&out), PW_OK);
    pw_json_put_s(&writer, "");
    assert_int_equal(pw_out_err(&out), PW_ERR_LIMIT);
}

// Every size of room, one byte too small at each place: what fits is the head of the whole, the end
// is terminated, and the byte behind the room is never touched.
static void nothing_is_written_past_the_room(void **state)
{
    static const char whole[] = "{\"key\":\"text\",\"k2\":[\"a\",\"\\n\",12,true],\"k3\":\"\"}";
    char text[sizeof(whole) + 2];
    (void)state;
    for (size_t cap = 0; cap <= sizeof(whole) + 1; cap++) {
        struct pw_out out = {.at = text, .cap = cap};
        struct pw_json_writer writer = PW_JSON_WRITER(&out);
        memset(text, '#', sizeof(text));
        pw_json_open(&writer, '{');
        pw_json_say_s(&writer, "key", "text");
        pw_json_key(&writer, "k2");
        pw_json_open(&writer, '[');
        pw_json_put_s(&writer, "a");
        pw_json_put_s(&writer, "\n");
        pw_json_put_int(&writer, 12);
        pw_json_put_bool(&writer, true);
        pw_json_close(&writer, ']');
        pw_json_say_s(&writer, "k3", "");
        pw_json_close(&writer, '}');
        assert_int_equal(text[cap], '#');
        assert_int_equal(pw_out_err(&out), cap >= sizeof(whole) ? PW_OK : PW_ERR_LIMIT);
        assert_memory_equal(text, whole, out.len);
        assert_true(cap == 0 || text[out.len] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_values_only),
        cmocka_unit_test(every_pair_of_bytes_is_written_as_json_and_read_back),
        cmocka_unit_test(bytes_that_are_no_utf8_leave_as_the_replacement_character),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(a_full_room_is_seen_at_the_end),
        cmocka_unit_test(nothing_is_written_past_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// What is JSON and what is not, byte by byte where the standards draw their lines.
#include "json/json.h"
#include "test.h"

#include <string.h>

enum { NODES = 70000, SPARE = 1 << 17 };

static struct pw_json_node nodes[NODES];
static char spare[SPARE];
static struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = SPARE};

static int fault_of(struct pw_str text)
{
    (void)!pw_json_read(&json, text);
    return (int)json.fault;
}

static void valid_texts_are_taken(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "10",
        "1.5",
        "1e5",
        "1E+5",
        "1e-5",
        "0.10",
        "-1.25e10",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        " [ ] ",
        "\t\r\n{ } ",
        "[1,2,3]",
        "[[],{}]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[true,false,null]},\"c\":\"d\"}",
        " { \"a\" : [ 1 , 2 ] } ",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0041\"",
        "\"\\uD83D\\uDD0C\"",
        "\"\\u0000\"",
        "\"\x7F\"",
        "\"/\"",
        "{\"\":0}",
        "1234567890123456789012345678901234567890",
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(good); i++) {
        if (fault_of(pw_str_of(good[i])) != PW_JSON_FINE) {
            print_error("%s: %s at %zu\n", good[i], pw_json_fault_name(json.fault), json.fault_at);
            fail();
        }
    }
}

static void invalid_texts_are_refused_for_their_reason(void **state)
{
    static const struct {
        const char *text;
        enum pw_json_fault fault;
    } bad[] = {
        {"", PW_JSON_BAD_SYNTAX},
        {" ", PW_JSON_BAD_SYNTAX},
        {"01", PW_JSON_BAD_SYNTAX},
        {"-", PW_JSON_BAD_SYNTAX},
        {"-01", PW_JSON_BAD_SYNTAX},
        {"+1", PW_JSON_BAD_SYNTAX},
        {".5", PW_JSON_BAD_SYNTAX},
        {"1.", PW_JSON_BAD_SYNTAX},
        {"1.e5", PW_JSON_BAD_SYNTAX},
        {"1e", PW_JSON_BAD_SYNTAX},
        {"1e+", PW_JSON_BAD_SYNTAX},
        {"0x10", PW_JSON_TRAILING},
        {"1 2", PW_JSON_TRAILING},
        {"NaN", PW_JSON_BAD_SYNTAX},
        {"Infinity", PW_JSON_BAD_SYNTAX},
        {"True", PW_JSON_BAD_SYNTAX},
        {"tru", PW_JSON_BAD_SYNTAX},
        {"truee", PW_JSON_TRAILING},
        {"nul", PW_JSON_BAD_SYNTAX},
        {"'a'", PW_JSON_BAD_SYNTAX},
        {"a", PW_JSON_BAD_SYNTAX},
        {"[", PW_JSON_BAD_SYNTAX},
        {"]", PW_JSON_BAD_SYNTAX},
        {"[1", PW_JSON_BAD_SYNTAX},
        {"[1,", PW_JSON_BAD_SYNTAX},
        {"[1,]", PW_JSON_BAD_SYNTAX},
        {"[,1]", PW_JSON_BAD_SYNTAX},
        {"[1 2]", PW_JSON_BAD_SYNTAX},
        {"[1}", PW_JSON_BAD_SYNTAX},
        {"[1]]", PW_JSON_TRAILING},
        {"{", PW_JSON_BAD_SYNTAX},
        {"{]", PW_JSON_BAD_SYNTAX},
        {"{\"a\"", PW_JSON_BAD_SYNTAX},
        {"{\"a\":", PW_JSON_BAD_SYNTAX},
        {"{\"a\":1", PW_JSON_BAD_SYNTAX},
        {"{\"a\":1,", PW_JSON_BAD_SYNTAX},
        {"{\"a\":1,}", PW_JSON_BAD_SYNTAX},
        {"{\"a\" 1}", PW_JSON_BAD_SYNTAX},
        {"{\"a\":1]", PW_JSON_BAD_SYNTAX},
        {"{a:1}", PW_JSON_BAD_SYNTAX},
        {"{1:1}", PW_JSON_BAD_SYNTAX},
        {"{,}", PW_JSON_BAD_SYNTAX},
        {"\"", PW_JSON_BAD_SYNTAX},
        {"\"a", PW_JSON_BAD_SYNTAX},
        {"\"\\", PW_JSON_BAD_SYNTAX},
        {"\"\\\"", PW_JSON_BAD_SYNTAX},
        {"\"a\nb\"", PW_JSON_BAD_SYNTAX},
        {"\"a\x1F\"", PW_JSON_BAD_SYNTAX},
        {"\"\\n\t\"", PW_JSON_BAD_SYNTAX},
        {"\"\\x41\"", PW_JSON_BAD_ESCAPE},
        {"\"\\U0041\"", PW_JSON_BAD_ESCAPE},
        {"\"\\u004\"", PW_JSON_BAD_ESCAPE},
        {"\"\\u00g1\"", PW_JSON_BAD_ESCAPE},
        {"\"\\u+041\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uD83D\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uD83Dx\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uD83D\\n\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uD83D\\uD83D\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uD83D\\u0041\"", PW_JSON_BAD_ESCAPE},
        {"\"\\uDD0C\"", PW_JSON_BAD_ESCAPE},
        {"{\"a\":1,\"a\":2}", PW_JSON_DUPLICATE_KEY},
        {"{\"a\":1,\"b\":[{}],\"\\u0061\":2}", PW_JSON_DUPLICATE_KEY},
        {"{\"\":1,\"\":2}", PW_JSON_DUPLICATE_KEY},
        {"\xEF\xBB\xBF[]", PW_JSON_BAD_SYNTAX}, // a byte order mark is no JSON (RFC 8259 §8.1)
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        if (fault_of(pw_str_of(bad[i].text)) != (int)bad[i].fault) {
            print_error("%s: %s at %zu, not %s\n", bad[i].text, pw_json_fault_name(json.fault),
                        json.fault_at, pw_json_fault_name(bad[i].fault));
            fail();
        }
    }
}

// Keys may repeat in different objects.
static void the_same_key_in_two_objects_is_no_duplicate(void **state)
{
    (void)state;
    assert_int_equal(fault_of(PW_STR("[{\"a\":{\"a\":1}},{\"a\":2}]")), PW_JSON_FINE);
}

// RFC 3629 §4: all two-byte heads, and the borders of the three- and four-byte forms.
static void only_shortest_form_utf8_is_text(void **state)
{
    static const struct {
        const char *bytes;
        bool good;
    } forms[] = {
        {"\xC2\x80", true},
        {"\xDF\xBF", true},
        {"\xC0\x80", false},
        {"\xC1\xBF", false},
        {"\xC2\x7F", false},
        {"\xC2\xC0", false},
        {"\x80", false},
        {"\xBF", false},
        {"\xE0\xA0\x80", true},
        {"\xE0\x9F\xBF", false},
        {"\xED\x9F\xBF", true},
        {"\xED\xA0\x80", false},
        {"\xED\xBF\xBF", false},
        {"\xEE\x80\x80", true},
        {"\xEF\xBF\xBF", true},
        {"\xE2\x82", false},
        {"\xE2\x28\xA1", false},
        {"\xE2\x82\x28", false},
        {"\xF0\x90\x80\x80", true},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false},
        {"\xFF", false},
        {"\xF0\x9F\x94", false},
        {"\xF0\x9F\x94\x28", false},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(forms); i++) {
        // Both ways through a string: with and without an escape before, at eight offsets, so that
        // every position in a machine word is met.
        for (size_t lead = 0; lead < 16; lead++) {
            char text[64];
            struct pw_out out = PW_OUT(text);
            pw_put_s(&out, lead % 2 == 0 ? "\"" : "\"\\n");
            pw_put(&out, (struct pw_str){.at = "abcdefgh", .len = lead / 2});
            pw_put_s(&out, forms[i].bytes);
            pw_put_s(&out, "\"");
            int fault = fault_of(pw_out_str(&out));
            assert_int_equal(fault, forms[i].good ? PW_JSON_FINE : PW_JSON_BAD_UTF8);
        }
    }
}

// The fast scan looks at eight bytes at once: no byte may slip through at any place.
static void each_byte_at_each_place_of_a_string(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 24; place++) {
            char text[32];
            memset(text, 'x', sizeof(text));
            text[0] = '"';
            text[1 + place] = (char)byte;
            text[26] = '"';
            int fault = fault_of((struct pw_str){.at = text, .len = 27});
            bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            int expected = plain          ? PW_JSON_FINE
                           : byte >= 0x80 ? PW_JSON_BAD_UTF8
                           : byte == '"'  ? PW_JSON_TRAILING
                           : byte == '\\' ? PW_JSON_BAD_ESCAPE
                                          : PW_JSON_BAD_SYNTAX;
            // A backslash before the closing quote, or a quote at the end of the text.
            if (byte == '\\' && place == 24) {
                continue;
            }
            assert_int_equal(fault, expected);
        }
    }
}

static void escapes_become_plain_text(void **state)
{
    struct pw_str text = {.at = NULL};
    char copy[32];
    (void)state;
    assert_int_equal(
        fault_of(PW_STR("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0041\\u00fc\\u20AC\\uD83D\\uDD0C\","
                        "\"plain\",\"x\\ty\"]")),
        PW_JSON_FINE);
    struct pw_json_iter iter = pw_json_each(nodes);
    assert_int_equal(pw_json_text(pw_json_next(&iter), &text), PW_OK);
    assert_true(pw_str_is(text, "\"\\/\b\f\n\r\t"));
    assert_int_equal(pw_json_text(pw_json_next(&iter), &text), PW_OK);
    assert_true(pw_str_is(text, "A\xC3\xBC\xE2\x82\xAC\xF0\x9F\x94\x8C"));
    assert_int_equal(pw_json_chars(text), 4);
    assert_int_equal(pw_json_copy(pw_json_next(&iter), copy, sizeof(copy)), PW_OK);
    assert_string_equal(copy, "plain");
    assert_int_equal(pw_json_copy(pw_json_next(&iter), copy, 3), PW_ERR_LIMIT);
    assert_null(pw_json_next(&iter));
}

// A terminated copy of "admin\0x" would read "admin".
static void a_text_with_a_zero_character_has_no_terminated_copy(void **state)
{
    char copy[32];
    (void)state;
    assert_int_equal(fault_of(PW_STR("\"admin\\u0000x\"")), PW_JSON_FINE);
    assert_int_equal(nodes[0].len, 7);
    assert_int_equal(pw_json_copy(nodes, copy, sizeof(copy)), PW_ERR_PEER);
}

static void nesting_ends_at_sixteen(void **state)
{
    char text[64];
    (void)state;
    for (size_t depth = 1; depth <= 17; depth++) {
        for (int object = 0; object < 2; object++) {
            struct pw_out out = PW_OUT(text);
            char wide[256];
            out = PW_OUT(wide);
            for (size_t i = 0; i < depth; i++) {
                pw_put_s(&out, object != 0 && i % 2 == 1 ? "{\"a\":" : "[");
            }
            pw_put_s(&out, "0");
            for (size_t i = depth; i-- > 0;) {
                pw_put_s(&out, object != 0 && i % 2 == 1 ? "}" : "]");
            }
            int fault = fault_of(pw_out_str(&out));
            assert_int_equal(fault, depth <= 16 ? PW_JSON_FINE : PW_JSON_TOO_DEEP);
        }
    }
}

// 64 kB of brackets: refused at the seventeenth, without a stack to blow.
static void a_depth_bomb_is_refused_at_once(void **state)
{
    static char bomb[1 << 16];
    (void)state;
    memset(bomb, '[', sizeof(bomb));
    assert_int_equal(fault_of((struct pw_str){.at = bomb, .len = sizeof(bomb)}), PW_JSON_TOO_DEEP);
    assert_int_equal(json.fault_at, 16);
    assert_int_equal(json.count, 16);
}

static void the_node_array_is_the_limit_and_half_the_text_is_enough(void **state)
{
    static const char *const texts[] = {"0", "[]", "[0]", "[0,0]", "{\"\":0}", "[[],[]]", "[{},0]"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(texts); i++) {
        struct pw_str text = pw_str_of(texts[i]);
        assert_int_equal(fault_of(text), PW_JSON_FINE);
        assert_true(json.count <= text.len / 2 + 1);
        struct pw_json small = json;
        small.cap = json.count;
        assert_int_equal(pw_json_read(&small, text), PW_OK);
        small.cap--;
        assert_int_equal(pw_json_read(&small, text), PW_ERR_LIMIT);
        assert_int_equal(small.fault, PW_JSON_TOO_MANY);
    }
}

// 64 kB frames are ordinary: a full local list, a certificate chain.
static void sixty_four_kilobytes_are_read_and_no_more_nodes_than_allowed(void **state)
{
    static char text[1 << 18];
    static const size_t counts[] = {32767, 65534, 65535};
    (void)state;
    for (size_t k = 0; k < PW_COUNT(counts); k++) {
        size_t elements = counts[k];
        struct pw_out out = PW_OUT(text);
        pw_put_c(&out, '[');
        for (size_t i = 0; i < elements; i++) {
            pw_put_s(&out, i > 0 ? ",0" : "0");
        }
        pw_put_c(&out, ']');
        assert_int_equal(fault_of(pw_out_str(&out)),
                         elements < 65535 ? PW_JSON_FINE : PW_JSON_TOO_MANY);
    }
    assert_int_equal(pw_json_count(nodes), 0); // the array never closed
    assert_int_equal(nodes[0].span, 0);
}

static void an_object_has_a_bound_of_members(void **state)
{
    char text[2048];
    (void)state;
    for (int members = 127; members <= 129; members++) {
        struct pw_out out = PW_OUT(text);
        struct pw_json_writer writer = PW_JSON_WRITER(&out);
        pw_json_open(&writer, '{');
        for (int i = 0; i < members; i++) {
            char key[8];
            struct pw_out key_out = PW_OUT(key);
            pw_put_int(&key_out, i);
            pw_json_say_int(&writer, key, i);
        }
        pw_json_close(&writer, '}');
        assert_int_equal(fault_of(pw_out_str(&out)),
                         members <= PW_JSON_MEMBERS_MAX ? PW_JSON_FINE : PW_JSON_TOO_MANY);
    }
}

static void the_spare_room_is_a_limit_only_for_escaped_texts(void **state)
{
    struct pw_json small = {.node = nodes, .cap = 8, .spare = spare, .spare_cap = 4};
    (void)state;
    assert_int_equal(pw_json_read(&small, PW_STR("[\"longer than four\"]")), PW_OK);
    assert_int_equal(pw_json_read(&small, PW_STR("[\"abc\\n\"]")), PW_OK);
    assert_int_equal(small.spare_len, 4);
    assert_int_equal(pw_json_read(&small, PW_STR("[\"abcd\\n\"]")), PW_ERR_LIMIT);
    assert_int_equal(small.fault, PW_JSON_NO_SPARE);
    small.spare_cap = 0;
    small.spare = NULL;
    assert_int_equal(pw_json_read(&small, PW_STR("[\"\\n\"]")), PW_ERR_LIMIT);
}

static void the_fault_is_where_the_text_goes_wrong(void **state)
{
    (void)state;
    assert_int_equal(fault_of(PW_STR("{\"a\":1,\"b\":x}")), PW_JSON_BAD_SYNTAX);
    assert_int_equal(json.fault_at, 11);
    assert_int_equal(fault_of(PW_STR("{\"a\":1,\"a\":x}")), PW_JSON_DUPLICATE_KEY);
    assert_int_equal(json.fault_at, 7);
    // Found by the fuzzer: cut inside an escape, the fault once lay behind the text.
    assert_int_equal(fault_of(PW_STR("[\"a\\u")), PW_JSON_BAD_ESCAPE);
    assert_int_equal(json.fault_at, 5);
    assert_int_equal(fault_of(PW_STR("[1] x")), PW_JSON_TRAILING);
    assert_int_equal(json.fault_at, 4);
}

// --- Numbers.

static void numbers_are_exact_decimals(void **state)
{
    static const struct {
        const char *text;
        unsigned decimals;
        int err;
        int64_t value;
    } cases[] = {
        {"0", 0, PW_OK, 0},
        {"-0", 0, PW_OK, 0},
        {"16", 1, PW_OK, 160},
        {"16.5", 1, PW_OK, 165},
        {"16.50", 1, PW_OK, 165},
        {"16.55", 1, PW_ERR_RANGE, 0},
        {"16.05", 1, PW_ERR_RANGE, 0},
        {"-16.5", 1, PW_OK, -165},
        {"0.1", 1, PW_OK, 1},
        {"0.01", 1, PW_ERR_RANGE, 0},
        {"5.0", 0, PW_OK, 5},
        {"5.5", 0, PW_ERR_RANGE, 0},
        {"1e2", 0, PW_OK, 100},
        {"1E+2", 0, PW_OK, 100},
        {"100e-2", 0, PW_OK, 1},
        {"1e-2", 0, PW_ERR_RANGE, 0},
        {"1e-2", 2, PW_OK, 1},
        {"1.5e1", 0, PW_OK, 15},
        {"1.25e1", 0, PW_ERR_RANGE, 0},
        {"1.25e1", 1, PW_OK, 125},
        {"12.5e-1", 2, PW_OK, 125},
        {"0e999999999999", 0, PW_OK, 0},
        {"0.000e-999999999999", 18, PW_OK, 0},
        {"1e999999999999", 0, PW_ERR_RANGE, 0},
        {"1e-999999999999", 18, PW_ERR_RANGE, 0},
        {"9223372036854775807", 0, PW_OK, INT64_MAX},
        {"-9223372036854775808", 0, PW_OK, INT64_MIN},
        {"9223372036854775808", 0, PW_ERR_RANGE, 0},
        {"-9223372036854775809", 0, PW_ERR_RANGE, 0},
        {"9.223372036854775807", 18, PW_OK, INT64_MAX},
        {"10", 18, PW_ERR_RANGE, 0},
        {"1234567890123456789012345678901234567890", 0, PW_ERR_RANGE, 0},
        {"0.0000000000000000000000000000000000000000", 0, PW_OK, 0},
        {"3.00000000000000000000000000000000000000001", 0, PW_ERR_RANGE, 0},
        {"true", 0, PW_ERR_PEER, 0},
        {"\"5\"", 0, PW_ERR_PEER, 0},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        int64_t value = 77;
        assert_int_equal(fault_of(pw_str_of(cases[i].text)), PW_JSON_FINE);
        int err = pw_json_fixed(nodes, cases[i].decimals, &value);
        if (err != cases[i].err || value != (err == PW_OK ? cases[i].value : 77)) {
            print_error("%s with %u decimals: %d, %lld\n", cases[i].text, cases[i].decimals, err,
                        (long long)value);
            fail();
        }
    }
}

static void whole_numbers_have_a_range(void **state)
{
    int64_t value = 77;
    (void)state;
    assert_int_equal(fault_of(PW_STR("5")), PW_JSON_FINE);
    assert_int_equal(pw_json_int(nodes, 5, 5, &value), PW_OK);
    assert_int_equal(value, 5);
    assert_int_equal(pw_json_int(nodes, 6, 9, &value), PW_ERR_RANGE);
    assert_int_equal(pw_json_int(nodes, 0, 4, &value), PW_ERR_RANGE);
    assert_int_equal(pw_json_int(NULL, 0, 4, &value), PW_ERR_UNKNOWN);
    assert_int_equal(value, 5);
}

// --- Looking.

static void members_and_elements_are_found(void **state)
{
    bool flag = false;
    (void)state;
    assert_int_equal(fault_of(PW_STR("{\"a\":[1,[2,3],{\"x\":4}],\"b\":true,\"\":null}")),
                     PW_JSON_FINE);
    const struct pw_json_node *list = pw_json_member(nodes, "a");
    assert_true(pw_json_is(list, PW_JSON_ARRAY));
    assert_int_equal(pw_json_count(list), 3);
    assert_int_equal(pw_json_count(nodes), 3);
    assert_int_equal(pw_json_bool(pw_json_member(nodes, "b"), &flag), PW_OK);
    assert_true(flag);
    assert_true(pw_json_is(pw_json_member(nodes, ""), PW_JSON_NULL));
    assert_null(pw_json_member(nodes, "x")); // not of this object
    assert_null(pw_json_member(list, "x"));
    assert_null(pw_json_member(NULL, "x"));
    struct pw_json_iter iter = pw_json_each(nodes);
    assert_ptr_equal(pw_json_next(&iter), list);
    assert_true(pw_str_is(iter.key, "a"));
    assert_non_null(pw_json_next(&iter));
    assert_true(pw_str_is(iter.key, "b"));
    assert_non_null(pw_json_next(&iter));
    assert_null(pw_json_next(&iter));
    assert_null(pw_json_next(&iter));
    assert_int_equal(pw_json_bool(list, &flag), PW_ERR_PEER);
    assert_int_equal(pw_json_count(NULL), 0);
}

static void heads_are_cut_between_characters(void **state)
{
    struct pw_str text = PW_STR("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x94\x8Cz");
    static const size_t bytes[] = {0, 1, 3, 6, 10, 11, 11};
    (void)state;
    for (size_t chars = 0; chars < PW_COUNT(bytes); chars++) {
        assert_int_equal(pw_json_head(text, chars).len, bytes[chars]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts_are_taken),
        cmocka_unit_test(invalid_texts_are_refused_for_their_reason),
        cmocka_unit_test(the_same_key_in_two_objects_is_no_duplicate),
        cmocka_unit_test(only_shortest_form_utf8_is_text),
        cmocka_unit_test(each_byte_at_each_place_of_a_string),
        cmocka_unit_test(escapes_become_plain_text),
        cmocka_unit_test(a_text_with_a_zero_character_has_no_terminated_copy),
        cmocka_unit_test(nesting_ends_at_sixteen),
        cmocka_unit_test(a_depth_bomb_is_refused_at_once),
        cmocka_unit_test(the_node_array_is_the_limit_and_half_the_text_is_enough),
        cmocka_unit_test(sixty_four_kilobytes_are_read_and_no_more_nodes_than_allowed),
        cmocka_unit_test(an_object_has_a_bound_of_members),
        cmocka_unit_test(the_spare_room_is_a_limit_only_for_escaped_texts),
        cmocka_unit_test(the_fault_is_where_the_text_goes_wrong),
        cmocka_unit_test(numbers_are_exact_decimals),
        cmocka_unit_test(whole_numbers_have_a_range),
        cmocka_unit_test(members_and_elements_are_found),
        cmocka_unit_test(heads_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

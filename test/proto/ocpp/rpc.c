// Frames as they come over the wire, and the story of calls and answers.
#include "ocpp/ocpp.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { NODES = 16384, FRAME_MAX = 1 << 17 };

static struct pw_json_node nodes[NODES];
static char spare[FRAME_MAX];
static struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = FRAME_MAX};
static struct pw_ocpp_frame frame;
static struct pw_ocpp_fault fault;

static int read_frame(const char *text)
{
    return pw_ocpp_frame_read(&json, pw_str_of(text), &frame, &fault);
}

static void the_three_kinds_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_frame("[2,\"19223201\",\"Reset\",{\"type\":\"Hard\"}]"), PW_OK);
    assert_int_equal(frame.kind, PW_OCPP_CALL);
    assert_true(pw_str_is(frame.id, "19223201"));
    assert_true(pw_str_is(frame.action, "Reset"));
    assert_non_null(pw_json_member(frame.payload, "type"));

    assert_int_equal(read_frame(" [ 3 , \"19223201\" , { } ] "), PW_OK);
    assert_int_equal(frame.kind, PW_OCPP_RESULT);
    assert_true(pw_str_is(frame.id, "19223201"));
    assert_non_null(frame.payload);

    // The example of erratum J 3.9.
    assert_int_equal(
        read_frame("[4,\"162376037\",\"NotSupported\",\"SendLocalList.req not implemented\",{}]"),
        PW_OK);
    assert_int_equal(frame.kind, PW_OCPP_ERROR);
    assert_int_equal(frame.error, PW_OCPP_NOT_SUPPORTED);
    assert_true(pw_str_is(frame.error_word, "NotSupported"));
    assert_true(pw_str_is(frame.description, "SendLocalList.req not implemented"));
}

static void a_payload_of_null_is_none(void **state)
{
    (void)state;
    assert_int_equal(read_frame("[2,\"1\",\"Heartbeat\",null]"), PW_OK);
    assert_null(frame.payload);
    assert_int_equal(read_frame("[3,\"1\",null]"), PW_OK);
    assert_null(frame.payload);
}

// What is wrong with a CALL is told to its sender, as far as its id can be read.
static void a_bad_call_can_be_answered(void **state)
{
    static const struct {
        const char *text;
        enum pw_ocpp_error code;
        const char *id;
    } cases[] = {
        {"[2,\"a\",\"Reset\"]", PW_OCPP_PROTOCOL_ERROR, "a"},
        {"[2,\"a\"]", PW_OCPP_PROTOCOL_ERROR, "a"},
        {"[2,\"a\"", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",{},{}]", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",7,{}]", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",[]]", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",\"x\"]", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",{\"type\":\"Hard\"", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",{\"type\":\"Hard\",\"type\":\"Soft\"}]", PW_OCPP_FORMATION_VIOLATION,
         "a"},
        {"[2,\"a\",\"Reset\",{\"type\":\"\xC3\"}]", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",{}] x", PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"a\",\"Reset\",[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]",
         PW_OCPP_FORMATION_VIOLATION, "a"},
        {"[2,\"1234567890123456789012345678901234567\",\"Reset\",{}]", PW_OCPP_FORMATION_VIOLATION,
         "1234567890123456789012345678901234567"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        int err = read_frame(cases[i].text);
        if (err != PW_ERR_PEER || fault.code != cases[i].code ||
            !pw_str_is(frame.id, cases[i].id) || frame.kind != PW_OCPP_CALL) {
            print_error("%s: %d, code %d, %s\n", cases[i].text, err, (int)fault.code, fault.text);
            fail();
        }
        assert_true(fault.text[0] != '\0');
    }
}

static void what_has_no_sender_to_answer_is_only_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "x",
        "{}",
        "[]",
        "7",
        "[2]",
        "[2,7,\"Reset\",{}]",
        "[2,\"\",\"Reset\",{}]",
        "[\"2\",\"a\",\"Reset\",{}]",
        "[2,\"a",

        "[3,\"a\"]",
        "[3,\"a\",{},1]",
        "[3,\"a\",[]]",
        "[3,\"a\",{\"b\":",
        "[4,\"a\"]",
        "[4,\"a\",7,\"\",{}]",
        "[2.5,\"a\",\"b\",{}]",
        "{\"0\":2,\"1\":\"a\"}",
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(texts); i++) {
        int err = read_frame(texts[i]);
        if (err != PW_ERR_PEER || frame.id.len != 0) {
            print_error("%s: %d, id %.*s\n", texts[i], err, (int)frame.id.len, frame.id.at);
            fail();
        }
    }
}

// §4.1.3: a type not in the list is ignored.
static void an_unknown_message_type_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(read_frame("[1,\"a\",\"b\",{}]"), PW_ERR_UNKNOWN);
    assert_int_equal(read_frame("[5,\"a\",\"b\",{}]"), PW_ERR_UNKNOWN);
    assert_int_equal(read_frame("[-2,\"a\"]"), PW_ERR_UNKNOWN);
}

// Our call must not hang until its time-out because an error came without all its parts.
static void a_short_error_still_ends_the_call(void **state)
{
    (void)state;
    assert_int_equal(read_frame("[4,\"a\",\"OccurrenceConstraintViolation\"]"), PW_OK);
    assert_int_equal(frame.error, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION);
    assert_int_equal(frame.description.len, 0);
    assert_int_equal(read_frame("[4,\"a\",\"Whatever\",null,{}]"), PW_OK);
    assert_int_equal(frame.error, PW_OCPP_GENERIC_ERROR);
    assert_int_equal(read_frame("[4,\"a\",\"FormatViolation\",\"x\"]"), PW_OK);
    assert_int_equal(frame.error, PW_OCPP_FORMATION_VIOLATION);
}

static void every_error_code_has_its_word(void **state)
{
    static const char *const words[] = {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
    };
    (void)state;
    for (int i = 0; i < (int)PW_COUNT(words); i++) {
        assert_true(pw_str_is(pw_ocpp_error_text((enum pw_ocpp_error)i), words[i]));
        assert_int_equal(pw_ocpp_error_find(pw_str_of(words[i])), i);
    }
}

static void frames_are_printed(void **state)
{
    char text[256];
    struct pw_ocpp16_reset_req req = {.type = PW_OCPP16_RESET_SOFT};
    struct pw_ocpp16_reset_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    (void)state;
    struct pw_out out = PW_OUT(text);
    pw_ocpp16_put_call(&out, PW_STR("7"), PW_OCPP16_RESET, &req);
    assert_string_equal(text, "[2,\"7\",\"Reset\",{\"type\":\"Soft\"}]");
    out = PW_OUT(text);
    pw_ocpp16_put_call(&out, PW_STR("7"), PW_OCPP16_HEARTBEAT, NULL);
    assert_string_equal(text, "[2,\"7\",\"Heartbeat\",{}]");
    out = PW_OUT(text);
    pw_ocpp16_put_result(&out, PW_STR("7"), PW_OCPP16_RESET, &conf);
    assert_string_equal(text, "[3,\"7\",{\"status\":\"Rejected\"}]");
    out = PW_OUT(text);
    pw_ocpp_put_call_raw(&out, PW_STR("7"), PW_STR("Reset"), PW_STR("{\"type\":\"Hard\"}"));
    assert_string_equal(text, "[2,\"7\",\"Reset\",{\"type\":\"Hard\"}]");
    out = PW_OUT(text);
    pw_ocpp_put_result_raw(&out, PW_STR("7"), PW_STR("{}"));
    assert_string_equal(text, "[3,\"7\",{}]");
    out = PW_OUT(text);
    pw_ocpp_put_error(&out, PW_STR("7"), PW_OCPP_FORMATION_VIOLATION, PW_STR("\"x\" is no field"));
    assert_string_equal(text, "[4,\"7\",\"FormationViolation\",\"\\\"x\\\" is no field\",{}]");
    out = (struct pw_out){.at = text, .cap = 10};
    pw_ocpp16_put_call(&out, PW_STR("7"), PW_OCPP16_RESET, &req);
    assert_int_equal(pw_out_err(&out), PW_ERR_LIMIT);
}

// Both for the description we send and the one we get: 255 characters, none of them cut in two.
static void a_description_ends_on_a_character(void **state)
{
    char wide[3 * 300 + 1];
    char text[2048];
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        memcpy(wide + 3 * i, "\xE2\x82\xAC", 3);
    }
    for (size_t chars = 254; chars <= 256; chars++) {
        struct pw_out out = PW_OUT(text);
        size_t kept = chars <= 255 ? chars : 255;
        struct pw_str description = {.at = wide, .len = 3 * chars};
        pw_ocpp_put_error(&out, PW_STR("1"), PW_OCPP_GENERIC_ERROR, description);
        assert_int_equal(read_frame(text), PW_OK);
        assert_int_equal(pw_json_chars(frame.description), kept);
        out = PW_OUT(text);
        pw_put_s(&out, "[4,\"1\",\"GenericError\",\"");
        pw_put(&out, description);
        pw_put_s(&out, "\",{}]");
        assert_int_equal(read_frame(text), PW_OK);
        assert_int_equal(pw_json_chars(frame.description), kept);
        assert_int_equal(frame.description.len, 3 * kept);
    }
}

static void an_id_has_36_characters_not_bytes(void **state)
{
    char text[256];
    (void)state;
    for (size_t chars = 35; chars <= 37; chars++) {
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "[2,\"");
        for (size_t i = 0; i < chars; i++) {
            pw_put_s(&out, "\xC3\xBC");
        }
        pw_put_s(&out, "\",\"Heartbeat\",{}]");
        assert_int_equal(read_frame(text), chars <= 36 ? PW_OK : PW_ERR_PEER);
        struct pw_ocpp_rpc rpc;
        pw_ocpp_rpc_init(&rpc, 1);
        assert_int_equal(pw_ocpp_rpc_serve(&rpc, frame.id), PW_OK);
    }
}

// A local list of 64 kB: read with room enough; with too little the sender learns it was us.
static void sixty_four_kilobyte_frames(void **state)
{
    static char text[FRAME_MAX];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer writer = PW_JSON_WRITER(&out);
    struct pw_ocpp16_send_local_list_req req;
    (void)state;
    pw_put_s(&out, "[2,\"big\",\"SendLocalList\",{\"listVersion\":1,\"updateType\":\"Full\","
                   "\"localAuthorizationList\":[");
    unsigned entries = 0;
    while (out.len < 65536 - 64) {
        pw_json_open(&writer, '{');
        pw_json_key(&writer, "idTag");
        pw_put_c(&out, '"');
        pw_put_places(&out, entries++, 0, 0);
        pw_put_c(&out, '"');
        writer.comma = true;
        pw_json_say_raw(&writer, "idTagInfo", PW_STR("{\"status\":\"Accepted\"}"));
        pw_json_close(&writer, '}');
    }
    pw_put_s(&out, "]}]");
    assert_int_equal(read_frame(text), PW_OK);
    assert_int_equal(pw_ocpp_decode(&pw_ocpp16_send_local_list_req, frame.payload, 0, &req, &fault),
                     PW_OK);
    assert_int_equal(req.local_authorization_list.count, entries);
    assert_true(entries > 1000);

    struct pw_json small = {.node = nodes, .cap = 1000};
    assert_int_equal(pw_ocpp_frame_read(&small, pw_out_str(&out), &frame, &fault), PW_ERR_LIMIT);
    assert_int_equal(fault.code, PW_OCPP_INTERNAL_ERROR);
    assert_true(pw_str_is(frame.id, "big"));
}

// Frames cut anywhere are refused, and a CALL's id is known once it is whole.
static void a_frame_cut_at_any_byte(void **state)
{
    static const char whole[] =
        "[2,\"id7\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
        "\"2026-01-01T00:00:00Z\",\"sampledValue\":[{\"value\":\"1\\u20ac\"}]}]}]";
    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        // An exact copy: the sanitizer sees the first byte read past the end.
        char *cut = malloc(len > 0 ? len : 1);
        assert_non_null(cut);
        memcpy(cut, whole, len);
        struct pw_str text = {.at = cut, .len = len};
        assert_int_equal(pw_ocpp_frame_read(&json, text, &frame, &fault), PW_ERR_PEER);
        assert_true(len < 8 ? frame.id.len == 0 : pw_str_is(frame.id, "id7"));
        free(cut);
    }
    assert_int_equal(read_frame(whole), PW_OK);
}

// --- The exchange.

static struct pw_str keep(char to[PW_OCPP_ID_MAX + 1], struct pw_str id)
{
    assert_int_equal(pw_str_copy(to, PW_OCPP_ID_MAX + 1, id), PW_OK);
    return pw_str_of(to);
}

static void one_call_is_open_at_a_time(void **state)
{
    struct pw_ocpp_rpc rpc;
    (void)state;
    pw_ocpp_rpc_init(&rpc, UINT64_MAX);
    assert_true(rpc.deadline == PW_NEVER);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, PW_OCPP16_HEARTBEAT, 30000, 1000), PW_OK);
    assert_true(rpc.deadline == 31000);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, PW_OCPP16_AUTHORIZE, 30000, 1001), PW_ERR_BUSY);
    assert_int_equal(rpc.action, PW_OCPP16_HEARTBEAT);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, pw_ocpp_rpc_id(&rpc)), PW_OCPP_ANSWER_MATCHED);
    assert_true(rpc.deadline == PW_NEVER);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, PW_OCPP16_AUTHORIZE, 30000, 1002), PW_OK);
}

// Erratum J 3.1: never the same id twice, also after a restart with another nonce.
static void ids_differ_and_fit(void **state)
{
    struct pw_ocpp_rpc rpc;
    char first[PW_OCPP_ID_MAX + 1];
    (void)state;
    pw_ocpp_rpc_init(&rpc, 5);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 1, 0), PW_OK);
    struct pw_str old = keep(first, pw_ocpp_rpc_id(&rpc));
    assert_true(pw_ocpp_rpc_drop(&rpc));
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 1, 0), PW_OK);
    assert_false(pw_str_eq(old, pw_ocpp_rpc_id(&rpc)));
    pw_ocpp_rpc_init(&rpc, 6);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 1, 0), PW_OK);
    assert_false(pw_str_eq(old, pw_ocpp_rpc_id(&rpc)));
    pw_ocpp_rpc_init(&rpc, UINT64_MAX);
    rpc.next = UINT32_MAX;
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 1, 0), PW_OK);
    assert_true(pw_ocpp_rpc_id(&rpc).len <= PW_OCPP_ID_MAX);
}

// The answer to a call given up must not be taken for the one to the call now open.
static void a_late_answer_leaves_the_open_call_alone(void **state)
{
    struct pw_ocpp_rpc rpc;
    char first[PW_OCPP_ID_MAX + 1];
    (void)state;
    pw_ocpp_rpc_init(&rpc, 5);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, PW_OCPP16_START_TRANSACTION, 30000, 0), PW_OK);
    struct pw_str late = keep(first, pw_ocpp_rpc_id(&rpc));
    assert_false(pw_ocpp_rpc_timed_out(&rpc, 29999));
    assert_true(pw_ocpp_rpc_timed_out(&rpc, 30000));
    assert_false(pw_ocpp_rpc_timed_out(&rpc, 30001));
    assert_int_equal(pw_ocpp_rpc_call(&rpc, PW_OCPP16_METER_VALUES, 30000, 30001), PW_OK);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, late), PW_OCPP_ANSWER_LATE);
    assert_true(rpc.open);
    assert_int_equal(rpc.late, 1);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, pw_ocpp_rpc_id(&rpc)), PW_OCPP_ANSWER_MATCHED);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, late), PW_OCPP_ANSWER_LATE);
}

static void a_second_answer_is_a_duplicate_and_a_strange_one_unknown(void **state)
{
    struct pw_ocpp_rpc rpc;
    char first[PW_OCPP_ID_MAX + 1];
    (void)state;
    pw_ocpp_rpc_init(&rpc, 5);
    // Before anything was asked, the empty slots match nothing.
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, PW_STR("")), PW_OCPP_ANSWER_UNKNOWN);
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 30000, 0), PW_OK);
    struct pw_str id = keep(first, pw_ocpp_rpc_id(&rpc));
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, PW_STR("stranger")), PW_OCPP_ANSWER_UNKNOWN);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, id), PW_OCPP_ANSWER_MATCHED);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, id), PW_OCPP_ANSWER_DUPLICATE);
    assert_int_equal(rpc.duplicate, 1);
    assert_int_equal(rpc.unknown, 2);
    // What lies further back than the memory is unknown.
    for (int i = 0; i < PW_OCPP_RECENT_MAX; i++) {
        assert_int_equal(pw_ocpp_rpc_answer(&rpc, id), PW_OCPP_ANSWER_DUPLICATE);
        assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, 30000, 0), PW_OK);
        assert_int_equal(pw_ocpp_rpc_answer(&rpc, pw_ocpp_rpc_id(&rpc)), PW_OCPP_ANSWER_MATCHED);
    }
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, id), PW_OCPP_ANSWER_UNKNOWN);
    assert_string_equal(pw_ocpp_answer_name(PW_OCPP_ANSWER_UNKNOWN), "unknown");
}

static void a_lost_connection_closes_both_directions(void **state)
{
    struct pw_ocpp_rpc rpc;
    char first[PW_OCPP_ID_MAX + 1];
    (void)state;
    pw_ocpp_rpc_init(&rpc, 5);
    assert_false(pw_ocpp_rpc_drop(&rpc));
    assert_int_equal(pw_ocpp_rpc_call(&rpc, 0, PW_NEVER, 0), PW_OK);
    assert_false(pw_ocpp_rpc_timed_out(&rpc, PW_NEVER - 1));
    struct pw_str id = keep(first, pw_ocpp_rpc_id(&rpc));
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("x")), PW_OK);
    assert_true(pw_ocpp_rpc_drop(&rpc));
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("y")), PW_OK);
    assert_int_equal(pw_ocpp_rpc_answer(&rpc, id), PW_OCPP_ANSWER_LATE);
}

static void their_calls_are_served_one_at_a_time(void **state)
{
    struct pw_ocpp_rpc rpc;
    char long_id[PW_OCPP_ID_BYTES + 2];
    (void)state;
    memset(long_id, 'x', sizeof(long_id));
    pw_ocpp_rpc_init(&rpc, 5);
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("x")), PW_OK);
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("x")), PW_ERR_PEER);
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("y")), PW_ERR_BUSY);
    pw_ocpp_rpc_served(&rpc);
    assert_int_equal(pw_ocpp_rpc_serve(&rpc, PW_STR("y")), PW_OK);
    pw_ocpp_rpc_served(&rpc);
    assert_int_equal(
        pw_ocpp_rpc_serve(&rpc, (struct pw_str){.at = long_id, .len = PW_OCPP_ID_BYTES + 1}),
        PW_ERR_RANGE);
    assert_false(rpc.serving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_kinds_are_read),
        cmocka_unit_test(a_payload_of_null_is_none),
        cmocka_unit_test(a_bad_call_can_be_answered),
        cmocka_unit_test(what_has_no_sender_to_answer_is_only_refused),
        cmocka_unit_test(an_unknown_message_type_is_told_apart),
        cmocka_unit_test(a_short_error_still_ends_the_call),
        cmocka_unit_test(every_error_code_has_its_word),
        cmocka_unit_test(frames_are_printed),
        cmocka_unit_test(a_description_ends_on_a_character),
        cmocka_unit_test(an_id_has_36_characters_not_bytes),
        cmocka_unit_test(sixty_four_kilobyte_frames),
        cmocka_unit_test(a_frame_cut_at_any_byte),
        cmocka_unit_test(one_call_is_open_at_a_time),
        cmocka_unit_test(ids_differ_and_fit),
        cmocka_unit_test(a_late_answer_leaves_the_open_call_alone),
        cmocka_unit_test(a_second_answer_is_a_duplicate_and_a_strange_one_unknown),
        cmocka_unit_test(a_lost_connection_closes_both_directions),
        cmocka_unit_test(their_calls_are_served_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

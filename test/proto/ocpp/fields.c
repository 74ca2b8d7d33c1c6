// Every field of every message, at its limits and past them: what is right is taken, what is wrong
// is refused with the CALLERROR code its mistake has and with the field's name.
#include "sample.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 18, NODES = 4096 };

static char text[TEXT_MAX];
static char spare[TEXT_MAX];
static struct pw_json_node nodes[NODES];
static uint64_t decoded[256];

static int read_and_decode(const struct pw_ocpp_object *object, struct pw_str json_text,
                           unsigned policy, struct pw_ocpp_fault *fault)
{
    struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = TEXT_MAX};
    if (pw_json_read(&json, json_text) != PW_OK) {
        // The frame reader answers so for the whole frame.
        fault->code = PW_OCPP_FORMATION_VIOLATION;
        fault->text[0] = '\0';
        return PW_ERR_PEER;
    }
    assert_true(object->size <= sizeof(decoded));
    return pw_ocpp_decode(object, json.node, policy, decoded, fault);
}

static bool names_field(const struct pw_ocpp_fault *fault, const struct pw_ocpp_row *row)
{
    return strstr(fault->text, row->key) != NULL;
}

// Spoils one field in one way; returns whether the case applied.
static bool try_one(struct pw_str action, const struct pw_ocpp_object *object,
                    struct sample *sample, unsigned policy)
{
    struct pw_ocpp_fault fault = {.code = PW_OCPP_GENERIC_ERROR};
    enum pw_ocpp_error code = PW_OCPP_GENERIC_ERROR;
    struct pw_out out = PW_OUT(text);
    // First to learn which row the target is, to know whether this mistake applies to it.
    struct sample probe = *sample;
    probe.spoil = SPOIL_MISSING;
    sample_write(&probe, object, &out);
    assert_non_null(probe.row);
    int expected = sample_expect(probe.row, sample->spoil, policy, &code);
    if (expected == PW_ERR_UNKNOWN) {
        return false;
    }
    out = PW_OUT(text);
    sample_write(sample, object, &out);
    assert_int_equal(pw_out_err(&out), PW_OK);
    int got = read_and_decode(object, pw_out_str(&out), policy, &fault);
    bool named = got == PW_OK || sample->spoil == SPOIL_TWICE || sample->spoil == SPOIL_EXTRA ||
                 names_field(&fault, probe.row);
    if (got != expected || (got != PW_OK && fault.code != code) || !named) {
        print_error("%.*s, field %s, spoil %d, policy %u, seed %u:\n%.300s\nexpected %d code %d, "
                    "got %d code %d \"%s\"\n",
                    (int)action.len, action.at, probe.row->key, (int)sample->spoil, policy,
                    (unsigned)sample->seed, text, expected, (int)code, got, (int)fault.code,
                    fault.text);
        fail();
    }
    return true;
}

static uint32_t count_fields(const struct pw_ocpp_object *object)
{
    struct sample sample = {.seed = 1, .presence = PRESENT_ALL, .target = UINT32_MAX};
    struct pw_out out = PW_OUT(text);
    sample_write(&sample, object, &out);
    return sample.fields;
}

static unsigned spoil_every_field(struct pw_str action, const struct pw_ocpp_object *object)
{
    static const unsigned policies[] = {
        0,
        PW_OCPP_REFUSE_UNKNOWN_KEYS,
        PW_OCPP_KEEP_UNKNOWN_CODES | PW_OCPP_NULL_IS_ABSENT,
    };
    unsigned tried = 0;
    for (uint32_t field = 0; field < count_fields(object); field++) {
        for (int spoil = SPOIL_NOTHING + 1; spoil < SPOIL_COUNT; spoil++) {
            for (size_t policy = 0; policy < PW_COUNT(policies); policy++) {
                struct sample sample = {
                    .seed = field + 1,
                    .presence = PRESENT_ALL,
                    .target = field,
                    .spoil = (enum spoil)spoil,
                };
                tried += try_one(action, object, &sample, policies[policy]) ? 1 : 0;
            }
        }
    }
    return tried;
}

static void each_field_of_each_message_at_its_limits(void **state)
{
    unsigned tried = 0;
    (void)state;
    for (int action = 0; action < PW_OCPP16_ACTION_COUNT; action++) {
        struct pw_str name = pw_ocpp16_action_name((enum pw_ocpp16_action)action);
        tried += spoil_every_field(name, pw_ocpp16_actions[action].req);
        tried += spoil_every_field(name, pw_ocpp16_actions[action].conf);
    }
    print_message("%u cases\n", tried);
    assert_true(tried > 5000);
}

// Whatever the rows allow can be received and sent again without a byte changing.
static void random_messages_survive_decode_and_encode(void **state)
{
    static uint64_t room_bytes[1 << 15];
    static char again[TEXT_MAX];
    (void)state;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        for (int i = 0; i < 2 * PW_OCPP16_ACTION_COUNT; i++) {
            const struct pw_ocpp16_action_row *action = &pw_ocpp16_actions[i / 2];
            const struct pw_ocpp_object *object = i % 2 == 0 ? action->req : action->conf;
            struct sample sample = {.seed = seed * 1000 + (uint32_t)i, .presence = PRESENT_RANDOM};
            struct pw_ocpp_fault fault = {.text = ""};
            struct room room = {.at = (unsigned char *)room_bytes, .cap = sizeof(room_bytes)};
            struct pw_out out = PW_OUT(text);
            struct pw_out out_again = PW_OUT(again);
            sample_write(&sample, object, &out);
            int err =
                read_and_decode(object, pw_out_str(&out), PW_OCPP_REFUSE_UNKNOWN_KEYS, &fault);
            if (err != PW_OK) {
                print_error("seed %u, message %d: %s\n%s\n", seed, i, fault.text, text);
            }
            assert_int_equal(err, PW_OK);
            assert_int_equal(sample_own_lists(object, decoded, &room), PW_OK);
            pw_ocpp_encode(object, decoded, &out_again);
            if (strcmp(text, again) != 0) {
                print_error("seed %u, message %d\n", seed, i);
            }
            assert_string_equal(again, text);
        }
    }
}

// Stations write empty payloads both ways (OCPP-J 1.6 §4.2.1).
static void null_counts_as_an_empty_payload(void **state)
{
    struct pw_ocpp_fault fault = {.text = ""};
    (void)state;
    assert_int_equal(read_and_decode(&pw_ocpp16_heartbeat_req, PW_STR("null"), 0, &fault), PW_OK);
    assert_int_equal(pw_ocpp_decode(&pw_ocpp16_heartbeat_req, NULL, 0, decoded, &fault), PW_OK);
    assert_int_equal(pw_ocpp_decode(&pw_ocpp16_reset_req, NULL, 0, decoded, &fault), PW_ERR_PEER);
    assert_int_equal(fault.code, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION);
    assert_string_equal(fault.text, "type: is required, but not there");
}

static void a_payload_that_is_no_object_is_a_formation_violation(void **state)
{
    static const char *const payloads[] = {"[]", "7", "\"Hard\"", "true"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(payloads); i++) {
        struct pw_ocpp_fault fault = {.text = ""};
        assert_int_equal(read_and_decode(&pw_ocpp16_reset_req, pw_str_of(payloads[i]), 0, &fault),
                         PW_ERR_PEER);
        assert_int_equal(fault.code, PW_OCPP_FORMATION_VIOLATION);
    }
}

// The person who reads the log must see where in a long message the mistake is.
static void a_fault_names_the_path_the_value_and_the_bound(void **state)
{
    struct pw_ocpp_fault fault = {.text = ""};
    (void)state;
    assert_int_equal(
        read_and_decode(
            &pw_ocpp16_meter_values_req,
            PW_STR("{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-01-01T00:00:00Z\","
                   "\"sampledValue\":[{\"value\":\"1\"},{\"value\":\"2\",\"unit\":"
                   "\"Furlong\"}]}]}"),
            0, &fault),
        PW_ERR_PEER);
    assert_string_equal(fault.text,
                        "meterValue[0].sampledValue[1].unit: \"Furlong\" is none of Wh, W, V, A, "
                        "Percent, Celcius, kWh, varh, kvarh, kW, VA, kVA, var, kvar, K, Celsius, "
                        "Fahrenheit");
    assert_int_equal(read_and_decode(&pw_ocpp16_authorize_req,
                                     PW_STR("{\"idTag\":\"123456789012345678901\"}"), 0, &fault),
                     PW_ERR_PEER);
    assert_string_equal(fault.text,
                        "idTag: \"123456789012345678901\" has 21 characters, at most 20");
    assert_int_equal(
        read_and_decode(&pw_ocpp16_unlock_connector_req, PW_STR("{\"connectorId\":0}"), 0, &fault),
        PW_ERR_PEER);
    assert_string_equal(fault.text, "connectorId: 0 is out of 1..2147483647");
    assert_int_equal(
        read_and_decode(&pw_ocpp16_authorize_conf,
                        PW_STR("{\"idTagInfo\":{\"status\":\"Accepted\",\"colour\":1}}"),
                        PW_OCPP_REFUSE_UNKNOWN_KEYS, &fault),
        PW_ERR_PEER);
    assert_string_equal(fault.text, "idTagInfo.colour: is no field here");
}

// Stations in the field send "Ah" and own measurands (facts/central.md): the central keeps them.
static void an_unknown_unit_is_kept_as_text_if_wanted(void **state)
{
    struct pw_str message =
        PW_STR("{\"connectorId\":1,\"meterValue\":[{\"timestamp\":\"2026-01-01T00:00:00Z\","
               "\"sampledValue\":[{\"value\":\"22.3\",\"measurand\":\"Battery\",\"unit\":\"Ah\"},"
               "{\"value\":\"5\",\"measurand\":\"Voltage\",\"unit\":\"V\"}]}]}");
    struct pw_ocpp_fault fault = {.text = ""};
    struct pw_ocpp16_meter_values_req req;
    struct pw_ocpp16_meter_value meter_value;
    struct pw_ocpp16_sampled_value sample;
    struct pw_json json = {.node = nodes, .cap = NODES};
    (void)state;
    assert_int_equal(pw_json_read(&json, message), PW_OK);
    assert_int_equal(pw_ocpp_decode(&pw_ocpp16_meter_values_req, nodes, 0, &req, &fault),
                     PW_ERR_PEER);
    assert_int_equal(pw_ocpp_decode(&pw_ocpp16_meter_values_req, nodes, PW_OCPP_KEEP_UNKNOWN_CODES,
                                    &req, &fault),
                     PW_OK);
    struct pw_ocpp_iter meter_values = pw_ocpp_each(&req.meter_value);
    assert_true(pw_ocpp_next(&meter_values, &meter_value, sizeof(meter_value)));
    struct pw_ocpp_iter samples = pw_ocpp_each(&meter_value.sampled_value);
    assert_true(pw_ocpp_next(&samples, &sample, sizeof(sample)));
    assert_int_equal(sample.measurand.code, PW_OCPP_OTHER);
    assert_true(pw_str_is(sample.measurand.text, "Battery"));
    assert_int_equal(sample.unit.code, PW_OCPP_OTHER);
    assert_true(pw_str_is(sample.unit.text, "Ah"));
    assert_true(pw_ocpp_next(&samples, &sample, sizeof(sample)));
    assert_int_equal(sample.measurand.code, PW_OCPP16_MEASURAND_VOLTAGE);
    assert_true(pw_str_is(sample.measurand.text, "Voltage"));
    assert_false(pw_ocpp_next(&samples, &sample, sizeof(sample)));
    assert_false(pw_ocpp_next(&meter_values, &meter_value, sizeof(meter_value)));
}

static void every_action_is_found_by_its_name(void **state)
{
    (void)state;
    assert_int_equal(PW_OCPP16_ACTION_COUNT, 28 + 11);
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        struct pw_str name = pw_ocpp16_action_name((enum pw_ocpp16_action)i);
        assert_int_equal(pw_ocpp16_action_find(name), i);
    }
    assert_int_equal(pw_ocpp16_action_find(PW_STR("heartbeat")), PW_ERR_UNKNOWN);
    assert_int_equal(pw_ocpp16_action_find(PW_STR("Heartbea")), PW_ERR_UNKNOWN);
    assert_int_equal(pw_ocpp16_action_find(PW_STR("")), PW_ERR_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_each_message_at_its_limits),
        cmocka_unit_test(random_messages_survive_decode_and_encode),
        cmocka_unit_test(null_counts_as_an_empty_payload),
        cmocka_unit_test(a_payload_that_is_no_object_is_a_formation_violation),
        cmocka_unit_test(a_fault_names_the_path_the_value_and_the_bound),
        cmocka_unit_test(an_unknown_unit_is_kept_as_text_if_wanted),
        cmocka_unit_test(every_action_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

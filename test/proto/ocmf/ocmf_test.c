#include "ocmf/ocmf.h"
#include "test.h"

#include <string.h>

static struct pw_ocmf ocmf;
static char why_text[200];

static int read_text(const char *text)
{
    struct pw_out why = PW_OUT(why_text);
    why_text[0] = '\0';
    return pw_ocmf_read(pw_str_of(text), &ocmf, &why);
}

#define TAIL "|{\"SA\":\"ECDSA-secp256r1-SHA256\",\"SD\":\"3006020101020102\"}"

// Reason: the simulated meter and the judge share this room; each side must be what the other
// expects, and "|" and quotes in a name must not break the sections.
static void what_is_written_is_read(void **state)
{
    (void)state;
    char payload[1000];
    char text[2000];
    static const uint8_t signature[] = {0x30, 0x03, 0x02, 0x01, 0xAB};
    const struct pw_ocmf_set set = {
        .vendor = "V",
        .model = "M",
        .serial = "S1",
        .firmware = "1",
        .user = "CARD \"7\"|x",
        .place = "ST 1",
        .page = 4294967295U,
        .transaction = 'E',
        .wall = 1767225599123,
        .offset_min = -90,
        .energy_mwh = 1234567890,
    };
    struct pw_out out = PW_OUT(payload);
    pw_ocmf_put_payload(&out, &set);
    struct pw_str signed_part = pw_out_str(&out);
    out = PW_OUT(text);
    pw_ocmf_put(&out, signed_part, PW_OCMF_ED25519, signature, sizeof(signature));
    assert_int_equal(read_text(text), PW_OK);
    assert_true(pw_str_eq(ocmf.payload, signed_part));
    assert_true(pw_str_is(ocmf.algorithm, PW_OCMF_ED25519));
    assert_true(ocmf.named);
    assert_int_equal(ocmf.signature_len, sizeof(signature));
    assert_memory_equal(ocmf.signature, signature, sizeof(signature));
    assert_string_equal(ocmf.serial, "S1");
    assert_string_equal(ocmf.user, "CARD \"7\"/x");
    assert_int_equal(ocmf.context, 'T');
    assert_int_equal(ocmf.page, 4294967295U);
    assert_int_equal(ocmf.readings, 1);
    assert_int_equal(ocmf.reading[0].at, set.wall);
    assert_int_equal(ocmf.reading[0].synchronised, 'S');
    assert_int_equal(ocmf.reading[0].transaction, 'E');
    assert_int_equal(ocmf.reading[0].status, 'G');
    assert_true(ocmf.reading[0].has_energy);
    assert_int_equal(ocmf.reading[0].energy_mwh, 1234568000); // three places of a kWh
    assert_string_equal(ocmf.reading[0].quantity, PW_OCMF_OBIS_ENERGY);
}

// Reason: what a reading has in common with the one before is left out (OCMF, "Readings"); begin
// and end of one data set are told apart by their letters, and other quantities do not count.
static void readings_inherit_and_make_a_difference(void **state)
{
    (void)state;
    int64_t energy = 0;
    assert_int_equal(
        read_text("OCMF|{\"PG\":\"T5\",\"GS\":\"G\",\"RD\":["
                  "{\"TM\":\"2018-07-24T13:22:04,000+0200 S\",\"TX\":\"B\",\"RV\":2935.600,"
                  "\"RI\":\"1-b:1.8.0\",\"RU\":\"kWh\",\"ST\":\"G\"},"
                  "{\"TX\":\"C\",\"RV\":2940},"
                  "{\"TM\":\"2018-07-24T13:26:04,000+0200 R\",\"TX\":\"L\",\"RV\":\"2965.100\"},"
                  "{\"TX\":\"E\",\"RV\":3,\"RI\":\"1-b:2.8.0\",\"RU\":\"Wh\"}]}" TAIL),
        PW_OK);
    assert_string_equal(ocmf.serial, "G");
    assert_int_equal(ocmf.readings, 4);
    assert_int_equal(ocmf.reading[1].at, ocmf.reading[0].at);
    assert_int_equal(ocmf.reading[2].at - ocmf.reading[0].at, 240000);
    assert_int_equal(ocmf.reading[2].synchronised, 'R');
    assert_int_equal(ocmf.reading[2].status, 'G');
    assert_int_equal(ocmf.reading[3].energy_mwh, 3000);
    assert_int_equal(pw_ocmf_energy(&ocmf, NULL, &energy), PW_OK);
    assert_int_equal(energy, 29500000);
}

// Reason: a register that went back, or a pair that is none, must not become a bill.
static void a_pair_that_is_none_has_no_energy(void **state)
{
    (void)state;
    static struct pw_ocmf begin;
    int64_t energy = 0;
    assert_int_equal(
        read_text("OCMF|{\"PG\":\"T1\",\"RD\":[{\"TM\":\"2026-01-01T00:00:00,000+0000 S\","
                  "\"TX\":\"B\",\"RV\":7,\"RI\":\"a\",\"RU\":\"kWh\",\"ST\":\"G\"}]}" TAIL),
        PW_OK);
    begin = ocmf;
    assert_int_equal(pw_ocmf_energy(&begin, NULL, &energy), PW_ERR_UNKNOWN);
    assert_int_equal(
        read_text("OCMF|{\"PG\":\"T2\",\"RD\":[{\"TM\":\"2026-01-01T00:00:00,000+0000 S\","
                  "\"TX\":\"E\",\"RV\":6,\"RI\":\"a\",\"RU\":\"kWh\",\"ST\":\"G\"}]}" TAIL),
        PW_OK);
    assert_int_equal(pw_ocmf_energy(&begin, &ocmf, &energy), PW_ERR_RANGE);
    assert_int_equal(pw_ocmf_energy(&ocmf, &begin, &energy), PW_ERR_UNKNOWN);
    ocmf.reading[0].quantity[0] = 'b';
    assert_int_equal(pw_ocmf_energy(&begin, &ocmf, &energy), PW_ERR_UNKNOWN);
}

// Reason: what cannot be verified is refused with what is wrong, before anybody looks at a number.
static void what_is_no_data_set_is_refused(void **state)
{
    (void)state;
#define RD "\"RD\":[{\"TM\":\"2026-01-01T00:00:00,000+0000 S\",\"RV\":1,\"RU\":\"kWh\"}]"
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "begin with OCMF"},
        {"EDL|{}" TAIL, "begin with OCMF"},
        {"OCMF|{\"PG\":\"T1\"," RD "}", "three sections"},
        {"OCMF|{\"PG\":\"T1\"," RD "}" TAIL "|{}", "three sections"},
        {"OCMF|[1]" TAIL, "no JSON object"},
        {"OCMF|{\"PG\":\"T1\"," RD TAIL, "no JSON"},
        {"OCMF|{" RD "}" TAIL, "PG"},
        {"OCMF|{\"PG\":\"X1\"," RD "}" TAIL, "PG"},
        {"OCMF|{\"PG\":\"T-1\"," RD "}" TAIL, "PG"},
        {"OCMF|{\"PG\":\"T1\"}" TAIL, "no reading"},
        {"OCMF|{\"PG\":\"T1\",\"RD\":[]}" TAIL, "no reading"},
        {"OCMF|{\"PG\":\"T1\",\"RD\":[{\"RV\":1}]}" TAIL, "no TM"},
        {"OCMF|{\"PG\":\"T1\",\"RD\":[{\"TM\":\"yesterday S\"}]}" TAIL, "no time"},
        {"OCMF|{\"PG\":\"T1\",\"RD\":[{\"TM\":\"2026-01-01T00:00:00,000+0000 "
         "S\",\"TX\":\"BE\"}]}" TAIL,
         "one letter"},
        {"OCMF|{\"PG\":\"T1\",\"RD\":[{\"TM\":\"2026-01-01T00:00:00,000+0000 S\",\"RV\":true,"
         "\"RU\":\"Wh\"}]}" TAIL,
         "RV"},
        {"OCMF|{\"PG\":\"T1\"," RD "}|{}", "signature section"},
        {"OCMF|{\"PG\":\"T1\"," RD "}|{\"SD\":\"\"}", "SD"},
        {"OCMF|{\"PG\":\"T1\"," RD "}|{\"SD\":\"3\"}", "SD"},
        {"OCMF|{\"PG\":\"T1\"," RD "}|{\"SD\":\"30\",\"SE\":\"octal\"}", "signature section"},
        {"OCMF|{\"PG\":\"T1\"," RD "}|{\"SD\":\"30\",\"SM\":\"text/plain\"}", "signature section"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(read_text(rows[i].text), PW_ERR_PEER);
        if (strstr(why_text, rows[i].says) == NULL) {
            fail_msg("%s: says \"%s\", not \"%s\"", rows[i].text, why_text, rows[i].says);
        }
    }
    // Without "SA" the default counts.
    assert_int_equal(read_text("OCMF|{\"PG\":\"F1\"," RD "}|{\"SD\":\"30\"}"), PW_OK);
    assert_true(pw_str_is(ocmf.algorithm, PW_OCMF_P256));
    assert_false(ocmf.named);
    assert_int_equal(ocmf.context, 'F');
}

// Reason: base64 carries every data set and key; its ends are where mistakes hide.
static void base64_comes_back_at_every_length(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37 + 255);
    }
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        char text[100];
        uint8_t back[64];
        struct pw_out out = PW_OUT(text);
        pw_put_base64(&out, bytes, len);
        assert_int_equal(out.len, (len + 2) / 3 * 4);
        assert_int_equal(pw_parse_base64(pw_out_str(&out), back, sizeof(back)), len);
        assert_memory_equal(back, bytes, len);
        if (len > 0) {
            assert_int_equal(pw_parse_base64(pw_out_str(&out), back, len - 1), PW_ERR_LIMIT);
        }
    }
    uint8_t none[4];
    assert_int_equal(pw_parse_base64(PW_STR("YW!j"), none, sizeof(none)), PW_ERR_PEER);
    assert_int_equal(pw_parse_base64(PW_STR("YW=j"), none, sizeof(none)), PW_ERR_PEER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(readings_inherit_and_make_a_difference),
        cmocka_unit_test(a_pair_that_is_none_has_no_energy),
        cmocka_unit_test(what_is_no_data_set_is_refused),
        cmocka_unit_test(base64_comes_back_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

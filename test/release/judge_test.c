// What a station takes and what it refuses of releases whose format is right.
#include "bench.h"
#include "ed25519/ed25519.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct bench bench;

static void a_signed_release_is_taken(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.version = "1.0.0"}), PW_RELEASE_FINE);
    assert_int_equal(bench.release.file_size, bench.len);
    assert_memory_equal(bench.file + bench.release.component[0].offset, "program 1.0.0", 13);
}

// --- Who signed.

static void what_nobody_signed_is_refused(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.nobody = true}), PW_RELEASE_UNSIGNED);
}

static void a_stranger_cannot_sign(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"a stranger"}}),
                     PW_RELEASE_UNSIGNED);
    // Root keys sign roots, not releases.
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {PW_MAKE_ROOT_1}}),
                     PW_RELEASE_UNSIGNED);
}

// A maker may sign for old and new stations at once: keys that nobody here knows do no harm.
static void unknown_keys_are_passed_over(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"x", "y", PW_MAKE_RELEASE_2, "z"}}),
        PW_RELEASE_FINE);
}

// A signature of a stranger under the name of a key that counts.
static void a_wrong_signature_is_none(void **state)
{
    static uint8_t other[60000];
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    size_t len = pw_make_release(&(struct pw_make){.counter = 1, .signer = {"a stranger"}}, other,
                                 sizeof(other));
    assert_int_equal(len, bench.len);
    assert_int_equal(pw_release_head_len(other, &head), PW_OK);
    memcpy(bench.file + head - 64, other + head - 64, 64);
    assert_int_equal(bench_judge(&bench), PW_RELEASE_UNSIGNED);
}

// Manifest of one release, signature of another.
static void a_signature_belongs_to_its_manifest(void **state)
{
    static uint8_t other[60000];
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    (void)pw_make_release(&(struct pw_make){.counter = 2}, other, sizeof(other));
    assert_int_equal(pw_release_head_len(other, &head), PW_OK);
    memcpy(bench.file + head - 96, other + head - 96, 96);
    assert_int_equal(bench_judge(&bench), PW_RELEASE_UNSIGNED);
}

static void two_signatures_of_one_key_are_one(void **state)
{
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    bench.root.releases.threshold = 2;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_UNSIGNED);
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {PW_MAKE_RELEASE_3, PW_MAKE_RELEASE_1}}),
        PW_RELEASE_FINE);
    // The first one stands there twice.
    assert_int_equal(pw_release_head_len(bench.file, &head), PW_OK);
    memcpy(bench.file + head - 96, bench.file + head - 192, 96);
    assert_int_equal(bench_judge(&bench), PW_RELEASE_MALFORMED);
    // A root that has a key twice, which none that is read can, does not count it twice.
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {PW_MAKE_RELEASE_1, PW_MAKE_RELEASE_3}}),
        PW_RELEASE_FINE);
    memcpy(bench.root.releases.key[1], bench.root.releases.key[0], PW_RELEASE_KEY_LEN);
    memcpy(bench.root.releases.key[2], bench.root.releases.key[0], PW_RELEASE_KEY_LEN);
    assert_int_equal(bench_judge(&bench), PW_RELEASE_UNSIGNED);
}

static void customers_stations_refuse_test_keys(void **state)
{
    (void)state;
    bench_begin(&bench);
    bench.crypto.test_keys = false;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_TEST_KEY);
    assert_non_null(strstr(bench.why, "test keys"));
    // A test key among real ones counts as none.
    bench.root.releases = (struct pw_release_keys){.threshold = 2};
    pw_make_add(&bench.root.releases, "real 1");
    pw_make_add(&bench.root.releases, "real 2");
    pw_make_add(&bench.root.releases, PW_MAKE_RELEASE_1);
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"real 1", PW_MAKE_RELEASE_1}}),
        PW_RELEASE_TEST_KEY);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"real 1", "real 2"}}),
                     PW_RELEASE_FINE);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"real 1"}}),
                     PW_RELEASE_UNSIGNED);
}

static void the_test_keys_are_those_that_everybody_can_make(void **state)
{
    static const char *const names[] = {PW_MAKE_ROOT_1,    PW_MAKE_ROOT_2,    PW_MAKE_ROOT_3,
                                        PW_MAKE_RELEASE_1, PW_MAKE_RELEASE_2, PW_MAKE_RELEASE_3};
    uint8_t key[PW_RELEASE_KEY_LEN];
    (void)state;
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        pw_make_key(names[i], NULL, key);
        assert_true(pw_release_is_test_key(key));
    }
    pw_make_key("pilotwire test release 4", NULL, key);
    assert_false(pw_release_is_test_key(key));
}

// --- What it says.

static void an_old_offer_expires(void **state)
{
    (void)state;
    bench_begin(&bench);
    const struct pw_make make = {.expires = NOW + 1};
    assert_int_equal(bench_release(&bench, &make), PW_RELEASE_FINE);
    bench.rules.wall = NOW + 1;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_EXPIRED);
    bench.rules.wall = 0; // no clock yet: the counter still holds
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
}

static void an_expired_root_vouches_for_nothing(void **state)
{
    (void)state;
    bench_begin(&bench);
    bench.root.expires = NOW + 1;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    bench.rules.wall = NOW + 1;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_EXPIRED);
    assert_non_null(strstr(bench.why, "root"));
}

// T12: correctly signed, but from before a hole was closed.
static void the_security_counter_never_goes_down(void **state)
{
    (void)state;
    bench_begin(&bench);
    bench.rules.counter = 7;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.version = "9.0.0", .counter = 6}),
                     PW_RELEASE_DOWNGRADE);
    assert_string_equal(bench.why, "security counter is 6, must be 7 or more");
    bench.rules.again = true; // nobody can ask for that
    assert_int_equal(bench_judge(&bench), PW_RELEASE_DOWNGRADE);
    bench.rules.again = false;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 7}), PW_RELEASE_FINE);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = UINT32_MAX}),
                     PW_RELEASE_FINE);
}

// A version that disappointed is replaced by the one before, as long as the counter allows it.
static void an_older_version_of_the_same_counter_is_taken(void **state)
{
    (void)state;
    bench_begin(&bench);
    bench.rules.counter = 2;
    bench.rules.running = PW_STR("2.0.0");
    assert_int_equal(bench_release(&bench, &(struct pw_make){.version = "1.9.0", .counter = 2}),
                     PW_RELEASE_FINE);
}

static void the_running_version_is_installed_again_only_when_asked(void **state)
{
    (void)state;
    bench_begin(&bench);
    bench.rules.running = PW_STR("1.0.0");
    assert_int_equal(bench_release(&bench, &(struct pw_make){.version = "1.0.0"}), PW_RELEASE_SAME);
    bench.rules.again = true;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    bench.rules.again = false;
    bench.rules.running = PW_STR("");
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
}

static void what_is_for_another_machine_is_refused(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.hardware = {"generi", "generics"}}),
                     PW_RELEASE_FOREIGN);
    assert_string_equal(bench.why, "hardware is generi generics, must have generic");
    assert_int_equal(bench_release(&bench, &(struct pw_make){.hardware = {"a", "b", "generic"}}),
                     PW_RELEASE_FINE);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.product = "pilotwire-central"}),
                     PW_RELEASE_FOREIGN);
}

static void a_step_that_is_too_far_is_refused(void **state)
{
    const struct pw_make make = {.version = "3.0.0", .min_from = "2.5.0"};
    (void)state;
    bench_begin(&bench);
    bench.rules.running = PW_STR("2.4.9");
    assert_int_equal(bench_release(&bench, &make), PW_RELEASE_TOO_FAR);
    bench.rules.running = PW_STR("2.5.0-rc3");
    assert_int_equal(bench_judge(&bench), PW_RELEASE_TOO_FAR);
    bench.rules.running = PW_STR("2.5.0");
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    bench.rules.running = PW_STR("a private build");
    assert_int_equal(bench_judge(&bench), PW_RELEASE_TOO_FAR);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.version = "3.0.0"}), PW_RELEASE_FINE);
}

static void a_file_has_its_largest_size(void **state)
{
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    bench.rules.most_bytes = bench.len;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    bench.rules.most_bytes = bench.len - 1;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_TOO_LARGE);
}

static void versions_have_an_order(void **state)
{
    static const char *const rising[] = {
        "0.0.0",     "0.0.1-a",    "0.0.1",     "0.1.0",     "1.0.0-a",    "1.0.0-a0",  "1.0.0-a9",
        "1.0.0-a10", "1.0.0-beta", "1.0.0-rc1", "1.0.0-rc2", "1.0.0-rc10", "1.0.0-rca", "1.0.0",
        "1.2.9",     "1.2.10",     "1.10.0",    "2.0.0",     "999999.0.0"};
    static const char *const bad[] = {"",
                                      "1",
                                      "1.2",
                                      "1.2.3.4",
                                      "v1.2.3",
                                      "1.2.3-",
                                      "1.2.3--",
                                      "1.2.3+",
                                      "1.02.3",
                                      "-1.2.3",
                                      "1.2.3 ",
                                      " 1.2.3",
                                      "1.2.x",
                                      "1,2,3",
                                      "1.2.3-9",
                                      "1000000.0.0",
                                      "1.0.0-aaaaaaaaaaaaaaaaaaa"};
    unsigned pairs = 0;
    (void)state;
    for (size_t a = 0; a < PW_COUNT(rising); a++) {
        for (size_t b = 0; b < PW_COUNT(rising); b++) {
            int order = pw_release_version_compare(pw_str_of(rising[a]), pw_str_of(rising[b]));
            if (order != (a > b) - (a < b)) {
                fail_msg("%s against %s: %d", rising[a], rising[b], order);
            }
            pairs++;
        }
    }
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        struct pw_str text = pw_str_of(bad[i]);
        assert_int_equal(pw_release_version_compare(text, text), PW_RELEASE_VERSION_BAD);
        assert_int_equal(pw_release_version_compare(PW_STR("1.0.0"), text), PW_RELEASE_VERSION_BAD);
    }
    printf("%u pairs of versions, %zu that are none\n", pairs, PW_COUNT(bad));
}

// --- The signature itself.

// RFC 8032 §7.1, test 3.
static void signatures_are_those_of_the_standard(void **state)
{
    uint8_t seed[32];
    uint8_t key[32];
    uint8_t want[32];
    uint8_t signature[64];
    uint8_t good[64];
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    (void)state;
    assert_int_equal(
        pw_parse_hex(PW_STR("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
                     seed, 32),
        32);
    assert_int_equal(
        pw_parse_hex(PW_STR("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
                     want, 32),
        32);
    assert_int_equal(
        pw_parse_hex(PW_STR("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff"
                            "9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
                     good, 64),
        64);
    assert_true(pw_ed25519_public(seed, key));
    assert_memory_equal(key, want, 32);
    // Wherever the message is cut in two.
    const struct pw_str cuts[][2] = {{PW_STR("\xaf\x82"), PW_STR("")},
                                     {PW_STR("\xaf"), PW_STR("\x82")},
                                     {PW_STR(""), PW_STR("\xaf\x82")}};
    for (size_t i = 0; i < PW_COUNT(cuts); i++) {
        assert_true(pw_ed25519_sign(seed, cuts[i][0], cuts[i][1], signature));
        assert_memory_equal(signature, good, 64);
        assert_true(crypto.verify(crypto.context, key, cuts[i][0], cuts[i][1], good));
    }
    assert_false(crypto.verify(crypto.context, key, PW_STR("\xaf"), PW_STR("\x83"), good));
}

// RFC 8032 §5.1.7: S + L would be a second signature of the same text.
static void a_signature_cannot_be_bent_into_another(void **state)
{
    static const uint8_t l[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    uint8_t seed[32];
    uint8_t key[32];
    uint8_t signature[64];
    unsigned carry = 0;
    (void)state;
    pw_make_key("anybody", seed, key);
    assert_true(pw_ed25519_sign(seed, PW_STR("a"), PW_STR("b"), signature));
    assert_true(crypto.verify(crypto.context, key, PW_STR("a"), PW_STR("b"), signature));
    for (unsigned i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + l[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(crypto.verify(crypto.context, key, PW_STR("a"), PW_STR("b"), signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_release_is_taken),
        cmocka_unit_test(what_nobody_signed_is_refused),
        cmocka_unit_test(a_stranger_cannot_sign),
        cmocka_unit_test(unknown_keys_are_passed_over),
        cmocka_unit_test(a_wrong_signature_is_none),
        cmocka_unit_test(a_signature_belongs_to_its_manifest),
        cmocka_unit_test(two_signatures_of_one_key_are_one),
        cmocka_unit_test(customers_stations_refuse_test_keys),
        cmocka_unit_test(the_test_keys_are_those_that_everybody_can_make),
        cmocka_unit_test(an_old_offer_expires),
        cmocka_unit_test(an_expired_root_vouches_for_nothing),
        cmocka_unit_test(the_security_counter_never_goes_down),
        cmocka_unit_test(an_older_version_of_the_same_counter_is_taken),
        cmocka_unit_test(the_running_version_is_installed_again_only_when_asked),
        cmocka_unit_test(what_is_for_another_machine_is_refused),
        cmocka_unit_test(a_step_that_is_too_far_is_refused),
        cmocka_unit_test(a_file_has_its_largest_size),
        cmocka_unit_test(versions_have_an_order),
        cmocka_unit_test(signatures_are_those_of_the_standard),
        cmocka_unit_test(a_signature_cannot_be_bent_into_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SHA-256 and HMAC-SHA-256 against published vectors.
#include "hmac/hmac.h"
#include "test.h"

#include <string.h>

static void is_hex(const uint8_t digest[PW_SHA256_LEN], const char *hex)
{
    uint8_t want[PW_SHA256_LEN];
    assert_int_equal(pw_parse_hex(pw_str_of(hex), want, sizeof(want)), PW_SHA256_LEN);
    assert_memory_equal(digest, want, PW_SHA256_LEN);
}

static void digests_are_those_of_fips_180(void **state)
{
    static const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    uint8_t digest[PW_SHA256_LEN];
    struct pw_sha256 hash;
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        pw_sha256_begin(&hash);
        pw_sha256_add(&hash, rows[i].text, strlen(rows[i].text));
        pw_sha256_end(&hash, digest);
        is_hex(digest, rows[i].digest);
    }
    pw_sha256_begin(&hash);
    for (unsigned i = 0; i < 1000000; i++) {
        pw_sha256_add(&hash, "a", 1);
    }
    pw_sha256_end(&hash, digest);
    is_hex(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hmac(const void *key, size_t key_len, const void *text, size_t len, const char *want)
{
    uint8_t digest[PW_SHA256_LEN];
    struct pw_hmac mac;
    pw_hmac_begin(&mac, key, key_len);
    pw_hmac_add(&mac, text, len / 2);
    pw_hmac_add(&mac, (const char *)text + len / 2, len - len / 2);
    pw_hmac_end(&mac, digest);
    is_hex(digest, want);
}

static void codes_are_those_of_rfc_4231(void **state)
{
    static const char larger[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t key[131];
    uint8_t text[50];
    (void)state;
    memset(key, 0x0b, 20);
    hmac(key, 20, "Hi There", 8,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac("Jefe", 4, "what do ya want for nothing?", 28,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    memset(text, 0xdd, sizeof(text));
    hmac(key, 20, text, sizeof(text),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    hmac(key, sizeof(key), larger, sizeof(larger) - 1,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void one_bit_makes_a_difference(void **state)
{
    uint8_t a[PW_SHA256_LEN] = {0};
    uint8_t b[PW_SHA256_LEN] = {0};
    (void)state;
    assert_true(pw_hmac_same(a, b, sizeof(a)));
    for (unsigned bit = 0; bit < 8 * sizeof(a); bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(pw_hmac_same(a, b, sizeof(a)));
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180),
        cmocka_unit_test(codes_are_those_of_rfc_4231),
        cmocka_unit_test(one_bit_makes_a_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

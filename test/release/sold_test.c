// What customers get: port/linux/ed25519 as the packages build it, without the test keys.
#include "bench.h"
#include "ed25519/ed25519.h"
#include "test.h"

static struct bench bench;

static void a_program_as_sold_refuses_test_keys(void **state)
{
    static uint8_t text[PW_RELEASE_ROOT_MAX];
    struct pw_out why = PW_OUT(bench.why);
    struct pw_release_root root;
    (void)state;
    bench_begin(&bench);
    bench.crypto = pw_ed25519_crypto();
    assert_false(bench.crypto.test_keys);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_TEST_KEY);
    size_t len = pw_make_signed_root_1(text, sizeof(text));
    assert_int_equal(pw_release_root_read((struct pw_str){.at = (const char *)text, .len = len},
                                          &bench.crypto, &root, &why),
                     PW_ERR_RANGE);
    bench.root.releases = (struct pw_release_keys){.threshold = 1};
    pw_make_add(&bench.root.releases, "the maker's own");
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"the maker's own"}}),
                     PW_RELEASE_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_program_as_sold_refuses_test_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

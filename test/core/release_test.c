// release: what is refused, and why; that what is read is what was signed.
#include "ed25519/ed25519.h"
#include "make.h"
#include "test.h"

#include <string.h>

static const struct pw_release_root *test_root(void)
{
    static struct pw_release_root root;
    root = pw_make_root_1();
    return &root;
}

static struct pw_release_rules usual(const struct pw_release_crypto *crypto)
{
    return (struct pw_release_rules){
        .crypto = crypto,
        .root = test_root(),
        .product = PW_STR(PW_MAKE_PRODUCT),
        .hardware = PW_STR(PW_MAKE_HARDWARE),
        .running = PW_STR("0.9.0"),
        .most_bytes = 1 << 20,
        .wall = INT64_C(1800000000000),
    };
}

static void a_signed_release_is_taken(void **state)
{
    static uint8_t file[40000];
    char text[300] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    struct pw_release_rules rules = usual(&crypto);
    struct pw_release release;
    struct pw_release_root newest;
    uint32_t head = 0;
    (void)state;
    size_t len = pw_make_release(&(struct pw_make){.version = "1.0.0"}, file, sizeof(file));
    assert_int_equal(pw_release_head_len(file, &head), PW_OK);
    assert_int_equal(pw_release_judge((struct pw_str){.at = (char *)file, .len = head}, &rules,
                                      &release, &newest, &why),
                     PW_RELEASE_FINE);
    assert_string_equal(text, "");
    assert_int_equal(release.file_size, len);
    assert_memory_equal(file + release.component[0].offset, "program 1.0.0", 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signed_release_is_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

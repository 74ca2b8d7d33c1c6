// The root of trust: two of three, one version after the other, and never a root nobody vouches
// for.
#include "bench.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct bench bench;
static uint8_t chain[PW_RELEASE_ROOTS_MAX];
static size_t chain_len;

// Root keys a, b, c; release keys one and two.
static struct pw_release_root root_of(uint32_t version, const char *a, const char *b, const char *c,
                                      const char *release)
{
    struct pw_release_root root = {.version = version, .expires = PW_MAKE_EXPIRES};
    root.roots.threshold = 2;
    root.releases.threshold = 1;
    pw_make_add(&root.roots, a);
    pw_make_add(&root.roots, b);
    pw_make_add(&root.roots, c);
    pw_make_add(&root.releases, release);
    return root;
}

static struct pw_str signed_by(const struct pw_release_root *root, const char *a, const char *b,
                               const char *c, const char *d)
{
    static uint8_t text[4][PW_RELEASE_ROOT_MAX];
    static unsigned turn;
    const char *signer[] = {a, b, c, d, NULL};
    turn = (turn + 1) % 4;
    size_t len = pw_make_root(root, signer, text[turn], sizeof(text[turn]));
    return (struct pw_str){.at = (const char *)text[turn], .len = len};
}

static void add(struct pw_str text)
{
    assert_true(chain_len + text.len <= sizeof(chain));
    memcpy(chain + chain_len, text.at, text.len);
    chain_len += text.len;
}

static struct pw_str taken(void)
{
    return (struct pw_str){.at = (const char *)chain, .len = chain_len};
}

// R1: keys A B C. R2: C leaves, D comes; another release key. R3: two more change.
static struct pw_release_root r1(void)
{
    return root_of(1, "A", "B", "C", "release one");
}
static struct pw_release_root r2(void)
{
    return root_of(2, "A", "B", "D", "release two");
}
static struct pw_release_root r3(void)
{
    return root_of(3, "D", "E", "F", "release three");
}
static struct pw_str signed_r2(void)
{
    struct pw_release_root root = r2();
    return signed_by(&root, "A", "B", NULL, NULL);
}
static struct pw_str signed_r3(void)
{
    struct pw_release_root root = r3();
    return signed_by(&root, "A", "D", "E", NULL); // A and D are two of R2, D and E of R3
}

static void begin(void)
{
    bench_begin(&bench);
    bench.root = r1();
    chain_len = 0;
}

static int follow(struct pw_str text, const struct pw_release_root *now)
{
    struct pw_out why = PW_OUT(bench.why);
    bench.newest = (struct pw_release_root){.version = 0};
    int err = pw_release_root_follow(text, &bench.crypto, now, &bench.newest, &why);
    assert_true(err == PW_OK || (bench.newest.version == 0 && why.len > 0));
    return err;
}

static int read_root(struct pw_str text, struct pw_release_root *root)
{
    struct pw_out why = PW_OUT(bench.why);
    int err = pw_release_root_read(text, &bench.crypto, root, &why);
    assert_true(err == PW_OK || (root->version == 0 && why.len > 0));
    return err;
}

static void the_first_root_needs_two_of_its_three(void **state)
{
    struct pw_release_root root = r1();
    struct pw_release_root read;
    (void)state;
    begin();
    assert_int_equal(read_root(signed_by(&root, "A", "C", NULL, NULL), &read), PW_OK);
    assert_memory_equal(&read, &root, sizeof(read));
    assert_int_equal(read_root(signed_by(&root, "A", "B", "C", NULL), &read), PW_OK);
    assert_int_equal(read_root(signed_by(&root, "A", NULL, NULL, NULL), &read), PW_ERR_RANGE);
    assert_string_equal(bench.why, "root document: needs 2 good signatures of 3 keys, has 1");
    assert_int_equal(read_root(signed_by(&root, "A", "X", "Y", NULL), &read), PW_ERR_RANGE);
    assert_int_equal(read_root(signed_by(&root, "A", "release one", NULL, NULL), &read),
                     PW_ERR_RANGE);
    assert_int_equal(read_root(signed_by(&root, NULL, NULL, NULL, NULL), &read), PW_ERR_RANGE);
    bench.crypto.test_keys = false;
    root = pw_make_root_1();
    assert_int_equal(read_root(signed_by(&root, PW_MAKE_ROOT_1, PW_MAKE_ROOT_2, NULL, NULL), &read),
                     PW_ERR_RANGE);
    assert_non_null(strstr(bench.why, "test keys"));
}

static void no_byte_of_a_root_document_can_be_another(void **state)
{
    struct pw_release_root root = r1();
    struct pw_release_root read;
    uint8_t text[PW_RELEASE_ROOT_MAX];
    unsigned refused = 0;
    (void)state;
    begin();
    struct pw_str good = signed_by(&root, "A", "C", NULL, NULL);
    memcpy(text, good.at, good.len);
    for (size_t i = 0; i < good.len; i++) {
        const uint8_t flips[] = {(uint8_t)(1U << (i % 8)), 0x20, 0xff};
        for (size_t flip = 0; flip < PW_COUNT(flips); flip++, refused++) {
            text[i] ^= flips[flip];
            assert_int_equal(
                read_root((struct pw_str){.at = (const char *)text, .len = good.len}, &read),
                PW_ERR_RANGE);
            text[i] ^= flips[flip];
        }
    }
    for (size_t len = 0; len < good.len; len++, refused++) {
        assert_int_equal(read_root((struct pw_str){.at = (const char *)text, .len = len}, &read),
                         PW_ERR_RANGE);
    }
    text[good.len] = 0;
    assert_int_equal(
        read_root((struct pw_str){.at = (const char *)text, .len = good.len + 1}, &read),
        PW_ERR_RANGE);
    printf("%u changed root documents of %zu bytes, every one refused\n", refused, good.len);
}

static void lengths_of_a_root_document_have_bounds(void **state)
{
    static const uint32_t lengths[] = {0,    1,          4095,       4096,      4097,
                                       8192, 0x7fffffff, 0x80000000, UINT32_MAX};
    static uint8_t text[PW_RELEASE_ROOT_MAX * 2];
    struct pw_release_root root = r1();
    struct pw_release_root read;
    (void)state;
    begin();
    struct pw_str good = signed_by(&root, "A", "C", NULL, NULL);
    memcpy(text, good.at, good.len);
    size_t count_at = 4 + pw_be32(text);
    for (unsigned count = 0; count < 256; count++) {
        struct pw_out why = PW_OUT(bench.why);
        struct pw_str rest = {.at = (const char *)text, .len = sizeof(text)};
        struct pw_release_root_text parts;
        text[count_at] = (uint8_t)count;
        bool cut = pw_release_root_cut(&rest, &parts, &why) == PW_OK;
        assert_true(!cut || count <= 2); // behind the second there are zeros, in no order
    }
    text[count_at] = 2;
    for (size_t i = 0; i < PW_COUNT(lengths); i++) {
        pw_set_be32(text, lengths[i]);
        assert_int_equal(
            read_root((struct pw_str){.at = (const char *)text, .len = sizeof(text)}, &read),
            PW_ERR_RANGE);
    }
}

// Document and signatures each within their bounds, but not together.
static void a_signed_root_document_has_its_longest(void **state)
{
    static uint8_t text[PW_RELEASE_ROOT_MAX * 2];
    const size_t signatures = (size_t)PW_RELEASE_ROOT_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN;
    const size_t longest = PW_RELEASE_ROOT_MAX - 5 - signatures;
    (void)state;
    for (size_t len = longest; len <= longest + 1; len++) {
        struct pw_out why = PW_OUT(bench.why);
        struct pw_release_root_text parts;
        struct pw_str rest = {.at = (const char *)text, .len = len + 5 + signatures};
        pw_set_be32(text, (uint32_t)len);
        text[4 + len] = PW_RELEASE_ROOT_SIGNATURES_MAX;
        for (unsigned i = 0; i < PW_RELEASE_ROOT_SIGNATURES_MAX; i++) {
            text[4 + len + 1 + (size_t)i * PW_RELEASE_SIGNATURE_LEN] = (uint8_t)i;
        }
        assert_int_equal(pw_release_root_cut(&rest, &parts, &why),
                         len == longest ? PW_OK : PW_ERR_RANGE);
    }
}

static void a_root_follows_when_both_thresholds_signed(void **state)
{
    struct pw_release_root now = r1();
    struct pw_release_root next = r2();
    (void)state;
    begin();
    assert_int_equal(follow(signed_r2(), &now), PW_OK);
    assert_memory_equal(&bench.newest, &next, sizeof(next));
    // Two of the old keys, one of the new ones: C is none any more.
    assert_int_equal(follow(signed_by(&next, "A", "C", NULL, NULL), &now), PW_ERR_RANGE);
    // Two of the new keys, one of the old ones.
    assert_int_equal(follow(signed_by(&next, "A", "D", NULL, NULL), &now), PW_ERR_RANGE);
    assert_int_equal(follow(signed_by(&next, "A", "C", "D", NULL), &now), PW_OK);
    // Somebody's own keys.
    struct pw_release_root own = root_of(2, "X", "Y", "Z", "x");
    assert_int_equal(follow(signed_by(&own, "X", "Y", "Z", NULL), &now), PW_ERR_RANGE);
    assert_int_equal(follow(signed_by(&own, "X", "Y", "A", NULL), &now), PW_ERR_RANGE);
}

static void an_old_root_cannot_come_back_and_none_is_left_out(void **state)
{
    struct pw_release_root one = r1();
    struct pw_release_root two = r2();
    struct pw_release_root three = r3();
    (void)state;
    begin();
    assert_int_equal(follow(signed_r3(), &two), PW_OK);
    assert_int_equal(follow(signed_r3(), &three), PW_ERR_RANGE); // itself
    assert_int_equal(follow(signed_r2(), &three), PW_ERR_RANGE); // the one before
    assert_int_equal(follow(signed_by(&one, "A", "B", NULL, NULL), &two), PW_ERR_RANGE);
    // From 1 to 3, though everybody signed.
    assert_int_equal(follow(signed_by(&three, "A", "B", "D", "E"), &one), PW_ERR_RANGE);
    assert_string_equal(bench.why, "root document: version 3 cannot follow 1");
}

// A station that slept through two rotations gets all of them with one release.
static void a_release_brings_the_roots_between(void **state)
{
    (void)state;
    begin();
    add(signed_r2());
    add(signed_r3());
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release three"}, .roots = taken()}),
        PW_RELEASE_FINE);
    assert_int_equal(bench.newest.version, 3);
    // The next one brings them again: those it has are passed over.
    bench.root = bench.newest;
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    assert_int_equal(bench.newest.version, 3);
    bench.root = r2();
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    assert_int_equal(bench.newest.version, 3);
}

// The release key that was stolen: its releases end with the root that drops it.
static void a_key_that_was_dropped_signs_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"release one"}}),
                     PW_RELEASE_FINE);
    add(signed_r2());
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release one"}, .roots = taken()}),
        PW_RELEASE_UNSIGNED);
    assert_int_equal(bench.newest.version, 2); // learnt also from a release that is refused
    bench.root = bench.newest;
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"release one"}}),
                     PW_RELEASE_UNSIGNED);
}

// CVE-2020-15163: whatever was wrong, the station knows the last good root, and no other.
static void a_bad_root_is_never_kept(void **state)
{
    struct pw_release_root evil = root_of(3, "X", "Y", "Z", "x");
    (void)state;
    begin();
    add(signed_r2());
    add(signed_by(&evil, "X", "Y", "A", NULL));
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"x"}, .roots = taken()}),
                     PW_RELEASE_UNSIGNED);
    assert_int_equal(bench.newest.version, 2);
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release two"}, .roots = taken()}),
        PW_RELEASE_UNSIGNED); // nobody good makes such a file
    assert_int_equal(bench.newest.version, 2);
    // The first one bad already.
    evil.version = 2;
    chain_len = 0;
    add(signed_by(&evil, "X", "Y", "Z", NULL));
    assert_int_equal(bench_release(&bench, &(struct pw_make){.signer = {"x"}, .roots = taken()}),
                     PW_RELEASE_UNSIGNED);
    assert_memory_equal(&bench.newest, &bench.root, sizeof(bench.root));
}

static void a_file_may_not_leave_roots_out(void **state)
{
    (void)state;
    begin();
    add(signed_r3());
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release three"}, .roots = taken()}),
        PW_RELEASE_UNSIGNED); // 1 cannot go to 3
    assert_int_equal(bench.newest.version, 1);
    add(signed_r2());
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release three"}, .roots = taken()}),
        PW_RELEASE_MALFORMED);
    // Nor where the station is past the gap.
    struct pw_release_root four = root_of(4, "A", "B", "D", "release four");
    chain_len = 0;
    add(signed_r2());
    add(signed_by(&four, "A", "B", NULL, NULL));
    bench.root = four;
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release four"}, .roots = taken()}),
        PW_RELEASE_MALFORMED);
}

// Only the newest counts: roots between may have expired while the station slept.
static void a_root_between_may_have_expired(void **state)
{
    struct pw_release_root two = r2();
    struct pw_release_root three = r3();
    (void)state;
    begin();
    two.expires = NOW - 1;
    add(signed_by(&two, "A", "B", NULL, NULL));
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release two"}, .roots = taken()}),
        PW_RELEASE_EXPIRED);
    add(signed_by(&three, "A", "D", "E", NULL));
    assert_int_equal(
        bench_release(&bench, &(struct pw_make){.signer = {"release three"}, .roots = taken()}),
        PW_RELEASE_FINE);
}

// One way to write a document, and none with a key twice or a threshold that cannot be reached.
static void there_is_one_way_to_write_a_root(void **state)
{
#define K1 "1111111111111111111111111111111111111111111111111111111111111111"
#define K2 "2222222222222222222222222222222222222222222222222222222222222222"
#define ROOT                                                                                       \
    "{\"format\":\"pilotwire-root-1\",\"version\":7,\"expires\":\"2099-01-31T00:00:00.000Z\","     \
    "\"root\":{\"threshold\":2,\"keys\":[\"" K1 "\",\"" K2 "\"]},"                                 \
    "\"release\":{\"threshold\":1,\"keys\":[\"" K1 "\"]}}"
    static const struct {
        const char *from;
        const char *to;
    } changes[] = {
        {"\"" K1 "\",\"" K2 "\"", "\"" K2 "\",\"" K1 "\""},
        {"\"" K1 "\",\"" K2 "\"", "\"" K1 "\",\"" K1 "\""},
        {"\"" K1 "\",\"" K2 "\"", ""},
        {"\"threshold\":2", "\"threshold\":3"},
        {"\"threshold\":2", "\"threshold\":0"},
        {"\"threshold\":2", "\"threshold\":02"},
        {"\"threshold\":2", "\"threshold\":258"},
        {"\"threshold\":1", "\"threshold\":2"},
        {"\"version\":7", "\"version\":0"},
        {"\"version\":7", "\"version\":1000001"},
        {"\"version\":7", "\"version\":4294967303"},
        {"\"2099-01-31T00:00:00.000Z\"", "\"\""},
        {"\"2099-01-31T00:00:00.000Z\"", "null"},
        {"\"root\":{", "\"root\": {"},
        {"\"release\":", "\"release\":{},\"release\":"},
        {"}}", "}} "},
        {"}}", "}"},
        {"pilotwire-root-1", "pilotwire-release-1"},
    };
    struct pw_release_root root;
    char text[PW_RELEASE_ROOT_MAX];
    char again[PW_RELEASE_ROOT_MAX];
    struct pw_out out = PW_OUT(again);
    struct pw_out why = PW_OUT(bench.why);
    (void)state;
    assert_int_equal(pw_release_root_parse(PW_STR(ROOT), &root, &why), PW_OK);
    assert_true(pw_release_root_write(&root, &out));
    assert_string_equal(again, ROOT);
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        const char *at = strstr(ROOT, changes[i].from);
        assert_non_null(at);
        (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - ROOT), ROOT, changes[i].to,
                       at + strlen(changes[i].from));
        why = PW_OUT(bench.why);
        if (pw_release_root_parse(pw_str_of(text), &root, &why) != PW_ERR_RANGE) {
            fail_msg("%s -> %s is taken", changes[i].from, changes[i].to);
        }
    }
    printf("%zu root documents that break one rule, every one refused\n", PW_COUNT(changes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_root_needs_two_of_its_three),
        cmocka_unit_test(no_byte_of_a_root_document_can_be_another),
        cmocka_unit_test(lengths_of_a_root_document_have_bounds),
        cmocka_unit_test(a_signed_root_document_has_its_longest),
        cmocka_unit_test(a_root_follows_when_both_thresholds_signed),
        cmocka_unit_test(an_old_root_cannot_come_back_and_none_is_left_out),
        cmocka_unit_test(a_release_brings_the_roots_between),
        cmocka_unit_test(a_key_that_was_dropped_signs_nothing),
        cmocka_unit_test(a_bad_root_is_never_kept),
        cmocka_unit_test(a_file_may_not_leave_roots_out),
        cmocka_unit_test(a_root_between_may_have_expired),
        cmocka_unit_test(there_is_one_way_to_write_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

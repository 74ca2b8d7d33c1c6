// The format of a release file: one way to write each thing, every length has its bound, and no
// byte of a head can be another one.
#include "bench.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bench bench;

#define HASH             "0000000000000000000000000000000000000000000000000000000000000001"
#define PART(name, size) "{\"name\":\"" name "\",\"size\":" size ",\"sha256\":\"" HASH "\"}"
#define MAIN             PART("pilotwire-station", "1000")
#define BEGIN                                                                                      \
    "{\"format\":\"pilotwire-release-1\",\"product\":\"pilotwire-station\",\"hardware\":"          \
    "[\"generic\"],\"version\":\"1.2.3\",\"min_from\":\"\",\"security_counter\":4,"                \
    "\"expires\":\"2099-01-31T00:00:00.000Z\",\"notes_url\":\"https://example.org/notes\","        \
    "\"components\":["
#define END  "]}"
#define GOOD BEGIN MAIN END

// `from` in the good manifest becomes `to`, and somebody with the right key signs that.
static enum pw_release_verdict changed(const char *from, const char *to)
{
    static char text[PW_RELEASE_MANIFEST_MAX + 1];
    const char *at = strstr(GOOD, from);
    assert_non_null(at);
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    return bench_manifest(&bench, text);
}

// Nobody who changes a byte, in a release or in a root document on its way, gets it installed.
static void no_byte_of_a_head_can_be_another(void **state)
{
    static const char *const signer[] = {PW_MAKE_ROOT_1, PW_MAKE_ROOT_3, NULL};
    static uint8_t roots[PW_RELEASE_ROOT_MAX];
    unsigned refused = 0;
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    struct pw_release_root root = pw_make_root_1();
    root.version = 2;
    size_t len = pw_make_root(&root, signer, roots, sizeof(roots));
    const struct pw_make make = {.version = "1.0.0",
                                 .counter = 3,
                                 .expires = PW_MAKE_EXPIRES,
                                 .min_from = "0.1.0",
                                 .hardware = {"generic", "other"},
                                 .roots = {.at = (const char *)roots, .len = len}};
    assert_int_equal(bench_release(&bench, &make), PW_RELEASE_FINE);
    assert_int_equal(bench.newest.version, 2);
    assert_int_equal(pw_release_head_len(bench.file, &head), PW_OK);
    for (uint32_t i = 0; i < head; i++) {
        const uint8_t flips[] = {(uint8_t)(1U << (i % 8)), 0x20, 0xff};
        for (size_t flip = 0; flip < PW_COUNT(flips); flip++) {
            bench.file[i] ^= flips[flip];
            enum pw_release_verdict verdict = bench_judge(&bench);
            if (verdict != PW_RELEASE_MALFORMED && verdict != PW_RELEASE_UNSIGNED) {
                fail_msg("byte %u flipped by %02x: %s", i, flips[flip],
                         pw_release_verdict_name(verdict));
            }
            bench.file[i] ^= flips[flip];
            refused++;
        }
    }
    assert_int_equal(bench_judge(&bench), PW_RELEASE_FINE);
    printf("%u changed heads of %u bytes, every one refused\n", refused, head);
}

static void a_file_that_is_cut_short_is_no_release(void **state)
{
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    assert_int_equal(pw_release_head_len(bench.file, &head), PW_OK);
    for (bench.len = 0; bench.len < head; bench.len++) {
        assert_int_equal(bench_judge(&bench), PW_RELEASE_MALFORMED);
    }
}

// Whoever hands over more than the head has not read its lengths.
static void a_head_is_exactly_as_long_as_it_says(void **state)
{
    static struct pw_release release;
    struct pw_out why = PW_OUT(bench.why);
    uint32_t head = 0;
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}), PW_RELEASE_FINE);
    assert_int_equal(pw_release_head_len(bench.file, &head), PW_OK);
    struct pw_str longer = {.at = (const char *)bench.file, .len = head + 1};
    assert_int_equal(pw_release_read(longer, &release, &why), PW_ERR_RANGE);
}

// T13: lengths at their edges, in each of the three fields.
static void every_length_of_the_head_has_its_bound(void **state)
{
    static const struct {
        unsigned at;
        uint32_t most;
        uint32_t step;
    } fields[] = {{8, PW_RELEASE_ROOTS_MAX, 1},
                  {12, PW_RELEASE_MANIFEST_MAX, 1},
                  {16, 8 * PW_RELEASE_SIGNATURE_LEN, PW_RELEASE_SIGNATURE_LEN}};
    unsigned tried = 0;
    (void)state;
    bench_begin(&bench);
    for (size_t i = 0; i < PW_COUNT(fields); i++) {
        const uint32_t values[] = {0,
                                   1,
                                   fields[i].most - 1,
                                   fields[i].most,
                                   fields[i].most + 1,
                                   fields[i].most + fields[i].step,
                                   UINT32_C(1) << 31,
                                   (UINT32_C(1) << 31) - 1,
                                   UINT32_MAX,
                                   UINT32_MAX - 19};
        for (size_t v = 0; v < PW_COUNT(values); v++) {
            uint32_t len = 0;
            assert_int_equal(bench_release(&bench, &(struct pw_make){.counter = 1}),
                             PW_RELEASE_FINE);
            if (pw_be32(bench.file + fields[i].at) == values[v]) {
                continue; // as it is
            }
            pw_set_be32(bench.file + fields[i].at, values[v]);
            bool may = values[v] <= fields[i].most && values[v] % fields[i].step == 0 &&
                       (values[v] > 0 || fields[i].at != 12);
            assert_int_equal(pw_release_head_len(bench.file, &len), may ? PW_OK : PW_ERR_RANGE);
            bench.len = sizeof(bench.file); // there are bytes enough
            enum pw_release_verdict verdict = bench_judge(&bench);
            assert_true(verdict == PW_RELEASE_MALFORMED || verdict == PW_RELEASE_UNSIGNED);
            tried++;
        }
    }
    printf("%u lengths\n", tried);
}

// T13: what a component's size can be, however it is written. Signed by the right key: it is the
// reader that refuses.
static void every_size_of_a_component_has_its_bound(void **state)
{
    static const struct {
        const char *text;
        uint64_t size; // 0: refused
    } sizes[] = {
        {"0", 0},
        {"1", 1},
        {"2147483647", UINT64_C(2147483647)},
        {"2147483648", UINT64_C(2147483648)},
        {"4294967295", UINT64_C(4294967295)},
        {"4294967296", UINT64_C(4294967296)},
        {"1099511627776", UINT64_C(1099511627776)},
        {"1099511627777", 0},
        {"9223372036854775807", 0},
        {"9223372036854775808", 0},
        {"18446744073709551615", 0},
        {"18446744073709551616", 0},
        {"18446744073709551617", 0},
        {"99999999999999999999999999999999999999", 0},
        {"-1", 0},
        {"+1", 0},
        {"01", 0},
        {"00", 0},
        {"1.0", 0},
        {"1e3", 0},
        {"0x10", 0},
        {"\"1000\"", 0},
        {"", 0},
        {" 1000", 0},
        {"1000 ", 0},
        {"null", 0},
    };
    (void)state;
    bench_begin(&bench);
    bench.rules.most_bytes = UINT64_MAX;
    for (size_t i = 0; i < PW_COUNT(sizes); i++) {
        enum pw_release_verdict verdict = changed("1000", sizes[i].text);
        assert_int_equal(verdict, sizes[i].size > 0 ? PW_RELEASE_FINE : PW_RELEASE_MALFORMED);
        if (sizes[i].size > 0) {
            assert_true(bench.release.component[0].size == sizes[i].size);
            assert_true(bench.release.file_size == bench.len + sizes[i].size);
        }
    }
    printf("%zu sizes\n", PW_COUNT(sizes));
}

// Eight of the largest do not run over, and are too large for everybody.
static void the_largest_file_is_counted_right(void **state)
{
#define HUGE(name) PART(name, "1099511627776")
    (void)state;
    bench_begin(&bench);
    bench.rules.most_bytes = UINT64_C(1) << 43;
    assert_int_equal(
        bench_manifest(&bench,
                       BEGIN HUGE("pilotwire-station") "," HUGE("b") "," HUGE("c") "," HUGE(
                           "d") "," HUGE("e") "," HUGE("f") "," HUGE("g") "," HUGE("h") END),
        PW_RELEASE_TOO_LARGE);
    assert_true(bench.release.file_size == bench.len + (UINT64_C(1) << 43));
    assert_true(bench.release.component[7].offset == bench.len + 7 * (UINT64_C(1) << 40));
}

// Two readers must never read two things: there is one order, one spelling, no second of anything.
static void there_is_one_way_to_write_a_manifest(void **state)
{
    static const struct {
        const char *from;
        const char *to;
    } changes[] = {
        // spaces, escapes, what follows
        {"{\"format\"", " {\"format\""},
        {"{\"format\"", "{ \"format\""},
        {"\"hardware\":[", "\"hardware\": ["},
        {"]}", "]}\n"},
        {"]}", "]} "},
        {"]}", "]}]}"},
        {"]}", "]"},
        {"]}", "],\"more\":1}"},
        {"generic", "gener\\u0069c"},
        {"\"product\"", "\"pr\\u006fduct\""},
        // members: another order, one left out, one twice, an unknown one
        {"\"version\":\"1.2.3\",\"min_from\":\"\"", "\"min_from\":\"\",\"version\":\"1.2.3\""},
        {"\"min_from\":\"\",", ""},
        {"\"security_counter\":4,", "\"security_counter\":4,\"security_counter\":9,"},
        {"\"security_counter\":4,", "\"security_counter\":4,\"script\":\"x\","},
        {"pilotwire-release-1", "pilotwire-release-2"},
        // names
        {"generic", ""},
        {"generic", "Generic"},
        {"generic", "1generic"},
        {"generic", "../generic"},
        {"generic", "a/b"},
        {"generic", "ab\\\\c"},
        {"generic", "a b"},
        {"generic", "gen\xc3\xa9ric"},
        {"generic", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"[\"generic\"]", "[]"},
        {"[\"generic\"]", "[\"generic\",\"generic\"]"},
        {"[\"generic\"]", "[\"generic\",]"},
        {"[\"generic\"]", "[\"generic\" ,\"b\"]"},
        {"[\"generic\"]", "\"generic\""},
        {"\"pilotwire-station\",\"hardware\"", "\"\",\"hardware\""},
        {"{\"name\":\"pilotwire-station\"", "{\"name\":\"pilotwire-central\""},
        {"{\"name\":\"pilotwire-station\"", "{\"name\":\"/pilotwire-station\""},
        // versions
        {"1.2.3", ""},
        {"1.2.3", "1.2"},
        {"1.2.3", "1.2.3.4"},
        {"1.2.3", "01.2.3"},
        {"1.2.3", "1.2.3-"},
        {"1.2.3", "1.2.3-1"},
        {"1.2.3", "1.2.3-rc01"},
        {"1.2.3", "1.2.3-RC1"},
        {"1.2.3", "1.2.1000000"},
        {"1.2.3", "1.2.-3"},
        {"1.2.3", "1..3"},
        {"\"min_from\":\"\"", "\"min_from\":\"1\""},
        // counter
        {"\"security_counter\":4", "\"security_counter\":4294967296"},
        {"\"security_counter\":4", "\"security_counter\":-1"},
        {"\"security_counter\":4", "\"security_counter\":04"},
        {"\"security_counter\":4", "\"security_counter\":"},
        // times
        {"2099-01-31T00:00:00.000Z", "2099-01-31"},
        {"2099-01-31T00:00:00.000Z", "2099-01-31T00:00:00Z"},
        {"2099-01-31T00:00:00.000Z", "2099-01-31T00:00:00.000+00:00"},
        {"2099-01-31T00:00:00.000Z", "2099-02-31T00:00:00.000Z"},
        {"2099-01-31T00:00:00.000Z", "1970-01-01T00:00:00.000Z"},
        {"\"2099-01-31T00:00:00.000Z\"", "0"},
        {"\"2099-01-31T00:00:00.000Z\"", "null"},
        // address
        {"https://example.org/notes", "http://example.org/notes"},
        {"https://example.org/notes", "javascript:alert(1)"},
        {"https://example.org/notes", "https://example.org/a b"},
        {"https://example.org/notes", "https://example.org/\x7f"},
        // hashes
        {HASH, "000000000000000000000000000000000000000000000000000000000000000"},
        {HASH, HASH "0"},
        {HASH, HASH "00"},
        {HASH, "000000000000000000000000000000000000000000000000000000000000000A"},
        {HASH, "000000000000000000000000000000000000000000000000000000000000000g"},
        {HASH, ""},
        // components
        {MAIN, ""},
        {MAIN, MAIN "," MAIN},
        {MAIN, MAIN "," PART("a", "1") "," PART("a", "2")},
        {MAIN, MAIN ","},
        {MAIN, PART("a", "1")},
        {MAIN, "{}"},
        {MAIN,
         MAIN "," PART("b", "1") "," PART("c", "1") "," PART("d", "1") "," PART("e", "1") "," PART(
             "f", "1") "," PART("g", "1") "," PART("h", "1") "," PART("i", "1")},
    };
    unsigned refused = 0;
    (void)state;
    bench_begin(&bench);
    assert_int_equal(bench_manifest(&bench, GOOD), PW_RELEASE_FINE);
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        enum pw_release_verdict verdict = changed(changes[i].from, changes[i].to);
        if (verdict != PW_RELEASE_MALFORMED) {
            fail_msg("%s -> %s: %s", changes[i].from, changes[i].to,
                     pw_release_verdict_name(verdict));
        }
        refused++;
    }
    printf("%u manifests that break one rule, every one refused\n", refused);
}

static void seventeen_machines_are_too_many(void **state)
{
    char list[400] = "[";
    (void)state;
    bench_begin(&bench);
    for (unsigned i = 0; i < 17; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%s\"m%u\"", i == 0 ? "" : ",", i);
        (void)strcat(list, name);
        if (i == 15) {
            char whole[402];
            (void)snprintf(whole, sizeof(whole), "%s]", list);
            assert_int_equal(changed("[\"generic\"]", whole), PW_RELEASE_FOREIGN);
        }
    }
    (void)strcat(list, "]");
    assert_int_equal(changed("[\"generic\"]", list), PW_RELEASE_MALFORMED);
}

static void random_name(char *to, unsigned most, char first)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
    unsigned len = (unsigned)rand() % most;
    to[0] = first;
    for (unsigned i = 1; i <= len; i++) {
        to[i] = letters[(unsigned)rand() % (sizeof(letters) - 1)];
    }
    to[len + 1] = '\0';
}

static void random_release(struct pw_release *release)
{
    *release = (struct pw_release){.security_counter = (uint32_t)rand(), .file_size = 0};
    random_name(release->product, PW_RELEASE_NAME_MAX - 2, 'p');
    release->hardware_count = (uint8_t)(1 + rand() % PW_RELEASE_HARDWARE_MAX);
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        random_name(release->hardware[i], PW_RELEASE_NAME_MAX - 2, (char)('a' + i));
    }
    (void)snprintf(release->version, sizeof(release->version), "%d.%d.%d", rand() % 1000000,
                   rand() % 10, rand() % 1000);
    if (rand() % 2 == 0) {
        (void)snprintf(release->min_from, sizeof(release->min_from), "0.%d.0-rc%d", rand() % 99,
                       rand() % 99);
    }
    release->expires = rand() % 2 == 0 ? 0 : 1 + (pw_unix_ms)rand() * 1000 + rand() % 1000;
    if (rand() % 2 == 0) {
        (void)snprintf(release->notes_url, sizeof(release->notes_url), "https://%d/?#~%%", rand());
    }
    release->components = (uint8_t)(1 + rand() % PW_RELEASE_COMPONENTS_MAX);
    for (uint8_t i = 0; i < release->components; i++) {
        struct pw_release_component *component = &release->component[i];
        random_name(component->name, PW_RELEASE_NAME_MAX - 2, (char)('a' + i));
        component->size = 1 + ((uint64_t)rand() << 9);
        for (unsigned b = 0; b < PW_SHA256_LEN; b++) {
            component->sha256[b] = (uint8_t)rand();
        }
    }
    (void)strcpy(release->component[release->components - 1].name, PW_RELEASE_PROGRAM);
}

// What can be written is read again as it was, byte for byte.
static void what_is_written_is_read(void **state)
{
    enum { RELEASES = 2000, SEED = 20261121 };
    static char first[PW_RELEASE_MANIFEST_MAX];
    static char second[PW_RELEASE_MANIFEST_MAX];
    size_t longest = 0;
    (void)state;
    bench_begin(&bench);
    srand(SEED);
    for (unsigned i = 0; i < RELEASES; i++) {
        static struct pw_release release;
        static struct pw_release read;
        struct pw_out one = PW_OUT(first);
        struct pw_out two = PW_OUT(second);
        struct pw_out why = PW_OUT(bench.why);
        random_release(&release);
        assert_true(pw_release_write(&release, &one));
        size_t len = pw_make_head((struct pw_str){.at = "", .len = 0}, pw_out_str(&one), NULL,
                                  bench.file, sizeof(bench.file));
        if (pw_release_read((struct pw_str){.at = (const char *)bench.file, .len = len}, &read,
                            &why) != PW_OK) {
            fail_msg("seed %d, release %u: %s: %s", SEED, i, bench.why, first);
        }
        assert_true(pw_release_write(&read, &two));
        assert_int_equal(one.len, two.len);
        assert_memory_equal(first, second, one.len);
        longest = one.len > longest ? one.len : longest;
    }
    printf("%d releases, the longest manifest has %zu bytes\n", RELEASES, longest);
}

// Everything at its longest fits, so that no maker is surprised.
static void the_longest_manifest_fits(void **state)
{
    static struct pw_release release;
    static char text[PW_RELEASE_MANIFEST_MAX];
    struct pw_out out = PW_OUT(text);
    (void)state;
    memset(&release, 'x', sizeof(release));
    release.product[PW_RELEASE_NAME_MAX - 1] = '\0';
    release.version[PW_RELEASE_VERSION_MAX - 1] = '\0';
    release.min_from[PW_RELEASE_VERSION_MAX - 1] = '\0';
    release.notes_url[PW_RELEASE_NOTES_MAX - 1] = '\0';
    release.hardware_count = PW_RELEASE_HARDWARE_MAX;
    release.components = PW_RELEASE_COMPONENTS_MAX;
    release.security_counter = UINT32_MAX;
    release.expires = PW_MAKE_EXPIRES;
    for (unsigned i = 0; i < PW_RELEASE_HARDWARE_MAX; i++) {
        release.hardware[i][PW_RELEASE_NAME_MAX - 1] = '\0';
    }
    for (unsigned i = 0; i < PW_RELEASE_COMPONENTS_MAX; i++) {
        release.component[i].name[PW_RELEASE_NAME_MAX - 1] = '\0';
        release.component[i].size = PW_RELEASE_SIZE_MAX;
    }
    assert_true(pw_release_write(&release, &out));
    out = (struct pw_out){.at = text, .cap = 100};
    assert_false(pw_release_write(&release, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_of_a_head_can_be_another),
        cmocka_unit_test(a_file_that_is_cut_short_is_no_release),
        cmocka_unit_test(a_head_is_exactly_as_long_as_it_says),
        cmocka_unit_test(every_length_of_the_head_has_its_bound),
        cmocka_unit_test(every_size_of_a_component_has_its_bound),
        cmocka_unit_test(the_largest_file_is_counted_right),
        cmocka_unit_test(there_is_one_way_to_write_a_manifest),
        cmocka_unit_test(seventeen_machines_are_too_many),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(the_longest_manifest_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

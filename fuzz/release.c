// Target functions: pw_release_head_len, _read, _judge, _root_read, _root_follow, _version_compare.
// What is read is written again as the same bytes; what is fine keeps every rule; a root that did
// not follow is never kept. Signatures are good when they begin as their key does, so that the
// fuzzer can sign; OpenSSL has its own fuzzers.
#include "release/release.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool verify(void *context, const uint8_t key[PW_RELEASE_KEY_LEN], struct pw_str label,
                   struct pw_str message, const uint8_t signature[64])
{
    (void)context;
    PW_ASSERT(label.len > 0 && message.len > 0);
    return signature[0] == key[0];
}

static const struct pw_release_crypto crypto = {.verify = verify, .test_keys = true};

// The fuzzer's root: keys that begin with 1, 2, 3, and one release key that begins with 4.
static struct pw_release_root first_root(void)
{
    struct pw_release_root root = {.version = 1, .expires = INT64_C(4102444800000)};
    root.roots = (struct pw_release_keys){.count = 3, .threshold = 2};
    root.releases = (struct pw_release_keys){.count = 1, .threshold = 1};
    root.roots.key[0][0] = 1;
    root.roots.key[1][0] = 2;
    root.roots.key[2][0] = 3;
    root.releases.key[0][0] = 4;
    return root;
}

static void check_manifest(struct pw_str manifest, const struct pw_release *release)
{
    static char text[PW_RELEASE_MANIFEST_MAX + 1];
    struct pw_out out = PW_OUT(text);
    PW_ASSERT(pw_release_write(release, &out));
    PW_ASSERT(pw_str_eq(pw_out_str(&out), manifest));
    uint64_t end = release->component[0].offset;
    bool program = false;
    for (uint8_t i = 0; i < release->components; i++) {
        PW_ASSERT(release->component[i].offset == end && release->component[i].size > 0);
        PW_ASSERT(strchr(release->component[i].name, '/') == NULL);
        end += release->component[i].size;
        program = program || strcmp(release->component[i].name, PW_RELEASE_PROGRAM) == 0;
    }
    PW_ASSERT(end == release->file_size && program && release->hardware_count > 0);
}

static void check_roots(struct pw_str roots)
{
    char text[PW_RELEASE_ROOT_MAX + 1];
    char sentence[400];
    struct pw_out why = PW_OUT(sentence);
    struct pw_release_root_text parts;
    struct pw_release_root root;
    while (roots.len > 0) {
        struct pw_out out = PW_OUT(text);
        PW_ASSERT(pw_release_root_cut(&roots, &parts, &why) == PW_OK);
        PW_ASSERT(pw_release_root_parse(parts.document, &root, &why) == PW_OK);
        PW_ASSERT(pw_release_root_write(&root, &out));
        PW_ASSERT(pw_str_eq(pw_out_str(&out), parts.document));
    }
}

static void check_root(struct pw_str all)
{
    char sentence[400];
    struct pw_out why = PW_OUT(sentence);
    struct pw_release_root now = first_root();
    struct pw_release_root next = {.version = 77};
    struct pw_release_root read;
    if (pw_release_root_read(all, &crypto, &read, &why) != PW_OK) {
        PW_ASSERT(read.version == 0 && why.len > 0);
    }
    int err = pw_release_root_follow(all, &crypto, &now, &next, &why);
    PW_ASSERT(err == PW_OK ? next.version == 2 : next.version == 77);
}

static void check_judge(struct pw_str head)
{
    char sentence[600];
    struct pw_out why = PW_OUT(sentence);
    static struct pw_release release;
    struct pw_release_root root = first_root();
    struct pw_release_root newest;
    const struct pw_release_rules rules = {
        .crypto = &crypto,
        .root = &root,
        .product = PW_STR("p"),
        .hardware = PW_STR("h"),
        .running = PW_STR("1.0.0"),
        .counter = 5,
        .most_bytes = 1 << 20,
        .wall = INT64_C(1800000000000),
    };
    enum pw_release_verdict verdict = pw_release_judge(head, &rules, &release, &newest, &why);
    PW_ASSERT((verdict == PW_RELEASE_FINE) == (why.len == 0) && !why.full);
    PW_ASSERT(pw_release_verdict_name(verdict) != NULL);
    PW_ASSERT(newest.version >= 1 && newest.roots.threshold >= 1 &&
              newest.roots.threshold <= newest.roots.count);
    if (verdict == PW_RELEASE_FINE) {
        PW_ASSERT(strcmp(release.product, "p") == 0 && release.security_counter >= 5 &&
                  release.file_size <= 1 << 20 && strcmp(release.version, "1.0.0") != 0);
    }
}

static void check_versions(struct pw_str all)
{
    struct pw_str b = all;
    struct pw_str a = pw_str_cut(&b, '\n');
    int order = pw_release_version_compare(a, b);
    PW_ASSERT(order == PW_RELEASE_VERSION_BAD ? pw_release_version_compare(b, a) == order
                                              : pw_release_version_compare(b, a) == -order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_release release;
    char sentence[600];
    struct pw_out why = PW_OUT(sentence);
    struct pw_release_parts parts;
    uint32_t len = 0;
    struct pw_str all = {.at = (const char *)data, .len = size};
    check_versions(all);
    check_root(all);
    if (size < PW_RELEASE_FIXED || pw_release_head_len(data, &len) != PW_OK) {
        PW_ASSERT(pw_release_read(all, &release, &why) == PW_ERR_RANGE);
        return 0;
    }
    PW_ASSERT(len <= PW_RELEASE_HEAD_MAX);
    struct pw_str head = {.at = all.at, .len = len < size ? len : size};
    check_judge(head);
    if (pw_release_read(head, &release, &why) == PW_OK) {
        PW_ASSERT(pw_release_parts(head, &parts, &why) == PW_OK);
        check_manifest(parts.manifest, &release);
        check_roots(parts.roots);
    } else {
        PW_ASSERT(why.len > 0 && !why.full);
    }
    return 0;
}

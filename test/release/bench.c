#include "bench.h"

#include "ed25519/ed25519.h"

void bench_begin(struct bench *bench)
{
    bench->crypto = pw_ed25519_crypto();
    bench->crypto.test_keys = true;
    bench->root = pw_make_root_1();
    bench->rules = (struct pw_release_rules){
        .crypto = &bench->crypto,
        .root = &bench->root,
        .product = PW_STR(PW_MAKE_PRODUCT),
        .hardware = PW_STR(PW_MAKE_HARDWARE),
        .running = PW_STR("0.9.0"),
        .most_bytes = 1 << 20,
        .wall = NOW,
    };
}

enum pw_release_verdict bench_judge(struct bench *bench)
{
    struct pw_out why = PW_OUT(bench->why);
    uint32_t len = 0;
    bench->why[0] = '\0';
    if (bench->len < PW_RELEASE_FIXED || pw_release_head_len(bench->file, &len) != PW_OK) {
        bench->newest = bench->root;
        return PW_RELEASE_MALFORMED;
    }
    PW_ASSERT(len <= PW_RELEASE_HEAD_MAX);
    struct pw_str head = {.at = (const char *)bench->file,
                          .len = len < bench->len ? len : bench->len};
    enum pw_release_verdict verdict =
        pw_release_judge(head, &bench->rules, &bench->release, &bench->newest, &why);
    PW_ASSERT((verdict == PW_RELEASE_FINE) == (why.len == 0) && !why.full);
    return verdict;
}

enum pw_release_verdict bench_release(struct bench *bench, const struct pw_make *make)
{
    bench->len = pw_make_release(make, bench->file, sizeof(bench->file));
    return bench_judge(bench);
}

enum pw_release_verdict bench_manifest(struct bench *bench, const char *manifest)
{
    static const char *const signer[] = {PW_MAKE_RELEASE_1, NULL};
    bench->len = pw_make_head((struct pw_str){.at = "", .len = 0}, pw_str_of(manifest), signer,
                              bench->file, sizeof(bench->file));
    return bench_judge(bench);
}

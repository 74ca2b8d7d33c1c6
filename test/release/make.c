#include "make.h"

#include "ed25519/ed25519.h"

#include <string.h>

static void hash(const void *at, size_t len, uint8_t digest[PW_SHA256_LEN])
{
    struct pw_sha256 sha;
    pw_sha256_begin(&sha);
    pw_sha256_add(&sha, at, len);
    pw_sha256_end(&sha, digest);
}

void pw_make_key(const char *name, uint8_t seed[32], uint8_t key[PW_RELEASE_KEY_LEN])
{
    uint8_t secret[PW_SHA256_LEN];
    uint8_t open[PW_RELEASE_KEY_LEN];
    hash(name, strlen(name), secret);
    PW_ASSERT(pw_ed25519_public(secret, open));
    if (seed != NULL) {
        memcpy(seed, secret, sizeof(secret));
    }
    if (key != NULL) {
        memcpy(key, open, sizeof(open));
    }
}

// Signatures of these names over label and message, key ids in rising order. How many.
static uint8_t sign(const char *label, struct pw_str message, const char *const *signer,
                    uint8_t most, uint8_t *to)
{
    uint8_t count = 0;
    for (uint8_t i = 0; i < most && signer[i] != NULL; i++) {
        uint8_t seed[32];
        uint8_t key[PW_RELEASE_KEY_LEN];
        uint8_t id[PW_SHA256_LEN];
        uint8_t *at = to;
        pw_make_key(signer[i], seed, key);
        hash(key, sizeof(key), id);
        while (at < to + (size_t)count * PW_RELEASE_SIGNATURE_LEN &&
               memcmp(at, id, sizeof(id)) < 0) {
            at += PW_RELEASE_SIGNATURE_LEN;
        }
        size_t behind = (size_t)(to + (size_t)count * PW_RELEASE_SIGNATURE_LEN - at);
        memmove(at + PW_RELEASE_SIGNATURE_LEN, at, behind);
        memcpy(at, id, sizeof(id));
        PW_ASSERT(pw_ed25519_sign(seed, pw_str_of(label), message, at + PW_SHA256_LEN));
        count++;
    }
    return count;
}

static void copy(char *to, size_t cap, const char *from)
{
    PW_ASSERT(pw_str_copy(to, cap, pw_str_of(from)) == PW_OK);
}

static void fill(const struct pw_make *make, struct pw_release *release)
{
    *release = (struct pw_release){.security_counter = make->counter, .expires = make->expires};
    copy(release->product, sizeof(release->product),
         make->product != NULL ? make->product : PW_MAKE_PRODUCT);
    copy(release->version, sizeof(release->version),
         make->version != NULL ? make->version : "1.0.0");
    copy(release->min_from, sizeof(release->min_from),
         make->min_from != NULL ? make->min_from : "");
    copy(release->hardware[0], sizeof(release->hardware[0]), PW_MAKE_HARDWARE);
    release->hardware_count = 1;
    for (uint8_t i = 0; i < PW_RELEASE_HARDWARE_MAX && make->hardware[i] != NULL; i++) {
        copy(release->hardware[i], sizeof(release->hardware[i]), make->hardware[i]);
        release->hardware_count = (uint8_t)(i + 1);
    }
}

size_t pw_make_head(struct pw_str roots, struct pw_str manifest, const char *const *signer,
                    uint8_t *to, size_t cap)
{
    struct pw_bin_out file = {.at = to, .cap = cap};
    uint8_t signature[PW_MAKE_SIGNERS_MAX * PW_RELEASE_SIGNATURE_LEN];
    uint8_t signatures =
        signer == NULL ? 0
                       : sign(PW_RELEASE_LABEL, manifest, signer, PW_MAKE_SIGNERS_MAX, signature);
    size_t signed_len = (size_t)signatures * PW_RELEASE_SIGNATURE_LEN;
    pw_bin_put_bytes(&file, "PWREL1\r\n", 8);
    pw_bin_put(&file, roots.len, 4);
    pw_bin_put(&file, manifest.len, 4);
    pw_bin_put(&file, signed_len, 4);
    if (roots.len > 0) {
        pw_bin_put_bytes(&file, roots.at, roots.len);
    }
    pw_bin_put_bytes(&file, manifest.at, manifest.len);
    pw_bin_put_bytes(&file, signature, signed_len);
    PW_ASSERT(!file.bad);
    return file.len;
}

// What is installed, and how the manifest names it.
static void put_components(const struct pw_make *make, struct pw_release *release,
                           struct pw_out *program,
                           struct pw_make_component component[PW_RELEASE_COMPONENTS_MAX])
{
    pw_put_s(program, "program ");
    pw_put_s(program, release->version);
    memcpy(component, make->component, sizeof(make->component));
    for (uint8_t i = 0; i < PW_RELEASE_COMPONENTS_MAX && (i == 0 || component[i].len > 0); i++) {
        struct pw_release_component *written = &release->component[release->components++];
        if (component[i].len == 0) {
            component[i].bytes = program->at;
            component[i].len = program->len;
        }
        copy(written->name, sizeof(written->name),
             component[i].name != NULL ? component[i].name : PW_RELEASE_PROGRAM);
        written->size = component[i].len;
        hash(component[i].bytes, component[i].len, written->sha256);
    }
}

size_t pw_make_release(const struct pw_make *make, uint8_t *to, size_t cap)
{
    static const char *const usual[] = {PW_MAKE_RELEASE_1, NULL};
    struct pw_release release;
    char text[PW_RELEASE_MANIFEST_MAX];
    struct pw_out manifest = PW_OUT(text);
    char said[64];
    struct pw_out program = PW_OUT(said);
    struct pw_make_component component[PW_RELEASE_COMPONENTS_MAX];
    const char *const *signer = make->signer[0] != NULL ? make->signer : usual;
    fill(make, &release);
    put_components(make, &release, &program, component);
    PW_ASSERT(pw_release_write(&release, &manifest));
    size_t head =
        pw_make_head(make->roots, pw_out_str(&manifest), make->nobody ? NULL : signer, to, cap);
    struct pw_bin_out file = {.at = to, .cap = cap, .len = head};
    for (uint8_t i = 0; i < release.components; i++) {
        pw_bin_put_bytes(&file, component[i].bytes, component[i].len);
    }
    PW_ASSERT(!file.bad);
    return file.len;
}

void pw_make_add(struct pw_release_keys *keys, const char *name)
{
    uint8_t key[PW_RELEASE_KEY_LEN];
    uint8_t at = 0;
    pw_make_key(name, NULL, key);
    PW_ASSERT(keys->count < PW_RELEASE_KEYS_MAX);
    while (at < keys->count && memcmp(keys->key[at], key, sizeof(key)) < 0) {
        at++;
    }
    memmove(keys->key[at + 1], keys->key[at], (size_t)(keys->count - at) * sizeof(key));
    memcpy(keys->key[at], key, sizeof(key));
    keys->count++;
}

struct pw_release_root pw_make_root_1(void)
{
    struct pw_release_root root = {.version = 1, .expires = PW_MAKE_EXPIRES};
    root.roots.threshold = 2;
    root.releases.threshold = 1;
    pw_make_add(&root.roots, PW_MAKE_ROOT_1);
    pw_make_add(&root.roots, PW_MAKE_ROOT_2);
    pw_make_add(&root.roots, PW_MAKE_ROOT_3);
    pw_make_add(&root.releases, PW_MAKE_RELEASE_1);
    pw_make_add(&root.releases, PW_MAKE_RELEASE_2);
    pw_make_add(&root.releases, PW_MAKE_RELEASE_3);
    return root;
}

size_t pw_make_root(const struct pw_release_root *root, const char *const *signer, uint8_t *to,
                    size_t cap)
{
    char text[PW_RELEASE_ROOT_MAX];
    struct pw_out document = PW_OUT(text);
    struct pw_bin_out out = {.at = to, .cap = cap};
    uint8_t signature[PW_RELEASE_ROOT_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN];
    PW_ASSERT(pw_release_root_write(root, &document));
    uint8_t count = sign(PW_RELEASE_ROOT_LABEL, pw_out_str(&document), signer,
                         PW_RELEASE_ROOT_SIGNATURES_MAX, signature);
    pw_bin_put(&out, document.len, 4);
    pw_bin_put_bytes(&out, text, document.len);
    pw_bin_put(&out, count, 1);
    pw_bin_put_bytes(&out, signature, (size_t)count * PW_RELEASE_SIGNATURE_LEN);
    PW_ASSERT(!out.bad);
    return out.len;
}

size_t pw_make_signed_root_1(uint8_t *to, size_t cap)
{
    static const char *const signer[] = {PW_MAKE_ROOT_1, PW_MAKE_ROOT_2, NULL};
    struct pw_release_root root = pw_make_root_1();
    return pw_make_root(&root, signer, to, cap);
}

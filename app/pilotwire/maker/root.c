#include "maker/root.h"

#include "ed25519/ed25519.h"
#include "file.h"
#include "json/json.h"
#include "maker/key.h"
#include "maker/pack.h"

#include <stdlib.h>
#include <string.h>

int root_open(struct root_file *file, const char *name, struct pw_out *why)
{
    size_t len = 0;
    file->text = file_read(name, &len, why);
    struct pw_str rest = {.at = file->text, .len = len};
    if (file->text == NULL) {
        return EXIT_UNREACHABLE;
    }
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    int err = pw_release_root_cut(&rest, &file->parts, why);
    if (err == PW_OK && rest.len > 0) {
        pw_put_s(why, "something follows the root document");
        err = PW_ERR_RANGE;
    }
    if (err == PW_OK) {
        err = pw_release_root_parse(file->parts.document, &file->root, why);
    }
    if (err != PW_OK) {
        root_close(file);
        return EXIT_REFUSED;
    }
    why->len = 0;
    return EXIT_DONE;
}

void root_close(struct root_file *file)
{
    free(file->text);
    file->text = NULL;
}

static int root_put(const char *name, struct pw_str document, const struct signatures *signatures,
                    struct pw_out *why)
{
    struct draft draft;
    uint8_t len[4];
    PW_ASSERT(document.len <= PW_RELEASE_ROOT_MAX);
    pw_set_be32(len, (uint32_t)document.len);
    int code = draft_open(&draft, name, why);
    if (code != EXIT_DONE) {
        return code;
    }
    code = draft_put(&draft, len, sizeof(len), why);
    if (code == EXIT_DONE) {
        code = draft_put(&draft, document.at, document.len, why);
    }
    if (code == EXIT_DONE) {
        code = draft_put(&draft, &signatures->count, 1, why);
    }
    if (code == EXIT_DONE) {
        code = draft_put_signatures(&draft, signatures, why);
    }
    return draft_end(&draft, code, why);
}

// ---------------------------------------------------------------------------------------------
// A new one.

// In rising order. EXIT_USAGE with *why: it stands twice, or there are 8 already.
static int add_key(struct pw_release_keys *keys, const char *given, struct pw_out *why)
{
    uint8_t key[PW_RELEASE_KEY_LEN];
    uint8_t at = 0;
    int code = key_read_open(key, given, why);
    if (code != EXIT_DONE) {
        return code;
    }
    while (at < keys->count && memcmp(keys->key[at], key, sizeof(key)) < 0) {
        at++;
    }
    if (at < keys->count && memcmp(keys->key[at], key, sizeof(key)) == 0) {
        return pw_refuse(why, EXIT_USAGE, given, "is given twice");
    }
    if (keys->count == PW_RELEASE_KEYS_MAX) {
        return pw_refuse(why, EXIT_USAGE, given,
                         "is one more than the 8 keys that a role can have");
    }
    memmove(keys->key[at + 1], keys->key[at], (size_t)(keys->count - at) * sizeof(key));
    memcpy(keys->key[at], key, sizeof(key));
    keys->count++;
    return EXIT_DONE;
}

// Keys that are given take the place of all that were there before.
static int set_role(struct pw_release_keys *keys, const struct words *given, const char *option,
                    const char *threshold, int64_t usual, struct pw_out *why)
{
    int code = EXIT_DONE;
    int64_t needed = keys->threshold != 0 ? keys->threshold : usual;
    if (given->count > 0) {
        keys->count = 0;
    }
    for (size_t i = 0; i < given->count && code == EXIT_DONE; i++) {
        code = add_key(keys, given->word[i], why);
    }
    if (code == EXIT_DONE && keys->count == 0) {
        return pw_refuse(why, EXIT_USAGE, option, "at least one key is needed");
    }
    if (code == EXIT_DONE) {
        code = options_number(option, threshold, 1, keys->count, &needed, why);
    }
    if (code == EXIT_DONE && needed > keys->count) {
        code = pw_refuse(why, EXIT_USAGE, option, "there are fewer keys than the threshold");
    }
    keys->threshold = (uint8_t)needed;
    return code;
}

static unsigned test_keys(const struct pw_release_keys *keys)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < keys->count; i++) {
        count += pw_release_is_test_key(keys->key[i]) ? 1U : 0U;
    }
    return count;
}

// A real root must not trust keys that everybody has; one of test keys only is for tests.
static int check_mixture(const struct pw_release_root *root, struct pw_out *why)
{
    unsigned test = test_keys(&root->roots) + test_keys(&root->releases);
    unsigned all = (unsigned)root->roots.count + root->releases.count;
    if (test == 0 || test == all) {
        return EXIT_DONE;
    }
    pw_put_uint(why, test);
    pw_put_s(why, " of ");
    pw_put_uint(why, all);
    pw_put_s(why, " keys are well-known test keys: everybody can sign with them");
    return EXIT_REFUSED;
}

static int fill(struct pw_release_root *root, const struct options *options, struct pw_out *why)
{
    int64_t version = root->version + 1;
    root->expires = 0;
    int code = options_number("--version", options->version, 1, PW_RELEASE_ROOT_VERSION_MAX,
                              &version, why);
    root->version = (uint32_t)version;
    if (code == EXIT_DONE) {
        code = options_time("--expires", options->expires, &root->expires, why);
    }
    if (code == EXIT_DONE) {
        code = set_role(&root->roots, &options->root_key, "--root-threshold",
                        options->root_threshold, 2, why);
    }
    if (code == EXIT_DONE) {
        code = set_role(&root->releases, &options->release_key, "--release-threshold",
                        options->release_threshold, 1, why);
    }
    return code == EXIT_DONE ? check_mixture(root, why) : code;
}

int root_new(const struct options *options)
{
    static char document[PW_RELEASE_ROOT_MAX];
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_out out = PW_OUT(document);
    struct root_file before = {.root = {.version = 0}};
    int code = EXIT_DONE;
    if (options->out == NULL || options->expires == NULL) {
        return fail_usage("release root new", "needs --expires and --out");
    }
    if (options->from != NULL) {
        code = root_open(&before, options->from, &why);
        root_close(&before);
    }
    struct pw_release_root *root = &before.root;
    if (code == EXIT_DONE) {
        code = fill(root, options, &why);
    }
    if (code == EXIT_DONE) {
        PW_ASSERT(pw_release_root_write(root, &out));
        code = root_put(options->out, pw_out_str(&out), &(struct signatures){.count = 0}, &why);
    }
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    (void)printf("%s: root %u, %u of %u root keys must sign it\n", options->out, root->version,
                 root->roots.threshold, root->roots.count);
    return EXIT_DONE;
}

// ---------------------------------------------------------------------------------------------
// Signing.

int root_sign(const struct options *options)
{
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct signatures signatures;
    struct root_file file;
    const char *name = options->arguments.word[0];
    if (options->key.count == 0) {
        return fail_usage("release root sign", "needs --key FILE");
    }
    int code = root_open(&file, name, &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    signatures_load(&signatures, file.parts.signature, file.parts.signatures);
    for (size_t i = 0; i < options->key.count && code == EXIT_DONE; i++) {
        struct key key;
        uint8_t made[PW_RELEASE_SIGNATURE_LEN];
        code = key_read(&key, options->key.word[i], options->passphrase_file, &why);
        if (code == EXIT_DONE && !pw_ed25519_sign(key.seed, PW_STR(PW_RELEASE_ROOT_LABEL),
                                                  file.parts.document, made + PW_SHA256_LEN)) {
            code = pw_refuse(&why, EXIT_UNREACHABLE, options->key.word[i], "cannot sign");
        }
        if (code == EXIT_DONE) {
            memcpy(made, key.id, PW_SHA256_LEN);
        }
        key_forget(&key);
        if (code == EXIT_DONE &&
            !signatures_add(&signatures, PW_RELEASE_ROOT_SIGNATURES_MAX, made)) {
            code = pw_refuse(&why, EXIT_REFUSED, name, "has 16 signatures, the most there are");
        }
    }
    if (code == EXIT_DONE) {
        code = root_put(name, file.parts.document, &signatures, &why);
    }
    root_close(&file);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    (void)printf("%s: root %u, %u signatures\n", name, file.root.version, signatures.count);
    return EXIT_DONE;
}

// ---------------------------------------------------------------------------------------------
// Looking.

static void show_keys(const char *title, const struct pw_release_keys *keys)
{
    (void)printf("%s %u of\n", title, keys->threshold);
    for (uint8_t i = 0; i < keys->count; i++) {
        char text[80];
        struct pw_out out = PW_OUT(text);
        uint8_t id[PW_SHA256_LEN];
        key_id(keys->key[i], id);
        key_put_hex(&out, keys->key[i], PW_RELEASE_KEY_LEN);
        const char *test = key_test_name(id);
        (void)printf("               %s%s%s\n", text, test != NULL ? "  test key: " : "",
                     test != NULL ? test : "");
    }
}

static bool has_signed(const struct root_file *file, const uint8_t key[PW_RELEASE_KEY_LEN])
{
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    struct pw_release_keys one = {.count = 1, .threshold = 1};
    crypto.test_keys = true; // who signed, not whether it counts
    memcpy(one.key[0], key, PW_RELEASE_KEY_LEN);
    const struct pw_release_signed what = {.label = PW_RELEASE_ROOT_LABEL,
                                           .message = file->parts.document,
                                           .signature = file->parts.signature,
                                           .signatures = file->parts.signatures};
    return pw_release_count(&crypto, &one, &what, NULL) == 1;
}

static unsigned signed_by_own(const struct root_file *file)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < file->root.roots.count; i++) {
        count += has_signed(file, file->root.roots.key[i]) ? 1U : 0U;
    }
    return count;
}

static void json_keys(struct pw_json_writer *json, const char *role,
                      const struct pw_release_keys *keys)
{
    pw_json_key(json, role);
    pw_json_open(json, '{');
    pw_json_say_int(json, "threshold", keys->threshold);
    pw_json_key(json, "keys");
    pw_json_open(json, '[');
    for (uint8_t i = 0; i < keys->count; i++) {
        char text[80];
        struct pw_out out = PW_OUT(text);
        key_put_hex(&out, keys->key[i], PW_RELEASE_KEY_LEN);
        pw_json_put_s(json, text);
    }
    pw_json_close(json, ']');
    pw_json_say_int(json, "test_keys", (int64_t)test_keys(keys));
    pw_json_close(json, '}');
}

static void show_json(const struct root_file *file)
{
    char text[8192];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "version", file->root.version);
    pw_json_key(&json, "expires");
    pw_json_put_time(&json, file->root.expires);
    json_keys(&json, "root", &file->root.roots);
    json_keys(&json, "release", &file->root.releases);
    pw_json_say_int(&json, "signatures", file->parts.signatures);
    pw_json_say_int(&json, "signed_by_own", (int64_t)signed_by_own(file));
    pw_json_close(&json, '}');
    (void)puts(text);
}

int root_show(const struct options *options)
{
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    char expires[PW_TIME_TEXT_MAX];
    struct pw_out until = PW_OUT(expires);
    struct root_file file;
    int code = root_open(&file, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    pw_put_time(&until, file.root.expires);
    if (options->json) {
        show_json(&file);
    } else {
        (void)printf("root version   %u\nexpires        %s\n", file.root.version, expires);
        show_keys("root keys     ", &file.root.roots);
        show_keys("release keys  ", &file.root.releases);
        (void)printf("signatures     %u, good ones of its own root keys: %u\n",
                     file.parts.signatures, signed_by_own(&file));
    }
    root_close(&file);
    return EXIT_DONE;
}

int root_verify(const struct options *options)
{
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    struct pw_release_root root;
    struct root_file before = {.text = NULL};
    struct root_file file;
    int code = root_open(&file, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    int err = PW_OK;
    if (options->from != NULL) {
        code = root_open(&before, options->from, &why);
        err = code == EXIT_DONE
                  ? pw_release_root_follow(file.parts.whole, &crypto, &before.root, &root, &why)
                  : PW_OK;
    } else {
        err = pw_release_root_read(file.parts.whole, &crypto, &root, &why);
    }
    root_close(&before);
    root_close(&file);
    if (code != EXIT_DONE || err != PW_OK) {
        return fail_with(code != EXIT_DONE ? code : EXIT_REFUSED, &why);
    }
    (void)printf("%s: good, root %u\n", options->arguments.word[0], root.version);
    return EXIT_DONE;
}

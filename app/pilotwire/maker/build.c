#include "maker/build.h"

#include "ed25519/ed25519.h"
#include "file.h"
#include "maker/key.h"
#include "maker/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// ---------------------------------------------------------------------------------------------
// A new one.

struct plan {
    struct pw_release release;
    const char *file[PW_RELEASE_COMPONENTS_MAX];
    uint64_t total;
    char manifest[PW_RELEASE_MANIFEST_MAX];
    size_t manifest_len;
    char roots[PW_RELEASE_ROOTS_MAX];
    size_t roots_len;
};

static bool is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-_");
    return text[0] >= 'a' && text[0] <= 'z' && text[len] == '\0';
}

static bool is_version(const char *text)
{
    struct pw_str version = pw_str_of(text);
    return pw_release_version_compare(version, version) == 0;
}

static bool is_address(const char *text)
{
    bool plain = pw_str_starts(pw_str_of(text), "https://") && strpbrk(text, "\"\\") == NULL;
    for (size_t i = 0; text[i] != '\0'; i++) {
        plain = plain && text[i] > ' ' && text[i] <= '~';
    }
    return plain;
}

// The rules are core/release's; here they are said with the option's name.
static const struct rule {
    bool (*fits)(const char *text);
    const char *must;
} name_rule = {is_name, "must be small letters, digits, '.', '-' and '_', a letter first"},
  version_rule = {is_version, "must be a version as 1.20.3 or 1.20.3-rc1"},
  address_rule = {is_address, "must begin with https:// and have visible ASCII only"};

static int copy_text(char *to, size_t cap, const char *option, const char *given,
                     const struct rule *rule, struct pw_out *why)
{
    if (given == NULL) {
        return EXIT_DONE;
    }
    bool fits = rule->fits(given);
    if (fits && pw_str_copy(to, cap, pw_str_of(given)) == PW_OK) {
        return EXIT_DONE;
    }
    pw_put_s(why, option);
    pw_put_s(why, " is ");
    pw_put_s(why, given);
    pw_put_s(why, ", ");
    pw_put_s(why, fits ? "must be shorter; its most characters are " : rule->must);
    if (fits) {
        pw_put_uint(why, cap - 1);
    }
    return EXIT_USAGE;
}

static int plan_texts(struct plan *plan, const struct options *options, struct pw_out *why)
{
    struct pw_release *release = &plan->release;
    int64_t counter = 0;
    const struct {
        char *to;
        size_t cap;
        const char *option;
        const char *given;
        const struct rule *rule;
    } texts[] = {
        {release->product, sizeof(release->product), "--product",
         options->product != NULL ? options->product : PW_RELEASE_PROGRAM, &name_rule},
        {release->version, sizeof(release->version), "--version", options->version, &version_rule},
        {release->min_from, sizeof(release->min_from), "--min-from", options->min_from,
         &version_rule},
        {release->notes_url, sizeof(release->notes_url), "--notes", options->notes, &address_rule},
    };
    int code = options->hardware.count <= PW_RELEASE_HARDWARE_MAX
                   ? EXIT_DONE
                   : pw_refuse(why, EXIT_USAGE, "--hardware", "is given more than 16 times");
    for (size_t i = 0; i < PW_COUNT(texts) && code == EXIT_DONE; i++) {
        code = copy_text(texts[i].to, texts[i].cap, texts[i].option, texts[i].given, texts[i].rule,
                         why);
    }
    for (size_t i = 0; i < options->hardware.count && code == EXIT_DONE; i++) {
        code = copy_text(release->hardware[i], PW_RELEASE_NAME_MAX, "--hardware",
                         options->hardware.word[i], &name_rule, why);
    }
    if (code == EXIT_DONE) {
        release->hardware_count = (uint8_t)options->hardware.count;
        code = options_number("--counter", options->counter, 0, UINT32_MAX, &counter, why);
        release->security_counter = (uint32_t)counter;
    }
    return code == EXIT_DONE ? options_time("--expires", options->expires, &release->expires, why)
                             : code;
}

static int measure(struct pw_release_component *component, const char *file, struct pw_out *why)
{
    struct stat is;
    FILE *from = fopen(file, "re");
    if (from == NULL) {
        return pw_refuse(why, EXIT_UNREACHABLE, file, strerror(errno));
    }
    int code = EXIT_DONE;
    if (fstat(fileno(from), &is) != 0 || !S_ISREG(is.st_mode)) {
        code = pw_refuse(why, EXIT_UNREACHABLE, file, "is not a file");
    } else if (is.st_size == 0 || (uint64_t)is.st_size > PW_RELEASE_SIZE_MAX) {
        code = pw_refuse(why, EXIT_USAGE, file, "must have 1 to 1099511627776 bytes");
    } else {
        component->size = (uint64_t)is.st_size;
        struct stream stream = {.from = from, .name = file, .total = component->size};
        code = stream_take(&stream, component->size, component->sha256, why);
    }
    (void)fclose(from);
    return code;
}

static int plan_components(struct plan *plan, const struct options *options, struct pw_out *why)
{
    if (options->component.count > PW_RELEASE_COMPONENTS_MAX) {
        return pw_refuse(why, EXIT_USAGE, "--component", "is given more than 8 times");
    }
    for (size_t i = 0; i < options->component.count; i++) {
        struct pw_release_component *component = &plan->release.component[i];
        const char *given = options->component.word[i];
        const char *equals = strchr(given, '=');
        if (equals == NULL || equals[1] == '\0') {
            return pw_refuse(why, EXIT_USAGE, given, "must be NAME=FILE");
        }
        if (pw_str_copy(component->name, sizeof(component->name),
                        (struct pw_str){.at = given, .len = (size_t)(equals - given)}) != PW_OK) {
            return pw_refuse(why, EXIT_USAGE, given, "its name must have at most 31 characters");
        }
        plan->file[i] = equals + 1;
        int code = measure(component, plan->file[i], why);
        if (code != EXIT_DONE) {
            return code;
        }
        plan->total += component->size;
    }
    plan->release.components = (uint8_t)options->component.count;
    return EXIT_DONE;
}

static int plan_roots(struct plan *plan, const struct options *options, struct pw_out *why)
{
    for (size_t i = 0; i < options->root.count; i++) {
        size_t len = 0;
        char *text = file_read(options->root.word[i], &len, why);
        if (text == NULL) {
            return EXIT_UNREACHABLE;
        }
        bool fits = len <= sizeof(plan->roots) - plan->roots_len;
        if (fits) {
            memcpy(plan->roots + plan->roots_len, text, len);
            plan->roots_len += len;
        }
        free(text);
        if (!fits) {
            return pw_refuse(why, EXIT_USAGE, options->root.word[i],
                             "all root documents must have at most 8192 bytes");
        }
    }
    return EXIT_DONE;
}

// What was made is read as a station reads it: whatever breaks a rule is said by who knows the
// rules.
static int plan_check(struct plan *plan, struct pw_out *why)
{
    static struct pw_release again;
    static uint8_t head[PW_RELEASE_HEAD_MAX];
    struct pw_bin_out out = {.at = head, .cap = sizeof(head)};
    struct pw_out manifest = PW_OUT(plan->manifest);
    if (!pw_release_write(&plan->release, &manifest)) {
        return pw_refuse(why, EXIT_USAGE, "manifest", "is longer than 16384 bytes");
    }
    plan->manifest_len = manifest.len;
    pw_bin_put_bytes(&out, "PWREL1\r\n", 8);
    pw_bin_put(&out, plan->roots_len, 4);
    pw_bin_put(&out, plan->manifest_len, 4);
    pw_bin_put(&out, 0, 4);
    pw_bin_put_bytes(&out, plan->roots, plan->roots_len);
    pw_bin_put_bytes(&out, plan->manifest, plan->manifest_len);
    return pw_release_read(pw_bin_str(&out), &again, why) == PW_OK ? EXIT_DONE : EXIT_USAGE;
}

static int put_components(const struct plan *plan, struct draft *draft, struct pw_out *why)
{
    struct stream stream = {.to = draft, .total = plan->total};
    int code = EXIT_DONE;
    for (uint8_t i = 0; i < plan->release.components && code == EXIT_DONE; i++) {
        const struct pw_release_component *component = &plan->release.component[i];
        uint8_t sha256[PW_SHA256_LEN];
        FILE *from = fopen(plan->file[i], "re");
        if (from == NULL) {
            return pw_refuse(why, EXIT_UNREACHABLE, plan->file[i], strerror(errno));
        }
        stream.from = from;
        stream.name = plan->file[i];
        code = stream_take(&stream, component->size, sha256, why);
        if (code == EXIT_DONE &&
            (memcmp(sha256, component->sha256, sizeof(sha256)) != 0 || fgetc(from) != EOF)) {
            code = pw_refuse(why, EXIT_UNREACHABLE, plan->file[i], "changed while it was read");
        }
        (void)fclose(from);
    }
    return code;
}

int build_release(const struct options *options)
{
    static struct plan plan;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct draft draft = {.to = NULL};
    if (options->version == NULL || options->out == NULL || options->hardware.count == 0 ||
        options->component.count == 0) {
        return fail_usage("release build", "needs --version, --hardware, --component and --out");
    }
    int code = plan_texts(&plan, options, &why);
    if (code == EXIT_DONE) {
        code = plan_components(&plan, options, &why);
    }
    if (code == EXIT_DONE) {
        code = plan_roots(&plan, options, &why);
    }
    if (code == EXIT_DONE) {
        code = plan_check(&plan, &why);
    }
    if (code == EXIT_DONE) {
        code = draft_open(&draft, options->out, &why);
    }
    if (code == EXIT_DONE) {
        struct pw_str roots = {.at = plan.roots, .len = plan.roots_len};
        struct pw_str manifest = {.at = plan.manifest, .len = plan.manifest_len};
        code = draft_put_head(&draft, roots, manifest, &(struct signatures){.count = 0}, &why);
    }
    if (code == EXIT_DONE) {
        code = put_components(&plan, &draft, &why);
    }
    code = draft_end(&draft, code, &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    (void)printf("%s: version %s, not signed yet\n", options->out, plan.release.version);
    return EXIT_DONE;
}

// ---------------------------------------------------------------------------------------------
// Signatures.

// Signs what `pack` has with each key; those that were there stay.
static int sign(const struct pack *pack, const struct options *options,
                struct signatures *signatures, struct pw_out *why)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < options->key.count && code == EXIT_DONE; i++) {
        struct key key;
        uint8_t made[PW_RELEASE_SIGNATURE_LEN];
        code = key_read(&key, options->key.word[i], options->passphrase_file, why);
        if (code == EXIT_DONE && !pw_ed25519_sign(key.seed, PW_STR(PW_RELEASE_LABEL),
                                                  pack->parts.manifest, made + PW_SHA256_LEN)) {
            code = pw_refuse(why, EXIT_UNREACHABLE, options->key.word[i], "cannot sign");
        }
        if (code == EXIT_DONE) {
            memcpy(made, key.id, PW_SHA256_LEN);
        }
        if (code == EXIT_DONE && !signatures_add(signatures, PW_RELEASE_SIGNATURES_MAX, made)) {
            code = pw_refuse(why, EXIT_REFUSED, pack->name, "has 8 signatures, the most there are");
        }
        if (code == EXIT_DONE && pw_release_is_test_key(key.open)) {
            (void)fprintf(stderr,
                          "pilotwire: %s: a well-known test key; stations of customers refuse "
                          "what it signs\n",
                          options->key.word[i]);
        }
        key_forget(&key);
    }
    return code;
}

static int put_signatures(const char *name, const struct signatures *signatures, struct pw_out *why)
{
    struct draft draft;
    int code = draft_open(&draft, name, why);
    if (code == EXIT_DONE) {
        code = draft_put_signatures(&draft, signatures, why);
        code = draft_end(&draft, code, why);
    }
    return code;
}

static int told(const struct pack *pack, const char *name, const struct signatures *signatures,
                int code, const struct pw_out *why)
{
    if (code != EXIT_DONE) {
        return fail_with(code, why);
    }
    (void)printf("%s: version %s, %u signatures\n", name, pack->release.version, signatures->count);
    return EXIT_DONE;
}

int build_sign(const struct options *options)
{
    static struct pack pack;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct signatures signatures = {.count = 0};
    const char *apart = options->signature;
    if (options->key.count == 0) {
        return fail_usage("release sign", "needs --key FILE");
    }
    int code = pack_open(&pack, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    if (apart == NULL) {
        signatures_load(&signatures, pack.parts.signature, pack.parts.signatures);
    }
    code = sign(&pack, options, &signatures, &why);
    if (code == EXIT_DONE) {
        code = apart != NULL ? put_signatures(apart, &signatures, &why)
                             : pack_write(&pack, &signatures, pack.name, &why);
    }
    pack_close(&pack);
    return told(&pack, apart != NULL ? apart : pack.name, &signatures, code, &why);
}

int build_head(const struct options *options)
{
    static struct pack pack;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct draft draft;
    if (options->out == NULL) {
        return fail_usage("release head", "needs --out FILE");
    }
    int code = pack_open(&pack, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    pack_close(&pack);
    code = draft_open(&draft, options->out, &why);
    if (code == EXIT_DONE) {
        code = draft_put(&draft, pack.head, pack.head_len, &why);
        code = draft_end(&draft, code, &why);
    }
    return code == EXIT_DONE ? EXIT_DONE : fail_with(code, &why);
}

// A file of signatures, as `sign --signature` writes it.
static int take_signatures(const struct pack *pack, const char *name, struct signatures *signatures,
                           struct pw_out *why)
{
    const size_t most = (size_t)PW_RELEASE_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN;
    size_t len = 0;
    char *text = file_read(name, &len, why);
    int code = EXIT_DONE;
    if (text == NULL) {
        return EXIT_UNREACHABLE;
    }
    if (len == 0 || len % PW_RELEASE_SIGNATURE_LEN != 0 || len > most) {
        code = pw_refuse(why, EXIT_REFUSED, name, "must have 1 to 8 signatures of 96 bytes");
    }
    for (size_t at = 0; at < len && code == EXIT_DONE; at += PW_RELEASE_SIGNATURE_LEN) {
        if (!signatures_add(signatures, PW_RELEASE_SIGNATURES_MAX, (const uint8_t *)text + at)) {
            code = pw_refuse(why, EXIT_REFUSED, pack->name, "has 8 signatures, the most there are");
        }
    }
    free(text);
    return code;
}

int build_attach(const struct options *options)
{
    static struct pack pack;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct signatures signatures;
    int code = pack_open(&pack, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    signatures_load(&signatures, pack.parts.signature, pack.parts.signatures);
    for (size_t i = 1; i < options->arguments.count && code == EXIT_DONE; i++) {
        code = take_signatures(&pack, options->arguments.word[i], &signatures, &why);
    }
    if (code == EXIT_DONE) {
        code = pack_write(&pack, &signatures, pack.name, &why);
    }
    pack_close(&pack);
    return told(&pack, pack.name, &signatures, code, &why);
}

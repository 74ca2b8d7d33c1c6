#include "maker/look.h"

#include "ed25519/ed25519.h"
#include "json/json.h"
#include "maker/key.h"
#include "maker/pack.h"
#include "maker/root.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { TEXT_SIZE = 32768 };

// ---------------------------------------------------------------------------------------------
// What it says.

static void json_manifest(struct pw_json_writer *json, const struct pw_release *release)
{
    const struct {
        const char *key;
        const char *value;
    } texts[] = {
        {"product", release->product},
        {"version", release->version},
        {"min_from", release->min_from},
        {"notes_url", release->notes_url},
    };
    for (size_t i = 0; i < PW_COUNT(texts); i++) {
        pw_json_say_s(json, texts[i].key, texts[i].value);
    }
    pw_json_key(json, "hardware");
    pw_json_open(json, '[');
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        pw_json_put_s(json, release->hardware[i]);
    }
    pw_json_close(json, ']');
    pw_json_say_int(json, "security_counter", release->security_counter);
    pw_json_key(json, "expires");
    if (release->expires > 0) {
        pw_json_put_time(json, release->expires);
    } else {
        pw_json_put_null(json);
    }
}

// `good`: for each component whether its hash is right; NULL: nobody looked.
static void json_components(struct pw_json_writer *json, const struct pw_release *release,
                            const bool *good)
{
    pw_json_key(json, "components");
    pw_json_open(json, '[');
    for (uint8_t i = 0; i < release->components; i++) {
        const struct pw_release_component *component = &release->component[i];
        char text[80];
        struct pw_out hash = PW_OUT(text);
        key_put_hex(&hash, component->sha256, PW_SHA256_LEN);
        pw_json_open(json, '{');
        pw_json_say_s(json, "name", component->name);
        pw_json_say_int(json, "offset", (int64_t)component->offset);
        pw_json_say_int(json, "size", (int64_t)component->size);
        pw_json_say_s(json, "sha256", text);
        if (good != NULL) {
            pw_json_say_bool(json, "good", good[i]);
        }
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

static void json_signatures(struct pw_json_writer *json, const struct pw_release_parts *parts)
{
    pw_json_key(json, "signatures");
    pw_json_open(json, '[');
    for (uint8_t i = 0; i < parts->signatures; i++) {
        const uint8_t *id = parts->signature + (size_t)i * PW_RELEASE_SIGNATURE_LEN;
        const char *test = key_test_name(id);
        char text[80];
        struct pw_out out = PW_OUT(text);
        key_put_hex(&out, id, PW_SHA256_LEN);
        pw_json_open(json, '{');
        pw_json_say_s(json, "key_id", text);
        pw_json_say_bool(json, "test_key", test != NULL);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

static void json_roots(struct pw_json_writer *json, struct pw_str roots)
{
    char ignored[400];
    struct pw_out why = PW_OUT(ignored);
    struct pw_release_root_text text;
    struct pw_release_root root;
    pw_json_key(json, "roots");
    pw_json_open(json, '[');
    while (roots.len > 0 && pw_release_root_cut(&roots, &text, &why) == PW_OK &&
           pw_release_root_parse(text.document, &root, &why) == PW_OK) {
        pw_json_put_int(json, root.version);
    }
    pw_json_close(json, ']');
}

static void inspect_json(const struct pack *pack)
{
    static char text[TEXT_SIZE];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    json_manifest(&json, &pack->release);
    pw_json_say_int(&json, "head_size", pack->head_len);
    pw_json_say_int(&json, "file_size", (int64_t)pack->release.file_size);
    json_components(&json, &pack->release, NULL);
    json_roots(&json, pack->parts.roots);
    json_signatures(&json, &pack->parts);
    pw_json_close(&json, '}');
    PW_ASSERT(!out.full);
    (void)puts(text);
}

static void inspect_roots(struct pw_str roots)
{
    char ignored[400];
    struct pw_out why = PW_OUT(ignored);
    struct pw_release_root_text text;
    struct pw_release_root root;
    while (roots.len > 0 && pw_release_root_cut(&roots, &text, &why) == PW_OK &&
           pw_release_root_parse(text.document, &root, &why) == PW_OK) {
        (void)printf("root        version %u, %u of %u release keys\n", root.version,
                     root.releases.threshold, root.releases.count);
    }
}

static void inspect_signatures(const struct pw_release_parts *parts)
{
    for (uint8_t i = 0; i < parts->signatures; i++) {
        const uint8_t *id = parts->signature + (size_t)i * PW_RELEASE_SIGNATURE_LEN;
        const char *test = key_test_name(id);
        char text[80];
        struct pw_out out = PW_OUT(text);
        key_put_hex(&out, id, PW_SHA256_LEN);
        (void)printf("signature   key id %s%s%s\n", text, test != NULL ? ", test key: " : "",
                     test != NULL ? test : "");
    }
    if (parts->signatures == 0) {
        (void)puts("signature   none");
    }
}

static void inspect_text(const struct pack *pack)
{
    const struct pw_release *release = &pack->release;
    char expires[PW_TIME_TEXT_MAX] = "never";
    struct pw_out until = PW_OUT(expires);
    if (release->expires > 0) {
        pw_put_time(&until, release->expires);
    }
    (void)printf("product     %s\nversion     %s\nhardware   ", release->product, release->version);
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        (void)printf(" %s", release->hardware[i]);
    }
    (void)printf("\ncounter     %u\nfrom        %s%s\nexpires     %s\n", release->security_counter,
                 release->min_from[0] != '\0' ? release->min_from : "any version",
                 release->min_from[0] != '\0' ? " or newer" : "", expires);
    if (release->notes_url[0] != '\0') {
        (void)printf("notes       %s\n", release->notes_url);
    }
    for (uint8_t i = 0; i < release->components; i++) {
        const struct pw_release_component *component = &release->component[i];
        char text[80];
        struct pw_out hash = PW_OUT(text);
        key_put_hex(&hash, component->sha256, PW_SHA256_LEN);
        (void)printf("component   %s, %llu bytes, sha256 %s\n", component->name,
                     (unsigned long long)component->size, text);
    }
    inspect_roots(pack->parts.roots);
    inspect_signatures(&pack->parts);
    (void)puts(pack_is_head(pack) ? "This is the head only."
                                  : "Nothing of this is checked; `release verify` does.");
}

int look_inspect(const struct options *options)
{
    static struct pack pack;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    int code = pack_open(&pack, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    pack_close(&pack);
    if (options->json) {
        inspect_json(&pack);
    } else {
        inspect_text(&pack);
    }
    return EXIT_DONE;
}

// ---------------------------------------------------------------------------------------------
// Whether a station would take it.

struct trial {
    struct pack pack;
    struct pw_release_root root;
    struct pw_release_root newest;
    struct pw_release_rules rules;
    enum pw_release_verdict verdict;
    bool good[PW_RELEASE_COMPONENTS_MAX]; // the hash is the manifest's
    bool whole;                           // all of them
};

static int take_root(struct trial *trial, const struct options *options,
                     const struct pw_release_crypto *crypto, struct pw_out *why)
{
    struct root_file file;
    const char *name = options->root.word[0];
    int code = root_open(&file, name, why);
    if (code != EXIT_DONE) {
        return code;
    }
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    bool ok = pw_release_root_read(file.parts.whole, crypto, &trial->root, why) == PW_OK;
    root_close(&file);
    if (!ok) {
        return EXIT_REFUSED;
    }
    why->len = 0;
    return EXIT_DONE;
}

// What is not said is as the release wants it.
static int take_rules(struct trial *trial, const struct options *options,
                      const struct pw_release_crypto *crypto, struct pw_out *why)
{
    const struct pw_release *release = &trial->pack.release;
    int64_t counter = 0;
    struct pw_str running = pw_str_of(options->running);
    trial->rules = (struct pw_release_rules){
        .crypto = crypto,
        .root = &trial->root,
        .product = pw_str_of(options->product != NULL ? options->product : release->product),
        .hardware = pw_str_of(options->hardware.count > 0 ? options->hardware.word[0]
                                                          : release->hardware[0]),
        .running = running,
        .again = options->again,
        .most_bytes = UINT64_MAX,
        .wall = (pw_unix_ms)time(NULL) * 1000,
    };
    if (running.len > 0 && pw_release_version_compare(running, running) != 0) {
        return pw_refuse(why, EXIT_USAGE, "--running", "must be a version as 1.20.3 or 1.20.3-rc1");
    }
    int code = options_number("--counter", options->counter, 0, UINT32_MAX, &counter, why);
    trial->rules.counter = (uint32_t)counter;
    return code == EXIT_DONE ? options_time("--at", options->at, &trial->rules.wall, why) : code;
}

static int hash_all(struct trial *trial, struct pw_out *why)
{
    const struct pw_release *release = &trial->pack.release;
    struct stream stream = {.from = trial->pack.from,
                            .name = trial->pack.name,
                            .total = release->file_size - trial->pack.head_len};
    trial->whole = true;
    for (uint8_t i = 0; i < release->components; i++) {
        const struct pw_release_component *component = &release->component[i];
        uint8_t sha256[PW_SHA256_LEN];
        int code = stream_take(&stream, component->size, sha256, why);
        if (code != EXIT_DONE) {
            return code;
        }
        trial->good[i] = memcmp(sha256, component->sha256, sizeof(sha256)) == 0;
        trial->whole = trial->whole && trial->good[i];
    }
    return EXIT_DONE;
}

static void verify_json(const struct trial *trial, const char *why)
{
    static char text[TEXT_SIZE];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    bool fine = trial->verdict == PW_RELEASE_FINE;
    pw_json_open(&json, '{');
    pw_json_say_bool(&json, "good", fine && trial->whole);
    pw_json_say_s(&json, "verdict", pw_release_verdict_name(trial->verdict));
    pw_json_say_s(&json, "why", why);
    pw_json_say_int(&json, "root", trial->newest.version);
    json_manifest(&json, &trial->pack.release);
    json_components(&json, &trial->pack.release, fine ? trial->good : NULL);
    pw_json_close(&json, '}');
    PW_ASSERT(!out.full);
    (void)puts(text);
}

static int tell(const struct trial *trial, const struct options *options, struct pw_out *why)
{
    const struct pw_release *release = &trial->pack.release;
    bool fine = trial->verdict == PW_RELEASE_FINE;
    char text[800] = "";
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, trial->pack.name);
    pw_put_s(&out, ": ");
    if (!fine) {
        pw_put_s(&out, pw_release_verdict_name(trial->verdict));
        pw_put_s(&out, ": ");
        pw_put(&out, pw_out_str(why));
    }
    const char *before = "";
    for (uint8_t i = 0; fine && i < release->components; i++) {
        if (!trial->good[i]) {
            pw_put_s(&out, before);
            pw_put_s(&out, release->component[i].name);
            pw_put_s(&out, " is not what the manifest says: its hash is another");
            before = "; ";
        }
    }
    if (options->json) {
        verify_json(trial, fine && trial->whole ? "" : text);
    }
    if (!fine || !trial->whole) {
        return fail_with(EXIT_REFUSED, &out);
    }
    if (!options->json) {
        (void)printf("%s: good: version %s, security counter %u, %u component%s, signed under root "
                     "%u\n",
                     trial->pack.name, release->version, release->security_counter,
                     release->components, release->components == 1 ? "" : "s",
                     trial->newest.version);
    }
    return EXIT_DONE;
}

int look_verify(const struct options *options)
{
    static struct trial trial;
    char text[600] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    if (options->root.count != 1 || options->hardware.count > 1) {
        return fail_usage("release verify", "needs one --root FILE, and at most one --hardware");
    }
    int code = take_root(&trial, options, &crypto, &why);
    if (code == EXIT_DONE) {
        code = pack_open(&trial.pack, options->arguments.word[0], &why);
    }
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    code = take_rules(&trial, options, &crypto, &why);
    if (code == EXIT_DONE && pack_is_head(&trial.pack)) {
        code = pw_refuse(&why, EXIT_REFUSED, trial.pack.name, "is a head only");
    }
    if (code == EXIT_DONE) {
        trial.verdict = pw_release_judge(pack_head(&trial.pack), &trial.rules, &trial.pack.release,
                                         &trial.newest, &why);
    }
    if (code == EXIT_DONE && trial.verdict == PW_RELEASE_FINE) {
        code = hash_all(&trial, &why);
    }
    pack_close(&trial.pack);
    return code == EXIT_DONE ? tell(&trial, options, &why) : fail_with(code, &why);
}

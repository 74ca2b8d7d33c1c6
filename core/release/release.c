#include "release/release.h"

#include "release/parts.h"

#include <string.h>

static const uint8_t magic[8] = {'P', 'W', 'R', 'E', 'L', '1', '\r', '\n'};

const char *pw_release_verdict_name(enum pw_release_verdict verdict)
{
    static const char *const name[PW_RELEASE_VERDICTS] = {
        "fine",      "malformed", "unsigned", "test-key",  "expired",
        "downgrade", "foreign",   "too-far",  "too-large", "same",
    };
    PW_ASSERT((unsigned)verdict < PW_RELEASE_VERDICTS);
    return name[verdict];
}

// ---------------------------------------------------------------------------------------------
// The head's parts.

int pw_release_head_len(const uint8_t fixed[PW_RELEASE_FIXED], uint32_t *len)
{
    uint32_t roots = pw_be32(fixed + 8);
    uint32_t manifest = pw_be32(fixed + 12);
    uint32_t signatures = pw_be32(fixed + 16);
    if (memcmp(fixed, magic, sizeof(magic)) != 0 || roots > PW_RELEASE_ROOTS_MAX || manifest == 0 ||
        manifest > PW_RELEASE_MANIFEST_MAX ||
        signatures > PW_RELEASE_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN ||
        signatures % PW_RELEASE_SIGNATURE_LEN != 0) {
        return PW_ERR_RANGE;
    }
    *len = PW_RELEASE_FIXED + roots + manifest + signatures;
    return PW_OK;
}

bool pw_release_in_order(const uint8_t *signature, uint8_t signatures)
{
    for (uint8_t i = 1; i < signatures; i++) {
        const uint8_t *id = signature + (size_t)i * PW_RELEASE_SIGNATURE_LEN;
        if (memcmp(id - PW_RELEASE_SIGNATURE_LEN, id, PW_SHA256_LEN) >= 0) {
            return false;
        }
    }
    return true;
}

static int refuse(struct pw_out *why, const char *sentence)
{
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

int pw_release_parts(struct pw_str head, struct pw_release_parts *parts, struct pw_out *why)
{
    const uint8_t *at = (const uint8_t *)head.at;
    uint32_t len = 0;
    if (head.len < PW_RELEASE_FIXED || pw_release_head_len(at, &len) != PW_OK) {
        return refuse(why, "not a release file: its first 20 bytes are not those of one");
    }
    if (head.len != len) {
        return refuse(why, "the head of the release file is cut short or too long");
    }
    parts->roots = (struct pw_str){.at = head.at + PW_RELEASE_FIXED, .len = pw_be32(at + 8)};
    parts->manifest =
        (struct pw_str){.at = parts->roots.at + parts->roots.len, .len = pw_be32(at + 12)};
    parts->signature = (const uint8_t *)parts->manifest.at + parts->manifest.len;
    parts->signatures = (uint8_t)(pw_be32(at + 16) / PW_RELEASE_SIGNATURE_LEN);
    if (!pw_release_in_order(parts->signature, parts->signatures)) {
        return refuse(why, "key ids of signatures must stand in rising order, none twice");
    }
    return PW_OK;
}

// Root documents are read one by one where they are; each version is one more than the one before.
static int check_roots(struct pw_str roots, struct pw_out *why)
{
    uint32_t last = 0;
    while (roots.len > 0) {
        struct pw_release_root_text text;
        int err = pw_release_root_cut(&roots, &text, why);
        uint32_t version = err == PW_OK ? pw_release_root_version(text.document, why) : 0;
        if (version == 0) {
            return PW_ERR_RANGE;
        }
        if (last > 0 && version != last + 1) {
            return refuse(why, "root documents must stand in rising order, none left out");
        }
        last = version;
    }
    return PW_OK;
}

int pw_release_read(struct pw_str head, struct pw_release *release, struct pw_out *why)
{
    struct pw_release_parts parts;
    int err = pw_release_parts(head, &parts, why);
    if (err == PW_OK) {
        err = check_roots(parts.roots, why);
    }
    if (err == PW_OK) {
        err = pw_release_manifest(parts.manifest, release, why);
    }
    if (err != PW_OK) {
        return err;
    }
    release->file_size = head.len;
    for (uint8_t i = 0; i < release->components; i++) {
        release->component[i].offset = release->file_size;
        release->file_size += release->component[i].size; // at most 8 × 2^40 and a head
    }
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Signatures.

static const uint8_t *find(const uint8_t key[PW_RELEASE_KEY_LEN],
                           const struct pw_release_signed *what)
{
    struct pw_sha256 hash;
    uint8_t id[PW_SHA256_LEN];
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, key, PW_RELEASE_KEY_LEN);
    pw_sha256_end(&hash, id);
    for (uint8_t i = 0; i < what->signatures; i++) {
        const uint8_t *by = what->signature + (size_t)i * PW_RELEASE_SIGNATURE_LEN;
        if (memcmp(by, id, sizeof(id)) == 0) {
            return by + PW_SHA256_LEN;
        }
    }
    return NULL;
}

uint8_t pw_release_count(const struct pw_release_crypto *crypto, const struct pw_release_keys *keys,
                         const struct pw_release_signed *what, uint8_t *test)
{
    uint8_t good = 0;
    uint8_t left_out = 0;
    for (uint8_t i = 0; i < keys->count; i++) {
        const uint8_t *key = keys->key[i];
        const uint8_t *by = find(key, what);
        bool twice = i > 0 && memcmp(keys->key[i - 1], key, PW_RELEASE_KEY_LEN) >= 0;
        if (by == NULL || twice ||
            !crypto->verify(crypto->context, key, pw_str_of(what->label), what->message, by)) {
            continue;
        }
        bool counts = crypto->test_keys || !pw_release_is_test_key(key);
        good = (uint8_t)(good + counts);
        left_out = (uint8_t)(left_out + !counts);
    }
    if (test != NULL) {
        *test = left_out;
    }
    return good;
}

void pw_release_put_short(struct pw_out *why, const struct pw_release_keys *keys, uint8_t good,
                          uint8_t test)
{
    pw_put_s(why, "needs ");
    pw_put_uint(why, keys->threshold);
    pw_put_s(why, " good signatures of ");
    pw_put_uint(why, keys->count);
    pw_put_s(why, " keys, has ");
    pw_put_uint(why, good);
    if (test > 0) {
        pw_put_s(why, "; test keys do not count here, and ");
        pw_put_uint(why, test);
        pw_put_s(why, " of them signed");
    }
}

// ---------------------------------------------------------------------------------------------
// Judging.

// Follows the head's root documents from *newest; those up to its version are passed over.
static bool follow_roots(struct pw_str roots, const struct pw_release_crypto *crypto,
                         struct pw_release_root *newest, struct pw_out *why)
{
    while (roots.len > 0) {
        struct pw_release_root_text text;
        if (pw_release_root_cut(&roots, &text, why) != PW_OK) {
            return false;
        }
        if (pw_release_root_version(text.document, why) > newest->version &&
            pw_release_root_follow(text.whole, crypto, newest, newest, why) != PW_OK) {
            return false;
        }
    }
    return true;
}

static enum pw_release_verdict judge_signatures(const struct pw_release_parts *parts,
                                                const struct pw_release_crypto *crypto,
                                                const struct pw_release_keys *keys,
                                                struct pw_out *why)
{
    uint8_t test = 0;
    const struct pw_release_signed what = {.label = PW_RELEASE_LABEL,
                                           .message = parts->manifest,
                                           .signature = parts->signature,
                                           .signatures = parts->signatures};
    uint8_t good = pw_release_count(crypto, keys, &what, &test);
    if (good >= keys->threshold) {
        return PW_RELEASE_FINE;
    }
    pw_put_s(why, "the release ");
    pw_release_put_short(why, keys, good, test);
    return good + test >= keys->threshold ? PW_RELEASE_TEST_KEY : PW_RELEASE_UNSIGNED;
}

static enum pw_release_verdict say(struct pw_out *why, enum pw_release_verdict verdict,
                                   const char *what, const char *value, const char *must,
                                   struct pw_str range)
{
    pw_put_s(why, what);
    pw_put_c(why, ' ');
    pw_put_s(why, value);
    pw_put_s(why, must);
    pw_put(why, range);
    return verdict;
}

static enum pw_release_verdict judge_expiry(const struct pw_release *release,
                                            const struct pw_release_root *root, pw_unix_ms wall,
                                            struct pw_out *why)
{
    bool old_root = wall > 0 && wall >= root->expires;
    if (!old_root && (wall <= 0 || release->expires == 0 || wall < release->expires)) {
        return PW_RELEASE_FINE;
    }
    pw_put_s(why, old_root ? "the root of trust expired at " : "the release expired at ");
    pw_put_time(why, old_root ? root->expires : release->expires);
    return PW_RELEASE_EXPIRED;
}

static enum pw_release_verdict judge_machine(const struct pw_release *release,
                                             const struct pw_release_rules *rules,
                                             struct pw_out *why)
{
    if (!pw_str_is(rules->product, release->product)) {
        return say(why, PW_RELEASE_FOREIGN, "product is", release->product, ", must be ",
                   rules->product);
    }
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        if (pw_str_is(rules->hardware, release->hardware[i])) {
            return PW_RELEASE_FINE;
        }
    }
    pw_put_s(why, "hardware is");
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        pw_put_c(why, ' ');
        pw_put_s(why, release->hardware[i]);
    }
    pw_put_s(why, ", must have ");
    pw_put(why, rules->hardware);
    return PW_RELEASE_FOREIGN;
}

static enum pw_release_verdict judge_version(const struct pw_release *release,
                                             const struct pw_release_rules *rules,
                                             struct pw_out *why)
{
    struct pw_str running = rules->running;
    if (release->security_counter < rules->counter) {
        pw_put_s(why, "security counter is ");
        pw_put_uint(why, release->security_counter);
        pw_put_s(why, ", must be ");
        pw_put_uint(why, rules->counter);
        pw_put_s(why, " or more");
        return PW_RELEASE_DOWNGRADE;
    }
    if (running.len == 0) {
        return PW_RELEASE_FINE;
    }
    if (release->min_from[0] != '\0') {
        int order = pw_release_version_compare(running, pw_str_of(release->min_from));
        if (order < 0 || order == PW_RELEASE_VERSION_BAD) {
            return say(why, PW_RELEASE_TOO_FAR, "the release can be installed from",
                       release->min_from, " or newer, this is ", running);
        }
    }
    if (!rules->again && pw_str_is(running, release->version)) {
        return say(why, PW_RELEASE_SAME, "version", release->version, " is the one that runs",
                   PW_STR(""));
    }
    return PW_RELEASE_FINE;
}

static enum pw_release_verdict judge_size(const struct pw_release *release, uint64_t most,
                                          struct pw_out *why)
{
    if (release->file_size <= most) {
        return PW_RELEASE_FINE;
    }
    pw_put_s(why, "the file has ");
    pw_put_uint(why, release->file_size);
    pw_put_s(why, " bytes, must have at most ");
    pw_put_uint(why, most);
    return PW_RELEASE_TOO_LARGE;
}

enum pw_release_verdict pw_release_judge(struct pw_str head, const struct pw_release_rules *rules,
                                         struct pw_release *release, struct pw_release_root *newest,
                                         struct pw_out *why)
{
    struct pw_release_parts parts;
    *newest = *rules->root;
    if (pw_release_read(head, release, why) != PW_OK ||
        pw_release_parts(head, &parts, why) != PW_OK) {
        return PW_RELEASE_MALFORMED;
    }
    if (!follow_roots(parts.roots, rules->crypto, newest, why)) {
        return PW_RELEASE_UNSIGNED;
    }
    enum pw_release_verdict verdict =
        judge_signatures(&parts, rules->crypto, &newest->releases, why);
    if (verdict == PW_RELEASE_FINE) {
        verdict = judge_expiry(release, newest, rules->wall, why);
    }
    if (verdict == PW_RELEASE_FINE) {
        verdict = judge_machine(release, rules, why);
    }
    if (verdict == PW_RELEASE_FINE) {
        verdict = judge_version(release, rules, why);
    }
    if (verdict == PW_RELEASE_FINE) {
        verdict = judge_size(release, rules->most_bytes, why);
    }
    return verdict;
}

#include "release/parts.h"
#include "release/scan.h"

#include <string.h>

#define FORMAT "pilotwire-root-1"

static void scan_keys(struct scan *scan, const char *role, struct pw_release_keys *keys)
{
    pw_scan_member(scan, ",", role);
    pw_scan_member(scan, "{", "threshold");
    keys->threshold = (uint8_t)pw_scan_number(scan, 1, PW_RELEASE_KEYS_MAX);
    pw_scan_member(scan, ",", "keys");
    pw_scan_expect(scan, "[");
    do {
        if (keys->count == PW_RELEASE_KEYS_MAX) {
            pw_scan_fail(scan, "has more than 8 keys");
            return;
        }
        pw_scan_hex(scan, keys->key[keys->count], PW_RELEASE_KEY_LEN);
        if (keys->count > 0 &&
            memcmp(keys->key[keys->count - 1], keys->key[keys->count], PW_RELEASE_KEY_LEN) >= 0) {
            pw_scan_fail(scan, "must stand in rising order, none twice");
        }
        keys->count++;
    } while (pw_scan_if(scan, ","));
    if (keys->threshold > keys->count) {
        pw_scan_fail(scan, "are fewer than the threshold");
    }
    pw_scan_expect(scan, "]}");
}

int pw_release_root_parse(struct pw_str document, struct pw_release_root *root, struct pw_out *why)
{
    struct scan scan = pw_scan_of(document, "root document", why);
    *root = (struct pw_release_root){.version = 0};
    pw_scan_member(&scan, "{", "format");
    pw_scan_expect(&scan, "\"" FORMAT "\"");
    pw_scan_member(&scan, ",", "version");
    root->version = (uint32_t)pw_scan_number(&scan, 1, PW_RELEASE_ROOT_VERSION_MAX);
    pw_scan_member(&scan, ",", "expires");
    root->expires = pw_scan_time(&scan, false);
    scan_keys(&scan, "root", &root->roots);
    scan_keys(&scan, "release", &root->releases);
    pw_scan_expect(&scan, "}");
    return pw_scan_end(&scan);
}

uint32_t pw_release_root_version(struct pw_str document, struct pw_out *why)
{
    struct pw_release_root root;
    return pw_release_root_parse(document, &root, why) == PW_OK ? root.version : 0;
}

static void put_keys(struct pw_out *out, const char *role, const struct pw_release_keys *keys)
{
    pw_put_s(out, ",\"");
    pw_put_s(out, role);
    pw_put_s(out, "\":{\"threshold\":");
    pw_put_uint(out, keys->threshold);
    pw_put_s(out, ",\"keys\":[");
    for (uint8_t i = 0; i < keys->count; i++) {
        pw_put_s(out, i == 0 ? "\"" : ",\"");
        pw_scan_put_hex(out, keys->key[i], PW_RELEASE_KEY_LEN);
        pw_put_c(out, '"');
    }
    pw_put_s(out, "]}");
}

bool pw_release_root_write(const struct pw_release_root *root, struct pw_out *out)
{
    pw_put_s(out, "{\"format\":\"" FORMAT "\",\"version\":");
    pw_put_uint(out, root->version);
    pw_put_s(out, ",\"expires\":\"");
    pw_put_time(out, root->expires);
    pw_put_c(out, '"');
    put_keys(out, "root", &root->roots);
    put_keys(out, "release", &root->releases);
    pw_put_c(out, '}');
    return !out->full;
}

static int refuse(struct pw_out *why, const char *sentence)
{
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

static struct pw_str cut(struct pw_str *rest, size_t len)
{
    struct pw_str first = {.at = rest->at, .len = len};
    rest->at += len;
    rest->len -= len;
    return first;
}

int pw_release_root_cut(struct pw_str *rest, struct pw_release_root_text *text, struct pw_out *why)
{
    struct pw_str left = *rest;
    if (left.len < 4) {
        return refuse(why, "root document: cut short");
    }
    uint32_t len = pw_be32((const uint8_t *)cut(&left, 4).at);
    if (len == 0 || len > PW_RELEASE_ROOT_MAX || left.len < (size_t)len + 1) {
        return refuse(why, "root document: its length must be 1 to 4096 and fit");
    }
    text->document = cut(&left, len);
    text->signatures = *(const uint8_t *)cut(&left, 1).at;
    size_t bytes = (size_t)text->signatures * PW_RELEASE_SIGNATURE_LEN;
    if (text->signatures > PW_RELEASE_ROOT_SIGNATURES_MAX || left.len < bytes) {
        return refuse(why, "root document: its signatures must be 0 to 16 and fit");
    }
    text->signature = (const uint8_t *)cut(&left, bytes).at;
    text->whole = (struct pw_str){.at = rest->at, .len = rest->len - left.len};
    if (text->whole.len > PW_RELEASE_ROOT_MAX) {
        return refuse(why, "root document: longer than 4096 bytes with its signatures");
    }
    if (!pw_release_in_order(text->signature, text->signatures)) {
        return refuse(why, "root document: key ids of signatures must stand in rising order, none "
                           "twice");
    }
    *rest = left;
    return PW_OK;
}

// Whether the threshold of `keys` signed it.
static bool agreed(const struct pw_release_root_text *text, const struct pw_release_crypto *crypto,
                   const struct pw_release_keys *keys, struct pw_out *why)
{
    uint8_t test = 0;
    const struct pw_release_signed what = {.label = PW_RELEASE_ROOT_LABEL,
                                           .message = text->document,
                                           .signature = text->signature,
                                           .signatures = text->signatures};
    uint8_t good = pw_release_count(crypto, keys, &what, &test);
    if (good < keys->threshold) {
        pw_put_s(why, "root document: ");
        pw_release_put_short(why, keys, good, test);
        return false;
    }
    return true;
}

int pw_release_root_read(struct pw_str signed_root, const struct pw_release_crypto *crypto,
                         struct pw_release_root *root, struct pw_out *why)
{
    struct pw_release_root_text text;
    struct pw_str rest = signed_root;
    int err = pw_release_root_cut(&rest, &text, why);
    if (err == PW_OK && rest.len > 0) {
        err = refuse(why, "root document: something follows it");
    }
    if (err == PW_OK) {
        err = pw_release_root_parse(text.document, root, why);
    }
    if (err == PW_OK && !agreed(&text, crypto, &root->roots, why)) {
        err = PW_ERR_RANGE;
    }
    if (err != PW_OK) {
        *root = (struct pw_release_root){.version = 0}; // nobody shall use what is not verified
    }
    return err;
}

int pw_release_root_follow(struct pw_str signed_root, const struct pw_release_crypto *crypto,
                           const struct pw_release_root *now, struct pw_release_root *next,
                           struct pw_out *why)
{
    struct pw_release_root read;
    struct pw_release_root_text text;
    struct pw_str rest = signed_root;
    int err = pw_release_root_read(signed_root, crypto, &read, why);
    if (err != PW_OK) {
        return err;
    }
    if (read.version != now->version + 1) {
        pw_put_s(why, "root document: version ");
        pw_put_uint(why, read.version);
        pw_put_s(why, " cannot follow ");
        pw_put_uint(why, now->version);
        return PW_ERR_RANGE;
    }
    err = pw_release_root_cut(&rest, &text, why);
    if (err == PW_OK && !agreed(&text, crypto, &now->roots, why)) {
        err = PW_ERR_RANGE;
    }
    if (err == PW_OK) {
        *next = read;
    }
    return err;
}

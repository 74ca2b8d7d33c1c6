#include "signature.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Signed Meter Values 1.0, table 2: what is no hexadecimal digit, and a leading 0x, is ignored.
static bool read_base16(struct meter_key *key, struct pw_str text)
{
    char clean[2 * METER_KEY_MAX + 1];
    struct pw_out out = PW_OUT(clean);
    size_t from = pw_str_starts(text, "0x") || pw_str_starts(text, "0X") ? 2 : 0;
    for (size_t i = from; i < text.len; i++) {
        if (is_hex(text.at[i])) {
            pw_put_c(&out, text.at[i]);
        }
    }
    int len = pw_out_err(&out) == PW_OK ? pw_parse_hex(pw_out_str(&out), key->der, METER_KEY_MAX)
                                        : PW_ERR_LIMIT;
    key->len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static bool read_base64(struct meter_key *key, struct pw_str text)
{
    int len = pw_parse_base64(text, key->der, METER_KEY_MAX);
    key->len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

// "oca:base16:asn1:3059..."
static bool read_oca(struct meter_key *key, struct pw_str text)
{
    struct pw_str rest = text;
    (void)pw_str_cut(&rest, ':');
    struct pw_str encoding = pw_str_cut(&rest, ':');
    if (!pw_str_is(pw_str_cut(&rest, ':'), "asn1")) {
        return false;
    }
    return pw_str_is(encoding, "base16") ? read_base16(key, rest)
                                         : pw_str_is(encoding, "base64") && read_base64(key, rest);
}

static bool read_pem(struct meter_key *key, struct pw_str text)
{
    BIO *from = BIO_new_mem_buf(text.at, (int)text.len);
    EVP_PKEY *read = from == NULL ? NULL : PEM_read_bio_PUBKEY(from, NULL, NULL, NULL);
    int len = read == NULL ? 0 : i2d_PUBKEY(read, NULL);
    if (len > 0 && len <= METER_KEY_MAX) {
        unsigned char *to = key->der;
        key->len = (size_t)i2d_PUBKEY(read, &to);
    }
    EVP_PKEY_free(read);
    (void)BIO_free(from);
    return key->len > 0;
}

static EVP_PKEY *public_key(const struct meter_key *key)
{
    const unsigned char *from = key->der;
    EVP_PKEY *read = d2i_PUBKEY(NULL, &from, (long)key->len);
    if (read != NULL && from != key->der + key->len) {
        EVP_PKEY_free(read);
        return NULL;
    }
    return read;
}

static bool read_form(struct meter_key *key, struct pw_str text)
{
    uint8_t plain[2 * METER_KEY_MAX + 32];
    if (pw_str_starts(text, "-----BEGIN")) {
        return read_pem(key, text);
    }
    if (pw_str_starts(text, "oca:")) {
        return read_oca(key, text);
    }
    int len = pw_parse_base64(text, plain, sizeof(plain));
    struct pw_str inside = {.at = (const char *)plain, .len = len > 0 ? (size_t)len : 0};
    return pw_str_starts(inside, "oca:") ? read_oca(key, inside) : read_base16(key, text);
}

int meter_key_read(struct meter_key *key, struct pw_str text, struct pw_out *why)
{
    *key = (struct meter_key){.len = 0};
    EVP_PKEY *read = read_form(key, pw_str_trim(text)) ? public_key(key) : NULL;
    if (read == NULL) {
        pw_put_s(why, "that is no public key: it must be hexadecimal as printed on the meter, "
                      "oca:base16:asn1:..., its base64, or PEM");
        return PW_ERR_PEER;
    }
    EVP_PKEY_free(read);
    return PW_OK;
}

bool meter_key_same(const struct meter_key *a, const struct meter_key *b)
{
    return a->len == b->len && memcmp(a->der, b->der, a->len) == 0;
}

// OCMF table 22, and Ed25519, which is ours.
static const struct algorithm {
    const char *name;
    const char *group; // OpenSSL's name of the curve; NULL: none
} algorithms[] = {
    {"ECDSA-secp192k1-SHA256", "secp192k1"},
    {"ECDSA-secp256k1-SHA256", "secp256k1"},
    {"ECDSA-secp192r1-SHA256", "prime192v1"},
    {PW_OCMF_P256, "prime256v1"},
    {"ECDSA-brainpool256r1-SHA256", "brainpoolP256r1"},
    {"ECDSA-secp384r1-SHA256", "secp384r1"},
    {"ECDSA-brainpool384r1-SHA256", "brainpoolP384r1"},
    {PW_OCMF_ED25519, NULL},
};

static const struct algorithm *algorithm_of(struct pw_str name)
{
    for (size_t i = 0; i < PW_COUNT(algorithms); i++) {
        if (pw_str_is(name, algorithms[i].name)) {
            return &algorithms[i];
        }
    }
    return NULL;
}

// A key of another kind must not be tried: it would only say "wrong signature".
static bool is_key_of(EVP_PKEY *key, const struct algorithm *algorithm)
{
    char group[64] = "";
    size_t len = 0;
    if (algorithm->group == NULL) {
        return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    }
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
           strcmp(group, algorithm->group) == 0;
}

static bool verify(const struct pw_ocmf *ocmf, EVP_PKEY *key, const struct algorithm *algorithm)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    const EVP_MD *hash = algorithm->group == NULL ? NULL : EVP_sha256();
    bool ok = digest != NULL && EVP_DigestVerifyInit(digest, NULL, hash, NULL, key) == 1 &&
              EVP_DigestVerify(digest, ocmf->signature, ocmf->signature_len,
                               (const unsigned char *)ocmf->payload.at, ocmf->payload.len) == 1;
    EVP_MD_CTX_free(digest);
    return ok;
}

bool signature_fits(const struct pw_ocmf *ocmf, const struct meter_key *key, struct pw_out *why)
{
    const struct algorithm *algorithm = algorithm_of(ocmf->algorithm);
    EVP_PKEY *with = public_key(key);
    bool fits = false;
    if (algorithm == NULL) {
        pw_put_s(why, "its signature algorithm is not known");
    } else if (with == NULL || !is_key_of(with, algorithm)) {
        pw_put_s(why, "the public key is not one of its algorithm");
    } else if (!verify(ocmf, with, algorithm)) {
        pw_put_s(why, "the signature does not fit");
    } else {
        fits = true;
    }
    EVP_PKEY_free(with);
    return fits;
}

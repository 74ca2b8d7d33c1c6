#include "peer/peer.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SUITES    "ECDHE+AESGCM:ECDHE+CHACHA20"
#define DEPTH_MAX 5 // certificates between the server's and a root

int pw_peer_read_pins(struct pw_str text, struct pw_peer_pins *pins, struct pw_out *why)
{
    *pins = (struct pw_peer_pins){0};
    while (text.len > 0) {
        struct pw_str pin = pw_str_trim(pw_str_cut(&text, ','));
        if (pins->count == PW_PEER_PINS ||
            pw_parse_hex(pin, pins->hash[pins->count], PW_PEER_DIGITS / 2) != PW_PEER_DIGITS / 2) {
            pw_put_s(why, "it must be 64 hex digits, SHA-256 of the server's public key or "
                          "certificate; or two of those with a comma between");
            return PW_ERR_RANGE;
        }
        pins->count++;
    }
    return PW_OK;
}

static bool hash_of(unsigned char *der, int len, uint8_t hash[PW_PEER_DIGITS / 2])
{
    unsigned hash_len = 0;
    bool hashed = len > 0 &&
                  EVP_Digest(der, (size_t)len, hash, &hash_len, EVP_sha256(), NULL) == 1 &&
                  hash_len == PW_PEER_DIGITS / 2;
    OPENSSL_free(der);
    return hashed;
}

bool pw_peer_pinned(const struct pw_peer_pins *pins, const void *x509, struct pw_out *have)
{
    unsigned char *key_der = NULL;
    unsigned char *whole_der = NULL;
    uint8_t key[PW_PEER_DIGITS / 2] = {0};
    uint8_t whole[PW_PEER_DIGITS / 2] = {0};
    if (x509 == NULL) {
        return false;
    }
    int key_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY((const X509 *)x509), &key_der);
    int whole_len = i2d_X509((const X509 *)x509, &whole_der);
    bool has_key = hash_of(key_der, key_len, key);
    bool has_whole = hash_of(whole_der, whole_len, whole);
    for (size_t i = 0; has_key && i < sizeof(key); i++) {
        pw_put_hex(have, key[i], 2);
    }
    for (unsigned i = 0; i < pins->count; i++) {
        if ((has_key && memcmp(key, pins->hash[i], sizeof(key)) == 0) ||
            (has_whole && memcmp(whole, pins->hash[i], sizeof(whole)) == 0)) {
            return true;
        }
    }
    return false;
}

bool pw_peer_restrict(void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;
    (void)SSL_CTX_set_options(ctx,
                              SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_verify_depth(ctx, DEPTH_MAX);
    SSL_CTX_set_max_cert_list(ctx, PW_PEER_CHAIN_MAX);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, SUITES) == 1;
}

// OpenSSL itself says only that "certificate verify failed".
static void say_refused(X509_STORE_CTX *check, const char *sentence)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    const char **to = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    *to = sentence;
}

static int judged(int good, X509_STORE_CTX *check)
{
    if (good != 1) {
        say_refused(check, X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    }
    return good;
}

// In place of OpenSSL's own judgement: what the certificate says of itself does not count.
static int judge_pin(X509_STORE_CTX *check, void *context)
{
    char text[PW_PEER_DIGITS + 1];
    struct pw_out have = PW_OUT(text);
    bool good = pw_peer_pinned(context, X509_STORE_CTX_get0_cert(check), &have);
    if (!good) {
        say_refused(check, "it has another public key than the pin says");
    }
    X509_STORE_CTX_set_error(check, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return good ? 1 : 0;
}

static int refuse(struct pw_out *why, const char *what, const char *sentence)
{
    pw_put_s(why, what);
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

static bool expect_host(SSL_CTX *ctx, const char *host)
{
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(ctx);
    unsigned char bytes[16];
    bool address = inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
    return (address ? X509_VERIFY_PARAM_set1_ip_asc(rules, host)
                    : X509_VERIFY_PARAM_set1_host(rules, host, 0)) == 1;
}

int pw_peer_apply(void *ssl_ctx, const struct pw_peer_rules *rules, struct pw_out *why)
{
    SSL_CTX *ctx = ssl_ctx;
    if (!pw_peer_restrict(ctx)) {
        return refuse(why, "", "OpenSSL knows none of the cipher suites");
    }
    (void)SSL_CTX_set_app_data(ctx, rules->refused);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, judged);
    if (rules->pins->count > 0) {
        SSL_CTX_set_cert_verify_callback(ctx, judge_pin, rules->pins);
    } else if ((rules->ca_file[0] != '\0' ? SSL_CTX_load_verify_file(ctx, rules->ca_file)
                                          : SSL_CTX_set_default_verify_paths(ctx)) != 1) {
        return refuse(why, rules->ca_file, ": no certificates can be read there");
    } else if (!expect_host(ctx, rules->host)) {
        return refuse(why, rules->host, ": no certificate can carry this name");
    }
    if (rules->certificate[0] == '\0') {
        return PW_OK;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, rules->certificate) != 1) {
        return refuse(why, rules->certificate, ": it cannot be read, or is no certificate (PEM)");
    }
    return SSL_CTX_use_PrivateKey_file(ctx, rules->key, SSL_FILETYPE_PEM) == 1
               ? PW_OK
               : refuse(why, rules->key, ": it cannot be read, or is not the certificate's key");
}

static bool load_pair(SSL_CTX *ctx, const char *certificate, EVP_PKEY *key)
{
    return SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
           SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
}

int pw_peer_reload(void *ssl_ctx, const char *certificate, void *key, struct pw_out *why)
{
    // Tried first where nobody is served: a file that is half written must not take the old one
    // away.
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    bool good = trial != NULL && load_pair(trial, certificate, key);
    SSL_CTX_free(trial);
    if (good && load_pair(ssl_ctx, certificate, key)) {
        return PW_OK;
    }
    pw_put_s(why, certificate);
    pw_put_s(why, ": it cannot be read, or is not the certificate of its key");
    return PW_ERR_STORE;
}

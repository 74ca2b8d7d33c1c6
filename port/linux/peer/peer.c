#include "peer/peer.h"

#include "peer/authorities.h"
#include "peer/file.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
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

// ---------------------------------------------------------------------------------------------
// A client's judgement of its server.

// OpenSSL itself says only that "certificate verify failed".
static void say_refused(char *to, const char *sentence, const char *detail)
{
    struct pw_out out = {.cap = PW_PEER_REFUSED_SIZE};
    out.at = to;
    pw_put_s(&out, sentence);
    pw_put_s(&out, detail);
}

static int judged(int good, X509_STORE_CTX *check)
{
    if (good != 1) {
        const SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
        say_refused(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)),
                    X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)), "");
    }
    return good;
}

// In place of OpenSSL's own judgement: what the certificate says of itself does not count.
static int judge_pin(X509_STORE_CTX *check, void *context)
{
    char text[PW_PEER_DIGITS + 1] = "";
    struct pw_out have = PW_OUT(text);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    bool good = pw_peer_pinned(context, X509_STORE_CTX_get0_cert(check), &have);
    if (!good) {
        say_refused(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)),
                    "it has another public key than the pin says: ", text);
    }
    X509_STORE_CTX_set_error(check, good ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return good ? 1 : 0;
}

void pw_peer_pin(void *ssl_ctx, struct pw_peer_pins *pins, char *refused)
{
    (void)SSL_CTX_set_app_data((SSL_CTX *)ssl_ctx, refused);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, judge_pin, pins);
}

bool pw_peer_expect(void *ssl_ctx, const char *host)
{
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(ssl_ctx);
    unsigned char bytes[16];
    bool v4 = inet_pton(AF_INET, host, bytes) == 1;
    bool address = v4 || inet_pton(AF_INET6, host, bytes) == 1;
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    // One of the two: what the connection before asked for is taken away.
    return X509_VERIFY_PARAM_set1_host(rules, address ? NULL : host, 0) == 1 &&
           X509_VERIFY_PARAM_set1_ip(rules, address ? bytes : NULL,
                                     !address ? 0
                                     : v4     ? 4
                                              : 16) == 1;
}

// ---------------------------------------------------------------------------------------------
// What is shown.

static int refuse(struct pw_out *why, const char *what, const char *sentence)
{
    ERR_clear_error();
    pw_put_s(why, what);
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

static bool add_chain(SSL_CTX *ctx, BIO *bio)
{
    X509 *next = NULL;
    bool good = SSL_CTX_clear_chain_certs(ctx) == 1;
    while (good && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        good = SSL_CTX_add0_chain_cert(ctx, next) == 1;
        if (!good) {
            X509_free(next);
        }
    }
    // Nothing more to begin with is the end; anything else is damage.
    good = good && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return good;
}

// The certificate and those behind it, of a file's text.
static int use_chain(SSL_CTX *ctx, const char *path, struct pw_str pem, struct pw_out *why)
{
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    X509 *own = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
    bool good = own != NULL && SSL_CTX_use_certificate(ctx, own) == 1 && add_chain(ctx, bio);
    X509_free(own);
    BIO_free(bio);
    return good ? PW_OK : refuse(why, path, ": it is no certificate in PEM form");
}

static int read_chain(SSL_CTX *ctx, const char *path, struct pw_out *why)
{
    struct pw_str pem = {.len = 0};
    char *text = pw_peer_file(path, PW_PEER_PEM_MAX, &pem.len, why);
    pem.at = text;
    int err = text != NULL ? use_chain(ctx, path, pem, why) : PW_ERR_RANGE;
    free(text);
    return err;
}

// After the certificate: the key must be that one's.
static int read_key(SSL_CTX *ctx, const char *path, struct pw_out *why)
{
    size_t len = 0;
    char nothing[1] = ""; // a pass phrase, instead of a question on a terminal
    char *pem = pw_peer_file(path, PW_PEER_PEM_MAX, &len, why);
    if (pem == NULL) {
        return PW_ERR_RANGE;
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, nothing) : NULL;
    bool good =
        key != NULL && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    OPENSSL_cleanse(pem, len);
    free(pem);
    return good ? PW_OK : refuse(why, path, ": it is no private key (PEM), or another one's");
}

int pw_peer_apply(void *ssl_ctx, const struct pw_peer_rules *rules, struct pw_out *why)
{
    SSL_CTX *ctx = ssl_ctx;
    int err = PW_OK;
    if (!pw_peer_restrict(ctx)) {
        return refuse(why, "", "OpenSSL knows none of the cipher suites");
    }
    rules->refused[0] = '\0';
    (void)SSL_CTX_set_app_data(ctx, rules->refused);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, judged);
    if (rules->wall > 0) {
        X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), (time_t)(rules->wall / 1000));
    }
    if (rules->pins->count > 0) {
        pw_peer_pin(ctx, rules->pins, rules->refused);
    } else if (!pw_peer_expect(ctx, rules->host)) {
        err = refuse(why, rules->host, ": no certificate can carry this name");
    } else {
        err = pw_authorities_trust(ctx, rules->ca_file, false, why);
    }
    if (err == PW_OK && rules->certificate[0] != '\0') {
        err = read_chain(ctx, rules->certificate, why);
        err = err == PW_OK ? read_key(ctx, rules->key, why) : err;
    }
    return err;
}

static int load_pair(SSL_CTX *ctx, const char *certificate, struct pw_str pem, EVP_PKEY *key,
                     struct pw_out *why)
{
    int err = use_chain(ctx, certificate, pem, why);
    if (err == PW_OK &&
        (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)) {
        err = refuse(why, certificate, ": it is not the certificate of its key");
    }
    return err == PW_OK ? PW_OK : PW_ERR_STORE;
}

// An SSL_CTX keeps one certificate for each kind of key, and a client chooses: the one of the kind
// before would go on being shown. What was put in last is the current one.
static int show_newest(SSL *ssl, void *context)
{
    SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
    STACK_OF(X509) *chain = NULL;
    (void)context;
    X509 *certificate = SSL_CTX_get0_certificate(ctx);
    EVP_PKEY *key = SSL_CTX_get0_privatekey(ctx);
    if (certificate == NULL || key == NULL || SSL_CTX_get0_chain_certs(ctx, &chain) != 1) {
        return 1; // there is none yet: the handshake fails by itself
    }
    SSL_certs_clear(ssl);
    return SSL_use_cert_and_key(ssl, certificate, key, chain, 1);
}

int pw_peer_reload(void *ssl_ctx, const char *certificate, void *key, struct pw_out *why)
{
    // Tried first where nobody is served: a file that is half written must not take the old one
    // away. Read once: it may be another one the next moment.
    struct pw_str pem = {.len = 0};
    char *text = pw_peer_file(certificate, PW_PEER_PEM_MAX, &pem.len, why);
    SSL_CTX *trial = text != NULL ? SSL_CTX_new(TLS_server_method()) : NULL;
    pem.at = text;
    int err = trial != NULL ? load_pair(trial, certificate, pem, key, why) : PW_ERR_STORE;
    SSL_CTX_free(trial);
    err = err == PW_OK ? load_pair(ssl_ctx, certificate, pem, key, why) : err;
    free(text);
    if (err == PW_OK) {
        SSL_CTX_set_cert_cb(ssl_ctx, show_newest, NULL);
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// What a client has shown.

static void read_name(const X509 *from, char to[PW_PEER_NAME_SIZE])
{
    const X509_NAME *name = X509_get_subject_name(from);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) {
        return;
    }
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len > 0 && len < PW_PEER_NAME_SIZE && memchr(text, '\0', (size_t)len) == NULL) {
        memcpy(to, text, (size_t)len);
        to[len] = '\0';
    }
    OPENSSL_free(text);
}

static void read_serial(const X509 *from, char to[PW_PEER_SERIAL_SIZE])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(from), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    struct pw_out out = {.cap = PW_PEER_SERIAL_SIZE};
    out.at = to;
    for (size_t i = 0; hex != NULL && hex[i] != '\0'; i++) {
        bool upper = hex[i] >= 'A' && hex[i] <= 'F';
        pw_put_c(&out, upper ? (char)(hex[i] - 'A' + 'a') : hex[i]);
    }
    OPENSSL_free(hex);
    BN_free(number);
}

bool pw_peer_shown(const void *ssl, struct pw_peer_shown *to)
{
    *to = (struct pw_peer_shown){0};
    const X509 *shown = SSL_get0_peer_certificate((const SSL *)ssl);
    if (shown != NULL) {
        read_name(shown, to->common_name);
        read_serial(shown, to->serial);
    }
    return shown != NULL;
}

// What a TLS connection trusts and shows.
#include "parts.h"
#include "peer/peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

// The rules of every link, and of suites only those of the whitepaper (A00.FR.317). False: OpenSSL
// refuses, which would be a bug.
static bool restrict_to_whitepaper(SSL_CTX *ctx)
{
    return pw_peer_restrict(ctx) &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:"
                                        "ECDHE-ECDSA-AES256-GCM-SHA384:"
                                        "AES128-GCM-SHA256:AES256-GCM-SHA384") == 1 &&
           SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") == 1;
}

// Called when the server asks for a certificate; without one to show it gets none.
static int show_own(SSL *ssl, void *context)
{
    struct pw_trust_keeper *keeper = context;
    keeper->was_asked = true;
    SSL_certs_clear(ssl);
    return keeper->shown == NULL ||
                   SSL_use_cert_and_key(ssl, keeper->shown->certificate, keeper->shown->key,
                                        keeper->shown->between, 1) == 1
               ? 1
               : 0;
}

static int set_roots(struct pw_trust_keeper *keeper, SSL_CTX *ctx,
                     const struct pw_trust_connection *connection, struct pw_out *why)
{
    STACK_OF(X509) *roots = trust_roots(keeper, PW_TRUST_CENTRAL);
    X509_STORE *store = X509_STORE_new();
    bool any = sk_X509_num(roots) > 0;
    bool good = store != NULL && roots != NULL;
    for (int i = 0; good && i < sk_X509_num(roots); i++) {
        good = X509_STORE_add_cert(store, sk_X509_value(roots, i)) == 1;
    }
    good = good && pw_authorities_lists(store, keeper->file.lists);
    if (good && !any && !connection->chosen_roots) {
        good = X509_STORE_set_default_paths(store) == 1;
    }
    sk_X509_pop_free(roots, X509_free);
    if (!good || (!any && connection->chosen_roots)) {
        X509_STORE_free(store);
        return trust_refuse(why, PW_ERR_RANGE,
                            good ? "no central system root is installed"
                                 : "OpenSSL is out of memory");
    }
    SSL_CTX_set_cert_store(ctx, store); // which owns it from here on
    return PW_OK;
}

int pw_trust_prepare(struct pw_trust_keeper *keeper, void *ssl_ctx,
                     const struct pw_trust_connection *connection, struct pw_out *why)
{
    SSL_CTX *ctx = ssl_ctx;
    X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(ctx);
    keeper->shown = connection->certificate ? trust_current(keeper, connection->wall) : NULL;
    if (connection->certificate && keeper->shown == NULL) {
        return trust_refuse(why, PW_ERR_RANGE,
                            connection->wall == 0 ? "the clock is not set: no certificate is valid"
                                                  : "this station has no valid certificate");
    }
    if (!restrict_to_whitepaper(ctx)) {
        return trust_refuse(why, PW_ERR_RANGE, "OpenSSL knows none of the cipher suites");
    }
    SSL_CTX_set_cert_cb(ctx, show_own, keeper);
    SSL_CTX_set_verify_depth(ctx, TRUST_DEPTH_MAX);
    (void)X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
    if (connection->wall > 0) {
        X509_VERIFY_PARAM_set_time(rules, (time_t)(connection->wall / 1000));
    }
    return connection->pinned ? PW_OK : set_roots(keeper, ctx, connection, why);
}

void pw_trust_begin(struct pw_trust_keeper *keeper)
{
    keeper->any_vouched = false;
    keeper->was_asked = false;
    keeper->shown = NULL;
}

// The root nearest to the server's certificate counts: one that another root signed stands for
// itself (M05.FR.12).
void pw_trust_vouched(struct pw_trust_keeper *keeper, void *x509_store_ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(x509_store_ctx);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        for (unsigned k = 0; k < keeper->roots; k++) {
            if (keeper->root[k].use == PW_TRUST_CENTRAL &&
                trust_same(keeper->root[k].certificate, sk_X509_value(chain, i))) {
                trust_fingerprint(keeper->root[k].certificate, keeper->vouched);
                keeper->any_vouched = true;
                return;
            }
        }
    }
}

// Whether a server that asks would take a certificate of ours: it names whom it believes, or nobody
// in particular (RFC 8446 §4.2.4).
static bool is_named(const STACK_OF(X509_NAME) * names, const X509 *certificate)
{
    for (int i = 0; certificate != NULL && i < sk_X509_NAME_num(names); i++) {
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i), X509_get_issuer_name(certificate)) == 0) {
            return true;
        }
    }
    return false;
}

static int show_if_named(SSL *ssl, void *unused)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    STACK_OF(X509) *between = NULL;
    (void)unused;
    (void)SSL_get0_chain_certs(ssl, &between);
    bool named = sk_X509_NAME_num(names) <= 0 || is_named(names, SSL_get_certificate(ssl));
    for (int i = 0; !named && i < sk_X509_num(between); i++) {
        named = is_named(names, sk_X509_value(between, i));
    }
    if (!named) {
        SSL_certs_clear(ssl);
    }
    return 1;
}

bool pw_trust_show(struct pw_trust_keeper *keeper, void *ssl_ctx, pw_unix_ms wall)
{
    SSL_CTX *ctx = ssl_ctx;
    const struct trust_own *own = trust_current(keeper, wall);
    if (own == NULL ||
        SSL_CTX_use_cert_and_key(ctx, own->certificate, own->key, own->between, 1) != 1) {
        ERR_clear_error();
        return false;
    }
    SSL_CTX_set_cert_cb(ctx, show_if_named, NULL);
    return true;
}

bool pw_trust_was_asked(const struct pw_trust_keeper *keeper)
{
    return keeper->was_asked;
}

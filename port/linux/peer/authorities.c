#include "peer/authorities.h"

#include "peer/file.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

static int refuse(struct pw_out *why, const char *path, const char *what)
{
    ERR_clear_error();
    pw_put_s(why, path);
    pw_put_s(why, what);
    return PW_ERR_RANGE;
}

// ---------------------------------------------------------------------------------------------
// The file.

static bool sort(STACK_OF(X509_INFO) * all, struct pw_authorities *to)
{
    for (int i = 0; i < sk_X509_INFO_num(all); i++) {
        X509_INFO *one = sk_X509_INFO_value(all, i);
        if (one->x509 != NULL) {
            if (sk_X509_push(to->certificates, one->x509) <= 0) {
                return false;
            }
            one->x509 = NULL; // which is ours now
        }
        if (one->crl != NULL) {
            if (sk_X509_CRL_push(to->lists, one->crl) <= 0) {
                return false;
            }
            one->crl = NULL;
        }
    }
    return true;
}

int pw_authorities_read(const char *path, struct pw_authorities *to, struct pw_out *why)
{
    size_t len = 0;
    *to = (struct pw_authorities){.certificates = sk_X509_new_null(),
                                  .lists = sk_X509_CRL_new_null()};
    char *pem = pw_peer_file(path, PW_PEER_FILE_MAX, &len, why);
    if (pem == NULL) {
        return PW_ERR_RANGE;
    }
    char nothing[1] = ""; // a pass phrase, instead of a question on a terminal
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    STACK_OF(X509_INFO) *all =
        bio != NULL ? PEM_X509_INFO_read_bio(bio, NULL, NULL, nothing) : NULL;
    bool good = all != NULL && to->certificates != NULL && to->lists != NULL && sort(all, to);
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(bio);
    free(pem);
    if (!good) {
        return refuse(why, path, ": it is damaged, or no certificates in PEM form");
    }
    ERR_clear_error();
    return sk_X509_num(to->certificates) > 0
               ? PW_OK
               : refuse(why, path, ": no certificates can be read there");
}

void pw_authorities_free(struct pw_authorities *authorities)
{
    sk_X509_pop_free(authorities->certificates, X509_free);
    sk_X509_CRL_pop_free(authorities->lists, X509_CRL_free);
    *authorities = (struct pw_authorities){.lists = NULL};
}

bool pw_authorities_stale(const char *path)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    struct pw_authorities read;
    bool stale = false;
    if (pw_authorities_read(path, &read, &why) == PW_OK) {
        for (int i = 0; i < sk_X509_CRL_num(read.lists); i++) {
            const ASN1_TIME *next = X509_CRL_get0_nextUpdate(sk_X509_CRL_value(read.lists, i));
            stale = stale || (next != NULL && X509_cmp_current_time(next) < 0);
        }
    }
    pw_authorities_free(&read);
    return stale;
}

// ---------------------------------------------------------------------------------------------
// Lists. OpenSSL looks them up and checks them; what its strictness makes of lists that are missing
// or out of date is not what is said in the header.

static int forgive(int good, X509_STORE_CTX *check)
{
    int error = X509_STORE_CTX_get_error(check);
    bool forgiven = error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_CRL_HAS_EXPIRED ||
                    error == X509_V_ERR_CRL_NOT_YET_VALID;
    if (good != 1 && forgiven) {
        X509_STORE_CTX_set_error(check, X509_V_OK);
    }
    return good == 1 || forgiven ? 1 : 0;
}

// OpenSSL's own function, which ours stands before.
static X509_STORE_CTX_check_revocation_fn openssl_check(void)
{
    X509_STORE_CTX *plain = X509_STORE_CTX_new();
    X509_STORE_CTX_check_revocation_fn own =
        plain != NULL && X509_STORE_CTX_init(plain, NULL, NULL, NULL) == 1
            ? X509_STORE_CTX_get_check_revocation(plain)
            : NULL;
    X509_STORE_CTX_free(plain);
    return own;
}

static int check_lists(X509_STORE_CTX *check)
{
    X509_STORE_CTX_verify_cb asked = X509_STORE_CTX_get_verify_cb(check);
    X509_STORE_CTX_check_revocation_fn own = openssl_check();
    if (own == NULL) {
        X509_STORE_CTX_set_error(check, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    X509_STORE_CTX_set_verify_cb(check, forgive);
    int good = own(check);
    X509_STORE_CTX_set_verify_cb(check, asked);
    return good == 1 ? 1 : asked(0, check);
}

bool pw_authorities_heed(X509_STORE *store)
{
    X509_STORE_set_check_revocation(store, check_lists);
    return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

bool pw_authorities_lists(X509_STORE *store, STACK_OF(X509_CRL) * lists)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        if (X509_STORE_add_crl(store, sk_X509_CRL_value(lists, i)) != 1) {
            return false;
        }
    }
    return sk_X509_CRL_num(lists) <= 0 || pw_authorities_heed(store);
}

// ---------------------------------------------------------------------------------------------
// Into an SSL_CTX.

static bool fill(X509_STORE *store, const struct pw_authorities *from)
{
    bool good = store != NULL;
    for (int i = 0; good && i < sk_X509_num(from->certificates); i++) {
        good = X509_STORE_add_cert(store, sk_X509_value(from->certificates, i)) == 1;
    }
    return good && pw_authorities_lists(store, from->lists);
}

static STACK_OF(X509_NAME) * names_of(STACK_OF(X509) * certificates)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    for (int i = 0; names != NULL && i < sk_X509_num(certificates); i++) {
        X509_NAME *name = X509_NAME_dup(X509_get_subject_name(sk_X509_value(certificates, i)));
        if (name == NULL || sk_X509_NAME_push(names, name) <= 0) {
            X509_NAME_free(name);
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return NULL;
        }
    }
    return names;
}

static int put(SSL_CTX *ctx, const struct pw_authorities *from, bool clients)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509_NAME) *names = clients ? names_of(from->certificates) : NULL;
    if (!fill(store, from) || (clients && names == NULL)) {
        X509_STORE_free(store);
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return PW_ERR_LIMIT;
    }
    SSL_CTX_set_cert_store(ctx, store); // which owns it from here on
    if (clients) {
        SSL_CTX_set_client_CA_list(ctx, names); // and this
    }
    return PW_OK;
}

int pw_authorities_trust(SSL_CTX *ctx, const char *path, bool clients, struct pw_out *why)
{
    struct pw_authorities read;
    if (path[0] == '\0') {
        return SSL_CTX_set_default_verify_paths(ctx) == 1
                   ? PW_OK
                   : refuse(why, "", "the system's certificates cannot be read");
    }
    int err = pw_authorities_read(path, &read, why);
    if (err == PW_OK && put(ctx, &read, clients) != PW_OK) {
        err = refuse(why, path, ": OpenSSL is out of memory");
    }
    pw_authorities_free(&read);
    return err;
}

// Roots: installed, listed, removed, and replaced by one that the old one signed.
#include "parts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { ROOT_PEM_MAX = 16384 };

static const char *const prefixes[PW_TRUST_USES] = {"central-", "maker-"};

static void name_of(char name[TRUST_NAME_MAX], enum pw_trust_use use, const X509 *certificate,
                    bool fallback)
{
    unsigned char print[32];
    struct pw_out out = {.cap = TRUST_NAME_MAX};
    out.at = name;
    trust_fingerprint(certificate, print);
    pw_put_s(&out, prefixes[use]);
    for (size_t i = 0; i < 8; i++) {
        pw_put_hex(&out, print[i], 2);
    }
    pw_put_s(&out, fallback ? "-fallback.pem" : ".pem");
}

// A root that another one signed has that one behind it, so that it can be named (6.1).
static bool add(struct pw_trust_keeper *keeper, enum pw_trust_use use, X509 *certificate,
                X509 *issuer, bool fallback)
{
    if (keeper->roots == PW_COUNT(keeper->root)) {
        return false;
    }
    struct trust_root *root = &keeper->root[keeper->roots++];
    *root = (struct trust_root){
        .certificate = certificate, .issuer = issuer, .use = use, .fallback = fallback};
    name_of(root->name, use, certificate, fallback);
    (void)X509_up_ref(certificate);
    if (issuer != NULL) {
        (void)X509_up_ref(issuer);
    }
    return true;
}

static void drop(struct pw_trust_keeper *keeper, unsigned index)
{
    X509_free(keeper->root[index].certificate);
    X509_free(keeper->root[index].issuer);
    keeper->roots--;
    memmove(&keeper->root[index], &keeper->root[index + 1],
            (keeper->roots - index) * sizeof(keeper->root[0]));
}

void trust_load_root(struct pw_trust_keeper *keeper, const char *name, struct pw_str pem)
{
    enum pw_trust_use use = pw_str_starts(pw_str_of(name), prefixes[PW_TRUST_MAKER])
                                ? PW_TRUST_MAKER
                                : PW_TRUST_CENTRAL;
    STACK_OF(X509) *all = trust_parse(pem, 2);
    bool good = all != NULL && add(keeper, use, sk_X509_value(all, 0),
                                   sk_X509_num(all) == 2 ? sk_X509_value(all, 1) : NULL,
                                   strstr(name, "-fallback") != NULL);
    if (!good) {
        struct pw_line line;
        pw_line(&line, keeper->log, PW_LOG_ERROR, "trust", "file-unreadable");
        pw_line_s(&line, "file", name);
        pw_line_end(&line);
    }
    sk_X509_pop_free(all, X509_free);
}

// Whether an installed one takes the place of the file's.
static bool file_counts(const struct pw_trust_keeper *keeper)
{
    for (unsigned i = 0; keeper->exclusive && i < keeper->roots; i++) {
        if (keeper->root[i].use == PW_TRUST_CENTRAL) {
            return false;
        }
    }
    return true;
}

STACK_OF(X509) * trust_roots(const struct pw_trust_keeper *keeper, enum pw_trust_use use)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    for (unsigned i = 0; all != NULL && i < keeper->roots; i++) {
        X509 *one = keeper->root[i].certificate;
        if (keeper->root[i].use == use && X509_up_ref(one) == 1) {
            (void)sk_X509_push(all, one);
        }
    }
    bool file = use == PW_TRUST_CENTRAL && file_counts(keeper);
    for (int i = 0; file && all != NULL && i < sk_X509_num(keeper->file.certificates); i++) {
        X509 *one = sk_X509_value(keeper->file.certificates, i);
        if (X509_up_ref(one) == 1) {
            (void)sk_X509_push(all, one);
        }
    }
    return all;
}

unsigned trust_port_valid_roots(void *context, enum pw_trust_use use, pw_unix_ms wall)
{
    STACK_OF(X509) *all = trust_roots(context, use);
    unsigned count = 0;
    for (int i = 0; i < sk_X509_num(all); i++) {
        const X509 *one = sk_X509_value(all, i);
        bool valid = trust_time(X509_get0_notBefore(one)) <= wall &&
                     wall <= trust_time(X509_get0_notAfter(one));
        count += wall > 0 && valid ? 1 : 0;
    }
    sk_X509_pop_free(all, X509_free);
    return count;
}

// ---------------------------------------------------------------------------------------------
// Installing (M05).

static int check_root(X509 *root, pw_unix_ms wall, struct pw_out *why)
{
    if (!trust_strong(root)) {
        return trust_refuse(why, PW_ERR_RANGE, "its key is weaker than RSA 2048 or EC 224");
    }
    if (X509_check_ca(root) == 0) {
        return trust_refuse(why, PW_ERR_RANGE, "it is not a certificate authority's");
    }
    if (wall == 0) {
        return trust_refuse(why, PW_ERR_RANGE, "the clock is not set");
    }
    if (wall > trust_time(X509_get0_notAfter(root))) {
        return trust_refuse(why, PW_ERR_RANGE, "it has expired");
    }
    if (X509_self_signed(root, 1) < 0) {
        return trust_refuse(why, PW_ERR_RANGE, "its own signature is wrong");
    }
    return PW_OK;
}

// The present root that signed `root`; NULL when none did (M05.FR.10).
static X509 *signer_of(struct pw_trust_keeper *keeper, X509 *root)
{
    STACK_OF(X509) *all = trust_roots(keeper, PW_TRUST_CENTRAL);
    X509 *found = NULL;
    for (int i = 0; i < sk_X509_num(all) && found == NULL; i++) {
        X509 *one = sk_X509_value(all, i);
        bool same = trust_same(one, root);
        bool before = false;
        for (unsigned k = 0; k < keeper->roots; k++) {
            before = before || (keeper->root[k].fallback && keeper->root[k].certificate == one);
        }
        if (!same && !before && X509_check_issued(one, root) == X509_V_OK &&
            X509_verify(root, X509_get0_pubkey(one)) == 1) {
            found = one;
            (void)X509_up_ref(found);
        }
    }
    sk_X509_pop_free(all, X509_free);
    ERR_clear_error();
    return found;
}

static int write_root(struct pw_trust_keeper *keeper, const char *name, X509 *root, X509 *issuer,
                      struct pw_out *why)
{
    char pem[ROOT_PEM_MAX];
    struct pw_out out = PW_OUT(pem);
    int err = trust_put_pem(&out, root);
    if (err == PW_OK && issuer != NULL) {
        err = trust_put_pem(&out, issuer);
    }
    return err != PW_OK ? trust_refuse(why, PW_ERR_STORE, "the certificate is too large")
                        : trust_write(keeper, name, pem, out.len, true, why);
}

// The present ones become the fall-back; there is only one, the newest.
static void set_back(struct pw_trust_keeper *keeper, X509 *signer)
{
    char text[160];
    trust_drop_fallback(keeper);
    bool found = false;
    for (unsigned i = keeper->roots; i-- > 0;) {
        struct trust_root *root = &keeper->root[i];
        struct pw_out why = PW_OUT(text);
        char name[TRUST_NAME_MAX];
        if (root->use != PW_TRUST_CENTRAL) {
            continue;
        }
        if (found || !trust_same(root->certificate, signer)) {
            (void)trust_unlink(keeper, root->name, &why);
            drop(keeper, i);
            continue;
        }
        name_of(name, PW_TRUST_CENTRAL, root->certificate, true);
        (void)trust_rename(keeper, root->name, name, &why);
        root->fallback = true;
        memcpy(root->name, name, sizeof(name));
        found = true;
    }
    if (!found && add(keeper, PW_TRUST_CENTRAL, signer, NULL, true)) {
        // It came from the file: kept here until the new one has connected.
        struct pw_out why = PW_OUT(text);
        (void)write_root(keeper, keeper->root[keeper->roots - 1].name, signer, NULL, &why);
    }
}

static unsigned count_installed(const struct pw_trust_keeper *keeper)
{
    unsigned count = 0;
    for (unsigned i = 0; i < keeper->roots; i++) {
        count += keeper->root[i].fallback ? 0 : 1;
    }
    return count;
}

static bool is_installed(const struct pw_trust_keeper *keeper, enum pw_trust_use use,
                         const X509 *root)
{
    for (unsigned i = 0; i < keeper->roots; i++) {
        if (keeper->root[i].use == use && !keeper->root[i].fallback &&
            trust_same(keeper->root[i].certificate, root)) {
            return true;
        }
    }
    return false;
}

static int install(struct pw_trust_keeper *keeper, enum pw_trust_use use, X509 *root, X509 *signer,
                   struct pw_out *why)
{
    char name[TRUST_NAME_MAX];
    X509 *issuer = X509_self_signed(root, 0) == 1 ? NULL : signer;
    name_of(name, use, root, false);
    int err = write_root(keeper, name, root, issuer, why);
    if (err != PW_OK) {
        return err;
    }
    if (signer != NULL) {
        set_back(keeper, signer);
    }
    return add(keeper, use, root, issuer, false) ? PW_OK : PW_ERR_LIMIT;
}

static int install_one(struct pw_trust_keeper *keeper, const struct pw_trust_root *wanted,
                       X509 *root, pw_unix_ms wall, struct pw_out *why)
{
    int err = check_root(root, wall, why);
    if (err != PW_OK || is_installed(keeper, wanted->use, root)) {
        return err;
    }
    unsigned there = count_installed(keeper);
    STACK_OF(X509) *present = trust_roots(keeper, wanted->use);
    bool first = sk_X509_num(present) == 0;
    sk_X509_pop_free(present, X509_free);
    X509 *signer = wanted->replace && !first ? signer_of(keeper, root) : NULL;
    if (wanted->replace && !first && signer == NULL) {
        return trust_refuse(why, PW_ERR_RANGE, "it is not signed by the root that it replaces");
    }
    if (signer == NULL && (there >= wanted->most || there >= PW_TRUST_ROOTS_MAX)) {
        return trust_refuse(why, PW_ERR_LIMIT, "no more can be installed");
    }
    err = install(keeper, wanted->use, root, signer, why);
    X509_free(signer);
    return err;
}

int trust_port_install(void *context, const struct pw_trust_root *root, pw_unix_ms wall,
                       struct pw_out *why)
{
    STACK_OF(X509) *all = trust_parse(root->pem, 1);
    if (all == NULL) {
        return trust_refuse(why, PW_ERR_RANGE, "it is not one certificate in PEM form");
    }
    int err = install_one(context, root, sk_X509_value(all, 0), wall, why);
    sk_X509_pop_free(all, X509_free);
    return err;
}

void trust_drop_fallback(struct pw_trust_keeper *keeper)
{
    char text[160];
    for (unsigned i = keeper->roots; i-- > 0;) {
        struct pw_out why = PW_OUT(text);
        if (keeper->root[i].fallback) {
            (void)trust_unlink(keeper, keeper->root[i].name, &why);
            drop(keeper, i);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Listing and removing (M03, M04).

static bool id_of(const struct trust_root *root, enum pw_trust_hash hash, struct pw_trust_id *id)
{
    return trust_id(root->certificate, root->issuer != NULL ? root->issuer : root->certificate,
                    hash, id);
}

int trust_port_list(void *context, enum pw_trust_use use, unsigned index, enum pw_trust_hash hash,
                    struct pw_trust_id *id)
{
    const struct pw_trust_keeper *keeper = context;
    for (unsigned i = 0; i < keeper->roots; i++) {
        const struct trust_root *root = &keeper->root[i];
        if (root->use == use && !root->fallback && index-- == 0) {
            return id_of(root, hash, id) ? PW_OK : PW_ERR_BUG;
        }
    }
    return PW_ERR_UNKNOWN;
}

static bool same_hex(const char *a, const char *b)
{
    return pw_str_eq_nocase(pw_str_of(a), pw_str_of(b));
}

static bool is_named(const struct trust_root *root, const struct pw_trust_id *id)
{
    struct pw_trust_id own;
    return !root->fallback && id_of(root, id->hash, &own) && same_hex(own.serial, id->serial) &&
           same_hex(own.issuer_name, id->issuer_name) && same_hex(own.issuer_key, id->issuer_key);
}

int trust_port_remove(void *context, const struct pw_trust_id *id)
{
    struct pw_trust_keeper *keeper = context;
    char text[160];
    struct pw_out why = PW_OUT(text);
    for (unsigned i = 0; i < keeper->roots; i++) {
        unsigned char print[32];
        if (!is_named(&keeper->root[i], id)) {
            continue;
        }
        trust_fingerprint(keeper->root[i].certificate, print);
        if (keeper->any_vouched && memcmp(print, keeper->vouched, sizeof(print)) == 0) {
            return PW_ERR_BUSY;
        }
        int err = trust_unlink(keeper, keeper->root[i].name, &why);
        if (err == PW_OK) {
            drop(keeper, i);
        }
        return err;
    }
    return PW_ERR_UNKNOWN;
}

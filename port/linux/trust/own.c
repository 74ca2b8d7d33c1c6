// Our certificate: the request, what comes back, and which one is in use.
#include "parts.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_NAME "waiting.key"
#define MONTH_MS     (INT64_C(30) * 86400000)

enum { OWN_PEM_MAX = 24576 };

static void name_of(char name[TRUST_NAME_MAX], uint32_t number, enum trust_state state)
{
    static const char *const ends[] = {"-new.pem", ".pem", "-refused.pem"};
    (void)snprintf(name, TRUST_NAME_MAX, "own-%08x%s", number, ends[state]);
}

void trust_free_own(struct trust_own *own)
{
    X509_free(own->certificate);
    sk_X509_pop_free(own->between, X509_free);
    EVP_PKEY_free(own->key);
    *own = (struct trust_own){.number = 0};
}

static EVP_PKEY *read_key(struct pw_str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.at, (int)pem.len);
    char nothing[1] = ""; // a pass phrase, instead of a question on a terminal
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, nothing) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

void trust_load_waiting(struct pw_trust_keeper *keeper, struct pw_str pem)
{
    EVP_PKEY_free(keeper->waiting);
    keeper->waiting = read_key(pem);
}

void trust_load_own(struct pw_trust_keeper *keeper, const char *name, struct pw_str pem)
{
    struct trust_own own = {.number = (uint32_t)strtoul(name + 4, NULL, 16)};
    const char *at = memmem(pem.at, pem.len, "-----BEGIN CERTIFICATE", 22);
    struct pw_str certificates = {.at = at,
                                  .len = at != NULL ? pem.len - (size_t)(at - pem.at) : 0};
    own.state = strstr(name, "-new") != NULL       ? TRUST_NEW
                : strstr(name, "-refused") != NULL ? TRUST_REFUSED
                                                   : TRUST_GOOD;
    own.key = read_key(pem);
    own.between = at != NULL ? trust_parse(certificates, TRUST_DEPTH_MAX + 1) : NULL;
    own.certificate = own.between != NULL ? sk_X509_shift(own.between) : NULL;
    bool good = own.key != NULL && own.certificate != NULL &&
                X509_check_private_key(own.certificate, own.key) == 1 &&
                keeper->owns < PW_COUNT(keeper->own);
    if (good) {
        keeper->own[keeper->owns++] = own;
        return;
    }
    trust_free_own(&own);
    ERR_clear_error();
    struct pw_line line;
    pw_line(&line, keeper->log, PW_LOG_ERROR, "trust", "file-unreadable");
    pw_line_s(&line, "file", name);
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// The request.

static bool put_subject(X509_NAME *name, const char *field, struct pw_str text)
{
    return text.len == 0 ||
           X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text.at,
                                      (int)text.len, -1, 0) == 1;
}

static bool write_pem(BIO *bio, struct pw_out *to)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    pw_put(to, (struct pw_str){.at = bytes, .len = len > 0 ? (size_t)len : 0});
    return len > 0 && pw_out_err(to) == PW_OK;
}

static bool make_request(EVP_PKEY *key, const struct pw_trust_subject *subject, struct pw_out *csr)
{
    X509_REQ *request = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = request != NULL && bio != NULL && X509_REQ_set_version(request, 0) == 1 &&
                put_subject(X509_REQ_get_subject_name(request), "O", subject->organisation) &&
                put_subject(X509_REQ_get_subject_name(request), "CN", subject->serial) &&
                X509_REQ_set_pubkey(request, key) == 1 &&
                X509_REQ_sign(request, key, EVP_sha256()) > 0 &&
                PEM_write_bio_X509_REQ(bio, request) == 1 && write_pem(bio, csr);
    BIO_free(bio);
    X509_REQ_free(request);
    return good;
}

static bool put_key(struct pw_out *out, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool good = bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                write_pem(bio, out);
    BIO_free(bio);
    return good;
}

int trust_port_request(void *context, const struct pw_trust_subject *subject, struct pw_out *csr,
                       struct pw_out *why)
{
    struct pw_trust_keeper *keeper = context;
    char pem[1024];
    struct pw_out out = PW_OUT(pem);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL || !put_key(&out, key) || !make_request(key, subject, csr)) {
        EVP_PKEY_free(key);
        return trust_refuse(why, PW_ERR_STORE, "OpenSSL makes no request");
    }
    // Nobody waits for the disk here: a key that a power cut takes along makes what is signed for
    // it useless, and it is asked for again.
    int err = trust_write(keeper, WAITING_NAME, pem, out.len, false, why);
    explicit_bzero(pem, sizeof(pem));
    if (err != PW_OK) {
        EVP_PKEY_free(key);
        return err;
    }
    EVP_PKEY_free(keeper->waiting);
    keeper->waiting = key;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// What comes back (A02.FR.06).

static bool has_name(const X509 *certificate, int field, struct pw_str text)
{
    const X509_NAME *name = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(name, field, -1);
    unsigned char *utf8 = NULL;
    if (at < 0) {
        return false;
    }
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    bool same =
        len > 0 && (text.len == 0 ||
                    pw_str_eq((struct pw_str){.at = (const char *)utf8, .len = (size_t)len}, text));
    OPENSSL_free(utf8);
    return same;
}

static int check_own(struct pw_trust_keeper *keeper, X509 *certificate, STACK_OF(X509) * between,
                     const struct pw_trust_subject *subject, pw_unix_ms wall, struct pw_out *why)
{
    if (!trust_strong(certificate)) {
        return trust_refuse(why, PW_ERR_RANGE, "its key is weaker than RSA 2048 or EC 224");
    }
    if (!has_name(certificate, NID_commonName, subject->serial)) {
        return trust_refuse(why, PW_ERR_RANGE, "its CN is not the serial number of this station");
    }
    if (!has_name(certificate, NID_organizationName, subject->organisation)) {
        return trust_refuse(why, PW_ERR_RANGE, "its O is not CpoName");
    }
    if (wall == 0) {
        return trust_refuse(why, PW_ERR_RANGE, "the clock is not set");
    }
    // One that is not valid yet is taken, and used when it is (A02.FR.08).
    pw_unix_ms begin = trust_time(X509_get0_notBefore(certificate));
    STACK_OF(X509) *roots = trust_roots(keeper, PW_TRUST_CENTRAL);
    int err = trust_path(certificate, between, roots, wall > begin ? wall : begin + 1000,
                         X509_PURPOSE_SSL_CLIENT, why);
    sk_X509_pop_free(roots, X509_free);
    return err;
}

// The key that this certificate is for: the one that waits, or one whose certificate is being sent
// again.
static EVP_PKEY *key_for(const struct pw_trust_keeper *keeper, const X509 *certificate)
{
    EVP_PKEY *found = NULL;
    if (keeper->waiting != NULL && X509_check_private_key(certificate, keeper->waiting) == 1) {
        found = keeper->waiting;
    }
    for (unsigned i = 0; i < keeper->owns && found == NULL; i++) {
        if (X509_check_private_key(certificate, keeper->own[i].key) == 1) {
            found = keeper->own[i].key;
        }
    }
    ERR_clear_error();
    return found;
}

static void drop(struct pw_trust_keeper *keeper, unsigned index)
{
    char name[TRUST_NAME_MAX];
    char text[160];
    struct pw_out why = PW_OUT(text);
    name_of(name, keeper->own[index].number, keeper->own[index].state);
    (void)trust_unlink(keeper, name, &why);
    keeper->shown = NULL;
    trust_free_own(&keeper->own[index]);
    keeper->owns--;
    memmove(&keeper->own[index], &keeper->own[index + 1],
            (keeper->owns - index) * sizeof(keeper->own[0]));
}

// Room for one more: refused ones go first, then the oldest.
static void make_room(struct pw_trust_keeper *keeper)
{
    while (keeper->owns >= PW_TRUST_OWN_MAX) {
        unsigned oldest = 0;
        for (unsigned i = 1; i < keeper->owns; i++) {
            const struct trust_own *a = &keeper->own[i];
            const struct trust_own *b = &keeper->own[oldest];
            bool refused = a->state == TRUST_REFUSED;
            bool better = refused != (b->state == TRUST_REFUSED) ? refused : a->number < b->number;
            oldest = better ? i : oldest;
        }
        drop(keeper, oldest);
    }
}

static int write_own(struct pw_trust_keeper *keeper, const struct trust_own *own,
                     struct pw_out *why)
{
    char *pem = malloc(OWN_PEM_MAX);
    struct pw_out out = {.at = pem, .cap = pem != NULL ? OWN_PEM_MAX : 0};
    char name[TRUST_NAME_MAX];
    name_of(name, own->number, own->state);
    bool good =
        pem != NULL && put_key(&out, own->key) && trust_put_pem(&out, own->certificate) == PW_OK;
    for (int i = 0; good && i < sk_X509_num(own->between); i++) {
        good = trust_put_pem(&out, sk_X509_value(own->between, i)) == PW_OK;
    }
    int err = good ? trust_write(keeper, name, pem, out.len, true, why)
                   : trust_refuse(why, PW_ERR_STORE, "the chain is too large");
    if (pem != NULL) {
        explicit_bzero(pem, OWN_PEM_MAX);
    }
    free(pem);
    return err;
}

static uint32_t newest_number(const struct pw_trust_keeper *keeper)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < keeper->owns; i++) {
        most = keeper->own[i].number > most ? keeper->own[i].number : most;
    }
    return most;
}

static int keep(struct pw_trust_keeper *keeper, X509 *certificate, STACK_OF(X509) * between,
                EVP_PKEY *key, struct pw_out *why)
{
    for (unsigned i = 0; i < keeper->owns; i++) {
        if (trust_same(keeper->own[i].certificate, certificate)) {
            return PW_OK; // sent again: it is kept already
        }
    }
    struct trust_own own = {.certificate = certificate,
                            .between = between,
                            .key = key,
                            .state = TRUST_NEW,
                            .number = newest_number(keeper) + 1};
    int err = write_own(keeper, &own, why);
    if (err != PW_OK) {
        return err;
    }
    bool waited = key == keeper->waiting;
    if (EVP_PKEY_up_ref(key) != 1 || X509_up_ref(certificate) != 1) {
        return trust_refuse(why, PW_ERR_STORE, "OpenSSL is out of memory");
    }
    own.between = sk_X509_new_null();
    for (int i = 0; i < sk_X509_num(between); i++) {
        X509 *one = sk_X509_value(between, i);
        if (X509_up_ref(one) == 1) {
            (void)sk_X509_push(own.between, one);
        }
    }
    make_room(keeper);
    keeper->own[keeper->owns++] = own;
    if (waited) {
        EVP_PKEY_free(keeper->waiting);
        keeper->waiting = NULL;
        // A key that stays behind is replaced by the next request.
        (void)trust_unlink(keeper, WAITING_NAME, why);
    }
    return PW_OK;
}

int trust_port_accept(void *context, struct pw_str chain, const struct pw_trust_subject *subject,
                      pw_unix_ms wall, struct pw_out *why)
{
    struct pw_trust_keeper *keeper = context;
    STACK_OF(X509) *all = trust_parse(chain, TRUST_DEPTH_MAX + 1);
    if (all == NULL) {
        return trust_refuse(why, PW_ERR_RANGE, "it is no chain of certificates in PEM form");
    }
    X509 *certificate = sk_X509_shift(all);
    EVP_PKEY *key = key_for(keeper, certificate);
    int err = key != NULL ? check_own(keeper, certificate, all, subject, wall, why)
                          : trust_refuse(why, PW_ERR_RANGE,
                                         "it is not for a key that this station has made");
    if (err == PW_OK) {
        err = keep(keeper, certificate, all, key, why);
    }
    X509_free(certificate);
    sk_X509_pop_free(all, X509_free);
    return err;
}

// ---------------------------------------------------------------------------------------------
// Which one is in use (A02.FR.08, A02.FR.09).

static bool is_usable(const struct trust_own *own, pw_unix_ms wall)
{
    return own->state != TRUST_REFUSED && wall > 0 &&
           trust_time(X509_get0_notBefore(own->certificate)) <= wall &&
           wall <= trust_time(X509_get0_notAfter(own->certificate));
}

struct trust_own *trust_current(struct pw_trust_keeper *keeper, pw_unix_ms wall)
{
    struct trust_own *best = NULL;
    for (unsigned i = 0; i < keeper->owns; i++) {
        struct trust_own *one = &keeper->own[i];
        if (!is_usable(one, wall)) {
            continue;
        }
        pw_unix_ms begin = trust_time(X509_get0_notBefore(one->certificate));
        pw_unix_ms best_begin =
            best != NULL ? trust_time(X509_get0_notBefore(best->certificate)) : 0;
        // Of two made in the same second the one that came last counts.
        if (best == NULL || begin > best_begin ||
            (begin == best_begin && one->number > best->number)) {
            best = one;
        }
    }
    return best;
}

int trust_port_own(void *context, pw_unix_ms wall, struct pw_trust_own *own)
{
    struct pw_trust_keeper *keeper = context;
    const struct trust_own *current = trust_current(keeper, wall);
    struct pw_trust_id id;
    if (current == NULL ||
        !trust_id(current->certificate, current->certificate, PW_TRUST_SHA256, &id)) {
        return PW_ERR_UNKNOWN;
    }
    *own = (struct pw_trust_own){
        .not_before = trust_time(X509_get0_notBefore(current->certificate)),
        .not_after = trust_time(X509_get0_notAfter(current->certificate)),
        .fresh = current->state == TRUST_NEW,
    };
    memcpy(own->serial, id.serial, sizeof(own->serial));
    for (unsigned i = 0; i < keeper->owns; i++) {
        own->kept += &keeper->own[i] != current && is_usable(&keeper->own[i], wall) ? 1 : 0;
    }
    return PW_OK;
}

static int set_state(struct pw_trust_keeper *keeper, struct trust_own *own, enum trust_state state)
{
    char from[TRUST_NAME_MAX];
    char to[TRUST_NAME_MAX];
    char text[160];
    struct pw_out why = PW_OUT(text);
    name_of(from, own->number, own->state);
    name_of(to, own->number, state);
    own->state = state;
    return trust_rename(keeper, from, to, &why);
}

static void drop_fallback_if_proved(struct pw_trust_keeper *keeper)
{
    unsigned char print[32];
    for (unsigned i = 0; keeper->any_vouched && i < keeper->roots; i++) {
        trust_fingerprint(keeper->root[i].certificate, print);
        if (keeper->root[i].use == PW_TRUST_CENTRAL && !keeper->root[i].fallback &&
            memcmp(print, keeper->vouched, sizeof(print)) == 0) {
            trust_drop_fallback(keeper);
            return;
        }
    }
}

void trust_port_connected(void *context, bool shown, pw_unix_ms wall)
{
    struct pw_trust_keeper *keeper = context;
    drop_fallback_if_proved(keeper);
    struct trust_own *current = shown ? trust_current(keeper, wall) : NULL;
    if (current == NULL || (keeper->shown != NULL && keeper->shown != current)) {
        return;
    }
    if (current->state == TRUST_NEW) {
        (void)set_state(keeper, current, TRUST_GOOD);
    }
    uint32_t number = current->number;
    if (wall - trust_time(X509_get0_notBefore(current->certificate)) < MONTH_MS) {
        return; // A02.FR.10: the old one stays for a month
    }
    for (unsigned i = keeper->owns; i-- > 0;) {
        if (keeper->own[i].number < number) {
            drop(keeper, i);
        }
    }
}

int trust_port_retreat(void *context, pw_unix_ms wall)
{
    struct pw_trust_keeper *keeper = context;
    struct trust_own *current = trust_current(keeper, wall);
    bool other = false;
    for (unsigned i = 0; i < keeper->owns; i++) {
        other = other || (&keeper->own[i] != current && is_usable(&keeper->own[i], wall));
    }
    return current == NULL || !other ? PW_ERR_UNKNOWN : set_state(keeper, current, TRUST_REFUSED);
}

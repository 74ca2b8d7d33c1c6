// peer: whom a connection takes for whom it was made, what lists of revoked certificates change,
// and files that are none. Real handshakes of OpenSSL in memory, with certificates of our own
// authority.
#include "peer/peer.h"

#include "authority.h"
#include "folder.h"
#include "peer/authorities.h"
#include "shake.h"
#include "test.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Not the machine's time: dates are judged by the clock that was given.
#define NOW  INT64_C(1900000000000)
#define FROM (NOW - AUTHORITY_DAY)
#define TO   (NOW + AUTHORITY_DAY)

struct fixture {
    struct folder folder;
    struct authority root;
    struct authority between; // signed by it
    struct authority server;  // signed by `root`
    struct authority far;     // signed by `between`
    char pem[AUTHORITY_PEM_MAX];
    char path[128];
    char text[256];
    struct pw_out why;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    folder_make(&f.folder);
    f.why = PW_OUT(f.text);
    f.root = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, FROM, TO);
    f.between = authority_make(&f.root, AUTHORITY_CA, "between", NULL, 0, FROM, TO);
    f.server = authority_make(&f.root, AUTHORITY_SERVER, "CP1", "DNS:central", 0, FROM, TO);
    f.far = authority_make(&f.between, AUTHORITY_SERVER, "CP2", "DNS:central", 0, FROM, TO);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    struct authority *const all[] = {&f->root, &f->between, &f->server, &f->far};
    for (size_t i = 0; i < PW_COUNT(all); i++) {
        authority_free(all[i]);
    }
    folder_remove(&f->folder);
    return 0;
}

static void put_file(struct fixture *f)
{
    folder_write(&f->folder, "ca.pem", f->pem, 0600, f->path);
}

static void show(SSL_CTX *ctx, const struct authority *own, const struct authority *between)
{
    assert_int_equal(SSL_CTX_use_certificate(ctx, own->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, own->key), 1);
    if (between != NULL) {
        assert_int_equal(SSL_CTX_add1_chain_cert(ctx, between->certificate), 1);
    }
}

static SSL_CTX *server_with(const struct authority *own, const struct authority *between)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_true(pw_peer_restrict(ctx));
    show(ctx, own, between);
    return ctx;
}

// What a client that trusts the file says to this server: "" for yes.
static const char *judge(struct fixture *f, SSL_CTX *server, pw_unix_ms wall)
{
    static char refused[PW_PEER_REFUSED_SIZE];
    struct pw_peer_pins pins = {0};
    const struct pw_peer_rules rules = {.host = "central",
                                        .ca_file = f->path,
                                        .certificate = "",
                                        .key = "",
                                        .pins = &pins,
                                        .wall = wall,
                                        .refused = refused};
    struct shake shake;
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    f->why = PW_OUT(f->text);
    if (pw_peer_apply(client, &rules, &f->why) != PW_OK) {
        fail_msg("%s", f->text);
    }
    shake_begin(&shake, client, server);
    assert_int_equal(shake.good, refused[0] == '\0');
    shake_end(&shake);
    SSL_CTX_free(client);
    return refused;
}

// Reason: facts/reliability.md T07, T37: a certificate that was taken back must not open anything,
// and a list that somebody forgot to renew must not close everything.
static void what_is_on_its_issuers_list_is_refused(void **state)
{
    struct fixture *f = *state;
    struct authority other = authority_make(NULL, AUTHORITY_CA, "other", NULL, 0, FROM, TO);
    struct authority fake = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, FROM, TO);
    const struct {
        const struct authority *shown;
        const struct authority *between;
        const struct authority *by; // of the list; NULL: there is none
        const struct authority *revoked;
        pw_unix_ms list_to;
        const char *expected;
    } rows[] = {
        {&f->server, NULL, NULL, NULL, TO, ""},
        {&f->server, NULL, &f->root, NULL, TO, ""},
        {&f->server, NULL, &f->root, &f->far, TO, ""},
        {&f->server, NULL, &f->root, &f->server, TO, "certificate revoked"},
        {&f->far, &f->between, &f->root, &f->between, TO, "certificate revoked"},
        {&f->far, &f->between, &f->between, &f->far, TO, "certificate revoked"},
        // The issuer has no list among those given.
        {&f->far, &f->between, &f->root, &f->server, TO, ""},
        {&f->server, NULL, &other, &f->server, TO, ""},
        // Out of date: what is on it still counts.
        {&f->server, NULL, &f->root, NULL, NOW - 1000, ""},
        {&f->server, NULL, &f->root, &f->server, NOW - 1000, "certificate revoked"},
        // Somebody else's list in its issuer's name.
        {&f->server, NULL, &fake, NULL, TO, "CRL signature failure"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        SSL_CTX *server = server_with(rows[i].shown, rows[i].between);
        f->pem[0] = '\0';
        authority_pem(f->root.certificate, f->pem);
        if (rows[i].by != NULL) {
            const X509 *revoked = rows[i].revoked != NULL ? rows[i].revoked->certificate : NULL;
            authority_list(rows[i].by, revoked, FROM, rows[i].list_to, f->pem);
        }
        put_file(f);
        const char *said = judge(f, server, NOW);
        if (strcmp(said, rows[i].expected) != 0) {
            fail_msg("row %zu: \"%s\" instead of \"%s\"", i, said, rows[i].expected);
        }
        SSL_CTX_free(server);
    }
    authority_free(&other);
    authority_free(&fake);
}

// Reason: T07: the dates are the station's clock's, the same on every link.
static void dates_are_judged_by_the_clock_that_was_given(void **state)
{
    struct fixture *f = *state;
    SSL_CTX *server = server_with(&f->server, NULL);
    authority_pem(f->root.certificate, f->pem);
    put_file(f);
    assert_string_equal(judge(f, server, NOW), "");
    assert_string_equal(judge(f, server, FROM - 1000), "certificate is not yet valid");
    assert_string_equal(judge(f, server, TO + 1000), "certificate has expired");
    assert_string_equal(judge(f, server, 0), "certificate is not yet valid"); // the machine's
    SSL_CTX_free(server);
}

// Reason: opening a pipe waits for its other end: neither a start nor a reload may hang on what
// somebody has put in a certificate's place. All of these return at once, or the test hangs.
static void what_is_no_file_of_certificates_is_an_error_at_once(void **state)
{
    struct fixture *f = *state;
    char pipe[128];
    char big[128];
    folder_file(&f->folder, "pipe", pipe);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    authority_pem(f->root.certificate, f->pem);
    put_file(f);
    folder_write(&f->folder, "big.pem", f->pem, 0600, big);
    assert_int_equal(truncate(big, 2000000), 0);
    char half[128];
    char list[128];
    authority_list(&f->root, NULL, FROM, TO, f->pem);
    const char *only = strstr(f->pem, "-----BEGIN X509 CRL");
    folder_write(&f->folder, "list.pem", only, 0600, list);
    f->pem[strlen(f->pem) - 60] = '\0';
    folder_write(&f->folder, "half.pem", f->pem, 0600, half);
    const struct {
        const char *path;
        const char *why;
    } rows[] = {
        {pipe, ": it is no file that can be read"},
        {"/dev/zero", ": it is no file that can be read"},
        {f->folder.path, ": it is no file that can be read"},
        {"/nowhere/ca.pem", ": No such file or directory"},
        {big, ": it is too long"},
        {list, ": no certificates can be read there"},
        {half, ": it is damaged, or no certificates in PEM form"},
    };
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_authorities read;
        f->why = PW_OUT(f->text);
        assert_int_equal(pw_authorities_read(rows[i].path, &read, &f->why), PW_ERR_RANGE);
        pw_authorities_free(&read);
        if (strstr(f->text, rows[i].why) == NULL || strstr(f->text, rows[i].path) != f->text) {
            fail_msg("row %zu: %s", i, f->text);
        }
        f->why = PW_OUT(f->text);
        assert_int_equal(pw_peer_reload(ctx, rows[i].path, key, &f->why), PW_ERR_STORE);
        assert_ptr_equal(strstr(f->text, rows[i].path), f->text);
    }
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
}

// Reason: OpenSSL keeps a certificate and a key of different kinds beside each other, and then
// shows nothing: a station would be told that it has no certificate, and nobody which file is
// wrong.
static void a_key_that_is_not_its_certificates_is_an_error_at_once(void **state)
{
    struct fixture *f = *state;
    char certificate[128];
    char path[128];
    char refused[PW_PEER_REFUSED_SIZE];
    struct pw_peer_pins pins = {0};
    EVP_PKEY *const keys[] = {f->server.key, EVP_EC_gen("P-256"), EVP_RSA_gen(2048)};
    const int expected[] = {PW_OK, PW_ERR_RANGE, PW_ERR_RANGE};
    authority_pem(f->server.certificate, f->pem);
    folder_write(&f->folder, "own.pem", f->pem, 0600, certificate);
    for (size_t i = 0; i < PW_COUNT(keys); i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char pem[4096] = "";
        assert_int_equal(PEM_write_bio_PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
        assert_true(BIO_read(bio, pem, sizeof(pem) - 1) > 0);
        BIO_free(bio);
        folder_write(&f->folder, "own.key", pem, 0600, path);
        const struct pw_peer_rules rules = {.host = "central",
                                            .ca_file = "",
                                            .certificate = certificate,
                                            .key = path,
                                            .pins = &pins,
                                            .refused = refused};
        SSL_CTX *client = SSL_CTX_new(TLS_client_method());
        f->why = PW_OUT(f->text);
        assert_int_equal(pw_peer_apply(client, &rules, &f->why), expected[i]);
        assert_true(expected[i] == PW_OK || strstr(f->text, path) == f->text);
        SSL_CTX_free(client);
    }
    EVP_PKEY_free(keys[1]);
    EVP_PKEY_free(keys[2]);
}

// Reason: a server that reads its authorities again must not be without them in between, and a list
// counts from the moment it is read.
static void authorities_read_again_count_for_the_connections_to_come(void **state)
{
    struct fixture *f = *state;
    // A server judges by the machine's time: these count from 1970 to 2079.
    const pw_unix_ms begin = AUTHORITY_DAY;
    const pw_unix_ms end = 40000 * AUTHORITY_DAY;
    struct authority root = authority_make(NULL, AUTHORITY_CA, "real", NULL, 0, begin, end);
    struct authority own = authority_make(&root, AUTHORITY_SERVER, "CP9", NULL, 0, begin, end);
    struct pw_peer_shown shown;
    struct shake shake;
    SSL_CTX *server = server_with(&f->server, NULL);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    show(client, &own, NULL);
    authority_pem(root.certificate, f->pem);
    put_file(f);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    assert_int_equal(pw_authorities_trust(server, f->path, true, &f->why), PW_OK);
    assert_false(pw_authorities_stale(f->path));
    assert_int_equal(pw_authorities_trust(server, "/nowhere", true, &f->why), PW_ERR_RANGE);
    shake_begin(&shake, client, server);
    assert_true(shake.good);
    // It hears whose certificates are taken, and what it showed is known.
    assert_int_equal(sk_X509_NAME_num(SSL_get0_peer_CA_list(shake.client)), 1);
    assert_true(pw_peer_shown(shake.server, &shown));
    assert_string_equal(shown.common_name, "CP9");
    assert_int_equal(strlen(shown.serial) % 2, 0);
    shake_end(&shake);
    authority_list(&root, own.certificate, begin, 2 * begin, f->pem);
    put_file(f);
    assert_true(pw_authorities_stale(f->path)); // since 1970
    assert_int_equal(pw_authorities_trust(server, f->path, true, &f->why), PW_OK);
    shake_begin(&shake, client, server);
    assert_false(shake.good);
    assert_int_equal(SSL_get_verify_result(shake.server), X509_V_ERR_CERT_REVOKED);
    shake_end(&shake);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    authority_free(&own);
    authority_free(&root);
}

static int take_all(int good, X509_STORE_CTX *check)
{
    (void)good, (void)check;
    return 1;
}

// What a server takes for the name of who shows this: a name of `first` and, unless NULL, `second`.
static void shown_name(const char *first, int first_len, const char *second, char to[64])
{
    const pw_unix_ms end = 40000 * AUTHORITY_DAY;
    struct authority root = authority_make(NULL, AUTHORITY_CA, "real", NULL, 0, FROM, end);
    struct authority own = authority_make(&root, AUTHORITY_SERVER, "x", NULL, 0, FROM, end);
    struct pw_peer_shown shown;
    struct shake shake;
    X509_NAME *name = X509_NAME_new();
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
                                                (const unsigned char *)first, first_len, -1, 0),
                     1);
    if (second != NULL) {
        assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING,
                                                    (const unsigned char *)second, -1, -1, 0),
                         1);
    }
    assert_int_equal(X509_set_subject_name(own.certificate, name), 1);
    assert_true(X509_sign(own.certificate, root.key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    SSL_CTX *server = server_with(&root, NULL);
    SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    show(client, &own, NULL);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, take_all);
    shake_begin(&shake, client, server);
    assert_true(pw_peer_shown(shake.server, &shown));
    memcpy(to, shown.common_name, sizeof(shown.common_name));
    shake_end(&shake);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    authority_free(&own);
    authority_free(&root);
}

// Reason: a name that two readers read differently makes one station another: of two names each may
// take its own, and one with a NUL ends there for some.
static void a_doubtful_common_name_is_none(void **state)
{
    char name[PW_PEER_NAME_SIZE];
    (void)state;
    shown_name("CP1", 3, NULL, name);
    assert_string_equal(name, "CP1");
    shown_name("CP1", 3, "CP2", name);
    assert_string_equal(name, "");
    shown_name("CP1\0.evil", 9, NULL, name);
    assert_string_equal(name, "");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_on_its_issuers_list_is_refused),
        CASE(dates_are_judged_by_the_clock_that_was_given),
        CASE(what_is_no_file_of_certificates_is_an_error_at_once),
        CASE(a_key_that_is_not_its_certificates_is_an_error_at_once),
        CASE(authorities_read_again_count_for_the_connections_to_come),
        CASE(a_doubtful_common_name_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

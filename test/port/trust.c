// The trust port on OpenSSL: what it takes, what it refuses, and what is in its folder after a
// start. Security whitepaper edition 3: A00.FR.501–512, A02, A03, L01, M03–M05.
#include "authority.h"
#include "folder.h"
#include "peer/authorities.h"
#include "peer/peer.h"
#include "shake.h"
#include "test.h"
#include "trust/openssl.h"
#include "vault/vault.h"

#include <dirent.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW  INT64_C(1767225600000)
#define FROM (NOW - AUTHORITY_DAY)
#define TO   (NOW + 300 * AUTHORITY_DAY)

struct fixture {
    struct folder folder;
    struct pw_vault *vault;
    struct pw_trust_keeper *keeper;
    struct pw_trust trust;
    struct authority root;
    char csr[2048];
    char pem[AUTHORITY_PEM_MAX];
    char text[256];
    struct pw_out why;
};

static const struct pw_trust_subject subject = {.serial = {.at = "SN-1", .len = 4},
                                                .organisation = {.at = "Operator", .len = 8}};

static void start(struct fixture *f)
{
    f->why = PW_OUT(f->text);
    f->keeper = pw_trust_open(f->folder.path, "", false, pw_vault_port(f->vault), NULL, &f->why);
    assert_non_null(f->keeper);
    f->trust = pw_trust_port(f->keeper);
}

static void restart(struct fixture *f)
{
    pw_trust_close(f->keeper);
    start(f);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    folder_make(&f.folder);
    f.why = PW_OUT(f.text);
    const struct pw_vault_options key = {.folder = f.folder.path, .tpm = PW_VAULT_TPM_OFF};
    assert_int_equal(pw_vault_open(&f.vault, &key, &f.why), PW_OK);
    start(&f);
    f.root = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, FROM, TO);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pw_trust_close(f->keeper);
    pw_vault_close(f->vault);
    authority_free(&f->root);
    folder_remove(&f->folder);
    return 0;
}

static int install(struct fixture *f, enum pw_trust_use use, X509 *certificate)
{
    f->pem[0] = '\0';
    f->why = PW_OUT(f->text);
    authority_pem(certificate, f->pem);
    const struct pw_trust_root root = {.use = use, .pem = pw_str_of(f->pem), .most = 10};
    return f->trust.install(f->keeper, &root, NOW, &f->why);
}

static void request(struct fixture *f)
{
    struct pw_out csr = PW_OUT(f->csr);
    f->why = PW_OUT(f->text);
    assert_int_equal(f->trust.request(f->keeper, &subject, &csr, &f->why), PW_OK);
}

static int accept_signed(struct fixture *f, const struct authority *by, pw_unix_ms from,
                         pw_unix_ms to, pw_unix_ms now)
{
    X509 *made = authority_sign(by, f->csr, from, to);
    f->pem[0] = '\0';
    f->why = PW_OUT(f->text);
    authority_pem(made, f->pem);
    X509_free(made);
    return f->trust.accept(f->keeper, pw_str_of(f->pem), &subject, now, &f->why);
}

static void check_files(const struct fixture *f, unsigned count)
{
    DIR *dir = opendir(f->folder.path);
    unsigned found = 0;
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[512];
        struct stat about;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "device.key") == 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%s/%s", f->folder.path, entry->d_name);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        found++;
    }
    (void)closedir(dir);
    assert_int_equal(found, count);
}

// Reason: days pass between a request and what comes back for it, and power cuts with them.
static void a_request_is_answered_after_a_start(void **state)
{
    struct fixture *f = *state;
    struct pw_trust_own own;
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
    request(f);
    restart(f);
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_ERR_UNKNOWN);
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, NOW), PW_OK);
    restart(f);
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_OK);
    assert_true(own.fresh);
    assert_int_equal(own.not_after, TO);
    f->trust.connected(f->keeper, true, NOW);
    restart(f);
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_OK);
    assert_false(own.fresh);
    // Nothing is left of the key that waited; a root and a certificate with its key are.
    check_files(f, 2);
    // Sent once more, because the answer was lost: the same, once.
    assert_int_equal(f->trust.accept(f->keeper, pw_str_of(f->pem), &subject, NOW, &f->why), PW_OK);
    check_files(f, 2);
    // Without a date nothing is valid.
    assert_int_equal(f->trust.own(f->keeper, 0, &own), PW_ERR_UNKNOWN);
    assert_int_equal(f->trust.own(f->keeper, TO + 1000, &own), PW_ERR_UNKNOWN);
}

// Reason: A02.FR.08–10: the newest valid one is shown, and the one before stays for a month.
static void the_newest_valid_certificate_is_in_use_and_the_old_one_stays_a_month(void **state)
{
    struct fixture *f = *state;
    struct pw_trust_own own;
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
    request(f);
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, NOW), PW_OK);
    f->trust.connected(f->keeper, true, NOW);
    request(f);
    pw_unix_ms later = NOW + 5 * AUTHORITY_DAY;
    assert_int_equal(accept_signed(f, &f->root, later, TO, NOW), PW_OK);
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_OK);
    assert_int_equal(own.not_before, FROM);
    assert_int_equal(f->trust.own(f->keeper, later + 1000, &own), PW_OK);
    assert_int_equal(own.not_before, later);
    assert_true(own.fresh);
    // It does not connect: back to the one before, also after a start.
    assert_int_equal(f->trust.retreat(f->keeper, later + 1000), PW_OK);
    restart(f);
    assert_int_equal(f->trust.own(f->keeper, later + 1000, &own), PW_OK);
    assert_int_equal(own.not_before, FROM);
    // There is none before that: it stays.
    assert_int_equal(f->trust.retreat(f->keeper, later + 1000), PW_ERR_UNKNOWN);
    request(f);
    assert_int_equal(accept_signed(f, &f->root, later, TO, later + 1000), PW_OK);
    f->trust.connected(f->keeper, true, later + 2000);
    check_files(f, 4); // the root and three of ours
    f->trust.connected(f->keeper, true, later + 31 * AUTHORITY_DAY);
    check_files(f, 2);
}

// Reason: A02.FR.06. Each is refused with its reason, and nothing is kept.
static void a_certificate_that_is_not_ours_is_refused(void **state)
{
    struct fixture *f = *state;
    struct pw_trust_own own;
    struct pw_trust_subject other = subject;
    struct authority weak = authority_make(&f->root, AUTHORITY_SERVER, "SN-1", NULL, 0, FROM, TO);
    request(f);
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, NOW), PW_ERR_RANGE); // no root installed
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
    assert_int_equal(accept_signed(f, &f->root, FROM, NOW - 1000, NOW), PW_ERR_RANGE);
    assert_string_equal(f->text, "certificate has expired");
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, 0), PW_ERR_RANGE);
    assert_string_equal(f->text, "the clock is not set");
    assert_int_equal(accept_signed(f, &weak, FROM, TO, NOW), PW_ERR_RANGE); // signed by no CA
    other.serial = PW_STR("SN-2");
    assert_int_equal(f->trust.accept(f->keeper, pw_str_of(f->pem), &other, NOW, &f->why),
                     PW_ERR_RANGE);
    // A key that is not ours; two texts that are none.
    f->pem[0] = '\0';
    authority_pem(weak.certificate, f->pem);
    assert_int_equal(f->trust.accept(f->keeper, pw_str_of(f->pem), &subject, NOW, &f->why),
                     PW_ERR_RANGE);
    assert_int_equal(f->trust.accept(f->keeper, PW_STR(""), &subject, NOW, &f->why), PW_ERR_RANGE);
    assert_int_equal(f->trust.accept(f->keeper,
                                     PW_STR("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                            "-----END CERTIFICATE-----\n"),
                                     &subject, NOW, &f->why),
                     PW_ERR_RANGE);
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_ERR_UNKNOWN);
    check_files(f, 2); // the root and the key that waits
    authority_free(&weak);
}

// Reason: M05.FR.06, A00.FR.502.
static void roots_are_authorities_with_strong_keys_and_valid(void **state)
{
    struct fixture *f = *state;
    struct authority strong = authority_make(NULL, AUTHORITY_CA, "rsa", NULL, 2048, FROM, TO);
    struct authority weak = authority_make(NULL, AUTHORITY_CA, "weak", NULL, 1024, FROM, TO);
    struct authority old = authority_make(NULL, AUTHORITY_CA, "old", NULL, 0, FROM, NOW - 1000);
    struct authority server = authority_make(&f->root, AUTHORITY_SERVER, "x", NULL, 0, FROM, TO);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, strong.certificate), PW_OK);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, weak.certificate), PW_ERR_RANGE);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, old.certificate), PW_ERR_RANGE);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, server.certificate), PW_ERR_RANGE);
    f->pem[0] = '\0';
    authority_pem(f->root.certificate, f->pem);
    authority_pem(strong.certificate, f->pem);
    const struct pw_trust_root two = {
        .use = PW_TRUST_CENTRAL, .pem = pw_str_of(f->pem), .most = 10};
    assert_int_equal(f->trust.install(f->keeper, &two, NOW, &f->why), PW_ERR_RANGE); // two at once
    assert_int_equal(f->trust.valid_roots(f->keeper, PW_TRUST_CENTRAL, NOW), 1);
    assert_int_equal(f->trust.valid_roots(f->keeper, PW_TRUST_CENTRAL, TO + 1000), 0);
    assert_int_equal(f->trust.valid_roots(f->keeper, PW_TRUST_CENTRAL, 0), 0);
    check_files(f, 1);
    authority_free(&strong);
    authority_free(&weak);
    authority_free(&old);
    authority_free(&server);
}

static void sign_digest(const struct authority *by, bool pss, const uint8_t sha256[32], char *to,
                        size_t cap)
{
    unsigned char bytes[512];
    size_t len = sizeof(bytes);
    struct pw_out out = {.at = to, .cap = cap};
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(by->key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    if (pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING), 1);
    }
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
    assert_int_equal(EVP_PKEY_sign(context, bytes, &len, sha256, 32), 1);
    EVP_PKEY_CTX_free(context);
    pw_put_base64(&out, bytes, len);
}

// Reason: L01.FR.04: RSA-PSS, and ECDSA in place of the EC-Schnorr that nobody has; PKCS #1 v1.5 is
// not what the text says.
static void a_firmware_signature_is_the_signers_over_this_file(void **state)
{
    struct fixture *f = *state;
    struct authority rsa = authority_make(&f->root, AUTHORITY_SIGNER, "rsa", NULL, 2048, FROM, TO);
    struct authority ec = authority_make(&f->root, AUTHORITY_SIGNER, "ec", NULL, 0, FROM, TO);
    const struct {
        const struct authority *by;
        bool pss;
        int expected;
    } rows[] = {{&rsa, true, PW_OK}, {&rsa, false, PW_ERR_RANGE}, {&ec, false, PW_OK}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        uint8_t digest[32] = {1, 2, 3};
        char signature[800];
        sign_digest(rows[i].by, rows[i].pss, digest, signature, sizeof(signature));
        f->pem[0] = '\0';
        authority_pem(rows[i].by->certificate, f->pem);
        assert_int_equal(
            f->trust.verify(f->keeper, pw_str_of(f->pem), pw_str_of(signature), digest, &f->why),
            rows[i].expected);
        digest[31] ^= 1;
        assert_int_equal(
            f->trust.verify(f->keeper, pw_str_of(f->pem), pw_str_of(signature), digest, &f->why),
            PW_ERR_RANGE);
    }
    authority_free(&rsa);
    authority_free(&ec);
}

// Reason: a manufacturer renews his root under its name; who holds both trusts signers of both,
// also when their certificates do not tell the issuer's key.
static void a_root_renewed_under_its_name_lies_beside_the_old_one(void **state)
{
    struct fixture *f = *state;
    struct authority next = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, FROM, TO);
    const struct authority *const roots[] = {&f->root, &next};
    for (size_t i = 0; i < PW_COUNT(roots); i++) {
        assert_int_equal(install(f, PW_TRUST_MAKER, roots[i]->certificate), PW_OK);
    }
    for (size_t i = 0; i < PW_COUNT(roots); i++) {
        struct authority signer =
            authority_make(roots[i], AUTHORITY_SIGNER, "a", NULL, 0, FROM, TO);
        f->pem[0] = '\0';
        authority_pem(signer.certificate, f->pem);
        assert_int_equal(f->trust.check_signer(f->keeper, pw_str_of(f->pem), NOW, &f->why), PW_OK);
        authority_free(&signer);
    }
    authority_free(&next);
}

// Reason: L01.FR.12; there are no certificates between the manufacturer's root and the signer.
static void who_signs_firmware_is_signed_by_the_manufacturers_root_itself(void **state)
{
    struct fixture *f = *state;
    struct authority between = authority_make(&f->root, AUTHORITY_CA, "between", NULL, 0, FROM, TO);
    struct authority signer = authority_make(&f->root, AUTHORITY_SIGNER, "a", NULL, 0, FROM, TO);
    struct authority far = authority_make(&between, AUTHORITY_SIGNER, "b", NULL, 0, FROM, TO);
    f->pem[0] = '\0';
    authority_pem(signer.certificate, f->pem);
    struct pw_str pem = pw_str_of(f->pem);
    assert_int_equal(f->trust.check_signer(f->keeper, pem, NOW, &f->why), PW_ERR_RANGE);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK); // the wrong kind
    f->pem[0] = '\0';
    authority_pem(signer.certificate, f->pem);
    assert_int_equal(f->trust.check_signer(f->keeper, pem, NOW, &f->why), PW_ERR_RANGE);
    assert_int_equal(install(f, PW_TRUST_MAKER, f->root.certificate), PW_OK);
    f->pem[0] = '\0';
    authority_pem(signer.certificate, f->pem);
    pem = pw_str_of(f->pem);
    assert_int_equal(f->trust.check_signer(f->keeper, pem, NOW, &f->why), PW_OK);
    assert_int_equal(f->trust.check_signer(f->keeper, pem, TO + 1000, &f->why), PW_ERR_RANGE);
    assert_int_equal(f->trust.check_signer(f->keeper, pem, 0, &f->why), PW_ERR_RANGE);
    f->pem[0] = '\0';
    authority_pem(far.certificate, f->pem);
    assert_int_equal(f->trust.check_signer(f->keeper, pw_str_of(f->pem), NOW, &f->why),
                     PW_ERR_RANGE);
    authority_free(&between);
    authority_free(&signer);
    authority_free(&far);
}

// Reason: a file that a power cut left half, or that somebody edited, must not take the others
// along.
static void damaged_files_are_left_out(void **state)
{
    struct fixture *f = *state;
    struct pw_trust_own own;
    char path[128];
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
    request(f);
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, NOW), PW_OK);
    folder_write(&f->folder, "own-00000009.pem", "-----BEGIN PRIVATE KEY-----\nAAAA", 0600, path);
    folder_write(&f->folder, "central-0000.pem", "", 0600, path);
    folder_write(&f->folder, "maker-0000.pem", f->pem + 40, 0600, path);
    folder_write(&f->folder, "waiting.key", "no key", 0600, path);
    folder_write(&f->folder, "own-00000009.key.new", "half", 0600, path);
    restart(f);
    assert_int_equal(access(path, F_OK), -1); // what was never whole is gone
    assert_int_equal(f->trust.own(f->keeper, NOW, &own), PW_OK);
    assert_int_equal(f->trust.valid_roots(f->keeper, PW_TRUST_CENTRAL, NOW), 1);
    assert_int_equal(f->trust.valid_roots(f->keeper, PW_TRUST_MAKER, NOW), 0);
    request(f); // and it goes on
    assert_int_equal(accept_signed(f, &f->root, FROM, TO, NOW), PW_OK);
}

static SSL_CTX *server_of(const struct authority *own)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(server, own->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server, own->key), 1);
    return server;
}

// Reason: T37: what the file says was revoked must not open the connection to the central system,
// also when it is a root installed over OCPP that vouches.
static void lists_in_ocpp_ca_file_count_for_installed_roots_as_well(void **state)
{
    struct fixture *f = *state;
    struct authority server = authority_make(&f->root, AUTHORITY_SERVER, "a", NULL, 0, FROM, TO);
    struct authority other = authority_make(NULL, AUTHORITY_CA, "other", NULL, 0, FROM, TO);
    char path[128];
    for (int revoked = 0; revoked <= 1; revoked++) {
        struct shake shake;
        struct pw_trust_connection connection = {.wall = NOW};
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX *there = server_of(&server);
        f->pem[0] = '\0';
        authority_pem(other.certificate, f->pem);
        authority_list(&f->root, revoked == 1 ? server.certificate : NULL, FROM, TO, f->pem);
        folder_write(&f->folder, "ca.crt", f->pem, 0600, path);
        pw_trust_close(f->keeper);
        f->keeper =
            pw_trust_open(f->folder.path, path, false, pw_vault_port(f->vault), NULL, &f->why);
        f->trust = pw_trust_port(f->keeper);
        assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        assert_int_equal(pw_trust_prepare(f->keeper, ctx, &connection, &f->why), PW_OK);
        shake_begin(&shake, ctx, there);
        assert_int_equal(shake.good, revoked == 0);
        assert_int_equal(SSL_get_verify_result(shake.client),
                         revoked == 0 ? X509_V_OK : X509_V_ERR_CERT_REVOKED);
        shake_end(&shake);
        SSL_CTX_free(ctx);
        SSL_CTX_free(there);
    }
    authority_free(&server);
    authority_free(&other);
}

// Reason: the station link shows the certificate of OCPP's profile 3. A server of somebody else,
// who does not know its authority, would refuse it, and a link that a key alone opens be lost; and
// what is signed anew is shown at the next connection.
static void the_station_link_shows_the_newest_one_to_who_names_its_authority(void **state)
{
    struct fixture *f = *state;
    struct authority server = authority_make(&f->root, AUTHORITY_SERVER, "a", NULL, 0, FROM, TO);
    struct authority other = authority_make(NULL, AUTHORITY_CA, "other", NULL, 0, FROM, TO);
    const struct authority *const named[] = {&f->root, &other, NULL, &f->root};
    const bool shows[] = {true, false, true, true};
    char serial[PW_PEER_SERIAL_SIZE] = "";
    char path[128];
    SSL_CTX *none = SSL_CTX_new(TLS_client_method());
    assert_false(pw_trust_show(f->keeper, none, NOW)); // there is none yet
    SSL_CTX_free(none);
    assert_int_equal(install(f, PW_TRUST_CENTRAL, f->root.certificate), PW_OK);
    for (size_t i = 0; i < PW_COUNT(named); i++) {
        struct shake shake;
        struct pw_peer_shown shown;
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX *there = server_of(&server);
        request(f);
        assert_int_equal(accept_signed(f, &f->root, FROM + (pw_unix_ms)i * 1000, TO, NOW), PW_OK);
        SSL_CTX_set_verify(there, SSL_VERIFY_PEER, NULL);
        X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(there), NOW / 1000);
        if (named[i] != NULL) {
            f->pem[0] = '\0';
            authority_pem(named[i]->certificate, f->pem);
            folder_write(&f->folder, "clients.crt", f->pem, 0600, path);
            assert_int_equal(pw_authorities_trust(there, path, true, &f->why), PW_OK);
        } else {
            X509_STORE *store = SSL_CTX_get_cert_store(there);
            assert_int_equal(X509_STORE_add_cert(store, f->root.certificate), 1);
        }
        assert_true(pw_trust_show(f->keeper, ctx, NOW));
        shake_begin(&shake, ctx, there);
        assert_true(shake.good);
        assert_int_equal(pw_peer_shown(shake.server, &shown), shows[i]);
        if (shows[i]) {
            assert_string_equal(shown.common_name, "SN-1");
            assert_string_not_equal(shown.serial, serial);
            memcpy(serial, shown.serial, sizeof(serial));
        }
        shake_end(&shake);
        SSL_CTX_free(ctx);
        SSL_CTX_free(there);
    }
    authority_free(&server);
    authority_free(&other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_request_is_answered_after_a_start),
        CASE(the_newest_valid_certificate_is_in_use_and_the_old_one_stays_a_month),
        CASE(a_certificate_that_is_not_ours_is_refused),
        CASE(roots_are_authorities_with_strong_keys_and_valid),
        CASE(a_firmware_signature_is_the_signers_over_this_file),
        CASE(a_root_renewed_under_its_name_lies_beside_the_old_one),
        CASE(who_signs_firmware_is_signed_by_the_manufacturers_root_itself),
        CASE(lists_in_ocpp_ca_file_count_for_installed_roots_as_well),
        CASE(the_station_link_shows_the_newest_one_to_who_names_its_authority),
        CASE(damaged_files_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

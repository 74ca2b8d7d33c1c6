#include "maker/key.h"

#include "ed25519/ed25519.h"
#include "file.h"
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// scrypt, RFC 7914: 16 MiB of memory for every guess at a passphrase.
enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1, SALT_LEN = 16, PEM_MAX = 2000 };

static const char *const test_name[] = {
    "root 1", "root 2", "root 3", "release 1", "release 2", "release 3",
};

void key_put_hex(struct pw_out *out, const uint8_t *at, size_t len)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        pw_put_c(out, digit[at[i] >> 4]);
        pw_put_c(out, digit[at[i] & 15]);
    }
}

void key_id(const uint8_t open[PW_RELEASE_KEY_LEN], uint8_t id[PW_SHA256_LEN])
{
    struct pw_sha256 hash;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, open, PW_RELEASE_KEY_LEN);
    pw_sha256_end(&hash, id);
}

void key_forget(struct key *key)
{
    OPENSSL_cleanse(key, sizeof(*key));
}

static bool complete(struct key *key)
{
    if (!pw_ed25519_public(key->seed, key->open)) {
        return false;
    }
    key_id(key->open, key->id);
    return true;
}

static bool make_test(const char *name, struct key *key)
{
    struct pw_sha256 hash;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, "pilotwire test ", strlen("pilotwire test "));
    pw_sha256_add(&hash, name, strlen(name));
    pw_sha256_end(&hash, key->seed);
    return complete(key);
}

const char *key_test_name(const uint8_t id[PW_SHA256_LEN])
{
    for (size_t i = 0; i < PW_COUNT(test_name); i++) {
        struct key key;
        if (make_test(test_name[i], &key) && memcmp(key.id, id, PW_SHA256_LEN) == 0) {
            return test_name[i];
        }
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// Reading.

// Others must not read it, nor have been able to put another one there.
static int check_owner(FILE *from, const char *file, struct pw_out *why)
{
    struct stat is;
    if (fstat(fileno(from), &is) != 0 || !S_ISREG(is.st_mode)) {
        return pw_refuse(why, EXIT_UNREACHABLE, file, "is not a file");
    }
    if (is.st_uid != geteuid()) {
        return pw_refuse(why, EXIT_REFUSED, file, "a private key must be your own file");
    }
    if ((is.st_mode & 077) != 0) {
        char mode[64];
        (void)snprintf(mode, sizeof(mode), "its mode is %04o, must be 0600 (chmod 600)",
                       (unsigned)(is.st_mode & 07777));
        return pw_refuse(why, EXIT_REFUSED, file, mode);
    }
    return EXIT_DONE;
}

struct passphrase {
    const char *file;
    struct pw_out *why;
    bool asked;
    bool failed;
};

static int give_passphrase(char *to, int size, int write, void *context)
{
    struct passphrase *passphrase = context;
    char text[PASSWORD_SIZE];
    (void)write;
    if (passphrase->failed) {
        return -1; // OpenSSL asks again
    }
    passphrase->asked = true;
    int err = passphrase->file != NULL
                  ? password_from_file(text, passphrase->file, passphrase->why)
                  : password_ask(text, "Passphrase of the key: ", passphrase->why);
    size_t len = strlen(text);
    passphrase->failed = err != PW_OK;
    if (err != PW_OK || len > (size_t)size) {
        OPENSSL_cleanse(text, sizeof(text));
        return -1;
    }
    memcpy(to, text, len); // NOLINT(bugprone-not-null-terminated-result): OpenSSL wants no end
    OPENSSL_cleanse(text, sizeof(text));
    return (int)len;
}

int key_read(struct key *key, const char *file, const char *passphrase_file, struct pw_out *why)
{
    struct passphrase passphrase = {.file = passphrase_file, .why = why};
    size_t len = sizeof(key->seed);
    FILE *from = fopen(file, "re");
    if (from == NULL) {
        return pw_refuse(why, EXIT_UNREACHABLE, file, strerror(errno));
    }
    int code = check_owner(from, file, why);
    EVP_PKEY *read =
        code == EXIT_DONE ? PEM_read_PrivateKey(from, NULL, give_passphrase, &passphrase) : NULL;
    (void)fclose(from);
    if (code == EXIT_DONE && passphrase.failed) {
        code = EXIT_UNREACHABLE; // why is said
    } else if (code == EXIT_DONE && read == NULL) {
        code =
            pw_refuse(why, EXIT_REFUSED, file,
                      passphrase.asked ? "the passphrase does not open it" : "is no private key");
    } else if (code == EXIT_DONE &&
               (EVP_PKEY_get_base_id(read) != EVP_PKEY_ED25519 ||
                EVP_PKEY_get_raw_private_key(read, key->seed, &len) != 1 || !complete(key))) {
        code = pw_refuse(why, EXIT_REFUSED, file, "is a key of another kind, must be Ed25519");
    }
    EVP_PKEY_free(read);
    return code;
}

int key_read_open(uint8_t open[PW_RELEASE_KEY_LEN], const char *text, struct pw_out *why)
{
    size_t len = PW_RELEASE_KEY_LEN;
    if (strlen(text) == (size_t)2 * PW_RELEASE_KEY_LEN &&
        pw_parse_hex(pw_str_of(text), open, PW_RELEASE_KEY_LEN) == PW_RELEASE_KEY_LEN) {
        return EXIT_DONE;
    }
    FILE *from = fopen(text, "re");
    if (from == NULL) {
        return pw_refuse(why, EXIT_UNREACHABLE, text, strerror(errno));
    }
    EVP_PKEY *read = PEM_read_PUBKEY(from, NULL, NULL, NULL);
    (void)fclose(from);
    bool good = read != NULL && EVP_PKEY_get_base_id(read) == EVP_PKEY_ED25519 &&
                EVP_PKEY_get_raw_public_key(read, open, &len) == 1;
    EVP_PKEY_free(read);
    return good ? EXIT_DONE
                : pw_refuse(
                      why, EXIT_REFUSED, text,
                      "is no public Ed25519 key: its file (FILE.pub) or 64 hexadecimal digits");
}

// ---------------------------------------------------------------------------------------------
// Writing.

// The key locked by scrypt and AES-256 (PKCS #8, RFC 5958 and 7914); NULL: OpenSSL cannot.
static X509_SIG *lock(EVP_PKEY *pair, const char *passphrase)
{
    unsigned char salt[SALT_LEN];
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pair);
    X509_ALGOR *how = RAND_bytes(salt, sizeof(salt)) == 1
                          ? PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL,
                                                  SCRYPT_N, SCRYPT_R, SCRYPT_P)
                          : NULL;
    X509_SIG *locked =
        plain != NULL && how != NULL ? PKCS8_set0_pbe(passphrase, -1, plain, how) : NULL;
    if (locked == NULL) {
        X509_ALGOR_free(how);
    }
    PKCS8_PRIV_KEY_INFO_free(plain);
    return locked;
}

static bool put_pem(BIO *to, EVP_PKEY *pair, const char *passphrase)
{
    if (passphrase == NULL) {
        return PEM_write_bio_PKCS8PrivateKey(to, pair, NULL, NULL, 0, NULL, NULL) == 1;
    }
    X509_SIG *locked = lock(pair, passphrase);
    bool ok = locked != NULL && PEM_write_bio_PKCS8(to, locked) == 1;
    X509_SIG_free(locked);
    return ok;
}

// A new file, never over another one, on the disk when it returns.
static int put_file(const char *file, mode_t mode, BIO *pem, struct pw_out *why)
{
    char *at = NULL;
    long len = BIO_get_mem_data(pem, &at);
    int to = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (to < 0) {
        return pw_refuse(why, EXIT_UNREACHABLE, file, strerror(errno));
    }
    bool ok =
        len > 0 && fchmod(to, mode) == 0 && write(to, at, (size_t)len) == len && fsync(to) == 0;
    ok = close(to) == 0 && ok;
    if (!ok) {
        (void)unlink(file);
        return pw_refuse(why, EXIT_UNREACHABLE, file, "cannot be written");
    }
    return EXIT_DONE;
}

static int write_pair(const struct key *key, const char *file, const char *passphrase,
                      struct pw_out *why)
{
    char open_file[4096];
    struct pw_out name = PW_OUT(open_file);
    EVP_PKEY *pair =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->seed, sizeof(key->seed));
    BIO *secret = BIO_new(BIO_s_secmem());
    BIO *open_pem = BIO_new(BIO_s_mem());
    pw_put_s(&name, file);
    pw_put_s(&name, ".pub");
    int code = EXIT_DONE;
    if (name.full || pair == NULL || secret == NULL || open_pem == NULL ||
        !put_pem(secret, pair, passphrase) || PEM_write_bio_PUBKEY(open_pem, pair) != 1) {
        code = pw_refuse(why, EXIT_UNREACHABLE, file, "the key cannot be made");
    }
    if (code == EXIT_DONE) {
        code = put_file(file, 0600, secret, why);
    }
    if (code == EXIT_DONE) {
        code = put_file(open_file, 0644, open_pem, why);
    }
    (void)BIO_free(secret);
    (void)BIO_free(open_pem);
    EVP_PKEY_free(pair);
    return code;
}

static void tell(const uint8_t open[PW_RELEASE_KEY_LEN])
{
    char text[300];
    struct pw_out out = PW_OUT(text);
    uint8_t id[PW_SHA256_LEN];
    key_id(open, id);
    pw_put_s(&out, "public key ");
    key_put_hex(&out, open, PW_RELEASE_KEY_LEN);
    pw_put_s(&out, "\nkey id     ");
    key_put_hex(&out, id, sizeof(id));
    if (pw_release_is_test_key(open)) {
        pw_put_s(&out, "\nA well-known test key: whoever reads this can sign with it.");
    }
    (void)puts(text);
}

// Asked for twice, unless a file has it.
static int new_passphrase(char to[PASSWORD_SIZE], const char *file, struct pw_out *why)
{
    char again[PASSWORD_SIZE];
    if (file != NULL) {
        return password_from_file(to, file, why) == PW_OK ? EXIT_DONE : EXIT_UNREACHABLE;
    }
    if (password_ask(to, "New passphrase: ", why) != PW_OK ||
        password_ask(again, "Once more: ", why) != PW_OK) {
        return EXIT_UNREACHABLE;
    }
    bool same = strcmp(to, again) == 0;
    OPENSSL_cleanse(again, sizeof(again));
    return same ? EXIT_DONE
                : pw_refuse(why, EXIT_REFUSED, "passphrase", "the two are not the same");
}

int key_new(const struct options *options)
{
    char text[400] = "";
    struct pw_out why = PW_OUT(text);
    char passphrase[PASSWORD_SIZE] = "";
    struct key key;
    int code = EXIT_DONE;
    if (!options->no_passphrase) {
        code = new_passphrase(passphrase, options->passphrase_file, &why);
    }
    if (code == EXIT_DONE &&
        (RAND_priv_bytes(key.seed, sizeof(key.seed)) != 1 || !complete(&key))) {
        code = pw_refuse(&why, EXIT_UNREACHABLE, "key", "this machine has no randomness for it");
    }
    if (code == EXIT_DONE) {
        code = write_pair(&key, options->arguments.word[0],
                          options->no_passphrase ? NULL : passphrase, &why);
    }
    OPENSSL_cleanse(passphrase, sizeof(passphrase));
    if (code == EXIT_DONE) {
        tell(key.open);
    }
    key_forget(&key);
    return code == EXIT_DONE ? EXIT_DONE : fail_with(code, &why);
}

int key_test(const struct options *options)
{
    char text[400] = "";
    struct pw_out why = PW_OUT(text);
    char name[32];
    struct pw_out wanted = PW_OUT(name);
    struct key key;
    pw_put_s(&wanted, options->arguments.word[0]);
    pw_put_c(&wanted, ' ');
    pw_put_s(&wanted, options->arguments.word[1]);
    for (size_t i = 0; i < PW_COUNT(test_name); i++) {
        if (strcmp(test_name[i], name) == 0) {
            int code = make_test(name, &key)
                           ? write_pair(&key, options->arguments.word[2], NULL, &why)
                           : pw_refuse(&why, EXIT_UNREACHABLE, "key", "OpenSSL cannot make it");
            if (code == EXIT_DONE) {
                tell(key.open);
            }
            return code == EXIT_DONE ? EXIT_DONE : fail_with(code, &why);
        }
    }
    return fail_usage(name, "test keys are root 1, 2, 3 and release 1, 2, 3");
}

int key_show(const struct options *options)
{
    char text[400] = "";
    struct pw_out why = PW_OUT(text);
    uint8_t open[PW_RELEASE_KEY_LEN];
    int code = key_read_open(open, options->arguments.word[0], &why);
    if (code != EXIT_DONE) {
        return fail_with(code, &why);
    }
    tell(open);
    return EXIT_DONE;
}

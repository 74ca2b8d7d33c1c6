#include "vault/pem.h"

#include "peer/file.h"
#include "whole.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BYTES_MAX = 16384 };

static int refuse(struct pw_out *why, const char *path, const char *what)
{
    ERR_clear_error();
    pw_put_s(why, path);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return PW_ERR_STORE;
}

// "file/ca.key": a file may move with its folder, and none can take the place of another.
static struct pw_str name_of(const char *path, char to[PW_SECRET_NAME_MAX])
{
    const char *slash = strrchr(path, '/');
    struct pw_out out = {.cap = PW_SECRET_NAME_MAX};
    out.at = to;
    pw_put_s(&out, "file/");
    pw_put_s(&out, slash != NULL ? slash + 1 : path);
    return pw_out_str(&out);
}

static int put(const char *path, struct pw_str bytes, struct pw_out *why)
{
    return pw_whole_write(path, 0600, bytes, true) == PW_OK ? PW_OK
                                                            : refuse(why, path, strerror(errno));
}

static int put_sealed(const char *path, struct pw_str pem, const struct pw_secret *secret,
                      struct pw_out *why)
{
    char name[PW_SECRET_NAME_MAX];
    char sealed[BYTES_MAX];
    int len = secret->seal(secret->context, name_of(path, name), pem, sealed, sizeof(sealed));
    return len > 0 ? put(path, (struct pw_str){.at = sealed, .len = (size_t)len}, why)
                   : refuse(why, path, "it cannot be sealed: there is no key of the device");
}

int pw_key_write(const char *path, EVP_PKEY *key, const struct pw_secret *secret,
                 struct pw_out *why)
{
    BIO *text = BIO_new(BIO_s_secmem());
    char *bytes = NULL;
    int err = PW_ERR_STORE;
    if (text == NULL || PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL) != 1) {
        err = refuse(why, path, "OpenSSL cannot write the key");
    } else {
        long len = BIO_get_mem_data(text, &bytes);
        const struct pw_str pem = {.at = bytes, .len = len > 0 ? (size_t)len : 0};
        err = secret != NULL ? put_sealed(path, pem, secret, why) : put(path, pem, why);
    }
    BIO_free(text);
    return err;
}

// The bytes of the file: their number, or below 0 with *why.
static int get_file(const char *path, char to[BYTES_MAX], struct pw_out *why)
{
    size_t len = 0;
    char *bytes = pw_peer_file(path, BYTES_MAX - 1, &len, why);
    if (bytes == NULL) {
        return PW_ERR_STORE;
    }
    memcpy(to, bytes, len);
    OPENSSL_cleanse(bytes, len);
    free(bytes);
    return (int)len;
}

static const char *why_locked(int err)
{
    return err == PW_ERR_UNKNOWN
               ? "it is sealed with a key that this machine does not have: is device.key the one "
                 "of this folder?"
               : "it is damaged, or was not sealed here";
}

EVP_PKEY *pw_key_read(const char *path, const struct pw_secret *secret, struct pw_out *why)
{
    char name[PW_SECRET_NAME_MAX];
    char bytes[BYTES_MAX];
    char nothing[1] = ""; // a pass phrase, instead of a question on a terminal
    int len = get_file(path, bytes, why);
    if (len >= 0 && secret != NULL) {
        const struct pw_str sealed = {.at = bytes, .len = (size_t)len};
        len = secret->open(secret->context, name_of(path, name), sealed, bytes, sizeof(bytes));
        if (len < 0) {
            (void)refuse(why, path, why_locked(len));
        }
    }
    if (len < 0) {
        return NULL;
    }
    BIO *text = BIO_new_mem_buf(bytes, len);
    EVP_PKEY *key = text != NULL ? PEM_read_bio_PrivateKey(text, NULL, NULL, nothing) : NULL;
    BIO_free(text);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (key == NULL) {
        (void)refuse(why, path, "is no private key in PEM form");
    }
    return key;
}

int pw_key_renew(const char *path, const struct pw_secret *secret, struct pw_out *why)
{
    char bytes[BYTES_MAX];
    if (access(path, F_OK) != 0) {
        return PW_OK;
    }
    int len = get_file(path, bytes, why);
    if (len < 0 ||
        !secret->stale(secret->context, (struct pw_str){.at = bytes, .len = (size_t)len})) {
        return len < 0 ? len : PW_OK;
    }
    EVP_PKEY *key = pw_key_read(path, secret, why);
    int err = key != NULL ? pw_key_write(path, key, secret, why) : PW_ERR_STORE;
    EVP_PKEY_free(key);
    return err;
}

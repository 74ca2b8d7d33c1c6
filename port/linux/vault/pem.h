// pem: private keys in files, sealed with the key of the device or plain. A file with a private key
// is readable by its owner only, and whole or not there, whatever happens.
#ifndef PW_LINUX_VAULT_PEM_H
#define PW_LINUX_VAULT_PEM_H

#include "secret/secret.h"

#include <openssl/types.h>

// Writes the key to `path`, in place of what is there. With `secret` it is sealed under the name of
// the file, NULL: PEM. PW_OK, or PW_ERR_STORE with one sentence in *why.
PW_MUST_USE int pw_key_write(const char *path, EVP_PKEY *key, const struct pw_secret *secret,
                             struct pw_out *why);
// Reads it back; freed by the caller. With `secret` only what is sealed is read. NULL with one
// sentence in *why.
EVP_PKEY *pw_key_read(const char *path, const struct pw_secret *secret, struct pw_out *why);
// Seals a file again whose key is on its way out. PW_OK also when there is no such file.
PW_MUST_USE int pw_key_renew(const char *path, const struct pw_secret *secret, struct pw_out *why);

#endif

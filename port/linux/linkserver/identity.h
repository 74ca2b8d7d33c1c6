// identity: the certificate a central shows to its stations, and the pin by which they know it. A
// station that was given the pin needs no authority, no name and no right clock (RFC 7469 §2.4 pins
// the public key alike).
#ifndef PW_LINUX_IDENTITY_H
#define PW_LINUX_IDENTITY_H

#include "secret/secret.h"

#include <openssl/ssl.h>

#define PW_IDENTITY_PIN_MAX 65 // 64 hex digits and the NUL

struct pw_identity_files {
    const char *certificate;
    const char *key;
    bool make;                      // both, when there are none yet
    const struct pw_secret *secret; // seals the key; NULL: it is PEM
};

// Loads certificate and private key (PEM) into `context` and writes the pin: SHA-256 of the
// certificate's SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) in lower-case hex. When neither file
// exists and `make` is set, a key on P-256 and a certificate signed with it are made first; the key
// file has mode 0600 from its first byte. PW_ERR_STORE for
// files that cannot be read or written or do not belong together, with a sentence in *why.
PW_MUST_USE int pw_identity_load(SSL_CTX *context, const struct pw_identity_files *files,
                                 char pin[PW_IDENTITY_PIN_MAX], struct pw_out *why);

#endif

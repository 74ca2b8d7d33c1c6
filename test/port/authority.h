// authority: makes certificates for tests, with OpenSSL: roots, servers, and what a request asks
// for. Dates are wall time in ms. Whatever fails here ends the test.
#ifndef PW_TEST_AUTHORITY_H
#define PW_TEST_AUTHORITY_H

#include "base/base.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define AUTHORITY_PEM_MAX 8192
#define AUTHORITY_DAY     INT64_C(86400000)

// A certificate with its key.
struct authority {
    X509 *certificate;
    EVP_PKEY *key;
};

enum authority_kind { AUTHORITY_CA, AUTHORITY_SERVER, AUTHORITY_SIGNER };

// `issuer` NULL: signs itself. `rsa_bits` 0: EC P-256. `names`: subjectAltName, or NULL.
struct authority authority_make(const struct authority *issuer, enum authority_kind kind,
                                const char *cn, const char *names, int rsa_bits, pw_unix_ms from,
                                pw_unix_ms to);
void authority_free(struct authority *authority);
// Signs a request (PEM) as it is.
X509 *authority_sign(const struct authority *authority, const char *csr, pw_unix_ms from,
                     pw_unix_ms to);
// A list of what this authority has revoked: `certificate`, or nothing when it is NULL. PEM into
// `to`, appended to what is there.
void authority_list(const struct authority *authority, const X509 *certificate, pw_unix_ms from,
                    pw_unix_ms to, char pem[AUTHORITY_PEM_MAX]);
// PEM into `to`, appended to what is there.
void authority_pem(X509 *certificate, char to[AUTHORITY_PEM_MAX]);

#endif

// authorities: a file with the certificates of those who may vouch for a peer, and the lists of
// what they have taken back (RFC 5280 §5), all in PEM. The rules of these lists are the same
// wherever one is given:
//     a certificate of the chain that is on its issuer's list is refused;
//     an issuer without a list among those given has taken nothing back;
//     a list that is out of date still counts for what is on it. Whoever opens the file says so;
//     a list whose signature is not its issuer's refuses all of that issuer's certificates.
#ifndef PW_LINUX_PEER_AUTHORITIES_H
#define PW_LINUX_PEER_AUTHORITIES_H

#include "base/base.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

struct pw_authorities {
    STACK_OF(X509) * certificates;
    STACK_OF(X509_CRL) * lists;
};

// Reads a file; freed with pw_authorities_free, which also may follow an error. PW_ERR_RANGE with
// *why: it cannot be read, is damaged anywhere, or has no certificate.
PW_MUST_USE int pw_authorities_read(const char *path, struct pw_authorities *to,
                                    struct pw_out *why);
void pw_authorities_free(struct pw_authorities *authorities);

// Puts lists into a store and makes them count as above. False: OpenSSL is out of memory.
PW_MUST_USE bool pw_authorities_lists(X509_STORE *store, STACK_OF(X509_CRL) * lists);
// Makes those count that somebody else puts into a store, now or later. False as above.
PW_MUST_USE bool pw_authorities_heed(X509_STORE *store);

// Whom an SSL_CTX trusts from now on: those of the file, "": the system's store, which has no
// lists. `clients`: a server, which also tells clients whose certificates it takes. PW_ERR_RANGE
// with *why, and nothing has changed.
PW_MUST_USE int pw_authorities_trust(SSL_CTX *ctx, const char *path, bool clients,
                                     struct pw_out *why);

// Whether a file has a list that should have been replaced by now; false as well for one that
// cannot be read.
bool pw_authorities_stale(const char *path);

#endif

// central_ca: the authority of a central system's stations, on OpenSSL: one key and its
// certificate in the data folder. It signs the stations' certificates (whitepaper A02, A03) and, if
// asked, the server certificate that the central itself shows (§2.6.2: the operator's hierarchy
// holds both). Who runs an authority of his own leaves this one out.
#ifndef PW_LINUX_CENTRAL_CA_H
#define PW_LINUX_CENTRAL_CA_H

#include "central.h"
#include "secret/secret.h"

#define PW_CENTRAL_CA_YEARS     20  // the authority's own certificate is good for
#define PW_CENTRAL_CA_DAYS      366 // … a station's, and the server's
#define PW_CENTRAL_CA_NAMES_MAX 8   // names and addresses of a server certificate
#define PW_CENTRAL_CA_EC_BITS   224 // the least strength of a key (A00.FR.503)
#define PW_CENTRAL_CA_RSA_BITS  2048

struct pw_central_ca_openssl;

// Makes key (EC P-256, mode 0600) and certificate, neither of which may exist yet, in the names
// "ca.key" and "ca.crt" of the folder. `organisation` is the operator's name, 1 to 64 bytes: the
// CpoName of the stations. PW_ERR_BUSY when there is one already, PW_ERR_RANGE for a bad name,
// PW_ERR_STORE; always with a sentence in *why. `secret` seals the key, here and in what follows;
// NULL: it is kept as PEM.
PW_MUST_USE int pw_central_ca_make(const char *folder, struct pw_str organisation,
                                   const struct pw_secret *secret, pw_unix_ms now,
                                   struct pw_out *why);

// Opens the authority in a folder. PW_ERR_UNKNOWN without one, PW_ERR_STORE for files that do not
// fit together or cannot be read.
PW_MUST_USE int pw_central_ca_open(struct pw_central_ca_openssl **ca, const char *folder,
                                   const struct pw_secret *secret, struct pw_out *why);
void pw_central_ca_close(struct pw_central_ca_openssl *ca); // NULL is harmless

// The port that the central's logic is given; lives as long as the authority.
const struct pw_central_ca *pw_central_ca_port(const struct pw_central_ca_openssl *ca);

// Issues a certificate for TLS servers with a new key: the first name is its commonName, all stand
// as subjectAltName (DNS or IP). Writes both files, replacing what is there.
struct pw_central_ca_server {
    const char *const *names;
    size_t count; // 1 to PW_CENTRAL_CA_NAMES_MAX
    const char *certificate;
    const char *key;                // both: paths of files
    const struct pw_secret *secret; // seals the key; NULL: PEM
};
PW_MUST_USE int pw_central_ca_server(struct pw_central_ca_openssl *ca,
                                     const struct pw_central_ca_server *server, pw_unix_ms now,
                                     struct pw_out *why);

#endif

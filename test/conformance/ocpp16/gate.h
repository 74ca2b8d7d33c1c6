// gate: the door of a central system that looks at who comes: address, password, and TLS. The
// handshake is OpenSSL's on both sides, in memory, with the keys and certificates that the station
// really keeps (port/linux/trust, in a folder of its own).
#ifndef PW_CONFORMANCE_GATE_H
#define PW_CONFORMANCE_GATE_H

#include "authority.h"
#include "folder.h"
#include "rig.h"
#include "trust/openssl.h"
#include "vault/vault.h"

#define GATE_HOST   "ocpp.central.example"
#define GATE_SERIAL "SN-1"

struct gate {
    struct folder folder;
    struct pw_vault *vault;
    struct pw_trust_keeper *keeper;
    struct pw_trust trust;
    struct authority root;
    struct authority server;
    // What it is now; a case changes that between connections.
    bool tls;
    bool mutual;          // asks for a certificate of the station, and wants one
    int most_version;     // TLS; 0: whatever both can
    const char *ciphers;  // TLS 1.2; NULL: all
    X509 *const *between; // certificates that the server sends behind its own
    unsigned between_count;
    const char *password; // that must come; "" for none; NULL: any
    size_t password_len;
    // What came last.
    unsigned tries;
    unsigned opened;
    char url[PW_SECURITY_URL_MAX];
    char suite[64];
    char shown[PW_TRUST_SERIAL_MAX]; // serial of the certificate shown; "" for none
};

// A rig whose central system stands behind the gate: one gate a process.
struct rig *gate_open(struct gate *gate, bool root_check);
void gate_close(struct rig *r, struct gate *gate);
// Wall time of the rig.
pw_unix_ms gate_wall(const struct rig *r);
// InstallCertificate with this certificate; its answer's status.
const char *gate_install(struct rig *r, const char *type, X509 *certificate);
// Has the station ask for a certificate, which `by` signs for so long; what CertificateSigned was
// answered. `serial` (may be NULL) gets its number.
const char *gate_certify(struct rig *r, const struct authority *by, pw_unix_ms from, pw_unix_ms to,
                         char serial[PW_TRUST_SERIAL_MAX]);
// The same for a request that is there already.
const char *gate_sign(struct rig *r, const struct authority *by, pw_unix_ms from, pw_unix_ms to,
                      char serial[PW_TRUST_SERIAL_MAX]);
// Another server's certificate, signed by `by` (NULL: by itself).
void gate_serve(struct gate *gate, const struct authority *by, const char *cn, const char *names,
                pw_unix_ms from, pw_unix_ms to);
// Waits until a connection was opened after number `opened`.
void gate_wait(struct rig *r, const struct gate *gate, unsigned opened);

#endif

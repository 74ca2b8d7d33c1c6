// trust: the port contract for keys, certificates and signatures. The station decides what is
// trusted and when; how a certificate is read, checked and kept is the port's. Private keys never
// cross this border. Everything is done when a function returns: a key (EC P-256) takes well below
// 20 ms; certificates that are kept or removed wait for the disk (file, fsync, rename).
// Sources: OCPP 1.6 security whitepaper edition 3 (A00, A02, A03, L01, M03–M05), RFC 5280, RFC
// 6960.
//
// `wall` is the present time; 0 means that the clock is not set, and then nothing is valid: whoever
// does not know the date cannot know what has expired (facts/reliability.md T07).
// Texts in `why` are one sentence for a log line or techInfo, without secrets.
#ifndef PW_TRUST_H
#define PW_TRUST_H

#include "base/base.h"

#define PW_TRUST_PEM_MAX       5500  // characters of one certificate or request (5.11, 5.17)
#define PW_TRUST_CHAIN_MAX     10000 // characters of a chain (5.1, CertificateSignedMaxChainSize)
#define PW_TRUST_ROOTS_MAX     10 // roots installed, both uses together (CertificateStoreMaxLength)
#define PW_TRUST_OWN_MAX       3  // our certificates kept: the one in use and those before
#define PW_TRUST_HASH_MAX      129 // hex digits of a hash, and NUL
#define PW_TRUST_SERIAL_MAX    41  // hex digits of a serial number, and NUL
#define PW_TRUST_SIGNATURE_MAX 800 // characters of a signature in base64 (6.9)

enum pw_trust_use {
    PW_TRUST_CENTRAL, // CentralSystemRootCertificate: signs the central system's and our
                      // certificate
    PW_TRUST_MAKER,   // ManufacturerRootCertificate: signs who signs firmware
    PW_TRUST_USES
};

enum pw_trust_hash { PW_TRUST_SHA256, PW_TRUST_SHA384, PW_TRUST_SHA512, PW_TRUST_HASHES };

// What names a certificate: CertificateHashDataType (6.1). Upper-case hex; compared without case.
struct pw_trust_id {
    enum pw_trust_hash hash;
    char issuer_name[PW_TRUST_HASH_MAX];
    char issuer_key[PW_TRUST_HASH_MAX];
    char serial[PW_TRUST_SERIAL_MAX];
};

// Whom our certificate names: CN and O of its subject (A00.FR.511, A02.FR.13). O "" is not checked.
struct pw_trust_subject {
    struct pw_str serial;
    struct pw_str organisation;
};

// Our certificate in use.
struct pw_trust_own {
    pw_unix_ms not_before;
    pw_unix_ms not_after;
    char serial[PW_TRUST_SERIAL_MAX];
    bool fresh;    // it has not connected yet
    unsigned kept; // certificates that could be used instead
};

// A root to install.
struct pw_trust_root {
    enum pw_trust_use use;
    struct pw_str pem;
    unsigned most; // roots that may be installed
    bool replace;  // it must be signed by the present root, which stays as a fall-back only
};

struct pw_trust {
    void *context;

    // Bytes nobody can guess. PW_OK or PW_ERR_STORE.
    int (*random)(void *context, uint8_t *to, size_t len);

    // Makes a new key pair, keeps it until a certificate for it is accepted, and writes the request
    // for it (PKCS #10, PEM). A further call replaces a key that waits. PW_ERR_STORE with *why.
    int (*request)(void *context, const struct pw_trust_subject *subject, struct pw_out *csr,
                   struct pw_out *why);
    // Takes our certificate, PEM, with the certificates between it and a root behind it. PW_OK: it
    // is kept, and in use from its first valid second on. PW_ERR_RANGE: it is not what A02.FR.06
    // wants (key, subject, validity, path to a root of PW_TRUST_CENTRAL), why is in *why, nothing
    // changed. PW_ERR_STORE: it could not be kept.
    int (*accept)(void *context, struct pw_str chain, const struct pw_trust_subject *subject,
                  pw_unix_ms wall, struct pw_out *why);
    // The certificate in use: the newest that is valid (A02.FR.09). PW_ERR_UNKNOWN without one.
    int (*own)(void *context, pw_unix_ms wall, struct pw_trust_own *own);
    // The link stands: our certificate works if one was `shown`, and the root that vouches for the
    // central system too. A fall-back root goes (M05.FR.12); our old certificates go after a month
    // (A02.FR.10).
    void (*connected)(void *context, bool shown, pw_unix_ms wall);
    // Our newest certificate does not connect: the one before is used again. PW_ERR_UNKNOWN
    // without.
    int (*retreat)(void *context, pw_unix_ms wall);

    // Installs one root. `replace` is AdditionalRootCertificateCheck for PW_TRUST_CENTRAL
    // (M05.FR.08–11). PW_ERR_RANGE: invalid or not signed so; PW_ERR_LIMIT: `most` are installed;
    // PW_ERR_STORE. With *why.
    int (*install)(void *context, const struct pw_trust_root *root, pw_unix_ms wall,
                   struct pw_out *why);
    // Removes the root of this name. PW_ERR_UNKNOWN: there is none; PW_ERR_BUSY: it vouches for the
    // connection that stands (M04.FR.06); PW_ERR_STORE. Our own certificate is never found
    // (M04.FR.05).
    int (*remove)(void *context, const struct pw_trust_id *id);
    // The root `index` of a use, named with this hash. PW_ERR_UNKNOWN behind the last one.
    int (*list)(void *context, enum pw_trust_use use, unsigned index, enum pw_trust_hash hash,
                struct pw_trust_id *id);
    // Roots of a use that are valid now.
    unsigned (*valid_roots)(void *context, enum pw_trust_use use, pw_unix_ms wall);

    // Whether this certificate (PEM) may sign firmware: valid, signed by a root of PW_TRUST_MAKER
    // itself (L01.FR.12, L01.FR.23). PW_OK or PW_ERR_RANGE with *why.
    int (*check_signer)(void *context, struct pw_str pem, pw_unix_ms wall, struct pw_out *why);
    // Whether `signature` (base64) is the signer's over a file with this SHA-256: RSA-PSS, or ECDSA
    // (L01.FR.04; EC-Schnorr is in no library at hand). Does not check the signer's certificate.
    // PW_OK or PW_ERR_RANGE with *why.
    int (*verify)(void *context, struct pw_str signer_pem, struct pw_str signature,
                  const uint8_t sha256[32], struct pw_out *why);
};

#endif

// openssl: the trust port on OpenSSL, with its files in one folder, and what TLS connections take
// from it. Files are readable by their owner only, written beside their name, synced and renamed; a
// certificate of ours is one file with its key and chain, so that they can never be apart. Every
// function returns at once, but for the disk: a certificate that is kept waits for two syncs (a few
// milliseconds on eMMC), which happens a few times a year.
//
//     own-<n>.pem, own-<n>-new.pem, own-<n>-refused.pem     ours: connected, not yet, not any more
//     central-<hash>.pem, maker-<hash>.pem                  roots
//     central-<hash>-fallback.pem                           the root before (M05.FR.11)
//     waiting.key                                           key of a request that is not signed yet
//     page.crt, page.key                                    of the station's page
//     (port/linux/issue)
//
// What holds a private key (own-*, *.key) is sealed, whole, with the key of the device.
#ifndef PW_LINUX_TRUST_OPENSSL_H
#define PW_LINUX_TRUST_OPENSSL_H

#include "secret/secret.h"
#include "trust/trust.h"

#define PW_TRUST_PAGE_CERTIFICATE "page.crt"
#define PW_TRUST_PAGE_KEY         "page.key"

struct pw_trust_keeper; // owned by the caller of pw_trust_open

// Reads what the folder has; makes it (0700) when it is not there. `ca_file` holds further roots of
// the central system, which are never listed or removed, and lists of what authorities have revoked
// (peer/authorities.h); "": none. `exclusive`
// (AdditionalRootCertificateCheck): those of `ca_file` do not count once a root was installed.
// Files that cannot be read are logged and left. `secret` seals and opens what holds a private key,
// and outlives the keeper; what is sealed with a key on its way out is sealed anew here. NULL with
// a sentence in *why.
struct pw_trust_keeper *pw_trust_open(const char *folder, const char *ca_file, bool exclusive,
                                      const struct pw_secret *secret, const struct pw_log *log,
                                      struct pw_out *why);
// False when a file could not be sealed anew: the key on its way out is needed still.
bool pw_trust_settled(const struct pw_trust_keeper *keeper);
void pw_trust_close(struct pw_trust_keeper *keeper);
// The port itself; lives as long as the keeper.
struct pw_trust pw_trust_port(struct pw_trust_keeper *keeper);

// Whether `signature` (base64) was made over a file of this SHA-256 with the key of `signer`, one
// certificate (PEM) whose key is strong enough and made for signatures: what a station judges of
// SignedUpdateFirmware beside who issued the certificate, and its dates. PW_ERR_RANGE with *why.
PW_MUST_USE int pw_trust_signed_file(struct pw_str signer_pem, struct pw_str signature,
                                     const uint8_t sha256[32], struct pw_out *why);

// --- TLS. What a connection needs of an SSL_CTX (as void *, so that nobody else needs OpenSSL).

struct pw_trust_connection {
    bool certificate;  // show ours when it is asked for
    bool pinned;       // the server is known by a pin: roots do not count
    bool chosen_roots; // only roots of ours; otherwise the system's store where there is none
    pw_unix_ms wall;   // dates are judged by it; 0: by the system's clock
};

// A TLS client of OCPP or a file transfer: TLS 1.2 and newer, the cipher suites of the whitepaper
// only (A00.FR.317, A00.FR.422; of TLS 1.3 those with the same algorithms), no compression, no
// renegotiation, no resumption; our roots and certificate. PW_ERR_RANGE with *why: there is no
// certificate to show, or no root to trust.
PW_MUST_USE int pw_trust_prepare(struct pw_trust_keeper *keeper, void *ssl_ctx,
                                 const struct pw_trust_connection *connection, struct pw_out *why);
// For a connection beside OCPP's, which says nothing about whether a certificate works: shows the
// one in use to a server that asks, and that names its authority among those it believes, or none.
// False: there is none at `wall`. Made for one connection: the next one may show another.
bool pw_trust_show(struct pw_trust_keeper *keeper, void *ssl_ctx, pw_unix_ms wall);
// A new connection is tried: what vouched for the last one is forgotten.
void pw_trust_begin(struct pw_trust_keeper *keeper);
// A server's chain was found good (X509_STORE_CTX, in the verify callback).
void pw_trust_vouched(struct pw_trust_keeper *keeper, void *x509_store_ctx);
// The server asked for our certificate on the connection tried last.
bool pw_trust_was_asked(const struct pw_trust_keeper *keeper);

#endif

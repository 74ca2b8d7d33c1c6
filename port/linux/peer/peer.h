// peer: what a TLS connection asks of the other end, in one place for every link: OCPP (wsclient,
// trust), station link (tls, linkserver), MQTT. SSL_CTX and X509 of OpenSSL as void *, so that
// nobody else needs its headers.
#ifndef PW_LINUX_PEER_H
#define PW_LINUX_PEER_H

#include "base/base.h"

#define PW_PEER_PINS    2                                     // one in use, one for the next key
#define PW_PEER_DIGITS  64                                    // SHA-256 in hex
#define PW_PEER_PIN_MAX (PW_PEER_PINS * (PW_PEER_DIGITS + 1)) // bytes of a setting

#define PW_PEER_CHAIN_MAX 16384 // bytes of certificates in a handshake; more is refused unread

#define PW_PEER_REFUSED_SIZE 160 // bytes of why a certificate was
#define PW_PEER_NAME_SIZE    64  // of a commonName
#define PW_PEER_SERIAL_SIZE  65  // of a serial number in hex (RFC 5280 §4.1.2.2: 20 octets)

struct pw_peer_pins {
    unsigned count; // 0: certificate and host name are checked
    uint8_t hash[PW_PEER_PINS][PW_PEER_DIGITS / 2];
};

// Empty, or one or two times 64 hex digits with a comma between: SHA-256 of a public key
// (SubjectPublicKeyInfo, as RFC 7469 has it) or of a whole certificate. PW_OK or PW_ERR_RANGE with
// *why.
PW_MUST_USE int pw_peer_read_pins(struct pw_str text, struct pw_peer_pins *pins,
                                  struct pw_out *why);
// Whether a certificate (X509) is one of those. *have gets its key's digest, for people to compare.
bool pw_peer_pinned(const struct pw_peer_pins *pins, const void *x509, struct pw_out *have);

// TLS 1.2 or newer; of 1.2 only suites with forward secrecy and authenticated encryption (AES-GCM,
// ChaCha20-Poly1305), no compression, no renegotiation, no tickets; chains of five certificates
// between a server's and its root at most, and of PW_PEER_CHAIN_MAX bytes. False: OpenSSL refuses,
// which would be a bug.
bool pw_peer_restrict(void *ssl_ctx);

// Whom a connection may reach and what it shows. Texts are borrowed for the call.
struct pw_peer_rules {
    const char *host;        // name or address that the certificate must carry; not used with a pin
    const char *ca_file;     // PEM, also with lists (authorities.h); "": the system's store; not
                             // used with a pin
    const char *certificate; // PEM files of ours, to show when asked; "": none
    const char *key;
    struct pw_peer_pins *pins; // outlives the SSL_CTX; only read
    pw_unix_ms wall;           // dates are judged by it; 0: by the system's clock
    char *refused; // PW_PEER_REFUSED_SIZE bytes: gets a sentence when a certificate is refused;
                   // outlives the SSL_CTX
};
// All of the above into a client's SSL_CTX, which is made for one connection. PW_OK or PW_ERR_RANGE
// with a sentence in *why.
PW_MUST_USE int pw_peer_apply(void *ssl_ctx, const struct pw_peer_rules *rules, struct pw_out *why);

// The parts of that, for a client whose authorities come from elsewhere. The name or address that
// the certificate must carry; false: none can. And pins in place of every other judgement.
PW_MUST_USE bool pw_peer_expect(void *ssl_ctx, const char *host);
void pw_peer_pin(void *ssl_ctx, struct pw_peer_pins *pins, char *refused);

// Puts another certificate (PEM, with its chain) and key (an EVP_PKEY, which the caller keeps) into
// an SSL_CTX: new connections show it, those that stand keep what they have. PW_ERR_STORE with
// *why, and nothing has changed, when the certificate cannot be read or is not the key's.
PW_MUST_USE int pw_peer_reload(void *ssl_ctx, const char *certificate, void *key,
                               struct pw_out *why);

// What a client has shown: its certificate's only commonName (empty when there is none, several,
// one with a NUL or a longer one) and serial number in lower-case hex.
struct pw_peer_shown {
    char common_name[PW_PEER_NAME_SIZE];
    char serial[PW_PEER_SERIAL_SIZE];
};
// False: the other end of this connection (SSL) has shown none. Whether it is a good one is another
// question.
bool pw_peer_shown(const void *ssl, struct pw_peer_shown *to);

#endif

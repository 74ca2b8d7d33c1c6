// parts: what the files of the trust port share among themselves. Nobody else includes this.
#ifndef PW_LINUX_TRUST_PARTS_H
#define PW_LINUX_TRUST_PARTS_H

#include "peer/authorities.h"
#include "trust/openssl.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define TRUST_NAME_MAX   64
#define TRUST_FOLDER_MAX 400
#define TRUST_PATH_MAX   (TRUST_FOLDER_MAX + TRUST_NAME_MAX + 8)
#define TRUST_DEPTH_MAX  5 // certificates between ours or a server's and a root

struct trust_root {
    X509 *certificate;
    X509 *issuer; // of a root that another one signed; NULL: it signed itself
    enum pw_trust_use use;
    bool fallback; // the one before
    char name[TRUST_NAME_MAX];
};

enum trust_state { TRUST_NEW, TRUST_GOOD, TRUST_REFUSED };

struct trust_own {
    X509 *certificate;
    STACK_OF(X509) * between; // certificates between it and a root
    EVP_PKEY *key;
    enum trust_state state;
    uint32_t number; // newest is largest
};

struct pw_trust_keeper {
    const struct pw_log *log;
    const struct pw_secret *secret;
    bool unsettled; // a file is sealed with a key on its way out
    char folder[TRUST_FOLDER_MAX];
    bool exclusive;
    struct pw_authorities file;                     // of ca_file; empty without
    struct trust_root root[PW_TRUST_ROOTS_MAX + 2]; // and a fall-back, and one being replaced
    unsigned roots;
    struct trust_own own[PW_TRUST_OWN_MAX + 1];
    unsigned owns;
    EVP_PKEY *waiting;
    // The connection.
    unsigned char vouched[32]; // SHA-256 of the root that vouches for it
    bool any_vouched;
    bool was_asked;
    const struct trust_own *shown;
};

// files.c. PW_OK or PW_ERR_STORE with *why. `sync`: it is on the disk when this returns. What holds
// a private key is sealed on its way to the disk, under its name without its state: a rename is one
// step, and keeps it.
int trust_write(const struct pw_trust_keeper *keeper, const char *name, const char *bytes,
                size_t len, bool sync, struct pw_out *why);
int trust_rename(const struct pw_trust_keeper *keeper, const char *from, const char *to,
                 struct pw_out *why);
int trust_unlink(const struct pw_trust_keeper *keeper, const char *name, struct pw_out *why);
// The whole file, opened where it is sealed, wiped and freed by the caller; NULL when it cannot be
// read or opened, which is logged.
char *trust_read(struct pw_trust_keeper *keeper, const char *name, size_t *len);

// certificate.c
int trust_refuse(struct pw_out *why, int err, const char *sentence);
// All certificates of a PEM text, the first one first; NULL when there is none, something else, or
// more than `most`.
STACK_OF(X509) * trust_parse(struct pw_str pem, int most);
bool trust_same(const X509 *a, const X509 *b);
void trust_fingerprint(const X509 *certificate, unsigned char to[32]);
pw_unix_ms trust_time(const ASN1_TIME *time);
bool trust_strong(const X509 *certificate); // its key: A00.FR.501–503
// Whether `certificate` leads to one of `roots` at `wall`. PW_OK or PW_ERR_RANGE with *why.
int trust_path(X509 *certificate, STACK_OF(X509) * between, STACK_OF(X509) * roots, pw_unix_ms wall,
               int purpose, struct pw_out *why);
int trust_put_pem(struct pw_out *out, X509 *certificate);
// Of the certificate, with `issuer` (itself for a root that signed itself).
bool trust_id(const X509 *certificate, const X509 *issuer, enum pw_trust_hash hash,
              struct pw_trust_id *id);

// roots.c
// Those that count now: installed ones and the file's. Freed with sk_X509_pop_free by the caller.
STACK_OF(X509) * trust_roots(const struct pw_trust_keeper *keeper, enum pw_trust_use use);
void trust_load_root(struct pw_trust_keeper *keeper, const char *name, struct pw_str pem);
void trust_drop_fallback(struct pw_trust_keeper *keeper);
int trust_port_install(void *context, const struct pw_trust_root *root, pw_unix_ms wall,
                       struct pw_out *why);
int trust_port_remove(void *context, const struct pw_trust_id *id);
int trust_port_list(void *context, enum pw_trust_use use, unsigned index, enum pw_trust_hash hash,
                    struct pw_trust_id *id);
unsigned trust_port_valid_roots(void *context, enum pw_trust_use use, pw_unix_ms wall);

// own.c
void trust_load_own(struct pw_trust_keeper *keeper, const char *name, struct pw_str pem);
void trust_load_waiting(struct pw_trust_keeper *keeper, struct pw_str pem);
// The one in use; NULL without.
struct trust_own *trust_current(struct pw_trust_keeper *keeper, pw_unix_ms wall);
void trust_free_own(struct trust_own *own);
int trust_port_request(void *context, const struct pw_trust_subject *subject, struct pw_out *csr,
                       struct pw_out *why);
int trust_port_accept(void *context, struct pw_str chain, const struct pw_trust_subject *subject,
                      pw_unix_ms wall, struct pw_out *why);
int trust_port_own(void *context, pw_unix_ms wall, struct pw_trust_own *own);
void trust_port_connected(void *context, bool shown, pw_unix_ms wall);
int trust_port_retreat(void *context, pw_unix_ms wall);

// firmware.c
int trust_port_check_signer(void *context, struct pw_str pem, pw_unix_ms wall, struct pw_out *why);
int trust_port_verify(void *context, struct pw_str signer_pem, struct pw_str signature,
                      const uint8_t sha256[32], struct pw_out *why);

#endif

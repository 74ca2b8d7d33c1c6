// key: Ed25519 keys of a maker, as PEM files. A private one is the reader's own file with mode
// 0600, locked with a passphrase unless somebody asked for an open one.
#ifndef PW_APP_PILOTWIRE_MAKER_KEY_H
#define PW_APP_PILOTWIRE_MAKER_KEY_H

#include "maker/options.h"
#include "release/release.h"

struct key {
    uint8_t seed[32]; // private; key_forget() when it was used
    uint8_t open[PW_RELEASE_KEY_LEN];
    uint8_t id[PW_SHA256_LEN];
};

// A private key of a file; asks for its passphrase when it is locked. EXIT_DONE, or another exit
// code with *why.
int key_read(struct key *key, const char *file, const char *passphrase_file, struct pw_out *why);
void key_forget(struct key *key);
// A public key: 64 hexadecimal digits, or a file of one.
int key_read_open(uint8_t open[PW_RELEASE_KEY_LEN], const char *text, struct pw_out *why);
void key_id(const uint8_t open[PW_RELEASE_KEY_LEN], uint8_t id[PW_SHA256_LEN]);
// "release 1" for the id of a test key; NULL for every other.
const char *key_test_name(const uint8_t id[PW_SHA256_LEN]);
void key_put_hex(struct pw_out *out, const uint8_t *at, size_t len);

// The commands.
int key_new(const struct options *options);
int key_test(const struct options *options);
int key_show(const struct options *options);

#endif

// secret: the port contract for what must not be readable on a disk (passwords, tokens, private
// keys), and how it looks there. A value is sealed under a name with the key of this device:
// whoever copies the disk without the key reads nothing, and a sealed value opens under its own
// name only, unchanged. What is not sealed is not opened: nobody can put a value of his own in its
// place. Where the key is, and the cryptography, are the port's (port/linux/vault). Not found: an
// older value of the same name and key, put back by who can write the disk. Sources: NIST SP
// 800-38D (AES-GCM); facts/reliability.md §2.1 (assets 4), T14, T15.
#ifndef PW_SECRET_H
#define PW_SECRET_H

#include "base/base.h"

#define PW_SECRET_NAME_MAX   96    // bytes of a name
#define PW_SECRET_PLAIN_MAX  32768 // bytes of a value
#define PW_SECRET_EXTRA      37    // bytes that sealing adds: head 5, key 4, nonce 12, tag 16
#define PW_SECRET_SEALED_MAX (PW_SECRET_PLAIN_MAX + PW_SECRET_EXTRA)

struct pw_secret {
    void *context;

    // Seals `plain` (0..PW_SECRET_PLAIN_MAX bytes) under `name` (1..PW_SECRET_NAME_MAX bytes).
    // Returns the length, plain.len + PW_SECRET_EXTRA; PW_ERR_LIMIT when it does not fit `cap`;
    // PW_ERR_STORE when there is no key to seal with. The same value gives other bytes each time.
    int (*seal)(void *context, struct pw_str name, struct pw_str plain, char *to, size_t cap);

    // Opens what was sealed under this name. Returns the length; PW_ERR_PEER: not sealed, damaged,
    // or of another name; PW_ERR_UNKNOWN: sealed with a key that this device does not have;
    // PW_ERR_LIMIT: does not fit `cap`. Nothing is written to `to` unless all of it is right. The
    // caller wipes what it no longer needs (pw_secret_wipe).
    int (*open)(void *context, struct pw_str name, struct pw_str sealed, char *to, size_t cap);

    // Whether `sealed` opens, but only with a key that is on its way out: it should be sealed anew
    // and kept, before the old key goes.
    bool (*stale)(void *context, struct pw_str sealed);
};

// The parts of a sealed value; views into it.
//
//     0   "PWS"            what it is
//     3   1                version of this form
//     4   0                reserved
//     5   key, 4 bytes     which key: the first bytes of a digest of it
//     9   nonce, 12 bytes
//     21  value, encrypted
//     -16 tag              over "pilotwire-secret-1", bytes 0..8, the name, and the value
struct pw_secret_blob {
    struct pw_str head; // bytes 0..8
    struct pw_str key;
    struct pw_str nonce;
    struct pw_str value;
    struct pw_str tag;
};

enum { PW_SECRET_KEY_ID = 4, PW_SECRET_NONCE = 12, PW_SECRET_TAG = 16, PW_SECRET_HEAD = 9 };

// PW_OK, or PW_ERR_PEER when the bytes are no sealed value of a version that is known.
PW_MUST_USE int pw_secret_read(struct pw_str sealed, struct pw_secret_blob *blob);
// Writes the head for a key to `to`: PW_SECRET_HEAD bytes.
void pw_secret_head(const uint8_t key[PW_SECRET_KEY_ID], char to[PW_SECRET_HEAD]);
// Overwrites, in a way that no compiler leaves out.
void pw_secret_wipe(void *at, size_t len);

// ---------------------------------------------------------------------------------------------
// The file that holds the key of the device: one key, or, while values are being sealed anew, the
// new one and the one before.
//
//     0   "PWDK"           what it is
//     4   1                version of this form
//     5   kind             0: the keys themselves; 1: what a TPM of this machine opens
//     6   length, 2 bytes  of the payload, big endian
//     8   payload
//     -32 SHA-256 over all before: damage is told from a wrong key
#define PW_DEVICE_KEY_BYTES    32
#define PW_DEVICE_KEYS_MAX     2
#define PW_DEVICE_FILE_PAYLOAD 1024 // bytes at most
#define PW_DEVICE_FILE_MAX     (8 + PW_DEVICE_FILE_PAYLOAD + 32)

enum pw_device_file_kind { PW_DEVICE_FILE_KEYS, PW_DEVICE_FILE_TPM, PW_DEVICE_FILE_KINDS };

struct pw_device_file {
    enum pw_device_file_kind kind;
    struct pw_str payload; // KEYS: 1 or 2 keys; TPM: the port's
};

// PW_OK, or PW_ERR_PEER: no such file, damaged, or of a newer version.
PW_MUST_USE int pw_device_file_read(struct pw_str bytes, struct pw_device_file *file);
// Writes a whole file to `to`; returns its length, or PW_ERR_LIMIT.
int pw_device_file_write(const struct pw_device_file *file, char *to, size_t cap);

#endif

// parts: what the files of the vault share among themselves. Nobody else includes this.
#ifndef PW_LINUX_VAULT_PARTS_H
#define PW_LINUX_VAULT_PARTS_H

#include "vault/vault.h"
#include "whole.h"

#define VAULT_PATH_MAX PW_WHOLE_PATH_MAX
#define VAULT_FILE     "device.key"

// The newest key is the first; the second is on its way out.
struct vault_ring {
    uint8_t key[PW_DEVICE_KEYS_MAX][PW_DEVICE_KEY_BYTES];
    unsigned count;
};

// keyfile.c. Files of the vault's folder, whole or not at all.
// The file's bytes: their number; PW_ERR_UNKNOWN: there is none; PW_ERR_STORE with *why: it cannot
// be read, or others can.
int vault_file_read(const char *folder, const char *name, bool credential, char *to, size_t cap,
                    struct pw_out *why);
int vault_file_write(const char *folder, const char *bytes, size_t len, struct pw_out *why);
int vault_file_remove(const char *folder, struct pw_out *why);
int vault_folder(const char *folder, struct pw_out *why);
// The key that a credential gives. PW_OK, PW_ERR_UNKNOWN: there is none, or an error with *why.
int vault_credential(const char *folder, uint8_t key[PW_DEVICE_KEY_BYTES], struct pw_out *why);

// tpm.c. `tcti`: how to reach it.
// Whether this machine has one that we may use.
bool vault_tpm_there(void);
// What only this TPM makes the keys of again: its length, or an error with *why.
int vault_tpm_wrap(const char *tcti, const struct vault_ring *ring, char *to, size_t cap,
                   struct pw_out *why);
int vault_tpm_unwrap(const char *tcti, struct pw_str wrapped, struct vault_ring *ring,
                     struct pw_out *why);

#endif

// vault: the contract of secret/secret.h on OpenSSL (AES-256-GCM), with the key of the device in a
// TPM 2.0, in a file that only its owner can read, or given as a systemd credential.
//
//     <folder>/device.key    the key, 0600; or what the TPM of this machine makes the key of
//     $CREDENTIALS_DIRECTORY/device.key    32 bytes or 64 hex digits: the key, instead
//
// A new key is made where there is none. Two keys are there only while values are sealed anew
// (pw_vault_rotate, or a credential that takes the place of the file): what either opens is open,
// pw_secret.stale says what is to be sealed again, and pw_vault_settle ends it.
#ifndef PW_LINUX_VAULT_H
#define PW_LINUX_VAULT_H

#include "secret/secret.h"

#define PW_VAULT_TPM_AUTO "auto" // the machine's TPM, when it has one that we may use
#define PW_VAULT_TPM_OFF  "off"

enum pw_vault_place { PW_VAULT_NOWHERE, PW_VAULT_FILE, PW_VAULT_TPM, PW_VAULT_CREDENTIAL };

struct pw_vault; // owned by the caller of pw_vault_open

struct pw_vault_options {
    const char *folder;      // made (0700) when it is not there
    const char *tpm;         // PW_VAULT_TPM_AUTO, _OFF, or how to reach one ("swtpm:path=/run/x")
    const char *credentials; // folder of systemd credentials; NULL: none
};

// Opens the key or makes one. PW_OK; else one sentence in *why, and *vault is NULL:
// PW_ERR_STORE: the key cannot be read, or others can read it; PW_ERR_PEER: the file is damaged;
// PW_ERR_UNKNOWN: the TPM that made it is not there, or is another one.
PW_MUST_USE int pw_vault_open(struct pw_vault **vault, const struct pw_vault_options *options,
                              struct pw_out *why);
// A vault without a key: nothing opens (PW_ERR_UNKNOWN), nothing is sealed (PW_ERR_STORE). For a
// program that goes on without its secrets. NULL when there is no memory.
struct pw_vault *pw_vault_without(void);
void pw_vault_close(struct pw_vault *vault); // wipes the keys; NULL is allowed
// The contract; valid as long as the vault.
const struct pw_secret *pw_vault_port(const struct pw_vault *vault);
enum pw_vault_place pw_vault_place(const struct pw_vault *vault);

// Makes a new key; the one before stays until pw_vault_settle. PW_OK; PW_ERR_BUSY: the key comes
// from a credential, or one is being changed already; PW_ERR_STORE: nothing has changed.
PW_MUST_USE int pw_vault_rotate(struct pw_vault *vault, struct pw_out *why);
// True while there is a key on its way out.
bool pw_vault_unsettled(const struct pw_vault *vault);
// Everything is sealed with the new key, durably: the old one goes.
PW_MUST_USE int pw_vault_settle(struct pw_vault *vault, struct pw_out *why);

// First thing of a program that holds secrets: no core dump of it is made, and no other process of
// the same user can read its memory or attach to it. False when the system refuses.
bool pw_vault_private_process(void);

#endif

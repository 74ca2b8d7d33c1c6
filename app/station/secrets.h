// secrets: the vault of the station's program: its key, the store that seals, and values that are
// sealed anew when the key changes.
#ifndef PW_STATION_APP_SECRETS_H
#define PW_STATION_APP_SECRETS_H

#include "sealed/sealed.h"
#include "trust/openssl.h"
#include "vault/vault.h"

struct secrets {
    struct pw_vault *vault;
    struct pw_sealed sealed; // before the program's store
    const struct pw_log *log;
    int64_t ticket; // of what is being sealed anew; below 0: it could not be
    bool settling;
};

// Opens the key and puts the sealing store before `store`. Says in the log where the key is, and
// which secrets cannot be opened; without a key the station goes on charging, and connects nowhere
// that wants a secret. PW_ERR_LIMIT only when there is no memory.
PW_MUST_USE int secrets_open(struct secrets *secrets, const struct pw_vault_options *options,
                             const struct pw_store *store, const struct pw_log *log,
                             struct pw_out *why);
// Each turn: ends a change of the key once everything sealed anew is durable.
void secrets_step(struct secrets *secrets, const struct pw_trust_keeper *keeper);
void secrets_close(struct secrets *secrets); // harmless when it was never opened

#endif

// secrets: the vault of the central's program, and the files of its data folder that are sealed.
#ifndef PW_CENTRAL_APP_SECRETS_H
#define PW_CENTRAL_APP_SECRETS_H

#include "options.h"
#include "vault/vault.h"

// Opens the key of this machine, or makes one, and ends a change of it that is under way. NULL with
// a message printed.
struct pw_vault *secrets_open(const struct options *options);
// Makes another key and seals everything anew; what it returns is the program's exit status.
int secrets_rotate(struct pw_vault *vault, const struct options *options);

#endif

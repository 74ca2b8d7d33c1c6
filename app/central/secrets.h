// secrets: the vault of the central's program, and the files of its data folder that are sealed.
#ifndef PW_CENTRAL_APP_SECRETS_H
#define PW_CENTRAL_APP_SECRETS_H

#include "options.h"
#include "vault/vault.h"

// Opens the key of this machine, or makes one, and ends a change of it that is under way. NULL with
// a message printed.
struct pw_vault *secrets_open(const struct options *options);
// The server's hold on its data folder, as long as the program runs: meanwhile no other key is
// made, which it would not know. Waits for a change of the key that is under way.
void secrets_hold(const struct options *options);
// Makes another key and seals everything anew; refused while a server runs on the folder. What it
// returns is the program's exit status.
int secrets_rotate(struct pw_vault *vault, const struct options *options);

#endif

// password: from a file, the environment, or a prompt without echo; never from the command line,
// which every user of the machine can read.
#ifndef PW_APP_PILOTWIRE_PASSWORD_H
#define PW_APP_PILOTWIRE_PASSWORD_H

#include "base/base.h"

#define PASSWORD_SIZE 129

// `file` NULL: $PILOTWIRE_PASSWORD, else the prompt. PW_OK, or an error with *why.
PW_MUST_USE int password_get(char to[PASSWORD_SIZE], const char *file, struct pw_out *why);

// Its first line; and what is typed at `prompt`, without echo. As above.
PW_MUST_USE int password_from_file(char to[PASSWORD_SIZE], const char *file, struct pw_out *why);
PW_MUST_USE int password_ask(char to[PASSWORD_SIZE], const char *prompt, struct pw_out *why);

#endif

// guesses: who gives wrong passwords has to wait. Each wrong try is owed some time; who owes more
// than a few tries is not even listened to. Counted for each address, and over all of them
// together, so that many addresses do not help. Pure; linear in PW_GUESSERS. Source:
// facts/reliability.md T41.
#ifndef PW_HTTP_GUESSES_H
#define PW_HTTP_GUESSES_H

#include "base/base.h"

#define PW_GUESSERS     16 // addresses whose wrong tries are remembered
#define PW_GUESS_WAIT_S 6  // for a Retry-After

struct pw_guesses {
    struct {
        char address[48];
        pw_ms free_at; // each wrong try moves it on; far ahead means: wait
    } guesser[PW_GUESSERS];
    pw_ms all_free_at; // the same over all addresses together
};

// False: this address, or all of them together, gave too many wrong passwords; do not look at it.
bool pw_guesses_may(const struct pw_guesses *guesses, struct pw_str address, pw_ms now);
// It was wrong.
void pw_guesses_wrong(struct pw_guesses *guesses, struct pw_str address, pw_ms now);

#endif

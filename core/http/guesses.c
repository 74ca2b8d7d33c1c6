#include "http/guesses.h"

#define TRY_MS       (PW_GUESS_WAIT_S * UINT64_C(1000)) // a wrong try costs this much
#define TRIES_MS     30000 // ... and this much may be owed: five tries at once
#define ALL_TRY_MS   1000  // the same over all addresses: sixty at once
#define ALL_TRIES_MS 60000

static bool owes(pw_ms free_at, pw_ms most, pw_ms now)
{
    return free_at > now && free_at - now > most;
}

static void owe(pw_ms *free_at, pw_ms more, pw_ms now)
{
    *free_at = pw_after(*free_at > now ? *free_at : now, more);
}

bool pw_guesses_may(const struct pw_guesses *guesses, struct pw_str address, pw_ms now)
{
    for (size_t i = 0; i < PW_GUESSERS; i++) {
        if (pw_str_is(address, guesses->guesser[i].address) &&
            owes(guesses->guesser[i].free_at, TRIES_MS - TRY_MS, now)) {
            return false;
        }
    }
    return !owes(guesses->all_free_at, ALL_TRIES_MS - ALL_TRY_MS, now);
}

// The address's row is used, or the one that owes least made its own: a flood from many addresses
// forgets the small sinners first, and is held by the count over all.
void pw_guesses_wrong(struct pw_guesses *guesses, struct pw_str address, pw_ms now)
{
    size_t row = 0;
    size_t least = 0;
    while (row < PW_GUESSERS && !pw_str_is(address, guesses->guesser[row].address)) {
        least = guesses->guesser[row].free_at < guesses->guesser[least].free_at ? row : least;
        row++;
    }
    if (row == PW_GUESSERS) {
        row = least;
        guesses->guesser[row].address[0] = '\0';
        struct pw_out out = PW_OUT(guesses->guesser[row].address);
        pw_put(&out, address);
        guesses->guesser[row].free_at = 0;
    }
    owe(&guesses->guesser[row].free_at, TRY_MS, now);
    owe(&guesses->all_free_at, ALL_TRY_MS, now);
}

// Secrets: making them, keeping only their hashes, and slowing down who guesses.
//
// People choose passwords, so a try at one must be dear: scrypt with N = 2^15 (login.c), 80 ms,
// done beside the loop. Stations' keys are random, 160 bits where we make them: no hash however
// dear makes those harder to guess, and live stations wait while a key is checked. One HMAC with a
// salt of its own is enough for them, and a fleet that comes back does not queue for its keys. Who
// chooses a key
// (`station add --key`, 16 characters at least) chooses what protects it against a thief of the
// database: nothing but its own randomness.
#include "state.h"

#include <string.h>

#define COST_MAX      20
#define THROTTLE_MAX  10   // wrong tries at once
#define THROTTLE_FILL 6000 // ms until one more
#define WRONG_FILL    20   // ms until all addresses together have one more
#define PEOPLE_COST   20   // a password costs as much as so many stations' keys

int key_random_hex(const struct pw_central *central, char *to, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[32];
    PW_ASSERT(digits <= sizeof(bytes) * 2);
    const struct pw_central_crypto *crypto = central->config.crypto;
    if (crypto->random(crypto->context, bytes, sizeof(bytes)) != PW_OK) {
        return PW_ERR_BUG;
    }
    for (size_t i = 0; i < digits; i++) {
        to[i] = hex[(bytes[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0x0F];
    }
    to[digits] = '\0';
    return PW_OK;
}

int key_make(const struct pw_central *central, char *to, size_t characters)
{
    // 32 letters and digits that nobody confuses when typing: 5 bits each.
    static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
    uint8_t bytes[PW_CENTRAL_KEY_MAX];
    PW_ASSERT(characters < sizeof(bytes));
    const struct pw_central_crypto *crypto = central->config.crypto;
    if (crypto->random(crypto->context, bytes, characters) != PW_OK) {
        return PW_ERR_BUG;
    }
    for (size_t i = 0; i < characters; i++) {
        to[i] = letters[bytes[i] % 32];
    }
    to[characters] = '\0';
    return PW_OK;
}

static void put_bytes(struct pw_out *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        pw_put_hex(out, bytes[i], 2);
    }
}

int key_hash(const struct pw_central *central, struct pw_str secret, unsigned cost,
             char to[HASH_MAX])
{
    const struct pw_central_crypto *crypto = central->config.crypto;
    uint8_t salt[KEY_SALT_LEN];
    uint8_t hash[KEY_HASH_LEN];
    if (crypto->random(crypto->context, salt, sizeof(salt)) != PW_OK ||
        crypto->derive(crypto->context, secret, salt, cost, hash) != PW_OK) {
        return PW_ERR_BUG;
    }
    struct pw_out out = {.cap = HASH_MAX};
    out.at = to;
    pw_put_s(&out, cost == KEY_COST_MAC ? "hmac$" : "scrypt$");
    pw_put_uint(&out, cost);
    pw_put_c(&out, '$');
    put_bytes(&out, salt, sizeof(salt));
    pw_put_c(&out, '$');
    put_bytes(&out, hash, sizeof(hash));
    return pw_out_err(&out);
}

int key_hash_read(const char *text, struct key_hash *to)
{
    struct pw_str rest = pw_str_of(text);
    int64_t cost = 0;
    bool mac = pw_str_starts(rest, "hmac$");
    if (!pw_str_is(pw_str_cut(&rest, '$'), mac ? "hmac" : "scrypt") ||
        pw_parse_int(pw_str_cut(&rest, '$'), mac ? 0 : 1, mac ? 0 : COST_MAX, &cost) != PW_OK ||
        pw_parse_hex(pw_str_cut(&rest, '$'), to->salt, KEY_SALT_LEN) != KEY_SALT_LEN ||
        pw_parse_hex(rest, to->bytes, KEY_HASH_LEN) != KEY_HASH_LEN) {
        return PW_ERR_PEER;
    }
    to->cost = (unsigned)cost;
    return PW_OK;
}

bool key_hash_same(const struct key_hash *hash, const uint8_t bytes[KEY_HASH_LEN])
{
    unsigned differ = 0;
    for (size_t i = 0; i < KEY_HASH_LEN; i++) {
        differ |= (unsigned)(bytes[i] ^ hash->bytes[i]);
    }
    return differ == 0;
}

bool key_fits(const struct pw_central *central, struct pw_str secret, const char *text)
{
    const struct pw_central_crypto *crypto = central->config.crypto;
    struct key_hash hash;
    uint8_t given[KEY_HASH_LEN];
    return key_hash_read(text, &hash) == PW_OK &&
           crypto->derive(crypto->context, secret, hash.salt, hash.cost, given) == PW_OK &&
           key_hash_same(&hash, given);
}

// The address's row, or the one least recently used made its own. A flood from many addresses
// thus forgets old offenders, never the newest.
static struct throttle *row_of(struct pw_central *central, struct pw_str address, pw_ms now)
{
    struct throttle *oldest = &central->throttle[0];
    for (size_t i = 0; i < THROTTLES_MAX; i++) {
        struct throttle *row = &central->throttle[i];
        if (pw_str_is(address, row->address) && row->address[0] != '\0') {
            return row;
        }
        if (row->refilled < oldest->refilled || row->address[0] == '\0') {
            oldest = row;
            if (row->address[0] == '\0') {
                break;
            }
        }
    }
    struct pw_out out = PW_OUT(oldest->address);
    pw_put(&out, address);
    oldest->tokens = THROTTLE_MAX;
    oldest->refilled = now;
    return oldest;
}

static struct throttle *refilled(struct pw_central *central, struct pw_str address, pw_ms now)
{
    struct throttle *row = row_of(central, address, now);
    pw_ms gained = now > row->refilled ? (now - row->refilled) / THROTTLE_FILL : 0;
    row->tokens = (uint32_t)pw_min((int64_t)(row->tokens + gained), THROTTLE_MAX);
    row->refilled += gained * THROTTLE_FILL;
    if (row->tokens == THROTTLE_MAX) {
        row->refilled = now;
    }
    return row;
}

// What all addresses together may cost: many that guess a little are one that guesses a lot.
static uint32_t wrong_left(struct pw_central *central, pw_ms now)
{
    pw_ms gained = now > central->wrong_at ? (now - central->wrong_at) / WRONG_FILL : 0;
    central->wrong_left =
        (uint32_t)pw_min((int64_t)(central->wrong_left + gained), PW_CENTRAL_WRONG_MAX);
    central->wrong_at =
        central->wrong_left == PW_CENTRAL_WRONG_MAX ? now : central->wrong_at + gained * WRONG_FILL;
    return central->wrong_left;
}

bool throttle_open(struct pw_central *central, struct pw_str address, bool people, pw_ms now)
{
    bool spent = wrong_left(central, now) == 0;
    for (size_t i = 0; i < THROTTLES_MAX && central->throttle[i].address[0] != '\0'; i++) {
        if (pw_str_is(address, central->throttle[i].address)) {
            const struct throttle *row = refilled(central, address, now);
            bool known = row->good || (!people && row->tokens == THROTTLE_MAX);
            return row->tokens > 0 && (!spent || known);
        }
    }
    return !people || !spent;
}

void throttle_failed(struct pw_central *central, struct pw_str address, bool people, pw_ms now)
{
    struct throttle *row = refilled(central, address, now);
    uint32_t cost = people ? PEOPLE_COST : 1;
    uint32_t left = wrong_left(central, now);
    if (row->tokens > 0) {
        row->tokens--;
    }
    central->wrong_left = left > cost ? left - cost : 0;
}

void throttle_passed(struct pw_central *central, struct pw_str address, pw_ms now)
{
    refilled(central, address, now)->good = true;
}

// Logging in: one password check at a time, beside the loop, slowed down for who guesses; a session
// is a random token in an HttpOnly cookie plus a second one that scripts of our own pages repeat in
// a header.
#include "http.h"

#include <string.h>

#define IDLE_MS    (UINT64_C(12) * 3600 * 1000) // a login ends after this long without a request
#define COOKIE     "pw_session"
#define SECRET_MAX 128

// Ends a login that is over: idle for too long, a new password, a user who is gone.
static bool still_holds(struct pw_central *central, struct login *login, enum role *role, pw_ms now)
{
    struct account account;
    (void)account_read(central, pw_str_of(login->user), &account);
    *role = account.role;
    if (!pw_elapsed(login->used, IDLE_MS, now) && strcmp(account.hash, login->hash) == 0 &&
        account.role != ROLE_NONE) {
        return true;
    }
    streams_end(central, login->token);
    *login = (struct login){0};
    return false;
}

void logins_check(struct pw_central *central, struct pw_instant at)
{
    enum role role = ROLE_NONE;
    tokens_check(central, at.wall);
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        if (central->login[i].token[0] != '\0') {
            (void)still_holds(central, &central->login[i], &role, at.now);
        }
    }
}

struct login *login_of(struct pw_central *central, struct pw_str cookie, enum role *role, pw_ms now)
{
    struct pw_str token = pw_http_cookie(cookie, COOKIE);
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        struct login *login = &central->login[i];
        if (login->token[0] == '\0' || !pw_http_same_secret(login->token, token)) {
            continue;
        }
        if (!still_holds(central, login, role, now)) {
            return NULL;
        }
        login->used = now;
        return login;
    }
    return NULL;
}

// A free row, or the one idle for longest.
static struct login *free_login(struct pw_central *central)
{
    struct login *oldest = &central->login[0];
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        struct login *login = &central->login[i];
        if (login->token[0] == '\0') {
            return login;
        }
        if (login->used < oldest->used) {
            oldest = login;
        }
    }
    streams_end(central, oldest->token);
    return oldest;
}

// --- Checking a password. The request waits meanwhile, and is served again (core/http/http.h).

static struct trial *trial_of(struct pw_central *central, uint64_t stream)
{
    for (size_t i = 0; i < PW_CENTRAL_DERIVE_MAX; i++) {
        if (central->trial[i].stream == stream) {
            return &central->trial[i];
        }
    }
    return NULL;
}

void trial_forget(struct pw_central *central, uint64_t stream)
{
    struct trial *trial = stream != 0 ? trial_of(central, stream) : NULL;
    if (trial != NULL) {
        *trial = (struct trial){0};
    }
}

// Without such a user the work is the same: the answer's time must not tell.
static void against(const char *text, struct key_hash *hash)
{
    if (key_hash_read(text, hash) != PW_OK) {
        *hash = (struct key_hash){.cost = USER_COST};
    }
}

static void conclude(struct trial *trial, const uint8_t *bytes)
{
    struct key_hash hash;
    trial->done = true;
    trial->fits =
        bytes != NULL && key_hash_read(trial->hash, &hash) == PW_OK && key_hash_same(&hash, bytes);
}

// Begins a check. False when too many wait already.
static bool trial_begin(struct http *http, struct pw_str user, struct pw_str password)
{
    struct pw_central *central = http->central;
    const struct pw_central_crypto *crypto = central->config.crypto;
    struct trial *trial = trial_of(central, 0);
    struct key_hash hash;
    if (trial == NULL) {
        return false;
    }
    struct account account;
    (void)account_read(central, user, &account);
    memcpy(trial->hash, account.hash, sizeof(trial->hash));
    against(trial->hash, &hash);
    if (crypto->derive_later == NULL) {
        uint8_t bytes[KEY_HASH_LEN];
        int err = crypto->derive(crypto->context, password, hash.salt, hash.cost, bytes);
        conclude(trial, err == PW_OK ? bytes : NULL);
    } else if (crypto->derive_later(crypto->context, http->request->stream, password, hash.salt,
                                    hash.cost) != PW_OK) {
        *trial = (struct trial){0};
        return false;
    }
    trial->stream = http->request->stream;
    return true;
}

void pw_central_derived(struct pw_central *central, uint64_t number, const uint8_t bytes[32],
                        struct pw_instant at)
{
    (void)at;
    struct trial *trial = number != 0 ? trial_of(central, number) : NULL;
    if (trial == NULL || trial->done) {
        return; // who asked has gone
    }
    conclude(trial, bytes);
    const struct pw_central_net *net = central->config.net;
    net->stream_ready(net->context, number);
}

static void put_me(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_say_s(json, "user", http->login != NULL ? http->login->user : http->token.name);
    pw_json_say_s(json, "role", role_name(http->role));
    pw_json_say_s(json, "csrf", http->login != NULL ? http->login->csrf : "");
    const struct pw_central_config *config = &http->central->config;
    pw_json_key(json, "link");
    if (config->link_port != 0) {
        pw_json_open(json, '{');
        pw_json_say_int(json, "port", config->link_port);
        pw_json_say_text(json, "pin", config->link_pin);
        pw_json_close(json, '}');
    } else {
        pw_json_put_null(json);
    }
    http_done(http, 200);
}

static void put_cookie(struct http *http, const char *token, const char *rest)
{
    struct pw_out out = PW_OUT(http->reply->cookie);
    pw_put_s(&out, COOKIE "=");
    pw_put_s(&out, token);
    pw_put_s(&out, "; Path=/; HttpOnly; SameSite=Strict");
    pw_put_s(&out, http->request->secure ? "; Secure" : "");
    pw_put_s(&out, rest);
}

static void let_in(struct http *http, struct pw_str user, const char *hash)
{
    struct pw_central *central = http->central;
    struct account account;
    (void)account_read(central, user, &account);
    throttle_passed(central, http->request->address, http->at.now);
    struct login *login = free_login(central);
    *login = (struct login){.used = http->at.now};
    if (key_random_hex(central, login->token, TOKEN_MAX - 1) != PW_OK ||
        key_random_hex(central, login->csrf, TOKEN_MAX - 1) != PW_OK) {
        *login = (struct login){0};
        http_fail(http, 503, "store", "the system gave no random numbers", PW_STR(""), "");
        return;
    }
    struct pw_out name = PW_OUT(login->user);
    struct pw_out known = PW_OUT(login->hash);
    pw_put(&name, user);
    pw_put_s(&known, hash);
    put_cookie(http, login->token, "");
    http->login = login;
    http->role = account.role;
    put_me(http);
}

// False after refusing who guesses, or because too many wait.
static bool begin(struct http *http, struct pw_str user, struct pw_str password)
{
    if (!throttle_open(http->central, http->request->address, true, http->at.now)) {
        http->reply->retry_after_s = 6;
        http_fail(http, 429, "rate_limited", "too many wrong tries from this address: wait 6 s",
                  PW_STR(""), "");
        return false;
    }
    if (!trial_begin(http, user, password)) {
        http->reply->retry_after_s = 1;
        http_fail(http, 503, "busy", "too many log in at once: try again in a second", PW_STR(""),
                  "");
        return false;
    }
    return true;
}

enum outcome { WAITS, REFUSED, WRONG, RIGHT };

// Whether this is the user's password. WAITS: the request is served again; REFUSED: it has been
// answered. `hash` gets what it was checked against.
static enum outcome check(struct http *http, struct pw_str user, struct pw_str password,
                          char hash[HASH_MAX])
{
    struct pw_central *central = http->central;
    uint64_t stream = http->request->stream;
    if (trial_of(central, stream) == NULL && !begin(http, user, password)) {
        return REFUSED;
    }
    const struct trial *own = trial_of(central, stream);
    PW_ASSERT(own != NULL);
    struct trial trial = *own;
    if (!trial.done) {
        http->reply->later = true;
        return WAITS;
    }
    memcpy(hash, trial.hash, sizeof(trial.hash));
    if (!trial.fits) {
        central->count.logins_failed++;
        throttle_failed(central, http->request->address, true, http->at.now);
    }
    return trial.fits ? RIGHT : WRONG;
}

void api_login(struct http *http)
{
    char hash[HASH_MAX];
    struct pw_str user;
    struct pw_str password;
    if (!http_text(http, "user", USER_MAX, true, &user) ||
        !http_text(http, "password", SECRET_MAX, true, &password)) {
        return;
    }
    enum outcome outcome = check(http, user, password, hash);
    if (outcome == WRONG) {
        http_fail(http, 401, "bad_login", "user or password is wrong", PW_STR(""), "");
    } else if (outcome == RIGHT) {
        let_in(http, user, hash);
    }
}

void api_logout(struct http *http)
{
    if (http->login != NULL) {
        streams_end(http->central, http->login->token);
        *http->login = (struct login){0};
        put_cookie(http, "", "; Max-Age=0");
    }
    http_no_content(http);
}

void api_me(struct http *http)
{
    put_me(http);
}

// Whoever has found an open browser does not get the account with it: the old password is asked
// for, guesses count as those of a login, and the user's other logins end.
void api_my_password(struct http *http)
{
    struct pw_central *central = http->central;
    struct login *login = http->login;
    char made[PW_CENTRAL_PASSWORD_MAX];
    struct account account;
    struct pw_str old;
    struct pw_str fresh;
    if (login == NULL) {
        http_fail(http, 403, "role", "a token has no password", PW_STR(""), "");
        return;
    }
    struct pw_str user = pw_str_of(login->user);
    if (!http_text(http, "old", SECRET_MAX, true, &old) ||
        !http_text(http, "new", SECRET_MAX, true, &fresh)) {
        return;
    }
    enum outcome outcome = check(http, user, old, account.hash);
    if (outcome == WRONG) {
        http_fail(http, 403, "bad_password", "the old password is wrong", PW_STR(""), "");
    }
    if (outcome != RIGHT) {
        return;
    }
    int err = pw_central_user_password(central, user, fresh, made);
    if (err == PW_ERR_RANGE) {
        http_fail(http, 400, "bad_value", "new: must have 10 to 128 bytes", PW_STR(""), "");
    } else if (err != PW_OK) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    } else {
        (void)account_read(central, user, &account);
        memcpy(login->hash, account.hash, sizeof(login->hash)); // this one login goes on
        logins_check(central, http->at);
        http_no_content(http);
    }
}

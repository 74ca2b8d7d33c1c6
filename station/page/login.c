// Logging in: the password is a secret setting; a login is a random token in an HttpOnly cookie and
// a second one that scripts of our own page repeat in a header. Who guesses has to wait.
#include "page/parts.h"

#include <string.h>

// Cookies know hosts, not ports: that of TLS has a name that nothing without TLS can set (RFC
// 6265bis §4.1.3.2), and what is sent without TLS logs nobody in over it.
#define COOKIE       "pw_station"
#define COOKIE_TLS   "__Host-pw_station"
#define PASSWORD_MAX 64

static const char *password_of(const struct pw_page *page)
{
    return pw_settings_text(&page->config.station->settings, PW_SET_PAGE_PASSWORD);
}

static const char *ap_password_of(const struct pw_page *page)
{
    return pw_network_ap_password(&page->config.station->network);
}

bool pw_page_has_password(const struct pw_page *page)
{
    return password_of(page)[0] != '\0' &&
           !pw_settings_locked(&page->config.station->settings, PW_SET_PAGE_PASSWORD);
}

bool pw_page_is_open(const struct pw_page *page)
{
    return password_of(page)[0] == '\0';
}

void pw_page_login_follow(struct pw_page *page)
{
    if (strcmp(page->password, password_of(page)) == 0) {
        return;
    }
    int err = pw_str_copy(page->password, sizeof(page->password), pw_str_of(password_of(page)));
    PW_ASSERT(err == PW_OK);
    memset(page->login, 0, sizeof(page->login));
}

// A login of the access point's password is one only while that stands.
static bool holds(const struct pw_page *page, const struct pw_page_login *login)
{
    return login->right == PW_PAGE_ALL || pw_page_sets_up(page);
}

struct pw_page_login *pw_page_login_of(struct pw_page *page, const struct pw_http_request *request,
                                       pw_ms now)
{
    struct pw_str token = pw_http_cookie(request->cookie, request->secure ? COOKIE_TLS : COOKIE);
    for (size_t i = 0; i < PW_PAGE_LOGINS_MAX; i++) {
        struct pw_page_login *login = &page->login[i];
        if (!pw_http_same_secret(login->token, token) || !holds(page, login)) {
            continue;
        }
        if (pw_elapsed(login->used, PW_PAGE_IDLE_MS, now)) {
            *login = (struct pw_page_login){.used = 0};
            return NULL;
        }
        login->used = now;
        return login;
    }
    return NULL;
}

bool pw_page_login_lives(const struct pw_page *page, const char *token)
{
    for (size_t i = 0; i < PW_PAGE_LOGINS_MAX; i++) {
        if (pw_http_same_secret(page->login[i].token, pw_str_of(token))) {
            return true;
        }
    }
    return false;
}

// A free row, or the one idle for longest.
static struct pw_page_login *free_login(struct pw_page *page)
{
    struct pw_page_login *oldest = &page->login[0];
    for (size_t i = 0; i < PW_PAGE_LOGINS_MAX; i++) {
        struct pw_page_login *login = &page->login[i];
        if (login->token[0] == '\0') {
            return login;
        }
        oldest = login->used < oldest->used ? login : oldest;
    }
    return oldest;
}

static int make_token(const struct pw_page *page, struct pw_out out)
{
    uint8_t bytes[(PW_PAGE_TOKEN_MAX - 1) / 2];
    int err = page->config.port->random(page->config.port->context, bytes, sizeof(bytes));
    for (size_t i = 0; err == PW_OK && i < sizeof(bytes); i++) {
        pw_put_hex(&out, bytes[i], 2);
    }
    return err;
}

static void put_cookie(struct call *call, const char *token, const char *rest)
{
    struct pw_out out = PW_OUT(call->reply->cookie);
    pw_put_s(&out, call->request->secure ? COOKIE_TLS "=" : COOKIE "=");
    pw_put_s(&out, token);
    pw_put_s(&out, "; Path=/; HttpOnly; SameSite=Strict");
    pw_put_s(&out, call->request->secure ? "; Secure" : "");
    pw_put_s(&out, rest);
}

void pw_page_api_me(struct call *call)
{
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_key(json, "password_set");
    pw_json_put_bool(json, pw_page_has_password(call->page));
    pw_json_key(json, "set_up"); // the access point's password logs in, for the network alone
    pw_json_put_bool(json, pw_page_sets_up(call->page));
    pw_json_key(json, "inside");
    pw_json_put_bool(json, call->inside);
    pw_json_key(json, "encrypted"); // nobody on the way can read what is typed
    pw_json_put_bool(json, call->request->secure || pw_http_is_near(call->request->address));
    pw_json_key(json, "https_port"); // where it would be; 0: nowhere
    pw_json_put_int(json, call->page->config.station->tls.port);
    pw_json_key(json, "csrf");
    if (call->login != NULL) {
        pw_json_put_s(json, call->login->csrf);
    } else {
        pw_json_put_null(json);
    }
    pw_page_done(call, 200);
}

static bool password_fits(struct call *call)
{
    struct pw_page *page = call->page;
    struct pw_str given = {.at = "", .len = 0};
    if (!pw_guesses_may(&page->guesses, call->request->address, call->now)) {
        call->reply->retry_after_s = PW_GUESS_WAIT_S;
        pw_page_fail(call, 429, "rate_limited", "too many wrong tries: wait a few seconds",
                     PW_STR(""), "");
        return false;
    }
    if (pw_json_text(pw_json_member(call->body, "password"), &given) != PW_OK ||
        given.len > PASSWORD_MAX) {
        pw_page_fail(call, 400, "bad_value", "password: must be a text of at most 64 bytes",
                     PW_STR(""), "");
        return false;
    }
    if (!pw_http_same_secret(pw_page_sets_up(page) ? ap_password_of(page) : password_of(page),
                             given)) {
        pw_guesses_wrong(&page->guesses, call->request->address, call->now);
        pw_page_fail(call, 401, "bad_login", "the password is wrong", PW_STR(""), "");
        return false;
    }
    return true;
}

void pw_page_api_login(struct call *call)
{
    struct pw_page *page = call->page;
    if (!pw_page_has_password(page) && !pw_page_sets_up(page)) {
        pw_page_fail(call, 403, "view_only",
                     "no password is set, or it cannot be opened: give page.password", PW_STR(""),
                     "");
        return;
    }
    if (!password_fits(call)) {
        return;
    }
    struct pw_page_login made = {.used = call->now,
                                 .right = pw_page_sets_up(page) ? PW_PAGE_SET_UP : PW_PAGE_ALL};
    if (make_token(page, PW_OUT(made.token)) != PW_OK ||
        make_token(page, PW_OUT(made.csrf)) != PW_OK) {
        pw_page_fail(call, 503, "random", "the system gave no random numbers", PW_STR(""), "");
        return;
    }
    call->login = free_login(page);
    *call->login = made;
    call->inside = made.right == PW_PAGE_ALL;
    put_cookie(call, made.token, "");
    pw_page_api_me(call);
}

void pw_page_api_logout(struct call *call)
{
    *call->login = (struct pw_page_login){.used = 0};
    put_cookie(call, "", "; Max-Age=0");
    call->reply->status = 204;
}

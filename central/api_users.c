// REST: who may do what. People have passwords, programs have tokens; both are shown once, when
// they are made.
#include "http.h"

#define TOKENS_MAX   64
#define TOKEN_DAYS   90
#define DAYS_MAX     3650
#define DAY_MS       INT64_C(86400000)
#define PASSWORD_MAX (PW_CENTRAL_PASSWORD_MAX - 1)

static void fail_store(struct http *http)
{
    http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
}

// False after answering 400.
static bool read_role(struct http *http, enum role *role)
{
    struct pw_str text;
    if (!http_text(http, "role", 16, true, &text)) {
        return false;
    }
    *role = role_find(text);
    if (*role == ROLE_NONE) {
        http_fail(http, 400, "bad_value", "role: \"", text,
                  "\" is none of viewer, operator, admin");
    }
    return *role != ROLE_NONE;
}

static void put_user(void *context, struct pw_str name, struct pw_str role)
{
    struct http *http = context;
    struct pw_json_writer *json = &http->json;
    int64_t logins = 0;
    for (size_t i = 0; i < LOGINS_MAX; i++) {
        const struct login *login = &http->central->login[i];
        logins += login->token[0] != '\0' && pw_str_is(name, login->user) ? 1 : 0;
    }
    pw_json_open(json, '{');
    pw_json_say_text(json, "name", name);
    pw_json_say_text(json, "role", role);
    pw_json_say_int(json, "logins", logins);
    pw_json_close(json, '}');
}

void api_users(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    logins_check(http->central, http->at);
    pw_json_key(json, "users");
    pw_json_open(json, '[');
    pw_central_user_list(http->central, put_user, http);
    pw_json_close(json, ']');
    http_done(http, 200);
}

static void answer_password(struct http *http, struct pw_str name, const char *made, int status)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_say_text(json, "name", name);
    if (made[0] != '\0') {
        pw_json_say_s(json, "password", made);
    }
    http_done(http, status);
}

void api_user_add(struct http *http)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    struct pw_str name;
    struct pw_str password;
    enum role role = ROLE_NONE;
    if (!http_text(http, "name", USER_MAX, true, &name) || !read_role(http, &role) ||
        !http_text(http, "password", PASSWORD_MAX, false, &password)) {
        return;
    }
    int err = pw_central_user_add(http->central, name, pw_str_of(role_name(role)), password, made);
    if (err == PW_ERR_RANGE) {
        http_fail(http, 400, "bad_value",
                  "name: 1 to 64 letters, digits or _.@+-; password: 10 to 128 bytes, or none to"
                  " have one made",
                  PW_STR(""), "");
    } else if (err == PW_ERR_BUSY) {
        http_fail(http, 409, "exists", "there is a user \"", name, "\" already");
    } else if (err != PW_OK) {
        fail_store(http);
    } else {
        answer_password(http, name, made, 201);
    }
}

static void answer_change(struct http *http, int err)
{
    if (err == PW_ERR_UNKNOWN) {
        http_fail(http, 404, "not_found", "there is no user \"", http->param, "\"");
    } else if (err == PW_ERR_BUSY) {
        http_fail(http, 409, "last_admin", "\"", http->param,
                  "\" is the last admin: make another one first");
    } else if (err != PW_OK) {
        fail_store(http);
    } else {
        logins_check(http->central, http->at);
        http_no_content(http);
    }
}

void api_user_put(struct http *http)
{
    enum role role = ROLE_NONE;
    if (read_role(http, &role)) {
        answer_change(http,
                      pw_central_user_role(http->central, http->param, pw_str_of(role_name(role))));
    }
}

void api_user_delete(struct http *http)
{
    answer_change(http, pw_central_user_remove(http->central, http->param));
}

void api_user_password(struct http *http)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    struct account account;
    int err = account_read(http->central, http->param, &account)
                  ? pw_central_user_password(http->central, http->param, PW_STR(""), made)
                  : PW_ERR_UNKNOWN;
    if (err != PW_OK) {
        answer_change(http, err);
        return;
    }
    answer_password(http, http->param, made, 200);
    logins_check(http->central, http->at);
}

// --- Tokens.

static void take_token(void *to, const struct pw_db_value *columns, size_t count)
{
    static const char *const times[] = {"made_at", "expires_at"};
    struct pw_json_writer *json = to;
    (void)count;
    pw_json_open(json, '{');
    pw_json_say_int(json, "id", columns[0].number);
    report_text_column(json, "name", &columns[1]);
    report_text_column(json, "role", &columns[2]);
    report_text_column(json, "made_by", &columns[5]);
    for (size_t i = 0; i < PW_COUNT(times); i++) {
        pw_json_say_known_time(json, times[i], columns[3 + i].number);
    }
    pw_json_close(json, '}');
}

void api_tokens(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "tokens");
    pw_json_open(json, '[');
    (void)db_read(http->central,
                  "SELECT id, name, role, made_at, expires_at, made_by FROM api_token"
                  " ORDER BY id",
                  NULL, 0, take_token, json);
    pw_json_close(json, ']');
    http_done(http, 200);
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

// False after answering 400.
static bool read_days(struct http *http, int64_t *days)
{
    const struct pw_json_node *node = pw_json_member(http->body, "days");
    *days = TOKEN_DAYS;
    if (node == NULL || pw_json_int(node, 1, DAYS_MAX, days) == PW_OK) {
        return true;
    }
    http_fail(http, 400, "bad_value", "days: must be a whole number from 1 to 3650", PW_STR(""),
              "");
    return false;
}

void api_token_add(struct http *http)
{
    char made[TOKEN_TEXT_MAX];
    struct token token = {0};
    struct pw_str name;
    int64_t days = 0;
    int64_t count = 0;
    if (!http_text(http, "name", USER_MAX, true, &name) || !read_role(http, &token.role) ||
        !read_days(http, &days)) {
        return;
    }
    if (!user_name_ok(name)) {
        http_fail(http, 400, "bad_value", "name: 1 to 64 letters, digits or _.@+-", PW_STR(""), "");
        return;
    }
    (void)db_read(http->central, "SELECT COUNT(*) FROM api_token", NULL, 0, take_number, &count);
    if (count >= TOKENS_MAX) {
        http_fail(http, 409, "exists", "there are 64 tokens already: delete one", PW_STR(""), "");
        return;
    }
    struct pw_out out = PW_OUT(token.name);
    pw_put(&out, name);
    struct pw_out maker = PW_OUT(token.made_by);
    pw_put_s(&maker, http->login != NULL ? http->login->user : http->token.made_by);
    token.expires = http->at.wall + days * DAY_MS;
    token.id = token_add(http->central, &token, made, http->at);
    if (token.id <= 0) {
        fail_store(http);
        return;
    }
    if (!http_commit(http)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_say_int(json, "id", token.id);
    pw_json_say_s(json, "token", made);
    pw_json_say_known_time(json, "expires_at", token.expires);
    http_done(http, 201);
}

void api_token_delete(struct http *http)
{
    struct token token = {0};
    char stream[TOKEN_MAX];
    if (pw_parse_int(http->param, 1, INT64_MAX, &token.id) != PW_OK) {
        token.id = 0;
    }
    struct pw_db_value args[] = {pw_db_int(token.id)};
    int64_t rows = db_write(http->central, "DELETE FROM api_token WHERE id = $1", args,
                            PW_COUNT(args), http->at.now);
    if (rows == 0) {
        http_fail(http, 404, "not_found", "there is no token \"", http->param, "\"");
    } else if (rows < 0) {
        fail_store(http);
    } else if (http_commit(http)) {
        token_stream(&token, stream);
        streams_end(http->central, stream);
        http_no_content(http);
    }
}

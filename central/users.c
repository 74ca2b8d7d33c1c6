// Accounts of people and tokens of programs: what each may do is its role.
#include "http.h"

#include <string.h>

#define SECRET_MIN 10
#define SECRET_MAX 128
#define TOKEN_KEY  32 // characters of a token's secret: 160 random bits

static const char *const role_names[] = {[ROLE_NONE] = "",
                                         [ROLE_VIEWER] = "viewer",
                                         [ROLE_OPERATOR] = "operator",
                                         [ROLE_ADMIN] = "admin"};

const char *role_name(enum role role)
{
    return role_names[role];
}

enum role role_find(struct pw_str name)
{
    for (int role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        if (pw_str_is(name, role_names[role])) {
            return (enum role)role;
        }
    }
    return ROLE_NONE;
}

bool user_name_ok(struct pw_str name)
{
    bool good = name.len > 0 && name.len <= USER_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c > 0 && strchr("_.@+-", c) != NULL);
    }
    return good;
}

static void take_account(void *to, const struct pw_db_value *columns, size_t count)
{
    struct account *account = to;
    (void)count;
    db_take(account->hash, sizeof(account->hash), &columns[0]);
    account->role = columns[1].kind == PW_DB_TEXT ? role_find(columns[1].text) : ROLE_NONE;
}

bool account_read(const struct pw_central *central, struct pw_str name, struct account *account)
{
    struct pw_db_value args[] = {pw_db_text(name)};
    *account = (struct account){0};
    (void)db_read(central, "SELECT password_hash, role FROM account WHERE name = $1", args,
                  PW_COUNT(args), take_account, account);
    return account->hash[0] != '\0';
}

// Hashes `password`, or one that is made; made[0] is the NUL when it was given.
static int make_hash(const struct pw_central *central, struct pw_str password,
                     char made[PW_CENTRAL_PASSWORD_MAX], char hash[HASH_MAX])
{
    made[0] = '\0';
    if (password.len > 0 && (password.len < SECRET_MIN || password.len > SECRET_MAX)) {
        return PW_ERR_RANGE;
    }
    if (password.len == 0) {
        if (key_make(central, made, 20) != PW_OK) { // 100 random bits
            return PW_ERR_BUG;
        }
        password = pw_str_of(made);
    }
    return key_hash(central, password, USER_COST, hash) == PW_OK ? PW_OK : PW_ERR_BUG;
}

static int changed_one(struct pw_central *central, int64_t rows, int otherwise)
{
    if (rows < 0) {
        return PW_ERR_STORE;
    }
    return rows == 0 ? otherwise : db_commit(central, (struct pw_instant){0});
}

int pw_central_user_add(struct pw_central *central, struct pw_str name, struct pw_str role,
                        struct pw_str password, char made[PW_CENTRAL_PASSWORD_MAX])
{
    char hash[HASH_MAX];
    made[0] = '\0';
    if (!user_name_ok(name) || role_find(role) == ROLE_NONE) {
        return PW_ERR_RANGE;
    }
    int err = make_hash(central, password, made, hash);
    if (err != PW_OK) {
        return err;
    }
    struct pw_db_value args[] = {pw_db_text(name), pw_db_text(pw_str_of(hash)), pw_db_text(role)};
    return changed_one(central,
                       db_write(central,
                                "INSERT INTO account (name, password_hash, role)"
                                " VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                                args, PW_COUNT(args), 0),
                       PW_ERR_BUSY);
}

int pw_central_user_password(struct pw_central *central, struct pw_str name, struct pw_str password,
                             char made[PW_CENTRAL_PASSWORD_MAX])
{
    char hash[HASH_MAX];
    struct account account;
    made[0] = '\0';
    if (!account_read(central, name, &account)) {
        // The first one may be given its password before the program has ever served.
        return pw_str_is(name, "admin") && !pw_central_has_admin(central)
                   ? pw_central_user_add(central, name, PW_STR("admin"), password, made)
                   : PW_ERR_UNKNOWN;
    }
    int err = make_hash(central, password, made, hash);
    if (err != PW_OK) {
        return err;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(hash)), pw_db_text(name)};
    return changed_one(central,
                       db_write(central, "UPDATE account SET password_hash = $1 WHERE name = $2",
                                args, PW_COUNT(args), 0),
                       PW_ERR_UNKNOWN);
}

// One statement each, so that two programs on one database cannot both take away "the other" admin.
int pw_central_user_role(struct pw_central *central, struct pw_str name, struct pw_str role)
{
    struct account account;
    if (role_find(role) == ROLE_NONE) {
        return PW_ERR_RANGE;
    }
    if (!account_read(central, name, &account)) {
        return PW_ERR_UNKNOWN;
    }
    struct pw_db_value args[] = {pw_db_text(role), pw_db_text(name)};
    return changed_one(central,
                       db_write(central,
                                "UPDATE account SET role = $1 WHERE name = $2 AND ($1 = 'admin'"
                                " OR role <> 'admin' OR (SELECT COUNT(*) FROM account"
                                " WHERE role = 'admin') > 1)",
                                args, PW_COUNT(args), 0),
                       PW_ERR_BUSY);
}

int pw_central_user_remove(struct pw_central *central, struct pw_str name)
{
    struct account account;
    if (!account_read(central, name, &account)) {
        return PW_ERR_UNKNOWN;
    }
    struct pw_db_value args[] = {pw_db_text(name)};
    int64_t rows = db_write(central,
                            "DELETE FROM account WHERE name = $1 AND (role <> 'admin' OR"
                            " (SELECT COUNT(*) FROM account WHERE role = 'admin') > 1)",
                            args, PW_COUNT(args), 0);
    // Another one of this name has not made these.
    if (rows > 0 && db_write(central, "DELETE FROM api_token WHERE made_by = $1", args,
                             PW_COUNT(args), 0) < 0) {
        rows = -1;
    }
    return changed_one(central, rows, PW_ERR_BUSY);
}

static void take_count(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

bool pw_central_has_admin(const struct pw_central *central)
{
    int64_t admins = 0;
    (void)db_read(central, "SELECT COUNT(*) FROM account WHERE role = 'admin'", NULL, 0, take_count,
                  &admins);
    return admins > 0;
}

struct listing {
    void (*each)(void *context, struct pw_str name, struct pw_str role);
    void *context;
};

static void take_user(void *to, const struct pw_db_value *columns, size_t count)
{
    const struct listing *listing = to;
    (void)count;
    listing->each(listing->context, columns[0].text, columns[1].text);
}

void pw_central_user_list(const struct pw_central *central,
                          void (*each)(void *context, struct pw_str name, struct pw_str role),
                          void *context)
{
    struct listing listing = {.each = each, .context = context};
    (void)db_read(central, "SELECT name, role FROM account ORDER BY name", NULL, 0, take_user,
                  &listing);
}

// --- Tokens: "<number>.<secret>". The number finds the row, the secret opens it.

struct token_row {
    struct token *token;
    char hash[HASH_MAX];
};

static void take_token(void *to, const struct pw_db_value *columns, size_t count)
{
    struct token_row *row = to;
    (void)count;
    db_take(row->token->name, sizeof(row->token->name), &columns[0]);
    enum role role = role_find(columns[1].text);
    db_take(row->hash, sizeof(row->hash), &columns[2]);
    row->token->expires = columns[3].number;
    db_take(row->token->made_by, sizeof(row->token->made_by), &columns[4]);
    enum role maker = columns[5].kind == PW_DB_TEXT ? role_find(columns[5].text) : ROLE_NONE;
    row->token->role = maker < role ? maker : role;
}

// The row of token->id, its rights as they are now; an empty hash: there is none.
static void read_row(const struct pw_central *central, struct token_row *row)
{
    struct pw_db_value args[] = {pw_db_int(row->token->id)};
    (void)db_read(central,
                  "SELECT api_token.name, api_token.role, hash, expires_at, made_by, account.role"
                  " FROM api_token LEFT JOIN account ON account.name = made_by WHERE id = $1",
                  args, PW_COUNT(args), take_token, row);
}

static bool holds(const struct token_row *row, pw_unix_ms wall)
{
    return row->hash[0] != '\0' && row->token->role != ROLE_NONE && wall < row->token->expires;
}

bool token_read(struct pw_central *central, struct pw_str given, pw_unix_ms wall,
                struct token *token)
{
    struct token_row row = {.token = token};
    *token = (struct token){0};
    struct pw_str number = pw_str_cut(&given, '.');
    if (pw_parse_int(number, 1, INT64_MAX, &token->id) != PW_OK) {
        token->id = 0;
    }
    read_row(central, &row);
    // The same work for one that is not there.
    bool fits = key_fits(central, given, row.hash[0] != '\0' ? row.hash : central->dummy_hash);
    return fits && holds(&row, wall);
}

int64_t token_add(struct pw_central *central, const struct token *wanted, char made[TOKEN_TEXT_MAX],
                  struct pw_instant at)
{
    char secret[TOKEN_KEY + 1];
    char hash[HASH_MAX];
    if (key_make(central, secret, TOKEN_KEY) != PW_OK ||
        key_hash(central, pw_str_of(secret), STATION_COST, hash) != PW_OK) {
        return PW_ERR_BUG;
    }
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(wanted->name)), pw_db_text(pw_str_of(role_name(wanted->role))),
        pw_db_text(pw_str_of(hash)),         pw_db_int(at.wall),
        pw_db_int(wanted->expires),          pw_db_text(pw_str_of(wanted->made_by))};
    int64_t id =
        db_write_id(central,
                    "INSERT INTO api_token (name, role, hash, made_at, expires_at, made_by)"
                    " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                    args, PW_COUNT(args), at.now);
    struct pw_out out = {.cap = TOKEN_TEXT_MAX};
    out.at = made;
    if (id > 0) {
        pw_put_int(&out, id);
        pw_put_c(&out, '.');
        pw_put_s(&out, secret);
    }
    return id;
}

#define STREAM_OF "token "

void tokens_check(struct pw_central *central, pw_unix_ms wall)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        struct pw_str name = pw_str_of(central->stream[i].token);
        struct token token = {0};
        struct token_row row = {.token = &token};
        if (central->stream[i].number == 0 || !pw_str_starts(name, STREAM_OF)) {
            continue;
        }
        (void)pw_str_cut(&name, ' ');
        if (pw_parse_int(name, 1, INT64_MAX, &token.id) == PW_OK) {
            read_row(central, &row);
        }
        if (!holds(&row, wall)) {
            streams_end(central, central->stream[i].token);
        }
    }
}

void token_stream(const struct token *token, char to[TOKEN_MAX])
{
    struct pw_out out = {.cap = TOKEN_MAX};
    out.at = to;
    pw_put_s(&out, STREAM_OF);
    pw_put_int(&out, token->id);
}

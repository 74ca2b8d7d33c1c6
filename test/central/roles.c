// People and programs at the central: what each role may do, route by route, and how accounts and
// tokens come and go.
#include "bench.h"
#include "http.h"

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const char *const names[] = {[ROLE_NONE] = "",
                                    [ROLE_VIEWER] = "viewer",
                                    [ROLE_OPERATOR] = "operator",
                                    [ROLE_ADMIN] = "admin"};

// A route's path with something at its '*'.
static void put_target(char *to, size_t cap, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    int before = star != NULL ? (int)(star - pattern) : (int)strlen(pattern);
    (void)snprintf(to, cap, "/api/v1%.*s%s%s", before, pattern, star != NULL ? "nobody-9" : "",
                   star != NULL ? star + 1 : "");
}

static void account(struct bench *bench, const char *name, const char *role)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    assert_int_equal(pw_central_user_add(bench->central, pw_str_of(name), pw_str_of(role),
                                         PW_STR("battery staple"), made),
                     PW_OK);
}

// Every row of the table with every role. Without a login 401; below the least role 403 naming it,
// before the body is read; from it on anything but 401 and 403.
static void every_route_is_open_to_its_role_and_above_and_to_nobody_below(void **state)
{
    struct bench *bench = *state;
    size_t tried = 0;
    account(bench, "admin", "admin");
    account(bench, "operator", "operator");
    account(bench, "viewer", "viewer");
    for (size_t i = 0; i < http_route_count; i++) {
        const struct route *route = &http_routes[i];
        char target[160];
        put_target(target, sizeof(target), route->path);
        for (int role = ROLE_NONE; role <= ROLE_ADMIN; role++) {
            if (role == ROLE_NONE) {
                bench->cookie[0] = '\0';
            } else {
                bench_login_as(bench, names[role], "battery staple");
            }
            int status = bench_http(bench, route->method, target, "{}");
            bool enough = role >= (int)route->access;
            tried++;
            if (route->access == OPEN || enough) {
                assert_true(route->access == OPEN || (status != 401 && status != 403));
            } else if (role == ROLE_NONE) {
                assert_int_equal(status, 401);
            } else {
                if (status != 403) {
                    fail_msg("%s as %s: %d", target, names[role], status);
                }
                assert_has(bench->body, "\"code\":\"role\"");
                assert_has(bench->body, names[route->access]);
            }
        }
    }
    print_message("%zu routes, %zu requests\n", http_route_count, tried);
    assert_true(http_route_count >= 60);
}

// A row that changes something and is open to viewers would be a hole; these three are meant.
static void viewers_change_nothing_but_their_own_login(void **state)
{
    (void)state;
    for (size_t i = 0; i < http_route_count; i++) {
        const struct route *route = &http_routes[i];
        if (route->method != PW_HTTP_GET && route->access < OPERATOR) {
            assert_true(strcmp(route->path, "/login") == 0 || strcmp(route->path, "/logout") == 0 ||
                        strcmp(route->path, "/me/password") == 0);
        }
        if (strncmp(route->path, "/users", 6) == 0 || strncmp(route->path, "/tokens", 7) == 0) {
            assert_int_equal(route->access, ADMIN);
        }
    }
}

// The route for any command must not be a way round the routes that are for admins.
static void operators_cannot_send_as_a_command_what_is_for_admins(void **state)
{
    struct bench *bench = *state;
    (void)bench_station(bench, "A");
    account(bench, "olga", "operator");
    bench_login_as(bench, "olga", "battery staple");
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"{\"action\":\"Reset\",\"payload\":{\"type\":\"Soft\"}}", 202},
        {"{\"action\":\"ChangeConfiguration\",\"payload\":{\"key\":\"HeartbeatInterval\","
         "\"value\":\"60\"}}",
         202},
        {"{\"action\":\"ChangeConfiguration\",\"payload\":{\"key\":\"securityprofile\","
         "\"value\":\"1\"}}",
         403},
        {"{\"action\":\"UpdateFirmware\",\"payload\":{\"location\":\"https://a.example/x\","
         "\"retrieveDate\":\"2026-05-28T20:26:40Z\"}}",
         403},
        {"{\"action\":\"InstallCertificate\",\"payload\":{\"certificateType\":"
         "\"CentralSystemRootCertificate\",\"certificate\":\"x\"}}",
         403},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(
            bench_http(bench, PW_HTTP_POST, "/api/v1/stations/A/commands", rows[i].body),
            rows[i].status);
    }
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/stations/A/configuration",
                                "{\"key\":\"SecurityProfile\",\"value\":\"1\"}"),
                     403);
}

static void users_come_and_go_and_the_last_admin_stays(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/users", "{\"name\":\"vera\",\"role\":\"viewer\"}"),
        201);
    assert_has(bench->body, "{\"name\":\"vera\",\"password\":\"");
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/users", "{\"name\":\"vera\",\"role\":\"admin\"}"),
        409);
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/users", "{\"name\":\"v x\",\"role\":\"viewer\"}"),
        400);
    assert_int_equal(
        bench_http(bench, PW_HTTP_POST, "/api/v1/users", "{\"name\":\"x\",\"role\":\"root\"}"),
        400);
    assert_has(bench->body, "is none of viewer, operator, admin");
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/users", ""), 200);
    assert_string_equal(bench->body,
                        "{\"users\":[{\"name\":\"admin\",\"role\":\"admin\",\"logins\":1},"
                        "{\"name\":\"vera\",\"role\":\"viewer\",\"logins\":0}]}");
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/users/admin", ""), 409);
    assert_has(bench->body, "last_admin");
    assert_int_equal(
        bench_http(bench, PW_HTTP_PUT, "/api/v1/users/admin", "{\"role\":\"operator\"}"), 409);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/users/vera", "{\"role\":\"admin\"}"),
                     204);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/users/nob", "{\"role\":\"admin\"}"),
                     404);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/users/admin", ""), 204);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/me", ""), 401);
    assert_int_equal(pw_central_user_remove(bench->central, PW_STR("vera")), PW_ERR_BUSY);
}

// A role is looked up with each request, and streams look every 20 s: what was taken away is gone.
static void role_taken_away_holds_at_once(void **state)
{
    struct bench *bench = *state;
    account(bench, "admin", "admin");
    account(bench, "olga", "operator");
    bench_login_as(bench, "olga", "battery staple");
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"), 200);
    assert_int_equal(pw_central_user_role(bench->central, PW_STR("olga"), PW_STR("viewer")), PW_OK);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"), 403);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/events", ""), 200);
    uint64_t stream = bench->links;
    assert_int_equal(pw_central_user_remove(bench->central, PW_STR("olga")), PW_OK);
    bench_pass(bench, 20000);
    char text[64];
    assert_int_equal(pw_central_stream_take(bench->central, stream, text, sizeof(text)),
                     PW_ERR_LIMIT);
}

// T18 of facts/reliability.md: without the old password, with a session that is over, from another
// site, with code in the fields: refused, nothing changed.
static void t18_password_changes_only_with_the_old_one_and_ends_other_logins(void **state)
{
    struct bench *bench = *state;
    char other[sizeof(bench->cookie)];
    account(bench, "vera", "viewer");
    bench_login_as(bench, "vera", "battery staple");
    memcpy(other, bench->cookie, sizeof(other));
    bench_login_as(bench, "vera", "battery staple");
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"{}", 400},
        {"{\"new\":\"a longer one\"}", 400},
        {"{\"old\":\"\",\"new\":\"a longer one\"}", 400},
        {"{\"old\":\"battery\",\"new\":\"a longer one\"}", 403},
        {"{\"old\":\"' OR 1=1 --\",\"new\":\"a longer one\"}", 403},
        {"{\"old\":\"battery staple\",\"new\":\"short\"}", 400},
        {"{\"old\":\"battery staple\",\"new\":{\"a\":1}}", 400},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password", rows[i].body),
                         rows[i].status);
    }
    bench->origin = "https://evil.example";
    static const char good[] = "{\"old\":\"battery staple\",\"new\":\"a longer one\"}";
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password", good), 403);
    bench->origin = "";
    bench->csrf[0] ^= 1;
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password", good), 403);
    bench->csrf[0] ^= 1;
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password", good), 204);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/me", ""), 200);
    memcpy(bench->cookie, other, sizeof(other));
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password", good), 401);
    bench_login_as(bench, "vera", "a longer one");
    assert_has(bench->body, "\"role\":\"viewer\"");
}

// Guessing the old password in a browser somebody left open is guessing.
static void old_password_is_guessed_as_slowly_as_a_login(void **state)
{
    struct bench *bench = *state;
    account(bench, "vera", "viewer");
    bench_login_as(bench, "vera", "battery staple");
    int refused = 0;
    for (int i = 0; i < 20; i++) {
        int status = bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password",
                                "{\"old\":\"guess\",\"new\":\"a longer one\"}");
        refused += status == 429;
    }
    assert_true(refused >= 10);
}

// A password that was found right opens nothing but what it was given for: here its request ended
// without an answer, since its login was over, and the next one on the connection is another's.
static void right_password_is_of_no_use_to_the_next_request(void **state)
{
    struct bench *bench = *state;
    account(bench, "vera", "viewer");
    bench_login_as(bench, "vera", "battery staple");
    bench_derive_later();
    (void)bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password",
                     "{\"old\":\"battery staple\",\"new\":\"a longer one\"}");
    assert_true(bench->reply.later);
    uint64_t connection = bench->links;
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/logout", ""), 204);
    bench_derive(bench);
    bench->again = connection;
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/me/password",
                                "{\"old\":\"battery staple\",\"new\":\"a longer one\"}"),
                     401);
    bench->again = connection;
    (void)bench_http(bench, PW_HTTP_POST, "/api/v1/login",
                     "{\"user\":\"admin\",\"password\":\"guess\"}");
    assert_true(bench->reply.later);
    bench_derive(bench);
    bench->again = connection;
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/login",
                                "{\"user\":\"admin\",\"password\":\"guess\"}"),
                     401);
}

static void fill(char *to, size_t cap, const char *pattern, const char *text)
{
    struct pw_out out = {.cap = cap};
    out.at = to;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '@') {
            pw_put_s(&out, text);
        } else {
            pw_put_c(&out, *pattern);
        }
    }
}

// T18: text that is code somewhere is text here, in every field that people can send.
static void t18_code_in_fields_is_text(void **state)
{
    struct bench *bench = *state;
    static const char *const evil[] = {"'; DROP TABLE account; --",
                                       "\\\" OR \\\"\\\"=\\\"",
                                       "<script>alert(1)</script>",
                                       "$(reboot)",
                                       "`id`",
                                       "%n%s%x",
                                       "\\u0000",
                                       "\\r\\nSet-Cookie: a=b",
                                       "../../../../etc/passwd",
                                       "{{7*7}}",
                                       "\\u202Eevil"};
    static const struct {
        enum pw_http_method method;
        const char *path;
        const char *body; // the text goes where @ is
    } fields[] = {
        {PW_HTTP_POST, "/api/v1/login", "{\"user\":\"@\",\"password\":\"@\"}"},
        {PW_HTTP_POST, "/api/v1/users", "{\"name\":\"@\",\"role\":\"viewer\"}"},
        {PW_HTTP_POST, "/api/v1/users", "{\"name\":\"x\",\"role\":\"@\"}"},
        {PW_HTTP_POST, "/api/v1/tokens", "{\"name\":\"@\",\"role\":\"viewer\"}"},
        {PW_HTTP_POST, "/api/v1/stations", "{\"id\":\"@\"}"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"status\":\"@\"}"},
        {PW_HTTP_PUT, "/api/v1/cards/X", "{\"expires\":\"@\"}"},
        {PW_HTTP_PUT, "/api/v1/groups/x", "{\"name\":\"@\"}"},
    };
    bench_login(bench);
    int64_t accounts = bench_count(bench, "SELECT COUNT(*) FROM account");
    size_t tried = 0;
    for (size_t f = 0; f < PW_COUNT(fields); f++) {
        for (size_t e = 0; e < PW_COUNT(evil); e++) {
            char body[256];
            bench->address = f == 0 ? "192.0.2.77" : "192.0.2.1";
            fill(body, sizeof(body), fields[f].body, evil[e]);
            int status = bench_http(bench, fields[f].method, fields[f].path, body);
            tried++;
            assert_in_range(status, 400, 499);
        }
    }
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM account"), accounts);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM station"), 0);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM card"), 0);
    print_message("%zu requests\n", tried);
}

// T17: nothing that comes with the program, and nothing one can read off a station, opens a door.
static void t17_no_default_password_opens_a_door(void **state)
{
    struct bench *bench = *state;
    static const char *const defaults[] = {
        "",           "admin",     "Admin1234!", "password",  "password1",        "12345678",
        "1234567890", "pilotwire", "Pilotwire1", "root",      "raspberry",        "operator",
        "station-A",  "changeme1", "default123", "letmein12", "02:00:5e:10:00:01"};
    static const char *const users[] = {"admin", "root", "operator", "viewer", "pilotwire", ""};
    uint64_t link = 0;
    char made[PW_CENTRAL_PASSWORD_MAX];
    assert_int_equal(
        pw_central_user_add(bench->central, PW_STR("admin"), PW_STR("admin"), PW_STR(""), made),
        PW_OK);
    assert_int_equal(strlen(made), 20);
    assert_int_equal(pw_central_station_add(bench->central, PW_STR("station-A"), PW_STR(""), false,
                                            made, bench->at),
                     PW_OK);
    for (size_t u = 0; u < PW_COUNT(users); u++) {
        for (size_t d = 0; d < PW_COUNT(defaults); d++) {
            char body[160];
            (void)snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", users[u],
                           defaults[d]);
            bench_pass(bench, 60000); // a patient guesser, whom the limit does not stop
            int status = bench_http(bench, PW_HTTP_POST, "/api/v1/login", body);
            assert_true(status == 401 || status == 400);
            assert_int_equal(
                bench_handshake(bench, "/ocpp/station-A", "station-A", defaults[d], &link), 401);
        }
    }
}

static void tokens_are_shown_once_have_a_role_and_end(void **state)
{
    struct bench *bench = *state;
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/tokens",
                                "{\"name\":\"grafana\",\"role\":\"viewer\",\"days\":2}"),
                     201);
    const char *start = strstr(bench->body, "\"token\":\"");
    assert_non_null(start);
    char header[96] = "Bearer ";
    struct pw_str rest = pw_str_of(start + 9);
    struct pw_str text = pw_str_cut(&rest, '"');
    (void)snprintf(header + 7, sizeof(header) - 7, "%.*s", (int)text.len, text.at);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/tokens", ""), 200);
    assert_has(bench->body, "\"name\":\"grafana\",\"role\":\"viewer\"");
    assert_null(strstr(bench->body, header + 9)); // not again
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM api_token WHERE hash LIKE "
                                        "'hmac$%'"),
                     1);
    bench->cookie[0] = '\0';
    bench->csrf[0] = '\0';
    bench->authorization = header;
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/metrics", ""), 200);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/me", ""), 200);
    assert_has(bench->body, "\"user\":\"grafana\",\"role\":\"viewer\"");
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/cards/X", "{}"), 403);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/events", ""), 200);
    bench_pass(bench, UINT64_C(2) * 86400000);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/metrics", ""), 401);
    static const char *const wrong[] = {"Bearer ", "Bearer 1.", "Bearer 1.aaaaaaaaaaaaaaaa",
                                        "Bearer 2.x", "Bearer x"};
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        bench->authorization = wrong[i];
        assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/metrics", ""), 401);
    }
    bench->authorization = "";
    bench_login(bench);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/tokens/1", ""), 204);
    assert_int_equal(bench_http(bench, PW_HTTP_DELETE, "/api/v1/tokens/1", ""), 404);
}

// Makes a token as whoever is logged in, and has the header that shows it.
static void make_token(struct bench *bench, const char *role, int days, char header[96])
{
    char body[96];
    (void)snprintf(body, sizeof(body), "{\"name\":\"script\",\"role\":\"%s\",\"days\":%d}", role,
                   days);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/tokens", body), 201);
    const char *start = strstr(bench->body, "\"token\":\"");
    assert_non_null(start);
    struct pw_str rest = pw_str_of(start + 9);
    struct pw_str text = pw_str_cut(&rest, '"');
    (void)snprintf(header, 96, "Bearer %.*s", (int)text.len, text.at);
}

static int as_program(struct bench *bench, const char *header, const char *target)
{
    bench->cookie[0] = '\0';
    bench->csrf[0] = '\0';
    bench->authorization = header;
    int status = bench_http(bench, PW_HTTP_GET, target, "");
    bench->authorization = "";
    return status;
}

// Reason: an admin who is dismissed or let down must not go on as the program they left behind.
static void token_may_what_its_maker_may_now_and_no_more(void **state)
{
    struct bench *bench = *state;
    char header[ROLE_ADMIN + 2][96];
    account(bench, "admin", "admin");
    account(bench, "mara", "admin");
    bench_login_as(bench, "mara", "battery staple");
    for (int role = ROLE_VIEWER; role <= ROLE_ADMIN; role++) {
        make_token(bench, names[role], 90, header[role]);
    }
    // One made with a token is mara's too.
    bench->cookie[0] = '\0';
    bench->csrf[0] = '\0';
    bench->authorization = header[ROLE_ADMIN];
    make_token(bench, "admin", 90, header[ROLE_ADMIN + 1]);
    for (int maker = ROLE_ADMIN; maker >= ROLE_VIEWER; maker--) {
        assert_int_equal(
            pw_central_user_role(bench->central, PW_STR("mara"), pw_str_of(names[maker])), PW_OK);
        for (int n = ROLE_VIEWER; n <= ROLE_ADMIN + 1; n++) {
            char expected[32];
            int role = n < ROLE_ADMIN ? n : ROLE_ADMIN;
            (void)snprintf(expected, sizeof(expected), "\"role\":\"%s\"",
                           names[maker < role ? maker : role]);
            assert_int_equal(as_program(bench, header[n], "/api/v1/me"), 200);
            assert_has(bench->body, expected);
        }
    }
    // Raised again, they may again what they were made for.
    assert_int_equal(pw_central_user_role(bench->central, PW_STR("mara"), PW_STR("admin")), PW_OK);
    assert_int_equal(as_program(bench, header[ROLE_OPERATOR], "/api/v1/me"), 200);
    assert_has(bench->body, "\"role\":\"operator\"");
    assert_int_equal(as_program(bench, header[ROLE_VIEWER], "/api/v1/events"), 200);
    uint64_t stream = bench->links;
    char text[64];
    assert_int_equal(pw_central_user_remove(bench->central, PW_STR("mara")), PW_OK);
    bench_pass(bench, 20000);
    assert_int_equal(pw_central_stream_take(bench->central, stream, text, sizeof(text)),
                     PW_ERR_LIMIT);
    account(bench, "mara", "admin"); // another one of this name has not made them
    for (int n = ROLE_VIEWER; n <= ROLE_ADMIN + 1; n++) {
        bench_pass(bench, 60000);
        assert_int_equal(as_program(bench, header[n], "/api/v1/me"), 401);
    }
}

// Reason: one from before tokens had makers (schema step 63) has nobody who answers for it, as one
// whose maker another program on this database has removed.
static void token_without_its_maker_ends(void **state)
{
    struct bench *bench = *state;
    static const char *const changes[] = {"UPDATE api_token SET made_by = ''",
                                          "UPDATE api_token SET made_by = 'nobody'"};
    char header[96];
    for (size_t i = 0; i < PW_COUNT(changes); i++) {
        bench_login(bench);
        make_token(bench, "admin", 90, header);
        assert_int_equal(as_program(bench, header, "/api/v1/me"), 200);
        assert_int_equal(sqlite3_exec(bench->store.sqlite, changes[i], NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(as_program(bench, header, "/api/v1/me"), 401);
    }
}

// Reason: a stream is one request that never ends, and looked only once whether its token holds.
static void event_stream_ends_with_its_token(void **state)
{
    struct bench *bench = *state;
    char header[96];
    char text[64];
    bench_login(bench);
    make_token(bench, "viewer", 1, header);
    assert_int_equal(as_program(bench, header, "/api/v1/events"), 200);
    uint64_t stream = bench->links;
    bench_pass(bench, 86000000);
    while (pw_central_stream_take(bench->central, stream, text, sizeof(text)) > 0) {
    }
    assert_int_equal(pw_central_stream_take(bench->central, stream, text, sizeof(text)), 0);
    bench_pass(bench, 400000 + 20000);
    assert_int_equal(pw_central_stream_take(bench->central, stream, text, sizeof(text)),
                     PW_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_route_is_open_to_its_role_and_above_and_to_nobody_below),
        TEST(viewers_change_nothing_but_their_own_login),
        TEST(operators_cannot_send_as_a_command_what_is_for_admins),
        TEST(users_come_and_go_and_the_last_admin_stays),
        TEST(role_taken_away_holds_at_once),
        TEST(t18_password_changes_only_with_the_old_one_and_ends_other_logins),
        TEST(old_password_is_guessed_as_slowly_as_a_login),
        TEST(right_password_is_of_no_use_to_the_next_request),
        TEST(t18_code_in_fields_is_text),
        TEST(t17_no_default_password_opens_a_door),
        TEST(tokens_are_shown_once_have_a_role_and_end),
        TEST(token_may_what_its_maker_may_now_and_no_more),
        TEST(token_without_its_maker_ends),
        TEST(event_stream_ends_with_its_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// http: what a request's headers say, read the way every site needs it.
#include "http/http.h"
#include "test.h"

#include <string.h>

// Reason: a page of another site may point its own name at this station; only then does Host carry
// a name we do not have.
static void a_foreign_name_is_no_host_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *own;
        bool ours;
    } rows[] = {
        {"127.0.0.1:8080", "", true},
        {"192.168.1.20", "", true},
        {"[fe80::1]:8080", "", true},
        {"localhost:8080", "", true},
        {"LocalHost", "", true},
        {"evil.example:8080", "", false},
        {"", "", false},
        {"wallbox.lan:8080", "wallbox.lan", true},
        {"Wallbox.LAN", "wallbox.lan", true},
        {"wallbox.lan.evil.example", "wallbox.lan", false},
        {"127.0.0.1.evil.example", "", false},
        {"1e3", "", false},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_http_host_is_ours(pw_str_of(rows[i].host), pw_str_of(rows[i].own)),
                         rows[i].ours);
    }
}

// Reason: a form on another site may post here with the browser's cookies; it cannot forge Origin.
static void another_origin_is_not_ours(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        bool ours;
        bool over_tls; // … ours there, too
    } rows[] = {
        {"", true, true},
        {"http://10.0.0.7:8080", true, false}, // whoever is on the way can make such a page
        {"https://10.0.0.7:8080", true, true},
        {"http://10.0.0.7", false, false},
        {"http://evil.example", false, false},
        {"https://evil.example", false, false},
        {"null", false, false},
        {"file://10.0.0.7:8080", false, false},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_http_request request = {.host = PW_STR("10.0.0.7:8080"),
                                          .origin = pw_str_of(rows[i].origin)};
        assert_int_equal(pw_http_origin_is_ours(&request), rows[i].ours);
        request.secure = true;
        assert_int_equal(pw_http_origin_is_ours(&request), rows[i].over_tls);
    }
}

// Reason: what a browser asked without TLS is asked again with it; nothing that a stranger wrote
// into it may become a header of ours.
static void a_request_is_sent_to_tls_as_it_is_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *host, *path, *query;
        uint16_t port;
        const char *location; // "": refused
    } rows[] = {
        {"wallbox.lan:8080", "/", "", 8443, "https://wallbox.lan:8443/"},
        {"wallbox.lan", "/api/v1/history", "connector=1&x=2", 8443,
         "https://wallbox.lan:8443/api/v1/history?connector=1&x=2"},
        {"192.0.2.7:80", "/", "", 443, "https://192.0.2.7/"},
        {"[2001:db8::7]:8080", "/", "", 8443, "https://[2001:db8::7]:8443/"},
        {"wallbox.lan", "/a\r\nSet-Cookie: x", "", 8443, ""},
        {"wallbox.lan", "/", "a=\nb", 8443, ""},
        {"wallbox.lan", "/a b", "", 8443, ""},
        {"wallbox.lan/evil", "/", "", 8443, ""},
        {"user@evil.example", "/", "", 8443, ""},
        {"", "/", "", 8443, ""},
        {"wallbox.lan", "", "", 8443, ""},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const struct pw_http_request request = {.host = pw_str_of(rows[i].host),
                                                .path = pw_str_of(rows[i].path),
                                                .query = pw_str_of(rows[i].query)};
        struct pw_http_reply reply = {0};
        bool sent = pw_http_to_tls(&request, rows[i].port, &reply);
        assert_int_equal(sent, rows[i].location[0] != '\0');
        assert_int_equal(reply.status, sent ? 308 : 0);
        assert_string_equal(reply.location, rows[i].location);
    }
    char path[400];
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    const struct pw_http_request endless = {.host = PW_STR("wallbox.lan"),
                                            .path = {.at = path, .len = sizeof(path)}};
    struct pw_http_reply reply = {0};
    assert_false(pw_http_to_tls(&endless, 8443, &reply));
    assert_string_equal(reply.location, "");
}

// Reason: an empty secret means there is none; nothing may equal it, not even nothing.
static void only_the_whole_secret_is_the_secret(void **state)
{
    (void)state;
    assert_true(pw_http_same_secret("correct horse", PW_STR("correct horse")));
    assert_false(pw_http_same_secret("correct horse", PW_STR("correct hors")));
    assert_false(pw_http_same_secret("correct horse", PW_STR("correct horsecorrect horse")));
    assert_false(pw_http_same_secret("correct horse", PW_STR("correct horsf")));
    assert_false(pw_http_same_secret("correct horse", PW_STR("")));
    assert_false(pw_http_same_secret("", PW_STR("")));
}

static void paths_queries_and_cookies_are_cut_at_their_marks(void **state)
{
    (void)state;
    struct pw_str param = PW_STR("");
    assert_true(pw_http_path_fits("/settings/*", PW_STR("/settings/ocpp.url"), &param));
    assert_true(pw_str_is(param, "ocpp.url"));
    assert_false(pw_http_path_fits("/settings/*", PW_STR("/settings/"), &param));
    assert_false(pw_http_path_fits("/settings/*", PW_STR("/settings/a/b"), &param));
    assert_false(pw_http_path_fits("/settings", PW_STR("/setting"), &param));
    assert_true(pw_str_is(pw_http_query(PW_STR("a=1&cursor=7"), "cursor"), "7"));
    assert_int_equal(pw_http_query(PW_STR("a=1&xcursor=7"), "cursor").len, 0);
    assert_true(pw_str_is(pw_http_cookie(PW_STR("x=1; pw=abc; y=2"), "pw"), "abc"));
    assert_int_equal(pw_http_cookie(PW_STR("xpw=abc"), "pw").len, 0);
    struct pw_http_reply reply = {0};
    pw_http_allow(&reply, 1U << PW_HTTP_GET | 1U << PW_HTTP_PUT);
    assert_string_equal(reply.allow, "GET, PUT");
    pw_http_allow(&reply, (1U << PW_HTTP_OTHER) - 1);
    assert_string_equal(reply.allow, "GET, POST, PUT, DELETE, PATCH");
}

// Reason: a header that is not Basic, or not base64, must not end as an empty password.
static void basic_credentials_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        const char *user; // NULL: refused
        const char *password;
    } rows[] = {
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"}, // RFC 7617 §2
        {"basic  QTpiOmM=", "A", "b:c"},
        {"Basic Og==", "", ""},
        {"", NULL, NULL},
        {"Basic", NULL, NULL},
        {"Basic QQ==", NULL, NULL}, // no colon
        {"Basic Q-==", NULL, NULL},
        {"Bearer QTpi", NULL, NULL},
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZSBvcGVuIHNlc2FtZSBvcGVuIHNlc2FtZQ==", NULL, NULL},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[32];
        struct pw_out room = PW_OUT(text);
        struct pw_str user = PW_STR("");
        struct pw_str password = PW_STR("");
        int err = pw_http_basic(pw_str_of(rows[i].header), &room, &user, &password);
        assert_int_equal(err, rows[i].user != NULL ? PW_OK : PW_ERR_PEER);
        assert_true(rows[i].user == NULL ||
                    (pw_str_is(user, rows[i].user) && pw_str_is(password, rows[i].password)));
    }
}

// Reason: python's aiohttp sends "$FP 0 0 a+b" as %24FP+0+0+a%2Bb.
static void a_field_of_a_form_is_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *value; // NULL: none
    } rows[] = {
        {"json=1&rapi=%24FP+0+0+a%2Bb", "$FP 0 0 a+b"},
        {"rapi=", ""},
        {"rapi=%2", "%2"},
        {"rapi=%zz%24", "%zz$"},
        {"json=1", NULL},
        {"rapi=0123456789012345678901234567890123456789", NULL}, // longer than the room
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[32] = "";
        struct pw_out room = PW_OUT(text);
        bool given = pw_http_form(pw_str_of(rows[i].body), "rapi", &room);
        assert_int_equal(given, rows[i].value != NULL);
        assert_true(rows[i].value == NULL || strcmp(text, rows[i].value) == 0);
    }
}

// Reason: pages have addresses of their own inside one index.html; a missing script is missing.
static void files_pages_and_what_is_missing(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    static const struct pw_http_asset assets[] = {
        {"/index.html", "text/html; charset=utf-8", bytes, 3, "\"a\""},
        {"/assets/app-1.js", "text/javascript", bytes, 2, "\"b\""},
    };
    struct pw_http_reply reply = {0};
    struct pw_http_request request = {.path = PW_STR("/log")};
    assert_true(pw_http_file(assets, 2, &request, &reply));
    assert_int_equal(reply.status, 200);
    assert_true(reply.page && reply.gzip && !reply.immutable);
    request.etag = PW_STR("\"a\"");
    reply = (struct pw_http_reply){0};
    assert_true(pw_http_file(assets, 2, &request, &reply));
    assert_int_equal(reply.status, 304);
    request.path = PW_STR("/assets/app-1.js");
    reply = (struct pw_http_reply){0};
    assert_true(pw_http_file(assets, 2, &request, &reply));
    assert_true(reply.immutable && !reply.page && reply.body.len == 2);
    request.path = PW_STR("/assets/app-2.js");
    assert_false(pw_http_file(assets, 2, &request, &reply));
}

// Reason: a download that was cut goes on where it was; what is no range of ours must give the
// whole file, not an error, and never a byte beyond it.
static void a_range_is_a_part_of_the_file_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        enum pw_http_range is;
        uint64_t first;
        uint64_t len;
    } rows[] = {
        {"", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=0-", PW_HTTP_PART, 0, 1000},
        {"bytes=0-0", PW_HTTP_PART, 0, 1},
        {"Bytes=10-19", PW_HTTP_PART, 10, 10},
        {"bytes=999-", PW_HTTP_PART, 999, 1},
        {"bytes=990-5000", PW_HTTP_PART, 990, 10},
        {"bytes=5-18446744073709551999", PW_HTTP_PART, 5, 995},
        {"bytes=-1", PW_HTTP_PART, 999, 1},
        {"bytes=-5000", PW_HTTP_PART, 0, 1000},
        {"bytes=-0", PW_HTTP_BEYOND, 0, 0},
        {"bytes=1000-", PW_HTTP_BEYOND, 0, 0},
        {"bytes=18446744073709551616-", PW_HTTP_BEYOND, 0, 0},
        {"bytes=0-1,5-6", PW_HTTP_WHOLE, 0, 1000}, // several are ignored
        {"bytes=9-3", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=-", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=a-b", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=1-2-3", PW_HTTP_WHOLE, 0, 1000},
        {"bytes=+1-2", PW_HTTP_WHOLE, 0, 1000},
        {"lines=1-2", PW_HTTP_WHOLE, 0, 1000},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_http_request request = {.range = pw_str_of(rows[i].range)};
        uint64_t first = 0;
        uint64_t len = 0;
        enum pw_http_range is = pw_http_range(&request, PW_STR("\"a\""), 1000, &first, &len);
        assert_int_equal(is, rows[i].is);
        if (is != PW_HTTP_BEYOND) {
            assert_int_equal(first, rows[i].first);
            assert_int_equal(len, rows[i].len);
        }
        // The rest of another file must never be put behind the beginning of this one.
        request.if_range = PW_STR("\"b\"");
        assert_int_equal(pw_http_range(&request, PW_STR("\"a\""), 1000, &first, &len),
                         PW_HTTP_WHOLE);
        request.if_range = PW_STR("\"a\"");
        assert_int_equal(pw_http_range(&request, PW_STR("\"a\""), 1000, &first, &len), rows[i].is);
        assert_int_not_equal(pw_http_range(&request, PW_STR("\"a\""), 0, &first, &len),
                             PW_HTTP_PART);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_name_is_no_host_of_ours),
        cmocka_unit_test(another_origin_is_not_ours),
        cmocka_unit_test(a_request_is_sent_to_tls_as_it_is_or_not_at_all),
        cmocka_unit_test(only_the_whole_secret_is_the_secret),
        cmocka_unit_test(paths_queries_and_cookies_are_cut_at_their_marks),
        cmocka_unit_test(basic_credentials_are_read_or_refused),
        cmocka_unit_test(a_field_of_a_form_is_decoded),
        cmocka_unit_test(a_range_is_a_part_of_the_file_or_nothing),
        cmocka_unit_test(files_pages_and_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

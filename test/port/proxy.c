// What is said to a proxy and heard of it (RFC 9110 §9.3.6, §11.7), who is reached without one, and
// which network a host that the proxy looks up is in. Proxies that misbehave on sockets are in
// test/app/proxy_test.py.
#include "proxy/proxy.h"

#include "test.h"
#include "transfer/parts.h"

#include <string.h>

static struct pw_proxy setting(const char *url, const char *direct)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_proxy proxy = {.port = 0};
    if (pw_proxy_read_url(pw_str_of(url), &proxy, &why) != PW_OK ||
        pw_proxy_read_direct(pw_str_of(direct), &proxy, &why) != PW_OK) {
        fail_msg("%s, %s: %s", url, direct, text);
    }
    return proxy;
}

static void a_url_becomes_host_port_and_user(void **state)
{
    (void)state;
    struct pw_proxy proxy = setting("http://depot@proxy.example:3128", "");
    assert_string_equal(proxy.host, "proxy.example");
    assert_int_equal(proxy.port, 3128);
    assert_string_equal(proxy.user, "depot");
    proxy = setting("http://[2001:db8::1]", "");
    assert_string_equal(proxy.host, "2001:db8::1");
    assert_int_equal(proxy.port, 8080);
    assert_string_equal(proxy.user, "");
    proxy = setting("", "");
    assert_false(pw_proxy_leads(&proxy, PW_STR("central.example")));
    assert_false(pw_proxy_leads(NULL, PW_STR("central.example")));
}

static void what_is_no_proxy_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "proxy:3128",           "https://proxy:3128", "socks5://proxy",     "http://",
        "http://proxy:0",       "http://proxy:65536", "http://proxy:3128/", "http://a:b@proxy",
        "http://@proxy",        "http://[::1",        "http://[::1]3128",   "http://pro xy",
        "http://proxy\r\nX: y", "http://a b@proxy:1",
    };
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        struct pw_proxy proxy = {.host = "kept", .port = 7};
        if (pw_proxy_read_url(pw_str_of(wrong[i]), &proxy, &why) != PW_ERR_RANGE) {
            fail_msg("%s was taken", wrong[i]);
        }
        assert_string_equal(proxy.host, "kept");
        assert_int_equal(proxy.port, 7);
        assert_string_not_equal(text, "");
    }
    static const char *const lists[] = {"*.example.org", "a,,b", "http://a", "a/8", "[::1]"};
    for (size_t i = 0; i < PW_COUNT(lists); i++) {
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        struct pw_proxy proxy = {.direct = "kept"};
        assert_int_equal(pw_proxy_read_direct(pw_str_of(lists[i]), &proxy, &why), PW_ERR_RANGE);
        assert_string_equal(proxy.direct, "kept");
    }
}

static void this_machine_and_the_named_go_directly(void **state)
{
    (void)state;
    const struct pw_proxy proxy = setting("http://proxy:1", "example.org, .depot.test,10.0.0.9");
    static const char *const direct[] = {
        "localhost",   "LOCALHOST.",      "a.localhost",  "127.0.0.1",  "127.255.0.3",  "::1",
        "example.org", "www.Example.org", "example.org.", "depot.test", "x.depot.test", "10.0.0.9",
    };
    static const char *const through[] = {
        "central.test", "notexample.org", "example.org.evil.test", "127.0.0.1.evil.test",
        "10.0.0.90",    "localhost.test", "2001:db8::1",           "org",
        "128.0.0.1",
    };
    for (size_t i = 0; i < PW_COUNT(direct); i++) {
        if (pw_proxy_leads(&proxy, pw_str_of(direct[i]))) {
            fail_msg("%s goes through the proxy", direct[i]);
        }
    }
    for (size_t i = 0; i < PW_COUNT(through); i++) {
        if (!pw_proxy_leads(&proxy, pw_str_of(through[i]))) {
            fail_msg("%s goes directly", through[i]);
        }
    }
}

// RFC 7617 §2: "Aladdin" with "open sesame".
static void the_request_has_host_and_credentials(void **state)
{
    (void)state;
    char text[PW_PROXY_ASK_SIZE];
    struct pw_out ask = PW_OUT(text);
    struct pw_proxy proxy = setting("http://Aladdin@proxy:1", "");
    assert_int_equal(pw_str_copy(proxy.password, sizeof(proxy.password), PW_STR("open sesame")), 0);
    assert_int_equal(pw_proxy_put_connect(&proxy, PW_STR("central.test"), 8443, &ask), PW_OK);
    assert_string_equal(text, "CONNECT central.test:8443 HTTP/1.1\r\nHost: central.test:8443\r\n"
                              "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
    ask = PW_OUT(text);
    proxy = setting("http://proxy:1", "");
    assert_int_equal(pw_proxy_put_connect(&proxy, PW_STR("2001:db8::1"), 443, &ask), PW_OK);
    assert_string_equal(text,
                        "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n");
    ask = PW_OUT(text);
    assert_int_equal(pw_proxy_put_connect(&proxy, PW_STR("a\r\nX: y"), 443, &ask), PW_ERR_RANGE);
    assert_int_equal(ask.len, 0);
}

static void what_follows_an_open_answer_is_left(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "HTTP/1.1 200 Connection established\r\nVia: 1.1 a\r\n\r\n",
        "HTTP/1.0 200 OK\n\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 \r\n\r\n",
    };
    for (size_t i = 0; i < PW_COUNT(heads); i++) {
        char all[100];
        struct pw_out out = PW_OUT(all);
        struct pw_proxy_answer answer = {.heard = 0};
        pw_put_s(&out, heads[i]);
        pw_put_s(&out, "\r\n\x16\x03");
        assert_int_equal(pw_proxy_hear(&answer, pw_out_str(&out)), strlen(heads[i]));
        assert_true(answer.open);
        assert_false(answer.refused);
    }
}

static void every_refusal_has_its_name(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"HTTP/1.0 407 x\r\n", "the proxy does not accept user and password (HTTP status 407)"},
        {"HTTP/1.0 401 x\r\n", "the proxy does not accept user and password (HTTP status 401)"},
        {"HTTP/1.1 403\r\n", "the proxy does not let us go there (HTTP status 403)"},
        {"HTTP/1.1 502 x\r\n", "the proxy does not reach the server (HTTP status 502)"},
        {"HTTP/1.1 504 x\r\n", "the proxy does not reach the server (HTTP status 504)"},
        {"HTTP/1.1 302 x\r\n", "the proxy makes no tunnel (HTTP status 302)"},
        {"HTTP/1.1 000 x\r\n", "the proxy makes no tunnel (HTTP status 0)"},
        {"SSH-2.0-x\r\n", "the proxy's answer is no HTTP"},
        {"HTTP/1.1 2x0 OK\r\n", "the proxy's answer is no HTTP"},
        {"HTTP/1.1 2000\r\n", "the proxy's answer is no HTTP"},
        {"\r\n\r\n", "the proxy's answer is no HTTP"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_proxy_answer answer = {.heard = 0};
        (void)pw_proxy_hear(&answer, pw_str_of(rows[i][0]));
        assert_true(answer.refused);
        assert_false(answer.open);
        assert_string_equal(answer.why, rows[i][1]);
    }
}

static void a_head_without_end_is_given_up(void **state)
{
    (void)state;
    struct pw_proxy_answer answer = {.heard = 0};
    size_t used = pw_proxy_hear(&answer, PW_STR("HTTP/1.1 200 OK\r\n"));
    while (!answer.refused && used < 2UL * PW_PROXY_HEAD_MAX) {
        assert_false(answer.open);
        used += pw_proxy_hear(&answer, PW_STR("X: y\r\n"));
    }
    assert_int_equal(used, PW_PROXY_HEAD_MAX);
    assert_string_equal(answer.why, "the head of the proxy's answer has no end");
}

// T11: a redirect to what only the proxy can reach. Resolvers read all of these as 127.0.0.1.
static void a_host_for_the_proxy_is_judged_as_it_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum pw_network_class is;
    } rows[] = {
        {"127.0.0.1", PW_NETWORK_LOOPBACK},
        {"127.1", PW_NETWORK_LOOPBACK},
        {"0x7f000001", PW_NETWORK_LOOPBACK},
        {"2130706433", PW_NETWORK_LOOPBACK},
        {"::ffff:127.0.0.1", PW_NETWORK_LOOPBACK},
        {"::1", PW_NETWORK_LOOPBACK},
        {"10.1.2.3", PW_NETWORK_PRIVATE},
        {"012.1.2.3", PW_NETWORK_PRIVATE},
        {"169.254.169.254", PW_NETWORK_LINK_LOCAL},
        {"fd00::1", PW_NETWORK_PRIVATE},
        {"0.0.0.0", PW_NETWORK_NONE},
        {"93.184.216.34", PW_NETWORK_PUBLIC},
        {"router", PW_NETWORK_PRIVATE},
        {"router.", PW_NETWORK_PRIVATE},
        {"nas.Local", PW_NETWORK_PRIVATE},
        {"metadata.google.internal", PW_NETWORK_PRIVATE},
        {"files.example.org", PW_NETWORK_PUBLIC},
        {"a%20b", PW_NETWORK_NONE},
        {"", PW_NETWORK_NONE},
        {"\xef\xbc\x91.test", PW_NETWORK_NONE},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (pw_network_class_of_host(pw_str_of(rows[i].host)) != rows[i].is) {
            fail_msg("%s is %d", rows[i].host,
                     (int)pw_network_class_of_host(pw_str_of(rows[i].host)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_becomes_host_port_and_user),
        cmocka_unit_test(what_is_no_proxy_is_refused_and_changes_nothing),
        cmocka_unit_test(this_machine_and_the_named_go_directly),
        cmocka_unit_test(the_request_has_host_and_credentials),
        cmocka_unit_test(what_follows_an_open_answer_is_left),
        cmocka_unit_test(every_refusal_has_its_name),
        cmocka_unit_test(a_head_without_end_is_given_up),
        cmocka_unit_test(a_host_for_the_proxy_is_judged_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

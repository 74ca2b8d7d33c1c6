// head: what is taken for a request, and what is answered to everything else (facts/reliability.md
// T20).
#include "http/head.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct pw_http_head judge(const char *text)
{
    return pw_http_head_judge(pw_str_of(text));
}

static void a_good_head_is_as_long_as_it_is_and_no_part_of_it_is_refused(void **state)
{
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: s\r\n\r\n",
        "GET /a/b?x=1&y=%24;z HTTP/1.0\r\n\r\n",
        "POST /login HTTP/1.1\r\nhOST:s \r\ncontent-length:2\r\nExpect: 100-continue\r\n\r\n",
        "OPTIONS /x HTTP/1.1\r\nHost: s\r\nX-Any_1!: \xc3\xa4\r\nEmpty:\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(heads); i++) {
        char text[256];
        size_t len = strlen(heads[i]);
        (void)snprintf(text, sizeof(text), "%s%s", heads[i], i == 2 ? "{}" : "");
        struct pw_http_head head = judge(text);
        assert_int_equal(head.progress, PW_HEAD_WHOLE);
        assert_int_equal(head.len, len);
        assert_int_equal(head.expects, i == 2);
        // Nothing may stand behind it before it has its answer.
        (void)snprintf(text, sizeof(text), "%s%sG", heads[i], i == 2 ? "{}" : "");
        head = judge(text);
        assert_int_equal(head.progress, PW_HEAD_REFUSED);
        assert_int_equal(head.status, 400);
        for (size_t part = 0; part < len; part++) {
            head = pw_http_head_judge((struct pw_str){.at = heads[i], .len = part});
            assert_int_equal(head.progress, PW_HEAD_MORE);
        }
    }
}

// Reason: what two readers of one text read differently lets one request hide in another.
static void whatever_is_no_request_has_its_answer(void **state)
{
    static const struct {
        int status;
        const char *head;
    } rows[] = {
        {400, "GET /\r\n"},                  // HTTP/0.9
        {400, "\r\nGET / HTTP/1.1\r\n"},     // an empty line first
        {400, "GET  / HTTP/1.1\r\n"},        // two spaces
        {400, "GET / HTTP/1.1 \r\n"},        // one too many
        {400, "GET / http/1.1\r\n"},         // no version
        {400, "GET / HTTP/1.10\r\n"},        // nor this
        {400, "G(T / HTTP/1.1\r\n"},         // no token
        {400, "GET / HTTP/1.1\n"},           // a bare LF
        {400, "GET / HTTP/1.1\rHost: s"},    // a bare CR
        {400, "\x16\x03\x01\x02"},           // a greeting of TLS
        {400, "GET http://s/ HTTP/1.1\r\n"}, // absolute form
        {400, "GET s:443 HTTP/1.1\r\n"},     // authority form
        {400, "OPTIONS * HTTP/1.1\r\n"},
        {400, "GET /\xc3\xa4 HTTP/1.1\r\n"},
        {400, "GET /a#b HTTP/1.1\r\n"},
        {400, "GET /%zz HTTP/1.1\r\n"},
        {400, "GET /%2 HTTP/1.1\r\n"},
        {400, "GET /%00 HTTP/1.1\r\n"},
        {400, "GET /%0d%0aHost:evil HTTP/1.1\r\n"},
        {400, "GET /?a=%0A HTTP/1.1\r\n"},
        {400, "GET /%1F HTTP/1.1\r\n"},
        {400, "GET /%7f HTTP/1.1\r\n"},
        {400, "POST / HTTP/1.1\r\nHost: s\r\nContent-Length:\t2\r\n"},
        {414, "GET /?&&&&&&&&&&&&&&&&& HTTP/1.1\r\n"},
        {501, "BREW /pot HTTP/1.1\r\n"},
        {501, "get / HTTP/1.1\r\n"},
        {501, "CONNECT / HTTP/1.1\r\n"},
        {501, "TRACE / HTTP/1.1\r\n"},
        {505, "PRI * HTTP/2.0\r\n"},
        {505, "GET / HTTP/1.2\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: s\r\n folded\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: s\r\n\tfolded\r\n"},
        {400, "GET / HTTP/1.1\r\nHost\r\n"},
        {400, "GET / HTTP/1.1\r\nHost : s\r\n"},
        {400, "GET / HTTP/1.1\r\n: s\r\n"},
        {400, "GET / HTTP/1.1\r\nHost: s\n\n"},
        {400, "GET / HTTP/1.1\r\nA: \x01"},
        {400, "GET / HTTP/1.1\r\nA: \x7f"},
        {400, "GET / HTTP/1.1\r\n\r\n"}, // for whom?
        {400, "GET / HTTP/1.1\r\nHost: s\r\nHost: t\r\n\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: -1\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: +1\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length:\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n"},
        {400, "POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n"},
        {400,
         "POST / HTTP/1.1\r\nHost: s\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {411,
         "POST / HTTP/1.1\r\nHost: s\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n"},
        {417, "POST / HTTP/1.1\r\nExpect: a-miracle\r\n"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_http_head head = judge(rows[i].head);
        if (head.progress != PW_HEAD_REFUSED || head.status != rows[i].status) {
            fail_msg("%s: %d, not %d", rows[i].head, head.status, rows[i].status);
        }
        assert_non_null(head.reason);
    }
    assert_int_equal(
        pw_http_head_judge((struct pw_str){.at = "GET / HTTP/1.1\r\nA: \0b", .len = 21}).status,
        400);
}

// Reason: memory is bounded before it is known who asks; and the answer names the limit.
static void a_head_ends_at_its_limits(void **state)
{
    static char text[1 << 17];
    (void)state;
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "GET /");
    while (out.len < 5 + PW_HTTP_TARGET_MAX - 1) {
        pw_put_c(&out, 'a');
    }
    size_t longest = out.len;
    pw_put_s(&out, " HTTP/1.1\r\nHost: s\r\n\r\n");
    assert_int_equal(pw_http_head_judge(pw_out_str(&out)).progress, PW_HEAD_WHOLE);
    out.len = longest;
    pw_put_s(&out, "a HTTP/1.1\r\nHost: s\r\n\r\n");
    assert_int_equal(pw_http_head_judge(pw_out_str(&out)).status, 414);
    out.len = longest;
    while (out.len < 65536) {
        pw_put_c(&out, 'a');
    }
    assert_int_equal(pw_http_head_judge(pw_out_str(&out)).status, 414);

    for (unsigned fields = PW_HTTP_FIELDS_MAX; fields <= PW_HTTP_FIELDS_MAX + 1; fields++) {
        out.len = 0;
        pw_put_s(&out, "GET / HTTP/1.1\r\nHost: s\r\n");
        for (unsigned i = 1; i < fields; i++) {
            pw_put_s(&out, "X: y\r\n");
        }
        pw_put_s(&out, "\r\n");
        assert_int_equal(pw_http_head_judge(pw_out_str(&out)).status,
                         fields <= PW_HTTP_FIELDS_MAX ? 0 : 431);
    }

    for (size_t len = PW_HTTP_HEAD_MAX; len <= PW_HTTP_HEAD_MAX + 1; len++) {
        out.len = 0;
        pw_put_s(&out, "GET / HTTP/1.1\r\nHost: s\r\nX: ");
        while (out.len < len - 4) {
            pw_put_c(&out, 'a');
        }
        struct pw_str part = pw_out_str(&out);
        assert_int_equal(pw_http_head_judge(part).progress, PW_HEAD_MORE);
        pw_put_s(&out, "\r\n\r\n");
        assert_int_equal(pw_http_head_judge(pw_out_str(&out)).status,
                         len <= PW_HTTP_HEAD_MAX ? 0 : 431);
    }
    while (out.len < 65536) {
        pw_put_s(&out, "aaaaaaaaaaaaaaaa");
    }
    out.len = 65536;
    assert_int_equal(pw_http_head_judge(pw_out_str(&out)).status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_head_is_as_long_as_it_is_and_no_part_of_it_is_refused),
        cmocka_unit_test(whatever_is_no_request_has_its_answer),
        cmocka_unit_test(a_head_ends_at_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

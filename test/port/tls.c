// tls: against a real OpenSSL server on loopback, in threads of its own: who it is, what it says,
// when it is slow, when it freezes. Every server ends by itself.
#include "tls.h"

#include "peer/peer.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVER_S = 20, FLOOD = 3 << 20 };

enum manner {
    ECHO,        // sends back what comes
    SAY_AND_END, // a word, then the closing alert
    NEVER_READ,  // takes the handshake, then nothing
    FREEZE,      // accepts the connection, and does not even shake hands
    FLOODING,    // sends FLOOD bytes as fast as they go
    OLD,         // TLS 1.1 only
    RESET,       // breaks off in the middle
};

struct server {
    int fd;
    uint16_t port;
    enum manner manner;
    SSL_CTX *context;
    X509 *certificate;
    pthread_t thread;
    volatile bool leave;
};

static struct pw_clock clock_;
static struct pw_loop loop;

// ---- The server.

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context = {0};
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key, const char *name, long from_s, long to_s)
{
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), to_s);
    X509_set_pubkey(certificate, key);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"pw", -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    add_extension(certificate, NID_subject_alt_name, name);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void drop(SSL *ssl, int fd)
{
    SSL_free(ssl);
    (void)close(fd);
}

static void echo(SSL *ssl)
{
    char bytes[4096];
    for (;;) {
        int got = SSL_read(ssl, bytes, sizeof(bytes));
        if (got <= 0 || SSL_write(ssl, bytes, got) != got) {
            return;
        }
    }
}

static void flood(SSL *ssl)
{
    static char bytes[8192];
    for (size_t sent = 0; sent < FLOOD; sent += sizeof(bytes)) {
        memset(bytes, (int)(sent / sizeof(bytes)) & 0x7F, sizeof(bytes));
        if (SSL_write(ssl, bytes, sizeof(bytes)) <= 0) {
            return;
        }
    }
    (void)SSL_shutdown(ssl);
}

static void wait_for_leave(const struct server *server)
{
    for (int i = 0; i < SERVER_S * 100 && !server->leave; i++) {
        (void)usleep(10000);
    }
}

static void serve_one(struct server *server, int fd)
{
    SSL *ssl = SSL_new(server->context);
    (void)SSL_set_fd(ssl, fd);
    if (server->manner == FREEZE) {
        wait_for_leave(server);
    } else if (SSL_accept(ssl) == 1) {
        switch (server->manner) {
        case ECHO: echo(ssl); break;
        case SAY_AND_END:
            (void)SSL_write(ssl, "bye", 3);
            (void)SSL_shutdown(ssl);
            break;
        case FLOODING: flood(ssl); break;
        case RESET: {
            struct linger at_once = {.l_onoff = 1};
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
            break;
        }
        case NEVER_READ:
        case FREEZE:
        case OLD: wait_for_leave(server); break;
        }
    }
    drop(ssl, fd);
}

static void *serve(void *context)
{
    struct server *server = context;
    struct pollfd to = {.fd = server->fd, .events = POLLIN};
    while (!server->leave && poll(&to, 1, 20) >= 0) {
        int fd = (to.revents & POLLIN) != 0 ? accept(server->fd, NULL, NULL) : -1;
        if (fd >= 0) {
            struct timeval most = {.tv_sec = SERVER_S};
            (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
            (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
            serve_one(server, fd);
        }
    }
    return NULL;
}

static void start(struct server *server, enum manner manner, const char *name, long to_s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    *server = (struct server){.manner = manner};
    server->context = SSL_CTX_new(TLS_server_method());
    server->certificate = make_certificate(key, name, -3600, to_s);
    if (manner == OLD) {
        SSL_CTX_set_security_level(server->context, 0);
        SSL_CTX_set_min_proto_version(server->context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(server->context, TLS1_1_VERSION);
    }
    assert_int_equal(SSL_CTX_use_certificate(server->context, server->certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server->context, key), 1);
    EVP_PKEY_free(key);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(server->fd, 4), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    server->leave = true;
    (void)pthread_join(server->thread, NULL);
    (void)close(server->fd);
    X509_free(server->certificate);
    SSL_CTX_free(server->context);
}

static void write_pem(const struct server *server, const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, server->certificate), 1);
    (void)fclose(file);
}

static void put_pin(const struct server *server, char pin[PW_PEER_DIGITS + 1])
{
    unsigned char *der = NULL;
    uint8_t hash[32];
    struct pw_out out = {.at = pin, .cap = PW_PEER_DIGITS + 1};
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(server->certificate), &der);
    assert_true(len > 0);
    assert_int_equal(EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL), 1);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof(hash); i++) {
        pw_put_hex(&out, hash[i], 2);
    }
}

// ---- Our side, in a loop of its own.

static struct client {
    struct pw_tls *tls;
    struct pw_tls_rules rules;
    struct pw_peer_pins pins;
    const char *ca_file;
    bool (*done)(struct client *client); // asked each turn
    pw_ms until;
    bool ended;
    char reason[PW_TLS_REASON_SIZE];
    size_t received;
    size_t take_most; // a turn
    pw_ms took_at;
    bool wrong; // a byte of the flood was not the one due
    const char *say;
    size_t said;
    char heard[64];
} client;

static pw_ms turn(void *context, pw_ms now)
{
    struct client *c = context;
    struct pw_str reason;
    pw_tls_step(c->tls);
    struct pw_str data = pw_tls_data(c->tls);
    size_t taken = data.len < c->take_most ? data.len : c->take_most;
    if (c->take_most < PW_TLS_BUFFER) {
        taken = now == c->took_at ? 0 : taken; // a slow reader takes a little each millisecond
        c->took_at = now;
    }
    for (size_t i = 0; i < taken; i++) {
        size_t at = c->received + i;
        c->wrong = c->wrong || (c->say == NULL && (data.at[i] & 0x7F) != (char)(at / 8192 & 0x7F));
        if (at < sizeof(c->heard) - 1) {
            c->heard[at] = data.at[i];
        }
    }
    c->received += taken;
    pw_tls_taken(c->tls, taken);
    if (c->say != NULL) {
        c->said += pw_tls_send(c->tls, pw_str_of(c->say + c->said));
    }
    if (pw_tls_take_end(c->tls, &reason)) {
        c->ended = true;
        assert_int_equal(pw_str_copy(c->reason, sizeof(c->reason), reason), PW_OK);
    }
    pw_tls_step(c->tls);
    if (now >= c->until || c->done(c)) {
        pw_loop_end(&loop);
    }
    return c->take_most < PW_TLS_BUFFER ? now + 1 : c->until;
}

static bool until_end(struct client *c)
{
    return c->ended;
}

static bool until_heard(struct client *c)
{
    return c->ended || (c->say != NULL && c->received == strlen(c->say));
}

static int prepare(void *context, void *ssl_ctx, const char *host, char *refused,
                   struct pw_out *why)
{
    struct client *c = context;
    const struct pw_peer_rules rules = {.host = host,
                                        .ca_file = c->ca_file,
                                        .certificate = "",
                                        .key = "",
                                        .pins = &c->pins,
                                        .refused = refused};
    return pw_peer_apply(ssl_ctx, &rules, why);
}

static struct pw_tls *make_tls(const char *ca_file, const char *pin, struct pw_out *why)
{
    client.rules = (struct pw_tls_rules){.context = &client, .prepare = prepare};
    client.ca_file = ca_file;
    assert_int_equal(pw_peer_read_pins(pw_str_of(pin), &client.pins, why), PW_OK);
    return pw_tls_new(&loop, &clock_, &client.rules, NULL, why);
}

static void open_client(const char *host, uint16_t port, const char *ca_file, const char *pin)
{
    char url[80];
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    memset(&client, 0, sizeof(client));
    client.take_most = PW_TLS_BUFFER;
    client.done = until_end;
    (void)snprintf(url, sizeof(url), "tls://%s:%u", host, (unsigned)port);
    assert_int_equal(pw_clock_init(&clock_, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&loop, &clock_), PW_OK);
    client.tls = make_tls(ca_file, pin, &why);
    if (client.tls == NULL) {
        fail_msg("%s", text);
    }
    assert_int_equal(pw_tls_open(client.tls, pw_str_of(url), &why), PW_OK);
    assert_int_equal(pw_tls_open(client.tls, pw_str_of(url), &why), PW_ERR_BUSY);
}

static void run_client(pw_ms most)
{
    client.until = pw_clock_now(&clock_) + most;
    pw_loop_on_turn(&loop, turn, &client);
    pw_loop_run(&loop);
}

static void close_client(void)
{
    pw_tls_free(client.tls);
    pw_loop_close(&loop);
}

// ---- Cases.

static void bytes_go_and_come_to_the_server_with_the_pin(void **state)
{
    (void)state;
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    start(&server, ECHO, "DNS:elsewhere", 3600); // the name does not matter to a pin
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    client.say = "a word for the echo";
    client.done = until_heard;
    run_client(10000);
    assert_string_equal(client.heard, client.say);
    assert_int_equal(pw_tls_state(client.tls), PW_TLS_OPEN);
    pw_tls_close(client.tls, "enough");
    client.done = until_end;
    client.say = NULL;
    run_client(2000);
    assert_string_equal(client.reason, "enough");
    close_client();
    stop(&server);
}

static void another_key_than_the_pin_hears_nothing_from_us(void **state)
{
    (void)state;
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    start(&server, ECHO, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    pin[5] = pin[5] == '0' ? '1' : '0';
    open_client("127.0.0.1", server.port, "", pin);
    client.say = "secret";
    run_client(10000);
    assert_true(client.ended);
    assert_int_equal(client.said, 0);
    // And it says which key it saw, so that a person can compare.
    pin[5] = '\0';
    assert_non_null(strstr(client.reason, "another public key than the pin says: "));
    assert_non_null(strstr(client.reason, pin));
    close_client();
    stop(&server);
}

static void certificates_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *name; // in the certificate
        long to_s;
        bool known; // its signer is in the CA file
        const char *reason;
    } cases[] = {
        {"127.0.0.1", "IP:127.0.0.1", 3600, true, ""},
        {"localhost", "DNS:localhost", 3600, true, ""},
        {"127.0.0.1", "IP:127.0.0.2", 3600, true, "IP address mismatch"},
        {"localhost", "DNS:central.example", 3600, true, "hostname mismatch"},
        {"127.0.0.1", "IP:127.0.0.1", -60, true, "certificate has expired"},
        {"127.0.0.1", "IP:127.0.0.1", 3600, false, "self-signed certificate"},
    };
    char path[] = "/tmp/pilotwire-tls-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    for (size_t i = 0; i < PW_COUNT(cases); i++) {
        struct server server;
        struct server other;
        bool good = cases[i].reason[0] == '\0';
        start(&server, ECHO, cases[i].name, cases[i].to_s);
        start(&other, ECHO, cases[i].name, 3600);
        write_pem(cases[i].known ? &server : &other, path);
        open_client(cases[i].host, server.port, path, "");
        client.say = "hello";
        client.done = until_heard;
        run_client(10000);
        if (client.ended == good || (!good && strstr(client.reason, cases[i].reason) == NULL)) {
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, client.reason, cases[i].reason);
        }
        assert_int_equal(client.received, good ? 5 : 0);
        close_client();
        stop(&server);
        stop(&other);
    }
    (void)unlink(path);
}

static void old_protocols_are_refused(void **state)
{
    (void)state;
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    start(&server, OLD, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    run_client(10000);
    assert_true(client.ended);
    assert_non_null(strstr(client.reason, "the TLS handshake failed"));
    close_client();
    stop(&server);
}

static void the_last_words_of_a_server_that_ends_are_heard(void **state)
{
    (void)state;
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    start(&server, SAY_AND_END, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    client.say = "";
    run_client(10000);
    assert_string_equal(client.heard, "bye");
    assert_string_equal(client.reason, "the server closed the connection");
    close_client();
    server.leave = true;
    stop(&server);
    start(&server, RESET, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    client.say = "";
    run_client(10000);
    assert_true(client.ended);
    assert_non_null(strstr(client.reason, "the connection broke"));
    close_client();
    stop(&server);
}

// Who takes little gets little: the rest waits in the socket, in order, and none is lost.
static void a_flood_waits_for_the_slow_reader(void **state)
{
    (void)state;
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    start(&server, FLOODING, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    client.take_most = 1000;
    run_client(200);
    assert_false(client.ended);
    assert_true(client.received <= 300 * (size_t)1000);
    client.take_most = PW_TLS_BUFFER;
    run_client(15000);
    assert_string_equal(client.reason, "the server closed the connection");
    assert_int_equal(client.received, FLOOD);
    assert_false(client.wrong);
    close_client();
    stop(&server);
}

// What a server does not read stays with us: nothing is taken beyond what the kernel holds, and the
// loop does not spin.
static void a_server_that_does_not_read_stops_us(void **state)
{
    (void)state;
    static char much[FLOOD + 1];
    struct server server;
    char pin[PW_PEER_DIGITS + 1];
    memset(much, 'x', FLOOD);
    start(&server, NEVER_READ, "IP:127.0.0.1", 3600);
    put_pin(&server, pin);
    open_client("127.0.0.1", server.port, "", pin);
    client.say = much;
    run_client(1000);
    size_t said = client.said;
    assert_true(said > 0 && said < FLOOD);
    clock_t before = clock();
    run_client(500);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 0.2);
    assert_false(client.ended);
    close_client();
    stop(&server);
}

static void a_frozen_server_is_no_server(void **state)
{
    (void)state;
    struct server server;
    start(&server, FREEZE, "IP:127.0.0.1", 3600);
    open_client("127.0.0.1", server.port, "",
                "0000000000000000000000000000000000000000000000000000000000000000");
    run_client(300);
    assert_false(client.ended);
    assert_int_equal(pw_tls_state(client.tls), PW_TLS_OPENING);
    pw_tls_close(client.tls, "given up");
    run_client(300);
    assert_string_equal(client.reason, "given up");
    close_client();
    stop(&server);
    // Nobody there at all.
    open_client("127.0.0.1", server.port, "", "");
    run_client(10000);
    assert_non_null(strstr(client.reason, "cannot connect"));
    close_client();
}

static void settings_that_cannot_be_are_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",           "wss://a",       "tls://",       "tls://:8190",
        "tls://a:0",  "tls://a:65536", "tls://a/path", "tls://user@a",
        "tls://[::1", "tls://[::1]x"};
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        if (pw_tls_check_url(pw_str_of(wrong[i]), &why) != PW_ERR_RANGE) {
            fail_msg("%s", wrong[i]);
        }
    }
    assert_int_equal(pw_tls_check_url(PW_STR("tls://[::1]:9"), &why), PW_OK);
    assert_int_equal(pw_tls_check_url(PW_STR("tls://central.example"), &why), PW_OK);
    assert_int_equal(pw_tls_check_pin(PW_STR("12zz"), &why), PW_ERR_RANGE);
    assert_int_equal(pw_tls_check_pin(PW_STR(""), &why), PW_OK);
    assert_int_equal(pw_clock_init(&clock_, NULL), PW_OK);
    assert_int_equal(pw_loop_init(&loop, &clock_), PW_OK);
    assert_null(make_tls("/does/not/exist", "", &why));
    pw_loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_and_come_to_the_server_with_the_pin),
        cmocka_unit_test(another_key_than_the_pin_hears_nothing_from_us),
        cmocka_unit_test(certificates_that_do_not_fit_are_refused),
        cmocka_unit_test(old_protocols_are_refused),
        cmocka_unit_test(the_last_words_of_a_server_that_ends_are_heard),
        cmocka_unit_test(a_flood_waits_for_the_slow_reader),
        cmocka_unit_test(a_server_that_does_not_read_stops_us),
        cmocka_unit_test(a_frozen_server_is_no_server),
        cmocka_unit_test(settings_that_cannot_be_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

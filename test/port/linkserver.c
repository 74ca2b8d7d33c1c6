// Station links over real sockets and real TLS: the certificate made at the first start, the pin by
// which a station knows it, and peers that are none.
#include "linkserver.h"

#include "authority.h"
#include "central_crypto.h"
#include "central_store.h"
#include "folder.h"
#include "issue/issue.h"
#include "link/link.h"
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY     "sixteen-or-more-1"
#define RUN_MS  20000 // a test that hangs ends
#define EVENTS  50
#define STEP_MS 5

struct bench {
    struct folder folder;
    char certificate[128];
    char key[128];
    char client_ca[128];         // empty: nobody is asked
    const struct authority *own; // the client's certificate; NULL: none
    struct pw_clock clock;
    struct pw_loop loop;
    struct pw_central_store store;
    struct pw_central *central;
    struct pw_linkserver *server;
    uint16_t port;
    char pin[PW_IDENTITY_PIN_MAX]; // as the client saw it
    atomic_bool done;
    bool shaken; // the client's handshake succeeded
    bool closed; // the server closed
    uint64_t acked;
    uint32_t rtt;
    char answer[64];
    struct pw_log log;
    char said[1024]; // the last line of the log about somebody who was refused
};

static void write_log(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct bench *bench = context;
    (void)level;
    if (strcmp(room, "handshake") == 0) {
        struct pw_out out = PW_OUT(bench->said);
        pw_put(&out, text);
    }
}

static pw_ms turn(void *context, pw_ms now)
{
    struct bench *bench = context;
    if (atomic_load(&bench->done) || now > RUN_MS * 1000) {
        pw_loop_end(&bench->loop);
    }
    return pw_central_step(bench->central,
                           (struct pw_instant){.now = now, .wall = pw_clock_wall(&bench->clock)});
}

// `clock`: as PILOTWIRE_CLOCK, or NULL for real time.
static void start(struct bench *bench, const char *clock)
{
    const char *why = "";
    char text[256];
    char made[PW_CENTRAL_KEY_MAX];
    bench->log = (struct pw_log){.context = bench, .write = write_log};
    struct pw_out out = PW_OUT(text);
    assert_int_equal(pw_clock_init(&bench->clock, clock), PW_OK);
    assert_int_equal(pw_loop_init(&bench->loop, &bench->clock), PW_OK);
    assert_int_equal(pw_central_store_open(&bench->store, ":memory:", NULL, &why), PW_OK);
    const struct pw_linkserver_options options = {
        .host = "127.0.0.1",
        .certificate = bench->certificate,
        .key = bench->key,
        .make = true,
        .client_ca = bench->client_ca[0] != '\0' ? bench->client_ca : NULL};
    if (pw_linkserver_open(&bench->server, &bench->loop, &options, NULL, &out) != PW_OK) {
        fail_msg("%s", text);
    }
    bench->port = pw_linkserver_port(bench->server);
    const struct pw_central_config config = {.db = &bench->store.db,
                                             .wires = pw_linkserver_wires(bench->server),
                                             .crypto = &pw_central_crypto_openssl,
                                             .log = &bench->log};
    const struct pw_instant at = {.now = 0, .wall = pw_clock_wall(&bench->clock)};
    assert_int_equal(pw_central_new(&bench->central, &config, at, &why), PW_OK);
    assert_int_equal(
        pw_central_station_add(bench->central, PW_STR("A"), PW_STR(KEY), true, made, at), PW_OK);
    pw_linkserver_serve(bench->server, bench->central);
    pw_loop_on_turn(&bench->loop, turn, bench);
}

static void finish(struct bench *bench)
{
    pw_linkserver_close(bench->server);
    pw_central_free(bench->central);
    pw_central_store_close(&bench->store);
    pw_loop_close(&bench->loop);
}

static void run(struct bench *bench, void *(*client)(void *))
{
    pthread_t thread;
    atomic_store(&bench->done, false);
    assert_int_equal(pthread_create(&thread, NULL, client, bench), 0);
    pw_loop_run(&bench->loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void *over(struct bench *bench)
{
    atomic_store(&bench->done, true);
    pw_loop_wake(&bench->loop);
    return NULL;
}

static int64_t count(struct bench *bench, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(bench->store.sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

// --- Clients, in a thread of their own. They assert nothing: that is for the test's thread.

static int dial(const struct bench *bench)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(bench->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void see_pin(struct bench *bench, SSL *tls)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    unsigned char *der = NULL;
    X509 *certificate = SSL_get1_peer_certificate(tls);
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size > 0 && EVP_Digest(der, (size_t)size, hash, &len, EVP_sha256(), NULL) == 1) {
        for (unsigned i = 0; i < len; i++) {
            (void)snprintf(bench->pin + (size_t)2 * i, 3, "%02x", hash[i]);
        }
    }
    OPENSSL_free(der);
    X509_free(certificate);
}

static pw_ms real_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (pw_ms)now.tv_sec * 1000 + (pw_ms)now.tv_nsec / 1000000;
}

static bool move(SSL *tls, int fd, struct pw_link_station *end)
{
    uint8_t bytes[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct pw_str out = pw_link_station_out(end);
    if (out.len > 0) {
        int sent = SSL_write(tls, out.at, (int)out.len);
        if (sent <= 0) {
            return false;
        }
        pw_link_station_out_sent(end, (size_t)sent, real_ms());
    }
    if (SSL_pending(tls) == 0 && poll(&ready, 1, STEP_MS) == 0) {
        return true;
    }
    int got = SSL_read(tls, bytes, sizeof(bytes));
    if (got <= 0) {
        return false;
    }
    return pw_link_station_bytes(end, bytes, (size_t)got, real_ms()) == (size_t)got;
}

static void live(struct bench *bench, SSL *tls, int fd)
{
    static struct pw_link_station end;
    const struct pw_link_identity who = {
        .id = PW_STR("A"), .key = PW_STR(KEY), .connectors = 1, .boot = 5};
    struct pw_link_message message;
    pw_link_station_init(&end, &who, 1, real_ms());
    (void)pw_link_station_wants(&end, real_ms());
    pw_link_station_up(&end, real_ms());
    for (int i = 0; i < EVENTS; i++) {
        const struct pw_link_happening what = {
            .at = real_ms(), .kind = PW_LINK_EVENT_METER, .connector = 1, .value = i};
        pw_link_station_event(&end, &what);
    }
    pw_ms until = real_ms() + 10000;
    while (real_ms() < until && end.first <= EVENTS && move(tls, fd, &end)) {
        (void)pw_link_station_step(&end, real_ms());
        while (pw_link_station_next(&end, &message, real_ms())) {
            pw_link_station_answer(&end, PW_LINK_E_UNAVAILABLE, PW_STR(""), real_ms());
        }
    }
    bench->acked = end.first - 1;
}

static void with_tls(struct bench *bench, void (*use)(struct bench *, SSL *, int), int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    // What this client's library would refuse by itself must not count for the server.
    SSL_CTX_set_security_level(context, 0);
    (void)SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    (void)SSL_CTX_set_max_proto_version(context, version);
    if (bench->own != NULL) {
        (void)SSL_CTX_use_certificate(context, bench->own->certificate);
        (void)SSL_CTX_use_PrivateKey(context, bench->own->key);
    }
    SSL *tls = SSL_new(context);
    int fd = dial(bench);
    bench->shaken = fd >= 0 && SSL_set_fd(tls, fd) == 1 && SSL_connect(tls) == 1;
    if (bench->shaken) {
        see_pin(bench, tls);
        use(bench, tls, fd);
        (void)SSL_shutdown(tls);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    (void)close(fd);
}

static void *station_13(void *context)
{
    with_tls(context, live, TLS1_3_VERSION);
    return over(context);
}

static void *station_12(void *context)
{
    with_tls(context, live, TLS1_2_VERSION);
    return over(context);
}

static void *station_11(void *context)
{
    with_tls(context, live, TLS1_1_VERSION);
    return over(context);
}

// Says `bench->answer` in the clear and waits until it is closed.
static void *stranger(void *context)
{
    struct bench *bench = context;
    char bytes[256];
    int fd = dial(bench);
    (void)!send(fd, bench->answer, strlen(bench->answer), MSG_NOSIGNAL);
    ssize_t got = 1;
    while (got > 0) {
        got = recv(fd, bytes, sizeof(bytes), 0);
    }
    bench->closed = got == 0 || errno == ECONNRESET;
    (void)close(fd);
    return over(bench);
}

// --- Tests.

static int setup(void **state)
{
    static struct bench bench;
    memset(&bench, 0, sizeof(bench));
    folder_make(&bench.folder);
    folder_file(&bench.folder, "link.crt", bench.certificate);
    folder_file(&bench.folder, "link.key", bench.key);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    folder_remove(&bench->folder);
    return 0;
}

static void first_start_makes_a_key_that_nobody_else_reads(void **state)
{
    struct bench *bench = *state;
    struct stat info;
    (void)umask(0); // the mode must not depend on it
    start(bench, NULL);
    char pin[PW_IDENTITY_PIN_MAX];
    memcpy(pin, pw_linkserver_pin(bench->server), sizeof(pin));
    assert_int_equal(strlen(pin), 64);
    assert_int_equal(stat(bench->key, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    finish(bench);
    start(bench, NULL); // the same again
    assert_string_equal(pw_linkserver_pin(bench->server), pin);
    finish(bench);
}

// Reason: the clock of a station that knows the pin may say anything.
static void the_certificate_that_is_made_counts_at_any_time(void **state)
{
    struct bench *bench = *state;
    start(bench, NULL);
    FILE *file = fopen(bench->certificate, "r");
    assert_non_null(file);
    X509 *made = PEM_read_X509(file, NULL, NULL, NULL);
    assert_int_equal(fclose(file), 0);
    assert_non_null(made);
    struct tm from = {0};
    struct tm to = {0};
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(made), &from), 1);
    assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(made), &to), 1);
    assert_int_equal(timegm(&from), 0);
    assert_int_equal(timegm(&to), PW_ISSUE_NO_END_S);
    X509_free(made);
    finish(bench);
}

// A lost key is not replaced behind the operator's back: every station would have to learn it.
static void files_that_do_not_belong_together_are_refused(void **state)
{
    struct bench *bench = *state;
    char pin[PW_IDENTITY_PIN_MAX];
    char text[512] = "";
    struct pw_out why = PW_OUT(text);
    start(bench, NULL);
    finish(bench);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(unlink(bench->key), 0);
    const struct pw_identity_files files = {
        .certificate = bench->certificate, .key = bench->key, .make = true};
    const struct pw_identity_files nowhere = {
        .certificate = "/nowhere/link.crt", .key = "/nowhere/link.key", .make = true};
    assert_int_equal(pw_identity_load(context, &files, pin, &why), PW_ERR_STORE);
    assert_non_null(strstr(text, "is missing although its counterpart is there"));
    // Somebody else's key.
    FILE *file = fopen(bench->key, "w");
    assert_non_null(file);
    (void)fputs("no key", file);
    assert_int_equal(fclose(file), 0);
    why = PW_OUT(text);
    assert_int_equal(pw_identity_load(context, &files, pin, &why), PW_ERR_STORE);
    assert_non_null(strstr(text, "is no private key in PEM form"));
    why = PW_OUT(text);
    assert_int_equal(pw_identity_load(context, &nowhere, pin, &why), PW_ERR_STORE);
    assert_non_null(strstr(text, "/nowhere/link.crt: No such file or directory"));
    SSL_CTX_free(context);
}

static void station_sees_the_pin_and_its_events_are_kept(void **state)
{
    struct bench *bench = *state;
    void *(*const stations[])(void *) = {station_12, station_13};
    for (size_t i = 0; i < PW_COUNT(stations); i++) {
        start(bench, NULL);
        run(bench, stations[i]);
        assert_true(bench->shaken);
        assert_string_equal(bench->pin, pw_linkserver_pin(bench->server));
        assert_int_equal(bench->acked, EVENTS);
        assert_int_equal(count(bench, "SELECT COUNT(*) FROM station_event"), EVENTS);
        finish(bench);
    }
}

static void old_tls_is_refused(void **state)
{
    struct bench *bench = *state;
    start(bench, NULL);
    run(bench, station_11);
    assert_false(bench->shaken);
    finish(bench);
}

static void what_speaks_no_tls_is_closed(void **state)
{
    struct bench *bench = *state;
    static const char *const says[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\xff\xff"};
    for (size_t i = 0; i < PW_COUNT(says); i++) {
        // The clock runs 500 times as fast: the ten seconds for a hello are 20 ms.
        start(bench, "0:1780000000000:500");
        (void)snprintf(bench->answer, sizeof(bench->answer), "%s", says[i]);
        run(bench, stranger);
        assert_true(bench->closed);
        finish(bench);
    }
}

static void who_says_nothing_is_closed_in_time(void **state)
{
    struct bench *bench = *state;
    start(bench, "0:1780000000000:500");
    run(bench, stranger);
    assert_true(bench->closed);
    finish(bench);
}

// Reason: facts/reliability.md T37 at the station link: who shows a certificate that nobody vouches
// for, or that was taken back, is refused like a wrong key: after a handshake like any other,
// without a word. The log says why.
static void certificates_of_stations_are_verified_behind_a_handshake_like_any_other(void **state)
{
    struct bench *bench = *state;
    const pw_unix_ms begin = AUTHORITY_DAY;
    const pw_unix_ms end = 40000 * AUTHORITY_DAY;
    struct authority root = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, begin, end);
    struct authority other = authority_make(NULL, AUTHORITY_CA, "other", NULL, 0, begin, end);
    struct authority own[] = {
        authority_make(&root, AUTHORITY_SERVER, "A", NULL, 0, begin, end),
        authority_make(&root, AUTHORITY_SERVER, "A", NULL, 0, begin, end),
        authority_make(&other, AUTHORITY_SERVER, "A", NULL, 0, begin, end),
        authority_make(&root, AUTHORITY_SERVER, "A", NULL, 0, begin, 2 * begin),
        authority_make(&root, AUTHORITY_SERVER, "B", NULL, 0, begin, end),
    };
    const struct {
        const struct authority *own;
        const char *why; // NULL: its events are kept
    } rows[] = {
        {NULL, NULL},
        {&own[0], NULL},
        {&own[1], "certificate revoked"},
        {&own[2], "unable to get local issuer certificate"},
        {&own[3], "certificate has expired"},
        {&own[4], "the certificate's commonName is not the station's id"},
    };
    char pem[AUTHORITY_PEM_MAX] = "";
    authority_pem(root.certificate, pem);
    authority_list(&root, own[1].certificate, begin, end, pem);
    folder_write(&bench->folder, "ca.crt", pem, 0600, bench->client_ca);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        start(bench, NULL);
        bench->own = rows[i].own;
        bench->acked = 0;
        run(bench, i % 2 == 0 ? station_12 : station_13);
        assert_true(bench->shaken);
        assert_int_equal(bench->acked, rows[i].why == NULL ? EVENTS : 0);
        if (rows[i].why != NULL && strstr(bench->said, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, bench->said);
        }
        finish(bench);
    }
    for (size_t i = 0; i < PW_COUNT(own); i++) {
        authority_free(&own[i]);
    }
    authority_free(&root);
    authority_free(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(first_start_makes_a_key_that_nobody_else_reads),
        TEST(the_certificate_that_is_made_counts_at_any_time),
        TEST(files_that_do_not_belong_together_are_refused),
        TEST(station_sees_the_pin_and_its_events_are_kept),
        TEST(certificates_of_stations_are_verified_behind_a_handshake_like_any_other),
        TEST(old_tls_is_refused),
        TEST(what_speaks_no_tls_is_closed),
        TEST(who_says_nothing_is_closed_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

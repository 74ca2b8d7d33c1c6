#include "bench.h"

#include "said.h"

// --- The network.

static int net_send(void *context, uint64_t link, struct pw_str text)
{
    struct bench *bench = context;
    if (bench->full) {
        return PW_ERR_LIMIT;
    }
    said(SAID_BY_CENTRAL, link, text);
    struct sent *sent = &bench->sent[bench->sent_count++ % SENT_MAX];
    sent->link = link;
    struct pw_out out = PW_OUT(sent->text);
    pw_put(&out, text);
    return PW_OK;
}

static void net_ping(void *context, uint64_t link)
{
    struct bench *bench = context;
    bench->pinged = link;
    bench->pings++;
}

static void net_pause(void *context, uint64_t link, bool paused)
{
    struct bench *bench = context;
    bench->paused = paused ? link : 0;
}

static void net_close(void *context, uint64_t link, unsigned code, const char *reason)
{
    struct bench *bench = context;
    (void)reason;
    bench->closed = link;
    bench->close_code = code;
}

static void net_ready(void *context, uint64_t stream)
{
    struct bench *bench = context;
    bench->streams_ready = stream;
}

// --- Cryptography that is cheap, and repeatable. Only that equal secrets give equal hashes
// matters.

static int crypto_random(void *context, uint8_t *to, size_t len)
{
    static uint32_t state = 1;
    (void)context;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525U + 1013904223U;
        to[i] = (uint8_t)(state >> 24);
    }
    return PW_OK;
}

static int crypto_derive(void *context, struct pw_str password, const uint8_t salt[16],
                         unsigned cost, uint8_t to[32])
{
    struct bench *bench = context;
    bench->derivations++;
    uint32_t hash = 2166136261U + cost;
    for (size_t i = 0; i < 32; i++) {
        hash = (hash ^ salt[i % 16]) * 16777619U;
        for (size_t k = 0; k < password.len; k++) {
            hash = (hash ^ (uint8_t)password.at[k]) * 16777619U;
        }
        to[i] = (uint8_t)(hash >> 24);
    }
    return PW_OK;
}

// --- The database, with faults.

static int64_t db_run(void *context, const char *sql, const struct pw_db_value *args, size_t count,
                      pw_db_row *row, void *to)
{
    struct bench *bench = context;
    return bench->store.db.run(bench->store.db.context, sql, args, count, row, to);
}

static int db_commit_or_fail(void *context)
{
    struct bench *bench = context;
    if (bench->fail_commits > 0) {
        bench->fail_commits--;
        if (sqlite3_get_autocommit(bench->store.sqlite) == 0) {
            (void)sqlite3_exec(bench->store.sqlite, "ROLLBACK", NULL, NULL, NULL);
        }
        bench->store.open = false;
        return PW_ERR_STORE;
    }
    return bench->store.db.commit(bench->store.db.context);
}

// --- Opening.

static struct pw_central_crypto crypto;

static void start(struct bench *bench)
{
    const char *why = "";
    int result = pw_central_new(&bench->central, &bench->config, bench->at, &why);
    if (result != PW_OK) {
        fail_msg("%s", why);
    }
}

void bench_open(struct bench *bench)
{
    const char *why = "";
    memset(bench, 0, sizeof(*bench));
    assert_int_equal(pw_central_store_open(&bench->store, ":memory:", NULL, &why), PW_OK);
    bench->at = (struct pw_instant){.now = 1000, .wall = WALL0};
    bench->host = "127.0.0.1:8180";
    bench->origin = "";
    bench->address = "192.0.2.1";
    bench->db = (struct pw_db){.context = bench, .run = db_run, .commit = db_commit_or_fail};
    bench->net = (struct pw_central_net){.context = bench,
                                         .send = net_send,
                                         .ping = net_ping,
                                         .pause = net_pause,
                                         .close = net_close,
                                         .stream_ready = net_ready};
    crypto = (struct pw_central_crypto){
        .context = bench, .random = crypto_random, .derive = crypto_derive};
    bench->config = (struct pw_central_config){.db = &bench->db,
                                               .net = &bench->net,
                                               .crypto = &crypto,
                                               .openapi = PW_STR("openapi: 3.0.3\n"),
                                               .version = PW_STR("test"),
                                               .host = PW_STR("central.example")};
    start(bench);
}

static int crypto_later(void *context, uint64_t number, struct pw_str password,
                        const uint8_t salt[16], unsigned cost)
{
    struct bench *bench = context;
    if (bench->jobs == PW_CENTRAL_DERIVE_MAX) {
        return PW_ERR_LIMIT;
    }
    struct bench_job *job = &bench->job[bench->jobs++];
    *job = (struct bench_job){.number = number, .cost = cost};
    memcpy(job->salt, salt, sizeof(job->salt));
    return pw_str_copy(job->password, sizeof(job->password), password);
}

void bench_derive_later(void)
{
    crypto.derive_later = crypto_later;
}

void bench_derive(struct bench *bench)
{
    uint8_t bytes[32];
    struct bench_job job = bench->job[0];
    assert_true(bench->jobs > 0);
    memmove(&bench->job[0], &bench->job[1], --bench->jobs * sizeof(job));
    assert_int_equal(crypto_derive(bench, pw_str_of(job.password), job.salt, job.cost, bytes),
                     PW_OK);
    pw_central_derived(bench->central, job.number, bytes, bench->at);
}

void bench_close(struct bench *bench)
{
    pw_central_free(bench->central);
    pw_central_store_close(&bench->store);
}

void bench_restart(struct bench *bench)
{
    pw_central_free(bench->central);
    start(bench);
}

void bench_pass(struct bench *bench, pw_ms span)
{
    pw_ms end = bench->at.now + span;
    for (;;) {
        pw_ms next = pw_central_step(bench->central, bench->at);
        if (bench->pinged != 0 && bench->pinged == bench->answering) {
            bench->pinged = 0;
            pw_central_pong(bench->central, bench->answering, bench->at);
            continue;
        }
        if (bench->at.now >= end) {
            return;
        }
        pw_ms to = pw_earlier(pw_earlier(next, end), end);
        to = to > bench->at.now ? to : bench->at.now + 1;
        bench->at.wall += (pw_unix_ms)(to - bench->at.now);
        bench->at.now = to;
    }
}

// --- Stations.

static void put_base64(struct pw_out *out, const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = (bits << 8) | (i + k < len ? (uint8_t)text[i + k] : 0U);
        }
        for (size_t k = 0; k < 4; k++) {
            pw_put_c(out, i + k <= len ? alphabet[(bits >> (18 - 6 * k)) & 63] : '=');
        }
    }
}

int bench_handshake(struct bench *bench, const char *path, const char *user, const char *password,
                    uint64_t *link)
{
    char plain[256];
    char header[400] = "";
    struct pw_out out = PW_OUT(header);
    if (user != NULL) {
        (void)snprintf(plain, sizeof(plain), "%s:%s", user, password);
        pw_put_s(&out, "Basic ");
        put_base64(&out, plain);
    }
    struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                             .authorization = pw_out_str(&out),
                                             .protocols = PW_STR("ocpp2.0.1, ocpp1.6"),
                                             .address = pw_str_of(bench->address)};
    *link = ++bench->links;
    return pw_central_handshake(bench->central, *link, &handshake, bench->at).status;
}

uint64_t bench_station(struct bench *bench, const char *id)
{
    char made[PW_CENTRAL_KEY_MAX];
    char path[128];
    uint64_t link = 0;
    assert_int_equal(pw_central_station_add(bench->central, pw_str_of(id),
                                            PW_STR("sixteen-or-more-1"), true, made, bench->at),
                     PW_OK);
    (void)snprintf(path, sizeof(path), "/ocpp/%s", id);
    assert_int_equal(bench_handshake(bench, path, id, "sixteen-or-more-1", &link), 101);
    return link;
}

void bench_break(struct bench *bench, uint64_t link)
{
    pw_central_closed(bench->central, link, bench->at);
}

void bench_text(struct bench *bench, uint64_t link, const char *text)
{
    said(SAID_TO_CENTRAL, link, pw_str_of(text));
    pw_central_text(bench->central, link, pw_str_of(text), bench->at);
}

const char *bench_last(const struct bench *bench, uint64_t link)
{
    for (size_t i = bench->sent_count; i > 0 && i + SENT_MAX > bench->sent_count; i--) {
        const struct sent *sent = &bench->sent[(i - 1) % SENT_MAX];
        if (sent->link == link) {
            return sent->text;
        }
    }
    return "";
}

const char *bench_ask(struct bench *bench, uint64_t link, const char *text)
{
    size_t before = bench->sent_count;
    bench_text(bench, link, text);
    bench_pass(bench, PW_CENTRAL_COMMIT_MS);
    return bench->sent_count > before ? bench_last(bench, link) : "";
}

// --- People.

int bench_http(struct bench *bench, enum pw_http_method method, const char *target,
               const char *body)
{
    const char *query = strchr(target, '?');
    struct pw_str path = pw_str_of(target);
    struct pw_http_request request = {
        .method = method,
        .path = query != NULL ? pw_str_cut(&path, '?') : path,
        .query = pw_str_of(query != NULL ? query + 1 : ""),
        .body = pw_str_of(body),
        .host = pw_str_of(bench->host),
        .origin = pw_str_of(bench->origin),
        .cookie = pw_str_of(bench->cookie),
        .csrf = pw_str_of(bench->csrf),
        .etag = PW_STR(""),
        .authorization = pw_str_of(bench->authorization != NULL ? bench->authorization : ""),
        .address = pw_str_of(bench->address),
        .stream = bench->again != 0 ? bench->again : ++bench->links,
    };
    bench->again = 0;
    pw_central_http(bench->central, &request, &bench->reply, bench->at);
    struct pw_out out = PW_OUT(bench->body);
    bench->body[0] = '\0';
    pw_put(&out, bench->reply.body);
    return bench->reply.status;
}

void bench_login(struct bench *bench)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    assert_int_equal(
        pw_central_user_password(bench->central, PW_STR("admin"), PW_STR("correct horse"), made),
        PW_OK);
    bench_login_as(bench, "admin", "correct horse");
}

void bench_login_as(struct bench *bench, const char *user, const char *password)
{
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    assert_int_equal(bench_http(bench, PW_HTTP_POST, "/api/v1/login", body), 200);
    struct pw_str cookie = pw_str_of(bench->reply.cookie);
    assert_int_equal(pw_str_copy(bench->cookie, sizeof(bench->cookie), pw_str_cut(&cookie, ';')),
                     PW_OK);
    const char *csrf = strstr(bench->body, "\"csrf\":\"");
    assert_non_null(csrf);
    struct pw_str rest = pw_str_of(csrf + 8);
    assert_int_equal(pw_str_copy(bench->csrf, sizeof(bench->csrf), pw_str_cut(&rest, '"')), PW_OK);
}

int64_t bench_count(struct bench *bench, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(bench->store.sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return value;
}

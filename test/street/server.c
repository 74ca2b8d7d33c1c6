#include "server.h"

#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t server_roll(struct server *server, uint64_t sides)
{
    return pw_noise_bits(&server->dice) % sides;
}

struct pw_instant server_at(const struct server *server)
{
    return (struct pw_instant){.now = server->now, .wall = server->wall + (pw_unix_ms)server->now};
}

pw_ms server_next(const struct server *server)
{
    pw_ms at = server->central_at;
    for (unsigned i = 0; i < server->lines; i++) {
        at = server->line[i].next < at ? server->line[i].next : at; // often: without a call
    }
    return at;
}

// ---------------------------------------------------------------------------------------------
// The central's ports.

static struct server_line *line_of(const struct server *server, uint64_t link)
{
    for (unsigned i = 0; i < server->lines; i++) {
        if (server->line[i].ocpp == link && link != 0) {
            return &server->line[i];
        }
    }
    return NULL;
}

static int net_send(void *context, uint64_t link, struct pw_str text)
{
    struct server *server = context;
    struct server_line *line = line_of(server, link);
    said(SAID_BY_CENTRAL, link, text);
    if (line != NULL && !line->deaf) {
        line->street->now = server->now;
        street_post(line->street, text);
        line->next = pw_earlier(line->next, street_next(line->street));
    }
    return PW_OK;
}

static void net_ping(void *context, uint64_t link)
{
    struct server_line *line = line_of(context, link);
    if (line != NULL && !line->deaf) {
        line->pinged = true;
        line->next = line->server->now;
    }
}

void server_answer_ping(struct server_line *line)
{
    struct server *server = line->server;
    if (line->pinged && line->ocpp != 0 && server->central != NULL) {
        pw_central_pong(server->central, line->ocpp, server_at(server));
        server->central_at = server->now;
    }
    line->pinged = false;
}

static void net_pause(void *context, uint64_t link, bool paused)
{
    (void)context;
    (void)link;
    (void)paused;
}

static void net_close(void *context, uint64_t link, unsigned code, const char *reason)
{
    struct server *server = context;
    struct server_line *line = line_of(server, link);
    (void)code;
    (void)reason;
    if (line != NULL) {
        line->hang_up = true;
        line->next = server->now;
    }
}

static void net_ready(void *context, uint64_t stream)
{
    (void)context;
    (void)stream;
}

static int crypto_random(void *context, uint8_t *to, size_t len)
{
    struct server *server = context;
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)server_roll(server, 256);
    }
    return PW_OK;
}

// Cheap, and equal for equal secrets: no test is about cryptography here.
static int crypto_derive(void *context, struct pw_str password, const uint8_t salt[16],
                         unsigned cost, uint8_t to[32])
{
    uint32_t hash = 2166136261U + cost;
    (void)context;
    for (size_t i = 0; i < 32; i++) {
        hash = (hash ^ salt[i % 16]) * 16777619U;
        for (size_t k = 0; k < password.len; k++) {
            hash = (hash ^ (uint8_t)password.at[k]) * 16777619U;
        }
        to[i] = (uint8_t)(hash >> 24);
    }
    return PW_OK;
}

void server_open(struct server *server, unsigned lines, uint64_t seed, const char *version)
{
    const char *why = "";
    *server = (struct server){.now = 1000, .wall = INT64_C(1780000000000), .lines = lines};
    pw_noise_init(&server->dice, seed, 'S');
    server->line = calloc(lines, sizeof(*server->line));
    PW_ASSERT(server->line != NULL);
    int err = pw_central_store_open(&server->store, ":memory:", NULL, &why);
    PW_ASSERT(err == PW_OK);
    server->net = (struct pw_central_net){.context = server,
                                          .send = net_send,
                                          .ping = net_ping,
                                          .pause = net_pause,
                                          .close = net_close,
                                          .stream_ready = net_ready};
    server->crypto = (struct pw_central_crypto){
        .context = server, .random = crypto_random, .derive = crypto_derive};
    server->config = (struct pw_central_config){.db = &server->store.db,
                                                .net = &server->net,
                                                .crypto = &server->crypto,
                                                .openapi = PW_STR(""),
                                                .version = pw_str_of(version),
                                                .host = PW_STR("")};
    server->central_at = PW_NEVER;
}

void server_start(struct server *server)
{
    const char *why = "";
    if (pw_central_new(&server->central, &server->config, server_at(server), &why) != PW_OK) {
        (void)fprintf(stderr, "server: %s\n", why);
        abort();
    }
    server->central_at = server->now;
}

void server_stop(struct server *server)
{
    for (unsigned i = 0; i < server->lines; i++) {
        server->line[i].street->now = server->now;
        street_cut_link(server->line[i].street);
        server->line[i].next = server->now;
    }
    pw_central_free(server->central);
    server->central = NULL;
    server->central_at = PW_NEVER;
}

void server_close(struct server *server)
{
    pw_central_free(server->central);
    pw_central_store_close(&server->store);
    free(server->line);
}

// ---------------------------------------------------------------------------------------------
// OCPP: the street's letters go to the central.

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

static bool ocpp_open(struct street *street)
{
    struct server_line *line = street->central_context;
    struct server *server = line->server;
    char plain[64];
    char header[128] = "Basic ";
    char path[32];
    struct pw_out out = {.at = header, .cap = sizeof(header), .len = strlen(header)};
    if (server->central == NULL || line->cut) {
        return false;
    }
    (void)snprintf(plain, sizeof(plain), "%s:%s", line->id, SERVER_KEY);
    (void)snprintf(path, sizeof(path), "/ocpp/%s", line->id);
    put_base64(&out, plain);
    const struct pw_central_handshake handshake = {.path = pw_str_of(path),
                                                   .authorization = pw_out_str(&out),
                                                   .protocols = PW_STR("ocpp1.6"),
                                                   .address = PW_STR("192.0.2.1")};
    line->ocpp = ++server->numbers;
    server->central_at = server->now;
    if (pw_central_handshake(server->central, line->ocpp, &handshake, server_at(server)).status !=
        101) {
        line->ocpp = 0;
    }
    return line->ocpp != 0;
}

static void ocpp_hear(struct street *street, struct pw_str text)
{
    const struct server_line *line = street->central_context;
    struct server *server = line->server;
    if (server->central != NULL && line->ocpp != 0 && !line->deaf) {
        said(SAID_TO_CENTRAL, line->ocpp, text);
        pw_central_text(server->central, line->ocpp, text, server_at(server));
        server->central_at = server->now;
    }
}

static void ocpp_closed(struct street *street)
{
    struct server_line *line = street->central_context;
    struct server *server = line->server;
    uint64_t link = line->ocpp;
    line->ocpp = 0;
    if (server->central != NULL && link != 0) {
        pw_central_closed(server->central, link, server_at(server));
        server->central_at = server->now;
    }
}

static const struct street_central by_server = {
    .open = ocpp_open, .hear = ocpp_hear, .closed = ocpp_closed};

void server_join(struct server *server, unsigned line, struct street *street, const char *id)
{
    struct server_line *at = &server->line[line];
    char made[PW_CENTRAL_KEY_MAX];
    struct pw_out out = PW_OUT(at->id);
    at->server = server;
    at->street = street;
    at->next = server->now;
    pw_put_s(&out, id);
    street_set(street, "station.id", id);
    street_secret(street, "ocpp.authorization_key", SERVER_KEY);
    street->central = &by_server;
    street->central_context = at;
    street->wall = server->wall;
    int err = pw_central_station_add(server->central, pw_str_of(id), PW_STR(SERVER_KEY), true, made,
                                     server_at(server));
    PW_ASSERT(err == PW_OK);
}

// ---------------------------------------------------------------------------------------------
// People.

int64_t server_count(struct server *server, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(server->store.sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        value = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return value;
}

static struct pw_http_request request_of(struct server *server, enum pw_http_method method,
                                         const char *path)
{
    return (struct pw_http_request){
        .method = method,
        .path = pw_str_of(path),
        .query = PW_STR(""),
        .body = PW_STR(""),
        .host = PW_STR("127.0.0.1:8180"),
        .origin = PW_STR(""),
        .cookie = pw_str_of(server->cookie),
        .csrf = pw_str_of(server->csrf),
        .etag = PW_STR(""),
        .address = PW_STR("192.0.2.1"),
        .stream = ++server->numbers,
    };
}

static void serve(struct server *server, const struct pw_http_request *request,
                  struct pw_http_reply *reply)
{
    pw_central_http(server->central, request, reply, server_at(server));
    server->central_at = server->now;
    if (reply->status != 200 && reply->status != 201) {
        (void)fprintf(stderr, "server: %.*s: %d %.*s\n", (int)request->path.len, request->path.at,
                      reply->status, (int)reply->body.len, reply->body.at);
        abort();
    }
}

void server_request(struct server *server, enum pw_http_method method, const char *path,
                    const char *body)
{
    struct pw_http_request request = request_of(server, method, path);
    struct pw_http_reply reply = {0};
    request.body = pw_str_of(body);
    serve(server, &request, &reply);
}

void server_bring(struct server *server, const char *path, const uint8_t *bytes, size_t len)
{
    struct pw_http_request request = request_of(server, PW_HTTP_POST, path);
    struct pw_http_reply reply = {0};
    const struct pw_str body = {.at = (const char *)bytes, .len = len};
    request.length = len;
    uint64_t most = pw_central_takes(server->central, &request, &reply, server_at(server));
    int took =
        most == 0 ? 0 : pw_central_piece(server->central, request.stream, body, server_at(server));
    PW_ASSERT(took == (int)len);
    serve(server, &request, &reply);
}

void server_login(struct server *server)
{
    static const char mark[] = "\"csrf\":\"";
    char made[PW_CENTRAL_PASSWORD_MAX];
    struct pw_http_request request = request_of(server, PW_HTTP_POST, "/api/v1/login");
    struct pw_http_reply reply = {0};
    int err =
        pw_central_user_password(server->central, PW_STR("admin"), PW_STR("correct horse"), made);
    PW_ASSERT(err == PW_OK);
    request.body = PW_STR("{\"user\":\"admin\",\"password\":\"correct horse\"}");
    serve(server, &request, &reply);
    struct pw_str found = pw_str_of(reply.cookie);
    err = pw_str_copy(server->cookie, sizeof(server->cookie), pw_str_cut(&found, ';'));
    for (size_t i = 0; i + sizeof(mark) < reply.body.len; i++) {
        if (memcmp(reply.body.at + i, mark, sizeof(mark) - 1) == 0) {
            struct pw_str rest = {reply.body.at + i + sizeof(mark) - 1,
                                  reply.body.len - i - sizeof(mark) + 1};
            err = pw_str_copy(server->csrf, sizeof(server->csrf), pw_str_cut(&rest, '"'));
        }
    }
    PW_ASSERT(err == PW_OK && server->csrf[0] != '\0');
}

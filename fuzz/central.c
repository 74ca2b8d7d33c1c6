// Any bytes from a station, a browser or a stranger: pw_central_text, pw_central_http and
// pw_central_handshake on a central with an in-memory database. Lines are inputs; the first byte
// says whose. Whatever comes, the central must go on and answer its health check.
#include "central.h"

#include "central_store.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_send(void *context, uint64_t link, struct pw_str text)
{
    (void)context, (void)link, (void)text;
    return PW_OK;
}
static void no_ping(void *context, uint64_t link)
{
    (void)context, (void)link;
}
static void no_pause(void *context, uint64_t link, bool paused)
{
    (void)context, (void)link, (void)paused;
}
static void no_close(void *context, uint64_t link, unsigned code, const char *reason)
{
    (void)context, (void)link, (void)code, (void)reason;
}
static int count_up(void *context, uint8_t *to, size_t len)
{
    static uint8_t next = 1;
    (void)context;
    for (size_t i = 0; i < len; i++) {
        to[i] = next++;
    }
    return PW_OK;
}
static int no_work(void *context, struct pw_str password, const uint8_t salt[16], unsigned cost,
                   uint8_t to[32])
{
    (void)context, (void)salt, (void)cost;
    memset(to, (int)(password.len & 0xFF), 32);
    return PW_OK;
}

static const struct pw_central_net net = {.send = no_send,
                                          .ping = no_ping,
                                          .pause = no_pause,
                                          .close = no_close,
                                          .stream_ready = no_ping};
static const struct pw_central_crypto crypto = {.random = count_up, .derive = no_work};

struct visit {
    struct pw_central *central;
    struct pw_instant at;
    char cookie[128];
    char csrf[64];
    uint64_t number;
};

static int request(struct visit *visit, enum pw_http_method method, struct pw_str target,
                   struct pw_str body)
{
    struct pw_http_reply reply;
    struct pw_str path = pw_str_cut(&target, '?');
    struct pw_http_request http = {.method = method,
                                   .path = path,
                                   .query = target,
                                   .body = body,
                                   .host = PW_STR("localhost"),
                                   .cookie = pw_str_of(visit->cookie),
                                   .csrf = pw_str_of(visit->csrf),
                                   .address = PW_STR("192.0.2.1"),
                                   .stream = ++visit->number};
    pw_central_http(visit->central, &http, &reply, visit->at);
    if (reply.cookie[0] != '\0') {
        struct pw_str cookie = pw_str_of(reply.cookie);
        (void)!pw_str_copy(visit->cookie, sizeof(visit->cookie), pw_str_cut(&cookie, ';'));
        // {"user":"admin","csrf":"…32…"}
        if (reply.body.len > 57) {
            struct pw_str csrf = {.at = reply.body.at + 24, .len = 32};
            (void)!pw_str_copy(visit->csrf, sizeof(visit->csrf), csrf);
        }
    }
    return reply.status;
}

static void hand_in(struct visit *visit, struct pw_str line)
{
    char kind = line.len > 0 ? line.at[0] : ' ';
    struct pw_str rest = {.at = line.at + 1, .len = line.len > 0 ? line.len - 1 : 0};
    visit->at.now += 7;
    visit->at.wall += 7;
    if (kind == 'G') {
        (void)request(visit, PW_HTTP_GET, rest, PW_STR(""));
    } else if (kind == 'P' || kind == 'U' || kind == 'D') {
        enum pw_http_method method = kind == 'P'   ? PW_HTTP_POST
                                     : kind == 'U' ? PW_HTTP_PUT
                                                   : PW_HTTP_DELETE;
        struct pw_str target = pw_str_cut(&rest, ' ');
        (void)request(visit, method, target, rest);
    } else if (kind == 'H') {
        struct pw_central_handshake handshake = {.path = pw_str_cut(&rest, ' '),
                                                 .authorization = rest,
                                                 .protocols = PW_STR("ocpp1.6"),
                                                 .address = PW_STR("192.0.2.2")};
        uint64_t link = ++visit->number;
        if (pw_central_handshake(visit->central, link, &handshake, visit->at).status == 101) {
            pw_central_closed(visit->central, link, visit->at);
        }
    } else if (kind == '+') {
        visit->at.now += 5000;
        visit->at.wall += 5000;
    } else {
        pw_central_text(visit->central, 1, line, visit->at);
    }
    (void)pw_central_step(visit->central, visit->at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_central_store store;
    const char *why = "";
    char made[PW_CENTRAL_PASSWORD_MAX];
    PW_ASSERT(pw_central_store_open(&store, ":memory:", NULL, &why) == PW_OK);
    struct pw_central_config config = {
        .db = &store.db, .net = &net, .crypto = &crypto, .accept_unknown_stations = true};
    struct visit visit = {.at = {.now = 1000, .wall = INT64_C(1780000000000)}, .number = 1};
    PW_ASSERT(pw_central_new(&visit.central, &config, visit.at, &why) == PW_OK);
    PW_ASSERT(pw_central_card_add(visit.central, PW_STR("CARD"), PW_STR("")) == PW_OK);
    PW_ASSERT(pw_central_user_password(visit.central, PW_STR("admin"), PW_STR("0123456789"),
                                       made) == PW_OK);
    PW_ASSERT(request(&visit, PW_HTTP_POST, PW_STR("/api/v1/login"),
                      PW_STR("{\"user\":\"admin\",\"password\":\"0123456789\"}")) == 200);
    PW_ASSERT(request(&visit, PW_HTTP_GET, PW_STR("/api/v1/events"), PW_STR("")) == 200);
    struct pw_central_handshake handshake = {
        .path = PW_STR("/ocpp/A"), .protocols = PW_STR("ocpp1.6"), .address = PW_STR("192.0.2.2")};
    PW_ASSERT(pw_central_handshake(visit.central, 1, &handshake, visit.at).status == 101);
    struct pw_str rest = {.at = (const char *)data, .len = size};
    while (rest.len > 0) {
        hand_in(&visit, pw_str_cut(&rest, '\n'));
    }
    PW_ASSERT(request(&visit, PW_HTTP_GET, PW_STR("/healthz"), PW_STR("")) == 200);
    pw_central_free(visit.central);
    pw_central_store_close(&store);
    return 0;
}

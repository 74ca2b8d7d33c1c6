// Files that flow through the central, in and out: places, bounds, and what becomes of them when
// somebody goes.
#include "bodies.h"

#include <stdlib.h>
#include <string.h>

#define INS_MAX         64  // bodies that come in at once
#define OUTS_MAX        512 // that go out
#define OUTS_OF_IT      8   // of them to one station or person
#define OUTS_STRANGE    256 // of them to those of whom nothing but an address is known …
#define OUTS_OF_ADDRESS 64  // … which may be a router's
#define TIDY_MS         60000

void hex_put(char *to, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    to[2 * len] = '\0';
}

// A name that others gave, as people and browsers may see it.
static void label_put(char to[LABEL_MAX], struct pw_str name)
{
    struct pw_out out = {.cap = LABEL_MAX};
    out.at = to;
    to[0] = '\0';
    for (size_t i = 0; i < name.len && !out.full; i++) {
        char c = name.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.';
        if (c == '.' && out.len == 0) {
            continue; // no hidden file, no way up
        }
        pw_put_c(&out, plain ? c : '_');
    }
}

void public_url(const struct pw_central *central, const struct station *station, const char *folder,
                struct pw_out *out)
{
    const struct pw_central_config *config = &central->config;
    // Who came over TLS is not sent to where everybody can listen.
    bool safe = station != NULL && station->profile >= 2 && config->public_url_tls.len > 0;
    pw_put(out, safe ? config->public_url_tls : config->public_url);
    pw_put_s(out, folder);
}

// --- In.

struct body *body_find(const struct pw_central *central, uint64_t stream)
{
    struct body *body = central->bodies->in;
    while (body != NULL && body->stream != stream) {
        body = body->next;
    }
    return body;
}

uint64_t bodies_bytes(const struct pw_central *central, enum body_kind kind)
{
    uint64_t bytes = 0;
    for (const struct body *body = central->bodies->in; body != NULL; body = body->next) {
        bytes += body->kind == kind ? body->length : 0;
    }
    return bytes;
}

struct body *body_begin(struct http *http, enum body_kind kind, struct pw_str label, pw_ms most_ms)
{
    struct pw_central *central = http->central;
    const struct pw_depot *depot = central->config.depot;
    if (central->bodies->ins >= INS_MAX) {
        http->reply->retry_after_s = 10;
        http_fail(http, 503, "busy", "64 files are coming in already: try again in 10 s",
                  PW_STR(""), "");
        return NULL;
    }
    struct body *body = calloc(1, sizeof(*body));
    if (body != NULL && kind == BODY_RELEASE) {
        body->incoming = calloc(1, sizeof(*body->incoming));
    }
    bool ready = body != NULL && (kind != BODY_RELEASE || body->incoming != NULL) &&
                 key_random_hex(central, body->file, sizeof(body->file) - 1) == PW_OK &&
                 depot->create(depot->context, body->file) == PW_OK;
    if (!ready) {
        free(body != NULL ? body->incoming : NULL);
        free(body);
        http_fail(http, 507, "store", "the disk does not take a new file", PW_STR(""), "");
        return NULL;
    }
    body->stream = http->request->stream;
    body->kind = kind;
    body->length = http->request->length;
    body->until = pw_after(http->at.now, most_ms);
    label_put(body->label, label);
    pw_sha256_begin(&body->hash);
    body->next = central->bodies->in;
    central->bodies->in = body;
    central->bodies->ins++;
    return body;
}

void body_refuse(struct body *body, int status, const char *code, const char *why)
{
    struct pw_out out = PW_OUT(body->why);
    body->status = status;
    body->code = code;
    pw_put_s(&out, why);
}

void body_end(struct pw_central *central, struct body *body, bool kept)
{
    const struct pw_depot *depot = central->config.depot;
    struct body **place = &central->bodies->in;
    while (*place != body) {
        place = &(*place)->next;
    }
    *place = body->next;
    central->bodies->ins--;
    if (!kept) {
        depot->drop(depot->context, body->file);
    }
    free(body->incoming);
    free(body);
}

int pw_central_piece(struct pw_central *central, uint64_t stream, struct pw_str bytes,
                     struct pw_instant at)
{
    const struct pw_depot *depot = central->config.depot;
    struct body *body = body_find(central, stream);
    if (body == NULL || body->status != 0) {
        return PW_ERR_UNKNOWN;
    }
    if (at.now >= body->until) {
        body_refuse(body, 408, "slow", "it took too long");
        return PW_ERR_LIMIT;
    }
    if (bytes.len > body->length - body->got) {
        body_refuse(body, 413, "too_large", "more bytes came than its header said");
        return PW_ERR_PEER;
    }
    pw_sha256_add(&body->hash, bytes.at, bytes.len);
    int err = body->kind == BODY_RELEASE ? release_piece(central, body, bytes) : PW_OK;
    if (err != PW_OK) {
        return err;
    }
    err = depot->append(depot->context, body->file, bytes);
    if (err != PW_OK) {
        body_refuse(body, 507, "store",
                    err == PW_ERR_LIMIT ? "the disk is full" : "the disk did not take it");
        return PW_ERR_STORE;
    }
    body->got += bytes.len;
    return (int)bytes.len;
}

// --- Out.

// Who only knows the name of a file takes no places from stations that were told to fetch theirs.
static bool may_go_out(const struct bodies *bodies, bool known, struct pw_str who)
{
    size_t of_it = 0;
    size_t strange = 0;
    for (const struct outflow *out = bodies->out; out != NULL; out = out->next) {
        of_it += out->known == known && pw_str_is(who, out->who) ? 1 : 0;
        strange += out->known ? 0 : 1;
    }
    return bodies->outs < OUTS_MAX &&
           (known ? of_it < OUTS_OF_IT : of_it < OUTS_OF_ADDRESS && strange < OUTS_STRANGE);
}

static bool begin_out(struct http *http, const struct served *served, uint64_t first, uint64_t len)
{
    struct bodies *bodies = http->central->bodies;
    bool known = served->who != NULL;
    struct pw_str who = known ? pw_str_of(served->who) : http->request->address;
    struct outflow *out = may_go_out(bodies, known, who) ? calloc(1, sizeof(*out)) : NULL;
    if (out == NULL) {
        http->reply->retry_after_s = 10;
        http_fail(http, 503, "busy", "too many files are going out: try again in 10 s", PW_STR(""),
                  "");
        return false;
    }
    *out = (struct outflow){.next = bodies->out,
                            .stream = http->request->stream,
                            .known = known,
                            .at = first,
                            .end = first + len};
    bodies->out = out;
    bodies->outs++;
    struct pw_out file = PW_OUT(out->file);
    struct pw_out to = PW_OUT(out->who);
    pw_put_s(&file, served->file);
    pw_put(&to, who);
    return true;
}

void http_file(struct http *http, const struct served *served)
{
    struct pw_http_reply *reply = http->reply;
    uint64_t first = 0;
    uint64_t len = 0;
    enum pw_http_range range =
        pw_http_range(http->request, pw_str_of(served->etag), served->size, &first, &len);
    reply->ranges = true;
    struct pw_out content = PW_OUT(reply->content_range);
    if (range == PW_HTTP_BEYOND) {
        pw_put_s(&content, "bytes */");
        pw_put_uint(&content, served->size);
        http_fail(http, 416, "range", "the file is not that long", PW_STR(""), "");
        return;
    }
    if (pw_str_is(http->request->etag, served->etag)) {
        reply->status = 304;
        reply->etag = served->etag;
        return;
    }
    if (!begin_out(http, served, first, len)) {
        return;
    }
    if (range == PW_HTTP_PART) {
        pw_put_s(&content, "bytes ");
        pw_put_uint(&content, first);
        pw_put_c(&content, '-');
        pw_put_uint(&content, first + len - 1);
        pw_put_c(&content, '/');
        pw_put_uint(&content, served->size);
    }
    reply->status = range == PW_HTTP_PART ? 206 : 200;
    reply->content_type = "application/octet-stream";
    reply->etag = served->etag;
    reply->flow = true;
    reply->length = len;
    struct pw_out name = PW_OUT(reply->attachment);
    pw_put_s(&name, served->name);
}

int pw_central_flow(struct pw_central *central, uint64_t stream, char *to, size_t cap)
{
    const struct pw_depot *depot = central->config.depot;
    struct outflow *out = central->bodies->out;
    while (out != NULL && out->stream != stream) {
        out = out->next;
    }
    if (out == NULL || out->at >= out->end) {
        return PW_ERR_UNKNOWN;
    }
    uint64_t left = out->end - out->at;
    int len = depot->read(depot->context, out->file, out->at, to, left < cap ? (size_t)left : cap);
    if (len <= 0) {
        return PW_ERR_STORE; // deleted meanwhile, or the disk fails
    }
    out->at += (uint64_t)len;
    return len;
}

void body_closed(struct pw_central *central, uint64_t stream)
{
    struct body *body = body_find(central, stream);
    if (body != NULL) {
        body_end(central, body, false);
    }
    for (struct outflow **place = &central->bodies->out; *place != NULL; place = &(*place)->next) {
        struct outflow *out = *place;
        if (out->stream == stream) {
            *place = out->next;
            central->bodies->outs--;
            free(out);
            return;
        }
    }
}

// --- From the start to the end.

static void note_one(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)columns, (void)count;
    *(bool *)to = true;
}

// Whether the database knows a file of this name.
static bool wanted(void *of, const char *name)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(name))};
    bool known = false;
    int64_t rows = db_read(of,
                           "SELECT 1 FROM release WHERE file = $1"
                           " UNION ALL SELECT 1 FROM upload WHERE file = $1",
                           args, PW_COUNT(args), note_one, &known);
    return known || rows < 0;
}

int bodies_begin(struct pw_central *central, pw_ms now)
{
    const struct pw_depot *depot = central->config.depot;
    central->bodies = calloc(1, sizeof(*central->bodies));
    if (central->bodies == NULL) {
        return PW_ERR_LIMIT;
    }
    central->bodies->tidy_at = pw_after(now, TIDY_MS);
    // A program of the command line may run beside the one that serves and writes.
    if (depot != NULL && central->config.net != NULL) {
        depot->sweep(depot->context, wanted, central);
    }
    return PW_OK;
}

pw_ms bodies_step(struct pw_central *central, struct pw_instant at)
{
    struct bodies *bodies = central->bodies;
    if (at.now >= bodies->tidy_at) {
        bodies->tidy_at = pw_after(at.now, TIDY_MS);
        uploads_tidy(central, at);
    }
    return bodies->tidy_at;
}

void bodies_free(struct pw_central *central)
{
    if (central->bodies == NULL) {
        return;
    }
    while (central->bodies->in != NULL) {
        body_end(central, central->bodies->in, false);
    }
    while (central->bodies->out != NULL) {
        body_closed(central, central->bodies->out->stream);
    }
    free(central->bodies);
    central->bodies = NULL;
}

// Releases that this central keeps: read while they come in, each component against its hash,
// fetched by stations under a name nobody can guess. Whom a station trusts is the station's affair;
// here people see what the file says, and what it is worth against the root they gave.
// Sources: facts/reliability.md §6, T11, T13, T40.
#include "bodies.h"
#include "records.h"

#include <stdlib.h>
#include <string.h>

#define UPLOAD_MS       (UINT64_C(30) * 60 * 1000) // a release must be whole by then
#define CERTIFICATE_MAX 5500                       // characters, as SignedUpdateFirmware has them
#define SIGNATURE_MAX   800
#define MODELS_MAX      16
#define RETRIES         10 // of a station's download, each going on where it was cut
#define RETRY_S         120

// --- Coming in.

struct sums {
    int64_t count;
    int64_t bytes;
};

static void take_sums(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct sums *sums = to;
    *sums = (struct sums){.count = columns[0].number, .bytes = columns[1].number};
}

uint64_t release_takes(struct http *http)
{
    struct pw_central *central = http->central;
    uint64_t length = http->request->length;
    struct sums sums = {0};
    (void)db_read(central, "SELECT COUNT(*), COALESCE(SUM(size), 0) FROM release", NULL, 0,
                  take_sums, &sums);
    if (central->config.depot == NULL) {
        http_fail(http, 503, "store", "this central keeps no files", PW_STR(""), "");
        return 0;
    }
    if (length > PW_CENTRAL_RELEASE_MAX) {
        http_fail(http, 413, "too_large", "a release may have at most 256 MiB", PW_STR(""), "");
        return 0;
    }
    uint64_t held = (uint64_t)sums.bytes + bodies_bytes(central, BODY_RELEASE);
    if (sums.count >= PW_CENTRAL_RELEASES_KEPT || held + length > PW_CENTRAL_RELEASES_BYTES) {
        http_fail(http, 507, "full",
                  "there are 200 releases or 4 GiB of them already: delete some that are not used",
                  PW_STR(""), "");
        return 0;
    }
    struct body *body = body_begin(http, BODY_RELEASE, http_query(http, "name"), UPLOAD_MS);
    if (body == NULL) {
        return 0;
    }
    struct pw_out user = PW_OUT(body->user);
    pw_put_s(&user, http_who(http));
    return PW_CENTRAL_RELEASE_MAX;
}

static int refuse(struct body *body, struct pw_str why)
{
    char text[300];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "this is no release: ");
    pw_put(&out, why);
    body_refuse(body, 400, "bad_release", text);
    return PW_ERR_PEER;
}

// Takes bytes of the head. How many, or an error when it is none.
static int take_head(struct body *body, struct pw_str bytes)
{
    struct incoming *in = body->incoming;
    char text[256];
    struct pw_out why = PW_OUT(text);
    uint32_t want = in->head_len != 0 ? in->head_len : PW_RELEASE_FIXED;
    size_t len = (size_t)pw_min((int64_t)bytes.len, want - in->held);
    memcpy(in->head + in->held, bytes.at, len);
    in->held += (uint32_t)len;
    if (in->held == PW_RELEASE_FIXED && in->head_len == 0 &&
        pw_release_head_len(in->head, &in->head_len) != PW_OK) {
        return refuse(body,
                      PW_STR("it does not begin as one, or its lengths are not those of one"));
    }
    if (in->head_len == 0 || in->held < in->head_len) {
        return (int)len;
    }
    const struct pw_str head = {.at = (const char *)in->head, .len = in->head_len};
    if (pw_release_read(head, &in->release, &why) != PW_OK) {
        return refuse(body, pw_out_str(&why));
    }
    if (in->release.file_size != body->length) {
        pw_put_s(&why, "its manifest speaks of ");
        pw_put_uint(&why, in->release.file_size);
        pw_put_s(&why, " bytes, the file has ");
        pw_put_uint(&why, body->length);
        return refuse(body, pw_out_str(&why));
    }
    in->read = true;
    pw_sha256_begin(&in->part);
    return (int)len;
}

static int take_component(struct body *body, struct pw_str bytes)
{
    struct incoming *in = body->incoming;
    const struct pw_release_component *component = &in->release.component[in->component];
    uint64_t left = component->size - in->into;
    size_t len = left < bytes.len ? (size_t)left : bytes.len;
    pw_sha256_add(&in->part, bytes.at, len);
    in->into += len;
    if (in->into < component->size) {
        return (int)len;
    }
    uint8_t digest[PW_SHA256_LEN];
    pw_sha256_end(&in->part, digest);
    if (memcmp(digest, component->sha256, sizeof(digest)) != 0) {
        char text[160];
        struct pw_out why = PW_OUT(text);
        pw_put_s(&why, "component ");
        pw_put_s(&why, component->name);
        pw_put_s(&why, " is not what the manifest says; the file is damaged");
        return refuse(body, pw_out_str(&why));
    }
    in->component++;
    in->into = 0;
    pw_sha256_begin(&in->part);
    return (int)len;
}

int release_piece(struct pw_central *central, struct body *body, struct pw_str bytes)
{
    (void)central;
    struct incoming *in = body->incoming;
    while (bytes.len > 0) {
        if (in->read && in->component == in->release.components) {
            return refuse(body, PW_STR("something follows its last component"));
        }
        int len = in->read ? take_component(body, bytes) : take_head(body, bytes);
        if (len < 0) {
            return len;
        }
        bytes.at += len;
        bytes.len -= (size_t)len;
    }
    return PW_OK;
}

// --- Keeping.

struct judged {
    const char *verdict; // NULL: there is no root here
    char why[256];
};

static struct judged judge(const struct pw_central *central, const struct incoming *in,
                           pw_unix_ms wall)
{
    const struct pw_central_config *config = &central->config;
    struct judged judged = {0};
    struct pw_out why = PW_OUT(judged.why);
    if (config->release_root == NULL) {
        return judged;
    }
    const struct pw_release_rules rules = {
        .crypto = config->release_crypto,
        .root = config->release_root,
        .product = pw_str_of(in->release.product),
        .hardware = pw_str_of(in->release.hardware[0]),
        .running = PW_STR(""),
        .again = true,
        .most_bytes = PW_CENTRAL_RELEASE_MAX,
        .wall = wall,
    };
    struct pw_release ignored;
    struct pw_release_root newest;
    const struct pw_str head = {.at = (const char *)in->head, .len = in->head_len};
    judged.verdict =
        pw_release_verdict_name(pw_release_judge(head, &rules, &ignored, &newest, &why));
    return judged;
}

static void put_keys(struct pw_out *out, const struct pw_release_parts *parts)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '[');
    for (uint8_t i = 0; i < parts->signatures; i++) {
        char hex[2 * PW_SHA256_LEN + 1];
        hex_put(hex, parts->signature + (size_t)i * PW_RELEASE_SIGNATURE_LEN, PW_SHA256_LEN);
        pw_json_put_s(&json, hex);
    }
    pw_json_close(&json, ']');
}

static void put_hardware(struct pw_out *out, const struct pw_release *release)
{
    for (uint8_t i = 0; i < release->hardware_count; i++) {
        pw_put_s(out, i == 0 ? " " : "");
        pw_put_s(out, release->hardware[i]);
        pw_put_c(out, ' ');
    }
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

static int64_t keep(struct http *http, struct body *body, const char *sha256)
{
    struct pw_central *central = http->central;
    const struct incoming *in = body->incoming;
    char token[TOKEN_HEX + 1];
    char keys[PW_RELEASE_SIGNATURES_MAX * 70 + 4] = "";
    char hardware[PW_RELEASE_HARDWARE_MAX * PW_RELEASE_NAME_MAX + 2] = "";
    char ignored[64];
    struct pw_out key_text = PW_OUT(keys);
    struct pw_out hardware_text = PW_OUT(hardware);
    struct pw_out no = PW_OUT(ignored);
    struct pw_release_parts parts;
    struct judged judged = judge(central, in, http->at.wall);
    const struct pw_str head = {.at = (const char *)in->head, .len = in->head_len};
    if (pw_release_parts(head, &parts, &no) != PW_OK ||
        key_random_hex(central, token, TOKEN_HEX) != PW_OK) {
        return PW_ERR_STORE;
    }
    put_keys(&key_text, &parts);
    put_hardware(&hardware_text, &in->release);
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(token)),
        pw_db_text(pw_str_of(body->file)),
        pw_db_text(pw_str_of(body->label)),
        pw_db_text(pw_str_of(sha256)),
        pw_db_int((int64_t)body->got),
        pw_db_text(pw_str_of(in->release.product)),
        pw_db_text(pw_str_of(in->release.version)),
        pw_db_text(pw_str_of(hardware)),
        db_time(in->release.expires),
        pw_db_text(parts.manifest),
        pw_db_text(pw_str_of(keys)),
        db_words(judged.verdict != NULL ? judged.verdict : ""),
        pw_db_text(pw_str_of(judged.why)),
        pw_db_text(pw_str_of(body->user)),
        pw_db_int(http->at.wall),
    };
    return db_write_id(central,
                       "INSERT INTO release (token, file, label, sha256, size, product, version,"
                       " hardware, expires, manifest, keys, verdict, why, added_by, added_at)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
                       " RETURNING id",
                       args, PW_COUNT(args), http->at.now);
}

// False after answering: not whole, refused, or here already.
static bool is_new(struct http *http, const struct body *body, char sha256[2 * PW_SHA256_LEN + 1])
{
    if (body == NULL) {
        http_fail(http, 400, "bad_release", "the body must be a release file", PW_STR(""), "");
        return false;
    }
    if (body->status != 0) {
        http_fail(http, body->status, body->code, body->why, PW_STR(""), "");
        return false;
    }
    if (!body->incoming->read || body->got != body->length ||
        body->incoming->component != body->incoming->release.components) {
        http_fail(http, 400, "bad_release", "this is no release: it ends too early", PW_STR(""),
                  "");
        return false;
    }
    uint8_t digest[PW_SHA256_LEN];
    struct pw_sha256 hash = body->hash;
    pw_sha256_end(&hash, digest);
    hex_put(sha256, digest, sizeof(digest));
    int64_t id = 0;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(sha256))};
    (void)db_read(http->central, "SELECT id FROM release WHERE sha256 = $1", args, 1, take_number,
                  &id);
    if (id != 0) {
        char text[24];
        struct pw_out number = PW_OUT(text);
        pw_put_int(&number, id);
        http_fail(http, 409, "exists", "this very file is here already, as release ",
                  pw_out_str(&number), "");
        return false;
    }
    return true;
}

static void put_release(struct http *http, int64_t id, int status);

void api_release_add(struct http *http)
{
    struct pw_central *central = http->central;
    const struct pw_depot *depot = central->config.depot;
    struct body *body = body_find(central, http->request->stream);
    char sha256[2 * PW_SHA256_LEN + 1];
    bool kept = false;
    int64_t id = 0;
    if (is_new(http, body, sha256)) {
        kept = depot->keep(depot->context, body->file) == PW_OK;
        id = kept ? keep(http, body, sha256) : PW_ERR_STORE;
        kept = id > 0 && db_commit(central, http->at) == PW_OK;
        if (kept) {
            put_release(http, id, 201);
        } else {
            http_fail(http, 503, "store", "it could not be stored; try again", PW_STR(""), "");
        }
    }
    if (body != NULL) {
        body_end(central, body, kept);
    }
}

// --- Showing.

struct showing {
    struct http *http;
    struct pw_json_writer *json;
};

// "a b" between spaces, in any case of letters; "generic" is any.
static bool in_list(struct pw_str list, struct pw_str word)
{
    while (list.len > 0) {
        struct pw_str item = pw_str_cut(&list, ' ');
        if (item.len > 0 &&
            (pw_str_eq_nocase(item, word) || pw_str_is(item, PW_CENTRAL_ANY_HARDWARE))) {
            return true;
        }
    }
    return false;
}

// Models that a person has named, a line each.
static bool in_lines(struct pw_str lines, struct pw_str word)
{
    while (lines.len > 0) {
        struct pw_str item = pw_str_cut(&lines, '\n');
        if (item.len > 0 && pw_str_eq_nocase(item, word)) {
            return true;
        }
    }
    return false;
}

static bool fits(struct pw_str hardware, struct pw_str models, struct pw_str model)
{
    return models.len > 0 ? in_lines(models, model) : in_list(hardware, model);
}

struct model {
    const char *name;
    unsigned stations;
};

// The models of the fleet and whether the release is for them.
static void put_models(const struct pw_central *central, struct pw_json_writer *json,
                       struct pw_str hardware, struct pw_str models)
{
    struct model found[64];
    size_t count = 0;
    for (size_t i = 0; i < central->stations; i++) {
        const char *name = central->station[i]->model;
        size_t at = 0;
        while (at < count && strcmp(found[at].name, name) != 0) {
            at++;
        }
        if (at == count && (name[0] == '\0' || count == PW_COUNT(found))) {
            continue;
        }
        if (at == count) {
            found[count++] = (struct model){.name = name};
        }
        found[at].stations++;
    }
    pw_json_key(json, "models");
    pw_json_open(json, '[');
    for (size_t i = 0; i < count; i++) {
        pw_json_open(json, '{');
        pw_json_say_s(json, "model", found[i].name);
        pw_json_say_int(json, "stations", found[i].stations);
        pw_json_say_bool(json, "fits", fits(hardware, models, pw_str_of(found[i].name)));
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

static void put_row(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct showing *showing = to;
    struct pw_json_writer *json = showing->json;
    pw_json_open(json, '{');
    report_number_column(json, "id", &columns[0], 0);
    report_text_column(json, "name", &columns[1]);
    report_text_column(json, "sha256", &columns[2]);
    report_number_column(json, "size", &columns[3], 0);
    pw_json_say_raw(json, "manifest", columns[4].text);
    pw_json_say_raw(json, "signed_by", columns[5].text);
    report_text_column(json, "verdict", &columns[6]);
    report_text_column(json, "why", &columns[7]);
    report_text_column(json, "added_by", &columns[8]);
    pw_json_say_known_time(json, "added_at", columns[9].number);
    pw_json_say_bool(json, "ocpp_signed", columns[10].number != 0);
    pw_json_say_int(json, "rollouts", columns[11].number);
    pw_json_key(json, "location");
    char url[512] = "";
    struct pw_out out = PW_OUT(url);
    public_url(showing->http->central, NULL, "/firmware/", &out);
    pw_put(&out, columns[12].text);
    // Who may not send it to stations does not learn where it is.
    bool may = (int)showing->http->role >= (int)ADMIN;
    pw_json_put_text(json, may ? pw_out_str(&out)
                               : traffic_presentable(showing->http->central, pw_out_str(&out)));
    struct pw_str models = columns[14].kind == PW_DB_TEXT ? columns[14].text : PW_STR("");
    put_models(showing->http->central, json, columns[13].text, models);
    pw_json_key(json, "only_models");
    pw_json_open(json, '[');
    while (models.len > 0) {
        pw_json_put_text(json, pw_str_cut(&models, '\n'));
    }
    pw_json_close(json, ']');
    pw_json_close(json, '}');
}

// One release, or all for 0. How many.
static int64_t report(struct http *http, struct pw_json_writer *json, int64_t id)
{
    struct showing showing = {.http = http, .json = json};
    struct pw_db_value args[] = {pw_db_int(id)};
    return db_read(http->central,
                   "SELECT id, label, sha256, size, manifest, keys, verdict, why, added_by,"
                   " added_at, certificate IS NOT NULL, (SELECT COUNT(*) FROM rollout"
                   " WHERE release_id = release.id AND state IN ('running', 'paused', 'stopped')),"
                   " token, hardware, models FROM release WHERE $1 = 0 OR id = $1 ORDER BY id DESC",
                   args, PW_COUNT(args), put_row, &showing);
}

static void put_release(struct http *http, int64_t id, int status)
{
    http->json = PW_JSON_WRITER(&http->out);
    (void)report(http, &http->json, id);
    http->reply->status = status;
    http->reply->content_type = "application/json";
    http->reply->body = pw_out_str(&http->out);
}

void api_releases(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "releases");
    pw_json_open(json, '[');
    (void)report(http, json, 0);
    pw_json_close(json, ']');
    http_done(http, 200);
}

// The release of the path. `id` 0 after answering 404.
static struct kept_release find_in_path(struct http *http)
{
    int64_t id = 0;
    struct kept_release release = {0};
    if (pw_parse_int(http->param, 1, INT64_MAX, &id) == PW_OK) {
        release = release_find(http->central, id);
    }
    if (release.id == 0) {
        http_fail(http, 404, "not_found", "there is no release \"", http->param, "\"");
    }
    return release;
}

void api_release(struct http *http)
{
    const struct kept_release release = find_in_path(http);
    if (release.id != 0) {
        put_release(http, release.id, 200);
    }
}

void api_release_delete(struct http *http)
{
    struct pw_central *central = http->central;
    const struct pw_depot *depot = central->config.depot;
    const struct kept_release release = find_in_path(http);
    struct pw_db_value args[] = {pw_db_int(release.id)};
    int64_t used = 0;
    if (release.id == 0) {
        return;
    }
    (void)db_read(central,
                  "SELECT COUNT(*) FROM rollout WHERE release_id = $1"
                  " AND state IN ('running', 'paused', 'stopped')",
                  args, 1, take_number, &used);
    if (used > 0) {
        http_fail(http, 409, "in_use", "a roll-out that is not over uses this release", PW_STR(""),
                  "");
        return;
    }
    (void)db_write(central, "DELETE FROM release WHERE id = $1", args, 1, http->at.now);
    if (!http_commit(http)) {
        return;
    }
    if (depot != NULL) {
        depot->drop(depot->context, release.file);
    }
    http_no_content(http);
}

// --- What a person adds to it: for which models, and OCPP's own signature.

// Reads {"models": [...]} to lines. False after answering 400.
static bool read_models(struct http *http, struct pw_out *lines)
{
    const struct pw_json_node *list = pw_json_member(http->body, "models");
    if (list == NULL) {
        return true;
    }
    struct pw_json_iter it = pw_json_each(list);
    bool good = pw_json_is(list, PW_JSON_ARRAY) && pw_json_count(list) <= MODELS_MAX;
    for (const struct pw_json_node *item; good && (item = pw_json_next(&it)) != NULL;) {
        struct pw_str name;
        good = pw_json_text(item, &name) == PW_OK && name.len > 0 && pw_json_chars(name) <= 20 &&
               memchr(name.at, '\n', name.len) == NULL;
        if (good) {
            pw_put_s(lines, lines->len > 0 ? "\n" : "");
            pw_put(lines, name);
        }
    }
    if (!good || lines->full) {
        http_fail(http, 400, "bad_value",
                  "models: must be a list of at most 16 names of 1 to 20 characters", PW_STR(""),
                  "");
    }
    return good && !lines->full;
}

// Whether the signature is the certificate's over this very file. False after answering 400.
static bool signed_by(struct http *http, const struct kept_release *release,
                      struct pw_str certificate, struct pw_str signature)
{
    const struct pw_central_crypto *crypto = http->central->config.crypto;
    uint8_t sha256[PW_SHA256_LEN];
    char text[160];
    struct pw_out why = PW_OUT(text);
    if (certificate.len == 0 || crypto->signed_file == NULL) {
        return true;
    }
    if (pw_parse_hex(pw_str_of(release->sha256), sha256, sizeof(sha256)) < 0) {
        pw_put_s(&why, "the hash of this release is damaged");
    } else if (crypto->signed_file(crypto->context, certificate, signature, sha256, &why) ==
               PW_OK) {
        return true;
    }
    http_fail(http, 400, "bad_signature", "certificate and signature: ", pw_out_str(&why), "");
    return false;
}

void api_release_put(struct http *http)
{
    struct pw_central *central = http->central;
    const struct kept_release release = find_in_path(http);
    struct pw_str certificate;
    struct pw_str signature;
    char text[MODEL_LINES_MAX] = "";
    struct pw_out models = PW_OUT(text);
    if (release.id == 0 || !http_text(http, "certificate", CERTIFICATE_MAX, false, &certificate) ||
        !http_text(http, "signature", SIGNATURE_MAX, false, &signature) ||
        !read_models(http, &models)) {
        return;
    }
    if ((certificate.len == 0) != (signature.len == 0)) {
        http_fail(http, 400, "bad_value", "certificate and signature: give both or none",
                  PW_STR(""), "");
        return;
    }
    if (!signed_by(http, &release, certificate, signature)) {
        return;
    }
    struct pw_db_value both[] = {certificate.len > 0 ? pw_db_text(certificate) : pw_db_null(),
                                 signature.len > 0 ? pw_db_text(signature) : pw_db_null(),
                                 pw_db_int(release.id)};
    struct pw_db_value list[] = {db_words(text), pw_db_int(release.id)};
    if (pw_json_member(http->body, "certificate") != NULL) {
        (void)db_write(central, "UPDATE release SET certificate = $1, signature = $2 WHERE id = $3",
                       both, PW_COUNT(both), http->at.now);
    }
    if (pw_json_member(http->body, "models") != NULL) {
        (void)db_write(central, "UPDATE release SET models = $1 WHERE id = $2", list,
                       PW_COUNT(list), http->at.now);
    }
    if (http_commit(http)) {
        put_release(http, release.id, 200);
    }
}

// --- Going out.

static void take_kept(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct kept_release *release = to;
    release->id = columns[0].number;
    db_take(release->version, sizeof(release->version), &columns[1]);
    db_take(release->product, sizeof(release->product), &columns[2]);
    db_take(release->token, sizeof(release->token), &columns[3]);
    db_take(release->file, sizeof(release->file), &columns[4]);
    db_take(release->sha256, sizeof(release->sha256), &columns[5]);
    release->size = columns[6].number;
    release->signed_outside = columns[7].number != 0;
    db_take(release->hardware, sizeof(release->hardware), &columns[8]);
    db_take(release->models, sizeof(release->models), &columns[9]);
}

#define KEPT_COLUMNS                                                                               \
    "SELECT id, version, product, token, file, sha256, size, certificate IS NOT NULL, hardware,"   \
    " models FROM release WHERE "

struct kept_release release_find(const struct pw_central *central, int64_t id)
{
    struct kept_release release = {0};
    struct pw_db_value args[] = {pw_db_int(id)};
    (void)db_read(central, KEPT_COLUMNS "id = $1", args, 1, take_kept, &release);
    return release;
}

bool release_fits(const struct kept_release *release, const char *model)
{
    return fits(pw_str_of(release->hardware), pw_str_of(release->models), pw_str_of(model));
}

// By which a station shows that it was told: from the hash of its key, which nobody else knows, so
// that it is the same after a restart. False for a station without a key.
static bool put_proof(const struct pw_central *central, const char *station, struct pw_str token,
                      char to[TOKEN_HEX + 1])
{
    char hash[HASH_MAX];
    uint8_t digest[PW_SHA256_LEN];
    struct pw_sha256 sum;
    if (!station_key(central, pw_str_of(station), hash)) {
        return false;
    }
    pw_sha256_begin(&sum);
    pw_sha256_add(&sum, hash, strlen(hash));
    pw_sha256_add(&sum, token.at, token.len);
    pw_sha256_end(&sum, digest);
    hex_put(to, digest, TOKEN_HEX / 2);
    return true;
}

// "station CP1" when the path behind the release's token proves it. One that proves nothing, or no
// more since its key is a new one, is a stranger who knows the release.
static bool put_who(const struct pw_central *central, struct pw_str token, struct pw_str rest,
                    struct pw_out *who)
{
    char proof[TOKEN_HEX + 1];
    struct pw_str given = pw_str_cut(&rest, '/');
    const struct station *station = station_find(central, rest);
    if (station == NULL || !put_proof(central, station->id, token, proof) ||
        !pw_http_same_secret(proof, given)) {
        return false;
    }
    pw_put_s(who, "station ");
    pw_put_s(who, station->id);
    return true;
}

void serve_firmware(struct http *http, struct pw_str path)
{
    struct kept_release release = {0};
    char who[WHO_MAX];
    struct pw_out known = PW_OUT(who);
    struct pw_str token = pw_str_cut(&path, '/');
    struct pw_db_value args[] = {pw_db_text(token)};
    if (token.len == TOKEN_HEX) {
        (void)db_read(http->central, KEPT_COLUMNS "token = $1", args, 1, take_kept, &release);
    }
    if (release.id == 0 || http->central->config.depot == NULL) {
        http_fail(http, 404, "not_found", "there is no such file", PW_STR(""), "");
        return;
    }
    char name[LABEL_MAX];
    struct pw_out label = PW_OUT(name);
    pw_put_s(&label, release.product);
    pw_put_c(&label, '-');
    pw_put_s(&label, release.version);
    pw_put_s(&label, ".pwr");
    struct pw_out tag = PW_OUT(http->central->bodies->etag);
    pw_put_c(&tag, '"');
    pw_put_s(&tag, release.sha256);
    pw_put_c(&tag, '"');
    const struct served served = {.file = release.file,
                                  .size = (uint64_t)release.size,
                                  .etag = http->central->bodies->etag,
                                  .name = name,
                                  .who = put_who(http->central, token, path, &known) ? who : NULL};
    http_file(http, &served);
}

// --- Telling a station.

struct outside {
    struct pw_json_writer *json;
};

static void put_outside(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct outside *outside = to;
    report_text_column(outside->json, "signingCertificate", &columns[0]);
    report_text_column(outside->json, "signature", &columns[1]);
}

int release_command(struct pw_central *central, const struct station *station,
                    const struct kept_release *release, struct pw_out *payload, int64_t *request,
                    struct pw_instant at)
{
    char url[512] = "";
    char proof[TOKEN_HEX + 1];
    struct pw_out location = PW_OUT(url);
    struct pw_json_writer json = PW_JSON_WRITER(payload);
    public_url(central, station, "/firmware/", &location);
    pw_put_s(&location, release->token);
    if (put_proof(central, station->id, pw_str_of(release->token), proof)) {
        pw_put_s(&location, "/");
        pw_put_s(&location, proof);
        pw_put_s(&location, "/");
        pw_put_s(&location, station->id);
    }
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "retries", RETRIES);
    pw_json_say_int(&json, "retryInterval", RETRY_S);
    *request = 0;
    if (!release->signed_outside) {
        pw_json_say_s(&json, "location", url);
        pw_json_key(&json, "retrieveDate");
        pw_json_put_time(&json, at.wall);
        pw_json_close(&json, '}');
        return PW_OCPP16_UPDATE_FIRMWARE;
    }
    *request = file_request_id(central);
    pw_json_say_int(&json, "requestId", *request);
    pw_json_key(&json, "firmware");
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "location", url);
    pw_json_key(&json, "retrieveDateTime");
    pw_json_put_time(&json, at.wall);
    struct outside outside = {.json = &json};
    struct pw_db_value args[] = {pw_db_int(release->id)};
    (void)db_read(central, "SELECT certificate, signature FROM release WHERE id = $1", args, 1,
                  put_outside, &outside);
    pw_json_close(&json, '}');
    pw_json_close(&json, '}');
    return PW_OCPP16_SIGNED_UPDATE_FIRMWARE;
}

// Logs that stations bring: each to a place made for one request, under a name nobody can guess.
// What is in them is bytes: never opened, unpacked or shown here.
// Sources: facts/reliability.md T15, T40; whitepaper N01.
#include "bodies.h"
#include "records.h"

#include <string.h>

#define UPLOAD_MS (UINT64_C(15) * 60 * 1000) // a log must be whole by then
#define PLACE_MS  INT64_C(86400000)          // and must have begun by then

// --- A place.

bool upload_place(struct pw_central *central, const struct station *station, const char *kind,
                  struct pw_out *url, struct pw_instant at)
{
    char token[TOKEN_HEX + 1];
    if (central->config.depot == NULL || central->config.public_url.len == 0 ||
        key_random_hex(central, token, TOKEN_HEX) != PW_OK) {
        return false;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(token)), pw_db_text(pw_str_of(station->id)),
                                 pw_db_text(pw_str_of(kind)), pw_db_int(at.wall),
                                 pw_db_int(at.wall + PLACE_MS)};
    if (db_write_id(central,
                    "INSERT INTO upload (token, station_id, kind, made_at, expires_at)"
                    " VALUES ($1, $2, $3, $4, $5) RETURNING id",
                    args, PW_COUNT(args), at.now) <= 0) {
        return false;
    }
    public_url(central, station, "/upload/", url);
    pw_put_s(url, token);
    pw_put_c(url, '/');
    return !url->full;
}

struct place {
    int64_t id;
    char station[PW_CENTRAL_STATION_MAX + 1];
    char file[PW_DEPOT_NAME_MAX]; // empty: nothing has come yet
};

static void take_place(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct place *place = to;
    place->id = columns[0].number;
    db_take(place->station, sizeof(place->station), &columns[1]);
    db_take(place->file, sizeof(place->file), &columns[2]);
}

static struct place find_place(const struct pw_central *central, struct pw_str token,
                               pw_unix_ms wall)
{
    struct place place = {0};
    struct pw_db_value args[] = {pw_db_text(token), pw_db_int(wall)};
    if (token.len == TOKEN_HEX) {
        (void)db_read(central,
                      "SELECT id, station_id, file FROM upload WHERE token = $1"
                      " AND expires_at > $2",
                      args, PW_COUNT(args), take_place, &place);
    }
    return place;
}

// --- Coming in.

// "TOKEN" or "TOKEN/name.log": the name goes to *label.
static struct pw_str split(struct pw_str path, struct pw_str *label)
{
    *label = path;
    struct pw_str token = pw_str_cut(label, '/');
    return token;
}

// A station that trickles logs takes no places from the others.
static bool is_bringing(const struct pw_central *central, const char *station)
{
    enum { AT_ONCE = 4 };
    unsigned count = 0;
    for (const struct body *body = central->bodies->in; body != NULL; body = body->next) {
        count += body->kind == BODY_UPLOAD && strcmp(body->station, station) == 0 ? 1 : 0;
    }
    return count >= AT_ONCE;
}

uint64_t upload_takes(struct http *http, struct pw_str path)
{
    struct pw_str label;
    struct pw_str token = split(path, &label);
    const struct place place = find_place(http->central, token, http->at.wall);
    if (http->central->config.depot == NULL || place.id == 0) {
        http_fail(http, 404, "not_found", "there is no such place", PW_STR(""), "");
        return 0;
    }
    if (http->request->length > PW_CENTRAL_UPLOAD_MAX) {
        http_fail(http, 413, "too_large", "a log may have at most 8 MiB", PW_STR(""), "");
        return 0;
    }
    if (is_bringing(http->central, place.station)) {
        http->reply->retry_after_s = 10;
        http_fail(http, 503, "busy", "four logs of this station are coming in already", PW_STR(""),
                  "");
        return 0;
    }
    struct body *body = body_begin(http, BODY_UPLOAD, label, UPLOAD_MS);
    if (body == NULL) {
        return 0;
    }
    body->upload = place.id;
    struct pw_out station = PW_OUT(body->station);
    pw_put_s(&station, place.station);
    return PW_CENTRAL_UPLOAD_MAX;
}

struct oldest {
    int64_t id;
    char file[PW_DEPOT_NAME_MAX];
};

static void take_oldest(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct oldest *oldest = to;
    oldest->id = columns[0].number;
    db_take(oldest->file, sizeof(oldest->file), &columns[1]);
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

struct gone {
    char file[PW_CENTRAL_UPLOADS_KEPT][PW_DEPOT_NAME_MAX];
    unsigned count;
};

// The oldest go until what is kept of the station, and of all of them, is within its bound. Their
// files go when the database has forgotten them for good.
static void make_room(struct pw_central *central, const struct body *body, struct gone *gone,
                      pw_ms now)
{
    struct pw_db_value of[] = {pw_db_text(pw_str_of(body->station)), pw_db_int(body->upload)};
    while (gone->count < PW_CENTRAL_UPLOADS_KEPT) {
        struct oldest oldest = {0};
        int64_t mine = 0;
        int64_t all = 0;
        (void)db_read(central,
                      "SELECT COALESCE(SUM(size), 0) FROM upload WHERE station_id = $1"
                      " AND id != $2",
                      of, PW_COUNT(of), take_number, &mine);
        (void)db_read(central, "SELECT COALESCE(SUM(size), 0) FROM upload", NULL, 0, take_number,
                      &all);
        bool full = mine + (int64_t)body->got > PW_CENTRAL_UPLOADS_BYTES;
        if (!full && all + (int64_t)body->got <= PW_CENTRAL_UPLOADS_ALL_BYTES) {
            return;
        }
        (void)db_read(central,
                      full ? "SELECT id, file FROM upload WHERE station_id = $1 AND id != $2"
                             " AND file IS NOT NULL ORDER BY got_at LIMIT 1"
                           : "SELECT id, file FROM upload WHERE $1 = $1 AND id != $2"
                             " AND file IS NOT NULL ORDER BY got_at LIMIT 1",
                      of, PW_COUNT(of), take_oldest, &oldest);
        if (oldest.id == 0) {
            return;
        }
        struct pw_db_value id[] = {pw_db_int(oldest.id)};
        (void)db_write(central, "DELETE FROM upload WHERE id = $1", id, 1, now);
        memcpy(gone->file[gone->count++], oldest.file, sizeof(oldest.file));
    }
}

static bool keep(struct http *http, const struct body *body, const char *before)
{
    struct pw_central *central = http->central;
    const struct pw_depot *depot = central->config.depot;
    struct gone gone = {.count = 0};
    make_room(central, body, &gone, http->at.now);
    struct pw_db_value args[] = {pw_db_text(pw_str_of(body->file)), pw_db_int((int64_t)body->got),
                                 pw_db_int(http->at.wall), pw_db_text(pw_str_of(body->label)),
                                 pw_db_int(body->upload)};
    if (depot->keep(depot->context, body->file) != PW_OK ||
        db_write(central,
                 "UPDATE upload SET file = $1, size = $2, got_at = $3, label = $4 WHERE id = $5",
                 args, PW_COUNT(args), http->at.now) != 1 ||
        db_commit(central, http->at) != PW_OK) {
        return false;
    }
    if (before[0] != '\0') {
        depot->drop(depot->context, before); // the same log, brought once more
    }
    for (unsigned i = 0; i < gone.count; i++) {
        depot->drop(depot->context, gone.file[i]);
    }
    return true;
}

void serve_upload(struct http *http)
{
    struct pw_central *central = http->central;
    struct body *body = body_find(central, http->request->stream);
    struct pw_str label;
    struct pw_str path = http->request->path;
    (void)pw_str_cut(&path, '/');
    (void)pw_str_cut(&path, '/');
    const struct place place = find_place(central, split(path, &label), http->at.wall);
    bool kept = false;
    if (body == NULL || place.id == 0) {
        http_fail(http, body == NULL ? 400 : 404, "not_found",
                  body == NULL ? "a file must come with it" : "there is no such place", PW_STR(""),
                  "");
    } else if (body->status != 0) {
        http_fail(http, body->status, body->code, body->why, PW_STR(""), "");
    } else if (body->got != body->length) {
        http_fail(http, 400, "cut", "it ended too early", PW_STR(""), "");
    } else {
        kept = keep(http, body, place.file);
        if (kept) {
            http->reply->status = 201;
            event_upload(central, place.station);
        } else {
            http_fail(http, 503, "store", "it could not be stored; try again", PW_STR(""), "");
        }
    }
    if (body != NULL) {
        body_end(central, body, kept);
    }
}

void uploads_tidy(struct pw_central *central, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_int(at.wall)};
    if (at.wall != 0) {
        (void)db_write(central, "DELETE FROM upload WHERE file IS NULL AND expires_at <= $1", args,
                       1, at.now);
    }
}

// --- For people.

static void put_row(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_number_column(json, "id", &columns[0], 0);
    report_text_column(json, "kind", &columns[1]);
    pw_json_say_known_time(json, "asked_at", columns[2].number);
    pw_json_say_s(json, "state", columns[3].kind == PW_DB_INT ? "here" : "awaited");
    pw_json_say_known_time(json, "got_at", columns[3].kind == PW_DB_INT ? columns[3].number : 0);
    report_number_column(json, "size", &columns[4], 0);
    report_text_column(json, "name", &columns[5]);
    pw_json_close(json, '}');
}

void api_uploads(struct http *http)
{
    const struct station *station = http_station(http);
    if (station == NULL) {
        return;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(PW_CENTRAL_UPLOADS_KEPT)};
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "uploads");
    pw_json_open(json, '[');
    (void)db_read(http->central,
                  "SELECT id, kind, made_at, got_at, size, label FROM upload WHERE station_id = $1"
                  " ORDER BY id DESC LIMIT $2",
                  args, PW_COUNT(args), put_row, json);
    pw_json_close(json, ']');
    http_done(http, 200);
}

struct kept {
    int64_t id;
    int64_t size;
    char file[PW_DEPOT_NAME_MAX];
    char label[LABEL_MAX];
};

static void take_kept(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct kept *kept = to;
    kept->id = columns[0].number;
    kept->size = columns[1].number;
    db_take(kept->file, sizeof(kept->file), &columns[2]);
    db_take(kept->label, sizeof(kept->label), &columns[3]);
}

// The upload of the path. `id` 0 after answering 404.
static struct kept find_kept(struct http *http)
{
    struct kept kept = {0};
    struct pw_db_value args[] = {pw_db_int(0)};
    if (pw_parse_int(http->param, 1, INT64_MAX, &args[0].number) == PW_OK) {
        (void)db_read(http->central,
                      "SELECT id, COALESCE(size, 0), file, label FROM upload WHERE id = $1", args,
                      1, take_kept, &kept);
    }
    if (kept.id == 0) {
        http_fail(http, 404, "not_found", "there is no upload \"", http->param, "\"");
    }
    return kept;
}

void api_upload_file(struct http *http)
{
    const struct kept kept = find_kept(http);
    if (kept.id == 0) {
        return;
    }
    if (kept.file[0] == '\0' || http->central->config.depot == NULL) {
        http_fail(http, 404, "not_found", "nothing has come yet", PW_STR(""), "");
        return;
    }
    struct pw_out tag = PW_OUT(http->central->bodies->etag);
    pw_put_c(&tag, '"');
    pw_put_s(&tag, kept.file);
    pw_put_c(&tag, '"');
    char who[WHO_MAX];
    struct pw_out out = PW_OUT(who);
    pw_put_s(&out, "person ");
    pw_put_s(&out, http_who(http));
    const struct served served = {.file = kept.file,
                                  .size = (uint64_t)kept.size,
                                  .etag = http->central->bodies->etag,
                                  .name = kept.label[0] != '\0' ? kept.label : "log",
                                  .who = who};
    http_file(http, &served);
}

void api_upload_delete(struct http *http)
{
    const struct kept kept = find_kept(http);
    const struct pw_depot *depot = http->central->config.depot;
    struct pw_db_value args[] = {pw_db_int(kept.id)};
    if (kept.id == 0) {
        return;
    }
    (void)db_write(http->central, "DELETE FROM upload WHERE id = $1", args, 1, http->at.now);
    if (!http_commit(http)) {
        return;
    }
    if (depot != NULL && kept.file[0] != '\0') {
        depot->drop(depot->context, kept.file);
    }
    http_no_content(http);
}

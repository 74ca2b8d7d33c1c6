// The central as a whole: memory, the batch of writes, and what is due when.
#include "central.h"

#include "bodies.h"
#include "records.h"
#include "rollouts.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

#define TIDY_MS 10000 // one station's old rows are removed this often
#define BEAT_MS 20000 // an event stream is never silent for longer
#define DAY_MS  INT64_C(86400000)

// --- The database.

struct pw_db_value db_time(pw_unix_ms at)
{
    return at != 0 ? pw_db_int(at) : pw_db_null();
}

struct pw_db_value db_words(const char *terminated)
{
    return terminated[0] != '\0' ? pw_db_text(pw_str_of(terminated)) : pw_db_null();
}

void db_take(char *to, size_t cap, const struct pw_db_value *column)
{
    struct pw_out out = {.at = to, .cap = cap};
    pw_put(&out, column->kind == PW_DB_TEXT ? column->text : PW_STR(""));
    to[out.len] = '\0';
}

int64_t db_read(const struct pw_central *central, const char *sql, const struct pw_db_value *args,
                size_t count, pw_db_row *row, void *to)
{
    const struct pw_db *db = central->config.db;
    return db->run(db->context, sql, args, count, row, to);
}

static void take_id(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

static int64_t write(struct pw_central *central, const char *sql, const struct pw_db_value *args,
                     size_t count, int64_t *id)
{
    const struct pw_db *db = central->config.db;
    int64_t result = db->run(db->context, sql, args, count, id != NULL ? take_id : NULL, id);
    if (result < 0) {
        central->batch_bad = true;
    }
    return result;
}

static void batch(struct pw_central *central, pw_ms now)
{
    if (!central->dirty) {
        central->dirty = true;
        central->commit_at = pw_after(now, PW_CENTRAL_COMMIT_MS);
    }
}

int64_t db_write(struct pw_central *central, const char *sql, const struct pw_db_value *args,
                 size_t count, pw_ms now)
{
    batch(central, now);
    return write(central, sql, args, count, NULL);
}

int64_t db_write_id(struct pw_central *central, const char *sql, const struct pw_db_value *args,
                    size_t count, pw_ms now)
{
    int64_t id = 0;
    batch(central, now);
    int64_t result = write(central, sql, args, count, &id);
    return result < 0 ? result : id;
}

void answer_when_durable(const struct call *call, const struct pw_ocpp_object *object,
                         const void *conf)
{
    struct pw_central *central = call->central;
    struct pw_out out = {.at = central->frame, .cap = SCRATCH_MAX};
    pw_ocpp_put_result(&out, call->id, object, conf);
    struct held *held = malloc(sizeof(*held) + out.len);
    if (held == NULL) {
        return; // the station asks again
    }
    *held = (struct held){
        .link = call->link->number, .action = call->action, .came = call->at.wall, .len = out.len};
    struct pw_out id_out = PW_OUT(held->id);
    pw_put(&id_out, call->id);
    memcpy(held->text, out.at, out.len);
    if (central->held_last != NULL) {
        central->held_last->next = held;
    } else {
        central->held = held;
    }
    central->held_last = held;
    batch(central, call->at.now);
}

static void release(struct pw_central *central, const struct held *held, bool kept,
                    struct pw_instant at)
{
    struct link *link = link_find(central, held->link);
    if (link == NULL || link->station == NULL) {
        return; // gone meanwhile: the station asks again
    }
    pw_ocpp_rpc_served(&link->station->rpc);
    struct pw_str frame = {.at = held->text, .len = held->len};
    if (!kept) {
        struct pw_out out = {.at = central->frame, .cap = SCRATCH_MAX};
        pw_ocpp_put_error(&out, pw_str_of(held->id), PW_OCPP_INTERNAL_ERROR,
                          PW_STR("the record could not be stored; try again"));
        frame = pw_out_str(&out);
    }
    struct pw_json json = central->json;
    struct pw_ocpp_frame read;
    struct pw_ocpp_fault fault;
    PW_ASSERT(pw_ocpp_frame_read(&json, frame, &read, &fault) == PW_OK);
    struct traffic traffic = {
        .from_station = false,
        .kind = read.kind,
        .action = action_text(held->action),
        .id = read.id,
        .latency_ms = pw_max(0, at.wall - held->came),
        .payload = {.at = read.payload != NULL ? read.payload->at : "{}",
                    .len = read.payload != NULL ? read.payload->len : 2},
    };
    traffic_note(central, link->station, &traffic, at);
    link_send(central, link, frame);
}

int db_commit(struct pw_central *central, struct pw_instant at)
{
    if (!central->dirty) {
        return PW_OK;
    }
    const struct pw_db *db = central->config.db;
    bool kept = db->commit(db->context) == PW_OK && !central->batch_bad;
    central->dirty = false;
    central->batch_bad = false;
    central->store_bad = !kept;
    central->count.commits++;
    central->count.commits_failed += kept ? 0 : 1;
    uplinks_committed(central, kept, at);
    struct held *held = central->held;
    central->held = NULL;
    central->held_last = NULL;
    while (held != NULL) {
        struct held *next = held->next;
        release(central, held, kept, at);
        free(held);
        held = next;
    }
    return kept ? PW_OK : PW_ERR_STORE;
}

// --- Old rows.

static void tidy(struct pw_central *central, struct pw_instant at)
{
    central->tidy_at = pw_after(at.now, TIDY_MS);
    if (central->stations == 0 || at.wall == 0) {
        return;
    }
    group_history_tidy(central, at);
    const struct station *station = central->station[(at.now / TIDY_MS) % (pw_ms)central->stations];
    for (int64_t i = 0; i < PW_CENTRAL_CONNECTORS; i++) {
        if (station->connector[i] == NULL) {
            continue;
        }
        struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(i),
                                     pw_db_int(at.wall - PW_CENTRAL_SAMPLE_DAYS * DAY_MS)};
        (void)db_write(central,
                       "DELETE FROM sample"
                       " WHERE station_id = $1 AND connector_id = $2 AND at < $3",
                       args, PW_COUNT(args), at.now);
        (void)db_write(central,
                       "DELETE FROM measurement"
                       " WHERE station_id = $1 AND connector_id = $2 AND at < $3",
                       args, PW_COUNT(args), at.now);
    }
}

pw_ms pw_central_step(struct pw_central *central, struct pw_instant at)
{
    pw_ms next = pw_earlier(links_step(central, at), uplinks_step(central, at));
    next = pw_earlier(next, groups_step(central, at));
    next = pw_earlier(next, pw_earlier(effects_step(central, at), lists_step(central, at)));
    next = pw_earlier(next, pw_earlier(rollouts_step(central, at), bodies_step(central, at)));
    if (at.now >= central->tidy_at) {
        tidy(central, at);
    }
    if (at.now >= central->beat_at) {
        central->beat_at = pw_after(at.now, BEAT_MS);
        logins_check(central, at);
        events_beat(central);
    }
    if (central->dirty && at.now >= central->commit_at) {
        (void)db_commit(central, at);
    }
    next = pw_earlier(next, pw_earlier(central->tidy_at, central->beat_at));
    return central->dirty ? pw_earlier(next, central->commit_at) : next;
}

// --- From nothing to a running central.

static int make_room(struct pw_central *central)
{
    central->bucket = calloc(PW_CENTRAL_STATIONS_MAX, sizeof(struct link *));
    central->uplink = calloc(PW_CENTRAL_STATIONS_MAX, sizeof(struct uplink *));
    central->throttle = calloc(THROTTLES_MAX, sizeof(*central->throttle));
    central->frame = malloc(SCRATCH_MAX);
    central->event = malloc(SCRATCH_MAX);
    central->reply = malloc(PW_CENTRAL_REPLY_MAX);
    central->payload = malloc(PW_CENTRAL_MESSAGE_MAX);
    central->shown = malloc(PW_CENTRAL_MESSAGE_MAX);
    central->json.cap = PW_CENTRAL_MESSAGE_MAX / 2 + 1;
    central->json.node = calloc(central->json.cap, sizeof(*central->json.node));
    central->json.spare_cap = PW_CENTRAL_MESSAGE_MAX;
    central->json.spare = malloc(central->json.spare_cap);
    central->asked = central->json;
    central->asked.node = calloc(central->asked.cap, sizeof(*central->asked.node));
    central->asked.spare = malloc(central->asked.spare_cap);
    central->list = malloc(LIST_BYTES);
    return central->asked.node == NULL || central->asked.spare == NULL || central->list == NULL ||
                   central->bucket == NULL || central->uplink == NULL ||
                   central->throttle == NULL || central->frame == NULL || central->event == NULL ||
                   central->reply == NULL || central->payload == NULL || central->shown == NULL ||
                   central->json.node == NULL || central->json.spare == NULL
               ? PW_ERR_LIMIT
               : PW_OK;
}

static int start(struct pw_central *central, pw_ms now, const char **why)
{
    if (make_room(central) != PW_OK) {
        *why = "out of memory";
        return PW_ERR_LIMIT;
    }
    int result = pw_central_schema(central->config.db);
    if (result != PW_OK) {
        *why = result == PW_ERR_RANGE ? "the database was made by a newer version of this program"
                                      : "the database refused its tables";
        return result;
    }
    if (key_hash(central, PW_STR("nobody has this key"), STATION_COST, central->dummy_hash) !=
        PW_OK) {
        *why = "the cryptography library does not work";
        return PW_ERR_STORE;
    }
    // What waited for an answer when the program ended gets none.
    const struct pw_db *db = central->config.db;
    if (central->config.net != NULL &&
        (db->run(db->context,
                 "UPDATE command SET state = 'offline', answered_at = requested_at"
                 " WHERE state = 'pending'",
                 NULL, 0, NULL, NULL) < 0 ||
         effects_load(central) != PW_OK || db->commit(db->context) != PW_OK)) {
        *why = "the database does not take writes";
        return PW_ERR_STORE;
    }
    result = stations_load(central);
    if (result == PW_OK && groups_load(central, now) != PW_OK) {
        *why = "the load groups could not be read from the database";
        return PW_ERR_STORE;
    }
    if (result == PW_OK &&
        (bodies_begin(central, now) != PW_OK || rollouts_load(central, now) != PW_OK)) {
        *why = "the roll-outs could not be read from the database";
        return PW_ERR_STORE;
    }
    if (result == PW_OK && central->config.wires != NULL) {
        orders_carry_limits(central);
    }
    if (result != PW_OK) {
        *why = result == PW_ERR_LIMIT ? "the database holds more stations than this program serves"
                                      : "the stations could not be read from the database";
    }
    return result;
}

int pw_central_new(struct pw_central **central, const struct pw_central_config *config,
                   struct pw_instant at, const char **why)
{
    *why = "";
    struct pw_central *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        *why = "out of memory";
        return PW_ERR_LIMIT;
    }
    made->config = *config;
    if (made->config.heartbeat_s == 0) {
        made->config.heartbeat_s = 300;
    }
    made->vehicles = &pw_vehicle_table_default;
    made->tidy_at = pw_after(at.now, TIDY_MS);
    made->beat_at = pw_after(at.now, BEAT_MS);
    made->uplinks_at = PW_NEVER;
    made->effects_at = PW_NEVER;
    made->wrong_left = PW_CENTRAL_WRONG_MAX;
    made->wrong_at = at.now;
    made->lists_at = PW_NEVER;
    int result = start(made, at.now, why);
    if (result != PW_OK) {
        pw_central_free(made);
        return result;
    }
    *central = made;
    return PW_OK;
}

void pw_central_free(struct pw_central *central)
{
    if (central == NULL) {
        return;
    }
    const struct pw_db *db = central->config.db;
    (void)db->commit(db->context);
    while (central->held != NULL) {
        struct held *held = central->held;
        central->held = held->next;
        free(held);
    }
    events_free(central);
    links_free(central);
    uplinks_free(central);
    groups_free(central);
    rollouts_free(central);
    bodies_free(central);
    stations_free(central);
    free(central->bucket);
    free(central->throttle);
    free(central->frame);
    free(central->event);
    free(central->reply);
    free(central->payload);
    free(central->shown);
    free(central->json.node);
    free(central->json.spare);
    free(central->asked.node);
    free(central->asked.spare);
    free(central->list);
    free(central);
}

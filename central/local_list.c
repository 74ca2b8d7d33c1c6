// Local authorisation lists: what each station is believed to hold, and how it is brought to the
// cards of this central. Sources: OCPP 1.6 §3.5.3, §5.10, §5.15; errata 3.52.
#include "records.h"

#include <string.h>

#define LOOK_MS     5000 // cards that change together are sent together
#define ENTRIES_MAX 150  // of one message, whatever the station says: 60 kB at most
#define FULLS_MAX   3    // whole lists sent for one wish, before the central gives up

// The cards a station's list is to hold. More than it takes are those used here last.
#define WANTED                                                                                     \
    "WITH wanted AS (SELECT id_tag, status, parent, expires FROM card ORDER BY (SELECT"            \
    " MAX(start_at) FROM session WHERE session.station_id = $1 AND session.id_tag ="               \
    " card.id_tag) DESC, id_tag LIMIT $2) "
#define DIFFERS                                                                                    \
    " FROM wanted LEFT JOIN local_list_entry held ON held.station_id = $1 AND"                     \
    " held.id_tag = wanted.id_tag WHERE held.id_tag IS NULL OR held.status <> wanted.status OR"    \
    " COALESCE(held.parent, '') <> COALESCE(wanted.parent, '') OR"                                 \
    " COALESCE(held.expires, 0) <> COALESCE(wanted.expires, 0)"
#define TOO_MUCH                                                                                   \
    " FROM local_list_entry WHERE station_id = $1 AND id_tag NOT IN (SELECT id_tag FROM wanted)"

struct list {
    bool known;
    int64_t version;
    bool automatic;
    char state[32];
    pw_unix_ms at;
};

static void take_list(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct list *list = to;
    list->known = true;
    list->version = columns[0].number;
    list->automatic = columns[1].number != 0;
    db_take(list->state, sizeof(list->state), &columns[2]);
    list->at = columns[3].number;
}

static struct list list_of(const struct pw_central *central, const struct station *station)
{
    struct list list = {0};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    (void)db_read(central,
                  "SELECT version, automatic, state, at FROM local_list WHERE station_id = $1",
                  args, PW_COUNT(args), take_list, &list);
    return list;
}

static void keep_list(struct pw_central *central, const struct station *station, int64_t version,
                      const char *state, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(version),
                                 pw_db_text(pw_str_of(state)), pw_db_int(at.wall)};
    (void)db_write(central,
                   "INSERT INTO local_list (station_id, version, state, at)"
                   " VALUES ($1, $2, $3, $4) ON CONFLICT (station_id) DO UPDATE SET"
                   " version = $2, state = $3, at = $4",
                   args, PW_COUNT(args), at.now);
}

void list_automatic(struct pw_central *central, struct station *station, bool automatic,
                    struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(at.wall),
                                 pw_db_int(automatic ? 1 : 0)};
    (void)db_write(central,
                   "INSERT INTO local_list (station_id, version, state, at, automatic)"
                   " VALUES ($1, 0, 'unknown', $2, $3) ON CONFLICT (station_id) DO UPDATE SET"
                   " automatic = $3",
                   args, PW_COUNT(args), at.now);
    station->list_automatic = automatic;
    if (automatic) {
        lists_look(central, station, at.now);
    }
}

// --- Writing a list.

struct writing {
    struct pw_json_writer json;
    int64_t entries;
};

static void put_entry(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct writing *writing = to;
    struct pw_json_writer *json = &writing->json;
    writing->entries++;
    pw_json_open(json, '{');
    pw_json_say_text(json, "idTag", columns[0].text);
    if (columns[1].kind == PW_DB_TEXT) { // without: it is to be removed
        pw_json_key(json, "idTagInfo");
        pw_json_open(json, '{');
        if (columns[3].kind == PW_DB_INT) {
            pw_json_key(json, "expiryDate");
            pw_json_put_time(json, columns[3].number);
        }
        if (columns[2].kind == PW_DB_TEXT) {
            pw_json_say_text(json, "parentIdTag", columns[2].text);
        }
        pw_json_say_text(json, "status", columns[1].text);
        pw_json_close(json, '}');
    }
    pw_json_close(json, '}');
}

static void write_entries(const struct pw_central *central, struct writing *writing,
                          const struct station *station, bool full)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_int(
            configuration_number(central, station, "LocalAuthListMaxLength", PW_CENTRAL_LIST_MAX)),
        pw_db_int(
            pw_clamp(configuration_number(central, station, "SendLocalListMaxLength", ENTRIES_MAX),
                     1, ENTRIES_MAX)),
    };
    if (full) {
        (void)db_read(central, WANTED "SELECT id_tag, status, parent, expires FROM wanted LIMIT $3",
                      args, PW_COUNT(args), put_entry, writing);
        return;
    }
    // What goes makes room for what comes.
    (void)db_read(central, WANTED "SELECT id_tag, NULL, NULL, NULL" TOO_MUCH " LIMIT $3", args,
                  PW_COUNT(args), put_entry, writing);
    args[2].number -= writing->entries;
    if (args[2].number > 0) {
        (void)db_read(central,
                      WANTED "SELECT wanted.id_tag, wanted.status, wanted.parent,"
                             " wanted.expires" DIFFERS " LIMIT $3",
                      args, PW_COUNT(args), put_entry, writing);
    }
}

static int64_t send(struct pw_central *central, struct station *station, bool full,
                    struct pw_instant at)
{
    struct list list = list_of(central, station);
    struct pw_out out = {.at = central->list, .cap = LIST_BYTES};
    struct writing writing = {.json = PW_JSON_WRITER(&out)};
    struct pw_json_writer *json = &writing.json;
    pw_json_open(json, '{');
    pw_json_say_int(json, "listVersion", list.version + 1);
    pw_json_say_s(json, "updateType", full ? "Full" : "Differential");
    pw_json_key(json, "localAuthorizationList");
    pw_json_open(json, '[');
    write_entries(central, &writing, station, full);
    pw_json_close(json, ']');
    pw_json_close(json, '}');
    if (!full && writing.entries == 0) {
        return 0;
    }
    if (out.full) {
        return PW_ERR_LIMIT;
    }
    int64_t id =
        command_queue(central, station, PW_OCPP16_SEND_LOCAL_LIST, pw_out_str(&out), true, at);
    station->list_syncing = id > 0;
    if (full) {
        station->list_fulls++;
    }
    return id;
}

int64_t list_sync(struct pw_central *central, struct station *station, bool full,
                  struct pw_instant at)
{
    struct list list = list_of(central, station);
    station->list_fulls = 0;
    // A list that was never sent, or failed, is none to add to.
    bool whole = full || list.version < 1 || strcmp(list.state, "sent") != 0;
    return send(central, station, whole, at);
}

// --- What came of it.

static void remember(const struct answered *answered,
                     const struct pw_ocpp16_authorization_data *data)
{
    bool given = (data->has & PW_OCPP16_HAS(authorization_data, id_tag_info)) != 0;
    const struct pw_ocpp16_id_tag_info *info = &data->id_tag_info;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(answered->station->id)),
        pw_db_text(data->id_tag),
        given ? pw_db_text(pw_ocpp_code_text(&pw_ocpp16_authorization_status, (int)info->status))
              : pw_db_null(),
        given && info->parent_id_tag.len > 0 ? pw_db_text(info->parent_id_tag) : pw_db_null(),
        given && (info->has & PW_OCPP16_HAS(id_tag_info, expiry_date)) != 0
            ? pw_db_int(info->expiry_date)
            : pw_db_null(),
    };
    (void)db_write(answered->central,
                   given ? "INSERT INTO local_list_entry (station_id, id_tag, status, parent,"
                           " expires) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (station_id, id_tag)"
                           " DO UPDATE SET status = $3, parent = $4, expires = $5"
                         : "DELETE FROM local_list_entry WHERE station_id = $1 AND id_tag = $2",
                   args, given ? PW_COUNT(args) : 2, answered->at.now);
}

static void forget_entries(const struct answered *answered)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(answered->station->id))};
    (void)db_write(answered->central, "DELETE FROM local_list_entry WHERE station_id = $1", args,
                   PW_COUNT(args), answered->at.now);
}

static void taken(const struct answered *answered, const struct pw_ocpp16_send_local_list_req *req)
{
    struct pw_ocpp16_authorization_data data;
    struct pw_ocpp_iter it = pw_ocpp_each(&req->local_authorization_list);
    if (req->update_type == PW_OCPP16_UPDATE_FULL) {
        forget_entries(answered);
    }
    while (pw_ocpp_next(&it, &data, sizeof(data))) {
        remember(answered, &data);
    }
    keep_list(answered->central, answered->station, req->list_version, "sent", answered->at);
    pw_put_s(answered->effect, "list version ");
    pw_put_int(answered->effect, req->list_version);
    pw_put_s(answered->effect, ", ");
    pw_put_int(answered->effect, req->local_authorization_list.count);
    pw_put_s(answered->effect, " entries taken");
}

enum expect list_sent(const struct answered *answered)
{
    const struct pw_ocpp16_send_local_list_req *req = answered->req;
    const struct pw_ocpp16_send_local_list_conf *conf = answered->conf;
    struct pw_central *central = answered->central;
    struct station *station = answered->station;
    bool syncing = station->list_syncing;
    station->list_syncing = false;
    if (conf->status == PW_OCPP16_UPDATE_ACCEPTED) {
        taken(answered, req);
        if (syncing) {
            (void)send(central, station, false, answered->at); // what did not fit
        }
        return EXPECT_NOTHING;
    }
    bool mismatch = conf->status == PW_OCPP16_UPDATE_VERSION_MISMATCH;
    // The version refused may be the station's own, or behind it: the next is tried beyond.
    keep_list(central, station, req->list_version,
              mismatch                                         ? "mismatch"
              : conf->status == PW_OCPP16_UPDATE_NOT_SUPPORTED ? "not supported"
                                                               : "failed",
              answered->at);
    if (mismatch && syncing && station->list_fulls < FULLS_MAX) {
        pw_put_s(answered->effect, "the whole list is sent instead");
        (void)send(central, station, true, answered->at);
    }
    return EXPECT_NOTHING;
}

enum expect list_version_kept(const struct answered *answered)
{
    const struct pw_ocpp16_get_local_list_version_conf *conf = answered->conf;
    struct list list = list_of(answered->central, answered->station);
    pw_put_s(answered->effect, "version ");
    pw_put_int(answered->effect, conf->list_version);
    if (conf->list_version < 0) {
        keep_list(answered->central, answered->station, list.version, "not supported",
                  answered->at);
        pw_put_s(answered->effect, ": the station has no local list");
    } else if (!list.known || list.version != conf->list_version) {
        forget_entries(answered);
        keep_list(answered->central, answered->station, conf->list_version, "mismatch",
                  answered->at);
        pw_put_s(answered->effect, ", not the one that was sent");
    }
    return EXPECT_NOTHING;
}

// --- By itself.

void lists_look(struct pw_central *central, const struct station *station, pw_ms now)
{
    for (size_t i = 0; i < central->stations; i++) {
        struct station *each = central->station[i];
        each->list_look = each->list_look || station == NULL || station == each;
    }
    central->lists_at = pw_earlier(central->lists_at, pw_after(now, LOOK_MS));
}

pw_ms lists_step(struct pw_central *central, struct pw_instant at)
{
    if (at.now < central->lists_at) {
        return central->lists_at;
    }
    central->lists_at = PW_NEVER;
    for (size_t i = 0; i < central->stations; i++) {
        struct station *station = central->station[i];
        bool look = station->list_look;
        station->list_look = false;
        if (look && station->list_automatic && station->link != NULL && !station->list_syncing) {
            (void)list_sync(central, station, false, at);
            commands_go(central, station, at);
        }
    }
    return central->lists_at;
}

// --- Reporting.

static void put_held(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "id_tag", &columns[0]);
    report_text_column(json, "status", &columns[1]);
    report_text_column(json, "parent", &columns[2]);
    pw_json_say_known_time(json, "expires", columns[3].number);
    pw_json_close(json, '}');
}

static void take_count(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to += columns[0].number;
}

void report_list(const struct pw_central *central, struct pw_json_writer *json,
                 const struct station *station)
{
    struct list list = list_of(central, station);
    int64_t differences = 0;
    int64_t most =
        configuration_number(central, station, "LocalAuthListMaxLength", PW_CENTRAL_LIST_MAX);
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(most)};
    (void)db_read(central, WANTED "SELECT COUNT(*)" DIFFERS, args, PW_COUNT(args), take_count,
                  &differences);
    (void)db_read(central, WANTED "SELECT COUNT(*)" TOO_MUCH, args, PW_COUNT(args), take_count,
                  &differences);
    pw_json_say_int(json, "version", list.version);
    pw_json_say_s(json, "state", list.known ? list.state : "unknown");
    pw_json_say_bool(json, "automatic", list.automatic);
    pw_json_say_known_time(json, "at", list.at);
    pw_json_say_int(json, "differences", differences);
    pw_json_say_int(json, "max_length", most);
    pw_json_key(json, "entries");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT id_tag, status, parent, expires FROM local_list_entry"
                  " WHERE station_id = $1 ORDER BY id_tag",
                  args, 1, put_held, json);
    pw_json_close(json, ']');
}

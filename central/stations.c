// The stations known, and what was last heard of their connectors.
#include "records.h"

#include <stdlib.h>
#include <string.h>

#define MAINS_LEAST_V 180
#define MAINS_MOST_V  280

bool station_id_ok(struct pw_str id)
{
    if (id.len == 0 || id.len > PW_CENTRAL_STATION_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        char c = id.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("_.:@=*+-", c) == NULL)) {
            return false;
        }
    }
    return true;
}

// The place of the first station whose id does not sort before `id`.
static size_t place(const struct pw_central *central, struct pw_str id)
{
    size_t low = 0;
    size_t high = central->stations;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct pw_str there = pw_str_of(central->station[middle]->id);
        size_t len = there.len < id.len ? there.len : id.len;
        int order = memcmp(there.at, id.at, len);
        if (order < 0 || (order == 0 && there.len < id.len)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct station *station_find(const struct pw_central *central, struct pw_str id)
{
    if (id.len == 0) {
        return NULL;
    }
    size_t at = place(central, id);
    return at < central->stations && pw_str_is(id, central->station[at]->id) ? central->station[at]
                                                                             : NULL;
}

static void take_key(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    db_take(to, HASH_MAX, &columns[0]);
}

bool station_key(const struct pw_central *central, struct pw_str id, char hash[HASH_MAX])
{
    struct pw_db_value args[] = {pw_db_text(id)};
    hash[0] = '\0';
    (void)db_read(central, "SELECT key_hash FROM station WHERE id = $1", args, PW_COUNT(args),
                  take_key, hash);
    return hash[0] != '\0';
}

bool station_key_next(const struct pw_central *central, struct pw_str id, char hash[HASH_MAX])
{
    struct pw_db_value args[] = {pw_db_text(id)};
    hash[0] = '\0';
    (void)db_read(central, "SELECT key_next FROM station WHERE id = $1", args, PW_COUNT(args),
                  take_key, hash);
    return hash[0] != '\0';
}

static bool grow(struct pw_central *central)
{
    if (central->stations < central->stations_cap) {
        return true;
    }
    size_t cap = central->stations_cap == 0 ? 64 : central->stations_cap * 2;
    struct station **grown = realloc(central->station, cap * sizeof(struct station *));
    if (grown == NULL) {
        return false;
    }
    central->station = grown;
    central->stations_cap = cap;
    return true;
}

static struct station *insert(struct pw_central *central, struct pw_str id)
{
    uint64_t nonce = 0;
    const struct pw_central_crypto *crypto = central->config.crypto;
    if (central->stations >= PW_CENTRAL_STATIONS_MAX || !station_id_ok(id) || !grow(central) ||
        crypto->random(crypto->context, (uint8_t *)&nonce, sizeof(nonce)) != PW_OK) {
        return NULL;
    }
    struct station *station = calloc(1, sizeof(*station));
    if (station == NULL) {
        return NULL;
    }
    PW_ASSERT(pw_str_copy(station->id, sizeof(station->id), id) == PW_OK);
    pw_ocpp_rpc_init(&station->rpc, nonce);
    size_t at = place(central, id);
    memmove(&central->station[at + 1], &central->station[at],
            (central->stations - at) * sizeof(struct station *));
    central->station[at] = station;
    central->stations++;
    return station;
}

struct station *station_add(struct pw_central *central, struct pw_str id, struct pw_instant at)
{
    struct station *station = station_find(central, id);
    if (station == NULL) {
        station = insert(central, id);
    }
    if (station != NULL) {
        // Also for one we know: the commit that should have kept its row may have failed.
        struct pw_db_value args[] = {pw_db_text(id), pw_db_int(at.wall)};
        (void)db_write(central,
                       "INSERT INTO station (id, added_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                       args, PW_COUNT(args), at.now);
    }
    return station;
}

struct connector *connector_of(struct station *station, int64_t id)
{
    if (id < 0 || id >= PW_CENTRAL_CONNECTORS) {
        return NULL;
    }
    struct connector *connector = station->connector[id];
    if (connector == NULL) {
        connector = calloc(1, sizeof(*connector));
        if (connector == NULL) {
            return NULL;
        }
        connector->id = (int)id;
        connector->status = -1;
        connector->error_code = -1;
        vehicle_forget(&connector->vehicle);
        station->connector[id] = connector;
    }
    return connector;
}

enum outlet_kind connector_kind(const struct connector *connector)
{
    int64_t mv = connector->live.value[VOLTAGE];
    if (connector->outlet != NULL && connector->outlet->kind != OUTLET_UNTOLD) {
        return connector->outlet->kind;
    }
    if ((connector->live.has & (1U << VOLTAGE)) == 0) {
        return OUTLET_UNTOLD;
    }
    // A voltage that is none of the mains belongs to a dc connector.
    bool mains = mv >= MAINS_LEAST_V * INT64_C(1000) && mv <= MAINS_MOST_V * INT64_C(1000);
    return mains ? OUTLET_AC : OUTLET_DC;
}

void connector_keep(struct pw_central *central, const struct station *station,
                    const struct connector *connector, struct pw_instant at)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_int(connector->id),
        pw_db_text(pw_ocpp_code_text(&pw_ocpp16_connector_status, connector->status)),
        pw_db_text(pw_ocpp_code_text(&pw_ocpp16_error_code, connector->error_code)),
        db_words(connector->info),
        db_words(connector->vendor_error_code),
        db_time(connector->since),
    };
    (void)db_write(central,
                   "INSERT INTO connector (station_id, connector_id, status, error_code, info,"
                   " vendor_error_code, since) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT (station_id, connector_id) DO UPDATE SET status = $3,"
                   " error_code = $4, info = $5, vendor_error_code = $6, since = $7",
                   args, PW_COUNT(args), at.now);
}

// --- From the database.

static void take_station(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_central *central = to;
    struct station *station = insert(central, columns[0].text);
    if (station == NULL) {
        return; // counted by stations_load
    }
    db_take(station->vendor, sizeof(station->vendor), &columns[1]);
    db_take(station->model, sizeof(station->model), &columns[2]);
    db_take(station->firmware, sizeof(station->firmware), &columns[3]);
    db_take(station->serial, sizeof(station->serial), &columns[4]);
    station->boot_at = columns[5].number;
    station->last_seen = columns[6].number;
}

static void take_automatic(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct station *station = station_find(to, columns[0].text);
    if (station != NULL) {
        station->list_automatic = true;
    }
}

static void take_connector(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct station *station = station_find(to, columns[0].text);
    struct connector *connector = station != NULL ? connector_of(station, columns[1].number) : NULL;
    if (connector == NULL) {
        return;
    }
    connector->status = pw_ocpp_code_find(&pw_ocpp16_connector_status, columns[2].text);
    connector->error_code = pw_ocpp_code_find(&pw_ocpp16_error_code, columns[3].text);
    db_take(connector->info, sizeof(connector->info), &columns[4]);
    db_take(connector->vendor_error_code, sizeof(connector->vendor_error_code), &columns[5]);
    connector->since = columns[6].number;
}

// Open sessions come oldest first, so that the newest is the one shown.
static void take_session(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct station *station = station_find(to, columns[0].text);
    struct connector *connector = station != NULL ? connector_of(station, columns[1].number) : NULL;
    if (connector != NULL) {
        connector->session = columns[2].number;
        db_take(connector->id_tag, sizeof(connector->id_tag), &columns[3]);
    }
}

int stations_load(struct pw_central *central)
{
    int64_t rows = db_read(central,
                           "SELECT id, vendor, model, firmware, serial, boot_at,"
                           " last_seen FROM station ORDER BY id",
                           NULL, 0, take_station, central);
    if (rows < 0 ||
        db_read(central,
                "SELECT station_id, connector_id, status, error_code, info, vendor_error_code,"
                " since FROM connector",
                NULL, 0, take_connector, central) < 0 ||
        db_read(central,
                "SELECT station_id, connector_id, id, id_tag FROM session"
                " WHERE stop_at IS NULL AND suspect IS NULL ORDER BY id",
                NULL, 0, take_session, central) < 0 ||
        db_read(central, "SELECT station_id FROM local_list WHERE automatic <> 0", NULL, 0,
                take_automatic, central) < 0 ||
        uplinks_load(central) != PW_OK) {
        return PW_ERR_STORE;
    }
    return rows == (int64_t)central->stations ? PW_OK : PW_ERR_LIMIT;
}

void stations_free(struct pw_central *central)
{
    for (size_t i = 0; i < central->stations; i++) {
        struct station *station = central->station[i];
        for (size_t k = 0; k < PW_CENTRAL_CONNECTORS; k++) {
            if (station->connector[k] != NULL) {
                free(station->connector[k]->outlet);
            }
            free(station->connector[k]);
        }
        while (station->command != NULL) {
            struct command *command = station->command;
            station->command = command->next;
            free(command);
        }
        effects_free(station);
        free(station);
    }
    free(central->station);
}

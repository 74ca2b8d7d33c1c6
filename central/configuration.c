// Configuration keys as a station last told them, and what became of those that were changed.
// Sources: OCPP 1.6 §5.3, §5.8; whitepaper A01.
#include "records.h"

#include <string.h>

struct key_row {
    bool known;
    bool has_value;
    char value[CONFIG_VALUE_MAX];
};

static void take_key(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct key_row *row = to;
    row->known = true;
    row->has_value = columns[0].kind == PW_DB_TEXT;
    db_take(row->value, sizeof(row->value), &columns[0]);
}

static struct key_row key_of(const struct pw_central *central, const struct station *station,
                             struct pw_str key)
{
    struct key_row row = {0};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_text(key)};
    (void)db_read(central, "SELECT value FROM configuration WHERE station_id = $1 AND key = $2",
                  args, PW_COUNT(args), take_key, &row);
    return row;
}

int64_t configuration_number(const struct pw_central *central, const struct station *station,
                             const char *key, int64_t otherwise)
{
    struct key_row row = key_of(central, station, pw_str_of(key));
    int64_t value = otherwise;
    return pw_parse_int(pw_str_of(row.value), 0, INT32_MAX, &value) == PW_OK ? value : otherwise;
}

static bool is_secret(struct pw_str key)
{
    return pw_str_eq_nocase(key, PW_STR("AuthorizationKey"));
}

// --- Changes.

struct change {
    struct pw_str key;
    const char *old; // NULL: not known
    struct pw_db_value now;
    const char *why;
};

static void note_change(const struct answered *answered, const struct change *change)
{
    struct pw_db_value id = pw_db_text(pw_str_of(answered->station->id));
    struct pw_db_value args[] = {id,
                                 pw_db_int(answered->at.wall),
                                 pw_db_text(change->key),
                                 change->old != NULL ? pw_db_text(pw_str_of(change->old))
                                                     : pw_db_null(),
                                 change->now,
                                 pw_db_text(pw_str_of(change->why))};
    struct pw_db_value kept[] = {id, pw_db_int(PW_CENTRAL_CHANGES_KEPT)};
    (void)db_write(answered->central,
                   "INSERT INTO configuration_change (station_id, at, key, old, new, why)"
                   " VALUES ($1, $2, $3, $4, $5, $6)",
                   args, PW_COUNT(args), answered->at.now);
    (void)db_write(answered->central,
                   "DELETE FROM configuration_change WHERE station_id = $1 AND n <="
                   " (SELECT n FROM configuration_change WHERE station_id = $1 ORDER BY n DESC"
                   " LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), answered->at.now);
}

// Asks for the value as the station now has it: that is the effect to be seen.
static bool read_back(const struct answered *answered, struct pw_str key)
{
    char text[TEXT50_MAX * 6 + 32];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "key");
    pw_json_open(&json, '[');
    pw_json_put_text(&json, key);
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    return command_queue(answered->central, answered->station, PW_OCPP16_GET_CONFIGURATION,
                         pw_out_str(&out), true, answered->at) > 0;
}

static void keep_wanted(const struct answered *answered, struct pw_str key, struct pw_str value)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(answered->station->id)), pw_db_text(key),
                                 pw_db_int(answered->at.wall), pw_db_text(value)};
    (void)db_write(answered->central,
                   "INSERT INTO configuration (station_id, key, value, readonly, read_at, wanted)"
                   " VALUES ($1, $2, NULL, 0, $3, $4) ON CONFLICT (station_id, key)"
                   " DO UPDATE SET wanted = $4",
                   args, PW_COUNT(args), answered->at.now);
}

enum expect configuration_changed(const struct answered *answered)
{
    const struct pw_ocpp16_change_configuration_req *req = answered->req;
    const struct pw_ocpp16_change_configuration_conf *conf = answered->conf;
    bool taken = conf->status == PW_OCPP16_CONFIGURATION_ACCEPTED;
    bool reboot = conf->status == PW_OCPP16_CONFIGURATION_REBOOT_REQUIRED;
    if (is_secret(req->key)) {
        key_changed(answered->central, answered->station, taken || reboot, answered->at);
    }
    if (!taken && !reboot) {
        return EXPECT_NOTHING;
    }
    struct key_row row = key_of(answered->central, answered->station, req->key);
    const struct change change = {
        .key = req->key,
        .old = row.has_value ? row.value : NULL,
        .now = is_secret(req->key) ? pw_db_null() : pw_db_text(req->value),
        .why = reboot ? "changed here, counts after a reboot" : "changed here",
    };
    note_change(answered, &change);
    bool profile = pw_str_eq_nocase(req->key, PW_STR("SecurityProfile"));
    if (profile) {
        keep_wanted(answered, req->key, req->value);
    }
    if (is_secret(req->key) || profile) {
        answered->watch->wait_ms = PW_CENTRAL_REKEY_MS;
        return EXPECT_EFFECT; // it connects anew
    }
    if (reboot) {
        keep_wanted(answered, req->key, req->value);
        pw_put_s(answered->effect, "counts after a reboot");
        return EXPECT_NOTHING;
    }
    return read_back(answered, req->key) ? EXPECT_EFFECT : EXPECT_NOTHING;
}

void configuration_booted(struct pw_central *central, const struct station *station, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    (void)db_write(central,
                   "UPDATE configuration SET value = wanted, wanted = NULL"
                   " WHERE station_id = $1 AND wanted IS NOT NULL AND key <> 'SecurityProfile'",
                   args, PW_COUNT(args), now);
}

static void take_wanted(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    if (columns[0].kind != PW_DB_TEXT ||
        pw_parse_int(columns[0].text, 0, INT32_MAX, (int64_t *)to) != PW_OK) {
        *(int64_t *)to = -1;
    }
}

int64_t configuration_wanted(const struct pw_central *central, const struct station *station,
                             const char *key)
{
    int64_t wanted = -1;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_text(pw_str_of(key))};
    (void)db_read(central, "SELECT wanted FROM configuration WHERE station_id = $1 AND key = $2",
                  args, PW_COUNT(args), take_wanted, &wanted);
    return wanted;
}

void configuration_reached(struct pw_central *central, const struct station *station,
                           const char *key, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_text(pw_str_of(key))};
    (void)db_write(central,
                   "UPDATE configuration SET value = wanted, wanted = NULL"
                   " WHERE station_id = $1 AND key = $2",
                   args, PW_COUNT(args), now);
}

// --- Reading.

static void keep_key(const struct answered *answered, const struct pw_ocpp16_key_value *key)
{
    struct pw_central *central = answered->central;
    bool given = (key->has & PW_OCPP16_HAS(key_value, value)) != 0 && !is_secret(key->key);
    struct key_row row = key_of(central, answered->station, key->key);
    if (row.known && given && row.has_value && !pw_str_is(key->value, row.value)) {
        const struct change change = {
            .key = key->key, .old = row.value, .now = pw_db_text(key->value), .why = "read"};
        note_change(answered, &change);
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(answered->station->id)), pw_db_text(key->key),
                                 given ? pw_db_text(key->value) : pw_db_null(),
                                 pw_db_int(key->readonly ? 1 : 0), pw_db_int(answered->at.wall)};
    (void)db_write(central,
                   "INSERT INTO configuration (station_id, key, value, readonly, read_at)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (station_id, key) DO UPDATE SET"
                   " value = $3, readonly = $4, read_at = $5,"
                   " wanted = CASE WHEN wanted = $3 THEN NULL ELSE wanted END",
                   args, PW_COUNT(args), answered->at.now);
    struct sight sight = {
        .kind = SIGHT_READ, .word = key->key, .text = given ? key->value : (struct pw_str){0}};
    sight_note(central, answered->station, &sight, answered->at);
}

enum expect configuration_kept(const struct answered *answered)
{
    const struct pw_ocpp16_get_configuration_req *req = answered->req;
    const struct pw_ocpp16_get_configuration_conf *conf = answered->conf;
    struct pw_ocpp16_key_value key;
    struct pw_ocpp_iter it = pw_ocpp_each(&conf->configuration_key);
    int64_t count = 0;
    for (; pw_ocpp_next(&it, &key, sizeof(key)) && count < PW_CENTRAL_KEYS_KEPT; count++) {
        keep_key(answered, &key);
    }
    if (req->key.count == 0 && count > 0 && count < PW_CENTRAL_KEYS_KEPT) {
        // The whole list: what is not in it is gone.
        struct pw_db_value args[] = {pw_db_text(pw_str_of(answered->station->id)),
                                     pw_db_int(answered->at.wall)};
        (void)db_write(answered->central,
                       "DELETE FROM configuration WHERE station_id = $1 AND read_at < $2", args,
                       PW_COUNT(args), answered->at.now);
    }
    pw_put_int(answered->effect, count);
    pw_put_s(answered->effect, count == 1 ? " key kept" : " keys kept");
    if (conf->unknown_key.count > 0) {
        pw_put_s(answered->effect, ", ");
        pw_put_int(answered->effect, conf->unknown_key.count);
        pw_put_s(answered->effect, " unknown to the station");
    }
    return EXPECT_NOTHING;
}

// --- Reporting.

static void put_key(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "key", &columns[0]);
    report_text_column(json, "value", &columns[1]);
    pw_json_say_bool(json, "readonly", columns[2].number != 0);
    pw_json_say_known_time(json, "read_at", columns[3].number);
    report_text_column(json, "wanted", &columns[4]);
    pw_json_say_bool(json, "reboot_required", columns[4].kind == PW_DB_TEXT);
    pw_json_close(json, '}');
}

static void put_change(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    pw_json_say_known_time(json, "at", columns[0].number);
    report_text_column(json, "key", &columns[1]);
    report_text_column(json, "old", &columns[2]);
    report_text_column(json, "new", &columns[3]);
    report_text_column(json, "why", &columns[4]);
    pw_json_close(json, '}');
}

void report_configuration(const struct pw_central *central, struct pw_json_writer *json,
                          const struct station *station, int64_t changes)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(changes)};
    pw_json_key(json, "keys");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT key, value, readonly, read_at, wanted FROM configuration"
                  " WHERE station_id = $1 ORDER BY key",
                  args, 1, put_key, json);
    pw_json_close(json, ']');
    pw_json_key(json, "changes");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT at, key, old, new, why FROM configuration_change WHERE station_id = $1"
                  " ORDER BY n DESC LIMIT $2",
                  args, PW_COUNT(args), put_change, json);
    pw_json_close(json, ']');
}

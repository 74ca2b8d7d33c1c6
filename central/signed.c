// Signed meter values: kept word for word with their session for as long as it is kept, because a
// customer may ask years later, and the public keys that came with them. The first key seen of a
// connector's meter is the one that later values are held against: whoever changes a value could
// change the key beside it as well.
// Source: OCA Signed Meter Values 1.0 §3.2.
#include "json/json.h"
#include "state.h"

enum { NODES = 32, SPARE = 2600 };

bool signed_is(const struct pw_ocpp16_sampled_value *sample)
{
    return (sample->has & PW_OCPP16_HAS(sampled_value, format)) != 0 &&
           pw_str_is(sample->format.text, "SignedData");
}

static void keep_key(const struct call *call, const struct connector *connector,
                     struct pw_str value)
{
    struct pw_json_node node[NODES];
    char spare[SPARE];
    struct pw_json json = {.node = node, .cap = NODES, .spare = spare, .spare_cap = SPARE};
    struct pw_str key;
    if (pw_json_read(&json, value) != PW_OK ||
        pw_json_text(pw_json_member(node, "publicKey"), &key) != PW_OK || key.len == 0) {
        return;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id)), pw_db_int(connector->id),
                                 pw_db_text(key), pw_db_int(call->at.wall)};
    (void)db_write(call->central,
                   "INSERT INTO meter_key (station_id, connector_id, public_key, first_at)"
                   " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
}

void signed_keep(const struct call *call, const struct connector *connector, int64_t session,
                 pw_unix_ms at, const struct pw_ocpp16_sampled_value *sample)
{
    bool context = (sample->has & PW_OCPP16_HAS(sampled_value, context)) != 0;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(call->station->id)),
        pw_db_int(connector->id),
        pw_db_int(session),
        pw_db_int(at),
        pw_db_text(context ? sample->context.text : PW_STR("")),
        pw_db_text(sample->value),
        pw_db_int(call->at.wall),
    };
    // The same value may come in MeterValues and again in StopTransaction.
    (void)db_write(call->central,
                   "INSERT INTO signed_value (station_id, connector_id, session_id, at, context,"
                   " value, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
    keep_key(call, connector, sample->value);
}

static void put_value(void *to, const struct pw_db_value *columns, size_t count)
{
    struct pw_json_writer *json = to;
    (void)count;
    pw_json_open(json, '{');
    pw_json_key(json, "at");
    pw_json_put_time(json, columns[0].number);
    report_text_column(json, "context", &columns[1]);
    report_text_column(json, "value", &columns[2]);
    pw_json_close(json, '}');
}

static void put_key(void *to, const struct pw_db_value *columns, size_t count)
{
    struct pw_json_writer *json = to;
    (void)count;
    pw_json_open(json, '{');
    report_text_column(json, "public_key", &columns[0]);
    pw_json_key(json, "first_seen");
    pw_json_put_time(json, columns[1].number);
    pw_json_close(json, '}');
}

void report_session_signed(const struct pw_central *central, struct pw_json_writer *json,
                           int64_t session)
{
    struct pw_db_value args[] = {pw_db_int(session)};
    pw_json_key(json, "signed_values");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT at, context, value FROM signed_value"
                  " WHERE session_id = $1 AND session_id > 0 ORDER BY at, id LIMIT 500",
                  args, PW_COUNT(args), put_value, json);
    pw_json_close(json, ']');
    pw_json_key(json, "meter_keys");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT k.public_key, k.first_at FROM meter_key k JOIN session s"
                  " ON s.station_id = k.station_id AND s.connector_id = k.connector_id"
                  " WHERE s.id = $1 ORDER BY k.first_at, k.public_key LIMIT 50",
                  args, PW_COUNT(args), put_key, json);
    pw_json_close(json, ']');
}

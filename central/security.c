// The security extensions: events, the stations' certificates, our own authority, and keys that
// are changed over OCPP. Sources: whitepaper edition 3, A01–A03, M03–M05 and chapter 5.
#include "records.h"

#include <stdlib.h>
#include <string.h>

#define KEY_DIGITS 40 // of an AuthorizationKey: 20 random bytes in hex (whitepaper §7.2)

// --- Events.

void security_serve_event(const struct call *call, const void *message)
{
    const struct pw_ocpp16_security_event_notification_req *req = message;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id)),
                                 pw_db_int(req->timestamp), pw_db_int(call->at.wall),
                                 pw_db_text(req->type), pw_db_text(req->tech_info)};
    struct pw_db_value kept[] = {args[0], pw_db_int(PW_CENTRAL_EVENTS_KEPT)};
    (void)db_write(call->central,
                   "INSERT INTO security_event (station_id, at, received_at, type, info)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
    (void)db_write(call->central,
                   "DELETE FROM security_event WHERE station_id = $1 AND n <="
                   " (SELECT n FROM security_event WHERE station_id = $1 ORDER BY n DESC"
                   " LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), call->at.now);
    struct pw_line line;
    pw_line(&line, call->central->config.log, PW_LOG_WARN, "security", "event");
    pw_line_s(&line, "station", call->station->id);
    pw_line_str(&line, "type", req->type);
    pw_line_end(&line);
    // The station forgets it with our answer.
    struct pw_ocpp16_security_event_notification_conf conf = {0};
    answer_when_durable(call, &pw_ocpp16_security_event_notification_conf, &conf);
    event_station(call->central, call->station);
}

static void put_event(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_number_column(json, "n", &columns[0], 0);
    report_text_column(json, "station_id", &columns[1]);
    pw_json_say_known_time(json, "at", columns[2].number);
    pw_json_say_known_time(json, "received_at", columns[3].number);
    report_text_column(json, "type", &columns[4]);
    report_text_column(json, "tech_info", &columns[5]);
    pw_json_close(json, '}');
}

void report_security_events(const struct pw_central *central, struct pw_json_writer *json,
                            struct pw_str station, int64_t before, int64_t limit)
{
    struct pw_db_value args[] = {station.len > 0 ? pw_db_text(station) : pw_db_null(),
                                 pw_db_int(before), pw_db_int(limit)};
    (void)db_read(central,
                  "SELECT n, station_id, at, received_at, type, info FROM security_event"
                  " WHERE ($1 IS NULL OR station_id = $1) AND n < $2 ORDER BY n DESC LIMIT $3",
                  args, PW_COUNT(args), put_event, json);
}

// --- Signing.

// Sends the station its certificate. Behind the answer to its request: commands go out one by one.
static void send_certificate(const struct call *call, struct pw_str chain)
{
    struct pw_out out = {.at = call->central->list, .cap = LIST_BYTES};
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_say_text(&json, "certificateChain", chain);
    pw_json_close(&json, '}');
    if (!out.full) {
        (void)command_queue(call->central, call->station, PW_OCPP16_CERTIFICATE_SIGNED,
                            pw_out_str(&out), true, call->at);
        commands_go(call->central, call->station, call->at);
    }
}

static void keep_issued(const struct call *call, const struct pw_central_issued *issued,
                        struct pw_str chain)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(issued->serial)),
                                 pw_db_text(pw_str_of(call->station->id)),
                                 pw_db_text(pw_str_of(issued->subject)),
                                 pw_db_int(issued->from),
                                 pw_db_int(issued->to),
                                 pw_db_int(call->at.wall),
                                 pw_db_text(chain)};
    struct pw_db_value kept[] = {args[1], pw_db_int(PW_CENTRAL_ISSUED_KEPT)};
    (void)db_write(call->central,
                   "INSERT INTO certificate_issued (serial, station_id, subject, from_at, to_at,"
                   " issued_at, state, pem) VALUES ($1, $2, $3, $4, $5, $6, 'sent', $7)",
                   args, PW_COUNT(args), call->at.now);
    (void)db_write(call->central,
                   "DELETE FROM certificate_issued WHERE station_id = $1 AND state <> 'revoked'"
                   " AND issued_at < (SELECT issued_at FROM certificate_issued"
                   " WHERE station_id = $1 ORDER BY issued_at DESC LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), call->at.now);
}

static void say_refused(const struct call *call, const char *why)
{
    struct pw_line line;
    pw_line(&line, call->central->config.log, PW_LOG_WARN, "security", "request_refused");
    pw_line_s(&line, "station", call->station->id);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
    // An operator is to see it (whitepaper A02, error handling): it stands among the events.
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id)), pw_db_int(call->at.wall),
                                 pw_db_text(pw_str_of(why))};
    (void)db_write(call->central,
                   "INSERT INTO security_event (station_id, at, received_at, type, info)"
                   " VALUES ($1, $2, $2, 'central: certificate request refused', $3)"
                   " ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
}

void security_serve_sign(const struct call *call, const void *message)
{
    const struct pw_ocpp16_sign_certificate_req *req = message;
    const struct pw_central_ca *ca = call->central->config.ca;
    static const char none[] = "this central has no authority (pilotwire-central ca init)";
    struct pw_central_issued issued = {0};
    char chain[PW_CENTRAL_CHAIN_MAX];
    char text[256] = "";
    struct pw_out out = PW_OUT(chain);
    struct pw_out why = PW_OUT(text);
    const struct pw_central_request wanted = {
        .csr = req->csr, .station = pw_str_of(call->station->id), .now = call->at.wall};
    bool signing = ca != NULL && ca->sign(ca->context, &wanted, &out, &issued, &why) == PW_OK;
    if (!signing) {
        say_refused(call, ca != NULL ? text : none);
    } else {
        keep_issued(call, &issued, pw_out_str(&out));
    }
    struct pw_ocpp16_sign_certificate_conf conf = {.status = signing ? PW_OCPP16_GENERIC_ACCEPTED
                                                                     : PW_OCPP16_GENERIC_REJECTED};
    call_answer(call, &pw_ocpp16_sign_certificate_conf, &conf);
    if (signing) {
        send_certificate(call, pw_out_str(&out));
    }
}

enum expect certificate_taken(const struct answered *answered)
{
    const struct pw_ocpp16_certificate_signed_conf *conf = answered->conf;
    bool taken = conf->status == PW_OCPP16_GENERIC_ACCEPTED;
    struct pw_db_value args[] = {pw_db_text(taken ? PW_STR("taken") : PW_STR("refused")),
                                 pw_db_text(pw_str_of(answered->station->id))};
    (void)db_write(answered->central,
                   "UPDATE certificate_issued SET state = $1 WHERE serial = (SELECT serial FROM"
                   " certificate_issued WHERE station_id = $2 AND state = 'sent'"
                   " ORDER BY issued_at DESC LIMIT 1)",
                   args, PW_COUNT(args), answered->at.now);
    if (!taken) {
        return EXPECT_NOTHING;
    }
    pw_put_s(answered->effect, "the station has taken its certificate");
    return answered->station->profile == 3 ? EXPECT_EFFECT : EXPECT_NOTHING;
}

static void take_count(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

bool certificate_good(const struct pw_central *central, struct pw_str station, struct pw_str serial,
                      pw_unix_ms wall)
{
    int64_t revoked = 0;
    struct pw_db_value args[] = {pw_db_text(serial), pw_db_text(station)};
    (void)wall; // its dates were looked at by the handshake
    return db_read(central,
                   "SELECT COUNT(*) FROM certificate_issued WHERE serial = $1"
                   " AND (state = 'revoked' OR station_id <> $2)",
                   args, PW_COUNT(args), take_count, &revoked) == 1 &&
           revoked == 0;
}

// --- Root certificates in stations.

enum expect certificates_listed(const struct answered *answered)
{
    const struct pw_ocpp16_get_installed_certificate_ids_req *req = answered->req;
    const struct pw_ocpp16_get_installed_certificate_ids_conf *conf = answered->conf;
    struct pw_str use = pw_ocpp_code_text(&pw_ocpp16_certificate_use, (int)req->certificate_type);
    struct pw_db_value id = pw_db_text(pw_str_of(answered->station->id));
    struct pw_db_value old[] = {id, pw_db_text(use)};
    (void)db_write(answered->central, "DELETE FROM certificate WHERE station_id = $1 AND use = $2",
                   old, PW_COUNT(old), answered->at.now);
    int64_t count = 0;
    struct pw_ocpp16_certificate_hash_data data;
    struct pw_ocpp_iter it = pw_ocpp_each(&conf->certificate_hash_data);
    for (; count < PW_CENTRAL_ROOTS_KEPT && pw_ocpp_next(&it, &data, sizeof(data)); count++) {
        struct pw_db_value args[] = {
            id,
            pw_db_text(use),
            pw_db_text(pw_ocpp_code_text(&pw_ocpp16_hash_algorithm, (int)data.hash_algorithm)),
            pw_db_text(data.issuer_name_hash),
            pw_db_text(data.issuer_key_hash),
            pw_db_text(data.serial_number),
            pw_db_int(answered->at.wall)};
        (void)db_write(answered->central,
                       "INSERT INTO certificate (station_id, use, hash_algorithm,"
                       " issuer_name_hash, issuer_key_hash, serial_number, read_at)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                       args, PW_COUNT(args), answered->at.now);
    }
    pw_put_int(answered->effect, count);
    pw_put_s(answered->effect, count == 1 ? " certificate kept" : " certificates kept");
    struct sight sight = {
        .kind = SIGHT_LISTED, .status = (int)req->certificate_type, .number = count};
    sight_note(answered->central, answered->station, &sight, answered->at);
    return EXPECT_NOTHING;
}

enum expect certificate_installed(const struct answered *answered)
{
    const struct pw_ocpp16_install_certificate_req *req = answered->req;
    const struct pw_ocpp16_install_certificate_conf *conf = answered->conf;
    char text[96];
    struct pw_out out = PW_OUT(text);
    if (conf->status != PW_OCPP16_INSTALL_ACCEPTED) {
        return EXPECT_NOTHING;
    }
    pw_put_s(&out, "{\"certificateType\":\"");
    pw_put(&out, pw_ocpp_code_text(&pw_ocpp16_certificate_use, (int)req->certificate_type));
    pw_put_s(&out, "\"}");
    return command_queue(answered->central, answered->station,
                         PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS, pw_out_str(&out), true,
                         answered->at) > 0
               ? EXPECT_EFFECT
               : EXPECT_NOTHING;
}

enum expect certificate_deleted(const struct answered *answered)
{
    const struct pw_ocpp16_delete_certificate_req *req = answered->req;
    const struct pw_ocpp16_delete_certificate_conf *conf = answered->conf;
    const struct pw_ocpp16_certificate_hash_data *data = &req->certificate_hash_data;
    if (conf->status == PW_OCPP16_DELETE_FAILED) {
        return EXPECT_NOTHING;
    }
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(answered->station->id)), pw_db_text(data->issuer_name_hash),
        pw_db_text(data->issuer_key_hash), pw_db_text(data->serial_number)};
    (void)db_write(answered->central,
                   "DELETE FROM certificate WHERE station_id = $1 AND issuer_name_hash = $2"
                   " AND issuer_key_hash = $3 AND serial_number = $4",
                   args, PW_COUNT(args), answered->at.now);
    pw_put_s(answered->effect, conf->status == PW_OCPP16_DELETE_ACCEPTED
                                   ? "the station has removed it"
                                   : "the station had none such");
    return EXPECT_NOTHING;
}

static void put_installed(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "use", &columns[0]);
    report_text_column(json, "hash_algorithm", &columns[1]);
    report_text_column(json, "issuer_name_hash", &columns[2]);
    report_text_column(json, "issuer_key_hash", &columns[3]);
    report_text_column(json, "serial_number", &columns[4]);
    pw_json_say_known_time(json, "read_at", columns[5].number);
    pw_json_close(json, '}');
}

static void put_issued(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_text_column(json, "serial", &columns[0]);
    report_text_column(json, "subject", &columns[1]);
    pw_json_say_known_time(json, "from", columns[2].number);
    pw_json_say_known_time(json, "to", columns[3].number);
    pw_json_say_known_time(json, "issued_at", columns[4].number);
    report_text_column(json, "state", &columns[5]);
    report_text_column(json, "pem", &columns[6]);
    pw_json_close(json, '}');
}

void report_certificates(const struct pw_central *central, struct pw_json_writer *json,
                         const struct station *station, pw_unix_ms wall)
{
    (void)wall;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    pw_json_key(json, "installed");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT use, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number,"
                  " read_at FROM certificate WHERE station_id = $1 ORDER BY use, serial_number",
                  args, PW_COUNT(args), put_installed, json);
    pw_json_close(json, ']');
    pw_json_key(json, "issued");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT serial, subject, from_at, to_at, issued_at, state, pem"
                  " FROM certificate_issued WHERE station_id = $1 ORDER BY issued_at DESC",
                  args, PW_COUNT(args), put_issued, json);
    pw_json_close(json, ']');
}

// --- A new key. Until the station has answered both count, because its answer may get lost on the
// way while it already uses the new one.

int64_t key_change(struct pw_central *central, struct station *station, struct pw_instant at)
{
    char key[KEY_DIGITS + 1];
    char hash[HASH_MAX];
    char text[128];
    struct pw_out out = PW_OUT(text);
    // Who may hold a third key that nobody would know of is not given another one.
    bool by_key = station->link != NULL && station->link->profile < 3;
    if (by_key && station_key_next(central, pw_str_of(station->id), hash)) {
        return PW_ERR_BUSY;
    }
    if (key_random_hex(central, key, KEY_DIGITS) != PW_OK ||
        key_hash(central, pw_str_of(key), STATION_COST, hash) != PW_OK) {
        return PW_ERR_STORE;
    }
    pw_put_s(&out, "{\"key\":\"AuthorizationKey\",\"value\":\"");
    pw_put_s(&out, key);
    pw_put_s(&out, "\"}");
    struct pw_db_value args[] = {pw_db_text(pw_str_of(hash)), pw_db_text(pw_str_of(station->id))};
    if (db_write(central, "UPDATE station SET key_next = $1 WHERE id = $2", args, PW_COUNT(args),
                 at.now) < 0) {
        return PW_ERR_STORE;
    }
    // Durable before the station may have it.
    int64_t result = db_commit(central, at) != PW_OK
                         ? PW_ERR_STORE
                         : command_queue(central, station, PW_OCPP16_CHANGE_CONFIGURATION,
                                         pw_out_str(&out), false, at);
    if (result < 0) {
        key_changed(central, station, false, at); // it was not told
    }
    return result;
}

void key_stayed(struct pw_central *central, const struct station *station, struct pw_instant at)
{
    char next[HASH_MAX];
    if (station_key_next(central, pw_str_of(station->id), next)) {
        key_changed(central, station, false, at);
    }
}

void key_changed(struct pw_central *central, const struct station *station, bool accepted,
                 struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    (void)db_write(central,
                   accepted ? "UPDATE station SET key_hash = key_next, key_next = NULL"
                              " WHERE id = $1 AND key_next IS NOT NULL"
                            : "UPDATE station SET key_next = NULL WHERE id = $1",
                   args, PW_COUNT(args), at.now);
}

// REST: firmware, diagnostics and logs; security events, certificates and keys.
#include "bodies.h"
#include "http.h"
#include "records.h"

#include <string.h>

// --- Writing a payload.

struct writing {
    struct http *http;
    struct pw_out out;
    struct pw_json_writer json;
};

static void writing_begin(struct writing *writing, struct http *http)
{
    writing->http = http;
    writing->out = (struct pw_out){.at = http->central->list, .cap = LIST_BYTES};
    writing->json = PW_JSON_WRITER(&writing->out);
    pw_json_open(&writing->json, '{');
}

// The body's member under OCPP's name; the rows of the message judge it.
static void put_member(struct writing *writing, const char *from, const char *to)
{
    const struct pw_json_node *node = pw_json_member(writing->http->body, from);
    if (node == NULL || pw_json_is(node, PW_JSON_NULL)) {
        return;
    }
    struct pw_str text = {.at = node->at, .len = node->len};
    pw_json_key(&writing->json, to);
    if (pw_json_is(node, PW_JSON_STRING)) {
        pw_json_put_text(&writing->json, text);
    } else {
        pw_json_put_raw(&writing->json, text);
    }
}

// A time, or now when the body has none.
static void put_time(struct writing *writing, const char *from, const char *to)
{
    if (pw_json_member(writing->http->body, from) != NULL) {
        put_member(writing, from, to);
        return;
    }
    pw_json_key(&writing->json, to);
    pw_json_put_time(&writing->json, writing->http->at.wall);
}

static void put_number(struct writing *writing, const char *key, int64_t value)
{
    pw_json_key(&writing->json, key);
    pw_json_put_int(&writing->json, value);
}

static void writing_send(struct writing *writing, struct station *station, int action)
{
    pw_json_close(&writing->json, '}');
    http_command(writing->http, station, action, pw_out_str(&writing->out));
}

// --- Files.

void api_files(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t before = 0;
    int64_t limit = 0;
    if (station == NULL || !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &before) ||
        !http_query_int(http, "limit", 1, 500, 50, &limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "jobs");
    pw_json_open(json, '[');
    report_jobs(http->central, json, station, before, limit);
    pw_json_close(json, ']');
    http_done(http, 200);
}

// {"release_id": …}: to a release of ours, as it is signed.
static void update_to_release(struct http *http, struct station *station)
{
    int64_t id = 0;
    struct kept_release release = {0};
    if (pw_json_int(pw_json_member(http->body, "release_id"), 1, INT64_MAX, &id) == PW_OK) {
        release = release_find(http->central, id);
    }
    if (release.id == 0) {
        http_fail(http, 400, "bad_value", "release_id: there is no such release", PW_STR(""), "");
        return;
    }
    struct pw_out payload = {.at = http->central->list, .cap = LIST_BYTES};
    int64_t request = 0;
    int action = release_command(http->central, station, &release, &payload, &request, http->at);
    http_command(http, station, action, pw_out_str(&payload));
}

void api_firmware(struct http *http)
{
    struct station *station = http_station(http);
    struct writing writing;
    if (station == NULL) {
        return;
    }
    if (pw_json_member(http->body, "release_id") != NULL) {
        update_to_release(http, station);
        return;
    }
    bool signed_one = pw_json_member(http->body, "signature") != NULL ||
                      pw_json_member(http->body, "signing_certificate") != NULL;
    writing_begin(&writing, http);
    put_member(&writing, "retries", "retries");
    put_member(&writing, "retry_interval_s", "retryInterval");
    if (!signed_one) {
        put_member(&writing, "location", "location");
        put_time(&writing, "retrieve_at", "retrieveDate");
        writing_send(&writing, station, PW_OCPP16_UPDATE_FIRMWARE);
        return;
    }
    put_number(&writing, "requestId", file_request_id(http->central));
    pw_json_key(&writing.json, "firmware");
    pw_json_open(&writing.json, '{');
    put_member(&writing, "location", "location");
    put_time(&writing, "retrieve_at", "retrieveDateTime");
    put_member(&writing, "install_at", "installDateTime");
    put_member(&writing, "signing_certificate", "signingCertificate");
    put_member(&writing, "signature", "signature");
    pw_json_close(&writing.json, '}');
    writing_send(&writing, station, PW_OCPP16_SIGNED_UPDATE_FIRMWARE);
}

// The place made for it, or what the body says.
static void put_place(struct writing *writing, const char *place, const char *to)
{
    if (place[0] == '\0') {
        put_member(writing, "location", to);
        return;
    }
    pw_json_key(&writing->json, to);
    pw_json_put_s(&writing->json, place);
}

static const char *type_word(struct pw_str type)
{
    return pw_str_is(type, "SecurityLog") ? "security log" : "diagnostics log";
}

void api_logs_ask(struct http *http)
{
    struct station *station = http_station(http);
    struct pw_str type;
    struct writing writing;
    if (station == NULL || !http_text(http, "type", 20, true, &type)) {
        return;
    }
    bool diagnostics = pw_str_is(type, "diagnostics");
    bool log = pw_str_is(type, "DiagnosticsLog") || pw_str_is(type, "SecurityLog");
    if (!diagnostics && !log) {
        http_fail(http, 400, "bad_value", "type: \"", type,
                  "\" is none of diagnostics, DiagnosticsLog, SecurityLog");
        return;
    }
    char place[512] = "";
    struct pw_out url = PW_OUT(place);
    if (pw_json_member(http->body, "location") == NULL &&
        !upload_place(http->central, station, diagnostics ? "diagnostics" : type_word(type), &url,
                      http->at)) {
        http_fail(http, 400, "missing", "location", PW_STR(""),
                  ": is required; this central has no address that stations know (--public-url)");
        return;
    }
    writing_begin(&writing, http);
    put_member(&writing, "retries", "retries");
    put_member(&writing, "retry_interval_s", "retryInterval");
    if (diagnostics) {
        put_place(&writing, place, "location");
        put_member(&writing, "from", "startTime");
        put_member(&writing, "to", "stopTime");
        writing_send(&writing, station, PW_OCPP16_GET_DIAGNOSTICS);
        return;
    }
    put_number(&writing, "requestId", file_request_id(http->central));
    put_member(&writing, "type", "logType");
    pw_json_key(&writing.json, "log");
    pw_json_open(&writing.json, '{');
    put_place(&writing, place, "remoteLocation");
    put_member(&writing, "from", "oldestTimestamp");
    put_member(&writing, "to", "latestTimestamp");
    pw_json_close(&writing.json, '}');
    writing_send(&writing, station, PW_OCPP16_GET_LOG);
}

// --- Security.

static void security_events(struct http *http, struct pw_str station)
{
    int64_t before = 0;
    int64_t limit = 0;
    if (!http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &before) ||
        !http_query_int(http, "limit", 1, 500, 100, &limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "events");
    pw_json_open(json, '[');
    report_security_events(http->central, json, station, before, limit);
    pw_json_close(json, ']');
    http_done(http, 200);
}

void api_security_events(struct http *http)
{
    const struct station *station = http_station(http);
    if (station != NULL) {
        security_events(http, pw_str_of(station->id));
    }
}

void api_all_security_events(struct http *http)
{
    security_events(http, PW_STR(""));
}

static void take_profile(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].kind == PW_DB_INT ? columns[0].number : -1;
}

static void put_least(struct pw_json_writer *json, int64_t least)
{
    pw_json_key(json, "least_profile");
    if (least >= 0) {
        pw_json_put_int(json, least);
    } else {
        pw_json_put_null(json);
    }
}

void api_certificates(struct http *http)
{
    const struct station *station = http_station(http);
    const struct pw_central_ca *ca = http->central->config.ca;
    if (station == NULL) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    report_certificates(http->central, json, station, http->at.wall);
    pw_json_key(json, "authority");
    if (ca != NULL) {
        pw_json_put_text(json, ca->certificate);
    } else {
        pw_json_put_null(json);
    }
    http_done(http, 200);
}

// {"use": …, "certificate": PEM}; without a certificate that of our own authority.
void api_certificate_add(struct http *http)
{
    const struct pw_central_ca *ca = http->central->config.ca;
    struct station *station = http_station(http);
    struct writing writing;
    if (station == NULL) {
        return;
    }
    writing_begin(&writing, http);
    put_member(&writing, "use", "certificateType");
    if (pw_json_member(http->body, "certificate") != NULL || ca == NULL) {
        put_member(&writing, "certificate", "certificate");
    } else {
        pw_json_key(&writing.json, "certificate");
        pw_json_put_text(&writing.json, ca->certificate);
    }
    writing_send(&writing, station, PW_OCPP16_INSTALL_CERTIFICATE);
}

void api_certificates_read(struct http *http)
{
    struct station *station = http_station(http);
    struct writing writing;
    if (station != NULL) {
        writing_begin(&writing, http);
        put_member(&writing, "use", "certificateType");
        writing_send(&writing, station, PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS);
    }
}

struct chosen {
    struct writing *writing;
    int64_t count;
};

static void put_hashes(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct chosen *chosen = to;
    struct pw_json_writer *json = &chosen->writing->json;
    if (chosen->count++ > 0) {
        return;
    }
    pw_json_key(json, "certificateHashData");
    pw_json_open(json, '{');
    report_text_column(json, "hashAlgorithm", &columns[0]);
    report_text_column(json, "issuerNameHash", &columns[1]);
    report_text_column(json, "issuerKeyHash", &columns[2]);
    report_text_column(json, "serialNumber", &columns[3]);
    pw_json_close(json, '}');
}

void api_certificate_delete(struct http *http)
{
    struct station *station = http_station(http);
    struct pw_str serial = http_query(http, "serial_number");
    struct pw_str issuer = http_query(http, "issuer_key_hash");
    struct writing writing;
    struct chosen chosen = {.writing = &writing};
    if (station == NULL) {
        return;
    }
    writing_begin(&writing, http);
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_text(serial),
                                 issuer.len > 0 ? pw_db_text(issuer) : pw_db_null()};
    (void)db_read(http->central,
                  "SELECT hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number"
                  " FROM certificate WHERE station_id = $1 AND serial_number = $2"
                  " AND ($3 IS NULL OR issuer_key_hash = $3)",
                  args, PW_COUNT(args), put_hashes, &chosen);
    if (chosen.count == 0) {
        http_fail(http, 404, "not_found", "the station has told of no certificate with serial \"",
                  serial, "\"; read them with POST …/certificates/read");
    } else if (chosen.count > 1) {
        http_fail(http, 409, "several", "issuer_key_hash: is required, serial \"", serial,
                  "\" is there more than once");
    } else {
        writing_send(&writing, station, PW_OCPP16_DELETE_CERTIFICATE);
    }
}

void api_certificate_renew(struct http *http)
{
    struct station *station = http_station(http);
    if (station != NULL) {
        http_command(http, station, PW_OCPP16_EXTENDED_TRIGGER_MESSAGE,
                     PW_STR("{\"requestedMessage\":\"SignChargePointCertificate\"}"));
    }
}

void api_certificate_revoke(struct http *http)
{
    struct station *station = http_station(http);
    struct pw_str serial;
    if (station == NULL || !http_text(http, "serial", 64, true, &serial)) {
        return;
    }
    struct pw_db_value args[] = {pw_db_text(serial), pw_db_text(pw_str_of(station->id))};
    int64_t rows = db_write(http->central,
                            "UPDATE certificate_issued SET state = 'revoked'"
                            " WHERE serial = $1 AND station_id = $2",
                            args, PW_COUNT(args), http->at.now);
    if (rows == 0) {
        http_fail(http, 404, "not_found", "no certificate with serial \"", serial,
                  "\" was issued to this station");
        return;
    }
    if (!http_commit(http)) {
        return;
    }
    if (station->link != NULL && strcmp(station->link->certificate, "") != 0 &&
        pw_str_is(serial, station->link->certificate)) {
        link_drop(http->central, station->link, 1008, "its certificate was revoked", http->at);
    }
    uplink_revoked(http->central, station, serial, http->at);
    http_no_content(http);
}

void api_key_change(struct http *http)
{
    struct station *station = http_station(http);
    if (station == NULL) {
        return;
    }
    if (station->link == NULL) {
        http_fail(http, 409, "offline", "the station must be connected to get a new key",
                  PW_STR(""), "");
        return;
    }
    int64_t id = key_change(http->central, station, http->at);
    if (id == PW_ERR_BUSY) {
        http_fail(http, 409, "changing",
                  "the station has not answered the last change of its key; what it uses is known"
                  " when it answers or connects again",
                  PW_STR(""), "");
        return;
    }
    http_queued(http, station, id);
}

void api_security(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t least = -1;
    if (station == NULL) {
        return;
    }
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    (void)db_read(http->central, "SELECT security_profile FROM station WHERE id = $1", args,
                  PW_COUNT(args), take_profile, &least);
    struct pw_json_writer *json = http_object(http);
    put_least(json, least);
    pw_json_key(json, "profile"); // of the link there is
    if (station->link != NULL) {
        pw_json_put_int(json, station->profile);
    } else {
        pw_json_put_null(json);
    }
    http_done(http, 200);
}

void api_security_put(struct http *http)
{
    const struct station *station = http_station(http);
    int64_t least = -1;
    if (station == NULL) {
        return;
    }
    const struct pw_json_node *node = pw_json_member(http->body, "least_profile");
    bool none = node == NULL || pw_json_is(node, PW_JSON_NULL);
    if (!none && pw_json_int(node, 0, 3, &least) != PW_OK) {
        http_fail(http, 400, "bad_value", "least_profile: ",
                  (struct pw_str){.at = node->at, .len = node->len < 40 ? node->len : 40},
                  " is not 0 to 3, or null");
        return;
    }
    struct pw_db_value args[] = {none ? pw_db_null() : pw_db_int(least),
                                 pw_db_text(pw_str_of(station->id))};
    if (db_write(http->central, "UPDATE station SET security_profile = $1 WHERE id = $2", args,
                 PW_COUNT(args), http->at.now) < 0) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    } else if (http_commit(http)) {
        api_security(http);
    }
}

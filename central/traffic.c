// The OCPP log: every frame of every station, with the latency of its answer, newest kept.
// Keys never reach it: they are blotted out here, on the only way in.
#include "bodies.h"

#include <stdlib.h>
#include <string.h>

#define TRIM_EVERY 256 // entries of a station between two trimmings

static const char *const kind_names[] = {"call", "result", "error"};

static bool contains(struct pw_str text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (text.at[i] == word[0] && memcmp(text.at + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

// True when an object of the payload gives the AuthorizationKey a value. A station that only names
// the key among others, as it should, tells no secret. What cannot be read counts as told.
static bool tells_key(struct pw_str payload)
{
    struct pw_json json = {.cap = (uint32_t)(payload.len / 2 + 1), .spare_cap = payload.len};
    json.node = calloc(json.cap, sizeof(*json.node));
    json.spare = malloc(json.spare_cap + 1);
    bool tells = true;
    if (json.node != NULL && json.spare != NULL && pw_json_read(&json, payload) == PW_OK) {
        tells = false;
        for (uint32_t i = 0; i < json.count; i++) {
            const struct pw_json_node *object = &json.node[i];
            const struct pw_json_node *key =
                object->kind == PW_JSON_OBJECT ? pw_json_member(object, "key") : NULL;
            const struct pw_json_node *value = key != NULL ? pw_json_member(object, "value") : NULL;
            tells = tells || (value != NULL && value->len > 0 && pw_json_is(key, PW_JSON_STRING) &&
                              pw_str_eq_nocase((struct pw_str){.at = key->at, .len = key->len},
                                               PW_STR("AuthorizationKey")));
        }
    }
    free(json.node);
    free(json.spare);
    return tells;
}

// The place behind the "//" of an address in [from, len), also of one that JSON has escaped; len
// without.
static size_t next_authority(struct pw_str text, size_t from)
{
    for (size_t i = from; i + 2 < text.len; i++) {
        if (text.at[i] == ':' && text.at[i + 1] == '/' && text.at[i + 2] == '/') {
            return i + 3;
        }
        if (i + 4 < text.len && memcmp(text.at + i, ":\\/\\/", 5) == 0) {
            return i + 5;
        }
    }
    return text.len;
}

// Blots out what stands between the name and the last "@" of an authority (RFC 3986 §3.2.1).
// Returns where it ends; *told says whether there was anything.
static size_t blot_password(struct pw_str text, size_t from, char *shown, bool *told)
{
    size_t end = from;
    size_t at = from;
    size_t colon = text.len;
    while (end < text.len && strchr("/\\\"?# ", text.at[end]) == NULL) {
        at = text.at[end] == '@' ? end : at;
        colon = text.at[end] == ':' && colon == text.len ? end : colon;
        end++;
    }
    if (colon < at) {
        memset(shown + colon + 1, '*', at - colon - 1);
        *told = true;
    }
    return end;
}

// The place behind a slash at `at`, also of one that JSON has escaped; `at` when there is none.
static size_t behind_slash(struct pw_str text, size_t at)
{
    size_t slash = at < text.len && text.at[at] == '\\' ? at + 1 : at;
    return slash < text.len && text.at[slash] == '/' ? slash + 1 : at;
}

// Blots out the secret of ours at `at`, and the one behind it. Returns where they end.
static size_t blot_secrets(struct pw_str text, size_t at, char *shown, bool *told)
{
    for (size_t end = at;; at = behind_slash(text, end)) {
        while (end < text.len && strchr("0123456789abcdef", text.at[end]) != NULL &&
               text.at[end] != '\0') {
            end++;
        }
        if (end - at != TOKEN_HEX) {
            return end;
        }
        memset(shown + at, '*', TOKEN_HEX);
        *told = true;
        if (behind_slash(text, end) == end) {
            return end;
        }
        end = behind_slash(text, end);
    }
}

// Who knows the name of a file for stations may fetch it, or bring one: central/http.c.
static void blot_tokens(struct pw_str text, char *shown, bool *told)
{
    static const char *const folders[] = {"/firmware", "/upload"};
    for (size_t i = 0; i < text.len; i++) {
        for (size_t f = 0; text.at[i] == '/' && f < PW_COUNT(folders); f++) {
            size_t len = strlen(folders[f]);
            bool is_it = len < text.len - i && memcmp(text.at + i, folders[f], len) == 0;
            size_t begin = is_it ? behind_slash(text, i + len) : i + len;
            if (is_it && begin > i + len) {
                i = blot_secrets(text, begin, shown, told) - 1;
                break;
            }
        }
    }
}

static struct pw_str without_secrets(struct pw_central *central, struct pw_str text)
{
    bool told = false;
    if (text.len == 0 || text.len > PW_CENTRAL_MESSAGE_MAX) {
        return text;
    }
    memcpy(central->shown, text.at, text.len);
    for (size_t from = next_authority(text, 0); from < text.len;) {
        from = next_authority(text, blot_password(text, from, central->shown, &told));
    }
    blot_tokens(text, central->shown, &told);
    return told ? (struct pw_str){.at = central->shown, .len = text.len} : text;
}

// What holds a key is not shown at all: a station that answers GetConfiguration with its
// AuthorizationKey breaks the whitepaper (A01.FR.12), but must not make us print it.
struct pw_str traffic_presentable(struct pw_central *central, struct pw_str payload)
{
    return contains(payload, "AuthorizationKey") && contains(payload, "\"value\"") &&
                   tells_key(payload)
               ? PW_STR("{\"hidden\":\"holds the AuthorizationKey\"}")
               : without_secrets(central, payload);
}

static void put_entry(struct pw_central *central, struct pw_json_writer *json,
                      const struct traffic *traffic, int64_t seq, pw_unix_ms time)
{
    pw_json_say_int(json, "seq", seq);
    pw_json_key(json, "time");
    pw_json_put_time(json, time);
    pw_json_say_s(json, "direction", traffic->from_station ? "in" : "out");
    pw_json_say_s(json, "kind", kind_names[traffic->kind - PW_OCPP_CALL]);
    pw_json_key(json, "action");
    if (traffic->action.len > 0) {
        pw_json_put_text(json, traffic->action);
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_text(json, "message_id", traffic->id);
    pw_json_key(json, "latency_ms");
    if (traffic->latency_ms >= 0) {
        pw_json_put_int(json, traffic->latency_ms);
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_text(json, "payload", traffic_presentable(central, traffic->payload));
}

static void trim(struct pw_central *central, struct station *station, pw_ms now)
{
    if (++station->logged < TRIM_EVERY) {
        return;
    }
    station->logged = 0;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(PW_CENTRAL_LOG_KEPT)};
    (void)db_write(central,
                   "DELETE FROM traffic WHERE station_id = $1 AND seq <="
                   " (SELECT seq FROM traffic WHERE station_id = $1 ORDER BY seq DESC"
                   " LIMIT 1 OFFSET $2)",
                   args, PW_COUNT(args), now);
}

void traffic_note(struct pw_central *central, struct station *station,
                  const struct traffic *traffic, struct pw_instant at)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_int(at.wall),
        pw_db_text(traffic->from_station ? PW_STR("in") : PW_STR("out")),
        pw_db_text(pw_str_of(kind_names[traffic->kind - PW_OCPP_CALL])),
        traffic->action.len > 0 ? pw_db_text(traffic->action) : pw_db_null(),
        pw_db_text(traffic->id),
        traffic->latency_ms >= 0 ? pw_db_int(traffic->latency_ms) : pw_db_null(),
        pw_db_text(traffic_presentable(central, traffic->payload)),
    };
    int64_t seq = db_write_id(central,
                              "INSERT INTO traffic (station_id, at, direction, kind, action,"
                              " message_id, latency_ms, payload)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING seq",
                              args, PW_COUNT(args), at.now);
    trim(central, station, at.now);
    if (seq > 0 && events_wanted(central, station)) {
        struct pw_out out;
        struct pw_json_writer json = event_open(central, &out, "ocpp");
        pw_json_open(&json, '{');
        pw_json_say_s(&json, "station_id", station->id);
        put_entry(central, &json, traffic, seq, at.wall);
        pw_json_close(&json, '}');
        event_close(central, &out, station);
    }
}

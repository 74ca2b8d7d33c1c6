// Charging sessions: started once however often the station asks, stopped once, and nothing that
// a station reports about energy is ever thrown away.
// Sources: facts/central.md §3 no. 1–3; facts/reliability.md T39, T43; OCPP 1.6 §4.8, §4.10.
#include "records.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define YEAR_MS (INT64_C(365) * 24 * HOUR_MS)
#define NEWS_FRESH_MS                                                                              \
    (INT64_C(15) * 60 * 1000) // a vehicle seen this long before a start is the one

struct found {
    int64_t id;
    int64_t connector;
    enum pw_ocpp16_authorization_status tag_status;
    char parent[ID_TAG_MAX];
    int64_t start_at;
    int64_t meter_start;
    bool stopped;
    int64_t stop_at;
    int64_t meter_stop;
};

static void take_session(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct found *found = to;
    found->id = columns[0].number;
    found->connector = columns[1].number;
    int status = pw_ocpp_code_find(&pw_ocpp16_authorization_status, columns[2].text);
    found->tag_status =
        status < 0 ? PW_OCPP16_AUTHORIZATION_INVALID : (enum pw_ocpp16_authorization_status)status;
    db_take(found->parent, sizeof(found->parent), &columns[3]);
    found->start_at = columns[4].number;
    found->meter_start = columns[5].number;
    found->stopped = columns[6].kind == PW_DB_INT;
    found->stop_at = columns[6].number;
    found->meter_stop = columns[7].number;
}

#define SESSION_COLUMNS                                                                            \
    "SELECT id, connector_id, tag_status, parent, start_at, meter_start, stop_at, meter_stop"      \
    " FROM session "

// Who else's it may be: a disputed record says what it looked like (facts/reliability.md T39).
static const char *stranger_of(const struct pw_central *central, int64_t id)
{
    struct found found = {0};
    struct pw_db_value args[] = {pw_db_int(id)};
    if (id == -1) {
        return "transaction -1: its start was never delivered"; // erratum 3.18
    }
    if (id <= 0) {
        return "no transaction has a number below 1";
    }
    return db_read(central, SESSION_COLUMNS "WHERE id = $1", args, PW_COUNT(args), take_session,
                   &found) == 1
               ? "disputed: another station's transaction"
               : "no transaction of this central";
}

const char *session_stranger(const struct pw_central *central, const struct station *station,
                             int connector, int64_t id)
{
    struct found found = {0};
    struct pw_db_value args[] = {pw_db_int(id), pw_db_text(pw_str_of(station->id))};
    if (db_read(central, SESSION_COLUMNS "WHERE id = $1 AND station_id = $2", args, PW_COUNT(args),
                take_session, &found) != 1) {
        return stranger_of(central, id);
    }
    return connector < 0 || found.connector == connector
               ? NULL
               : "disputed: a transaction of another connector";
}

void orphan_keep(const struct call *call, const char *reason)
{
    call->central->count.orphans++;
    call->station->violations++;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id)), pw_db_int(call->at.wall),
                                 pw_db_text(action_text(call->action)),
                                 pw_db_text(pw_str_of(reason)), pw_db_text(call->payload_text)};
    (void)db_write(call->central,
                   "INSERT INTO orphan (station_id, received_at, action, reason, payload)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
    struct pw_db_value kept[] = {args[0], pw_db_int(PW_CENTRAL_ORPHANS_KEPT)};
    (void)db_write(call->central,
                   "DELETE FROM orphan WHERE station_id = $1 AND id <= (SELECT id FROM orphan"
                   " WHERE station_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), call->at.now);
    struct pw_line line;
    pw_line(&line, call->central->config.log, PW_LOG_WARN, "session", "orphan");
    pw_line_s(&line, "station", call->station->id);
    pw_line_str(&line, "action", action_text(call->action));
    pw_line_s(&line, "reason", reason);
    pw_line_end(&line);
}

// --- Start.

static const char *doubt_start(const struct pw_ocpp16_start_transaction_req *req, pw_unix_ms wall)
{
    if (req->timestamp > wall + HOUR_MS || req->timestamp < wall - YEAR_MS) {
        return "clock";
    }
    return req->meter_start_wh < 0 ? "meter_negative" : NULL;
}

static struct pw_ocpp16_id_tag_info repeat_info(const struct found *found)
{
    struct pw_ocpp16_id_tag_info info = {.status = found->tag_status};
    if (found->parent[0] != '\0') {
        info.has |= PW_OCPP16_HAS(id_tag_info, parent_id_tag);
        info.parent_id_tag = pw_str_of(found->parent);
    }
    return info;
}

static void answer_start(const struct call *call, int64_t id, struct pw_ocpp16_id_tag_info info)
{
    struct pw_ocpp16_start_transaction_conf conf = {.id_tag_info = info,
                                                    .transaction_id = (int32_t)id};
    answer_when_durable(call, &pw_ocpp16_start_transaction_conf, &conf);
}

// A new session on a connector that still has one: the old one's stop never came, or comes later.
static void supersede(const struct call *call, const struct connector *connector)
{
    struct pw_db_value args[] = {pw_db_int(connector->session)};
    (void)db_write(call->central,
                   "UPDATE session SET suspect = 'superseded'"
                   " WHERE id = $1 AND stop_at IS NULL AND suspect IS NULL",
                   args, PW_COUNT(args), call->at.now);
}

static int64_t insert(const struct call *call, const struct pw_ocpp16_start_transaction_req *req,
                      const struct connector *connector, const struct pw_ocpp16_id_tag_info *info)
{
    const char *doubt = doubt_start(req, call->at.wall);
    bool reserved = (req->has & PW_OCPP16_HAS(start_transaction_req, reservation_id)) != 0;
    const struct vehicle *vehicle = &connector->vehicle;
    bool fresh = vehicle->at != 0 && vehicle->at >= call->at.wall - NEWS_FRESH_MS;
    struct pw_db_value soc = fresh && vehicle->soc_permille >= 0
                                 ? pw_db_int((int64_t)vehicle->soc_permille * 100)
                                 : pw_db_null();
    struct pw_db_value model =
        fresh && vehicle->model != NULL ? db_words(vehicle->model->name) : pw_db_null();
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(call->station->id)),
        pw_db_int(req->connector_id),
        pw_db_text(req->id_tag),
        info->parent_id_tag.len > 0 ? pw_db_text(info->parent_id_tag) : pw_db_null(),
        pw_db_text(pw_ocpp_code_text(&pw_ocpp16_authorization_status, (int)info->status)),
        pw_db_int(req->timestamp),
        pw_db_int(req->meter_start_wh),
        pw_db_int(call->at.wall),
        soc,
        model,
        doubt != NULL ? db_words(doubt) : pw_db_null(),
        reserved ? pw_db_int(req->reservation_id) : pw_db_null(),
    };
    return db_write_id(call->central,
                       "INSERT INTO session (station_id, connector_id, id_tag, parent, tag_status,"
                       " start_at, meter_start, received_at, soc_start, soc_end, vehicle_model,"
                       " suspect, reservation_id)"
                       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12)"
                       " RETURNING id",
                       args, PW_COUNT(args), call->at.now);
}

void session_start(const struct call *call, const struct pw_ocpp16_start_transaction_req *req)
{
    struct pw_central *central = call->central;
    struct connector *connector = connector_of(call->station, req->connector_id);
    if (connector == NULL) {
        call_refuse(call, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                    PW_STR("connectorId: only 1 to 32 are kept"));
        return;
    }
    struct found found = {0};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(call->station->id)),
                                 pw_db_int(req->connector_id), pw_db_text(req->id_tag),
                                 pw_db_int(req->meter_start_wh), pw_db_int(req->timestamp)};
    if (db_read(central,
                SESSION_COLUMNS "WHERE station_id = $1 AND connector_id = $2 AND id_tag = $3"
                                " AND meter_start = $4 AND start_at = $5",
                args, PW_COUNT(args), take_session, &found) == 1) {
        // The station did not get our answer. Judging the card again would find it charging.
        central->count.sessions_retried++;
        answer_start(call, found.id, repeat_info(&found));
        return;
    }
    char parent[ID_TAG_MAX];
    struct card_question question = {.id_tag = req->id_tag,
                                     .station = call->station,
                                     .connector = req->connector_id,
                                     .concurrent = true};
    struct pw_ocpp16_id_tag_info info = card_judge(central, &question, parent, call->at);
    if (connector->session != 0) {
        supersede(call, connector);
    }
    int64_t id = insert(call, req, connector, &info);
    if (id <= 0) {
        call_refuse(call, PW_OCPP_INTERNAL_ERROR, PW_STR("the session could not be stored"));
        return;
    }
    central->count.sessions_started++;
    connector->session = id;
    struct pw_out tag = PW_OUT(connector->id_tag);
    pw_put(&tag, req->id_tag);
    if ((req->has & PW_OCPP16_HAS(start_transaction_req, reservation_id)) != 0) {
        reservation_used(central, call->station, req->reservation_id, id, call->at);
    }
    profiles_started(central, call->station, req->connector_id, id, call->at);
    answer_start(call, id, info);
    struct sight sight = {
        .kind = SIGHT_STARTED, .connector = req->connector_id, .number = id, .text = req->id_tag};
    sight_note(central, call->station, &sight, call->at);
    event_session(central, id, call->at.wall);
    event_station(central, call->station);
}

// --- Stop.

static const char *doubt_stop(const struct found *found,
                              const struct pw_ocpp16_stop_transaction_req *req, pw_unix_ms wall)
{
    if (req->meter_stop_wh < found->meter_start) {
        return "meter_went_back";
    }
    if (req->timestamp < found->start_at) {
        return "time_went_back";
    }
    if (req->timestamp > wall + HOUR_MS) {
        return "clock";
    }
    int64_t energy_wh = req->meter_stop_wh - found->meter_start;
    int64_t most_wh =
        (req->timestamp - found->start_at) / 1000 * PW_CENTRAL_POWER_MAX_W / 3600 + 1000;
    return energy_wh > most_wh ? "implausible_energy" : NULL;
}

static void close_session(const struct call *call, const struct found *found,
                          const struct pw_ocpp16_stop_transaction_req *req)
{
    const char *doubt = doubt_stop(found, req, call->at.wall);
    bool reason = (req->has & PW_OCPP16_HAS(stop_transaction_req, reason)) != 0;
    struct pw_db_value args[] = {
        pw_db_int(req->timestamp),
        pw_db_int(req->meter_stop_wh),
        // 6.49: without a reason it is Local.
        pw_db_text(reason ? pw_ocpp_code_text(&pw_ocpp16_stop_reason, (int)req->reason)
                          : PW_STR("Local")),
        req->id_tag.len > 0 ? pw_db_text(req->id_tag) : pw_db_null(),
        doubt != NULL ? db_words(doubt) : pw_db_null(),
        pw_db_int(found->id),
    };
    (void)db_write(call->central,
                   "UPDATE session SET stop_at = $1, meter_stop = $2, stop_reason = $3,"
                   " stop_id_tag = $4, suspect = COALESCE($5,"
                   " CASE WHEN suspect IN ('superseded', 'no_stop') THEN NULL ELSE suspect END)"
                   " WHERE id = $6",
                   args, PW_COUNT(args), call->at.now);
    call->central->count.sessions_stopped++;
    profiles_stopped(call->central, call->station, found->id, call->at);
    struct sight sight = {.kind = SIGHT_STOPPED, .number = found->id, .text = args[2].text};
    sight_note(call->central, call->station, &sight, call->at);
    struct connector *connector = connector_of(call->station, found->connector);
    if (connector != NULL && connector->session == found->id) {
        connector->session = 0;
        connector->id_tag[0] = '\0';
    }
}

void session_stop(const struct call *call, const struct pw_ocpp16_stop_transaction_req *req)
{
    struct pw_central *central = call->central;
    struct found found = {0};
    struct pw_db_value args[] = {pw_db_int(req->transaction_id),
                                 pw_db_text(pw_str_of(call->station->id))};
    bool known = db_read(central, SESSION_COLUMNS "WHERE id = $1 AND station_id = $2", args,
                         PW_COUNT(args), take_session, &found) == 1;
    if (!known) {
        orphan_keep(call, stranger_of(central, req->transaction_id));
    } else if (!found.stopped) {
        struct connector *connector = connector_of(call->station, found.connector);
        if (connector != NULL) {
            meter_values(call, connector, found.id, &req->transaction_data);
        }
        close_session(call, &found, req);
    } else if (found.stop_at != req->timestamp || found.meter_stop != req->meter_stop_wh) {
        orphan_keep(call, "stopped before, with other figures");
    }
    struct pw_ocpp16_stop_transaction_conf conf = {0};
    char parent[ID_TAG_MAX];
    if (req->id_tag.len > 0) {
        struct card_question question = {.id_tag = req->id_tag, .station = call->station};
        conf.has = PW_OCPP16_HAS(stop_transaction_conf, id_tag_info);
        conf.id_tag_info = card_judge(central, &question, parent, call->at);
    }
    answer_when_durable(call, &pw_ocpp16_stop_transaction_conf, &conf);
    if (known) {
        event_session(central, found.id, call->at.wall);
        event_station(central, call->station);
    }
}

// --- In between.

void session_reading(struct pw_central *central, int64_t session, const struct measured *measured,
                     const struct vehicle *vehicle, struct pw_instant at, pw_unix_ms taken)
{
    bool energy = measured != NULL && (measured->has & (1U << ENERGY)) != 0;
    bool soc = measured != NULL && (measured->has & (1U << SOC)) != 0;
    struct pw_db_value soc_value = soc ? pw_db_int(measured->value[SOC])
                                   : vehicle->soc_permille >= 0
                                       ? pw_db_int((int64_t)vehicle->soc_permille * 100)
                                       : pw_db_null();
    struct pw_db_value args[] = {
        pw_db_int(taken),
        energy ? pw_db_int(measured->value[ENERGY]) : pw_db_null(),
        soc_value,
        vehicle->model != NULL ? db_words(vehicle->model->name) : pw_db_null(),
        pw_db_int(measured != NULL ? 1 : 0),
        pw_db_int(session),
    };
    // Readings may come out of order: an older one fills gaps only. What a vehicle says beside them
    // bears the time it came at, which is later than that of the reading right behind it.
    (void)db_write(
        central,
        "UPDATE session SET"
        " last_energy = CASE WHEN $1 >= COALESCE(last_at, 0) THEN COALESCE($2,"
        " last_energy) ELSE last_energy END,"
        " soc_end = CASE WHEN $1 >= COALESCE(last_at, 0) THEN COALESCE($3, soc_end)"
        " ELSE soc_end END,"
        " soc_start = COALESCE(soc_start, $3),"
        " vehicle_model = COALESCE($4, vehicle_model),"
        // A register that goes back is no register (facts/reliability.md T43).
        " suspect = CASE WHEN suspect IS NULL AND $1 > COALESCE(last_at, 0) AND"
        " $2 < last_energy THEN 'meter_went_back' ELSE suspect END,"
        " last_at = CASE WHEN $5 = 1 AND $1 > COALESCE(last_at, 0) THEN $1 ELSE last_at END"
        " WHERE id = $6",
        args, PW_COUNT(args), at.now);
}

void session_unended(struct pw_central *central, struct connector *connector, struct pw_instant at)
{
    if (connector->session == 0) {
        return;
    }
    // Stored stops are sent in order, so this one is late or lost. The card may charge elsewhere.
    struct pw_db_value args[] = {pw_db_int(connector->session)};
    (void)db_write(central,
                   "UPDATE session SET suspect = 'no_stop'"
                   " WHERE id = $1 AND stop_at IS NULL AND suspect IS NULL",
                   args, PW_COUNT(args), at.now);
    event_session(central, connector->session, at.wall);
    connector->session = 0;
    connector->id_tag[0] = '\0';
}

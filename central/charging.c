// Reservations and charging profiles as they were sent, and the composite schedules that stations
// told. Sources: OCPP 1.6 §3.13, §5.5, §5.7, §5.13, §5.16; errata 3.25, 3.26, 3.41, 3.42.
#include "records.h"

#include <string.h>

// --- Reservations.

enum expect reservation_made(const struct answered *answered)
{
    const struct pw_ocpp16_reserve_now_req *req = answered->req;
    const struct pw_ocpp16_reserve_now_conf *conf = answered->conf;
    struct pw_str status = pw_ocpp_code_text(&pw_ocpp16_reservation_status, (int)conf->status);
    bool good = conf->status == PW_OCPP16_RESERVATION_ACCEPTED;
    struct pw_db_value args[] = {
        pw_db_int(req->reservation_id),
        pw_db_text(pw_str_of(answered->station->id)),
        pw_db_int(req->connector_id),
        pw_db_text(req->id_tag),
        req->parent_id_tag.len > 0 ? pw_db_text(req->parent_id_tag) : pw_db_null(),
        pw_db_int(req->expiry_date),
        pw_db_text(good ? PW_STR("reserved") : status),
        pw_db_int(answered->at.wall),
    };
    // The same id again replaces the reservation, if the station takes it.
    (void)db_write(answered->central,
                   good ? "INSERT INTO reservation (id, station_id, connector_id, id_tag, parent,"
                          " expires, state, made_at, changed_at)"
                          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)"
                          " ON CONFLICT (station_id, id) DO UPDATE SET connector_id = $3,"
                          " id_tag = $4, parent = $5, expires = $6, state = $7, changed_at = $8,"
                          " session_id = NULL"
                        : "INSERT INTO reservation (id, station_id, connector_id, id_tag, parent,"
                          " expires, state, made_at, changed_at)"
                          " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)"
                          " ON CONFLICT (station_id, id) DO UPDATE SET connector_id = $3,"
                          " id_tag = $4, parent = $5, expires = $6, state = $7,"
                          " changed_at = $8 WHERE reservation.state = 'asked'",
                   args, PW_COUNT(args), answered->at.now);
    struct pw_db_value kept[] = {args[1], pw_db_int(PW_CENTRAL_RESERVATIONS_KEPT)};
    (void)db_write(answered->central,
                   "DELETE FROM reservation WHERE station_id = $1 AND id <="
                   " (SELECT id FROM reservation WHERE station_id = $1 ORDER BY id DESC LIMIT 1"
                   " OFFSET $2)",
                   kept, PW_COUNT(kept), answered->at.now);
    return good ? EXPECT_EFFECT : EXPECT_NOTHING;
}

static void set_state(struct pw_central *central, const struct station *station, int64_t id,
                      const char *state, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(state)), pw_db_int(at.wall),
                                 pw_db_text(pw_str_of(station->id)), pw_db_int(id)};
    (void)db_write(central,
                   "UPDATE reservation SET state = $1, changed_at = $2"
                   " WHERE station_id = $3 AND id = $4",
                   args, PW_COUNT(args), at.now);
}

static void take_number(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

enum expect reservation_cancelled(const struct answered *answered)
{
    const struct pw_ocpp16_cancel_reservation_req *req = answered->req;
    const struct pw_ocpp16_cancel_reservation_conf *conf = answered->conf;
    int64_t connector = -1;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(answered->station->id)),
                                 pw_db_int(req->reservation_id)};
    (void)db_read(answered->central,
                  "SELECT connector_id FROM reservation WHERE station_id = $1 AND id = $2", args,
                  PW_COUNT(args), take_number, &connector);
    if (conf->status != PW_OCPP16_GENERIC_ACCEPTED) {
        // The station has none of this id: ours is a thing of the past.
        struct pw_db_value gone[] = {pw_db_int(answered->at.wall), args[0], args[1]};
        (void)db_write(answered->central,
                       "UPDATE reservation SET state = 'unknown to the station', changed_at = $1"
                       " WHERE station_id = $2 AND id = $3 AND state = 'reserved'",
                       gone, PW_COUNT(gone), answered->at.now);
        return EXPECT_NOTHING;
    }
    set_state(answered->central, answered->station, req->reservation_id, "cancelled", answered->at);
    const struct connector *at = connector > 0 ? connector_of(answered->station, connector) : NULL;
    if (at == NULL || at->status != PW_OCPP16_STATUS_RESERVED) {
        pw_put_s(answered->effect, "cancelled");
        return EXPECT_NOTHING; // no status shows it
    }
    answered->watch->connector = (int)connector;
    return EXPECT_EFFECT;
}

void reservation_used(struct pw_central *central, const struct station *station, int64_t id,
                      int64_t session, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_int(session), pw_db_int(at.wall),
                                 pw_db_text(pw_str_of(station->id)), pw_db_int(id)};
    (void)db_write(central,
                   "UPDATE reservation SET state = 'used', session_id = $1, changed_at = $2"
                   " WHERE station_id = $3 AND id = $4",
                   args, PW_COUNT(args), at.now);
}

struct reporting {
    struct pw_json_writer *json;
    pw_unix_ms wall;
};

static void put_reservation(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    const struct reporting *reporting = to;
    struct pw_json_writer *json = reporting->json;
    bool over = columns[4].number <= reporting->wall && pw_str_is(columns[5].text, "reserved");
    pw_json_open(json, '{');
    report_number_column(json, "id", &columns[0], 0);
    report_number_column(json, "connector_id", &columns[1], 0);
    report_text_column(json, "id_tag", &columns[2]);
    report_text_column(json, "parent", &columns[3]);
    pw_json_say_known_time(json, "expires", columns[4].number);
    pw_json_say_text(json, "state", over ? PW_STR("expired") : columns[5].text);
    pw_json_say_known_time(json, "made_at", columns[6].number);
    pw_json_say_known_time(json, "changed_at", columns[7].number);
    report_number_column(json, "transaction_id", &columns[8], 0);
    pw_json_close(json, '}');
}

void report_reservations(const struct pw_central *central, struct pw_json_writer *json,
                         const struct station *station, pw_unix_ms wall)
{
    struct reporting reporting = {.json = json, .wall = wall};
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)),
                                 pw_db_int(PW_CENTRAL_RESERVATIONS_KEPT)};
    (void)db_read(central,
                  "SELECT id, connector_id, id_tag, parent, expires, state, made_at, changed_at,"
                  " session_id FROM reservation WHERE station_id = $1 ORDER BY id DESC LIMIT $2",
                  args, PW_COUNT(args), put_reservation, &reporting);
}

// --- Charging profiles.

static void keep_profile(const struct answered *answered, int connector,
                         const struct pw_ocpp16_charging_profile *profile, struct pw_str text)
{
    struct pw_central *central = answered->central;
    bool bound = (profile->has & PW_OCPP16_HAS(charging_profile, transaction_id)) != 0;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(answered->station->id)),
        pw_db_int(connector),
        pw_db_int(profile->charging_profile_id),
        pw_db_text(
            pw_ocpp_code_text(&pw_ocpp16_profile_purpose, (int)profile->charging_profile_purpose)),
        pw_db_int(profile->stack_level),
        bound ? pw_db_int(profile->transaction_id) : pw_db_null(),
        pw_db_text(text),
        pw_db_int(answered->at.wall),
    };
    // §5.16.2: the same id replaces, and so does the same level of the same purpose.
    (void)db_write(central,
                   "DELETE FROM charging_profile WHERE station_id = $1 AND (connector_id = $2 OR"
                   " profile_id = $3) AND (profile_id = $3 OR (purpose = $4 AND"
                   " stack_level = $5))",
                   args, 5, answered->at.now);
    (void)db_write(central,
                   "INSERT INTO charging_profile (station_id, connector_id, profile_id, purpose,"
                   " stack_level, transaction_id, profile, set_at)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                   args, PW_COUNT(args), answered->at.now);
    struct pw_db_value kept[] = {args[0], pw_db_int(PW_CENTRAL_PROFILES_KEPT)};
    (void)db_write(central,
                   "DELETE FROM charging_profile WHERE station_id = $1 AND set_at <"
                   " (SELECT set_at FROM charging_profile WHERE station_id = $1"
                   " ORDER BY set_at DESC LIMIT 1 OFFSET $2)",
                   kept, PW_COUNT(kept), answered->at.now);
}

// The profile's text inside the request, which record_read has read last.
static struct pw_str part_of(const struct answered *answered, const char *key)
{
    const struct pw_json_node *node = pw_json_member(&answered->central->asked.node[0], key);
    return node != NULL ? (struct pw_str){.at = node->at, .len = node->len} : PW_STR("{}");
}

enum expect profile_set(const struct answered *answered)
{
    const struct pw_ocpp16_set_charging_profile_req *req = answered->req;
    const struct pw_ocpp16_set_charging_profile_conf *conf = answered->conf;
    if (conf->status != PW_OCPP16_PROFILE_ACCEPTED) {
        return EXPECT_NOTHING;
    }
    keep_profile(answered, req->connector_id, &req->cs_charging_profiles,
                 part_of(answered, "csChargingProfiles"));
    pw_put_s(answered->effect, "profile ");
    pw_put_int(answered->effect, req->cs_charging_profiles.charging_profile_id);
    pw_put_s(answered->effect, " kept for connector ");
    pw_put_int(answered->effect, req->connector_id);
    return EXPECT_NOTHING;
}

void profile_carried(const struct answered *answered,
                     const struct pw_ocpp16_charging_profile *profile, int connector)
{
    keep_profile(answered, connector >= 0 ? connector : 0, profile,
                 part_of(answered, "chargingProfile"));
}

void profiles_started(struct pw_central *central, const struct station *station, int connector,
                      int64_t session, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_int(session), pw_db_int(connector),
                                 pw_db_text(pw_str_of(station->id))};
    (void)db_write(central,
                   "UPDATE charging_profile SET transaction_id = $1, connector_id = $2"
                   " WHERE station_id = $3 AND purpose = 'TxProfile' AND transaction_id IS NULL"
                   " AND connector_id IN (0, $2)",
                   args, PW_COUNT(args), at.now);
}

void profiles_stopped(struct pw_central *central, const struct station *station, int64_t session,
                      struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id)), pw_db_int(session)};
    (void)db_write(central,
                   "DELETE FROM charging_profile WHERE station_id = $1 AND purpose = 'TxProfile'"
                   " AND transaction_id = $2",
                   args, PW_COUNT(args), at.now);
}

enum expect profiles_cleared(const struct answered *answered)
{
    const struct pw_ocpp16_clear_charging_profile_req *req = answered->req;
    const struct pw_ocpp16_clear_charging_profile_conf *conf = answered->conf;
    bool by_id = (req->has & PW_OCPP16_HAS(clear_charging_profile_req, id)) != 0;
    bool by_connector =
        !by_id && (req->has & PW_OCPP16_HAS(clear_charging_profile_req, connector_id)) != 0;
    bool by_purpose = !by_id && (req->has & PW_OCPP16_HAS(clear_charging_profile_req,
                                                          charging_profile_purpose)) != 0;
    bool by_level =
        !by_id && (req->has & PW_OCPP16_HAS(clear_charging_profile_req, stack_level)) != 0;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(answered->station->id)),
        by_id ? pw_db_int(req->id) : pw_db_null(),
        by_connector ? pw_db_int(req->connector_id) : pw_db_null(),
        by_purpose ? pw_db_text(pw_ocpp_code_text(&pw_ocpp16_profile_purpose,
                                                  (int)req->charging_profile_purpose))
                   : pw_db_null(),
        by_level ? pw_db_int(req->stack_level) : pw_db_null(),
    };
    // Also when the station knows none of them: then ours are out of date.
    int64_t gone = db_write(answered->central,
                            "DELETE FROM charging_profile WHERE station_id = $1"
                            " AND ($2 IS NULL OR profile_id = $2)"
                            " AND ($3 IS NULL OR connector_id = $3)"
                            " AND ($4 IS NULL OR purpose = $4)"
                            " AND ($5 IS NULL OR stack_level = $5)",
                            args, PW_COUNT(args), answered->at.now);
    if (conf->status == PW_OCPP16_CLEAR_PROFILE_ACCEPTED) {
        pw_put_int(answered->effect, gone);
        pw_put_s(answered->effect, gone == 1 ? " profile gone" : " profiles gone");
    }
    return EXPECT_NOTHING;
}

static void put_profile(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_number_column(json, "connector_id", &columns[0], 0);
    report_number_column(json, "profile_id", &columns[1], 0);
    report_text_column(json, "purpose", &columns[2]);
    report_number_column(json, "stack_level", &columns[3], 0);
    report_number_column(json, "transaction_id", &columns[4], 0);
    pw_json_say_known_time(json, "set_at", columns[5].number);
    pw_json_say_raw(json, "profile", columns[6].text);
    pw_json_close(json, '}');
}

// --- Composite schedules.

enum expect composite_kept(const struct answered *answered)
{
    const struct pw_ocpp16_get_composite_schedule_req *req = answered->req;
    const struct pw_ocpp16_get_composite_schedule_conf *conf = answered->conf;
    bool given = (conf->has & PW_OCPP16_HAS(get_composite_schedule_conf, charging_schedule)) != 0;
    if (conf->status != PW_OCPP16_GENERIC_ACCEPTED || !given) {
        return EXPECT_NOTHING;
    }
    const struct pw_json_node *schedule = pw_json_member(answered->answer, "chargingSchedule");
    bool start = (conf->has & PW_OCPP16_HAS(get_composite_schedule_conf, schedule_start)) != 0;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(answered->station->id)),
        pw_db_int(req->connector_id),
        pw_db_text(pw_ocpp_code_text(&pw_ocpp16_rate_unit,
                                     (int)conf->charging_schedule.charging_rate_unit)),
        pw_db_int(start ? conf->schedule_start : answered->at.wall),
        pw_db_int(req->duration_s),
        pw_db_text((struct pw_str){.at = schedule->at, .len = schedule->len}),
        pw_db_int(answered->at.wall),
    };
    (void)db_write(answered->central,
                   "INSERT INTO composite_schedule (station_id, connector_id, unit, start_at,"
                   " duration_s, schedule, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                   " ON CONFLICT (station_id, connector_id, unit) DO UPDATE SET start_at = $4,"
                   " duration_s = $5, schedule = $6, read_at = $7",
                   args, PW_COUNT(args), answered->at.now);
    pw_put_int(answered->effect, conf->charging_schedule.charging_schedule_period.count);
    pw_put_s(answered->effect, " periods kept");
    return EXPECT_NOTHING;
}

static void put_composite(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct pw_json_writer *json = to;
    pw_json_open(json, '{');
    report_number_column(json, "connector_id", &columns[0], 0);
    report_text_column(json, "unit", &columns[1]);
    pw_json_say_known_time(json, "start", columns[2].number);
    report_number_column(json, "duration_s", &columns[3], 0);
    pw_json_say_known_time(json, "read_at", columns[4].number);
    pw_json_say_raw(json, "schedule", columns[5].text);
    pw_json_close(json, '}');
}

void report_profiles(const struct pw_central *central, struct pw_json_writer *json,
                     const struct station *station)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->id))};
    pw_json_key(json, "profiles");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT connector_id, profile_id, purpose, stack_level, transaction_id, set_at,"
                  " profile FROM charging_profile WHERE station_id = $1"
                  " ORDER BY connector_id, purpose, stack_level",
                  args, PW_COUNT(args), put_profile, json);
    pw_json_close(json, ']');
    pw_json_key(json, "composite");
    pw_json_open(json, '[');
    (void)db_read(central,
                  "SELECT connector_id, unit, start_at, duration_s, read_at, schedule"
                  " FROM composite_schedule WHERE station_id = $1 ORDER BY connector_id, unit",
                  args, PW_COUNT(args), put_composite, json);
    pw_json_close(json, ']');
}

// Status, limits and faults as one JSON object each, for programs.
#include "face/face.h"
#include "parts.h"

static void number(struct pw_json_writer *json, const char *key, bool known, int64_t value,
                   unsigned decimals)
{
    pw_json_key(json, key);
    if (known) {
        pw_json_put_fixed(json, value, decimals);
    } else {
        pw_json_put_null(json);
    }
}

static void text(struct pw_json_writer *json, const char *key, const char *value)
{
    pw_json_key(json, key);
    pw_json_put_s(json, value);
}

static void json_vehicle(const struct pw_connector_view *view, struct pw_json_writer *json)
{
    const struct pw_connector_vehicle *vehicle = &view->vehicle;
    number(json, "soc_percent", vehicle->soc_permille >= 0, vehicle->soc_permille, 1);
    number(json, "imax_a", vehicle->max_ma >= 0, vehicle->max_ma, 3);
    number(json, "charge_ah", vehicle->charge_mah >= 0, vehicle->charge_mah, 3);
    text(json, "vehicle_model", vehicle->model);
}

// One array with a value for each phase.
static void phase_values(struct pw_json_writer *json, const char *key, const int32_t *milli,
                         unsigned phases)
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (unsigned phase = 0; phase < phases; phase++) {
        if (milli[phase] == PW_BOARD_UNKNOWN) {
            pw_json_put_null(json);
        } else {
            pw_json_put_fixed(json, milli[phase], 3);
        }
    }
    pw_json_close(json, ']');
}

static void json_phases(const struct pw_connector_view *view, struct pw_json_writer *json)
{
    text(json, "pilot", view->pilot);
    number(json, "cable_a", view->cable_ma > 0, view->cable_ma, 3);
    number(json, "phases", true, view->phases, 0);
    text(json, "rotation", view->rotation);
    number(json, "frequency_hz", view->mains_mhz != PW_BOARD_UNKNOWN, view->mains_mhz, 3);
    phase_values(json, "phase_voltage_v", view->mv, view->phases);
    phase_values(json, "phase_current_a", view->ma, view->phases);
    phase_values(json, "phase_power_w", view->mw, view->phases);
}

static void json_buses(const struct pw_bay *bay, struct pw_json_writer *json)
{
    pw_json_key(json, "can");
    pw_json_open(json, '[');
    for (unsigned bus = 0; bay != NULL && bus < PW_BAY_BUSES; bus++) {
        if (bay->bus[bus].needed) {
            pw_json_put_s(json, pw_can_state_name(bay->bus[bus].state));
        }
    }
    pw_json_close(json, ']');
}

// When a connector that shows Reserved is free again; 0: it is not reserved, or for no time of its
// own.
static pw_unix_ms reserved_until(const struct pw_station *st, unsigned connector)
{
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        const struct pw_reservation *row = &st->reservations.row[i];
        if (row->expires != 0 && row->connector == connector &&
            pw_reservations_shown(&st->reservations, connector)) {
            return row->expires;
        }
    }
    return 0;
}

static void json_connector(const struct pw_station *st, unsigned index, struct pw_json_writer *json,
                           pw_ms now)
{
    struct pw_connector_view view;
    pw_connector_view(&st->connector[index], &view, now);
    const struct pw_transaction *open = pw_journal_open_on(&st->journal, index + 1);
    pw_json_open(json, '{');
    number(json, "connector_id", true, view.connector_id, 0);
    text(json, "kind", view.kind);
    text(json, "status", pw_session_status_name(view.status));
    text(json, "error_code", view.error_code);
    text(json, "vendor_code", view.vendor_code);
    text(json, "info", view.info);
    text(json, "phase", pw_session_phase_name(view.phase));
    text(json, "state", view.state);
    text(json, "state_why", view.state_why);
    text(json, "id_tag", view.id_tag);
    pw_unix_ms kept_until = reserved_until(st, index + 1);
    pw_json_key(json, "reserved_until");
    if (kept_until > 0) {
        pw_json_put_time(json, kept_until);
    } else {
        pw_json_put_null(json);
    }
    number(json, "transaction_id", open != NULL && open->transaction_id > 0,
           open == NULL ? 0 : open->transaction_id, 0);
    pw_json_key(json, "plugged");
    pw_json_put_bool(json, view.plugged);
    pw_json_key(json, "contactor");
    pw_json_put_bool(json, view.live);
    number(json, "voltage_v", view.measured, view.out_mv, 3);
    number(json, "current_a", view.measured, view.out_ma, 3);
    number(json, "power_w", view.measured, view.power_mw, 3);
    number(json, "offered_a", true, view.offered_ma, 3);
    text(json, "limit_source", pw_limit_source_name(view.limit_who));
    text(json, "limit_why", view.limit_why);
    number(json, "limit_age_s", view.limit_since != PW_NEVER, (int64_t)(now - view.limit_since), 3);
    number(json, "session_s", view.session_ms > 0, (int64_t)view.session_ms, 3);
    number(json, "energy_wh", true, (int64_t)view.session_mwh, 3);
    number(json, "register_wh", true, (int64_t)view.energy_mwh, 3);
    number(json, "temperature_c", view.temp_dc != INT32_MIN, view.temp_dc, 1);
    json_vehicle(&view, json);
    if (view.phases > 0) {
        json_phases(&view, json);
    }
    json_buses(pw_connector_bay(&st->connector[index]), json);
    const struct pw_openevse *openevse = pw_connector_openevse(&st->connector[index]);
    if (openevse != NULL) {
        pw_json_key(json, "board");
        pw_openevse_put_json(openevse, json);
    }
    pw_json_close(json, '}');
}

static void json_solar(const struct pw_house_view *view, struct pw_json_writer *json)
{
    bool on = view->solar_ma != PW_BOARD_UNKNOWN;
    text(json, "solar_state", view->solar_state);
    text(json, "solar_why", view->solar_why);
    number(json, "solar_a", on, view->solar_ma, 3);
    number(json, "surplus_w", on, view->surplus_mw, 3);
}

static void json_charger(const struct pw_station *st, unsigned index, struct pw_json_writer *json,
                         pw_ms now)
{
    struct pw_house_view view;
    pw_station_house(st, index + 1, &view, now);
    pw_json_open(json, '{');
    number(json, "connector_id", true, index + 1, 0);
    number(json, "offered_a", view.offered_ma != PW_BOARD_UNKNOWN, view.offered_ma, 3);
    text(json, "state", view.state);
    text(json, "why", view.why);
    number(json, "age_s", view.since != PW_NEVER, (int64_t)(now - view.since), 3);
    pw_json_key(json, "active_phases");
    pw_json_open(json, '[');
    for (unsigned phase = 0; phase < PW_HOUSE_PHASES; phase++) {
        if (((unsigned)view.active_phases >> phase & 1U) != 0) {
            pw_json_put_int(json, (int64_t)phase + 1);
        }
    }
    pw_json_close(json, ']');
    number(json, "pauses_today", true, view.pauses_today, 0);
    json_solar(&view, json);
    pw_json_close(json, '}');
}

static void json_management(const struct pw_house_view *view, struct pw_json_writer *json)
{
    pw_json_key(json, "managed");
    pw_json_put_bool(json, view->on);
    text(json, "trust", view->trust);
    number(json, "phases", true, view->phases, 0);
    number(json, "breaker_a", true, view->breaker_ma, 3);
    phase_values(json, "target_a", view->target_ma, view->phases);
    phase_values(json, "grid_a", view->grid_ma, view->phases);
    phase_values(json, "grid_w", view->grid_mw, view->phases);
    phase_values(json, "charger_a", view->charger_ma, view->phases);
    phase_values(json, "headroom_a", view->headroom_ma, view->phases);
    pw_json_key(json, "failsafe");
    pw_json_put_bool(json, view->failsafe);
}

// null without a meter and without load management; its values are null while it is away or says
// what cannot be.
static void json_house(const struct pw_station *st, struct pw_json_writer *json, pw_ms now)
{
    struct pw_mains_view mains;
    struct pw_house_view view;
    pw_mains_view(&st->house.meter, &mains, now);
    pw_station_house(st, 1, &view, now);
    if (!view.meter && !view.on) {
        pw_json_put_null(json);
        return;
    }
    pw_json_open(json, '{');
    text(json, "quality", pw_mains_quality_name(view.quality));
    number(json, "power_w", mains.fresh, mains.power_mw, 3);
    number(json, "frequency_hz", mains.mhz != PW_BOARD_UNKNOWN, mains.mhz, 3);
    phase_values(json, "phase_voltage_v", mains.mv, mains.phases);
    phase_values(json, "phase_current_a", mains.ma, mains.phases);
    phase_values(json, "phase_power_w", mains.mw, mains.phases);
    json_management(&view, json);
    pw_json_key(json, "connectors");
    pw_json_open(json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        json_charger(st, i, json, now);
    }
    pw_json_close(json, ']');
    pw_json_close(json, '}');
}

void pw_report_house_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    json_house(st, &json, now);
    pw_put_c(out, '\n');
}

void pw_report_status_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    text(&json, "station", pw_settings_text(&st->settings, PW_SET_STATION_ID));
    text(&json, "firmware", st->cp16.firmware);
    number(&json, "uptime_s", true, (int64_t)(now - st->started_at), 3);
    pw_json_key(&json, "has_central");
    pw_json_put_bool(&json, pw_settings_text(&st->settings, PW_SET_OCPP_URL)[0] != '\0');
    text(&json, "central", pw_cp16_state_name(&st->cp16));
    text(&json, "central_reason", st->cp16.down_reason);
    number(&json, "security_profile", true, st->security.profile, 0);
    number(&json, "connect_ms", st->cp16.connected_at != PW_NEVER,
           (int64_t)(st->cp16.connected_at - st->started_at), 0);
    number(&json, "messages_waiting", true, (int64_t)pw_journal_waiting(&st->journal), 0);
    number(&json, "messages_thinned", true, st->journal.thinned, 0);
    number(&json, "messages_dropped", true, st->journal.dropped, 0);
    number(&json, "records_damaged", true, st->journal.damaged, 0);
    number(&json, "messages_parked", true, st->journal.parked, 0);
    pw_json_key(&json, "files");
    pw_files_put_json(&st->files, &json);
    pw_json_key(&json, "house");
    json_house(st, &json, now);
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        json_connector(st, i, &json, now);
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}

// ---------------------------------------------------------------------------------------------

static void json_limit(const struct pw_limits *limits, enum pw_limit_source source,
                       struct pw_json_writer *json, pw_ms now)
{
    const struct pw_limit *limit = &limits->row[source];
    pw_json_open(json, '{');
    text(json, "source", pw_limit_source_name(source));
    text(json, "words", pw_face_limit_words(source));
    number(json, "limit_a", true, limit->ma, 3);
    text(json, "why", limit->why);
    number(json, "age_s", limit->since != PW_NEVER, (int64_t)(now - limit->since), 3);
    number(json, "expires_s", limit->expires != PW_NEVER && limit->expires > now,
           (int64_t)(limit->expires - now), 3);
    pw_json_key(json, "counts");
    pw_json_put_bool(json, source == limits->who);
    pw_json_close(json, '}');
}

void pw_report_limits_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_limits *limits = pw_connector_limits(&st->connector[i]);
        pw_json_open(&json, '{');
        number(&json, "connector_id", true, i + 1, 0);
        number(&json, "effective_a", true, limits->effective_ma, 3);
        pw_json_key(&json, "limits");
        pw_json_open(&json, '[');
        for (unsigned row = 0; row < PW_LIMIT_ROWS; row++) {
            if (limits->row[row].set) {
                json_limit(limits, (enum pw_limit_source)row, &json, now);
            }
        }
        pw_json_close(&json, ']');
        pw_json_close(&json, '}');
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}

void pw_report_limit_json(const struct pw_station *st, unsigned index, struct pw_out *out,
                          pw_ms now)
{
    const struct pw_limits *limits = pw_connector_limits(&st->connector[index]);
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_unix_ms wall = pw_station_wall(st, now);
    pw_json_open(&json, '{');
    number(&json, "connector_id", true, index + 1, 0);
    number(&json, "limit_a", true, limits->effective_ma, 3);
    text(&json, "source", pw_limit_source_name(limits->who));
    text(&json, "why", limits->why);
    pw_json_key(&json, "since");
    if (wall > 0) {
        pw_json_put_time(&json, wall - (pw_unix_ms)(now - limits->since));
    } else {
        pw_json_put_null(&json);
    }
    pw_json_close(&json, '}');
}

static void json_fault(const struct pw_connector_fault *fault, struct pw_json_writer *json)
{
    pw_json_open(json, '{');
    text(json, "vendor_code", fault->vendor);
    text(json, "error_code", fault->ocpp16);
    text(json, "text", fault->text);
    text(json, "words", pw_face_fault_words(fault));
    pw_json_key(json, "stays");
    pw_json_put_bool(json, fault->stays);
    pw_json_close(json, '}');
}

static void json_faults(const struct pw_station *st, unsigned index, struct pw_json_writer *json)
{
    struct pw_connector_fault fault;
    for (unsigned row = 0; pw_connector_fault(&st->connector[index], row, &fault); row++) {
        if (fault.active) {
            json_fault(&fault, json);
        }
    }
    if (pw_rules_fault(&st->rules, index, &fault)) {
        json_fault(&fault, json);
    }
}

void pw_report_faults_json(const struct pw_station *st, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_json_open(&json, '{');
        number(&json, "connector_id", true, i + 1, 0);
        pw_json_key(&json, "faults");
        pw_json_open(&json, '[');
        json_faults(st, i, &json);
        pw_json_close(&json, ']');
        pw_json_close(&json, '}');
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}

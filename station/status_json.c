// Status, limits and faults as one JSON object each, for programs.
#include "face/face.h"
#include "parts.h"

static void json_vehicle(const struct pw_connector_view *view, struct pw_json_writer *json)
{
    const struct pw_connector_vehicle *vehicle = &view->vehicle;
    pw_json_say_known(json, "soc_percent", vehicle->soc_permille >= 0, vehicle->soc_permille, 1);
    pw_json_say_known(json, "imax_a", vehicle->max_ma >= 0, vehicle->max_ma, 3);
    pw_json_say_known(json, "charge_ah", vehicle->charge_mah >= 0, vehicle->charge_mah, 3);
    pw_json_say_s(json, "vehicle_model", vehicle->model);
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
    pw_json_say_s(json, "pilot", view->pilot);
    pw_json_say_known(json, "cable_a", view->cable_ma > 0, view->cable_ma, 3);
    pw_json_say_int(json, "phases", view->phases);
    pw_json_say_s(json, "rotation", view->rotation);
    pw_json_say_known(json, "frequency_hz", view->mains_mhz != PW_BOARD_UNKNOWN, view->mains_mhz,
                      3);
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
    pw_json_say_int(json, "connector_id", view.connector_id);
    pw_json_say_s(json, "kind", view.kind);
    pw_json_say_s(json, "status", pw_session_status_name(view.status));
    pw_json_say_s(json, "error_code", view.error_code);
    pw_json_say_s(json, "vendor_code", view.vendor_code);
    pw_json_say_s(json, "info", view.info);
    pw_json_say_s(json, "phase", pw_session_phase_name(view.phase));
    pw_json_say_s(json, "state", view.state);
    pw_json_say_s(json, "state_why", view.state_why);
    pw_json_say_s(json, "id_tag", view.id_tag);
    pw_unix_ms kept_until = reserved_until(st, index + 1);
    pw_json_key(json, "reserved_until");
    if (kept_until > 0) {
        pw_json_put_time(json, kept_until);
    } else {
        pw_json_put_null(json);
    }
    pw_json_say_known(json, "transaction_id", open != NULL && open->transaction_id > 0,
                      open == NULL ? 0 : open->transaction_id, 0);
    pw_json_say_bool(json, "plugged", view.plugged);
    pw_json_say_bool(json, "contactor", view.live);
    pw_json_say_known(json, "voltage_v", view.measured, view.out_mv, 3);
    pw_json_say_known(json, "current_a", view.measured, view.out_ma, 3);
    pw_json_say_known(json, "power_w", view.measured, view.power_mw, 3);
    pw_json_say_fixed(json, "offered_a", view.offered_ma, 3);
    pw_json_say_s(json, "limit_source", pw_limit_source_name(view.limit_who));
    pw_json_say_s(json, "limit_why", view.limit_why);
    pw_json_say_known(json, "limit_age_s", view.limit_since != PW_NEVER,
                      (int64_t)(now - view.limit_since), 3);
    pw_json_say_known(json, "session_s", view.session_ms > 0, (int64_t)view.session_ms, 3);
    pw_json_say_fixed(json, "energy_wh", (int64_t)view.session_mwh, 3);
    pw_json_say_fixed(json, "register_wh", (int64_t)view.energy_mwh, 3);
    pw_json_say_known(json, "temperature_c", view.temp_dc != INT32_MIN, view.temp_dc, 1);
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
    pw_json_say_s(json, "solar_state", view->solar_state);
    pw_json_say_s(json, "solar_why", view->solar_why);
    pw_json_say_known(json, "solar_a", on, view->solar_ma, 3);
    pw_json_say_known(json, "surplus_w", on, view->surplus_mw, 3);
}

static void json_charger(const struct pw_station *st, unsigned index, struct pw_json_writer *json,
                         pw_ms now)
{
    struct pw_house_view view;
    pw_station_house(st, index + 1, &view, now);
    pw_json_open(json, '{');
    pw_json_say_int(json, "connector_id", index + 1);
    pw_json_say_known(json, "offered_a", view.offered_ma != PW_BOARD_UNKNOWN, view.offered_ma, 3);
    pw_json_say_s(json, "state", view.state);
    pw_json_say_s(json, "why", view.why);
    pw_json_say_known(json, "age_s", view.since != PW_NEVER, (int64_t)(now - view.since), 3);
    pw_json_key(json, "active_phases");
    pw_json_open(json, '[');
    for (unsigned phase = 0; phase < PW_HOUSE_PHASES; phase++) {
        if (((unsigned)view.active_phases >> phase & 1U) != 0) {
            pw_json_put_int(json, (int64_t)phase + 1);
        }
    }
    pw_json_close(json, ']');
    pw_json_say_int(json, "pauses_today", view.pauses_today);
    json_solar(&view, json);
    pw_json_close(json, '}');
}

static void json_management(const struct pw_house_view *view, struct pw_json_writer *json)
{
    pw_json_say_bool(json, "managed", view->on);
    pw_json_say_s(json, "trust", view->trust);
    pw_json_say_int(json, "phases", view->phases);
    pw_json_say_fixed(json, "breaker_a", view->breaker_ma, 3);
    phase_values(json, "target_a", view->target_ma, view->phases);
    phase_values(json, "grid_a", view->grid_ma, view->phases);
    phase_values(json, "grid_w", view->grid_mw, view->phases);
    phase_values(json, "charger_a", view->charger_ma, view->phases);
    phase_values(json, "headroom_a", view->headroom_ma, view->phases);
    pw_json_say_bool(json, "failsafe", view->failsafe);
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
    pw_json_say_s(json, "quality", pw_mains_quality_name(view.quality));
    pw_json_say_known(json, "power_w", mains.fresh, mains.power_mw, 3);
    pw_json_say_known(json, "frequency_hz", mains.mhz != PW_BOARD_UNKNOWN, mains.mhz, 3);
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
    pw_json_say_s(&json, "station", pw_settings_text(&st->settings, PW_SET_STATION_ID));
    pw_json_say_s(&json, "firmware", st->cp16.firmware);
    pw_json_say_fixed(&json, "uptime_s", (int64_t)(now - st->started_at), 3);
    pw_json_say_bool(&json, "has_central",
                     pw_settings_text(&st->settings, PW_SET_OCPP_URL)[0] != '\0');
    pw_json_say_s(&json, "central", pw_cp16_state_name(&st->cp16));
    pw_json_say_s(&json, "central_reason", st->cp16.down_reason);
    pw_json_say_int(&json, "security_profile", st->security.profile);
    pw_json_say_known(&json, "connect_ms", st->cp16.connected_at != PW_NEVER,
                      (int64_t)(st->cp16.connected_at - st->started_at), 0);
    pw_json_say_int(&json, "messages_waiting", (int64_t)pw_journal_waiting(&st->journal));
    pw_json_say_int(&json, "messages_thinned", st->journal.thinned);
    pw_json_say_int(&json, "messages_dropped", st->journal.dropped);
    pw_json_say_int(&json, "records_damaged", st->journal.damaged);
    pw_json_say_int(&json, "messages_parked", st->journal.parked);
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
    pw_json_say_s(json, "source", pw_limit_source_name(source));
    pw_json_say_s(json, "words", pw_face_limit_words(source));
    pw_json_say_fixed(json, "limit_a", limit->ma, 3);
    pw_json_say_s(json, "why", limit->why);
    pw_json_say_known(json, "age_s", limit->since != PW_NEVER, (int64_t)(now - limit->since), 3);
    pw_json_say_known(json, "expires_s", limit->expires != PW_NEVER && limit->expires > now,
                      (int64_t)(limit->expires - now), 3);
    pw_json_say_bool(json, "counts", source == limits->who);
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
        pw_json_say_int(&json, "connector_id", i + 1);
        pw_json_say_fixed(&json, "effective_a", limits->effective_ma, 3);
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
    pw_json_say_int(&json, "connector_id", index + 1);
    pw_json_say_fixed(&json, "limit_a", limits->effective_ma, 3);
    pw_json_say_s(&json, "source", pw_limit_source_name(limits->who));
    pw_json_say_s(&json, "why", limits->why);
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
    pw_json_say_s(json, "vendor_code", fault->vendor);
    pw_json_say_s(json, "error_code", fault->ocpp16);
    pw_json_say_s(json, "text", fault->text);
    pw_json_say_s(json, "words", pw_face_fault_words(fault));
    pw_json_say_bool(json, "stays", fault->stays);
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
        pw_json_say_int(&json, "connector_id", i + 1);
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

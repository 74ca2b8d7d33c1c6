// What people and programs read: status lines, console views, one JSON object.
#include "parts.h"

static void put_unit(struct pw_out *out, int64_t value, unsigned decimals, unsigned places,
                     const char *unit)
{
    pw_put_places(out, value, decimals, places);
    pw_put_s(out, unit);
}

// A value that may be unknown.
static void put_known(struct pw_out *out, bool known, int64_t value, unsigned decimals,
                      unsigned places, const char *unit)
{
    if (known) {
        put_unit(out, value, decimals, places, unit);
    } else {
        pw_put_s(out, "-");
    }
}

static void put_age(struct pw_out *out, pw_ms at, pw_ms now)
{
    if (at == PW_NEVER) {
        pw_put_s(out, "never");
        return;
    }
    put_unit(out, (int64_t)(now - at), 3, 1, " s ago");
}

static void put_span(struct pw_out *out, pw_ms since, pw_ms now)
{
    put_unit(out, since == PW_NEVER ? 0 : (int64_t)(now - since), 3, 1, " s");
}

static void put_connector(struct pw_out *out, const struct pw_bay_view *view, const char *title)
{
    pw_put_s(out, "connector ");
    pw_put_uint(out, view->connector_id);
    pw_put_s(out, " ");
    pw_put_s(out, title);
    pw_put_c(out, '\n');
}

// The seed's two lines, every status interval.
void pw_report_status_lines(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        pw_put_s(out, "[Status] Uptime: ");
        pw_put_uint(out, (now - st->started_at) / 1000);
        pw_put_s(out, "s | OCPP: ");
        pw_put_s(out, pw_cp16_online(&st->cp16) ? "Connected" : pw_cp16_state_name(&st->cp16));
        pw_put_s(out, " | Connector ");
        pw_put_uint(out, view.connector_id);
        pw_put_s(out, " | State: ");
        pw_put_s(out, pw_session_status_name(view.status));
        if (view.info[0] != '\0') {
            pw_put_s(out, " (");
            pw_put_s(out, view.info);
            pw_put_s(out, ")");
        }
        for (unsigned bus = 0; bus < PW_STATION_BUSES; bus++) {
            if (view.bus[bus].needed) {
                pw_put_s(out, " | CAN");
                pw_put_uint(out, bus);
                pw_put_s(out, ": ");
                pw_put_s(out, pw_can_state_name(view.bus[bus].state));
            }
        }
        pw_put_s(out, "\n[Metrics] V=");
        put_known(out, view.measured, view.out_mv, 3, 1, "V");
        pw_put_s(out, " I=");
        put_known(out, view.measured, view.out_ma, 3, 1, "A");
        pw_put_s(out, " SOC=");
        put_known(out, view.soc_permille >= 0, view.soc_permille, 1, 0, "%");
        pw_put_s(out, " Energy=");
        put_unit(out, (int64_t)view.session_mwh, 3, 2, "Wh\n");
    }
}

void pw_report_bms(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        const struct pw_bay_vehicle *v = &view.vehicle;
        bool seen = v->at != PW_NEVER;
        put_connector(out, &view, "BMS");
        pw_put_s(out, "  heard           ");
        put_age(out, v->at, now);
        pw_put_s(out, "\n  plugged         ");
        pw_put_s(out, view.plugged ? "yes" : "no");
        pw_put_s(out, "\n  voltage limit   ");
        put_known(out, seen, v->max_mv, 3, 1, " V");
        pw_put_s(out, "\n  current limit   ");
        put_known(out, seen, v->max_ma, 3, 1, " A");
        pw_put_s(out, "\n  charge allowed  ");
        pw_put_s(out, !seen ? "-" : v->stop ? "no" : "yes");
        pw_put_s(out, "\n  heating         ");
        pw_put_s(out, seen && v->heating ? "yes" : "no");
        pw_put_s(out, "\n  state of charge ");
        put_known(out, v->soc_permille >= 0, v->soc_permille, 1, 1, " %");
        pw_put_s(out, "\n  charge          ");
        put_known(out, v->charge_mah >= 0, v->charge_mah, 3, 2, " Ah");
        pw_put_s(out, "\n  pack voltage    ");
        put_known(out, v->pack_mv >= 0, v->pack_mv, 3, 1, " V");
        pw_put_s(out, "\n  temperature     ");
        put_known(out, v->temp_dc != INT32_MIN, v->temp_dc, 1, 1, " degC");
        pw_put_s(out, "\n  model           ");
        pw_put_s(out, v->model == NULL ? "-" : v->model->name);
        pw_put_c(out, '\n');
    }
}

void pw_report_rectifier(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        const struct pw_bay_power *p = &view.power;
        put_connector(out, &view, "rectifier");
        pw_put_s(out, "  heard           ");
        put_age(out, p->at, now);
        pw_put_s(out, "\n  voltage         ");
        put_known(out, p->mv >= 0, p->mv, 3, 1, " V");
        pw_put_s(out, "\n  current         ");
        put_known(out, p->ma >= 0, p->ma, 3, 1, " A");
        pw_put_s(out, "\n  can give        ");
        put_known(out, p->max_ma > 0, p->max_ma, 3, 1, " A");
        pw_put_s(out, "\n  temperature     ");
        put_known(out, p->temp_dc != INT32_MIN, p->temp_dc, 1, 1, " degC");
        pw_put_s(out, "\n  mains           ");
        put_known(out, p->mains_mv >= 0, p->mains_mv, 3, 0, " V");
        pw_put_s(out, "\n  alarms          0x");
        pw_put_hex(out, p->raw_alarms, 8);
        pw_put_c(out, '\n');
    }
}

void pw_report_output(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        put_connector(out, &view, "output");
        pw_put_s(out, "  state           ");
        pw_put_s(out, pw_dc_state_name(view.state));
        pw_put_s(out, ", because ");
        pw_put_s(out, view.state_why);
        pw_put_s(out, "\n  contactor       ");
        pw_put_s(out, view.energised ? "told to close" : "told to open");
        pw_put_s(out, view.feedback == PW_DC_FEEDBACK_NONE     ? ", no feedback"
                      : view.feedback == PW_DC_FEEDBACK_CLOSED ? ", closed"
                                                               : ", open");
        pw_put_s(out, "\n  asked for       ");
        put_unit(out, view.set_mv, 3, 1, " V, ");
        put_unit(out, view.set_ma, 3, 1, " A");
        pw_put_s(out, "\n  voltage         ");
        put_known(out, view.measured, view.out_mv, 3, 2, " V");
        pw_put_s(out, "\n  current         ");
        put_known(out, view.measured, view.out_ma, 3, 2, " A");
        pw_put_s(out, "\n  temperature     ");
        put_known(out, view.temp_dc != INT32_MIN, view.temp_dc, 1, 1, " degC");
        pw_put_s(out, "\n  session         ");
        put_unit(out, (int64_t)view.session_mwh, 3, 1, " Wh in ");
        pw_put_uint(out, view.session_ms / 1000);
        pw_put_s(out, " s\n");
    }
}

void pw_report_terminal(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        put_connector(out, &view, "terminal");
        pw_put_s(out, "  voltage         ");
        put_known(out, view.measured, view.out_mv, 3, 2, " V");
        pw_put_s(out, "\n  current         ");
        put_known(out, view.measured, view.out_ma, 3, 2, " A");
        pw_put_s(out, "\n  power           ");
        put_known(out, view.measured, view.power_mw, 3, 0, " W");
        pw_put_s(out, "\n  vehicle side    ");
        put_known(out, view.battery_mv >= 0, view.battery_mv, 3, 2, " V");
        pw_put_s(out, "\n  energy register ");
        put_unit(out, (int64_t)view.energy_mwh, 6, 3, " kWh\n");
    }
}

void pw_report_can(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        put_connector(out, &view, "CAN");
        for (unsigned bus = 0; bus < PW_STATION_BUSES; bus++) {
            const struct pw_bay_bus *b = &view.bus[bus];
            if (!b->needed) {
                continue;
            }
            pw_put_s(out, "  bus ");
            pw_put_uint(out, bus);
            pw_put_s(out, ": ");
            pw_put_s(out, pw_can_state_name(b->state));
            pw_put_s(out, ", heard ");
            put_age(out, b->heard_at, now);
            pw_put_s(out, ", frames ");
            pw_put_uint(out, b->frames);
            pw_put_s(out, ", unreadable ");
            pw_put_uint(out, b->strange);
            pw_put_s(out, ", times bus-off ");
            pw_put_uint(out, b->offs);
            pw_put_c(out, '\n');
        }
    }
}

void pw_report_limits(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        const struct pw_limits *limits = &st->bays[i].limits;
        pw_bay_view(&st->bays[i], &view, now);
        put_connector(out, &view, "limits");
        for (unsigned row = 0; row < PW_LIMIT_ROWS; row++) {
            const struct pw_limit *limit = &limits->row[row];
            if (!limit->set) {
                continue;
            }
            pw_put_s(out, row == (unsigned)view.limit_who ? "* " : "  ");
            pw_put_s(out, pw_limit_source_name((enum pw_limit_source)row));
            pw_put_s(out, "\t");
            put_unit(out, limit->ma, 3, 1, " A\t");
            pw_put_s(out, limit->why);
            pw_put_s(out, "\tfor ");
            put_span(out, limit->since, now);
            pw_put_c(out, '\n');
        }
    }
}

void pw_report_faults(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        put_connector(out, &view, view.faults == 0 ? "faults: none" : "faults");
        for (unsigned row = 0; row < PW_DC_FAULT_ROWS; row++) {
            const struct pw_dc_fault_row *fault = &pw_dc_fault_rows[row];
            if ((view.faults & PW_DC_BIT(row)) == 0) {
                continue;
            }
            pw_put_s(out, "  ");
            pw_put_s(out, fault->vendor);
            pw_put_s(out, "\t");
            pw_put_s(out, fault->ocpp16);
            pw_put_s(out, "\t");
            pw_put_s(out, fault->text);
            pw_put_s(out, fault->stays ? "\tstays until cleared\n" : "\tclears by itself\n");
        }
    }
}

void pw_report_status(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    pw_put_s(out, pw_settings_text(&st->settings, PW_SET_STATION_ID));
    pw_put_s(out, ", central system ");
    pw_put_s(out, pw_cp16_state_name(&st->cp16));
    if (st->cp16.down_reason[0] != '\0') {
        pw_put_s(out, " (");
        pw_put_s(out, st->cp16.down_reason);
        pw_put_s(out, ")");
    }
    pw_put_s(out, ", messages waiting ");
    pw_put_uint(out, pw_journal_waiting(&st->journal));
    pw_put_c(out, '\n');
    pw_report_status_lines(st, out, now);
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_bay_view view;
        pw_bay_view(&st->bays[i], &view, now);
        pw_put_s(out, "connector ");
        pw_put_uint(out, view.connector_id);
        pw_put_s(out, " may give ");
        put_unit(out, view.offered_ma, 3, 1, " A: ");
        pw_put_s(out, pw_limit_source_name(view.limit_who));
        if (view.limit_why[0] != '\0') {
            pw_put_s(out, ", ");
            pw_put_s(out, view.limit_why);
        }
        pw_put_s(out, ", for ");
        put_span(out, view.limit_since, now);
        pw_put_c(out, '\n');
    }
}

// ---------------------------------------------------------------------------------------------
// JSON.

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

static void json_connector(const struct pw_station *st, unsigned index, struct pw_json_writer *json,
                           pw_ms now)
{
    struct pw_bay_view view;
    pw_bay_view(&st->bays[index], &view, now);
    const struct pw_transaction *open = pw_journal_open_on(&st->journal, index + 1);
    pw_json_open(json, '{');
    number(json, "connector_id", true, view.connector_id, 0);
    text(json, "status", pw_session_status_name(view.status));
    text(json, "error_code", view.error_code);
    text(json, "vendor_code", view.vendor_code);
    text(json, "info", view.info);
    text(json, "phase", pw_session_phase_name(view.phase));
    text(json, "state", pw_dc_state_name(view.state));
    text(json, "state_why", view.state_why);
    text(json, "id_tag", view.id_tag);
    number(json, "transaction_id", open != NULL && open->transaction_id > 0,
           open == NULL ? 0 : open->transaction_id, 0);
    pw_json_key(json, "plugged");
    pw_json_put_bool(json, view.plugged);
    // Told to close, or seen closed: what a person must take for live.
    pw_json_key(json, "contactor");
    pw_json_put_bool(json, view.energised || view.feedback == PW_DC_FEEDBACK_CLOSED);
    number(json, "voltage_v", view.measured, view.out_mv, 3);
    number(json, "current_a", view.measured, view.out_ma, 3);
    number(json, "power_w", view.measured, view.power_mw, 3);
    number(json, "offered_a", true, view.offered_ma, 3);
    text(json, "limit_source", pw_limit_source_name(view.limit_who));
    text(json, "limit_why", view.limit_why);
    number(json, "limit_age_s", view.limit_since != PW_NEVER, (int64_t)(now - view.limit_since), 3);
    number(json, "energy_wh", true, (int64_t)view.session_mwh, 3);
    number(json, "register_wh", true, (int64_t)view.energy_mwh, 3);
    number(json, "soc_percent", view.soc_permille >= 0, view.soc_permille, 1);
    number(json, "temperature_c", view.temp_dc != INT32_MIN, view.temp_dc, 1);
    number(json, "imax_a", view.vehicle.at != PW_NEVER, view.vehicle.max_ma, 3);
    number(json, "charge_ah", view.vehicle.charge_mah >= 0, view.vehicle.charge_mah, 3);
    text(json, "vehicle_model", view.vehicle.model == NULL ? "" : view.vehicle.model->name);
    pw_json_key(json, "can");
    pw_json_open(json, '[');
    for (unsigned bus = 0; bus < PW_STATION_BUSES; bus++) {
        if (view.bus[bus].needed) {
            pw_json_put_s(json, pw_can_state_name(view.bus[bus].state));
        }
    }
    pw_json_close(json, ']');
    pw_json_close(json, '}');
}

void pw_report_status_json(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    text(&json, "station", pw_settings_text(&st->settings, PW_SET_STATION_ID));
    text(&json, "firmware", st->cp16.firmware);
    number(&json, "uptime_s", true, (int64_t)(now - st->started_at), 3);
    text(&json, "central", pw_cp16_state_name(&st->cp16));
    text(&json, "central_reason", st->cp16.down_reason);
    number(&json, "connect_ms", st->cp16.connected_at != PW_NEVER,
           (int64_t)(st->cp16.connected_at - st->started_at), 0);
    number(&json, "messages_waiting", true, (int64_t)pw_journal_waiting(&st->journal), 0);
    number(&json, "messages_dropped", true, st->journal.dropped, 0);
    number(&json, "messages_parked", true, st->journal.parked, 0);
    pw_json_key(&json, "connectors");
    pw_json_open(&json, '[');
    for (unsigned i = 0; i < st->connectors; i++) {
        json_connector(st, i, &json, now);
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(out, '\n');
}

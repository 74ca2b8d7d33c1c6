// What people read: status lines and console views.
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

static void put_title(struct pw_out *out, unsigned index, const char *title)
{
    pw_put_s(out, "connector ");
    pw_put_uint(out, index + 1);
    pw_put_s(out, " ");
    pw_put_s(out, title);
    pw_put_c(out, '\n');
}

// One line of a view: its label, padded, then the value.
static void label(struct pw_out *out, const char *text)
{
    enum { WIDTH = 16 };
    size_t from = out->len;
    pw_put_s(out, "  ");
    pw_put_s(out, text);
    while (out->len - from < WIDTH + 2 && !out->full) {
        pw_put_c(out, ' ');
    }
}

static void line_text(struct pw_out *out, const char *name, const char *value)
{
    label(out, name);
    pw_put_s(out, value);
    pw_put_c(out, '\n');
}

static void line_age(struct pw_out *out, const char *name, pw_ms at, pw_ms now)
{
    label(out, name);
    put_age(out, at, now);
    pw_put_c(out, '\n');
}

// A number in thousandths with so many places.
static void line_milli(struct pw_out *out, const char *name, bool known, int64_t value,
                       unsigned places, const char *unit)
{
    label(out, name);
    put_known(out, known, value, 3, places, unit);
    pw_put_c(out, '\n');
}

// ... and in tenths.
static void line_tenth(struct pw_out *out, const char *name, bool known, int64_t value,
                       const char *unit)
{
    label(out, name);
    put_known(out, known, value, 1, 1, unit);
    pw_put_c(out, '\n');
}

static void put_buses(const struct pw_station *st, unsigned index, struct pw_out *out)
{
    const struct pw_bay *bay = pw_connector_bay(&st->connector[index]);
    for (unsigned bus = 0; bay != NULL && bus < PW_BAY_BUSES; bus++) {
        if (bay->bus[bus].needed) {
            pw_put_s(out, " | CAN");
            pw_put_uint(out, bus);
            pw_put_s(out, ": ");
            pw_put_s(out, pw_can_state_name(bay->bus[bus].state));
        }
    }
}

static void put_metrics(const struct pw_connector_view *view, struct pw_out *out)
{
    pw_put_s(out, "\n[Metrics] V=");
    put_known(out, view->measured, view->out_mv, 3, 1, "V");
    pw_put_s(out, " I=");
    put_known(out, view->measured, view->out_ma, 3, 1, "A");
    if (view->phases > 0) {
        pw_put_s(out, " P=");
        put_known(out, view->measured, view->power_mw, 6, 2, "kW");
        pw_put_s(out, " Pilot=");
        pw_put_s(out, view->pilot);
        pw_put_s(out, " Offer=");
        put_unit(out, view->offered_ma, 3, 1, "A");
    } else {
        pw_put_s(out, " SOC=");
        put_known(out, view->vehicle.soc_permille >= 0, view->vehicle.soc_permille, 1, 0, "%");
    }
    pw_put_s(out, " Energy=");
    put_unit(out, (int64_t)view->session_mwh, 3, 2, "Wh\n");
}

// The seed's two lines, every status interval.
void pw_report_status_lines(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
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
        put_buses(st, i, out);
        put_metrics(&view, out);
    }
}

void pw_report_bms(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_bay *bay = pw_connector_bay(&st->connector[i]);
        if (bay == NULL) {
            continue;
        }
        const struct pw_bay_vehicle *v = &bay->vehicle;
        bool seen = v->at != PW_NEVER;
        put_title(out, i, "BMS");
        line_age(out, "heard", v->at, now);
        line_text(out, "plugged", bay->dc.plugged ? "yes" : "no");
        line_milli(out, "voltage limit", seen, v->max_mv, 1, " V");
        line_milli(out, "current limit", seen, v->max_ma, 1, " A");
        line_text(out, "charge allowed", !seen ? "-" : v->stop ? "no" : "yes");
        line_text(out, "heating", seen && v->heating ? "yes" : "no");
        line_tenth(out, "state of charge", v->soc_permille >= 0, v->soc_permille, " %");
        line_milli(out, "charge", v->charge_mah >= 0, v->charge_mah, 2, " Ah");
        line_milli(out, "pack voltage", v->pack_mv >= 0, v->pack_mv, 1, " V");
        line_tenth(out, "temperature", v->temp_dc != INT32_MIN, v->temp_dc, " degC");
        line_text(out, "model", v->model == NULL ? "-" : v->model->name);
    }
}

void pw_report_rectifier(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_bay *bay = pw_connector_bay(&st->connector[i]);
        if (bay == NULL) {
            continue;
        }
        const struct pw_bay_power *p = &bay->power;
        put_title(out, i, "rectifier");
        line_age(out, "heard", p->at, now);
        line_milli(out, "voltage", p->mv >= 0, p->mv, 1, " V");
        line_milli(out, "current", p->ma >= 0, p->ma, 1, " A");
        line_milli(out, "can give", p->max_ma > 0, p->max_ma, 1, " A");
        line_tenth(out, "temperature", p->temp_dc != INT32_MIN, p->temp_dc, " degC");
        line_milli(out, "mains", p->mains_mv >= 0, p->mains_mv, 0, " V");
        label(out, "alarms");
        pw_put_s(out, "0x");
        pw_put_hex(out, p->raw_alarms, 8);
        pw_put_c(out, '\n');
    }
}

static void put_contactor(const struct pw_station *st, unsigned index, bool told,
                          struct pw_out *out, pw_ms now)
{
    const struct pw_bay *bay = pw_connector_bay(&st->connector[index]);
    const struct pw_outlet *outlet = pw_connector_outlet(&st->connector[index]);
    const char *seen = ", no feedback";
    if (bay != NULL) {
        struct pw_bay_view view;
        pw_bay_view(bay, &view, now);
        seen = view.feedback == PW_DC_FEEDBACK_NONE     ? seen
               : view.feedback == PW_DC_FEEDBACK_CLOSED ? ", closed"
                                                        : ", open";
    } else if (outlet != NULL && outlet->senses.at != PW_NEVER) {
        seen = outlet->senses.contact == PW_BOARD_CONTACT_NONE     ? seen
               : outlet->senses.contact == PW_BOARD_CONTACT_CLOSED ? ", closed"
                                                                   : ", open";
    }
    label(out, "contactor");
    pw_put_s(out, told ? "told to close" : "told to open");
    pw_put_s(out, seen);
    pw_put_c(out, '\n');
}

void pw_report_output(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        const struct pw_bay *bay = pw_connector_bay(&st->connector[i]);
        pw_connector_view(&st->connector[i], &view, now);
        put_title(out, i, "output");
        label(out, "state");
        pw_put_s(out, view.state);
        pw_put_s(out, ", because ");
        pw_put_s(out, view.state_why);
        pw_put_c(out, '\n');
        put_contactor(st, i, view.energised, out, now);
        if (bay != NULL) {
            label(out, "asked for");
            put_unit(out, bay->dc.out.set_mv, 3, 1, " V, ");
            put_unit(out, bay->dc.out.set_ma, 3, 1, " A\n");
        }
        line_milli(out, "voltage", view.measured, view.out_mv, 2, " V");
        line_milli(out, "current", view.measured, view.out_ma, 2, " A");
        line_tenth(out, "temperature", view.temp_dc != INT32_MIN, view.temp_dc, " degC");
        label(out, "session");
        put_unit(out, (int64_t)view.session_mwh, 3, 1, " Wh in ");
        pw_put_uint(out, view.session_ms / 1000);
        pw_put_s(out, " s\n");
    }
}

void pw_report_terminal(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
        put_title(out, i, "terminal");
        line_milli(out, "voltage", view.measured, view.out_mv, 2, " V");
        line_milli(out, "current", view.measured, view.out_ma, 2, " A");
        line_milli(out, "power", view.measured, view.power_mw, 0, " W");
        if (view.phases == 0) {
            line_milli(out, "vehicle side", view.vehicle.pack_mv >= 0, view.vehicle.pack_mv, 2,
                       " V");
        }
        label(out, "energy register");
        put_unit(out, (int64_t)view.energy_mwh, 6, 3, " kWh\n");
    }
}

static void put_phases(const struct pw_connector_view *view, struct pw_out *out)
{
    static const char *const names[PW_CONNECTOR_PHASES] = {"L1", "L2", "L3"};
    for (unsigned phase = 0; phase < view->phases && phase < PW_COUNT(names); phase++) {
        label(out, names[phase]);
        put_known(out, view->mv[phase] != PW_BOARD_UNKNOWN, view->mv[phase], 3, 1, " V  ");
        put_known(out, view->ma[phase] != PW_BOARD_UNKNOWN, view->ma[phase], 3, 2, " A  ");
        put_known(out, view->mw[phase] != PW_BOARD_UNKNOWN, view->mw[phase], 3, 0, " W");
        pw_put_c(out, '\n');
    }
}

void pw_report_pilot(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_outlet *outlet = pw_connector_outlet(&st->connector[i]);
        if (outlet == NULL) {
            continue;
        }
        const struct pw_board_senses *senses = &outlet->senses;
        bool heard = senses->at != PW_NEVER;
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
        put_title(out, i, "pilot");
        line_age(out, "board heard", senses->at, now);
        line_text(out, "state", view.pilot[0] == '\0' ? "-" : view.pilot);
        line_milli(out, "high", heard && senses->cp_high_mv != PW_BOARD_UNKNOWN, senses->cp_high_mv,
                   2, " V");
        line_milli(out, "low", heard && senses->cp_low_mv != PW_BOARD_UNKNOWN, senses->cp_low_mv, 2,
                   " V");
        line_milli(out, "offer", true, view.offered_ma, 1, " A");
        line_milli(out, "cable", view.cable_ma > 0, view.cable_ma, 0, " A");
        put_phases(&view, out);
    }
}

void pw_report_can(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_bay *bay = pw_connector_bay(&st->connector[i]);
        if (bay == NULL) {
            continue;
        }
        put_title(out, i, "CAN");
        for (unsigned bus = 0; bus < PW_STATION_BUSES; bus++) {
            const struct pw_bay_bus *b = &bay->bus[bus];
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
        const struct pw_limits *limits = pw_connector_limits(&st->connector[i]);
        put_title(out, i, "limits");
        for (unsigned row = 0; row < PW_LIMIT_ROWS; row++) {
            const struct pw_limit *limit = &limits->row[row];
            if (!limit->set) {
                continue;
            }
            pw_put_s(out, row == (unsigned)limits->who ? "* " : "  ");
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

static void put_fault(const struct pw_connector_fault *fault, struct pw_out *out)
{
    pw_put_s(out, "  ");
    pw_put_s(out, fault->vendor);
    pw_put_s(out, "\t");
    pw_put_s(out, fault->ocpp16);
    pw_put_s(out, "\t");
    pw_put_s(out, fault->text);
    pw_put_s(out, fault->stays ? "\tstays until cleared\n" : "\tclears by itself\n");
}

void pw_report_faults(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    (void)now;
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_fault fault;
        unsigned found = 0;
        for (unsigned row = 0; pw_connector_fault(&st->connector[i], row, &fault); row++) {
            if (!fault.active) {
                continue;
            }
            if (found++ == 0) {
                put_title(out, i, "faults");
            }
            put_fault(&fault, out);
        }
        if (pw_rules_fault(&st->rules, i, &fault)) {
            if (found++ == 0) {
                put_title(out, i, "faults");
            }
            put_fault(&fault, out);
        }
        if (found == 0) {
            put_title(out, i, "faults: none");
        }
    }
}

static void put_house(const struct pw_station *st, struct pw_out *out, pw_ms now)
{
    struct pw_mains_view view;
    pw_mains_view(&st->house.meter, &view, now);
    if (view.quality == PW_MAINS_NONE) {
        return;
    }
    pw_put_s(out, "house ");
    if (!view.fresh) {
        pw_put_s(out, "meter away, last reading ");
        pw_put_s(out, pw_mains_quality_name(view.quality));
        pw_put_c(out, '\n');
        return;
    }
    put_unit(out, view.power_mw, 6, 2, " kW");
    for (unsigned p = 0; p < view.phases; p++) {
        pw_put_s(out, p == 0 ? ", " : " / ");
        if (view.ma[p] == PW_BOARD_UNKNOWN) {
            pw_put_c(out, '-');
        } else {
            put_unit(out, view.ma[p], 3, 1, " A");
        }
    }
    pw_put_c(out, '\n');
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
    if (st->journal.thinned + st->journal.dropped > 0) {
        pw_put_s(out, ", meter values let go ");
        pw_put_uint(out, (uint64_t)st->journal.thinned + st->journal.dropped);
    }
    if (st->journal.parked > 0) {
        pw_put_s(out, ", refused for good ");
        pw_put_uint(out, st->journal.parked);
    }
    pw_put_s(out, st->store_failed ? ", RECORDS CANNOT BE KEPT\n" : "\n");
    put_house(st, out, now);
    pw_report_status_lines(st, out, now);
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
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

// The status: rows of fields, each a number or a word made from the connector's view. What the
// station does not know is not there: no client takes a made-up number for a measurement.
#include "openevse_api/parts.h"
#include "rapi/rapi.h"

#include <string.h>

#define UNKNOWN      INT64_MIN
#define OTHER_FAULT  12 // a fault that OpenEVSE has no number for: clients show it as unknown
#define SAID_NOTHING 1U // the sum of a field that is not there

struct pw_oe_look pw_oe_look(struct pw_openevse_api *api, unsigned index, pw_ms now,
                             pw_unix_ms wall)
{
    struct pw_oe_look look = {
        .api = api, .st = api->config.station, .index = index, .now = now, .wall = wall};
    pw_connector_view(&look.st->connector[index], &look.view, now);
    look.limits = pw_connector_limits(&look.st->connector[index]);
    const struct pw_openevse *openevse = pw_connector_openevse(&look.st->connector[index]);
    look.board = openevse != NULL ? pw_reach_view(&openevse->rapi) : NULL;
    return look;
}

// --- The state.

static const struct {
    const char *vendor;
    uint8_t state;
} fault_states[] = {
    {"PW-DIODE", PW_RAPI_STATE_DIODE},       {"PW-RCD", PW_RAPI_STATE_GFCI},
    {"PW-PE", PW_RAPI_STATE_NO_GROUND},      {"PW-WELD", PW_RAPI_STATE_STUCK},
    {"PW-RCD-TEST", PW_RAPI_STATE_GFI_TEST}, {"PW-OT", PW_RAPI_STATE_OVER_TEMP},
    {"PW-OC", PW_RAPI_STATE_OVER_CURRENT},   {"PW-OC-HARD", PW_RAPI_STATE_OVER_CURRENT},
    {"PW-TEMP", PW_RAPI_STATE_TEMP_SENSOR},  {"PW-CLOSE", PW_RAPI_STATE_CLOSING},
    {"PW-PP", PW_RAPI_STATE_PP_MISSING},
};

static uint8_t fault_state(const char *vendor)
{
    const struct pw_rapi_state_row *row;
    for (size_t i = 0; i < PW_COUNT(fault_states); i++) {
        if (strcmp(fault_states[i].vendor, vendor) == 0) {
            return fault_states[i].state;
        }
    }
    for (unsigned i = 0; (row = pw_rapi_state_at(i)) != NULL; i++) {
        if (row->code != 0 && row->vendor[0] != '\0' && strcmp(row->vendor, vendor) == 0) {
            return row->code;
        }
    }
    return OTHER_FAULT;
}

uint8_t pw_openevse_api_state(const struct pw_connector_view *view)
{
    if (view->status == PW_STATUS_FAULTED) {
        return fault_state(view->vendor_code);
    }
    if (view->live) {
        return PW_RAPI_STATE_C;
    }
    if (view->status == PW_STATUS_UNAVAILABLE) {
        return PW_RAPI_STATE_DISABLED;
    }
    if (view->plugged && view->pilot[0] == 'D') {
        return PW_RAPI_STATE_D;
    }
    if (view->status == PW_STATUS_SUSPENDED_EVSE) {
        return PW_RAPI_STATE_SLEEPING;
    }
    return view->plugged ? PW_RAPI_STATE_B : PW_RAPI_STATE_A;
}

static uint8_t state_of(const struct pw_oe_look *look)
{
    uint8_t state = pw_openevse_api_state(&look->view);
    bool idle = state == PW_RAPI_STATE_A || state == PW_RAPI_STATE_B;
    return idle && look->limits->effective_ma <= 0 ? PW_RAPI_STATE_SLEEPING : state;
}

// --- Numbers.

static int64_t one(const struct pw_oe_look *look)
{
    (void)look;
    return 1;
}

static int64_t none(const struct pw_oe_look *look)
{
    (void)look;
    return 0;
}

static int64_t two(const struct pw_oe_look *look)
{
    (void)look;
    return 2;
}

static int64_t central_up(const struct pw_oe_look *look)
{
    return strcmp(pw_cp16_state_name(&look->st->cp16), "accepted") == 0 ? 1 : 0;
}

static int64_t board_heard(const struct pw_oe_look *look)
{
    if (look->board != NULL) {
        return look->board->ok ? 1 : 0;
    }
    return strcmp(look->view.error_code, "InternalError") == 0 ? 0 : 1;
}

static int64_t current_ma(const struct pw_oe_look *look)
{
    return look->view.measured ? look->view.out_ma : 0;
}

// Whole volts: a mains voltage is never still, and each change is told.
static int64_t voltage_v(const struct pw_oe_look *look)
{
    bool known = look->view.measured && look->view.out_mv != PW_BOARD_UNKNOWN;
    return known ? (look->view.out_mv + 500) / 1000 : UNKNOWN;
}

static int64_t power_w(const struct pw_oe_look *look)
{
    return look->view.measured ? look->view.power_mw / 1000 : 0;
}

static int64_t pilot_a(const struct pw_oe_look *look)
{
    int32_t ma = look->view.live ? look->view.offered_ma : look->limits->effective_ma;
    return (ma + 500) / 1000; // a pilot is never more than asked for, but a little less
}

static int64_t max_a(const struct pw_oe_look *look)
{
    return pw_limits_without(look->limits, 1U << PW_LIMIT_CLAIM) / 1000;
}

static int64_t temperature_dc(const struct pw_oe_look *look)
{
    return look->view.temp_dc != INT32_MIN ? look->view.temp_dc : UNKNOWN;
}

// What only an OpenEVSE board has.

static int64_t of_board(const struct pw_oe_look *look, int32_t value)
{
    return look->board == NULL || value == PW_RAPI_UNKNOWN ? UNKNOWN : value;
}

static int64_t temperature_1_dc(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->temp_dc[0]) : UNKNOWN;
}

static int64_t temperature_2_dc(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->temp_dc[1]) : UNKNOWN;
}

static int64_t temperature_3_dc(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->temp_dc[2]) : UNKNOWN;
}

static int64_t gfi_trips(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->gfi_trips) : UNKNOWN;
}

static int64_t ground_trips(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->ground_trips) : UNKNOWN;
}

static int64_t stuck_trips(const struct pw_oe_look *look)
{
    return look->board != NULL ? of_board(look, look->board->stuck_trips) : UNKNOWN;
}

static int64_t flags(const struct pw_oe_look *look)
{
    return look->board != NULL ? look->board->vflags : UNKNOWN;
}

static int64_t state_number(const struct pw_oe_look *look)
{
    return state_of(look);
}

static int64_t plugged(const struct pw_oe_look *look)
{
    return look->view.plugged ? 1 : 0;
}

static int64_t override(const struct pw_oe_look *look)
{
    return pw_oe_claim_of(look->api, look->index, MANUAL_CLIENT) != NULL ? 1 : 0;
}

static int64_t divert_mode(const struct pw_oe_look *look)
{
    return pw_settings_int(&look->st->settings, PW_SET_SOLAR_MODE) != 0 ? 2 : 1;
}

static int64_t shaper(const struct pw_oe_look *look)
{
    return pw_settings_int(&look->st->settings, PW_SET_HOUSE_MANAGED);
}

static int64_t uptime_s(const struct pw_oe_look *look)
{
    return (int64_t)(look->now - look->st->started_at) / 1000;
}

static int64_t session_s(const struct pw_oe_look *look)
{
    return (int64_t)(look->view.session_ms / 1000);
}

static int64_t session_mwh(const struct pw_oe_look *look)
{
    return (int64_t)look->view.session_mwh;
}

static int64_t session_ws(const struct pw_oe_look *look)
{
    return (int64_t)(look->view.session_mwh * 36 / 10);
}

static int64_t total_mwh(const struct pw_oe_look *look)
{
    return (int64_t)look->view.energy_mwh;
}

static int64_t soc_permille(const struct pw_oe_look *look)
{
    return look->view.vehicle.soc_permille >= 0 ? look->view.vehicle.soc_permille : UNKNOWN;
}

static int64_t config_version(const struct pw_oe_look *look)
{
    return look->api->config_version;
}

static int64_t claims_version(const struct pw_oe_look *look)
{
    return look->api->claims_version;
}

static int64_t override_version(const struct pw_oe_look *look)
{
    return look->api->override_version;
}

static int64_t schedule_version(const struct pw_oe_look *look)
{
    return look->api->schedule_version;
}

static int64_t limit_version(const struct pw_oe_look *look)
{
    return look->api->limit_version;
}

// The colour of OpenEVSE's display in this state.
static int64_t colour(const struct pw_oe_look *look)
{
    switch (state_of(look)) {
    case PW_RAPI_STATE_A: return 2; // green
    case PW_RAPI_STATE_B: return 3; // yellow
    case PW_RAPI_STATE_C: return 6; // teal
    case PW_RAPI_STATE_SLEEPING:
    case PW_RAPI_STATE_DISABLED: return 5; // violet
    default: return 1;                     // red
    }
}

// --- Words.

static void put_mode(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    (void)look;
    pw_json_put_s(json, "STA"); // a station in somebody's network
}

static void put_enabled(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    pw_json_put_s(json, pw_oe_enabled(look->api, look->index, &look->view) ? "active" : "disabled");
}

static void put_has_limit(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    pw_json_put_bool(json, pw_oe_limit(look->st, look->index).type != NULL);
}

static void put_divert_active(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    pw_json_put_bool(json, look->limits->row[PW_LIMIT_SOLAR].set);
}

int32_t pw_oe_zone_s(const struct pw_station *st, pw_unix_ms wall)
{
    return pw_zone_offset_s(&st->rules.schedule.zone, wall);
}

// "+0130"
static void put_offset(struct pw_out *out, int32_t offset_s)
{
    int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    pw_put_c(out, offset_s < 0 ? '-' : '+');
    pw_put_c(out, (char)('0' + minutes / 600));
    pw_put_c(out, (char)('0' + minutes / 60 % 10));
    pw_put_c(out, (char)('0' + minutes % 60 / 10));
    pw_put_c(out, (char)('0' + minutes % 10));
}

// "2024-11-14T20:53:35", and how far from Greenwich, or Z.
static void put_clock(struct pw_json_writer *json, pw_unix_ms wall, int32_t offset_s, bool local)
{
    char text[48];
    struct pw_out out = PW_OUT(text);
    pw_put_time(&out, wall + (local ? (pw_unix_ms)offset_s * 1000 : 0));
    out.len = sizeof("2024-11-14T20:53:35") - 1;
    if (local) {
        put_offset(&out, offset_s);
    } else {
        pw_put_c(&out, 'Z');
    }
    pw_json_put_text(json, pw_out_str(&out));
}

static void put_time(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    put_clock(json, look->wall, 0, false);
}

static void put_local_time(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    put_clock(json, look->wall, pw_oe_zone_s(look->st, look->wall), true);
}

static void put_zone(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    char text[8];
    struct pw_out out = PW_OUT(text);
    put_offset(&out, pw_oe_zone_s(look->st, look->wall));
    pw_json_put_text(json, pw_out_str(&out));
}

// --- The table.

enum kind {
    NUMBER,
    WORD,
    CLOCK, // a word that needs the time
};

static const struct row {
    const char *key;
    int64_t (*value)(const struct pw_oe_look *look);
    void (*put)(const struct pw_oe_look *look, struct pw_json_writer *json);
    uint8_t decimals;
    enum kind kind;
    bool news; // a change is told at once; others go along
} rows[] = {
    {"mode", NULL, put_mode, 0, WORD, true},
    {"net_connected", one, NULL, 0, NUMBER, true},
    {"ocpp_connected", central_up, NULL, 0, NUMBER, true},
    {"evse_connected", board_heard, NULL, 0, NUMBER, true},
    {"rapi_connected", board_heard, NULL, 0, NUMBER, true},
    {"amp", current_ma, NULL, 0, NUMBER, true},
    {"voltage", voltage_v, NULL, 0, NUMBER, true},
    {"power", power_w, NULL, 0, NUMBER, true},
    {"pilot", pilot_a, NULL, 0, NUMBER, true},
    {"max_current", max_a, NULL, 0, NUMBER, true},
    {"temp", temperature_dc, NULL, 0, NUMBER, true},
    {"temp1", temperature_1_dc, NULL, 0, NUMBER, true},
    {"temp2", temperature_2_dc, NULL, 0, NUMBER, true},
    {"temp3", temperature_3_dc, NULL, 0, NUMBER, true},
    {"gfcicount", gfi_trips, NULL, 0, NUMBER, true},
    {"nogndcount", ground_trips, NULL, 0, NUMBER, true},
    {"stuckcount", stuck_trips, NULL, 0, NUMBER, true},
    {"flags", flags, NULL, 0, NUMBER, true},
    {"state", state_number, NULL, 0, NUMBER, true},
    {"status", NULL, put_enabled, 0, WORD, true},
    {"vehicle", plugged, NULL, 0, NUMBER, true},
    {"colour", colour, NULL, 0, NUMBER, true},
    {"manual_override", override, NULL, 0, NUMBER, true},
    {"divertmode", divert_mode, NULL, 0, NUMBER, true},
    {"divert_active", NULL, put_divert_active, 0, WORD, true},
    {"shaper", shaper, NULL, 0, NUMBER, true},
    {"service_level", two, NULL, 0, NUMBER, true},
    {"limit", NULL, put_has_limit, 0, WORD, true},
    {"has_limit", NULL, put_has_limit, 0, WORD, true},
    {"battery_level", soc_permille, NULL, 1, NUMBER, true},
    {"ota_update", none, NULL, 0, NUMBER, true},
    {"config_version", config_version, NULL, 0, NUMBER, true},
    {"claims_version", claims_version, NULL, 0, NUMBER, true},
    {"override_version", override_version, NULL, 0, NUMBER, true},
    {"schedule_version", schedule_version, NULL, 0, NUMBER, true},
    {"schedule_plan_version", schedule_version, NULL, 0, NUMBER, true},
    {"limit_version", limit_version, NULL, 0, NUMBER, true},
    {"elapsed", session_s, NULL, 0, NUMBER, false},
    {"session_elapsed", session_s, NULL, 0, NUMBER, false},
    {"session_energy", session_mwh, NULL, 3, NUMBER, false},
    {"wattsec", session_ws, NULL, 0, NUMBER, false},
    {"total_energy", total_mwh, NULL, 6, NUMBER, false},
    {"watthour", total_mwh, NULL, 3, NUMBER, false},
    {"uptime", uptime_s, NULL, 0, NUMBER, false},
    {"time", NULL, put_time, 0, CLOCK, false},
    {"local_time", NULL, put_local_time, 0, CLOCK, false},
    {"offset", NULL, put_zone, 0, CLOCK, false},
};

_Static_assert(PW_COUNT(rows) <= PW_OPENEVSE_API_ROWS_MAX, "more fields than a socket remembers");

uint32_t pw_oe_sum(struct pw_str text)
{
    uint32_t sum = 2166136261U; // FNV-1a
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (uint8_t)text.at[i]) * 16777619U;
    }
    return sum > SAID_NOTHING ? sum : SAID_NOTHING + 1;
}

// The value of one field as JSON; empty when it is not known.
static void put_value(const struct pw_oe_look *look, const struct row *row, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    int64_t value = row->kind == NUMBER ? row->value(look) : 0;
    if (value == UNKNOWN || (row->kind == CLOCK && look->wall == 0)) {
        return;
    }
    if (row->kind == NUMBER) {
        pw_json_put_fixed(&json, value, row->decimals);
    } else {
        row->put(look, &json);
    }
}

unsigned pw_oe_put_status(const struct pw_oe_look *look, uint32_t *said,
                          struct pw_json_writer *json)
{
    unsigned news = 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[64];
        struct pw_out out = PW_OUT(text);
        put_value(look, &rows[i], &out);
        uint32_t sum = out.len > 0 ? pw_oe_sum(pw_out_str(&out)) : SAID_NOTHING;
        if (said != NULL && said[i] == sum) {
            continue;
        }
        if (out.len > 0) {
            pw_json_say_raw(json, rows[i].key, pw_out_str(&out));
            news += rows[i].news ? 1 : 0;
        }
        if (said != NULL) {
            said[i] = sum;
        }
    }
    return news;
}

// --- Requests.

void pw_oe_status_get(struct pw_oe_call *call)
{
    struct pw_oe_look look = pw_oe_look(call->api, call->index, call->now, call->wall);
    struct pw_json_writer *json = pw_oe_object(call);
    (void)pw_oe_put_status(&look, NULL, json);
    pw_oe_done(call, 200, '}');
}

// What a gateway without meters of its own is told by others, this station measures itself.
void pw_oe_status_post(struct pw_oe_call *call)
{
    pw_oe_say(call, 400,
              "this station measures house, roof and voltage itself, and asks the vehicle for its "
              "charge: see metering.house_meter",
              PW_STR(""), "");
}

void pw_oe_time_get(struct pw_oe_call *call)
{
    if (call->wall == 0) {
        pw_oe_say(call, 503, "this station has not been told the time yet", PW_STR(""), "");
        return;
    }
    struct pw_oe_look look = pw_oe_look(call->api, call->index, call->now, call->wall);
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_key(json, "time");
    put_time(&look, json);
    pw_json_key(json, "offset");
    put_zone(&look, json);
    pw_json_key(json, "local_time");
    put_local_time(&look, json);
    pw_json_say_int(json, "uptime", uptime_s(&look));
    pw_oe_done(call, 200, '}');
}

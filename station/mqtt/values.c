// One value after the other, from what is so now.
#include "mqtt/parts.h"

#include <string.h>

#define FLOWS_MA 500 // a phase that carries this much is in use

void pw_mqtt_look(const struct pw_mqtt *mqtt, unsigned connector, pw_ms now,
                  struct pw_mqtt_look *look)
{
    struct pw_station *st = mqtt->config.station;
    *look = (struct pw_mqtt_look){.mqtt = mqtt, .station = st, .connector = connector, .now = now};
    pw_connector_view(&st->connector[connector], &look->view, now);
    pw_station_house(st, connector + 1, &look->house, now);
    look->openevse = pw_connector_openevse(&st->connector[connector]);
}

static bool known(int64_t *value, bool is, int64_t is_value)
{
    *value = is ? is_value : 0;
    return is;
}

bool pw_mqtt_breaker(const struct pw_mqtt_look *look, int64_t *value)
{
    return known(value, true, pw_settings_int(&look->station->settings, PW_SET_HOUSE_BREAKER_MA));
}

static bool grid_current(const struct pw_mqtt_look *look, unsigned phase, int64_t *value)
{
    const struct pw_house_view *house = &look->house;
    bool has = house->meter && house->fresh && ((unsigned)house->metered >> phase & 1U) != 0 &&
               house->grid_ma[phase] != PW_BOARD_UNKNOWN;
    return known(value, has, house->grid_ma[phase]);
}

bool pw_mqtt_current1(const struct pw_mqtt_look *look, int64_t *value)
{
    return grid_current(look, 0, value);
}

bool pw_mqtt_current2(const struct pw_mqtt_look *look, int64_t *value)
{
    return grid_current(look, 1, value);
}

bool pw_mqtt_current3(const struct pw_mqtt_look *look, int64_t *value)
{
    return grid_current(look, 2, value);
}

bool pw_mqtt_most_current(const struct pw_mqtt_look *look, int64_t *value)
{
    const struct pw_connector *connector = &look->station->connector[look->connector];
    return known(value, true, pw_connector_limits(connector)->effective_ma);
}

// A meter that is rarely read while nothing can flow leaves no doubt that nothing does.
static bool flowing(const struct pw_mqtt_look *look, int64_t measured, int64_t *value)
{
    const struct pw_connector_view *view = &look->view;
    bool deaf = look->openevse != NULL && !pw_reach_view(&look->openevse->rapi)->ok;
    if (view->measured || deaf) {
        return known(value, view->measured && measured != PW_BOARD_UNKNOWN, measured);
    }
    return known(value, !view->live, 0);
}

bool pw_mqtt_charging_current(const struct pw_mqtt_look *look, int64_t *value)
{
    return flowing(look, look->view.out_ma, value);
}

// Which of its own phases the vehicle loads: bit 0 is L1. An OpenEVSE board measures one conductor:
// there it is what was found out at the house's meter.
static unsigned own_phases(const struct pw_mqtt_look *look)
{
    const struct pw_connector_view *view = &look->view;
    unsigned bits = 0;
    if (look->openevse != NULL) {
        return view->energised ? look->openevse->phases : 0;
    }
    for (unsigned i = 0; i < view->phases && i < PW_CONNECTOR_PHASES; i++) {
        if (view->measured && view->ma[i] != PW_BOARD_UNKNOWN && view->ma[i] >= FLOWS_MA) {
            bits |= 1U << i;
        }
    }
    return bits;
}

// ... and of the house.
static unsigned phases_in_use(const struct pw_mqtt_look *look)
{
    enum pw_mains_rotation rotation = PW_MAINS_RST;
    unsigned own = own_phases(look);
    unsigned bits = 0;
    (void)!pw_mains_rotation_of(pw_str_of(look->view.rotation), &rotation);
    for (unsigned i = 0; i < PW_CONNECTOR_PHASES; i++) {
        bits |= (own >> i & 1U) << pw_mains_grid_phase(rotation, i);
    }
    return bits;
}

// A vehicle may charge and which phases it takes is not seen yet.
static bool phases_unknown(const struct pw_mqtt_look *look)
{
    return look->view.phases > 0 && look->view.energised && phases_in_use(look) == 0;
}

bool pw_mqtt_phase_count(const struct pw_mqtt_look *look, int64_t *value)
{
    unsigned bits = phases_in_use(look);
    return known(value, !phases_unknown(look), (bits & 1U) + (bits >> 1 & 1U) + (bits >> 2 & 1U));
}

void pw_mqtt_text_phases(const struct pw_mqtt_look *look, struct pw_out *out)
{
    unsigned bits = phases_in_use(look);
    if (bits == 0) {
        pw_put_s(out, phases_unknown(look) ? "99" : "0");
    }
    for (unsigned i = 0; i < PW_CONNECTOR_PHASES; i++) {
        if ((bits >> i & 1U) != 0) {
            pw_put_uint(out, i + 1U);
        }
    }
}

bool pw_mqtt_power(const struct pw_mqtt_look *look, int64_t *value)
{
    return flowing(look, look->view.power_mw, value);
}

bool pw_mqtt_energy(const struct pw_mqtt_look *look, int64_t *value)
{
    return known(value, true, (int64_t)look->view.session_mwh);
}

bool pw_mqtt_plug(const struct pw_mqtt_look *look, int64_t *value)
{
    bool deaf = look->openevse != NULL && !pw_reach_view(&look->openevse->rapi)->ok;
    return known(value, true, deaf ? 2 : look->view.plugged ? 1 : 0);
}

bool pw_mqtt_voltage(const struct pw_mqtt_look *look, int64_t *value)
{
    return known(value, look->view.measured && look->view.out_mv != PW_BOARD_UNKNOWN,
                 look->view.out_mv);
}

bool pw_mqtt_temperature(const struct pw_mqtt_look *look, int64_t *value)
{
    return known(value, look->view.temp_dc != INT32_MIN, look->view.temp_dc);
}

bool pw_mqtt_total_energy(const struct pw_mqtt_look *look, int64_t *value)
{
    return known(value, true, (int64_t)look->view.energy_mwh);
}

void pw_mqtt_text_status(const struct pw_mqtt_look *look, struct pw_out *out)
{
    pw_put_s(out, pw_session_status_name(look->view.status));
}

void pw_mqtt_text_fault(const struct pw_mqtt_look *look, struct pw_out *out)
{
    const char *code = look->view.vendor_code;
    pw_put_s(out, code[0] != '\0' ? code : "none");
}

void pw_mqtt_text_version(const struct pw_mqtt_look *look, struct pw_out *out)
{
    pw_put_s(out, look->mqtt->config.version);
}

void pw_mqtt_text_ip(const struct pw_mqtt_look *look, struct pw_out *out)
{
    pw_put_s(out, look->mqtt->ip);
}

void pw_mqtt_text_connection(const struct pw_mqtt_look *look, struct pw_out *out)
{
    if (look->openevse == NULL) {
        return;
    }
    const struct pw_rapi_view *board = pw_reach_view(&look->openevse->rapi);
    pw_put_s(out, board->ok ? "OK" : "CON_ERROR_FAILED_COM :");
    pw_put_s(out, board->ok ? "" : board->failed);
}

// A setting as the command on this topic has it.
static void put_wire(const struct pw_mqtt_look *look, const char *topic, struct pw_out *out)
{
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        if (strcmp(pw_mqtt_commands[i].topic, topic) == 0) {
            pw_mqtt_print_wire(&look->station->settings, &pw_mqtt_commands[i], look->connector,
                               out);
        }
    }
}

void pw_mqtt_text_enable(const struct pw_mqtt_look *look, struct pw_out *out)
{
    put_wire(look, "set_enable", out);
}

void pw_mqtt_text_plug_and_charge(const struct pw_mqtt_look *look, struct pw_out *out)
{
    put_wire(look, "set_plugandcharge", out);
}

void pw_mqtt_text_time(const struct pw_mqtt_look *look, struct pw_out *out)
{
    pw_unix_ms wall = pw_station_wall(look->station, look->now);
    if (wall > 0) {
        pw_put_int(out, wall / 1000);
    }
}

void pw_mqtt_text_memory(const struct pw_mqtt_look *look, struct pw_out *out)
{
    if (look->mqtt->free_kb >= 0) {
        pw_put_int(out, look->mqtt->free_kb);
    }
}

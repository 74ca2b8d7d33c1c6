// The dc kind: station/bay behind the connector's row of functions.
#include "connector/kind.h"
#include "connector/wiring.h"

#include <string.h>

static int32_t of(const struct pw_settings *settings, enum pw_setting_id id, unsigned index)
{
    return pw_settings_connector(settings, id, index);
}

static void wire_dc(const struct pw_settings *settings, unsigned index,
                    struct pw_bay_config *config)
{
    config->dc.min_mv = of(settings, PW_SET_VOLTAGE_MIN_MV, index);
    config->dc.max_mv = of(settings, PW_SET_VOLTAGE_MAX_MV, index);
    config->dc.max_ma = of(settings, PW_SET_CURRENT_MAX_MA, index);
    config->dc.ramp_ma_s = of(settings, PW_SET_RAMP_MA_S, index);
    config->dc.derate_from_dc = of(settings, PW_SET_DERATE_FROM_DC, index);
    config->dc.trip_dc = of(settings, PW_SET_TRIP_DC, index);
    config->meter.min_mv = config->dc.min_mv;
    config->meter.max_mv = config->dc.max_mv;
    config->meter.max_ma = of(settings, PW_SET_CURRENT_PLAUSIBLE_MA, index);
}

void pw_wire_bay(const struct pw_settings *settings, unsigned index, struct pw_bay_config *config)
{
    memset(config, 0, sizeof(*config));
    config->connector_id = (uint8_t)(index + 1);
    config->vehicle_bus = (uint8_t)of(settings, PW_SET_VEHICLE_BUS, index);
    config->power_bus = (uint8_t)of(settings, PW_SET_POWER_BUS, index);
    config->rectifier = pw_rectifier_drivers[of(settings, PW_SET_RECTIFIER, index)];
    config->rectifier_address = (uint8_t)of(settings, PW_SET_RECTIFIER_ADDRESS, index);
    config->rectifier_rated_ma = of(settings, PW_SET_RECTIFIER_RATED_MA, index);
    config->rectifier_modules = (uint8_t)of(settings, PW_SET_RECTIFIER_MODULES, index);
    config->elcon_soc = of(settings, PW_SET_ELCON_SOC, index) != 0;
    config->daly_poll = of(settings, PW_SET_DALY_POLL, index) != 0;
    config->status_period_ms = of(settings, PW_SET_STATUS_PERIOD_MS, index);
    config->terminal_id = (uint32_t)of(settings, PW_SET_TERMINAL_ID, index);
    config->terminal_current_divisor = of(settings, PW_SET_TERMINAL_DIVISOR, index);
    config->io_node = (uint8_t)of(settings, PW_SET_IO_NODE, index);
    config->mains_mv = of(settings, PW_SET_MAINS_MV, index);
    config->mains_phases = (uint8_t)of(settings, PW_SET_PHASES, index);
    config->efficiency_permille = of(settings, PW_SET_EFFICIENCY_PERMILLE, index);
    wire_dc(settings, index, config);
    pw_wire_session(settings, &config->session);
}

static int init(struct pw_connector *connector, const struct pw_settings *settings, unsigned index,
                const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    struct pw_bay_config config;
    pw_wire_bay(settings, index, &config);
    return pw_bay_init(&connector->of.bay, &config, log, now, why);
}

static int configure(struct pw_connector *connector, const struct pw_settings *settings,
                     unsigned index, struct pw_out *why, pw_ms now)
{
    struct pw_bay_config config;
    pw_wire_bay(settings, index, &config);
    return pw_bay_configure(&connector->of.bay, &config, why, now);
}

static pw_ms step(struct pw_connector *connector, pw_ms now)
{
    return pw_bay_step(&connector->of.bay, now);
}

// What a bus has to do with the connector's condition, in words OCPP can carry.
static const char *bus_info(const struct pw_bay_view *bay)
{
    static const char *const words[PW_BAY_BUSES][PW_CAN_SILENT + 1] = {
        {[PW_CAN_DOWN] = "CAN bus 0 down",
         [PW_CAN_ACTIVE] = "",
         [PW_CAN_WARNING] = "CAN bus 0 error warning",
         [PW_CAN_PASSIVE] = "CAN bus 0 error passive",
         [PW_CAN_OFF] = "CAN bus 0 bus-off",
         [PW_CAN_SILENT] = "CAN bus 0 silent"},
        {[PW_CAN_DOWN] = "CAN bus 1 down",
         [PW_CAN_ACTIVE] = "",
         [PW_CAN_WARNING] = "CAN bus 1 error warning",
         [PW_CAN_PASSIVE] = "CAN bus 1 error passive",
         [PW_CAN_OFF] = "CAN bus 1 bus-off",
         [PW_CAN_SILENT] = "CAN bus 1 silent"},
    };
    for (unsigned bus = 0; bus < PW_BAY_BUSES; bus++) {
        const char *word = words[bus][bay->bus[bus].state];
        if (bay->bus[bus].needed && word[0] != '\0') {
            return word;
        }
    }
    return "";
}

static void view_power(const struct pw_bay_view *bay, struct pw_connector_view *view)
{
    view->measured = bay->measured;
    for (unsigned i = 0; i < PW_CONNECTOR_PHASES; i++) {
        view->mv[i] = PW_BOARD_UNKNOWN;
        view->ma[i] = PW_BOARD_UNKNOWN;
        view->mw[i] = PW_BOARD_UNKNOWN;
    }
    if (bay->measured) {
        view->mv[0] = bay->out_mv;
        view->ma[0] = bay->out_ma;
        view->mw[0] = (int32_t)pw_clamp(bay->power_mw, INT32_MIN + 1, INT32_MAX);
    }
    view->out_mv = bay->out_mv;
    view->out_ma = bay->out_ma;
    view->power_mw = bay->power_mw;
    view->mains_mhz = PW_BOARD_UNKNOWN;
}

static void view(const struct pw_connector *connector, struct pw_connector_view *view, pw_ms now)
{
    struct pw_bay_view bay;
    pw_bay_view(&connector->of.bay, &bay, now);
    const char *bus = bus_info(&bay);
    *view = (struct pw_connector_view){
        .connector_id = bay.connector_id,
        .status = bay.status,
        .error_code = bay.error_code,
        .vendor_code = bay.vendor_code,
        .info = bus[0] != '\0' ? bus : bay.info,
        .phase = bay.phase,
        .state = pw_dc_state_name(bay.state),
        .state_why = bay.state_why,
        .pilot = "",
        .rotation = "",
        .plugged = bay.plugged,
        .plugged_since = bay.plugged_since,
        .energised = bay.energised,
        .live = bay.energised || bay.feedback == PW_DC_FEEDBACK_CLOSED,
        .offered_ma = bay.offered_ma,
        .limit_who = bay.limit_who,
        .limit_why = bay.limit_why,
        .limit_since = bay.limit_since,
        .energy_mwh = bay.energy_mwh,
        .session_mwh = bay.session_mwh,
        .session_ms = bay.session_ms,
        .temp_dc = bay.temp_dc,
        .vehicle = {.heard = bay.vehicle.at != PW_NEVER,
                    .max_ma = bay.vehicle.at != PW_NEVER ? bay.vehicle.max_ma : -1,
                    .peak_ma = bay.vehicle.peak_ma,
                    .soc_permille = bay.soc_permille,
                    .charge_mah = bay.vehicle.charge_mah,
                    .pack_mv = bay.vehicle.pack_mv >= 0 ? bay.vehicle.pack_mv : bay.battery_mv,
                    .model = bay.vehicle.model == NULL ? "" : bay.vehicle.model->name},
    };
    memcpy(view->id_tag, bay.id_tag, sizeof(view->id_tag));
    view_power(&bay, view);
}

static struct pw_session *session(struct pw_connector *connector)
{
    return &connector->of.bay.session;
}

static const struct pw_limits *limits(const struct pw_connector *connector)
{
    return &connector->of.bay.limits;
}

// Limits that are milliampere of the mains.
#define OF_THE_MAINS ((1U << PW_LIMIT_LOAD) | (1U << PW_LIMIT_HOUSE) | (1U << PW_LIMIT_SOLAR))

static int limit(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                 const char *why, pw_ms expires, pw_ms now)
{
    struct pw_bay *bay = &connector->of.bay;
    int32_t output_ma =
        ((OF_THE_MAINS >> (unsigned)source) & 1U) != 0 ? pw_bay_from_mains_ma(bay, ma) : ma;
    return pw_bay_limit(bay, source, output_ma, why, expires, now);
}

static void unlimit(struct pw_connector *connector, enum pw_limit_source source, pw_ms now)
{
    pw_bay_unlimit(&connector->of.bay, source, now);
}

static bool fault(const struct pw_connector *connector, unsigned row,
                  struct pw_connector_fault *fault)
{
    if (row >= PW_DC_FAULT_ROWS) {
        return false;
    }
    const struct pw_dc *dc = &connector->of.bay.dc;
    const struct pw_dc_fault_row *own = &pw_dc_fault_rows[row];
    *fault = (struct pw_connector_fault){
        .vendor = own->vendor,
        .ocpp16 = own->ocpp16,
        .text = own->text,
        .active = (dc->faults & PW_DC_BIT(row)) != 0,
        .stays = own->stays,
        .latched = (pw_dc_latched(dc) & PW_DC_BIT(row)) != 0,
    };
    return true;
}

static int clear(struct pw_connector *connector, unsigned row, pw_ms now)
{
    return row < PW_DC_FAULT_ROWS ? pw_bay_clear(&connector->of.bay, (enum pw_dc_fault)row, now)
                                  : PW_ERR_UNKNOWN;
}

static bool estop(struct pw_connector *connector, bool pressed)
{
    return pw_bay_estop(&connector->of.bay, pressed);
}

static bool is_off(const struct pw_connector *connector)
{
    return pw_dc_is_off(&connector->of.bay.dc);
}

static bool keep_due(const struct pw_connector *connector, pw_ms now)
{
    return pw_bay_keep_due(&connector->of.bay, now);
}

static struct pw_connector_keep keep(const struct pw_connector *connector)
{
    struct pw_bay_keep bay = pw_bay_keep(&connector->of.bay);
    return (struct pw_connector_keep){.latched = bay.latched, .energy = bay.energy, .counter = -1};
}

static void kept(struct pw_connector *connector, const struct pw_connector_keep *kept, pw_ms now)
{
    const struct pw_bay_keep bay = {.latched = kept->latched, .energy = kept->energy};
    pw_bay_kept(&connector->of.bay, &bay, now);
}

static int restore(struct pw_connector *connector, const struct pw_connector_keep *keep, pw_ms now)
{
    const struct pw_bay_keep bay = {.latched = keep->latched, .energy = keep->energy};
    return pw_bay_restore(&connector->of.bay, &bay, now);
}

static void can(struct pw_connector *connector, uint8_t bus, const struct pw_can_frame *frame,
                pw_ms now)
{
    pw_bay_can(&connector->of.bay, bus, frame, now);
}

static void bus_state(struct pw_connector *connector, uint8_t bus, enum pw_can_state state,
                      pw_ms now)
{
    pw_bay_bus_state(&connector->of.bay, bus, state, now);
}

static bool take_can(struct pw_connector *connector, uint8_t *bus, struct pw_can_frame *frame)
{
    return pw_bay_take_can(&connector->of.bay, bus, frame);
}

static bool take_restart(struct pw_connector *connector, uint8_t bus, pw_ms now)
{
    return pw_bay_take_restart(&connector->of.bay, bus, now);
}

const struct pw_connector_kind pw_connector_kind_dc = {
    .name = "dc",
    .init = init,
    .configure = configure,
    .step = step,
    .view = view,
    .session = session,
    .limits = limits,
    .limit = limit,
    .unlimit = unlimit,
    .fault = fault,
    .clear = clear,
    .estop = estop,
    .is_off = is_off,
    .keep_due = keep_due,
    .keep = keep,
    .kept = kept,
    .restore = restore,
    .can = can,
    .bus_state = bus_state,
    .take_can = take_can,
    .take_restart = take_restart,
};

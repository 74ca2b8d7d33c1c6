#include "bay/bay.h"

#include "bay/parts.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Setting up

static int fill(struct pw_bay_config *to, const struct pw_bay_config *from, struct pw_out *why)
{
    struct pw_bay_config c = *from;
    c.rectifier = c.rectifier == NULL ? &pw_rectifier_driver_huawei : c.rectifier;
    c.rectifier_rated_ma = c.rectifier_rated_ma == 0 ? 33570 : c.rectifier_rated_ma;
    c.rectifier_modules = c.rectifier_modules == 0 ? 1 : c.rectifier_modules;
    if (c.rectifier_address == 0) {
        c.rectifier_address = c.rectifier->address_least;
    }
    c.status_period_ms = c.status_period_ms == 0 ? 500 : c.status_period_ms;
    c.bus_silence_ms = c.bus_silence_ms == 0 ? 3000 : c.bus_silence_ms;
    c.terminal_current_divisor = c.terminal_current_divisor == 0 ? 1 : c.terminal_current_divisor;
    c.mains_mv = c.mains_mv == 0 ? 230000 : c.mains_mv;
    c.mains_phases = c.mains_phases == 0 ? 3 : c.mains_phases;
    c.efficiency_permille = c.efficiency_permille == 0 ? 940 : c.efficiency_permille;
    c.vehicles = c.vehicles == NULL ? &pw_vehicle_table_default : c.vehicles;
    c.dc.no_contactor = c.io_node == 0;
    bool good = pw_within(why, "connector_id", c.connector_id, 1, UINT8_MAX) &&
                pw_within(why, "vehicle_bus", c.vehicle_bus, 0, PW_BAY_BUSES - 1) &&
                pw_within(why, "power_bus", c.power_bus, 0, PW_BAY_BUSES - 1) &&
                pw_within(why, "rectifier_address", c.rectifier_address, c.rectifier->address_least,
                          c.rectifier->address_most) &&
                pw_within(why, "rectifier_rated_ma", c.rectifier_rated_ma, 1000, 300000) &&
                pw_within(why, "rectifier_modules", c.rectifier_modules, 1, 16) &&
                pw_within(why, "status_period_ms", c.status_period_ms, 100, 1000) &&
                pw_within(why, "bus_silence_ms", c.bus_silence_ms, 100, 600000) &&
                pw_within(why, "terminal_id", c.terminal_id, 0, 0x1FFFFFFF) &&
                pw_within(why, "terminal_current_divisor", c.terminal_current_divisor, 1, 1000) &&
                pw_within(why, "mains_mv", c.mains_mv, 100000, 400000) &&
                pw_within(why, "mains_phases", c.mains_phases, 1, 3) &&
                pw_within(why, "efficiency_permille", c.efficiency_permille, 500, 1000) &&
                pw_within(why, "io_node", c.io_node, 0, 127);
    if (!good || pw_vehicle_table_check(c.vehicles) < 0) {
        return PW_ERR_RANGE;
    }
    *to = c;
    return PW_OK;
}

static void set_up_devices(struct pw_bay *bay)
{
    const struct pw_bay_config *c = &bay->config;
    bay->rectifier_config = (struct pw_rectifier_config){
        .address = c->rectifier_address,
        .modules = c->rectifier_modules,
        .rated_ma = c->rectifier_rated_ma,
        .has_terminal = c->terminal_id != 0,
        .terminal = {.terminal_id = c->terminal_id},
    };
    bay->bms_config = (struct pw_bms_config){
        .form = c->elcon_soc ? PW_ELCON_SOC : PW_ELCON_HEATING,
        .polls_counters = c->daly_poll,
        .polls_daly = c->daly_poll,
    };
    bay->bus[c->vehicle_bus].needed = true;
    bay->bus[c->power_bus].needed = true;
}

// What the modules together can give; the plausible range bounds it too.
static int32_t hardware_ma(const struct pw_bay *bay)
{
    int64_t all = (int64_t)bay->config.rectifier_rated_ma * bay->config.rectifier_modules;
    return (int32_t)pw_min(all, bay->meter.config.max_ma);
}

static void set_limit(struct pw_bay *bay, enum pw_limit_source source, int32_t ma, const char *why,
                      pw_ms now)
{
    int err = pw_limits_set(&bay->limits, source, ma, why, PW_NEVER, now);
    PW_ASSERT(err == PW_OK);
}

int pw_bay_init(struct pw_bay *bay, const struct pw_bay_config *config, const struct pw_log *log,
                pw_ms now, struct pw_out *why)
{
    memset(bay, 0, sizeof(*bay));
    int err = fill(&bay->config, config, why);
    if (err < 0) {
        return err;
    }
    err = pw_dc_init(&bay->dc, bay->config.connector_id, &bay->config.dc, log, now, why);
    if (err < 0) {
        return err;
    }
    err = pw_meter_init(&bay->meter, &bay->config.meter, now);
    if (err < 0) {
        if (why != NULL) {
            pw_put_s(why, "meter settings contradict each other");
        }
        return err;
    }
    bay->log = log;
    for (unsigned i = 0; i < PW_BAY_BUSES; i++) {
        bay->bus[i] = (struct pw_bay_bus){
            .heard_at = PW_NEVER, .listen_until = PW_NEVER, .restart_at = PW_NEVER};
    }
    set_up_devices(bay);
    bay->power = (struct pw_bay_power){.at = PW_NEVER,
                                       .mv_at = PW_NEVER,
                                       .ma_at = PW_NEVER,
                                       .temp_at = PW_NEVER,
                                       .mv = -1,
                                       .ma = -1,
                                       .mains_mv = -1,
                                       .temp_dc = INT32_MIN};
    bay->terminal.at = PW_NEVER;
    bay->io.at = PW_NEVER;
    bay->io.battery_at = PW_NEVER;
    bay->poll.node_rests = true;
    pw_bay_forget_vehicle(bay);
    bay->power.max_ma = hardware_ma(bay);
    pw_limits_init(&bay->limits, bay->power.max_ma, now);
    set_limit(bay, PW_LIMIT_SETTINGS, bay->dc.config.max_ma, "settings", now);
    pw_session_init(&bay->session, bay->config.connector_id, &bay->config.session, log, now);
    return PW_OK;
}

int pw_bay_configure(struct pw_bay *bay, const struct pw_bay_config *config, struct pw_out *why,
                     pw_ms now)
{
    struct pw_meter meter = bay->meter;
    if (pw_meter_configure(&meter, &config->meter) < 0) {
        if (why != NULL) {
            pw_put_s(why, "meter settings contradict each other");
        }
        return PW_ERR_RANGE;
    }
    struct pw_dc_config dc = config->dc;
    dc.no_contactor = bay->config.io_node == 0;
    int err = pw_dc_configure(&bay->dc, &dc, why);
    if (err < 0) {
        return err;
    }
    bay->meter = meter;
    bay->config.dc = dc;
    bay->config.meter = config->meter;
    bay->config.session = config->session;
    pw_session_configure(&bay->session, &config->session);
    set_limit(bay, PW_LIMIT_SETTINGS, bay->dc.config.max_ma, "settings", now);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Requests from above

bool pw_bay_estop(struct pw_bay *bay, bool pressed)
{
    bool before = bay->panel_estop;
    bay->panel_estop = pressed;
    return before;
}

int pw_bay_limit(struct pw_bay *bay, enum pw_limit_source source, int32_t ma, const char *why,
                 pw_ms expires, pw_ms now)
{
    return pw_limits_set(&bay->limits, source, ma, why, expires, now);
}

int32_t pw_bay_from_mains_ma(const struct pw_bay *bay, int32_t mains_ma)
{
    // Below zero is the caller's mistake: the limit stack refuses it.
    int64_t mains_mw = (int64_t)mains_ma * bay->config.mains_mv / 1000 * bay->config.mains_phases;
    int64_t output_mw = mains_mw * bay->config.efficiency_permille / 1000;
    return (int32_t)pw_min(output_mw * 1000 / bay->dc.config.max_mv, INT32_MAX);
}

void pw_bay_unlimit(struct pw_bay *bay, enum pw_limit_source source, pw_ms now)
{
    pw_limits_clear(&bay->limits, source, now);
}

int pw_bay_clear(struct pw_bay *bay, enum pw_dc_fault fault, pw_ms now)
{
    int err = pw_dc_clear(&bay->dc, fault, now);
    if (err == PW_ERR_BUSY && fault == PW_DC_FAULT_RECTIFIER_OVP) {
        bay->wants_ovp_clear = true;
        return PW_ERR_AGAIN;
    }
    return err;
}

bool pw_bay_keep_due(const struct pw_bay *bay, pw_ms now)
{
    return pw_dc_latched(&bay->dc) != bay->kept_latched ||
           pw_meter_checkpoint_due(&bay->meter, now);
}

struct pw_bay_keep pw_bay_keep(const struct pw_bay *bay)
{
    return (struct pw_bay_keep){.latched = pw_dc_latched(&bay->dc), .energy = bay->meter.total};
}

void pw_bay_kept(struct pw_bay *bay, const struct pw_bay_keep *kept, pw_ms now)
{
    bay->kept_latched = kept->latched;
    pw_meter_checkpointed(&bay->meter, now);
}

int pw_bay_restore(struct pw_bay *bay, const struct pw_bay_keep *keep, pw_ms now)
{
    int err = pw_meter_restore(&bay->meter, keep->energy, now);
    if (err < 0) {
        return err;
    }
    pw_dc_restore(&bay->dc, keep->latched);
    bay->kept_latched = pw_dc_latched(&bay->dc);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// One turn

// The rows of the stack that core/dc weighs by itself, so that it knows whose the least is.
#define OWN_ROWS ((1U << PW_LIMIT_VEHICLE) | (1U << PW_LIMIT_TEMPERATURE))

static struct pw_dc_input snapshot(const struct pw_bay *bay, bool permit)
{
    const struct pw_bay_vehicle *v = &bay->vehicle;
    bool feels = bay->config.io_node != 0 && bay->io.at != PW_NEVER;
    enum pw_dc_feedback position = bay->io.closed ? PW_DC_FEEDBACK_CLOSED : PW_DC_FEEDBACK_OPEN;
    return (struct pw_dc_input){
        .permit = permit,
        .bus_ok = pw_bay_bus_ok(bay),
        .estop = bay->io.estop || bay->panel_estop,
        .feedback = feels ? position : PW_DC_FEEDBACK_NONE,
        .io_at = bay->io.at,
        .stack_ma = pw_limits_without(&bay->limits, OWN_ROWS),
        .bms_at = v->at,
        .bms_stop = v->stop,
        .bms_heating = v->heating,
        .bms_mv = v->max_mv,
        .bms_ma = v->max_ma,
        .soc_permille = v->soc_permille,
        .capacity_mah = v->model == NULL ? 0 : v->model->capacity_mah,
        .out_at = bay->terminal.at,
        .out_mv = bay->terminal.mv,
        .out_ma = bay->terminal.ma,
        .rectifier_at = bay->power.at,
        .rectifier_mv = bay->power.mv,
        .alarms = bay->power.alarms,
        .temp_at = bay->power.temp_at,
        .temp_dc = bay->power.temp_dc,
        .battery_at = bay->io.battery_at,
        .battery_mv = bay->io.battery_mv,
    };
}

static void show_limits(struct pw_bay *bay, pw_ms now)
{
    if (bay->dc.plugged) {
        set_limit(bay, PW_LIMIT_VEHICLE,
                  bay->vehicle.stop ? 0 : (int32_t)pw_max(0, bay->vehicle.max_ma),
                  bay->vehicle.stop ? "stop flag" : "BMS", now);
    } else {
        pw_limits_clear(&bay->limits, PW_LIMIT_VEHICLE, now);
    }
    bool warm =
        bay->power.temp_at != PW_NEVER && bay->power.temp_dc > bay->dc.config.derate_from_dc;
    if (warm) {
        set_limit(bay, PW_LIMIT_TEMPERATURE, pw_dc_derated_ma(&bay->dc.config, bay->power.temp_dc),
                  "derating", now);
    } else {
        pw_limits_clear(&bay->limits, PW_LIMIT_TEMPERATURE, now);
    }
}

static pw_ms step_dc(struct pw_bay *bay, pw_ms now)
{
    bool was_plugged = bay->dc.plugged;
    struct pw_dc_input in = snapshot(bay, pw_session_permit(&bay->session));
    pw_ms next = pw_dc_step(&bay->dc, &in, now);
    if (was_plugged && !bay->dc.plugged) {
        pw_bay_forget_vehicle(bay);
    }
    if (bay->wants_ovp_clear) {
        int err = pw_dc_clear(&bay->dc, PW_DC_FAULT_RECTIFIER_OVP, now);
        bay->wants_ovp_clear = err == PW_ERR_BUSY;
    }
    return next;
}

static pw_ms step_session(struct pw_bay *bay, pw_ms now)
{
    const struct pw_dc *dc = &bay->dc;
    struct pw_session_input in = {
        .plugged = dc->plugged,
        .off = pw_dc_is_off(dc),
        .paused_ev = dc->pause == PW_DC_PAUSE_VEHICLE || dc->pause == PW_DC_PAUSE_SILENT,
        .paused_evse = dc->pause == PW_DC_PAUSE_STATION,
        .full = dc->end != PW_DC_END_NONE,
        .fault = dc->faults != 0,
        .emergency = (dc->faults & PW_DC_BIT(PW_DC_FAULT_ESTOP)) != 0,
        .energy_mwh = bay->meter.total.energy_mwh,
        .soc_permille = bay->vehicle.soc_permille,
    };
    return pw_session_step(&bay->session, &in, now);
}

pw_ms pw_bay_step(struct pw_bay *bay, pw_ms now)
{
    pw_ms next = pw_bay_bus_step(bay, now);
    if (bay->terminal.fresh) {
        bay->terminal.fresh = false;
        (void)pw_meter_sample(&bay->meter, bay->terminal.mv, bay->terminal.ma, bay->terminal.at);
    }
    pw_bay_know_vehicle(bay);
    show_limits(bay, now);
    next = pw_earlier(next, pw_limits_step(&bay->limits, now));
    bool permit = pw_session_permit(&bay->session);
    pw_ms machine = step_dc(bay, now);
    pw_ms session = step_session(bay, now);
    if (pw_session_permit(&bay->session) != permit) {
        // The session's word counts in the same turn.
        machine = step_dc(bay, now);
        session = step_session(bay, now);
    }
    next = pw_earlier(next, pw_earlier(machine, session));
    next = pw_earlier(next, pw_bay_send(bay, now));
    // Once it is due it stays so; asking again at once would not get it saved sooner.
    pw_ms checkpoint = pw_meter_deadline(&bay->meter);
    return checkpoint > now ? pw_earlier(next, checkpoint) : next;
}

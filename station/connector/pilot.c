// The pilot kind: station/outlet behind the connector's row of functions.
#include "connector/kind.h"
#include "connector/wiring.h"

#include <string.h>

static int32_t of(const struct pw_settings *settings, enum pw_setting_id id, unsigned index)
{
    return pw_settings_connector(settings, id, index);
}

static void wire_outlet(const struct pw_settings *settings, unsigned index,
                        struct pw_outlet_config *config)
{
    static const enum pw_evse_wake wakes[] = {PW_EVSE_WAKE_X1, PW_EVSE_WAKE_NONE,
                                              PW_EVSE_WAKE_FAULT};
    static const enum pw_evse_ventilation fans[] = {
        PW_EVSE_VENTILATION_NONE, PW_EVSE_VENTILATION_ALWAYS, PW_EVSE_VENTILATION_RELAY};
    memset(config, 0, sizeof(*config));
    config->connector_id = (uint8_t)(index + 1);
    config->rated_ma = of(settings, PW_SET_AC_RATED_MA, index);
    config->max_ma = of(settings, PW_SET_AC_MAX_MA, index);
    config->min_ma = pw_settings_int(settings, PW_SET_CURRENT_MIN_MA);
    config->external_meter = pw_settings_connector_text(settings, PW_SET_METER, index)[0] != '\0';
    config->evse.socket = of(settings, PW_SET_SOCKET, index) != 0;
    config->evse.ventilation = fans[of(settings, PW_SET_VENTILATION, index)];
    config->evse.wake = wakes[of(settings, PW_SET_WAKE_UP, index)];
    config->evse.rcd_resets = of(settings, PW_SET_RCD_RESETS, index);
    config->evse.derate_from_dc = of(settings, PW_SET_DERATE_FROM_DC, index);
    config->evse.trip_dc = of(settings, PW_SET_TRIP_DC, index);
    config->evse.over_mv = of(settings, PW_SET_AC_HIGH_MV, index);
    config->evse.under_mv = of(settings, PW_SET_AC_MIN_MV, index);
    config->evse.min_off_ms = of(settings, PW_SET_MIN_OFF_S, index) * 1000;
    config->evse.closes_an_hour = of(settings, PW_SET_OPERATIONS_PER_HOUR, index);
    pw_wire_mains(settings, index, &config->mains);
    pw_wire_session(settings, &config->session);
    // Without a lock the next vehicle would charge on, on a charge that another one left.
    config->keep_lock = pw_settings_int(settings, PW_SET_UNLOCK_ON_DISCONNECT) == 0;
    config->session.keep_when_unplugged =
        config->evse.socket && pw_settings_int(settings, PW_SET_STOP_ON_DISCONNECT) == 0;
}

static int init(struct pw_connector *connector, const struct pw_settings *settings, unsigned index,
                const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    struct pw_outlet_config config;
    wire_outlet(settings, index, &config);
    return pw_outlet_init(&connector->of.outlet, &config, log, now, why);
}

static int configure(struct pw_connector *connector, const struct pw_settings *settings,
                     unsigned index, struct pw_out *why, pw_ms now)
{
    struct pw_outlet_config config;
    wire_outlet(settings, index, &config);
    return pw_outlet_configure(&connector->of.outlet, &config, why, now);
}

static pw_ms step(struct pw_connector *connector, pw_ms now)
{
    return pw_outlet_step(&connector->of.outlet, now);
}

// Faults first, then a meter that fell silent, then why nothing flows.
static void view_condition(const struct pw_outlet *outlet, bool meter_late,
                           struct pw_connector_view *view)
{
    enum pw_evse_fault worst = pw_evse_worst(&outlet->evse);
    view->error_code = "NoError";
    view->vendor_code = "";
    view->info = "";
    if (worst < PW_EVSE_FAULT_ROWS) {
        view->error_code = pw_evse_fault_rows[worst].ocpp16;
        view->vendor_code = pw_evse_fault_rows[worst].vendor;
        view->info = pw_evse_fault_rows[worst].text;
    } else if (meter_late) {
        view->error_code = "PowerMeterFailure";
        view->vendor_code = "PW-METER";
        view->info = "meter silent or implausible";
    } else if (outlet->evse.plugged && outlet->evse.pause != PW_EVSE_PAUSE_NONE) {
        view->info = pw_evse_pause_name(outlet->evse.pause);
    }
}

static void view(const struct pw_connector *connector, struct pw_connector_view *view, pw_ms now)
{
    const struct pw_outlet *outlet = &connector->of.outlet;
    const struct pw_evse *evse = &outlet->evse;
    const struct pw_session *charge = &outlet->session;
    struct pw_outlet_view own;
    pw_outlet_view(outlet, &own, now);
    *view = (struct pw_connector_view){
        .connector_id = outlet->config.connector_id,
        .status = pw_session_status(charge),
        .phase = charge->phase,
        .state = pw_evse_state_name(evse->state),
        .state_why = evse->why,
        .pilot = own.pilot,
        .plugged = evse->plugged,
        .plugged_since = evse->plugged_since,
        .energised = evse->drive.contactor,
        .live = own.live,
        .offered_ma = own.offered_ma,
        .cable_ma = evse->cable_ma,
        .limit_who = outlet->limits.who,
        .limit_why = outlet->limits.why,
        .limit_since = outlet->limits.since,
        .energy_mwh = outlet->mains.total.energy_mwh,
        .session_mwh = pw_session_energy_mwh(charge),
        .session_ms = pw_session_time_ms(charge, now),
        .temp_dc = own.temp_dc,
        .vehicle = {.max_ma = -1, .soc_permille = -1, .charge_mah = -1, .pack_mv = -1, .model = ""},
    };
    memcpy(view->id_tag, charge->id_tag, sizeof(view->id_tag));
    view_condition(outlet, own.meter_late, view);
    pw_connector_show_mains(&own.mains, view);
}

static struct pw_session *session(struct pw_connector *connector)
{
    return &connector->of.outlet.session;
}

static const struct pw_limits *limits(const struct pw_connector *connector)
{
    return &connector->of.outlet.limits;
}

static int limit(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                 const char *why, pw_ms expires, pw_ms now)
{
    return pw_limits_set(&connector->of.outlet.limits, source, ma, why, expires, now);
}

static void unlimit(struct pw_connector *connector, enum pw_limit_source source, pw_ms now)
{
    pw_limits_clear(&connector->of.outlet.limits, source, now);
}

static bool fault(const struct pw_connector *connector, unsigned row,
                  struct pw_connector_fault *fault)
{
    if (row >= PW_EVSE_FAULT_ROWS) {
        return false;
    }
    const struct pw_evse *evse = &connector->of.outlet.evse;
    const struct pw_evse_fault_row *own = &pw_evse_fault_rows[row];
    *fault = (struct pw_connector_fault){
        .vendor = own->vendor,
        .ocpp16 = own->ocpp16,
        .text = own->text,
        .active = (evse->faults & PW_EVSE_BIT(row)) != 0,
        .stays = own->latch == PW_EVSE_LATCH_STAYS || own->latch == PW_EVSE_LATCH_COUNTED,
    };
    fault->latched = fault->active && fault->stays;
    return true;
}

static int clear(struct pw_connector *connector, unsigned row, pw_ms now)
{
    return row < PW_EVSE_FAULT_ROWS
               ? pw_evse_clear(&connector->of.outlet.evse, (enum pw_evse_fault)row, now)
               : PW_ERR_UNKNOWN;
}

static bool estop(struct pw_connector *connector, bool pressed)
{
    return pw_outlet_estop(&connector->of.outlet, pressed);
}

static bool is_off(const struct pw_connector *connector)
{
    return pw_evse_is_off(&connector->of.outlet.evse);
}

static bool keep_due(const struct pw_connector *connector, pw_ms now)
{
    return pw_outlet_keep_due(&connector->of.outlet, now);
}

static struct pw_connector_keep keep(const struct pw_connector *connector)
{
    const struct pw_outlet *outlet = &connector->of.outlet;
    return (struct pw_connector_keep){
        .latched = pw_evse_latched(&outlet->evse), .energy = outlet->mains.total, .counter = -1};
}

static void kept(struct pw_connector *connector, const struct pw_connector_keep *kept, pw_ms now)
{
    struct pw_outlet *outlet = &connector->of.outlet;
    outlet->kept_latched = kept->latched;
    pw_mains_checkpointed(&outlet->mains, now);
}

static int restore(struct pw_connector *connector, const struct pw_connector_keep *keep, pw_ms now)
{
    struct pw_outlet *outlet = &connector->of.outlet;
    const struct pw_mains_keep kept_mains = {.total = keep->energy};
    int err = pw_mains_restore(&outlet->mains, &kept_mains, now);
    if (err == PW_OK) {
        pw_evse_restore(&outlet->evse, keep->latched);
        outlet->kept_latched = keep->latched;
        if (keep->interrupted) {
            pw_evse_rest(&outlet->evse, now);
        }
    }
    return err;
}

static int unlock(struct pw_connector *connector, pw_ms now)
{
    return pw_outlet_unlock(&connector->of.outlet, now);
}

static void senses(struct pw_connector *connector, const struct pw_board_senses *senses, pw_ms now)
{
    pw_outlet_senses(&connector->of.outlet, senses, now);
}

static void block(struct pw_connector *connector, const struct pw_board_block *block, pw_ms now)
{
    pw_outlet_block(&connector->of.outlet, block, now);
}

static void mains(struct pw_connector *connector, const struct pw_board_mains *mains, pw_ms now)
{
    pw_outlet_mains(&connector->of.outlet, mains, now);
}

static int board(struct pw_connector *connector, const struct pw_outlet_board *board,
                 struct pw_out *why)
{
    return pw_outlet_board(&connector->of.outlet, board, why);
}

static bool take_drive(struct pw_connector *connector, struct pw_board_drive *drive)
{
    return pw_outlet_take_drive(&connector->of.outlet, drive);
}

const struct pw_connector_kind pw_connector_kind_pilot = {
    .name = "pilot",
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
    .unlock = unlock,
    .senses = senses,
    .block = block,
    .mains = mains,
    .board = board,
    .take_drive = take_drive,
};

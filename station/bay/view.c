#include "bay/parts.h"

#include <string.h>

static void view_faults(const struct pw_bay *bay, struct pw_bay_view *view)
{
    const struct pw_dc *dc = &bay->dc;
    view->faults = dc->faults;
    view->pause = dc->pause;
    view->end = dc->end;
    enum pw_dc_fault worst = pw_dc_worst(dc);
    if (worst < PW_DC_FAULT_ROWS) {
        const struct pw_dc_fault_row *row = &pw_dc_fault_rows[worst];
        view->error_code = row->ocpp16;
        view->vendor_code = row->vendor;
        view->info = row->text;
        return;
    }
    view->error_code = "NoError";
    view->vendor_code = "";
    view->info = dc->pause == PW_DC_PAUSE_NONE ? "" : pw_dc_pause_name(dc->pause);
}

static void view_power(const struct pw_bay *bay, struct pw_bay_view *view, pw_ms now)
{
    const struct pw_dc *dc = &bay->dc;
    pw_ms oldest = (pw_ms)dc->config.measure_ms;
    view->measured = bay->terminal.at != PW_NEVER && !pw_elapsed(bay->terminal.at, oldest, now);
    if (view->measured) {
        view->out_mv = bay->terminal.mv;
        view->out_ma = bay->terminal.ma;
        view->power_mw = (int64_t)view->out_mv * view->out_ma / 1000;
    }
    bool seen = bay->io.battery_at != PW_NEVER && !pw_elapsed(bay->io.battery_at, oldest, now);
    view->battery_mv = seen ? bay->io.battery_mv : -1;
    view->set_mv = dc->out.set_mv;
    view->set_ma = dc->out.set_ma;
    view->offered_ma = dc->plugged ? dc->limits.ma : 0;
    view->limit_mv = dc->limits.mv;
    view->limit_who = bay->limits.who;
    view->limit_why = bay->limits.why;
    view->limit_since = bay->limits.since;
    view->temp_dc = bay->power.temp_dc;
}

void pw_bay_view(const struct pw_bay *bay, struct pw_bay_view *view, pw_ms now)
{
    const struct pw_dc *dc = &bay->dc;
    const struct pw_session *session = &bay->session;
    *view = (struct pw_bay_view){
        .connector_id = bay->config.connector_id,
        .status = pw_session_status(session),
        .phase = session->phase,
        .state = dc->state,
        .state_why = dc->why,
        .plugged = dc->plugged,
        .plugged_since = dc->plugged_since,
        .energised = dc->out.contactor_closed,
        .energy_mwh = bay->meter.total.energy_mwh,
        .session_mwh = pw_session_energy_mwh(session),
        .session_ms = pw_session_time_ms(session, now),
        .soc_permille = bay->vehicle.soc_permille,
        .vehicle = bay->vehicle,
        .power = bay->power,
        .tx_dropped = bay->tx_dropped,
    };
    memcpy(view->id_tag, session->id_tag, sizeof(view->id_tag));
    memcpy(view->bus, bay->bus, sizeof(view->bus));
    // What the I/O node said long ago tells nothing about the contactor now.
    bool heard =
        bay->io.at != PW_NEVER && !pw_elapsed(bay->io.at, (pw_ms)bay->dc.config.io_ms, now);
    if (bay->config.io_node != 0 && heard) {
        view->feedback = bay->io.closed ? PW_DC_FEEDBACK_CLOSED : PW_DC_FEEDBACK_OPEN;
    }
    view_faults(bay, view);
    view_power(bay, view, now);
}

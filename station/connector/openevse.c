// The openevse kind: station/openevse behind the connector's row of functions.
#include "connector/kind.h"
#include "connector/wiring.h"

#include <string.h>

#define BOARD_MAX_MV 300000 // most a board can be told of its mains

static int32_t of(const struct pw_settings *settings, enum pw_setting_id id, unsigned index)
{
    return pw_settings_connector(settings, id, index);
}

static void wire_rapi(const struct pw_settings *settings, unsigned index,
                      struct pw_rapi_config *rapi)
{
    *rapi = (struct pw_rapi_config){
        .timeout_ms = pw_settings_int(settings, PW_SET_RAPI_TIMEOUT_MS),
        .error_reset_ms = pw_settings_int(settings, PW_SET_RAPI_ERROR_RESET_MS),
        .heartbeat_s = pw_settings_int(settings, PW_SET_RAPI_HEARTBEAT_S),
        .heartbeat_ma = pw_settings_int(settings, PW_SET_RAPI_HEARTBEAT_MA),
        .poll_state_ms = pw_settings_int(settings, PW_SET_RAPI_POLL_STATE_MS),
        .poll_current_ms = pw_settings_int(settings, PW_SET_RAPI_POLL_CURRENT_MS),
        .poll_energy_ms = pw_settings_int(settings, PW_SET_RAPI_POLL_ENERGY_MS),
        .poll_capacity_ms = pw_settings_int(settings, PW_SET_RAPI_POLL_CAPACITY_MS),
        .poll_cable_ms = pw_settings_int(settings, PW_SET_RAPI_POLL_CABLE_MS),
        .mains_mv = (int32_t)pw_min(of(settings, PW_SET_MAINS_MV, index), BOARD_MAX_MV),
        .idle_factor = pw_settings_int(settings, PW_SET_RAPI_IDLE_FACTOR),
    };
}

// The text fills the first line, then the second.
static void wire_text(const struct pw_settings *settings, struct pw_rapi_want *want)
{
    const char *text = pw_settings_text(settings, PW_SET_RAPI_LCD_TEXT);
    size_t len = strlen(text);
    want->lcd_on = len > 0 && pw_settings_int(settings, PW_SET_RAPI_LCD) != 0;
    for (size_t i = 0; i < len && i < (size_t)PW_RAPI_LCD_LINES * PW_RAPI_LCD_COLUMNS; i++) {
        want->lcd[i / PW_RAPI_LCD_COLUMNS][i % PW_RAPI_LCD_COLUMNS] = text[i];
    }
}

static void wire_openevse(const struct pw_settings *settings, unsigned index,
                          struct pw_openevse_config *config)
{
    memset(config, 0, sizeof(*config));
    config->connector_id = (uint8_t)(index + 1);
    config->rated_ma = of(settings, PW_SET_AC_RATED_MA, index);
    config->max_ma = of(settings, PW_SET_AC_MAX_MA, index);
    config->min_ma = pw_settings_int(settings, PW_SET_CURRENT_MIN_MA);
    config->mains_mv = of(settings, PW_SET_MAINS_MV, index);
    config->external_meter = pw_settings_connector_text(settings, PW_SET_METER, index)[0] != '\0';
    config->radio = of(settings, PW_SET_RAPI_WIRE, index) != 0;
    config->radio_key = pw_str_of(pw_settings_text(settings, PW_SET_LORA_KEY));
    config->wake = (enum pw_openevse_wake)of(settings, PW_SET_WAKE_UP, index);
    wire_rapi(settings, index, &config->rapi);
    wire_text(settings, &config->text);
    pw_wire_mains(settings, index, &config->mains);
    pw_wire_session(settings, &config->session);
}

static int init(struct pw_connector *connector, const struct pw_settings *settings, unsigned index,
                const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    struct pw_openevse_config config;
    wire_openevse(settings, index, &config);
    return pw_openevse_init(&connector->of.openevse, &config, log, now, why);
}

static int configure(struct pw_connector *connector, const struct pw_settings *settings,
                     unsigned index, struct pw_out *why, pw_ms now)
{
    struct pw_openevse_config config;
    wire_openevse(settings, index, &config);
    return pw_openevse_configure(&connector->of.openevse, &config, why, now);
}

static pw_ms step(struct pw_connector *connector, pw_ms now)
{
    return pw_openevse_step(&connector->of.openevse, now);
}

// ---------------------------------------------------------------------------------------------
// The view.

// Faults of ours first, then the board's, then why nothing flows.
static void view_condition(const struct pw_openevse *oe, struct pw_connector_view *view)
{
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    view->error_code = "NoError";
    view->vendor_code = "";
    view->info = "";
    for (unsigned row = 0; row < PW_OPENEVSE_FAULT_ROWS; row++) {
        if ((oe->faults & (1U << row)) != 0) {
            view->error_code = pw_openevse_fault_rows[row].ocpp16;
            view->vendor_code = pw_openevse_fault_rows[row].vendor;
            view->info = pw_openevse_fault_rows[row].text;
            return;
        }
    }
    if (board->fault) {
        const struct pw_rapi_state_row *state = pw_rapi_state_of(board->state);
        view->error_code = state->ocpp16;
        view->vendor_code = state->vendor;
        view->info = state->text;
    } else if (oe->limits.row[PW_LIMIT_METER].set) {
        view->error_code = "PowerMeterFailure";
        view->vendor_code = "PW-METER";
        view->info = "meter silent or implausible";
    } else if (oe->plugged && oe->state == PW_OPENEVSE_PAUSED) {
        view->info = oe->limits.why;
    } else if (oe->plugged && oe->state == PW_OPENEVSE_OFFERING) {
        view->info = "vehicle";
    }
}

static int32_t hottest_dc(const struct pw_rapi_view *board)
{
    int32_t hottest = INT32_MIN;
    for (unsigned i = 0; board->temps_at != PW_NEVER && i < PW_COUNT(board->temp_dc); i++) {
        hottest = (int32_t)pw_max(hottest, board->temp_dc[i]);
    }
    return hottest;
}

static void view(const struct pw_connector *connector, struct pw_connector_view *view, pw_ms now)
{
    const struct pw_openevse *oe = &connector->of.openevse;
    const struct pw_session *charge = &oe->session;
    struct pw_mains_view readings;
    pw_mains_view(&oe->mains, &readings, now);
    *view = (struct pw_connector_view){
        .connector_id = oe->config.connector_id,
        .status = pw_session_status(charge),
        .phase = charge->phase,
        .state = pw_openevse_state_name(oe->state),
        .state_why = oe->why,
        .pilot = pw_openevse_pilot(oe),
        .plugged = oe->plugged,
        .plugged_since = oe->plugged_since,
        .energised = oe->state == PW_OPENEVSE_CHARGING,
        // What a silent board does nobody knows: what was seen last stands.
        .live = oe->live_since != PW_NEVER,
        .offered_ma = pw_openevse_offered_ma(oe),
        .limit_who = oe->limits.who,
        .limit_why = oe->limits.why,
        .limit_since = oe->limits.since,
        .energy_mwh = oe->mains.total.energy_mwh,
        .session_mwh = pw_session_energy_mwh(charge),
        .session_ms = pw_session_time_ms(charge, now),
        .temp_dc = hottest_dc(pw_reach_view(&oe->rapi)),
        .vehicle = {.max_ma = -1, .soc_permille = -1, .charge_mah = -1, .pack_mv = -1, .model = ""},
    };
    memcpy(view->id_tag, charge->id_tag, sizeof(view->id_tag));
    view_condition(oe, view);
    pw_connector_show_mains(&readings, view);
}

// ---------------------------------------------------------------------------------------------

static struct pw_session *session(struct pw_connector *connector)
{
    return &connector->of.openevse.session;
}

static const struct pw_limits *limits(const struct pw_connector *connector)
{
    return &connector->of.openevse.limits;
}

static int limit(struct pw_connector *connector, enum pw_limit_source source, int32_t ma,
                 const char *why, pw_ms expires, pw_ms now)
{
    return pw_limits_set(&connector->of.openevse.limits, source, ma, why, expires, now);
}

static void unlimit(struct pw_connector *connector, enum pw_limit_source source, pw_ms now)
{
    pw_limits_clear(&connector->of.openevse.limits, source, now);
}

// The board's states that are faults, in order; NULL behind the last.
static const struct pw_rapi_state_row *board_fault(unsigned row)
{
    for (unsigned i = 0;; i++) {
        const struct pw_rapi_state_row *state = pw_rapi_state_at(i);
        if (state == NULL) {
            return NULL;
        }
        if (state->ends != PW_RAPI_ENDS_NONE && row-- == 0) {
            return state;
        }
    }
}

static bool fault(const struct pw_connector *connector, unsigned row,
                  struct pw_connector_fault *fault)
{
    const struct pw_openevse *oe = &connector->of.openevse;
    if (row < PW_OPENEVSE_FAULT_ROWS) {
        const struct pw_openevse_fault_row *own = &pw_openevse_fault_rows[row];
        *fault = (struct pw_connector_fault){.vendor = own->vendor,
                                             .ocpp16 = own->ocpp16,
                                             .text = own->text,
                                             .active = (oe->faults & (1U << row)) != 0,
                                             .stays = own->stays};
        fault->latched = fault->active && fault->stays;
        return true;
    }
    const struct pw_rapi_state_row *state = board_fault(row - PW_OPENEVSE_FAULT_ROWS);
    if (state == NULL) {
        return false;
    }
    const struct pw_rapi_view *board = pw_reach_view(&oe->rapi);
    *fault = (struct pw_connector_fault){.vendor = state->vendor,
                                         .ocpp16 = state->ocpp16,
                                         .text = state->text,
                                         .active = board->ok && board->fault &&
                                                   pw_rapi_state_of(board->state) == state,
                                         .stays = state->ends == PW_RAPI_ENDS_RESTART};
    fault->latched = fault->active && fault->stays;
    return true;
}

// A fault that stays in the board goes with a restart of it, and comes back if its cause is there.
static int clear(struct pw_connector *connector, unsigned row, pw_ms now)
{
    struct pw_openevse *oe = &connector->of.openevse;
    struct pw_connector_fault which;
    if (row < PW_OPENEVSE_FAULT_ROWS) {
        return pw_openevse_clear(oe, (enum pw_openevse_fault)row, now);
    }
    if (!fault(connector, row, &which) || !which.latched) {
        return PW_ERR_UNKNOWN;
    }
    int err = pw_reach_restart(&oe->rapi, now);
    return err == PW_OK ? PW_ERR_AGAIN : err;
}

static bool estop(struct pw_connector *connector, bool pressed)
{
    return pw_openevse_estop(&connector->of.openevse, pressed);
}

static bool is_off(const struct pw_connector *connector)
{
    return pw_openevse_is_off(&connector->of.openevse);
}

static bool keep_due(const struct pw_connector *connector, pw_ms now)
{
    return pw_openevse_keep_due(&connector->of.openevse, now);
}

static struct pw_connector_keep keep(const struct pw_connector *connector)
{
    const struct pw_openevse *oe = &connector->of.openevse;
    struct pw_connector_keep keep = {.latched = pw_openevse_latched(oe)};
    pw_openevse_checkpoint(oe, &keep.energy, &keep.counter);
    return keep;
}

static void kept(struct pw_connector *connector, const struct pw_connector_keep *kept, pw_ms now)
{
    pw_openevse_kept(&connector->of.openevse, kept->latched, now);
}

static int restore(struct pw_connector *connector, const struct pw_connector_keep *keep, pw_ms now)
{
    struct pw_openevse *oe = &connector->of.openevse;
    const struct pw_mains_keep kept_mains = {.total = keep->energy};
    int err = pw_mains_restore(&oe->mains, &kept_mains, now);
    if (err == PW_OK) {
        pw_openevse_restore(oe, keep->latched, keep->counter);
    }
    return err;
}

static void mains(struct pw_connector *connector, const struct pw_board_mains *mains, pw_ms now)
{
    pw_openevse_mains(&connector->of.openevse, mains, now);
}

static void phases(struct pw_connector *connector, unsigned bits, pw_ms now)
{
    pw_openevse_phases(&connector->of.openevse, bits, now);
}

// ---------------------------------------------------------------------------------------------
// The board's line.

static void wire_start(struct pw_connector *connector, uint64_t start)
{
    pw_reach_start(&connector->of.openevse.rapi, start);
}

static void wire_up(struct pw_connector *connector, pw_ms now)
{
    pw_reach_up(&connector->of.openevse.rapi, now);
}

static void wire_down(struct pw_connector *connector, struct pw_str reason, pw_ms now)
{
    (void)reason; // the port has logged it
    pw_reach_down(&connector->of.openevse.rapi, "no line to the board", now);
}

static size_t wire_bytes(struct pw_connector *connector, const uint8_t *at, size_t len, pw_ms now)
{
    (void)now;
    return pw_reach_bytes(&connector->of.openevse.rapi, at, len);
}

static struct pw_str wire_out(const struct pw_connector *connector)
{
    return pw_reach_out(&connector->of.openevse.rapi);
}

static void wire_out_sent(struct pw_connector *connector, size_t len, pw_ms now)
{
    pw_reach_out_sent(&connector->of.openevse.rapi, len, now);
}

static int ask(struct pw_connector *connector, struct pw_str line, enum pw_rapi_who who,
               uint32_t *ticket, struct pw_out *why, pw_ms now)
{
    return pw_reach_ask(&connector->of.openevse.rapi, line, who, now, ticket, why);
}

static int answer(struct pw_connector *connector, uint32_t ticket, struct pw_out *answer)
{
    char text[PW_RAPI_ANSWER_MAX + 1] = "";
    int len = pw_reach_answer(&connector->of.openevse.rapi, ticket, text, sizeof(text));
    if (len >= 0) {
        pw_put_s(answer, text);
        return PW_OK;
    }
    if (len == PW_ERR_PEER) {
        pw_put_s(answer, "the board did not answer");
    }
    return len;
}

static const struct pw_connector_wire wire = {
    .start = wire_start,
    .up = wire_up,
    .down = wire_down,
    .bytes = wire_bytes,
    .out = wire_out,
    .out_sent = wire_out_sent,
    .ask = ask,
    .answer = answer,
};

const struct pw_connector_kind pw_connector_kind_openevse = {
    .name = "openevse",
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
    .mains = mains,
    .wire = &wire,
    .phases = phases,
};

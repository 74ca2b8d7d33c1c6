// The turn: what came in is stored, one step decides for every connector and for OCPP, effects are
// taken by the port.
#include "station.h"

#include "parts.h"

#define DAY_MS 86400000

// ---------------------------------------------------------------------------------------------
// Inputs.

void pw_station_can(struct pw_station *st, unsigned bus, const struct pw_can_frame *frame,
                    pw_ms now)
{
    PW_ASSERT(bus < PW_STATION_BUSES);
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_connector_can(&st->connector[i], (uint8_t)bus, frame, now);
    }
}

void pw_station_bus_state(struct pw_station *st, unsigned bus, enum pw_can_state state, pw_ms now)
{
    PW_ASSERT(bus < PW_STATION_BUSES);
    struct pw_line line;
    pw_line(&line, st->log, state == PW_CAN_ACTIVE ? PW_LOG_INFO : PW_LOG_WARN, "can", "bus");
    pw_line_int(&line, "bus", (int64_t)bus);
    pw_line_s(&line, "state", pw_can_state_name(state));
    pw_line_end(&line);
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_connector_bus_state(&st->connector[i], (uint8_t)bus, state, now);
    }
}

// The connector of this number, or NULL: a board may say anything.
static struct pw_connector *connector_of(struct pw_station *st, unsigned connector)
{
    return connector >= 1 && connector <= st->connectors ? &st->connector[connector - 1] : NULL;
}

int pw_station_board(struct pw_station *st, unsigned connector, const struct pw_outlet_board *board,
                     struct pw_out *why)
{
    struct pw_connector *to = connector_of(st, connector);
    return to == NULL ? PW_ERR_UNKNOWN : pw_connector_board(to, board, why);
}

void pw_station_senses(struct pw_station *st, unsigned connector,
                       const struct pw_board_senses *senses, pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_senses(to, senses, now);
    }
}

void pw_station_block(struct pw_station *st, unsigned connector, const struct pw_board_block *block,
                      pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_block(to, block, now);
    }
}

void pw_station_mains(struct pw_station *st, unsigned connector, const struct pw_board_mains *mains,
                      pw_ms now)
{
    if (connector == 0) {
        pw_household_read(&st->house, mains, now);
        return;
    }
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_mains(to, mains, now);
    }
}

void pw_station_wire_up(struct pw_station *st, unsigned connector, pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_wire_up(to, now);
    }
}

void pw_station_wire_down(struct pw_station *st, unsigned connector, struct pw_str reason,
                          pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_wire_down(to, reason, now);
    }
}

size_t pw_station_wire_bytes(struct pw_station *st, unsigned connector, const uint8_t *at,
                             size_t len, pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    return to == NULL ? len : pw_connector_wire_bytes(to, at, len, now);
}

static int refuse_connector(unsigned connector, struct pw_out *why)
{
    pw_put_s(why, "there is no connector ");
    pw_put_uint(why, connector);
    return PW_ERR_UNKNOWN;
}

int pw_station_board_ask(struct pw_station *st, unsigned connector, struct pw_str line,
                         enum pw_rapi_who who, uint32_t *ticket, struct pw_out *why)
{
    struct pw_connector *to = connector_of(st, connector);
    return to == NULL ? refuse_connector(connector, why)
                      : pw_connector_ask(to, line, who, ticket, why, st->now);
}

int pw_station_board_answer(struct pw_station *st, unsigned connector, uint32_t ticket,
                            struct pw_out *answer)
{
    struct pw_connector *to = connector_of(st, connector);
    return to == NULL ? PW_ERR_UNKNOWN : pw_connector_answer(to, ticket, answer);
}

void pw_station_link_up(struct pw_station *st, pw_ms now)
{
    pw_security_link_up(&st->security, now);
    pw_cp16_link_up(&st->cp16, now);
}

void pw_station_link_down(struct pw_station *st, struct pw_str reason, pw_ms now)
{
    pw_station_link_refused(st, PW_SECURITY_FAULT_NONE, reason, now);
}

void pw_station_link_refused(struct pw_station *st, enum pw_security_fault fault,
                             struct pw_str reason, pw_ms now)
{
    pw_security_link_down(&st->security, fault, reason, now);
    pw_cp16_link_down(&st->cp16, reason, now);
}

void pw_station_target(struct pw_station *st, struct pw_security_target *target, pw_ms now)
{
    pw_security_target(&st->security, target, now);
}

int pw_station_text(struct pw_station *st, struct pw_str text, pw_ms now)
{
    return pw_cp16_text(&st->cp16, text, now);
}

void pw_station_card(struct pw_station *st, unsigned connector, struct pw_str id_tag, pw_ms now)
{
    int err = PW_ERR_RANGE;
    if (id_tag.len >= 1 && id_tag.len <= PW_ID_TAG_MAX && connector <= st->connectors) {
        err = pw_charge_card(st, connector, id_tag, now);
    }
    if (err != PW_OK) {
        struct pw_line line;
        pw_line(&line, st->log, PW_LOG_INFO, "station", "card-ignored");
        pw_line_int(&line, "connector", (int64_t)connector);
        pw_line_s(&line, "reason", pw_err_name(err));
        pw_line_end(&line);
    }
}

void pw_station_stop(struct pw_station *st, pw_ms now)
{
    st->stopping = true;
    for (unsigned i = 0; i < st->connectors; i++) {
        // BUSY: nothing to stop there.
        (void)!pw_session_stop(pw_connector_session(&st->connector[i]), PW_REASON_REBOOT,
                               PW_STR(""), now);
    }
}

void pw_station_tls(struct pw_station *st, const struct pw_station_tls *tls)
{
    st->tls = *tls;
}

bool pw_station_take_new_certificate(struct pw_station *st)
{
    bool asked = st->new_certificate;
    st->new_certificate = false;
    return asked;
}

void pw_station_broker(struct pw_station *st, bool up)
{
    st->broker = up;
}

void pw_station_clock(struct pw_station *st, pw_unix_ms wall, pw_ms now)
{
    bool told = pw_settings_text(&st->settings, PW_SET_OCPP_URL)[0] != '\0' ||
                pw_settings_text(&st->settings, PW_SET_UPLINK_URL)[0] != '\0';
    if (wall > 0 && !(told && st->cp16.clock_known)) {
        pw_cp16_learn_clock(&st->cp16, wall, now);
    }
}

pw_unix_ms pw_station_wall(const struct pw_station *st, pw_ms now)
{
    return pw_cp16_wall(&st->cp16, now);
}

bool pw_station_at_rest(struct pw_station *st)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        if (!pw_connector_is_off(&st->connector[i]) ||
            pw_session_in_transaction(pw_connector_session(&st->connector[i])) ||
            st->extra[i].end_waits) {
            return false;
        }
    }
    // A store that has failed will never be safe: then rest is rest.
    return pw_journal_durable(&st->journal, st->journal.must_ticket) != 0;
}

// ---------------------------------------------------------------------------------------------
// The step.

// OCPP 1.6, StatusNotification.req: info is a text of at most 50 characters. A charge that the
// station pauses names whose limit it is.
#define PW_LIMIT_PAUSES(name, text) "paused by limit: " text,
static const char *const limit_pauses[PW_LIMIT_ROWS] = {PW_LIMIT_SOURCES(PW_LIMIT_PAUSES)};
#undef PW_LIMIT_PAUSES

static const char *info_of(const struct pw_station *st, unsigned index,
                           const struct pw_connector_view *view)
{
    const struct pw_limits *limits = pw_connector_limits(&st->connector[index]);
    int32_t least = view->phases > 0 ? pw_settings_int(&st->settings, PW_SET_CURRENT_MIN_MA) : 1;
    bool paused = view->status == PW_STATUS_SUSPENDED_EVSE;
    if (view->status == PW_STATUS_SUSPENDED_EV && !view->plugged) {
        return "EV side disconnected"; // as OCPP 1.6 §4.9 spells it
    }
    return paused && limits->effective_ma < least ? limit_pauses[limits->who] : view->info;
}

static void report_connector(struct pw_station *st, unsigned index,
                             const struct pw_connector_view *view, pw_ms now)
{
    struct pw_cp16_status status = {.status = view->status,
                                    .error_code = view->error_code,
                                    .info = info_of(st, index, view),
                                    .vendor_code = view->vendor_code};
    struct pw_connector_fault fault;
    if (pw_rules_fault(&st->rules, index, &fault) && view->status != PW_STATUS_FAULTED) {
        // The charge has been ended for it; the status stays what it is (OCPP 1.6 §4.9).
        status.error_code = fault.ocpp16;
        status.vendor_code = fault.vendor;
        status.info = fault.text;
    }
    pw_cp16_status(&st->cp16, index + 1, &status, now);
}

static void report_station(struct pw_station *st, pw_ms now)
{
    struct pw_cp16_status status = {
        .status = PW_STATUS_AVAILABLE, .error_code = "NoError", .info = "", .vendor_code = ""};
    if (st->store_failed) {
        status = (struct pw_cp16_status){.status = PW_STATUS_FAULTED,
                                         .error_code = "InternalError",
                                         .info = "records cannot be kept",
                                         .vendor_code = "PW-STORE"};
    } else if (st->inoperative || (st->stopping && st->restart == PW_RESTART_NONE)) {
        status.status = PW_STATUS_UNAVAILABLE;
    } else if (st->tags.conflict) {
        status.error_code = "LocalListConflict"; // until the list is sent again (§3.5.2)
    }
    pw_cp16_status(&st->cp16, 0, &status, now);
}

static void watch_store(struct pw_station *st)
{
    bool failed = pw_journal_keeps(&st->journal) != PW_OK;
    if (failed != st->store_failed) {
        struct pw_line line;
        pw_line(&line, st->log, failed ? PW_LOG_ERROR : PW_LOG_INFO, "station",
                failed ? "store-failed" : "store-works-again");
        if (failed) {
            pw_line_s(&line, "why", pw_err_name(pw_journal_keeps(&st->journal)));
            pw_line_s(&line, "effect",
                      "no charge begins and no setting is taken until it works again");
        }
        pw_line_end(&line);
    }
    st->store_failed = failed;
}

static void hear_uplink(struct pw_station *st, pw_ms now)
{
    const struct pw_link_station *link = &st->uplink.link;
    pw_uplink_hear(&st->uplink, now);
    // A station without OCPP and without a battery for its clock learns the date here.
    if (!st->cp16.clock_known && link->wall > 0) {
        pw_cp16_learn_clock(&st->cp16, link->wall + (pw_unix_ms)(now - link->wall_at), now);
    }
}

static pw_ms step_rules(struct pw_station *st, pw_ms now)
{
    struct pw_rules_input in = {
        .wall = pw_station_wall(st, now),
        .reached =
            st->broker || pw_cp16_online(&st->cp16) || st->uplink.link.state == PW_LINK_ONLINE,
    };
    for (unsigned i = 0; i < st->connectors; i++) {
        in.inoperative[i] = st->extra[i].kept.inoperative || pw_files_holds(&st->files);
    }
    return pw_rules_step(&st->rules, &in, now);
}

// A number that changes at local midnight, or with each day of running while nobody knows the date.
static int32_t day_of(const struct pw_station *st, pw_ms now)
{
    pw_unix_ms wall = pw_station_wall(st, now);
    return wall > 0 ? (int32_t)(pw_zone_local(&st->rules.schedule.zone, wall) / DAY_MS)
                    : -1 - (int32_t)((now - st->started_at) / DAY_MS);
}

static pw_ms step_profiles(struct pw_station *st, pw_ms now)
{
    struct pw_smart_input in = {.wall = pw_station_wall(st, now),
                                .online = pw_cp16_online(&st->cp16)};
    for (unsigned i = 0; i < st->connectors; i++) {
        in.found[i] = st->house.charger[i].finder.found;
    }
    return pw_smart_step(&st->smart, &in, now);
}

static bool shows_status(const struct pw_station *st)
{
    return !st->muted && pw_settings_int(&st->settings, PW_SET_CONSOLE_STATUS_S) > 0;
}

pw_ms pw_station_step(struct pw_station *st, pw_ms now)
{
    pw_ms at = shows_status(st) ? st->status_at : PW_NEVER;
    st->now = now;
    watch_store(st);
    hear_uplink(st, now);
    at = pw_earlier(at, step_rules(st, now));
    // The house's limits stand before anybody acts on them.
    at = pw_earlier(at, pw_household_step(&st->house, st->connector, day_of(st, now), now));
    // So do those of the profiles, before a contactor may close.
    at = pw_earlier(at, step_profiles(st, now));
    // Charger control first, then what is said about it (D17).
    for (unsigned i = 0; i < st->connectors; i++) {
        at = pw_earlier(at, pw_connector_step(&st->connector[i], now));
    }
    at = pw_earlier(at, pw_admission_step(st, now));
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
        if (pw_charge_step(st, i, &view, now)) {
            // What the session was just told changes what the connector wants next, and who shares.
            at = pw_earlier(at, step_profiles(st, now));
            at = pw_earlier(at, pw_connector_step(&st->connector[i], now));
            pw_connector_view(&st->connector[i], &view, now);
        }
        at = pw_earlier(at, pw_charge_deadline(st, i));
        report_connector(st, i, &view, now);
    }
    report_station(st, now);
    at = pw_earlier(at, pw_security_step(&st->security, now));
    at = pw_earlier(at, pw_files_step(&st->files, pw_station_wall(st, now), now));
    at = pw_earlier(at, pw_cp16_step(&st->cp16, now));
    at = pw_earlier(at, pw_uplink_tell(&st->uplink, now));
    at = pw_earlier(at, pw_network_step(&st->network, now));
    // Once it is due it is the program's turn (pw_station_wants_restart).
    return now < st->restart_at ? pw_earlier(at, st->restart_at) : at;
}

// ---------------------------------------------------------------------------------------------
// Effects.

bool pw_station_take_can(struct pw_station *st, unsigned *bus, struct pw_can_frame *frame)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        uint8_t on = 0;
        if (pw_connector_take_can(&st->connector[i], &on, frame)) {
            *bus = on;
            return true;
        }
    }
    return false;
}

bool pw_station_take_bus_restart(struct pw_station *st, unsigned *bus, pw_ms now)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        for (uint8_t on = 0; on < PW_STATION_BUSES; on++) {
            if (pw_connector_take_restart(&st->connector[i], on, now)) {
                *bus = on;
                return true;
            }
        }
    }
    return false;
}

struct pw_str pw_station_wire_out(const struct pw_station *st, unsigned connector)
{
    return connector >= 1 && connector <= st->connectors
               ? pw_connector_wire_out(&st->connector[connector - 1])
               : PW_STR("");
}

void pw_station_wire_out_sent(struct pw_station *st, unsigned connector, size_t len, pw_ms now)
{
    struct pw_connector *to = connector_of(st, connector);
    if (to != NULL) {
        pw_connector_wire_out_sent(to, len, now);
    }
}

bool pw_station_take_drive(struct pw_station *st, unsigned *connector, struct pw_board_drive *drive)
{
    for (unsigned i = 0; i < st->connectors; i++) {
        if (pw_connector_take_drive(&st->connector[i], drive)) {
            *connector = i + 1;
            return true;
        }
    }
    return false;
}

struct pw_str pw_station_out(const struct pw_station *st)
{
    return pw_cp16_out(&st->cp16);
}

void pw_station_out_sent(struct pw_station *st, pw_ms now)
{
    (void)now;
    pw_cp16_out_sent(&st->cp16);
}

bool pw_station_wants_link(const struct pw_station *st, pw_ms now)
{
    // An answer leaves before the connection that it announces the end of.
    bool leave = pw_security_wants_reconnect(&st->security) && !pw_cp16_is_answering(&st->cp16);
    return !leave && pw_cp16_wants_link(&st->cp16, now);
}

bool pw_station_uplink_wants(const struct pw_station *st, pw_ms now)
{
    return pw_uplink_wants(&st->uplink, now);
}

void pw_station_uplink_up(struct pw_station *st, pw_ms now)
{
    pw_uplink_up(&st->uplink, now);
}

void pw_station_uplink_down(struct pw_station *st, struct pw_str reason, pw_ms now)
{
    pw_uplink_down(&st->uplink, reason, now);
}

size_t pw_station_uplink_bytes(struct pw_station *st, const uint8_t *at, size_t len, pw_ms now)
{
    return pw_link_station_bytes(&st->uplink.link, at, len, now);
}

struct pw_str pw_station_uplink_out(const struct pw_station *st)
{
    return pw_link_station_out(&st->uplink.link);
}

void pw_station_uplink_out_sent(struct pw_station *st, size_t len, pw_ms now)
{
    pw_link_station_out_sent(&st->uplink.link, len, now);
}

static bool take_answer(struct pw_station *st, struct pw_out *out)
{
    char text[PW_RAPI_ANSWER_MAX + 40] = "";
    struct pw_out answer = PW_OUT(text);
    if (st->asked.ticket == 0) {
        return false;
    }
    int err = pw_station_board_answer(st, st->asked.connector, st->asked.ticket, &answer);
    if (err == PW_ERR_AGAIN) {
        return false;
    }
    pw_put_s(out, "[Board ");
    pw_put_uint(out, st->asked.connector);
    pw_put_s(out, "] ");
    pw_put_s(out, text[0] == '\0' ? "no answer" : text);
    pw_put_c(out, '\n');
    st->asked.ticket = 0;
    return true;
}

bool pw_station_take_status(struct pw_station *st, struct pw_out *out, pw_ms now)
{
    if (take_answer(st, out)) {
        return true;
    }
    if (!shows_status(st) || now < st->status_at) {
        return false;
    }
    int32_t interval_s = pw_settings_int(&st->settings, PW_SET_CONSOLE_STATUS_S);
    st->status_at = pw_after(now, (pw_ms)interval_s * 1000);
    pw_report_status_lines(st, out, now);
    return true;
}

void pw_station_house(const struct pw_station *st, unsigned connector, struct pw_house_view *view,
                      pw_ms now)
{
    bool is = connector >= 1 && connector <= st->connectors;
    pw_household_view(&st->house, is ? connector - 1 : 0, view, now);
}

enum pw_restart pw_station_wants_restart(struct pw_station *st)
{
    bool said = pw_cp16_has_said_all(&st->cp16, st->now);
    bool late = st->now >= st->restart_at;
    return st->restart != PW_RESTART_NONE && ((said && pw_station_at_rest(st)) || late)
               ? st->restart
               : PW_RESTART_NONE;
}

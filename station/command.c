// One line of the console or the control socket: rows of words, one function each.
#include "parts.h"

struct call {
    struct pw_station *st;
    struct pw_str rest; // of the line, behind the word
    struct pw_out *answer;
    pw_ms now;
    bool json;
};

static struct pw_str next_word(struct call *call)
{
    call->rest = pw_str_trim(call->rest);
    return pw_str_cut(&call->rest, ' ');
}

static int refuse(struct call *call, int err, const char *sentence)
{
    pw_put_s(call->answer, sentence);
    pw_put_c(call->answer, '\n');
    return err;
}

static int done(struct call *call, const char *sentence)
{
    pw_put_s(call->answer, sentence);
    pw_put_c(call->answer, '\n');
    return PW_OK;
}

// A connector number in the next word, as an index. Without a word *given is false.
static int take_connector(struct call *call, unsigned *index, bool *given)
{
    struct pw_str word = next_word(call);
    int64_t number = 0;
    *given = word.len > 0;
    if (!*given) {
        return PW_OK;
    }
    if (pw_parse_int(word, 1, call->st->connectors, &number) != PW_OK) {
        pw_put_s(call->answer, "connector \"");
        pw_put(call->answer, (struct pw_str){.at = word.at, .len = word.len > 20 ? 20 : word.len});
        pw_put_s(call->answer, "\" is not allowed; it must be 1..");
        pw_put_uint(call->answer, call->st->connectors);
        pw_put_c(call->answer, '\n');
        return PW_ERR_RANGE;
    }
    *index = (unsigned)number - 1;
    return PW_OK;
}

static int on_start(struct call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    struct pw_str card = next_word(call);
    if (card.len == 0) {
        card = pw_str_of(pw_settings_text(&call->st->settings, PW_SET_LOCAL_ID));
    }
    if (card.len > PW_ID_TAG_MAX) {
        return refuse(call, PW_ERR_RANGE, "a card id has 1 to 20 characters");
    }
    if (!given && pw_charge_choose(call->st, &index) != PW_OK) {
        return refuse(call, PW_ERR_BUSY, "no connector is free");
    }
    if (call->st->stopping) {
        return refuse(call, PW_ERR_BUSY, "the station is stopping");
    }
    err = pw_session_authorise(pw_connector_session(&call->st->connector[index]), card,
                               PW_START_LOCAL, call->now);
    if (err != PW_OK) {
        return refuse(call, err, "the connector cannot start now: see status");
    }
    return done(call, "starting");
}

static int on_stop(struct call *call)
{
    unsigned index = 0;
    bool given = false;
    bool any = false;
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    for (unsigned i = 0; i < call->st->connectors; i++) {
        if (given && i != index) {
            continue;
        }
        any = pw_session_stop(pw_connector_session(&call->st->connector[i]), PW_REASON_LOCAL,
                              PW_STR(""), call->now) == PW_OK ||
              any;
    }
    return any ? done(call, "stopping") : refuse(call, PW_ERR_BUSY, "nothing is charging");
}

static int on_card(struct call *call)
{
    unsigned index = 0;
    bool given = false;
    struct pw_str card = next_word(call);
    if (card.len == 0 || card.len > PW_ID_TAG_MAX) {
        return refuse(call, PW_ERR_RANGE, "a card id has 1 to 20 characters");
    }
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    pw_station_card(call->st, given ? index + 1 : 0, card, call->now);
    return done(call, "card presented");
}

static int on_set(struct call *call)
{
    struct pw_setting_at at;
    struct pw_str path = next_word(call);
    struct pw_str value = pw_str_trim(call->rest);
    if (pw_settings_find(path, &at) != PW_OK && pw_settings_find_ocpp(path, &at) != PW_OK) {
        return refuse(call, PW_ERR_UNKNOWN, "there is no such setting: see get");
    }
    struct pw_out unsaid = *call->answer;
    pw_settings_print_path(at, call->answer);
    pw_put_s(call->answer, ": ");
    int err = pw_cp16_check_setting(at.id, value, call->answer);
    if (err == PW_OK) {
        err = pw_rules_check_setting(call->st->rules.parts.zones, at.id, value, call->answer);
    }
    if (err == PW_OK) {
        *call->answer = unsaid;
        err = pw_settings_set(&call->st->settings, at, value, PW_BY_PERSON, call->answer);
    }
    if (err != PW_OK) {
        pw_put_c(call->answer, '\n');
        return err;
    }
    call->st->host.setting(call->st, at, call->now);
    return done(call, pw_setting_rows[at.id].when == PW_WHEN_RESTART ? "set, from the next start on"
                                                                     : "set");
}

static void put_setting(struct call *call, struct pw_setting_at at)
{
    pw_settings_print_path(at, call->answer);
    pw_put_c(call->answer, '\t');
    pw_settings_print(&call->st->settings, at, call->answer);
    pw_put_c(call->answer, '\n');
}

static int on_get(struct call *call)
{
    struct pw_setting_at at;
    struct pw_str path = next_word(call);
    if (path.len > 0) {
        if (pw_settings_find(path, &at) != PW_OK && pw_settings_find_ocpp(path, &at) != PW_OK) {
            return refuse(call, PW_ERR_UNKNOWN, "there is no such setting: see get");
        }
        put_setting(call, at);
        return PW_OK;
    }
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        bool connector = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
        for (unsigned i = 0; i < (connector ? call->st->connectors : 1); i++) {
            at = (struct pw_setting_at){.id = (enum pw_setting_id)id, .instance = (uint8_t)i};
            if (pw_settings_concerns(&call->st->settings, at)) {
                put_setting(call, at);
            }
        }
    }
    return PW_OK;
}

// What was set while running goes, but for the network: whoever asks may be at the other end of it.
static int on_defaults(struct call *call)
{
    char path[PW_STORE_KEY_MAX + 1] = "";
    char value[PW_SETTING_TEXT_MAX];
    struct pw_journal *journal = &call->st->journal;
    int err = PW_OK;
    while (err == PW_OK && pw_journal_next_setting(journal, path, value, sizeof(value)) == PW_OK) {
        if (!pw_str_starts(pw_str_of(path), "network.")) {
            err = pw_journal_drop_setting(journal, pw_str_of(path));
        }
    }
    if (err != PW_OK) {
        return refuse(call, err, "the settings cannot be forgotten: the store has failed");
    }
    return call->st->host.reset(call->st, false, call->now) == PW_CP16_ACCEPTED
               ? done(call, "settings as in the file; restarting")
               : refuse(call, PW_ERR_BUSY, "the station cannot restart now");
}

static int on_restart(struct call *call)
{
    return call->st->host.reset(call->st, false, call->now) == PW_CP16_ACCEPTED
               ? done(call, "restarting")
               : refuse(call, PW_ERR_BUSY, "the station cannot restart now");
}

static int clear_one(struct call *call, unsigned index, unsigned row, const char *vendor)
{
    int err = pw_connector_clear(&call->st->connector[index], row, call->now);
    pw_put_s(call->answer, vendor);
    pw_put_s(call->answer, err == PW_OK         ? " cleared\n"
                           : err == PW_ERR_BUSY ? " not cleared: its cause is still there\n"
                                                : " not cleared\n");
    return err;
}

// Faults that stay; the others go by themselves.
static int on_clear(struct call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = take_connector(call, &index, &given);
    unsigned found = 0;
    if (err != PW_OK) {
        return err;
    }
    for (unsigned i = 0; i < call->st->connectors; i++) {
        struct pw_connector_fault fault;
        for (unsigned row = 0; pw_connector_fault(&call->st->connector[i], row, &fault); row++) {
            if ((!given || i == index) && fault.latched) {
                found++;
                int one = clear_one(call, i, row, fault.vendor);
                err = one != PW_OK ? one : err;
            }
        }
    }
    return found > 0 ? err : refuse(call, PW_ERR_UNKNOWN, "no fault stays that could be cleared");
}

// Ampere of the next word, or off: a limit of `source`, on one connector or all.
static int lower(struct call *call, enum pw_limit_source source, const char *why, const char *pause)
{
    struct pw_str word = next_word(call);
    bool off = pw_str_is(word, "off");
    int64_t limit_ma = 0;
    unsigned index = 0;
    bool given = false;
    if (!off &&
        (pw_parse_fixed(word, 3, &limit_ma) != PW_OK || limit_ma < 0 || limit_ma > 1000000)) {
        return refuse(call, PW_ERR_RANGE, "a limit is 0..1000 ampere, or off");
    }
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    for (unsigned i = 0; i < call->st->connectors; i++) {
        if (given && i != index) {
            continue;
        }
        if (off) {
            pw_connector_unlimit(&call->st->connector[i], source, call->now);
        } else {
            err = pw_connector_limit(&call->st->connector[i], source, (int32_t)limit_ma,
                                     limit_ma > 0 ? why : pause, PW_NEVER, call->now);
        }
    }
    return err == PW_OK ? done(call, off ? "limit taken away" : "limit set")
                        : refuse(call, err, "the limit cannot be set");
}

// "limit 16" or "limit 16 1": a local limit in ampere; "limit off" takes it away.
static int on_limit(struct call *call)
{
    return lower(call, PW_LIMIT_LOCAL, "set by hand", "set by hand");
}

// The same for another program, so that neither takes away what the other has set.
static int on_claim(struct call *call)
{
    if (!pw_rules_adjustable(&call->st->rules) && !pw_str_starts(pw_str_trim(call->rest), "off")) {
        return refuse(call, PW_ERR_BUSY,
                      "charging.remote_adjust is off: the owner lets nobody adjust from outside");
    }
    return lower(call, PW_LIMIT_CLAIM, "asked for by another program", "paused by another program");
}

static int availability(struct call *call, bool operative)
{
    unsigned index = 0;
    bool given = false;
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    bool later = false;
    for (unsigned i = 0; i < call->st->connectors; i++) {
        if (!given || i == index) {
            int in_force = pw_charge_availability(call->st, i, operative, call->now);
            if (in_force < 0) {
                return refuse(call, in_force, "it cannot be recorded");
            }
            later = later || in_force == 0;
        }
    }
    return done(call, later ? "in force when the charge has ended" : "in force");
}

// ---- "until soc 80": what the running or the next charge may use before it ends by itself.

static const struct {
    const char *word;
    enum pw_rules_use use;
    int64_t most;
    int64_t scale;
    const char *range;
} untils[PW_RULES_USES] = {
    {"energy", PW_RULES_ENERGY, 1000000, 1, "energy is 0..1000000 Wh; 0 means no limit"},
    {"time", PW_RULES_TIME, 604800, 1, "time is 0..604800 seconds; 0 means no limit"},
    {"soc", PW_RULES_SOC, 100, 10, "soc is 0..100 percent; 0 means no limit"},
};

static int on_until(struct call *call)
{
    struct pw_str word = next_word(call);
    struct pw_str text = next_word(call);
    unsigned index = 0;
    bool given = false;
    size_t kind = 0;
    int64_t value = 0;
    while (kind < PW_COUNT(untils) && !pw_str_is(word, untils[kind].word)) {
        kind++;
    }
    if (kind == PW_COUNT(untils)) {
        return refuse(call, PW_ERR_UNKNOWN,
                      "until energy WH, until time SECONDS, until soc PERCENT");
    }
    if (pw_parse_int(text, 0, untils[kind].most, &value) != PW_OK) {
        return refuse(call, PW_ERR_RANGE, untils[kind].range);
    }
    int err = take_connector(call, &index, &given);
    for (unsigned i = 0; err == PW_OK && i < call->st->connectors; i++) {
        if (!given || i == index) {
            pw_rules_limit(&call->st->rules, i, untils[kind].use, value * untils[kind].scale);
        }
    }
    return err == PW_OK ? done(call, "set, for the running or the next charge") : err;
}

// "now": timer and plan do not count until the vehicle is unplugged; "now off" takes that back.
static int on_now(struct call *call)
{
    struct call ahead = *call;
    bool off = pw_str_is(next_word(&ahead), "off");
    unsigned index = 0;
    bool given = false;
    bool any = false;
    *call = off ? ahead : *call;
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    struct pw_out unsaid = *call->answer;
    for (unsigned i = 0; i < call->st->connectors; i++) {
        if (!given || i == index) {
            *call->answer = unsaid;
            err = pw_rules_charge_now(&call->st->rules, i, !off, call->answer);
            any = any || err == PW_OK;
        }
    }
    if (!any) {
        return refuse(call, err, "");
    }
    *call->answer = unsaid;
    return done(call, off ? "timer and plan count again"
                          : "timer and plan do not count until the vehicle is unplugged");
}

static int on_schedule(struct call *call)
{
    if (call->json) {
        pw_report_schedule_json(call->st, call->answer, call->now);
    } else {
        pw_report_schedule(call->st, call->answer, call->now);
    }
    return PW_OK;
}

static int on_estop(struct call *call)
{
    struct pw_str word = next_word(call);
    bool pressed = pw_str_is(word, "press");
    if (!pressed && !pw_str_is(word, "release")) {
        return refuse(call, PW_ERR_RANGE, "estop press, or estop release");
    }
    for (unsigned i = 0; i < call->st->connectors; i++) {
        (void)pw_connector_estop(&call->st->connector[i], pressed);
    }
    return done(call, pressed ? "emergency stop held: estop release, then clear, ends it"
                              : "emergency stop released: clear ends it");
}

static int on_enable(struct call *call)
{
    return availability(call, true);
}

static int on_disable(struct call *call)
{
    return availability(call, false);
}

static int on_mute(struct call *call)
{
    call->st->muted = !call->st->muted;
    return done(call, call->st->muted ? "status lines off" : "status lines on");
}

static int on_status(struct call *call)
{
    if (call->json) {
        pw_report_status_json(call->st, call->answer, call->now);
    } else {
        pw_report_status(call->st, call->answer, call->now);
    }
    return PW_OK;
}

static int on_bms(struct call *call)
{
    pw_report_bms(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_rectifier(struct call *call)
{
    pw_report_rectifier(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_output(struct call *call)
{
    pw_report_output(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_terminal(struct call *call)
{
    pw_report_terminal(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_all(struct call *call)
{
    pw_report_bms(call->st, call->answer, call->now);
    pw_report_rectifier(call->st, call->answer, call->now);
    pw_report_output(call->st, call->answer, call->now);
    pw_report_terminal(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_can(struct call *call)
{
    pw_report_can(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_pilot(struct call *call)
{
    pw_report_pilot(call->st, call->answer, call->now);
    return PW_OK;
}

static int on_board(struct call *call)
{
    bool any = false;
    for (unsigned i = 0; i < call->st->connectors; i++) {
        const struct pw_openevse *openevse = pw_connector_openevse(&call->st->connector[i]);
        if (openevse != NULL) {
            any = true;
            pw_put_s(call->answer, "connector ");
            pw_put_uint(call->answer, i + 1);
            pw_put_s(call->answer, ", board\n");
            pw_openevse_put(openevse, call->answer);
        }
    }
    return any ? PW_OK : refuse(call, PW_ERR_UNKNOWN, "no connector has an OpenEVSE board");
}

// "[connector] COMMAND": without a number the first connector with such a board is meant.
static unsigned take_board(struct call *call)
{
    struct pw_str behind = pw_str_trim(call->rest);
    struct pw_str word = pw_str_cut(&behind, ' ');
    int64_t number = 0;
    if (pw_parse_int(word, 0, INT32_MAX, &number) == PW_OK) {
        call->rest = behind;
        return (unsigned)number;
    }
    unsigned index = 0;
    while (index + 1 < call->st->connectors &&
           pw_connector_openevse(&call->st->connector[index]) == NULL) {
        index++;
    }
    return index + 1;
}

static void put_ticket(struct call *call, unsigned connector, uint32_t ticket)
{
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_key(&json, "connector_id");
    pw_json_put_int(&json, connector);
    pw_json_key(&json, "ticket");
    pw_json_put_int(&json, ticket);
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
}

// A person at the console waits for one answer at a time; programs fetch theirs by ticket.
static int on_rapi(struct call *call)
{
    struct pw_station_ask *asked = &call->st->asked;
    unsigned connector = take_board(call);
    uint32_t ticket = 0;
    if (!call->json && asked->ticket != 0) {
        return refuse(call, PW_ERR_BUSY, "the command before this has no answer yet");
    }
    int err = pw_station_board_ask(call->st, connector, pw_str_trim(call->rest), PW_RAPI_ADMIN,
                                   &ticket, call->answer);
    if (err != PW_OK) {
        pw_put_c(call->answer, '\n');
        return err;
    }
    if (call->json) {
        put_ticket(call, connector, ticket);
        return PW_OK;
    }
    *asked = (struct pw_station_ask){.connector = connector, .ticket = ticket};
    return done(call, "sent; the answer follows");
}

static int on_rapi_answer(struct call *call)
{
    char text[PW_RAPI_ANSWER_MAX + 40] = "";
    struct pw_out out = PW_OUT(text);
    int64_t connector = 0;
    int64_t ticket = 0;
    if (pw_parse_int(next_word(call), 1, call->st->connectors, &connector) != PW_OK ||
        pw_parse_int(next_word(call), 1, UINT32_MAX, &ticket) != PW_OK) {
        return refuse(call, PW_ERR_RANGE, "a connector and a ticket are needed");
    }
    int err = pw_station_board_answer(call->st, (unsigned)connector, (uint32_t)ticket, &out);
    if (err == PW_ERR_UNKNOWN) {
        return refuse(call, err, "there is no such ticket any more");
    }
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_key(&json, "waiting");
    pw_json_put_bool(&json, err == PW_ERR_AGAIN);
    pw_json_key(&json, "answer");
    pw_json_put_s(&json, text);
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
    return PW_OK;
}

static int on_unlock(struct call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = take_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    err = pw_connector_unlock(&call->st->connector[index], call->now);
    switch (err) {
    case PW_OK: return done(call, "unlocked");
    case PW_ERR_AGAIN: return done(call, "the charge ends, then the lock opens");
    case PW_ERR_UNKNOWN: return refuse(call, err, "the connector has no lock");
    default: return refuse(call, err, "the lock does not open: see faults");
    }
}

static int on_house(struct call *call)
{
    if (call->json) {
        struct pw_json_writer json = PW_JSON_WRITER(call->answer);
        pw_household_tell_json(&call->st->house, &json, call->now);
        pw_put_c(call->answer, '\n');
    } else {
        pw_household_tell(&call->st->house, call->answer, call->now);
    }
    return PW_OK;
}

static int on_limits(struct call *call)
{
    if (call->json) {
        pw_report_limits_json(call->st, call->answer, call->now);
    } else {
        pw_report_limits(call->st, call->answer, call->now);
    }
    return PW_OK;
}

static int on_charges(struct call *call)
{
    if (call->json) {
        pw_report_charges_json(call->st, call->answer, call->now);
    } else {
        pw_report_charges(call->st, call->answer, call->now);
    }
    return PW_OK;
}

static int on_uplink(struct call *call)
{
    pw_uplink_report(&call->st->uplink, call->answer, call->now);
    return PW_OK;
}

static int on_network(struct call *call)
{
    struct pw_network *net = &call->st->network;
    struct pw_str word = next_word(call);
    if (pw_str_is(word, "scan")) {
        int err = pw_network_scan(net, call->answer, call->now);
        pw_put_s(call->answer, err == PW_OK ? "scanning: network shows what is found\n" : "\n");
        return err;
    }
    if (word.len > 0) {
        return refuse(call, PW_ERR_UNKNOWN, "network, or network scan");
    }
    if (call->json) {
        pw_network_report_json(net, call->answer, call->now);
    } else {
        pw_network_report(net, call->answer, call->now);
    }
    return PW_OK;
}

static int on_faults(struct call *call)
{
    if (call->json) {
        pw_report_faults_json(call->st, call->answer);
    } else {
        pw_report_faults(call->st, call->answer, call->now);
    }
    return PW_OK;
}

static int on_help(struct call *call);

static const struct {
    const char *word;
    const char *arguments;
    const char *help;
    int (*run)(struct call *call);
} rows[] = {
    {"help", "", "this list", on_help},
    {"status", "", "state, metrics, and why the current is what it is", on_status},
    {"1", "", "BMS data", on_bms},
    {"2", "", "rectifier data", on_rectifier},
    {"3", "", "output voltage, current, temperature", on_output},
    {"4", "", "terminal data", on_terminal},
    {"5", "", "all of 1 to 4", on_all},
    {"s", "[connector] [card]", "start charging by hand", on_start},
    {"start", "[connector] [card]", "the same", on_start},
    {"t", "[connector]", "stop charging", on_stop},
    {"stop", "[connector]", "the same", on_stop},
    {"0", "", "status lines off, and on again", on_mute},
    {"card", "CARD [connector]", "as if the card were held to the reader", on_card},
    {"can", "", "CAN buses", on_can},
    {"pilot", "", "control pilot, cable, and the phases", on_pilot},
    {"board", "", "OpenEVSE boards: state, counters, heartbeat", on_board},
    {"rapi", "[connector] COMMAND", "a command for an OpenEVSE board, such as GS", on_rapi},
    {"rapi-answer", "CONNECTOR TICKET", "for programs: the answer to json rapi", on_rapi_answer},
    {"limits", "", "who limits the current, why, since when", on_limits},
    {"house", "", "the phases of the house against its breaker, and the roof", on_house},
    {"charges", "", "the last charges that ended, newest first", on_charges},
    {"limit", "AMPERE|off [connector]", "lower the current by hand", on_limit},
    {"claim", "AMPERE|off [connector]", "the same for another program; each has its own", on_claim},
    {"uplink", "", "the station link: state, events that wait, leases", on_uplink},
    {"network", "[scan]", "the station's own network; scan: look what is in reach", on_network},
    {"faults", "", "what is wrong", on_faults},
    {"now", "[off] [connector]", "charge now, whatever timer and plan say, until unplugged",
     on_now},
    {"schedule", "", "what holds a charge back, until when, and what it may use", on_schedule},
    {"until", "energy|time|soc VALUE [connector]", "end the charge by itself at so much", on_until},
    {"estop", "press|release", "emergency stop of all connectors, as a button would", on_estop},
    {"clear", "[connector]", "clear faults that stay", on_clear},
    {"unlock", "[connector]", "end the charge and open the connector's lock", on_unlock},
    {"enable", "[connector]", "make available", on_enable},
    {"disable", "[connector]", "make unavailable, after a running charge", on_disable},
    {"get", "[SETTING]", "show settings", on_get},
    {"set", "SETTING VALUE", "change a setting", on_set},
    {"restart", "", "end all charges and start this program anew", on_restart},
    {"defaults", "", "forget settings made while running, and restart", on_defaults},
};

enum { HELP_AT = 44 }; // column of the explanations

static int on_help(struct call *call)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        size_t from = call->answer->len;
        pw_put_s(call->answer, rows[i].word);
        pw_put_c(call->answer, ' ');
        pw_put_s(call->answer, rows[i].arguments);
        while (call->answer->len - from < HELP_AT && !call->answer->full) {
            pw_put_c(call->answer, ' ');
        }
        pw_put_s(call->answer, rows[i].help);
        pw_put_c(call->answer, '\n');
    }
    pw_put_s(call->answer,
             "json status|limits|faults|charges|network   the same as one JSON object\n");
    return PW_OK;
}

int pw_station_command(struct pw_station *st, struct pw_str line, struct pw_out *answer, pw_ms now)
{
    struct call call = {.st = st, .rest = pw_str_trim(line), .answer = answer, .now = now};
    struct pw_str word = next_word(&call);
    if (pw_str_is(word, "json")) {
        call.json = true;
        word = next_word(&call);
    }
    if (word.len == 0) {
        return PW_OK;
    }
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (pw_str_is(word, rows[i].word)) {
            return rows[i].run(&call);
        }
    }
    pw_put_s(answer, "\"");
    pw_put(answer, (struct pw_str){.at = word.at, .len = word.len > 40 ? 40 : word.len});
    pw_put_s(answer, "\" is no command; help lists them\n");
    return PW_ERR_UNKNOWN;
}

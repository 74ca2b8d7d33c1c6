// One line of the console or the control socket: rows of words, one function each.
#include "console/call.h"

struct pw_str pw_console_word(struct pw_console_call *call)
{
    call->rest = pw_str_trim(call->rest);
    return pw_str_cut(&call->rest, ' ');
}

int pw_console_refuse(struct pw_console_call *call, int err, const char *sentence)
{
    pw_put_s(call->answer, sentence);
    pw_put_c(call->answer, '\n');
    return err;
}

int pw_console_done(struct pw_console_call *call, const char *sentence)
{
    pw_put_s(call->answer, sentence);
    pw_put_c(call->answer, '\n');
    return PW_OK;
}

int pw_console_connector(struct pw_console_call *call, unsigned *index, bool *given)
{
    struct pw_str word = pw_console_word(call);
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

static int on_help(struct pw_console_call *call);

static const struct {
    const char *word;
    const char *arguments;
    const char *help;
    int (*run)(struct pw_console_call *call);
} rows[] = {
    {"help", "", "this list", on_help},
    {"status", "", "state, metrics, and why the current is what it is", pw_console_status},
    {"1", "", "BMS data", pw_console_bms},
    {"2", "", "rectifier data", pw_console_rectifier},
    {"3", "", "output voltage, current, temperature", pw_console_output},
    {"4", "", "terminal data", pw_console_terminal},
    {"5", "", "all of 1 to 4", pw_console_all},
    {"s", "[connector] [card]", "start charging by hand", pw_console_start},
    {"start", "[connector] [card]", "the same", pw_console_start},
    {"t", "[connector]", "stop charging", pw_console_stop},
    {"stop", "[connector]", "the same", pw_console_stop},
    {"0", "", "status lines off, and on again", pw_console_mute},
    {"card", "CARD [connector]", "as if the card were held to the reader", pw_console_card},
    {"can", "", "CAN buses", pw_console_can},
    {"pilot", "", "control pilot, cable, and the phases", pw_console_pilot},
    {"board", "", "OpenEVSE boards: state, counters, heartbeat", pw_console_board},
    {"rapi", "[connector] COMMAND", "a command for an OpenEVSE board, such as GS", pw_console_rapi},
    {"rapi-answer", "CONNECTOR TICKET", "for programs: the answer to json rapi",
     pw_console_rapi_answer},
    {"limits", "", "who limits the current, why, since when", pw_console_limits},
    {"house", "", "the phases of the house against its breaker, and the roof", pw_console_house},
    {"charges", "", "the last charges that ended, newest first", pw_console_charges},
    {"cards", "[list [CARD]]", "cards that are known: the cache; the local list, from a card on",
     pw_console_cards},
    {"reservations", "", "what is kept free, for whom, until when", pw_console_reservations},
    {"limit", "AMPERE|off [connector]", "lower the current by hand", pw_console_limit},
    {"claim", "AMPERE|off [connector]", "the same for another program; each has its own",
     pw_console_claim},
    {"uplink", "", "the station link: state, events that wait, leases", pw_console_uplink},
    {"network", "[scan]", "the station's own network; scan: look what is in reach",
     pw_console_network},
    {"files", "", "how the upload of a log and the update of the program stand", pw_console_files},
    {"update", "[URL [force] [now]|check [force]|cancel]",
     "the update of the program: how it stands; install a release", pw_console_update},
    {"seclog", "[COUNT|check]", "the security log; check: the whole chain of it anew",
     pw_console_seclog},
    {"certificate", "[new]", "what the page shows over TLS, to compare; new: make another one",
     pw_console_certificate},
    {"faults", "", "what is wrong", pw_console_faults},
    {"now", "[off] [connector]", "charge now, whatever timer and plan say, until unplugged",
     pw_console_now},
    {"schedule", "", "what holds a charge back, until when, and what it may use",
     pw_console_schedule},
    {"profiles", "", "charging profiles of the central system, and what they allow",
     pw_console_profiles},
    {"until", "energy|time|soc VALUE [connector]", "end the charge by itself at so much",
     pw_console_until},
    {"estop", "press|release", "emergency stop of all connectors, as a button would",
     pw_console_estop},
    {"clear", "[connector]", "clear faults that stay", pw_console_clear},
    {"unlock", "[connector]", "end the charge and open the connector's lock", pw_console_unlock},
    {"enable", "[connector]", "make available", pw_console_enable},
    {"disable", "[connector]", "make unavailable, after a running charge", pw_console_disable},
    {"get", "[SETTING]", "show settings", pw_console_get},
    {"set", "SETTING VALUE", "change a setting", pw_console_set},
    {"restart", "", "end all charges and start this program anew", pw_console_restart},
    {"factory-reset", "NAME [forget]",
     "forget secrets, certificates, cards and records, and restart; NAME: of this station",
     pw_console_factory_reset},
    {"defaults", "", "forget settings made while running, and restart", pw_console_defaults},
};

enum { HELP_AT = 48 }; // column of the explanations

static int on_help(struct pw_console_call *call)
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
             "json status|limits|faults|charges|cards|reservations|network|profiles|"
             "files|house|schedule|seclog|certificate  the same as one JSON object\n");
    return PW_OK;
}

int pw_station_command(struct pw_station *st, struct pw_str line, struct pw_out *answer, pw_ms now)
{
    struct pw_console_call call = {
        .st = st, .rest = pw_str_trim(line), .answer = answer, .now = now};
    struct pw_str word = pw_console_word(&call);
    if (pw_str_is(word, "json")) {
        call.json = true;
        word = pw_console_word(&call);
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

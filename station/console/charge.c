// What people ask of a charge.
#include "console/call.h"

int pw_console_start(struct pw_console_call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = pw_console_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    struct pw_str card = pw_console_word(call);
    // A card that is named is looked up or asked about like one at the reader, except that one
    // that nobody can be asked about may charge; without one it is the person who starts.
    bool named = card.len > 0;
    if (!named) {
        card = pw_str_of(pw_settings_text(&call->st->settings, PW_SET_LOCAL_ID));
    }
    if (card.len > PW_ID_TAG_MAX) {
        return pw_console_refuse(call, PW_ERR_RANGE, "a card id has 1 to 20 characters");
    }
    if (!given && pw_charge_choose(call->st, card, &index) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_BUSY, "no connector is free");
    }
    char text[PW_LINK_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_charge_wish wish = {.id_tag = card, .by = PW_START_LOCAL, .ask = named};
    err = pw_charge_start(call->st, index, &wish, &why, call->now);
    if (err != PW_OK) {
        pw_put_s(call->answer, "cannot start: ");
        return pw_console_refuse(call, err, text);
    }
    return pw_console_done(call, "starting");
}

int pw_console_stop(struct pw_console_call *call)
{
    unsigned index = 0;
    bool given = false;
    bool any = false;
    int err = pw_console_connector(call, &index, &given);
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
    if (any && pw_journal_keeps(&call->st->journal) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_STORE,
                                 "the charge stops, but its record is not safe: the disk is full "
                                 "or fails");
    }
    return any ? pw_console_done(call, "stopping")
               : pw_console_refuse(call, PW_ERR_BUSY, "nothing is charging");
}

int pw_console_card(struct pw_console_call *call)
{
    unsigned index = 0;
    bool given = false;
    struct pw_str card = pw_console_word(call);
    if (card.len == 0 || card.len > PW_ID_TAG_MAX) {
        return pw_console_refuse(call, PW_ERR_RANGE, "a card id has 1 to 20 characters");
    }
    int err = pw_console_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    pw_station_card(call->st, given ? index + 1 : 0, card, call->now);
    return pw_console_done(call, "card presented");
}

// Ampere of the next word, or off: a limit of `source`, on one connector or all.
static int lower(struct pw_console_call *call, enum pw_limit_source source, const char *why,
                 const char *pause)
{
    struct pw_str word = pw_console_word(call);
    bool off = pw_str_is(word, "off");
    int64_t limit_ma = 0;
    unsigned index = 0;
    bool given = false;
    if (!off &&
        (pw_parse_fixed(word, 3, &limit_ma) != PW_OK || limit_ma < 0 || limit_ma > 1000000)) {
        return pw_console_refuse(call, PW_ERR_RANGE, "a limit is 0..1000 ampere, or off");
    }
    int err = pw_console_connector(call, &index, &given);
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
    return err == PW_OK ? pw_console_done(call, off ? "limit taken away" : "limit set")
                        : pw_console_refuse(call, err, "the limit cannot be set");
}

// "limit 16" or "limit 16 1": a local limit in ampere; "limit off" takes it away.
int pw_console_limit(struct pw_console_call *call)
{
    return lower(call, PW_LIMIT_LOCAL, "set by hand", "set by hand");
}

// The same for another program, so that neither takes away what the other has set.
int pw_console_claim(struct pw_console_call *call)
{
    if (!pw_rules_adjustable(&call->st->rules) && !pw_str_starts(pw_str_trim(call->rest), "off")) {
        return pw_console_refuse(
            call, PW_ERR_BUSY,
            "charging.remote_adjust is off: the owner lets nobody adjust from outside");
    }
    return lower(call, PW_LIMIT_CLAIM, "asked for by another program", "paused by another program");
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

int pw_console_until(struct pw_console_call *call)
{
    struct pw_str word = pw_console_word(call);
    struct pw_str text = pw_console_word(call);
    unsigned index = 0;
    bool given = false;
    size_t kind = 0;
    int64_t value = 0;
    while (kind < PW_COUNT(untils) && !pw_str_is(word, untils[kind].word)) {
        kind++;
    }
    if (kind == PW_COUNT(untils)) {
        return pw_console_refuse(call, PW_ERR_UNKNOWN,
                                 "until energy WH, until time SECONDS, until soc PERCENT");
    }
    if (pw_parse_int(text, 0, untils[kind].most, &value) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_RANGE, untils[kind].range);
    }
    int err = pw_console_connector(call, &index, &given);
    for (unsigned i = 0; err == PW_OK && i < call->st->connectors; i++) {
        if (!given || i == index) {
            pw_rules_limit(&call->st->rules, i, untils[kind].use, value * untils[kind].scale);
        }
    }
    return err == PW_OK ? pw_console_done(call, "set, for the running or the next charge") : err;
}

// "now": timer and plan do not count until the vehicle is unplugged; "now off" takes that back.
int pw_console_now(struct pw_console_call *call)
{
    struct pw_console_call ahead = *call;
    bool off = pw_str_is(pw_console_word(&ahead), "off");
    unsigned index = 0;
    bool given = false;
    bool any = false;
    *call = off ? ahead : *call;
    int err = pw_console_connector(call, &index, &given);
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
        return pw_console_refuse(call, err, "");
    }
    *call->answer = unsaid;
    return pw_console_done(call,
                           off ? "timer and plan count again"
                               : "timer and plan do not count until the vehicle is unplugged");
}

static int availability(struct pw_console_call *call, bool operative)
{
    unsigned index = 0;
    bool given = false;
    int err = pw_console_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    bool later = false;
    for (unsigned i = 0; i < call->st->connectors; i++) {
        if (!given || i == index) {
            int in_force = pw_charge_availability(call->st, i, operative, call->now);
            if (in_force < 0) {
                return pw_console_refuse(call, in_force, "it cannot be recorded");
            }
            later = later || in_force == 0;
        }
    }
    return pw_console_done(call, later ? "in force when the charge has ended" : "in force");
}

int pw_console_enable(struct pw_console_call *call)
{
    return availability(call, true);
}

int pw_console_disable(struct pw_console_call *call)
{
    return availability(call, false);
}

int pw_console_unlock(struct pw_console_call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = pw_console_connector(call, &index, &given);
    if (err != PW_OK) {
        return err;
    }
    err = pw_connector_unlock(&call->st->connector[index], call->now);
    switch (err) {
    case PW_OK: return pw_console_done(call, "unlocked");
    case PW_ERR_AGAIN: return pw_console_done(call, "the charge ends, then the lock opens");
    case PW_ERR_UNKNOWN: return pw_console_refuse(call, err, "the connector has no lock");
    default: return pw_console_refuse(call, err, "the lock does not open: see faults");
    }
}

int pw_console_estop(struct pw_console_call *call)
{
    struct pw_str word = pw_console_word(call);
    bool pressed = pw_str_is(word, "press");
    if (!pressed && !pw_str_is(word, "release")) {
        return pw_console_refuse(call, PW_ERR_RANGE, "estop press, or estop release");
    }
    for (unsigned i = 0; i < call->st->connectors; i++) {
        (void)pw_connector_estop(&call->st->connector[i], pressed);
    }
    return pw_console_done(call, pressed ? "emergency stop held: estop release, then clear, ends it"
                                         : "emergency stop released: clear ends it");
}

static int clear_one(struct pw_console_call *call, unsigned index, unsigned row, const char *vendor)
{
    int err = pw_connector_clear(&call->st->connector[index], row, call->now);
    pw_put_s(call->answer, vendor);
    pw_put_s(call->answer, err == PW_OK         ? " cleared\n"
                           : err == PW_ERR_BUSY ? " not cleared: its cause is still there\n"
                                                : " not cleared\n");
    return err;
}

// Faults that stay; the others go by themselves.
int pw_console_clear(struct pw_console_call *call)
{
    unsigned index = 0;
    bool given = false;
    int err = pw_console_connector(call, &index, &given);
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
    return found > 0
               ? err
               : pw_console_refuse(call, PW_ERR_UNKNOWN, "no fault stays that could be cleared");
}

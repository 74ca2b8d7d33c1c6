// The board's words into the view. Each word is read strictly and within what it can be: a line
// that is not plausible as a whole changes nothing.
#include "rapi/parts.h"

#include <string.h>

enum {
    MAX_A = 80,          // the most any board is built for
    MAX_MA = 100000,     // a current that can be measured
    MAX_MV = 500000,     // a voltage, unknown what between
    ABSENT_TEMP = -2560, // no such sensor
    MIN_TEMP = -600,     // 0.1 °C
    MAX_TEMP = 1500,
};

// Word `index` as a decimal in least..most.
static bool number(const struct pw_rapi_line *line, unsigned index, int64_t least, int64_t most,
                   int64_t *value)
{
    return index < line->words && pw_parse_int(line->word[index], least, most, value) == PW_OK;
}

static bool hex(const struct pw_rapi_line *line, unsigned index, unsigned digits, uint16_t *value)
{
    return index < line->words && pw_rapi_hex(line->word[index], digits, value) == PW_OK;
}

void pw_rapi_forget(struct pw_rapi_view *view)
{
    struct pw_rapi_view old = *view;
    *view = (struct pw_rapi_view){
        .up = old.up,
        .ok = old.ok,
        .why = old.why,
        .heard_at = old.heard_at,
        .firmware_version = PW_RAPI_UNKNOWN,
        .rapi_version = PW_RAPI_UNKNOWN,
        .state_at = PW_NEVER,
        .offered_ma = PW_RAPI_UNKNOWN,
        .min_ma = PW_RAPI_UNKNOWN,
        .hardware_ma = PW_RAPI_UNKNOWN,
        .config_ma = PW_RAPI_UNKNOWN,
        .current_at = PW_NEVER,
        .ma = PW_RAPI_UNKNOWN,
        .mv = PW_RAPI_UNKNOWN,
        .energy_at = PW_NEVER,
        .session_ws = -1,
        .total_wh = -1,
        .temps_at = PW_NEVER,
        .temp_dc = {PW_RAPI_UNKNOWN, PW_RAPI_UNKNOWN, PW_RAPI_UNKNOWN},
        .trips_at = PW_NEVER,
        .gfi_trips = PW_RAPI_UNKNOWN,
        .ground_trips = PW_RAPI_UNKNOWN,
        .stuck_trips = PW_RAPI_UNKNOWN,
        .heartbeat_s = PW_RAPI_UNKNOWN,
        .heartbeat_ma = PW_RAPI_UNKNOWN,
        .elapsed_s = -1,
        .heartbeats_missed = old.heartbeats_missed,
        .reboots = old.reboots,
        .events = old.events,
        .answers = old.answers,
        .refusals = old.refusals,
        .timeouts = old.timeouts,
        .bad = old.bad,
        .stray = old.stray,
    };
    memcpy(view->failed, old.failed, sizeof(view->failed));
    memcpy(view->event, old.event, sizeof(view->event));
}

// "8.2.3", "D8.2.3.EU": up to three numbers behind whatever letters stand before.
static bool version(struct pw_str word, int32_t *value)
{
    int64_t part[3] = {0, 0, 0};
    unsigned count = 0;
    while (word.len > 0 && (word.at[0] < '0' || word.at[0] > '9')) {
        word.at++;
        word.len--;
    }
    while (word.len > 0 && count < PW_COUNT(part)) {
        struct pw_str piece = pw_str_cut(&word, '.');
        size_t digits = 0;
        while (digits < piece.len && piece.at[digits] >= '0' && piece.at[digits] <= '9') {
            digits++;
        }
        piece.len = digits;
        if (pw_parse_int(piece, 0, 99, &part[count]) != PW_OK) {
            break;
        }
        count++;
    }
    *value = (int32_t)(part[0] * 10000 + part[1] * 100 + part[2]);
    return count >= 2;
}

bool pw_rapi_take_version(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int32_t firmware;
    int32_t rapi;
    if (line->words < 3 || !version(line->word[1], &firmware) || !version(line->word[2], &rapi) ||
        line->word[1].len >= PW_RAPI_VERSION_MAX || line->word[2].len >= PW_RAPI_VERSION_MAX) {
        return false;
    }
    view->firmware_version = firmware;
    view->rapi_version = rapi;
    return pw_str_copy(view->firmware, sizeof(view->firmware), line->word[1]) == PW_OK &&
           pw_str_copy(view->rapi, sizeof(view->rapi), line->word[2]) == PW_OK;
}

bool pw_rapi_take_beat(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int64_t interval;
    int64_t amps;
    int64_t missed;
    if (!number(line, 1, 0, UINT16_MAX, &interval) || !number(line, 2, 0, MAX_A, &amps) ||
        !number(line, 3, 0, 2, &missed)) {
        return false;
    }
    view->heartbeat_s = (int32_t)interval;
    view->heartbeat_ma = (int32_t)amps * 1000;
    if (missed == 2) {
        view->heartbeats_missed += view->heartbeat != PW_RAPI_HEARTBEAT_MISSED ? 1 : 0;
        view->heartbeat = PW_RAPI_HEARTBEAT_MISSED;
    } else {
        view->heartbeat = interval == 0 ? PW_RAPI_HEARTBEAT_OFF : PW_RAPI_HEARTBEAT_ARMED;
    }
    return true;
}

static void set_state(struct pw_rapi_view *view, uint8_t state, uint8_t pilot, uint16_t vflags,
                      pw_ms now)
{
    view->state_at = now;
    view->state = state;
    view->pilot_state = pilot;
    view->vflags = vflags;
    view->fault = pw_rapi_state_of(state)->ends != PW_RAPI_ENDS_NONE;
    view->relay = (vflags & PW_RAPI_V_RELAY) != 0;
    view->boot_locked = (vflags & PW_RAPI_V_BOOT_LOCK) != 0;
    view->plugged = (vflags & PW_RAPI_V_CONNECTED) != 0;
}

// Before boards told their flags, what they are is what their state says.
static void set_old_state(struct pw_rapi_view *view, uint8_t state, uint8_t pilot, pw_ms now)
{
    bool was_plugged = view->plugged;
    set_state(view, state, pilot, 0, now);
    view->relay = state == PW_RAPI_STATE_C;
    switch (state) {
    case PW_RAPI_STATE_B:
    case PW_RAPI_STATE_C:
    case PW_RAPI_STATE_D: view->plugged = true; break;
    case PW_RAPI_STATE_A:
    case PW_RAPI_STATE_STARTING: break;
    default:
        view->plugged = was_plugged; // $G0 knows
        break;
    }
}

// Decimal, as boards before 5.0 wrote it: 254 and 255 are three digits there.
static bool old_state(struct pw_str word, uint8_t *state)
{
    int64_t value;
    if (pw_parse_int(word, 0, UINT8_MAX, &value) != PW_OK) {
        return false;
    }
    *state = (uint8_t)value;
    return true;
}

// Two words before 5.0, three at first then, four now.
static bool any_state(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    uint16_t state;
    uint16_t pilot;
    uint16_t vflags = 0;
    uint8_t old;
    if (line->words == 3) {
        if (!old_state(line->word[1], &old)) {
            return false;
        }
        set_old_state(view, old, old, now);
        return true;
    }
    bool whole = line->words >= 5;
    if (!hex(line, 1, 2, &state) || !hex(line, 3, 2, &pilot) ||
        (whole && !hex(line, 4, 4, &vflags))) {
        return false;
    }
    if (whole) {
        set_state(view, (uint8_t)state, (uint8_t)pilot, vflags, now);
    } else {
        set_old_state(view, (uint8_t)state, (uint8_t)pilot, now);
    }
    return true;
}

bool pw_rapi_take_state(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    int64_t elapsed;
    if (!number(line, 2, 0, UINT32_MAX, &elapsed) || !any_state(view, line, now)) {
        return false;
    }
    view->elapsed_s = elapsed;
    return true;
}

bool pw_rapi_take_transition(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    uint16_t state;
    uint16_t pilot;
    uint16_t vflags;
    int64_t amps;
    if (line->words != 5 || !hex(line, 1, 2, &state) || !hex(line, 2, 2, &pilot) ||
        !number(line, 3, 0, MAX_A, &amps) || !hex(line, 4, 4, &vflags)) {
        return false;
    }
    set_state(view, (uint8_t)state, (uint8_t)pilot, vflags, now);
    // While it starts it has nothing to offer yet.
    view->offered_ma = amps == 0 ? PW_RAPI_UNKNOWN : (int32_t)amps * 1000;
    return true;
}

bool pw_rapi_take_old_transition(struct pw_rapi_view *view, const struct pw_rapi_line *line,
                                 pw_ms now)
{
    uint16_t state;
    if (line->words != 2 || !hex(line, 1, 0, &state) || state > UINT8_MAX) {
        return false;
    }
    set_old_state(view, (uint8_t)state, (uint8_t)state, now);
    return true;
}

bool pw_rapi_take_boot(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    uint16_t post;
    int32_t firmware;
    if (line->words < 2 || !hex(line, 1, 2, &post)) {
        return false;
    }
    pw_rapi_forget(view);
    view->post = (uint8_t)post;
    if (line->words > 2 && version(line->word[2], &firmware) &&
        pw_str_copy(view->firmware, sizeof(view->firmware), line->word[2]) == PW_OK) {
        view->firmware_version = firmware;
    }
    return true;
}

// Since 5.1 four words, before that only the least and the most.
bool pw_rapi_take_capacity(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int64_t least;
    int64_t most;
    if (!number(line, 1, 1, MAX_A, &least) || !number(line, 2, least, MAX_A, &most)) {
        return false;
    }
    if (line->words >= 5) {
        int64_t pilot;
        int64_t configured;
        if (!number(line, 3, 1, MAX_A, &pilot) || !number(line, 4, least, MAX_A, &configured)) {
            return false;
        }
        view->offered_ma = (int32_t)pilot * 1000;
        view->config_ma = (int32_t)configured * 1000;
    } else {
        view->config_ma = (int32_t)most * 1000;
    }
    view->min_ma = (int32_t)least * 1000;
    view->hardware_ma = (int32_t)most * 1000;
    return true;
}

bool pw_rapi_take_settings(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int64_t amps;
    uint16_t flags;
    if (!number(line, 1, 1, MAX_A, &amps) || !hex(line, 2, 0, &flags)) {
        return false;
    }
    view->offered_ma = (int32_t)amps * 1000;
    view->flags = flags;
    return true;
}

bool pw_rapi_take_amps(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int64_t amps;
    if (line->words != 2 || !number(line, 1, 1, MAX_A, &amps)) {
        return false;
    }
    view->offered_ma = (int32_t)amps * 1000;
    return true;
}

bool pw_rapi_take_current(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    int64_t ma;
    int64_t mv;
    if (!number(line, 1, -1, MAX_MA, &ma) || !number(line, 2, -1, MAX_MV, &mv)) {
        return false;
    }
    view->ma = ma < 0 ? PW_RAPI_UNKNOWN : (int32_t)ma;
    view->mv = mv < 0 ? PW_RAPI_UNKNOWN : (int32_t)mv;
    view->current_at = now;
    return true;
}

bool pw_rapi_take_cable(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    int64_t connected;
    if (!number(line, 1, 0, 2, &connected)) {
        return false;
    }
    if (connected != 2) {
        view->plugged = connected == 1;
    }
    return true;
}

bool pw_rapi_take_energy(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    int64_t session;
    int64_t total;
    if (!number(line, 1, 0, UINT32_MAX, &session) || !number(line, 2, 0, UINT32_MAX, &total)) {
        return false;
    }
    view->session_ws = session;
    view->total_wh = total;
    view->energy_at = now;
    return true;
}

bool pw_rapi_take_temps(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    int64_t temp[PW_COUNT(view->temp_dc)];
    for (unsigned i = 0; i < PW_COUNT(temp); i++) {
        if (!number(line, i + 1, ABSENT_TEMP, MAX_TEMP, &temp[i]) ||
            (temp[i] != ABSENT_TEMP && temp[i] < MIN_TEMP)) {
            return false;
        }
    }
    for (unsigned i = 0; i < PW_COUNT(temp); i++) {
        view->temp_dc[i] = temp[i] == ABSENT_TEMP ? PW_RAPI_UNKNOWN : (int32_t)temp[i];
    }
    view->temps_at = now;
    return true;
}

bool pw_rapi_take_trips(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    uint16_t trips[3];
    for (unsigned i = 0; i < PW_COUNT(trips); i++) {
        if (!hex(line, i + 1, 0, &trips[i]) || trips[i] > UINT8_MAX) {
            return false;
        }
    }
    view->gfi_trips = trips[0];
    view->ground_trips = trips[1];
    view->stuck_trips = trips[2];
    view->trips_at = now;
    return true;
}

// Not every build has one: an empty answer is one too.
bool pw_rapi_take_mcu(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now)
{
    (void)now;
    if (line->words > 2) {
        return false;
    }
    return line->words == 1 || pw_str_copy(view->mcu, sizeof(view->mcu), line->word[1]) == PW_OK;
}

// The commands of RAPI, a row each: what the firmware does and answers. Refusals all look the same
// to a client: unknown, not compiled in, too few words, a value out of range.
#include "parts.h"

#include <math.h>
#include <string.h>

#define LOCK_MS    300 // its motor
#define DISABLE_MS 309 // $FD answers that late
#define DISPLAY_MS 56  // two lines over I2C
#define MOST_A     80

struct call {
    const struct pw_str *word; // arguments
    unsigned count;
    struct pw_out *out;
};

struct row {
    const char *name;
    unsigned least; // arguments it needs
    unsigned since; // protocol. Where the facts name none it is a choice: a client lives with both
    bool sparse;    // an emulator has it too
    enum pw_oeboard_answer (*run)(struct pw_oeboard *board, const struct call *call);
};

// The firmware's reading of a number: no digit is checked, no range (facts/reliability.md
// Appendix A).
static uint32_t number(struct pw_str text)
{
    uint32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        value = value * 10U + (uint32_t)(text.at[i] - '0');
    }
    return value;
}

static uint8_t small(struct pw_str text)
{
    return (uint8_t)(number(text) & 0xFF);
}

static void put(const struct call *call, uint64_t value)
{
    if (call->out->len > 0) {
        pw_put_c(call->out, ' ');
    }
    pw_put_uint(call->out, value);
}

static void put_signed(const struct call *call, int64_t value)
{
    if (call->out->len > 0) {
        pw_put_c(call->out, ' ');
    }
    pw_put_int(call->out, value);
}

static void put_hex(const struct call *call, uint64_t value, unsigned digits)
{
    if (call->out->len > 0) {
        pw_put_c(call->out, ' ');
    }
    pw_oeboard_put_hex(call->out, value, digits);
}

static enum pw_oeboard_answer yes_if(bool good)
{
    return good ? PW_OEBOARD_YES : PW_OEBOARD_NO;
}

// Written only when it differs, as its memory bears no more than 100 000 writes.
#define KEEP(board, field, value)                                                                  \
    do {                                                                                           \
        if ((board)->eeprom.field != (value)) {                                                    \
            (board)->eeprom.field = (value);                                                       \
            (board)->eeprom.writes++;                                                              \
        }                                                                                          \
    } while (0)

// ---------------------------------------------------------------------------------------------
// Functions.

static enum pw_oeboard_answer nothing(struct pw_oeboard *board, const struct call *call)
{
    (void)board;
    (void)call;
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer press(struct pw_oeboard *board, const struct call *call)
{
    (void)call;
    bool off = pw_oeboard_is_off(board);
    (off ? pw_oeboard_enable : pw_oeboard_sleep)(board, board->now);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer disable(struct pw_oeboard *board, const struct call *call)
{
    (void)call;
    pw_oeboard_disable(board, board->now);
    pw_oeboard_busy(board, PW_OEBOARD_ANSWERS, DISABLE_MS);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer enable(struct pw_oeboard *board, const struct call *call)
{
    (void)call;
    pw_oeboard_enable(board, board->now);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer put_to_sleep(struct pw_oeboard *board, const struct call *call)
{
    (void)call;
    pw_oeboard_sleep(board, board->now);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer feature(struct pw_oeboard *board, const struct call *call)
{
    static const struct {
        char id;
        uint16_t off; // 0: nothing to remember
    } features[] = {
        {'B', PW_OEBOARD_BUTTON_OFF}, {'D', PW_OEBOARD_DIODE_OFF}, {'E', 0},
        {'F', PW_OEBOARD_GFI_OFF},    {'G', PW_OEBOARD_EARTH_OFF}, {'R', PW_OEBOARD_STUCK_OFF},
        {'T', PW_OEBOARD_HEAT_OFF},   {'V', PW_OEBOARD_VENT_OFF}};
    struct pw_str on = call->word[1];
    if (on.len != 1 || (on.at[0] != '0' && on.at[0] != '1')) {
        return PW_OEBOARD_NO;
    }
    for (size_t i = 0; i < PW_COUNT(features); i++) {
        if (call->word[0].at[0] != features[i].id) {
            continue;
        }
        if (features[i].off == 0) {
            board->echo = true; // whatever was asked: only a restart ends it
            return PW_OEBOARD_YES;
        }
        uint16_t flags = board->eeprom.flags;
        flags = on.at[0] == '1' ? (uint16_t)(flags & ~features[i].off)
                                : (uint16_t)(flags | features[i].off);
        KEEP(board, flags, flags);
        return PW_OEBOARD_YES;
    }
    return PW_OEBOARD_NO;
}

static enum pw_oeboard_answer print(struct pw_oeboard *board, const struct call *call)
{
    unsigned x = small(call->word[0]);
    unsigned y = small(call->word[1]);
    if (x > 15 || y > 1 || pw_oeboard_is_fault(board->state)) {
        return PW_OEBOARD_NO;
    }
    for (unsigned i = 2; i < call->count; i++) {
        for (size_t k = 0; k < call->word[i].len && x < 16; k++) {
            char c = call->word[i].at[k];
            board->lcd[y][x++] = c == 0x11 ? ' ' : c;
        }
        if (i + 1 < call->count && x < 16) {
            board->lcd[y][x++] = ' ';
        }
    }
    pw_oeboard_busy(board, PW_OEBOARD_ANSWERS, DISPLAY_MS);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer restart(struct pw_oeboard *board, const struct call *call)
{
    (void)call;
    if (board->kind->parting) {
        pw_oeboard_busy(board, PW_OEBOARD_ANSWERS, 1500);
    } else {
        pw_oeboard_busy(board, PW_OEBOARD_ANSWERS, board->relay ? 4000 : 1000);
    }
    board->doing = PW_OEBOARD_RESTARTS;
    return board->kind->parting ? PW_OEBOARD_YES : PW_OEBOARD_SILENT;
}

// ---------------------------------------------------------------------------------------------
// Settings.

static void set_amps(struct pw_oeboard *board, uint8_t amps)
{
    board->amps = pw_oeboard_allowed_a(board, amps);
}

// The one that can never be taken back.
static enum pw_oeboard_answer fix_most(struct pw_oeboard *board, const struct call *call)
{
    uint8_t amps = small(call->word[0]);
    bool good = !board->eeprom.most_fixed && amps >= PW_OEBOARD_LEAST_A && amps <= MOST_A;
    if (good) {
        KEEP(board, most_a, amps);
        KEEP(board, most_fixed, true);
    }
    put(call, board->eeprom.most_a);
    return yes_if(good);
}

static enum pw_oeboard_answer current(struct pw_oeboard *board, const struct call *call)
{
    uint8_t asked = small(call->word[0]);
    bool tagged = !board->kind->sparse && call->count > 1;
    bool keeps = !tagged || call->word[1].at[0] != 'V';
    if (tagged && call->word[1].at[0] == 'M') {
        return fix_most(board, call);
    }
    uint8_t most = keeps ? board->eeprom.most_a : pw_oeboard_configured_a(board);
    uint8_t amps = (uint8_t)pw_clamp(asked, PW_OEBOARD_LEAST_A, most);
    if (keeps) {
        KEEP(board, capacity[(board->eeprom.flags & PW_OEBOARD_L2) != 0], amps);
    }
    set_amps(board, amps);
    if (!board->kind->sparse) {
        put(call, board->amps);
    }
    return yes_if(board->amps == asked);
}

static enum pw_oeboard_answer service_level(struct pw_oeboard *board, const struct call *call)
{
    char level = call->word[0].at[0];
    if (level != '1' && level != '2') {
        return PW_OEBOARD_NO;
    }
    uint16_t flags = board->eeprom.flags;
    flags = level == '2' ? (uint16_t)(flags | PW_OEBOARD_L2) : (uint16_t)(flags & ~PW_OEBOARD_L2);
    KEEP(board, flags, flags);
    board->mv = pw_oeboard_nominal_mv(board);
    set_amps(board, pw_oeboard_configured_a(board));
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer set_clock(struct pw_oeboard *board, const struct call *call)
{
    (void)board; // it has none
    (void)call;
    return PW_OEBOARD_YES;
}

static bool is_plugged(const struct pw_oeboard *board)
{
    return board->state == PW_OEBOARD_B || board->state == PW_OEBOARD_C;
}

static enum pw_oeboard_answer time_limit(struct pw_oeboard *board, const struct call *call)
{
    if (!board->kind->limits || !is_plugged(board)) {
        return PW_OEBOARD_NO;
    }
    board->limit_quarters = small(call->word[0]);
    pw_oeboard_flag(board, PW_OEBOARD_TIME_LIMIT, board->limit_quarters > 0);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer energy_limit(struct pw_oeboard *board, const struct call *call)
{
    if (!is_plugged(board)) {
        return PW_OEBOARD_NO;
    }
    board->limit_kwh = small(call->word[0]);
    pw_oeboard_flag(board, PW_OEBOARD_CHARGE_LIMIT, board->limit_kwh > 0);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer set_lock(struct pw_oeboard *board, const struct call *call)
{
    char how = call->word[0].at[0];
    switch (how) {
    case 'A':
    case 'M': KEEP(board, lock_manual, how == 'M'); return PW_OEBOARD_YES;
    case '0':
    case '1':
        if (!board->eeprom.lock_manual) {
            return PW_OEBOARD_NO;
        }
        board->locked = how == '1';
        pw_oeboard_busy(board, PW_OEBOARD_ANSWERS, LOCK_MS);
        return PW_OEBOARD_YES;
    default: return PW_OEBOARD_NO;
    }
}

static enum pw_oeboard_answer set_ammeter(struct pw_oeboard *board, const struct call *call)
{
    KEEP(board, scale, number(call->word[0]));
    KEEP(board, offset, number(call->word[1]));
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer clear_boot_lock(struct pw_oeboard *board, const struct call *call)
{
    if (!board->kind->boot_lock) {
        return PW_OEBOARD_NO;
    }
    pw_oeboard_flag(board, PW_OEBOARD_BOOT_LOCK, false);
    put(call, pw_oeboard_is_fault(board->state));
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer set_total(struct pw_oeboard *board, const struct call *call)
{
    // Without an argument the real one saves what stands in memory there.
    KEEP(board, wh, call->count > 0 ? number(call->word[0]) : 0x20202020U);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer set_timer(struct pw_oeboard *board, const struct call *call)
{
    for (unsigned i = 0; i < 4; i++) {
        KEEP(board, timer[i], small(call->word[i]));
    }
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer set_voltage(struct pw_oeboard *board, const struct call *call)
{
    board->mv = (int32_t)(number(call->word[0]) & 0x7FFFFFFF);
    return PW_OEBOARD_YES;
}

static void put_beat(const struct pw_oeboard *board, const struct call *call)
{
    put(call, board->eeprom.beat_s);
    put(call, board->eeprom.beat_a);
    put(call, board->beat_state);
}

// After a missed pulse it goes to the maximum, not to what was commanded before.
static void restore(struct pw_oeboard *board, uint8_t beat_state)
{
    bool missed = board->beat_state == 2;
    board->beat_state = beat_state;
    if (missed) {
        set_amps(board, pw_oeboard_configured_a(board));
    }
}

static enum pw_oeboard_answer heartbeat(struct pw_oeboard *board, const struct call *call)
{
    bool good = true;
    if (call->count >= 2) {
        KEEP(board, beat_s, (uint16_t)number(call->word[0]));
        KEEP(board, beat_a, small(call->word[1]));
        restore(board, 0);
    } else if (call->count == 1) {
        good = small(call->word[0]) == 165;
        restore(board, good && board->beat_state != 0 ? 1 : board->beat_state);
    } else {
        good = board->beat_state != 2;
    }
    if (good) {
        board->beat_at = board->now;
    }
    put_beat(board, call);
    return yes_if(good);
}

// ---------------------------------------------------------------------------------------------
// Reports.

static enum pw_oeboard_answer get_connected(struct pw_oeboard *board, const struct call *call)
{
    bool connected = (board->vflags & PW_OEBOARD_CONNECTED) != 0;
    put(call, board->state == PW_OEBOARD_DISABLED ? 2 : connected);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_time_limit(struct pw_oeboard *board, const struct call *call)
{
    if (!board->kind->limits) {
        return PW_OEBOARD_NO;
    }
    put(call, board->limit_quarters);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_lock(struct pw_oeboard *board, const struct call *call)
{
    put(call, board->locked);
    pw_put_s(call->out, board->eeprom.lock_manual ? " M" : " A");
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_ammeter(struct pw_oeboard *board, const struct call *call)
{
    put(call, board->eeprom.scale);
    put(call, board->eeprom.offset);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_capacity(struct pw_oeboard *board, const struct call *call)
{
    put(call, PW_OEBOARD_LEAST_A);
    put(call, board->eeprom.most_a);
    if (board->kind->protocol >= 5 && !board->kind->sparse) {
        put(call, board->amps);
        put(call, pw_oeboard_configured_a(board));
    }
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_timer(struct pw_oeboard *board, const struct call *call)
{
    for (unsigned i = 0; i < 4; i++) {
        put(call, board->eeprom.timer[i]);
    }
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_settings(struct pw_oeboard *board, const struct call *call)
{
    put(call, board->amps);
    put_hex(call, board->eeprom.flags, 4);
    return PW_OEBOARD_YES;
}

static void put_unpadded(const struct call *call, unsigned value)
{
    put_hex(call, value > 0xFF ? 0xFF : value, value > 0xF ? 2 : 1);
}

static enum pw_oeboard_answer get_faults(struct pw_oeboard *board, const struct call *call)
{
    put_unpadded(call, board->eeprom.trips_gfi);
    put_unpadded(call, board->eeprom.trips_earth);
    put_unpadded(call, board->eeprom.trips_stuck);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_current(struct pw_oeboard *board, const struct call *call)
{
    put_signed(call, board->ma);
    put_signed(call, board->mv);
    if (board->kind->sparse) {
        put(call, board->state);
        put(call, 0);
    }
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_energy_limit(struct pw_oeboard *board, const struct call *call)
{
    put(call, board->limit_kwh);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_id(struct pw_oeboard *board, const struct call *call)
{
    (void)board;
    pw_put_c(call->out, ' '); // an empty id after two spaces
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_temperature(struct pw_oeboard *board, const struct call *call)
{
    put_signed(call, PW_OEBOARD_NO_PROBE);
    put_signed(call, board->senses.temp_dc);
    put_signed(call, PW_OEBOARD_NO_PROBE);
    if (board->kind->sparse) {
        put_signed(call, PW_OEBOARD_NO_PROBE);
    }
    return PW_OEBOARD_YES;
}

// An emulator takes sleeping for 0xFD and disabled for 0xFE.
static uint8_t spoken_state(const struct pw_oeboard *board)
{
    bool shifted = board->kind->sparse && pw_oeboard_is_off(board);
    return (uint8_t)(board->state - (shifted ? 1 : 0));
}

static enum pw_oeboard_answer get_state(struct pw_oeboard *board, const struct call *call)
{
    if (board->kind->protocol < 5) {
        put(call, board->state);
        put(call, pw_oeboard_elapsed_s(board));
        return PW_OEBOARD_YES;
    }
    put_hex(call, spoken_state(board), 2);
    put(call, pw_oeboard_elapsed_s(board));
    put_hex(call, board->pilot, 2);
    put_hex(call, board->vflags, 4);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_clock(struct pw_oeboard *board, const struct call *call)
{
    (void)board;
    pw_put_s(call->out, "165 165 165 165 165 85"); // there is none
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_energy(struct pw_oeboard *board, const struct call *call)
{
    uint64_t ws = (uint64_t)llround(board->session_ws);
    put(call, board->kind->sparse ? board->eeprom.wh : ws);
    put(call, board->kind->sparse ? ws : board->eeprom.wh);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_version(struct pw_oeboard *board, const struct call *call)
{
    pw_put_s(call->out, board->kind->firmware);
    pw_put_c(call->out, ' ');
    pw_put_s(call->out, board->kind->rapi);
    return PW_OEBOARD_YES;
}

static enum pw_oeboard_answer get_heartbeat(struct pw_oeboard *board, const struct call *call)
{
    put_beat(board, call);
    return PW_OEBOARD_YES;
}

// ---------------------------------------------------------------------------------------------

// clang-format off
static const struct row rows[] = {
    {"F0", 1, 1, true, nothing},        {"F1", 0, 1, false, press},
    {"FB", 1, 1, true, nothing},        {"FD", 0, 1, true, disable},
    {"FE", 0, 1, true, enable},         {"FF", 2, 4, false, feature},
    {"FP", 3, 1, true, print},          {"FR", 0, 1, true, restart},
    {"FS", 0, 1, true, put_to_sleep},   {"S0", 1, 1, false, nothing},
    {"S1", 6, 1, false, set_clock},     {"S3", 1, 1, false, time_limit},
    {"S5", 1, 5, false, set_lock},      {"SA", 2, 1, false, set_ammeter},
    {"SB", 0, 5, false, clear_boot_lock}, {"SC", 1, 1, true, current},
    {"SH", 1, 2, false, energy_limit},  {"SK", 0, 1, false, set_total},
    {"SL", 1, 1, true, service_level},  {"ST", 4, 1, false, set_timer},
    {"SV", 1, 4, false, set_voltage},   {"SY", 0, 5, false, heartbeat},
    {"G0", 0, 4, false, get_connected}, {"G3", 0, 1, false, get_time_limit},
    {"G5", 0, 5, false, get_lock},      {"GA", 0, 1, true, get_ammeter},
    {"GC", 0, 1, true, get_capacity},   {"GD", 0, 2, false, get_timer},
    {"GE", 0, 1, true, get_settings},   {"GF", 0, 1, true, get_faults},
    {"GG", 0, 1, true, get_current},    {"GH", 0, 2, true, get_energy_limit},
    {"GI", 0, 4, false, get_id},        {"GP", 0, 1, true, get_temperature},
    {"GS", 0, 1, true, get_state},      {"GT", 0, 1, true, get_clock},
    {"GU", 0, 1, true, get_energy},     {"GV", 0, 1, true, get_version},
    {"GY", 0, 5, false, get_heartbeat},
};
// clang-format on

enum pw_oeboard_answer pw_oeboard_command(struct pw_oeboard *board, const struct pw_str *token,
                                          unsigned count, struct pw_out *out)
{
    const struct pw_oeboard_kind *kind = board->kind;
    const struct call call = {.word = token + 1, .count = count - 1, .out = out};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!pw_str_is(token[0], rows[i].name)) {
            continue;
        }
        bool has = kind->protocol >= rows[i].since && (rows[i].sparse || !kind->sparse);
        return has && call.count >= rows[i].least ? rows[i].run(board, &call) : PW_OEBOARD_NO;
    }
    return PW_OEBOARD_NO;
}

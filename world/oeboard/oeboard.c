#include "parts.h"

#include <math.h>
#include <string.h>

#define WAKE_MS      400  // after a reset nothing is heard
#define FIRST_SAY_MS 2208 // then this long until the first `$AT`
#define TEST_MS      3246 // and until the self tests are over
#define SKIP_MS      1500 // more for each test that is switched off
#define LOCK_MS      300  // the lock's motor, when a plug comes or goes
#define TOUCH_MS     37   // from the relay until the program goes on
#define HARD_MS      2000 // a trip so soon after closing is not tried again
#define SLEEP_MS     3000 // a car that goes on drawing is cut off
#define LET_GO_MS    45   // from the answer to `$FS` until the relay opens, at the soonest
#define STILL_MA     1000
#define UNREAD_MS    274 // then the pilot is no longer read
#define NOTICE_MS    360 // a plug that comes or goes while asleep
#define SCALE        220 // of a new ammeter

// clang-format off
static const struct pw_oeboard_kind kinds[] = {
    {.word = "8.2.3", .doc = "firmware 8.2.3 as recorded", .firmware = "8.2.3", .rapi = "5.2.1", .protocol = 5, .limits = true, .parting = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "8.2.3-eu", .doc = "the same as built for Europe: 230 V, no time limit, over-current trip, bare text", .firmware = "8.2.3.EU", .rapi = "5.2.1", .protocol = 5, .banner = true, .over_current = true, .mv = 230000, .self_test_ms = 1200, .slow_least_ms = 38, .slow_most_ms = 62},
    {.word = "9", .doc = "protocol 6: waits for $SB after each start", .firmware = "9.0.0", .rapi = "6.0.0", .protocol = 6, .limits = true, .parting = true, .boot_lock = true, .over_current = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "rapi4", .doc = "protocol 4: $ST instead of $AT, short $GS and $GC, no heartbeat", .firmware = "5.0.0", .rapi = "4.0.0", .protocol = 4, .limits = true, .parting = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "rapi3", .doc = "protocol 3: no $FF, no $G0", .firmware = "4.0.0", .rapi = "3.0.0", .protocol = 3, .limits = true, .parting = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "rapi2", .doc = "protocol 2: no sequence numbers", .firmware = "3.0.0", .rapi = "2.0.0", .protocol = 2, .limits = true, .parting = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "rapi1", .doc = "protocol 1: no checksum on answers", .firmware = "2.0.0", .rapi = "1.0.0", .protocol = 1, .limits = true, .parting = true, .mv = 240000, .self_test_ms = 1035, .slow_least_ms = 3, .slow_most_ms = 37},
    {.word = "sparse", .doc = "few commands, some with other fields, as an emulator has them", .firmware = "8.2.1", .rapi = "5.0.1", .protocol = 5, .sparse = true, .mv = 240000, .self_test_ms = 50, .slow_least_ms = 1, .slow_most_ms = 5},
};
// clang-format on

size_t pw_oeboard_kinds(void)
{
    return PW_COUNT(kinds);
}

const struct pw_oeboard_kind *pw_oeboard_kind(size_t row)
{
    return row < PW_COUNT(kinds) ? &kinds[row] : NULL;
}

const struct pw_oeboard_kind *pw_oeboard_named(struct pw_str word)
{
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        if (pw_str_is(word, kinds[i].word)) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool pw_oeboard_is_fault(uint8_t state)
{
    return state >= PW_OEBOARD_D && state < PW_OEBOARD_SLEEPING;
}

int32_t pw_oeboard_nominal_mv(const struct pw_oeboard *board)
{
    bool half = (board->eeprom.flags & PW_OEBOARD_L2) == 0 && board->kind->mv == 240000;
    return half ? board->kind->mv / 2 : board->kind->mv;
}

uint8_t pw_oeboard_configured_a(const struct pw_oeboard *board)
{
    return board->eeprom.capacity[(board->eeprom.flags & PW_OEBOARD_L2) != 0];
}

uint8_t pw_oeboard_allowed_a(const struct pw_oeboard *board, uint8_t amps)
{
    int64_t most = amps;
    if (board->heat > 0) {
        most = pw_min(most, pw_oeboard_configured_a(board) >> board->heat);
    }
    if (board->beat_state == 2) {
        most = pw_min(most, board->eeprom.beat_a);
    }
    return (uint8_t)pw_max(most, PW_OEBOARD_LEAST_A);
}

pw_ms pw_oeboard_jitter(struct pw_oeboard *board, pw_ms least, pw_ms most)
{
    return least + pw_noise_bits(&board->noise) % (most - least + 1);
}

void pw_oeboard_busy(struct pw_oeboard *board, enum pw_oeboard_doing doing, pw_ms span)
{
    board->doing = doing;
    board->busy_until = board->now + span;
}

// ---------------------------------------------------------------------------------------------
// Start.

void pw_oeboard_init(struct pw_oeboard *board, const struct pw_oeboard_kind *kind, uint64_t seed,
                     pw_ms now)
{
    *board = (struct pw_oeboard){
        .kind = kind != NULL ? kind : &kinds[0],
        .eeprom = {.most_a = 32,
                   .capacity = {12, 32},
                   .flags = PW_OEBOARD_L2 | PW_OEBOARD_SERVICE_OFF,
                   .scale = SCALE},
        .senses = {.level = PW_OEBOARD_LEVEL_A, .diode = true, .temp_dc = PW_OEBOARD_NO_PROBE},
        .now = now,
    };
    pw_noise_init(&board->noise, seed, 'o');
}

// From here on nothing is left but the EEPROM.
static void reset(struct pw_oeboard *board, pw_ms now)
{
    uint16_t off = board->eeprom.flags;
    unsigned skipped = (off & PW_OEBOARD_EARTH_OFF) != 0 ? 1U : 0U;
    skipped += (off & PW_OEBOARD_STUCK_OFF) != 0 ? 1U : 0U;
    board->now = now;
    board->relay = false;
    board->state = PW_OEBOARD_UNKNOWN;
    board->pilot = 0;
    board->amps = 0;
    board->vflags = PW_OEBOARD_ENDED;
    board->told = (struct pw_oeboard_told){0};
    board->sees = board->sleeping_fault = board->lasting = board->echo = board->locked = false;
    board->beat_state = board->heat = board->limit_kwh = board->limit_quarters = 0;
    board->elapsed_s = 0;
    board->session_ws = 0;
    board->retries = 0;
    board->fault_at = board->unknown_at = board->over_at = board->tripped_at = PW_NEVER;
    board->closed_at = board->asleep_at = board->plug_at = PW_NEVER;
    board->opened_at = board->window_at = now;
    board->window_ams = 0;
    board->ma = 0;
    board->ring_len = 0;
    board->mv = pw_oeboard_nominal_mv(board);
    memset(board->lcd, 0, sizeof(board->lcd));
    pw_oeboard_forget_line(board);
    pw_oeboard_busy(board, PW_OEBOARD_WAKES, WAKE_MS);
    board->tested_at = now + TEST_MS + (pw_ms)SKIP_MS * skipped;
}

static void restart(struct pw_oeboard *board, pw_ms now)
{
    board->restarts++;
    reset(board, now);
}

void pw_oeboard_power(struct pw_oeboard *board, bool on, pw_ms now)
{
    if (on == board->powered) {
        return;
    }
    board->powered = on;
    board->relay = false;
    board->say_count = 0;
    board->ring_len = 0;
    board->doing = PW_OEBOARD_IDLE;
    board->hung = false;
    if (on) {
        board->say_last = now;
        restart(board, now);
    }
}

static void say_banner(struct pw_oeboard *board, pw_ms at)
{
    if (board->kind->banner) {
        pw_oeboard_say(board, PW_STR("\r\nrelayCloseMs: 100\r\n"), at);
        pw_oeboard_say(board, PW_STR("relayHoldPwm: 255\r\n"), at);
    }
}

static void wake_up(struct pw_oeboard *board)
{
    pw_ms at = board->busy_until - WAKE_MS + FIRST_SAY_MS;
    say_banner(board, at - 2ULL * PW_OEBOARD_GAP_MS);
    if (board->kind->protocol >= 5) {
        char text[PW_OEBOARD_SAY_MAX] = "";
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "$AT 00 00 0 ");
        pw_oeboard_put_hex(&out, board->vflags, 4);
        pw_oeboard_say_checked(board, &out, at);
    }
    board->doing = PW_OEBOARD_TESTS;
    board->busy_until = board->tested_at;
}

static uint8_t tested(const struct pw_oeboard *board)
{
    if (board->senses.earth_lost && pw_oeboard_tests(board, PW_OEBOARD_EARTH_OFF)) {
        return PW_OEBOARD_NO_EARTH;
    }
    if (board->senses.live && pw_oeboard_tests(board, PW_OEBOARD_STUCK_OFF)) {
        return PW_OEBOARD_STUCK;
    }
    if (board->self_test_dead && pw_oeboard_tests(board, PW_OEBOARD_GFI_OFF)) {
        return PW_OEBOARD_SELF_TEST;
    }
    return 0;
}

static void finish_tests(struct pw_oeboard *board)
{
    uint8_t fault = tested(board);
    if (board->kind->protocol >= 5) {
        char text[PW_OEBOARD_SAY_MAX];
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, "$AB ");
        pw_oeboard_put_hex(&out, fault, 2);
        pw_put_c(&out, ' ');
        pw_put_s(&out, board->kind->firmware);
        pw_oeboard_say_checked(board, &out, board->busy_until);
    }
    board->amps = board->told.amps = pw_oeboard_configured_a(board);
    board->beat_at = board->now;
    pw_oeboard_flag(board, PW_OEBOARD_BOOT_LOCK, board->kind->boot_lock);
    pw_oeboard_flag(board, PW_OEBOARD_MANUAL_LOCK, board->eeprom.lock_manual);
    board->doing = PW_OEBOARD_IDLE;
    board->poll_at = board->now + PW_OEBOARD_GAP_MS;
    if (fault != 0) {
        pw_oeboard_enter_fault(board, fault);
        pw_oeboard_tell(board, board->now + PW_OEBOARD_GAP_MS);
        board->lasting = true;
    }
}

// ---------------------------------------------------------------------------------------------
// Relay and session.

uint32_t pw_oeboard_elapsed_s(const struct pw_oeboard *board)
{
    uint32_t now_s = board->relay ? (uint32_t)((board->now - board->closed_at) / 1000U) : 0;
    return board->elapsed_s + now_s;
}

void pw_oeboard_open(struct pw_oeboard *board, pw_ms now)
{
    if (!board->relay) {
        return;
    }
    board->elapsed_s += (uint32_t)((now - board->closed_at) / 1000U);
    board->relay = false;
    board->opened_at = now;
    board->ma = 0;
    board->over_at = PW_NEVER;
    pw_oeboard_flag(board, PW_OEBOARD_CHARGING_ON, false);
}

static void close_relay(struct pw_oeboard *board)
{
    board->relay = true;
    board->closed_at = board->window_at = board->now;
    board->window_ams = 0;
    say_banner(board, board->now);
    pw_oeboard_flag(board, PW_OEBOARD_CHARGING_ON, true);
    pw_oeboard_flag(board, PW_OEBOARD_ENDED, false);
}

static void begin_session(struct pw_oeboard *board)
{
    if (pw_oeboard_has(board, PW_OEBOARD_CONNECTED)) {
        return;
    }
    pw_oeboard_flag(board, PW_OEBOARD_CONNECTED | PW_OEBOARD_WAS_THERE, true);
    board->elapsed_s = 0;
    board->session_ws = 0;
    board->retries = 0;
    board->locked = !board->eeprom.lock_manual || board->locked;
}

static void end_session(struct pw_oeboard *board)
{
    if (pw_oeboard_has(board, PW_OEBOARD_CONNECTED)) {
        uint32_t wh = (uint32_t)(board->session_ws / 3600.0);
        board->eeprom.wh += wh;
        board->eeprom.writes += wh > 0 ? 1U : 0U;
    }
    pw_oeboard_flag(board,
                    PW_OEBOARD_CONNECTED | PW_OEBOARD_WAS_THERE | PW_OEBOARD_TIME_LIMIT |
                        PW_OEBOARD_CHARGE_LIMIT | PW_OEBOARD_LIMIT_SLEEP,
                    false);
    pw_oeboard_flag(board, PW_OEBOARD_HARD_FAULT, board->lasting);
    pw_oeboard_flag(board, PW_OEBOARD_ENDED, true);
    board->limit_kwh = board->limit_quarters = 0;
    board->locked = board->eeprom.lock_manual && board->locked;
}

// ---------------------------------------------------------------------------------------------
// States.

static uint8_t pilot_of(enum pw_oeboard_level level)
{
    static const uint8_t pilots[] = {PW_OEBOARD_A, PW_OEBOARD_B, PW_OEBOARD_C, PW_OEBOARD_D,
                                     PW_OEBOARD_UNKNOWN};
    return pilots[level];
}

static void enter(struct pw_oeboard *board, uint8_t state)
{
    board->sees = false;
    board->state = state;
    board->fault_at = board->unknown_at = PW_NEVER;
    if (state != PW_OEBOARD_C) {
        pw_oeboard_open(board, board->now);
    }
    if (state == PW_OEBOARD_A) {
        end_session(board);
    } else {
        begin_session(board);
    }
    bool by_level = state != PW_OEBOARD_DIODE && state != PW_OEBOARD_UNKNOWN;
    board->pilot = by_level ? pilot_of(board->senses.level) : state;
    if (state == PW_OEBOARD_DIODE || state == PW_OEBOARD_D) {
        pw_oeboard_flag(board, PW_OEBOARD_HARD_FAULT, true);
    }
    pw_oeboard_tell(board, board->now + PW_OEBOARD_GAP_MS);
}

static void count_trip(struct pw_oeboard *board, uint8_t state)
{
    struct pw_oeboard_eeprom *eeprom = &board->eeprom;
    switch (state) {
    case PW_OEBOARD_GFI: eeprom->trips_gfi++; break;
    case PW_OEBOARD_NO_EARTH: eeprom->trips_earth++; break;
    case PW_OEBOARD_STUCK: eeprom->trips_stuck++; break;
    default: return;
    }
    eeprom->writes++;
}

// A fault that the pilot does not show.
void pw_oeboard_enter_fault(struct pw_oeboard *board, uint8_t state)
{
    bool retried = state == PW_OEBOARD_GFI || state == PW_OEBOARD_NO_EARTH;
    bool early = board->closed_at == PW_NEVER || board->now < board->closed_at + HARD_MS;
    bool again = retried && !early && board->retries < PW_OEBOARD_RETRIES;
    pw_oeboard_open(board, board->now);
    board->state = state;
    board->sees = false;
    board->fault_at = again ? board->now : PW_NEVER;
    board->lasting = state == PW_OEBOARD_STUCK;
    pw_oeboard_flag(board, PW_OEBOARD_HARD_FAULT, !again && state != PW_OEBOARD_HOT);
    count_trip(board, state);
    if (state == PW_OEBOARD_GFI) {
        pw_oeboard_flag(board, PW_OEBOARD_GFI_TRIP, true);
        board->unknown_at = board->now + UNREAD_MS;
    }
    if (state == PW_OEBOARD_NO_EARTH) {
        pw_oeboard_flag(board, PW_OEBOARD_EARTH_TRIP, true);
    }
}

void pw_oeboard_enable(struct pw_oeboard *board, pw_ms now)
{
    if (!pw_oeboard_is_off(board)) {
        return;
    }
    pw_oeboard_flag(board, PW_OEBOARD_LIMIT_SLEEP, false);
    board->sees = false;
    board->state = PW_OEBOARD_UNKNOWN;
    board->told.state = PW_OEBOARD_UNKNOWN; // which is not worth a word
    if (board->sleeping_fault) {
        board->sleeping_fault = false;
        board->state = board->hidden;
        count_trip(board, board->hidden);
    }
    (void)now;
}

static void hide(struct pw_oeboard *board)
{
    if (pw_oeboard_is_fault(board->state)) {
        board->sleeping_fault = true;
        board->hidden = board->state;
    }
    board->sees = false;
}

void pw_oeboard_sleep(struct pw_oeboard *board, pw_ms now)
{
    if (board->state == PW_OEBOARD_SLEEPING) {
        return;
    }
    hide(board);
    board->state = PW_OEBOARD_SLEEPING;
    board->asleep_at = now;
}

void pw_oeboard_disable(struct pw_oeboard *board, pw_ms now)
{
    if (board->state == PW_OEBOARD_DISABLED) {
        return;
    }
    hide(board);
    pw_oeboard_open(board, now);
    board->state = PW_OEBOARD_DISABLED;
}

void pw_oeboard_button(struct pw_oeboard *board, bool longer, pw_ms now)
{
    if (!board->powered || board->doing != PW_OEBOARD_IDLE || board->hung) {
        return;
    }
    board->now = now;
    if ((board->eeprom.flags & PW_OEBOARD_BUTTON_OFF) != 0) {
        char text[PW_OEBOARD_SAY_MAX];
        struct pw_out out = PW_OUT(text);
        pw_put_s(&out, longer ? "$AN 1" : "$AN 0");
        pw_oeboard_say_checked(board, &out, now);
    } else if (!longer) {
        (pw_oeboard_is_off(board) ? pw_oeboard_enable : pw_oeboard_sleep)(board, now);
        pw_oeboard_tell(board, now);
    }
}

// ---------------------------------------------------------------------------------------------
// What it offers.

struct pw_oeboard_drive pw_oeboard_drive(const struct pw_oeboard *board)
{
    struct pw_oeboard_drive drive = {.cp = PW_BOARD_CP_STEADY, .relay = board->relay};
    drive.dead = !board->powered;
    bool offers = board->state == PW_OEBOARD_B || board->state == PW_OEBOARD_C;
    if (board->state == PW_OEBOARD_DISABLED) {
        drive.cp = PW_BOARD_CP_FAULT;
    } else if (offers && !pw_oeboard_has(board, PW_OEBOARD_BOOT_LOCK)) {
        drive.cp = PW_BOARD_CP_PWM;
        // Six tenths of an ampere a percent, up to 51 A; beyond, a quarter.
        drive.duty_ppm =
            board->amps <= 51 ? board->amps * 1000000 / 60 : board->amps * 4000 + 640000;
    }
    return drive;
}

int32_t pw_oeboard_offer_ma(const struct pw_oeboard *board)
{
    struct pw_oeboard_drive drive = pw_oeboard_drive(board);
    return !drive.dead && drive.cp == PW_BOARD_CP_PWM ? board->amps * 1000 : 0;
}

// ---------------------------------------------------------------------------------------------
// The pilot.

// The state that the pilot calls for; the present one when it calls for nothing.
static uint8_t wanted(const struct pw_oeboard *board)
{
    const struct pw_oeboard_senses *senses = &board->senses;
    bool charging = board->state == PW_OEBOARD_B || board->state == PW_OEBOARD_C;
    if (senses->level == PW_OEBOARD_LEVEL_A) {
        return PW_OEBOARD_A;
    }
    if (pw_oeboard_has(board, PW_OEBOARD_HARD_FAULT) || board->fault_at != PW_NEVER ||
        board->state == PW_OEBOARD_HOT) {
        return board->state;
    }
    if (senses->level == PW_OEBOARD_LEVEL_E) {
        return PW_OEBOARD_UNKNOWN;
    }
    if (!senses->diode && charging && pw_oeboard_tests(board, PW_OEBOARD_DIODE_OFF)) {
        return PW_OEBOARD_DIODE;
    }
    if (senses->level == PW_OEBOARD_LEVEL_B || !charging ||
        pw_oeboard_has(board, PW_OEBOARD_BOOT_LOCK)) {
        return PW_OEBOARD_B;
    }
    bool airs = senses->level == PW_OEBOARD_LEVEL_D && pw_oeboard_tests(board, PW_OEBOARD_VENT_OFF);
    return airs ? PW_OEBOARD_D : PW_OEBOARD_C;
}

static bool moves_lock(const struct pw_oeboard *board, uint8_t to)
{
    return (to == PW_OEBOARD_A && board->state != PW_OEBOARD_UNKNOWN) ||
           (to == PW_OEBOARD_B && board->state == PW_OEBOARD_A);
}

// How long it looks before it believes; it hears commands meanwhile.
static pw_ms doubt(struct pw_oeboard *board, uint8_t to)
{
    if (moves_lock(board, to)) {
        return pw_oeboard_jitter(board, 58, 84);
    }
    if (board->state == PW_OEBOARD_UNKNOWN && to == PW_OEBOARD_A) {
        return pw_oeboard_jitter(board, 40, 60);
    }
    if (to == PW_OEBOARD_B) {
        return pw_oeboard_jitter(board, 279, 297);
    }
    return to == PW_OEBOARD_C ? pw_oeboard_jitter(board, 288, 313)
                              : pw_oeboard_jitter(board, 319, 324);
}

static void take_state(struct pw_oeboard *board)
{
    if (moves_lock(board, board->wants)) {
        pw_oeboard_busy(board, PW_OEBOARD_SETTLES, LOCK_MS);
    } else if (board->wants == PW_OEBOARD_C) {
        pw_oeboard_busy(board, PW_OEBOARD_CLOSES, board->kind->self_test_ms);
    } else {
        enter(board, board->wants);
    }
}

static void watch_pilot(struct pw_oeboard *board)
{
    uint8_t want = wanted(board);
    if (want == board->state) {
        board->sees = false;
    } else if (!board->sees || board->wants != want) {
        board->sees = true;
        board->wants = want;
        board->seen_at = board->now + doubt(board, want);
    } else if (board->now >= board->seen_at) {
        take_state(board);
    }
}

// Asleep, or in a fault that lasts, only the plug counts. Then a fault's display keeps it from
// telling until somebody asks.
static void watch_plug(struct pw_oeboard *board)
{
    bool there = board->senses.level != PW_OEBOARD_LEVEL_A;
    if (there == pw_oeboard_has(board, PW_OEBOARD_CONNECTED)) {
        board->plug_at = PW_NEVER;
        return;
    }
    if (board->plug_at == PW_NEVER) {
        board->plug_at = board->now + NOTICE_MS;
    }
    if (board->now < board->plug_at) {
        return;
    }
    board->plug_at = PW_NEVER;
    bool limited = pw_oeboard_has(board, PW_OEBOARD_LIMIT_SLEEP);
    if (there) {
        begin_session(board);
    } else {
        end_session(board);
        board->sleeping_fault = board->sleeping_fault && board->lasting;
    }
    if (limited && board->state == PW_OEBOARD_SLEEPING) {
        pw_oeboard_enable(board, board->now);
    } else if (!board->lasting) {
        pw_oeboard_tell(board, board->now);
    }
}

static void tend_sleep(struct pw_oeboard *board)
{
    pw_ms now = board->now;
    bool left = board->senses.level <= PW_OEBOARD_LEVEL_B || board->ma <= STILL_MA;
    bool ready = now >= board->asleep_at + LET_GO_MS;
    if (board->relay && ready && (left || pw_elapsed(board->asleep_at, SLEEP_MS, now))) {
        pw_oeboard_open(board, now);
    }
    watch_plug(board);
}

// ---------------------------------------------------------------------------------------------
// The program's round.

static void finish_closing(struct pw_oeboard *board)
{
    board->doing = PW_OEBOARD_IDLE;
    if (board->self_test_dead && pw_oeboard_tests(board, PW_OEBOARD_GFI_OFF)) {
        pw_oeboard_fail(board, PW_OEBOARD_SELF_TEST);
    } else if (wanted(board) == PW_OEBOARD_C) {
        close_relay(board);
        pw_oeboard_busy(board, PW_OEBOARD_CLOSED, TOUCH_MS);
    } else {
        board->sees = false;
    }
}

static void finish(struct pw_oeboard *board)
{
    enum pw_oeboard_doing doing = board->doing;
    switch (doing) {
    case PW_OEBOARD_IDLE: return;
    case PW_OEBOARD_WAKES: wake_up(board); return;
    case PW_OEBOARD_TESTS: finish_tests(board); return;
    case PW_OEBOARD_CLOSES: finish_closing(board); return;
    case PW_OEBOARD_RESTARTS: restart(board, board->now); return;
    case PW_OEBOARD_SETTLES:
        board->doing = PW_OEBOARD_IDLE;
        if (wanted(board) == board->wants) {
            enter(board, board->wants);
        }
        break;
    case PW_OEBOARD_CLOSED:
        board->doing = PW_OEBOARD_IDLE;
        enter(board, PW_OEBOARD_C);
        break;
    case PW_OEBOARD_ANSWERS:
    case PW_OEBOARD_COOLS: board->doing = PW_OEBOARD_IDLE; break;
    }
    board->poll_at = board->now; // what waited comes first
}

static void work(struct pw_oeboard *board)
{
    if (board->ring_len > 0 && board->now >= board->poll_at) {
        pw_oeboard_poll(board, board->now);
        if (board->doing != PW_OEBOARD_IDLE) {
            return;
        }
    }
    pw_oeboard_protect(board);
    if (board->doing != PW_OEBOARD_IDLE) {
        return;
    }
    if (board->state == PW_OEBOARD_SLEEPING) {
        tend_sleep(board);
    } else if (board->lasting) {
        watch_plug(board);
    } else if (board->state != PW_OEBOARD_DISABLED) {
        watch_pilot(board);
    }
}

// The ammeter averages over its window and reads up to a percent low; the energy is what it says,
// and a window late.
static void measure(struct pw_oeboard *board, pw_ms now)
{
    double ms = (double)(now - board->now);
    if (!board->relay) {
        return;
    }
    board->session_ws += board->ma / 1000.0 * board->mv / 1000.0 * ms / 1000.0;
    board->window_ams += board->senses.ampere * ms;
    if (now - board->window_at >= PW_OEBOARD_WINDOW_MS) {
        double span = (double)(now - board->window_at);
        double low = 0.995 + 0.005 * pw_noise_even(&board->noise);
        double scale = (double)board->eeprom.scale / SCALE;
        board->ma = (int32_t)lrint(board->window_ams / span * 1000.0 * low * scale);
        board->window_at = now;
        board->window_ams = 0;
    }
}

static pw_ms next(const struct pw_oeboard *board)
{
    pw_ms at = board->say_count > 0 ? board->say[board->say_head].at : PW_NEVER;
    if (board->relay) {
        at = pw_earlier(at, board->window_at + PW_OEBOARD_WINDOW_MS);
    }
    if (board->hung) {
        return at;
    }
    if (board->doing != PW_OEBOARD_IDLE) {
        return pw_earlier(at, board->busy_until);
    }
    at = pw_earlier(at, pw_oeboard_protect_at(board));
    if (board->ring_len > 0) {
        at = pw_earlier(at, board->poll_at);
    }
    if (board->sees) {
        at = pw_earlier(at, board->seen_at);
    }
    if (board->state == PW_OEBOARD_SLEEPING || board->lasting) {
        at = pw_earlier(at, board->plug_at);
    }
    if (board->state == PW_OEBOARD_SLEEPING && board->relay) {
        pw_ms soon = board->asleep_at + LET_GO_MS;
        at = pw_earlier(at, soon > board->now ? soon : board->asleep_at + SLEEP_MS);
    }
    return at;
}

pw_ms pw_oeboard_step(struct pw_oeboard *board, const struct pw_oeboard_senses *senses, pw_ms now)
{
    if (board->powered) {
        measure(board, now);
    }
    board->now = now;
    board->senses = *senses;
    if (!board->powered) {
        return PW_NEVER;
    }
    if (!board->hung) {
        pw_oeboard_guard(board);
        while (board->doing != PW_OEBOARD_IDLE && now >= board->busy_until) {
            finish(board);
        }
        if (board->doing == PW_OEBOARD_IDLE) {
            work(board);
        }
    }
    return next(board);
}

#include "accar/accar.h"

#include "pilot/pilot.h"

#include <math.h>

// Resistances of IEC 61851-1 Table A.3: 2.74 kOhm alone, with 1.3 kOhm (C) or 270 Ohm (D) beside
// it.
#define WAITS_OHM 2740.0
#define C_OHM     882
#define D_OHM     246
#define SHORT_OHM 20.0
#define OPEN_OHM  1e9

#define READY_MS     1200 // from an offer until S2 closes
#define CHARGER_MS   800  // from mains at the inlet until current flows
#define UP_A_PER_S   8.0  // the charger's ramp
#define DOWN_A_PER_S 400.0
#define STRIDE_MS    20    // while the current moves
#define STEADY_MS    1000  // while it does not
#define TAPER_SOC    0.85  // from here the battery takes less and less,
#define TAPER_LEAST  0.06  // down to this share of the charger's rating at 100 %
#define EFFICIENCY   0.91  // from the inlet to the cells
#define LEAST_VOLT   180.0 // the charger needs that much
#define CHATTER_MS   3     // between two touches of a bouncing contact, 1..5
#define FLICKER_LEN  6     // S2 open, when it flickers
#define CURB_MS      100   // a stopping charger begins to ramp down this long before S2 opens
#define STILL_A      0.02  // a current this near its aim does not move

// clang-format off
static const struct pw_accar_kind kinds[] = {
    {.word = "honest", .doc = "does what the norm wants", .phases = 3, .most_ma = 32000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true},
    {.word = "slow", .doc = "follows a new offer after 4.9 s and stops after 2.9 s", .phases = 3, .most_ma = 32000, .taken_permille = 1000, .ready_ohm = C_OHM, .react_ms = 4800, .stop_ms = 2800, .diode = true},
    {.word = "greedy", .doc = "draws 130 % of what it is offered", .phases = 3, .most_ma = 40000, .taken_permille = 1300, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true},
    {.word = "bouncing", .doc = "plug and S2 chatter, and S2 flickers while charging", .phases = 3, .most_ma = 16000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .bounce_ms = 90, .flicker_ms = 20000},
    {.word = "nodiode", .doc = "a resistor without a diode: no car", .phases = 3, .most_ma = 16000, .taken_permille = 1000, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800},
    {.word = "short", .doc = "pilot wire on earth", .phases = 3, .most_ma = 16000, .taken_permille = 1000, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .shorted = true},
    {.word = "deaf", .doc = "goes on drawing when the offer ends", .phases = 3, .most_ma = 16000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .diode = true},
    {.word = "sleepy", .doc = "falls asleep without an offer; wakes when the PWM goes and comes again", .phases = 1, .most_ma = 32000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .wake = PW_ACCAR_WAKE_AGAIN, .sleep_ms = 60000},
    {.word = "dormant", .doc = "falls asleep without an offer; wakes by a pulse of E or F", .phases = 1, .most_ma = 32000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .wake = PW_ACCAR_WAKE_PULSE, .sleep_ms = 60000},
    {.word = "modest", .doc = "draws 95 % of what it is offered", .phases = 3, .most_ma = 32000, .taken_permille = 950, .ready_ohm = C_OHM, .react_ms = 1500, .stop_ms = 1500, .diode = true},
    {.word = "simple", .doc = "has no S2: goes from A to C at once", .phases = 1, .most_ma = 10000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .simplified = true},
    {.word = "ventilated", .doc = "asks for ventilation (state D)", .phases = 1, .most_ma = 16000, .taken_permille = 990, .ready_ohm = D_OHM, .react_ms = 700, .stop_ms = 800, .diode = true},
    {.word = "runaway", .doc = "its plug is pulled under load after 20 s", .phases = 3, .most_ma = 16000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .pulled_ms = 20000},
    {.word = "sated", .doc = "takes itself for full at half charge", .phases = 3, .most_ma = 16000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .full_permille = 500},
    {.word = "noisy", .doc = "disturbs pilot and mains", .phases = 3, .most_ma = 32000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .cp_noise_mv = 150, .third_permille = 250},
    {.word = "single", .doc = "draws from one phase, however many are offered", .phases = 1, .most_ma = 32000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true},
    {.word = "fewer", .doc = "goes on with one phase after a minute of three", .phases = 3, .most_ma = 16000, .taken_permille = 990, .ready_ohm = C_OHM, .react_ms = 700, .stop_ms = 800, .diode = true, .fewer_ms = 60000},
};
// clang-format on

size_t pw_accar_kinds(void)
{
    return PW_COUNT(kinds);
}

const struct pw_accar_kind *pw_accar_kind(size_t row)
{
    return row < PW_COUNT(kinds) ? &kinds[row] : NULL;
}

const struct pw_accar_kind *pw_accar_named(struct pw_str word)
{
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        if (pw_str_is(word, kinds[i].word)) {
            return &kinds[i];
        }
    }
    return NULL;
}

void pw_accar_init(struct pw_accar *car, const struct pw_accar_config *config, pw_ms now)
{
    *car = (struct pw_accar){
        .config = *config,
        .kind = config->kind != NULL ? config->kind : &kinds[PW_ACCAR_HONEST],
        .soc = config->soc,
        .wants = true,
        .follows_at = PW_NEVER,
        .s2_at = PW_NEVER,
        .charger_at = PW_NEVER,
        .bounce_at = PW_NEVER,
        .flicker_at = PW_NEVER,
        .unoffered_since = now,
        .drawing_since = PW_NEVER,
        .now = now,
    };
    pw_noise_init(&car->noise, config->seed, 'c');
}

// ---------------------------------------------------------------------------------------------
// The charger and the battery.

static unsigned phases_now(const struct pw_accar *car)
{
    unsigned phases = car->config.phases != 0 ? car->config.phases : car->kind->phases;
    bool fewer =
        car->kind->fewer_ms != 0 && pw_elapsed(car->drawing_since, car->kind->fewer_ms, car->now);
    return fewer ? 1 : phases;
}

static double rating_a(const struct pw_accar *car)
{
    return (car->config.most_ma != 0 ? car->config.most_ma : car->kind->most_ma) / 1000.0;
}

static double full_soc(const struct pw_accar *car)
{
    return car->kind->full_permille != 0 ? car->kind->full_permille / 1000.0 : 1.0;
}

// What the battery lets the charger draw.
static double taper_a(const struct pw_accar *car)
{
    double share = 1.0;
    if (car->soc > TAPER_SOC) {
        share = fmax(TAPER_LEAST, (1.0 - car->soc) / (1.0 - TAPER_SOC));
    }
    return rating_a(car) * share;
}

static bool is_hungry(const struct pw_accar *car)
{
    return car->wants && car->soc < full_soc(car);
}

static double aim(const struct pw_accar *car)
{
    bool eats = is_hungry(car) || car->kind->stop_ms == 0;
    if (!car->s2 || !eats || car->charger_at != PW_NEVER || car->feed.volt[0] < LEAST_VOLT) {
        return 0.0;
    }
    double asked = car->obeyed_ma / 1000.0 * car->kind->taken_permille / 1000.0;
    return fmin(asked, taper_a(car));
}

double pw_accar_factor(const struct pw_accar *car)
{
    double third = car->kind->third_permille / 1000.0;
    return PW_ACCAR_FACTOR / sqrt(1.0 + third * third);
}

static void charge(struct pw_accar *car, double ms)
{
    double watt = 0.0;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        watt += car->feed.volt[i] * car->amps[i] * pw_accar_factor(car);
    }
    car->soc += watt * EFFICIENCY * ms / 3.6e9 / car->config.capacity_kwh;
    if (car->soc > 1.0) {
        car->soc = 1.0;
    }
}

// Current of the one charger, as the phase that draws most shows it.
static double drawn(const struct pw_accar *car)
{
    return fmax(car->amps[0], fmax(car->amps[1], car->amps[2]));
}

static void draw(struct pw_accar *car, double ms)
{
    double now_a = car->target_a;
    double to = aim(car);
    double step = (to > now_a ? UP_A_PER_S : DOWN_A_PER_S) * ms / 1000.0;
    now_a = to > now_a ? fmin(to, now_a + step) : fmax(to, now_a - step);
    car->target_a = now_a;
    unsigned phases = phases_now(car);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        bool fed = i < phases && car->feed.volt[i] >= LEAST_VOLT;
        car->amps[i] = fed ? now_a : 0.0;
    }
}

// Current cannot outlive the voltage or the plug, ramp or not.
static void cut(struct pw_accar *car)
{
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        if (car->feed.volt[i] < LEAST_VOLT) {
            car->amps[i] = 0.0;
        }
    }
    if (car->feed.volt[0] < LEAST_VOLT) {
        car->target_a = 0.0;
        car->charger_at = PW_NEVER;
        car->drawing_since = PW_NEVER;
    }
}

static void flow(struct pw_accar *car, pw_ms until)
{
    bool still = car->target_a <= 0.0 && aim(car) <= 0.0;
    if (still) {
        car->now = until;
        return;
    }
    while (car->now < until) {
        bool ramps = fabs(aim(car) - car->target_a) > STILL_A;
        pw_ms to = pw_earlier(until, car->now + (ramps ? STRIDE_MS : STEADY_MS));
        double ms = (double)(to - car->now);
        charge(car, ms);
        car->now = to;
        draw(car, ms);
    }
}

// ---------------------------------------------------------------------------------------------
// The pilot, as the car reads it.

static int32_t offer_of(const struct pw_accar_feed *feed)
{
    if (!feed->plugged || feed->cp_dead || feed->cp != PW_BOARD_CP_PWM) {
        return 0;
    }
    return pw_pilot_offer_ma(feed->duty_ppm);
}

static bool is_pulse(const struct pw_accar_feed *feed)
{
    return feed->plugged && (feed->cp_dead || feed->cp == PW_BOARD_CP_FAULT);
}

// A change of the offer: what a sleeper makes of it, and when the charger will follow.
static void hear(struct pw_accar *car, const struct pw_accar_feed *feed)
{
    int32_t offer = offer_of(feed);
    bool pulse = is_pulse(feed) && !is_pulse(&car->feed);
    if (car->asleep && car->kind->wake == PW_ACCAR_WAKE_PULSE && pulse) {
        car->asleep = false;
    }
    if (offer == car->offer_ma) {
        return;
    }
    if (offer > 0 && car->offer_ma == 0 && car->asleep && car->kind->wake == PW_ACCAR_WAKE_AGAIN) {
        car->waking++;
        car->asleep = car->waking < 2;
    }
    if (offer == 0) {
        car->unoffered_since = car->now;
    }
    car->offer_ma = offer;
    if (offer > 0 && car->target_a <= 0.0) {
        car->obeyed_ma = offer; // nothing flows that would have to follow
    }
    if (car->follows_at == PW_NEVER) {
        car->follows_at = car->now + car->kind->react_ms;
    }
}

static void fall_asleep(struct pw_accar *car)
{
    if (car->kind->wake != PW_ACCAR_WAKE_NONE && !car->asleep && !car->s2 && car->offer_ma == 0 &&
        pw_elapsed(car->unoffered_since, car->kind->sleep_ms, car->now)) {
        car->asleep = true;
        car->waking = 0;
    }
}

static bool wants_s2(const struct pw_accar *car)
{
    if (!car->feed.plugged || car->asleep) {
        return false;
    }
    if (car->kind->simplified) {
        return true;
    }
    bool ignores = car->kind->stop_ms == 0 && car->s2;
    return is_hungry(car) && (car->offer_ma > 0 || ignores);
}

static void move_s2(struct pw_accar *car)
{
    bool to = wants_s2(car);
    if (!car->feed.plugged) {
        car->s2 = car->s2_shown = false;
        car->s2_at = PW_NEVER;
        return;
    }
    if (to == car->s2) {
        car->s2_at = PW_NEVER;
        return;
    }
    if (car->s2_at == PW_NEVER) {
        pw_ms wait = to ? READY_MS : car->kind->stop_ms;
        car->s2_at = car->now + (car->kind->simplified ? 0 : wait);
    }
    if (!to && car->now + CURB_MS >= car->s2_at) {
        car->obeyed_ma = 0; // ramps down first
    }
    if (car->now < car->s2_at) {
        return;
    }
    car->s2 = to;
    car->s2_at = PW_NEVER;
    car->s2_shown = to;
    if (to) {
        car->obeyed_ma = car->offer_ma;
    }
    if (car->kind->bounce_ms != 0) {
        car->s2_bounce_at = car->now + car->kind->bounce_ms;
        car->bounce_at = car->now + CHATTER_MS;
    }
    car->flicker_at =
        to && car->kind->flicker_ms != 0 ? car->now + car->kind->flicker_ms : PW_NEVER;
}

static void follow(struct pw_accar *car)
{
    if (car->now >= car->follows_at) {
        car->follows_at = PW_NEVER;
        if (car->s2 && (car->offer_ma > 0 || car->kind->simplified)) {
            car->obeyed_ma = car->offer_ma; // who opens S2 ends its current with that
        }
    }
}

// Contacts that chatter: each touch flips what is shown, until the time is over.
static void bounce(struct pw_accar *car)
{
    bool plug = car->now < car->plug_bounce_at;
    bool s2 = car->now < car->s2_bounce_at;
    if (car->now >= car->bounce_at) {
        car->bounce_at = PW_NEVER;
        if (plug) {
            car->plug_shown = !car->plug_shown;
        } else {
            car->plug_shown = car->feed.plugged;
        }
        car->s2_shown = s2 ? !car->s2_shown : car->s2;
        if (plug || s2) {
            car->bounce_at = car->now + 1 + pw_noise_bits(&car->noise) % (2 * CHATTER_MS - 1);
        }
    }
    if (car->now >= car->flicker_at) {
        bool opens = car->s2_shown;
        car->s2_shown = !opens && car->s2;
        pw_ms gap = car->kind->flicker_ms / 2 + pw_noise_bits(&car->noise) % car->kind->flicker_ms;
        car->flicker_at = car->now + (opens ? FLICKER_LEN : gap);
    }
}

static void notice_plug(struct pw_accar *car, const struct pw_accar_feed *feed)
{
    if (feed->plugged == car->feed.plugged) {
        return;
    }
    car->plug_shown = feed->plugged;
    car->unoffered_since = car->now;
    car->asleep = false;
    car->pull_asked = false;
    if (car->kind->bounce_ms != 0) {
        car->plug_bounce_at = car->now + car->kind->bounce_ms;
        car->bounce_at = car->now + CHATTER_MS;
    }
    if (!feed->plugged) {
        car->flicker_at = PW_NEVER;
        car->offer_ma = 0;
        car->obeyed_ma = 0;
    }
}

static void notice_mains(struct pw_accar *car, const struct pw_accar_feed *feed)
{
    bool fed = feed->volt[0] >= LEAST_VOLT;
    if (fed && car->feed.volt[0] < LEAST_VOLT) {
        car->charger_at = car->now + CHARGER_MS;
    }
    if (car->now >= car->charger_at) {
        car->charger_at = PW_NEVER;
    }
}

// ---------------------------------------------------------------------------------------------

void pw_accar_want(struct pw_accar *car, bool wants)
{
    car->wants = wants;
}

static void note_current(struct pw_accar *car)
{
    if (car->drawing_since == PW_NEVER && drawn(car) > 0.0) {
        car->drawing_since = car->now;
    }
    car->pull_asked = car->kind->pulled_ms != 0 && car->feed.plugged &&
                      pw_elapsed(car->drawing_since, car->kind->pulled_ms, car->now);
}

static pw_ms next_event(const struct pw_accar *car)
{
    pw_ms at = pw_earlier(car->follows_at, car->s2_at);
    if (car->s2 && car->s2_at != PW_NEVER && car->now + CURB_MS < car->s2_at) {
        at = pw_earlier(at, car->s2_at - CURB_MS);
    }
    at = pw_earlier(at, car->charger_at);
    at = pw_earlier(at, car->bounce_at);
    at = pw_earlier(at, car->flicker_at);
    if (car->kind->wake != PW_ACCAR_WAKE_NONE && !car->asleep && car->feed.plugged && !car->s2 &&
        car->offer_ma == 0) {
        at = pw_earlier(at, pw_after(car->unoffered_since, car->kind->sleep_ms));
    }
    double to = aim(car);
    if (fabs(to - car->target_a) > STILL_A) {
        at = pw_earlier(at, car->now + STRIDE_MS);
    } else if (car->target_a > 0.0) {
        at = pw_earlier(at, car->now + STEADY_MS);
    }
    return at;
}

pw_ms pw_accar_step(struct pw_accar *car, const struct pw_accar_feed *feed, pw_ms now)
{
    if (now > car->now) {
        flow(car, now);
    }
    notice_plug(car, feed);
    notice_mains(car, feed);
    hear(car, feed);
    car->feed = *feed;
    cut(car);
    fall_asleep(car);
    move_s2(car);
    follow(car);
    bounce(car);
    note_current(car);
    return next_event(car);
}

struct pw_accar_load pw_accar_load(const struct pw_accar *car)
{
    struct pw_accar_load load = {
        .connected = car->plug_shown, .diode = car->kind->diode, .ohm = OPEN_OHM};
    if (!load.connected) {
        return load;
    }
    if (car->kind->shorted) {
        load.diode = false;
        load.ohm = SHORT_OHM;
    } else {
        load.ohm = car->s2_shown ? car->kind->ready_ohm : WAITS_OHM;
    }
    return load;
}

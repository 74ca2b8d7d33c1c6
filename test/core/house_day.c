#include "house_day.h"

#include <math.h>
#include <string.h>

#define GG_LAG 2 // seconds until the charger's own meter shows what flows

// ---------------------------------------------------------------------------------------------
// The car, second by second.

struct car_now {
    const struct day_car *car;
    double offers[8]; // of the last seconds, the newest first
    double amps;
    double kwh;
    int offered_s; // since an offer came back
    bool closed;
};

static double car_wants(const struct car_now *c)
{
    double left = c->car->kwh - c->kwh;
    double part = left / (c->car->kwh * 0.2);
    return part <= 0 ? 0 : c->car->most_a * fmin(1, 0.15 + part);
}

static void car_second(struct car_now *c, double offer)
{
    memmove(&c->offers[1], &c->offers[0], 7 * sizeof(double));
    c->offers[0] = offer;
    c->offered_s = offer >= 6 ? c->offered_s + 1 : 0;
    double follows = c->offers[(int)ceil(c->car->lag_s)];
    double goal = 0;
    if (c->offered_s > c->car->start_s && offer >= 6) {
        goal = fmin(fmin(follows >= 6 ? follows : 6, c->car->most_a) * c->car->taken, car_wants(c));
    } else if (offer < 6 && c->amps > 0 && c->offers[2] >= 6) {
        goal = c->amps; // it stops within 3 s
    }
    c->amps = goal > c->amps ? fmin(goal, c->amps + 8) : goal;
    c->closed = c->amps > 0;
    unsigned phases = 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        phases += (c->car->phases >> p) & 1U;
    }
    c->kwh += c->amps * 0.23 * phases / 3600;
}

// ---------------------------------------------------------------------------------------------
// The day.

struct counted {
    int run_113;
    int run_145;
    double heat;
};

static void count_phase(struct day_result *result, struct counted *run, double amps, double breaker,
                        bool draws)
{
    double x = amps / breaker;
    run->run_113 = draws && x > 1.13 ? run->run_113 + 1 : 0;
    run->run_145 = draws && x > 1.45 ? run->run_145 + 1 : 0;
    run->heat += (x * x - run->heat) / 60;
    result->over_113_s = run->run_113 > result->over_113_s ? run->run_113 : result->over_113_s;
    result->over_145_s = run->run_145 > result->over_145_s ? run->run_145 : result->over_145_s;
    result->heat_percent = fmax(result->heat_percent, run->heat / (1.13 * 1.13) * 100);
}

static void best_second(struct day_result *result, const double *amps, double target,
                        double whole_a, struct car_now *best)
{
    double room = 1e9;
    unsigned phases = 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (((best->car->phases >> p) & 1U) != 0) {
            room = fmin(room, target - fmax(amps[p], 0));
            phases++;
        }
    }
    room = whole_a > 0 ? floor(room / whole_a) * whole_a : room;
    double takes =
        room < 6 ? 0 : fmin(fmin(room, best->car->most_a) * best->car->taken, car_wants(best));
    best->kwh += takes * 0.23 * phases / 3600;
    result->best_kwh = best->kwh;
}

struct day_result day_run(const struct trace *trace, const struct trace_house *house,
                          const struct day_car *car, struct day_controller *controller)
{
    struct day_result result = {.kwh = 0};
    struct car_now now = {.car = car};
    struct car_now best = {.car = car};
    struct counted run[PW_HOUSE_PHASES] = {{0}};
    double shown[GG_LAG + 1] = {0};
    double offer = 0;
    controller->begin(controller->own, house, car);
    for (int t = 0; t < trace->seconds; t++) {
        struct day_seen seen = {.now = (pw_ms)(t + 1) * 1000};
        bool was_closed = now.closed;
        car_second(&now, offer);
        result.cycles += now.closed && !was_closed ? 1 : 0;
        double above = 0;
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            bool loads = ((car->phases >> p) & 1U) != 0;
            double amps = trace->amps[t][p] + (loads ? now.amps : 0);
            seen.grid_a[p] = round(fabs(amps) * 100) / 100;
            seen.back[p] = amps < 0;
            above = loads ? fmax(above, amps - DAY_TARGET * house->breaker_a) : above;
            count_phase(&result, &run[p], amps, house->breaker_a, loads && now.amps > 0);
        }
        result.above_wh += now.amps > 0 ? fmax(above, 0) * 230 / 3600 : 0;
        best_second(&result, trace->amps[t], DAY_TARGET * house->breaker_a, controller->whole_a,
                    &best);
        memmove(&shown[1], &shown[0], GG_LAG * sizeof(double));
        shown[0] = now.amps;
        seen.car_a = shown[GG_LAG];
        seen.energised = now.closed;
        double next = controller->offer(controller->own, &seen);
        result.decisions += fabs(next - offer) > 0.01 ? 1 : 0;
        offer = next;
    }
    result.kwh = now.kwh;
    return result;
}

// ---------------------------------------------------------------------------------------------
// Ours.

struct ours {
    bool directed;
    double whole_a; // offers are whole multiples of this
    struct pw_house house;
    struct pw_house_gate gate;
    struct pw_house_finder finder;
    int32_t most_ma;
    int32_t sent_ma;
    bool wired_all;
};

static void ours_begin(void *own, const struct trace_house *house, const struct day_car *car)
{
    struct ours *o = own;
    struct pw_house_config config = {.breaker_ma = (int32_t)(house->breaker_a * 1000),
                                     .margin_permille = 50,
                                     .failsafe_ma = 6000,
                                     .directed = o->directed};
    o->most_ma = (int32_t)(car->most_a * 1000);
    (void)!pw_house_init(&o->house, &config, 0);
    pw_house_gate_init(&o->gate, 0, 0);
    pw_house_finder_init(&o->finder);
    o->sent_ma = 0;
}

static double ours_offer(void *own, const struct day_seen *seen)
{
    struct ours *o = own;
    struct pw_board_mains reading = PW_BOARD_NO_MAINS;
    struct pw_house_chargers chargers;
    unsigned phases = o->finder.found != 0 ? o->finder.found : PW_HOUSE_ALL_PHASES;
    struct pw_house_finder_input step = {.draw_ma = (int32_t)(seen->car_a * 1000),
                                         .offer_ma = o->sent_ma,
                                         .wired = PW_HOUSE_ALL_PHASES};
    memset(&chargers, 0, sizeof(chargers));
    reading.at = seen->now;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        bool loads = ((phases >> p) & 1U) != 0;
        reading.ma[p] = (int32_t)lround(seen->grid_a[p] * 1000);
        reading.mv[p] = 230000;
        reading.mw[p] = reading.ma[p] * (seen->back[p] ? -230 : 230);
        step.grid_ma[p] = seen->back[p] && o->directed ? -reading.ma[p] : reading.ma[p];
        chargers.draw_ma[p] = loads ? step.draw_ma : 0;
        chargers.offer_ma[p] = loads ? o->sent_ma : 0;
        chargers.least_ma[p] = loads && seen->energised ? 6000 : 0;
    }
    if (!seen->meter_dead) {
        pw_house_read(&o->house, &reading, true, &chargers, seen->now);
        enum pw_house_sight sight = pw_house_finder_read(&o->finder, &step, seen->now);
        if (sight != PW_HOUSE_NO_STEP) {
            pw_house_seen(&o->house, sight == PW_HOUSE_STEP_SEEN);
        }
    }
    (void)pw_house_step(&o->house, seen->now);
    struct pw_house_gate_input in = {
        .trust = o->house.trust,
        .samples = o->house.samples,
        .level_permille = o->house.level_permille,
        .share_ma = pw_house_share(&o->house, phases, o->gate.offer_ma),
        .least_ma = 6000,
        .most_ma = o->most_ma,
        .draw_ma = step.draw_ma,
        .wants = true,
        .active = seen->energised,
    };
    (void)pw_house_gate_step(&o->gate, &o->house.config, &in, NULL, seen->now);
    o->sent_ma = o->gate.offer_ma;
    if (o->whole_a > 0) {
        o->sent_ma -= o->sent_ma % (int32_t)(o->whole_a * 1000);
    }
    return o->sent_ma / 1000.0;
}

static struct ours ours_now;
static struct ours signed_now = {.directed = true};
static struct ours ampere_now = {.whole_a = 1};
struct day_controller day_ours = {"core/house", 0, ours_begin, ours_offer, &ours_now};
struct day_controller day_ours_signed = {"core/house, signed", 0, ours_begin, ours_offer,
                                         &signed_now};
struct day_controller day_ampere = {"core/house, whole A", 1, ours_begin, ours_offer, &ampere_now};

// ---------------------------------------------------------------------------------------------
// The seed's, as facts/ac-evse-rapi-load.md §3.3 and §3.4 describe it. Its loop takes 0.4 s; the
// charger's current is polled every 30 s while it charges, and every 2.5 h once it has paused; the
// phases are all three until it has found them, which its detector mostly does not.

struct seed {
    double breaker;
    double most;
    double reads[3][PW_HOUSE_PHASES];
    double charge_current;
    double set;
    bool charging;
    double polled_s;
    int up_loops;
    int low_loops;
};

static void seed_begin(void *own, const struct trace_house *house, const struct day_car *car)
{
    struct seed *s = own;
    *s =
        (struct seed){.breaker = house->breaker_a, .most = car->most_a, .charging = true, .set = 6};
}

static void seed_loop(struct seed *s)
{
    double most = 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        most = fmax(most, (s->reads[0][p] + s->reads[1][p] + s->reads[2][p]) / 3);
    }
    double allowed = floor(fmin(fmax(s->breaker - most + s->charge_current, 0), s->most));
    if (!s->charging) {
        if (allowed >= 6 && s->charge_current <= 0) {
            s->charging = true;
            s->set = 6;
        }
        return;
    }
    s->low_loops = allowed < 6 ? s->low_loops + 1 : 0;
    s->up_loops = allowed > s->set + 1 ? s->up_loops + 1 : 0;
    if (allowed < s->set) {
        s->set = fmax(allowed, 6);
    } else if (s->up_loops >= 50) {
        s->set = allowed;
        s->up_loops = 0;
    }
    if (s->low_loops >= 100) {
        s->charging = false;
        s->low_loops = 0;
    }
}

static double seed_offer(void *own, const struct day_seen *seen)
{
    struct seed *s = own;
    memmove(&s->reads[1], &s->reads[0], 2 * sizeof(s->reads[0]));
    memcpy(s->reads[0], seen->grid_a, sizeof(s->reads[0]));
    s->polled_s += 1;
    if (s->polled_s >= (s->charging ? 30 : 9000)) {
        s->charge_current = seen->car_a;
        s->polled_s = 0;
    }
    for (int loop = 0; loop < (seen->now / 1000 % 2 == 0 ? 3 : 2); loop++) {
        seed_loop(s);
    }
    return s->charging ? s->set : 0;
}

static struct seed seed_now;
struct day_controller day_seed = {"the seed", 1, seed_begin, seed_offer, &seed_now};

// ---------------------------------------------------------------------------------------------
// The simplest that could be written.

struct proportional {
    double target;
    double most;
    double offer;
};

static void proportional_begin(void *own, const struct trace_house *house,
                               const struct day_car *car)
{
    struct proportional *s = own;
    *s = (struct proportional){.target = DAY_TARGET * house->breaker_a, .most = car->most_a};
}

static double proportional_offer(void *own, const struct day_seen *seen)
{
    struct proportional *s = own;
    double most = fmax(seen->grid_a[0], fmax(seen->grid_a[1], seen->grid_a[2]));
    s->offer = fmin(fmax(s->offer + 0.5 * (s->target - most), 0), s->most);
    return s->offer < 6 ? 0 : s->offer;
}

static struct proportional proportional_now;
struct day_controller day_proportional = {"proportional", 0, proportional_begin, proportional_offer,
                                          &proportional_now};

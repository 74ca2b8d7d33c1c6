#include "evse_bench.h"

#include <string.h>

#define SOCKET_LOCK_CLOSED (BENCH_LOCK_MS)

uint32_t evse_bench_random(uint64_t *seed)
{
    // xorshift64*
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (uint32_t)((*seed * UINT64_C(2685821657736338717)) >> 32);
}

static bool is_ready(enum pw_pilot_level level)
{
    return level == PW_PILOT_C || level == PW_PILOT_D;
}

// ---------------------------------------------------------------------------------------------
// The physical side

static void move_car(struct evse_bench *b)
{
    struct evse_world *w = &b->world;
    bool offered = w->drive.cp == PW_BOARD_CP_PWM && pw_pilot_offer_ma(w->drive.duty_ppm) > 0;
    if (offered != w->offered) {
        w->offered = offered;
        w->offer_at = b->now;
    }
    if (w->follows && w->car != PW_PILOT_A && pw_elapsed(w->offer_at, 1000, b->now)) {
        w->car = offered && w->wants ? PW_PILOT_C : PW_PILOT_B;
    }
    if (is_ready(w->car)) {
        w->edge_at = PW_NEVER;
    } else if (w->edge_at == PW_NEVER || is_ready(w->was) || w->silent) {
        w->edge_at = b->now; // what a silent board has seen counts from when it speaks
    }
    w->was = w->car;
}

static void move_parts(struct evse_bench *b, pw_ms span)
{
    struct evse_world *w = &b->world;
    pw_ms delay = w->drive.contactor ? BENCH_CLOSE_MS : BENCH_OPEN_MS;
    if (w->drive.contactor != w->contact && pw_elapsed(w->coil_at, delay, b->now)) {
        w->contact = w->drive.contactor ? !w->never_closes : w->welded;
    }
    bool winding = w->drive.rcd_test && !w->rcd_broken;
    if (winding != w->tripped || w->leak) {
        if (w->leak || pw_elapsed(w->winding_at, BENCH_RCD_MS, b->now)) {
            w->tripped = winding || w->leak;
        }
    } else {
        w->winding_at = b->now;
    }
    if (!w->lock_stuck) {
        int32_t to = w->drive.lock ? BENCH_LOCK_MS : 0;
        int32_t move = (int32_t)(span < BENCH_LOCK_MS ? span : BENCH_LOCK_MS);
        w->lock_pos = (int32_t)(w->lock_pos < to ? pw_min(w->lock_pos + move, to)
                                                 : pw_max(w->lock_pos - move, to));
    }
}

static int32_t noise(struct evse_world *w)
{
    if (w->noise_mv == 0) {
        return 0;
    }
    uint32_t span = 2U * (uint32_t)w->noise_mv + 1;
    return (int32_t)(evse_bench_random(&w->seed) % span) - w->noise_mv;
}

static void read_pilot(struct evse_bench *b)
{
    static const int32_t loads[] = {12000, 12000, 9000, 6000, 3000, 0, -12000};
    struct evse_world *w = &b->world;
    struct pw_board_senses *s = &b->senses;
    int32_t high = loads[w->car];
    s->cp_low_mv = PW_BOARD_UNKNOWN;
    switch (w->pilot_stuck ? PW_BOARD_CP_STEADY : w->drive.cp) {
    case PW_BOARD_CP_FAULT: high = w->car == PW_PILOT_E ? 0 : -12000; break;
    case PW_BOARD_CP_STEADY: break;
    case PW_BOARD_CP_PWM:
        s->cp_low_mv = w->diode || w->car == PW_PILOT_A ? -12000 : -high;
        s->cp_low_mv += noise(w);
        break;
    }
    s->cp_high_mv = high + noise(w);
}

static void sense(struct evse_bench *b)
{
    const struct evse_world *w = &b->world;
    struct pw_board_senses *s = &b->senses;
    if (w->silent) {
        return;
    }
    read_pilot(b);
    s->at = b->now;
    s->pp_ohm = w->car == PW_PILOT_A ? PW_BOARD_OPEN_OHM : w->pp_ohm;
    s->contact = w->contact ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN;
    s->lock = PW_BOARD_LOCK_MOVING;
    if (w->lock_pos == 0 || w->lock_pos == SOCKET_LOCK_CLOSED) {
        s->lock = w->lock_pos == 0 ? PW_BOARD_LOCK_OPEN : PW_BOARD_LOCK_CLOSED;
    }
    s->rcd = w->tripped ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK;
    s->earth = w->earth_lost ? PW_BOARD_EARTH_LOST : PW_BOARD_EARTH_OK;
    s->estop = w->estop;
    s->opened = w->opened;
    s->temp_dc[0] = w->temp_dc;
    s->temp_dc[1] = w->temp_dc - 10;
    s->mains.at = b->now;
    bool flows = w->contact && is_ready(w->car);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        s->load_mv[i] = w->contact ? w->mains_mv : 0;
        s->mains.mv[i] = w->mains_mv;
        s->mains.ma[i] = flows ? w->draw_ma : 0;
    }
}

// ---------------------------------------------------------------------------------------------
// The observer

static const char *watch_closing(struct evse_bench *b)
{
    struct evse_observer *o = &b->observer;
    const struct pw_evse_config *c = &b->evse.config;
    pw_ms last = o->opened_at;
    if (b->world.contact && !b->world.welded) {
        return "closed what was not open";
    }
    if (o->tested_at == PW_NEVER || b->now - o->tested_at > 5100) {
        return "I6: closed without a self-test just before";
    }
    if (last != PW_NEVER && b->now - last < (pw_ms)c->min_off_ms) {
        return "I7: closed before the minimum off time was over";
    }
    unsigned most = (unsigned)c->closes_an_hour;
    if (o->closings >= most && b->now - o->closes[(o->closings - most) % 64] < 3600000) {
        return "I7: too many closings in an hour";
    }
    if (o->barred) {
        return "I5: closed after a trip that was not reset";
    }
    o->closes[o->closings % 64] = b->now;
    o->closings++;
    o->tested_at = PW_NEVER;
    o->test_tripped = false;
    return NULL;
}

static const char *watch_closed(struct evse_bench *b)
{
    const struct evse_world *w = &b->world;
    const struct evse_observer *o = &b->observer;
    if (w->edge_at != PW_NEVER && b->now - w->edge_at > 100) {
        return "I2: closed 100 ms after the pilot left C and D";
    }
    if (!w->diode) {
        return "I1: closed without a diode";
    }
    if (o->permit_gone_at != PW_NEVER && b->now - o->permit_gone_at > 6100) {
        return "I1: closed 6 s after the permit went";
    }
    if (b->evse.config.socket && w->lock_pos != SOCKET_LOCK_CLOSED && !w->lock_stuck) {
        return "closed without a lock";
    }
    if (b->evse.faults != 0) {
        return "I1: closed in spite of a fault";
    }
    return NULL;
}

static const char *watch_offer(struct evse_bench *b, const struct pw_board_drive *drive)
{
    struct evse_observer *o = &b->observer;
    const struct evse_world *w = &b->world;
    const struct pw_evse_config *c = &b->evse.config;
    int32_t ma = drive->cp == PW_BOARD_CP_PWM ? pw_pilot_offer_ma(drive->duty_ppm) : 0;
    int32_t cable = c->socket && w->car != PW_PILOT_A ? pw_pilot_cable_ma(w->pp_ohm) : c->max_ma;
    if ((drive->cp == PW_BOARD_CP_PWM) != (drive->duty_ppm > 0)) {
        return "I3: a pilot that swings without an offer, or the other way";
    }
    if (ma != 0 && ma < PW_PILOT_LEAST_MA) {
        return "I3: less than 6 A offered";
    }
    if (ma > c->max_ma || ma > b->limit_ma ||
        (ma > cable && !(cable == 0 && pw_elapsed(w->edge_at, 0, b->now)) && w->car != PW_PILOT_E &&
         cable != 0)) {
        return "I3: more offered than a limit allows";
    }
    if (drive->contactor && is_ready(w->car) && !o->seen_b && ma > 10000) {
        return "I3: more than 10 A for a vehicle without S2";
    }
    bool raised = o->duty_ppm > 0 && drive->duty_ppm > o->duty_ppm;
    if (raised && b->now - o->duty_at < 5000) {
        return "I4: raised within 5 s";
    }
    if (drive->duty_ppm % c->step_ppm != 0) {
        return "a duty the hardware cannot give";
    }
    if (drive->duty_ppm != o->duty_ppm) {
        o->duty_at = b->now;
    }
    o->duty_ppm = drive->duty_ppm;
    o->pwm_turns += ma > 0 ? 1 : 0;
    return NULL;
}

static const char *watch_pilot(struct evse_bench *b, const struct pw_board_drive *drive)
{
    struct evse_observer *o = &b->observer;
    const struct pw_board_drive *had = &b->world.drive;
    const char *broken = NULL;
    if (drive->cp == PW_BOARD_CP_PWM && had->cp != PW_BOARD_CP_PWM &&
        !pw_elapsed(o->steady_at, 3000, b->now)) {
        broken = "x1 for less than 3 s";
    }
    if (drive->cp != PW_BOARD_CP_FAULT && had->cp == PW_BOARD_CP_FAULT &&
        !pw_elapsed(o->fault_at, 300, b->now)) {
        broken = "F for less than 300 ms";
    }
    if (drive->cp != PW_BOARD_CP_STEADY) {
        o->steady_at = PW_NEVER;
    } else if (o->steady_at == PW_NEVER) {
        o->steady_at = b->now;
    }
    if (drive->cp != PW_BOARD_CP_FAULT) {
        o->fault_at = PW_NEVER;
    } else if (o->fault_at == PW_NEVER) {
        o->fault_at = b->now;
    }
    return broken;
}

static void watch_test(struct evse_bench *b)
{
    struct evse_observer *o = &b->observer;
    const struct evse_world *w = &b->world;
    if (w->drive.rcd_test && w->tripped) {
        o->test_tripped = true;
        o->tested_at = PW_NEVER;
    } else if (o->test_tripped && !w->tripped && !w->drive.contactor) {
        o->tested_at = b->now;
    }
}

static const char *observe(struct evse_bench *b, const struct pw_board_drive *drive)
{
    struct evse_observer *o = &b->observer;
    struct evse_world *w = &b->world;
    const char *broken = NULL;
    if (b->permit) {
        o->permit_gone_at = PW_NEVER;
    } else if (o->permit_gone_at == PW_NEVER) {
        o->permit_gone_at = b->now;
    }
    if (w->car == PW_PILOT_A) {
        o->seen_b = false;
    } else if (w->car == PW_PILOT_B && w->drive.cp != PW_BOARD_CP_FAULT) {
        o->seen_b = true;
    }
    if (drive->contactor || !w->contact || w->silent) {
        o->stuck_at = PW_NEVER;
    } else if (o->stuck_at == PW_NEVER) {
        o->stuck_at = b->now;
    }
    bool flows = w->drive.contactor && w->contact && !w->silent;
    o->barred = o->barred || (w->leak && flows) || pw_elapsed(o->stuck_at, 500, b->now);
    if (drive->contactor && !w->drive.contactor) {
        broken = watch_closing(b);
    }
    if (broken == NULL && drive->contactor) {
        broken = watch_closed(b);
        o->closed_turns++;
    }
    if (!drive->contactor && w->drive.contactor) {
        o->opened_at = b->now;
    }
    if (broken == NULL && !drive->lock && w->drive.lock && w->contact && b->evse.config.socket) {
        broken = "unlocked on a closed contactor";
    }
    if (broken == NULL && drive->contactor && drive->rcd_test) {
        broken = "RCD tested on a closed contactor";
    }
    const char *offer = watch_offer(b, drive);
    const char *pilot = watch_pilot(b, drive);
    broken = broken != NULL ? broken : offer;
    return broken != NULL ? broken : pilot;
}

// ---------------------------------------------------------------------------------------------

void evse_bench_turn(struct evse_bench *b, pw_ms span)
{
    b->now += span;
    move_car(b);
    move_parts(b, span);
    watch_test(b);
    sense(b);
    const struct pw_evse_input input = {
        .senses = &b->senses, .permit = b->permit, .limit_ma = b->limit_ma};
    b->next = pw_evse_step(&b->evse, &input, b->now);
    struct pw_board_drive drive = pw_evse_drive(&b->evse);
    const char *broken = observe(b, &drive);
    if (broken == NULL && b->next <= b->now) {
        broken = "no deadline ahead";
    }
    b->broken = b->broken != NULL ? b->broken : broken;
    if (drive.contactor != b->world.drive.contactor) {
        b->world.coil_at = b->now;
    }
    if (drive.rcd_test != b->world.drive.rcd_test) {
        b->world.winding_at = b->now;
    }
    b->world.drive = drive;
}

void evse_bench_run(struct evse_bench *b, pw_ms span)
{
    for (pw_ms done = 0; done < span; done += 5) {
        evse_bench_turn(b, 5);
    }
}

void evse_bench_sleep(struct evse_bench *b, pw_ms span)
{
    pw_ms end = b->now + span;
    while (b->now < end) {
        evse_bench_turn(b, b->world.drive.contactor ? 5 : 100);
    }
}

static const struct pw_board_drive off = {.cp = PW_BOARD_CP_FAULT};

void evse_bench_begin(struct evse_bench *b, const struct pw_evse_config *config, pw_ms now)
{
    memset(b, 0, sizeof *b);
    b->now = now;
    b->limit_ma = 80000;
    b->world = (struct evse_world){.car = PW_PILOT_A,
                                   .was = PW_PILOT_A,
                                   .diode = true,
                                   .wants = true,
                                   .draw_ma = 5000,
                                   .pp_ohm = 220,
                                   .mains_mv = 230000,
                                   .temp_dc = 250,
                                   .drive = off,
                                   .edge_at = now,
                                   .offer_at = now,
                                   .seed = 88172645463325252U};
    b->observer = (struct evse_observer){.permit_gone_at = now,
                                         .opened_at = PW_NEVER,
                                         .tested_at = PW_NEVER,
                                         .steady_at = PW_NEVER,
                                         .stuck_at = PW_NEVER,
                                         .fault_at = now};
    b->senses.at = PW_NEVER;
    b->senses.mains.at = PW_NEVER;
    int err = pw_evse_init(&b->evse, 1, config, NULL, now, NULL);
    PW_ASSERT(err == PW_OK);
}

void evse_bench_reboot(struct evse_bench *b)
{
    // The contactor falls open with the supply; the observer keeps what it has seen.
    uint32_t latched = pw_evse_latched(&b->evse);
    struct pw_evse_config config = b->evse.config;
    int err = pw_evse_init(&b->evse, 1, &config, NULL, b->now, NULL);
    PW_ASSERT(err == PW_OK);
    pw_evse_restore(&b->evse, latched);
    b->observer.opened_at = PW_NEVER;
    if (b->world.drive.contactor) {
        // As the station does when a charge was under way.
        pw_evse_rest(&b->evse, b->now);
        b->observer.opened_at = b->now;
        b->world.coil_at = b->now;
    }
    b->world.drive = (struct pw_board_drive){.cp = PW_BOARD_CP_FAULT, .lock = b->world.drive.lock};
    b->observer.duty_ppm = 0;
    b->observer.steady_at = PW_NEVER;
    b->observer.fault_at = b->now;
    // Closings are counted anew after a restart; so is the least time off, from the end of a charge
    // that was under way.
    b->observer.closings = 0;
    b->observer.tested_at = PW_NEVER;
    b->observer.test_tripped = false;
}

bool evse_bench_stands(const struct evse_bench *b, enum pw_evse_fault fault)
{
    return (b->evse.faults & PW_EVSE_BIT(fault)) != 0;
}

void evse_bench_clear(struct evse_bench *b, enum pw_evse_fault fault)
{
    if (pw_evse_clear(&b->evse, fault, b->now) == PW_OK && pw_evse_latched(&b->evse) == 0) {
        b->observer.barred = false;
    }
}

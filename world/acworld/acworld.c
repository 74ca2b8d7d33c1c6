#include "acworld/acworld.h"

#include "json/json.h"
#include "pilot/pilot.h"

#include <math.h>

struct pw_world_ac_config pw_world_ac_defaults(void)
{
    return (struct pw_world_ac_config){
        .car = {.capacity_kwh = 60.0, .soc = 0.4},
        .path = {.phases = 3,
                 .socket = true,
                 .mirror = true,
                 .load_sense = true,
                 .rcd = true,
                 .rcd_hardwired = true,
                 .volt = 230.0,
                 .hertz = 50.0},
        .board = {.quick_ms = 5,
                  .rest_ms = 100,
                  .mains_ms = 20,
                  .step_ppm = 100,
                  .cp_noise_mv = 25,
                  .cp_slew_ns = 2000,
                  .noise_mv = 150,
                  .noise_ma = 10,
                  .meter = true},
        .cable_ohm = 220,
        .temp_c = 25.0,
        .seed = 1,
    };
}

static void forget_times(struct pw_world_ac_truth *marks)
{
    *marks = (struct pw_world_ac_truth){
        .ready_at = PW_NEVER,
        .unready_at = PW_NEVER,
        .commanded_at = PW_NEVER,
        .released_at = PW_NEVER,
        .opened_at = PW_NEVER,
        .offered_at = PW_NEVER,
        .tripped_at = PW_NEVER,
        .tested_at = PW_NEVER,
    };
}

void pw_world_ac_init(struct pw_world_ac *world, const struct pw_world_ac_config *config, pw_ms now)
{
    *world = (struct pw_world_ac){
        .config = *config,
        .powered = true,
        .pp_ohm = PW_BOARD_OPEN_OHM,
        .now = now,
        .wake_at = now,
    };
    world->config.car.seed = config->seed;
    world->config.path.seed = config->seed;
    world->config.path.temp_c = config->temp_c;
    pw_accar_init(&world->car, &world->config.car, now);
    pw_acpath_init(&world->path, &world->config.path, now);
    pw_acboard_init(&world->board, &world->config.board, now);
    pw_noise_init(&world->board.noise, config->seed, 'b');
    forget_times(&world->marks);
    if (config->plugged) {
        pw_world_ac_plug(world, true);
    }
}

// ---------------------------------------------------------------------------------------------
// What is true.

enum pw_world_ac_level pw_world_ac_level(const struct pw_accar *car)
{
    struct pw_accar_load load = pw_accar_load(car);
    if (!load.connected) {
        return PW_WORLD_AC_A;
    }
    // Between the resistances of the levels: 1.79 kOhm, 300 and 150 Ohm.
    if (load.ohm > 1790.0) {
        return PW_WORLD_AC_B;
    }
    if (load.ohm > 300.0) {
        return PW_WORLD_AC_C;
    }
    return load.ohm > 150.0 ? PW_WORLD_AC_D : PW_WORLD_AC_E;
}

static int32_t offer_of(const struct pw_world_ac *world)
{
    const struct pw_board_drive *drive = &world->board.drive;
    bool offers = !world->board.dead && drive->cp == PW_BOARD_CP_PWM;
    return offers ? pw_pilot_offer_ma(drive->duty_ppm) : 0;
}

// Notes when things truly happen.
static void mark(struct pw_world_ac *world)
{
    struct pw_world_ac_truth *marks = &world->marks;
    enum pw_world_ac_level level = pw_world_ac_level(&world->car);
    bool ready = level == PW_WORLD_AC_C || level == PW_WORLD_AC_D;
    bool was_ready = marks->level == PW_WORLD_AC_C || marks->level == PW_WORLD_AC_D;
    int32_t offer = offer_of(world);
    if (ready != was_ready) {
        *(ready ? &marks->ready_at : &marks->unready_at) = world->now;
    }
    if (world->path.commanded != marks->commanded) {
        *(world->path.commanded ? &marks->commanded_at : &marks->released_at) = world->now;
    }
    if (marks->any_closed && !pw_acpath_any_closed(&world->path)) {
        marks->opened_at = world->now;
    }
    if (offer != marks->offer_ma) {
        marks->offered_at = world->now;
    }
    if (world->path.tripped && !marks->tripped) {
        *(world->path.test ? &marks->tested_at : &marks->tripped_at) = world->now;
    }
    marks->level = level;
    marks->commanded = world->path.commanded;
    marks->any_closed = pw_acpath_any_closed(&world->path);
    marks->offer_ma = offer;
    marks->tripped = world->path.tripped;
}

// ---------------------------------------------------------------------------------------------
// The turn.

static struct pw_accar_feed feed_of(const struct pw_world_ac *world)
{
    struct pw_accar_feed feed = {
        .plugged = world->plugged,
        .cp = world->board.drive.cp,
        .cp_dead = world->board.dead,
        .duty_ppm = world->board.drive.duty_ppm,
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        feed.volt[i] = world->plugged ? pw_acpath_load_volt(&world->path, i) : 0.0;
    }
    return feed;
}

static void flow(struct pw_world_ac *world, pw_ms to)
{
    pw_ms ms = to - world->now;
    struct pw_acboard_flow flow = {world->path.volt, world->car.amps, pw_accar_factor(&world->car)};
    pw_acboard_measure(&world->board, &flow, ms);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        world->joule[i] += flow.volt[i] * flow.amps[i] * flow.factor * (double)ms / 1000.0;
        double whole = floor(world->joule[i] * 1e6);
        world->energy_uj += (int64_t)whole;
        world->joule[i] -= whole / 1e6;
    }
    world->now = to;
}

static struct pw_world_ac_sight look(const struct pw_world_ac *world)
{
    struct pw_accar_load load = pw_accar_load(&world->car);
    const struct pw_acpath *path = &world->path;
    return (struct pw_world_ac_sight){
        .pilot = pw_acboard_pilot(&world->board, &load),
        .contact = pw_acpath_contact(path),
        .lock = pw_acpath_lock(path),
        .pp_ohm = world->pp_ohm,
        .closed = {path->closed[0], path->closed[1], path->closed[2]},
        .tripped = path->tripped,
        .earth_lost = path->earth_lost,
        .estop = path->estop,
    };
}

static bool same(const struct pw_world_ac_sight *a, const struct pw_world_ac_sight *b)
{
    return a->pilot.high_mv == b->pilot.high_mv && a->pilot.low_mv == b->pilot.low_mv &&
           a->contact == b->contact && a->lock == b->lock && a->pp_ohm == b->pp_ohm &&
           a->closed[0] == b->closed[0] && a->closed[1] == b->closed[1] &&
           a->closed[2] == b->closed[2] && a->tripped == b->tripped &&
           a->earth_lost == b->earth_lost && a->estop == b->estop;
}

static bool is_loaded(const struct pw_world_ac *world)
{
    return fmax(world->car.amps[0], fmax(world->car.amps[1], world->car.amps[2])) >
           PW_ACPATH_LOADED_A;
}

static void pull(struct pw_world_ac *world)
{
    if (world->plugged && is_loaded(world)) {
        world->path.wear.pulled_loaded++;
    }
    world->plugged = false;
    world->leaving = true;
}

static void take_cable(struct pw_world_ac *world)
{
    bool held = world->config.path.socket && pw_acpath_lock(&world->path) != PW_BOARD_LOCK_OPEN;
    if (world->leaving && !held) {
        world->pp_ohm = PW_BOARD_OPEN_OHM;
        world->leaving = false;
    }
}

// Everybody acts on the world as it stands at world->now.
static void act(struct pw_world_ac *world)
{
    struct pw_acpath *path = &world->path;
    pw_ms wake = pw_acboard_step(&world->board, world->now);
    const struct pw_board_drive *drive = &world->board.drive;
    pw_acpath_drive(path, drive->contactor, drive->lock, drive->rcd_test);
    wake = pw_earlier(wake, pw_acpath_step(path, world->car.amps, world->now));
    if (world->car.pull_asked) {
        pull(world);
    }
    take_cable(world);
    struct pw_accar_feed feed = feed_of(world);
    wake = pw_earlier(wake, pw_accar_step(&world->car, &feed, world->now));
    if (world->car.pull_asked) {
        wake = world->now + 1;
    }
    struct pw_world_ac_sight sight = look(world);
    if (!same(&sight, &world->seen)) {
        world->seen = sight;
        pw_acboard_stir(&world->board, world->now);
    }
    mark(world);
    world->wake_at = wake;
}

pw_ms pw_world_ac_step(struct pw_world_ac *world, pw_ms now)
{
    while (world->now < now) {
        pw_ms to = world->wake_at > world->now ? pw_earlier(now, world->wake_at) : now;
        flow(world, to);
        act(world);
    }
    if (world->wake_at <= now) {
        act(world); // somebody did something at this very moment
    }
    return pw_earlier(world->wake_at, pw_acboard_due(&world->board));
}

void pw_world_ac_drive(struct pw_world_ac *world, const struct pw_board_drive *drive, pw_ms now)
{
    (void)pw_world_ac_step(world, now);
    pw_acboard_hear(&world->board, drive, now);
    world->wake_at = now;
}

bool pw_world_ac_take_senses(struct pw_world_ac *world, struct pw_board_senses *senses)
{
    return pw_acboard_senses(&world->board, &world->path, &world->car, world->pp_ohm, senses);
}

bool pw_world_ac_take_block(struct pw_world_ac *world, struct pw_board_block *block)
{
    return pw_acboard_block(&world->board, &world->path, &world->car, world->pp_ohm, block);
}

// ---------------------------------------------------------------------------------------------
// People and accidents.

void pw_world_ac_plug(struct pw_world_ac *world, bool in)
{
    if (in) {
        world->plugged = true;
        world->leaving = false;
        world->pp_ohm = world->config.cable_ohm;
    } else {
        pull(world);
    }
    world->wake_at = world->now;
}

void pw_world_ac_cable(struct pw_world_ac *world, int32_t ohm)
{
    world->config.cable_ohm = ohm;
    if (world->plugged) {
        world->pp_ohm = ohm;
    }
    world->wake_at = world->now;
}

int pw_world_ac_car(struct pw_world_ac *world, const struct pw_accar_kind *kind)
{
    if (world->plugged) {
        return PW_ERR_BUSY;
    }
    struct pw_accar_config config = world->car.config;
    config.kind = kind;
    config.soc = world->car.soc;
    pw_accar_init(&world->car, &config, world->now);
    world->wake_at = world->now;
    return PW_OK;
}

void pw_world_ac_soc(struct pw_world_ac *world, double soc)
{
    world->car.soc = soc;
    world->wake_at = world->now;
}

void pw_world_ac_power(struct pw_world_ac *world, bool on)
{
    if (on == world->powered) {
        return;
    }
    struct pw_acboard_config config = world->board.config;
    struct pw_noise noise = world->board.noise;
    pw_acboard_init(&world->board, &config, world->now);
    world->board.noise = noise;
    world->board.dead = !on;
    world->path.powered = on;
    world->powered = on;
    world->wake_at = world->now;
}

int pw_world_ac_card(struct pw_world_ac *world, struct pw_str id)
{
    if (id.len == 0 || id.len >= sizeof(world->card)) {
        return PW_ERR_RANGE;
    }
    return pw_str_copy(world->card, sizeof(world->card), id);
}

bool pw_world_ac_take_card(struct pw_world_ac *world, char *to, size_t cap)
{
    struct pw_str card = pw_str_of(world->card);
    if (card.len == 0 || pw_str_copy(to, cap, card) != PW_OK) {
        return false;
    }
    world->card[0] = '\0';
    return true;
}

// ---------------------------------------------------------------------------------------------

static int32_t milli(double value)
{
    return (int32_t)lrint(value * 1000.0);
}

struct pw_world_ac_truth pw_world_ac_truth(const struct pw_world_ac *world)
{
    const struct pw_acpath *path = &world->path;
    struct pw_world_ac_truth truth = world->marks; // the times
    double watt = 0.0;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        truth.ma[i] = milli(world->car.amps[i]);
        truth.mv[i] = milli(path->volt[i]);
        truth.load_mv[i] = milli(pw_acpath_load_volt(path, i));
        truth.closed[i] = path->closed[i];
        watt += path->volt[i] * world->car.amps[i] * pw_accar_factor(&world->car);
    }
    truth.mw = milli(watt);
    truth.energy_uj = world->energy_uj;
    truth.energy_mwh = world->energy_uj / 3600000; // 1 mWh = 3.6 J
    truth.soc_permille = (int32_t)pw_clamp(lrint(world->car.soc * 1000.0), 0, 1000);
    truth.level = pw_world_ac_level(&world->car);
    truth.diode = pw_accar_load(&world->car).diode;
    truth.plugged = world->plugged;
    truth.s2 = world->car.s2_shown;
    truth.asleep = world->car.asleep;
    truth.cp = world->board.drive.cp;
    truth.duty_ppm = world->board.drive.duty_ppm;
    truth.offer_ma = offer_of(world);
    truth.obeyed_ma = world->car.obeyed_ma;
    truth.commanded = path->commanded;
    truth.coil = path->coil;
    truth.any_closed = pw_acpath_any_closed(path);
    truth.lock = pw_acpath_lock(path);
    truth.lock_commanded = path->lock_on;
    truth.rcd_test = path->test;
    truth.tripped = path->tripped;
    truth.earth_lost = path->earth_lost;
    truth.estop_pressed = path->estop;
    truth.board_expired = world->board.expired;
    truth.board_silent = world->board.silent;
    truth.pp_ohm = world->pp_ohm;
    truth.temp_dc = milli((path->ambient_c + path->rise_k + path->forced_k[0]) / 100.0);
    truth.wear = path->wear;
    return truth;
}

const char *pw_world_ac_level_name(enum pw_world_ac_level level)
{
    switch (level) {
    case PW_WORLD_AC_A: return "A";
    case PW_WORLD_AC_B: return "B";
    case PW_WORLD_AC_C: return "C";
    case PW_WORLD_AC_D: return "D";
    case PW_WORLD_AC_E: return "E";
    }
    PW_UNREACHABLE();
}

static const char *cp_name(const struct pw_world_ac *world)
{
    if (world->board.dead) {
        return "dead";
    }
    switch (world->board.drive.cp) {
    case PW_BOARD_CP_FAULT: return "F";
    case PW_BOARD_CP_STEADY: return "steady";
    case PW_BOARD_CP_PWM: return "pwm";
    }
    PW_UNREACHABLE();
}

static const char *lock_name(enum pw_board_lock lock)
{
    switch (lock) {
    case PW_BOARD_LOCK_NONE: return "none";
    case PW_BOARD_LOCK_OPEN: return "open";
    case PW_BOARD_LOCK_CLOSED: return "closed";
    case PW_BOARD_LOCK_MOVING: return "moving";
    }
    PW_UNREACHABLE();
}

static void put_three(struct pw_json_writer *json, const char *key,
                      const int32_t value[PW_BOARD_PHASES])
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        pw_json_put_fixed(json, value[i], 3);
    }
    pw_json_close(json, ']');
}

static void put_outlet(struct pw_json_writer *json, const struct pw_world_ac_truth *truth)
{
    pw_json_say_bool(json, "contactor_line", truth->commanded);
    pw_json_say_bool(json, "coil", truth->coil);
    pw_json_say_bool(json, "contactor_closed", truth->any_closed);
    pw_json_say_s(json, "lock", lock_name(truth->lock));
    pw_json_say_bool(json, "rcd_tripped", truth->tripped);
    pw_json_say_bool(json, "earth_lost", truth->earth_lost);
    pw_json_say_bool(json, "estop_pressed", truth->estop_pressed);
    pw_json_say_bool(json, "board_watchdog", truth->board_expired);
    pw_json_say_fixed(json, "pp_ohm", truth->pp_ohm == PW_BOARD_OPEN_OHM ? -1 : truth->pp_ohm, 0);
    pw_json_say_fixed(json, "contacts_c", truth->temp_dc, 1);
    pw_json_say_fixed(json, "closings", truth->wear.closings, 0);
    pw_json_say_fixed(json, "opened_loaded", truth->wear.opened_loaded, 0);
    pw_json_say_fixed(json, "pulled_loaded", truth->wear.pulled_loaded, 0);
}

void pw_world_ac_print(const struct pw_world_ac *world, struct pw_out *out)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(world);
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "car", world->car.kind->word);
    pw_json_say_bool(&json, "plugged", truth.plugged);
    pw_json_say_fixed(&json, "soc_percent", truth.soc_permille, 1);
    pw_json_say_fixed(&json, "energy_wh_physical", truth.energy_mwh, 3);
    pw_json_say_fixed(&json, "power_w", truth.mw, 3);
    put_three(&json, "phase_v", truth.mv);
    put_three(&json, "phase_a", truth.ma);
    put_three(&json, "load_v", truth.load_mv);
    pw_json_say_s(&json, "level", pw_world_ac_level_name(truth.level));
    pw_json_say_s(&json, "pilot", cp_name(world));
    pw_json_say_fixed(&json, "duty_percent", truth.duty_ppm, 4);
    pw_json_say_fixed(&json, "offer_a", truth.offer_ma, 3);
    pw_json_say_fixed(&json, "obeyed_a", truth.obeyed_ma, 3);
    pw_json_say_bool(&json, "asleep", truth.asleep);
    put_outlet(&json, &truth);
    pw_json_close(&json, '}');
}

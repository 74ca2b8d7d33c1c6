#include "oeworld/oeworld.h"

#include "json/json.h"

#include <math.h>

#define LEAK_MA 20.0 // the board's residual current device trips

struct pw_world_oe_config pw_world_oe_defaults(void)
{
    return (struct pw_world_oe_config){
        .most_a = 32,
        .car = {.capacity_kwh = 60.0, .soc = 0.4},
        .path = {.phases = 3, .volt = 230.0, .hertz = 50.0, .temp_c = 25.0},
        .house = pw_world_house_defaults(),
        .seed = 1,
    };
}

void pw_world_oe_init(struct pw_world_oe *world, const struct pw_world_oe_config *config, pw_ms now)
{
    *world = (struct pw_world_oe){
        .config = *config,
        .now = now,
        .wake_at = now,
        .reading_at = PW_NEVER,
        .marks = {.closed_at = PW_NEVER,
                  .opened_at = PW_NEVER,
                  .ready_at = PW_NEVER,
                  .unready_at = PW_NEVER,
                  .offered_at = PW_NEVER},
    };
    world->config.car.seed = world->config.path.seed = world->config.house.seed = config->seed;
    pw_accar_init(&world->car, &world->config.car, now);
    pw_acpath_init(&world->path, &world->config.path, now);
    pw_world_house_init(&world->house, &world->config.house, now);
    pw_oeboard_init(&world->board, config->board, config->seed, now);
    world->board.eeprom.capacity[1] = config->most_a;
    pw_oeboard_power(&world->board, true, now);
    world->plugged = config->plugged;
}

// ---------------------------------------------------------------------------------------------
// The turn.

static double loaded_a(const struct pw_world_oe *world)
{
    return fmax(world->car.amps[0], fmax(world->car.amps[1], world->car.amps[2]));
}

static void pull(struct pw_world_oe *world)
{
    if (world->plugged && loaded_a(world) > PW_ACPATH_LOADED_A) {
        world->path.wear.pulled_loaded++;
    }
    world->plugged = false;
}

static struct pw_oeboard_senses sense(const struct pw_world_oe *world)
{
    struct pw_accar_load load = pw_accar_load(&world->car);
    struct pw_oeboard_senses senses = {
        .level = (enum pw_oeboard_level)pw_world_ac_level(&world->car),
        .diode = load.diode || !load.connected,
        .leak = world->path.leak_ac_ma > LEAK_MA,
        .earth_lost = world->path.earth_lost,
        .ampere = world->car.amps[0],
        .temp_dc = world->config.probe ? world->path.probe_dc[0] : PW_OEBOARD_NO_PROBE,
    };
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        senses.live = senses.live || pw_acpath_load_volt(&world->path, p) > 0.0;
    }
    return senses;
}

static struct pw_accar_feed feed_of(const struct pw_world_oe *world,
                                    const struct pw_oeboard_drive *drive)
{
    struct pw_accar_feed feed = {
        .plugged = world->plugged,
        .cp = drive->cp,
        .cp_dead = drive->dead,
        .duty_ppm = drive->duty_ppm,
    };
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        feed.volt[i] = world->plugged ? pw_acpath_load_volt(&world->path, i) : 0.0;
    }
    return feed;
}

static void watts(const struct pw_world_oe *world, double watt[PW_BOARD_PHASES])
{
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        watt[i] = world->path.volt[i] * world->car.amps[i] * pw_accar_factor(&world->car);
    }
}

static void flow(struct pw_world_oe *world, pw_ms to)
{
    double watt[PW_BOARD_PHASES];
    watts(world, watt);
    world->joule += (watt[0] + watt[1] + watt[2]) * (double)(to - world->now) / 1000.0;
    double whole = floor(world->joule * 1e6);
    world->energy_uj += (int64_t)whole;
    world->joule -= whole / 1e6;
    world->now = to;
}

// Notes when things truly happen.
static void mark(struct pw_world_oe *world)
{
    struct pw_world_oe_truth *marks = &world->marks;
    enum pw_world_ac_level level = pw_world_ac_level(&world->car);
    bool ready = level == PW_WORLD_AC_C || level == PW_WORLD_AC_D;
    bool was_ready = marks->level == PW_WORLD_AC_C || marks->level == PW_WORLD_AC_D;
    bool closed = pw_acpath_any_closed(&world->path);
    int32_t offer = pw_oeboard_offer_ma(&world->board);
    if (ready != was_ready) {
        *(ready ? &marks->ready_at : &marks->unready_at) = world->now;
    }
    if (closed != marks->any_closed) {
        *(closed ? &marks->closed_at : &marks->opened_at) = world->now;
    }
    if (offer != marks->offer_ma) {
        marks->offered_at = world->now;
    }
    marks->level = level;
    marks->any_closed = closed;
    marks->offer_ma = offer;
}

static void act(struct pw_world_oe *world)
{
    double watt[PW_BOARD_PHASES];
    pw_ms now = world->now;
    struct pw_oeboard_senses senses = sense(world);
    pw_ms wake = pw_oeboard_step(&world->board, &senses, now);
    struct pw_oeboard_drive drive = pw_oeboard_drive(&world->board);
    pw_acpath_drive(&world->path, drive.relay, false, false);
    wake = pw_earlier(wake, pw_acpath_step(&world->path, world->car.amps, now));
    if (world->car.pull_asked) {
        pull(world);
    }
    struct pw_accar_feed feed = feed_of(world, &drive);
    wake = pw_earlier(wake, pw_accar_step(&world->car, &feed, now));
    struct pw_oeboard_senses after = sense(world);
    if (world->car.pull_asked || after.level != senses.level || after.live != senses.live ||
        after.diode != senses.diode) {
        wake = now + 1;
    }
    watts(world, watt);
    pw_world_house_charger(&world->house, watt, now);
    wake = pw_earlier(wake, pw_world_house_step(&world->house, now));
    mark(world);
    world->wake_at = wake > now ? wake : now + 1;
}

pw_ms pw_world_oe_step(struct pw_world_oe *world, pw_ms now)
{
    while (world->now < now) {
        pw_ms to = world->wake_at > world->now ? pw_earlier(now, world->wake_at) : now;
        flow(world, to);
        act(world);
    }
    if (world->wake_at <= now) {
        act(world); // somebody did something at this very moment
    }
    return world->wake_at;
}

void pw_world_oe_hear(struct pw_world_oe *world, const uint8_t *bytes, size_t len, pw_ms now)
{
    (void)pw_world_oe_step(world, now);
    pw_oeboard_hear(&world->board, bytes, len, now);
    world->wake_at = now;
}

size_t pw_world_oe_take(struct pw_world_oe *world, uint8_t *to, size_t cap)
{
    return pw_oeboard_take(&world->board, to, cap, world->now);
}

bool pw_world_oe_take_mains(struct pw_world_oe *world, struct pw_board_mains *mains)
{
    const struct pw_board_mains *shown = pw_world_house_meter(&world->house);
    if (shown == NULL || world->house.read_at == world->reading_at) {
        return false;
    }
    world->reading_at = world->house.read_at;
    *mains = *shown;
    mains->at = world->now; // a frozen meter still answers
    return true;
}

// ---------------------------------------------------------------------------------------------
// People and accidents.

void pw_world_oe_plug(struct pw_world_oe *world, bool in)
{
    if (in) {
        world->plugged = true;
    } else {
        pull(world);
    }
    world->wake_at = world->now;
}

int pw_world_oe_car(struct pw_world_oe *world, const struct pw_accar_kind *kind)
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

void pw_world_oe_power(struct pw_world_oe *world, bool on)
{
    pw_oeboard_power(&world->board, on, world->now);
    world->path.powered = on;
    world->wake_at = world->now;
}

int pw_world_oe_card(struct pw_world_oe *world, struct pw_str id)
{
    if (id.len == 0 || id.len >= sizeof(world->card)) {
        return PW_ERR_RANGE;
    }
    return pw_str_copy(world->card, sizeof(world->card), id);
}

bool pw_world_oe_take_card(struct pw_world_oe *world, char *to, size_t cap)
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

struct pw_world_oe_truth pw_world_oe_truth(const struct pw_world_oe *world)
{
    struct pw_world_oe_truth truth = world->marks; // the times
    struct pw_world_grid grid = pw_world_house_grid(&world->house);
    double watt[PW_BOARD_PHASES];
    watts(world, watt);
    truth.energy_mwh = world->energy_uj / 3600000; // 1 mWh = 3.6 J
    truth.soc_permille = (int32_t)pw_clamp(lrint(world->car.soc * 1000.0), 0, 1000);
    truth.mw = milli(watt[0] + watt[1] + watt[2]);
    truth.grid_mw = milli(grid.watt[0] + grid.watt[1] + grid.watt[2]);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        truth.ma[i] = milli(world->car.amps[i]);
        truth.mv[i] = milli(world->path.volt[i]);
        truth.grid_ma[i] = milli(grid.ampere[i]);
        truth.house_ma[i] = milli(grid.house_a[i]);
    }
    truth.level = pw_world_ac_level(&world->car);
    truth.plugged = world->plugged;
    truth.asleep = world->car.asleep;
    truth.offer_ma = pw_oeboard_offer_ma(&world->board);
    truth.obeyed_ma = world->car.obeyed_ma;
    truth.state = (enum pw_oeboard_state)world->board.state;
    truth.relay = world->board.relay;
    truth.any_closed = pw_acpath_any_closed(&world->path);
    truth.wear = world->path.wear;
    return truth;
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

static void put_board(struct pw_json_writer *json, const struct pw_oeboard *board)
{
    char text[8];
    struct pw_out out = PW_OUT(text);
    pw_put_hex(&out, board->state, 2);
    pw_json_say_s(json, "state", text);
    pw_json_say_fixed(json, "board_a", board->amps, 0);
    pw_json_say_bool(json, "relay", board->relay);
    pw_json_say_fixed(json, "heartbeat", board->beat_state, 0);
    pw_json_say_fixed(json, "restarts", board->restarts, 0);
    pw_json_say_fixed(json, "commands", board->commands, 0);
    pw_json_say_fixed(json, "refused", board->refused, 0);
    pw_json_say_fixed(json, "eeprom_writes", board->eeprom.writes, 0);
    pw_json_say_s(json, "lcd1", board->lcd[0]);
    pw_json_say_s(json, "lcd2", board->lcd[1]);
}

void pw_world_oe_print(const struct pw_world_oe *world, struct pw_out *out)
{
    struct pw_world_oe_truth truth = pw_world_oe_truth(world);
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "car", world->car.kind->word);
    pw_json_say_bool(&json, "plugged", truth.plugged);
    pw_json_say_fixed(&json, "soc_percent", truth.soc_permille, 1);
    pw_json_say_fixed(&json, "energy_wh_physical", truth.energy_mwh, 3);
    pw_json_say_fixed(&json, "power_w", truth.mw, 3);
    put_three(&json, "phase_a", truth.ma);
    pw_json_say_s(&json, "level", pw_world_ac_level_name(truth.level));
    pw_json_say_fixed(&json, "offer_a", truth.offer_ma, 3);
    pw_json_say_fixed(&json, "obeyed_a", truth.obeyed_ma, 3);
    pw_json_say_bool(&json, "asleep", truth.asleep);
    put_board(&json, &world->board);
    pw_json_say_bool(&json, "contactor_closed", truth.any_closed);
    pw_json_say_fixed(&json, "closings", truth.wear.closings, 0);
    pw_json_say_fixed(&json, "opened_loaded", truth.wear.opened_loaded, 0);
    pw_json_say_fixed(&json, "pulled_loaded", truth.wear.pulled_loaded, 0);
    put_three(&json, "grid_a", truth.grid_ma);
    put_three(&json, "house_a", truth.house_ma);
    pw_json_say_fixed(&json, "grid_w", truth.grid_mw, 3);
    pw_json_say_s(&json, "meter", pw_world_house_mood_name(world->house.mood));
    pw_json_close(&json, '}');
}

#include "scenario/acscenario.h"

#include "scenario/rows.h"

static int plug(void *context, const struct pw_row_call *call)
{
    pw_world_ac_plug(context, call->which != 0);
    return PW_OK;
}

static const char *car_word(size_t place)
{
    const struct pw_accar_kind *kind = pw_accar_kind(place);
    return kind == NULL ? NULL : kind->word;
}

static int car(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    int err = pw_world_ac_car(world, pw_accar_kind((size_t)call->number));
    if (err != PW_OK) {
        pw_put_s(call->answer, "car: one is plugged in; unplug it first");
        return err;
    }
    return PW_OK;
}

static int soc(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_world_ac_soc(world, (double)call->number * 0.001);
    return PW_OK;
}

static const char *const s2_words[] = {"open", "close", NULL};

static int s2(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_accar_want(&world->car, call->number == 1);
    return PW_OK;
}

// What may hang on the proximity contact.
static const struct {
    const char *word;
    int32_t ohm;
} cables[] = {
    {"13", 1500}, {"20", 680},   {"32", 220},
    {"63", 100},  {"short", 10}, {"broken", PW_BOARD_OPEN_OHM},
};

static const char *cable_word(size_t place)
{
    return place < PW_COUNT(cables) ? cables[place].word : NULL;
}

static int cable(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_world_ac_cable(world, cables[call->number].ohm);
    return PW_OK;
}

static int cable_ohm(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_world_ac_cable(world, (int32_t)call->number);
    return PW_OK;
}

static int card(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    return pw_world_ac_card(world, call->text);
}

static const char *const weld_words[] = {"off", "l1", "l2", "l3", "all", NULL};

static int weld(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        world->path.weld[i] = call->number == i + 1 || call->number == 4;
        // A new contactor is open until its coil says otherwise.
        world->path.closed[i] = world->path.closed[i] && (world->path.weld[i] || world->path.coil);
    }
    return PW_OK;
}

static const char *const switch_words[] = {"off", "on", NULL};

static int stuck(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.stuck_open = call->number == 1;
    return PW_OK;
}

static const char *const mirror_words[] = {[PW_ACPATH_MIRROR_GOOD] = "good",
                                           [PW_ACPATH_MIRROR_OPEN] = "open",
                                           [PW_ACPATH_MIRROR_CLOSED] = "closed",
                                           NULL};

static int mirror(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.mirror = (enum pw_acpath_mirror)call->number;
    return PW_OK;
}

static int jam(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.jam = call->number == 1;
    return PW_OK;
}

static int leak_ac(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.leak_ac_ma = (double)call->number;
    return PW_OK;
}

static int leak_dc(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.leak_dc_ma = (double)call->number;
    return PW_OK;
}

static const char *const rcd_words[] = {"good", "deaf", "stuck", NULL};

static int rcd(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.rcd_deaf = call->number == 1;
    world->path.rcd_stuck = call->number == 2;
    return PW_OK;
}

static const char *const earth_words[] = {"good", "lost", NULL};

static int earth(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.earth_lost = call->number == 1;
    return PW_OK;
}

static const char *const estop_words[] = {"release", "press", NULL};

static int estop(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.estop = call->number == 1;
    return PW_OK;
}

static int temperature(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.ambient_c = (double)call->number * 0.1;
    return PW_OK;
}

static int heat(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.forced_k[0] = (double)call->number;
    return PW_OK;
}

static const char *const probe_words[] = {[PW_ACPATH_PROBE_GOOD] = "good",
                                          [PW_ACPATH_PROBE_BROKEN] = "broken",
                                          [PW_ACPATH_PROBE_SHORTED] = "shorted",
                                          [PW_ACPATH_PROBE_STUCK] = "stuck",
                                          NULL};

static int probe(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.probe[0] = (enum pw_acpath_probe)call->number;
    return PW_OK;
}

enum { L1 = 1, L2 = 2, L3 = 4, ALL = 7 };

static int grid(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    int wired = (1 << world->config.path.phases) - 1;
    if ((call->which & wired) == 0) {
        pw_put_s(call->answer, "grid: that phase is not wired");
        return PW_ERR_RANGE;
    }
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        if ((call->which & wired & 1 << i) != 0) {
            world->path.volt[i] = (double)call->number * 0.1;
        }
    }
    return PW_OK;
}

static int grid_hertz(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->path.hertz = (double)call->number * 0.01;
    return PW_OK;
}

static const char *const board_words[] = {"good", "silent", "deaf", NULL};

static int board(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->board.silent = call->number == 1;
    world->board.deaf = call->number == 2;
    return PW_OK;
}

static int noise(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    world->board.config.cp_noise_mv = (int32_t)call->number;
    return PW_OK;
}

static int power(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_world_ac_power(world, call->number == 1);
    return PW_OK;
}

static int status(void *context, const struct pw_row_call *call)
{
    struct pw_world_ac *world = context;
    pw_world_ac_print(world, call->answer);
    return PW_OK;
}

// clang-format off
static const struct pw_row rows[] = {
    {.verb = "plug", .doc = "plug the car in, with its cable", .run = plug, .which = true},
    {.verb = "unplug", .doc = "pull the plug, whatever flows", .run = plug, .which = false},
    {.verb = "car", .kind = PW_ROW_WORD, .word_at = car_word, .shows = "<temperament>", .doc = "another car comes", .run = car},
    {.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge", .run = soc},
    {.verb = "s2", .kind = PW_ROW_WORD, .words = s2_words, .shows = "open|close", .doc = "the car wants no charge, or wants one", .run = s2},
    {.verb = "card", .kind = PW_ROW_TEXT, .least = 1, .most = PW_WORLD_AC_CARD_MAX - 1, .shows = "<id>", .doc = "hold a card to the reader", .run = card},
    {.verb = "cable", .word = "ohm", .kind = PW_ROW_NUMBER, .least = 1, .most = 100000, .shows = "<ohm>", .doc = "the cable's proximity resistor", .run = cable_ohm},
    {.verb = "cable", .kind = PW_ROW_WORD, .word_at = cable_word, .shows = "<ampere>", .doc = "a cable for so much, or a bad one", .run = cable},
    {.verb = "weld", .kind = PW_ROW_WORD, .words = weld_words, .shows = "<poles>", .doc = "poles that, once closed, stay closed", .run = weld},
    {.verb = "stuck", .kind = PW_ROW_WORD, .words = switch_words, .shows = "on|off", .doc = "the contactor does not close", .run = stuck},
    {.verb = "mirror", .kind = PW_ROW_WORD, .words = mirror_words, .shows = "<state>", .doc = "the contactor's feedback is stuck, or good", .run = mirror},
    {.verb = "jam", .kind = PW_ROW_WORD, .words = switch_words, .shows = "on|off", .doc = "the lock's motor does not move", .run = jam},
    {.verb = "leak", .word = "ac", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual current behind the contactor", .run = leak_ac},
    {.verb = "leak", .word = "dc", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual direct current", .run = leak_dc},
    {.verb = "rcd", .kind = PW_ROW_WORD, .words = rcd_words, .shows = "<state>", .doc = "deaf to its test, stuck tripped, or good", .run = rcd},
    {.verb = "earth", .kind = PW_ROW_WORD, .words = earth_words, .shows = "good|lost", .doc = "protective earth", .run = earth},
    {.verb = "estop", .kind = PW_ROW_WORD, .words = estop_words, .shows = "press|release", .doc = "the emergency stop", .run = estop},
    {.verb = "temperature", .kind = PW_ROW_NUMBER, .decimals = 1, .least = -400, .most = 800, .shows = "<celsius>", .doc = "of the surroundings", .run = temperature},
    {.verb = "heat", .kind = PW_ROW_NUMBER, .least = 0, .most = 150, .shows = "<kelvin>", .doc = "heat the contacts by so much more", .run = heat},
    {.verb = "probe", .kind = PW_ROW_WORD, .words = probe_words, .shows = "<state>", .doc = "the contacts' temperature sensor", .run = probe},
    {.verb = "grid", .word = "l1", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase", .run = grid, .which = L1},
    {.verb = "grid", .word = "l2", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase", .run = grid, .which = L2},
    {.verb = "grid", .word = "l3", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase", .run = grid, .which = L3},
    {.verb = "grid", .word = "all", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of every phase", .run = grid, .which = ALL},
    {.verb = "grid", .word = "hertz", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 4000, .most = 7000, .shows = "<hertz>", .doc = "frequency", .run = grid_hertz},
    {.verb = "board", .kind = PW_ROW_WORD, .words = board_words, .shows = "<state>", .doc = "the board says nothing, hears nothing, or is good", .run = board},
    {.verb = "noise", .kind = PW_ROW_NUMBER, .least = 0, .most = 3000, .shows = "<millivolt>", .doc = "on the board's pilot readings, deviation", .run = noise},
    {.verb = "power", .kind = PW_ROW_WORD, .words = switch_words, .shows = "on|off", .doc = "the board's supply", .run = power},
    {.verb = "status", .doc = "the truth as one JSON object", .run = status},
    {.verb = "help", .doc = "this list"},
    {0},
};
// clang-format on

void pw_acscenario_help(struct pw_out *out)
{
    pw_rows_help(rows, out);
}

int pw_acscenario_run(struct pw_world_ac *world, struct pw_str line, struct pw_out *answer)
{
    int done = pw_rows_run(rows, world, line, answer);
    if (done == 1) {
        world->wake_at = world->now;
    }
    return done < 0 ? done : PW_OK;
}

#include "scenario/acscenario.h"

#include "scenario/rows.h"

struct row {
    struct pw_row is;
    int (*run)(struct pw_world_ac *world, const struct pw_row_argument *argument,
               struct pw_out *answer);
};

static int ok(struct pw_world_ac *world, struct pw_out *answer)
{
    world->wake_at = world->now;
    pw_put_s(answer, "ok");
    return PW_OK;
}

static int plug(struct pw_world_ac *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)argument;
    pw_world_ac_plug(world, true);
    return ok(world, answer);
}

static int unplug(struct pw_world_ac *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_ac_plug(world, false);
    return ok(world, answer);
}

static const char *car_word(size_t place)
{
    const struct pw_accar_kind *kind = pw_accar_kind(place);
    return kind == NULL ? NULL : kind->word;
}

static int car(struct pw_world_ac *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    int err = pw_world_ac_car(world, pw_accar_kind((size_t)argument->number));
    if (err != PW_OK) {
        pw_put_s(answer, "car: one is plugged in; unplug it first");
        return err;
    }
    return ok(world, answer);
}

static int soc(struct pw_world_ac *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    pw_world_ac_soc(world, (double)argument->number * 0.001);
    return ok(world, answer);
}

static const char *s2_word(size_t place)
{
    static const char *const words[] = {"open", "close"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int s2(struct pw_world_ac *world, const struct pw_row_argument *argument,
              struct pw_out *answer)
{
    pw_accar_want(&world->car, argument->number == 1);
    return ok(world, answer);
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

static int cable(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    pw_world_ac_cable(world, cables[argument->number].ohm);
    return ok(world, answer);
}

static int cable_ohm(struct pw_world_ac *world, const struct pw_row_argument *argument,
                     struct pw_out *answer)
{
    pw_world_ac_cable(world, (int32_t)argument->number);
    return ok(world, answer);
}

static int card(struct pw_world_ac *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    int err = pw_world_ac_card(world, argument->text);
    if (err != PW_OK) {
        pw_put_s(answer, "card: an id of 1..");
        pw_put_int(answer, PW_WORLD_AC_CARD_MAX - 1);
        pw_put_s(answer, " characters, got ");
        pw_put_uint(answer, argument->text.len);
        return err;
    }
    return ok(world, answer);
}

static const char *weld_word(size_t place)
{
    static const char *const words[] = {"off", "l1", "l2", "l3", "all"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int weld(struct pw_world_ac *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        world->path.weld[i] = argument->number == i + 1 || argument->number == 4;
        // A new contactor is open until its coil says otherwise.
        world->path.closed[i] = world->path.closed[i] && (world->path.weld[i] || world->path.coil);
    }
    return ok(world, answer);
}

static const char *switch_word(size_t place)
{
    static const char *const words[] = {"off", "on"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int stuck(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->path.stuck_open = argument->number == 1;
    return ok(world, answer);
}

static const char *mirror_word(size_t place)
{
    static const char *const words[] = {
        [PW_ACPATH_MIRROR_GOOD] = "good",
        [PW_ACPATH_MIRROR_OPEN] = "open",
        [PW_ACPATH_MIRROR_CLOSED] = "closed",
    };
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int mirror(struct pw_world_ac *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    world->path.mirror = (enum pw_acpath_mirror)argument->number;
    return ok(world, answer);
}

static int jam(struct pw_world_ac *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    world->path.jam = argument->number == 1;
    return ok(world, answer);
}

static int leak_ac(struct pw_world_ac *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    world->path.leak_ac_ma = (double)argument->number;
    return ok(world, answer);
}

static int leak_dc(struct pw_world_ac *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    world->path.leak_dc_ma = (double)argument->number;
    return ok(world, answer);
}

static const char *rcd_word(size_t place)
{
    static const char *const words[] = {"good", "deaf", "stuck"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int rcd(struct pw_world_ac *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    world->path.rcd_deaf = argument->number == 1;
    world->path.rcd_stuck = argument->number == 2;
    return ok(world, answer);
}

static const char *earth_word(size_t place)
{
    static const char *const words[] = {"good", "lost"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int earth(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->path.earth_lost = argument->number == 1;
    return ok(world, answer);
}

static const char *estop_word(size_t place)
{
    static const char *const words[] = {"release", "press"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int estop(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->path.estop = argument->number == 1;
    return ok(world, answer);
}

static int temperature(struct pw_world_ac *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    world->path.ambient_c = (double)argument->number * 0.1;
    return ok(world, answer);
}

static int heat(struct pw_world_ac *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    world->path.forced_k[0] = (double)argument->number;
    return ok(world, answer);
}

static const char *probe_word(size_t place)
{
    static const char *const words[] = {
        [PW_ACPATH_PROBE_GOOD] = "good",
        [PW_ACPATH_PROBE_BROKEN] = "broken",
        [PW_ACPATH_PROBE_SHORTED] = "shorted",
        [PW_ACPATH_PROBE_STUCK] = "stuck",
    };
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int probe(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->path.probe[0] = (enum pw_acpath_probe)argument->number;
    return ok(world, answer);
}

static int set_volt(struct pw_world_ac *world, const struct pw_row_argument *argument,
                    unsigned phase, struct pw_out *answer)
{
    if (phase >= world->config.path.phases) {
        pw_put_s(answer, "grid: that phase is not wired");
        return PW_ERR_RANGE;
    }
    world->path.volt[phase] = (double)argument->number * 0.1;
    return ok(world, answer);
}

static int grid_l1(struct pw_world_ac *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    return set_volt(world, argument, 0, answer);
}

static int grid_l2(struct pw_world_ac *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    return set_volt(world, argument, 1, answer);
}

static int grid_l3(struct pw_world_ac *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    return set_volt(world, argument, 2, answer);
}

static int grid_all(struct pw_world_ac *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    for (unsigned i = 0; i < world->config.path.phases; i++) {
        world->path.volt[i] = (double)argument->number * 0.1;
    }
    return ok(world, answer);
}

static int grid_hertz(struct pw_world_ac *world, const struct pw_row_argument *argument,
                      struct pw_out *answer)
{
    world->path.hertz = (double)argument->number * 0.01;
    return ok(world, answer);
}

static const char *board_word(size_t place)
{
    static const char *const words[] = {"good", "silent", "deaf"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int board(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->board.silent = argument->number == 1;
    world->board.deaf = argument->number == 2;
    return ok(world, answer);
}

static int noise(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->board.config.cp_noise_mv = (int32_t)argument->number;
    return ok(world, answer);
}

static int power(struct pw_world_ac *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    pw_world_ac_power(world, argument->number == 1);
    return ok(world, answer);
}

static int status(struct pw_world_ac *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_ac_print(world, answer);
    return pw_out_err(answer);
}

static int help(struct pw_world_ac *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)world;
    (void)argument;
    pw_acscenario_help(answer);
    return pw_out_err(answer);
}

// clang-format off
static const struct row rows[] = {
    {{.verb = "plug", .doc = "plug the car in, with its cable"}, plug},
    {{.verb = "unplug", .doc = "pull the plug, whatever flows"}, unplug},
    {{.verb = "car", .kind = PW_ROW_WORD, .words = car_word, .shows = "<temperament>", .doc = "another car comes"}, car},
    {{.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge"}, soc},
    {{.verb = "s2", .kind = PW_ROW_WORD, .words = s2_word, .shows = "open|close", .doc = "the car wants no charge, or wants one"}, s2},
    {{.verb = "card", .kind = PW_ROW_TEXT, .shows = "<id>", .doc = "hold a card to the reader"}, card},
    {{.verb = "cable", .word = "ohm", .kind = PW_ROW_NUMBER, .least = 1, .most = 100000, .shows = "<ohm>", .doc = "the cable's proximity resistor"}, cable_ohm},
    {{.verb = "cable", .kind = PW_ROW_WORD, .words = cable_word, .shows = "<ampere>", .doc = "a cable for so much, or a bad one"}, cable},
    {{.verb = "weld", .kind = PW_ROW_WORD, .words = weld_word, .shows = "<poles>", .doc = "poles that, once closed, stay closed"}, weld},
    {{.verb = "stuck", .kind = PW_ROW_WORD, .words = switch_word, .shows = "on|off", .doc = "the contactor does not close"}, stuck},
    {{.verb = "mirror", .kind = PW_ROW_WORD, .words = mirror_word, .shows = "<state>", .doc = "the contactor's feedback is stuck, or good"}, mirror},
    {{.verb = "jam", .kind = PW_ROW_WORD, .words = switch_word, .shows = "on|off", .doc = "the lock's motor does not move"}, jam},
    {{.verb = "leak", .word = "ac", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual current behind the contactor"}, leak_ac},
    {{.verb = "leak", .word = "dc", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual direct current"}, leak_dc},
    {{.verb = "rcd", .kind = PW_ROW_WORD, .words = rcd_word, .shows = "<state>", .doc = "deaf to its test, stuck tripped, or good"}, rcd},
    {{.verb = "earth", .kind = PW_ROW_WORD, .words = earth_word, .shows = "good|lost", .doc = "protective earth"}, earth},
    {{.verb = "estop", .kind = PW_ROW_WORD, .words = estop_word, .shows = "press|release", .doc = "the emergency stop"}, estop},
    {{.verb = "temperature", .kind = PW_ROW_NUMBER, .decimals = 1, .least = -400, .most = 800, .shows = "<celsius>", .doc = "of the surroundings"}, temperature},
    {{.verb = "heat", .kind = PW_ROW_NUMBER, .least = 0, .most = 150, .shows = "<kelvin>", .doc = "heat the contacts by so much more"}, heat},
    {{.verb = "probe", .kind = PW_ROW_WORD, .words = probe_word, .shows = "<state>", .doc = "the contacts' temperature sensor"}, probe},
    {{.verb = "grid", .word = "l1", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase"}, grid_l1},
    {{.verb = "grid", .word = "l2", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase"}, grid_l2},
    {{.verb = "grid", .word = "l3", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of a phase"}, grid_l3},
    {{.verb = "grid", .word = "all", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 4500, .shows = "<volt>", .doc = "voltage of every phase"}, grid_all},
    {{.verb = "grid", .word = "hertz", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 4000, .most = 7000, .shows = "<hertz>", .doc = "frequency"}, grid_hertz},
    {{.verb = "board", .kind = PW_ROW_WORD, .words = board_word, .shows = "<state>", .doc = "the board says nothing, hears nothing, or is good"}, board},
    {{.verb = "noise", .kind = PW_ROW_NUMBER, .least = 0, .most = 3000, .shows = "<millivolt>", .doc = "on the board's pilot readings, deviation"}, noise},
    {{.verb = "power", .kind = PW_ROW_WORD, .words = switch_word, .shows = "on|off", .doc = "the board's supply"}, power},
    {{.verb = "status", .doc = "the truth as one JSON object"}, status},
    {{.verb = "help", .doc = "this list"}, help},
};
// clang-format on

static const struct pw_row *row_at(size_t i)
{
    return i < PW_COUNT(rows) ? &rows[i].is : NULL;
}

void pw_acscenario_help(struct pw_out *out)
{
    pw_rows_help(row_at, out);
}

int pw_acscenario_run(struct pw_world_ac *world, struct pw_str line, struct pw_out *answer)
{
    struct pw_row_argument argument;
    size_t row = 0;
    int found = pw_rows_read(row_at, line, &row, &argument, answer);
    return found == 1 ? rows[row].run(world, &argument, answer) : found;
}

#include "scenario/oescenario.h"

#include "scenario/rows.h"

struct row {
    struct pw_row is;
    int (*run)(struct pw_world_oe *world, const struct pw_row_argument *argument,
               struct pw_out *answer);
};

static int ok(struct pw_world_oe *world, struct pw_out *answer)
{
    world->wake_at = world->now;
    pw_put_s(answer, "ok");
    return PW_OK;
}

static int plug(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)argument;
    pw_world_oe_plug(world, true);
    return ok(world, answer);
}

static int unplug(struct pw_world_oe *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_oe_plug(world, false);
    return ok(world, answer);
}

static const char *car_word(size_t place)
{
    const struct pw_accar_kind *kind = pw_accar_kind(place);
    return kind == NULL ? NULL : kind->word;
}

static int car(struct pw_world_oe *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    int err = pw_world_oe_car(world, pw_accar_kind((size_t)argument->number));
    if (err != PW_OK) {
        pw_put_s(answer, "car: one is plugged in; unplug it first");
        return err;
    }
    return ok(world, answer);
}

static int soc(struct pw_world_oe *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
{
    world->car.soc = (double)argument->number * 0.001;
    return ok(world, answer);
}

static const char *s2_word(size_t place)
{
    static const char *const words[] = {"open", "close"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int s2(struct pw_world_oe *world, const struct pw_row_argument *argument,
              struct pw_out *answer)
{
    pw_accar_want(&world->car, argument->number == 1);
    return ok(world, answer);
}

static int card(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    int err = pw_world_oe_card(world, argument->text);
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

static int weld(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        world->path.weld[i] = argument->number == i + 1 || argument->number == 4;
        // A new relay is open until its coil says otherwise.
        world->path.closed[i] = world->path.closed[i] && (world->path.weld[i] || world->path.coil);
    }
    return ok(world, answer);
}

static int leak(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    world->path.leak_ac_ma = (double)argument->number;
    return ok(world, answer);
}

static const char *earth_word(size_t place)
{
    static const char *const words[] = {"good", "lost"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int earth(struct pw_world_oe *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->path.earth_lost = argument->number == 1;
    return ok(world, answer);
}

static const char *self_test_word(size_t place)
{
    static const char *const words[] = {"good", "fails"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int self_test(struct pw_world_oe *world, const struct pw_row_argument *argument,
                     struct pw_out *answer)
{
    world->board.self_test_dead = argument->number == 1;
    return ok(world, answer);
}

static int heat(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    if (!world->config.probe) {
        pw_put_s(answer, "heat: this board has no temperature sensor; start it with one");
        return PW_ERR_UNKNOWN;
    }
    world->path.forced_k[0] = (double)argument->number;
    return ok(world, answer);
}

enum board_word { BOARD_GOOD, BOARD_SILENT, BOARD_HUNG, BOARD_GARBLES };

static const char *board_word(size_t place)
{
    static const char *const words[] = {
        [BOARD_GOOD] = "good",
        [BOARD_SILENT] = "silent",
        [BOARD_HUNG] = "hung",
        [BOARD_GARBLES] = "garbles",
    };
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int board(struct pw_world_oe *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->board.mute = argument->number == BOARD_SILENT;
    world->board.hung = argument->number == BOARD_HUNG;
    world->board.garbles = argument->number == BOARD_GARBLES;
    return ok(world, answer);
}

static const char *switch_word(size_t place)
{
    static const char *const words[] = {"off", "on"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int power(struct pw_world_oe *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    pw_world_oe_power(world, argument->number == 1);
    return ok(world, answer);
}

static int reboot(struct pw_world_oe *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_oe_power(world, false);
    pw_world_oe_power(world, true);
    return ok(world, answer);
}

static const char *button_word(size_t place)
{
    static const char *const words[] = {"short", "long"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static int button(struct pw_world_oe *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    pw_oeboard_button(&world->board, argument->number == 1, world->now);
    return ok(world, answer);
}

static int house_all(struct pw_world_oe *world, const struct pw_row_argument *argument,
                     struct pw_out *answer)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        world->house.extra[p] = (double)argument->number * 0.001;
    }
    return ok(world, answer);
}

static int house_l1(struct pw_world_oe *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    world->house.extra[0] = (double)argument->number * 0.001;
    return ok(world, answer);
}

static int house_l2(struct pw_world_oe *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    world->house.extra[1] = (double)argument->number * 0.001;
    return ok(world, answer);
}

static int house_l3(struct pw_world_oe *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    world->house.extra[2] = (double)argument->number * 0.001;
    return ok(world, answer);
}

static int house_scale(struct pw_world_oe *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    world->house.config.scale = (double)argument->number * 0.01;
    return ok(world, answer);
}

static int house_sun(struct pw_world_oe *world, const struct pw_row_argument *argument,
                     struct pw_out *answer)
{
    world->house.config.pv_w = (double)argument->number;
    return ok(world, answer);
}

static int house_hour(struct pw_world_oe *world, const struct pw_row_argument *argument,
                      struct pw_out *answer)
{
    struct pw_world_house_config *config = &world->house.config;
    uint32_t to = (uint32_t)argument->number * 3600U / 10U;
    uint32_t is = pw_world_house_second(&world->house);
    config->second = (config->second + to + PW_WORLD_HOUSE_DAY_S - is) % PW_WORLD_HOUSE_DAY_S;
    return ok(world, answer);
}

static int meter(struct pw_world_oe *world, const struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    world->house.mood = (enum pw_world_house_mood)argument->number;
    return ok(world, answer);
}

static int status(struct pw_world_oe *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_oe_print(world, answer);
    return pw_out_err(answer);
}

static int help(struct pw_world_oe *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)world;
    (void)argument;
    pw_oescenario_help(answer);
    return pw_out_err(answer);
}

// clang-format off
#define AMPERE .kind = PW_ROW_NUMBER, .decimals = 3, .least = -100000, .most = 100000, .shows = "<ampere>"
static const struct row rows[] = {
    {{.verb = "plug", .doc = "plug the car in"}, plug},
    {{.verb = "unplug", .doc = "pull the plug, whatever flows"}, unplug},
    {{.verb = "car", .kind = PW_ROW_WORD, .words = car_word, .shows = "<temperament>", .doc = "another car comes"}, car},
    {{.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge"}, soc},
    {{.verb = "s2", .kind = PW_ROW_WORD, .words = s2_word, .shows = "open|close", .doc = "the car wants no charge, or wants one"}, s2},
    {{.verb = "card", .kind = PW_ROW_TEXT, .shows = "<id>", .doc = "hold a card to the reader"}, card},
    {{.verb = "weld", .kind = PW_ROW_WORD, .words = weld_word, .shows = "<poles>", .doc = "poles that, once closed, stay closed"}, weld},
    {{.verb = "leak", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual current behind the relay"}, leak},
    {{.verb = "earth", .kind = PW_ROW_WORD, .words = earth_word, .shows = "good|lost", .doc = "protective earth"}, earth},
    {{.verb = "selftest", .kind = PW_ROW_WORD, .words = self_test_word, .shows = "good|fails", .doc = "the board's test of its residual current device"}, self_test},
    {{.verb = "heat", .kind = PW_ROW_NUMBER, .least = 0, .most = 150, .shows = "<kelvin>", .doc = "heat the board by so much more"}, heat},
    {{.verb = "board", .kind = PW_ROW_WORD, .words = board_word, .shows = "<state>", .doc = "the board says nothing, stands still, says noise, or is good"}, board},
    {{.verb = "power", .kind = PW_ROW_WORD, .words = switch_word, .shows = "on|off", .doc = "the board's supply"}, power},
    {{.verb = "reboot", .doc = "the board's supply fails for a moment"}, reboot},
    {{.verb = "button", .kind = PW_ROW_WORD, .words = button_word, .shows = "short|long", .doc = "somebody presses the board's button"}, button},
    {{.verb = "house", .word = "l1", AMPERE, .doc = "so much more on a phase of the house"}, house_l1},
    {{.verb = "house", .word = "l2", AMPERE, .doc = "so much more on a phase of the house"}, house_l2},
    {{.verb = "house", .word = "l3", AMPERE, .doc = "so much more on a phase of the house"}, house_l3},
    {{.verb = "house", .word = "all", AMPERE, .doc = "so much more on every phase"}, house_all},
    {{.verb = "house", .word = "scale", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 0, .most = 1000, .shows = "<factor>", .doc = "of all appliances, 0 for an empty house"}, house_scale},
    {{.verb = "house", .word = "sun", .kind = PW_ROW_NUMBER, .least = 0, .most = 100000, .shows = "<watt>", .doc = "peak of the roof"}, house_sun},
    {{.verb = "house", .word = "hour", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 239, .shows = "<hour>", .doc = "time of day"}, house_hour},
    {{.verb = "meter", .kind = PW_ROW_WORD, .words = pw_world_house_mood_name, .shows = "<state>", .doc = "the house's meter: silent, frozen, absurd, reversed, one transformer open, or good"}, meter},
    {{.verb = "status", .doc = "the truth as one JSON object"}, status},
    {{.verb = "help", .doc = "this list"}, help},
};
// clang-format on

static const struct pw_row *row_at(size_t i)
{
    return i < PW_COUNT(rows) ? &rows[i].is : NULL;
}

void pw_oescenario_help(struct pw_out *out)
{
    pw_rows_help(row_at, out);
}

int pw_oescenario_run(struct pw_world_oe *world, struct pw_str line, struct pw_out *answer)
{
    struct pw_row_argument argument;
    size_t row = 0;
    int found = pw_rows_read(row_at, line, &row, &argument, answer);
    return found == 1 ? rows[row].run(world, &argument, answer) : found;
}

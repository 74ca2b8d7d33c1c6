#include "scenario/oescenario.h"

#include "scenario/rows.h"

static int plug(void *context, const struct pw_row_call *call)
{
    pw_world_oe_plug(context, call->which != 0);
    return PW_OK;
}

static const char *car_word(size_t place)
{
    const struct pw_accar_kind *kind = pw_accar_kind(place);
    return kind == NULL ? NULL : kind->word;
}

static int car(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    int err = pw_world_oe_car(world, pw_accar_kind((size_t)call->number));
    if (err != PW_OK) {
        pw_put_s(call->answer, "car: one is plugged in; unplug it first");
        return err;
    }
    return PW_OK;
}

static int soc(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->car.soc = (double)call->number * 0.001;
    return PW_OK;
}

static const char *const s2_words[] = {"open", "close", NULL};

static int s2(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    pw_accar_want(&world->car, call->number == 1);
    return PW_OK;
}

static int card(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    return pw_world_oe_card(world, call->text);
}

static const char *const weld_words[] = {"off", "l1", "l2", "l3", "all", NULL};

static int weld(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        world->path.weld[i] = call->number == i + 1 || call->number == 4;
        // A new relay is open until its coil says otherwise.
        world->path.closed[i] = world->path.closed[i] && (world->path.weld[i] || world->path.coil);
    }
    return PW_OK;
}

static int leak(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->path.leak_ac_ma = (double)call->number;
    return PW_OK;
}

static const char *const earth_words[] = {"good", "lost", NULL};

static int earth(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->path.earth_lost = call->number == 1;
    return PW_OK;
}

static const char *const self_test_words[] = {"good", "fails", NULL};

static int self_test(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->board.self_test_dead = call->number == 1;
    return PW_OK;
}

static int heat(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    if (!world->config.probe) {
        pw_put_s(call->answer, "heat: this board has no temperature sensor; start it with one");
        return PW_ERR_UNKNOWN;
    }
    world->path.forced_k[0] = (double)call->number;
    return PW_OK;
}

enum board_word { BOARD_GOOD, BOARD_SILENT, BOARD_HUNG, BOARD_GARBLES };

static const char *const board_words[] = {[BOARD_GOOD] = "good",
                                          [BOARD_SILENT] = "silent",
                                          [BOARD_HUNG] = "hung",
                                          [BOARD_GARBLES] = "garbles",
                                          NULL};

static int board(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->board.mute = call->number == BOARD_SILENT;
    world->board.hung = call->number == BOARD_HUNG;
    world->board.garbles = call->number == BOARD_GARBLES;
    return PW_OK;
}

static const char *const switch_words[] = {"off", "on", NULL};

static int power(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    pw_world_oe_power(world, call->number == 1);
    return PW_OK;
}

static int reboot(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    (void)call;
    pw_world_oe_power(world, false);
    pw_world_oe_power(world, true);
    return PW_OK;
}

static const char *const button_words[] = {"short", "long", NULL};

static int button(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    pw_oeboard_button(&world->board, call->number == 1, world->now);
    return PW_OK;
}

enum { L1 = 1, L2 = 2, L3 = 4, ALL = 7 };

static int house(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        if ((call->which & 1 << i) != 0) {
            world->house.extra[i] = (double)call->number * 0.001;
        }
    }
    return PW_OK;
}

static int house_scale(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->house.config.scale = (double)call->number * 0.01;
    return PW_OK;
}

static int house_sun(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->house.config.pv_w = (double)call->number;
    return PW_OK;
}

static int house_hour(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    struct pw_world_house_config *config = &world->house.config;
    uint32_t to = (uint32_t)call->number * 3600U / 10U;
    uint32_t is = pw_world_house_second(&world->house);
    config->second = (config->second + to + PW_WORLD_HOUSE_DAY_S - is) % PW_WORLD_HOUSE_DAY_S;
    return PW_OK;
}

static int meter(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    world->house.mood = (enum pw_world_house_mood)call->number;
    return PW_OK;
}

static int status(void *context, const struct pw_row_call *call)
{
    struct pw_world_oe *world = context;
    pw_world_oe_print(world, call->answer);
    return PW_OK;
}

// clang-format off
#define AMPERE .kind = PW_ROW_NUMBER, .decimals = 3, .least = -100000, .most = 100000, .shows = "<ampere>"
static const struct pw_row rows[] = {
    {.verb = "plug", .doc = "plug the car in", .run = plug, .which = true},
    {.verb = "unplug", .doc = "pull the plug, whatever flows", .run = plug, .which = false},
    {.verb = "car", .kind = PW_ROW_WORD, .word_at = car_word, .shows = "<temperament>", .doc = "another car comes", .run = car},
    {.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge", .run = soc},
    {.verb = "s2", .kind = PW_ROW_WORD, .words = s2_words, .shows = "open|close", .doc = "the car wants no charge, or wants one", .run = s2},
    {.verb = "card", .kind = PW_ROW_TEXT, .least = 1, .most = PW_WORLD_AC_CARD_MAX - 1, .shows = "<id>", .doc = "hold a card to the reader", .run = card},
    {.verb = "weld", .kind = PW_ROW_WORD, .words = weld_words, .shows = "<poles>", .doc = "poles that, once closed, stay closed", .run = weld},
    {.verb = "leak", .kind = PW_ROW_NUMBER, .least = 0, .most = 1000, .shows = "<mA>", .doc = "residual current behind the relay", .run = leak},
    {.verb = "earth", .kind = PW_ROW_WORD, .words = earth_words, .shows = "good|lost", .doc = "protective earth", .run = earth},
    {.verb = "selftest", .kind = PW_ROW_WORD, .words = self_test_words, .shows = "good|fails", .doc = "the board's test of its residual current device", .run = self_test},
    {.verb = "heat", .kind = PW_ROW_NUMBER, .least = 0, .most = 150, .shows = "<kelvin>", .doc = "heat the board by so much more", .run = heat},
    {.verb = "board", .kind = PW_ROW_WORD, .words = board_words, .shows = "<state>", .doc = "the board says nothing, stands still, says noise, or is good", .run = board},
    {.verb = "power", .kind = PW_ROW_WORD, .words = switch_words, .shows = "on|off", .doc = "the board's supply", .run = power},
    {.verb = "reboot", .doc = "the board's supply fails for a moment", .run = reboot},
    {.verb = "button", .kind = PW_ROW_WORD, .words = button_words, .shows = "short|long", .doc = "somebody presses the board's button", .run = button},
    {.verb = "house", .word = "l1", AMPERE, .doc = "so much more on a phase of the house", .run = house, .which = L1},
    {.verb = "house", .word = "l2", AMPERE, .doc = "so much more on a phase of the house", .run = house, .which = L2},
    {.verb = "house", .word = "l3", AMPERE, .doc = "so much more on a phase of the house", .run = house, .which = L3},
    {.verb = "house", .word = "all", AMPERE, .doc = "so much more on every phase", .run = house, .which = ALL},
    {.verb = "house", .word = "scale", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 0, .most = 1000, .shows = "<factor>", .doc = "of all appliances, 0 for an empty house", .run = house_scale},
    {.verb = "house", .word = "sun", .kind = PW_ROW_NUMBER, .least = 0, .most = 100000, .shows = "<watt>", .doc = "peak of the roof", .run = house_sun},
    {.verb = "house", .word = "hour", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 239, .shows = "<hour>", .doc = "time of day", .run = house_hour},
    {.verb = "meter", .kind = PW_ROW_WORD, .word_at = pw_world_house_mood_name, .shows = "<state>", .doc = "the house's meter: silent, frozen, absurd, reversed, one transformer open, or good", .run = meter},
    {.verb = "status", .doc = "the truth as one JSON object", .run = status},
    {.verb = "help", .doc = "this list"},
    {0},
};
// clang-format on

void pw_oescenario_help(struct pw_out *out)
{
    pw_rows_help(rows, out);
}

int pw_oescenario_run(struct pw_world_oe *world, struct pw_str line, struct pw_out *answer)
{
    int done = pw_rows_run(rows, world, line, answer);
    if (done == 1) {
        world->wake_at = world->now;
    }
    return done < 0 ? done : PW_OK;
}

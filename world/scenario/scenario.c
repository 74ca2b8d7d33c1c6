#include "scenario/scenario.h"

enum kind {
    NOTHING,
    NUMBER, // least..most, `decimals` places
    BUS,    // 0 or 1; none means 0
    ALARM,  // a word of PW_WORLD_RECTIFIER_ALARMS, or clear
    TEXT,
};

struct argument {
    int64_t number;
    struct pw_str text;
};

// One thing that can happen. Rows of the same verb stand together.
struct row {
    const char *verb;
    const char *word; // second word, or NULL
    enum kind kind;
    unsigned decimals;
    int64_t least, most;
    const char *shows; // the argument in the help
    const char *doc;
    int (*run)(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer);
};

static int ok(struct pw_out *answer)
{
    pw_put_s(answer, "ok");
    return PW_OK;
}

static int plug(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    (void)argument;
    pw_world_dc_plug(world, true);
    return ok(answer);
}

static int unplug(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    (void)argument;
    pw_world_dc_plug(world, false);
    return ok(answer);
}

static int set_bms(struct pw_world_dc *world, enum pw_world_bms_fault fault, struct pw_out *answer)
{
    world->scooter.bms.fault = fault;
    return ok(answer);
}

static int bms_honest(struct pw_world_dc *world, const struct argument *argument,
                      struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_HONEST, answer);
}

static int bms_stop(struct pw_world_dc *world, const struct argument *argument,
                    struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_STOPS, answer);
}

static int bms_silent(struct pw_world_dc *world, const struct argument *argument,
                      struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_SILENT, answer);
}

static int bms_lie(struct pw_world_dc *world, const struct argument *argument,
                   struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_LIES, answer);
}

static int rectifier_alarm(struct pw_world_dc *world, const struct argument *argument,
                           struct pw_out *answer)
{
    if (argument->number == PW_WORLD_RECTIFIER_ALARM_COUNT) {
        pw_world_rectifier_clear(&world->rectifier);
    } else {
        pw_world_rectifier_raise(&world->rectifier,
                                 (enum pw_world_rectifier_alarm)argument->number);
    }
    return ok(answer);
}

static int rectifier_silent(struct pw_world_dc *world, const struct argument *argument,
                            struct pw_out *answer)
{
    (void)argument;
    world->rectifier.silent = true;
    return ok(answer);
}

static int rectifier_talk(struct pw_world_dc *world, const struct argument *argument,
                          struct pw_out *answer)
{
    (void)argument;
    world->rectifier.silent = false;
    return ok(answer);
}

static int set_bus(struct pw_world_dc *world, const struct argument *argument,
                   enum pw_can_state state, struct pw_out *answer)
{
    pw_world_dc_bus(world, (unsigned)argument->number, state);
    return ok(answer);
}

static int bus_off(struct pw_world_dc *world, const struct argument *argument,
                   struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_OFF, answer);
}

static int bus_passive(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_PASSIVE, answer);
}

static int bus_on(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_ACTIVE, answer);
}

#define OVERTEMP_K 50.0 // a blocked filter: 75 degC in a mild room

static int overtemp_on(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    world->rectifier.forced_heat_c = OVERTEMP_K;
    return ok(answer);
}

static int overtemp_off(struct pw_world_dc *world, const struct argument *argument,
                        struct pw_out *answer)
{
    (void)argument;
    world->rectifier.forced_heat_c = 0.0;
    return ok(answer);
}

static int temperature(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    double temp_c = (double)argument->number * 0.1;
    pw_pack_set_temperature(&world->scooter.pack, temp_c);
    world->rectifier.ambient_c = temp_c;
    return ok(answer);
}

static int estop_press(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    pw_charger_set_estop(&world->charger, true, world->now);
    return ok(answer);
}

static int estop_release(struct pw_world_dc *world, const struct argument *argument,
                         struct pw_out *answer)
{
    (void)argument;
    pw_charger_set_estop(&world->charger, false, world->now);
    return ok(answer);
}

static int weld_on(struct pw_world_dc *world, const struct argument *argument,
                   struct pw_out *answer)
{
    (void)argument;
    world->charger.weld = true;
    return ok(answer);
}

static int weld_off(struct pw_world_dc *world, const struct argument *argument,
                    struct pw_out *answer)
{
    (void)argument;
    world->charger.weld = false;
    return ok(answer);
}

static int card(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    int err = pw_world_dc_card(world, argument->text);
    if (err != PW_OK) {
        pw_put_s(answer, "card: an id of 1..");
        pw_put_int(answer, PW_WORLD_DC_CARD_MAX - 1);
        pw_put_s(answer, " characters, got ");
        pw_put_uint(answer, argument->text.len);
        return err;
    }
    return ok(answer);
}

static int soc(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    pw_pack_set_soc(&world->scooter.pack, (double)argument->number * 0.001);
    return ok(answer);
}

static int bring(struct pw_world_dc *world, enum pw_scooter_model model, struct pw_out *answer)
{
    int err = pw_world_dc_vehicle(world, model);
    if (err != PW_OK) {
        pw_put_s(answer, "vehicle: one is plugged in; unplug it first");
        return err;
    }
    return ok(answer);
}

static int vehicle_classic(struct pw_world_dc *world, const struct argument *argument,
                           struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_CLASSIC, answer);
}

static int vehicle_pro(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_PRO, answer);
}

static int vehicle_max(struct pw_world_dc *world, const struct argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_MAX, answer);
}

static int status(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    (void)argument;
    pw_world_dc_print(world, answer);
    return pw_out_err(answer);
}

static int help(struct pw_world_dc *world, const struct argument *argument, struct pw_out *answer)
{
    (void)world;
    (void)argument;
    pw_scenario_help(answer);
    return pw_out_err(answer);
}

// clang-format off
static const struct row rows[] = {
    {"plug", NULL, NOTHING, 0, 0, 0, "", "plug the vehicle in", plug},
    {"unplug", NULL, NOTHING, 0, 0, 0, "", "pull the plug, whatever flows", unplug},
    {"vehicle", "classic", NOTHING, 0, 0, 0, "", "a Classic comes: 30 Ah, asks for 30 A", vehicle_classic},
    {"vehicle", "pro", NOTHING, 0, 0, 0, "", "a Pro comes: 60 Ah, asks for 60 A", vehicle_pro},
    {"vehicle", "max", NOTHING, 0, 0, 0, "", "a Max comes: 90 Ah, asks for 90 A", vehicle_max},
    {"soc", NULL, NUMBER, 1, 0, 1000, "<percent>", "set the state of charge", soc},
    {"card", NULL, TEXT, 0, 0, 0, "<id>", "hold a card to the reader", card},
    {"bms", "stop", NOTHING, 0, 0, 0, "", "the BMS says stop", bms_stop},
    {"bms", "resume", NOTHING, 0, 0, 0, "", "the BMS behaves again", bms_honest},
    {"bms", "silent", NOTHING, 0, 0, 0, "", "the BMS says nothing", bms_silent},
    {"bms", "talk", NOTHING, 0, 0, 0, "", "the BMS speaks again", bms_honest},
    {"bms", "lie", NOTHING, 0, 0, 0, "", "the BMS asks for 95 V and 400 A", bms_lie},
    {"rectifier", "alarm", ALARM, 0, 0, 0, "<alarm>|clear", "raise a rectifier alarm, or clear all", rectifier_alarm},
    {"rectifier", "silent", NOTHING, 0, 0, 0, "", "the rectifier obeys and says nothing", rectifier_silent},
    {"rectifier", "talk", NOTHING, 0, 0, 0, "", "the rectifier speaks again", rectifier_talk},
    {"overtemp", NULL, NOTHING, 0, 0, 0, "", "heat the rectifier's inside by 50 K", overtemp_on},
    {"overtemp", "off", NOTHING, 0, 0, 0, "", "and let it cool", overtemp_off},
    {"temperature", NULL, NUMBER, 1, -300, 800, "<celsius>", "set pack and surroundings to a temperature", temperature},
    {"bus", "off", BUS, 0, 0, 1, "[0|1]", "a CAN bus goes bus-off", bus_off},
    {"bus", "passive", BUS, 0, 0, 1, "[0|1]", "a CAN bus becomes error-passive", bus_passive},
    {"bus", "on", BUS, 0, 0, 1, "[0|1]", "a CAN bus works again", bus_on},
    {"estop", "press", NOTHING, 0, 0, 0, "", "press the emergency stop", estop_press},
    {"estop", "release", NOTHING, 0, 0, 0, "", "pull it out again", estop_release},
    {"weld", "on", NOTHING, 0, 0, 0, "", "the contactor, once closed, stays closed", weld_on},
    {"weld", "off", NOTHING, 0, 0, 0, "", "the contactor is replaced", weld_off},
    {"status", NULL, NOTHING, 0, 0, 0, "", "the truth as one JSON object", status},
    {"help", NULL, NOTHING, 0, 0, 0, "", "this list", help},
};
// clang-format on

static void put_quoted(struct pw_out *out, struct pw_str text)
{
    pw_put_c(out, '"');
    pw_put(out, text);
    pw_put_c(out, '"');
}

static void put_alarms(struct pw_out *out)
{
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        pw_put_s(out, pw_world_rectifier_alarm_word((enum pw_world_rectifier_alarm)i));
        pw_put_s(out, ", ");
    }
    pw_put_s(out, "clear");
}

void pw_scenario_help(struct pw_out *out)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        size_t start = out->len;
        pw_put_s(out, "  ");
        pw_put_s(out, rows[i].verb);
        if (rows[i].word != NULL) {
            pw_put_c(out, ' ');
            pw_put_s(out, rows[i].word);
        }
        if (rows[i].shows[0] != '\0') {
            pw_put_c(out, ' ');
            pw_put_s(out, rows[i].shows);
        }
        while (out->len < start + 34 && !out->full) {
            pw_put_c(out, ' ');
        }
        pw_put_s(out, rows[i].doc);
        pw_put_c(out, '\n');
    }
    pw_put_s(out, "alarms: ");
    put_alarms(out);
    pw_put_c(out, '\n');
}

static int refuse_verb(struct pw_str verb, struct pw_out *answer)
{
    pw_put_s(answer, "unknown command ");
    put_quoted(answer, verb);
    pw_put_s(answer, "; commands are ");
    const char *last = "";
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!pw_str_is(pw_str_of(last), rows[i].verb)) {
            pw_put_s(answer, i > 0 ? ", " : "");
            pw_put_s(answer, rows[i].verb);
            last = rows[i].verb;
        }
    }
    return PW_ERR_UNKNOWN;
}

static int refuse_word(struct pw_str verb, struct pw_str word, struct pw_out *answer)
{
    pw_put(answer, verb);
    pw_put_c(answer, ' ');
    put_quoted(answer, word);
    pw_put_s(answer, ": must be ");
    const char *between = "";
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (pw_str_is(verb, rows[i].verb)) {
            pw_put_s(answer, between);
            pw_put_s(answer, rows[i].word != NULL ? rows[i].word : "nothing");
            between = ", ";
        }
    }
    return PW_ERR_RANGE;
}

static int refuse_argument(const struct row *row, struct pw_str text, struct pw_out *answer)
{
    pw_put_s(answer, row->verb);
    if (row->word != NULL) {
        pw_put_c(answer, ' ');
        pw_put_s(answer, row->word);
    }
    pw_put_c(answer, ' ');
    put_quoted(answer, text);
    pw_put_s(answer, ": must be ");
    switch (row->kind) {
    case NOTHING: pw_put_s(answer, "nothing"); break;
    case NUMBER:
    case BUS:
        pw_put_fixed(answer, row->least, row->decimals);
        pw_put_s(answer, "..");
        pw_put_fixed(answer, row->most, row->decimals);
        break;
    case ALARM: put_alarms(answer); break;
    case TEXT: pw_put_s(answer, "a text"); break;
    }
    return PW_ERR_RANGE;
}

static bool read_alarm(struct pw_str text, int64_t *value)
{
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        if (pw_str_is(text, pw_world_rectifier_alarm_word((enum pw_world_rectifier_alarm)i))) {
            *value = i;
            return true;
        }
    }
    *value = PW_WORLD_RECTIFIER_ALARM_COUNT;
    return pw_str_is(text, "clear");
}

static bool read_argument(const struct row *row, struct pw_str text, struct argument *argument)
{
    argument->text = text;
    switch (row->kind) {
    case NOTHING: return text.len == 0;
    case NUMBER:
        return pw_parse_fixed(text, row->decimals, &argument->number) == PW_OK &&
               argument->number >= row->least && argument->number <= row->most;
    case BUS:
        return text.len == 0 ||
               pw_parse_int(text, row->least, row->most, &argument->number) == PW_OK;
    case ALARM: return read_alarm(text, &argument->number);
    case TEXT: return text.len > 0;
    }
    PW_UNREACHABLE();
}

// The row of a verb and, where its rows have one, a word; *rest loses the word. NULL without one.
static const struct row *find(struct pw_str verb, struct pw_str *rest)
{
    const struct row *plain = NULL;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!pw_str_is(verb, rows[i].verb)) {
            continue;
        }
        struct pw_str after = *rest;
        if (rows[i].word == NULL) {
            plain = &rows[i];
        } else if (pw_str_is(pw_str_cut(&after, ' '), rows[i].word)) {
            *rest = pw_str_trim(after);
            return &rows[i];
        }
    }
    return plain;
}

static bool has_verb(struct pw_str verb)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (pw_str_is(verb, rows[i].verb)) {
            return true;
        }
    }
    return false;
}

int pw_scenario_run(struct pw_world_dc *world, struct pw_str line, struct pw_out *answer)
{
    struct pw_str rest = pw_str_trim(line);
    if (rest.len == 0) {
        return PW_OK;
    }
    struct pw_str verb = pw_str_cut(&rest, ' ');
    rest = pw_str_trim(rest);
    const struct row *row = find(verb, &rest);
    if (row == NULL) {
        return has_verb(verb) ? refuse_word(verb, rest, answer) : refuse_verb(verb, answer);
    }
    struct argument argument = {0};
    if (!read_argument(row, rest, &argument)) {
        return row->word == NULL && row->kind == NOTHING && rest.len > 0
                   ? refuse_word(verb, rest, answer)
                   : refuse_argument(row, rest, answer);
    }
    return row->run(world, &argument, answer);
}

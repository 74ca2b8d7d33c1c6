#include "scenario/scenario.h"

#include "scenario/rows.h"

static int ok(struct pw_out *answer)
{
    pw_put_s(answer, "ok");
    return PW_OK;
}

static int plug(struct pw_world_dc *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)argument;
    pw_world_dc_plug(world, true);
    return ok(answer);
}

static int unplug(struct pw_world_dc *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
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

static int bms_honest(struct pw_world_dc *world, const struct pw_row_argument *argument,
                      struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_HONEST, answer);
}

static int bms_stop(struct pw_world_dc *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_STOPS, answer);
}

static int bms_silent(struct pw_world_dc *world, const struct pw_row_argument *argument,
                      struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_SILENT, answer);
}

static int bms_lie(struct pw_world_dc *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    (void)argument;
    return set_bms(world, PW_WORLD_BMS_LIES, answer);
}

static int rectifier_alarm(struct pw_world_dc *world, const struct pw_row_argument *argument,
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

static int rectifier_silent(struct pw_world_dc *world, const struct pw_row_argument *argument,
                            struct pw_out *answer)
{
    (void)argument;
    world->rectifier.silent = true;
    return ok(answer);
}

static int rectifier_talk(struct pw_world_dc *world, const struct pw_row_argument *argument,
                          struct pw_out *answer)
{
    (void)argument;
    world->rectifier.silent = false;
    return ok(answer);
}

static int set_bus(struct pw_world_dc *world, const struct pw_row_argument *argument,
                   enum pw_can_state state, struct pw_out *answer)
{
    pw_world_dc_bus(world, (unsigned)argument->number, state);
    return ok(answer);
}

static int bus_off(struct pw_world_dc *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_OFF, answer);
}

static int bus_passive(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_PASSIVE, answer);
}

static int bus_on(struct pw_world_dc *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    return set_bus(world, argument, PW_CAN_ACTIVE, answer);
}

#define OVERTEMP_K 50.0 // a blocked filter: 75 degC in a mild room

static int overtemp_on(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    world->rectifier.forced_heat_c = OVERTEMP_K;
    return ok(answer);
}

static int overtemp_off(struct pw_world_dc *world, const struct pw_row_argument *argument,
                        struct pw_out *answer)
{
    (void)argument;
    world->rectifier.forced_heat_c = 0.0;
    return ok(answer);
}

static int temperature(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    double temp_c = (double)argument->number * 0.1;
    pw_pack_set_temperature(&world->scooter.pack, temp_c);
    world->rectifier.ambient_c = temp_c;
    return ok(answer);
}

static int estop_press(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    pw_charger_set_estop(&world->charger, true, world->now);
    return ok(answer);
}

static int estop_release(struct pw_world_dc *world, const struct pw_row_argument *argument,
                         struct pw_out *answer)
{
    (void)argument;
    pw_charger_set_estop(&world->charger, false, world->now);
    return ok(answer);
}

static int weld_on(struct pw_world_dc *world, const struct pw_row_argument *argument,
                   struct pw_out *answer)
{
    (void)argument;
    world->charger.weld = true;
    return ok(answer);
}

static int weld_off(struct pw_world_dc *world, const struct pw_row_argument *argument,
                    struct pw_out *answer)
{
    (void)argument;
    world->charger.weld = false;
    return ok(answer);
}

static int card(struct pw_world_dc *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
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

static int soc(struct pw_world_dc *world, const struct pw_row_argument *argument,
               struct pw_out *answer)
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

static int vehicle_classic(struct pw_world_dc *world, const struct pw_row_argument *argument,
                           struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_CLASSIC, answer);
}

static int vehicle_pro(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_PRO, answer);
}

static int vehicle_max(struct pw_world_dc *world, const struct pw_row_argument *argument,
                       struct pw_out *answer)
{
    (void)argument;
    return bring(world, PW_SCOOTER_MAX, answer);
}

static int status(struct pw_world_dc *world, const struct pw_row_argument *argument,
                  struct pw_out *answer)
{
    (void)argument;
    pw_world_dc_print(world, answer);
    return pw_out_err(answer);
}

static int help(struct pw_world_dc *world, const struct pw_row_argument *argument,
                struct pw_out *answer)
{
    (void)world;
    (void)argument;
    pw_scenario_help(answer);
    return pw_out_err(answer);
}

struct row {
    struct pw_row is;
    int (*run)(struct pw_world_dc *world, const struct pw_row_argument *argument,
               struct pw_out *answer);
};

static const char *alarm_word(size_t i)
{
    if (i > PW_WORLD_RECTIFIER_ALARM_COUNT) {
        return NULL;
    }
    return i == PW_WORLD_RECTIFIER_ALARM_COUNT
               ? "clear"
               : pw_world_rectifier_alarm_word((enum pw_world_rectifier_alarm)i);
}

// clang-format off
static const struct row rows[] = {
    {{.verb = "plug", .doc = "plug the vehicle in"}, plug},
    {{.verb = "unplug", .doc = "pull the plug, whatever flows"}, unplug},
    {{.verb = "vehicle", .word = "classic", .doc = "a Classic comes: 30 Ah, asks for 30 A"}, vehicle_classic},
    {{.verb = "vehicle", .word = "pro", .doc = "a Pro comes: 60 Ah, asks for 60 A"}, vehicle_pro},
    {{.verb = "vehicle", .word = "max", .doc = "a Max comes: 90 Ah, asks for 90 A"}, vehicle_max},
    {{.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge"}, soc},
    {{.verb = "card", .kind = PW_ROW_TEXT, .shows = "<id>", .doc = "hold a card to the reader"}, card},
    {{.verb = "bms", .word = "stop", .doc = "the BMS says stop"}, bms_stop},
    {{.verb = "bms", .word = "resume", .doc = "the BMS behaves again"}, bms_honest},
    {{.verb = "bms", .word = "silent", .doc = "the BMS says nothing"}, bms_silent},
    {{.verb = "bms", .word = "talk", .doc = "the BMS speaks again"}, bms_honest},
    {{.verb = "bms", .word = "lie", .doc = "the BMS asks for 95 V and 400 A"}, bms_lie},
    {{.verb = "rectifier", .word = "alarm", .kind = PW_ROW_WORD, .words = alarm_word, .shows = "<alarm>|clear", .doc = "raise a rectifier alarm, or clear all"}, rectifier_alarm},
    {{.verb = "rectifier", .word = "silent", .doc = "the rectifier obeys and says nothing"}, rectifier_silent},
    {{.verb = "rectifier", .word = "talk", .doc = "the rectifier speaks again"}, rectifier_talk},
    {{.verb = "overtemp", .doc = "heat the rectifier's inside by 50 K"}, overtemp_on},
    {{.verb = "overtemp", .word = "off", .doc = "and let it cool"}, overtemp_off},
    {{.verb = "temperature", .kind = PW_ROW_NUMBER, .decimals = 1, .least = -300, .most = 800, .shows = "<celsius>", .doc = "set pack and surroundings to a temperature"}, temperature},
    {{.verb = "bus", .word = "off", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus goes bus-off"}, bus_off},
    {{.verb = "bus", .word = "passive", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus becomes error-passive"}, bus_passive},
    {{.verb = "bus", .word = "on", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus works again"}, bus_on},
    {{.verb = "estop", .word = "press", .doc = "press the emergency stop"}, estop_press},
    {{.verb = "estop", .word = "release", .doc = "pull it out again"}, estop_release},
    {{.verb = "weld", .word = "on", .doc = "the contactor, once closed, stays closed"}, weld_on},
    {{.verb = "weld", .word = "off", .doc = "the contactor is replaced"}, weld_off},
    {{.verb = "status", .doc = "the truth as one JSON object"}, status},
    {{.verb = "help", .doc = "this list"}, help},
};
// clang-format on

static const struct pw_row *row_at(size_t i)
{
    return i < PW_COUNT(rows) ? &rows[i].is : NULL;
}

void pw_scenario_help(struct pw_out *out)
{
    pw_rows_help(row_at, out);
}

int pw_scenario_run(struct pw_world_dc *world, struct pw_str line, struct pw_out *answer)
{
    struct pw_row_argument argument;
    size_t row = 0;
    int found = pw_rows_read(row_at, line, &row, &argument, answer);
    return found == 1 ? rows[row].run(world, &argument, answer) : found;
}

#include "scenario/scenario.h"

#include "scenario/rows.h"

static int plug(void *context, const struct pw_row_call *call)
{
    pw_world_dc_plug(context, call->which != 0);
    return PW_OK;
}

static int bms(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    world->scooter.bms.fault = (enum pw_world_bms_fault)call->which;
    return PW_OK;
}

static int rectifier_alarm(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    if (call->number == PW_WORLD_RECTIFIER_ALARM_COUNT) {
        pw_world_rectifier_clear(&world->rectifier);
    } else {
        pw_world_rectifier_raise(&world->rectifier, (enum pw_world_rectifier_alarm)call->number);
    }
    return PW_OK;
}

static int rectifier_silent(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    world->rectifier.silent = call->which != 0;
    return PW_OK;
}

static int bus(void *context, const struct pw_row_call *call)
{
    pw_world_dc_bus(context, (unsigned)call->number, (enum pw_can_state)call->which);
    return PW_OK;
}

#define OVERTEMP_K 50.0 // a blocked filter: 75 degC in a mild room

static int overtemp(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    world->rectifier.forced_heat_c = call->which != 0 ? OVERTEMP_K : 0.0;
    return PW_OK;
}

static int temperature(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    double temp_c = (double)call->number * 0.1;
    pw_pack_set_temperature(&world->scooter.pack, temp_c);
    world->rectifier.ambient_c = temp_c;
    return PW_OK;
}

static int estop(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    pw_charger_set_estop(&world->charger, call->which != 0, world->now);
    return PW_OK;
}

static int weld(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    world->charger.weld = call->which != 0;
    return PW_OK;
}

static int card(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    return pw_world_dc_card(world, call->text);
}

static int soc(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    pw_pack_set_soc(&world->scooter.pack, (double)call->number * 0.001);
    return PW_OK;
}

static int vehicle(void *context, const struct pw_row_call *call)
{
    int err = pw_world_dc_vehicle(context, (enum pw_scooter_model)call->which);
    if (err != PW_OK) {
        pw_put_s(call->answer, "vehicle: one is plugged in; unplug it first");
    }
    return err;
}

static int status(void *context, const struct pw_row_call *call)
{
    struct pw_world_dc *world = context;
    pw_world_dc_print(world, call->answer);
    return PW_OK;
}

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
static const struct pw_row rows[] = {
    {.verb = "plug", .doc = "plug the vehicle in", .run = plug, .which = true},
    {.verb = "unplug", .doc = "pull the plug, whatever flows", .run = plug, .which = false},
    {.verb = "vehicle", .word = "classic", .doc = "a Classic comes: 30 Ah, asks for 30 A", .run = vehicle, .which = PW_SCOOTER_CLASSIC},
    {.verb = "vehicle", .word = "pro", .doc = "a Pro comes: 60 Ah, asks for 60 A", .run = vehicle, .which = PW_SCOOTER_PRO},
    {.verb = "vehicle", .word = "max", .doc = "a Max comes: 90 Ah, asks for 90 A", .run = vehicle, .which = PW_SCOOTER_MAX},
    {.verb = "soc", .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 1000, .shows = "<percent>", .doc = "set the state of charge", .run = soc},
    {.verb = "card", .kind = PW_ROW_TEXT, .least = 1, .most = PW_WORLD_DC_CARD_MAX - 1, .shows = "<id>", .doc = "hold a card to the reader", .run = card},
    {.verb = "bms", .word = "stop", .doc = "the BMS says stop", .run = bms, .which = PW_WORLD_BMS_STOPS},
    {.verb = "bms", .word = "resume", .doc = "the BMS behaves again", .run = bms, .which = PW_WORLD_BMS_HONEST},
    {.verb = "bms", .word = "silent", .doc = "the BMS says nothing", .run = bms, .which = PW_WORLD_BMS_SILENT},
    {.verb = "bms", .word = "talk", .doc = "the BMS speaks again", .run = bms, .which = PW_WORLD_BMS_HONEST},
    {.verb = "bms", .word = "lie", .doc = "the BMS asks for 95 V and 400 A", .run = bms, .which = PW_WORLD_BMS_LIES},
    {.verb = "rectifier", .word = "alarm", .kind = PW_ROW_WORD, .word_at = alarm_word, .shows = "<alarm>|clear", .doc = "raise a rectifier alarm, or clear all", .run = rectifier_alarm},
    {.verb = "rectifier", .word = "silent", .doc = "the rectifier obeys and says nothing", .run = rectifier_silent, .which = true},
    {.verb = "rectifier", .word = "talk", .doc = "the rectifier speaks again", .run = rectifier_silent, .which = false},
    {.verb = "overtemp", .doc = "heat the rectifier's inside by 50 K", .run = overtemp, .which = true},
    {.verb = "overtemp", .word = "off", .doc = "and let it cool", .run = overtemp, .which = false},
    {.verb = "temperature", .kind = PW_ROW_NUMBER, .decimals = 1, .least = -300, .most = 800, .shows = "<celsius>", .doc = "set pack and surroundings to a temperature", .run = temperature},
    {.verb = "bus", .word = "off", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus goes bus-off", .run = bus, .which = PW_CAN_OFF},
    {.verb = "bus", .word = "passive", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus becomes error-passive", .run = bus, .which = PW_CAN_PASSIVE},
    {.verb = "bus", .word = "on", .kind = PW_ROW_MAYBE, .least = 0, .most = 1, .shows = "[0|1]", .doc = "a CAN bus works again", .run = bus, .which = PW_CAN_ACTIVE},
    {.verb = "estop", .word = "press", .doc = "press the emergency stop", .run = estop, .which = true},
    {.verb = "estop", .word = "release", .doc = "pull it out again", .run = estop, .which = false},
    {.verb = "weld", .word = "on", .doc = "the contactor, once closed, stays closed", .run = weld, .which = true},
    {.verb = "weld", .word = "off", .doc = "the contactor is replaced", .run = weld, .which = false},
    {.verb = "status", .doc = "the truth as one JSON object", .run = status},
    {.verb = "help", .doc = "this list"},
    {0},
};
// clang-format on

void pw_scenario_help(struct pw_out *out)
{
    pw_rows_help(rows, out);
}

int pw_scenario_run(struct pw_world_dc *world, struct pw_str line, struct pw_out *answer)
{
    int done = pw_rows_run(rows, world, line, answer);
    return done < 0 ? done : PW_OK;
}

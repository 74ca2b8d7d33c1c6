#include "meterworld/meterworld.h"

#include "scenario/rows.h"

#include <math.h>

#define READING_MS 100

static double watt_of(const struct pw_world_meter *meter, unsigned phase)
{
    return meter->volt[phase] * meter->ampere[phase] * meter->factor;
}

static double watts_of(const struct pw_world_meter *meter)
{
    double sum = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        sum += watt_of(meter, p);
    }
    return sum;
}

void pw_world_meter_init(struct pw_world_meter *meter, pw_ms now)
{
    *meter = (struct pw_world_meter){
        .volt = {230, 230, 230},
        .factor = 1,
        .hertz = 50,
        .import_wh = 1234500,
        .now = now,
    };
    (void)pw_world_meter_step(meter, now);
}

// A tenth of a volt up and down.
static double ripple(pw_ms now, unsigned phase)
{
    return 0.1 * sin((double)now / 1700.0 + phase);
}

static void show(struct pw_world_meter *meter)
{
    struct pw_board_mains *shown = &meter->shown;
    shown->at = meter->now;
    shown->mhz = (int32_t)lround(meter->hertz * 1000);
    shown->import_mwh = (int64_t)(meter->import_wh * 1000);
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        double volt = fmax(meter->volt[p] + ripple(meter->now, p), 0);
        shown->mv[p] = (int32_t)lround(volt * 1000);
        shown->ma[p] = (int32_t)lround(fabs(meter->ampere[p]) * 1000);
        shown->mw[p] = (int32_t)lround(watt_of(meter, p) * 1000);
    }
}

pw_ms pw_world_meter_step(struct pw_world_meter *meter, pw_ms now)
{
    double hours = (double)(now - meter->now) / 3600000.0;
    meter->import_wh += fmax(watts_of(meter), 0) * hours;
    meter->now = now;
    if (!meter->frozen) {
        show(meter);
    }
    return now + READING_MS;
}

void pw_world_meter_print(const struct pw_world_meter *meter, struct pw_out *out)
{
    pw_put_s(out, "{\"power_w\":");
    pw_put_fixed(out, (int64_t)llround(watts_of(meter) * 1000), 3);
    pw_put_s(out, ",\"register_wh\":");
    pw_put_fixed(out, (int64_t)(meter->import_wh * 1000), 3);
    pw_put_s(out, ",\"frozen\":");
    pw_put_s(out, meter->frozen ? "true" : "false");
    pw_put_c(out, '}');
}

// ---------------------------------------------------------------------------------------------
// Commands

enum { L1 = 1, L2 = 2, L3 = 4, ALL = 7 };

static void set(double *values, int which, double value)
{
    for (int i = 0; i < PW_BOARD_PHASES; i++) {
        if ((which & 1 << i) != 0) {
            values[i] = value;
        }
    }
}

static int current(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    set(meter->ampere, call->which, (double)call->number * 0.001);
    return PW_OK;
}

static int voltage(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    set(meter->volt, call->which, (double)call->number * 0.1);
    return PW_OK;
}

static int factor(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    meter->factor = (double)call->number * 0.001;
    return PW_OK;
}

static int hertz(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    meter->hertz = (double)call->number * 0.01;
    return PW_OK;
}

static int set_register(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    meter->import_wh = (double)call->number;
    return PW_OK;
}

static const char *const freeze_words[] = {"off", "on", NULL};

static int freeze(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    meter->frozen = call->number == 1;
    return PW_OK;
}

static const char *const mood_words[] = {"good", "silent", "refuses", "garbles", NULL};

static int mood(void *context, const struct pw_row_call *call)
{
    struct pw_world_meter *meter = context;
    meter->mood = (enum pw_world_meter_mood)call->number;
    return PW_OK;
}

static int status(void *context, const struct pw_row_call *call)
{
    pw_world_meter_print(context, call->answer);
    return PW_OK;
}

// clang-format off
#define CURRENT .kind = PW_ROW_NUMBER, .decimals = 3, .least = -1000000, .most = 1000000, .shows = "<ampere>"
#define VOLTAGE .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 10000, .shows = "<volt>"
static const struct pw_row rows[] = {
    {.verb = "current", .word = "all", CURRENT, .doc = "what flows on every phase; below zero: back", .run = current, .which = ALL},
    {.verb = "current", .word = "l1", CURRENT, .doc = "what flows on a phase", .run = current, .which = L1},
    {.verb = "current", .word = "l2", CURRENT, .doc = "what flows on a phase", .run = current, .which = L2},
    {.verb = "current", .word = "l3", CURRENT, .doc = "what flows on a phase", .run = current, .which = L3},
    {.verb = "voltage", .word = "all", VOLTAGE, .doc = "of every phase", .run = voltage, .which = ALL},
    {.verb = "voltage", .word = "l1", VOLTAGE, .doc = "of a phase", .run = voltage, .which = L1},
    {.verb = "voltage", .word = "l2", VOLTAGE, .doc = "of a phase", .run = voltage, .which = L2},
    {.verb = "voltage", .word = "l3", VOLTAGE, .doc = "of a phase", .run = voltage, .which = L3},
    {.verb = "factor", .kind = PW_ROW_NUMBER, .decimals = 3, .least = 0, .most = 1000, .shows = "<0..1>", .doc = "active power by volt amperes", .run = factor},
    {.verb = "hertz", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 0, .most = 10000, .shows = "<hertz>", .doc = "frequency", .run = hertz},
    {.verb = "register", .kind = PW_ROW_NUMBER, .decimals = 3, .least = 0, .most = INT64_C(1000000000000), .shows = "<kWh>", .doc = "set the register, as a replaced meter has another", .run = set_register},
    {.verb = "freeze", .kind = PW_ROW_WORD, .words = freeze_words, .shows = "on|off", .doc = "shows for ever what it showed last", .run = freeze},
    {.verb = "meter", .kind = PW_ROW_WORD, .words = mood_words, .shows = "<state>", .doc = "answers nothing, refuses, answers noise, or is good", .run = mood},
    {.verb = "status", .doc = "the truth as one JSON object", .run = status},
    {.verb = "help", .doc = "this list"},
    {0},
};
// clang-format on

void pw_world_meter_help(struct pw_out *out)
{
    pw_rows_help(rows, out);
}

int pw_world_meter_run(struct pw_world_meter *meter, struct pw_str line, struct pw_out *answer)
{
    int done = pw_rows_run(rows, meter, line, answer);
    return done < 0 ? done : PW_OK;
}

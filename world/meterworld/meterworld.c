#include "meterworld/meterworld.h"

#include "scenario/rows.h"

#include <math.h>
#include <string.h>

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

struct row {
    struct pw_row is;
    void (*run)(struct pw_world_meter *meter, int64_t number);
};

static void set_all(double *values, double value)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        values[p] = value;
    }
}

static void current_all(struct pw_world_meter *meter, int64_t number)
{
    set_all(meter->ampere, (double)number * 0.001);
}

static void current_l1(struct pw_world_meter *meter, int64_t number)
{
    meter->ampere[0] = (double)number * 0.001;
}

static void current_l2(struct pw_world_meter *meter, int64_t number)
{
    meter->ampere[1] = (double)number * 0.001;
}

static void current_l3(struct pw_world_meter *meter, int64_t number)
{
    meter->ampere[2] = (double)number * 0.001;
}

static void voltage_all(struct pw_world_meter *meter, int64_t number)
{
    set_all(meter->volt, (double)number * 0.1);
}

static void voltage_l1(struct pw_world_meter *meter, int64_t number)
{
    meter->volt[0] = (double)number * 0.1;
}

static void voltage_l2(struct pw_world_meter *meter, int64_t number)
{
    meter->volt[1] = (double)number * 0.1;
}

static void voltage_l3(struct pw_world_meter *meter, int64_t number)
{
    meter->volt[2] = (double)number * 0.1;
}

static void factor(struct pw_world_meter *meter, int64_t number)
{
    meter->factor = (double)number * 0.001;
}

static void hertz(struct pw_world_meter *meter, int64_t number)
{
    meter->hertz = (double)number * 0.01;
}

static void set_register(struct pw_world_meter *meter, int64_t number)
{
    meter->import_wh = (double)number;
}

static const char *freeze_word(size_t place)
{
    static const char *const words[] = {"off", "on"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static void freeze(struct pw_world_meter *meter, int64_t number)
{
    meter->frozen = number == 1;
}

static const char *mood_word(size_t place)
{
    static const char *const words[] = {"good", "silent", "refuses", "garbles"};
    return place < PW_COUNT(words) ? words[place] : NULL;
}

static void mood(struct pw_world_meter *meter, int64_t number)
{
    meter->mood = (enum pw_world_meter_mood)number;
}

// clang-format off
#define CURRENT .kind = PW_ROW_NUMBER, .decimals = 3, .least = -1000000, .most = 1000000, .shows = "<ampere>"
#define VOLTAGE .kind = PW_ROW_NUMBER, .decimals = 1, .least = 0, .most = 10000, .shows = "<volt>"
static const struct row rows[] = {
    {{.verb = "current", .word = "all", CURRENT, .doc = "what flows on every phase; below zero: back"}, current_all},
    {{.verb = "current", .word = "l1", CURRENT, .doc = "what flows on a phase"}, current_l1},
    {{.verb = "current", .word = "l2", CURRENT, .doc = "what flows on a phase"}, current_l2},
    {{.verb = "current", .word = "l3", CURRENT, .doc = "what flows on a phase"}, current_l3},
    {{.verb = "voltage", .word = "all", VOLTAGE, .doc = "of every phase"}, voltage_all},
    {{.verb = "voltage", .word = "l1", VOLTAGE, .doc = "of a phase"}, voltage_l1},
    {{.verb = "voltage", .word = "l2", VOLTAGE, .doc = "of a phase"}, voltage_l2},
    {{.verb = "voltage", .word = "l3", VOLTAGE, .doc = "of a phase"}, voltage_l3},
    {{.verb = "factor", .kind = PW_ROW_NUMBER, .decimals = 3, .least = 0, .most = 1000, .shows = "<0..1>", .doc = "active power by volt amperes"}, factor},
    {{.verb = "hertz", .kind = PW_ROW_NUMBER, .decimals = 2, .least = 0, .most = 10000, .shows = "<hertz>", .doc = "frequency"}, hertz},
    {{.verb = "register", .kind = PW_ROW_NUMBER, .decimals = 3, .least = 0, .most = INT64_C(1000000000000), .shows = "<kWh>", .doc = "set the register, as a replaced meter has another"}, set_register},
    {{.verb = "freeze", .kind = PW_ROW_WORD, .words = freeze_word, .shows = "on|off", .doc = "shows for ever what it showed last"}, freeze},
    {{.verb = "meter", .kind = PW_ROW_WORD, .words = mood_word, .shows = "<state>", .doc = "answers nothing, refuses, answers noise, or is good"}, mood},
    {{.verb = "status", .doc = "the truth as one JSON object"}, NULL},
    {{.verb = "help", .doc = "this list"}, NULL},
};
// clang-format on

static const struct pw_row *row_at(size_t i)
{
    return i < PW_COUNT(rows) ? &rows[i].is : NULL;
}

void pw_world_meter_help(struct pw_out *out)
{
    pw_rows_help(row_at, out);
}

int pw_world_meter_run(struct pw_world_meter *meter, struct pw_str line, struct pw_out *answer)
{
    struct pw_row_argument argument;
    size_t row = 0;
    int found = pw_rows_read(row_at, line, &row, &argument, answer);
    if (found != 1) {
        return found;
    }
    if (rows[row].run != NULL) {
        rows[row].run(meter, argument.number);
        pw_put_s(answer, "ok");
    } else if (strcmp(rows[row].is.verb, "help") == 0) {
        pw_world_meter_help(answer);
    } else {
        pw_world_meter_print(meter, answer);
    }
    return pw_out_err(answer);
}

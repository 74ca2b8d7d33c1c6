#include "options.h"

#include "meterworld/meterworld.h"
#include "scenario/acscenario.h"

enum kind {
    FLAG,
    TEXT,
    NUMBER, // least..most, `decimals` places
    CHOICE, // the words in `shows`, separated by '|'; the number is the word's place
};

struct value {
    const char *text;
    int64_t number;
};

// Whose option it is.
#define DC    1U
#define AC    2U
#define METER 4U
#define BOTH  (DC | AC)
#define ALL   (DC | AC | METER)

struct option {
    unsigned kinds;
    const char *name;
    const char *shows; // the value in the help
    enum kind kind;
    unsigned decimals;
    int64_t least, most;
    const char *doc;
    void (*set)(struct pw_sim_options *options, struct value value);
};

static void set_can(struct pw_sim_options *options, struct value value)
{
    options->can[0] = value.text;
}

static void set_can2(struct pw_sim_options *options, struct value value)
{
    options->can[1] = value.text;
}

static void set_vehicle_bus(struct pw_sim_options *options, struct value value)
{
    options->dc.vehicle_bus = (unsigned)value.number;
}

static void set_power_bus(struct pw_sim_options *options, struct value value)
{
    options->dc.power_bus = (unsigned)value.number;
}

static void set_vehicle(struct pw_sim_options *options, struct value value)
{
    options->dc.scooter.model = (enum pw_scooter_model)value.number;
}

static void set_chemistry(struct pw_sim_options *options, struct value value)
{
    options->dc.scooter.chemistry = (enum pw_pack_chemistry)value.number;
}

static void set_soc(struct pw_sim_options *options, struct value value)
{
    options->dc.scooter.soc = (double)value.number * 0.001;
    options->ac.car.soc = (double)value.number * 0.001;
}

static void set_temperature(struct pw_sim_options *options, struct value value)
{
    options->dc.temp_c = (double)value.number * 0.1;
    options->ac.temp_c = (double)value.number * 0.1;
}

static void set_plugged(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->dc.plugged = true;
    options->ac.plugged = true;
}

static void set_bms(struct pw_sim_options *options, struct value value)
{
    options->dc.scooter.form = (enum pw_world_bms_form)value.number;
}

static void set_rectifier(struct pw_sim_options *options, struct value value)
{
    options->dc.rectifier.maker = (enum pw_world_rectifier_maker)value.number;
}

static void set_address(struct pw_sim_options *options, struct value value)
{
    options->dc.rectifier.address = (uint8_t)value.number;
}

static void set_modules(struct pw_sim_options *options, struct value value)
{
    options->dc.rectifier.modules = (uint8_t)value.number;
}

static void set_node(struct pw_sim_options *options, struct value value)
{
    options->dc.io_node = (uint8_t)value.number;
}

static void set_meter(struct pw_sim_options *options, struct value value)
{
    options->meter = value.text;
}

static void set_card_reader(struct pw_sim_options *options, struct value value)
{
    options->card_reader = value.text;
}

static void set_control(struct pw_sim_options *options, struct value value)
{
    options->control = value.text;
}

static void set_seed(struct pw_sim_options *options, struct value value)
{
    options->dc.seed = (uint64_t)value.number;
    options->ac.seed = (uint64_t)value.number;
}

static void set_link(struct pw_sim_options *options, struct value value)
{
    options->link = value.text;
}

static void set_listen(struct pw_sim_options *options, struct value value)
{
    options->listen = value.text;
}

static void set_car(struct pw_sim_options *options, struct value value)
{
    options->car = value.text;
}

static void set_capacity(struct pw_sim_options *options, struct value value)
{
    options->ac.car.capacity_kwh = (double)value.number * 0.1;
}

static void set_phases(struct pw_sim_options *options, struct value value)
{
    options->ac.path.phases = value.number == 0 ? 1 : 3;
}

static void set_tethered(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->ac.path.socket = false;
}

static void set_cable(struct pw_sim_options *options, struct value value)
{
    static const int32_t ohms[] = {1500, 680, 220, 100};
    options->ac.cable_ohm = ohms[value.number];
}

static void set_samples(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->ac.board.raw = true;
}

static void set_report(struct pw_sim_options *options, struct value value)
{
    options->ac.board.quick_ms = (pw_ms)value.number;
    options->ac.board.rest_ms = (pw_ms)value.number;
}

static void set_step(struct pw_sim_options *options, struct value value)
{
    options->ac.board.step_ppm = (int32_t)value.number;
}

static void set_noise(struct pw_sim_options *options, struct value value)
{
    options->ac.board.cp_noise_mv = (int32_t)value.number;
}

static void set_status(struct pw_sim_options *options, struct value value)
{
    options->status_s = (unsigned)value.number;
}

static void set_help(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->help = true;
}

// clang-format off
static const struct option known[] = {
    {DC, "--can", "URL", TEXT, 0, 0, 0, "first CAN bus: mcast:239.74.163.2:43113, socketcan:vcan0, slcan:..; must be given", set_can},
    {DC, "--can2", "URL", TEXT, 0, 0, 0, "second CAN bus", set_can2},
    {DC, "--vehicle-bus", "0|1", NUMBER, 0, 0, 1, "bus of the vehicle's BMS (0)", set_vehicle_bus},
    {DC, "--power-bus", "0|1", NUMBER, 0, 0, 1, "bus of rectifier, terminal report and I/O node (0)", set_power_bus},
    {DC, "--vehicle", "classic|pro|max", CHOICE, 0, 0, 0, "model: 30, 60 or 90 Ah (classic)", set_vehicle},
    {DC, "--chemistry", "lfp23s|nmc20s", CHOICE, 0, 0, 0, "cells of its pack (lfp23s)", set_chemistry},
    {DC, "--bms", "elcon|elcon-soc", CHOICE, 0, 0, 0, "bytes 5-6 of its request: heating, or state of charge (elcon-soc)", set_bms},
    {AC, "--link", "PATH", TEXT, 0, 0, 0, "front-end as a serial device made at PATH; this or --listen must be given", set_link},
    {AC, "--listen", "ADDRESS:PORT", TEXT, 0, 0, 0, "front-end as a TCP port", set_listen},
    {AC, "--car", "TEMPERAMENT", TEXT, 0, 0, 0, "what kind of car, below (honest)", set_car},
    {AC, "--capacity", "KWH", NUMBER, 1, 10, 2000, "of its battery, 1..200 (60)", set_capacity},
    {AC, "--phases", "1|3", CHOICE, 0, 0, 0, "wired through the contactor (3)", set_phases},
    {AC, "--tethered", "", FLAG, 0, 0, 0, "a fixed cable instead of a socket with a lock", set_tethered},
    {AC, "--cable", "13|20|32|63", CHOICE, 0, 0, 0, "ampere that the car's cable is coded for (32)", set_cable},
    {AC, "--samples", "", FLAG, 0, 0, 0, "blocks of raw samples instead of rms values", set_samples},
    {AC, "--report", "MILLISECONDS", NUMBER, 0, 1, 100, "between two reports (5)", set_report},
    {AC, "--step", "PPM", NUMBER, 0, 1, 10000, "finest step of the pilot's duty (100)", set_step},
    {AC, "--noise", "MILLIVOLT", NUMBER, 0, 0, 3000, "on the pilot's readings, deviation (25)", set_noise},
    {AC | METER, "--meter", "URL", TEXT, 0, 0, 0, "a Modbus meter: modbus:tcp:127.0.0.1:1502/1/sdm630, or modbus:rtu:PATH@9600/1/abb as a serial device made at PATH", set_meter},
    {BOTH, "--soc", "PERCENT", NUMBER, 1, 0, 1000, "state of charge at the start, 0..100 (dc 20, ac 40)", set_soc},
    {BOTH, "--temperature", "CELSIUS", NUMBER, 1, -300, 800, "of pack and surroundings, -30..80 (25)", set_temperature},
    {BOTH, "--plugged", "", FLAG, 0, 0, 0, "start plugged in", set_plugged},
    {DC, "--rectifier", "huawei|infypower", CHOICE, 0, 0, 0, "maker of the power modules (huawei)", set_rectifier},
    {DC, "--address", "NUMBER", NUMBER, 0, 0, 127, "their CAN address (1)", set_address},
    {DC, "--modules", "NUMBER", NUMBER, 0, 1, 16, "how many share the current (3)", set_modules},
    {DC, "--io-node", "NUMBER", NUMBER, 0, 1, 127, "CANopen node of the I/O module (32)", set_node},
    {BOTH, "--card-reader", "pty:PATH|file:PATH", TEXT, 0, 0, 0, "where `card` writes: a serial device made at PATH, or a file", set_card_reader},
    {ALL, "--control", "PATH", TEXT, 0, 0, 0, "Unix socket that takes scenario commands", set_control},
    {ALL, "--seed", "NUMBER", NUMBER, 0, 0, INT64_MAX, "of all random parts (1)", set_seed},
    {ALL, "--status", "SECONDS", NUMBER, 0, 0, 3600, "between status lines, 0 for none (10)", set_status},
    {ALL, "--help", "", FLAG, 0, 0, 0, "this text", set_help},
};
// clang-format on

static void put_options(unsigned kinds, FILE *to)
{
    for (size_t i = 0; i < PW_COUNT(known); i++) {
        if (known[i].kinds == kinds) {
            char left[64];
            (void)snprintf(left, sizeof(left), "%s %s", known[i].name, known[i].shows);
            (void)fprintf(to, "  %-34s %s\n", left, known[i].doc);
        }
    }
}

void pw_sim_options_help(FILE *to)
{
    char text[PW_SCENARIO_ANSWER_MAX] = "";
    (void)fputs(
        "usage: pilotwire-sim dc --can URL [option...]\n"
        "       pilotwire-sim ac --link PATH [option...]\n"
        "       pilotwire-sim meter --meter URL [option...]\n"
        "       pilotwire-sim tell SOCKET COMMAND...\n"
        "The hardware that is missing on your desk. dc: a scooter with battery and BMS, a\n"
        "rectifier, a contactor, on a CAN bus. ac: a car, a cable, a contactor with lock and\n"
        "residual current device, behind the serial line of their front-end (doc/frontend.md).\n"
        "meter: an energy meter on Modbus (doc/meters.md).\n"
        "Time runs at the pace of PILOTWIRE_CLOCK.\n\nAll:\n",
        to);
    put_options(ALL, to);
    (void)fputs("\ndc and ac:\n", to);
    put_options(BOTH, to);
    (void)fputs("\nac and meter:\n", to);
    put_options(AC | METER, to);
    (void)fputs("\ndc:\n", to);
    put_options(DC, to);
    (void)fputs("\nac:\n", to);
    put_options(AC, to);
    (void)fputs("\nCars of ac:\n", to);
    for (size_t i = 0; i < pw_accar_kinds(); i++) {
        (void)fprintf(to, "  %-34s %s\n", pw_accar_kind(i)->word, pw_accar_kind(i)->doc);
    }
    struct pw_out dc = PW_OUT(text);
    pw_scenario_help(&dc);
    (void)fprintf(to, "\nCommands on standard input and on the control socket, dc:\n%s", text);
    struct pw_out ac = PW_OUT(text);
    pw_acscenario_help(&ac);
    (void)fprintf(to, "\nCommands of ac:\n%s", text);
    struct pw_out meter = PW_OUT(text);
    pw_world_meter_help(&meter);
    (void)fprintf(to, "\nCommands of meter:\n%s", text);
}

static bool choose(const char *words, const char *text, int64_t *place)
{
    struct pw_str rest = pw_str_of(words);
    for (int64_t i = 0; rest.len > 0; i++) {
        if (pw_str_is(pw_str_cut(&rest, '|'), text)) {
            *place = i;
            return true;
        }
    }
    return false;
}

static void put_allowed(const struct option *option, struct pw_out *reason)
{
    if (option->kind == NUMBER) {
        pw_put_fixed(reason, option->least, option->decimals);
        pw_put_s(reason, "..");
        pw_put_fixed(reason, option->most, option->decimals);
    } else {
        pw_put_s(reason, option->shows);
    }
}

static bool read_value(const struct option *option, struct value *value)
{
    switch (option->kind) {
    case FLAG: return true;
    case TEXT: return value->text[0] != '\0';
    case NUMBER:
        return pw_parse_fixed(pw_str_of(value->text), option->decimals, &value->number) == PW_OK &&
               value->number >= option->least && value->number <= option->most;
    case CHOICE: return choose(option->shows, value->text, &value->number);
    }
    PW_UNREACHABLE();
}

static const struct option *find(const char *name, unsigned kinds)
{
    for (size_t i = 0; i < PW_COUNT(known); i++) {
        if ((known[i].kinds & kinds) != 0 && pw_str_is(pw_str_of(name), known[i].name)) {
            return &known[i];
        }
    }
    return NULL;
}

static int refuse(struct pw_out *reason, const char *what, const char *value, const char *why)
{
    pw_put_s(reason, what);
    if (value != NULL) {
        pw_put_s(reason, " \"");
        pw_put_s(reason, value);
        pw_put_c(reason, '"');
    }
    pw_put_s(reason, why);
    return PW_ERR_RANGE;
}

// One option and its value; *at moves past them.
static int take(struct pw_sim_options *options, int argc, char **argv, int *at,
                struct pw_out *reason)
{
    const char *name = argv[(*at)++];
    static const unsigned own[] = {[PW_SIM_DC] = DC, [PW_SIM_AC] = AC, [PW_SIM_METER] = METER};
    const struct option *option = find(name, own[options->kind]);
    if (option == NULL) {
        return refuse(reason, "unknown option", name, "; --help lists them");
    }
    struct value value = {0};
    if (option->kind != FLAG) {
        if (*at >= argc) {
            return refuse(reason, name, NULL, ": needs a value");
        }
        value.text = argv[(*at)++];
    }
    if (!read_value(option, &value)) {
        (void)refuse(reason, name, value.text, ": must be ");
        put_allowed(option, reason);
        return PW_ERR_RANGE;
    }
    option->set(options, value);
    return PW_OK;
}

static int check_dc(const struct pw_sim_options *options, struct pw_out *reason)
{
    bool second = options->dc.vehicle_bus == 1 || options->dc.power_bus == 1;
    if (options->can[0] == NULL) {
        return refuse(reason, "--can", NULL,
                      ": must be given, e.g. --can mcast:239.74.163.2:43113");
    }
    if (second && options->can[1] == NULL) {
        return refuse(reason, "--can2", NULL, ": must be given when a device is on bus 1");
    }
    bool huawei = options->dc.rectifier.maker == PW_WORLD_RECTIFIER_HUAWEI;
    uint8_t address = options->dc.rectifier.address;
    if (huawei ? address == 0 : address > 59) {
        return refuse(reason, "--address", NULL,
                      huawei ? ": must be 1..127 for huawei" : ": must be 0..59 for infypower");
    }
    return PW_OK;
}

static int check_ac(struct pw_sim_options *options, struct pw_out *reason)
{
    if ((options->link == NULL) == (options->listen == NULL)) {
        return refuse(reason, "--link or --listen", NULL, ": one of them must be given");
    }
    if (options->car == NULL) {
        return PW_OK;
    }
    options->ac.car.kind = pw_accar_named(pw_str_of(options->car));
    if (options->ac.car.kind != NULL) {
        return PW_OK;
    }
    (void)refuse(reason, "--car", options->car, ": must be ");
    for (size_t i = 0; i < pw_accar_kinds(); i++) {
        pw_put_s(reason, i > 0 ? ", " : "");
        pw_put_s(reason, pw_accar_kind(i)->word);
    }
    return PW_ERR_RANGE;
}

static int check_meter(const struct pw_sim_options *options, struct pw_out *reason)
{
    return options->meter != NULL ? PW_OK
                                  : refuse(reason, "--meter", NULL,
                                           ": must be given, e.g. --meter "
                                           "modbus:tcp:127.0.0.1:1502/1/sdm630");
}

int pw_sim_options_read(struct pw_sim_options *options, int argc, char **argv,
                        struct pw_out *reason)
{
    *options = (struct pw_sim_options){
        .dc = pw_world_dc_defaults(), .ac = pw_world_ac_defaults(), .status_s = 10};
    // A front-end speaks every 5 ms; what a station does with rms values is up to 10 times a
    // second.
    options->ac.board.rest_ms = options->ac.board.quick_ms;
    options->ac.board.mains_ms = 100;
    int at = 0;
    if (argc > 0 && pw_str_is(pw_str_of(argv[0]), "dc")) {
        at = 1;
    } else if (argc > 0 && pw_str_is(pw_str_of(argv[0]), "ac")) {
        options->kind = PW_SIM_AC;
        at = 1;
    } else if (argc > 0 && pw_str_is(pw_str_of(argv[0]), "meter")) {
        options->kind = PW_SIM_METER;
        at = 1;
    } else if (argc == 0 || find(argv[0], DC) != find("--help", DC)) {
        return refuse(reason, "first argument", argc > 0 ? argv[0] : "",
                      ": must be dc, ac, meter or tell");
    }
    while (at < argc) {
        int err = take(options, argc, argv, &at, reason);
        if (err != PW_OK) {
            return err;
        }
    }
    if (options->help) {
        return PW_OK;
    }
    switch (options->kind) {
    case PW_SIM_DC: return check_dc(options, reason);
    case PW_SIM_AC: return check_ac(options, reason);
    case PW_SIM_METER: return check_meter(options, reason);
    }
    PW_UNREACHABLE();
}

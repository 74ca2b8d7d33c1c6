#include "options.h"

#include "meterworld/meterworld.h"
#include "scenario/acscenario.h"
#include "scenario/oescenario.h"
#include "signmeter/signmeter.h"

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
#define OE    8U
#define HOUSE 16U
#define PLACE (DC | AC | OE)
#define ALL   (PLACE | METER | HOUSE)

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
    options->ac.car.soc = options->oe.car.soc = (double)value.number * 0.001;
}

static void set_temperature(struct pw_sim_options *options, struct value value)
{
    options->dc.temp_c = (double)value.number * 0.1;
    options->ac.temp_c = options->oe.path.temp_c = (double)value.number * 0.1;
}

static void set_plugged(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->dc.plugged = true;
    options->ac.plugged = options->oe.plugged = true;
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

static void set_meter_key(struct pw_sim_options *options, struct value value)
{
    options->meter_key = value.text;
}

static void set_meter_key_kind(struct pw_sim_options *options, struct value value)
{
    options->meter_key_kind = (unsigned)value.number;
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
    options->ac.seed = options->oe.seed = (uint64_t)value.number;
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
    options->ac.car.capacity_kwh = options->oe.car.capacity_kwh = (double)value.number * 0.1;
}

static void set_phases(struct pw_sim_options *options, struct value value)
{
    options->ac.path.phases = options->oe.path.phases = value.number == 0 ? 1 : 3;
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

static void set_board(struct pw_sim_options *options, struct value value)
{
    options->board = value.text;
}

static void set_amps(struct pw_sim_options *options, struct value value)
{
    options->oe.most_a = (uint8_t)value.number;
}

static void set_probe(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->oe.probe = true;
}

static void set_ct(struct pw_sim_options *options, struct value value)
{
    options->ct = value.text;
}

static void set_mqtt(struct pw_sim_options *options, struct value value)
{
    options->mqtt = value.text;
}

static void set_mqtt_user(struct pw_sim_options *options, struct value value)
{
    options->mqtt_user = value.text;
}

static void set_mqtt_ca(struct pw_sim_options *options, struct value value)
{
    options->mqtt_ca = value.text;
}

static void set_topic(struct pw_sim_options *options, struct value value)
{
    options->topic = value.text;
}

static void set_trace(struct pw_sim_options *options, struct value value)
{
    options->trace = value.text;
}

static void set_scale(struct pw_sim_options *options, struct value value)
{
    options->oe.house.scale = (double)value.number * 0.01;
}

static void set_sun(struct pw_sim_options *options, struct value value)
{
    options->oe.house.pv_w = (double)value.number;
}

static void set_hour(struct pw_sim_options *options, struct value value)
{
    options->oe.house.second = (uint32_t)value.number * 360U;
}

static void set_rotation(struct pw_sim_options *options, struct value value)
{
    static const unsigned char rotations[][PW_BOARD_PHASES] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                               {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        options->oe.house.charger_on[p] = rotations[value.number][p];
    }
}

static void set_reading(struct pw_sim_options *options, struct value value)
{
    options->oe.house.meter_ms = (pw_ms)value.number;
}

static void set_status(struct pw_sim_options *options, struct value value)
{
    options->status_s = (unsigned)value.number;
}

static void set_version(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->version = true;
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
    {AC | OE, "--link", "PATH", TEXT, 0, 0, 0, "the board as a serial device made at PATH; this or --listen must be given", set_link},
    {AC | OE, "--listen", "ADDRESS:PORT", TEXT, 0, 0, 0, "the board as a TCP port", set_listen},
    {AC | OE, "--car", "TEMPERAMENT", TEXT, 0, 0, 0, "what kind of car, below (honest)", set_car},
    {AC | OE, "--capacity", "KWH", NUMBER, 1, 10, 2000, "of its battery, 1..200 (60)", set_capacity},
    {AC | OE, "--phases", "1|3", CHOICE, 0, 0, 0, "wired through the contactor (3)", set_phases},
    {AC, "--tethered", "", FLAG, 0, 0, 0, "a fixed cable instead of a socket with a lock", set_tethered},
    {AC, "--cable", "13|20|32|63", CHOICE, 0, 0, 0, "ampere that the car's cable is coded for (32)", set_cable},
    {AC, "--samples", "", FLAG, 0, 0, 0, "blocks of raw samples instead of rms values", set_samples},
    {AC, "--report", "MILLISECONDS", NUMBER, 0, 1, 100, "between two reports (5)", set_report},
    {AC, "--step", "PPM", NUMBER, 0, 1, 10000, "finest step of the pilot's duty (100)", set_step},
    {AC, "--noise", "MILLIVOLT", NUMBER, 0, 0, 3000, "on the pilot's readings, deviation (25)", set_noise},
    {OE, "--board", "FIRMWARE", TEXT, 0, 0, 0, "of the OpenEVSE board, below (8.2.3)", set_board},
    {OE, "--amps", "AMPERE", NUMBER, 0, 6, 32, "configured in the board as its most (32)", set_amps},
    {OE, "--probe", "", FLAG, 0, 0, 0, "the board has a temperature sensor", set_probe},
    {OE | HOUSE, "--mqtt", "URL", TEXT, 0, 0, 0, "broker the house's meter publishes to, mqtt://HOST:PORT or mqtts://..; a password comes from PILOTWIRE_SIM_MQTT_PASSWORD", set_mqtt},
    {OE | HOUSE, "--mqtt-user", "NAME", TEXT, 0, 0, 0, "at that broker", set_mqtt_user},
    {OE | HOUSE, "--mqtt-ca", "FILE", TEXT, 0, 0, 0, "who may sign the broker's certificate", set_mqtt_ca},
    {OE | HOUSE, "--topic", "TOPIC", TEXT, 0, 0, 0, "of its readings (house/meter)", set_topic},
    {OE | HOUSE, "--ct", "PATH", TEXT, 0, 0, 0, "current transformers of the house, a front-end at PATH", set_ct},
    {OE | HOUSE, "--trace", "FILE", TEXT, 0, 0, 0, "a recorded house, lines time,L1,L2,L3 in ampere, instead of appliances", set_trace},
    {OE | HOUSE, "--house-scale", "FACTOR", NUMBER, 2, 0, 1000, "of all appliances, 0 for an empty house (1)", set_scale},
    {OE | HOUSE, "--sun", "WATT", NUMBER, 0, 0, 100000, "peak of the roof (0)", set_sun},
    {OE | HOUSE, "--hour", "HOUR", NUMBER, 1, 0, 239, "of the day at the start (17.5)", set_hour},
    {OE | HOUSE, "--rotation", "RST|RTS|SRT|STR|TRS|TSR", CHOICE, 0, 0, 0, "phases of the house behind those of the charger (RST)", set_rotation},
    {OE | HOUSE, "--reading", "MILLISECONDS", NUMBER, 0, 100, 60000, "between two readings of the house's meter (1000)", set_reading},
    {AC | METER | OE | HOUSE, "--meter", "URL", TEXT, 0, 0, 0, "a Modbus meter: modbus:tcp:127.0.0.1:1502/1/sdm630, or modbus:rtu:PATH@9600/1/abb as a serial device made at PATH", set_meter},
    {AC | METER | OE | HOUSE, "--meter-key", "FILE", TEXT, 0, 0, 0, "private key of a meter that signs (map bsm), PEM; made when it is not there (one of this run)", set_meter_key},
    {AC | METER | OE | HOUSE, "--meter-key-kind", "p256|ed25519", CHOICE, 0, 0, 0, "of a key that is made (p256)", set_meter_key_kind},
    {PLACE, "--soc", "PERCENT", NUMBER, 1, 0, 1000, "state of charge at the start, 0..100 (dc 20, ac 40)", set_soc},
    {PLACE, "--temperature", "CELSIUS", NUMBER, 1, -300, 800, "of pack and surroundings, -30..80 (25)", set_temperature},
    {PLACE, "--plugged", "", FLAG, 0, 0, 0, "start plugged in", set_plugged},
    {DC, "--rectifier", "huawei|infypower", CHOICE, 0, 0, 0, "maker of the power modules (huawei)", set_rectifier},
    {DC, "--address", "NUMBER", NUMBER, 0, 0, 127, "their CAN address (1)", set_address},
    {DC, "--modules", "NUMBER", NUMBER, 0, 1, 16, "how many share the current (3)", set_modules},
    {DC, "--io-node", "NUMBER", NUMBER, 0, 1, 127, "CANopen node of the I/O module (32)", set_node},
    {PLACE, "--card-reader", "pty:PATH|file:PATH", TEXT, 0, 0, 0, "where `card` writes: a serial device made at PATH, or a file", set_card_reader},
    {ALL, "--control", "PATH", TEXT, 0, 0, 0, "Unix socket that takes scenario commands", set_control},
    {ALL, "--seed", "NUMBER", NUMBER, 0, 0, INT64_MAX, "of all random parts (1)", set_seed},
    {ALL, "--status", "SECONDS", NUMBER, 0, 0, 3600, "between status lines, 0 for none (10)", set_status},
    {ALL, "--version", "", FLAG, 0, 0, 0, "the version", set_version},
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

// What the options of these kinds have in common.
static const struct {
    unsigned kinds;
    const char *title;
} groups[] = {
    {ALL, "All:"},
    {PLACE, "dc, ac and openevse:"},
    {AC | OE, "ac and openevse:"},
    {AC | METER | OE | HOUSE, "All but dc:"},
    {OE | HOUSE, "openevse and house:"},
    {DC, "dc:"},
    {AC, "ac:"},
    {OE, "openevse:"},
};

static void put_commands(const char *title, void (*help)(struct pw_out *out), FILE *to)
{
    char text[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out out = PW_OUT(text);
    help(&out);
    (void)fprintf(to, "\n%s\n%s", title, text);
}

void pw_sim_options_help(FILE *to)
{
    (void)fputs(
        "usage: pilotwire-sim dc --can URL [option...]\n"
        "       pilotwire-sim ac --link PATH [option...]\n"
        "       pilotwire-sim openevse --link PATH [option...]\n"
        "       pilotwire-sim house --meter URL [option...]\n"
        "       pilotwire-sim meter --meter URL [option...]\n"
        "       pilotwire-sim tell SOCKET COMMAND...\n"
        "The hardware that is missing on your desk. dc: a scooter with battery and BMS, a\n"
        "rectifier, a contactor, on a CAN bus. ac: a car, a cable, a contactor with lock and\n"
        "residual current device, behind the serial line of their front-end (doc/frontend.md).\n"
        "openevse: an OpenEVSE board that speaks RAPI, a car, and the house around them with its\n"
        "meter. house: the house alone. meter: an energy meter on Modbus (doc/meters.md).\n"
        "Time runs at the pace of PILOTWIRE_CLOCK.\n",
        to);
    for (size_t i = 0; i < PW_COUNT(groups); i++) {
        (void)fprintf(to, "\n%s\n", groups[i].title);
        put_options(groups[i].kinds, to);
    }
    (void)fputs("\nCars of ac and openevse:\n", to);
    for (size_t i = 0; i < pw_accar_kinds(); i++) {
        (void)fprintf(to, "  %-34s %s\n", pw_accar_kind(i)->word, pw_accar_kind(i)->doc);
    }
    (void)fputs("\nFirmware of openevse:\n", to);
    for (size_t i = 0; i < pw_oeboard_kinds(); i++) {
        (void)fprintf(to, "  %-34s %s\n", pw_oeboard_kind(i)->word, pw_oeboard_kind(i)->doc);
    }
    put_commands("Commands on standard input and on the control socket, dc:", pw_scenario_help, to);
    put_commands("Commands of ac:", pw_acscenario_help, to);
    put_commands("Commands of openevse and house:", pw_oescenario_help, to);
    put_commands("Commands of meter:", pw_world_meter_help, to);
    put_commands("Commands of every meter that signs (map bsm):", pw_signmeter_help, to);
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
    static const unsigned own[] = {[PW_SIM_DC] = DC,
                                   [PW_SIM_AC] = AC,
                                   [PW_SIM_METER] = METER,
                                   [PW_SIM_OPENEVSE] = OE,
                                   [PW_SIM_HOUSE] = HOUSE};
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

static int check_line(const struct pw_sim_options *options, struct pw_out *reason)
{
    return (options->link == NULL) == (options->listen == NULL)
               ? refuse(reason, "--link or --listen", NULL, ": one of them must be given")
               : PW_OK;
}

static int check_car(struct pw_sim_options *options, struct pw_out *reason)
{
    if (options->car == NULL) {
        return PW_OK;
    }
    options->ac.car.kind = options->oe.car.kind = pw_accar_named(pw_str_of(options->car));
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

static int check_ac(struct pw_sim_options *options, struct pw_out *reason)
{
    int err = check_line(options, reason);
    return err == PW_OK ? check_car(options, reason) : err;
}

static int check_board(struct pw_sim_options *options, struct pw_out *reason)
{
    if (options->board == NULL) {
        return PW_OK;
    }
    options->oe.board = pw_oeboard_named(pw_str_of(options->board));
    if (options->oe.board != NULL) {
        return PW_OK;
    }
    (void)refuse(reason, "--board", options->board, ": must be ");
    for (size_t i = 0; i < pw_oeboard_kinds(); i++) {
        pw_put_s(reason, i > 0 ? ", " : "");
        pw_put_s(reason, pw_oeboard_kind(i)->word);
    }
    return PW_ERR_RANGE;
}

static int check_openevse(struct pw_sim_options *options, struct pw_out *reason)
{
    int err = check_ac(options, reason);
    return err == PW_OK ? check_board(options, reason) : err;
}

static int check_house(const struct pw_sim_options *options, struct pw_out *reason)
{
    bool none = options->meter == NULL && options->mqtt == NULL && options->ct == NULL;
    return none ? refuse(reason, "--meter, --mqtt or --ct", NULL, ": one of them must be given")
                : PW_OK;
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
    *options = (struct pw_sim_options){.dc = pw_world_dc_defaults(),
                                       .ac = pw_world_ac_defaults(),
                                       .oe = pw_world_oe_defaults(),
                                       .status_s = 10};
    // A front-end speaks every 5 ms; what a station does with rms values is up to 10 times a
    // second.
    options->ac.board.rest_ms = options->ac.board.quick_ms;
    options->ac.board.mains_ms = 100;
    int at = 0;
    static const char *const words[] = {[PW_SIM_DC] = "dc",
                                        [PW_SIM_AC] = "ac",
                                        [PW_SIM_METER] = "meter",
                                        [PW_SIM_OPENEVSE] = "openevse",
                                        [PW_SIM_HOUSE] = "house"};
    for (unsigned i = 0; argc > 0 && i < PW_COUNT(words); i++) {
        if (pw_str_is(pw_str_of(argv[0]), words[i])) {
            options->kind = (enum pw_sim_kind_word)i;
            at = 1;
        }
    }
    if (at == 0 && (argc == 0 || (find(argv[0], DC) != find("--help", DC) &&
                                  find(argv[0], DC) != find("--version", DC)))) {
        return refuse(reason, "first argument", argc > 0 ? argv[0] : "",
                      ": must be dc, ac, openevse, house, meter or tell");
    }
    while (at < argc) {
        int err = take(options, argc, argv, &at, reason);
        if (err != PW_OK) {
            return err;
        }
    }
    if (options->help || options->version) {
        return PW_OK;
    }
    switch (options->kind) {
    case PW_SIM_DC: return check_dc(options, reason);
    case PW_SIM_AC: return check_ac(options, reason);
    case PW_SIM_METER: return check_meter(options, reason);
    case PW_SIM_OPENEVSE: return check_openevse(options, reason);
    case PW_SIM_HOUSE: return check_house(options, reason);
    }
    PW_UNREACHABLE();
}

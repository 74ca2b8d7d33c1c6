#include "options.h"

#include "scenario/scenario.h"

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

struct option {
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
    options->world.vehicle_bus = (unsigned)value.number;
}

static void set_power_bus(struct pw_sim_options *options, struct value value)
{
    options->world.power_bus = (unsigned)value.number;
}

static void set_vehicle(struct pw_sim_options *options, struct value value)
{
    options->world.scooter.model = (enum pw_scooter_model)value.number;
}

static void set_chemistry(struct pw_sim_options *options, struct value value)
{
    options->world.scooter.chemistry = (enum pw_pack_chemistry)value.number;
}

static void set_soc(struct pw_sim_options *options, struct value value)
{
    options->world.scooter.soc = (double)value.number * 0.001;
}

static void set_temperature(struct pw_sim_options *options, struct value value)
{
    options->world.temp_c = (double)value.number * 0.1;
}

static void set_plugged(struct pw_sim_options *options, struct value value)
{
    (void)value;
    options->world.plugged = true;
}

static void set_bms(struct pw_sim_options *options, struct value value)
{
    options->world.scooter.form = (enum pw_world_bms_form)value.number;
}

static void set_rectifier(struct pw_sim_options *options, struct value value)
{
    options->world.rectifier.maker = (enum pw_world_rectifier_maker)value.number;
}

static void set_address(struct pw_sim_options *options, struct value value)
{
    options->world.rectifier.address = (uint8_t)value.number;
}

static void set_modules(struct pw_sim_options *options, struct value value)
{
    options->world.rectifier.modules = (uint8_t)value.number;
}

static void set_node(struct pw_sim_options *options, struct value value)
{
    options->world.io_node = (uint8_t)value.number;
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
    options->world.seed = (uint64_t)value.number;
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
    {"--can", "URL", TEXT, 0, 0, 0, "first CAN bus: mcast:239.74.163.2:43113, socketcan:vcan0, slcan:..; must be given", set_can},
    {"--can2", "URL", TEXT, 0, 0, 0, "second CAN bus", set_can2},
    {"--vehicle-bus", "0|1", NUMBER, 0, 0, 1, "bus of the vehicle's BMS (0)", set_vehicle_bus},
    {"--power-bus", "0|1", NUMBER, 0, 0, 1, "bus of rectifier, terminal report and I/O node (0)", set_power_bus},
    {"--vehicle", "classic|pro|max", CHOICE, 0, 0, 0, "model: 30, 60 or 90 Ah (classic)", set_vehicle},
    {"--chemistry", "lfp23s|nmc20s", CHOICE, 0, 0, 0, "cells of its pack (lfp23s)", set_chemistry},
    {"--bms", "elcon|elcon-soc", CHOICE, 0, 0, 0, "bytes 5-6 of its request: heating, or state of charge (elcon-soc)", set_bms},
    {"--soc", "PERCENT", NUMBER, 1, 0, 1000, "state of charge at the start, 0..100 (20)", set_soc},
    {"--temperature", "CELSIUS", NUMBER, 1, -300, 800, "of pack and surroundings, -30..80 (25)", set_temperature},
    {"--plugged", "", FLAG, 0, 0, 0, "start plugged in", set_plugged},
    {"--rectifier", "huawei|infypower", CHOICE, 0, 0, 0, "maker of the power modules (huawei)", set_rectifier},
    {"--address", "NUMBER", NUMBER, 0, 0, 127, "their CAN address (1)", set_address},
    {"--modules", "NUMBER", NUMBER, 0, 1, 16, "how many share the current (3)", set_modules},
    {"--io-node", "NUMBER", NUMBER, 0, 1, 127, "CANopen node of the I/O module (32)", set_node},
    {"--card-reader", "pty:PATH|file:PATH", TEXT, 0, 0, 0, "where `card` writes: a serial device made at PATH, or a file", set_card_reader},
    {"--control", "PATH", TEXT, 0, 0, 0, "Unix socket that takes scenario commands", set_control},
    {"--seed", "NUMBER", NUMBER, 0, 0, INT64_MAX, "of all random parts (1)", set_seed},
    {"--status", "SECONDS", NUMBER, 0, 0, 3600, "between status lines, 0 for none (10)", set_status},
    {"--help", "", FLAG, 0, 0, 0, "this text", set_help},
};
// clang-format on

void pw_sim_options_help(FILE *to)
{
    char text[PW_SCENARIO_ANSWER_MAX] = "";
    (void)fputs(
        "usage: pilotwire-sim dc --can URL [option...]\n"
        "       pilotwire-sim tell SOCKET COMMAND...\n"
        "The hardware that is missing on your desk: a scooter with battery and BMS, a\n"
        "rectifier, a contactor, on a CAN bus. Time runs at the pace of PILOTWIRE_CLOCK.\n\n",
        to);
    for (size_t i = 0; i < PW_COUNT(known); i++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "%s %s", known[i].name, known[i].shows);
        (void)fprintf(to, "  %-34s %s\n", left, known[i].doc);
    }
    struct pw_out out = PW_OUT(text);
    pw_scenario_help(&out);
    (void)fprintf(to, "\nCommands on standard input and on the control socket:\n%s", text);
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

static const struct option *find(const char *name)
{
    for (size_t i = 0; i < PW_COUNT(known); i++) {
        if (pw_str_is(pw_str_of(name), known[i].name)) {
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
    const struct option *option = find(name);
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

static int check(const struct pw_sim_options *options, struct pw_out *reason)
{
    bool second = options->world.vehicle_bus == 1 || options->world.power_bus == 1;
    if (options->can[0] == NULL) {
        return refuse(reason, "--can", NULL,
                      ": must be given, e.g. --can mcast:239.74.163.2:43113");
    }
    if (second && options->can[1] == NULL) {
        return refuse(reason, "--can2", NULL, ": must be given when a device is on bus 1");
    }
    bool huawei = options->world.rectifier.maker == PW_WORLD_RECTIFIER_HUAWEI;
    uint8_t address = options->world.rectifier.address;
    if (huawei ? address == 0 : address > 59) {
        return refuse(reason, "--address", NULL,
                      huawei ? ": must be 1..127 for huawei" : ": must be 0..59 for infypower");
    }
    return PW_OK;
}

int pw_sim_options_read(struct pw_sim_options *options, int argc, char **argv,
                        struct pw_out *reason)
{
    *options = (struct pw_sim_options){.world = pw_world_dc_defaults(), .status_s = 10};
    int at = 0;
    if (argc > 0 && pw_str_is(pw_str_of(argv[0]), "dc")) {
        at = 1;
    } else if (argc == 0 || find(argv[0]) != find("--help")) {
        return refuse(reason, "first argument", argc > 0 ? argv[0] : "", ": must be dc or tell");
    }
    while (at < argc) {
        int err = take(options, argc, argv, &at, reason);
        if (err != PW_OK) {
            return err;
        }
    }
    return options->help ? PW_OK : check(options, reason);
}

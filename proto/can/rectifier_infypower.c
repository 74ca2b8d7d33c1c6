// Infypower modules behind the maker-neutral interface. Several modules are commanded by broadcast,
// each with its share of the current; the first one is asked.
#include "can/infypower.h"
#include "can/rectifier.h"

enum { SWITCH_ON = 0, SWITCH_OFF = 1, CONTROLS = 2 };

static int32_t modules(const struct pw_rectifier_config *config)
{
    return config->modules == 0 ? 1 : config->modules;
}

// ---------------------------------------------------------------------------------------------
// The station's side.

static int control(const struct pw_rectifier_config *config,
                   const struct pw_rectifier_command *command, unsigned n,
                   struct pw_can_frame *frame)
{
    uint8_t to = modules(config) > 1 ? PW_INFYPOWER_BROADCAST : config->address;
    bool switching = command->on ? n == CONTROLS - 1 : n == 0;
    struct pw_infypower_message order =
        pw_infypower_ask(to, switching ? PW_INFYPOWER_ON_OFF : PW_INFYPOWER_SET_MODULE);
    order.argument = command->on ? SWITCH_ON : SWITCH_OFF;
    order.voltage_mv = command->voltage_mv;
    order.current_ma = command->current_ma / modules(config);
    return pw_infypower_pack(&order, frame);
}

static const enum pw_infypower_command polls[] = {
    PW_INFYPOWER_MODULE_FLOAT,
    PW_INFYPOWER_STATUS,
    PW_INFYPOWER_MODULE_FLOAT,
    PW_INFYPOWER_INPUT,
};

static int poll(const struct pw_rectifier_config *config, unsigned n, struct pw_can_frame *frame)
{
    struct pw_infypower_message question = pw_infypower_ask(config->address, polls[n]);
    return pw_infypower_pack(&question, frame);
}

static void read_status(const struct pw_infypower_message *message,
                        struct pw_rectifier_report *report)
{
    const struct pw_can_alarm *worst = pw_infypower_worst_alarm(message->status);
    report->alarm_bits = message->status;
    report->alarm = worst == NULL ? PW_CAN_CALM : worst->severity;
    report->alarm_name = worst == NULL ? NULL : worst->name;
    report->limited = (message->status & PW_INFYPOWER_POWER_LIMITED) != 0;
    report->on =
        (message->status & (PW_INFYPOWER_OFF | PW_INFYPOWER_FAULT | PW_INFYPOWER_PROTECTED)) == 0;
    report->temp_dc = message->ambient_dc;
    report->has |= PW_RECTIFIER_HAS_ALARM | PW_RECTIFIER_HAS_ON | PW_RECTIFIER_HAS_TEMP;
}

static int read(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_report *report)
{
    struct pw_infypower_message message;
    int err = pw_infypower_unpack(frame, &message);
    if (err != PW_OK) {
        return err;
    }
    if (message.destination != PW_INFYPOWER_CONTROLLER || message.source != config->address) {
        return PW_ERR_UNKNOWN;
    }
    if (message.result != PW_INFYPOWER_OK) {
        return PW_RECTIFIER_HEARD_MODULE; // a refusal, or starting: it is alive
    }
    if (message.command == PW_INFYPOWER_MODULE_FLOAT) {
        report->output_mv = message.voltage_mv;
        report->output_ma = message.current_ma * modules(config); // both bounded: fits
        report->has |= PW_RECTIFIER_HAS_OUTPUT_MV | PW_RECTIFIER_HAS_OUTPUT_MA;
    } else if (message.command == PW_INFYPOWER_STATUS) {
        read_status(&message, report);
    } else if (message.command == PW_INFYPOWER_INPUT) {
        report->input_mv = message.input_mv[0];
        report->has |= PW_RECTIFIER_HAS_INPUT_MV;
    }
    return PW_RECTIFIER_HEARD_MODULE;
}

// ---------------------------------------------------------------------------------------------
// The module's side.

static bool addressed(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                      struct pw_infypower_message *message)
{
    return pw_infypower_unpack(frame, message) == PW_OK &&
           message->source >= PW_INFYPOWER_CONTROLLER &&
           (message->destination == config->address ||
            message->destination == PW_INFYPOWER_BROADCAST);
}

static int take(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_command *command)
{
    struct pw_infypower_message order;
    if (!addressed(config, frame, &order)) {
        return 0;
    }
    if (order.command == PW_INFYPOWER_ON_OFF) {
        command->on = order.argument == SWITCH_ON;
        return 1;
    }
    if (order.command == PW_INFYPOWER_SET_MODULE || order.command == PW_INFYPOWER_SET_SYSTEM) {
        bool each = order.command == PW_INFYPOWER_SET_MODULE;
        command->voltage_mv = order.voltage_mv;
        command->current_ma = order.current_ma * (each ? modules(config) : 1);
        return 1;
    }
    return 0;
}

static int answer(const struct pw_rectifier_config *config, const struct pw_can_frame *asked,
                  const struct pw_rectifier_report *report, struct pw_can_frame *reply)
{
    struct pw_infypower_message question;
    if (!addressed(config, asked, &question) || question.destination == PW_INFYPOWER_BROADCAST) {
        return 0; // all modules at once would only collide
    }
    struct pw_infypower_message said = pw_infypower_answer(&question);
    bool orders = question.command == PW_INFYPOWER_ON_OFF ||
                  question.command == PW_INFYPOWER_SET_MODULE ||
                  question.command == PW_INFYPOWER_SET_SYSTEM;
    if (question.command == PW_INFYPOWER_MODULE_FLOAT) {
        said.voltage_mv = report->output_mv;
        said.current_ma = report->output_ma / modules(config);
    } else if (question.command == PW_INFYPOWER_STATUS) {
        said.status = (uint32_t)report->alarm_bits | (report->on ? 0U : PW_INFYPOWER_OFF) |
                      (report->limited ? PW_INFYPOWER_POWER_LIMITED : 0U);
        said.ambient_dc = report->temp_dc;
    } else if (question.command == PW_INFYPOWER_INPUT) {
        said.input_mv[0] = report->input_mv;
        said.input_mv[1] = report->input_mv;
        said.input_mv[2] = report->input_mv;
    } else if (!orders) {
        said.result = PW_INFYPOWER_BAD_COMMAND;
    }
    return pw_infypower_pack(&said, reply) == PW_OK ? 1 : 0;
}

// Command 0x04 (facts/dc-can.md §1.4). A latched over-voltage is forgotten when switched off.
static const struct pw_rectifier_alarm_row alarm_rows[] = {
    {PW_INFYPOWER_OVER_VOLTAGE, PW_RECTIFIER_ALARM_OVP},
    {PW_INFYPOWER_HOT, PW_RECTIFIER_ALARM_TEMP},
    {PW_INFYPOWER_INPUT_LOW | PW_INFYPOWER_INPUT_HIGH, PW_RECTIFIER_ALARM_MAINS},
    {PW_INFYPOWER_SHORT, PW_RECTIFIER_ALARM_SHORT},
};

const struct pw_rectifier_driver pw_rectifier_driver_infypower = {
    .name = "infypower",
    .address_least = 0,
    .address_most = 59,
    .bitrate = 125000,
    .control_count = CONTROLS,
    .control_ms = 500,
    .control = control,
    .poll_count = PW_COUNT(polls),
    .poll_ms = 100,
    .poll_idle_ms = 500,
    .poll = poll,
    .silence_ms = 15000,
    .read = read,
    .alarms = alarm_rows,
    .alarm_count = PW_COUNT(alarm_rows),
    .take = take,
    .answer = answer,
};

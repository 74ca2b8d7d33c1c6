// Huawei modules behind the maker-neutral interface. Several modules are commanded by broadcast,
// each with its share of the current; the first one is asked.
#include "can/huawei.h"
#include "can/rectifier.h"

#include <string.h>

enum { MILLI_PER_DECI = 100, SWITCH_ON = 0, SWITCH_OFF = 1, CONTROLS = 3 };

static uint8_t address(const struct pw_rectifier_config *config)
{
    return config->address == 0 ? 1 : config->address;
}

static int32_t modules(const struct pw_rectifier_config *config)
{
    return config->modules == 0 ? 1 : config->modules;
}

static int32_t rated(const struct pw_rectifier_config *config)
{
    return config->rated_ma == 0 ? PW_HUAWEI_RATED_MA : config->rated_ma;
}

static uint16_t voltage_signal(const struct pw_rectifier_config *config)
{
    return config->voltage_signal == 0 ? PW_HUAWEI_SIGNAL_TERMINAL_VOLTAGE : config->voltage_signal;
}

// ---------------------------------------------------------------------------------------------
// The station's side.

static const uint16_t controls_on[CONTROLS] = {PW_HUAWEI_SIGNAL_SET_VOLTAGE, PW_HUAWEI_SIGNAL_LIMIT,
                                               PW_HUAWEI_SIGNAL_ON_OFF};
static const uint16_t controls_off[CONTROLS] = {PW_HUAWEI_SIGNAL_ON_OFF, PW_HUAWEI_SIGNAL_LIMIT,
                                                PW_HUAWEI_SIGNAL_SET_VOLTAGE};

static int control(const struct pw_rectifier_config *config,
                   const struct pw_rectifier_command *command, unsigned n,
                   struct pw_can_frame *frame)
{
    uint16_t signal = command->on ? controls_on[n] : controls_off[n];
    uint8_t to = modules(config) > 1 ? PW_HUAWEI_BROADCAST : address(config);
    struct pw_huawei_message order = pw_huawei_ask(to, PW_HUAWEI_CONFIGURE, signal);
    int err = PW_OK;
    if (signal == PW_HUAWEI_SIGNAL_SET_VOLTAGE) {
        err = pw_huawei_q10(command->voltage_mv, &order.value);
    } else if (signal == PW_HUAWEI_SIGNAL_LIMIT) {
        err = pw_huawei_share(command->current_ma / modules(config), rated(config), &order.value);
    } else {
        order.word = command->on ? SWITCH_ON : SWITCH_OFF;
    }
    return err == PW_OK ? pw_huawei_pack(&order, frame) : err;
}

// Voltage and current every other turn, the slower ones between them. 0 = the voltage signal.
static const uint16_t polls[] = {
    0, PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, PW_HUAWEI_SIGNAL_RUNNING,
    0, PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, PW_HUAWEI_SIGNAL_ALARMS,
    0, PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, PW_HUAWEI_SIGNAL_INTAKE_TEMPERATURE,
    0, PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, PW_HUAWEI_SIGNAL_LINE_UV,
};

static int poll(const struct pw_rectifier_config *config, unsigned n, struct pw_can_frame *frame)
{
    uint16_t signal = polls[n] == 0 ? voltage_signal(config) : polls[n];
    struct pw_huawei_message question = pw_huawei_ask(address(config), PW_HUAWEI_QUERY, signal);
    return pw_huawei_pack(&question, frame);
}

static void read_alarms(uint64_t bits, struct pw_rectifier_report *report)
{
    const struct pw_can_alarm *worst = pw_huawei_worst_alarm(bits);
    report->alarm_bits = bits;
    report->alarm = worst == NULL ? PW_CAN_CALM : worst->severity;
    report->alarm_name = worst == NULL ? NULL : worst->name;
    report->limited = (bits & PW_HUAWEI_ALARM_LIMITED) != 0;
    report->has |= PW_RECTIFIER_HAS_ALARM;
}

static void read_running(const struct pw_huawei_message *message,
                         struct pw_rectifier_report *report)
{
    struct pw_huawei_running running;
    pw_huawei_unpack_running(message, &running);
    report->on =
        (running.bits & (PW_HUAWEI_RUN_OFF | PW_HUAWEI_RUN_PROTECTED | PW_HUAWEI_RUN_FAULT)) == 0;
    report->has |= PW_RECTIFIER_HAS_ON;
}

// The quantities a report takes over: where to, and how many thousandths make its unit.
static const struct quantity {
    uint16_t signal; // 0 = the voltage signal
    uint32_t has;
    size_t member;
    int32_t divisor;
    bool shared; // each module says its own part
} quantities[] = {
    {0, PW_RECTIFIER_HAS_OUTPUT_MV, offsetof(struct pw_rectifier_report, output_mv), 1, false},
    {PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, PW_RECTIFIER_HAS_OUTPUT_MA,
     offsetof(struct pw_rectifier_report, output_ma), 1, true},
    {PW_HUAWEI_SIGNAL_INTAKE_TEMPERATURE, PW_RECTIFIER_HAS_TEMP,
     offsetof(struct pw_rectifier_report, temp_dc), MILLI_PER_DECI, false},
    {PW_HUAWEI_SIGNAL_LINE_UV, PW_RECTIFIER_HAS_INPUT_MV,
     offsetof(struct pw_rectifier_report, input_mv), 1, false},
};

static const struct quantity *find(const struct pw_rectifier_config *config, uint16_t signal)
{
    for (size_t i = 0; i < PW_COUNT(quantities); i++) {
        uint16_t row = quantities[i].signal;
        if (signal == (row == 0 ? voltage_signal(config) : row)) {
            return &quantities[i];
        }
    }
    return NULL;
}

static int read_quantity(const struct pw_rectifier_config *config,
                         const struct pw_huawei_message *message,
                         struct pw_rectifier_report *report)
{
    const struct quantity *row = find(config, message->signal);
    int32_t milli;
    if (row == NULL) {
        return PW_OK;
    }
    int err = pw_huawei_quantity(message, rated(config), &milli);
    int64_t value = (int64_t)(err == PW_OK ? milli : 0) * (row->shared ? modules(config) : 1);
    if (err != PW_OK || value < INT32_MIN || value > INT32_MAX) {
        return PW_ERR_RANGE;
    }
    int32_t taken = (int32_t)value / row->divisor;
    memcpy((uint8_t *)report + row->member, &taken, sizeof(taken));
    report->has |= row->has;
    return PW_OK;
}

static int read(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_report *report)
{
    struct pw_huawei_message message;
    int err = pw_huawei_unpack(frame, &message);
    if (err != PW_OK) {
        return err;
    }
    if (message.from_controller || message.address != address(config)) {
        return PW_ERR_UNKNOWN;
    }
    bool carries_value =
        message.command == PW_HUAWEI_QUERY || message.command == PW_HUAWEI_QUERY_ALL;
    if (!carries_value || message.result != PW_HUAWEI_OK) {
        return PW_RECTIFIER_HEARD_MODULE; // an echo or a refusal: it is alive
    }
    if (message.signal == PW_HUAWEI_SIGNAL_ALARMS) {
        read_alarms(pw_huawei_alarm_bits(&message), report);
    } else if (message.signal == PW_HUAWEI_SIGNAL_RUNNING) {
        read_running(&message, report);
    } else {
        err = read_quantity(config, &message, report);
    }
    return err == PW_OK ? (int)PW_RECTIFIER_HEARD_MODULE : err;
}

// ---------------------------------------------------------------------------------------------
// The module's side.

static bool addressed(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                      struct pw_huawei_message *message)
{
    return pw_huawei_unpack(frame, message) == PW_OK && message->from_controller &&
           (message->address == address(config) || message->address == PW_HUAWEI_BROADCAST);
}

static int take(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_command *command)
{
    struct pw_huawei_message order;
    int32_t milli;
    if (!addressed(config, frame, &order) || order.command != PW_HUAWEI_CONFIGURE) {
        return 0;
    }
    if (order.signal == PW_HUAWEI_SIGNAL_ON_OFF) {
        command->on = order.word == SWITCH_ON;
        return 1;
    }
    if (pw_huawei_quantity(&order, rated(config), &milli) != PW_OK || milli < 0) {
        return 0;
    }
    if (order.signal == PW_HUAWEI_SIGNAL_SET_VOLTAGE) {
        command->voltage_mv = milli;
    } else if (order.signal == PW_HUAWEI_SIGNAL_LIMIT) {
        command->current_ma = milli * modules(config);
    } else {
        return 0;
    }
    return 1;
}

static int answer_quantity(const struct pw_rectifier_config *config,
                           const struct pw_rectifier_report *report,
                           struct pw_huawei_message *reply)
{
    const struct quantity *row = find(config, reply->signal);
    int32_t value;
    if (row == NULL || (report->has & row->has) == 0) {
        return PW_ERR_UNKNOWN;
    }
    memcpy(&value, (const uint8_t *)report + row->member, sizeof(value));
    int64_t milli = (int64_t)value * row->divisor / (row->shared ? modules(config) : 1);
    if (milli < INT32_MIN || milli > INT32_MAX) {
        return PW_ERR_RANGE;
    }
    return pw_huawei_q10((int32_t)milli, &reply->value);
}

static int answer_query(const struct pw_rectifier_config *config,
                        const struct pw_rectifier_report *report, struct pw_huawei_message *reply)
{
    if (reply->signal == PW_HUAWEI_SIGNAL_ALARMS) {
        reply->value = (uint32_t)report->alarm_bits;
        reply->word = (uint16_t)(report->alarm_bits >> 32);
        return PW_OK;
    }
    if (reply->signal == PW_HUAWEI_SIGNAL_RUNNING) {
        struct pw_huawei_running running = {
            .bits = (uint16_t)((report->on ? 0U : PW_HUAWEI_RUN_OFF) |
                               (report->limited ? PW_HUAWEI_RUN_CURRENT_LIMIT : 0U)),
            .output_ma = report->output_ma / modules(config),
            .output_mv = report->output_mv,
        };
        return pw_huawei_pack_running(&running, reply);
    }
    return answer_quantity(config, report, reply);
}

static int answer(const struct pw_rectifier_config *config, const struct pw_can_frame *asked,
                  const struct pw_rectifier_report *report, struct pw_can_frame *reply)
{
    struct pw_huawei_message question;
    if (!addressed(config, asked, &question)) {
        return 0;
    }
    struct pw_huawei_message said = pw_huawei_answer(&question);
    said.address = address(config);
    bool known =
        question.command == PW_HUAWEI_CONFIGURE ||
        (question.command == PW_HUAWEI_QUERY && answer_query(config, report, &said) == PW_OK);
    if (!known) {
        said.result = PW_HUAWEI_INVALID;
    }
    return pw_huawei_pack(&said, reply) == PW_OK ? 1 : 0;
}

static int clear_ovp(const struct pw_rectifier_config *config, struct pw_can_frame *frame)
{
    struct pw_huawei_message message =
        pw_huawei_ask(address(config), PW_HUAWEI_CONFIGURE, PW_HUAWEI_SIGNAL_CLEAR_OVER_VOLTAGE);
    return pw_huawei_pack(&message, frame);
}

// Signal 0x183 (facts/dc-can.md §1.3): bit numbers of the value word.
static const struct pw_rectifier_alarm_row alarm_rows[] = {
    {UINT64_C(1) << 0, PW_RECTIFIER_ALARM_OVP},
    {UINT64_C(1) << 1 | UINT64_C(1) << 12, PW_RECTIFIER_ALARM_TEMP},
    {UINT64_C(1) << 17 | UINT64_C(1) << 22 | UINT64_C(1) << 29, PW_RECTIFIER_ALARM_MAINS},
    {UINT64_C(1) << 27, PW_RECTIFIER_ALARM_SHORT},
};

const struct pw_rectifier_driver pw_rectifier_driver_huawei = {
    .name = "huawei",
    .address_least = 1,
    .address_most = 127,
    .bitrate = 125000,
    .control_count = CONTROLS,
    .control_ms = 500,
    .control = control,
    .poll_count = PW_COUNT(polls),
    .poll_ms = 50,
    .poll_idle_ms = 500,
    .poll = poll,
    .silence_ms = 15000,
    .read = read,
    .alarms = alarm_rows,
    .alarm_count = PW_COUNT(alarm_rows),
    .clear_ovp = clear_ovp,
    .take = take,
    .answer = answer,
};

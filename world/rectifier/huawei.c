// The modules' side of Huawei's protocol 0x0D: set-points by command 0x81, single queries by 0x82.
#include "can/huawei.h"

#include "rectifier/dialect.h"

#include <math.h>

#define SET_MAX_MV 200000 // a set-point beyond is answered as invalid and ignored

static bool set_voltage(struct pw_world_rectifier *rectifier,
                        const struct pw_huawei_message *message)
{
    int32_t mv = 0;
    if (pw_huawei_milli(message->value, &mv) != PW_OK || mv < 0 || mv > SET_MAX_MV) {
        return false;
    }
    rectifier->set_mv = (uint32_t)mv;
    return true;
}

static bool set_limit(struct pw_world_rectifier *rectifier, const struct pw_huawei_message *message)
{
    int32_t each_ma = 0;
    int32_t full_ma = (int32_t)rectifier->config.rated_ma;
    if (pw_huawei_share_ma(message->value, full_ma, &each_ma) != PW_OK || each_ma < 0) {
        return false;
    }
    rectifier->set_ma = (uint32_t)each_ma * rectifier->config.modules;
    return true;
}

static bool set_current(struct pw_world_rectifier *rectifier,
                        const struct pw_huawei_message *message)
{
    int32_t ma = 0;
    if (pw_huawei_milli(message->value, &ma) != PW_OK || ma < 0) {
        return false;
    }
    rectifier->set_ma = (uint32_t)ma;
    return true;
}

static bool set_ovp(struct pw_world_rectifier *rectifier, const struct pw_huawei_message *message)
{
    int32_t mv = 0;
    if (pw_huawei_milli(message->value, &mv) != PW_OK || mv <= 0 || mv > SET_MAX_MV) {
        return false;
    }
    rectifier->ovp_mv = (uint32_t)mv;
    return true;
}

static bool switch_output(struct pw_world_rectifier *rectifier,
                          const struct pw_huawei_message *message)
{
    return message->word <= 1 && pw_world_rectifier_switch(rectifier, message->word == 0);
}

static bool clear_ovp(struct pw_world_rectifier *rectifier, const struct pw_huawei_message *message)
{
    (void)message;
    pw_world_rectifier_lower(rectifier, PW_WORLD_RECTIFIER_OVP);
    return true;
}

static bool clear_short(struct pw_world_rectifier *rectifier,
                        const struct pw_huawei_message *message)
{
    (void)message;
    pw_world_rectifier_lower(rectifier, PW_WORLD_RECTIFIER_SHORT);
    return true;
}

static bool emergency_off(struct pw_world_rectifier *rectifier,
                          const struct pw_huawei_message *message)
{
    (void)message;
    return pw_world_rectifier_switch(rectifier, false);
}

struct order {
    uint16_t signal;
    bool (*obey)(struct pw_world_rectifier *rectifier, const struct pw_huawei_message *message);
};

static const struct order orders[] = {
    {PW_HUAWEI_SIGNAL_SET_VOLTAGE, set_voltage},
    {PW_HUAWEI_SIGNAL_LIMIT, set_limit},
    {PW_HUAWEI_SIGNAL_SET_CURRENT, set_current},
    {PW_HUAWEI_SIGNAL_OVER_VOLTAGE, set_ovp},
    {PW_HUAWEI_SIGNAL_ON_OFF, switch_output},
    {PW_HUAWEI_SIGNAL_EMERGENCY_OFF, emergency_off},
    {PW_HUAWEI_SIGNAL_CLEAR_OVER_VOLTAGE, clear_ovp},
    {PW_HUAWEI_SIGNAL_CLEAR_SHORT, clear_short},
};

static int32_t module_ma(struct pw_world_rectifier *rectifier)
{
    return pw_world_rectifier_measured_ma(rectifier) / rectifier->config.modules;
}

static int32_t inside_mc(struct pw_world_rectifier *rectifier)
{
    return (int32_t)lrint(pw_world_rectifier_inside_c(rectifier) * 1000.0);
}

static int32_t intake_mc(struct pw_world_rectifier *rectifier)
{
    // Air that has passed the cabinet: half of the modules' own warmth, all of a blocked filter's.
    double own = rectifier->temp_c - rectifier->ambient_c;
    double intake = rectifier->ambient_c + 0.5 * own + rectifier->forced_heat_c;
    return (int32_t)lrint(intake * 1000.0);
}

static int32_t line_mv(struct pw_world_rectifier *rectifier)
{
    return (int32_t)lrint(pw_world_rectifier_measured_input_mv(rectifier) * 1.7320508);
}

static int32_t output_mw(struct pw_world_rectifier *rectifier)
{
    return (int32_t)lrint(rectifier->volts * rectifier->amps * 1000.0 / rectifier->config.modules);
}

static int32_t rated_ma(struct pw_world_rectifier *rectifier)
{
    return (int32_t)rectifier->config.rated_ma;
}

static int32_t set_mv(struct pw_world_rectifier *rectifier)
{
    return (int32_t)rectifier->set_mv;
}

// Quantities a query answers, in thousandths.
struct reading {
    uint16_t signal;
    int32_t (*milli)(struct pw_world_rectifier *rectifier);
};

static const struct reading readings[] = {
    {PW_HUAWEI_SIGNAL_SET_VOLTAGE, set_mv},
    {PW_HUAWEI_SIGNAL_OUTPUT_POWER, output_mw},
    {PW_HUAWEI_SIGNAL_OUTPUT_VOLTAGE, pw_world_rectifier_measured_mv},
    {PW_HUAWEI_SIGNAL_INPUT_VOLTAGE, pw_world_rectifier_measured_input_mv},
    {PW_HUAWEI_SIGNAL_LINE_UV, line_mv},
    {PW_HUAWEI_SIGNAL_LINE_VW, line_mv},
    {PW_HUAWEI_SIGNAL_LINE_WU, line_mv},
    {PW_HUAWEI_SIGNAL_OUTPUT_TEMPERATURE, inside_mc},
    {PW_HUAWEI_SIGNAL_INTAKE_TEMPERATURE, intake_mc},
    {PW_HUAWEI_SIGNAL_OUTPUT_CURRENT, module_ma},
    {PW_HUAWEI_SIGNAL_OUTPUT_CURRENT_2, module_ma},
    {PW_HUAWEI_SIGNAL_TERMINAL_VOLTAGE, pw_world_rectifier_measured_mv},
    {PW_HUAWEI_SIGNAL_RATED_CURRENT, rated_ma},
};

#define ALARM_OFF       9  // bits of signal 0x183 that say how the module runs
#define ALARM_LIMITING  28 // constant current
#define EXTRA_COMM_LOST 4  // bit of its bytes 2-3

static void put_alarms(const struct pw_world_rectifier *rectifier, struct pw_huawei_message *reply)
{
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        if ((rectifier->alarms & (1U << i)) != 0) {
            reply->value |=
                1U << pw_world_rectifier_alarm_row((enum pw_world_rectifier_alarm)i)->huawei_bit;
        }
    }
    if (rectifier->state != PW_WORLD_RECTIFIER_ON) {
        reply->value |= 1U << ALARM_OFF;
    }
    if (pw_world_rectifier_limits(rectifier)) {
        reply->value |= 1U << ALARM_LIMITING;
    }
    if (rectifier->state == PW_WORLD_RECTIFIER_LOST) {
        reply->word |= 1U << EXTRA_COMM_LOST;
    }
}

static void put_running(struct pw_world_rectifier *rectifier, struct pw_huawei_message *reply)
{
    struct pw_huawei_running running = {
        .output_ma = module_ma(rectifier),
        .output_mv = pw_world_rectifier_measured_mv(rectifier),
    };
    if (rectifier->state != PW_WORLD_RECTIFIER_ON) {
        running.bits |= PW_HUAWEI_RUN_OFF;
    }
    if (rectifier->state == PW_WORLD_RECTIFIER_ALARMED) {
        running.bits |= PW_HUAWEI_RUN_FAULT;
    }
    if (pw_world_rectifier_limits(rectifier)) {
        running.bits |= PW_HUAWEI_RUN_CURRENT_LIMIT;
    }
    int err = pw_huawei_pack_running(&running, reply);
    PW_ASSERT(err == PW_OK);
}

static bool obey(struct pw_world_rectifier *rectifier, const struct pw_huawei_message *message)
{
    for (size_t i = 0; i < PW_COUNT(orders); i++) {
        if (orders[i].signal == message->signal) {
            return orders[i].obey(rectifier, message);
        }
    }
    return false;
}

static bool report(struct pw_world_rectifier *rectifier, struct pw_huawei_message *reply)
{
    if (reply->signal == PW_HUAWEI_SIGNAL_ALARMS) {
        put_alarms(rectifier, reply);
        return true;
    }
    if (reply->signal == PW_HUAWEI_SIGNAL_RUNNING) {
        put_running(rectifier, reply);
        return true;
    }
    for (size_t i = 0; i < PW_COUNT(readings); i++) {
        if (readings[i].signal == reply->signal) {
            return pw_huawei_q10(readings[i].milli(rectifier), &reply->value) == PW_OK;
        }
    }
    return false;
}

void pw_world_rectifier_huawei(struct pw_world_rectifier *rectifier,
                               const struct pw_can_frame *frame, pw_ms now)
{
    struct pw_huawei_message message;
    if (pw_huawei_unpack(frame, &message) != PW_OK || !message.from_controller ||
        message.protocol != PW_HUAWEI_CHARGING) {
        return;
    }
    bool broadcast = message.address == PW_HUAWEI_BROADCAST;
    if (!broadcast && message.address != rectifier->config.address) {
        return;
    }
    pw_world_rectifier_heard(rectifier, now);
    struct pw_huawei_message reply = pw_huawei_answer(&message);
    reply.address = rectifier->config.address;
    bool understood = false;
    if (message.command == PW_HUAWEI_CONFIGURE) {
        reply.word = message.word;
        reply.value = message.value;
        understood = obey(rectifier, &message);
    } else if (message.command == PW_HUAWEI_QUERY) {
        reply.word = 0;
        reply.value = 0;
        understood = report(rectifier, &reply);
    }
    reply.result = understood ? PW_HUAWEI_OK : PW_HUAWEI_INVALID;
    struct pw_can_frame out;
    int err = pw_huawei_pack(&reply, &out);
    PW_ASSERT(err == PW_OK);
    pw_world_rectifier_send(rectifier, &out);
}

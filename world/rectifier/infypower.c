// The modules' side of Infypower V1.13: set-points in mV and mA, status bits, telemetry in floats
// and integers.
#include "can/infypower.h"

#include "rectifier/dialect.h"

#include <math.h>

#define SET_MAX_MV     200000 // a set-point beyond is answered as bad data and ignored
#define VOLTAGE_MIN_MV 50000
#define VOLTAGE_MAX_MV 100000
#define BYTE_OF_STATUS 7 // byte 7 holds bits 0-7, byte 6 the next eight, byte 5 the last

static bool set_output(struct pw_world_rectifier *rectifier, int32_t mv, int64_t ma)
{
    if (mv < 0 || mv > SET_MAX_MV || ma < 0 || ma > INT32_MAX) {
        return false;
    }
    rectifier->set_mv = (uint32_t)mv;
    rectifier->set_ma = (uint32_t)ma;
    return true;
}

static uint32_t status_bits(const struct pw_world_rectifier *rectifier)
{
    uint32_t bits = 0;
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        if ((rectifier->alarms & (1U << i)) != 0) {
            const struct pw_world_rectifier_alarm_row *row =
                pw_world_rectifier_alarm_row((enum pw_world_rectifier_alarm)i);
            bits |= 1U << ((BYTE_OF_STATUS - row->infy_byte) * 8 + row->infy_bit);
        }
    }
    switch (rectifier->state) {
    case PW_WORLD_RECTIFIER_ON: break;
    case PW_WORLD_RECTIFIER_OFF: bits |= PW_INFYPOWER_OFF; break;
    case PW_WORLD_RECTIFIER_LOST: bits |= PW_INFYPOWER_OFF | PW_INFYPOWER_COMM_LOST; break;
    case PW_WORLD_RECTIFIER_ALARMED: bits |= PW_INFYPOWER_OFF | PW_INFYPOWER_PROTECTED; break;
    }
    return bits;
}

// Switched off, these modules forget an over-voltage and a short circuit.
static bool switch_output(struct pw_world_rectifier *rectifier, bool on)
{
    if (!on) {
        pw_world_rectifier_lower(rectifier, PW_WORLD_RECTIFIER_OVP);
        pw_world_rectifier_lower(rectifier, PW_WORLD_RECTIFIER_SHORT);
    }
    return pw_world_rectifier_switch(rectifier, on);
}

static bool order(struct pw_world_rectifier *rectifier, const struct pw_infypower_message *message)
{
    switch (message->command) {
    case PW_INFYPOWER_SET_SYSTEM:
        return set_output(rectifier, message->voltage_mv, message->current_ma);
    case PW_INFYPOWER_SET_MODULE:
        return set_output(rectifier, message->voltage_mv,
                          (int64_t)message->current_ma * rectifier->config.modules);
    case PW_INFYPOWER_ON_OFF:
        return message->argument <= 1 && switch_output(rectifier, message->argument == 0);
    case PW_INFYPOWER_WALK_IN:
    case PW_INFYPOWER_BLINK: return true; // nothing the outside can feel
    default:                              // command is the wire's number, not an enum
        return false;
    }
}

static bool report(struct pw_world_rectifier *rectifier, struct pw_infypower_message *reply)
{
    int32_t modules = rectifier->config.modules;
    switch (reply->command) {
    case PW_INFYPOWER_SYSTEM_FLOAT:
    case PW_INFYPOWER_SYSTEM_MILLI:
        reply->voltage_mv = pw_world_rectifier_measured_mv(rectifier);
        reply->current_ma = pw_world_rectifier_measured_ma(rectifier);
        return true;
    case PW_INFYPOWER_MODULE_FLOAT:
    case PW_INFYPOWER_MODULE_MILLI:
        reply->voltage_mv = pw_world_rectifier_measured_mv(rectifier);
        reply->current_ma = pw_world_rectifier_measured_ma(rectifier) / modules;
        return true;
    case PW_INFYPOWER_COUNT: reply->count = modules; return true;
    case PW_INFYPOWER_STATUS:
        reply->ambient_dc = (int32_t)lrint(pw_world_rectifier_inside_c(rectifier)) * 10;
        reply->status = status_bits(rectifier);
        return true;
    case PW_INFYPOWER_INPUT:
        for (size_t i = 0; i < PW_COUNT(reply->input_mv); i++) {
            reply->input_mv[i] = pw_world_rectifier_measured_input_mv(rectifier);
        }
        return true;
    case PW_INFYPOWER_CAPABILITY:
        reply->voltage_max_mv = VOLTAGE_MAX_MV;
        reply->voltage_min_mv = VOLTAGE_MIN_MV;
        reply->current_max_ma = (int32_t)rectifier->config.rated_ma;
        reply->power_w = VOLTAGE_MAX_MV / 1000 * (int32_t)rectifier->config.rated_ma / 1000;
        return true;
    case PW_INFYPOWER_OUTPUT:
        reply->voltage_mv = pw_world_rectifier_measured_mv(rectifier);
        reply->current_ma = (int32_t)rectifier->config.rated_ma;
        return true;
    default: return false;
    }
}

void pw_world_rectifier_infypower(struct pw_world_rectifier *rectifier,
                                  const struct pw_can_frame *frame, pw_ms now)
{
    struct pw_infypower_message message;
    if (pw_infypower_unpack(frame, &message) != PW_OK || message.source < PW_INFYPOWER_CONTROLLER) {
        return;
    }
    if (message.destination != rectifier->config.address &&
        message.destination != PW_INFYPOWER_BROADCAST) {
        return;
    }
    pw_world_rectifier_heard(rectifier, now);
    struct pw_infypower_message reply = pw_infypower_answer(&message);
    reply.source = rectifier->config.address;
    bool understood = message.reading ? report(rectifier, &reply) : order(rectifier, &message);
    reply.result = understood        ? PW_INFYPOWER_OK
                   : message.reading ? PW_INFYPOWER_BAD_COMMAND
                                     : PW_INFYPOWER_BAD_DATA;
    struct pw_can_frame out;
    int err = pw_infypower_pack(&reply, &out);
    PW_ASSERT(err == PW_OK);
    pw_world_rectifier_send(rectifier, &out);
}

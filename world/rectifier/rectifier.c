#include "rectifier/rectifier.h"

#include "rectifier/dialect.h"

#include <math.h>

#define DEFAULT_MV    72000 // set-points after power-on and after a lost master
#define DEFAULT_MA    5000
#define OVP_MV        88000
#define DERATE_FROM_C 60.0
#define DERATE_TO_C   80.0
#define TRIP_C        95.0
#define REPORT_MS     200 // the terminal report's period
// Heat: 6 % of the output and a fan that keeps 7.5 kW at 22 K above the surroundings.
#define LOSS          0.06
#define STANDBY_W     15.0
#define HEAT_J_PER_K  3000.0
#define COOLING_K_W   0.05
#define NOISE_V       0.008
#define NOISE_A       0.0005 // of the reading

#define ROW(name, word, huawei, infy_byte, infy_bit, stops)                                        \
    [PW_WORLD_RECTIFIER_##name] = {word, huawei, infy_byte, infy_bit, stops},
static const struct pw_world_rectifier_alarm_row alarm_rows[PW_WORLD_RECTIFIER_ALARM_COUNT] = {
    PW_WORLD_RECTIFIER_ALARMS(ROW)};
#undef ROW

const struct pw_world_rectifier_alarm_row *
pw_world_rectifier_alarm_row(enum pw_world_rectifier_alarm alarm)
{
    PW_ASSERT(alarm < PW_WORLD_RECTIFIER_ALARM_COUNT);
    return &alarm_rows[alarm];
}

const char *pw_world_rectifier_alarm_word(enum pw_world_rectifier_alarm alarm)
{
    return pw_world_rectifier_alarm_row(alarm)->word;
}

const char *pw_world_rectifier_state_name(enum pw_world_rectifier_state state)
{
    switch (state) {
    case PW_WORLD_RECTIFIER_OFF: return "off";
    case PW_WORLD_RECTIFIER_ON: return "on";
    case PW_WORLD_RECTIFIER_LOST: return "lost";
    case PW_WORLD_RECTIFIER_ALARMED: return "alarmed";
    }
    PW_UNREACHABLE();
}

struct pw_world_rectifier_config pw_world_rectifier_defaults(void)
{
    return (struct pw_world_rectifier_config){
        .maker = PW_WORLD_RECTIFIER_HUAWEI,
        .address = 1,
        .modules = 3,
        .rated_ma = 33570,
        .ramp_ma_s = 50000,
        .comm_timeout_ms = 10000,
        .terminal_report = true,
    };
}

void pw_world_rectifier_init(struct pw_world_rectifier *rectifier,
                             const struct pw_world_rectifier_config *config, pw_ms now)
{
    PW_ASSERT(config->modules > 0 && config->rated_ma > 0 && config->ramp_ma_s > 0);
    *rectifier = (struct pw_world_rectifier){
        .config = *config,
        .set_mv = DEFAULT_MV,
        .set_ma = DEFAULT_MA,
        .ovp_mv = OVP_MV,
        .ambient_c = 25.0,
        .temp_c = 25.0,
        .heard_at = now,
        .report_at = now,
    };
    pw_noise_init(&rectifier->noise, config->seed, 2);
}

double pw_world_rectifier_inside_c(const struct pw_world_rectifier *rectifier)
{
    return rectifier->temp_c + rectifier->forced_heat_c;
}

static double able_a(const struct pw_world_rectifier *rectifier)
{
    double over_c = pw_world_rectifier_inside_c(rectifier) - DERATE_FROM_C;
    double share = 1.0 - fmin(fmax(over_c / (DERATE_TO_C - DERATE_FROM_C), 0.0), 1.0);
    if ((rectifier->alarms & (1U << PW_WORLD_RECTIFIER_PHASE)) != 0) {
        share *= 0.5; // two phases of three carry the load
    }
    return rectifier->config.rated_ma * 0.001 * rectifier->config.modules * share;
}

struct pw_world_rectifier_drive pw_world_rectifier_drive(const struct pw_world_rectifier *rectifier,
                                                         uint32_t ms)
{
    if (rectifier->state != PW_WORLD_RECTIFIER_ON) {
        return (struct pw_world_rectifier_drive){0};
    }
    double risen = rectifier->amps + rectifier->config.ramp_ma_s * 1e-6 * ms;
    double limit = fmin(rectifier->set_ma * 0.001, able_a(rectifier));
    return (struct pw_world_rectifier_drive){
        .volts = rectifier->set_mv * 0.001,
        .amps = fmin(risen, limit),
    };
}

bool pw_world_rectifier_limits(const struct pw_world_rectifier *rectifier)
{
    return rectifier->state == PW_WORLD_RECTIFIER_ON &&
           rectifier->volts < rectifier->set_mv * 0.001 - 0.05;
}

void pw_world_rectifier_output(struct pw_world_rectifier *rectifier, double volts, double amps,
                               uint32_t ms)
{
    double s = ms * 0.001;
    rectifier->volts = volts;
    rectifier->amps = amps;
    double in_w = volts * amps * LOSS + STANDBY_W;
    double out_w = (rectifier->temp_c - rectifier->ambient_c) / COOLING_K_W;
    rectifier->temp_c += (in_w - out_w) * s / HEAT_J_PER_K;
    if (rectifier->state != PW_WORLD_RECTIFIER_ON) {
        return;
    }
    if (volts * 1000.0 > rectifier->ovp_mv) {
        pw_world_rectifier_raise(rectifier, PW_WORLD_RECTIFIER_OVP);
    } else if (pw_world_rectifier_inside_c(rectifier) > TRIP_C) {
        pw_world_rectifier_raise(rectifier, PW_WORLD_RECTIFIER_INTERNAL);
    }
}

void pw_world_rectifier_raise(struct pw_world_rectifier *rectifier,
                              enum pw_world_rectifier_alarm alarm)
{
    rectifier->alarms |= 1U << alarm;
    if (pw_world_rectifier_alarm_row(alarm)->stops) {
        rectifier->state = PW_WORLD_RECTIFIER_ALARMED;
    }
}

void pw_world_rectifier_lower(struct pw_world_rectifier *rectifier,
                              enum pw_world_rectifier_alarm alarm)
{
    rectifier->alarms &= ~(1U << alarm);
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        if ((rectifier->alarms & (1U << i)) != 0 && alarm_rows[i].stops) {
            return;
        }
    }
    if (rectifier->state == PW_WORLD_RECTIFIER_ALARMED) {
        rectifier->state = PW_WORLD_RECTIFIER_OFF;
    }
}

void pw_world_rectifier_clear(struct pw_world_rectifier *rectifier)
{
    for (int i = 0; i < PW_WORLD_RECTIFIER_ALARM_COUNT; i++) {
        pw_world_rectifier_lower(rectifier, (enum pw_world_rectifier_alarm)i);
    }
}

bool pw_world_rectifier_switch(struct pw_world_rectifier *rectifier, bool on)
{
    if (rectifier->state == PW_WORLD_RECTIFIER_ALARMED) {
        return !on;
    }
    rectifier->state = on ? PW_WORLD_RECTIFIER_ON : PW_WORLD_RECTIFIER_OFF;
    return true;
}

void pw_world_rectifier_heard(struct pw_world_rectifier *rectifier, pw_ms now)
{
    rectifier->heard_at = now;
}

static void lose_master(struct pw_world_rectifier *rectifier)
{
    rectifier->state = PW_WORLD_RECTIFIER_LOST;
    rectifier->set_mv = DEFAULT_MV;
    rectifier->set_ma = DEFAULT_MA;
}

pw_ms pw_world_rectifier_step(struct pw_world_rectifier *rectifier, pw_ms now)
{
    pw_ms next = PW_NEVER;
    if (rectifier->state == PW_WORLD_RECTIFIER_ON) {
        next = pw_after(rectifier->heard_at, rectifier->config.comm_timeout_ms);
        if (now >= next) {
            lose_master(rectifier);
            next = PW_NEVER;
        }
    }
    if (!rectifier->config.terminal_report) {
        return next;
    }
    if (now >= rectifier->report_at) {
        pw_world_rectifier_terminal(rectifier);
        rectifier->report_at = now + REPORT_MS;
    }
    return pw_earlier(next, rectifier->report_at);
}

void pw_world_rectifier_can(struct pw_world_rectifier *rectifier, const struct pw_can_frame *frame,
                            pw_ms now)
{
    switch (rectifier->config.maker) {
    case PW_WORLD_RECTIFIER_HUAWEI: pw_world_rectifier_huawei(rectifier, frame, now); return;
    case PW_WORLD_RECTIFIER_INFYPOWER: pw_world_rectifier_infypower(rectifier, frame, now); return;
    }
    PW_UNREACHABLE();
}

void pw_world_rectifier_send(struct pw_world_rectifier *rectifier, const struct pw_can_frame *frame)
{
    if (!rectifier->silent) {
        (void)pw_world_rectifier_tx_push(&rectifier->tx, *frame);
    }
}

bool pw_world_rectifier_take_can(struct pw_world_rectifier *rectifier, struct pw_can_frame *frame)
{
    return pw_world_rectifier_tx_pop(&rectifier->tx, frame);
}

int32_t pw_world_rectifier_measured_mv(struct pw_world_rectifier *rectifier)
{
    double volts = rectifier->volts + NOISE_V * pw_noise_bell(&rectifier->noise);
    return (int32_t)lrint(fmax(volts, 0.0) * 1000.0);
}

int32_t pw_world_rectifier_measured_ma(struct pw_world_rectifier *rectifier)
{
    double amps = rectifier->amps * (1.0 + NOISE_A * pw_noise_bell(&rectifier->noise));
    return (int32_t)lrint(fmax(amps, 0.0) * 1000.0);
}

int32_t pw_world_rectifier_measured_input_mv(struct pw_world_rectifier *rectifier)
{
    bool lost = (rectifier->alarms & (1U << PW_WORLD_RECTIFIER_INPUT_LOST)) != 0;
    bool low = (rectifier->alarms & (1U << PW_WORLD_RECTIFIER_INPUT_LOW)) != 0;
    double volts = lost ? 0.0 : low ? 160.0 : 230.0;
    return (int32_t)lrint((volts + 0.5 * pw_noise_bell(&rectifier->noise)) * 1000.0);
}

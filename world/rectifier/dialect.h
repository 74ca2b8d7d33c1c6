// dialect: what the two makers' languages need from the rectifier they speak for. Private to the
// room.
#ifndef PW_WORLD_RECTIFIER_DIALECT_H
#define PW_WORLD_RECTIFIER_DIALECT_H

#include "rectifier/rectifier.h"

// One row of PW_WORLD_RECTIFIER_ALARMS as the languages see it.
struct pw_world_rectifier_alarm_row {
    const char *word;
    uint8_t huawei_bit;
    uint8_t infy_byte;
    uint8_t infy_bit;
    bool stops;
};

const struct pw_world_rectifier_alarm_row *
pw_world_rectifier_alarm_row(enum pw_world_rectifier_alarm alarm);

// A command or query for this rectifier arrived.
void pw_world_rectifier_heard(struct pw_world_rectifier *rectifier, pw_ms now);
// Switches the output. On is refused (false) while an alarm stops it.
bool pw_world_rectifier_switch(struct pw_world_rectifier *rectifier, bool on);
void pw_world_rectifier_send(struct pw_world_rectifier *rectifier,
                             const struct pw_can_frame *frame);

// Measured, with the sensors' noise, in mV and mA.
int32_t pw_world_rectifier_measured_mv(struct pw_world_rectifier *rectifier);
int32_t pw_world_rectifier_measured_ma(struct pw_world_rectifier *rectifier);
int32_t pw_world_rectifier_measured_input_mv(struct pw_world_rectifier *rectifier);
double pw_world_rectifier_inside_c(const struct pw_world_rectifier *rectifier);
bool pw_world_rectifier_limits(
    const struct pw_world_rectifier *rectifier); // works as a current source

void pw_world_rectifier_huawei(struct pw_world_rectifier *rectifier,
                               const struct pw_can_frame *frame, pw_ms now);
void pw_world_rectifier_infypower(struct pw_world_rectifier *rectifier,
                                  const struct pw_can_frame *frame, pw_ms now);
void pw_world_rectifier_terminal(struct pw_world_rectifier *rectifier);

#endif

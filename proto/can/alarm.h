// alarm: a maker's alarm bits as rows, and the worst of those that are set.
#ifndef PW_CAN_ALARM_H
#define PW_CAN_ALARM_H

#include "base/base.h"

enum pw_can_severity {
    PW_CAN_CALM,  // says how the device runs; nothing is wrong
    PW_CAN_WARNS, // runs, worse than it should
    PW_CAN_FAILS, // does not deliver, or must not
};

struct pw_can_alarm {
    uint8_t bit; // 0..63
    enum pw_can_severity severity;
    const char *name;
};

// The row of the worst alarm set, the first among equals; NULL when nothing above CALM is set. Bits
// without a row count for nothing.
const struct pw_can_alarm *pw_can_worst_alarm(const struct pw_can_alarm *rows, size_t count,
                                              uint64_t bits);

#endif

#include "can/alarm.h"

const struct pw_can_alarm *pw_can_worst_alarm(const struct pw_can_alarm *rows, size_t count,
                                              uint64_t bits)
{
    const struct pw_can_alarm *worst = NULL;
    for (size_t i = 0; i < count; i++) {
        bool set = (bits >> rows[i].bit & 1U) != 0;
        if (set && rows[i].severity > (worst == NULL ? PW_CAN_CALM : worst->severity)) {
            worst = &rows[i];
        }
    }
    return worst;
}

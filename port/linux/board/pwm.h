// pwm: the 1 kHz generator of the pilot behind the kernel's PWM folder. Private to this room.
// Source: Linux ABI, sysfs-class-pwm.
#ifndef PW_LINUX_BOARD_PWM_H
#define PW_LINUX_BOARD_PWM_H

#include "board/file.h"

struct pw_pwm {
    int duty;         // kept open: a change is one system call; -1: closed
    int32_t high_ppm; // as set
    bool inverted;
};

// Exports the channel if need be, sets 1 kHz and switches it on at -12 V. On an error `why` names
// the file.
PW_MUST_USE int pw_pwm_open(struct pw_pwm *pwm, const struct pw_board_file *file,
                            struct pw_out *why);
void pw_pwm_close(struct pw_pwm *pwm); // leaves it at -12 V

// How long the pilot is high, in ppm: 0 is steady -12 V, 1000000 steady +12 V. PW_ERR_PEER when the
// system refuses.
PW_MUST_USE int pw_pwm_set(struct pw_pwm *pwm, int32_t high_ppm);

#endif

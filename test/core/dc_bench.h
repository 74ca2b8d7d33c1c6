// A bench for core/dc in virtual time, 10 ms a turn: vehicle, rectifier, I/O node and output work
// until a story breaks one of them. The judge of dc_oracle.h watches every turn.
#ifndef PW_TEST_DC_BENCH_H
#define PW_TEST_DC_BENCH_H

#include "dc/dc.h"
#include "dc_oracle.h"

struct dc_bench {
    bool bms_silent;
    bool out_silent;
    bool rectifier_silent;
    bool io_silent;
    bool feedback_stuck;
    int32_t battery_mv; // what the connector side shows; 0: not measured
    int32_t rest_mv;    // an output that is off: sinks to here by 10 V a second
    bool hold_output;   // out_mv and out_ma are the story's
};

extern struct pw_dc dc;
extern struct pw_dc_input in;
extern pw_ms now;
extern struct dc_bench bench;

void bench_set_up(const struct pw_dc_config *config);
// Set up, permitted, and charging with 30 A.
void bench_charge_with(const struct pw_dc_config *config);
void bench_charge(void);
void bench_turn(void);
void bench_run(pw_ms span);
bool bench_stands(enum pw_dc_fault fault);
void bench_clear(enum pw_dc_fault fault); // by hand; must succeed
bool bench_passed_through(enum pw_dc_state state);

// Runs until the condition holds; fails the test after `most`.
#define UNTIL(condition, most)                                                                     \
    do {                                                                                           \
        pw_ms from = now;                                                                          \
        while (!(condition) && now - from < (most)) {                                              \
            bench_run(10);                                                                         \
        }                                                                                          \
        if (!(condition)) {                                                                        \
            fail_msg("not in time: %s (in %s)", #condition, pw_dc_state_name(dc.state));           \
        }                                                                                          \
    } while (0)

#endif

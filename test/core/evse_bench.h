// A bench for core/evse in virtual time: a vehicle, a board and what hangs on it, with delays of
// real parts. The observer sees the physical side only (true pilot, coil, contact, lock, winding)
// and judges every turn; what it knows of the machine are its outputs.
#ifndef PW_TEST_EVSE_BENCH_H
#define PW_TEST_EVSE_BENCH_H

#include "evse/evse.h"

#define BENCH_CLOSE_MS 20 // contactor
#define BENCH_OPEN_MS  15
#define BENCH_RCD_MS   20
#define BENCH_LOCK_MS  300

// The physical side. The story writes the upper part.
struct evse_world {
    enum pw_pilot_level car; // A nobody, B, C, D; E shorts the pilot
    bool diode;
    bool follows; // opens S2 1 s after the offer ends, closes it again 1 s after it begins
    bool wants;   // ... while it wants energy
    int32_t draw_ma;
    int32_t pp_ohm;
    bool welded;
    bool never_closes;
    bool lock_stuck;
    bool rcd_broken;
    bool leak;
    bool earth_lost;
    bool estop;
    bool silent;
    bool opened;      // its watchdog has opened
    bool pilot_stuck; // the pilot stays at +12 V whatever it is told
    int32_t mains_mv;
    int32_t temp_dc;
    int32_t noise_mv; // of pilot readings, either way

    enum pw_pilot_level was;     // true level of the turn before
    pw_ms edge_at;               // true edge out of C and D; PW_NEVER: it is in them
    struct pw_board_drive drive; // as the board has it
    bool contact;
    pw_ms coil_at;
    bool tripped;
    pw_ms winding_at;
    int32_t lock_pos; // 0 open ... BENCH_LOCK_MS closed
    pw_ms offer_at;   // last change of "offered"
    bool offered;
    uint64_t seed;
};

// The observer's memory.
struct evse_observer {
    pw_ms permit_gone_at; // PW_NEVER: permitted
    pw_ms opened_at;
    pw_ms duty_at;
    int32_t duty_ppm;
    pw_ms tested_at; // a whole self-test, trip and return; PW_NEVER: not since the last closing
    bool test_tripped;
    pw_ms steady_at; // PW_NEVER: not steady
    pw_ms fault_at;  // pilot at F since; PW_NEVER: not
    pw_ms closes[64];
    unsigned closings;
    pw_ms stuck_at; // contact closed without coil since; PW_NEVER: it is not
    bool barred;    // tripped or welded, and not reset since
    bool seen_b;
    int32_t limit_ma;
    unsigned closed_turns;
    unsigned pwm_turns;
};

struct evse_bench {
    struct pw_evse evse;
    struct evse_world world;
    struct evse_observer observer;
    struct pw_board_senses senses;
    bool permit;
    int32_t limit_ma;
    pw_ms now;
    pw_ms next;
    const char *broken; // first rule broken, or NULL
};

void evse_bench_begin(struct evse_bench *b, const struct pw_evse_config *config, pw_ms now);
// The program restarts; the world goes on. Latches are carried over.
void evse_bench_reboot(struct evse_bench *b);
// One turn of `span` ms; the physical side moves, senses are read, the machine steps.
void evse_bench_turn(struct evse_bench *b, pw_ms span);
void evse_bench_run(struct evse_bench *b, pw_ms span);   // by turns of 5 ms
void evse_bench_sleep(struct evse_bench *b, pw_ms span); // of 100 ms while open
bool evse_bench_stands(const struct evse_bench *b, enum pw_evse_fault fault);
void evse_bench_clear(struct evse_bench *b, enum pw_evse_fault fault); // if it can be
uint32_t evse_bench_random(uint64_t *seed);

#endif

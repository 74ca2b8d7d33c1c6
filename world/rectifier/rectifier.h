// rectifier: the power modules of a charging station as one source. Holds its set-points, follows
// them no faster than its ramp, limits current and voltage, gives up when nobody talks to it,
// latches overvoltage, weakens when hot, and reports. One struct behind two makers' languages
// (Huawei protocol 0x0D, Infypower V1.13); the terminal report of Rivot stations comes unasked.
// Sources: facts/dc-can.md §1.2–1.4, §6.
#ifndef PW_WORLD_RECTIFIER_H
#define PW_WORLD_RECTIFIER_H

#include "can/can.h"
#include "noise/noise.h"

enum pw_world_rectifier_maker { PW_WORLD_RECTIFIER_HUAWEI, PW_WORLD_RECTIFIER_INFYPOWER };

// Each alarm, what it is called in a scenario, its bit in Huawei's 0x183, its place in Infypower's
// status (byte of command 0x04, bit), and whether the output stops. Rows of one table.
// clang-format off
#define PW_WORLD_RECTIFIER_ALARMS(X)                        \
    /*  name       word        huawei infy bit  stops */ \
    X(  OVP,       "ovp",        0,     6,  5,  true  ) \
    X(  AMBIENT,   "ambient",    1,     6,  4,  true  ) \
    X(  FAN,       "fan",        4,     6,  3,  true  ) \
    X(  UNDERVOLT, "undervolt",  7,     6,  2,  true  ) \
    X(  INTERNAL,  "internal",  12,     6,  1,  true  ) \
    X(  INPUT_LOW, "input-low", 17,     5,  5,  true  ) \
    X(  PHASE,     "phase",     19,     5,  3,  false ) \
    X(  SHARE,     "share",     24,     5,  2,  false ) \
    X(  SHORT,     "short",     27,     7,  0,  true  ) \
    X(  INPUT_LOST,"input-lost",29,     5,  7,  true  )
// clang-format on

#define PW_WORLD_RECTIFIER_ENUM(name, word, huawei, infy_byte, infy_bit, stops)                    \
    PW_WORLD_RECTIFIER_##name,
enum pw_world_rectifier_alarm {
    PW_WORLD_RECTIFIER_ALARMS(PW_WORLD_RECTIFIER_ENUM) PW_WORLD_RECTIFIER_ALARM_COUNT
};
#undef PW_WORLD_RECTIFIER_ENUM

enum pw_world_rectifier_state {
    PW_WORLD_RECTIFIER_OFF,
    PW_WORLD_RECTIFIER_ON,
    PW_WORLD_RECTIFIER_LOST,    // switched itself off: nobody had spoken to it for too long
    PW_WORLD_RECTIFIER_ALARMED, // an alarm that stops the output, or the OVP latch
};

#define PW_WORLD_RECTIFIER_TX_MAX 24

PW_RING_DEF(pw_world_rectifier_tx, struct pw_can_frame, PW_WORLD_RECTIFIER_TX_MAX);

struct pw_world_rectifier_config {
    enum pw_world_rectifier_maker maker;
    uint8_t address;    // Huawei 1..127, Infypower 0..59
    uint8_t modules;    // sharing the current; a command to one is obeyed by all
    uint32_t rated_ma;  // of one module
    uint32_t ramp_ma_s; // rise of the whole output
    uint32_t comm_timeout_ms;
    bool terminal_report; // send 0x00433F01 and 0x00473F01
    uint64_t seed;        // measuring noise
};

struct pw_world_rectifier {
    struct pw_world_rectifier_config config;
    enum pw_world_rectifier_state state;
    bool on;              // as commanded
    bool silent;          // a scenario: still obeys, says nothing
    uint32_t set_mv;      // output voltage wanted
    uint32_t set_ma;      // current limit, all modules together
    uint32_t ovp_mv;      // latches above this
    uint32_t alarms;      // bit (1 << enum pw_world_rectifier_alarm)
    double forced_heat_c; // a scenario: added to inside and intake temperature
    double ambient_c;
    double temp_c;      // inside
    double volts, amps; // at the output now
    pw_ms heard_at;     // last command or query
    pw_ms report_at;    // next terminal report
    struct pw_noise noise;
    struct pw_world_rectifier_tx tx;
};

// What the output can do now: a source of at most `volts`, at most `amps`.
struct pw_world_rectifier_drive {
    double volts;
    double amps;
};

// Three Huawei modules of 33.57 A at address 1, 10 s time-out, 50 A/s: the station of the seed.
struct pw_world_rectifier_config pw_world_rectifier_defaults(void);

void pw_world_rectifier_init(struct pw_world_rectifier *rectifier,
                             const struct pw_world_rectifier_config *config, pw_ms now);

// What it can drive at the end of the next `ms`.
struct pw_world_rectifier_drive pw_world_rectifier_drive(const struct pw_world_rectifier *rectifier,
                                                         uint32_t ms);

// Tells it what its output did during the last `ms`: warms it, watches for overvoltage.
void pw_world_rectifier_output(struct pw_world_rectifier *rectifier, double volts, double amps,
                               uint32_t ms);

// Time-outs and unasked reports; returns when it next has something to do.
pw_ms pw_world_rectifier_step(struct pw_world_rectifier *rectifier, pw_ms now);

// A frame on its bus: commands are obeyed and acknowledged, queries answered.
void pw_world_rectifier_can(struct pw_world_rectifier *rectifier, const struct pw_can_frame *frame,
                            pw_ms now);
bool pw_world_rectifier_take_can(struct pw_world_rectifier *rectifier, struct pw_can_frame *frame);

void pw_world_rectifier_raise(struct pw_world_rectifier *rectifier,
                              enum pw_world_rectifier_alarm alarm);
// Ends one alarm. After the last one that stops the output the rectifier is off, not on.
void pw_world_rectifier_lower(struct pw_world_rectifier *rectifier,
                              enum pw_world_rectifier_alarm alarm);
void pw_world_rectifier_clear(struct pw_world_rectifier *rectifier); // every alarm and latch
const char *pw_world_rectifier_alarm_word(enum pw_world_rectifier_alarm alarm);
const char *pw_world_rectifier_state_name(enum pw_world_rectifier_state state);

#endif

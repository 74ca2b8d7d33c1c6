// board: the port contract between an AC outlet and the hardware that carries it out. A board says
// what it senses and takes what it shall drive; it decides nothing. Whoever implements it: GPIO,
// PWM and ADC of a Linux board, a serial front-end, the simulator, a microcontroller's port.
// Sources: facts/ac-evse-rapi-load.md §1 (IEC 61851-1), facts/reliability.md §7.1.
#ifndef PW_BOARD_H
#define PW_BOARD_H

#include "base/base.h"

#define PW_BOARD_PHASES 3
#define PW_BOARD_PROBES 2 // temperature sensors

// A value that the board does not measure, or not at this moment.
#define PW_BOARD_UNKNOWN INT32_MIN

// Resistance of an open proximity circuit: no cable.
#define PW_BOARD_OPEN_OHM INT32_MAX

// What the control pilot shall carry.
enum pw_board_cp {
    PW_BOARD_CP_FAULT,  // steady -12 V: state F
    PW_BOARD_CP_STEADY, // steady +12 V: x1, no energy offered
    PW_BOARD_CP_PWM,    // 1 kHz, +12 V for duty_ppm of the period, then -12 V: x2
};

enum pw_board_contact {
    PW_BOARD_CONTACT_NONE, // the board has no feedback
    PW_BOARD_CONTACT_OPEN,
    PW_BOARD_CONTACT_CLOSED,
};

enum pw_board_lock {
    PW_BOARD_LOCK_NONE, // no lock, or no feedback of it
    PW_BOARD_LOCK_OPEN,
    PW_BOARD_LOCK_CLOSED,
    PW_BOARD_LOCK_MOVING, // neither end: on its way, or stuck
};

// The residual current device, or the detector that trips the contactor.
enum pw_board_rcd {
    PW_BOARD_RCD_NONE, // not fitted (then the installation must have one)
    PW_BOARD_RCD_OK,
    PW_BOARD_RCD_TRIPPED, // also the answer to a test that works
};

enum pw_board_earth { PW_BOARD_EARTH_NONE, PW_BOARD_EARTH_OK, PW_BOARD_EARTH_LOST };

// Mains and current through the outlet, as rms values over whole periods.
struct pw_board_mains {
    pw_ms at;                    // end of the interval measured; PW_NEVER: nothing yet
    int32_t mv[PW_BOARD_PHASES]; // phase to neutral, before the contactor; UNKNOWN: not measured
    int32_t ma[PW_BOARD_PHASES]; // 0 or more; UNKNOWN: not measured
    int32_t mw[PW_BOARD_PHASES]; // active power, positive towards the vehicle; UNKNOWN
    int32_t mhz;                 // frequency in millihertz; UNKNOWN
    int64_t import_mwh;          // the meter's own register; -1: it has none
};

// Everything a board senses, as it is now. Fields the board lacks hold UNKNOWN or NONE.
struct pw_board_senses {
    pw_ms at;           // when the pilot was sampled; PW_NEVER: nothing heard of the board yet
    int32_t cp_high_mv; // highest of the high phase over the last periods (steady: the level)
    int32_t cp_low_mv;  // lowest of the low phase; UNKNOWN while there is none
    int32_t pp_ohm;     // proximity resistance; OPEN_OHM: no cable; UNKNOWN: not measured
    enum pw_board_contact contact;
    int32_t load_mv[PW_BOARD_PHASES]; // behind the contactor; UNKNOWN: not measured
    enum pw_board_lock lock;
    enum pw_board_rcd rcd;
    enum pw_board_earth earth;
    bool estop;  // pressed
    bool opened; // its own watchdog has opened, and nobody has told it to open since
    int32_t temp_dc[PW_BOARD_PROBES];
    struct pw_board_mains mains;
};

// Nothing measured, nothing sensed: what to begin with, and what is left when a board is lost.
// clang-format off
#define PW_BOARD_NO_PHASES {PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN}
#define PW_BOARD_NO_MAINS                                                                          \
    {.at = PW_NEVER, .mv = PW_BOARD_NO_PHASES, .ma = PW_BOARD_NO_PHASES, .mw = PW_BOARD_NO_PHASES, \
     .mhz = PW_BOARD_UNKNOWN, .import_mwh = -1}
#define PW_BOARD_NO_SENSES                                                                         \
    {.at = PW_NEVER, .cp_high_mv = PW_BOARD_UNKNOWN, .cp_low_mv = PW_BOARD_UNKNOWN,                \
     .pp_ohm = PW_BOARD_UNKNOWN, .load_mv = PW_BOARD_NO_PHASES,                                    \
     .temp_dc = {PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN}, .mains = PW_BOARD_NO_MAINS}
// clang-format on

// Raw samples of the six mains channels, for boards that leave the arithmetic to us, and the pilot
// and proximity as counts. All channels were sampled at the same rate.
#define PW_BOARD_BLOCK_MAX 64
struct pw_board_block {
    pw_ms at; // when the last sample was taken
    uint32_t rate_hz;
    uint8_t count;                                       // samples of each channel; 0: none
    int16_t volt[PW_BOARD_PHASES][PW_BOARD_BLOCK_MAX];   // counts
    int16_t ampere[PW_BOARD_PHASES][PW_BOARD_BLOCK_MAX]; // counts
    int16_t cp_high;                                     // counts
    int16_t cp_low;                                      // counts; INT16_MIN: no low phase
    int16_t pp;                                          // counts
};

// What a board has, as far as it changes what may be trusted. Everything is assumed until it is
// said not to be there.
struct pw_board_traits {
    int32_t step_ppm; // resolution of its PWM, 1..10000
    bool no_feedback; // neither a mirror contact nor a voltage sense behind the contactor
    bool blind_lock;  // the lock has no feedback
    bool no_rcd;      // the residual current device is part of the installation
    bool no_earth;    // nothing watches the protective earth
    bool no_probe;    // no temperature sensor
    bool blocks;      // leaves the arithmetic to us: pilot, proximity and mains come as blocks
};

// What people shall see and hear.
enum pw_board_lamp {
    PW_BOARD_LAMP_OFF,
    PW_BOARD_LAMP_READY,    // green
    PW_BOARD_LAMP_WAITING,  // green, blinking: connected, waits for card or limit
    PW_BOARD_LAMP_CHARGING, // blue
    PW_BOARD_LAMP_FAULT,    // red
};

// Everything a board shall do, whole. A board that hears nothing for PW_BOARD_SILENCE_MS opens its
// contactor by itself and puts the pilot to F.
#define PW_BOARD_SILENCE_MS 500
struct pw_board_drive {
    enum pw_board_cp cp;
    int32_t duty_ppm; // 1 ppm is 1 ns of the period; a multiple of the board's step; 0 unless PWM
    bool contactor;
    bool lock;
    bool rcd_test; // current through the test winding
    bool ventilation;
    enum pw_board_lamp lamp;
    bool buzzer;
};

// Whether two drives ask for the same, field by field.
bool pw_board_same_drive(const struct pw_board_drive *a, const struct pw_board_drive *b);

#endif

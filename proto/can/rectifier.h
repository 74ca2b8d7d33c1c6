// rectifier: what every rectifier has in common. A maker is a row of functions; the station neither
// knows ids nor bits. Makers: Huawei, Infypower. Sources: facts/dc-can.md §1.1–1.4, §4.
#ifndef PW_CAN_RECTIFIER_H
#define PW_CAN_RECTIFIER_H

#include "can/alarm.h"
#include "can/can.h"
#include "can/rivot.h"

// Which members of a report have been filled so far.
#define PW_RECTIFIER_HAS_OUTPUT_MV 0x001U
#define PW_RECTIFIER_HAS_OUTPUT_MA 0x002U
#define PW_RECTIFIER_HAS_TEMP      0x004U
#define PW_RECTIFIER_HAS_INPUT_MV  0x008U
#define PW_RECTIFIER_HAS_ALARM     0x010U // alarm, alarm_name, alarm_bits, limited
#define PW_RECTIFIER_HAS_ON        0x020U
#define PW_RECTIFIER_HAS_TERMINAL  0x040U // terminal_mv, terminal_ma
#define PW_RECTIFIER_HAS_CHARGING  0x080U // terminal_charging

// What is known of the rectifier, gathered frame by frame. Start from {0}; ages are the caller's.
struct pw_rectifier_report {
    uint32_t has;      // PW_RECTIFIER_HAS_*
    int32_t output_mv; // at the module's output
    int32_t output_ma; // of all modules together
    int32_t temp_dc;   // intake air, 0.1 °C
    int32_t input_mv;  // mains, one line
    enum pw_can_severity alarm;
    const char *alarm_name; // the worst one, static text; NULL when calm
    uint64_t alarm_bits;    // the maker's own, for the log
    bool limited;           // runs at its current or power limit rather than at its voltage
    bool on;
    int32_t terminal_mv; // at the station's terminals, from the terminal report
    int32_t terminal_ma;
    bool terminal_charging;
};

// Zero means default everywhere.
struct pw_rectifier_config {
    uint8_t address;  // of the (first) module. Huawei 1..127 (0 = 1). Infypower 0..59
    uint8_t modules;  // sharing the current equally, 1..16 (0 = 1). The first one speaks for all
    int32_t rated_ma; // of one module, Huawei only (0 = 33570)
    // Huawei only: the signal read as output voltage. 0 = 0x184, what the Rivot stations answer;
    // 0x175 is the one of Huawei's lists.
    uint16_t voltage_signal;
    bool has_terminal; // the station's terminal report (rivot.h) is on this bus too
    struct pw_rivot_config terminal;
};

// What the rectifier shall do. Both values are of all modules together.
struct pw_rectifier_command {
    bool on;
    int32_t voltage_mv; // 0..1000000
    int32_t current_ma; // 0..1000000
};

// What pw_rectifier_read found in a frame.
enum pw_rectifier_heard {
    PW_RECTIFIER_HEARD_NOTHING = 0, // not of this rectifier
    PW_RECTIFIER_HEARD_MODULE = 1,  // the module answered or reported: it is alive
    PW_RECTIFIER_HEARD_TERMINAL = 2,
};

// What alarms mean to whoever drives the rectifier.
#define PW_RECTIFIER_ALARM_OVP   0x1U  // output over-voltage, latched until cleared
#define PW_RECTIFIER_ALARM_FAULT 0x2U  // broken: fan, PFC, internal communication, output relay...
#define PW_RECTIFIER_ALARM_TEMP  0x4U  // too hot
#define PW_RECTIFIER_ALARM_MAINS 0x8U  // input lost, under, over, phase missing
#define PW_RECTIFIER_ALARM_SHORT 0x10U // output short circuit

struct pw_rectifier_alarm_row {
    uint64_t bits;  // of the maker, any of them
    uint32_t means; // PW_RECTIFIER_ALARM_*
};

struct pw_rectifier_driver {
    const char *name; // "huawei"
    uint8_t address_least;
    uint8_t address_most;
    uint32_t bitrate; // of the module from the factory
    // The frames that carry a command, 0..control_count-1, in the order to send: all of them at
    // once when the command changes, and again every control_ms (set-points are volatile, and
    // silence turns a module off). Off goes out before set-points, on after them.
    uint8_t control_count;
    uint32_t control_ms;
    int (*control)(const struct pw_rectifier_config *config,
                   const struct pw_rectifier_command *command, unsigned n,
                   struct pw_can_frame *frame);
    // The questions, 0..poll_count-1, round robin: one every poll_ms, and one every poll_idle_ms
    // while no vehicle is there and nothing is on.
    uint8_t poll_count;
    uint32_t poll_ms;
    uint32_t poll_idle_ms;
    int (*poll)(const struct pw_rectifier_config *config, unsigned n, struct pw_can_frame *frame);
    // A module not heard for this long is off by its own time-out. Until then it may still deliver,
    // however silent it is.
    uint32_t silence_ms;
    // Frame into report: PW_RECTIFIER_HEARD_* or an error for a malformed frame of this protocol.
    int (*read)(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_report *report);
    const struct pw_rectifier_alarm_row *alarms;
    uint8_t alarm_count;
    // The frame that clears a latched over-voltage; NULL when switching off does.
    int (*clear_ovp)(const struct pw_rectifier_config *config, struct pw_can_frame *frame);
    // The module's side of the same rows, for simulators and tests: reads what `control` and `poll`
    // send. take: 1 when *command was changed, 0 when the frame is none of its. answer: 1 when
    // *reply holds the answer to `asked` from *report, 0 when there is none to give.
    int (*take)(const struct pw_rectifier_config *config, const struct pw_can_frame *frame,
                struct pw_rectifier_command *command);
    int (*answer)(const struct pw_rectifier_config *config, const struct pw_can_frame *asked,
                  const struct pw_rectifier_report *report, struct pw_can_frame *reply);
};

extern const struct pw_rectifier_driver pw_rectifier_driver_huawei;
extern const struct pw_rectifier_driver pw_rectifier_driver_infypower;

// By the word of settings row `rectifier` and its index there: every maker there is.
#define PW_RECTIFIER_MAKERS 2
extern const struct pw_rectifier_driver *const pw_rectifier_drivers[PW_RECTIFIER_MAKERS];

// What the alarms of a report mean: PW_RECTIFIER_ALARM_*. What fails and is in no row is a fault.
uint32_t pw_rectifier_alarms(const struct pw_rectifier_driver *driver,
                             const struct pw_rectifier_report *report);
// Checks the command (PW_ERR_RANGE) and makes frame n of it.
PW_MUST_USE int pw_rectifier_control(const struct pw_rectifier_driver *driver,
                                     const struct pw_rectifier_config *config,
                                     const struct pw_rectifier_command *command, unsigned n,
                                     struct pw_can_frame *frame);
PW_MUST_USE int pw_rectifier_poll(const struct pw_rectifier_driver *driver,
                                  const struct pw_rectifier_config *config, unsigned n,
                                  struct pw_can_frame *frame);
// Module frames by the driver, terminal reports when the configuration has them. Negative for a
// malformed frame: count it and log it; the report is unchanged.
PW_MUST_USE int pw_rectifier_read(const struct pw_rectifier_driver *driver,
                                  const struct pw_rectifier_config *config,
                                  const struct pw_can_frame *frame,
                                  struct pw_rectifier_report *report);

#endif

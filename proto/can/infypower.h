// infypower: Infypower modules, protocol V1.13 (REG, CEG, LRG; BEG reads and writes parameters with
// 0x23 and 0x24). 125 kbit/s from the factory, 29-bit ids, eight bytes, big-endian. A module turns
// off after 10 s without a frame from the controller. Source: facts/dc-can.md §1.4.
#ifndef PW_INFYPOWER_H
#define PW_INFYPOWER_H

#include "can/alarm.h"
#include "can/can.h"

#define PW_INFYPOWER_SINGLE     0x0A // device: one module
#define PW_INFYPOWER_GROUP      0x0B // device: a group of modules
#define PW_INFYPOWER_CONTROLLER 0xF0
#define PW_INFYPOWER_BROADCAST  0x3F
#define PW_INFYPOWER_MODULE_MAX 0x3B
#define PW_INFYPOWER_SILENCE_MS 10000

enum pw_infypower_result {
    PW_INFYPOWER_OK = 0,
    PW_INFYPOWER_BAD_COMMAND = 2,
    PW_INFYPOWER_BAD_DATA = 3,
    PW_INFYPOWER_BAD_ADDRESS = 4,
    PW_INFYPOWER_STARTING = 7,
};

enum pw_infypower_command {
    PW_INFYPOWER_SYSTEM_FLOAT = 0x01, // volts, amperes as float
    PW_INFYPOWER_COUNT = 0x02,        // modules of the group
    PW_INFYPOWER_MODULE_FLOAT = 0x03, // volts, amperes as float
    PW_INFYPOWER_STATUS = 0x04,
    PW_INFYPOWER_INPUT = 0x06,        // three AC voltages
    PW_INFYPOWER_VERSION = 0x07,      // raw
    PW_INFYPOWER_SYSTEM_MILLI = 0x08, // millivolts, milliamperes
    PW_INFYPOWER_MODULE_MILLI = 0x09, // millivolts, milliamperes
    PW_INFYPOWER_CAPABILITY = 0x0A,
    PW_INFYPOWER_BARCODE = 0x0B,   // raw
    PW_INFYPOWER_OUTPUT = 0x0C,    // external voltage, available current
    PW_INFYPOWER_COMPOSITE = 0x0F, // sub-command and value
    PW_INFYPOWER_WALK_IN = 0x13,
    PW_INFYPOWER_BLINK = 0x14,
    PW_INFYPOWER_SET_GROUP = 0x16,
    PW_INFYPOWER_SLEEP = 0x19,
    PW_INFYPOWER_ON_OFF = 0x1A,       // byte 0: 0 = on, 1 = off
    PW_INFYPOWER_SET_SYSTEM = 0x1B,   // millivolts, milliamperes of all together
    PW_INFYPOWER_SET_MODULE = 0x1C,   // millivolts, milliamperes of each
    PW_INFYPOWER_ADDRESS_MODE = 0x1F, // 0 automatic, 1 by switches
    PW_INFYPOWER_READ = 0x23,         // raw
    PW_INFYPOWER_WRITE = 0x24,        // raw
};

// Status bits: byte 7 in bits 0-7, byte 6 in bits 8-15, byte 5 in bits 16-23.
#define PW_INFYPOWER_SHORT         0x000001U
#define PW_INFYPOWER_SLEEPING      0x000010U
#define PW_INFYPOWER_DISCHARGE     0x000020U
#define PW_INFYPOWER_OFF           0x000100U
#define PW_INFYPOWER_FAULT         0x000200U
#define PW_INFYPOWER_PROTECTED     0x000400U
#define PW_INFYPOWER_FAN           0x000800U
#define PW_INFYPOWER_HOT           0x001000U
#define PW_INFYPOWER_OVER_VOLTAGE  0x002000U
#define PW_INFYPOWER_WALKING_IN    0x004000U
#define PW_INFYPOWER_COMM_LOST     0x008000U
#define PW_INFYPOWER_POWER_LIMITED 0x010000U
#define PW_INFYPOWER_ID_REPEATED   0x020000U
#define PW_INFYPOWER_SHARING       0x040000U
#define PW_INFYPOWER_PHASE_LOST    0x080000U
#define PW_INFYPOWER_UNBALANCED    0x100000U
#define PW_INFYPOWER_INPUT_LOW     0x200000U
#define PW_INFYPOWER_INPUT_HIGH    0x400000U
#define PW_INFYPOWER_PFC_OFF       0x800000U

#define PW_INFYPOWER_VALUE_MAX 2000000 // mV and mA: beyond is refused as nonsense

struct pw_infypower_message {
    uint8_t result;      // 3 bits: enum pw_infypower_result
    uint8_t device;      // 4 bits: PW_INFYPOWER_SINGLE or _GROUP
    uint8_t command;     // 6 bits: enum pw_infypower_command
    uint8_t destination; // module, group, controller or broadcast
    uint8_t source;
    bool reading; // a question: eight zero bytes, no members below are used
    // By command:
    int32_t voltage_mv;     // *_FLOAT, *_MILLI, SET_*: 0..2000000 (floats ±); OUTPUT: 0..6553500
    int32_t current_ma;     // the same; OUTPUT: available current
    int32_t count;          // COUNT: 0..255
    int32_t group;          // STATUS: 0..255
    int32_t ambient_dc;     // STATUS: -1280..1270, whole degrees
    uint32_t status;        // STATUS: PW_INFYPOWER_* bits
    int32_t input_mv[3];    // INPUT: 0..6553500, steps of 100
    int32_t voltage_max_mv; // CAPABILITY: steps of 1000, 0..65535000
    int32_t voltage_min_mv; // the same
    int32_t current_max_ma; // CAPABILITY: 0..6553500, steps of 100
    int32_t power_w;        // CAPABILITY: 0..655350, steps of 10
    int32_t sub_command;    // COMPOSITE: 0..65535
    int32_t argument;       // COMPOSITE: byte 7. One-byte commands: byte 0. 0..255
    uint8_t raw[PW_CAN_DATA_MAX]; // VERSION, BARCODE, READ, WRITE and unlisted commands
};

// A question or order to a module (or all, with PW_INFYPOWER_BROADCAST), and the head of its
// answer.
struct pw_infypower_message pw_infypower_ask(uint8_t module, enum pw_infypower_command command);
struct pw_infypower_message pw_infypower_answer(const struct pw_infypower_message *asked);

// PW_ERR_RANGE when a member does not fit its field; *frame is left alone.
PW_MUST_USE int pw_infypower_pack(const struct pw_infypower_message *from,
                                  struct pw_can_frame *frame);
// PW_ERR_UNKNOWN: not this protocol (device, or not 29 bits). PW_ERR_PEER: not 8 bytes.
// PW_ERR_RANGE: NaN, infinite or huge values. Whether a frame is a question is taken from its
// direction (destination below 0xF0) and a command that is read.
PW_MUST_USE int pw_infypower_unpack(const struct pw_can_frame *frame,
                                    struct pw_infypower_message *to);

// The worst of the status bits set, as pw_can_worst_alarm.
const struct pw_can_alarm *pw_infypower_worst_alarm(uint32_t status);

#endif

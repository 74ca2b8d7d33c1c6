// huawei: the Huawei charging-module protocol, ProtoID 0x0D (48 V rectifiers: 0x21). 29-bit ids,
// eight bytes, big-endian, values times 1024. Source: facts/dc-can.md §1.3.
#ifndef PW_HUAWEI_H
#define PW_HUAWEI_H

#include "can/alarm.h"
#include "can/can.h"

#define PW_HUAWEI_CHARGING  0x0D // protocol of charging modules
#define PW_HUAWEI_RECTIFIER 0x21 // protocol of 48 V rectifiers
#define PW_HUAWEI_BROADCAST 0
#define PW_HUAWEI_NO_GROUP  0x1F
#define PW_HUAWEI_RATED_MA  33570 // per module of the seed station: 1024 / 30.5 A

enum pw_huawei_command {
    PW_HUAWEI_CURRENT_BROADCAST = 0x11,
    PW_HUAWEI_QUERY_ALL = 0x40,
    PW_HUAWEI_INHERENT = 0x50,
    PW_HUAWEI_CONTROL = 0x80,
    PW_HUAWEI_CONFIGURE = 0x81,
    PW_HUAWEI_QUERY = 0x82,
    PW_HUAWEI_MODULE_REPORT = 0x83,
    PW_HUAWEI_LABEL = 0xD1,
    PW_HUAWEI_LABEL_WRITE = 0xD2,
};

enum pw_huawei_result {
    PW_HUAWEI_OK = 0,
    PW_HUAWEI_INVALID = 2,
    PW_HUAWEI_ADDRESSING = 3, // address identification in progress
};

#define PW_HUAWEI_SIGNALS(X)                                                                       \
    /* name               number  what it carries */                                               \
    X(FEATURE, 0x001, RAW)                                                                         \
    X(SERIAL, 0x002, RAW)                                                                          \
    X(HARDWARE_ADDRESS, 0x006, RAW)                                                                \
    X(VOLTAGE_RANGE, 0x009, RAW)                                                                   \
    X(CURRENT_RANGE, 0x00A, RAW)                                                                   \
    X(SET_VOLTAGE, 0x100, Q10)                                                                     \
    X(DEFAULT_VOLTAGE, 0x101, Q10)                                                                 \
    X(OVER_VOLTAGE, 0x102, Q10)                                                                    \
    X(LIMIT, 0x103, SHARE)                                                                         \
    X(DEFAULT_LIMIT, 0x104, SHARE)                                                                 \
    X(POWER_LIMIT, 0x105, RAW)                                                                     \
    X(DEFAULT_POWER, 0x106, RAW)                                                                   \
    X(RUN_TIME, 0x10E, RAW)                                                                        \
    X(SET_CURRENT, 0x10F, Q10)                                                                     \
    X(COMM_TIMEOUT, 0x118, RAW)                                                                    \
    X(EMERGENCY_OFF, 0x131, SWITCH)                                                                \
    X(ON_OFF, 0x132, SWITCH)                                                                       \
    X(CLEAR_OVER_VOLTAGE, 0x133, SWITCH)                                                           \
    X(CLEAR_SHORT, 0x145, SWITCH)                                                                  \
    X(INPUT_POWER, 0x170, Q10)                                                                     \
    X(INPUT_FREQUENCY, 0x171, Q10)                                                                 \
    X(INPUT_CURRENT, 0x172, Q10)                                                                   \
    X(OUTPUT_POWER, 0x173, Q10)                                                                    \
    X(EFFICIENCY, 0x174, Q10)                                                                      \
    X(OUTPUT_VOLTAGE, 0x175, Q10)                                                                  \
    X(CURRENT_LIMIT, 0x176, Q10)                                                                   \
    X(INPUT_VOLTAGE, 0x178, Q10)                                                                   \
    X(LINE_UV, 0x179, Q10)                                                                         \
    X(LINE_VW, 0x17A, Q10)                                                                         \
    X(LINE_WU, 0x17B, Q10)                                                                         \
    X(PFC_TEMPERATURE, 0x17E, Q10)                                                                 \
    X(OUTPUT_TEMPERATURE, 0x17F, Q10)                                                              \
    X(INTAKE_TEMPERATURE, 0x180, Q10)                                                              \
    X(OUTPUT_CURRENT, 0x181, Q10)                                                                  \
    X(OUTPUT_CURRENT_2, 0x182, Q10)                                                                \
    X(ALARMS, 0x183, BITS)                                                                         \
    X(TERMINAL_VOLTAGE, 0x184, Q10)                                                                \
    X(RATED_CURRENT, 0x188, Q10)                                                                   \
    X(ALARM_INFO, 0x18F, RAW)                                                                      \
    X(SETTINGS, 0x190, RAW)                                                                        \
    X(RUNNING, 0x191, RUNNING)

// How the value word of a signal is read.
enum pw_huawei_kind {
    PW_HUAWEI_RAW,
    PW_HUAWEI_Q10,     // the quantity times 1024
    PW_HUAWEI_SHARE,   // a current as a share of the module's rated one, times 1024
    PW_HUAWEI_SWITCH,  // the word (bytes 2-3) switches, the value is 0
    PW_HUAWEI_BITS,    // value and word are bits
    PW_HUAWEI_RUNNING, // word = status bits, value = 0.1 A and 0.1 V
};

// clang-format off
#define PW_HUAWEI_ENUM(name, number, kind) PW_HUAWEI_SIGNAL_##name = (number),
enum pw_huawei_signal { PW_HUAWEI_SIGNALS(PW_HUAWEI_ENUM) };
#undef PW_HUAWEI_ENUM
// clang-format on

struct pw_huawei_message {
    uint8_t protocol;      // 6 bits: PW_HUAWEI_CHARGING
    uint8_t address;       // 0 = all modules, 1..127
    uint8_t command;       // enum pw_huawei_command
    bool from_controller;  // else from the module
    uint8_t group;         // 5 bits: PW_HUAWEI_NO_GROUP
    bool software_address; // else by hardware address
    bool more;             // further frames of this answer follow
    uint8_t result;        // 4 bits: enum pw_huawei_result
    uint16_t signal;       // 12 bits: enum pw_huawei_signal, or one not in the list
    uint16_t word;         // bytes 2-3
    uint32_t value;        // bytes 4-7
};

// A message from the controller (to the module with this software address), or its answer: address
// pattern and group of the seed station.
struct pw_huawei_message pw_huawei_ask(uint8_t address, enum pw_huawei_command command,
                                       uint16_t signal);
struct pw_huawei_message pw_huawei_answer(const struct pw_huawei_message *asked);

// PW_ERR_RANGE when a member does not fit its bits; *frame is left alone.
PW_MUST_USE int pw_huawei_pack(const struct pw_huawei_message *from, struct pw_can_frame *frame);
// PW_ERR_UNKNOWN: not this protocol (neither 0x0D nor 0x21, or not 29 bits). PW_ERR_PEER: not 8
// bytes. Any command and signal passes: the caller picks its own.
PW_MUST_USE int pw_huawei_unpack(const struct pw_can_frame *frame, struct pw_huawei_message *to);

// A quantity in thousandths <-> its value word times 1024. Signed, since temperatures are; both
// ways rounded to the nearest. PW_ERR_RANGE when the result does not fit 32 bits.
PW_MUST_USE int pw_huawei_q10(int32_t milli, uint32_t *value);
PW_MUST_USE int pw_huawei_milli(uint32_t value, int32_t *milli);

// A current limit <-> its share of the module's rated current, times 1024; packing rounds down.
// PW_ERR_RANGE: rated_ma < 1, limit negative or above 16 times the rated current.
PW_MUST_USE int pw_huawei_share(int32_t limit_ma, int32_t rated_ma, uint32_t *value);
PW_MUST_USE int pw_huawei_share_ma(uint32_t value, int32_t rated_ma, int32_t *limit_ma);

// The quantity a message carries, in thousandths, by the kind of its signal. PW_ERR_UNKNOWN when
// the signal is not in the list or is no quantity.
PW_MUST_USE int pw_huawei_quantity(const struct pw_huawei_message *message, int32_t rated_ma,
                                   int32_t *milli);

// Signal 0x191.
#define PW_HUAWEI_RUN_OFF           0x001U
#define PW_HUAWEI_RUN_PROTECTED     0x002U
#define PW_HUAWEI_RUN_FAULT         0x004U
#define PW_HUAWEI_RUN_CURRENT_LIMIT 0x008U
#define PW_HUAWEI_RUN_CAN_BAD       0x010U
#define PW_HUAWEI_RUN_EEPROM        0x020U
#define PW_HUAWEI_RUN_ADDRESSING    0x040U
#define PW_HUAWEI_RUN_SHARING       0x180U
#define PW_HUAWEI_RUN_SHORT         0x200U

struct pw_huawei_running {
    uint16_t bits;     // PW_HUAWEI_RUN_*
    int32_t output_ma; // 0..6553500, steps of 100
    int32_t output_mv; // 0..6553500, steps of 100
};

// Into and out of the word and value of a message of signal 0x191.
PW_MUST_USE int pw_huawei_pack_running(const struct pw_huawei_running *from,
                                       struct pw_huawei_message *to);
void pw_huawei_unpack_running(const struct pw_huawei_message *from, struct pw_huawei_running *to);

// Signal 0x183: bits 0..31 of the value, and 32..47 for bits 0..15 of the word.
#define PW_HUAWEI_ALARM_LIMITED 0x18000000U // limits its current: on purpose, or at a short circuit

// The bits of an alarm message as one word.
uint64_t pw_huawei_alarm_bits(const struct pw_huawei_message *message);
// The worst one set, as pw_can_worst_alarm.
const struct pw_can_alarm *pw_huawei_worst_alarm(uint64_t bits);

#endif

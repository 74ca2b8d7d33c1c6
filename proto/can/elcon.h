// elcon: the Elcon/TC on-board charger protocol, as spoken by scooter batteries. The station plays
// the charger. 250 kbit/s, 29-bit ids, big-endian. Sources: facts/dc-can.md §1.2, §2.1.
#ifndef PW_ELCON_H
#define PW_ELCON_H

#include "can/can.h"

#define PW_ELCON_CHARGER    0xE5    // the first charger on a bus; further ones are E7, E8, E9
#define PW_ELCON_TIMEOUT_MS 5000    // without a valid request the output is off
#define PW_ELCON_REQUEST_MS 1000    // the BMS's period
#define PW_ELCON_STATUS_MS  500     // the charger's period here (standard: 1000)
#define PW_ELCON_LIMIT_MAX  6553500 // mV and mA: u16 in tenths
#define PW_ELCON_SOC_MAX    1000

// What bytes 5 and 6 of a request mean. A BMS speaks one form; nothing in the frame tells which.
enum pw_elcon_form {
    PW_ELCON_HEATING, // byte 5: 0 charge, 1 heat the pack
    PW_ELCON_SOC,     // bytes 5-6: state of charge in 0.1 %
};

// 0x1806E5F4, BMS to charger.
struct pw_elcon_request {
    uint8_t charger;      // address: E5, E7, E8 or E9
    int32_t limit_mv;     // 0..6553500, steps of 100
    int32_t limit_ma;     // 0..6553500, steps of 100
    bool charge;          // the battery allows charging
    bool heating;         // form HEATING only
    bool has_soc;         // form SOC only
    int32_t soc_permille; // 0..1000
};

// Status bits of 0x18FF50E5.
#define PW_ELCON_HARDWARE_FAULT   0x01U
#define PW_ELCON_OVER_TEMPERATURE 0x02U
#define PW_ELCON_INPUT_VOLTAGE    0x04U
#define PW_ELCON_NO_BATTERY       0x08U // not detected or reversed: stays off
#define PW_ELCON_BMS_TIMEOUT      0x10U
#define PW_ELCON_AUXILIARY        0x20U
#define PW_ELCON_FAN              0x40U
#define PW_ELCON_BATTERY_HIGH     0x80U

// 0x18FF50E5, charger to all.
struct pw_elcon_status {
    uint8_t charger;
    int32_t output_mv; // 0..6553500
    int32_t output_ma; // 0..6553500
    uint8_t flags;     // PW_ELCON_*
};

// Packing rounds down to the wire's 0.1 (a limit never grows). PW_ERR_RANGE names nothing here: the
// caller knows its own values; *frame is left alone.
PW_MUST_USE int pw_elcon_pack_request(enum pw_elcon_form form, const struct pw_elcon_request *from,
                                      struct pw_can_frame *frame);
PW_MUST_USE int pw_elcon_pack_status(const struct pw_elcon_status *from,
                                     struct pw_can_frame *frame);

// PW_ERR_UNKNOWN: another message. PW_ERR_PEER: wrong length. PW_ERR_RANGE: SOC above 100 % or a
// heating byte other than 0 and 1. Byte 4 other than zero always means "do not charge".
PW_MUST_USE int pw_elcon_unpack_request(enum pw_elcon_form form, const struct pw_can_frame *frame,
                                        struct pw_elcon_request *to);
PW_MUST_USE int pw_elcon_unpack_status(const struct pw_can_frame *frame,
                                       struct pw_elcon_status *to);

#endif

// url: where a Modbus meter is, and what it is.
//
//   modbus:tcp:192.168.1.20:502/1/sdm630      unit 1 behind host and port
//   modbus:rtu:/dev/ttyUSB0@9600/1/abb        unit 1 on a serial line, 8 data bits, no parity
//   modbus:rtu:/dev/ttyUSB0@19200-8E1/1/abb   the same with even parity
//
// Maps: see modbus/maps.def. Source: Modbus over Serial Line V1.02 §2.5 (parity).
#ifndef PW_LINUX_MODBUS_URL_H
#define PW_LINUX_MODBUS_URL_H

#include "modbus/modbus.h"

#define PW_MODBUS_PLACE_MAX 128

struct pw_modbus_url {
    bool serial;
    char place[PW_MODBUS_PLACE_MAX]; // host, or path of the device
    char port[8];                    // of the host
    uint32_t baud;                   // 1200..115200
    char parity;                     // 'N', 'E' or 'O'
    uint8_t stop;                    // 1 or 2
    uint8_t unit;                    // 1..247
    const struct pw_modbus_map *map;
};

// PW_OK, or PW_ERR_RANGE with what the part that is wrong must be in *why.
PW_MUST_USE int pw_modbus_url_read(struct pw_str text, struct pw_modbus_url *url,
                                   struct pw_out *why);

// Whether two meters hang on the same line: then one at a time is asked.
bool pw_modbus_url_same_line(const struct pw_modbus_url *a, const struct pw_modbus_url *b);

#endif

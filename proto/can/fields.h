// fields: CAN payloads whose values stand at fixed bytes are rows; this is their one interpreter.
// Big-endian throughout. Members of the structs described are int32_t.
#ifndef PW_CAN_FIELDS_H
#define PW_CAN_FIELDS_H

#include "can/can.h"

enum pw_can_field_kind {
    PW_CAN_FIELD_UNSIGNED,
    PW_CAN_FIELD_SIGNED,
    PW_CAN_FIELD_FLOAT, // IEEE 754 single, member in thousandths
};

// physical = (raw - zero) * scale. `min` and `max` bound the physical value both ways; 0, 0 leaves
// it to the width of the field.
struct pw_can_field {
    uint8_t at;   // first byte
    uint8_t size; // bytes, 1..4
    enum pw_can_field_kind kind;
    int32_t zero;
    int32_t scale;
    int32_t min;
    int32_t max;
    size_t member; // offsetof
};

// Writes all fields into data (other bytes stay), rounding down to whole raw steps. PW_ERR_RANGE
// when one does not fit; data may then hold a part.
PW_MUST_USE int pw_can_fields_pack(const struct pw_can_field *rows, size_t count, const void *from,
                                   uint8_t data[PW_CAN_DATA_MAX]);
// Reads all fields, or none: PW_ERR_RANGE when one is out of bounds or beyond int32_t.
PW_MUST_USE int pw_can_fields_unpack(const struct pw_can_field *rows, size_t count,
                                     const uint8_t data[PW_CAN_DATA_MAX], void *to);

#endif

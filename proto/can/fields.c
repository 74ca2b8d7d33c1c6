#include "can/fields.h"

#include "can/float32.h"

#include <string.h>

static int32_t member(const struct pw_can_field *row, const void *from)
{
    int32_t value;
    memcpy(&value, (const uint8_t *)from + row->member, sizeof(value));
    return value;
}

static bool bounded(const struct pw_can_field *row, int64_t physical)
{
    if (physical < INT32_MIN || physical > INT32_MAX) {
        return false;
    }
    return (row->min == 0 && row->max == 0) || (physical >= row->min && physical <= row->max);
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

// The raw value of a field as its bytes hold it: two's complement in the low `size` bytes.
static int raw_of(const struct pw_can_field *row, int32_t physical, uint32_t *raw)
{
    unsigned bits = 8U * row->size;
    int64_t high = ((int64_t)1 << (row->kind == PW_CAN_FIELD_SIGNED ? bits - 1 : bits)) - 1;
    int64_t low = row->kind == PW_CAN_FIELD_SIGNED ? -high - 1 : 0;
    int64_t value = floor_div(physical, row->scale) + row->zero;
    if (!bounded(row, physical) || value < low || value > high) {
        return PW_ERR_RANGE;
    }
    *raw = (uint32_t)value;
    return PW_OK;
}

int pw_can_fields_pack(const struct pw_can_field *rows, size_t count, const void *from,
                       uint8_t data[PW_CAN_DATA_MAX])
{
    for (size_t i = 0; i < count; i++) {
        const struct pw_can_field *row = &rows[i];
        int32_t physical = member(row, from);
        uint32_t raw;
        PW_ASSERT(row->size >= 1 && row->size <= 4 && row->at + row->size <= PW_CAN_DATA_MAX);
        if (row->kind == PW_CAN_FIELD_FLOAT) {
            if (!bounded(row, physical)) {
                return PW_ERR_RANGE;
            }
            raw = pw_float32_of_milli(physical);
        } else if (raw_of(row, physical, &raw) != PW_OK) {
            return PW_ERR_RANGE;
        }
        for (unsigned byte = 0; byte < row->size; byte++) {
            data[row->at + byte] = (uint8_t)(raw >> (8U * (row->size - 1U - byte)));
        }
    }
    return PW_OK;
}

static int physical_of(const struct pw_can_field *row, const uint8_t *data, int32_t *physical)
{
    uint32_t raw = 0;
    for (unsigned byte = 0; byte < row->size; byte++) {
        raw = raw << 8 | data[row->at + byte];
    }
    if (row->kind == PW_CAN_FIELD_FLOAT) {
        int32_t milli;
        if (pw_float32_milli(raw, INT32_MAX, &milli) != PW_OK || !bounded(row, milli)) {
            return PW_ERR_RANGE;
        }
        *physical = milli;
        return PW_OK;
    }
    int64_t value = raw;
    int64_t half = (int64_t)1 << (8U * row->size - 1U);
    if (row->kind == PW_CAN_FIELD_SIGNED && value >= half) {
        value -= 2 * half;
    }
    value = (value - row->zero) * row->scale;
    if (!bounded(row, value)) {
        return PW_ERR_RANGE;
    }
    *physical = (int32_t)value;
    return PW_OK;
}

int pw_can_fields_unpack(const struct pw_can_field *rows, size_t count,
                         const uint8_t data[PW_CAN_DATA_MAX], void *to)
{
    int32_t physical;
    // Twice over: nothing is written before everything is known to be good.
    for (size_t i = 0; i < count; i++) {
        PW_ASSERT(rows[i].size >= 1 && rows[i].size <= 4 &&
                  rows[i].at + rows[i].size <= PW_CAN_DATA_MAX);
        if (physical_of(&rows[i], data, &physical) != PW_OK) {
            return PW_ERR_RANGE;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (physical_of(&rows[i], data, &physical) == PW_OK) {
            memcpy((uint8_t *)to + rows[i].member, &physical, sizeof(physical));
        }
    }
    return PW_OK;
}

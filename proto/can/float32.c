#include "can/float32.h"

int pw_float32_scaled(uint32_t bits, uint32_t factor, int64_t most, int64_t *scaled)
{
    // sign(1) exponent(8) fraction(23); value = mantissa * 2^shift with the hidden bit restored.
    uint32_t exponent = bits >> 23 & 0xFFU;
    uint64_t mantissa = (bits & 0x7FFFFFU) | 0x800000U;
    int shift = (int)exponent - 150;
    uint64_t size = 0;
    PW_ASSERT(most > 0 && factor > 0 && factor <= PW_FLOAT32_FACTOR_MAX);
    if (exponent == 0xFFU) {
        return (bits & 0x7FFFFFU) != 0 ? PW_ERR_PEER : PW_ERR_RANGE;
    }
    uint64_t product = mantissa * factor; // below 2^44
    if (shift > 0 && (shift > 40 || product > (uint64_t)most >> shift)) {
        return PW_ERR_RANGE;
    }
    if (shift >= 0) {
        size = product << shift;
    } else if (shift >= -45) {
        size = (product + ((uint64_t)1 << (-shift - 1))) >> -shift;
    } // smaller ones, denormals and zero among them, round to 0
    if (size > (uint64_t)most) {
        return PW_ERR_RANGE;
    }
    *scaled = bits >> 31 != 0 ? -(int64_t)size : (int64_t)size;
    return PW_OK;
}

uint32_t pw_float32_of_scaled(int64_t scaled, uint32_t factor)
{
    uint32_t sign = scaled < 0 ? 0x80000000U : 0;
    uint64_t size = scaled < 0 ? ~(uint64_t)scaled + 1 : (uint64_t)scaled;
    uint64_t unit = factor;
    uint32_t exponent = 150;
    PW_ASSERT(factor > 0 && factor <= PW_FLOAT32_FACTOR_MAX);
    if (size == 0) {
        return 0;
    }
    while (size / unit < 0x800000U) {
        size *= 2;
        exponent--;
    }
    while (size / unit >= 0x1000000U) {
        unit *= 2; // at most 2^63 / 2^24 times in all
        exponent++;
    }
    uint64_t mantissa = size / unit;
    uint64_t rest = size % unit;
    if (rest > unit - rest || (rest == unit - rest && mantissa % 2 == 1)) {
        mantissa++; // 2^24 carries into the exponent below, which is what it means
    }
    return sign | ((exponent << 23) + (uint32_t)(mantissa - 0x800000U));
}

int pw_float32_milli(uint32_t bits, int32_t max_milli, int32_t *milli)
{
    int64_t scaled = 0;
    if (pw_float32_scaled(bits, 1000, max_milli, &scaled) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *milli = (int32_t)scaled;
    return PW_OK;
}

uint32_t pw_float32_of_milli(int32_t milli)
{
    return pw_float32_of_scaled(milli, 1000);
}

#include "can/float32.h"

int pw_float32_milli(uint32_t bits, int32_t max_milli, int32_t *milli)
{
    // sign(1) exponent(8) fraction(23); value = mantissa * 2^shift with the hidden bit restored.
    uint32_t exponent = bits >> 23 & 0xFFU;
    uint64_t mantissa = (bits & 0x7FFFFFU) | 0x800000U;
    int shift = (int)exponent - 150;
    uint64_t size = 0;
    PW_ASSERT(max_milli > 0);
    // 2^23 * 2^8 thousands is past int32_t already; 255 is NaN and infinity.
    if (exponent == 0xFFU || shift > 8) {
        return PW_ERR_RANGE;
    }
    if (shift >= 0) {
        size = (mantissa * 1000U) << shift;
    } else if (shift >= -35) {
        size = (mantissa * 1000U + ((uint64_t)1 << (-shift - 1))) >> -shift;
    } // smaller ones, denormals and zero among them, round to 0
    if (size > (uint64_t)max_milli) {
        return PW_ERR_RANGE;
    }
    *milli = bits >> 31 != 0 ? -(int32_t)size : (int32_t)size;
    return PW_OK;
}

uint32_t pw_float32_of_milli(int32_t milli)
{
    uint32_t sign = milli < 0 ? 0x80000000U : 0;
    uint64_t scaled = milli < 0 ? (uint64_t)(-(int64_t)milli) : (uint64_t)milli;
    uint32_t exponent = 150;
    if (scaled == 0) {
        return 0;
    }
    while (scaled / 1000 < 0x800000U) {
        scaled *= 2;
        exponent--;
    }
    uint64_t mantissa = scaled / 1000;
    uint64_t rest = scaled % 1000;
    if (rest > 500 || (rest == 500 && mantissa % 2 == 1)) {
        mantissa++; // 2^24 carries into the exponent below, which is what it means
    }
    return sign | ((exponent << 23) + (uint32_t)(mantissa - 0x800000U));
}

// float32: IEEE 754 single precision as it comes on the wire, to and from scaled integers by bit
// manipulation. No floating-point type or unit is used.
#ifndef PW_FLOAT32_H
#define PW_FLOAT32_H

#include "base/base.h"

// The value in thousandths, rounded half away from zero. PW_ERR_RANGE for a NaN, an infinity and
// anything beyond ±max_milli (0 < max_milli); *milli is left alone then.
PW_MUST_USE int pw_float32_milli(uint32_t bits, int32_t max_milli, int32_t *milli);

// The single-precision number nearest to milli/1000 (ties to even).
uint32_t pw_float32_of_milli(int32_t milli);

#endif

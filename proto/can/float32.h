// float32: IEEE 754 single precision as it comes on the wire (CAN, Modbus), to and from scaled
// integers by bit manipulation. No floating-point type or unit is used.
#ifndef PW_FLOAT32_H
#define PW_FLOAT32_H

#include "base/base.h"

#define PW_FLOAT32_FACTOR_MAX 1000000U

// The value times `factor` (1..FACTOR_MAX), rounded half away from zero. PW_ERR_PEER for a NaN,
// PW_ERR_RANGE for an infinity and anything beyond ±most (0 < most); *scaled is left alone then.
PW_MUST_USE int pw_float32_scaled(uint32_t bits, uint32_t factor, int64_t most, int64_t *scaled);

// The single-precision number nearest to scaled/factor (ties to even).
uint32_t pw_float32_of_scaled(int64_t scaled, uint32_t factor);

// The same in thousandths; every refusal is PW_ERR_RANGE.
PW_MUST_USE int pw_float32_milli(uint32_t bits, int32_t max_milli, int32_t *milli);
uint32_t pw_float32_of_milli(int32_t milli);

#endif

#include "base/base.h"

static const char *const err_names[] = {
    "ok", "again", "peer", "limit", "range", "unknown", "busy", "store", "bug",
};

const char *pw_err_name(int err)
{
    if (err > 0 || err < PW_ERR_BUG) {
        return err > 0 ? "ok" : "bug";
    }
    return err_names[-err];
}

bool pw_elapsed(pw_ms since, pw_ms span, pw_ms now)
{
    return since != PW_NEVER && now >= since && now - since >= span;
}

pw_ms pw_after(pw_ms since, pw_ms span)
{
    if (since == PW_NEVER || span > PW_NEVER - since) {
        return PW_NEVER;
    }
    return since + span;
}

pw_ms pw_earlier(pw_ms a, pw_ms b)
{
    return a < b ? a : b;
}

int64_t pw_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t pw_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t pw_clamp(int64_t value, int64_t low, int64_t high)
{
    PW_ASSERT(low <= high);
    return pw_max(low, pw_min(value, high));
}

uint16_t pw_be16(const uint8_t *at)
{
    return (uint16_t)(((unsigned)at[0] << 8) | at[1]);
}

uint32_t pw_be32(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24) | ((uint32_t)at[1] << 16) | ((uint32_t)at[2] << 8) | at[3];
}

uint16_t pw_le16(const uint8_t *at)
{
    return (uint16_t)(((unsigned)at[1] << 8) | at[0]);
}

void pw_set_be16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void pw_set_be32(uint8_t *at, uint32_t value)
{
    pw_set_be16(at, (uint16_t)(value >> 16));
    pw_set_be16(at + 2, (uint16_t)value);
}

void pw_set_le16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

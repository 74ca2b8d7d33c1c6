// The bytes of an installed profile: a version, fixed fields, then nine bytes a period, big-endian.
#include "smart/smart.h"

enum { VERSION = 1, FIXED = 56, A_PERIOD = 9 };

_Static_assert(FIXED + PW_PROFILE_PERIODS_MAX * A_PERIOD <= PW_SMART_RECORD_MAX, "it fits");
_Static_assert(PW_SMART_RECORD_MAX <= PW_STORE_VALUE_MAX, "the store takes it");

static void put(char **at, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        *(*at)++ = (char)(value >> (8 * i) & 0xFFU);
    }
}

static uint64_t get(const char **at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (uint8_t) * (*at)++;
    }
    return value;
}

size_t pw_smart_pack(const struct pw_profile_slot *slot, char to[PW_SMART_RECORD_MAX])
{
    const struct pw_profile *p = &slot->profile;
    char *at = to;
    put(&at, VERSION, 1);
    put(&at, slot->connector, 1);
    put(&at, slot->transaction, 4);
    put(&at, (uint64_t)slot->received, 8);
    put(&at, (uint32_t)p->id, 4);
    put(&at, (uint32_t)p->level, 1);
    put(&at, p->purpose, 1);
    put(&at, p->kind, 1);
    put(&at, p->unit, 1);
    put(&at, p->has_start ? 1 : 0, 1);
    put(&at, (uint64_t)p->start, 8);
    put(&at, (uint64_t)p->valid_from, 8);
    put(&at, (uint64_t)p->valid_to, 8);
    put(&at, (uint32_t)p->duration_s, 4);
    put(&at, (uint32_t)p->min_tenths, 4);
    put(&at, p->periods, 1);
    for (unsigned i = 0; i < p->periods; i++) {
        put(&at, p->start_s[i], 4);
        put(&at, (uint32_t)p->limit_tenths[i], 4);
        put(&at, p->phases[i], 1);
    }
    return (size_t)(at - to);
}

static void get_profile(const char **at, struct pw_profile *p)
{
    p->id = (int32_t)get(at, 4);
    p->level = (int32_t)get(at, 1);
    p->purpose = (uint8_t)get(at, 1);
    p->kind = (uint8_t)get(at, 1);
    p->unit = (uint8_t)get(at, 1);
    p->has_start = get(at, 1) != 0;
    p->start = (int64_t)get(at, 8);
    p->valid_from = (int64_t)get(at, 8);
    p->valid_to = (int64_t)get(at, 8);
    p->duration_s = (int32_t)get(at, 4);
    p->min_tenths = (int32_t)get(at, 4);
    p->periods = (uint8_t)get(at, 1);
}

int pw_smart_unpack(struct pw_str bytes, struct pw_profile_slot *slot)
{
    struct pw_profile_slot read = {.used = true};
    const char *at = bytes.at;
    if (bytes.len < FIXED || get(&at, 1) != VERSION) {
        return PW_ERR_STORE;
    }
    read.connector = (uint8_t)get(&at, 1);
    read.transaction = (uint32_t)get(&at, 4);
    read.received = (int64_t)get(&at, 8);
    get_profile(&at, &read.profile);
    size_t left = bytes.len - (size_t)(at - bytes.at);
    if (read.profile.periods > PW_PROFILE_PERIODS_MAX ||
        left != (size_t)read.profile.periods * A_PERIOD) {
        return PW_ERR_STORE;
    }
    for (unsigned i = 0; i < read.profile.periods; i++) {
        read.profile.start_s[i] = (uint32_t)get(&at, 4);
        read.profile.limit_tenths[i] = (int32_t)get(&at, 4);
        read.profile.phases[i] = (uint8_t)get(&at, 1);
    }
    if (pw_profile_check(&read.profile, NULL) != PW_OK || read.connector > PW_CONNECTORS_MAX ||
        read.received < 0 || read.received > PW_PROFILE_LAST_MS) {
        return PW_ERR_STORE;
    }
    *slot = read;
    return PW_OK;
}

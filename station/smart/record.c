// The bytes of an installed profile: a version, fixed fields, then nine bytes a period, big-endian.
#include "smart/smart.h"

enum { VERSION = 1, FIXED = 56, A_PERIOD = 9 };

_Static_assert(FIXED + PW_PROFILE_PERIODS_MAX * A_PERIOD <= PW_SMART_RECORD_MAX, "it fits");
_Static_assert(PW_SMART_RECORD_MAX <= PW_STORE_VALUE_MAX, "the store takes it");

size_t pw_smart_pack(const struct pw_profile_slot *slot, char to[PW_SMART_RECORD_MAX])
{
    const struct pw_profile *p = &slot->profile;
    struct pw_bin_out pack = {.cap = PW_SMART_RECORD_MAX};
    pack.at = (uint8_t *)to;
    pw_bin_put(&pack, VERSION, 1);
    pw_bin_put(&pack, slot->connector, 1);
    pw_bin_put(&pack, slot->transaction, 4);
    pw_bin_put(&pack, (uint64_t)slot->received, 8);
    pw_bin_put(&pack, (uint32_t)p->id, 4);
    pw_bin_put(&pack, (uint32_t)p->level, 1);
    pw_bin_put(&pack, p->purpose, 1);
    pw_bin_put(&pack, p->kind, 1);
    pw_bin_put(&pack, p->unit, 1);
    pw_bin_put(&pack, p->has_start ? 1 : 0, 1);
    pw_bin_put(&pack, (uint64_t)p->start, 8);
    pw_bin_put(&pack, (uint64_t)p->valid_from, 8);
    pw_bin_put(&pack, (uint64_t)p->valid_to, 8);
    pw_bin_put(&pack, (uint32_t)p->duration_s, 4);
    pw_bin_put(&pack, (uint32_t)p->min_tenths, 4);
    pw_bin_put(&pack, p->periods, 1);
    for (unsigned i = 0; i < p->periods; i++) {
        pw_bin_put(&pack, p->start_s[i], 4);
        pw_bin_put(&pack, (uint32_t)p->limit_tenths[i], 4);
        pw_bin_put(&pack, p->phases[i], 1);
    }
    PW_ASSERT(!pack.bad);
    return pack.len;
}

static void get_profile(struct pw_bin_in *from, struct pw_profile *p)
{
    p->id = (int32_t)pw_bin_get(from, 4);
    p->level = (int32_t)pw_bin_get(from, 1);
    p->purpose = (uint8_t)pw_bin_get(from, 1);
    p->kind = (uint8_t)pw_bin_get(from, 1);
    p->unit = (uint8_t)pw_bin_get(from, 1);
    p->has_start = pw_bin_get(from, 1) != 0;
    p->start = (int64_t)pw_bin_get(from, 8);
    p->valid_from = (int64_t)pw_bin_get(from, 8);
    p->valid_to = (int64_t)pw_bin_get(from, 8);
    p->duration_s = (int32_t)pw_bin_get(from, 4);
    p->min_tenths = (int32_t)pw_bin_get(from, 4);
    p->periods = (uint8_t)pw_bin_get(from, 1);
}

int pw_smart_unpack(struct pw_str bytes, struct pw_profile_slot *slot)
{
    struct pw_profile_slot read = {.used = true};
    struct pw_bin_in from = {.at = (const uint8_t *)bytes.at, .left = bytes.len};
    if (bytes.len < FIXED || pw_bin_get(&from, 1) != VERSION) {
        return PW_ERR_STORE;
    }
    read.connector = (uint8_t)pw_bin_get(&from, 1);
    read.transaction = (uint32_t)pw_bin_get(&from, 4);
    read.received = (int64_t)pw_bin_get(&from, 8);
    get_profile(&from, &read.profile);
    if (read.profile.periods > PW_PROFILE_PERIODS_MAX ||
        from.left != (size_t)read.profile.periods * A_PERIOD) {
        return PW_ERR_STORE;
    }
    for (unsigned i = 0; i < read.profile.periods; i++) {
        read.profile.start_s[i] = (uint32_t)pw_bin_get(&from, 4);
        read.profile.limit_tenths[i] = (int32_t)pw_bin_get(&from, 4);
        read.profile.phases[i] = (uint8_t)pw_bin_get(&from, 1);
    }
    if (pw_profile_check(&read.profile, NULL) != PW_OK || read.connector > PW_CONNECTORS_MAX ||
        read.received < 0 || read.received > PW_PROFILE_LAST_MS) {
        return PW_ERR_STORE;
    }
    *slot = read;
    return PW_OK;
}

// Target functions: pw_smart_unpack, pw_profile_at, pw_profile_ma, pw_profiles_composite.
// The record of a charging profile after a crash: any bytes are refused whole, or give a profile
// that is allowed, comes out again as the same bytes, and can be asked at any time of any calendar.
#include "smart/smart.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct pw_profile_slot *slot, pw_unix_ms at, bool no_date)
{
    static const struct pw_profile_scale scale = {
        .mv = 72000, .grid_mv = 690000, .efficiency_permille = 940};
    const struct pw_profile_moment moment = {.at = at, .began = at / 2, .no_date = no_date};
    struct pw_profile_value value = pw_profile_at(slot, &moment);
    PW_ASSERT(value.until > at);
    PW_ASSERT(!value.any || (value.limit_tenths >= 0 && pw_profile_ma(&value, &scale) >= 0));
}

static void look_ahead(const struct pw_profile_slot *slot, pw_unix_ms at)
{
    static struct pw_profile_set set;
    set.slot[3] = *slot;
    const struct pw_composite_member member = {
        .connector = 1,
        .transaction = slot->transaction,
        .scale = {.mv = 690000, .grid_mv = 690000, .efficiency_permille = 1000, .phases = 3},
        .most_ma = 32000};
    const struct pw_composite_question question = {.set = &set,
                                                   .member = &member,
                                                   .members = 1,
                                                   .at = at,
                                                   .duration_s = 864000,
                                                   .unit = PW_PROFILE_WATT};
    struct pw_composite composite;
    pw_profiles_composite(&question, &composite);
    PW_ASSERT(composite.periods >= 1 && composite.periods <= PW_PROFILE_PERIODS_MAX);
    for (unsigned i = 1; i < composite.periods; i++) {
        PW_ASSERT(composite.start_s[i] > composite.start_s[i - 1]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const pw_unix_ms times[] = {1, 1785000000000, 2147483648000, PW_PROFILE_LAST_MS};
    struct pw_profile_slot slot;
    char again[PW_SMART_RECORD_MAX];
    memset(&slot, 0, sizeof(slot));
    const struct pw_str bytes = {.at = (const char *)data, .len = size};
    if (pw_smart_unpack(bytes, &slot) != PW_OK) {
        return 0;
    }
    PW_ASSERT(pw_profile_check(&slot.profile, NULL) == PW_OK);
    size_t len = pw_smart_pack(&slot, again);
    PW_ASSERT(len == size);
    for (unsigned i = 0; i < PW_COUNT(times); i++) {
        ask(&slot, times[i], false);
        ask(&slot, times[i], true);
        look_ahead(&slot, times[i]);
    }
    return 0;
}

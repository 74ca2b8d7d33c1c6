// What charging profiles allow, against a reader of the standard who knows nothing but one second
// at a time, goes through every period from the last to the first, and counts days one by one.
#include "profiles/profiles.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0     INT64_C(1785000000000) // a Saturday in July 2026, 17:20 UTC
#define HOUR   INT64_C(3600)
#define WINDOW (6 * HOUR) // seconds that are compared of each set

static const struct pw_profile_scale three_phases = {
    .mv = 690000, .grid_mv = 690000, .efficiency_permille = 1000, .phases = 3, .seen = true};

// ---------------------------------------------------------------------------------------------
// Chance. PW_TEST_SEED repeats a run.

static uint64_t chance_state;

static uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)((chance_state >> 11) % below);
}

static uint64_t seed_of(void)
{
    const char *given = getenv("PW_TEST_SEED");
    return given != NULL ? strtoull(given, NULL, 0) : 20261;
}

static void begin_case(uint64_t seed, unsigned n)
{
    chance_state = (seed * 1000003 + n + 1) * 0x9E3779B97F4A7C15;
}

static void random_periods(struct pw_profile *p)
{
    uint32_t at = 0;
    p->periods = (uint8_t)(1 + chance(chance(4) == 0 ? PW_PROFILE_PERIODS_MAX : 6));
    for (unsigned i = 0; i < p->periods; i++) {
        p->start_s[i] = at;
        p->limit_tenths[i] = (int32_t)(chance(5) == 0 ? 0 : chance(400));
        p->limit_tenths[i] *= p->unit == PW_PROFILE_WATT ? 690 : 1;
        p->phases[i] = (uint8_t)chance(4);
        at += 1 + chance(chance(2) == 0 ? 600 : 20000);
    }
}

static pw_unix_ms random_time(void)
{
    return T0 + ((int64_t)chance(12 * 3600) - 3 * HOUR) * 1000 + chance(3) * 250;
}

static void random_slot(struct pw_profile_slot *slot, int32_t id)
{
    struct pw_profile *p = &slot->profile;
    memset(slot, 0, sizeof(*slot));
    slot->used = chance(8) != 0;
    slot->received = random_time();
    p->id = id;
    p->purpose = (uint8_t)chance(PW_PROFILE_PURPOSE_ROWS);
    p->kind = (uint8_t)chance(PW_PROFILE_KIND_ROWS);
    p->unit = (uint8_t)chance(2);
    p->level = (int32_t)chance(5);
    slot->connector = (uint8_t)(p->purpose == PW_PROFILE_STATION ? 0 : chance(3));
    slot->connector = p->purpose == PW_PROFILE_TX ? 1 : slot->connector;
    slot->transaction = p->purpose == PW_PROFILE_TX ? 7 + chance(2) : 0;
    p->has_start = chance(5) != 0;
    p->start = p->has_start ? random_time() - (int64_t)chance(15) * 86400000 : 0;
    p->valid_from = chance(3) == 0 ? random_time() : PW_PROFILE_ALWAYS;
    p->valid_to = chance(3) == 0 ? random_time() + 4 * HOUR * 1000 : PW_PROFILE_EVER;
    p->duration_s = (int32_t)(chance(2) == 0 ? 0 : 1 + chance(chance(2) == 0 ? 9000 : 200000));
    random_periods(p);
}

// Levels are unique in their place, as whoever installs them makes sure.
static bool same_place(const struct pw_profile_slot *a, const struct pw_profile_slot *b)
{
    return a->used && b->used && a->profile.purpose == b->profile.purpose &&
           a->profile.level == b->profile.level && a->connector == b->connector &&
           a->transaction == b->transaction;
}

static void random_set(struct pw_profile_set *set)
{
    memset(set, 0, sizeof(*set));
    for (unsigned i = 0; i < 12; i++) {
        random_slot(&set->slot[i], (int32_t)i + 100);
        struct pw_profile *p = &set->slot[i].profile;
        if (p->valid_from >= p->valid_to || pw_profile_check(p, NULL) != PW_OK) {
            set->slot[i].used = false;
        }
        for (unsigned j = 0; j < i; j++) {
            set->slot[i].used = set->slot[i].used && !same_place(&set->slot[i], &set->slot[j]);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The reader.

static int64_t second_of_schedule(const struct pw_profile_slot *slot, pw_unix_ms at,
                                  pw_unix_ms began)
{
    const struct pw_profile *p = &slot->profile;
    pw_unix_ms begin = p->start;
    if (p->kind == PW_PROFILE_RELATIVE || !p->has_start) {
        begin = p->purpose == PW_PROFILE_STATION ? slot->received : began;
    }
    int64_t day = p->kind == PW_PROFILE_DAILY ? 86400000 : 604800000;
    bool again = p->kind == PW_PROFILE_DAILY || p->kind == PW_PROFILE_WEEKLY;
    while (again && begin + day <= at) {
        begin += day;
    }
    return at < begin ? -1 : (at - begin) / 1000;
}

// -1: it says nothing.
static int read_slot(const struct pw_profile_slot *slot, pw_unix_ms at, pw_unix_ms began)
{
    const struct pw_profile *p = &slot->profile;
    if (at < p->valid_from || at >= p->valid_to) {
        return -1;
    }
    int64_t second = second_of_schedule(slot, at, began);
    if (second < 0 || (p->duration_s > 0 && second >= p->duration_s)) {
        return -1;
    }
    for (int i = p->periods - 1; i >= 0; i--) {
        if (second >= p->start_s[i]) {
            return i;
        }
    }
    return -1;
}

static bool is_hidden(const struct pw_profile_set *set, const struct pw_profile_slot *slot,
                      unsigned connector)
{
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *other = &set->slot[i];
        if (other->used && other->profile.purpose == PW_PROFILE_DEFAULT &&
            other->connector == connector && slot->connector == 0 &&
            other->profile.level == slot->profile.level) {
            return true;
        }
    }
    return false;
}

struct reading {
    const struct pw_profile *profile; // NULL: nothing
    int period;
};

static struct reading read_purpose(const struct pw_profile_set *set, unsigned purpose,
                                   unsigned connector, uint32_t transaction, pw_unix_ms at,
                                   pw_unix_ms began)
{
    struct reading best = {.profile = NULL};
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *slot = &set->slot[i];
        bool mine = slot->used && slot->profile.purpose == purpose &&
                    (slot->connector == 0 || slot->connector == connector) &&
                    (purpose != PW_PROFILE_TX || slot->transaction == transaction) &&
                    (purpose != PW_PROFILE_DEFAULT || !is_hidden(set, slot, connector));
        int period = mine ? read_slot(slot, at, began) : -1;
        if (period >= 0 && (best.profile == NULL || slot->profile.level > best.profile->level)) {
            best = (struct reading){.profile = &slot->profile, .period = period};
        }
    }
    return best;
}

static struct reading read_transaction(const struct pw_profile_set *set, pw_unix_ms at,
                                       pw_unix_ms began)
{
    struct reading own = read_purpose(set, PW_PROFILE_TX, 1, 7, at, began);
    return own.profile != NULL ? own : read_purpose(set, PW_PROFILE_DEFAULT, 1, 7, at, began);
}

static bool agrees(const struct reading *reading, const struct pw_profile_value *value)
{
    if (reading->profile == NULL) {
        return !value->any;
    }
    return value->any && value->id == reading->profile->id &&
           value->limit_tenths == reading->profile->limit_tenths[reading->period] &&
           value->phases == reading->profile->phases[reading->period] &&
           value->unit == reading->profile->unit && value->purpose == reading->profile->purpose;
}

// Tenths of an ampere of three phases.
static int64_t amperes(const struct reading *reading)
{
    if (reading->profile == NULL) {
        return 320;
    }
    int64_t tenths = reading->profile->limit_tenths[reading->period];
    return pw_min(reading->profile->unit == PW_PROFILE_WATT ? tenths / 690 : tenths, 320);
}

// ---------------------------------------------------------------------------------------------

// Reason: a limit that holds a second too long trips a fuse. Every answer is taken as good until
// its own `until`, and compared with the reader in each second.
static void every_second_is_as_the_standard_reads(void **state)
{
    (void)state;
    uint64_t seed = seed_of();
    static struct pw_profile_set set;
    for (unsigned n = 0; n < 60; n++) {
        begin_case(seed, n);
        random_set(&set);
        struct pw_profile_value own = {.until = 0};
        struct pw_profile_value station = {.until = 0};
        for (int64_t s = 0; s < WINDOW; s++) {
            const struct pw_profile_moment moment = {.at = T0 + s * 1000, .began = T0 - 777000};
            if (moment.at >= own.until) {
                own = pw_profiles_transaction(&set, 1, 7, 0, &moment);
                assert_true(own.until > moment.at);
            }
            if (moment.at >= station.until) {
                station = pw_profiles_station(&set, 0, &moment);
                assert_true(station.until > moment.at);
            }
            struct reading tx = read_transaction(&set, moment.at, moment.began);
            struct reading max =
                read_purpose(&set, PW_PROFILE_STATION, 0, 0, moment.at, moment.began);
            if (!agrees(&tx, &own) || !agrees(&max, &station)) {
                fail_msg("PW_TEST_SEED=%llu set %u second %lld", (unsigned long long)seed, n,
                         (long long)s);
            }
        }
    }
}

// Reason: whoever plans by the composite schedule must get what the station then does.
static void the_composite_schedule_is_every_seconds_least(void **state)
{
    (void)state;
    uint64_t seed = seed_of();
    static struct pw_profile_set set;
    const struct pw_composite_member member = {.connector = 1,
                                               .transaction = 7,
                                               .began = T0 - 777000,
                                               .scale = three_phases,
                                               .most_ma = 32000};
    for (unsigned n = 0; n < 60; n++) {
        begin_case(seed, n);
        random_set(&set);
        struct pw_composite composite;
        const struct pw_composite_question question = {.set = &set,
                                                       .member = &member,
                                                       .members = 1,
                                                       .at = T0 + chance(1000),
                                                       .duration_s = WINDOW,
                                                       .unit = PW_PROFILE_AMPERE};
        pw_profiles_composite(&question, &composite);
        assert_in_range(composite.periods, 1, PW_PROFILE_PERIODS_MAX);
        assert_int_equal(composite.start_s[0], 0);
        unsigned period = 0;
        for (uint32_t s = 0; s < composite.duration_s; s++) {
            pw_unix_ms at = question.at + (int64_t)s * 1000;
            struct reading tx = read_transaction(&set, at, member.began);
            struct reading max = read_purpose(&set, PW_PROFILE_STATION, 0, 0, at, at);
            while (period + 1u < composite.periods && composite.start_s[period + 1] <= s) {
                period++;
            }
            if (composite.limit_tenths[period] != pw_min(amperes(&tx), amperes(&max))) {
                fail_msg("PW_TEST_SEED=%llu set %u second %u: %d, not %d", (unsigned long long)seed,
                         n, s, (int)composite.limit_tenths[period],
                         (int)pw_min(amperes(&tx), amperes(&max)));
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Amperes and watts.

static int32_t ma_of(unsigned purpose, unsigned unit, int32_t tenths, uint8_t phases,
                     struct pw_profile_scale scale)
{
    const struct pw_profile_value value = {.any = true,
                                           .purpose = (uint8_t)purpose,
                                           .unit = (uint8_t)unit,
                                           .phases = phases,
                                           .limit_tenths = tenths};
    return pw_profile_ma(&value, &scale);
}

static struct pw_profile_scale ac(uint8_t phases, bool seen)
{
    return (struct pw_profile_scale){.mv = 230000 * (int64_t)phases,
                                     .grid_mv = 230000 * (int64_t)phases,
                                     .efficiency_permille = 1000,
                                     .phases = phases,
                                     .seen = seen};
}

// Reason: 11 kW are 16 A on three phases and 48 A on one; who divides wrongly melts a cable.
static void watts_are_divided_by_the_phases_in_use(void **state)
{
    (void)state;
    enum { TX = PW_PROFILE_TX, W = PW_PROFILE_WATT, A = PW_PROFILE_AMPERE };
    assert_int_equal(ma_of(TX, W, 110400, 0, ac(3, false)), 16000);
    assert_int_equal(ma_of(TX, W, 110400, 3, ac(1, false)), 48000);
    // One phase is meant, three are there, and the vehicle may take them all.
    assert_int_equal(ma_of(TX, W, 36800, 1, ac(3, false)), 5333);
    assert_int_equal(ma_of(TX, W, 36800, 1, ac(3, true)), 5333);
    // Amperes are those of each phase, whatever is said of phases (erratum 3.34).
    assert_int_equal(ma_of(TX, A, 160, 3, ac(1, true)), 16000);
    assert_int_equal(ma_of(TX, A, 160, 1, ac(3, true)), 16000);
    const struct pw_profile_scale dc = {
        .mv = 72000, .grid_mv = 690000, .efficiency_permille = 940, .phases = 0};
    assert_int_equal(ma_of(TX, W, 36000, 0, dc), 50000);
    assert_int_equal(ma_of(TX, A, 500, 0, dc), 50000);
    assert_int_equal(ma_of(PW_PROFILE_STATION, W, 36000, 0, dc), 47000);
    assert_int_equal(ma_of(PW_PROFILE_STATION, A, 100, 0, dc), 90083); // 6.9 kW of the mains
}

// Reason: a limit that the grid cannot bear must hold before anybody knows what vehicle came. Every
// limit, numberPhases, and number of phases noticed: more watts than allowed can only flow with
// `least_ma`, and only as long as no more phases were noticed than the profile names.
static void watts_hold_before_the_phases_are_seen(void **state)
{
    (void)state;
    enum { LEAST_MA = 6000, PHASE_W = 230 };
    unsigned over = 0;
    unsigned cases = 0;
    for (int32_t watts = 0; watts <= 22080; watts += 10) {
        for (uint8_t named = 0; named <= 3; named++) {
            for (uint8_t noticed = 0; noticed <= 3; noticed++) {
                struct pw_profile_scale scale = ac(3, false);
                scale.used = noticed;
                scale.least_ma = LEAST_MA;
                int64_t ma = ma_of(PW_PROFILE_TX, PW_PROFILE_WATT, watts * 10, named, scale);
                bool too_much = ma * 3 * PHASE_W > (int64_t)watts * 1000;
                cases++;
                over += too_much ? 1 : 0;
                assert_true(!too_much ||
                            (ma <= LEAST_MA && named > 0 && pw_max(named, noticed) < 3));
                // With the phases named it never is, nor with those noticed.
                assert_true(ma * PHASE_W * pw_max(named == 0 ? 3 : named, noticed) <=
                            (int64_t)watts * 1000);
                // What three phases may have, and what may be offered to find out, is offered.
                bool able = watts >= LEAST_MA / 1000 * PHASE_W * (int64_t)pw_max(named, noticed);
                assert_true(ma >= LEAST_MA || named == 0 || !able || watts >= 4140);
                scale.least_ma = 0;
                ma = ma_of(PW_PROFILE_TX, PW_PROFILE_WATT, watts * 10, named, scale);
                assert_true(ma * 3 * PHASE_W <= (int64_t)watts * 1000);
            }
        }
    }
    (void)printf("%u cases, %u that may exceed to find out\n", cases, over);
}

// Reason: a central system that asks for watts must read those it set, also before a vehicle came:
// 7,360 W for one phase are 32 A of it, not 22 kW.
static void a_plan_in_watts_reads_as_it_was_set(void **state)
{
    (void)state;
    static struct pw_profile_set set;
    const struct pw_composite_member member = {
        .connector = 1, .scale = ac(3, false), .most_ma = 32000};
    memset(&set, 0, sizeof(set));
    set.slot[0] = (struct pw_profile_slot){.used = true,
                                           .profile = {.purpose = PW_PROFILE_DEFAULT,
                                                       .kind = PW_PROFILE_RELATIVE,
                                                       .unit = PW_PROFILE_WATT,
                                                       .valid_from = PW_PROFILE_ALWAYS,
                                                       .valid_to = PW_PROFILE_EVER,
                                                       .periods = 1,
                                                       .limit_tenths = {73600},
                                                       .phases = {1}}};
    for (unsigned station = 0; station <= 1; station++) {
        for (unsigned amperes = 0; amperes <= 1; amperes++) {
            struct pw_composite composite;
            const struct pw_composite_question question = {.set = &set,
                                                           .member = &member,
                                                           .members = 1,
                                                           .station = station == 1,
                                                           .at = 1790000000000,
                                                           .duration_s = 3600,
                                                           .unit = amperes == 1 ? PW_PROFILE_AMPERE
                                                                                : PW_PROFILE_WATT};
            pw_profiles_composite(&question, &composite);
            assert_int_equal(composite.periods, 1);
            assert_int_equal(composite.limit_tenths[0], amperes == 1 ? 320 : 73600);
            assert_int_equal(composite.phases[0], station == 1 ? 0 : 1);
        }
    }
}

// Reason: T09, numbers beyond all hardware must neither turn over nor become small.
static void absurd_limits_stay_large(void **state)
{
    (void)state;
    static const int32_t tenths[] = {10000000, INT32_MAX / 2, INT32_MAX};
    const struct pw_profile_scale dc = {
        .mv = 1000000, .grid_mv = 1200000, .efficiency_permille = 500, .phases = 0};
    for (unsigned i = 0; i < PW_COUNT(tenths); i++) {
        for (unsigned purpose = 0; purpose < PW_PROFILE_PURPOSE_ROWS; purpose++) {
            assert_true(ma_of(purpose, PW_PROFILE_AMPERE, tenths[i], 0, ac(3, true)) >= 80000);
            assert_true(ma_of(purpose, PW_PROFILE_WATT, tenths[i], 1, ac(3, false)) >= 80000);
            assert_true(ma_of(purpose, PW_PROFILE_WATT, tenths[i], 0, dc) >= 300000 ||
                        tenths[i] == 10000000);
            assert_true(ma_of(purpose, PW_PROFILE_AMPERE, tenths[i], 0, dc) >= 300000);
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Sharing.

static void random_user(struct pw_profile_user *user, uint32_t turn)
{
    bool one = chance(2) == 0;
    *user = (struct pw_profile_user){
        .phases = (uint8_t)(one ? 1U << chance(3) : 7),
        .scale = ac(one ? 1 : 3, true),
        .most_ma = (int32_t)(chance(6) == 0 ? 0 : 6000 + chance(26000)),
        .least_ma = 6000,
        .turn = turn,
    };
    if (chance(5) == 0) {
        user->phases = 7;
        user->scale = (struct pw_profile_scale){.mv = 40000 + 500 * (int64_t)chance(100),
                                                .grid_mv = 690000,
                                                .efficiency_permille = 940};
        user->least_ma = 1000;
        user->most_ma = (int32_t)(1000 + chance(100000));
    }
}

// What they take of each bound, in its own unit: 3 phases in mA, or mW.
static int64_t taken(const struct pw_profile_user *user, unsigned users, const int32_t *ma,
                     unsigned unit, unsigned phase)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < users; i++) {
        const struct pw_profile_scale *s = &user[i].scale;
        bool same = s->mv == s->grid_mv;
        int64_t mw = ma[i] * s->mv / 1000 * 1000 / s->efficiency_permille;
        int64_t grid_ma = same ? ma[i] : mw * 1000 / s->grid_mv;
        bool on = (user[i].phases >> phase & 1) != 0;
        sum += unit == PW_PROFILE_WATT ? mw : on ? grid_ma : 0;
    }
    return sum;
}

// Reason: §3.13.3, the sum must not be above the limit, on no phase, whatever is plugged in where.
// And nobody gets an amount that is of no use to him.
static void shares_never_exceed_what_is_there(void **state)
{
    (void)state;
    uint64_t seed = seed_of();
    for (unsigned n = 0; n < 20000; n++) {
        begin_case(seed, n);
        struct pw_profile_user user[4];
        int32_t ma[4];
        unsigned users = 1 + chance(4);
        for (unsigned i = 0; i < users; i++) {
            random_user(&user[i], i + 1);
        }
        unsigned unit = chance(2);
        const struct pw_profile_value value = {
            .any = true,
            .purpose = PW_PROFILE_STATION,
            .unit = (uint8_t)unit,
            .limit_tenths = (int32_t)chance(unit == PW_PROFILE_WATT ? 500000 : 800)};
        pw_profile_share(&value, user, users, ma);
        int64_t room = (int64_t)value.limit_tenths * 100;
        bool over = false;
        bool useless = false;
        for (unsigned p = 0; p < 3; p++) {
            over = over || taken(user, users, ma, unit, p) > room;
        }
        for (unsigned i = 0; i < users; i++) {
            int64_t least = pw_min(user[i].least_ma, user[i].most_ma);
            useless = useless || (ma[i] > 0 && ma[i] < least) || ma[i] > user[i].most_ma;
        }
        if (over || useless) {
            fail_msg("PW_TEST_SEED=%llu case %u: %s", (unsigned long long)seed, n,
                     over ? "more than there is" : "of no use");
        }
    }
}

// Reason: what is left over is not wasted, and nobody is served at another's cost.
static void shares_are_equal_and_leave_the_rest_to_others(void **state)
{
    (void)state;
    struct pw_profile_user user[3];
    int32_t ma[3];
    struct pw_profile_value value = {
        .any = true, .purpose = PW_PROFILE_STATION, .unit = PW_PROFILE_AMPERE, .limit_tenths = 320};
    for (unsigned i = 0; i < 3; i++) {
        user[i] = (struct pw_profile_user){
            .phases = 7, .scale = ac(3, true), .most_ma = 16000, .least_ma = 6000, .turn = i};
    }
    pw_profile_share(&value, user, 3, ma);
    assert_int_equal(ma[0], 10666);
    assert_int_equal(ma[2], 10666);
    user[1].most_ma = 6000;
    pw_profile_share(&value, user, 3, ma);
    assert_int_equal(ma[0], 13000);
    assert_int_equal(ma[1], 6000);
    // Not enough for three: who came last waits, the others have it all.
    value.limit_tenths = 150;
    user[1].most_ma = 16000;
    pw_profile_share(&value, user, 3, ma);
    assert_int_equal(ma[0], 7500);
    assert_int_equal(ma[1], 7500);
    assert_int_equal(ma[2], 0);
    // One phase each: none takes anything from the other.
    for (unsigned i = 0; i < 3; i++) {
        user[i].phases = (uint8_t)(1U << i);
        user[i].scale = ac(1, true);
    }
    pw_profile_share(&value, user, 3, ma);
    assert_int_equal(ma[0], 15000);
    assert_int_equal(ma[2], 15000);
    // ... but watts are counted together: 6.9 kW are 10 A each.
    value.unit = PW_PROFILE_WATT;
    value.limit_tenths = 69000;
    pw_profile_share(&value, user, 3, ma);
    assert_int_equal(ma[0], 10000);
    assert_int_equal(ma[2], 10000);
}

// ---------------------------------------------------------------------------------------------

// Reason: T09, what has no meaning is refused with a sentence, and does not count by accident.
static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const struct pw_profile good = {.periods = 2,
                                    .start_s = {0, 60},
                                    .limit_tenths = {60, 0},
                                    .valid_from = PW_PROFILE_ALWAYS,
                                    .valid_to = PW_PROFILE_EVER};
    assert_int_equal(pw_profile_check(&good, NULL), PW_OK);
    struct pw_profile bad[9];
    for (unsigned i = 0; i < PW_COUNT(bad); i++) {
        bad[i] = good;
    }
    bad[0].limit_tenths[1] = -1;
    bad[1].start_s[0] = 1;
    bad[2].start_s[1] = 0;
    bad[3].level = PW_PROFILE_LEVEL_MAX + 1;
    bad[4].periods = 0;
    bad[5].valid_from = T0;
    bad[5].valid_to = T0;
    bad[6].phases[0] = 4;
    bad[7].start = PW_PROFILE_LAST_MS + 1;
    bad[8].purpose = PW_PROFILE_PURPOSE_ROWS;
    for (unsigned i = 0; i < PW_COUNT(bad); i++) {
        char text[100] = "";
        struct pw_out why = PW_OUT(text);
        assert_int_equal(pw_profile_check(&bad[i], &why), PW_ERR_RANGE);
        assert_true(text[0] != '\0');
    }
}

// Reason: T09, starts of 1970, 2038 and 2106 are times like others.
static void schedules_begin_whenever_they_like(void **state)
{
    (void)state;
    static const pw_unix_ms starts[] = {0, INT64_C(2147483648000), INT64_C(4294967296000)};
    for (unsigned i = 0; i < PW_COUNT(starts); i++) {
        struct pw_profile_slot slot = {.used = true,
                                       .profile = {.kind = PW_PROFILE_DAILY,
                                                   .periods = 1,
                                                   .limit_tenths = {60},
                                                   .has_start = true,
                                                   .start = starts[i],
                                                   .duration_s = 3600,
                                                   .valid_from = PW_PROFILE_ALWAYS,
                                                   .valid_to = PW_PROFILE_EVER}};
        struct pw_profile_moment moment = {.at = starts[i]};
        assert_true(pw_profile_at(&slot, &moment).any);
        moment.at = starts[i] + INT64_C(86400000) * 365 + 3599999;
        assert_true(pw_profile_at(&slot, &moment).any);
        moment.at++;
        assert_false(pw_profile_at(&slot, &moment).any);
        assert_true(pw_profile_at(&slot, &moment).until == starts[i] + INT64_C(86400000) * 366);
    }
}

// Reason: a station that woke without a clock must not take night for day.
static void without_the_date_the_least_of_all_periods_counts(void **state)
{
    (void)state;
    struct pw_profile_slot slot = {.used = true,
                                   .profile = {.purpose = PW_PROFILE_DEFAULT,
                                               .kind = PW_PROFILE_DAILY,
                                               .periods = 3,
                                               .start_s = {0, 28800, 72000},
                                               .limit_tenths = {160, 60, 320},
                                               .has_start = true,
                                               .start = T0,
                                               .valid_from = T0,
                                               .valid_to = T0 + 1000}};
    const struct pw_profile_moment moment = {.at = 100000, .began = 40000, .no_date = true};
    assert_int_equal(pw_profile_at(&slot, &moment).limit_tenths, 60);
    // A relative one needs no date: a minute into the charge.
    slot.profile.kind = PW_PROFILE_RELATIVE;
    slot.profile.start_s[1] = 60;
    assert_int_equal(pw_profile_at(&slot, &moment).limit_tenths, 60);
    slot.profile.start_s[1] = 61;
    assert_int_equal(pw_profile_at(&slot, &moment).limit_tenths, 160);
    assert_true(pw_profile_at(&slot, &moment).until == 101000);
}

// Reason: last week's profile, of a higher level and with more, must not come back because the
// station does not know that it is over.
static void without_the_date_a_profile_that_may_be_over_hides_none(void **state)
{
    (void)state;
    static const struct {
        uint8_t low_purpose, high_purpose;
        bool high_dated;
        int32_t want_tenths;
    } rows[] = {
        {PW_PROFILE_STATION, PW_PROFILE_STATION, true, 100},
        {PW_PROFILE_DEFAULT, PW_PROFILE_DEFAULT, true, 100},
        {PW_PROFILE_DEFAULT, PW_PROFILE_TX, true, 100},
        {PW_PROFILE_TX, PW_PROFILE_TX, true, 100},
        {PW_PROFILE_DEFAULT, PW_PROFILE_DEFAULT, false, 320}, // counts for sure: it hides
        {PW_PROFILE_DEFAULT, PW_PROFILE_TX, false, 320},
    };
    for (unsigned i = 0; i < PW_COUNT(rows); i++) {
        struct pw_profile_set set = {.slot = {{.used = true}, {.used = true}}};
        for (unsigned n = 0; n < 2; n++) {
            set.slot[n].profile = (struct pw_profile){
                .id = (int32_t)n + 1,
                .level = (int32_t)n,
                .purpose = n == 0 ? rows[i].low_purpose : rows[i].high_purpose,
                .kind = PW_PROFILE_RELATIVE,
                .unit = PW_PROFILE_AMPERE,
                .periods = 1,
                .limit_tenths = {n == 0 ? 100 : 320},
                .valid_from = PW_PROFILE_ALWAYS,
                .valid_to = n == 1 && rows[i].high_dated ? T0 : PW_PROFILE_EVER};
            bool own = set.slot[n].profile.purpose == PW_PROFILE_TX;
            set.slot[n].connector = own ? 1 : 0;
            set.slot[n].transaction = own ? 7 : 0;
        }
        const struct pw_profile_moment moment = {.at = 100000, .began = 40000, .no_date = true};
        struct pw_profile_value value = rows[i].low_purpose == PW_PROFILE_STATION
                                            ? pw_profiles_station(&set, 0, &moment)
                                            : pw_profiles_transaction(&set, 1, 7, 0, &moment);
        assert_true(value.any);
        assert_int_equal(value.limit_tenths, rows[i].want_tenths);
        // The other way round too: what may be over counts while it is the lesser.
        set.slot[0].profile.limit_tenths[0] = 400;
        value = rows[i].low_purpose == PW_PROFILE_STATION
                    ? pw_profiles_station(&set, 0, &moment)
                    : pw_profiles_transaction(&set, 1, 7, 0, &moment);
        assert_int_equal(value.limit_tenths, 320);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_second_is_as_the_standard_reads),
        cmocka_unit_test(the_composite_schedule_is_every_seconds_least),
        cmocka_unit_test(watts_are_divided_by_the_phases_in_use),
        cmocka_unit_test(watts_hold_before_the_phases_are_seen),
        cmocka_unit_test(a_plan_in_watts_reads_as_it_was_set),
        cmocka_unit_test(absurd_limits_stay_large),
        cmocka_unit_test(shares_never_exceed_what_is_there),
        cmocka_unit_test(shares_are_equal_and_leave_the_rest_to_others),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(schedules_begin_whenever_they_like),
        cmocka_unit_test(without_the_date_the_least_of_all_periods_counts),
        cmocka_unit_test(without_the_date_a_profile_that_may_be_over_hides_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Mains: energy of three phases is exact, monotone and never invented; a meter that lies changes
// nothing.
#include "mains/mains.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN PW_BOARD_UNKNOWN

static struct pw_mains mains;
static const struct pw_mains_config defaults;

static void fresh(const struct pw_mains_config *config)
{
    assert_int_equal(pw_mains_init(&mains, config, 0), PW_OK);
}

// The same on all three phases; no register.
static struct pw_board_mains reading(pw_ms at, int32_t mv, int32_t ma, int32_t mw)
{
    return (struct pw_board_mains){
        .at = at,
        .mv = {mv, mv, mv},
        .ma = {ma, ma, ma},
        .mw = {mw, mw, mw},
        .mhz = 50000,
        .import_mwh = -1,
    };
}

static enum pw_mains_quality read_at(struct pw_board_mains r)
{
    return pw_mains_read(&mains, &r, r.at);
}

static uint64_t units_of(struct pw_meter_register reg)
{
    return reg.energy_mwh * PW_METER_UNITS_PER_MWH + reg.rest;
}

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t seed_of_this_run(void)
{
    const char *given = getenv("PW_TEST_SEED");
    uint64_t seed = given == NULL ? 0x9E3779B97F4A7C15 : strtoull(given, NULL, 0);
    printf("PW_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

// Reason: OCPP writes the phases of the grid in the order of the connector's; load sharing needs
// both directions, and a mistake loads the wrong fuse.
static void the_six_rotations_map_both_ways(void **state)
{
    (void)state;
    static const char grid_names[] = "RST";
    for (unsigned i = 0; i < PW_MAINS_ROTATION_COUNT; i++) {
        enum pw_mains_rotation rotation = (enum pw_mains_rotation)i;
        const char *name = pw_mains_rotation_name(rotation);
        enum pw_mains_rotation found = PW_MAINS_ROTATION_COUNT;
        assert_int_equal(pw_mains_rotation_of(pw_str_of(name), &found), PW_OK);
        assert_int_equal(found, rotation);
        for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
            unsigned grid = pw_mains_grid_phase(rotation, p);
            assert_int_equal(name[p], grid_names[grid]);
            assert_int_equal(pw_mains_outlet_phase(rotation, grid), p);
        }
    }
    enum pw_mains_rotation kept = PW_MAINS_STR;
    static const char *const wrong[] = {"", "RSTR", "RRR", "rst", "NotApplicable"};
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        assert_int_equal(pw_mains_rotation_of(pw_str_of(wrong[i]), &kept), PW_ERR_UNKNOWN);
    }
    assert_int_equal(kept, PW_MAINS_STR);
}

// Reason: a rounding of a microwatt hour in each of 7.5 million readings would be 7.5 kilowatt
// hours. A year at 3.68 kW a phase, exact to the last half of a microjoule.
static void a_year_of_readings_does_not_drift(void **state)
{
    (void)state;
    fresh(&defaults);
    const pw_ms year = UINT64_C(365) * 24 * 3600 * 1000;
    uint64_t halves = 0; // of a microjoule; 2.3e17 in a year
    uint64_t last = 0;
    for (pw_ms t = 200; t <= year; t += 4200) {
        int32_t mw = 3679999 + (int32_t)(t / 4200 % 3);
        assert_int_equal(read_at(reading(t, 230000, 16000, mw)), PW_MAINS_GOOD);
        halves += last == 0 ? 0 : (last + (uint64_t)mw) * 4200;
        last = (uint64_t)mw;
    }
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        assert_int_equal(mains.phase[p].energy_mwh, halves / 7200000);
        assert_int_equal(mains.phase[p].rest, halves % 7200000 * 1000);
    }
    assert_int_equal(mains.total.energy_mwh, halves * 3 / 7200000);
    assert_int_equal(mains.total.rest, halves * 3 % 7200000 * 1000);
    assert_int_equal(mains.gaps, 0);
}

// Reason: power cuts come in the middle of everything; what was written down goes on, with its
// remainder, and nothing is counted twice.
static void random_charges_are_exact_over_restarts(void **state)
{
    (void)state;
    uint64_t seed = seed_of_this_run();
    for (int run = 0; run < 100; run++) {
        fresh(&defaults);
        uint64_t units[PW_BOARD_PHASES] = {0};
        bool joined = false;
        struct pw_board_mains last = {.at = PW_NEVER};
        pw_ms now = 0;
        for (int i = 0; i < 500; i++) {
            pw_ms span = 1 + random_next(&seed) % 6000;
            now += span;
            if (random_next(&seed) % 50 == 0) {
                struct pw_mains_keep keep = pw_mains_keep(&mains);
                fresh(&defaults);
                assert_int_equal(pw_mains_restore(&mains, &keep, now), PW_OK);
                joined = false;
            }
            struct pw_board_mains r = reading(now, 230000, 50, 0);
            for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
                r.ma[p] = (int32_t)(random_next(&seed) % 80000);
                r.mw[p] = (int32_t)(random_next(&seed) % 250) * r.ma[p];
                r.mw[p] = r.ma[p] < 50 ? 0 : r.mw[p];
            }
            assert_int_equal(read_at(r), PW_MAINS_GOOD);
            for (unsigned p = 0; p < PW_BOARD_PHASES && joined && span <= 5000; p++) {
                units[p] += ((uint64_t)last.mw[p] + (uint64_t)r.mw[p]) * span * 1000;
            }
            last = r;
            joined = true;
        }
        uint64_t sum = 0;
        for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
            assert_int_equal(units_of(mains.phase[p]), units[p]);
            sum += units[p];
        }
        assert_int_equal(units_of(mains.total), sum);
    }
}

// Reason: a meter's garbage must neither be billed nor move a limit: each of these readings leaves
// every register and the last good values as they were.
static void impossible_readings_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int32_t mv;
        int32_t ma;
        int32_t mw;
        int32_t mhz;
        enum pw_mains_quality quality;
    } rows[] = {
        {"voltage below zero", -1, 16000, 3680000, 50000, PW_MAINS_RANGE},
        {"voltage too high", 300001, 16000, 3680000, 50000, PW_MAINS_RANGE},
        {"voltage 10^9", 1000000000, 16000, 3680000, 50000, PW_MAINS_RANGE},
        {"largest voltage", INT32_MAX, 16000, 3680000, 50000, PW_MAINS_RANGE},
        {"current below zero", 230000, -1, 3680000, 50000, PW_MAINS_RANGE},
        {"current too high", 230000, 100001, 3680000, 50000, PW_MAINS_RANGE},
        {"largest current", 230000, INT32_MAX, 3680000, 50000, PW_MAINS_RANGE},
        {"least but unknown", 230000, INT32_MIN + 1, 3680000, 50000, PW_MAINS_RANGE},
        {"reversed transformer", 230000, 16000, -3680000, 50000, PW_MAINS_NEGATIVE},
        {"least power", 230000, 16000, INT32_MIN + 1, 50000, PW_MAINS_NEGATIVE},
        {"more watts than volt amperes", 230000, 16000, 4600000, 50000, PW_MAINS_POWER},
        {"largest power", 230000, 16000, INT32_MAX, 50000, PW_MAINS_POWER},
        {"power alone, largest", UNKNOWN, UNKNOWN, INT32_MAX, 50000, PW_MAINS_POWER},
        {"frequency low", 230000, 16000, 3680000, 39999, PW_MAINS_RANGE},
        {"frequency high", 230000, 16000, 3680000, 70001, PW_MAINS_RANGE},
        {"frequency below zero", 230000, 16000, 3680000, -50000, PW_MAINS_RANGE},
        {"nothing at all", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, PW_MAINS_EMPTY},
        {"only a voltage", 230000, UNKNOWN, UNKNOWN, 50000, PW_MAINS_EMPTY},
    };
    const struct pw_mains_config narrow = {.max_ma = 80000};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        fresh(&narrow); // so narrow that even a power alone can be too much

        (void)read_at(reading(1000, 230000, 16000, 3680000));
        (void)read_at(reading(2000, 230000, 16000, 3680000));
        struct pw_mains before = mains;
        struct pw_board_mains r = reading(3000, 230000, 16000, 3680000);
        r.mv[1] = rows[i].mv;
        r.ma[1] = rows[i].ma;
        r.mw[1] = rows[i].mw;
        r.mhz = rows[i].mhz;
        if (rows[i].quality == PW_MAINS_EMPTY) {
            r = reading(3000, rows[i].mv, rows[i].ma, rows[i].mw);
        }
        enum pw_mains_quality want = rows[i].quality;
        enum pw_mains_quality got = read_at(r);
        if (got != want) {
            fail_msg("%s: %s, not %s", rows[i].what, pw_mains_quality_name(got),
                     pw_mains_quality_name(want));
        }
        assert_memory_equal(&mains.total, &before.total, sizeof(before.total));
        assert_memory_equal(mains.phase, before.phase, sizeof(before.phase));
        assert_memory_equal(&mains.good, &before.good, sizeof(before.good));
        assert_int_equal(mains.refused, before.refused + 1);
        // And the time around it counts neither.
        (void)read_at(reading(4000, 230000, 16000, 3680000));
        assert_memory_equal(&mains.total, &before.total, sizeof(before.total));
        (void)read_at(reading(5000, 230000, 16000, 3680000));
        assert_true(mains.total.energy_mwh > before.total.energy_mwh);
    }
}

// Reason: a meter whose bus hangs often repeats its last answer for ever. Its register moving, or a
// single millivolt, shows that it lives; without a current there is nothing to bill.
static void frozen_values_stop_counting(void **state)
{
    (void)state;
    fresh(&defaults);
    pw_ms t = 1000;
    for (; t <= 121000; t += 1000) {
        assert_int_equal(read_at(reading(t, 230000, 16000, 3680000)),
                         t < 121000 ? PW_MAINS_GOOD : PW_MAINS_FROZEN);
    }
    uint64_t before = mains.total.energy_mwh;
    for (; t <= 400000; t += 1000) {
        assert_int_equal(read_at(reading(t, 230000, 16000, 3680000)), PW_MAINS_FROZEN);
    }
    assert_int_equal(mains.total.energy_mwh, before);
    struct pw_mains_view view;
    pw_mains_view(&mains, &view, t);
    assert_false(view.fresh);
    assert_int_equal(view.quality, PW_MAINS_FROZEN);
    assert_int_equal(read_at(reading(t, 230001, 16000, 3680000)), PW_MAINS_GOOD);

    fresh(&defaults);
    for (t = 1000; t <= 400000; t += 1000) { // no current
        assert_int_equal(read_at(reading(t, 230000, 0, 0)), PW_MAINS_GOOD);
    }
    fresh(&defaults);
    for (t = 1000; t <= 400000; t += 1000) { // its register moves every ten seconds
        struct pw_board_mains r = reading(t, 230000, 16000, 3680000);
        r.import_mwh = (int64_t)(t / 10000) * 30667;
        assert_int_equal(read_at(r), PW_MAINS_GOOD);
    }
}

// Reason: the same reading handed over twice, or out of order, is not energy.
static void old_and_future_readings_are_stale(void **state)
{
    (void)state;
    fresh(&defaults);
    (void)read_at(reading(1000, 230000, 16000, 3680000));
    assert_int_equal(read_at(reading(1000, 230000, 17000, 3680000)), PW_MAINS_STALE);
    assert_int_equal(read_at(reading(999, 230000, 17000, 3680000)), PW_MAINS_STALE);
    struct pw_board_mains future = reading(5000, 230000, 16000, 3680000);
    assert_int_equal(pw_mains_read(&mains, &future, 4999), PW_MAINS_STALE);
    struct pw_board_mains never = reading(PW_NEVER, 230000, 16000, 3680000);
    assert_int_equal(pw_mains_read(&mains, &never, 4999), PW_MAINS_STALE);
    // The good ones before and after still join: 1 s at 11.04 kW.
    (void)read_at(reading(2000, 230000, 16000, 3680000));
    assert_int_equal(mains.total.energy_mwh, 11040000 / 3600);
}

// Reason: a meter's own register is the truth; it also knows what flowed while nobody asked.
static void the_register_of_a_meter_is_followed_over_a_gap(void **state)
{
    (void)state;
    fresh(&defaults);
    struct pw_board_mains r = reading(1000, 230000, 16000, 3680000);
    r.import_mwh = 7123456000; // its life before us is not ours
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    assert_int_equal(mains.total.energy_mwh, 0);
    r.at = 61000; // a minute without an answer
    r.import_mwh += 184000;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    assert_int_equal(mains.total.energy_mwh, 184000);
    assert_int_equal(mains.phase[0].energy_mwh, 0);
    assert_int_equal(mains.gaps, 1);
    r.at = 62000;
    assert_int_equal(read_at(r), PW_MAINS_GOOD); // a coarse register stands still for a while
    assert_int_equal(mains.total.energy_mwh, 184000);
    assert_int_equal(mains.phase[0].energy_mwh, 1022);
}

// Reason: a meter that is replaced, reset, wraps or answers garbage once: none of it is a charge of
// a gigawatt hour, and power times time stands in.
static void a_register_that_jumps_is_a_new_start(void **state)
{
    (void)state;
    static const int64_t jumps[] = {0, 499999999, 501000000 + 300000, 1000000000, INT64_MAX};
    for (size_t i = 0; i < PW_COUNT(jumps); i++) {
        fresh(&defaults);
        struct pw_board_mains r = reading(1000, 230000, 16000, 3680000);
        r.import_mwh = 500000000;
        (void)read_at(r);
        r.at = 2000;
        r.import_mwh = jumps[i];
        assert_int_equal(read_at(r), PW_MAINS_GOOD);
        assert_int_equal(mains.total.energy_mwh, 3066);
        assert_int_equal(mains.jumps, 1);
        if (jumps[i] < INT64_MAX) {
            r.at = 3000;
            r.import_mwh = jumps[i] + 3000;
            (void)read_at(r);
            assert_int_equal(mains.total.energy_mwh, 6066);
            assert_int_equal(mains.jumps, 1);
        }
    }
}

// Reason: a register that was there and is missing in one answer must not be counted a second time
// by power; one that never comes back must not stop the counting.
static void a_register_that_goes_missing(void **state)
{
    (void)state;
    fresh(&defaults);
    struct pw_board_mains r = reading(1000, 230000, 16000, 3600000);
    r.import_mwh = 1000;
    (void)read_at(r);
    r.at = 2000;
    r.import_mwh = -1;
    (void)read_at(r);
    assert_int_equal(mains.total.energy_mwh, 0);
    r.at = 3000;
    r.import_mwh = 7000;
    (void)read_at(r);
    assert_int_equal(mains.total.energy_mwh, 6000);
    r.import_mwh = -1;
    for (r.at = 4000; r.at <= 20000; r.at += 1000) {
        (void)read_at(r);
    }
    // Nothing for the 5 s it was waited for, then three phases of 3.6 kW for 12 s and more.
    assert_int_equal(mains.total.energy_mwh, 6000 + 13 * 3000);
    r.at = 21000;
    r.import_mwh = 60000; // it is back, with what has been counted by power already
    (void)read_at(r);
    assert_int_equal(mains.total.energy_mwh, 6000 + 14 * 3000);
    assert_int_equal(mains.jumps, 0);
}

// Reason: a register that stands still while kilowatts flow is a broken meter; it is counted, so
// that somebody can be told.
static void a_register_that_disagrees_with_the_phases_is_noticed(void **state)
{
    (void)state;
    for (int stuck = 0; stuck < 2; stuck++) {
        fresh(&defaults);
        struct pw_board_mains r = reading(0, 230000, 16000, 3600000);
        r.import_mwh = 0;
        for (r.at = 1000; r.at <= 3600000; r.at += 1000) {
            r.import_mwh += stuck != 0 ? 0 : 3000;
            r.mv[0] = 230000 + (int32_t)(r.at / 1000 % 7);
            assert_int_equal(read_at(r), PW_MAINS_GOOD);
        }
        assert_int_equal(mains.disagreements, stuck != 0 ? 10 : 0);
        assert_in_range(mains.phase[0].energy_mwh, 3590000, 3600000);
    }
}

// Reason: the view and the load sharing go by it; a filter's reactive ampere is no charging phase,
// and a short peak neither.
static void phases_in_use_are_seen_and_remembered(void **state)
{
    (void)state;
    fresh(&defaults);
    struct pw_mains_view view;
    struct pw_board_mains r = reading(0, 230000, 600, 10000);
    for (r.at = 1000; r.at <= 20000; r.at += 500) {
        r.mv[0] ^= 1;
        r.ma[0] = r.at >= 5000 ? 16000 : 600;
        r.ma[1] = r.at == 8000 ? 16000 : 600; // one peak
        assert_int_equal(read_at(r), PW_MAINS_GOOD);
        pw_mains_view(&mains, &view, r.at);
        assert_int_equal(view.used, r.at >= 7000 ? 1 : 0);
    }
    for (; r.at <= 25000; r.at += 500) {
        r.ma[0] = 1500; // less than begins a use, more than ends it
        (void)read_at(r);
        pw_mains_view(&mains, &view, r.at);
        assert_int_equal(view.used, 1);
    }
    for (; r.at <= 30000; r.at += 500) {
        r.ma[0] = 900;
        r.ma[2] = 6000;
        (void)read_at(r);
    }
    pw_mains_view(&mains, &view, r.at);
    assert_int_equal(view.used, 4);
    assert_int_equal(view.ever_used, 5);
    pw_mains_forget_use(&mains);
    pw_mains_view(&mains, &view, r.at);
    assert_int_equal(view.used | view.ever_used, 0);
}

// Reason: a single-phase outlet's other inputs float; nothing of them may count.
static void one_phase_looks_at_the_first_only(void **state)
{
    (void)state;
    const struct pw_mains_config one = {.phases = 1};
    fresh(&one);
    struct pw_board_mains r = reading(1000, 230000, 10000, 2300000);
    r.mv[1] = -5;
    r.mw[2] = INT32_MAX;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    r.at = 2000;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    assert_int_equal(mains.total.energy_mwh, 638);
    assert_int_equal(mains.phase[1].energy_mwh + mains.phase[2].energy_mwh, 0);
    struct pw_mains_view view;
    pw_mains_view(&mains, &view, 2000);
    assert_int_equal(view.power_mw, 2300000);
    assert_int_equal(view.mv[1], UNKNOWN);
    assert_int_equal(view.max_ma, 10000);
    assert_int_equal(view.missing, 0);
}

// Reason: a source may lack power, voltage or a phase; what is missing is said, not invented.
static void what_a_source_lacks(void **state)
{
    (void)state;
    fresh(&defaults);
    struct pw_board_mains r = reading(1000, 230000, 10000, UNKNOWN);
    r.ma[1] = UNKNOWN;
    r.ma[2] = 49; // noise of a sensor
    r.mw[2] = 11000;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    struct pw_mains_view view;
    pw_mains_view(&mains, &view, 6000);
    assert_true(view.fresh);
    assert_int_equal(view.mw[0], 2300000); // volts times amperes
    assert_int_equal(view.mw[1], UNKNOWN);
    assert_int_equal(view.mw[2], 0);
    assert_int_equal(view.ma[2], 0);
    assert_int_equal(view.power_mw, 2300000);
    assert_int_equal(view.missing, 2);
    pw_mains_view(&mains, &view, 6001);
    assert_false(view.fresh);
    assert_int_equal(view.ma[0], UNKNOWN);
    assert_int_equal(view.power_mw, 0);
    assert_int_equal(view.missing, 7);
}

// Reason: photovoltaics feed back through a house meter; that is no error there, and no charge.
static void a_house_may_give_back(void **state)
{
    (void)state;
    const struct pw_mains_config house = {.back_mw = 30000000};
    fresh(&house);
    struct pw_board_mains r = reading(1000, 230000, 16000, -3600000);
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    r.at = 2000;
    r.mw[0] = 3600000;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    assert_int_equal(mains.total.energy_mwh, 500); // half a second of one phase
    struct pw_mains_view view;
    pw_mains_view(&mains, &view, 2000);
    assert_int_equal(view.power_mw, -3600000);
}

// Reason: after a power cut at most a minute or 100 Wh may be missing.
static void a_minute_or_100_wh_stay_unsaved_at_most(void **state)
{
    (void)state;
    fresh(&defaults);
    assert_int_equal(pw_mains_deadline(&mains), PW_NEVER);
    pw_ms saved_at = 0;
    uint64_t saved = 0;
    for (pw_ms t = 1000; t <= 600000; t += 1000) {
        (void)read_at(reading(t, 230000 + (int32_t)(t / 1000 % 5), 32000, 7300000));
        uint64_t unsaved = mains.total.energy_mwh - saved;
        assert_true(unsaved < 100000 + 6084);
        assert_true(t - saved_at <= 60000);
        if (pw_mains_checkpoint_due(&mains, t)) {
            pw_mains_checkpointed(&mains, t);
            saved = mains.total.energy_mwh;
            saved_at = t;
        }
    }
    assert_true(saved > 3000000);
}

// Reason: settings change while a charge runs; a wrong value changes nothing, and a register read
// back from the store cannot lower the one that counts.
static void refusals_change_nothing(void **state)
{
    (void)state;
    static const struct pw_mains_config wrong[] = {
        {.phases = 2},          {.phases = 4},
        {.max_mv = -1},         {.max_mv = 2000001},
        {.max_ma = 2000001},    {.start_ma = -1},
        {.back_mw = -1},        {.back_mw = 1000000001},
        {.use_ma = -1},         {.use_ms = -1},
        {.gap_ms = 60001},      {.frozen_ms = -1},
        {.checkpoint_ms = -1},  {.gap_ms = -1},
        {.checkpoint_mwh = -1}, {.rotation = PW_MAINS_ROTATION_COUNT},
    };
    fresh(&defaults);
    struct pw_mains before = mains;
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        assert_int_equal(pw_mains_configure(&mains, &wrong[i]), PW_ERR_RANGE);
        assert_int_equal(pw_mains_init(&mains, &wrong[i], 5), PW_ERR_RANGE);
        assert_memory_equal(&mains, &before, sizeof(before));
    }
    struct pw_mains_keep keep = {.total = {.energy_mwh = 5000, .rest = 7}};
    assert_int_equal(pw_mains_restore(&mains, &keep, 9), PW_OK);
    assert_int_equal(mains.total.energy_mwh, 5000);
    before = mains;
    keep.phase[2].rest = PW_METER_UNITS_PER_MWH;
    assert_int_equal(pw_mains_restore(&mains, &keep, 9), PW_ERR_RANGE);
    keep.phase[2].rest = 0;
    keep.total.energy_mwh = 4999;
    assert_int_equal(pw_mains_restore(&mains, &keep, 9), PW_ERR_BUSY);
    assert_memory_equal(&mains, &before, sizeof(before));
}

// Reason: the widest configuration with the widest readings; the sanitizers see every overflow.
static void the_extremes_fit(void **state)
{
    (void)state;
    const struct pw_mains_config widest = {
        .max_mv = 2000000, .max_ma = 2000000, .back_mw = 1000000000, .gap_ms = 60000};
    fresh(&widest);
    struct pw_board_mains r = reading(1, 2000000, 2000000, UNKNOWN);
    r.import_mwh = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(read_at(r), PW_MAINS_GOOD);
        r.at += 60000;
        r.import_mwh += 200000000;
    }
    assert_int_equal(mains.phase[0].energy_mwh, UINT64_C(4000000000) * 180 / 3600);
    struct pw_mains_view view;
    pw_mains_view(&mains, &view, r.at);
    assert_int_equal(view.mw[0], INT32_MAX);
    assert_int_equal(view.power_mw, INT64_C(12000000000));
    r.at = INT64_MAX; // a register read again after ages
    r.import_mwh = INT64_MAX;
    assert_int_equal(read_at(r), PW_MAINS_GOOD);
    assert_int_equal(mains.jumps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_six_rotations_map_both_ways),
        cmocka_unit_test(a_year_of_readings_does_not_drift),
        cmocka_unit_test(random_charges_are_exact_over_restarts),
        cmocka_unit_test(impossible_readings_change_nothing),
        cmocka_unit_test(frozen_values_stop_counting),
        cmocka_unit_test(old_and_future_readings_are_stale),
        cmocka_unit_test(the_register_of_a_meter_is_followed_over_a_gap),
        cmocka_unit_test(a_register_that_jumps_is_a_new_start),
        cmocka_unit_test(a_register_that_goes_missing),
        cmocka_unit_test(a_register_that_disagrees_with_the_phases_is_noticed),
        cmocka_unit_test(phases_in_use_are_seen_and_remembered),
        cmocka_unit_test(one_phase_looks_at_the_first_only),
        cmocka_unit_test(what_a_source_lacks),
        cmocka_unit_test(a_house_may_give_back),
        cmocka_unit_test(a_minute_or_100_wh_stay_unsaved_at_most),
        cmocka_unit_test(refusals_change_nothing),
        cmocka_unit_test(the_extremes_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

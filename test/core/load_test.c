// The allocator on situations: what each vehicle gets, and why.
#include "load_site.h"

#include <string.h>

static struct site site;

static int32_t target(size_t index)
{
    return site.share[index].target_ma;
}

static void expect(size_t index, enum pw_load_reason reason, uint16_t circuit)
{
    assert_string_equal(pw_load_reason_name(site.share[index].reason), pw_load_reason_name(reason));
    assert_int_equal(site.share[index].circuit, circuit);
}

static size_t plugged(uint16_t circuit, int32_t max_a)
{
    size_t i = site_member(&site, circuit, max_a);
    site_plug(&site, i);
    return i;
}

static size_t single_phase(uint16_t circuit, enum pw_load_rotation rotation)
{
    size_t i = plugged(circuit, 32);
    site.member[i].phases = 1;
    site.member[i].rotation = rotation;
    return i;
}

static void limits(uint16_t circuit, int32_t l1, int32_t l2, int32_t l3)
{
    site.circuit[circuit].limit_ma[0] = l1 * AMPERE;
    site.circuit[circuit].limit_ma[1] = l2 * AMPERE;
    site.circuit[circuit].limit_ma[2] = l3 * AMPERE;
}

static void two_equal_vehicles_halve_the_limit(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 24);
    size_t a = plugged(house, 32);
    size_t b = plugged(house, 32);
    site_allocate(&site);
    assert_int_equal(target(a), 12 * AMPERE);
    assert_int_equal(target(b), 12 * AMPERE);
    expect(a, PW_LOAD_SHARE, house);
    site_unplug(&site, b);
    site_allocate(&site);
    assert_int_equal(target(a), 24 * AMPERE);
    assert_int_equal(target(b), 0);
    expect(b, PW_LOAD_IDLE, PW_LOAD_NONE);
}

// Reason: handing out in order leaves the third one 3 A, which is nothing.
static void three_times_16_on_35_leave_nobody_out(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 35);
    for (size_t i = 0; i < 3; i++) {
        plugged(house, 16);
    }
    site_allocate(&site);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(target(i), 35000 / 3);
    }
    limits(house, 48, 48, 48);
    site_allocate(&site);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(target(i), 16000);
        expect(i, PW_LOAD_MAXIMUM, PW_LOAD_NONE);
    }
}

// Reason: facts/ac-evse-rapi-load.md §3.7, three vehicles on three phases, 14/30/31 A at the grid
// and 16/12/14 A in the garage.
static void three_single_phase_vehicles_get_each_its_own_phase(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t grid = site_circuit(&site, PW_LOAD_NONE, 0);
    limits(grid, 14, 30, 31);
    uint16_t garage = site_circuit(&site, grid, 0);
    limits(garage, 16, 12, 14);
    size_t a = single_phase(garage, PW_LOAD_RST);
    size_t b = single_phase(garage, PW_LOAD_STR);
    size_t c = single_phase(garage, PW_LOAD_TRS);
    site_allocate(&site);
    assert_int_equal(target(a), 14000);
    assert_int_equal(target(b), 12000);
    assert_int_equal(target(c), 14000);
    expect(a, PW_LOAD_SHARE, grid);
    expect(b, PW_LOAD_SHARE, garage);
}

// Reason: a single-phase vehicle on L1 must not be throttled because L3 is busy (§3.5).
static void a_busy_phase_throttles_only_who_is_on_it(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    site.circuit[house].other_ma[2] = 25000;
    size_t one = single_phase(house, PW_LOAD_RST);
    size_t three = plugged(house, 32);
    site_allocate(&site);
    assert_int_equal(target(three), 7000);
    assert_int_equal(target(one), 25000);
    site.member[one].phases = 0;
    site_allocate(&site);
    assert_true(target(one) + target(three) <= 7000); // on any phase, for all we know
    expect(one, PW_LOAD_SHARE, house);
    expect(three, PW_LOAD_TURN, house);
}

static void two_phases_cost_two_phases_of_the_mains(void **state)
{
    (void)state;
    static const struct {
        enum pw_load_rotation rotation;
        unsigned connector, mains;
    } rows[] = {
        {PW_LOAD_RST, 1, 1}, {PW_LOAD_RTS, 1, 1},     {PW_LOAD_SRT, 1, 2},     {PW_LOAD_STR, 1, 2},
        {PW_LOAD_TRS, 1, 4}, {PW_LOAD_TSR, 1, 4},     {PW_LOAD_RST, 3, 3},     {PW_LOAD_RTS, 3, 5},
        {PW_LOAD_SRT, 3, 3}, {PW_LOAD_STR, 3, 6},     {PW_LOAD_TRS, 3, 5},     {PW_LOAD_TSR, 3, 6},
        {PW_LOAD_STR, 7, 7}, {PW_LOAD_UNKNOWN, 1, 7}, {PW_LOAD_UNKNOWN, 7, 7}, {PW_LOAD_RST, 0, 7},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(pw_load_mains(rows[i].connector, rows[i].rotation), rows[i].mains);
        assert_int_equal(pw_load_rotation_find(pw_str_of(pw_load_rotation_name(rows[i].rotation))),
                         (int)rows[i].rotation);
    }
    assert_int_equal(pw_load_rotation_find(PW_STR("RSR")), PW_ERR_UNKNOWN);
}

static void a_higher_priority_is_filled_first_but_everybody_keeps_the_minimum(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t low = plugged(house, 32);
    size_t high = plugged(house, 32);
    site.member[high].priority = 5;
    site_allocate(&site);
    assert_int_equal(target(high), 26000);
    assert_int_equal(target(low), 6000);
    expect(low, PW_LOAD_MINIMUM, house);
    limits(house, 10, 10, 10);
    site_allocate(&site);
    assert_int_equal(target(high), 10000);
    assert_int_equal(target(low), 0);
    expect(low, PW_LOAD_TURN, house);
}

static void a_limit_below_every_minimum_says_so(void **state)
{
    (void)state;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    uint16_t shed = site_circuit(&site, house, 5);
    size_t a = plugged(shed, 16);
    site_allocate(&site);
    assert_int_equal(target(a), 0);
    expect(a, PW_LOAD_NO_ROOM, shed);
}

// Reason: the newcomer's current is there only once the other has come down.
static void a_late_comer_waits_until_the_first_has_come_down(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t a = plugged(house, 32);
    size_t b = site_member(&site, house, 32);
    site_run(&site, MINUTE);
    assert_int_equal(site.station[a].ma, 32000);
    site_plug(&site, b);
    bool waited = false;
    pw_ms down = 0;
    pw_ms up = 0;
    for (pw_ms end = site.now + MINUTE; site.now < end;) {
        site_second(&site);
        site_check_limits(&site);
        down = down == 0 && site.station[a].ma <= 16000 ? site.now : down;
        up = up == 0 && site.station[b].ma > 0 ? site.now : up;
        waited = waited || site.share[b].reason == PW_LOAD_AWAITS;
        assert_true(site.station[b].ma == 0 || site.station[a].ma <= 16000);
    }
    assert_true(waited);
    assert_true(up - down >= PW_LOAD_FOLLOW_MS); // its vehicle takes so long to follow
    assert_int_equal(site.station[a].ma, 16000);
    assert_int_equal(site.station[b].ma, 16000);
}

static void a_vehicle_that_tapers_gives_the_rest_to_others(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t a = plugged(house, 32);
    size_t b = plugged(house, 32);
    site_run(&site, 2 * MINUTE);
    assert_int_equal(site.station[a].ma, 16000);
    site.station[a].can_ma = 8000;
    site_run(&site, 2 * MINUTE);
    assert_int_equal(site.station[a].ma, 9000); // and a margin, to see when it wants more
    assert_int_equal(site.station[b].ma, 23000);
    expect(a, PW_LOAD_DEMAND, PW_LOAD_NONE);
    site.station[a].can_ma = 32000;
    site_run(&site, 2 * MINUTE);
    assert_int_equal(site.station[a].ma, 16000);
    assert_int_equal(site.station[b].ma, 16000);
}

static void a_full_vehicle_keeps_the_minimum_only_while_nobody_needs_it(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 12);
    size_t a = plugged(house, 16);
    size_t b = plugged(house, 16);
    site.station[a].can_ma = 0;
    site_run(&site, 5 * MINUTE);
    assert_int_equal(site.station[a].ma, 0);
    expect(a, PW_LOAD_YIELDED, house);
    assert_int_equal(site.station[b].ma, 12000);
    limits(house, 32, 32, 32);
    site_run(&site, MINUTE);
    assert_int_equal(site.station[a].ma, 6000);
    expect(a, PW_LOAD_ASLEEP, PW_LOAD_NONE);
    site.station[a].can_ma = 16000; // it warms its battery
    site_run(&site, 2 * MINUTE);
    assert_int_equal(site.station[a].ma, 16000);
}

// Reason: who gave his place up must be asked again, or he never charges on.
static void a_sleeping_vehicle_is_probed(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 12);
    size_t a = plugged(house, 16);
    plugged(house, 16);
    site.station[a].can_ma = 0;
    site_run(&site, 5 * MINUTE);
    assert_int_equal(site.station[a].ma, 0);
    bool probed = false;
    for (pw_ms end = site.now + 11 * MINUTE; site.now < end;) {
        site_second(&site);
        probed = probed || site.share[a].reason == PW_LOAD_PROBE;
    }
    assert_true(probed);
    site.station[a].can_ma = 16000;
    site_run(&site, 11 * MINUTE);
    assert_int_equal(site.station[a].ma, 6000);
}

static void who_is_offline_keeps_its_limit_until_the_lease_ends_then_its_fail_safe(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t a = plugged(house, 32);
    size_t b = plugged(house, 32);
    site_failsafe(&site, a, 6000);
    site_failsafe(&site, b, 6000);
    site_run(&site, 2 * MINUTE);
    assert_int_equal(site.station[a].ma, 16000);
    site_cut(&site, a);
    site_run(&site, 31 * (pw_ms)SECOND);
    expect(a, PW_LOAD_LEASED, PW_LOAD_NONE);
    assert_int_equal(target(a), 16000);
    assert_int_equal(target(b), 16000);
    for (pw_ms end = site.now + 2 * MINUTE; site.now < end;) {
        site_second(&site);
        site_check_limits(&site);
    }
    expect(a, PW_LOAD_FAILSAFE, PW_LOAD_NONE);
    assert_int_equal(site.station[a].ma, 6000);
    assert_int_equal(site.station[b].ma, 26000);
    site_restore(&site, a);
    site_run(&site, MINUTE);
    assert_int_equal(site.station[a].ma, 16000);
    assert_int_equal(site.station[b].ma, 16000);
}

// Reason: one that waits falls back up, one that charges falls back down, and the centre notices a
// loss late. Whenever the two are lost, the second must be down before the first is up.
static void lost_at_any_two_moments(pw_ms apart)
{
    for (pw_ms first = 0; first < 22; first++) {
        for (pw_ms later = 0; later < 34; later++) {
            site_init(&site, 7);
            uint16_t house = site_circuit(&site, PW_LOAD_NONE, 16);
            size_t waits = site_member(&site, house, 16);
            site_failsafe(&site, waits, 6000);
            site_run(&site, apart * SECOND); // their renewals are so far apart
            size_t charges = plugged(house, 16);
            site_run(&site, MINUTE + first * SECOND);
            assert_int_equal(site.station[charges].ma, 16000);
            site_cut(&site, waits);
            site_run(&site, later * SECOND);
            site_cut(&site, charges);
            for (unsigned t = 0; t < 160; t++) {
                site_second(&site);
                site_check_limits(&site);
            }
            assert_int_equal(site.station[waits].ma, 6000);
        }
    }
}

static void two_lost_at_any_two_moments_never_exceed_together(void **state)
{
    (void)state;
    lost_at_any_two_moments(0);
    lost_at_any_two_moments(9);
    lost_at_any_two_moments(18);
}

static void a_station_that_does_not_answer_counts_as_lost(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t a = plugged(house, 32);
    size_t b = plugged(house, 32);
    site_run(&site, 2 * MINUTE);
    site.station[a].deaf = true;
    site_run(&site, MINUTE);
    expect(a, PW_LOAD_LEASED, PW_LOAD_NONE);
    assert_int_equal(target(b), 16000);
    site.station[a].deaf = false;
    site_run(&site, MINUTE);
    expect(a, PW_LOAD_SHARE, house);
}

static void too_little_for_three_goes_round(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 16);
    pw_ms on[3] = {0};
    pw_ms waiting[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        plugged(house, 32);
    }
    for (pw_ms end = site.now + 180 * (pw_ms)MINUTE; site.now < end;) {
        site_second(&site);
        site_check_limits(&site);
        for (size_t i = 0; i < 3; i++) {
            on[i] += target(i) > 0 ? SECOND : 0;
            waiting[i] = target(i) > 0 ? 0 : waiting[i] + SECOND;
            assert_true(waiting[i] <= 30 * (pw_ms)MINUTE);
        }
    }
    for (size_t i = 0; i < 3; i++) { // two of three, all the time: 120 minutes each
        assert_in_range(on[i], 100 * (pw_ms)MINUTE, 140 * (pw_ms)MINUTE);
        assert_true(site.memory[i].starts <= 12);
    }
}

static void a_falling_limit_sheds_at_once_whoever_is_least(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    size_t low = plugged(house, 32);
    site_run(&site, MINUTE);
    size_t high = plugged(house, 32);
    site.member[high].priority = 3;
    site_run(&site, MINUTE);
    site.circuit[house].other_ma[0] = 23000; // within the minimum on time of both
    site_second(&site);
    assert_int_equal(site.share[low].send_ma, 0);
    assert_int_equal(target(high), 9000);
    site.circuit[house].other_ma[0] = 0;
    site_second(&site);
    assert_int_equal(target(low), 0);
    expect(low, PW_LOAD_REST, PW_LOAD_NONE);
    site_run(&site, MINUTE);
    assert_int_equal(target(low), 6000);
}

// Reason: relay clicking is the first complaint about load management (§3.5).
static void a_flickering_house_does_not_make_contactors_click(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 16);
    size_t a = plugged(house, 32);
    unsigned starts = 0;
    bool was = false;
    bool told = false;
    for (pw_ms t = 0; t < 180 * (pw_ms)MINUTE; t += SECOND) {
        site.circuit[house].other_ma[1] = t / (40 * (pw_ms)SECOND) % 2 == 0 ? 0 : 12000;
        site_second(&site);
        starts += target(a) > 0 && !was ? 1 : 0;
        was = target(a) > 0;
        told = told || site.share[a].reason == PW_LOAD_STARTS_USED;
    }
    assert_in_range(starts, 6, 18);
    assert_true(told);
}

static void a_small_rise_sends_no_order(void **state)
{
    (void)state;
    site_init(&site, 7);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 16);
    size_t a = plugged(house, 32);
    site.circuit[house].other_ma[0] = 300;
    site_run(&site, MINUTE);
    assert_int_equal(site.station[a].ma, 15700);
    uint32_t orders = site.orders;
    for (int i = 0; i < 10; i++) {
        site.circuit[house].other_ma[0] = 300 - 30 * i;
        site_second(&site);
    }
    assert_true(site.orders - orders <= 1); // the renewal
    site.circuit[house].other_ma[0] = 400;
    site_run(&site, 2 * (pw_ms)SECOND);
    assert_int_equal(site.station[a].ma, 15600);
}

static void what_is_no_input_is_named(void **state)
{
    (void)state;
    const char *why = "";
    size_t index = 0;
    site_init(&site, 1);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 32);
    site_member(&site, house, 32);
    size_t bad = site_member(&site, house, 32);
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_OK);
    const struct pw_load_member good = site.member[bad];
#define REFUSED(field, value)                                                                      \
    site.member[bad].field = (value);                                                              \
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_ERR_RANGE);                       \
    assert_int_equal(index, bad);                                                                  \
    assert_non_null(strstr(why, #field));                                                          \
    site.member[bad] = good;
    REFUSED(min_ma, 5900)
    REFUSED(min_ma, 33000)
    REFUSED(max_ma, 1000100)
    REFUSED(max_ma, 32050)
    REFUSED(priority, 10)
    REFUSED(phases, 8)
    REFUSED(circuit, 1)
#undef REFUSED
    site.circuit[house].parent = house;
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_ERR_RANGE);
    site.circuit[house].parent = PW_LOAD_NONE;
    site.circuit[house].limit_ma[2] = -1;
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_ERR_RANGE);
    site.circuit[house].limit_ma[2] = 0;
    site.config.starts_hour = PW_LOAD_STARTS + 1;
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_ERR_RANGE);
    site.config.starts_hour = 0;
    site.config.rotation_ms = 200000;
    assert_int_equal(pw_load_check(&site.load, &why, &index), PW_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_equal_vehicles_halve_the_limit),
        cmocka_unit_test(three_times_16_on_35_leave_nobody_out),
        cmocka_unit_test(three_single_phase_vehicles_get_each_its_own_phase),
        cmocka_unit_test(a_busy_phase_throttles_only_who_is_on_it),
        cmocka_unit_test(two_phases_cost_two_phases_of_the_mains),
        cmocka_unit_test(a_higher_priority_is_filled_first_but_everybody_keeps_the_minimum),
        cmocka_unit_test(a_limit_below_every_minimum_says_so),
        cmocka_unit_test(a_late_comer_waits_until_the_first_has_come_down),
        cmocka_unit_test(a_vehicle_that_tapers_gives_the_rest_to_others),
        cmocka_unit_test(a_full_vehicle_keeps_the_minimum_only_while_nobody_needs_it),
        cmocka_unit_test(a_sleeping_vehicle_is_probed),
        cmocka_unit_test(who_is_offline_keeps_its_limit_until_the_lease_ends_then_its_fail_safe),
        cmocka_unit_test(two_lost_at_any_two_moments_never_exceed_together),
        cmocka_unit_test(a_station_that_does_not_answer_counts_as_lost),
        cmocka_unit_test(too_little_for_three_goes_round),
        cmocka_unit_test(a_falling_limit_sheds_at_once_whoever_is_least),
        cmocka_unit_test(a_flickering_house_does_not_make_contactors_click),
        cmocka_unit_test(a_small_rise_sends_no_order),
        cmocka_unit_test(what_is_no_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

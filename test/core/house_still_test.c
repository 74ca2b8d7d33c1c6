// A meter that shows the same to the milliampere: has it died with its last values, or is the house
// as quiet as that?
#include "house/house.h"
#include "test.h"

#include <string.h>

#define SECOND 1000
#define AMPERE 1000

// A house of 1 A behind a breaker of 20 A, and a vehicle that takes what is left, along the gate.
static struct still {
    struct pw_house house;
    struct pw_house_gate gate;
    struct pw_house_gate_input in;
    struct pw_house_chargers chargers;
    pw_ms now;
    int32_t dead_ma; // what a meter that has died goes on saying; 0: it lives
} s;

static void second(void)
{
    struct pw_board_mains mains = PW_BOARD_NO_MAINS;
    int32_t draw_ma = s.gate.offer_ma;
    s.now += SECOND;
    mains.at = s.now;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        s.chargers.draw_ma[p] = s.chargers.offer_ma[p] = draw_ma;
        s.chargers.least_ma[p] = 6 * AMPERE;
        mains.mv[p] = 230000;
        mains.ma[p] = s.dead_ma != 0 ? s.dead_ma : draw_ma + AMPERE;
    }
    pw_house_read(&s.house, &mains, true, &s.chargers, s.now);
    (void)pw_house_step(&s.house, s.now);
    s.in.trust = s.house.trust;
    s.in.samples = s.house.samples;
    s.in.level_permille = s.house.level_permille;
    s.in.share_ma = pw_house_share(&s.house, PW_HOUSE_ALL_PHASES, draw_ma);
    s.in.draw_ma = draw_ma;
    s.in.active = draw_ma > 0;
    (void)pw_house_gate_step(&s.gate, &s.house.config, &s.in, NULL, s.now);
}

static void charging(void)
{
    const struct pw_house_config config = {
        .breaker_ma = 20 * AMPERE, .margin_permille = 50, .failsafe_ma = 6 * AMPERE};
    memset(&s, 0, sizeof(s));
    s.now = SECOND;
    s.in =
        (struct pw_house_gate_input){.least_ma = 6 * AMPERE, .most_ma = 32 * AMPERE, .wants = true};
    assert_int_equal(pw_house_init(&s.house, &config, s.now), PW_OK);
    pw_house_gate_init(&s.gate, 0, s.now);
    for (int i = 0; i < 60 || s.gate.offer_ma < 17700; i++) {
        second();
        assert_true(i < 600);
    }
}

// Reason: while nothing else changes a dead meter looks like a quiet house, and whatever is
// switched on then is on top of the charge.
static void a_meter_that_died_is_found_out_within_a_minute(void **state)
{
    (void)state;
    charging();
    pw_ms from = s.now;
    s.dead_ma = s.gate.offer_ma + AMPERE;
    while (s.house.trust == PW_HOUSE_GOOD && s.now < from + 100 * (pw_ms)SECOND) {
        second();
    }
    assert_int_equal(s.house.trust, PW_HOUSE_FROZEN);
    assert_in_range(s.now - from, 5 * (pw_ms)SECOND, 65 * (pw_ms)SECOND);
    // And is not believed until it moves, however long that takes.
    for (int i = 0; i < 300; i++) {
        second();
        assert_int_equal(s.house.trust, PW_HOUSE_FROZEN);
    }
    assert_int_equal(s.gate.offer_ma, 6 * AMPERE);
    s.dead_ma = 0;
    for (int i = 0; i < 6; i++) {
        second();
    }
    assert_int_equal(s.house.trust, PW_HOUSE_GOOD);
}

// Reason: the test of a meter that lives must cost little, and ever less.
static void a_quiet_house_pays_little(void **state)
{
    (void)state;
    charging();
    int64_t sum = 0;
    int32_t least = INT32_MAX;
    for (int i = 0; i < 7200; i++) {
        second();
        assert_int_equal(s.house.trust, PW_HOUSE_GOOD);
        sum += s.gate.offer_ma;
        least = (int32_t)pw_min(least, s.gate.offer_ma);
    }
    assert_in_range(least, 14000, 15500);      // it was tested
    assert_in_range(sum / 7200, 17400, 18000); // for 3 % at most
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_meter_that_died_is_found_out_within_a_minute),
        cmocka_unit_test(a_quiet_house_pays_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

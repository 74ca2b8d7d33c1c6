// The battery model must show the voltages that were measured on real packs (facts/dc-can.md §6),
// and must not create or lose energy: every energy figure of the project is judged against it.
#include "pack/pack.h"

#include "test.h"

#include <math.h>

static struct pw_pack made(enum pw_pack_chemistry chemistry, double soc)
{
    struct pw_pack pack;
    pw_pack_init(&pack, &(struct pw_pack_config){
                            .chemistry = chemistry,
                            .capacity_mah = 30000,
                            .soc = soc,
                            .temp_c = 25.0,
                            .discharged_ah = 1000.0,
                            .seed = 7,
                        });
    return pack;
}

static void assert_near(double value, double wanted, double within)
{
    if (fabs(value - wanted) > within) {
        fail_msg("%f is not within %f of %f", value, within, wanted);
    }
}

static void shows_the_rest_voltages_that_were_measured(void **state)
{
    (void)state;
    static const struct {
        double soc, volts;
    } seen[] = {{0.82, 76.0}, {0.83, 76.2}, {0.88, 76.46}};
    for (size_t i = 0; i < PW_COUNT(seen); i++) {
        struct pw_pack pack = made(PW_PACK_LFP23, seen[i].soc);
        assert_near(pw_pack_emf(&pack), seen[i].volts, 0.3);
    }
    struct pw_pack nmc = made(PW_PACK_NMC20, 0.83);
    assert_near(pw_pack_emf(&nmc), 81.3, 0.3);
}

static void reaches_83_to_84_volts_near_full_under_current(void **state)
{
    (void)state;
    struct pw_pack pack = made(PW_PACK_LFP23, 0.80);
    while (pack.soc < 0.98) {
        pw_pack_step(&pack, 30.0, 1000);
    }
    double volts = pw_pack_voltage(&pack, 30.0);
    assert_true(volts > 83.0 && volts < 84.5);
}

static void voltage_rises_with_charge_everywhere(void **state)
{
    (void)state;
    for (int chemistry = 0; chemistry < PW_PACK_CHEMISTRIES; chemistry++) {
        const struct pw_pack_kind *kind = pw_pack_kind((enum pw_pack_chemistry)chemistry);
        for (int permille = -20; permille < 1020; permille++) {
            assert_true(pw_pack_ocv(kind, permille * 0.001) <
                        pw_pack_ocv(kind, (permille + 1) * 0.001));
        }
    }
}

// What went in at the terminals is in the cells, in the RC pairs, or heat. The cells' share is
// checked against the table's own integral, not against the model's counter.
static void energy_at_the_terminals_is_stored_or_heat(void **state)
{
    (void)state;
    struct pw_pack pack = made(PW_PACK_LFP23, 0.10);
    double in_j = 0.0;
    while (pack.soc < 0.95) {
        in_j += pw_pack_voltage(&pack, 30.0) * 30.0 * 0.1;
        pw_pack_step(&pack, 30.0, 100);
    }
    double stored_j = 0.0;
    const int pieces = 100000;
    for (int i = 0; i < pieces; i++) {
        double soc = 0.10 + (pack.soc - 0.10) * (i + 0.5) / pieces;
        stored_j += 23.0 * pw_pack_ocv(pack.kind, soc);
    }
    stored_j *= (pack.soc - 0.10) / pieces * pack.capacity_as / 0.995;
    double pairs_j =
        0.5 * pack.v1 * pack.v1 * 30.0 / 0.030 + 0.5 * pack.v2 * pack.v2 * 600.0 / 0.030;
    assert_near((stored_j + pack.heat_j + pairs_j) / in_j, 1.0, 0.0005);
    assert_near(pack.chemical_j / stored_j, 1.0, 0.0005);
}

static void counters_tell_the_state_of_charge(void **state)
{
    (void)state;
    struct pw_pack pack = made(PW_PACK_LFP23, 0.40);
    for (int i = 0; i < 600; i++) {
        pw_pack_step(&pack, 30.0, 1000);
        pw_pack_step(&pack, -12.0, 1000);
    }
    pw_pack_set_soc(&pack, 0.25);
    pw_pack_set_soc(&pack, 0.75);
    assert_near((pack.charge_as - pack.discharge_as) / pack.capacity_as, pack.soc, 1e-9);
    assert_near(pack.soc, 0.75, 1e-12);
}

static void cold_doubles_the_resistance(void **state)
{
    (void)state;
    struct pw_pack pack = made(PW_PACK_LFP23, 0.5);
    double warm = pack.r0_ohm;
    pw_pack_set_temperature(&pack, 0.0);
    assert_near(warm, 0.060, 1e-9);
    assert_near(pack.r0_ohm, 0.120, 1e-9);
}

static void an_hour_at_full_current_warms_by_some_ten_kelvin(void **state)
{
    (void)state;
    struct pw_pack pack = made(PW_PACK_LFP23, 0.0);
    for (int i = 0; i < 3600; i++) {
        pw_pack_step(&pack, 29.0, 1000);
    }
    assert_true(pack.temp_c > 35.0 && pack.temp_c < 45.0);
}

static void long_steps_end_where_short_ones_do(void **state)
{
    (void)state;
    struct pw_pack fine = made(PW_PACK_LFP23, 0.2);
    struct pw_pack coarse = made(PW_PACK_LFP23, 0.2);
    for (int i = 0; i < 60000; i++) {
        pw_pack_step(&fine, 30.0, 10);
    }
    for (int i = 0; i < 600; i++) {
        pw_pack_step(&coarse, 30.0, 1000);
    }
    assert_near(coarse.soc, fine.soc, 1e-9);
    assert_near(pw_pack_emf(&coarse), pw_pack_emf(&fine), 0.005);
}

// The weakest cell is what ends a ride: it lies below the mean when empty and with it when full.
static void the_weak_cell_is_low_at_the_bottom_only(void **state)
{
    (void)state;
    struct pw_pack low = made(PW_PACK_LFP23, 0.02);
    struct pw_pack full = made(PW_PACK_LFP23, 1.0);
    assert_true(pw_pack_cell_low(&low, 0.0) < pw_pack_emf(&low) / 23.0 - 0.01);
    assert_near(pw_pack_cell_low(&full, 0.0), pw_pack_emf(&full) / 23.0, 1e-9);
    assert_true(pw_pack_cell_high(&full, 0.0) > pw_pack_emf(&full) / 23.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_rest_voltages_that_were_measured),
        cmocka_unit_test(reaches_83_to_84_volts_near_full_under_current),
        cmocka_unit_test(voltage_rises_with_charge_everywhere),
        cmocka_unit_test(energy_at_the_terminals_is_stored_or_heat),
        cmocka_unit_test(counters_tell_the_state_of_charge),
        cmocka_unit_test(cold_doubles_the_resistance),
        cmocka_unit_test(an_hour_at_full_current_warms_by_some_ten_kelvin),
        cmocka_unit_test(long_steps_end_where_short_ones_do),
        cmocka_unit_test(the_weak_cell_is_low_at_the_bottom_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The simulated house: its statistics are what its rows say, its sums are right, and its meter
// lies as it is told to.
#include "houseworld/houseworld.h"

#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000ULL

static struct pw_world_house house;

static struct pw_world_grid run_for(pw_ms ms)
{
    (void)pw_world_house_step(&house, house.now + ms);
    return pw_world_house_grid(&house);
}

static double rows_wh(void)
{
    double sum = 0.0;
    for (size_t i = 0; i < pw_world_appliances(); i++) {
        const struct pw_world_appliance *row = pw_world_appliance(i);
        double watt = row->watt[0] + row->watt[1] + row->watt[2];
        double share = row->on_s > 0 ? (double)row->on_s / (row->on_s + row->off_s) : 1.0;
        double hours = row->per_day > 0 ? row->per_day * row->for_s / 3600.0 : 24.0;
        sum += watt * share * hours;
    }
    return sum;
}

// Reason: a load management judged on this house is worth what the house is worth: 23 kWh a day,
// peaks beyond 25 A on a phase, steps of 25 A within a second, no two phases alike.
static void a_month_has_the_energy_of_its_rows_and_the_peaks_of_a_house(void **state)
{
    (void)state;
    struct pw_world_house_config config = pw_world_house_defaults();
    double peak[PW_BOARD_PHASES] = {0};
    double steepest = 0.0;
    double before = 0.0;
    unsigned steps = 0;
    config.meter_ms = DAY_MS;
    pw_world_house_init(&house, &config, 0);
    double start = house.import_wh;
    for (unsigned s = 0; s < 30 * 86400; s++) {
        struct pw_world_grid grid = run_for(1000);
        for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
            peak[p] = fmax(peak[p], grid.ampere[p]);
        }
        double step = fabs(grid.ampere[0] - before);
        before = grid.ampere[0];
        steepest = fmax(steepest, step);
        steps += step > 5.0 ? 1U : 0U;
    }
    double day = (house.import_wh - start) / 30.0;
    assert_true(day > 0.85 * rows_wh() && day < 1.15 * rows_wh());
    assert_true(rows_wh() > 22000 && rows_wh() < 25000);
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        assert_true(peak[p] > 28.0 && peak[p] < 60.0);
    }
    assert_true(steepest > 24.0);
    assert_true(steps > 30 * 8 && steps < 30 * 400);
}

static void the_charger_is_added_where_it_is_wired(void **state)
{
    (void)state;
    struct pw_world_house_config config = pw_world_house_defaults();
    config.scale = 0.0;
    config.charger_on[0] = 2;
    config.charger_on[1] = 0;
    config.charger_on[2] = 1;
    pw_world_house_init(&house, &config, 0);
    pw_world_house_charger(&house, (const double[]){3680.0, 0.0, 2300.0}, 500);
    struct pw_world_grid grid = run_for(2000);
    assert_float_equal(grid.watt[2], 3680.0, 0.01);
    assert_float_equal(grid.watt[1], 2300.0, 0.01);
    assert_float_equal(grid.watt[0], 0.0, 0.01);
    assert_true(grid.ampere[2] > 15.8 && grid.ampere[2] < 16.1);
    assert_float_equal(grid.house_a[2], 0.0, 0.01);
    const struct pw_board_mains *shown = pw_world_house_meter(&house);
    assert_in_range(shown->ma[2], 15600, 16300);
}

// Reason: what flows back has the sign of its power, and a meter without a sign shows its amount.
static void a_roof_turns_the_current_round_at_noon_and_not_at_night(void **state)
{
    (void)state;
    struct pw_world_house_config config = pw_world_house_defaults();
    config.pv_w = 9000.0;
    config.clouds = 0.0;
    config.scale = 0.0;
    config.second = 13 * 3600;
    pw_world_house_init(&house, &config, 0);
    struct pw_world_grid grid = run_for(60000);
    assert_true(grid.ampere[0] < -12.0 && grid.ampere[0] > -13.5);
    assert_true(grid.volt[0] > config.volt);
    const struct pw_board_mains *shown = pw_world_house_meter(&house);
    assert_true(shown->mw[0] < -2900000 && shown->ma[0] > 12000);
    grid = run_for(10ULL * 3600 * 1000);
    assert_float_equal(grid.watt[0], 0.0, 0.01);
}

static void the_meter_lies_as_it_is_told(void **state)
{
    (void)state;
    struct pw_world_house_config config = pw_world_house_defaults();
    pw_world_house_init(&house, &config, 0);
    house.extra[0] = 10.0;
    (void)run_for(5000);
    const struct pw_board_mains *good = pw_world_house_meter(&house);
    assert_true(good->ma[0] > 10000 && good->mw[0] > 0);

    house.mood = PW_WORLD_HOUSE_FROZEN;
    struct pw_board_mains before = house.shown;
    (void)run_for(5000);
    assert_memory_equal(&before, &house.shown, sizeof(before));

    house.mood = PW_WORLD_HOUSE_REVERSED;
    (void)run_for(1000);
    assert_true(house.shown.mw[0] < 0 && house.shown.ma[0] > 10000);

    house.mood = PW_WORLD_HOUSE_OPEN;
    (void)run_for(1000);
    assert_int_equal(house.shown.ma[0], 0);

    house.mood = PW_WORLD_HOUSE_ABSURD;
    (void)run_for(1000);
    assert_true(house.shown.ma[0] > 100000);

    house.mood = PW_WORLD_HOUSE_SILENT;
    assert_null(pw_world_house_meter(&house));
}

static void a_recorded_house_is_played_second_by_second(void **state)
{
    (void)state;
    static const char *const lines[] = {"time,L1,L2,L3", "2026-01-31T12:00:00Z,1.5,2,3",
                                        "2026-01-31T12:00:02Z,10,-4.25,0", ""};
    struct pw_world_house_sample samples[4];
    struct pw_world_house_config config = pw_world_house_defaults();
    size_t count = 0;
    int64_t origin = 0;
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        int got = pw_world_trace_line(pw_str_of(lines[i]), &origin, &samples[count], NULL);
        assert_true(got >= 0);
        count += (size_t)got;
    }
    assert_int_equal(count, 2);
    config.trace = (struct pw_world_trace){samples, count};
    config.drop_ohm = 0.0;
    pw_world_house_init(&house, &config, 0);
    assert_float_equal(pw_world_house_grid(&house).ampere[2], 3.0, 0.01);
    struct pw_world_grid grid = run_for(2500);
    assert_float_equal(grid.ampere[0], 10.0, 0.01);
    assert_float_equal(grid.ampere[1], -4.25, 0.01);
    assert_float_equal(run_for(1000).ampere[0], 1.5, 0.01); // and again
}

static void a_line_that_is_none_is_refused_in_words(void **state)
{
    (void)state;
    static const char *const lines[] = {"x,1,2,3", "5,1,2", "5,1,2,nan", "5,1,2,1001",
                                        "2026-13-01T00:00:00Z,1,2,3"};
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        struct pw_world_house_sample sample;
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        int64_t origin = 0;
        assert_true(pw_world_trace_line(pw_str_of(lines[i]), &origin, &sample, &why) < 0);
        assert_non_null(strstr(text, "a line is time,L1,L2,L3"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_has_the_energy_of_its_rows_and_the_peaks_of_a_house),
        cmocka_unit_test(the_charger_is_added_where_it_is_wired),
        cmocka_unit_test(a_roof_turns_the_current_round_at_noon_and_not_at_night),
        cmocka_unit_test(the_meter_lies_as_it_is_told),
        cmocka_unit_test(a_recorded_house_is_played_second_by_second),
        cmocka_unit_test(a_line_that_is_none_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

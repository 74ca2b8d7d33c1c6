// Which scooter, how full, how far.
#include "test.h"
#include "vehicle/vehicle.h"

static const struct pw_vehicle_table *const table = &pw_vehicle_table_default;

// The borders of the seed's table, and an unknown limit that classifies nothing.
static void the_bms_limit_tells_the_model(void **state)
{
    (void)state;
    static const struct {
        int32_t ma;
        const char *name;
    } rows[] = {
        {-1, NULL},
        {0, NULL},
        {1, "NX-100 Classic"},
        {30000, "NX-100 Classic"},
        {30001, "NX-100 Pro"},
        {60000, "NX-100 Pro"},
        {60001, "NX-100 Max"},
        {INT32_MAX, "NX-100 Max"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const struct pw_vehicle_model *model = pw_vehicle_by_imax(table, rows[i].ma);
        if (rows[i].name == NULL) {
            assert_null(model);
        } else {
            assert_string_equal(model->name, rows[i].name);
            assert_ptr_equal(pw_vehicle_by_name(table, pw_str_of(rows[i].name)), model);
        }
    }
    assert_null(pw_vehicle_by_name(table, PW_STR("NX-200")));
}

static void a_full_battery_goes_as_far_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < table->count; i++) {
        const struct pw_vehicle_model *m = &table->model[i];
        assert_int_equal(pw_vehicle_range_m(table, m->capacity_mah), m->range_m);
        assert_int_equal(pw_vehicle_soc_permille(m->capacity_mah, m->capacity_mah), 1000);
        assert_int_equal(pw_vehicle_charge_mah(1000, m->capacity_mah), m->capacity_mah);
    }
    assert_int_equal(pw_vehicle_range_m(table, 22310), 60237); // 22.31 Ah x 2.7 km
    assert_int_equal(pw_vehicle_soc_permille(22310, 30000), 743);
}

static void what_is_not_known_stays_unknown(void **state)
{
    (void)state;
    assert_int_equal(pw_vehicle_soc_permille(-1, 30000), -1);
    assert_int_equal(pw_vehicle_soc_permille(1000, 0), -1);
    assert_int_equal(pw_vehicle_soc_permille(31000, 30000), 1000);
    assert_int_equal(pw_vehicle_charge_mah(1001, 30000), -1);
    assert_int_equal(pw_vehicle_charge_mah(-1, 30000), -1);
    assert_int_equal(pw_vehicle_charge_mah(500, 0), -1);
    assert_int_equal(pw_vehicle_range_m(table, -1), -1);
    assert_int_equal(pw_vehicle_range_m(table, INT64_MAX), -1);
}

static void a_bad_table_is_refused(void **state)
{
    (void)state;
    assert_int_equal(pw_vehicle_table_check(table), PW_OK);
    struct pw_vehicle_model models[2] = {
        {.name = "A", .imax_ma = 30000, .capacity_mah = 1, .range_m = 1},
        {.name = "B", .imax_ma = 30000, .capacity_mah = 1, .range_m = 1},
    };
    struct pw_vehicle_table bad = {.model = models, .count = 2, .metres_per_ah = 2700};
    assert_int_equal(pw_vehicle_table_check(&bad), PW_ERR_RANGE); // does not rise
    models[1].imax_ma = 60000;
    assert_int_equal(pw_vehicle_table_check(&bad), PW_OK);
    models[1].capacity_mah = 0;
    assert_int_equal(pw_vehicle_table_check(&bad), PW_ERR_RANGE);
    models[1].capacity_mah = 1;
    bad.metres_per_ah = 0;
    assert_int_equal(pw_vehicle_table_check(&bad), PW_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bms_limit_tells_the_model),
        cmocka_unit_test(a_full_battery_goes_as_far_as_the_table_says),
        cmocka_unit_test(what_is_not_known_stays_unknown),
        cmocka_unit_test(a_bad_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

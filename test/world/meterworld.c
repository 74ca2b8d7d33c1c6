// The simulated meter: every command does what its help line says, a wrong one is refused with what
// would be right, and the register counts what the set-points make.
#include "meterworld/meterworld.h"

#include "test.h"

#include <string.h>

static struct pw_world_meter meter;
static char said[4096];

static int run(const char *line)
{
    struct pw_out answer = PW_OUT(said);
    said[0] = '\0';
    int err = pw_world_meter_run(&meter, pw_str_of(line), &answer);
    (void)pw_world_meter_step(&meter, meter.now);
    return err;
}

static void must(const char *line)
{
    if (run(line) != PW_OK) {
        fail_msg("%s: %s", line, said);
    }
}

static int fresh(void **state)
{
    (void)state;
    pw_world_meter_init(&meter, 1000);
    return 0;
}

// Reason: tests against the simulator rely on its numbers.
static void set_points_show(void **state)
{
    (void)state;
    must("voltage all 231.5");
    must("voltage l2 0");
    must("current all 16.125");
    must("current l3 -10");
    must("factor 0.5");
    must("hertz 49.98");
    assert_in_range(meter.shown.mv[0], 231400, 231600);
    assert_in_range(meter.shown.mv[1], 0, 100);
    assert_int_equal(meter.shown.ma[0], 16125);
    assert_int_equal(meter.shown.ma[2], 10000);
    assert_int_equal(meter.shown.mw[0], 1866469); // the ripple is not in the power
    assert_int_equal(meter.shown.mw[1], 0);
    assert_int_equal(meter.shown.mw[2], -1157500);
    assert_int_equal(meter.shown.mhz, 49980);
    must("voltage l1 1");
    must("voltage l3 3");
    must("current l1 4");
    must("current l2 5");
    assert_int_equal(meter.shown.mw[0], 2000);
}

// Reason: the energy of a station is compared with it; what flows back must not lower it.
static void the_register_counts_one_way(void **state)
{
    (void)state;
    must("register 1000");
    must("current all 10");
    for (pw_ms now = 1100; now <= 3601000; now += 100) {
        assert_int_equal(pw_world_meter_step(&meter, now), now + 100);
    }
    assert_in_range(meter.shown.import_mwh, 1006899000, 1006901000); // 6.9 kW for an hour
    int64_t before = meter.shown.import_mwh;
    must("current all -10");
    (void)pw_world_meter_step(&meter, meter.now + 3600000);
    assert_int_equal(meter.shown.import_mwh, before);
}

// Reason: nothing real stands quite still, and a meter that does has hung.
static void it_ripples_until_it_freezes(void **state)
{
    (void)state;
    struct pw_board_mains last = meter.shown;
    (void)pw_world_meter_step(&meter, meter.now + 1000);
    assert_int_not_equal(meter.shown.mv[0], last.mv[0]);
    must("freeze on");
    last = meter.shown;
    must("current all 10");
    (void)pw_world_meter_step(&meter, meter.now + 1000);
    assert_memory_equal(&meter.shown, &last, sizeof(last));
    must("freeze off");
    assert_int_equal(meter.shown.ma[0], 10000);
}

static void moods_and_refusals(void **state)
{
    (void)state;
    static const char *const words[] = {"good", "silent", "refuses", "garbles"};
    for (unsigned i = 0; i < PW_COUNT(words); i++) {
        char line[32] = "meter ";
        must(strcat(line, words[i]));
        assert_int_equal(meter.mood, i);
    }
    static const char *const wrong[] = {
        "current all 1001", "current", "factor 1.1", "voltage l4 1",    "meter sleepy",
        "freeze",           "fly",     "hertz -1",   "voltage all NaN", "register x"};
    struct pw_world_meter before = meter;
    for (size_t i = 0; i < PW_COUNT(wrong); i++) {
        assert_true(run(wrong[i]) < 0);
        assert_true(strlen(said) > 0);
        assert_memory_equal(&meter, &before, sizeof(before));
    }
    must("status");
    assert_string_equal(said, "{\"power_w\":0,\"register_wh\":1234500,\"frozen\":false}");
    must("help");
    assert_non_null(strstr(said, "register <kWh>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(set_points_show, fresh),
        cmocka_unit_test_setup(the_register_counts_one_way, fresh),
        cmocka_unit_test_setup(it_ripples_until_it_freezes, fresh),
        cmocka_unit_test_setup(moods_and_refusals, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

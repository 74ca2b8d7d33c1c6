// One connector against the physical world: what the station's machines decide, seen from outside
// by an observer with perfect instruments. Here a wrong scale, sign or order of two rooms that pass
// their own tests comes to light.
#include "lane.h"
#include "test.h"

#include <math.h>

static struct pw_world_dc_config plugged(enum pw_scooter_model model, double soc)
{
    struct pw_world_dc_config config = pw_world_dc_defaults();
    config.scooter.model = model;
    config.scooter.soc = soc;
    config.plugged = true;
    return config;
}

static void start(struct lane *lane, const struct pw_world_dc_config *config)
{
    lane_init(lane, config);
    lane_until(lane, PW_STATUS_PREPARING, 20000);
    lane_card(lane);
    lane_until(lane, PW_STATUS_CHARGING, 60000);
    lane_run(lane, 10000);
}

static void nothing_bad_was_seen(const struct lane *lane)
{
    struct pw_world_dc_truth truth = lane_truth(lane);
    assert_int_equal(truth.wear.opened_loaded, 0);
    assert_int_equal(truth.wear.closed_apart, 0);
    assert_int_equal(truth.wear.pulled_loaded, 0);
    assert_int_equal(truth.frames_lost, 0);
    assert_true(lane->observer.worst_mv <= 85500);
    assert_true(lane->observer.worst_over_ma < 1000);
}

static void energies_agree(const struct lane *lane)
{
    double physical = (double)lane_truth(lane).energy_mwh;
    double metered = (double)lane->view.energy_mwh;
    // 0.5 %, and one report's worth for a current that ends between two reports.
    if (fabs(metered - physical) > 0.005 * physical + 200.0) {
        fail_msg("metered %f mWh, physical %f mWh", metered, physical);
    }
}

static void every_model_and_maker_charges_to_full(void **state)
{
    (void)state;
    for (int model = 0; model < PW_SCOOTER_MODELS; model++) {
        for (int variant = 0; variant < 8; variant++) {
            struct pw_world_dc_config config = plugged((enum pw_scooter_model)model, 0.9);
            config.rectifier.maker = (enum pw_world_rectifier_maker)(variant % 2);
            config.scooter.form = (enum pw_world_bms_form)(variant / 2 % 2);
            config.vehicle_bus = (unsigned)(variant / 4);
            struct lane lane;
            start(&lane, &config);
            int32_t wanted_ma = (int32_t)lane.world.scooter.kind->imax_ma;
            assert_in_range(lane_truth(&lane).connector_ma, wanted_ma * 97 / 100,
                            wanted_ma * 101 / 100);
            lane_until(&lane, PW_STATUS_FINISHING, 3600000);
            assert_int_equal(lane.begun, 1);
            lane_run(&lane, 30000);
            assert_int_equal(lane.ended, 1);
            assert_false(lane_truth(&lane).contactor_closed);
            assert_true(lane_truth(&lane).soc_permille >= 990);
            nothing_bad_was_seen(&lane);
            energies_agree(&lane);
        }
    }
}

static void unplugging_is_seen_within_five_seconds(void **state)
{
    (void)state;
    struct pw_world_dc_config config = plugged(PW_SCOOTER_CLASSIC, 0.5);
    struct lane lane;
    start(&lane, &config);
    lane_do(&lane, "unplug");
    lane_run(&lane, 5000);
    assert_true(lane_truth(&lane).terminal_mv > 75000); // the capacitors say nothing
    assert_false(lane_truth(&lane).contactor_closed);
    assert_int_equal(lane.ended, 1);
    assert_int_equal(lane.reason, PW_REASON_EV_DISCONNECTED);
    assert_true(lane.observer.closed_unplugged_ms <= 5000);
    energies_agree(&lane);
}

static void emergency_stop_ends_the_charge_with_its_reason(void **state)
{
    (void)state;
    struct pw_world_dc_config config = plugged(PW_SCOOTER_CLASSIC, 0.5);
    struct lane lane;
    start(&lane, &config);
    lane_do(&lane, "estop press");
    lane_run(&lane, 200);
    assert_false(lane_truth(&lane).contactor_closed);
    assert_false(lane_truth(&lane).coil);
    lane_until(&lane, PW_STATUS_FAULTED, 5000);
    lane_run(&lane, 1000);
    assert_int_equal(lane.reason, PW_REASON_EMERGENCY_STOP);
    lane_do(&lane, "estop release");
    lane_run(&lane, 30000);
    assert_int_equal(lane.view.status, PW_STATUS_FAULTED); // stays until somebody clears it
}

// Each fault from the street takes the current away within a time and never closes on its own.
static void faults_take_the_current_away(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        pw_ms within_ms;
    } faults[] = {
        {"bms stop", 4000},
        {"bms silent", 5000},
        {"rectifier silent", 6000},
        {"rectifier alarm fan", 3000},
        {"rectifier alarm ovp", 3000},
        {"overtemp", 10000},
        {"bus off 0", 4000},
        {"temperature 60", 6000},
        {"temperature -5", 6000},
    };
    for (size_t i = 0; i < PW_COUNT(faults); i++) {
        struct pw_world_dc_config config = plugged(PW_SCOOTER_CLASSIC, 0.5);
        struct lane lane;
        start(&lane, &config);
        assert_true(lane_truth(&lane).connector_ma > 29000);
        lane_do(&lane, faults[i].command);
        lane_run(&lane, faults[i].within_ms);
        if (lane_truth(&lane).connector_ma > 500) {
            fail_msg("%s: still %d mA", faults[i].command, (int)lane_truth(&lane).connector_ma);
        }
        lane_run(&lane, 30000);
        assert_true(lane_truth(&lane).connector_ma < 500);
    }
}

static void a_lying_bms_gets_no_more_than_the_station_may_give(void **state)
{
    (void)state;
    struct pw_world_dc_config config = plugged(PW_SCOOTER_MAX, 0.5);
    struct lane lane;
    start(&lane, &config);
    lane_do(&lane, "bms lie");
    lane_run(&lane, 20000);
    assert_true(lane.observer.worst_mv <= 85500 + 100);
    assert_true(lane_truth(&lane).connector_ma <= 100500);
}

static void a_welded_contactor_is_found_at_the_end(void **state)
{
    (void)state;
    struct pw_world_dc_config config = plugged(PW_SCOOTER_CLASSIC, 0.5);
    struct lane lane;
    start(&lane, &config);
    lane_do(&lane, "weld on");
    assert_int_equal(pw_session_stop(&lane.bay.session, PW_REASON_LOCAL, PW_STR(""), lane.now),
                     PW_OK);
    lane_until(&lane, PW_STATUS_FAULTED, 30000);
    assert_string_equal(lane.view.vendor_code, "PW-WELD");
    assert_true(lane_truth(&lane).connector_ma < 100);
}

static void a_bus_that_comes_back_lets_the_charge_go_on(void **state)
{
    (void)state;
    struct pw_world_dc_config config = plugged(PW_SCOOTER_CLASSIC, 0.5);
    struct lane lane;
    start(&lane, &config);
    lane_do(&lane, "bus off 0");
    lane_run(&lane, 3000);
    assert_int_equal(lane.view.status, PW_STATUS_FAULTED);
    lane_do(&lane, "bus on 0");
    lane_until(&lane, PW_STATUS_CHARGING, 60000);
    lane_run(&lane, 20000);
    assert_true(lane_truth(&lane).connector_ma > 29000);
    assert_int_equal(lane.begun, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_and_maker_charges_to_full),
        cmocka_unit_test(unplugging_is_seen_within_five_seconds),
        cmocka_unit_test(emergency_stop_ends_the_charge_with_its_reason),
        cmocka_unit_test(faults_take_the_current_away),
        cmocka_unit_test(a_lying_bms_gets_no_more_than_the_station_may_give),
        cmocka_unit_test(a_welded_contactor_is_found_at_the_end),
        cmocka_unit_test(a_bus_that_comes_back_lets_the_charge_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

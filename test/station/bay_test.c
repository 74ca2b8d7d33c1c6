// One connector against the simulated world: rectifier, BMS, contactor, I/O node, connector.
#include "bay_world.h"
#include "test.h"

#include <stdio.h>

static struct rig rig;

static void start(void)
{
    struct pw_bay_config bay = rig_bay_config();
    struct pw_world_dc_config world = pw_world_dc_defaults();
    rig_start(&rig, &bay, &world);
}

// The reason the station exists: plug, card, charge to full, unplug.
static void charges_a_scooter_to_full(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    struct pw_bay_view view;
    pw_bay_view(&rig.bay, &view, rig.now);
    assert_int_equal(view.status, PW_STATUS_CHARGING);
    assert_true(view.out_ma > 25000);
    pw_ms begin = rig.now;
    while (rig.ends == 0 && rig.now - begin < 3 * 3600 * 1000) {
        rig_run(&rig, 60000);
    }
    struct pw_world_dc_truth truth = pw_world_dc_truth(&rig.world);
    printf("%llu s, soc %d, %lld mWh true, %llu mWh metered, %llu turns\n",
           (unsigned long long)(rig.now - begin) / 1000, truth.soc_permille,
           (long long)truth.energy_mwh, (unsigned long long)rig.bay.meter.total.energy_mwh,
           (unsigned long long)rig.turns);
    assert_int_equal(rig.ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_a_scooter_to_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

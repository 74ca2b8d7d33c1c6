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

static struct pw_bay_view look(void)
{
    struct pw_bay_view view;
    pw_bay_view(&rig.bay, &view, rig.now);
    return view;
}

static struct pw_world_dc_truth truth(void)
{
    return pw_world_dc_truth(&rig.world);
}

static bool stands(enum pw_dc_fault fault)
{
    return (rig.bay.dc.faults & PW_DC_BIT(fault)) != 0;
}

// Runs until `*what` is `is`; returns how long that took, fails after `most`.
#define TIME_UNTIL(condition, most)                                                                \
    do {                                                                                           \
        took = rig.now;                                                                            \
        while (!(condition) && rig.now - took < (most)) {                                          \
            rig_run(&rig, 10);                                                                     \
        }                                                                                          \
        assert_true(condition);                                                                    \
        took = rig.now - took;                                                                     \
    } while (0)

static pw_ms took;

static void unharmed(void)
{
    struct pw_charger_wear wear = truth().wear;
    assert_int_equal(wear.opened_loaded, 0);
    assert_int_equal(wear.closed_apart, 0);
}

static void charge_until_end(void)
{
    for (int i = 0; i < 240 && rig.ends == 0; i++) {
        rig_run(&rig, 60000);
    }
    assert_int_equal(rig.ends, 1);
    rig_run(&rig, 20000); // the weld check
}

static void within_half_percent(void)
{
    int64_t physical = truth().energy_mwh;
    int64_t metered = (int64_t)rig.bay.meter.total.energy_mwh;
    int64_t apart = metered > physical ? metered - physical : physical - metered;
    if (apart * 200 > physical) {
        fail_msg("metered %lld mWh, truly %lld", (long long)metered, (long long)physical);
    }
}

// The reason the station exists: plug, card, charge to full, unplug. The meter is right to half a
// percent, the contactor moves once and never under load, the register is saved on the way.
static void charges_a_scooter_to_full(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    assert_true(look().out_ma > 25000);
    assert_string_equal(look().vehicle.model->name, "NX-100 Classic");
    charge_until_end();
    assert_int_equal(rig.ended.reason, PW_REASON_OTHER);
    assert_int_equal(rig.bay.dc.steps > 0, 1);
    assert_true(truth().soc_permille > 970);
    within_half_percent();
    assert_int_equal(rig.ended.energy_mwh, rig.bay.meter.total.energy_mwh);
    assert_int_equal(rig.closings, 1);
    assert_true(rig.keeps >= 18); // 1.9 kWh: each 100 Wh, and each minute
    unharmed();
    assert_int_equal(look().status, PW_STATUS_FINISHING);
    pw_world_dc_plug(&rig.world, false);
    TIME_UNTIL(look().status == PW_STATUS_AVAILABLE, 5000);
}

// The same over one wire, and with the other maker's modules.
static void charges_over_one_bus(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    bay.vehicle_bus = 0;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    charge_until_end();
    within_half_percent();
    unharmed();
}

static void charges_with_infypower_modules(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    bay.rectifier = &pw_rectifier_driver_infypower;
    bay.rectifier_address = 1;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.rectifier.maker = PW_WORLD_RECTIFIER_INFYPOWER;
    world.rectifier.address = 1;
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    assert_true(look().out_ma > 25000);
    charge_until_end();
    within_half_percent();
    unharmed();
}

// Without a terminal report the rectifier's own registers are the meter.
static void charges_without_a_terminal_report(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    bay.terminal_id = 0;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.rectifier.terminal_report = false;
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    charge_until_end();
    within_half_percent();
    unharmed();
}

// Contactor inside the rectifier: no coil, no feedback, and the output's decay is the weld check.
static void charges_with_the_contactor_inside_the_rectifier(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    bay.io_node = 0;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    assert_true(look().out_ma > 25000);
    assert_int_equal(look().feedback, PW_DC_FEEDBACK_NONE);
    charge_until_end();
    within_half_percent();
    assert_int_equal(rig.bay.dc.faults, 0);
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    rig.world.charger.weld = true;
    assert_int_equal(pw_session_stop(&rig.bay.session, PW_REASON_REMOTE, PW_STR(""), rig.now),
                     PW_OK);
    rig_run(&rig, 20000);
    assert_true(stands(PW_DC_FAULT_WELD));
}

// An older BMS puts no SOC on the wire: it comes from ampere hours and the model.
static void derives_soc_from_ampere_hours(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    bay.elcon_soc = false;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.form = PW_WORLD_BMS_ELCON;
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    struct pw_bay_view view = look();
    assert_true(view.vehicle.charge_mah > 0);
    assert_in_range(view.soc_permille, truth().soc_permille - 10, truth().soc_permille + 10);
    charge_until_end();
    unharmed();
}

// The start is committed before the contactor closes: no record, no energy.
static void waits_for_the_record_of_the_start(void **state)
{
    (void)state;
    start();
    rig.withhold_records = true;
    rig_run(&rig, 2000);
    pw_world_dc_plug(&rig.world, true);
    rig_until(&rig, PW_DC_READY, 5000);
    assert_int_equal(
        pw_session_authorise(&rig.bay.session, PW_STR("CARD1"), PW_START_CARD, rig.now), PW_OK);
    rig_run(&rig, 60000);
    assert_int_equal(rig.closings, 0);
    assert_int_equal(look().status, PW_STATUS_PREPARING);
    pw_session_recorded(&rig.bay.session, true, rig.now);
    rig_until(&rig, PW_DC_CHARGING, 5000);
}

// The seed's defect: after unplugging the output capacitors hold 83 V for a minute, and it went on
// believing that a battery was there.
static void sees_the_plug_pulled_while_the_output_holds_83_volts(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_world_dc_plug(&rig.world, false);
    TIME_UNTIL(!rig.bay.dc.plugged, 5000);
    assert_true(truth().terminal_mv > 78000);
    TIME_UNTIL(rig.ends == 1, 2000);
    assert_int_equal(rig.ended.reason, PW_REASON_EV_DISCONNECTED);
    rig_run(&rig, 2000);
    assert_true(truth().terminal_mv > 70000);
    assert_int_equal(look().status, PW_STATUS_AVAILABLE);
    rig_run(&rig, 120000);
    assert_int_equal(look().status, PW_STATUS_AVAILABLE);
    unharmed();
}

static void sees_the_plug_pulled_before_a_card(void **state)
{
    (void)state;
    start();
    rig_run(&rig, 2000);
    pw_world_dc_plug(&rig.world, true);
    rig_until(&rig, PW_DC_READY, 2000);
    rig_run(&rig, 3000);
    pw_world_dc_plug(&rig.world, false);
    TIME_UNTIL(look().status == PW_STATUS_AVAILABLE, 5000);
    assert_int_equal(rig.begins, 0);
}

// Plug in again at once: the next vehicle is charged, whatever the capacitors hold.
static void charges_the_next_vehicle(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_world_dc_plug(&rig.world, false);
    rig_run(&rig, 10000);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(pw_world_dc_vehicle(&rig.world, PW_SCOOTER_MAX), PW_OK);
    pw_world_dc_plug(&rig.world, true);
    rig_run(&rig, 3000);
    assert_int_equal(
        pw_session_authorise(&rig.bay.session, PW_STR("CARD2"), PW_START_CARD, rig.now), PW_OK);
    rig_until(&rig, PW_DC_CHARGING, 120000);
    rig_run(&rig, 10000);
    assert_string_equal(look().vehicle.model->name, "NX-100 Max");
    assert_true(look().out_ma > 60000);
    assert_int_equal(rig.closings, 2);
    unharmed();
}

// A BMS that stops without being full pauses the charge; the transaction goes on.
static void a_stop_flag_at_half_charge_suspends(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.world.scooter.bms.fault = PW_WORLD_BMS_STOPS;
    rig_run(&rig, 3000);
    assert_int_equal(look().status, PW_STATUS_SUSPENDED_EV);
    assert_int_equal(look().set_ma, 0);
    rig_run(&rig, 60000);
    assert_false(truth().contactor_closed);
    assert_int_equal(look().status, PW_STATUS_SUSPENDED_EV);
    rig.world.scooter.bms.fault = PW_WORLD_BMS_HONEST;
    rig_until(&rig, PW_DC_CHARGING, 60000);
    rig_run(&rig, 5000);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    assert_int_equal(rig.ends, 0);
    unharmed();
}

// "BMS may pause 2-5 s at high SOC": the seed ended sessions for it.
static void a_short_silence_of_the_bms_does_not_end_the_session(void **state)
{
    (void)state;
    for (pw_ms silence = 1000; silence <= 5000; silence += 500) {
        struct pw_bay_config bay = rig_bay_config();
        struct pw_world_dc_config world = pw_world_dc_defaults();
        world.scooter.soc = 0.93;
        rig_start(&rig, &bay, &world);
        rig_charge(&rig);
        rig.world.scooter.bms.fault = PW_WORLD_BMS_SILENT;
        rig_run(&rig, silence);
        rig.world.scooter.bms.fault = PW_WORLD_BMS_HONEST;
        rig_run(&rig, 90000);
        assert_int_equal(rig.ends, 0);
        assert_int_equal(look().status, PW_STATUS_CHARGING);
        assert_true(look().out_ma > 1000);
        unharmed();
    }
}

// Elcon: without a valid request for 5 s the output is off; ours falls to 0 A before.
static void a_silent_bms_takes_the_current_and_then_the_output(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.world.scooter.bms.fault = PW_WORLD_BMS_SILENT;
    TIME_UNTIL(rig.bay.dc.out.set_ma == 0, 3500);
    TIME_UNTIL(!rig.bay.dc.out.rectifier_on, 2500);
    assert_true(stands(PW_DC_FAULT_VEHICLE_LOST));
    assert_string_equal(look().error_code, "EVCommunicationError");
    TIME_UNTIL(!truth().contactor_closed, 1000);
    TIME_UNTIL(rig.ends == 1, 10000);
    assert_int_equal(rig.ended.reason, PW_REASON_EV_DISCONNECTED);
    rig_run(&rig, 1000);
    assert_int_equal(look().status, PW_STATUS_AVAILABLE);
    unharmed();
}

// 95 V and 400 A asked for: the station gives what the station may.
static void a_lying_bms_moves_no_limit_up(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.world.scooter.bms.fault = PW_WORLD_BMS_LIES;
    for (int i = 0; i < 50; i++) {
        rig_run(&rig, 200);
        assert_true(look().set_mv <= 85500);
        assert_true(look().set_ma <= 100000);
    }
}

// 25 A/s up, and down in the same turn.
static void the_current_ramps_up_and_falls_at_once(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.model = PW_SCOOTER_MAX;
    rig_start(&rig, &bay, &world);
    rig_run(&rig, 1000);
    pw_world_dc_plug(&rig.world, true);
    rig_run(&rig, 2000);
    assert_int_equal(
        pw_session_authorise(&rig.bay.session, PW_STR("CARD1"), PW_START_CARD, rig.now), PW_OK);
    rig_until(&rig, PW_DC_CHARGING, 30000);
    pw_ms begin = rig.bay.dc.since;
    for (int i = 0; i < 60; i++) {
        rig_run(&rig, 100);
        assert_true(rig.bay.dc.out.set_ma <= (int32_t)(rig.now - begin) * 25);
    }
    assert_int_equal(rig.bay.dc.out.set_ma, 90000);
    assert_int_equal(pw_bay_limit(&rig.bay, PW_LIMIT_OCPP, 10000, "profile", PW_NEVER, rig.now),
                     PW_OK);
    (void)pw_bay_step(&rig.bay, rig.now);
    assert_int_equal(rig.bay.dc.out.set_ma, 10000);
    assert_int_equal(look().limit_who, PW_LIMIT_OCPP);
    rig_run(&rig, 5000);
    assert_in_range(truth().connector_ma, 9000, 10500);
}

// A limit of 0 pauses as SuspendedEVSE; when it expires charging goes on by itself.
static void a_limit_of_zero_suspends_until_it_expires(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    assert_int_equal(pw_bay_limit(&rig.bay, PW_LIMIT_LOCAL, 0, "console", rig.now + 30000, rig.now),
                     PW_OK);
    rig_run(&rig, 2000);
    assert_int_equal(look().status, PW_STATUS_SUSPENDED_EVSE);
    assert_int_equal(look().set_ma, 0);
    rig_run(&rig, 25000);
    assert_false(truth().contactor_closed);
    rig_run(&rig, 30000);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    assert_true(look().out_ma > 25000);
    unharmed();
}

// Within one turn the rectifier is told to stop; the contactor is open 100 ms later. Latched, over
// a restart too, and not cleared while the button is in.
static void an_emergency_stop_is_obeyed_in_one_turn_and_stays(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_bay_estop(&rig.bay, true);
    (void)pw_bay_step(&rig.bay, rig.now);
    assert_false(rig.bay.dc.out.rectifier_on);
    assert_int_equal(rig.bay.dc.out.set_ma, 0);
    TIME_UNTIL(!truth().contactor_closed, 150);
    rig_run(&rig, 1000);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.ended.reason, PW_REASON_EMERGENCY_STOP);
    assert_int_equal(pw_bay_clear(&rig.bay, PW_DC_FAULT_ESTOP, rig.now), PW_ERR_BUSY);
    pw_bay_estop(&rig.bay, false);
    rig_run(&rig, 60000);
    assert_true(stands(PW_DC_FAULT_ESTOP));

    struct pw_bay_keep keep = pw_bay_keep(&rig.bay);
    start();
    assert_int_equal(pw_bay_restore(&rig.bay, &keep, rig.now), PW_OK);
    rig_run(&rig, 10000);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    assert_int_equal(pw_bay_clear(&rig.bay, PW_DC_FAULT_ESTOP, rig.now), PW_OK);
    assert_true(pw_bay_keep_due(&rig.bay, rig.now)); // the cleared latch is to be saved
    rig_run(&rig, 1000);
    assert_int_equal(look().status, PW_STATUS_AVAILABLE);
}

// The button on the I/O node, which also takes the coil's supply.
static void the_button_of_the_io_node_stops_too(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_charger_set_estop(&rig.world.charger, true, rig.now);
    rig_run(&rig, 700);
    assert_true(stands(PW_DC_FAULT_ESTOP));
    assert_false(stands(PW_DC_FAULT_NOT_CLOSING));
    assert_false(rig.bay.dc.out.rectifier_on);
    assert_false(truth().contactor_closed);
}

// A welded contactor is found after the charge, by its feedback and by an output that does not
// decay, and nobody charges again before somebody has looked.
static void a_weld_is_found_and_latched(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.world.charger.weld = true;
    assert_int_equal(pw_session_stop(&rig.bay.session, PW_REASON_REMOTE, PW_STR(""), rig.now),
                     PW_OK);
    rig_run(&rig, 5000);
    assert_true(stands(PW_DC_FAULT_WELD));
    assert_string_equal(look().error_code, "PowerSwitchFailure");
    TIME_UNTIL(rig.ends == 1, 15000);
    assert_int_equal(rig.ended.reason, PW_REASON_REMOTE);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    assert_int_equal(
        pw_session_authorise(&rig.bay.session, PW_STR("CARD2"), PW_START_CARD, rig.now),
        PW_ERR_BUSY);
    assert_int_equal(pw_bay_clear(&rig.bay, PW_DC_FAULT_WELD, rig.now), PW_ERR_BUSY);
    rig.world.charger.weld = false;
    rig_run(&rig, 5000);
    assert_true(stands(PW_DC_FAULT_WELD));
    assert_int_equal(pw_bay_clear(&rig.bay, PW_DC_FAULT_WELD, rig.now), PW_OK);
}

// A broken fan stops the charge in order; when it is over the charge goes on by itself.
static void a_passing_rectifier_fault_recovers(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_world_rectifier_raise(&rig.world.rectifier, PW_WORLD_RECTIFIER_FAN);
    rig_run(&rig, 8000);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    assert_string_equal(look().vendor_code, "PW-R-FAULT");
    pw_world_rectifier_lower(&rig.world.rectifier, PW_WORLD_RECTIFIER_FAN);
    rig_run(&rig, 60000);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    assert_true(look().out_ma > 25000);
    assert_int_equal(rig.ends, 0);
    unharmed();
}

// A fault that does not pass ends the transaction, so that the card holder is not held.
static void a_lasting_fault_ends_the_transaction(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_world_rectifier_raise(&rig.world.rectifier, PW_WORLD_RECTIFIER_INPUT_LOST);
    rig_run(&rig, 10000);
    assert_string_equal(look().vendor_code, "PW-MAINS");
    assert_int_equal(rig.ends, 0);
    TIME_UNTIL(rig.ends == 1, 121000);
    assert_int_equal(rig.ended.reason, PW_REASON_OTHER);
}

// The rectifier's over-voltage latch is ours too: clearing it asks the rectifier first.
static void the_rectifiers_latch_is_cleared_through_us(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_world_rectifier_raise(&rig.world.rectifier, PW_WORLD_RECTIFIER_OVP);
    rig_run(&rig, 5000);
    assert_true(stands(PW_DC_FAULT_RECTIFIER_OVP));
    assert_string_equal(look().error_code, "OverVoltage");
    rig_run(&rig, 60000);
    assert_true(stands(PW_DC_FAULT_RECTIFIER_OVP));
    assert_int_equal(pw_bay_clear(&rig.bay, PW_DC_FAULT_RECTIFIER_OVP, rig.now), PW_ERR_AGAIN);
    rig_run(&rig, 10000);
    assert_int_equal(rig.bay.dc.faults, 0);
}

static void a_silent_rectifier_stops_the_charge(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.world.rectifier.silent = true;
    TIME_UNTIL(!rig.bay.dc.out.contactor_closed, 4000);
    rig_run(&rig, 100);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    rig.world.rectifier.silent = false;
    rig_run(&rig, 60000);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
}

// At the first temperature less, at the second none, and back only below the first.
static void heat_first_takes_current_then_the_charge(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.scooter.model = PW_SCOOTER_MAX;
    bay.dc.derate_from_dc = 400; // the modules' own alarm comes at 60 degrees of intake air
    bay.dc.trip_dc = 500;
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    rig_run(&rig, 5000);
    bool derated = false;
    for (int i = 0; i < 600 && !stands(PW_DC_FAULT_OVER_TEMP); i++) {
        rig.world.rectifier.forced_heat_c += 0.5;
        rig_run(&rig, 1000);
        struct pw_bay_view view = look();
        if (view.temp_dc > 420 && view.temp_dc < 490) {
            derated = derated || view.limit_who == PW_LIMIT_TEMPERATURE;
            assert_true(view.set_ma <= 1000 * (500 - view.temp_dc) + 100);
        }
    }
    assert_true(derated);
    assert_true(stands(PW_DC_FAULT_OVER_TEMP));
    assert_string_equal(look().error_code, "HighTemperature");
    rig_run(&rig, 2000);
    assert_false(truth().contactor_closed);
    rig.world.rectifier.forced_heat_c = 0;
    rig_run(&rig, 90000);
    assert_false(stands(PW_DC_FAULT_OVER_TEMP));
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    unharmed();
}

// Off the bus nothing can be told to stop, so everything that can be taken away is, within a
// second; the wire is restarted after 1, 2, 4... 30 s, and the station listens before it speaks.
static void bus_off_disables_charging_and_is_waited_out(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    pw_ms off_at = rig.now;
    pw_world_dc_bus(&rig.world, 0, PW_CAN_OFF);
    TIME_UNTIL(!rig.bay.dc.out.contactor_closed, 1000);
    assert_int_equal(look().status, PW_STATUS_FAULTED);
    assert_string_equal(look().vendor_code, "PW-BUS");
    rig_run(&rig, 130000);
    static const pw_ms expected[] = {1000, 3000, 7000, 15000, 31000, 61000, 91000, 121000};
    assert_int_equal(rig.restarts, 8);
    for (size_t i = 0; i < PW_COUNT(expected); i++) {
        assert_in_range(rig.restart_at[i] - off_at, expected[i], expected[i] + 50);
    }
    assert_int_equal(rig.ends, 1); // the patience of the session is shorter
    rig.heals = true;
    TIME_UNTIL(rig.world.bus[0] == PW_CAN_ACTIVE, 31000);
    uint64_t sent = rig.sent[0];
    rig_run(&rig, 450);
    assert_int_equal(rig.sent[0], sent);
    rig_run(&rig, 10000);
    assert_true(rig.sent[0] > sent);
    assert_int_equal(rig.bay.dc.faults, 0);
}

static void a_short_bus_off_resumes_the_charge(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    rig.heals = true;
    pw_world_dc_bus(&rig.world, 0, PW_CAN_OFF);
    rig_run(&rig, 90000);
    assert_int_equal(rig.ends, 0);
    assert_int_equal(look().status, PW_STATUS_CHARGING);
    assert_true(look().out_ma > 25000);
    unharmed(); // the rectifier heard before the coil fell
}

// Error-passive on the power bus: stopping could fail, so it stops now. On the vehicle's bus with
// nobody there it is natural.
static void error_passive_matters_where_somebody_listens(void **state)
{
    (void)state;
    start();
    rig_run(&rig, 2000);
    pw_world_dc_bus(&rig.world, 1, PW_CAN_PASSIVE);
    rig_run(&rig, 5000);
    assert_int_equal(rig.bay.dc.faults, 0);
    pw_world_dc_bus(&rig.world, 1, PW_CAN_ACTIVE);
    rig_charge(&rig);
    pw_world_dc_bus(&rig.world, 0, PW_CAN_PASSIVE);
    TIME_UNTIL(!rig.bay.dc.out.contactor_closed, 1000);
    assert_true(stands(PW_DC_FAULT_BUS));
    assert_int_equal(look().bus[0].state, PW_CAN_PASSIVE);
}

// A cold pack asks for no current until it is warm.
static void a_cold_battery_is_waited_for(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    struct pw_world_dc_config world = pw_world_dc_defaults();
    world.temp_c = -5;
    rig_start(&rig, &bay, &world);
    rig_run(&rig, 2000);
    pw_world_dc_plug(&rig.world, true);
    rig_until(&rig, PW_DC_READY, 5000);
    assert_int_equal(
        pw_session_authorise(&rig.bay.session, PW_STR("CARD1"), PW_START_CARD, rig.now), PW_OK);
    rig_run(&rig, 10000);
    assert_int_equal(look().status, PW_STATUS_SUSPENDED_EV);
    assert_int_equal(rig.ends, 0);
    for (int i = 0; i < 240 && rig.bay.dc.state != PW_DC_CHARGING; i++) {
        rig_run(&rig, 60000);
    }
    assert_int_equal(rig.bay.dc.state, PW_DC_CHARGING);
    charge_until_end();
    unharmed();
}

static void plug_and_charge_needs_no_card(void **state)
{
    (void)state;
    struct pw_bay_config bay = rig_bay_config();
    struct pw_world_dc_config world = pw_world_dc_defaults();
    rig_start(&rig, &bay, &world);
    assert_int_equal(pw_session_free(&rig.bay.session, PW_STR("FREE")), PW_OK);
    rig_run(&rig, 2000);
    pw_world_dc_plug(&rig.world, true);
    rig_until(&rig, PW_DC_CHARGING, 10000);
    assert_string_equal(rig.begun.id_tag, "FREE");
    assert_int_equal(rig.begun.by, PW_START_FREE);
    rig_run(&rig, 5000);
    // A local stop stays a stop until the vehicle has gone.
    assert_int_equal(pw_session_stop(&rig.bay.session, PW_REASON_LOCAL, PW_STR(""), rig.now),
                     PW_OK);
    rig_run(&rig, 60000);
    assert_int_equal(rig.begins, 1);
    assert_int_equal(look().status, PW_STATUS_FINISHING);
}

// Set-points at least once a second, the answer to the BMS every 500 ms, 100 ms when so set.
static void keeps_its_rhythm_on_the_wire(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    uint64_t statuses = rig.statuses;
    uint64_t controls = rig.controls;
    rig_run(&rig, 60000);
    assert_in_range(rig.statuses - statuses, 119, 121);
    assert_true(rig.controls - controls >= 180); // voltage, current and switch each second
    assert_int_equal(rig.bay.tx_dropped, 0);

    struct pw_bay_config bay = rig_bay_config();
    bay.status_period_ms = 100;
    struct pw_world_dc_config world = pw_world_dc_defaults();
    rig_start(&rig, &bay, &world);
    rig_charge(&rig);
    statuses = rig.statuses;
    rig_run(&rig, 10000);
    assert_in_range(rig.statuses - statuses, 98, 102);
}

// With nobody plugged in nothing is sent on the vehicle's bus.
static void says_nothing_to_an_absent_vehicle(void **state)
{
    (void)state;
    start();
    rig_run(&rig, 30000);
    assert_int_equal(rig.statuses, 0);
}

// Nobody waits for a rectifier's readings at an empty connector: two questions a second tell that
// it lives. With a vehicle there it is asked every 50 ms again. Set-points and coil keep their
// rhythm.
static void asks_the_rectifier_seldom_while_nobody_is_there(void **state)
{
    (void)state;
    start();
    const uint64_t *sent = &rig.sent[rig.bay.config.power_bus];
    rig_run(&rig, 10000);
    uint64_t before = *sent;
    rig_run(&rig, 10000);
    uint64_t empty = *sent - before;
    assert_true(rig.now - rig.bay.power.at <= 1000);
    pw_world_dc_plug(&rig.world, true);
    rig_run(&rig, 5000);
    before = *sent;
    rig_run(&rig, 10000);
    assert_in_range(*sent - before - empty, 175, 185);
}

// Every field of the configuration is refused by name outside its range.
static void refuses_a_bad_configuration_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        struct pw_bay_config config;
    } rows[] = {
        {"connector_id", {.connector_id = 0}},
        {"vehicle_bus", {.connector_id = 1, .vehicle_bus = 2}},
        {"power_bus", {.connector_id = 1, .power_bus = 2}},
        {"rectifier_address", {.connector_id = 1, .rectifier_address = 128}},
        {"rectifier_rated_ma", {.connector_id = 1, .rectifier_rated_ma = -1}},
        {"rectifier_modules", {.connector_id = 1, .rectifier_modules = 17}},
        {"status_period_ms", {.connector_id = 1, .status_period_ms = 99}},
        {"terminal_id", {.connector_id = 1, .terminal_id = 0x20000000}},
        {"terminal_current_divisor", {.connector_id = 1, .terminal_current_divisor = 1001}},
        {"io_node", {.connector_id = 1, .io_node = 128}},
        {"max_mv", {.connector_id = 1, .dc.max_mv = 2000000}},
        {"min_mv", {.connector_id = 1, .dc.min_mv = 90000}},
        {"meter", {.connector_id = 1, .meter.min_mv = 90000}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[200];
        struct pw_out why = PW_OUT(text);
        static struct pw_bay bay;
        assert_int_equal(pw_bay_init(&bay, &rows[i].config, NULL, 0, &why), PW_ERR_RANGE);
        assert_true(pw_str_starts(pw_out_str(&why), rows[i].field));
    }
}

// Settings change while current flows; a bad set changes nothing.
static void takes_new_settings_while_charging(void **state)
{
    (void)state;
    start();
    rig_charge(&rig);
    struct pw_bay_config config = rig_bay_config();
    config.dc.max_ma = 15000;
    assert_int_equal(pw_bay_configure(&rig.bay, &config, NULL, rig.now), PW_OK);
    rig_run(&rig, 3000);
    assert_in_range(truth().connector_ma, 14000, 15500);
    assert_int_equal(look().limit_who, PW_LIMIT_SETTINGS);
    config.dc.max_ma = 20000;
    config.dc.trip_dc = 100;
    assert_int_equal(pw_bay_configure(&rig.bay, &config, NULL, rig.now), PW_ERR_RANGE);
    rig_run(&rig, 3000);
    assert_in_range(truth().connector_ma, 14000, 15500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(charges_a_scooter_to_full),
        cmocka_unit_test(charges_over_one_bus),
        cmocka_unit_test(charges_with_infypower_modules),
        cmocka_unit_test(charges_without_a_terminal_report),
        cmocka_unit_test(charges_with_the_contactor_inside_the_rectifier),
        cmocka_unit_test(derives_soc_from_ampere_hours),
        cmocka_unit_test(waits_for_the_record_of_the_start),
        cmocka_unit_test(sees_the_plug_pulled_while_the_output_holds_83_volts),
        cmocka_unit_test(sees_the_plug_pulled_before_a_card),
        cmocka_unit_test(charges_the_next_vehicle),
        cmocka_unit_test(a_stop_flag_at_half_charge_suspends),
        cmocka_unit_test(a_short_silence_of_the_bms_does_not_end_the_session),
        cmocka_unit_test(a_silent_bms_takes_the_current_and_then_the_output),
        cmocka_unit_test(a_lying_bms_moves_no_limit_up),
        cmocka_unit_test(the_current_ramps_up_and_falls_at_once),
        cmocka_unit_test(a_limit_of_zero_suspends_until_it_expires),
        cmocka_unit_test(an_emergency_stop_is_obeyed_in_one_turn_and_stays),
        cmocka_unit_test(the_button_of_the_io_node_stops_too),
        cmocka_unit_test(a_weld_is_found_and_latched),
        cmocka_unit_test(a_passing_rectifier_fault_recovers),
        cmocka_unit_test(a_lasting_fault_ends_the_transaction),
        cmocka_unit_test(the_rectifiers_latch_is_cleared_through_us),
        cmocka_unit_test(a_silent_rectifier_stops_the_charge),
        cmocka_unit_test(heat_first_takes_current_then_the_charge),
        cmocka_unit_test(bus_off_disables_charging_and_is_waited_out),
        cmocka_unit_test(a_short_bus_off_resumes_the_charge),
        cmocka_unit_test(error_passive_matters_where_somebody_listens),
        cmocka_unit_test(a_cold_battery_is_waited_for),
        cmocka_unit_test(plug_and_charge_needs_no_card),
        cmocka_unit_test(keeps_its_rhythm_on_the_wire),
        cmocka_unit_test(says_nothing_to_an_absent_vehicle),
        cmocka_unit_test(asks_the_rectifier_seldom_while_nobody_is_there),
        cmocka_unit_test(refuses_a_bad_configuration_by_name),
        cmocka_unit_test(takes_new_settings_while_charging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

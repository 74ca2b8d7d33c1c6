// The outlet joins machine, meter, limits and session: what each must hear of the others. The board
// here is the simplest that obeys: contacts and lock follow the drive, the vehicle answers the
// pilot.
#include "outlet/outlet.h"
#include "test.h"

#include <string.h>

static struct rig {
    struct pw_outlet outlet;
    pw_ms now;
    bool plugged;
    bool ready;      // S2 closed when there is an offer
    bool meter_mute; // the board measures no more
    bool meter_lies; // it shows more watts than volts and amperes allow
    bool slow_meter; // ... or once a second
    bool lock_stuck; // open, whatever it is told
    bool no_mirror;  // no contact tells the contactor's place, only the voltage behind it
    bool welded;
    bool no_amperes;    // the board measures voltage only
    bool tripped;       // residual current
    uint64_t end_mwh;   // register as the last end of a charge had it
    bool feedback_lost; // neither mirror contact nor voltage behind the contactor
    bool cp_blind;      // the board measures the pilot no more
    int32_t pp_ohm;     // of the cable
    int32_t draw_ma;    // on each phase while closed
    struct pw_board_drive drive;
} rig;

static struct pw_outlet_config plain(void)
{
    return (struct pw_outlet_config){
        .connector_id = 1,
        .rated_ma = 32000,
        .max_ma = 16000,
        .evse = {.socket = true, .min_off_ms = 1000},
    };
}

static void open_rig(void)
{
    struct pw_outlet_config config = plain();
    memset(&rig, 0, sizeof(rig));
    rig.now = 1000;
    rig.pp_ohm = 220;
    rig.draw_ma = 10000;
    assert_int_equal(pw_outlet_init(&rig.outlet, &config, NULL, rig.now, NULL), PW_OK);
}

static int32_t pilot_high_mv(void)
{
    if (rig.drive.cp == PW_BOARD_CP_FAULT) {
        return -12000;
    }
    bool offer = rig.drive.cp == PW_BOARD_CP_PWM;
    return !rig.plugged ? 12000 : rig.ready && offer ? 6000 : 9000;
}

static struct pw_board_senses board_says(void)
{
    bool closed = rig.drive.contactor || rig.welded;
    struct pw_board_senses senses = {
        .at = rig.now,
        .cp_high_mv = pilot_high_mv(),
        .cp_low_mv = rig.drive.cp == PW_BOARD_CP_PWM ? -12000 : PW_BOARD_UNKNOWN,
        .pp_ohm = rig.plugged ? rig.pp_ohm : PW_BOARD_OPEN_OHM,
        .contact = closed ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN,
        .lock = rig.drive.lock && !rig.lock_stuck ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN,
        .rcd = rig.drive.rcd_test || rig.tripped ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK,
        .earth = PW_BOARD_EARTH_OK,
        .temp_dc = {250, 260},
        .mains = {.at = rig.now, .mhz = 50000, .import_mwh = -1},
    };
    if (rig.feedback_lost || rig.no_mirror) {
        senses.contact = PW_BOARD_CONTACT_NONE;
    }
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        senses.load_mv[i] = rig.feedback_lost ? PW_BOARD_UNKNOWN : closed ? 230000 : 0;
        // The last digit moves, as it does on any real mains.
        senses.mains.mv[i] = 230000 + (int32_t)(rig.now % 7);
        senses.mains.ma[i] = closed && rig.ready ? rig.draw_ma : 0;
        senses.mains.mw[i] = closed && rig.ready ? rig.draw_ma * 230 : 0;
    }
    if (rig.cp_blind) {
        senses.cp_high_mv = PW_BOARD_UNKNOWN;
        senses.cp_low_mv = PW_BOARD_UNKNOWN;
    }
    if (rig.meter_lies) {
        senses.mains.mw[1] = 50000000;
    }
    for (unsigned i = 0; rig.no_amperes && i < PW_BOARD_PHASES; i++) {
        senses.mains.ma[i] = PW_BOARD_UNKNOWN;
        senses.mains.mw[i] = PW_BOARD_UNKNOWN;
    }
    if (rig.slow_meter) {
        if (rig.now - rig.outlet.counted.at < 1000) {
            senses.mains = rig.outlet.counted;
        }
    }
    if (rig.meter_mute) {
        senses.mains.at = PW_NEVER;
    }
    return senses;
}

// Turns of 5 ms, as a board with a vehicle makes them; records are safe at once.
static void run(pw_ms span)
{
    for (pw_ms end = rig.now + span; rig.now < end; rig.now += 5) {
        struct pw_session_event event;
        struct pw_board_senses senses = board_says();
        pw_outlet_senses(&rig.outlet, &senses, rig.now);
        (void)pw_outlet_step(&rig.outlet, rig.now);
        while (pw_session_take(&rig.outlet.session, &event)) {
            rig.end_mwh = event.kind == PW_SESSION_END ? event.energy_mwh : rig.end_mwh;
            if (event.kind == PW_SESSION_BEGIN) {
                pw_session_recorded(&rig.outlet.session, true, rig.now);
            }
        }
        struct pw_board_drive drive;
        if (pw_outlet_take_drive(&rig.outlet, &drive)) {
            rig.drive = drive;
        }
    }
}

static void card(void)
{
    assert_int_equal(
        pw_session_authorise(&rig.outlet.session, PW_STR("CARD"), PW_START_CARD, rig.now), PW_OK);
}

static void charge(void)
{
    open_rig();
    run(5000);
    rig.plugged = true;
    rig.ready = true;
    run(2000);
    card();
    run(8000);
    assert_true(rig.outlet.evse.energised);
    assert_int_equal(pw_session_status(&rig.outlet.session), PW_STATUS_CHARGING);
}

static void a_vehicle_with_a_card_is_charged_and_counted(void **state)
{
    (void)state;
    charge();
    uint64_t before = rig.outlet.mains.total.energy_mwh;
    run(36000); // 3 x 230 V x 10 A for 36 s: 69 Wh
    uint64_t counted = rig.outlet.mains.total.energy_mwh - before;
    assert_in_range(counted, 68900, 69100);
    assert_in_range(rig.outlet.evse.offered_ma, 15990, 16000); // rounded down to a duty
    rig.plugged = false;
    run(3000);
    assert_false(rig.drive.contactor);
    assert_int_equal(pw_session_status(&rig.outlet.session), PW_STATUS_AVAILABLE);
}

// Reason: I12. What flows up to the opening is measured after it; a receipt must not leave it out.
static void a_receipt_waits_for_the_last_reading(void **state)
{
    (void)state;
    charge();
    run(10000);
    rig.slow_meter = true; // one reading a second
    run(5000);
    assert_int_equal(pw_session_stop(&rig.outlet.session, PW_REASON_LOCAL, PW_STR(""), rig.now),
                     PW_OK);
    run(15000); // the vehicle ignores the stop: opened under load
    assert_false(rig.drive.contactor);
    assert_false(pw_session_in_transaction(&rig.outlet.session));
    assert_int_equal(rig.end_mwh, rig.outlet.mains.total.energy_mwh);
}

// Reason: energy nobody counts is energy nobody pays; F24 wants a dead meter noticed.
static void a_silent_meter_pauses_the_charge_until_it_speaks(void **state)
{
    (void)state;
    charge();
    rig.meter_mute = true;
    run(20000);
    assert_false(rig.drive.contactor);
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_METER);
    assert_int_equal(pw_session_status(&rig.outlet.session), PW_STATUS_SUSPENDED_EVSE);
    rig.meter_mute = false;
    run(15000);
    assert_true(rig.outlet.evse.energised);
    assert_int_not_equal(rig.outlet.limits.who, PW_LIMIT_METER);
}

static unsigned meter_lines;
static char meter_line[PW_LINE_MAX];

static void hear(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context;
    (void)level;
    (void)room;
    if (pw_str_starts(text, "meter ")) {
        meter_lines++;
        assert_int_equal(pw_str_copy(meter_line, sizeof(meter_line), text), PW_OK);
    }
}

// Reason: a meter that lies costs the charge; whoever looks for the cause must find it, said once.
static void a_lying_meter_is_said_once_and_so_is_its_end(void **state)
{
    (void)state;
    static const struct pw_log log = {.write = hear};
    charge();
    rig.outlet.log = &log;
    meter_lines = 0;
    run(1000);
    assert_int_equal(meter_lines, 0);
    rig.meter_lies = true;
    run(20000);
    assert_int_equal(meter_lines, 1);
    assert_string_equal(meter_line,
                        "meter connector=1 reading=power register_jumps=0 register_apart=0");
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_METER);
    rig.meter_lies = false;
    run(1000);
    assert_int_equal(meter_lines, 2);
    assert_string_equal(meter_line,
                        "meter connector=1 reading=good register_jumps=0 register_apart=0");
}

// Reason: "why is it 6 A?" must have an answer with a name.
static void whoever_limits_is_named_and_obeyed(void **state)
{
    (void)state;
    charge();
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_SETTINGS);
    assert_int_equal(pw_limits_set(&rig.outlet.limits, PW_LIMIT_LOAD, 9000, "fair share",
                                   pw_after(rig.now, 20000), rig.now),
                     PW_OK);
    run(1000); // lowering is at once
    assert_in_range(rig.outlet.evse.offered_ma, 8990, 9000);
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_LOAD);
    assert_string_equal(rig.outlet.limits.why, "fair share");
    run(30000);                                                // it has expired
    assert_in_range(rig.outlet.evse.offered_ma, 15990, 16000); // rounded down to a duty
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_SETTINGS);
}

// Reason: some vehicles stall below what their charger needs; their owner sets a least current.
static void with_less_than_the_least_current_the_charge_pauses(void **state)
{
    (void)state;
    struct pw_outlet_config config = plain();
    config.min_ma = 10000;
    charge();
    assert_int_equal(pw_outlet_configure(&rig.outlet, &config, NULL, rig.now), PW_OK);
    assert_int_equal(pw_limits_set(&rig.outlet.limits, PW_LIMIT_LOAD, 10000, "", PW_NEVER, rig.now),
                     PW_OK);
    run(10000);
    assert_true(rig.drive.contactor);
    assert_int_equal(pw_limits_set(&rig.outlet.limits, PW_LIMIT_LOAD, 9900, "", PW_NEVER, rig.now),
                     PW_OK);
    run(10000);
    assert_false(rig.drive.contactor);
    pw_limits_clear(&rig.outlet.limits, PW_LIMIT_LOAD, rig.now);
    run(60000);
    assert_true(rig.drive.contactor);
}

static void a_weaker_cable_shows_in_the_limits(void **state)
{
    (void)state;
    open_rig();
    run(5000);
    rig.pp_ohm = 1500; // 13 A
    rig.plugged = true;
    run(2000);
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_CABLE);
    assert_int_equal(rig.outlet.limits.effective_ma, 13000);
    rig.plugged = false;
    run(2000);
    assert_int_equal(rig.outlet.limits.who, PW_LIMIT_SETTINGS);
}

static void an_emergency_stop_elsewhere_opens_and_ends_the_charge(void **state)
{
    (void)state;
    charge();
    assert_false(pw_outlet_estop(&rig.outlet, true));
    run(20);
    assert_false(rig.drive.contactor);
    run(2000);
    assert_int_equal(pw_session_status(&rig.outlet.session), PW_STATUS_FAULTED);
    assert_false(pw_session_in_transaction(&rig.outlet.session));
}

// Reason: F25. A short circuit drives the converter to its end, where the current reads low.
static void a_current_beyond_the_converter_is_an_overload(void **state)
{
    (void)state;
    charge();
    rig.outlet.board.traits.blocks = true;
    for (int turn = 0; turn < 20; turn++) {
        // What core/analog would have found in the blocks of this turn.
        struct pw_board_senses senses = board_says();
        struct pw_analog *analog = &rig.outlet.analog;
        analog->at = rig.now;
        analog->cp_high_mv = senses.cp_high_mv;
        analog->cp_low_mv = senses.cp_low_mv;
        analog->pp_ohm = senses.pp_ohm;
        analog->mains = senses.mains;
        analog->fast = senses.mains;
        analog->clipped = turn < 10 ? 0 : PW_ANALOG_AMPERE(1);
        assert_int_equal(rig.drive.contactor, turn < 15); // 20 ms later
        run(5);
    }
    assert_int_equal(pw_evse_worst(&rig.outlet.evse), PW_EVSE_FAULT_OVERLOAD);
}

// Reason: a fault that holds the pilot at F hides the plug. Whoever is there afterwards is a
// stranger.
static void a_vehicle_that_could_not_be_seen_charges_on_nobodys_card(void **state)
{
    (void)state;
    charge();
    rig.feedback_lost = true;
    run(2000);
    assert_false(rig.drive.contactor);
    assert_int_equal(rig.drive.cp, PW_BOARD_CP_FAULT);
    assert_true(pw_session_in_transaction(&rig.outlet.session)); // a hiccup ends nothing
    run(22000);
    assert_false(pw_session_in_transaction(&rig.outlet.session));
    rig.feedback_lost = false;
    run(60000);
    assert_false(rig.drive.contactor);
}

// Reason: everything else of the board is fresh, but a plug that leaves now would not be seen.
static void a_board_that_loses_the_pilot_is_a_silent_board(void **state)
{
    (void)state;
    charge();
    rig.cp_blind = true;
    run(100); // a reading or two may be missing
    assert_true(rig.drive.contactor);
    rig.cp_blind = false;
    run(100);
    assert_true(rig.drive.contactor);
    rig.cp_blind = true;
    run(250);
    assert_false(rig.drive.contactor);
    assert_true((rig.outlet.evse.faults & PW_EVSE_BIT(PW_EVSE_FAULT_BOARD)) != 0);
    rig.cp_blind = false;
    run(30000);
    assert_true(rig.drive.contactor);
}

// The same of a board that leaves the arithmetic to us.
static void blocks_without_a_pilot_are_silence(void **state)
{
    (void)state;
    open_rig();
    struct pw_outlet_board board = {.traits = {.step_ppm = 1, .blocks = true},
                                    .analog = {.cp = {2, {{0, -12000}, {4095, 12000}}}}};
    assert_int_equal(pw_outlet_board(&rig.outlet, &board, NULL), PW_OK);
    struct pw_board_block block = {.at = rig.now, .cp_high = 4000, .cp_low = INT16_MIN};
    pw_outlet_block(&rig.outlet, &block, rig.now);
    assert_int_equal(rig.outlet.senses.at, 1000);
    block.at = 1005;
    block.cp_high = INT16_MIN;
    pw_outlet_block(&rig.outlet, &block, 1005);
    assert_int_equal(rig.outlet.senses.at, 1000);
}

// Reason: a restart of the board opens its contactor; closing again without residual current test
// and pause would be a closing nobody has checked.
static void a_board_that_begins_anew_proves_itself_again(void **state)
{
    (void)state;
    charge();
    assert_int_equal(pw_outlet_board(&rig.outlet, &rig.outlet.board, NULL), PW_OK);
    run(5);
    assert_false(rig.drive.contactor);
    assert_int_equal(pw_evse_worst(&rig.outlet.evse), PW_EVSE_FAULT_BOARD);
    assert_false(rig.outlet.evse.tested);
    run(40000);
    assert_int_equal(pw_evse_worst(&rig.outlet.evse), PW_EVSE_FAULT_ROWS);
    assert_true(rig.outlet.evse.tested);
}

// Reason: samples that still flow say nothing of a stop button or a welded contactor.
static void blocks_alone_do_not_keep_a_board_alive(void **state)
{
    (void)state;
    charge();
    rig.outlet.board.traits.blocks = true;
    struct pw_board_senses senses = board_says();
    pw_outlet_senses(&rig.outlet, &senses, rig.now);
    for (pw_ms begun = rig.now; rig.now <= begun + 260; rig.now += 5) {
        // What a block would bring.
        rig.outlet.senses = board_says();
        (void)pw_outlet_step(&rig.outlet, rig.now);
        if (rig.now <= begun + 195) {
            assert_true(pw_evse_drive(&rig.outlet.evse).contactor);
        }
    }
    assert_false(pw_evse_drive(&rig.outlet.evse).contactor);
    assert_int_equal(pw_evse_worst(&rig.outlet.evse), PW_EVSE_FAULT_BOARD);
}

// Reason: F25. A board without current inputs is no excuse when the meter on the bus knows: it
// speaks once a second, and late.
static void a_slow_meter_is_enough_to_see_a_vehicle_that_draws_too_much(void **state)
{
    (void)state;
    charge();
    struct pw_outlet_config config = plain();
    config.external_meter = true;
    assert_int_equal(pw_outlet_configure(&rig.outlet, &config, NULL, rig.now), PW_OK);
    for (int second = 0; second < 12; second++) {
        struct pw_board_mains meter = board_says().mains;
        rig.no_amperes = true;
        for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
            bool closed = rig.drive.contactor;
            meter.ma[i] = closed ? 20000 : 0;
            meter.mw[i] = closed ? 20000 * 230 : 0;
        }
        run(60);
        pw_outlet_mains(&rig.outlet, &meter, rig.now);
        run(940);
        rig.no_amperes = false;
    }
    assert_false(rig.drive.contactor);
    assert_int_equal(pw_evse_worst(&rig.outlet.evse), PW_EVSE_FAULT_OVER_CURRENT);
}

// Reason: what a person must take for live does not hang on the kind of feedback.
static void a_weld_seen_by_voltage_alone_counts_as_live(void **state)
{
    (void)state;
    struct pw_outlet_view view;
    open_rig();
    rig.no_mirror = true;
    run(5000);
    pw_outlet_view(&rig.outlet, &view, rig.now);
    assert_false(view.live);
    rig.welded = true;
    run(1000);
    pw_outlet_view(&rig.outlet, &view, rig.now);
    assert_true(view.live);
}

// Reason: the watchdog opened half a second into the silence, but up to 5 s of the power from
// before were counted when the board came back: energy on a bill that nobody got.
static void energy_is_not_invented_while_the_board_is_silent(void **state)
{
    (void)state;
    charge();
    uint64_t before = rig.outlet.mains.total.energy_mwh;
    for (pw_ms end = rig.now + 4000; rig.now < end; rig.now += 50) {
        (void)pw_outlet_step(&rig.outlet, rig.now);
    }
    rig.drive.contactor = false; // its own doing
    run(1000);
    assert_in_range(rig.outlet.mains.total.energy_mwh - before, 0, 100);
}

// Reason: UnlockConnector is how a person gets a cable back.
static void unlocking_ends_the_charge_first(void **state)
{
    (void)state;
    charge();
    assert_true(rig.drive.lock);
    assert_int_equal(pw_outlet_unlock(&rig.outlet, rig.now), PW_ERR_AGAIN);
    rig.ready = false; // the vehicle lets go when the pilot stands still
    run(8000);
    assert_false(rig.drive.contactor);
    assert_false(rig.drive.lock);
    assert_int_equal(pw_outlet_unlock(&rig.outlet, rig.now), PW_OK);
}

// Reason: I5. A trip that a restart forgets is no trip.
static void a_trip_survives_a_restart(void **state)
{
    (void)state;
    charge();
    rig.tripped = true;
    run(500);
    assert_false(rig.drive.contactor);
    assert_true(pw_outlet_keep_due(&rig.outlet, rig.now));
    uint32_t latched = pw_evse_latched(&rig.outlet.evse);
    assert_int_not_equal(latched, 0);

    open_rig();
    pw_evse_restore(&rig.outlet.evse, latched);
    rig.plugged = true;
    rig.ready = true;
    run(20000);
    assert_int_equal(
        pw_session_authorise(&rig.outlet.session, PW_STR("CARD"), PW_START_CARD, rig.now),
        PW_ERR_BUSY);
    run(20000);
    assert_false(rig.drive.contactor);
    assert_int_equal(pw_session_status(&rig.outlet.session), PW_STATUS_FAULTED);
    assert_int_equal(pw_evse_clear(&rig.outlet.evse, PW_EVSE_FAULT_RCD, rig.now), PW_OK);
}

// Reason: bad input gets one clear sentence and changes nothing.
static void settings_that_cannot_be_are_refused_by_name(void **state)
{
    (void)state;
    struct pw_outlet_config config = plain();
    char why[200] = "";
    struct pw_out out = PW_OUT(why);
    config.max_ma = 40000;
    open_rig();
    assert_int_equal(pw_outlet_configure(&rig.outlet, &config, &out, rig.now), PW_ERR_RANGE);
    assert_string_equal(why, "max_ma is 40000, must be 0 to 32000");
    assert_int_equal(rig.outlet.config.max_ma, 16000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vehicle_with_a_card_is_charged_and_counted),
        cmocka_unit_test(a_receipt_waits_for_the_last_reading),
        cmocka_unit_test(a_silent_meter_pauses_the_charge_until_it_speaks),
        cmocka_unit_test(a_lying_meter_is_said_once_and_so_is_its_end),
        cmocka_unit_test(whoever_limits_is_named_and_obeyed),
        cmocka_unit_test(with_less_than_the_least_current_the_charge_pauses),
        cmocka_unit_test(a_weaker_cable_shows_in_the_limits),
        cmocka_unit_test(an_emergency_stop_elsewhere_opens_and_ends_the_charge),
        cmocka_unit_test(a_current_beyond_the_converter_is_an_overload),
        cmocka_unit_test(a_board_that_loses_the_pilot_is_a_silent_board),
        cmocka_unit_test(a_vehicle_that_could_not_be_seen_charges_on_nobodys_card),
        cmocka_unit_test(blocks_without_a_pilot_are_silence),
        cmocka_unit_test(a_board_that_begins_anew_proves_itself_again),
        cmocka_unit_test(blocks_alone_do_not_keep_a_board_alive),
        cmocka_unit_test(a_slow_meter_is_enough_to_see_a_vehicle_that_draws_too_much),
        cmocka_unit_test(a_weld_seen_by_voltage_alone_counts_as_live),
        cmocka_unit_test(energy_is_not_invented_while_the_board_is_silent),
        cmocka_unit_test(unlocking_ends_the_charge_first),
        cmocka_unit_test(a_trip_survives_a_restart),
        cmocka_unit_test(settings_that_cannot_be_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

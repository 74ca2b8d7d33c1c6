// The openevse kind before a board that answers as the recorded firmware does: what session,
// limits, faults and energy make of it. The vehicle here is the simplest that obeys.
#include "oeboard/oeboard.h"
#include "openevse/openevse.h"
#include "test.h"

#include <string.h>

static struct rig {
    struct pw_openevse oe;
    struct pw_oeboard board;
    pw_ms now;
    bool plugged;
    bool ready;   // closes S2 when offered something
    bool cut;     // the line is cut
    bool greedy;  // takes more than it is offered
    bool dormant; // takes an offer only after the pilot was at state F
    double draw;  // ampere it would take on each of its phases
    double wh;    // delivered on one conductor
    bool ended;   // the session has asked for its stop
    struct pw_session_event end;
} rig;

static struct pw_openevse_config plain(void)
{
    struct pw_openevse_config config = {
        .connector_id = 1,
        .rated_ma = 32000,
        .max_ma = 16000,
        .min_ma = 6000,
        .mains_mv = 230000,
    };
    config.rapi = PW_RAPI_CONFIG_DEFAULT;
    return config;
}

static void sense(void)
{
    struct pw_oeboard_drive drive = pw_oeboard_drive(&rig.board);
    if (rig.dormant && drive.cp == PW_BOARD_CP_FAULT) {
        rig.dormant = false;
    }
    double offer = pw_oeboard_offer_ma(&rig.board) / 1000.0;
    bool offered = drive.cp == PW_BOARD_CP_PWM;
    const struct pw_oeboard_senses senses = {
        .level = !rig.plugged                           ? PW_OEBOARD_LEVEL_A
                 : rig.ready && !rig.dormant && offered ? PW_OEBOARD_LEVEL_C
                                                        : PW_OEBOARD_LEVEL_B,
        .diode = true,
        .live = drive.relay,
        .ampere = !drive.relay || !rig.plugged     ? 0
                  : rig.greedy || rig.draw < offer ? rig.draw
                                                   : offer,
        .temp_dc = 250,
    };
    rig.wh += senses.ampere * 230.0 / 3600.0 / 50.0; // a turn is 20 ms
    (void)pw_oeboard_step(&rig.board, &senses, rig.now);
}

static void take_events(void)
{
    struct pw_session_event event;
    while (pw_session_take(&rig.oe.session, &event)) {
        if (event.kind == PW_SESSION_BEGIN) {
            pw_session_recorded(&rig.oe.session, true, rig.now);
        } else if (event.kind == PW_SESSION_END) {
            rig.ended = true;
            rig.end = event;
        }
    }
}

static void run(pw_ms span)
{
    pw_ms until = rig.now + span;
    while (rig.now < until) {
        uint8_t bytes[256];
        rig.now += 20;
        sense();
        size_t got = pw_oeboard_take(&rig.board, bytes, sizeof(bytes), rig.now);
        if (got > 0 && !rig.cut) {
            assert_int_equal(pw_reach_bytes(&rig.oe.rapi, bytes, got), got);
        }
        (void)pw_openevse_step(&rig.oe, rig.now);
        take_events();
        struct pw_str out = pw_reach_out(&rig.oe.rapi);
        if (out.len > 0) {
            if (!rig.cut) {
                pw_oeboard_hear(&rig.board, (const uint8_t *)out.at, out.len, rig.now);
            }
            pw_reach_out_sent(&rig.oe.rapi, out.len, rig.now);
        }
    }
}

static void open_station(const struct pw_openevse_config *config)
{
    assert_int_equal(pw_openevse_init(&rig.oe, config, NULL, rig.now, NULL), PW_OK);
    pw_reach_up(&rig.oe.rapi, rig.now);
}

static void open_rig_of(const struct pw_openevse_config *config)
{
    memset(&rig, 0, sizeof(rig));
    rig.now = 1000;
    rig.draw = 32;
    rig.ready = true;
    pw_oeboard_init(&rig.board, pw_oeboard_named(PW_STR("8.2.3-eu")), 1, rig.now);
    pw_oeboard_power(&rig.board, true, rig.now);
    open_station(config);
    run(20000);
    assert_true(rig.oe.rapi.of.cable.view.ok);
}

static void open_rig(void)
{
    const struct pw_openevse_config config = plain();
    open_rig_of(&config);
}

static void charge(void)
{
    rig.plugged = true;
    run(3000);
    assert_int_equal(pw_session_authorise(&rig.oe.session, PW_STR("CARD"), PW_START_CARD, rig.now),
                     PW_OK);
    run(10000);
    assert_true(rig.board.relay);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_CHARGING);
}

static double counted_wh(void)
{
    return (double)rig.oe.mains.total.energy_mwh / 1000.0;
}

static void near(double is, double should, double part)
{
    double apart = is > should ? is - should : should - is;
    if (apart > should * part + 1.0) {
        fail_msg("%.1f is not within %.1f %% of %.1f", is, part * 100.0, should);
    }
}

// While it charges: the counter is read every 10 s, of up to 11 kW.
static void near_and_running(double is, double should)
{
    if (is > should * 1.01 || is < should * 0.98 - 40.0) {
        fail_msg("%.1f is not what a meter 10 s late says of %.1f", is, should);
    }
}

static bool has(enum pw_openevse_fault fault)
{
    return (rig.oe.faults & (1U << fault)) != 0;
}

// Reason: the board would charge whoever plugs in; who may charge is the session's to say.
static void a_vehicle_without_permit_is_seen_and_gets_nothing(void **state)
{
    (void)state;
    open_rig();
    rig.plugged = true;
    run(60000);
    assert_true(rig.oe.plugged);
    assert_false(rig.board.relay);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_IDLE);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_PREPARING);
    assert_int_equal(pw_openevse_offered_ma(&rig.oe), 0);
}

// Reason: the whole of a charge, and every watt hour of it, over three phases of which the board
// measures one.
static void a_charge_runs_at_its_limit_and_is_counted_over_its_phases(void **state)
{
    (void)state;
    open_rig();
    charge();
    assert_int_equal(rig.board.amps, 16);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_CHARGING);
    run(1800000);
    assert_int_equal(pw_session_stop(&rig.oe.session, PW_REASON_LOCAL, PW_STR(""), rig.now), PW_OK);
    run(20000);
    assert_true(rig.ended);
    assert_false(rig.board.relay);
    near((double)rig.end.energy_mwh / 1000.0, rig.wh * 3, 0.01);
    rig.plugged = false;
    run(5000);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_AVAILABLE);
}

// Reason: the seed wrote the board's EEPROM at every step of its regulation; it lasts some hundred
// thousand writes.
static void a_limit_that_moves_never_wears_the_boards_memory(void **state)
{
    (void)state;
    open_rig();
    charge();
    unsigned before = rig.board.eeprom.writes;
    for (int32_t ma = 6000; ma <= 16000; ma += 500) {
        assert_int_equal(
            pw_limits_set(&rig.oe.limits, PW_LIMIT_HOUSE, ma, "test", PW_NEVER, rig.now), PW_OK);
        run(3000);
        assert_int_equal(rig.board.amps, ma / 1000);
        assert_true(rig.board.relay);
    }
    assert_int_equal(rig.board.eeprom.writes, before);
}

// Reason: the seed paused and never came back.
static void below_the_least_current_it_pauses_and_comes_back(void **state)
{
    (void)state;
    open_rig();
    charge();
    assert_int_equal(pw_limits_set(&rig.oe.limits, PW_LIMIT_HOUSE, 5900, "test", PW_NEVER, rig.now),
                     PW_OK);
    run(10000);
    assert_false(rig.board.relay);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_PAUSED);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_SUSPENDED_EVSE);
    run(3600000);
    assert_false(rig.ended);
    pw_limits_clear(&rig.oe.limits, PW_LIMIT_HOUSE, rig.now);
    run(15000);
    assert_true(rig.board.relay);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_CHARGING);
}

// Reason: the board forgets the volatile limit over a restart, and would go on with 32 A.
static void a_board_that_restarts_is_brought_back_to_its_limit(void **state)
{
    (void)state;
    open_rig();
    charge();
    assert_int_equal(pw_limits_set(&rig.oe.limits, PW_LIMIT_HOUSE, 8000, "test", PW_NEVER, rig.now),
                     PW_OK);
    run(5000);
    pw_oeboard_power(&rig.board, false, rig.now);
    run(300);
    pw_oeboard_power(&rig.board, true, rig.now);
    for (int turn = 0; turn < 3000; turn++) {
        run(20);
        assert_true(!rig.board.relay || rig.board.amps <= 8);
    }
    assert_true(rig.board.relay);
    assert_int_equal(rig.board.amps, 8);
    assert_false(rig.ended);
}

// Reason: nobody must be able to charge on the card of whoever was there before the line broke.
static void a_silent_board_falls_back_by_itself_and_its_charge_ends(void **state)
{
    (void)state;
    open_rig();
    charge();
    run(20000);
    rig.cut = true;
    run(12000);
    assert_int_equal(rig.board.amps, 6); // its own heartbeat, 10 s
    run(10000);
    assert_true(has(PW_OPENEVSE_FAULT_BOARD));
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_FAULTED);
    assert_int_equal(rig.oe.session.phase, PW_PHASE_ACTIVE);
    run(60000);
    assert_true(rig.ended);
    rig.cut = false;
    run(40000);
    assert_false(rig.board.relay);
    near(counted_wh(), rig.wh * 3, 0.02); // the register knows what flowed meanwhile
}

// Reason: a board that starts anew while the station is away begins at its maximum and comes down
// to its fall-back, which was armed when the owner's limit may have been another.
static void the_fall_back_is_never_above_the_owners_limit(void **state)
{
    (void)state;
    static const int32_t limits[] = {10000, 7000};
    struct pw_openevse_config config = plain();
    config.rapi.heartbeat_ma = 16000;
    open_rig_of(&config);
    for (size_t i = 0; i < PW_COUNT(limits); i++) {
        config.max_ma = limits[i];
        assert_int_equal(pw_openevse_configure(&rig.oe, &config, NULL, rig.now), PW_OK);
        run(610000); // a board's memory is written every ten minutes at most
        rig.cut = true;
        pw_oeboard_power(&rig.board, false, rig.now);
        run(1000);
        pw_oeboard_power(&rig.board, true, rig.now);
        run(30000);
        assert_int_equal(rig.board.amps * 1000, limits[i]);
        rig.cut = false;
        run(40000);
    }
}

// Reason: a short silence is no reason to end a charge, and what flowed in it is not lost.
static void a_short_silence_costs_neither_the_charge_nor_its_energy(void **state)
{
    (void)state;
    open_rig();
    charge();
    run(60000);
    rig.cut = true;
    run(30000);
    rig.cut = false;
    run(60000);
    assert_false(rig.ended);
    assert_int_equal(rig.board.amps, 16); // acknowledged, and the limit restored
    assert_int_equal(rig.oe.state, PW_OPENEVSE_CHARGING);
    near_and_running(counted_wh(), rig.wh * 3);
}

// Reason: a line that was away comes back to a board that charges. An order to sleep, meant for the
// time without it, would open the relay under load.
static void a_line_that_comes_back_leaves_the_relay_closed(void **state)
{
    (void)state;
    const pw_ms away_ms[] = {100, 1000, 4000, 12000, 30000};
    for (unsigned i = 0; i < PW_COUNT(away_ms); i++) {
        open_rig();
        charge();
        rig.cut = true;
        pw_reach_down(&rig.oe.rapi, "the line hung up", rig.now);
        run(away_ms[i]);
        rig.cut = false;
        pw_reach_up(&rig.oe.rapi, rig.now);
        for (unsigned turn = 0; turn < 1000; turn++) {
            run(20);
            assert_true(rig.board.relay);
        }
        assert_int_equal(rig.oe.state, PW_OPENEVSE_CHARGING);
    }
}

// Reason: what was not read in a silence is no reason to stop once it is over.
static void a_silence_that_is_over_leaves_the_relay_closed(void **state)
{
    (void)state;
    open_rig();
    charge();
    rig.cut = true;
    run(40000);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_AWAY);
    rig.cut = false;
    for (unsigned turn = 0; turn < 2000; turn++) {
        run(20);
        assert_true(rig.board.relay);
    }
    assert_int_equal(rig.oe.state, PW_OPENEVSE_CHARGING);
    near_and_running(counted_wh(), rig.wh * 3);
}

// Reason: a counter that went back by a little is no other vehicle, and what is left in it has been
// counted before.
static void a_counter_that_goes_back_is_neither_energy_nor_another_vehicle(void **state)
{
    (void)state;
    open_rig();
    charge();
    run(600000);
    for (unsigned i = 0; i < 10; i++) {
        rig.board.session_ws *= 0.9;
        run(30000);
    }
    assert_false(rig.ended);
    // What flowed between two readings, around each step, is not known: 10 s of each 30 at most.
    assert_true(counted_wh() <= rig.wh * 3 + 1);
    assert_true(counted_wh() >= rig.wh * 3 * 0.85);
}

// Reason: a single-phase car on a three-phase socket must pay for one phase.
static void phases_found_late_count_from_the_beginning(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        int phases;
    } rows[] = {{1, 1}, {2, 1}, {3, 2}, {7, 3}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        open_rig();
        pw_openevse_phases(&rig.oe, 0, rig.now); // somebody looks
        charge();
        run(90000);
        near_and_running(counted_wh(), rig.wh);
        pw_openevse_phases(&rig.oe, rows[i].bits, rig.now);
        run(300000);
        near_and_running(counted_wh(), rig.wh * rows[i].phases);
    }
}

// Reason: a search that never finds anything must not give energy away: what is wired counts.
static void phases_never_found_count_as_wired_when_the_charge_ends(void **state)
{
    (void)state;
    open_rig();
    pw_openevse_phases(&rig.oe, 0, rig.now);
    charge();
    run(120000);
    assert_int_equal(pw_session_stop(&rig.oe.session, PW_REASON_LOCAL, PW_STR(""), rig.now), PW_OK);
    run(30000);
    assert_true(rig.ended);
    near((double)rig.end.energy_mwh / 1000.0, rig.wh * 3, 0.02);
}

// Reason: the board charges on while the station's program is away, and counts.
static void energy_of_the_time_without_a_program_is_in_the_register(void **state)
{
    (void)state;
    const struct pw_openevse_config config = plain();
    open_rig();
    charge();
    run(60000);
    const struct pw_mains_keep keep = {.total = rig.oe.mains.total};
    int64_t counter = rig.oe.energy.ws;
    for (int turn = 0; turn < 6000; turn++) { // two minutes without anybody
        uint8_t bytes[256];
        rig.now += 20;
        sense();
        while (pw_oeboard_take(&rig.board, bytes, sizeof(bytes), rig.now) > 0) {
        }
    }
    open_station(&config);
    assert_int_equal(pw_mains_restore(&rig.oe.mains, &keep, rig.now), PW_OK);
    pw_openevse_restore(&rig.oe, 0, counter);
    run(20000);
    near(counted_wh(), rig.wh * 3, 0.02);
    assert_false(rig.board.relay); // no session: nobody may charge
}

// Reason: checkpoints are a minute apart, and the power may fail sooner, again and again.
static void energy_survives_a_program_that_dies_again_and_again(void **state)
{
    (void)state;
    const struct pw_openevse_config config = plain();
    struct pw_mains_keep keep = {.total = {.energy_mwh = 0}};
    int64_t counter = -1;
    open_rig();
    rig.plugged = true;
    pw_openevse_phases(&rig.oe, 0, rig.now); // the house's meter looks for the phases
    for (int life = 0; life < 12; life++) {
        for (int turn = 0; turn < 700; turn++) {
            run(20);
            if (pw_openevse_keep_due(&rig.oe, rig.now)) {
                pw_openevse_checkpoint(&rig.oe, &keep.total, &counter);
                pw_openevse_kept(&rig.oe, 0, rig.now);
            }
            if (turn == 200) { // BUSY: it goes on
                (void)!pw_session_authorise(&rig.oe.session, PW_STR("CARD"), PW_START_CARD,
                                            rig.now);
            }
        }
        open_station(&config);
        assert_int_equal(pw_mains_restore(&rig.oe.mains, &keep, rig.now), PW_OK);
        pw_openevse_restore(&rig.oe, 0, counter);
        pw_openevse_phases(&rig.oe, life < 8 ? 0 : 7, rig.now); // and finds them late
    }
    run(10000);
    pw_openevse_phases(&rig.oe, 7, rig.now);
    run(20000);
    assert_true(rig.wh > 20);
    // A board's ammeter is late, and its relay opened a dozen times: against what it counted
    // itself.
    near(counted_wh(), rig.board.session_ws * 3 / 3600, 0.01);
}

// Reason: every fault of the board is the connector's, with an error code of the standard; the seed
// never saw those above 9.
static void a_fault_of_the_board_is_the_connectors(void **state)
{
    (void)state;
    open_rig();
    charge();
    rig.greedy = true;
    run(15000);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_FAULTED);
    assert_int_equal(pw_session_status(&rig.oe.session), PW_STATUS_FAULTED);
    assert_string_equal(pw_rapi_state_of(rig.oe.rapi.of.cable.view.state)->ocpp16,
                        "OverCurrentFailure");
    run(1000);
    assert_int_equal(rig.board.state, PW_OEBOARD_OVER_CURRENT); // sleep would have hidden it
}

// Reason: the button opens the relay at once, and only a person brings it back.
static void an_emergency_stop_opens_at_once_and_stays(void **state)
{
    (void)state;
    open_rig();
    charge();
    assert_false(pw_openevse_estop(&rig.oe, true));
    run(1000);
    assert_false(rig.board.relay);
    assert_int_equal(pw_openevse_clear(&rig.oe, PW_OPENEVSE_FAULT_ESTOP, rig.now), PW_ERR_BUSY);
    assert_true(pw_openevse_estop(&rig.oe, false));
    run(30000);
    assert_false(rig.board.relay);
    assert_int_equal(rig.end.reason, PW_REASON_EMERGENCY_STOP);
    assert_int_equal(pw_openevse_latched(&rig.oe), 1U << PW_OPENEVSE_FAULT_ESTOP);
    assert_int_equal(pw_openevse_clear(&rig.oe, PW_OPENEVSE_FAULT_ESTOP, rig.now), PW_OK);
    run(5000);
    assert_int_equal(rig.oe.state, PW_OPENEVSE_IDLE);
}

// Reason: the plug was changed while nobody saw it.
static void another_vehicle_after_a_silence_does_not_charge_on_the_first_ones_card(void **state)
{
    (void)state;
    open_rig();
    charge();
    run(120000);
    rig.cut = true;
    run(10000);
    rig.plugged = false;
    run(5000);
    rig.plugged = true;
    run(20000);
    rig.cut = false;
    run(40000);
    assert_true(rig.ended);
    assert_int_equal(rig.end.reason, PW_REASON_EV_DISCONNECTED);
    assert_false(rig.board.relay);
}

// Reason: the board's last readings of a charge come after the plug was pulled, and its count
// begins anew with the next vehicle. That is no exchange behind our back.
static void whoever_comes_after_a_plug_was_pulled_under_load_charges(void **state)
{
    (void)state;
    for (pw_ms moment = 0; moment < 12000; moment += 500) {
        open_rig();
        charge();
        run(60000 + moment);
        rig.plugged = false;
        run(12000);
        assert_true(rig.ended);
        rig.ended = false;
        assert_int_equal(
            pw_session_authorise(&rig.oe.session, PW_STR("CARD"), PW_START_CARD, rig.now), PW_OK);
        rig.plugged = true;
        run(20000);
        assert_false(rig.ended);
        assert_true(rig.board.relay);
    }
}

// Reason: boards believe in 240 V unless told, and nobody wants to pay for ten volts that are not
// there.
static void a_board_without_voltmeter_counts_with_the_mains_it_is_told(void **state)
{
    (void)state;
    struct pw_openevse_config config = plain();
    config.rapi.mains_mv = 230000;
    memset(&rig, 0, sizeof(rig));
    rig.now = 1000;
    rig.draw = 32;
    rig.ready = true;
    pw_oeboard_init(&rig.board, pw_oeboard_named(PW_STR("8.2.3")), 1, rig.now);
    pw_oeboard_power(&rig.board, true, rig.now);
    open_station(&config);
    run(20000);
    charge();
    run(600000);
    near_and_running(counted_wh(), rig.wh * 3);
}

// Reason: owners of some cars have to unplug after a pause, because nothing wakes them.
static void a_vehicle_that_sleeps_through_its_offer_is_woken_once(void **state)
{
    (void)state;
    struct pw_openevse_config config = plain();
    config.wake = PW_OPENEVSE_WAKE_FAULT;
    open_rig_of(&config);
    rig.dormant = true;
    rig.plugged = true;
    run(3000);
    assert_int_equal(pw_session_authorise(&rig.oe.session, PW_STR("CARD"), PW_START_CARD, rig.now),
                     PW_OK);
    run(25000);
    assert_false(rig.board.relay);
    run(20000);
    assert_true(rig.board.relay);
    // It stops by itself: full. Nobody disturbs it any more.
    rig.ready = false;
    run(5000);
    uint32_t refused = rig.board.refused;
    for (int turn = 0; turn < 100; turn++) {
        run(1000);
        assert_int_equal(rig.oe.state, PW_OPENEVSE_OFFERING);
    }
    assert_int_equal(rig.board.refused, refused);
}

// Reason: whoever unplugs right after the board was woken must not leave a charge to the next.
static void a_vehicle_that_leaves_as_the_board_wakes_is_seen_to_leave(void **state)
{
    (void)state;
    open_rig();
    rig.ready = false;
    rig.plugged = true;
    run(3000);
    assert_int_equal(pw_session_authorise(&rig.oe.session, PW_STR("CARD"), PW_START_CARD, rig.now),
                     PW_OK);
    for (int turn = 0; turn < 200 && rig.oe.state != PW_OPENEVSE_OFFERING; turn++) {
        run(20);
    }
    rig.plugged = false;
    run(1500);
    rig.plugged = true; // another one
    rig.ready = true;
    run(15000);
    assert_true(rig.ended);
    assert_false(rig.board.relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vehicle_that_leaves_as_the_board_wakes_is_seen_to_leave),
        cmocka_unit_test(a_vehicle_that_sleeps_through_its_offer_is_woken_once),
        cmocka_unit_test(a_board_without_voltmeter_counts_with_the_mains_it_is_told),
        cmocka_unit_test(a_vehicle_without_permit_is_seen_and_gets_nothing),
        cmocka_unit_test(a_charge_runs_at_its_limit_and_is_counted_over_its_phases),
        cmocka_unit_test(a_limit_that_moves_never_wears_the_boards_memory),
        cmocka_unit_test(below_the_least_current_it_pauses_and_comes_back),
        cmocka_unit_test(a_board_that_restarts_is_brought_back_to_its_limit),
        cmocka_unit_test(a_silent_board_falls_back_by_itself_and_its_charge_ends),
        cmocka_unit_test(the_fall_back_is_never_above_the_owners_limit),
        cmocka_unit_test(a_short_silence_costs_neither_the_charge_nor_its_energy),
        cmocka_unit_test(a_line_that_comes_back_leaves_the_relay_closed),
        cmocka_unit_test(a_silence_that_is_over_leaves_the_relay_closed),
        cmocka_unit_test(a_counter_that_goes_back_is_neither_energy_nor_another_vehicle),
        cmocka_unit_test(phases_found_late_count_from_the_beginning),
        cmocka_unit_test(phases_never_found_count_as_wired_when_the_charge_ends),
        cmocka_unit_test(energy_of_the_time_without_a_program_is_in_the_register),
        cmocka_unit_test(energy_survives_a_program_that_dies_again_and_again),
        cmocka_unit_test(a_fault_of_the_board_is_the_connectors),
        cmocka_unit_test(an_emergency_stop_opens_at_once_and_stays),
        cmocka_unit_test(whoever_comes_after_a_plug_was_pulled_under_load_charges),
        cmocka_unit_test(another_vehicle_after_a_silence_does_not_charge_on_the_first_ones_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

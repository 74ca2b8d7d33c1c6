// One charge from plug to receipt, in every order in which people and networks can do things.
#include "session/session.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Every sequence of seven happenings, judged by a model that only counts.

#define HAPPENINGS(X)                                                                              \
    X(PLUG)                                                                                        \
    X(UNPLUG)                                                                                      \
    X(CARD)                                                                                        \
    X(STOP) X(RECORDED) X(NOT_RECORDED) X(POWER_OFF) X(MINUTE) X(FAULT) X(WELL) X(OUT_OF_SERVICE)
#define NAME(x) x,
enum happening { HAPPENINGS(NAME) KINDS };
#undef NAME
#define NAME(x) #x,
static const char *const names[] = {HAPPENINGS(NAME)};
#undef NAME

enum { DEPTH = 6 };

// A refusal is as good as a success here: what counts is what happens then.
static void either(int result)
{
    (void)result;
}

struct play {
    struct pw_session session;
    struct pw_session_input in;
    pw_ms now;
    unsigned begins;   // starts asked for
    unsigned recorded; // ... and confirmed
    unsigned refused;
    unsigned ends;
    enum happening done[DEPTH];
    unsigned steps;
};

static void broken(const struct play *p, const char *rule)
{
    for (unsigned i = 0; i < p->steps; i++) {
        printf("%s ", names[p->done[i]]);
    }
    fail_msg("%s in phase %s", rule, pw_session_phase_name(p->session.phase));
}

static void drain(struct play *p)
{
    struct pw_session_event event;
    while (pw_session_take(&p->session, &event)) {
        if (event.kind == PW_SESSION_BEGIN) {
            p->begins++;
        } else if (event.kind == PW_SESSION_END) {
            p->ends++;
            if (event.reason == PW_REASON_NONE) {
                broken(p, "an end without a reason");
            }
        }
    }
}

static void judge(const struct play *p)
{
    const struct pw_session *s = &p->session;
    bool open = p->begins > p->ends + p->refused;
    if (p->ends > p->recorded || p->begins > p->ends + p->refused + 1) {
        broken(p, "ends without starts, or two transactions at once");
    }
    if (open != pw_session_in_transaction(s)) {
        broken(p, "a transaction that is not told, or told and not there");
    }
    bool on_record = p->recorded > p->ends;
    if (pw_session_permit(s) && (!on_record || !p->in.plugged)) {
        broken(p, "energy without a recorded start or without a vehicle");
    }
    if (!p->in.plugged && p->in.off && p->session.phase == PW_PHASE_FINISHING) {
        broken(p, "finishing for a vehicle that has gone");
    }
    enum pw_session_status status = pw_session_status(s);
    if (p->in.fault != (status == PW_STATUS_FAULTED)) {
        broken(p, "a fault that is not shown, or shown and not there");
    }
    bool charging = status == PW_STATUS_CHARGING || status == PW_STATUS_SUSPENDED_EV ||
                    status == PW_STATUS_SUSPENDED_EVSE;
    if (charging && !on_record) {
        broken(p, "a charging status without a transaction");
    }
    if (open && (status == PW_STATUS_AVAILABLE || status == PW_STATUS_UNAVAILABLE)) {
        broken(p, "available within a transaction");
    }
}

static void happen(struct play *p, enum happening what)
{
    struct pw_session *s = &p->session;
    bool asked = s->phase == PW_PHASE_BEGINNING && !s->recorded && !s->refused;
    switch (what) {
    case PLUG: p->in.plugged = true; break;
    case UNPLUG: p->in.plugged = false; break;
    case CARD: either(pw_session_authorise(s, PW_STR("TAG"), PW_START_CARD, p->now)); break;
    case STOP: either(pw_session_stop(s, PW_REASON_REMOTE, PW_STR(""), p->now)); break;
    case RECORDED:
        pw_session_recorded(s, true, p->now);
        p->recorded += asked ? 1 : 0;
        break;
    case NOT_RECORDED:
        pw_session_recorded(s, false, p->now);
        p->refused += asked ? 1 : 0;
        break;
    case POWER_OFF: p->in.off = true; break;
    case MINUTE: p->now += 61000; break;
    case FAULT: p->in.fault = true; break;
    case WELL: p->in.fault = false; break;
    case OUT_OF_SERVICE: (void)pw_session_set_operative(s, false, p->now); break;
    case KINDS: break;
    }
    p->now += 100;
    (void)pw_session_step(s, &p->in, p->now);
    drain(p);
    judge(p);
    // The power follows the permit, one turn later.
    p->in.off = !pw_session_permit(s) && p->in.off;
    p->in.off = p->in.off || s->phase == PW_PHASE_IDLE;
}

static void every_order_of_plug_card_record_and_stop(void **state)
{
    (void)state;
    unsigned long all = 1;
    for (int i = 0; i < DEPTH; i++) {
        all *= KINDS;
    }
    unsigned long charged = 0;
    for (unsigned long n = 0; n < all; n++) {
        static struct play p;
        memset(&p, 0, sizeof(p));
        p.now = 1000;
        p.in = (struct pw_session_input){.off = true, .soc_permille = -1};
        struct pw_session_config config = {.connection_timeout_ms = 60000};
        pw_session_init(&p.session, 1, &config, NULL, p.now);
        unsigned long digits = n;
        for (p.steps = 0; p.steps < DEPTH; digits /= KINDS) {
            p.done[p.steps++] = (enum happening)(digits % KINDS);
            happen(&p, p.done[p.steps - 1]);
        }
        charged += p.recorded;
        // Whatever happened, pulling the plug with the power off brings everything to rest.
        p.in.plugged = false;
        p.in.off = true;
        if (p.session.phase == PW_PHASE_BEGINNING) {
            happen(&p, RECORDED);
            p.in.off = true;
        }
        happen(&p, MINUTE);
        p.in.off = true;
        happen(&p, MINUTE);
        if (p.session.phase != PW_PHASE_IDLE || p.begins != p.ends + p.refused) {
            broken(&p, "not at rest, or a transaction that never ended");
        }
    }
    assert_true(charged > all / 1000); // the space does contain charges
}

// ---------------------------------------------------------------------------------------------
// Stories

static struct pw_session session;
static struct pw_session_input in;
static struct pw_session_event event;
static pw_ms now;

static void start(const struct pw_session_config *config)
{
    now = 1000;
    in = (struct pw_session_input){.off = true, .soc_permille = -1};
    pw_session_init(&session, 1, config, NULL, now);
}

static pw_ms step(pw_ms span)
{
    now += span;
    return pw_session_step(&session, &in, now);
}

static bool told(enum pw_session_event_kind kind)
{
    return pw_session_take(&session, &event) && event.kind == kind;
}

static void begin(void)
{
    in.plugged = true;
    step(10);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now), PW_OK);
    step(10);
    assert_true(told(PW_SESSION_BEGIN));
    pw_session_recorded(&session, true, now);
    step(10);
    assert_true(pw_session_permit(&session));
    in.off = false;
    step(10);
}

static void nobody_plugs_in_within_the_connection_timeout(void **state)
{
    (void)state;
    struct pw_session_config config = {.connection_timeout_ms = 60000};
    start(&config);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_REMOTE, now), PW_OK);
    assert_int_equal(step(10), 61000);
    assert_int_equal(pw_session_status(&session), PW_STATUS_PREPARING);
    step(59989);
    assert_int_equal(session.phase, PW_PHASE_AUTHORISED);
    step(1);
    assert_true(told(PW_SESSION_TIMEOUT));
    assert_string_equal(event.id_tag, "CARD");
    assert_int_equal(pw_session_status(&session), PW_STATUS_AVAILABLE);
    // Without a limit it waits for ever.
    config.connection_timeout_ms = 0;
    start(&config);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now), PW_OK);
    assert_int_equal(step(10), PW_NEVER);
    step(UINT64_C(86400000));
    assert_int_equal(session.phase, PW_PHASE_AUTHORISED);
}

// Errata 3.20: with the cable still in, a start that cannot come about ends in Finishing.
static void a_timeout_with_the_cable_in_is_finishing(void **state)
{
    (void)state;
    struct pw_session_config config = {.connection_timeout_ms = 60000};
    start(&config);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now), PW_OK);
    in.plugged = true;
    in.fault = true;
    step(10);
    step(60000);
    in.fault = false;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_FINISHING);
}

static void the_end_waits_for_the_power_to_go_off(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    in.energy_mwh = 5000;
    assert_int_equal(pw_session_stop(&session, PW_REASON_LOCAL, PW_STR("OTHER"), now), PW_OK);
    assert_false(pw_session_permit(&session)); // at once, before any turn
    assert_int_equal(pw_session_stop(&session, PW_REASON_REMOTE, PW_STR(""), now), PW_ERR_BUSY);
    step(10);
    assert_false(pw_session_take(&session, &event));
    assert_int_equal(pw_session_status(&session), PW_STATUS_FINISHING);
    in.energy_mwh = 5100; // what flowed until the contactor opened is billed too
    in.off = true;
    step(500);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.energy_mwh, 5100);
    assert_int_equal(event.reason, PW_REASON_LOCAL);
    assert_string_equal(event.stop_tag, "OTHER");
    assert_int_equal(pw_session_energy_mwh(&session), 5100);
}

// A welded contactor must not hold the receipt back.
static void an_end_is_told_even_if_the_power_stays(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    assert_int_equal(pw_session_stop(&session, PW_REASON_LOCAL, PW_STR(""), now), PW_OK);
    pw_ms next = step(10);
    assert_int_equal(next, now + 10000);
    step(9999);
    assert_false(pw_session_take(&session, &event));
    step(1);
    assert_true(told(PW_SESSION_END));
}

static void limits_of_energy_time_and_soc_end_the_charge(void **state)
{
    (void)state;
    static const struct pw_session_limits limits[] = {
        {.energy_mwh = 1000}, {.time_ms = 60000}, {.soc_permille = 800}};
    for (size_t i = 0; i < PW_COUNT(limits); i++) {
        start(&(struct pw_session_config){0});
        in.energy_mwh = 77000; // the lifetime register does not start at 0
        in.soc_permille = 700;
        begin();
        pw_session_limit(&session, limits[i]);
        in.energy_mwh += 999;
        in.soc_permille = 799;
        step(50000);
        assert_true(pw_session_permit(&session));
        in.energy_mwh += 1;
        in.soc_permille = 800;
        step(20000);
        assert_false(pw_session_permit(&session));
        in.off = true;
        step(10);
        assert_true(told(PW_SESSION_END));
        assert_int_equal(event.reason, PW_REASON_LOCAL);
        // The next charge has no such limit.
        step(10);
        assert_int_equal(session.limits.energy_mwh + session.limits.time_ms, 0);
    }
}

static void availability_waits_for_the_transaction(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    assert_false(pw_session_set_operative(&session, false, now));
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_CHARGING);
    assert_int_equal(pw_session_stop(&session, PW_REASON_REMOTE, PW_STR(""), now), PW_OK);
    in.off = true;
    step(10);
    step(10);
    assert_true(told(PW_SESSION_END));
    assert_true(told(PW_SESSION_CHANGED));
    assert_int_equal(pw_session_status(&session), PW_STATUS_UNAVAILABLE);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now),
                     PW_ERR_BUSY);
    assert_true(pw_session_set_operative(&session, true, now));
    assert_int_equal(pw_session_status(&session), PW_STATUS_FINISHING);
    // Scheduled and taken back within the transaction: nothing happens at its end.
    in.plugged = false;
    step(10);
    begin();
    assert_false(pw_session_set_operative(&session, false, now));
    assert_true(pw_session_set_operative(&session, true, now));
    in.off = true;
    in.plugged = false;
    step(10);
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_AVAILABLE);
}

// A fault stops the energy; when it passes the charge is where it was.
static void a_fault_within_a_transaction_passes_or_ends_it(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    in.fault = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_FAULTED);
    step(119000);
    in.fault = false;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_CHARGING);
    in.fault = true;
    step(10);
    step(120000);
    in.off = true;
    step(10);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.reason, PW_REASON_OTHER);
}

static void suspended_by_the_station_goes_before_suspended_by_the_vehicle(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    in.paused_ev = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EV);
    in.paused_evse = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EVSE);
    in.paused_evse = false;
    pw_session_suspend(&session, true);
    assert_false(pw_session_permit(&session));
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EVSE);
    pw_session_suspend(&session, false);
    assert_true(pw_session_permit(&session));
}

// Reason: MaxEnergyOnInvalidId: enough to drive home, and not a watt hour more.
static void a_refused_card_gets_its_allowance_and_no_more(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    in.energy_mwh = 7000000;
    begin();
    in.energy_mwh += 499000;
    pw_session_suspend_after(&session, 500000);
    step(10);
    assert_true(pw_session_permit(&session));
    // What has flowed and is not in the register yet counts.
    in.pending_mwh = 1000;
    step(10);
    assert_false(pw_session_permit(&session));
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EVSE);
    assert_true(pw_session_in_transaction(&session));
    // The next charge knows nothing of it.
    assert_int_equal(pw_session_stop(&session, PW_REASON_LOCAL, PW_STR("CARD"), now), PW_OK);
    in.off = true;
    in.pending_mwh = 0;
    step(10);
    assert_true(told(PW_SESSION_END));
    in.plugged = false;
    step(10);
    in.energy_mwh += 1000000;
    begin();
    in.energy_mwh += 1000000;
    step(10);
    assert_true(pw_session_permit(&session));
}

// Reason: §4.9: Reserved while nobody is let charge, plugged in or not; what is worse shows first,
// and whoever has authorised is no stranger.
static void a_reserved_connector_shows_it_until_its_card_comes(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    pw_session_reserve(&session, true);
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_RESERVED);
    // Nobody charges there freely.
    assert_int_equal(pw_session_free(&session, PW_STR("FREE")), PW_OK);
    in.plugged = true;
    step(10);
    assert_int_equal(session.phase, PW_PHASE_PLUGGED);
    assert_int_equal(pw_session_status(&session), PW_STATUS_RESERVED);
    assert_int_equal(pw_session_authorise(&session, PW_STR("FREE"), PW_START_FREE, now),
                     PW_ERR_BUSY);
    in.fault = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_FAULTED);
    in.fault = false;
    assert_true(pw_session_set_operative(&session, false, now));
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_UNAVAILABLE);
    assert_true(pw_session_set_operative(&session, true, now));
    assert_int_equal(pw_session_free(&session, PW_STR("")), PW_OK);
    in.plugged = false;
    step(10);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now), PW_OK);
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_PREPARING);
    in.plugged = true;
    step(10);
    assert_true(told(PW_SESSION_BEGIN));
    pw_session_recorded(&session, true, now);
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_CHARGING);
}

static void unplugging_ends_or_suspends_as_set(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    in.plugged = false;
    in.off = true;
    step(10);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.reason, PW_REASON_EV_DISCONNECTED);

    start(&(struct pw_session_config){.keep_when_unplugged = true});
    begin();
    in.plugged = false;
    in.off = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EV);
    assert_true(pw_session_in_transaction(&session));
    assert_int_equal(pw_session_stop(&session, PW_REASON_REMOTE, PW_STR(""), now), PW_OK);
    step(10);
    assert_true(told(PW_SESSION_END));
}

static void a_full_vehicle_ends_or_suspends_as_set(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    begin();
    in.full = true;
    in.off = true;
    step(10);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.reason, PW_REASON_OTHER);
    start(&(struct pw_session_config){.keep_when_full = true});
    begin();
    in.full = true;
    in.paused_ev = true;
    step(10);
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EV);
}

// After a power cut the journal knows a transaction: it goes on when the vehicle is there, and ends
// with PowerLoss when none shows up.
static void a_transaction_goes_on_after_a_restart(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    in.energy_mwh = 9000;
    assert_int_equal(pw_session_resume(&session, PW_STR("CARD"), 4000, 600000, now), PW_OK);
    step(2000);
    assert_int_equal(pw_session_status(&session), PW_STATUS_SUSPENDED_EV);
    in.plugged = true;
    step(1000);
    assert_int_equal(pw_session_status(&session), PW_STATUS_CHARGING);
    assert_false(pw_session_take(&session, &event)); // no second start
    assert_int_equal(pw_session_energy_mwh(&session), 5000);
    assert_int_equal(pw_session_time_ms(&session, now), 603000);
    in.plugged = false;
    in.off = true;
    step(10);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.reason, PW_REASON_EV_DISCONNECTED);

    start(&(struct pw_session_config){0});
    assert_int_equal(pw_session_resume(&session, PW_STR("CARD"), 0, 0, now), PW_OK);
    step(10);
    step(PW_SESSION_RESUME_MS);
    assert_true(told(PW_SESSION_END));
    assert_int_equal(event.reason, PW_REASON_POWER_LOSS);
}

// While the store takes its time nothing is due: a deadline in the past would spin the caller.
static void waiting_for_a_record_asks_for_no_turn(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    in.plugged = true;
    step(10);
    assert_int_equal(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now), PW_OK);
    step(10);
    in.fault = true;
    step(10);
    for (int i = 0; i < 300; i++) {
        pw_ms next = step(1000);
        assert_true(next > now);
    }
    assert_int_equal(session.phase, PW_PHASE_BEGINNING);
}

// Those above who take no events lose none: the charge waits for them.
static void nothing_is_lost_when_nobody_listens(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    unsigned begins = 0;
    for (int i = 0; i < 50; i++) {
        in.plugged = true;
        step(10);
        either(pw_session_authorise(&session, PW_STR("CARD"), PW_START_CARD, now));
        step(10);
        pw_session_recorded(&session, true, now);
        step(10);
        in.plugged = false;
        step(10);
    }
    unsigned ends = 0;
    while (pw_session_take(&session, &event)) {
        begins += event.kind == PW_SESSION_BEGIN ? 1 : 0;
        ends += event.kind == PW_SESSION_END ? 1 : 0;
    }
    assert_int_equal(session.events.refused, 0);
    step(10);
    while (pw_session_take(&session, &event)) {
        ends += event.kind == PW_SESSION_END ? 1 : 0;
    }
    assert_int_equal(begins, ends + (pw_session_in_transaction(&session) ? 1 : 0));
}

static void a_bad_tag_is_refused(void **state)
{
    (void)state;
    start(&(struct pw_session_config){0});
    assert_int_equal(pw_session_authorise(&session, PW_STR(""), PW_START_CARD, now), PW_ERR_RANGE);
    assert_int_equal(
        pw_session_authorise(&session, PW_STR("123456789012345678901"), PW_START_CARD, now),
        PW_ERR_RANGE);
    assert_int_equal(
        pw_session_authorise(&session, PW_STR("12345678901234567890"), PW_START_CARD, now), PW_OK);
    assert_int_equal(pw_session_stop(&session, PW_REASON_LOCAL, PW_STR(""), now), PW_OK);
    assert_int_equal(session.phase, PW_PHASE_IDLE);
    assert_int_equal(pw_session_stop(&session, PW_REASON_LOCAL, PW_STR(""), now), PW_ERR_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_plug_card_record_and_stop),
        cmocka_unit_test(nobody_plugs_in_within_the_connection_timeout),
        cmocka_unit_test(a_timeout_with_the_cable_in_is_finishing),
        cmocka_unit_test(the_end_waits_for_the_power_to_go_off),
        cmocka_unit_test(an_end_is_told_even_if_the_power_stays),
        cmocka_unit_test(limits_of_energy_time_and_soc_end_the_charge),
        cmocka_unit_test(availability_waits_for_the_transaction),
        cmocka_unit_test(a_fault_within_a_transaction_passes_or_ends_it),
        cmocka_unit_test(suspended_by_the_station_goes_before_suspended_by_the_vehicle),
        cmocka_unit_test(a_refused_card_gets_its_allowance_and_no_more),
        cmocka_unit_test(a_reserved_connector_shows_it_until_its_card_comes),
        cmocka_unit_test(unplugging_ends_or_suspends_as_set),
        cmocka_unit_test(a_full_vehicle_ends_or_suspends_as_set),
        cmocka_unit_test(a_transaction_goes_on_after_a_restart),
        cmocka_unit_test(waiting_for_a_record_asks_for_no_turn),
        cmocka_unit_test(nothing_is_lost_when_nobody_listens),
        cmocka_unit_test(a_bad_tag_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

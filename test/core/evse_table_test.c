// The evse machine's table: one turn from every state with every pilot level, permit, fault,
// instant and reading, judged by rules that know inputs and outputs only; and what the rows say to
// the world.
#include "evse/evse.h"
#include "test.h"

#define STATE_ROW(id, text, pilot, cont, lock, test, lamp) {#id, PW_BOARD_CP_##pilot, cont, test},
enum { OPEN, CLOSED };
enum { NO, YES };
static const struct {
    const char *name;
    enum pw_board_cp pilot;
    bool closed;
    bool test;
} rows[] = {PW_EVSE_STATES(STATE_ROW)};

static const pw_ms insides[] = {5, 450, 3100, 6100, 40000};
static const int32_t limits[] = {0, 5999, 6000, 80000};
#define NOW 10000000

// What one case is made of.
struct place {
    struct pw_evse evse;
    struct pw_board_senses senses;
    enum pw_evse_state from;
    enum pw_pilot_level level;
    bool permit;
    unsigned fault; // PW_EVSE_FAULT_ROWS: none
    pw_ms inside;
    int32_t limit_ma;
    bool diode;
    bool heard;
    bool socket;
};

static unsigned digit(unsigned long *n, unsigned base)
{
    unsigned d = (unsigned)(*n % base);
    *n /= base;
    return d;
}

static const unsigned long cases = (unsigned long)PW_EVSE_STATE_ROWS * (PW_PILOT_LEVEL_ROWS - 1) *
                                   2 * (PW_EVSE_FAULT_ROWS + 1) * PW_COUNT(insides) *
                                   PW_COUNT(limits) * 2 * 2 * 2 * 2 * 3;

static void sense(struct place *p, unsigned contact, bool tripped)
{
    static const int32_t volts[] = {12000, 12000, 9000, 6000, 3000, 0, -12000};
    struct pw_board_senses *s = &p->senses;
    bool closed = contact == PW_BOARD_CONTACT_CLOSED;
    *s = (struct pw_board_senses){
        .at = p->heard ? NOW : NOW - 300,
        .cp_high_mv = volts[p->level],
        .cp_low_mv = p->diode ? -12000 : -3000,
        .pp_ohm = p->level == PW_PILOT_A ? PW_BOARD_OPEN_OHM : 220,
        .contact = (enum pw_board_contact)contact,
        .load_mv = {closed ? 230000 : 0, closed ? 230000 : 0, closed ? 230000 : 0},
        .lock = PW_BOARD_LOCK_CLOSED,
        .rcd = tripped ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK,
        .earth = PW_BOARD_EARTH_OK,
        .temp_dc = {250, PW_BOARD_UNKNOWN},
        .mains = {.at = NOW, .mv = {230000, 230000, 230000}, .ma = {0, 0, 0}},
    };
}

static void put(struct place *p)
{
    struct pw_evse *e = &p->evse;
    const struct pw_evse_config config = {.max_ma = 32000, .socket = p->socket};
    bool ready = p->level == PW_PILOT_C || p->level == PW_PILOT_D;
    assert_int_equal(pw_evse_init(e, 1, &config, NULL, 0, NULL), PW_OK);
    e->state = p->from;
    e->since = NOW - p->inside;
    e->stepped_at = NOW;
    e->driven_at = NOW - p->inside;
    e->duty_at = NOW - p->inside;
    e->tested = true;
    e->plugged = ready || p->level == PW_PILOT_B;
    e->b_seen = e->plugged;
    e->lock_want = p->socket;
    e->drive.lock = p->socket;
    e->cable_ma = 32000;
    e->limits.ma = 32000;
    e->pilot = (struct pw_pilot){.level = p->level,
                                 .candidate = p->level,
                                 .diode = p->diode,
                                 .begun = true,
                                 .at = NOW - 5,
                                 .deep_since = p->diode ? NOW - p->inside : PW_NEVER,
                                 .shallow_since = p->diode ? PW_NEVER : NOW - p->inside};
    e->drive.cp = rows[p->from].pilot;
    e->drive.duty_ppm = rows[p->from].pilot == PW_BOARD_CP_PWM ? 533333 : 0;
    e->offered_ma = pw_pilot_offer_ma(e->drive.duty_ppm);
    e->drive.contactor = rows[p->from].closed;
    e->opened_at = rows[p->from].closed ? PW_NEVER : NOW - p->inside;
    e->true_since[16] = NOW - p->inside; // proven open
    e->rcd_passed = p->from == PW_EVSE_TESTED;
    e->rcd_at = NOW - 5;
    if (p->fault < PW_EVSE_FAULT_ROWS) {
        e->faults = PW_EVSE_BIT(p->fault);
    }
}

static void choose(struct place *p, unsigned long n)
{
    p->from = (enum pw_evse_state)digit(&n, PW_EVSE_STATE_ROWS);
    p->level = (enum pw_pilot_level)(1 + digit(&n, PW_PILOT_LEVEL_ROWS - 1));
    p->permit = digit(&n, 2);
    p->fault = digit(&n, PW_EVSE_FAULT_ROWS + 1);
    p->inside = insides[digit(&n, PW_COUNT(insides))];
    p->limit_ma = limits[digit(&n, PW_COUNT(limits))];
    p->diode = digit(&n, 2);
    p->heard = digit(&n, 2);
    p->socket = digit(&n, 2);
    bool tripped = digit(&n, 2);
    sense(p, digit(&n, 3), tripped);
    put(p);
}

static const char *judge_contactor(const struct place *p, const struct pw_board_drive *d)
{
    bool stopping = p->evse.state == PW_EVSE_STOPPING && NOW - p->evse.since < 6000;
    if (p->level != PW_PILOT_C) {
        return "closed outside of C (D has no ventilation here)";
    }
    if (!p->diode || !p->heard) {
        return "closed without a diode, or on a silent board";
    }
    if (!p->permit && !stopping) {
        return "closed without permit";
    }
    if (p->fault < PW_EVSE_FAULT_ROWS && p->evse.faults != 0) {
        return "closed in spite of a fault";
    }
    if (p->senses.rcd == PW_BOARD_RCD_TRIPPED) {
        return "closed on a tripped residual current device";
    }
    if (p->socket && !d->lock) {
        return "closed unlocked";
    }
    if (!rows[p->from].closed &&
        (p->from != PW_EVSE_TESTED || p->senses.contact == PW_BOARD_CONTACT_CLOSED)) {
        return "closed without a self-test, or without proof that it was open";
    }
    if (!rows[p->from].closed && (p->limit_ma < 6000 || p->inside < 30000)) {
        return "closed with nothing to offer, or without rest";
    }
    return NULL;
}

static const char *judge(const struct place *p, pw_ms next)
{
    const struct pw_board_drive d = pw_evse_drive(&p->evse);
    int32_t offer = pw_pilot_offer_ma(d.duty_ppm);
    if (next <= NOW) {
        return "no deadline ahead";
    }
    if (d.contactor) {
        const char *broken = judge_contactor(p, &d);
        if (broken != NULL || next > NOW + 100) {
            return broken != NULL ? broken : "a closed contactor is not looked at";
        }
    }
    if ((d.cp == PW_BOARD_CP_PWM) != (d.duty_ppm > 0) || offer != p->evse.offered_ma) {
        return "an offer without PWM, or PWM without one";
    }
    if (offer > p->limit_ma || offer > 32000 || (offer > 0 && offer < 6000)) {
        return "offer outside the limits";
    }
    if (offer > 0 && (!p->permit || p->evse.faults != 0 || !p->evse.plugged)) {
        return "offer to nobody, without permit, or in spite of a fault";
    }
    if (d.rcd_test && d.contactor) {
        return "self-test on a closed contactor";
    }
    if (!d.lock && p->socket && p->senses.contact == PW_BOARD_CONTACT_CLOSED) {
        return "unlocked on a closed contactor";
    }
    if (p->evse.off && (d.contactor || p->senses.contact == PW_BOARD_CONTACT_CLOSED)) {
        return "called off while closed";
    }
    bool raised = rows[p->from].pilot == PW_BOARD_CP_PWM && d.duty_ppm > 533333;
    return raised ? "more than the hardware bears" : NULL;
}

// Reason: what fits is enumerated, not sampled.
static void every_state_meets_every_input(void **state)
{
    (void)state;
    unsigned long reached[PW_EVSE_STATE_ROWS] = {0};
    unsigned long closed = 0;
    for (unsigned long n = 0; n < cases; n++) {
        static struct place p;
        choose(&p, n);
        const struct pw_evse_input input = {
            .senses = &p.senses, .permit = p.permit, .limit_ma = p.limit_ma};
        pw_ms next = pw_evse_step(&p.evse, &input, NOW);
        const char *broken = judge(&p, next);
        if (broken != NULL) {
            fail_msg("case %lu, %s -> %s at %s, fault %u, %lu ms inside: %s", n, rows[p.from].name,
                     rows[p.evse.state].name, pw_pilot_level_name(p.level), p.fault,
                     (unsigned long)p.inside, broken);
        }
        reached[p.evse.state]++;
        closed += p.evse.drive.contactor ? 1 : 0;
    }
    for (unsigned i = 0; i < PW_EVSE_STATE_ROWS; i++) {
        if (reached[i] == 0) {
            fail_msg("%s is never reached", rows[i].name);
        }
    }
    assert_true(closed > 0);
    print_message("%lu cases of state, level, permit, fault, instant, limit, diode, board, lock, "
                  "RCD and contact; closed in %lu\n",
                  cases, closed);
}

// Reason: a fault that OCPP has no word for would be lost on its way.
static void every_fault_has_a_code_that_ocpp_knows(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "ConnectorLockFailure", "EVCommunicationError", "GroundFailure", "HighTemperature",
        "InternalError",        "OtherError",           "OverVoltage",   "OverCurrentFailure",
        "PowerSwitchFailure",   "UnderVoltage"};
    for (unsigned i = 0; i < PW_EVSE_FAULT_ROWS; i++) {
        bool known = false;
        for (size_t k = 0; k < PW_COUNT(codes); k++) {
            known = known || pw_str_is(pw_str_of(pw_evse_fault_rows[i].ocpp16), codes[k]);
        }
        assert_true(known);
        assert_true(pw_str_of(pw_evse_fault_rows[i].vendor).len <= 50);
        assert_true(pw_str_of(pw_evse_fault_rows[i].text).len <= 50);
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(pw_evse_fault_rows[i].vendor, pw_evse_fault_rows[k].vendor);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_meets_every_input),
        cmocka_unit_test(every_fault_has_a_code_that_ocpp_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

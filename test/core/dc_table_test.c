// The dc machine's table: one turn from every state with every combination of inputs, and what the
// rows say to the world.
#include "dc/dc.h"
#include "dc_oracle.h"
#include "test.h"

#define STATE_ROW(id, text, rect, cont, cur, bound, faulted) {#id, cont, rect},
enum { OFF, ON };
enum { OPEN, CLOSED };
static const struct {
    const char *name;
    bool closed;
    bool rectifier;
} rows[] = {PW_DC_STATES(STATE_ROW)};

// Which state may follow which in one turn, several moves at a time; 1 << state.
static bool may_follow(enum pw_dc_state from, enum pw_dc_state to)
{
    // A contactor closes only out of the checks, and only by way of CLOSING.
    if (rows[to].closed && !rows[from].closed) {
        return to == PW_DC_CLOSING &&
               (from == PW_DC_IDLE || from == PW_DC_READY || from == PW_DC_CHECKING ||
                from == PW_DC_PRECHARGE || from == PW_DC_FAULTED || from == PW_DC_PROVING);
    }
    // A rectifier that was switched off in a closed state is not switched on in one.
    bool was_off = rows[from].closed && !rows[from].rectifier;
    return !(was_off && rows[to].closed && rows[to].rectifier);
}

struct place {
    struct pw_dc dc;
    struct pw_dc_input in;
    pw_ms now;
};

static void put(struct place *p, enum pw_dc_state state, pw_ms inside)
{
    static const struct pw_dc_config defaults;
    p->now = 1000000;
    assert_int_equal(pw_dc_init(&p->dc, 1, &defaults, NULL, 0, NULL), PW_OK);
    p->dc.state = state;
    p->dc.since = p->now - inside;
    p->dc.stepped_at = p->now;
    p->dc.ramp_at = p->now;
    p->dc.plugged = state != PW_DC_IDLE;
    p->dc.plugged_since = p->now - inside - 60000;
    p->dc.asked_ma = rows[state].closed ? 30000 : 0;
    p->dc.out.set_ma = state == PW_DC_CHARGING ? 30000 : 0;
    p->dc.limits = (struct pw_dc_limits){.mv = 84000, .ma = 30000, .who = PW_DC_BOUND_VEHICLE};
    p->dc.opened_at = rows[state].closed ? PW_NEVER : p->now - inside;
    if (state == PW_DC_FAULTED || state == PW_DC_EMERGENCY) {
        p->dc.faults = PW_DC_BIT(PW_DC_FAULT_OVER_VOLTAGE);
    }
}

static unsigned digit(unsigned long *n, unsigned base)
{
    unsigned d = (unsigned)(*n % base);
    *n /= base;
    return d;
}

enum { COMBINATIONS = 2 * 2 * 2 * 3 * 4 * 2 * 2 * 6 * 3 * 2 * 2 * 2 * 3 };

static pw_ms choose(struct place *p, unsigned long n)
{
    static const pw_ms bms_ages[] = {100, 2600, 10000};
    static const struct {
        pw_ms age;
        int32_t mv;
        int32_t ma;
    } outputs[] = {{5000, 76000, 0}, {50, 20000, 0},     {50, 76000, 0},
                   {50, 84000, 0},   {50, 77000, 20000}, {50, 88000, 200000}};
    static const int32_t batteries[] = {0, 76000, -5000};
    static const pw_ms inside[] = {10, 700, 25000};
    p->in = (struct pw_dc_input){.stack_ma = 32000,
                                 .bms_mv = 84000,
                                 .soc_permille = 500,
                                 .rectifier_mv = -1,
                                 .io_at = p->now - 5,
                                 .battery_at = PW_NEVER,
                                 .temp_at = p->now};
    p->in.permit = digit(&n, 2);
    p->in.bus_ok = digit(&n, 2);
    p->in.estop = digit(&n, 2);
    p->in.feedback = (enum pw_dc_feedback)digit(&n, 3);
    unsigned bms = digit(&n, 4);
    p->in.bms_at = bms == 3 ? PW_NEVER : p->now - bms_ages[bms];
    p->in.bms_stop = digit(&n, 2);
    p->in.bms_ma = digit(&n, 2) == 0 ? 0 : 30000;
    unsigned out = digit(&n, 6);
    p->in.out_at = p->now - outputs[out].age;
    p->in.out_mv = outputs[out].mv;
    p->in.out_ma = outputs[out].ma;
    p->in.battery_mv = batteries[digit(&n, 3)];
    p->in.battery_at = p->in.battery_mv == 0 ? PW_NEVER : p->now - 50;
    p->in.rectifier_at = digit(&n, 2) == 0 ? p->now - 50 : p->now - 20000;
    p->in.alarms = digit(&n, 2) == 0 ? 0 : PW_DC_ALARM_FAULT;
    p->in.temp_dc = digit(&n, 2) == 0 ? 300 : 720;
    return inside[digit(&n, 3)];
}

static void every_state_meets_every_input(void **state)
{
    (void)state;
    unsigned reached[PW_DC_STATE_ROWS] = {0};
    for (unsigned from = 0; from < PW_DC_STATE_ROWS; from++) {
        for (unsigned long n = 0; n < COMBINATIONS; n++) {
            static struct place p;
            p.now = 1000000;
            pw_ms inside = choose(&p, n);
            put(&p, (enum pw_dc_state)from, inside);
            pw_ms next = pw_dc_step(&p.dc, &p.in, p.now);
            const char *broken = dc_oracle_instant(&p.dc, &p.in, p.now);
            if (broken == NULL && next <= p.now) {
                broken = "no deadline ahead";
            }
            if (broken == NULL && !may_follow((enum pw_dc_state)from, p.dc.state)) {
                broken = "a step that no rule allows";
            }
            if (broken != NULL) {
                fail_msg("%s -> %s, combination %lu: %s", rows[from].name, rows[p.dc.state].name, n,
                         broken);
            }
            reached[p.dc.state]++;
        }
    }
    for (unsigned i = 0; i < PW_DC_STATE_ROWS; i++) {
        assert_true(reached[i] > 0);
    }
}

// Every fault row says something OCPP 1.6 knows.
static void every_fault_has_a_code_that_ocpp_knows(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "ConnectorLockFailure", "EVCommunicationError", "GroundFailure",      "HighTemperature",
        "InternalError",        "LocalListConflict",    "OtherError",         "OverCurrentFailure",
        "OverVoltage",          "PowerMeterFailure",    "PowerSwitchFailure", "ReaderFailure",
        "ResetFailure",         "UnderVoltage",         "WeakSignal"};
    for (unsigned i = 0; i < PW_DC_FAULT_ROWS; i++) {
        bool known = false;
        for (size_t k = 0; k < PW_COUNT(codes); k++) {
            known = known || pw_str_is(pw_str_of(pw_dc_fault_rows[i].ocpp16), codes[k]);
        }
        assert_true(known);
        assert_true(pw_str_of(pw_dc_fault_rows[i].vendor).len <= 50);
        assert_true(pw_str_of(pw_dc_fault_rows[i].text).len <= 50);
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

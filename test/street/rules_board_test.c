// The rules before an OpenEVSE board: off is the board's "disabled", asleep its "sleeping"; a limit
// counts what flows over all phases of a board that measures one.
#include "street.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define ELEVEN_PM INT64_C(1767304800000) // 2026-01-01 23:00 in Ljubljana

static struct street street;

static struct pw_world_oe_truth truth(void)
{
    return pw_world_oe_truth(&street.oe);
}

static bool is_online(const struct street *s)
{
    return strcmp(book_status_of(&s->book, 1), "") != 0;
}

static bool is_finishing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_FINISHING;
}

static bool is_suspended(const struct street *s)
{
    return street_view(s).status == PW_STATUS_SUSPENDED_EVSE;
}

static bool is_disabled(const struct street *s)
{
    return pw_world_oe_truth(&s->oe).state == PW_OEBOARD_DISABLED;
}

static bool is_sleeping(const struct street *s)
{
    return pw_world_oe_truth(&s->oe).state == PW_OEBOARD_SLEEPING;
}

static bool flows(const struct street *s)
{
    return pw_world_oe_truth(&s->oe).ma[0] > 1000;
}

static void open_street_at(pw_unix_ms at, const char *car)
{
    struct pw_world_oe_config config = pw_world_oe_defaults();
    config.board = pw_oeboard_named(PW_STR("8.2.3-eu"));
    street_open_oe(&street, &config);
    street.wall = at - (pw_unix_ms)street.now;
    street_set(&street, "schedule.time_zone", "CET-1CEST,M3.5.0,M10.5.0/3");
    street_set(&street, "charging.plug_and_charge", "true");
    street_do(&street, car);
}

static void power_on(void)
{
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 10000));
    assert_true(street_until(&street, street_is_idle, 30000));
}

// Nobody presents a card here: plugging in gives leave.
static void plug(void)
{
    street_do(&street, "plug");
    oewatch_leave(&street.oewatch);
}

static void finish(void)
{
    if (street.oewatch.violations != 0) {
        fail_msg("%u violations; %s", street.oewatch.violations, street.oewatch.what);
    }
    street_close(&street);
}

// Reason: facts §3.1 set_enable: off is $FD, asleep $FS, on $FE; in force at once and after a
// restart.
static void off_disables_the_board_and_sleep_puts_it_to_sleep(void **state)
{
    (void)state;
    open_street_at(ELEVEN_PM, "car honest");
    power_on();
    plug();
    assert_true(street_until(&street, flows, 60000));
    (void)street_command(&street, "set charging.enable sleep");
    assert_true(street_until(&street, is_sleeping, 15000));
    street_run(&street, 5000);
    assert_false(flows(&street));
    assert_true(is_suspended(&street));
    (void)street_command(&street, "set charging.enable on");
    oewatch_leave(&street.oewatch);
    assert_true(street_until(&street, flows, 120000));
    assert_int_equal(street.book.count, 1);
    (void)street_command(&street, "set charging.enable off");
    assert_true(street_until(&street, is_disabled, 20000));
    street_run(&street, 20000);
    assert_string_equal(street.book.transactions[0].reason, "Local");
    street_crash(&street);
    street_run(&street, 5000);
    street_power_on(&street);
    street_run(&street, 60000);
    assert_true(is_disabled(&street));
    assert_int_equal(street_view(&street).status, PW_STATUS_UNAVAILABLE);
    (void)street_command(&street, "set charging.enable on");
    oewatch_leave(&street.oewatch);
    assert_true(street_until(&street, flows, 120000));
    finish();
}

static void a_night_and_a_power_cut_in_it(void **state)
{
    (void)state;
    open_street_at(ELEVEN_PM - 300000, "car honest");
    street_set(&street, "schedule.delay_timer", "23:00-06:30");
    power_on();
    plug();
    assert_true(street_until(&street, is_suspended, 30000));
    assert_true(is_sleeping(&street));
    street_run(&street, (pw_ms)(ELEVEN_PM - street.wall) - street.now);
    assert_int_equal(truth().wear.closings, 0);
    assert_true(street_until(&street, flows, 30000));
    street_power_off(&street);
    street_run(&street, 60000);
    street_power_on(&street);
    oewatch_leave(&street.oewatch);
    assert_true(street_until(&street, flows, 120000)); // its time has not ended
    finish();
}

// Reason: a board that measures one phase counted a third, and three times the limit flowed.
static void an_energy_limit_counts_all_phases(void **state)
{
    (void)state;
    static const char *const phases[] = {"3", "1"};
    for (size_t i = 0; i < PW_COUNT(phases); i++) {
        open_street_at(ELEVEN_PM, i == 0 ? "car honest" : "car single");
        street_set(&street, "connectors[0].phases", phases[i]);
        street_set(&street, "charging.energy_limit_wh", "2000");
        power_on();
        plug();
        assert_true(street_until(&street, flows, 120000));
        assert_true(street_until(&street, is_finishing, 3600000));
        street_run(&street, 5000);
        assert_string_equal(street.book.transactions[0].reason, "Local");
        // The board's ammeter reads up to a percent low, and its voltage is what it believes in.
        int64_t wh = truth().energy_mwh / 1000;
        if (wh < 1950 || wh > 2080) {
            fail_msg("%s phases: %lld Wh flowed", phases[i], (long long)wh);
        }
        finish();
    }
}

// Reason: facts §3.2 timer 3: a board lets a vehicle draw 10 % and more above its pilot.
static void a_vehicle_that_draws_too_much_is_stopped(void **state)
{
    (void)state;
    open_street_at(ELEVEN_PM, "car greedy");
    street_set(&street, "connectors[0].ac_current_max_ma", "10000");
    power_on();
    plug();
    assert_true(street_until(&street, flows, 60000));
    assert_true(street_until(&street, is_finishing, 30000));
    street_run(&street, 3000);
    struct pw_rules_view view;
    pw_rules_view(&street.station->rules, 0, &view, street.now);
    assert_true(view.over);
    assert_string_equal(street.book.transactions[0].reason, "Other");
    street_close(&street);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_disables_the_board_and_sleep_puts_it_to_sleep),
        cmocka_unit_test(a_night_and_a_power_cut_in_it),
        cmocka_unit_test(an_energy_limit_counts_all_phases),
        cmocka_unit_test(a_vehicle_that_draws_too_much_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The blank port on a machine made of the simulated world, in virtual time: one outlet's firmware
// charges a car, with the counter of the machine wrapping in the middle.
#include "acworld/acworld.h"
#include "firmware.h"
#include "test.h"

#include <setjmp.h>
#include <string.h>

#define BEFORE_WRAP 8000 // ms from the start to the counter's wrap: the car charges by then

struct bench {
    struct pw_world_ac world;
    pw_ms now; // of world and firmware
    pw_ms firmware_at;
    pw_ms driven_at;
    pw_ms longest_ms; // between two drives
    unsigned offs;
    char said[512]; // the last text
    jmp_buf restart;
};

static struct pw_firmware firmware;

static uint32_t ticks_ms(void *context)
{
    const struct bench *bench = context;
    return (uint32_t)(UINT32_MAX - BEFORE_WRAP + 1U + bench->now);
}

static void put(void *context, struct pw_str text)
{
    struct bench *bench = context;
    (void)!pw_str_copy(bench->said, sizeof(bench->said), text);
}

static bool sense(void *context, struct pw_board_senses *senses, pw_ms now)
{
    struct bench *bench = context;
    assert_int_equal(now, bench->now);
    return pw_world_ac_take_senses(&bench->world, senses);
}

static void drive(void *context, const struct pw_board_drive *drive)
{
    struct bench *bench = context;
    pw_ms gap = bench->now - bench->driven_at;
    bench->longest_ms = gap > bench->longest_ms ? gap : bench->longest_ms;
    bench->driven_at = bench->now;
    pw_world_ac_drive(&bench->world, drive, bench->now);
}

static void off(void *context)
{
    struct bench *bench = context;
    bench->offs++;
}

static void restart(void *context)
{
    struct bench *bench = context;
    longjmp(bench->restart, 1);
}

static struct pw_blank_machine machine_of(struct bench *bench)
{
    return (struct pw_blank_machine){.context = bench,
                                     .ticks_ms = ticks_ms,
                                     .put = put,
                                     .sense = sense,
                                     .drive = drive,
                                     .off = off,
                                     .restart = restart};
}

static void run(struct bench *bench, pw_ms ms)
{
    pw_ms until = bench->now + ms;
    while (bench->now < until) {
        pw_ms world_at = pw_world_ac_step(&bench->world, bench->now);
        bench->firmware_at = pw_firmware_turn(&firmware);
        pw_ms next = pw_earlier(pw_earlier(world_at, bench->firmware_at), until);
        bench->now = next > bench->now ? next : bench->now + 1;
    }
}

static void begin(struct bench *bench, struct pw_blank_machine *machine)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_board_traits traits = {.step_ppm = 100};
    struct pw_world_ac_config config = pw_world_ac_defaults();
    memset(bench, 0, sizeof(*bench));
    config.plugged = true;
    pw_world_ac_init(&bench->world, &config, 0);
    *machine = machine_of(bench);
    if (pw_firmware_open(&firmware, machine, &traits, &why) != PW_OK) {
        fail_msg("%s", text);
    }
}

// ---------------------------------------------------------------------------------------------

static void a_firmware_charges_a_car_across_the_counters_wrap(void **state)
{
    static struct bench bench;
    struct pw_blank_machine machine;
    (void)state;
    begin(&bench, &machine);
    assert_int_equal(bench.offs, 1); // before anything else
    run(&bench, 20000);
    struct pw_world_ac_truth truth = pw_world_ac_truth(&bench.world);
    assert_true(truth.any_closed);
    assert_in_range(truth.ma[0], 15000, 16000);
    assert_true(bench.longest_ms <= PW_BLANK_REPEAT_MS);
    assert_false(truth.board_expired);
    // Out comes the plug: facts/ac-evse-rapi-load.md §1.3, 100 ms in all.
    pw_world_ac_plug(&bench.world, false);
    run(&bench, 100);
    truth = pw_world_ac_truth(&bench.world);
    assert_false(truth.any_closed);
}

static void a_failed_assertion_switches_off_says_where_and_restarts(void **state)
{
    static struct bench bench;
    struct pw_blank_machine machine;
    (void)state;
    begin(&bench, &machine);
    bench.offs = 0;
    if (setjmp(bench.restart) == 0) {
        PW_ASSERT(bench.offs == 1);
    }
    assert_int_equal(bench.offs, 1);
    assert_non_null(strstr(bench.said, "PANIC "));
    assert_non_null(strstr(bench.said, "assertion failed: bench.offs == 1"));
    pw_blank_panic_machine(NULL);
}

// Reason: the machine to begin with must let the firmware start: it is what a porter has first.
static void on_a_machine_with_nothing_the_firmware_starts_and_stays_off(void **state)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_board_traits traits = {.step_ppm = 1};
    (void)state;
    assert_int_equal(pw_firmware_open(&firmware, &pw_blank_nothing, &traits, &why), PW_OK);
    (void)pw_firmware_turn(&firmware);
    assert_int_equal(firmware.board.drive.cp, PW_BOARD_CP_FAULT);
    assert_false(firmware.board.drive.contactor);
    pw_blank_panic_machine(NULL);
}

// ---------------------------------------------------------------------------------------------

static struct pw_store_change set(const char *key, const char *value)
{
    return (struct pw_store_change){.key = pw_str_of(key), .value = pw_str_of(value)};
}

static void expect_next(const struct pw_store *store, const char *prefix, const char *after,
                        const char *expected)
{
    char key[PW_STORE_KEY_MAX + 1] = "";
    char value[PW_STORE_VALUE_MAX];
    int len =
        store->next(store->context, pw_str_of(prefix), pw_str_of(after), key, value, sizeof(value));
    if (expected == NULL) {
        assert_int_equal(len, PW_ERR_UNKNOWN);
        return;
    }
    assert_true(len >= 0);
    assert_string_equal(key, expected);
}

static void the_store_keeps_the_contract_but_for_the_power(void **state)
{
    static struct pw_blank_record records[4];
    struct pw_blank_store own;
    char value[8];
    (void)state;
    pw_blank_store_init(&own, records, PW_COUNT(records));
    struct pw_store store = pw_blank_store(&own);
    const struct pw_store_change three[] = {set("b/2", "two"), set("b/10", "ten"), set("a", "")};
    assert_int_equal(store.durable(store.context), 0);
    int64_t ticket = store.write(store.context, three, 3);
    assert_int_equal(ticket, 1);
    assert_int_equal(store.durable(store.context), 1);
    assert_int_equal(store.get(store.context, PW_STR("b/2"), value, sizeof(value)), 3);
    assert_memory_equal(value, "two", 3);
    assert_int_equal(store.get(store.context, PW_STR("a"), value, sizeof(value)), 0);
    assert_int_equal(store.get(store.context, PW_STR("b"), value, sizeof(value)), PW_ERR_UNKNOWN);
    assert_int_equal(store.get(store.context, PW_STR("b/2"), value, 2), PW_ERR_LIMIT);
    expect_next(&store, "", "", "a");
    expect_next(&store, "b/", "", "b/10");
    expect_next(&store, "b/", "b/10", "b/2");
    expect_next(&store, "b/", "b/2", NULL);
    // All or nothing: two new ones do not fit, so the old one does not change either.
    const struct pw_store_change much[] = {set("a", "x"), set("c", ""), set("d", "")};
    assert_int_equal(store.write(store.context, much, 3), PW_ERR_LIMIT);
    assert_int_equal(store.get(store.context, PW_STR("a"), value, sizeof(value)), 0);
    const struct pw_store_change gone = {.key = PW_STR("b/2"), .remove = true};
    assert_int_equal(store.write(store.context, &gone, 1), 2);
    assert_int_equal(store.write(store.context, &gone, 1), 3); // twice is fine
    assert_int_equal(store.write(store.context, much, 3), 4);
    assert_int_equal(store.get(store.context, PW_STR("a"), value, sizeof(value)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firmware_charges_a_car_across_the_counters_wrap),
        cmocka_unit_test(a_failed_assertion_switches_off_says_where_and_restarts),
        cmocka_unit_test(on_a_machine_with_nothing_the_firmware_starts_and_stays_off),
        cmocka_unit_test(the_store_keeps_the_contract_but_for_the_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

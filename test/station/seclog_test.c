// The security log: its ring, its chain, and what has still to be told. Whitepaper edition 3, A04.
#include "seclog/seclog.h"
#include "simstore.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

struct fixture {
    struct pw_sim_store store;
    struct pw_seclog seclog;
};

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    pw_sim_store_init(&f.store);
    pw_seclog_open(&f.seclog, &f.store.port, NULL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pw_sim_store_free(&f->store);
    return 0;
}

// The store's disk keeps up.
static void settle(struct fixture *f)
{
    (void)f->store.port.durable(&f->store);
}

static void add(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct pw_seclog_record record = {.kind = PW_SECURITY_RESET, .wall = 1000 + i, .boot = 3};
        (void)snprintf(record.detail, sizeof(record.detail), "detail %u", i);
        assert_int_equal(pw_seclog_add(&f->seclog, &record), PW_OK);
        settle(f);
    }
}

// The number of the first record that does not fit; 0: the chain is whole.
static uint32_t check(struct fixture *f, uint32_t *records)
{
    struct pw_seclog_check it;
    settle(f);
    pw_seclog_check_begin(&f->seclog, &it);
    while (pw_seclog_check_step(&f->seclog, &it, 7)) {
    }
    *records = it.records;
    return it.bad;
}

// A change of the store behind the log's back.
static void tamper(struct fixture *f, const char *key, size_t at)
{
    char value[PW_STORE_VALUE_MAX];
    int len = f->store.port.get(&f->store, pw_str_of(key), value, sizeof(value));
    assert_true(len > (int)at);
    value[at] ^= 1;
    const struct pw_store_change change = {.key = pw_str_of(key),
                                           .value = {.at = value, .len = (size_t)len}};
    assert_true(f->store.port.write(&f->store, &change, 1) > 0);
    settle(f);
}

// Reason: a log that can be edited unseen proves nothing.
static void a_record_that_is_changed_shows(void **state)
{
    struct fixture *f = *state;
    uint32_t records = 0;
    add(f, 20);
    assert_int_equal(check(f, &records), 0);
    assert_int_equal(records, 20);
    // Every byte of a record, version and lengths included.
    for (size_t at = 0; at < 99; at++) {
        tamper(f, "sec/0007", at);
        assert_int_equal(check(f, &records), 7);
        tamper(f, "sec/0007", at);
    }
    assert_int_equal(check(f, &records), 0);
    tamper(f, "sec/0001", 30);
    assert_int_equal(check(f, &records), 1);
}

// Reason: the newest records are those that somebody would like to be gone.
static void an_end_that_is_cut_off_or_made_anew_shows(void **state)
{
    struct fixture *f = *state;
    uint32_t records = 0;
    add(f, 5);
    const struct pw_store_change gone = {.key = PW_STR("sec/0005"), .remove = true};
    assert_true(f->store.port.write(&f->store, &gone, 1) > 0);
    assert_int_equal(check(f, &records), 5);
    struct pw_seclog forged = f->seclog;
    forged.newest = 4;
    forged.hash[0] ^= 1;
    struct pw_seclog_record record = {.kind = PW_SECURITY_RESET};
    assert_int_equal(pw_seclog_add(&forged, &record), PW_OK);
    settle(f);
    pw_seclog_open(&f->seclog, &f->store.port, NULL);
    assert_int_equal(check(f, &records), 5);
}

// Reason: bounded, and whole, however long a station lives.
static void the_ring_keeps_the_newest_thousand_in_one_chain(void **state)
{
    struct fixture *f = *state;
    struct pw_seclog_record record;
    uint32_t records = 0;
    add(f, PW_SECLOG_RECORDS * 2 + 11);
    assert_int_equal(pw_seclog_oldest(&f->seclog), PW_SECLOG_RECORDS + 12);
    assert_int_equal(pw_sim_store_count(&f->store, "sec/"), PW_SECLOG_RECORDS + 1);
    assert_int_equal(check(f, &records), 0);
    assert_int_equal(records, PW_SECLOG_RECORDS);
    assert_int_equal(pw_seclog_read(&f->seclog, PW_SECLOG_RECORDS + 11, &record), PW_ERR_UNKNOWN);
    // What went before it was told is counted, not hidden.
    assert_int_equal(f->seclog.lost, PW_SECLOG_RECORDS + 11);
    assert_int_equal(pw_seclog_untold(&f->seclog, &record), PW_OK);
    assert_int_equal(record.number, PW_SECLOG_RECORDS + 12);
    pw_seclog_open(&f->seclog, &f->store.port, NULL);
    assert_int_equal(check(f, &records), 0);
    assert_int_equal(f->seclog.newest, PW_SECLOG_RECORDS * 2 + 11);
}

// Reason: A04.FR.02, guaranteed delivery: cut at every operation of the store nothing is lost, and
// nothing is told that is not safe.
static void power_cuts_lose_no_event_that_was_safe(void **state)
{
    struct fixture *f = *state;
    for (uint64_t cut_at = 1; cut_at < 40; cut_at++) {
        struct pw_seclog_record record;
        uint32_t records = 0;
        uint32_t told = 0;
        uint32_t safe = 0;
        pw_sim_store_free(&f->store);
        pw_sim_store_init(&f->store);
        f->store.lag = 2;
        f->store.cut_at = cut_at;
        pw_seclog_open(&f->seclog, &f->store.port, NULL);
        for (unsigned i = 0; i < 6 && !f->store.cut; i++) {
            struct pw_seclog_record next = {.kind = PW_SECURITY_STARTUP, .wall = i};
            (void)!pw_seclog_add(&f->seclog, &next);
            for (unsigned look = 0; look < 3; look++) {
                bool durable = f->store.port.durable(&f->store) >= f->seclog.ticket;
                safe = durable && !f->store.cut ? f->seclog.newest : safe;
            }
            if (pw_seclog_untold(&f->seclog, &record) == PW_OK && !f->store.cut) {
                assert_int_equal(record.number, told + 1);
                told = record.number;
                pw_seclog_said(&f->seclog, told);
            }
        }
        pw_sim_store_restart(&f->store);
        pw_seclog_open(&f->seclog, &f->store.port, NULL);
        assert_true(f->seclog.newest >= safe);
        assert_true(f->seclog.told <= told); // told again, perhaps; never left out
        assert_int_equal(check(f, &records), 0);
        assert_int_equal(records, f->seclog.newest);
    }
}

// Reason: an unreadable head is said in the log itself.
static void a_damaged_head_begins_a_log_that_says_so(void **state)
{
    struct fixture *f = *state;
    struct pw_seclog_record record;
    uint32_t records = 0;
    add(f, 3);
    tamper(f, "sec/h", 0);
    pw_seclog_open(&f->seclog, &f->store.port, NULL);
    assert_int_equal(f->seclog.newest, 1);
    settle(f);
    assert_int_equal(pw_seclog_read(&f->seclog, 1, &record), PW_OK);
    assert_int_equal(record.kind, PW_SECURITY_LOG_CLEARED);
    assert_int_equal(check(f, &records), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_record_that_is_changed_shows),
        CASE(an_end_that_is_cut_off_or_made_anew_shows),
        CASE(the_ring_keeps_the_newest_thousand_in_one_chain),
        CASE(power_cuts_lose_no_event_that_was_safe),
        CASE(a_damaged_head_begins_a_log_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Installed profiles and their store: what takes whose place, and what a power cut leaves.
#include "simstore.h"
#include "smart/smart.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define WALL INT64_C(1785000000000)

struct bench {
    struct pw_sim_store store;
    struct pw_settings settings;
    struct pw_journal journal;
    struct pw_connector connector[PW_CONNECTORS_MAX];
    struct pw_smart smart;
};

static void start(struct bench *b)
{
    assert_int_equal(pw_journal_open(&b->journal, &b->store.port, NULL), PW_OK);
    const struct pw_smart_parts parts = {.settings = &b->settings,
                                         .store = &b->store.port,
                                         .journal = &b->journal,
                                         .connector = b->connector,
                                         .connectors = 2};
    assert_int_equal(pw_smart_init(&b->smart, &parts), PW_OK);
}

static struct bench *open_bench(void)
{
    static struct bench bench;
    memset(&bench, 0, sizeof(bench));
    pw_sim_store_init(&bench.store);
    pw_settings_init(&bench.settings);
    start(&bench);
    return &bench;
}

// What was written reaches the disk.
static void settle(struct bench *b)
{
    for (unsigned i = 0; i < 8; i++) {
        (void)b->store.port.durable(b->store.port.context);
    }
}

static void close_bench(struct bench *b)
{
    pw_sim_store_free(&b->store);
}

static struct pw_profile profile(int32_t id, enum pw_profile_purpose purpose, int32_t level)
{
    return (struct pw_profile){.id = id,
                               .level = level,
                               .purpose = (uint8_t)purpose,
                               .kind = PW_PROFILE_RELATIVE,
                               .unit = PW_PROFILE_AMPERE,
                               .valid_from = PW_PROFILE_ALWAYS,
                               .valid_to = PW_PROFILE_EVER,
                               .periods = 2,
                               .start_s = {0, 60},
                               .limit_tenths = {100 + id, 60}};
}

static int set(struct bench *b, unsigned connector, uint32_t transaction, int32_t id,
               enum pw_profile_purpose purpose, int32_t level)
{
    char text[120] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_profile p = profile(id, purpose, level);
    return pw_smart_set(&b->smart, connector, transaction, &p, WALL, &why);
}

static const struct pw_profile_slot *find(const struct bench *b, int32_t id)
{
    const struct pw_profile_slot *found = NULL;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        const struct pw_profile_slot *slot = &b->smart.set.slot[i];
        if (slot->used && slot->profile.id == id) {
            assert_null(found); // never twice
            found = slot;
        }
    }
    return found;
}

static unsigned count(const struct bench *b)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PW_PROFILES_MAX; i++) {
        n += b->smart.set.slot[i].used ? 1 : 0;
    }
    return n;
}

static uint32_t begin(struct bench *b, unsigned connector)
{
    struct pw_transaction transaction = {.connector = (uint8_t)connector, .id_tag = "TAG"};
    assert_true(pw_journal_begin(&b->journal, &transaction) > 0);
    return transaction.seq;
}

// ---------------------------------------------------------------------------------------------

// Reason: two profiles with one level would leave it to chance which counts; §5.16.3.
static void what_comes_takes_the_place_of_its_like(void **state)
{
    (void)state;
    struct bench *b = open_bench();
    uint32_t transaction = begin(b, 1);
    assert_int_equal(set(b, 0, 0, 1, PW_PROFILE_DEFAULT, 0), PW_OK);
    assert_int_equal(set(b, 1, 0, 2, PW_PROFILE_DEFAULT, 0), PW_OK); // another connector
    assert_int_equal(set(b, 0, 0, 3, PW_PROFILE_STATION, 0), PW_OK); // another purpose
    assert_int_equal(set(b, 1, transaction, 4, PW_PROFILE_TX, 0), PW_OK);
    assert_int_equal(count(b), 4);
    assert_int_equal(set(b, 0, 0, 5, PW_PROFILE_DEFAULT, 0), PW_OK);
    assert_null(find(b, 1));
    // By its id it takes one place, by its level another.
    assert_int_equal(set(b, 1, 0, 3, PW_PROFILE_DEFAULT, 0), PW_OK);
    assert_null(find(b, 2));
    assert_int_equal(find(b, 3)->profile.purpose, PW_PROFILE_DEFAULT);
    assert_int_equal(count(b), 3);
    assert_int_equal(set(b, 1, transaction, 6, PW_PROFILE_TX, 0), PW_OK);
    assert_null(find(b, 4));
    // What is refused changes nothing.
    assert_int_equal(set(b, 1, 0, 6, PW_PROFILE_STATION, 0), PW_ERR_RANGE);
    assert_int_equal(set(b, 0, transaction, 6, PW_PROFILE_TX, 0), PW_ERR_RANGE);
    assert_int_equal(set(b, 3, 0, 6, PW_PROFILE_DEFAULT, 0), PW_ERR_RANGE);
    assert_int_equal(find(b, 6)->profile.purpose, PW_PROFILE_TX);
    assert_int_equal(count(b), 3);
    close_bench(b);
}

// Reason: erratum 3.37, profiles last; those of a transaction that is over do not come back.
static void a_restart_finds_what_was_there(void **state)
{
    (void)state;
    struct bench *b = open_bench();
    uint32_t transaction = begin(b, 1);
    const struct pw_profile waiting = profile(9, PW_PROFILE_TX, 1);
    char text[120] = "";
    struct pw_out why = PW_OUT(text);
    assert_int_equal(set(b, 0, 0, 1, PW_PROFILE_STATION, 3), PW_OK);
    assert_int_equal(set(b, 1, transaction, 2, PW_PROFILE_TX, 0), PW_OK);
    assert_int_equal(pw_smart_expect(&b->smart, 2, &waiting, WALL, &why), PW_OK);
    settle(b);
    pw_sim_store_restart(&b->store);
    start(b);
    assert_int_equal(count(b), 2); // the start that was awaited is not
    assert_int_equal(find(b, 2)->transaction, transaction);
    assert_int_equal(find(b, 1)->received, WALL);
    assert_int_equal(find(b, 1)->profile.limit_tenths[0], 101);
    assert_int_equal(find(b, 1)->profile.start_s[1], 60);
    const struct pw_sample last = {.reading = PW_READING_END};
    assert_true(pw_journal_end(&b->journal, 1, 0, PW_STR(""), &last) > 0);
    settle(b);
    pw_sim_store_restart(&b->store);
    start(b);
    settle(b);
    assert_null(find(b, 2));
    assert_int_equal(pw_sim_store_count(&b->store, "prof/"), 1);
    close_bench(b);
}

// Reason: what came with a remote start must be as safe as the start itself, and first.
static void a_remote_starts_profile_is_safe_before_its_transaction(void **state)
{
    (void)state;
    struct bench *b = open_bench();
    const struct pw_profile waiting = profile(9, PW_PROFILE_TX, 1);
    char text[120] = "";
    struct pw_out why = PW_OUT(text);
    b->store.lag = 3;
    assert_int_equal(pw_smart_expect(&b->smart, 1, &waiting, WALL, &why), PW_OK);
    assert_int_equal(pw_smart_began(&b->smart, 1, b->journal.transaction_next), PW_OK);
    uint32_t transaction = begin(b, 1);
    assert_int_equal(find(b, 9)->transaction, transaction);
    while (pw_sim_store_count(&b->store, "tx/") == 0) {
        (void)b->store.port.durable(b->store.port.context);
    }
    assert_int_equal(pw_sim_store_count(&b->store, "prof/"), 1);
    close_bench(b);
}

// The story that the power cut interrupts: each step either happened whole, or not at all.
static int step(struct bench *b, unsigned n)
{
    struct pw_smart_filter all = {.by_purpose = true, .purpose = PW_PROFILE_DEFAULT};
    switch (n) {
    case 0: return set(b, 0, 0, 1, PW_PROFILE_DEFAULT, 0);
    case 1: return set(b, 1, 0, 2, PW_PROFILE_DEFAULT, 1);
    case 2: return set(b, 0, 0, 3, PW_PROFILE_STATION, 0);
    case 3: return set(b, 1, 0, 3, PW_PROFILE_DEFAULT, 1); // takes two places
    case 4: return set(b, 0, 0, 4, PW_PROFILE_DEFAULT, 0);
    default: return pw_smart_clear(&b->smart, &all);
    }
}

enum { STEPS = 6 };

// The ids that are there, as a set of bits.
static unsigned ids(const struct bench *b)
{
    unsigned bits = 0;
    for (int32_t id = 1; id <= 4; id++) {
        bits |= find(b, id) != NULL ? 1U << (unsigned)id : 0;
    }
    return bits;
}

// Reason: a replacement that loses its old half or keeps both is a limit nobody set.
static void a_power_cut_leaves_before_or_after(void **state)
{
    (void)state;
    static const unsigned stories[] = {0, 2, 6, 14, 10, 24, 0}; // after each step
    for (unsigned keep = 0; keep < 2; keep++) {
        for (uint64_t cut = 1;; cut++) {
            struct bench *b = open_bench();
            b->store.lag = 2;
            b->store.keep_pending = keep == 1;
            b->store.cut_at = b->store.operations + cut;
            unsigned n = 0;
            while (n < STEPS && !b->store.cut) {
                (void)step(b, n);
                n++;
                (void)b->store.port.durable(b->store.port.context);
            }
            bool over = !b->store.cut;
            pw_sim_store_restart(&b->store);
            start(b);
            bool known = false;
            for (unsigned i = 0; i < PW_COUNT(stories); i++) {
                known = known || ids(b) == stories[i];
            }
            assert_true(known);
            close_bench(b);
            if (over) {
                break;
            }
        }
    }
}

// Reason: a broken record must neither stop the station nor become a limit.
static void a_record_that_cannot_be_read_is_set_aside(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "\x01",
        "\x02 of another version, and as long as the least of all records would be if it were one"};
    struct bench *b = open_bench();
    assert_int_equal(set(b, 0, 0, 1, PW_PROFILE_STATION, 3), PW_OK);
    for (unsigned i = 0; i < PW_COUNT(bad); i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "prof/%02u", 5 + i);
        const struct pw_store_change change = {.key = pw_str_of(key), .value = pw_str_of(bad[i])};
        assert_true(b->store.port.write(b->store.port.context, &change, 1) > 0);
    }
    const struct pw_store_change stray = {.key = PW_STR("prof/xx"), .value = PW_STR("1")};
    assert_true(b->store.port.write(b->store.port.context, &stray, 1) > 0);
    settle(b);
    pw_sim_store_restart(&b->store);
    start(b);
    settle(b);
    assert_int_equal(count(b), 1);
    assert_int_equal(pw_sim_store_count(&b->store, "bad/prof/"), 4);
    assert_int_equal(pw_sim_store_count(&b->store, "prof/"), 1);
    close_bench(b);
}

// Reason: whoever hears "Accepted" must find it again; a store that has failed takes nothing.
static void a_store_that_has_failed_takes_no_profile(void **state)
{
    (void)state;
    struct bench *b = open_bench();
    assert_int_equal(set(b, 0, 0, 1, PW_PROFILE_STATION, 3), PW_OK);
    b->store.failed = true;
    assert_true(set(b, 0, 0, 1, PW_PROFILE_STATION, 4) < 0);
    assert_int_equal(find(b, 1)->profile.level, 3);
    const struct pw_smart_filter all = {.by_id = false};
    assert_int_equal(pw_smart_clear(&b->smart, &all), PW_ERR_STORE);
    assert_int_equal(count(b), 1);
    close_bench(b);
}

// Reason: the largest profile there may be fits its record, every number of it.
static void every_field_comes_back(void **state)
{
    (void)state;
    struct pw_profile_slot slot = {.used = true,
                                   .connector = 4,
                                   .transaction = UINT32_MAX - 1,
                                   .received = PW_PROFILE_LAST_MS,
                                   .profile = {.id = INT32_MIN,
                                               .level = PW_PROFILE_LEVEL_MAX,
                                               .purpose = PW_PROFILE_TX,
                                               .kind = PW_PROFILE_WEEKLY,
                                               .unit = PW_PROFILE_AMPERE,
                                               .periods = PW_PROFILE_PERIODS_MAX,
                                               .has_start = true,
                                               .start = PW_PROFILE_LAST_MS,
                                               .valid_from = PW_PROFILE_ALWAYS,
                                               .valid_to = PW_PROFILE_EVER,
                                               .duration_s = INT32_MAX,
                                               .min_tenths = INT32_MAX}};
    for (unsigned i = 0; i < PW_PROFILE_PERIODS_MAX; i++) {
        slot.profile.start_s[i] = i * 1000;
        slot.profile.limit_tenths[i] = INT32_MAX - (int32_t)i;
        slot.profile.phases[i] = (uint8_t)(i % 4);
    }
    char bytes[PW_SMART_RECORD_MAX];
    struct pw_profile_slot read;
    memset(&read, 0, sizeof(read));
    size_t len = pw_smart_pack(&slot, bytes);
    assert_int_equal(pw_smart_unpack((struct pw_str){.at = bytes, .len = len}, &read), PW_OK);
    char again[PW_SMART_RECORD_MAX];
    assert_int_equal(pw_smart_pack(&read, again), len);
    assert_memory_equal(bytes, again, len);
    assert_memory_equal(&read.profile.limit_tenths, &slot.profile.limit_tenths,
                        sizeof(slot.profile.limit_tenths));
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(pw_smart_unpack((struct pw_str){.at = bytes, .len = cut}, &read),
                         PW_ERR_STORE);
    }
}

static void the_list_of_purposes_is_read_strictly(void **state)
{
    (void)state;
    unsigned purposes = 0;
    assert_int_equal(pw_smart_purposes(PW_STR(""), &purposes, NULL), PW_OK);
    assert_int_equal(purposes, 0);
    assert_int_equal(pw_smart_purposes(PW_STR("TxProfile, ChargePointMaxProfile"), &purposes, NULL),
                     PW_OK);
    assert_int_equal(purposes, 1U << PW_PROFILE_TX | 1U << PW_PROFILE_STATION);
    assert_int_equal(pw_smart_purposes(PW_STR("TxProfile,"), &purposes, NULL), PW_OK);
    assert_int_equal(pw_smart_purposes(PW_STR("TxProfiles"), &purposes, NULL), PW_ERR_RANGE);
    assert_int_equal(pw_smart_purposes(PW_STR(","), &purposes, NULL), PW_ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_takes_the_place_of_its_like),
        cmocka_unit_test(a_restart_finds_what_was_there),
        cmocka_unit_test(a_remote_starts_profile_is_safe_before_its_transaction),
        cmocka_unit_test(a_power_cut_leaves_before_or_after),
        cmocka_unit_test(a_record_that_cannot_be_read_is_set_aside),
        cmocka_unit_test(a_store_that_has_failed_takes_no_profile),
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(the_list_of_purposes_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Which program is started: every boot record that can be, with everything that can be found in the
// two slots.
#include "slots_rig.h"
#include "test.h"

#include <string.h>

enum content { WHOLE, CHANGED, FORGED, FOREIGN, GONE, CONTENTS };

static struct rig_release release[2];
static struct rig found[CONTENTS][CONTENTS]; // what lies in a and b

static void put(struct rig *rig, char slot, enum content content)
{
    // Written as the station would, into a slot that is free.
    struct pw_boot_record record = {.confirmed = slot == 'a' ? 'b' : 'a'};
    rig->running = record.confirmed;
    assert_int_equal(pw_boot_keep(&rig->disk.port, &record), PW_OK);
    assert_true(rig_write(rig, &release[slot - 'a']));
    struct pw_sim_disk_file *pages = pw_sim_disk_find(&rig->disk, slot, "pages");
    struct pw_sim_disk_file *head = pw_sim_disk_find(&rig->disk, slot, PW_SLOTS_HEAD);
    struct pw_sim_disk_file *program = pw_sim_disk_find(&rig->disk, slot, PW_RELEASE_PROGRAM);
    switch (content) {
    case WHOLE: break;
    case CHANGED: pages->now[17] ^= 1; break;
    case FORGED: head->now[head->now_len - 1] ^= 1; break;
    case FOREIGN: program->now[18] ^= 0x40; break;
    case GONE: (void)rig->disk.port.clear(&rig->disk, slot); break;
    case CONTENTS: fail();
    }
}

static int set_up(void **state)
{
    (void)state;
    rig_make(&release[0], "1.0.0", 5, PW_STR(""), NULL);
    rig_make(&release[1], "1.1.0", 5, PW_STR(""), NULL);
    for (unsigned a = 0; a < CONTENTS; a++) {
        for (unsigned b = 0; b < CONTENTS; b++) {
            rig_init(&found[a][b], 1);
            put(&found[a][b], 'a', (enum content)a);
            put(&found[a][b], 'b', (enum content)b);
        }
    }
    return 0;
}

// The rule in its own words: the trial while it has starts left, what is confirmed, what was
// confirmed once, the package; the first one of these that is whole and signed.
static char expected(const struct pw_boot_record *record, enum content a, enum content b)
{
    const enum content in[2] = {a, b};
    if (record->trial != 0 && record->tries > 0 && in[record->trial - 'a'] == WHOLE) {
        return record->trial;
    }
    if (record->confirmed == 0) {
        return 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        char slot = i == 0 ? record->confirmed : record->confirmed == 'a' ? 'b' : 'a';
        if (slot != record->trial && record->slot[slot - 'a'].use == PW_SLOT_PROVEN &&
            in[slot - 'a'] == WHOLE) {
            return slot;
        }
    }
    return 0;
}

static unsigned try_record(const struct pw_boot_record *written, unsigned a, unsigned b)
{
    static struct rig rig;
    struct pw_boot_record record = *written;
    rig_copy(&rig, &found[a][b], 1);
    assert_int_equal(pw_boot_keep(&rig.disk.port, &record), PW_OK);
    assert_true(rig_start(&rig));
    char want = expected(&record, (enum content)a, (enum content)b);
    struct pw_boot_record after = rig_record(&rig);
    if (rig.running != want || after.counter != record.counter ||
        (want != 0 && !rig_runs(&rig, &release[want - 'a']))) {
        print_error(
            "confirmed %d trial %d tries %u uses %u %u contents %u %u: started %d, not %d\n",
            record.confirmed, record.trial, record.tries, record.slot[0].use, record.slot[1].use, a,
            b, rig.running, want);
        fail();
    }
    // A start of a trial is counted before it is one; a trial that cannot be started is over.
    if (want != 0 && want == record.trial) {
        assert_int_equal(after.tries, record.tries - 1);
        assert_int_equal(after.trial, want);
    } else if (record.trial != 0) {
        assert_int_equal(after.trial, 0);
        assert_int_equal(after.slot[record.trial - 'a'].use, PW_SLOT_FAILED);
        assert_true(after.returned_why[0] != '\0');
    }
    return 1;
}

static unsigned try_uses(struct pw_boot_record *record)
{
    unsigned count = 0;
    for (unsigned uses = 0; uses < PW_SLOT_USES * PW_SLOT_USES; uses++) {
        record->slot[0].use = (enum pw_slot_use)(uses / PW_SLOT_USES);
        record->slot[1].use = (enum pw_slot_use)(uses % PW_SLOT_USES);
        for (unsigned contents = 0; contents < CONTENTS * CONTENTS; contents++) {
            count += try_record(record, contents / CONTENTS, contents % CONTENTS);
        }
    }
    return count;
}

static void every_record_with_everything_in_the_slots(void **state)
{
    static const char slots[] = {0, 'a', 'b'};
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < PW_COUNT(slots); i++) {
        for (unsigned k = 0; k < PW_COUNT(slots); k++) {
            for (uint8_t tries = 0; tries <= PW_SLOTS_TRIES; tries++) {
                struct pw_boot_record record = {
                    .confirmed = slots[i], .trial = slots[k], .tries = tries, .counter = 5};
                bool sense = slots[k] == 0 ? tries == 0 : slots[k] != slots[i];
                count += sense ? try_uses(&record) : 0;
            }
        }
    }
    print_message("%u records and contents\n", count);
}

// Reason: whoever has the disk may put an old release back; the counter is what stops it.
static void a_counter_that_is_too_low_is_not_started(void **state)
{
    static struct rig rig;
    (void)state;
    for (uint32_t counter = 4; counter <= 7; counter++) {
        struct pw_boot_record record = {.confirmed = 'a', .counter = counter};
        record.slot[0].use = PW_SLOT_PROVEN;
        record.slot[1].use = PW_SLOT_PROVEN;
        rig_copy(&rig, &found[WHOLE][WHOLE], 1);
        assert_int_equal(pw_boot_keep(&rig.disk.port, &record), PW_OK);
        assert_true(rig_start(&rig));
        assert_int_equal(rig.running, counter <= 5 ? 'a' : 0);
        assert_int_equal(rig_record(&rig).counter, counter);
    }
}

// Reason: without a record nobody knows what was confirmed, but nothing older may be installed.
static void without_a_record_the_package_runs_and_the_counter_comes_from_the_slots(void **state)
{
    static struct rig rig;
    (void)state;
    for (unsigned a = 0; a < CONTENTS; a++) {
        for (unsigned b = 0; b < CONTENTS; b++) {
            bool known = (a != FORGED && a != GONE) || (b != FORGED && b != GONE);
            rig_copy(&rig, &found[a][b], 1);
            pw_sim_disk_find(&rig.disk, 0, "boot.0")->now[0] ^= 1;
            pw_sim_disk_find(&rig.disk, 0, "boot.1")->now[500] ^= 1;
            assert_true(rig_start(&rig));
            assert_int_equal(rig.running, 0);
            assert_int_equal(rig_record(&rig).counter, known ? 5 : 0);
        }
    }
}

// What may be written while something runs, or 0.
static char target(const struct pw_boot_record *record, char running)
{
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    char slot = 0;
    return pw_boot_target(record, running, &slot, &why) == PW_OK ? slot : 0;
}

static void the_slot_that_runs_or_is_confirmed_is_never_written(void **state)
{
    static const char slots[] = {0, 'a', 'b'};
    (void)state;
    for (unsigned i = 0; i < 27; i++) {
        struct pw_boot_record record = {.confirmed = slots[i % 3], .trial = slots[i / 3 % 3]};
        char running = slots[i / 9];
        char slot = target(&record, running);
        if (record.trial != 0 && record.trial == record.confirmed) {
            continue;
        }
        assert_true(slot == 0 || (slot != running && slot != record.confirmed));
        bool none = (running != 0 && running == record.trial) ||
                    (running != 0 && record.confirmed != 0 && running != record.confirmed);
        assert_int_equal(slot == 0, none);
    }
}

struct package_row {
    const char *version;
    char confirmed;
    char trial;
    char confirmed_after;
    char trial_after;
};

// Reason: who installs a newer package wants it to run, and who installs an older one does not.
static void a_package_runs_when_it_is_newer_than_what_is_confirmed(void **state)
{
    // a holds 1.0.0, b holds 1.1.0.
    static const struct package_row rows[] = {
        {"0.9.0", 'a', 0, 'a', 0},   {"1.0.0", 'a', 0, 'a', 0},          {"1.0.1", 'a', 0, 0, 0},
        {"1.0.1", 'a', 'b', 0, 'b'}, {"1.1.0", 'a', 'b', 0, 'b'},        {"1.2.0", 'a', 'b', 0, 0},
        {"1.0.5", 'b', 0, 'b', 0},   {"1.1.0-rc1", 'b', 0, 'b', 0},      {"2.0.0", 0, 0, 0, 0},
        {"2.0.0", 0, 'a', 0, 0},     {"no version", 'a', 'b', 'a', 'b'},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_boot_record record = {.confirmed = rows[i].confirmed,
                                        .trial = rows[i].trial,
                                        .counter = 9,
                                        .slot = {{.version = "1.0.0"}, {.version = "1.1.0"}}};
        bool changed = pw_boot_prefer_package(&record, pw_str_of(rows[i].version));
        assert_int_equal(record.confirmed, rows[i].confirmed_after);
        assert_int_equal(record.trial, rows[i].trial_after);
        assert_int_equal(changed, rows[i].confirmed != rows[i].confirmed_after ||
                                      rows[i].trial != rows[i].trial_after);
        assert_int_equal(record.counter, 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_with_everything_in_the_slots),
        cmocka_unit_test(a_counter_that_is_too_low_is_not_started),
        cmocka_unit_test(without_a_record_the_package_runs_and_the_counter_comes_from_the_slots),
        cmocka_unit_test(the_slot_that_runs_or_is_confirmed_is_never_written),
        cmocka_unit_test(a_package_runs_when_it_is_newer_than_what_is_confirmed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

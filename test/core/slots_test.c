// Releases in slots: what can go wrong while one is written, tried, confirmed and started.
#include "slots_rig.h"
#include "test.h"

#include <string.h>

static struct rig_release older;
static struct rig_release newer;
static struct rig before; // `older` runs, confirmed
static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    rig_make(&older, "1.0.0", 5, PW_STR(""), NULL);
    rig_make(&newer, "1.1.0", 6, PW_STR(""), NULL);
    rig_init(&before, 1);
    rig_update(&before, &older);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    rig_copy(&rig, &before, 1);
    return 0;
}

static void starts(const struct rig_release *release)
{
    assert_true(rig_start(&rig));
    assert_true(rig_runs(&rig, release));
}

// Reason: a program that crashes never says that it is unwell (T12, §6.2).
static void three_starts_without_being_confirmed_bring_the_old_one_back(void **state)
{
    (void)state;
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    for (uint8_t left = PW_SLOTS_TRIES; left-- > 0;) {
        starts(&newer);
        assert_true(rig.trial);
        assert_int_equal(rig_record(&rig).tries, left);
    }
    starts(&older);
    struct pw_boot_record record = rig_record(&rig);
    assert_string_equal(record.returned, "1.1.0");
    assert_string_equal(record.returned_why, "it was started 3 times and never confirmed");
    assert_int_equal(record.counter, 5);
    assert_int_equal(record.trial, 0);
    starts(&older);
    // It may be tried again, and what was said about it is over then.
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    assert_string_equal(rig_record(&rig).returned, "");
    starts(&newer);
    assert_true(rig_confirm(&rig));
    starts(&newer);
    assert_int_equal(rig_record(&rig).counter, 6);
}

static void a_program_that_says_that_it_is_unwell_is_given_up_with_its_reason(void **state)
{
    (void)state;
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    starts(&newer);
    assert_true(rig_reject(&rig, "the central was not reached"));
    starts(&older);
    assert_string_equal(rig_record(&rig).returned_why, "the central was not reached");
    assert_int_equal(rig_record(&rig).slot[rig.running == 'a' ? 1 : 0].use, PW_SLOT_FAILED);
}

// Reason: T13; the slot is not what was verified any more.
static void a_slot_that_changed_after_it_was_written_is_not_activated(void **state)
{
    static const char *const names[] = {PW_RELEASE_PROGRAM, "pages", PW_SLOTS_HEAD};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        rig_copy(&rig, &before, 1);
        assert_true(rig_write(&rig, &newer));
        pw_sim_disk_find(&rig.disk, rig.job.slot, names[i])->now[300] ^= 0x10;
        assert_false(rig_activate(&rig));
        assert_true(rig.job.altered);
        assert_non_null(strstr(rig.job.why, names[i]));
        starts(&older);
        assert_false(rig.trial);
    }
}

// Reason: T12; every byte, of every file, at every start.
static void a_slot_that_changed_after_it_was_activated_is_not_started(void **state)
{
    static const char *const names[] = {PW_RELEASE_PROGRAM, "pages", PW_SLOTS_HEAD};
    static struct rig activated;
    unsigned flips = 0;
    (void)state;
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    rig_copy(&activated, &rig, 1);
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        struct pw_sim_disk_file *file = pw_sim_disk_find(&activated.disk, rig.job.slot, names[i]);
        for (size_t at = 0; at < file->now_len; at += 1 + at % 3) {
            rig_copy(&rig, &activated, 1);
            pw_sim_disk_find(&rig.disk, rig.job.slot, names[i])->now[at] ^= (uint8_t)(1U << at % 8);
            starts(&older);
            assert_string_equal(rig_record(&rig).returned, "1.1.0");
            flips++;
        }
        rig_copy(&rig, &activated, 1);
        pw_sim_disk_find(&rig.disk, rig.job.slot, names[i])->now_len++;
        starts(&older);
        rig_copy(&rig, &activated, 1);
        pw_sim_disk_find(&rig.disk, rig.job.slot, names[i])->now_len--;
        starts(&older);
    }
    print_message("%u bytes flipped\n", flips);
}

// Reason: T13; what is hashed is what is written, not what was judged a while ago.
static void a_download_that_changes_while_it_is_written_is_noticed(void **state)
{
    static struct rig_release changed;
    (void)state;
    for (size_t at = newer.head_len; at < newer.len; at += 97) {
        rig_copy(&rig, &before, 1);
        changed = newer;
        changed.file[at] ^= 1;
        assert_false(rig_write(&rig, &changed));
        bool elf = at < newer.head_len + PW_SLOTS_ELF_LEN;
        assert_true(rig.job.altered || elf);
        starts(&older);
    }
    changed = newer;
    changed.len -= 1;
    assert_false(rig_write(&rig, &changed));
    assert_non_null(strstr(rig.job.why, "the download cannot be read"));
}

static void a_full_disk_at_every_operation_leaves_the_old_one_running(void **state)
{
    (void)state;
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    uint64_t operations = rig.disk.operations - before.disk.operations;
    unsigned refused = 0;
    for (uint64_t at = 1; at <= operations; at++) {
        rig_copy(&rig, &before, 1);
        rig.disk.full_at = rig.disk.operations + at;
        bool written = rig_write(&rig, &newer) && rig_activate(&rig);
        refused += !written;
        // Counting down works on a full disk: the record has its bytes.
        starts(written ? &newer : &older);
        rig.disk.full_at = 0;
        if (!written) {
            assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
            starts(&newer);
        }
        assert_true(rig_confirm(&rig));
        starts(&newer);
    }
    print_message("full at %llu operations, refused at %u\n", (unsigned long long)operations,
                  refused);
    assert_true(refused > 10);
}

static void a_program_for_another_machine_is_not_written(void **state)
{
    static struct rig_release other;
    (void)state;
    other = newer;
    other.file[other.head_len + 18] ^= 0x40;
    assert_false(rig_write(&rig, &other));
    assert_non_null(strstr(rig.job.why, "another machine"));
    other = newer;
    memcpy(other.file + other.head_len, "#!/bin/sh", 9);
    assert_false(rig_write(&rig, &other));
    assert_non_null(strstr(rig.job.why, "no program"));
    starts(&older);
}

// Reason: two good releases do not make a third one.
static void a_component_of_another_release_is_refused(void **state)
{
    static struct rig_release third;
    (void)state;
    rig_make(&third, "1.2.0", 6, PW_STR(""), NULL);
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    memcpy(pw_sim_disk_find(&rig.disk, rig.job.slot, "pages")->now, third.extra,
           sizeof(third.extra));
    starts(&older);
    rig_copy(&rig, &before, 1);
    assert_true(rig_write(&rig, &newer) && rig_activate(&rig));
    struct pw_sim_disk_file *head = pw_sim_disk_find(&rig.disk, rig.job.slot, PW_SLOTS_HEAD);
    memcpy(head->now, third.file, third.head_len);
    head->now_len = (uint16_t)third.head_len;
    starts(&older);
    assert_string_equal(rig_record(&rig).returned, "1.1.0");
}

// Reason: a bit that fell over in the record must not cost a program, a counter or a start.
static void every_byte_of_the_record_may_be_damaged(void **state)
{
    static struct rig updated;
    (void)state;
    rig_update(&rig, &newer);
    rig_copy(&updated, &rig, 1);
    for (size_t at = 0; at < PW_SLOTS_RECORD_LEN; at++) {
        for (unsigned which = 1; which <= 3; which++) {
            rig_copy(&rig, &updated, 1);
            if ((which & 1) != 0) {
                pw_sim_disk_find(&rig.disk, 0, "boot.0")->now[at] ^= (uint8_t)(1U << at % 8);
            }
            if ((which & 2) != 0) {
                pw_sim_disk_find(&rig.disk, 0, "boot.1")->now[at] ^= (uint8_t)(1U << at % 8);
            }
            assert_true(rig_start(&rig));
            assert_int_equal(rig.running, which == 3 ? 0 : updated.running);
            assert_int_equal(rig_record(&rig).counter, 6);
        }
    }
}

static void a_thousand_updates_in_a_row(void **state)
{
    static struct rig_release release[2];
    static struct rig_release *next;
    (void)state;
    rig_make(&release[0], "1.2.0", 6, PW_STR(""), NULL);
    rig_make(&release[1], "1.3.0", 6, PW_STR(""), NULL);
    for (unsigned i = 0; i < 1000; i++) {
        next = &release[i % 2];
        rig_update(&rig, next);
        if (i % 10 == 9) {
            pw_sim_disk_restart(&rig.disk);
            starts(next);
        }
    }
    assert_int_equal(rig_record(&rig).counter, 6);
}

// Reason: a key that was taken away may have signed what runs; it runs until something better is
// known to work, and never after that.
static void a_key_that_was_taken_away_ends_with_the_next_confirmed_release(void **state)
{
    static const char *const signer[] = {PW_MAKE_ROOT_1, PW_MAKE_ROOT_3, NULL};
    static struct rig_release rotated;
    uint8_t bytes[PW_RELEASE_ROOT_MAX];
    struct pw_release_root root = pw_make_root_1();
    (void)state;
    root.version = 2;
    memset(&root.releases, 0, sizeof(root.releases));
    root.releases.threshold = 1;
    pw_make_add(&root.releases, PW_MAKE_RELEASE_2);
    size_t len = pw_make_root(&root, signer, bytes, sizeof(bytes));
    rig_make(&rotated, "1.1.0", 5, (struct pw_str){.at = (const char *)bytes, .len = len},
             PW_MAKE_RELEASE_2);
    assert_true(rig_write(&rig, &rotated) && rig_activate(&rig));
    starts(&rotated);
    assert_true(rig_reject(&rig, "unwell"));
    starts(&older);
    assert_true(rig_write(&rig, &rotated) && rig_activate(&rig));
    starts(&rotated);
    assert_true(rig_confirm(&rig));
    assert_int_equal(rig_record(&rig).root, 2);
    starts(&rotated);
    // The old one is whole and was confirmed, but its key is not believed any more.
    pw_sim_disk_find(&rig.disk, rig.running, "pages")->now[0] ^= 1;
    assert_true(rig_start(&rig));
    assert_int_equal(rig.running, 0);
    assert_non_null(strstr(rig.boot.why, "good signatures"));
}

// Reason: what lies in the folder is believed only as far as the maker's own root leads to it.
static void a_root_that_the_maker_did_not_sign_is_not_followed(void **state)
{
    static const char *const signer[] = {"stranger 1", "stranger 2", NULL};
    static struct rig_release theirs;
    uint8_t bytes[PW_RELEASE_ROOT_MAX];
    struct pw_release_root root = {.version = 2, .expires = PW_MAKE_EXPIRES};
    (void)state;
    root.roots.threshold = 2;
    root.releases.threshold = 1;
    pw_make_add(&root.roots, "stranger 1");
    pw_make_add(&root.roots, "stranger 2");
    pw_make_add(&root.releases, "stranger 3");
    size_t len = pw_make_root(&root, signer, bytes, sizeof(bytes));
    rig_make(&theirs, "9.0.0", 9, (struct pw_str){.at = (const char *)bytes, .len = len},
             "stranger 3");
    assert_true(rig_write(&rig, &theirs) && rig_activate(&rig));
    assert_null(pw_sim_disk_find(&rig.disk, 0, "root"));
    starts(&older);
    // Put there by somebody else.
    const struct pw_slots_disk *disk = &rig.disk.port;
    assert_int_equal(disk->overwrite(disk->context, "root", true), PW_OK);
    assert_int_equal(disk->append(disk->context, bytes, len), PW_OK);
    assert_int_equal(disk->sync(disk->context), PW_OK);
    assert_true(rig_write(&rig, &theirs) && rig_activate(&rig));
    starts(&older);
    assert_int_equal(rig_record(&rig).counter, 5);
}

// Reason: without the maker's root, one that a stranger signed himself leads on from nothing.
static void without_the_makers_root_nothing_is_believed(void **state)
{
    static const char *const signer[] = {"stranger 1", NULL};
    static struct rig_release theirs;
    uint8_t bytes[PW_RELEASE_ROOT_MAX];
    struct pw_release_root root = {.version = 1, .expires = PW_MAKE_EXPIRES};
    (void)state;
    root.roots.threshold = 1;
    root.releases.threshold = 1;
    pw_make_add(&root.roots, "stranger 1");
    pw_make_add(&root.releases, "stranger 1");
    size_t len = pw_make_root(&root, signer, bytes, sizeof(bytes));
    rig_make(&theirs, "9.0.0", 9, (struct pw_str){.at = (const char *)bytes, .len = len},
             "stranger 1");
    memset(&rig.boot.trust.shipped, 0, sizeof(rig.boot.trust.shipped));
    assert_true(rig_write(&rig, &theirs) && rig_activate(&rig));
    assert_null(pw_sim_disk_find(&rig.disk, 0, "root"));
    assert_true(rig_start(&rig));
    assert_int_equal(rig.running, 0);
    assert_non_null(strstr(rig.boot.why, "the maker's root is not here"));
    assert_int_equal(rig_record(&rig).counter, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(three_starts_without_being_confirmed_bring_the_old_one_back, begin),
        cmocka_unit_test_setup(a_program_that_says_that_it_is_unwell_is_given_up_with_its_reason,
                               begin),
        cmocka_unit_test_setup(a_slot_that_changed_after_it_was_written_is_not_activated, begin),
        cmocka_unit_test_setup(a_slot_that_changed_after_it_was_activated_is_not_started, begin),
        cmocka_unit_test_setup(a_download_that_changes_while_it_is_written_is_noticed, begin),
        cmocka_unit_test_setup(a_full_disk_at_every_operation_leaves_the_old_one_running, begin),
        cmocka_unit_test_setup(a_program_for_another_machine_is_not_written, begin),
        cmocka_unit_test_setup(a_component_of_another_release_is_refused, begin),
        cmocka_unit_test_setup(every_byte_of_the_record_may_be_damaged, begin),
        cmocka_unit_test_setup(a_thousand_updates_in_a_row, begin),
        cmocka_unit_test_setup(a_key_that_was_taken_away_ends_with_the_next_confirmed_release,
                               begin),
        cmocka_unit_test_setup(a_root_that_the_maker_did_not_sign_is_not_followed, begin),
        cmocka_unit_test_setup(without_the_makers_root_nothing_is_believed, begin),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

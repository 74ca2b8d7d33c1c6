// The power goes at every operation of an update, of a return, and of the starts between them; then
// twice at random operations. After each the station starts again and goes on by itself. As
// MCUboot's simulator does it (facts/reliability.md §6.3).
//     slots_cut_test [RUNS [SEED]]: so many runs with random cuts. SLOTS_EVERY=n: every n-th
// operation, and an n-th of the random runs.
#include "slots_rig.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTS_MOST = 40, VARIANTS = 8, RANDOM_RUNS = 4000 };

static struct rig_release older;
static struct rig_release newer;
static struct rig before; // `older` runs and is confirmed
static unsigned long runs;
static unsigned long every = 1;
static uint64_t first_seed = 1;
static uint64_t cuts; // all that happened

// What a run has promised so far.
struct promise {
    bool activated; // `newer` may be started
    bool confirmed; // ... and nothing else may
    bool rejected;
};

static void fail_run(const struct rig *rig, uint64_t seed, const char *what)
{
    print_error("%s: seed %llu, operation %llu, why: %s\n", what, (unsigned long long)seed,
                (unsigned long long)rig->disk.operations, rig->boot.why);
    fail();
}

// What was started is a whole signed release, the right one, and the counter has not gone down.
static void look_at_start(struct rig *rig, const struct promise *promise, uint64_t seed)
{
    bool old_one = rig_runs(rig, &older);
    bool new_one = rig_runs(rig, &newer);
    if (!old_one && !new_one) {
        fail_run(rig, seed, "neither release runs");
    }
    if (new_one && (!promise->activated || promise->rejected)) {
        fail_run(rig, seed, "the new one runs, and may not");
    }
    if (old_one && promise->confirmed) {
        fail_run(rig, seed, "the old one runs after the new one was confirmed");
    }
    uint32_t least =
        promise->confirmed ? newer.release.security_counter : older.release.security_counter;
    if (rig->boot.record.counter < least ||
        rig->boot.job.release.security_counter < rig->boot.record.counter) {
        fail_run(rig, seed, "the counter went down");
    }
}

// One life of a program: from its start to the next. True when all is done.
static bool live(struct rig *rig, struct promise *promise, bool confirms)
{
    if (rig->trial && confirms) {
        promise->confirmed = rig_confirm(rig) || promise->confirmed;
        return false;
    }
    if (rig->trial) {
        promise->rejected = rig_reject(rig, "not healthy") || promise->rejected;
        return false;
    }
    struct pw_boot_record record = rig_record(rig);
    if (rig_runs(rig, &newer) || record.returned[0] != '\0') {
        return !rig->disk.cut;
    }
    if (rig_write(rig, &newer)) {
        promise->activated = true; // from the first operation on
        (void)rig_activate(rig);
    }
    return false;
}

struct plan {
    bool confirms;
    uint64_t cut[3]; // operations between one start of the power and its end; 0: no further cut
    uint64_t seed;
};

// Returns the operations that it took.
static uint64_t run_plan(const struct plan *plan)
{
    static struct rig rig;
    struct promise promise = {.activated = false};
    unsigned cut = 0;
    bool done = false;
    rig_copy(&rig, &before, plan->seed);
    uint64_t first = rig.disk.operations;
    rig.disk.cut_at = plan->cut[0] == 0 ? 0 : first + plan->cut[0];
    for (unsigned starts = 0; !done; starts++) {
        if (starts == STARTS_MOST) {
            fail_run(&rig, plan->seed, "no end is reached");
        }
        if (rig_start(&rig)) {
            look_at_start(&rig, &promise, plan->seed);
            done = live(&rig, &promise, plan->confirms);
        }
        if (rig.disk.cut) {
            cuts++;
            cut++;
            pw_sim_disk_restart(&rig.disk);
            rig.disk.cut_at = cut < PW_COUNT(plan->cut) && plan->cut[cut] != 0
                                  ? rig.disk.operations + plan->cut[cut]
                                  : 0;
        }
    }
    uint64_t operations = rig.disk.operations - first;
    rig.disk.cut_at = 0;
    // With three cuts the three starts of the trial may have been used up.
    struct pw_boot_record record = rig_record(&rig);
    bool stays = plan->confirms && (cut < 3 || rig_runs(&rig, &newer));
    if (stays != rig_runs(&rig, &newer) ||
        record.counter != (stays ? newer : older).release.security_counter ||
        (!stays && strcmp(record.returned, newer.version) != 0)) {
        fail_run(&rig, plan->seed, "it ended wrong");
    }
    return operations;
}

// The new release brings a new root, which takes away the key that signed the old one.
static int set_up(void **state)
{
    static const char *const signer[] = {PW_MAKE_ROOT_1, PW_MAKE_ROOT_2, NULL};
    static uint8_t bytes[PW_RELEASE_ROOT_MAX];
    struct pw_release_root root = pw_make_root_1();
    (void)state;
    root.version = 2;
    memset(&root.releases, 0, sizeof(root.releases));
    root.releases.threshold = 1;
    pw_make_add(&root.releases, PW_MAKE_RELEASE_2);
    size_t len = pw_make_root(&root, signer, bytes, sizeof(bytes));
    rig_make(&older, "1.0.0", 5, PW_STR(""), PW_MAKE_RELEASE_1);
    rig_make(&newer, "1.1.0", 6, (struct pw_str){.at = (const char *)bytes, .len = len},
             PW_MAKE_RELEASE_2);
    rig_init(&before, 1);
    rig_update(&before, &older);
    pw_sim_disk_restart(&before.disk);
    return 0;
}

static void cut_everywhere(bool confirms, const char *what)
{
    struct plan plan = {.confirms = confirms, .seed = first_seed};
    uint64_t operations = run_plan(&plan);
    uint64_t points = 0;
    for (uint64_t at = 1; at <= operations; at += every) {
        for (unsigned variant = 0; variant < VARIANTS; variant++) {
            plan.cut[0] = at;
            plan.seed = first_seed + at * VARIANTS + variant;
            (void)run_plan(&plan);
            points++;
        }
    }
    print_message("%s: %llu operations, %llu runs with one cut\n", what,
                  (unsigned long long)operations, (unsigned long long)points);
}

// Reason: whatever an update was at, the station comes up with signed code, and ends updated.
static void an_update_is_cut_at_every_operation(void **state)
{
    (void)state;
    cut_everywhere(true, "update");
}

// Reason: the way back is the one that must not fail.
static void a_return_is_cut_at_every_operation(void **state)
{
    (void)state;
    cut_everywhere(false, "return");
}

// Reason: a cut while what a cut left is put right.
static void random_runs_are_cut_two_or_three_times(void **state)
{
    struct plan plan = {.confirms = true};
    uint64_t operations = run_plan(&plan);
    uint64_t before_all = cuts;
    (void)state;
    for (unsigned long i = 0; i < runs; i++) {
        uint64_t mix = (first_seed + i) * UINT64_C(0x9E3779B97F4A7C15);
        plan.seed = first_seed + i;
        plan.confirms = i % 3 != 0;
        plan.cut[0] = 1 + (mix >> 8) % operations;
        plan.cut[1] = 1 + (mix >> 24) % operations;
        plan.cut[2] = i % 4 == 0 ? 1 + (mix >> 40) % operations : 0;
        (void)run_plan(&plan);
    }
    print_message("random: %lu runs, %llu cuts, seeds from %llu\n", runs,
                  (unsigned long long)(cuts - before_all), (unsigned long long)first_seed);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_is_cut_at_every_operation),
        cmocka_unit_test(a_return_is_cut_at_every_operation),
        cmocka_unit_test(random_runs_are_cut_two_or_three_times),
    };
    const char *text = getenv("SLOTS_EVERY");
    every = text != NULL ? strtoul(text, NULL, 10) : 1;
    every = every == 0 ? 1 : every;
    runs = argc > 1 ? strtoul(argv[1], NULL, 10) : RANDOM_RUNS / every;
    first_seed = argc > 2 ? strtoull(argv[2], NULL, 10) : first_seed;
    int failed = cmocka_run_group_tests(tests, set_up, NULL);
    (void)printf("%llu cuts in all\n", (unsigned long long)cuts);
    return failed;
}

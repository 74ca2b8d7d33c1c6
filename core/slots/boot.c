#include "slots/slots.h"

#include <string.h>

// Which program is started. Every byte of it is checked each time: what is on the disk may have
// changed since it was written.

#define WORN_OUT "it was started 3 times and never confirmed"

// ---------------------------------------------------------------------------------------------
// What is in a slot.

static int read_head(struct pw_slots_boot *boot, char slot)
{
    const struct pw_slots_disk *disk = boot->disk;
    struct pw_slots_job *job = &boot->job;
    job->head_len = 0;
    int err = disk->open(disk->context, slot, PW_SLOTS_HEAD);
    if (err != PW_OK) {
        return err;
    }
    int got = 1;
    while (got > 0 && job->head_len < sizeof(job->head)) {
        got =
            disk->read(disk->context, job->head + job->head_len, sizeof(job->head) - job->head_len);
        job->head_len += got > 0 ? (size_t)got : 0;
    }
    disk->close(disk->context);
    return got < 0 ? got : PW_OK;
}

// Judged by the maker's signature, whatever the date is, and whoever this machine is said to be
// where nobody says it.
static enum pw_release_verdict judge_head(struct pw_slots_boot *boot, uint32_t counter,
                                          struct pw_out *why)
{
    struct pw_slots_job *job = &boot->job;
    const struct pw_str head = {.at = (const char *)job->head, .len = job->head_len};
    struct pw_release_rules rules = boot->rules;
    char hardware[PW_RELEASE_NAME_MAX];
    if (pw_release_read(head, &job->release, why) != PW_OK) {
        return PW_RELEASE_MALFORMED;
    }
    if (rules.hardware.len == 0) {
        memcpy(hardware, job->release.hardware[0], sizeof(hardware));
        rules.hardware = pw_str_of(hardware);
    }
    rules.counter = counter;
    rules.running = PW_STR("");
    rules.wall = 0;
    return pw_slots_trust_judge(&boot->trust, boot->record.root, head, &rules, &job->release, why);
}

struct finding {
    bool good;
    bool lasting; // it will not be better the next time
    char why[PW_SLOTS_WHY_MAX];
};

static struct finding refuse(bool lasting, const char *what)
{
    struct finding finding = {.lasting = lasting};
    struct pw_out why = PW_OUT(finding.why);
    pw_put_s(&why, what);
    return finding;
}

static struct finding look(struct pw_slots_boot *boot, char slot)
{
    struct pw_slots_job *job = &boot->job;
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    int err = read_head(boot, slot);
    if (err != PW_OK) {
        return refuse(err == PW_ERR_UNKNOWN, "its head cannot be read");
    }
    if (judge_head(boot, boot->record.counter, &why) != PW_RELEASE_FINE) {
        return refuse(boot->record.trial == slot, text);
    }
    job->disk = boot->disk;
    job->slot = slot;
    pw_slots_check(job);
    err = PW_ERR_AGAIN;
    while (err == PW_ERR_AGAIN) {
        err = pw_slots_step(job);
    }
    if (err != PW_OK) {
        return refuse(job->altered, job->why);
    }
    return (struct finding){.good = true};
}

// ---------------------------------------------------------------------------------------------
// The record.

// Nobody knows what was confirmed: the package's program runs, and nothing older than what the
// slots hold may come after it.
static void make_record(struct pw_slots_boot *boot)
{
    struct pw_out nobody = {.cap = 0};
    for (unsigned i = 0; i < 2; i++) {
        char slot = "ab"[i];
        if (read_head(boot, slot) == PW_OK && judge_head(boot, 0, &nobody) == PW_RELEASE_FINE &&
            boot->job.release.security_counter > boot->record.counter) {
            boot->record.counter = boot->job.release.security_counter;
        }
    }
}

static void add(struct pw_slots_boot *boot, const char *before, char slot, const char *what)
{
    struct pw_out why = {.at = boot->why, .cap = sizeof(boot->why), .len = strlen(boot->why)};
    pw_put_s(&why, why.len > 0 ? before : "");
    if (slot != 0) {
        pw_put_c(&why, slot);
        pw_put_s(&why, ": ");
    }
    pw_put_s(&why, what);
}

static void give_up(struct pw_slots_boot *boot, char slot, const char *why)
{
    pw_boot_give_up(&boot->record, slot, why);
    // Not kept: the same is found the next time.
    if (pw_boot_keep(boot->disk, &boot->record) != PW_OK) {
        add(boot, "; ", 0, "the boot record cannot be written");
    }
}

void pw_slots_boot(struct pw_slots_boot *boot)
{
    boot->why[0] = '\0';
    boot->next = 0;
    pw_slots_trust_load(&boot->trust, boot->disk);
    if (!pw_boot_load(boot->disk, &boot->record)) {
        make_record(boot);
        add(boot, "; ", 0, "there was no boot record");
        if (pw_boot_keep(boot->disk, &boot->record) != PW_OK) {
            add(boot, "; ", 0, "and none can be written");
        }
    }
    char trial = boot->record.trial;
    if (trial != 0 && boot->record.tries == 0) {
        add(boot, "; ", trial, WORN_OUT);
        give_up(boot, trial, WORN_OUT);
    }
    boot->choices = pw_boot_choices(&boot->record, boot->choice);
}

// ---------------------------------------------------------------------------------------------
// Choosing.

static bool count_down(struct pw_slots_boot *boot)
{
    boot->record.tries--;
    if (pw_boot_keep(boot->disk, &boot->record) == PW_OK) {
        return true;
    }
    boot->record.tries++;
    return false;
}

static bool is_startable(struct pw_slots_boot *boot, char slot)
{
    struct finding finding = look(boot, slot);
    if (finding.good && slot == boot->record.trial && !count_down(boot)) {
        finding = refuse(false, "no start can be counted down, so it is not tried");
    }
    if (!finding.good) {
        add(boot, "; ", slot, finding.why);
        if (finding.lasting) {
            give_up(boot, slot, finding.why);
        }
    }
    return finding.good;
}

static void say_choice(struct pw_slots_boot *boot, char slot)
{
    const struct pw_boot_record *record = &boot->record;
    add(boot, "; ", slot,
        slot == 0                   ? "the program of the package"
        : slot == record->trial     ? "on trial"
        : slot == record->confirmed ? "confirmed"
                                    : "confirmed once");
    if (slot != 0 && slot == record->trial) {
        struct pw_out why = {.at = boot->why, .cap = sizeof(boot->why), .len = strlen(boot->why)};
        pw_put_s(&why, ", starts left ");
        pw_put_uint(&why, record->tries);
    }
}

char pw_slots_boot_next(struct pw_slots_boot *boot)
{
    while (boot->next < boot->choices) {
        char slot = boot->choice[boot->next++];
        if (slot == 0 || is_startable(boot, slot)) {
            say_choice(boot, slot);
            return slot;
        }
    }
    return PW_SLOTS_NONE;
}

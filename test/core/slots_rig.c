#include "slots_rig.h"

#include "ed25519/ed25519.h"

#include <string.h>

// Checking a signature takes 0.1 ms, and the same few are checked a hundred thousand times.
struct known {
    uint8_t digest[PW_SHA256_LEN];
    bool good;
};
static struct known known[64];
static size_t known_count;

static bool verify(void *context, const uint8_t key[PW_RELEASE_KEY_LEN], struct pw_str label,
                   struct pw_str message, const uint8_t signature[64])
{
    struct pw_sha256 hash;
    struct known row;
    const struct pw_release_crypto real = pw_ed25519_crypto();
    (void)context;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, key, PW_RELEASE_KEY_LEN);
    pw_sha256_add(&hash, signature, 64);
    pw_sha256_add(&hash, label.at, label.len);
    pw_sha256_add(&hash, message.at, message.len);
    pw_sha256_end(&hash, row.digest);
    for (size_t i = 0; i < known_count; i++) {
        if (memcmp(known[i].digest, row.digest, PW_SHA256_LEN) == 0) {
            return known[i].good;
        }
    }
    row.good = real.verify(real.context, key, label, message, signature);
    if (known_count < PW_COUNT(known)) {
        known[known_count++] = row;
    }
    return row.good;
}

static const struct pw_release_crypto crypto = {.verify = verify, .test_keys = true};

static void fill(uint8_t *to, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        to[i] = (uint8_t)(seed >> 24);
    }
}

void rig_make(struct rig_release *release, const char *version, uint32_t counter,
              struct pw_str roots, const char *signer)
{
    static const uint8_t elf[PW_SLOTS_ELF_LEN] = {0x7F, 'E', 'L', 'F', 2, 1, [18] = 62};
    struct pw_make make = {.version = version, .counter = counter, .roots = roots};
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    uint32_t len = 0;
    uint32_t seed = counter;
    for (const char *at = version; *at != '\0'; at++) {
        seed = seed * 31 + (uint8_t)*at;
    }
    release->version = version;
    fill(release->program, sizeof(release->program), seed);
    memcpy(release->program, elf, sizeof(elf));
    fill(release->extra, sizeof(release->extra), ~seed);
    make.component[0] =
        (struct pw_make_component){.bytes = release->program, .len = sizeof(release->program)};
    make.component[1] = (struct pw_make_component){
        .name = "pages", .bytes = release->extra, .len = sizeof(release->extra)};
    make.signer[0] = signer;
    release->len = pw_make_release(&make, release->file, sizeof(release->file));
    int err = pw_release_head_len(release->file, &len);
    PW_ASSERT(err == PW_OK);
    release->head_len = len;
    const struct pw_str head = {.at = (const char *)release->file, .len = len};
    err = pw_release_read(head, &release->release, &why);
    PW_ASSERT(err == PW_OK);
}

static void connect_rig(struct rig *rig)
{
    rig->boot.disk = &rig->disk.port;
    rig->job.disk = &rig->disk.port;
    rig->boot.job.piece = rig->piece;
    rig->job.piece = rig->piece;
}

void rig_init(struct rig *rig, uint64_t seed)
{
    static const uint8_t elf[] = {0x7F, 'E', 'L', 'F', 2, 1, [18] = 62};
    memset(rig, 0, sizeof(*rig));
    pw_sim_disk_init(&rig->disk, seed);
    rig->boot.trust.crypto = &crypto;
    rig->boot.trust.shipped = pw_make_root_1();
    rig->boot.rules.crypto = &crypto;
    rig->boot.rules.product = PW_STR(PW_MAKE_PRODUCT);
    rig->boot.job.piece_len = RIG_PIECE;
    rig->job.piece_len = RIG_PIECE;
    memcpy(rig->job.elf, elf, sizeof(elf));
    memcpy(rig->boot.job.elf, elf, sizeof(elf));
    rig->running = PW_SLOTS_NONE;
    connect_rig(rig);
}

void rig_copy(struct rig *to, const struct rig *from, uint64_t seed)
{
    memcpy(to, from, sizeof(*to));
    pw_sim_disk_copy(&to->disk, &from->disk);
    to->disk.seed = seed * 2 + 1;
    connect_rig(to);
}

bool rig_start(struct rig *rig)
{
    rig->running = PW_SLOTS_NONE;
    pw_slots_boot(&rig->boot);
    char slot = pw_slots_boot_next(&rig->boot);
    if (rig->disk.cut) {
        return false;
    }
    rig->running = slot;
    rig->trial = slot != 0 && slot == rig->boot.record.trial;
    return true;
}

static bool run_job(struct rig *rig)
{
    int err = PW_ERR_AGAIN;
    while (err == PW_ERR_AGAIN) {
        err = pw_slots_step(&rig->job);
    }
    return err == PW_OK && !rig->disk.cut;
}

bool rig_write(struct rig *rig, const struct rig_release *release)
{
    struct pw_slots_job *job = &rig->job;
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    struct pw_boot_record record;
    const struct pw_str head = {.at = (const char *)release->file, .len = release->head_len};
    (void)pw_boot_load(&rig->disk.port, &record);
    if (rig->disk.cut || pw_boot_target(&record, rig->running, &job->slot, &why) != PW_OK) {
        return false;
    }
    pw_slots_trust_load(&rig->boot.trust, &rig->disk.port);
    if (pw_slots_trust_follow(&rig->boot.trust, head) == PW_OK &&
        pw_slots_trust_keep(&rig->disk.port, rig->boot.trust.chain, rig->boot.trust.chain_len) !=
            PW_OK) {
        return false;
    }
    pw_boot_empty(&record, job->slot);
    if (pw_boot_keep(&rig->disk.port, &record) != PW_OK) {
        return false;
    }
    rig->disk.source = release->file;
    rig->disk.source_len = release->len;
    memcpy(job->head, release->file, release->head_len);
    job->head_len = release->head_len;
    job->release = release->release;
    pw_slots_write(job);
    return run_job(rig);
}

bool rig_activate(struct rig *rig)
{
    struct pw_boot_record record;
    pw_slots_check(&rig->job);
    if (!run_job(rig) || !pw_boot_load(&rig->disk.port, &record)) {
        return false;
    }
    pw_boot_try(&record, rig->job.slot, &rig->job.release);
    return pw_boot_keep(&rig->disk.port, &record) == PW_OK && !rig->disk.cut;
}

bool rig_confirm(struct rig *rig)
{
    struct pw_boot_record record;
    struct pw_release_root newest;
    if (!pw_boot_load(&rig->disk.port, &record)) {
        return false;
    }
    pw_slots_trust_newest(&rig->boot.trust, &newest);
    pw_boot_confirm(&record, newest.version);
    return pw_boot_keep(&rig->disk.port, &record) == PW_OK && !rig->disk.cut;
}

bool rig_reject(struct rig *rig, const char *why)
{
    struct pw_boot_record record;
    if (!pw_boot_load(&rig->disk.port, &record)) {
        return false;
    }
    pw_boot_give_up(&record, rig->running, why);
    return pw_boot_keep(&rig->disk.port, &record) == PW_OK && !rig->disk.cut;
}

void rig_update(struct rig *rig, const struct rig_release *release)
{
    bool good = rig_start(rig) && rig_write(rig, release) && rig_activate(rig) && rig_start(rig) &&
                rig->trial && rig_confirm(rig) && rig_start(rig);
    PW_ASSERT(good && rig_runs(rig, release));
}

static bool holds(struct rig *rig, const char *name, const uint8_t *bytes, size_t len)
{
    const struct pw_sim_disk_file *file = pw_sim_disk_find(&rig->disk, rig->running, name);
    return file != NULL && file->now_len == len && memcmp(file->now, bytes, len) == 0;
}

bool rig_runs(struct rig *rig, const struct rig_release *release)
{
    return (rig->running == 'a' || rig->running == 'b') &&
           holds(rig, PW_RELEASE_PROGRAM, release->program, sizeof(release->program)) &&
           holds(rig, "pages", release->extra, sizeof(release->extra)) &&
           holds(rig, PW_SLOTS_HEAD, release->file, release->head_len);
}

struct pw_boot_record rig_record(struct rig *rig)
{
    struct pw_boot_record record;
    (void)pw_boot_load(&rig->disk.port, &record);
    return record;
}

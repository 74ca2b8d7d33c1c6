#include "slots/slots.h"

#include <string.h>

// The boot record: what it says, how it lies on the disk, and how it changes.

enum { VERSION = 1, CRC_AT = PW_SLOTS_RECORD_LEN - 4 };

static const char magic[8] = {'P', 'W', 'B', 'O', 'O', 'T', '\r', '\n'};
static const char *const names[2] = {"boot.0", "boot.1"};

// CRC-32C (Castagnoli), RFC 3720 appendix B.4: bit by bit, as it is done twice a start.
static uint32_t crc32c(const uint8_t *at, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= at[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0x82F63B78) : 0);
        }
    }
    return ~crc;
}

static bool is_slot(char slot)
{
    return slot == 'a' || slot == 'b';
}

static char other(char slot)
{
    return slot == 'a' ? 'b' : 'a';
}

static struct pw_slot_note *note_of(struct pw_boot_record *record, char slot)
{
    PW_ASSERT(is_slot(slot));
    return &record->slot[slot - 'a'];
}

static enum pw_slot_use use_of(const struct pw_boot_record *record, char slot)
{
    return is_slot(slot) ? record->slot[slot - 'a'].use : PW_SLOT_EMPTY;
}

static void put_text(struct pw_out *out, const char *text)
{
    out->len = 0;
    out->full = false;
    pw_put_s(out, text);
}

// ---------------------------------------------------------------------------------------------
// Bytes.

bool pw_boot_encode(const struct pw_boot_record *record, uint8_t to[PW_SLOTS_RECORD_LEN])
{
    struct pw_bin_out w = {.at = to, .cap = CRC_AT};
    memset(to, 0, PW_SLOTS_RECORD_LEN);
    pw_bin_put_bytes(&w, magic, sizeof(magic));
    pw_bin_put(&w, VERSION, 1);
    pw_bin_put(&w, record->sequence, 8);
    pw_bin_put(&w, (uint8_t)record->confirmed, 1);
    pw_bin_put(&w, (uint8_t)record->trial, 1);
    pw_bin_put(&w, record->tries, 1);
    pw_bin_put(&w, record->counter, 4);
    pw_bin_put(&w, record->root, 4);
    for (unsigned i = 0; i < 2; i++) {
        pw_bin_put(&w, record->slot[i].use, 1);
        pw_bin_put(&w, record->slot[i].counter, 4);
        pw_bin_put_text(&w, record->slot[i].version, 1);
    }
    pw_bin_put_text(&w, record->returned, 1);
    pw_bin_put_text(&w, record->returned_why, 1);
    pw_set_be32(to + CRC_AT, crc32c(to, CRC_AT));
    return !w.bad;
}

static bool makes_sense(const struct pw_boot_record *record)
{
    return record->sequence != 0 && (record->confirmed == 0 || is_slot(record->confirmed)) &&
           (record->trial == 0 || is_slot(record->trial)) && record->tries <= PW_SLOTS_TRIES &&
           (record->trial == 0 || record->trial != record->confirmed) &&
           record->slot[0].use < PW_SLOT_USES && record->slot[1].use < PW_SLOT_USES;
}

int pw_boot_decode(struct pw_boot_record *record, const uint8_t *from, size_t len)
{
    char found[sizeof(magic)];
    struct pw_bin_in r = {.at = from, .left = CRC_AT};
    memset(record, 0, sizeof(*record));
    if (len != PW_SLOTS_RECORD_LEN || pw_be32(from + CRC_AT) != crc32c(from, CRC_AT)) {
        return PW_ERR_RANGE;
    }
    pw_bin_get_bytes(&r, found, sizeof(found));
    bool ours = memcmp(found, magic, sizeof(magic)) == 0 && pw_bin_get(&r, 1) == VERSION;
    record->sequence = pw_bin_get(&r, 8);
    record->confirmed = (char)pw_bin_get(&r, 1);
    record->trial = (char)pw_bin_get(&r, 1);
    record->tries = (uint8_t)pw_bin_get(&r, 1);
    record->counter = (uint32_t)pw_bin_get(&r, 4);
    record->root = (uint32_t)pw_bin_get(&r, 4);
    for (unsigned i = 0; i < 2; i++) {
        record->slot[i].use = (enum pw_slot_use)pw_bin_get(&r, 1);
        record->slot[i].counter = (uint32_t)pw_bin_get(&r, 4);
        pw_bin_get_text(&r, record->slot[i].version, PW_RELEASE_VERSION_MAX, 1);
    }
    pw_bin_get_text(&r, record->returned, PW_RELEASE_VERSION_MAX, 1);
    pw_bin_get_text(&r, record->returned_why, PW_SLOTS_WHY_MAX, 1);
    if (!ours || r.bad || !makes_sense(record)) {
        memset(record, 0, sizeof(*record));
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

static int load_one(const struct pw_slots_disk *disk, unsigned which, struct pw_boot_record *record)
{
    uint8_t bytes[PW_SLOTS_RECORD_LEN + 1];
    size_t len = 0;
    int err = disk->open(disk->context, 0, names[which]);
    if (err != PW_OK) {
        memset(record, 0, sizeof(*record));
        return err;
    }
    for (int got = 1; got > 0 && len < sizeof(bytes); len += (size_t)got) {
        got = disk->read(disk->context, bytes + len, sizeof(bytes) - len);
        if (got < 0) {
            len = 0;
            break;
        }
    }
    disk->close(disk->context);
    return pw_boot_decode(record, bytes, len);
}

bool pw_boot_load(const struct pw_slots_disk *disk, struct pw_boot_record *record)
{
    struct pw_boot_record second;
    (void)load_one(disk, 0, record);
    (void)load_one(disk, 1, &second);
    if (second.sequence > record->sequence) {
        *record = second;
    }
    return record->sequence != 0;
}

static int keep_one(const struct pw_slots_disk *disk, unsigned which, const uint8_t *bytes)
{
    int err = disk->overwrite(disk->context, names[which], false);
    if (err != PW_OK) {
        return err;
    }
    err = disk->append(disk->context, bytes, PW_SLOTS_RECORD_LEN);
    if (err != PW_OK) {
        disk->close(disk->context);
        return err;
    }
    err = disk->sync(disk->context);
    return err != PW_OK ? err : disk->sync_names(disk->context, 0);
}

static uint64_t sequence_of(const struct pw_slots_disk *disk, unsigned which)
{
    struct pw_boot_record record;
    (void)load_one(disk, which, &record);
    return record.sequence;
}

// First the one that does not count: should the power go, the other is whole. Then that too, so
// that losing either of them loses nothing, least of all the counter.
int pw_boot_keep(const struct pw_slots_disk *disk, struct pw_boot_record *record)
{
    uint8_t bytes[PW_SLOTS_RECORD_LEN];
    uint64_t first = sequence_of(disk, 0);
    uint64_t second = sequence_of(disk, 1);
    unsigned counts = second >= first ? 1 : 0;
    uint64_t before = record->sequence;
    record->sequence = (second >= first ? second : first) + 1;
    bool fits = pw_boot_encode(record, bytes);
    PW_ASSERT(fits);
    int err = keep_one(disk, 1 - counts, bytes);
    if (err == PW_OK) {
        (void)keep_one(disk, counts, bytes);
    } else {
        record->sequence = before;
    }
    return err;
}

// ---------------------------------------------------------------------------------------------
// Changes.

int pw_boot_target(const struct pw_boot_record *record, char running, char *slot,
                   struct pw_out *why)
{
    if (running != 0 && record->trial == running) {
        pw_put_s(why, "the program that runs is on trial itself");
        return PW_ERR_BUSY;
    }
    if (running != 0 && record->confirmed != 0 && running != record->confirmed) {
        pw_put_s(why, "one slot runs and the other one is confirmed: restart first");
        return PW_ERR_BUSY;
    }
    char kept = running != 0 ? running : record->confirmed;
    if (kept != 0) {
        *slot = other(kept);
    } else {
        *slot = use_of(record, 'a') == PW_SLOT_PROVEN ? 'b' : 'a';
    }
    return PW_OK;
}

void pw_boot_empty(struct pw_boot_record *record, char slot)
{
    PW_ASSERT(slot != record->confirmed);
    if (record->trial == slot) {
        record->trial = 0;
        record->tries = 0;
    }
    *note_of(record, slot) = (struct pw_slot_note){.use = PW_SLOT_EMPTY};
    record->returned[0] = '\0';
    record->returned_why[0] = '\0';
}

void pw_boot_try(struct pw_boot_record *record, char slot, const struct pw_release *release)
{
    struct pw_slot_note *note = note_of(record, slot);
    PW_ASSERT(slot != record->confirmed);
    struct pw_out version = PW_OUT(note->version);
    note->use = PW_SLOT_FRESH;
    note->counter = release->security_counter;
    put_text(&version, release->version);
    record->trial = slot;
    record->tries = PW_SLOTS_TRIES;
}

void pw_boot_confirm(struct pw_boot_record *record, uint32_t root)
{
    struct pw_slot_note *note = note_of(record, record->trial);
    note->use = PW_SLOT_PROVEN;
    record->confirmed = record->trial;
    record->trial = 0;
    record->tries = 0;
    record->counter = note->counter > record->counter ? note->counter : record->counter;
    record->root = root > record->root ? root : record->root;
}

void pw_boot_give_up(struct pw_boot_record *record, char slot, const char *why)
{
    struct pw_slot_note *note = note_of(record, slot);
    struct pw_out returned = PW_OUT(record->returned);
    struct pw_out reason = PW_OUT(record->returned_why);
    note->use = PW_SLOT_FAILED;
    put_text(&returned, note->version);
    put_text(&reason, why);
    if (record->trial == slot) {
        record->trial = 0;
        record->tries = 0;
    }
    if (record->confirmed == slot) {
        record->confirmed = use_of(record, other(slot)) == PW_SLOT_PROVEN ? other(slot) : 0;
    }
}

static bool is_newer(struct pw_str version, const char *than)
{
    int order = pw_release_version_compare(version, pw_str_of(than));
    return order > 0 && order != PW_RELEASE_VERSION_BAD;
}

bool pw_boot_prefer_package(struct pw_boot_record *record, struct pw_str version)
{
    bool changed = false;
    if (record->confirmed != 0 && is_newer(version, note_of(record, record->confirmed)->version)) {
        record->confirmed = 0;
        changed = true;
    }
    if (record->trial != 0 && is_newer(version, note_of(record, record->trial)->version)) {
        record->trial = 0;
        record->tries = 0;
        changed = true;
    }
    return changed;
}

// ---------------------------------------------------------------------------------------------
// What is started.

// Of two slots that were confirmed once, the newer is the better one to fall back to.
static char better(const struct pw_boot_record *record)
{
    return is_newer(pw_str_of(record->slot[1].version), record->slot[0].version) ? 'b' : 'a';
}

unsigned pw_boot_choices(const struct pw_boot_record *record, char choice[PW_BOOT_CHOICES])
{
    unsigned count = 0;
    char first = better(record);
    const char order[] = {record->confirmed, first, other(first), 0};
    if (record->trial != 0 && record->tries > 0) {
        choice[count++] = record->trial;
    }
    for (unsigned i = 0; i < PW_COUNT(order); i++) {
        bool known = false;
        for (unsigned k = 0; k < count; k++) {
            known = known || choice[k] == order[i];
        }
        if (!known && (order[i] == 0 || use_of(record, order[i]) == PW_SLOT_PROVEN)) {
            choice[count++] = order[i];
        }
    }
    return count;
}

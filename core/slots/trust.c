#include "slots/slots.h"

#include <string.h>

// The roots that a station has followed, from the maker's own to the newest.

#define ROOTS     "root"
#define ROOTS_NEW "root.new"

static struct pw_str chain_of(const struct pw_slots_trust *trust)
{
    return (struct pw_str){.at = (const char *)trust->chain, .len = trust->chain_len};
}

void pw_slots_trust_load(struct pw_slots_trust *trust, const struct pw_slots_disk *disk)
{
    trust->chain_len = 0;
    if (disk->open(disk->context, 0, ROOTS) != PW_OK) {
        return;
    }
    int got = 1;
    while (got > 0 && trust->chain_len < sizeof(trust->chain)) {
        got = disk->read(disk->context, trust->chain + trust->chain_len,
                         sizeof(trust->chain) - trust->chain_len);
        trust->chain_len += got > 0 ? (size_t)got : 0;
    }
    disk->close(disk->context);
    // What is appended later must not stand behind something that cannot be read.
    struct pw_str row = chain_of(trust);
    struct pw_release_root_text text;
    struct pw_out nobody = {.cap = 0};
    while (row.len > 0 && pw_release_root_cut(&row, &text, &nobody) == PW_OK) {
    }
    trust->chain_len -= row.len;
}

// Follows one document after another from `root` on; those that do not lead on from it are passed
// over: an older station followed them before it was given a newer root. What leads on is appended
// to `kept` where there is one. False: it is full.
static bool follow_all(const struct pw_slots_trust *trust, struct pw_str row,
                       struct pw_release_root *root, struct pw_str *last, struct pw_bin_out *kept)
{
    struct pw_release_root_text text;
    struct pw_release_root next;
    struct pw_out nobody = {.cap = 0};
    while (row.len > 0 && pw_release_root_cut(&row, &text, &nobody) == PW_OK) {
        if (pw_release_root_follow(text.whole, trust->crypto, root, &next, &nobody) != PW_OK) {
            continue;
        }
        *root = next;
        *last = text.whole;
        if (kept != NULL) {
            pw_bin_put_bytes(kept, text.whole.at, text.whole.len);
        }
    }
    return kept == NULL || !kept->bad;
}

void pw_slots_trust_newest(const struct pw_slots_trust *trust, struct pw_release_root *root)
{
    struct pw_str last;
    *root = trust->shipped;
    (void)follow_all(trust, chain_of(trust), root, &last, NULL);
}

struct pw_str pw_slots_trust_signed(const struct pw_slots_trust *trust)
{
    struct pw_release_root root = trust->shipped;
    struct pw_str last = {.len = 0};
    (void)follow_all(trust, chain_of(trust), &root, &last, NULL);
    return last;
}

static int keep(const struct pw_slots_disk *disk, const uint8_t *at, size_t len)
{
    int err = disk->overwrite(disk->context, ROOTS_NEW, true);
    if (err != PW_OK) {
        return err;
    }
    err = disk->append(disk->context, at, len);
    if (err != PW_OK) {
        disk->close(disk->context);
        return err;
    }
    err = disk->sync(disk->context);
    if (err == PW_OK) {
        err = disk->rename(disk->context, ROOTS_NEW, ROOTS);
    }
    return err != PW_OK ? err : disk->sync_names(disk->context, 0);
}

int pw_slots_trust_follow(struct pw_slots_trust *trust, const struct pw_slots_disk *disk,
                          struct pw_str head)
{
    struct pw_release_parts parts;
    struct pw_str last;
    struct pw_release_root root = trust->shipped;
    struct pw_out nobody = {.cap = 0};
    if (pw_release_parts(head, &parts, &nobody) != PW_OK) {
        return PW_OK;
    }
    // Appended in place, and believed only when it is safe on the disk.
    struct pw_bin_out kept = {.at = trust->chain, .cap = sizeof(trust->chain)};
    (void)follow_all(trust, chain_of(trust), &root, &last, NULL);
    kept.len = trust->chain_len;
    if (!follow_all(trust, parts.roots, &root, &last, &kept)) {
        return PW_ERR_LIMIT;
    }
    if (kept.len == trust->chain_len) {
        return PW_OK;
    }
    int err = keep(disk, trust->chain, kept.len);
    if (err == PW_OK) {
        trust->chain_len = kept.len;
        return PW_OK;
    }
    return err == PW_ERR_LIMIT ? err : PW_ERR_STORE;
}

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
    struct pw_out nobody = {.cap = 0};
    while (row.len > 0 && pw_release_root_cut(&row, &trust->text, &nobody) == PW_OK) {
    }
    trust->chain_len -= row.len;
}

// The next document in the row that leads on from `at`, which becomes it. Those that do not are
// passed over: they were followed before the station was given a newer root.
static bool follow_next(struct pw_slots_trust *trust)
{
    struct pw_out nobody = {.cap = 0};
    // Without the maker's root anybody's could lead on from nothing.
    while (trust->shipped.version > 0 && trust->row.len > 0 &&
           pw_release_root_cut(&trust->row, &trust->text, &nobody) == PW_OK) {
        if (pw_release_root_follow(trust->text.whole, trust->crypto, &trust->at, &trust->next,
                                   &nobody) == PW_OK) {
            trust->at = trust->next;
            return true;
        }
    }
    return false;
}

static void begin(struct pw_slots_trust *trust)
{
    trust->at = trust->shipped;
    trust->row = chain_of(trust);
}

void pw_slots_trust_newest(struct pw_slots_trust *trust, struct pw_release_root *root)
{
    begin(trust);
    while (follow_next(trust)) {
    }
    *root = trust->at;
}

struct pw_str pw_slots_trust_signed(struct pw_slots_trust *trust)
{
    struct pw_str last = {.len = 0};
    begin(trust);
    while (follow_next(trust)) {
        last = trust->text.whole;
    }
    return last;
}

int pw_slots_trust_keep(const struct pw_slots_disk *disk, const uint8_t *chain, size_t len)
{
    int err = disk->overwrite(disk->context, ROOTS_NEW, true);
    if (err != PW_OK) {
        return err;
    }
    err = disk->append(disk->context, chain, len);
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

int pw_slots_trust_follow(struct pw_slots_trust *trust, struct pw_str head)
{
    struct pw_release_parts parts;
    struct pw_out nobody = {.cap = 0};
    if (pw_release_parts(head, &parts, &nobody) != PW_OK) {
        return PW_ERR_UNKNOWN;
    }
    begin(trust);
    while (follow_next(trust)) {
    }
    struct pw_bin_out kept = {
        .at = trust->chain, .cap = sizeof(trust->chain), .len = trust->chain_len};
    trust->row = parts.roots;
    while (follow_next(trust)) {
        pw_bin_put_bytes(&kept, trust->text.whole.at, trust->text.whole.len);
    }
    if (kept.bad || kept.len == trust->chain_len) {
        return kept.bad ? PW_ERR_LIMIT : PW_ERR_UNKNOWN;
    }
    trust->chain_len = kept.len;
    return PW_OK;
}

enum pw_release_verdict pw_slots_trust_judge(struct pw_slots_trust *trust, uint32_t least,
                                             struct pw_str head,
                                             const struct pw_release_rules *rules,
                                             struct pw_release *release, struct pw_out *why)
{
    struct pw_release_rules by = *rules;
    if (trust->shipped.version == 0) {
        pw_put_s(why, "the maker's root is not here");
        return PW_RELEASE_UNSIGNED;
    }
    by.root = &trust->at;
    by.most_bytes = UINT64_MAX;
    begin(trust);
    for (;;) {
        struct pw_out said = *why;
        enum pw_release_verdict verdict = pw_release_judge(head, &by, release, &trust->next, &said);
        if (verdict == PW_RELEASE_FINE && trust->next.version < least) {
            pw_put_s(&said, "it is signed under a root that has been replaced");
            verdict = PW_RELEASE_UNSIGNED;
        }
        if (verdict == PW_RELEASE_FINE) {
            return verdict;
        }
        if (!follow_next(trust)) {
            *why = said;
            return verdict;
        }
    }
}

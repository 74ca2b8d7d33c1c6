// signed: how the journal keeps signed readings. One is too large for a record of the store, so it
// lies in several, one after the other. Nobody outside the journal includes this.
#ifndef PW_JOURNAL_SIGNED_H
#define PW_JOURNAL_SIGNED_H

#include "journal/journal.h"

#define PW_SIGNED_PART      1000 // bytes of a reading in one record
#define PW_SIGNED_BYTES_MAX (PW_SIGNED_TEXT_MAX + PW_SIGNED_KEY_MAX + 5)
#define PW_SIGNED_PARTS     ((PW_SIGNED_BYTES_MAX + PW_SIGNED_PART - 1) / PW_SIGNED_PART)
#define PW_SIGNED_KEYS_MAX  (2 * PW_SIGNED_PARTS) // of the readings that leave with one message

struct pw_signed_keys {
    char text[PW_SIGNED_KEYS_MAX][PW_STORE_KEY_MAX + 1];
};

// The changes that take away what leaves with a message: at most PW_SIGNED_KEYS_MAX, their number
// returned. The keys must stay where they are until the changes were written.
size_t pw_signed_leave(const struct pw_message *message, struct pw_signed_keys *keys,
                       struct pw_store_change *changes);
// The same of some samples, 2 at most.
size_t pw_signed_leave_with(const struct pw_sample *const *sample, size_t samples,
                            struct pw_signed_keys *keys, struct pw_store_change *changes);

#endif

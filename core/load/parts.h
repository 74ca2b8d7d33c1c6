// parts: what the files of this room share. Not for anybody outside.
#ifndef PW_LOAD_PARTS_H
#define PW_LOAD_PARTS_H

#include "load/load.h"

// What a place is doing while current is being filled in.
enum step { STEP_OUT, STEP_RESERVED, STEP_BELOW, STEP_RISING, STEP_DONE };

// One run: the caller's arrays with the defaults filled in.
struct run {
    struct pw_load *load;
    struct pw_load_config config;
    pw_ms now;
    size_t places; // in use
    pw_ms next;    // when time alone changes something
};

// --- learn.c: what a measurement says about the vehicle.

void pw_load_learn(struct run *run, size_t index);

// --- rank.c

// Places in the order in which they are served. In place, O(n log n).
void pw_load_rank_sort(struct pw_load_place *place, size_t count);
// Fills in the rank of a member that wants current.
void pw_load_rank_place(struct run *run, struct pw_load_place *place);
bool pw_load_rank_is_kept(const struct pw_load_place *place); // must not be stopped yet
bool pw_load_rank_is_overdue(
    const struct pw_load_place *place); // has waited as long as anybody may

// --- fill.c

// The first circuit on the way to the root with less than `ma` left (`extra`: with what kept
// members hold counted as left); PW_LOAD_NONE when it fits everywhere.
uint16_t pw_load_room_lacks(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma,
                            bool extra);
// The same against everything that could be shared at all.
uint16_t pw_load_room_never(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma);
void pw_load_room_take(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma);
void pw_load_room_keep(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma);
// The least that is left on the way to the root.
int64_t pw_load_room_left(const struct run *run, uint16_t circuit, unsigned mains);
// Raises all places together from what they have to their caps: everybody to the same level, until
// a circuit is full on a phase; who hangs on it stops there.
void pw_load_fill(const struct run *run, struct pw_load_place *place, size_t count);

// The deadline `since` + `span`, when it is still to come.
static inline void due(struct run *run, pw_ms since, pw_ms span)
{
    pw_ms at = pw_after(since, span);
    if (at > run->now) {
        run->next = pw_earlier(run->next, at);
    }
}

#endif

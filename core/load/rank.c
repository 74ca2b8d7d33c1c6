// Who is served first. Before all others who must not be stopped yet; then by priority; within one
// priority: who has waited as long as anybody may, who is within his turn, who waits, who has had
// his turn. Ordering by this and giving each the minimum as far as it goes keeps, sheds, rotates
// and activates in one pass.
#include "parts.h"

enum class { OVERDUE, TURN, WAITING, SERVED, CLASSES };

#define KEPT_CLASSES PW_LOAD_PRIORITIES // ranks below are of members that must not go yet
#define LATE         (UINT64_C(1) << 63)
#define HOUR_MS      INT64_C(3600000)
#define MINUTE_MS    INT64_C(60000)

bool pw_load_rank_is_kept(const struct pw_load_place *place)
{
    return place->key[0] < KEPT_CLASSES;
}

bool pw_load_rank_is_overdue(const struct pw_load_place *place)
{
    return place->key[0] >= KEPT_CLASSES && (place->key[0] - KEPT_CLASSES) % CLASSES == OVERDUE;
}

// How many want each place that there is, on the narrowest circuit and phase; at least 1.
static uint32_t crowd(const struct run *run, const struct pw_load_member *member, unsigned mains)
{
    uint32_t most = 1;
    for (uint16_t c = member->circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        const struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            uint32_t wanting = room->wanting[member->priority][p];
            uint32_t active = room->active[member->priority][p];
            if (((mains >> p) & 1U) != 0 && active > 0) {
                most = (uint32_t)pw_max(most, (wanting + active - 1) / active);
            }
        }
    }
    return most;
}

// Average power since the vehicle came, in milliwatt.
static uint64_t received(const struct pw_load_member *member, pw_ms now)
{
    int64_t ms = now > member->plugged_at ? (int64_t)(now - member->plugged_at) : 0;
    int64_t energy = pw_clamp(member->energy_mwh, 0, INT64_MAX / HOUR_MS);
    return (uint64_t)pw_min(energy * HOUR_MS / pw_max(ms, MINUTE_MS), INT32_MAX);
}

// Least energy per hour first; of equals who has waited longest.
static uint64_t by_energy(const struct run *run, const struct pw_load_member *member, pw_ms since)
{
    return LATE | received(member, run->now) << 32U | ((since / 1000) & UINT32_MAX);
}

static void rank_active(struct run *run, struct pw_load_place *place,
                        const struct pw_load_member *member, pw_ms since)
{
    pw_ms turn = run->config.rotation_ms;
    turn = (pw_ms)pw_min((int64_t)turn, (int64_t)(2 * turn / crowd(run, member, place->mains)));
    turn = (pw_ms)pw_max((int64_t)turn, run->config.min_on_ms);
    uint64_t behind = PW_LOAD_PRIORITIES - 1U - member->priority;
    due(run, since, run->config.min_on_ms);
    due(run, since, turn);
    if (!pw_elapsed(since, run->config.min_on_ms, run->now)) {
        place->key[0] = behind;
        place->key[1] = since;
    } else if (!pw_elapsed(since, turn, run->now)) {
        place->key[0] = KEPT_CLASSES + behind * CLASSES + TURN;
        place->key[1] = UINT64_MAX - since; // who has been on longest goes first
    } else {
        place->key[0] = KEPT_CLASSES + behind * CLASSES + SERVED;
        place->key[1] = by_energy(run, member, since);
    }
}

static void rank_waiting(struct run *run, struct pw_load_place *place,
                         const struct pw_load_member *member, pw_ms since)
{
    uint64_t behind = PW_LOAD_PRIORITIES - 1U - member->priority;
    pw_ms turn = run->config.rotation_ms;
    pw_ms overdue = 2 * turn - 2 * (pw_ms)run->config.min_on_ms;
    due(run, since, turn);
    due(run, since, overdue);
    bool late = pw_elapsed(since, overdue, run->now);
    place->key[0] = KEPT_CLASSES + behind * CLASSES + (late ? OVERDUE : WAITING);
    bool aged = late || pw_elapsed(since, turn, run->now);
    place->key[1] = aged ? since : by_energy(run, member, since);
}

void pw_load_rank_place(struct run *run, struct pw_load_place *place)
{
    const struct pw_load_member *member = &run->load->member[place->index];
    const struct pw_load_memory *memory = &run->load->memory[place->index];
    if (memory->active) {
        rank_active(run, place, member, memory->since);
    } else {
        rank_waiting(run, place, member, memory->since);
    }
}

// --- Sorting: a heap, because it needs neither recursion nor further memory.

static bool before(const struct pw_load_place *a, const struct pw_load_place *b)
{
    if (a->key[0] != b->key[0]) {
        return a->key[0] < b->key[0];
    }
    return a->key[1] != b->key[1] ? a->key[1] < b->key[1] : a->id < b->id;
}

static void sift(struct pw_load_place *place, size_t from, size_t count)
{
    struct pw_load_place moving = place[from];
    while (2 * from + 1 < count) {
        size_t child = 2 * from + 1;
        if (child + 1 < count && before(&place[child], &place[child + 1])) {
            child++;
        }
        if (!before(&moving, &place[child])) {
            break;
        }
        place[from] = place[child];
        from = child;
    }
    place[from] = moving;
}

void pw_load_rank_sort(struct pw_load_place *place, size_t count)
{
    for (size_t i = count / 2; i-- > 0;) {
        sift(place, i, count);
    }
    for (size_t end = count; end-- > 1;) {
        struct pw_load_place last = place[0];
        place[0] = place[end];
        place[end] = last;
        sift(place, 0, end);
    }
}

// Room in the circuits, and filling it evenly.
#include "parts.h"

static bool loads(unsigned mains, unsigned phase)
{
    return ((mains >> phase) & 1U) != 0;
}

uint16_t pw_load_room_lacks(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma,
                            bool extra)
{
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        const struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            int64_t left = room->left_ma[p] + (extra ? room->kept_ma[p] : 0);
            if (loads(mains, p) && left < ma) {
                return c;
            }
        }
    }
    return PW_LOAD_NONE;
}

uint16_t pw_load_room_never(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma)
{
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            if (loads(mains, p) && run->load->room[c].all_ma[p] < ma) {
                return c;
            }
        }
    }
    return PW_LOAD_NONE;
}

void pw_load_room_take(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma)
{
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            run->load->room[c].left_ma[p] -= loads(mains, p) ? ma : 0;
        }
    }
}

void pw_load_room_keep(const struct run *run, uint16_t circuit, unsigned mains, int64_t ma)
{
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            run->load->room[c].kept_ma[p] += loads(mains, p) ? ma : 0;
        }
    }
}

int64_t pw_load_room_left(const struct run *run, uint16_t circuit, unsigned mains)
{
    int64_t left = INT64_MAX;
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            if (loads(mains, p)) {
                left = pw_min(left, run->load->room[c].left_ma[p]);
            }
        }
    }
    return left;
}

// --- Filling. A level rises from zero; a place rises with it from where it stands to its cap.

static void rise(const struct run *run, struct pw_load_place *place, bool more)
{
    uint16_t circuit = run->load->member[place->index].circuit;
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            uint32_t *rising = &run->load->room[c].rising[p];
            if (loads(place->mains, p)) {
                *rising = more ? *rising + 1 : *rising - 1;
            }
        }
    }
    place->step = more ? STEP_RISING : STEP_DONE;
}

// The level at which something happens next; INT64_MAX when nothing rises any more.
static int64_t next_level(const struct run *run, const struct pw_load_place *place, size_t count,
                          int64_t level)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        if (place[i].step == STEP_BELOW) {
            next = pw_min(next, place[i].ma);
        } else if (place[i].step == STEP_RISING) {
            next = pw_min(next, place[i].cap_ma);
        }
    }
    for (size_t c = 0; c < run->load->circuits && next != INT64_MAX; c++) {
        const struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            if (room->rising[p] > 0) {
                next = pw_min(next, level + pw_max(0, room->left_ma[p]) / room->rising[p]);
            }
        }
    }
    return next;
}

// Lets the room shrink by `up` for each that rises. True when some circuit is full now.
static bool shrink(const struct run *run, int64_t up)
{
    bool any = false;
    for (size_t c = 0; c < run->load->circuits; c++) {
        struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            room->left_ma[p] -= up * room->rising[p];
            room->full[p] = room->rising[p] > 0 && room->left_ma[p] < room->rising[p];
            any = any || room->full[p];
        }
    }
    return any;
}

static uint16_t full_on_the_way(const struct run *run, const struct pw_load_place *place)
{
    uint16_t circuit = run->load->member[place->index].circuit;
    for (uint16_t c = circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            if (loads(place->mains, p) && run->load->room[c].full[p]) {
                return c;
            }
        }
    }
    return PW_LOAD_NONE;
}

static void reach(const struct run *run, struct pw_load_place *place, int64_t level, bool full)
{
    place->ma = (int32_t)level;
    uint16_t bound = full ? full_on_the_way(run, place) : PW_LOAD_NONE;
    if (level >= place->cap_ma) {
        rise(run, place, false);
    } else if (bound != PW_LOAD_NONE) {
        place->bound = bound;
        rise(run, place, false);
    }
}

void pw_load_fill(const struct run *run, struct pw_load_place *place, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        place[i].step = place[i].ma < place[i].cap_ma ? STEP_BELOW : STEP_DONE;
    }
    int64_t level = 0;
    for (;;) {
        int64_t next = next_level(run, place, count, level);
        if (next == INT64_MAX) {
            return;
        }
        bool full = shrink(run, next - level);
        level = next;
        for (size_t i = 0; i < count; i++) {
            if (place[i].step == STEP_RISING) {
                reach(run, &place[i], level, full);
            }
        }
        for (size_t i = 0; i < count; i++) {
            if (place[i].step == STEP_BELOW && place[i].ma <= level) {
                rise(run, &place[i], true);
            }
        }
    }
}

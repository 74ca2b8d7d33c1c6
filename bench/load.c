// 1,000 stations shared anew: three levels of circuits, vehicles of all kinds, all stages. Against
// the simplest fair share that could be written, a milliampere for each in turn until one single
// circuit is full, and against sorting the same members by energy with the C library. Time is that
// of the processor, so that a busy machine counts for nothing.
#include "load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEMBERS = 1000, SITES = 10, BOARDS = 100, ROUNDS = 60 };
enum { CIRCUITS = 1 + SITES + BOARDS, AMPERE = 1000, SECOND = 1000, MINUTE = 60 * SECOND };

static struct pw_load_circuit circuit[CIRCUITS];
static struct pw_load_member member[MEMBERS];
static struct pw_load_memory memory[MEMBERS];
static struct pw_load_share share[MEMBERS];
static struct pw_load_place place[MEMBERS];
static struct pw_load_room room[CIRCUITS];

static double now_ms(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static uint32_t random_below(uint32_t below)
{
    static uint32_t state = 2463534242;
    state ^= state << 13U;
    state ^= state >> 17U;
    state ^= state << 5U;
    return state % below;
}

static void set_limit(struct pw_load_circuit *to, uint16_t parent, int32_t a)
{
    to->parent = parent;
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        to->limit_ma[p] = (a + (int32_t)random_below(20)) * AMPERE;
    }
}

static void set_member(struct pw_load_member *to, uint32_t n)
{
    static const uint8_t phases[] = {1, 1, 3, 7, 7, 7};
    *to = (struct pw_load_member){
        .id = n + 1,
        .circuit = (uint16_t)(1 + SITES + n % BOARDS),
        .priority = (uint8_t)random_below(3),
        .phases = phases[random_below(sizeof(phases))],
        .rotation = (enum pw_load_rotation)random_below(6),
        .min_ma = 6 * AMPERE,
        .max_ma = (16 + 16 * (int32_t)random_below(2)) * AMPERE,
        .reachable = random_below(50) != 0,
        .wants = random_below(10) != 0,
        .measured_ma = (6 + (int32_t)random_below(26)) * AMPERE,
        .energy_mwh = random_below(40000000),
        .plugged_at = random_below(3600) * (pw_ms)SECOND,
    };
}

static struct pw_load site(size_t members)
{
    set_limit(&circuit[0], PW_LOAD_NONE, 4000);
    for (size_t i = 1; i < CIRCUITS; i++) {
        bool board = i > SITES;
        set_limit(&circuit[i], board ? (uint16_t)(1 + i % SITES) : 0, board ? 63 : 500);
    }
    for (uint32_t i = 0; i < members; i++) {
        set_member(&member[i], i);
    }
    memset(memory, 0, sizeof(memory));
    return (struct pw_load){.circuit = circuit,
                            .circuits = CIRCUITS,
                            .member = member,
                            .members = members,
                            .memory = memory,
                            .share = share,
                            .place = place,
                            .room = room};
}

// Minutes in the life of the site: everybody follows, draws what he likes, some come and go.
static void follow(size_t members, pw_ms now)
{
    for (size_t i = 0; i < members; i++) {
        member[i].told_ma = share[i].send_ma;
        member[i].held_ma = share[i].send_ma;
        int32_t draws = (int32_t)random_below((uint32_t)member[i].max_ma);
        member[i].measured_ma = (int32_t)pw_min(draws, member[i].told_ma);
        if (random_below(30) == 0) {
            member[i].wants = !member[i].wants;
            member[i].plugged_at = now;
        }
    }
}

static int by_energy(const void *a, const void *b)
{
    const struct pw_load_member *x = a;
    const struct pw_load_member *y = b;
    return (x->energy_mwh > y->energy_mwh) - (x->energy_mwh < y->energy_mwh);
}

static int upwards(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

struct figures {
    double median_ms;
    double worst_ms;
    double sort_ms;
};

static struct figures measure(size_t members)
{
    static struct pw_load_member sorted[MEMBERS];
    static double runs[ROUNDS];
    struct figures best = {.sort_ms = 1e9};
    struct pw_load load = site(members);
    for (int i = 0; i < ROUNDS; i++) {
        pw_ms now = (pw_ms)(i + 61) * MINUTE;
        double begun = now_ms();
        (void)pw_load_allocate(&load, now);
        double ended = now_ms();
        runs[i] = ended - begun;
        memcpy(sorted, member, sizeof(sorted));
        begun = now_ms();
        qsort(sorted, members, sizeof(sorted[0]), by_energy);
        double sort_ms = now_ms() - begun;
        best.sort_ms = sort_ms < best.sort_ms ? sort_ms : best.sort_ms;
        follow(members, now);
    }
    qsort(runs, ROUNDS, sizeof(runs[0]), upwards);
    best.median_ms = runs[ROUNDS / 2];
    best.worst_ms = runs[ROUNDS - 1];
    return best;
}

// A milliampere for each in turn, on one phase of one circuit with 12 A for each.
static double slow_ms(size_t members)
{
    static int32_t ma[MEMBERS];
    int64_t left = (int64_t)members * 12 * AMPERE;
    double begun = now_ms();
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < members; i++) {
            if (left > 0 && ma[i] < member[i].max_ma) {
                ma[i]++;
                left--;
                moved = true;
            }
        }
    }
    double ms = now_ms() - begun;
    return ma[0] > 0 ? ms : 0;
}

int main(void)
{
    struct figures all = measure(MEMBERS);
    double slow = slow_ms(MEMBERS);
    (void)printf("{\"bench\":\"load\",\"members\":%d,\"circuits\":%d,\"median_ms\":%.3f,"
                 "\"worst_ms\":%.3f,\"qsort_ms\":%.3f,\"slow_ms\":%.3f}\n",
                 MEMBERS, CIRCUITS, all.median_ms, all.worst_ms, all.sort_ms, slow);
    (void)printf("| load, %d stations on %d circuits | %.2f ms, worst %.2f ms | qsort %.3f ms | "
                 "milliampere by milliampere %.1f ms |\n",
                 MEMBERS, CIRCUITS, all.median_ms, all.worst_ms, all.sort_ms, slow);
    return 0;
}

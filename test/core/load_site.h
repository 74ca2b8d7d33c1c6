// A site in virtual time: circuits, stations that keep to orders with leases and fall back without,
// a network that delays, cuts and restores, vehicles that draw what they like. The engine is the
// loop that any user of core/load writes: tell, allocate, send.
#ifndef PW_TEST_LOAD_SITE_H
#define PW_TEST_LOAD_SITE_H

#include "load/load.h"
#include "test.h"

#define SITE_MEMBERS  64
#define SITE_CIRCUITS 16
#define SITE_FLIGHTS  64
#define AMPERE        1000
#define SECOND        1000
#define MINUTE        60000

struct flight {
    pw_ms arrives;
    int32_t ma;
    uint32_t lease_ms;
};

// The other end of an order.
struct site_station {
    int32_t ma; // what it allows now
    int32_t fallback_ma;
    pw_ms lease_until;
    bool cut;       // the network is broken, whether noticed or not
    pw_ms cut_at;   //
    bool linked;    // what the centre believes
    bool deaf;      // takes orders and never answers
    int32_t can_ma; // what the vehicle can use
    struct flight down[SITE_FLIGHTS];
    unsigned downs;
    pw_ms acks[SITE_FLIGHTS]; // acknowledgements under way
    unsigned acks_count;
};

struct site {
    pw_ms now;
    uint64_t seed;
    pw_ms latency; // of an order; 0: random up to 2 s
    bool dead;     // the centre does not run
    pw_ms died;    // it ran last then
    struct pw_load load;
    struct pw_load_config config;
    struct pw_load_circuit circuit[SITE_CIRCUITS];
    struct pw_load_member member[SITE_MEMBERS];
    struct pw_load_memory memory[SITE_MEMBERS];
    struct pw_load_share share[SITE_MEMBERS];
    struct pw_load_place place[SITE_MEMBERS];
    struct pw_load_room room[SITE_CIRCUITS];
    struct pw_load_order order[SITE_MEMBERS];
    struct site_station station[SITE_MEMBERS];
    uint32_t orders; // sent so far
};

void site_init(struct site *site, uint64_t seed);
// limit: ampere on every phase. Returns the index.
uint16_t site_circuit(struct site *site, uint16_t parent, int32_t a);
// 6..`max_a` ampere on three phases, fail-safe 0, priority 0; change the member before the first
// run.
size_t site_member(struct site *site, uint16_t circuit, int32_t max_a);
void site_failsafe(struct site *site, size_t index, int32_t ma);
void site_plug(struct site *site, size_t index);
void site_unplug(struct site *site, size_t index);
// Cut: nothing comes through from now on; the centre notices after 30 s. Restored: at once.
void site_cut(struct site *site, size_t index);
void site_restore(struct site *site, size_t index);
// The centre starts anew and knows what was told last.
void site_restart(struct site *site);
// One run of the allocator alone, without stations.
void site_allocate(struct site *site);
// Lets a second pass: network, stations, vehicles, engine.
void site_second(struct site *site);
void site_run(struct site *site, pw_ms span);
// What stations allow now exceeds no circuit. Fails the test with the seed.
void site_check_limits(const struct site *site);
// The targets fit, and each is 0 or min..max.
void site_check_targets(const struct site *site);
uint64_t site_random(struct site *site, uint64_t below);
uint64_t site_seed(void); // PW_TEST_SEED or the usual one; prints it

// An independent solver: raises everybody by single milliampere from the minimums, priority by
// priority, then from the demands to the maximums. Writes each member's current to ma.
void slow_solve(const struct pw_load *load, const int32_t *demand_ma, int32_t *ma);

#endif

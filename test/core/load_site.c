#include "load_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t site_seed(void)
{
    const char *given = getenv("PW_TEST_SEED");
    uint64_t seed = given == NULL ? 0x9E3779B97F4A7C15 : strtoull(given, NULL, 0);
    printf("PW_TEST_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

uint64_t site_random(struct site *site, uint64_t below)
{
    site->seed ^= site->seed << 13U;
    site->seed ^= site->seed >> 7U;
    site->seed ^= site->seed << 17U;
    return site->seed % below;
}

void site_init(struct site *site, uint64_t seed)
{
    memset(site, 0, sizeof(*site));
    site->seed = seed != 0 ? seed : 1;
    site->now = 1000 * (pw_ms)SECOND;
    site->latency = 100;
    site->load = (struct pw_load){
        .config = &site->config,
        .circuit = site->circuit,
        .member = site->member,
        .memory = site->memory,
        .share = site->share,
        .place = site->place,
        .room = site->room,
    };
}

uint16_t site_circuit(struct site *site, uint16_t parent, int32_t a)
{
    assert_true(site->load.circuits < SITE_CIRCUITS);
    site->circuit[site->load.circuits] = (struct pw_load_circuit){
        .parent = parent,
        .limit_ma = {a * AMPERE, a * AMPERE, a * AMPERE},
    };
    return (uint16_t)site->load.circuits++;
}

size_t site_member(struct site *site, uint16_t circuit, int32_t max_a)
{
    size_t i = site->load.members++;
    assert_true(i < SITE_MEMBERS);
    site->member[i] = (struct pw_load_member){
        .id = (uint32_t)i + 1,
        .circuit = circuit,
        .phases = PW_LOAD_ALL_PHASES,
        .rotation = PW_LOAD_RST,
        .min_ma = 6 * AMPERE,
        .max_ma = max_a * AMPERE,
        .reachable = true,
        .measured_ma = -1,
    };
    site->station[i].linked = true;
    site->station[i].can_ma = max_a * AMPERE;
    site_failsafe(site, i, 0);
    return i;
}

void site_failsafe(struct site *site, size_t index, int32_t ma)
{
    site->station[index].fallback_ma = ma;
    site->station[index].ma = ma;
    pw_load_order_init(&site->order[index], ma, ma, 0, site->now);
}

void site_plug(struct site *site, size_t index)
{
    site->member[index].wants = true;
    site->member[index].plugged_at = site->now;
    site->member[index].energy_mwh = 0;
}

void site_unplug(struct site *site, size_t index)
{
    site->member[index].wants = false;
}

void site_cut(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    if (!station->cut) {
        station->cut = true;
        station->cut_at = site->now;
    }
}

void site_restore(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    bool noticed = !station->linked;
    station->cut = false;
    if (noticed) {
        station->downs = 0; // a new connection
        station->acks_count = 0;
        station->linked = true;
        pw_load_order_joined(&site->order[index], site->now);
    }
}

void site_restart(struct site *site)
{
    memset(site->memory, 0, sizeof(site->memory));
    for (size_t i = 0; i < site->load.members; i++) {
        int32_t known = pw_load_order_held(&site->order[i], true, site->died);
        pw_load_order_init(&site->order[i], site->station[i].fallback_ma, known, 0, site->now);
        site->station[i].downs = 0;
        site->station[i].acks_count = 0;
        site->station[i].linked = !site->station[i].cut;
        pw_load_order_joined(&site->order[i], site->now);
    }
}

void site_allocate(struct site *site)
{
    const char *why = "";
    size_t index = 0;
    if (pw_load_check(&site->load, &why, &index) != PW_OK) {
        fail_msg("%zu: %s", index, why);
    }
    (void)pw_load_allocate(&site->load, site->now);
}

// --- Network and stations.

static pw_ms latency(struct site *site)
{
    return site->latency != 0 ? site->latency : 10 + site_random(site, 2000);
}

static void deliver(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    unsigned taken = 0;
    while (!station->cut && taken < station->downs && station->down[taken].arrives <= site->now) {
        const struct flight *flight = &station->down[taken++];
        station->ma = flight->ma;
        station->lease_until = site->now + flight->lease_ms;
        if (!station->deaf && station->acks_count < SITE_FLIGHTS) {
            station->acks[station->acks_count++] = site->now + latency(site);
        }
    }
    station->downs -= taken;
    memmove(station->down, station->down + taken, station->downs * sizeof(station->down[0]));
    if (site->now >= station->lease_until) {
        station->ma = station->fallback_ma;
    }
}

// Answers come in order; only that to the newest order tells something.
static void answers(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    unsigned taken = 0;
    while (!station->cut && taken < station->acks_count && station->acks[taken] <= site->now) {
        taken++;
    }
    station->acks_count -= taken;
    memmove(station->acks, station->acks + taken, station->acks_count * sizeof(pw_ms));
    if (taken > 0 && station->acks_count == 0 && station->downs == 0) {
        pw_load_order_ack(&site->order[index], site->now);
    }
}

static void watch(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    if (station->cut && station->linked && site->now - station->cut_at >= PW_LOAD_FLIGHT_MS) {
        station->linked = false;
        station->downs = 0;
        station->acks_count = 0;
    }
}

static void drive(struct site *site, size_t index)
{
    struct site_station *station = &site->station[index];
    struct pw_load_member *member = &site->member[index];
    int32_t ma = station->ma < 6 * AMPERE ? 0 : station->ma;
    ma = (int32_t)(member->wants ? pw_min(ma, station->can_ma) : 0);
    member->measured_ma = station->linked ? ma : -1;
    member->energy_mwh += (int64_t)ma * 230 / 3600; // one phase's worth in a second
}

static void engine(struct site *site)
{
    struct pw_load *load = &site->load;
    for (size_t i = 0; i < load->members; i++) {
        pw_load_order_step(&site->order[i], site->now);
        pw_load_order_tell(&site->member[i], &site->order[i], site->station[i].linked, site->now);
    }
    site_allocate(site);
    for (size_t i = 0; i < load->members; i++) {
        struct site_station *station = &site->station[i];
        if (!station->linked ||
            !pw_load_order_wanted(&site->order[i], site->share[i].send_ma, site->now)) {
            continue;
        }
        assert_true(station->downs < SITE_FLIGHTS);
        uint32_t lease = pw_load_order_send(&site->order[i], site->share[i].send_ma, site->now);
        pw_ms arrives = site->now + latency(site);
        if (station->downs > 0 && station->down[station->downs - 1].arrives > arrives) {
            arrives = station->down[station->downs - 1].arrives;
        }
        station->down[station->downs++] =
            (struct flight){.arrives = arrives, .ma = site->share[i].send_ma, .lease_ms = lease};
        site->orders++;
    }
}

void site_second(struct site *site)
{
    site->now += SECOND;
    for (size_t i = 0; i < site->load.members; i++) {
        deliver(site, i);
        answers(site, i);
        watch(site, i);
        drive(site, i);
    }
    if (!site->dead) {
        engine(site);
        site->died = site->now;
    }
}

void site_run(struct site *site, pw_ms span)
{
    for (pw_ms end = site->now + span; site->now < end;) {
        site_second(site);
    }
}

// --- Judges. They know circuits and phases by themselves.

static void add(const struct site *site, int64_t sum[SITE_CIRCUITS][3], size_t index, int64_t ma)
{
    static const unsigned to[PW_LOAD_ROTATION_COUNT][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                           {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const struct pw_load_member *member = &site->member[index];
    bool blind = member->phases == 0 || member->rotation == PW_LOAD_UNKNOWN;
    for (size_t c = member->circuit; c != PW_LOAD_NONE; c = site->circuit[c].parent) {
        for (unsigned p = 0; p < 3; p++) {
            if (blind) {
                sum[c][p] += ma;
            } else if ((((unsigned)member->phases >> p) & 1U) != 0) {
                sum[c][to[member->rotation][p]] += ma;
            }
        }
    }
}

static void compare(const struct site *site, int64_t sum[SITE_CIRCUITS][3], const char *what)
{
    for (size_t c = 0; c < site->load.circuits; c++) {
        for (unsigned p = 0; p < 3; p++) {
            int64_t limit = site->circuit[c].limit_ma[p] - pw_max(0, site->circuit[c].other_ma[p]);
            if (sum[c][p] > pw_max(0, limit)) {
                fail_msg("%s: circuit %zu L%u: %lld of %lld mA at %llu s", what, c, p + 1,
                         (long long)sum[c][p], (long long)limit,
                         (unsigned long long)(site->now / SECOND));
            }
        }
    }
}

void site_check_limits(const struct site *site)
{
    int64_t sum[SITE_CIRCUITS][3] = {{0}};
    for (size_t i = 0; i < site->load.members; i++) {
        add(site, sum, i, site->station[i].ma);
    }
    compare(site, sum, "stations");
}

void site_check_targets(const struct site *site)
{
    int64_t sum[SITE_CIRCUITS][3] = {{0}};
    for (size_t i = 0; i < site->load.members; i++) {
        const struct pw_load_member *member = &site->member[i];
        int32_t ma = site->share[i].target_ma;
        add(site, sum, i, ma);
        if (member->reachable && ma != 0) {
            assert_in_range(ma, member->min_ma, member->max_ma);
        }
    }
    compare(site, sum, "targets");
}

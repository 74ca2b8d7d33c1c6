// What holds for every site: random trees, members and stories. The seed is printed.
#include "load_site.h"

#include <stdio.h>
#include <string.h>

#define CASES UINT64_C(400)

static struct site site;
static struct site other;

static void random_limits(struct site *s, uint16_t circuit, unsigned least_a, unsigned span_a)
{
    for (unsigned p = 0; p < 3; p++) {
        s->circuit[circuit].limit_ma[p] =
            (int32_t)((uint64_t)least_a * AMPERE + site_random(s, span_a * (uint64_t)AMPERE));
    }
}

// Members of every kind under a tree of up to four circuits.
static void random_site(struct site *s, uint64_t seed, unsigned least_a, unsigned span_a)
{
    site_init(s, seed);
    size_t circuits = 1 + site_random(s, 4);
    for (size_t c = 0; c < circuits; c++) {
        uint16_t parent = c == 0 ? PW_LOAD_NONE : (uint16_t)site_random(s, c);
        random_limits(s, site_circuit(s, parent, 0), least_a, span_a);
    }
    size_t members = 1 + site_random(s, 6);
    for (size_t i = 0; i < members; i++) {
        size_t m =
            site_member(s, (uint16_t)site_random(s, circuits), 8 + (int32_t)site_random(s, 9));
        struct pw_load_member *member = &s->member[m];
        static const uint8_t phases[] = {0, 1, 1, 1, 2, 3, 4, 7, 7};
        member->phases = phases[site_random(s, sizeof(phases))];
        member->rotation = (enum pw_load_rotation)site_random(s, PW_LOAD_ROTATION_COUNT);
        member->priority = (uint8_t)site_random(s, 3);
        member->min_ma += 100 * (int32_t)site_random(s, 20);
        site_plug(s, m);
    }
}

// Reason: the fast way to the fair share is checked against one that raises single milliampere.
static void shares_are_those_of_the_slow_solver(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    for (uint64_t n = 0; n < CASES; n++) {
        random_site(&site, seed + n * 77777, 48, 30); // six times eight: every minimum fits
        int32_t demand[SITE_MEMBERS] = {0};
        int32_t slow[SITE_MEMBERS];
        for (size_t i = 0; i < site.load.members; i++) {
            const struct pw_load_member *member = &site.member[i];
            bool known = site_random(&site, 2) == 0;
            demand[i] = (int32_t)pw_min(member->min_ma + 500 * (int64_t)site_random(&site, 9),
                                        member->max_ma);
            demand[i] = known ? demand[i] : 0;
            site.memory[i].demand_ma = demand[i];
            site.memory[i].plugged_at = member->plugged_at;
        }
        site.circuit[0].other_ma[site_random(&site, 3)] = -5000; // export is no credit
        site_allocate(&site);
        struct pw_load as_slow = site.load;
        site.circuit[0].other_ma[0] = site.circuit[0].other_ma[1] = site.circuit[0].other_ma[2] = 0;
        slow_solve(&as_slow, demand, slow);
        for (size_t i = 0; i < site.load.members; i++) {
            if (site.share[i].target_ma != slow[i]) {
                fail_msg("case %llu member %zu: %d mA, the slow solver gives %d mA",
                         (unsigned long long)n, i, site.share[i].target_ma, slow[i]);
            }
        }
    }
}

static void targets_fit_whatever_the_input(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    unsigned paused = 0;
    for (uint64_t n = 0; n < 20 * CASES; n++) {
        random_site(&site, seed + n * 77777, 0, 40);
        for (size_t i = 0; i < site.load.members; i++) {
            site.member[i].wants = site_random(&site, 5) != 0;
            site.memory[i].active = site_random(&site, 2) == 0;
            site.memory[i].asleep = site_random(&site, 4) == 0;
            site.memory[i].since = site.now - site_random(&site, 3600 * (uint64_t)SECOND / 4);
            site.memory[i].plugged_at = site.member[i].plugged_at;
            site.member[i].told_ma = 100 * (int32_t)site_random(&site, 160);
            site.member[i].held_ma = site.member[i].told_ma;
            site.member[i].energy_mwh = (int64_t)site_random(&site, 50000000);
        }
        site.circuit[0].other_ma[site_random(&site, 3)] = (int32_t)site_random(&site, 40000);
        site_allocate(&site);
        site_check_targets(&site);
        for (size_t i = 0; i < site.load.members; i++) {
            paused += site.member[i].wants && site.share[i].target_ma == 0 ? 1 : 0;
            assert_non_null(pw_load_reason_text(site.share[i].reason));
            bool named = site.share[i].circuit != PW_LOAD_NONE;
            enum pw_load_reason why = site.share[i].reason;
            if (why == PW_LOAD_SHARE || why == PW_LOAD_TURN || why == PW_LOAD_NO_ROOM) {
                assert_true(named);
            }
        }
    }
    assert_true(paused > 1000);
}

// A moment in which nothing follows anything.
static void disorder(struct site *s)
{
    for (size_t i = 0; i < s->load.members; i++) {
        struct pw_load_member *member = &s->member[i];
        member->told_ma = 100 * (int32_t)site_random(s, 160);
        member->held_ma = member->told_ma + 100 * (int32_t)site_random(s, 60);
        member->reachable = site_random(s, 4) != 0;
        member->wants = site_random(s, 3) != 0;
    }
}

// What everybody holds, and would hold with the orders sent, on a circuit's phase.
static void sums(const struct site *s, size_t circuit, unsigned phase, int64_t sum[2])
{
    sum[0] = sum[1] = 0;
    for (size_t i = 0; i < s->load.members; i++) {
        const struct pw_load_member *member = &s->member[i];
        size_t c = member->circuit;
        while (c != circuit && c != PW_LOAD_NONE) {
            c = s->circuit[c].parent;
        }
        unsigned mains = c == circuit ? pw_load_mains(member->phases, member->rotation) : 0;
        if (((mains >> phase) & 1U) != 0) {
            sum[0] += member->held_ma;
            sum[1] += pw_max(member->held_ma, s->share[i].send_ma);
        }
    }
}

// Reason: reductions before increases. Whatever stands, an order raises what is held only as far as
// it fits beside what everybody else still holds.
static void raises_fit_beside_what_others_hold(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    unsigned raises = 0;
    for (uint64_t n = 0; n < 20 * CASES; n++) {
        random_site(&site, seed + n * 77777, 20, 60);
        disorder(&site);
        site_allocate(&site);
        for (size_t i = 0; i < site.load.members; i++) {
            assert_true(site.member[i].reachable ||
                        site.share[i].send_ma == site.member[i].told_ma);
        }
        for (size_t c = 0; c < site.load.circuits * 3; c++) {
            int64_t sum[2];
            sums(&site, c / 3, (unsigned)(c % 3), sum);
            raises += sum[1] > sum[0] ? 1 : 0;
            assert_true(sum[1] == sum[0] || sum[1] <= site.circuit[c / 3].limit_ma[c % 3]);
        }
    }
    assert_true(raises > 500);
}

// The same members in another order, each with its memory, get the same.
static void the_order_of_members_does_not_matter(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    for (uint64_t n = 0; n < 5 * CASES; n++) {
        random_site(&site, seed + n * 77777, 0, 40);
        for (size_t i = 0; i < site.load.members; i++) {
            site.memory[i].active = site_random(&site, 2) == 0;
            site.memory[i].plugged_at = site.member[i].plugged_at;
            site.member[i].told_ma = site.member[i].held_ma = 6000;
        }
        site_init(&other, 1);
        memcpy(other.circuit, site.circuit, sizeof(site.circuit));
        other.load.circuits = site.load.circuits;
        other.load.members = site.load.members;
        size_t shift = site_random(&site, site.load.members);
        for (size_t i = 0; i < site.load.members; i++) {
            size_t to = site.load.members - 1 - (i + shift) % site.load.members;
            other.member[to] = site.member[i];
            other.memory[to] = site.memory[i];
        }
        site_allocate(&site);
        site_allocate(&other);
        for (size_t i = 0; i < site.load.members; i++) {
            size_t to = site.load.members - 1 - (i + shift) % site.load.members;
            assert_int_equal(other.share[to].target_ma, site.share[i].target_ma);
            assert_int_equal(other.share[to].send_ma, site.share[i].send_ma);
            assert_int_equal(other.share[to].reason, site.share[i].reason);
            assert_int_equal(other.share[to].circuit, site.share[i].circuit);
        }
    }
}

static int64_t total(const struct site *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->load.members; i++) {
        sum += s->share[i].target_ma;
    }
    return sum;
}

// Everybody on the same phases. `tree`: every minimum fits, any circuit is raised; else one circuit
// of any size, where members come in and drop out.
static void raise_and_compare(uint64_t seed, bool tree, uint8_t phases)
{
    random_site(&site, seed, tree ? 48 : 1, tree ? 40 : 60);
    site.load.circuits = tree ? site.load.circuits : 1;
    for (size_t i = 0; i < site.load.members; i++) {
        site.member[i].phases = phases;
        site.member[i].rotation = PW_LOAD_RST;
        site.member[i].circuit = tree ? site.member[i].circuit : 0;
        site.member[i].priority = tree ? site.member[i].priority : 0;
    }
    other = site;
    other.load = (struct pw_load){.config = &other.config,
                                  .circuit = other.circuit,
                                  .circuits = site.load.circuits,
                                  .member = other.member,
                                  .members = site.load.members,
                                  .memory = other.memory,
                                  .share = other.share,
                                  .place = other.place,
                                  .room = other.room};
    uint64_t which = site_random(&site, site.load.circuits);
    int32_t more = (int32_t)site_random(&site, 20000);
    for (unsigned p = 0; p < 3; p++) {
        other.circuit[which].limit_ma[p] += more;
    }
    site_allocate(&site);
    site_allocate(&other);
    int64_t rest = (int64_t)site.load.members; // less than one milliampere each is never handed out
    if (total(&other) + rest < total(&site)) {
        fail_msg("seed %llu: %d mA more give %lld instead of %lld mA", (unsigned long long)seed,
                 more, (long long)total(&other), (long long)total(&site));
    }
}

static void more_budget_is_never_less_in_total(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    for (uint64_t n = 0; n < 5 * CASES; n++) {
        raise_and_compare(seed + n * 77777, n % 2 == 0, n % 3 == 0 ? 7 : 1);
    }
}

// --- In time.

static void random_event(struct site *s)
{
    size_t i = site_random(s, s->load.members);
    switch (site_random(s, 8)) {
    case 0:
    case 1:
        if (!s->member[i].wants) {
            site_plug(s, i);
        }
        break;
    case 2: site_unplug(s, i); break;
    case 3: site_cut(s, i); break;
    case 4:
    case 5: site_restore(s, i); break;
    case 6: s->station[i].can_ma = (int32_t)site_random(s, 17) * AMPERE; break;
    case 7: s->station[i].deaf = site_random(s, 3) == 0; break;
    }
}

static void disturb_centre(struct site *s)
{
    uint64_t what = site_random(s, 1200);
    if (what == 0) {
        s->dead = true;
    } else if (what < 4 && s->dead) {
        s->dead = false;
        site_restart(s);
    } else if (what == 5 && !s->dead) {
        site_restart(s);
    }
}

// Reason: the sum must stay below each limit at every moment, not only once everybody has followed:
// orders under way, lost links, fall-backs and a centre that dies and comes back included.
static void no_moment_exceeds_a_limit(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    unsigned fallbacks = 0;
    for (uint64_t n = 0; n < 60; n++) {
        random_site(&site, seed + n * 77777, 40, 30);
        site.latency = 0;
        for (size_t i = 0; i < site.load.members; i++) {
            site_failsafe(&site, i, site_random(&site, 2) == 0 ? 6000 : 0); // 6 · 6 A fit
        }
        for (unsigned t = 0; t < 7200; t++) {
            if (site_random(&site, 20) == 0) {
                random_event(&site);
            }
            disturb_centre(&site);
            site_second(&site);
            site_check_limits(&site);
            fallbacks += site.share[0].reason == PW_LOAD_FAILSAFE ? 1 : 0;
        }
    }
    assert_true(fallbacks > 1000);
}

// `seats`: how many minimums fit. Longest wait of anybody in a day, in seconds.
static void nobody_starves(uint64_t seed, size_t members, unsigned seats)
{
    site_init(&site, seed);
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 0);
    for (unsigned p = 0; p < 3; p++) {
        site.circuit[house].limit_ma[p] = (int32_t)(seats * 6000 + site_random(&site, 6000));
    }
    pw_ms waiting[SITE_MEMBERS] = {0};
    pw_ms on_since[SITE_MEMBERS] = {0};
    for (size_t i = 0; i < members; i++) {
        size_t m = site_member(&site, house, 8 + (int32_t)site_random(&site, 25));
        site_plug(&site, m);
        site.station[m].can_ma = 6000 + (int32_t)site_random(&site, 10) * AMPERE;
    }
    for (unsigned t = 0; t < 8 * 3600; t++) {
        site_second(&site);
        for (size_t i = 0; i < members; i++) {
            bool on = site.share[i].target_ma > 0;
            if (!on && on_since[i] > 0) { // nothing forces anybody off earlier
                assert_true(site.now - on_since[i] >= 150 * (pw_ms)SECOND);
            }
            on_since[i] = !on ? 0 : on_since[i] > 0 ? on_since[i] : site.now;
            waiting[i] = on ? 0 : waiting[i] + SECOND;
            if (waiting[i] > 1800 * (pw_ms)SECOND) {
                fail_msg(
                    "seed %llu: %zu members, %u seats: %zu waits longer than two turns at %u s",
                    (unsigned long long)seed, members, seats, i, t);
            }
            assert_true(site.memory[i].starts < 6 ||
                        site.memory[i].started[0] - site.memory[i].started[5] > 600 * SECOND);
        }
    }
}

static void equals_starve_at_most_two_turns(void **state)
{
    (void)state;
    uint64_t seed = site_seed();
    static const struct {
        size_t members;
        unsigned seats;
    } rows[] = {{2, 1}, {3, 1}, {4, 1}, {5, 1}, {7, 1}, {3, 2}, {5, 2}, {7, 3}, {12, 2}, {20, 4}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        nobody_starves(seed + i, rows[i].members, rows[i].seats);
    }
}

// Reason: single-phase vehicles must not hand the three phases to each other around a three-phase
// one that needs all of them at once. `each`: how many there are on each phase, for one place.
static void a_three_phase_one_among(size_t each)
{
    site_init(&site, site_seed());
    uint16_t house = site_circuit(&site, PW_LOAD_NONE, 10);
    static const enum pw_load_rotation rotations[] = {PW_LOAD_RST, PW_LOAD_STR, PW_LOAD_TRS};
    for (size_t i = 0; i < 3 * each; i++) {
        site_run(&site, 51 * (pw_ms)SECOND);
        size_t m = site_member(&site, house, 16);
        site.member[m].phases = 1;
        site.member[m].rotation = rotations[i % 3];
        site_plug(&site, m);
    }
    size_t big = site_member(&site, house, 16);
    site_plug(&site, big);
    pw_ms waiting = 0;
    for (unsigned t = 0; t < 8 * 3600; t++) {
        site_second(&site);
        site_check_limits(&site);
        waiting = site.share[big].target_ma > 0 ? 0 : waiting + SECOND;
        assert_true(waiting <= 1800 * (pw_ms)SECOND);
    }
}

static void a_three_phase_vehicle_gets_its_turn_among_single_phase_ones(void **state)
{
    (void)state;
    a_three_phase_one_among(2);
    a_three_phase_one_among(5);
    a_three_phase_one_among(9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_the_slow_solver),
        cmocka_unit_test(targets_fit_whatever_the_input),
        cmocka_unit_test(raises_fit_beside_what_others_hold),
        cmocka_unit_test(the_order_of_members_does_not_matter),
        cmocka_unit_test(more_budget_is_never_less_in_total),
        cmocka_unit_test(no_moment_exceeds_a_limit),
        cmocka_unit_test(equals_starve_at_most_two_turns),
        cmocka_unit_test(a_three_phase_vehicle_gets_its_turn_among_single_phase_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

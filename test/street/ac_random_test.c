// Random stories at an AC outlet: drivers, cars, cables, cards, limits, faults, power cuts and a
// dying program in any order, with the observer's invariants I1 to I8 after every event. Each story
// switches on some kinds of trouble only (a "swarm"), and ends with everything repaired: then the
// next honest car must charge. STREET_SEED and STREET_STORIES replay one or run more.
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORIES = 250, EVENTS = 60 };

static struct street street;
static struct pw_noise dice;
static pw_ms handled_at; // plug in or out

static uint64_t roll(uint64_t sides)
{
    return pw_noise_bits(&dice) % sides;
}

static void say(const char *const *lines, size_t count)
{
    street_do(&street, lines[roll(count)]);
}

static void do_plug(void)
{
    // Hands are not faster than a debounce.
    if (!street.ac.plugged && pw_elapsed(handled_at, 1000, street.now)) {
        street_do(&street, "plug");
        handled_at = street.now;
    }
}

static void do_unplug(void)
{
    if (street.ac.plugged && pw_elapsed(handled_at, 1000, street.now)) {
        street_do(&street, "unplug");
        handled_at = street.now;
    }
}

static void do_car(void)
{
    char line[40];
    if (!street.ac.plugged) {
        (void)snprintf(line, sizeof(line), "car %s", pw_accar_kind(roll(pw_accar_kinds()))->word);
        street_do(&street, line);
    }
}

static void do_card(void)
{
    if (street.station != NULL) {
        street_card(&street, "CARD-1");
    }
}

static void do_limit(void)
{
    if (street.station != NULL) {
        assert_int_equal(street_load_limit(&street, (int32_t)roll(20000), PW_NEVER), PW_OK);
    }
}

static void do_s2(void)
{
    static const char *const lines[] = {"s2 open", "s2 close", "s2 close"};
    say(lines, PW_COUNT(lines));
}

static void do_clear(void)
{
    if (street.station != NULL) {
        street_clear(&street);
    }
}

static void do_link(void)
{
    street.reachable = roll(2) == 0;
    if (!street.reachable) {
        street_cut_link(&street);
    }
}

static void do_power(void)
{
    if (street.station == NULL) {
        street_power_on(&street);
        acwatch_limit(&street.watch, INT32_MAX, street.now);
    } else if (roll(2) == 0) {
        street_power_off(&street);
    } else {
        street_crash(&street);
    }
}

static void do_contactor(void)
{
    static const char *const lines[] = {"weld l1",     "weld l2",       "weld all",
                                        "weld off",    "stuck on",      "stuck off",
                                        "mirror open", "mirror closed", "mirror good"};
    say(lines, PW_COUNT(lines));
}

static void do_residual(void)
{
    static const char *const lines[] = {"leak ac 30", "leak ac 0", "leak dc 8", "leak dc 0",
                                        "rcd deaf",   "rcd stuck", "rcd good"};
    say(lines, PW_COUNT(lines));
}

static void do_earth(void)
{
    static const char *const lines[] = {"earth lost", "earth good", "estop press", "estop release"};
    say(lines, PW_COUNT(lines));
}

// A cable is swapped unplugged; its contact may break at any time.
static void do_cable(void)
{
    static const char *const cables[] = {"cable 13", "cable 20", "cable 32", "cable 63"};
    static const char *const broken[] = {"cable broken", "cable short"};
    if (!street.ac.plugged) {
        say(cables, PW_COUNT(cables));
    } else {
        say(broken, PW_COUNT(broken));
    }
}

static void do_heat(void)
{
    static const char *const lines[] = {"heat 0",        "heat 30",    "heat 43",       "heat 60",
                                        "probe shorted", "probe good", "temperature 45"};
    say(lines, PW_COUNT(lines));
}

static void do_grid(void)
{
    static const char *const lines[] = {"grid all 230", "grid l1 0", "grid l2 0", "grid l3 150",
                                        "grid all 280"};
    say(lines, PW_COUNT(lines));
}

static void do_board(void)
{
    static const char *const lines[] = {"board silent", "board deaf", "board good", "noise 300",
                                        "noise 25"};
    say(lines, PW_COUNT(lines));
}

static void do_lock(void)
{
    static const char *const lines[] = {"jam on", "jam off"};
    say(lines, PW_COUNT(lines));
}

// The first rows happen in every story, the others where the swarm has them.
static const struct {
    void (*happen)(void);
    unsigned weight;
} events[] = {
    {do_plug, 8},     {do_unplug, 3}, {do_card, 6},  {do_car, 4},   {do_s2, 2},
    {do_limit, 6},    {do_clear, 2},  {do_link, 2},  {do_power, 2}, {do_contactor, 3},
    {do_residual, 3}, {do_earth, 3},  {do_cable, 2}, {do_heat, 2},  {do_grid, 2},
    {do_board, 2},    {do_lock, 2},
};

enum { ALWAYS = 6 };

static void happen(uint32_t swarm)
{
    unsigned total = 0;
    for (size_t i = 0; i < PW_COUNT(events); i++) {
        total += (swarm >> i) & 1U ? events[i].weight : 0;
    }
    uint64_t at = roll(total);
    for (size_t i = 0; i < PW_COUNT(events); i++) {
        unsigned weight = (swarm >> i) & 1U ? events[i].weight : 0;
        if (at < weight) {
            events[i].happen();
            return;
        }
        at -= weight;
    }
}

// Milliseconds to a minute, short ones as often as long ones.
static pw_ms gap(void)
{
    return 1 + roll(UINT64_C(1) << (1 + roll(16)));
}

static void repair(void)
{
    static const char *const lines[] = {
        "weld off",   "stuck off", "mirror good", "leak ac 0",      "leak dc 0",    "rcd good",
        "earth good", "heat 0",    "probe good",  "temperature 25", "grid all 230", "board good",
        "noise 25",   "jam off",   "cable 32",    "estop release",  "s2 close"};
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        street_do(&street, lines[i]);
    }
    street.reachable = true;
    if (street.station == NULL) {
        street_power_on(&street);
        acwatch_limit(&street.watch, INT32_MAX, street.now);
    }
    street_do(&street, "unplug");
    assert_int_equal(street_load_limit(&street, 16000, PW_NEVER), PW_OK);
    street_run(&street, 60000);
    street_clear(&street);
    street_run(&street, 600000); // the longest pause between two tries to reach the central system
}

static bool is_preparing(const struct street *s)
{
    return street_view(s).status == PW_STATUS_PREPARING;
}

static void check(uint64_t seed, const char *when)
{
    if (street.watch.violations != 0) {
        fail_msg("seed %llu, %s: %u violations; %s", (unsigned long long)seed, when,
                 street.watch.violations, street.watch.what);
    }
}

// Liveness: with everything repaired the outlet serves the next driver.
static void next_driver_charges(uint64_t seed)
{
    repair();
    street_do(&street, "car honest");
    street_do(&street, "soc 40");
    street_do(&street, "plug");
    bool charges = street_until(&street, is_preparing, 5000);
    street_card(&street, "CARD-2");
    // An hour at most: so long the contactor may have been used up.
    charges = charges && street_until(&street, street_is_charging, 3700000);
    if (!charges) {
        fail_msg("seed %llu: does not recover: %s, %s", (unsigned long long)seed,
                 pw_session_status_name(street_view(&street).status), street_view(&street).info);
    }
}

static void tell_story(uint64_t seed)
{
    pw_noise_init(&dice, seed, 's');
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.seed = seed;
    world.board.raw = seed % 64 == 0;
    world.path.rcd_hardwired = seed % 3 != 0;
    street_open_ac(&street, &world);
    street_set(&street, "session.allow_offline_unknown_id", "true");
    handled_at = 0;
    street_power_on(&street);
    street_run(&street, 3000);
    uint32_t swarm = (uint32_t)roll(UINT64_C(1) << PW_COUNT(events)) | ((1U << ALWAYS) - 1U);
    for (int i = 0; i < EVENTS; i++) {
        happen(swarm);
        street_run(&street, gap());
        check(seed, "in the story");
    }
    next_driver_charges(seed);
    check(seed, "at the end");
}

static uint64_t from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    int64_t value = 0;
    bool good = text != NULL && pw_parse_int(pw_str_of(text), 0, INT64_MAX, &value) == PW_OK;
    return good ? (uint64_t)value : otherwise;
}

static void random_stories_break_no_invariant(void **state)
{
    (void)state;
    uint64_t first = from_env("STREET_SEED", 1);
    uint64_t stories = from_env("STREET_STORIES", getenv("STREET_SEED") != NULL ? 1 : STORIES);
    uint64_t looks = 0;
    uint64_t closings = 0;
    uint64_t offers = 0;
    pw_ms worst = 0;
    pw_ms hours = 0;
    for (uint64_t seed = first; seed < first + stories; seed++) {
        tell_story(seed);
        looks += street.watch.looks;
        closings += street.watch.closings;
        offers += street.watch.offers;
        worst = (pw_ms)pw_max((int64_t)worst, (int64_t)street.watch.worst_open_ms);
        hours += street.now;
        street_close(&street);
    }
    (void)printf("%llu stories of %d events in %llu virtual hours: %llu looks, %llu closings, %llu "
                 "offers, slowest opening after the true edge %llu ms\n",
                 (unsigned long long)stories, EVENTS, (unsigned long long)(hours / 3600000),
                 (unsigned long long)looks, (unsigned long long)closings,
                 (unsigned long long)offers, (unsigned long long)worst);
}

// Reason: every story that ever failed is told again.
static void stories_that_once_failed_hold(void **state)
{
    (void)state;
    static const uint64_t seeds[] = {
        14531, // a fault held the pilot at F, the vehicle was swapped, and charged on the old card
    };
    for (size_t i = 0; i < PW_COUNT(seeds); i++) {
        tell_story(seeds[i]);
        street_close(&street);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_stories_break_no_invariant),
        cmocka_unit_test(stories_that_once_failed_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Random stories at an OpenEVSE station: drivers, cars, cards, limits, a house, boards that
// restart, fall silent, hang or talk noise, lines that break, power cuts and a dying program in any
// order, under the eyes of the observer. Each ends with everything repaired: then the next honest
// car must charge. STREET_SEED and STREET_STORIES replay one or run more.
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STORIES = 120, EVENTS = 40, HANDS_MS = 1500 };

static struct street street;
static struct pw_noise dice;
static pw_ms handled_at; // plug in or out

static uint64_t roll(uint64_t sides)
{
    return pw_noise_bits(&dice) % sides;
}

// A board that was just woken is not believed for 3 s when it sees no vehicle: nobody brings
// another one sooner.
static void plug(void)
{
    if (!street.oe.plugged && pw_elapsed(handled_at, HANDS_MS, street.now)) {
        street_do(&street, "plug");
        handled_at = street.now;
    }
}

static void unplug(void)
{
    if (street.oe.plugged && pw_elapsed(handled_at, HANDS_MS, street.now)) {
        street_do(&street, "unplug");
        handled_at = street.now;
    }
}

static void card(void)
{
    if (street.station != NULL) {
        street_card(&street, "CARD-1");
    }
}

static void car(void)
{
    static const char *const lines[] = {"car honest", "car slow",  "car modest",
                                        "car single", "car sated", "car bouncing"};
    if (!street.oe.plugged) {
        street_do(&street, lines[roll(PW_COUNT(lines))]);
    }
}

static void limit(void)
{
    if (street.station != NULL) {
        int32_t ma = 6000 + 1000 * (int32_t)roll(11);
        assert_int_equal(street_load_limit(&street, roll(5) == 0 ? 0 : ma, PW_NEVER), PW_OK);
    }
}

static void house(void)
{
    static const char *const lines[] = {"house l1 18", "house l2 12", "house l3 30", "house all 0",
                                        "house scale 1"};
    street_do(&street, lines[roll(PW_COUNT(lines))]);
}

static void meter(void)
{
    static const char *const lines[] = {"meter silent", "meter absurd", "meter good"};
    street_do(&street, lines[roll(PW_COUNT(lines))]);
}

static void board(void)
{
    static const char *const lines[] = {"reboot",         "board silent", "board garbles",
                                        "button short",   "board good",   "board good",
                                        "selftest fails", "selftest good"};
    street_do(&street, lines[roll(PW_COUNT(lines))]);
}

static void fault(void)
{
    static const char *const lines[] = {"leak 30",    "leak 0",     "leak 0",
                                        "earth lost", "earth good", "earth good"};
    street_do(&street, lines[roll(PW_COUNT(lines))]);
}

static void line(void)
{
    street_wire(&street, roll(3) != 0);
}

static void program(void)
{
    if (street.station == NULL) {
        street_power_on(&street);
    } else if (roll(2) == 0) {
        street_crash(&street);
    } else {
        street_power_off(&street);
    }
}

static void network(void)
{
    street.reachable = roll(2) == 0;
    street_cut_link(&street);
}

static void (*const events[])(void) = {plug, card,  unplug, car,   limit, house,   plug,
                                       card, meter, board,  fault, line,  program, network};
#define ALWAYS 3 // the first of them belong to every story

static void happen(uint32_t swarm)
{
    uint64_t which = roll(PW_COUNT(events));
    if ((swarm >> which & 1U) != 0) {
        events[which]();
    }
}

static void check(uint64_t seed, const char *when)
{
    if (street.oewatch.violations != 0) {
        fail_msg("seed %llu, %s: %s", (unsigned long long)seed, when, street.oewatch.what);
    }
}

static void repair(void)
{
    static const char *const lines[] = {"leak 0",     "earth good",  "selftest good", "board good",
                                        "meter good", "house all 0", "house scale 0"};
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        street_do(&street, lines[i]);
    }
    street_run(&street, HANDS_MS);
    unplug();
    street_do(&street, "car honest");
    street.reachable = true;
    if (street.station == NULL) {
        street_power_on(&street);
    }
    street_wire(&street, true);
    street_do(&street, "soc 30");
    assert_int_equal(street_load_limit(&street, 16000, PW_NEVER), PW_OK);
}

// An hour at most: so long pauses and retries of the past may last.
static void next_driver_charges(uint64_t seed)
{
    repair();
    street_run(&street, 60000);
    street_do(&street, "reboot"); // what lasts until a restart
    street_run(&street, 60000);
    street_clear(&street);
    bool charges = street_until(&street, street_is_idle, 3600000);
    if (charges) {
        plug();
        street_run(&street, 5000);
        card();
        charges = street_until(&street, street_is_charging, 3600000);
    }
    if (!charges) {
        fail_msg("seed %llu: does not recover: %s, %s", (unsigned long long)seed,
                 pw_session_status_name(street_view(&street).status), street_view(&street).info);
    }
}

static void tell_story(uint64_t seed)
{
    pw_noise_init(&dice, seed, 's');
    struct pw_world_oe_config world = pw_world_oe_defaults();
    world.seed = seed;
    world.board = pw_oeboard_kind(seed % 3);
    street_open_oe(&street, &world);
    street_set(&street, "session.allow_offline_unknown_id", "true");
    street_set(&street, "house.load_management", seed % 2 != 0 ? "1" : "0");
    street_set(&street, "house.breaker_ma", "32000");
    handled_at = 0;
    street_power_on(&street);
    street_run(&street, 8000);
    uint32_t swarm = (uint32_t)roll(UINT64_C(1) << PW_COUNT(events)) | ((1U << ALWAYS) - 1U);
    for (int i = 0; i < EVENTS; i++) {
        happen(swarm);
        street_run(&street, roll(4) == 0 ? 1 + roll(120000) : 1 + roll(9000));
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

static void random_stories_surprise_nobody(void **state)
{
    (void)state;
    uint64_t first = from_env("STREET_SEED", 1);
    uint64_t stories = from_env("STREET_STORIES", getenv("STREET_SEED") != NULL ? 1 : STORIES);
    uint64_t looks = 0;
    uint64_t closings = 0;
    pw_ms hours = 0;
    for (uint64_t seed = first; seed < first + stories; seed++) {
        tell_story(seed);
        looks += street.oewatch.looks;
        closings += street.oewatch.closings;
        hours += street.now;
        street_close(&street);
    }
    (void)printf("%llu stories of %d events in %llu virtual hours: %llu looks, %llu closings\n",
                 (unsigned long long)stories, EVENTS, (unsigned long long)(hours / 3600000),
                 (unsigned long long)looks, (unsigned long long)closings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_stories_surprise_nobody)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

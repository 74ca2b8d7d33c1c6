#include "acwatch.h"

#include "pilot/pilot.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    EDGE_MS = 100,     // I2: from the true edge to the contactor line
    LOWER_MS = 1000,   // I3: a lower limit is offered
    RAISE_MS = 5000,   // I4
    PAUSE_MS = 3000,   // x1 before a new offer
    TEST_MS = 10000,   // I6: a self-test this fresh
    SILENCE_MS = 560,  // I8: watchdog, contacts, and a little
    MUTE_MS = 320,     // a silent board is given up after 200 ms; its last word may be 100 old
    HOT_MS = 2000,     // over-temperature
    WELD_MS = 500,     // contacts closed without the line: a weld by then
    GREEDY_MS = 11000, // an over-draw above 110 % is ended by then
    ANSWER_MS = 2000,  // the central system answers about a card by then
    THERE_MS = 500,    // a pilot that says B or C for so long is a vehicle
    HOUR_MS = 3600000,
};

void acwatch_init(struct acwatch *watch, pw_ms now)
{
    *watch = (struct acwatch){
        .rules = {.most_ma = 16000, .min_off_ms = 10000, .closes_an_hour = 20, .trip_dc = 700},
        .driven_at = now,
        .limit_ma = INT32_MAX,
        .limit_before_ma = INT32_MAX,
        .limit_at = now,
        .unready_since = PW_NEVER,
        .danger_since = PW_NEVER,
        .hot_since = PW_NEVER,
        .weld_since = PW_NEVER,
        .raised_at = PW_NEVER,
        .paused_at = PW_NEVER,
        .over_since = PW_NEVER,
        .thick_since = PW_NEVER,
        .mute_since = PW_NEVER,
        .there_since = PW_NEVER,
    };
    for (unsigned i = 0; i < ACWATCH_CLOSES_MAX; i++) {
        watch->closes[i] = PW_NEVER;
    }
}

void acwatch_leave(struct acwatch *watch, pw_ms now)
{
    watch->authorised = true;
    watch->leave_at = now;
}

void acwatch_limit(struct acwatch *watch, int32_t ma, pw_ms now)
{
    // Two changes within the second that a lower limit may take: the higher one still counts.
    bool fresh = !pw_elapsed(watch->limit_at, LOWER_MS, now);
    int32_t before =
        fresh ? (int32_t)pw_max(watch->limit_before_ma, watch->limit_ma) : watch->limit_ma;
    watch->limit_before_ma = before;
    watch->limit_ma = ma;
    watch->limit_at = now;
}

static void complain(struct acwatch *watch, pw_ms now, const char *what, int64_t value)
{
    if (watch->violations++ == 0) {
        (void)snprintf(watch->what, sizeof(watch->what), "at %llu.%03llu: %s (%lld)",
                       (unsigned long long)(now / 1000), (unsigned long long)(now % 1000), what,
                       (long long)value);
        if (getenv("STREET_VERBOSE") != NULL) {
            (void)fprintf(stderr, "VIOLATION %s\n", watch->what);
        }
    }
}

static void must(struct acwatch *watch, bool holds, pw_ms now, const char *what, int64_t value)
{
    if (!holds) {
        complain(watch, now, what, value);
    }
}

static bool is_ready(const struct acwatch *watch, const struct pw_world_ac_truth *truth)
{
    return truth->level == PW_WORLD_AC_C ||
           (truth->level == PW_WORLD_AC_D && watch->rules.ventilated);
}

// Runs from when something is so; PW_NEVER while it is not.
static void time_it(pw_ms *since, bool so, pw_ms now)
{
    if (!so) {
        *since = PW_NEVER;
    } else if (*since == PW_NEVER) {
        *since = now;
    }
}

// ---------------------------------------------------------------------------------------------

// Everything that must hold at the moment the contactor line goes on: I1, I5, I6, I7.
static void check_closing(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    const struct acwatch_rules *rules = &watch->rules;
    bool just = truth->unready_at != PW_NEVER && !pw_elapsed(truth->unready_at, EDGE_MS, now);
    must(watch, is_ready(watch, truth) || just, now, "I1 closes without C or D", truth->level);
    must(watch, truth->diode, now, "I1 closes without a diode", 0);
    must(watch, watch->authorised, now, "I1 closes without anybody's leave", 0);
    must(watch, truth->offer_ma >= PW_PILOT_LEAST_MA, now, "I1 closes without an offer",
         truth->offer_ma);
    must(watch, truth->lock == PW_BOARD_LOCK_NONE || truth->lock == PW_BOARD_LOCK_CLOSED, now,
         "closes with the lock open", truth->lock);
    must(watch, !truth->tripped && !truth->earth_lost && !truth->estop_pressed, now,
         "I1 closes into a fault", 0);
    must(watch, !watch->latched, now, "I5 closes after a trip or weld nobody has cleared", 0);
    bool tested =
        truth->tested_at != PW_NEVER && !pw_elapsed(truth->tested_at, TEST_MS, now) &&
        (watch->last.commanded_at == PW_NEVER || truth->tested_at > watch->last.commanded_at);
    must(watch, tested, now, "I6 closes without a self-test", 0);
    // A program that has just started does not know when the contactor last opened; that it rests
    // after a charge that was cut off is told in ac_test.
    bool known = truth->released_at != PW_NEVER && truth->released_at >= watch->started_at;
    must(watch, !known || pw_elapsed(truth->released_at, rules->min_off_ms, now), now,
         "I7 closes too soon after opening", (int64_t)(now - truth->released_at));
    unsigned within = 0;
    for (unsigned i = 0; i < ACWATCH_CLOSES_MAX; i++) {
        within += watch->closes[i] != PW_NEVER && !pw_elapsed(watch->closes[i], HOUR_MS, now);
    }
    must(watch, within < rules->closes_an_hour, now, "I7 closes too often in an hour", within);
    watch->closes[watch->closings % ACWATCH_CLOSES_MAX] = now;
    watch->closings++;
}

// While the contactor line is on: I2, and every danger.
static void check_closed(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    // A board that no station drives has its watchdog, and one that says nothing is given up: that
    // is I8's matter.
    bool on = truth->commanded && !watch->alone && !truth->board_silent;
    time_it(&watch->unready_since, on && !is_ready(watch, truth), now);
    time_it(&watch->danger_since,
            on && (truth->tripped || truth->earth_lost || truth->estop_pressed || !truth->diode),
            now);
    time_it(&watch->hot_since, on && truth->temp_dc > watch->rules.trip_dc + 20, now);
    must(watch, !pw_elapsed(watch->unready_since, EDGE_MS + 1, now), now,
         "I2 the line is on long after C was left", truth->level);
    must(watch, !pw_elapsed(watch->danger_since, EDGE_MS + 1, now), now,
         "the line stays on in a fault", truth->tripped);
    must(watch, !pw_elapsed(watch->hot_since, HOT_MS, now), now, "the line stays on when too hot",
         truth->temp_dc);
}

static void note_openings(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    if (!watch->last.commanded || truth->commanded) {
        return;
    }
    if (watch->unready_since != PW_NEVER) {
        watch->worst_open_ms =
            (pw_ms)pw_max((int64_t)watch->worst_open_ms, (int64_t)(now - watch->unready_since));
    }
    if (watch->danger_since != PW_NEVER) {
        watch->worst_danger_ms =
            (pw_ms)pw_max((int64_t)watch->worst_danger_ms, (int64_t)(now - watch->danger_since));
    }
}

// I3: what is offered is within every limit there is.
static void check_offer(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    int32_t offer = truth->offer_ma;
    int32_t limit = watch->limit_ma;
    if (!pw_elapsed(watch->limit_at, LOWER_MS, now)) {
        limit = (int32_t)pw_max(limit, watch->limit_before_ma);
    }
    int32_t cable =
        truth->lock == PW_BOARD_LOCK_NONE ? INT32_MAX : pw_pilot_cable_ma(truth->pp_ohm);
    must(watch, offer == 0 || offer >= PW_PILOT_LEAST_MA, now, "I3 offers less than 6 A", offer);
    must(watch, offer <= watch->rules.most_ma, now, "I3 offers more than hardware and owner allow",
         offer);
    must(watch, offer == 0 || offer <= limit, now, "I3 offers more than a limit", offer);
    bool heard = !watch->alone && !truth->board_silent;
    time_it(&watch->thick_since, truth->commanded && heard && offer > cable, now);
    must(watch, !pw_elapsed(watch->thick_since, EDGE_MS + 1, now), now,
         "I3 offers more than the cable bears", offer);
}

// I4: raises at least 5 s apart; a new offer at least 3 s after the last one went.
static void check_change(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    int32_t before = watch->last.offer_ma;
    int32_t offer = truth->offer_ma;
    if (offer == before) {
        return;
    }
    watch->offers++;
    if (before > 0 && offer > before) {
        must(watch, watch->raised_at == PW_NEVER || pw_elapsed(watch->raised_at, RAISE_MS, now),
             now, "I4 raises within 5 s", offer);
    }
    if (before == 0 && watch->paused_at != PW_NEVER && watch->last.plugged && truth->plugged) {
        must(watch, pw_elapsed(watch->paused_at, PAUSE_MS, now), now,
             "offers again within 3 s of a pause", offer);
    }
    watch->raised_at = now;
    watch->paused_at = offer == 0 && truth->plugged ? now : PW_NEVER;
}

// I5: what latches a fault, and who clears it.
static void check_latches(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    // A weld that comes and goes while no station looks is nobody's to remember.
    bool welded = truth->any_closed && !truth->commanded && !watch->last.commanded && !watch->alone;
    time_it(&watch->weld_since, welded, now);
    bool trip = truth->tripped_at != PW_NEVER && truth->tripped_at != watch->last.tripped_at;
    if ((watch->begun && trip) || pw_elapsed(watch->weld_since, WELD_MS, now)) {
        watch->latched = true;
        watch->cleared = false;
    }
    if (watch->cleared) {
        watch->latched = false;
        watch->cleared = false;
    }
}

// F25: a vehicle that draws far more than it is offered is not left to it.
static void check_draw(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    int64_t most = pw_max(truth->ma[0], pw_max(truth->ma[1], truth->ma[2]));
    int64_t fair = (int64_t)truth->offer_ma * 115 / 100 + 1000;
    time_it(&watch->over_since, truth->any_closed && truth->offer_ma > 0 && most > fair, now);
    must(watch, !pw_elapsed(watch->over_since, GREEDY_MS, now), now, "an over-draw goes on", most);
}

void acwatch_look(struct acwatch *watch, const struct pw_world_ac_truth *truth, pw_ms now)
{
    watch->looks++;
    if (truth->commanded && !watch->last.commanded) {
        check_closing(watch, truth, now);
    }
    note_openings(watch, truth, now);
    check_closed(watch, truth, now);
    check_offer(watch, truth, now);
    check_change(watch, truth, now);
    check_latches(watch, truth, now);
    check_draw(watch, truth, now);
    time_it(&watch->mute_since, truth->commanded && truth->board_silent && !watch->alone, now);
    must(watch, !pw_elapsed(watch->mute_since, MUTE_MS, now), now,
         "I8 the line stays on though the board says nothing", 0);
    // I8: a station that is not there cannot keep a contactor closed.
    must(watch, !truth->commanded || !pw_elapsed(watch->driven_at, SILENCE_MS, now), now,
         "I8 closed without a station", (int64_t)(now - watch->driven_at));
    // Leave ends with the vehicle that was there, but for a card whose answer was still under way.
    bool there = truth->level != PW_WORLD_AC_A && truth->level != PW_WORLD_AC_E;
    time_it(&watch->there_since, there, now);
    watch->there = watch->there || pw_elapsed(watch->there_since, THERE_MS, now);
    if (watch->last.plugged && !truth->plugged) {
        watch->authorised =
            watch->authorised && (!watch->there || !pw_elapsed(watch->leave_at, ANSWER_MS, now));
        watch->there = false;
    }
    watch->last = *truth;
    watch->begun = true;
}

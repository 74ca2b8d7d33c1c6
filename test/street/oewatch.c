#include "oewatch.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    APART_MS =
        10000,       // a board starts for 3.3 s, a client that hears nothing tries again after 10 s
    LOOSE_MS = 1000, // the board opens 0.4 s after the plug was pulled
    OBEY_MS = 9000,  // a lower limit: the board deaf for 1.3 s, the answer lost once, the car's 5 s
    BEAT_MS = 25000, // a board that nobody feeds has fallen back, and its car has followed
    BEAT_MA = 6600,  // to this, and what a car draws beyond
    OVER_MS = 20000, // above the main breaker while the charger could still give way
    NOISE_MA = 300,
    LEAST_MA = 6100,
};

void oewatch_init(struct oewatch *watch, pw_ms now)
{
    *watch = (struct oewatch){
        .most_ma = 16000,
        .limit_ma = INT32_MAX,
        .limit_at = now,
        .alone_at = now,
        .apart_at = now,
        .loose_since = PW_NEVER,
        .over_since = PW_NEVER,
    };
}

void oewatch_leave(struct oewatch *watch)
{
    watch->authorised = true;
}

void oewatch_limit(struct oewatch *watch, int32_t ma, pw_ms now)
{
    watch->limit_ma = ma;
    watch->limit_at = now;
}

void oewatch_alone(struct oewatch *watch, bool alone, pw_ms now)
{
    if (alone != watch->alone) {
        watch->alone = alone;
        watch->alone_at = now;
    }
}

void oewatch_board(struct oewatch *watch, const struct pw_oeboard *board, pw_ms now)
{
    watch->hung = board->hung;
    watch->unheard = board->hung || board->mute || board->garbles || !board->powered;
    if (board->restarts != watch->restarts) {
        watch->restarts = board->restarts;
        watch->alone_at = watch->apart_at = now;
    }
    if (watch->unheard || watch->alone) {
        watch->apart_at = now;
    }
}

static void must(struct oewatch *watch, bool holds, pw_ms now, const char *what, int64_t value)
{
    if (!holds && watch->violations++ == 0) {
        (void)snprintf(watch->what, sizeof(watch->what), "at %llu.%03llu: %s (%lld)",
                       (unsigned long long)(now / 1000), (unsigned long long)(now % 1000), what,
                       (long long)value);
        if (getenv("STREET_VERBOSE") != NULL) {
            (void)fprintf(stderr, "VIOLATION %s\n", watch->what);
        }
    }
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

// A board whose program stands still cannot fall back.
static void check_current(struct oewatch *watch, const struct pw_world_oe_truth *truth, pw_ms now)
{
    if (watch->hung) {
        watch->alone_at = now;
        return;
    }
    int32_t drawn = truth->ma[0];
    bool settled = pw_elapsed(watch->limit_at, OBEY_MS, now);
    bool spoken = pw_elapsed(watch->apart_at, APART_MS + OBEY_MS, now);
    must(watch, !spoken || drawn <= watch->most_ma + NOISE_MA, now, "more than the owner allows",
         drawn);
    must(watch, !spoken || !settled || drawn - NOISE_MA <= watch->limit_ma, now,
         "more than the limit", drawn);
    bool fallen = watch->alone && pw_elapsed(watch->alone_at, BEAT_MS, now);
    must(watch, !fallen || drawn <= BEAT_MA, now, "nobody speaks to the board and it goes on",
         drawn);
}

static void check_breaker(struct oewatch *watch, const struct pw_world_oe_truth *truth, pw_ms now)
{
    int32_t beyond = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES && watch->breaker_ma > 0; p++) {
        beyond = (int32_t)pw_max(beyond, truth->grid_ma[p] - watch->breaker_ma);
    }
    bool over = beyond > NOISE_MA && truth->ma[0] > LEAST_MA;
    watch->over_as +=
        over && watch->begun ? beyond / 1000.0 * (double)(now - watch->looked_at) / 1000.0 : 0.0;
    watch->looked_at = now;
    time_it(&watch->over_since, over, now);
    if (over) {
        pw_ms lasts = now - watch->over_since;
        watch->worst_over_ms = lasts > watch->worst_over_ms ? lasts : watch->worst_over_ms;
        must(watch, lasts < OVER_MS, now, "the main breaker is overloaded by the charger",
             (int64_t)lasts);
    }
}

void oewatch_look(struct oewatch *watch, const struct pw_world_oe_truth *truth, pw_ms now)
{
    // Who comes while nobody looks, nobody can tell from who was there before.
    bool together = pw_elapsed(watch->apart_at, APART_MS, now);
    if (watch->begun && watch->last.plugged && !truth->plugged && together) {
        watch->authorised = false;
    }
    if (truth->relay && !watch->last.relay) {
        watch->closings++;
        must(watch, watch->authorised || !together, now, "closes without anybody's leave",
             truth->state);
        must(watch, truth->plugged, now, "closes with nothing plugged in", truth->state);
    }
    time_it(&watch->loose_since, truth->relay && !truth->plugged && !watch->hung, now);
    must(watch, watch->hung || !pw_elapsed(watch->loose_since, LOOSE_MS, now), now,
         "live without a plug", 0);
    check_current(watch, truth, now);
    check_breaker(watch, truth, now);
    watch->last = *truth;
    watch->begun = true;
    watch->looks++;
}

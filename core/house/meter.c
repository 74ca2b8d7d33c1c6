// The meter side: what is believed, what the house draws by itself, what each phase leaves.
#include "house/house.h"

#include <string.h>

#define BELIEVE_SAMPLES 3
#define BELIEVE_MS      3000
#define STEP_MA         2000   // a charger's current has changed
#define DOUBT_MS        60000  // a meter as still as this is put to the test ...
#define DOUBT_MAX_MS    600000 // ... twice as late each time it was only a quiet house
#define DOUBT_MA        3000   // by a step that it must show
#define UNSEEN_MOST     3
#define NEAR_PERMILLE   1100 // of the target: below, the mean counts
#define FAR_PERMILLE    1200 // from here on the newest sample counts alone

#define TEXT(name, text) text,
static const char *const trust_texts[] = {PW_HOUSE_TRUSTS(TEXT)};
#undef TEXT

const char *pw_house_trust_text(enum pw_house_trust trust)
{
    return (unsigned)trust < PW_HOUSE_TRUST_ROWS ? trust_texts[trust] : "";
}

static bool known(int32_t value)
{
    return value != PW_BOARD_UNKNOWN;
}

static bool has(unsigned phases, unsigned p)
{
    return ((phases >> p) & 1U) != 0;
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value == 0 ? fallback : value;
}

int pw_house_configure(struct pw_house *house, const struct pw_house_config *config)
{
    struct pw_house_config c = *config;
    c.hold_ms = or_default(c.hold_ms, 5000);
    c.pause_after_ms = or_default(c.pause_after_ms, 30000);
    c.min_off_ms = or_default(c.min_off_ms, 60000);
    c.resume_ms = or_default(c.resume_ms, 30000);
    c.ev_lag_ms = or_default(c.ev_lag_ms, 3000);
    c.pauses_per_day = c.pauses_per_day == 0 ? 24 : c.pauses_per_day;
    c.deadband_ma = c.deadband_ma == 0 ? 300 : c.deadband_ma;
    if (c.breaker_ma < 6000 || c.breaker_ma > 1000000 || c.margin_permille < 0 ||
        c.margin_permille > 500 || c.failsafe_ma < 0 || c.deadband_ma < 0 ||
        c.pauses_per_day > PW_HOUSE_PAUSES_MAX) {
        return PW_ERR_RANGE;
    }
    house->config = c;
    return PW_OK;
}

static void set_trust(struct pw_house *house, enum pw_house_trust trust, pw_ms now)
{
    if (house->trust != trust) {
        house->trust = trust;
        house->trust_since = now;
    }
}

int pw_house_init(struct pw_house *house, const struct pw_house_config *config, pw_ms now)
{
    memset(house, 0, sizeof(*house));
    house->trust_since = now;
    house->good_at = PW_NEVER;
    house->coherent_since = PW_NEVER;
    house->still_since = PW_NEVER;
    house->doubt_ms = DOUBT_MS;
    return pw_house_configure(house, config);
}

static int32_t target_of(const struct pw_house *house)
{
    int64_t ma = (int64_t)house->config.breaker_ma * (1000 - house->config.margin_permille);
    return (int32_t)(ma / 1000);
}

// ---------------------------------------------------------------------------------------------
// Filter

static const struct pw_house_entry *newest(const struct pw_house *house)
{
    return &house->entry[(house->count - 1) % PW_HOUSE_SAMPLES];
}

static uint32_t kept(const struct pw_house *house)
{
    return (uint32_t)pw_min(house->count, PW_HOUSE_SAMPLES);
}

// The n-th before the newest, which is 0.
static const struct pw_house_entry *before(const struct pw_house *house, uint32_t n)
{
    return &house->entry[(house->count - 1 - n) % PW_HOUSE_SAMPLES];
}

// What the chargers drew is known later than what the meter shows. Within that time any value a
// charger has had may be the one behind this sample, and a rise of the phase that a charger could
// have made, up to its offer, may be the charger's.
static void split(const struct pw_house *house, struct pw_house_entry *entry,
                  const struct pw_house_chargers *chargers, unsigned p)
{
    int32_t most = entry->draw_ma[p];
    int32_t least = entry->draw_ma[p];
    int32_t lowest = entry->grid_ma[p];
    for (uint32_t n = 0; n < kept(house); n++) {
        const struct pw_house_entry *old = before(house, n);
        if (pw_elapsed(old->at, house->config.ev_lag_ms + 1, entry->at)) {
            break;
        }
        most = (int32_t)pw_max(most, old->draw_ma[p]);
        least = (int32_t)pw_min(least, old->draw_ma[p]);
        lowest = (int32_t)pw_min(lowest, old->grid_ma[p]);
    }
    int64_t risen = (int64_t)entry->draw_ma[p] + entry->grid_ma[p] - lowest;
    most = (int32_t)pw_max(most, pw_min(chargers->offer_ma[p], risen));
    entry->low_ma[p] = entry->grid_ma[p] - most;
    entry->high_ma[p] = entry->grid_ma[p] - least;
    if (!house->config.directed) {
        // What flows back does not show in a current without direction, and is never credited.
        entry->low_ma[p] = (int32_t)pw_max(entry->low_ma[p], 0);
        entry->high_ma[p] = (int32_t)pw_max(entry->high_ma[p], 0);
    }
}

// Small excess for seconds is what breakers are made for, and most of it is over before a vehicle
// could follow: there the mean counts. Far above the target the newest sample does, at once.
static int32_t weigh(const struct pw_house *house, int32_t mean, const struct pw_house_entry *now,
                     unsigned p)
{
    if (now->low_ma[p] <= mean) {
        return now->low_ma[p];
    }
    int64_t level = (int64_t)now->grid_ma[p] * 1000 / target_of(house);
    int64_t weight = pw_clamp(level, NEAR_PERMILLE, FAR_PERMILLE) - NEAR_PERMILLE;
    int64_t part = weight * (now->low_ma[p] - mean) / (FAR_PERMILLE - NEAR_PERMILLE);
    return (int32_t)(mean + part);
}

static void filter(struct pw_house *house, const struct pw_house_chargers *chargers)
{
    const struct pw_house_entry *now = newest(house);
    house->level_permille = 0;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (!has(house->metered, p)) {
            continue;
        }
        int64_t sum = now->low_ma[p];
        uint32_t count = 1;
        house->up_ma[p] = now->high_ma[p];
        while (count < kept(house) &&
               !pw_elapsed(before(house, count)->at, PW_HOUSE_MEAN_MS, now->at)) {
            const struct pw_house_entry *old = before(house, count);
            sum += old->low_ma[p];
            house->up_ma[p] = (int32_t)pw_max(house->up_ma[p], old->high_ma[p]);
            count++;
        }
        house->mean_ma[p] = (int32_t)(sum / count);
        house->down_ma[p] = weigh(house, house->mean_ma[p], now, p);
        int64_t least = (int64_t)now->low_ma[p] + chargers->least_ma[p];
        int64_t level = least * 1000 / target_of(house);
        house->level_permille = (int32_t)pw_max(house->level_permille, level);
    }
}

// ---------------------------------------------------------------------------------------------
// Belief

static int32_t size_of(int32_t value)
{
    return value < 0 ? -value : value;
}

static void begin_again(struct pw_house *house)
{
    house->coherent = 0;
    house->coherent_since = PW_NEVER;
    house->count = 0; // what was true before is not known to be true now
}

// A meter that died with its last values on its registers looks like a quiet house. Where a charger
// has something to give away the phase's room shrinks by a step, and what the meter makes of that
// tells. A charger that has not is near the fail-safe current anyway.
static bool is_testable(const struct pw_house *house, unsigned p)
{
    return has(house->metered, p) && house->still_ma[p] >= house->config.failsafe_ma + DOUBT_MA;
}

static void watch_doubt(struct pw_house *house, const struct pw_house_entry *entry, bool same)
{
    if (!same) {
        uint64_t next = pw_earlier((uint64_t)house->doubt_ms * 2, DOUBT_MAX_MS);
        house->doubt_ms = house->frozen    ? DOUBT_MS
                          : house->doubted ? (uint32_t)next
                                           : house->doubt_ms;
        house->doubted = false;
        return;
    }
    bool any = false;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        any = any || is_testable(house, p);
    }
    house->doubted = any && pw_elapsed(house->still_since, house->doubt_ms, entry->at);
}

// A reading that does not change by a milliampere while a charger's current does is no reading.
static void watch_still(struct pw_house *house, const struct pw_house_entry *entry)
{
    bool same = house->still_since != PW_NEVER &&
                memcmp(entry->grid_ma, house->last_ma, sizeof(entry->grid_ma)) == 0;
    memcpy(house->last_ma, entry->grid_ma, sizeof(house->last_ma));
    watch_doubt(house, entry, same);
    if (!same) {
        if (house->frozen) {
            begin_again(house);
        }
        house->still_since = entry->at;
        memcpy(house->still_ma, entry->draw_ma, sizeof(house->still_ma));
        house->frozen = false;
        return;
    }
    // What a charger does is known later than what the grid does: until then it is the same change.
    if (entry->at - house->still_since <= house->config.ev_lag_ms) {
        memcpy(house->still_ma, entry->draw_ma, sizeof(house->still_ma));
    }
    bool stepped = false;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        bool metered = has(house->metered, p);
        stepped =
            stepped || (metered && size_of(entry->draw_ma[p] - house->still_ma[p]) >= STEP_MA);
    }
    if (stepped && pw_elapsed(house->still_since, house->config.hold_ms, entry->at)) {
        house->frozen = true;
    }
}

// Current with the direction of the power, where that counts. A meter of power alone will do.
static int32_t current_of(const struct pw_house *house, const struct pw_board_mains *reading,
                          unsigned p)
{
    int32_t ma = reading->ma[p];
    if (!known(ma) && known(reading->mw[p]) && known(reading->mv[p]) && reading->mv[p] > 0) {
        ma = (int32_t)pw_clamp((int64_t)reading->mw[p] * 1000 / reading->mv[p], -2000000, 2000000);
        ma = size_of(ma);
    }
    bool back = house->config.directed && known(reading->mw[p]) && reading->mw[p] < 0;
    return known(ma) && back ? -ma : ma;
}

void pw_house_read(struct pw_house *house, const struct pw_board_mains *reading, bool sound,
                   const struct pw_house_chargers *chargers, pw_ms now)
{
    struct pw_house_entry entry = {.at = reading->at};
    uint8_t present = 0;
    bool old = reading->at == PW_NEVER || reading->at > now ||
               (house->good_at != PW_NEVER && reading->at <= house->good_at);
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        int32_t ma = current_of(house, reading, p);
        entry.grid_ma[p] = known(ma) ? ma : 0;
        entry.draw_ma[p] = chargers->draw_ma[p];
        present |= known(ma) ? (uint8_t)(1U << p) : 0;
    }
    house->refused = !sound || old || present == 0 || (house->metered & ~present) != 0;
    if (house->refused) {
        return;
    }
    if (pw_elapsed(house->good_at, house->config.hold_ms, reading->at)) {
        begin_again(house);
    }
    house->metered |= present;
    house->good_at = reading->at;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        split(house, &entry, chargers, p);
    }
    watch_still(house, &entry);
    house->entry[house->count % PW_HOUSE_SAMPLES] = entry;
    house->count++;
    house->samples++;
    house->coherent_since = pw_earlier(house->coherent_since, reading->at);
    house->coherent++;
    filter(house, chargers);
}

void pw_house_seen(struct pw_house *house, bool seen)
{
    house->unseen = seen ? 0 : (uint8_t)pw_min(house->unseen + 1, UNSEEN_MOST);
}

static enum pw_house_trust judge(const struct pw_house *house, pw_ms now)
{
    bool late =
        house->good_at == PW_NEVER || pw_elapsed(house->good_at, house->config.hold_ms, now);
    if (house->unseen >= UNSEEN_MOST) {
        return PW_HOUSE_BLIND;
    }
    if (house->frozen && !late) {
        return PW_HOUSE_FROZEN;
    }
    if (late) {
        bool never = house->trust == PW_HOUSE_COLD;
        return house->refused ? PW_HOUSE_WRONG : never ? PW_HOUSE_COLD : PW_HOUSE_SILENT;
    }
    bool believed =
        house->coherent >= BELIEVE_SAMPLES && pw_elapsed(house->coherent_since, BELIEVE_MS, now);
    return believed || house->trust == PW_HOUSE_GOOD ? PW_HOUSE_GOOD : house->trust;
}

pw_ms pw_house_step(struct pw_house *house, pw_ms now)
{
    enum pw_house_trust trust = judge(house, now);
    if (trust != PW_HOUSE_GOOD && trust != house->trust) {
        begin_again(house);
    }
    set_trust(house, trust, now);
    return trust == PW_HOUSE_GOOD ? pw_after(house->good_at, house->config.hold_ms) : PW_NEVER;
}

// ---------------------------------------------------------------------------------------------
// Room

int32_t pw_house_room(const struct pw_house *house, unsigned phase, int32_t held_ma)
{
    PW_ASSERT(phase < PW_HOUSE_PHASES);
    bool metered = has(house->metered, phase);
    if (house->trust != PW_HOUSE_GOOD || !metered) {
        return house->config.failsafe_ma;
    }
    int64_t down = (int64_t)target_of(house) - house->down_ma[phase];
    int64_t up = (int64_t)target_of(house) - house->up_ma[phase];
    if (house->doubted && is_testable(house, phase)) {
        down = pw_min(down, (int64_t)house->still_ma[phase] - DOUBT_MA);
        up = pw_min(up, down);
        held_ma = (int32_t)pw_min(held_ma, pw_max(down, 0));
    }
    if (down + house->config.deadband_ma < held_ma) {
        return (int32_t)pw_max(down, 0);
    }
    return (int32_t)pw_max(up, held_ma);
}

int32_t pw_house_share(const struct pw_house *house, unsigned phases, int32_t held_ma)
{
    int32_t share = INT32_MAX;
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        if (has(phases, p)) {
            share = (int32_t)pw_min(share, pw_house_room(house, p, held_ma));
        }
    }
    return share == INT32_MAX ? 0 : share;
}

void pw_house_state(const struct pw_house *house, struct pw_house_state *state)
{
    *state = (struct pw_house_state){
        .trust = house->trust,
        .trust_since = house->trust_since,
        .metered = house->metered,
        .target_ma = target_of(house),
        .level_permille = house->level_permille,
    };
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        bool shown = has(house->metered, p) && house->count > 0 && house->trust == PW_HOUSE_GOOD;
        state->grid_ma[p] = shown ? newest(house)->grid_ma[p] : PW_BOARD_UNKNOWN;
        state->other_ma[p] = shown ? house->mean_ma[p] : PW_BOARD_UNKNOWN;
        state->headroom_ma[p] =
            shown ? state->target_ma - newest(house)->grid_ma[p] : PW_BOARD_UNKNOWN;
    }
}

// Who goes first: the size of a canary, the kinds of stations, and the order of turns.
#include "hmac/hmac.h"
#include "rollouts.h"

#include <stdlib.h>
#include <string.h>

#define ONE         (UINT64_C(1) << 48) // a probability of 1; times any number of stations fits
#define BLUR        (UINT64_C(1) << 18) // more than all that is rounded up on the way
#define FIRST_WAVE  1                   // stations of the canary
#define SECOND_WAVE 5

// --- How many.

// A sample that is drawn one by one: the probability of each number of bad ones up to `failures`.
struct draw {
    uint32_t total;
    uint32_t bad;
    uint32_t drawn;
    uint8_t failures;
    uint64_t of[CANARY_FAILURES_MAX + 1]; // rounded up, so that the sum is never too small
};

static struct draw draw_begin(uint32_t total, uint8_t failures)
{
    uint32_t bad = total * CANARY_BAD_PERCENT / 100;
    return (struct draw){
        .total = total, .bad = bad > 0 ? bad : 1, .failures = failures, .of = {ONE}};
}

static uint64_t part(uint64_t of, uint32_t count, uint32_t left)
{
    return (of * count + left - 1) / left;
}

static void draw_one(struct draw *draw)
{
    uint32_t left = draw->total - draw->drawn;
    for (uint32_t found = draw->failures + 1U; found-- > 0;) {
        uint32_t bad_left = found < draw->bad ? draw->bad - found : 0;
        uint32_t well_left = left > bad_left ? left - bad_left : 0;
        uint64_t of = part(draw->of[found], well_left, left);
        if (found > 0 && found <= draw->bad) {
            of += part(draw->of[found - 1], draw->bad - found + 1, left);
        }
        draw->of[found] = of;
    }
    draw->drawn++;
}

// Rounded down.
static uint8_t draw_finds_percent(const struct draw *draw)
{
    uint64_t missed = 0;
    for (uint8_t found = 0; found <= draw->failures; found++) {
        missed += draw->of[found];
    }
    missed = missed < BLUR ? 0 : missed - BLUR;
    return missed >= ONE ? 0 : (uint8_t)((ONE - missed) * 100 / ONE);
}

uint8_t canary_finds_percent(uint32_t total, uint32_t canary, uint8_t failures)
{
    struct draw draw = draw_begin(total, failures);
    while (draw.drawn < canary && draw.drawn < total) {
        draw_one(&draw);
    }
    return draw_finds_percent(&draw);
}

uint32_t canary_usual(uint32_t total, uint32_t kinds, uint8_t failures)
{
    struct draw draw = draw_begin(total, failures);
    uint32_t third = (total + 2) / 3;
    uint32_t half = (total + 1) / 2;
    while (draw.drawn < third && draw_finds_percent(&draw) < CANARY_SURE_PERCENT) {
        draw_one(&draw);
    }
    uint32_t each = kinds < half ? kinds : half;
    return draw.drawn > each ? draw.drawn : each;
}

// --- Which.

static void put_connectors(const struct station *station, struct pw_out *out)
{
    static const char *const words[] = {
        [OUTLET_UNTOLD] = "connector", [OUTLET_DC] = "DC", [OUTLET_AC] = "AC"};
    unsigned count[PW_COUNT(words)] = {0};
    for (int i = 0; i < PW_CENTRAL_CONNECTORS; i++) {
        const struct connector *connector = station->connector[i];
        if (connector != NULL && connector->id > 0) {
            count[connector_kind(connector)]++;
        }
    }
    for (size_t kind = 0; kind < PW_COUNT(words); kind++) {
        if (count[kind] > 0) {
            pw_put_s(out, ", ");
            pw_put_uint(out, count[kind]);
            pw_put_c(out, ' ');
            pw_put_s(out, words[kind]);
        }
    }
}

static void put_kind(const struct station *station, struct pw_out *out)
{
    pw_put_s(out, station->vendor[0] != '\0' ? station->vendor : "unknown maker");
    pw_put_c(out, ' ');
    pw_put_s(out, station->model[0] != '\0' ? station->model : "unknown model");
    pw_put_s(out, ", ");
    pw_put_s(out, station->firmware[0] != '\0' ? station->firmware : "unknown version");
    put_connectors(station, out);
}

uint8_t rollout_kind(struct rollout *rollout, const char *name)
{
    uint8_t kind = 0;
    while (kind < rollout->kinds && strcmp(rollout->kind[kind].name, name) != 0) {
        kind++;
    }
    if (kind == ROLLOUT_KINDS_MAX) {
        return ROLLOUT_KINDS_MAX - 1;
    }
    if (kind == rollout->kinds) {
        struct pw_out out = PW_OUT(rollout->kind[kind].name);
        pw_put_s(&out, kind + 1 < ROLLOUT_KINDS_MAX ? name : "others");
        rollout->kinds++;
    }
    return kind;
}

// A member while the turns are being found.
struct seat {
    struct member *member;
    uint64_t hash;
    uint64_t share; // where in its kind it stands, of 2^32
};

static uint64_t hash_of(struct pw_str salt, const char *station)
{
    uint8_t digest[PW_SHA256_LEN];
    struct pw_sha256 hash;
    uint64_t value = 0;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, salt.at, salt.len);
    pw_sha256_add(&hash, station, strlen(station));
    pw_sha256_end(&hash, digest);
    for (size_t i = 0; i < sizeof(value); i++) {
        value = value << 8 | digest[i];
    }
    return value;
}

static int by_hash(const struct seat *a, const struct seat *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    return strcmp(a->member->station, b->member->station);
}

static int by_kind(const void *a, const void *b)
{
    const struct seat *one = a;
    const struct seat *other = b;
    int order = (int)one->member->kind - (int)other->member->kind;
    return order != 0 ? order : by_hash(one, other);
}

static int by_share(const void *a, const void *b)
{
    const struct seat *one = a;
    const struct seat *other = b;
    if (one->share != other->share) {
        return one->share < other->share ? -1 : 1;
    }
    return by_hash(one, other);
}

// The middle of the i-th of n equal parts: a kind's stations are spread evenly over the whole.
static void find_places(const struct rollout *rollout, struct seat *seats, size_t count)
{
    uint32_t next[ROLLOUT_KINDS_MAX] = {0};
    qsort(seats, count, sizeof(*seats), by_kind);
    for (size_t i = 0; i < count; i++) {
        uint8_t kind = seats[i].member->kind;
        uint64_t middle = 2U * (uint64_t)next[kind]++ + 1;
        seats[i].share = (middle << 32) / (2U * (uint64_t)rollout->kind[kind].stations);
    }
    qsort(seats, count, sizeof(*seats), by_share);
    for (size_t i = 0; i < count; i++) {
        seats[i].member->place = (uint32_t)i + 1;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct member *one = *(struct member *const *)a;
    const struct member *other = *(struct member *const *)b;
    if (one->place != other->place) {
        return one->place < other->place ? -1 : 1;
    }
    return strcmp(one->station, other->station);
}

void rollout_order(struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->members; i++) {
        rollout->turn[i] = &rollout->member[i];
    }
    qsort(rollout->turn, rollout->members, sizeof(struct member *), by_place);
}

int rollout_plan(const struct pw_central *central, struct rollout *rollout, struct pw_str salt)
{
    struct seat *seats = calloc(rollout->members + 1, sizeof(*seats));
    size_t count = 0;
    if (seats == NULL) {
        return PW_ERR_LIMIT;
    }
    for (size_t i = 0; i < rollout->members; i++) {
        struct member *member = &rollout->member[i];
        const struct station *station = station_find(central, pw_str_of(member->station));
        if (member->step != STEP_WAITING || station == NULL) {
            continue;
        }
        char name[ROLLOUT_KIND_MAX] = "";
        struct pw_out out = PW_OUT(name);
        put_kind(station, &out);
        member->kind = rollout_kind(rollout, name);
        rollout->kind[member->kind].stations++;
        seats[count++] = (struct seat){.member = member, .hash = hash_of(salt, member->station)};
    }
    find_places(rollout, seats, count);
    free(seats);
    rollout_order(rollout);
    uint32_t total = (uint32_t)count;
    if (rollout->canary == ROLLOUT_CANARY_BY_SIZE) {
        rollout->canary = canary_usual(total, rollout->kinds, rollout->canary_failures);
    }
    rollout->canary_finds_percent =
        canary_finds_percent(total, rollout->canary, rollout->canary_failures);
    return PW_OK;
}

void rollout_kinds_report(const struct rollout *rollout, struct pw_json_writer *json)
{
    uint32_t canary[ROLLOUT_KINDS_MAX] = {0};
    uint32_t left = rollout->canary;
    // As they will be chosen: one of each kind, then in the order of places.
    for (int round = 0; round < 2; round++) {
        bool met[ROLLOUT_KINDS_MAX] = {false};
        for (size_t i = 0; i < rollout->members && left > 0; i++) {
            const struct member *member = rollout->turn[i];
            if (member->place > 0 && met[member->kind] == (round == 1)) {
                canary[member->kind]++;
                left--;
            }
            met[member->kind] = met[member->kind] || member->place > 0;
        }
    }
    for (uint8_t kind = 0; kind < rollout->kinds; kind++) {
        pw_json_open(json, '{');
        pw_json_key(json, "kind");
        pw_json_put_s(json, rollout->kind[kind].name);
        pw_json_key(json, "stations");
        pw_json_put_int(json, rollout->kind[kind].stations);
        pw_json_key(json, "canary");
        pw_json_put_int(json, canary[kind]);
        pw_json_close(json, '}');
    }
}

// --- When.

uint32_t rollout_room(const struct rollout *rollout, const struct tally *tally)
{
    uint32_t quota = rollout_quota(rollout, rollout->stage, tally->total);
    if (rollout->stage > 0) {
        return quota;
    }
    uint32_t ended = tally->begun - tally->busy;
    uint32_t wave = ended < FIRST_WAVE ? FIRST_WAVE : ended < SECOND_WAVE ? SECOND_WAVE : quota;
    return wave < quota ? wave : quota;
}

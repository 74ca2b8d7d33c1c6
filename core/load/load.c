// The allocator's stages, in their order.
#include "load/load.h"

#include "parts.h"

#define HOUR_MS       3600000
#define RAISE_LEAST   500  // a smaller raise is not worth an order
#define RAISE_PARTIAL 1000 // nor is a part of one below this

// --- Words.

#define WORD(name, text) text,
static const char *const reason_texts[] = {PW_LOAD_REASONS(WORD)};
#undef WORD
#define WORD(name, text) #name,
static const char *const reason_names[] = {PW_LOAD_REASONS(WORD)};
#undef WORD

const char *pw_load_reason_name(enum pw_load_reason reason)
{
    return (unsigned)reason < PW_LOAD_REASON_COUNT ? reason_names[reason] : "UNKNOWN";
}

const char *pw_load_reason_text(enum pw_load_reason reason)
{
    return (unsigned)reason < PW_LOAD_REASON_COUNT ? reason_texts[reason] : "unknown";
}

static const struct rotation_row {
    const char *text;
    uint8_t to[PW_LOAD_PHASES];
} rotation_rows[] = {
#define ROW(name, text, a, b, c) {text, {a, b, c}},
    PW_LOAD_ROTATIONS(ROW)
#undef ROW
};

const char *pw_load_rotation_name(enum pw_load_rotation rotation)
{
    return (unsigned)rotation < PW_LOAD_ROTATION_COUNT ? rotation_rows[rotation].text : "Unknown";
}

int pw_load_rotation_find(struct pw_str text)
{
    for (int i = 0; i < PW_LOAD_ROTATION_COUNT; i++) {
        if (pw_str_is(text, rotation_rows[i].text)) {
            return i;
        }
    }
    return PW_ERR_UNKNOWN;
}

unsigned pw_load_mains(unsigned connector_phases, enum pw_load_rotation rotation)
{
    if (connector_phases == 0 || rotation == PW_LOAD_UNKNOWN) {
        return PW_LOAD_ALL_PHASES;
    }
    unsigned mains = 0;
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        mains |= ((connector_phases >> p) & 1U) << rotation_rows[rotation].to[p];
    }
    return mains;
}

// --- The input.

static struct pw_load_config with_defaults(const struct pw_load_config *given)
{
    struct pw_load_config config = given != NULL ? *given : (struct pw_load_config){0};
    config.rotation_ms = config.rotation_ms != 0 ? config.rotation_ms : 900000;
    config.min_on_ms = config.min_on_ms != 0 ? config.min_on_ms : 150000;
    config.min_off_ms = config.min_off_ms != 0 ? config.min_off_ms : 60000;
    config.starts_hour = config.starts_hour != 0 ? config.starts_hour : 6;
    config.settle_ms = config.settle_ms != 0 ? config.settle_ms : 30000;
    config.asleep_ms = config.asleep_ms != 0 ? config.asleep_ms : 120000;
    config.probe_ms = config.probe_ms != 0 ? config.probe_ms : 600000;
    config.margin_ma = config.margin_ma != 0 ? config.margin_ma : 1000;
    return config;
}

static const char *bad_config(const struct pw_load_config *config)
{
    if (config->rotation_ms / 2 < config->min_on_ms) {
        return "min_on_ms must be at most half of rotation_ms";
    }
    if (config->starts_hour > PW_LOAD_STARTS) {
        return "starts_hour must be 1 to 8";
    }
    return config->margin_ma < 0 ? "margin_ma must not be negative" : NULL;
}

static const char *bad_circuit(const struct pw_load_circuit *circuit, size_t index)
{
    if (circuit->parent != PW_LOAD_NONE && circuit->parent >= index) {
        return "the parent must stand before its circuit";
    }
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        if (circuit->limit_ma[p] < 0 || circuit->limit_ma[p] > PW_LOAD_MAX_MA) {
            return "limit_ma must be 0 to 1000000";
        }
    }
    return NULL;
}

static const char *bad_member(const struct pw_load_member *member, size_t circuits)
{
    if (member->circuit >= circuits) {
        return "the member's circuit does not exist";
    }
    if (member->priority >= PW_LOAD_PRIORITIES) {
        return "priority must be 0 to 9";
    }
    if (member->phases > PW_LOAD_ALL_PHASES || member->rotation >= PW_LOAD_ROTATION_COUNT) {
        return "phases and rotation must be known words";
    }
    if (member->min_ma < PW_LOAD_MIN_MA || member->max_ma < member->min_ma ||
        member->max_ma > PW_LOAD_MAX_MA) {
        return "min_ma must be 6000 to max_ma, max_ma at most 1000000";
    }
    if (member->min_ma % PW_LOAD_STEP_MA != 0 || member->max_ma % PW_LOAD_STEP_MA != 0) {
        return "min_ma and max_ma must be multiples of 100";
    }
    return member->told_ma < 0 || member->held_ma < 0 ? "what is held must not be negative" : NULL;
}

int pw_load_check(const struct pw_load *load, const char **why, size_t *index)
{
    struct pw_load_config config = with_defaults(load->config);
    *index = 0;
    *why = bad_config(&config);
    if (*why == NULL && (load->circuits >= PW_LOAD_NONE || load->members >= UINT16_MAX)) {
        *why = "at most 65534 circuits and members";
    }
    for (size_t i = 0; *why == NULL && i < load->circuits; i++) {
        *index = i;
        *why = bad_circuit(&load->circuit[i], i);
    }
    for (size_t i = 0; *why == NULL && i < load->members; i++) {
        *index = i;
        *why = bad_member(&load->member[i], load->circuits);
    }
    return *why == NULL ? PW_OK : PW_ERR_RANGE;
}

// --- Rooms.

static unsigned mains_of(const struct pw_load_member *member)
{
    return pw_load_mains(member->phases, member->rotation);
}

static void open_rooms(struct run *run)
{
    for (size_t c = 0; c < run->load->circuits; c++) {
        const struct pw_load_circuit *circuit = &run->load->circuit[c];
        struct pw_load_room *room = &run->load->room[c];
        *room = (struct pw_load_room){0};
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            room->left_ma[p] = (int64_t)circuit->limit_ma[p] - pw_max(0, circuit->other_ma[p]);
        }
    }
}

// An unreachable member cannot be told: what it holds is gone for the others.
static void reserve(struct run *run)
{
    for (size_t i = 0; i < run->load->members; i++) {
        const struct pw_load_member *member = &run->load->member[i];
        if (!member->reachable) {
            pw_load_room_take(run, member->circuit, mains_of(member), member->held_ma);
            run->load->share[i] = (struct pw_load_share){
                .target_ma = member->held_ma,
                .send_ma = member->told_ma,
                .reason = member->failsafe ? PW_LOAD_FAILSAFE : PW_LOAD_LEASED,
                .circuit = PW_LOAD_NONE,
            };
        }
    }
    for (size_t c = 0; c < run->load->circuits; c++) {
        struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            room->all_ma[p] = room->left_ma[p];
        }
    }
}

static void count_crowd(const struct run *run, const struct pw_load_member *member, bool active)
{
    unsigned mains = mains_of(member);
    for (uint16_t c = member->circuit; c != PW_LOAD_NONE; c = run->load->circuit[c].parent) {
        struct pw_load_room *room = &run->load->room[c];
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            uint16_t *wanting = &room->wanting[member->priority][p];
            uint16_t *on = &room->active[member->priority][p];
            bool counts = ((mains >> p) & 1U) != 0;
            *wanting = (uint16_t)(*wanting + (counts ? 1U : 0U));
            *on = (uint16_t)(*on + (counts && active ? 1U : 0U));
        }
    }
}

// --- Who stands in the queue at all.

// Why a member that wants current cannot have any now; PW_LOAD_REASON_COUNT when it can.
static enum pw_load_reason barred(struct run *run, size_t index)
{
    const struct pw_load_memory *memory = &run->load->memory[index];
    if (memory->active) {
        return PW_LOAD_REASON_COUNT;
    }
    bool had_some = memory->starts > 0 && memory->started[0] >= memory->plugged_at;
    if (had_some && !pw_elapsed(memory->since, run->config.min_off_ms, run->now)) {
        due(run, memory->since, run->config.min_off_ms);
        return PW_LOAD_REST;
    }
    uint32_t most = run->config.starts_hour;
    if (memory->starts >= most && !pw_elapsed(memory->started[most - 1], HOUR_MS, run->now)) {
        due(run, memory->started[most - 1], HOUR_MS);
        return PW_LOAD_STARTS_USED;
    }
    return PW_LOAD_REASON_COUNT;
}

static void stand(struct run *run, size_t index)
{
    const struct pw_load_member *member = &run->load->member[index];
    run->load->place[run->places++] = (struct pw_load_place){
        .id = member->id,
        .index = (uint32_t)index,
        .mains = (uint8_t)mains_of(member),
        .bound = PW_LOAD_NONE,
    };
}

static void queue(struct run *run)
{
    struct pw_load *load = run->load;
    for (size_t i = 0; i < load->members; i++) {
        const struct pw_load_member *member = &load->member[i];
        pw_load_learn(run, i);
        if (!member->reachable) {
            continue;
        }
        load->share[i] = (struct pw_load_share){.reason = PW_LOAD_IDLE, .circuit = PW_LOAD_NONE};
        enum pw_load_reason bar = member->wants ? barred(run, i) : PW_LOAD_IDLE;
        if (bar != PW_LOAD_REASON_COUNT) {
            load->share[i].reason = bar;
        } else if (load->memory[i].asleep) {
            load->share[i].reason = PW_LOAD_YIELDED;
        } else {
            count_crowd(run, member, load->memory[i].active);
            stand(run, i);
        }
    }
    for (size_t i = 0; i < run->places; i++) {
        pw_load_rank_place(run, &load->place[i]);
    }
    pw_load_rank_sort(load->place, run->places);
}

// --- Keep, shed, rotate, activate: the minimum for each in his rank, as far as it goes.

static void admit_one(struct run *run, struct pw_load_place *place)
{
    const struct pw_load_member *member = &run->load->member[place->index];
    struct pw_load_share *share = &run->load->share[place->index];
    int32_t ma = member->min_ma;
    uint16_t lacks = pw_load_room_lacks(run, member->circuit, place->mains, ma, false);
    if (lacks == PW_LOAD_NONE) {
        pw_load_room_take(run, member->circuit, place->mains, ma);
        if (pw_load_rank_is_kept(place)) {
            pw_load_room_keep(run, member->circuit, place->mains, ma);
        }
        place->ma = ma;
        place->step = STEP_DONE;
        return;
    }
    uint16_t never = pw_load_room_never(run, member->circuit, place->mains, ma);
    share->reason = never != PW_LOAD_NONE ? PW_LOAD_NO_ROOM : PW_LOAD_TURN;
    share->circuit = never != PW_LOAD_NONE ? never : lacks;
    place->step = STEP_OUT;
    // Only those who must not go yet are in the way: nobody behind may take the place meanwhile.
    if (pw_load_rank_is_overdue(place) &&
        pw_load_room_lacks(run, member->circuit, place->mains, ma, true) == PW_LOAD_NONE) {
        pw_load_room_take(run, member->circuit, place->mains, ma);
        place->step = STEP_RESERVED;
    }
}

// Afterwards the first run->places places are those who got the minimum, ordered by priority, then
// by who has least now.
static void admit(struct run *run)
{
    struct pw_load *load = run->load;
    for (size_t i = 0; i < run->places; i++) {
        admit_one(run, &load->place[i]);
    }
    size_t kept = 0;
    for (size_t i = 0; i < run->places; i++) {
        struct pw_load_place place = load->place[i];
        const struct pw_load_member *member = &load->member[place.index];
        if (place.step == STEP_RESERVED) {
            pw_load_room_take(run, member->circuit, place.mains, -(int64_t)member->min_ma);
        } else if (place.step == STEP_DONE) {
            place.key[0] = PW_LOAD_PRIORITIES - 1U - member->priority;
            place.key[1] = (uint64_t)member->told_ma;
            load->place[kept++] = place;
        }
    }
    run->places = kept;
    pw_load_rank_sort(load->place, kept);
}

// --- Fair fill of what vehicles can use, priority by priority.

static void fill_demands(struct run *run)
{
    struct pw_load_place *place = run->load->place;
    for (size_t i = 0; i < run->places; i++) {
        const struct pw_load_member *member = &run->load->member[place[i].index];
        int32_t demand = run->load->memory[place[i].index].demand_ma;
        int32_t cap = demand > 0 ? demand : member->max_ma;
        place[i].cap_ma = (int32_t)pw_clamp(cap, member->min_ma, member->max_ma);
    }
    size_t end = 0;
    for (size_t first = 0; first < run->places; first = end) {
        while (end < run->places && place[end].key[0] == place[first].key[0]) {
            end++;
        }
        pw_load_fill(run, &place[first], end - first);
    }
}

// Who sleeps keeps the minimum while nobody who draws needs it.
static void admit_sleepers(struct run *run)
{
    struct pw_load *load = run->load;
    size_t first = run->places;
    for (size_t i = 0; i < load->members; i++) {
        if (load->member[i].reachable && load->share[i].reason == PW_LOAD_YIELDED) {
            stand(run, i);
            load->place[run->places - 1].key[0] =
                PW_LOAD_PRIORITIES - 1U - load->member[i].priority;
        }
    }
    pw_load_rank_sort(&load->place[first], run->places - first);
    size_t kept = first;
    for (size_t i = first; i < run->places; i++) {
        struct pw_load_place place = load->place[i];
        const struct pw_load_member *member = &load->member[place.index];
        struct pw_load_share *share = &load->share[place.index];
        uint16_t lacks =
            pw_load_room_lacks(run, member->circuit, place.mains, member->min_ma, false);
        if (lacks != PW_LOAD_NONE) {
            share->circuit = lacks;
            continue;
        }
        pw_load_room_take(run, member->circuit, place.mains, member->min_ma);
        place.ma = member->min_ma;
        place.cap_ma = member->min_ma;
        share->reason = PW_LOAD_ASLEEP;
        load->place[kept++] = place;
    }
    run->places = kept;
}

// What is left goes to whoever may take it, so that nobody who wants more must wait to be seen.
static void fill_left_over(struct run *run)
{
    struct pw_load *load = run->load;
    for (size_t i = 0; i < run->places; i++) {
        struct pw_load_place *place = &load->place[i];
        const struct pw_load_member *member = &load->member[place->index];
        if (load->share[place->index].reason != PW_LOAD_ASLEEP) {
            place->cap_ma = member->max_ma;
        }
    }
    pw_load_fill(run, load->place, run->places);
}

// --- The result.

static void settle_share(struct run *run, const struct pw_load_place *place)
{
    const struct pw_load_member *member = &run->load->member[place->index];
    const struct pw_load_memory *memory = &run->load->memory[place->index];
    struct pw_load_share *share = &run->load->share[place->index];
    share->target_ma = place->ma;
    if (share->reason == PW_LOAD_ASLEEP) {
        return;
    }
    share->circuit = PW_LOAD_NONE;
    if (memory->probing) {
        share->reason = PW_LOAD_PROBE;
    } else if (place->ma == member->max_ma) {
        share->reason = PW_LOAD_MAXIMUM;
    } else if (memory->demand_ma > 0 && place->ma >= memory->demand_ma) {
        share->reason = PW_LOAD_DEMAND;
    } else {
        share->reason = place->ma == member->min_ma ? PW_LOAD_MINIMUM : PW_LOAD_SHARE;
        share->circuit = place->bound;
    }
}

static void started(struct pw_load_memory *memory, pw_ms now)
{
    for (size_t i = PW_LOAD_STARTS - 1; i > 0; i--) {
        memory->started[i] = memory->started[i - 1];
    }
    memory->started[0] = now;
    memory->starts = (uint8_t)pw_min(memory->starts + 1, PW_LOAD_STARTS);
    memory->drawn_at = now;
}

static void remember(struct run *run, size_t index)
{
    struct pw_load_memory *memory = &run->load->memory[index];
    bool active = run->load->share[index].target_ma > 0;
    if (!run->load->member[index].reachable || memory->active == active) {
        return;
    }
    memory->active = active;
    memory->since = run->now;
    if (active) {
        started(memory, run->now);
    }
}

// --- Reductions before increases.

// What to tell a member whose share is above what it was told: as much as fits beside what all
// others hold.
static int32_t raised(const struct run *run, const struct pw_load_place *place, int32_t target)
{
    const struct pw_load_member *member = &run->load->member[place->index];
    int64_t free = pw_max(0, pw_load_room_left(run, member->circuit, place->mains));
    int64_t may = pw_min(target, (int64_t)member->held_ma + free);
    int32_t ma = (int32_t)(may - may % PW_LOAD_STEP_MA);
    int32_t least = ma == member->max_ma ? 1 : RAISE_LEAST;
    least = ma < target ? RAISE_PARTIAL : least;
    bool small = member->told_ma > 0 && ma - member->told_ma < least;
    return ma < member->min_ma || ma <= member->told_ma || small ? member->told_ma : ma;
}

static void send(struct run *run)
{
    struct pw_load *load = run->load;
    open_rooms(run);
    for (size_t i = 0; i < load->members; i++) {
        const struct pw_load_member *member = &load->member[i];
        struct pw_load_share *share = &load->share[i];
        pw_load_room_take(run, member->circuit, mains_of(member), member->held_ma);
        if (member->reachable) {
            int32_t target = share->target_ma - share->target_ma % PW_LOAD_STEP_MA;
            share->send_ma = (int32_t)pw_min(target, member->told_ma);
        }
    }
    for (size_t i = 0; i < run->places; i++) {
        const struct pw_load_place *place = &load->place[i];
        const struct pw_load_member *member = &load->member[place->index];
        struct pw_load_share *share = &load->share[place->index];
        int32_t target = share->target_ma - share->target_ma % PW_LOAD_STEP_MA;
        if (target <= member->told_ma) {
            continue;
        }
        share->send_ma = raised(run, place, target);
        pw_load_room_take(run, member->circuit, place->mains,
                          pw_max(0, (int64_t)share->send_ma - member->held_ma));
        if (target - share->send_ma >= RAISE_LEAST) {
            share->reason = PW_LOAD_AWAITS;
            share->circuit =
                pw_load_room_lacks(run, member->circuit, place->mains, RAISE_LEAST, false);
        }
    }
}

pw_ms pw_load_allocate(struct pw_load *load, pw_ms now)
{
    struct run run = {
        .load = load,
        .config = with_defaults(load->config),
        .now = now,
        .next = PW_NEVER,
    };
    open_rooms(&run);
    reserve(&run);
    queue(&run);
    admit(&run);
    fill_demands(&run);
    admit_sleepers(&run);
    fill_left_over(&run);
    for (size_t i = 0; i < run.places; i++) {
        settle_share(&run, &load->place[i]);
    }
    for (size_t i = 0; i < load->members; i++) {
        remember(&run, i);
    }
    send(&run);
    return run.next;
}

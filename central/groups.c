// Load groups in memory and in the database. A change is written as a whole: the group's rows go
// and come in one batch.
#include "groups.h"

#include <stdlib.h>
#include <string.h>

struct group *group_make(size_t circuits, size_t members)
{
    struct group *group = calloc(1, sizeof(*group));
    if (group == NULL) {
        return NULL;
    }
    // One more than asked for: an empty array is no failure.
    group->circuit = calloc(circuits + 1, sizeof(*group->circuit));
    group->member = calloc(members + 1, sizeof(*group->member));
    group->load_circuit = calloc(circuits + 1, sizeof(*group->load_circuit));
    group->load_member = calloc(members + 1, sizeof(*group->load_member));
    group->load = (struct pw_load){
        .config = &group->config,
        .circuit = group->load_circuit,
        .circuits = circuits,
        .member = group->load_member,
        .members = members,
        .memory = calloc(members + 1, sizeof(struct pw_load_memory)),
        .share = calloc(members + 1, sizeof(struct pw_load_share)),
        .place = calloc(members + 1, sizeof(struct pw_load_place)),
        .room = calloc(circuits + 1, sizeof(struct pw_load_room)),
    };
    if (group->circuit == NULL || group->member == NULL || group->load_circuit == NULL ||
        group->load_member == NULL || group->load.memory == NULL || group->load.share == NULL ||
        group->load.place == NULL || group->load.room == NULL) {
        group_free(group);
        return NULL;
    }
    return group;
}

void group_free(struct group *group)
{
    if (group == NULL) {
        return;
    }
    free(group->circuit);
    free(group->member);
    free(group->load_circuit);
    free(group->load_member);
    free(group->load.memory);
    free(group->load.share);
    free(group->load.place);
    free(group->load.room);
    free(group);
}

// --- Finding.

static size_t place(const struct groups *groups, const char *id)
{
    size_t at = 0;
    while (at < groups->count && strcmp(groups->group[at]->id, id) < 0) {
        at++;
    }
    return at;
}

struct group *group_find(const struct pw_central *central, struct pw_str id)
{
    for (size_t i = 0; i < central->groups->count; i++) {
        if (pw_str_is(id, central->groups->group[i]->id)) {
            return central->groups->group[i];
        }
    }
    return NULL;
}

const struct group *group_of(const struct pw_central *central, struct pw_str station, int connector)
{
    for (size_t i = 0; i < central->groups->count; i++) {
        const struct group *group = central->groups->group[i];
        for (size_t m = 0; m < group->load.members; m++) {
            if (group->member[m].connector == connector &&
                pw_str_is(station, group->member[m].station)) {
                return group;
            }
        }
    }
    return NULL;
}

// --- The database.

static bool keep_circuit(struct pw_central *central, const struct group *group, size_t i, pw_ms now)
{
    const struct group_circuit *circuit = &group->circuit[i];
    const struct pw_load_circuit *load = &group->load_circuit[i];
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(group->id)),
        pw_db_int((int64_t)i),
        pw_db_text(pw_str_of(circuit->id)),
        pw_db_text(pw_str_of(circuit->name)),
        load->parent == PW_LOAD_NONE ? pw_db_null() : pw_db_int(load->parent),
        pw_db_int(load->limit_ma[0]),
        pw_db_int(load->limit_ma[1]),
        pw_db_int(load->limit_ma[2]),
        pw_db_int(circuit->reserved_ma[0]),
        pw_db_int(circuit->reserved_ma[1]),
        pw_db_int(circuit->reserved_ma[2]),
    };
    return db_write(central,
                    "INSERT INTO load_circuit (group_id, position, id, name, parent,"
                    " limit1, limit2, limit3, reserved1, reserved2, reserved3)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                    args, PW_COUNT(args), now) >= 0;
}

static bool keep_member(struct pw_central *central, const struct group *group, size_t i, pw_ms now)
{
    const struct group_member *member = &group->member[i];
    const struct pw_load_member *load = &group->load_member[i];
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(group->id)),
        pw_db_int((int64_t)i),
        pw_db_text(pw_str_of(member->station)),
        pw_db_int(member->connector),
        pw_db_int(load->circuit),
        pw_db_int(load->priority),
        pw_db_int(load->min_ma),
        pw_db_int(load->max_ma),
        pw_db_int(member->failsafe_ma),
        pw_db_int(member->phases),
        pw_db_text(pw_str_of(pw_load_rotation_name(load->rotation))),
        pw_db_int(member->known_ma),
    };
    return db_write(central,
                    "INSERT INTO load_member (group_id, position, station_id, connector_id,"
                    " circuit, priority, min_ma, max_ma, failsafe_ma, phases, rotation, known_ma)"
                    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                    args, PW_COUNT(args), now) >= 0;
}

static bool forget_rows(struct pw_central *central, const char *id, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(id))};
    return db_write(central, "DELETE FROM load_group WHERE id = $1", args, 1, now) >= 0 &&
           db_write(central, "DELETE FROM load_circuit WHERE group_id = $1", args, 1, now) >= 0 &&
           db_write(central, "DELETE FROM load_member WHERE group_id = $1", args, 1, now) >= 0;
}

static bool keep(struct pw_central *central, const struct group *group, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(group->id)),
                                 pw_db_text(pw_str_of(group->name)),
                                 pw_db_int(group->config.rotation_ms)};
    bool kept =
        forget_rows(central, group->id, now) &&
        db_write(central, "INSERT INTO load_group (id, name, rotation_ms) VALUES ($1, $2, $3)",
                 args, PW_COUNT(args), now) >= 0;
    for (size_t i = 0; kept && i < group->load.circuits; i++) {
        kept = keep_circuit(central, group, i, now);
    }
    for (size_t i = 0; kept && i < group->load.members; i++) {
        kept = keep_member(central, group, i, now);
    }
    return kept;
}

// --- Changing.

static struct group_member *same_member(const struct group *group,
                                        const struct group_member *wanted, size_t *index)
{
    for (size_t i = 0; group != NULL && i < group->load.members; i++) {
        if (group->member[i].connector == wanted->connector &&
            strcmp(group->member[i].station, wanted->station) == 0) {
            *index = i;
            return &group->member[i];
        }
    }
    return NULL;
}

// Who stays keeps what was told and learned; who is new may take all he can until he is told.
static void take_over(struct group *group, const struct group *old, pw_ms now)
{
    for (size_t i = 0; i < group->load.members; i++) {
        struct group_member *member = &group->member[i];
        size_t k = 0;
        const struct group_member *before = same_member(old, member, &k);
        if (old == NULL || before == NULL) {
            member->known_ma = group->load_member[i].max_ma;
            pw_load_order_init(&member->order, member->failsafe_ma, member->known_ma, 0, now);
            continue;
        }
        int32_t failsafe_ma = member->failsafe_ma;
        unsigned phases = member->phases;
        *member = *before;
        member->failsafe_ma = failsafe_ma;
        member->phases = phases;
        // Until it is told the new one it may fall back to either.
        pw_load_order_fall_back_to(&member->order, failsafe_ma);
        group->load.memory[i] = old->load.memory[k];
        group->load.share[i] = old->load.share[k];
        group->load_member[i].wants = old->load_member[k].wants;
        group->load_member[i].plugged_at = old->load_member[k].plugged_at;
    }
}

int group_put(struct pw_central *central, struct group *group, struct pw_instant at)
{
    struct groups *groups = central->groups;
    struct group *old = group_find(central, pw_str_of(group->id));
    if (old == NULL && groups->count == GROUPS_MAX) {
        return PW_ERR_LIMIT;
    }
    take_over(group, old, at.now);
    if (!keep(central, group, at.now) || db_commit(central, at) != PW_OK) {
        return PW_ERR_STORE;
    }
    group->look = true;
    size_t index = place(groups, group->id);
    if (old == NULL) {
        memmove(&groups->group[index + 1], &groups->group[index],
                (groups->count - index) * sizeof(struct group *));
        groups->count++;
    }
    groups->group[index] = group;
    for (size_t i = 0; old != NULL && i < old->load.members; i++) {
        size_t k = 0;
        if (same_member(group, &old->member[i], &k) == NULL) {
            group_release(central, &old->member[i], at);
        }
    }
    group_free(old);
    return PW_OK;
}

int group_remove(struct pw_central *central, struct group *group, struct pw_instant at)
{
    struct groups *groups = central->groups;
    if (!forget_rows(central, group->id, at.now) || db_commit(central, at) != PW_OK) {
        return PW_ERR_STORE;
    }
    size_t index = place(groups, group->id);
    groups->count--;
    memmove(&groups->group[index], &groups->group[index + 1],
            (groups->count - index) * sizeof(struct group *));
    for (size_t i = 0; i < group->load.members; i++) {
        group_release(central, &group->member[i], at);
    }
    group_free(group);
    return PW_OK;
}

// --- From the database.

struct loading {
    struct pw_central *central;
    struct group *group;
    bool bad;
    pw_ms now;
};

static void take_group(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct loading *loading = to;
    struct groups *groups = loading->central->groups;
    struct group *group = groups->count < GROUPS_MAX
                              ? group_make((size_t)columns[3].number, (size_t)columns[4].number)
                              : NULL;
    if (group == NULL) {
        loading->bad = true;
        return;
    }
    groups->group[groups->count++] = group;
    db_take(group->id, sizeof(group->id), &columns[0]);
    db_take(group->name, sizeof(group->name), &columns[1]);
    group->config.rotation_ms = (uint32_t)columns[2].number;
    group->load.circuits = 0; // counted up by the rows
    group->load.members = 0;
}

static void take_circuit(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct loading *loading = to;
    struct group *group = loading->group;
    size_t i = group->load.circuits++;
    struct group_circuit *circuit = &group->circuit[i];
    db_take(circuit->id, sizeof(circuit->id), &columns[0]);
    db_take(circuit->name, sizeof(circuit->name), &columns[1]);
    group->load_circuit[i].parent =
        columns[2].kind == PW_DB_INT ? (uint16_t)columns[2].number : PW_LOAD_NONE;
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        group->load_circuit[i].limit_ma[p] = (int32_t)columns[3 + p].number;
        circuit->reserved_ma[p] = (int32_t)columns[6 + p].number;
        group->load_circuit[i].other_ma[p] = circuit->reserved_ma[p];
    }
}

static void take_member(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct loading *loading = to;
    struct group *group = loading->group;
    size_t i = group->load.members++;
    struct group_member *member = &group->member[i];
    struct pw_load_member *load = &group->load_member[i];
    db_take(member->station, sizeof(member->station), &columns[0]);
    member->connector = (int)columns[1].number;
    load->id = (uint32_t)i + 1;
    load->circuit = (uint16_t)columns[2].number;
    load->priority = (uint8_t)columns[3].number;
    load->min_ma = (int32_t)columns[4].number;
    load->max_ma = (int32_t)columns[5].number;
    member->failsafe_ma = (int32_t)columns[6].number;
    member->phases = (unsigned)columns[7].number;
    load->phases = (uint8_t)((1U << member->phases) - 1);
    load->rotation = (enum pw_load_rotation)pw_load_rotation_find(columns[8].text);
    load->measured_ma = -1;
    member->known_ma = (int32_t)columns[9].number;
    pw_load_order_init(&member->order, member->failsafe_ma, member->known_ma, 0, loading->now);
}

static bool load_one(struct loading *loading)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(loading->group->id))};
    const char *why = "";
    size_t index = 0;
    return db_read(loading->central,
                   "SELECT id, name, parent, limit1, limit2, limit3, reserved1, reserved2,"
                   " reserved3 FROM load_circuit WHERE group_id = $1 ORDER BY position",
                   args, 1, take_circuit, loading) >= 0 &&
           db_read(loading->central,
                   "SELECT station_id, connector_id, circuit, priority, min_ma, max_ma,"
                   " failsafe_ma, phases, rotation, known_ma FROM load_member"
                   " WHERE group_id = $1 ORDER BY position",
                   args, 1, take_member, loading) >= 0 &&
           pw_load_check(&loading->group->load, &why, &index) == PW_OK;
}

int groups_load(struct pw_central *central, pw_ms now)
{
    central->groups = calloc(1, sizeof(*central->groups));
    if (central->groups == NULL) {
        return PW_ERR_LIMIT;
    }
    struct loading loading = {.central = central, .now = now};
    if (db_read(central,
                "SELECT id, name, rotation_ms,"
                " (SELECT COUNT(*) FROM load_circuit WHERE group_id = g.id),"
                " (SELECT COUNT(*) FROM load_member WHERE group_id = g.id)"
                " FROM load_group g ORDER BY id",
                NULL, 0, take_group, &loading) < 0) {
        return PW_ERR_STORE;
    }
    for (size_t i = 0; i < central->groups->count; i++) {
        loading.group = central->groups->group[i];
        loading.bad = !load_one(&loading) || loading.bad;
    }
    return loading.bad ? PW_ERR_STORE : PW_OK;
}

void groups_free(struct pw_central *central)
{
    for (size_t i = 0; central->groups != NULL && i < central->groups->count; i++) {
        group_free(central->groups->group[i]);
    }
    free(central->groups);
}

// A load group as one JSON document: read with every value checked, and written with the present
// state. A refusal names the place in the document, the value and what is allowed there.
#include "groups.h"

#include <string.h>

#define MIN_A       6    // IEC 61851-1: less cannot be offered
#define FUSE_MAX_A  1000 // of a circuit
#define AMPERE_MA   1000
#define MINUTE_S    60
#define VALUE_CHARS 40 // of a refused value in its message

struct reading {
    struct http *http;
    char where[32]; // "circuits[1]." before each key
    const struct pw_json_node *node;
};

// --- Refusing.

static void refuse(const struct reading *reading, const char *key, struct pw_str value,
                   const char *words)
{
    char start[160];
    struct pw_out out = PW_OUT(start);
    pw_put_s(&out, reading->where);
    pw_put_s(&out, key);
    pw_put_s(&out, ": ");
    http_fail(reading->http, 400, "bad_value", start, value, words);
}

static struct pw_str shown(const struct pw_json_node *node)
{
    return pw_json_head((struct pw_str){.at = node->at, .len = node->len}, VALUE_CHARS);
}

static void step_in(struct reading *reading, const char *list, size_t index,
                    const struct pw_json_node *node)
{
    struct pw_out out = PW_OUT(reading->where);
    pw_put_s(&out, list);
    pw_put_c(&out, '[');
    pw_put_uint(&out, index);
    pw_put_s(&out, "].");
    reading->node = node;
}

// A misspelt key must not silently mean the default.
static bool keys_known(const struct reading *reading, const char *const *known, size_t count)
{
    struct pw_json_iter it = pw_json_each(reading->node);
    while (pw_json_next(&it) != NULL) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++) {
            found = pw_str_is(it.key, known[i]);
        }
        if (!found) {
            http_fail(reading->http, 400, "bad_value", reading->where, it.key,
                      ": there is no such key");
            return false;
        }
    }
    return true;
}

// --- Values.

struct range {
    const char *key;
    int64_t min;
    int64_t max;
    int64_t otherwise; // below min: must be given
    unsigned decimals;
};

static void refuse_range(const struct reading *reading, const struct range *range,
                         const struct pw_json_node *node)
{
    char words[120];
    struct pw_out out = PW_OUT(words);
    pw_put_s(&out, " is not allowed; it must be ");
    pw_put_int(&out, range->min);
    pw_put_s(&out, " to ");
    pw_put_int(&out, range->max);
    pw_put_s(&out, range->decimals > 0 ? " with at most one decimal" : "");
    refuse(reading, range->key, shown(node), words);
}

// A number in the range, scaled by its decimals. False after answering.
static bool take_node(const struct reading *reading, const struct range *range,
                      const struct pw_json_node *node, int64_t *value)
{
    int64_t scale = range->decimals > 0 ? 10 : 1;
    if (pw_json_fixed(node, range->decimals, value) == PW_OK && *value >= range->min * scale &&
        *value <= range->max * scale) {
        return true;
    }
    refuse_range(reading, range, node);
    return false;
}

static bool take(const struct reading *reading, const struct range *range, int64_t *value)
{
    const struct pw_json_node *node = pw_json_member(reading->node, range->key);
    if (node != NULL && !pw_json_is(node, PW_JSON_NULL)) {
        return take_node(reading, range, node, value);
    }
    *value = range->otherwise * (range->decimals > 0 ? 10 : 1);
    if (range->otherwise < range->min) {
        refuse(reading, range->key, PW_STR(""), "is required");
        return false;
    }
    return true;
}

static bool take_ma(const struct reading *reading, const struct range *range, int32_t *ma)
{
    int64_t value = 0;
    if (!take(reading, range, &value)) {
        return false;
    }
    *ma = (int32_t)(value * (AMPERE_MA / 10));
    return true;
}

// Three numbers, one a phase. Missing: all `otherwise`.
static bool take_phases(const struct reading *reading, const struct range *range,
                        int32_t ma[PW_LOAD_PHASES])
{
    const struct pw_json_node *list = pw_json_member(reading->node, range->key);
    if (list == NULL && range->otherwise >= range->min) {
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            ma[p] = (int32_t)range->otherwise * AMPERE_MA;
        }
        return true;
    }
    if (!pw_json_is(list, PW_JSON_ARRAY) || pw_json_count(list) != PW_LOAD_PHASES) {
        refuse(reading, range->key, PW_STR(""), "must be a list of three numbers, L1 to L3");
        return false;
    }
    struct pw_json_iter it = pw_json_each(list);
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        int64_t value = 0;
        if (!take_node(reading, range, pw_json_next(&it), &value)) {
            return false;
        }
        ma[p] = (int32_t)(value * (AMPERE_MA / 10));
    }
    return true;
}

// A text of 1 to `max` characters, or none when it may be missing.
static bool take_text(const struct reading *reading, const char *key, size_t max, bool must,
                      struct pw_str *value)
{
    const struct pw_json_node *node = pw_json_member(reading->node, key);
    *value = PW_STR("");
    if (node == NULL || pw_json_is(node, PW_JSON_NULL)) {
        if (must) {
            refuse(reading, key, PW_STR(""), "is required");
        }
        return !must;
    }
    if (pw_json_text(node, value) != PW_OK || pw_json_chars(*value) > max ||
        (must && value->len == 0)) {
        char words[64];
        struct pw_out out = PW_OUT(words);
        pw_put_s(&out, " is not allowed; it must be a text of at most ");
        pw_put_uint(&out, max);
        pw_put_s(&out, " characters");
        refuse(reading, key, shown(node), words);
        return false;
    }
    return true;
}

// --- Circuits.

// The circuit before index `below` with this id; PW_LOAD_NONE without one.
static uint16_t circuit_find(const struct group *group, struct pw_str id, size_t below)
{
    for (size_t i = 0; i < below; i++) {
        if (pw_str_is(id, group->circuit[i].id)) {
            return (uint16_t)i;
        }
    }
    return PW_LOAD_NONE;
}

static bool read_circuit(const struct reading *reading, struct group *group, size_t index)
{
    static const char *const keys[] = {"id", "name", "parent", "limit_a", "reserved_a"};
    static const struct range limit = {"limit_a", 0, FUSE_MAX_A, -1, 1};
    static const struct range reserved = {"reserved_a", 0, FUSE_MAX_A, 0, 1};
    struct group_circuit *circuit = &group->circuit[index];
    struct pw_load_circuit *load = &group->load_circuit[index];
    struct pw_str id;
    struct pw_str name;
    struct pw_str parent;
    if (!keys_known(reading, keys, PW_COUNT(keys)) ||
        !take_text(reading, "id", PW_CENTRAL_STATION_MAX, true, &id) ||
        !take_text(reading, "name", GROUP_NAME_CHARS, false, &name) ||
        !take_text(reading, "parent", PW_CENTRAL_STATION_MAX, false, &parent) ||
        !take_phases(reading, &limit, load->limit_ma) ||
        !take_phases(reading, &reserved, circuit->reserved_ma)) {
        return false;
    }
    if (!station_id_ok(id) || circuit_find(group, id, index) != PW_LOAD_NONE) {
        refuse(reading, "id", id,
               station_id_ok(id) ? " is the id of a circuit above already"
                                 : " is not allowed; use letters, digits or _.:@=*+-");
        return false;
    }
    load->parent = parent.len > 0 ? circuit_find(group, parent, index) : PW_LOAD_NONE;
    if (parent.len > 0 && load->parent == PW_LOAD_NONE) {
        refuse(reading, "parent", parent, " is not the id of a circuit further up in the list");
        return false;
    }
    memcpy(load->other_ma, circuit->reserved_ma, sizeof(load->other_ma));
    return pw_str_copy(circuit->id, sizeof(circuit->id), id) == PW_OK &&
           pw_str_copy(circuit->name, sizeof(circuit->name), name.len > 0 ? name : id) == PW_OK;
}

// --- Members.

static bool member_free(const struct reading *reading, const struct group *group, size_t index)
{
    const struct group_member *member = &group->member[index];
    struct pw_str station = pw_str_of(member->station);
    for (size_t i = 0; i < index; i++) {
        if (group->member[i].connector == member->connector &&
            pw_str_is(station, group->member[i].station)) {
            refuse(reading, "connector_id", station, " has this connector in the list already");
            return false;
        }
    }
    const struct group *other = group_of(reading->http->central, station, member->connector);
    if (other != NULL && strcmp(other->id, group->id) != 0) {
        refuse(reading, "station_id", pw_str_of(other->id), " is the group this connector is in");
        return false;
    }
    return true;
}

static bool read_currents(const struct reading *reading, struct group *group, size_t index)
{
    static const struct range most = {"max_a", MIN_A, PW_CENTRAL_LIMIT_MAX_MA / AMPERE_MA, 0, 1};
    static const struct range least = {"min_a", MIN_A, PW_CENTRAL_LIMIT_MAX_MA / AMPERE_MA, MIN_A,
                                       1};
    static const struct range safe = {"failsafe_a", 0, PW_CENTRAL_LIMIT_MAX_MA / AMPERE_MA, 0, 1};
    struct pw_load_member *load = &group->load_member[index];
    int32_t failsafe_ma = 0;
    if (!take_ma(reading, &most, &load->max_ma) || !take_ma(reading, &least, &load->min_ma) ||
        !take_ma(reading, &safe, &failsafe_ma)) {
        return false;
    }
    group->member[index].failsafe_ma = failsafe_ma;
    if (load->min_ma > load->max_ma) {
        refuse(reading, "min_a", PW_STR(""), "must not be above max_a");
        return false;
    }
    if (failsafe_ma > load->max_ma || (failsafe_ma > 0 && failsafe_ma < MIN_A * AMPERE_MA)) {
        refuse(reading, "failsafe_a", PW_STR(""), "must be 0, or 6 to max_a");
        return false;
    }
    return true;
}

static bool read_wiring(const struct reading *reading, struct group *group, size_t index)
{
    static const struct range phases = {"phases", 1, PW_LOAD_PHASES, PW_LOAD_PHASES, 0};
    static const struct range priority = {"priority", 0, PW_LOAD_PRIORITIES - 1, 0, 0};
    struct pw_load_member *load = &group->load_member[index];
    struct pw_str circuit;
    struct pw_str rotation;
    int64_t wired = 0;
    int64_t first = 0;
    if (!take(reading, &priority, &first) || !take(reading, &phases, &wired) ||
        !take_text(reading, "circuit", PW_CENTRAL_STATION_MAX, true, &circuit) ||
        !take_text(reading, "rotation", 7, false, &rotation)) {
        return false;
    }
    int turned = rotation.len > 0 ? pw_load_rotation_find(rotation) : PW_LOAD_RST;
    if (turned < 0) {
        refuse(reading, "rotation", rotation, " is none of RST, RTS, SRT, STR, TRS, TSR, Unknown");
        return false;
    }
    load->circuit = circuit_find(group, circuit, group->load.circuits);
    if (load->circuit == PW_LOAD_NONE) {
        refuse(reading, "circuit", circuit, " is not the id of a circuit");
        return false;
    }
    load->priority = (uint8_t)first;
    load->rotation = (enum pw_load_rotation)turned;
    load->phases = (uint8_t)((1U << (unsigned)wired) - 1);
    group->member[index].phases = (unsigned)wired;
    return true;
}

static bool read_member(const struct reading *reading, struct group *group, size_t index)
{
    static const char *const keys[] = {"station_id", "connector_id", "circuit", "priority", "min_a",
                                       "max_a",      "failsafe_a",   "phases",  "rotation"};
    static const struct range connector = {"connector_id", 1, PW_CENTRAL_CONNECTORS - 1, 1, 0};
    struct group_member *member = &group->member[index];
    struct pw_str station;
    int64_t number = 0;
    if (!keys_known(reading, keys, PW_COUNT(keys)) ||
        !take_text(reading, "station_id", PW_CENTRAL_STATION_MAX, true, &station) ||
        !take(reading, &connector, &number) || !read_currents(reading, group, index) ||
        !read_wiring(reading, group, index)) {
        return false;
    }
    if (station_find(reading->http->central, station) == NULL ||
        pw_str_copy(member->station, sizeof(member->station), station) != PW_OK) {
        refuse(reading, "station_id", station, " is not the id of a station");
        return false;
    }
    member->connector = (int)number;
    group->load_member[index].id = (uint32_t)index + 1;
    group->load_member[index].measured_ma = -1;
    return member_free(reading, group, index);
}

// --- The whole.

// Without the centre every member falls back: that must be safe by itself.
static bool failsafe_fits(const struct reading *reading, const struct group *group)
{
    for (size_t c = 0; c < group->load.circuits; c++) {
        int64_t sum[PW_LOAD_PHASES] = {0};
        for (size_t i = 0; i < group->load.members; i++) {
            const struct pw_load_member *load = &group->load_member[i];
            size_t at = load->circuit;
            while (at != PW_LOAD_NONE && at != c) {
                at = group->load_circuit[at].parent;
            }
            unsigned mains = at == c ? pw_load_mains(load->phases, load->rotation) : 0;
            for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
                sum[p] += ((mains >> p) & 1U) != 0 ? group->member[i].failsafe_ma : 0;
            }
        }
        for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
            int64_t room = group->load_circuit[c].limit_ma[p] - group->circuit[c].reserved_ma[p];
            if (sum[p] > pw_max(0, room)) {
                char text[120];
                struct pw_out out = PW_OUT(text);
                pw_put_s(&out, ": the fail-safe limits of its members add up to ");
                pw_put_fixed(&out, sum[p], 3);
                pw_put_s(&out, " A on L");
                pw_put_uint(&out, p + 1);
                pw_put_s(&out, ", more than the ");
                pw_put_fixed(&out, pw_max(0, room), 3);
                pw_put_s(&out, " A that are there");
                char start[40];
                struct pw_out where = PW_OUT(start);
                pw_put_s(&where, "circuits[");
                pw_put_uint(&where, c);
                pw_put_s(&where, "].limit_a");
                http_fail(reading->http, 400, "bad_value", start, PW_STR(""), text);
                return false;
            }
        }
    }
    return true;
}

static bool read_lists(struct reading *reading, struct group *group,
                       const struct pw_json_node *circuits, const struct pw_json_node *members)
{
    struct pw_json_iter it = pw_json_each(circuits);
    size_t index = 0;
    for (const struct pw_json_node *node = NULL; (node = pw_json_next(&it)) != NULL; index++) {
        step_in(reading, "circuits", index, node);
        if (!read_circuit(reading, group, index)) {
            return false;
        }
    }
    it = pw_json_each(members);
    index = 0;
    for (const struct pw_json_node *node = NULL; (node = pw_json_next(&it)) != NULL; index++) {
        step_in(reading, "members", index, node);
        if (!read_member(reading, group, index)) {
            return false;
        }
    }
    return failsafe_fits(reading, group);
}

// A list of `least` to `most` objects.
static bool list_ok(const struct reading *reading, const char *key, size_t least, size_t most)
{
    const struct pw_json_node *list = pw_json_member(reading->node, key);
    if (list == NULL && least == 0) {
        return true;
    }
    size_t count = pw_json_count(list);
    if (pw_json_is(list, PW_JSON_ARRAY) && count >= least && count <= most) {
        return true;
    }
    char words[80];
    struct pw_out out = PW_OUT(words);
    pw_put_s(&out, "must be a list of ");
    pw_put_uint(&out, least);
    pw_put_s(&out, " to ");
    pw_put_uint(&out, most);
    refuse(reading, key, PW_STR(""), words);
    return false;
}

struct group *group_read(struct http *http, struct pw_str id)
{
    static const char *const keys[] = {"name", "rotation_min", "circuits", "members"};
    static const struct range rotation = {"rotation_min", 5, 1440, 15, 0};
    struct reading reading = {.http = http, .node = http->body};
    struct pw_str name;
    int64_t minutes = 0;
    if (!keys_known(&reading, keys, PW_COUNT(keys)) ||
        !take_text(&reading, "name", GROUP_NAME_CHARS, false, &name) ||
        !take(&reading, &rotation, &minutes) ||
        !list_ok(&reading, "circuits", 1, GROUP_CIRCUITS_MAX) ||
        !list_ok(&reading, "members", 0, GROUP_MEMBERS_MAX)) {
        return NULL;
    }
    const struct pw_json_node *circuits = pw_json_member(http->body, "circuits");
    const struct pw_json_node *members = pw_json_member(http->body, "members");
    struct group *group = group_make(pw_json_count(circuits), pw_json_count(members));
    if (group == NULL) {
        http_fail(http, 503, "store", "no memory for this group", PW_STR(""), "");
        return NULL;
    }
    group->config.rotation_ms = (uint32_t)minutes * MINUTE_S * 1000;
    if (pw_str_copy(group->id, sizeof(group->id), id) != PW_OK ||
        pw_str_copy(group->name, sizeof(group->name), name.len > 0 ? name : id) != PW_OK ||
        !read_lists(&reading, group, circuits, members)) {
        group_free(group);
        return NULL;
    }
    return group;
}

// --- Writing.

static void put_phases(struct pw_json_writer *json, const char *key,
                       const int64_t ma[PW_LOAD_PHASES])
{
    pw_json_key(json, key);
    pw_json_open(json, '[');
    for (unsigned p = 0; p < PW_LOAD_PHASES; p++) {
        pw_json_put_fixed(json, ma[p], 3);
    }
    pw_json_close(json, ']');
}

static void put_limits(struct pw_json_writer *json, const char *key,
                       const int32_t ma[PW_LOAD_PHASES])
{
    const int64_t wide[PW_LOAD_PHASES] = {ma[0], ma[1], ma[2]};
    put_phases(json, key, wide);
}

static void put_a(struct pw_json_writer *json, const char *key, int64_t ma)
{
    pw_json_key(json, key);
    if (ma >= 0) {
        pw_json_put_fixed(json, ma, 3);
    } else {
        pw_json_put_null(json);
    }
}

static void put_circuit(struct pw_json_writer *json, const struct group *group, size_t c)
{
    const struct pw_load_circuit *load = &group->load_circuit[c];
    struct group_sum sum = group_sum(group, c);
    pw_json_open(json, '{');
    pw_json_say_s(json, "id", group->circuit[c].id);
    pw_json_say_s(json, "name", group->circuit[c].name);
    pw_json_say_known_s(json, "parent",
                        load->parent != PW_LOAD_NONE ? group->circuit[load->parent].id : "");
    put_limits(json, "limit_a", load->limit_ma);
    put_limits(json, "reserved_a", group->circuit[c].reserved_ma);
    put_phases(json, "offer_a", sum.offer_ma);
    put_phases(json, "used_a", sum.used_ma);
    pw_json_close(json, '}');
}

static void put_reason(struct pw_json_writer *json, const struct group *group, size_t m)
{
    const struct pw_load_share *share = &group->load.share[m];
    const struct group_member *member = &group->member[m];
    char text[GROUP_NAME_MAX + 128];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, pw_load_reason_text(share->reason));
    if (share->circuit != PW_LOAD_NONE) {
        pw_put_s(&out, " (");
        pw_put_s(&out, group->circuit[share->circuit].name);
        pw_put_c(&out, ')');
    }
    if (member->refusal[0] != '\0') {
        pw_put_s(&out, "; the station refused the limit: ");
        pw_put_s(&out, member->refusal);
    }
    pw_json_say_s(json, "reason", pw_load_reason_name(share->reason));
    pw_json_say_text(json, "reason_text", pw_out_str(&out));
    pw_json_say_known_s(json, "bound_by",
                        share->circuit != PW_LOAD_NONE ? group->circuit[share->circuit].id : "");
}

static void put_member(struct pw_json_writer *json, const struct group *group, size_t m)
{
    const struct group_member *member = &group->member[m];
    const struct pw_load_member *load = &group->load_member[m];
    pw_json_open(json, '{');
    pw_json_say_s(json, "station_id", member->station);
    pw_json_say_int(json, "connector_id", member->connector);
    pw_json_say_s(json, "circuit", group->circuit[load->circuit].id);
    pw_json_say_int(json, "priority", load->priority);
    put_a(json, "min_a", load->min_ma);
    put_a(json, "max_a", load->max_ma);
    put_a(json, "failsafe_a", member->failsafe_ma);
    pw_json_say_int(json, "phases", member->phases);
    pw_json_say_s(json, "rotation", pw_load_rotation_name(load->rotation));
    put_a(json, "offer_a", group_offer(group, m));
    put_a(json, "share_a", group->load.share[m].target_ma);
    put_a(json, "used_a", group_used(group, m));
    pw_json_say_bool(json, "wants", load->wants);
    pw_json_say_bool(json, "reachable", load->reachable);
    put_reason(json, group, m);
    pw_json_close(json, '}');
}

static void put_head(struct pw_json_writer *json, const struct group *group)
{
    pw_json_say_s(json, "id", group->id);
    pw_json_say_s(json, "name", group->name);
    pw_json_say_int(json, "rotation_min", group->config.rotation_ms / 1000 / MINUTE_S);
}

void group_report(const struct pw_central *central, struct pw_json_writer *json,
                  const struct group *group)
{
    put_head(json, group);
    pw_json_say_bool(json, "served", central->groups->limiter != NULL);
    pw_json_key(json, "circuits");
    pw_json_open(json, '[');
    for (size_t c = 0; c < group->load.circuits; c++) {
        put_circuit(json, group, c);
    }
    pw_json_close(json, ']');
    pw_json_key(json, "members");
    pw_json_open(json, '[');
    for (size_t m = 0; m < group->load.members; m++) {
        put_member(json, group, m);
    }
    pw_json_close(json, ']');
}

void group_summary(const struct pw_central *central, struct pw_json_writer *json,
                   const struct group *group)
{
    (void)central;
    int64_t counts[3] = {0}; // charging, waiting, unreachable
    static const char *const words[] = {"charging", "waiting", "unreachable"};
    for (size_t m = 0; m < group->load.members; m++) {
        const struct pw_load_member *load = &group->load_member[m];
        counts[0] += load->reachable && load->wants && load->told_ma > 0 ? 1 : 0;
        counts[1] += load->reachable && load->wants && load->told_ma == 0 ? 1 : 0;
        counts[2] += load->reachable ? 0 : 1;
    }
    struct group_sum sum = group_sum(group, 0);
    pw_json_open(json, '{');
    put_head(json, group);
    put_limits(json, "limit_a", group->load_circuit[0].limit_ma);
    put_phases(json, "offer_a", sum.offer_ma);
    put_phases(json, "used_a", sum.used_ma);
    pw_json_say_int(json, "circuits", (int64_t)group->load.circuits);
    pw_json_say_int(json, "members", (int64_t)group->load.members);
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        pw_json_say_int(json, words[i], counts[i]);
    }
    pw_json_close(json, '}');
}

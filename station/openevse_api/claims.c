// Claims: what other programs ask of a connector. The state of the highest priority counts, and of
// all currents the least (facts/ac-evse-rapi-load.md §8: a cap must not depend on rank).
#include "openevse_api/parts.h"

#include <string.h>

#define CURRENT_MOST_A 500
#define CLIENT_MOST    0xFFFFFFFE

struct pw_openevse_claim *pw_oe_claim_of(struct pw_openevse_api *api, unsigned index,
                                         uint32_t client)
{
    for (size_t i = 0; i < PW_OPENEVSE_API_CLAIMS_MAX; i++) {
        if (api->claim[index][i].client == client) {
            return &api->claim[index][i];
        }
    }
    return NULL;
}

static bool less(int32_t a, const struct pw_openevse_claim *than, int32_t b)
{
    return a >= 0 && (than == NULL || a < b);
}

struct pw_oe_target pw_oe_target(const struct pw_openevse_api *api, unsigned index)
{
    struct pw_oe_target target = {.state = NULL};
    for (size_t i = 0; i < PW_OPENEVSE_API_CLAIMS_MAX; i++) {
        const struct pw_openevse_claim *claim = &api->claim[index][i];
        if (claim->client == 0) {
            continue;
        }
        if (claim->state != PW_OPENEVSE_CLAIM_NONE &&
            (target.state == NULL || claim->priority > target.state->priority)) {
            target.state = claim;
        }
        if (less(claim->charge_a, target.charge,
                 target.charge != NULL ? target.charge->charge_a : 0)) {
            target.charge = claim;
        }
        if (less(claim->max_a, target.max, target.max != NULL ? target.max->max_a : 0)) {
            target.max = claim;
        }
    }
    return target;
}

static bool wants(const struct pw_openevse_api *api, unsigned index,
                  enum pw_openevse_claim_state state)
{
    struct pw_oe_target target = pw_oe_target(api, index);
    return target.state != NULL && target.state->state == state;
}

bool pw_oe_enabled(struct pw_openevse_api *api, unsigned index,
                   const struct pw_connector_view *view)
{
    struct pw_station *st = api->config.station;
    struct pw_rules_view rules;
    pw_rules_view(&st->rules, index, &rules, api->now);
    bool by_itself = rules.mode != PW_RULES_CONTROLLED;
    if (view->status == PW_STATUS_UNAVAILABLE || view->status == PW_STATUS_FAULTED ||
        rules.hold != PW_RULES_NOTHING ||
        pw_connector_limits(&st->connector[index])->effective_ma <= 0) {
        return false;
    }
    switch (view->phase) {
    case PW_PHASE_AUTHORISED:
    case PW_PHASE_BEGINNING:
    case PW_PHASE_ACTIVE: return true;
    case PW_PHASE_IDLE: return by_itself || wants(api, index, PW_OPENEVSE_CLAIM_ACTIVE);
    case PW_PHASE_PLUGGED: return by_itself;
    case PW_PHASE_ENDING:
    case PW_PHASE_FINISHING:
    case PW_PHASE_ROWS: return false;
    }
    PW_UNREACHABLE();
}

// --- What claims come to.

// The limit for the stack; -1: none. A current below the least is the least: who wants a pause says
// `disabled`.
static int32_t claimed_ma(const struct pw_openevse_api *api, unsigned index)
{
    struct pw_oe_target target = pw_oe_target(api, index);
    if (target.state != NULL && target.state->state == PW_OPENEVSE_CLAIM_DISABLED) {
        return 0;
    }
    if (target.charge == NULL && target.max == NULL) {
        return -1;
    }
    int64_t a = pw_min(target.charge != NULL ? target.charge->charge_a : CURRENT_MOST_A,
                       target.max != NULL ? target.max->max_a : CURRENT_MOST_A);
    int64_t least = pw_settings_int(&api->config.station->settings, PW_SET_CURRENT_MIN_MA);
    return (int32_t)pw_max(a * 1000, least);
}

static int command(struct pw_openevse_api *api, const char *word, int32_t ma, unsigned index,
                   struct pw_out *why, pw_ms now)
{
    char line[64];
    struct pw_out out = PW_OUT(line);
    pw_put_s(&out, word);
    pw_put_c(&out, ' ');
    if (ma >= 0) {
        pw_put_fixed(&out, ma, 3);
        pw_put_c(&out, ' ');
    }
    pw_put_uint(&out, index + 1);
    return pw_station_command(api->config.station, pw_out_str(&out), why, now);
}

// Carries out what the claims come to. The command's refusal in *why.
static int apply(struct pw_openevse_api *api, unsigned index, struct pw_out *why, pw_ms now)
{
    int32_t ma = claimed_ma(api, index);
    if (ma == api->applied[index].ma) {
        return PW_OK;
    }
    int err = ma < 0 ? command(api, "claim off", -1, index, why, now)
                     : command(api, "claim", ma, index, why, now);
    if (err == PW_OK) {
        api->applied[index].ma = ma;
    }
    return err;
}

// Who claims `active` gets what a person at the station would do: the schedule does not count until
// the vehicle leaves, and a charge that waits for somebody is started. Refusals are seen in the
// status; the claim stays. `again`: a charge that has ended is started anew.
static void start(struct pw_openevse_api *api, unsigned index, bool again, pw_ms now)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    struct pw_connector_view view;
    pw_connector_view(&api->config.station->connector[index], &view, now);
    if (!view.plugged || !wants(api, index, PW_OPENEVSE_CLAIM_ACTIVE)) {
        return;
    }
    struct pw_rules_view rules;
    pw_rules_view(&api->config.station->rules, index, &rules, now);
    // What a person has asked for already is not ours to take back.
    if (!rules.now && command(api, "now", -1, index, &why, now) == PW_OK) {
        api->applied[index].now = true;
    }
    if (view.phase == PW_PHASE_PLUGGED || (again && view.phase == PW_PHASE_FINISHING)) {
        (void)!command(api, "start", -1, index, &why, now);
    }
}

// The schedule counts again when nobody claims `active` any more.
static void follow_state(struct pw_openevse_api *api, unsigned index, pw_ms now)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    if (api->applied[index].now && !wants(api, index, PW_OPENEVSE_CLAIM_ACTIVE)) {
        api->applied[index].now = false;
        (void)!command(api, "now off", -1, index, &why, now);
    }
}

static void release_all(struct pw_openevse_api *api, unsigned index, pw_ms now)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    for (size_t i = 0; i < PW_OPENEVSE_API_CLAIMS_MAX; i++) {
        struct pw_openevse_claim *claim = &api->claim[index][i];
        if (claim->client != 0 && claim->auto_release) {
            api->override_version += claim->client == MANUAL_CLIENT ? 1 : 0;
            api->claims_version++;
            claim->client = 0;
        }
    }
    (void)!apply(api, index, &why, now);
    follow_state(api, index, now);
}

void pw_oe_follow_plugs(struct pw_openevse_api *api, pw_ms now)
{
    for (unsigned i = 0; i < api->config.station->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&api->config.station->connector[i], &view, now);
        bool changed = api->applied[i].known && view.plugged != api->applied[i].plugged;
        api->applied[i].plugged = view.plugged;
        api->applied[i].known = true;
        if (changed && view.plugged) {
            start(api, i, false, now);
        } else if (changed) {
            release_all(api, i, now);
        }
    }
}

// The station forgets claims while its owner lets nobody adjust from outside
// (charging.remote_adjust); those that still stand here count again afterwards. The least current
// may have changed as well.
void pw_oe_follow_station(struct pw_openevse_api *api, pw_ms now)
{
    bool adjustable = pw_rules_adjustable(&api->config.station->rules);
    for (unsigned i = 0; adjustable && i < api->config.station->connectors; i++) {
        char text[200];
        struct pw_out why = PW_OUT(text);
        if (!api->adjustable) {
            api->applied[i].ma = -1;
        }
        (void)!apply(api, i, &why, now); // refused it is tried again at the next look
    }
    api->adjustable = adjustable;
}

// --- One claim made or released.

// Undoes the claim when the station refuses what it comes to. False after answering.
static bool make(struct pw_oe_call *call, const struct pw_openevse_claim *wanted)
{
    struct pw_openevse_api *api = call->api;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    bool was_active = wants(api, call->index, PW_OPENEVSE_CLAIM_ACTIVE);
    struct pw_openevse_claim *row = pw_oe_claim_of(api, call->index, wanted->client);
    row = row != NULL ? row : pw_oe_claim_of(api, call->index, 0);
    if (row == NULL) {
        pw_oe_say(call, 503, "8 programs have claims on this connector already", PW_STR(""), "");
        return false;
    }
    struct pw_openevse_claim before = *row;
    *row = *wanted;
    int err = apply(api, call->index, &why, call->now);
    if (err != PW_OK) {
        *row = before;
        pw_oe_say(call, pw_oe_status_of(err), "", pw_str_trim(pw_out_str(&why)), "");
        return false;
    }
    api->claims_version++;
    api->override_version += wanted->client == MANUAL_CLIENT ? 1 : 0;
    follow_state(api, call->index, call->now);
    start(api, call->index, !was_active, call->now);
    return true;
}

static void release(struct pw_oe_call *call, struct pw_openevse_claim *claim)
{
    char text[200];
    struct pw_out why = PW_OUT(text);
    call->api->claims_version++;
    call->api->override_version += claim->client == MANUAL_CLIENT ? 1 : 0;
    claim->client = 0;
    (void)!apply(call->api, call->index, &why, call->now);
    follow_state(call->api, call->index, call->now);
}

// A number of ampere, or "clear". False after answering.
static bool take_current(struct pw_oe_call *call, const char *key, int32_t *a)
{
    const struct pw_json_node *node = pw_json_member(call->body, key);
    struct pw_str text;
    int64_t value = 0;
    *a = -1;
    if (node == NULL || pw_json_is(node, PW_JSON_NULL) ||
        (pw_json_text(node, &text) == PW_OK && pw_str_is(text, "clear"))) {
        return true;
    }
    if (pw_json_int(node, 0, CURRENT_MOST_A, &value) != PW_OK) {
        pw_oe_say(call, 400, key, PW_STR(""), ": must be 0 to 500 ampere, whole, or \"clear\"");
        return false;
    }
    *a = (int32_t)value;
    return true;
}

static bool take_state(struct pw_oe_call *call, enum pw_openevse_claim_state *state)
{
    const struct pw_json_node *node = pw_json_member(call->body, "state");
    struct pw_str text = PW_STR("");
    *state = PW_OPENEVSE_CLAIM_NONE;
    if (node == NULL || pw_json_is(node, PW_JSON_NULL)) {
        return true;
    }
    if (pw_json_text(node, &text) == PW_OK && pw_str_is(text, "active")) {
        *state = PW_OPENEVSE_CLAIM_ACTIVE;
    } else if (pw_str_is(text, "disabled")) {
        *state = PW_OPENEVSE_CLAIM_DISABLED;
    } else if (!pw_str_is(text, "clear")) {
        pw_oe_say(call, 400, "state: must be \"active\", \"disabled\" or \"clear\"", PW_STR(""),
                  "");
        return false;
    }
    return true;
}

// The properties in the body; what is not there is not asked for. False after answering.
static bool take_claim(struct pw_oe_call *call, struct pw_openevse_claim *claim, bool auto_release)
{
    const struct pw_json_node *release_node = pw_json_member(call->body, "auto_release");
    claim->auto_release = auto_release;
    if (!pw_json_is(call->body, PW_JSON_OBJECT)) {
        pw_oe_say(call, 400, "the body must be a JSON object", PW_STR(""), "");
        return false;
    }
    if (release_node != NULL && pw_json_bool(release_node, &claim->auto_release) != PW_OK) {
        pw_oe_say(call, 400, "auto_release: must be true or false", PW_STR(""), "");
        return false;
    }
    return take_state(call, &claim->state) &&
           take_current(call, "charge_current", &claim->charge_a) &&
           take_current(call, "max_current", &claim->max_a);
}

// --- Answers.

static const char *state_word(enum pw_openevse_claim_state state)
{
    return state == PW_OPENEVSE_CLAIM_ACTIVE ? "active" : "disabled";
}

static void put_current(struct pw_json_writer *json, const char *key, int32_t a)
{
    if (a >= 0) {
        pw_json_say_int(json, key, a);
    }
}

static void put_properties(struct pw_json_writer *json, const struct pw_openevse_claim *claim)
{
    if (claim->state != PW_OPENEVSE_CLAIM_NONE) {
        pw_json_say_s(json, "state", state_word(claim->state));
    }
    put_current(json, "charge_current", claim->charge_a);
    put_current(json, "max_current", claim->max_a);
    pw_json_say_bool(json, "auto_release", claim->auto_release);
}

// Without one 404, as the interface's description has it; with an empty object, which is what
// Home Assistant's client needs to go on.
void pw_oe_override_get(struct pw_oe_call *call)
{
    const struct pw_openevse_claim *claim = pw_oe_claim_of(call->api, call->index, MANUAL_CLIENT);
    struct pw_json_writer *json = pw_oe_object(call);
    if (claim != NULL) {
        put_properties(json, claim);
    }
    pw_oe_done(call, claim != NULL ? 200 : 404, '}');
}

void pw_oe_override_post(struct pw_oe_call *call)
{
    struct pw_openevse_claim claim = {.client = MANUAL_CLIENT, .priority = MANUAL_PRIORITY};
    if (take_claim(call, &claim, true) && make(call, &claim)) {
        pw_oe_say(call, 201, "Created", PW_STR(""), "");
    }
}

void pw_oe_override_patch(struct pw_oe_call *call)
{
    struct pw_openevse_claim *claim = pw_oe_claim_of(call->api, call->index, MANUAL_CLIENT);
    struct pw_connector_view view;
    if (claim != NULL) {
        release(call, claim);
        pw_oe_say(call, 200, "Updated", PW_STR(""), "");
        return;
    }
    pw_connector_view(&pw_oe_station(call)->connector[call->index], &view, call->now);
    struct pw_openevse_claim made = {.client = MANUAL_CLIENT,
                                     .priority = MANUAL_PRIORITY,
                                     .state = pw_oe_enabled(call->api, call->index, &view)
                                                  ? PW_OPENEVSE_CLAIM_DISABLED
                                                  : PW_OPENEVSE_CLAIM_ACTIVE,
                                     .charge_a = -1,
                                     .max_a = -1,
                                     .auto_release = true};
    if (make(call, &made)) {
        pw_oe_say(call, 200, "Updated", PW_STR(""), "");
    }
}

void pw_oe_override_delete(struct pw_oe_call *call)
{
    struct pw_openevse_claim *claim = pw_oe_claim_of(call->api, call->index, MANUAL_CLIENT);
    if (claim != NULL) {
        release(call, claim);
    }
    pw_oe_say(call, 200, "Deleted", PW_STR(""), "");
}

void pw_oe_claims_get(struct pw_oe_call *call)
{
    struct pw_json_writer *json = pw_oe_array(call);
    for (size_t i = 0; i < PW_OPENEVSE_API_CLAIMS_MAX; i++) {
        const struct pw_openevse_claim *claim = &call->api->claim[call->index][i];
        if (claim->client != 0) {
            pw_json_open(json, '{');
            pw_json_say_int(json, "client", claim->client);
            pw_json_say_int(json, "priority", claim->priority);
            put_properties(json, claim);
            pw_json_close(json, '}');
        }
    }
    pw_oe_done(call, 200, ']');
}

static void put_client(struct pw_json_writer *json, const char *key,
                       const struct pw_openevse_claim *claim)
{
    if (claim != NULL) {
        pw_json_say_int(json, key, claim->client);
    }
}

// What counts, and whose it is.
void pw_oe_claims_target(struct pw_oe_call *call)
{
    struct pw_oe_target target = pw_oe_target(call->api, call->index);
    struct pw_openevse_claim sum = {
        .state = target.state != NULL ? target.state->state : PW_OPENEVSE_CLAIM_NONE,
        .charge_a = target.charge != NULL ? target.charge->charge_a : -1,
        .max_a = target.max != NULL ? target.max->max_a : -1,
        .auto_release = target.state != NULL && target.state->auto_release,
    };
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_key(json, "properties");
    pw_json_open(json, '{');
    put_properties(json, &sum);
    pw_json_close(json, '}');
    pw_json_key(json, "claims");
    pw_json_open(json, '{');
    put_client(json, "state", target.state);
    put_client(json, "charge_current", target.charge);
    put_client(json, "max_current", target.max);
    pw_json_close(json, '}');
    pw_oe_done(call, 200, '}');
}

// The client of the path. False after answering.
static bool take_client(struct pw_oe_call *call, uint32_t *client)
{
    int64_t number = 0;
    if (pw_parse_int(call->param, 1, CLIENT_MOST, &number) != PW_OK) {
        pw_oe_say(call, 404, "\"", call->param, "\" is no client: it must be 1 to 4294967294");
        return false;
    }
    *client = (uint32_t)number;
    return true;
}

void pw_oe_claim_get(struct pw_oe_call *call)
{
    uint32_t client = 0;
    if (!take_client(call, &client)) {
        return;
    }
    const struct pw_openevse_claim *claim = pw_oe_claim_of(call->api, call->index, client);
    if (claim == NULL) {
        pw_oe_say(call, 404, "Not found", PW_STR(""), "");
        return;
    }
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_int(json, "priority", claim->priority);
    put_properties(json, claim);
    pw_oe_done(call, 200, '}');
}

void pw_oe_claim_post(struct pw_oe_call *call)
{
    struct pw_openevse_claim claim = {.client = 0};
    if (!take_client(call, &claim.client)) {
        return;
    }
    claim.priority = claim.client == MANUAL_CLIENT ? MANUAL_PRIORITY : API_PRIORITY;
    if (take_claim(call, &claim, claim.client == MANUAL_CLIENT) && make(call, &claim)) {
        pw_oe_say(call, 200, "done", PW_STR(""), "");
    }
}

void pw_oe_claim_delete(struct pw_oe_call *call)
{
    uint32_t client = 0;
    if (!take_client(call, &client)) {
        return;
    }
    struct pw_openevse_claim *claim = pw_oe_claim_of(call->api, call->index, client);
    if (claim == NULL) {
        pw_oe_say(call, 404, "Not found", PW_STR(""), "");
        return;
    }
    release(call, claim);
    pw_oe_say(call, 200, "done", PW_STR(""), "");
}

// Roll-outs in memory and in the database.
#include "rollouts.h"

#include "records.h"

#include <stdlib.h>
#include <string.h>

#define ROLLOUT_STATE_WORD(name, word)      word,
#define STEP_WORD(name, word, begun, busy)  word,
#define STEP_BEGUN(name, word, begun, busy) begun,
#define STEP_BUSY(name, word, begun, busy)  busy,
const char *const rollout_state_names[] = {ROLLOUT_STATES(ROLLOUT_STATE_WORD)};
const char *const step_names[] = {STEPS(STEP_WORD)};
const char *const way_names[] = {"auto", "ocpp", "link"};
static const bool step_begun[] = {STEPS(STEP_BEGUN)};
static const bool step_busy[] = {STEPS(STEP_BUSY)};

// --- Memory.

struct rollout *rollout_make(size_t members)
{
    struct rollout *rollout = calloc(1, sizeof(*rollout));
    if (rollout == NULL) {
        return NULL;
    }
    rollout->member = calloc(members + 1, sizeof(*rollout->member));
    rollout->turn = calloc(members + 1, sizeof(struct member *));
    rollout->members = members;
    for (size_t i = 0; rollout->member != NULL && i < members; i++) {
        rollout->member[i].rollout = rollout;
    }
    if (rollout->member == NULL || rollout->turn == NULL) {
        rollout_free(rollout);
        return NULL;
    }
    return rollout;
}

void rollout_free(struct rollout *rollout)
{
    if (rollout != NULL) {
        free(rollout->turn);
        free(rollout->member);
        free(rollout);
    }
}

struct rollout *rollout_find(const struct pw_central *central, int64_t id)
{
    for (size_t i = 0; i < central->rollouts->count; i++) {
        if (central->rollouts->open[i]->id == id) {
            return central->rollouts->open[i];
        }
    }
    return NULL;
}

static struct member *find_member(const struct rollout *rollout, const char *station)
{
    size_t low = 0;
    size_t high = rollout->members;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rollout->member[middle].station, station);
        if (order == 0) {
            return &rollout->member[middle];
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

struct member *member_of(const struct pw_central *central, const struct station *station)
{
    for (size_t i = 0; i < central->rollouts->count; i++) {
        struct member *member = find_member(central->rollouts->open[i], station->id);
        if (member != NULL) {
            return member;
        }
    }
    return NULL;
}

struct tally rollout_tally(const struct rollout *rollout)
{
    struct tally tally = {0};
    for (size_t i = 0; i < rollout->members; i++) {
        const struct member *member = &rollout->member[i];
        tally.steps[member->step]++;
        tally.begun += step_begun[member->step] ? 1 : 0;
        tally.busy += step_busy[member->step] ? 1 : 0;
        tally.begun_now += step_begun[member->step] && member->stage == rollout->stage ? 1 : 0;
        tally.failed += member->step == STEP_FAILED && member->stage == rollout->stage ? 1 : 0;
        tally.total += member->step == STEP_HAD || member->step == STEP_GONE ? 0 : 1;
    }
    return tally;
}

uint32_t rollout_quota(const struct rollout *rollout, unsigned stage, uint32_t total)
{
    uint32_t canary = rollout->canary < total ? rollout->canary : total;
    uint32_t share = stage == 0 ? 0 : (total * rollout->percent[stage - 1] + 99) / 100;
    return share > canary ? share : canary;
}

// --- The database.

static void put_stages(const struct rollout *rollout, struct pw_out *out)
{
    for (uint8_t i = 0; i + 1 < rollout->stages; i++) {
        pw_put_s(out, i > 0 ? "," : "");
        pw_put_uint(out, rollout->percent[i]);
    }
}

static void take_stages(struct rollout *rollout, struct pw_str text)
{
    rollout->stages = 1;
    while (text.len > 0 && rollout->stages <= ROLLOUT_STAGES_MAX) {
        int64_t percent = 0;
        if (pw_parse_int(pw_str_cut(&text, ','), 1, 100, &percent) != PW_OK) {
            percent = 100;
        }
        rollout->percent[rollout->stages - 1] = (uint8_t)percent;
        rollout->stages++;
    }
}

void rollout_keep(struct pw_central *central, struct rollout *rollout, struct pw_instant at)
{
    rollout->changed_at = at.wall;
    rollout->told = true;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(rollout_state_names[rollout->state])),
        db_words(rollout->why),
        pw_db_int(rollout->stage),
        db_time(rollout->soak_until),
        pw_db_int(at.wall),
        pw_db_int(rollout->id),
    };
    (void)db_write(central,
                   "UPDATE rollout SET state = $1, why = $2, stage = $3, soak_until = $4,"
                   " changed_at = $5 WHERE id = $6",
                   args, PW_COUNT(args), at.now);
}

void member_keep(struct pw_central *central, struct member *member, struct pw_instant at)
{
    member->rollout->told = true;
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(step_names[member->step])),
        pw_db_int(member->stage),
        pw_db_int(member->since),
        db_words(member->why),
        pw_db_int(member->tries),
        pw_db_text(pw_str_of(way_names[member->way])),
        db_words(member->was),
        db_time(member->began_at),
        db_time(member->ended_at),
        pw_db_int(member->request),
        pw_db_int((int64_t)(member->spent_ms / 1000)),
        pw_db_int(member->rollout->id),
        pw_db_text(pw_str_of(member->station)),
    };
    member->spent_kept_ms = member->spent_ms;
    (void)db_write(central,
                   "UPDATE rollout_station SET state = $1, stage = $2, since = $3, why = $4,"
                   " tries = $5, way = $6, was = $7, began_at = $8, ended_at = $9,"
                   " request_id = $10, spent_s = $11 WHERE rollout_id = $12 AND station_id = $13",
                   args, PW_COUNT(args), at.now);
}

static int64_t insert(struct pw_central *central, const struct rollout *rollout,
                      struct pw_instant at)
{
    char text[64] = "";
    struct pw_out stages = PW_OUT(text);
    put_stages(rollout, &stages);
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(rollout->name)),
        pw_db_int(rollout->release),
        pw_db_text(pw_str_of(rollout->version)),
        pw_db_text(pw_str_of(rollout_state_names[rollout->state])),
        pw_db_text(pw_str_of(way_names[rollout->way])),
        pw_db_int(rollout->canary),
        pw_db_text(pw_str_of(text)),
        pw_db_int(rollout->soak_s),
        pw_db_int(rollout->at_most),
        pw_db_int(rollout->stop_percent),
        pw_db_int(rollout->stop_count),
        pw_db_int(rollout->deadline_s),
        pw_db_int(rollout->stage),
        pw_db_text(pw_str_of(rollout->made_by)),
        pw_db_int(at.wall),
        pw_db_int(rollout->canary_failures),
        pw_db_int(rollout->canary_finds_percent),
    };
    return db_write_id(central,
                       "INSERT INTO rollout (name, release_id, version, state, way, canary, stages,"
                       " soak_s, at_most, stop_percent, stop_count, deadline_s, stage, made_by,"
                       " made_at, changed_at, canary_failures, canary_finds_percent) VALUES"
                       " ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15,"
                       " $16, $17) RETURNING id",
                       args, PW_COUNT(args), at.now);
}

int rollout_open(struct pw_central *central, struct rollout *rollout, struct pw_instant at)
{
    struct rollouts *rollouts = central->rollouts;
    if (rollouts->count >= ROLLOUTS_OPEN_MAX) {
        return PW_ERR_LIMIT;
    }
    rollout->made_at = at.wall;
    rollout->changed_at = at.wall;
    rollout->id = insert(central, rollout, at);
    bool kept = rollout->id > 0;
    for (size_t i = 0; kept && i < rollout->members; i++) {
        const struct member *member = &rollout->member[i];
        const char *kind = member->place > 0 ? rollout->kind[member->kind].name : "";
        struct pw_db_value args[] = {
            pw_db_int(rollout->id),
            pw_db_text(pw_str_of(member->station)),
            pw_db_text(pw_str_of(step_names[member->step])),
            pw_db_int(at.wall),
            db_words(member->was),
            pw_db_int(member->place),
            db_words(kind),
        };
        kept = db_write(central,
                        "INSERT INTO rollout_station (rollout_id, station_id, state, stage, since,"
                        " tries, was, place, kind) VALUES ($1, $2, $3, 0, $4, 0, $5, $6, $7)",
                        args, PW_COUNT(args), at.now) == 1;
    }
    if (!kept || db_commit(central, at) != PW_OK) {
        return PW_ERR_STORE;
    }
    rollouts->open[rollouts->count++] = rollout;
    rollout->look_at = at.now;
    rollout->told = true;
    return PW_OK;
}

void rollout_state_set(struct pw_central *central, struct rollout *rollout,
                       enum rollout_state state, const char *why, struct pw_instant at)
{
    struct pw_line line;
    struct pw_out out = PW_OUT(rollout->why);
    pw_line(&line, central->config.log, state == ROLLOUT_STOPPED ? PW_LOG_WARN : PW_LOG_INFO,
            "rollouts", "state");
    pw_line_int(&line, "rollout", rollout->id);
    pw_line_s(&line, "from", rollout_state_names[rollout->state]);
    pw_line_s(&line, "to", rollout_state_names[state]);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
    rollout->why[0] = '\0';
    pw_put_s(&out, why);
    rollout->state = state;
    rollout->look_at = at.now;
    rollout_keep(central, rollout, at);
}

void rollout_close(struct pw_central *central, struct rollout *rollout, struct pw_instant at)
{
    char text[4096];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    rollout_report(rollout, &json);
    pw_json_close(&json, '}');
    struct pw_db_value args[] = {pw_db_text(pw_out_str(&out)), pw_db_int(rollout->id)};
    (void)db_write(central, "UPDATE rollout SET report = $1 WHERE id = $2", args, PW_COUNT(args),
                   at.now);
    struct rollouts *rollouts = central->rollouts;
    size_t place = 0;
    while (rollouts->open[place] != rollout) {
        place++;
    }
    rollouts->count--;
    memmove(&rollouts->open[place], &rollouts->open[place + 1],
            (rollouts->count - place) * sizeof(struct rollout *));
    for (size_t i = 0; i < rollout->members; i++) {
        push_end(central, &rollout->member[i]);
    }
    rollout_free(rollout);
}

// --- From the database.

struct loading {
    struct pw_central *central;
    struct rollout *rollout;
    size_t next;
    bool bad;
    pw_ms now;
};

static int find_word(const char *const *words, int count, const struct pw_db_value *column)
{
    for (int i = 0; i < count; i++) {
        if (column->kind == PW_DB_TEXT && pw_str_is(column->text, words[i])) {
            return i;
        }
    }
    return -1;
}

static void take_rollout(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct loading *loading = to;
    struct rollouts *rollouts = loading->central->rollouts;
    struct rollout *rollout =
        rollouts->count < ROLLOUTS_OPEN_MAX ? rollout_make((size_t)columns[18].number) : NULL;
    int state = find_word(rollout_state_names, ROLLOUT_STATE_ROWS, &columns[4]);
    int way = find_word(way_names, WAYS, &columns[6]);
    if (rollout == NULL || state < 0 || way < 0) {
        rollout_free(rollout);
        loading->bad = true;
        return;
    }
    rollouts->open[rollouts->count++] = rollout;
    rollout->id = columns[0].number;
    db_take(rollout->name, sizeof(rollout->name), &columns[1]);
    rollout->release = columns[2].number;
    db_take(rollout->version, sizeof(rollout->version), &columns[3]);
    rollout->state = (enum rollout_state)state;
    db_take(rollout->why, sizeof(rollout->why), &columns[5]);
    rollout->way = (enum way)way;
    rollout->canary = (uint32_t)columns[7].number;
    take_stages(rollout, columns[8].text);
    rollout->soak_s = (uint32_t)columns[9].number;
    rollout->at_most = (uint32_t)columns[10].number;
    rollout->stop_percent = (uint8_t)columns[11].number;
    rollout->stop_count = (uint32_t)columns[12].number;
    rollout->deadline_s = (uint32_t)columns[13].number;
    rollout->stage = (uint8_t)columns[14].number;
    rollout->soak_until = columns[15].kind == PW_DB_INT ? columns[15].number : 0;
    rollout->made_at = columns[16].number;
    rollout->changed_at = columns[17].number;
    db_take(rollout->made_by, sizeof(rollout->made_by), &columns[19]);
    rollout->canary_failures = (uint8_t)columns[20].number;
    rollout->canary_finds_percent = (uint8_t)columns[21].number;
    rollout->look_at = loading->now;
}

static void take_member(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct loading *loading = to;
    int step = find_word(step_names, STEP_ROWS, &columns[1]);
    if (loading->next >= loading->rollout->members || step < 0) {
        loading->bad = true;
        return;
    }
    struct member *member = &loading->rollout->member[loading->next++];
    int way = find_word(way_names, WAYS, &columns[6]);
    db_take(member->station, sizeof(member->station), &columns[0]);
    member->step = (enum step)step;
    member->stage = (uint8_t)columns[2].number;
    member->since = columns[3].number;
    db_take(member->why, sizeof(member->why), &columns[4]);
    member->tries = (uint8_t)columns[5].number;
    member->way = way > 0 ? (enum way)way : WAY_AUTO;
    db_take(member->was, sizeof(member->was), &columns[7]);
    member->began_at = columns[8].kind == PW_DB_INT ? columns[8].number : 0;
    member->ended_at = columns[9].kind == PW_DB_INT ? columns[9].number : 0;
    member->place = (uint32_t)columns[10].number;
    member->request = columns[12].number;
    member->spent_ms = (pw_ms)columns[13].number * 1000;
    member->spent_kept_ms = member->spent_ms;
    char kind[ROLLOUT_KIND_MAX];
    db_take(kind, sizeof(kind), &columns[11]);
    if (member->place > 0) {
        member->kind = rollout_kind(member->rollout, kind);
        member->rollout->kind[member->kind].stations++;
    }
}

int rollouts_load(struct pw_central *central, pw_ms now)
{
    struct loading loading = {.central = central, .now = now};
    central->rollouts = calloc(1, sizeof(*central->rollouts));
    if (central->rollouts == NULL) {
        return PW_ERR_LIMIT;
    }
    if (db_read(central,
                "SELECT id, name, release_id, version, state, why, way, canary, stages, soak_s,"
                " at_most, stop_percent, stop_count, deadline_s, stage, soak_until, made_at,"
                " changed_at, (SELECT COUNT(*) FROM rollout_station WHERE rollout_id = rollout.id),"
                " made_by, canary_failures, canary_finds_percent FROM rollout WHERE state IN "
                "('running', 'paused', 'stopped') ORDER BY id",
                NULL, 0, take_rollout, &loading) < 0) {
        return PW_ERR_STORE;
    }
    for (size_t i = 0; i < central->rollouts->count && !loading.bad; i++) {
        loading.rollout = central->rollouts->open[i];
        loading.next = 0;
        struct pw_db_value args[] = {pw_db_int(loading.rollout->id)};
        if (db_read(central,
                    "SELECT station_id, state, stage, since, why, tries, way, was, began_at,"
                    " ended_at, place, kind, request_id, spent_s FROM rollout_station WHERE "
                    "rollout_id = $1 ORDER BY "
                    "station_id",
                    args, 1, take_member, &loading) < 0) {
            return PW_ERR_STORE;
        }
        rollout_order(loading.rollout);
    }
    return loading.bad ? PW_ERR_STORE : PW_OK;
}

void rollouts_free(struct pw_central *central)
{
    if (central->rollouts == NULL) {
        return;
    }
    push_free(central);
    for (size_t i = 0; i < central->rollouts->count; i++) {
        rollout_free(central->rollouts->open[i]);
    }
    free(central->rollouts);
    central->rollouts = NULL;
}

// --- As JSON: an object's members, without its stations.

static void put_stage_list(const struct rollout *rollout, struct pw_json_writer *json,
                           const struct tally *tally)
{
    pw_json_key(json, "stages");
    pw_json_open(json, '[');
    for (uint8_t stage = 0; stage < rollout->stages; stage++) {
        uint32_t begun = 0;
        uint32_t done = 0;
        uint32_t failed = 0;
        for (size_t i = 0; i < rollout->members; i++) {
            const struct member *member = &rollout->member[i];
            bool of = member->stage == stage && step_begun[member->step];
            begun += of ? 1 : 0;
            done += of && member->step == STEP_DONE ? 1 : 0;
            failed += of && member->step == STEP_FAILED ? 1 : 0;
        }
        uint32_t before = stage > 0 ? rollout_quota(rollout, stage - 1U, tally->total) : 0;
        if (stage == 0 && rollout->canary == 0) {
            continue;
        }
        pw_json_open(json, '{');
        pw_json_say_int(json, "stage", stage);
        pw_json_key(json, "percent");
        if (stage == 0) {
            pw_json_put_null(json);
        } else {
            pw_json_put_int(json, rollout->percent[stage - 1]);
        }
        pw_json_say_int(json, "stations", rollout_quota(rollout, stage, tally->total) - before);
        pw_json_say_int(json, "begun", begun);
        pw_json_say_int(json, "done", done);
        pw_json_say_int(json, "failed", failed);
        pw_json_close(json, '}');
    }
    pw_json_close(json, ']');
}

static void put_settings(const struct rollout *rollout, struct pw_json_writer *json)
{
    pw_json_say_s(json, "way", way_names[rollout->way]);
    pw_json_say_int(json, "canary", rollout->canary);
    pw_json_say_int(json, "canary_failures", rollout->canary_failures);
    pw_json_say_int(json, "canary_finds_percent", rollout->canary_finds_percent);
    pw_json_say_int(json, "soak_s", rollout->soak_s);
    pw_json_say_int(json, "at_most", rollout->at_most);
    pw_json_say_int(json, "stop_percent", rollout->stop_percent);
    pw_json_say_int(json, "stop_count", rollout->stop_count);
    pw_json_say_int(json, "deadline_s", rollout->deadline_s);
}

void rollout_report(const struct rollout *rollout, struct pw_json_writer *json)
{
    struct tally tally = rollout_tally(rollout);
    pw_json_say_int(json, "id", rollout->id);
    pw_json_say_s(json, "name", rollout->name);
    pw_json_say_int(json, "release_id", rollout->release);
    pw_json_say_s(json, "version", rollout->version);
    pw_json_say_s(json, "state", rollout_state_names[rollout->state]);
    pw_json_say_known_s(json, "why", rollout->why);
    put_settings(rollout, json);
    pw_json_say_int(json, "stage", rollout->stage);
    put_stage_list(rollout, json, &tally);
    pw_json_say_known_time(json, "soak_until", rollout->soak_until);
    pw_json_say_known_time(json, "made_at", rollout->made_at);
    pw_json_say_known_time(json, "changed_at", rollout->changed_at);
    pw_json_say_s(json, "made_by", rollout->made_by);
    pw_json_key(json, "counts");
    pw_json_open(json, '{');
    for (int step = 0; step < STEP_ROWS; step++) {
        pw_json_say_int(json, step_names[step], tally.steps[step]);
    }
    pw_json_close(json, '}');
    pw_json_say_int(json, "total", (int64_t)rollout->members);
}

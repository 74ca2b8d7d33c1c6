// The engine of roll-outs: who begins when, what a station's words mean for it, when a stage is
// over, and when it stops by itself.
#include "records.h"
#include "rollouts.h"

#include <string.h>

#define SAMPLE     20 // stations
#define RANKS      4  // of those who may begin
#define SPENT_KEPT 8  // how often on the way to the deadline it is kept

// --- One station.

void member_enter(struct pw_central *central, struct member *member, enum step step,
                  const char *why, struct pw_instant at)
{
    struct pw_line line;
    bool over = step == STEP_DONE || step == STEP_FAILED;
    pw_line(&line, central->config.log, step == STEP_FAILED ? PW_LOG_WARN : PW_LOG_INFO, "rollouts",
            "station");
    pw_line_int(&line, "rollout", member->rollout->id);
    pw_line_s(&line, "station", member->station);
    pw_line_s(&line, "from", step_names[member->step]);
    pw_line_s(&line, "to", step_names[step]);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
    struct pw_out out = PW_OUT(member->why);
    member->why[0] = '\0';
    pw_put_s(&out, why);
    member->step = step;
    member->since = at.wall;
    member->ended_at = over ? at.wall : 0;
    member->rollout->look_at = at.now;
    if (over || step == STEP_WAITING || step == STEP_HAD) {
        member->command = 0;
        push_end(central, member);
    }
    member_keep(central, member, at);
}

static void fail(struct pw_central *central, struct member *member, const char *why,
                 struct pw_instant at)
{
    if (member->step == STEP_DONE) {
        member->stage = member->rollout->stage; // it counts where it is seen
    }
    member_enter(central, member, STEP_FAILED, why, at);
}

static const struct {
    const char *status;
    enum step step;
} status_rows[] = {
    {"DownloadScheduled", STEP_LOADING},
    {"Downloading", STEP_LOADING},
    {"DownloadPaused", STEP_LOADING},
    {"Downloaded", STEP_LOADED},
    {"SignatureVerified", STEP_LOADED},
    {"InstallScheduled", STEP_LOADED},
    {"Installing", STEP_INSTALLING},
    {"InstallRebooting", STEP_INSTALLING},
    {"Installed", STEP_DONE},
    {"DownloadFailed", STEP_FAILED},
    {"InvalidSignature", STEP_FAILED},
    {"InstallationFailed", STEP_FAILED},
    {"InstallVerificationFailed", STEP_FAILED},
};

// What a step may become by a station's word: never back, but from the end when that was wrong.
static bool may_enter(const struct member *member, enum step step)
{
    switch (member->step) {
    case STEP_ASKED:
    case STEP_LOADING:
    case STEP_LOADED:
    case STEP_INSTALLING: return step >= member->step || step == STEP_LOADING;
    case STEP_TRIED: return step == STEP_DONE || step == STEP_FAILED;
    case STEP_DONE: return step == STEP_FAILED;
    case STEP_FAILED: return step == STEP_DONE || step == STEP_TRIED;
    case STEP_WAITING:
    case STEP_HAD:
    case STEP_GONE:
    case STEP_ROWS: break;
    }
    return false;
}

static void put_failure(struct pw_out *out, struct pw_str status, struct pw_str why)
{
    pw_put(out, status);
    pw_put_s(out, why.len > 0 ? ": " : "");
    pw_put(out, why);
}

// What a status means for it; STEP_ROWS: nothing. One that says Installed and has not come back
// with the version may be about to start it, and not come back: it has to be there a while later.
static enum step step_of(const struct member *member, const struct station *station,
                         struct pw_str status)
{
    for (size_t i = 0; i < PW_COUNT(status_rows); i++) {
        if (pw_str_is(status, status_rows[i].status)) {
            bool early = status_rows[i].step == STEP_DONE &&
                         strcmp(station->firmware, member->rollout->version) != 0;
            return early ? STEP_TRIED : status_rows[i].step;
        }
    }
    return STEP_ROWS;
}

void member_told(struct pw_central *central, const struct station *station, struct pw_str status,
                 struct pw_str why, int64_t request, struct pw_instant at)
{
    struct member *member = member_of(central, station);
    char text[ROLLOUT_WHY_MAX] = "";
    struct pw_out words = PW_OUT(text);
    enum step step = member != NULL ? step_of(member, station, status) : STEP_ROWS;
    if (step == STEP_ROWS || (request >= 0 && request != member->request) ||
        !may_enter(member, step)) {
        return;
    }
    if (step == STEP_FAILED) {
        put_failure(&words, status, why);
        fail(central, member, text, at);
        return;
    }
    if (step == STEP_LOADED || step == STEP_TRIED) {
        pw_put(&words, status);
    }
    if (step != member->step || strcmp(text, member->why) != 0) {
        member_enter(central, member, step, text, at);
    } else {
        member->since = at.wall; // it lives
    }
}

void member_started(struct pw_central *central, const struct station *station, struct pw_instant at)
{
    struct member *member = member_of(central, station);
    if (member == NULL || station->firmware[0] == '\0') {
        return;
    }
    bool has = strcmp(station->firmware, member->rollout->version) == 0;
    if (has && member->step == STEP_WAITING) {
        member_enter(central, member, STEP_HAD, "", at);
    } else if (has && (member->step == STEP_FAILED ||
                       (member->step >= STEP_ASKED && member->step <= STEP_INSTALLING))) {
        member_enter(central, member, STEP_TRIED, "", at);
    } else if (!has && (member->step == STEP_TRIED || member->step == STEP_DONE)) {
        char text[ROLLOUT_WHY_MAX];
        struct pw_out why = PW_OUT(text);
        pw_put_s(&why, "it went back to ");
        pw_put_s(&why, station->firmware);
        fail(central, member, text, at);
    }
}

void member_answered(struct pw_central *central, const struct station *station, int64_t command,
                     const char *refusal, struct pw_instant at)
{
    struct member *member = member_of(central, station);
    if (member == NULL || command <= 0 || member->command != command) {
        return;
    }
    member->command = COMMAND_AGREED;
    if (refusal != NULL && member->step == STEP_ASKED) {
        fail(central, member, refusal, at);
    }
}

void member_knows_not(const struct pw_central *central, const struct station *station,
                      int64_t command)
{
    struct member *member = member_of(central, station);
    if (member != NULL && member->command == command && member->request != 0) {
        member->plain = true;
    }
}

// It was not told, and waits for its turn as before.
static void wait_again(struct pw_central *central, struct member *member, struct pw_instant at)
{
    member->began_at = 0;
    member_enter(central, member, STEP_WAITING, "", at);
}

// The command came to nothing: when it never left that is no failure. Whether one that left was
// heard is not known: its station may be what the release makes of stations, so that it stays one
// of its stage, and nobody takes its place. A station that does not know SignedUpdateFirmware is
// told UpdateFirmware.
static void unanswered(struct pw_central *central, struct member *member, const char *state,
                       bool sent, struct pw_instant at)
{
    member->command = 0;
    if (member->step != STEP_ASKED) {
        return;
    }
    if (strcmp(state, "error") == 0 && member->plain && member->request != 0) {
        member->request = 0;
        member->command = COMMAND_TO_SEND;
        member->rollout->look_at = at.now;
        member_keep(central, member, at);
    } else if (strcmp(state, "error") == 0) {
        fail(central, member, "the station cannot be told to update: it answered with an error",
             at);
    } else if (!sent) {
        wait_again(central, member, at);
    } else if (++member->tries >= ROLLOUT_TRIES_MAX) {
        fail(central, member, "the station did not answer", at);
    } else {
        member->since = at.wall; // asked again a while from now, if it is there
        member_keep(central, member, at);
    }
}

void rollouts_unanswered(struct pw_central *central, int64_t command, const char *state, bool sent,
                         struct pw_instant at)
{
    for (size_t i = 0; i < central->rollouts->count; i++) {
        const struct rollout *rollout = central->rollouts->open[i];
        for (size_t m = 0; m < rollout->members; m++) {
            if (rollout->member[m].command == command) {
                unanswered(central, &rollout->member[m], state, sent, at);
                return;
            }
        }
    }
}

static bool is_charging(const struct station *station)
{
    for (int i = 0; station != NULL && i < PW_CENTRAL_CONNECTORS; i++) {
        if (station->connector[i] != NULL && station->connector[i]->session != 0) {
            return true;
        }
    }
    return false;
}

static bool is_busy(enum step step)
{
    return step >= STEP_ASKED && step <= STEP_TRIED;
}

static bool is_online(const struct station *station)
{
    return station->link != NULL || station->uplink != NULL;
}

// --- Beginning.

// By which way a station can be told now; WAY_AUTO: by none.
static enum way way_now(const struct rollout *rollout, const struct station *station)
{
    if (station->link != NULL && rollout->way != WAY_LINK) {
        return WAY_OCPP;
    }
    bool linked = station->uplink != NULL && rollout->way != WAY_OCPP;
    return linked ? WAY_LINK : WAY_AUTO;
}

static bool tell_ocpp(struct pw_central *central, struct station *station, struct member *member,
                      const struct kept_release *release, struct pw_instant at)
{
    struct pw_out payload = {.at = central->list, .cap = LIST_BYTES};
    struct kept_release as = *release;
    as.signed_outside = as.signed_outside && !member->plain;
    int action = release_command(central, station, &as, &payload, &member->request, at);
    int64_t id = payload.full
                     ? PW_ERR_LIMIT
                     : command_queue(central, station, action, pw_out_str(&payload), true, at);
    if (id < 0) {
        return false;
    }
    member->command = id;
    member_keep(central, member, at);
    commands_go(central, station, at);
    return true;
}

// False when it cannot be told now: what stands in the way (a full queue, a database that fails)
// may stay for long.
static bool tell(struct pw_central *central, struct station *station, struct member *member,
                 struct pw_instant at)
{
    const struct kept_release release = release_find(central, member->rollout->release);
    member->command = 0;
    if (station == NULL || release.id == 0) {
        fail(central, member, "the release is not here any more", at);
        return true;
    }
    return member->way != WAY_LINK ? tell_ocpp(central, station, member, &release, at)
                                   : push_begin(central, member, at);
}

// Who may begin in this look, and who of them does first.
struct choosing {
    bool met[ROLLOUT_KINDS_MAX]; // kinds that have one in this stage
    bool hasty;                  // everybody else waits for those who begin now
};

// 0 first: kinds that the stage has not met, then the others; where everybody waits for these few,
// stations at which nobody charges before those that would first wait for the end of a charge.
static unsigned rank(const struct choosing *choosing, const struct member *member,
                     const struct station *station)
{
    return (choosing->met[member->kind] ? 2U : 0U) +
           (choosing->hasty && is_charging(station) ? 1U : 0U);
}

// Marks one that begins now. Nothing has been sent yet.
static void mark(struct pw_central *central, struct member *member, const struct station *station,
                 struct pw_instant at)
{
    struct pw_out was = PW_OUT(member->was);
    member->was[0] = '\0';
    pw_put_s(&was, station->firmware);
    member->way = way_now(member->rollout, station);
    member->stage = member->rollout->stage;
    member->began_at = at.wall;
    member_enter(central, member, STEP_ASKED, "", at);
    member->command = COMMAND_TO_SEND;
    member->request = 0;
    member->spent_ms = 0;
}

// Marks who begins now, up to `room`; true when there was any.
static bool choose(struct pw_central *central, struct rollout *rollout, uint32_t room,
                   struct choosing *choosing, struct pw_instant at)
{
    uint32_t left = room;
    for (unsigned turn = 0; turn < RANKS; turn++) {
        for (size_t i = 0; i < rollout->members && left > 0; i++) {
            struct member *member = rollout->turn[i];
            const struct station *station = station_find(central, pw_str_of(member->station));
            if (member->step != STEP_WAITING || station == NULL) {
                continue;
            }
            if (strcmp(station->firmware, rollout->version) == 0) {
                member_enter(central, member, STEP_HAD, "", at);
            } else if (way_now(rollout, station) != WAY_AUTO && // else it waits for its link
                       rank(choosing, member, station) == turn) {
                mark(central, member, station, at);
                choosing->met[member->kind] = true;
                left--;
            }
        }
    }
    return left < room;
}

// Tells those that were marked; when the mark could not be kept they wait again.
static void send(struct pw_central *central, struct rollout *rollout, bool kept,
                 struct pw_instant at)
{
    for (size_t i = 0; i < rollout->members; i++) {
        struct member *member = &rollout->member[i];
        if (member->command == COMMAND_TO_SEND &&
            !(kept &&
              tell(central, station_find(central, pw_str_of(member->station)), member, at))) {
            wait_again(central, member, at);
            rollout->look_at = pw_after(at.now, ROLLOUT_LOOK_MS); // and not before
        }
    }
}

// --- What time brings to one station.

// True when it has been under way for too long, whatever it says: one that says Downloading for
// ever must not hold a stage open. The time of its charges does not count.
static bool is_late(struct pw_central *central, struct member *member,
                    const struct station *station, pw_ms elapsed, struct pw_instant at)
{
    pw_ms deadline = (pw_ms)member->rollout->deadline_s * 1000;
    if (!is_busy(member->step)) {
        return false;
    }
    if (!is_charging(station)) {
        member->spent_ms += elapsed;
    }
    if (member->spent_ms - member->spent_kept_ms >= deadline / SPENT_KEPT) {
        member_keep(central, member, at);
    }
    return member->spent_ms >= deadline;
}

static void give_up(struct pw_central *central, struct member *member, struct pw_instant at)
{
    char text[ROLLOUT_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    pw_put_s(&why, "after ");
    pw_put_uint(&why, member->rollout->deadline_s);
    pw_put_s(&why, " s without a charge it has come no further than \"");
    pw_put_s(&why, step_names[member->step]);
    pw_put_c(&why, '"');
    fail(central, member, text, at);
}

// Whether one that was asked is to be asked again: it knows another message, or it has said
// nothing, and its answer was lost, or what this program knew of it.
static bool asks_again(const struct member *member, const struct station *station, int64_t age_ms)
{
    bool lost = member->command == 0 && member->push == NULL && member->way != WAY_LINK &&
                age_ms >= ROLLOUT_ANSWER_MS && member->rollout->state == ROLLOUT_RUNNING;
    return member->step == STEP_ASKED && (lost || member->command == COMMAND_TO_SEND) &&
           way_now(member->rollout, station) != WAY_AUTO;
}

static void ask_again(struct pw_central *central, struct member *member, struct station *station,
                      struct pw_instant at)
{
    member->way = way_now(member->rollout, station);
    if (!tell(central, station, member, at)) {
        member->since = at.wall;
    }
}

// Whether one on trial is there, and nothing says that it has another version.
static bool is_settled(const struct member *member, const struct station *station)
{
    return is_online(station) && (strcmp(station->firmware, member->rollout->version) == 0 ||
                                  strcmp(member->why, "Installed") == 0);
}

static void age(struct pw_central *central, struct member *member, pw_ms elapsed,
                struct pw_instant at)
{
    struct station *station = station_find(central, pw_str_of(member->station));
    int64_t age_ms = at.wall - member->since;
    if (station == NULL) {
        if (is_busy(member->step) || member->step == STEP_WAITING) {
            member_enter(central, member, STEP_GONE, "", at);
        }
        return;
    }
    if (member->step == STEP_TRIED && age_ms >= ROLLOUT_SETTLE_MS && is_settled(member, station)) {
        member_enter(central, member, STEP_DONE, "", at);
    } else if (is_late(central, member, station, elapsed, at)) {
        give_up(central, member, at);
    } else if (asks_again(member, station, age_ms)) {
        ask_again(central, member, station, at);
    } else if (member->way == WAY_LINK && member->push == NULL &&
               member->command != COMMAND_AGREED && station->uplink != NULL &&
               (member->step == STEP_ASKED || member->step == STEP_LOADING)) {
        (void)push_begin(central, member, at); // again, from where it was
    }
}

// --- The whole.

static void stop(struct pw_central *central, struct rollout *rollout, const struct tally *tally,
                 uint32_t stations, struct pw_instant at)
{
    char text[ROLLOUT_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    pw_put_uint(&why, tally->failed);
    pw_put_s(&why, " of ");
    pw_put_uint(&why, tally->begun_now > 0 ? tally->begun_now : stations);
    pw_put_s(&why, rollout->stage == 0 ? " stations of the canary failed"
                                       : " stations of the stage failed");
    rollout_state_set(central, rollout, ROLLOUT_STOPPED, text, at);
}

// In the canary one is too many, unless more were allowed. Later the rate is of those that have
// begun in this stage; of a few it says little, so that at least SAMPLE are reckoned with, or the
// whole of a smaller stage.
static bool too_many(const struct rollout *rollout, const struct tally *tally, uint32_t stations)
{
    uint32_t of = stations < SAMPLE ? stations : SAMPLE;
    of = tally->begun_now > of ? tally->begun_now : of;
    bool rate = rollout->stage == 0
                    ? tally->failed > rollout->canary_failures
                    : rollout->stop_percent < 100 &&
                          (uint64_t)tally->failed * 100 > (uint64_t)rollout->stop_percent * of;
    bool count = rollout->stop_count > 0 && tally->failed >= rollout->stop_count;
    return tally->failed > 0 && (rate || count);
}

// All stations of the stage have ended: a time to watch, then the next stage, or the end.
static void next_stage(struct pw_central *central, struct rollout *rollout,
                       const struct tally *tally, struct pw_instant at)
{
    bool last = rollout->stage + 1 == rollout->stages;
    if (last || tally->begun >= tally->total) {
        if (tally->steps[STEP_WAITING] == 0) {
            rollout_state_set(central, rollout, ROLLOUT_FINISHED, "", at);
        }
        return;
    }
    if (rollout->soak_until == 0) {
        rollout->soak_until = at.wall + (int64_t)rollout->soak_s * 1000;
    } else if (at.wall >= rollout->soak_until) {
        rollout->soak_until = 0;
        do { // stages that the canary was larger than are none
            rollout->stage++;
        } while (rollout->stage + 1 < rollout->stages &&
                 rollout_quota(rollout, rollout->stage, tally->total) <= tally->begun);
        rollout->look_at = at.now;
    } else {
        return;
    }
    rollout_keep(central, rollout, at);
}

static void begin(struct pw_central *central, struct rollout *rollout, const struct tally *tally,
                  struct pw_instant at)
{
    uint32_t limit = rollout_room(rollout, tally);
    uint32_t room = rollout->at_most > tally->busy ? rollout->at_most - tally->busy : 0;
    room = (uint32_t)pw_min(room, limit > tally->begun ? limit - tally->begun : 0);
    struct choosing choosing = {.hasty =
                                    limit < rollout_quota(rollout, rollout->stage, tally->total)};
    for (size_t i = 0; i < rollout->members; i++) {
        const struct member *member = &rollout->member[i];
        if (member->began_at != 0 && member->stage == rollout->stage) {
            choosing.met[member->kind] = true;
        }
    }
    if (room > 0 && choose(central, rollout, room, &choosing, at)) {
        send(central, rollout, db_commit(central, at) == PW_OK, at);
    }
}

static void run(struct pw_central *central, struct rollout *rollout, struct pw_instant at)
{
    struct tally tally = rollout_tally(rollout);
    uint32_t quota = rollout_quota(rollout, rollout->stage, tally.total);
    uint32_t before =
        rollout->stage > 0 ? rollout_quota(rollout, rollout->stage - 1U, tally.total) : 0;
    if (too_many(rollout, &tally, quota - before)) {
        stop(central, rollout, &tally, quota - before, at);
        return;
    }
    if (rollout->state != ROLLOUT_RUNNING) {
        return;
    }
    if (tally.begun < quota) {
        begin(central, rollout, &tally, at);
    } else if (tally.busy == 0) {
        next_stage(central, rollout, &tally, at);
    }
}

static void show(struct pw_central *central, struct rollout *rollout)
{
    rollout->told = false;
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "rollout");
    pw_json_open(&json, '{');
    rollout_report(rollout, &json);
    pw_json_close(&json, '}');
    event_close(central, &out, NULL);
}

// The wall clock was set by `jump_ms`, or this program has begun; nothing lies in the future.
static void move_times(struct rollout *rollout, int64_t jump_ms, pw_unix_ms wall)
{
    pw_unix_ms latest = wall + (int64_t)rollout->soak_s * 1000;
    if (rollout->soak_until != 0) {
        rollout->soak_until = pw_min(rollout->soak_until + jump_ms, latest);
    }
    for (size_t i = 0; i < rollout->members; i++) {
        struct member *member = &rollout->member[i];
        member->since = pw_min(member->since + jump_ms, wall);
    }
}

// Who is late, and whether a stage was watched for long enough, does not hang on when somebody sets
// the clock: a day ahead would be a day without news.
static void follow_clock(struct rollouts *rollouts, struct pw_instant at)
{
    int64_t jump_ms = rollouts->seen_wall == 0
                          ? 0
                          : at.wall - rollouts->seen_wall - (int64_t)(at.now - rollouts->seen_now);
    for (size_t i = 0; i < rollouts->count && (jump_ms != 0 || rollouts->seen_wall == 0); i++) {
        move_times(rollouts->open[i], jump_ms, at.wall);
    }
    rollouts->seen_now = at.now;
    rollouts->seen_wall = at.wall;
}

pw_ms rollouts_step(struct pw_central *central, struct pw_instant at)
{
    struct rollouts *rollouts = central->rollouts;
    pw_ms next = PW_NEVER;
    if (central->config.net == NULL || at.wall == 0) {
        return PW_NEVER;
    }
    follow_clock(rollouts, at);
    for (size_t i = 0; i < rollouts->count;) {
        struct rollout *rollout = rollouts->open[i];
        if (at.now >= rollout->look_at) {
            pw_ms elapsed = rollout->looked == 0 ? 0 : at.now - rollout->looked;
            rollout->looked = at.now;
            rollout->look_at = pw_after(at.now, ROLLOUT_LOOK_MS);
            for (size_t m = 0; m < rollout->members; m++) {
                age(central, &rollout->member[m], elapsed, at);
            }
            if (rollout->state == ROLLOUT_RUNNING) {
                run(central, rollout, at);
            }
            if (rollout->told) {
                show(central, rollout);
            }
        }
        if (rollout->state == ROLLOUT_FINISHED || rollout->state == ROLLOUT_CANCELLED) {
            rollout_close(central, rollout, at);
            continue;
        }
        next = pw_earlier(next, rollout->look_at);
        i++;
    }
    return next;
}

void rollout_retry(struct pw_central *central, struct rollout *rollout, struct pw_instant at)
{
    for (size_t i = 0; i < rollout->members; i++) {
        struct member *member = &rollout->member[i];
        if (member->step == STEP_FAILED) {
            member->tries = 0;
            member->began_at = 0;
            member_enter(central, member, STEP_WAITING, "", at);
        }
    }
    rollout_state_set(central, rollout, ROLLOUT_RUNNING, "", at);
}

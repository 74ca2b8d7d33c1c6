// What was seen after a command: the station's answer is a promise, the effect is what it did.
// Every accepted command with something to be seen is watched until that comes or its time is over.
#include "records.h"

#include <stdlib.h>
#include <string.h>

// Reads JSON into the second reader (central->asked), which nothing else holds on to, and decodes
// it as this object. False when it is none.
static bool record_read(struct pw_central *central, struct pw_str text,
                        const struct pw_ocpp_object *object, void *to)
{
    struct pw_ocpp_fault fault;
    return pw_json_read(&central->asked, text) == PW_OK &&
           pw_ocpp_decode(object, &central->asked.node[0], PW_OCPP_NULL_IS_ABSENT, to, &fault) ==
               PW_OK;
}

static void publish(struct pw_central *central, int64_t command, const char *state,
                    struct pw_str words, struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(state)),
                                 words.len > 0 ? pw_db_text(words) : pw_db_null(),
                                 pw_db_int(at.wall), pw_db_int(command)};
    (void)db_write(central,
                   "UPDATE command SET effect_state = $1, effect = $2, effect_at = $3"
                   " WHERE id = $4",
                   args, PW_COUNT(args), at.now);
    event_command(central, command);
}

static void take_out(struct station *station, struct watch **at)
{
    struct watch *watch = *at;
    *at = watch->next;
    station->watches--;
    free(watch);
}

static struct watch **find(struct station *station, int64_t command)
{
    struct watch **at = &station->watch;
    while (*at != NULL && (*at)->command != command) {
        at = &(*at)->next;
    }
    return at;
}

void effect_forget(struct station *station, int64_t command)
{
    struct watch **at = find(station, command);
    if (*at != NULL) {
        take_out(station, at);
    }
}

void effects_free(struct station *station)
{
    while (station->watch != NULL) {
        take_out(station, &station->watch);
    }
}

int effects_load(struct pw_central *central)
{
    return db_read(central,
                   "UPDATE command SET effect_state = 'unknown', effect ="
                   " 'the central system was restarted before it was seen'"
                   " WHERE effect_state IN ('waiting', 'progress')",
                   NULL, 0, NULL, NULL) < 0
               ? PW_ERR_STORE
               : PW_OK;
}

// --- A command's way.

void effect_begin(struct pw_central *central, struct station *station,
                  const struct command *command, struct pw_instant at)
{
    uint64_t req[REQUEST_WORDS];
    const struct effect_row *row = effect_row_of(command->action);
    const struct pw_ocpp_object *object = pw_ocpp16_actions[command->action].req;
    struct pw_str payload = {.at = command->payload, .len = command->payload_len};
    PW_ASSERT(object->size <= sizeof(req));
    if (row == NULL || !record_read(central, payload, object, req)) {
        return;
    }
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return;
    }
    if (station->watches >= PW_CENTRAL_WATCHES_MAX) {
        publish(central, station->watch->command, "unknown",
                PW_STR("given up: more commands are watched than there is room for"), at);
        take_out(station, &station->watch);
    }
    watch->command = command->id;
    watch->row = row;
    watch->connector = -1;
    watch->wait_ms = (pw_ms)row->wait_s * 1000;
    watch->deadline = PW_NEVER;
    if (row->aim != NULL) {
        row->aim(watch, req);
    }
    struct watch **last = &station->watch;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = watch;
    station->watches++;
}

static bool said_yes(const struct pw_json_node *conf)
{
    static const char *const yes[] = {"Accepted", "Scheduled", "RebootRequired",
                                      "AcceptedCanceled"};
    struct pw_str status;
    if (pw_json_text(pw_json_member(conf, "status"), &status) != PW_OK) {
        return true; // answers without a status are none to refuse with
    }
    for (size_t i = 0; i < PW_COUNT(yes); i++) {
        if (pw_str_is(status, yes[i])) {
            return true;
        }
    }
    return false;
}

static const char *state_of(const struct watch *watch)
{
    return watch->failed ? "failed" : watch->complete ? "seen" : "progress";
}

static void watch_on(struct pw_central *central, struct station *station, struct watch *watch,
                     struct pw_str words, struct pw_instant at)
{
    watch->answered = true;
    watch->deadline = pw_after(at.now, watch->wait_ms);
    central->effects_at = pw_earlier(central->effects_at, watch->deadline);
    bool seen = watch->seen[0] != '\0';
    publish(central, watch->command, !seen ? "waiting" : state_of(watch),
            seen ? pw_str_of(watch->seen) : words, at);
    if (watch->complete) {
        effect_forget(station, watch->command);
    }
}

void effect_answered(struct pw_central *central, struct station *station,
                     const struct command *command, const struct pw_json_node *conf,
                     struct pw_instant at)
{
    uint64_t req[REQUEST_WORDS];
    uint64_t read[REQUEST_WORDS];
    char text[EFFECT_MAX] = "";
    struct pw_out words = PW_OUT(text);
    struct pw_ocpp_fault fault;
    struct watch *watch = *find(station, command->id);
    const struct pw_ocpp16_action_row *action = &pw_ocpp16_actions[command->action];
    PW_ASSERT(action->conf->size <= sizeof(read));
    if (watch == NULL) {
        return;
    }
    struct answered answered = {
        .central = central,
        .station = station,
        .watch = watch,
        .payload = {.at = command->payload, .len = command->payload_len},
        .req = req,
        .conf = read,
        .answer = conf,
        .effect = &words,
        .at = at,
    };
    if (!record_read(central, answered.payload, action->req, req) ||
        pw_ocpp_decode(action->conf, conf, PW_OCPP_NULL_IS_ABSENT, read, &fault) != PW_OK) {
        effect_forget(station, command->id);
        return;
    }
    enum expect expect = watch->row->keep != NULL ? watch->row->keep(&answered)
                         : said_yes(conf)         ? EXPECT_EFFECT
                                                  : EXPECT_NOTHING;
    if (expect == EXPECT_EFFECT && watch->wait_ms > 0) {
        watch_on(central, station, watch, pw_out_str(&words), at);
        return;
    }
    if (words.len > 0) {
        publish(central, command->id, "seen", pw_out_str(&words), at);
    }
    effect_forget(station, command->id);
}

void sight_note(struct pw_central *central, struct station *station, const struct sight *sight,
                struct pw_instant at)
{
    struct watch **next = &station->watch;
    while (*next != NULL) {
        struct watch *watch = *next;
        char text[EFFECT_MAX] = "";
        struct pw_out words = PW_OUT(text);
        enum seen seen = watch->row->sees != NULL && !watch->complete
                             ? watch->row->sees(watch, sight, &words)
                             : SEEN_NOT;
        if (seen == SEEN_NOT) {
            next = &watch->next;
            continue;
        }
        memcpy(watch->seen, text, sizeof(watch->seen));
        watch->complete = seen != SEEN_PART;
        watch->failed = seen == SEEN_FAILED;
        watch->lasting = true;
        if (watch->answered) {
            publish(central, watch->command, state_of(watch), pw_out_str(&words), at);
            watch->deadline = pw_after(at.now, watch->wait_ms);
        }
        if (watch->answered && watch->complete) {
            take_out(station, next);
        } else {
            next = &watch->next;
        }
    }
}

// --- What time brings.

static void give_up(struct pw_central *central, const struct watch *watch, struct pw_instant at)
{
    char text[EFFECT_MAX + 64];
    struct pw_out words = PW_OUT(text);
    pw_put_s(&words, watch->seen);
    pw_put_s(&words, watch->lasting ? "; nothing further within " : "no effect within ");
    pw_put_int(&words, (int64_t)(watch->wait_ms / 1000));
    pw_put_s(&words, " s");
    publish(central, watch->command, "none", pw_out_str(&words), at);
}

pw_ms effects_step(struct pw_central *central, struct pw_instant at)
{
    if (at.now < central->effects_at) {
        return central->effects_at;
    }
    central->effects_at = PW_NEVER;
    for (size_t i = 0; i < central->stations; i++) {
        struct station *station = central->station[i];
        struct watch **next = &station->watch;
        while (*next != NULL) {
            if ((*next)->deadline <= at.now) {
                give_up(central, *next, at);
                take_out(station, next);
                continue;
            }
            central->effects_at = pw_earlier(central->effects_at, (*next)->deadline);
            next = &(*next)->next;
        }
    }
    return central->effects_at;
}

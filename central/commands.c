// What people ask of stations: queued, sent one at a time, followed to its end. Each command ends
// exactly once: answered, error, timeout or offline.
#include "records.h"
#include "rollouts.h"

#include <stdlib.h>
#include <string.h>

#define COMMANDS_KEPT 10000 // rows of ended commands

void command_end(struct pw_central *central, int64_t id, const char *state, struct pw_str answer,
                 struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(pw_str_of(state)),
                                 answer.len > 0 ? pw_db_text(traffic_presentable(central, answer))
                                                : pw_db_null(),
                                 pw_db_int(at.wall), pw_db_int(id)};
    (void)db_write(central,
                   "UPDATE command SET state = $1, answer = $2, answered_at = $3"
                   " WHERE id = $4 AND state = 'pending'",
                   args, PW_COUNT(args), at.now);
    event_command(central, id);
}

static void remove_first(struct station *station)
{
    struct command *command = station->command;
    station->command = command->next;
    station->commands--;
    free(command);
}

int64_t command_note(struct pw_central *central, const struct station *station,
                     const struct note *note, struct pw_instant at)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(station->id)),
        pw_db_text(note->action),
        pw_db_text(traffic_presentable(central, note->payload)),
        pw_db_text(note->offline ? PW_STR("offline") : PW_STR("pending")),
        pw_db_int(at.wall),
        note->offline ? pw_db_int(at.wall) : pw_db_null(),
        note->ours ? pw_db_text(PW_STR("central")) : pw_db_null(),
    };
    int64_t id = db_write_id(central,
                             "INSERT INTO command (station_id, action, payload, state,"
                             " requested_at, answered_at, origin)"
                             " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
                             args, PW_COUNT(args), at.now);
    if (id <= 0) {
        return PW_ERR_STORE;
    }
    struct pw_db_value oldest = pw_db_int(id - COMMANDS_KEPT);
    (void)db_write(central, "DELETE FROM command WHERE id < $1", &oldest, 1, at.now);
    event_command(central, id);
    return id;
}

int64_t command_queue(struct pw_central *central, struct station *station, int action,
                      struct pw_str payload, bool ours, struct pw_instant at)
{
    bool offline = station->link == NULL;
    if (!offline && station->commands >= PW_CENTRAL_COMMANDS_MAX) {
        return PW_ERR_LIMIT;
    }
    const struct note note = {
        .action = action_text(action), .payload = payload, .offline = offline, .ours = ours};
    int64_t id = command_note(central, station, &note, at);
    if (id < 0 || offline) {
        return id;
    }
    struct command *command = malloc(sizeof(*command) + payload.len);
    if (command == NULL) {
        return PW_ERR_LIMIT;
    }
    *command = (struct command){.id = id, .action = action, .payload_len = payload.len};
    memcpy(command->payload, payload.at, payload.len);
    struct command **last = &station->command;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = command;
    station->commands++;
    return id;
}

void commands_go(struct pw_central *central, struct station *station, struct pw_instant at)
{
    struct command *command = station->command;
    if (command == NULL || station->link == NULL ||
        pw_ocpp_rpc_call(&station->rpc, command->action, PW_CENTRAL_ANSWER_MS, at.now) != PW_OK) {
        return;
    }
    struct pw_str payload = {.at = command->payload, .len = command->payload_len};
    struct pw_str action = action_text(command->action);
    struct pw_out out = {.at = central->frame, .cap = SCRATCH_MAX};
    pw_ocpp_put_call_raw(&out, pw_ocpp_rpc_id(&station->rpc), action, payload);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    struct traffic traffic = {.from_station = false,
                              .kind = PW_OCPP_CALL,
                              .action = action,
                              .id = pw_ocpp_rpc_id(&station->rpc),
                              .latency_ms = -1,
                              .payload = payload};
    traffic_note(central, station, &traffic, at);
    station->sent_wall = at.wall;
    links_wake(central, station->rpc.deadline);
    effect_begin(central, station, command, at);
    link_send(central, station->link, pw_out_str(&out));
}

static void put_error(const struct pw_ocpp_frame *frame, struct pw_out *out)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_text(&json, "code", frame->error_word);
    pw_json_say_text(&json, "description", frame->description);
    pw_json_close(&json, '}');
}

// A station may answer what it likes; what is no conf of this action is shown as it is and counted.
static void check_answer(struct station *station, int action, const struct pw_ocpp_frame *frame)
{
    struct pw_ocpp_fault fault;
    uint64_t conf[REQUEST_WORDS];
    const struct pw_ocpp_object *object = pw_ocpp16_actions[action].conf;
    PW_ASSERT(object->size <= sizeof(conf));
    if (pw_ocpp_decode(object, frame->payload, PW_OCPP_NULL_IS_ABSENT, conf, &fault) != PW_OK) {
        station->violations++;
    }
}

// No answer (`state` as of command_end), or an error: what was promised meanwhile is not expected
// any more. `sent`: it had left.
static void unanswered(struct pw_central *central, struct station *station, const char *state,
                       bool sent, struct pw_instant at)
{
    const struct command *command = station->command;
    rollouts_unanswered(central, command->id, state, sent, at);
    effect_forget(station, command->id);
    if (command->action == PW_OCPP16_SEND_LOCAL_LIST) {
        station->list_syncing = false;
    }
}

void command_answered(struct pw_central *central, struct station *station,
                      const struct pw_ocpp_frame *frame, struct pw_instant at)
{
    char error[PW_OCPP_DESCRIPTION_MAX * 6 + 128];
    struct pw_out out = PW_OUT(error);
    struct pw_str answer = {.at = "{}", .len = 2};
    bool good = frame->kind == PW_OCPP_RESULT;
    if (good && frame->payload != NULL) {
        answer = (struct pw_str){.at = frame->payload->at, .len = frame->payload->len};
    } else if (!good) {
        put_error(frame, &out);
        answer = pw_out_str(&out);
    }
    int action = station->rpc.action;
    bool matched = pw_ocpp_rpc_answer(&station->rpc, frame->id) == PW_OCPP_ANSWER_MATCHED;
    struct traffic traffic = {
        .from_station = true,
        .kind = frame->kind,
        .action = matched ? action_text(action) : PW_STR(""),
        .id = frame->id,
        .latency_ms = matched ? pw_max(0, at.wall - station->sent_wall) : -1,
        .payload = answer,
    };
    traffic_note(central, station, &traffic, at);
    if (!matched) {
        central->count.answers_unmatched++;
        return;
    }
    if (good) {
        check_answer(station, action, frame);
    }
    PW_ASSERT(station->command != NULL);
    if (!good &&
        (frame->error == PW_OCPP_NOT_IMPLEMENTED || frame->error == PW_OCPP_NOT_SUPPORTED)) {
        member_knows_not(central, station, station->command->id);
    }
    command_end(central, station->command->id, good ? "answered" : "error", answer, at);
    if (good) {
        effect_answered(central, station, station->command, frame->payload, at);
    } else {
        unanswered(central, station, "error", true, at);
    }
    remove_first(station);
    commands_go(central, station, at);
}

void commands_check(struct pw_central *central, struct station *station, struct pw_instant at)
{
    if (pw_ocpp_rpc_timed_out(&station->rpc, at.now)) {
        PW_ASSERT(station->command != NULL);
        command_end(central, station->command->id, "timeout", (struct pw_str){0}, at);
        unanswered(central, station, "timeout", true, at);
        remove_first(station);
        commands_go(central, station, at);
    }
}

void commands_lost(struct pw_central *central, struct station *station, struct pw_instant at)
{
    bool sent = station->rpc.open; // the first one, and no other
    // A start that may have reached the station is never sent again: nobody may stand there now.
    while (station->command != NULL) {
        command_end(central, station->command->id, "offline", (struct pw_str){0}, at);
        unanswered(central, station, "offline", sent, at);
        remove_first(station);
        sent = false;
    }
}

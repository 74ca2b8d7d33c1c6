// Raw lines to a board, for rapi_request and the response topics: one at a time for each connector,
// so that people never crowd out the machine that drives the board.
#include "mqtt/parts.h"

#include <string.h>

// Which answers are published where. Those with a line are asked for it by ourselves.
static const struct reply {
    const char *name; // of the command
    const char *topic;
    const char *line; // "" none
    bool status;      // get_status asks it
} replies[] = {
    // clang-format off
    {"GC", "responseGC",       "GC",   true},
    {"G0", "responseG0",       "G0",   true},
    {"GG", "responseGG",       "GG",   true},
    {"GS", "responseGS",       "GS",   true},
    {"GU", "responseGU",       "GU",   true},
    {"F0", "responseEraseLCD", "F0 1", false}, // the board draws its own text again
    {"FD", "responseFD",       "",     false},
    {"FE", "responseFE",       "",     false},
    {"FS", "responseFS",       "",     false},
    {"SC", "responseSC",       "",     false},
    {"ST", "responseST",       "",     false},
    {"SH", "responseSH",       "",     false},
    // clang-format on
};

#define BY_REQUEST PW_COUNT(replies) // the line under way is one of rapi_request

int pw_mqtt_ask(struct pw_mqtt *mqtt, unsigned connector, struct pw_str line, struct pw_out *why)
{
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    if (asking->line[0] != '\0') {
        pw_put_s(why, "another line still waits for the board's answer");
        return PW_ERR_BUSY;
    }
    int err = pw_str_copy(asking->line, sizeof(asking->line), line);
    pw_put_s(why, err == PW_OK ? "" : "the line is too long");
    return err;
}

void pw_mqtt_ask_reply(struct pw_mqtt *mqtt, unsigned connector, const char *topic)
{
    for (unsigned i = 0; i < PW_COUNT(replies); i++) {
        if (strcmp(replies[i].topic, topic) == 0 && replies[i].line[0] != '\0') {
            mqtt->asking[connector].wanted |= 1U << i;
        }
    }
}

void pw_mqtt_ask_status(struct pw_mqtt *mqtt, unsigned connector)
{
    for (unsigned i = 0; i < PW_COUNT(replies); i++) {
        if (replies[i].status) {
            mqtt->asking[connector].wanted |= 1U << i;
        }
    }
}

static void publish_answer(struct pw_mqtt *mqtt, unsigned connector, struct pw_str answer)
{
    const struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    pw_mqtt_event(mqtt, connector,
                  asking->reply == BY_REQUEST ? "rapi_response" : replies[asking->reply].topic,
                  answer);
}

// An answer that has come. False while it has not.
static bool take_answer(struct pw_mqtt *mqtt, unsigned connector)
{
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    char text[160] = "";
    struct pw_out answer = PW_OUT(text);
    int err = pw_station_board_answer(mqtt->config.station, connector + 1, asking->ticket, &answer);
    if (err == PW_ERR_AGAIN) {
        return false;
    }
    if (answer.len == 0) {
        pw_put_s(&answer, "no answer");
    }
    publish_answer(mqtt, connector, pw_str_trim(pw_out_str(&answer)));
    if (asking->reply == BY_REQUEST) {
        asking->line[0] = '\0';
    }
    asking->ticket = 0;
    return true;
}

// Hands the next line over; false when there is none, or the board takes none now.
static bool ask_next(struct pw_mqtt *mqtt, unsigned connector)
{
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    char text[PW_SETTING_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    unsigned reply = 0;
    while (reply < BY_REQUEST && (asking->wanted >> reply & 1U) == 0) {
        reply++;
    }
    bool person = asking->line[0] != '\0';
    if (!person && reply == BY_REQUEST) {
        return false;
    }
    asking->reply = (uint8_t)(person ? BY_REQUEST : reply);
    struct pw_str line = pw_str_of(person ? asking->line : replies[reply].line);
    int err = pw_station_board_ask(mqtt->config.station, connector + 1, line,
                                   mqtt->known || !person ? PW_RAPI_ADMIN : PW_RAPI_ANYBODY,
                                   &asking->ticket, &why);
    if (err == PW_ERR_AGAIN) {
        asking->ticket = 0;
        return false;
    }
    if (err != PW_OK && person) {
        pw_mqtt_refuse(mqtt, "rapi_request", pw_str_of(asking->line),
                       pw_str_trim(pw_out_str(&why)));
        asking->line[0] = '\0';
    }
    if (!person) {
        asking->wanted &= ~(1U << reply);
    }
    asking->ticket = err == PW_OK ? asking->ticket : 0;
    return err != PW_OK; // refused: the next one may not be
}

// What the board says by itself, and its answers to what the station tells it.
static void watch(struct pw_mqtt *mqtt, unsigned connector)
{
    const struct pw_station *st = mqtt->config.station;
    const struct pw_openevse *openevse = pw_connector_openevse(&st->connector[connector]);
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    if (openevse == NULL) {
        return;
    }
    const struct pw_rapi_view *board = pw_reach_view(&openevse->rapi);
    if (board->events != asking->events) {
        asking->events = board->events;
        pw_mqtt_event(mqtt, connector, "state_change", pw_str_of(board->event));
    }
    if (board->answers == asking->answers) {
        return;
    }
    asking->answers = board->answers;
    for (size_t i = 0; i < PW_COUNT(replies); i++) {
        if (replies[i].line[0] == '\0' && strcmp(replies[i].name, board->answered) == 0) {
            pw_mqtt_event(mqtt, connector, replies[i].topic, pw_str_of(board->answer));
        }
    }
    if (board->answer_ms > pw_settings_int(&st->settings, PW_SET_RAPI_TIMEOUT_MS) / 2) {
        char text[24];
        struct pw_out out = PW_OUT(text);
        pw_put_int(&out, board->answer_ms);
        pw_mqtt_event(mqtt, connector, "timeout", pw_out_str(&out));
    }
}

pw_ms pw_mqtt_asking_step(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
{
    enum { AGAIN_MS = 100 };
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    watch(mqtt, connector);
    if (asking->ticket != 0 && !take_answer(mqtt, connector)) {
        return pw_after(now, AGAIN_MS);
    }
    while (asking->ticket == 0 && ask_next(mqtt, connector)) {
    }
    bool waits = asking->ticket != 0 || asking->wanted != 0 || asking->line[0] != '\0';
    return waits ? pw_after(now, AGAIN_MS) : PW_NEVER;
}

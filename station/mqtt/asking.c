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
    {"GC", "responseGC", "GC", true}, {"G0", "responseG0", "G0", true},
    {"GG", "responseGG", "GG", true}, {"GS", "responseGS", "GS", true},
    {"GU", "responseGU", "GU", true}, {"FP", "responseEraseLCD", "FP 0 0                 ", false},
    {"FD", "responseFD", "", false},  {"FE", "responseFE", "", false},
    {"FS", "responseFS", "", false},  {"SC", "responseSC", "", false},
    {"ST", "responseST", "", false},  {"SH", "responseSH", "", false},
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
    if (asking->reply != BY_REQUEST) {
        pw_mqtt_event(mqtt, connector, replies[asking->reply].topic, answer);
        return;
    }
    pw_mqtt_event(mqtt, connector, "rapi_response", answer);
    struct pw_str line = pw_str_of(asking->line);
    for (size_t i = 0; i < PW_COUNT(replies); i++) {
        if (replies[i].line[0] == '\0' && pw_str_starts(line, replies[i].name)) {
            pw_mqtt_event(mqtt, connector, replies[i].topic, answer);
        }
    }
}

// Half of timer13 is worth a word.
static void publish_delay(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
{
    const struct pw_settings *settings = &mqtt->config.station->settings;
    pw_ms took = now - mqtt->asking[connector].at;
    char text[24];
    struct pw_out out = PW_OUT(text);
    if (took * 2 > (pw_ms)pw_settings_int(settings, PW_SET_RAPI_TIMEOUT_MS)) {
        pw_put_uint(&out, took);
        pw_mqtt_event(mqtt, connector, "timeout", pw_out_str(&out));
    }
}

// An answer that has come. False while it has not.
static bool take_answer(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
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
    publish_delay(mqtt, connector, now);
    if (asking->reply == BY_REQUEST) {
        asking->line[0] = '\0';
    }
    asking->ticket = 0;
    return true;
}

// Hands the next line over; false when there is none, or the board takes none now.
static bool ask_next(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
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
    asking->at = now;
    // Whoever the broker lets in may switch the station too: as at the console.
    int err = pw_station_board_ask(mqtt->config.station, connector + 1,
                                   pw_str_of(person ? asking->line : replies[reply].line),
                                   PW_RAPI_ADMIN, &asking->ticket, &why);
    if (err == PW_ERR_LIMIT || err == PW_ERR_AGAIN) {
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

pw_ms pw_mqtt_asking_step(struct pw_mqtt *mqtt, unsigned connector, pw_ms now)
{
    enum { AGAIN_MS = 100 };
    struct pw_mqtt_asking *asking = &mqtt->asking[connector];
    if (asking->ticket != 0 && !take_answer(mqtt, connector, now)) {
        return pw_after(now, AGAIN_MS);
    }
    while (asking->ticket == 0 && ask_next(mqtt, connector, now)) {
    }
    bool waits = asking->ticket != 0 || asking->wanted != 0 || asking->line[0] != '\0';
    return waits ? pw_after(now, AGAIN_MS) : PW_NEVER;
}

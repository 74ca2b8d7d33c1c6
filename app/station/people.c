#include "people.h"

#include <string.h>

#define TOPIC_STATUS 1U
#define TOPIC_LOG    2U
#define WATCH_MS     1000
#define LINES_A_TURN 4 // requests served in one turn over the control socket

static struct pw_out answer_of(struct people *people)
{
    people->answer[0] = '\0';
    return (struct pw_out){.at = people->answer, .cap = sizeof(people->answer)};
}

// ---------------------------------------------------------------------------------------------
// The control socket: the station's commands, and three that only the program can answer.

static void put_kept_log(const struct people *people, struct pw_out *out)
{
    const struct pw_log_lines *kept = &people->logger->kept;
    uint64_t first = kept->count > PW_LOG_KEPT ? kept->count - PW_LOG_KEPT : 0;
    for (uint64_t i = first; i < kept->count; i++) {
        pw_put_s(out, kept->text[i % PW_LOG_KEPT]);
        pw_put_c(out, '\n');
    }
}

static bool own_command(struct people *people, unsigned client, struct pw_str line,
                        struct pw_out *out)
{
    if (pw_str_is(line, "version")) {
        pw_put_s(out, people->version);
        pw_put_c(out, '\n');
    } else if (pw_str_is(line, "watch")) {
        pw_control_set_topics(people->control, client, TOPIC_STATUS);
        people->watch_at = 0;
    } else if (pw_str_is(line, "log")) {
        put_kept_log(people, out);
    } else if (pw_str_is(line, "log follow")) {
        put_kept_log(people, out);
        pw_control_set_topics(people->control, client, TOPIC_LOG);
    } else {
        return false;
    }
    return true;
}

static bool serve_control(struct people *people, pw_ms now)
{
    unsigned client = 0;
    unsigned served = 0;
    struct pw_str line;
    while (served < LINES_A_TURN && pw_control_take(people->control, &client, &line)) {
        struct pw_out out = answer_of(people);
        int err = PW_OK;
        if (!own_command(people, client, line, &out)) {
            err = pw_station_command(people->station, line, &out, now);
        }
        pw_control_answer(people->control, client, pw_err_name(err), pw_out_str(&out));
        served++;
    }
    return served > 0;
}

// ---------------------------------------------------------------------------------------------

static void write_console(struct people *people, struct pw_str text)
{
    while (text.len > 0) {
        struct pw_str line = pw_str_cut(&text, '\n');
        pw_serial_write(&people->console, line);
        pw_serial_write(&people->console, people->console.standard ? PW_STR("\n") : PW_STR("\r\n"));
    }
}

static bool serve_console(struct people *people, pw_ms now)
{
    char text[PW_SERIAL_LINE_MAX];
    struct pw_str line;
    if (!pw_serial_take(&people->console, text, &line)) {
        return false;
    }
    struct pw_out out = answer_of(people);
    // A refusal is an answer too: what a person reads is in the text.
    (void)!pw_station_command(people->station, line, &out, now);
    write_console(people, pw_out_str(&out));
    return true;
}

static bool serve_card(struct people *people, pw_ms now)
{
    char text[PW_SERIAL_LINE_MAX];
    struct pw_str line;
    if (!pw_serial_take(&people->card, text, &line)) {
        return false;
    }
    pw_station_card(people->station, 0, line, now);
    return true;
}

pw_ms people_step(struct people *people, pw_ms now, bool *busy)
{
    bool served = serve_card(people, now);
    served = serve_control(people, now) || served;
    served = serve_console(people, now) || served;
    *busy = *busy || served;
    pw_ms at =
        pw_earlier(pw_serial_step(&people->console, now), pw_serial_step(&people->card, now));
    // More may wait in a buffer, of which no descriptor will tell.
    return served ? now : at;
}

pw_ms people_flush(struct people *people, pw_ms now)
{
    struct pw_out out = answer_of(people);
    if (pw_station_take_status(people->station, &out, now)) {
        write_console(people, pw_out_str(&out));
    }
    if (!pw_control_wanted(people->control, TOPIC_STATUS)) {
        return PW_NEVER;
    }
    if (now >= people->watch_at) {
        out = answer_of(people);
        (void)!pw_station_command(people->station, PW_STR("json status"), &out, now);
        pw_control_publish(people->control, TOPIC_STATUS, pw_out_str(&out));
        people->watch_at = pw_after(now, WATCH_MS);
    }
    return people->watch_at;
}

// ---------------------------------------------------------------------------------------------

static void on_log_line(void *context, struct pw_str line)
{
    struct people *people = context;
    pw_control_publish(people->control, TOPIC_LOG, line);
}

static int open_serial(struct people *people, struct pw_serial *serial, enum pw_setting_id id,
                       struct pw_out *why)
{
    const char *device = pw_settings_text(&people->station->settings, id);
    memset(serial, 0, sizeof(*serial));
    if (device[0] == '\0' || strcmp(device, "off") == 0) {
        return PW_OK;
    }
    return pw_serial_open(serial, people->loop, device, why);
}

int people_open(struct people *people, const char *control, unsigned mode, struct pw_out *why)
{
    people->control = pw_control_open(people->loop, control, mode, why);
    if (people->control == NULL) {
        return PW_ERR_BUSY;
    }
    people->logger->heard = on_log_line;
    people->logger->heard_context = people;
    int err = open_serial(people, &people->console, PW_SET_CONSOLE_DEVICE, why);
    if (err == PW_OK) {
        err = open_serial(people, &people->card, PW_SET_CARD_DEVICE, why);
    }
    return err;
}

void people_close(struct people *people)
{
    people->logger->heard = NULL;
    pw_serial_close(&people->console);
    pw_serial_close(&people->card);
    pw_control_close(people->control);
    people->control = NULL;
}

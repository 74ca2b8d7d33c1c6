#include "relay.h"

#include "stream.h"

#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { REOPEN_MS = 1000, READS_MAX = 8, BOARD = 0, MODEM = 1 };

static void say(const struct line *line, enum pw_level level, const char *event, const char *why)
{
    struct pw_line out;
    pw_line(&out, line->relay->log, level, "relay", event);
    pw_line_s(&out, "line", line->modem ? "modem" : "board");
    pw_line_s(&out, "device", line->device);
    pw_line_s(&out, "why", why);
    pw_line_end(&out);
}

// Only wakes the loop: relay_turn reads.
static void on_ready(void *context, unsigned events)
{
    (void)context;
    (void)events;
}

static void lose(struct line *line, const char *why, pw_ms now)
{
    if (!line->complained) {
        say(line, PW_LOG_WARN, "away", why);
    }
    line->complained = true;
    if (line->fd >= 0) {
        pw_watch_end(&line->watch);
        (void)close(line->fd);
        line->fd = -1;
    }
    line->reopen_at = pw_after(now, REOPEN_MS);
    if (line->modem) {
        pw_lora_far_reset(&line->relay->far);
    } else {
        pw_rapi_down(&line->relay->far.client, "the board's line is away", now);
    }
}

static void try_open(struct line *line, pw_ms now)
{
    char text[320] = "";
    struct pw_out why = PW_OUT(text);
    if (pw_stream_open(pw_str_of(line->device), &line->fd, &why) != PW_OK) {
        line->fd = -1;
        lose(line, text, now);
        return;
    }
    line->connecting = true;
    line->watch = (struct pw_watch){.ready = on_ready, .context = line};
    pw_watch_start(&line->watch, line->relay->loop, line->fd, PW_LOOP_READ | PW_LOOP_WRITE,
                   PW_LOOP_CAN);
}

static void finish_connecting(struct line *line, pw_ms now)
{
    int there = pw_stream_connected(line->fd);
    if (there < 0) {
        lose(line, "nobody answers there", now);
    } else if (there > 0) {
        line->connecting = false;
        line->complained = false;
        pw_watch_change(&line->watch, PW_LOOP_READ);
        say(line, PW_LOG_INFO, "open", "");
        if (!line->modem) {
            pw_rapi_up(&line->relay->far.client, now);
        }
    }
}

// What is read fits what the far end takes at a time: a step makes room for the next.
static pw_ms read_some(struct line *line, pw_ms now)
{
    uint8_t bytes[128];
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < READS_MAX && line->fd >= 0; i++) {
        int got = pw_stream_read(line->fd, bytes, sizeof(bytes));
        if (got < 0) {
            lose(line, "the line hung up", now);
        }
        if (got <= 0) {
            break;
        }
        struct pw_lora_far *far = &line->relay->far;
        size_t taken = line->modem ? pw_lora_far_bytes(far, bytes, (size_t)got)
                                   : pw_rapi_bytes(&far->client, bytes, (size_t)got);
        PW_ASSERT(taken == (size_t)got);
        at = pw_lora_far_step(far, now);
    }
    return at;
}

static void flush(struct line *line, pw_ms now)
{
    struct pw_lora_far *far = &line->relay->far;
    struct pw_str out = line->modem ? pw_lora_far_out(far) : pw_rapi_out(&far->client);
    if (line->fd < 0 || line->connecting) {
        if (line->modem) {
            pw_lora_far_reset(far); // said into the void; it is said again
        }
        return;
    }
    int sent = out.len == 0 ? 0 : pw_stream_write(line->fd, out.at, out.len);
    if (sent < 0) {
        lose(line, "the line hung up", now);
        return;
    }
    if (line->modem) {
        pw_lora_far_out_sent(far, (size_t)sent, now);
    } else {
        pw_rapi_out_sent(&far->client, (size_t)sent, now);
    }
    bool more = (size_t)sent < out.len;
    pw_watch_change(&line->watch, more ? PW_LOOP_READ | PW_LOOP_WRITE : PW_LOOP_READ);
}

int relay_open(struct relay *relay, const struct options *options, struct pw_loop *loop,
               const struct pw_log *log, struct pw_out *why)
{
    pw_ms now = pw_clock_now(loop->clock);
    struct pw_lora_config config = {
        .key = pw_str_of(options->key), .air_bps = options->air_bps, .frame_ms = options->frame_ms};
    *relay = (struct relay){.loop = loop, .log = log};
    const char *const devices[] = {[BOARD] = options->board, [MODEM] = options->modem};
    for (unsigned i = 0; i < PW_COUNT(relay->line); i++) {
        relay->line[i] =
            (struct line){.relay = relay, .device = devices[i], .modem = i == MODEM, .fd = -1};
    }
    // A nonce that came twice would make recordings of the first time good again.
    if (getrandom(config.nonce, sizeof(config.nonce), 0) != (ssize_t)sizeof(config.nonce)) {
        pw_put_s(why, "the system has no random numbers");
        return PW_ERR_BUG;
    }
    return pw_lora_far_init(&relay->far, &config, &options->rapi, log, now, why);
}

pw_ms relay_turn(void *context, pw_ms now)
{
    struct relay *relay = context;
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_COUNT(relay->line); i++) {
        struct line *line = &relay->line[i];
        if (line->fd < 0 && line->reopen_at <= now) {
            try_open(line, now);
        }
        if (line->fd >= 0 && line->connecting) {
            finish_connecting(line, now);
        }
        if (line->fd >= 0 && !line->connecting) {
            (void)read_some(line, now);
        }
        at = pw_earlier(at, line->fd < 0 ? line->reopen_at : PW_NEVER);
    }
    at = pw_earlier(at, pw_lora_far_step(&relay->far, now));
    for (unsigned i = 0; i < PW_COUNT(relay->line); i++) {
        flush(&relay->line[i], now);
    }
    return at;
}

void relay_close(struct relay *relay)
{
    for (unsigned i = 0; i < PW_COUNT(relay->line); i++) {
        if (relay->line[i].fd >= 0) {
            pw_watch_end(&relay->line[i].watch);
            (void)close(relay->line[i].fd);
            relay->line[i].fd = -1;
        }
    }
}

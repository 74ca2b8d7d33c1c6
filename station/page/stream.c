// Event streams. Nothing is queued: a stream is told what is so when its peer can take it, so a
// slow one misses steps in between and costs no memory.
#include "page/parts.h"

#include <string.h>

#define BEAT_MS       1000 // at least this often
#define LEAST_MS      100  // at most this often
#define LOG_LINES     8    // in one go
#define LOG_LINE_ROOM 800  // an event with one line fits, escapes and all

static struct pw_page_stream *stream_at(struct pw_page *page, uint64_t number)
{
    for (size_t i = 0; i < PW_PAGE_STREAMS_MAX; i++) {
        if (page->stream[i].open && page->stream[i].number == number) {
            return &page->stream[i];
        }
    }
    return NULL;
}

void pw_page_api_events(struct call *call)
{
    struct pw_page *page = call->page;
    int64_t cursor = 0;
    for (size_t i = 0; i < PW_PAGE_STREAMS_MAX; i++) {
        struct pw_page_stream *stream = &page->stream[i];
        if (stream->open) {
            continue;
        }
        struct pw_str from = pw_http_query(call->request->query, "log");
        *stream = (struct pw_page_stream){.open = true,
                                          .number = call->request->stream,
                                          .inside = call->inside,
                                          .due = true,
                                          .sent_at = call->now,
                                          .log_cursor = UINT64_MAX};
        if (call->login != NULL) {
            memcpy(stream->token, call->login->token, sizeof(stream->token));
        }
        if (call->inside && pw_parse_int(from, 0, INT64_MAX, &cursor) == PW_OK) {
            stream->log_cursor = (uint64_t)cursor;
        }
        call->reply->status = 200;
        call->reply->content_type = "text/event-stream";
        call->reply->stream = true;
        return;
    }
    call->reply->retry_after_s = 5;
    pw_page_fail(call, 429, "too_many_streams", "8 pages watch this station already", PW_STR(""),
                 "");
}

static bool log_waits(const struct pw_page *page, const struct pw_page_stream *stream)
{
    struct pw_logring_line line;
    return page->config.log != NULL && stream->log_cursor != UINT64_MAX &&
           pw_logring_read(page->config.log, stream->log_cursor, PW_LOG_DEBUG, &line);
}

pw_ms pw_page_stream_step(struct pw_page *page, bool changed, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t i = 0; i < PW_PAGE_STREAMS_MAX; i++) {
        struct pw_page_stream *stream = &page->stream[i];
        if (!stream->open) {
            continue;
        }
        stream->due = stream->due || changed || now >= pw_after(stream->sent_at, BEAT_MS);
        pw_ms earliest = pw_after(stream->sent_at, LEAST_MS);
        bool ends = stream->token[0] != '\0' && !pw_page_login_lives(page, stream->token);
        if (ends || ((stream->due || log_waits(page, stream)) && now >= earliest)) {
            page->config.port->stream_ready(page->config.port->context, stream->number);
        }
        at = pw_earlier(at, now >= earliest ? pw_after(now, LEAST_MS) : earliest);
    }
    return at;
}

// One event with the answer of a command. False, and nothing written, when it does not fit.
static bool put_event(struct pw_page *page, bool inside, const char *name, const char *command,
                      struct pw_out *out)
{
    struct pw_out before = *out;
    pw_put_s(out, "event: ");
    pw_put_s(out, name);
    pw_put_s(out, "\ndata: ");
    size_t from = out->len;
    int err = pw_station_command(page->config.station, pw_str_of(command), out, page->now);
    if (!inside) {
        pw_page_mask(out->at + from, out->len - from);
    }
    pw_put_c(out, '\n'); // the command's own newline ends the data
    if (err != PW_OK || out->full) {
        *out = before;
        return false;
    }
    return true;
}

static void put_log(struct pw_page *page, struct pw_page_stream *stream, struct pw_out *out)
{
    struct pw_logring_line line;
    for (unsigned i = 0; i < LOG_LINES && out->cap - out->len > LOG_LINE_ROOM; i++) {
        if (!pw_logring_read(page->config.log, stream->log_cursor, PW_LOG_DEBUG, &line)) {
            return;
        }
        struct pw_out before = *out;
        struct pw_json_writer json = PW_JSON_WRITER(out);
        pw_put_s(out, "event: log\ndata: ");
        pw_page_log_line(&json, &line);
        pw_put_s(out, "\n\n");
        if (out->full) {
            *out = before;
            return;
        }
        stream->log_cursor = line.cursor + 1;
    }
}

int pw_page_stream_take(void *context, uint64_t number, char *to, size_t cap)
{
    struct pw_page *page = context;
    struct pw_page_stream *stream = stream_at(page, number);
    if (stream == NULL || (stream->token[0] != '\0' && !pw_page_login_lives(page, stream->token))) {
        return PW_ERR_UNKNOWN;
    }
    struct pw_out out = {.cap = cap};
    out.at = to;
    if (stream->due) {
        (void)put_event(page, stream->inside, "status", "json status", &out);
        (void)put_event(page, stream->inside, "limits", "json limits", &out);
        (void)put_event(page, stream->inside, "schedule", "json schedule", &out);
        (void)put_event(page, stream->inside, "faults", "json faults", &out);
        stream->due = false;
        stream->sent_at = page->now;
    }
    if (page->config.log != NULL && stream->log_cursor != UINT64_MAX) {
        put_log(page, stream, &out);
    }
    return (int)out.len;
}

void pw_page_stream_closed(void *context, uint64_t number)
{
    struct pw_page_stream *stream = stream_at(context, number);
    if (stream != NULL) {
        stream->open = false;
    }
    pw_page_asked_closed(context, number);
    pw_page_update_closed(context, number);
}

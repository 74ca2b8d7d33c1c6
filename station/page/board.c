// Commands from administrators to an OpenEVSE board. The board answers when its line is free: until
// then the request waits, and the port serves it again.
#include "page/parts.h"

#define ANSWER_MAX  160   // bytes of a board's answer, or of why there is none
#define AGAIN_MS    100   // until a request is served again
#define PATIENCE_MS 70000 // longer than a port keeps one

static struct pw_page_asked *asked_by(struct pw_page *page, uint64_t request)
{
    for (size_t i = 0; i < PW_COUNT(page->asked); i++) {
        if (page->asked[i].connector != 0 && page->asked[i].request == request) {
            return &page->asked[i];
        }
    }
    return NULL;
}

static struct pw_page_asked *free_place(struct pw_page *page)
{
    for (size_t i = 0; i < PW_COUNT(page->asked); i++) {
        if (page->asked[i].connector == 0) {
            return &page->asked[i];
        }
    }
    return NULL;
}

static void answer(struct call *call, struct pw_page_asked *asked)
{
    char text[ANSWER_MAX] = "";
    struct pw_out out = PW_OUT(text);
    int err =
        pw_station_board_answer(call->page->config.station, asked->connector, asked->ticket, &out);
    if (err == PW_ERR_AGAIN) {
        call->reply->later = true;
        return;
    }
    *asked = (struct pw_page_asked){0};
    struct pw_json_writer *json = pw_page_object(call);
    pw_json_say_s(json, "answer", text[0] == '\0' ? "no answer" : text);
    pw_page_done(call, 200);
}

// {"line": "GS"}: without "$" and checksum.
void pw_page_api_rapi(struct call *call)
{
    struct pw_page *page = call->page;
    struct pw_page_asked *asked = asked_by(page, call->request->stream);
    struct pw_str line = PW_STR("");
    int64_t connector = 0;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    uint32_t ticket = 0;
    if (asked != NULL) {
        answer(call, asked);
        return;
    }
    asked = free_place(page);
    if (asked == NULL) {
        pw_page_fail(call, 429, "busy", "other commands wait for the board already", PW_STR(""),
                     "");
        return;
    }
    if (pw_json_text(pw_json_member(call->body, "line"), &line) != PW_OK || line.len == 0) {
        pw_page_fail(call, 422, "range", "line: must be a command such as GS", PW_STR(""), "");
        return;
    }
    if (pw_parse_int(call->param, 1, page->config.station->connectors, &connector) != PW_OK) {
        pw_page_fail(call, 404, "not_found", "there is no connector \"", call->param, "\"");
        return;
    }
    int err = pw_station_board_ask(page->config.station, (unsigned)connector, line, PW_RAPI_ADMIN,
                                   &ticket, &why);
    if (err != PW_OK) {
        pw_page_fail(call, err == PW_ERR_RANGE ? 422 : 409, pw_err_name(err), "", pw_out_str(&why),
                     "");
        return;
    }
    *asked = (struct pw_page_asked){.request = call->request->stream,
                                    .connector = (unsigned)connector,
                                    .ticket = ticket,
                                    .at = call->now};
    answer(call, asked);
}

pw_ms pw_page_asked_step(struct pw_page *page, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t i = 0; i < PW_COUNT(page->asked); i++) {
        struct pw_page_asked *asked = &page->asked[i];
        if (asked->connector == 0) {
            continue;
        }
        if (pw_elapsed(asked->at, PATIENCE_MS, now)) { // answered otherwise: its login has ended
            *asked = (struct pw_page_asked){0};
            continue;
        }
        page->config.port->stream_ready(page->config.port->context, asked->request);
        at = pw_after(now, AGAIN_MS);
    }
    return at;
}

void pw_page_asked_closed(struct pw_page *page, uint64_t request)
{
    struct pw_page_asked *asked = asked_by(page, request);
    if (asked != NULL) {
        *asked = (struct pw_page_asked){0};
    }
}

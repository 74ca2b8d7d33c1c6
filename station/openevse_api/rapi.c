// Raw commands for an OpenEVSE board. The answer takes the board's line: the request waits for it.
// A connector of another kind has no such board, and answers as a board does to a command it does
// not know; that is how clients find out what there is (evcc asks $G7 for phase switching).
#include "openevse_api/parts.h"

#include <string.h>

#define LINE_MAX 80
#define AGAIN_MS 20 // how often an answer is looked for

static void answer(struct pw_oe_call *call, int status, struct pw_str cmd, const char *key,
                   struct pw_str text, struct pw_str msg)
{
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_text(json, "cmd", cmd);
    pw_json_say_text(json, key, text);
    if (msg.len > 0) {
        pw_json_say_text(json, "msg", msg);
    }
    pw_oe_done(call, status, '}');
}

static struct pw_openevse_ask *ask_of(struct pw_openevse_api *api, uint64_t stream)
{
    for (size_t i = 0; i < PW_OPENEVSE_API_ASKS_MAX; i++) {
        if (api->ask[i].stream == stream) {
            return &api->ask[i];
        }
    }
    return NULL;
}

void pw_oe_rapi_closed(struct pw_openevse_api *api, uint64_t stream)
{
    struct pw_openevse_ask *ask = ask_of(api, stream);
    if (ask != NULL) {
        ask->stream = 0;
    }
}

// A command that only reads, or switches phases as evcc does, may come as GET. A page of another
// site could send any other one so, and no browser would say where it came from.
static bool may_get(struct pw_str cmd)
{
    return pw_str_starts(cmd, "$G") || pw_str_starts(cmd, "$S7") || pw_str_starts(cmd, "$S8");
}

static bool comes_right(struct pw_oe_call *call, struct pw_str cmd)
{
    if (call->request->method == PW_HTTP_GET && !may_get(cmd)) {
        pw_http_allow(call->reply, 1U << PW_HTTP_POST);
        pw_oe_say(call, 405, "a command that changes something is sent by POST", PW_STR(""), "");
        return false;
    }
    return true;
}

// Hands the command to the board. NULL after answering.
static struct pw_openevse_ask *begin(struct pw_oe_call *call, struct pw_str cmd)
{
    struct pw_openevse_api *api = call->api;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_openevse_ask *ask = ask_of(api, 0);
    struct pw_str bare = cmd;
    if (pw_str_starts(bare, "$")) {
        bare = (struct pw_str){.at = cmd.at + 1, .len = cmd.len - 1};
    }
    uint32_t ticket = 0;
    int err = ask == NULL ? PW_ERR_LIMIT
                          : pw_station_board_ask(api->config.station, call->index + 1, bare,
                                                 call->may_change ? PW_RAPI_ADMIN : PW_RAPI_ANYBODY,
                                                 &ticket, &why);
    if (err == PW_OK) {
        *ask = (struct pw_openevse_ask){.stream = call->request->stream,
                                        .ticket = ticket,
                                        .connector = call->index + 1,
                                        .until = pw_after(call->now, PW_OPENEVSE_API_ASK_MS),
                                        .look_at = pw_after(call->now, AGAIN_MS)};
    } else if (err == PW_ERR_BUSY) {
        answer(call, 403, cmd, "error", PW_STR("RAPI_RESPONSE_BLOCKED"), pw_out_str(&why));
    } else if (err == PW_ERR_LIMIT || err == PW_ERR_AGAIN) {
        answer(call, 503, cmd, "error", PW_STR("RAPI_RESPONSE_QUEUE_FULL"), pw_out_str(&why));
    } else {
        answer(call, 200, cmd, "ret", PW_STR("$NK"), pw_out_str(&why));
    }
    return err == PW_OK ? ask : NULL;
}

static void look(struct pw_oe_call *call, struct pw_openevse_ask *ask, struct pw_str cmd)
{
    char text[LINE_MAX * 2] = "";
    struct pw_out out = PW_OUT(text);
    int err = pw_station_board_answer(call->api->config.station, ask->connector, ask->ticket, &out);
    if (err == PW_ERR_AGAIN && call->now < ask->until) {
        call->reply->later = true;
        return;
    }
    ask->stream = 0;
    if (err == PW_OK && text[0] == '$') {
        answer(call, 200, cmd, "ret", pw_out_str(&out), PW_STR(""));
    } else {
        answer(call, 504, cmd, "error", PW_STR("RAPI_RESPONSE_TIMEOUT"), pw_out_str(&out));
    }
}

void pw_oe_rapi(struct pw_oe_call *call)
{
    char text[LINE_MAX];
    struct pw_out out = PW_OUT(text);
    bool form =
        call->request->method == PW_HTTP_POST && pw_http_form(call->request->body, "rapi", &out);
    if (!form) {
        pw_put(&out, pw_http_query(call->request->query, "rapi"));
    }
    struct pw_str cmd = pw_str_trim(pw_out_str(&out));
    if (out.full || cmd.len == 0) {
        pw_oe_say(call, 400, "rapi: must be a command like $GS", PW_STR(""), "");
        return;
    }
    if (!comes_right(call, cmd)) {
        return;
    }
    struct pw_openevse_ask *ask = ask_of(call->api, call->request->stream);
    if (ask == NULL) {
        ask = begin(call, cmd);
    }
    if (ask != NULL) {
        look(call, ask, cmd);
    }
}

pw_ms pw_oe_rapi_step(struct pw_openevse_api *api, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t i = 0; i < PW_OPENEVSE_API_ASKS_MAX; i++) {
        struct pw_openevse_ask *ask = &api->ask[i];
        if (ask->stream == 0) {
            continue;
        }
        if (now >= ask->look_at) {
            ask->look_at = pw_after(now, AGAIN_MS);
            api->config.port->stream_ready(api->config.port->context, ask->stream);
        }
        at = pw_earlier(at, ask->look_at);
    }
    return at;
}

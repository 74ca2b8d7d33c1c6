// OpenEVSE boards: what they say, and commands of people for them.
#include "console/call.h"

int pw_console_board(struct pw_console_call *call)
{
    bool any = false;
    for (unsigned i = 0; i < call->st->connectors; i++) {
        const struct pw_openevse *openevse = pw_connector_openevse(&call->st->connector[i]);
        if (openevse != NULL) {
            any = true;
            pw_put_s(call->answer, "connector ");
            pw_put_uint(call->answer, i + 1);
            pw_put_s(call->answer, ", board\n");
            pw_openevse_put(openevse, call->answer);
        }
    }
    return any ? PW_OK
               : pw_console_refuse(call, PW_ERR_UNKNOWN, "no connector has an OpenEVSE board");
}

// "[connector] COMMAND": without a number the first connector with such a board is meant.
static unsigned take_board(struct pw_console_call *call)
{
    struct pw_str behind = pw_str_trim(call->rest);
    struct pw_str word = pw_str_cut(&behind, ' ');
    int64_t number = 0;
    if (pw_parse_int(word, 0, INT32_MAX, &number) == PW_OK) {
        call->rest = behind;
        return (unsigned)number;
    }
    unsigned index = 0;
    while (index + 1 < call->st->connectors &&
           pw_connector_openevse(&call->st->connector[index]) == NULL) {
        index++;
    }
    return index + 1;
}

static void put_ticket(struct pw_console_call *call, unsigned connector, uint32_t ticket)
{
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "connector_id", connector);
    pw_json_say_int(&json, "ticket", ticket);
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
}

// A person at the console waits for one answer at a time; programs fetch theirs by ticket.
int pw_console_rapi(struct pw_console_call *call)
{
    struct pw_station_ask *asked = &call->st->asked;
    unsigned connector = take_board(call);
    uint32_t ticket = 0;
    if (!call->json && asked->ticket != 0) {
        return pw_console_refuse(call, PW_ERR_BUSY, "the command before this has no answer yet");
    }
    int err = pw_station_board_ask(call->st, connector, pw_str_trim(call->rest), PW_RAPI_ADMIN,
                                   &ticket, call->answer);
    if (err != PW_OK) {
        pw_put_c(call->answer, '\n');
        return err;
    }
    if (call->json) {
        put_ticket(call, connector, ticket);
        return PW_OK;
    }
    *asked = (struct pw_station_ask){.connector = connector, .ticket = ticket};
    return pw_console_done(call, "sent; the answer follows");
}

int pw_console_rapi_answer(struct pw_console_call *call)
{
    char text[PW_RAPI_ANSWER_MAX + 40] = "";
    struct pw_out out = PW_OUT(text);
    int64_t connector = 0;
    int64_t ticket = 0;
    if (pw_parse_int(pw_console_word(call), 1, call->st->connectors, &connector) != PW_OK ||
        pw_parse_int(pw_console_word(call), 1, UINT32_MAX, &ticket) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_RANGE, "a connector and a ticket are needed");
    }
    int err = pw_station_board_answer(call->st, (unsigned)connector, (uint32_t)ticket, &out);
    if (err == PW_ERR_UNKNOWN) {
        return pw_console_refuse(call, err, "there is no such ticket any more");
    }
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_say_bool(&json, "waiting", err == PW_ERR_AGAIN);
    pw_json_say_s(&json, "answer", text);
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
    return PW_OK;
}

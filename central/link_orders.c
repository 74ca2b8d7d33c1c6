// Orders over station links: people's become commands with a row that ends exactly once, load
// sharing's come back with their ticket.
#include "uplink.h"

#include <string.h>

static const char *const order_names[] = {"LinkLimit", "LinkEnergize", "LinkSnapshot"};

static int send_order(struct pw_central *central, struct uplink *uplink, const struct order *order,
                      struct pw_out *why, struct pw_instant at)
{
    const struct pw_link_set_limit limit = {
        .connector = (uint8_t)order->connector,
        .limit_ma = order->ma,
        .lease_s = order->lease_s,
        .fallback_ma = order->fallback_ma,
        .reason = order->text,
    };
    const struct pw_link_energize energize = {
        .connector = (uint8_t)order->connector,
        .on = order->on,
        .force = order->force,
        .id_tag = order->text,
    };
    switch (order->kind) {
    case ORDER_LIMIT: return uplink_ask(central, uplink, PW_LINK_SET_LIMIT, &limit, why, at);
    case ORDER_ENERGIZE: return uplink_ask(central, uplink, PW_LINK_ENERGIZE, &energize, why, at);
    case ORDER_SNAPSHOT: return uplink_ask(central, uplink, PW_LINK_GET_ALL, NULL, why, at);
    }
    PW_UNREACHABLE();
}

int64_t order_add(struct pw_central *central, struct station *station, const struct order *order,
                  struct pw_str payload, struct pw_out *why, struct pw_instant at)
{
    struct uplink *uplink = station->uplink;
    int place = uplink != NULL ? send_order(central, uplink, order, why, at) : PW_ERR_BUSY;
    if (place < 0 && place != PW_ERR_BUSY) {
        return place;
    }
    bool offline = place == PW_ERR_BUSY;
    struct pw_str name = pw_str_of(order_names[order->kind]);
    const struct note note = {.action = name, .payload = payload, .offline = offline};
    int64_t id = command_note(central, station, &note, at);
    if (id > 0 && !offline) {
        uplink->asked[place].command = id;
        central->count.orders++;
    }
    return id;
}

// --- Answers.

static void put_answer(struct pw_out *out, const char *status, struct pw_str code,
                       struct pw_str text)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "status", status);
    if (code.len > 0) {
        pw_json_say_text(&json, "code", code);
    }
    if (text.len > 0) {
        pw_json_say_text(&json, "reason", text);
    }
    pw_json_close(&json, '}');
}

static void end_command(struct pw_central *central, int64_t id, const struct pw_link_report *report,
                        struct pw_instant at)
{
    char text[PW_LINK_WHY_MAX * 6 + 64];
    struct pw_out out = PW_OUT(text);
    if (report->code == PW_LINK_E_TIMEOUT) {
        command_end(central, id, "timeout", (struct pw_str){0}, at);
    } else if (report->code == PW_LINK_E_LOST) {
        // Whether it arrived is not known: it is never sent again, nobody may stand there now.
        command_end(central, id, "offline", (struct pw_str){0}, at);
    } else {
        bool done = report->news == PW_LINK_NEWS_SNAPSHOT || report->code == PW_LINK_E_NONE;
        struct pw_str code = done ? PW_STR("") : pw_str_of(pw_link_error_name(report->code));
        struct pw_str why = report->news == PW_LINK_NEWS_SNAPSHOT ? PW_STR("") : report->text;
        put_answer(&out, done ? "Accepted" : "Refused", code, why);
        command_end(central, id, "answered", pw_out_str(&out), at);
    }
}

void order_answered(struct pw_central *central, struct uplink *uplink,
                    const struct pw_link_report *report, struct pw_instant at)
{
    struct asked asked = uplink_answered(uplink, report->number, at);
    if (asked.push && uplink->station != NULL) {
        push_answered(central, uplink->station, report, at);
    }
    if (asked.command != 0) {
        end_command(central, asked.command, report, at);
    }
    // An order without an answer may have arrived or not: only load sharing knows what that means.
    if (asked.ticket != 0 && report->code != PW_LINK_E_TIMEOUT && report->code != PW_LINK_E_LOST) {
        pw_central_limit_answered(central, asked.ticket, report->code == PW_LINK_E_NONE,
                                  report->text, at);
    }
}

// --- Load sharing.

static bool reachable(void *context, struct pw_str id)
{
    const struct station *station = station_find(context, id);
    return station != NULL && station->uplink != NULL &&
           !pw_link_central_gone(&station->uplink->end);
}

static int set_limit(void *context, const struct pw_central_order *wanted, struct pw_instant at)
{
    struct pw_central *central = context;
    const struct station *station = station_find(central, wanted->station);
    char ignored[160];
    struct pw_out why = PW_OUT(ignored);
    const struct order order = {.kind = ORDER_LIMIT,
                                .connector = wanted->connector,
                                .ma = wanted->ma,
                                .lease_s = wanted->lease_ms / 1000,
                                .fallback_ma = wanted->fallback_ma,
                                .text = wanted->reason};
    if (station == NULL || station->uplink == NULL) {
        return PW_ERR_UNKNOWN;
    }
    int place = send_order(central, station->uplink, &order, &why, at);
    if (place < 0) {
        return place;
    }
    station->uplink->asked[place].ticket = wanted->ticket;
    central->count.orders++;
    return PW_OK;
}

void orders_carry_limits(struct pw_central *central)
{
    central->limiter = (struct pw_central_limiter){
        .context = central, .reachable = reachable, .set_limit = set_limit};
    pw_central_limit_by(central, &central->limiter);
}

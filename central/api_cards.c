// REST: sessions and cards.
#include "http.h"
#include "records.h"

#define ID_TAG_CHARS 20
#define NAME_CHARS   64

void api_sessions(struct http *http)
{
    struct session_filter filter = {.station = http_query(http, "station")};
    if (!http_query_int(http, "connector", 0, PW_CENTRAL_CONNECTORS - 1, -1, &filter.connector) ||
        !http_query_int(http, "before", 1, INT64_MAX, INT64_MAX, &filter.before) ||
        !http_query_int(http, "limit", 1, 500, 50, &filter.limit)) {
        return;
    }
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "sessions");
    pw_json_open(json, '[');
    report_sessions(http->central, json, &filter, http->at.wall);
    pw_json_close(json, ']');
    http_done(http, 200);
}

void api_session(struct http *http)
{
    int64_t id = 0;
    struct pw_json_writer *json = http_object(http);
    if (pw_parse_int(http->param, 1, INT64_MAX, &id) != PW_OK ||
        !report_session(http->central, json, id, http->at.wall)) {
        http_fail(http, 404, "not_found", "there is no session \"", http->param, "\"");
        return;
    }
    pw_json_key(json, "curve");
    pw_json_open(json, '{');
    report_session_curve(http->central, json, id);
    pw_json_close(json, '}');
    report_session_signed(http->central, json, id);
    http_done(http, 200);
}

void api_cards(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "cards");
    pw_json_open(json, '[');
    (void)report_cards(http->central, json, PW_STR(""), http->at.wall);
    pw_json_close(json, ']');
    http_done(http, 200);
}

void api_unknown_cards(struct http *http)
{
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "cards");
    pw_json_open(json, '[');
    report_unknown_cards(http->central, json);
    pw_json_close(json, ']');
    http_done(http, 200);
}

void api_card(struct http *http)
{
    http->json = PW_JSON_WRITER(&http->out);
    if (report_cards(http->central, &http->json, http->param, http->at.wall) != 1) {
        http_fail(http, 404, "not_found", "there is no card \"", http->param, "\"");
        return;
    }
    http->reply->status = 200;
    http->reply->content_type = "application/json";
    http->reply->body = pw_out_str(&http->out);
}

static bool id_tag_ok(struct pw_str id_tag)
{
    return id_tag.len > 0 && pw_json_chars(id_tag) <= ID_TAG_CHARS;
}

struct card_row {
    struct pw_str id_tag;
    struct pw_str status;
    struct pw_str parent;
    struct pw_str name;
    pw_unix_ms expires;
};

static struct pw_db_value optional(struct pw_str text)
{
    return text.len > 0 ? pw_db_text(text) : pw_db_null();
}

static bool keep_card(struct pw_central *central, const struct card_row *card, pw_ms now)
{
    struct pw_db_value args[] = {pw_db_text(card->id_tag), pw_db_text(card->status),
                                 optional(card->parent), db_time(card->expires),
                                 optional(card->name)};
    return db_write(central,
                    "INSERT INTO card (id_tag, status, parent, expires, name)"
                    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id_tag) DO UPDATE SET"
                    " status = $2, parent = $3, expires = $4, name = $5",
                    args, PW_COUNT(args), now) >= 0 &&
           db_write(central, "DELETE FROM unknown_card WHERE id_tag = $1", args, 1, now) >= 0;
}

int pw_central_card_add(struct pw_central *central, struct pw_str id_tag, struct pw_str name)
{
    if (!id_tag_ok(id_tag) || pw_json_chars(name) > NAME_CHARS) {
        return PW_ERR_RANGE;
    }
    struct card_row card = {.id_tag = id_tag, .status = PW_STR("Accepted"), .name = name};
    return keep_card(central, &card, 0) ? db_commit(central, (struct pw_instant){0}) : PW_ERR_STORE;
}

static bool read_expires(struct http *http, pw_unix_ms *expires)
{
    struct pw_str text;
    *expires = 0;
    if (!http_text(http, "expires", 40, false, &text)) {
        return false;
    }
    if (text.len > 0 && pw_parse_time(text, expires) != PW_OK) {
        http_fail(http, 400, "bad_value", "expires: \"", text,
                  "\" is not a time like 2026-01-31T12:00:00Z");
        return false;
    }
    return true;
}

void api_card_put(struct http *http)
{
    struct card_row card = {.id_tag = http->param};
    if (!id_tag_ok(http->param)) {
        http_fail(http, 400, "bad_value", "id_tag: \"", http->param,
                  "\" must have 1 to 20 characters");
        return;
    }
    if (!http_text(http, "status", 20, false, &card.status) ||
        !http_text(http, "parent", ID_TAG_CHARS, false, &card.parent) ||
        !http_text(http, "name", NAME_CHARS, false, &card.name) ||
        !read_expires(http, &card.expires)) {
        return;
    }
    if (card.status.len == 0) {
        card.status = PW_STR("Accepted");
    }
    if (!pw_str_is(card.status, "Accepted") && !pw_str_is(card.status, "Blocked")) {
        http_fail(http, 400, "bad_value", "status: \"", card.status,
                  "\" is neither Accepted nor Blocked");
        return;
    }
    if (!keep_card(http->central, &card, http->at.now)) {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    } else if (http_commit(http)) {
        lists_look(http->central, NULL, http->at.now);
        api_card(http);
    }
}

void api_card_delete(struct http *http)
{
    struct pw_db_value args[] = {pw_db_text(http->param)};
    int64_t rows = db_write(http->central, "DELETE FROM card WHERE id_tag = $1", args,
                            PW_COUNT(args), http->at.now);
    if (rows == 0) {
        http_fail(http, 404, "not_found", "there is no card \"", http->param, "\"");
    } else if (http_commit(http)) {
        lists_look(http->central, NULL, http->at.now);
        http_no_content(http);
    }
}

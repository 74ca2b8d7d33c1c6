// What is known of cards, and what is reserved.
#include "console/call.h"
#include "json/json.h"

#include <string.h>

enum { LIST_SHOWN = 40 }; // entries of the local list in one answer

static void put_place(struct pw_out *out, const struct pw_tag *tag)
{
    pw_put_s(out, tag->id_tag);
    pw_put_c(out, '\t');
    pw_put_s(out, pw_tag_status_name(tag->status));
    pw_put_s(out, tag->parent[0] != '\0' ? "\tgroup " : "");
    pw_put_s(out, tag->parent);
    if (tag->expires != 0) {
        pw_put_s(out, "\tuntil ");
        pw_put_time(out, tag->expires);
    }
    pw_put_c(out, '\n');
}

static void json_card(struct pw_json_writer *json, const struct pw_tag *tag)
{
    pw_json_open(json, '{');
    pw_json_say_s(json, "id_tag", tag->id_tag);
    pw_json_say_s(json, "status", pw_tag_status_name(tag->status));
    if (tag->parent[0] != '\0') {
        pw_json_say_s(json, "parent", tag->parent);
    }
    if (tag->expires != 0) {
        pw_json_key(json, "expires");
        pw_json_put_time(json, tag->expires);
    }
    pw_json_close(json, '}');
}

static void show(struct pw_console_call *call, struct pw_json_writer *json,
                 const struct pw_tag *tag)
{
    if (call->json) {
        json_card(json, tag);
    } else {
        put_place(call->answer, tag);
    }
}

// A part of the list, in the order of the ids; the word that follows is where to go on.
static void show_list(struct pw_console_call *call, struct pw_json_writer *json)
{
    const struct pw_station *st = call->st;
    pw_unix_ms wall = pw_station_wall(st, call->now);
    struct pw_tag tag = {.id_tag = ""};
    char after[PW_STORE_KEY_MAX + 1] = "";
    unsigned shown = 0;
    struct pw_str from = pw_console_word(call);
    pw_tags_after(&st->tags, from, after);
    int err = pw_tags_next(&st->tags, after, wall, &tag);
    for (; shown < LIST_SHOWN && err != PW_ERR_UNKNOWN && err != PW_ERR_STORE; shown++) {
        if (err == PW_OK) {
            show(call, json, &tag);
        }
        err = pw_tags_next(&st->tags, after, wall, &tag);
    }
    if (!call->json && shown == LIST_SHOWN && err == PW_OK) {
        pw_put_s(call->answer, "more: cards list CARD, from the last one shown\n");
    }
}

static void show_cache(struct pw_console_call *call, struct pw_json_writer *json)
{
    const struct pw_station *st = call->st;
    for (unsigned i = 0; i < PW_TAGS_CACHE_MAX; i++) {
        struct pw_tag tag = st->tags.cache[i].tag;
        if (tag.id_tag[0] != '\0') {
            // As it counts now: a date may be over.
            pw_unix_ms wall = pw_station_wall(st, call->now);
            if (tag.status == PW_TAG_ACCEPTED && tag.expires != 0 &&
                (wall == 0 || wall >= tag.expires)) {
                tag.status = PW_TAG_EXPIRED;
            }
            show(call, json, &tag);
        }
    }
}

static void json_cards(struct pw_console_call *call, bool list)
{
    const struct pw_tags *tags = &call->st->tags;
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "list_version", pw_tags_version(tags));
    pw_json_say_int(&json, "list_entries", tags->list.count);
    pw_json_say_int(&json, "cached", pw_tags_cached(tags));
    pw_json_key(&json, list ? "list" : "cache");
    pw_json_open(&json, '[');
    if (list) {
        show_list(call, &json);
    } else {
        show_cache(call, &json);
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
}

int pw_console_cards(struct pw_console_call *call)
{
    const struct pw_tags *tags = &call->st->tags;
    struct pw_str word = pw_console_word(call);
    bool list = pw_str_is(word, "list");
    if (word.len > 0 && !list) {
        return pw_console_refuse(call, PW_ERR_UNKNOWN, "cards, or cards list [CARD]");
    }
    if (call->json) {
        json_cards(call, list);
        return PW_OK;
    }
    pw_put_s(call->answer, "local list: version ");
    pw_put_int(call->answer, pw_tags_version(tags));
    pw_put_s(call->answer, ", entries ");
    pw_put_uint(call->answer, tags->list.count);
    pw_put_s(call->answer, "; cache: ");
    pw_put_uint(call->answer, pw_tags_cached(tags));
    pw_put_s(call->answer, " cards\n");
    if (list) {
        show_list(call, NULL);
    } else {
        show_cache(call, NULL);
    }
    return PW_OK;
}

static void json_reservation(struct pw_json_writer *json, const struct pw_reservation *row)
{
    pw_json_open(json, '{');
    pw_json_say_int(json, "reservation_id", row->id);
    pw_json_say_int(json, "connector_id", row->connector);
    pw_json_say_s(json, "id_tag", row->id_tag);
    if (row->parent[0] != '\0') {
        pw_json_say_s(json, "parent", row->parent);
    }
    pw_json_key(json, "expires");
    pw_json_put_time(json, row->expires);
    pw_json_close(json, '}');
}

static void put_reservation(struct pw_out *out, const struct pw_reservation *row)
{
    pw_put_int(out, row->id);
    pw_put_s(out, row->connector == 0 ? "\tany connector" : "\tconnector ");
    if (row->connector != 0) {
        pw_put_uint(out, row->connector);
    }
    pw_put_c(out, '\t');
    pw_put_s(out, row->id_tag);
    pw_put_s(out, row->parent[0] != '\0' ? ", group " : "");
    pw_put_s(out, row->parent);
    pw_put_s(out, "\tuntil ");
    pw_put_time(out, row->expires);
    pw_put_c(out, '\n');
}

int pw_console_reservations(struct pw_console_call *call)
{
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    bool any = false;
    if (call->json) {
        pw_json_open(&json, '{');
        pw_json_key(&json, "reservations");
        pw_json_open(&json, '[');
    }
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        const struct pw_reservation *row = &call->st->reservations.row[i];
        if (row->expires == 0) {
            continue;
        }
        any = true;
        if (call->json) {
            json_reservation(&json, row);
        } else {
            put_reservation(call->answer, row);
        }
    }
    if (call->json) {
        pw_json_close(&json, ']');
        pw_json_close(&json, '}');
        pw_put_c(call->answer, '\n');
    } else if (!any) {
        return pw_console_done(call, "nothing is reserved");
    }
    return PW_OK;
}

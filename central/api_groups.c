// REST: load groups.
#include "groups.h"

#define HOUR_MS INT64_C(3600000)

static struct group *find(struct http *http)
{
    struct group *group = group_find(http->central, http->param);
    if (group == NULL) {
        http_fail(http, 404, "not_found", "there is no load group \"", http->param, "\"");
    }
    return group;
}

void api_groups(struct http *http)
{
    const struct groups *groups = http->central->groups;
    struct pw_json_writer *json = http_object(http);
    pw_json_key(json, "groups");
    pw_json_open(json, '[');
    for (size_t i = 0; i < groups->count; i++) {
        group_summary(http->central, json, groups->group[i]);
    }
    pw_json_close(json, ']');
    http_done(http, 200);
}

static void put_group(struct http *http, const struct group *group, int status)
{
    group_report(http->central, http_object(http), group);
    http_done(http, status);
}

void api_group(struct http *http)
{
    const struct group *group = find(http);
    if (group != NULL) {
        put_group(http, group, 200);
    }
}

void api_group_put(struct http *http)
{
    if (!station_id_ok(http->param)) {
        http_fail(http, 400, "bad_value", "id: \"", http->param,
                  "\" is not allowed; use 1 to 48 letters, digits or _.:@=*+-");
        return;
    }
    bool known = group_find(http->central, http->param) != NULL;
    struct group *group = group_read(http, http->param);
    if (group == NULL) {
        return;
    }
    int result = group_put(http->central, group, http->at);
    if (result == PW_OK) {
        put_group(http, group, known ? 200 : 201);
        return;
    }
    group_free(group);
    if (result == PW_ERR_LIMIT) {
        http_fail(http, 409, "exists", "there are 200 load groups already", PW_STR(""), "");
    } else {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    }
}

void api_group_delete(struct http *http)
{
    struct group *group = find(http);
    if (group == NULL) {
        return;
    }
    if (group_remove(http->central, group, http->at) == PW_OK) {
        http_no_content(http);
    } else {
        http_fail(http, 503, "store", "the database did not take it; try again", PW_STR(""), "");
    }
}

void api_group_history(struct http *http)
{
    const struct group *group = find(http);
    pw_unix_ms from = 0;
    pw_unix_ms to = 0;
    if (group == NULL || !http_query_time(http, "to", http->at.wall, &to) ||
        !http_query_time(http, "from", to - HOUR_MS, &from)) {
        return;
    }
    group_history_report(http->central, http_object(http), group, from, to);
    http_done(http, 200);
}

#include "station.h"

const char *station_called(const struct bench *bench, uint64_t link)
{
    for (size_t i = bench->sent_count; i > 0 && i + SENT_MAX > bench->sent_count; i--) {
        const struct sent *sent = &bench->sent[(i - 1) % SENT_MAX];
        if (sent->link == link && strncmp(sent->text, "[2,", 3) == 0) {
            return sent->text;
        }
    }
    return "";
}

void station_answers(struct bench *bench, uint64_t link, const char *payload)
{
    char id[40];
    char text[8192];
    struct pw_str call = pw_str_of(station_called(bench, link));
    (void)pw_str_cut(&call, '"');
    assert_int_equal(pw_str_copy(id, sizeof(id), pw_str_cut(&call, '"')), PW_OK);
    (void)snprintf(text, sizeof(text), "[3,\"%s\",%s]", id, payload);
    bench_text(bench, link, text);
}

void station_says(struct bench *bench, uint64_t link, const char *action, const char *payload)
{
    static unsigned number;
    char text[8192];
    char head[32];
    (void)snprintf(head, sizeof(head), "[3,\"s%u\"", ++number);
    (void)snprintf(text, sizeof(text), "[2,\"s%u\",\"%s\",%s]", number, action, payload);
    size_t before = bench->sent_count;
    bench_text(bench, link, text);
    bench_pass(bench, PW_CENTRAL_COMMIT_MS);
    for (size_t i = before; i < bench->sent_count; i++) {
        if (strncmp(bench->sent[i % SENT_MAX].text, head, strlen(head)) == 0) {
            return;
        }
    }
    fail_msg("%s %s was not answered with a result: %s", action, payload, bench_last(bench, link));
}

const char *people(struct bench *bench, int status, enum pw_http_method method, const char *target,
                   const char *body)
{
    int given = bench_http(bench, method, target, body);
    if (given != status) {
        fail_msg("%s %s: %d, not %d: %s", target, body, given, status, bench->body);
    }
    return bench->body;
}

int64_t people_ask(struct bench *bench, const char *id, const char *command)
{
    char target[96];
    int64_t number = 0;
    (void)snprintf(target, sizeof(target), "/api/v1/stations/%s/commands", id);
    const char *at = strstr(people(bench, 202, PW_HTTP_POST, target, command), "\"command_id\":");
    assert_non_null(at);
    struct pw_str rest = pw_str_of(at + 13);
    assert_int_equal(pw_parse_int(pw_str_cut(&rest, ','), 1, INT64_MAX, &number), PW_OK);
    return number;
}

const char *command_shown(struct bench *bench, int64_t id)
{
    char target[64];
    (void)snprintf(target, sizeof(target), "/api/v1/commands/%lld", (long long)id);
    return people(bench, 200, PW_HTTP_GET, target, "");
}

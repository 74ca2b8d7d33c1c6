// http: one request as the files of the REST interface share it.
#ifndef PW_CENTRAL_HTTP_H
#define PW_CENTRAL_HTTP_H

#include "state.h"

// Who may use a route. From VIEWER on: people and tokens of at least this role.
enum access { OPEN, VIEWER = ROLE_VIEWER, OPERATOR = ROLE_OPERATOR, ADMIN = ROLE_ADMIN };

struct http;

struct route {
    enum pw_http_method method;
    const char *path; // '*' stands for one segment
    void (*serve)(struct http *http);
    enum access access;
    bool body;
};

extern const struct route http_routes[];
extern const size_t http_route_count;

struct http {
    struct pw_central *central;
    const struct pw_http_request *request;
    struct pw_http_reply *reply;
    struct pw_instant at;
    struct pw_str param; // what stands for the '*' of the path
    struct login *login; // NULL without a login
    struct token token;  // id 0: it is no program
    enum role role;
    struct pw_out out; // the body being written
    struct pw_json_writer json;
    const struct pw_json_node *body; // of requests that have one: an object
};

// Answers with an error; the message is made of up to three parts.
void http_fail(struct http *http, int status, const char *code, const char *a, struct pw_str b,
               const char *c);
// A query parameter's value; empty without it.
struct pw_str http_query(const struct http *http, const char *key);
// A whole number from the query, or `otherwise` when it is not there. False after answering 400.
bool http_query_int(struct http *http, const char *key, int64_t min, int64_t max, int64_t otherwise,
                    int64_t *value);
// An instant from the query, or `otherwise`. False after answering 400.
bool http_query_time(struct http *http, const char *key, pw_unix_ms otherwise, pw_unix_ms *value);
// A text member of the body, at most `max` characters; empty view when absent or null. False after
// answering 400 (also when it is missing and `must`).
bool http_text(struct http *http, const char *key, size_t max, bool must, struct pw_str *value);
// Starts the answer's JSON object, and ends it with a status.
struct pw_json_writer *http_object(struct http *http);
void http_done(struct http *http, int status);
void http_no_content(struct http *http);
// Makes what was changed durable. False after answering 503.
bool http_commit(struct http *http);
// The station of the path. NULL after answering 404.
struct station *http_station(struct http *http);

// The name of the person or program that asks; "" for nobody.
const char *http_who(const struct http *http);

// False after answering 403: who asks has not this role.
bool http_may(struct http *http, enum access least);

// login.c
// The login of a cookie and its user's role as it is now; NULL without one.
struct login *login_of(struct pw_central *central, struct pw_str cookie, enum role *role,
                       pw_ms now);
void api_login(struct http *http);
void api_logout(struct http *http);
void api_me(struct http *http);
void api_my_password(struct http *http);

// users.c
const char *role_name(enum role role);
enum role role_find(struct pw_str name); // ROLE_NONE: it is none
bool user_name_ok(struct pw_str name);
bool account_read(const struct pw_central *central, struct pw_str name, struct account *account);
// Whether this is a token that holds at `wall`; costs the same when there is none. One holds as
// long as its maker's account does, and with no more than its role.
bool token_read(struct pw_central *central, struct pw_str given, pw_unix_ms wall,
                struct token *token);
// Writes a token (its id is not used) into the batch; its id, and in `made` what a program shows.
// PW_ERR_STORE, PW_ERR_BUG.
int64_t token_add(struct pw_central *central, const struct token *wanted, char made[TOKEN_TEXT_MAX],
                  struct pw_instant at);
// Ends the event streams of tokens that hold no more.
void tokens_check(struct pw_central *central, pw_unix_ms wall);
// The name that its event streams have.
void token_stream(const struct token *token, char to[TOKEN_MAX]);

// api_users.c
void api_users(struct http *http);
void api_user_add(struct http *http);
void api_user_put(struct http *http);
void api_user_delete(struct http *http);
void api_user_password(struct http *http);
void api_tokens(struct http *http);
void api_token_add(struct http *http);
void api_token_delete(struct http *http);

// api_stations.c
void api_stations(struct http *http);
void api_station_add(struct http *http);
void api_station(struct http *http);
void api_station_delete(struct http *http);
void api_measurements(struct http *http);
void api_log(struct http *http);
void api_refused(struct http *http);

// api_commands.c
void api_command_add(struct http *http);
void api_command(struct http *http);
void api_commands(struct http *http);
void api_actions(struct http *http);
// Checks a payload against the rows of its message, queues it, and answers 202, or why not.
void http_command(struct http *http, struct station *station, int action, struct pw_str payload);
// Answers for what has been queued: `id` as command_queue gives it.
void http_queued(struct http *http, struct station *station, int64_t id);

// api_control.c
void api_configuration(struct http *http);
void api_configuration_put(struct http *http);
void api_configuration_read(struct http *http);
void api_list(struct http *http);
void api_list_put(struct http *http);
void api_reservations(struct http *http);
void api_reservation_add(struct http *http);
void api_reservation_delete(struct http *http);
void api_profiles(struct http *http);
void api_profile_put(struct http *http);
void api_profile_delete(struct http *http);
void api_composite(struct http *http);

// api_security.c
void api_files(struct http *http);
void api_firmware(struct http *http);
void api_logs_ask(struct http *http);
void api_security_events(struct http *http);
void api_all_security_events(struct http *http);
void api_certificates(struct http *http);
void api_certificate_add(struct http *http);
void api_certificates_read(struct http *http);
void api_certificate_delete(struct http *http);
void api_certificate_renew(struct http *http);
void api_certificate_revoke(struct http *http);
void api_key_change(struct http *http);
void api_security(struct http *http);
void api_security_put(struct http *http);

// api_link.c
void api_link_limit(struct http *http);
void api_link_energize(struct http *http);
void api_link_snapshot(struct http *http);
void api_link_events(struct http *http);
void api_lines(struct http *http);

// api_cards.c
void api_sessions(struct http *http);
void api_session(struct http *http);
void api_cards(struct http *http);
void api_unknown_cards(struct http *http);
void api_card(struct http *http);
void api_card_put(struct http *http);
void api_card_delete(struct http *http);

// api_groups.c
void api_groups(struct http *http);
void api_group(struct http *http);
void api_group_put(struct http *http);
void api_group_delete(struct http *http);
void api_group_history(struct http *http);

// api_rollouts.c
void api_rollouts(struct http *http);
void api_rollout_add(struct http *http);
void api_rollout_plan(struct http *http);
void api_rollout(struct http *http);
void api_rollout_delete(struct http *http);
void api_rollout_pause(struct http *http);
void api_rollout_resume(struct http *http);
void api_rollout_cancel(struct http *http);
void api_rollout_retry(struct http *http);

// metrics.c
void api_metrics(struct http *http);
void api_health(struct http *http);

#endif

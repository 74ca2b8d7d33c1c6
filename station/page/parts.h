// parts: one request as the files of the page share it. Nobody else includes this.
#ifndef PW_PAGE_PARTS_H
#define PW_PAGE_PARTS_H

#include "page/page.h"

struct call {
    struct pw_page *page;
    const struct pw_http_request *request;
    struct pw_http_reply *reply;
    pw_ms now;
    pw_unix_ms wall;
    struct pw_str param;         // what stands for the '*' of the path
    struct pw_page_login *login; // NULL without a login
    bool inside;
    struct pw_out out; // the body being written
    struct pw_json_writer json;
    const struct pw_json_node *body; // of requests that have one: an object
};

// page.c: answers. The message is made of up to three parts.
void pw_page_fail(struct call *call, int status, const char *code, const char *a, struct pw_str b,
                  const char *c);
struct pw_json_writer *pw_page_object(struct call *call);
void pw_page_done(struct call *call, int status);
// A station's command whose answer is the body, one JSON object.
void pw_page_report(struct call *call, const char *line);
// Card ids in a status object, for people outside: all but the last four characters become '*'.
void pw_page_mask(char *json, size_t len);

// login.c
bool pw_page_has_password(const struct pw_page *page);
// No password was ever given, so that whoever sits at this machine may look. One that cannot be
// opened is not none.
bool pw_page_is_open(const struct pw_page *page);
struct pw_page_login *pw_page_login_of(struct pw_page *page, const struct pw_http_request *request,
                                       pw_ms now);
bool pw_page_login_lives(const struct pw_page *page, const char *token);
// Ends all logins when the password is another one than before.
void pw_page_login_follow(struct pw_page *page);
void pw_page_api_me(struct call *call);
void pw_page_api_login(struct call *call);
void pw_page_api_logout(struct call *call);

// api.c
void pw_page_api_status(struct call *call);
void pw_page_api_limits(struct call *call);
void pw_page_api_schedule(struct call *call);
void pw_page_api_faults(struct call *call);
void pw_page_api_house_history(struct call *call);
void pw_page_api_charges(struct call *call);
void pw_page_api_reservations(struct call *call);
void pw_page_api_profiles(struct call *call);
void pw_page_api_cards(struct call *call);
void pw_page_api_security(struct call *call);
void pw_page_api_security_check(struct call *call);
void pw_page_api_certificate(struct call *call);
void pw_page_api_certificate_new(struct call *call);
void pw_page_api_history(struct call *call);
void pw_page_api_debug(struct call *call);
void pw_page_api_about(struct call *call);
void pw_page_api_settings(struct call *call);
void pw_page_api_setting_put(struct call *call);
void pw_page_api_log(struct call *call);
void pw_page_api_start(struct call *call);
void pw_page_api_stop(struct call *call);
void pw_page_api_limit(struct call *call);
void pw_page_api_now(struct call *call);
void pw_page_api_until(struct call *call);
void pw_page_api_clear(struct call *call);
void pw_page_api_factory_reset(struct call *call);
void pw_page_api_enable(struct call *call);
void pw_page_api_disable(struct call *call);
void pw_page_api_health(struct call *call);

// network.c
// The station's access point stands, and nobody has set page.password: its own password logs in.
bool pw_page_sets_up(const struct pw_page *page);
// A host that is not ours, asked over the access point: telephones look for a way in. True: they
// have been sent to the page.
bool pw_page_catch(struct call *call);
void pw_page_api_network(struct call *call);
void pw_page_api_network_scan(struct call *call);
void pw_page_api_network_wifi(struct call *call);

// api.c: a line of the console. Its sentence is the answer, or the error.
void pw_page_run(struct call *call, struct pw_str line);
// Nothing but printed characters.
bool pw_page_is_printed(struct pw_str text);
void pw_page_log_line(struct pw_json_writer *json, const struct pw_logring_line *line);

// update.c
void pw_page_api_update(struct call *call);
void pw_page_api_update_check(struct call *call);
void pw_page_api_update_cancel(struct call *call);
void pw_page_api_update_file(struct call *call);
// The request may upload: bytes it may have, or 0 after answering.
uint64_t pw_page_update_takes(struct call *call);
void pw_page_update_closed(struct pw_page *page, uint64_t stream);

// board.c
void pw_page_api_rapi(struct call *call);
// Has requests that wait for a board served again. Returns when it wants to be called next.
pw_ms pw_page_asked_step(struct pw_page *page, pw_ms now);
void pw_page_asked_closed(struct pw_page *page, uint64_t request);

// stream.c
void pw_page_api_events(struct call *call);
pw_ms pw_page_stream_step(struct pw_page *page, bool changed, pw_ms now);

#endif

// page_desk: the station's own page and one browser: a whole station on a simulated store, in
// virtual time, without a socket.
#ifndef PW_TEST_PAGE_DESK_H
#define PW_TEST_PAGE_DESK_H

#include "page/page.h"
#include "simstore.h"

#define PASSWORD "correct horse"

struct desk {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_station station;
    struct pw_page page;
    struct pw_logring ring;
    pw_ms now;
    uint64_t woken; // the stream that has something to say
    // The browser: whom it asks, from where, and what it was given.
    const char *host;
    const char *origin;
    const char *address;
    bool secure; // it came over TLS
    char cookie[80];
    char csrf[PW_PAGE_TOKEN_MAX];
    struct pw_http_reply reply;
};

extern struct desk desk;

// A station with one dc connector, and the page's password; "": none. More settings may follow.
void desk_begin(const char *password);
void desk_set(const char *path, const char *value, enum pw_setting_by by);
int desk_random(void *context, uint8_t *to, size_t len); // never the same bytes
// Starts it, with what `with` has besides settings, store, log, seed and time.
void desk_start(const struct pw_station_start *with);
void desk_close(void);

// One request as our own page in a browser sends it: its status.
int ask_with(enum pw_http_method method, const char *path, const char *query, const char *body);
int ask(enum pw_http_method method, const char *path, const char *body);
bool says(const char *what); // the last answer
// The status; with 200 the browser keeps cookie and token.
int log_in(const char *password);

#endif

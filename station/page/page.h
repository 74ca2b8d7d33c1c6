// page: the station's own page and its interface, as a site of core/http. It shows what the console
// shows and does what the console does, through the same functions (pw_station_command); nothing
// here decides anything about charging. Pure: the port carries the bytes, time is an argument.
//
// Who may what:
//   everybody       page, status, limits, faults, history, events; card ids are masked
//   inside          settings and log as well: who has logged in, and, while there is no password,
//                   who asks from this machine (loopback)
//   logged in       changes; each needs the token of the login in the header X-CSRF
// A login needs the secret setting page.password; without one the page only shows, but for one
// thing: while the station's own access point stands, that one's password logs in to set up the
// network, and nothing else. Who knows it stands before the display, or has read the console.
#ifndef PW_PAGE_H
#define PW_PAGE_H

#include "http/guesses.h"
#include "http/http.h"
#include "json/json.h"
#include "logring/logring.h"
#include "page/history.h"
#include "page/house_history.h"
#include "station.h"

#define PW_PAGE_BODY_MAX    4096   // bytes of a request's body
#define PW_PAGE_REPLY_MAX   196608 // bytes of an answer
#define PW_PAGE_LOGINS_MAX  8      // at once; the one idle for longest goes first
#define PW_PAGE_ASKED_MAX   4      // commands to boards at once
#define PW_PAGE_STREAMS_MAX 8      // event streams at once
#define PW_PAGE_IDLE_MS     (UINT64_C(12) * 3600 * 1000) // a login ends after this long unused
#define PW_PAGE_TOKEN_MAX   33                           // 32 hex digits and NUL

// What the page asks of its port. Neither may call back into the page.
struct pw_page_port {
    void *context;
    // Fills `to` with unpredictable bytes; anything but PW_OK: there are none.
    int (*random)(void *context, uint8_t *to, size_t len);
    void (*stream_ready)(void *context, uint64_t stream);
};

// What the program says of itself. Texts live as long as the page.
struct pw_page_library {
    const char *name;
    const char *version; // "": not known
    const char *licence; // as SPDX writes it
};

struct pw_page_about {
    const char *program;
    const char *version;
    const char *build; // compiler, kind of build, machine
    const char *licence;
    const struct pw_page_library *library;
    size_t libraries;
};

struct pw_page_config {
    struct pw_station *station;
    const struct pw_page_port *port;
    const struct pw_page_about *about; // NULL: it says nothing
    const struct pw_logring *log;      // NULL: there is none
    const struct pw_http_asset *asset;
    size_t asset_count; // 0: built without pages
    struct pw_str host; // name under which browsers reach it, beside addresses; empty: none
};

// What a login may change.
enum pw_page_right {
    PW_PAGE_ALL,    // page.password was given
    PW_PAGE_SET_UP, // the access point's: the network, while that stands
};

struct pw_page_login {
    enum pw_page_right right;
    char token[PW_PAGE_TOKEN_MAX]; // "": free
    char csrf[PW_PAGE_TOKEN_MAX];
    pw_ms used;
};

// A request that waits for the answer of a board.
struct pw_page_asked {
    uint64_t request;   // as the port counts streams
    unsigned connector; // from 1; 0: free
    uint32_t ticket;
    pw_ms at;
};

struct pw_page_stream {
    bool open;
    uint64_t number;
    char token[PW_PAGE_TOKEN_MAX]; // of the login it lives by; "": none
    bool inside;
    bool due;      // the present state is to be sent
    pw_ms sent_at; // when it last was
    uint64_t log_cursor;
};

// A release that a browser uploads.
struct pw_page_upload {
    uint64_t stream; // of the request; 0: none
    uint64_t offset;
    int err; // why it was refused: PW_OK, it was not
    char why[PW_TRANSFER_WHY_MAX];
};

// All state of the page; the caller owns it, about 290 KiB.
struct pw_page {
    struct pw_page_config config;
    struct pw_page_login login[PW_PAGE_LOGINS_MAX];
    struct pw_page_stream stream[PW_PAGE_STREAMS_MAX];
    struct pw_page_asked asked[PW_PAGE_ASKED_MAX];
    struct pw_page_upload upload;
    struct pw_guesses guesses;
    char password[PW_SETTING_BYTES_PAGE_PASSWORD]; // as of the last look; another one ends all
                                                   // logins
    uint32_t seen[PW_CONNECTORS_MAX];              // what was last told of each connector, as a sum
    struct pw_history history[PW_CONNECTORS_MAX];
    struct pw_house_history house;
    pw_ms sampled_at; // PW_NEVER: not yet
    pw_ms look_at;    // when changes are looked for again
    pw_ms now;        // of the last call
    struct pw_json_node node[64];
    char spare[PW_PAGE_BODY_MAX];
    char reply[PW_PAGE_REPLY_MAX];
};

// The configuration is copied; what it points to outlives the page.
void pw_page_init(struct pw_page *page, const struct pw_page_config *config, pw_ms now);

// Samples the history, finds changes, and wakes streams. Call it once a turn; returns when it wants
// to be called next.
pw_ms pw_page_step(struct pw_page *page, pw_ms now);

// The functions of struct pw_http_site, with the page as context.
void pw_page_serve(void *context, const struct pw_http_request *request,
                   struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
uint64_t pw_page_takes(void *context, const struct pw_http_request *request,
                       struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
int pw_page_piece(void *context, uint64_t stream, struct pw_str bytes, pw_ms now);
int pw_page_stream_take(void *context, uint64_t number, char *to, size_t cap);
void pw_page_stream_closed(void *context, uint64_t number);

#endif

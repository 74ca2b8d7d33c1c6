// openevse_api: the station as an OpenEVSE gateway, as a site of core/http: evcc's `openevse`
// charger and Home Assistant's OpenEVSE integration use it unchanged. Connector 1, whatever its
// kind; `?connector=2` in the query for others. doc/openevse-api.md lists every request and field.
//
// It reads views and settings and changes things only through lines of the console
// (pw_station_command) and the board's own line (pw_station_board_ask): one way to do a thing, one
// set of refusals. Claims are kept here: the manual override is the claim of client 65537; of all
// states that of the highest priority counts, of all currents the least. What comes of them is the
// row `claim` of the connector's limit stack: an OpenEVSE client can lower and pause, and start a
// charge that waits for somebody to start it; it cannot raise what others have lowered.
//
// Who may what: with openevse_api.password set, whoever knows it (HTTP Basic) everything and others
// nothing. Without one everybody may look, and changes are taken from this machine only. Wrong
// passwords cost time (core/http/guesses). Host and Origin as at the station's page.
//
// Pure: the port carries the bytes, time is an argument. Sources: the public interface of the
// OpenEVSE gateway and its clients; facts/ac-evse-rapi-load.md §7.3, §8; facts/reliability.md T41.
#ifndef PW_OPENEVSE_API_H
#define PW_OPENEVSE_API_H

#include "http/guesses.h"
#include "http/http.h"
#include "json/json.h"
#include "schedule/schedule.h"
#include "station.h"

#define PW_OPENEVSE_API_BODY_MAX    4096  // bytes of a request's body
#define PW_OPENEVSE_API_REPLY_MAX   8192  // bytes of an answer
#define PW_OPENEVSE_API_CLAIMS_MAX  8     // of a connector; the override is one of them
#define PW_OPENEVSE_API_SOCKETS_MAX 8     // WebSockets at once
#define PW_OPENEVSE_API_ASKS_MAX    4     // raw commands that wait for a board
#define PW_OPENEVSE_API_EVENTS_MAX  32    // of the schedule
#define PW_OPENEVSE_API_ROWS_MAX    80    // fields of the status
#define PW_OPENEVSE_API_ASK_MS      20000 // a board that has not answered by then has not

// What it asks of its port. Must not call back.
struct pw_openevse_api_port {
    void *context;
    void (*stream_ready)(void *context, uint64_t stream);
};

struct pw_openevse_api_config {
    struct pw_station *station;
    const struct pw_openevse_api_port *port;
    struct pw_str host; // name under which browsers reach it, beside addresses; empty: none
};

enum pw_openevse_claim_state {
    PW_OPENEVSE_CLAIM_NONE,
    PW_OPENEVSE_CLAIM_ACTIVE,
    PW_OPENEVSE_CLAIM_DISABLED
};

struct pw_openevse_claim {
    uint32_t client; // 0: free row
    uint32_t priority;
    enum pw_openevse_claim_state state;
    int32_t charge_a;  // -1: none
    int32_t max_a;     // -1: none
    bool auto_release; // it goes when the vehicle does
};

struct pw_openevse_event {
    uint32_t id;     // 0: free row
    bool active;     // what the station is from then on
    uint8_t days;    // bit 0 Monday
    uint16_t minute; // of the day, local
};

struct pw_openevse_socket {
    bool open;
    bool pong; // a ping is to be answered
    bool due;  // changes are to be sent
    uint64_t number;
    unsigned connector; // index from 0
    pw_ms sent_at;
    uint32_t said[PW_OPENEVSE_API_ROWS_MAX]; // sums of the values it knows
};

struct pw_openevse_ask {
    uint64_t stream; // 0: free row
    uint32_t ticket;
    unsigned connector;
    pw_ms until;
    pw_ms look_at;
};

// All state; the caller owns it, about 20 KiB.
struct pw_openevse_api {
    struct pw_openevse_api_config config;
    struct pw_guesses guesses;
    struct pw_openevse_claim claim[PW_CONNECTORS_MAX][PW_OPENEVSE_API_CLAIMS_MAX];
    struct {
        int32_t ma; // the claim as the limit stack has it; -1: none
        bool plugged;
        bool known; // `plugged` has been looked at
        bool now;   // "charge now" is in force because of a claim
    } applied[PW_CONNECTORS_MAX];
    bool adjustable; // charging.remote_adjust at the last look
    struct pw_openevse_event event[PW_OPENEVSE_API_EVENTS_MAX];
    char plan[PW_SETTING_BYTES_WEEKLY_PLAN]; // schedule.weekly as the events have made it
    struct pw_openevse_socket socket[PW_OPENEVSE_API_SOCKETS_MAX];
    struct pw_openevse_ask ask[PW_OPENEVSE_API_ASKS_MAX];
    // Counted up with every change; clients fetch again what has a new number.
    uint32_t config_version, claims_version, override_version, schedule_version, limit_version;
    uint32_t config_sum, limit_sum;
    pw_ms look_at;
    pw_ms restart_at; // PW_NEVER: nobody asked for one
    pw_ms now;        // of the last call
    pw_unix_ms wall;
    struct pw_json_node node[256];
    char spare[PW_OPENEVSE_API_BODY_MAX];
    char reply[PW_OPENEVSE_API_REPLY_MAX];
};

// The configuration is copied; what it points to outlives the interface.
void pw_openevse_api_init(struct pw_openevse_api *api, const struct pw_openevse_api_config *config,
                          pw_ms now);

// Follows plugs and claims, wakes requests and sockets. Once a turn, after the station's step;
// returns when it wants to be called next.
pw_ms pw_openevse_api_step(struct pw_openevse_api *api, pw_ms now);

// The functions of struct pw_http_site, with the interface as context.
void pw_openevse_api_serve(void *context, const struct pw_http_request *request,
                           struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
int pw_openevse_api_stream_take(void *context, uint64_t stream, char *to, size_t cap);
void pw_openevse_api_stream_closed(void *context, uint64_t stream);
void pw_openevse_api_socket(void *context, const struct pw_http_request *request,
                            struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall);
void pw_openevse_api_message(void *context, uint64_t stream, struct pw_str text, pw_ms now);

// The state of a connector as OpenEVSE numbers it: 1 nobody, 2 vehicle, 3 charging, 4 wants
// ventilation, 5 to 17 faults, 254 sleeping, 255 disabled.
uint8_t pw_openevse_api_state(const struct pw_connector_view *view);

#endif

// network: the station's own network connection. Two known networks (network.ssid1 and 2), the
// first one that a scan shows is joined; when none can be, the station opens an access point of its
// own, over which a person can tell it another network, and goes back to a known one as soon as
// that is in reach again. A cable counts as connected: the radio then rests. Nothing here ends
// charging, and no state is final: every one has a deadline or an event that leads on.
//
// Bounds, while a radio and its service are there:
//   from the loss of the network (or the start) to the order for the access point, 120 s at most;
//   the access point stands at least 60 s between two looks for the known networks, which are at
//   most five minutes apart (or network.retry_ms, when that is more);
//   whoever is joined to it puts off the next look, by 30 minutes at most: a telephone that is left
//   joined must not keep the station away from its network.
//
// Pure: time is an argument, the port tells facts and carries out orders (wireless/wireless.h).
// Sources: facts/ac-evse-rapi-load.md §6 items 5 and 6, §3.4 (an open access point, passwords
// told).
#ifndef PW_NETWORK_H
#define PW_NETWORK_H

#include "settings/settings.h"
#include "store/store.h"
#include "wireless/wireless.h"

#define PW_NETWORK_KNOWN       2
#define PW_NETWORK_SCAN_MS     15000   // a scan that takes longer has failed
#define PW_NETWORK_JOIN_MS     30000   // ... and an attempt to join, or to open
#define PW_NETWORK_SEARCH_MS   45000   // a new round of attempts begins no later than this
#define PW_NETWORK_STABLE_MS   60000   // a connection this old was a good one
#define PW_NETWORK_AP_LEAST_MS 60000   // the access point stands this long
#define PW_NETWORK_RETRY_MOST  300000  // ms
#define PW_NETWORK_GUEST_MS    1800000 // guests put off the next look by this much at most
#define PW_NETWORK_USED_MS     120000  // ... and by who used its set-up page this long ago
#define PW_NETWORK_ASKED_MS    1000    // until the access point closes for a scan asked for over it
#define PW_NETWORK_SETTLE_MS   3000    // after a change of settings, for the rest of them
#define PW_NETWORK_AP_PASSWORD 12      // characters: 31 to choose from each, 59 bits
#define PW_NETWORK_FALLBACK_MS 120000  // the first bound above

// clang-format off
// One row a state.
//   order   what the radio is told on entering; NONE: it is left as it is
//   most    ms after which the state has failed; 0: it may last
//   scans   the radio can scan without leaving the state
#define PW_NETWORK_STATES(X)                                                                       \
    /*  state      text             order  most                scans                             */ \
    X( OFF,       "off",            NONE,  0,                  NO  ) /* network.managed is off   */ \
    X( ABSENT,    "no service",     NONE,  0,                  NO  ) /* NetworkManager is away   */ \
    X( WIRED,     "wired",          LEAVE, 0,                  YES ) /* a cable is connected     */ \
    X( NO_RADIO,  "no radio",       NONE,  0,                  NO  ) /* none, or switched off    */ \
    X( SCANNING,  "scanning",       SCAN,  PW_NETWORK_SCAN_MS, NO  ) /* which ones are in reach  */ \
    X( JOINING,   "joining",        JOIN,  PW_NETWORK_JOIN_MS, NO  ) /* one of them              */ \
    X( JOINED,    "joined",         NONE,  0,                  YES ) /* and has an address       */ \
    X( WAITING,   "waiting",        NONE,  0,                  NO  ) /* for the next round       */ \
    X( OPENING,   "opening",        OPEN,  PW_NETWORK_JOIN_MS, NO  ) /* the access point         */ \
    X( HOST,      "access point",   NONE,  0,                  NO  ) /* people can set it up     */
// clang-format on

#define PW_NETWORK_STATE_ID(name, text, order, most, scans) PW_NETWORK_##name,
enum pw_network_state { PW_NETWORK_STATES(PW_NETWORK_STATE_ID) PW_NETWORK_STATE_ROWS };
#undef PW_NETWORK_STATE_ID

// Unpredictable bytes, for the access point's password; anything but PW_OK: there are none.
struct pw_network_port {
    void *context;
    int (*random)(void *context, uint8_t *to, size_t len);
};

struct pw_network_config {
    const struct pw_settings *settings; // outlives the network; read anew in each step
    const struct pw_store *store;       // keeps the access point's password
    const struct pw_network_port *port; // NULL: this program cannot set up networks
    const struct pw_log *log;
};

// A known network as last read from the settings.
struct pw_network_known {
    char ssid[PW_WIRELESS_SSID_MAX];
    char password[PW_WIRELESS_PASSWORD_MAX];
};

// All state; the caller owns it. About 1.5 KiB.
struct pw_network {
    struct pw_network_config config;
    enum pw_network_state state;
    const char *why; // of the state, a literal
    pw_ms since;
    struct pw_network_known known[PW_NETWORK_KNOWN];
    char ap_ssid[PW_WIRELESS_SSID_MAX];
    char ap_password[PW_NETWORK_AP_PASSWORD + 1];

    struct pw_wireless_facts facts;
    struct pw_wireless_found found[PW_WIRELESS_FOUND_MAX];
    uint8_t found_count;
    pw_ms found_at; // PW_NEVER: never scanned

    struct pw_wireless_order order; // newest; number 0: none yet
    bool order_waits;               // for the port to take it
    bool ended;                     // the port told how `order` ended
    enum pw_wireless_end end;
    char end_why[64];

    char failed_ssid[PW_WIRELESS_SSID_MAX]; // the last attempt to join that failed
    const char *failed_why;

    uint8_t candidate;  // of JOINING and JOINED: index into known
    pw_ms asked_at;     // a person wants a scan; PW_NEVER
    pw_ms changed_at;   // settings changed, and the search begins anew a little later; PW_NEVER
    pw_ms search_until; // rounds may begin until then
    pw_ms next_at;      // of WAITING and HOST: the next look
    pw_ms backoff_ms;
    pw_ms used_at; // somebody used the set-up page; PW_NEVER
};

// What others show of it.
struct pw_network_view {
    bool managed;
    enum pw_network_state state;
    const char *state_name;
    const char *why; // a literal
    pw_ms since;
    bool connected;          // by cable or radio
    bool ap;                 // the access point stands
    const char *ssid;        // of the network joined; "" without one
    int16_t signal;          // percent; PW_WIRELESS_UNKNOWN
    const char *ip;          // ""
    const char *ap_ssid;     // its name, whether it stands or not
    int16_t guests;          // joined to it; PW_WIRELESS_UNKNOWN
    const char *failed_ssid; // the known network that could last not be joined; "" none since
    const char *failed_why;  // a literal
    pw_ms found_at;          // PW_NEVER: never scanned
    uint8_t found_count;
    const struct pw_wireless_found *found;
    const struct pw_network_known *known; // PW_NETWORK_KNOWN rows; their passwords are for nobody
};

// Reads the access point's password from the store, or makes it, once, and keeps it. With
// network.managed off, or without a port, it does nothing from then on.
void pw_network_init(struct pw_network *net, const struct pw_network_config *config, pw_ms now);

// Inputs: only stored.
void pw_network_facts(struct pw_network *net, const struct pw_wireless_facts *facts);
// What a scan found, at most PW_WIRELESS_FOUND_MAX rows; any time, the order's end apart.
void pw_network_found(struct pw_network *net, const struct pw_wireless_found *found, size_t count,
                      pw_ms now);
// How order `number` ended; ignored unless that is the newest.
void pw_network_ended(struct pw_network *net, uint32_t number, enum pw_wireless_end end,
                      struct pw_str why);
// Somebody is at the set-up page: the access point stays a while.
void pw_network_used(struct pw_network *net, pw_ms now);
// A person wants to see what is in reach. PW_ERR_BUSY with one sentence in *why when that cannot be
// now. With the access point open, it goes away for the scan, and comes back.
PW_MUST_USE int pw_network_scan(struct pw_network *net, struct pw_out *why, pw_ms now);

// Decides; returns the next deadline.
pw_ms pw_network_step(struct pw_network *net, pw_ms now);

// Effect: the order to carry out, once.
bool pw_network_take_order(struct pw_network *net, struct pw_wireless_order *order);

void pw_network_view(const struct pw_network *net, struct pw_network_view *view);
// The access point's password: for the station's own display and console only. It is never logged,
// published or given to a page.
const char *pw_network_ap_password(const struct pw_network *net);

// Where the station's page is reached over the access point: "http://10.42.0.1:8080/". False: it
// does not stand, or page.listen lets only this machine in.
bool pw_network_page(const struct pw_network *net, struct pw_out *url);

// "network" of the console, as text (with the access point's password while it stands), and as one
// JSON object (without).
void pw_network_report(const struct pw_network *net, struct pw_out *out, pw_ms now);
void pw_network_report_json(const struct pw_network *net, struct pw_out *out, pw_ms now);

#endif

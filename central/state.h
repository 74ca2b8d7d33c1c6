// state: what the files of this layer share. Not for anybody outside.
#ifndef PW_CENTRAL_STATE_H
#define PW_CENTRAL_STATE_H

#include "central.h"
#include "limiter.h"
#include "ocpp/ocpp.h"
#include "vehicle/vehicle.h"

#define ID_TAG_MAX       81  // 20 characters of UTF-8 and the NUL
#define TEXT20_MAX       81  // the same, for other texts
#define TEXT50_MAX       201 // 50 characters
#define ADDRESS_MAX      48
#define REFUSED_MAX      100
#define LOGINS_MAX       64
#define THROTTLES_MAX    1024
#define TOKEN_MAX        33                             // 32 hex digits and the NUL
#define HASH_MAX         128                            // a stored password or key hash
#define KEY_COST_MAC     0                              // one HMAC, no scrypt
#define STATION_COST     KEY_COST_MAC                   // of station keys: see keys.c
#define USER_COST        15                             // scrypt N = 2^15 for passwords of people
#define SCRATCH_MAX      131072                         // a frame or event being written
#define LIST_BYTES       (PW_CENTRAL_MESSAGE_MAX - 256) // a payload of ours being written
#define REQUEST_WORDS    128  // 8-byte words that hold any decoded message
#define CONFIG_VALUE_MAX 2001 // 500 characters

// --- Measured values, in thousandths of their unit.

enum quantity { POWER, VOLTAGE, CURRENT, OFFERED, SOC, ENERGY, TEMPERATURE, LIMIT, QUANTITIES };

extern const char *const quantity_names[QUANTITIES]; // "power_w"…

struct measured {
    uint32_t has; // bit a quantity
    int64_t value[QUANTITIES];
};

// What is known of the vehicle at a connector.
enum vehicle_source { FROM_NOTHING, FROM_IMAX, FROM_SOC, FROM_AH, FROM_DATA_TRANSFER };

struct vehicle {
    enum vehicle_source source;
    const struct pw_vehicle_model *model; // NULL: not recognised
    char name[TEXT50_MAX];                // as the station gave it; may be no model of ours
    int32_t imax_ma;                      // the most the BMS has allowed; 0: not known
    int64_t charge_mah;                   // -1: not known
    int32_t soc_permille;                 // -1: not known
    int64_t range_m;                      // -1: not known
    pw_unix_ms at;
};

// --- Stations.

// What only a station link tells of a connector (doc/link.md). Unknown numbers are INT32_MIN.
enum outlet_kind { OUTLET_UNTOLD, OUTLET_DC, OUTLET_AC };

#define PHASES 3

struct outlet {
    enum outlet_kind kind;
    bool openevse;      // an OpenEVSE board drives it
    uint8_t phases;     // in use; 0: not told
    char pilot[4];      // "A1" … "F"; empty: none
    char state[32];     // of the machine that drives it
    char state_why[84]; // why it is in that state
    uint32_t faults;    // as bits
    int8_t energised;   // -1: not told
    int32_t cable_ma;   // what the cable may carry
    int32_t mv[PHASES];
    int32_t ma[PHASES];
    int32_t mw[PHASES];
    int32_t limit_ma;
    char limit_source[24];
    char limit_why[84];
    pw_unix_ms limit_since;
};

struct connector {
    int id;
    int status;     // enum pw_ocpp16_connector_status, -1 before the first StatusNotification
    int error_code; // enum pw_ocpp16_error_code, -1 likewise
    char info[TEXT50_MAX];
    char vendor_error_code[TEXT50_MAX];
    pw_unix_ms since;
    int64_t session; // open session shown here; 0: none
    char id_tag[ID_TAG_MAX];
    struct measured live;
    pw_unix_ms updated_at;
    struct vehicle vehicle;
    struct outlet *outlet; // NULL: no station link has told of it
    pw_unix_ms sampled_at; // when a sample of the station link was last stored
    bool flowed;           // it said that current flows
};

struct command {
    struct command *next;
    int64_t id;
    int action; // enum pw_ocpp16_action
    size_t payload_len;
    char payload[]; // JSON
};

// What is kept of a station's link, also while it is down and over restarts of this program.
struct link_past {
    bool ever;        // it has had one
    pw_unix_ms since; // when the present state, up or down, began
    char address[ADDRESS_MAX];
    uint64_t boot;   // the station's start that the numbers below count in
    uint64_t event;  // number of the last event kept
    uint64_t cursor; // of the next log line
    int64_t dropped; // log lines lost at the station, all in all
};

struct station {
    char id[PW_CENTRAL_STATION_MAX + 1];
    char vendor[TEXT20_MAX];
    char model[TEXT20_MAX];
    char firmware[TEXT50_MAX];
    char serial[TEXT50_MAX];
    pw_unix_ms boot_at;
    pw_unix_ms last_seen;
    pw_unix_ms duplicate_at;
    pw_ms boot_place; // when its boot, answered Pending, is accepted; 0: none waits
    uint32_t violations;
    uint32_t logged;        // log entries since the log was last trimmed
    struct link *link;      // NULL: offline
    struct link *candidate; // a second socket, while the first one's life is in doubt
    struct pw_ocpp_rpc rpc;
    struct uplink *uplink; // its station link; NULL: down
    struct link_past past;
    struct link_past durable; // as it was at the last commit
    uint64_t rival;           // start of the station whose link a later start took
    uint32_t lines;           // log lines since they were last trimmed
    uint32_t events;
    struct command *command; // in flight first
    uint32_t commands;
    pw_unix_ms sent_wall;
    struct watch *watch; // commands whose effect is watched for, oldest first (records.h)
    uint32_t watches;
    int profile;         // security profile of its link
    bool list_automatic; // its local list follows the cards
    bool list_look;      // … and has to be looked at
    bool list_syncing;   // a list of ours is on its way
    uint8_t list_fulls;  // whole lists sent for it
    struct connector *connector[PW_CENTRAL_CONNECTORS];
};

// --- Links.

struct link {
    struct link *next;
    uint64_t number;
    struct station *station; // NULL once it has lost its station: waiting to be closed
    bool served;             // the station's link, not a candidate
    bool slow;               // its send queue is full: to be dropped
    pw_ms opened;
    pw_ms heard;
    pw_ms pinged; // PW_NEVER: no ping is out
    char *held;   // a candidate's message that waits for the verdict
    size_t held_len;
    int profile; // its security profile (whitepaper §2)
    char address[ADDRESS_MAX];
    char certificate[PW_CENTRAL_SERIAL_MAX]; // by which it came in; empty: by a key
};

// An answer that waits until what it promises is durable.
struct held {
    struct held *next;
    uint64_t link;
    char id[PW_OCPP_ID_MAX * 4 + 1];
    int action;
    pw_unix_ms came;
    size_t len;
    char text[]; // the whole frame
};

struct refused {
    pw_unix_ms time;
    char station[PW_CENTRAL_STATION_MAX + 1];
    char address[ADDRESS_MAX];
    int status;
    char reason[128];
    uint32_t count;
};

// --- People.

// Each may do what the ones before it may.
enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };

#define USER_MAX       64
#define TOKEN_TEXT_MAX 56 // what a program shows: number, dot, secret

struct login {
    char token[TOKEN_MAX]; // empty: free
    char csrf[TOKEN_MAX];
    char user[USER_MAX + 1];
    char hash[HASH_MAX]; // of the password when it logged in: a new one ends the login
    pw_ms used;
};

// A password that is being checked beside the loop; its request waits.
struct trial {
    uint64_t stream; // number of the request; 0: free
    bool done;
    bool fits;
    char hash[HASH_MAX]; // it is checked against; empty: there is no such user
};

struct account {
    char hash[HASH_MAX];
    enum role role;
};

// What a program shows in place of a login.
struct token {
    int64_t id;
    char name[USER_MAX + 1];
    char made_by[USER_MAX + 1]; // the account that answers for it
    enum role role;             // what it may now: never more than its maker
    pw_unix_ms expires;
};

struct throttle {
    char address[ADDRESS_MAX];
    uint32_t tokens;
    bool good; // somebody has logged in from here
    pw_ms refilled;
};

struct stream {
    uint64_t number; // 0: free
    char token[TOKEN_MAX];
    bool all;                                 // every station's ocpp events
    char station[PW_CENTRAL_STATION_MAX + 1]; // … or only this one's; empty: none
    bool slow;
    char *text;
    size_t len;
    size_t cap;
};

// login.c: ends logins that are over, and the event streams of logins and tokens that are.
struct pw_central;
void logins_check(struct pw_central *central, struct pw_instant at);

struct counters {
    uint64_t messages_in, messages_out, bad_messages, calls_refused, answers_unmatched;
    uint64_t sessions_started, sessions_retried, sessions_stopped, orphans;
    uint64_t boots_deferred, handshakes, handshakes_refused, links_lost, links_slow, duplicates;
    uint64_t uplinks, uplinks_lost, link_events, link_events_again, lines, lines_dropped, orders;
    uint64_t http_requests, http_refused, logins_failed, streams_slow, commits, commits_failed;
};

struct pw_central {
    struct pw_central_config config;
    struct pw_vehicle_table const *vehicles;

    // Stations ordered by id; looked up by bisection.
    struct station **station;
    size_t stations;
    size_t stations_cap;
    struct link **bucket; // links by number
    size_t links;
    struct uplink **uplink; // station links by number
    size_t uplinks;
    size_t strangers;                  // of them, not yet known
    pw_ms uplinks_at;                  // when they are next looked at
    struct pw_central_limiter limiter; // load sharing's way over them
    bool acks_due;                     // something waits for the commit to be acknowledged
    struct groups *groups;             // load groups
    struct bodies *bodies;             // files on their way (bodies.h)
    struct rollouts *rollouts;         // rollouts.h

    bool dirty;
    bool batch_bad; // a statement of this batch failed
    bool store_bad; // the last commit failed
    pw_ms commit_at;
    struct held *held;
    struct held *held_last;
    pw_ms boot_place; // the next free one (boots.c)
    pw_ms tidy_at;    // when old rows are next removed
    pw_ms check_at;   // when links are next looked at
    pw_ms beat_at;    // when streams next get a sign of life
    pw_ms effects_at; // when the time of a watched command is next over
    pw_ms lists_at;   // when local lists are next looked at

    struct refused refused[REFUSED_MAX];
    uint32_t refused_next;
    struct login login[LOGINS_MAX];
    struct trial trial[PW_CENTRAL_DERIVE_MAX];
    struct throttle *throttle; // THROTTLES_MAX
    uint32_t wrong_left;       // wrong tries that all addresses together still have
    pw_ms wrong_at;
    struct stream stream[PW_CENTRAL_STREAMS_MAX];
    struct counters count;
    char dummy_hash[HASH_MAX]; // what an unknown station's key is checked against

    // Scratch memory, each used by one call at a time.
    struct pw_json json;
    struct pw_json asked; // a second reader, for a request while its answer is being read
    char *list;           // LIST_BYTES: a payload being written
    char *frame;          // SCRATCH_MAX: the frame being written
    char *event;          // SCRATCH_MAX: the event being written
    char *reply;          // PW_CENTRAL_REPLY_MAX: the HTTP answer being written
    char *payload;        // PW_CENTRAL_MESSAGE_MAX: a payload being rewritten for the log
    char *shown;          // PW_CENTRAL_MESSAGE_MAX: a payload without the secrets of its addresses
};

// --- central.c: the database and the batch.

// A writing statement: counts into the batch that is committed within PW_CENTRAL_COMMIT_MS.
int64_t db_write(struct pw_central *central, const char *sql, const struct pw_db_value *args,
                 size_t count, pw_ms now);
// As db_write, for INSERT … RETURNING id: the id, 0 without a row, or PW_ERR_STORE.
int64_t db_write_id(struct pw_central *central, const char *sql, const struct pw_db_value *args,
                    size_t count, pw_ms now);
int64_t db_read(const struct pw_central *central, const char *sql, const struct pw_db_value *args,
                size_t count, pw_db_row *row, void *to);
// Commits now and sends the answers that waited. PW_ERR_STORE: none of it was kept.
int db_commit(struct pw_central *central, struct pw_instant at);
struct pw_db_value db_time(pw_unix_ms at);           // NULL for 0
struct pw_db_value db_words(const char *terminated); // NULL for the empty text
// Copies a column's text, cut to the room, empty for NULL.
void db_take(char *to, size_t cap, const struct pw_db_value *column);
// Queues an answer behind the next commit.
struct call;
void answer_when_durable(const struct call *call, const struct pw_ocpp_object *object,
                         const void *conf);

// --- stations.c

struct station *station_find(const struct pw_central *central, struct pw_str id);
// Finds or makes it (in memory and in the database); NULL when the id is none or the table full.
struct station *station_add(struct pw_central *central, struct pw_str id, struct pw_instant at);
bool station_id_ok(struct pw_str id);
// The station's key hash as the database has it now: the command line may have changed it. Empty
// and false without one.
bool station_key(const struct pw_central *central, struct pw_str id, char hash[HASH_MAX]);
// Likewise the one it is being given; empty and false without one.
bool station_key_next(const struct pw_central *central, struct pw_str id, char hash[HASH_MAX]);
int stations_load(struct pw_central *central);
void stations_free(struct pw_central *central);
// The connector, made on first use; NULL for an id out of range.
struct connector *connector_of(struct station *station, int64_t id);
// What it gives: as its station link says, else by the voltage last measured, else not told.
enum outlet_kind connector_kind(const struct connector *connector);
// Keeps the connector's status in the database.
void connector_keep(struct pw_central *central, const struct station *station,
                    const struct connector *connector, struct pw_instant at);

// --- links.c

struct link *link_find(const struct pw_central *central, uint64_t number);
void links_free(struct pw_central *central);
pw_ms links_step(struct pw_central *central, struct pw_instant at);
// Sends a frame on a link and logs it. `latency` < 0: none.
void link_send(struct pw_central *central, struct link *link, struct pw_str frame);
// Takes the link from its station and has it closed.
void link_drop(struct pw_central *central, struct link *link, unsigned code, const char *reason,
               struct pw_instant at);
// The link is its station's from now on.
void link_served(struct pw_central *central, struct link *link, struct pw_instant at);
// Links are looked at again no later than `when`.
void links_wake(struct pw_central *central, pw_ms when);
// The doctor's record of a refused handshake or a broken link.
void doctor_note(struct pw_central *central, struct pw_str station, struct pw_str address,
                 int status, const char *reason, struct pw_instant at);

// --- keys.c

// "scrypt$cost$salt$hash" of a secret; "hmac$0$salt$hash" for KEY_COST_MAC. PW_ERR_BUG when the
// cryptography fails.
PW_MUST_USE int key_hash(const struct pw_central *central, struct pw_str secret, unsigned cost,
                         char to[HASH_MAX]);
// What a stored hash says. PW_ERR_PEER when it is none.
#define KEY_SALT_LEN 16
#define KEY_HASH_LEN 32

struct key_hash {
    unsigned cost;
    uint8_t salt[KEY_SALT_LEN];
    uint8_t bytes[KEY_HASH_LEN];
};

PW_MUST_USE int key_hash_read(const char *text, struct key_hash *to);
// Compares in a time that does not depend on what is equal.
bool key_hash_same(const struct key_hash *hash, const uint8_t bytes[KEY_HASH_LEN]);
// True when the secret gives this hash. Always does the whole work.
bool key_fits(const struct pw_central *central, struct pw_str secret, const char *hash);
PW_MUST_USE int key_random_hex(const struct pw_central *central, char *to, size_t digits);
PW_MUST_USE int key_make(const struct pw_central *central, char *to, size_t characters);

// May this address try (again)? Counts down with throttle_failed; one more try every 6 s. All
// addresses together have PW_CENTRAL_WRONG_MAX wrong tries, and 50 more each second: when those are
// spent, a station that has not failed may still try, people only from where one has logged in.
bool throttle_open(struct pw_central *central, struct pw_str address, bool people, pw_ms now);
void throttle_failed(struct pw_central *central, struct pw_str address, bool people, pw_ms now);
void throttle_passed(struct pw_central *central, struct pw_str address, pw_ms now);

// --- login.c

// Nobody waits for this check any more; harmless when there is none of this number.
void trial_forget(struct pw_central *central, uint64_t stream);

// --- calls.c: what stations ask.

struct pw_str action_text(int action); // an enum pw_ocpp16_action

struct call {
    struct pw_central *central;
    struct link *link;
    struct station *station;
    struct pw_str id;
    struct pw_str payload_text;
    int action;
    struct pw_instant at;
};

void calls_serve(struct pw_central *central, struct link *link, struct pw_str text,
                 struct pw_instant at);
// Answers at once.
void call_answer(const struct call *call, const struct pw_ocpp_object *object, const void *conf);
void call_refuse(const struct call *call, enum pw_ocpp_error code, struct pw_str why);

// --- boots.c

// 0: the boot is accepted now. Else it is Pending, and comes again after so many seconds.
int32_t boot_wait_s(struct pw_central *central, struct station *station, pw_ms now);

// --- cards.c

// What to tell a station about an idTag; the parent's text goes into `parent`. With `concurrent`
// an open session of the tag elsewhere than at (station, connector) refuses it.
struct card_question {
    struct pw_str id_tag;
    const struct station *station;
    int connector;
    bool concurrent;
};
struct pw_ocpp16_id_tag_info card_judge(struct pw_central *central,
                                        const struct card_question *question,
                                        char parent[ID_TAG_MAX], struct pw_instant at);

// --- sessions.c

void session_start(const struct call *call, const struct pw_ocpp16_start_transaction_req *req);
void session_stop(const struct call *call, const struct pw_ocpp16_stop_transaction_req *req);
// NULL when the session is of this station and connector (-1: any), else why it is not, in words.
const char *session_stranger(const struct pw_central *central, const struct station *station,
                             int connector, int64_t id);
// A new reading of an open session.
void session_reading(struct pw_central *central, int64_t session, const struct measured *measured,
                     const struct vehicle *vehicle, struct pw_instant at, pw_unix_ms taken);
// The connector is free although no StopTransaction has come.
void session_unended(struct pw_central *central, struct connector *connector, struct pw_instant at);
void orphan_keep(const struct call *call, const char *reason);

// --- meter.c

void meter_values(const struct call *call, struct connector *connector, int64_t session,
                  const struct pw_ocpp_list *list);
// A decimal as thousandths, rounded; any number of digits, an exponent. PW_ERR_PEER for no number,
// PW_ERR_RANGE for one beyond 10^15 thousandths.
PW_MUST_USE int meter_number(struct pw_str text, int64_t *thousandths);

// Where and when something was measured. `session` 0: outside of one.
struct taken {
    const struct connector *connector;
    int64_t session;
    pw_unix_ms at;
};
void measurement_keep(struct pw_central *central, const struct station *station,
                      const struct taken *taken, const struct measured *measured, pw_ms now);

// --- analytics.c

// One bundle of news about a vehicle; absent: 0 for imax, -1 for charge and SOC, empty for name.
struct vehicle_news {
    enum vehicle_source source;
    struct pw_str name;
    int32_t imax_ma;
    int64_t charge_mah;
    int32_t soc_permille;
};
void vehicle_learn(const struct pw_vehicle_table *table, struct vehicle *vehicle,
                   const struct vehicle_news *news, pw_unix_ms at);
void vehicle_forget(struct vehicle *vehicle);
// DataTransfer VehicleInfo in either form. False when `data` is neither; *connector is 1 without
// one.
bool vehicle_info(struct pw_str data, int64_t *connector, struct vehicle_news *news,
                  char name[TEXT50_MAX]);

// --- groups.c, groups_run.c: load groups.

int groups_load(struct pw_central *central, pw_ms now);
void groups_free(struct pw_central *central);
pw_ms groups_step(struct pw_central *central, struct pw_instant at);
void group_history_tidy(struct pw_central *central, struct pw_instant at);

// --- commands.c

// Writes a command's row; its id or PW_ERR_STORE.
struct note {
    struct pw_str action;
    struct pw_str payload;
    bool offline; // it ends at once
    bool ours;    // the central itself asks
};
int64_t command_note(struct pw_central *central, const struct station *station,
                     const struct note *note, struct pw_instant at);
// Ends it: "answered", "error", "timeout" or "offline". `answer` is JSON; empty: none.
void command_end(struct pw_central *central, int64_t id, const char *state, struct pw_str answer,
                 struct pw_instant at);
void commands_go(struct pw_central *central, struct station *station, struct pw_instant at);
void command_answered(struct pw_central *central, struct station *station,
                      const struct pw_ocpp_frame *frame, struct pw_instant at);
void commands_check(struct pw_central *central, struct station *station, struct pw_instant at);
void commands_lost(struct pw_central *central, struct station *station, struct pw_instant at);

// --- handshake.c

// NULL when the key given opens this station's door, else why not (for the operator only: the peer
// learns nothing from it). Always costs the same time.
const char *door_locked(struct pw_central *central, struct pw_str id, struct pw_str given,
                        struct pw_instant at);
// The same for a station link: the key, and beside it the certificate that was shown (NULL: none),
// by the rules that OCPP's profile 3 has. A certificate that is no good is as bad as a wrong key,
// and a station that must use profile 3 has to show a good one.
const char *door_linked(struct pw_central *central, struct pw_str id, struct pw_str key,
                        const struct pw_central_certificate *certificate, struct pw_instant at);

// --- traffic.c: the OCPP log.

struct traffic {
    bool from_station;
    enum pw_ocpp_frame_kind kind;
    struct pw_str action; // may be empty
    struct pw_str id;
    int64_t latency_ms; // -1: none
    struct pw_str payload;
};
// A payload, or an address, as people may see it: what may hold a key is blotted out, and so are
// passwords of addresses, and the secrets of those that are ours (bodies.h). A view of it, or of
// central->shown: valid until the next call.
struct pw_str traffic_presentable(struct pw_central *central, struct pw_str payload);
void traffic_note(struct pw_central *central, struct station *station,
                  const struct traffic *traffic, struct pw_instant at);

// --- link_server.c: station links (doc/link.md).

struct uplink;

pw_ms uplinks_step(struct pw_central *central, struct pw_instant at);
void uplinks_free(struct pw_central *central);
// Of the stations' past, from the database.
int uplinks_load(struct pw_central *central);
// After a commit: what it made durable is acknowledged to the stations. When it was not kept, the
// links are ended, so that the stations send all of it again.
void uplinks_committed(struct pw_central *central, bool kept, struct pw_instant at);
// Ends the station's link; harmless without one. `why` is a literal.
void uplink_drop(struct pw_central *central, struct station *station, const char *why,
                 struct pw_instant at);
// Ends the station's link if it came in with this certificate.
void uplink_revoked(struct pw_central *central, struct station *station, struct pw_str serial,
                    struct pw_instant at);
// Round trip of the last ping, ms; -1 when not known. `uplink` may be NULL.
int64_t uplink_rtt(const struct uplink *uplink);

// --- link_orders.c: what people and load sharing ask over station links.

enum order_kind { ORDER_LIMIT, ORDER_ENERGIZE, ORDER_SNAPSHOT };

struct order {
    enum order_kind kind;
    int connector;
    int32_t ma; // LIMIT, and for how long, and what then
    uint32_t lease_s;
    int32_t fallback_ma;
    bool on; // ENERGIZE
    bool force;
    struct pw_str text; // the limit's reason, or the idTag; may be empty
};

// From now on load sharing's orders go over station links.
void orders_carry_limits(struct pw_central *central);
// Makes a command of it and sends it; its id. PW_ERR_LIMIT when as many wait as a link takes,
// PW_ERR_RANGE with *why for a text that is too long, PW_ERR_STORE.
int64_t order_add(struct pw_central *central, struct station *station, const struct order *order,
                  struct pw_str payload, struct pw_out *why, struct pw_instant at);

// --- link_log.c: stations' own log lines.

#define LINE_QUERY_MAX 200 // bytes

struct line {
    pw_unix_ms time; // 0: the station did not know it
    enum pw_level level;
    struct pw_str room;
    struct pw_str text;
    uint32_t dropped; // so many before it were lost
};

void line_keep(struct pw_central *central, struct station *station, const struct line *line,
               struct pw_instant at);

struct line_filter {
    struct pw_str query; // a piece of "room text", ASCII letters of either case; empty: all
    enum pw_level level; // and everything more important
    int64_t before;
    int64_t limit;
};
// Elements of an array, newest first. Reads at most PW_CENTRAL_LINES_KEPT rows.
void report_lines(const struct pw_central *central, struct pw_json_writer *json,
                  const struct station *station, const struct line_filter *filter);

// --- link_news.c: what stations tell over their links.

void report_link_events(const struct pw_central *central, struct pw_json_writer *json,
                        const struct station *station, int64_t before, int64_t limit);

// --- events.c

void event_station(struct pw_central *central, const struct station *station);
void event_measurement(struct pw_central *central, const struct station *station,
                       const struct connector *connector, const struct measured *measured,
                       pw_unix_ms at);
void event_session(struct pw_central *central, int64_t id, pw_unix_ms wall);
void event_command(struct pw_central *central, int64_t id);
void event_upload(struct pw_central *central, const char *station);
// Opens the event being written, and sends it to every stream that wants it.
struct pw_json_writer event_open(struct pw_central *central, struct pw_out *out, const char *name);
void event_close(struct pw_central *central, struct pw_out *out, const struct station *ocpp_of);
bool events_wanted(const struct pw_central *central, const struct station *ocpp_of);
void events_beat(struct pw_central *central);
void events_free(struct pw_central *central);
int stream_open(struct pw_central *central, uint64_t number, const char *token, struct pw_str ocpp);
void streams_end(struct pw_central *central, const char *token);

// --- report.c: our things as JSON.

void report_station(struct pw_json_writer *json, const struct station *station);
void report_measured(struct pw_json_writer *json, const struct measured *measured);
// Members of a session's or command's object without its braces; false when there is none.
bool report_session(const struct pw_central *central, struct pw_json_writer *json, int64_t id,
                    pw_unix_ms wall);
void report_phases(struct pw_json_writer *json, const struct outlet *outlet);
bool report_command(const struct pw_central *central, struct pw_json_writer *json, int64_t id);
void report_commands(const struct pw_central *central, struct pw_json_writer *json,
                     const struct station *station, int64_t before, int64_t limit);
// A member out of a column; null for NULL.
void report_text_column(struct pw_json_writer *json, const char *key,
                        const struct pw_db_value *column);
void report_number_column(struct pw_json_writer *json, const char *key,
                          const struct pw_db_value *column, unsigned decimals);
// Elements of an array, as many as the filter lets through.
struct session_filter {
    struct pw_str station; // empty: all
    int64_t connector;     // -1: all
    int64_t before;
    int64_t limit;
};
void report_sessions(const struct pw_central *central, struct pw_json_writer *json,
                     const struct session_filter *filter, pw_unix_ms wall);
// One card, or all for the empty idTag; how many there were.
int64_t report_cards(const struct pw_central *central, struct pw_json_writer *json,
                     struct pw_str id_tag, pw_unix_ms wall);
void report_unknown_cards(const struct pw_central *central, struct pw_json_writer *json);
void report_traffic(const struct pw_central *central, struct pw_json_writer *json,
                    const struct station *station, int64_t before, int64_t limit);

// --- signed.c

bool signed_is(const struct pw_ocpp16_sampled_value *sample);
// Keeps a signed value as it came, and the public key it brought.
void signed_keep(const struct call *call, const struct connector *connector, int64_t session,
                 pw_unix_ms at, const struct pw_ocpp16_sampled_value *sample);
// Members of a session's object: signed_values and meter_keys, the one first seen first.
void report_session_signed(const struct pw_central *central, struct pw_json_writer *json,
                           int64_t session);

// --- curve.c: members of a curve's object.

void report_session_curve(const struct pw_central *central, struct pw_json_writer *json,
                          int64_t session);
void report_curve(const struct pw_central *central, struct pw_json_writer *json,
                  const struct station *station, int64_t connector, pw_unix_ms from, pw_unix_ms to);

#endif

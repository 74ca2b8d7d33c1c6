// central: the logic of the central system. It serves OCPP 1.6J charge points with every profile of
// the standard and the security extensions, keeps cards, sessions, measurements, what stations were
// told and what they answered in a database, and answers the REST interface of
// central/api/openapi.yaml. It sees no socket, file or clock: a port hands it what came in and
// the time, and carries out what it asks. It may allocate; every table, queue and buffer is
// bounded.
#ifndef PW_CENTRAL_H
#define PW_CENTRAL_H

#include "db.h"
#include "depot.h"
#include "http/http.h"
#include "release/release.h"
#include "web_assets.h"

#define PW_CENTRAL_MESSAGE_MAX  65536   // bytes of one OCPP message, either way
#define PW_CENTRAL_BODY_MAX     65536   // bytes of one HTTP request body
#define PW_CENTRAL_STATION_MAX  48      // characters of a station id
#define PW_CENTRAL_STATIONS_MAX 20000   // stations known
#define PW_CENTRAL_CONNECTORS   33      // connectors of a station, 0 included
#define PW_CENTRAL_COMMANDS_MAX 16      // commands waiting for one station
#define PW_CENTRAL_SEND_MAX     131072  // bytes waiting to be sent to one station
#define PW_CENTRAL_STREAMS_MAX  32      // event streams at once
#define PW_CENTRAL_STREAM_BYTES 262144  // bytes waiting for one event stream
#define PW_CENTRAL_REPLY_MAX    8388608 // bytes of one HTTP answer
#define PW_CENTRAL_COMMIT_MS    10      // durable answers wait this long for company
#define PW_CENTRAL_PING_MS      20000   // silence after which a link is pinged
#define PW_CENTRAL_DEAD_MS      60000   // silence after which it is given up
#define PW_CENTRAL_PROBE_MS     10000   // a doubted link must answer a ping in this time
#define PW_CENTRAL_ANSWER_MS    30000   // a station must answer a call in this time
#define PW_CENTRAL_WRONG_MAX    50      // wrong keys at once from all addresses together
#define PW_CENTRAL_DERIVE_MAX   8       // passwords that wait to be checked
#define PW_CENTRAL_BOOTS_S      250     // boots accepted in a second; the others wait as Pending
#define PW_CENTRAL_LOG_KEPT     10000   // OCPP log entries kept of each station
#define PW_CENTRAL_POWER_MAX_W  400000  // W of one connector, more than any we know delivers
#define PW_CENTRAL_SAMPLE_DAYS  90      // days that sampled values and curves are kept

// Records of each station (records.h); what is older goes first.
#define PW_CENTRAL_WATCHES_MAX       32    // commands whose effect is watched for at once
#define PW_CENTRAL_ORPHANS_KEPT      10000 // records that belong to no session
#define PW_CENTRAL_CHANGES_KEPT      1000  // changes of configuration keys
#define PW_CENTRAL_KEYS_KEPT         512   // configuration keys
#define PW_CENTRAL_LIST_MAX          10000 // entries of a local list whose length is not known
#define PW_CENTRAL_RESERVATIONS_KEPT 500
#define PW_CENTRAL_PROFILES_KEPT     500        // charging profiles
#define PW_CENTRAL_JOBS_KEPT         200        // firmware, diagnostics and log jobs …
#define PW_CENTRAL_STATUSES_KEPT     64         // … with so many statuses each
#define PW_CENTRAL_ISSUED_KEPT       20         // certificates signed for it; revoked ones stay
#define PW_CENTRAL_ROOTS_KEPT        64         // root certificates it told of, of each use
#define PW_CENTRAL_CHAIN_MAX         10001      // bytes of a certificate chain and its NUL
#define PW_CENTRAL_SERIAL_MAX        65         // hex digits of a certificate's serial and the NUL
#define PW_CENTRAL_REKEY_MS          120000     // a station with a new key connects in this time
#define PW_CENTRAL_FILE_WAIT_MS      2592000000 // the farthest date of a firmware update: 30 days

// Files (depot.h).
#define PW_CENTRAL_RELEASE_MAX       (UINT64_C(256) << 20) // bytes of one release
#define PW_CENTRAL_RELEASES_BYTES    (UINT64_C(4) << 30)   // of all
#define PW_CENTRAL_RELEASES_KEPT     200
#define PW_CENTRAL_UPLOAD_MAX        (UINT64_C(8) << 20) // bytes of one log
#define PW_CENTRAL_UPLOADS_BYTES     (INT64_C(64) << 20) // of a station's; the oldest go
#define PW_CENTRAL_UPLOADS_ALL_BYTES (INT64_C(2) << 30)  // of all stations'
#define PW_CENTRAL_UPLOADS_KEPT      200                 // shown of a station
#define PW_CENTRAL_ANY_HARDWARE      "generic"           // a release for it is for every model

// Station links (doc/link.md).
#define PW_CENTRAL_WIRE_SEND_MAX  65536 // bytes waiting to be sent to one station
#define PW_CENTRAL_WIRES_UNPROVED 256   // connections that have not shown their key yet
#define PW_CENTRAL_LINES_KEPT     50000 // log lines kept of each station
#define PW_CENTRAL_EVENTS_KEPT    10000 // events kept of each station

struct pw_central; // one central system

// When something happens: the monotonic clock for deadlines, the wall clock for records.
struct pw_instant {
    pw_ms now;
    pw_unix_ms wall;
};

// ---------------------------------------------------------------------------------------------
// What the logic asks of the port. A link is one WebSocket, a stream one event stream; the port
// numbers both, never using a number twice. Asking about one that is gone is harmless. None of
// these may call back into the logic.

struct pw_central_net {
    void *context;
    // Queues one text message. PW_ERR_LIMIT when more than PW_CENTRAL_SEND_MAX bytes would wait.
    int (*send)(void *context, uint64_t link, struct pw_str text);
    void (*ping)(void *context, uint64_t link);
    // Stops (or resumes) reading from the peer, so that its TCP window fills.
    void (*pause)(void *context, uint64_t link, bool paused);
    // Closes with a WebSocket close code (RFC 6455 §7.4.1), `reason` at most 120 bytes. The port
    // reports pw_central_closed later, from its own loop.
    void (*close)(void *context, uint64_t link, unsigned code, const char *reason);
    // Bytes wait for a stream: the port calls pw_central_stream_take when the peer can take them.
    void (*stream_ready)(void *context, uint64_t stream);
};

// The certificate that a peer has shown in its TLS handshake.
struct pw_central_certificate {
    struct pw_str common_name; // empty: none that could be an id
    struct pw_str serial;      // lower-case hex
    const char *wrong; // why its chain or dates do not count; NULL: the port has verified it
};

// The same for station links: a wire is one TLS connection. Its numbers are its own.
struct pw_central_wires {
    void *context;
    // Queues bytes. PW_ERR_LIMIT when more than PW_CENTRAL_WIRE_SEND_MAX would wait.
    int (*send)(void *context, uint64_t wire, const uint8_t *bytes, size_t len);
    // Ends the connection; what is queued goes out if the peer takes it at once. The port reports
    // pw_central_wire_closed later, from its own loop.
    void (*close)(void *context, uint64_t wire);
    // What the peer has shown in its handshake; false: no certificate. Valid until the next call.
    // NULL: nobody is asked for one.
    bool (*certificate)(void *context, uint64_t wire, struct pw_central_certificate *to);
};

struct pw_central_crypto {
    void *context;
    // Fills `to` with unpredictable bytes; PW_ERR_BUG when the system has none.
    int (*random)(void *context, uint8_t *to, size_t len);
    // scrypt(password, salt, N = 2^cost, r = 8, p = 1) to 32 bytes; with cost 0 HMAC-SHA-256 of the
    // password, keyed with the salt.
    int (*derive)(void *context, struct pw_str password, const uint8_t salt[16], unsigned cost,
                  uint8_t to[32]);
    // The same beside the loop, one at a time in the order asked: the port hands the bytes to
    // pw_central_derived with this `number`, once, from its own loop. PW_ERR_LIMIT when
    // PW_CENTRAL_DERIVE_MAX wait. NULL: `derive` does it at once, and everybody waits meanwhile.
    int (*derive_later)(void *context, uint64_t number, struct pw_str password,
                        const uint8_t salt[16], unsigned cost);
    // Whether `signature` (base64) is one that the key of `certificate` (PEM) gave for a file of
    // this SHA-256, as OCPP's SignedUpdateFirmware has it. PW_ERR_RANGE with a sentence in *why.
    // NULL: nobody looks here; stations do in any case.
    int (*signed_file)(void *context, struct pw_str certificate, struct pw_str signature,
                       const uint8_t sha256[32], struct pw_out *why);
};

// What a station asks the authority for.
struct pw_central_request {
    struct pw_str csr;     // PEM
    struct pw_str station; // its id
    pw_unix_ms now;
};

// What our authority says of a certificate it has signed.
struct pw_central_issued {
    char serial[PW_CENTRAL_SERIAL_MAX]; // lower-case hex
    char subject[128];
    pw_unix_ms from;
    pw_unix_ms to;
};

// The authority that signs the stations' certificates (whitepaper A02, A03). Its private key stays
// in the port.
struct pw_central_ca {
    void *context;
    struct pw_str certificate; // its own, PEM: what stations install as a root
    // Checks a request (PEM, borrowed): its signature, its key's strength, that its commonName is
    // the station's id, and signs it. `chain` gets the certificate and the authority's, PEM. Any
    // error: *why says in words what is wrong.
    int (*sign)(void *context, const struct pw_central_request *wanted, struct pw_out *chain,
                struct pw_central_issued *issued, struct pw_out *why);
};

struct pw_central_config {
    const struct pw_db *db;
    const struct pw_central_net *net; // NULL: nothing is served, only the command line's tasks run
    const struct pw_central_wires *wires; // NULL: no station links
    const struct pw_central_crypto *crypto;
    const struct pw_central_ca *ca;    // NULL: certificates are not signed here
    const struct pw_log *log;          // may be NULL
    const struct pw_http_asset *asset; // the dashboard; may be NULL with asset_count 0
    size_t asset_count;
    struct pw_str openapi;        // the text served as /api/v1/openapi.yaml
    struct pw_str version;        // of the program, for /metrics
    const struct pw_depot *depot; // NULL: neither releases nor logs are kept here
    // By which releases are judged for people to see; NULL: they are not. Stations judge for
    // themselves.
    const struct pw_release_root *release_root;
    const struct pw_release_crypto *release_crypto; // with release_root
    // "http://central.example:8180", under which stations reach this server, without a slash at
    // its end; empty: they are told no address of ours. And the same with TLS, empty without.
    struct pw_str public_url;
    struct pw_str public_url_tls;
    struct pw_str host;           // Host header of our own pages beside localhost, 127.0.0.1
                                  // and [::1]; empty: none. Without port
    uint16_t link_port;           // where station links are taken; 0: nowhere
    struct pw_str link_pin;       // by which stations know us: 64 hex digits; empty without links
    bool accept_unknown_stations; // stations without a key may connect and are added
    uint32_t heartbeat_s;         // heartbeat interval told to stations; 0: 300
};

// Makes the central: brings the tables up to date and loads the stations. *why (never NULL) says
// in words what is wrong with PW_ERR_STORE (database refuses), PW_ERR_RANGE (database is newer than
// this program) or PW_ERR_LIMIT (no memory).
PW_MUST_USE int pw_central_new(struct pw_central **central, const struct pw_central_config *config,
                               struct pw_instant at, const char **why);
// Commits what is open and forgets everything. Links and streams must be closed by the port.
void pw_central_free(struct pw_central *central);

// Does what is due: commits, answers that waited for it, pings, time-outs. Returns the next
// deadline. To be called after every batch of inputs and at the deadline.
pw_ms pw_central_step(struct pw_central *central, struct pw_instant at);

// ---------------------------------------------------------------------------------------------
// Charge points.

struct pw_central_handshake {
    struct pw_str path;                               // "/ocpp/CP001", escapes decoded
    struct pw_str authorization;                      // the header's value; empty without one
    struct pw_str protocols;                          // Sec-WebSocket-Protocol; empty without one
    struct pw_str address;                            // of the peer
    bool tls;                                         // it came over our own TLS
    const struct pw_central_certificate *certificate; // over which it has shown this; NULL: none
};

struct pw_central_verdict {
    // 101: accepted; pw_central_closed is due exactly once from now on. 400: complete the handshake
    // without a subprotocol, then close normally (OCPP-J 1.6 §3.1.2). Else the HTTP status to
    // refuse with; 401 with a Basic challenge.
    int status;
    const char *reason; // in words, for the answer's body
};

// Judges an upgrade request before it is answered. Unknown id and wrong key cost the same time and
// give the same verdict.
struct pw_central_verdict pw_central_handshake(struct pw_central *central, uint64_t link,
                                               const struct pw_central_handshake *handshake,
                                               struct pw_instant at);
// One whole text message. The bytes are borrowed for the call.
void pw_central_text(struct pw_central *central, uint64_t number, struct pw_str text,
                     struct pw_instant at);
void pw_central_pong(struct pw_central *central, uint64_t number, struct pw_instant at);
// The port closes the link itself because the peer broke the transport's rules (1002 frame error,
// 1003 binary, 1007 no UTF-8, 1009 too long): for the record. pw_central_closed follows.
void pw_central_broke(struct pw_central *central, uint64_t number, unsigned code,
                      const char *reason, struct pw_instant at);
void pw_central_closed(struct pw_central *central, uint64_t number, struct pw_instant at);

// ---------------------------------------------------------------------------------------------
// Station links: the TLS connection a station keeps beside OCPP (doc/link.md).

// A connection has been taken, before its TLS handshake. False: it must be closed at once, and
// nothing more is heard of it. Else pw_central_wire_closed is due exactly once from now on.
bool pw_central_wire_opened(struct pw_central *central, uint64_t number, struct pw_str address,
                            struct pw_instant at);
// Bytes, in whatever pieces they came. They are borrowed for the call.
void pw_central_wire_bytes(struct pw_central *central, uint64_t number, const uint8_t *bytes,
                           size_t len, struct pw_instant at);
void pw_central_wire_closed(struct pw_central *central, uint64_t number, struct pw_instant at);

// ---------------------------------------------------------------------------------------------
// People and programs over HTTP.

void pw_central_http(struct pw_central *central, const struct pw_http_request *request,
                     struct pw_http_reply *reply, struct pw_instant at);
// What derive_later made; `bytes` NULL: it failed.
void pw_central_derived(struct pw_central *central, uint64_t number, const uint8_t bytes[32],
                        struct pw_instant at);
// Files that come in and go out in pieces: `takes`, `piece` and `flow` of core/http's sites.
uint64_t pw_central_takes(struct pw_central *central, const struct pw_http_request *request,
                          struct pw_http_reply *reply, struct pw_instant at);
int pw_central_piece(struct pw_central *central, uint64_t stream, struct pw_str bytes,
                     struct pw_instant at);
int pw_central_flow(struct pw_central *central, uint64_t stream, char *to, size_t cap);
// Copies the next bytes of a stream and forgets them; 0 when none wait; PW_ERR_LIMIT when the
// client was too slow and the stream must be closed; PW_ERR_UNKNOWN when there is no such stream.
int pw_central_stream_take(struct pw_central *central, uint64_t number, char *to, size_t cap);
void pw_central_stream_closed(struct pw_central *central, uint64_t number);

// ---------------------------------------------------------------------------------------------
// What the command line does, also on a central without a network. A program that serves the same
// database sees it at once.

#define PW_CENTRAL_KEY_MAX                                                                         \
    41 // a station key and its NUL: 16..40 characters (whitepaper A00.FR.205)

// Adds a station, or gives a known one a new key. Without a key (empty view) one is made; `made`
// then holds it, else it is empty. PW_ERR_RANGE when id or key is none, PW_ERR_BUSY when the
// station exists and !replace, PW_ERR_STORE, PW_ERR_LIMIT.
PW_MUST_USE int pw_central_station_add(struct pw_central *central, struct pw_str id,
                                       struct pw_str key, bool replace,
                                       char made[PW_CENTRAL_KEY_MAX], struct pw_instant at);
// Takes a station's key away; PW_ERR_UNKNOWN when there is none.
PW_MUST_USE int pw_central_station_remove(struct pw_central *central, struct pw_str id,
                                          struct pw_instant at);
// Calls `each` for every station with a key or not, ordered by id.
void pw_central_station_list(const struct pw_central *central,
                             void (*each)(void *context, const char *id, bool has_key,
                                          pw_unix_ms last_seen),
                             void *context);
// Adds or changes a card with status Accepted. PW_ERR_RANGE when the idTag is none.
PW_MUST_USE int pw_central_card_add(struct pw_central *central, struct pw_str id_tag,
                                    struct pw_str name);
// People. Roles are "viewer", "operator" and "admin", each may do what the one before it may.
#define PW_CENTRAL_PASSWORD_MAX 129
bool pw_central_has_admin(const struct pw_central *central);
// Adds a user. Without a password (empty view) one is made; `made` then holds it. PW_ERR_RANGE: the
// name has not 1..64 letters, digits or _.@+-, the role is none, the password not 10..128 bytes;
// PW_ERR_BUSY: the user exists.
PW_MUST_USE int pw_central_user_add(struct pw_central *central, struct pw_str name,
                                    struct pw_str role, struct pw_str password,
                                    char made[PW_CENTRAL_PASSWORD_MAX]);
// A user's role from the next request on; and the end of a user. PW_ERR_UNKNOWN; PW_ERR_BUSY: it is
// the last admin.
PW_MUST_USE int pw_central_user_role(struct pw_central *central, struct pw_str name,
                                     struct pw_str role);
PW_MUST_USE int pw_central_user_remove(struct pw_central *central, struct pw_str name);
// Calls `each` for every user, ordered by name; the texts are borrowed.
void pw_central_user_list(const struct pw_central *central,
                          void (*each)(void *context, struct pw_str name, struct pw_str role),
                          void *context);
// Changes a user's password and ends the user's logins; while there is no admin it also makes the
// user "admin". Without a password (empty view) one is made; `made` then holds it. PW_ERR_UNKNOWN;
// PW_ERR_RANGE for a password shorter than 10 or longer than 128 bytes.
PW_MUST_USE int pw_central_user_password(struct pw_central *central, struct pw_str name,
                                         struct pw_str password,
                                         char made[PW_CENTRAL_PASSWORD_MAX]);

#endif

// link: the station link. A station keeps one TLS connection to its central open, and both speak
// frames of a few bytes over it: the station tells at once what changed, the central sets limits,
// asks for energy, and reads everything. doc/link.md is the format byte by byte.
//
//     "PW"  type  flags  number(2)  length(2)  body      all big-endian, 8 bytes before the body
//     body: tag(1) length(2) value, any number of times; unknown tags are skipped
//
// Pure: two machines, one for each end of one connection. Bytes go in, bytes come out of bounded
// buffers, and what was understood is taken one message at a time, so that whoever is slow slows
// the sender down and nobody's memory grows.
// Source of what it must do: facts/ac-evse-rapi-load.md §4; limits: facts/reliability.md §2.3.
#ifndef PW_LINK_H
#define PW_LINK_H

#include "base/base.h"
#include "link/messages.def"

enum {
    PW_LINK_VERSION = 1, // of this protocol
    PW_LINK_SCHEMA = 1,  // of the snapshot
    PW_LINK_HEAD = 8,
    PW_LINK_TAG_ITEMS = 16,    // of the list in a snapshot and in a batch of log lines
    PW_LINK_FRAME_MAX = 16384, // bytes of a frame to the central, head included
    PW_LINK_DOWN_MAX = 4096,   // ... to the station, which holds a whole one in RAM
    PW_LINK_FIRST_MAX = 4096,  // held for a peer that has not said who it is
    PW_LINK_ID_MAX = 48,
    PW_LINK_KEY_MAX = 64,
    PW_LINK_TEXT_MAX = 63,
    PW_LINK_CHUNK_MAX = 2048, // bytes of a file in one frame
    PW_LINK_WHY_MAX = 200,
    PW_LINK_PING_MS = 10000,   // silence after which one asks
    PW_LINK_DEAD_MS = 28000,   // silence after which the connection is given up
    PW_LINK_HELLO_MS = 10000,  // for hello, and for welcome
    PW_LINK_ANSWER_MS = 10000, // for an answer
    PW_LINK_BACKOFF_MIN_MS = 1000,
    PW_LINK_BACKOFF_MAX_MS = 60000,
    PW_LINK_LASTED_MS = 30000, // a connection that held so long starts the back-off anew
};

// ---------------------------------------------------------------------------------------------
// Messages.

#define PW_LINK_TYPE(NAME, name, type, from, form) PW_LINK_##NAME = (type),
enum pw_link_type { PW_LINK_MESSAGES(PW_LINK_TYPE) };
#undef PW_LINK_TYPE

#define PW_LINK_KIND(NAME, number, word) PW_LINK_EVENT_##NAME = (number),
enum pw_link_event_kind { PW_LINK_EVENT_KINDS(PW_LINK_KIND) };
#undef PW_LINK_KIND

// Why a request was not done. Those from 128 on are never sent: this end says them.
enum pw_link_error_code {
    PW_LINK_E_NONE = 0,        // it was done
    PW_LINK_E_UNKNOWN = 1,     // no such message
    PW_LINK_E_BODY = 2,        // the body is not what the message wants
    PW_LINK_E_RANGE = 3,       // a value outside its range; no such connector
    PW_LINK_E_REFUSED = 4,     // not in the present state; the text says why
    PW_LINK_E_UNAVAILABLE = 5, // this station cannot do that, or not yet
    PW_LINK_E_STORE = 6,       // the record could not be kept
    PW_LINK_E_TIMEOUT = 128,   // no answer came
    PW_LINK_E_LOST = 129,      // the connection ended before the answer
};

// The objects of one tag, as they lie in the frame; read with pw_link_next.
struct pw_link_items {
    const uint8_t *at; // of the body that holds them
    size_t len;
    uint8_t tag;
    uint16_t count;
};

// Texts are views into the frame read, or the caller's own when writing.
#define PW_LINK_MEMBER_u8(name)    uint8_t name;
#define PW_LINK_MEMBER_u32(name)   uint32_t name;
#define PW_LINK_MEMBER_u64(name)   uint64_t name;
#define PW_LINK_MEMBER_i32(name)   int32_t name;
#define PW_LINK_MEMBER_i64(name)   int64_t name;
#define PW_LINK_MEMBER_flag(name)  bool name;
#define PW_LINK_MEMBER_tri(name)   int32_t name[3];
#define PW_LINK_MEMBER_text(name)  struct pw_str name;
#define PW_LINK_MEMBER_bytes(name) struct pw_str name;
#define PW_LINK_MEMBER_items(name) struct pw_link_items name;
#define PW_LINK_MEMBER(S, kind, member, tag, least, most, presence, absent)                        \
    PW_LINK_MEMBER_##kind(member)

struct pw_link_object; // the rows of one struct

#define PW_LINK_STRUCT(name, LIST)                                                                 \
    struct pw_link_##name {                                                                        \
        LIST(PW_LINK_MEMBER, name)                                                                 \
    };                                                                                             \
    extern const struct pw_link_object pw_link_##name##_rows;
PW_LINK_STRUCTS(PW_LINK_STRUCT)
#undef PW_LINK_STRUCT

struct pw_link_message {
    uint8_t type;    // enum pw_link_type, or a number we do not know
    uint16_t number; // of the request this is, or answers; 0: a notice
    union {
        struct pw_link_hello hello;
        struct pw_link_welcome welcome;
        struct pw_link_ok ok;
        struct pw_link_error error;
        struct pw_link_event event;
        struct pw_link_event_ack event_ack;
        struct pw_link_snapshot snapshot;
        struct pw_link_subscribe subscribe;
        struct pw_link_set_limit set_limit;
        struct pw_link_energize energize;
        struct pw_link_log_batch log_batch;
        struct pw_link_log_ack log_ack;
        struct pw_link_fw_begin fw_begin;
        struct pw_link_fw_chunk fw_chunk;
        struct pw_link_fw_commit fw_commit;
        struct pw_link_fw_state fw_state;
    } as;
};

const char *pw_link_event_name(uint8_t kind); // "pilot"; "unknown"
const char *pw_link_error_name(uint8_t code); // "refused"; "unknown"

// A struct with every optional member absent: start from this, then fill in.
void pw_link_blank(const struct pw_link_object *rows, void *object);

// The next object of a list; false after the last, and for one that does not fit its rows (*bad is
// then set). *items moves on.
bool pw_link_next(struct pw_link_items *items, const struct pw_link_object *rows, void *object,
                  bool *bad);

// ---------------------------------------------------------------------------------------------
// Frames. Who uses the machines below needs none of this but pw_link_next; tests, tools and fuzz
// targets do.

struct pw_link_frame {
    uint8_t type;
    uint16_t number;
    const uint8_t *body;
    size_t len;
};

// Reads the frame at the front of `at`. Its length in bytes; PW_ERR_AGAIN: more bytes are needed;
// PW_ERR_PEER: no frame begins here; PW_ERR_LIMIT: longer than `most`.
PW_MUST_USE int pw_link_frame_read(const uint8_t *at, size_t len, size_t most,
                                   struct pw_link_frame *frame);

// Decodes a frame's body and checks it. PW_ERR_UNKNOWN: no such type; PW_ERR_PEER: the body is
// broken or lacks something; PW_ERR_RANGE: a value is outside its row. *why (may be NULL) says
// which field, what it held and what it may hold.
PW_MUST_USE int pw_link_decode(const struct pw_link_frame *frame, struct pw_link_message *message,
                               struct pw_out *why);

// A frame being written into the caller's bytes. Begin, add objects to its lists, end; `full` says
// that it did not fit, `wrong` that a value was outside its row (our bug or the caller's input).
struct pw_link_writer {
    uint8_t *at;
    size_t cap;
    size_t len;
    bool full;
    bool wrong;
};

void pw_link_begin(struct pw_link_writer *w, uint8_t type, uint16_t number, const void *object);
void pw_link_add(struct pw_link_writer *w, uint8_t tag, const struct pw_link_object *rows,
                 const void *object);
// The frame's bytes, or PW_ERR_LIMIT, PW_ERR_RANGE.
PW_MUST_USE int pw_link_end(struct pw_link_writer *w);

// ---------------------------------------------------------------------------------------------
// Both ends share this: what waits to leave, what has come, and whether the other side lives.

struct pw_link_pipe {
    uint8_t *rx;
    size_t rx_cap;
    size_t rx_len;
    size_t rx_used; // of it, up to the end of the frame that was taken last
    uint8_t *tx;
    size_t tx_cap;
    size_t tx_len;
    size_t most;    // longest frame the other side may send
    pw_ms heard_at; // last whole frame
    pw_ms moved_at; // last time bytes left, or tx was empty
    uint16_t ping;  // number of the ping that is open; 0: none
    pw_ms ping_at;
    uint32_t rtt_ms; // of the last ping; UINT32_MAX: none yet
    uint32_t frames_in;
    uint32_t frames_out;
    uint32_t bad;         // frames not understood, answers to nothing
    uint16_t next_number; // for our next request
};

// ---------------------------------------------------------------------------------------------
// The station's end. The port connects when `wants` says so, tells up, bytes and down, sends what
// `out` holds and closes when `wants` says false.

enum {
    PW_LINK_EVENTS = 128,        // kept until the central has them
    PW_LINK_STATION_TX = 8192,   // an answer and a batch of log lines
    PW_LINK_STATION_BATCH = 4096 // bytes of a batch at most, so that an event never waits long
};

enum pw_link_state {
    PW_LINK_WAITING,    // for the time of the next try
    PW_LINK_CONNECTING, // the port is at it
    PW_LINK_GREETING,   // hello is said, welcome has not come
    PW_LINK_ONLINE,
    PW_LINK_ENDING, // given up; the port is to close
};

// An event as the station keeps it. `at` is its own clock, `wall` 0 while that is not known.
struct pw_link_happening {
    uint64_t event;
    pw_ms at;
    pw_unix_ms wall;
    int64_t value;
    uint8_t kind; // enum pw_link_event_kind
    uint8_t connector;
    char text[PW_LINK_TEXT_MAX + 1];
};

// Who the station is. Texts are borrowed for good.
struct pw_link_identity {
    struct pw_str id;
    struct pw_str key;
    struct pw_str firmware;
    struct pw_str vendor;
    struct pw_str model;
    uint8_t connectors;
    uint64_t boot; // random, 1 or more
};

// Points into itself: initialised where it stays.
struct pw_link_station {
    struct pw_link_identity who;
    struct pw_link_pipe pipe;
    enum pw_link_state state;
    const char *why; // of the state: a literal
    pw_ms since;
    pw_ms try_at;
    unsigned tries; // in a row without success
    uint32_t random;
    // Events: [first, next) are held, those below `sent` have left on this connection.
    struct pw_link_happening ring[PW_LINK_EVENTS];
    uint64_t first;
    uint64_t next;
    uint64_t sent;
    uint64_t lost; // pushed out before the central had them
    // Logs.
    uint64_t log_next; // first line the central has not acknowledged
    bool log_open;     // a batch is under way
    pw_ms log_at;      // when it left
    // Subscription.
    uint32_t interval_ms; // 0: none
    pw_ms report_at;
    pw_unix_ms wall; // from the welcome; 0: none
    pw_ms wall_at;
    uint8_t request; // type of the request that was taken and has no answer yet; 0: none
    uint16_t request_number;
    uint8_t rx[PW_LINK_DOWN_MAX];
    uint8_t tx[PW_LINK_STATION_TX];
};

// `seed`: any number; spreads the tries of many stations. The first try is due at once.
void pw_link_station_init(struct pw_link_station *s, const struct pw_link_identity *who,
                          uint32_t seed, pw_ms now);

// From the port. `bytes` returns how many were taken: the rest is to be offered again after
// pw_link_station_next has emptied the buffer. `down` also when connecting failed.
void pw_link_station_up(struct pw_link_station *s, pw_ms now);
void pw_link_station_down(struct pw_link_station *s, pw_ms now);
size_t pw_link_station_bytes(struct pw_link_station *s, const uint8_t *at, size_t len, pw_ms now);
// What is to be sent, and that `len` of it has been handed over.
struct pw_str pw_link_station_out(const struct pw_link_station *s);
void pw_link_station_out_sent(struct pw_link_station *s, size_t len, pw_ms now);
// True while a connection should be open or be tried now; false: close it.
bool pw_link_station_wants(const struct pw_link_station *s, pw_ms now);
// Pings, time-outs, events and whatever is due; the next deadline.
pw_ms pw_link_station_step(struct pw_link_station *s, pw_ms now);

// From the host. The next request to decide (GET_ALL, SET_LIMIT, ENERGIZE or one of FW_BEGIN to
// FW_STATUS; all others are dealt with here); its views live until it is answered, which must be
// before the next is taken. False: none, or no room for an answer yet.
bool pw_link_station_next(struct pw_link_station *s, struct pw_link_message *message, pw_ms now);
// True while `next` would take a whole frame: call it again without waiting for more.
bool pw_link_station_waits(const struct pw_link_station *s);
// Answers it: PW_LINK_E_NONE with what it leads to, or a code with the reason.
void pw_link_station_answer(struct pw_link_station *s, enum pw_link_error_code code,
                            struct pw_str text, pw_ms now);
// Answers GET_ALL (when a request is open) or sends the snapshot that is due: see `snapshot_due`.
// `connectors` many. PW_ERR_AGAIN: no room now, PW_ERR_LIMIT: larger than a frame can be.
PW_MUST_USE int pw_link_station_snapshot(struct pw_link_station *s,
                                         const struct pw_link_snapshot *snapshot,
                                         const struct pw_link_connector *connectors, size_t count,
                                         pw_ms now);
// Answers FW_STATUS.
void pw_link_station_fw_state(struct pw_link_station *s, const struct pw_link_fw_state *state,
                              pw_ms now);
bool pw_link_station_snapshot_due(const struct pw_link_station *s, pw_ms now);

// Something happened. Kept until the central has it; the oldest makes room (and is counted).
// `event` is given here. It leaves with the next step.
void pw_link_station_event(struct pw_link_station *s, const struct pw_link_happening *what);

// Log lines: when one may send, the cursor to begin with; then lines, then end. At most one batch
// is under way, and events go first.
bool pw_link_station_wants_log(const struct pw_link_station *s, uint64_t *cursor);
void pw_link_station_log_begin(struct pw_link_station *s, const struct pw_link_log_batch *batch,
                               struct pw_link_writer *w);
// False: it is full; end it without this line.
bool pw_link_station_log_line(struct pw_link_writer *w, const struct pw_link_line *line);
void pw_link_station_log_end(struct pw_link_station *s, struct pw_link_writer *w, pw_ms now);

const char *pw_link_state_name(enum pw_link_state state);

// ---------------------------------------------------------------------------------------------
// The central's end of one connection.

enum {
    PW_LINK_OPEN = 8, // requests without an answer, at most
    PW_LINK_CENTRAL_TX = 4096,
};

// What the central holds once it knows who speaks. Until then the machine makes do with `first`.
struct pw_link_memory {
    uint8_t rx[PW_LINK_FRAME_MAX];
    uint8_t tx[PW_LINK_CENTRAL_TX];
};

enum pw_link_news {
    PW_LINK_NEWS_NONE,
    PW_LINK_NEWS_HELLO,    // message.as.hello: decide with admit or refuse before taking more
    PW_LINK_NEWS_EVENT,    // message.as.event: new, in order; ack it once it is kept
    PW_LINK_NEWS_LOST,     // `lost` events of this boot will never come; in front of the next event
    PW_LINK_NEWS_SNAPSHOT, // message.as.snapshot; number 0: by subscription
    PW_LINK_NEWS_LOG,      // message.as.log_batch: log_ack it once it is kept
    PW_LINK_NEWS_FIRMWARE, // message.as.fw_state: answers `number`, an FW_STATUS
    PW_LINK_NEWS_ANSWER,   // to `number`, a request of type `request`: `code` and `text`
};

struct pw_link_report {
    enum pw_link_news news;
    struct pw_link_message message; // views live until the next call of pw_link_central_next
    uint64_t lost;
    uint16_t number; // ANSWER, SNAPSHOT and FIRMWARE: as the request's function returned it
    uint8_t request; // enum pw_link_type
    uint8_t code;    // enum pw_link_error_code
    struct pw_str text;
};

struct pw_link_question {
    uint16_t number; // 0: free
    uint8_t type;
    pw_ms deadline;
};

enum pw_link_side { PW_LINK_STRANGER, PW_LINK_ASKED, PW_LINK_KNOWN, PW_LINK_GONE };

// Points into itself: initialised where it stays.
struct pw_link_central {
    struct pw_link_pipe pipe;
    enum pw_link_side side;
    const char *why; // it is GONE: a literal
    pw_ms since;
    uint64_t hello_first; // of the hello
    uint64_t hello_next;
    uint64_t event; // last one reported
    uint64_t lost;  // to be said before the next event
    uint64_t acked; // what the station was told last
    uint64_t ack;   // ... and what it is to be told
    uint64_t log_acked;
    uint64_t log_ack;
    struct pw_link_question open[PW_LINK_OPEN];
    uint32_t repeated; // events that came again and were not reported
    uint8_t first[PW_LINK_FIRST_MAX];
    struct pw_link_memory *memory;
};

void pw_link_central_init(struct pw_link_central *c, pw_ms now);

// From the port, as at the station. Nothing is ever sent to a stranger, and at most
// PW_LINK_FIRST_MAX bytes of it are held.
size_t pw_link_central_bytes(struct pw_link_central *c, const uint8_t *at, size_t len, pw_ms now);
struct pw_str pw_link_central_out(const struct pw_link_central *c);
void pw_link_central_out_sent(struct pw_link_central *c, size_t len, pw_ms now);
// The connection is gone, or the host wants it to be (`why` a literal): every open request is
// reported as lost by the next calls of pw_link_central_next.
void pw_link_central_close(struct pw_link_central *c, const char *why, pw_ms now);
// True once the port is to close it; c->why says why. The reports are still to be taken.
bool pw_link_central_gone(const struct pw_link_central *c);
pw_ms pw_link_central_step(struct pw_link_central *c, pw_ms now);

// From the host. What came, one at a time; PW_LINK_NEWS_NONE: no more now.
enum pw_link_news pw_link_central_next(struct pw_link_central *c, struct pw_link_report *report,
                                       pw_ms now);

// The hello is accepted: key checked (in constant time, by the host), another connection of the
// same station closed. `event` and `log`: what is kept of that boot (both 0 when it is a new one;
// see the welcome's fields). `memory` belongs to this connection until it is freed by the host.
void pw_link_central_admit(struct pw_link_central *c, struct pw_link_memory *memory,
                           const struct pw_link_welcome *kept, pw_ms now);
// It is not: the connection ends without a word.
void pw_link_central_refuse(struct pw_link_central *c, const char *why, pw_ms now);

// Kept for good: the station may forget them.
void pw_link_central_ack(struct pw_link_central *c, uint64_t event, pw_ms now);
void pw_link_central_log_ack(struct pw_link_central *c, uint64_t next, pw_ms now);

// Sends a request and returns its number (1..65535), under which exactly one ANSWER (or SNAPSHOT,
// or FIRMWARE) will be reported. `request` is the type's struct, NULL for one without fields.
// PW_ERR_BUSY: not online; PW_ERR_LIMIT: too many are open or the station does not read;
// PW_ERR_RANGE with *why.
PW_MUST_USE int pw_link_central_ask(struct pw_link_central *c, enum pw_link_type type,
                                    const void *request, struct pw_out *why, pw_ms now);

#endif

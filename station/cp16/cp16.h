// cp16: the charge point's side of OCPP 1.6J, all feature profiles and the security whitepaper.
// What the station says by itself (topics.c), and the answers to what the central system asks
// (answers.c). It decides when to talk and what to say; state that another version of OCPP needs as
// well is in rooms of its own, and whatever touches a charge is asked of the host (the station).
// Pure: text in, text out, next deadline.
// Sources: OCPP 1.6 edition 2, OCPP-J 1.6, errata 2025-04; facts/ocpp.md §3.4.
#ifndef PW_CP16_H
#define PW_CP16_H

#include "base/base.h"
#include "files/files.h"
#include "journal/journal.h"
#include "json/json.h"
#include "ocpp/ocpp.h"
#include "reservations/reservations.h"
#include "security/security.h"
#include "session/session.h"
#include "settings/settings.h"
#include "smart/smart.h"
#include "tags/tags.h"

#define PW_CP16_LIMIT_MAX      320 // bytes of the host's answer to "Limit"
#define PW_CP16_PUBLIC_KEY_MAX 368 // characters of MeterPublicKey and its NUL; OCPP allows 500
#define PW_CP16_SIGNED_MAX     2600 // bytes of a signed value: the data set and a public key in base64
// Bytes of one message to send: GetConfiguration with all keys fits, and StopTransaction with 120
// readings of energy.
#define PW_CP16_OUT_MAX        24576
#define PW_CP16_STARTS         4     // StartTransactions whose late answer is understood
#define PW_CP16_NODES_MAX      1024  // JSON values in one message received: 96 periods of a profile
#define PW_CP16_SPARE_MAX      12288 // bytes of strings with escapes: CertificateSigned
#define PW_CP16_TRIGGERS       9     // messages that can be asked for
#define PW_CP16_SERVED         8     // calls remembered, to know one that is sent again
#define PW_CP16_QUIET_MS       300000 // no heartbeat interval may be shorter when the central says 0
// A longer silence of the central system than this is not waited for: where WebSocket pings come
// more seldom, or not at all, a heartbeat asks.
#define PW_CP16_SILENCE_MS     300000

// What a connector looks like to OCPP. Texts are literals or live in the station.
struct pw_cp16_status {
    enum pw_session_status status;
    const char *error_code;  // ChargePointErrorCode: "NoError", "OtherError"...
    const char *info;        // "" or at most 50 characters
    const char *vendor_code; // "" or at most 50 characters
};

// What the vehicle told, for VehicleInfo. Absent parts are -1.
struct pw_cp16_vehicle {
    int32_t charge_mah;
    int32_t imax_ma;
    int32_t pack_mv;
    int32_t soc_permille;
    const char *model; // "" when unknown
};

// The outcome of a request, spelled as the confirmations of OCPP do.
enum pw_cp16_answer {
    PW_CP16_ACCEPTED,
    PW_CP16_REJECTED,
    PW_CP16_SCHEDULED,
};

// What cp16 asks of the station. Called from pw_cp16_text and pw_cp16_step only; they must not call
// back into cp16 except where said.
struct pw_cp16_host {
    void *context;
    // connector 0: any. `profile`: a profile of purpose TX for the transaction to come, or NULL;
    // copied.
    enum pw_cp16_answer (*remote_start)(void *context, unsigned connector, struct pw_str id_tag,
                                        const struct pw_profile *profile, pw_ms now);
    enum pw_cp16_answer (*remote_stop)(void *context, unsigned connector, pw_ms now);
    enum pw_cp16_answer (*availability)(void *context, unsigned connector, bool operative,
                                        pw_ms now); // connector 0: all
    // PW_OK: the lock is open; PW_ERR_AGAIN: the charge ends first, or it is on its way: ask again;
    // PW_ERR_UNKNOWN: there is no lock; anything else: it does not open.
    int (*unlock)(void *context, unsigned connector, pw_ms now);
    enum pw_cp16_answer (*reset)(void *context, bool hard, pw_ms now);
    // The answer to pw_cp16_authorise. `offline`: the central system could not be asked; only the
    // idTag of *answer counts then.
    void (*authorised)(void *context, unsigned connector, const struct pw_tag *answer, bool offline,
                       pw_ms now);
    // What StartTransaction was answered about the idTag. The answer is not settled yet: it comes
    // again should the power go now.
    void (*start_answered)(void *context, unsigned connector, uint32_t seq,
                           const struct pw_tag *answer, pw_ms now);
    // A setting has a new value.
    void (*setting)(void *context, struct pw_setting_at at, pw_ms now);
    // What limits a connector's current, by whom, why and since when: one JSON object of at most
    // PW_CP16_LIMIT_MAX bytes.
    void (*limit)(void *context, unsigned connector, struct pw_out *json, pw_ms now);
    // Reads a connector's measurements now.
    void (*measure)(void *context, unsigned connector, enum pw_reading reading,
                    struct pw_sample *sample, pw_ms now);
    // Takes a clock-aligned reading: pw_cp16_keep_reading, at once, or once the meter has signed
    // it.
    void (*meter)(void *context, unsigned connector, const struct pw_sample *sample, pw_ms now);
    // The public key of a connector's meter, as MeterPublicKey says it; nothing without one.
    void (*public_key)(void *context, unsigned connector, struct pw_out *out);
};

enum pw_cp16_link { PW_CP16_LINK_DOWN, PW_CP16_LINK_UP };
enum pw_cp16_boot {
    PW_CP16_BOOT_UNKNOWN,
    PW_CP16_BOOT_PENDING,
    PW_CP16_BOOT_REJECTED,
    PW_CP16_BOOT_ACCEPTED
};

struct pw_cp16 {
    struct pw_settings *settings;
    struct pw_journal *journal;
    struct pw_security *security;         // the station's; set after pw_cp16_init
    struct pw_smart *smart;               // as well
    struct pw_tags *tags;                 // as well
    struct pw_reservations *reservations; // as well
    const struct pw_log *log;
    const struct pw_cp16_host *host;
    struct pw_files *files; // NULL: this station moves no files
    const char *firmware;
    unsigned connectors;
    uint32_t random;

    // Clock: wall = monotonic + offset.
    bool clock_known;
    int64_t clock_offset_ms;

    // Link and boot.
    enum pw_cp16_link link;
    pw_ms retry_at;   // when a link may be tried again
    uint32_t refused; // tries since the link last stood
    char down_reason[64];
    enum pw_cp16_boot boot;
    pw_ms boot_at;       // when BootNotification is due
    uint32_t boot_tries; // that failed, in a row
    uint32_t interval_s; // from the central system
    uint32_t timeouts;   // calls in a row that nobody answered
    pw_ms connected_at;  // last acceptance, for reports
    pw_ms heartbeat_at;
    pw_ms heard_at; // the central system last said something

    // The call under way; its id and deadline are the rpc's.
    struct pw_ocpp_rpc rpc;
    uint32_t event_number;                // SecurityEventNotification: what is being told
    pw_ms event_at;                       // not before
    const struct pw_cp16_topic *speaking; // what it is about; NULL: none
    unsigned call_connector;
    struct pw_message message; // of a transaction: what is being sent
    unsigned attempts;         // refusals of this message
    pw_ms message_at;          // when it may be sent
    struct pw_cp16_served {    // the last calls of the central system on this connection
        char id[PW_OCPP_ID_MAX + 1];
        uint32_t hash; // of the whole text
    } served[PW_CP16_SERVED];
    uint8_t served_at;         // the place of the next
    struct pw_cp16_unlocking { // UnlockConnector that is not answered yet
        char id[PW_OCPP_ID_MAX + 1];
        unsigned connector; // 0: none
        pw_ms until;
    } unlocking;
    bool settle; // it was answered or refused; the journal does not know yet
    bool settle_refused;
    int32_t settle_id;
    // The StartTransactions last sent: an answer that comes late still names the transaction.
    struct pw_cp16_start {
        char id[PW_OCPP_ID_MAX + 1];
        uint32_t transaction;
    } starts[PW_CP16_STARTS];
    uint8_t starts_at; // the place to use next

    // What there is to say.
    uint8_t triggered[PW_CP16_TRIGGERS]; // by TriggerMessage: one bit a connector
    struct pw_cp16_voice {
        struct pw_cp16_status now;
        pw_ms since;
        struct pw_cp16_status said;
        bool said_any;
        bool authorise; // id_tag waits to be asked
        char id_tag[PW_ID_TAG_MAX + 1];
        bool vehicle; // vehicle info waits to be told
        struct pw_cp16_vehicle info;
    } voice[PW_CONNECTORS_MAX + 1];     // 0: the station
    pw_ms notice_at[PW_TRANSFER_LANES]; // no notice of station/files before
    bool failure_told;                  // why the update failed that the next notice is of
    bool failure_unheard;               // the central system does not know that message
    // Clock-aligned readings: when the next one is due, the boundary it bears, and the last one's.
    pw_ms aligned_at;
    pw_unix_ms aligned_next;
    pw_unix_ms aligned_wall;

    union {                                   // while a message is being printed
        char signed_text[PW_CP16_SIGNED_MAX]; // of one value
        char public_keys[PW_CONNECTORS_MAX][PW_CP16_PUBLIC_KEY_MAX]; // for GetConfiguration
    };
    // An answer that waits until what it says survives a power cut; until then no other call of the
    // central system is read (pw_cp16_text: PW_ERR_AGAIN).
    struct pw_cp16_late {
        void (*say)(struct pw_cp16 *cp, struct pw_str id, bool kept); // NULL: none waits
        int64_t ticket;                                               // 0: an update of the list
        pw_ms until; // then the disk is too slow; PW_NEVER: not seen by a step yet
        char id[PW_OCPP_ID_BYTES + 1];
    } late;

    char out[PW_CP16_OUT_MAX];
    size_t out_len;
    struct pw_json_node node[PW_CP16_NODES_MAX]; // of the message being read
    char spare[PW_CP16_SPARE_MAX];
    uint32_t malformed; // messages that were no OCPP
};

// `settings` and `journal` are the station's and are changed here; all pointers outlive the cp16.
void pw_cp16_init(struct pw_cp16 *cp, struct pw_settings *settings, struct pw_journal *journal,
                  const struct pw_cp16_host *host, const struct pw_log *log);

// The WebSocket stands, or is gone (with the reason, for people). Whether it should be opened now.
void pw_cp16_link_up(struct pw_cp16 *cp, pw_ms now);
void pw_cp16_link_down(struct pw_cp16 *cp, struct pw_str reason, pw_ms now);
bool pw_cp16_wants_link(const struct pw_cp16 *cp, pw_ms now);
// One whole text from the central system. PW_ERR_AGAIN: a text of ours has not left yet, or an
// answer waits for the disk; nothing was done, give it again. pw_cp16_out: the text to send, empty
// without one; it stays until pw_cp16_out_sent.
PW_MUST_USE int pw_cp16_text(struct pw_cp16 *cp, struct pw_str text, pw_ms now);
struct pw_str pw_cp16_out(const struct pw_cp16 *cp);
void pw_cp16_out_sent(struct pw_cp16 *cp);
// An answer has not left, or waits for the disk: the connection must stay for it.
bool pw_cp16_is_answering(const struct pw_cp16 *cp);

// The condition of a connector (0: the station) as it is now. Reported when it differs from what
// was said and has lasted MinimumStatusDuration.
void pw_cp16_status(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_status *status,
                    pw_ms now);
// Asks whether a card may charge; the host hears the answer. PW_ERR_BUSY while the connector's last
// question is open.
PW_MUST_USE int pw_cp16_authorise(struct pw_cp16 *cp, unsigned connector, struct pw_str id_tag,
                                  pw_ms now);
// Tells the central system about the vehicle, once it can be reached.
void pw_cp16_vehicle(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_vehicle *info);

// A reading of a connector: into the queue and to its transaction's StopTransaction, as the lists
// of measurands want it.
void pw_cp16_keep_reading(struct pw_cp16 *cp, unsigned connector, const struct pw_sample *sample);

// Talks if it is time to, and returns the next deadline.
pw_ms pw_cp16_step(struct pw_cp16 *cp, pw_ms now);

bool pw_cp16_online(const struct pw_cp16 *cp); // link up and boot accepted
// Nothing is on its way, and nothing waits that could be said now: whoever goes down has said all.
bool pw_cp16_has_said_all(const struct pw_cp16 *cp, pw_ms now);
pw_unix_ms pw_cp16_wall(const struct pw_cp16 *cp, pw_ms now);
struct pw_stamp pw_cp16_stamp(const struct pw_cp16 *cp, pw_ms now);
// The date as somebody trusted says it is now: the central system, or the central at its station
// link. A time before 2020 is nobody's present, and is not believed.
void pw_cp16_learn_clock(struct pw_cp16 *cp, pw_unix_ms wall, pw_ms now);
// The wall time of a stamp, worked out as far as can be; the present for one that cannot.
pw_unix_ms pw_cp16_stamp_wall(const struct pw_cp16 *cp, struct pw_stamp at, pw_ms now);
// "offline", "connecting", "pending", "rejected", "online".
const char *pw_cp16_state_name(const struct pw_cp16 *cp);

// Whether a request of the central system is answered by more than an error.
bool pw_cp16_serves(enum pw_ocpp16_action action);

// What OCPP wants of a setting beyond its row: lists name what is measured, keys are long enough.
// For whoever sets one, before pw_settings_set. PW_ERR_RANGE with the reason in *why.
PW_MUST_USE int pw_cp16_check_setting(enum pw_setting_id id, struct pw_str value,
                                      struct pw_out *why);

#endif

// records: what the central keeps of what it asked stations and of what they told it, and what was
// seen after a command. Everything lives in the database; only the watch over a command that has
// been accepted lives in memory.
#ifndef PW_CENTRAL_RECORDS_H
#define PW_CENTRAL_RECORDS_H

#include "state.h"

#define EFFECT_MAX 256 // bytes of an effect in words

// --- effects.c: pending → answer → effect.
//
// Rows of commands carry an effect_state: absent (NULL) while nothing is expected, "waiting" and
// "progress" while it is watched for, "seen", "failed" when what was seen says that it did not
// work, "none" when the time was over, "unknown" when this program was started again meanwhile.

enum sight_kind {
    SIGHT_MESSAGE,   // a call came: action, connector (-1: it names none)
    SIGHT_BOOT,      // BootNotification
    SIGHT_STATUS,    // StatusNotification: connector, status
    SIGHT_STARTED,   // a transaction: connector, number, text (idTag)
    SIGHT_STOPPED,   // likewise: connector, number, text (reason)
    SIGHT_JOB,       // a file job went on: number (its id), text (status), over
    SIGHT_CONNECTED, // a handshake was accepted: text ("key" or "certificate"), number its profile
    SIGHT_READ,      // a configuration key was read: word (key), text (value; at NULL: none)
    SIGHT_LISTED,    // installed certificates were listed: status (their use), number (how many)
};

struct sight {
    enum sight_kind kind;
    int action; // enum pw_ocpp16_action
    int connector;
    int status; // enum pw_ocpp16_connector_status
    int64_t number;
    bool over;
    struct pw_str word;
    struct pw_str text;
};

// What a command is watched for. Filled from its request before it leaves, because a station may
// show the effect before it answers.
struct watch {
    struct watch *next;
    int64_t command;
    const struct effect_row *row;
    int connector;         // -1: any
    int64_t number;        // a transaction, a job, an enumeration's value
    char word[TEXT50_MAX]; // an idTag, a key
    bool answered;         // the station has said yes
    bool lasting;          // part of the effect was seen: "progress"
    pw_ms wait_ms;         // from the answer, and from each part of the effect
    pw_ms deadline;        // PW_NEVER until answered
    char seen[EFFECT_MAX]; // in words; empty: nothing yet
    bool complete;         // … and it is all
    bool failed;           // … and says that it did not work
};

// An answered command, its request and the answer decoded.
struct answered {
    struct pw_central *central;
    struct station *station;
    struct watch *watch;
    struct pw_str payload; // the request as JSON
    const void *req;
    const void *conf;
    const struct pw_json_node *answer; // which conf was decoded from
    struct pw_out *effect;             // in words, what is known with the answer
    struct pw_instant at;
};

enum expect {
    EXPECT_NOTHING, // the answer is all; the words in *effect, if any, are the effect
    EXPECT_EFFECT,  // it is still to be seen
};

enum seen { SEEN_NOT, SEEN_PART, SEEN_ALL, SEEN_FAILED };

struct effect_row {
    enum pw_ocpp16_action action;
    uint32_t wait_s; // 0: nothing is to be seen
    // Sets what is to be matched; may be NULL.
    void (*aim)(struct watch *watch, const void *req);
    // Keeps the record that the answer means; NULL: an answer "Accepted" is all there is.
    enum expect (*keep)(const struct answered *answered);
    // Whether this is (part of) it, and in words what it is.
    enum seen (*sees)(const struct watch *watch, const struct sight *sight, struct pw_out *words);
};

// A command leaves; it is answered; it has ended without a good answer.
void effect_begin(struct pw_central *central, struct station *station,
                  const struct command *command, struct pw_instant at);
void effect_answered(struct pw_central *central, struct station *station,
                     const struct command *command, const struct pw_json_node *conf,
                     struct pw_instant at);
void effect_forget(struct station *station, int64_t command);
void sight_note(struct pw_central *central, struct station *station, const struct sight *sight,
                struct pw_instant at);
pw_ms effects_step(struct pw_central *central, struct pw_instant at);
void effects_free(struct station *station);
int effects_load(struct pw_central *central);

// effect_rows.c: the table; NULL for an action without a row.
const struct effect_row *effect_row_of(int action);

// --- commands.c

// Queues a command that the central itself wants, or an interface made from checked parts.
// PW_ERR_LIMIT when the queue is full, PW_ERR_STORE. Does not send yet.
int64_t command_queue(struct pw_central *central, struct station *station, int action,
                      struct pw_str payload, bool ours, struct pw_instant at);

// --- configuration.c

enum expect configuration_kept(const struct answered *answered);
enum expect configuration_changed(const struct answered *answered);
// The value last read, as a whole number; `otherwise` when it is not known or none.
int64_t configuration_number(const struct pw_central *central, const struct station *station,
                             const char *key, int64_t otherwise);
// What it was told and does not use yet; -1: nothing. And that it uses it now.
int64_t configuration_wanted(const struct pw_central *central, const struct station *station,
                             const char *key);
void configuration_reached(struct pw_central *central, const struct station *station,
                           const char *key, pw_ms now);
// The station has booted: what waited for a reboot counts now.
void configuration_booted(struct pw_central *central, const struct station *station, pw_ms now);
void report_configuration(const struct pw_central *central, struct pw_json_writer *json,
                          const struct station *station, int64_t changes);

// --- local_list.c

enum expect list_version_kept(const struct answered *answered);
enum expect list_sent(const struct answered *answered);
// Whether it follows the cards by itself.
void list_automatic(struct pw_central *central, struct station *station, bool automatic,
                    struct pw_instant at);
// Brings the station's list to the cards of this central, as far as it takes them: the whole list
// or the differences. The first command's id; 0 when nothing differs; PW_ERR_LIMIT, PW_ERR_STORE.
int64_t list_sync(struct pw_central *central, struct station *station, bool full,
                  struct pw_instant at);
// Cards have changed, or a station has booted: lists kept automatically follow soon.
void lists_look(struct pw_central *central, const struct station *station, pw_ms now);
pw_ms lists_step(struct pw_central *central, struct pw_instant at);
void report_list(const struct pw_central *central, struct pw_json_writer *json,
                 const struct station *station);

// --- charging.c: reservations and charging profiles.

enum expect reservation_made(const struct answered *answered);
enum expect reservation_cancelled(const struct answered *answered);
// A transaction has used it (OCPP 1.6 §5.13).
void reservation_used(struct pw_central *central, const struct station *station, int64_t id,
                      int64_t session, struct pw_instant at);
void report_reservations(const struct pw_central *central, struct pw_json_writer *json,
                         const struct station *station, pw_unix_ms wall);
enum expect profile_set(const struct answered *answered);
enum expect profiles_cleared(const struct answered *answered);
enum expect composite_kept(const struct answered *answered);
// A transaction's own profiles end with it (OCPP 1.6 §3.13.1); those of a remote start get its id.
void profiles_started(struct pw_central *central, const struct station *station, int connector,
                      int64_t session, struct pw_instant at);
void profiles_stopped(struct pw_central *central, const struct station *station, int64_t session,
                      struct pw_instant at);
// The profile that a remote start carries.
void profile_carried(const struct answered *answered,
                     const struct pw_ocpp16_charging_profile *profile, int connector);
void report_profiles(const struct pw_central *central, struct pw_json_writer *json,
                     const struct station *station);

// --- files.c: firmware updates, diagnostics and logs.

enum expect firmware_asked(const struct answered *answered);
enum expect signed_firmware_asked(const struct answered *answered);
enum expect diagnostics_asked(const struct answered *answered);
enum expect log_asked(const struct answered *answered);
void files_serve_firmware(const struct call *call, const void *message);
// DataTransfer UpdateFailed: why the update failed of which a status will tell next. False when
// `data` is none.
bool files_take_why(const struct call *call, struct pw_str data);
void files_serve_signed_firmware(const struct call *call, const void *message);
void files_serve_diagnostics(const struct call *call, const void *message);
void files_serve_log(const struct call *call, const void *message);
// The number for the next job with one.
int64_t file_request_id(const struct pw_central *central);
void report_jobs(const struct pw_central *central, struct pw_json_writer *json,
                 const struct station *station, int64_t before, int64_t limit);

// --- security.c: events, certificates, keys.

void security_serve_event(const struct call *call, const void *message);
void security_serve_sign(const struct call *call, const void *message);
enum expect certificates_listed(const struct answered *answered);
enum expect certificate_installed(const struct answered *answered);
enum expect certificate_deleted(const struct answered *answered);
enum expect certificate_taken(const struct answered *answered);
// Gives the station a new key over OCPP. The command's id or as command_queue; PW_ERR_BUSY while it
// is not known which key of the last change it uses.
int64_t key_change(struct pw_central *central, struct station *station, struct pw_instant at);
// What the change of the AuthorizationKey came to: the answer's status, or it never came.
void key_changed(struct pw_central *central, const struct station *station, bool accepted,
                 struct pw_instant at);
// The station has come in with the key of before: what it was being given did not reach it.
void key_stayed(struct pw_central *central, const struct station *station, struct pw_instant at);
// True when our authority has issued this certificate to the station and not taken it back.
bool certificate_good(const struct pw_central *central, struct pw_str station, struct pw_str serial,
                      pw_unix_ms wall);
void report_security_events(const struct pw_central *central, struct pw_json_writer *json,
                            struct pw_str station, int64_t before, int64_t limit);
void report_certificates(const struct pw_central *central, struct pw_json_writer *json,
                         const struct station *station, pw_unix_ms wall);

#endif

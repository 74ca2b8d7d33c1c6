// files: what moves files between the station and its operator: logs go up, releases come down and
// are installed. Decides when to try, how often, what is said about it, waits with an installation
// until nobody charges, and judges whether a new program on trial is healthy. Nothing of a protocol
// is in here: OCPP 1.6 (cp16), the station link (uplink), the console and the page translate what
// they are asked into these, and these statuses into their messages.
//
// One machine for every way a release can come. It is fetched from a URL or handed in; its head is
// judged (core/release) before the rest is loaded; it is written to the slot that does not run, and
// started on trial when nobody charges. Who delivers it is trusted with nothing.
//
// Everything asked for lasts over a power cut, and so does what is still to be said. Keys: "up" the
// upload, "fw" the update, "fw/sig" and "fw/crt0".. its signature and certificate.
// Sources: OCPP 1.6 §4.4, 4.5, 5.9, 5.19; errata 3.12, 3.31, 3.47–3.49, 3.63; whitepaper N01, L01;
// facts/reliability.md §6, T11–T13.
#ifndef PW_FILES_H
#define PW_FILES_H

#include "base/base.h"
#include "install/install.h"
#include "json/json.h"
#include "release/release.h"
#include "settings/settings.h"
#include "store/store.h"
#include "transfer/transfer.h"

#define PW_FILES_SIGNATURE_MAX   800  // base64
#define PW_FILES_CERTIFICATE_MAX 5500 // PEM
#define PW_FILES_NOTICES_MAX     12   // waiting to be said; then the oldest goes
#define PW_FILES_RETRIES         3    // where the request does not say
#define PW_FILES_RETRY_S         60
#define PW_FILES_RETRIES_MAX     100
#define PW_FILES_RETRY_S_MAX     604800
#define PW_FILES_UP_MAX          8388608   // bytes of an upload
#define PW_FILES_UP_S            1800      // seconds for one
#define PW_FILES_DOWN_MAX        268435456 // bytes of a release
#define PW_FILES_DOWN_S          14400
#define PW_FILES_PATIENCE_S      60
#define PW_FILES_PIECE_MAX       12288               // bytes of an upload made at once
#define PW_FILES_PRODUCT         "pilotwire-station" // what a release must be for
#define PW_FILES_IDLE_MS         3600000 // a file that is handed in and does not go on is given up
// A program on trial. It stays after so long without a restart, once the central was reached ...
#define PW_FILES_SOUND_MS        300000
// ... or after so long; a central that the program before had reached within the last hour must be
// reached by then.
#define PW_FILES_TRIAL_MS        1800000
#define PW_FILES_REACHED_MS      3600000

enum pw_upload_kind { PW_UPLOAD_DIAGNOSTICS, PW_UPLOAD_SECURITY };

#define PW_UPLOAD_STATUSES(X)                                                                      \
    X(IDLE, "Idle")                                                                                \
    X(UPLOADING, "Uploading")                                                                      \
    X(UPLOADED, "Uploaded")                                                                        \
    X(FAILED, "UploadFailed")                                                                      \
    X(BAD_MESSAGE, "BadMessage")                                                                   \
    X(DENIED, "PermissionDenied")                                                                  \
    X(UNSUPPORTED, "NotSupportedOperation")

#define PW_UPDATE_STATUSES(X)                                                                      \
    X(IDLE, "Idle")                                                                                \
    X(DOWNLOAD_SCHEDULED, "DownloadScheduled")                                                     \
    X(DOWNLOADING, "Downloading")                                                                  \
    X(DOWNLOAD_PAUSED, "DownloadPaused")                                                           \
    X(DOWNLOADED, "Downloaded")                                                                    \
    X(DOWNLOAD_FAILED, "DownloadFailed")                                                           \
    X(SIGNATURE_VERIFIED, "SignatureVerified")                                                     \
    X(INVALID_SIGNATURE, "InvalidSignature")                                                       \
    X(INSTALL_SCHEDULED, "InstallScheduled")                                                       \
    X(INSTALLING, "Installing")                                                                    \
    X(INSTALL_REBOOTING, "InstallRebooting")                                                       \
    X(INSTALLED, "Installed")                                                                      \
    X(INSTALLATION_FAILED, "InstallationFailed")                                                   \
    X(VERIFICATION_FAILED, "InstallVerificationFailed")

#define PW_FILES_UPLOAD_ID(name, word) PW_UPLOAD_##name,
#define PW_FILES_UPDATE_ID(name, word) PW_UPDATE_##name,
enum pw_upload_status { PW_UPLOAD_STATUSES(PW_FILES_UPLOAD_ID) PW_UPLOAD_STATUS_ROWS };
enum pw_update_status { PW_UPDATE_STATUSES(PW_FILES_UPDATE_ID) PW_UPDATE_STATUS_ROWS };
#undef PW_FILES_UPLOAD_ID
#undef PW_FILES_UPDATE_ID

// The words of OCPP, which people read as well.
const char *pw_upload_status_name(enum pw_upload_status status);
const char *pw_update_status_name(enum pw_update_status status);
// The update has ended, and not as it should; pw_update.why says why.
bool pw_update_is_failure(enum pw_update_status status);

// Something to be said: a status of a request. `numbered`: it came with a number of its own
// (GetLog, SignedUpdateFirmware), and is answered with the messages of those.
struct pw_files_notice {
    uint8_t status;
    bool numbered;
    int32_t request_id;
};

struct pw_files_notices {
    struct pw_files_notice at[PW_FILES_NOTICES_MAX];
    uint8_t count;
};

struct pw_upload_request {
    enum pw_upload_kind kind;
    bool numbered;
    int32_t request_id;
    struct pw_str url;
    int32_t retries; // -1: PW_FILES_RETRIES
    int32_t retry_s; // -1: PW_FILES_RETRY_S
    pw_unix_ms from; // 0: from the first line
    pw_unix_ms to;   // 0: to the last
};

// Who asked for an update. Its status goes there.
#define PW_UPDATE_ASKERS(X)                                                                        \
    X(NOBODY, "nobody")                                                                            \
    X(OCPP, "OCPP")                                                                                \
    X(LINK, "station link")                                                                        \
    X(PAGE, "page")                                                                                \
    X(COMMAND, "command")                                                                          \
    X(AUTOMATIC, "automatic")
#define PW_FILES_ASKER_ID(name, word) PW_UPDATE_BY_##name,
enum pw_update_asker { PW_UPDATE_ASKERS(PW_FILES_ASKER_ID) PW_UPDATE_ASKER_ROWS };
#undef PW_FILES_ASKER_ID
const char *pw_update_asker_name(enum pw_update_asker by);

struct pw_update_request {
    enum pw_update_asker by;
    bool numbered; // OCPP: signed, certificate and signature count
    int32_t request_id;
    bool force; // a person wants the running version once more
    bool now;   // does not wait for charges to end (as far as update.now lets it)
    bool newer; // only if it is newer than what runs; ends without a failure otherwise
    struct pw_str url;
    int32_t retries;
    int32_t retry_s;
    pw_unix_ms retrieve_at;
    pw_unix_ms install_at;     // 0: as soon as it can be
    struct pw_str certificate; // PEM
    struct pw_str signature;   // base64
};

// A release that somebody has and hands in.
struct pw_update_offer {
    enum pw_update_asker by;
    bool force;
    bool now;
    bool commit;   // installed once it is whole; otherwise pw_files_commit says when
    bool resume;   // a part of this very file may be there
    bool hashed;   // `sha256` is told
    uint64_t size; // 1 to PW_FILES_DOWN_MAX
    uint8_t sha256[PW_SHA256_LEN];
};

// Where the making of an upload's text is. Zeroed, it is the beginning.
struct pw_files_reading {
    enum pw_upload_kind kind;
    pw_unix_ms from;
    pw_unix_ms to;
    unsigned section;
    uint64_t cursor; // inside the section; whose meaning is the section's
    bool over;
};

enum pw_files_event {
    PW_FILES_UPDATED,  // FirmwareUpdated
    PW_FILES_UNSIGNED, // InvalidFirmwareSignature: of the release itself
    PW_FILES_REPLAYED, // AttemptedReplayAttacks: a release with an older security counter
};

// What a program on trial must pass at every look, besides time, self-tests and the central.
#define PW_FILES_CHECKS(X)                                                                         \
    X(STORE, "store")                                                                              \
    X(SETTINGS, "settings")                                                                        \
    X(JOURNAL, "journal")
#define PW_FILES_CHECK_ID(name, word) PW_FILES_CHECK_##name,
enum pw_files_check { PW_FILES_CHECKS(PW_FILES_CHECK_ID) PW_FILES_CHECK_ROWS };
#undef PW_FILES_CHECK_ID

// What files asks of the station.
struct pw_files_host {
    void *context;
    // Writes the next piece of an upload's text, at most PW_FILES_PIECE_MAX bytes, and moves on;
    // sets reading->over behind the last one. Holds no secret and no whole idTag.
    void (*piece)(void *context, struct pw_files_reading *reading, struct pw_out *out, pw_ms now);
    // No charge runs and every record is safe.
    bool (*at_rest)(void *context);
    // Ends every charge in order, because an installation does not wait.
    void (*end_charges)(void *context, pw_ms now);
    // The connectors whose self-tests pass, as bits from connector 1: those without a fault.
    uint32_t (*usable)(void *context, pw_ms now);
    // One check of a program on trial: PW_OK, or an error with a sentence in *why: then the program
    // before comes back.
    int (*check)(void *context, enum pw_files_check check, struct pw_out *why, pw_ms now);
    // A central system is reached: the OCPP link is accepted, or the station link is up.
    bool (*reached)(void *context);
    // Milliseconds of the local clock, as pw_zone_local; negative while nobody knows the date.
    int64_t (*local)(void *context, pw_ms now);
    // May this certificate (PEM) sign programs? PW_OK; PW_ERR_RANGE no; PW_ERR_UNKNOWN revoked. The
    // host records a refusal as a security event, here and in `signature`.
    int (*certificate)(void *context, struct pw_str pem, struct pw_out *why, pw_ms now);
    // Is `signature` (base64) this certificate's over a file with this hash? PW_OK or an error.
    int (*signature)(void *context, struct pw_str pem, struct pw_str signature,
                     const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why, pw_ms now);
    void (*event)(void *context, enum pw_files_event event, struct pw_str detail, pw_ms now);
    // The program shall end in order and be started anew.
    void (*restart)(void *context, pw_ms now);
};

enum pw_upload_stage { PW_UPLOAD_NONE, PW_UPLOAD_WAITS, PW_UPLOAD_RUNS };

struct pw_upload {
    enum pw_upload_stage stage;
    enum pw_upload_status status; // last entered
    enum pw_upload_kind kind;
    bool numbered;
    int32_t request_id;
    char url[PW_TRANSFER_URL_MAX + 1];
    char name[PW_TRANSFER_NAME_MAX + 1];
    uint16_t retries; // left
    uint32_t retry_s;
    pw_unix_ms from;
    pw_unix_ms to;
    struct pw_files_notices notices;
    // Not kept.
    pw_ms try_at;
    struct pw_files_reading reading;
    char piece[PW_FILES_PIECE_MAX];
    size_t piece_len;
    size_t piece_at;
    bool given;
    struct pw_transfer_state state;
    char why[PW_TRANSFER_WHY_MAX]; // of the last failure
};

enum pw_update_stage {
    PW_UPDATE_NONE,
    PW_UPDATE_WAITS_TO_LOAD,    // for retrieve_at, or for the next try
    PW_UPDATE_LOADS_HEAD,       // from the URL: as much as it needs to be judged
    PW_UPDATE_LOADS,            // the rest
    PW_UPDATE_TAKES,            // it is handed in
    PW_UPDATE_LOADED,           // whole; to be judged, and for LINK to be committed
    PW_UPDATE_WRITES,           // to the slot that does not run, while others charge
    PW_UPDATE_WAITS_TO_INSTALL, // written; for install_at
    PW_UPDATE_WAITS_FOR_REST,   // for the charges
    PW_UPDATE_SWITCHES,         // the record is made safe, and what is to be said is said
    PW_UPDATE_RESTARTS,
    PW_UPDATE_ON_TRIAL, // this program is the new one
    PW_UPDATE_RETURNS,  // it is not healthy: the one before is started at rest
};

struct pw_update {
    enum pw_update_stage stage;
    enum pw_update_status status; // last entered
    enum pw_update_asker by;
    bool numbered;
    int32_t request_id;
    char url[PW_TRANSFER_URL_MAX + 1]; // "": it is handed in
    uint16_t retries;
    uint32_t retry_s;
    bool resume; // a try was made
    bool force;
    bool now;
    bool newer;
    bool committed;
    bool hashed;     // sha256 was told
    bool reached;    // the central, within the hour before the switch
    uint32_t usable; // connectors without a fault at the switch
    pw_unix_ms retrieve_at;
    pw_unix_ms install_at;
    pw_unix_ms ended_at;                  // 0: not ended, or nobody knew the date
    uint8_t sha256[PW_SHA256_LEN];        // of the whole file: as told, then as loaded
    uint64_t size;                        // of the whole file; 0: not known
    char slot;                            // that is written
    uint8_t starts;                       // times the switch was begun
    char version[PW_RELEASE_VERSION_MAX]; // of the release; "": its head has not been seen
    char why[PW_TRANSFER_WHY_MAX];        // of the last failure
    struct pw_files_notices notices;
    // Not kept.
    bool fresh; // the restart has not been looked at yet
    bool judged;
    pw_ms try_at;
    pw_ms taken_at;   // last piece that was handed in
    pw_ms reached_at; // last time the central was; PW_NEVER: not since the start
    pw_ms started_at;
    int64_t ticket; // of the record to wait for
    pw_ms told_by;  // then it goes on though not everything was said
    bool restarts;  // was asked for
    bool urgent;    // RETURNS does not wait for rest
    bool holds;     // WAITS_FOR_REST: no charge may begin
    bool ended;     // charges were told to end
    char certificate[PW_FILES_CERTIFICATE_MAX + 1]; // while it is looked at
    struct pw_release release;
    uint8_t head[PW_RELEASE_HEAD_MAX];
    uint32_t head_len;
    struct pw_transfer_state state;
};

// When the source is looked at next by itself.
struct pw_update_watch {
    pw_ms at; // PW_NEVER: not in this window any more, or outside it
    bool inside;
    pw_ms look_at; // when the clock is looked at next
    uint32_t random;
};

struct pw_files_parts {
    const struct pw_settings *settings;
    const struct pw_store *store;
    const struct pw_transfer *transfer;     // NULL: this machine moves no files
    const struct pw_install *install;       // NULL: nor installs any
    const struct pw_release_crypto *crypto; // NULL: every release is refused
    const char *version;                    // of the program that runs
    const char *hardware;                   // what this build is: "linux-amd64"
    uint32_t seed;                          // spreads what many stations do by themselves
    const struct pw_files_host *host;
    const struct pw_log *log;
};

struct pw_files {
    struct pw_files_parts parts;
    struct pw_upload upload;
    struct pw_update update;
    struct pw_update_watch watch;
    pw_unix_ms wall; // of the last step; 0: not known
};

// Reads what was asked for before the restart, and settles an installation that the restart
// belonged to. All parts outlive it.
void pw_files_init(struct pw_files *files, const struct pw_files_parts *parts, pw_ms now);

// Uploads a log. PW_OK; 1: and another upload was given up for it; PW_ERR_RANGE: the URL is longer
// than PW_TRANSFER_URL_MAX; PW_ERR_UNKNOWN: this machine moves no files; PW_ERR_STORE. The name of
// the file is in files->upload.name.
PW_MUST_USE int pw_files_upload(struct pw_files *files, const struct pw_upload_request *request,
                                struct pw_out *why, pw_ms now);

enum pw_update_answer {
    PW_UPDATE_ACCEPTED,
    PW_UPDATE_ACCEPTED_CANCELED, // another one was given up for it
    PW_UPDATE_REJECTED,          // one is being installed or on trial, or no files are moved here
    PW_UPDATE_INVALID_CERTIFICATE,
    PW_UPDATE_REVOKED_CERTIFICATE,
    PW_UPDATE_TOO_LONG, // a text longer than its maximum
};
// Fetches a release from a URL and installs it.
enum pw_update_answer pw_files_update(struct pw_files *files,
                                      const struct pw_update_request *request, pw_ms now);
// Looks at update.source, and installs what lies there if it is newer than what runs. PW_OK;
// PW_ERR_UNKNOWN: there is no source; PW_ERR_BUSY.
PW_MUST_USE int pw_files_check_source(struct pw_files *files, enum pw_update_asker by, bool force,
                                      struct pw_out *why, pw_ms now);

// Begins to take a release that is handed in, in place of whatever was being loaded. PW_OK;
// PW_ERR_RANGE: its size; PW_ERR_BUSY: one is being installed or on trial; PW_ERR_UNKNOWN: no files
// are moved here; PW_ERR_LIMIT, PW_ERR_STORE. With `resume` update.state.bytes are there already.
PW_MUST_USE int pw_files_offer(struct pw_files *files, const struct pw_update_offer *offer,
                               struct pw_out *why, pw_ms now);
// The next piece. PW_OK; PW_ERR_RANGE: a gap, *why says where to go on; PW_ERR_BUSY: nothing is
// being taken, or the release was refused, *why says why; PW_ERR_STORE: no room.
PW_MUST_USE int pw_files_deliver(struct pw_files *files, uint64_t offset, struct pw_str bytes,
                                 struct pw_out *why, pw_ms now);
// It may be installed, which asks that all of it is there. PW_OK or PW_ERR_BUSY.
PW_MUST_USE int pw_files_commit(struct pw_files *files, bool at_once, struct pw_out *why,
                                pw_ms now);
// Gives it up. PW_OK; PW_ERR_BUSY: nothing is under way, or it cannot be given up any more.
PW_MUST_USE int pw_files_cancel(struct pw_files *files, struct pw_str reason, struct pw_out *why,
                                pw_ms now);

// What is to be said next in a lane (UP: the upload, DOWN: the update); NULL: nothing.
const struct pw_files_notice *pw_files_notice(const struct pw_files *files,
                                              enum pw_transfer_lane lane);
// It was said, and heard.
void pw_files_noticed(struct pw_files *files, enum pw_transfer_lane lane);

// For triggered messages: how it stands. Idle when nothing goes on; request_id counts then not.
// `numbered` asks for that of numbered requests. L01.FR.28, 29: an update that ended otherwise than
// Installed is told as it ended.
struct pw_files_notice pw_files_upload_now(const struct pw_files *files, bool numbered);
struct pw_files_notice pw_files_update_now(const struct pw_files *files, bool numbered);

// True while no charge may begin: an installation waits for the last one to end, or is under way.
// One that came by itself does not hold charges back while one runs.
bool pw_files_holds(const struct pw_files *files);
// True while this program is new and not confirmed yet.
bool pw_files_on_trial(const struct pw_files *files);

// Does what is due and returns the next deadline. `wall` is 0 while nobody knows the date: then
// dates in requests are waited for, and those in the past are not known to be.
pw_ms pw_files_step(struct pw_files *files, pw_unix_ms wall, pw_ms now);

// How both stand: text for the console, or one object of a status.
void pw_files_report(const struct pw_files *files, struct pw_out *out);
void pw_files_put_json(const struct pw_files *files, struct pw_json_writer *json);
// The update alone, for the command `update`.
void pw_files_update_report(const struct pw_files *files, struct pw_out *out);

#endif

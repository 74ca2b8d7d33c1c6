// security: what of a station's security outlives a protocol. The security profile and its changes,
// the key, our certificate and its renewal, the roots, and what happened to them (seclog). OCPP 1.6
// (cp16) translates its messages to these calls; a later 2.0.1 will do the same. Pure: the port for
// keys and certificates is core/trust.
// Sources: OCPP 1.6 security whitepaper edition 3 (A00–A05, M03–M05, 7, 8).
#ifndef PW_SECURITY_H
#define PW_SECURITY_H

#include "base/base.h"
#include "seclog/seclog.h"
#include "settings/settings.h"
#include "store/store.h"
#include "trust/trust.h"

#define PW_SECURITY_TRIES     3     // of a new profile or certificate, before the old one returns
#define PW_SECURITY_KEY_LEAST 16    // characters of a key, from profile 1 on (A00.FR.205)
#define PW_SECURITY_PASSWORD  64    // bytes of a password on the wire
#define PW_SECURITY_URL_MAX   208   // characters of the URL, and NUL
#define PW_SECURITY_QUIET_MS  60000 // one record a kind in this time; the others are counted

// Why a connection to the central system did not come to be, as far as it concerns security.
enum pw_security_fault {
    PW_SECURITY_FAULT_NONE,
    PW_SECURITY_FAULT_CERTIFICATE, // the central system's is not valid, or not its own
    PW_SECURITY_FAULT_TLS_VERSION, // it speaks nothing newer than TLS 1.1
    PW_SECURITY_FAULT_TLS_SUITE,   // no cipher suite that is allowed
    PW_SECURITY_FAULT_REFUSED,     // it refused our key or certificate (HTTP 401, 403, TLS alert)
    PW_SECURITY_FAULT_PROFILE,     // it uses another profile than ours (A00.FR.003)
};

// How the next connection is to be made. Texts live in the security room.
struct pw_security_target {
    struct pw_str url;      // ws:// or wss://
    bool certificate;       // with our certificate (profile 3)
    bool chosen_roots;      // only installed roots and ocpp.ca_file count, not the system's store
    struct pw_str password; // HTTP Basic; any bytes, empty: none
};

// What is being tried, and what returns when it does not connect.
enum pw_security_trial { PW_SECURITY_SURE, PW_SECURITY_NEW_PROFILE, PW_SECURITY_NEW_CERTIFICATE };

// Tells the settings' owner that a setting has a new value, which is to be kept.
struct pw_security_host {
    void *context;
    void (*setting)(void *context, struct pw_setting_at at, pw_ms now);
    pw_unix_ms (*wall)(void *context, pw_ms now); // 0: unknown
};

// Written only by the functions below.
struct pw_security {
    struct pw_settings *settings;
    const struct pw_store *store;
    const struct pw_trust *trust; // NULL: no certificates
    const struct pw_log *log;
    struct pw_security_host host;
    struct pw_seclog seclog;
    uint32_t boot;

    // The connection.
    uint8_t profile; // SecurityProfile in force
    enum pw_security_trial trial;
    uint8_t before; // NEW_PROFILE: the profile that returns
    uint8_t tries;  // connections of the trial that did not come to be
    bool reconnect; // the connection ends once our answer has left
    bool up;        // it stands
    bool shown;     // our certificate was shown to it
    bool deaf;      // the central system does not know SecurityEventNotification
    char shown_serial[PW_TRUST_SERIAL_MAX];
    enum pw_security_fault said; // what was recorded already (B 58)
    char said_why[64];

    // The check of the log's chain, a few records a step.
    bool checking;
    pw_ms check_at;
    struct pw_seclog_check check;

    // Our certificate.
    bool sign_due; // one shall be asked for
    pw_ms look_at; // when to look at it again

    pw_ms quiet_until[PW_SECURITY_KINDS]; // no further record of the kind before
    uint32_t counted[PW_SECURITY_KINDS];  // ... these were not recorded

    char url[PW_SECURITY_URL_MAX];
    char password[PW_SECURITY_PASSWORD];
};

struct pw_security_start {
    struct pw_settings *settings; // the station's, changed here
    const struct pw_store *store;
    const struct pw_trust *trust; // NULL: no certificates
    const struct pw_log *log;
    struct pw_security_host host;
    uint32_t boot; // count of starts
    pw_ms now;
};
void pw_security_init(struct pw_security *security, const struct pw_security_start *start);

// Records an event in the security log; the central system is told with SecurityEventNotification
// as soon as it can be, after a start too. `detail` becomes techInfo: at most PW_SECLOG_DETAIL_MAX
// bytes (cut; what is not plain ASCII becomes '?'), never a secret. Of the events that somebody
// outside could repeat at will one a kind is recorded in PW_SECURITY_QUIET_MS, with the number of
// those left out in the next. Critical ones, and changes of keys and certificates, always are.
void pw_security_event(struct pw_security *security, enum pw_security_event_kind kind,
                       struct pw_str detail, pw_ms now);

// Checks the whole chain of the log anew; also done after each start. `security->check` has the
// result, a broken chain is logged.
void pw_security_check_log(struct pw_security *security, pw_ms now);
// Carries it on; returns when to call again.
pw_ms pw_security_step_check(struct pw_security *security, pw_ms now);

// --- What the central system has still to be told, oldest first.

// PW_ERR_UNKNOWN: nothing, or nothing that is safe in the store yet, or it does not want to know.
PW_MUST_USE int pw_security_untold(struct pw_security *security, struct pw_seclog_record *record);
bool pw_security_has_untold(const struct pw_security *security);
void pw_security_told(struct pw_security *security, uint32_t number);
// It does not know such messages: no more of them on this connection. They stay queued.
void pw_security_not_understood(struct pw_security *security);

// --- The connection.

void pw_security_target(struct pw_security *security, struct pw_security_target *target, pw_ms now);
// It stands (the WebSocket is open).
void pw_security_link_up(struct pw_security *security, pw_ms now);
// It has ended, or did not come to be. A fault is recorded once, until another one or a connection.
void pw_security_link_down(struct pw_security *security, enum pw_security_fault fault,
                           struct pw_str why, pw_ms now);
// True when the connection is to be ended, and tried again at once. Carried out when no answer of
// ours waits to leave (A01, A05.FR.06).
bool pw_security_wants_reconnect(const struct pw_security *security);

// --- Settings.

// The settings by which central system and station know each other. They outlive "defaults" and a
// file that contradicts kept settings: the file's key may be an old one, and its profile a lower.
bool pw_security_outlives(enum pw_setting_id id);

// What a value must be beyond its row: PW_OK, or PW_ERR_RANGE or PW_ERR_BUSY with a sentence in
// *why. OCPP may only raise the profile; a person may lower it, too (A00.FR.005, A05.FR.01–05).
PW_MUST_USE int pw_security_check_setting(struct pw_security *security, enum pw_setting_id id,
                                          struct pw_str value, enum pw_setting_by by,
                                          struct pw_out *why, pw_ms now);
// A setting has a new value. Notes what follows: a record, a trial, a new connection.
void pw_security_changed(struct pw_security *security, enum pw_setting_id id, pw_ms now);
// Whether a password may be sent to this URL (any scheme; a final s is TLS): over TLS, to this
// machine itself, or where `network.plain_passwords` says so. PW_OK, or PW_ERR_RANGE with what to
// do about it in *why.
PW_MUST_USE int pw_security_may_send_password(const struct pw_settings *settings, struct pw_str url,
                                              struct pw_out *why);
// A URL of a central system: ws:// or wss://, host, port, plain path. PW_OK or PW_ERR_RANGE.
PW_MUST_USE int pw_security_check_url(struct pw_str url, struct pw_out *why);

// --- Certificates. As trust.h, with the records that follow.

// One shall be asked for (ExtendedTriggerMessage). PW_ERR_BUSY: CpoName is not set (A02), or there
// is no port for certificates.
PW_MUST_USE int pw_security_ask_certificate(struct pw_security *security, pw_ms now);
bool pw_security_sign_due(const struct pw_security *security);
// Makes the key and writes the request, PEM. PW_ERR_STORE: it cannot; then it is not due any more.
PW_MUST_USE int pw_security_request(struct pw_security *security, struct pw_out *csr, pw_ms now);
// PW_OK: kept, and shown from its first valid second on; PW_ERR_RANGE, PW_ERR_STORE: refused.
PW_MUST_USE int pw_security_signed(struct pw_security *security, struct pw_str chain, pw_ms now);
PW_MUST_USE int pw_security_install(struct pw_security *security, enum pw_trust_use use,
                                    struct pw_str pem, pw_ms now);
PW_MUST_USE int pw_security_remove(struct pw_security *security, const struct pw_trust_id *id,
                                   pw_ms now);
PW_MUST_USE int pw_security_list(const struct pw_security *security, enum pw_trust_use use,
                                 unsigned index, struct pw_trust_id *id);
// For who updates firmware; a refusal is recorded (L01.FR.02, L01.FR.03).
PW_MUST_USE int pw_security_check_signer(struct pw_security *security, struct pw_str pem,
                                         struct pw_out *why, pw_ms now);
PW_MUST_USE int pw_security_verify(struct pw_security *security, struct pw_str signer_pem,
                                   struct pw_str signature, const uint8_t sha256[32],
                                   struct pw_out *why, pw_ms now);

// Looks at our certificate: asks for a new one before it ends (A03.FR.02), shows a newer one as
// soon as it is valid (A02.FR.08). Returns when to look again.
pw_ms pw_security_step(struct pw_security *security, pw_ms now);

#endif

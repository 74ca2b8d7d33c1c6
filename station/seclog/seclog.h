// seclog: the station's security log. A ring of records in the store, each with the hash of the one
// before, so that a record that was changed, or left out, shows. It outlives starts and updates.
// The same records are the queue of what the central system has still to be told: guaranteed
// delivery. Sources: OCPP 1.6 security whitepaper edition 3, A04, N01, 8.
//
// hash(n) = SHA-256 over record n with hash(n-1) in it. The ring's head keeps the newest hash; the
// oldest record says what was before it. The chain has no secret: it shows damage
// and tampering with records, and against somebody who can write the whole ring it shows as much as
// was read out before (`pilotwire seclog` prints the newest hash; GetLog uploads it).
//
// Keys: "sec/h" the head, "sec/<place>" the records, place = number modulo PW_SECLOG_RECORDS.
#ifndef PW_SECLOG_H
#define PW_SECLOG_H

#include "base/base.h"
#include "hmac/hmac.h"
#include "store/store.h"

#define PW_SECLOG_RECORDS    1000 // in the ring; at most about 400 kB of the store
#define PW_SECLOG_DETAIL_MAX 255  // bytes: techInfo (5.15)
#define PW_SECLOG_LINE_MAX   480  // bytes of one record as a line of text

// The events of chapter 8: X(NAME, word, critical).
#define PW_SECURITY_EVENTS(X)                                                                      \
    X(FIRMWARE_UPDATED, "FirmwareUpdated", true)                                                   \
    X(REFUSED_BY_CENTRAL, "FailedToAuthenticationAtCentralSystem", false)                          \
    X(CENTRAL_REFUSED, "CentralSystemFailedToAuthentication", false)                               \
    X(SYSTEM_TIME, "SettingSystemTime", true)                                                      \
    X(STARTUP, "StartupOfTheDevice", true)                                                         \
    X(RESET, "ResetOrReboot", true)                                                                \
    X(LOG_CLEARED, "SecurityLogWasCleared", true)                                                  \
    X(RECONFIGURED, "ReconfigurationOfSecurityParameters", false)                                  \
    X(MEMORY, "MemoryExhaustion", true)                                                            \
    X(INVALID_MESSAGES, "InvalidMessages", false)                                                  \
    X(REPLAY, "AttemptedReplayAttacks", false)                                                     \
    X(TAMPER, "TamperDetectionActivated", true)                                                    \
    X(FIRMWARE_SIGNATURE, "InvalidFirmwareSignature", false)                                       \
    X(FIRMWARE_SIGNER, "InvalidFirmwareSigningCertificate", false)                                 \
    X(CENTRAL_CERTIFICATE, "InvalidCentralSystemCertificate", false)                               \
    X(OWN_CERTIFICATE, "InvalidChargePointCertificate", false)                                     \
    X(TLS_VERSION, "InvalidTLSVersion", false)                                                     \
    X(TLS_SUITE, "InvalidTLSCipherSuite", false)

#define PW_SECURITY_EVENT_ID(name, word, critical) PW_SECURITY_##name,
enum pw_security_event_kind { PW_SECURITY_EVENTS(PW_SECURITY_EVENT_ID) PW_SECURITY_KINDS };
#undef PW_SECURITY_EVENT_ID

// The word of the whitepaper for an event, and whether it is critical there.
const char *pw_security_event_name(enum pw_security_event_kind kind);
bool pw_security_event_critical(enum pw_security_event_kind kind);

struct pw_seclog_record {
    uint32_t number; // from 1
    pw_unix_ms wall; // 0: the clock was not set
    pw_ms mono;      // with `boot` it can be worked out later
    uint32_t boot;
    enum pw_security_event_kind kind;
    char detail[PW_SECLOG_DETAIL_MAX + 1];
    uint8_t before[PW_SHA256_LEN]; // hash of the record before
    uint8_t hash[PW_SHA256_LEN];
};

// Written only by the functions below.
struct pw_seclog {
    const struct pw_store *store;
    const struct pw_log *log;
    uint32_t newest;             // number of the newest record; 0: none yet
    uint32_t told;               // every record up to this one has been told, or need not be
    uint32_t lost;               // records overwritten before they were told
    int64_t ticket;              // of the newest write
    uint8_t hash[PW_SHA256_LEN]; // of the newest record
};

// Reads the head back. A head that cannot be read begins a new log, whose first record says so.
void pw_seclog_open(struct pw_seclog *seclog, const struct pw_store *store,
                    const struct pw_log *log);

// Adds one record; number, hashes and a cut of the detail are made here. PW_OK or what the store
// says: then nothing was added.
PW_MUST_USE int pw_seclog_add(struct pw_seclog *seclog, struct pw_seclog_record *record);

// Record `number`. PW_ERR_UNKNOWN: overwritten, not written yet, or (newest ones) not durable yet;
// PW_ERR_STORE: it cannot be read.
PW_MUST_USE int pw_seclog_read(const struct pw_seclog *seclog, uint32_t number,
                               struct pw_seclog_record *record);
// The oldest record still there; 0: none.
uint32_t pw_seclog_oldest(const struct pw_seclog *seclog);

// The oldest record that has still to be told. PW_ERR_UNKNOWN: none, or not durable yet.
PW_MUST_USE int pw_seclog_untold(struct pw_seclog *seclog, struct pw_seclog_record *record);
// It has been told.
void pw_seclog_said(struct pw_seclog *seclog, uint32_t number);

// A check of the chain, in steps of one record, so that nobody waits for it.
struct pw_seclog_check {
    uint32_t next;
    uint32_t records; // checked and good
    uint32_t bad;     // number of the first record that does not fit; 0: none
    uint8_t hash[PW_SHA256_LEN];
};
void pw_seclog_check_begin(const struct pw_seclog *seclog, struct pw_seclog_check *check);
// Checks up to `most` records; true while some are left.
bool pw_seclog_check_step(const struct pw_seclog *seclog, struct pw_seclog_check *check,
                          unsigned most);

// A record as one line: number, time, event, detail, first 16 digits of the hash; at most
// PW_SECLOG_LINE_MAX bytes. Control bytes in the detail are shown as "?".
void pw_seclog_put(struct pw_out *out, const struct pw_seclog_record *record);

#endif

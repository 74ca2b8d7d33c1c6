// book: a central system for the street. It reads what a station says with cJSON (not with our own
// codec), answers it, and writes down every transaction, so that a test can ask what was heard.
#ifndef PW_STREET_BOOK_H
#define PW_STREET_BOOK_H

#include "base/base.h"

#include <cjson/cJSON.h>

enum {
    BOOK_TRANSACTIONS_MAX = 64,
    BOOK_STATUSES_MAX = 512,
    BOOK_ANSWER_MAX = 4096,
    BOOK_SIGNED_MAX = 64,
    BOOK_SIGNED_TEXT = 2001,
};

// A sampled value of format SignedData.
struct book_signed {
    int transaction;
    bool stop; // in StopTransaction
    char context[24];
    char data[BOOK_SIGNED_TEXT]; // signedMeterData, base64 as it came
};

struct book_transaction {
    int id;
    int connector;
    char id_tag[21];
    char start_at[32];
    int meter_start_wh;
    unsigned starts; // times StartTransaction was heard
    unsigned values; // MeterValues heard
    int last_value_wh;
    unsigned stops; // times StopTransaction was heard
    int meter_stop_wh;
    char stop_at[32];
    char reason[24];
};

struct book_status {
    int connector;
    char status[16];
    char error[24];
    char info[51];
    char vendor[51];
};

struct book {
    // How it answers.
    const char *boot;       // "Accepted", "Pending", "Rejected"
    const char *authorise;  // idTagInfo.status
    const char *start;      // idTagInfo.status of StartTransaction
    unsigned refuse_starts; // so many StartTransactions are answered with a CALLERROR
    bool silent;            // no answer to anything
    int interval_s;
    // What it heard.
    struct book_transaction transactions[BOOK_TRANSACTIONS_MAX];
    unsigned count;
    struct book_status statuses[BOOK_STATUSES_MAX];
    unsigned status_count;
    struct book_signed *signed_values; // BOOK_SIGNED_MAX of the test's; NULL: not written down
    unsigned signed_count;
    unsigned boots;
    unsigned heartbeats;
    unsigned authorisations;
    unsigned vehicle_infos;
    char vehicle_info[256];
    unsigned orphan_stops;  // StopTransaction with an id never given
    unsigned refused_stops; // ... with id -1
    unsigned bad;           // messages that are no OCPP
    unsigned calls;
    unsigned next_call;
    char answer[BOOK_ANSWER_MAX]; // the last answer to a call of ours
};

void book_init(struct book *book);
// Hears one message; writes the answer (empty: none) to *reply.
void book_hear(struct book *book, struct pw_str text, pw_unix_ms wall, struct pw_out *reply);
// A call of the central system's own. The answer arrives in book->answer.
void book_call(struct book *book, const char *action, const char *payload, struct pw_out *call);
// The last status heard of a connector, or "".
const char *book_status_of(const struct book *book, int connector);
// True when `status` of a connector was heard at least once.
bool book_heard(const struct book *book, int connector, const char *status);

#endif

// cut book: a central system that keeps count. It reads what a station says with cJSON, knows which
// charge a register value belongs to (each charge has a range of its own), and answers at least
// once what it applies exactly once: a repeated start gets the id it got before. It looks at
// nothing but messages.
#ifndef PW_CUT_BOOK_H
#define PW_CUT_BOOK_H

#include "base/base.h"

enum { CUT_CHARGES = 24, CUT_VALUES = 400, CUT_RANGE_WH = 100000, CUT_TEXT = 512 };

struct cut_charge {
    bool refuse_start; // its StartTransaction is answered with a CALLERROR, always
    bool refuse_stop;  // its StopTransaction
    unsigned starts;   // heard
    char start[CUT_TEXT];
    int64_t values[CUT_VALUES]; // registers of the MeterValues heard, each once, as they came
    unsigned value_count;
    unsigned stops;
    int64_t stop_wh;
    unsigned data; // readings in transactionData
    char stop_reason[24];
};

struct cut_book {
    struct cut_charge charge[CUT_CHARGES];
    char wrong[256];     // the first thing that must not be; "" when there is none
    pw_unix_ms earliest; // no time may be before
};

// Hears one message and writes its answer.
void cut_book_hear(struct cut_book *book, struct pw_str text, pw_unix_ms wall,
                   struct pw_out *reply);
// The charge a register value belongs to.
unsigned cut_charge_of(int64_t wh);
bool cut_heard_value(const struct cut_charge *charge, int64_t wh);

#endif

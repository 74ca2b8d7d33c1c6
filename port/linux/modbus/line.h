// line: meters on Modbus, read in the background with libmodbus. Each line (a serial device, or a
// host and port) has a thread of its own that asks its meters one after the other; the loop is
// woken and takes what is new. Nothing here waits for a meter, and of each meter only the newest
// reading is kept. Two urls with the same device share its line.
//
// A meter that does not answer is asked again at the next period, from the third time on with
// pauses of the timeout doubling to 30 s; on TCP the connection is made anew.
#ifndef PW_LINUX_MODBUS_LINE_H
#define PW_LINUX_MODBUS_LINE_H

#include "loop.h"
#include "modbus/url.h"
#include "signing/signing.h"

#define PW_MODBUS_METERS_MAX 8
#define PW_MODBUS_PERIOD_MS  1000  // between readings of a meter, at the loop's clock
#define PW_MODBUS_TIMEOUT_MS 500   // for one answer, or a connection; real time; a good default
#define PW_MODBUS_DOWN_AFTER 3     // readings that fail in a row
#define PW_MODBUS_PAUSE_MAX  30000 // real time

struct pw_modbus_meters;

// How a meter stands.
struct pw_modbus_state {
    bool up;           // it has answered, and not failed PW_MODBUS_DOWN_AFTER times since
    uint32_t readings; // taken from it
    uint32_t failures; // in all
    char why[96];      // of the last failure; "" without one
};

// timeout_ms: 50..5000, for an answer or a connection, and the first of the pauses. NULL when
// memory is out. The loop must outlive it.
struct pw_modbus_meters *pw_modbus_open(struct pw_loop *loop, unsigned timeout_ms);

// A further meter, read from now on. Its number from 0, or PW_ERR_RANGE (a url that cannot be) or
// PW_ERR_LIMIT (too many meters, or no thread to be had) with the reason in *why.
PW_MUST_USE int pw_modbus_add(struct pw_modbus_meters *meters, struct pw_str url,
                              struct pw_out *why);

// The newest reading that has not been taken yet; its `at` is the loop's clock. False: none.
bool pw_modbus_take(struct pw_modbus_meters *meters, unsigned meter, struct pw_board_mains *mains);

// True once each time the meter has come up or gone down since, and at the first failure.
bool pw_modbus_news(struct pw_modbus_meters *meters, unsigned meter, struct pw_modbus_state *state);

// --- Meters that sign (modbus/snapshot.h). One request at a time for each: a newer one takes the
// place of the one under way. Readings go on meanwhile.

bool pw_modbus_signs(const struct pw_modbus_meters *meters, unsigned meter);
// Ignored when the meter does not sign.
void pw_modbus_sign(struct pw_modbus_meters *meters, unsigned meter,
                    const struct pw_signed_request *request);

// What came of a request. len 0 of the reading: nothing in time, or the meter cannot; `why` says.
struct pw_modbus_signed {
    uint32_t ticket;
    struct pw_signed_reading reading;
    char why[96];
};
// True once for each request that is over. The loop is woken for it.
bool pw_modbus_signed(struct pw_modbus_meters *meters, unsigned meter,
                      struct pw_modbus_signed *result);

// Ends all threads; waits for them as long as an answer may take and leaves one that hangs in a
// name server to end by itself. NULL is harmless.
void pw_modbus_close(struct pw_modbus_meters *meters);

#endif

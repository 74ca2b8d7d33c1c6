// signer: what the station has asked of one connector's meter that signs, and what came of it. One
// request at a time, a newer one takes the place of the one before; an answer that does not come
// within its wait has failed, and the station goes on without. Pure.
// Source: OCA Signed Meter Values 1.0 §2.3.1 (the first reading before energy flows, the last one
// before StopTransaction; some meters take up to 30 s).
#ifndef PW_SIGNER_H
#define PW_SIGNER_H

#include "signing/signing.h"

enum pw_signer_state {
    PW_SIGNER_IDLE,   // nothing was asked
    PW_SIGNER_WAITS,  // the meter has not answered yet
    PW_SIGNER_DONE,   // `reading` holds what was asked for
    PW_SIGNER_FAILED, // `why` says
};

// Zeroed to begin with: a meter that does not sign.
struct pw_signer {
    bool present; // the connector's meter can sign
    enum pw_signer_state state;
    bool offered; // the port has not taken the request yet
    struct pw_signed_request request;
    pw_ms until;
    struct pw_signed_reading reading; // its key: the meter's, as last seen
    char why[64];
};

// Asks; what the request's ticket is, is decided here.
void pw_signer_ask(struct pw_signer *signer, const struct pw_signed_request *request, pw_ms now);
// The request, once, for whoever carries it to the meter.
bool pw_signer_take(struct pw_signer *signer, struct pw_signed_request *request);
// What the meter said; NULL: nothing, and why. False: nobody waits for that any more.
bool pw_signer_hear(struct pw_signer *signer, uint32_t ticket,
                    const struct pw_signed_reading *reading, struct pw_str why);
// Where it stands now.
enum pw_signer_state pw_signer_state(struct pw_signer *signer, pw_ms now);
// Nobody wants the answer any more, whatever it was.
void pw_signer_rest(struct pw_signer *signer);
pw_ms pw_signer_deadline(const struct pw_signer *signer); // of the wait; PW_NEVER: none

#endif

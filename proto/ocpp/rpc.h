// rpc: the frames of OCPP-J 1.6 §4 and who waits for whom.
//     CALL   [2, "id", "Action", {payload}]
//     RESULT [3, "id", {payload}]
//     ERROR  [4, "id", "code", "description", {details}]
#ifndef PW_OCPP_RPC_H
#define PW_OCPP_RPC_H

#include "ocpp/codec.h"

enum {
    PW_OCPP_ID_MAX = 36,                   // characters of a message id (§4.1.4)
    PW_OCPP_ID_BYTES = 4 * PW_OCPP_ID_MAX, // bytes they can take
    PW_OCPP_DESCRIPTION_MAX = 255,         // characters of an errorDescription
    PW_OCPP_RECENT_MAX = 4, // past calls remembered, to tell late answers from strange ones
};

// --- Frames.

enum pw_ocpp_frame_kind { PW_OCPP_CALL = 2, PW_OCPP_RESULT = 3, PW_OCPP_ERROR = 4 };

// Views into the text read; `payload` is a node of the pw_json (the details, for an ERROR), NULL
// for a payload that is JSON null.
struct pw_ocpp_frame {
    enum pw_ocpp_frame_kind kind;
    struct pw_str id;
    struct pw_str action;      // CALL
    struct pw_str error_word;  // ERROR: the code as sent
    enum pw_ocpp_error error;  // ERROR: its meaning
    struct pw_str description; // ERROR: at most PW_OCPP_DESCRIPTION_MAX characters
    const struct pw_json_node *payload;
};

// Reads a frame with the caller's pw_json (which the payload's nodes stay in).
//   PW_OK           a frame
//   PW_ERR_PEER     bad: if frame->id is not empty it was a CALL and is to be answered with an
//                   ERROR from *fault (an id too long is echoed whole); otherwise log and forget
//   PW_ERR_LIMIT    as PW_ERR_PEER, for lack of our room (InternalError)
//   PW_ERR_UNKNOWN  a message type that is none of the three: ignore it (§4.1.3)
PW_MUST_USE int pw_ocpp_frame_read(struct pw_json *json, struct pw_str text,
                                   struct pw_ocpp_frame *frame, struct pw_ocpp_fault *fault);

// Print a whole frame; check pw_out_err once. The `_raw` forms take a payload that is JSON already.
void pw_ocpp_put_call(struct pw_out *out, struct pw_str id, struct pw_str action,
                      const struct pw_ocpp_object *object, const void *req);
void pw_ocpp_put_call_raw(struct pw_out *out, struct pw_str id, struct pw_str action,
                          struct pw_str payload);
void pw_ocpp_put_result(struct pw_out *out, struct pw_str id, const struct pw_ocpp_object *object,
                        const void *conf);
void pw_ocpp_put_result_raw(struct pw_out *out, struct pw_str id, struct pw_str payload);
// The description is cut to PW_OCPP_DESCRIPTION_MAX characters, on a character's border.
void pw_ocpp_put_error(struct pw_out *out, struct pw_str id, enum pw_ocpp_error code,
                       struct pw_str description);

// --- The exchange on one connection. Each side may have one CALL of its own open (§4.1.1), and
// answers one of the other side's at a time. Usable on both sides; survives reconnections, because
// ids must never repeat under the same station identity (erratum J 3.1).

enum pw_ocpp_answer {
    PW_OCPP_ANSWER_MATCHED,   // to the call that is open: it is closed now
    PW_OCPP_ANSWER_LATE,      // to a call that had timed out or was dropped
    PW_OCPP_ANSWER_DUPLICATE, // to a call that was answered already
    PW_OCPP_ANSWER_UNKNOWN,   // to nothing we remember
};

struct pw_ocpp_past {
    char id[PW_OCPP_ID_MAX + 1];
    bool answered;
};

struct pw_ocpp_rpc {
    // Our call.
    bool open;
    char id[PW_OCPP_ID_MAX + 1];
    int action; // the caller's, an enum pw_ocpp16_action
    pw_ms sent_at;
    pw_ms deadline; // PW_NEVER while none is open
    struct pw_ocpp_past recent[PW_OCPP_RECENT_MAX];
    uint8_t recent_at; // the slot to use next
    // Theirs.
    bool serving;
    char served_id[PW_OCPP_ID_BYTES + 1];
    // Where ids come from.
    uint64_t nonce;
    uint32_t next;
    // Answers that matched nothing, for the log and the metrics.
    uint32_t late;
    uint32_t duplicate;
    uint32_t unknown;
};

// `nonce` must differ at every start of the program (random, or a boot counter): ids are made of it
// and of a running number.
void pw_ocpp_rpc_init(struct pw_ocpp_rpc *rpc, uint64_t nonce);

// Opens a call and makes its id (rpc->id), to be sent now. PW_ERR_BUSY: one is open already.
PW_MUST_USE int pw_ocpp_rpc_call(struct pw_ocpp_rpc *rpc, int action, pw_ms timeout, pw_ms now);
struct pw_str pw_ocpp_rpc_id(const struct pw_ocpp_rpc *rpc);

// A RESULT or ERROR came with this id. Only MATCHED concerns rpc->action; the others are counted
// and to be ignored (and logged).
enum pw_ocpp_answer pw_ocpp_rpc_answer(struct pw_ocpp_rpc *rpc, struct pw_str id);

// True once when the open call's time is over; it is closed then. rpc->deadline is when to ask.
bool pw_ocpp_rpc_timed_out(struct pw_ocpp_rpc *rpc, pw_ms now);

// The connection is gone: the open call is closed without being answered (true if there was one),
// and the other side's is forgotten.
bool pw_ocpp_rpc_drop(struct pw_ocpp_rpc *rpc);

// A CALL came: PW_OK, now serving it. PW_ERR_BUSY: another one is being served (the other side
// does not wait; queue it or refuse it). PW_ERR_PEER: this very id is being served (§4.2.3: to be
// refused). PW_ERR_RANGE: the id is longer than allowed.
PW_MUST_USE int pw_ocpp_rpc_serve(struct pw_ocpp_rpc *rpc, struct pw_str id);
void pw_ocpp_rpc_served(struct pw_ocpp_rpc *rpc); // the answer is sent

const char *pw_ocpp_answer_name(enum pw_ocpp_answer answer);

#endif

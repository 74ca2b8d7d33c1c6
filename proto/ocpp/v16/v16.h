// OCPP 1.6 edition 2 with its errata, and the security whitepaper edition 3: for every enumeration
// in codes.def an `enum pw_ocpp16_x` and its words `pw_ocpp16_x`; for every part and message in
// messages.def a `struct pw_ocpp16_x` and its rows `pw_ocpp16_x`. So
//     struct pw_ocpp16_reset_req req;
//     pw_ocpp_decode(&pw_ocpp16_reset_req, frame.payload, 0, &req, &fault);
//     if (req.type == PW_OCPP16_RESET_HARD) …
// Optional fields: `req.has & PW_OCPP16_HAS(start_transaction_req, reservation_id)`.
#ifndef PW_OCPP_V16_H
#define PW_OCPP_V16_H

#include "ocpp/codec.h"
#include "ocpp/rpc.h"
#include "ocpp/v16/codes.def"
#include "ocpp/v16/messages.def"

// --- Enumerations: PW_OCPP16_STATUS_CHARGING …

#define PW_OCPP16_CODE(name, word) PW_OCPP16_##name,
#define PW_OCPP16_SET(name, LIST)                                                                  \
    enum pw_ocpp16_##name{LIST(PW_OCPP16_CODE)};                                                   \
    extern const struct pw_ocpp_codes pw_ocpp16_##name;
PW_OCPP16_CODE_SETS(PW_OCPP16_SET)
#undef PW_OCPP16_SET
#undef PW_OCPP16_CODE

// --- Structs. Each starts with `uint32_t has`; times are milliseconds since 1970, UTC.

#define PW_OCPP16_TYPE_i32(detail)    int32_t
#define PW_OCPP16_TYPE_nat(detail)    int32_t
#define PW_OCPP16_TYPE_pos(detail)    int32_t
#define PW_OCPP16_TYPE_tenths(detail) int32_t
#define PW_OCPP16_TYPE_flag(detail)   bool
#define PW_OCPP16_TYPE_text(detail)   struct pw_str
#define PW_OCPP16_TYPE_time(detail)   pw_unix_ms
#define PW_OCPP16_TYPE_code(detail)   enum pw_ocpp16_##detail
#define PW_OCPP16_TYPE_word(detail)   struct pw_ocpp_word
#define PW_OCPP16_TYPE_object(detail) struct pw_ocpp16_##detail
#define PW_OCPP16_TYPE_list(detail)   struct pw_ocpp_list

// NOLINTNEXTLINE(bugprone-macro-parentheses): the name of a member cannot stand in parentheses
#define PW_OCPP16_MEMBER(S, type, name, key, detail, presence) PW_OCPP16_TYPE_##type(detail) name;
#define PW_OCPP16_BIT(S, type, name, key, detail, presence)    char name;
#define PW_OCPP16_STRUCT(name, LIST)                                                               \
    struct pw_ocpp16_##name {                                                                      \
        uint32_t has;                                                                              \
        LIST(PW_OCPP16_MEMBER, name)                                                               \
    };                                                                                             \
    struct pw_ocpp16_##name##_bits {                                                               \
        LIST(PW_OCPP16_BIT, name)                                                                  \
    };                                                                                             \
    extern const struct pw_ocpp_object pw_ocpp16_##name;
PW_OCPP16_STRUCTS(PW_OCPP16_STRUCT)
#undef PW_OCPP16_STRUCT
#undef PW_OCPP16_BIT
#undef PW_OCPP16_MEMBER

#define PW_OCPP16_STRUCT(name)                                                                     \
    struct pw_ocpp16_##name {                                                                      \
        uint32_t has;                                                                              \
    };                                                                                             \
    extern const struct pw_ocpp_object pw_ocpp16_##name;
PW_OCPP16_EMPTY_STRUCTS(PW_OCPP16_STRUCT)
#undef PW_OCPP16_STRUCT

// The bit of an optional field in `has`.
#define PW_OCPP16_HAS(message, field) (1U << offsetof(struct pw_ocpp16_##message##_bits, field))

// --- Actions.

#define PW_OCPP16_ACTION(NAME, name, prefix, sender, feature) PW_OCPP16_##NAME,
enum pw_ocpp16_action { PW_OCPP16_ACTIONS(PW_OCPP16_ACTION) PW_OCPP16_ACTION_COUNT };
#undef PW_OCPP16_ACTION

enum pw_ocpp16_sender {
    PW_OCPP16_FROM_STATION = 1,
    PW_OCPP16_FROM_CENTRAL = 2,
    PW_OCPP16_FROM_BOTH = 3, // the sum: test with &
};

// The feature profile (3.3) of an action; the security extensions are one more.
enum pw_ocpp16_feature {
    PW_OCPP16_FEATURE_CORE,
    PW_OCPP16_FEATURE_FIRMWARE,
    PW_OCPP16_FEATURE_LOCAL_LIST,
    PW_OCPP16_FEATURE_RESERVATION,
    PW_OCPP16_FEATURE_SMART,
    PW_OCPP16_FEATURE_TRIGGER,
    PW_OCPP16_FEATURE_SECURITY,
};

struct pw_ocpp16_action_row {
    const struct pw_ocpp_object *req;
    const struct pw_ocpp_object *conf;
    uint8_t sender;  // enum pw_ocpp16_sender
    uint8_t feature; // enum pw_ocpp16_feature
};

extern const struct pw_ocpp16_action_row pw_ocpp16_actions[PW_OCPP16_ACTION_COUNT];

// The wire's name of an action.
struct pw_str pw_ocpp16_action_name(enum pw_ocpp16_action action);
// The action (an enum pw_ocpp16_action, ≥ 0) of this name, case mattering, or PW_ERR_UNKNOWN: the
// answer is then CALLERROR NotImplemented.
PW_MUST_USE int pw_ocpp16_action_find(struct pw_str name);

// Print a whole frame (see ocpp/rpc.h). `req` and `conf` are the action's structs; NULL stands for
// one without fields.
void pw_ocpp16_put_call(struct pw_out *out, struct pw_str id, enum pw_ocpp16_action action,
                        const void *req);
void pw_ocpp16_put_result(struct pw_out *out, struct pw_str id, enum pw_ocpp16_action action,
                          const void *conf);

#endif

// The rows of OCPP 1.6, made from codes.def and messages.def.
#include "ocpp/v16/v16.h"

#include <assert.h>

// --- Words.

#define WORD(name, word)   word
#define LENGTH(name, word) (uint8_t)(sizeof(word) - 1),
#define SET(name, LIST)                                                                            \
    static const uint8_t lengths_##name[] = {LIST(LENGTH)};                                        \
    const struct pw_ocpp_codes pw_ocpp16_##name = {                                                \
        .text = LIST(WORD), .len = lengths_##name, .count = (uint8_t)PW_COUNT(lengths_##name)};    \
    static_assert(sizeof(enum pw_ocpp16_##name) == sizeof(enum pw_ocpp_kind), "see read_code");
PW_OCPP16_CODE_SETS(SET)
#undef SET

// --- Structs.

#define KIND_i32    PW_OCPP_KIND_INT
#define KIND_nat    PW_OCPP_KIND_NAT
#define KIND_pos    PW_OCPP_KIND_POS
#define KIND_tenths PW_OCPP_KIND_TENTHS
#define KIND_flag   PW_OCPP_KIND_BOOL
#define KIND_text   PW_OCPP_KIND_TEXT
#define KIND_time   PW_OCPP_KIND_TIME
#define KIND_code   PW_OCPP_KIND_CODE
#define KIND_word   PW_OCPP_KIND_WORD
#define KIND_object PW_OCPP_KIND_OBJECT
#define KIND_list   PW_OCPP_KIND_LIST

#define OF_none(detail)                                                                            \
    {                                                                                              \
        .max = (detail)                                                                            \
    }
#define OF_i32    OF_none
#define OF_nat    OF_none
#define OF_pos    OF_none
#define OF_tenths OF_none
#define OF_flag   OF_none
#define OF_text   OF_none
#define OF_time   OF_none
#define OF_code(detail)                                                                            \
    {                                                                                              \
        .codes = &pw_ocpp16_##detail                                                               \
    }
#define OF_word OF_code
#define OF_object(detail)                                                                          \
    {                                                                                              \
        .object = &pw_ocpp16_##detail                                                              \
    }
#define OF_list OF_object

#define MUST_must 1
#define MUST_may  0
#define MUST_some 0
#define SOME_must 0
#define SOME_may  0
#define SOME_some 1

#define ROW(S, type, name, json, detail, presence)                                                 \
    {                                                                                              \
        .key = (json),                                                                             \
        .of = OF_##type(detail),                                                                   \
        .offset = offsetof(struct pw_ocpp16_##S, name),                                            \
        .key_len = sizeof(json) - 1,                                                               \
        .kind = KIND_##type,                                                                       \
        .must = MUST_##presence,                                                                   \
        .some = SOME_##presence,                                                                   \
    },
#define MUST_BIT(S, type, name, json, detail, presence)                                            \
    | ((uint32_t)MUST_##presence << offsetof(struct pw_ocpp16_##S##_bits, name))
#define STRUCT(name, LIST)                                                                         \
    static const struct pw_ocpp_row rows_##name[] = {LIST(ROW, name)};                             \
    const struct pw_ocpp_object pw_ocpp16_##name = {                                               \
        .rows = rows_##name,                                                                       \
        .must = 0 LIST(MUST_BIT, name),                                                            \
        .size = sizeof(struct pw_ocpp16_##name),                                                   \
        .count = PW_COUNT(rows_##name),                                                            \
    };                                                                                             \
    static_assert(PW_COUNT(rows_##name) <= 32, "one bit a field in `has`");
PW_OCPP16_STRUCTS(STRUCT)
#undef STRUCT

#define STRUCT(name)                                                                               \
    const struct pw_ocpp_object pw_ocpp16_##name = {.size = sizeof(struct pw_ocpp16_##name)};
PW_OCPP16_EMPTY_STRUCTS(STRUCT)

// --- Actions.

#define NAME(NAME, name, prefix, sender, feature)        name
#define NAME_LENGTH(NAME, name, prefix, sender, feature) (uint8_t)(sizeof(name) - 1),
static const uint8_t name_lengths[] = {PW_OCPP16_ACTIONS(NAME_LENGTH)};
static const struct pw_ocpp_codes names = {
    .text = PW_OCPP16_ACTIONS(NAME),
    .len = name_lengths,
    .count = PW_OCPP16_ACTION_COUNT,
};

#define ACTION(NAME, name, prefix, from, of)                                                       \
    [PW_OCPP16_##NAME] = {                                                                         \
        .req = &pw_ocpp16_##prefix##_req,                                                          \
        .conf = &pw_ocpp16_##prefix##_conf,                                                        \
        .sender = PW_OCPP16_FROM_##from,                                                           \
        .feature = PW_OCPP16_FEATURE_##of,                                                         \
    },
const struct pw_ocpp16_action_row pw_ocpp16_actions[PW_OCPP16_ACTION_COUNT] = {
    PW_OCPP16_ACTIONS(ACTION)};

struct pw_str pw_ocpp16_action_name(enum pw_ocpp16_action action)
{
    return pw_ocpp_code_text(&names, (int)action);
}

int pw_ocpp16_action_find(struct pw_str name)
{
    return pw_ocpp_code_find(&names, name);
}

void pw_ocpp16_put_call(struct pw_out *out, struct pw_str id, enum pw_ocpp16_action action,
                        const void *req)
{
    pw_ocpp_put_call(out, id, pw_ocpp16_action_name(action), pw_ocpp16_actions[action].req, req);
}

void pw_ocpp16_put_result(struct pw_out *out, struct pw_str id, enum pw_ocpp16_action action,
                          const void *conf)
{
    pw_ocpp_put_result(out, id, pw_ocpp16_actions[action].conf, conf);
}

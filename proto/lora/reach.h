// reach: an OpenEVSE board wherever it hangs, on a cable or behind a radio: the functions of the
// client (rapi/rapi.h) for either, with the same meaning; lora/lora.h says where a radio differs.
#ifndef PW_LORA_REACH_H
#define PW_LORA_REACH_H

#include "lora/lora.h"

struct pw_reach_config {
    bool radio;
    struct pw_rapi_config rapi; // on a cable; behind a radio the far end has its own
    struct pw_str key;          // of the radio; copied
};

// Written only by the functions below.
struct pw_reach {
    bool radio;
    union {
        struct pw_rapi_client cable;
        struct pw_lora_station radio;
    } of;
};

PW_MUST_USE int pw_reach_init(struct pw_reach *reach, const struct pw_reach_config *config,
                              const struct pw_log *log, pw_ms now, struct pw_out *why);
// The numbers of a cable. Wire and key do not change while running.
PW_MUST_USE int pw_reach_configure(struct pw_reach *reach, const struct pw_rapi_config *config,
                                   pw_ms now, struct pw_out *why);
// A number that never comes twice, at any start: a radio says nothing before it has one.
void pw_reach_start(struct pw_reach *reach, uint64_t start);

void pw_reach_up(struct pw_reach *reach, pw_ms now);
void pw_reach_down(struct pw_reach *reach, const char *reason, pw_ms now);
PW_MUST_USE size_t pw_reach_bytes(struct pw_reach *reach, const uint8_t *at, size_t len);
pw_ms pw_reach_step(struct pw_reach *reach, pw_ms now);
struct pw_str pw_reach_out(const struct pw_reach *reach);
void pw_reach_out_sent(struct pw_reach *reach, size_t len, pw_ms now);
void pw_reach_want(struct pw_reach *reach, const struct pw_rapi_want *want);
PW_MUST_USE int pw_reach_restart(struct pw_reach *reach, pw_ms now);
const struct pw_rapi_view *pw_reach_view(const struct pw_reach *reach);
PW_MUST_USE int pw_reach_ask(struct pw_reach *reach, struct pw_str line, enum pw_rapi_who who,
                             pw_ms now, uint32_t *ticket, struct pw_out *why);
PW_MUST_USE int pw_reach_answer(struct pw_reach *reach, uint32_t ticket, char *to, size_t cap);

#endif

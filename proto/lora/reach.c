// A cable or a radio.
#include "lora/reach.h"

#include <string.h>

int pw_reach_init(struct pw_reach *reach, const struct pw_reach_config *config,
                  const struct pw_log *log, pw_ms now, struct pw_out *why)
{
    const struct pw_lora_config air = {.key = config->key, .frame_ms = PW_LORA_FRAME_MS};
    memset(reach, 0, sizeof(*reach));
    reach->radio = config->radio;
    return config->radio ? pw_lora_station_init(&reach->of.radio, &air, log, now, why)
                         : pw_rapi_init(&reach->of.cable, &config->rapi, log, now, why);
}

int pw_reach_configure(struct pw_reach *reach, const struct pw_rapi_config *config, pw_ms now,
                       struct pw_out *why)
{
    return reach->radio ? PW_OK : pw_rapi_configure(&reach->of.cable, config, now, why);
}

void pw_reach_start(struct pw_reach *reach, uint64_t start)
{
    uint8_t nonce[PW_LORA_NONCE];
    if (reach->radio) {
        pw_set_be32(nonce, (uint32_t)(start >> 32));
        pw_set_be32(nonce + 4, (uint32_t)start);
        pw_lora_link_nonce(&reach->of.radio.link, nonce);
    }
}

void pw_reach_up(struct pw_reach *reach, pw_ms now)
{
    if (reach->radio) {
        pw_lora_station_up(&reach->of.radio, now);
    } else {
        pw_rapi_up(&reach->of.cable, now);
    }
}

void pw_reach_down(struct pw_reach *reach, const char *reason, pw_ms now)
{
    if (reach->radio) {
        pw_lora_station_down(&reach->of.radio, reason, now);
    } else {
        pw_rapi_down(&reach->of.cable, reason, now);
    }
}

size_t pw_reach_bytes(struct pw_reach *reach, const uint8_t *at, size_t len)
{
    return reach->radio ? pw_lora_station_bytes(&reach->of.radio, at, len)
                        : pw_rapi_bytes(&reach->of.cable, at, len);
}

pw_ms pw_reach_step(struct pw_reach *reach, pw_ms now)
{
    return reach->radio ? pw_lora_station_step(&reach->of.radio, now)
                        : pw_rapi_step(&reach->of.cable, now);
}

struct pw_str pw_reach_out(const struct pw_reach *reach)
{
    return reach->radio ? pw_lora_station_out(&reach->of.radio) : pw_rapi_out(&reach->of.cable);
}

void pw_reach_out_sent(struct pw_reach *reach, size_t len, pw_ms now)
{
    if (reach->radio) {
        pw_lora_station_out_sent(&reach->of.radio, len, now);
    } else {
        pw_rapi_out_sent(&reach->of.cable, len, now);
    }
}

void pw_reach_want(struct pw_reach *reach, const struct pw_rapi_want *want)
{
    if (reach->radio) {
        pw_lora_station_want(&reach->of.radio, want);
    } else {
        pw_rapi_want(&reach->of.cable, want);
    }
}

int pw_reach_restart(struct pw_reach *reach, pw_ms now)
{
    return reach->radio ? pw_lora_station_restart(&reach->of.radio, now)
                        : pw_rapi_restart(&reach->of.cable, now);
}

const struct pw_rapi_view *pw_reach_view(const struct pw_reach *reach)
{
    return reach->radio ? pw_lora_station_view(&reach->of.radio) : pw_rapi_view(&reach->of.cable);
}

int pw_reach_ask(struct pw_reach *reach, struct pw_str line, enum pw_rapi_who who, pw_ms now,
                 uint32_t *ticket, struct pw_out *why)
{
    return reach->radio ? pw_lora_station_ask(&reach->of.radio, line, who, now, ticket, why)
                        : pw_rapi_ask(&reach->of.cable, line, who, now, ticket, why);
}

int pw_reach_answer(struct pw_reach *reach, uint32_t ticket, char *to, size_t cap)
{
    return reach->radio ? pw_lora_station_answer(&reach->of.radio, ticket, to, cap)
                        : pw_rapi_answer(&reach->of.cable, ticket, to, cap);
}

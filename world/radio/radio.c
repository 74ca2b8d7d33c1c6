// Two modems, one channel.
#include "radio/radio.h"

#include <string.h>

enum { AIR_BPS = 2400, FRAME_MS = 60 };

void pw_radio_init(struct pw_radio *radio, const struct pw_radio_config *config)
{
    *radio = (struct pw_radio){.config = *config};
    if (radio->config.air_bps == 0) {
        radio->config.air_bps = AIR_BPS;
    }
    if (radio->config.frame_ms == 0) {
        radio->config.frame_ms = FRAME_MS;
    }
    pw_noise_init(&radio->noise, config->seed, 0x4AD10);
}

static bool happens(struct pw_radio *radio, double chance)
{
    return (pw_noise_even(&radio->noise) + 1.0) / 2.0 < chance;
}

// The hour that ends at `until`: what began before it no longer counts.
static void record(struct pw_radio_end *end, pw_ms from, pw_ms until)
{
    struct pw_radio_record *slot = &end->record[end->records % PW_RADIO_RECORDS];
    PW_ASSERT(end->records - end->first < PW_RADIO_RECORDS);
    *slot = (struct pw_radio_record){.from = from, .ms = (uint32_t)(until - from)};
    end->records++;
    end->hour_ms += until - from;
    end->total_ms += until - from;
    while (end->record[end->first % PW_RADIO_RECORDS].from + PW_RADIO_HOUR_MS < until) {
        end->hour_ms -= end->record[end->first % PW_RADIO_RECORDS].ms;
        end->first++;
    }
    end->worst_ms = end->hour_ms > end->worst_ms ? end->hour_ms : end->worst_ms;
}

void pw_radio_send(struct pw_radio *radio, unsigned end, const uint8_t *at, size_t len, pw_ms now)
{
    PW_ASSERT(end < PW_RADIO_ENDS);
    struct pw_radio_end *mine = &radio->end[end];
    struct pw_radio_piece *other = &radio->end[1 - end].piece;
    if (mine->piece.there || len == 0 || len > PW_RADIO_PIECE) {
        mine->lost++;
        return;
    }
    uint64_t bits = len * 8U;
    uint64_t bps = (uint64_t)radio->config.air_bps;
    struct pw_radio_piece *piece = &mine->piece;
    piece->there = true;
    piece->from = now;
    piece->until = now + (pw_ms)radio->config.frame_ms + (bits * 1000 + bps - 1) / bps;
    piece->len = (uint8_t)len;
    memcpy(piece->bytes, at, len);
    // Both on the air, or the other end sending: neither hears anything.
    piece->spoilt = happens(radio, radio->config.loss);
    if (other->there && other->until > now) {
        piece->spoilt = true;
        other->spoilt = true;
    }
    if (happens(radio, radio->config.broken)) {
        piece->bytes[pw_noise_bits(&radio->noise) % len] ^=
            (uint8_t)(1U << pw_noise_bits(&radio->noise) % 8);
    }
    mine->again = happens(radio, radio->config.twice);
    record(mine, piece->from, piece->until);
}

size_t pw_radio_hear(struct pw_radio *radio, unsigned end, uint8_t *to, pw_ms now)
{
    PW_ASSERT(end < PW_RADIO_ENDS);
    struct pw_radio_end *theirs = &radio->end[1 - end];
    struct pw_radio_piece *piece = &theirs->piece;
    if (!piece->there || piece->until > now) {
        return 0;
    }
    piece->there = theirs->again;
    theirs->again = false;
    if (piece->spoilt || radio->silent) {
        piece->there = false;
        return 0;
    }
    memcpy(to, piece->bytes, piece->len);
    return piece->len;
}

pw_ms pw_radio_next(const struct pw_radio *radio)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_RADIO_ENDS; i++) {
        if (radio->end[i].piece.there) {
            at = pw_earlier(at, radio->end[i].piece.until);
        }
    }
    return at;
}

// Frames, codes, nonces, and the account of time on the air.
#include "lora/link.h"

#include <string.h>

enum {
    TURN_MS = 60,    // a modem between receiving and sending
    GAP_MS = 700,    // within a frame no pause is longer
    HELLO_MS = 2000, // first pause between unanswered HELLOs, doubled
    HELLO_MAX_MS = 30000,
    HELLO_JOINED_MS = 10000, // and of what is not urgent, while the two are joined
    HELLO_ANSWER_MS = 5000,  // between answers: recorded ones cost no more than that
    HELLO = PW_LORA_HELLO,
    HELLO_LEN = 2 * PW_LORA_NONCE,
    HELLO_JOINED = PW_LORA_RELIABLE, // the mark of an end that has joined, on kind 0
    START_US = 5000000,
    AIR_BPS = 2400,
    BURST_US = 9000000,  // at most at once; with the flow below 35.1 s in any hour
    URGENT_US = 3000000, // of it, what only urgent frames may use
    FLOW_US_PER_S = 7250,
};

uint32_t pw_lora_link_dice(struct pw_lora_link *link, uint32_t most)
{
    link->dice ^= link->dice << 13;
    link->dice ^= link->dice >> 7;
    link->dice ^= link->dice << 17;
    return (uint32_t)((link->dice >> 16) % most);
}

// The next nonce to offer: never one that was there before.
static void draw_offer(struct pw_lora_link *link)
{
    static const char purpose[] = "pilotwire offer";
    uint8_t digest[PW_SHA256_LEN];
    uint8_t count[4];
    struct pw_hmac hmac;
    link->offers++;
    pw_set_be32(count, link->offers);
    pw_hmac_begin(&hmac, link->key, link->key_len);
    pw_hmac_add(&hmac, purpose, sizeof(purpose));
    pw_hmac_add(&hmac, link->far ? "F" : "S", 1);
    pw_hmac_add(&hmac, link->start, sizeof(link->start));
    pw_hmac_add(&hmac, count, sizeof(count));
    pw_hmac_end(&hmac, digest);
    memcpy(link->offer, digest, PW_LORA_NONCE);
}

void pw_lora_link_nonce(struct pw_lora_link *link, const uint8_t nonce[PW_LORA_NONCE])
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PW_LORA_NONCE; i++) {
        sum = sum << 8 | nonce[i];
    }
    memcpy(link->start, nonce, PW_LORA_NONCE);
    link->drawn = sum != 0;
    draw_offer(link);
    // Both ends start at once after a power cut: their dice must have nothing in common.
    link->dice = ((uint64_t)pw_be32(link->offer) << 32 | pw_be32(link->offer + 4)) | 1U;
    link->hello_at += pw_lora_link_dice(link, HELLO_MS);
}

int pw_lora_link_init(struct pw_lora_link *link, const struct pw_lora_config *config, bool far,
                      pw_ms now, struct pw_out *why)
{
    int32_t air_bps = config->air_bps == 0 ? AIR_BPS : config->air_bps;
    if (!pw_within(why, "length of lora.key", (int64_t)config->key.len, PW_LORA_KEY_LEAST,
                   PW_LORA_KEY_MOST) ||
        !pw_within(why, "air_bps", air_bps, 300, 62500) ||
        !pw_within(why, "frame_ms", config->frame_ms, 0, 500)) {
        return PW_ERR_RANGE;
    }
    *link = (struct pw_lora_link){
        .key_len = (uint8_t)config->key.len,
        .far = far,
        .air_bps = air_bps,
        .frame_ms = config->frame_ms,
        .hello_due = true,
        .hello_at = now,
        .hello_wait = HELLO_MS,
        .free_at = now,
        .budget_us = START_US, // not the whole: who starts in a loop must keep the law too
        .budget_at = now,
    };
    memcpy(link->key, config->key.at, config->key.len);
    pw_lora_link_nonce(link, config->nonce);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Time on the air.

pw_ms pw_lora_link_airtime(const struct pw_lora_link *link, size_t payload)
{
    uint64_t bits = (PW_LORA_HEAD + payload + PW_LORA_CODE) * 8U;
    uint64_t bps = (uint64_t)link->air_bps;
    return (pw_ms)link->frame_ms + (bits * 1000 + bps - 1) / bps;
}

static int64_t budget(const struct pw_lora_link *link, pw_ms now)
{
    int64_t grown = (int64_t)(now - link->budget_at) * FLOW_US_PER_S / 1000;
    return pw_min(link->budget_us + grown, BURST_US);
}

// When there is time left for so much.
static pw_ms affordable(const struct pw_lora_link *link, int64_t cost_us, pw_ms now)
{
    int64_t lacks = cost_us - budget(link, now);
    return lacks <= 0 ? now : now + (pw_ms)(lacks * 1000 / FLOW_US_PER_S + 1);
}

static pw_ms ready(const struct pw_lora_link *link, size_t payload, bool urgent, pw_ms now)
{
    int64_t cost_us = (int64_t)pw_lora_link_airtime(link, payload) * 1000;
    if (link->tx_len > 0) {
        return PW_NEVER;
    }
    pw_ms at = affordable(link, cost_us + (urgent ? 0 : URGENT_US), now);
    return at > link->free_at ? at : link->free_at;
}

pw_ms pw_lora_link_ready(const struct pw_lora_link *link, size_t payload, bool urgent, pw_ms now)
{
    return link->joined ? ready(link, payload, urgent, now) : PW_NEVER;
}

// ---------------------------------------------------------------------------------------------
// Frames.

static bool is_hello(const uint8_t *frame)
{
    return (frame[2] & ~PW_LORA_RELIABLE) == PW_LORA_HELLO;
}

// Two nonces: ours and theirs.
struct pair {
    const uint8_t *mine;
    const uint8_t *theirs;
};

// The code over a frame of the far end, or of the station. A HELLO knows no nonces but those in it.
static void code_of(const struct pw_lora_link *link, bool far, struct pair pair,
                    const uint8_t *frame, size_t len, uint8_t digest[PW_SHA256_LEN])
{
    struct pw_hmac hmac;
    uint8_t direction = far ? 1 : 0;
    bool ours = far == link->far;
    pw_hmac_begin(&hmac, link->key, link->key_len);
    pw_hmac_add(&hmac, &direction, 1);
    if (!is_hello(frame)) {
        pw_hmac_add(&hmac, ours ? pair.mine : pair.theirs, PW_LORA_NONCE);
        pw_hmac_add(&hmac, ours ? pair.theirs : pair.mine, PW_LORA_NONCE);
    }
    pw_hmac_add(&hmac, frame, len);
    pw_hmac_end(&hmac, digest);
}

static struct pair meeting(const struct pw_lora_link *link)
{
    return (struct pair){.mine = link->own, .theirs = link->peer};
}

// What the next meeting would have.
static struct pair candidate(const struct pw_lora_link *link)
{
    return (struct pair){.mine = link->offer, .theirs = link->claimed};
}

static void put_frame(struct pw_lora_link *link, unsigned kind, const uint8_t *payload, size_t len,
                      pw_ms now)
{
    uint8_t digest[PW_SHA256_LEN];
    uint8_t *frame = link->tx;
    pw_ms air = pw_lora_link_airtime(link, len);
    link->number++;
    frame[0] = PW_LORA_SYNC;
    frame[1] = (uint8_t)len;
    frame[2] = (uint8_t)kind;
    pw_set_be32(frame + 3, link->number);
    pw_set_be16(frame + 7, link->receipt);
    if (len > 0) {
        memcpy(frame + PW_LORA_HEAD, payload, len);
    }
    code_of(link, link->far, meeting(link), frame, PW_LORA_HEAD + len, digest);
    memcpy(frame + PW_LORA_HEAD + len, digest, PW_LORA_CODE);
    link->tx_len = (uint8_t)(PW_LORA_HEAD + len + PW_LORA_CODE);
    link->budget_us = budget(link, now) - (int64_t)air * 1000;
    link->budget_at = now;
    link->free_at = now + air + TURN_MS;
    link->air_ms += air;
    link->sent++;
}

uint16_t pw_lora_link_send(struct pw_lora_link *link, enum pw_lora_kind kind, bool reliable,
                           const uint8_t *payload, size_t len, pw_ms now)
{
    PW_ASSERT(link->joined && link->tx_len == 0 && len <= PW_LORA_PAYLOAD_MAX);
    put_frame(link, (unsigned)kind | (reliable ? PW_LORA_RELIABLE : 0), payload, len, now);
    link->owes = false;
    return (uint16_t)link->number;
}

void pw_lora_link_sent(struct pw_lora_link *link, size_t len, pw_ms now)
{
    PW_ASSERT(len <= link->tx_len);
    (void)now;
    link->tx_len = (uint8_t)(link->tx_len - len);
    memmove(link->tx, link->tx + len, link->tx_len);
}

void pw_lora_link_reset(struct pw_lora_link *link)
{
    link->rx_len = 0;
    link->tx_len = 0;
}

// ---------------------------------------------------------------------------------------------
// Joining.

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, PW_LORA_NONCE) == 0;
}

// The other end knows what we offered: that was for this meeting.
static void join(struct pw_lora_link *link)
{
    memcpy(link->own, link->offer, PW_LORA_NONCE);
    memcpy(link->peer, link->claimed, PW_LORA_NONCE);
    draw_offer(link);
    link->joined = true;
    link->joins++;
    link->peer_number = 0;
    link->receipt = 0; // it would be one for a frame of the new session that was never heard
    link->owes = false;
    link->hello_due = false;
    link->hello_wait = HELLO_MS;
}

static void plan_hello(struct pw_lora_link *link, pw_ms now)
{
    pw_ms soon = now + TURN_MS + pw_lora_link_dice(link, 200);
    link->hello_due = true;
    link->hello_at = soon > link->hello_after ? soon : link->hello_after;
}

// A HELLO whose code holds: {theirs, ours}, and whether they have met us. Who does not know our
// offer is answered with it, and what we have stays.
static void take_hello(struct pw_lora_link *link, const uint8_t *payload, bool settled, pw_ms now)
{
    const uint8_t *theirs = payload;
    const uint8_t *ours = payload + PW_LORA_NONCE;
    bool known = link->joined && same(theirs, link->peer) && same(ours, link->own);
    memcpy(link->claimed, theirs, PW_LORA_NONCE);
    if (!known && same(ours, link->offer)) {
        bool told = same(link->answered, theirs);
        join(link);
        if (!told) {
            plan_hello(link, now);
        }
    } else if (!known || !settled) {
        plan_hello(link, now);
    }
}

static void send_hello(struct pw_lora_link *link, pw_ms now)
{
    uint8_t payload[HELLO_LEN];
    bool settled = link->joined && same(link->peer, link->claimed);
    memcpy(payload, settled ? link->own : link->offer, PW_LORA_NONCE);
    memcpy(payload + PW_LORA_NONCE, link->claimed, PW_LORA_NONCE);
    memcpy(link->answered, link->claimed, PW_LORA_NONCE);
    put_frame(link, settled ? HELLO_JOINED : HELLO, payload, sizeof(payload), now);
    link->hello_after = now + (link->joined ? HELLO_JOINED_MS : HELLO_ANSWER_MS);
    link->hello_due = !link->joined;
    link->hello_at =
        now + link->hello_wait / 2 + pw_lora_link_dice(link, (uint32_t)link->hello_wait);
    link->hello_wait = pw_earlier(link->hello_wait * 2, HELLO_MAX_MS);
}

pw_ms pw_lora_link_step(struct pw_lora_link *link, pw_ms now)
{
    if (!link->hello_due || !link->drawn) {
        return PW_NEVER;
    }
    pw_ms at = ready(link, HELLO_LEN, !link->joined, now);
    if (at == PW_NEVER) {
        return PW_NEVER;
    }
    if (at <= now && link->hello_at <= now) {
        send_hello(link, now);
        return link->hello_due ? link->hello_at : PW_NEVER;
    }
    return at > link->hello_at ? at : link->hello_at;
}

// ---------------------------------------------------------------------------------------------
// Taking.

static bool holds(const struct pw_lora_link *link, struct pair pair, size_t len)
{
    uint8_t digest[PW_SHA256_LEN];
    code_of(link, !link->far, pair, link->rx, len, digest);
    return pw_hmac_same(digest, link->rx + len, PW_LORA_CODE);
}

// The other end's modem needs a moment before it hears us.
static void turn_around(struct pw_lora_link *link, pw_ms now)
{
    pw_ms at = now + TURN_MS;
    link->free_at = link->free_at > at ? link->free_at : at;
}

static void drop(struct pw_lora_link *link, size_t len)
{
    link->rx_len = (uint8_t)(link->rx_len - len);
    memmove(link->rx, link->rx + len, link->rx_len);
}

// A whole frame at the front of rx: what it is. False: none of ours, or none to be returned.
static bool open(struct pw_lora_link *link, struct pw_lora_frame *frame, pw_ms now)
{
    const uint8_t *rx = link->rx;
    size_t payload = rx[1];
    size_t len = PW_LORA_HEAD + payload;
    uint32_t number = pw_be32(rx + 3);
    bool reliable = (rx[2] & PW_LORA_RELIABLE) != 0;
    unsigned kind = rx[2] & ~PW_LORA_RELIABLE;
    if (kind > PW_LORA_ACK || !link->drawn) {
        link->bad++;
        return false;
    }
    if (is_hello(rx) && payload == HELLO_LEN && holds(link, candidate(link), len)) {
        turn_around(link, now);
        take_hello(link, rx + PW_LORA_HEAD, reliable, now);
        return false;
    }
    if (link->joined && holds(link, meeting(link), len)) {
        if (number <= link->peer_number) {
            link->old++;
            return false;
        }
    } else if (holds(link, candidate(link), len)) {
        join(link); // it knows our offer: the HELLO that said so was lost
    } else {
        link->bad++;
        return false;
    }
    *frame = (struct pw_lora_frame){.kind = (enum pw_lora_kind)kind,
                                    .reliable = reliable,
                                    .receipt = pw_be16(rx + 7),
                                    .len = (uint8_t)payload};
    memcpy(frame->payload, rx + PW_LORA_HEAD, payload);
    link->peer_number = number;
    link->taken++;
    if (reliable) {
        link->receipt = (uint16_t)number;
        link->owes = true;
    }
    turn_around(link, now);
    return true;
}

// Whether rx begins with a whole frame; takes off the front what cannot be the beginning of one.
static bool whole(struct pw_lora_link *link)
{
    while (link->rx_len > 0) {
        if (link->rx[0] != PW_LORA_SYNC ||
            (link->rx_len > 1 && link->rx[1] > PW_LORA_PAYLOAD_MAX)) {
            drop(link, 1);
            continue;
        }
        return link->rx_len > 1 && link->rx_len >= PW_LORA_HEAD + link->rx[1] + PW_LORA_CODE;
    }
    return false;
}

bool pw_lora_link_take(struct pw_lora_link *link, const uint8_t *at, size_t len, size_t *used,
                       struct pw_lora_frame *frame, pw_ms now)
{
    if (link->rx_len > 0 && pw_elapsed(link->rx_at, GAP_MS, now)) {
        link->rx_len = 0; // the rest of it was lost
    }
    *used = 0;
    while (*used < len) {
        link->rx[link->rx_len] = at[*used];
        link->rx_len++;
        (*used)++;
        link->rx_at = now;
        while (whole(link)) {
            uint32_t bad = link->bad;
            size_t size = PW_LORA_HEAD + link->rx[1] + PW_LORA_CODE;
            bool got = open(link, frame, now);
            drop(link, link->bad != bad ? 1 : size);
            if (got) {
                return true;
            }
        }
    }
    return false;
}

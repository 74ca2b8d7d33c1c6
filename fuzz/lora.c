// Target functions: pw_lora_station_bytes and pw_lora_far_bytes with their steps. Input: the first
// byte says how; then pieces, each behind a byte of its length. Odd: the pieces are what is on the
// air, at both ends, which must take none of them. Even: each piece is the kind and payload of a
// frame that the other end has really sent: what it says stays in its ranges.
#include "lora/lora.h"

#define KEY "0123456789abcdef0123456789abcdef"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pw_lora_station station;
static struct pw_lora_far far;

static void begin(void)
{
    static const struct pw_rapi_want want = {.power = PW_RAPI_ENABLED, .limit_ma = 16000};
    struct pw_lora_config config = {.key = PW_STR(KEY), .nonce = {1}};
    struct pw_rapi_config rapi = PW_RAPI_CONFIG_DEFAULT;
    PW_ASSERT(pw_lora_station_init(&station, &config, NULL, 0, NULL) == PW_OK);
    config.nonce[0] = 2;
    PW_ASSERT(pw_lora_far_init(&far, &config, &rapi, NULL, 0, NULL) == PW_OK);
    pw_lora_station_up(&station, 0);
    pw_lora_station_want(&station, &want);
    pw_rapi_up(&far.client, 0);
}

// What each end says reaches the other.
static void exchange(pw_ms now)
{
    (void)pw_lora_station_step(&station, now);
    (void)pw_lora_far_step(&far, now);
    struct pw_str out = pw_lora_station_out(&station);
    PW_ASSERT(pw_lora_far_bytes(&far, (const uint8_t *)out.at, out.len) == out.len);
    pw_lora_station_out_sent(&station, out.len, now);
    out = pw_lora_far_out(&far);
    PW_ASSERT(pw_lora_station_bytes(&station, (const uint8_t *)out.at, out.len) == out.len);
    pw_lora_far_out_sent(&far, out.len, now);
    struct pw_str board = pw_rapi_out(&far.client);
    pw_rapi_out_sent(&far.client, board.len, now);
}

static void check(void)
{
    const struct pw_rapi_view *view = pw_lora_station_view(&station);
    PW_ASSERT(view->offered_ma == PW_RAPI_UNKNOWN || view->offered_ma <= 80000);
    PW_ASSERT(view->heartbeat <= PW_RAPI_HEARTBEAT_MISSED);
    PW_ASSERT(far.want.limit_ma >= 0 && far.want.limit_ma <= 80000);
    PW_ASSERT(far.want.power <= PW_RAPI_DISABLED);
}

static void say(struct pw_lora_link *link, const uint8_t *piece, size_t len, pw_ms now)
{
    size_t payload = len == 0 ? 0 : len - 1;
    if (link->joined && link->tx_len == 0 && len > 0 && payload <= PW_LORA_PAYLOAD_MAX &&
        piece[0] % 9U != PW_LORA_HELLO) {
        (void)pw_lora_link_send(link, (enum pw_lora_kind)(piece[0] % 9U), (piece[0] & 0x80U) != 0,
                                piece + 1, payload, now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pw_ms now = 1;
    begin();
    for (unsigned i = 0; i < 20; i++) {
        exchange(now += 700);
    }
    PW_ASSERT(station.link.joined && far.link.joined);
    for (size_t at = 1; at < size;) {
        size_t len = pw_earlier(data[at] & 0x3FU, size - at - 1);
        const uint8_t *piece = data + at + 1;
        if (data[0] % 2 == 1) {
            (void)pw_lora_station_step(&station, now); // what is on its way was really sent
            (void)pw_lora_far_step(&far, now);
            uint32_t taken = station.link.taken + far.link.taken;
            PW_ASSERT(pw_lora_station_bytes(&station, piece, len) == len);
            PW_ASSERT(pw_lora_far_bytes(&far, piece, len) == len);
            (void)pw_lora_station_step(&station, now);
            (void)pw_lora_far_step(&far, now);
            PW_ASSERT(station.link.taken + far.link.taken == taken);
        } else {
            say((data[at] & 0x40U) != 0 ? &station.link : &far.link, piece, len, now);
        }
        exchange(now += 300);
        check();
        at += 1 + len;
    }
    return 0;
}

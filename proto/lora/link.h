// link: frames over a slow half-duplex radio, as both ends make and take them. Small,
// authenticated, fresh, and no more of them than the law lets on the air.
//   sync 0xC5 | length of payload | kind | number, 4 | receipt, 2 | payload, 0..40 | code, 6
// The code is the first 6 bytes of HMAC-SHA-256 with the shared key over direction, the two ends'
// nonces and the frame. The nonces are drawn for one meeting of the two ends: a frame made for an
// earlier one, or with a number that was there before, is not taken. Nonces are exchanged by HELLO
// {mine, yours}: a meeting begins with whoever knows the nonce one offers, and a nonce is offered
// until one meeting has begun with it and never again. So a recorded HELLO gets an answer, rarely,
// and nothing else.
// A sender keeps account of its time on the air: in no hour more than 1 % (ETSI EN 300 220-2, band
// 868.0 to 868.6 MHz), and the last third is kept for what is urgent.
#ifndef PW_LORA_LINK_H
#define PW_LORA_LINK_H

#include "base/base.h"
#include "hmac/hmac.h"

#define PW_LORA_SYNC        0xC5
#define PW_LORA_HEAD        9U // sync to receipt
#define PW_LORA_CODE        6U
#define PW_LORA_PAYLOAD_MAX 40U
#define PW_LORA_FRAME_MAX   (PW_LORA_HEAD + PW_LORA_PAYLOAD_MAX + PW_LORA_CODE)
#define PW_LORA_NONCE       8
#define PW_LORA_FRAME_MS    60
#define PW_LORA_KEY_LEAST   32
#define PW_LORA_KEY_MOST    64

enum pw_lora_kind {
    PW_LORA_HELLO,  // nonces; both ways
    PW_LORA_WANT,   // station: power, limit
    PW_LORA_LCD,    // station: one line of the display
    PW_LORA_ASK,    // station: a raw line
    PW_LORA_REPORT, // far end: state
    PW_LORA_FACTS,  // far end: what changes rarely
    PW_LORA_ANSWER, // far end: to a raw line
    PW_LORA_ACK,    // both ways: nothing but the receipt
};

// With the kind: the receiver owes a receipt. In a HELLO: the sender has joined.
#define PW_LORA_RELIABLE 0x40U

struct pw_lora_config {
    struct pw_str key; // 32 to 64 characters, both ends alike; copied
    // Drawn anew at each start, never twice the same. All zero: not yet, pw_lora_link_nonce comes.
    uint8_t nonce[PW_LORA_NONCE];
    int32_t air_bps;  // 300 to 62500; 0 is 2400
    int32_t frame_ms; // on the air beside the bytes: 0 to 500; 60 is usual
};

struct pw_lora_frame {
    enum pw_lora_kind kind;
    bool reliable;
    uint16_t receipt; // the last reliable frame of ours that was taken, by its number's low half
    uint8_t len;
    uint8_t payload[PW_LORA_PAYLOAD_MAX];
};

// One end. Written only by the functions below.
struct pw_lora_link {
    char key[PW_LORA_KEY_MOST];
    uint8_t key_len;
    bool far;
    int32_t air_bps;
    int32_t frame_ms;
    uint8_t start[PW_LORA_NONCE]; // as given
    uint32_t offers;              // how many were made of it
    uint8_t offer[PW_LORA_NONCE]; // ours, for the next meeting
    uint8_t own[PW_LORA_NONCE];   // ours and theirs, of the meeting that lasts while `joined`
    uint8_t peer[PW_LORA_NONCE];
    uint8_t claimed[PW_LORA_NONCE];  // theirs as last heard; perhaps a recording's
    uint8_t answered[PW_LORA_NONCE]; // the one in our last HELLO
    bool drawn;                      // `start` is known
    bool joined;
    bool hello_due;
    pw_ms hello_at; // not before
    pw_ms hello_wait;
    pw_ms hello_after;    // the last is so long ago that another may be answered
    uint32_t number;      // of the last frame sent
    uint32_t peer_number; // of the last frame taken
    uint16_t receipt;     // we owe
    bool owes;
    uint64_t dice;
    uint8_t rx[PW_LORA_FRAME_MAX];
    uint8_t rx_len;
    pw_ms rx_at;
    uint8_t tx[PW_LORA_FRAME_MAX];
    uint8_t tx_len;
    pw_ms free_at;     // the air is ours again
    int64_t budget_us; // time on the air that is left
    pw_ms budget_at;
    uint64_t air_ms; // counters since the start
    uint32_t sent;
    uint32_t taken;
    uint32_t bad; // codes that do not hold: noise, or somebody without the key
    uint32_t old; // replayed
    uint32_t joins;
};

// PW_ERR_RANGE with one sentence in *why: key too short or long, numbers out of their range.
PW_MUST_USE int pw_lora_link_init(struct pw_lora_link *link, const struct pw_lora_config *config,
                                  bool far, pw_ms now, struct pw_out *why);

// The nonce, when it could not be told before. Until then nothing is said or taken.
void pw_lora_link_nonce(struct pw_lora_link *link, const uint8_t nonce[PW_LORA_NONCE]);

// The next frame out of `at`, which is used up as far as *used says. False: there is none in it.
// A HELLO is dealt with and not returned; look at `joins`.
bool pw_lora_link_take(struct pw_lora_link *link, const uint8_t *at, size_t len, size_t *used,
                       struct pw_lora_frame *frame, pw_ms now);

// When a frame with so many bytes of payload may be sent: the air is free and there is time left.
// PW_NEVER while the last has not left, or the other end is not joined.
pw_ms pw_lora_link_ready(const struct pw_lora_link *link, size_t payload, bool urgent, pw_ms now);
// Puts a frame into tx; only when it is ready. Returns its number's low half.
uint16_t pw_lora_link_send(struct pw_lora_link *link, enum pw_lora_kind kind, bool reliable,
                           const uint8_t *payload, size_t len, pw_ms now);
// Sends the HELLO that is due. Returns when the next one is.
pw_ms pw_lora_link_step(struct pw_lora_link *link, pw_ms now);
void pw_lora_link_sent(struct pw_lora_link *link, size_t len, pw_ms now);
// The wire to the modem has gone or come: what is half in or out is dropped.
void pw_lora_link_reset(struct pw_lora_link *link);

// Time on the air of a frame with so much payload.
pw_ms pw_lora_link_airtime(const struct pw_lora_link *link, size_t payload);
// A number from 0 to below `most`, different at both ends: who waits longer.
uint32_t pw_lora_link_dice(struct pw_lora_link *link, uint32_t most);

#endif

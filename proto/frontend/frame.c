// Frames: consistent overhead byte stuffing (COBS) around kind, sequence number, body and CRC-16.
// Each run of up to 254 bytes that are not zero is led by its length + 1; the zeros between runs
// are left out, so that the only zero on the wire is the end of a frame.
#include "frontend/body.h"

#include <string.h>

#define HEAD      2 // kind, sequence number
#define TAIL      2 // CRC
#define PLAIN_MAX (HEAD + PW_FRONTEND_BODY_MAX + TAIL)
#define RUN_MAX   254

uint16_t pw_frontend_crc(const uint8_t *bytes, size_t len)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < len; i++) {
        uint8_t x = (uint8_t)((crc >> 8) ^ bytes[i]);
        x ^= x >> 4;
        crc = (uint16_t)((unsigned)crc << 8 ^ (unsigned)x << 12 ^ (unsigned)x << 5 ^ x);
    }
    return crc;
}

static size_t stuff(const uint8_t *plain, size_t len, uint8_t *to)
{
    size_t code = 0; // where the length of the present run stands
    size_t at = 1;
    for (size_t i = 0; i < len; i++) {
        if (at - code == RUN_MAX + 1) {
            to[code] = RUN_MAX + 1;
            code = at++;
        }
        if (plain[i] == 0) {
            to[code] = (uint8_t)(at - code);
            code = at++;
        } else {
            to[at++] = plain[i];
        }
    }
    to[code] = (uint8_t)(at - code);
    to[at++] = 0;
    return at;
}

// In place: what is written always stands before what is read. The bytes inside, or 0 when it is
// no COBS or longer than any frame. A zero inside a run cannot be: the caller cut the frame at the
// zeros; one handed over all the same is refused.
static size_t unstuff(uint8_t *frame, size_t len)
{
    size_t out = 0;
    size_t at = 0;
    while (at < len) {
        size_t run = frame[at++];
        if (run == 0 || run - 1 > len - at || run - 1 > PLAIN_MAX - out ||
            memchr(frame + at, 0, run - 1) != NULL) {
            return 0;
        }
        memmove(frame + out, frame + at, run - 1);
        out += run - 1;
        at += run - 1;
        if (run <= RUN_MAX && at < len) {
            if (out == PLAIN_MAX) {
                return 0;
            }
            frame[out++] = 0;
        }
    }
    return out;
}

static bool is_kind(unsigned byte)
{
    static const uint8_t kinds[] = {PW_FRONTEND_HELLO, PW_FRONTEND_SENSES, PW_FRONTEND_BLOCK,
                                    PW_FRONTEND_MAINS, PW_FRONTEND_ASK,    PW_FRONTEND_DRIVE};
    return memchr(kinds, (int)byte, sizeof(kinds)) != NULL;
}

size_t pw_frontend_put(const struct pw_frontend_message *message, pw_ms now, uint8_t *to)
{
    // The last bytes of the frame's place: coding moves them forward, and never overtakes itself.
    uint8_t *plain = to + (PW_FRONTEND_FRAME_MAX - PLAIN_MAX);
    plain[0] = (uint8_t)message->kind;
    plain[1] = message->seq;
    size_t len = HEAD + pw_frontend_body_put(message, now, plain + HEAD);
    pw_set_be16(plain + len, pw_frontend_crc(plain, len));
    return stuff(plain, len + TAIL, to);
}

int pw_frontend_get(uint8_t *frame, size_t len, pw_ms now, struct pw_frontend_message *message)
{
    size_t inside = unstuff(frame, len);
    if (inside < HEAD + TAIL ||
        pw_be16(frame + inside - TAIL) != pw_frontend_crc(frame, inside - TAIL) ||
        !is_kind(frame[0])) {
        return PW_ERR_PEER;
    }
    memset(message, 0, sizeof(*message));
    message->kind = (enum pw_frontend_kind)frame[0];
    message->seq = frame[1];
    return pw_frontend_body_get(frame + HEAD, inside - HEAD - TAIL, now, message) ? PW_OK
                                                                                  : PW_ERR_PEER;
}

bool pw_frontend_feed(struct pw_frontend_reader *reader, uint8_t byte, pw_ms now)
{
    if (byte != 0) {
        reader->too_long = reader->too_long || reader->len == sizeof(reader->frame);
        if (!reader->too_long) {
            reader->frame[reader->len++] = byte;
        }
        return false;
    }
    size_t len = reader->len;
    bool whole = !reader->too_long;
    reader->len = 0;
    reader->too_long = false;
    if (whole && len == 0) {
        return false; // zeros in a row: a sender may begin with one to flush what was before
    }
    bool good = whole && pw_frontend_get(reader->frame, len, now, &reader->message) == PW_OK;
    reader->bad += good ? 0U : 1U;
    return good;
}

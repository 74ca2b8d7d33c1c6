// What both ends of the link do alike: frames out of a stream, bytes into one, is the other alive.
#include "link/parts.h"

#include <string.h>

void pw_link_pipe_init(struct pw_link_pipe *pipe, pw_ms now)
{
    pipe->rx_len = 0;
    pipe->rx_used = 0;
    pipe->tx_len = 0;
    pipe->heard_at = now;
    pipe->moved_at = now;
    pipe->ping = 0;
    pipe->ping_at = now;
    pipe->rtt_ms = UINT32_MAX;
    pipe->frames_in = 0;
    pipe->frames_out = 0;
    pipe->bad = 0;
    pipe->next_number = 1;
}

size_t pw_link_pipe_bytes(struct pw_link_pipe *pipe, const uint8_t *at, size_t len)
{
    size_t room = pipe->rx_cap - pipe->rx_len;
    size_t taken = len < room ? len : room;
    if (taken > 0) {
        memcpy(pipe->rx + pipe->rx_len, at, taken);
    }
    pipe->rx_len += taken;
    return taken;
}

// The rest moves to the front only when no whole frame is in it: each byte moves once.
static void compact(struct pw_link_pipe *pipe)
{
    if (pipe->rx_used > 0) {
        memmove(pipe->rx, pipe->rx + pipe->rx_used, pipe->rx_len - pipe->rx_used);
        pipe->rx_len -= pipe->rx_used;
        pipe->rx_used = 0;
    }
}

int pw_link_pipe_take(struct pw_link_pipe *pipe, struct pw_link_frame *frame, pw_ms now)
{
    int whole = pw_link_frame_read(pipe->rx + pipe->rx_used, pipe->rx_len - pipe->rx_used,
                                   pipe->most, frame);
    if (whole < 0) {
        compact(pipe);
        return whole;
    }
    pipe->rx_used += (size_t)whole;
    pipe->heard_at = now;
    pipe->frames_in++;
    return whole;
}

void pw_link_pipe_put_back(struct pw_link_pipe *pipe, const struct pw_link_frame *frame)
{
    pipe->rx_used -= PW_LINK_HEAD + frame->len;
    pipe->frames_in--;
}

struct pw_str pw_link_pipe_out(const struct pw_link_pipe *pipe)
{
    return (struct pw_str){.at = (const char *)pipe->tx, .len = pipe->tx_len};
}

void pw_link_pipe_sent(struct pw_link_pipe *pipe, size_t len, pw_ms now)
{
    PW_ASSERT(len <= pipe->tx_len);
    if (len > 0) {
        pipe->tx_len -= len;
        memmove(pipe->tx, pipe->tx + len, pipe->tx_len);
        pipe->moved_at = now;
    }
}

size_t pw_link_pipe_room(const struct pw_link_pipe *pipe)
{
    return pipe->tx_cap - pipe->tx_len;
}

uint16_t pw_link_pipe_number(struct pw_link_pipe *pipe)
{
    uint16_t number = pipe->next_number;
    pipe->next_number = number == UINT16_MAX ? 1 : (uint16_t)(number + 1);
    return number;
}

struct pw_link_writer pw_link_pipe_writer(const struct pw_link_pipe *pipe)
{
    return (struct pw_link_writer){.at = pipe->tx + pipe->tx_len, .cap = pw_link_pipe_room(pipe)};
}

int pw_link_pipe_written(struct pw_link_pipe *pipe, struct pw_link_writer *w, pw_ms now)
{
    int len = pw_link_end(w);
    if (len < 0) {
        return len;
    }
    if (pipe->tx_len == 0) {
        pipe->moved_at = now;
    }
    pipe->tx_len += (size_t)len;
    pipe->frames_out++;
    return PW_OK;
}

int pw_link_pipe_write(struct pw_link_pipe *pipe, uint8_t type, uint16_t number, const void *object,
                       pw_ms now)
{
    struct pw_link_writer w = pw_link_pipe_writer(pipe);
    pw_link_begin(&w, type, number, object);
    return pw_link_pipe_written(pipe, &w, now);
}

void pw_link_pipe_pong(struct pw_link_pipe *pipe, uint16_t number, pw_ms now)
{
    if (pipe->ping == 0 || number != pipe->ping) {
        pipe->bad++;
        return;
    }
    pipe->ping = 0;
    pipe->rtt_ms = (uint32_t)pw_min((int64_t)(now - pipe->ping_at), UINT32_MAX - 1);
}

const char *pw_link_pipe_step(struct pw_link_pipe *pipe, pw_ms now)
{
    if (pw_elapsed(pipe->heard_at, PW_LINK_DEAD_MS, now)) {
        return "nothing was heard";
    }
    if (pipe->tx_len > 0 && pw_elapsed(pipe->moved_at, PW_LINK_DEAD_MS, now)) {
        return "the other side does not read";
    }
    if (pw_elapsed(pipe->ping_at, PW_LINK_PING_MS, now)) {
        uint16_t number = pw_link_pipe_number(pipe);
        pipe->ping_at = now;
        if (pw_link_pipe_write(pipe, PW_LINK_PING, number, NULL, now) == PW_OK) {
            pipe->ping = number;
        }
    }
    return NULL;
}

pw_ms pw_link_pipe_deadline(const struct pw_link_pipe *pipe)
{
    pw_ms at = pw_earlier(pw_after(pipe->heard_at, PW_LINK_DEAD_MS),
                          pw_after(pipe->ping_at, PW_LINK_PING_MS));
    return pipe->tx_len > 0 ? pw_earlier(at, pw_after(pipe->moved_at, PW_LINK_DEAD_MS)) : at;
}

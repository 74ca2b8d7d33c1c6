#include "logring/logring.h"

#include <string.h>

// Stands before each line's room (terminated) and text. A record never wraps around the end of its
// ring, so that its text is one view.
struct head {
    uint16_t size; // of the whole record; 0: the ring goes on at its beginning
    uint16_t text;
    uint8_t level;
    uint8_t room; // length
    uint64_t cursor;
    pw_ms at;
    pw_unix_ms wall;
};

enum { LEFT_OUT_TEXT = 24 };

void pw_logring_init(struct pw_logring *ring, uint8_t *bytes, size_t len)
{
    PW_ASSERT(len >= 4096);
    memset(ring, 0, sizeof(*ring));
    ring->loud.at = bytes;
    ring->loud.cap = len / 4;
    ring->rest.at = bytes + len / 4;
    ring->rest.cap = len - len / 4;
}

// ---------------------------------------------------------------------------------------------
// One ring of records.

// The record at *pos, which moves on to the place after it. *pos is moved over the unused end
// first.
static const uint8_t *record(const struct pw_logring_half *half, size_t *pos, struct head *head)
{
    uint16_t size = 0;
    if (half->cap - *pos >= sizeof(size)) {
        memcpy(&size, half->at + *pos, sizeof(size));
    }
    if (size == 0) {
        *pos = 0;
    }
    const uint8_t *at = half->at + *pos;
    memcpy(head, at, sizeof(*head));
    *pos += head->size;
    return at;
}

static void drop_oldest(struct pw_logring_half *half)
{
    struct head head;
    (void)record(half, &half->head, &head);
    half->count--;
}

// Finds a place for `size` bytes in one piece, the oldest records giving way.
static uint8_t *place(struct pw_logring_half *half, size_t size, uint64_t *pushed)
{
    for (;;) {
        if (half->count == 0) {
            half->head = 0;
            half->tail = 0;
        }
        bool wrapped = half->count > 0 && half->tail <= half->head;
        size_t room = (wrapped ? half->head : half->cap) - half->tail;
        if (room >= size) {
            uint8_t *at = half->at + half->tail;
            half->tail += size;
            half->count++;
            return at;
        }
        if (!wrapped && half->head >= size) {
            if (room >= sizeof(uint16_t)) {
                memset(half->at + half->tail, 0, sizeof(uint16_t));
            }
            half->tail = 0;
        } else {
            drop_oldest(half);
            ++*pushed;
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Writing.

static uint32_t hash(uint32_t seed, struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        seed = (seed ^ (unsigned char)text.at[i]) * 16777619U; // FNV-1a
    }
    return seed;
}

// The row of a source; the one that has been quiet longest makes room when all are taken.
static struct pw_logring_source *source_of(struct pw_logring *ring, uint32_t name, pw_ms now)
{
    struct pw_logring_source *oldest = &ring->source[0];
    for (size_t i = 0; i < PW_LOGRING_SOURCES; i++) {
        struct pw_logring_source *source = &ring->source[i];
        if (source->name == name) {
            return source;
        }
        if (source->refilled < oldest->refilled || source->name == 0) {
            oldest = source;
        }
        if (source->name == 0) {
            break;
        }
    }
    *oldest = (struct pw_logring_source){.name = name, .refilled = now, .tokens = PW_LOGRING_BURST};
    return oldest;
}

// True when the line may be written; *left_out is then the number kept back before it.
static bool admit(struct pw_logring *ring, uint32_t name, pw_ms now, uint32_t *left_out)
{
    struct pw_logring_source *source = source_of(ring, name, now);
    pw_ms refills = now > source->refilled ? (now - source->refilled) / PW_LOGRING_REFILL : 0;
    source->refilled += refills * PW_LOGRING_REFILL;
    source->tokens = (uint16_t)pw_min(PW_LOGRING_BURST,
                                      pw_min((int64_t)refills, PW_LOGRING_BURST) + source->tokens);
    if (source->tokens == 0) {
        source->left_out++;
        ring->thinned++;
        return false;
    }
    source->tokens--;
    *left_out = source->left_out;
    source->left_out = 0;
    return true;
}

// A control character inside a record would forge another record or take over a terminal.
static void copy_safe(uint8_t *to, struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        to[i] = c < ' ' || c == 0x7F ? '?' : c;
    }
}

void pw_logring_write(struct pw_logring *ring, enum pw_level level, const char *room,
                      struct pw_str text, pw_ms now, pw_unix_ms wall)
{
    struct pw_str rest = text;
    struct pw_str from = pw_str_of(room);
    struct pw_str event = pw_str_cut(&rest, ' ');
    uint32_t left_out = 0;
    uint32_t name = hash(hash(2166136261U, from) * 31U, event);
    if (level != PW_LOG_DEBUG && !admit(ring, name == 0 ? 1 : name, now, &left_out)) {
        return;
    }
    char more[LEFT_OUT_TEXT] = "";
    struct pw_out said = PW_OUT(more);
    if (left_out > 0) {
        pw_put_s(&said, " left_out=");
        pw_put_uint(&said, left_out);
    }
    from.len = (size_t)pw_min((int64_t)from.len, PW_LOGRING_ROOM);
    text.len = (size_t)pw_min((int64_t)text.len, (int64_t)(PW_LOGRING_TEXT - said.len));
    struct head head = {
        .size = (uint16_t)(sizeof(head) + from.len + 1 + text.len + said.len),
        .text = (uint16_t)(text.len + said.len),
        .level = (uint8_t)level,
        .room = (uint8_t)from.len,
        .cursor = ring->next++,
        .at = now,
        .wall = wall,
    };
    bool loud = level == PW_LOG_ERROR || level == PW_LOG_WARN;
    uint8_t *at = place(loud ? &ring->loud : &ring->rest, head.size, &ring->pushed);
    memcpy(at, &head, sizeof(head));
    at += sizeof(head);
    copy_safe(at, from);
    at[from.len] = '\0';
    copy_safe(at + from.len + 1, text);
    copy_safe(at + from.len + 1 + text.len, pw_out_str(&said));
}

// ---------------------------------------------------------------------------------------------
// Reading.

static void fill(const uint8_t *at, const struct head *head, struct pw_logring_line *line)
{
    *line = (struct pw_logring_line){
        .cursor = head->cursor,
        .at = head->at,
        .wall = head->wall,
        .level = (enum pw_level)head->level,
        .room = (const char *)at + sizeof(*head),
        .text = {.at = (const char *)at + sizeof(*head) + head->room + 1, .len = head->text},
    };
}

static bool first_from(const struct pw_logring_half *half, uint64_t cursor, enum pw_level most,
                       struct pw_logring_line *line)
{
    size_t pos = half->head;
    for (size_t i = 0; i < half->count; i++) {
        struct head head;
        const uint8_t *at = record(half, &pos, &head);
        if (head.cursor >= cursor && head.level <= most) {
            fill(at, &head, line);
            return true;
        }
    }
    return false;
}

static bool last_before(const struct pw_logring_half *half, uint64_t cursor, enum pw_level most,
                        struct pw_logring_line *line)
{
    size_t pos = half->head;
    bool found = false;
    for (size_t i = 0; i < half->count; i++) {
        struct head head;
        const uint8_t *at = record(half, &pos, &head);
        if (head.cursor >= cursor) {
            break;
        }
        if (head.level <= most) {
            fill(at, &head, line);
            found = true;
        }
    }
    return found;
}

bool pw_logring_read(const struct pw_logring *ring, uint64_t cursor, enum pw_level most,
                     struct pw_logring_line *line)
{
    struct pw_logring_line other;
    bool loud = first_from(&ring->loud, cursor, most, &other);
    bool rest = first_from(&ring->rest, cursor, most, line);
    if (loud && (!rest || other.cursor < line->cursor)) {
        *line = other;
    }
    return loud || rest;
}

bool pw_logring_back(const struct pw_logring *ring, uint64_t cursor, enum pw_level most,
                     struct pw_logring_line *line)
{
    struct pw_logring_line other;
    bool loud = last_before(&ring->loud, cursor, most, &other);
    bool rest = last_before(&ring->rest, cursor, most, line);
    if (loud && (!rest || other.cursor > line->cursor)) {
        *line = other;
    }
    return loud || rest;
}

static uint64_t held(const struct pw_logring_half *half, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    size_t pos = half->head;
    for (size_t i = 0; i < half->count; i++) {
        struct head head;
        (void)record(half, &pos, &head);
        count += head.cursor >= from && head.cursor < to ? 1 : 0;
    }
    return count;
}

uint64_t pw_logring_gone(const struct pw_logring *ring, uint64_t from, uint64_t to)
{
    uint64_t end = to < ring->next ? to : ring->next;
    if (from >= end) {
        return 0;
    }
    return end - from - held(&ring->loud, from, end) - held(&ring->rest, from, end);
}

// logring: the last log lines, in the caller's RAM. Every line has a running number, its cursor;
// whoever reads remembers where it was, and learns how many lines were gone before it came. A
// source that floods is thinned, and said so; warnings and errors outlive what is merely told, so
// that a storm never pushes the reason of something out.
// Source: facts/ac-evse-rapi-load.md §4 (logs buffered in RAM), facts/reliability.md F36.
#ifndef PW_LOGRING_H
#define PW_LOGRING_H

#include "base/base.h"

#define PW_LOGRING_ROOM    15   // characters of a room's name
#define PW_LOGRING_TEXT    320  // bytes of a line; a longer one is cut
#define PW_LOGRING_SOURCES 32   // (room, event) pairs whose rate is remembered
#define PW_LOGRING_BURST   20   // lines of one source at once
#define PW_LOGRING_REFILL  3000 // ms until a source may write one more

// A line as it is read; the text lives until the next write.
struct pw_logring_line {
    uint64_t cursor;
    pw_ms at;
    pw_unix_ms wall; // 0: not known when it was written
    enum pw_level level;
    const char *room; // terminated
    struct pw_str text;
};

struct pw_logring_source {
    uint32_t name; // hash of room and event; 0: free
    pw_ms refilled;
    uint16_t tokens;
    uint32_t left_out;
};

// Two rings of bytes: `loud` keeps warnings and errors, `rest` everything else.
struct pw_logring_half {
    uint8_t *at;
    size_t cap;
    size_t head; // oldest record
    size_t tail; // where the next one goes
    size_t count;
};

struct pw_logring {
    struct pw_logring_half loud;
    struct pw_logring_half rest;
    uint64_t next;    // cursor of the next line
    uint64_t pushed;  // lines that made room for others
    uint64_t thinned; // lines kept back because their source flooded
    struct pw_logring_source source[PW_LOGRING_SOURCES];
};

// `bytes` is the caller's RAM, at least 4 KiB: a quarter is for warnings and errors. A typical
// line takes 100 bytes.
void pw_logring_init(struct pw_logring *ring, uint8_t *bytes, size_t len);

// One line. Debug lines are not thinned: who turns them on wants them.
void pw_logring_write(struct pw_logring *ring, enum pw_level level, const char *room,
                      struct pw_str text, pw_ms now, pw_unix_ms wall);

// The first line at `cursor` or after it whose level is `most` or more severe. False: there is none
// yet. The lines between that are gone are line->cursor - cursor, less those filtered out.
bool pw_logring_read(const struct pw_logring *ring, uint64_t cursor, enum pw_level most,
                     struct pw_logring_line *line);

// The line before `cursor`, newest first: for pages that show the end.
bool pw_logring_back(const struct pw_logring *ring, uint64_t cursor, enum pw_level most,
                     struct pw_logring_line *line);

// How many lines in [from, to) have been pushed out.
uint64_t pw_logring_gone(const struct pw_logring *ring, uint64_t from, uint64_t to);

#endif

// log: where the rooms' log lines go. One record a line,
//   2026-01-31T12:00:00.000Z INFO bay state from=idle to=plugged
// to standard error, or as fields to the journal when systemd started the program. A source that
// floods is thinned per room and event; a slow reader of standard error never stops the program.
#ifndef PW_LINUX_LOG_H
#define PW_LINUX_LOG_H

#include "clock.h"
#include "logring/logring.h"

#define PW_LOG_SOURCES  128   // (room, event) pairs whose rate is remembered
#define PW_LOG_BURST    20    // lines of one source at once
#define PW_LOG_REFILL   10000 // ms until a source may write one more (facts/reliability.md F36)
#define PW_LOG_LINE_MAX 512   // bytes in one printed line
#define PW_LOG_KEPT     128   // last lines kept for people who ask for them

struct pw_log_source {
    uint64_t name; // hash of room and event; 0 = free
    pw_ms refilled;
    uint32_t tokens;
    uint32_t left_out;
};

struct pw_log_lines {
    char text[PW_LOG_KEPT][PW_LOG_LINE_MAX];
    uint64_t count; // lines ever kept; the newest is at (count - 1) % PW_LOG_KEPT
};

struct pw_logger {
    struct pw_log log; // hand &logger.log to the rooms
    const struct pw_clock *clock;
    enum pw_level level; // less important lines are not written
    int fd;
    bool journal;
    uint64_t lost; // lines the reader of `fd` was too slow for
    struct pw_log_source source[PW_LOG_SOURCES];
    struct pw_log_lines kept;
    struct pw_logring *ring; // NULL, or gets every line of this level, thinned by its own rule
    // NULL, or sees every line before anything is left out; true: write it whatever its level.
    bool (*tap)(void *context, const char *room, struct pw_str text);
    void *tap_context;
    void (*heard)(void *context, struct pw_str line); // NULL, or gets each written line
    void *heard_context;
};

// Writes to `fd`, or to the journal when `fd` is the stream systemd gave the program
// ($JOURNAL_STREAM). Debug lines are not thinned: who turns them on wants them.
void pw_logger_init(struct pw_logger *logger, const struct pw_clock *clock, int fd,
                    enum pw_level level);

#endif

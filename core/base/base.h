// base: what every room may use. Text views, a bounded writer, big-endian bytes, time, errors,
// assertions, rings and log lines. No heap, no clock, no I/O, no globals.
#ifndef PW_BASE_H
#define PW_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---------------------------------------------------------------------------------------------
// Errors: values nobody can ignore. Zero and above are results, below are refusals, grouped by
// what the caller does next.

enum pw_err {
    PW_OK = 0,
    PW_ERR_AGAIN = -1,   // not yet: more bytes, or a later call, will do
    PW_ERR_PEER = -2,    // the other side broke its protocol
    PW_ERR_LIMIT = -3,   // a stated bound is full: try less, or later
    PW_ERR_RANGE = -4,   // a value outside the range it must have
    PW_ERR_UNKNOWN = -5, // no such key, name or object
    PW_ERR_BUSY = -6,    // refused in the present state
    PW_ERR_STORE = -7,   // the record could not be kept
    PW_ERR_BUG = -8,     // cannot happen
};

#define PW_MUST_USE __attribute__((warn_unused_result))

// The word for an error in logs and answers ("range", "busy"...). Never NULL.
const char *pw_err_name(int err);

// ---------------------------------------------------------------------------------------------
// Assertion = our bug; error = the world. The port supplies pw_panic: it opens every contactor
// first, then records where, then restarts the program. Assertions stay on in release builds.

_Noreturn void pw_panic(const char *file, int line, const char *what);

#ifdef PW_SHORT_ASSERT
#define PW_ASSERT_TEXT(condition) "assertion" // small targets: file and line say which
#else
#define PW_ASSERT_TEXT(condition) #condition
#endif
#define PW_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            pw_panic(__FILE__, __LINE__, PW_ASSERT_TEXT(condition));                               \
        }                                                                                          \
    } while (0)

// For the end of a switch over an enum, where every case has returned.
#define PW_UNREACHABLE() pw_panic(__FILE__, __LINE__, "unreachable")

#define PW_COUNT(array) (sizeof(array) / sizeof((array)[0]))

// ---------------------------------------------------------------------------------------------
// Time. Monotonic milliseconds since the program's epoch never wrap in 64 bits (585 million
// years). Wall time is milliseconds since 1970-01-01T00:00:00Z; 0 means "not known yet".

typedef uint64_t pw_ms;
typedef int64_t pw_unix_ms;

#define PW_NEVER UINT64_MAX

// True when `span` has passed since `since`. False for since == PW_NEVER, and when `now` lies
// before `since`.
bool pw_elapsed(pw_ms since, pw_ms span, pw_ms now);

// since + span without running over: PW_NEVER if either is PW_NEVER or the sum does not fit.
pw_ms pw_after(pw_ms since, pw_ms span);

// The earlier of two deadlines.
pw_ms pw_earlier(pw_ms a, pw_ms b);

// The Gregorian calendar: days since 1970-01-01, months 1..12, days 1..31; years 0..9999.
struct pw_date {
    int64_t year;
    int64_t month;
    int64_t day;
};
int64_t pw_days_of(int64_t year, int64_t month, int64_t day);
struct pw_date pw_date_of(int64_t days);
int64_t pw_days_in_month(int64_t year, int64_t month);

#define PW_TIME_TEXT_MAX 25 // "2026-01-31T23:59:59.999Z" and its NUL

// ---------------------------------------------------------------------------------------------
// Text. A pw_str is a borrowed view: valid as long as the bytes it was cut from. Not terminated.

struct pw_str {
    const char *at;
    size_t len;
};

#define PW_STR(literal) ((struct pw_str){.at = (literal), .len = sizeof(literal) - 1})

struct pw_str pw_str_of(const char *terminated); // NULL gives the empty view
bool pw_str_eq(struct pw_str a, struct pw_str b);
bool pw_str_is(struct pw_str a, const char *terminated);
// ASCII letters compare without case, as OCPP wants for idTags (CiString).
bool pw_str_eq_nocase(struct pw_str a, struct pw_str b);
bool pw_str_starts(struct pw_str a, const char *prefix);
// Cuts the text before the first `separator` off *rest and returns it; *rest keeps what follows.
// Without a separator the whole of *rest is returned and *rest becomes empty.
struct pw_str pw_str_cut(struct pw_str *rest, char separator);
struct pw_str pw_str_trim(struct pw_str a); // without leading and trailing space, tab, CR, LF
// Bytes at `at` that a terminal obeys or that turn the direction of what follows, in UTF-8: control
// characters (below U+0020, U+007F–009F), marks of direction (U+061C, U+200E–F, U+202A–E,
// U+2066–9). 0: none. What shows a text from outside shows them otherwise (facts/reliability.md
// T21).
size_t pw_str_obeyed(struct pw_str text, size_t at);
// Copies into an owned, terminated array. PW_ERR_LIMIT (and an empty array) when it does not fit.
PW_MUST_USE int pw_str_copy(char *to, size_t cap, struct pw_str from);

// Strict decimal: optional '-', digits only, whole view used. PW_ERR_RANGE when out of
// [min, max], PW_ERR_PEER when it is no number. *value is left alone on error.
PW_MUST_USE int pw_parse_int(struct pw_str text, int64_t min, int64_t max, int64_t *value);
// A decimal with at most `decimals` digits after the point, scaled: "1.5" with 3 gives 1500.
// Further digits must be zero.
PW_MUST_USE int pw_parse_fixed(struct pw_str text, unsigned decimals, int64_t *value);
// Exactly two hex digits a byte; returns the number of bytes or an error.
PW_MUST_USE int pw_parse_hex(struct pw_str text, uint8_t *to, size_t cap);
// RFC 4648 §4, with or without the "=" at its end; returns the number of bytes. PW_ERR_PEER for
// anything else, PW_ERR_LIMIT when they do not fit.
PW_MUST_USE int pw_parse_base64(struct pw_str text, uint8_t *to, size_t cap);
// ISO 8601 / RFC 3339 as OCPP uses it: date, 'T', time, optional fraction, 'Z' or offset (none is
// read as UTC). Years 1970–9999. PW_ERR_PEER if it is none.
PW_MUST_USE int pw_parse_time(struct pw_str text, pw_unix_ms *value);

// ---------------------------------------------------------------------------------------------
// A bounded writer. Writing past the end sets `full` and keeps what fitted; check once at the end.
// The text is always terminated when cap > 0.

struct pw_out {
    char *at;
    size_t cap;
    size_t len;
    bool full;
};

#define PW_OUT(array) ((struct pw_out){.at = (array), .cap = sizeof(array)})

void pw_put(struct pw_out *out, struct pw_str text);
void pw_put_c(struct pw_out *out, char c);
void pw_put_s(struct pw_out *out, const char *terminated);
void pw_put_int(struct pw_out *out, int64_t value);
void pw_put_uint(struct pw_out *out, uint64_t value);
// A scaled integer as a decimal: 1500 with 3 gives "1.5"; trailing zeros are dropped.
void pw_put_fixed(struct pw_out *out, int64_t value, unsigned decimals);
// As pw_put_fixed, with exactly `places` digits after the point (rounded half away from zero).
void pw_put_places(struct pw_out *out, int64_t value, unsigned decimals, unsigned places);
void pw_put_hex(struct pw_out *out, uint64_t value, unsigned digits);  // upper case
void pw_put_base64(struct pw_out *out, const void *bytes, size_t len); // RFC 4648 §4
void pw_put_time(struct pw_out *out, pw_unix_ms wall);                 // "2026-01-31T23:59:59.999Z"
struct pw_str pw_out_str(const struct pw_out *out);
PW_MUST_USE int pw_out_err(const struct pw_out *out); // PW_OK or PW_ERR_LIMIT
// A refusal as people read it: "NAME: SENTENCE". Returns `err`, the caller's own number for it.
int pw_refuse(struct pw_out *why, int err, const char *name, const char *sentence);

// ---------------------------------------------------------------------------------------------
// Bytes on the wire.

uint16_t pw_be16(const uint8_t *at);
uint32_t pw_be32(const uint8_t *at);
uint16_t pw_le16(const uint8_t *at);
void pw_set_be16(uint8_t *at, uint16_t value);
void pw_set_be32(uint8_t *at, uint32_t value);
void pw_set_le16(uint8_t *at, uint16_t value);

// ---------------------------------------------------------------------------------------------
// Records: numbers with their highest byte first, texts behind their length. Look at `bad` once, at
// the end.

struct pw_bin_out {
    uint8_t *at;
    size_t cap;
    size_t len; // so far
    bool bad;   // it did not fit
};
struct pw_bin_in {
    const uint8_t *at; // what is left
    size_t left;
    bool bad; // more was asked for than there is, or a text is longer than its place
};

void pw_bin_put(struct pw_bin_out *to, uint64_t value, unsigned bytes); // 1..8 bytes
void pw_bin_put_bytes(struct pw_bin_out *to, const void *from, size_t len);
// The text and, before it, its length in so many bytes.
void pw_bin_put_text(struct pw_bin_out *to, const char *text, unsigned bytes);
struct pw_str pw_bin_str(const struct pw_bin_out *to); // asserts that it is not bad
// What is read once it is bad is zero.
uint64_t pw_bin_get(struct pw_bin_in *from, unsigned bytes);
void pw_bin_get_bytes(struct pw_bin_in *from, void *to, size_t len);
void pw_bin_get_text(struct pw_bin_in *from, char *to, size_t cap, unsigned bytes);
bool pw_bin_end(const struct pw_bin_in *from); // all was there, and nothing is left

// Smaller, larger and clamped integers, so that no line compares by hand.
int64_t pw_min(int64_t a, int64_t b);
int64_t pw_max(int64_t a, int64_t b);
int64_t pw_clamp(int64_t value, int64_t low, int64_t high);

// True when `value` lies in least..most; if not, *why (may be NULL) gets the sentence
// "field is VALUE, must be LEAST to MOST".
bool pw_within(struct pw_out *why, const char *field, int64_t value, int64_t least, int64_t most);

// ---------------------------------------------------------------------------------------------
// A ring with its storage inside. PW_RING_DEF(frames, struct pw_can_frame, 64) declares
// `struct frames` and frames_push / frames_pop / frames_count. A full ring refuses and counts.

#define PW_RING_DEF(name, type, capacity)                                                          \
    struct name {                                                                                  \
        type slot[capacity];                                                                       \
        uint32_t head;                                                                             \
        uint32_t count;                                                                            \
        uint32_t refused;                                                                          \
    };                                                                                             \
    static inline bool name##_push(struct name *ring, type value)                                  \
    {                                                                                              \
        if (ring->count == (capacity)) {                                                           \
            ring->refused++;                                                                       \
            return false;                                                                          \
        }                                                                                          \
        ring->slot[(ring->head + ring->count) % (capacity)] = value;                               \
        ring->count++;                                                                             \
        return true;                                                                               \
    }                                                                                              \
    static inline bool name##_pop(struct name *ring, type *value)                                  \
    {                                                                                              \
        if (ring->count == 0) {                                                                    \
            return false;                                                                          \
        }                                                                                          \
        *value = ring->slot[ring->head];                                                           \
        ring->head = (ring->head + 1) % (capacity);                                                \
        ring->count--;                                                                             \
        return true;                                                                               \
    }                                                                                              \
    struct name

// ---------------------------------------------------------------------------------------------
// Log lines: one record a line, `event key=value ...`. The sink belongs to the caller (a port
// writes them out and limits their rate); rooms only say what happened. Never a secret.

enum pw_level { PW_LOG_ERROR, PW_LOG_WARN, PW_LOG_INFO, PW_LOG_DEBUG };

struct pw_log {
    void *context;
    // `room` and `text` are borrowed for the call. Must not call back.
    void (*write)(void *context, enum pw_level level, const char *room, struct pw_str text);
};

#define PW_LINE_MAX 320

struct pw_line {
    const struct pw_log *log;
    enum pw_level level;
    const char *room;
    struct pw_out out;
    char text[PW_LINE_MAX];
};

// Starts a line in *line, which the caller owns. `log` may be NULL: then nothing is written.
void pw_line(struct pw_line *line, const struct pw_log *log, enum pw_level level, const char *room,
             const char *event);
void pw_line_str(struct pw_line *line, const char *key, struct pw_str value); // quoted if needed
void pw_line_s(struct pw_line *line, const char *key, const char *value);
void pw_line_int(struct pw_line *line, const char *key, int64_t value);
void pw_line_fixed(struct pw_line *line, const char *key, int64_t value, unsigned decimals);
void pw_line_end(struct pw_line *line);

const char *pw_level_name(enum pw_level level);

#endif

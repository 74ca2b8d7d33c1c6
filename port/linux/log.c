#include "log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static const char *const level_words[] = {"ERROR", "WARN", "INFO", "DEBUG"};
static const char *const priorities[] = {"PRIORITY=3", "PRIORITY=4", "PRIORITY=6", "PRIORITY=7"};

static uint64_t hash(uint64_t seed, struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        seed = (seed ^ (unsigned char)text.at[i]) * UINT64_C(1099511628211); // FNV-1a
    }
    return seed;
}

// The row of a source; the one that has been quiet longest makes room when all are taken.
static struct pw_log_source *source_of(struct pw_logger *logger, uint64_t name, pw_ms now)
{
    struct pw_log_source *oldest = &logger->source[0];
    for (size_t i = 0; i < PW_LOG_SOURCES; i++) {
        struct pw_log_source *source = &logger->source[i];
        if (source->name == name) {
            return source;
        }
        if (source->name == 0 || (oldest->name != 0 && source->refilled < oldest->refilled)) {
            oldest = source;
        }
        if (source->name == 0) {
            break;
        }
    }
    *oldest = (struct pw_log_source){.name = name, .refilled = now, .tokens = PW_LOG_BURST};
    return oldest;
}

// True when the line may be written; *left_out is then the number kept back before it.
static bool admit(struct pw_logger *logger, uint64_t name, uint32_t *left_out)
{
    pw_ms now = pw_clock_now(logger->clock);
    struct pw_log_source *source = source_of(logger, name, now);
    pw_ms refills = (now - source->refilled) / PW_LOG_REFILL;
    if (refills > 0) {
        source->refilled += refills * PW_LOG_REFILL;
        source->tokens =
            (uint32_t)(source->tokens + refills < PW_LOG_BURST ? source->tokens + refills
                                                               : PW_LOG_BURST);
    }
    if (source->tokens == 0) {
        source->left_out++;
        return false;
    }
    source->tokens--;
    *left_out = source->left_out;
    source->left_out = 0;
    return true;
}

// A line break or escape inside a record would forge another record or take over the terminal.
static void put_safe(struct pw_out *out, struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        pw_put_c(out, c < ' ' || c == 0x7F ? '?' : (char)c);
    }
}

static void send_journal(enum pw_level level, struct pw_str room, struct pw_str message)
{
    char message_field[PW_LOG_LINE_MAX + 16];
    char room_field[64];
    struct pw_out body = PW_OUT(message_field);
    struct pw_out from = PW_OUT(room_field);
    pw_put_s(&body, "MESSAGE=");
    pw_put(&body, message);
    pw_put_s(&from, "PILOTWIRE_ROOM=");
    pw_put(&from, room);
    char priority[16];
    (void)snprintf(priority, sizeof(priority), "%s", priorities[level]);
    struct iovec fields[] = {
        {.iov_base = message_field, .iov_len = body.len},
        {.iov_base = room_field, .iov_len = from.len},
        {.iov_base = priority, .iov_len = strlen(priority)},
    };
    (void)sd_journal_sendv(fields, (int)PW_COUNT(fields));
}

// A pipe that says it is writable takes PIPE_BUF bytes at once, more than a line has.
static void send_stream(struct pw_logger *logger, struct pw_str line)
{
    struct pollfd to = {.fd = logger->fd, .events = POLLOUT};
    bool writable = poll(&to, 1, 0) == 1 && (to.revents & POLLOUT) != 0;
    if (!writable || write(logger->fd, line.at, line.len) != (ssize_t)line.len) {
        logger->lost++;
    }
}

static void keep(struct pw_log_lines *kept, struct pw_str line)
{
    int err = pw_str_copy(kept->text[kept->count % PW_LOG_KEPT], PW_LOG_LINE_MAX, line);
    PW_ASSERT(err == PW_OK);
    kept->count++;
}

static void write_record(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct pw_logger *logger = context;
    bool wanted = logger->tap != NULL && logger->tap(logger->tap_context, room, text);
    if (level > logger->level && !wanted) {
        return;
    }
    if (logger->ring != NULL) {
        pw_logring_write(logger->ring, level, room, text, pw_clock_now(logger->clock),
                         pw_clock_wall(logger->clock));
    }
    struct pw_str rest = text;
    struct pw_str event = pw_str_cut(&rest, ' ');
    uint64_t name = hash(hash(UINT64_C(14695981039346656037), pw_str_of(room)), event) | 1;
    uint32_t left_out = 0;
    if (level != PW_LOG_DEBUG && !admit(logger, name, &left_out)) {
        return;
    }
    char line[PW_LOG_LINE_MAX];
    // One byte less, so that the line break always fits behind what was cut off.
    struct pw_out out = {.at = line, .cap = sizeof(line) - 1};
    pw_put_time(&out, pw_clock_wall(logger->clock));
    pw_put_c(&out, ' ');
    pw_put_s(&out, level_words[level]);
    pw_put_c(&out, ' ');
    size_t message_at = out.len;
    put_safe(&out, pw_str_of(room));
    pw_put_c(&out, ' ');
    put_safe(&out, text);
    if (left_out > 0) {
        pw_put_s(&out, " left_out=");
        pw_put_uint(&out, left_out);
    }
    struct pw_str message = {.at = line + message_at, .len = out.len - message_at};
    keep(&logger->kept, pw_out_str(&out));
    if (logger->heard != NULL) {
        logger->heard(logger->heard_context, pw_out_str(&out));
    }
    if (logger->journal) {
        send_journal(level, pw_str_of(room), message);
        return;
    }
    line[out.len] = '\n';
    send_stream(logger, (struct pw_str){.at = line, .len = out.len + 1});
}

// systemd names the device and inode of the stream it connected to the journal.
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat have;
    if (stream == NULL || fstat(fd, &have) != 0) {
        return false;
    }
    char name[64];
    struct pw_out out = PW_OUT(name);
    pw_put_uint(&out, have.st_dev);
    pw_put_c(&out, ':');
    pw_put_uint(&out, have.st_ino);
    return pw_str_is(pw_out_str(&out), stream);
}

void pw_logger_init(struct pw_logger *logger, const struct pw_clock *clock, int fd,
                    enum pw_level level)
{
    *logger = (struct pw_logger){.clock = clock, .level = level, .fd = fd};
    logger->log = (struct pw_log){.context = logger, .write = write_record};
    logger->journal = is_journal(fd);
}

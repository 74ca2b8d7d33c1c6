// Clock, link and the step. What is said and when is in topics.c and the files of its rows; what
// the central system asks is in answers.c.
#include "cp16/cp16.h"

#include "cp16/parts.h"

#include <string.h>

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 600000,
    LATE_MS = 100,     // the store's port wakes the loop; this is the net below it
    TIMEOUTS_MOST = 2, // calls in a row without an answer before the link is dropped
};

void pw_cp16_init(struct pw_cp16 *cp, struct pw_settings *settings, struct pw_journal *journal,
                  const struct pw_cp16_host *host, const struct pw_log *log)
{
    memset(cp, 0, sizeof(*cp));
    cp->settings = settings;
    cp->journal = journal;
    cp->host = host;
    cp->log = log;
    cp->firmware = "";
    cp->connectors = settings->connectors;
    cp->random = 1;
    cp->heartbeat_at = PW_NEVER;
    cp->connected_at = PW_NEVER;
    cp->aligned_at = PW_NEVER;
    pw_ocpp_rpc_init(&cp->rpc, journal->boot);
}

// ---------------------------------------------------------------------------------------------
// Clock.

pw_unix_ms pw_cp16_wall(const struct pw_cp16 *cp, pw_ms now)
{
    return cp->clock_known ? (pw_unix_ms)now + cp->clock_offset_ms : 0;
}

struct pw_stamp pw_cp16_stamp(const struct pw_cp16 *cp, pw_ms now)
{
    return (struct pw_stamp){.wall = pw_cp16_wall(cp, now), .mono = now, .boot = cp->journal->boot};
}

pw_unix_ms pw_cp16_stamp_wall(const struct pw_cp16 *cp, struct pw_stamp at, pw_ms now)
{
    if (at.wall != 0) {
        return at.wall;
    }
    pw_unix_ms wall =
        at.boot == cp->journal->boot ? pw_cp16_wall(cp, at.mono) : pw_journal_wall(cp->journal, at);
    return wall != 0 ? wall : pw_cp16_wall(cp, now);
}

void pw_cp16_learn_clock(struct pw_cp16 *cp, pw_unix_ms wall, pw_ms now)
{
    enum { EARLIEST_S = 1577836800 }; // 2020-01-01: no older time is anybody's present
    struct pw_line line;
    if (wall < (pw_unix_ms)EARLIEST_S * 1000) {
        pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "clock-not-believed");
        pw_line_int(&line, "unix_s", wall / 1000);
        pw_line_end(&line);
        return;
    }
    int64_t offset = wall - (pw_unix_ms)now;
    int64_t step_ms = offset - cp->clock_offset_ms;
    // Below a second the difference is the network's, not the clock's.
    if (cp->clock_known && step_ms > -1000 && step_ms < 1000) {
        return;
    }
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "clock");
    pw_line_fixed(&line, "step_s", cp->clock_known ? step_ms : 0, 3);
    pw_line_end(&line);
    if (cp->clock_known && cp->security != NULL) {
        char text[40];
        struct pw_out detail = PW_OUT(text);
        pw_put_fixed(&detail, step_ms, 3);
        pw_put_s(&detail, " s");
        pw_security_event(cp->security, PW_SECURITY_SYSTEM_TIME, pw_out_str(&detail), now);
    }
    cp->clock_offset_ms = offset;
    cp->clock_known = true;
    cp->aligned_at = PW_NEVER;
    pw_journal_clock(cp->journal, offset);
}

// ---------------------------------------------------------------------------------------------
// Link.

// Doubles from `first` to ten minutes with each try and takes a random half of that off, so that a
// fleet does not come back all at once (OCPP-J 1.6 errata 3.4; facts/reliability.md F11, T44).
pw_ms pw_cp16_back_off(struct pw_cp16 *cp, uint32_t tries, pw_ms first)
{
    int64_t wait = tries >= 16 ? RETRY_MOST_MS : pw_min((int64_t)first << tries, RETRY_MOST_MS);
    cp->random ^= cp->random << 13;
    cp->random ^= cp->random >> 17;
    cp->random ^= cp->random << 5;
    return (pw_ms)(wait / 2 + (int64_t)(cp->random % (uint32_t)(wait / 2 + 1)));
}

bool pw_cp16_wants_link(const struct pw_cp16 *cp, pw_ms now)
{
    if (pw_settings_text(cp->settings, PW_SET_OCPP_URL)[0] == '\0') {
        return false;
    }
    return cp->link == PW_CP16_LINK_UP || now >= cp->retry_at;
}

void pw_cp16_link_up(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "link-up");
    pw_line_int(&line, "tries", (int64_t)cp->refused + 1);
    pw_line_end(&line);
    cp->link = PW_CP16_LINK_UP;
    cp->refused = 0;
    cp->timeouts = 0;
    cp->down_reason[0] = '\0';
    cp->message_at = now;
    cp->heard_at = now;
    if (cp->boot != PW_CP16_BOOT_ACCEPTED) {
        cp->boot_at = now;
    }
    // A heartbeat at once sets the clock again after an absence.
    cp->heartbeat_at = now;
}

void pw_cp16_link_down(struct pw_cp16 *cp, struct pw_str reason, pw_ms now)
{
    struct pw_out out = PW_OUT(cp->down_reason);
    struct pw_line line;
    struct pw_str cut = reason;
    cut.len = cut.len < sizeof(cp->down_reason) ? cut.len : sizeof(cp->down_reason) - 1;
    bool again = pw_str_is(cut, cp->down_reason); // the same as at the last try
    pw_put(&out, reason);
    cp->link = PW_CP16_LINK_DOWN;
    cp->speaking = NULL;
    cp->late.say = NULL;
    cp->out_len = 0;
    memset(cp->triggered, 0, sizeof(cp->triggered));
    cp->unlocking.connector = 0;
    memset(cp->served, 0, sizeof(cp->served)); // ids are one connection's
    (void)pw_ocpp_rpc_drop(&cp->rpc);
    cp->retry_at = pw_after(now, pw_cp16_back_off(cp, cp->refused, RETRY_FIRST_MS));
    cp->refused++;
    pw_line(&line, cp->log, again ? PW_LOG_DEBUG : PW_LOG_WARN, "ocpp", "link-down");
    pw_line_str(&line, "reason", reason);
    pw_line_int(&line, "retry_ms", (int64_t)(cp->retry_at - now));
    pw_line_end(&line);
    // Nobody is there to ask: whoever waits for an answer hears that now.
    pw_cp16_authorise_link_down(cp, now);
}

bool pw_cp16_online(const struct pw_cp16 *cp)
{
    return cp->link == PW_CP16_LINK_UP && cp->boot == PW_CP16_BOOT_ACCEPTED;
}

bool pw_cp16_has_said_all(const struct pw_cp16 *cp, pw_ms now)
{
    bool quiet = cp->out_len == 0 && cp->speaking == NULL && pw_cp16_topics_due(cp, now) > now;
    return cp->out_len == 0 &&
           (!pw_cp16_online(cp) || (quiet && pw_journal_waiting(cp->journal) == 0));
}

const char *pw_cp16_state_name(const struct pw_cp16 *cp)
{
    if (cp->link == PW_CP16_LINK_DOWN) {
        return "offline";
    }
    switch (cp->boot) {
    case PW_CP16_BOOT_UNKNOWN: return "connecting";
    case PW_CP16_BOOT_PENDING: return "pending";
    case PW_CP16_BOOT_REJECTED: return "rejected";
    case PW_CP16_BOOT_ACCEPTED: return "online";
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// The step.

static pw_ms deadline(const struct pw_cp16 *cp, pw_ms now)
{
    pw_ms at = cp->aligned_at;
    if (cp->link == PW_CP16_LINK_DOWN) {
        // Once a try is due it is the port's turn (pw_cp16_wants_link).
        return now < cp->retry_at ? pw_earlier(at, cp->retry_at) : at;
    }
    at = pw_earlier(at, cp->rpc.deadline);
    if (cp->unlocking.connector != 0) {
        at = pw_earlier(at, pw_after(now, PW_CP16_UNLOCK_LOOK_MS));
    }
    if (cp->late.say != NULL) {
        at = pw_earlier(at, pw_after(now, LATE_MS));
    }
    return cp->speaking != NULL || cp->out_len > 0 ? at
                                                   : pw_earlier(at, pw_cp16_topics_due(cp, now));
}

static void give_up_call(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "no-answer");
    pw_line_s(&line, "call", cp->speaking->name);
    pw_line_int(&line, "in_a_row", (int64_t)cp->timeouts + 1);
    pw_line_end(&line);
    cp->timeouts++;
    pw_cp16_call_failed(cp, NULL, now);
    // Whether the link is dead shows at once, not when there is something to say again.
    cp->heartbeat_at = now;
    if (cp->timeouts >= TIMEOUTS_MOST) {
        pw_cp16_link_down(cp, PW_STR("the central system does not answer"), now);
    }
}

static pw_ms step(struct pw_cp16 *cp, pw_ms now)
{
    pw_cp16_step_readings(cp, now);
    if (cp->link == PW_CP16_LINK_DOWN) {
        return deadline(cp, now);
    }
    if (pw_ocpp_rpc_timed_out(&cp->rpc, now)) {
        give_up_call(cp, now);
    }
    pw_cp16_step_unlock(cp, now);
    pw_cp16_step_late(cp, now);
    if (cp->link == PW_CP16_LINK_UP && cp->speaking == NULL && cp->out_len == 0) {
        pw_cp16_say_something(cp, now);
    }
    return deadline(cp, now);
}

pw_ms pw_cp16_step(struct pw_cp16 *cp, pw_ms now)
{
    cp->journal->room = (uint32_t)pw_settings_int(cp->settings, PW_SET_QUEUE_MESSAGES);
    cp->journal->policy = (enum pw_journal_policy)pw_settings_int(cp->settings, PW_SET_QUEUE_FULL);
    pw_ms thin_at = pw_journal_step(cp->journal, now);
    return pw_earlier(thin_at, step(cp, now));
}

struct pw_str pw_cp16_out(const struct pw_cp16 *cp)
{
    return (struct pw_str){.at = cp->out, .len = cp->out_len};
}

bool pw_cp16_is_answering(const struct pw_cp16 *cp)
{
    return cp->out_len > 0 || cp->late.say != NULL;
}

void pw_cp16_out_sent(struct pw_cp16 *cp)
{
    cp->out_len = 0;
}

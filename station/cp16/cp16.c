// Link, clock, statuses, and the order in which things are said. What the messages hold is in
// calls.c (ours) and answers.c (the central system's).
#include "cp16/cp16.h"

#include "cp16/parts.h"

#include <string.h>

enum {
    RETRY_FIRST_MS = 1000,
    RETRY_MOST_MS = 600000,
    BOOT_FIRST_MS = 10000,
    TIMEOUTS_MOST = 2,      // calls in a row without an answer before the link is dropped
    TIMEOUT_PAUSE_MS = 5000 // before a transaction message that timed out is sent again
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
    return pw_cp16_wall(cp, at.boot == cp->journal->boot ? at.mono : now);
}

void pw_cp16_learn_clock(struct pw_cp16 *cp, pw_unix_ms wall, pw_ms now)
{
    int64_t offset = wall - (pw_unix_ms)now;
    int64_t step = offset - cp->clock_offset_ms;
    // Below a second the difference is the network's, not the clock's.
    if (cp->clock_known && step > -1000 && step < 1000) {
        return;
    }
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "clock");
    pw_line_fixed(&line, "step_s", cp->clock_known ? step : 0, 3);
    pw_line_end(&line);
    cp->clock_offset_ms = offset;
    cp->clock_known = true;
    cp->aligned_at = PW_NEVER;
}

// ---------------------------------------------------------------------------------------------
// Link and boot.

// Doubles from `first` to `most` with each try and takes a random half of that off, so that a fleet
// does not come back all at once (OCPP-J 1.6 errata 3.4; facts/reliability.md F11, T44).
static pw_ms back_off(struct pw_cp16 *cp, uint32_t tries, int64_t first, int64_t most)
{
    int64_t wait = tries >= 16 ? most : pw_min(first << tries, most);
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
    pw_put(&out, reason);
    cp->link = PW_CP16_LINK_DOWN;
    cp->call = PW_CP16_CALL_NONE;
    cp->out_len = 0;
    (void)pw_ocpp_rpc_drop(&cp->rpc);
    cp->retry_at = pw_after(now, back_off(cp, cp->refused, RETRY_FIRST_MS, RETRY_MOST_MS));
    cp->refused++;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "link-down");
    pw_line_str(&line, "reason", reason);
    pw_line_int(&line, "retry_ms", (int64_t)(cp->retry_at - now));
    pw_line_end(&line);
    // Nobody is there to ask: whoever waits for an answer hears that now.
    for (unsigned i = 1; i <= cp->connectors; i++) {
        struct pw_cp16_voice *voice = &cp->voice[i];
        if (voice->authorise) {
            voice->authorise = false;
            cp->host->authorised(cp->host->context, i, pw_str_of(voice->id_tag), false, true, now);
        }
    }
}

void pw_cp16_booted(struct pw_cp16 *cp, enum pw_cp16_boot boot, int32_t interval_s, pw_ms now)
{
    struct pw_line line;
    bool first = boot == PW_CP16_BOOT_ACCEPTED && cp->boot != PW_CP16_BOOT_ACCEPTED;
    cp->boot = boot;
    cp->interval_s = interval_s > 0 ? (uint32_t)interval_s : PW_CP16_QUIET_MS / 1000;
    cp->boot_at = pw_after(now, (pw_ms)cp->interval_s * 1000);
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "boot");
    pw_line_s(&line, "status", pw_cp16_state_name(cp));
    pw_line_int(&line, "interval_s", interval_s);
    pw_line_end(&line);
    if (first) {
        cp->connected_at = now;
        pw_cp16_spoke(cp, now);
        // Erratum 3.22: after acceptance every connector and the station itself are reported.
        for (unsigned i = 0; i <= cp->connectors; i++) {
            cp->voice[i].said_any = false;
        }
    }
}

void pw_cp16_boot_failed(struct pw_cp16 *cp, pw_ms now)
{
    cp->boot_at = pw_after(now, back_off(cp, cp->timeouts, BOOT_FIRST_MS, RETRY_MOST_MS));
}

bool pw_cp16_online(const struct pw_cp16 *cp)
{
    return cp->link == PW_CP16_LINK_UP && cp->boot == PW_CP16_BOOT_ACCEPTED;
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

// Every message is a sign of life: the heartbeat waits a whole interval from the last one.
void pw_cp16_spoke(struct pw_cp16 *cp, pw_ms now)
{
    int32_t set = pw_settings_int(cp->settings, PW_SET_HEARTBEAT_S);
    uint32_t interval_s = set > 0 ? (uint32_t)set : cp->interval_s;
    cp->heartbeat_at = pw_after(now, (pw_ms)interval_s * 1000);
}

// ---------------------------------------------------------------------------------------------
// Statuses.

// Almost always both are the same literal: then there is nothing to compare.
static bool same_text(const char *a, const char *b)
{
    return a == b || strcmp(a, b) == 0;
}

static bool same_status(const struct pw_cp16_status *a, const struct pw_cp16_status *b)
{
    return a->status == b->status && same_text(a->error_code, b->error_code) &&
           same_text(a->info, b->info) && same_text(a->vendor_code, b->vendor_code);
}

void pw_cp16_status(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_status *status,
                    pw_ms now)
{
    PW_ASSERT(connector <= cp->connectors);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    if (voice->now.error_code == NULL || !same_status(&voice->now, status)) {
        voice->now = *status;
        voice->since = now;
    }
}

// When the condition of a connector is to be reported; PW_NEVER when it is known already.
static pw_ms status_due(const struct pw_cp16 *cp, const struct pw_cp16_voice *voice)
{
    if (voice->now.error_code == NULL) {
        return PW_NEVER;
    }
    if (!voice->said_any) {
        return voice->since;
    }
    if (same_status(&voice->now, &voice->said)) {
        return PW_NEVER;
    }
    return pw_after(voice->since, (pw_ms)pw_settings_int(cp->settings, PW_SET_STATUS_MIN_S) * 1000);
}

int pw_cp16_authorise(struct pw_cp16 *cp, unsigned connector, struct pw_str id_tag, pw_ms now)
{
    PW_ASSERT(connector >= 1 && connector <= cp->connectors);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    if (voice->authorise) {
        return PW_ERR_BUSY;
    }
    int err = pw_str_copy(voice->id_tag, sizeof(voice->id_tag), id_tag);
    if (err != PW_OK) {
        return err;
    }
    if (!pw_cp16_online(cp)) {
        cp->host->authorised(cp->host->context, connector, id_tag, false, true, now);
        return PW_OK;
    }
    voice->authorise = true;
    return PW_OK;
}

void pw_cp16_vehicle(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_vehicle *info)
{
    PW_ASSERT(connector >= 1 && connector <= cp->connectors);
    cp->voice[connector].info = *info;
    cp->voice[connector].vehicle = true;
}

// ---------------------------------------------------------------------------------------------
// Clock-aligned readings: on the multiples of the interval since midnight UTC.

static void plan_aligned(struct pw_cp16 *cp, pw_ms now)
{
    int64_t interval_ms = (int64_t)pw_settings_int(cp->settings, PW_SET_ALIGNED_S) * 1000;
    pw_unix_ms wall = pw_cp16_wall(cp, now);
    if (interval_ms == 0 || wall == 0) {
        cp->aligned_at = PW_NEVER;
        return;
    }
    int64_t of_day = wall % 86400000;
    int64_t next = pw_min((of_day / interval_ms + 1) * interval_ms, 86400000);
    cp->aligned_at = pw_after(now, (pw_ms)(next - of_day));
}

static void read_aligned(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        struct pw_sample sample;
        cp->host->measure(cp->host->context, i, PW_READING_CLOCK, &sample, now);
        sample.at = pw_cp16_stamp(cp, now);
        if (pw_journal_open_on(cp->journal, i) != NULL) {
            // A full queue is counted by the journal and shown in the status.
            (void)!pw_journal_meter(cp->journal, i, &sample);
        } else if (pw_cp16_online(cp)) {
            cp->voice[i].sample = sample;
            cp->voice[i].clock_meter = true;
        }
    }
}

static void step_aligned(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->aligned_at == PW_NEVER) {
        plan_aligned(cp, now);
    }
    if (now >= cp->aligned_at) {
        read_aligned(cp, now);
        plan_aligned(cp, now);
    }
}

// ---------------------------------------------------------------------------------------------
// What is said next. A person at the reader comes first, then what the operator should see, then
// the records in order, then the heartbeat.

static bool say_for_voice(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].authorise) {
            pw_cp16_send_authorise(cp, i, now);
            return true;
        }
    }
    for (unsigned i = 0; i <= cp->connectors; i++) {
        if (now >= status_due(cp, &cp->voice[i])) {
            pw_cp16_send_status(cp, i, now);
            return true;
        }
    }
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].vehicle) {
            pw_cp16_send_vehicle(cp, i, now);
            return true;
        }
    }
    return false;
}

// Tells the journal what became of the message at its head. False: it is not ready to hear it.
static bool settle(struct pw_cp16 *cp, pw_ms now)
{
    int err = cp->settle_refused ? pw_journal_refused(cp->journal, &cp->message)
                                 : pw_journal_answered(cp->journal, &cp->message, cp->settle_id);
    if (err == PW_ERR_AGAIN) {
        return false;
    }
    cp->settle = false;
    if (err != PW_OK) {
        // The store is in trouble: the same message goes out again later, which is harmless.
        cp->message_at = pw_after(now, TIMEOUT_PAUSE_MS);
        return false;
    }
    cp->attempts = 0;
    cp->message_at = now;
    return true;
}

static bool say_transaction(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->settle && !settle(cp, now)) {
        return false;
    }
    if (now < cp->message_at) {
        return false;
    }
    int err = pw_journal_head(cp->journal, &cp->message);
    if (err != PW_OK) {
        return false;
    }
    pw_cp16_send_transaction(cp, now);
    return true;
}

static bool say_rest(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].clock_meter) {
            pw_cp16_send_clock_meter(cp, i, now);
            return true;
        }
    }
    if (now >= cp->heartbeat_at) {
        pw_cp16_send_heartbeat(cp, now);
        return true;
    }
    return false;
}

static void say_something(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->boot != PW_CP16_BOOT_ACCEPTED) {
        if (now >= cp->boot_at) {
            pw_cp16_send_boot(cp, now);
        }
        return;
    }
    if (say_for_voice(cp, now) || say_transaction(cp, now) || say_rest(cp, now)) {
        return;
    }
}

static pw_ms deadline(const struct pw_cp16 *cp, pw_ms now)
{
    pw_ms at = cp->aligned_at;
    if (cp->link == PW_CP16_LINK_DOWN) {
        // Once a try is due it is the port's turn (pw_cp16_wants_link).
        return now < cp->retry_at ? pw_earlier(at, cp->retry_at) : at;
    }
    at = pw_earlier(at, cp->rpc.deadline);
    if (cp->call != PW_CP16_CALL_NONE || cp->out_len > 0) {
        return at;
    }
    if (cp->boot != PW_CP16_BOOT_ACCEPTED) {
        return pw_earlier(at, cp->boot_at);
    }
    for (unsigned i = 0; i <= cp->connectors; i++) {
        at = pw_earlier(at, status_due(cp, &cp->voice[i]));
    }
    if (pw_journal_waiting(cp->journal) > 0) {
        at = pw_earlier(at, cp->message_at);
    }
    return pw_earlier(at, cp->heartbeat_at);
}

static void give_up_call(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "no-answer");
    pw_line_s(&line, "call", pw_cp16_call_name(cp->call));
    pw_line_int(&line, "in_a_row", (int64_t)cp->timeouts + 1);
    pw_line_end(&line);
    cp->timeouts++;
    pw_cp16_call_failed(cp, NULL, now);
    if (cp->timeouts >= TIMEOUTS_MOST) {
        pw_cp16_link_down(cp, PW_STR("the central system does not answer"), now);
    }
}

pw_ms pw_cp16_step(struct pw_cp16 *cp, pw_ms now)
{
    step_aligned(cp, now);
    if (cp->link == PW_CP16_LINK_DOWN) {
        return deadline(cp, now);
    }
    if (pw_ocpp_rpc_timed_out(&cp->rpc, now)) {
        give_up_call(cp, now);
    }
    if (cp->link == PW_CP16_LINK_UP && cp->call == PW_CP16_CALL_NONE && cp->out_len == 0) {
        say_something(cp, now);
    }
    return deadline(cp, now);
}

struct pw_str pw_cp16_out(const struct pw_cp16 *cp)
{
    return (struct pw_str){.at = cp->out, .len = cp->out_len};
}

void pw_cp16_out_sent(struct pw_cp16 *cp)
{
    cp->out_len = 0;
}

void pw_cp16_message_timed_out(struct pw_cp16 *cp, pw_ms now)
{
    cp->message_at = pw_after(now, TIMEOUT_PAUSE_MS);
}

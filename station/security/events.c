// What happened: into the security log, and from there to the central system.
#include "security/security.h"

#include <string.h>

static void log_event(const struct pw_security *security, enum pw_security_event_kind kind,
                      const char *detail)
{
    struct pw_line line;
    pw_line(&line, security->log, PW_LOG_WARN, "security", "event");
    pw_line_s(&line, "type", pw_security_event_name(kind));
    pw_line_s(&line, "detail", detail);
    pw_line_end(&line);
}

// The detail is cut, and made plain: it may hold what came from outside.
static void put_detail(struct pw_out *out, struct pw_str detail)
{
    for (size_t i = 0; i < detail.len; i++) {
        char c = detail.at[i];
        pw_put_c(out, c < ' ' || c > '~' ? '?' : c);
    }
}

// What somebody outside could make happen again and again is recorded once in a while. Changes of
// keys and certificates are always (A01.FR.11), and so is what is critical.
static bool is_limited(enum pw_security_event_kind kind)
{
    return !pw_security_event_critical(kind) && kind != PW_SECURITY_RECONFIGURED &&
           kind != PW_SECURITY_OWN_CERTIFICATE;
}

void pw_security_event(struct pw_security *security, enum pw_security_event_kind kind,
                       struct pw_str detail, pw_ms now)
{
    PW_ASSERT(kind < PW_SECURITY_KINDS);
    bool limited = is_limited(kind);
    if (limited && now < security->quiet_until[kind]) {
        security->counted[kind]++;
        return;
    }
    struct pw_seclog_record record = {.kind = kind,
                                      .mono = now,
                                      .boot = security->boot,
                                      .wall = security->host.wall(security->host.context, now)};
    struct pw_out out = PW_OUT(record.detail);
    if (security->counted[kind] > 0) {
        pw_put_c(&out, '(');
        pw_put_uint(&out, security->counted[kind]);
        pw_put_s(&out, " more before this) ");
    }
    put_detail(&out, detail);
    log_event(security, kind, record.detail);
    security->counted[kind] = 0;
    security->quiet_until[kind] = limited ? pw_after(now, PW_SECURITY_QUIET_MS) : 0;
    // What the store does not take is in the log at least; the store's failure shows by itself.
    (void)!pw_seclog_add(&security->seclog, &record);
}

int pw_security_untold(struct pw_security *security, struct pw_seclog_record *record)
{
    return security->deaf ? PW_ERR_UNKNOWN : pw_seclog_untold(&security->seclog, record);
}

bool pw_security_has_untold(const struct pw_security *security)
{
    const struct pw_seclog *seclog = &security->seclog;
    return !security->deaf && seclog->told < seclog->newest &&
           seclog->store->durable(seclog->store->context) >= seclog->ticket;
}

void pw_security_told(struct pw_security *security, uint32_t number)
{
    pw_seclog_said(&security->seclog, number);
}

void pw_security_not_understood(struct pw_security *security)
{
    security->deaf = true;
}

// ---------------------------------------------------------------------------------------------
// The check of the log, slowly: each record is a read of the store.

enum { CHECK_RECORDS = 8, CHECK_MS = 50 };

void pw_security_check_log(struct pw_security *security, pw_ms now)
{
    pw_seclog_check_begin(&security->seclog, &security->check);
    security->checking = security->check.next != 0;
    security->check_at = now;
}

pw_ms pw_security_step_check(struct pw_security *security, pw_ms now)
{
    const struct pw_seclog *seclog = &security->seclog;
    if (!security->checking) {
        return PW_NEVER;
    }
    // What is not durable yet cannot be read yet.
    if (now < security->check_at ||
        seclog->store->durable(seclog->store->context) < seclog->ticket) {
        return pw_after(now, CHECK_MS);
    }
    security->check_at = pw_after(now, CHECK_MS);
    security->checking = pw_seclog_check_step(seclog, &security->check, CHECK_RECORDS);
    if (security->check.bad != 0) {
        struct pw_line line;
        pw_line(&line, security->log, PW_LOG_ERROR, "seclog", "chain-broken");
        pw_line_int(&line, "record", security->check.bad);
        pw_line_end(&line);
    }
    return security->checking ? security->check_at : PW_NEVER;
}

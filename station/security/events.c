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

void pw_security_event(struct pw_security *security, enum pw_security_event_kind kind,
                       struct pw_str detail, pw_ms now)
{
    PW_ASSERT(kind < PW_SECURITY_KINDS);
    bool critical = pw_security_event_critical(kind);
    if (!critical && now < security->quiet_until[kind]) {
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
    security->quiet_until[kind] = critical ? 0 : pw_after(now, PW_SECURITY_QUIET_MS);
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

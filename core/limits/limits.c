#include "limits/limits.h"

#define PW_LIMIT_NAME(name, text) text,
static const char *const names[PW_LIMIT_ROWS] = {PW_LIMIT_SOURCES(PW_LIMIT_NAME)};
#undef PW_LIMIT_NAME

const char *pw_limit_source_name(enum pw_limit_source source)
{
    return (unsigned)source < PW_LIMIT_ROWS ? names[source] : "unknown";
}

// The row that counts: the least, the upper of equals. The hardware's is always set.
static enum pw_limit_source least(const struct pw_limits *limits)
{
    enum pw_limit_source who = PW_LIMIT_HARDWARE;
    for (unsigned i = 0; i < PW_LIMIT_ROWS; i++) {
        if (limits->row[i].set && limits->row[i].ma < limits->row[who].ma) {
            who = (enum pw_limit_source)i;
        }
    }
    return who;
}

static void settle(struct pw_limits *limits, pw_ms now)
{
    enum pw_limit_source who = least(limits);
    const struct pw_limit *row = &limits->row[who];
    if (limits->who != who || limits->effective_ma != row->ma) {
        limits->since = now;
    }
    limits->who = who;
    limits->effective_ma = row->ma;
    limits->why = row->why;
}

void pw_limits_init(struct pw_limits *limits, int32_t hardware_ma, pw_ms now)
{
    PW_ASSERT(hardware_ma >= 0);
    *limits = (struct pw_limits){.effective_ma = hardware_ma, .why = "", .since = now};
    for (unsigned i = 0; i < PW_LIMIT_ROWS; i++) {
        limits->row[i] = (struct pw_limit){.why = "", .since = now, .expires = PW_NEVER};
    }
    limits->row[PW_LIMIT_HARDWARE].set = true;
    limits->row[PW_LIMIT_HARDWARE].ma = hardware_ma;
}

int pw_limits_set(struct pw_limits *limits, enum pw_limit_source source, int32_t ma,
                  const char *why, pw_ms expires, pw_ms now)
{
    PW_ASSERT((unsigned)source < PW_LIMIT_ROWS);
    struct pw_limit *row = &limits->row[source];
    if (ma < 0 || expires <= now) {
        return PW_ERR_RANGE;
    }
    if (source == PW_LIMIT_HARDWARE && (ma > row->ma || expires != PW_NEVER)) {
        return PW_ERR_RANGE;
    }
    if (!row->set || row->ma != ma) {
        row->since = now;
    }
    row->set = true;
    row->ma = ma;
    row->why = why == NULL ? "" : why;
    row->expires = expires;
    settle(limits, now);
    return PW_OK;
}

void pw_limits_clear(struct pw_limits *limits, enum pw_limit_source source, pw_ms now)
{
    PW_ASSERT((unsigned)source < PW_LIMIT_ROWS);
    if (source != PW_LIMIT_HARDWARE && limits->row[source].set) {
        limits->row[source] = (struct pw_limit){.why = "", .since = now, .expires = PW_NEVER};
        settle(limits, now);
    }
}

int32_t pw_limits_without(const struct pw_limits *limits, uint32_t except)
{
    int32_t ma = limits->row[PW_LIMIT_HARDWARE].ma;
    for (unsigned i = 0; i < PW_LIMIT_ROWS; i++) {
        bool counts = limits->row[i].set && ((except >> i) & 1U) == 0;
        ma = counts ? (int32_t)pw_min(ma, limits->row[i].ma) : ma;
    }
    return ma;
}

pw_ms pw_limits_step(struct pw_limits *limits, pw_ms now)
{
    pw_ms next = PW_NEVER;
    for (unsigned i = 0; i < PW_LIMIT_ROWS; i++) {
        struct pw_limit *row = &limits->row[i];
        if (row->set && row->expires <= now) {
            *row = (struct pw_limit){.why = "", .since = now, .expires = PW_NEVER};
        } else if (row->set) {
            next = pw_earlier(next, row->expires);
        }
    }
    settle(limits, now);
    return next;
}

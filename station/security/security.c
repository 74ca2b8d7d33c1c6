// The security profile: when it may change, what is tried, and what returns. And what becomes of a
// connection.
#include "security/security.h"

#include <string.h>

enum { TRIAL_VERSION = 1, TRIAL_LEN = 2 }; // "sec/trial": version, the profile that returns

static pw_unix_ms wall_of(const struct pw_security *security, pw_ms now)
{
    return security->host.wall(security->host.context, now);
}

// ---------------------------------------------------------------------------------------------
// What is tried survives a start: a station that lost its power while it tried a profile that does
// not connect must find back, too.

static void keep_trial(struct pw_security *security, bool any)
{
    char bytes[TRIAL_LEN] = {TRIAL_VERSION, (char)security->before};
    const struct pw_store_change change = {
        .key = PW_STR("sec/trial"), .value = {.at = bytes, .len = sizeof(bytes)}, .remove = !any};
    int64_t ticket = security->store->write(security->store->context, &change, 1);
    if (ticket < 0) {
        struct pw_line line;
        pw_line(&line, security->log, PW_LOG_ERROR, "security", "trial-not-kept");
        pw_line_s(&line, "reason", pw_err_name((int)ticket));
        pw_line_end(&line);
    }
}

static void read_trial(struct pw_security *security)
{
    char bytes[TRIAL_LEN] = {0};
    int len =
        security->store->get(security->store->context, PW_STR("sec/trial"), bytes, sizeof(bytes));
    if (len == TRIAL_LEN && bytes[0] == TRIAL_VERSION && (uint8_t)bytes[1] < security->profile) {
        security->before = (uint8_t)bytes[1];
        security->trial = PW_SECURITY_NEW_PROFILE;
    }
}

void pw_security_init(struct pw_security *security, const struct pw_security_start *start)
{
    memset(security, 0, sizeof(*security));
    security->settings = start->settings;
    security->store = start->store;
    security->trust = start->trust;
    security->log = start->log;
    security->host = start->host;
    security->boot = start->boot;
    security->look_at = start->now;
    security->profile = (uint8_t)pw_settings_int(security->settings, PW_SET_SECURITY_PROFILE);
    pw_seclog_open(&security->seclog, start->store, start->log);
    read_trial(security);
    pw_security_check_log(security, start->now);
}

// ---------------------------------------------------------------------------------------------
// Settings.

bool pw_security_outlives(enum pw_setting_id id)
{
    return id == PW_SET_SECURITY_PROFILE || id == PW_SET_OCPP_KEY || id == PW_SET_OCPP_TLS_URL ||
           id == PW_SET_CPO_NAME;
}

static int refuse(struct pw_out *why, int err, const char *sentence)
{
    pw_put_s(why, sentence);
    return err;
}

static bool is_plain(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < ' ' || text.at[i] > '~') {
            return false;
        }
    }
    return true;
}

// A05.FR.02–04.
static int check_preconditions(const struct pw_security *security, int64_t profile,
                               struct pw_out *why, pw_unix_ms wall)
{
    struct pw_trust_own own;
    const struct pw_trust *trust = security->trust;
    size_t key_len = strlen(pw_settings_text(security->settings, PW_SET_OCPP_KEY));
    if ((profile == 1 || profile == 2) && key_len < PW_SECURITY_KEY_LEAST) {
        return refuse(why, PW_ERR_RANGE, "it needs an AuthorizationKey of 16 to 40 characters");
    }
    if (profile < 2) {
        return PW_OK;
    }
    bool pinned = pw_settings_text(security->settings, PW_SET_OCPP_PIN)[0] != '\0';
    if (trust == NULL ||
        (!pinned && trust->valid_roots(trust->context, PW_TRUST_CENTRAL, wall) == 0)) {
        return refuse(why, PW_ERR_RANGE, "it needs a valid central system root certificate");
    }
    if (profile == 3 && trust->own(trust->context, wall, &own) != PW_OK) {
        return refuse(why, PW_ERR_RANGE, "it needs a valid certificate of this station");
    }
    return PW_OK;
}

static int check_profile(const struct pw_security *security, struct pw_str value,
                         enum pw_setting_by by, struct pw_out *why, pw_ms now)
{
    int64_t profile = 0;
    if (pw_parse_int(value, 0, 3, &profile) != PW_OK) {
        return refuse(why, PW_ERR_RANGE, "it must be 0..3");
    }
    if (by == PW_BY_OCPP && profile <= security->profile) {
        return refuse(why, PW_ERR_RANGE, "over OCPP it can only be raised");
    }
    if (security->trial == PW_SECURITY_NEW_PROFILE && by == PW_BY_OCPP) {
        return refuse(why, PW_ERR_BUSY, "the last change has not connected yet");
    }
    return profile > security->profile
               ? check_preconditions(security, profile, why, wall_of(security, now))
               : PW_OK;
}

static int check_key(const struct pw_security *security, struct pw_str value, struct pw_out *why)
{
    // A00.FR.205; where a key counts it cannot be taken away either.
    bool none = value.len == 0 && (security->profile == 0 || security->profile == 3);
    if (!none && (value.len < PW_SECURITY_KEY_LEAST || value.len > 40 || !is_plain(value))) {
        return refuse(why, PW_ERR_RANGE, "it must have 16 to 40 plain characters");
    }
    return PW_OK;
}

static int check_tls_url(struct pw_str value, struct pw_out *why)
{
    if (value.len > 0 && !pw_str_starts(value, "wss://")) {
        return refuse(why, PW_ERR_RANGE, "it must begin with wss://");
    }
    return value.len > 0 ? pw_security_check_url(value, why) : PW_OK;
}

int pw_security_check_setting(struct pw_security *security, enum pw_setting_id id,
                              struct pw_str value, enum pw_setting_by by, struct pw_out *why,
                              pw_ms now)
{
    if (id == PW_SET_SECURITY_PROFILE) {
        return check_profile(security, value, by, why, now);
    }
    if (id == PW_SET_OCPP_KEY) {
        return check_key(security, value, why);
    }
    if (id == PW_SET_OCPP_URL) {
        return value.len > 0 ? pw_security_check_url(value, why) : PW_OK;
    }
    if (id == PW_SET_OCPP_TLS_URL) {
        return check_tls_url(value, why);
    }
    return id != PW_SET_CPO_NAME || is_plain(value)
               ? PW_OK
               : refuse(why, PW_ERR_RANGE, "it must be of plain characters");
}

static void put_profile(struct pw_out *out, const char *what, unsigned from, unsigned to)
{
    pw_put_s(out, what);
    pw_put_s(out, " ");
    pw_put_uint(out, from);
    pw_put_s(out, " to ");
    pw_put_uint(out, to);
}

static void profile_changed(struct pw_security *security, pw_ms now)
{
    char text[64] = "";
    struct pw_out out = PW_OUT(text);
    uint8_t to = (uint8_t)pw_settings_int(security->settings, PW_SET_SECURITY_PROFILE);
    if (to == security->profile) {
        return;
    }
    put_profile(&out, "SecurityProfile", security->profile, to);
    security->trial = to > security->profile ? PW_SECURITY_NEW_PROFILE : PW_SECURITY_SURE;
    security->before = security->profile;
    security->tries = 0;
    security->profile = to;
    keep_trial(security, security->trial == PW_SECURITY_NEW_PROFILE);
    pw_security_event(security, PW_SECURITY_RECONFIGURED, pw_out_str(&out), now);
    security->reconnect = security->up;
}

void pw_security_changed(struct pw_security *security, enum pw_setting_id id, pw_ms now)
{
    if (id == PW_SET_SECURITY_PROFILE) {
        profile_changed(security, now);
    } else if (id == PW_SET_OCPP_KEY) {
        // A01.FR.11, A01.FR.12: that it changed, never what it is.
        pw_security_event(security, PW_SECURITY_RECONFIGURED, PW_STR("AuthorizationKey"), now);
        security->reconnect = security->up && security->profile < 3;
    } else if (id == PW_SET_CPO_NAME) {
        pw_security_event(security, PW_SECURITY_RECONFIGURED, PW_STR("CpoName"), now);
    } else if (id == PW_SET_OCPP_TLS_URL) {
        security->reconnect = security->up && security->profile >= 2;
    }
}

// ---------------------------------------------------------------------------------------------
// The connection.

static void end_trial(struct pw_security *security)
{
    if (security->trial == PW_SECURITY_NEW_PROFILE) {
        keep_trial(security, false);
    }
    security->trial = PW_SECURITY_SURE;
    security->tries = 0;
}

void pw_security_link_up(struct pw_security *security, pw_ms now)
{
    end_trial(security);
    security->up = true;
    security->reconnect = false;
    security->deaf = false;
    security->said = PW_SECURITY_FAULT_NONE;
    security->said_why[0] = '\0';
    if (security->trust != NULL) {
        security->trust->connected(security->trust->context, security->shown,
                                   wall_of(security, now));
    }
    security->look_at = now;
}

// A05.FR.08: the profile that connected before.
static void fall_back(struct pw_security *security, pw_ms now)
{
    char text[80] = "";
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(text);
    struct pw_out refusal = PW_OUT(why);
    const struct pw_setting_at at = {.id = PW_SET_SECURITY_PROFILE};
    const char digit[2] = {(char)('0' + security->before), '\0'};
    put_profile(&out, "does not connect: SecurityProfile back from", security->profile,
                security->before);
    security->profile = security->before;
    end_trial(security);
    // The value was this one before: its row takes it.
    (void)!pw_settings_set(security->settings, at, pw_str_of(digit), PW_BY_STORE, &refusal);
    pw_security_event(security, PW_SECURITY_RECONFIGURED, pw_out_str(&out), now);
    security->host.setting(security->host.context, at, now);
}

static void retreat(struct pw_security *security, pw_ms now)
{
    const struct pw_trust *trust = security->trust;
    end_trial(security);
    if (trust->retreat(trust->context, wall_of(security, now)) == PW_OK) {
        pw_security_event(security, PW_SECURITY_OWN_CERTIFICATE,
                          PW_STR("the new certificate does not connect: the one before is used"),
                          now);
    }
}

static void try_failed(struct pw_security *security, pw_ms now)
{
    if (security->trial == PW_SECURITY_SURE || ++security->tries < PW_SECURITY_TRIES) {
        return;
    }
    if (security->trial == PW_SECURITY_NEW_PROFILE) {
        fall_back(security, now);
    } else {
        retreat(security, now);
    }
}

static void note_fault(struct pw_security *security, enum pw_security_fault fault,
                       struct pw_str why, pw_ms now)
{
    static const enum pw_security_event_kind kinds[] = {
        [PW_SECURITY_FAULT_CERTIFICATE] = PW_SECURITY_CENTRAL_CERTIFICATE,
        [PW_SECURITY_FAULT_TLS_VERSION] = PW_SECURITY_TLS_VERSION,
        [PW_SECURITY_FAULT_TLS_SUITE] = PW_SECURITY_TLS_SUITE,
        [PW_SECURITY_FAULT_REFUSED] = PW_SECURITY_REFUSED_BY_CENTRAL,
        [PW_SECURITY_FAULT_PROFILE] = PW_SECURITY_CENTRAL_REFUSED,
    };
    struct pw_str cut = why;
    cut.len = cut.len < sizeof(security->said_why) ? cut.len : sizeof(security->said_why) - 1;
    if (fault == security->said && pw_str_is(cut, security->said_why)) {
        return; // once, until it is another one or a connection stood between them
    }
    security->said = fault;
    memcpy(security->said_why, cut.at, cut.len);
    security->said_why[cut.len] = '\0';
    security->quiet_until[kinds[fault]] = 0; // back-off keeps them rare
    pw_security_event(security, kinds[fault], why, now);
}

void pw_security_link_down(struct pw_security *security, enum pw_security_fault fault,
                           struct pw_str why, pw_ms now)
{
    bool opened = security->up;
    security->up = false;
    security->reconnect = false;
    if (fault != PW_SECURITY_FAULT_NONE) {
        note_fault(security, fault, why, now);
    }
    if (!opened) {
        try_failed(security, now);
    }
}

bool pw_security_wants_reconnect(const struct pw_security *security)
{
    return security->reconnect && security->up;
}

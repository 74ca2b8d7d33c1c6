// The security log and the certificate of the page, for people and programs.
#include "console/call.h"

enum { SHOWN = 20, SHOWN_MOST = 90 };

static const char *check_word(const struct pw_security *security)
{
    return security->check.bad != 0 ? "broken" : security->checking ? "being checked" : "whole";
}

static void put_hash(struct pw_out *out, const uint8_t hash[PW_SHA256_LEN])
{
    for (size_t i = 0; i < PW_SHA256_LEN; i++) {
        pw_put_hex(out, hash[i], 2);
    }
}

static void put_text(struct pw_console_call *call, uint32_t from)
{
    const struct pw_security *security = &call->st->security;
    const struct pw_seclog *seclog = &security->seclog;
    struct pw_seclog_record record;
    struct pw_out *out = call->answer;
    for (uint32_t number = from; number != 0 && number <= seclog->newest; number++) {
        if (pw_seclog_read(seclog, number, &record) == PW_OK) {
            pw_seclog_put(out, &record);
            pw_put_c(out, '\n');
        }
    }
    pw_put_s(out, "chain ");
    pw_put_s(out, check_word(security));
    if (security->check.bad != 0) {
        pw_put_s(out, " at record ");
        pw_put_uint(out, security->check.bad);
    }
    pw_put_s(out, ", ");
    pw_put_uint(out, security->check.records);
    pw_put_s(out, " records checked; not told yet ");
    pw_put_uint(out, seclog->newest - seclog->told);
    pw_put_s(out, "; lost ");
    pw_put_uint(out, seclog->lost);
    pw_put_s(out, "\nnewest hash ");
    put_hash(out, seclog->hash);
    pw_put_c(out, '\n');
}

static void put_record(struct pw_json_writer *json, const struct pw_seclog_record *record)
{
    char text[2 * PW_SHA256_LEN + 1];
    struct pw_out out = PW_OUT(text);
    put_hash(&out, record->hash);
    pw_json_open(json, '{');
    pw_json_key(json, "number");
    pw_json_put_int(json, record->number);
    if (record->wall > 0) {
        char at[PW_TIME_TEXT_MAX];
        struct pw_out time = PW_OUT(at);
        pw_put_time(&time, record->wall);
        pw_json_key(json, "at");
        pw_json_put_s(json, at);
    }
    pw_json_key(json, "event");
    pw_json_put_s(json, pw_security_event_name(record->kind));
    pw_json_key(json, "critical");
    pw_json_put_bool(json, pw_security_event_critical(record->kind));
    pw_json_key(json, "detail");
    pw_json_put_s(json, record->detail);
    pw_json_key(json, "hash");
    pw_json_put_s(json, text);
    pw_json_close(json, '}');
}

static void put_json(struct pw_console_call *call, uint32_t from)
{
    const struct pw_security *security = &call->st->security;
    const struct pw_seclog *seclog = &security->seclog;
    struct pw_seclog_record record;
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_key(&json, "chain");
    pw_json_put_s(&json, check_word(security));
    pw_json_key(&json, "checked");
    pw_json_put_int(&json, security->check.records);
    pw_json_key(&json, "bad");
    pw_json_put_int(&json, security->check.bad);
    pw_json_key(&json, "newest");
    pw_json_put_int(&json, seclog->newest);
    pw_json_key(&json, "untold");
    pw_json_put_int(&json, (int64_t)seclog->newest - seclog->told);
    pw_json_key(&json, "lost");
    pw_json_put_int(&json, seclog->lost);
    pw_json_key(&json, "records");
    pw_json_open(&json, '[');
    for (uint32_t number = from; number != 0 && number <= seclog->newest; number++) {
        if (pw_seclog_read(seclog, number, &record) == PW_OK) {
            put_record(&json, &record);
        }
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
}

// "seclog", "seclog 50", "seclog check".
int pw_console_seclog(struct pw_console_call *call)
{
    const struct pw_seclog *seclog = &call->st->security.seclog;
    struct pw_str word = pw_console_word(call);
    int64_t count = SHOWN;
    if (pw_str_is(word, "check")) {
        pw_security_check_log(&call->st->security, call->now);
        return pw_console_done(call, "the whole log is being checked: seclog shows the result");
    }
    if (word.len > 0 && pw_parse_int(word, 1, SHOWN_MOST, &count) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_RANGE, "seclog, seclog 1..90, or seclog check");
    }
    uint32_t oldest = pw_seclog_oldest(seclog);
    uint32_t from =
        seclog->newest - oldest + 1 > count ? seclog->newest - (uint32_t)count + 1 : oldest;
    if (call->json) {
        put_json(call, from);
    } else {
        put_text(call, from);
    }
    return PW_OK;
}

static void put_certificate_json(struct pw_console_call *call, const char *until)
{
    const struct pw_station_tls *tls = &call->st->tls;
    struct pw_json_writer json = PW_JSON_WRITER(call->answer);
    pw_json_open(&json, '{');
    pw_json_key(&json, "wanted");
    pw_json_put_bool(&json, tls->wanted);
    pw_json_key(&json, "port"); // of the page
    pw_json_put_int(&json, tls->port);
    pw_json_key(&json, "own");
    pw_json_put_bool(&json, tls->own);
    pw_json_key(&json, "fingerprint");
    pw_json_put_s(&json, tls->fingerprint);
    pw_json_key(&json, "until");
    pw_json_put_s(&json, until);
    pw_json_key(&json, "why");
    pw_json_put_s(&json, tls->why);
    pw_json_close(&json, '}');
    pw_put_c(call->answer, '\n');
}

static void put_certificate(struct pw_console_call *call, const char *until)
{
    const struct pw_station_tls *tls = &call->st->tls;
    struct pw_out *out = call->answer;
    if (!tls->wanted) {
        pw_put_s(out, "nothing is served with TLS: see page.tls_listen\n");
        return;
    }
    if (tls->port != 0) {
        pw_put_s(out, "page: https, port ");
        pw_put_uint(out, tls->port);
        pw_put_c(out, '\n');
    }
    if (tls->fingerprint[0] != '\0') {
        pw_put_s(out, tls->own ? "certificate: the station's own, until "
                               : "certificate: page.certificate, until ");
        pw_put_s(out, until);
        pw_put_s(out, "\nSHA-256 fingerprint: ");
        pw_put_s(out, tls->fingerprint);
        pw_put_c(out, '\n');
    }
    if (tls->why[0] != '\0') {
        pw_put_s(out, "wrong: ");
        pw_put_s(out, tls->why);
        pw_put_c(out, '\n');
    }
}

// "certificate", "certificate new".
int pw_console_certificate(struct pw_console_call *call)
{
    const struct pw_station_tls *tls = &call->st->tls;
    struct pw_str word = pw_console_word(call);
    char until[PW_TIME_TEXT_MAX] = "";
    struct pw_out out = PW_OUT(until);
    if (pw_str_is(word, "new") && !tls->wanted) {
        return pw_console_refuse(call, PW_ERR_UNKNOWN,
                                 "nothing is served with TLS: see page.tls_listen");
    }
    if (pw_str_is(word, "new") && !tls->own) {
        return pw_console_refuse(call, PW_ERR_BUSY,
                                 "the certificate is the file page.certificate, which is taken "
                                 "when it changes");
    }
    if (pw_str_is(word, "new")) {
        call->st->new_certificate = true;
        return pw_console_done(
            call, "a new key and certificate are made: certificate shows what to compare");
    }
    if (word.len > 0) {
        return pw_console_refuse(call, PW_ERR_RANGE, "certificate, or certificate new");
    }
    if (tls->until > 0) {
        pw_put_time(&out, tls->until);
    }
    if (call->json) {
        put_certificate_json(call, until);
    } else {
        put_certificate(call, until);
    }
    return PW_OK;
}

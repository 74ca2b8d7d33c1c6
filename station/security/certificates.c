// Certificates: ours and its renewal, the roots, and who signs firmware.
#include "security/security.h"

#include <string.h>

enum { LOOK_MS = 3600000, DAY_MS = 86400000 };

static pw_unix_ms wall_of(const struct pw_security *security, pw_ms now)
{
    return security->host.wall(security->host.context, now);
}

// Whom our certificate names: the serial number, or the id where there is none.
static struct pw_trust_subject subject_of(const struct pw_security *security)
{
    const char *serial = pw_settings_text(security->settings, PW_SET_STATION_SERIAL);
    const char *id = pw_settings_text(security->settings, PW_SET_STATION_ID);
    return (struct pw_trust_subject){
        .serial = pw_str_of(serial[0] != '\0' ? serial : id),
        .organisation = pw_str_of(pw_settings_text(security->settings, PW_SET_CPO_NAME))};
}

static void log_line(const struct pw_security *security, enum pw_level level, const char *event,
                     const struct pw_out *why)
{
    struct pw_line line;
    pw_line(&line, security->log, level, "security", event);
    pw_line_str(&line, "why", pw_out_str(why));
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// Ours.

int pw_security_ask_certificate(struct pw_security *security, pw_ms now)
{
    (void)now;
    if (security->trust == NULL ||
        pw_settings_text(security->settings, PW_SET_CPO_NAME)[0] == '\0') {
        return PW_ERR_BUSY;
    }
    security->sign_due = true;
    return PW_OK;
}

bool pw_security_sign_due(const struct pw_security *security)
{
    return security->sign_due;
}

int pw_security_request(struct pw_security *security, struct pw_out *csr, pw_ms now)
{
    (void)now;
    char text[120] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_trust_subject subject = subject_of(security);
    // Asked for once: whoever signs may be away for days, and asking again makes it no better (A02,
    // error handling).
    security->sign_due = false;
    int err = security->trust->request(security->trust->context, &subject, csr, &why);
    if (err != PW_OK) {
        log_line(security, PW_LOG_ERROR, "no-request", &why);
    }
    return err;
}

int pw_security_signed(struct pw_security *security, struct pw_str chain, pw_ms now)
{
    char text[PW_SECLOG_DETAIL_MAX] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_trust_subject subject = subject_of(security);
    int err = PW_ERR_BUSY;
    pw_put_s(&why, "");
    if (security->trust != NULL && chain.len <= PW_TRUST_CHAIN_MAX) {
        err = security->trust->accept(security->trust->context, chain, &subject,
                                      wall_of(security, now), &why);
    } else {
        pw_put_s(&why, "the chain is too long");
    }
    if (err != PW_OK) {
        pw_security_event(security, PW_SECURITY_OWN_CERTIFICATE, pw_out_str(&why), now);
        return err;
    }
    pw_security_event(security, PW_SECURITY_RECONFIGURED, PW_STR("certificate of this station"),
                      now);
    security->look_at = now;
    return PW_OK;
}

// A03.FR.02. When to look again: daily, so that a request that led to nothing is repeated.
static void look_at_end(struct pw_security *security, const struct pw_trust_own *own,
                        pw_unix_ms wall, pw_ms now)
{
    int64_t days = pw_settings_int(security->settings, PW_SET_CERT_RENEW_DAYS);
    if (own->not_after - wall > days * DAY_MS) {
        return;
    }
    if (pw_security_ask_certificate(security, now) != PW_OK) {
        struct pw_line line;
        pw_line(&line, security->log, PW_LOG_WARN, "security", "certificate-ends");
        pw_line_int(&line, "days", (own->not_after - wall) / DAY_MS);
        pw_line_s(&line, "why", "CpoName is not set: no new one can be asked for");
        pw_line_end(&line);
    }
    security->look_at = pw_after(now, DAY_MS);
}

pw_ms pw_security_step(struct pw_security *security, pw_ms now)
{
    struct pw_trust_own own;
    const struct pw_trust *trust = security->trust;
    pw_unix_ms wall = wall_of(security, now);
    pw_ms check = pw_security_step_check(security, now);
    if (now < security->look_at) {
        return pw_earlier(check, security->look_at);
    }
    security->look_at = pw_after(now, LOOK_MS);
    if (trust == NULL || security->profile != 3 || wall == 0 ||
        trust->own(trust->context, wall, &own) != PW_OK) {
        return pw_earlier(check, security->look_at);
    }
    if (security->up && strcmp(own.serial, security->shown_serial) != 0) {
        security->reconnect = true; // A02.FR.08: it became valid
    }
    look_at_end(security, &own, wall, now);
    return pw_earlier(check, security->look_at);
}

// ---------------------------------------------------------------------------------------------
// Roots.

static const char *const use_names[PW_TRUST_USES] = {"central system root certificate",
                                                     "manufacturer root certificate"};

int pw_security_install(struct pw_security *security, enum pw_trust_use use, struct pw_str pem,
                        pw_ms now)
{
    char text[PW_SECLOG_DETAIL_MAX] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_trust *trust = security->trust;
    const struct pw_trust_root root = {
        .use = use,
        .pem = pem,
        .most = (unsigned)pw_settings_int(security->settings, PW_SET_CERT_STORE_MAX),
        .replace =
            use == PW_TRUST_CENTRAL && pw_settings_int(security->settings, PW_SET_ROOT_CHECK) != 0,
    };
    if (trust == NULL) {
        return PW_ERR_STORE;
    }
    int err = trust->install(trust->context, &root, wall_of(security, now), &why);
    if (err != PW_OK) {
        log_line(security, PW_LOG_WARN, "root-refused", &why);
        return err;
    }
    why = PW_OUT(text);
    pw_put_s(&why, use_names[use]);
    pw_put_s(&why, " installed");
    pw_security_event(security, PW_SECURITY_RECONFIGURED, pw_out_str(&why), now);
    return PW_OK;
}

int pw_security_remove(struct pw_security *security, const struct pw_trust_id *id, pw_ms now)
{
    char text[PW_SECLOG_DETAIL_MAX] = "";
    struct pw_out out = PW_OUT(text);
    const struct pw_trust *trust = security->trust;
    int err = trust == NULL ? PW_ERR_UNKNOWN : trust->remove(trust->context, id);
    if (err == PW_OK) {
        pw_put_s(&out, "root certificate removed: serial ");
        pw_put_s(&out, id->serial);
        pw_security_event(security, PW_SECURITY_RECONFIGURED, pw_out_str(&out), now);
    }
    return err;
}

int pw_security_list(const struct pw_security *security, enum pw_trust_use use, unsigned index,
                     struct pw_trust_id *id)
{
    const struct pw_trust *trust = security->trust;
    return trust == NULL ? PW_ERR_UNKNOWN
                         : trust->list(trust->context, use, index, PW_TRUST_SHA256, id);
}

// ---------------------------------------------------------------------------------------------
// Firmware.

int pw_security_check_signer(struct pw_security *security, struct pw_str pem, struct pw_out *why,
                             pw_ms now)
{
    const struct pw_trust *trust = security->trust;
    int err = PW_ERR_RANGE;
    if (trust == NULL) {
        pw_put_s(why, "this station checks no certificates");
    } else {
        err = trust->check_signer(trust->context, pem, wall_of(security, now), why);
    }
    if (err != PW_OK) {
        pw_security_event(security, PW_SECURITY_FIRMWARE_SIGNER, pw_out_str(why), now);
    }
    return err;
}

int pw_security_verify(struct pw_security *security, struct pw_str signer_pem,
                       struct pw_str signature, const uint8_t sha256[32], struct pw_out *why,
                       pw_ms now)
{
    const struct pw_trust *trust = security->trust;
    int err = PW_ERR_RANGE;
    if (trust == NULL) {
        pw_put_s(why, "this station checks no signatures");
    } else {
        err = trust->verify(trust->context, signer_pem, signature, sha256, why);
    }
    if (err != PW_OK) {
        pw_security_event(security, PW_SECURITY_FIRMWARE_SIGNATURE, pw_out_str(why), now);
    }
    return err;
}

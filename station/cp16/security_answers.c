// The security extensions: certificates the central system sends, requests for ours, and the events
// it is told. What they do is decided in station/security.
// Source: security whitepaper edition 3, A02–A04, M03–M05.
#include "cp16/parts.h"

enum { EVENT_PAUSE_MS = 10000, CSR_MAX = 1500 };

// ---------------------------------------------------------------------------------------------
// What it asks.

void pw_cp16_on_certificate_signed(struct pw_cp16 *cp, struct pw_str id,
                                   const union pw_cp16_request *req, pw_ms now)
{
    int err = pw_security_signed(cp->security, req->certificate_signed.certificate_chain, now);
    const struct pw_ocpp16_certificate_signed_conf conf = {
        .status = err == PW_OK ? PW_OCPP16_GENERIC_ACCEPTED : PW_OCPP16_GENERIC_REJECTED};
    pw_cp16_reply(cp, id, PW_OCPP16_CERTIFICATE_SIGNED, &conf);
}

static enum pw_trust_use use_of(enum pw_ocpp16_certificate_use use)
{
    return use == PW_OCPP16_CERTIFICATE_MANUFACTURER_ROOT ? PW_TRUST_MAKER : PW_TRUST_CENTRAL;
}

void pw_cp16_on_install_certificate(struct pw_cp16 *cp, struct pw_str id,
                                    const union pw_cp16_request *req, pw_ms now)
{
    const struct pw_ocpp16_install_certificate_req *asked = &req->install_certificate;
    int err =
        pw_security_install(cp->security, use_of(asked->certificate_type), asked->certificate, now);
    const struct pw_ocpp16_install_certificate_conf conf = {
        .status = err == PW_OK          ? PW_OCPP16_INSTALL_ACCEPTED
                  : err == PW_ERR_STORE ? PW_OCPP16_INSTALL_FAILED
                                        : PW_OCPP16_INSTALL_REJECTED};
    pw_cp16_reply(cp, id, PW_OCPP16_INSTALL_CERTIFICATE, &conf);
}

static const enum pw_ocpp16_hash_algorithm hashes[PW_TRUST_HASHES] = {
    PW_OCPP16_HASH_SHA256, PW_OCPP16_HASH_SHA384, PW_OCPP16_HASH_SHA512};

static bool read_id(const struct pw_ocpp16_certificate_hash_data *from, struct pw_trust_id *to)
{
    for (size_t i = 0; i < PW_COUNT(hashes); i++) {
        to->hash = hashes[i] == from->hash_algorithm ? (enum pw_trust_hash)i : to->hash;
    }
    return pw_str_copy(to->issuer_name, sizeof(to->issuer_name), from->issuer_name_hash) == PW_OK &&
           pw_str_copy(to->issuer_key, sizeof(to->issuer_key), from->issuer_key_hash) == PW_OK &&
           pw_str_copy(to->serial, sizeof(to->serial), from->serial_number) == PW_OK;
}

void pw_cp16_on_delete_certificate(struct pw_cp16 *cp, struct pw_str id,
                                   const union pw_cp16_request *req, pw_ms now)
{
    struct pw_trust_id which = {.hash = PW_TRUST_SHA256};
    int err = read_id(&req->delete_certificate.certificate_hash_data, &which)
                  ? pw_security_remove(cp->security, &which, now)
                  : PW_ERR_UNKNOWN;
    const struct pw_ocpp16_delete_certificate_conf conf = {
        .status = err == PW_OK            ? PW_OCPP16_DELETE_ACCEPTED
                  : err == PW_ERR_UNKNOWN ? PW_OCPP16_DELETE_NOT_FOUND
                                          : PW_OCPP16_DELETE_FAILED};
    pw_cp16_reply(cp, id, PW_OCPP16_DELETE_CERTIFICATE, &conf);
}

void pw_cp16_on_installed_certificates(struct pw_cp16 *cp, struct pw_str id,
                                       const union pw_cp16_request *req, pw_ms now)
{
    (void)now;
    struct pw_trust_id found[PW_TRUST_ROOTS_MAX];
    struct pw_ocpp16_certificate_hash_data data[PW_TRUST_ROOTS_MAX];
    enum pw_trust_use use = use_of(req->get_installed_certificate_ids.certificate_type);
    uint32_t count = 0;
    while (count < PW_TRUST_ROOTS_MAX &&
           pw_security_list(cp->security, use, count, &found[count]) == PW_OK) {
        data[count] = (struct pw_ocpp16_certificate_hash_data){
            .hash_algorithm = hashes[found[count].hash],
            .issuer_name_hash = pw_str_of(found[count].issuer_name),
            .issuer_key_hash = pw_str_of(found[count].issuer_key),
            .serial_number = pw_str_of(found[count].serial)};
        count++;
    }
    struct pw_ocpp16_get_installed_certificate_ids_conf conf = {
        .status = count > 0 ? PW_OCPP16_INSTALLED_ACCEPTED : PW_OCPP16_INSTALLED_NOT_FOUND,
        .certificate_hash_data = {.items = data, .count = count}};
    conf.has |=
        count > 0 ? PW_OCPP16_HAS(get_installed_certificate_ids_conf, certificate_hash_data) : 0;
    pw_cp16_reply(cp, id, PW_OCPP16_GET_INSTALLED_CERTIFICATE_IDS, &conf);
}

// ---------------------------------------------------------------------------------------------
// SignCertificate. Also while Pending: that is when a central system replaces what the factory left
// (A00.FR.806).

static pw_ms sign_due(const struct pw_cp16 *cp, pw_ms now)
{
    bool heard = cp->boot == PW_CP16_BOOT_ACCEPTED || cp->boot == PW_CP16_BOOT_PENDING;
    return heard && pw_security_sign_due(cp->security) ? now : PW_NEVER;
}

static void say_sign(struct pw_cp16 *cp, pw_ms now)
{
    char csr[CSR_MAX];
    struct pw_out out = PW_OUT(csr);
    if (pw_security_request(cp->security, &out, now) == PW_OK) {
        const struct pw_ocpp16_sign_certificate_req req = {.csr = pw_out_str(&out)};
        pw_cp16_send(cp, PW_OCPP16_SIGN_CERTIFICATE, &req, now);
    }
}

static bool sign_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_sign_certificate_conf conf;
    (void)now;
    if (!pw_cp16_decode(cp, PW_OCPP16_SIGN_CERTIFICATE, payload, &conf)) {
        return false;
    }
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "certificate-asked");
    pw_line_s(&line, "answer", conf.status == PW_OCPP16_GENERIC_ACCEPTED ? "Accepted" : "Rejected");
    pw_line_end(&line);
    return true;
}

const struct pw_cp16_topic pw_cp16_sign_topic = {
    .name = "SignCertificate",
    .unaccepted = true,
    .due = sign_due,
    .say = say_sign,
    .answered = sign_answered,
};

// ---------------------------------------------------------------------------------------------
// SecurityEventNotification: in order, each until it is answered (A04.FR.02).

static pw_ms event_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    // A time is required, and one of 1970 is none.
    return cp->clock_known && pw_security_has_untold(cp->security) ? cp->event_at : PW_NEVER;
}

static void say_event(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_seclog_record record;
    if (pw_security_untold(cp->security, &record) != PW_OK) {
        return;
    }
    const struct pw_stamp at = {.wall = record.wall, .mono = record.mono, .boot = record.boot};
    struct pw_ocpp16_security_event_notification_req req = {
        .type = pw_str_of(pw_security_event_name(record.kind)),
        .timestamp = pw_cp16_stamp_wall(cp, at, now),
        .tech_info = pw_str_of(record.detail),
    };
    req.has |=
        record.detail[0] != '\0' ? PW_OCPP16_HAS(security_event_notification_req, tech_info) : 0;
    cp->event_number = record.number;
    pw_cp16_send(cp, PW_OCPP16_SECURITY_EVENT_NOTIFICATION, &req, now);
}

static bool event_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    (void)payload;
    (void)now;
    pw_security_told(cp->security, cp->event_number);
    return true;
}

// A central system that knows no such message is left alone until the next connection.
static void event_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    struct pw_str word = pw_str_of(code);
    if (pw_str_is(word, "NotImplemented") || pw_str_is(word, "NotSupported")) {
        pw_security_not_understood(cp->security);
    } else if (code != NULL) {
        pw_security_told(cp->security, cp->event_number); // it was heard, and will be no better
    }
    cp->event_at = pw_after(now, EVENT_PAUSE_MS);
}

const struct pw_cp16_topic pw_cp16_event_topic = {
    .name = "SecurityEventNotification",
    .due = event_due,
    .say = say_event,
    .answered = event_answered,
    .failed = event_failed,
};

#include "gate.h"

#include "parts.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDSHAKE_TURNS = 20 };

static struct gate *the_gate; // one a process

// ---------------------------------------------------------------------------------------------
// TLS in memory.

static int on_verify(int good, X509_STORE_CTX *check)
{
    if (good == 1 && X509_STORE_CTX_get_error_depth(check) == 0) {
        pw_trust_vouched(the_gate->keeper, check);
    }
    return good;
}

static SSL_CTX *server_side(const struct gate *gate)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    PW_ASSERT(ctx != NULL);
    SSL_CTX_set_security_level(ctx, 0);
    PW_ASSERT(SSL_CTX_use_certificate(ctx, gate->server.certificate) == 1 &&
              SSL_CTX_use_PrivateKey(ctx, gate->server.key) == 1);
    for (unsigned i = 0; i < gate->between_count; i++) {
        PW_ASSERT(SSL_CTX_add1_chain_cert(ctx, gate->between[i]) == 1);
    }
    if (gate->most_version != 0) {
        (void)SSL_CTX_set_max_proto_version(ctx, gate->most_version);
    }
    if (gate->ciphers != NULL) {
        PW_ASSERT(SSL_CTX_set_cipher_list(ctx, gate->ciphers) == 1);
    }
    if (gate->mutual) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        (void)X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), gate->root.certificate);
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_NO_CHECK_TIME);
    }
    return ctx;
}

static void shake(SSL *client, SSL *server)
{
    char byte = 0;
    for (int i = 0; i < HANDSHAKE_TURNS; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    // What the server has against our certificate comes behind the handshake of TLS 1.3.
    (void)SSL_read(client, &byte, 1);
}

static enum pw_security_fault judge(SSL *client, const char **why)
{
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error);
    long verified = SSL_get_verify_result(client);
    if (verified != X509_V_OK) {
        *why = X509_verify_cert_error_string(verified);
        return PW_SECURITY_FAULT_CERTIFICATE;
    }
    *why = ERR_reason_error_string(error);
    if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
        return PW_SECURITY_FAULT_TLS_VERSION;
    }
    if (reason == SSL_R_NO_SHARED_CIPHER || reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE) {
        return PW_SECURITY_FAULT_TLS_SUITE;
    }
    return PW_SECURITY_FAULT_REFUSED;
}

static void note_shown(struct gate *gate, SSL *server)
{
    X509 *shown = SSL_get0_peer_certificate(server);
    gate->shown[0] = '\0';
    if (shown != NULL) {
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get_serialNumber(shown), NULL);
        char *text = BN_bn2hex(number);
        (void)snprintf(gate->shown, sizeof(gate->shown), "%s", text + strspn(text, "0"));
        OPENSSL_free(text);
        BN_free(number);
    }
}

static bool connect_pair(struct gate *gate, SSL *client, SSL *server, struct street *street)
{
    BIO *ours = NULL;
    BIO *theirs = NULL;
    const char *why = "";
    PW_ASSERT(BIO_new_bio_pair(&ours, 65536, &theirs, 65536) == 1);
    SSL_set_bio(client, ours, ours);
    SSL_set_bio(server, theirs, theirs);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    PW_ASSERT(SSL_set1_host(client, GATE_HOST) == 1);
    ERR_clear_error();
    shake(client, server);
    bool done = SSL_is_init_finished(client) == 1 && SSL_is_init_finished(server) == 1;
    if (!done) {
        street->refused = judge(client, &why);
        (void)snprintf(street->why, sizeof(street->why), "%s", why != NULL ? why : "TLS");
        return false;
    }
    (void)snprintf(gate->suite, sizeof(gate->suite), "%s", SSL_get_cipher_name(client));
    note_shown(gate, server);
    return true;
}

static bool handshake(struct gate *gate, const struct pw_security_target *target,
                      struct street *street)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX *other = server_side(gate);
    struct pw_out why = PW_OUT(street->why);
    const struct pw_trust_connection connection = {
        .certificate = target->certificate,
        .chosen_roots = target->chosen_roots,
        .wall = pw_station_wall(street->station, street->now)};
    PW_ASSERT(ctx != NULL);
    bool good = pw_trust_prepare(gate->keeper, ctx, &connection, &why) == PW_OK;
    street->refused = good ? PW_SECURITY_FAULT_NONE : PW_SECURITY_FAULT_CERTIFICATE;
    if (good) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
        SSL *client = SSL_new(ctx);
        SSL *server = SSL_new(other);
        PW_ASSERT(client != NULL && server != NULL);
        good = connect_pair(gate, client, server, street);
        SSL_free(client);
        SSL_free(server);
    }
    if (good && target->certificate && !pw_trust_was_asked(gate->keeper)) {
        street->refused = PW_SECURITY_FAULT_PROFILE;
        (void)snprintf(street->why, sizeof(street->why), "it does not ask for a certificate");
        good = false;
    }
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
    ERR_clear_error();
    return good;
}

static bool arrives(struct street *street)
{
    struct gate *gate = the_gate;
    struct pw_security_target target;
    pw_station_target(street->station, &target, street->now);
    gate->tries++;
    gate->shown[0] = '\0';
    (void)snprintf(gate->url, sizeof(gate->url), "%.*s", (int)target.url.len, target.url.at);
    street->why[0] = '\0';
    pw_trust_begin(gate->keeper);
    bool tls = pw_str_starts(target.url, "wss://");
    if (tls != gate->tls) {
        (void)snprintf(street->why, sizeof(street->why), "it speaks another protocol");
        return false;
    }
    if (tls && !handshake(gate, &target, street)) {
        return false;
    }
    struct pw_str wanted = {.at = gate->password, .len = gate->password_len};
    if (gate->password != NULL && !pw_str_eq(wanted, target.password)) {
        street->refused = PW_SECURITY_FAULT_REFUSED;
        (void)snprintf(street->why, sizeof(street->why), "the server answered HTTP 401");
        return false;
    }
    gate->opened++;
    return rig_central.open(street);
}

static void hear(struct street *street, struct pw_str text)
{
    rig_central.hear(street, text);
}

static void closed(struct street *street)
{
    rig_central.closed(street);
}

// ---------------------------------------------------------------------------------------------

static const struct street_central behind_gate = {.open = arrives, .hear = hear, .closed = closed};

pw_unix_ms gate_wall(const struct rig *r)
{
    return rig_wall(r);
}

struct rig *gate_open(struct gate *gate, bool root_check)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    memset(gate, 0, sizeof(*gate));
    the_gate = gate;
    struct rig *r = rig_open(RIG_SOCKET);
    pw_unix_ms now = gate_wall(r);
    folder_make(&gate->folder);
    const struct pw_vault_options key = {.folder = gate->folder.path, .tpm = PW_VAULT_TPM_OFF};
    int opened = pw_vault_open(&gate->vault, &key, &why);
    PW_ASSERT(opened == PW_OK);
    gate->keeper =
        pw_trust_open(gate->folder.path, "", root_check, pw_vault_port(gate->vault), NULL, &why);
    PW_ASSERT(gate->keeper != NULL);
    gate->trust = pw_trust_port(gate->keeper);
    gate->root = authority_make(NULL, AUTHORITY_CA, "root", NULL, 0, now - AUTHORITY_DAY,
                                now + 3650 * AUTHORITY_DAY);
    gate_serve(gate, &gate->root, GATE_HOST, NULL, now - AUTHORITY_DAY, now + 3650 * AUTHORITY_DAY);
    r->street.central = &behind_gate;
    r->street.trust = &gate->trust;
    rig_set(r, "ocpp.url", "ws://" GATE_HOST "/ocpp");
    rig_set(r, "station.serial", GATE_SERIAL);
    rig_set(r, "ocpp.cpo_name", "Operator");
    rig_set(r, "ocpp.additional_root_check", root_check ? "true" : "false");
    return r;
}

void gate_close(struct rig *r, struct gate *gate)
{
    rig_close(r);
    pw_trust_close(gate->keeper);
    pw_vault_close(gate->vault);
    authority_free(&gate->root);
    authority_free(&gate->server);
    folder_remove(&gate->folder);
}

void gate_serve(struct gate *gate, const struct authority *by, const char *cn, const char *names,
                pw_unix_ms from, pw_unix_ms to)
{
    if (gate->server.key != NULL) {
        authority_free(&gate->server);
    }
    gate->server = authority_make(by, AUTHORITY_SERVER, cn, names, 0, from, to);
}

// In JSON a line's end is "\n".
static void put_escaped(struct pw_out *out, const char *pem)
{
    for (; *pem != '\0'; pem++) {
        pw_put_s(out, *pem == '\n' ? "\\n" : (const char[]){*pem, '\0'});
    }
}

static const char *ask_with(struct rig *r, const char *action, const char *before,
                            X509 *certificate)
{
    static char request[AUTHORITY_PEM_MAX + 1024];
    char pem[AUTHORITY_PEM_MAX] = "";
    struct pw_out out = PW_OUT(request);
    authority_pem(certificate, pem);
    pw_put_s(&out, before);
    put_escaped(&out, pem);
    pw_put_s(&out, "'}");
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    return rig_text(rig_ask(r, action, request), "status");
}

const char *gate_install(struct rig *r, const char *type, X509 *certificate)
{
    char before[120];
    (void)snprintf(before, sizeof(before), "{'certificateType':'%s','certificate':'", type);
    return ask_with(r, "InstallCertificate", before, certificate);
}

const char *gate_sign(struct rig *r, const struct authority *by, pw_unix_ms from, pw_unix_ms to,
                      char serial[PW_TRUST_SERIAL_MAX])
{
    const cJSON *asked = rig_expect(r, "SignCertificate", "{'csr':'*'}");
    X509 *made = authority_sign(by, rig_text(asked, "csr"), from, to);
    if (serial != NULL) {
        BIGNUM *number = ASN1_INTEGER_to_BN(X509_get_serialNumber(made), NULL);
        char *text = BN_bn2hex(number);
        (void)snprintf(serial, PW_TRUST_SERIAL_MAX, "%s", text + strspn(text, "0"));
        OPENSSL_free(text);
        BN_free(number);
    }
    const char *status = ask_with(r, "CertificateSigned", "{'certificateChain':'", made);
    X509_free(made);
    return status;
}

const char *gate_certify(struct rig *r, const struct authority *by, pw_unix_ms from, pw_unix_ms to,
                         char serial[PW_TRUST_SERIAL_MAX])
{
    rig_is(
        r,
        rig_ask(r, "ExtendedTriggerMessage", "{'requestedMessage':'SignChargePointCertificate'}"),
        "{'status':'Accepted'}");
    return gate_sign(r, by, from, to, serial);
}

void gate_wait(struct rig *r, const struct gate *gate, unsigned opened)
{
    for (int i = 0; i < 1200 && (gate->opened <= opened || !r->street.link); i++) {
        rig_run(r, 100);
    }
    if (gate->opened <= opened) {
        rig_fail(r, "no connection within two minutes, after %u tries: %s", gate->tries,
                 r->street.why);
    }
}

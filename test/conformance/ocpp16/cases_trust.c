// Cases of the part "trust" (cases.def): one function each, named case_<function>. Keys and
// certificates are real (gate.h).
#include "cases.h"
#include "gate.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CENTRAL_ROOT       "CentralSystemRootCertificate"
#define MAKER_ROOT         "ManufacturerRootCertificate"
#define KEY                "a-key-that-is-long-enough"
#define HEX_KEY            "00112233445566778899AABBCCDDEEFF00112233"
#define IS(text, expected) rig_check(r, strcmp(text, expected) == 0)

static struct gate gate; // one case a process

static void expect_password(const char *password, size_t len)
{
    gate.password = password;
    gate.password_len = len;
}

// A station with its key, booted in profile 1.
static struct rig *open_basic(bool root_check)
{
    struct rig *r = gate_open(&gate, root_check);
    street_secret(&r->street, "ocpp.authorization_key", KEY);
    rig_set(r, "ocpp.security_profile", "1");
    expect_password(KEY, strlen(KEY));
    rig_boot(r);
    return r;
}

// Raised to a profile by what the whitepaper wants before it.
static struct rig *open_profile(unsigned profile, bool root_check)
{
    struct rig *r = open_basic(root_check);
    pw_unix_ms now = gate_wall(r);
    IS(gate_install(r, CENTRAL_ROOT, gate.root.certificate), "Accepted");
    gate.tls = profile >= 2;
    unsigned opened = gate.opened;
    if (profile == 3) {
        gate.mutual = true;
        gate.password = NULL;
        IS(gate_certify(r, &gate.root, now - AUTHORITY_DAY, now + 300 * AUTHORITY_DAY, NULL),
           "Accepted");
    }
    rig_configure(r, "SecurityProfile", profile == 3 ? "3" : "2", "Accepted");
    gate_wait(r, &gate, opened);
    return r;
}

static unsigned count_log(const struct rig *r, enum pw_security_event_kind kind)
{
    const struct pw_seclog *log = &r->street.station->security.seclog;
    struct pw_seclog_record record;
    unsigned count = 0;
    for (uint32_t i = pw_seclog_oldest(log); i != 0 && i <= log->newest; i++) {
        count += pw_seclog_read(log, i, &record) == PW_OK && record.kind == kind ? 1 : 0;
    }
    return count;
}

// ---------------------------------------------------------------------------------------------
// Keys.

void case_a_073(void)
{
    struct rig *r = open_basic(false);
    static const char bytes[] = {0,          0x11,       0x22,       0x33,       0x44,
                                 0x55,       0x66,       0x77,       (char)0x88, (char)0x99,
                                 (char)0xAA, (char)0xBB, (char)0xCC, (char)0xDD, (char)0xEE,
                                 (char)0xFF, 0,          0x11,       0x22,       0x33};
    unsigned opened = gate.opened;
    rig_configure(r, "AuthorizationKey", HEX_KEY, "Accepted"); // the answer comes before the end
    expect_password(bytes, sizeof(bytes));
    gate_wait(r, &gate, opened);
    rig_expect(r, "SecurityEventNotification",
               "{'type':'ReconfigurationOfSecurityParameters','techInfo':'AuthorizationKey'}");
    opened = gate.opened;
    rig_configure(r, "AuthorizationKey", KEY, "Accepted");
    expect_password(KEY, strlen(KEY));
    gate_wait(r, &gate, opened);
    rig_check(r, count_log(r, PW_SECURITY_RECONFIGURED) == 2); // A01.FR.11
    // The disk is slow and the power goes before the new key is safe: nobody was told of it, and
    // the station comes back with the key that the central system has.
    opened = gate.opened;
    r->street.store.lag = 1000;
    rig_post(r, "ChangeConfiguration", "{'key':'AuthorizationKey','value':'" HEX_KEY "'}");
    rig_run(r, 300);
    rig_check(r, rig_answered(r) == NULL && gate.opened == opened);
    rig_power_off(r);
    r->street.store.lag = 0;
    rig_power_on(r);
    gate_wait(r, &gate, opened);
    expect_password(KEY, strlen(KEY));
    gate_close(r, &gate);
}

void case_b_59(void)
{
    static struct pw_logring ring;
    static uint8_t bytes[65536];
    static char lines[65536];
    struct rig *r = gate_open(&gate, false);
    pw_logring_init(&ring, bytes, sizeof(bytes));
    r->street.logring = &ring;
    street_secret(&r->street, "ocpp.authorization_key", KEY);
    rig_boot(r);
    rig_check(r, rig_key(r, "AuthorizationKey") == NULL ||
                     strstr(rig_key(r, "AuthorizationKey"), KEY) == NULL);
    rig_check(r, !rig_key_readonly(r, "AuthorizationKey"));
    unsigned opened = gate.opened;
    rig_configure(r, "AuthorizationKey", "too-short", "Rejected");
    rig_configure(r, "AuthorizationKey", "another-key-that-is-long", "Accepted");
    gate_wait(r, &gate, opened);
    static const char *const commands[] = {"get", "get AuthorizationKey", "json status", "seclog",
                                           "json seclog 90"};
    for (size_t i = 0; i < PW_COUNT(commands); i++) {
        const char *answer = rig_console(r, commands[i]);
        rig_check(r, strstr(answer, "key-that-is-long") == NULL);
        rig_check(r, strstr(answer, "too-short") == NULL);
    }
    struct pw_out out = PW_OUT(lines);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        pw_put_c(&out, bytes[i] == 0 ? ' ' : (char)bytes[i]);
    }
    rig_check(r, strstr(lines, "key-that-is-long") == NULL && strstr(lines, "too-short") == NULL);
    gate_close(r, &gate);
}

// ---------------------------------------------------------------------------------------------
// Our certificate.

void case_a_074(void)
{
    struct rig *r = open_profile(3, false);
    char first[PW_TRUST_SERIAL_MAX];
    char second[PW_TRUST_SERIAL_MAX];
    (void)snprintf(first, sizeof(first), "%s", gate.shown);
    rig_check(r, first[0] != '\0');
    unsigned opened = gate.opened;
    pw_unix_ms now = gate_wall(r);
    IS(gate_certify(r, &gate.root, now - 1000, now + 200 * AUTHORITY_DAY, second), "Accepted");
    gate_wait(r, &gate, opened);
    IS(gate.shown, second);
    rig_check(r, strcmp(first, second) != 0);
    // It is asked for without being told as well, a month before its end (A03.FR.02).
    opened = gate.opened;
    r->street.wall += 175 * AUTHORITY_DAY;
    rig_answer(r, "Heartbeat", "{'currentTime':'$NOW'}", 0);
    rig_ask(r, "TriggerMessage", "{'requestedMessage':'Heartbeat'}");
    rig_run(r, 2 * 3600 * 1000);
    now = gate_wall(r);
    IS(gate_sign(r, &gate.root, now - 1000, now + 300 * AUTHORITY_DAY, second), "Accepted");
    gate_wait(r, &gate, opened);
    IS(gate.shown, second);
    // And nothing further once that is done.
    rig_expect_none(r, "SignCertificate", "{}", 3 * 24 * 3600 * 1000);
    gate_close(r, &gate);
}

void case_a_077(void)
{
    struct rig *r = open_basic(false);
    pw_unix_ms now = gate_wall(r);
    struct authority stranger = authority_make(NULL, AUTHORITY_CA, "stranger", NULL, 0,
                                               now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
    IS(gate_install(r, CENTRAL_ROOT, gate.root.certificate), "Accepted");
    IS(gate_certify(r, &stranger, now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY, NULL), "Rejected");
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidChargePointCertificate'}");
    IS(gate_certify(r, &gate.root, now - 9 * AUTHORITY_DAY, now - AUTHORITY_DAY, NULL), "Rejected");
    rig_expect(r, "SecurityEventNotification",
               "{'type':'InvalidChargePointCertificate','techInfo':'certificate has expired'}");
    rig_is(r, rig_ask(r, "CertificateSigned", "{'certificateChain':'no certificate'}"),
           "{'status':'Rejected'}");
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidChargePointCertificate'}");
    rig_configure(r, "SecurityProfile", "3", "Rejected"); // nothing was kept
    authority_free(&stranger);
    gate_close(r, &gate);
}

// ---------------------------------------------------------------------------------------------
// The log.

void case_a_079(void)
{
    static struct pw_sim_files files;
    struct rig *r = gate_open(&gate, false);
    pw_sim_files_init(&files);
    street_files(&r->street, &files);
    street_secret(&r->street, "ocpp.authorization_key", KEY);
    rig_boot(r);
    IS(gate_install(r, MAKER_ROOT, gate.root.certificate), "Accepted");
    rig_is(r,
           rig_ask(r, "GetLog",
                   "{'logType':'SecurityLog','requestId':5,"
                   "'log':{'remoteLocation':'ftp://user:hush@192.0.2.7/in'}}"),
           "{'status':'Accepted','filename':'*'}");
    rig_expect(r, "LogStatusNotification", "{'status':'Uploading','requestId':5}");
    rig_expect(r, "LogStatusNotification", "{'status':'Uploaded','requestId':5}");
    // Every record is in it, and nothing that is secret.
    const struct pw_seclog *log = &r->street.station->security.seclog;
    struct pw_seclog_record record;
    files.taken[files.taken_len] = '\0';
    for (uint32_t i = 1; i <= log->newest; i++) {
        char line[PW_SECLOG_LINE_MAX];
        struct pw_out out = PW_OUT(line);
        rig_check(r, pw_seclog_read(log, i, &record) == PW_OK);
        pw_seclog_put(&out, &record);
        rig_check(r, strstr(files.taken, line) != NULL);
    }
    rig_check(r, log->newest >= 1 && strstr(files.taken, KEY) == NULL);
    // The chain is whole; a record that somebody changes in the store shows.
    rig_check(r, strstr(rig_console(r, "seclog check"), "checked") != NULL);
    rig_seconds(r, 2);
    rig_check(r, strstr(rig_console(r, "seclog"), "chain whole") != NULL);
    gate_close(r, &gate);
    pw_sim_files_free(&files);
}

// ---------------------------------------------------------------------------------------------
// Roots.

static void install_and_list(const char *type, const char *other)
{
    struct rig *r = open_basic(false);
    char ask[100];
    char ask_other[100];
    (void)snprintf(ask, sizeof(ask), "{'certificateType':'%s'}", type);
    (void)snprintf(ask_other, sizeof(ask_other), "{'certificateType':'%s'}", other);
    rig_is(r, rig_ask(r, "GetInstalledCertificateIds", ask), "{'status':'NotFound'}");
    IS(gate_install(r, type, gate.root.certificate), "Accepted");
    rig_is(r, rig_ask(r, "GetInstalledCertificateIds", ask),
           "{'status':'Accepted','certificateHashData':[{'hashAlgorithm':'SHA256',"
           "'issuerNameHash':'*','issuerKeyHash':'*','serialNumber':'*'}]}");
    rig_is(r, rig_ask(r, "GetInstalledCertificateIds", ask_other), "{'status':'NotFound'}");
    // What is no root: Rejected (M05.FR.06), and twice the same is still one.
    IS(gate_install(r, type, gate.server.certificate), "Rejected");
    IS(gate_install(r, type, gate.root.certificate), "Accepted");
    // It is there after a power cut.
    rig_reboot(r);
    rig_boot(r);
    rig_is(r, rig_ask(r, "GetInstalledCertificateIds", ask), "{'status':'Accepted'}");
    rig_check(r, cJSON_GetArraySize(rig_at(rig_ask(r, "GetInstalledCertificateIds", ask),
                                           "certificateHashData")) == 1);
    gate_close(r, &gate);
}

void case_a_075_1(void)
{
    install_and_list(CENTRAL_ROOT, MAKER_ROOT);
}

void case_a_075_2(void)
{
    install_and_list(MAKER_ROOT, CENTRAL_ROOT);
}

static const char *delete_listed(struct rig *r, const char *ask)
{
    char request[600];
    const cJSON *listed = rig_ask(r, "GetInstalledCertificateIds", ask);
    (void)snprintf(request, sizeof(request),
                   "{'certificateHashData':{'hashAlgorithm':'SHA256','issuerNameHash':'%s',"
                   "'issuerKeyHash':'%s','serialNumber':'%s'}}",
                   rig_text(listed, "certificateHashData.0.issuerNameHash"),
                   rig_text(listed, "certificateHashData.0.issuerKeyHash"),
                   rig_text(listed, "certificateHashData.0.serialNumber"));
    return rig_text(rig_ask(r, "DeleteCertificate", request), "status");
}

void case_a_076(void)
{
    struct rig *r = open_profile(2, false);
    pw_unix_ms now = gate_wall(r);
    // The one that vouches for this connection stays (M04.FR.06).
    IS(delete_listed(r, "{'certificateType':'" CENTRAL_ROOT "'}"), "Failed");
    struct authority maker = authority_make(NULL, AUTHORITY_CA, "maker", NULL, 2048,
                                            now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
    IS(gate_install(r, MAKER_ROOT, maker.certificate), "Accepted");
    IS(delete_listed(r, "{'certificateType':'" MAKER_ROOT "'}"), "Accepted");
    rig_is(r, rig_ask(r, "GetInstalledCertificateIds", "{'certificateType':'" MAKER_ROOT "'}"),
           "{'status':'NotFound'}");
    rig_is(r,
           rig_ask(r, "DeleteCertificate",
                   "{'certificateHashData':{'hashAlgorithm':'SHA256','issuerNameHash':'AA',"
                   "'issuerKeyHash':'BB','serialNumber':'CC'}}"),
           "{'status':'NotFound'}");
    // CertificateStoreMaxLength (M05.FR.03): the tenth fits, the eleventh does not.
    for (int i = 0; i < 10; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "root %d", i);
        struct authority more = authority_make(NULL, AUTHORITY_CA, name, NULL, 0,
                                               now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
        IS(gate_install(r, CENTRAL_ROOT, more.certificate), i < 9 ? "Accepted" : "Rejected");
        authority_free(&more);
    }
    authority_free(&maker);
    gate_close(r, &gate);
}

void case_b_62(void)
{
    struct rig *r = open_profile(2, true);
    pw_unix_ms now = gate_wall(r);
    struct authority stranger = authority_make(NULL, AUTHORITY_CA, "stranger", NULL, 0,
                                               now - AUTHORITY_DAY, now + 900 * AUTHORITY_DAY);
    struct authority next = authority_make(&gate.root, AUTHORITY_CA, "next root", NULL, 0,
                                           now - AUTHORITY_DAY, now + 900 * AUTHORITY_DAY);
    IS(rig_key(r, "AdditionalRootCertificateCheck"), "true");
    IS(gate_install(r, CENTRAL_ROOT, stranger.certificate), "Rejected"); // M05.FR.10
    IS(gate_install(r, CENTRAL_ROOT, next.certificate), "Accepted");     // M05.FR.11
    const cJSON *listed =
        rig_ask(r, "GetInstalledCertificateIds", "{'certificateType':'" CENTRAL_ROOT "'}");
    rig_check(r, cJSON_GetArraySize(rig_at(listed, "certificateHashData")) == 1); // M05.FR.08
    // The central system still has its old certificate: the old root helps (M05.FR.13).
    unsigned opened = gate.opened;
    rig_cut(r);
    gate_wait(r, &gate, opened);
    // It changes to one of the new root: with that the old root has done its service (M05.FR.12),
    // and the new one is enough although it did not sign itself.
    gate_serve(&gate, &next, GATE_HOST, NULL, now - AUTHORITY_DAY, now + 300 * AUTHORITY_DAY);
    for (int i = 0; i < 2; i++) {
        opened = gate.opened;
        rig_cut(r);
        gate_wait(r, &gate, opened);
    }
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, now - AUTHORITY_DAY, now + 300 * AUTHORITY_DAY);
    opened = gate.opened;
    rig_cut(r);
    rig_seconds(r, 120);
    rig_check(r, gate.opened == opened);
    authority_free(&stranger);
    authority_free(&next);
    gate_close(r, &gate);
}

// ---------------------------------------------------------------------------------------------
// Profiles.

void case_a_083(void)
{
    struct rig *r = open_profile(2, false);
    pw_unix_ms now = gate_wall(r);
    IS(rig_key(r, "SecurityProfile"), "2");
    rig_check(r, strncmp(gate.url, "wss://", 6) == 0);
    IS(gate_certify(r, &gate.root, now - AUTHORITY_DAY, now + 300 * AUTHORITY_DAY, NULL),
       "Accepted");
    unsigned opened = gate.opened;
    gate.mutual = true;
    expect_password("", 0); // A00.FR.401: the certificate instead
    rig_configure(r, "SecurityProfile", "3", "Accepted");
    gate_wait(r, &gate, opened);
    rig_check(r, gate.shown[0] != '\0');
    rig_reboot(r);
    rig_boot(r);
    IS(rig_key(r, "SecurityProfile"), "3");
    gate_close(r, &gate);
}

void case_a_084(void)
{
    struct rig *r = open_profile(3, false);
    unsigned opened = gate.opened;
    static const char *const values[] = {"3", "2", "1", "0", "4", "-1", "x", ""};
    for (size_t i = 0; i < PW_COUNT(values); i++) {
        rig_configure(r, "SecurityProfile", values[i], "Rejected");
    }
    rig_seconds(r, 60);
    rig_check(r, gate.opened == opened && r->street.link); // no new connection either
    IS(rig_key(r, "SecurityProfile"), "3");
    gate_close(r, &gate);
}

void case_b_60(void)
{
    struct rig *r = gate_open(&gate, false);
    expect_password("", 0);
    rig_boot(r);
    pw_unix_ms now = gate_wall(r);
    rig_configure(r, "SecurityProfile", "1", "Rejected"); // A05.FR.02: no key
    rig_configure(r, "SecurityProfile", "2", "Rejected");
    rig_configure(r, "SecurityProfile", "3", "Rejected");
    expect_password(KEY, strlen(KEY));
    unsigned opened = gate.opened;
    rig_configure(r, "AuthorizationKey", KEY, "Accepted");
    gate_wait(r, &gate, opened);
    rig_configure(r, "SecurityProfile", "2", "Rejected"); // A05.FR.03: no root
    struct authority brief = authority_make(NULL, AUTHORITY_CA, "brief", NULL, 0,
                                            now - AUTHORITY_DAY, now + AUTHORITY_DAY);
    IS(gate_install(r, CENTRAL_ROOT, brief.certificate), "Accepted");
    r->street.wall += 2 * AUTHORITY_DAY;
    rig_ask(r, "TriggerMessage", "{'requestedMessage':'Heartbeat'}");
    rig_seconds(r, 10);
    rig_configure(r, "SecurityProfile", "2", "Rejected"); // ... or none that is valid
    IS(gate_install(r, CENTRAL_ROOT, gate.root.certificate), "Accepted");
    rig_configure(r, "SecurityProfile", "3", "Rejected"); // A05.FR.04: no certificate
    // The central system is not ready for it: back after three tries (A05.FR.08), and after a power
    // cut in the middle of them as well.
    for (int cut = 0; cut < 2; cut++) {
        opened = gate.opened;
        unsigned tries = gate.tries;
        rig_configure(r, "SecurityProfile", "2", "Accepted");
        if (cut == 1) {
            rig_seconds(r, 1);
            rig_reboot(r);
        }
        gate_wait(r, &gate, opened);
        rig_check(r, cut == 1 || gate.tries == tries + 4);
        rig_check(r, strncmp(gate.url, "ws://", 5) == 0);
        rig_seconds(r, 30);
        IS(rig_key(r, "SecurityProfile"), "0");
    }
    // Once it has connected it is never given up.
    gate.tls = true;
    opened = gate.opened;
    rig_configure(r, "SecurityProfile", "2", "Accepted");
    gate_wait(r, &gate, opened);
    gate.tls = false;
    rig_cut(r);
    rig_run(r, 2 * 3600 * 1000);
    rig_check(r, strncmp(gate.url, "wss://", 6) == 0 && !r->street.link);
    authority_free(&brief);
    gate_close(r, &gate);
}

void case_a_085(void)
{
    struct rig *r = open_basic(false);
    unsigned opened = gate.opened;
    rig_check(r, strcmp(gate.url, "ws://" GATE_HOST "/ocpp") == 0);
    // With every connection request (A00.FR.203); who refuses it is recorded.
    rig_cut(r);
    gate_wait(r, &gate, opened);
    expect_password("something else", 14);
    rig_cut(r);
    rig_seconds(r, 30);
    rig_check(r, !r->street.link && gate.tries > opened + 3);
    expect_password(KEY, strlen(KEY));
    gate_wait(r, &gate, opened + 1);
    rig_expect(r, "SecurityEventNotification", "{'type':'FailedToAuthenticationAtCentralSystem'}");
    rig_check(r, count_log(r, PW_SECURITY_REFUSED_BY_CENTRAL) == 1);
    gate_close(r, &gate);
}

void case_a_086(void)
{
    struct rig *r = open_profile(2, false);
    static const char *const suites[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                                         "ECDHE-ECDSA-AES256-GCM-SHA384"};
    rig_check(r, strncmp(gate.suite, "TLS_AES_", 8) == 0); // TLS 1.3
    rig_check(r, gate.shown[0] == '\0');
    gate.most_version = TLS1_2_VERSION;
    for (size_t i = 0; i < PW_COUNT(suites); i++) {
        unsigned opened = gate.opened;
        gate.ciphers = suites[i];
        rig_cut(r);
        gate_wait(r, &gate, opened);
        IS(gate.suite, suites[i]);
    }
    gate_close(r, &gate);
}

void case_a_087(void)
{
    struct rig *r = open_profile(3, false);
    rig_check(r, gate.shown[0] != '\0');
    // A central system that does not ask for the certificate is in another profile (A00.FR.003).
    unsigned opened = gate.opened;
    gate.mutual = false;
    rig_cut(r);
    rig_seconds(r, 60);
    rig_check(r, gate.opened == opened && !r->street.link);
    gate.mutual = true;
    gate_wait(r, &gate, opened);
    rig_expect(r, "SecurityEventNotification", "{'type':'CentralSystemFailedToAuthentication'}");
    // A certificate that it refuses: the station goes back to the one before (A02.FR.10).
    char before[PW_TRUST_SERIAL_MAX];
    (void)snprintf(before, sizeof(before), "%s", gate.shown);
    pw_unix_ms now = gate_wall(r);
    struct authority other = authority_make(NULL, AUTHORITY_CA, "other", NULL, 0,
                                            now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
    IS(gate_install(r, CENTRAL_ROOT, other.certificate), "Accepted");
    opened = gate.opened;
    IS(gate_certify(r, &other, now - 1000, now + 80 * AUTHORITY_DAY, NULL), "Accepted");
    gate_wait(r, &gate, opened);
    IS(gate.shown, before);
    authority_free(&other);
    gate_close(r, &gate);
}

// ---------------------------------------------------------------------------------------------
// Whom the station turns away.

// Nobody is talked to while the server is so; afterwards the central system hears of it, once.
static void is_turned_away(struct rig *r, enum pw_security_event_kind kind, const char *what)
{
    char subset[120];
    unsigned opened = gate.opened;
    unsigned tries = gate.tries;
    unsigned recorded = count_log(r, kind);
    rig_cut(r);
    rig_run(r, 3600 * 1000);
    RIG_AT(r);
    if (gate.opened != opened || gate.tries < tries + 5) {
        rig_fail(r, "%s: %u connections, %u tries", what, gate.opened - opened, gate.tries - tries);
    }
    if (count_log(r, kind) != recorded + 1) {
        rig_fail(r, "%s: recorded %u times: %s", what, count_log(r, kind) - recorded,
                 r->street.why);
    }
    if (strncmp(gate.url, "wss://", 6) != 0) {
        rig_fail(r, "%s: it fell to a lower profile", what);
    }
    (void)snprintf(subset, sizeof(subset), "{'type':'%s'}", pw_security_event_name(kind));
    gate.most_version = 0;
    gate.ciphers = NULL;
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, gate_wall(r) - AUTHORITY_DAY,
               gate_wall(r) + 300 * AUTHORITY_DAY);
    for (int i = 0; i < 10 && gate.opened == opened; i++) {
        rig_run(r, 120 * 1000); // back-off has grown to ten minutes
    }
    gate_wait(r, &gate, opened);
    rig_expect(r, "SecurityEventNotification", subset);
}

void case_a_078(void)
{
    struct rig *r = open_profile(2, false);
    gate_serve(&gate, NULL, GATE_HOST, NULL, gate_wall(r) - AUTHORITY_DAY,
               gate_wall(r) + AUTHORITY_DAY);
    is_turned_away(r, PW_SECURITY_CENTRAL_CERTIFICATE, "a certificate that signed itself");
    gate_close(r, &gate);
}

void case_b_58(void)
{
    struct rig *r = open_profile(2, false);
    pw_unix_ms now = gate_wall(r);
    gate_serve(&gate, &gate.root, "somebody.example", NULL, now - AUTHORITY_DAY,
               now + 90 * AUTHORITY_DAY);
    unsigned tries = gate.tries;
    rig_cut(r);
    rig_run(r, 6 * 3600 * 1000);
    rig_check(r, gate.tries > tries + 25);
    rig_check(r, count_log(r, PW_SECURITY_CENTRAL_CERTIFICATE) == 1);
    // Another fault is another record.
    gate_serve(&gate, NULL, GATE_HOST, NULL, now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
    rig_run(r, 6 * 3600 * 1000);
    rig_check(r, count_log(r, PW_SECURITY_CENTRAL_CERTIFICATE) == 2);
    gate_close(r, &gate);
}

static void a_hundred_certificates(struct rig *r)
{
    pw_unix_ms now = gate_wall(r);
    struct authority chain[8];
    const struct authority *above = &gate.root;
    for (size_t i = 0; i < PW_COUNT(chain); i++) {
        chain[i] = authority_make(above, AUTHORITY_CA, "one of many", NULL, 0, now - AUTHORITY_DAY,
                                  now + 90 * AUTHORITY_DAY);
        above = &chain[i];
    }
    gate_serve(&gate, above, GATE_HOST, NULL, now - AUTHORITY_DAY, now + 90 * AUTHORITY_DAY);
    is_turned_away(r, PW_SECURITY_CENTRAL_CERTIFICATE, "a chain without end");
    for (size_t i = 0; i < PW_COUNT(chain); i++) {
        authority_free(&chain[i]);
    }
}

void case_b_61(void)
{
    struct rig *r = open_profile(2, false);
    pw_unix_ms now = gate_wall(r);
    pw_unix_ms from = now - AUTHORITY_DAY;
    pw_unix_ms to = now + 300 * AUTHORITY_DAY;
    static const char *const names[] = {"DNS:" GATE_HOST,
                                        "DNS:other.example,DNS:*.central.example"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        unsigned opened = gate.opened;
        gate_serve(&gate, &gate.root, "x", names[i], from, to);
        rig_cut(r);
        gate_wait(r, &gate, opened);
    }
    gate_serve(&gate, &gate.root, GATE_HOST, "DNS:other.example", from, to);
    is_turned_away(r, PW_SECURITY_CENTRAL_CERTIFICATE, "a name that is not among the names");
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, from - AUTHORITY_DAY, from);
    is_turned_away(r, PW_SECURITY_CENTRAL_CERTIFICATE, "an expired certificate");
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, gate_wall(r) + AUTHORITY_DAY,
               to + 9 * AUTHORITY_DAY);
    is_turned_away(r, PW_SECURITY_CENTRAL_CERTIFICATE, "a certificate of tomorrow");
    a_hundred_certificates(r);
    gate.most_version = TLS1_1_VERSION;
    gate.ciphers = "DEFAULT:@SECLEVEL=0";
    is_turned_away(r, PW_SECURITY_TLS_VERSION, "TLS 1.1");
    gate.most_version = TLS1_2_VERSION;
    gate.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:aNULL:eNULL";
    is_turned_away(r, PW_SECURITY_TLS_SUITE, "suites that are not the whitepaper's");
    gate_close(r, &gate);
}

void case_b_57(void)
{
    static const char *const tests[] = {"a_peer_that_answers_no_ping_is_dropped_within_a_minute"};
    struct rig *r = gate_open(&gate, false);
    rig_boot(r);
    // The port says that no pong came: at once a try, then fewer and fewer, at last every ten
    // minutes at the most (erratum J 3.4); charging and the rest go on meanwhile.
    gate.tls = true; // nobody there speaks its protocol
    unsigned first = gate.tries;
    unsigned seen = first;
    pw_ms last = r->street.now;
    pw_ms longest = 0;
    rig_cut(r);
    for (int i = 0; i < 36000; i++) {
        rig_run(r, 100);
        if (gate.tries != seen) {
            longest = r->street.now - last > longest ? r->street.now - last : longest;
            last = r->street.now;
            seen = gate.tries;
        }
    }
    rig_check(r, seen - first >= 10 && seen - first <= 30);
    rig_check(r, longest >= 250000 && longest <= 600500);
    gate.tls = false;
    rig_run(r, 601000);
    rig_check(r, r->street.link);
    gate_close(r, &gate);
    rig_shown_by("test/port/test_port_wsclient", tests, PW_COUNT(tests));
}

// ---------------------------------------------------------------------------------------------
// Attacks (facts/reliability.md).

// A server as bad as it is now for a quarter of an hour, longer than the back-off, while a charge
// goes on.
static void is_bad(struct rig *r, const char *what)
{
    unsigned opened = gate.opened;
    unsigned tries = gate.tries;
    rig_cut(r);
    for (int i = 0; i < 900; i++) {
        rig_seconds(r, 1);
        if (!rig_energy_flows(r)) {
            rig_fail(r, "%s: the charge ends with the link", what);
        }
    }
    if (gate.opened != opened || gate.tries == tries || strncmp(gate.url, "wss://", 6) != 0) {
        rig_fail(r, "%s: %u connections, %u tries, at last %s", what, gate.opened - opened,
                 gate.tries - tries, gate.url);
    }
    gate.most_version = 0;
    gate.ciphers = NULL;
    gate.between_count = 0;
}

static void is_good_again(struct rig *r)
{
    unsigned opened = gate.opened;
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, gate_wall(r) - AUTHORITY_DAY,
               gate_wall(r) + 300 * AUTHORITY_DAY);
    for (int i = 0; i < 10 && gate.opened == opened; i++) {
        rig_run(r, 120 * 1000);
    }
    gate_wait(r, &gate, opened);
}

// A hundred certificates between root and server; then one of 16 kB.
static void endless_certificates(struct rig *r)
{
    static char names[16384];
    enum { CHAIN = 100 };
    pw_unix_ms from = gate_wall(r) - AUTHORITY_DAY;
    pw_unix_ms to = gate_wall(r) + 90 * AUTHORITY_DAY;
    struct authority chain[CHAIN];
    X509 *between[CHAIN];
    const struct authority *above = &gate.root;
    for (unsigned i = 0; i < CHAIN; i++) {
        chain[i] = authority_make(above, AUTHORITY_CA, "one of many", NULL, 0, from, to);
        above = &chain[i];
        between[CHAIN - 1 - i] = chain[i].certificate;
    }
    gate_serve(&gate, above, GATE_HOST, NULL, from, to);
    gate.between = between;
    gate.between_count = CHAIN;
    is_bad(r, "a chain of a hundred");
    for (unsigned i = 0; i < CHAIN; i++) {
        authority_free(&chain[i]);
    }
    struct pw_out out = PW_OUT(names);
    for (unsigned i = 0; out.len < sizeof(names) - 64; i++) {
        pw_put_s(&out, i == 0 ? "DNS:" : ",DNS:");
        pw_put_int(&out, i);
        pw_put_s(&out, ".a-name-that-is-rather-long.example");
    }
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    gate_serve(&gate, &gate.root, "x", names, from, to);
    is_bad(r, "a certificate of 16 kB");
}

// Reason: stations on the market spoke without TLS, or did not look at the certificate.
void case_t_07(void)
{
    struct rig *r = open_profile(2, false);
    static const char *const suites[] = {"AES128-SHA:AES256-SHA:ECDHE-ECDSA-AES256-SHA384",
                                         "eNULL:NULL-SHA256:aNULL",
                                         "ECDHE-ECDSA-CHACHA20-POLY1305:AES128-SHA256"};
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
    rig_charge(r);
    for (size_t i = 0; i < PW_COUNT(versions); i++) {
        gate.most_version = versions[i];
        gate.ciphers = "DEFAULT:@SECLEVEL=0";
        is_bad(r, "an old version");
    }
    for (size_t i = 0; i < PW_COUNT(suites); i++) {
        gate.most_version = TLS1_2_VERSION;
        gate.ciphers = suites[i];
        is_bad(r, suites[i]);
    }
    pw_unix_ms now = gate_wall(r);
    gate_serve(&gate, NULL, GATE_HOST, NULL, now - AUTHORITY_DAY, now + AUTHORITY_DAY);
    is_bad(r, "a certificate that signed itself");
    gate_serve(&gate, &gate.root, "other.example", NULL, now - AUTHORITY_DAY, now + AUTHORITY_DAY);
    is_bad(r, "another host");
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, now - 2 * AUTHORITY_DAY, now - AUTHORITY_DAY);
    is_bad(r, "an expired certificate");
    gate_serve(&gate, &gate.root, GATE_HOST, NULL, now + AUTHORITY_DAY, now + 9 * AUTHORITY_DAY);
    is_bad(r, "a certificate of tomorrow");
    endless_certificates(r);
    gate.tls = false;
    is_bad(r, "a server without TLS");
    gate.tls = true;
    rig_check(r, count_log(r, PW_SECURITY_TLS_VERSION) >= 1);
    rig_check(r, count_log(r, PW_SECURITY_TLS_SUITE) >= 1);
    rig_check(r, count_log(r, PW_SECURITY_CENTRAL_CERTIFICATE) >= 4);
    is_good_again(r);
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidTLSVersion'}");
    rig_expect_too(r, "SecurityEventNotification", "{'type':'InvalidTLSCipherSuite'}");
    rig_expect_too(r, "SecurityEventNotification", "{'type':'InvalidCentralSystemCertificate'}");
    rig_check(r, rig_energy_flows(r) && rig_count(r, "StopTransaction", "{}", 0) == 0);
    gate_close(r, &gate);
}

// Reason: what may be lowered from afar will be lowered.
void case_t_08(void)
{
    static const char *const lower[] = {"2", "1", "0", "-1", "4", "", "3x"};
    static const char *const keys[] = {"", "short", "0123456789abcde", "with\\ncontrol-characters"};
    struct rig *r = open_profile(3, false);
    unsigned opened = gate.opened;
    for (size_t i = 0; i < PW_COUNT(lower); i++) {
        rig_configure(r, "SecurityProfile", lower[i], "Rejected");
    }
    for (size_t i = 0; i < PW_COUNT(keys); i++) {
        rig_configure(r, "AuthorizationKey", keys[i], "Rejected");
    }
    rig_seconds(r, 60);
    rig_check(r, gate.opened == opened && r->street.link);
    rig_reboot(r);
    rig_boot(r);
    IS(rig_key(r, "SecurityProfile"), "3");
    gate_close(r, &gate);
    // One that does not connect: the old one is back by itself.
    r = open_basic(false);
    IS(gate_install(r, CENTRAL_ROOT, gate.root.certificate), "Accepted");
    opened = gate.opened;
    rig_configure(r, "SecurityProfile", "2", "Accepted"); // and the server speaks no TLS
    gate_wait(r, &gate, opened);
    rig_seconds(r, 30);
    IS(rig_key(r, "SecurityProfile"), "1");
    gate_close(r, &gate);
}

// Cases of the part "files" (cases.def): one function each, named case_<function>. The server, the
// slots and the judge of certificates are the test's; a release is signed with the well-known test
// keys, and the signature that comes beside it is the first digits of its hash.
#include "cases.h"
#include "ed25519/ed25519.h"
#include "make.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_LEN = 70000, PROGRAM_LEN = 60000, RING_LEN = 65536 };

#define URL      "ftp://service:hush@192.0.2.7/in"
#define FIRMWARE "'location':'https://files.example/new','retrieveDate':'2020-01-01T00:00:00Z'"
#define SIGNED(signature, more)                                                                    \
    "{'requestId':7,'firmware':{'location':'https://files.example/new',"                           \
    "'retrieveDateTime':'2020-01-01T00:00:00Z','signingCertificate':'GOOD','signature':"           \
    "'" signature "'" more "}}"

struct depot {
    struct pw_sim_files files;
    struct pw_trust trust;
    struct pw_logring ring;
    uint8_t ring_bytes[RING_LEN];
    struct pw_release_crypto crypto;
    uint8_t program[PROGRAM_LEN];
    uint8_t image[IMAGE_LEN]; // the release
    size_t image_len;
    char signature[17]; // of the image
};

static int check_signer(void *context, struct pw_str pem, pw_unix_ms wall, struct pw_out *why)
{
    (void)context;
    (void)wall;
    if (pw_str_is(pem, "GOOD")) {
        return PW_OK;
    }
    pw_put_s(why, "no root of the manufacturer signed it");
    return PW_ERR_RANGE;
}

static int verify(void *context, struct pw_str pem, struct pw_str signature,
                  const uint8_t sha256[32], struct pw_out *why)
{
    char digits[17] = "";
    struct pw_out out = PW_OUT(digits);
    (void)context;
    (void)pem;
    for (unsigned i = 0; i < 8; i++) {
        pw_put_hex(&out, sha256[i], 2);
    }
    if (pw_str_is(signature, digits)) {
        return PW_OK;
    }
    pw_put_s(why, "it is the signature of something else");
    return PW_ERR_RANGE;
}

// What the station's security room asks besides.
static unsigned valid_roots(void *context, enum pw_trust_use use, pw_unix_ms wall)
{
    (void)context;
    (void)use;
    (void)wall;
    return 1;
}

static int own(void *context, pw_unix_ms wall, struct pw_trust_own *of)
{
    (void)context;
    (void)wall;
    (void)of;
    return PW_ERR_UNKNOWN;
}

static void connected(void *context, bool shown, pw_unix_ms wall)
{
    (void)context;
    (void)shown;
    (void)wall;
}

// The server has this release from now on.
static void stock(struct depot *depot, const struct pw_make *make)
{
    struct pw_make release = *make;
    struct pw_out out = PW_OUT(depot->signature);
    struct pw_sha256 hash;
    uint8_t digest[PW_SHA256_LEN];
    release.component[0] =
        (struct pw_make_component){.bytes = depot->program, .len = sizeof(depot->program)};
    depot->image_len = pw_make_release(&release, depot->image, sizeof(depot->image));
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, depot->image, depot->image_len);
    pw_sha256_end(&hash, digest);
    for (unsigned i = 0; i < 8; i++) {
        pw_put_hex(&out, digest[i], 2);
    }
    depot->files.file = depot->image;
    depot->files.file_len = depot->image_len;
}

static struct rig *open_depot(struct depot *depot)
{
    struct rig *r = rig_open(RIG_SOCKET);
    memset(depot, 0, sizeof(*depot));
    pw_sim_files_init(&depot->files);
    depot->files.root_len = pw_make_signed_root_1(depot->files.root, sizeof(depot->files.root));
    depot->crypto = pw_ed25519_crypto();
    for (size_t i = 0; i < PROGRAM_LEN; i++) {
        depot->program[i] = (uint8_t)(i * 7 + i / 251);
    }
    stock(depot, &(struct pw_make){.version = "1.0.0"});
    depot->trust = (struct pw_trust){.check_signer = check_signer,
                                     .verify = verify,
                                     .valid_roots = valid_roots,
                                     .own = own,
                                     .connected = connected};
    pw_logring_init(&depot->ring, depot->ring_bytes, sizeof(depot->ring_bytes));
    street_files(&r->street, &depot->files);
    r->street.crypto = &depot->crypto;
    r->street.verbose = getenv("RIG_VERBOSE") != NULL;
    r->street.trust = &depot->trust;
    r->street.logring = &depot->ring;
    return r;
}

static void close_depot(struct rig *r, struct depot *depot)
{
    rig_close(r);
    pw_sim_files_free(&depot->files);
}

// The text that was uploaded last, terminated.
static const char *text_of(struct depot *depot)
{
    depot->files.taken[depot->files.taken_len] = '\0';
    return depot->files.taken;
}

static void says_firmware(struct rig *r, const char *status)
{
    char subset[60];
    (void)snprintf(subset, sizeof(subset), "{'status':'%s'}", status);
    rig_expect_for(r, "FirmwareStatusNotification", subset, 600000);
}

static void says_signed(struct rig *r, const char *status)
{
    char subset[80];
    (void)snprintf(subset, sizeof(subset), "{'status':'%s','requestId':7}", status);
    rig_expect_for(r, "SignedFirmwareStatusNotification", subset, 600000);
}

// ---------------------------------------------------------------------------------------------
// Programs.

void case_a_044_1(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloading");
    says_firmware(r, "Downloaded");
    says_firmware(r, "Installing");
    rig_expect(r, "BootNotification", "{}");
    says_firmware(r, "Installed");
    rig_check(r, r->restarts == 1 && depot.files.slots.running == 'b');
    // Told once, and Idle when it is asked for (§4.5).
    rig_seconds(r, 60);
    rig_check(r, rig_count(r, "FirmwareStatusNotification", "{}", 0) == 4);
    (void)rig_ask(r, "TriggerMessage", "{'requestedMessage':'FirmwareStatusNotification'}");
    says_firmware(r, "Idle");
    close_depot(r, &depot);
}

void case_a_044_2(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    depot.files.file = NULL;
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE ",'retries':0}");
    says_firmware(r, "Downloading");
    says_firmware(r, "DownloadFailed");
    rig_expect_none(r, "FirmwareStatusNotification", "{}", 60000);
    close_depot(r, &depot);
}

void case_a_044_3(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    depot.files.switching_fails = true;
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloading");
    says_firmware(r, "Downloaded");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    says_firmware(r, "Installing");
    // Our own central is told why; OCPP has a word and nothing else.
    rig_expect(r, "DataTransfer",
               "{'vendorId':'org.pilotwire','messageId':'UpdateFailed','data':'*'}");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    says_firmware(r, "InstallationFailed");
    rig_check(r, depot.files.slots.running == 'a' && r->restarts == 0);
    close_depot(r, &depot);
}

// A central system that does not know why is told so once, whatever it answers, and hears the words
// of OCPP as before.
static void a_central_that_does_not_know_why_is_told_once(void)
{
    static const char *const answers[] = {"{'status':'UnknownVendorId'}",
                                          "{'status':'UnknownMessageId'}", "{'status':'Rejected'}",
                                          NULL};
    for (unsigned i = 0; i < PW_COUNT(answers); i++) {
        static struct depot depot;
        struct rig *r = open_depot(&depot);
        depot.files.switching_fails = true;
        if (answers[i] != NULL) {
            rig_answer(r, "DataTransfer", answers[i], 0);
        } else {
            rig_answer_error(r, "DataTransfer", "NotImplemented", 0);
        }
        rig_boot(r);
        for (unsigned failures = 0; failures < 2; failures++) {
            (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
            says_firmware(r, "Downloading");
            says_firmware(r, "InstallationFailed");
        }
        rig_check(r, rig_count(r, "DataTransfer", "{}", 0) == 1);
        close_depot(r, &depot);
    }
}

void case_a_080(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    char request[600];
    rig_boot(r);
    (void)snprintf(request, sizeof(request), SIGNED("%s", ""), depot.signature);
    rig_is(r, rig_ask(r, "SignedUpdateFirmware", request), "{'status':'Accepted'}");
    says_signed(r, "Downloading");
    says_signed(r, "Downloaded");
    says_signed(r, "SignatureVerified");
    says_signed(r, "Installing");
    says_signed(r, "InstallRebooting");
    rig_expect(r, "BootNotification", "{}");
    says_signed(r, "Installed");
    rig_expect(r, "SecurityEventNotification", "{'type':'FirmwareUpdated'}");
    rig_check(r, depot.files.slots.running == 'b');
    // L01.FR.28: after Installed a trigger is told Idle, without a number.
    (void)rig_ask(r, "ExtendedTriggerMessage", "{'requestedMessage':'FirmwareStatusNotification'}");
    rig_expect(r, "SignedFirmwareStatusNotification", "{'status':'Idle','requestId':null}");
    close_depot(r, &depot);
}

void case_a_081(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    rig_boot(r);
    rig_is(r, rig_ask(r, "SignedUpdateFirmware", SIGNED("0011223344556677", "")),
           "{'status':'Accepted'}");
    says_signed(r, "Downloading");
    says_signed(r, "Downloaded");
    says_signed(r, "InvalidSignature");
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidFirmwareSignature'}");
    rig_check(r, depot.files.slot_writes == 0); // T11: before a slot is touched
    // L01.FR.29: a trigger is told how it ended.
    (void)rig_ask(r, "ExtendedTriggerMessage", "{'requestedMessage':'FirmwareStatusNotification'}");
    says_signed(r, "InvalidSignature");
    // A certificate that the manufacturer did not sign is not even begun with (L01.FR.24).
    rig_is(r,
           rig_ask(r, "SignedUpdateFirmware",
                   "{'requestId':8,'firmware':{'location':'https://files.example/new',"
                   "'retrieveDateTime':'2020-01-01T00:00:00Z','signingCertificate':'OTHER',"
                   "'signature':'00'}}"),
           "{'status':'InvalidCertificate'}");
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidFirmwareSigningCertificate'}");
    close_depot(r, &depot);
}

// ---------------------------------------------------------------------------------------------
// Logs.

// T15: no secret and no whole card leaves with a text, whoever asked for it.
static void holds_no_secret(struct rig *r, struct depot *depot)
{
    static const char *const secrets[] = {"TAG-SECRET-0001", "AUTHKEY-0123456789", "hush",
                                          "PAGE-PASSWORD-1", "broker-password"};
    const char *text = text_of(depot);
    for (size_t i = 0; i < PW_COUNT(secrets); i++) {
        rig_check(r, strstr(text, secrets[i]) == NULL);
    }
    rig_check(r, strstr(text, "***********0001") != NULL); // it was there, and is masked
}

void case_a_045_1(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    street_secret(&r->street, "ocpp.authorization_key", "AUTHKEY-0123456789");
    street_secret(&r->street, "page.password", "PAGE-PASSWORD-1");
    rig_set(r, "mqtt.url", "mqtt://me:broker-password@broker.example");
    rig_boot(r);
    rig_plug(r);
    rig_card_at(r, 1, "TAG-SECRET-0001");
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-SECRET-0001'}");
    const cJSON *conf = rig_ask(r, "GetDiagnostics", "{'location':'" URL "'}");
    char name[128];
    (void)snprintf(name, sizeof(name), "%s", rig_text(conf, "fileName"));
    rig_check(r, name[0] != '\0' && strlen(name) <= 255);
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'Uploading'}");
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'Uploaded'}");
    rig_check(r, strcmp(depot.files.name, name) == 0);
    rig_check(r, strstr(text_of(&depot), "Pilotwire diagnostics") != NULL);
    rig_check(r, strstr(text_of(&depot), "=== log") != NULL);
    rig_check(r, strstr(text_of(&depot), "ocpp.authorization_key: ***") != NULL);
    holds_no_secret(r, &depot);
    // Once the charge has ended its card is in the list of charges.
    rig_unplug(r);
    rig_expect(r, "StopTransaction", "{}");
    (void)rig_ask(r, "GetLog",
                  "{'logType':'DiagnosticsLog','requestId':3,'log':{'remoteLocation':'" URL "'}}");
    rig_expect(r, "LogStatusNotification", "{'status':'Uploading','requestId':3}");
    rig_expect(r, "LogStatusNotification", "{'status':'Uploaded','requestId':3}");
    holds_no_secret(r, &depot);
    (void)rig_ask(r, "TriggerMessage", "{'requestedMessage':'DiagnosticsStatusNotification'}");
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'Idle'}");
    close_depot(r, &depot);
}

void case_a_045_2(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    depot.files.fails = PW_TRANSFER_UNREACHABLE;
    depot.files.failures = 3;
    rig_boot(r);
    (void)rig_ask(r, "GetDiagnostics", "{'location':'" URL "','retries':2,'retryInterval':10}");
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'Uploading'}");
    pw_ms begun = r->street.now;
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'UploadFailed'}");
    rig_check(r, depot.files.begun[PW_TRANSFER_UP] == 3); // the first and two retries
    rig_check(r, r->street.now >= begun + 20000);
    close_depot(r, &depot);
}

// ---------------------------------------------------------------------------------------------
// What the testing tool does not ask.

static void retries_and_a_date(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    char date[PW_TIME_TEXT_MAX] = "";
    char request[300];
    struct pw_out out = PW_OUT(date);
    rig_boot(r);
    // In an hour; a reboot lies between.
    pw_put_time(&out, rig_wall(r) + 3600000);
    (void)snprintf(request, sizeof(request),
                   "{'location':'ftp://files.example/new','retrieveDate':'%s','retries':2,"
                   "'retryInterval':30}",
                   date);
    (void)rig_ask(r, "UpdateFirmware", request);
    rig_expect_none(r, "FirmwareStatusNotification", "{}", 600000);
    rig_reboot(r);
    rig_expect(r, "BootNotification", "{}");
    rig_expect_none(r, "FirmwareStatusNotification", "{}", 2700000);
    // Two tries break off, the third goes on where the second one was.
    depot.files.fails = PW_TRANSFER_CUT;
    depot.files.failures = 2;
    depot.files.fail_at = 30000; // behind the head
    rig_expect_for(r, "FirmwareStatusNotification", "{'status':'Downloading'}", 700000);
    says_firmware(r, "Downloaded");
    // Its head, and three times the rest.
    rig_check(r, depot.files.begun[PW_TRANSFER_DOWN] == 4 && depot.files.resumed_at >= 30000);
    says_firmware(r, "Installing");
    says_firmware(r, "Installed");
    close_depot(r, &depot);
}

static void an_installation_waits_for_the_charge(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    rig_boot(r);
    rig_charge(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloaded");
    rig_expect_none(r, "FirmwareStatusNotification", "{}", 600000);
    rig_check(r, rig_energy_flows(r));
    rig_check(r, depot.files.slot_writes == 1); // written while it charges
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Unavailable'}");
    says_firmware(r, "Installing");
    rig_check(r, rig_count(r, "StopTransaction", "{}", 0) == 1);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    says_firmware(r, "Installed");
    close_depot(r, &depot);
}

// The power goes at every look of the installation; whatever comes back says Installed once, and
// runs the new program.
static void power_cuts_while_installing(void)
{
    for (pw_ms cut = 200; cut <= 4200; cut += 400) {
        static struct depot depot;
        struct rig *r = open_depot(&depot);
        rig_boot(r);
        (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
        says_firmware(r, "Downloaded");
        says_firmware(r, "Installing");
        rig_run(r, cut);
        rig_reboot(r);
        rig_expect_for(r, "FirmwareStatusNotification", "{'status':'Installed'}", 900000);
        rig_check(r, depot.files.slots.running == 'b');
        rig_check(r, rig_count(r, "FirmwareStatusNotification", "{'status':'Installed'}", 0) == 1);
        close_depot(r, &depot);
    }
}

// Whoever starts programs starts the old one: then nothing was installed.
static void the_old_program_starts_again(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    depot.files.wrong_start = true;
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Installing");
    rig_expect(r, "BootNotification", "{}");
    says_firmware(r, "InstallationFailed");
    close_depot(r, &depot);
}

// T11: what is no release of the maker is refused before a slot is touched and before the rest of
// it is loaded, and so are addresses that are none.
static void what_is_refused(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    stock(&depot, &(struct pw_make){.version = "1.0.0", .nobody = true});
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloading");
    says_firmware(r, "InstallationFailed");
    rig_expect(r, "SecurityEventNotification", "{'type':'InvalidFirmwareSignature'}");
    rig_check(r, depot.files.slot_writes == 0 && depot.files.begun[PW_TRANSFER_DOWN] == 1);
    rig_check(r, rig_count(r, "FirmwareStatusNotification", "{'status':'Downloaded'}", 0) == 0);
    (void)rig_ask(r, "UpdateFirmware",
                  "{'location':'file:///etc/passwd','retrieveDate':'2020-01-01T00:00:00Z'}");
    says_firmware(r, "DownloadFailed");
    r->lenient = true; // it is no URI, as the schema wants one
    (void)rig_ask(r, "GetDiagnostics", "{'location':'$(reboot)`x`'}");
    r->lenient = false;
    rig_expect(r, "DiagnosticsStatusNotification", "{'status':'UploadFailed'}");
    rig_check(r, depot.files.begun[PW_TRANSFER_UP] == 0);
    close_depot(r, &depot);
}

// T12: an older release, well signed, is an attempt to bring old holes back.
static void an_older_counter_is_a_replay(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    stock(&depot, &(struct pw_make){.version = "1.0.0", .counter = 4});
    depot.files.slots.counter = 5;
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloading");
    says_firmware(r, "InstallationFailed");
    rig_expect(r, "SecurityEventNotification", "{'type':'AttemptedReplayAttacks'}");
    rig_check(r, depot.files.slot_writes == 0);
    close_depot(r, &depot);
}

// A new program that cannot reach the central goes by itself, and the one before says so; one that
// can stays, and only then is it told.
static void a_new_program_is_on_trial(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Installing");
    rig_expect(r, "BootNotification", "{'firmwareVersion':'1.0.0'}");
    rig_check(r, depot.files.slots.trial);
    rig_expect_none(r, "FirmwareStatusNotification", "{}", 240000);
    rig_reboot(r);
    rig_expect(r, "BootNotification", "{'firmwareVersion':'1.0.0'}");
    rig_reboot(r);
    rig_expect(r, "BootNotification", "{'firmwareVersion':'1.0.0'}");
    rig_reboot(r); // its third start was its last
    rig_expect(r, "BootNotification", "{'firmwareVersion':'0.9.0'}");
    says_firmware(r, "InstallationFailed");
    rig_check(r, depot.files.confirmed == 0 && depot.files.slots.running == 'a');
    close_depot(r, &depot);
}

// Whitepaper L01.FR.20 wants no program without a signature. None is without: the maker's is in the
// file, also when the request carries none.
static void update_firmware_with_a_security_profile(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    rig_set(r, "ocpp.security_profile", "1");
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloaded");
    says_firmware(r, "Installing");
    says_firmware(r, "Installed");
    close_depot(r, &depot);
}

void case_b_53(void)
{
    retries_and_a_date();
    an_installation_waits_for_the_charge();
    power_cuts_while_installing();
    the_old_program_starts_again();
    a_central_that_does_not_know_why_is_told_once();
    what_is_refused();
    update_firmware_with_a_security_profile();
    a_new_program_is_on_trial();
}

void case_b_56(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    depot.files.step = 500; // it takes its time
    rig_boot(r);
    (void)rig_ask(r, "UpdateFirmware", "{" FIRMWARE "}");
    says_firmware(r, "Downloading");
    rig_is(r, rig_ask(r, "Reset", "{'type':'Soft'}"), "{'status':'Accepted'}");
    rig_post(r, "Reset", "{'type':'Hard'}");
    rig_expect(r, "BootNotification", "{}");
    rig_expect_for(r, "FirmwareStatusNotification", "{'status':'Downloaded'}", 300000);
    says_firmware(r, "Installing");
    rig_is(r, rig_ask(r, "Reset", "{'type':'Soft'}"), "{'status':'Accepted'}");
    rig_expect_for(r, "FirmwareStatusNotification", "{'status':'Installed'}", 900000);
    rig_check(r, depot.files.slots.running == 'b');
    close_depot(r, &depot);
}

// ---------------------------------------------------------------------------------------------
// Attacks (facts/reliability.md).

// Reason: whoever reaches a station's update owns it. The rest of T11, redirects and bodies without
// an end, is app/carrier's, with real servers.
void case_t_11(void)
{
    static const char script[] = "#!/bin/sh\nreboot\n";
    static const char *const signatures[] = {"", "0", "d41d8cd98f00b204e9800998ecf8427e",
                                             "0000000000000000"};
    static struct depot depot;
    what_is_refused();
    struct rig *r = open_depot(&depot);
    depot.files.file = (const uint8_t *)script;
    depot.files.file_len = sizeof(script) - 1;
    rig_boot(r);
    for (size_t i = 0; i < PW_COUNT(signatures); i++) {
        char request[600];
        size_t before = r->count;
        (void)snprintf(request, sizeof(request), SIGNED("%s", ""), signatures[i]);
        rig_is(r, rig_ask(r, "SignedUpdateFirmware", request), "{'status':'Accepted'}");
        says_signed(r, "InstallVerificationFailed");
        rig_check(r, rig_count(r, "SignedFirmwareStatusNotification", "{'status':'Installing'}",
                               before) == 0);
    }
    rig_seconds(r, 60);
    rig_check(r, rig_count(r, "SecurityEventNotification", "{'type':'InvalidFirmwareSignature'}",
                           0) >= 1);
    rig_check(r, depot.files.slot_writes == 0 && r->restarts == 0);
    close_depot(r, &depot);
}

static void update_of_altered(struct rig *r, struct depot *depot)
{
    char request[600];
    depot->files.alters = true;
    rig_boot(r);
    (void)snprintf(request, sizeof(request), SIGNED("%s", ""), depot->signature);
    rig_is(r, rig_ask(r, "SignedUpdateFirmware", request), "{'status':'Accepted'}");
    says_signed(r, "InstallVerificationFailed");
    rig_check(r, depot->files.slots.running == 'a' && r->restarts == 0);
}

// Reason: what was judged is not what runs; an older program, well signed, does not come back.
void case_t_12(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    update_of_altered(r, &depot);
    close_depot(r, &depot);
    the_old_program_starts_again();
    an_older_counter_is_a_replay();
}

// Reason: a file that is not what was announced, or that changes between two tries.
void case_t_13(void)
{
    static struct depot depot;
    struct rig *r = open_depot(&depot);
    char request[600];
    update_of_altered(r, &depot);
    // The next one breaks off, and the server has another file when it goes on.
    depot.files.alters = false;
    depot.files.fails = PW_TRANSFER_CUT;
    depot.files.failures = 1;
    depot.files.fail_at = 40000;
    (void)snprintf(request, sizeof(request),
                   "{'requestId':7,'retries':1,'retryInterval':20,'firmware':{'location':"
                   "'https://files.example/new','retrieveDateTime':'2020-01-01T00:00:00Z',"
                   "'signingCertificate':'GOOD','signature':'%s'}}",
                   depot.signature);
    unsigned writes = depot.files.slot_writes;
    rig_is(r, rig_ask(r, "SignedUpdateFirmware", request), "{'status':'Accepted'}");
    says_signed(r, "Downloading");
    for (unsigned i = 0; i < 600 && depot.files.failures > 0; i++) {
        rig_run(r, 100);
    }
    depot.image[depot.image_len - 1] ^= 1U;
    says_signed(r, "InvalidSignature");
    rig_check(r, depot.files.slot_writes == writes && r->restarts == 0);
    close_depot(r, &depot);
}

void case_t_15(void)
{
    case_a_045_1();
}

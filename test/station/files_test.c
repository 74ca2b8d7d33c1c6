// Uploads and updates as station/files decides them, with the server and the slots of the test, in
// virtual time: what conformance does not ask, and the records.
#include "files/parts.h"
#include "simfiles.h"
#include "simstore.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_WALL INT64_C(1767225600000) // 2026-01-01

struct desk {
    pw_ms now;
    struct pw_settings settings;
    struct pw_sim_store store;
    struct pw_sim_files sim;
    struct pw_files_host host;
    struct pw_files files;
    uint8_t image[20000];
    unsigned pieces;
    bool charging;
    bool bad_signature;
    int certificate; // what the judge says of it
    unsigned restarts;
    unsigned events[2];
    char said[600]; // statuses in order, as words
};

static void piece(void *context, struct pw_files_reading *reading, struct pw_out *out, pw_ms now)
{
    const struct desk *desk = context;
    (void)now;
    pw_put_s(out, reading->kind == PW_UPLOAD_SECURITY ? "security " : "diagnostics ");
    pw_put_uint(out, reading->cursor++);
    pw_put_c(out, '\n');
    reading->over = reading->cursor >= desk->pieces;
}

static bool at_rest(void *context)
{
    const struct desk *desk = context;
    return !desk->charging;
}

static int certificate(void *context, struct pw_str pem, struct pw_out *why, pw_ms now)
{
    const struct desk *desk = context;
    (void)pem;
    (void)now;
    pw_put_s(why, "as the test says");
    return desk->certificate;
}

static int signature(void *context, struct pw_str pem, struct pw_str text,
                     const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why, pw_ms now)
{
    const struct desk *desk = context;
    (void)sha256;
    (void)now;
    pw_put_s(why, "as the test says");
    // Both come back whole from their pieces in the store.
    assert_true(pem.len == PW_FILES_CERTIFICATE_MAX && pem.at[0] == 'c' && pem.at[5499] == 'c');
    assert_true(text.len == PW_FILES_SIGNATURE_MAX && text.at[799] == 's');
    return desk->bad_signature ? PW_ERR_RANGE : PW_OK;
}

static void event(void *context, enum pw_files_event kind, struct pw_str detail, pw_ms now)
{
    struct desk *desk = context;
    (void)detail;
    (void)now;
    desk->events[kind]++;
}

static void restart(void *context, pw_ms now)
{
    struct desk *desk = context;
    (void)now;
    desk->restarts++;
}

static void start(struct desk *desk)
{
    const struct pw_files_parts parts = {.settings = &desk->settings,
                                         .store = &desk->store.port,
                                         .transfer = &desk->sim.transfer,
                                         .install = &desk->sim.install,
                                         .host = &desk->host};
    (void)desk->store.port.durable(desk->store.port.context);
    pw_sim_store_restart(&desk->store);
    pw_sim_files_start(&desk->sim);
    pw_files_init(&desk->files, &parts, desk->now);
}

static struct desk *open_desk(void)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    assert_non_null(desk);
    desk->now = 1000;
    desk->pieces = 3;
    pw_settings_init(&desk->settings);
    pw_sim_store_init(&desk->store);
    pw_sim_files_init(&desk->sim);
    for (size_t i = 0; i < sizeof(desk->image); i++) {
        desk->image[i] = (uint8_t)(i * 13);
    }
    desk->sim.file = desk->image;
    desk->sim.file_len = sizeof(desk->image);
    desk->host = (struct pw_files_host){.context = desk,
                                        .piece = piece,
                                        .at_rest = at_rest,
                                        .certificate = certificate,
                                        .signature = signature,
                                        .event = event,
                                        .restart = restart};
    start(desk);
    return desk;
}

static void close_desk(struct desk *desk)
{
    pw_sim_store_free(&desk->store);
    pw_sim_files_free(&desk->sim);
    free(desk);
}

// What is to be said is said at once, and written down.
static void listen(struct desk *desk)
{
    for (int lane = PW_TRANSFER_UP; lane < PW_TRANSFER_LANES; lane++) {
        const struct pw_files_notice *notice = NULL;
        while ((notice = pw_files_notice(&desk->files, (enum pw_transfer_lane)lane)) != NULL) {
            const char *word = lane == PW_TRANSFER_UP
                                   ? pw_upload_status_name((enum pw_upload_status)notice->status)
                                   : pw_update_status_name((enum pw_update_status)notice->status);
            size_t len = strlen(desk->said);
            (void)snprintf(desk->said + len, sizeof(desk->said) - len, "%s%s", len == 0 ? "" : " ",
                           word);
            pw_files_noticed(&desk->files, (enum pw_transfer_lane)lane);
        }
    }
}

static void run(struct desk *desk, pw_ms span)
{
    for (pw_ms end = desk->now + span; desk->now < end;) {
        pw_ms at = pw_files_step(&desk->files, NOW_WALL + (pw_unix_ms)desk->now, desk->now);
        listen(desk);
        desk->now = at <= desk->now ? desk->now + 1 : at < end ? at : end;
    }
}

static struct pw_upload_request upload_request(void)
{
    return (struct pw_upload_request){.kind = PW_UPLOAD_SECURITY,
                                      .numbered = true,
                                      .request_id = 9,
                                      .url = PW_STR("https://files.example/in/"),
                                      .retries = 0,
                                      .retry_s = 10};
}

static struct pw_update_request update_request(void)
{
    static char pem[PW_FILES_CERTIFICATE_MAX];
    static char text[PW_FILES_SIGNATURE_MAX];
    memset(pem, 'c', sizeof(pem));
    memset(text, 's', sizeof(text));
    return (struct pw_update_request){.numbered = true,
                                      .request_id = 7,
                                      .url = PW_STR("https://files.example/new"),
                                      .retries = 0,
                                      .retry_s = 10,
                                      .certificate = {.at = pem, .len = sizeof(pem)},
                                      .signature = {.at = text, .len = sizeof(text)}};
}

// ---------------------------------------------------------------------------------------------

// Reason: N01.FR.10 wants the status that says best why an upload failed.
static void a_failed_upload_says_why(void **state)
{
    static const struct {
        enum pw_transfer_end end;
        const char *said;
    } rows[] = {
        {PW_TRANSFER_DENIED, "Uploading PermissionDenied"},
        {PW_TRANSFER_UNSUPPORTED, "Uploading NotSupportedOperation"},
        {PW_TRANSFER_STRANGE, "Uploading BadMessage"},
        {PW_TRANSFER_UNREACHABLE, "Uploading UploadFailed"},
        {PW_TRANSFER_SLOW, "Uploading UploadFailed"},
        {PW_TRANSFER_FORBIDDEN, "Uploading UploadFailed"},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct desk *desk = open_desk();
        struct pw_upload_request request = upload_request();
        desk->sim.fails = rows[i].end;
        desk->sim.failures = 1;
        assert_int_equal(pw_files_upload(&desk->files, &request, NULL, desk->now), PW_OK);
        run(desk, 5000);
        assert_string_equal(desk->said, rows[i].said);
        assert_int_equal(pw_files_upload_now(&desk->files, true).status, PW_UPLOAD_IDLE);
        close_desk(desk);
    }
}

// Reason: a text is sent whole however small the pieces are that the port takes.
static void an_upload_is_whole_and_a_new_one_cancels_it(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_upload_request request = upload_request();
    desk->sim.step = 5;
    desk->pieces = 3;
    assert_int_equal(pw_files_upload(&desk->files, &request, NULL, desk->now), PW_OK);
    (void)pw_files_step(&desk->files, NOW_WALL, desk->now);
    assert_int_equal(pw_files_upload_now(&desk->files, true).status, PW_UPLOAD_UPLOADING);
    assert_int_equal(pw_files_upload(&desk->files, &request, NULL, desk->now), 1);
    run(desk, 5000);
    desk->sim.taken[desk->sim.taken_len] = '\0';
    assert_string_equal(desk->sim.taken, "security 0\nsecurity 1\nsecurity 2\n");
    assert_string_equal(desk->said, "Uploading Uploading Uploaded");
    close_desk(desk);
}

// Reason: the power goes while a log is being uploaded: it is uploaded from the start, and the
// operator hears Uploaded once.
static void an_upload_outlives_a_power_cut(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_upload_request request = upload_request();
    desk->sim.step = 5;
    assert_int_equal(pw_files_upload(&desk->files, &request, NULL, desk->now), PW_OK);
    (void)pw_files_step(&desk->files, NOW_WALL, desk->now);
    listen(desk);
    start(desk);
    run(desk, 5000);
    assert_string_equal(desk->said, "Uploading Uploaded");
    assert_true(desk->sim.taken_len > 30);
    close_desk(desk);
}

// Reason: dates of a signed update; both are waited for, and told (L01.FR.13, L01.FR.16).
static void a_signed_update_waits_for_both_dates(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = update_request();
    request.retrieve_at = NOW_WALL + 3600000;
    request.install_at = NOW_WALL + 7200000;
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_ACCEPTED);
    run(desk, 3500000);
    assert_string_equal(desk->said, "DownloadScheduled");
    start(desk);
    run(desk, 200000);
    assert_string_equal(desk->said, "DownloadScheduled Downloading Downloaded SignatureVerified "
                                    "InstallScheduled");
    assert_false(pw_files_holds(&desk->files));
    start(desk);
    desk->charging = true;
    run(desk, 7200000);
    assert_true(pw_files_holds(&desk->files));
    assert_int_equal(desk->sim.slot_writes, 0);
    desk->charging = false;
    run(desk, 20000);
    assert_int_equal(desk->restarts, 1);
    start(desk);
    run(desk, 2000);
    assert_string_equal(desk->said, "DownloadScheduled Downloading Downloaded SignatureVerified "
                                    "InstallScheduled Installing InstallRebooting Installed");
    assert_int_equal(desk->events[PW_FILES_UPDATED], 1);
    close_desk(desk);
}

// Reason: T13: what is in the slot is not what was judged.
static void an_altered_slot_is_never_started(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = update_request();
    desk->sim.alters = true;
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_ACCEPTED);
    run(desk, 60000);
    assert_string_equal(desk->said, "Downloading Downloaded SignatureVerified Installing "
                                    "InstallVerificationFailed");
    assert_int_equal(desk->restarts, 0);
    assert_false(pw_files_holds(&desk->files));
    close_desk(desk);
}

// Reason: L01.FR.26, 27: a new request cancels one that only waits, and none that is installing.
static void a_new_request_cancels_what_can_be_canceled(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = update_request();
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_ACCEPTED);
    (void)pw_files_step(&desk->files, NOW_WALL, desk->now);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now),
                     PW_UPDATE_ACCEPTED_CANCELED);
    for (unsigned i = 0; desk->files.update.stage != PW_UPDATE_INSTALLS && i < 1000; i++) {
        run(desk, 100);
    }
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_REJECTED);
    desk->certificate = PW_ERR_UNKNOWN;
    run(desk, 20000);
    start(desk);
    run(desk, 2000);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now),
                     PW_UPDATE_REVOKED_CERTIFICATE);
    close_desk(desk);
}

// Reason: a station that has no slots says so before it makes anybody wait.
static void without_slots_nothing_is_held_back(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = update_request();
    desk->sim.unwilling = true;
    desk->charging = true;
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_ACCEPTED);
    run(desk, 10000);
    assert_string_equal(desk->said, "Downloading Downloaded SignatureVerified InstallationFailed");
    assert_non_null(strstr(desk->files.update.why, "update.folder"));
    close_desk(desk);
}

// Reason: a station that was offline for long tells the end of the story, not only its beginning.
static void the_newest_notices_stay(void **state)
{
    (void)state;
    struct pw_files_notices notices = {.count = 0};
    for (unsigned i = 0; i < PW_FILES_NOTICES_MAX + 3; i++) {
        pw_notices_push(&notices, (struct pw_files_notice){.request_id = (int32_t)i});
    }
    assert_int_equal(notices.count, PW_FILES_NOTICES_MAX);
    assert_int_equal(notices.at[0].request_id, 3);
    assert_int_equal(notices.at[PW_FILES_NOTICES_MAX - 1].request_id, PW_FILES_NOTICES_MAX + 2);
}

// Reason: records are read by the program after the next, and after a flash that lost bits.
static void records_come_back_and_damaged_ones_do_not(void **state)
{
    (void)state;
    uint8_t record[PW_FILES_RECORD_MAX];
    struct pw_update *update = calloc(1, sizeof(*update));
    struct pw_update *back = calloc(1, sizeof(*back));
    assert_true(update != NULL && back != NULL);
    update->stage = PW_UPDATE_WAITS_TO_INSTALL;
    update->status = PW_UPDATE_INSTALL_SCHEDULED;
    update->numbered = true;
    update->request_id = -5;
    update->install_at = NOW_WALL;
    memset(update->url, 'u', PW_TRANSFER_URL_MAX);
    for (unsigned i = 0; i < PW_FILES_NOTICES_MAX; i++) {
        pw_notices_push(&update->notices, (struct pw_files_notice){.status = 3, .request_id = -5});
    }
    size_t len = pw_update_pack(update, record);
    assert_int_equal(pw_update_unpack(back, record, len), PW_OK);
    assert_int_equal(back->stage, update->stage);
    assert_int_equal(back->request_id, -5);
    assert_string_equal(back->url, update->url);
    assert_int_equal(back->notices.at[11].request_id, -5);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(pw_update_unpack(back, record, cut), PW_ERR_PEER);
    }
    record[1] = 200; // no such stage
    assert_int_equal(pw_update_unpack(back, record, len), PW_ERR_PEER);
    free(update);
    free(back);
}

static void urls_are_shown_without_secrets_and_named_where_they_are_folders(void **state)
{
    static const struct {
        const char *url;
        const char *shown;
        const char *target;
    } rows[] = {
        {"ftp://me:pw@h:21/in", "ftp://h:21/in", "ftp://me:pw@h:21/in/log.txt"},
        {"ftp://me:p@w@h:21/in", "ftp://h:21/in", "ftp://me:p@w@h:21/in/log.txt"},
        {"ftp://me:p/w@h/in.x", "ftp://***", "ftp://me:p/w@h/in.x"},
        {"https://me:p?w@h/in.x", "https://***", "https://me:p?w@h/in.x"},
        {"ftp://h/in/x.txt", "ftp://h/in/x.txt", "ftp://h/in/x.txt"},
        {"HTTP://h", "http://h", "HTTP://h/log.txt"},
        {"https://h/in/", "https://h/in/", "https://h/in/log.txt"},
        {"https://h/in", "https://h/in", "https://h/in"},
        {"https://h/in/?sig=secret", "https://h/in/", "https://h/in/?sig=secret"},
        {"https://a@b:c@h/in/", "https://h/in/", "https://a@b:c@h/in/log.txt"},
    };
    static const char *const bad[] = {"file:///etc/passwd", "http://",      "http:///x",
                                      "gopher://h/",        "http://h/a b", "",
                                      "$(reboot)",          "http://h/\x01"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char text[200] = "";
        struct pw_out out = PW_OUT(text);
        assert_non_null(pw_transfer_scheme(pw_str_of(rows[i].url)));
        pw_transfer_put_url(&out, pw_str_of(rows[i].url));
        assert_string_equal(text, rows[i].shown);
        out = PW_OUT(text);
        pw_transfer_put_target(&out, pw_str_of(rows[i].url), PW_STR("log.txt"));
        assert_string_equal(text, rows[i].target);
    }
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        assert_null(pw_transfer_scheme(pw_str_of(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_upload_says_why),
        cmocka_unit_test(an_upload_is_whole_and_a_new_one_cancels_it),
        cmocka_unit_test(an_upload_outlives_a_power_cut),
        cmocka_unit_test(a_signed_update_waits_for_both_dates),
        cmocka_unit_test(an_altered_slot_is_never_started),
        cmocka_unit_test(a_new_request_cancels_what_can_be_canceled),
        cmocka_unit_test(without_slots_nothing_is_held_back),
        cmocka_unit_test(the_newest_notices_stay),
        cmocka_unit_test(records_come_back_and_damaged_ones_do_not),
        cmocka_unit_test(urls_are_shown_without_secrets_and_named_where_they_are_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

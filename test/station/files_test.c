// Uploads as station/files decides them, in virtual time: what conformance does not ask, and the
// records.
#include "files_desk.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static struct pw_upload_request upload_request(void)
{
    return (struct pw_upload_request){.kind = PW_UPLOAD_SECURITY,
                                      .numbered = true,
                                      .request_id = 9,
                                      .url = PW_STR("https://files.example/in/"),
                                      .retries = 0,
                                      .retry_s = 10};
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
        cmocka_unit_test(the_newest_notices_stay),
        cmocka_unit_test(records_come_back_and_damaged_ones_do_not),
        cmocka_unit_test(urls_are_shown_without_secrets_and_named_where_they_are_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

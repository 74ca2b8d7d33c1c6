// Updates as station/files decides them, by every way a release can come, in virtual time.
#include "files_desk.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_OF_IT "Downloading Downloaded SignatureVerified Installing InstallRebooting Installed"
#define HOUR      ((pw_ms)3600000)

static struct pw_update_request signed_request(void)
{
    static char pem[PW_FILES_CERTIFICATE_MAX];
    static char text[PW_FILES_SIGNATURE_MAX];
    memset(pem, 'c', sizeof(pem));
    memset(text, 's', sizeof(text));
    return (struct pw_update_request){.by = PW_UPDATE_BY_OCPP,
                                      .numbered = true,
                                      .request_id = 7,
                                      .url = PW_STR("https://files.example/new"),
                                      .retries = 0,
                                      .retry_s = 10,
                                      .certificate = {.at = pem, .len = sizeof(pem)},
                                      .signature = {.at = text, .len = sizeof(text)}};
}

static void ask_for(struct desk *desk, const struct pw_update_request *request)
{
    assert_int_equal(pw_files_update(&desk->files, request, desk->now), PW_UPDATE_ACCEPTED);
}

// Reason: dates of a signed update; both are waited for, and told (L01.FR.13, L01.FR.16).
static void a_signed_update_waits_for_both_dates(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    request.retrieve_at = NOW_WALL + 3600000;
    request.install_at = NOW_WALL + 7200000;
    ask_for(desk, &request);
    run(desk, 3500000);
    assert_string_equal(desk->said, "DownloadScheduled");
    start(desk);
    run(desk, 200000);
    assert_string_equal(desk->said, "DownloadScheduled Downloading Downloaded SignatureVerified "
                                    "InstallScheduled");
    assert_false(pw_files_holds(&desk->files));
    desk->charging = true;
    run(desk, 7200000);
    assert_true(pw_files_holds(&desk->files));
    assert_int_equal(desk->restarts, 0);
    desk->charging = false;
    assert_true(run_to_restart(desk, 20000));
    run(desk, HOUR);
    assert_string_equal(desk->said, "DownloadScheduled Downloading Downloaded SignatureVerified "
                                    "InstallScheduled Installing InstallRebooting Installed");
    assert_int_equal(desk->events[PW_FILES_UPDATED], 1);
    close_desk(desk);
}

// Reason: T13: what is in the slot is not what was judged.
static void an_altered_slot_is_never_started(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct desk *desk = open_desk();
        struct pw_update_request request = signed_request();
        desk->sim.alters = late == 0;
        desk->sim.switching_fails = late != 0;
        ask_for(desk, &request);
        run(desk, 60000);
        assert_string_equal(desk->said, late == 0 ? "Downloading Downloaded SignatureVerified "
                                                    "InstallVerificationFailed"
                                                  : "Downloading Downloaded SignatureVerified "
                                                    "Installing InstallRebooting "
                                                    "InstallVerificationFailed");
        assert_int_equal(desk->restarts, 0);
        assert_false(pw_files_holds(&desk->files));
        close_desk(desk);
    }
}

// Reason: L01.FR.26, 27: a new request cancels one that only waits, and none that is installing or
// on trial.
static void a_new_request_cancels_what_can_be_canceled(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    ask_for(desk, &request);
    (void)pw_files_step(&desk->files, NOW_WALL, desk->now);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now),
                     PW_UPDATE_ACCEPTED_CANCELED);
    desk->charging = true;
    run(desk, 60000);
    assert_int_equal(desk->files.update.stage, PW_UPDATE_WAITS_FOR_REST);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now),
                     PW_UPDATE_ACCEPTED_CANCELED);
    desk->charging = false;
    for (unsigned i = 0; desk->files.update.stage < PW_UPDATE_SWITCHES && i < 1000; i++) {
        run(desk, 100);
    }
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_REJECTED);
    run(desk, 20000);
    assert_int_equal(desk->restarts, 1);
    start(desk);
    run(desk, 1000);
    assert_int_equal(desk->files.update.stage, PW_UPDATE_ON_TRIAL);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_REJECTED);
    run(desk, HOUR);
    desk->certificate = PW_ERR_UNKNOWN;
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now),
                     PW_UPDATE_REVOKED_CERTIFICATE);
    close_desk(desk);
}

// Reason: a station that has no slots says so before it makes anybody wait.
static void without_slots_nothing_is_held_back(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    desk->sim.unwilling = true;
    desk->charging = true;
    ask_for(desk, &request);
    run(desk, 10000);
    assert_string_equal(desk->said, "Downloading Downloaded SignatureVerified InstallationFailed");
    assert_non_null(strstr(desk->files.update.why, "update.folder"));
    close_desk(desk);
}

// ---------------------------------------------------------------------------------------------
// Every verdict, by every way.

struct wrong {
    const char *what;
    struct pw_make make;
    uint32_t counter; // of the station
    bool no_root;
    bool garbage;
    enum pw_update_status status;
    int event; // or -1
};

static const struct wrong wrongs[] = {
    {.what = "no release file",
     .garbage = true,
     .status = PW_UPDATE_VERIFICATION_FAILED,
     .event = PW_FILES_UNSIGNED},
    {.what = "unsigned",
     .make = {.version = "1.0.0", .nobody = true},
     .status = PW_UPDATE_INVALID_SIGNATURE,
     .event = PW_FILES_UNSIGNED},
    {.what = "unknown key",
     .make = {.version = "1.0.0", .signer = {"nobody knows me"}},
     .status = PW_UPDATE_INVALID_SIGNATURE,
     .event = PW_FILES_UNSIGNED},
    {.what = "a root's key",
     .make = {.version = "1.0.0", .signer = {PW_MAKE_ROOT_1}},
     .status = PW_UPDATE_INVALID_SIGNATURE,
     .event = PW_FILES_UNSIGNED},
    {.what = "expired",
     .make = {.version = "1.0.0", .expires = NOW_WALL - 1},
     .status = PW_UPDATE_INVALID_SIGNATURE,
     .event = PW_FILES_UNSIGNED},
    {.what = "older counter",
     .make = {.version = "1.0.0", .counter = 4},
     .counter = 5,
     .status = PW_UPDATE_VERIFICATION_FAILED,
     .event = PW_FILES_REPLAYED},
    {.what = "other hardware",
     .make = {.version = "1.0.0", .hardware = {"toaster"}},
     .status = PW_UPDATE_INSTALLATION_FAILED,
     .event = -1},
    {.what = "other product",
     .make = {.version = "1.0.0", .product = "pilotwire-central"},
     .status = PW_UPDATE_INSTALLATION_FAILED,
     .event = -1},
    {.what = "too far",
     .make = {.version = "3.0.0", .min_from = "2.0.0"},
     .status = PW_UPDATE_INSTALLATION_FAILED,
     .event = -1},
    {.what = "the same version",
     .make = {.version = "0.9.0"},
     .status = PW_UPDATE_INSTALLATION_FAILED,
     .event = -1},
    {.what = "no root of the maker",
     .make = {.version = "1.0.0"},
     .no_root = true,
     .status = PW_UPDATE_INVALID_SIGNATURE,
     .event = PW_FILES_UNSIGNED},
};

static void set_wrong(struct desk *desk, const struct wrong *wrong)
{
    offer_release(desk, wrong->garbage ? &(struct pw_make){.version = "1.0.0"} : &wrong->make,
                  40000);
    desk->sim.slots.counter = wrong->counter;
    desk->sim.root_len = wrong->no_root ? 0 : desk->sim.root_len;
    if (wrong->garbage) {
        memcpy(desk->image,
               "\x7f"
               "ELF",
               4);
    }
}

static void expect_refused(const struct desk *desk, const struct wrong *wrong, const char *way)
{
    bool fits = desk->files.update.status == wrong->status &&
                desk->files.update.stage == PW_UPDATE_NONE && desk->sim.slot_writes == 0 &&
                desk->sim.have == 0 && desk->restarts == 0 && desk->files.update.why[0] != '\0';
    for (int kind = 0; kind < 3; kind++) {
        fits = fits && desk->events[kind] == (kind == wrong->event ? 1 : 0);
    }
    if (!fits) {
        fail_msg("%s by %s: %s, %s", wrong->what, way,
                 pw_update_status_name(desk->files.update.status), desk->files.update.why);
    }
}

static struct pw_update_offer offer_of(const struct desk *desk, enum pw_update_asker by)
{
    struct pw_update_offer offer = {.by = by,
                                    .commit = by != PW_UPDATE_BY_LINK,
                                    .hashed = by == PW_UPDATE_BY_LINK,
                                    .size = desk->image_len};
    struct pw_sha256 hash;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, desk->image, desk->image_len);
    pw_sha256_end(&hash, offer.sha256);
    return offer;
}

// Hands in from an offset; the first error, or PW_OK.
static int hand_in(struct desk *desk, size_t from, size_t to, size_t piece)
{
    char text[200];
    for (size_t at = from; at < to; at += piece) {
        struct pw_out why = PW_OUT(text);
        size_t len = to - at < piece ? to - at : piece;
        int err = pw_files_deliver(
            &desk->files, at, (struct pw_str){.at = (const char *)desk->image + at, .len = len},
            &why, desk->now);
        if (err != PW_OK) {
            return err;
        }
        run(desk, 10);
    }
    return PW_OK;
}

// Reason: T11, T12: what is refused is refused by whatever way it comes, with nothing written,
// after its head and not after all of it, and with the reason.
static void what_is_refused_is_refused_by_every_way(void **state)
{
    (void)state;
    unsigned cases = 0;
    for (size_t i = 0; i < PW_COUNT(wrongs); i++) {
        static const enum pw_update_asker handed[] = {PW_UPDATE_BY_LINK, PW_UPDATE_BY_PAGE,
                                                      PW_UPDATE_BY_COMMAND};
        for (int numbered = 0; numbered < 2; numbered++) {
            struct desk *desk = open_desk();
            struct pw_update_request request = signed_request();
            request.numbered = numbered != 0;
            set_wrong(desk, &wrongs[i]);
            ask_for(desk, &request);
            run(desk, 60000);
            expect_refused(desk, &wrongs[i], numbered != 0 ? "signed URL" : "URL");
            assert_null(strstr(desk->said, "Downloaded"));
            close_desk(desk);
            cases++;
        }
        for (size_t way = 0; way < PW_COUNT(handed); way++) {
            char text[200] = "";
            struct pw_out why = PW_OUT(text);
            struct desk *desk = open_desk();
            set_wrong(desk, &wrongs[i]);
            run(desk, 10); // it knows the date
            struct pw_update_offer offer = offer_of(desk, handed[way]);
            assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
            if (hand_in(desk, 0, desk->image_len, 512) != PW_ERR_BUSY) {
                fail_msg("%s by %s was taken", wrongs[i].what, pw_update_asker_name(handed[way]));
            }
            expect_refused(desk, &wrongs[i], pw_update_asker_name(handed[way]));
            close_desk(desk);
            cases++;
        }
    }
    print_message("%u refusals\n", cases);
}

// Reason: R7: whoever has a good release may hand it in; what comes of it is the same.
static void a_release_is_handed_in(void **state)
{
    static const enum pw_update_asker ways[] = {PW_UPDATE_BY_LINK, PW_UPDATE_BY_PAGE,
                                                PW_UPDATE_BY_COMMAND};
    (void)state;
    for (size_t way = 0; way < PW_COUNT(ways); way++) {
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        struct desk *desk = open_desk();
        struct pw_update_offer offer = offer_of(desk, ways[way]);
        assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
        assert_int_equal(hand_in(desk, 0, 2000, 700), PW_OK);
        // A gap is refused, what was there is skipped, and another one's end is not ours.
        assert_int_equal(hand_in(desk, 5000, 6000, 1000), PW_ERR_RANGE);
        assert_int_equal(hand_in(desk, 0, 1000, 1000), PW_OK);
        assert_int_equal(pw_files_commit(&desk->files, false, &why, desk->now), PW_ERR_BUSY);
        assert_int_equal(hand_in(desk, 2000, desk->image_len, 1024), PW_OK);
        run(desk, 2000);
        if (ways[way] == PW_UPDATE_BY_LINK) {
            assert_int_equal(desk->files.update.status, PW_UPDATE_DOWNLOADED);
            assert_int_equal(pw_files_commit(&desk->files, false, &why, desk->now), PW_OK);
        }
        assert_true(run_to_restart(desk, 60000));
        run(desk, HOUR);
        assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLED);
        assert_string_equal(desk->sim.ran, "1.0.0");
        assert_string_equal(desk->said, ""); // OCPP did not ask
        close_desk(desk);
    }
}

// Reason: what was good when it came may have expired when it is committed.
static void a_release_that_expires_while_it_waits_is_not_installed(void **state)
{
    (void)state;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct desk *desk = open_desk();
    const struct pw_make make = {.version = "1.0.0", .expires = NOW_WALL + 60000};
    offer_release(desk, &make, 0);
    struct pw_update_offer offer = offer_of(desk, PW_UPDATE_BY_LINK);
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    assert_int_equal(hand_in(desk, 0, desk->image_len, 1024), PW_OK);
    run(desk, 120000);
    assert_int_equal(desk->files.update.status, PW_UPDATE_DOWNLOADED);
    assert_int_equal(pw_files_commit(&desk->files, false, &why, desk->now), PW_OK);
    run(desk, 60000);
    assert_int_equal(desk->files.update.status, PW_UPDATE_INVALID_SIGNATURE);
    assert_non_null(strstr(desk->files.update.why, "expired"));
    assert_int_equal(desk->restarts, 0);
    close_desk(desk);
}

// Reason: a link that breaks off, or a station that restarts, goes on where it was; another file
// does not.
static void handing_in_goes_on_after_a_restart(void **state)
{
    (void)state;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct desk *desk = open_desk();
    struct pw_update_offer offer = offer_of(desk, PW_UPDATE_BY_LINK);
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    assert_int_equal(hand_in(desk, 0, 30000, 1000), PW_OK);
    start(desk);
    run(desk, 1000);
    assert_int_equal(hand_in(desk, 30000, 31000, 1000), PW_ERR_BUSY); // it must begin anew
    offer.resume = true;
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    assert_int_equal(desk->files.update.state.bytes, 30000);
    assert_int_equal(hand_in(desk, 30000, desk->image_len, 1000), PW_OK);
    assert_int_equal(pw_files_commit(&desk->files, true, &why, desk->now), PW_OK);
    assert_true(run_to_restart(desk, 60000));
    run(desk, HOUR);
    assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLED);
    offer.sha256[0] ^= 1;
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    assert_int_equal(desk->files.update.state.bytes, 0);
    // The file is not the one that was announced.
    offer_release(desk, &(struct pw_make){.version = "1.0.1"}, 40000);
    assert_int_equal(hand_in(desk, 0, desk->image_len, 1000), PW_OK);
    run(desk, 5000);
    assert_int_equal(desk->files.update.status, PW_UPDATE_DOWNLOAD_FAILED);
    // Nobody goes on.
    offer = offer_of(desk, PW_UPDATE_BY_LINK);
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    run(desk, 2 * HOUR);
    assert_int_equal(desk->files.update.status, PW_UPDATE_DOWNLOAD_FAILED);
    // One that is given up by a person.
    assert_int_equal(pw_files_offer(&desk->files, &offer, &why, desk->now), PW_OK);
    assert_int_equal(pw_files_cancel(&desk->files, PW_STR("cancelled"), &why, desk->now), PW_OK);
    assert_string_equal(desk->files.update.why, "cancelled");
    close_desk(desk);
}

// Reason: the running version is installed again only when a person asks for just that.
static void the_same_version_needs_force(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    offer_release(desk, &(struct pw_make){.version = "0.9.0"}, 0);
    request.force = true;
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    run(desk, HOUR);
    assert_string_equal(desk->said, ALL_OF_IT);
    close_desk(desk);
}

// Reason: a maker's new keys reach a station with a release, also with one that it may not install.
static void a_newer_root_is_handed_on(void **state)
{
    (void)state;
    static const char *const signers[] = {PW_MAKE_ROOT_1, PW_MAKE_ROOT_2, NULL};
    uint8_t text[PW_RELEASE_ROOT_MAX];
    struct pw_release_root next = pw_make_root_1();
    next.version = 2;
    size_t len = pw_make_root(&next, signers, text, sizeof(text));
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    const struct pw_make make = {.version = "1.0.0",
                                 .hardware = {"toaster"},
                                 .roots = {.at = (const char *)text, .len = len}};
    offer_release(desk, &make, 0);
    ask_for(desk, &request);
    run(desk, 60000);
    assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLATION_FAILED);
    assert_int_equal(desk->sim.followed, 1);
    close_desk(desk);
}

// ---------------------------------------------------------------------------------------------
// Charges.

// Reason: waiting is the rule; who may tell it not to wait is the owner's to say.
static void charges_end_only_when_they_may(void **state)
{
    static const struct {
        const char *policy;
        bool now;
        bool ends;
    } rows[] = {{"asked", false, false}, {"asked", true, true},   {"never", true, false},
                {"never", false, false}, {"always", false, true}, {"always", true, true}};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct desk *desk = open_desk();
        struct pw_update_request request = signed_request();
        char text[200] = "";
        struct pw_out why = PW_OUT(text);
        assert_int_equal(pw_settings_set(&desk->settings,
                                         (struct pw_setting_at){.id = PW_SET_UPDATE_NOW},
                                         pw_str_of(rows[i].policy), PW_BY_FILE, &why),
                         PW_OK);
        desk->charging = true;
        request.now = rows[i].now;
        ask_for(desk, &request);
        run(desk, HOUR);
        assert_int_equal(desk->ended, rows[i].ends ? 1 : 0);
        assert_int_equal(desk->restarts, rows[i].ends ? 1 : 0);
        close_desk(desk);
    }
}

// Reason: a fleet is updated a thousand times in its life; nothing of one update stays for the
// next.
static void a_thousand_updates(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    for (unsigned i = 0; i < 1000; i++) {
        struct pw_update_request request = signed_request();
        char version[20];
        (void)snprintf(version, sizeof(version), "1.%u.0", i);
        offer_release(desk, &(struct pw_make){.version = version, .counter = i / 10}, 100);
        desk->sim.step = 60000;
        ask_for(desk, &request);
        assert_true(run_to_restart(desk, 60000));
        run(desk, PW_FILES_SOUND_MS + 2000);
        assert_string_equal(desk->said, ALL_OF_IT);
        assert_string_equal(desk->sim.ran, version);
        desk->said[0] = '\0';
    }
    assert_int_equal(desk->events[PW_FILES_UPDATED], 1000);
    assert_int_equal(desk->sim.confirmed, 1000);
    print_message("1000 updates\n");
    close_desk(desk);
}

// ---------------------------------------------------------------------------------------------
// On trial.

// Reason: whatever a new program lacks, the one before comes back and says why; and the security
// counter stays where it was.
static void a_program_that_is_not_healthy_goes(void **state)
{
    static const struct {
        const char *why;
        int broken; // -1: none
        bool offline;
        bool before; // the central was reached by the program before
        bool crashes;
        bool uncounted; // whoever starts it does so again and again
        uint32_t unusable;
        bool stays;
    } rows[] = {
        {.why = "settings", .broken = PW_FILES_CHECK_SETTINGS, .before = true},
        {.why = "journal", .broken = PW_FILES_CHECK_JOURNAL, .before = true},
        {.why = "store", .broken = PW_FILES_CHECK_STORE, .before = true},
        {.why = "central", .broken = -1, .offline = true, .before = true},
        {.why = "self-tests", .broken = -1, .before = true, .unusable = 2},
        {.why = "three times", .broken = -1, .crashes = true, .before = true},
        {.why = "3 times", .broken = -1, .crashes = true, .before = true, .uncounted = true},
        {.why = "", .broken = -1, .offline = true, .before = false, .stays = true},
    };
    (void)state;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct desk *desk = open_desk();
        struct pw_update_request request = signed_request();
        offer_release(desk, &(struct pw_make){.version = "1.0.0", .counter = 9}, 0);
        desk->offline = !rows[i].before;
        ask_for(desk, &request);
        assert_true(run_to_restart(desk, 60000));
        assert_true(desk->sim.slots.trial);
        desk->offline = rows[i].offline;
        desk->unusable = rows[i].unusable;
        desk->sim.uncounted = rows[i].uncounted;
        if (rows[i].broken >= 0) {
            desk->broken[rows[i].broken] = true;
        }
        for (unsigned crash = 0; rows[i].crashes && crash < 3; crash++) {
            run(desk, 60000);
            start(desk);
        }
        if (rows[i].stays) {
            assert_false(run_to_restart(desk, 2 * HOUR));
            assert_string_equal(desk->said, ALL_OF_IT);
            assert_int_equal(desk->sim.slots.counter, 9);
        } else {
            bool counted = rows[i].crashes && !rows[i].uncounted;
            assert_true(counted || run_to_restart(desk, 2 * HOUR));
            memset(desk->broken, 0, sizeof(desk->broken));
            run(desk, 5000);
            assert_string_equal(desk->said, "Downloading Downloaded SignatureVerified Installing "
                                            "InstallRebooting InstallationFailed");
            assert_string_equal(desk->sim.ran, "0.9.0");
            assert_int_equal(desk->sim.slots.counter, 0);
            if (strstr(desk->files.update.why, rows[i].why) == NULL) {
                fail_msg("%s: %s", rows[i].why, desk->files.update.why);
            }
        }
        close_desk(desk);
    }
}

// Reason: five minutes count from the last restart, and thirty when no central is heard.
static void a_trial_takes_its_time(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    run(desk, PW_FILES_SOUND_MS - 5000);
    assert_int_equal(desk->sim.confirmed, 0);
    start(desk); // a crash
    run(desk, PW_FILES_SOUND_MS - 5000);
    assert_int_equal(desk->sim.confirmed, 0);
    run(desk, 10000);
    assert_int_equal(desk->sim.confirmed, 1);
    close_desk(desk);
}

// Reason: a return waits for the charge that runs, when nothing but the central is missing.
static void a_return_waits_for_the_charge(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    desk->offline = true;
    desk->charging = true;
    run(desk, 3 * HOUR);
    assert_int_equal(desk->sim.rejected, 0);
    assert_true(pw_files_holds(&desk->files));
    desk->charging = false;
    assert_true(run_to_restart(desk, 60000));
    assert_string_equal(desk->sim.ran, "0.9.0");
    close_desk(desk);
}

// Reason: a part of a release that waits for its next try must not keep the disk full meanwhile:
// the charge that runs needs the room.
static void what_filled_the_disk_goes_at_once(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    request.retries = 2;
    request.retry_s = 600;
    desk->sim.fails = PW_TRANSFER_FULL;
    desk->sim.failures = 1;
    desk->sim.fail_at = 3000;
    ask_for(desk, &request);
    run(desk, 60000);
    assert_int_equal(desk->sim.failures, 0);
    assert_int_equal(desk->files.update.stage, PW_UPDATE_WAITS_TO_LOAD);
    assert_int_equal(desk->sim.have, 0);
    assert_true(run_to_restart(desk, 3600000));
    close_desk(desk);
}

// Reason: where the disk takes nothing any more, a station that waits for the boot record before it
// goes back would stay out of service for ever.
static void a_return_does_not_wait_for_a_disk_that_takes_nothing(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    desk->offline = true;
    desk->sim.reject_fails = true;
    assert_true(run_to_restart(desk, PW_FILES_TRIAL_MS + 120000));
    assert_true(desk->sim.rejected > 10);
    close_desk(desk);
}

// Reason: where the machine's own service knows what runs, it may answer late; nothing is decided
// before, and nothing that came before is lost.
static void a_service_that_answers_late_is_waited_for(void **state)
{
    (void)state;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    desk->sim.slots.trial = false; // as the port shows it then
    desk->sim.slots.asks = true;
    run(desk, 20000);
    assert_int_equal(desk->sim.confirmed, 0);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_REJECTED);
    assert_int_equal(pw_files_cancel(&desk->files, PW_STR("-"), &why, desk->now), PW_ERR_BUSY);
    desk->sim.slots.trial = true;
    desk->sim.slots.asks = false;
    run(desk, HOUR);
    assert_int_equal(desk->sim.confirmed, 1);
    assert_string_equal(desk->said, ALL_OF_IT);
    close_desk(desk);
}

// Reason: and no request comes between, which would be taken for what is on trial.
static void a_request_waits_until_it_is_known_what_runs(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    struct pw_update_request request = signed_request();
    desk->sim.slots.asks = true;
    start(desk);
    run(desk, 20000);
    assert_int_equal(pw_files_update(&desk->files, &request, desk->now), PW_UPDATE_REJECTED);
    desk->sim.slots.asks = false;
    run(desk, 20000);
    ask_for(desk, &request);
    assert_true(run_to_restart(desk, 60000));
    run(desk, HOUR);
    assert_string_equal(desk->said, ALL_OF_IT);
    close_desk(desk);
}

// Reason: a program that somebody installed by hand, or whose record is lost, is on trial as well.
static void a_trial_without_a_record(void **state)
{
    (void)state;
    struct desk *desk = open_desk();
    (void)snprintf(desk->sim.version[1], sizeof(desk->sim.version[1]), "2.0.0");
    desk->sim.slots.current = 'b';
    desk->sim.slots.tries = 3;
    start(desk);
    run(desk, HOUR);
    assert_int_equal(desk->sim.confirmed, 1);
    assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLED);
    assert_string_equal(desk->files.update.version, "2.0.0");
    assert_string_equal(desk->said, "");
    close_desk(desk);
}

// ---------------------------------------------------------------------------------------------
// Power cuts.

// Reason: the power goes at any look of an update: what comes back ends Installed, told once, or is
// still at it; never between two programs.
static void the_power_goes_at_every_look(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (unsigned cut = 0; cut < 400; cut++) {
        struct desk *desk = open_desk();
        struct pw_update_request request = signed_request();
        unsigned before = desk->restarts;
        request.retries = 2;
        ask_for(desk, &request);
        for (unsigned look = 0; look < cut && desk->restarts == before; look++) {
            pw_ms at = pw_files_step(&desk->files, NOW_WALL + (pw_unix_ms)desk->now, desk->now);
            listen(desk);
            desk->now = at <= desk->now        ? desk->now + 1
                        : at < desk->now + 100 ? at
                                               : desk->now + 100;
        }
        bool over = desk->restarts != before;
        start(desk);
        if (!over && !desk->sim.slots.trial) {
            assert_true(run_to_restart(desk, HOUR));
        }
        run(desk, HOUR);
        cuts++;
        assert_string_equal(desk->sim.ran, "1.0.0");
        assert_int_equal(desk->files.update.status, PW_UPDATE_INSTALLED);
        const char *first = strstr(desk->said, "Installed");
        assert_non_null(first);
        assert_null(strstr(first + 1, "Installed"));
        close_desk(desk);
        if (over) {
            break;
        }
    }
    print_message("%u cuts\n", cuts);
}

// ---------------------------------------------------------------------------------------------
// Without a date.

static bool undated; // the log said that nobody knows the date

static void look_for_undated(void *context, enum pw_level level, const char *room,
                             struct pw_str text)
{
    char line[PW_LINE_MAX];
    (void)context;
    (void)room;
    (void)snprintf(line, sizeof(line), "%.*s", (int)text.len, text.at);
    undated = undated || (level == PW_LOG_WARN && strstr(line, "undated") != NULL);
}

// Reason: a station without a date cannot see that a release has expired (doc/update.md): it takes
// it, and says so.
static void without_a_date_nothing_expires_and_the_log_says_so(void **state)
{
    (void)state;
    static const struct pw_log log = {.write = look_for_undated};
    for (int clockless = 0; clockless < 2; clockless++) {
        struct desk *desk = open_desk();
        desk->files.parts.log = &log;
        desk->clockless = clockless != 0;
        undated = false;
        ask_for(desk, &(struct pw_update_request){.by = PW_UPDATE_BY_OCPP,
                                                  .url = PW_STR("http://files.example/new.pwr"),
                                                  .retries = 0,
                                                  .retry_s = 60});
        assert_true(run_to_restart(desk, 60000));
        assert_int_equal(undated, clockless);
        close_desk(desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_update_waits_for_both_dates),
        cmocka_unit_test(an_altered_slot_is_never_started),
        cmocka_unit_test(a_new_request_cancels_what_can_be_canceled),
        cmocka_unit_test(without_slots_nothing_is_held_back),
        cmocka_unit_test(what_is_refused_is_refused_by_every_way),
        cmocka_unit_test(a_release_is_handed_in),
        cmocka_unit_test(a_release_that_expires_while_it_waits_is_not_installed),
        cmocka_unit_test(handing_in_goes_on_after_a_restart),
        cmocka_unit_test(the_same_version_needs_force),
        cmocka_unit_test(a_newer_root_is_handed_on),
        cmocka_unit_test(charges_end_only_when_they_may),
        cmocka_unit_test(a_thousand_updates),
        cmocka_unit_test(a_program_that_is_not_healthy_goes),
        cmocka_unit_test(a_trial_takes_its_time),
        cmocka_unit_test(a_return_waits_for_the_charge),
        cmocka_unit_test(what_filled_the_disk_goes_at_once),
        cmocka_unit_test(a_return_does_not_wait_for_a_disk_that_takes_nothing),
        cmocka_unit_test(a_service_that_answers_late_is_waited_for),
        cmocka_unit_test(a_request_waits_until_it_is_known_what_runs),
        cmocka_unit_test(a_trial_without_a_record),
        cmocka_unit_test(the_power_goes_at_every_look),
        cmocka_unit_test(without_a_date_nothing_expires_and_the_log_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Every later version reads what this one wrote: a store that holds a charge that was open, charges
// that the central system has not heard of, cards, a local list, a reservation, a profile, settings
// and an update, as test/golden/store keeps it. With --write FILE it is made anew: only for a new
// version, beside the old ones, never in their place.
#include "ed25519/ed25519.h"
#include "make.h"
#include "simfiles.h"
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef GOLDEN_STORE
#error "GOLDEN_STORE is the folder of the stores"
#endif

static struct street street;
static struct pw_sim_files files;
static struct pw_release_crypto crypto;

static bool is_online(const struct street *of)
{
    return strcmp(book_status_of(&of->book, 1), "") != 0;
}

static void open_street(void)
{
    struct pw_world_ac_config world = pw_world_ac_defaults();
    world.plugged = true;
    pw_sim_files_init(&files);
    files.root_len = pw_make_signed_root_1(files.root, sizeof(files.root));
    crypto = pw_ed25519_crypto();
    street_open_ac(&street, &world);
    street_files(&street, &files);
    street.crypto = &crypto;
    street_set(&street, "session.after_power_loss", "resume");
    street_set(&street, "metering.sample_interval_s", "5");
}

// ---------------------------------------------------------------------------------------------
// Making one.

static void live_a_little(void)
{
    street_power_on(&street);
    assert_true(street_until(&street, is_online, 5000));
    street_run(&street, 3000);
    street_call(&street, "SendLocalList",
                "{\"listVersion\":7,\"updateType\":\"Full\",\"localAuthorizationList\":[{\"idTag\":"
                "\"LIST-1\",\"idTagInfo\":{\"status\":\"Accepted\"}}]}");
    street_call(
        &street, "SetChargingProfile",
        "{\"connectorId\":1,\"csChargingProfiles\":{\"chargingProfileId\":9,\"stackLevel\":2,"
        "\"chargingProfilePurpose\":\"TxDefaultProfile\",\"chargingProfileKind\":\"Relative\","
        "\"chargingSchedule\":{\"chargingRateUnit\":\"A\",\"chargingSchedulePeriod\":[{"
        "\"startPeriod\":0,\"limit\":13.0}]}}}");
    street_run(&street, 3000);
    (void)street_command(&street, "set ocpp.cpo_name Golden");
    street_card(&street, "CARD-1");
    street_run(&street, 20000);
    // From here on the central system hears nothing.
    street.reachable = false;
    street_cut_link(&street);
    street_run(&street, 5000);
    street_card(&street, "CARD-1");
    street_run(&street, 5000);
    street_do(&street, "unplug");
    street_run(&street, 5000);
    street_do(&street, "plug");
    street_run(&street, 3000);
    street_card(&street, "CARD-1");
    street_run(&street, 20000);
    (void)street_command(&street, "update file:///nowhere");
    (void)street_command(&street, "update https://files.example/release.pwr");
    street_run(&street, 30000);
    assert_true(street_is_charging(&street));
    street_power_off(&street);
}

static int write_store(const char *path)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    open_street();
    live_a_little();
    for (size_t i = 0; i < street.store.count; i++) {
        const struct pw_sim_record *record = &street.store.records[i];
        (void)fprintf(file, "%s ", record->key);
        for (uint16_t b = 0; b < record->len; b++) {
            (void)fprintf(file, "%02x", (unsigned)(uint8_t)record->value[b]);
        }
        (void)fputc('\n', file);
    }
    (void)fclose(file);
    street_close(&street);
    pw_sim_files_free(&files);
    return 0;
}

// ---------------------------------------------------------------------------------------------
// Reading one.

static unsigned load(const char *version)
{
    static char line[2 * PW_STORE_VALUE_MAX + PW_STORE_KEY_MAX + 8];
    char path[400];
    unsigned records = 0;
    (void)snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN_STORE, version);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        uint8_t value[PW_STORE_VALUE_MAX];
        struct pw_str rest = pw_str_trim(pw_str_of(line));
        struct pw_str key = pw_str_cut(&rest, ' ');
        int len = rest.len == 0 ? 0 : pw_parse_hex(rest, value, sizeof(value));
        assert_true(len >= 0);
        const struct pw_store_change change = {
            .key = key, .value = {.at = (const char *)value, .len = (size_t)len}};
        assert_true(street.store.port.write(street.store.port.context, &change, 1) > 0);
        records++;
    }
    (void)fclose(file);
    (void)street.store.port.durable(street.store.port.context);
    return records;
}

static bool nothing_waits(const struct street *of)
{
    return pw_journal_waiting(&of->station->journal) == 0;
}

// Reason: a new program on trial, and the one before when it comes back, must find every charge.
static void a_store_of_every_version_is_read(void **state)
{
    static const char *const versions[] = {"0.1.0"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(versions); i++) {
        open_street();
        unsigned records = load(versions[i]);
        street.now = 1000;
        street_power_on(&street);
        struct pw_station *st = street.station;
        assert_true(st->journal.boot >= 2);
        assert_string_equal(pw_settings_text(&st->settings, PW_SET_CPO_NAME), "Golden");
        assert_true(pw_journal_waiting(&st->journal) > 0);
        assert_non_null(pw_journal_open_on(&st->journal, 1));
        assert_string_equal(pw_journal_open_on(&st->journal, 1)->id_tag, "CARD-1");
        assert_string_equal(st->files.update.url, "https://files.example/release.pwr");
        assert_non_null(strstr(street_command(&street, "cards list"), "LIST-1"));
        assert_non_null(strstr(street_command(&street, "json profiles"), "\"profile_id\":9"));
        assert_non_null(strstr(street_command(&street, "json seclog"), "StartupOfTheDevice"));
        // Both charges reach the central system, each once.
        street_do(&street, "unplug");
        street_run(&street, 10000);
        assert_true(street_until(&street, nothing_waits, 240000));
        assert_int_equal(street.book.bad, 0);
        print_message("%s: %u records\n", versions[i], records);
        street_close(&street);
        pw_sim_files_free(&files);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        return write_store(argv[2]);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_store_of_every_version_is_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

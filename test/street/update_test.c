// A whole station is updated while it charges, and loses its power at every single operation of its
// store from the request to the end of the trial. Whatever comes back runs a whole program, ends
// Installed, and knows what it knew: the charge is started and stopped once, with one energy, and
// credentials, settings and cards are as they were.
#include "ed25519/ed25519.h"
#include "make.h"
#include "simfiles.h"
#include "street.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARGE_MS = 20000, DARK_MS = 2000, END_MS = 900000, OPERATIONS_MOST = 2000 };

struct town {
    struct street street;
    struct pw_sim_files files;
    struct pw_release_crypto crypto;
    uint8_t release[20000];
    uint64_t used;   // operations of the store before the last start
    uint64_t cut_at; // of all; 0: never
    bool cut;
    unsigned starts;
};

static bool is_online(const struct street *street)
{
    return strcmp(book_status_of(&street->book, 1), "") != 0;
}

// The program starts; what is still to come of the operations before the cut goes on counting.
static void start(struct town *town)
{
    struct street *street = &town->street;
    town->starts++;
    street_power_on(street);
    street->store.operations = 0;
    street->store.lag = 1;
    street->store.cut_at = !town->cut && town->cut_at > town->used ? town->cut_at - town->used : 0;
}

// Whoever starts programs does so again when one ends, or the power comes back.
static void live(struct town *town, pw_ms span)
{
    struct street *street = &town->street;
    for (pw_ms end = street->now + span; street->now < end;) {
        street_run(street, 500);
        if (street->station == NULL) {
            town->cut = true;
            street_run(street, DARK_MS);
            start(town);
        } else if (pw_station_wants_restart(street->station) != PW_RESTART_NONE) {
            town->used += street->store.operations;
            street_crash(street);
            start(town);
        }
    }
}

static bool is_over(const struct town *town)
{
    const struct pw_station *st = town->street.station;
    return st != NULL && st->files.update.stage == PW_UPDATE_NONE &&
           st->files.update.status == PW_UPDATE_INSTALLED;
}

static struct town *open_town(uint64_t cut_at)
{
    struct town *town = calloc(1, sizeof(*town));
    struct pw_world_ac_config world = pw_world_ac_defaults();
    assert_non_null(town);
    world.plugged = true;
    pw_sim_files_init(&town->files);
    town->files.root_len = pw_make_signed_root_1(town->files.root, sizeof(town->files.root));
    town->files.file = town->release;
    town->files.file_len = pw_make_release(&(struct pw_make){.version = "1.0.0", .counter = 3},
                                           town->release, sizeof(town->release));
    town->files.step = 400;
    town->crypto = pw_ed25519_crypto();
    street_open_ac(&town->street, &world);
    street_files(&town->street, &town->files);
    town->street.crypto = &town->crypto;
    street_secret(&town->street, "ocpp.authorization_key", "AUTHKEY-0123456789");
    town->cut_at = 0;
    start(town);
    assert_true(street_until(&town->street, is_online, 5000));
    street_run(&town->street, 3000);
    street_card(&town->street, "CARD-1");
    street_run(&town->street, 5000);
    assert_true(street_is_charging(&town->street));
    (void)street_command(&town->street, "set ocpp.cpo_name Somebody");
    street_run(&town->street, 2000);
    // From here on the power may go.
    town->street.store.operations = 0;
    town->used = 0;
    town->cut_at = cut_at;
    town->street.store.cut_at = cut_at;
    return town;
}

static void close_town(struct town *town)
{
    street_close(&town->street);
    pw_sim_files_free(&town->files);
    free(town);
}

static void update(struct town *town)
{
    struct street *street = &town->street;
    (void)street_command(street, "update https://files.example/new.pwr");
    live(town, CHARGE_MS);
    street_do(street, "unplug");
    for (pw_ms end = street->now + END_MS; street->now < end && !is_over(town);) {
        live(town, 1000);
        const struct pw_station *st = street->station;
        // A cut before the request was written down: it was never accepted for good.
        if (st != NULL && town->cut && st->files.update.url[0] == '\0') {
            (void)street_command(street, "update https://files.example/new.pwr");
        }
    }
    live(town, 30000);
}

static void check(const struct town *town)
{
    const struct street *street = &town->street;
    const struct pw_station *st = street->station;
    assert_true(is_over(town));
    assert_string_equal(town->files.ran, "1.0.0");
    assert_int_equal(town->files.slots.counter, 3);
    assert_false(town->files.slots.trial);
    // The charge: once, or in two parts where the cut divided it; nothing lost, nothing doubled.
    assert_true(street->book.count >= 1 && street->book.count <= 2);
    for (unsigned i = 0; i < street->book.count; i++) {
        const struct book_transaction *t = &street->book.transactions[i];
        assert_int_equal(t->starts >= 1, 1);
        assert_int_equal(t->stops >= 1, 1);
        assert_true(t->meter_stop_wh >= t->meter_start_wh);
    }
    assert_int_equal(street->book.orphan_stops, 0);
    assert_int_equal(street->book.refused_stops, 0);
    assert_int_equal(street->book.bad, 0);
    assert_int_equal(pw_journal_waiting(&st->journal), 0);
    if (street->watch.violations != 0) {
        fail_msg("%s", street->watch.what);
    }
    assert_string_equal(pw_settings_text(&st->settings, PW_SET_OCPP_KEY), "AUTHKEY-0123456789");
    assert_string_equal(pw_settings_text(&st->settings, PW_SET_CPO_NAME), "Somebody");
}

// Reason: §6.3 of facts/reliability.md: credentials and transactions identical before and after,
// wherever the power goes.
static void the_power_goes_at_every_operation(void **state)
{
    (void)state;
    unsigned cuts = 0;
    unsigned most = 0;
    for (uint64_t at = 1; at < OPERATIONS_MOST; at++) {
        struct town *town = open_town(at);
        update(town);
        check(town);
        bool cut = town->cut;
        most = town->starts > most ? town->starts : most;
        close_town(town);
        if (!cut) {
            break;
        }
        cuts++;
    }
    print_message("an update cut at each of %u operations of the store; %u starts at most\n", cuts,
                  most);
    assert_true(cuts > 20);
}

// Reason: I8: nothing is energised while the switch is made, and nobody's charge is ended for it.
static void a_charge_is_not_interrupted(void **state)
{
    (void)state;
    struct town *town = open_town(0);
    struct street *street = &town->street;
    assert_non_null(strstr(street_command(street, "set update.window at night"), "HH:MM"));
    assert_non_null(strstr(street_command(street, "update check"), "no update source"));
    assert_non_null(strstr(street_command(street, "update file:///etc/passwd"), "http"));
    (void)street_command(street, "update https://files.example/new.pwr");
    live(town, 60000);
    assert_true(street_is_charging(street));
    assert_int_equal(town->starts, 1);
    assert_int_equal(street->station->files.update.stage, PW_UPDATE_WAITS_FOR_REST);
    assert_int_equal(town->files.slot_writes, 1); // written meanwhile
    street_do(street, "unplug");
    live(town, 400000);
    check(town);
    assert_int_equal(street->book.count, 1);
    // The next one charges with the new program.
    street_do(street, "plug");
    street_run(street, 3000);
    street_card(street, "CARD-2");
    street_run(street, 10000);
    assert_true(street_is_charging(street));
    close_town(town);
}

// Reason: a person who cannot wait says so; the charge is ended in order and has its receipt.
static void now_ends_the_charge_in_order(void **state)
{
    (void)state;
    struct town *town = open_town(0);
    (void)street_command(&town->street, "update https://files.example/new.pwr now");
    live(town, 400000);
    check(town);
    assert_int_equal(town->street.book.count, 1);
    close_town(town);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_charge_is_not_interrupted),
        cmocka_unit_test(now_ends_the_charge_in_order),
        cmocka_unit_test(the_power_goes_at_every_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

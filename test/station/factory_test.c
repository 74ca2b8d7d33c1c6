// Factory reset, seen from the rooms: who is refused and in which words, and what of the hardware a
// station remembers afterwards. facts/reliability.md §3.1, T14; the files are in test/app.
#include "factory.h"
#include "seclog/seclog.h"
#include "simstore.h"
#include "station.h"
#include "test.h"

#include <string.h>

static struct bench {
    struct pw_settings settings;
    struct pw_sim_store old;
    struct pw_sim_store new;
    struct pw_journal from;
    struct pw_journal to;
    struct pw_station station;
    char text[512];
    struct pw_out why;
} bench;

static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof(bench));
    bench.why = PW_OUT(bench.text);
    pw_sim_store_init(&bench.old);
    pw_sim_store_init(&bench.new);
    pw_settings_init(&bench.settings);
    assert_int_equal(pw_journal_open(&bench.from, &bench.old.port, NULL), PW_OK);
    assert_int_equal(pw_journal_open(&bench.to, &bench.new.port, NULL), PW_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    pw_sim_store_free(&bench.old);
    pw_sim_store_free(&bench.new);
    return 0;
}

static void put(const char *path, const char *value, enum pw_setting_by by)
{
    struct pw_setting_at at;
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(&bench.settings, at, pw_str_of(value), by, &bench.why), PW_OK);
}

static void start_station(void)
{
    put("station.id", "CP1", PW_BY_FILE);
    put("can.bus0", "mcast:239.74.163.2:4000", PW_BY_FILE);
    put("connectors[0].kind", "dc", PW_BY_FILE);
    const struct pw_station_start start = {.settings = &bench.settings,
                                           .store = &bench.old.port,
                                           .firmware = "1",
                                           .seed = 1,
                                           .now = 1};
    assert_int_equal(pw_station_init(&bench.station, &start), PW_OK);
}

static void begin_charge(struct pw_journal *journal)
{
    struct pw_transaction transaction = {.connector = 1, .first = {.at = {.boot = 1, .mono = 5}}};
    assert_int_equal(pw_str_copy(transaction.id_tag, sizeof(transaction.id_tag), PW_STR("CARD1")),
                     PW_OK);
    assert_true(pw_journal_begin(journal, &transaction) > 0);
    assert_true(bench.old.port.durable(bench.old.port.context) > 0);
}

static int carry(bool forget)
{
    bench.why = PW_OUT(bench.text);
    return pw_factory_carry(&bench.from, &bench.to, forget, NULL, &bench.why);
}

// Reason: who resets a station that welded, or that counted ten years of energy, must find it so.
static void latches_and_registers_stay_and_cards_and_settings_go(void **state)
{
    (void)state;
    const struct pw_keep keep = {.latched = 0x14, .inoperative = true, .charge_now = true};
    struct pw_register reg = {.energy = {.energy_mwh = 123456789}, .counter = -1};
    struct pw_keep kept;
    struct pw_register counted;
    assert_int_equal(pw_journal_save_keep(&bench.from, 1, keep), PW_OK);
    assert_int_equal(pw_journal_save_register(&bench.from, 1, &reg), PW_OK);
    assert_int_equal(
        pw_journal_save_setting(&bench.from, PW_STR("page.password"), PW_STR("12345678")), PW_OK);
    (void)bench.old.port.durable(bench.old.port.context);
    assert_int_equal(carry(false), PW_OK);
    (void)bench.new.port.durable(bench.new.port.context);
    assert_int_equal(pw_journal_read_keep(&bench.to, 1, &kept), PW_OK);
    assert_int_equal(kept.latched, 0x14);
    assert_false(kept.inoperative);
    assert_false(kept.charge_now);
    assert_int_equal(pw_journal_read_register(&bench.to, 1, &counted), PW_OK);
    assert_int_equal(counted.energy.energy_mwh, 123456789);
    assert_int_equal(pw_sim_store_count(&bench.new, "set/"), 0);
    // What stays is a list, so that nothing new slips through.
    size_t listed = pw_sim_store_count(&bench.new, "keep/") +
                    pw_sim_store_count(&bench.new, "reg/") +
                    pw_sim_store_count(&bench.new, "sec/") + pw_sim_store_count(&bench.new, "n");
    assert_int_equal(pw_sim_store_count(&bench.new, ""), listed);
    struct pw_seclog seclog;
    struct pw_seclog_record first;
    pw_seclog_open(&seclog, &bench.new.port, NULL);
    assert_int_equal(pw_seclog_read(&seclog, 1, &first), PW_OK);
    assert_int_equal(first.kind, PW_SECURITY_LOG_CLEARED);
    assert_string_equal(first.detail, "factory reset");
}

static void charges_that_nobody_was_told_of_are_not_lost_unasked(void **state)
{
    (void)state;
    begin_charge(&bench.from);
    assert_int_equal(carry(false), PW_ERR_BUSY);
    assert_non_null(strstr(bench.text, "1 message(s)"));
    assert_non_null(strstr(bench.text, "1 charge(s) did not end"));
    assert_int_equal(pw_sim_store_count(&bench.new, "reg/"), 0);
    assert_int_equal(carry(true), PW_OK);
    assert_int_equal(pw_sim_store_count(&bench.new, "tx/"), 0);
}

static void a_running_station_wants_its_name_and_says_what_would_be_lost(void **state)
{
    (void)state;
    start_station();
    struct pw_station *st = &bench.station;
    bench.why = PW_OUT(bench.text);
    assert_int_equal(pw_station_factory_reset(st, PW_STR(""), true, &bench.why, 2), PW_ERR_RANGE);
    assert_int_equal(pw_station_factory_reset(st, PW_STR("CP2"), true, &bench.why, 2),
                     PW_ERR_RANGE);
    // A program on trial would lose the key of its central, and with it the trial.
    st->files.update.stage = PW_UPDATE_ON_TRIAL;
    bench.why = PW_OUT(bench.text);
    assert_int_equal(pw_station_factory_reset(st, PW_STR("CP1"), true, &bench.why, 2), PW_ERR_BUSY);
    assert_non_null(strstr(bench.text, "on trial"));
    st->files.update.stage = PW_UPDATE_NONE;
    begin_charge(&st->journal);
    bench.why = PW_OUT(bench.text);
    assert_int_equal(pw_station_factory_reset(st, PW_STR("CP1"), false, &bench.why, 2),
                     PW_ERR_BUSY);
    assert_non_null(strstr(bench.text, "would be lost"));
    assert_int_equal(pw_station_wants_restart(st), PW_RESTART_NONE);
    assert_int_equal(pw_station_factory_reset(st, PW_STR("CP1"), true, &bench.why, 2), PW_OK);
    st->host.reset(st, true, 3); // nobody who asks for less takes it back
    assert_int_equal(st->restart, PW_RESTART_FACTORY);
}

// Reason: a station whose secrets are locked must not act as if there were none (T14).
static void a_locked_secret_is_neither_empty_nor_a_password(void **state)
{
    (void)state;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        if (pw_setting_rows[id].when != PW_WHEN_SECRET) {
            continue;
        }
        char shown[16] = "";
        struct pw_out out = PW_OUT(shown);
        pw_settings_lock(&bench.settings, at);
        assert_true(pw_settings_locked(&bench.settings, at.id));
        pw_settings_print(&bench.settings, at, &out);
        assert_string_equal(shown, "locked");
        assert_int_not_equal(
            pw_settings_set(&bench.settings, at, PW_STR("\x01"), PW_BY_SECRETS, &bench.why), PW_OK);
        static const char value[] = "a-new-value-0123456789-0123456789";
        assert_int_equal(
            pw_settings_set(&bench.settings, at, PW_STR(value), PW_BY_SECRETS, &bench.why), PW_OK);
        assert_false(pw_settings_locked(&bench.settings, at.id));
        pw_settings_lock(&bench.settings, at); // what is there already counts
        assert_string_equal(pw_settings_text(&bench.settings, at.id), value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(latches_and_registers_stay_and_cards_and_settings_go,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(charges_that_nobody_was_told_of_are_not_lost_unasked,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_running_station_wants_its_name_and_says_what_would_be_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_secret_is_neither_empty_nor_a_password, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Settings: every row at its borders, every hand, every way to be wrong.
#include "settings/settings.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct pw_settings fresh(void)
{
    struct pw_settings settings;
    char why[PW_SETTING_WHY_MAX];
    struct pw_out out = PW_OUT(why);
    struct pw_setting_at kind;
    pw_settings_init(&settings);
    assert_int_equal(pw_settings_find(PW_STR("connectors[0].kind"), &kind), PW_OK);
    assert_int_equal(pw_settings_set(&settings, kind, PW_STR("dc"), PW_BY_FILE, &out), PW_OK);
    return settings;
}

static int set(struct pw_settings *settings, const char *path, const char *value,
               enum pw_setting_by by, char *why)
{
    struct pw_out out = {.at = why, .cap = PW_SETTING_WHY_MAX};
    struct pw_setting_at at;
    int err = pw_settings_find(pw_str_of(path), &at);
    return err == PW_OK ? pw_settings_set(settings, at, pw_str_of(value), by, &out) : err;
}

// The hand that may set a row, or none for FIXED.
static bool hand_of(enum pw_setting_when when, enum pw_setting_by *by)
{
    *by = when == PW_WHEN_SECRET ? PW_BY_SECRETS : PW_BY_FILE;
    return when != PW_WHEN_FIXED;
}

// Reason: a limit in the table that the code does not hold is worse than none.
static void every_number_is_taken_at_its_borders_and_refused_beyond(void **state)
{
    (void)state;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_row *row = &pw_setting_rows[id];
        struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        enum pw_setting_by by;
        if (row->kind != PW_KIND_INT || !hand_of(row->when, &by)) {
            continue;
        }
        const int64_t tries[] = {row->least - 1, row->least, row->most, row->most + 1};
        for (size_t i = 0; i < PW_COUNT(tries); i++) {
            struct pw_settings settings = fresh();
            struct pw_settings before = settings;
            char number[24];
            char why[PW_SETTING_WHY_MAX] = "";
            struct pw_out out = PW_OUT(why);
            (void)snprintf(number, sizeof(number), "%lld", (long long)tries[i]);
            int err = pw_settings_set(&settings, at, pw_str_of(number), by, &out);
            if (i == 1 || i == 2) {
                assert_int_equal(err, PW_OK);
            } else {
                assert_int_equal(err, PW_ERR_RANGE);
                assert_memory_equal(&settings, &before, sizeof(settings));
                assert_non_null(strstr(why, row->path));
                assert_non_null(strstr(why, number));
                assert_non_null(strstr(why, ".."));
            }
        }
    }
}

static void every_text_is_taken_at_its_longest_and_refused_beyond(void **state)
{
    (void)state;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_row *row = &pw_setting_rows[id];
        struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        enum pw_setting_by by;
        char text[PW_SETTING_TEXT_MAX + 8];
        if (row->kind != PW_KIND_TEXT || !hand_of(row->when, &by)) {
            continue;
        }
        memset(text, 'x', sizeof(text));
        struct pw_settings settings = fresh();
        char why[PW_SETTING_WHY_MAX] = "";
        struct pw_out out = PW_OUT(why);
        struct pw_str longest = {.at = text, .len = (size_t)row->most};
        struct pw_str beyond = {.at = text, .len = (size_t)row->most + 1};
        assert_int_equal(pw_settings_set(&settings, at, longest, by, &out), PW_OK);
        assert_int_equal(strlen((row->scope == PW_SCOPE_CONNECTOR
                                     ? pw_settings_connector_text(&settings, at.id, 0)
                                     : pw_settings_text(&settings, at.id))),
                         row->most);
        assert_int_equal(pw_settings_set(&settings, at, beyond, by, &out), PW_ERR_RANGE);
        assert_int_equal(pw_settings_set(&settings, at, PW_STR("a\nb"), by, &out), PW_ERR_PEER);
    }
}

// Reason: a secret in a readable file, or a file setting changed from far away, is a hole.
static void every_row_refuses_the_wrong_hand(void **state)
{
    (void)state;
    struct pw_settings settings = fresh();
    char why[PW_SETTING_WHY_MAX];
    assert_int_equal(set(&settings, "ocpp.authorization_key", "0123456789abcdef", PW_BY_FILE, why),
                     PW_ERR_BUSY);
    assert_non_null(strstr(why, "secrets file"));
    assert_null(strstr(why, "0123456789abcdef"));
    assert_int_equal(set(&settings, "station.id", "X", PW_BY_OCPP, why), PW_ERR_BUSY);
    assert_int_equal(set(&settings, "station.id", "X", PW_BY_SECRETS, why), PW_ERR_BUSY);
    assert_int_equal(set(&settings, "connectors[0].io_node", "3", PW_BY_PERSON, why), PW_ERR_BUSY);
    assert_int_equal(set(&settings, "station.connectors", "2", PW_BY_FILE, why), PW_ERR_BUSY);
    assert_int_equal(set(&settings, "connectors[1].trip_dc", "700", PW_BY_OCPP, why), PW_ERR_BUSY);
    assert_non_null(strstr(why, "does not exist"));
}

// Reason: a person who sets the rectifier of an AC socket believes that something has changed.
static void a_row_of_another_connector_kind_is_refused_while_running(void **state)
{
    (void)state;
    static const char *const foreign[] = {"connectors[0].ac_current_max_ma",
                                          "connectors[0].rapi_wire", "rapi.timeout_ms"};
    struct pw_settings settings = fresh();
    char why[PW_SETTING_WHY_MAX] = "";
    for (size_t i = 0; i < PW_COUNT(foreign); i++) {
        struct pw_setting_at at;
        assert_int_equal(pw_settings_find(pw_str_of(foreign[i]), &at), PW_OK);
        assert_false(pw_settings_concerns(&settings, at));
        struct pw_settings before = settings;
        const char *value = pw_setting_rows[at.id].kind == PW_KIND_CHOICE ? "lora" : "7000";
        assert_int_equal(set(&settings, foreign[i], value, PW_BY_PERSON, why), PW_ERR_BUSY);
        assert_int_equal(set(&settings, foreign[i], value, PW_BY_OCPP, why), PW_ERR_BUSY);
        assert_memory_equal(&settings, &before, sizeof(settings));
    }
    memset(why, 0, sizeof(why));
    assert_int_equal(set(&settings, foreign[0], "7000", PW_BY_PERSON, why), PW_ERR_BUSY);
    assert_string_equal(why, "connectors[0].ac_current_max_ma concerns connectors of kind pilot or "
                             "openevse; this one is dc");
    memset(why, 0, sizeof(why));
    assert_int_equal(set(&settings, foreign[2], "7000", PW_BY_OCPP, why), PW_ERR_BUSY);
    assert_string_equal(why, "rapi.timeout_ms concerns connectors of kind openevse; there is none");
    // What the file or an earlier start holds may wait for another kind.
    assert_int_equal(set(&settings, foreign[0], "7000", PW_BY_FILE, why), PW_OK);
    assert_int_equal(set(&settings, foreign[0], "8000", PW_BY_STORE, why), PW_OK);
}

static void numbers_that_are_none_are_named(void **state)
{
    (void)state;
    struct pw_settings settings = fresh();
    char why[PW_SETTING_WHY_MAX];
    const char *const bad[] = {
        "",   "ten", "1.5", "1e3", " 5", "5 ", "+5", "--5", "0x", "0xZZ", "99999999999999999999",
        "NaN"};
    for (size_t i = 0; i < PW_COUNT(bad); i++) {
        assert_int_not_equal(set(&settings, "metering.sample_interval_s", bad[i], PW_BY_FILE, why),
                             PW_OK);
    }
    assert_int_equal(set(&settings, "connectors[0].terminal_id", "0x00433F01", PW_BY_FILE, why),
                     PW_OK);
    assert_int_equal(pw_settings_connector(&settings, PW_SET_TERMINAL_ID, 0), 0x00433F01);
    assert_int_equal(set(&settings, "connectors[0].rectifier", "acme", PW_BY_FILE, why),
                     PW_ERR_RANGE);
    assert_non_null(strstr(why, "huawei or infypower"));
}

static void connectors_are_added_in_order_only(void **state)
{
    (void)state;
    struct pw_settings settings = fresh();
    char why[PW_SETTING_WHY_MAX];
    assert_int_equal(set(&settings, "connectors[2].kind", "dc", PW_BY_FILE, why), PW_ERR_RANGE);
    assert_int_equal(set(&settings, "connectors[1].kind", "dc", PW_BY_FILE, why), PW_OK);
    assert_int_equal(settings.connectors, 2);
    assert_int_equal(pw_settings_int(&settings, PW_SET_CONNECTORS), 2);
    struct pw_setting_at at;
    assert_int_equal(pw_settings_find(PW_STR("connectors[4].kind"), &at), PW_ERR_UNKNOWN);
    assert_int_equal(pw_settings_find(PW_STR("connectors[].kind"), &at), PW_ERR_UNKNOWN);
    assert_int_equal(pw_settings_find(PW_STR("connectors[0].station.id"), &at), PW_ERR_UNKNOWN);
    assert_int_equal(pw_settings_find(PW_STR("kind"), &at), PW_ERR_UNKNOWN);
}

static void contradictions_are_found(void **state)
{
    (void)state;
    const struct {
        const char *path;
        const char *value;
        const char *names;
    } rows[] = {
        {"connectors[0].voltage_min_mv", "90000", "voltage_min_mv"},
        {"connectors[0].derate_from_dc", "800", "derate_from_dc"},
        {"connectors[0].vehicle_bus", "1", "can.bus1"},
        {"connectors[0].rectifier_address", "60", "rectifier_address"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_settings settings = fresh();
        char why[PW_SETTING_WHY_MAX] = "";
        struct pw_out out = PW_OUT(why);
        assert_int_equal(pw_settings_check(&settings, &out), PW_ERR_RANGE);
        assert_int_equal(set(&settings, "station.id", "S", PW_BY_FILE, why), PW_OK);
        assert_int_equal(set(&settings, "can.bus0", "socketcan:can0", PW_BY_FILE, why), PW_OK);
        out = PW_OUT(why);
        assert_int_equal(pw_settings_check(&settings, &out), PW_OK);
        if (strcmp(rows[i].names, "rectifier_address") == 0) {
            assert_int_equal(
                set(&settings, "connectors[0].rectifier", "infypower", PW_BY_FILE, why), PW_OK);
        }
        assert_int_equal(set(&settings, rows[i].path, rows[i].value, PW_BY_FILE, why), PW_OK);
        out = PW_OUT(why);
        assert_int_equal(pw_settings_check(&settings, &out), PW_ERR_RANGE);
        assert_non_null(strstr(why, rows[i].names));
    }
}

// Reason: a contradiction that is set while running would be kept, and the station would never
// start again.
static void a_live_change_that_contradicts_another_changes_nothing(void **state)
{
    (void)state;
    const struct {
        const char *path;
        const char *value;
        const char *names;
    } rows[] = {
        {"connectors[0].voltage_min_mv", "85500", "must be below voltage_max_mv"},
        {"connectors[0].voltage_max_mv", "56000", "must be below voltage_max_mv"},
        {"connectors[0].derate_from_dc", "700", "must be below trip_dc"},
        {"connectors[0].trip_dc", "600", "must be below trip_dc"},
    };
    const enum pw_setting_by hands[] = {PW_BY_PERSON, PW_BY_OCPP};
    for (size_t i = 0; i < PW_COUNT(rows) * PW_COUNT(hands); i++) {
        struct pw_settings settings = fresh();
        struct pw_settings before = settings;
        char why[PW_SETTING_WHY_MAX] = "";
        int err = set(&settings, rows[i / 2].path, rows[i / 2].value, hands[i % 2], why);
        assert_int_equal(err, PW_ERR_RANGE);
        assert_memory_equal(&settings, &before, sizeof(settings));
        assert_non_null(strstr(why, rows[i / 2].path));
        assert_non_null(strstr(why, rows[i / 2].value));
        assert_non_null(strstr(why, rows[i / 2].names));
    }
}

static void a_secret_is_never_printed(void **state)
{
    (void)state;
    struct pw_settings settings = fresh();
    char text[PW_SETTING_TEXT_MAX];
    char why[PW_SETTING_WHY_MAX];
    struct pw_setting_at at;
    assert_int_equal(
        set(&settings, "ocpp.authorization_key", "0123456789abcdef", PW_BY_SECRETS, why), PW_OK);
    assert_int_equal(pw_settings_find_ocpp(PW_STR("AuthorizationKey"), &at), PW_OK);
    struct pw_out out = PW_OUT(text);
    pw_settings_print(&settings, at, &out);
    assert_string_equal(text, "***");
}

// Reason: the file was checked, but a running station took any password from page and console.
static void a_short_password_is_refused_from_every_hand(void **state)
{
    static const enum pw_setting_by hands[] = {PW_BY_SECRETS, PW_BY_PERSON, PW_BY_STORE};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(hands); i++) {
        struct pw_settings settings = fresh();
        struct pw_settings before = settings;
        char why[PW_SETTING_WHY_MAX] = "";
        assert_int_equal(set(&settings, "page.password", "1234567", hands[i], why), PW_ERR_RANGE);
        assert_string_equal(why, "page.password is not allowed; it must have 8 characters or more");
        assert_memory_equal(&settings, &before, sizeof(settings));
        assert_int_equal(set(&settings, "page.password", "12345678", hands[i], why), PW_OK);
        assert_int_equal(set(&settings, "page.password", "", hands[i], why), PW_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_taken_at_its_borders_and_refused_beyond),
        cmocka_unit_test(every_text_is_taken_at_its_longest_and_refused_beyond),
        cmocka_unit_test(every_row_refuses_the_wrong_hand),
        cmocka_unit_test(a_row_of_another_connector_kind_is_refused_while_running),
        cmocka_unit_test(numbers_that_are_none_are_named),
        cmocka_unit_test(connectors_are_added_in_order_only),
        cmocka_unit_test(contradictions_are_found),
        cmocka_unit_test(a_live_change_that_contradicts_another_changes_nothing),
        cmocka_unit_test(a_secret_is_never_printed),
        cmocka_unit_test(a_short_password_is_refused_from_every_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

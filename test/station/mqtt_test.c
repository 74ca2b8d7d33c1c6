// mqtt: every row of the tables does what it says, on a whole station with a simulated store; what
// is refused changes nothing and says why; floods, old commands and secrets.
// Sources: facts/ac-evse-rapi-load.md §3.1 and §3.2; reliability F31, T10.
#include "mqtt_desk.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct desk desk;

static int open_desk(void **state)
{
    (void)state;
    desk_open(&desk);
    desk_connect(&desk);
    return 0;
}

static int close_desk(void **state)
{
    (void)state;
    desk_close(&desk);
    return 0;
}

static struct pw_json_node nodes[2048];
static char spare[4096];

static const struct pw_json_node *json_of(const struct desk_message *message)
{
    struct pw_json json = {
        .node = nodes, .cap = PW_COUNT(nodes), .spare = spare, .spare_cap = sizeof(spare)};
    const struct pw_str text = {.at = message->payload, .len = message->len};
    if (pw_json_read(&json, text) != PW_OK) {
        fail_msg("%s is no JSON: %s", message->topic, message->payload);
    }
    return nodes;
}

static bool has_text(const char *haystack, const char *needle)
{
    return strstr(haystack, needle) != NULL;
}

// The topic of a row for a connector, from 0.
static const char *topic_of(const struct pw_mqtt_command_row *row, unsigned connector)
{
    static char text[PW_BROKER_TOPIC_MAX];
    if (connector == 0) {
        return row->topic;
    }
    (void)snprintf(text, sizeof(text), "%u/%s", connector + 1, row->topic);
    return text;
}

static bool concerns(const struct pw_mqtt_command_row *row, unsigned connector)
{
    bool each = pw_setting_rows[row->setting].scope == PW_SCOPE_CONNECTOR;
    return pw_settings_concerns(
        &desk.station.settings,
        (struct pw_setting_at){.id = row->setting, .instance = (uint8_t)(each ? connector : 0)});
}

static bool is_kept(const struct pw_mqtt_command_row *row, unsigned connector)
{
    char path[PW_STORE_KEY_MAX + 1] = "";
    char value[PW_SETTING_TEXT_MAX];
    char want[PW_SETTING_PATH_MAX] = "";
    desk_run(&desk, 100); // the store tells what is durable when it is asked the next time
    struct pw_out out = PW_OUT(want);
    bool each = pw_setting_rows[row->setting].scope == PW_SCOPE_CONNECTOR;
    pw_settings_print_path(
        (struct pw_setting_at){.id = row->setting, .instance = (uint8_t)(each ? connector : 0)},
        &out);
    while (pw_journal_next_setting(&desk.station.journal, path, value, sizeof(value)) == PW_OK) {
        if (strcmp(path, want) == 0) {
            return true;
        }
    }
    return false;
}

// The message that tells what was applied, with the value in it.
static void assert_echoed(const struct pw_mqtt_command_row *row, const char *wire)
{
    const struct desk_message *echo = desk_find(&desk, row->echo);
    char key[900];
    if (echo == NULL) {
        fail_msg("%s %s: nothing on %s", row->topic, wire, row->echo);
        return;
    }
    if (echo->payload[0] != '{') {
        assert_string_equal(echo->payload, wire);
    } else if (row->form == PW_MQTT_DIGITS) {
        assert_true(has_text(echo->payload, wire));
    } else if (row->form != PW_MQTT_LCD) {
        bool truth =
            strcmp(row->words, "0=false,1=true") == 0 || strcmp(row->words, "0=cable,1=lora") == 0;
        (void)snprintf(key, sizeof(key), "\"%s\":%s", row->json,
                       !truth           ? wire
                       : wire[0] == '1' ? "true"
                                        : "false");
        if (!has_text(echo->payload, key)) {
            fail_msg("%s %s: %s has no %s", row->topic, wire, echo->payload, key);
        }
    }
}

static void assert_applied(const struct pw_mqtt_command_row *row, unsigned connector,
                           const char *wire)
{
    char now_is[PW_SETTING_TEXT_MAX];
    desk_tell(&desk, topic_of(row, connector), pw_str_of(wire));
    const struct desk_message *error = desk_find(&desk, "error");
    if (error != NULL) {
        fail_msg("%s %s refused: %s", row->topic, wire, error->payload);
    }
    if (row->form == PW_MQTT_LCD && strlen(wire) > 1) {
        assert_string_equal(pw_settings_text(&desk.station.settings, row->setting), wire);
    } else {
        desk_wire(&desk, row, connector, now_is, sizeof(now_is));
        assert_string_equal(now_is, wire);
    }
    if (connector == 0) {
        assert_echoed(row, wire);
    }
    assert_true(row->form == PW_MQTT_LCD || is_kept(row, connector));
}

// Values of a row that are in its range, by its own columns.
static unsigned good_values(const struct pw_mqtt_command_row *row, char to[16][48])
{
    unsigned count = 0;
    struct pw_str rest = pw_str_of(row->words);
    while (rest.len > 0) {
        struct pw_str word = pw_str_cut(&rest, ',');
        struct pw_out out = {.at = to[count++], .cap = 48};
        pw_put(&out, pw_str_cut(&word, '='));
    }
    if (row->form == PW_MQTT_NUMBER) {
        const int32_t values[] = {row->least, row->most, row->least + row->over};
        for (size_t i = 0; i < PW_COUNT(values); i++) {
            (void)snprintf(to[count++], 48, "%d", (int)values[i]);
        }
    }
    if (row->form == PW_MQTT_DIGITS) {
        (void)snprintf(to[count++], 48, "%s", "1111111111111111111100000000000000000001");
        (void)snprintf(to[count++], 48, "%s", "0000000000000000000000000000000000000000");
    }
    if (row->form == PW_MQTT_LCD) {
        (void)snprintf(to[count++], 48, "%s", "Tonight 22:00");
    }
    return count;
}

// Reason: each topic that sets something is a promise; the table holds them, so the table is gone
// through. On connector 1, and on connector 2 where the row has one of its own.
static void every_value_in_range_is_applied_kept_and_echoed(void **state)
{
    (void)state;
    unsigned applied = 0;
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        char value[16][48];
        if (row->deed != PW_MQTT_SET) {
            continue;
        }
        unsigned count = good_values(row, value);
        assert_true(count >= 2);
        for (unsigned c = 0; c < (row->scope == PW_MQTT_OF_CONNECTOR ? 2 : 1); c++) {
            for (unsigned v = 0; v < count && concerns(row, c); v++) {
                assert_applied(row, c, value[v]);
                applied++;
            }
        }
    }
    assert_true(applied > 70);
}

static void assert_refused(const char *topic, struct pw_str payload)
{
    static struct pw_settings before;
    before = desk.station.settings;
    desk_tell(&desk, topic, payload);
    const struct desk_message *error = desk_find(&desk, "error");
    if (error == NULL) {
        fail_msg("%s \"%.*s\" was not refused", topic, (int)payload.len, payload.at);
        return;
    }
    const struct pw_json_node *json = json_of(error);
    struct pw_str text;
    assert_int_equal(pw_json_text(pw_json_member(json, "topic"), &text), PW_OK);
    assert_true(pw_str_is(text, strchr(topic, '/') == NULL ? topic : strchr(topic, '/') + 1));
    assert_int_equal(pw_json_text(pw_json_member(json, "error"), &text), PW_OK);
    assert_true(text.len > 0);
    assert_memory_equal(&before, &desk.station.settings, sizeof(before));
}

// Reason: the seed's bytes wrapped and its switches took anything.
static void what_is_out_of_range_is_refused_with_a_reason_and_changes_nothing(void **state)
{
    (void)state;
    static char huge[PW_BROKER_IN_MAX];
    memset(huge, '1', sizeof(huge));
    static const struct pw_str garbage[] = {
        {.at = "", .len = 0},
        {.at = " ", .len = 1},
        {.at = "-1", .len = 2},
        {.at = "1x", .len = 2},
        {.at = "0x10", .len = 4},
        {.at = "1.5", .len = 3},
        {.at = "99999999999", .len = 11},
        {.at = "1\0", .len = 2},
        {.at = "\xFF\xFE\n", .len = 3},
        {.at = "{\"a\":1}\r\nset x", .len = 14},
        {.at = "99999999999999999999999", .len = 23},
    };
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        bool text = row->form == PW_MQTT_TEXT || row->form == PW_MQTT_LCD;
        for (size_t g = 0; g < PW_COUNT(garbage); g++) {
            bool printable = garbage[g].len > 0;
            for (size_t b = 0; b < garbage[g].len; b++) {
                printable = printable && garbage[g].at[b] >= ' ' && garbage[g].at[b] <= '~';
            }
            if (!text || !printable) {
                assert_refused(row->topic, garbage[g]);
            }
        }
        assert_refused(row->topic, (struct pw_str){.at = huge, .len = 200});
        assert_refused(row->topic, (struct pw_str){.at = huge, .len = sizeof(huge)});
        if (row->form == PW_MQTT_NUMBER) {
            char edge[16];
            (void)snprintf(edge, sizeof(edge), "%d", (int)(row->least - 1));
            assert_refused(row->topic, pw_str_of(edge));
            (void)snprintf(edge, sizeof(edge), "%d", (int)(row->most + 1));
            assert_refused(row->topic, pw_str_of(edge));
        }
    }
}

// Reason: a row that concerns another kind of connector is refused in words, not ignored.
static void a_setting_of_another_kind_of_connector_is_refused(void **state)
{
    (void)state;
    assert_refused("2/set_lora", PW_STR("1"));
    assert_refused("2/rapi_request", PW_STR("GS"));
}

static bool is_number(const char *text)
{
    int64_t value = 0;
    return pw_parse_fixed(pw_str_of(text), 3, &value) == PW_OK;
}

// What the station knows without hardware; the others need a board, a meter or a cause.
static bool is_known_at_rest(const struct pw_mqtt_value_row *row)
{
    static const char *const unknown[] = {"current1", "current2",         "current3",   "power",
                                          "voltage",  "charging_current", "temperature"};
    for (size_t i = 0; i < PW_COUNT(unknown); i++) {
        if (strcmp(row->topic, unknown[i]) == 0) {
            return false;
        }
    }
    return row->when != PW_MQTT_EVENT;
}

static void assert_form(const struct pw_mqtt_value_row *row, const struct desk_message *message)
{
    assert_int_equal(message->retain, row->retain);
    switch (row->form) {
    case PW_MQTT_DECIMAL: assert_true(is_number(message->payload)); return;
    case PW_MQTT_PLAIN: assert_true(message->len > 0); return;
    case PW_MQTT_JSON: assert_true(pw_json_is(json_of(message), PW_JSON_OBJECT)); return;
    }
}

// Reason: who connects finds everything, each in its form, retained where it is a state.
static void on_connecting_every_value_is_published_in_its_form(void **state)
{
    (void)state;
    pw_mqtt_down(&desk.mqtt, PW_STR("gone"), desk.now);
    desk_forget(&desk);
    pw_mqtt_up(&desk.mqtt, desk.now);
    desk_run(&desk, 3000);
    assert_string_equal(desk.out[0].topic, DESK_BASE "/connected");
    assert_string_equal(desk.out[0].payload, PW_MQTT_ONLINE);
    assert_true(desk.out[0].retain);
    for (size_t i = 0; i < pw_mqtt_value_count; i++) {
        const struct pw_mqtt_value_row *row = &pw_mqtt_values[i];
        const struct desk_message *message = desk_find(&desk, row->topic);
        if (!is_known_at_rest(row)) {
            continue;
        }
        if (message == NULL) {
            fail_msg("nothing on %s", row->topic);
        } else {
            assert_form(row, message);
        }
    }
    assert_non_null(desk_find(&desk, "2/energy"));
    assert_null(desk_find(&desk, "2/breaker"));
}

// Reason: what is asked for comes, also when nothing has changed.
static void each_get_publishes_its_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        const struct pw_mqtt_command_row *row = &pw_mqtt_commands[i];
        if (row->deed != PW_MQTT_SHOW) {
            continue;
        }
        desk_tell(&desk, row->topic, PW_STR("1"));
        for (size_t v = 0; v < pw_mqtt_value_count; v++) {
            const struct pw_mqtt_value_row *value = &pw_mqtt_values[v];
            if (strcmp(value->shown_by, row->topic) == 0 && is_known_at_rest(value) &&
                desk_find(&desk, value->topic) == NULL) {
                fail_msg("%s does not publish %s", row->topic, value->topic);
            }
        }
    }
}

static void give_house(int32_t ma)
{
    struct pw_board_mains mains = {.at = desk.now, .mhz = PW_BOARD_UNKNOWN};
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        mains.mv[i] = 230000 + (int32_t)(desk.now % 1000);
        mains.ma[i] = ma;
        mains.mw[i] = ma / 1000 * 230000;
    }
    mains.import_mwh = -1;
    pw_station_mains(&desk.station, 0, &mains, desk.now);
}

// Reason: a broker is not a logger: noise stays here, a step is told within one period.
static void a_current_is_published_when_it_has_changed_enough(void **state)
{
    (void)state;
    give_house(8000);
    desk_run(&desk, 2200);
    assert_non_null(desk_find(&desk, "current1"));
    assert_string_equal(desk_find(&desk, "current1")->payload, "8");
    desk_forget(&desk);
    give_house(8149);
    desk_run(&desk, 2200);
    assert_null(desk_find(&desk, "current1"));
    give_house(8151);
    desk_run(&desk, 2200);
    assert_string_equal(desk_find(&desk, "current1")->payload, "8.15");
}

// Reason: an old number that looks like a new one is a lie.
static void a_value_that_is_not_known_any_more_is_taken_from_the_broker(void **state)
{
    (void)state;
    give_house(8000);
    desk_run(&desk, 2200);
    assert_non_null(desk_find(&desk, "current1"));
    desk_forget(&desk);
    desk_run(&desk, 15000);
    assert_non_null(desk_find(&desk, "current1"));
    assert_int_equal(desk_find(&desk, "current1")->len, 0);
    assert_true(desk_find(&desk, "current1")->retain);
}

// Reason: T24, what the broker kept from yesterday must not start or stop anything today.
static void t24_a_retained_command_is_ignored(void **state)
{
    (void)state;
    const struct pw_broker_message message = {
        .topic = PW_STR(DESK_BASE "/set_breaker"), .payload = PW_STR("40"), .retain = true};
    pw_mqtt_message(&desk.mqtt, &message, desk.now);
    desk_run(&desk, 1000);
    assert_int_equal(pw_settings_int(&desk.station.settings, PW_SET_HOUSE_BREAKER_MA), 16000);
    assert_null(desk_find(&desk, "error"));
}

// Reason: T24, a program that stood still for a minute must not catch up on what people wanted
// then.
static void t24_a_command_that_waited_too_long_is_refused(void **state)
{
    (void)state;
    const struct pw_broker_message message = {.topic = PW_STR(DESK_BASE "/set_breaker"),
                                              .payload = PW_STR("40")};
    pw_mqtt_message(&desk.mqtt, &message, desk.now);
    desk.now += PW_MQTT_STALE_MS;
    desk_run(&desk, 100);
    assert_int_equal(pw_settings_int(&desk.station.settings, PW_SET_HOUSE_BREAKER_MA), 16000);
    assert_non_null(desk_find(&desk, "error"));
}

// Reason: F31, T10. Ten thousand commands in a second: a bounded number is carried out, it is said
// once, and afterwards a single one works again.
static void a_flood_is_left_out_and_said_once(void **state)
{
    (void)state;
    uint64_t before = desk.disk.operations;
    unsigned errors = 0;
    for (unsigned i = 0; i < 10000; i++) {
        const struct pw_broker_message message = {.topic = PW_STR(DESK_BASE "/set_breaker"),
                                                  .payload =
                                                      i % 2 == 0 ? PW_STR("20") : PW_STR("25")};
        pw_mqtt_message(&desk.mqtt, &message, desk.now);
        if (i % 10 == 9) {
            desk.now += 1;
            (void)pw_mqtt_step(&desk.mqtt, desk.now);
        }
    }
    desk_run(&desk, 100);
    assert_true(desk.disk.operations - before < 200);
    for (size_t i = 0; i < desk.count; i++) {
        errors += has_text(desk.out[i].topic, "error") ? 1 : 0;
    }
    assert_int_equal(errors, 1);
    desk_run(&desk, 10000);
    desk_tell(&desk, "set_breaker", PW_STR("32"));
    assert_string_equal(desk_find(&desk, "breaker")->payload, "32");
}

#define MARK "N0tToBeSeen"

// Reason: the seed published the Wi-Fi password in clear.
static void no_secret_is_ever_published(void **state)
{
    (void)state;
    unsigned secrets = 0;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        char text[PW_SETTING_WHY_MAX];
        struct pw_out why = PW_OUT(text);
        if (pw_setting_rows[id].when == PW_WHEN_SECRET) {
            (void)!pw_settings_set(&desk.station.settings, at, PW_STR(MARK MARK MARK),
                                   PW_BY_SECRETS, &why);
            secrets++;
        }
    }
    assert_true(secrets >= 6);
    desk_tell(&desk, "set_debug", PW_STR("1111111111111111111111111111111111111111"));
    for (size_t i = 0; i < pw_mqtt_command_count; i++) {
        if (pw_mqtt_commands[i].deed == PW_MQTT_SHOW) {
            desk_tell(&desk, pw_mqtt_commands[i].topic, PW_STR("1"));
            desk_run(&desk, 6000);
            for (size_t m = 0; m < desk.count; m++) {
                assert_false(has_text(desk.out[m].payload, MARK));
            }
        }
    }
    desk_tell(&desk, "get_wifi", PW_STR("1"));
    assert_true(has_text(desk_find(&desk, "wifi")->payload, "\"password1\":\"***\""));
    assert_false(has_text(desk.log, MARK));
}

// The first room of an area; "" for a free one.
static const char *room_of(size_t area)
{
    static char room[32];
    struct pw_str rooms = pw_str_of(pw_mqtt_areas[area].rooms);
    struct pw_out out = PW_OUT(room);
    room[0] = '\0';
    pw_put(&out, pw_str_cut(&rooms, ' '));
    return room;
}

// One line of each area; how many of them belong into the log.
static unsigned write_lines(void)
{
    unsigned logged = 0;
    for (size_t area = 0; area < PW_MQTT_AREAS; area++) {
        const char *room = room_of(area);
        if (room[0] != '\0') {
            logged += pw_mqtt_line(&desk.mqtt, room, PW_STR("a line")) ? 1 : 0;
        }
    }
    return logged;
}

static void turn_on(size_t digit)
{
    char digits[2 * PW_MQTT_AREAS + 1];
    memset(digits, '0', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    digits[digit] = '1';
    desk_tell(&desk, "set_debug", pw_str_of(digits));
    desk_run(&desk, 5100);
    desk_forget(&desk);
}

// Reason: forty switches, each for one thing only.
static void a_debug_switch_lets_its_area_through_and_no_other(void **state)
{
    (void)state;
    for (size_t area = 0; area < PW_MQTT_AREAS; area++) {
        char want[64];
        bool used = room_of(area)[0] != '\0';
        (void)snprintf(want, sizeof(want), "$%s a line$", room_of(area));
        turn_on(2 * area);
        assert_int_equal(write_lines(), used ? 1 : 0);
        desk_run(&desk, 5100);
        assert_null(desk_find(&desk, "debug_log"));
        turn_on(2 * area + 1);
        assert_int_equal(write_lines(), 0);
        desk_run(&desk, 5100);
        const struct desk_message *log = desk_find(&desk, "debug_log");
        assert_int_equal(log != NULL, used);
        assert_true(log == NULL || strcmp(log->payload, want) == 0);
    }
}

// Reason: the form is the seed's, and a line with a "$" must not look like two.
static void debug_lines_stand_between_dollars(void **state)
{
    (void)state;
    desk_tell(&desk, "set_debug", PW_STR("0100000000000000000000000000000000000000"));
    desk_run(&desk, 5100);
    desk_forget(&desk);
    (void)pw_mqtt_line(&desk.mqtt, "session", PW_STR("phase from=idle"));
    (void)pw_mqtt_line(&desk.mqtt, "charge", PW_STR("costs 3$"));
    desk_run(&desk, 5100);
    assert_string_equal(desk_find(&desk, "debug_log")->payload,
                        "$session phase from=idle$$charge costs 3S$");
}

// Reason: who floods the log must not flood the broker, nor the memory.
static void debug_lines_beyond_the_bound_are_counted(void **state)
{
    (void)state;
    desk_tell(&desk, "set_debug", PW_STR("0100000000000000000000000000000000000000"));
    for (unsigned i = 0; i < 1000; i++) {
        (void)pw_mqtt_line(&desk.mqtt, "session", PW_STR("the same line once more"));
    }
    desk_run(&desk, 200);
    const struct desk_message *log = desk_find(&desk, "debug_log");
    assert_non_null(log);
    assert_true(log->len <= PW_MQTT_DEBUG + 40);
    assert_true(has_text(log->payload, "$left out: 9"));
}

// Reason: delete_settings is the seed's way back; who is at the other end of Wi-Fi stays reachable.
static void delete_settings_restores_the_file_and_restarts(void **state)
{
    (void)state;
    desk_tell(&desk, "set_breaker", PW_STR("40"));
    desk_tell(&desk, "set_timer7", PW_STR("5000"));
    char answer[200] = "";
    struct pw_out out = PW_OUT(answer);
    assert_int_equal(
        pw_station_command(&desk.station, PW_STR("set network.ssid1 home"), &out, desk.now), PW_OK);
    desk_tell(&desk, "delete_settings", PW_STR("1"));
    assert_null(desk_find(&desk, "error"));
    desk_run(&desk, 61000); // the board is silent: that is waited for, but not for ever
    assert_int_equal(pw_station_wants_restart(&desk.station), PW_RESTART_SOFT);
    desk_restart(&desk);
    assert_int_equal(pw_settings_int(&desk.station.settings, PW_SET_HOUSE_BREAKER_MA), 16000);
    assert_int_equal(pw_settings_int(&desk.station.settings, PW_SET_RAPI_POLL_CURRENT_MS), 1000);
    assert_string_equal(pw_settings_text(&desk.station.settings, PW_SET_NET_SSID1), "home");
}

// Reason: what was set must be there after a power cut.
static void a_setting_survives_a_restart(void **state)
{
    (void)state;
    desk_tell(&desk, "set_breaker", PW_STR("25"));
    desk_run(&desk, 100);
    desk_restart(&desk);
    assert_int_equal(pw_settings_int(&desk.station.settings, PW_SET_HOUSE_BREAKER_MA), 25000);
}

static void delete_wifi_clears_names_and_passwords(void **state)
{
    static const char *const lines[] = {"set network.ssid1 home", "set network.password1 secret123",
                                        "set network.ssid2 yard"};
    (void)state;
    for (size_t i = 0; i < PW_COUNT(lines); i++) {
        char answer[200] = "";
        struct pw_out out = PW_OUT(answer);
        assert_int_equal(pw_station_command(&desk.station, pw_str_of(lines[i]), &out, desk.now),
                         PW_OK);
    }
    desk_tell(&desk, "delete_wifi", PW_STR("1"));
    assert_string_equal(desk_find(&desk, "wifi")->payload,
                        "{\"schema\":1,\"ssid1\":\"\",\"password1\":\"\",\"ssid2\":\"\","
                        "\"password2\":\"\"}");
}

// Reason: no pretence: nobody should believe that an update runs.
static void an_update_is_refused_while_there_is_no_source(void **state)
{
    (void)state;
    assert_refused("set_update", PW_STR("1"));
    assert_refused("set_update_spiffs", PW_STR("1"));
    assert_true(has_text(desk_find(&desk, "error")->payload, "no update source is configured"));
}

// Reason: the seed says so; a limit for "the next charge" would surprise whoever comes next.
static void a_limit_of_the_charge_needs_a_charge(void **state)
{
    (void)state;
    assert_refused("set_t_limit", PW_STR("4"));
    assert_refused("2/set_e_limit", PW_STR("10"));
}

// Reason: nothing that was meant for an old connection leaves on a new one.
static void nothing_leaves_while_the_broker_is_away(void **state)
{
    (void)state;
    struct pw_broker_message message;
    pw_mqtt_down(&desk.mqtt, PW_STR("gone"), desk.now);
    desk_run(&desk, 10000);
    assert_int_equal(desk.count, 0);
    assert_false(pw_mqtt_take(&desk.mqtt, &message, desk.now));
}

// ---------------------------------------------------------------------------------------------
// Guests

static unsigned guest_heard;
static unsigned guest_says;

static bool guest_wants(void *context, unsigned n, struct pw_out *filter)
{
    (void)context;
    pw_put_s(filter, n == 0 ? "house/meter" : "homeassistant/status");
    return n < 2;
}

static bool guest_hears(void *context, const struct pw_broker_message *message, pw_ms now)
{
    (void)context;
    (void)now;
    guest_heard += pw_str_is(message->topic, "house/meter") ? 1 : 0;
    return true;
}

static bool guest_takes(void *context, struct pw_broker_message *message, pw_ms now)
{
    (void)context;
    (void)now;
    *message = (struct pw_broker_message){.topic = PW_STR("x/y"), .payload = PW_STR("z")};
    return guest_says-- > 0;
}

// Reason: a meter and Home Assistant live on the same connection, also in the middle of a flood.
static void a_guest_has_its_own_topics(void **state)
{
    const struct pw_mqtt_guest guest = {
        .subscription = guest_wants, .message = guest_hears, .take = guest_takes};
    char text[PW_BROKER_TOPIC_MAX] = "";
    struct pw_out filter = PW_OUT(text);
    unsigned n = 0;
    (void)state;
    guest_heard = 0;
    guest_says = 3;
    assert_int_equal(pw_mqtt_join(&desk.mqtt, &guest), PW_OK);
    for (; pw_mqtt_subscription(&desk.mqtt, n, &filter); n++) {
        filter = PW_OUT(text);
    }
    assert_string_equal(text, "homeassistant/status");
    assert_true(n < PW_BROKER_FILTERS_MAX);
    const struct pw_broker_message reading = {.topic = PW_STR("house/meter"),
                                              .payload = PW_STR("7.1")};
    const struct pw_broker_message command = {.topic = PW_STR(DESK_BASE "/get_wifi"),
                                              .payload = PW_STR("1")};
    for (unsigned i = 0; i < 100; i++) {
        pw_mqtt_message(&desk.mqtt, &command, desk.now);
        pw_mqtt_message(&desk.mqtt, &reading, desk.now);
    }
    assert_int_equal(guest_heard, 100);
    desk_run(&desk, 100);
    unsigned said = 0;
    for (size_t i = 0; i < desk.count; i++) {
        said += strcmp(desk.out[i].topic, "x/y") == 0 ? 1 : 0;
    }
    assert_int_equal(said, 3);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(every_value_in_range_is_applied_kept_and_echoed),
        DESK_TEST(what_is_out_of_range_is_refused_with_a_reason_and_changes_nothing),
        DESK_TEST(a_setting_of_another_kind_of_connector_is_refused),
        DESK_TEST(on_connecting_every_value_is_published_in_its_form),
        DESK_TEST(each_get_publishes_its_rows),
        DESK_TEST(a_current_is_published_when_it_has_changed_enough),
        DESK_TEST(a_value_that_is_not_known_any_more_is_taken_from_the_broker),
        DESK_TEST(t24_a_retained_command_is_ignored),
        DESK_TEST(t24_a_command_that_waited_too_long_is_refused),
        DESK_TEST(a_flood_is_left_out_and_said_once),
        DESK_TEST(no_secret_is_ever_published),
        DESK_TEST(a_debug_switch_lets_its_area_through_and_no_other),
        DESK_TEST(debug_lines_stand_between_dollars),
        DESK_TEST(debug_lines_beyond_the_bound_are_counted),
        DESK_TEST(delete_settings_restores_the_file_and_restarts),
        DESK_TEST(a_setting_survives_a_restart),
        DESK_TEST(delete_wifi_clears_names_and_passwords),
        DESK_TEST(an_update_is_refused_while_there_is_no_source),
        DESK_TEST(a_limit_of_the_charge_needs_a_charge),
        DESK_TEST(nothing_leaves_while_the_broker_is_away),
        DESK_TEST(a_guest_has_its_own_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

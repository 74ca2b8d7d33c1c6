// face: what a person in front of the station reads, situation by situation.
#include "face/face.h"
#include "simstore.h"
#include "station.h"
#include "test.h"

#include <string.h>

static const struct pw_face_frame frame = {.station = "YARD-07",
                                           .has_central = true,
                                           .online = true,
                                           .clock = "14:32",
                                           .url = "http://10.0.0.7:8080/"};

static struct pw_connector_view three_phases(void)
{
    return (struct pw_connector_view){.connector_id = 2,
                                      .kind = "pilot",
                                      .status = PW_STATUS_CHARGING,
                                      .phase = PW_PHASE_ACTIVE,
                                      .error_code = "NoError",
                                      .vendor_code = "",
                                      .info = "",
                                      .measured = true,
                                      .phases = 3,
                                      .ma = {15800, 15900, 8000},
                                      .power_mw = 9123456,
                                      .offered_ma = 16000,
                                      .limit_who = PW_LIMIT_CABLE,
                                      .limit_why = "",
                                      .session_mwh = 12345678,
                                      .session_ms = 4020000,
                                      .vehicle = {.max_ma = -1, .soc_permille = -1, .model = ""}};
}

static struct pw_screen screen;

static const struct pw_screen *draw(const struct pw_connector_view *view,
                                    const struct pw_connector_fault *fault, bool only)
{
    int32_t limit_ma =
        view->offered_ma > 0 ? view->offered_ma : 32000; // nothing is offered to nobody
    const struct pw_face_page page = {.view = view,
                                      .fault = fault,
                                      .limit_ma = limit_ma,
                                      .only = only,
                                      .how_to_start = "Plug in",
                                      .how_to_go_on = "Hold your card"};
    pw_face_draw(&frame, &page, &screen);
    return &screen;
}

static void a_three_phase_charge_shows_power_energy_time_and_each_phase(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    draw(&view, NULL, false);
    assert_int_equal(screen.layout, PW_SCREEN_CHARGE);
    assert_int_equal(screen.tone, PW_SCREEN_GO);
    assert_string_equal(screen.state, "Charging");
    assert_string_equal(screen.note, "Connector 2");
    assert_string_equal(screen.figure[0].value, "9.1");
    assert_string_equal(screen.figure[1].value, "12.35");
    assert_string_equal(screen.figure[2].value, "1:07");
    assert_int_equal(screen.bars, 3);
    assert_string_equal(screen.bar[2].label, "L3");
    assert_string_equal(screen.bar[2].value, "8.0 A");
    assert_int_equal(screen.bar[2].filled, 500);
    assert_int_equal(screen.bar[2].mark, 1000);
    assert_string_equal(screen.line[0], "Up to 16 A");
    assert_string_equal(screen.line[1], "what this cable may carry");
    assert_string_equal(screen.clock, "14:32");
    assert_string_equal(screen.link, "online");
    assert_string_equal(screen.url, frame.url);
}

// Reason: a free connector offers nothing yet; people want to know what it could.
static void a_free_connector_says_what_it_can(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    view.status = PW_STATUS_AVAILABLE;
    view.phase = PW_PHASE_IDLE;
    view.offered_ma = 0;
    draw(&view, NULL, false);
    assert_int_equal(screen.layout, PW_SCREEN_WELCOME);
    assert_string_equal(screen.state, "Ready");
    assert_string_equal(screen.note, "Plug in");
    assert_string_equal(screen.line[0], "Connector 2");
    assert_string_equal(screen.line[1], "Three phases, up to 32 A");
    assert_string_equal(screen.line[2], "Last charge: 12.35 kWh in 1:07 h");
    view.status = PW_STATUS_PREPARING;
    view.phase = PW_PHASE_PLUGGED;
    draw(&view, NULL, false);
    assert_string_equal(screen.state, "Plugged in");
    assert_string_equal(screen.note, "Hold your card");
}

// Reason: "why is it 6 A?" is the question at every shared connection.
static void a_shared_limit_says_with_whom(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    view.limit_who = PW_LIMIT_LOAD;
    view.limit_why = "circuit garage is full";
    view.offered_ma = 6500;
    draw(&view, NULL, true);
    assert_string_equal(screen.line[0], "Up to 6.5 A");
    assert_string_equal(screen.line[1], "shared with others: circuit garage is full");
    assert_string_equal(screen.note, "");
    // The vehicle still draws 15.9 A: the scale must hold it, and the mark stand below.
    assert_int_equal(screen.bar[1].filled, 1000);
    assert_int_equal(screen.bar[1].mark, 408);
}

// Reason: who stands there must be told not to touch a cable that leaks, whatever board found it.
static void every_fault_of_an_openevse_board_has_words(void **state)
{
    (void)state;
    const struct pw_connector_fault strange = {.vendor = "PW-NEW"};
    const char *none = pw_face_fault_words(&strange);
    for (unsigned i = 0; pw_rapi_state_at(i) != NULL; i++) {
        const struct pw_rapi_state_row *row = pw_rapi_state_at(i);
        const struct pw_connector_fault fault = {.vendor = row->vendor};
        bool known = row->ends != PW_RAPI_ENDS_NONE && strcmp(row->vendor, "PW-OE-STATE") != 0;
        if (known && strcmp(pw_face_fault_words(&fault), none) == 0) {
            fail_msg("%s has no words", row->vendor);
        }
    }
    for (unsigned i = 0; i < PW_OPENEVSE_FAULT_ROWS; i++) {
        const struct pw_connector_fault fault = {.vendor = pw_openevse_fault_rows[i].vendor};
        assert_string_not_equal(pw_face_fault_words(&fault), none);
    }
}

// Reason: a charge that waits looks broken unless it says for what, and since when.
static void a_limit_names_its_source_its_reason_and_its_age(void **state)
{
    (void)state;
    static const struct {
        enum pw_limit_source who;
        const char *why;
        const char *hold;
        pw_ms age_ms;
        const char *most;
        const char *says;
    } rows[] = {
        {PW_LIMIT_HOUSE, "what the breaker leaves", "", 59999, "Up to 6 A",
         "the house needs the rest: what the breaker leaves"},
        {PW_LIMIT_HOUSE, "house", "", 60000, "Up to 6 A for 1 min", "the house needs the rest"},
        {PW_LIMIT_SCHEDULE, "waits for its time", "waits for 23:00", 3720000,
         "Up to 6 A for 1:02 h", "not now: waits for 23:00"},
        {PW_LIMIT_SCHEDULE, "switched to sleep", NULL, 0, "Up to 6 A",
         "not now: switched to sleep"},
        {PW_LIMIT_LOCAL, "set by hand", "", 0, "Up to 6 A", "set by hand"},
        {PW_LIMIT_VEHICLE, "BMS", "", 0, "Up to 6 A", "what the vehicle asks for"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_connector_view view = three_phases();
        view.limit_who = rows[i].who;
        view.limit_why = rows[i].why;
        const struct pw_face_page page = {.view = &view,
                                          .limit_ma = 6000,
                                          .limit_age_ms = rows[i].age_ms,
                                          .hold = rows[i].hold,
                                          .only = true,
                                          .how_to_start = "",
                                          .how_to_go_on = ""};
        pw_face_draw(&frame, &page, &screen);
        assert_string_equal(screen.line[0], rows[i].most);
        assert_string_equal(screen.line[1], rows[i].says);
    }
}

static void direct_current_shows_the_battery(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    view.kind = "dc";
    view.phases = 0;
    view.out_ma = 27900;
    view.offered_ma = 30000;
    view.vehicle.soc_permille = 641;
    draw(&view, NULL, true);
    assert_int_equal(screen.bars, 2);
    assert_string_equal(screen.bar[0].value, "64 %");
    assert_int_equal(screen.bar[0].filled, 641);
    assert_int_equal(screen.bar[0].mark, -1);
    assert_string_equal(screen.bar[1].value, "27.9 A");
    assert_int_equal(screen.bar[1].filled, 930);
    view.vehicle.soc_permille = -1;
    draw(&view, NULL, true);
    assert_int_equal(screen.bars, 1);
}

// Reason: a figure that nobody measured must not look like zero.
static void what_is_not_measured_is_a_dash(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    view.measured = false;
    draw(&view, NULL, true);
    assert_string_equal(screen.figure[0].value, "-");
    assert_string_equal(screen.bar[0].value, "-");
    assert_int_equal(screen.bar[0].filled, 0);
    view.measured = true;
    view.ma[1] = PW_BOARD_UNKNOWN;
    draw(&view, NULL, true);
    assert_string_equal(screen.bar[1].value, "-");
    assert_string_equal(screen.bar[0].value, "15.8 A");
}

// Reason: a fault's text of the table is for the service; who stands there wants to know what to
// do. A code without words of its own still says whom to turn to.
static void a_fault_says_what_to_do(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    view.status = PW_STATUS_FAULTED;
    const struct pw_connector_fault weld = {.vendor = "PW-WELD",
                                            .ocpp16 = "PowerSwitchFailure",
                                            .text = "contactor does not open",
                                            .active = true,
                                            .stays = true};
    draw(&view, &weld, false);
    assert_int_equal(screen.layout, PW_SCREEN_TROUBLE);
    assert_int_equal(screen.tone, PW_SCREEN_BAD);
    assert_string_equal(screen.note, "Connector 2");
    assert_non_null(strstr(screen.line[0], "Do not touch"));
    assert_string_equal(screen.line[1], "It stays until it is cleared.");
    assert_string_equal(screen.code, "PW-WELD");
    const struct pw_connector_fault strange = {.vendor = "PW-NEW", .text = "x", .active = true};
    draw(&view, &strange, true);
    assert_string_equal(screen.line[0], "The station needs its operator.");
    assert_string_equal(screen.line[1], "It goes by itself.");
}

// Reason: whatever the machines come to, the display says something, within its room.
static void every_status_and_phase_has_words_and_a_colour(void **state)
{
    (void)state;
    unsigned pages = 0;
    for (int status = 0; status < PW_STATUS_ROWS; status++) {
        for (int phase = PW_PHASE_IDLE; phase <= PW_PHASE_FINISHING; phase++) {
            for (int who = 0; who < PW_LIMIT_ROWS; who++) {
                for (uint8_t phases = 0; phases <= 3; phases++) {
                    struct pw_connector_view view = three_phases();
                    view.status = (enum pw_session_status)status;
                    view.phase = (enum pw_session_phase)phase;
                    view.limit_who = (enum pw_limit_source)who;
                    view.phases = phases;
                    draw(&view, NULL, pages % 2 == 0);
                    assert_true(screen.state[0] != '\0');
                    assert_true(screen.layout != PW_SCREEN_CHARGE || screen.line[1][0] != '\0');
                    assert_int_equal(screen.pages, 1);
                    pages++;
                }
            }
        }
    }
    print_message("%u pages\n", pages);
}

static void figures_keep_their_room(void **state)
{
    (void)state;
    static const struct {
        int64_t power_mw;
        const char *power;
        uint64_t energy_mwh;
        const char *energy;
        uint64_t ms;
        const char *time;
    } rows[] = {
        {0, "0.0", 0, "0.00", 0, "0:00"},
        {7360000, "7.4", 99994999, "99.99", 59999, "0:00"},
        {99940000, "99.9", 99995000, "100.0", 60000, "0:01"},
        {150000000, "150", 1234567890, "1234.6", 36000000 * 3, "30:00"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_connector_view view = three_phases();
        view.power_mw = rows[i].power_mw;
        view.session_mwh = rows[i].energy_mwh;
        view.session_ms = rows[i].ms;
        draw(&view, NULL, true);
        assert_string_equal(screen.figure[0].value, rows[i].power);
        assert_string_equal(screen.figure[1].value, rows[i].energy);
        assert_string_equal(screen.figure[2].value, rows[i].time);
    }
}

// Reason: a port compares screens byte by byte and draws only what has changed.
static void the_same_situation_gives_the_same_bytes(void **state)
{
    (void)state;
    struct pw_connector_view view = three_phases();
    struct pw_screen first;
    memset(&screen, 0xA5, sizeof(screen));
    draw(&view, NULL, true);
    memcpy(&first, &screen, sizeof(first));
    memset(&screen, 0x5A, sizeof(screen));
    draw(&view, NULL, true);
    assert_memory_equal(&first, &screen, sizeof(first));
}

// --- Turns, with a whole station of two connectors.

static struct pw_station station;

static void quiet(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    (void)context, (void)level, (void)room, (void)text;
}

static void set(struct pw_settings *settings, const char *path, const char *value)
{
    struct pw_setting_at at;
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(settings, at, pw_str_of(value), PW_BY_FILE, &why), PW_OK);
}

// Reason: who stands at connector 2 must not wait for ever for its page, nor miss its fault.
static void connectors_and_faults_take_turns(void **state)
{
    (void)state;
    static const struct pw_log log = {.write = quiet};
    static struct pw_settings settings;
    static struct pw_sim_store disk;
    pw_ms now = 60 * PW_FACE_TURN_MS; // a whole round of 2, 3 and 4 pages
    pw_settings_init(&settings);
    set(&settings, "station.id", "YARD-07");
    set(&settings, "can.bus0", "mcast:239.74.163.2:43113");
    set(&settings, "connectors[0].kind", "dc");
    set(&settings, "connectors[1].kind", "dc");
    pw_sim_store_init(&disk);
    const struct pw_station_start start = {.settings = &settings,
                                           .store = &disk.port,
                                           .log = &log,
                                           .firmware = "1",
                                           .seed = 7,
                                           .now = now};
    assert_int_equal(pw_station_init(&station, &start), PW_OK);
    assert_int_equal(pw_face_show(&station, "14:32", "", now, &screen), now + PW_FACE_TURN_MS);
    assert_int_equal(screen.pages, 2);
    assert_string_equal(screen.line[0], "Connector 1");
    assert_string_equal(screen.link, ""); // no central system is configured
    (void)pw_face_show(&station, "", "", now + PW_FACE_TURN_MS, &screen);
    assert_int_equal(screen.page, 1);
    assert_string_equal(screen.line[0], "Connector 2");

    char text[200];
    struct pw_out answer = PW_OUT(text);
    assert_int_equal(pw_station_command(&station, PW_STR("estop press"), &answer, now), PW_OK);
    (void)pw_station_step(&station, now);
    unsigned told = 0;
    (void)pw_face_show(&station, "", "", now, &screen);
    for (unsigned i = 0; i < screen.pages; i++) {
        (void)pw_face_show(&station, "", "", now + i * PW_FACE_TURN_MS, &screen);
        assert_int_equal(screen.page, i);
        told += strncmp(screen.line[0], "Emergency stop", 14) == 0 ? 1U : 0U;
    }
    assert_int_equal(told, 2); // one a connector
    pw_sim_store_free(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_three_phase_charge_shows_power_energy_time_and_each_phase),
        cmocka_unit_test(a_free_connector_says_what_it_can),
        cmocka_unit_test(a_shared_limit_says_with_whom),
        cmocka_unit_test(every_fault_of_an_openevse_board_has_words),
        cmocka_unit_test(a_limit_names_its_source_its_reason_and_its_age),
        cmocka_unit_test(direct_current_shows_the_battery),
        cmocka_unit_test(what_is_not_measured_is_a_dash),
        cmocka_unit_test(a_fault_says_what_to_do),
        cmocka_unit_test(every_status_and_phase_has_words_and_a_colour),
        cmocka_unit_test(figures_keep_their_room),
        cmocka_unit_test(the_same_situation_gives_the_same_bytes),
        cmocka_unit_test(connectors_and_faults_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

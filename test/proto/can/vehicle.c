// What scooters say: Elcon/TC requests and status in both SOC forms, Daly answers and counters, and
// the report the station gathers from them. Frames from facts/dc-can.md §1.2, §2.1, §2.2.
#include "can/bms.h"
#include "dice.h"
#include "notation.h"

#include <string.h>

static void the_worked_requests_are_read(void **state)
{
    (void)state;
    struct pw_elcon_request request;
    struct pw_can_frame frame = frame_of("1806E5F4#035C0410000263FF");
    assert_int_equal(pw_elcon_unpack_request(PW_ELCON_SOC, &frame, &request), PW_OK);
    assert_int_equal(request.charger, 0xE5);
    assert_int_equal(request.limit_mv, 86000);
    assert_int_equal(request.limit_ma, 104000);
    assert_true(request.charge && request.has_soc && !request.heating);
    assert_int_equal(request.soc_permille, 611);

    frame = frame_of("1806E5F4#03D400A000000000");
    assert_int_equal(pw_elcon_unpack_request(PW_ELCON_HEATING, &frame, &request), PW_OK);
    assert_int_equal(request.limit_mv, 98000);
    assert_int_equal(request.limit_ma, 16000);
    assert_true(request.charge && !request.heating && !request.has_soc);

    frame = frame_of("1806E5F4#03D400A001010000");
    assert_int_equal(pw_elcon_unpack_request(PW_ELCON_HEATING, &frame, &request), PW_OK);
    assert_true(!request.charge && request.heating);
}

// Anything but zero in the permission byte must not start a charge.
static void every_permission_byte_but_zero_means_stop(void **state)
{
    (void)state;
    struct pw_can_frame frame = frame_of("1806E5F4#03D400A000000000");
    struct pw_elcon_request request;
    for (unsigned byte = 0; byte <= 255; byte++) {
        frame.data[4] = (uint8_t)byte;
        assert_int_equal(pw_elcon_unpack_request(PW_ELCON_HEATING, &frame, &request), PW_OK);
        assert_int_equal(request.charge, byte == 0);
    }
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    struct pw_elcon_request request;
    struct pw_elcon_request before;
    memset(&request, 0x33, sizeof(request));
    before = request;
    for (unsigned soc = 0; soc <= 0xFFFF; soc++) {
        struct pw_can_frame frame = frame_of("1806E5F4#035C041000000000");
        pw_set_be16(frame.data + 5, (uint16_t)soc);
        int err = pw_elcon_unpack_request(PW_ELCON_SOC, &frame, &request);
        assert_int_equal(err, soc <= 1000 ? PW_OK : PW_ERR_RANGE);
    }
    request = before;
    struct pw_can_frame frame = frame_of("1806E5F4#035C041000020000");
    assert_int_equal(pw_elcon_unpack_request(PW_ELCON_HEATING, &frame, &request), PW_ERR_RANGE);
    assert_memory_equal(&request, &before, sizeof(request));
}

static int read_request(const struct pw_can_frame *frame)
{
    struct pw_elcon_request request;
    return pw_elcon_unpack_request(PW_ELCON_HEATING, frame, &request);
}

static int read_status(const struct pw_can_frame *frame)
{
    struct pw_elcon_status status;
    return pw_elcon_unpack_status(frame, &status);
}

static int read_answer(const struct pw_can_frame *frame)
{
    struct pw_daly_answer answer;
    enum pw_daly_item item;
    return pw_daly_unpack_answer(frame, &item, &answer);
}

static int read_poll(const struct pw_can_frame *frame)
{
    enum pw_daly_item item;
    return pw_daly_unpack_poll(frame, &item);
}

static void other_shapes_are_not_read(void **state)
{
    (void)state;
    assert_refuses_other_shapes("1806E5F4#03D400A000000000", read_request);
    assert_refuses_other_shapes("18FF50E5#03D400A000000000", read_status);
    assert_refuses_other_shapes("18904001#02E402E475300263", read_answer);
    assert_refuses_other_shapes("160B8001#0000572600000000", read_answer);
    assert_refuses_other_shapes("160B0180#0000000000000000", read_poll);
    static const char *const others[] = {"1806E6F4#03D400A000000000", "1806E5F5#03D400A000000000",
                                         "1807E5F4#03D400A000000000", "18FF50E6#0000000000000000",
                                         "18FF51E5#0000000000000000", "18994001#0000000000000000",
                                         "160C8001#0000000000000000", "18900141#0000000000000000"};
    for (size_t i = 0; i < PW_COUNT(others); i++) {
        struct pw_can_frame frame = frame_of(others[i]);
        assert_int_equal(read_request(&frame), PW_ERR_UNKNOWN);
        assert_int_equal(read_status(&frame), PW_ERR_UNKNOWN);
        assert_int_equal(read_answer(&frame), PW_ERR_UNKNOWN);
        assert_int_equal(read_poll(&frame), PW_ERR_UNKNOWN);
    }
}

static void requests_of_all_four_chargers_survive_the_wire(void **state)
{
    (void)state;
    static const uint8_t chargers[] = {0xE5, 0xE7, 0xE8, 0xE9};
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 20000; i++) {
        enum pw_elcon_form form = i % 2 == 0 ? PW_ELCON_SOC : PW_ELCON_HEATING;
        struct pw_elcon_request sent = {
            .charger = chargers[i / 2 % 4],
            .limit_mv = dice_int(&dice, 0, 65535) * 100,
            .limit_ma = dice_int(&dice, 0, 65535) * 100,
            .charge = dice_bits(&dice) % 2 == 0,
            .heating = form == PW_ELCON_HEATING && dice_bits(&dice) % 2 == 0,
            .has_soc = form == PW_ELCON_SOC,
            .soc_permille = form == PW_ELCON_SOC ? dice_int(&dice, 0, 1000) : 0,
        };
        struct pw_elcon_request got;
        struct pw_can_frame frame;
        assert_int_equal(pw_elcon_pack_request(form, &sent, &frame), PW_OK);
        assert_int_equal(pw_elcon_unpack_request(form, &frame, &got), PW_OK);
        assert_int_equal(got.charger, sent.charger);
        assert_int_equal(got.limit_mv, sent.limit_mv);
        assert_int_equal(got.limit_ma, sent.limit_ma);
        assert_int_equal(got.charge, sent.charge);
        assert_int_equal(got.heating, sent.heating);
        assert_int_equal(got.has_soc, sent.has_soc);
        assert_int_equal(got.soc_permille, sent.soc_permille);
    }
}

// A limit that falls between two steps of the wire must not grow on its way.
static void limits_round_down_and_stop_at_the_field(void **state)
{
    (void)state;
    struct pw_elcon_request request = {.charger = 0xE5, .limit_mv = 84099, .limit_ma = 30099};
    struct pw_can_frame frame;
    assert_int_equal(pw_elcon_pack_request(PW_ELCON_HEATING, &request, &frame), PW_OK);
    assert_frame(&frame, "1806E5F4#0348012C01000000");
    static const struct {
        int32_t mv;
        int32_t ma;
        int32_t soc;
        uint8_t charger;
        int err;
    } rows[] = {
        {6553500, 6553500, 1000, 0xE5, PW_OK}, {6553599, 0, 0, 0xE9, PW_OK},
        {6553600, 0, 0, 0xE5, PW_ERR_RANGE},   {-1, 0, 0, 0xE5, PW_ERR_RANGE},
        {0, 6553600, 0, 0xE5, PW_ERR_RANGE},   {0, -1, 0, 0xE5, PW_ERR_RANGE},
        {0, 0, 1001, 0xE5, PW_ERR_RANGE},      {0, 0, -1, 0xE5, PW_ERR_RANGE},
        {0, 0, 0, 0xE6, PW_ERR_RANGE},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        request = (struct pw_elcon_request){.charger = rows[i].charger,
                                            .limit_mv = rows[i].mv,
                                            .limit_ma = rows[i].ma,
                                            .soc_permille = rows[i].soc};
        frame = frame_of("123#");
        assert_int_equal(pw_elcon_pack_request(PW_ELCON_SOC, &request, &frame), rows[i].err);
        assert_int_equal(frame.id == 0x123, rows[i].err != PW_OK);
    }
}

static void the_station_answers_with_its_status(void **state)
{
    (void)state;
    struct pw_bms_config config = {0};
    struct pw_can_frame frame;
    pw_bms_status(&config, 76200, 12340, PW_ELCON_NO_BATTERY | PW_ELCON_BMS_TIMEOUT, &frame);
    assert_frame(&frame, "18FF50E5#02FA007B18000000");
    pw_bms_status(&config, -500, INT32_MAX, 0, &frame); // a bad measurement still answers
    assert_frame(&frame, "18FF50E5#0000FFFF00000000");
    config.charger = 0xE7;
    pw_bms_status(&config, 0, 0, 0xFF, &frame);
    assert_frame(&frame, "18FF50E7#00000000FF000000");
    struct pw_elcon_status status;
    assert_int_equal(pw_elcon_unpack_status(&frame, &status), PW_OK);
    assert_int_equal(status.flags, 0xFF);
    assert_int_equal(status.charger, 0xE7);
}

// ---------------------------------------------------------------------------------------------

static void daly_answers_are_read(void **state)
{
    (void)state;
    struct pw_daly_answer a = {0};
    enum pw_daly_item item;
    struct pw_can_frame frame = frame_of("18904001#02FA02F9757A033E");
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_int_equal(item, PW_DALY_PACK);
    assert_int_equal(a.pack_mv, 76200);
    assert_int_equal(a.gathered_mv, 76100);
    assert_int_equal(a.pack_ma, 7400);
    assert_int_equal(a.soc_permille, 830);
    frame = frame_of("18914001#0D0C050CF3110000");
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_int_equal(a.cell_max_mv, 3340);
    assert_int_equal(a.cell_max_number, 5);
    assert_int_equal(a.cell_min_mv, 3315);
    assert_int_equal(a.cell_min_number, 17);
    frame = frame_of("18924001#4501230200000000");
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_int_equal(a.temp_max_dc, 290);
    assert_int_equal(a.temp_min_dc, -50);
    frame = frame_of("18934001#0101010A00005726");
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_int_equal(a.work, PW_DALY_CHARGING);
    assert_int_equal(a.remaining_mah, 22310);
    frame = frame_of("18984001#0000000000000020");
    assert_false(pw_daly_failed(&a));
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_true(pw_daly_failed(&a));
    frame = frame_of("160B8001#0001E24000000000");
    assert_int_equal(pw_daly_unpack_answer(&frame, &item, &a), PW_OK);
    assert_int_equal(item, PW_DALY_CHARGED);
    assert_int_equal(a.charged_mah, 123456);
    assert_int_equal(a.pack_mv, 76200); // the cycle gathers
}

static void impossible_daly_answers_are_refused(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "18904001#02FA02F9757A03E9", // SOC 100.1 %
        "18934001#0301010A00005726", // work state 3
        "18934001#0002010A00005726", // switch 2
        "18934001#0000010A80000000", // more mAh than int32
        "160B8001#8000000000000000", "160D8001#FFFFFFFF00000000", "18944001#1704020000000000",
    };
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        struct pw_daly_answer answer;
        struct pw_daly_answer before;
        enum pw_daly_item item;
        memset(&answer, 0x44, sizeof(answer));
        before = answer;
        struct pw_can_frame frame = frame_of(frames[i]);
        if (pw_daly_unpack_answer(&frame, &item, &answer) != PW_ERR_RANGE) {
            fail_msg("%s was taken", frames[i]);
        }
        assert_memory_equal(&answer, &before, sizeof(answer));
    }
}

static struct pw_daly_answer random_answer(struct dice *dice)
{
    struct pw_daly_answer a = {
        .pack_mv = dice_int(dice, 0, 65535) * 100,
        .gathered_mv = dice_int(dice, 0, 65535) * 100,
        .pack_ma = dice_int(dice, -30000, 35535) * 100,
        .soc_permille = dice_int(dice, 0, 1000),
        .cell_max_mv = dice_int(dice, 0, 65535),
        .cell_max_number = dice_int(dice, 0, 255),
        .cell_min_mv = dice_int(dice, 0, 65535),
        .cell_min_number = dice_int(dice, 0, 255),
        .temp_max_dc = dice_int(dice, -40, 215) * 10,
        .temp_max_number = dice_int(dice, 0, 255),
        .temp_min_dc = dice_int(dice, -40, 215) * 10,
        .temp_min_number = dice_int(dice, 0, 255),
        .work = dice_int(dice, 0, 2),
        .charge_switch = dice_int(dice, 0, 1),
        .discharge_switch = dice_int(dice, 0, 1),
        .life = dice_int(dice, 0, 255),
        .remaining_mah = dice_int(dice, 0, INT32_MAX),
        .cell_count = dice_int(dice, 0, 255),
        .sensor_count = dice_int(dice, 0, 255),
        .charger_connected = dice_int(dice, 0, 1),
        .load_connected = dice_int(dice, 0, 1),
        .port_bits = dice_int(dice, 0, 255),
        .cycles = dice_int(dice, 0, 65535),
        .cells_frame = dice_int(dice, 0, 255),
        .temps_frame = dice_int(dice, 0, 255),
        .charged_mah = dice_int(dice, 0, INT32_MAX),
        .discharged_mah = dice_int(dice, 0, INT32_MAX),
    };
    for (unsigned i = 0; i < PW_COUNT(a.cells_mv); i++) {
        a.cells_mv[i] = dice_int(dice, 0, 65535);
    }
    for (unsigned i = 0; i < PW_COUNT(a.temps_dc); i++) {
        a.temps_dc[i] = dice_int(dice, -40, 215) * 10;
    }
    for (unsigned i = 0; i < sizeof(a.balance); i++) {
        a.balance[i] = (uint8_t)dice_bits(dice);
        a.failures[i] = (uint8_t)dice_bits(dice);
    }
    return a;
}

// All items together carry every member: eleven frames make the whole answer again.
static void a_whole_daly_cycle_survives_the_wire(void **state)
{
    (void)state;
    struct dice dice = dice_new();
    for (unsigned i = 0; i < 5000; i++) {
        struct pw_daly_answer sent = random_answer(&dice);
        struct pw_daly_answer got = {0};
        for (unsigned item = 0; item < PW_DALY_ITEMS; item++) {
            struct pw_can_frame frame;
            enum pw_daly_item read = PW_DALY_ITEMS;
            pw_daly_pack_poll((enum pw_daly_item)item, &frame);
            assert_int_equal(pw_daly_unpack_poll(&frame, &read), PW_OK);
            assert_int_equal(read, item);
            assert_int_equal(pw_daly_pack_answer((enum pw_daly_item)item, &sent, &frame), PW_OK);
            assert_int_equal(pw_daly_unpack_answer(&frame, &read, &got), PW_OK);
            assert_int_equal(read, item);
        }
        assert_memory_equal(&got, &sent, sizeof(sent));
    }
}

static void values_past_a_daly_field_are_not_packed(void **state)
{
    (void)state;
    static const struct {
        enum pw_daly_item item;
        struct pw_daly_answer answer;
    } rows[] = {
        {PW_DALY_PACK, {.pack_mv = 6553600}},
        {PW_DALY_PACK, {.pack_mv = -1}},
        {PW_DALY_PACK, {.pack_ma = -3000100}},
        {PW_DALY_PACK, {.pack_ma = 3553600}},
        {PW_DALY_PACK, {.soc_permille = 1001}},
        {PW_DALY_CELLS_RANGE, {.cell_max_mv = 65536}},
        {PW_DALY_TEMP_RANGE, {.temp_max_dc = 2160}},
        {PW_DALY_TEMP_RANGE, {.temp_min_dc = -401}},
        {PW_DALY_SWITCHES, {.work = 3}},
        {PW_DALY_SWITCHES, {.remaining_mah = -1}},
        {PW_DALY_CHARGED, {.charged_mah = -1}},
        {PW_DALY_CELLS, {.cells_mv = {0, 0, 65536}}},
        {PW_DALY_TEMPS, {.temps_dc = {0, 0, 0, 0, 0, 0, 2160}}},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame;
        int err = pw_daly_pack_answer(rows[i].item, &rows[i].answer, &frame);
        if (err != PW_ERR_RANGE) {
            fail_msg("row %zu: %s", i, pw_err_name(err));
        }
    }
}

// ---------------------------------------------------------------------------------------------

static void the_report_gathers_what_it_hears(void **state)
{
    (void)state;
    struct pw_bms_config config = {.form = PW_ELCON_SOC};
    struct pw_bms_report report = {0};
    int32_t mah = -1;
    static const struct {
        const char *frame;
        int heard;
        uint32_t has;
    } rows[] = {
        {"00433F01#4298666640200000", PW_BMS_HEARD_NOTHING, 0},
        {"1806E5F4#0348012C00033E00", PW_BMS_HEARD_REQUEST, PW_BMS_HAS_LIMITS | PW_BMS_HAS_SOC},
        {"160B8001#0001E24000000000", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_CHARGED},
        {"160D8001#00018B1A00000000", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_DISCHARGED},
        {"18904001#02FA02F975420341", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_PACK | PW_BMS_HAS_SOC},
        {"18914001#0D0C050CF3110000", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_CELLS},
        {"18924001#4501230200000000", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_TEMP},
        {"18984001#0000000000000020", PW_BMS_HEARD_ANSWER, PW_BMS_HAS_FAILURES},
        {"1806E7F4#000A000A01000000", PW_BMS_HEARD_NOTHING, 0}, // to another charger
        {"18974001#0000000000000020", PW_BMS_HEARD_ANSWER, 0},
    };
    uint32_t has = 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_can_frame frame = frame_of(rows[i].frame);
        assert_int_equal(pw_bms_report_read(&config, &frame, &report), rows[i].heard);
        has |= rows[i].has;
        assert_int_equal(report.has, has);
    }
    assert_true(report.charge && !report.heating && report.failed);
    assert_int_equal(report.limit_mv, 84000);
    assert_int_equal(report.limit_ma, 30000);
    assert_int_equal(report.soc_permille, 833);
    assert_int_equal(report.pack_mv, 76200);
    assert_int_equal(report.pack_ma, 1800);
    assert_int_equal(report.temp_max_dc, 290);
    assert_int_equal(report.cell_min_mv, 3315);
    assert_int_equal(pw_bms_report_mah(&report, &mah), PW_OK);
    assert_int_equal(mah, 123456 - 101146);
    struct pw_can_frame frame = frame_of("18934001#0101010A00005726");
    assert_int_equal(pw_bms_report_read(&config, &frame, &report), PW_BMS_HEARD_ANSWER);
    assert_int_equal(pw_bms_report_mah(&report, &mah), PW_OK);
    assert_int_equal(mah, 22310);
}

static void ampere_hours_wait_for_both_counters(void **state)
{
    (void)state;
    struct pw_bms_report report = {.has = PW_BMS_HAS_CHARGED, .charged_mah = 5};
    int32_t mah = -1;
    assert_int_equal(pw_bms_report_mah(&report, &mah), PW_ERR_AGAIN);
    report.has |= PW_BMS_HAS_DISCHARGED;
    report.discharged_mah = 6;
    assert_int_equal(pw_bms_report_mah(&report, &mah), PW_ERR_RANGE);
    assert_int_equal(mah, -1);
    report.discharged_mah = 5;
    assert_int_equal(pw_bms_report_mah(&report, &mah), PW_OK);
    assert_int_equal(mah, 0);
}

// A malformed frame must neither count as the battery's permission nor spoil what is known.
static void a_malformed_frame_leaves_the_report_alone(void **state)
{
    (void)state;
    struct pw_bms_config config = {.form = PW_ELCON_SOC};
    struct pw_bms_report report;
    struct pw_bms_report before;
    memset(&report, 0x21, sizeof(report));
    before = report;
    static const char *const frames[] = {"1806E5F4#035C04100003E900", "1806E5F4#035C0410000000",
                                         "18904001#02FA02F9757A03E9", "160B8001#00018B1A000000"};
    for (size_t i = 0; i < PW_COUNT(frames); i++) {
        struct pw_can_frame frame = frame_of(frames[i]);
        assert_true(pw_bms_report_read(&config, &frame, &report) < 0);
        assert_memory_equal(&report, &before, sizeof(report));
    }
}

static void polls_are_what_the_configuration_asks_for(void **state)
{
    (void)state;
    static const char *const all[] = {"160B0180#0000000000000000", "160D0180#0000000000000000",
                                      "18900140#0000000000000000", "18910140#0000000000000000",
                                      "18920140#0000000000000000", "18930140#0000000000000000",
                                      "18980140#0000000000000000"};
    static const struct {
        bool counters;
        bool daly;
        unsigned first;
        unsigned count;
    } rows[] = {{false, false, 0, 0}, {true, false, 0, 2}, {false, true, 2, 5}, {true, true, 0, 7}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        struct pw_bms_config config = {.polls_counters = rows[i].counters,
                                       .polls_daly = rows[i].daly};
        assert_int_equal(pw_bms_poll_count(&config), rows[i].count);
        for (unsigned n = 0; n < rows[i].count; n++) {
            struct pw_can_frame frame;
            pw_bms_poll(&config, n, &frame);
            assert_frame(&frame, all[rows[i].first + n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_requests_are_read),
        cmocka_unit_test(every_permission_byte_but_zero_means_stop),
        cmocka_unit_test(impossible_requests_are_refused),
        cmocka_unit_test(other_shapes_are_not_read),
        cmocka_unit_test(requests_of_all_four_chargers_survive_the_wire),
        cmocka_unit_test(limits_round_down_and_stop_at_the_field),
        cmocka_unit_test(the_station_answers_with_its_status),
        cmocka_unit_test(daly_answers_are_read),
        cmocka_unit_test(impossible_daly_answers_are_refused),
        cmocka_unit_test(a_whole_daly_cycle_survives_the_wire),
        cmocka_unit_test(values_past_a_daly_field_are_not_packed),
        cmocka_unit_test(the_report_gathers_what_it_hears),
        cmocka_unit_test(ampere_hours_wait_for_both_counters),
        cmocka_unit_test(a_malformed_frame_leaves_the_report_alone),
        cmocka_unit_test(polls_are_what_the_configuration_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

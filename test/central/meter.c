// Numbers as stations write them, and what they tell about the vehicle.
#include "bench.h"

#include <limits.h>

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    return 0;
}

static void numbers_of_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } rows[] = {
        {"0", PW_OK, 0},
        {"1", PW_OK, 1000},
        {"-1.5", PW_OK, -1500},
        {"+2", PW_OK, 2000},
        {" 3.25 ", PW_OK, 3250},
        {"76.23456", PW_OK, 76235},
        {"0.0004", PW_OK, 0},
        {"0.0005", PW_OK, 1},
        {".5", PW_OK, 500},
        {"5.", PW_OK, 5000},
        {"1e3", PW_OK, 1000000},
        {"1.5E+1", PW_OK, 15000},
        {"25e-1", PW_OK, 2500},
        {"000000000000000000000000001", PW_OK, 1000},
        {"1.00000000000000000000000001", PW_OK, 1000},
        {"999999999999", PW_OK, INT64_C(999999999999000)},
        {"9999999999999", PW_ERR_RANGE, 0},
        {"99999999999999999999999999999", PW_ERR_RANGE, 0},
        {"1e20", PW_ERR_RANGE, 0},
        {"1e-30", PW_OK, 0},
        {"1e31", PW_ERR_PEER, 0},
        {"", PW_ERR_PEER, 0},
        {"-", PW_ERR_PEER, 0},
        {".", PW_ERR_PEER, 0},
        {"1.2.3", PW_ERR_PEER, 0},
        {"1,5", PW_ERR_PEER, 0},
        {"NaN", PW_ERR_PEER, 0},
        {"inf", PW_ERR_PEER, 0},
        {"0x10", PW_ERR_PEER, 0},
        {"e5", PW_ERR_PEER, 0},
        {"1e", PW_ERR_PEER, 0},
        {"--1", PW_ERR_PEER, 0},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int64_t value = 0;
        int result = meter_number(pw_str_of(rows[i].text), &value);
        if (result != rows[i].result || value != rows[i].value) {
            fail_msg("\"%s\": %d %lld", rows[i].text, result, (long long)value);
        }
    }
}

// requirement D4: a table with borders, and an unknown Imax classifies nothing.
static void model_borders(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *imax;
        const char *vehicle;
    } rows[] = {
        {"30", "\"model\":\"NX-100 Classic\",\"capacity_ah\":30,"},
        {"0.1", "\"model\":\"NX-100 Classic\",\"capacity_ah\":30,"},
        {"30.1", "\"model\":\"NX-100 Pro\",\"capacity_ah\":60,"},
        {"60", "\"model\":\"NX-100 Pro\",\"capacity_ah\":60,"},
        {"60.1", "\"model\":\"NX-100 Max\",\"capacity_ah\":90,"},
        {"500", "\"model\":\"NX-100 Max\",\"capacity_ah\":90,"},
        {"0", "\"vehicle\":null"},
        {"-5", "\"vehicle\":null"},
        {"NaN", "\"vehicle\":null"},
    };
    bench_login(bench);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char id[8];
        char text[512];
        (void)snprintf(id, sizeof(id), "S%zu", i);
        uint64_t link = bench_station(bench, id);
        (void)snprintf(text, sizeof(text),
                       "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{"
                       "\"timestamp\":\"2026-05-28T20:26:00Z\",\"sampledValue\":[{\"value\":"
                       "\"%s\",\"measurand\":\"Current.Offered\",\"unit\":\"A\"}]}]}]",
                       rows[i].imax);
        assert_string_equal(bench_ask(bench, link, text), "[3,\"1\",{}]");
        (void)snprintf(text, sizeof(text), "/api/v1/stations/%s", id);
        (void)bench_http(bench, PW_HTTP_GET, text, "");
        assert_has(bench->body, rows[i].vehicle);
    }
}

static struct vehicle_news news(enum vehicle_source source, int32_t imax_ma, int64_t charge_mah,
                                int32_t soc_permille)
{
    return (struct vehicle_news){.source = source,
                                 .imax_ma = imax_ma,
                                 .charge_mah = charge_mah,
                                 .soc_permille = soc_permille};
}

static void charge_and_range_come_from_what_is_known(void **state)
{
    (void)state;
    const struct pw_vehicle_table *table = &pw_vehicle_table_default;
    struct vehicle vehicle;
    vehicle_forget(&vehicle);
    // Only SOC: nothing can be said about ampere hours yet …
    struct vehicle_news soc = news(FROM_SOC, 0, -1, 500);
    vehicle_learn(table, &vehicle, &soc, 1);
    assert_int_equal(vehicle.charge_mah, -1);
    assert_int_equal(vehicle.range_m, -1);
    // … until the model is known.
    struct vehicle_news imax = news(FROM_IMAX, 30000, -1, -1);
    vehicle_learn(table, &vehicle, &imax, 2);
    assert_int_equal(vehicle.charge_mah, 15000);
    assert_int_equal(vehicle.range_m, 40500);
    // Near the end the BMS allows less; a Max stays a Max.
    struct vehicle_news more = news(FROM_IMAX, 90000, -1, -1);
    struct vehicle_news taper = news(FROM_IMAX, 8000, -1, -1);
    vehicle_learn(table, &vehicle, &more, 3);
    vehicle_learn(table, &vehicle, &taper, 4);
    assert_string_equal(vehicle.model->name, "NX-100 Max");
    // Ampere hours win over what was derived, and give the SOC.
    struct vehicle_news ah = news(FROM_AH, 0, 45000, -1);
    vehicle_learn(table, &vehicle, &ah, 5);
    assert_int_equal(vehicle.soc_permille, 500);
    assert_int_equal(vehicle.range_m, 121500);
    assert_int_equal(vehicle.source, FROM_AH);
}

static void vehicle_info_in_both_forms(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        bool read;
        int64_t connector, charge_mah;
        int32_t imax_ma, soc_permille;
    } rows[] = {
        {"{\"connectorId\":2,\"ah\":22.31,\"imaxA\":30.0,\"packV\":76.2,\"socPercent\":74.4}", true,
         2, 22310, 30000, 744},
        {"{\"soc\":55.5,\"maxCurrent\":60}", true, 1, -1, 60000, 555},
        {"{\"soc\":\"55\",\"maxCurrent\":\"60.1\"}", true, 1, -1, 60100, 550},
        {"{\"ah\":-1,\"imaxA\":0,\"socPercent\":101}", true, 1, -1, 0, -1},
        {"{\"model\":\"NX-100 Pro\"}", true, 1, -1, 0, -1},
        {"{}", false, 1, -1, 0, -1},
        {"[]", false, 0, 0, 0, 0},
        {"", false, 0, 0, 0, 0},
        {"{\"connectorId\":0,\"soc\":5}", false, 1, 0, 0, 0},
        {"{\"connectorId\":99,\"soc\":5}", false, 1, 0, 0, 0},
        {"{\"soc\":NaN}", false, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int64_t connector = 0;
        struct vehicle_news got = {0};
        char name[TEXT50_MAX];
        bool read = vehicle_info(pw_str_of(rows[i].data), &connector, &got, name);
        if (read != rows[i].read) {
            fail_msg("%s", rows[i].data);
        }
        if (read) {
            assert_int_equal(connector, rows[i].connector);
            assert_int_equal(got.charge_mah, rows[i].charge_mah);
            assert_int_equal(got.imax_ma, rows[i].imax_ma);
            assert_int_equal(got.soc_permille, rows[i].soc_permille);
        }
    }
}

static void values(struct bench *bench, uint64_t link, const char *time, const char *sampled)
{
    char text[2048];
    (void)snprintf(text, sizeof(text),
                   "[2,\"1\",\"MeterValues\",{\"connectorId\":1,\"meterValue\":[{\"timestamp\":"
                   "\"%s\",\"sampledValue\":[%s]}]}]",
                   time, sampled);
    assert_string_equal(bench_ask(bench, link, text), "[3,\"1\",{}]");
    (void)bench_http(bench, PW_HTTP_GET, "/api/v1/stations/A", "");
}

// facts/central.md §3.2: the first stations' own measurands and units are no schema's.
static void unknown_measurands_are_kept_word_for_word(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    values(bench, link, "2026-05-28T20:26:00Z",
           "{\"value\":\"22.5\",\"measurand\":\"Battery Ah\",\"unit\":\"Ah\"},"
           "{\"value\":\"60\",\"measurand\":\"BMS Imax\",\"unit\":\"A\"},"
           "{\"value\":\"AB12==\",\"format\":\"SignedData\"},"
           "{\"value\":\"lots\",\"measurand\":\"Mood\",\"unit\":\"Smile\",\"phase\":\"L9\","
           "\"location\":\"Moon\",\"context\":\"Party\"}");
    assert_has(bench->body, "\"vehicle\":{\"model\":\"NX-100 Pro\",\"capacity_ah\":60,"
                            "\"charge_ah\":22.5,\"range_km\":60.75,\"soc_percent\":37.5,"
                            "\"imax_a\":60,\"source\":\"ah\"}");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM sample"), 3);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM signed_value"), 1);
    assert_int_equal(
        bench_count(bench, "SELECT COUNT(*) FROM sample WHERE measurand = 'Mood' AND unit = "
                           "'Smile' AND phase = 'L9' AND location = 'Moon' AND context = 'Party' "
                           "AND value = 'lots'"),
        1);
    // The same message again is the same samples.
    values(bench, link, "2026-05-28T20:26:00Z",
           "{\"value\":\"60\",\"measurand\":\"BMS Imax\",\"unit\":\"A\"}");
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM sample"), 3);
}

static void units_and_phases_become_columns(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    static const struct {
        const char *sampled;
        const char *live;
    } rows[] = {
        {"{\"value\":\"1.5\",\"unit\":\"kWh\"}", "\"energy_wh\":1500,"},
        {"{\"value\":\"7\",\"measurand\":\"Power.Active.Import\",\"unit\":\"kW\"}",
         "\"power_w\":7000,"},
        {"{\"value\":\"300\",\"measurand\":\"Temperature\",\"unit\":\"K\"}",
         "\"temperature_c\":26.85,"},
        {"{\"value\":\"77\",\"measurand\":\"Temperature\",\"unit\":\"Fahrenheit\"}",
         "\"temperature_c\":24.999,"},
        {"{\"value\":\"1\",\"measurand\":\"Power.Active.Import\",\"phase\":\"L1\"},"
         "{\"value\":\"2\",\"measurand\":\"Power.Active.Import\",\"phase\":\"L2\"},"
         "{\"value\":\"3\",\"measurand\":\"Power.Active.Import\",\"phase\":\"L3\"}",
         "\"power_w\":6,"},
        {"{\"value\":\"10\",\"measurand\":\"Current.Import\",\"phase\":\"L1\"},"
         "{\"value\":\"12\",\"measurand\":\"Current.Import\",\"phase\":\"L2\"}",
         "\"current_a\":12,"},
        {"{\"value\":\"80\",\"measurand\":\"Voltage\"},"
         "{\"value\":\"20\",\"measurand\":\"Current.Import\"}",
         "\"power_w\":1600,"},
        {"{\"value\":\"230\",\"measurand\":\"Voltage\",\"location\":\"Inlet\"}",
         "\"voltage_v\":80,"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char time[32];
        (void)snprintf(time, sizeof(time), "2026-05-28T20:2%zu:00Z", i);
        values(bench, link, time, rows[i].sampled);
        assert_has(bench->body, rows[i].live);
    }
}

// A queue that is delivered after an outage must not turn the picture of now back.
static void late_readings_go_to_the_curve_only(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    values(bench, link, "2026-05-28T20:26:00Z", "{\"value\":\"500\"}");
    values(bench, link, "2026-05-28T20:10:00Z", "{\"value\":\"100\"}");
    assert_has(bench->body, "\"energy_wh\":500,");
    assert_int_equal(bench_http(bench, PW_HTTP_GET,
                                "/api/v1/stations/A/measurements?connector=1&from="
                                "2026-05-28T20:00:00Z",
                                ""),
                     200);
    assert_has(bench->body, "\"t\":[1779999000,1779999960],");
    assert_has(bench->body, "\"power_w\":[null,null],");
    assert_has(bench->body, "\"energy_wh\":[100,500]");
}

// A station says what its vehicle told right before each reading: the vehicle's words bear the time
// they came at, the reading its own, which is a moment earlier. It is not late for that.
static void what_a_vehicle_says_makes_the_reading_behind_it_not_late(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    (void)bench_ask(
        bench, link,
        "[2,\"1\",\"StartTransaction\",{\"connectorId\":1,\"idTag\":\"C\",\"meterStart\":0,"
        "\"timestamp\":\"2026-05-28T20:00:00Z\"}]");
    for (int64_t i = 1; i <= 3; i++) {
        char text[512];
        char taken[32] = "";
        struct pw_out out = PW_OUT(taken);
        bench_pass(bench, 10000);
        pw_put_time(&out, bench->at.wall - 1);
        (void)bench_ask(bench, link,
                        "[2,\"2\",\"DataTransfer\",{\"vendorId\":\"RivotMotors\",\"messageId\":"
                        "\"VehicleInfo\",\"data\":\"{\\\"imaxA\\\":0}\"}]");
        (void)snprintf(
            text, sizeof(text),
            "[2,\"3\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":1,\"meterValue\":[{"
            "\"timestamp\":\"%s\",\"sampledValue\":[{\"value\":\"%lld\"}]}]}]",
            taken, (long long)(i * 100));
        (void)bench_ask(bench, link, text);
        assert_int_equal(bench_count(bench, "SELECT last_energy FROM session"), i * 100000);
    }
}

static void old_samples_are_removed(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench->answering = link;
    bench_login(bench);
    values(bench, link, "2026-05-28T20:26:00Z", "{\"value\":\"500\"}");
    values(bench, link, "2026-05-01T20:26:00Z", "{\"value\":\"400\"}");
    bench->at.wall += INT64_C(65) * 86400000;
    bench_pass(bench, 20000);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM sample"), 1);
    assert_int_equal(bench_count(bench, "SELECT COUNT(*) FROM measurement"), 1);
}

// What an outlet offers belongs to the outlet; what a dc connector offers is what the battery asks
// for, and tells its model.
static void offer_of_an_outlet_names_no_vehicle(void **state)
{
    struct bench *bench = *state;
    uint64_t link = bench_station(bench, "A");
    bench_login(bench);
    static const char offer[] =
        "{\"value\":\"16\",\"measurand\":\"Current.Offered\",\"unit\":\"A\"},"
        "{\"value\":\"%s\",\"measurand\":\"Voltage\",\"unit\":\"V\"}";
    static const char *const volts[] = {"230.1", "76.2"};
    static const char *const shown[] = {"\"vehicle\":null", "\"vehicle\":{"};
    for (size_t i = 0; i < PW_COUNT(volts); i++) {
        char sampled[256];
        (void)snprintf(sampled, sizeof(sampled), offer, volts[i]);
        values(bench, link, i == 0 ? "2026-05-28T20:25:00Z" : "2026-05-28T20:26:00Z", sampled);
        assert_has(bench->body, shown[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_shape),
        TEST(model_borders),
        cmocka_unit_test(charge_and_range_come_from_what_is_known),
        cmocka_unit_test(vehicle_info_in_both_forms),
        TEST(unknown_measurands_are_kept_word_for_word),
        TEST(units_and_phases_become_columns),
        TEST(late_readings_go_to_the_curve_only),
        TEST(what_a_vehicle_says_makes_the_reading_behind_it_not_late),
        TEST(old_samples_are_removed),
        TEST(offer_of_an_outlet_names_no_vehicle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

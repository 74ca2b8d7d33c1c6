// Phases: how a three-phase reading is kept and told, and which phase of the grid is which.
#include "cp16/measurands.h"
#include "journal/record.h"
#include "rotation/rotation.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static struct pw_sample three_phases(void)
{
    struct pw_sample sample = {.reading = PW_READING_PERIODIC};
    const struct {
        enum pw_quantity quantity;
        int64_t value;
    } values[] = {
        {PW_ENERGY_WH, 1234},       {PW_POWER_W, 11040},        {PW_VOLTAGE_L1_MV, 230120},
        {PW_VOLTAGE_L2_MV, 229870}, {PW_VOLTAGE_L3_MV, 231000}, {PW_CURRENT_L1_MA, 15980},
        {PW_CURRENT_L2_MA, 16010},  {PW_CURRENT_L3_MA, 15995},  {PW_POWER_L1_W, 3677},
        {PW_POWER_L2_W, 3680},      {PW_POWER_L3_W, 3683},      {PW_OFFERED_MA, 16000},
        {PW_FREQUENCY_MHZ, 50010},  {PW_TEMP_DC, 312},
    };
    for (size_t i = 0; i < PW_COUNT(values); i++) {
        sample.has |= 1U << values[i].quantity;
        sample.value[values[i].quantity] = values[i].value;
    }
    return sample;
}

// Reason: a central system must be able to tell the phases apart (OCPP 1.6 §7.34), and a voltage
// stands between a phase and neutral.
static void each_phase_is_told_under_its_own_name(void **state)
{
    (void)state;
    static const struct {
        const char *measurand;
        const char *phase; // "" none
        const char *unit;  // "" none
        const char *value;
    } expected[] = {
        {"Energy.Active.Import.Register", "", "Wh", "1234"},
        {"Power.Active.Import", "", "W", "11040"},
        {"Power.Active.Import", "L1", "W", "3677"},
        {"Power.Active.Import", "L2", "W", "3680"},
        {"Power.Active.Import", "L3", "W", "3683"},
        {"Voltage", "L1-N", "V", "230.12"},
        {"Voltage", "L2-N", "V", "229.87"},
        {"Voltage", "L3-N", "V", "231.00"},
        {"Current.Import", "L1", "A", "15.98"},
        {"Current.Import", "L2", "A", "16.01"},
        {"Current.Import", "L3", "A", "16.00"},
        {"Current.Offered", "", "A", "16.0"},
        {"Frequency", "", "", "50.01"},
        {"Temperature", "", "Celsius", "31.2"},
    };
    struct pw_sample sample = three_phases();
    struct pw_cp16_meter_value told;
    char why[200] = "";
    struct pw_out out = PW_OUT(why);
    uint32_t mask = 0;
    assert_int_equal(
        pw_cp16_measurands(PW_STR("Energy.Active.Import.Register,Power.Active.Import,Voltage,"
                                  "Current.Import,Current.Offered,Frequency,Temperature"),
                           &mask, &out),
        PW_OK);
    assert_true(pw_cp16_fill(&told, &sample, mask, false, 0));
    assert_int_equal(told.meter_value.sampled_value.count, PW_COUNT(expected));
    for (size_t i = 0; i < PW_COUNT(expected); i++) {
        const struct pw_ocpp16_sampled_value *value = &told.values[i];
        bool phase = (value->has & PW_OCPP16_HAS(sampled_value, phase)) != 0;
        bool unit = (value->has & PW_OCPP16_HAS(sampled_value, unit)) != 0;
        assert_true(pw_str_is(pw_ocpp_code_text(&pw_ocpp16_measurand, value->measurand.code),
                              expected[i].measurand));
        assert_int_equal(phase, expected[i].phase[0] != '\0');
        assert_int_equal(unit, expected[i].unit[0] != '\0');
        assert_true(!phase || pw_str_is(pw_ocpp_code_text(&pw_ocpp16_phase, value->phase.code),
                                        expected[i].phase));
        assert_true(!unit || pw_str_is(pw_ocpp_code_text(&pw_ocpp16_unit, value->unit.code),
                                       expected[i].unit));
        assert_true(pw_str_is(value->value, expected[i].value));
    }
}

// Reason: a power cut between an update and the next connection must not lose a transaction.
static void a_record_of_the_version_before_is_read(void **state)
{
    (void)state;
    struct pw_record record;
    struct pw_sample sample;
    // Version 1: version, stamp (8, 8, 4), reading, two bytes of `has`, one value.
    uint8_t old[1 + 20 + 1 + 2 + 8] = {1};
    old[21] = PW_READING_END;
    old[23] = 1U << PW_ENERGY_WH;
    old[31] = 77;
    assert_int_equal(pw_record_load(&record, (const char *)old, sizeof(old)), PW_OK);
    pw_record_get_sample(&record, &sample);
    assert_int_equal(pw_record_end(&record), PW_OK);
    assert_int_equal(sample.value[PW_ENERGY_WH], 77);
    old[0] = 5;
    assert_int_equal(pw_record_load(&record, (const char *)old, sizeof(old)), PW_ERR_STORE);
}

// Reason: the largest record there can be must fit.
static void a_transaction_with_every_quantity_survives_its_record(void **state)
{
    (void)state;
    struct pw_record record;
    struct pw_transaction back;
    struct pw_transaction transaction = {.seq = 9, .connector = 2, .stopped = true, .reason = 3};
    memset(transaction.id_tag, 'A', PW_ID_TAG_MAX);
    memset(transaction.stop_id_tag, 'B', PW_ID_TAG_MAX);
    transaction.first.has = (1U << PW_QUANTITIES) - 1;
    transaction.last.has = transaction.first.has;
    for (unsigned i = 0; i < PW_QUANTITIES; i++) {
        transaction.first.value[i] = -(int64_t)i;
        transaction.last.value[i] = INT64_MAX - (int64_t)i;
    }
    pw_record_start(&record);
    pw_record_put_transaction(&record, &transaction);
    assert_false(record.bad);
    struct pw_str bytes = pw_record_str(&record);
    struct pw_record again;
    assert_int_equal(pw_record_load(&again, bytes.at, bytes.len), PW_OK);
    pw_record_get_transaction(&again, &back);
    assert_int_equal(pw_record_end(&again), PW_OK);
    assert_memory_equal(back.first.value, transaction.first.value, sizeof(back.first.value));
    assert_memory_equal(back.last.value, transaction.last.value, sizeof(back.last.value));
}

static void rotation_is_looked_up_by_connector(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned connector;
        int err;
        enum pw_mains_rotation rotation;
    } rows[] = {
        {"", 1, PW_OK, PW_MAINS_RST},
        {"0.RST, 1.RTS,2.TSR", 1, PW_OK, PW_MAINS_RTS},
        {"0.RST, 1.RTS,2.TSR", 2, PW_OK, PW_MAINS_TSR},
        {"0.RST, 1.RTS,2.TSR", 3, PW_OK, PW_MAINS_RST},
        {"1.NotApplicable", 1, PW_OK, PW_MAINS_RST},
        {"1.Unknown", 1, PW_OK, PW_MAINS_RST},
        {"1.RSS", 1, PW_ERR_RANGE, PW_MAINS_STR},
        {"RST", 1, PW_ERR_RANGE, PW_MAINS_STR},
        {"1.RST;2.RST", 1, PW_ERR_RANGE, PW_MAINS_STR},
        {"-1.RST", 1, PW_ERR_RANGE, PW_MAINS_STR},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        enum pw_mains_rotation rotation = PW_MAINS_STR;
        char why[200] = "";
        struct pw_out out = PW_OUT(why);
        assert_int_equal(
            pw_rotation_of(pw_str_of(rows[i].text), rows[i].connector, &rotation, &out),
            rows[i].err);
        assert_int_equal(rotation, rows[i].rotation);
        assert_int_equal(why[0] != '\0', rows[i].err != PW_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_is_told_under_its_own_name),
        cmocka_unit_test(a_record_of_the_version_before_is_read),
        cmocka_unit_test(a_transaction_with_every_quantity_survives_its_record),
        cmocka_unit_test(rotation_is_looked_up_by_connector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

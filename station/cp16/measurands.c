#include "cp16/measurands.h"

#include <string.h>

// OCPP 1.6 §7.31: Frequency is in hertz, for which there is no UnitOfMeasure.
enum { NO_PHASE = -1, NO_UNIT = -1 };

struct row {
    enum pw_quantity quantity;
    enum pw_ocpp16_measurand measurand;
    int16_t unit; // enum pw_ocpp16_unit, or NO_UNIT
    enum pw_ocpp16_location location;
    int16_t phase;    // enum pw_ocpp16_phase, or NO_PHASE
    uint8_t decimals; // of the integer in the sample
    uint8_t places;   // on the wire
};

// clang-format off
static const struct row rows[] = {
    {PW_ENERGY_WH,     PW_OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER, PW_OCPP16_UNIT_WH, PW_OCPP16_LOCATION_OUTLET, NO_PHASE, 0, 0},
    {PW_POWER_W,       PW_OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, PW_OCPP16_UNIT_W,       PW_OCPP16_LOCATION_OUTLET, NO_PHASE, 0, 0},
    {PW_POWER_L1_W,    PW_OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, PW_OCPP16_UNIT_W,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L1, 0, 0},
    {PW_POWER_L2_W,    PW_OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, PW_OCPP16_UNIT_W,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L2, 0, 0},
    {PW_POWER_L3_W,    PW_OCPP16_MEASURAND_POWER_ACTIVE_IMPORT, PW_OCPP16_UNIT_W,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L3, 0, 0},
    {PW_VOLTAGE_MV,    PW_OCPP16_MEASURAND_VOLTAGE,             PW_OCPP16_UNIT_V,       PW_OCPP16_LOCATION_OUTLET, NO_PHASE, 3, 2},
    {PW_VOLTAGE_L1_MV, PW_OCPP16_MEASURAND_VOLTAGE,             PW_OCPP16_UNIT_V,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L1_N, 3, 2},
    {PW_VOLTAGE_L2_MV, PW_OCPP16_MEASURAND_VOLTAGE,             PW_OCPP16_UNIT_V,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L2_N, 3, 2},
    {PW_VOLTAGE_L3_MV, PW_OCPP16_MEASURAND_VOLTAGE,             PW_OCPP16_UNIT_V,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L3_N, 3, 2},
    {PW_CURRENT_MA,    PW_OCPP16_MEASURAND_CURRENT_IMPORT,      PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_OUTLET, NO_PHASE, 3, 2},
    {PW_CURRENT_L1_MA, PW_OCPP16_MEASURAND_CURRENT_IMPORT,      PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L1, 3, 2},
    {PW_CURRENT_L2_MA, PW_OCPP16_MEASURAND_CURRENT_IMPORT,      PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L2, 3, 2},
    {PW_CURRENT_L3_MA, PW_OCPP16_MEASURAND_CURRENT_IMPORT,      PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_OUTLET, PW_OCPP16_PHASE_L3, 3, 2},
    {PW_ASKED_MA,      PW_OCPP16_MEASURAND_CURRENT_OFFERED,     PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_EV,     NO_PHASE, 3, 1},
    {PW_OFFERED_MA,    PW_OCPP16_MEASURAND_CURRENT_OFFERED,     PW_OCPP16_UNIT_A,       PW_OCPP16_LOCATION_OUTLET, NO_PHASE, 3, 1},
    {PW_FREQUENCY_MHZ, PW_OCPP16_MEASURAND_FREQUENCY,           NO_UNIT,                PW_OCPP16_LOCATION_INLET,  NO_PHASE, 3, 2},
    {PW_SOC_PERMILLE,  PW_OCPP16_MEASURAND_SOC,                 PW_OCPP16_UNIT_PERCENT, PW_OCPP16_LOCATION_EV,     NO_PHASE, 1, 1},
    {PW_TEMP_DC,       PW_OCPP16_MEASURAND_TEMPERATURE,         PW_OCPP16_UNIT_CELSIUS, PW_OCPP16_LOCATION_BODY,   NO_PHASE, 1, 1},
};
// clang-format on
_Static_assert(PW_COUNT(rows) <= PW_CP16_VALUES_MAX, "a sample's values fit");

// "L1" names the phase of a row with L1 and of one with L1-N. The empty text names all.
static bool is_phase(const struct row *row, struct pw_str text)
{
    if (text.len == 0) {
        return true;
    }
    if (row->phase == NO_PHASE) {
        return false;
    }
    struct pw_str phase = pw_ocpp_code_text(&pw_ocpp16_phase, row->phase);
    struct pw_str line = pw_str_cut(&(struct pw_str){.at = phase.at, .len = phase.len}, '-');
    return pw_str_eq(text, phase) || pw_str_eq(text, line);
}

static uint32_t rows_of(int measurand, struct pw_str phase)
{
    uint32_t found = 0;
    for (size_t i = 0; measurand >= 0 && i < PW_COUNT(rows); i++) {
        bool wanted = measurand == (int)rows[i].measurand && is_phase(&rows[i], phase);
        found |= wanted ? 1U << rows[i].quantity : 0U;
    }
    return found;
}

// The quantities of one measurand, or of one phase of it; 0: it is not measured here.
static uint32_t quantities_of(struct pw_str name)
{
    int code = pw_ocpp_code_find(&pw_ocpp16_measurand, name);
    size_t dot = name.len;
    if (code >= 0) {
        return rows_of(code, PW_STR(""));
    }
    while (dot > 0 && name.at[dot - 1] != '.') {
        dot--;
    }
    if (dot == 0 || dot == name.len) {
        return 0;
    }
    struct pw_str measurand = {.at = name.at, .len = dot - 1};
    struct pw_str phase = {.at = name.at + dot, .len = name.len - dot};
    return rows_of(pw_ocpp_code_find(&pw_ocpp16_measurand, measurand), phase);
}

static void say_unmeasured(struct pw_str name, struct pw_out *why)
{
    pw_put_c(why, '"');
    pw_put(why, (struct pw_str){.at = name.at, .len = name.len > 40 ? 40 : name.len});
    pw_put_s(why, "\" is not measured here; there are");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (i == 0 || rows[i].measurand != rows[i - 1].measurand) {
            pw_put_s(why, i == 0 ? " " : ", ");
            pw_put(why, pw_ocpp_code_text(&pw_ocpp16_measurand, (int)rows[i].measurand));
        }
    }
}

int pw_cp16_measurands(struct pw_str list, uint32_t *quantities, struct pw_out *why)
{
    uint32_t mask = 0;
    for (unsigned items = 0; list.len > 0; items++) {
        struct pw_str name = pw_str_trim(pw_str_cut(&list, ','));
        uint32_t found = quantities_of(name);
        if (items == PW_CP16_LIST_MAX) {
            pw_put_s(why, "there may be 16 at most");
            return PW_ERR_RANGE;
        }
        if (found == 0) {
            say_unmeasured(name, why);
            return PW_ERR_RANGE;
        }
        mask |= found;
    }
    *quantities = mask;
    return PW_OK;
}

enum pw_ocpp16_reading_context pw_cp16_context(enum pw_reading reading)
{
    switch (reading) {
    case PW_READING_BEGIN: return PW_OCPP16_CONTEXT_TRANSACTION_BEGIN;
    case PW_READING_END: return PW_OCPP16_CONTEXT_TRANSACTION_END;
    case PW_READING_PERIODIC: return PW_OCPP16_CONTEXT_SAMPLE_PERIODIC;
    case PW_READING_CLOCK: return PW_OCPP16_CONTEXT_SAMPLE_CLOCK;
    case PW_READING_TRIGGER: return PW_OCPP16_CONTEXT_TRIGGER;
    case PW_READING_INTERRUPTION_BEGIN: return PW_OCPP16_CONTEXT_INTERRUPTION_BEGIN;
    case PW_READING_INTERRUPTION_END: return PW_OCPP16_CONTEXT_INTERRUPTION_END;
    case PW_READING_OTHER:
    case PW_READINGS: return PW_OCPP16_CONTEXT_OTHER;
    }
    PW_UNREACHABLE();
}

static bool has(const struct pw_sample *sample, enum pw_quantity quantity)
{
    return ((unsigned)sample->has >> quantity & 1U) != 0;
}

// The next free value with its text; context is the same for all of a sample.
static struct pw_ocpp16_sampled_value *add(struct pw_cp16_meter_value *to,
                                           const struct pw_sample *sample, int64_t number,
                                           unsigned decimals, unsigned places)
{
    uint32_t at = to->meter_value.sampled_value.count++;
    PW_ASSERT(at < PW_CP16_VALUES_MAX);
    struct pw_ocpp16_sampled_value *value = &to->values[at];
    struct pw_out out = PW_OUT(to->text[at]);
    pw_put_places(&out, number, decimals, places);
    value->value = pw_out_str(&out);
    value->has = PW_OCPP16_HAS(sampled_value, context) | PW_OCPP16_HAS(sampled_value, measurand);
    value->context.code = (int16_t)pw_cp16_context(sample->reading);
    return value;
}

static void add_own(struct pw_cp16_meter_value *to, const struct pw_sample *sample,
                    enum pw_quantity quantity, const char *measurand, const char *unit)
{
    if (!has(sample, quantity)) {
        return;
    }
    struct pw_ocpp16_sampled_value *value = add(to, sample, sample->value[quantity], 3, 2);
    value->measurand = (struct pw_ocpp_word){.code = PW_OCPP_OTHER, .text = pw_str_of(measurand)};
    value->has |= PW_OCPP16_HAS(sampled_value, unit);
    value->unit = (struct pw_ocpp_word){.code = PW_OCPP_OTHER, .text = pw_str_of(unit)};
}

bool pw_cp16_fill(struct pw_cp16_meter_value *to, const struct pw_sample *sample,
                  uint32_t quantities, bool seed, pw_unix_ms at)
{
    memset(to, 0, sizeof(*to));
    to->meter_value.timestamp = at;
    to->meter_value.sampled_value.items = to->values;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        if (((unsigned)quantities >> row->quantity & 1U) == 0 || !has(sample, row->quantity)) {
            continue;
        }
        struct pw_ocpp16_sampled_value *value =
            add(to, sample, sample->value[row->quantity], row->decimals, row->places);
        value->has |= PW_OCPP16_HAS(sampled_value, location);
        value->measurand.code = (int16_t)row->measurand;
        if (row->unit != NO_UNIT) {
            value->has |= PW_OCPP16_HAS(sampled_value, unit);
            value->unit.code = row->unit;
        }
        value->location.code = (int16_t)row->location;
        if (row->phase != NO_PHASE) {
            value->has |= PW_OCPP16_HAS(sampled_value, phase);
            value->phase.code = row->phase;
        }
    }
    if (seed) {
        add_own(to, sample, PW_CHARGE_MAH, "Battery.Ah", "Ah");
        add_own(to, sample, PW_OFFERED_MA, "BMS.Imax", "A");
    }
    return to->meter_value.sampled_value.count > 0;
}

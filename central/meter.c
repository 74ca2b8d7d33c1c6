// Sampled values: every one is kept word for word; those we understand become columns of a curve.
// Sources: OCPP 1.6 §6.31, §7.31, §7.43; facts/central.md §3.2.
#include "state.h"

#include <string.h>

#define VALUE_MAX INT64_C(1000000000000000) // thousandths

const char *const quantity_names[QUANTITIES] = {
    "power_w",     "voltage_v", "current_a",     "offered_a",
    "soc_percent", "energy_wh", "temperature_c", "limit_a",
};

int meter_number(struct pw_str text, int64_t *thousandths)
{
    text = pw_str_trim(text);
    bool negative = text.len > 0 && text.at[0] == '-';
    size_t i = text.len > 0 && (text.at[0] == '-' || text.at[0] == '+') ? 1 : 0;
    int64_t value = 0;
    int64_t exponent = 3; // of ten, to come to thousandths
    bool digits = false;
    bool point = false;
    for (; i < text.len && ((text.at[i] >= '0' && text.at[i] <= '9') || text.at[i] == '.'); i++) {
        if (text.at[i] == '.') {
            if (point) {
                return PW_ERR_PEER;
            }
            point = true;
            continue;
        }
        digits = true;
        if (value < VALUE_MAX) { // further digits only move the point
            value = value * 10 + (text.at[i] - '0');
            exponent -= point ? 1 : 0;
        } else {
            exponent += point ? 0 : 1;
        }
    }
    if (digits && i < text.len && (text.at[i] == 'e' || text.at[i] == 'E')) {
        struct pw_str rest = {.at = text.at + i + 1, .len = text.len - i - 1};
        if (rest.len > 0 && rest.at[0] == '+') {
            rest = (struct pw_str){.at = rest.at + 1, .len = rest.len - 1};
        }
        int64_t power = 0;
        if (pw_parse_int(rest, -30, 30, &power) != PW_OK) {
            return PW_ERR_PEER;
        }
        exponent += power;
        i = text.len;
    }
    if (!digits || i != text.len) {
        return PW_ERR_PEER;
    }
    for (; exponent > 0 && value != 0; exponent--) {
        if (value > VALUE_MAX / 10) {
            return PW_ERR_RANGE;
        }
        value *= 10;
    }
    for (; exponent < 0 && value != 0; exponent++) {
        value = exponent == -1 ? (value + 5) / 10 : value / 10;
    }
    if (value > VALUE_MAX) {
        return PW_ERR_RANGE;
    }
    *thousandths = negative ? -value : value;
    return PW_OK;
}

// --- What a sampled value is about. Units are scaled by numerator/denominator plus an offset.

static const struct measurand_row {
    const char *measurand;
    const char *unit; // "" = also when no unit is given
    enum quantity quantity;
    int64_t times;
    int64_t by;
    int64_t plus; // thousandths
} measurand_rows[] = {
    {"Energy.Active.Import.Register", "Wh", ENERGY, 1, 1, 0},
    {"Energy.Active.Import.Register", "", ENERGY, 1, 1, 0},
    {"Energy.Active.Import.Register", "kWh", ENERGY, 1000, 1, 0},
    {"Power.Active.Import", "W", POWER, 1, 1, 0},
    {"Power.Active.Import", "", POWER, 1, 1, 0},
    {"Power.Active.Import", "kW", POWER, 1000, 1, 0},
    {"Voltage", "V", VOLTAGE, 1, 1, 0},
    {"Voltage", "", VOLTAGE, 1, 1, 0},
    {"Current.Import", "A", CURRENT, 1, 1, 0},
    {"Current.Import", "", CURRENT, 1, 1, 0},
    {"Current.Offered", "A", OFFERED, 1, 1, 0},
    {"Current.Offered", "", OFFERED, 1, 1, 0},
    {"BMS Imax", "A", OFFERED, 1, 1, 0}, // what the first stations send
    {"BMS Imax", "", OFFERED, 1, 1, 0},
    {"SoC", "Percent", SOC, 1, 1, 0},
    {"SoC", "", SOC, 1, 1, 0},
    {"Temperature", "Celsius", TEMPERATURE, 1, 1, 0},
    {"Temperature", "Celcius", TEMPERATURE, 1, 1, 0},
    {"Temperature", "", TEMPERATURE, 1, 1, 0},
    {"Temperature", "K", TEMPERATURE, 1, 1, -273150},
    {"Temperature", "Fahrenheit", TEMPERATURE, 5, 9, -17778},
};

struct gather {
    struct measured whole; // values without a phase
    struct measured phase; // sums or highest of the phases
    int64_t charge_mah;    // -1: none
};

static struct pw_str word_or(const struct pw_ocpp_word *word, bool given, const char *otherwise)
{
    return given ? word->text : pw_str_of(otherwise);
}

#define GIVEN(sample, field) (((sample)->has & PW_OCPP16_HAS(sampled_value, field)) != 0)

static void add_phase(struct measured *to, enum quantity quantity, int64_t value)
{
    bool first = (to->has & (1U << quantity)) == 0;
    to->has |= 1U << quantity;
    if (first) {
        to->value[quantity] = value;
    } else if (quantity == POWER || quantity == ENERGY) {
        to->value[quantity] += value;
    } else {
        to->value[quantity] = pw_max(to->value[quantity], value);
    }
}

static void understand(struct gather *gather, const struct pw_ocpp16_sampled_value *sample)
{
    int64_t value = 0;
    struct pw_str unit = word_or(&sample->unit, GIVEN(sample, unit), "");
    struct pw_str measurand =
        word_or(&sample->measurand, GIVEN(sample, measurand), "Energy.Active.Import.Register");
    bool inlet = GIVEN(sample, location) && pw_str_is(sample->location.text, "Inlet");
    if (signed_is(sample) || meter_number(sample->value, &value) != PW_OK) {
        return;
    }
    if (pw_str_is(unit, "Ah")) {
        gather->charge_mah = value >= 0 ? value : -1; // thousandths of Ah
        return;
    }
    for (size_t i = 0; i < PW_COUNT(measurand_rows); i++) {
        const struct measurand_row *row = &measurand_rows[i];
        // The grid's side of a rectifier is another circuit than the connector.
        bool other_circuit = inlet && row->quantity != SOC && row->quantity != ENERGY;
        if (!pw_str_is(measurand, row->measurand) || !pw_str_is(unit, row->unit) || other_circuit) {
            continue;
        }
        value = value * row->times / row->by + row->plus;
        if (GIVEN(sample, phase)) {
            add_phase(&gather->phase, row->quantity, value);
        } else {
            gather->whole.has |= 1U << row->quantity;
            gather->whole.value[row->quantity] = value;
        }
        return;
    }
}

static struct measured merged(const struct gather *gather)
{
    struct measured all = gather->whole;
    for (unsigned i = 0; i < QUANTITIES; i++) {
        if ((all.has & (1U << i)) == 0 && (gather->phase.has & (1U << i)) != 0) {
            all.has |= 1U << i;
            all.value[i] = gather->phase.value[i];
        }
    }
    // Who gives only two of power, voltage and current means the third (DC and single phase).
    uint32_t both = (1U << VOLTAGE) | (1U << CURRENT);
    if ((all.has & (1U << POWER)) == 0 && (gather->whole.has & both) == both) {
        all.has |= 1U << POWER;
        all.value[POWER] = all.value[VOLTAGE] / 10 * (all.value[CURRENT] / 10) / 10;
    }
    return all;
}

// --- Keeping.

static void keep_sample(const struct call *call, const struct connector *connector, int64_t session,
                        pw_unix_ms at, const struct pw_ocpp16_sampled_value *sample)
{
    struct pw_db_value args[] = {
        pw_db_text(pw_str_of(call->station->id)),
        pw_db_int(connector->id),
        pw_db_int(at),
        pw_db_int(session),
        pw_db_text(word_or(&sample->measurand, GIVEN(sample, measurand), "")),
        pw_db_text(word_or(&sample->phase, GIVEN(sample, phase), "")),
        pw_db_text(word_or(&sample->location, GIVEN(sample, location), "")),
        pw_db_text(word_or(&sample->context, GIVEN(sample, context), "")),
        pw_db_text(word_or(&sample->format, GIVEN(sample, format), "")),
        pw_db_text(word_or(&sample->unit, GIVEN(sample, unit), "")),
        pw_db_text(sample->value),
    };
    (void)db_write(call->central,
                   "INSERT INTO sample (station_id, connector_id, at, session_id, measurand,"
                   " phase, location, context, format, unit, value)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), call->at.now);
}

void measurement_keep(struct pw_central *central, const struct station *station,
                      const struct taken *taken, const struct measured *measured, pw_ms now)
{
    struct pw_db_value args[4 + QUANTITIES] = {pw_db_text(pw_str_of(station->id)),
                                               pw_db_int(taken->connector->id),
                                               pw_db_int(taken->at), pw_db_int(taken->session)};
    for (unsigned i = 0; i < QUANTITIES; i++) {
        args[4 + i] =
            (measured->has & (1U << i)) != 0 ? pw_db_int(measured->value[i]) : pw_db_null();
    }
    (void)db_write(central,
                   "INSERT INTO measurement (station_id, connector_id, at, session_id, power,"
                   " voltage, current, offered, soc, energy, temperature, limited)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                   " ON CONFLICT DO NOTHING",
                   args, PW_COUNT(args), now);
}

static void learn(const struct call *call, struct connector *connector, const struct gather *gather,
                  const struct measured *measured)
{
    bool soc = (measured->has & (1U << SOC)) != 0;
    // What an outlet offers says nothing about the battery behind the vehicle's own charger.
    bool offered = (measured->has & (1U << OFFERED)) != 0 && connector_kind(connector) != OUTLET_AC;
    struct vehicle_news news = {
        .source = gather->charge_mah >= 0 ? FROM_AH
                  : soc                   ? FROM_SOC
                                          : FROM_IMAX,
        .imax_ma = offered ? (int32_t)pw_clamp(measured->value[OFFERED], 0, INT32_MAX) : 0,
        .charge_mah = gather->charge_mah,
        .soc_permille = soc ? (int32_t)pw_clamp(measured->value[SOC] / 100, 0, 1000) : -1,
    };
    if (gather->charge_mah >= 0 || soc || news.imax_ma > 0) {
        vehicle_learn(call->central->vehicles, &connector->vehicle, &news, call->at.wall);
    }
}

static void take(const struct call *call, struct connector *connector, int64_t session,
                 const struct pw_ocpp16_meter_value *meter)
{
    struct gather gather = {.charge_mah = -1};
    struct pw_ocpp16_sampled_value sample;
    struct pw_ocpp_iter it = pw_ocpp_each(&meter->sampled_value);
    while (pw_ocpp_next(&it, &sample, sizeof(sample))) {
        if (signed_is(&sample)) {
            signed_keep(call, connector, session, meter->timestamp, &sample);
        } else {
            keep_sample(call, connector, session, meter->timestamp, &sample);
        }
        understand(&gather, &sample);
    }
    struct measured measured = merged(&gather);
    if (measured.has != 0) {
        const struct taken where = {connector, session, meter->timestamp};
        measurement_keep(call->central, call->station, &where, &measured, call->at.now);
    }
    // A queue that is delivered late must not turn the picture of now back.
    bool newest = meter->timestamp >= connector->updated_at;
    if (newest && (measured.has != 0 || gather.charge_mah >= 0)) {
        for (unsigned i = 0; i < QUANTITIES; i++) {
            if ((measured.has & (1U << i)) != 0) {
                connector->live.has |= 1U << i;
                connector->live.value[i] = measured.value[i];
            }
        }
        learn(call, connector, &gather, &measured);
        connector->updated_at = meter->timestamp;
        event_measurement(call->central, call->station, connector, &measured, meter->timestamp);
    }
    if (session != 0) {
        session_reading(call->central, session, &measured, &connector->vehicle, call->at,
                        meter->timestamp);
    }
}

void meter_values(const struct call *call, struct connector *connector, int64_t session,
                  const struct pw_ocpp_list *list)
{
    struct pw_ocpp16_meter_value meter;
    struct pw_ocpp_iter it = pw_ocpp_each(list);
    bool any = false;
    while (pw_ocpp_next(&it, &meter, sizeof(meter))) {
        take(call, connector, session, &meter);
        any = true;
    }
    if (any) {
        event_station(call->central, call->station);
    }
}

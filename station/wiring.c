// Settings to the bay's configuration: one line a field.
#include "parts.h"

#include <string.h>

static int32_t of(const struct pw_settings *settings, enum pw_setting_id id, unsigned index)
{
    return pw_settings_connector(settings, id, index);
}

static void wire_dc(const struct pw_settings *settings, unsigned index,
                    struct pw_bay_config *config)
{
    config->dc.min_mv = of(settings, PW_SET_VOLTAGE_MIN_MV, index);
    config->dc.max_mv = of(settings, PW_SET_VOLTAGE_MAX_MV, index);
    config->dc.max_ma = of(settings, PW_SET_CURRENT_MAX_MA, index);
    config->dc.ramp_ma_s = of(settings, PW_SET_RAMP_MA_S, index);
    config->dc.derate_from_dc = of(settings, PW_SET_DERATE_FROM_DC, index);
    config->dc.trip_dc = of(settings, PW_SET_TRIP_DC, index);
    config->meter.min_mv = config->dc.min_mv;
    config->meter.max_mv = config->dc.max_mv;
    config->meter.max_ma = of(settings, PW_SET_CURRENT_PLAUSIBLE_MA, index);
}

static void wire_session(const struct pw_settings *settings, struct pw_session_config *config)
{
    config->connection_timeout_ms =
        (uint32_t)pw_settings_int(settings, PW_SET_CONNECTION_TIMEOUT_S) * 1000U;
    int err = pw_str_copy(config->free_tag, sizeof(config->free_tag),
                          pw_str_of(pw_settings_text(settings, PW_SET_FREE_ID)));
    PW_ASSERT(err == PW_OK);
}

void pw_wire_bay(const struct pw_settings *settings, unsigned index, struct pw_bay_config *config)
{
    memset(config, 0, sizeof(*config));
    config->connector_id = (uint8_t)(index + 1);
    config->vehicle_bus = (uint8_t)of(settings, PW_SET_VEHICLE_BUS, index);
    config->power_bus = (uint8_t)of(settings, PW_SET_POWER_BUS, index);
    config->rectifier =
        of(settings, PW_SET_RECTIFIER, index) == 0 ? PW_BAY_HUAWEI : PW_BAY_INFYPOWER;
    config->rectifier_address = (uint8_t)of(settings, PW_SET_RECTIFIER_ADDRESS, index);
    config->rectifier_rated_ma = of(settings, PW_SET_RECTIFIER_RATED_MA, index);
    config->rectifier_modules = (uint8_t)of(settings, PW_SET_RECTIFIER_MODULES, index);
    config->elcon_soc = of(settings, PW_SET_ELCON_SOC, index) != 0;
    config->daly_poll = of(settings, PW_SET_DALY_POLL, index) != 0;
    config->status_period_ms = of(settings, PW_SET_STATUS_PERIOD_MS, index);
    config->terminal_id = (uint32_t)of(settings, PW_SET_TERMINAL_ID, index);
    config->terminal_current_divisor = of(settings, PW_SET_TERMINAL_DIVISOR, index);
    config->io_node = (uint8_t)of(settings, PW_SET_IO_NODE, index);
    wire_dc(settings, index, config);
    wire_session(settings, &config->session);
}

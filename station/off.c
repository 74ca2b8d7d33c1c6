// The frames that make everything safe without asking any machine: for the moment when the program
// itself cannot be trusted any more. Rectifiers first, so that contactors open with as little
// current as there is time for.
#include "can/cia401.h"
#include "can/rectifier.h"
#include "connector/wiring.h"
#include "parts.h"

static bool rectifier_off(const struct pw_bay_config *config, unsigned n,
                          struct pw_can_frame *frame)
{
    const struct pw_rectifier_driver *driver = config->rectifier;
    const struct pw_rectifier_config at = {.address = config->rectifier_address,
                                           .modules = config->rectifier_modules,
                                           .rated_ma = config->rectifier_rated_ma};
    const struct pw_rectifier_command off = {.on = false};
    return n < driver->control_count && pw_rectifier_control(driver, &at, &off, n, frame) == PW_OK;
}

static bool contactor_off(const struct pw_bay_config *config, struct pw_can_frame *frame)
{
    const struct pw_cia401_message open = {
        .kind = PW_CIA401_OUTPUTS, .node = config->io_node, .digital = 0};
    return config->io_node != 0 && pw_cia401_pack(&open, frame) == PW_OK;
}

size_t pw_station_off_frames(const struct pw_settings *settings, struct pw_bay_tx *to, size_t cap)
{
    size_t count = 0;
    for (unsigned index = 0; index < settings->connectors; index++) {
        struct pw_bay_config config;
        if (pw_settings_connector(settings, PW_SET_KIND, index) != PW_KIND_OF_CONNECTOR_DC) {
            continue;
        }
        pw_wire_bay(settings, index, &config);
        for (unsigned n = 0; count < cap && rectifier_off(&config, n, &to[count].frame); n++) {
            to[count++].bus = config.power_bus;
        }
        if (count < cap && contactor_off(&config, &to[count].frame)) {
            to[count++].bus = config.power_bus;
        }
    }
    return count;
}

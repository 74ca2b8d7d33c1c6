// The terminal report of Rivot stations: output volts and amperes, and whether it charges, unasked.
#include "can/rivot.h"
#include "rectifier/dialect.h"

#define CHARGING_MA 200 // above this the station's meter says "charging"

void pw_world_rectifier_terminal(struct pw_world_rectifier *rectifier)
{
    const struct pw_rivot_config config = {0};
    struct pw_rivot_terminal terminal = {
        .voltage_mv = pw_world_rectifier_measured_mv(rectifier),
        .current_ma = pw_world_rectifier_measured_ma(rectifier),
    };
    struct pw_can_frame frame;
    int err = pw_rivot_pack_terminal(&config, &terminal, &frame);
    PW_ASSERT(err == PW_OK);
    pw_world_rectifier_send(rectifier, &frame);
    pw_rivot_pack_charging(&config, terminal.current_ma > CHARGING_MA, &frame);
    pw_world_rectifier_send(rectifier, &frame);
}

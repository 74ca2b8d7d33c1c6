// What the kinds of AC connectors share: their mains, from the settings and into the view.
#include "connector/kind.h"
#include "connector/wiring.h"
#include "rotation/rotation.h"

#include <string.h>

void pw_wire_mains(const struct pw_settings *settings, unsigned index,
                   struct pw_mains_config *config)
{
    config->phases = (uint8_t)pw_settings_connector(settings, PW_SET_PHASES, index);
    config->rotation = pw_rotation_set(settings, index);
}

void pw_connector_show_mains(const struct pw_mains_view *mains, struct pw_connector_view *view)
{
    view->measured = mains->fresh;
    view->phases = mains->phases;
    view->used = mains->ever_used;
    view->rotation = pw_mains_rotation_name(mains->rotation);
    view->mains_mhz = mains->mhz;
    view->power_mw = mains->power_mw;
    memcpy(view->mv, mains->mv, sizeof(view->mv));
    memcpy(view->ma, mains->ma, sizeof(view->ma));
    memcpy(view->mw, mains->mw, sizeof(view->mw));
    view->out_mv = mains->mv[0] == PW_BOARD_UNKNOWN ? 0 : mains->mv[0];
    view->out_ma = mains->max_ma == PW_BOARD_UNKNOWN ? 0 : mains->max_ma;
}

// wiring: settings to the configuration of a kind's machine, one line a field.
#ifndef PW_CONNECTOR_WIRING_H
#define PW_CONNECTOR_WIRING_H

#include "bay/bay.h"
#include "openevse/openevse.h"
#include "outlet/outlet.h"
#include "settings/settings.h"

void pw_wire_bay(const struct pw_settings *settings, unsigned index, struct pw_bay_config *config);
// What the registers of an AC connector take.
void pw_wire_mains(const struct pw_settings *settings, unsigned index,
                   struct pw_mains_config *config);
// What every kind's session takes.
void pw_wire_session(const struct pw_settings *settings, struct pw_session_config *config);

#endif

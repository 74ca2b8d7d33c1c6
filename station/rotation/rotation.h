// rotation: the setting ConnectorPhaseRotation, "0.RST, 1.RTS": which phase of the grid feeds L1,
// L2 and L3 of each connector. Source: OCPP 1.6 §9.1.7.
#ifndef PW_ROTATION_H
#define PW_ROTATION_H

#include "mains/mains.h"
#include "settings/settings.h"

// Looks up a connector (from 1; 0 is the supply of the station). *rotation is RST where the text
// says nothing, NotApplicable or Unknown. PW_ERR_RANGE with what is wrong in *why (may be NULL)
// when the text is no such list; *rotation is left alone then.
PW_MUST_USE int pw_rotation_of(struct pw_str text, unsigned connector,
                               enum pw_mains_rotation *rotation, struct pw_out *why);
// As set for the connector of this index (from 0). What a file says wrongly counts as RST; whoever
// sets it while running is told.
enum pw_mains_rotation pw_rotation_set(const struct pw_settings *settings, unsigned index);

#endif

// parts: what the files of the room share. Nobody else includes this.
#ifndef PW_OPENEVSE_PARTS_H
#define PW_OPENEVSE_PARTS_H

#include "openevse/openevse.h"

void pw_openevse_energy_init(struct pw_openevse_energy *energy);
// Takes new readings of the board or the other meter into the registers. True when the board's
// counter began anew without a restart: another vehicle.
bool pw_openevse_count(struct pw_openevse *oe, pw_ms now);
// What the board counted up to `when` is in the register.
bool pw_openevse_energy_settled(const struct pw_openevse *oe, pw_ms when);
// What has flowed by now and is not in the register yet, milliwatt hours. While the phases are
// looked for it is taken for all that are wired, as it will be if they are not found.
uint64_t pw_openevse_energy_pending(const struct pw_openevse *oe);
// When a part of what is missing is to be added next; PW_NEVER: nothing is.
pw_ms pw_openevse_energy_deadline(const struct pw_openevse *oe);

#endif

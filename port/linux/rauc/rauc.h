// rauc: systems that are updated as whole images. RAUC writes the image to the system that is not
// booted, and the boot loader tries it; this hands RAUC the bundle `system.raucb` of a release,
// which core/slots has written and checked, and says which system runs. Over D-Bus, waiting: for
// the thread of the slots, and for the start of the station. Source: RAUC 1.8, D-Bus API;
// https://rauc.readthedocs.io/en/latest/reference.html
#ifndef PW_LINUX_RAUC_H
#define PW_LINUX_RAUC_H

#include "slots.h"

#define PW_RAUC_BUNDLE "system.raucb" // the component that a release must have

// The functions for pw_slots_options. `bus`: its address; NULL: the system's.
struct pw_slots_system pw_rauc_system(const char *bus);

// Whether the bundle in this file is of the format that is checked block by block while it is read.
// `plain` and unknown ones are refused: they could be changed while they are installed.
PW_MUST_USE bool pw_rauc_is_verity(const char *path);

#endif

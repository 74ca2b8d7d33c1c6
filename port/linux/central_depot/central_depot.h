// central_depot: files of the central in one folder (central/depot.h). A file that is not whole
// ends in
// ".part" and is renamed when it is on the disk.
#ifndef PW_LINUX_CENTRAL_DEPOT_H
#define PW_LINUX_CENTRAL_DEPOT_H

#include "depot.h"

struct pw_folder_depot; // owned by pw_folder_depot_open's caller until pw_folder_depot_close

// Opens or makes the folder (mode 0700). PW_ERR_STORE with a sentence in *why.
PW_MUST_USE int pw_folder_depot_open(struct pw_folder_depot **depot, const char *path,
                                     struct pw_out *why);
// Files that are not whole are gone with it. NULL is harmless.
void pw_folder_depot_close(struct pw_folder_depot *depot);
// The port to hand to the logic; valid until it is closed.
const struct pw_depot *pw_folder_depot_port(const struct pw_folder_depot *depot);

#endif

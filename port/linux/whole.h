// whole: a file that is there whole or not at all, also after a power cut.
#ifndef PW_LINUX_WHOLE_H
#define PW_LINUX_WHOLE_H

#include "base/base.h"

#include <sys/types.h>

#define PW_WHOLE_BESIDE   ".new" // what a file's name ends in while it is being written
#define PW_WHOLE_PATH_MAX 512

// Writes a file beside the one of that name, with `mode` less the umask, and puts it in its place.
// `sync`: it is on the disk when this returns, its name too; without, that comes when the system
// likes, and a power cut before may leave the file empty. PW_OK, or PW_ERR_STORE with errno: then
// it is as it was, or, when only its name could not be synced, the new one. May wait for the disk.
PW_MUST_USE int pw_whole_write(const char *path, mode_t mode, struct pw_str bytes, bool sync);

// A name is in its folder, or gone from it, for good only when the folder is synced. False with
// errno when it cannot be.
PW_MUST_USE bool pw_whole_sync_folder(const char *folder);

#endif

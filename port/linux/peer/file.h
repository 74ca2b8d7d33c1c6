// file: what somebody else has put there for us to read: whole, within a bound, and never waited
// for.
#ifndef PW_LINUX_PEER_FILE_H
#define PW_LINUX_PEER_FILE_H

#include "base/base.h"

#define PW_PEER_FILE_MAX 1048576 // bytes of a file with authorities and their lists
#define PW_PEER_PEM_MAX  65536   // of one with a certificate and its chain, or a key

// The bytes of a file, and a NUL behind them; freed by the caller, *len without the NUL. Only a
// file as such is read: from a pipe, a device or a folder nothing is taken, and nobody waits. NULL
// with the path and what is wrong in *why; also when it has more than `most` bytes.
char *pw_peer_file(const char *path, size_t most, size_t *len, struct pw_out *why);

#endif

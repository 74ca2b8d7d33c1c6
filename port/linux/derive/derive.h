// derive: the one thread on which the central's slow key derivations run, so that whoever guesses
// passwords does not keep stations waiting. It gives way to the loop's thread, works one by one in
// the order they came, and keeps at most PW_CENTRAL_DERIVE_MAX of them.
#ifndef PW_LINUX_DERIVE_H
#define PW_LINUX_DERIVE_H

#include "central.h"

#include <loop.h>

struct pw_derive;

// Starts the thread; `loop` must outlive it. PW_ERR_LIMIT: no memory, or no thread.
PW_MUST_USE int pw_derive_open(struct pw_derive **derive, struct pw_loop *loop);
// Ends it when what it does just now is done (some 100 ms); harmless for NULL.
void pw_derive_close(struct pw_derive *derive);

// The central's cryptography with derive_later; valid as long as the thread.
const struct pw_central_crypto *pw_derive_crypto(const struct pw_derive *derive);

// Hands what has been derived to the central. To be called at every turn of the loop; the thread
// wakes it.
void pw_derive_turn(struct pw_derive *derive, struct pw_central *central, struct pw_instant at);

#endif

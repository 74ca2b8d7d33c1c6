// store: the contract of store/store.h on one SQLite file. A writer thread puts everything that has
// queued up into one transaction (WAL, synchronous=FULL), so that a slow disk makes the groups
// larger instead of the station slower; reads are made on the caller's thread with a connection of
// its own. Measured in facts/platform.md §4: grouped commits cost no more than unsynced ones.
//
// When the disk is full or an operation fails, the queued batches are kept and tried again every
// second; their tickets do not become durable meanwhile, so nothing that needs them may happen
// (facts/reliability.md F04). A damaged or read-only file ends writing for good.
#ifndef PW_LINUX_STORE_H
#define PW_LINUX_STORE_H

#include "store/store.h"

#define PW_SQLITE_RETRY_MS  1000 // real time between tries after a failed commit
#define PW_SQLITE_TRIES_MAX 600  // then writing has failed for good
#define PW_SQLITE_RESERVE                                                                          \
    (UINT64_C(1024) * 1024) // bytes: with less left on the disk `able` says PW_ERR_LIMIT

struct pw_sqlite; // owned by pw_sqlite_open's caller until pw_sqlite_close

// Opens or creates the file `path` (mode 0600; its folder must be there) and starts the writer.
// `advanced` is called on the writer's thread whenever pw_store.durable would answer differently:
// it wakes the caller's loop and does nothing else. A file that SQLite finds damaged is renamed to
// "<path>.damaged-<unix seconds>", which is logged as an error, and a new one begun.
// NULL with one sentence in *why when it cannot be opened, is held by another program, or was
// written by a newer version.
struct pw_sqlite *pw_sqlite_open(const char *path, void (*advanced)(void *context), void *context,
                                 const struct pw_log *log, struct pw_out *why);

// Writes what is queued (one last try when the disk fails), stops the thread, frees everything.
void pw_sqlite_close(struct pw_sqlite *sqlite);

// The store to hand to the rooms. Valid until pw_sqlite_close; for the opener's thread only.
struct pw_store pw_sqlite_store(struct pw_sqlite *sqlite);

// Logs when writing began to fail, recovered, or failed for good. Call it after `advanced`.
void pw_sqlite_report(struct pw_sqlite *sqlite, const struct pw_log *log);

#endif

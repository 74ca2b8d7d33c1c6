// central_store: the central's database on SQLite. Write-ahead log, synchronous FULL: what commit
// said is durable survives a power cut. One connection, one thread; the logic groups its commits.
#ifndef PW_LINUX_CENTRAL_STORE_H
#define PW_LINUX_CENTRAL_STORE_H

#include "db.h"

#include <sqlite3.h>

#define PW_CENTRAL_STATEMENTS_MAX 512 // different statements a program may use

struct pw_central_statement {
    const char *sql;
    sqlite3_stmt *prepared;
};

struct pw_central_store {
    struct pw_db db; // hand this to the logic
    sqlite3 *sqlite;
    bool open; // a transaction has begun
    const struct pw_log *log;
    size_t count;
    struct pw_central_statement statement[PW_CENTRAL_STATEMENTS_MAX];
};

// Opens or creates the database file (":memory:" for tests). PW_ERR_STORE when it cannot be opened,
// is no database or is held by another program: *why (never NULL) then says it in words.
PW_MUST_USE int pw_central_store_open(struct pw_central_store *store, const char *path,
                                      const struct pw_log *log, const char **why);

// Commits what is open and closes. Harmless after a failed open.
void pw_central_store_close(struct pw_central_store *store);

#endif

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define BUSY_MS        5000 // a person's sqlite3 shell may hold the file for a moment
#define PATH_SIZE      512
#define WHY_SIZE       160

enum health { WELL, FAILING, FAILED };
static const char *const health_names[] = {"well", "failing", "failed"};

// One batch in one block of memory: the changes, then their bytes.
struct batch {
    struct batch *next;
    int64_t ticket;
    size_t count;
    struct pw_store_change change[];
};

struct pw_sqlite {
    sqlite3 *reader;
    sqlite3_stmt *get;
    sqlite3_stmt *at_or_after;
    sqlite3_stmt *after;
    int64_t last_ticket;
    enum health reported;
    int lock_fd; // beside the file: its file system is asked for room

    // The writer's own.
    sqlite3 *writer;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *put;
    sqlite3_stmt *remove;
    unsigned tries;
    void (*advanced)(void *context);
    void *context;
    pthread_t thread;
    bool started;

    // Shared, under the lock.
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch *first;
    struct batch **end;
    bool closing;
    char why[WHY_SIZE]; // of the present health

    _Atomic uint32_t waiting; // batches taken and not yet durable
    _Atomic int64_t durable;
    _Atomic int health;
};

// ---------------------------------------------------------------------------------------------
// The writer's thread.

static void set_health(struct pw_sqlite *sqlite, enum health health, const char *why)
{
    (void)pthread_mutex_lock(&sqlite->lock);
    (void)snprintf(sqlite->why, sizeof(sqlite->why), "%s", why);
    (void)pthread_mutex_unlock(&sqlite->lock);
    atomic_store(&sqlite->health, (int)health);
    sqlite->advanced(sqlite->context);
}

static int run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

// An empty blob must not be bound as NULL: that is what a NULL pointer means to SQLite.
static void bind(sqlite3_stmt *statement, int column, struct pw_str bytes)
{
    const char *at = bytes.len > 0 ? bytes.at : "";
    int rc = sqlite3_bind_blob(statement, column, at, (int)bytes.len, SQLITE_STATIC);
    PW_ASSERT(rc == SQLITE_OK);
}

static int apply(struct pw_sqlite *sqlite, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct pw_store_change *change = &batch->change[i];
        sqlite3_stmt *statement = change->remove ? sqlite->remove : sqlite->put;
        bind(statement, 1, change->key);
        if (!change->remove) {
            bind(statement, 2, change->value);
        }
        int rc = run(statement);
        if (rc != SQLITE_OK) {
            return rc;
        }
    }
    return SQLITE_OK;
}

// All batches of the list in one transaction: SQLITE_OK or nothing is changed.
static int commit_all(struct pw_sqlite *sqlite, const struct batch *list)
{
    int rc = run(sqlite->begin);
    for (const struct batch *batch = list; rc == SQLITE_OK && batch != NULL; batch = batch->next) {
        rc = apply(sqlite, batch);
    }
    if (rc == SQLITE_OK) {
        rc = run(sqlite->commit);
    }
    if (rc != SQLITE_OK && sqlite3_get_autocommit(sqlite->writer) == 0) {
        (void)sqlite3_exec(sqlite->writer, "ROLLBACK", NULL, NULL, NULL);
    }
    return rc;
}

// Frees the list; the ticket of its last batch.
static int64_t free_list(struct batch *list, uint32_t *count)
{
    int64_t last = 0;
    *count = 0;
    while (list != NULL) {
        struct batch *next = list->next;
        last = list->ticket;
        (*count)++;
        free(list);
        list = next;
    }
    return last;
}

static bool may_recover(int rc)
{
    int primary = rc & 0xFF;
    return primary == SQLITE_FULL || primary == SQLITE_IOERR || primary == SQLITE_BUSY ||
           primary == SQLITE_LOCKED || primary == SQLITE_NOMEM || primary == SQLITE_INTERRUPT;
}

static void wait_to_retry(struct pw_sqlite *sqlite)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PW_SQLITE_RETRY_MS / 1000;
    (void)pthread_mutex_lock(&sqlite->lock);
    int rc = 0;
    while (!sqlite->closing && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&sqlite->changed, &sqlite->lock, &until);
    }
    (void)pthread_mutex_unlock(&sqlite->lock);
}

static bool is_closing(struct pw_sqlite *sqlite)
{
    (void)pthread_mutex_lock(&sqlite->lock);
    bool closing = sqlite->closing;
    (void)pthread_mutex_unlock(&sqlite->lock);
    return closing;
}

// Commits the list, trying again while that can help. False when writing has failed for good, or
// when it fails while closing.
static bool persist(struct pw_sqlite *sqlite, const struct batch *list)
{
    for (;;) {
        int rc = commit_all(sqlite, list);
        if (rc == SQLITE_OK) {
            sqlite->tries = 0;
            return true;
        }
        sqlite->tries++;
        const char *why = sqlite3_errmsg(sqlite->writer);
        if (!may_recover(rc) || sqlite->tries >= PW_SQLITE_TRIES_MAX || is_closing(sqlite)) {
            set_health(sqlite, FAILED, why);
            return false;
        }
        if (sqlite->tries == 1) {
            set_health(sqlite, FAILING, why);
        }
        wait_to_retry(sqlite);
    }
}

// The next list of batches; NULL when closing and nothing is left.
static struct batch *take(struct pw_sqlite *sqlite)
{
    (void)pthread_mutex_lock(&sqlite->lock);
    while (sqlite->first == NULL && !sqlite->closing) {
        (void)pthread_cond_wait(&sqlite->changed, &sqlite->lock);
    }
    struct batch *list = sqlite->first;
    sqlite->first = NULL;
    sqlite->end = &sqlite->first;
    (void)pthread_mutex_unlock(&sqlite->lock);
    return list;
}

static void *write_all(void *argument)
{
    struct pw_sqlite *sqlite = argument;
    for (struct batch *list = take(sqlite); list != NULL; list = take(sqlite)) {
        bool kept = atomic_load(&sqlite->health) != FAILED && persist(sqlite, list);
        uint32_t count = 0;
        int64_t last = free_list(list, &count);
        if (kept) {
            atomic_store(&sqlite->durable, last);
        }
        atomic_fetch_sub(&sqlite->waiting, count);
        if (kept && atomic_load(&sqlite->health) == FAILING) {
            set_health(sqlite, WELL, "");
        } else {
            sqlite->advanced(sqlite->context);
        }
    }
    return NULL;
}

// ---------------------------------------------------------------------------------------------
// The contract, on the opener's thread.

static struct batch *copy_batch(const struct pw_store_change *changes, size_t count)
{
    size_t size = sizeof(struct batch) + count * sizeof(struct pw_store_change);
    size_t bytes_at = size;
    for (size_t i = 0; i < count; i++) {
        PW_ASSERT(changes[i].key.len >= 1 && changes[i].key.len <= PW_STORE_KEY_MAX);
        PW_ASSERT(changes[i].remove || changes[i].value.len <= PW_STORE_VALUE_MAX);
        size += changes[i].key.len + (changes[i].remove ? 0 : changes[i].value.len);
    }
    struct batch *batch = malloc(size);
    if (batch == NULL) {
        return NULL;
    }
    struct pw_out bytes = {.at = (char *)batch + bytes_at, .cap = size - bytes_at};
    batch->next = NULL;
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        struct pw_str value = {.at = changes[i].value.at,
                               .len = changes[i].remove ? 0 : changes[i].value.len};
        memcpy(bytes.at + bytes.len, changes[i].key.at, changes[i].key.len);
        batch->change[i] = (struct pw_store_change){
            .key = {.at = bytes.at + bytes.len, .len = changes[i].key.len},
            .value = {.at = bytes.at + bytes.len + changes[i].key.len, .len = value.len},
            .remove = changes[i].remove,
        };
        bytes.len += changes[i].key.len;
        if (value.len > 0) {
            memcpy(bytes.at + bytes.len, value.at, value.len);
            bytes.len += value.len;
        }
    }
    return batch;
}

static int64_t store_write(void *context, const struct pw_store_change *changes, size_t count)
{
    struct pw_sqlite *sqlite = context;
    PW_ASSERT(count >= 1 && count <= PW_STORE_BATCH_MAX);
    if (atomic_load(&sqlite->health) == FAILED) {
        return PW_ERR_STORE;
    }
    if (atomic_load(&sqlite->waiting) >= PW_STORE_QUEUE_MAX) {
        return PW_ERR_LIMIT;
    }
    struct batch *batch = copy_batch(changes, count);
    if (batch == NULL) {
        return PW_ERR_LIMIT;
    }
    int64_t ticket = ++sqlite->last_ticket;
    batch->ticket = ticket;
    atomic_fetch_add(&sqlite->waiting, 1);
    (void)pthread_mutex_lock(&sqlite->lock);
    *sqlite->end = batch;
    sqlite->end = &batch->next;
    (void)pthread_cond_signal(&sqlite->changed);
    (void)pthread_mutex_unlock(&sqlite->lock);
    return ticket;
}

static int64_t store_durable(void *context)
{
    struct pw_sqlite *sqlite = context;
    return atomic_load(&sqlite->health) == FAILED ? PW_ERR_STORE : atomic_load(&sqlite->durable);
}

// A station that cannot end its charges in writing must not begin them: some room is kept back.
static int store_able(void *context)
{
    struct pw_sqlite *sqlite = context;
    struct statvfs disk;
    if (atomic_load(&sqlite->health) != WELL) {
        return PW_ERR_STORE;
    }
    if (fstatvfs(sqlite->lock_fd, &disk) != 0) {
        return PW_OK;
    }
    return (uint64_t)disk.f_bavail * disk.f_frsize < PW_SQLITE_RESERVE ? PW_ERR_LIMIT : PW_OK;
}

static int copy_value(sqlite3_stmt *statement, int column, char *to, size_t cap)
{
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    if (len > cap) {
        return PW_ERR_LIMIT;
    }
    const void *value = sqlite3_column_blob(statement, column);
    if (len > 0) {
        memcpy(to, value, len);
    }
    return (int)len;
}

static int store_get(void *context, struct pw_str key, char *to, size_t cap)
{
    struct pw_sqlite *sqlite = context;
    bind(sqlite->get, 1, key);
    int rc = sqlite3_step(sqlite->get);
    int result = PW_ERR_STORE;
    if (rc == SQLITE_ROW) {
        result = copy_value(sqlite->get, 0, to, cap);
    } else if (rc == SQLITE_DONE) {
        result = PW_ERR_UNKNOWN;
    }
    (void)sqlite3_reset(sqlite->get);
    return result;
}

static bool sorts_before(struct pw_str a, struct pw_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.at, b.at, common) : 0;
    return order < 0 || (order == 0 && a.len < b.len);
}

static int copy_row(sqlite3_stmt *row, struct pw_str prefix, char *key, char *to, size_t cap)
{
    struct pw_str found = {.at = sqlite3_column_blob(row, 0),
                           .len = (size_t)sqlite3_column_bytes(row, 0)};
    if (found.len < prefix.len || sorts_before(prefix, (struct pw_str){found.at, prefix.len})) {
        return PW_ERR_UNKNOWN;
    }
    int len = copy_value(row, 1, to, cap);
    if (len >= 0 && pw_str_copy(key, PW_STORE_KEY_MAX + 1, found) != PW_OK) {
        return PW_ERR_STORE;
    }
    return len;
}

static int store_next(void *context, struct pw_str prefix, struct pw_str after, char *key, char *to,
                      size_t cap)
{
    struct pw_sqlite *sqlite = context;
    bool from_prefix = sorts_before(after, prefix);
    sqlite3_stmt *statement = from_prefix ? sqlite->at_or_after : sqlite->after;
    bind(statement, 1, from_prefix ? prefix : after);
    int rc = sqlite3_step(statement);
    int result = PW_ERR_STORE;
    if (rc == SQLITE_ROW) {
        result = copy_row(statement, prefix, key, to, cap);
    } else if (rc == SQLITE_DONE) {
        result = PW_ERR_UNKNOWN;
    }
    (void)sqlite3_reset(statement);
    return result;
}

struct pw_store pw_sqlite_store(struct pw_sqlite *sqlite)
{
    return (struct pw_store){
        .context = sqlite,
        .write = store_write,
        .durable = store_durable,
        .able = store_able,
        .get = store_get,
        .next = store_next,
    };
}

void pw_sqlite_report(struct pw_sqlite *sqlite, const struct pw_log *log)
{
    enum health health = (enum health)atomic_load(&sqlite->health);
    if (health == sqlite->reported) {
        return;
    }
    char why[WHY_SIZE];
    (void)pthread_mutex_lock(&sqlite->lock);
    memcpy(why, sqlite->why, sizeof(why));
    (void)pthread_mutex_unlock(&sqlite->lock);
    struct pw_line line;
    pw_line(&line, log, health == WELL ? PW_LOG_INFO : PW_LOG_ERROR, "store", "health");
    pw_line_s(&line, "from", health_names[sqlite->reported]);
    pw_line_s(&line, "to", health_names[health]);
    pw_line_s(&line, "why", why);
    pw_line_int(&line, "waiting", atomic_load(&sqlite->waiting));
    pw_line_end(&line);
    sqlite->reported = health;
}

// ---------------------------------------------------------------------------------------------
// Opening and closing.

static const char schema[] =
    "PRAGMA application_id = 1347896114;" // "PWsr"
    "CREATE TABLE IF NOT EXISTS record(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

static int connect(const char *path, sqlite3 **db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(path, db, flags, NULL);
    if (rc == SQLITE_OK) {
        (void)sqlite3_busy_timeout(*db, BUSY_MS);
        rc = sqlite3_exec(*db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;", NULL, NULL,
                          NULL);
    }
    return rc;
}

static int ask_int(sqlite3 *db, const char *sql, int *value)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        *value = rc == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
        rc = rc == SQLITE_ROW ? SQLITE_OK : rc;
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

// SQLite reads every page; any other answer than "ok" is damage.
static int check_pages(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
        bool ok = rc == SQLITE_ROW &&
                  pw_str_is(pw_str_of((const char *)sqlite3_column_text(statement, 0)), "ok");
        rc = ok ? SQLITE_OK : rc == SQLITE_ROW ? SQLITE_CORRUPT : rc;
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
}

static int prepare_all(struct pw_sqlite *sqlite)
{
    struct {
        sqlite3 *db;
        const char *sql;
        sqlite3_stmt **statement;
    } wanted[] = {
        {sqlite->reader, "SELECT value FROM record WHERE key = ?1", &sqlite->get},
        {sqlite->reader, "SELECT key, value FROM record WHERE key >= ?1 ORDER BY key LIMIT 1",
         &sqlite->at_or_after},
        {sqlite->reader, "SELECT key, value FROM record WHERE key > ?1 ORDER BY key LIMIT 1",
         &sqlite->after},
        {sqlite->writer, "BEGIN IMMEDIATE", &sqlite->begin},
        {sqlite->writer, "COMMIT", &sqlite->commit},
        {sqlite->writer, "INSERT OR REPLACE INTO record(key, value) VALUES(?1, ?2)", &sqlite->put},
        {sqlite->writer, "DELETE FROM record WHERE key = ?1", &sqlite->remove},
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < PW_COUNT(wanted); i++) {
        rc = prepare(wanted[i].db, wanted[i].sql, wanted[i].statement);
    }
    return rc;
}

static void disconnect(struct pw_sqlite *sqlite)
{
    sqlite3_stmt **statements[] = {&sqlite->get,   &sqlite->at_or_after, &sqlite->after,
                                   &sqlite->begin, &sqlite->commit,      &sqlite->put,
                                   &sqlite->remove};
    for (size_t i = 0; i < PW_COUNT(statements); i++) {
        (void)sqlite3_finalize(*statements[i]);
        *statements[i] = NULL;
    }
    (void)sqlite3_close(sqlite->reader);
    (void)sqlite3_close(sqlite->writer);
    sqlite->reader = NULL;
    sqlite->writer = NULL;
}

static void say(struct pw_out *why, const char *path, const char *what, const char *detail)
{
    why->len = 0;
    pw_put_s(why, path);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    pw_put_s(why, detail);
}

// Opens both connections on a checked file with our table. An SQLite result code.
static int open_database(struct pw_sqlite *sqlite, const char *path, struct pw_out *why)
{
    int version = 0;
    int rc = connect(path, &sqlite->writer);
    if (rc == SQLITE_OK) {
        rc = ask_int(sqlite->writer, "PRAGMA user_version", &version);
    }
    if (rc == SQLITE_OK) {
        rc = check_pages(sqlite->writer);
    }
    if (rc == SQLITE_OK && version > SCHEMA_VERSION) {
        say(why, path, "was written by a newer version of the program", "");
        return SQLITE_MISMATCH;
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(sqlite->writer, schema, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        rc = connect(path, &sqlite->reader);
    }
    if (rc == SQLITE_OK) {
        rc = prepare_all(sqlite);
    }
    if (rc != SQLITE_OK) {
        say(why, path, "cannot be used: ", sqlite3_errstr(rc));
    }
    return rc;
}

static bool join(char *to, size_t cap, const char *path, const char *suffix)
{
    int len = snprintf(to, cap, "%s%s", path, suffix);
    return len > 0 && (size_t)len < cap;
}

// Moves the file and its write-ahead log away, both under the same new name, so that a person can
// still repair them with the sqlite3 shell.
static int set_aside(const char *path, const struct pw_log *log, struct pw_out *why)
{
    static const char *const parts[] = {"", "-wal", "-shm"};
    char mark[40];
    struct pw_out out = PW_OUT(mark);
    pw_put_s(&out, ".damaged-");
    pw_put_int(&out, (int64_t)time(NULL));
    char kept[PATH_SIZE];
    if (!join(kept, sizeof(kept), path, mark)) {
        return PW_ERR_LIMIT;
    }
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        char from[PATH_SIZE];
        char to[PATH_SIZE];
        bool fits =
            join(from, sizeof(from), path, parts[i]) && join(to, sizeof(to), kept, parts[i]);
        if (!fits || (rename(from, to) != 0 && errno != ENOENT)) {
            say(why, path, "is damaged and cannot be set aside: ", strerror(errno));
            return PW_ERR_STORE;
        }
    }
    struct pw_line line;
    pw_line(&line, log, PW_LOG_ERROR, "store", "damaged_file_set_aside");
    pw_line_s(&line, "file", path);
    pw_line_s(&line, "kept_as", kept);
    pw_line_s(&line, "effect", "records begin anew; send the kept file to whoever repairs it");
    pw_line_end(&line);
    return PW_OK;
}

// Our own file mode, before SQLite creates the file with the umask's.
static int create_file(const char *path, struct pw_out *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        say(why, path, "cannot be opened: ", strerror(errno));
        return PW_ERR_STORE;
    }
    (void)close(fd);
    return PW_OK;
}

// A lock of its own beside the file: closing any other descriptor of the database itself would
// drop SQLite's locks.
static int lock_file(struct pw_sqlite *sqlite, const char *path, struct pw_out *why)
{
    char name[PATH_SIZE];
    if (!join(name, sizeof(name), path, ".lock")) {
        say(why, path, "is too long a path", "");
        return PW_ERR_LIMIT;
    }
    sqlite->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (sqlite->lock_fd < 0) {
        say(why, name, "cannot be opened: ", strerror(errno));
        return PW_ERR_STORE;
    }
    if (flock(sqlite->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        say(why, path, "is in use by another program", "");
        return PW_ERR_BUSY;
    }
    return PW_OK;
}

static int open_file(struct pw_sqlite *sqlite, const char *path, const struct pw_log *log,
                     struct pw_out *why)
{
    int err = lock_file(sqlite, path, why);
    if (err == PW_OK) {
        err = create_file(path, why);
    }
    if (err != PW_OK) {
        return err;
    }
    int rc = open_database(sqlite, path, why);
    if ((rc & 0xFF) == SQLITE_CORRUPT || rc == SQLITE_NOTADB) {
        disconnect(sqlite);
        err = set_aside(path, log, why);
        if (err == PW_OK) {
            err = create_file(path, why);
        }
        rc = err == PW_OK ? open_database(sqlite, path, why) : rc;
    }
    return rc == SQLITE_OK ? PW_OK : PW_ERR_STORE;
}

// Signals are the loop's: the writer's thread takes none.
static int start_thread(struct pw_sqlite *sqlite)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&sqlite->thread, NULL, write_all, sqlite);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    sqlite->started = rc == 0;
    return rc;
}

static void init_shared(struct pw_sqlite *sqlite)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sqlite->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&sqlite->lock, NULL);
    sqlite->end = &sqlite->first;
}

struct pw_sqlite *pw_sqlite_open(const char *path, void (*advanced)(void *context), void *context,
                                 const struct pw_log *log, struct pw_out *why)
{
    struct pw_sqlite *sqlite = calloc(1, sizeof(*sqlite));
    if (sqlite == NULL) {
        say(why, path, "cannot be opened: out of memory", "");
        return NULL;
    }
    sqlite->lock_fd = -1;
    sqlite->advanced = advanced;
    sqlite->context = context;
    init_shared(sqlite);
    if (open_file(sqlite, path, log, why) != PW_OK) {
        pw_sqlite_close(sqlite);
        return NULL;
    }
    if (start_thread(sqlite) != 0) {
        say(why, path, "cannot be opened: no thread for its writer", "");
        pw_sqlite_close(sqlite);
        return NULL;
    }
    return sqlite;
}

void pw_sqlite_close(struct pw_sqlite *sqlite)
{
    if (sqlite->started) {
        (void)pthread_mutex_lock(&sqlite->lock);
        sqlite->closing = true;
        (void)pthread_cond_signal(&sqlite->changed);
        (void)pthread_mutex_unlock(&sqlite->lock);
        (void)pthread_join(sqlite->thread, NULL);
    }
    disconnect(sqlite);
    if (sqlite->lock_fd >= 0) {
        (void)close(sqlite->lock_fd);
    }
    (void)pthread_cond_destroy(&sqlite->changed);
    (void)pthread_mutex_destroy(&sqlite->lock);
    free(sqlite);
}

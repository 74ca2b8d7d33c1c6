#include "central_store.h"

#include <limits.h>
#include <string.h>

#define BUSY_MS 2000 // another program (`pilotwire-central station add`) may hold the file briefly

static void complain(const struct pw_central_store *store, const char *event, const char *sql)
{
    struct pw_line line;
    pw_line(&line, store->log, PW_LOG_ERROR, "store", event);
    pw_line_s(&line, "error", sqlite3_errmsg(store->sqlite));
    if (sql != NULL) {
        // Statements carry no values, so no secret gets into the log.
        pw_line_s(&line, "sql", sql);
    }
    pw_line_end(&line);
}

// A statement is prepared on its first use and kept: the logic has a fixed set of them.
static sqlite3_stmt *statement(struct pw_central_store *store, const char *sql)
{
    for (size_t i = 0; i < store->count; i++) {
        if (store->statement[i].sql == sql) {
            return store->statement[i].prepared;
        }
    }
    PW_ASSERT(store->count < PW_CENTRAL_STATEMENTS_MAX);
    sqlite3_stmt *prepared = NULL;
    if (sqlite3_prepare_v3(store->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) !=
        SQLITE_OK) {
        complain(store, "statement_refused", sql);
        return NULL;
    }
    // $1..$n get their numbers from the order of their first use: it must be the natural one.
    for (int i = 1; i <= sqlite3_bind_parameter_count(prepared); i++) {
        int64_t number = 0;
        struct pw_str name = pw_str_of(sqlite3_bind_parameter_name(prepared, i));
        (void)pw_str_cut(&name, '$');
        PW_ASSERT(pw_parse_int(name, i, i, &number) == PW_OK);
    }
    store->statement[store->count++] = (struct pw_central_statement){sql, prepared};
    return prepared;
}

static int bind(sqlite3_stmt *prepared, int at, const struct pw_db_value *value)
{
    switch (value->kind) {
    case PW_DB_NULL: return sqlite3_bind_null(prepared, at);
    case PW_DB_INT: return sqlite3_bind_int64(prepared, at, value->number);
    case PW_DB_TEXT:
        // An empty view may have no address; SQLite would read that as NULL.
        return sqlite3_bind_text(prepared, at, value->text.at != NULL ? value->text.at : "",
                                 (int)pw_min((int64_t)value->text.len, INT_MAX), SQLITE_STATIC);
    }
    PW_UNREACHABLE();
}

static struct pw_db_value column(sqlite3_stmt *prepared, int at)
{
    switch (sqlite3_column_type(prepared, at)) {
    case SQLITE_NULL: return pw_db_null();
    case SQLITE_INTEGER: return pw_db_int(sqlite3_column_int64(prepared, at));
    default: {
        const char *text = (const char *)sqlite3_column_text(prepared, at);
        return pw_db_text(
            (struct pw_str){.at = text, .len = (size_t)sqlite3_column_bytes(prepared, at)});
    }
    }
}

static void hand_over(sqlite3_stmt *prepared, pw_db_row *row, void *to)
{
    struct pw_db_value columns[PW_DB_COLUMNS_MAX];
    int count = sqlite3_column_count(prepared);
    PW_ASSERT(count <= PW_DB_COLUMNS_MAX);
    for (int i = 0; i < count; i++) {
        columns[i] = column(prepared, i);
    }
    row(to, columns, (size_t)count);
}

static bool begin(struct pw_central_store *store, sqlite3_stmt *prepared)
{
    if (store->open || sqlite3_stmt_readonly(prepared) != 0) {
        return true;
    }
    if (sqlite3_exec(store->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        complain(store, "begin_failed", NULL);
        return false;
    }
    store->open = true;
    return true;
}

static int64_t step(struct pw_central_store *store, sqlite3_stmt *prepared, pw_db_row *row,
                    void *to)
{
    int64_t rows = 0;
    int result = sqlite3_step(prepared);
    for (; result == SQLITE_ROW; result = sqlite3_step(prepared)) {
        rows++;
        if (row != NULL) {
            hand_over(prepared, row, to);
        }
    }
    if (result != SQLITE_DONE) {
        complain(store, "statement_failed", sqlite3_sql(prepared));
        return PW_ERR_STORE;
    }
    return sqlite3_column_count(prepared) > 0 ? rows : sqlite3_changes64(store->sqlite);
}

static int64_t run(void *context, const char *sql, const struct pw_db_value *args, size_t count,
                   pw_db_row *row, void *to)
{
    struct pw_central_store *store = context;
    sqlite3_stmt *prepared = statement(store, sql);
    if (prepared == NULL || !begin(store, prepared)) {
        return PW_ERR_STORE;
    }
    PW_ASSERT(count == (size_t)sqlite3_bind_parameter_count(prepared));
    int64_t result = 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        if (bind(prepared, (int)i + 1, &args[i]) != SQLITE_OK) {
            complain(store, "parameter_refused", sql);
            result = PW_ERR_STORE;
        }
    }
    if (result == 0) {
        result = step(store, prepared, row, to);
    }
    (void)sqlite3_reset(prepared);
    (void)sqlite3_clear_bindings(prepared); // the arguments are borrowed for this call only
    return result;
}

static int commit(void *context)
{
    struct pw_central_store *store = context;
    if (!store->open) {
        return PW_OK;
    }
    store->open = false;
    if (sqlite3_exec(store->sqlite, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
        return PW_OK;
    }
    complain(store, "commit_failed", NULL);
    if (sqlite3_get_autocommit(store->sqlite) == 0) {
        (void)sqlite3_exec(store->sqlite, "ROLLBACK", NULL, NULL, NULL);
    }
    return PW_ERR_STORE;
}

int pw_central_store_open(struct pw_central_store *store, const char *path,
                          const struct pw_log *log, const char **why)
{
    memset(store, 0, sizeof(*store));
    store->log = log;
    store->db = (struct pw_db){.context = store, .run = run, .commit = commit};
    *why = "";
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &store->sqlite, flags, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(store->sqlite, BUSY_MS) != SQLITE_OK ||
        sqlite3_exec(store->sqlite,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                     "PRAGMA trusted_schema=OFF;",
                     NULL, NULL, NULL) != SQLITE_OK) {
        *why = store->sqlite != NULL ? sqlite3_errmsg(store->sqlite) : "out of memory";
        return PW_ERR_STORE;
    }
    return PW_OK;
}

void pw_central_store_close(struct pw_central_store *store)
{
    if (store->sqlite == NULL) {
        return;
    }
    (void)commit(store);
    for (size_t i = 0; i < store->count; i++) {
        (void)sqlite3_finalize(store->statement[i].prepared);
    }
    (void)sqlite3_close(store->sqlite);
    store->sqlite = NULL;
    store->count = 0;
}

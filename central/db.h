// db: the port contract for the central's database. SQL goes through one function; the statements
// themselves live beside the logic that needs them. Kept to what SQLite and PostgreSQL share:
// $1..$n parameters, ON CONFLICT, integers and text.
#ifndef PW_CENTRAL_DB_H
#define PW_CENTRAL_DB_H

#include "base/base.h"

#define PW_DB_ARGS_MAX    24 // parameters of one statement
#define PW_DB_COLUMNS_MAX 24 // columns of one row

enum pw_db_kind { PW_DB_NULL, PW_DB_INT, PW_DB_TEXT };

struct pw_db_value {
    enum pw_db_kind kind;
    int64_t number;     // of PW_DB_INT
    struct pw_str text; // of PW_DB_TEXT; borrowed
};

// One row of an answer. `columns` is valid during the call only. Must not run statements.
typedef void pw_db_row(void *to, const struct pw_db_value *columns, size_t count);

struct pw_db {
    void *context;

    // Runs one statement with its parameters. `sql` must stay valid and unchanged for the life of
    // the database: prepared statements are remembered by its address. `row` (or NULL) is called
    // for each row of the answer. Returns the number of rows answered or, without an answer, the
    // number of rows changed; PW_ERR_STORE when the database refuses (it has logged why).
    // Everything since the last commit is one transaction and is visible to later statements.
    int64_t (*run)(void *context, const char *sql, const struct pw_db_value *args, size_t count,
                   pw_db_row *row, void *to);

    // Makes everything since the last commit durable: it survives a power cut when this returns
    // PW_OK. Blocks for the disk (one fsync). PW_ERR_STORE: none of it was kept.
    int (*commit)(void *context);
};

static inline struct pw_db_value pw_db_int(int64_t number)
{
    return (struct pw_db_value){.kind = PW_DB_INT, .number = number};
}

static inline struct pw_db_value pw_db_text(struct pw_str text)
{
    return (struct pw_db_value){.kind = PW_DB_TEXT, .text = text};
}

static inline struct pw_db_value pw_db_null(void)
{
    return (struct pw_db_value){.kind = PW_DB_NULL};
}

#endif

// rows: lines of text against a table of what can happen. One row a command: a verb, maybe a second
// word, maybe an argument. Whoever owns the table says what the rows do; refusals name the value
// and what would be allowed.
#ifndef PW_ROWS_H
#define PW_ROWS_H

#include "base/base.h"

enum pw_row_kind {
    PW_ROW_NOTHING,
    PW_ROW_NUMBER, // least..most, `decimals` places
    PW_ROW_MAYBE,  // least..most, whole; none means 0
    PW_ROW_WORD,   // one of `words`; the number is its place
    PW_ROW_TEXT,
};

struct pw_row {
    const char *verb; // rows of the same verb stand together
    const char *word; // second word, or NULL
    enum pw_row_kind kind;
    unsigned decimals;
    int64_t least;
    int64_t most;
    const char *(*words)(size_t place); // NULL beyond the last
    const char *shows;                  // the argument in the help; NULL: none
    const char *doc;
};

struct pw_row_argument {
    int64_t number;
    struct pw_str text; // borrowed from the line
};

// The i-th row of a table; NULL beyond the last.
typedef const struct pw_row *(*pw_rows_at)(size_t i);

// Finds the row of a line and reads its argument: 1, with *row its place. 0 for an empty line. An
// error for a line that is none, with the reason in `answer`.
PW_MUST_USE int pw_rows_read(pw_rows_at at, struct pw_str line, size_t *row,
                             struct pw_row_argument *argument, struct pw_out *answer);

// The list of commands with their meaning, one a line, then the words of each that takes one.
void pw_rows_help(pw_rows_at at, struct pw_out *out);

#endif

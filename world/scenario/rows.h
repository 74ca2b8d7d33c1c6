// rows: lines of text against a table of what can happen. One row a command: a verb, maybe a second
// word, maybe an argument, and what it does. Refusals name the value and what would be allowed.
#ifndef PW_ROWS_H
#define PW_ROWS_H

#include "base/base.h"

enum pw_row_kind {
    PW_ROW_NOTHING,
    PW_ROW_NUMBER, // least..most, `decimals` places
    PW_ROW_MAYBE,  // least..most, whole; none means 0
    PW_ROW_WORD,   // one of `words`; the number is its place
    PW_ROW_TEXT,   // of least..most bytes
};

// What a row does it with.
struct pw_row_call {
    int which;          // the row's
    int64_t number;     // the argument
    struct pw_str text; // the argument, borrowed from the line
    struct pw_out *answer;
};

struct pw_row {
    const char *verb; // rows of the same verb stand together
    const char *word; // second word, or NULL
    enum pw_row_kind kind;
    unsigned decimals;
    int64_t least;
    int64_t most;
    const char *const *words;             // ends in NULL; NULL: word_at gives them
    const char *(*word_at)(size_t place); // NULL beyond the last
    const char *shows;                    // the argument in the help; NULL: none
    const char *doc;
    int which; // tells rows with one function apart
    // Does it. PW_OK, or a refusal that it has written to call->answer; what it writes with PW_OK
    // is the answer, which is "ok" when it writes nothing. NULL: the list of commands.
    int (*run)(void *world, const struct pw_row_call *call);
};

// Runs one line against `rows`, the last of which has no verb. 1: done, the answer is "ok". 0: told
// what was asked, or an empty line. An error for a line that is none, or that is refused, with the
// reason in `answer`.
PW_MUST_USE int pw_rows_run(const struct pw_row *rows, void *world, struct pw_str line,
                            struct pw_out *answer);

// The list of commands with their meaning, one a line, then the words of each that takes one.
void pw_rows_help(const struct pw_row *rows, struct pw_out *out);

#endif

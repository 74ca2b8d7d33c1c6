// command: every command of RAPI as a row: arguments with range and unit, the answer's shape, since
// when boards know it, who may send it by hand, how long a board may take. The rows are
// rapi/command.c's; the client, the simulated board and doc/rapi.md go by them.
// Source: facts/ac-evse-rapi-load.md §2.3; reliability T25, T26.
#ifndef PW_RAPI_COMMAND_H
#define PW_RAPI_COMMAND_H

#include "rapi/frame.h"

#define PW_RAPI_ARGS_MAX 6

enum pw_rapi_form {
    PW_RAPI_NUMBER, // decimal digits, in least..most
    PW_RAPI_CHOICE, // one of `words`, written "A|M|0|1"
    PW_RAPI_TEXT,   // the rest of the line, spaces included
};

struct pw_rapi_arg {
    const char *name; // NULL: no argument
    enum pw_rapi_form form;
    const char *unit; // "" without one
    int32_t least;
    int32_t most;
    const char *words;
};

// Who may send it as a raw line.
enum pw_rapi_who {
    PW_RAPI_ANYBODY, // it changes nothing
    PW_RAPI_ADMIN,   // it changes the board, within what is safe
    PW_RAPI_NOBODY,  // the row says why not
};

// Versions are major * 10000 + minor * 100 + patch: 5.2.1 is 50201. 0: no bound.
#define PW_RAPI_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))

// Several rows may have one name: `$SC n`, `$SC n V`, `$SC n M`. The first whose arguments fit
// counts.
struct pw_rapi_command {
    const char *name; // two characters
    const char *text; // what it does
    struct pw_rapi_arg arg[PW_RAPI_ARGS_MAX];
    const char *answer; // words of an $OK, separated by spaces; "" none
    enum pw_rapi_who who;
    const char *why;     // NOBODY: the reason, for people; else ""
    int32_t since_rapi;  // protocol version that brought it
    int32_t until_rapi;  // first that has it no more
    int32_t since_board; // firmware version that brought it
    int32_t slow_ms;     // a board may take so much longer than for others
};

// All rows; NULL behind the last.
const struct pw_rapi_command *pw_rapi_command_at(unsigned index);

// The row for a whole command, `line` split. NULL: no row has this name, or none these arguments;
// *why (may be NULL) gets one sentence naming the argument, its value and its range.
const struct pw_rapi_command *pw_rapi_command_of(const struct pw_rapi_line *line,
                                                 struct pw_out *why);

// A raw line of people, with or without `$`, checksum and sequence id: writes it bare, "$GS", to
// `body`. PW_ERR_PEER: it is no command; PW_ERR_RANGE: its arguments are wrong; PW_ERR_BUSY: it may
// not be sent by `who`; PW_ERR_LIMIT: too long. *why says it in one sentence.
PW_MUST_USE int pw_rapi_command_raw(struct pw_str line, enum pw_rapi_who who, struct pw_out *body,
                                    struct pw_out *why);

#endif

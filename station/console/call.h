// call: what the files of the console share. Nobody else includes this.
#ifndef PW_CONSOLE_CALL_H
#define PW_CONSOLE_CALL_H

#include "parts.h"

// One line being carried out.
struct pw_console_call {
    struct pw_station *st;
    struct pw_str rest; // of the line, behind the word
    struct pw_out *answer;
    pw_ms now;
    bool json;
};

// The next word of the line; empty at its end.
struct pw_str pw_console_word(struct pw_console_call *call);
// Answers with one sentence. refuse returns `err`, done PW_OK.
int pw_console_refuse(struct pw_console_call *call, int err, const char *sentence);
int pw_console_done(struct pw_console_call *call, const char *sentence);
// A connector number in the next word, as an index. Without a word *given is false.
PW_MUST_USE int pw_console_connector(struct pw_console_call *call, unsigned *index, bool *given);

// One function for each word of the table in console.c.
// charge.c
int pw_console_start(struct pw_console_call *call);
int pw_console_stop(struct pw_console_call *call);
int pw_console_card(struct pw_console_call *call);
int pw_console_limit(struct pw_console_call *call);
int pw_console_claim(struct pw_console_call *call);
int pw_console_until(struct pw_console_call *call);
int pw_console_now(struct pw_console_call *call);
int pw_console_enable(struct pw_console_call *call);
int pw_console_disable(struct pw_console_call *call);
int pw_console_unlock(struct pw_console_call *call);
int pw_console_estop(struct pw_console_call *call);
int pw_console_clear(struct pw_console_call *call);
// update.c
int pw_console_update(struct pw_console_call *call);
// security.c
int pw_console_seclog(struct pw_console_call *call);
int pw_console_certificate(struct pw_console_call *call);
// cards.c
int pw_console_cards(struct pw_console_call *call);
int pw_console_reservations(struct pw_console_call *call);
// settings.c
int pw_console_set(struct pw_console_call *call);
int pw_console_get(struct pw_console_call *call);
int pw_console_factory_reset(struct pw_console_call *call);
int pw_console_defaults(struct pw_console_call *call);
int pw_console_restart(struct pw_console_call *call);
// reports.c
int pw_console_mute(struct pw_console_call *call);
int pw_console_status(struct pw_console_call *call);
int pw_console_bms(struct pw_console_call *call);
int pw_console_rectifier(struct pw_console_call *call);
int pw_console_output(struct pw_console_call *call);
int pw_console_terminal(struct pw_console_call *call);
int pw_console_all(struct pw_console_call *call);
int pw_console_can(struct pw_console_call *call);
int pw_console_pilot(struct pw_console_call *call);
int pw_console_house(struct pw_console_call *call);
int pw_console_limits(struct pw_console_call *call);
int pw_console_charges(struct pw_console_call *call);
int pw_console_schedule(struct pw_console_call *call);
int pw_console_profiles(struct pw_console_call *call);
int pw_console_uplink(struct pw_console_call *call);
int pw_console_network(struct pw_console_call *call);
int pw_console_files(struct pw_console_call *call);
int pw_console_faults(struct pw_console_call *call);
// board.c
int pw_console_board(struct pw_console_call *call);
int pw_console_rapi(struct pw_console_call *call);
int pw_console_rapi_answer(struct pw_console_call *call);

#endif

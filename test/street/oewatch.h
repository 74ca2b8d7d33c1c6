// oewatch: the outside observer of an OpenEVSE station: it sees contacts, currents, the house's
// main breaker and what people did, never a variable of the station. A violation is said once with
// its time and counted. The board is not ours: what it does by itself within its own start, and
// while nobody can reach it, is judged by what it may do then.
#ifndef PW_STREET_OEWATCH_H
#define PW_STREET_OEWATCH_H

#include "oeworld/oeworld.h"

enum { OEWATCH_WHAT_MAX = 160 };

struct oewatch {
    int32_t most_ma;    // hardware and owner: the least of both
    int32_t breaker_ma; // of the house; 0: nobody manages it
    bool authorised;    // a card, a remote start or free charging since the vehicle came
    bool alone;         // nobody speaks to the board
    bool unheard;       // it says nothing that can be understood, or its program stands still
    bool hung;          // that
    pw_ms alone_at;     // alone since then, or until then; or it restarted then
    pw_ms apart_at;     // station and board last did not understand each other
    uint32_t restarts;  // of the board
    // A limit from outside: the one that holds, and when it began.
    int32_t limit_ma;
    pw_ms limit_at;
    // Seen before.
    struct pw_world_oe_truth last;
    bool begun;
    pw_ms loose_since; // closed with no plug
    pw_ms over_since;  // the main breaker, while the charger draws
    pw_ms looked_at;
    // What it found.
    uint64_t looks;
    uint32_t closings; // of the relay's line
    uint32_t violations;
    pw_ms worst_over_ms;
    double over_as; // ampere seconds above the breaker while the charger draws more than its least
    char what[OEWATCH_WHAT_MAX]; // the first violation
};

void oewatch_init(struct oewatch *watch, pw_ms now);
void oewatch_leave(struct oewatch *watch);
void oewatch_limit(struct oewatch *watch, int32_t ma, pw_ms now);
// Somebody stops speaking to the board, or begins again.
void oewatch_alone(struct oewatch *watch, bool alone, pw_ms now);
// How the board is.
void oewatch_board(struct oewatch *watch, const struct pw_oeboard *board, pw_ms now);
void oewatch_look(struct oewatch *watch, const struct pw_world_oe_truth *truth, pw_ms now);

#endif

// desk: a client and an OpenEVSE board (world/oeboard) on one line, in virtual time. The line can
// be cut, and can break bytes.
#ifndef PW_TEST_RAPI_DESK_H
#define PW_TEST_RAPI_DESK_H

#include "oeboard/oeboard.h"
#include "rapi/rapi.h"

struct desk {
    struct pw_rapi_client client;
    struct pw_oeboard board;
    struct pw_oeboard_senses senses;
    pw_ms now;
    pw_ms client_due;
    pw_ms board_due;
    bool cut;           // bytes are lost both ways
    unsigned break_ppm; // of the bytes, both ways
    uint64_t seed;
    int32_t highest_ma; // most the board offered while its relay was closed, since desk_watch
    struct pw_rapi_reader sniffer;
    char last[PW_RAPI_LINE_MAX + 1];        // last line the client sent, id and checksum included
    char saw[400][PW_RAPI_COMMAND_MAX + 1]; // bodies it sent, oldest first, since desk_watch
    unsigned saws;
};

// A powered board of that kind (NULL: the recorded one), 32 A, no car; the client's wire is up.
void desk_init(struct desk *desk, const char *kind);
void desk_run(struct desk *desk, pw_ms ms);
void desk_watch(struct desk *desk);
// How often the client sent a line that begins so, since desk_watch.
unsigned desk_sent(const struct desk *desk, const char *begins);
// Index of the first such line; fails the test without one.
unsigned desk_place(const struct desk *desk, const char *begins);
void desk_want(struct desk *desk, enum pw_rapi_power power, int32_t limit_ma);
void desk_car(struct desk *desk, enum pw_oeboard_level level, double ampere);
uint64_t desk_random(uint64_t *seed);

#endif

// machine: the computer of a station that is updated by the real central: its two slots on a
// simulated disk (core/slots, through test/core/slots_rig: written, tried, confirmed, rejected and
// started as port/linux and pilotwire-boot do it), and downloads that are fetched from the central
// over HTTP, with ranges. Connections break and bytes turn over as the test says.
#ifndef PW_STREET_MACHINE_H
#define PW_STREET_MACHINE_H

#include "server.h"
#include "slots_rig.h"

struct machine {
    struct pw_transfer transfer; // what the station gets
    struct pw_install install;
    struct server *server;
    struct rig rig;
    const char *version; // of what runs
    // Set by the test.
    unsigned breaks;   // so many connections break ...
    size_t breaks_at;  // ... when so many bytes of the file are there
    size_t turns_over; // this byte of the file, from 1, comes as another one; 0: none
    size_t step;       // bytes that come at a look
    // What happened.
    unsigned begun;   // requests
    unsigned resumed; // of them, for what is behind the first byte
    unsigned starts;  // of programs
    // Inside.
    struct pw_transfer_state down;
    uint64_t stream; // of the central's answer; 0: none
    struct pw_install_state state;
    struct rig_release got; // what was downloaded
    size_t have;
    size_t wanted; // it ends with so many
    bool looked;   // the state has been looked at since work was begun
};

// `from` runs and is confirmed. The machine must stay where it is.
void machine_open(struct machine *machine, struct server *server, const struct rig *from,
                  uint64_t seed);
struct street_computer machine_computer(struct machine *machine);

#endif

// network_rig: the network's machine alone, in virtual time. What is in reach, whose password is
// right and what the radio can do belong to the test; orders are carried out as a port would.
#ifndef PW_TEST_NETWORK_RIG_H
#define PW_TEST_NETWORK_RIG_H

#include "network/network.h"
#include "simstore.h"

#define HOME "Home"
#define SHED "The shed"

struct rig {
    struct pw_settings settings;
    struct pw_sim_store disk;
    struct pw_network net;
    struct pw_wireless_facts facts;
    pw_ms now;
    // The world.
    bool home;     // in reach
    bool shed;     //
    bool wrong;    // neither lets us in
    bool deaf;     // the radio does nothing it is told
    bool no_host;  // the radio cannot be an access point
    bool no_bytes; // there is no randomness
    uint32_t slow; // seed of how long orders take; 0: two seconds
    // What the port is at.
    struct pw_wireless_order order;
    pw_ms done_at; // PW_NEVER: at nothing
    // What was seen.
    unsigned orders[4];
    pw_ms opened_at;
    char log[16384];
};

extern struct rig rig;

// Both networks known and in reach, their passwords right, the service there, the radio idle; for
// setup and teardown of a test.
int rig_open(void **state);
int rig_close(void **state);
void rig_set(const char *path, const char *value, enum pw_setting_by by);
void rig_start(void); // the machine, before it has heard anything
void rig_begin(void); // ... and ten seconds on
void rig_tell(void);  // the facts as they are
void rig_be(enum pw_wireless_use use, const char *ssid, uint32_t order);
void rig_lose(void); // the connection
void rig_answer_scan(void);
// Turns, each as early as the machine or the port asks.
void rig_run_until(pw_ms until);
void rig_run(pw_ms ms);
void rig_reach_host(void); // a new access point has just opened

#endif

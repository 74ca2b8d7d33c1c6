// acdesk: the smallest controller that can charge at an AC outlet, for tests of the world: it
// offers, locks and closes as it is told, and remembers what it heard. No safety in it.
#ifndef PW_TEST_ACDESK_H
#define PW_TEST_ACDESK_H

#include "acworld/acworld.h"

struct acdesk {
    struct pw_world_ac world;
    pw_ms now;
    bool mute; // drives nothing
    struct pw_board_drive drive;
    struct pw_board_senses senses; // the last heard
    unsigned reports;
    unsigned blocks;
    struct pw_board_block block; // the last heard
    double meter_j;              // as the mains reports tell it
    pw_ms mains_at;
    pw_ms widest_ms; // between two reports
    uint64_t hash;   // of every report and when
};

void acdesk_init(struct acdesk *desk, const struct pw_world_ac_config *config);
// Lets `ms` pass; drives every 100 ms.
void acdesk_run(struct acdesk *desk, pw_ms ms);
// Offers so much; 0: steady pilot.
void acdesk_offer(struct acdesk *desk, int32_t ma);
// Plugs in, locks, offers, waits for the car and closes; the current stands after 10 s.
void acdesk_charge(struct acdesk *desk, int32_t ma);
// A scenario line that must be accepted.
void acdesk_do(struct acdesk *desk, const char *line);
struct pw_world_ac_truth acdesk_truth(const struct acdesk *desk);

#endif

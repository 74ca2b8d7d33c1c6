// signing: a meter that signs, at connector 1 of a street: the simulated registers on one side, the
// client of proto/modbus on the other, and 20 ms of line for each exchange between them. What it
// signed is remembered. No cryptography: the signature is a sum, the street only carries it.
#ifndef PW_STREET_SIGNING_H
#define PW_STREET_SIGNING_H

#include "signmeter/signmeter.h"
#include "street.h"

enum { STREET_SIGNED_MAX = 64 };

struct street_signing {
    uint16_t registers[65536];
    struct pw_signmeter meter;
    bool silent; // its line is cut
    bool busy;
    struct pw_modbus_snapshot snapshot;
    pw_ms due;
    pw_ms until;
    pw_ms meter_at;
    // The data sets that reached the station.
    struct pw_signed_reading given[STREET_SIGNED_MAX];
    unsigned count;
};

// From the next power on the street's connector has it. *signing stays where it is.
void street_signing_open(struct street *street, struct street_signing *signing);
void street_signing_start(struct street *street); // the station is there
void street_signing_turn(struct street *street);
pw_ms street_signing_next(const struct street *street);

#endif

// radio: two transparent modems on one channel. What one is given in one go it sends in one piece,
// at its air rate; the other hears it whole, at its end, unless it was sending itself, the air was
// shared, or luck was bad. Counts each end's time on the air in the worst hour.
// Source: facts/ac-evse-rapi-load.md §9.2; ETSI EN 300 220-2 (duty cycle over one hour).
#ifndef PW_RADIO_H
#define PW_RADIO_H

#include "noise/noise.h"

#define PW_RADIO_ENDS    2
#define PW_RADIO_PIECE   96   // bytes a modem takes at once; the rest is lost
#define PW_RADIO_RECORDS 1024 // transmissions of one hour and end that are remembered
#define PW_RADIO_HOUR_MS 3600000

struct pw_radio_config {
    int32_t air_bps;  // 0: 2400
    int32_t frame_ms; // preamble and header of a piece; 0: 60
    double loss;      // of pieces, 0 to 1
    double twice;     // of pieces heard twice
    double broken;    // of pieces with one byte changed
    uint64_t seed;
};

struct pw_radio_piece {
    pw_ms from;
    pw_ms until;
    uint8_t len;
    uint8_t bytes[PW_RADIO_PIECE];
    bool spoilt;
    bool there; // on the air, or waiting to be heard
};

struct pw_radio_record {
    pw_ms from;
    uint32_t ms;
};

struct pw_radio_end {
    struct pw_radio_piece piece;
    bool again; // the piece is heard once more
    struct pw_radio_record record[PW_RADIO_RECORDS];
    uint32_t records;  // since the beginning; the ring holds the last ones
    uint32_t first;    // of the hour that ends now
    uint64_t hour_ms;  // on the air within it
    uint64_t worst_ms; // within any hour
    uint64_t total_ms;
    uint32_t lost;
};

struct pw_radio {
    struct pw_radio_config config;
    struct pw_noise noise;
    bool silent; // nothing is heard by anybody
    struct pw_radio_end end[PW_RADIO_ENDS];
};

void pw_radio_init(struct pw_radio *radio, const struct pw_radio_config *config);
// End `end` sends. A modem that is still sending loses it.
void pw_radio_send(struct pw_radio *radio, unsigned end, const uint8_t *at, size_t len, pw_ms now);
// What end `end` has heard by now; 0: nothing. `to` holds PW_RADIO_PIECE.
size_t pw_radio_hear(struct pw_radio *radio, unsigned end, uint8_t *to, pw_ms now);
// When the next piece ends; PW_NEVER: the air is free.
pw_ms pw_radio_next(const struct pw_radio *radio);

#endif

// screen: the contract between what decides what a station's display shows (station/face) and what
// draws it (port/linux/lcd, or a display of another board). Words, figures and colours by meaning;
// no pixel. Made for 320 x 240, legible from two metres. All texts are UTF-8 and terminated; a port
// shortens what does not fit.
#ifndef PW_SCREEN_H
#define PW_SCREEN_H

#include "base/base.h"

#define PW_SCREEN_URL_MAX 121

// What a colour means; a port chooses the colour.
enum pw_screen_tone {
    PW_SCREEN_CALM, // ready
    PW_SCREEN_INFO, // something is going on, or somebody is expected
    PW_SCREEN_GO,   // energy flows
    PW_SCREEN_WARN, // held back, or waiting
    PW_SCREEN_BAD,  // a fault
    PW_SCREEN_MUTE, // out of service, unknown
};

enum pw_screen_layout {
    PW_SCREEN_WELCOME, // state and note large, lines below
    PW_SCREEN_CHARGE,  // state, figures, bars, limit
    PW_SCREEN_TROUBLE, // state, what is wrong in words, code
};

struct pw_screen_figure {
    char value[12]; // "7.4"; "" leaves the place free
    char unit[8];   // "kW"
    char label[20]; // "Power"
};

struct pw_screen_bar {
    char label[12]; // "L1"
    char value[16]; // "15.9 A"
    int16_t filled; // per mille of the scale, 0..1000
    int16_t mark;   // where the limit stands on it; -1: none
};

#define PW_SCREEN_FIGURES 3
#define PW_SCREEN_BARS    3
#define PW_SCREEN_LINES   4

// A port may compare two screens byte by byte: whoever fills one clears it first.
struct pw_screen {
    enum pw_screen_layout layout;
    enum pw_screen_tone tone;
    char station[49];
    char clock[6]; // "14:32"; "" when the time is not known
    char link[20]; // "online", "offline", ""
    enum pw_screen_tone link_tone;
    char state[32]; // "Charging"
    char note[96];  // a sentence beside it
    struct pw_screen_figure figure[PW_SCREEN_FIGURES];
    struct pw_screen_bar bar[PW_SCREEN_BARS];
    uint8_t bars;
    char line[PW_SCREEN_LINES][96]; // WELCOME: facts; CHARGE: limit and why; TROUBLE: what is wrong
    char code[32];                  // TROUBLE: for the service
    char url[PW_SCREEN_URL_MAX];    // as QR code; "" without one
    uint8_t page;                   // from 0
    uint8_t pages;                  // 1 or more; dots are drawn from 2 on
};

#endif

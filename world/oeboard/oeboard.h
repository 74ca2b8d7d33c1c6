// oeboard: an OpenEVSE board as the world sees it: a serial line that speaks RAPI, a pilot, a
// relay. The firmware is single-threaded: while it closes its relay, moves its lock or writes its
// display it hears nothing, and what came meanwhile waits in a ring of 63 bytes. Everything it says
// and its order is what recordings of the real firmware show; where those end, a comment says what
// was measured, and what is a choice of ours. Pure: time is an argument, the same seed gives the
// same bytes. Sources: facts/ac-evse-rapi-load.md §2.1-§2.7, facts/reliability.md Appendix A,
// test/golden/rapi.
#ifndef PW_OEBOARD_H
#define PW_OEBOARD_H

#include "board/board.h"
#include "noise/noise.h"

#define PW_OEBOARD_RING_MAX  63 // bytes the receiver holds
#define PW_OEBOARD_LINE_MAX  32 // of a command, '$' and its NUL included
#define PW_OEBOARD_SAY_MAX   64
#define PW_OEBOARD_SAYS_MAX  32
#define PW_OEBOARD_TOKENS    10
#define PW_OEBOARD_LEAST_A   6
#define PW_OEBOARD_NO_PROBE  (-2560) // 0.1 degC, as it says for a sensor that is not there
#define PW_OEBOARD_RETRY_MS  300000  // after a residual or earth fault, while still plugged in
#define PW_OEBOARD_RETRIES   6
#define PW_OEBOARD_WINDOW_MS 1900 // the ammeter's

// evsestate and pilotstate of `$GS` and `$AT`.
enum pw_oeboard_state {
    PW_OEBOARD_UNKNOWN = 0x00,
    PW_OEBOARD_A = 0x01,
    PW_OEBOARD_B = 0x02,
    PW_OEBOARD_C = 0x03,
    PW_OEBOARD_D = 0x04, // wants ventilation: a fault
    PW_OEBOARD_DIODE = 0x05,
    PW_OEBOARD_GFI = 0x06,
    PW_OEBOARD_NO_EARTH = 0x07,
    PW_OEBOARD_STUCK = 0x08,
    PW_OEBOARD_SELF_TEST = 0x09,
    PW_OEBOARD_HOT = 0x0A,
    PW_OEBOARD_OVER_CURRENT = 0x0B,
    PW_OEBOARD_SLEEPING = 0xFE,
    PW_OEBOARD_DISABLED = 0xFF,
};

// vflags
#define PW_OEBOARD_HARD_FAULT   0x0002U
#define PW_OEBOARD_LIMIT_SLEEP  0x0004U
#define PW_OEBOARD_TIME_LIMIT   0x0010U
#define PW_OEBOARD_EARTH_TRIP   0x0020U
#define PW_OEBOARD_CHARGING_ON  0x0040U
#define PW_OEBOARD_GFI_TRIP     0x0080U
#define PW_OEBOARD_CONNECTED    0x0100U
#define PW_OEBOARD_ENDED        0x0200U
#define PW_OEBOARD_WAS_THERE    0x0400U
#define PW_OEBOARD_CHARGE_LIMIT 0x2000U
#define PW_OEBOARD_BOOT_LOCK    0x4000U
#define PW_OEBOARD_MANUAL_LOCK  0x8000U

// flags of `$GE`: a bit set is a test switched off
#define PW_OEBOARD_L2          0x0001U
#define PW_OEBOARD_DIODE_OFF   0x0002U
#define PW_OEBOARD_VENT_OFF    0x0004U
#define PW_OEBOARD_EARTH_OFF   0x0008U
#define PW_OEBOARD_STUCK_OFF   0x0010U
#define PW_OEBOARD_SERVICE_OFF 0x0020U
#define PW_OEBOARD_GFI_OFF     0x0200U
#define PW_OEBOARD_HEAT_OFF    0x0400U
#define PW_OEBOARD_BUTTON_OFF  0x8000U

// A firmware: one row. Firmware numbers of rows older than 8 mean nothing; the protocol's do.
struct pw_oeboard_kind {
    const char *word;
    const char *doc;
    const char *firmware;
    const char *rapi;
    unsigned protocol; // RAPI's major number
    bool sparse;       // an emulator's: few commands, some of them with other fields
    bool limits;       // $S3 and $G3 are there
    bool banner;       // bare text at boot and whenever the relay closes
    bool parting;      // answers $FR before it restarts
    bool boot_lock;    // waits for $SB after each start
    bool over_current; // trips on more than the offer and 5 A for 10 s
    int32_t mv;        // it believes in, at service level 2
    pw_ms self_test_ms;
    pw_ms slow_least_ms; // to answer while charging
    pw_ms slow_most_ms;
};

size_t pw_oeboard_kinds(void);
// NULL beyond the last.
const struct pw_oeboard_kind *pw_oeboard_kind(size_t row);
// NULL when no row has that word.
const struct pw_oeboard_kind *pw_oeboard_named(struct pw_str word);

// What survives a restart.
struct pw_oeboard_eeprom {
    uint8_t most_a;      // hardware
    bool most_fixed;     // by `$SC n M`: for ever
    uint8_t capacity[2]; // configured, of service level 1 and 2
    uint16_t flags;
    uint16_t beat_s; // heartbeat; 0: off
    uint8_t beat_a;
    uint32_t scale; // ammeter
    uint32_t offset;
    uint32_t wh; // total, added to at unplug
    unsigned trips_gfi, trips_earth, trips_stuck;
    bool lock_manual;
    uint8_t timer[4];
    unsigned writes; // how often something was written
};

// What the board senses of the world.
enum pw_oeboard_level {
    PW_OEBOARD_LEVEL_A,
    PW_OEBOARD_LEVEL_B,
    PW_OEBOARD_LEVEL_C,
    PW_OEBOARD_LEVEL_D,
    PW_OEBOARD_LEVEL_E,
};

struct pw_oeboard_senses {
    enum pw_oeboard_level level; // by the load on the pilot wire
    bool diode;
    bool leak; // more residual current than its limit
    bool earth_lost;
    bool live;       // voltage behind the relay
    double ampere;   // through its one current transformer
    int32_t temp_dc; // at its sensor; PW_OEBOARD_NO_PROBE: there is none
};

// What it drives.
struct pw_oeboard_drive {
    enum pw_board_cp cp;
    bool dead; // without supply: nobody drives the pilot
    int32_t duty_ppm;
    bool relay;
};

// Something that keeps the processor, and what follows.
enum pw_oeboard_doing {
    PW_OEBOARD_IDLE,
    PW_OEBOARD_WAKES,    // from reset: hears nothing at all
    PW_OEBOARD_TESTS,    // power-on self tests: the ring fills
    PW_OEBOARD_SETTLES,  // moves its lock, then takes the state it saw
    PW_OEBOARD_CLOSES,   // self test of the residual current device, then the relay
    PW_OEBOARD_CLOSED,   // the relay is closed, nobody told yet
    PW_OEBOARD_ANSWERS,  // a command that takes its time
    PW_OEBOARD_RESTARTS, //
    PW_OEBOARD_COOLS,    // displays a fault
};

struct pw_oeboard_say {
    pw_ms at;
    uint8_t len;
    char text[PW_OEBOARD_SAY_MAX];
};

// What `$AT` last said.
struct pw_oeboard_told {
    uint8_t state;
    uint8_t pilot;
    uint8_t amps;
    uint16_t vflags;
};

struct pw_oeboard {
    const struct pw_oeboard_kind *kind;
    struct pw_noise noise;
    struct pw_oeboard_eeprom eeprom;
    struct pw_oeboard_senses senses;
    // Faults of the board itself.
    bool powered;
    bool mute;           // says nothing
    bool hung;           // the program stands still: relay and pilot stay as they are
    bool garbles;        // what it says arrives as noise
    bool self_test_dead; // its self test of residual current fails at the next start
    // The program.
    uint8_t state;
    uint8_t pilot;
    uint8_t amps; // current capacity
    uint16_t vflags;
    struct pw_oeboard_told told;
    bool relay;
    enum pw_oeboard_doing doing;
    pw_ms busy_until;
    pw_ms tested_at; // its self tests at the start are over
    uint8_t wants;   // state it is about to take
    bool sees;       // `wants` counts
    pw_ms seen_at;   // then the debounce is over
    pw_ms closed_at;
    pw_ms opened_at;
    pw_ms fault_at; // PW_NEVER: no fault that is tried again
    unsigned retries;
    bool sleeping_fault; // `$FS` hid this fault
    uint8_t hidden;
    pw_ms asleep_at;  // it was told to sleep with the relay closed
    pw_ms unknown_at; // pilotstate goes to 00
    pw_ms over_at;    // over-current since
    pw_ms tripped_at; // residual current opened the relay, and the program notices then
    uint8_t heat;     // 0, or the capacity is halved so often
    bool lasting;     // a fault that only a restart ends
    pw_ms plug_at;    // the plug came or went while asleep or in a lasting fault
    bool locked;
    // Heartbeat.
    pw_ms beat_at;
    uint8_t beat_state; // 0 never missed, 2 missed, 1 missed and acknowledged
    // Session.
    uint32_t elapsed_s; // of closed intervals, whole seconds each
    uint8_t limit_quarters;
    uint8_t limit_kwh;
    double session_ws;
    int32_t mv;
    // Ammeter.
    double window_ams;
    pw_ms window_at;
    int32_t ma; // as `$GG` says
    // The line.
    uint8_t ring[PW_OEBOARD_RING_MAX];
    size_t ring_len;
    pw_ms poll_at;
    char line[PW_OEBOARD_LINE_MAX];
    size_t line_len;
    bool in_line;
    bool echo;
    struct pw_oeboard_say say[PW_OEBOARD_SAYS_MAX];
    size_t say_head, say_count;
    pw_ms say_last;
    char lcd[2][17]; // what people read, by `$FP`
    // Counted for the outside observer.
    uint32_t lost_bytes;
    uint32_t lost_says; // nobody took them in time
    uint32_t commands;
    uint32_t refused;
    uint32_t restarts;
    pw_ms now;
};

// A new board: 32 A, service level 2, all tests on, no supply. `kind` NULL: the recorded one.
void pw_oeboard_init(struct pw_oeboard *board, const struct pw_oeboard_kind *kind, uint64_t seed,
                     pw_ms now);

// The supply comes (it starts, and says so 3.3 s later) or goes.
void pw_oeboard_power(struct pw_oeboard *board, bool on, pw_ms now);

// Bytes arrive on its line at `now`. What does not fit the ring is lost.
void pw_oeboard_hear(struct pw_oeboard *board, const uint8_t *bytes, size_t len, pw_ms now);

// Senses the world as it is now and acts. Returns when it wants to run next, also to say
// something; PW_NEVER without supply.
pw_ms pw_oeboard_step(struct pw_oeboard *board, const struct pw_oeboard_senses *senses, pw_ms now);

// Bytes it says by now, at most `cap`, whole lines; 0: nothing. Call until 0 after each step.
size_t pw_oeboard_take(struct pw_oeboard *board, uint8_t *to, size_t cap, pw_ms now);

struct pw_oeboard_drive pw_oeboard_drive(const struct pw_oeboard *board);

// Somebody presses its button.
void pw_oeboard_button(struct pw_oeboard *board, bool longer, pw_ms now);

// What it offers, in milliampere; 0: nothing.
int32_t pw_oeboard_offer_ma(const struct pw_oeboard *board);

#endif

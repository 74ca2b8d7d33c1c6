// rapi: the client of an OpenEVSE board. One machine reads the board, brings it to what is wanted
// and keeps it there: after a restart of the board, after lost heartbeats, after somebody pressed
// its button. One command is outstanding at a time. Nothing a board says is believed unchecked.
// Receiving only stores; pw_rapi_step decides. No heap, no clock; about 3 KiB.
// Source: facts/ac-evse-rapi-load.md §2.1 to §2.7; reliability T25, T26, F30.
#ifndef PW_RAPI_H
#define PW_RAPI_H

#include "rapi/command.h"
#include "rapi/frame.h"

#define PW_RAPI_UNKNOWN INT32_MIN

// ---------------------------------------------------------------------------------------------
// What boards say of themselves.

//   code, name, text, how it ends, OCPP 1.6 ChargePointErrorCode, vendor error code
// clang-format off
#define PW_RAPI_STATES(X)                                                                                              \
    X(0x00, STARTING,   "starting",                               NONE,    "NoError",              "")                \
    X(0x01, A,          "no vehicle",                             NONE,    "NoError",              "")                \
    X(0x02, B,          "vehicle connected",                      NONE,    "NoError",              "")                \
    X(0x03, C,          "charging",                               NONE,    "NoError",              "")                \
    X(0x04, D,          "vehicle asks for ventilation",           UNPLUG,  "OtherError",           "PW-OE-VENT")      \
    X(0x05, DIODE,      "no diode: not a vehicle",                UNPLUG,  "EVCommunicationError", "PW-OE-DIODE")     \
    X(0x06, GFCI,       "residual current",                       SELF,    "GroundFailure",        "PW-OE-GFCI")      \
    X(0x07, NO_GROUND,  "no protective earth",                    SELF,    "GroundFailure",        "PW-OE-PE")        \
    X(0x08, STUCK,      "relay does not open",                    RESTART, "PowerSwitchFailure",   "PW-OE-WELD")      \
    X(0x09, GFI_TEST,   "residual current device fails its test", UNPLUG,  "GroundFailure",        "PW-OE-GFI-TEST")  \
    X(0x0A, OVER_TEMP,  "too hot",                                SELF,    "HighTemperature",      "PW-OE-OT")        \
    X(0x0B, OVER_CURRENT, "vehicle draws more than offered",      UNPLUG,  "OverCurrentFailure",   "PW-OE-OC")        \
    X(0x0C, PILOT,      "control pilot out of order",             RESTART, "InternalError",        "PW-OE-CP")        \
    X(0x0D, TEMP_SENSOR, "temperature sensor out of order",       RESTART, "InternalError",        "PW-OE-TEMP")      \
    X(0x0E, CLOSING,    "relay does not close",                   RESTART, "PowerSwitchFailure",   "PW-OE-CLOSE")     \
    X(0x0F, PP_SHORT,   "proximity contact shorted",              UNPLUG,  "OtherError",           "PW-OE-PP-SHORT")  \
    X(0x10, PP_MISSING, "proximity contact missing",              UNPLUG,  "OtherError",           "PW-OE-PP")        \
    X(0x11, EEPROM,     "memory of the board out of order",       RESTART, "InternalError",        "PW-OE-EEPROM")    \
    X(0xFE, SLEEPING,   "sleeping",                               NONE,    "NoError",              "")                \
    X(0xFF, DISABLED,   "disabled",                               NONE,    "NoError",              "")
// clang-format on

#define PW_RAPI_STATE_ID(code, name, text, ends, ocpp, vendor) PW_RAPI_STATE_##name = (code),
enum pw_rapi_state { PW_RAPI_STATES(PW_RAPI_STATE_ID) };
#undef PW_RAPI_STATE_ID

enum pw_rapi_ends {
    PW_RAPI_ENDS_NONE,    // it is no fault
    PW_RAPI_ENDS_SELF,    // by itself after a while, or on unplugging
    PW_RAPI_ENDS_UNPLUG,  // when the vehicle is unplugged
    PW_RAPI_ENDS_RESTART, // only by a restart of the board (pw_rapi_restart)
};

struct pw_rapi_state_row {
    uint8_t code;
    const char *name; // "GFCI"
    const char *text;
    enum pw_rapi_ends ends;
    const char *ocpp16; // "NoError" for those that are no fault
    const char *vendor;
};

// Never NULL: a code nobody knows is a fault, "PW-OE-STATE".
const struct pw_rapi_state_row *pw_rapi_state_of(uint8_t code);
// All rows in order, the unknown state's last; NULL behind it.
const struct pw_rapi_state_row *pw_rapi_state_at(unsigned index);

enum pw_rapi_vflag {
    PW_RAPI_V_HARD_FAULT = 0x0002,
    PW_RAPI_V_LIMIT_SLEEP = 0x0004, // the board sleeps by its own time or energy limit
    PW_RAPI_V_AUTH_LOCKED = 0x0008,
    PW_RAPI_V_TIME_LIMIT = 0x0010,
    PW_RAPI_V_NO_GROUND = 0x0020,
    PW_RAPI_V_RELAY = 0x0040,     // closed
    PW_RAPI_V_GFI = 0x0080,       // has tripped since boot
    PW_RAPI_V_CONNECTED = 0x0100, // a vehicle
    PW_RAPI_V_SESSION_ENDED = 0x0200,
    PW_RAPI_V_TIMER = 0x1000,
    PW_RAPI_V_CHARGE_LIMIT = 0x2000,
    PW_RAPI_V_BOOT_LOCK = 0x4000,
};

// Protections that somebody has switched off in the board ($GE); they can only be switched on from
// here.
enum pw_rapi_flag {
    PW_RAPI_F_NO_DIODE = 0x0002,
    PW_RAPI_F_NO_VENT = 0x0004,
    PW_RAPI_F_NO_GROUND = 0x0008,
    PW_RAPI_F_NO_STUCK = 0x0010,
    PW_RAPI_F_NO_GFI_TEST = 0x0200,
    PW_RAPI_F_NO_TEMP = 0x0400,
};

enum pw_rapi_heartbeat {
    PW_RAPI_HEARTBEAT_UNKNOWN,
    PW_RAPI_HEARTBEAT_NONE,   // the board has no such thing: its last limit stays when we go
    PW_RAPI_HEARTBEAT_OFF,    // it has, and it is not armed (yet)
    PW_RAPI_HEARTBEAT_ARMED,  // it falls back by itself when it hears nothing of us
    PW_RAPI_HEARTBEAT_MISSED, // it has fallen back, and is about to be called back
};

#define PW_RAPI_VERSION_MAX 16
#define PW_RAPI_EVENT_MAX   32

// What is known of the board. Numbers that have not been read are PW_RAPI_UNKNOWN (-1 for the
// 64-bit ones) and their time PW_NEVER. All is forgotten when the wire goes down or the board
// restarts; while it is merely silent the last known stays, with its time.
struct pw_rapi_view {
    bool up;         // the wire
    bool ok;         // the board answers; false before its first answer and while it is silent
    const char *why; // not ok: why, a literal; "" while ok
    char failed[4];  // the command that got no answer, "GS"; ""
    pw_ms heard_at;  // last line of the board that was in order; PW_NEVER: none

    char firmware[PW_RAPI_VERSION_MAX]; // "8.2.3"; "" unknown
    char rapi[PW_RAPI_VERSION_MAX];     // "5.2.1"
    int32_t firmware_version;           // 80203, see PW_RAPI_VERSION; PW_RAPI_UNKNOWN
    int32_t rapi_version;
    char mcu[36]; // the controller's number; "" unknown

    pw_ms state_at;      // when the next lines were last heard; PW_NEVER: not known yet
    uint8_t state;       // enum pw_rapi_state, or a code that is none
    uint8_t pilot_state; // what the vehicle last showed: also while sleeping and disabled
    uint16_t vflags;     // enum pw_rapi_vflag; 0 for boards that do not tell
    bool plugged;
    bool relay;          // closed
    bool fault;          // state is one
    bool boot_locked;    // charges nothing until told; the client does
    int64_t elapsed_s;   // charging, this session
    uint16_t flags;      // settings of the board ($GE), enum pw_rapi_flag; 0 unknown
    int32_t offered_ma;  // what it offers to a vehicle, or would if it were not asleep
    int32_t min_ma;      // least it can offer
    int32_t hardware_ma; // most it can offer, by its build
    int32_t config_ma;   // most it may offer, by its own settings: the limit never exceeds it

    pw_ms current_at;
    int32_t ma; // drawn; PW_RAPI_UNKNOWN without an ammeter
    int32_t mv; // measured, or only assumed by the board: it does not tell which
    pw_ms energy_at;
    int64_t session_ws; // of one phase: times the phases in use
    int64_t total_wh;   // the board adds a session when the vehicle leaves
    pw_ms temps_at;
    int32_t temp_dc[3]; // 0.1 °C: clock chip, board, infra-red; PW_RAPI_UNKNOWN: absent
    pw_ms trips_at;
    int32_t gfi_trips; // at most 255 each
    int32_t ground_trips;
    int32_t stuck_trips;

    enum pw_rapi_heartbeat heartbeat;
    int32_t heartbeat_s; // as the board has them
    int32_t heartbeat_ma;
    uint32_t heartbeats_missed; // times the board fell back since pw_rapi_init

    uint32_t reboots; // seen since pw_rapi_init
    uint8_t post;     // what the board's own test said then; 0: in order

    bool limit_held;  // what it offers is not more than wanted; false as long as that is not known
    bool keeps_limit; // it was told its limit, offers more all the same, and has to sleep
    bool settled;     // it is all that is wanted, as far as it can be

    char event[PW_RAPI_EVENT_MAX]; // last line it sent by itself, "$AT 03 03 16 0540"; ""
    uint32_t events;               // counts them, to see a new one

    // The last command that was answered, "SC", its answer, "$OK 16", cut at the end, and how long
    // that took; `answers` tells a new one.
    char answered[3];
    char answer[PW_RAPI_EVENT_MAX];
    int32_t answer_ms;

    uint32_t answers;  // counters since pw_rapi_init
    uint32_t refusals; // $NK
    uint32_t timeouts;
    uint32_t bad;   // lines that were none: checksum, length, words, ranges
    uint32_t stray; // answers to nothing that was outstanding
};

// ---------------------------------------------------------------------------------------------
// The client.

struct pw_rapi_config {
    int32_t timeout_ms;      // 2500 to 500000: a board is deaf for 1.3 s while its relay closes
    int32_t error_reset_ms;  // 1000 to 500000: pause after three tries, before the next
    int32_t heartbeat_s;     // 5 to 60, or 0: the board is not armed
    int32_t heartbeat_ma;    // 6000 to 80000: what it falls back to
    int32_t poll_state_ms;   // 500 to 10000
    int32_t poll_current_ms; // 500 to 500000, like the next ones
    int32_t poll_energy_ms;
    int32_t poll_capacity_ms;
    int32_t poll_cable_ms;
    int32_t
        mains_mv; // 80000 to 300000: a board without a voltmeter counts with it; 0: with its own
    int32_t idle_factor; // 1 to 1000: polls but for the state's and the cable's while none charges
};

#define PW_RAPI_CONFIG_DEFAULT                                                                     \
    ((struct pw_rapi_config){.timeout_ms = 2500,                                                   \
                             .error_reset_ms = 10000,                                              \
                             .heartbeat_s = 10,                                                    \
                             .heartbeat_ma = 6000,                                                 \
                             .poll_state_ms = 1000,                                                \
                             .poll_current_ms = 1000,                                              \
                             .poll_energy_ms = 10000,                                              \
                             .poll_capacity_ms = 200000,                                           \
                             .poll_cable_ms = 30000,                                               \
                             .idle_factor = 30})

enum pw_rapi_power {
    PW_RAPI_ENABLED,  // charges a vehicle that asks for it
    PW_RAPI_SLEEP,    // steady pilot +12 V: the vehicle stops first, then the relay opens
    PW_RAPI_DISABLED, // pilot -12 V: the relay opens at once
};

#define PW_RAPI_LCD_LINES   2
#define PW_RAPI_LCD_COLUMNS 16

struct pw_rapi_want {
    enum pw_rapi_power power;
    // Whole amperes are given, rounded down. Less than the board's least is no charging: it sleeps.
    int32_t limit_ma;
    // Printable ASCII; what is no such is shown as '?'. The board's own text comes back with
    // `false`, and as long as it has a fault to show.
    bool lcd_on;
    char lcd[PW_RAPI_LCD_LINES][PW_RAPI_LCD_COLUMNS + 1];
    // The far end has lost whoever wants this: no heartbeat any more, and the board falls back by
    // itself.
    bool let_go;
};

#define PW_RAPI_ASKS       4 // raw lines at a time, answers not fetched included
#define PW_RAPI_ANSWER_MAX PW_RAPI_LINE_MAX

#define PW_RAPI_RX_MAX 512
#define PW_RAPI_JOBS   25

enum pw_rapi_ask_state {
    PW_RAPI_ASK_QUEUED,
    PW_RAPI_ASK_SENT,
    PW_RAPI_ASK_DONE,
    PW_RAPI_ASK_FAILED,
};

// A raw line of people and its answer.
struct pw_rapi_ask {
    uint32_t ticket; // 0: free
    uint8_t state;   // enum pw_rapi_ask_state
    pw_ms at;
    char text[PW_RAPI_ANSWER_MAX + 1]; // the line, later its answer
};

// Written only by the functions below.
struct pw_rapi_client {
    struct pw_rapi_config config;
    const struct pw_log *log;
    struct pw_rapi_view view;
    struct pw_rapi_want want;
    bool wanted; // pw_rapi_want has been called

    uint8_t rx[PW_RAPI_RX_MAX];
    uint16_t rx_len;
    struct pw_rapi_reader reader;
    char tx[PW_RAPI_COMMAND_MAX + 1];
    uint8_t tx_len;

    // The outstanding command.
    char name[3]; // of it, "SC"
    uint8_t job;  // PW_RAPI_JOBS: none
    uint8_t ask;  // which of the asks, when the job is one of people
    uint8_t seq;  // the id it was sent with; 0: none
    uint8_t next_seq;
    uint8_t tries;
    uint8_t streak; // answers at the first try, in a row
    uint8_t urges;  // times the line was said again meanwhile
    uint8_t ids;    // whether the board knows sequence ids
    bool unchecked; // it makes no checksums
    bool asked_to_restart;
    int32_t sent_a; // ampere of the `$SC` under way
    int32_t slow_ms;
    pw_ms sent_at;
    pw_ms said_at;     // last
    pw_ms quiet_until; // nothing is sent before; answers that come are late ones

    pw_ms due[PW_RAPI_JOBS]; // not before; PW_NEVER: not any more
    uint32_t cannot;         // jobs that the board does not know, 1 << index
    uint8_t refused[PW_RAPI_JOBS];

    uint8_t limit_tries;
    bool unproved;     // what it offers is what it was told: it has not said so itself
    pw_ms order_pause; // between orders of power that have no effect
    bool lcd_ours;
    char lcd[PW_RAPI_LCD_LINES][PW_RAPI_LCD_COLUMNS + 1]; // as shown

    struct pw_rapi_ask asks[PW_RAPI_ASKS];
    uint32_t next_ticket;
};

// The machine begins with its wire down. `log` may be NULL. PW_ERR_RANGE with one sentence in *why
// when a number of the configuration is out of its range; the client must not be used then.
PW_MUST_USE int pw_rapi_init(struct pw_rapi_client *client, const struct pw_rapi_config *config,
                             const struct pw_log *log, pw_ms now, struct pw_out *why);
// While running. Errors as init; nothing changes then.
PW_MUST_USE int pw_rapi_configure(struct pw_rapi_client *client,
                                  const struct pw_rapi_config *config, pw_ms now,
                                  struct pw_out *why);

// The wire. Up: the board is asked for everything anew. Down: nothing is known any more; `reason`
// is a literal for view.why.
void pw_rapi_up(struct pw_rapi_client *client, pw_ms now);
void pw_rapi_down(struct pw_rapi_client *client, const char *reason, pw_ms now);

// Bytes from the board. Only stores; returns how many it took. With less than `len` a step makes
// room.
PW_MUST_USE size_t pw_rapi_bytes(struct pw_rapi_client *client, const uint8_t *at, size_t len);

// One turn: call it after bytes, after a change of what is wanted and at its deadline. Returns the
// next deadline.
pw_ms pw_rapi_step(struct pw_rapi_client *client, pw_ms now);

// Bytes to the board, and how many of them have left.
struct pw_str pw_rapi_out(const struct pw_rapi_client *client);
void pw_rapi_out_sent(struct pw_rapi_client *client, size_t len, pw_ms now);

// What shall be, from now on. Before the first call the board is only read: it keeps what it has.
// Takes effect with the next step; less current and no charging go before everything else.
void pw_rapi_want(struct pw_rapi_client *client, const struct pw_rapi_want *want);

// Restarts the board ($FR): the only way out of faults with PW_RAPI_ENDS_RESTART. It reports itself
// after 4 to 8 s. PW_ERR_BUSY while it does not answer or a restart is under way.
PW_MUST_USE int pw_rapi_restart(struct pw_rapi_client *client, pw_ms now);

// Lives as long as the client.
const struct pw_rapi_view *pw_rapi_view(const struct pw_rapi_client *client);

// A raw line of people: queued behind what matters more, sent as soon as the line is free. Errors
// as pw_rapi_command_raw, and PW_ERR_AGAIN: PW_RAPI_ASKS are waiting; PW_ERR_PEER also when the
// board does not answer at all.
PW_MUST_USE int pw_rapi_ask(struct pw_rapi_client *client, struct pw_str line, enum pw_rapi_who who,
                            pw_ms now, uint32_t *ticket, struct pw_out *why);
// The board's line, "$OK 01 0 01 0200", without id and checksum, terminated: its length. Fetched
// once; forgotten a minute after it came. PW_ERR_AGAIN: not yet; PW_ERR_PEER: the board did not
// answer; PW_ERR_UNKNOWN: no such ticket. cap: at least PW_RAPI_ANSWER_MAX + 1.
PW_MUST_USE int pw_rapi_answer(struct pw_rapi_client *client, uint32_t ticket, char *to,
                               size_t cap);

#endif

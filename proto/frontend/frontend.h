// frontend: the serial protocol between a station and the small I/O board that carries its outlet:
// a microcontroller next to the contactor, or the simulator. doc/frontend.md has every byte.
//
// A frame is COBS-coded and ends in a zero byte, which stands nowhere else: whoever has lost the
// thread finds it again at the next zero. Inside: kind, sequence number, body, CRC-16.
// Both sides are here, pure: a codec, a reader fed byte by byte, and a small machine for each end.
//
// Up:   HELLO when asked and after its own start; SENSES every PW_FRONTEND_SENSES_MS and at once on
//       a pilot edge; BLOCK as sampled, from boards that leave the arithmetic to us; MAINS about
//       every 200 ms, from boards that do not.
// Down: ASK until a HELLO came; DRIVE on change and every PW_FRONTEND_DRIVE_MS.
// Sources: facts/ac-evse-rapi-load.md §1, core/board/board.h.
#ifndef PW_FRONTEND_H
#define PW_FRONTEND_H

#include "base/base.h"
#include "board/board.h"

#define PW_FRONTEND_VERSION   1
#define PW_FRONTEND_BODY_MAX  780 // a block of 64 samples of six channels
#define PW_FRONTEND_FRAME_MAX (PW_FRONTEND_BODY_MAX + 4 + 4 + 1) // coded, with its zero
#define PW_FRONTEND_NAME_MAX  16

#define PW_FRONTEND_SENSES_MS 5   // the longest a healthy board is silent
#define PW_FRONTEND_DRIVE_MS  100 // the longest a healthy station is silent
#define PW_FRONTEND_ASK_MS    250 // between questions for a HELLO
#define PW_FRONTEND_REPEAT_MS 20  // without its echo a DRIVE counts as lost and goes again
#define PW_FRONTEND_LOST_MS   200 // silence after which the station takes the board for lost

enum pw_frontend_kind {
    PW_FRONTEND_HELLO = 0x01,
    PW_FRONTEND_SENSES = 0x02,
    PW_FRONTEND_BLOCK = 0x03,
    PW_FRONTEND_MAINS = 0x04,
    PW_FRONTEND_ASK = 0x81,
    PW_FRONTEND_DRIVE = 0x82,
};

// What a board has. A sense it lacks is UNKNOWN or NONE in every SENSES.
#define PW_FRONTEND_HAS_CONTACT     0x0001U // feedback of the contactor
#define PW_FRONTEND_HAS_LOAD        0x0002U // voltage behind the contactor
#define PW_FRONTEND_HAS_LOCK        0x0004U
#define PW_FRONTEND_HAS_RCD         0x0008U
#define PW_FRONTEND_HAS_RCD_TEST    0x0010U
#define PW_FRONTEND_HAS_EARTH       0x0020U
#define PW_FRONTEND_HAS_ESTOP       0x0040U
#define PW_FRONTEND_HAS_PP          0x0080U
#define PW_FRONTEND_HAS_TEMP0       0x0100U
#define PW_FRONTEND_HAS_TEMP1       0x0200U
#define PW_FRONTEND_HAS_BLOCKS      0x0400U // raw blocks; pilot and proximity are in them too
#define PW_FRONTEND_HAS_MAINS       0x0800U // ready-made mains values
#define PW_FRONTEND_HAS_VENTILATION 0x1000U
#define PW_FRONTEND_HAS_LAMP        0x2000U
#define PW_FRONTEND_HAS_BUZZER      0x4000U
#define PW_FRONTEND_HAS_ALL         0x7FFFU

struct pw_frontend_hello {
    uint8_t version;      // PW_FRONTEND_VERSION
    uint8_t phases;       // 1 or 3: wired through the contactor
    uint16_t has;         // PW_FRONTEND_HAS_*; unknown bits are ignored
    uint16_t step_ppm;    // of the PWM, 1..10000
    uint16_t watchdog_ms; // silence after which it opens by itself, 1..PW_BOARD_SILENCE_MS
    uint16_t rate_hz;     // of blocks, 1000..16000; 0 without blocks
    char name[PW_FRONTEND_NAME_MAX + 1]; // printable ASCII, for logs
};

struct pw_frontend_senses {
    // `at` travels as an age, so clocks need not agree. `mains` does not travel here.
    struct pw_board_senses senses;
    uint8_t drive_seq; // sequence number of the last DRIVE that the board took
};

struct pw_frontend_message {
    enum pw_frontend_kind kind;
    uint8_t seq; // counts every frame of one direction, wrapping
    union {
        struct pw_frontend_hello hello;
        struct pw_frontend_senses senses;
        struct pw_board_block block;
        struct pw_board_mains mains;
        struct pw_board_drive drive;
        uint8_t version; // ASK: the station's
    };
};

// What a HELLO means to the station.
struct pw_board_traits pw_frontend_traits(const struct pw_frontend_hello *hello);

// ---------------------------------------------------------------------------------------------
// The codec.

// CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF; 0x29B1 for "123456789".
uint16_t pw_frontend_crc(const uint8_t *bytes, size_t len);

// Codes *message as one frame with its zero; returns the number of bytes. Ages are taken against
// `now`. Values that do not fit their field are our own mistake, except that what is beyond a
// field's range travels as its limit. `to` has PW_FRONTEND_FRAME_MAX bytes.
size_t pw_frontend_put(const struct pw_frontend_message *message, pw_ms now, uint8_t *to);

// Reads one frame without its zero, decoding it where it stands. PW_ERR_PEER for wrong coding,
// length, CRC, kind or a value that cannot be. A HELLO of another version is read as far as every
// version has it: version alone.
PW_MUST_USE int pw_frontend_get(uint8_t *frame, size_t len, pw_ms now,
                                struct pw_frontend_message *message);

// The reader of a stream. Start from {0}.
struct pw_frontend_reader {
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    uint16_t len;
    bool too_long;                      // skip to the next zero
    uint32_t bad;                       // frames that were none
    struct pw_frontend_message message; // the last whole one
};

// One byte in; true when it completed reader->message.
bool pw_frontend_feed(struct pw_frontend_reader *reader, uint8_t byte, pw_ms now);

// ---------------------------------------------------------------------------------------------
// The station's end.

enum pw_frontend_state {
    PW_FRONTEND_ASKING,  // nothing of worth heard yet, or again
    PW_FRONTEND_UP,      // HELLO understood: senses count
    PW_FRONTEND_REFUSED, // HELLO that we cannot work with: nothing it says counts
};

// What one byte brought.
enum pw_frontend_event {
    PW_FRONTEND_NOTHING,
    PW_FRONTEND_STATE_NEW,  // look at `state` and `why`
    PW_FRONTEND_SENSES_NEW, // look at `senses`
    PW_FRONTEND_BLOCK_NEW,  // look at `block`
};

struct pw_frontend_host {
    enum pw_frontend_state state;
    const char *why; // of the state, a constant text
    struct pw_frontend_hello hello;
    struct pw_board_senses senses; // with the last mains values in it
    struct pw_board_block block;
    uint32_t missed; // frames that the sequence numbers say are gone
    struct pw_frontend_reader reader;
    struct pw_board_drive drive;
    bool drive_due;
    uint8_t drive_seq; // of the last DRIVE sent
    bool heard_any;    // a sequence number to count from
    uint8_t heard_seq;
    uint8_t seq;
    pw_ms heard_at; // last whole frame
    pw_ms sent_at;
    struct pw_frontend_message out; // being coded
};

// Begins with ASKING; `drive` is off until it is set, and again after each HELLO.
void pw_frontend_host_init(struct pw_frontend_host *host, pw_ms now);

enum pw_frontend_event pw_frontend_host_feed(struct pw_frontend_host *host, uint8_t byte,
                                             pw_ms now);

// What the board shall do from now on; goes out with the next put when it is another, or the board
// has not taken it.
void pw_frontend_host_drive(struct pw_frontend_host *host, const struct pw_board_drive *drive);

// Writes the frame that is due now, if any, and returns its bytes; 0: nothing due. Call until 0.
// Notices the silence of a board too: *event is STATE_NEW then.
size_t pw_frontend_host_put(struct pw_frontend_host *host, pw_ms now, uint8_t *to,
                            enum pw_frontend_event *event);

// When put must be called next.
pw_ms pw_frontend_host_deadline(const struct pw_frontend_host *host);

// ---------------------------------------------------------------------------------------------
// The board's end.

struct pw_frontend_board {
    struct pw_frontend_hello hello;
    struct pw_frontend_reader reader;
    struct pw_board_drive drive; // as heard last
    uint8_t drive_seq;
    pw_ms drive_at; // PW_NEVER: none heard yet
    bool barred;    // the watchdog has opened, and no DRIVE with the contactor open came since
    bool hello_due;
    uint8_t seq;
    struct pw_frontend_message out; // being coded
};

void pw_frontend_board_init(struct pw_frontend_board *board, const struct pw_frontend_hello *hello);

// True when it completed a DRIVE.
bool pw_frontend_board_feed(struct pw_frontend_board *board, uint8_t byte, pw_ms now);

// What the board shall do at `now`: the last DRIVE, or pilot F and contactor open when none came
// for watchdog_ms. The lock stays as it was: nobody may pull a plug because a cable broke. Once it
// has opened, the contactor stays open until a DRIVE says so too: a station that was stopped for a
// moment repeats an old wish, and has tested nothing before it.
struct pw_board_drive pw_frontend_board_drive(const struct pw_frontend_board *board, pw_ms now);

// When the watchdog will strike; PW_NEVER when it has.
pw_ms pw_frontend_board_deadline(const struct pw_frontend_board *board, pw_ms now);

// Frames up, each with its zero; they return the number of bytes. `to` has PW_FRONTEND_FRAME_MAX.
// hello gives 0 when none is due: call it before each of the others.
size_t pw_frontend_board_hello(struct pw_frontend_board *board, pw_ms now, uint8_t *to);
size_t pw_frontend_board_senses(struct pw_frontend_board *board,
                                const struct pw_board_senses *senses, pw_ms now, uint8_t *to);
size_t pw_frontend_board_block(struct pw_frontend_board *board, const struct pw_board_block *block,
                               pw_ms now, uint8_t *to);
size_t pw_frontend_board_mains(struct pw_frontend_board *board, const struct pw_board_mains *mains,
                               pw_ms now, uint8_t *to);

#endif

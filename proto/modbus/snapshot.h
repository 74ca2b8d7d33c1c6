// snapshot: having a meter sign a reading, request by request. One at a time: set its clock, say
// whom the transaction belongs to, read its public key (each where it is wanted), order a snapshot,
// look until it is there, read its text. Pure: the line (port/linux/modbus) moves the registers,
// and decides how often a request that was not answered is made again. Source: Bauer BSM-WS36A
// Modbus register overview and its examples "snapshots", "ocmf", "time" (SunSpec models 64900,
// 64901, 64903).
#ifndef PW_MODBUS_SNAPSHOT_H
#define PW_MODBUS_SNAPSHOT_H

#include "modbus/modbus.h"
#include "signing/signing.h"

#define PW_MODBUS_WRITE_MAX     123 // registers in one write, by the protocol
#define PW_MODBUS_CLOCK_EVERY_H 24  // oftener wears the meter's memory out, says its maker

// A snapshot's state, as its register says it.
enum { PW_SNAPSHOT_VALID, PW_SNAPSHOT_INVALID, PW_SNAPSHOT_UPDATING, PW_SNAPSHOT_FAILED };

// Where a meter that signs has what. Addresses count from 0; all are holding registers.
struct pw_modbus_signer {
    const char *map;      // its name in maps.def
    uint16_t clock;       // seconds since 1970 of local time (2), offset in minutes (1)
    uint16_t user;        // whom the transaction belongs to: text
    uint16_t user_words;  //
    uint16_t place;       // the charge point: text
    uint16_t place_words; //
    uint16_t key_len;     // bytes of the public key; it follows at once, DER
    uint16_t key_words;   //
    uint16_t text_words;  // of a data set, zero behind its end
    uint16_t status[3];   // of a snapshot, by enum pw_signed_moment; writing UPDATING orders one
    uint16_t text[3];     // its data set
    uint16_t end;         // behind the last register of all
};

// NULL: meters of this map do not sign.
const struct pw_modbus_signer *pw_modbus_signer_of(const struct pw_modbus_map *map);

enum pw_snapshot_stage {
    PW_STAGE_CLOCK,
    PW_STAGE_USER,
    PW_STAGE_PLACE,
    PW_STAGE_KEY,
    PW_STAGE_ORDER,
    PW_STAGE_LOOK,
    PW_STAGE_TEXT,
    PW_STAGE_DONE,
};

// Written only by the functions below.
struct pw_modbus_snapshot {
    const struct pw_modbus_signer *signer;
    struct pw_signed_request request;
    enum pw_snapshot_stage stage;
    uint16_t read; // registers of the text that are there
    struct pw_signed_reading reading;
};

// One exchange of registers.
struct pw_modbus_exchange {
    bool write;
    bool look; // the meter is being waited for: pause before it
    uint16_t address;
    uint16_t words;
    uint16_t word[PW_MODBUS_WORDS_MAX]; // to write, or what was read
};

// `set_clock`: the request's wall time goes to the meter (if it is known). `key`: the reading with
// the public key as it is known already, or NULL to read it.
void pw_modbus_snapshot_begin(struct pw_modbus_snapshot *snapshot,
                              const struct pw_modbus_signer *signer,
                              const struct pw_signed_request *request, bool set_clock,
                              const struct pw_signed_reading *key);
// What to exchange now; the same again until it was answered. False when all is done: `reading`
// holds the data set, or with PW_SIGNED_KEY the key alone.
bool pw_modbus_snapshot_next(const struct pw_modbus_snapshot *snapshot,
                             struct pw_modbus_exchange *exchange);
// It was answered. PW_ERR_PEER when the meter says that it cannot, or what it says cannot be, with
// a few words in *why: it is over then.
PW_MUST_USE int pw_modbus_snapshot_answer(struct pw_modbus_snapshot *snapshot,
                                          const struct pw_modbus_exchange *exchange,
                                          struct pw_out *why);

// Text in registers, two characters in each, as SunSpec writes it. For both sides.
void pw_modbus_put_text(uint16_t *word, size_t words, struct pw_str text);
// The text up to its first zero, or all of it. Writes at most 2 * words bytes, not terminated.
size_t pw_modbus_get_text(const uint16_t *word, size_t words, char *to);

#endif

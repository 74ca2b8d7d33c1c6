// modbus: what the registers of an energy meter mean. The maps are rows (modbus/maps.def); one
// interpreter plans the reads, several registers at a time, and turns the answers into mains
// readings. Pure: it makes no frames, that is the line's (port/linux/modbus) and libmodbus's part.
// Source: Modbus Application Protocol V1.1b3 §6.3, §6.4; the makers' register lists.
#ifndef PW_MODBUS_H
#define PW_MODBUS_H

#include "base/base.h"
#include "board/board.h"

#define PW_MODBUS_WORDS_MAX 125 // registers in one request, by the protocol
#define PW_MODBUS_UNIT_MAX  247

enum pw_modbus_table { PW_MODBUS_INPUT = 4, PW_MODBUS_HOLDING = 3 }; // also the function code

// How a number is written, most significant register first unless it says otherwise. The largest
// number of an integer form (0xFFFF, 0x7FFFFFFF ...) and a NaN say "no such value".
enum pw_modbus_form {
    PW_MODBUS_F32,
    PW_MODBUS_U16,
    PW_MODBUS_S16,
    PW_MODBUS_U32,
    PW_MODBUS_S32,
    PW_MODBUS_S32_LOW_FIRST,
    PW_MODBUS_U64,
    PW_MODBUS_SUN16, // SunSpec int16: 0x8000 says "no such value"
};

enum pw_modbus_value {
    PW_MODBUS_MV_L1,
    PW_MODBUS_MV_L2,
    PW_MODBUS_MV_L3,
    PW_MODBUS_MA_L1,
    PW_MODBUS_MA_L2,
    PW_MODBUS_MA_L3,
    PW_MODBUS_MW_L1,
    PW_MODBUS_MW_L2,
    PW_MODBUS_MW_L3,
    PW_MODBUS_MHZ,
    PW_MODBUS_IMPORT_MWH,
};

struct pw_modbus_row {
    enum pw_modbus_table table;
    uint16_t address;
    enum pw_modbus_form form;
    enum pw_modbus_value value;
    uint32_t factor;
    uint16_t scale;  // address of a register that holds a power of ten (SunSpec); 0: none
    int8_t exponent; // what a simulated meter shows there
};

struct pw_modbus_map {
    const char *name; // as in a url
    const char *text; // for people
    uint8_t words;    // most registers in one request
    uint8_t gap;      // most registers without a row inside one
    uint8_t rows;
    const struct pw_modbus_row *row; // addresses rise
};

// The register behind a map's last one that is read.
unsigned pw_modbus_end(const struct pw_modbus_map *map);
// Registers that a form takes: 1, 2 or 4.
unsigned pw_modbus_words(enum pw_modbus_form form);

// All maps, in the order of the table; NULL behind the last one.
const struct pw_modbus_map *pw_modbus_map_at(unsigned index);
// NULL: there is no such map.
const struct pw_modbus_map *pw_modbus_map_of(struct pw_str name);

struct pw_modbus_request {
    enum pw_modbus_table table;
    uint16_t address;
    uint16_t words;
};

// Reading one meter once. Written only by the functions below.
struct pw_modbus_reader {
    const struct pw_modbus_map *map;
    uint8_t row;  // first of the rows that are asked for now
    uint8_t rows; // how many
    struct pw_board_mains mains;
};

// Begins with nothing known; mains.at is PW_NEVER and the caller's to set when the cycle is over.
void pw_modbus_begin(struct pw_modbus_reader *reader, const struct pw_modbus_map *map);

// What to read next; false when everything has been asked for. Every call moves on, so a request
// whose answer does not come simply leaves its values unknown.
bool pw_modbus_next(struct pw_modbus_reader *reader, struct pw_modbus_request *request);

// The answer to the request of the last pw_modbus_next. PW_ERR_PEER (and nothing taken) when it is
// not as many registers as were asked for. A current's sign is dropped, a number too large for its
// field is the largest there, which no plausibility check lets pass; a register below zero is none.
PW_MUST_USE int pw_modbus_answer(struct pw_modbus_reader *reader, const uint16_t *words,
                                 size_t count);

// The other side, for simulated meters: the value of a row as its registers hold it. Writes
// pw_modbus_words(row->form) registers, scaled by row->exponent; UNKNOWN (and import_mwh -1) as the
// form's "no such value".
void pw_modbus_put(const struct pw_modbus_row *row, const struct pw_board_mains *mains,
                   uint16_t *words);

#endif

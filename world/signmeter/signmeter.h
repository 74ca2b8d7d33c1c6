// signmeter: the part of an energy meter that signs, as a Bauer BSM-WS36A shows it on Modbus: a
// snapshot is ordered by writing its status register, takes its time, and lies there as OCMF text
// with a signature. Pure: the registers are the owner's, and so is signing (a callback), so that no
// key is ever in here. Which registers: modbus/snapshot.h.
#ifndef PW_WORLD_SIGNMETER_H
#define PW_WORLD_SIGNMETER_H

#include "base/base.h"
#include "modbus/snapshot.h"

#define PW_SIGNMETER_LATENCY_MS 400 // a snapshot's time; the maker allows 15 s

// Who has the key.
struct pw_signmeter_signer {
    void *context;
    const char *algorithm; // as OCMF names it
    // Signs a text; the length of the signature (at most PW_OCMF_SIGNATURE_MAX), 0: it could not.
    size_t (*sign)(void *context, struct pw_str text, uint8_t *signature, size_t cap);
    uint8_t key[PW_SIGNED_KEY_MAX]; // the public one, DER
    size_t key_len;
};

// The registers others read and write. `peek` and `fill` return false for what is not there.
struct pw_signmeter_registers {
    void *context;
    bool (*peek)(void *context, uint16_t address, uint16_t *word, size_t words);
    bool (*fill)(void *context, uint16_t address, const uint16_t *word, size_t words);
};

enum pw_signmeter_fault {
    PW_SIGNMETER_SIGNS,
    PW_SIGNMETER_FAILS,  // every snapshot fails
    PW_SIGNMETER_HANGS,  // every snapshot stays "updating"
    PW_SIGNMETER_FORGES, // the data sets say 1 kWh more than what was signed
};

struct pw_signmeter {
    const struct pw_modbus_signer *map;
    struct pw_signmeter_signer signer;
    struct pw_signmeter_registers registers;
    enum pw_signmeter_fault fault;
    uint32_t latency_ms;
    uint32_t page;    // of the last data set
    int64_t clock_ms; // its clock: wall minus `now`; 0: never set
    bool clock_set;
    pw_ms due[3];       // when a snapshot that was ordered is there; PW_NEVER: none
    int64_t energy_mwh; // of its register
};

// Fills the registers: the key is there, no snapshot is. Both structures are copied.
void pw_signmeter_init(struct pw_signmeter *meter, const struct pw_modbus_signer *map,
                       const struct pw_signmeter_signer *signer,
                       const struct pw_signmeter_registers *registers);
// Takes what was ordered and set since, finishes what is due. Returns when the next is due.
pw_ms pw_signmeter_step(struct pw_signmeter *meter, int64_t energy_mwh, pw_ms now);
// "signing ok|fails|hangs|forges|WAIT_MS". PW_ERR_UNKNOWN when the line is another's.
PW_MUST_USE int pw_signmeter_run(struct pw_signmeter *meter, struct pw_str line,
                                 struct pw_out *answer);
void pw_signmeter_help(struct pw_out *out);

#endif

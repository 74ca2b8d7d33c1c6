// ocmf: the Open Charge Metering Format: "OCMF|{what was measured}|{signature}". The reader takes a
// data set apart without touching what is signed: `payload` is the very bytes the meter signed, and
// verifying is the caller's (OpenSSL's) part. The writer is for simulated meters. Pure, no heap.
// Source: SAFE e.V., OCMF 1.4.1, sections "Sections", tables 1-8, 10, 19, 22.
#ifndef PW_OCMF_H
#define PW_OCMF_H

#include "base/base.h"
#include "json/json.h"

#define PW_OCMF_TEXT_MAX      4000 // bytes of a data set that is read
#define PW_OCMF_READINGS_MAX  8    // readings in one
#define PW_OCMF_NODES_MAX     288  // JSON values in one section: eight readings with all fields
#define PW_OCMF_SPARE_MAX     1024 // bytes of strings with escapes
#define PW_OCMF_SIGNATURE_MAX 160  // bytes of a signature; ECDSA with P-384 has 104 at most
#define PW_OCMF_OBIS_ENERGY   "01-00:01.08.00*FF" // what our meters sign: total import

// Signature algorithms: what "SA" says. Ed25519 is ours: OCMF 1.4 has ECDSA only.
#define PW_OCMF_P256    "ECDSA-secp256r1-SHA256" // the default without "SA"
#define PW_OCMF_ED25519 "Ed25519"

struct pw_ocmf_reading {
    pw_unix_ms at;
    char synchronised;  // of its clock: U unknown, I informative, S synchronised, R relative
    char transaction;   // B begin, C in between, E (L R A P) end, S suspended, T tariff; 0: none
    char quantity[24];  // its OBIS number, "RI"; "" when it has none
    bool has_energy;    // the value is an energy, in kWh or Wh
    int64_t energy_mwh; // exact: OCMF writes decimals
    char status;        // of the meter; G is good
};

// What a begin and an end have measured between them: the first begin and the last end with the
// same quantity, in one data set or in two (`end` NULL: both are in `begin`). PW_ERR_UNKNOWN when
// there is no such pair; PW_ERR_RANGE when the register went back.
struct pw_ocmf;
PW_MUST_USE int pw_ocmf_energy(const struct pw_ocmf *begin, const struct pw_ocmf *end,
                               int64_t *energy_mwh);

// Views lie in the text that was read, or in this structure.
struct pw_ocmf {
    struct pw_str payload;   // what is signed
    struct pw_str algorithm; // "SA", or its default
    bool named;              // "SA" was there
    uint8_t signature[PW_OCMF_SIGNATURE_MAX];
    size_t signature_len;
    char serial[64]; // of the meter, or of the gateway; "" when it names neither
    char user[64];   // "ID"
    char context;    // pagination: T transaction, F fiscal
    uint32_t page;
    unsigned readings;
    struct pw_ocmf_reading reading[PW_OCMF_READINGS_MAX];
    // While it is being read.
    struct pw_json_node node[PW_OCMF_NODES_MAX];
    char spare[PW_OCMF_SPARE_MAX];
};

// PW_ERR_PEER with what is wrong in *why when the text is no data set that could be verified;
// PW_ERR_LIMIT when it is longer or has more readings than fit here. Which fields a reading leaves
// out, because the one before has them, are filled in.
PW_MUST_USE int pw_ocmf_read(struct pw_str text, struct pw_ocmf *ocmf, struct pw_out *why);

// What a simulated meter says of one moment.
struct pw_ocmf_set {
    const char *vendor;
    const char *model;
    const char *serial;
    const char *firmware;
    const char *user;   // "": nobody
    const char *place;  // "": not named
    uint32_t page;      // counts up by one with each data set
    char transaction;   // as in the reading
    pw_unix_ms wall;    // 0: its clock was never set
    int32_t offset_min; // of its local time
    int64_t energy_mwh;
};

// The payload: the bytes to sign. A "|" in a text leaves as "/": the format has no way to keep it.
void pw_ocmf_put_payload(struct pw_out *out, const struct pw_ocmf_set *set);
// The whole data set around a payload and its signature.
void pw_ocmf_put(struct pw_out *out, struct pw_str payload, const char *algorithm,
                 const uint8_t *signature, size_t len);

#endif

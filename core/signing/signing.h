// signing: the contract between the station and a meter that signs its readings. The meter makes a
// data set (OCMF: text with a signature) at the station's request; the station only carries it,
// word for word, to the central system. Nothing here is secret: the private key never leaves the
// meter. Sources: OCA Signed Meter Values 1.0 §2.3, §3.2; Open Charge Metering Format 1.4.
#ifndef PW_SIGNING_H
#define PW_SIGNING_H

#include "base/base.h"

#define PW_SIGNED_TEXT_MAX 1500 // bytes of a data set; 2,000 in base64, 2,500 is OCPP's most
#define PW_SIGNED_KEY_MAX  128  // bytes of a public key, DER SubjectPublicKeyInfo; P-384 has 120
#define PW_SIGNED_ID_MAX   64   // bytes of what names user and charge point in a data set

// What the meter is asked to sign.
enum pw_signed_moment {
    PW_SIGNED_BEGIN,   // a transaction begins, no energy flows yet
    PW_SIGNED_END,     // it has ended, no energy flows any more
    PW_SIGNED_CURRENT, // in between
    PW_SIGNED_KEY,     // nothing: only its public key is wanted
};

// How a data set is written: encodingMethod of OCPP's SignedMeterValueType.
enum pw_signed_encoding { PW_SIGNED_OCMF };

// A data set as the meter gave it, and the key it can be verified with (none: key_len 0).
struct pw_signed_reading {
    enum pw_signed_encoding encoding;
    uint16_t len;
    char text[PW_SIGNED_TEXT_MAX]; // not terminated
    uint8_t key_len;
    uint8_t key[PW_SIGNED_KEY_MAX];
};

// What the station asks of a meter.
struct pw_signed_request {
    uint32_t ticket; // names it in the answer; later ones are larger, and an earlier one is void
    enum pw_signed_moment moment;
    char user[PW_SIGNED_ID_MAX];  // whom the transaction belongs to: its idTag
    char place[PW_SIGNED_ID_MAX]; // charge point and connector, as OCMF's CBIDC: "station 1"
    pw_unix_ms wall;              // what the meter's clock should show; 0: not known
    pw_ms wait_ms;                // an answer that takes longer is of no use
};

#endif

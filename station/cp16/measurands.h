// measurands: what the station measures, in OCPP's words. One row a quantity; a measurand may have
// several (phases). ConnectorPhaseRotation says how phases of the outlet and of the grid go
// together.
#ifndef PW_CP16_MEASURANDS_H
#define PW_CP16_MEASURANDS_H

#include "cp16/cp16.h"

#define PW_CP16_VALUES_MAX (PW_QUANTITIES + 2) // quantities and the seed's two forms

// The texts a MeterValue points to while it is encoded.
struct pw_cp16_meter_value {
    struct pw_ocpp16_sampled_value values[PW_CP16_VALUES_MAX];
    char text[PW_CP16_VALUES_MAX][24];
    struct pw_ocpp16_meter_value meter_value;
};

#define PW_CP16_LIST_MAX 16 // measurands in a list: the *MaxLength keys

// The quantities of a list of measurands ("Voltage,SoC"), of one phase each where that is named
// ("Voltage.L1", OCPP 1.6 §9.1.17). PW_ERR_RANGE with the first unknown one in *why, or for too
// many.
PW_MUST_USE int pw_cp16_measurands(struct pw_str list, uint32_t *quantities, struct pw_out *why);

// Fills *to from a sample: the quantities in the mask, and battery Ah and BMS Imax as measurands of
// their own when `seed`. False when that leaves nothing to say. *to must stay where it is until it
// has been encoded.
PW_MUST_USE bool pw_cp16_fill(struct pw_cp16_meter_value *to, const struct pw_sample *sample,
                              uint32_t quantities, bool seed, pw_unix_ms at);

// OCPP's word for why a reading was taken.
enum pw_ocpp16_reading_context pw_cp16_context(enum pw_reading reading);

// Adds the signed reading that a sample names, as a value of format SignedData (signed.c); its text
// lies in cp->signed_text, so one is printed before the next is filled. `with_key`: it carries the
// meter's public key. False when the sample names none. After pw_cp16_fill, whatever that said.
bool pw_cp16_fill_signed(struct pw_cp16 *cp, struct pw_cp16_meter_value *to,
                         const struct pw_sample *sample, bool with_key);
// Whether the value of StartTxnSampledData, with these quantities, is signed.
bool pw_cp16_start_is_signed(const struct pw_cp16 *cp, uint32_t quantities);
// What PublicKeyWithSignedMeterValue says of a value in MeterValues.
bool pw_cp16_key_in_every_value(const struct pw_cp16 *cp);
// ... and of the first signed value in StopTransaction.
bool pw_cp16_key_in_stop(const struct pw_cp16 *cp);
// The content of publicKey and MeterPublicKey: "oca:base16:asn1:<hex>" in base64; nothing without a
// key.
void pw_cp16_put_public_key(struct pw_out *out, const uint8_t *key, size_t len);

#endif

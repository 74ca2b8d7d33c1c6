// signature: public keys of meters, and whether they fit a data set. OpenSSL judges.
#ifndef PW_APP_PILOTWIRE_SIGNATURE_H
#define PW_APP_PILOTWIRE_SIGNATURE_H

#include "ocmf/ocmf.h"

#define METER_KEY_MAX 600 // bytes of a public key, DER; RSA is not among OCMF's, and would not fit

struct meter_key {
    uint8_t der[METER_KEY_MAX];
    size_t len;
};

// Reads a key in any of the forms it is written in: hexadecimal as printed on a meter (spaces and
// what is no digit are skipped), "oca:base16:asn1:..." or its base64 as OCPP carries it, PEM. Only
// what is a public key counts. PW_ERR_PEER with a sentence in *why for anything else.
PW_MUST_USE int meter_key_read(struct meter_key *key, struct pw_str text, struct pw_out *why);
bool meter_key_same(const struct meter_key *a, const struct meter_key *b);

// Whether the meter with this key signed the payload of `ocmf`. False with a few words in *why.
bool signature_fits(const struct pw_ocmf *ocmf, const struct meter_key *key, struct pw_out *why);

#endif

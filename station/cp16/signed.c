// Signed meter values: a data set of the meter as OCPP 1.6 carries it, a sampled value of format
// SignedData whose value is the JSON of SignedMeterValueType.
// Source: OCA Signed Meter Values 1.0 §3.2.1, §3.2.2, §3.3.2.
#include "cp16/measurands.h"

#include <string.h>

enum { ONCE, NEVER, EVERY }; // the words of PublicKeyWithSignedMeterValue, in their order

static const char *const encodings[] = {[PW_SIGNED_OCMF] = "OCMF"};

bool pw_cp16_key_in_every_value(const struct pw_cp16 *cp)
{
    return pw_settings_int(cp->settings, PW_SET_PUBLIC_KEY) == EVERY;
}

// OncePerTransaction means here: it is certain to arrive, whatever else was lost or not wanted.
bool pw_cp16_key_in_stop(const struct pw_cp16 *cp)
{
    return pw_settings_int(cp->settings, PW_SET_PUBLIC_KEY) != NEVER;
}

bool pw_cp16_start_is_signed(const struct pw_cp16 *cp, uint32_t quantities)
{
    return (quantities >> PW_ENERGY_WH & 1U) != 0 &&
           pw_settings_int(cp->settings, PW_SET_SIGN_SAMPLED) != 0 &&
           pw_settings_int(cp->settings, PW_SET_SIGN_STARTED) != 0;
}

void pw_cp16_put_public_key(struct pw_out *out, const uint8_t *key, size_t len)
{
    char text[16 + 2 * PW_SIGNED_KEY_MAX + 1];
    struct pw_out plain = PW_OUT(text);
    if (len == 0) {
        return;
    }
    pw_put_s(&plain, "oca:base16:asn1:");
    for (size_t i = 0; i < len; i++) {
        pw_put_hex(&plain, key[i], 2);
    }
    pw_put_base64(out, text, plain.len);
}

// An OCMF data set whose signature section names its method needs no other; one that does not was
// made with OCMF's default.
static const char *method_of(const struct pw_signed_reading *reading)
{
    static const char name[] = "\"SA\"";
    for (size_t i = reading->len; i >= sizeof(name) && reading->text[i - 1] != '|'; i--) {
        if (memcmp(&reading->text[i - sizeof(name)], name, sizeof(name) - 1) == 0) {
            return "";
        }
    }
    return "ECDSA-secp256r1-SHA256";
}

static void put_value(struct pw_out *out, const struct pw_signed_reading *reading, bool with_key)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_put_s(out, "{\"signedMeterData\":\"");
    pw_put_base64(out, reading->text, reading->len);
    pw_put_s(out, "\"");
    json.comma = true;
    pw_json_say_s(&json, "signingMethod", method_of(reading));
    pw_json_say_s(&json, "encodingMethod", encodings[reading->encoding]);
    pw_put_s(out, ",\"publicKey\":\"");
    pw_cp16_put_public_key(out, reading->key, with_key ? reading->key_len : 0);
    pw_put_s(out, "\"}");
}

bool pw_cp16_fill_signed(struct pw_cp16 *cp, struct pw_cp16_meter_value *to,
                         const struct pw_sample *sample, bool with_key)
{
    struct pw_signed_reading reading;
    if (pw_journal_signed(cp->journal, sample, &reading) != PW_OK) {
        return false;
    }
    struct pw_out out = PW_OUT(cp->signed_text);
    put_value(&out, &reading, with_key);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    uint32_t at = to->meter_value.sampled_value.count++;
    PW_ASSERT(at < PW_CP16_VALUES_MAX);
    to->values[at] = (struct pw_ocpp16_sampled_value){
        .has = PW_OCPP16_HAS(sampled_value, context) | PW_OCPP16_HAS(sampled_value, format) |
               PW_OCPP16_HAS(sampled_value, measurand) | PW_OCPP16_HAS(sampled_value, location) |
               PW_OCPP16_HAS(sampled_value, unit),
        .value = pw_out_str(&out),
        .context.code = (int16_t)pw_cp16_context(sample->reading),
        .format.code = PW_OCPP16_FORMAT_SIGNED_DATA,
        .measurand.code = PW_OCPP16_MEASURAND_ENERGY_ACTIVE_IMPORT_REGISTER,
        .location.code = PW_OCPP16_LOCATION_OUTLET,
        .unit.code = PW_OCPP16_UNIT_WH,
    };
    return true;
}

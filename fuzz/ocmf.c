// Target functions: pw_ocmf_read, pw_ocmf_energy. Input: a data set. Whatever it says, what is
// signed lies inside it, and what is read of it stays in its fields.
#include "ocmf/ocmf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_ocmf ocmf;
    char text[100];
    struct pw_out why = PW_OUT(text);
    int64_t energy_mwh = -1;
    struct pw_str whole = {.at = (const char *)data, .len = size};
    if (pw_ocmf_read(whole, &ocmf, &why) != PW_OK) {
        PW_ASSERT(why.len > 0);
        return 0;
    }
    PW_ASSERT(ocmf.payload.at >= whole.at &&
              ocmf.payload.at + ocmf.payload.len <= whole.at + whole.len);
    PW_ASSERT(ocmf.readings > 0 && ocmf.readings <= PW_OCMF_READINGS_MAX);
    PW_ASSERT(ocmf.signature_len > 0 && ocmf.signature_len <= sizeof(ocmf.signature));
    PW_ASSERT(pw_ocmf_energy(&ocmf, NULL, &energy_mwh) != PW_OK || energy_mwh >= 0);
    return 0;
}

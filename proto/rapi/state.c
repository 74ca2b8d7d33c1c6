// What a board's states mean.
#include "rapi/rapi.h"

#define ROW(code_, name_, text_, ends_, ocpp_, vendor_)                                            \
    {.code = (code_),                                                                              \
     .name = #name_,                                                                               \
     .text = (text_),                                                                              \
     .ends = PW_RAPI_ENDS_##ends_,                                                                 \
     .ocpp16 = (ocpp_),                                                                            \
     .vendor = (vendor_)},

// A state nobody knows may be anything: it counts as a fault.
static const struct pw_rapi_state_row rows[] = {
    PW_RAPI_STATES(ROW){.code = 0x12,
                        .name = "UNKNOWN",
                        .text = "a state that is not known",
                        .ends = PW_RAPI_ENDS_SELF,
                        .ocpp16 = "OtherError",
                        .vendor = "PW-OE-STATE"}};

const struct pw_rapi_state_row *pw_rapi_state_at(unsigned index)
{
    return index < PW_COUNT(rows) ? &rows[index] : NULL;
}

const struct pw_rapi_state_row *pw_rapi_state_of(uint8_t code)
{
    for (unsigned i = 0; i + 1 < PW_COUNT(rows); i++) {
        if (rows[i].code == code) {
            return &rows[i];
        }
    }
    return &rows[PW_COUNT(rows) - 1];
}

// Target function: nm_guests_take. Two reads of the same bytes, as of a list that goes on.
#include "base/base.h"
#include "netman/guests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nm_guests guests = {.family = 0};
    if (size > 8192) {
        return 0;
    }
    bool whole = nm_guests_take(&guests, data, size);
    int16_t first = guests.stations;
    PW_ASSERT(first >= 0 && first <= 8192 / 16);
    PW_ASSERT(!guests.failed || guests.over);
    if (whole && !guests.over) {
        PW_ASSERT(nm_guests_take(&guests, data, size));
        PW_ASSERT(guests.stations == 2 * first);
    }
    return 0;
}

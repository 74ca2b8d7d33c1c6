// Target functions: pw_mcast_unpack, pw_mcast_pack.
// What is read must be packed and read again as the same.
#include "can/mcast.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_mcast_datagram read;
    struct pw_mcast_datagram again;
    uint8_t packed[PW_MCAST_MAX];
    if (pw_mcast_unpack(data, size, &read) != PW_OK) {
        return 0;
    }
    int len = pw_mcast_pack(&read, 0, packed);
    PW_ASSERT(len > 0);
    PW_ASSERT(pw_mcast_unpack(packed, (size_t)len, &again) == PW_OK);
    PW_ASSERT(again.is_error == read.is_error && again.error.classes == read.error.classes);
    PW_ASSERT(again.frame.id == read.frame.id && again.frame.len == read.frame.len);
    PW_ASSERT(memcmp(again.frame.data, read.frame.data, sizeof(read.frame.data)) == 0);
    return 0;
}

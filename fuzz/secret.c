// Target functions: pw_secret_read, pw_device_file_read.
// Any bytes: the parts of what is taken lie within them, and make the same bytes again.
#include "secret/secret.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct pw_str whole, struct pw_str part)
{
    PW_ASSERT(part.at >= whole.at && part.len <= whole.len &&
              part.at + part.len <= whole.at + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_str all = {.at = (const char *)data, .len = size};
    struct pw_secret_blob blob;
    struct pw_device_file file;
    if (pw_secret_read(all, &blob) == PW_OK) {
        const struct pw_str parts[] = {blob.head, blob.nonce, blob.value, blob.tag};
        size_t len = 0;
        for (size_t i = 0; i < PW_COUNT(parts); i++) {
            within(all, parts[i]);
            PW_ASSERT(parts[i].at == all.at + len);
            len += parts[i].len;
        }
        within(blob.head, blob.key);
        PW_ASSERT(len == size);
    }
    if (pw_device_file_read(all, &file) == PW_OK) {
        char again[PW_DEVICE_FILE_MAX];
        within(all, file.payload);
        int len = pw_device_file_write(&file, again, sizeof(again));
        PW_ASSERT(len == (int)size && memcmp(again, data, size) == 0);
    }
    return 0;
}

// Records of station/files as a damaged store has them, and URLs as a central system sends them:
// whatever is taken packs to what it was, and what is shown has no password.
#include "files/parts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look_at_url(struct pw_str url)
{
    char text[2 * PW_TRANSFER_URL_MAX + PW_TRANSFER_NAME_MAX + 3];
    struct pw_out out = PW_OUT(text);
    if (url.len > PW_TRANSFER_URL_MAX) {
        return;
    }
    pw_transfer_put_url(&out, url);
    if (pw_transfer_scheme(url) != NULL) {
        size_t host = pw_str_starts(pw_out_str(&out), "http") ? 7 : 6;
        const char *path = memchr(text + host, '/', out.len - host);
        size_t end = path == NULL ? out.len : (size_t)(path - text);
        PW_ASSERT(memchr(text, '@', end) == NULL && memchr(text, '?', out.len) == NULL);
    }
    out = PW_OUT(text);
    pw_transfer_put_target(&out, url, PW_STR("name.txt"));
    PW_ASSERT(!out.full);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct pw_upload upload;
    static struct pw_update update;
    uint8_t record[PW_FILES_RECORD_MAX];
    if (pw_upload_unpack(&upload, data, len) == PW_OK) {
        PW_ASSERT(pw_upload_pack(&upload, record) == len);
    }
    if (pw_update_unpack(&update, data, len) == PW_OK) {
        PW_ASSERT(pw_update_pack(&update, record) == len);
    }
    look_at_url((struct pw_str){.at = (const char *)data, .len = len});
    return 0;
}

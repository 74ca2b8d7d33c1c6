// Target functions: pw_seclog_open, pw_seclog_read, pw_seclog_check_step; and
// pw_security_check_url. Any bytes as head and record of the log; whatever is taken is printed
// within its bounds.
#include "seclog/seclog.h"

#include "security/security.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pw_str head;
static struct pw_str record_bytes;

static int get(void *context, struct pw_str key, char *to, size_t cap)
{
    (void)context;
    struct pw_str bytes = pw_str_is(key, "sec/h") ? head : record_bytes;
    if (bytes.len == 0 || bytes.len > cap) {
        return bytes.len == 0 ? PW_ERR_UNKNOWN : PW_ERR_LIMIT;
    }
    memcpy(to, bytes.at, bytes.len);
    return (int)bytes.len;
}

static int64_t write(void *context, const struct pw_store_change *changes, size_t count)
{
    (void)context;
    (void)changes;
    (void)count;
    return 1;
}

static int64_t durable(void *context)
{
    (void)context;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD_LEN = 45 };
    const struct pw_store store = {.get = get, .write = write, .durable = durable};
    struct pw_seclog seclog;
    struct pw_seclog_record record;
    struct pw_seclog_check check;
    char text[PW_SECLOG_LINE_MAX + 1];
    struct pw_out out = PW_OUT(text);
    struct pw_str all = {.at = (const char *)data, .len = size};
    head = (struct pw_str){.at = all.at, .len = size < HEAD_LEN ? size : HEAD_LEN};
    record_bytes = (struct pw_str){.at = all.at + head.len, .len = size - head.len};
    pw_seclog_open(&seclog, &store, NULL);
    if (pw_seclog_read(&seclog, seclog.newest, &record) == PW_OK) {
        pw_seclog_put(&out, &record);
        PW_ASSERT(!out.full);
    }
    if (pw_seclog_untold(&seclog, &record) == PW_OK) {
        pw_seclog_said(&seclog, record.number);
    }
    pw_seclog_check_begin(&seclog, &check);
    (void)pw_seclog_check_step(&seclog, &check, 3);
    out = PW_OUT(text);
    PW_ASSERT((pw_security_check_url(all, &out) == PW_OK) == (out.len == 0));
    return 0;
}

// The records of an upload and of an update: version, then fields one behind the other, numbers
// big-endian, texts with their length in front.
#include "files/parts.h"

#include <string.h>

enum { VERSION = 1 };

// ---------------------------------------------------------------------------------------------
// Writing. The longest record has 740 bytes.

struct writer {
    uint8_t *at;
    size_t len;
};

static struct writer write_to(uint8_t *to)
{
    *to = VERSION;
    return (struct writer){.at = to, .len = 1};
}

static void put(struct writer *w, uint64_t value, unsigned bytes)
{
    PW_ASSERT(w->len + bytes <= PW_FILES_RECORD_MAX);
    for (unsigned i = bytes; i > 0; i--) {
        w->at[w->len++] = (uint8_t)(value >> (8 * (i - 1)));
    }
}

static void put_bytes(struct writer *w, const void *from, size_t len)
{
    PW_ASSERT(w->len + len <= PW_FILES_RECORD_MAX);
    memcpy(w->at + w->len, from, len);
    w->len += len;
}

static void put_text(struct writer *w, const char *text)
{
    size_t len = strlen(text);
    put(w, len, 2);
    put_bytes(w, text, len);
}

static void put_notices(struct writer *w, const struct pw_files_notices *notices)
{
    put(w, notices->count, 1);
    for (unsigned i = 0; i < notices->count; i++) {
        put(w, notices->at[i].status, 1);
        put(w, notices->at[i].numbered, 1);
        put(w, (uint32_t)notices->at[i].request_id, 4);
    }
}

size_t pw_upload_pack(const struct pw_upload *upload, uint8_t *to)
{
    struct writer w = write_to(to);
    put(&w, upload->stage, 1);
    put(&w, upload->status, 1);
    put(&w, upload->kind, 1);
    put(&w, upload->numbered, 1);
    put(&w, (uint32_t)upload->request_id, 4);
    put(&w, upload->retries, 2);
    put(&w, upload->retry_s, 4);
    put(&w, (uint64_t)upload->from, 8);
    put(&w, (uint64_t)upload->to, 8);
    put_text(&w, upload->url);
    put_text(&w, upload->name);
    put_notices(&w, &upload->notices);
    return w.len;
}

size_t pw_update_pack(const struct pw_update *update, uint8_t *to)
{
    struct writer w = write_to(to);
    put(&w, update->stage, 1);
    put(&w, update->status, 1);
    put(&w, update->numbered, 1);
    put(&w, (uint32_t)update->request_id, 4);
    put(&w, update->retries, 2);
    put(&w, update->retry_s, 4);
    put(&w, update->resume, 1);
    put(&w, (uint64_t)update->retrieve_at, 8);
    put(&w, (uint64_t)update->install_at, 8);
    put_bytes(&w, update->sha256, sizeof(update->sha256));
    put(&w, update->bytes, 8);
    put(&w, (uint8_t)update->slot, 1);
    put(&w, update->starts, 1);
    put_text(&w, update->url);
    put_notices(&w, &update->notices);
    return w.len;
}

// ---------------------------------------------------------------------------------------------
// Reading. The first thing that cannot be makes `bad`; what is read then is zero.

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static uint64_t take(struct reader *r, unsigned bytes, uint64_t most)
{
    uint64_t value = 0;
    if (r->bad || r->left < bytes) {
        r->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | r->at[i];
    }
    r->at += bytes;
    r->left -= bytes;
    r->bad = value > most;
    return r->bad ? 0 : value;
}

static void take_bytes(struct reader *r, void *to, size_t len)
{
    if (r->bad || r->left < len) {
        r->bad = true;
        return;
    }
    memcpy(to, r->at, len);
    r->at += len;
    r->left -= len;
}

static void take_text(struct reader *r, char *to, size_t cap)
{
    size_t len = (size_t)take(r, 2, cap - 1);
    take_bytes(r, to, len);
    to[r->bad ? 0 : len] = '\0';
    if (strlen(to) != (r->bad ? 0 : len)) {
        r->bad = true;
    }
}

static pw_unix_ms take_time(struct reader *r)
{
    return (pw_unix_ms)take(r, 8, INT64_MAX);
}

static void take_notices(struct reader *r, struct pw_files_notices *notices, unsigned rows)
{
    notices->count = (uint8_t)take(r, 1, PW_FILES_NOTICES_MAX);
    for (unsigned i = 0; i < notices->count; i++) {
        notices->at[i].status = (uint8_t)take(r, 1, rows - 1);
        notices->at[i].numbered = take(r, 1, 1) != 0;
        notices->at[i].request_id = (int32_t)(uint32_t)take(r, 4, UINT32_MAX);
    }
}

static int finish(const struct reader *r)
{
    return r->bad || r->left > 0 ? PW_ERR_PEER : PW_OK;
}

int pw_upload_unpack(struct pw_upload *upload, const uint8_t *from, size_t len)
{
    struct reader r = {.at = from, .left = len};
    memset(upload, 0, sizeof(*upload));
    (void)take(&r, 1, VERSION);
    upload->stage = (enum pw_upload_stage)take(&r, 1, PW_UPLOAD_RUNS);
    upload->status = (enum pw_upload_status)take(&r, 1, PW_UPLOAD_STATUS_ROWS - 1);
    upload->kind = (enum pw_upload_kind)take(&r, 1, PW_UPLOAD_SECURITY);
    upload->numbered = take(&r, 1, 1) != 0;
    upload->request_id = (int32_t)(uint32_t)take(&r, 4, UINT32_MAX);
    upload->retries = (uint16_t)take(&r, 2, PW_FILES_RETRIES_MAX);
    upload->retry_s = (uint32_t)take(&r, 4, PW_FILES_RETRY_S_MAX);
    upload->from = take_time(&r);
    upload->to = take_time(&r);
    take_text(&r, upload->url, sizeof(upload->url));
    take_text(&r, upload->name, sizeof(upload->name));
    take_notices(&r, &upload->notices, PW_UPLOAD_STATUS_ROWS);
    return finish(&r);
}

int pw_update_unpack(struct pw_update *update, const uint8_t *from, size_t len)
{
    struct reader r = {.at = from, .left = len};
    memset(update, 0, sizeof(*update));
    (void)take(&r, 1, VERSION);
    update->stage = (enum pw_update_stage)take(&r, 1, PW_UPDATE_RESTARTS);
    update->status = (enum pw_update_status)take(&r, 1, PW_UPDATE_STATUS_ROWS - 1);
    update->numbered = take(&r, 1, 1) != 0;
    update->request_id = (int32_t)(uint32_t)take(&r, 4, UINT32_MAX);
    update->retries = (uint16_t)take(&r, 2, PW_FILES_RETRIES_MAX);
    update->retry_s = (uint32_t)take(&r, 4, PW_FILES_RETRY_S_MAX);
    update->resume = take(&r, 1, 1) != 0;
    update->retrieve_at = take_time(&r);
    update->install_at = take_time(&r);
    take_bytes(&r, update->sha256, sizeof(update->sha256));
    update->bytes = take(&r, 8, UINT64_MAX);
    update->slot = (char)take(&r, 1, 'b');
    update->starts = (uint8_t)take(&r, 1, UINT8_MAX);
    take_text(&r, update->url, sizeof(update->url));
    take_notices(&r, &update->notices, PW_UPDATE_STATUS_ROWS);
    return finish(&r);
}

// The records of an upload and of an update: version, then fields one behind the other, numbers
// big-endian, texts with their length in front.
#include "files/parts.h"

#include <string.h>

enum { VERSION = 1 };

// ---------------------------------------------------------------------------------------------
// Writing. The longest record has 940 bytes.

static struct pw_bin_out pack_to(uint8_t *to)
{
    *to = VERSION;
    return (struct pw_bin_out){.at = to, .cap = PW_FILES_RECORD_MAX, .len = 1};
}

static size_t packed(const struct pw_bin_out *pack)
{
    PW_ASSERT(!pack->bad);
    return pack->len;
}

static void put_notices(struct pw_bin_out *w, const struct pw_files_notices *notices)
{
    pw_bin_put(w, notices->count, 1);
    for (unsigned i = 0; i < notices->count; i++) {
        pw_bin_put(w, notices->at[i].status, 1);
        pw_bin_put(w, notices->at[i].numbered, 1);
        pw_bin_put(w, (uint32_t)notices->at[i].request_id, 4);
    }
}

size_t pw_upload_pack(const struct pw_upload *upload, uint8_t *to)
{
    struct pw_bin_out w = pack_to(to);
    pw_bin_put(&w, upload->stage, 1);
    pw_bin_put(&w, upload->status, 1);
    pw_bin_put(&w, upload->kind, 1);
    pw_bin_put(&w, upload->numbered, 1);
    pw_bin_put(&w, (uint32_t)upload->request_id, 4);
    pw_bin_put(&w, upload->retries, 2);
    pw_bin_put(&w, upload->retry_s, 4);
    pw_bin_put(&w, (uint64_t)upload->from, 8);
    pw_bin_put(&w, (uint64_t)upload->to, 8);
    pw_bin_put_text(&w, upload->url, 2);
    pw_bin_put_text(&w, upload->name, 2);
    put_notices(&w, &upload->notices);
    return packed(&w);
}

enum { FORCE = 1, NOW = 2, NEWER = 4, COMMITTED = 8, HASHED = 16, REACHED = 32, FLAGS = 63 };

static uint8_t flags_of(const struct pw_update *update)
{
    return (uint8_t)((update->force ? FORCE : 0) | (update->now ? NOW : 0) |
                     (update->newer ? NEWER : 0) | (update->committed ? COMMITTED : 0) |
                     (update->hashed ? HASHED : 0) | (update->reached ? REACHED : 0));
}

static void set_flags(struct pw_update *update, unsigned flags)
{
    update->force = (flags & FORCE) != 0;
    update->now = (flags & NOW) != 0;
    update->newer = (flags & NEWER) != 0;
    update->committed = (flags & COMMITTED) != 0;
    update->hashed = (flags & HASHED) != 0;
    update->reached = (flags & REACHED) != 0;
}

size_t pw_update_pack(const struct pw_update *update, uint8_t *to)
{
    struct pw_bin_out w = pack_to(to);
    pw_bin_put(&w, update->stage, 1);
    pw_bin_put(&w, update->status, 1);
    pw_bin_put(&w, update->numbered, 1);
    pw_bin_put(&w, (uint32_t)update->request_id, 4);
    pw_bin_put(&w, update->retries, 2);
    pw_bin_put(&w, update->retry_s, 4);
    pw_bin_put(&w, update->resume, 1);
    pw_bin_put(&w, (uint64_t)update->retrieve_at, 8);
    pw_bin_put(&w, (uint64_t)update->install_at, 8);
    pw_bin_put_bytes(&w, update->sha256, sizeof(update->sha256));
    pw_bin_put(&w, update->size, 8);
    pw_bin_put(&w, (uint8_t)update->slot, 1);
    pw_bin_put(&w, update->starts, 1);
    pw_bin_put_text(&w, update->url, 2);
    pw_bin_put(&w, update->by, 1);
    pw_bin_put(&w, flags_of(update), 1);
    pw_bin_put(&w, update->usable, 4);
    pw_bin_put(&w, (uint64_t)update->ended_at, 8);
    pw_bin_put_text(&w, update->version, 2);
    pw_bin_put_text(&w, update->why, 2);
    put_notices(&w, &update->notices);
    return packed(&w);
}

// ---------------------------------------------------------------------------------------------
// Reading. The first thing that cannot be makes `bad`; what is read then is zero.

static uint64_t take(struct pw_bin_in *r, unsigned bytes, uint64_t most)
{
    uint64_t value = pw_bin_get(r, bytes);
    r->bad = r->bad || value > most;
    return r->bad ? 0 : value;
}

static void take_text(struct pw_bin_in *r, char *to, size_t cap)
{
    size_t before = r->left;
    pw_bin_get_text(r, to, cap, 2);
    // A NUL inside would make another text of it.
    r->bad = r->bad || before - r->left != 2 + strlen(to);
}

static pw_unix_ms take_time(struct pw_bin_in *r)
{
    return (pw_unix_ms)take(r, 8, INT64_MAX);
}

static void take_notices(struct pw_bin_in *r, struct pw_files_notices *notices, unsigned rows)
{
    notices->count = (uint8_t)take(r, 1, PW_FILES_NOTICES_MAX);
    for (unsigned i = 0; i < notices->count; i++) {
        notices->at[i].status = (uint8_t)take(r, 1, rows - 1);
        notices->at[i].numbered = take(r, 1, 1) != 0;
        notices->at[i].request_id = (int32_t)(uint32_t)take(r, 4, UINT32_MAX);
    }
}

int pw_upload_unpack(struct pw_upload *upload, const uint8_t *from, size_t len)
{
    struct pw_bin_in r = {.at = from, .left = len};
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
    return pw_bin_end(&r) ? PW_OK : PW_ERR_PEER;
}

int pw_update_unpack(struct pw_update *update, const uint8_t *from, size_t len)
{
    struct pw_bin_in r = {.at = from, .left = len};
    memset(update, 0, sizeof(*update));
    (void)take(&r, 1, VERSION);
    update->stage = (enum pw_update_stage)take(&r, 1, PW_UPDATE_RETURNS);
    update->status = (enum pw_update_status)take(&r, 1, PW_UPDATE_STATUS_ROWS - 1);
    update->numbered = take(&r, 1, 1) != 0;
    update->request_id = (int32_t)(uint32_t)take(&r, 4, UINT32_MAX);
    update->retries = (uint16_t)take(&r, 2, PW_FILES_RETRIES_MAX);
    update->retry_s = (uint32_t)take(&r, 4, PW_FILES_RETRY_S_MAX);
    update->resume = take(&r, 1, 1) != 0;
    update->retrieve_at = take_time(&r);
    update->install_at = take_time(&r);
    pw_bin_get_bytes(&r, update->sha256, sizeof(update->sha256));
    update->size = take(&r, 8, UINT64_MAX);
    update->slot = (char)take(&r, 1, 'b');
    update->starts = (uint8_t)take(&r, 1, UINT8_MAX);
    take_text(&r, update->url, sizeof(update->url));
    update->by = (enum pw_update_asker)take(&r, 1, PW_UPDATE_ASKER_ROWS - 1);
    set_flags(update, (unsigned)take(&r, 1, FLAGS));
    update->usable = (uint32_t)take(&r, 4, UINT32_MAX);
    update->ended_at = take_time(&r);
    take_text(&r, update->version, sizeof(update->version));
    take_text(&r, update->why, sizeof(update->why));
    take_notices(&r, &update->notices, PW_UPDATE_STATUS_ROWS);
    return pw_bin_end(&r) ? PW_OK : PW_ERR_PEER;
}

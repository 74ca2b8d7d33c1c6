#include "simfiles.h"

#include <stdlib.h>
#include <string.h>

static void end_with(struct pw_transfer_state *state, enum pw_transfer_end end, const char *why)
{
    struct pw_out out = PW_OUT(state->why);
    state->end = end;
    pw_put_s(&out, why);
}

static int begin(void *context, enum pw_transfer_lane lane, const struct pw_transfer_job *job,
                 struct pw_out *why)
{
    struct pw_sim_files *files = context;
    struct pw_out url = PW_OUT(files->url[lane]);
    if (pw_transfer_scheme(job->url) == NULL) {
        pw_put_s(why, "the location must be a URL of http, https, ftp or ftps");
        return PW_ERR_RANGE;
    }
    pw_put(&url, job->url);
    files->begun[lane]++;
    files->state[lane] = (struct pw_transfer_state){.end = PW_TRANSFER_RUNNING};
    if (lane == PW_TRANSFER_UP) {
        struct pw_out name = PW_OUT(files->name);
        pw_put(&name, job->name);
        files->taken_len = 0;
        files->given = false;
        return PW_OK;
    }
    files->have = job->resume ? files->have : 0;
    files->resumed_at = files->have;
    return PW_OK;
}

static size_t give(void *context, struct pw_str bytes)
{
    struct pw_sim_files *files = context;
    size_t len = bytes.len < files->step ? bytes.len : files->step;
    if (files->state[PW_TRANSFER_UP].end != PW_TRANSFER_RUNNING) {
        return 0;
    }
    PW_ASSERT(files->taken_len + len <= PW_SIM_FILES_MAX);
    memcpy(files->taken + files->taken_len, bytes.at, len);
    files->taken_len += len;
    return len;
}

static void given(void *context)
{
    struct pw_sim_files *files = context;
    files->given = true;
}

static void move(struct pw_sim_files *files)
{
    struct pw_transfer_state *down = &files->state[PW_TRANSFER_DOWN];
    struct pw_sha256 hash;
    size_t left = files->file_len - files->have;
    files->have += left < files->step ? left : files->step;
    down->bytes = files->have;
    down->total = files->file_len;
    if (files->have == files->file_len) {
        down->end = PW_TRANSFER_DONE;
        pw_sha256_begin(&hash);
        pw_sha256_add(&hash, files->file, files->file_len);
        pw_sha256_end(&hash, down->sha256);
    }
}

static void look(void *context, enum pw_transfer_lane lane, struct pw_transfer_state *to)
{
    struct pw_sim_files *files = context;
    struct pw_transfer_state *state = &files->state[lane];
    size_t moved = lane == PW_TRANSFER_UP ? files->taken_len : files->have;
    if (state->end == PW_TRANSFER_RUNNING && files->failures > 0 && moved >= files->fail_at) {
        files->failures--;
        end_with(state, files->fails, "as the test says");
    } else if (state->end == PW_TRANSFER_RUNNING && lane == PW_TRANSFER_UP) {
        state->bytes = files->taken_len;
        state->end = files->given ? PW_TRANSFER_DONE : PW_TRANSFER_RUNNING;
    } else if (state->end == PW_TRANSFER_RUNNING && files->file == NULL) {
        end_with(state, PW_TRANSFER_MISSING, "there is no such file");
    } else if (state->end == PW_TRANSFER_RUNNING) {
        move(files);
    }
    *to = *state;
}

static void end(void *context, enum pw_transfer_lane lane)
{
    struct pw_sim_files *files = context;
    files->state[lane].end = PW_TRANSFER_IDLE;
}

static void forget(void *context)
{
    struct pw_sim_files *files = context;
    files->have = 0;
}

// ---------------------------------------------------------------------------------------------
// The slots.

static int install_begin(void *context, const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why)
{
    struct pw_sim_files *files = context;
    if (files->unwilling) {
        pw_put_s(why, "there are no slots");
        return PW_ERR_UNKNOWN;
    }
    memcpy(files->wanted, sha256, PW_SHA256_LEN);
    files->slot_writes++;
    files->slots.phase = PW_INSTALL_WRITING;
    files->slots.slot = files->slots.running == 'a' ? 'b' : 'a';
    files->slots.bytes = 0;
    files->slots.altered = false;
    return PW_OK;
}

static void fail(struct pw_sim_files *files, bool altered, const char *why)
{
    struct pw_out out = PW_OUT(files->slots.why);
    pw_put_s(&out, why);
    files->slots.altered = altered;
    files->slots.phase = PW_INSTALL_FAILED;
}

static void write_some(struct pw_sim_files *files)
{
    uint8_t digest[PW_SHA256_LEN];
    struct pw_sha256 hash;
    files->slots.bytes += files->step;
    if (files->writing_fails) {
        fail(files, false, "no room is left");
    } else if (files->slots.bytes >= files->have) {
        pw_sha256_begin(&hash);
        pw_sha256_add(&hash, files->file, files->have);
        pw_sha256_end(&hash, digest);
        files->slots.phase = PW_INSTALL_READY;
        if (files->alters || memcmp(digest, files->wanted, sizeof(digest)) != 0) {
            fail(files, true, "what was written is not what was downloaded");
        }
    }
}

static void install_look(void *context, struct pw_install_state *state)
{
    struct pw_sim_files *files = context;
    if (files->slots.phase == PW_INSTALL_WRITING) {
        write_some(files);
    } else if (files->slots.phase == PW_INSTALL_SWITCHING) {
        files->slots.phase = PW_INSTALL_SWITCHED;
        files->slots.current = files->slots.slot;
    }
    files->slots.able = !files->unwilling;
    *state = files->slots;
}

static void activate(void *context)
{
    struct pw_sim_files *files = context;
    PW_ASSERT(files->slots.phase == PW_INSTALL_READY);
    files->slots.phase = PW_INSTALL_SWITCHING;
}

static void install_end(void *context)
{
    struct pw_sim_files *files = context;
    files->slots.phase = PW_INSTALL_IDLE;
}

// ---------------------------------------------------------------------------------------------

void pw_sim_files_init(struct pw_sim_files *files)
{
    memset(files, 0, sizeof(*files));
    files->taken = malloc(PW_SIM_FILES_MAX);
    PW_ASSERT(files->taken != NULL);
    files->step = 4096;
    files->slots.running = 'a';
    files->slots.current = 'a';
    files->transfer = (struct pw_transfer){.context = files,
                                           .begin = begin,
                                           .give = give,
                                           .given = given,
                                           .state = look,
                                           .end = end,
                                           .forget = forget};
    files->install = (struct pw_install){.context = files,
                                         .begin = install_begin,
                                         .activate = activate,
                                         .state = install_look,
                                         .end = install_end};
}

void pw_sim_files_start(struct pw_sim_files *files)
{
    memset(files->state, 0, sizeof(files->state));
    files->slots.phase = PW_INSTALL_IDLE;
    files->slots.slot = 0;
    files->slots.running = files->wrong_start ? files->slots.running : files->slots.current;
}

void pw_sim_files_free(struct pw_sim_files *files)
{
    free(files->taken);
}

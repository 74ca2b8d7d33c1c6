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
    bool handed_in = lane == PW_TRANSFER_DOWN && job->url.len == 0;
    if (!handed_in && pw_transfer_scheme(job->url) == NULL) {
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
    files->most = job->first_bytes > 0 ? (size_t)job->first_bytes : PW_SIM_FILES_MAX;
    files->total = handed_in ? job->total : 0;
    files->state[lane].bytes = files->have;
    files->state[lane].total = files->total;
    return PW_OK;
}

static void hash(struct pw_sim_files *files)
{
    struct pw_sha256 sum;
    pw_sha256_begin(&sum);
    pw_sha256_add(&sum, files->part, files->have);
    pw_sha256_end(&sum, files->state[PW_TRANSFER_DOWN].sha256);
}

static int deliver(void *context, uint64_t offset, struct pw_str bytes)
{
    struct pw_sim_files *files = context;
    struct pw_transfer_state *down = &files->state[PW_TRANSFER_DOWN];
    if (files->total == 0 || down->end != PW_TRANSFER_RUNNING) {
        return PW_ERR_BUSY;
    }
    if (offset > files->have || offset + bytes.len > files->total ||
        files->total > PW_SIM_FILES_MAX) {
        return PW_ERR_RANGE;
    }
    if (offset + bytes.len > files->have) {
        memcpy(files->part + offset, bytes.at, bytes.len);
        files->have = (size_t)offset + bytes.len;
        down->bytes = files->have;
    }
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
    if (files->total == 0) {
        size_t left = files->file_len - files->have;
        size_t len = left < files->step ? left : files->step;
        len = files->have >= files->most        ? 0
              : len > files->most - files->have ? files->most - files->have
                                                : len;
        memcpy(files->part + files->have, files->file + files->have, len);
        files->have += len;
        down->total = files->file_len;
    }
    down->bytes = files->have;
    if (files->total > 0 ? files->have == files->total
                         : files->have == files->file_len || files->have >= files->most) {
        down->end = PW_TRANSFER_DONE;
        hash(files);
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
    } else if (state->end == PW_TRANSFER_RUNNING && files->total == 0 && files->file == NULL) {
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

static unsigned index_of(char slot)
{
    return slot == 'b' ? 1 : 0;
}

static int peek(void *context, uint64_t offset, uint8_t *to, size_t len)
{
    struct pw_sim_files *files = context;
    if (offset > files->have || len > files->have - offset) {
        return PW_ERR_STORE;
    }
    memcpy(to, files->part + offset, len);
    return PW_OK;
}

static int install_write(void *context, struct pw_str head, const struct pw_release *release,
                         struct pw_out *why)
{
    struct pw_sim_files *files = context;
    (void)head;
    if (files->unwilling) {
        pw_put_s(why, "there are no slots");
        return PW_ERR_UNKNOWN;
    }
    files->slot_writes++;
    files->slots.phase = PW_INSTALL_WRITING;
    files->slots.slot = files->slots.running == 'a' ? 'b' : 'a';
    files->slots.bytes = 0;
    files->slots.total = release->file_size;
    files->slots.altered = false;
    files->slots.returned[0] = '\0';
    memcpy(files->version[index_of(files->slots.slot)], release->version, PW_RELEASE_VERSION_MAX);
    files->counter[index_of(files->slots.slot)] = release->security_counter;
    return PW_OK;
}

static void fail(struct pw_sim_files *files, bool altered, const char *why)
{
    struct pw_out out = PW_OUT(files->slots.why);
    pw_put_s(&out, why);
    files->slots.altered = altered;
    files->slots.phase = PW_INSTALL_FAILED;
}

static void install_look(void *context, struct pw_install_state *state)
{
    struct pw_sim_files *files = context;
    if (files->slots.phase == PW_INSTALL_WRITING) {
        files->slots.bytes += files->step;
        if (files->writing_fails) {
            fail(files, false, "no room is left");
        } else if (files->slots.bytes >= files->slots.total) {
            files->slots.phase = PW_INSTALL_READY;
            if (files->alters) {
                fail(files, true, "what was written is not what was downloaded");
            }
        }
    } else if (files->slots.phase == PW_INSTALL_SWITCHING) {
        files->slots.phase = PW_INSTALL_SWITCHED;
        if (files->switching_fails) {
            fail(files, true, "what lies in the slot has changed");
        } else {
            files->slots.current = files->slots.slot;
            files->slots.tries = 3;
        }
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

static int confirm(void *context)
{
    struct pw_sim_files *files = context;
    PW_ASSERT(files->slots.trial);
    uint32_t counter = files->counter[index_of(files->slots.running)];
    files->confirmed++;
    files->slots.trial = false;
    files->confirmed_slot = files->slots.running;
    files->slots.counter = counter > files->slots.counter ? counter : files->slots.counter;
    return PW_OK;
}

static void give_up(struct pw_sim_files *files, const char *why)
{
    struct pw_out out = PW_OUT(files->slots.returned_why);
    pw_put_s(&out, why);
    memcpy(files->slots.returned, files->version[index_of(files->slots.current)],
           PW_RELEASE_VERSION_MAX);
    files->slots.current = files->confirmed_slot;
}

static int reject(void *context, const char *why)
{
    struct pw_sim_files *files = context;
    PW_ASSERT(files->slots.trial);
    files->rejected++;
    if (files->reject_fails) {
        return PW_ERR_STORE;
    }
    give_up(files, why);
    return PW_OK;
}

static int root(void *context, uint8_t *to, size_t cap)
{
    struct pw_sim_files *files = context;
    if (files->root_len == 0) {
        return PW_ERR_UNKNOWN;
    }
    if (files->root_len > cap) {
        return PW_ERR_LIMIT;
    }
    memcpy(to, files->root, files->root_len);
    return (int)files->root_len;
}

static int follow(void *context, struct pw_str head)
{
    struct pw_sim_files *files = context;
    (void)head;
    files->followed++;
    return PW_OK;
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
    files->part = malloc(PW_SIM_FILES_MAX);
    PW_ASSERT(files->taken != NULL && files->part != NULL);
    files->step = 4096;
    files->slots.running = 'a';
    files->slots.current = 'a';
    files->confirmed_slot = 'a';
    struct pw_out version = PW_OUT(files->version[0]);
    struct pw_out ran = PW_OUT(files->ran);
    pw_put_s(&version, PW_SIM_FILES_VERSION);
    pw_put_s(&ran, PW_SIM_FILES_VERSION);
    files->transfer = (struct pw_transfer){.context = files,
                                           .begin = begin,
                                           .give = give,
                                           .given = given,
                                           .state = look,
                                           .deliver = deliver,
                                           .end = end,
                                           .forget = forget};
    files->install = (struct pw_install){.context = files,
                                         .peek = peek,
                                         .write = install_write,
                                         .activate = activate,
                                         .confirm = confirm,
                                         .reject = reject,
                                         .root = root,
                                         .follow = follow,
                                         .state = install_look,
                                         .end = install_end};
}

// As whoever starts programs does: a program on trial has three starts.
void pw_sim_files_start(struct pw_sim_files *files)
{
    memset(files->state, 0, sizeof(files->state));
    files->slots.phase = PW_INSTALL_IDLE;
    files->slots.slot = 0;
    files->slots.worn = false;
    if (files->slots.current != files->confirmed_slot) {
        if (files->uncounted && files->slots.tries == 0) {
            files->slots.worn = true;
        } else if (files->wrong_start || files->slots.tries == 0) {
            give_up(files, "it was started three times and did not stay");
        } else {
            files->slots.tries--;
        }
    }
    files->slots.running = files->slots.current;
    files->slots.trial = files->slots.running != files->confirmed_slot;
    struct pw_out ran = PW_OUT(files->ran);
    pw_put_s(&ran, files->version[index_of(files->slots.running)]);
}

void pw_sim_files_free(struct pw_sim_files *files)
{
    free(files->taken);
    free(files->part);
}

#include "machine.h"

#include "ed25519/ed25519.h"

#include <stdio.h>
#include <string.h>

// ---------------------------------------------------------------------------------------------
// Downloads.

static void close_stream(struct machine *machine)
{
    if (machine->stream != 0 && machine->server->central != NULL) {
        pw_central_stream_closed(machine->server->central, machine->stream);
    }
    machine->stream = 0;
}

static void end_with(struct machine *machine, enum pw_transfer_end end, const char *why)
{
    struct pw_out out = PW_OUT(machine->down.why);
    machine->down.end = end;
    pw_put_s(&out, why);
    close_stream(machine);
}

// "http://central.example/firmware/…" without what is before the path.
static struct pw_str path_of(struct pw_str url)
{
    (void)pw_str_cut(&url, '/');
    (void)pw_str_cut(&url, '/');
    (void)pw_str_cut(&url, '/');
    return (struct pw_str){.at = url.at - 1, .len = url.len + 1};
}

// "bytes 0-99/1000": the length of the whole.
static uint64_t total_of(const struct pw_http_reply *reply, size_t have)
{
    struct pw_str range = pw_str_of(reply->content_range);
    int64_t total = 0;
    if (range.len == 0) {
        return reply->length + have;
    }
    (void)pw_str_cut(&range, '/');
    return pw_parse_int(range, 0, INT64_MAX, &total) == PW_OK ? (uint64_t)total : 0;
}

// As port/linux/transfer asks: from behind what is there, and not further than is wanted.
static void ask(struct machine *machine, const struct pw_transfer_job *job)
{
    char range[64] = "";
    struct pw_http_reply reply = {0};
    struct server *server = machine->server;
    if (server->central == NULL) {
        end_with(machine, PW_TRANSFER_UNREACHABLE, "no connection");
        return;
    }
    if (job->first_bytes > 0) {
        (void)snprintf(range, sizeof(range), "bytes=%zu-%llu", machine->have,
                       (unsigned long long)job->first_bytes - 1);
    } else if (machine->have > 0) {
        (void)snprintf(range, sizeof(range), "bytes=%zu-", machine->have);
    }
    const struct pw_http_request request = {.method = PW_HTTP_GET,
                                            .path = path_of(job->url),
                                            .host = PW_STR("central.example:8180"),
                                            .address = PW_STR("192.0.2.1"),
                                            .range = pw_str_of(range),
                                            .stream = ++server->numbers};
    pw_central_http(server->central, &request, &reply, server_at(server));
    machine->stream = reply.flow ? request.stream : 0;
    if (reply.status != (range[0] == '\0' ? 200 : 206) || !reply.flow) {
        end_with(machine, reply.status >= 500 ? PW_TRANSFER_CUT : PW_TRANSFER_MISSING, "refused");
        return;
    }
    machine->wanted = machine->have + (size_t)reply.length;
    machine->down.total = total_of(&reply, machine->have);
    if (machine->down.total > sizeof(machine->got.file)) {
        end_with(machine, PW_TRANSFER_FULL, "no room is left");
    }
}

static int begin(void *context, enum pw_transfer_lane lane, const struct pw_transfer_job *job,
                 struct pw_out *why)
{
    struct machine *machine = context;
    if (lane != PW_TRANSFER_DOWN || pw_transfer_scheme(job->url) == NULL) {
        pw_put_s(why, "this machine fetches from http only");
        return PW_ERR_RANGE;
    }
    close_stream(machine);
    machine->have = job->resume ? machine->have : 0;
    machine->begun++;
    machine->resumed += machine->have > 0 ? 1 : 0;
    machine->down = (struct pw_transfer_state){.end = PW_TRANSFER_RUNNING, .bytes = machine->have};
    ask(machine, job);
    return PW_OK;
}

static void whole(struct machine *machine)
{
    struct pw_sha256 sum;
    pw_sha256_begin(&sum);
    pw_sha256_add(&sum, machine->got.file, machine->have);
    pw_sha256_end(&sum, machine->down.sha256);
    end_with(machine, PW_TRANSFER_DONE, "");
}

static void receive(struct machine *machine)
{
    size_t cap = machine->wanted - machine->have;
    cap = cap < machine->step ? cap : machine->step;
    if (machine->breaks > 0 && machine->have >= machine->breaks_at) {
        machine->breaks--;
        end_with(machine, PW_TRANSFER_CUT, "the connection broke");
        return;
    }
    int len = pw_central_flow(machine->server->central, machine->stream,
                              (char *)machine->got.file + machine->have, cap);
    if (len <= 0) {
        end_with(machine, PW_TRANSFER_CUT, "the server broke it off");
        return;
    }
    size_t over = machine->turns_over;
    if (over > machine->have && over <= machine->have + (size_t)len) {
        machine->got.file[over - 1] ^= 0x10;
    }
    machine->have += (size_t)len;
    machine->down.bytes = machine->have;
    if (machine->have == machine->wanted) {
        whole(machine);
    }
}

static void look(void *context, enum pw_transfer_lane lane, struct pw_transfer_state *to)
{
    struct machine *machine = context;
    *to = (struct pw_transfer_state){.end = PW_TRANSFER_IDLE};
    if (lane == PW_TRANSFER_DOWN) {
        if (machine->down.end == PW_TRANSFER_RUNNING) {
            receive(machine);
        }
        *to = machine->down;
    }
}

static void end(void *context, enum pw_transfer_lane lane)
{
    struct machine *machine = context;
    if (lane == PW_TRANSFER_DOWN) {
        close_stream(machine);
        machine->down.end = PW_TRANSFER_IDLE;
    }
}

static void forget(void *context)
{
    struct machine *machine = context;
    machine->have = 0;
}

// Nobody brings a log anywhere here, or hands a file in.
static size_t give(void *context, struct pw_str bytes)
{
    (void)context, (void)bytes;
    return 0;
}

static void given(void *context)
{
    (void)context;
}

static int deliver(void *context, uint64_t offset, struct pw_str bytes)
{
    (void)context, (void)offset, (void)bytes;
    return PW_ERR_BUSY;
}

// ---------------------------------------------------------------------------------------------
// The slots.

// What the station sees of the boot record.
static void show(struct machine *machine)
{
    struct pw_boot_record record = rig_record(&machine->rig);
    struct pw_install_state *state = &machine->state;
    struct pw_out release = PW_OUT(state->release);
    struct pw_out returned = PW_OUT(state->returned);
    struct pw_out why = PW_OUT(state->returned_why);
    char running = machine->rig.running;
    pw_put_s(&release, record.slot[running - 'a'].version);
    pw_put_s(&returned, record.returned);
    pw_put_s(&why, record.returned_why);
    state->able = true;
    state->running = running;
    state->trial = record.trial == running;
    state->tries = state->trial ? record.tries : 0;
    state->counter = record.counter;
    state->current = record.trial != 0 ? record.trial : record.confirmed;
}

static int peek(void *context, uint64_t offset, uint8_t *to, size_t len)
{
    const struct machine *machine = context;
    if (offset > machine->have || len > machine->have - offset) {
        return PW_ERR_STORE;
    }
    memcpy(to, machine->got.file + offset, len);
    return PW_OK;
}

// Done by the next look but one, as by a thread.
static void work(struct machine *machine, enum pw_install_phase phase)
{
    machine->state.phase = phase;
    machine->looked = false;
}

static int write_release(void *context, struct pw_str head, const struct pw_release *release,
                         struct pw_out *why)
{
    struct machine *machine = context;
    struct pw_boot_record record = rig_record(&machine->rig);
    int err = pw_boot_target(&record, machine->rig.running, &machine->state.slot, why);
    if (err != PW_OK) {
        return err;
    }
    machine->got.release = *release;
    machine->got.head_len = head.len;
    machine->got.len = machine->have;
    machine->state.total = release->file_size;
    machine->state.altered = false;
    work(machine, PW_INSTALL_WRITING);
    return PW_OK;
}

static void activate(void *context)
{
    work(context, PW_INSTALL_SWITCHING);
}

static void install_look(void *context, struct pw_install_state *to)
{
    struct machine *machine = context;
    struct pw_install_state *state = &machine->state;
    bool writes = state->phase == PW_INSTALL_WRITING;
    if (machine->looked && (writes || state->phase == PW_INSTALL_SWITCHING)) {
        struct pw_out why = PW_OUT(state->why);
        bool good = writes ? rig_write(&machine->rig, &machine->got) : rig_activate(&machine->rig);
        state->phase = !good ? PW_INSTALL_FAILED : writes ? PW_INSTALL_READY : PW_INSTALL_SWITCHED;
        state->altered = !good && machine->rig.job.altered;
        pw_put_s(&why, good ? "" : machine->rig.job.why);
        show(machine);
    }
    machine->looked = true;
    *to = *state;
}

static int confirm(void *context)
{
    struct machine *machine = context;
    bool good = rig_confirm(&machine->rig);
    show(machine);
    return good ? PW_OK : PW_ERR_STORE;
}

static int reject(void *context, const char *why)
{
    struct machine *machine = context;
    bool good = rig_reject(&machine->rig, why);
    show(machine);
    return good ? PW_OK : PW_ERR_STORE;
}

static int root(void *context, uint8_t *to, size_t cap)
{
    (void)context;
    return (int)pw_make_signed_root_1(to, cap);
}

// rig_write follows what a head brings.
static int follow(void *context, struct pw_str head)
{
    (void)context, (void)head;
    return PW_OK;
}

static void install_end(void *context)
{
    struct machine *machine = context;
    machine->state.phase = PW_INSTALL_IDLE;
}

// ---------------------------------------------------------------------------------------------

static const char *start(void *context)
{
    struct machine *machine = context;
    close_stream(machine);
    pw_sim_disk_restart(&machine->rig.disk);
    bool good = rig_start(&machine->rig);
    PW_ASSERT(good && machine->rig.running != 0);
    machine->starts++;
    machine->down.end = PW_TRANSFER_IDLE;
    machine->state.phase = PW_INSTALL_IDLE;
    machine->state.slot = 0;
    machine->version = machine->rig.boot.job.release.version;
    show(machine);
    return machine->version;
}

struct street_computer machine_computer(struct machine *machine)
{
    return (struct street_computer){.context = machine,
                                    .start = start,
                                    .transfer = &machine->transfer,
                                    .install = &machine->install};
}

void machine_open(struct machine *machine, struct server *server, const struct rig *from,
                  uint64_t seed)
{
    memset(machine, 0, sizeof(*machine));
    machine->server = server;
    machine->step = 700;
    rig_copy(&machine->rig, from, seed);
    machine->rig.boot.rules.hardware = PW_STR(PW_MAKE_HARDWARE);
    machine->transfer = (struct pw_transfer){.context = machine,
                                             .begin = begin,
                                             .give = give,
                                             .given = given,
                                             .state = look,
                                             .deliver = deliver,
                                             .end = end,
                                             .forget = forget};
    machine->install = (struct pw_install){.context = machine,
                                           .peek = peek,
                                           .write = write_release,
                                           .activate = activate,
                                           .confirm = confirm,
                                           .reject = reject,
                                           .root = root,
                                           .follow = follow,
                                           .state = install_look,
                                           .end = install_end};
}

// Releases, slots, and a program to put into them, for boot_test.py:
//     slots_tool root OUT                                     the maker's root, of the test keys
//     slots_tool make OUT VERSION COUNTER PROGRAM BEHAVIOUR [HARDWARE [SIGNER]]
//     slots_tool install FOLDER ROOT FILE                     to a slot, to be tried next
//     slots_tool bundle OUT VERSION COUNTER PROGRAM BUNDLE    a release with an image for RAUC
//     slots_tool state FOLDER ROOT
//     slots_tool await FOLDER ROOT                            the state, once the system's service
//     says what runs slots_tool confirm|reject FOLDER ROOT
// With PW_SLOTS_SPOIL, a file, that becomes another one between being written and being switched
// to. With PW_RAUC_BUS, the address of a D-Bus, RAUC on it takes the releases from the slots.
// Started from a slot it is the station's program: it says so, and behaves as the component
// `behaviour` beside it tells it to.
#include "ed25519/ed25519.h"
#include "make.h"
#include "rauc/rauc.h"
#include "slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// The address sanitizer reserves what it never uses.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT RLIM_INFINITY
#endif
#endif
#ifndef LIMIT
#define LIMIT ((rlim_t)128 << 20)
#endif

enum { POLL_MS = 5, SETTLE_MS = 3000, AWAIT_MS = 30000, FILE_MAX = 32 << 20, EATEN = 1 << 20 };

struct tool {
    struct pw_loop loop;
    struct pw_clock clock;
    struct pw_release_crypto crypto;
    struct pw_slots *slots;
    const struct pw_install *port;
    bool activated;
    bool confirms;
    pw_ms give_up_at;
};

static int refuse(const char *why)
{
    (void)printf("refused: %s\n", why);
    return EXIT_FAILURE;
}

static size_t read_file(const char *path, uint8_t *to, size_t cap)
{
    FILE *file = fopen(path, "rb");
    size_t len = file == NULL ? 0 : fread(to, 1, cap, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return len;
}

static int write_file(const char *path, const uint8_t *from, size_t len)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(from, 1, len, file) == len;
    good = file != NULL && fclose(file) == 0 && good;
    return good ? EXIT_SUCCESS : refuse("the file cannot be written");
}

static int make_root(const char *out)
{
    uint8_t bytes[PW_RELEASE_ROOT_MAX];
    return write_file(out, bytes, pw_make_signed_root_1(bytes, sizeof(bytes)));
}

static int make_release(int argc, char **argv)
{
    uint8_t *program = malloc(FILE_MAX);
    uint8_t *bundle = malloc(FILE_MAX);
    uint8_t *file = malloc(FILE_MAX);
    struct pw_make make = {.version = argv[3], .counter = (uint32_t)strtoul(argv[4], NULL, 10)};
    if (program == NULL || bundle == NULL || file == NULL) {
        return refuse("out of memory");
    }
    make.component[0] =
        (struct pw_make_component){.bytes = program, .len = read_file(argv[5], program, FILE_MAX)};
    make.component[1] =
        (struct pw_make_component){.name = "behaviour", .bytes = argv[6], .len = strlen(argv[6])};
    if (strcmp(argv[1], "bundle") == 0) {
        make.component[1] = (struct pw_make_component){
            .name = PW_RAUC_BUNDLE, .bytes = bundle, .len = read_file(argv[6], bundle, FILE_MAX)};
    }
    make.hardware[0] = argc > 7 ? argv[7] : NULL;
    make.signer[0] = argc > 8 ? argv[8] : NULL;
    int result = write_file(argv[2], file, pw_make_release(&make, file, FILE_MAX));
    free(program);
    free(bundle);
    free(file);
    return result;
}

static bool open_tool(struct tool *tool, const char *folder, const char *root, const char *download)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    tool->crypto = pw_ed25519_crypto();
    if (pw_clock_init(&tool->clock, NULL) != PW_OK ||
        pw_loop_init(&tool->loop, &tool->clock) != PW_OK) {
        return false;
    }
    const char *bus = getenv("PW_RAUC_BUS");
    const struct pw_slots_system system = pw_rauc_system(bus);
    const struct pw_slots_options options = {.folder = folder,
                                             .root = root,
                                             .download = download,
                                             .crypto = &tool->crypto,
                                             .system = bus == NULL ? NULL : &system};
    tool->slots = pw_slots_new(&tool->loop, &options, &why);
    tool->port = tool->slots == NULL ? NULL : pw_slots_port(tool->slots);
    return tool->slots != NULL;
}

static void say_state(const struct tool *tool, const char *first)
{
    struct pw_install_state state;
    tool->port->state(tool->port->context, &state);
    (void)printf("%s able=%d running=%c current=%c trial=%d tries=%u counter=%lu returned=%s "
                 "why=%s%s\n",
                 first, state.able, state.running == 0 ? '-' : state.running,
                 state.current == 0 ? '-' : state.current, state.trial, state.tries,
                 (unsigned long)state.counter, state.returned, state.returned_why, state.why);
    if (state.worn) {
        (void)puts("worn");
    }
    (void)fflush(stdout);
}

// ---------------------------------------------------------------------------------------------
// Installing.

static pw_ms watch(void *context, pw_ms now)
{
    struct tool *tool = context;
    struct pw_install_state state;
    tool->port->state(tool->port->context, &state);
    if (state.phase == PW_INSTALL_READY && !tool->activated) {
        const char *spoilt = getenv("PW_SLOTS_SPOIL");
        if (spoilt != NULL) {
            (void)write_file(spoilt, (const uint8_t *)"other", 5);
        }
        tool->activated = true;
        tool->port->activate(tool->port->context);
    } else if (state.phase == PW_INSTALL_SWITCHED || state.phase == PW_INSTALL_FAILED) {
        say_state(tool, state.phase == PW_INSTALL_SWITCHED ? "switched"
                        : state.altered                    ? "altered"
                                                           : "failed");
        pw_loop_end(&tool->loop);
    }
    return now + POLL_MS;
}

static int install(struct tool *tool)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    uint8_t head[PW_RELEASE_HEAD_MAX];
    uint32_t len = 0;
    struct pw_release release;
    const struct pw_install *port = tool->port;
    if (port->peek(port->context, 0, head, PW_RELEASE_FIXED) != PW_OK ||
        pw_release_head_len(head, &len) != PW_OK ||
        port->peek(port->context, 0, head, len) != PW_OK) {
        return refuse("there is no head of a release");
    }
    const struct pw_str all = {.at = (const char *)head, .len = len};
    if (pw_release_read(all, &release, &why) != PW_OK ||
        port->write(port->context, all, &release, &why) != PW_OK) {
        return refuse(text);
    }
    pw_loop_on_turn(&tool->loop, watch, tool);
    pw_loop_run(&tool->loop);
    return EXIT_SUCCESS;
}

// As the station does it: asked again until it is done.
static pw_ms try_to_settle(void *context, pw_ms now)
{
    struct tool *tool = context;
    const struct pw_install *port = tool->port;
    int err = tool->confirms ? port->confirm(port->context)
                             : port->reject(port->context, "the central was not reached");
    if (err == PW_OK || now > tool->give_up_at) {
        (void)puts(err == PW_OK ? "settled" : "not settled");
        pw_loop_end(&tool->loop);
    }
    return now + POLL_MS;
}

static void settle(struct tool *tool, bool confirms)
{
    tool->confirms = confirms;
    tool->give_up_at = pw_clock_now(&tool->clock) + SETTLE_MS;
    pw_loop_on_turn(&tool->loop, try_to_settle, tool);
    pw_loop_run(&tool->loop);
}

static pw_ms await(void *context, pw_ms now)
{
    struct tool *tool = context;
    struct pw_install_state state;
    tool->port->state(tool->port->context, &state);
    if (!state.asks || now > tool->give_up_at) {
        pw_loop_end(&tool->loop);
    }
    return now + POLL_MS;
}

// ---------------------------------------------------------------------------------------------
// Being the program.

// As much as there is: 128 MiB, and sanitizers, which cannot live below such a limit, twice that.
static void eat(void)
{
    const struct rlimit most = {.rlim_cur = LIMIT, .rlim_max = LIMIT};
    (void)setrlimit(RLIMIT_AS, &most);
    char *eaten = malloc(EATEN);
    for (unsigned i = 0; i < 256 && eaten != NULL; i++) {
        memset(eaten, 1, EATEN);
        eaten = malloc(EATEN);
    }
    abort();
}

static int behave(struct tool *tool, const char *how)
{
    const struct pw_install *port = tool->port;
    struct pw_install_state state;
    const struct rlimit no_core = {.rlim_cur = 0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    port->state(port->context, &state);
    say_state(tool, "run");
    if (strcmp(how, "crash") == 0) {
        abort();
    }
    if (strcmp(how, "hang") == 0) {
        (void)pause();
    }
    if (strcmp(how, "eat") == 0) {
        eat();
    }
    if (state.trial && (strcmp(how, "confirm") == 0 || strcmp(how, "reject") == 0)) {
        settle(tool, strcmp(how, "confirm") == 0);
    }
    return EXIT_SUCCESS;
}

// DIR/slots/SLOT/pilotwire-station, and the root in DIR/root.
static int be_the_program(const char *self)
{
    char folder[600];
    char root[700];
    char path[700];
    char how[32] = "";
    struct tool tool = {.activated = false};
    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(self, '/') - self), self);
    (void)snprintf(path, sizeof(path), "%s/behaviour", folder);
    (void)read_file(path, (uint8_t *)how, sizeof(how) - 1);
    *strrchr(folder, '/') = '\0';
    (void)snprintf(root, sizeof(root), "%s/../root", folder);
    return open_tool(&tool, folder, root, "") ? behave(&tool, how) : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    char self[512] = "";
    struct tool tool = {.activated = false};
    bool known = readlink("/proc/self/exe", self, sizeof(self) - 1) > 0;
    const char *name = strrchr(self, '/');
    if (known && name != NULL && strcmp(name, "/" PW_RELEASE_PROGRAM) == 0) {
        return be_the_program(self);
    }
    if (argc == 3 && strcmp(argv[1], "root") == 0) {
        return make_root(argv[2]);
    }
    if (argc >= 7 && (strcmp(argv[1], "make") == 0 || strcmp(argv[1], "bundle") == 0)) {
        return make_release(argc, argv);
    }
    if (argc < 4 || !open_tool(&tool, argv[2], argv[3], argc > 4 ? argv[4] : "")) {
        return refuse("arguments");
    }
    if (strcmp(argv[1], "install") == 0) {
        int result = install(&tool);
        pw_slots_free(tool.slots);
        return result;
    }
    if (strcmp(argv[1], "await") == 0) {
        tool.give_up_at = pw_clock_now(&tool.clock) + AWAIT_MS;
        pw_loop_on_turn(&tool.loop, await, &tool);
        pw_loop_run(&tool.loop);
    } else if (strcmp(argv[1], "state") != 0) {
        settle(&tool, strcmp(argv[1], "confirm") == 0);
    }
    say_state(&tool, "state");
    pw_slots_free(tool.slots);
    return EXIT_SUCCESS;
}

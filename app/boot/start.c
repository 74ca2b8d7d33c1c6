#include "boot.h"
#include "ed25519/ed25519.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// From the record to the program: what is decided is core/slots', what is read is slotdisk's. This
// file is the only one of Pilotwire that executes a program.

enum { PIECE = 1 << 16, ARGUMENTS_MAX = 64, PATH_SIZE = 512 };

#define PRODUCT "pilotwire-station" // what a release must be for

// One line for the journal: its level (sd-daemon(3)), and nothing secret.
static void say(int level, const char *what, const char *why)
{
    (void)fprintf(stderr, "<%d>boot %s why=\"%s\"\n", level, what, why);
}

// Returns only when it cannot be started.
static void run(int program, char *path, const struct options *options)
{
    char *words[ARGUMENTS_MAX + 2] = {path};
    for (size_t i = 0; i < ARGUMENTS_MAX && options->arguments[i] != NULL; i++) {
        words[i + 1] = options->arguments[i];
    }
    (void)fexecve(program, words, environ);
    say(3, path, strerror(errno));
}

static void run_package(const struct options *options)
{
    char path[PATH_SIZE];
    int program = open(options->package, O_RDONLY | O_CLOEXEC);
    if (program < 0 || pw_str_copy(path, sizeof(path), pw_str_of(options->package)) != PW_OK) {
        say(3, options->package, "it cannot be opened");
    } else {
        run(program, path, options);
    }
    if (program >= 0) {
        (void)close(program);
    }
}

static void read_root(const struct options *options, struct pw_slots_trust *trust)
{
    char bytes[PW_RELEASE_ROOT_MAX];
    char text[PW_SLOTS_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    size_t len = options->root[0] == '\0' ? 0 : pw_slot_disk_root(options->root, bytes, &why);
    if (len > 0 && pw_release_root_read((struct pw_str){.at = bytes, .len = len}, trust->crypto,
                                        &trust->shipped, &why) == PW_OK) {
        return;
    }
    trust->shipped = (struct pw_release_root){.version = 0}; // nothing in the slots is believed
    if (text[0] != '\0') {
        say(4, "root", text);
    }
}

static void run_slot(struct pw_slot_disk *disk, const struct pw_slots_boot *boot, char slot,
                     const struct options *options)
{
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, options->folder);
    pw_put_c(&out, '/');
    pw_put_c(&out, slot);
    pw_put_s(&out, "/" PW_RELEASE_PROGRAM);
    (void)fprintf(stderr, "<6>boot slot=%c version=%s why=\"%s\"\n", slot,
                  boot->job.release.version, boot->why);
    if (disk->program >= 0) {
        run(disk->program, path, options);
    }
}

static void run_choices(struct pw_slot_disk *disk, const struct options *options)
{
    static struct pw_slots_boot boot; // too large for a stack
    static uint8_t piece[PIECE];
    struct pw_release_crypto crypto = pw_ed25519_crypto();
    boot.disk = &disk->port;
    boot.trust.crypto = &crypto;
    boot.rules.crypto = &crypto;
    boot.rules.product = PW_STR(PRODUCT);
    boot.rules.hardware = pw_str_of(options->hardware);
    boot.job.piece = piece;
    boot.job.piece_len = sizeof(piece);
    pw_slot_disk_elf(boot.job.elf);
    read_root(options, &boot.trust);
    disk->keeps_program = true;
    if (!pw_slot_disk_lock(disk, true)) {
        say(4, "package", "the boot record cannot be locked");
        run_package(options);
        return;
    }
    pw_slots_boot(&boot);
    for (char slot = 0; (slot = pw_slots_boot_next(&boot)) != PW_SLOTS_NONE;) {
        if (slot == 0) {
            say(6, "package", boot.why);
            run_package(options);
        } else {
            run_slot(disk, &boot, slot, options);
        }
    }
    say(3, "nothing", "no program can be started");
}

int start(const struct options *options)
{
    struct pw_slot_disk disk;
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    if (pw_slot_disk_open(&disk, options->folder, &why) == PW_OK) {
        run_choices(&disk, options);
        pw_slot_disk_close(&disk);
    } else {
        say(6, "package", text);
        run_package(options);
    }
    return EXIT_FAILURE;
}

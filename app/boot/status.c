#include "boot.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const uses[PW_SLOT_USES] = {"empty", "fresh", "confirmed-once", "given-up"};

static const char *name_of(char slot)
{
    return slot == 'a' ? "a" : slot == 'b' ? "b" : "package";
}

// Texts come from the record, whose writer is trusted with nothing.
static void put_text(const char *text)
{
    (void)putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void show_json(const struct pw_boot_record *record)
{
    (void)printf("{\"record\":%s,\"sequence\":%llu,\"confirmed\":\"%s\",\"trial\":",
                 record->sequence == 0 ? "false" : "true", (unsigned long long)record->sequence,
                 name_of(record->confirmed));
    (void)printf(record->trial == 0 ? "null" : "\"%s\"", name_of(record->trial));
    (void)printf(",\"tries\":%u,\"counter\":%lu,\"root\":%lu", record->tries,
                 (unsigned long)record->counter, (unsigned long)record->root);
    for (unsigned i = 0; i < 2; i++) {
        (void)printf(",\"%c\":{\"use\":\"%s\",\"counter\":%lu,\"version\":", "ab"[i],
                     uses[record->slot[i].use], (unsigned long)record -> slot[i].counter);
        put_text(record->slot[i].version);
        (void)putchar('}');
    }
    (void)printf(",\"returned\":");
    put_text(record->returned);
    (void)printf(",\"returned_why\":");
    put_text(record->returned_why);
    (void)puts("}");
}

static void show_text(const struct pw_boot_record *record)
{
    if (record->sequence == 0) {
        (void)puts("no boot record: the package's program is started");
        return;
    }
    (void)printf("confirmed  %s\n", name_of(record->confirmed));
    if (record->trial != 0) {
        (void)printf("on trial   %s, starts left %u\n", name_of(record->trial), record->tries);
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct pw_slot_note *note = &record->slot[i];
        (void)printf("slot %c     %s", "ab"[i], uses[note->use]);
        if (note->version[0] != '\0') {
            (void)printf(", version ");
            put_text(note->version);
            (void)printf(", counter %lu", (unsigned long)note->counter);
        }
        (void)putchar('\n');
    }
    (void)printf("counter    %lu or more\n", (unsigned long)record->counter);
    if (record->returned[0] != '\0') {
        (void)printf("given up   ");
        put_text(record->returned);
        (void)printf(": ");
        put_text(record->returned_why);
        (void)putchar('\n');
    }
}

static bool open_disk(struct pw_slot_disk *disk, const struct options *options)
{
    char text[PW_SLOTS_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    if (pw_slot_disk_open(disk, options->folder, &why) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-boot: %s: %s\n", options->folder, text);
        return false;
    }
    return true;
}

int show_status(const struct options *options)
{
    struct pw_slot_disk disk;
    struct pw_boot_record record;
    if (!open_disk(&disk, options)) {
        return EXIT_FAILURE;
    }
    (void)pw_boot_load(&disk.port, &record);
    pw_slot_disk_close(&disk);
    (options->json ? show_json : show_text)(&record);
    return EXIT_SUCCESS;
}

int prefer_package(const struct options *options)
{
    struct pw_slot_disk disk;
    struct pw_boot_record record;
    const struct pw_str version = pw_str_of(options->version);
    if (pw_release_version_compare(version, version) == PW_RELEASE_VERSION_BAD) {
        (void)fprintf(stderr, "pilotwire-boot: --version: must be like 1.20.3 or 1.20.3-rc1\n");
        return 2;
    }
    if (!open_disk(&disk, options)) {
        return EXIT_FAILURE;
    }
    bool good = pw_slot_disk_lock(&disk, true);
    if (good && pw_boot_load(&disk.port, &record) && pw_boot_prefer_package(&record, version)) {
        good = pw_boot_keep(&disk.port, &record) == PW_OK;
        (void)puts("the package's program is started from now on");
    }
    pw_slot_disk_close(&disk);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

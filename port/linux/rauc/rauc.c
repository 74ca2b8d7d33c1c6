#include "rauc/rauc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define SERVICE   "de.pengutronix.rauc"
#define INSTALLER "de.pengutronix.rauc.Installer"

enum {
    ANSWER_US = 15000000, // for a short question, real time
    POLL_US = 500000,     // while it installs
    INSTALL_S = 3600,     // most that an installation takes
    SIGNATURE_MAX = 1 << 16,
};

// ---------------------------------------------------------------------------------------------
// The bundle. It ends in its signature and the signature's length (8 bytes, highest first); the
// signature of a verity bundle has the manifest inside, and that names the format.

static bool names_verity(const uint8_t *at, size_t len)
{
    return memmem(at, len, "\nformat=verity\n", 15) != NULL;
}

bool pw_rauc_is_verity(const char *path)
{
    static uint8_t bytes[SIGNATURE_MAX];
    uint8_t tail[8];
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0 && fstat(fd, &about) == 0 && about.st_size > 8 &&
                pread(fd, tail, 8, about.st_size - 8) == 8 && pw_be32(tail) == 0;
    uint32_t len = good ? pw_be32(tail + 4) : 0;
    good = good && len > 0 && len <= SIGNATURE_MAX && len < about.st_size - 8 &&
           pread(fd, bytes, len, about.st_size - 8 - len) == (ssize_t)len &&
           names_verity(bytes, len);
    if (fd >= 0) {
        (void)close(fd);
    }
    return good;
}

// ---------------------------------------------------------------------------------------------
// The bus.

static int refuse(struct pw_out *why, const char *what)
{
    pw_put_s(why, what);
    return PW_ERR_UNKNOWN;
}

static sd_bus *connect_bus(const char *address)
{
    sd_bus *bus = NULL;
    int err = address == NULL ? sd_bus_open_system(&bus) : sd_bus_new(&bus);
    if (err >= 0 && address != NULL) {
        err = sd_bus_set_address(bus, address);
        err = err >= 0 ? sd_bus_set_bus_client(bus, 1) : err;
        err = err >= 0 ? sd_bus_start(bus) : err;
    }
    if (err < 0) {
        return sd_bus_unref(bus);
    }
    (void)sd_bus_set_method_call_timeout(bus, ANSWER_US);
    return bus;
}

static int said_error(struct pw_out *why, const char *what, sd_bus_error *error)
{
    pw_put_s(why, what);
    pw_put_s(why, ": ");
    pw_put_s(why, error->message != NULL ? error->message : "no answer");
    sd_bus_error_free(error);
    return PW_ERR_UNKNOWN;
}

// ---------------------------------------------------------------------------------------------
// Which system runs, and which one is next.

struct found {
    char name[64];  // of the row
    bool booted;    // it runs
    char class[32]; // what it is part of
};

static int read_row(sd_bus_message *message, struct found *row)
{
    const char *name = NULL;
    memset(row, 0, sizeof(*row));
    int more = sd_bus_message_enter_container(message, 'r', "sa{sv}");
    if (more <= 0 || sd_bus_message_read(message, "s", &name) < 0 ||
        sd_bus_message_enter_container(message, 'a', "{sv}") < 0) {
        return more > 0 ? -1 : more;
    }
    (void)snprintf(row->name, sizeof(row->name), "%s", name);
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char *key = NULL;
        const char *value = NULL;
        if (sd_bus_message_read(message, "s", &key) < 0) {
            return -1;
        }
        bool text = strcmp(key, "state") == 0 || strcmp(key, "class") == 0;
        if (text ? sd_bus_message_read(message, "v", "s", &value) < 0
                 : sd_bus_message_skip(message, "v") < 0) {
            return -1;
        }
        row->booted = row->booted || (text && key[0] == 's' && strcmp(value, "booted") == 0);
        if (text && key[0] == 'c') {
            (void)snprintf(row->class, sizeof(row->class), "%s", value);
        }
        (void)sd_bus_message_exit_container(message);
    }
    int end = sd_bus_message_exit_container(message); // of the properties
    end = end < 0 ? end : sd_bus_message_exit_container(message);
    return end < 0 ? -1 : 1;
}

enum { ROWS = 16 };

// Of the booted system's class: the first by name is a, the second b.
static char letter_of(const struct found *rows, size_t count, const char *name, const char *class)
{
    const char *first = NULL;
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].class, class) == 0) {
            members++;
            first = first == NULL || strcmp(rows[i].name, first) < 0 ? rows[i].name : first;
        }
    }
    return members != 2 ? 0 : strcmp(name, first) == 0 ? 'a' : 'b';
}

static int read_rows(sd_bus *bus, struct found rows[ROWS], size_t *count, struct pw_out *why)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *answer = NULL;
    *count = 0;
    if (sd_bus_call_method(bus, SERVICE, "/", INSTALLER, "GetSlotStatus", &error, &answer, "") <
        0) {
        return said_error(why, "RAUC does not say which systems there are", &error);
    }
    int more = sd_bus_message_enter_container(answer, 'a', "(sa{sv})");
    while (more > 0 && *count < ROWS) {
        more = read_row(answer, &rows[*count]);
        *count += more > 0;
    }
    sd_bus_message_unref(answer);
    return more < 0 ? refuse(why, "RAUC's answer is not understood") : PW_OK;
}

static int look_on(sd_bus *bus, char *booted, char *next, struct pw_out *why)
{
    struct found rows[ROWS];
    size_t count = 0;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *answer = NULL;
    const char *primary = NULL;
    int err = read_rows(bus, rows, &count, why);
    size_t own = 0;
    while (err == PW_OK && own < count && !rows[own].booted) {
        own++;
    }
    if (err == PW_OK && own == count) {
        err = refuse(why, "RAUC does not know which system is booted");
    }
    if (err != PW_OK) {
        return err;
    }
    *booted = letter_of(rows, count, rows[own].name, rows[own].class);
    if (*booted == 0) {
        return refuse(why, "there must be two systems that take turns");
    }
    // GRUB's environment names none when each good system has had its try, as the booted one has
    // until it is marked.
    *next = 0;
    if (sd_bus_call_method(bus, SERVICE, "/", INSTALLER, "GetPrimary", &error, &answer, "") >= 0 &&
        sd_bus_message_read(answer, "s", &primary) >= 0) {
        *next = letter_of(rows, count, primary, rows[own].class);
    }
    sd_bus_error_free(&error);
    sd_bus_message_unref(answer);
    return PW_OK;
}

static int look(const void *context, char *booted, char *next, struct pw_out *why)
{
    sd_bus *bus = connect_bus(context);
    int err = bus == NULL ? refuse(why, "there is no D-Bus to reach RAUC on")
                          : look_on(bus, booted, next, why);
    sd_bus_flush_close_unref(bus);
    return err;
}

static int mark(const void *context, bool booted, bool good, struct pw_out *why)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus *bus = connect_bus(context);
    int err = PW_OK;
    if (bus == NULL) {
        return refuse(why, "there is no D-Bus to reach RAUC on");
    }
    if (sd_bus_call_method(bus, SERVICE, "/", INSTALLER, "Mark", &error, NULL, "ss",
                           good ? "good" : "bad", booted ? "booted" : "other") < 0) {
        err = said_error(why, "RAUC does not mark the system", &error);
    }
    sd_bus_flush_close_unref(bus);
    return err;
}

// ---------------------------------------------------------------------------------------------
// Installing.

struct completion {
    bool done;
    int32_t result;
};

static int on_completed(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct completion *completion = context;
    (void)error;
    completion->done = sd_bus_message_read(message, "i", &completion->result) >= 0;
    return 0;
}

static int say_last_error(sd_bus *bus, struct pw_out *why)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    char *text = NULL;
    pw_put_s(why, "RAUC: ");
    if (sd_bus_get_property_string(bus, SERVICE, "/", INSTALLER, "LastError", &error, &text) < 0) {
        return said_error(why, "it failed, and does not say why", &error);
    }
    pw_put_s(why, text);
    free(text);
    return PW_ERR_STORE;
}

// How far it is, in percent; -1: it is not there any more.
static int ask_progress(sd_bus *bus)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *answer = NULL;
    int32_t percent = -1;
    int err =
        sd_bus_get_property(bus, SERVICE, "/", INSTALLER, "Progress", &error, &answer, "(isi)");
    if (err < 0 || sd_bus_message_enter_container(answer, 'r', "isi") < 0 ||
        sd_bus_message_read(answer, "i", &percent) < 0) {
        percent = -1;
    }
    sd_bus_message_unref(answer);
    sd_bus_error_free(&error);
    return percent;
}

// Not the time of day: that may be set meanwhile.
static int64_t seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static int wait_for_end(sd_bus *bus, const struct completion *completion,
                        const struct pw_slots_progress *progress, struct pw_out *why)
{
    int64_t began = seconds();
    while (!completion->done) {
        int handled = sd_bus_process(bus, NULL);
        if (handled < 0) {
            return refuse(why, "the D-Bus to RAUC broke");
        }
        if (handled > 0) {
            continue;
        }
        int percent = ask_progress(bus);
        if (percent < 0 || seconds() - began > INSTALL_S) {
            return refuse(why, percent < 0 ? "RAUC went away" : "RAUC takes too long");
        }
        if (!progress->tell(progress->context, (unsigned)percent)) {
            return refuse(why, "RAUC was not waited for");
        }
        (void)sd_bus_wait(bus, POLL_US);
    }
    return completion->result == 0 ? PW_OK : say_last_error(bus, why);
}

static int install_on(sd_bus *bus, const char *path, const struct pw_slots_progress *progress,
                      struct pw_out *why)
{
    struct completion completion = {.done = false};
    sd_bus_error error = SD_BUS_ERROR_NULL;
    if (sd_bus_match_signal(bus, NULL, SERVICE, "/", INSTALLER, "Completed", on_completed,
                            &completion) < 0) {
        return refuse(why, "RAUC cannot be listened to");
    }
    if (sd_bus_call_method(bus, SERVICE, "/", INSTALLER, "InstallBundle", &error, NULL, "sa{sv}",
                           path, 0) < 0) {
        return said_error(why, "RAUC does not begin", &error);
    }
    return wait_for_end(bus, &completion, progress, why);
}

static int install(const void *context, const char *folder,
                   const struct pw_slots_progress *progress, struct pw_out *why)
{
    char path[600];
    int len = snprintf(path, sizeof(path), "%s/" PW_RAUC_BUNDLE, folder);
    if (len < 0 || (size_t)len >= sizeof(path) || !pw_rauc_is_verity(path)) {
        return refuse(why, "its bundle is not of RAUC's format verity");
    }
    sd_bus *bus = connect_bus(context);
    int err = bus == NULL ? refuse(why, "there is no D-Bus to reach RAUC on")
                          : install_on(bus, path, progress, why);
    sd_bus_flush_close_unref(bus);
    return err;
}

struct pw_slots_system pw_rauc_system(const char *bus)
{
    return (struct pw_slots_system){.context = bus,
                                    .component = PW_RAUC_BUNDLE,
                                    .look = look,
                                    .install = install,
                                    .mark = mark};
}

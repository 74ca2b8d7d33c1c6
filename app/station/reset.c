// Factory reset. What stays is written to a store of its own first; from the moment that has its
// name the reset goes on at every start until it is done, and its last step puts the new store in
// the place of the old one.
#include "factory.h"
#include "store.h"
#include "tasks.h"
#include "whole.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_MAX_LEN 512
#define STORE        "station.db"
#define MADE         "reset.db"     // whole: the reset goes on
#define MAKING       "reset.db.new" // not yet

enum { WAIT_MS = 10000, LOOK_MS = 5 };

static const char *path_of(const char *folder, const char *name, char path[PATH_MAX_LEN])
{
    (void)snprintf(path, PATH_MAX_LEN, "%s/%s", folder, name);
    return path;
}

static void nothing(void *context)
{
    (void)context;
}

// Removes what begins with `start` in a folder; everything for "". The folder may be missing.
static int remove_all(const char *folder, const char *start, struct pw_out *why)
{
    char path[PATH_MAX_LEN];
    DIR *dir = opendir(folder);
    int err = dir != NULL || errno == ENOENT
                  ? PW_OK
                  : pw_refuse(why, PW_ERR_STORE, folder, strerror(errno));
    const struct dirent *entry = NULL;
    while (err == PW_OK && dir != NULL && (entry = readdir(dir)) != NULL) {
        bool self = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!self && pw_str_starts(pw_str_of(entry->d_name), start) &&
            unlink(path_of(folder, entry->d_name, path)) != 0 && errno != ENOENT) {
            err = pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return err;
}

static bool wait_durable(const struct pw_store *store, int64_t ticket)
{
    const struct timespec look = {.tv_nsec = (long)LOOK_MS * 1000000};
    for (unsigned waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
        int64_t durable = store->durable(store->context);
        if (durable < 0 || durable >= ticket) {
            return durable >= ticket;
        }
        (void)nanosleep(&look, NULL);
    }
    return false;
}

// --- The store that stays.

static int carry(const struct pw_store *old, const struct pw_store *new, bool forget,
                 const struct pw_log *log, struct pw_out *why)
{
    struct pw_journal *journal = calloc(2, sizeof(*journal));
    int err = journal == NULL ? PW_ERR_LIMIT : pw_journal_open(&journal[0], old, log);
    if (err == PW_OK) {
        err = pw_journal_open(&journal[1], new, log);
    }
    if (err != PW_OK) {
        pw_put_s(why, "the station's records cannot be read");
    }
    if (err == PW_OK) {
        err = pw_factory_carry(&journal[0], &journal[1], forget, log, why);
    }
    free(journal);
    // Whatever was written last is behind everything else.
    const struct pw_store_change end = {.key = PW_STR("reset"), .remove = true};
    int64_t ticket = err == PW_OK ? new->write(new->context, &end, 1) : 0;
    if (err == PW_OK && (ticket < 0 || !wait_durable(new, ticket))) {
        pw_put_s(why, "the records that stay cannot be kept");
        err = PW_ERR_STORE;
    }
    return err;
}

static int make_store(const char *folder, bool forget, const struct pw_log *log, struct pw_out *why)
{
    char path[PATH_MAX_LEN];
    char made[PATH_MAX_LEN];
    int err = remove_all(folder, MAKING, why);
    struct pw_sqlite *old =
        err == PW_OK ? pw_sqlite_open(path_of(folder, STORE, path), nothing, NULL, log, why) : NULL;
    struct pw_sqlite *new =
        old != NULL ? pw_sqlite_open(path_of(folder, MAKING, path), nothing, NULL, log, why) : NULL;
    if (new == NULL) {
        err = PW_ERR_STORE;
    } else {
        struct pw_store from = pw_sqlite_store(old);
        struct pw_store to = pw_sqlite_store(new);
        err = carry(&from, &to, forget, log, why);
    }
    if (new != NULL) {
        pw_sqlite_close(new);
    }
    if (old != NULL) {
        pw_sqlite_close(old);
    }
    if (err == PW_OK && (rename(path_of(folder, MAKING, path), path_of(folder, MADE, made)) != 0 ||
                         !pw_whole_sync_folder(folder))) {
        err = pw_refuse(why, PW_ERR_STORE, made, strerror(errno));
    }
    struct pw_out unsaid = {.cap = 0};
    (void)!remove_all(folder, MAKING, &unsaid); // its lock
    return err;
}

// --- What goes. The key first: what is sealed with it is unreadable from then on.

static int remove_file(const char *path, struct pw_out *why)
{
    return path == NULL || unlink(path) == 0 || errno == ENOENT
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
}

static int finish(const struct options *options, struct pw_out *why)
{
    static const char *const files[] = {"device.key", "download", STORE};
    char path[PATH_MAX_LEN];
    char made[PATH_MAX_LEN];
    const char *folder = options->data;
    int err = PW_OK;
    for (size_t i = 0; err == PW_OK && i < PW_COUNT(files); i++) {
        err = remove_all(folder, files[i], why);
    }
    if (err == PW_OK) {
        err = remove_all(path_of(folder, "trust", path), "", why);
    }
    if (err == PW_OK) {
        err = remove_file(options->secrets, why);
    }
    if (err == PW_OK && (rename(path_of(folder, MADE, made), path_of(folder, STORE, path)) != 0 ||
                         !pw_whole_sync_folder(folder))) {
        err = pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
    }
    return err;
}

int factory_reset_resume(const struct options *options, struct pw_out *why)
{
    char path[PATH_MAX_LEN];
    if (access(path_of(options->data, MADE, path), F_OK) != 0) {
        return PW_OK;
    }
    return finish(options, why);
}

// A secrets file that we cannot remove would bring its passwords back.
static int check_secrets_file(const char *path, struct pw_out *why)
{
    char folder[PATH_MAX_LEN];
    if (path == NULL || access(path, F_OK) != 0) {
        return PW_OK;
    }
    (void)snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    return access(slash != NULL ? folder : ".", W_OK) == 0
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, path,
                           "this file of passwords cannot be removed, and would bring them back: "
                           "remove it first");
}

int factory_reset(const struct options *options, bool forget, const struct pw_log *log,
                  struct pw_out *why)
{
    int err = check_secrets_file(options->secrets, why);
    if (err == PW_OK) {
        err = make_store(options->data, forget, log, why);
    }
    return err == PW_OK ? finish(options, why) : err;
}

#include "tasks.h"

#include "secrets.h"
#include "station.h"
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10000, LOOK_MS = 5, PATH_LEN = 512 };

struct task {
    const struct options *options;
    const struct pw_settings *settings;
    const struct pw_log *log;
    struct pw_sqlite *sqlite;
    struct pw_store store;
    struct secrets secrets;
    struct pw_trust_keeper *keeper;
};

static void nothing(void *context)
{
    (void)context;
}

static int open_all(struct task *task, struct pw_out *why)
{
    char path[PATH_LEN];
    const char *folder = task->options->data;
    (void)mkdir(folder, 0750); // whatever is wrong shows when the store is opened
    (void)snprintf(path, sizeof(path), "%s/station.db", folder);
    task->sqlite = pw_sqlite_open(path, nothing, NULL, task->log, why);
    if (task->sqlite == NULL) {
        return PW_ERR_STORE;
    }
    task->store = pw_sqlite_store(task->sqlite);
    const struct pw_vault_options key = {
        .folder = folder, .tpm = task->options->tpm, .credentials = task->options->credentials};
    // A task without a key is no task: here it is an error.
    struct pw_vault *vault = NULL;
    int err = pw_vault_open(&vault, &key, why);
    pw_vault_close(vault);
    return err == PW_OK ? secrets_open(&task->secrets, &key, &task->store, task->log, why) : err;
}

static int open_trust(struct task *task, struct pw_out *why)
{
    char path[PATH_LEN];
    (void)snprintf(path, sizeof(path), "%s/trust", task->options->data);
    task->keeper =
        pw_trust_open(path, "", false, pw_vault_port(task->secrets.vault), task->log, why);
    return task->keeper != NULL ? PW_OK : PW_ERR_STORE;
}

static void close_all(struct task *task)
{
    if (task->keeper != NULL) {
        pw_trust_close(task->keeper);
    }
    secrets_close(&task->secrets);
    if (task->sqlite != NULL) {
        pw_sqlite_close(task->sqlite);
    }
}

static bool wait_durable(const struct task *task, int64_t ticket)
{
    const struct timespec look = {.tv_nsec = (long)LOOK_MS * 1000000};
    for (unsigned waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
        int64_t durable = task->store.durable(task->store.context);
        if (durable < 0 || durable >= ticket) {
            return durable >= ticket;
        }
        (void)nanosleep(&look, NULL);
    }
    return false;
}

// --- From the secrets file into the vault.

// Seals one value. What was set while running, and opens, counts more than the file.
static int seal_one(struct task *task, const struct pw_setting_row *row, const char *value,
                    int64_t *ticket, struct pw_out *why)
{
    char name[PW_STORE_KEY_MAX + 1];
    char present[PW_SETTING_TEXT_MAX];
    struct pw_out key = PW_OUT(name);
    struct pw_store *store = &task->secrets.sealed.port;
    pw_put_s(&key, "set/");
    pw_put_s(&key, row->path);
    int len = store->get(store->context, pw_out_str(&key), present, sizeof(present));
    bool kept = len >= 0 && !(len == 1 && present[0] == PW_SEALED_LOCKED[0]);
    pw_secret_wipe(present, sizeof(present));
    if (kept) {
        (void)printf("%s: was set while running, and stays\n", row->path);
        return PW_OK;
    }
    const struct pw_store_change change = {.key = pw_out_str(&key), .value = pw_str_of(value)};
    int64_t written = store->write(store->context, &change, 1);
    if (written < 0) {
        pw_put_s(why, row->path);
        pw_put_s(why, ": it cannot be kept");
        return PW_ERR_STORE;
    }
    *ticket = written;
    (void)printf("%s: sealed\n", row->path);
    return PW_OK;
}

static int seal_secrets(struct task *task, struct pw_out *why)
{
    const char *file = task->options->secrets;
    int64_t ticket = 0;
    int err = PW_OK;
    if (file == NULL) {
        pw_put_s(why, "--seal-secrets: wants --secrets FILE");
        return PW_ERR_RANGE;
    }
    for (size_t id = 0; err == PW_OK && id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_row *row = &pw_setting_rows[id];
        if (row->when != PW_WHEN_SECRET) {
            continue;
        }
        const char *value = pw_settings_text(task->settings, (enum pw_setting_id)id);
        if (value[0] != '\0') {
            err = seal_one(task, row, value, &ticket, why);
        }
    }
    if (err == PW_OK && !wait_durable(task, ticket)) {
        pw_put_s(why, "the disk does not keep what was sealed: the file stays");
        err = PW_ERR_STORE;
    }
    if (err == PW_OK && unlink(file) != 0 && errno != ENOENT) {
        pw_put_s(why, file);
        pw_put_s(why, ": everything is sealed, but the file cannot be removed: remove it");
        err = PW_ERR_STORE;
    }
    if (err == PW_OK) {
        (void)printf("%s: removed\n", file);
    }
    return err;
}

// --- Another key.

static int rotate(struct task *task, struct pw_out *why)
{
    struct secrets *secrets = &task->secrets;
    int err = pw_vault_unsettled(secrets->vault) ? PW_OK : pw_vault_rotate(secrets->vault, why);
    if (err != PW_OK) {
        return err;
    }
    struct pw_sealed_walk walk = pw_sealed_walk(&secrets->sealed, PW_STR(""), task->log);
    err = open_trust(task, why);
    if (err == PW_OK &&
        (walk.ticket < 0 || !wait_durable(task, walk.ticket) || !pw_trust_settled(task->keeper))) {
        pw_put_s(why, "not everything could be sealed anew: the old key stays for now, and the "
                      "next start goes on");
        err = PW_ERR_STORE;
    }
    if (err == PW_OK) {
        err = pw_vault_settle(secrets->vault, why);
    }
    if (err == PW_OK) {
        (void)printf(
            "The device has a new key, in %s; %u secret(s) of the store are sealed with it, "
            "%u cannot be opened.\n",
            pw_vault_place(secrets->vault) == PW_VAULT_TPM ? "its TPM" : "device.key",
            walk.secrets - walk.locked, walk.locked);
    }
    return err;
}

// ---------------------------------------------------------------------------------------------

bool task_wanted(const struct options *options)
{
    return options->seal_secrets || options->rotate_key || options->factory_reset;
}

int task_run(const struct options *options, const struct pw_settings *settings,
             const struct pw_log *log, struct pw_out *why)
{
    if (options->factory_reset) {
        int err = factory_reset(options, options->discard_unsent, log, why);
        if (err == PW_OK) {
            (void)puts("The station has forgotten everything that was not its maker's.");
        }
        return err;
    }
    struct task *task = calloc(1, sizeof(*task));
    if (task == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    *task = (struct task){.options = options, .settings = settings, .log = log};
    int err = open_all(task, why);
    if (err == PW_OK) {
        err = options->seal_secrets ? seal_secrets(task, why) : rotate(task, why);
    }
    close_all(task);
    free(task);
    return err;
}

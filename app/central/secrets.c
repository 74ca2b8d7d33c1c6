#include "secrets.h"

#include "vault/pem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

// Those that the program makes itself. Keys of files that were given belong to who gave them.
static const char *const sealed_files[] = {"ca.key", "link.key", "tls.key"};

static int fail(const char *why)
{
    (void)fprintf(stderr, "pilotwire-central: %s\n", why);
    return EXIT_FAILURE;
}

static int renew(struct pw_vault *vault, const struct options *options, struct pw_out *why)
{
    int err = PW_OK;
    for (size_t i = 0; err == PW_OK && i < PW_COUNT(sealed_files); i++) {
        char path[512];
        int len = snprintf(path, sizeof(path), "%s/%s", options->data, sealed_files[i]);
        err = len > 0 && (size_t)len < sizeof(path) ? pw_key_renew(path, pw_vault_port(vault), why)
                                                    : PW_ERR_LIMIT;
    }
    return err == PW_OK ? pw_vault_settle(vault, why) : err;
}

struct pw_vault *secrets_open(const struct options *options)
{
    char text[768] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_vault *vault = NULL;
    const struct pw_vault_options wanted = {.folder = options->data,
                                            .tpm = options->tpm,
                                            .credentials = getenv("CREDENTIALS_DIRECTORY")};
    if (pw_vault_open(&vault, &wanted, &why) != PW_OK) {
        (void)fail(text);
        return NULL;
    }
    // What cannot be sealed anew is opened with the old key still, and tried at the next start.
    if (pw_vault_unsettled(vault) && renew(vault, options, &why) != PW_OK) {
        (void)fail(text);
    }
    return vault;
}

// A lock of the folder; it goes with the process. False: another has one, or there is no such
// folder.
static bool hold(const struct options *options, int how)
{
    int folder = open(options->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0 && flock(folder, how) == 0) {
        return true;
    }
    if (folder >= 0) {
        (void)close(folder);
    }
    return false;
}

void secrets_hold(const struct options *options)
{
    (void)hold(options, LOCK_SH);
}

int secrets_rotate(struct pw_vault *vault, const struct options *options)
{
    char text[768] = "";
    struct pw_out why = PW_OUT(text);
    if (!hold(options, LOCK_EX | LOCK_NB)) {
        return fail("the central system runs, and would not know the new key: stop it first");
    }
    if (pw_vault_rotate(vault, &why) != PW_OK || renew(vault, options, &why) != PW_OK) {
        return fail(text);
    }
    (void)printf("This machine has a new key, in %s.\n",
                 pw_vault_place(vault) == PW_VAULT_TPM ? "its TPM" : "device.key");
    return EXIT_SUCCESS;
}

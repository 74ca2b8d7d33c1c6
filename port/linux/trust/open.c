// The keeper: what the folder has, and the row of functions that the station calls.
#include "parts.h"
#include "vault/pem.h"
#include "whole.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int refuse(struct pw_out *why, const char *name, const char *what)
{
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    pw_put_s(why, what);
    return PW_ERR_STORE;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t tail = strlen(end);
    return len >= tail && strcmp(text + len - tail, end) == 0;
}

// The key of the station's page lies in this folder too. All that is done here is to seal it anew
// when the key of the device changes.
static void renew_page_key(struct pw_trust_keeper *keeper)
{
    char path[TRUST_PATH_MAX];
    char text[256];
    struct pw_out why = PW_OUT(text);
    (void)snprintf(path, sizeof(path), "%s/" PW_TRUST_PAGE_KEY, keeper->folder);
    keeper->unsettled = pw_key_renew(path, keeper->secret, &why) != PW_OK || keeper->unsettled;
}

static void load_file(struct pw_trust_keeper *keeper, const char *name)
{
    struct pw_str text = pw_str_of(name);
    struct pw_out unsaid = {.cap = 0};
    if (ends_with(name, PW_WHOLE_BESIDE)) {
        (void)trust_unlink(keeper, name, &unsaid); // what a power cut left half
        return;
    }
    if (pw_str_is(text, PW_TRUST_PAGE_KEY)) {
        renew_page_key(keeper);
        return;
    }
    size_t len = 0;
    bool root = pw_str_starts(text, "central-") || pw_str_starts(text, "maker-");
    bool own = pw_str_starts(text, "own-");
    bool waiting = pw_str_is(text, "waiting.key");
    if ((!root && !own && !waiting) || (!waiting && !ends_with(name, ".pem"))) {
        return;
    }
    char *bytes = trust_read(keeper, name, &len);
    struct pw_str pem = {.at = bytes != NULL ? bytes : "", .len = len};
    if (root) {
        trust_load_root(keeper, name, pem);
    } else if (own) {
        trust_load_own(keeper, name, pem);
    } else {
        trust_load_waiting(keeper, pem);
    }
    if (bytes != NULL) {
        explicit_bzero(bytes, len);
    }
    free(bytes);
}

// In the order of their names, so that a list is the same after every start.
static int load_folder(struct pw_trust_keeper *keeper, struct pw_out *why)
{
    struct dirent **names = NULL;
    if (mkdir(keeper->folder, 0700) != 0 && errno != EEXIST) {
        return refuse(why, keeper->folder, strerror(errno));
    }
    int count = scandir(keeper->folder, &names, NULL, alphasort);
    if (count < 0) {
        return refuse(why, keeper->folder, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        load_file(keeper, names[i]->d_name);
        free(names[i]);
    }
    free((void *)names);
    return PW_OK;
}

static int load_ca_file(struct pw_trust_keeper *keeper, const char *path, struct pw_out *why)
{
    return path[0] == '\0' || pw_authorities_read(path, &keeper->file, why) == PW_OK ? PW_OK
                                                                                     : PW_ERR_STORE;
}

bool pw_trust_settled(const struct pw_trust_keeper *keeper)
{
    return !keeper->unsettled;
}

struct pw_trust_keeper *pw_trust_open(const char *folder, const char *ca_file, bool exclusive,
                                      const struct pw_secret *secret, const struct pw_log *log,
                                      struct pw_out *why)
{
    struct pw_trust_keeper *keeper = calloc(1, sizeof(*keeper));
    if (keeper == NULL) {
        pw_put_s(why, "trust: out of memory");
        return NULL;
    }
    keeper->log = log;
    keeper->secret = secret;
    keeper->exclusive = exclusive;
    int err = pw_str_copy(keeper->folder, sizeof(keeper->folder), pw_str_of(folder));
    if (err != PW_OK) {
        pw_put_s(why, "trust: the folder's name is too long");
    }
    if (err == PW_OK) {
        err = load_ca_file(keeper, ca_file, why);
    }
    if (err == PW_OK) {
        err = load_folder(keeper, why);
    }
    if (err != PW_OK) {
        pw_trust_close(keeper);
        return NULL;
    }
    return keeper;
}

void pw_trust_close(struct pw_trust_keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    for (unsigned i = 0; i < keeper->roots; i++) {
        X509_free(keeper->root[i].certificate);
        X509_free(keeper->root[i].issuer);
    }
    for (unsigned i = 0; i < keeper->owns; i++) {
        trust_free_own(&keeper->own[i]);
    }
    pw_authorities_free(&keeper->file);
    EVP_PKEY_free(keeper->waiting);
    free(keeper);
}

static int port_random(void *context, uint8_t *to, size_t len)
{
    (void)context;
    return RAND_bytes(to, (int)len) == 1 ? PW_OK : PW_ERR_STORE;
}

struct pw_trust pw_trust_port(struct pw_trust_keeper *keeper)
{
    return (struct pw_trust){
        .context = keeper,
        .random = port_random,
        .request = trust_port_request,
        .accept = trust_port_accept,
        .own = trust_port_own,
        .connected = trust_port_connected,
        .retreat = trust_port_retreat,
        .install = trust_port_install,
        .remove = trust_port_remove,
        .list = trust_port_list,
        .valid_roots = trust_port_valid_roots,
        .check_signer = trust_port_check_signer,
        .verify = trust_port_verify,
    };
}

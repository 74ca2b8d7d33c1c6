// Files of the trust port: whole or not at all, also after a power cut.
#include "parts.h"
#include "whole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 32768 };

// What a file with a private key is sealed under: "trust/own-0000001f", "trust/waiting.key". Empty
// for what is no secret.
static struct pw_str sealed_name(const char *name, char to[TRUST_NAME_MAX + 8])
{
    struct pw_str text = pw_str_of(name);
    struct pw_out out = {.cap = TRUST_NAME_MAX + 8};
    out.at = to;
    bool own = pw_str_starts(text, "own-");
    if (!own && !pw_str_is(text, "waiting.key")) {
        return PW_STR("");
    }
    enum { OWN_LEN = sizeof("own-00000000") - 1 };
    text.len = own && text.len > OWN_LEN ? OWN_LEN : text.len;
    pw_put_s(&out, "trust/");
    pw_put(&out, text);
    return pw_out_str(&out);
}

static void path_of(const struct pw_trust_keeper *keeper, const char *name,
                    char path[TRUST_PATH_MAX])
{
    (void)snprintf(path, TRUST_PATH_MAX, "%s/%s", keeper->folder, name);
}

static int put_file(const struct pw_trust_keeper *keeper, const char *name, struct pw_str bytes,
                    bool sync, struct pw_out *why)
{
    char path[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    return pw_whole_write(path, 0600, bytes, sync) == PW_OK
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, name, strerror(errno));
}

int trust_write(const struct pw_trust_keeper *keeper, const char *name, const char *bytes,
                size_t len, bool sync, struct pw_out *why)
{
    char under[TRUST_NAME_MAX + 8];
    struct pw_str sealed = sealed_name(name, under);
    if (sealed.len == 0) {
        return put_file(keeper, name, (struct pw_str){.at = bytes, .len = len}, sync, why);
    }
    char *room = malloc(len + PW_SECRET_EXTRA);
    int whole = room == NULL ? PW_ERR_LIMIT
                             : keeper->secret->seal(keeper->secret->context, sealed,
                                                    (struct pw_str){.at = bytes, .len = len}, room,
                                                    len + PW_SECRET_EXTRA);
    int err = PW_ERR_STORE;
    if (whole < 0) {
        pw_put_s(why, name);
        pw_put_s(why, ": it cannot be sealed: the key of the device is not to be had");
    } else {
        err = put_file(keeper, name, (struct pw_str){.at = room, .len = (size_t)whole}, sync, why);
    }
    free(room);
    return err;
}

int trust_rename(const struct pw_trust_keeper *keeper, const char *from, const char *to,
                 struct pw_out *why)
{
    char old[TRUST_PATH_MAX];
    char new[TRUST_PATH_MAX];
    path_of(keeper, from, old);
    path_of(keeper, to, new);
    return rename(old, new) == 0 && pw_whole_sync_folder(keeper->folder)
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, from, strerror(errno));
}

int trust_unlink(const struct pw_trust_keeper *keeper, const char *name, struct pw_out *why)
{
    char path[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    return (unlink(path) == 0 || errno == ENOENT) && pw_whole_sync_folder(keeper->folder)
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, name, strerror(errno));
}

static char *read_file(const struct pw_trust_keeper *keeper, const char *name, size_t *len)
{
    char path[TRUST_PATH_MAX];
    path_of(keeper, name, path);
    FILE *file = fopen(path, "re");
    char *bytes = file != NULL ? malloc(FILE_MAX) : NULL;
    *len = bytes != NULL ? fread(bytes, 1, FILE_MAX, file) : 0;
    bool whole = bytes != NULL && *len < FILE_MAX && ferror(file) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!whole) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static void say_locked(const struct pw_trust_keeper *keeper, const char *name, int err)
{
    struct pw_line line;
    pw_line(&line, keeper->log, PW_LOG_ERROR, "vault", "locked");
    pw_line_s(&line, "secret", name);
    pw_line_s(&line, "why",
              err == PW_ERR_UNKNOWN
                  ? "it is sealed with a key that this device does not have: ask for a new "
                    "certificate"
                  : "it is damaged, or was not sealed here: ask for a new certificate");
    pw_line_end(&line);
}

// Opens what was read, in place: what is open is shorter.
static int open_bytes(struct pw_trust_keeper *keeper, const char *name, struct pw_str under,
                      char *bytes, size_t len)
{
    const struct pw_secret *secret = keeper->secret;
    struct pw_str sealed = {.at = bytes, .len = len};
    bool stale = secret->stale(secret->context, sealed);
    int opened = secret->open(secret->context, under, sealed, bytes, FILE_MAX);
    char text[160];
    struct pw_out why = PW_OUT(text);
    if (opened > 0 && stale &&
        trust_write(keeper, name, bytes, (size_t)opened, true, &why) != PW_OK) {
        keeper->unsettled = true;
    }
    return opened;
}

char *trust_read(struct pw_trust_keeper *keeper, const char *name, size_t *len)
{
    char under[TRUST_NAME_MAX + 8];
    struct pw_str sealed = sealed_name(name, under);
    char *bytes = read_file(keeper, name, len);
    if (bytes == NULL || sealed.len == 0) {
        return bytes;
    }
    int opened = open_bytes(keeper, name, sealed, bytes, *len);
    if (opened < 0) {
        say_locked(keeper, name, opened);
        free(bytes);
        *len = 0;
        return NULL;
    }
    *len = (size_t)opened;
    return bytes;
}

// The key of the device in a file that only its owner can read, and as a systemd credential.
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int path_of(const char *folder, const char *name, char path[VAULT_PATH_MAX],
                   struct pw_out *why)
{
    int len = snprintf(path, VAULT_PATH_MAX, "%s/%s", folder, name);
    return len > 0 && len < VAULT_PATH_MAX
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, folder, "the path is too long");
}

// Who can write the folder can put another key in its place.
static int check_folder(const char *folder, struct pw_out *why)
{
    struct stat have;
    if (stat(folder, &have) != 0) {
        return pw_refuse(why, PW_ERR_STORE, folder, strerror(errno));
    }
    if (!S_ISDIR(have.st_mode)) {
        return pw_refuse(why, PW_ERR_STORE, folder, "it is no folder");
    }
    if (have.st_uid != geteuid() && have.st_uid != 0) {
        return pw_refuse(why, PW_ERR_STORE, folder,
                         "it belongs to another user: the key of the device is not safe there");
    }
    return (have.st_mode & (S_IWGRP | S_IWOTH)) == 0
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, folder,
                           "others can write it: the key of the device is not safe there; "
                           "chmod go-w");
}

int vault_folder(const char *folder, struct pw_out *why)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return pw_refuse(why, PW_ERR_STORE, folder, strerror(errno));
    }
    return check_folder(folder, why);
}

// A credential may belong to root, with an entry for us in its access list; its folder is closed.
static int check_owner(int fd, const char *path, bool credential, struct pw_out *why)
{
    struct stat have;
    if (fstat(fd, &have) != 0) {
        return pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
    }
    if (!S_ISREG(have.st_mode)) {
        return pw_refuse(why, PW_ERR_STORE, path, "it is no file");
    }
    if (have.st_uid != geteuid() && !(credential && have.st_uid == 0)) {
        return pw_refuse(why, PW_ERR_STORE, path, "it belongs to another user");
    }
    return (have.st_mode & (credential ? S_IRWXO : S_IRWXG | S_IRWXO)) == 0
               ? PW_OK
               : pw_refuse(why, PW_ERR_STORE, path,
                           "others can read it, so it is no secret any more; chmod 600, and "
                           "make a new one with --rotate-device-key");
}

static int read_all(int fd, const char *path, char *to, size_t cap, struct pw_out *why)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = read(fd, to + len, cap - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
        }
        len += (size_t)got;
        if (got == 0) {
            return (int)len;
        }
        if (len == cap) {
            return pw_refuse(why, PW_ERR_PEER, path, "it is damaged: too long");
        }
    }
}

int vault_file_read(const char *folder, const char *name, bool credential, char *to, size_t cap,
                    struct pw_out *why)
{
    char path[VAULT_PATH_MAX];
    int err = path_of(folder, name, path, why);
    if (err != PW_OK) {
        return err;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? PW_ERR_UNKNOWN
                               : pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
    }
    err = check_owner(fd, path, credential, why);
    int len = err == PW_OK ? read_all(fd, path, to, cap, why) : err;
    (void)close(fd);
    return len;
}

int vault_file_write(const char *folder, const char *bytes, size_t len, struct pw_out *why)
{
    char path[VAULT_PATH_MAX];
    int err = path_of(folder, VAULT_FILE, path, why);
    if (err == PW_OK &&
        pw_whole_write(path, 0600, (struct pw_str){.at = bytes, .len = len}, true) != PW_OK) {
        err = pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
    }
    return err;
}

int vault_file_remove(const char *folder, struct pw_out *why)
{
    char path[VAULT_PATH_MAX];
    int err = path_of(folder, VAULT_FILE PW_WHOLE_BESIDE, path, why);
    if (err == PW_OK) {
        (void)unlink(path); // what a power cut left of a key that was being written
        err = path_of(folder, VAULT_FILE, path, why);
    }
    if (err == PW_OK && ((unlink(path) != 0 && errno != ENOENT) || !pw_whole_sync_folder(folder))) {
        err = pw_refuse(why, PW_ERR_STORE, path, strerror(errno));
    }
    return err;
}

int vault_credential(const char *folder, uint8_t key[PW_DEVICE_KEY_BYTES], struct pw_out *why)
{
    char bytes[2 * PW_DEVICE_KEY_BYTES + 2];
    int len = vault_file_read(folder, VAULT_FILE, true, bytes, sizeof(bytes), why);
    if (len < 0) {
        return len;
    }
    int err = PW_OK;
    struct pw_str text = pw_str_trim((struct pw_str){.at = bytes, .len = (size_t)len});
    if (len == PW_DEVICE_KEY_BYTES) {
        memcpy(key, bytes, PW_DEVICE_KEY_BYTES);
    } else if (pw_parse_hex(text, key, PW_DEVICE_KEY_BYTES) != PW_DEVICE_KEY_BYTES) {
        err = pw_refuse(why, PW_ERR_PEER, "credential " VAULT_FILE,
                        "it must be 32 bytes, or 64 hexadecimal digits");
    }
    pw_secret_wipe(bytes, sizeof(bytes));
    return err;
}

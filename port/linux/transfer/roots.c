// Whom a server of files may be vouched for by: the roots that were installed for the central
// system (core/trust) and those of ocpp.ca_file, as on the connection to the central system itself.
#include "parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOTS_MAX = 524288 }; // bytes of PEM

static void append(struct pw_carrier_job *job, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 1;
    while (fd >= 0 && got > 0 && job->roots_len < ROOTS_MAX - 1) {
        got = read(fd, job->roots + job->roots_len, ROOTS_MAX - 1 - job->roots_len);
        job->roots_len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    job->roots[job->roots_len++] = '\n';
}

// "central-<hash>.pem", and not the one that is only fallen back to.
static bool is_root(const char *name)
{
    struct pw_str text = pw_str_of(name);
    return pw_str_starts(text, "central-") && text.len > 4 &&
           strcmp(name + text.len - 4, ".pem") == 0 && strstr(name, "-fallback") == NULL;
}

bool pw_carrier_collect_roots(struct pw_carrier_job *job, const struct pw_carrier_roots *roots)
{
    char path[PW_CARRIER_PATH_SIZE * 2];
    DIR *folder = roots->folder[0] == '\0' ? NULL : opendir(roots->folder);
    bool any = false;
    job->roots = malloc(ROOTS_MAX);
    if (job->roots == NULL) {
        if (folder != NULL) {
            (void)closedir(folder);
        }
        return false;
    }
    for (const struct dirent *at = NULL; folder != NULL && (at = readdir(folder)) != NULL;) {
        if (is_root(at->d_name)) {
            (void)snprintf(path, sizeof(path), "%s/%s", roots->folder, at->d_name);
            append(job, path);
            any = true;
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    if (roots->ca_file[0] != '\0' && !(any && roots->exclusive)) {
        append(job, roots->ca_file);
    }
    return true;
}

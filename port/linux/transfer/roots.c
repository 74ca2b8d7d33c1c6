// Whom a server of files may be vouched for by: the roots that were installed for the central
// system (core/trust) and those of ocpp.ca_file, as on the connection to the central system itself.
#include "parts.h"
#include "peer/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOTS_MAX = 2097152
}; // bytes of PEM: a file of authorities and lists, and what is installed

// What cannot be read, or does not fit, is left out. The line that is there all the same keeps the
// system's store from being trusted in its place.
static void append(struct pw_carrier_job *job, const char *path)
{
    char text[160];
    struct pw_out why = PW_OUT(text);
    size_t room = ROOTS_MAX - job->roots_len;
    size_t len = 0;
    char *pem = room > 1 ? pw_peer_file(path, room - 1, &len, &why) : NULL;
    if (pem != NULL) {
        memcpy(job->roots + job->roots_len, pem, len);
        job->roots_len += len;
    }
    if (room > 0) {
        job->roots[job->roots_len++] = '\n';
    }
    free(pem);
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

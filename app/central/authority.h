// authority: what the program does with its authority for certificates, and the files of its TLS.
#ifndef PW_APP_CENTRAL_AUTHORITY_H
#define PW_APP_CENTRAL_AUTHORITY_H

#include "central_ca.h"
#include "httpd.h"
#include "options.h"

#define AUTHORITY_PATH_MAX 512

// The files of --tls-listen, as options or the data folder have them.
struct tls_files {
    char certificate[AUTHORITY_PATH_MAX];
    char key[AUTHORITY_PATH_MAX];
    char client_ca[AUTHORITY_PATH_MAX]; // empty: nobody vouches
    struct pw_httpd_tls tls;
};

// Opens the authority if the data folder holds one; *ca stays NULL without. False with a message
// printed when there is one that cannot be used.
bool authority_open(struct pw_central_ca_openssl **ca, const struct options *options,
                    const struct pw_secret *secret);
// Who vouches for stations' certificates at one of our doors: the file `given`, or else our own
// authority; NULL when there is none. `to` gets the path.
const char *authority_clients(char to[AUTHORITY_PATH_MAX], const struct options *options,
                              const char *given);
// NULL without --tls-listen.
// Without --tls-key the key is ours, and sealed.
const struct pw_httpd_tls *authority_tls(struct tls_files *files, const struct options *options,
                                         const struct pw_secret *secret);
// Whether TLS can be served with these files. False with a message printed that says which one is
// no good, and why.
bool authority_check(const struct pw_httpd_tls *tls);
// The tasks; what they return is the program's exit status.
int authority_task(const struct options *options, const struct pw_secret *secret, pw_unix_ms now);

#endif

// program: what one run of pilotwire-central holds, and its parts: tasks of the command line
// (tasks), station links (links), releases and logs (releases), the first user (first_user),
// serving (serve).
#ifndef PW_APP_CENTRAL_PROGRAM_H
#define PW_APP_CENTRAL_PROGRAM_H

#include "authority.h"
#include "central.h"
#include "central_depot.h"
#include "central_store.h"
#include "clock.h"
#include "derive.h"
#include "linkserver.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "reload.h"
#include "secrets.h"
#include "service.h"
#include "web.h"

#define PROGRAM_PATH_MAX 512

// Certificate and key that station links show, and who vouches for stations there.
struct identity {
    char certificate[PROGRAM_PATH_MAX];
    char key[PROGRAM_PATH_MAX];
    bool make; // both are ours: made when they are not there, and the key is sealed
    char clients[PROGRAM_PATH_MAX];
    const char *client_ca; // `clients`, who vouches for stations there; NULL: nobody
};

struct program {
    struct options options;
    struct pw_clock clock;
    struct pw_logger logger;
    struct pw_loop loop;
    struct pw_central_store store;
    struct pw_vault *vault;
    struct pw_web *web;
    struct pw_linkserver *links;      // NULL: no station links
    struct pw_derive *derive;         // NULL: nothing is served
    struct pw_central_ca_openssl *ca; // NULL: certificates are not signed here
    struct tls_files tls;
    struct reload reload;
    struct identity identity;      // its files
    struct pw_folder_depot *depot; // releases and logs
    struct pw_release_crypto crypto;
    struct pw_release_root root; // with options.release_root
    char url[256];               // under which stations reach us …
    char url_tls[256];           // … and with TLS; empty: not
    struct pw_service service;
    struct pw_clock pace; // real time, for the service manager
    struct pw_central *central;
};

// Says on standard error what went wrong; EXIT_FAILURE.
int program_fail(const char *what, const char *name, const char *why);
struct pw_instant program_now(const struct program *program);
// The central's logic, with whatever is open; `net` NULL: nothing is served. False with a message
// printed.
bool program_central(struct program *program, const struct pw_central_net *net);
// "folder" and "/name", one behind the other; PROGRAM_PATH_MAX bytes. What does not fit is cut off.
void program_path(char *to, const char *folder, const char *name);

// tasks.c: does what the options ask for on the database; the program's exit status.
int tasks_run(struct program *program);

// links.c: the files of station links, as options or the data folder have them.
void links_identity(struct identity *identity, const struct options *options);
// Opens the listener of station links, if they are wanted. False with a message printed.
bool links_open(struct program *program);
// Prints what stations pin; the program's exit status.
int links_show_pin(const struct options *options, const struct pw_secret *secret);

// releases.c: false with a message printed.
bool releases_open(struct program *program); // the folder of releases and logs
bool releases_read_root(struct program *program);

// first_user.c: makes `admin` with a password where nobody is. False with a message printed.
bool first_user(struct program *program);

// serve.c: serves until a signal ends it; the program's exit status.
int serve(struct program *program);

#endif

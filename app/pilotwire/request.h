// request: what the command line asked for, and the exit codes.
#ifndef PW_APP_PILOTWIRE_REQUEST_H
#define PW_APP_PILOTWIRE_REQUEST_H

#include "table.h"

#define ARGUMENTS_MAX 16

enum { EXIT_DONE = 0, EXIT_UNREACHABLE = 1, EXIT_USAGE = 2, EXIT_REFUSED = 3 };

struct request {
    const char *station;       // control socket
    const char *central;       // URL; NULL: talk to the station
    const char *user;          // at the central system
    const char *ca_file;       // of an https central; NULL: the system's store
    const char *password_file; // NULL: environment or prompt
    const char *card;          // NULL: none given
    const char *filter;        // --of: station id for lists; NULL: all
    const char *limit;         // NULL: the other side's default
    const char *lease;         // of a limit, seconds; NULL: 300
    const char *fallback;      // what then counts, ampere; NULL: 6
    const char *find;          // a piece of a log line; NULL: all
    const char *level;         // of log lines; NULL: all
    const char *key;           // public key of a meter, or its file; NULL: the one that is known
    const char *certificate;   // file of who signed a program, PEM; NULL: not signed
    const char *signature;     // file of the signature, as openssl makes it
    bool trusted_network;      // passwords may go to --central over http
    bool force;
    bool at_once; // --now: an update does not wait for charges
    bool follow;
    bool help;
    bool version;
    enum form form;
    const char *word; // the command; NULL: none
    const char *argument[ARGUMENTS_MAX];
    size_t arguments;
};

// Says what is wrong on standard error and gives the exit code back.
int fail_with(int code, const struct pw_out *why);
int fail_usage(const char *what, const char *about);

int run_station(const struct request *request);
int run_update(const struct request *request); // its word is update
int run_board(const struct request *request);  // its word is rapi
int run_central(const struct request *request);

#endif

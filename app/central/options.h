// options: the command line of pilotwire-central.
#ifndef PW_APP_CENTRAL_OPTIONS_H
#define PW_APP_CENTRAL_OPTIONS_H

#include "base/base.h"

#include <stdio.h>

enum task {
    TASK_SERVE,
    TASK_STATION_ADD,
    TASK_STATION_LIST,
    TASK_STATION_REMOVE,
    TASK_USER_ADD,
    TASK_USER_LIST,
    TASK_USER_ROLE,
    TASK_USER_REMOVE,
    TASK_USER_PASSWORD,
    TASK_CARD_ADD,
    TASK_LINK_PIN,
    TASK_CA_INIT,
    TASK_CA_SHOW,
    TASK_CA_SERVER,
    TASK_KEY_ROTATE,
    TASK_HELP,
    TASK_VERSION,
};

struct options {
    enum task task;
    char host[64]; // of --listen; empty: all addresses
    uint16_t port;
    bool links;         // take station links
    bool link_given;    // --link-listen was there
    char link_host[64]; // of --link-listen
    uint16_t link_port;
    const char *link_cert; // NULL: made in the data folder
    const char *link_key;
    const char *link_client_ca; // NULL: whom --tls-client-ca names, or our own authority
    bool tls;                   // --tls-listen was there
    char tls_host[64];
    uint16_t tls_port;
    const char *tls_cert; // NULL: tls.crt and tls.key in the data folder
    const char *tls_key;
    const char *tls_client_ca; // NULL: our own authority
    const char *data;
    const char *tpm; // where the key of this machine is: auto, off, or how to reach a TPM
    enum pw_level level;
    const char *own_host;      // --host
    const char *trusted_proxy; // "": none
    const char *public_url;    // NULL: made of the listeners
    const char *release_root;  // file; NULL: releases are not judged here
    bool accept_unknown;
    bool replace;
    bool from_stdin;
    int64_t heartbeat_s;
    const char *name;  // station id, user or card
    const char *role;  // --role, or of user role
    const char *label; // a card's name
};

// False when it cannot be understood: `why` then says what is wrong and what is allowed.
bool options_read(struct options *options, int argc, char **argv, char *why, size_t cap);
void options_help(FILE *to);

#endif

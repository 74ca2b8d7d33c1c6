// server: the real central system with many streets at it, in virtual time and one process: its
// ports, the OCPP link of each street, and a person's requests over HTTP. What happens follows from
// the seed.
#ifndef PW_STREET_SERVER_H
#define PW_STREET_SERVER_H

#include "central.h"
#include "central_store.h"
#include "street.h"

#define SERVER_KEY "sixteen-or-more-1" // every station's

struct server;

// A street's place at the server.
struct server_line {
    struct server *server;
    struct street *street;
    char id[8];    // of the station
    uint64_t ocpp; // number of the link at the central; 0: none
    bool hang_up;  // the central wants it closed
    bool pinged;   // and waits for the answer
    bool deaf;     // nothing arrives, either way, and nobody is told
    bool cut;      // no link can be made
    pw_ms next;    // the street's next turn
};

struct server {
    pw_ms now;
    pw_unix_ms wall;
    struct pw_noise dice;
    struct pw_central_store store;
    struct pw_central *central; // NULL while it is down
    pw_ms central_at;           // its next step
    struct pw_central_config config;
    struct pw_central_net net;
    struct pw_central_crypto crypto;
    uint64_t numbers; // of links, wires and requests given out
    struct server_line *line;
    unsigned lines;
    char cookie[128]; // of who is logged in
    char csrf[64];
};

// A database, and the ports that the central sees; `config` may be changed before the start.
void server_open(struct server *server, unsigned lines, uint64_t seed, const char *version);
void server_start(struct server *server);
// Every link ends.
void server_stop(struct server *server);
// The streets must have been closed before.
void server_close(struct server *server);

// Joins a street to the central as this station; before its power comes on.
void server_join(struct server *server, unsigned line, struct street *street, const char *id);
uint64_t server_roll(struct server *server, uint64_t sides);
struct pw_instant server_at(const struct server *server);
// Before a turn of the line's street: its WebSocket answers by itself.
void server_answer_ping(struct server_line *line);
// When something is due: the central, or a street.
pw_ms server_next(const struct server *server);

// One number out of the central's database; -1: none.
int64_t server_count(struct server *server, const char *sql);
void server_login(struct server *server);
// What a person asks for and gets; aborts with the answer otherwise.
void server_request(struct server *server, enum pw_http_method method, const char *path,
                    const char *body);
// The same with a body in pieces.
void server_bring(struct server *server, const char *path, const uint8_t *bytes, size_t len);

#endif

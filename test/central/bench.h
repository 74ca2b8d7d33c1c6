// bench: a central on an in-memory database, with a network that only remembers and a clock that
// moves when told.
#ifndef PW_TEST_CENTRAL_BENCH_H
#define PW_TEST_CENTRAL_BENCH_H

#include "central_store.h"
#include "state.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENT_MAX 64
#define WALL0    INT64_C(1780000000000) // 2026-05-28T20:26:40Z

struct sent {
    uint64_t link;
    char text[4096];
};

struct bench {
    struct pw_central_store store;
    struct pw_db db; // the store's, through which faults are put in
    struct pw_central_net net;
    struct pw_central *central;
    struct pw_central_config config;
    struct pw_instant at;
    uint64_t links; // numbers given out
    struct sent sent[SENT_MAX];
    size_t sent_count;
    uint64_t pinged; // link of the last ping
    size_t pings;
    uint64_t answering; // the link whose peer answers pings; 0: none
    uint64_t paused;
    uint64_t closed; // link last asked to close
    unsigned close_code;
    bool full;        // sending fails: the peer does not read
    int fail_commits; // so many commits fail from now
    size_t derivations;
    // Derivations asked for beside the loop, oldest first; bench_derive does one.
    struct bench_job {
        uint64_t number;
        char password[64];
        uint8_t salt[16];
        unsigned cost;
    } job[PW_CENTRAL_DERIVE_MAX];
    size_t jobs;
    uint64_t again; // the next HTTP request is this one, served again; 0: a new one
    uint64_t streams_ready;
    // Of the last HTTP answer.
    struct pw_http_reply reply;
    char body[65536];
    char cookie[128];
    char csrf[64];
    const char *host;
    const char *origin;
    const char *address;
    const char *authorization;
};

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);
// Ends the central and starts a new one on the same database.
void bench_restart(struct bench *bench);
// Lets time pass; what becomes due is done at its instant.
void bench_pass(struct bench *bench, pw_ms span);

// The status of a handshake. *link is its number.
int bench_handshake(struct bench *bench, const char *path, const char *user, const char *password,
                    uint64_t *link);
// A station with a key, connected; its link.
uint64_t bench_station(struct bench *bench, const char *id);
// The link breaks, as the port reports it.
void bench_break(struct bench *bench, uint64_t link);
void bench_text(struct bench *bench, uint64_t link, const char *text);
// Sends and returns what was answered on this link once that is durable; "" for nothing.
const char *bench_ask(struct bench *bench, uint64_t link, const char *text);
// The last frame sent on a link, "" without one.
const char *bench_last(const struct bench *bench, uint64_t link);

void bench_login(struct bench *bench); // as admin
void bench_login_as(struct bench *bench, const char *user, const char *password);
// From now on passwords are derived beside the loop: what waits is done by bench_derive.
void bench_derive_later(void);
void bench_derive(struct bench *bench);
// The status; the body is in bench->body. `target` may hold a query.
int bench_http(struct bench *bench, enum pw_http_method method, const char *target,
               const char *body);
// One number out of the database.
int64_t bench_count(struct bench *bench, const char *sql);

#define assert_has(text, part)                                                                     \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL) {                                                      \
            print_error("%s\nhas not %s\n", (text), (part));                                       \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

#endif

// peer: the station's end of a station link (proto/link), joined to a central on virtual time by
// wires that may be cut.
#ifndef PW_TEST_CENTRAL_PEER_H
#define PW_TEST_CENTRAL_PEER_H

#include "bench.h"
#include "link/link.h"

#define PEER_BYTES 262144

struct peer {
    struct bench *bench;
    struct pw_link_station end;
    uint64_t wire; // 0: none
    bool closed;   // the central asked for it
    bool deaf;     // nothing arrives any more, either way; nobody is told
    bool full;     // takes no bytes
    // What it shows in its handshake; NULL: no certificate.
    const struct pw_central_certificate *certificate;
    size_t len; // bytes from the central
    uint8_t bytes[PEER_BYTES];
    // Its answers, and the last request it got.
    enum pw_link_error_code code;
    struct pw_str text;
    bool silent; // does not answer
    unsigned requests;
    uint8_t type;
    struct pw_link_set_limit limit;
    struct pw_link_energize energize;
    char id_tag[32];
    char reason[64];
    // Answers a message of firmware; NULL: they are answered as orders are.
    void (*firmware)(struct peer *peer, const struct pw_link_message *message);
    // What it tells.
    struct pw_link_snapshot snapshot;
    struct pw_link_connector connector;
};

// A station with a key in the central's database, its link not yet open. `boot`: any number but 0.
void peer_make(struct peer *peer, struct bench *bench, const char *id, uint64_t boot);
// Lets time pass for central and stations; bytes go to and fro at once.
void peers_pass(struct peer *const *peers, size_t count, pw_ms span);
void peer_pass(struct peer *peer, pw_ms span);
// The connection breaks; both ends learn it.
void peer_cut(struct peer *peer);
void peer_tell(struct peer *peer, enum pw_link_event_kind kind, int64_t value, const char *text);

#endif

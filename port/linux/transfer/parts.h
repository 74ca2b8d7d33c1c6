// parts: what the files of the carrier share among themselves. Nobody else includes this, but the
// tests of addresses.
#ifndef PW_LINUX_CARRIER_PARTS_H
#define PW_LINUX_CARRIER_PARTS_H

#include "carrier.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    PW_CARRIER_PATH_SIZE = 512,
    PW_CARRIER_TAG_SIZE = 200,
};

// One transfer, held by the carrier and by its thread; the last one frees it.
struct pw_carrier_job {
    pthread_mutex_t lock; // around what follows
    struct pw_loop *loop; // NULL once nobody waits any more
    unsigned holders;
    struct pw_transfer_state state;

    atomic_bool cancel;
    // Set before the thread starts.
    enum pw_transfer_lane lane;
    char url[PW_TRANSFER_URL_MAX + PW_TRANSFER_NAME_MAX + 2]; // where it goes, or comes from
    struct pw_proxy proxy;
    char *roots; // PEM; owned
    size_t roots_len;
    char path[PW_CARRIER_PATH_SIZE]; // DOWN
    char tag_path[PW_CARRIER_PATH_SIZE];
    uint64_t most_bytes;
    uint32_t most_s;
    uint32_t patience_s;
    int fd;               // the upload's file, or the download's
    uint64_t size;        // of the upload
    uint64_t first_bytes; // DOWN: so many are enough; 0: all
    uint64_t handed_in;   // DOWN: handed in, so many bytes in all; 0: from the URL
    uint64_t taken;       // ... of it are there; the loop's
    // The thread's own.
    uint64_t have;                 // bytes of the download on the disk
    char tag[PW_CARRIER_TAG_SIZE]; // what the server calls the version that is there; "": nothing
    char new_tag[PW_CARRIER_TAG_SIZE];
    uint64_t range_from; // as the server says; UINT64_MAX: it does not
    size_t head_bytes;   // of the answer so far
    long status;         // of the answer being read
    off_t read_at;
    unsigned hop;      // redirects followed
    bool proxied;      // this request goes through the proxy
    bool answered;     // ... whose answer is there
    unsigned networks; // set of enum pw_network_class that the URL itself led to
    bool begun;        // the first byte of this answer came
    bool again;        // the part does not fit: once more from the start
    bool forbidden;
    bool large;
    bool full;
    bool enough; // first_bytes are there
    bool post;
    bool old_tls;  // no newer than TLS 1.2
    pw_ms told_at; // progress
};

// True while so many bytes more leave the disk what the journal may need (and the slot of an
// update).
bool pw_carrier_has_room(const struct pw_carrier_job *job, uint64_t bytes);

// curl.c: carries it out, in the thread; fills the end of *state.
void pw_carrier_run(struct pw_carrier_job *job);
// carrier.c: progress, and whether to go on.
bool pw_carrier_goes_on(struct pw_carrier_job *job, uint64_t bytes, uint64_t total);

// roots.c: fills job->roots; false: no memory.
bool pw_carrier_collect_roots(struct pw_carrier_job *job, const struct pw_carrier_roots *roots);

// address.c
enum pw_network_class {
    PW_NETWORK_PUBLIC = 1,
    PW_NETWORK_LOOPBACK = 2,
    PW_NETWORK_PRIVATE = 4,
    PW_NETWORK_LINK_LOCAL = 8,
    PW_NETWORK_NONE = 16, // multicast, unspecified, broadcast: nobody's address
};
enum pw_network_class pw_network_class_of(const struct sockaddr *address);
// Of a host that the proxy will look up, as far as it says so: an address is what it is, in
// whatever way it is written; a name without a dot, or of a domain for private networks, is
// PRIVATE, another PUBLIC. NONE for what is neither.
enum pw_network_class pw_network_class_of_host(struct pw_str host);
// Whether the `hop`th redirect (0: the URL itself) may lead there; notes the classes of the URL.
bool pw_network_may(unsigned *networks, unsigned hop, enum pw_network_class where);

#endif

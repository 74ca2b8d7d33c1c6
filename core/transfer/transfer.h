// transfer: the port contract for moving files in the background. An upload is made of pieces that
// the station produces while it steps; a download goes to a place that the port owns, and can go on
// where it was cut. It is fetched from a URL, or handed in piece by piece by whoever has the bytes.
// One of each at a time. Nothing here waits; the port wakes its loop when something has changed.
// Sources: OCPP 1.6 §8, errata 3.90; security whitepaper N01, L01; facts/reliability.md T11, T13.
#ifndef PW_TRANSFER_H
#define PW_TRANSFER_H

#include "base/base.h"
#include "hmac/hmac.h"

#define PW_TRANSFER_URL_MAX  512 // bytes
#define PW_TRANSFER_NAME_MAX 120 // bytes of an upload's file name
#define PW_TRANSFER_WHY_MAX  160 // a sentence and its NUL
#define PW_TRANSFER_HOPS_MAX 3   // redirects followed

enum pw_transfer_lane { PW_TRANSFER_UP, PW_TRANSFER_DOWN, PW_TRANSFER_LANES };

// How a transfer stands. Everything from DONE on is an end.
#define PW_TRANSFER_ENDS(X)                                                                        \
    X(IDLE, "idle")               /* none was begun, or it was ended by us */                      \
    X(RUNNING, "running")         /* */                                                            \
    X(DONE, "done")               /* whole */                                                      \
    X(UNSUPPORTED, "unsupported") /* no such protocol here, or the server does not do it */        \
    X(FORBIDDEN, "forbidden")     /* it leads where a station must not go */                       \
    X(UNREACHABLE, "unreachable") /* no name, no connection */                                     \
    X(UNTRUSTED, "untrusted")     /* the server's certificate */                                   \
    X(DENIED, "denied")           /* user name, password, permission */                            \
    X(MISSING, "missing")         /* there is no such file */                                      \
    X(STRANGE, "strange")         /* an answer that makes no sense */                              \
    X(CUT, "cut")                 /* it began and broke off */                                     \
    X(SLOW, "slow")               /* too slow, or too long */                                      \
    X(LARGE, "large")             /* larger than allowed */                                        \
    X(FULL, "full")               /* no room where it goes */

#define PW_TRANSFER_END_ID(name, word) PW_TRANSFER_##name,
enum pw_transfer_end { PW_TRANSFER_ENDS(PW_TRANSFER_END_ID) PW_TRANSFER_END_ROWS };
#undef PW_TRANSFER_END_ID

struct pw_transfer_job {
    struct pw_str url; // http, https, ftp, ftps; 1 to PW_TRANSFER_URL_MAX bytes. Borrowed. DOWN and
                       // empty: the bytes are handed in with `deliver`
    struct pw_str name;  // UP: the file's name, appended where the URL names a folder. Borrowed
    uint64_t most_bytes; // more is refused, at once where the other side says its length
    uint32_t most_s;     // for the whole
    uint32_t patience_s; // so long it may be slower than 64 bytes a second
    bool resume;         // DOWN: the same file was being loaded before; what is there may be kept
    // DOWN from a URL: only so many from the front of the file, then it is DONE (or all of a
    // shorter one); 0: the whole. `resume` goes on from there.
    uint64_t first_bytes;
    uint64_t total; // DOWN without a URL: bytes of the whole file
};

struct pw_transfer_state {
    enum pw_transfer_end end;
    uint64_t bytes;                // moved so far, with what was there before
    uint64_t total;                // 0: not known
    uint8_t sha256[PW_SHA256_LEN]; // of the whole file; DOWN and DONE only
    char why[PW_TRANSFER_WHY_MAX]; // how it ended, for people; never a user name or password
};

struct pw_transfer {
    void *context;
    // Begins one, and ends the lane's last. PW_ERR_RANGE: a URL that cannot be used, PW_ERR_LIMIT:
    // no memory, thread or file; *why says it in a sentence.
    int (*begin)(void *context, enum pw_transfer_lane lane, const struct pw_transfer_job *job,
                 struct pw_out *why);
    // UP: the next bytes; returns how many were taken, 0 when none can be now.
    size_t (*give)(void *context, struct pw_str bytes);
    // UP: that was all.
    void (*given)(void *context);
    void (*state)(void *context, enum pw_transfer_lane lane, struct pw_transfer_state *state);
    // DOWN without a URL: the next bytes. Those that are there already are skipped. PW_OK;
    // PW_ERR_RANGE: a gap (state's `bytes` says where to go on), or beyond `total`; PW_ERR_BUSY: no
    // such download is open; PW_ERR_STORE: no room, the download has ended as FULL. The byte that
    // makes it whole ends the handing in: it is hashed in the background, then DONE.
    int (*deliver)(void *context, uint64_t offset, struct pw_str bytes);
    // Ends it; a part of a download stays for `resume`. Harmless when idle.
    void (*end)(void *context, enum pw_transfer_lane lane);
    // Deletes what was downloaded, whole or not.
    void (*forget)(void *context);
};

// "http", "https", "ftp" or "ftps" when the URL begins with one of them and ://, in any case of
// letters, and has a host; else NULL. Control characters and spaces are no part of a URL.
const char *pw_transfer_scheme(struct pw_str url);
// The URL as people and logs may see it: without user name, password and query.
void pw_transfer_put_url(struct pw_out *out, struct pw_str url);
// Where a file goes: the URL, and the name behind it where it names a folder. That is so with a
// path that is empty or ends in "/", and for ftp and ftps also when its last part has no dot; a URL
// with a query is taken as it is (OCPP 1.6 §6.25 calls the location a directory, whitepaper N01 the
// URL of the file).
void pw_transfer_put_target(struct pw_out *out, struct pw_str url, struct pw_str name);

#endif

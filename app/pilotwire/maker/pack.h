// pack: release files on this machine's disk, read and written piece by piece.
#ifndef PW_APP_PILOTWIRE_MAKER_PACK_H
#define PW_APP_PILOTWIRE_MAKER_PACK_H

#include "release/release.h"
#include "request.h"

// A file beside its name until it is whole.
struct draft {
    FILE *to;
    char name[2048];
    char beside[2064];
};
int draft_open(struct draft *draft, const char *name, struct pw_out *why);
int draft_put(struct draft *draft, const void *at, size_t len, struct pw_out *why);
// Gives it its name when `code` is EXIT_DONE, throws it away otherwise. The exit code.
int draft_end(struct draft *draft, int code, struct pw_out *why);

// A release file, or its head by itself.
struct pack {
    FILE *from;
    const char *name;
    uint8_t head[PW_RELEASE_HEAD_MAX];
    uint32_t head_len;
    uint64_t size; // of the file
    struct pw_release release;
    struct pw_release_parts parts; // in `head`
};
int pack_open(struct pack *pack, const char *name, struct pw_out *why);
void pack_close(struct pack *pack);
bool pack_is_head(const struct pack *pack);
// As pw_release_judge wants it.
struct pw_str pack_head(const struct pack *pack);

// Bytes on their way; how far they are is told to a terminal when it takes long.
struct stream {
    FILE *from;
    const char *name;
    struct draft *to; // NULL: they are only hashed
    uint64_t done;
    uint64_t total;
    unsigned shown; // percent
};
// The next `len` bytes, and their hash. EXIT_UNREACHABLE with *why: there are fewer, or the disk is
// full.
int stream_take(struct stream *stream, uint64_t len, uint8_t sha256[PW_SHA256_LEN],
                struct pw_out *why);

// Signatures, key ids in rising order.
struct signatures {
    uint8_t at[PW_RELEASE_ROOT_SIGNATURES_MAX * PW_RELEASE_SIGNATURE_LEN];
    uint8_t count;
};
void signatures_load(struct signatures *signatures, const uint8_t *at, uint8_t count);
// One of the same key is replaced. False: there are `most` already.
bool signatures_add(struct signatures *signatures, uint8_t most,
                    const uint8_t added[PW_RELEASE_SIGNATURE_LEN]);
int draft_put_signatures(struct draft *draft, const struct signatures *signatures,
                         struct pw_out *why);

// The pack with these signatures to a file of this name, which may be its own.
int pack_write(struct pack *pack, const struct signatures *signatures, const char *name,
               struct pw_out *why);

// 20 bytes and what follows them.
int draft_put_head(struct draft *draft, struct pw_str roots, struct pw_str manifest,
                   const struct signatures *signatures, struct pw_out *why);

#endif

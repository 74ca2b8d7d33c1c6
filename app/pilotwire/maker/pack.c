#include "maker/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 16, SHOWN_FROM = 32 << 20 };

// ---------------------------------------------------------------------------------------------
// Writing.

int draft_open(struct draft *draft, const char *name, struct pw_out *why)
{
    draft->to = NULL;
    if (pw_str_copy(draft->name, sizeof(draft->name), pw_str_of(name)) != PW_OK) {
        return pw_refuse(why, EXIT_USAGE, name, "is too long for a name");
    }
    (void)snprintf(draft->beside, sizeof(draft->beside), "%s.XXXXXX", name);
    int file = mkostemp(draft->beside, O_CLOEXEC);
    if (file < 0) {
        return pw_refuse(why, EXIT_UNREACHABLE, name, strerror(errno));
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    draft->to = fchmod(file, 0666 & ~mask) == 0 ? fdopen(file, "w") : NULL;
    if (draft->to == NULL) {
        (void)close(file);
        (void)unlink(draft->beside);
        return pw_refuse(why, EXIT_UNREACHABLE, name, strerror(errno));
    }
    return EXIT_DONE;
}

int draft_put(struct draft *draft, const void *at, size_t len, struct pw_out *why)
{
    if (len > 0 && fwrite(at, 1, len, draft->to) != len) {
        return pw_refuse(why, EXIT_UNREACHABLE, draft->name, strerror(errno));
    }
    return EXIT_DONE;
}

int draft_end(struct draft *draft, int code, struct pw_out *why)
{
    if (draft->to == NULL) {
        return code;
    }
    bool written = fflush(draft->to) == 0 && fsync(fileno(draft->to)) == 0;
    written = fclose(draft->to) == 0 && written;
    draft->to = NULL;
    if (code == EXIT_DONE && (!written || rename(draft->beside, draft->name) != 0)) {
        code = pw_refuse(why, EXIT_UNREACHABLE, draft->name, strerror(errno));
    }
    if (code != EXIT_DONE) {
        (void)unlink(draft->beside);
    }
    return code;
}

static void put_length(uint8_t *at, size_t len)
{
    PW_ASSERT(len <= UINT32_MAX);
    pw_set_be32(at, (uint32_t)len);
}

int draft_put_head(struct draft *draft, struct pw_str roots, struct pw_str manifest,
                   const struct signatures *signatures, struct pw_out *why)
{
    uint8_t fixed[PW_RELEASE_FIXED] = {'P', 'W', 'R', 'E', 'L', '1', '\r', '\n'};
    put_length(fixed + 8, roots.len);
    put_length(fixed + 12, manifest.len);
    put_length(fixed + 16, (size_t)signatures->count * PW_RELEASE_SIGNATURE_LEN);
    int code = draft_put(draft, fixed, sizeof(fixed), why);
    if (code == EXIT_DONE) {
        code = draft_put(draft, roots.at, roots.len, why);
    }
    if (code == EXIT_DONE) {
        code = draft_put(draft, manifest.at, manifest.len, why);
    }
    return code == EXIT_DONE ? draft_put_signatures(draft, signatures, why) : code;
}

int draft_put_signatures(struct draft *draft, const struct signatures *signatures,
                         struct pw_out *why)
{
    return draft_put(draft, signatures->at, (size_t)signatures->count * PW_RELEASE_SIGNATURE_LEN,
                     why);
}

void signatures_load(struct signatures *signatures, const uint8_t *at, uint8_t count)
{
    size_t len = (size_t)count * PW_RELEASE_SIGNATURE_LEN;
    PW_ASSERT(len <= sizeof(signatures->at));
    signatures->count = count;
    memcpy(signatures->at, at, len);
}

bool signatures_add(struct signatures *signatures, uint8_t most,
                    const uint8_t added[PW_RELEASE_SIGNATURE_LEN])
{
    uint8_t *place = signatures->at;
    uint8_t *end = place + (size_t)signatures->count * PW_RELEASE_SIGNATURE_LEN;
    while (place < end && memcmp(place, added, PW_SHA256_LEN) < 0) {
        place += PW_RELEASE_SIGNATURE_LEN;
    }
    if (place < end && memcmp(place, added, PW_SHA256_LEN) == 0) {
        memcpy(place, added, PW_RELEASE_SIGNATURE_LEN);
        return true;
    }
    if (signatures->count >= most) {
        return false;
    }
    memmove(place + PW_RELEASE_SIGNATURE_LEN, place, (size_t)(end - place));
    memcpy(place, added, PW_RELEASE_SIGNATURE_LEN);
    signatures->count++;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Reading.

static int read_head(struct pack *pack, struct pw_out *why)
{
    size_t got = fread(pack->head, 1, PW_RELEASE_FIXED, pack->from);
    if (got < PW_RELEASE_FIXED || pw_release_head_len(pack->head, &pack->head_len) != PW_OK) {
        return pw_refuse(why, EXIT_REFUSED, pack->name, "is no release file");
    }
    size_t rest = pack->head_len - PW_RELEASE_FIXED;
    if (fread(pack->head + PW_RELEASE_FIXED, 1, rest, pack->from) != rest) {
        return pw_refuse(why, EXIT_REFUSED, pack->name, "ends within its head");
    }
    pw_put_s(why, pack->name);
    pw_put_s(why, ": ");
    if (pw_release_read(pack_head(pack), &pack->release, why) != PW_OK ||
        pw_release_parts(pack_head(pack), &pack->parts, why) != PW_OK) {
        return EXIT_REFUSED;
    }
    if (!pack_is_head(pack) && pack->size != pack->release.file_size) {
        pw_put_s(why, "has ");
        pw_put_uint(why, pack->size);
        pw_put_s(why, " bytes, must have ");
        pw_put_uint(why, pack->release.file_size);
        return EXIT_REFUSED;
    }
    why->len = 0;
    return EXIT_DONE;
}

int pack_open(struct pack *pack, const char *name, struct pw_out *why)
{
    struct stat is;
    pack->name = name;
    pack->from = fopen(name, "re");
    if (pack->from == NULL) {
        return pw_refuse(why, EXIT_UNREACHABLE, name, strerror(errno));
    }
    int code = fstat(fileno(pack->from), &is) == 0 && S_ISREG(is.st_mode)
                   ? EXIT_DONE
                   : pw_refuse(why, EXIT_UNREACHABLE, name, "is not a file");
    if (code == EXIT_DONE) {
        pack->size = (uint64_t)is.st_size;
        code = read_head(pack, why);
    }
    if (code != EXIT_DONE) {
        pack_close(pack);
    }
    return code;
}

void pack_close(struct pack *pack)
{
    if (pack->from != NULL) {
        (void)fclose(pack->from);
    }
    pack->from = NULL;
}

bool pack_is_head(const struct pack *pack)
{
    return pack->size == pack->head_len;
}

struct pw_str pack_head(const struct pack *pack)
{
    return (struct pw_str){.at = (const char *)pack->head, .len = pack->head_len};
}

static void show(struct stream *stream, size_t len)
{
    stream->done += len;
    if (stream->total < SHOWN_FROM || isatty(STDERR_FILENO) == 0) {
        return;
    }
    unsigned percent = (unsigned)(stream->done * 100 / stream->total);
    if (percent != stream->shown) {
        stream->shown = percent;
        (void)fprintf(stderr, percent < 100 ? "\r%3u %%" : "\r     \r", percent);
    }
}

int stream_take(struct stream *stream, uint64_t len, uint8_t sha256[PW_SHA256_LEN],
                struct pw_out *why)
{
    static uint8_t piece[PIECE];
    struct pw_sha256 hash;
    pw_sha256_begin(&hash);
    for (uint64_t left = len; left > 0;) {
        size_t want = left < PIECE ? (size_t)left : PIECE;
        if (fread(piece, 1, want, stream->from) != want) {
            return pw_refuse(why, EXIT_UNREACHABLE, stream->name,
                             ferror(stream->from) != 0 ? strerror(errno) : "ended too early");
        }
        pw_sha256_add(&hash, piece, want);
        if (stream->to != NULL && draft_put(stream->to, piece, want, why) != EXIT_DONE) {
            return EXIT_UNREACHABLE;
        }
        left -= want;
        show(stream, want);
    }
    pw_sha256_end(&hash, sha256);
    return EXIT_DONE;
}

int pack_write(struct pack *pack, const struct signatures *signatures, const char *name,
               struct pw_out *why)
{
    uint8_t ignored[PW_SHA256_LEN];
    struct draft draft;
    uint64_t rest = pack->size - pack->head_len;
    struct stream stream = {.from = pack->from, .name = pack->name, .to = &draft, .total = rest};
    int code = draft_open(&draft, name, why);
    if (code != EXIT_DONE) {
        return code;
    }
    code = draft_put_head(&draft, pack->parts.roots, pack->parts.manifest, signatures, why);
    if (code == EXIT_DONE && fseeko(pack->from, (off_t)pack->head_len, SEEK_SET) != 0) {
        code = pw_refuse(why, EXIT_UNREACHABLE, pack->name, strerror(errno));
    }
    if (code == EXIT_DONE) {
        code = stream_take(&stream, rest, ignored, why);
    }
    return draft_end(&draft, code, why);
}

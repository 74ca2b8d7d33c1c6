// bodies: files that flow through the central over HTTP, in and out: releases that people bring and
// stations fetch, logs that stations bring and people fetch. None is held in memory; each has a
// size, a time and a place among a bounded number.
#ifndef PW_CENTRAL_BODIES_H
#define PW_CENTRAL_BODIES_H

#include "http.h"
#include "release/release.h"

#define TOKEN_HEX       32   // digits of a secret in a URL
#define LABEL_MAX       81   // a file's name as people see it, and the NUL
#define MODEL_LINES_MAX 1400 // bytes

// A release while it comes in: its head as far as it is there, then each component against its
// hash.
struct incoming {
    uint8_t head[PW_RELEASE_HEAD_MAX];
    uint32_t head_len; // 0: not known yet
    uint32_t held;
    bool read;
    struct pw_release release;
    uint8_t component; // the one that comes
    uint64_t into;     // bytes of it so far
    struct pw_sha256 part;
};

enum body_kind { BODY_RELEASE, BODY_UPLOAD };

struct body {
    struct body *next;
    uint64_t stream;
    enum body_kind kind;
    char file[PW_DEPOT_NAME_MAX];
    char label[LABEL_MAX];
    uint64_t length; // as its header said
    uint64_t got;
    struct pw_sha256 hash;
    pw_ms until; // it must be whole by then
    int status;  // of the refusal; 0: none yet
    const char *code;
    char why[256];
    char user[65];             // RELEASE: who brings it
    struct incoming *incoming; // likewise
    int64_t upload;            // UPLOAD: its row
    char station[PW_CENTRAL_STATION_MAX + 1];
};

#define WHO_MAX 80

struct outflow {
    struct outflow *next;
    uint64_t stream;
    char file[PW_DEPOT_NAME_MAX];
    bool known; // who fetches it is a station or a person, else an address
    char who[WHO_MAX];
    uint64_t at; // the next byte
    uint64_t end;
};

struct bodies {
    struct body *in;
    size_t ins;
    struct outflow *out;
    size_t outs;
    pw_ms tidy_at;
    char etag[2 * PW_SHA256_LEN + 3]; // of the reply being made
};

// --- bodies.c

PW_MUST_USE int bodies_begin(struct pw_central *central, pw_ms now);
void bodies_free(struct pw_central *central);
pw_ms bodies_step(struct pw_central *central, struct pw_instant at);
// The peer of a stream has gone, or its answer is done.
void body_closed(struct pw_central *central, uint64_t stream);
// A new body of `http`'s request, its file begun. NULL after answering why not.
struct body *body_begin(struct http *http, enum body_kind kind, struct pw_str label, pw_ms most_ms);
struct body *body_find(const struct pw_central *central, uint64_t stream);
// Refuses it: no more is taken. `why` is a sentence.
void body_refuse(struct body *body, int status, const char *code, const char *why);
// Forgets it; its file too unless it was kept.
void body_end(struct pw_central *central, struct body *body, bool kept);
// Bytes of bodies of a kind that are coming in.
uint64_t bodies_bytes(const struct pw_central *central, enum body_kind kind);

// A kept file as an answer, or the part of it that is asked for. `etag` and `name` live until the
// reply is sent.
struct served {
    const char *file;
    uint64_t size;
    const char *etag; // with quotes
    const char *name; // letters, digits, '.', '-', '_'
    const char *who;  // "station CP1", "person admin"; NULL: nothing but an address is known
};
void http_file(struct http *http, const struct served *served);

void hex_put(char *to, const uint8_t *bytes, size_t len); // lower case, terminated
// "https://central.example/firmware/" and what follows it for this station.
void public_url(const struct pw_central *central, const struct station *station, const char *folder,
                struct pw_out *out);

// --- releases.c

uint64_t release_takes(struct http *http);
int release_piece(struct pw_central *central, struct body *body, struct pw_str bytes);
void api_release_add(struct http *http); // behind the last byte
void api_releases(struct http *http);
void api_release(struct http *http);
void api_release_delete(struct http *http);
void api_release_put(struct http *http);
// "TOKEN", or "TOKEN/PROOF/STATION": behind "/firmware/".
void serve_firmware(struct http *http, struct pw_str path);

// What a station is told of a release, and what it is judged by.
struct kept_release {
    int64_t id; // 0: there is none
    char version[PW_RELEASE_VERSION_MAX];
    char product[PW_RELEASE_NAME_MAX];
    char token[TOKEN_HEX + 1];
    char file[PW_DEPOT_NAME_MAX];
    char sha256[2 * PW_SHA256_LEN + 1];
    int64_t size;
    bool signed_outside; // an OCPP signature and certificate are kept with it
    char hardware[PW_RELEASE_HARDWARE_MAX * PW_RELEASE_NAME_MAX + 2]; // " a b "
    char models[MODEL_LINES_MAX]; // that a person named, a line each; empty: as hardware
};
struct kept_release release_find(const struct pw_central *central, int64_t id);
// True when a station of this model is what the release is for.
bool release_fits(const struct kept_release *release, const char *model);
// The payload of UpdateFirmware, or of SignedUpdateFirmware for one that is `signed_outside`; the
// action. *request is its requestId, 0 without one.
int release_command(struct pw_central *central, const struct station *station,
                    const struct kept_release *release, struct pw_out *payload, int64_t *request,
                    struct pw_instant at);

// --- uploads.c

uint64_t upload_takes(struct http *http, struct pw_str path); // behind "/upload/"
int upload_piece(struct pw_central *central, struct body *body, struct pw_str bytes);
void serve_upload(struct http *http);
void uploads_tidy(struct pw_central *central, struct pw_instant at);
void api_uploads(struct http *http);
void api_upload_file(struct http *http);
void api_upload_delete(struct http *http);
// A place for a station to bring a log to; its URL. False when there is none here, or the database
// does not take it.
bool upload_place(struct pw_central *central, const struct station *station, const char *kind,
                  struct pw_out *url, struct pw_instant at);

#endif

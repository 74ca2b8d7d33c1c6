// The command `update`: how it stands, and every way for a person or a program on this machine to
// bring a release.
#include "console/call.h"

enum { PIECE_MAX = 3072 }; // bytes of a release in one line

static int answer(struct pw_console_call *call, int err, struct pw_out *why, const char *done)
{
    if (err == PW_OK) {
        return pw_console_done(call, done);
    }
    pw_put(call->answer, pw_out_str(why));
    pw_put_c(call->answer, '\n');
    return err;
}

struct options {
    bool force;
    bool now;
    bool bad;
};

static struct options read_options(struct pw_console_call *call)
{
    struct options options = {.force = false};
    for (struct pw_str word = pw_console_word(call); word.len > 0; word = pw_console_word(call)) {
        if (pw_str_is(word, "force")) {
            options.force = true;
        } else if (pw_str_is(word, "now")) {
            options.now = true;
        } else {
            options.bad = true;
        }
    }
    return options;
}

static int on_check(struct pw_console_call *call)
{
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    struct options options = read_options(call);
    if (options.bad || options.now) {
        return pw_console_refuse(call, PW_ERR_RANGE, "update check [force]");
    }
    int err = pw_files_check_source(&call->st->files, PW_UPDATE_BY_COMMAND, options.force, &why,
                                    call->now);
    return answer(call, err, &why, "the source is asked; what is newer is installed");
}

static int on_cancel(struct pw_console_call *call)
{
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_files_cancel(&call->st->files, PW_STR("given up by a person"), &why, call->now);
    return answer(call, err, &why, "the update is given up");
}

static int on_offer(struct pw_console_call *call)
{
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int64_t size = 0;
    if (pw_parse_int(pw_console_word(call), 1, INT64_MAX, &size) != PW_OK) {
        return pw_console_refuse(call, PW_ERR_RANGE, "update offer BYTES [force] [now]");
    }
    struct options options = read_options(call);
    if (options.bad) {
        return pw_console_refuse(call, PW_ERR_RANGE, "update offer BYTES [force] [now]");
    }
    const struct pw_update_offer offer = {.by = PW_UPDATE_BY_COMMAND,
                                          .force = options.force,
                                          .now = options.now,
                                          .commit = true,
                                          .size = (uint64_t)size};
    int err = pw_files_offer(&call->st->files, &offer, &why, call->now);
    return answer(call, err, &why, "hand it in, piece by piece");
}

static int on_piece(struct pw_console_call *call)
{
    char text[PW_TRANSFER_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    uint8_t bytes[PIECE_MAX];
    int64_t offset = 0;
    bool good = pw_parse_int(pw_console_word(call), 0, INT64_MAX, &offset) == PW_OK;
    int len = good ? pw_parse_base64(pw_console_word(call), bytes, sizeof(bytes)) : PW_ERR_RANGE;
    if (len <= 0) {
        return pw_console_refuse(call, PW_ERR_RANGE, "update piece OFFSET BASE64 (3072 bytes)");
    }
    int err = pw_files_deliver(&call->st->files, (uint64_t)offset,
                               (struct pw_str){.at = (const char *)bytes, .len = (size_t)len}, &why,
                               call->now);
    return answer(call, err, &why, "taken");
}

static int on_url(struct pw_console_call *call, struct pw_str url)
{
    struct options options = read_options(call);
    const struct pw_update_request request = {.by = PW_UPDATE_BY_COMMAND,
                                              .force = options.force,
                                              .now = options.now,
                                              .url = url,
                                              .retries = -1,
                                              .retry_s = -1};
    if (options.bad || pw_transfer_scheme(url) == NULL) {
        return pw_console_refuse(call, PW_ERR_RANGE,
                                 "update [URL [force] [now] | check [force] | cancel]; a URL is of "
                                 "http, https, ftp or ftps");
    }
    switch (pw_files_update(&call->st->files, &request, call->now)) {
    case PW_UPDATE_ACCEPTED:
        return pw_console_done(call, "the release is loaded, judged, and installed at rest");
    case PW_UPDATE_ACCEPTED_CANCELED:
        return pw_console_done(call, "another update was given up for this one");
    case PW_UPDATE_TOO_LONG:
        return pw_console_refuse(call, PW_ERR_RANGE, "the URL must have 1 to 512 bytes");
    case PW_UPDATE_REJECTED:
    case PW_UPDATE_INVALID_CERTIFICATE:
    case PW_UPDATE_REVOKED_CERTIFICATE: break;
    }
    return pw_console_refuse(call, PW_ERR_BUSY,
                             "a release is being installed, or is on trial, or no files are moved");
}

int pw_console_update(struct pw_console_call *call)
{
    static const struct {
        const char *word;
        int (*run)(struct pw_console_call *call);
    } words[] = {
        {"check", on_check}, {"cancel", on_cancel}, {"offer", on_offer}, {"piece", on_piece}};
    struct pw_str word = pw_console_word(call);
    if (word.len == 0 || pw_str_is(word, "status")) {
        if (call->json) {
            return pw_console_files(call);
        }
        pw_files_update_report(&call->st->files, call->answer);
        return PW_OK;
    }
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        if (pw_str_is(word, words[i].word)) {
            return words[i].run(call);
        }
    }
    return on_url(call, word);
}

// `update`: how the station's update stands, and a release for it: a URL that it fetches itself, or
// a file, which is handed in through the control socket in pieces.
#include "local.h"
#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 3072 };

// One command and its answer. An exit code; the answer's text, if wanted, is the caller's.
static int ask(struct local *local, struct pw_str line, char **text, struct pw_out *why)
{
    struct frame frame;
    if (local_ask(local, line, why) != PW_OK || local_hear(local, &frame, why) != PW_OK) {
        return fail_with(EXIT_UNREACHABLE, why);
    }
    int code = EXIT_DONE;
    if (strcmp(frame.word, "ok") != 0) {
        pw_put(why, pw_str_trim((struct pw_str){.at = frame.text, .len = frame.len}));
        code = fail_with(EXIT_REFUSED, why);
    }
    if (code == EXIT_DONE && text != NULL) {
        *text = frame.text;
    } else {
        free(frame.text);
    }
    return code;
}

static int show(struct local *local, const char *line, struct pw_out *why)
{
    char *text = NULL;
    int code = ask(local, pw_str_of(line), &text, why);
    if (code == EXIT_DONE) {
        (void)printf("%s", text);
    }
    free(text);
    return code;
}

static void put_options(const struct request *request, struct pw_out *line)
{
    pw_put_s(line, request->force ? " force" : "");
    pw_put_s(line, request->at_once ? " now" : "");
}

static int send_pieces(struct local *local, FILE *file, long size, struct pw_out *why)
{
    bool person = isatty(STDERR_FILENO) != 0;
    int code = EXIT_DONE;
    for (long at = 0; at < size && code == EXIT_DONE;) {
        char bytes[PIECE];
        char text[LOCAL_LINE_MAX] = "";
        struct pw_out line = PW_OUT(text);
        size_t got = fread(bytes, 1, sizeof(bytes), file);
        if (got == 0) {
            pw_put_s(why, "the file cannot be read to its end");
            return fail_with(EXIT_UNREACHABLE, why);
        }
        pw_put_s(&line, "update piece ");
        pw_put_int(&line, at);
        pw_put_c(&line, ' ');
        pw_put_base64(&line, bytes, got);
        code = ask(local, pw_out_str(&line), NULL, why);
        at += (long)got;
        if (person) {
            (void)fprintf(stderr, "\r%ld of %ld bytes%s", at, size, at == size ? "\n" : "");
        }
    }
    return code;
}

static int hand_in(struct local *local, const struct request *request, FILE *file,
                   struct pw_out *why)
{
    char text[100] = "";
    struct pw_out line = PW_OUT(text);
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size <= 0 || fseek(file, 0, SEEK_SET) != 0) {
        pw_put_s(why, "it is empty, or no file");
        return fail_with(EXIT_UNREACHABLE, why);
    }
    pw_put_s(&line, "update offer ");
    pw_put_int(&line, size);
    put_options(request, &line);
    int code = ask(local, pw_out_str(&line), NULL, why);
    code = code == EXIT_DONE ? send_pieces(local, file, size, why) : code;
    if (code == EXIT_DONE && request->form == FORM_HUMAN) {
        (void)puts("the release is there; it is installed when nobody charges (pilotwire update)");
    }
    return code;
}

static int hand_in_file(struct local *local, const struct request *request, const char *name,
                        struct pw_out *why)
{
    FILE *file = fopen(name, "rbe");
    if (file == NULL) {
        (void)pw_refuse(why, EXIT_UNREACHABLE, name, strerror(errno));
        return fail_with(EXIT_UNREACHABLE, why);
    }
    int code = hand_in(local, request, file, why);
    (void)fclose(file);
    return code;
}

static int run(struct local *local, const struct request *request, struct pw_out *why)
{
    const char *what = request->arguments > 0 ? request->argument[0] : "status";
    if (strcmp(what, "status") == 0) {
        return show(local, request->form == FORM_JSON ? "json update" : "update", why);
    }
    if (strstr(what, "://") == NULL && strcmp(what, "check") != 0 && strcmp(what, "cancel") != 0) {
        return hand_in_file(local, request, what, why);
    }
    char text[LOCAL_LINE_MAX] = "";
    struct pw_out line = PW_OUT(text);
    pw_put_s(&line, "update ");
    pw_put_s(&line, what);
    put_options(request, &line);
    return show(local, text, why);
}

int run_update(const struct request *request)
{
    char text[2048] = "";
    struct pw_out why = PW_OUT(text);
    struct local local;
    if (request->arguments > 1) {
        return fail_usage(request->word, "has too many arguments");
    }
    if (local_open(&local, request->station, &why) != PW_OK) {
        local_close(&local);
        return fail_with(EXIT_UNREACHABLE, &why);
    }
    int code = run(&local, request, &why);
    local_close(&local);
    return code;
}

// `pilotwire rapi`: one command for an OpenEVSE board, and what it answers. The station sends it as
// soon as the board's line is free; until the answer is in, we ask for it by its ticket.
#include "local.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASKS_MAX 600 // a tenth of a second apart: some commands take half a minute
#define ASK_NS   100000000L

// Sends a line and takes its answer as a document; *text must be freed. EXIT_DONE, or the code.
static int exchange(struct local *local, struct pw_str line, struct document *document, char **text,
                    struct pw_out *why)
{
    struct frame frame;
    if (local_ask(local, line, why) != PW_OK || local_hear(local, &frame, why) != PW_OK) {
        return EXIT_UNREACHABLE;
    }
    struct pw_str answer = {.at = frame.text, .len = frame.len};
    int code = EXIT_DONE;
    if (strcmp(frame.word, "ok") != 0) {
        pw_put(why, pw_str_trim(answer));
        code = EXIT_REFUSED;
    } else if (document_read(document, answer, why) != PW_OK) {
        code = EXIT_UNREACHABLE;
    }
    if (code != EXIT_DONE) {
        free(frame.text);
        return code;
    }
    *text = frame.text;
    return EXIT_DONE;
}

static void put_member(const struct document *document, const char *name, struct pw_out *out)
{
    put_value(out, member_at(document_root(document), name), FORM_TSV);
}

static int send_command(struct local *local, const struct request *request, struct pw_out *fetch,
                        struct pw_out *why)
{
    char line[256] = "";
    struct pw_out out = PW_OUT(line);
    struct document document;
    char *text = NULL;
    pw_put_s(&out, "json rapi");
    for (size_t i = 0; i < request->arguments; i++) {
        pw_put_c(&out, ' ');
        pw_put_s(&out, request->argument[i]);
    }
    if (out.full || strchr(line, '\n') != NULL) {
        pw_put_s(why, "a command has at most 31 characters, and no line break");
        return EXIT_USAGE;
    }
    int code = exchange(local, pw_out_str(&out), &document, &text, why);
    if (code == EXIT_DONE) {
        pw_put_s(fetch, "json rapi-answer ");
        put_member(&document, "connector_id", fetch);
        pw_put_c(fetch, ' ');
        put_member(&document, "ticket", fetch);
        document_free(&document);
        free(text);
    }
    return code;
}

static void show(const struct document *document, enum form form)
{
    char value[128] = "";
    struct pw_out out = PW_OUT(value);
    put_member(document, "answer", &out);
    if (form == FORM_JSON) {
        char text[256] = "";
        struct pw_out object = PW_OUT(text);
        struct pw_json_writer json = PW_JSON_WRITER(&object);
        pw_json_open(&json, '{');
        pw_json_say_text(&json, "answer", pw_out_str(&out));
        pw_json_close(&json, '}');
        (void)puts(text);
        return;
    }
    (void)puts(value);
}

static int await(struct local *local, struct pw_str fetch, enum form form, struct pw_out *why)
{
    static const struct timespec pause = {.tv_nsec = ASK_NS};
    for (unsigned i = 0; i < ASKS_MAX; i++) {
        struct document document;
        char waiting[8] = "";
        struct pw_out out = PW_OUT(waiting);
        char *text = NULL;
        int code = exchange(local, fetch, &document, &text, why);
        if (code != EXIT_DONE) {
            return code;
        }
        put_member(&document, "waiting", &out);
        bool there = strcmp(waiting, "true") != 0;
        if (there) {
            show(&document, form);
        }
        document_free(&document);
        free(text);
        if (there) {
            return EXIT_DONE;
        }
        (void)nanosleep(&pause, NULL);
    }
    pw_put_s(why, "the board has not answered within a minute");
    return EXIT_UNREACHABLE;
}

int run_board(const struct request *request)
{
    char text[2048] = "";
    char line[64] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_out fetch = PW_OUT(line);
    struct local local;
    int code = EXIT_UNREACHABLE;
    if (local_open(&local, request->station, &why) == PW_OK) {
        code = send_command(&local, request, &fetch, &why);
        if (code == EXIT_DONE) {
            code = await(&local, pw_out_str(&fetch), request->form, &why);
        }
    }
    local_close(&local);
    return code == EXIT_DONE ? EXIT_DONE : fail_with(code, &why);
}

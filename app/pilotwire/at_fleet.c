// Releases, roll-outs and uploads at a central system.
#include "at_central.h"

#include <string.h>
#include <unistd.h>

#define PATH_SIZE 512
#define BODY_SIZE 4096
#define PROOF_MAX 16384 // bytes of a certificate with its signature, as JSON

static void put_path(struct pw_out *out, const char *folder, const char *id, const char *rest)
{
    pw_put_s(out, folder);
    put_escaped(out, id);
    pw_put_s(out, rest);
}

// Asks for something that is no station's command; says `done`, or prints the answer as JSON.
static int plain(const struct call *call, const char *method, const char *path, const char *body)
{
    struct pw_str answer = {0};
    int err = remote_ask(call->remote, method, path, body, &answer, call->why);
    if (err == PW_OK && call->request->form == FORM_JSON) {
        (void)printf("%.*s\n", (int)answer.len, answer.at);
    } else if (err == PW_OK) {
        (void)puts("done");
    }
    return code_of(call, err);
}

// --- Releases.

static int show_releases(const struct call *call)
{
    static const struct column columns[] = {
        {"release", "id", true},
        {"product", "manifest.product", false},
        {"version", "manifest.version", false},
        {"hardware", "manifest.hardware", false},
        {"models", "only_models", false},
        {"ocpp signature", "ocpp_signed", false},
        {"counter", "manifest.security_counter", true},
        {"expires", "manifest.expires", false},
        {"verdict", "verdict", false},
        {"bytes", "size", true},
        {"rollouts", "rollouts", true},
        {"added", "added_at", false},
        {"by", "added_by", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "releases", NULL};
    return show_list(call, "/releases", &list);
}

static void show_progress(unsigned percent)
{
    (void)fprintf(stderr, "\r%3u %%", percent);
    if (percent == 100) {
        (void)fputc('\n', stderr);
    }
}

// The number of what was made (of the answer's member `of`, or of the answer), or the whole as
// JSON.
static int print_number(const struct call *call, struct pw_str answer, const char *of)
{
    struct document document;
    int64_t id = 0;
    if (call->request->form == FORM_JSON) {
        (void)printf("%.*s\n", (int)answer.len, answer.at);
        return PW_OK;
    }
    int err = document_read(&document, answer, call->why);
    if (err != PW_OK) {
        return err;
    }
    const struct pw_json_node *made = document_root(&document);
    made = of != NULL ? pw_json_member(made, of) : made;
    if (pw_json_int(pw_json_member(made, "id"), 1, INT64_MAX, &id) == PW_OK) {
        (void)printf("%lld\n", (long long)id);
    }
    document_free(&document);
    return PW_OK;
}

static int add_release(const struct call *call)
{
    const char *file = call->request->argument[1];
    const char *slash = strrchr(file, '/');
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    struct pw_str answer = {0};
    put_path(&out, "/releases?name=", slash != NULL ? slash + 1 : file, "");
    int err =
        remote_send_file(call->remote, path, file,
                         isatty(STDERR_FILENO) != 0 ? show_progress : NULL, &answer, call->why);
    err = err == PW_OK ? print_number(call, answer, NULL) : err;
    return code_of(call, err == PW_ERR_STORE ? PW_ERR_BUSY : err);
}

// "release models RELEASE [MODEL...]": without one as its hardware says.
static int set_models(const struct call *call, const char *path)
{
    const struct request *request = call->request;
    char text[BODY_SIZE];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    pw_json_open(&json, '{');
    pw_json_key(&json, "models");
    pw_json_open(&json, '[');
    for (size_t i = 2; i < request->arguments; i++) {
        pw_json_put_s(&json, request->argument[i]);
    }
    pw_json_close(&json, ']');
    pw_json_close(&json, '}');
    if (body.full) {
        return fail_usage("release models", "too much; 16 names of 20 characters at most");
    }
    return plain(call, "PUT", path, text);
}

// "release ocpp-signature RELEASE --certificate FILE --signature FILE": without them none.
static int set_signature(const struct call *call, const char *path)
{
    const struct request *request = call->request;
    char text[PROOF_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    bool none = request->certificate == NULL;
    if (none != (request->signature == NULL)) {
        return fail_usage("release ocpp-signature",
                          "needs --certificate and --signature, or neither to take them away");
    }
    pw_json_open(&json, '{');
    if (none) {
        pw_json_say_s(&json, "certificate", "");
        pw_json_say_s(&json, "signature", "");
    } else if (!put_file(&json, "certificate", request->certificate, false, call->why) ||
               !put_file(&json, "signature", request->signature, true, call->why)) {
        return fail_with(EXIT_USAGE, call->why);
    }
    pw_json_close(&json, '}');
    if (body.full) {
        return fail_usage(request->certificate, "is too long for a certificate");
    }
    return plain(call, "PUT", path, text);
}

int on_release(const struct call *call)
{
    const struct request *request = call->request;
    const char *verb = request->arguments > 0 ? request->argument[0] : "list";
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    if (strcmp(verb, "list") == 0 && request->arguments <= 1) {
        return show_releases(call);
    }
    if (strcmp(verb, "add") == 0 && request->arguments == 2) {
        return add_release(call);
    }
    if (request->arguments >= 2) {
        put_path(&out, "/releases/", request->argument[1], "");
    }
    if (strcmp(verb, "models") == 0 && request->arguments >= 2) {
        return set_models(call, path);
    }
    if (strcmp(verb, "ocpp-signature") == 0 && request->arguments == 2) {
        return set_signature(call, path);
    }
    if (strcmp(verb, "delete") == 0 && request->arguments == 2) {
        return plain(call, "DELETE", path, NULL);
    }
    return fail_usage("release",
                      "list, add FILE, models RELEASE [MODEL...], ocpp-signature RELEASE "
                      "[--certificate FILE --signature FILE], or delete RELEASE");
}

// --- Roll-outs.

static int show_rollouts(const struct call *call)
{
    static const struct column columns[] = {
        {"rollout", "id", true},
        {"name", "name", false},
        {"version", "version", false},
        {"state", "state", false},
        {"stage", "stage", true},
        {"stations", "total", true},
        {"waiting", "counts.waiting", true},
        {"done", "counts.done", true},
        {"failed", "counts.failed", true},
        {"changed", "changed_at", false},
        {"why", "why", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "rollouts", NULL};
    return show_list(call, "/rollouts", &list);
}

static int show_rollout(const struct call *call)
{
    static const struct column columns[] = {
        {"station", "station_id", false},
        {"state", "state", false},
        {"since", "since", false},
        {"stage", "stage", true},
        {"way", "way", false},
        {"was", "was", false},
        {"why", "why", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "stations", NULL};
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    put_path(&out, "/rollouts/", call->request->argument[1], "");
    return show_list(call, path, &list);
}

// Settings as NAME=VALUE behind the release: numbers and lists of numbers as they are.
static int put_setting(struct pw_json_writer *json, const char *setting)
{
    static const char *const numbers[] = {"canary",       "canary_failures", "soak_s",    "at_most",
                                          "stop_percent", "stop_count",      "deadline_s"};
    static const char *const texts[] = {"name", "model", "way"};
    struct pw_str value = pw_str_of(setting);
    struct pw_str key = pw_str_cut(&value, '=');
    for (size_t i = 0; i < PW_COUNT(numbers); i++) {
        int64_t number = 0;
        if (pw_str_is(key, numbers[i])) {
            if (pw_parse_int(value, 0, INT32_MAX, &number) != PW_OK) {
                return PW_ERR_RANGE;
            }
            pw_json_say_int(json, numbers[i], number);
            return PW_OK;
        }
    }
    for (size_t i = 0; i < PW_COUNT(texts); i++) {
        if (pw_str_is(key, texts[i])) {
            pw_json_say_text(json, texts[i], value);
            return PW_OK;
        }
    }
    bool stages = pw_str_is(key, "stages");
    if (!stages && !pw_str_is(key, "stations")) {
        return PW_ERR_UNKNOWN;
    }
    pw_json_key(json, stages ? "stages" : "stations");
    pw_json_open(json, '[');
    while (value.len > 0) {
        struct pw_str item = pw_str_cut(&value, ',');
        int64_t percent = 0;
        if (!stages) {
            pw_json_put_text(json, item);
        } else if (pw_parse_int(item, 1, 100, &percent) == PW_OK) {
            pw_json_put_int(json, percent);
        } else {
            return PW_ERR_RANGE;
        }
    }
    pw_json_close(json, ']');
    return PW_OK;
}

// The body of what argument 1 and those behind it ask for; an exit status, 0 when it is there.
static int put_rollout(const struct call *call, struct pw_out *body)
{
    const struct request *request = call->request;
    struct pw_json_writer json = PW_JSON_WRITER(body);
    int64_t release = 0;
    if (pw_parse_int(pw_str_of(request->argument[1]), 1, INT64_MAX, &release) != PW_OK) {
        return fail_usage(request->argument[1], "is no number of a release");
    }
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "release_id", release);
    for (size_t i = 2; i < request->arguments; i++) {
        if (put_setting(&json, request->argument[i]) != PW_OK) {
            return fail_usage(
                request->argument[i],
                "is none of canary=N canary_failures=N stages=10,50,100 soak_s=N at_most=N "
                "stop_percent=N stop_count=N deadline_s=N model=NAME "
                "stations=ID,ID way=auto|ocpp|link name=TEXT");
        }
    }
    pw_json_close(&json, '}');
    return body->full ? fail_usage("rollout", "too much; name a model instead of stations") : 0;
}

// "canary: 51 of 200 stations; it finds a fault in 5 % of them with 95 % probability"
static void tell_canary(const struct call *call, struct pw_str answer)
{
    struct document document;
    int64_t canary = 0;
    int64_t finds = 0;
    int64_t total = 0;
    if (document_read(&document, answer, call->why) != PW_OK) {
        return;
    }
    const struct pw_json_node *rollout = pw_json_member(document_root(&document), "rollout");
    if (pw_json_int(pw_json_member(rollout, "canary"), 0, INT32_MAX, &canary) == PW_OK &&
        pw_json_int(pw_json_member(rollout, "canary_finds_percent"), 0, 100, &finds) == PW_OK &&
        pw_json_int(pw_json_member(rollout, "total"), 0, INT32_MAX, &total) == PW_OK) {
        (void)fprintf(stderr,
                      "canary: %lld of %lld stations; it finds a fault in 5 %% of them with %lld "
                      "%% probability\n",
                      (long long)canary, (long long)total, (long long)finds);
    }
    document_free(&document);
}

// Asks with the roll-out that the words describe, and tells of its canary. 0, or what the program
// ends with.
static int ask_rollout(const struct call *call, const char *path, struct pw_str *answer)
{
    char text[BODY_SIZE];
    struct pw_out body = PW_OUT(text);
    int status = put_rollout(call, &body);
    if (status != 0) {
        return status;
    }
    int err = remote_ask(call->remote, "POST", path, text, answer, call->why);
    if (err == PW_OK && call->request->form != FORM_JSON) {
        tell_canary(call, *answer);
    }
    return err == PW_OK ? 0 : code_of(call, err);
}

static int start_rollout(const struct call *call)
{
    struct pw_str answer = {0};
    int status = ask_rollout(call, "/rollouts", &answer);
    return status != 0 ? status : code_of(call, print_number(call, answer, "rollout"));
}

// What it would be: the canary, and how many of each kind it has.
static int plan_rollout(const struct call *call)
{
    static const struct column columns[] = {
        {"kind", "kind", false},
        {"stations", "stations", true},
        {"canary", "canary", true},
    };
    const struct list list = {columns, PW_COUNT(columns), "kinds", NULL};
    struct pw_str answer = {0};
    int status = ask_rollout(call, "/rollouts/plan", &answer);
    return status != 0 ? status : code_of(call, print_list(call, answer, &list));
}

int on_rollout(const struct call *call)
{
    static const char *const verbs[] = {"pause", "resume", "cancel", "retry"};
    const struct request *request = call->request;
    const char *verb = request->arguments > 0 ? request->argument[0] : "list";
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    if (strcmp(verb, "list") == 0 && request->arguments <= 1) {
        return show_rollouts(call);
    }
    if (strcmp(verb, "show") == 0 && request->arguments == 2) {
        return show_rollout(call);
    }
    if (strcmp(verb, "plan") == 0 && request->arguments >= 2) {
        return plan_rollout(call);
    }
    if (strcmp(verb, "start") == 0 && request->arguments >= 2) {
        return start_rollout(call);
    }
    for (size_t i = 0; i < PW_COUNT(verbs) && request->arguments == 2; i++) {
        if (strcmp(verb, verbs[i]) == 0) {
            put_path(&out, "/rollouts/", request->argument[1], "/");
            pw_put_s(&out, verb);
            return plain(call, "POST", path, "{}");
        }
    }
    return fail_usage("rollout", "list, show ROLLOUT, plan or start RELEASE [SETTING=VALUE...], or "
                                 "pause, resume, cancel, retry ROLLOUT");
}

// --- Uploads.

int on_uploads(const struct call *call)
{
    static const struct column columns[] = {
        {"upload", "id", true},       {"kind", "kind", false},   {"state", "state", false},
        {"asked", "asked_at", false}, {"came", "got_at", false}, {"bytes", "size", true},
        {"name", "name", false},
    };
    const struct list list = {columns, PW_COUNT(columns), "uploads", NULL};
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    put_station_path(&out, call, "/uploads");
    return show_list(call, path, &list);
}

int on_fetch(const struct call *call)
{
    char path[PATH_SIZE];
    struct pw_out out = PW_OUT(path);
    put_path(&out, "/uploads/", call->request->argument[0], "/file");
    int err = remote_fetch_file(call->remote, path, call->request->argument[1], call->why);
    return code_of(call, err == PW_ERR_STORE ? PW_ERR_BUSY : err);
}

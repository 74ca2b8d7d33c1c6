#include "verify.h"

#include "file.h"
#include "signature.h"

#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 500, TEXT_MAX = PW_OCMF_TEXT_MAX };

// One data set and what became of it. What it says lies in its own text.
struct set {
    char text[TEXT_MAX];
    struct pw_ocmf ocmf;
    bool valid;
    char why[160];
};

struct verdict {
    struct set *set;
    size_t count;
    struct meter_key key; // they are held against
    const char *key_from; // where it is from; NULL: there is none
    bool changed;         // a value brought another one
    bool runs;            // the charge has not ended: no end is signed yet
};

static bool new_verdict(struct verdict *verdict)
{
    *verdict = (struct verdict){.set = calloc(SETS_MAX, sizeof(struct set))};
    return verdict->set != NULL;
}

// ---------------------------------------------------------------------------------------------
// Taking data sets.

static void take_key(struct verdict *verdict, struct pw_str text, const char *from)
{
    char why[200];
    struct pw_out out = PW_OUT(why);
    struct meter_key key;
    if (text.len == 0 || meter_key_read(&key, text, &out) != PW_OK) {
        return;
    }
    if (verdict->key_from == NULL) {
        verdict->key = key;
        verdict->key_from = from;
    } else if (!meter_key_same(&verdict->key, &key)) {
        verdict->changed = true;
    }
}

static void take_text(struct verdict *verdict, struct pw_str text)
{
    if (verdict->count == SETS_MAX) {
        return;
    }
    struct set *set = &verdict->set[verdict->count++];
    struct pw_out why = PW_OUT(set->why);
    if (text.len > sizeof(set->text)) {
        pw_put_s(&why, "it is too long");
        return;
    }
    memcpy(set->text, text.at, text.len);
    (void)!pw_ocmf_read((struct pw_str){.at = set->text, .len = text.len}, &set->ocmf, &why);
}

// The JSON of SignedMeterValueType.
static void take_value(struct verdict *verdict, struct pw_str text)
{
    static uint8_t plain[TEXT_MAX];
    char why[200];
    struct pw_out out = PW_OUT(why);
    struct document document;
    struct pw_str data = PW_STR("");
    struct pw_str key = PW_STR("");
    struct pw_str encoding = PW_STR("OCMF");
    if (document_read(&document, text, &out) != PW_OK) {
        take_text(verdict, text); // which says what is wrong with it
        return;
    }
    const struct pw_json_node *root = document_root(&document);
    (void)!pw_json_text(pw_json_member(root, "signedMeterData"), &data);
    (void)!pw_json_text(pw_json_member(root, "encodingMethod"), &encoding);
    (void)!pw_json_text(pw_json_member(root, "publicKey"), &key);
    int len = pw_parse_base64(data, plain, sizeof(plain));
    take_key(verdict, key, "the value itself");
    take_text(verdict,
              (struct pw_str){.at = (const char *)plain, .len = len > 0 ? (size_t)len : 0});
    if (!pw_str_is(encoding, "OCMF") && verdict->count > 0) {
        struct pw_out told = PW_OUT(verdict->set[verdict->count - 1].why);
        pw_put_s(&told, "only OCMF can be verified here");
    }
    document_free(&document);
}

// ---------------------------------------------------------------------------------------------
// Judging.

static void judge_sets(struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->count; i++) {
        struct set *set = &verdict->set[i];
        struct pw_out why = PW_OUT(set->why);
        why.len = strlen(set->why);
        if (why.len > 0) {
            continue;
        }
        if (verdict->key_from == NULL) {
            pw_put_s(&why, "no public key is known; --key gives one");
        } else {
            set->valid = signature_fits(&set->ocmf, &verdict->key, &why);
        }
        for (unsigned r = 0; set->valid && r < set->ocmf.readings; r++) {
            if (set->ocmf.reading[r].status != 'G') {
                set->valid = false;
                pw_put_s(&why, "the meter itself says that it was not well");
            }
        }
    }
}

static bool has(const struct set *set, const char *letters)
{
    for (unsigned i = 0; i < set->ocmf.readings; i++) {
        char transaction = set->ocmf.reading[i].transaction;
        if (transaction != '\0' && strchr(letters, transaction) != NULL) {
            return true;
        }
    }
    return false;
}

static const struct set *find(const struct verdict *verdict, const char *letters)
{
    for (size_t i = 0; i < verdict->count; i++) {
        if (has(&verdict->set[i], letters)) {
            return &verdict->set[i];
        }
    }
    return NULL;
}

// The energy between begin and end; why not in *why.
static bool judge(struct verdict *verdict, int64_t *energy_mwh, struct pw_out *why)
{
    const struct set *begin = find(verdict, "B");
    const struct set *end = find(verdict, "ELRAP");
    judge_sets(verdict);
    for (size_t i = 0; i < verdict->count; i++) {
        if (!verdict->set[i].valid) {
            pw_put_s(why, verdict->set[i].why);
            return false;
        }
    }
    if (verdict->changed) {
        pw_put_s(why, "a value came with another public key than the meter's");
    } else if (verdict->count == 0) {
        pw_put_s(why, "there is no signed value");
    } else if (begin == NULL || end == NULL) {
        pw_put_s(why, begin == NULL ? "there is no signed begin" : "there is no signed end");
    } else if (strcmp(begin->ocmf.serial, end->ocmf.serial) != 0) {
        pw_put_s(why, "begin and end are of two meters");
    } else if (begin != end && begin->ocmf.page >= end->ocmf.page) {
        pw_put_s(why, "the end was signed before the begin");
    } else if (pw_ocmf_energy(&begin->ocmf, &end->ocmf, energy_mwh) != PW_OK) {
        pw_put_s(why, "begin and end measure nothing between them");
    } else {
        return true;
    }
    return false;
}

// ---------------------------------------------------------------------------------------------
// Telling.

static void print_set(const struct set *set)
{
    char text[512] = "";
    struct pw_out out = PW_OUT(text);
    const struct pw_ocmf_reading *reading = &set->ocmf.reading[0];
    if (set->ocmf.readings == 0) {
        (void)printf("?\t%s\n", set->why);
        return;
    }
    pw_put_c(&out, reading->transaction != '\0' ? reading->transaction : '-');
    pw_put_c(&out, '\t');
    pw_put_time(&out, reading->at);
    pw_put_s(&out, "\tpage ");
    pw_put_uint(&out, set->ocmf.page);
    pw_put_c(&out, '\t');
    pw_put_places(&out, reading->energy_mwh, 6, 3);
    pw_put_s(&out, " kWh\t");
    pw_put_s(&out, set->valid ? "valid" : set->why);
    (void)puts(text);
}

static void print_json(const struct verdict *verdict, bool valid, int64_t energy_mwh,
                       const char *why)
{
    char text[4096] = "";
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    const struct set *begin = find(verdict, "B");
    pw_json_open(&json, '{');
    pw_json_say_bool(&json, "valid", valid);
    pw_json_key(&json, valid ? "energy_wh" : "why");
    if (valid) {
        pw_json_put_fixed(&json, energy_mwh, 3);
    } else {
        pw_json_put_s(&json, why);
    }
    pw_json_say_int(&json, "values", (int64_t)verdict->count);
    pw_json_say_s(&json, "meter", begin != NULL ? begin->ocmf.serial : "");
    pw_json_say_s(&json, "user", begin != NULL ? begin->ocmf.user : "");
    pw_json_say_s(&json, "key_from", verdict->key_from != NULL ? verdict->key_from : "");
    pw_json_close(&json, '}');
    (void)puts(text);
}

// Nothing is wrong with what there is; only the end is still to come, and with it, maybe, the key.
static bool is_unended(const struct verdict *verdict)
{
    bool all = verdict->runs && !verdict->changed && find(verdict, "ELRAP") == NULL;
    for (size_t i = 0; i < verdict->count; i++) {
        all = all && (verdict->set[i].valid || verdict->key_from == NULL);
    }
    return all;
}

static int tell(struct verdict *verdict, enum form form)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    int64_t energy_mwh = 0;
    bool valid = judge(verdict, &energy_mwh, &why);
    bool unended = !valid && is_unended(verdict);
    if (unended) {
        why = PW_OUT(text);
        pw_put_s(&why, "the charge has not ended yet");
    }
    if (form == FORM_JSON) {
        print_json(verdict, valid, energy_mwh, text);
        return valid ? EXIT_DONE : EXIT_REFUSED;
    }
    for (size_t i = 0; i < verdict->count; i++) {
        print_set(&verdict->set[i]);
    }
    if (valid) {
        const struct set *begin = find(verdict, "B");
        char energy[32];
        struct pw_out out = PW_OUT(energy);
        pw_put_places(&out, energy_mwh, 6, 3);
        (void)printf("valid: %s kWh, meter %s, user %s; the key is from %s\n", energy,
                     begin->ocmf.serial, begin->ocmf.user[0] != '\0' ? begin->ocmf.user : "-",
                     verdict->key_from);
    } else if (unended) {
        (void)printf("not ended: the charge still runs; %zu signed value%s so far, %s\n",
                     verdict->count, verdict->count == 1 ? "" : "s",
                     verdict->key_from != NULL ? "nothing is wrong with them"
                                               : "the key to hold them against is not there yet");
    } else {
        (void)printf("invalid: %s\n", text);
    }
    return valid ? EXIT_DONE : EXIT_REFUSED;
}

// ---------------------------------------------------------------------------------------------
// From where.

// What --key says: a file, or the key itself.
static int take_given_key(struct verdict *verdict, const char *given, struct pw_out *why)
{
    char ignored[400];
    struct pw_out out = PW_OUT(ignored);
    size_t len = 0;
    if (given == NULL) {
        return PW_OK;
    }
    char *text = file_read(given, &len, &out);
    struct pw_str key = text != NULL ? (struct pw_str){.at = text, .len = len} : pw_str_of(given);
    int err = meter_key_read(&verdict->key, key, why);
    verdict->key_from = err == PW_OK ? "--key" : NULL;
    free(text);
    return err;
}

static void take_lines(struct verdict *verdict, struct pw_str rest)
{
    while (rest.len > 0) {
        struct pw_str line = pw_str_trim(pw_str_cut(&rest, '\n'));
        if (line.len > 0 && line.at[0] == '{') {
            take_value(verdict, line);
        } else if (line.len > 0) {
            take_text(verdict, line);
        }
    }
}

int run_verify(const struct request *request)
{
    char text[400] = "";
    struct pw_out why = PW_OUT(text);
    struct verdict verdict;
    size_t len = 0;
    if (request->arguments != 1) {
        return fail_usage("verify", "needs a file (or --central URL and a session)");
    }
    char *file = file_read(request->argument[0], &len, &why);
    int code = EXIT_UNREACHABLE;
    if (file != NULL && new_verdict(&verdict)) {
        if (take_given_key(&verdict, request->key, &why) == PW_OK) {
            take_lines(&verdict, (struct pw_str){.at = file, .len = len});
            code = tell(&verdict, request->form);
        } else {
            code = fail_with(EXIT_USAGE, &why);
        }
        free(verdict.set);
    } else {
        code = fail_with(EXIT_UNREACHABLE, &why);
    }
    free(file);
    return code;
}

static void take_session(struct verdict *verdict, const struct pw_json_node *session)
{
    struct pw_str text;
    struct pw_json_iter keys = pw_json_each(pw_json_member(session, "meter_keys"));
    const struct pw_json_node *first = pw_json_next(&keys);
    if (verdict->key_from == NULL &&
        pw_json_text(pw_json_member(first, "public_key"), &text) == PW_OK) {
        take_key(verdict, text, "the central system, first seen of this meter");
    }
    struct pw_json_iter it = pw_json_each(pw_json_member(session, "signed_values"));
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) {
        if (pw_json_text(pw_json_member(item, "value"), &text) == PW_OK) {
            take_value(verdict, text);
        }
    }
}

int on_verify(const struct call *call)
{
    char path[64];
    struct pw_out out = PW_OUT(path);
    struct pw_str answer = {0};
    struct document document;
    struct verdict verdict;
    int code = EXIT_UNREACHABLE;
    pw_put_s(&out, "/sessions/");
    put_escaped(&out, call->request->argument[0]);
    int err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
    if (err == PW_OK) {
        err = document_read(&document, answer, call->why);
    }
    if (err != PW_OK) {
        return code_of(call, err);
    }
    if (!new_verdict(&verdict)) {
        pw_put_s(call->why, "out of memory");
        code = fail_with(EXIT_UNREACHABLE, call->why);
    } else if (take_given_key(&verdict, call->request->key, call->why) != PW_OK) {
        code = fail_with(EXIT_USAGE, call->why);
    } else {
        struct pw_str stop;
        const struct pw_json_node *root = document_root(&document);
        verdict.runs = pw_json_text(pw_json_member(root, "stop_at"), &stop) != PW_OK;
        take_session(&verdict, root);
        code = tell(&verdict, call->request->form);
    }
    free(verdict.set);
    document_free(&document);
    return code;
}

// Cards, root certificates and signed programs: whom a central system and its stations believe.
#include "at_central.h"
#include "file.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 16384

static void card_path(struct pw_out *out, const struct call *call)
{
    pw_put_s(out, "/cards/");
    put_escaped(out, call->request->argument[0]);
}

// A member as the card has it already.
static void keep_member(struct pw_json_writer *json, const struct pw_json_node *card,
                        const char *member)
{
    struct pw_str text = {0};
    if (card != NULL && pw_json_text(pw_json_member(card, member), &text) == PW_OK) {
        pw_json_say_text(json, member, text);
    }
}

// The interface sets a card as a whole: what is not asked for is read first.
static int put_card(const struct call *call, const char *status)
{
    char path[128];
    char text[BODY_MAX];
    struct pw_out at = PW_OUT(path);
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    struct pw_str answer = {0};
    struct document document = {0};
    card_path(&at, call);
    if (at.full) {
        return fail_usage(call->request->argument[0], "a card has 1 to 20 characters");
    }
    int err = remote_ask(call->remote, "GET", path, NULL, &answer, call->why);
    if (err == PW_OK) {
        err = document_read(&document, answer, call->why);
    } else if (err == PW_ERR_BUSY) {
        err = PW_OK; // a new one
        call->why->len = 0;
    }
    if (err != PW_OK) {
        return code_of(call, err);
    }
    const struct pw_json_node *card = document_root(&document);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "status", status);
    keep_member(&json, card, "parent");
    keep_member(&json, card, "expires");
    if (call->request->arguments > 1) {
        pw_json_say_s(&json, "name", call->request->argument[1]);
    } else {
        keep_member(&json, card, "name");
    }
    pw_json_close(&json, '}');
    document_free(&document);
    return code_of(call, remote_ask(call->remote, "PUT", path, text, &answer, call->why));
}

int on_accept(const struct call *call)
{
    return put_card(call, "Accepted");
}

int on_block(const struct call *call)
{
    return put_card(call, "Blocked");
}

int on_forget(const struct call *call)
{
    char path[128];
    struct pw_out at = PW_OUT(path);
    struct pw_str answer = {0};
    card_path(&at, call);
    return code_of(call, remote_ask(call->remote, "DELETE", path, NULL, &answer, call->why));
}

// ---------------------------------------------------------------------------------------------

bool put_file(struct pw_json_writer *json, const char *key, const char *path, bool binary,
              struct pw_out *why)
{
    size_t len = 0;
    char coded[2048] = "";
    struct pw_out out = PW_OUT(coded);
    char *text = file_read(path, &len, why);
    if (text == NULL) {
        return false;
    }
    pw_json_key(json, key);
    if (binary) {
        pw_put_base64(&out, text, len);
    }
    if (out.full) {
        pw_put_s(why, path);
        pw_put_s(why, ": is too long for a signature");
    }
    pw_json_put_text(json, binary ? pw_out_str(&out) : (struct pw_str){.at = text, .len = len});
    free(text);
    return !out.full;
}

static int post_body(const struct call *call, const char *rest, const struct pw_out *body)
{
    char path[256];
    struct pw_out out = PW_OUT(path);
    put_station_path(&out, call, rest);
    if (body->full || out.full) {
        return fail_usage(call->request->word, "its arguments are too long");
    }
    return order(call, "POST", path, body->at, false);
}

int on_trust(const struct call *call)
{
    const struct request *request = call->request;
    char text[BODY_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    bool central = strcmp(request->argument[1], "central") == 0;
    if (!central && strcmp(request->argument[1], "maker") != 0) {
        return fail_usage(request->argument[1], "must be central or maker");
    }
    if (!central && request->arguments < 3) {
        return fail_usage("trust", "needs the FILE of a maker's root");
    }
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "use",
                  central ? "CentralSystemRootCertificate" : "ManufacturerRootCertificate");
    if (request->arguments > 2 &&
        !put_file(&json, "certificate", request->argument[2], false, call->why)) {
        return fail_with(EXIT_USAGE, call->why);
    }
    pw_json_close(&json, '}');
    return post_body(call, "/certificates", &body);
}

int on_firmware(const struct call *call)
{
    const struct request *request = call->request;
    char text[BODY_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&body);
    if ((request->certificate == NULL) != (request->signature == NULL)) {
        return fail_usage("firmware", "needs --certificate and --signature, or neither");
    }
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "location", request->argument[1]);
    if (request->certificate != NULL &&
        (!put_file(&json, "signing_certificate", request->certificate, false, call->why) ||
         !put_file(&json, "signature", request->signature, true, call->why))) {
        return fail_with(EXIT_USAGE, call->why);
    }
    pw_json_close(&json, '}');
    return post_body(call, "/firmware", &body);
}

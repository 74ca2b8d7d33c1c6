// Bad input over the link (cases.def, T): every request that a central system can make, from the
// golden messages, changed leaf by leaf. The station must answer with a frame of its own, keep
// charging and stay itself.
#include "cases.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 512, FRAME_MAX = 66000 };

// A change of one leaf: writes the JSON that takes its place. False: this leaf is left alone.
typedef bool (*change)(const cJSON *leaf, unsigned step, struct pw_out *out);

static cJSON *golden(const char *action)
{
    static char text[8192];
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s.req.json", CONFORMANCE_GOLDEN, action);
    FILE *file = fopen(path, "r");
    size_t len = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return cJSON_ParseWithLength(text, len);
}

// The leaves in order, objects' members and lists themselves among them.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a golden message.
static cJSON *leaf_at(cJSON *node, unsigned *index)
{
    cJSON *child = NULL;
    cJSON_ArrayForEach(child, node)
    {
        if ((*index)-- == 0) {
            return child;
        }
        cJSON *found = leaf_at(child, index);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

// An answer of any kind, with our id and a description that fits (the rig checks the frame).
static const char *ask(struct rig *r, const char *action, const char *payload)
{
    static char frame[RIG_RAW_MAX];
    struct pw_out out = PW_OUT(frame);
    pw_put_s(&out, "[2,\"%ID\",\"");
    pw_put_s(&out, action);
    pw_put_s(&out, "\",");
    pw_put_s(&out, payload);
    pw_put_c(&out, ']');
    if (out.full || out.len > FRAME_MAX) {
        return "";
    }
    const char *code = rig_ask_raw(r, frame);
    if (code == NULL) {
        rig_fail(r, "%s is not answered: %.300s", action, payload);
    }
    return code;
}

static bool is_left_out(const char *action)
{
    // What takes the station down, or its link, is a case of its own.
    static const char *const left[] = {"Reset", "UpdateFirmware", "SignedUpdateFirmware"};
    for (unsigned i = 0; i < PW_COUNT(left); i++) {
        if (strcmp(left[i], action) == 0) {
            return true;
        }
    }
    return false;
}

// Every leaf of an action, changed in every way. Returns how many were asked.
static unsigned bend(struct rig *r, const char *action, change how)
{
    static char payload[RIG_RAW_MAX];
    static char value[RIG_RAW_MAX];
    unsigned asked = 0;
    for (unsigned leaf = 0;; leaf++) {
        for (unsigned step = 0;; step++) {
            cJSON *request = golden(action);
            unsigned at = leaf;
            cJSON *place = leaf_at(request, &at);
            struct pw_out out = PW_OUT(value);
            if (place == NULL) {
                cJSON_Delete(request);
                return asked;
            }
            if (!how(place, step, &out)) {
                cJSON_Delete(request);
                break;
            }
            // In place of the leaf a mark, and in place of the mark the value: cJSON would mend it.
            cJSON *mark = cJSON_CreateString("@@@");
            cJSON tmp = *place;
            place->type = cJSON_String;
            place->valuestring = mark->valuestring;
            place->child = NULL;
            char *text = cJSON_PrintUnformatted(request);
            place->type = tmp.type;
            place->valuestring = tmp.valuestring;
            place->child = tmp.child;
            cJSON_Delete(mark);
            cJSON_Delete(request);
            char *hole = strstr(text, "\"@@@\"");
            struct pw_out whole = PW_OUT(payload);
            pw_put(&whole, (struct pw_str){.at = text, .len = (size_t)(hole - text)});
            pw_put(&whole, pw_out_str(&out));
            pw_put_s(&whole, hole + strlen("\"@@@\""));
            free(text);
            if (!out.full && !whole.full) {
                (void)ask(r, action, payload);
                asked++;
            }
        }
    }
}

static void bend_all(change how, unsigned least)
{
    struct rig *r = rig_open(RIG_SOCKET);
    unsigned asked = 0;
    rig_boot(r);
    r->lenient = true;
    for (unsigned i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        char action[RIG_ACTION_MAX];
        struct pw_str name = pw_ocpp16_action_name((enum pw_ocpp16_action)i);
        bool ours = (pw_ocpp16_actions[i].sender & PW_OCPP16_FROM_CENTRAL) != 0;
        rig_check(r, pw_str_copy(action, sizeof(action), name) == PW_OK);
        if (ours && !is_left_out(action)) {
            asked += bend(r, action, how);
        }
    }
    if (asked < least) {
        rig_fail(r, "only %u requests were made: the golden messages are not there", asked);
    }
    rig_check(r, r->restarts == 0);
    rig_close(r);
}

static void put_filled(struct pw_out *out, char with, size_t len)
{
    pw_put_c(out, '"');
    for (size_t i = 0; i < len; i++) {
        pw_put_c(out, with);
    }
    pw_put_c(out, '"');
}

static bool injects(const cJSON *leaf, unsigned step, struct pw_out *out)
{
    static const char *const texts[] = {"\";$(reboot)`x`\"",
                                        "\"\\n[2,\\\"x\\\"]\\r\\n\"",
                                        "\"%0a%00%s%n\"",
                                        "\"../../etc/passwd\"",
                                        "\"<script>alert(1)</script>\"",
                                        "\"' OR 1=1 --\"",
                                        "\"\\u0000\\u0007\"",
                                        "\"\"",
                                        "\"http://169.254.169.254/`id`;x\""};
    if (!cJSON_IsString(leaf) || step >= PW_COUNT(texts)) {
        return false;
    }
    pw_put_s(out, texts[step]);
    return true;
}

void case_t_01(void)
{
    bend_all(injects, 200);
}

static bool stretches(const cJSON *leaf, unsigned step, struct pw_out *out)
{
    static const size_t lengths[] = {19,  20,  21,  24,  25,  26,   49,   50,    51,   254,
                                     255, 256, 500, 501, 512, 2500, 4096, 16000, 65000};
    if (!cJSON_IsString(leaf) || step >= PW_COUNT(lengths)) {
        return false;
    }
    put_filled(out, 'x', lengths[step]);
    return true;
}

void case_t_02(void)
{
    bend_all(stretches, 400);
    // And by the word: one character too many is a property constraint, and nothing was done.
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_seconds(r, 3);
    rig_check(r, strcmp(ask(r, "RemoteStartTransaction",
                            "{\"connectorId\":1,\"idTag\":\"123456789012345678901\"}"),
                        "PropertyConstraintViolation") == 0);
    rig_expect_none(r, "StartTransaction", "{}", 10000);
    rig_close(r);
}

static bool repeats(const cJSON *leaf, unsigned step, struct pw_out *out)
{
    static const unsigned counts[] = {0, 1, 2, 80, 81, 500, 30000};
    if (!cJSON_IsArray(leaf) || step >= PW_COUNT(counts)) {
        return false;
    }
    char *text = cJSON_PrintUnformatted(leaf->child);
    pw_put_c(out, '[');
    for (unsigned i = 0; i < counts[step] && out->len < 60000; i++) {
        pw_put_s(out, i == 0 ? "" : ",");
        pw_put_s(out, counts[step] == 30000 ? "0" : text);
    }
    pw_put_c(out, ']');
    free(text);
    return true;
}

void case_t_04(void)
{
    bend_all(repeats, 20);
}

static bool spoils(const cJSON *leaf, unsigned step, struct pw_out *out)
{
    static const char *const values[] = {"null",
                                         "true",
                                         "[]",
                                         "{}",
                                         "[[[]]]",
                                         "\"\"",
                                         "\"x\"",
                                         "0",
                                         "-0",
                                         "-1",
                                         "1.5",
                                         "1e308",
                                         "2147483647",
                                         "2147483648",
                                         "-2147483648",
                                         "-2147483649",
                                         "9007199254740993",
                                         "1e-999",
                                         "0.1",
                                         "0.05",
                                         "\"2026-13-45T99:99:99Z\"",
                                         "\"2026-01-01T00:00:00.Z\"",
                                         "\"0000-01-01T00:00:00Z\"",
                                         "\"9999-12-31T23:59:59Z\"",
                                         "\"2026-01-01T00:00:00+99:99\"",
                                         "\"1970-01-01T00:00:00Z\"",
                                         "\"2106-02-07T06:28:16Z\""};
    (void)leaf;
    if (step >= PW_COUNT(values)) {
        return false;
    }
    pw_put_s(out, values[step]);
    return true;
}

static void leave_out(struct rig *r, const char *action, const struct pw_ocpp_row *row)
{
    cJSON *request = golden(action);
    cJSON_DeleteItemFromObjectCaseSensitive(request, row->key);
    char *text = cJSON_PrintUnformatted(request);
    const char *code = ask(r, action, text);
    if (strcmp(code, "OccurenceConstraintViolation") != 0) {
        rig_fail(r, "%s without %s: %s", action, row->key, code);
    }
    free(text);
    cJSON_Delete(request);
}

// Each required field of each request missing.
static void leave_out_all(void)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    r->lenient = true;
    for (unsigned i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        char action[RIG_ACTION_MAX];
        const struct pw_ocpp_object *object = pw_ocpp16_actions[i].req;
        bool ours = (pw_ocpp16_actions[i].sender & PW_OCPP16_FROM_CENTRAL) != 0;
        int err =
            pw_str_copy(action, sizeof(action), pw_ocpp16_action_name((enum pw_ocpp16_action)i));
        rig_check(r, err == PW_OK);
        for (unsigned row = 0; ours && row < object->count; row++) {
            if (object->rows[row].must) {
                leave_out(r, action, &object->rows[row]);
            }
        }
    }
    rig_close(r);
}

void case_t_05(void)
{
    bend_all(spoils, 1000);
    leave_out_all();
}

// NOLINTNEXTLINE(readability-non-const-parameter): written through `out`
static void nested(char *frame, size_t cap, unsigned depth)
{
    struct pw_out out = {.at = frame, .cap = cap};
    pw_put_s(&out, "[2,\"%ID\",\"GetConfiguration\",{\"key\":");
    for (unsigned i = 0; i < depth; i++) {
        pw_put_c(&out, '[');
    }
    for (unsigned i = 0; i < depth; i++) {
        pw_put_c(&out, ']');
    }
    pw_put_s(&out, "}]");
}

// Reason: other stations crashed in the report of the error, not in the message.
void case_t_03(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[",
        "[]",
        "[2]",
        "[2,\"%ID\"]",
        "[2,\"%ID\",\"Reset\"]",
        "[2,\"%ID\",5,{}]",
        "[2,5,\"Reset\",{}]",
        "[\"2\",\"%ID\",\"Reset\",{}]",
        "[7,\"%ID\",\"Reset\",{}]",
        "[2,\"%ID\",\"Reset\",{\"type\":\"Soft\"}",
        "[2,\"%ID\",\"Reset\",{\"type\":\"Soft\"}]]",
        "[2,\"%ID\",\"Reset\",{\"type\":\"Soft\",}]",
        "[2,\"%ID\",\"Reset\",{type:\"Soft\"}]",
        "[2,\"%ID\",\"GetConfiguration\",{\"key\":[\"\xff\xfe\"]}]",
        "[2,\"%ID\",\"GetConfiguration\",{\"key\":[\"\xe2\x82\"]}]",
        "[2,\"%ID\",\"GetConfiguration\",{\"key\":[\"\\ud800\"]}]",
        "[2,\"%ID\",\"GetConfiguration\",{\"key\":[\"\\u00\"]}]",
        "[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":1e999}]",
        "[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":01}]",
        "[2,\"%ID\",\"UnlockConnector\",{\"connectorId\":1,\"connectorId\":2}]",
        "[3,\"%ID\",{}]",
        "[4,\"%ID\",\"InternalError\",\"\",{}]",
        "[4,\"%ID\"]",
        "[3]"};
    static char deep[40000];
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_charge(r);
    r->lenient = true;
    for (unsigned i = 0; i < PW_COUNT(texts); i++) {
        rig_send_raw(r, texts[i]);
        rig_seconds(r, 1);
    }
    for (unsigned depth = 10; depth <= 10000; depth *= 10) {
        nested(deep, sizeof(deep), depth);
        rig_send_raw(r, deep);
        rig_seconds(r, 1);
    }
    // What is said of an error that quotes a whole message still fits 255 characters.
    static char long_key[5000];
    struct pw_out out = PW_OUT(long_key);
    pw_put_s(&out, "{\"key\":");
    put_filled(&out, 'k', 4000);
    pw_put_s(&out, ",\"value\":\"\"}");
    rig_check(r,
              strcmp(ask(r, "ChangeConfiguration", long_key), "PropertyConstraintViolation") == 0);
    rig_check(r, r->restarts == 0 && r->opens == 1);
    rig_check(r, rig_energy_flows(r));
    r->lenient = false;
    rig_is(r, rig_ask(r, "GetConfiguration", "{'key':['HeartbeatInterval']}"),
           "{'configurationKey':[{'key':'HeartbeatInterval'}]}");
    rig_close(r);
}

void case_t_06(void)
{
    static const char start[] =
        "[2,\"replay-1\",\"RemoteStartTransaction\",{\"idTag\":\"TAG-1\",\"connectorId\":1}]";
    static const char unlock[] = "[2,\"replay-1\",\"UnlockConnector\",{\"connectorId\":1}]";
    struct rig *r = rig_open(RIG_SOCKET);
    rig_boot(r);
    rig_plug(r);
    rig_seconds(r, 3);
    r->lenient = true;
    rig_leave(r);
    street_post(&r->street, pw_str_of(start));
    rig_expect(r, "StartTransaction", "{'idTag':'TAG-1'}");
    size_t from = r->count;
    street_post(&r->street, pw_str_of(start));
    street_post(&r->street, pw_str_of(start));
    rig_seconds(r, 5);
    for (size_t i = from; i < r->count; i++) {
        rig_check(r, strcmp(r->messages[i]->id, "replay-1") != 0);
    }
    // The id once more for something else is a poor central system, and no attack.
    street_post(&r->street, pw_str_of(unlock));
    rig_expect_too(r, "StopTransaction", "{'reason':'UnlockCommand'}");
    // A station id of its own on top: longer than the standard's 36.
    static const char longer[] = "[2,\"1234567890123456789012345678901234567\",\"ClearCache\",{}]";
    street_post(&r->street, pw_str_of(longer));
    rig_seconds(r, 2);
    rig_send_result(r, "nobody-asked-this", "{}");
    rig_seconds(r, 2);
    rig_check(r, r->opens == 1 && r->restarts == 0);
    rig_close(r);
}

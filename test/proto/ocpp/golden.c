// One golden message for each request and answer, every field in it: decoded strictly and encoded
// again it must be the same, byte for byte. The schema test judges the same files.
#include "sample.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 14, NODES = 512 };

static char text[TEXT_MAX];
static char again[TEXT_MAX];

static struct pw_str load(struct pw_str action, const char *kind)
{
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, GOLDEN_FOLDER "/");
    pw_put(&out, action);
    pw_put_s(&out, kind);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        print_error("%s is not there\n", path);
        fail();
        return PW_STR("");
    }
    size_t len = fread(text, 1, TEXT_MAX, file);
    (void)fclose(file);
    assert_true(len > 1 && len < TEXT_MAX && text[len - 1] == '\n');
    return (struct pw_str){.at = text, .len = len - 1};
}

static void check(struct pw_str action, const char *kind, const struct pw_ocpp_object *object)
{
    static struct pw_json_node nodes[NODES];
    static char spare[TEXT_MAX];
    static uint64_t decoded[256];
    static uint64_t room_bytes[4096];
    struct pw_str golden = load(action, kind);
    struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = TEXT_MAX};
    struct pw_ocpp_fault fault = {.text = ""};
    struct room room = {.at = (unsigned char *)room_bytes, .cap = sizeof(room_bytes)};
    struct pw_out out = PW_OUT(again);
    uint32_t has = 0;
    assert_int_equal(pw_json_read(&json, golden), PW_OK);
    int err = pw_ocpp_decode(object, nodes, PW_OCPP_REFUSE_UNKNOWN_KEYS, decoded, &fault);
    if (err != PW_OK) {
        print_error("%.*s%s: %s\n", (int)action.len, action.at, kind, fault.text);
    }
    assert_int_equal(err, PW_OK);
    memcpy(&has, decoded, sizeof(has));
    assert_int_equal(has, (uint32_t)((1ULL << object->count) - 1));
    assert_int_equal(sample_own_lists(object, decoded, &room), PW_OK);
    pw_ocpp_encode(object, decoded, &out);
    assert_int_equal(out.len, golden.len);
    assert_memory_equal(again, golden.at, golden.len);
}

static void golden_messages_come_back_byte_for_byte(void **state)
{
    (void)state;
    for (int i = 0; i < PW_OCPP16_ACTION_COUNT; i++) {
        struct pw_str action = pw_ocpp16_action_name((enum pw_ocpp16_action)i);
        check(action, ".req.json", pw_ocpp16_actions[i].req);
        check(action, ".conf.json", pw_ocpp16_actions[i].conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_messages_come_back_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

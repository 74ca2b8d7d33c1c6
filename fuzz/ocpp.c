// Any payload for any message: pw_ocpp_decode under every policy, going through what it took, and
// pw_ocpp_encode. First byte: the message; second: the policy; the rest: the payload's text. What
// is encoded again must be taken again.
#include "ocpp/ocpp.h"

#include "sample.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 2048, TEXT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pw_ocpp_object *message(uint8_t number)
{
    unsigned index = number % (2U * PW_OCPP16_ACTION_COUNT);
    const struct pw_ocpp16_action_row *action = &pw_ocpp16_actions[index / 2];
    return index % 2 == 0 ? action->req : action->conf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_json_node nodes[NODES];
    static char spare[TEXT_MAX];
    static char text[6 * TEXT_MAX];
    static uint64_t decoded[256];
    static uint64_t room_bytes[1 << 16];
    struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = TEXT_MAX};
    struct pw_ocpp_fault fault = {.text = ""};
    struct room room = {.at = (unsigned char *)room_bytes, .cap = sizeof(room_bytes)};
    struct pw_out out = PW_OUT(text);
    if (size < 2 || size > TEXT_MAX) {
        return 0;
    }
    const struct pw_ocpp_object *object = message(data[0]);
    unsigned policy = data[1] & 7U;
    struct pw_str payload = {.at = (const char *)data + 2, .len = size - 2};
    if (pw_json_read(&json, payload) != PW_OK) {
        return 0;
    }
    if (pw_ocpp_decode(object, nodes, policy, decoded, &fault) != PW_OK) {
        if (fault.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (sample_own_lists(object, decoded, &room) != PW_OK) {
        return 0;
    }
    pw_ocpp_encode(object, decoded, &out);
    if (pw_out_err(&out) != PW_OK || pw_json_read(&json, pw_out_str(&out)) != PW_OK ||
        pw_ocpp_decode(object, nodes, policy | PW_OCPP_REFUSE_UNKNOWN_KEYS, decoded, &fault) !=
            PW_OK) {
        abort();
    }
    return 0;
}

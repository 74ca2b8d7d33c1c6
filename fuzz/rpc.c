// Frames as they come, split at line ends, against one exchange: pw_ocpp_frame_read, the answers a
// station gives (pw_ocpp_put_error, pw_ocpp16_put_result) and pw_ocpp_rpc_*. What we send must be
// a frame ourselves.
#include "ocpp/ocpp.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { NODES = 2048, TEXT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char answer[6 * TEXT_MAX];

static void check_answer(const struct pw_out *out)
{
    static struct pw_json_node nodes[16];
    static char spare[6 * TEXT_MAX];
    struct pw_json json = {.node = nodes, .cap = 16, .spare = spare, .spare_cap = sizeof(spare)};
    struct pw_ocpp_frame frame;
    struct pw_ocpp_fault fault;
    if (pw_out_err(out) != PW_OK ||
        pw_ocpp_frame_read(&json, pw_out_str(out), &frame, &fault) != PW_OK) {
        abort();
    }
}

static void serve(struct pw_ocpp_rpc *rpc, const struct pw_ocpp_frame *frame)
{
    static uint64_t decoded[256];
    struct pw_ocpp_fault fault;
    struct pw_out out = PW_OUT(answer);
    if (pw_ocpp_rpc_serve(rpc, frame->id) != PW_OK) {
        return;
    }
    int action = pw_ocpp16_action_find(frame->action);
    if (action < 0) {
        pw_ocpp_put_error(&out, frame->id, PW_OCPP_NOT_IMPLEMENTED, frame->action);
    } else if (pw_ocpp_decode(pw_ocpp16_actions[action].req, frame->payload, 0, decoded, &fault) !=
               PW_OK) {
        pw_ocpp_put_error(&out, frame->id, fault.code, pw_str_of(fault.text));
    } else {
        pw_ocpp_put_result_raw(&out, frame->id, PW_STR("{}"));
    }
    check_answer(&out);
    pw_ocpp_rpc_served(rpc);
}

static void take(struct pw_ocpp_rpc *rpc, struct pw_str text)
{
    static struct pw_json_node nodes[NODES];
    static char spare[TEXT_MAX];
    struct pw_json json = {.node = nodes, .cap = NODES, .spare = spare, .spare_cap = TEXT_MAX};
    struct pw_ocpp_frame frame;
    struct pw_ocpp_fault fault;
    int err = pw_ocpp_frame_read(&json, text, &frame, &fault);
    if (err == PW_OK && frame.kind == PW_OCPP_CALL) {
        serve(rpc, &frame);
    } else if (err == PW_OK) {
        (void)pw_ocpp_rpc_answer(rpc, frame.id);
    } else if (frame.id.len > 0 && err != PW_ERR_UNKNOWN) {
        struct pw_out out = PW_OUT(answer);
        pw_ocpp_put_error(&out, frame.id, fault.code, pw_str_of(fault.text));
        if (pw_json_chars(frame.id) <= PW_OCPP_ID_MAX) {
            check_answer(&out);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_ocpp_rpc rpc;
    struct pw_str rest = {.at = (const char *)data, .len = size};
    pw_ms now = 0;
    if (size > TEXT_MAX) {
        return 0;
    }
    // Ids 0000000000000001-0, -1, … so that an input can answer.
    pw_ocpp_rpc_init(&rpc, 1);
    while (rest.len > 0) {
        struct pw_str line = pw_str_cut(&rest, '\n');
        if (!rpc.open && pw_ocpp_rpc_call(&rpc, PW_OCPP16_HEARTBEAT, 30, now) != PW_OK) {
            abort();
        }
        take(&rpc, line);
        now += 10;
        (void)pw_ocpp_rpc_timed_out(&rpc, now);
        if (rpc.open == (rpc.deadline == PW_NEVER)) {
            abort();
        }
    }
    return 0;
}

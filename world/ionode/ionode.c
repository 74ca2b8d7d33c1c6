#include "ionode/ionode.h"

#define DIGITAL_MS   500
#define ANALOG_MS    100
#define HEARTBEAT_MS 1000

void pw_ionode_init(struct pw_ionode *ionode, uint8_t node, pw_ms now)
{
    PW_ASSERT(node >= 1 && node <= PW_CIA401_NODE_MAX);
    *ionode = (struct pw_ionode){
        .node = node,
        .state = PW_CIA401_OPERATIONAL,
        .heard_at = PW_NEVER,
        .digital_at = now,
        .analog_at = now,
        .heartbeat_at = now,
    };
}

static void send(struct pw_ionode *ionode, struct pw_cia401_message message)
{
    message.node = ionode->node;
    struct pw_can_frame frame;
    int err = pw_cia401_pack(&message, &frame);
    PW_ASSERT(err == PW_OK);
    (void)pw_ionode_tx_push(&ionode->tx, frame);
}

static void send_digital(struct pw_ionode *ionode, uint8_t inputs)
{
    ionode->sent_inputs = inputs;
    send(ionode, (struct pw_cia401_message){.kind = PW_CIA401_INPUTS, .digital = inputs});
}

static void send_analog(struct pw_ionode *ionode, int32_t connector_mv)
{
    struct pw_cia401_message message = {.kind = PW_CIA401_ANALOGS, .analog_count = 1};
    int32_t shown_mv = (int32_t)pw_clamp(connector_mv, -300000, 300000);
    int err = pw_cia401_analog_of_mv(shown_mv, &message.analog[0]);
    PW_ASSERT(err == PW_OK);
    send(ionode, message);
}

static void beat(struct pw_ionode *ionode)
{
    enum pw_cia401_state state = ionode->state;
    if (!ionode->booted) {
        state = PW_CIA401_BOOT;
        ionode->booted = true;
    }
    send(ionode, (struct pw_cia401_message){.kind = PW_CIA401_HEARTBEAT, .state = state});
}

pw_ms pw_ionode_step(struct pw_ionode *ionode, const struct pw_ionode_inputs *in, pw_ms now)
{
    if (pw_elapsed(ionode->heard_at, PW_IONODE_TIMEOUT_MS, now)) {
        ionode->outputs = false;
        ionode->heard_at = PW_NEVER;
    }
    if (now >= ionode->heartbeat_at) {
        beat(ionode);
        ionode->heartbeat_at = now + HEARTBEAT_MS;
    }
    pw_ms next = pw_earlier(ionode->heartbeat_at, pw_after(ionode->heard_at, PW_IONODE_TIMEOUT_MS));
    if (ionode->state != PW_CIA401_OPERATIONAL) {
        return next;
    }
    uint8_t inputs = (uint8_t)((in->contactor_closed ? PW_CIA401_IN_CONTACTOR : 0U) |
                               (in->estop_pressed ? PW_CIA401_IN_ESTOP : 0U));
    if (inputs != ionode->sent_inputs || now >= ionode->digital_at) {
        send_digital(ionode, inputs);
        ionode->digital_at = now + DIGITAL_MS;
    }
    if (now >= ionode->analog_at) {
        send_analog(ionode, in->connector_mv);
        ionode->analog_at = now + ANALOG_MS;
    }
    return pw_earlier(next, pw_earlier(ionode->digital_at, ionode->analog_at));
}

static void rest(struct pw_ionode *ionode, enum pw_cia401_state state)
{
    ionode->state = state;
    ionode->outputs = false;
}

static void manage(struct pw_ionode *ionode, enum pw_cia401_nmt command, pw_ms now)
{
    switch (command) {
    case PW_CIA401_START: ionode->state = PW_CIA401_OPERATIONAL; return;
    case PW_CIA401_STOP: rest(ionode, PW_CIA401_STOPPED); return;
    case PW_CIA401_ENTER_PREOPERATIONAL: rest(ionode, PW_CIA401_PREOPERATIONAL); return;
    case PW_CIA401_RESET:
    case PW_CIA401_RESET_COMMUNICATION: {
        struct pw_ionode_tx tx = ionode->tx;
        pw_ionode_init(ionode, ionode->node, now);
        ionode->tx = tx;
        return;
    }
    }
    PW_UNREACHABLE();
}

void pw_ionode_can(struct pw_ionode *ionode, const struct pw_can_frame *frame, pw_ms now)
{
    struct pw_cia401_message message;
    if (pw_cia401_unpack(frame, &message) != PW_OK) {
        return;
    }
    if (message.kind == PW_CIA401_NMT && (message.node == 0 || message.node == ionode->node)) {
        manage(ionode, message.nmt, now);
    } else if (message.kind == PW_CIA401_OUTPUTS && message.node == ionode->node &&
               ionode->state == PW_CIA401_OPERATIONAL) {
        ionode->outputs = (message.digital & PW_CIA401_OUT_CONTACTOR) != 0;
        ionode->heard_at = now;
    }
}

bool pw_ionode_take_can(struct pw_ionode *ionode, struct pw_can_frame *frame)
{
    return pw_ionode_tx_pop(&ionode->tx, frame);
}

// CANopen generic I/O frames. 11-bit ids, little-endian (CiA 301).
//
// 0x000       0 command  1 node, 0 = all               (NMT)
// 0x180+node  0 digital inputs 1-8                     (TPDO1, CiA 401 object 6000h)
// 0x200+node  0 digital outputs 1-8                    (RPDO1, object 6200h)
// 0x280+node  0-1 2-3 4-5 6-7 analog inputs 1-4 int16  (TPDO2, object 6401h)
// 0x700+node  0 state                                  (heartbeat)
#include "can/cia401.h"

enum { ANALOG_STEP_MV = 10 };

static const struct kind {
    uint16_t base;
    uint8_t len_min;
    uint8_t len_max;
} kinds[] = {
    [PW_CIA401_NMT] = {0x000, 2, 2},       [PW_CIA401_INPUTS] = {0x180, 1, 8},
    [PW_CIA401_OUTPUTS] = {0x200, 1, 8},   [PW_CIA401_ANALOGS] = {0x280, 2, 8},
    [PW_CIA401_HEARTBEAT] = {0x700, 1, 1},
};

static bool is_nmt(unsigned command)
{
    return command == PW_CIA401_START || command == PW_CIA401_STOP ||
           command == PW_CIA401_ENTER_PREOPERATIONAL || command == PW_CIA401_RESET ||
           command == PW_CIA401_RESET_COMMUNICATION;
}

static bool is_state(unsigned state)
{
    return state == PW_CIA401_BOOT || state == PW_CIA401_STOPPED ||
           state == PW_CIA401_OPERATIONAL || state == PW_CIA401_PREOPERATIONAL;
}

static bool valid(const struct pw_cia401_message *message)
{
    bool one_node = message->node >= 1 && message->node <= PW_CIA401_NODE_MAX;
    switch (message->kind) {
    case PW_CIA401_NMT: return (one_node || message->node == 0) && is_nmt((unsigned)message->nmt);
    case PW_CIA401_INPUTS:
    case PW_CIA401_OUTPUTS: return one_node;
    case PW_CIA401_ANALOGS:
        return one_node && message->analog_count >= 1 &&
               message->analog_count <= PW_CIA401_ANALOG_MAX;
    case PW_CIA401_HEARTBEAT: return one_node && is_state((unsigned)message->state);
    }
    return false;
}

static void pack_analogs(const struct pw_cia401_message *from, struct pw_can_frame *frame)
{
    frame->len = (uint8_t)(2 * from->analog_count);
    for (unsigned i = 0; i < from->analog_count; i++) {
        pw_set_le16(frame->data + 2UL * i, (uint16_t)from->analog[i]);
    }
}

int pw_cia401_pack(const struct pw_cia401_message *from, struct pw_can_frame *frame)
{
    if (!valid(from)) {
        return PW_ERR_RANGE;
    }
    const struct kind *kind = &kinds[from->kind];
    bool nmt = from->kind == PW_CIA401_NMT;
    *frame = pw_can_frame_11(kind->base + (nmt ? 0U : from->node), kind->len_min);
    switch (from->kind) {
    case PW_CIA401_NMT:
        frame->data[0] = (uint8_t)from->nmt;
        frame->data[1] = from->node;
        break;
    case PW_CIA401_INPUTS:
    case PW_CIA401_OUTPUTS: frame->data[0] = from->digital; break;
    case PW_CIA401_ANALOGS: pack_analogs(from, frame); break;
    case PW_CIA401_HEARTBEAT: frame->data[0] = (uint8_t)from->state; break;
    }
    return PW_OK;
}

// Which message an id is, and of which node.
static bool recognise(uint32_t id, struct pw_cia401_message *read)
{
    for (unsigned i = 0; i < PW_COUNT(kinds); i++) {
        bool nmt = i == PW_CIA401_NMT;
        uint32_t low = kinds[i].base + (nmt ? 0U : 1U);
        uint32_t high = kinds[i].base + (nmt ? 0U : PW_CIA401_NODE_MAX);
        if (id >= low && id <= high) {
            read->kind = (enum pw_cia401_kind)i;
            read->node = (uint8_t)(id - kinds[i].base);
            return true;
        }
    }
    return false;
}

int pw_cia401_unpack(const struct pw_can_frame *frame, struct pw_cia401_message *to)
{
    struct pw_cia401_message read = {0};
    if (!pw_can_is_11(frame) || !recognise(frame->id, &read)) {
        return PW_ERR_UNKNOWN;
    }
    const struct kind *kind = &kinds[read.kind];
    if (frame->len < kind->len_min || frame->len > kind->len_max ||
        frame->len % kind->len_min != 0) {
        return PW_ERR_PEER;
    }
    switch (read.kind) {
    case PW_CIA401_NMT:
        read.nmt = (enum pw_cia401_nmt)frame->data[0];
        read.node = frame->data[1];
        break;
    case PW_CIA401_INPUTS:
    case PW_CIA401_OUTPUTS: read.digital = frame->data[0]; break;
    case PW_CIA401_ANALOGS:
        read.analog_count = frame->len / 2;
        for (unsigned i = 0; i < read.analog_count; i++) {
            read.analog[i] = (int16_t)pw_le16(frame->data + 2UL * i);
        }
        break;
    case PW_CIA401_HEARTBEAT: read.state = (enum pw_cia401_state)frame->data[0]; break;
    }
    if (!valid(&read)) {
        return PW_ERR_RANGE;
    }
    *to = read;
    return PW_OK;
}

int32_t pw_cia401_voltage_mv(int16_t analog)
{
    return (int32_t)analog * ANALOG_STEP_MV;
}

int pw_cia401_analog_of_mv(int32_t mv, int16_t *analog)
{
    int32_t steps = mv / ANALOG_STEP_MV;
    if (steps < INT16_MIN || steps > INT16_MAX) {
        return PW_ERR_RANGE;
    }
    *analog = (int16_t)steps;
    return PW_OK;
}

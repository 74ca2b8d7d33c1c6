// Daly polls. 29-bit ids, 8 bytes, big-endian; questions carry eight zero bytes.
//
//         question       answer
// 0x90…   0x18 cc 01 40  0x18 cc 40 01   cc = 0x90..0x98
// Ah      0x16 cc 01 80  0x16 cc 80 01   cc = 0x0B charged, 0x0D discharged
//
// 0x90  0-1 pack 0.1 V     2-3 gathered 0.1 V   4-5 current (raw - 30000) 0.1 A   6-7 SOC 0.1 %
// 0x91  0-1 highest cell mV  2 its number       3-4 lowest cell mV  5 its number
// 0x92  0 highest temperature -40 degC  1 its number   2 lowest  3 its number
// 0x93  0 idle/charging/discharging  1 charge switch  2 discharge switch  3 life  4-7 remaining mAh
// 0x94  0 cells  1 sensors  2 charger there  3 load there  4 ports  5-6 cycles
// 0x95  0 frame from 1  1-6 three cells mV
// 0x96  0 frame from 1  1-7 seven temperatures -40 degC
// 0x97  0-7 balancing bits          0x98  0-7 failure bits
// Ah    0-3 mAh
#include "can/daly.h"

#include "can/fields.h"

#include <string.h>

enum { CELSIUS = 10, TEMP_ZERO = 40, CURRENT_ZERO = 30000, NUMBER_MAX = 255 };

#define ROW(name, at_, size_, zero_, scale_, max_)                                                 \
    {                                                                                              \
        .at = (at_), .size = (size_), .zero = (zero_), .scale = (scale_), .max = (max_),           \
        .member = offsetof(struct pw_daly_answer, name)                                            \
    }

static const struct pw_can_field pack_fields[] = {
    ROW(pack_mv, 0, 2, 0, 100, 0),
    ROW(gathered_mv, 2, 2, 0, 100, 0),
    ROW(pack_ma, 4, 2, CURRENT_ZERO, 100, 0),
    ROW(soc_permille, 6, 2, 0, 1, 1000),
};
static const struct pw_can_field cells_range_fields[] = {
    ROW(cell_max_mv, 0, 2, 0, 1, 0),
    ROW(cell_max_number, 2, 1, 0, 1, 0),
    ROW(cell_min_mv, 3, 2, 0, 1, 0),
    ROW(cell_min_number, 5, 1, 0, 1, 0),
};
static const struct pw_can_field temp_range_fields[] = {
    ROW(temp_max_dc, 0, 1, TEMP_ZERO, CELSIUS, 0),
    ROW(temp_max_number, 1, 1, 0, 1, 0),
    ROW(temp_min_dc, 2, 1, TEMP_ZERO, CELSIUS, 0),
    ROW(temp_min_number, 3, 1, 0, 1, 0),
};
static const struct pw_can_field switches_fields[] = {
    ROW(work, 0, 1, 0, 1, PW_DALY_DISCHARGING), ROW(charge_switch, 1, 1, 0, 1, 1),
    ROW(discharge_switch, 2, 1, 0, 1, 1),       ROW(life, 3, 1, 0, 1, 0),
    ROW(remaining_mah, 4, 4, 0, 1, 0),
};
static const struct pw_can_field shape_fields[] = {
    ROW(cell_count, 0, 1, 0, 1, 0),        ROW(sensor_count, 1, 1, 0, 1, 0),
    ROW(charger_connected, 2, 1, 0, 1, 1), ROW(load_connected, 3, 1, 0, 1, 1),
    ROW(port_bits, 4, 1, 0, 1, 0),         ROW(cycles, 5, 2, 0, 1, 0),
};
static const struct pw_can_field cells_fields[] = {
    ROW(cells_frame, 0, 1, 0, 1, NUMBER_MAX),
    ROW(cells_mv[0], 1, 2, 0, 1, 0),
    ROW(cells_mv[1], 3, 2, 0, 1, 0),
    ROW(cells_mv[2], 5, 2, 0, 1, 0),
};
static const struct pw_can_field temps_fields[] = {
    ROW(temps_frame, 0, 1, 0, 1, NUMBER_MAX),      ROW(temps_dc[0], 1, 1, TEMP_ZERO, CELSIUS, 0),
    ROW(temps_dc[1], 2, 1, TEMP_ZERO, CELSIUS, 0), ROW(temps_dc[2], 3, 1, TEMP_ZERO, CELSIUS, 0),
    ROW(temps_dc[3], 4, 1, TEMP_ZERO, CELSIUS, 0), ROW(temps_dc[4], 5, 1, TEMP_ZERO, CELSIUS, 0),
    ROW(temps_dc[5], 6, 1, TEMP_ZERO, CELSIUS, 0), ROW(temps_dc[6], 7, 1, TEMP_ZERO, CELSIUS, 0),
};
static const struct pw_can_field charged_fields[] = {ROW(charged_mah, 0, 4, 0, 1, 0)};
static const struct pw_can_field discharged_fields[] = {ROW(discharged_mah, 0, 4, 0, 1, 0)};

#define FIELDS(rows) .fields = (rows), .count = PW_COUNT(rows)
#define POLL(code)   .ask = 0x18000140U | (code) << 16, .reply = 0x18004001U | (code) << 16
#define COUNTER(c)   .ask = 0x16000180U | (c) << 16, .reply = 0x16008001U | (c) << 16

// One row an item. BALANCE and FAILURES are eight bytes of bits as they stand.
static const struct item {
    uint32_t ask;
    uint32_t reply;
    const struct pw_can_field *fields;
    size_t count;
    size_t bits; // where the eight bytes go, when there are no fields
} items[PW_DALY_ITEMS] = {
    [PW_DALY_PACK] = {POLL(0x90U), FIELDS(pack_fields)},
    [PW_DALY_CELLS_RANGE] = {POLL(0x91U), FIELDS(cells_range_fields)},
    [PW_DALY_TEMP_RANGE] = {POLL(0x92U), FIELDS(temp_range_fields)},
    [PW_DALY_SWITCHES] = {POLL(0x93U), FIELDS(switches_fields)},
    [PW_DALY_SHAPE] = {POLL(0x94U), FIELDS(shape_fields)},
    [PW_DALY_CELLS] = {POLL(0x95U), FIELDS(cells_fields)},
    [PW_DALY_TEMPS] = {POLL(0x96U), FIELDS(temps_fields)},
    [PW_DALY_BALANCE] = {POLL(0x97U), .bits = offsetof(struct pw_daly_answer, balance)},
    [PW_DALY_FAILURES] = {POLL(0x98U), .bits = offsetof(struct pw_daly_answer, failures)},
    [PW_DALY_CHARGED] = {COUNTER(0x0BU), FIELDS(charged_fields)},
    [PW_DALY_DISCHARGED] = {COUNTER(0x0DU), FIELDS(discharged_fields)},
};

void pw_daly_pack_poll(enum pw_daly_item item, struct pw_can_frame *frame)
{
    PW_ASSERT(item < PW_DALY_ITEMS);
    const struct item *row = &items[item];
    *frame = pw_can_frame_29(row->ask, 8);
}

int pw_daly_unpack_poll(const struct pw_can_frame *frame, enum pw_daly_item *item)
{
    for (unsigned i = 0; i < PW_DALY_ITEMS; i++) {
        if (pw_can_is_29(frame) && frame->id == items[i].ask) {
            *item = (enum pw_daly_item)i;
            return frame->len == 8 ? PW_OK : PW_ERR_PEER;
        }
    }
    return PW_ERR_UNKNOWN;
}

int pw_daly_pack_answer(enum pw_daly_item item, const struct pw_daly_answer *from,
                        struct pw_can_frame *frame)
{
    PW_ASSERT(item < PW_DALY_ITEMS);
    const struct item *row = &items[item];
    struct pw_can_frame made = pw_can_frame_29(row->reply, 8);
    if (row->fields == NULL) {
        memcpy(made.data, (const uint8_t *)from + row->bits, sizeof(made.data));
    } else if (pw_can_fields_pack(row->fields, row->count, from, made.data) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *frame = made;
    return PW_OK;
}

int pw_daly_unpack_answer(const struct pw_can_frame *frame, enum pw_daly_item *item,
                          struct pw_daly_answer *to)
{
    unsigned i = 0;
    while (i < PW_DALY_ITEMS && items[i].reply != frame->id) {
        i++;
    }
    if (i == PW_DALY_ITEMS || !pw_can_is_29(frame)) {
        return PW_ERR_UNKNOWN;
    }
    const struct item *row = &items[i];
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    if (row->fields == NULL) {
        memcpy((uint8_t *)to + row->bits, frame->data, sizeof(frame->data));
    } else if (pw_can_fields_unpack(row->fields, row->count, frame->data, to) != PW_OK) {
        return PW_ERR_RANGE;
    }
    *item = (enum pw_daly_item)i;
    return PW_OK;
}

bool pw_daly_failed(const struct pw_daly_answer *answer)
{
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof(answer->failures); i++) {
        any |= answer->failures[i];
    }
    return any != 0;
}

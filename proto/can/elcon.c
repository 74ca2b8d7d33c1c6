// Elcon/TC frames. 29-bit id, 8 bytes, big-endian.
//
// 0x18 06 cc F4, BMS -> charger cc, every 1 s
//   0-1  highest voltage   0.1 V
//   2-3  highest current   0.1 A
//   4    0 charge, else stop
//   5    0 charge, 1 heat the pack            (form HEATING)
//   5-6  state of charge   0.1 %              (form SOC)
//   6-7, 7  unused: sent as 0, ignored when read
//
// 0x18 FF 50 cc, charger cc -> all, every 0.5-1 s
//   0-1  output voltage    0.1 V
//   2-3  output current    0.1 A
//   4    flags
//   5-7  unused
#include "can/elcon.h"

#include "can/fields.h"

enum { REQUEST = 0x180600F4, STATUS = 0x18FF5000, STEP = 100 };

static const struct pw_can_field request_fields[] = {
    {.at = 0, .size = 2, .scale = STEP, .member = offsetof(struct pw_elcon_request, limit_mv)},
    {.at = 2, .size = 2, .scale = STEP, .member = offsetof(struct pw_elcon_request, limit_ma)},
    // only in the form SOC
    {.at = 5,
     .size = 2,
     .scale = 1,
     .max = PW_ELCON_SOC_MAX,
     .member = offsetof(struct pw_elcon_request, soc_permille)},
};

static const struct pw_can_field status_fields[] = {
    {.at = 0, .size = 2, .scale = STEP, .member = offsetof(struct pw_elcon_status, output_mv)},
    {.at = 2, .size = 2, .scale = STEP, .member = offsetof(struct pw_elcon_status, output_ma)},
};

static size_t request_count(enum pw_elcon_form form)
{
    return PW_COUNT(request_fields) - (form == PW_ELCON_SOC ? 0 : 1);
}

// Up to four chargers share a bus.
static bool is_charger(uint32_t address)
{
    return address == 0xE5 || address == 0xE7 || address == 0xE8 || address == 0xE9;
}

int pw_elcon_pack_request(enum pw_elcon_form form, const struct pw_elcon_request *from,
                          struct pw_can_frame *frame)
{
    struct pw_can_frame made = pw_can_frame_29(REQUEST | (uint32_t)from->charger << 8, 8);
    if (!is_charger(from->charger) ||
        pw_can_fields_pack(request_fields, request_count(form), from, made.data) != PW_OK) {
        return PW_ERR_RANGE;
    }
    made.data[4] = from->charge ? 0 : 1;
    if (form == PW_ELCON_HEATING) {
        made.data[5] = from->heating ? 1 : 0;
    }
    *frame = made;
    return PW_OK;
}

int pw_elcon_unpack_request(enum pw_elcon_form form, const struct pw_can_frame *frame,
                            struct pw_elcon_request *to)
{
    uint32_t charger = frame->id >> 8 & 0xFFU;
    struct pw_elcon_request read = {0};
    if (!pw_can_is_29(frame) || (frame->id & 0xFFFF00FFU) != REQUEST || !is_charger(charger)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    if (pw_can_fields_unpack(request_fields, request_count(form), frame->data, &read) != PW_OK ||
        (form == PW_ELCON_HEATING && frame->data[5] > 1)) {
        return PW_ERR_RANGE;
    }
    read.charger = (uint8_t)charger;
    read.charge = frame->data[4] == 0;
    read.heating = form == PW_ELCON_HEATING && frame->data[5] == 1;
    read.has_soc = form == PW_ELCON_SOC;
    *to = read;
    return PW_OK;
}

int pw_elcon_pack_status(const struct pw_elcon_status *from, struct pw_can_frame *frame)
{
    struct pw_can_frame made = pw_can_frame_29(STATUS | from->charger, 8);
    if (!is_charger(from->charger) ||
        pw_can_fields_pack(status_fields, PW_COUNT(status_fields), from, made.data) != PW_OK) {
        return PW_ERR_RANGE;
    }
    made.data[4] = from->flags;
    *frame = made;
    return PW_OK;
}

int pw_elcon_unpack_status(const struct pw_can_frame *frame, struct pw_elcon_status *to)
{
    uint32_t charger = frame->id & 0xFFU;
    if (!pw_can_is_29(frame) || (frame->id & 0xFFFFFF00U) != STATUS || !is_charger(charger)) {
        return PW_ERR_UNKNOWN;
    }
    if (frame->len != 8) {
        return PW_ERR_PEER;
    }
    to->charger = (uint8_t)charger;
    to->flags = frame->data[4];
    return pw_can_fields_unpack(status_fields, PW_COUNT(status_fields), frame->data, to);
}

// Target functions: every unpacker of a CAN protocol, both drivers, and the battery's report.
// Input: frames of 14 bytes: flags and length, a selector, id (4, big-endian), data (8). The
// selector picks an id of a known protocol, so that random bytes get past the first comparison.
#include "can/bms.h"
#include "can/cia401.h"
#include "can/huawei.h"
#include "can/infypower.h"
#include "can/rectifier.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME = 14 };

static const uint32_t ids[] = {
    0x1806E5F4, 0x18FF50E5, 0x00433F01, 0x00473F01, 0x18904001, 0x18914001, 0x18924001, 0x18934001,
    0x18944001, 0x18954001, 0x18964001, 0x18974001, 0x18984001, 0x160B8001, 0x160D8001, 0x18900140,
    0x0681827E, 0x0681817E, 0x068182FE, 0x068181FE, 0x0283F000, 0x0284F000, 0x028300F0, 0x029C00F0,
    0x029A3FF0, 0x000,      0x1A0,      0x220,      0x2A0,      0x720,
};

static struct pw_can_frame frame_at(const uint8_t *at)
{
    struct pw_can_frame frame = {
        .extended = (at[0] & 0x80U) != 0, .remote = (at[0] & 0x40U) != 0, .len = at[0] % 9};
    frame.id = at[1] < PW_COUNT(ids) ? ids[at[1]] : pw_be32(at + 2);
    frame.id &= frame.extended ? PW_CAN_ID_29_MAX : PW_CAN_ID_11_MAX;
    memcpy(frame.data, at + 6, sizeof(frame.data));
    return frame;
}

static void vehicle(const struct pw_can_frame *frame, struct pw_bms_report *report,
                    enum pw_elcon_form form)
{
    struct pw_bms_config config = {.form = form};
    struct pw_elcon_request request;
    struct pw_elcon_status status;
    struct pw_can_frame again;
    enum pw_daly_item item;
    int32_t mah;
    if (pw_elcon_unpack_request(form, frame, &request) == PW_OK) {
        PW_ASSERT(pw_elcon_pack_request(form, &request, &again) == PW_OK);
        PW_ASSERT(again.id == frame->id && memcmp(again.data, frame->data, 4) == 0);
    }
    if (pw_elcon_unpack_status(frame, &status) == PW_OK) {
        PW_ASSERT(pw_elcon_pack_status(&status, &again) == PW_OK && again.id == frame->id);
    }
    if (pw_daly_unpack_poll(frame, &item) == PW_OK) {
        pw_daly_pack_poll(item, &again);
        PW_ASSERT(again.id == frame->id);
    }
    PW_ASSERT(pw_bms_report_read(&config, frame, report) <= PW_BMS_HEARD_ANSWER);
    PW_ASSERT(report->soc_permille >= 0 && report->soc_permille <= PW_ELCON_SOC_MAX);
    PW_ASSERT(report->limit_mv >= 0 && report->limit_ma >= 0);
    if (pw_bms_report_mah(report, &mah) == PW_OK) {
        PW_ASSERT(mah >= 0);
    }
}

static void supply(const struct pw_can_frame *frame, const struct pw_rectifier_driver *driver,
                   struct pw_rectifier_report *report)
{
    struct pw_rectifier_config config = {.address = 1, .modules = 3, .has_terminal = true};
    struct pw_rectifier_command command = {0};
    struct pw_can_frame reply;
    PW_ASSERT(pw_rectifier_read(driver, &config, frame, report) <= PW_RECTIFIER_HEARD_TERMINAL);
    PW_ASSERT((report->alarm == PW_CAN_CALM) == (report->alarm_name == NULL));
    if (driver->take(&config, frame, &command) == 1) {
        PW_ASSERT(command.voltage_mv >= 0 && command.current_ma >= 0);
    }
    if (driver->answer(&config, frame, report, &reply) == 1) {
        PW_ASSERT(pw_can_valid(&reply) && reply.len == 8);
    }
}

static void codecs(const struct pw_can_frame *frame)
{
    struct pw_huawei_message huawei;
    struct pw_infypower_message infypower;
    struct pw_cia401_message cia401;
    struct pw_can_frame again;
    if (pw_huawei_unpack(frame, &huawei) == PW_OK) {
        PW_ASSERT(pw_huawei_pack(&huawei, &again) == PW_OK && again.id == frame->id);
        PW_ASSERT(memcmp(again.data, frame->data, sizeof(again.data)) == 0);
    }
    if (pw_infypower_unpack(frame, &infypower) == PW_OK) {
        int err = pw_infypower_pack(&infypower, &again);
        PW_ASSERT(err == PW_OK && again.id == frame->id);
    }
    if (pw_cia401_unpack(frame, &cia401) == PW_OK) {
        PW_ASSERT(pw_cia401_pack(&cia401, &again) == PW_OK && again.id == frame->id);
        PW_ASSERT(again.data[0] == frame->data[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_bms_report bms[2] = {{0}};
    struct pw_rectifier_report reports[2] = {{0}};
    for (size_t at = 0; at + FRAME <= size; at += FRAME) {
        struct pw_can_frame frame = frame_at(data + at);
        codecs(&frame);
        vehicle(&frame, &bms[0], PW_ELCON_HEATING);
        vehicle(&frame, &bms[1], PW_ELCON_SOC);
        supply(&frame, &pw_rectifier_driver_huawei, &reports[0]);
        supply(&frame, &pw_rectifier_driver_infypower, &reports[1]);
    }
    return 0;
}

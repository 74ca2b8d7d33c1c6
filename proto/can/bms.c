// What the station knows of a battery, from both protocols it may speak.
#include "can/bms.h"

#include <string.h>

static uint8_t charger(const struct pw_bms_config *config)
{
    return config->charger == 0 ? PW_ELCON_CHARGER : config->charger;
}

static void take_request(const struct pw_elcon_request *request, struct pw_bms_report *report)
{
    report->limit_mv = request->limit_mv;
    report->limit_ma = request->limit_ma;
    report->charge = request->charge;
    report->heating = request->heating;
    report->has |= PW_BMS_HAS_LIMITS;
    if (request->has_soc) {
        report->soc_permille = request->soc_permille;
        report->has |= PW_BMS_HAS_SOC;
    }
}

static void take_answer(enum pw_daly_item item, const struct pw_daly_answer *answer,
                        struct pw_bms_report *report)
{
    switch (item) {
    case PW_DALY_PACK:
        report->pack_mv = answer->pack_mv;
        report->pack_ma = answer->pack_ma;
        report->soc_permille = answer->soc_permille;
        report->has |= PW_BMS_HAS_PACK | PW_BMS_HAS_SOC;
        break;
    case PW_DALY_CELLS_RANGE:
        report->cell_max_mv = answer->cell_max_mv;
        report->cell_min_mv = answer->cell_min_mv;
        report->has |= PW_BMS_HAS_CELLS;
        break;
    case PW_DALY_TEMP_RANGE:
        report->temp_max_dc = answer->temp_max_dc;
        report->temp_min_dc = answer->temp_min_dc;
        report->has |= PW_BMS_HAS_TEMP;
        break;
    case PW_DALY_SWITCHES:
        report->remaining_mah = answer->remaining_mah;
        report->has |= PW_BMS_HAS_REMAINING;
        break;
    case PW_DALY_FAILURES:
        memcpy(report->failures, answer->failures, sizeof(report->failures));
        report->failed = pw_daly_failed(answer);
        report->has |= PW_BMS_HAS_FAILURES;
        break;
    case PW_DALY_CHARGED:
        report->charged_mah = answer->charged_mah;
        report->has |= PW_BMS_HAS_CHARGED;
        break;
    case PW_DALY_DISCHARGED:
        report->discharged_mah = answer->discharged_mah;
        report->has |= PW_BMS_HAS_DISCHARGED;
        break;
    case PW_DALY_SHAPE:
    case PW_DALY_CELLS:
    case PW_DALY_TEMPS:
    case PW_DALY_BALANCE:
    case PW_DALY_ITEMS: break; // nothing in them a charging station needs
    }
}

int pw_bms_report_read(const struct pw_bms_config *config, const struct pw_can_frame *frame,
                       struct pw_bms_report *report)
{
    struct pw_elcon_request request;
    struct pw_daly_answer answer = {0};
    enum pw_daly_item item;
    int err = pw_elcon_unpack_request(config->form, frame, &request);
    if (err == PW_OK) {
        if (request.charger != charger(config)) {
            return PW_BMS_HEARD_NOTHING;
        }
        take_request(&request, report);
        return PW_BMS_HEARD_REQUEST;
    }
    if (err != PW_ERR_UNKNOWN) {
        return err;
    }
    err = pw_daly_unpack_answer(frame, &item, &answer);
    if (err == PW_OK) {
        take_answer(item, &answer, report);
        return PW_BMS_HEARD_ANSWER;
    }
    return err == PW_ERR_UNKNOWN ? (int)PW_BMS_HEARD_NOTHING : err;
}

int pw_bms_report_mah(const struct pw_bms_report *report, int32_t *mah)
{
    const uint32_t counters = PW_BMS_HAS_CHARGED | PW_BMS_HAS_DISCHARGED;
    if ((report->has & PW_BMS_HAS_REMAINING) != 0) {
        *mah = report->remaining_mah;
        return PW_OK;
    }
    if ((report->has & counters) != counters) {
        return PW_ERR_AGAIN;
    }
    if (report->discharged_mah > report->charged_mah) {
        return PW_ERR_RANGE;
    }
    *mah = report->charged_mah - report->discharged_mah;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------

static const enum pw_daly_item polls[] = {
    PW_DALY_CHARGED, PW_DALY_DISCHARGED, // counters
    PW_DALY_PACK,    PW_DALY_CELLS_RANGE, PW_DALY_TEMP_RANGE, PW_DALY_SWITCHES, PW_DALY_FAILURES,
};

enum { COUNTERS = 2 };

static unsigned first(const struct pw_bms_config *config)
{
    return config->polls_counters ? 0 : COUNTERS;
}

static unsigned end(const struct pw_bms_config *config)
{
    return config->polls_daly ? (unsigned)PW_COUNT(polls) : COUNTERS;
}

unsigned pw_bms_poll_count(const struct pw_bms_config *config)
{
    return end(config) - first(config);
}

void pw_bms_poll(const struct pw_bms_config *config, unsigned n, struct pw_can_frame *frame)
{
    PW_ASSERT(n < pw_bms_poll_count(config));
    pw_daly_pack_poll(polls[first(config) + n], frame);
}

void pw_bms_status(const struct pw_bms_config *config, int32_t output_mv, int32_t output_ma,
                   uint8_t flags, struct pw_can_frame *frame)
{
    struct pw_elcon_status status = {
        .charger = charger(config),
        .output_mv = (int32_t)pw_clamp(output_mv, 0, PW_ELCON_LIMIT_MAX),
        .output_ma = (int32_t)pw_clamp(output_ma, 0, PW_ELCON_LIMIT_MAX),
        .flags = flags,
    };
    int err = pw_elcon_pack_status(&status, frame);
    PW_ASSERT(err == PW_OK);
}

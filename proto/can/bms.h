// bms: what the station knows of the vehicle's battery, gathered from Elcon/TC requests and Daly
// answers, and what it says to it. Sources: facts/dc-can.md §1.1, §1.2, §2.1, §2.2.
#ifndef PW_CAN_BMS_H
#define PW_CAN_BMS_H

#include "can/can.h"
#include "can/daly.h"
#include "can/elcon.h"

#define PW_BMS_HAS_LIMITS     0x001U // limit_mv, limit_ma, charge, heating
#define PW_BMS_HAS_SOC        0x002U
#define PW_BMS_HAS_CHARGED    0x004U // charged_mah
#define PW_BMS_HAS_DISCHARGED 0x008U // discharged_mah
#define PW_BMS_HAS_REMAINING  0x010U // remaining_mah
#define PW_BMS_HAS_PACK       0x020U // pack_mv, pack_ma
#define PW_BMS_HAS_TEMP       0x040U // temp_max_dc, temp_min_dc
#define PW_BMS_HAS_CELLS      0x080U // cell_max_mv, cell_min_mv
#define PW_BMS_HAS_FAILURES   0x100U // failed

// Start from {0}; ages are the caller's.
struct pw_bms_report {
    uint32_t has;         // PW_BMS_HAS_*
    int32_t limit_mv;     // highest voltage the battery accepts
    int32_t limit_ma;     // highest current
    bool charge;          // the battery allows charging
    bool heating;         // it wants its heater fed, not the cells
    int32_t soc_permille; // 0..1000
    int32_t charged_mah;  // lifetime counters
    int32_t discharged_mah;
    int32_t remaining_mah; // in the pack, as the BMS itself says
    int32_t pack_mv;
    int32_t pack_ma;     // sign as the BMS counts: makes differ
    int32_t temp_max_dc; // 0.1 °C
    int32_t temp_min_dc;
    int32_t cell_max_mv;
    int32_t cell_min_mv;
    bool failed; // any failure bit of the BMS
    uint8_t failures[PW_CAN_DATA_MAX];
};

// Zero means default everywhere.
struct pw_bms_config {
    enum pw_elcon_form form; // default HEATING
    uint8_t charger;         // the station's address, 0 = 0xE5
    bool polls_counters;     // ask for the private ampere-hour counters
    bool polls_daly;         // ask 0x90..0x93 and 0x98 too
};

enum pw_bms_heard {
    PW_BMS_HEARD_NOTHING = 0, // not of the battery
    PW_BMS_HEARD_REQUEST = 1, // a valid request: the only frame that keeps charging allowed
    PW_BMS_HEARD_ANSWER = 2,  // an answer to a poll: the battery is there
};

// Frame into report. Negative for a malformed frame of the battery: count it and log it; the report
// is unchanged. A request to another charger is not ours.
PW_MUST_USE int pw_bms_report_read(const struct pw_bms_config *config,
                                   const struct pw_can_frame *frame, struct pw_bms_report *report);

// Ampere hours in the pack: as the BMS says, else charged less discharged over its life.
// PW_ERR_AGAIN while neither is known, PW_ERR_RANGE when the counters make no sense.
PW_MUST_USE int pw_bms_report_mah(const struct pw_bms_report *report, int32_t *mah);

// The questions: n of 0..count-1, one every PW_BMS_POLL_MS, round robin. Count is 0 when nothing is
// polled.
#define PW_BMS_POLL_MS 250
unsigned pw_bms_poll_count(const struct pw_bms_config *config);
void pw_bms_poll(const struct pw_bms_config *config, unsigned n, struct pw_can_frame *frame);

// The station's answer, every PW_ELCON_STATUS_MS while a battery is seen. Values are clamped to the
// frame's range: a measurement must never silence the answer.
void pw_bms_status(const struct pw_bms_config *config, int32_t output_mv, int32_t output_ma,
                   uint8_t flags, struct pw_can_frame *frame);

#endif

// Frames in: each is read once and stored with its time. Nothing is decided here.
#include "bay/parts.h"
#include "can/cia401.h"

// What a rectifier's alarms are to core/dc.
static uint32_t alarms(const struct pw_bay *bay)
{
    static const struct {
        uint32_t said;
        uint32_t alarm;
    } rows[] = {
        {PW_RECTIFIER_ALARM_OVP, PW_DC_ALARM_OVP},
        {PW_RECTIFIER_ALARM_FAULT, PW_DC_ALARM_FAULT},
        {PW_RECTIFIER_ALARM_TEMP, PW_DC_ALARM_TEMP},
        {PW_RECTIFIER_ALARM_MAINS, PW_DC_ALARM_MAINS},
        {PW_RECTIFIER_ALARM_SHORT, PW_DC_ALARM_SHORT},
    };
    uint32_t said = pw_rectifier_alarms(bay->config.rectifier, &bay->rectifier);
    uint32_t set = 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        set |= (said & rows[i].said) != 0 ? rows[i].alarm : 0U;
    }
    return set;
}

static void store_terminal(struct pw_bay *bay, int32_t mv, int32_t ma, pw_ms now)
{
    bay->terminal.at = now;
    bay->terminal.mv = mv;
    bay->terminal.ma = ma;
    bay->terminal.fresh = true;
}

static void store_power(struct pw_bay *bay, pw_ms now)
{
    struct pw_bay_power *p = &bay->power;
    const struct pw_rectifier_report *r = &bay->rectifier;
    if ((r->has & PW_RECTIFIER_HAS_OUTPUT_MV) != 0) {
        p->mv = r->output_mv;
        p->mv_at = now;
    }
    if ((r->has & PW_RECTIFIER_HAS_OUTPUT_MA) != 0) {
        p->ma = r->output_ma;
        p->ma_at = now;
    }
    if ((r->has & PW_RECTIFIER_HAS_TEMP) != 0) {
        p->temp_dc = r->temp_dc;
        p->temp_at = now;
    }
    if ((r->has & PW_RECTIFIER_HAS_INPUT_MV) != 0) {
        p->mains_mv = r->input_mv;
    }
    if ((r->has & PW_RECTIFIER_HAS_ALARM) != 0) {
        p->alarms = alarms(bay);
        p->raw_alarms = r->alarm_bits;
        p->alarm = r->alarm_name;
    }
    if ((r->has & PW_RECTIFIER_HAS_CHARGING) != 0) {
        p->charging = r->terminal_charging;
    }
    if ((r->has & PW_RECTIFIER_HAS_TERMINAL) != 0) {
        store_terminal(bay, r->terminal_mv, r->terminal_ma / bay->config.terminal_current_divisor,
                       now);
    }
    // Without a terminal report the rectifier's own measurement counts, once both halves are new.
    pw_ms older = pw_earlier(p->mv_at, p->ma_at);
    bool both = p->mv_at != PW_NEVER && p->ma_at != PW_NEVER &&
                (bay->terminal.at == PW_NEVER || older > bay->terminal.at);
    if (bay->config.terminal_id == 0 && both) {
        store_terminal(bay, p->mv, p->ma, now);
    }
}

static bool from_rectifier(struct pw_bay *bay, const struct pw_can_frame *frame, pw_ms now)
{
    bay->rectifier.has = 0;
    int heard =
        pw_rectifier_read(bay->config.rectifier, &bay->rectifier_config, frame, &bay->rectifier);
    if (heard < 0) {
        bay->bus[bay->config.power_bus].strange++;
        return true;
    }
    if (heard == PW_RECTIFIER_HEARD_NOTHING) {
        return false;
    }
    if (heard == PW_RECTIFIER_HEARD_MODULE) {
        bay->power.at = now;
    }
    store_power(bay, now);
    return true;
}

static bool from_node(struct pw_bay *bay, const struct pw_can_frame *frame, pw_ms now)
{
    struct pw_cia401_message message;
    int err = pw_cia401_unpack(frame, &message);
    if (err == PW_ERR_UNKNOWN || (err == PW_OK && message.node != bay->config.io_node)) {
        return false;
    }
    if (err < 0) {
        bay->bus[bay->config.power_bus].strange++;
        return true;
    }
    switch (message.kind) {
    case PW_CIA401_INPUTS:
        bay->io.at = now;
        bay->io.closed = (message.digital & PW_CIA401_IN_CONTACTOR) != 0;
        bay->io.estop = (message.digital & PW_CIA401_IN_ESTOP) != 0;
        bay->poll.node_rests = false;
        return true;
    case PW_CIA401_ANALOGS:
        bay->io.battery_at = now;
        bay->io.battery_mv = pw_cia401_voltage_mv(message.analog[0]);
        return true;
    case PW_CIA401_HEARTBEAT:
        bay->poll.node_rests = message.state != PW_CIA401_OPERATIONAL;
        return true;
    case PW_CIA401_NMT:
    case PW_CIA401_OUTPUTS: break;
    }
    return false; // a master's frame: not for us to read
}

static bool from_vehicle(struct pw_bay *bay, const struct pw_can_frame *frame, pw_ms now)
{
    int heard = pw_bms_report_read(&bay->bms_config, frame, &bay->bms);
    if (heard < 0) {
        bay->bus[bay->config.vehicle_bus].strange++;
        return true;
    }
    if (heard == PW_BMS_HEARD_REQUEST) {
        struct pw_bay_vehicle *v = &bay->vehicle;
        v->at = now;
        v->max_mv = bay->bms.limit_mv;
        v->max_ma = bay->bms.limit_ma;
        v->stop = !bay->bms.charge;
        v->heating = bay->bms.heating;
        v->peak_ma = (int32_t)pw_max(v->peak_ma, v->max_ma);
    }
    return heard != PW_BMS_HEARD_NOTHING;
}

void pw_bay_forget_vehicle(struct pw_bay *bay)
{
    bay->bms = (struct pw_bms_report){0};
    bay->vehicle = (struct pw_bay_vehicle){
        .at = PW_NEVER,
        .soc_permille = -1,
        .charged_mah = -1,
        .discharged_mah = -1,
        .charge_mah = -1,
        .pack_mv = -1,
        .temp_dc = INT32_MIN,
    };
}

void pw_bay_know_vehicle(struct pw_bay *bay)
{
    struct pw_bay_vehicle *v = &bay->vehicle;
    const struct pw_bms_report *b = &bay->bms;
    v->model = pw_vehicle_by_imax(bay->config.vehicles, v->peak_ma);
    v->charged_mah = (b->has & PW_BMS_HAS_CHARGED) != 0 ? b->charged_mah : -1;
    v->discharged_mah = (b->has & PW_BMS_HAS_DISCHARGED) != 0 ? b->discharged_mah : -1;
    v->pack_mv = (b->has & PW_BMS_HAS_PACK) != 0 ? b->pack_mv : -1;
    v->temp_dc = (b->has & PW_BMS_HAS_TEMP) != 0 ? b->temp_max_dc : INT32_MIN;
    int32_t mah = -1;
    v->charge_mah = pw_bms_report_mah(b, &mah) < 0 ? -1 : mah;
    v->soc_derived = (b->has & PW_BMS_HAS_SOC) == 0;
    v->soc_permille = v->soc_derived ? -1 : b->soc_permille;
    if (v->soc_derived && v->model != NULL) {
        v->soc_permille = pw_vehicle_soc_permille(v->charge_mah, v->model->capacity_mah);
    }
}

void pw_bay_can(struct pw_bay *bay, uint8_t bus, const struct pw_can_frame *frame, pw_ms now)
{
    PW_ASSERT(bus < PW_BAY_BUSES);
    bool ours = false;
    if (bus == bay->config.power_bus) {
        ours = from_rectifier(bay, frame, now);
        ours = ours || (bay->config.io_node != 0 && from_node(bay, frame, now));
    }
    if (!ours && bus == bay->config.vehicle_bus) {
        ours = from_vehicle(bay, frame, now);
    }
    if (ours) {
        bay->bus[bus].heard_at = now;
        bay->bus[bus].frames++;
    }
}

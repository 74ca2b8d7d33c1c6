#include "desk.h"

#include "can/cia401.h"
#include "can/huawei.h"
#include "can/infypower.h"
#include "can/rivot.h"

#define PERIOD_MS 100

void desk_init(struct desk *desk, const struct pw_world_dc_config *config)
{
    *desk = (struct desk){.hash = 14695981039346656037U};
    pw_world_dc_init(&desk->world, config, 0);
    (void)pw_world_dc_step(&desk->world, 0);
}

struct pw_world_dc_truth desk_truth(const struct desk *desk)
{
    return pw_world_dc_truth(&desk->world);
}

void desk_send(struct desk *desk, const struct pw_can_frame *frame)
{
    pw_world_dc_can(&desk->world, desk->world.config.power_bus, frame);
}

static void stir(struct desk *desk, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        desk->hash = (desk->hash ^ (value & 0xFF)) * 1099511628211U;
        value >>= 8;
    }
}

static void meter(struct desk *desk, const struct pw_rivot_terminal *terminal)
{
    double s = (double)(desk->now - desk->reported_at) * 0.001;
    if (desk->reported_at > 0) {
        desk->meter_j += 0.25e-6 * s * (desk->terminal_mv + terminal->voltage_mv) *
                         (desk->terminal_ma + terminal->current_ma);
    }
    desk->reported_at = desk->now;
    desk->terminal_mv = terminal->voltage_mv;
    desk->terminal_ma = terminal->current_ma;
}

static void hear(struct desk *desk, const struct pw_can_frame *frame)
{
    const struct pw_rivot_config rivot = {0};
    struct pw_rivot_terminal terminal;
    struct pw_elcon_request request;
    struct pw_cia401_message node;
    struct pw_huawei_message huawei;
    struct pw_infypower_message infy;
    enum pw_elcon_form form =
        desk->world.scooter.config.form == PW_WORLD_BMS_ELCON ? PW_ELCON_HEATING : PW_ELCON_SOC;
    if (pw_rivot_unpack_terminal(&rivot, frame, &terminal) == PW_OK) {
        meter(desk, &terminal);
    } else if (pw_elcon_unpack_request(form, frame, &request) == PW_OK) {
        desk->request = request;
        desk->requests++;
    } else if (pw_cia401_unpack(frame, &node) == PW_OK) {
        if (node.kind == PW_CIA401_INPUTS) {
            desk->inputs = node.digital;
        } else if (node.kind == PW_CIA401_ANALOGS) {
            desk->connector_mv = pw_cia401_voltage_mv(node.analog[0]);
        }
    } else if (pw_huawei_unpack(frame, &huawei) == PW_OK) {
        if (huawei.signal == PW_HUAWEI_SIGNAL_ALARMS) {
            desk->alarm_value = huawei.value;
        }
    } else if (pw_infypower_unpack(frame, &infy) == PW_OK && infy.command == PW_INFYPOWER_STATUS) {
        desk->alarm_value = infy.status;
    }
}

static void listen(struct desk *desk)
{
    unsigned bus = 0;
    struct pw_can_frame frame;
    while (pw_world_dc_take_can(&desk->world, &bus, &frame)) {
        desk->frames[bus]++;
        stir(desk, desk->now);
        stir(desk, frame.id);
        for (int i = 0; i < frame.len; i++) {
            stir(desk, frame.data[i]);
        }
        hear(desk, &frame);
    }
}

static void must(int err)
{
    PW_ASSERT(err == PW_OK);
}

static void huawei(struct desk *desk, uint16_t signal, uint16_t word, uint32_t value)
{
    uint8_t address = desk->world.config.rectifier.address;
    struct pw_huawei_message message = pw_huawei_ask(address, PW_HUAWEI_CONFIGURE, signal);
    struct pw_can_frame frame;
    message.word = word;
    message.value = value;
    must(pw_huawei_pack(&message, &frame));
    desk_send(desk, &frame);
}

static void ask_huawei_alarms(struct desk *desk)
{
    struct pw_huawei_message message = pw_huawei_ask(desk->world.config.rectifier.address,
                                                     PW_HUAWEI_QUERY, PW_HUAWEI_SIGNAL_ALARMS);
    struct pw_can_frame frame;
    must(pw_huawei_pack(&message, &frame));
    desk_send(desk, &frame);
}

static void drive_huawei(struct desk *desk, int32_t mv, int32_t ma, bool on)
{
    const struct pw_world_rectifier_config *config = &desk->world.config.rectifier;
    uint32_t volts = 0;
    uint32_t share = 0;
    must(pw_huawei_q10(mv, &volts));
    must(pw_huawei_share(ma / config->modules, (int32_t)config->rated_ma, &share));
    huawei(desk, PW_HUAWEI_SIGNAL_SET_VOLTAGE, 0, volts);
    huawei(desk, PW_HUAWEI_SIGNAL_LIMIT, 0, share);
    huawei(desk, PW_HUAWEI_SIGNAL_ON_OFF, on ? 0 : 1, 0);
    ask_huawei_alarms(desk);
}

static void drive_infypower(struct desk *desk, int32_t mv, int32_t ma, bool on)
{
    uint8_t address = desk->world.config.rectifier.address;
    struct pw_infypower_message set = pw_infypower_ask(address, PW_INFYPOWER_SET_SYSTEM);
    struct pw_infypower_message power = pw_infypower_ask(address, PW_INFYPOWER_ON_OFF);
    struct pw_infypower_message status = pw_infypower_ask(address, PW_INFYPOWER_STATUS);
    struct pw_can_frame frame;
    set.reading = false;
    set.voltage_mv = mv;
    set.current_ma = ma;
    must(pw_infypower_pack(&set, &frame));
    desk_send(desk, &frame);
    power.reading = false;
    power.argument = on ? 0 : 1;
    must(pw_infypower_pack(&power, &frame));
    desk_send(desk, &frame);
    status.reading = true;
    must(pw_infypower_pack(&status, &frame));
    desk_send(desk, &frame);
}

static void speak(struct desk *desk)
{
    int32_t mv = desk->set_mv;
    int32_t ma = desk->set_ma;
    bool on = desk->on;
    if (desk->follow) {
        mv = (int32_t)pw_min(mv, desk->request.limit_mv);
        ma = (int32_t)pw_min(ma, desk->request.limit_ma);
        on = on && desk->request.charge;
    }
    if (desk->world.config.rectifier.maker == PW_WORLD_RECTIFIER_HUAWEI) {
        drive_huawei(desk, mv, ma, on);
    } else {
        drive_infypower(desk, mv, ma, on);
    }
    struct pw_cia401_message message = {
        .kind = PW_CIA401_OUTPUTS,
        .node = desk->world.config.io_node,
        .digital = desk->coil ? PW_CIA401_OUT_CONTACTOR : 0,
    };
    struct pw_can_frame frame;
    must(pw_cia401_pack(&message, &frame));
    desk_send(desk, &frame);
}

void desk_run(struct desk *desk, pw_ms ms)
{
    pw_ms end = desk->now + ms;
    pw_ms speak_at = desk->now;
    while (desk->now < end) {
        if (desk->now >= speak_at) {
            if (!desk->mute) {
                speak(desk);
            }
            speak_at = desk->now + PERIOD_MS;
        }
        pw_ms next = pw_world_dc_step(&desk->world, desk->now);
        listen(desk);
        desk->now = pw_earlier(pw_earlier(next, speak_at), end);
    }
    (void)pw_world_dc_step(&desk->world, desk->now);
    listen(desk);
}

void desk_charge(struct desk *desk)
{
    desk_run(desk, 1500);
    desk->set_mv = desk->connector_mv; // precharge to the battery's voltage
    desk->set_ma = 1000;
    desk->on = true;
    desk_run(desk, 1000);
    desk->coil = true;
    desk_run(desk, 500);
    desk->follow = true;
    desk->set_mv = 85500;
    desk->set_ma = 100000;
}

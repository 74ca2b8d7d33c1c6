#include "bay_world.h"

#include "can/cia401.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static void print_line(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    const struct rig *rig = context;
    if (getenv("PW_TEST_LOG") != NULL) {
        (void)fprintf(stderr, "%8llu %s %s %.*s\n", (unsigned long long)rig->now,
                      pw_level_name(level), room, (int)text.len, text.at);
    }
}

struct pw_bay_config rig_bay_config(void)
{
    return (struct pw_bay_config){
        .connector_id = 1,
        .vehicle_bus = 1,
        .power_bus = 0,
        .rectifier = &pw_rectifier_driver_huawei,
        .rectifier_address = 1,
        .rectifier_modules = 3,
        .elcon_soc = true,
        .daly_poll = true,
        .terminal_id = 0x00433F01,
        .io_node = 0x20,
    };
}

void rig_start(struct rig *rig, const struct pw_bay_config *bay,
               const struct pw_world_dc_config *world)
{
    *rig = (struct rig){.now = 1000};
    rig->log = (struct pw_log){.context = rig, .write = print_line};
    char why[200];
    struct pw_out out = PW_OUT(why);
    int err = pw_bay_init(&rig->bay, bay, &rig->log, rig->now, &out);
    if (err < 0) {
        fail_msg("bay: %s", why);
    }
    struct pw_world_dc_config config = *world;
    config.vehicle_bus = bay->vehicle_bus;
    config.power_bus = bay->power_bus;
    pw_world_dc_init(&rig->world, &config, rig->now);
}

// What must hold at every turn, whatever happens. The physical truth may lag the command by the
// time a contactor needs; commands may not.
static void check(struct rig *rig)
{
    const struct pw_dc *dc = &rig->bay.dc;
    const struct pw_dc_output *out = &dc->out;
    struct pw_world_dc_truth truth = pw_world_dc_truth(&rig->world);
    if (out->set_ma > 0 && out->contactor_closed) {
        assert_int_equal(dc->faults, 0);
        assert_true(pw_session_permit(&rig->bay.session));
        assert_true(dc->plugged);
    }
    assert_true(out->set_ma <= rig->bay.limits.effective_ma || !dc->plugged);
    assert_true(out->set_mv <= dc->config.max_mv);
    if (truth.contactor_closed && !rig->was_closed) {
        rig->closings++;
        assert_true(rig->begins > 0); // nobody is charged before the start is on record
    }
    rig->was_closed = truth.contactor_closed;
    assert_true(truth.wear.closed_apart == 0 || rig->bay.config.io_node == 0);
}

static void pump(struct rig *rig)
{
    unsigned world_bus;
    struct pw_can_frame frame;
    uint8_t bus;
    while (pw_world_dc_take_can(&rig->world, &world_bus, &frame)) {
        pw_bay_can(&rig->bay, (uint8_t)world_bus, &frame, rig->now);
    }
    while (pw_bay_take_can(&rig->bay, &bus, &frame)) {
        pw_world_dc_can(&rig->world, bus, &frame);
        rig->sent[bus]++;
        rig->statuses += frame.id == 0x18FF50E5 ? 1 : 0;
        rig->controls += (frame.id & 0x1F80FF00) == 0x06808100 ? 1 : 0;
    }
    struct pw_session_event event;
    while (pw_session_take(&rig->bay.session, &event)) {
        if (event.kind == PW_SESSION_BEGIN) {
            rig->begins++;
            rig->begun = event;
            if (!rig->withhold_records) {
                pw_session_recorded(&rig->bay.session, true, rig->now);
            }
        } else if (event.kind == PW_SESSION_END) {
            rig->ends++;
            rig->ended = event;
        }
    }
}

// What a port does with the state of its wires.
static void wires(struct rig *rig)
{
    for (uint8_t i = 0; i < PW_BAY_BUSES; i++) {
        pw_bay_bus_state(&rig->bay, i, rig->world.bus[i], rig->now);
        if (pw_bay_take_restart(&rig->bay, i, rig->now)) {
            rig->restart_at[rig->restarts++ % 8] = rig->now;
            if (rig->heals) {
                pw_world_dc_bus(&rig->world, i, PW_CAN_ACTIVE);
            }
        }
    }
}

// A station without an I/O node has its contactor inside the rectifier: it follows the switch-on
// command. Here the world's node plays it.
static void inner_contactor(struct rig *rig)
{
    struct pw_cia401_message coil = {.kind = PW_CIA401_OUTPUTS, .node = rig->world.ionode.node};
    if (rig->world.ionode.state != PW_CIA401_OPERATIONAL) {
        coil.kind = PW_CIA401_NMT;
        coil.nmt = PW_CIA401_START;
    }
    bool on = rig->world.rectifier.state == PW_WORLD_RECTIFIER_ON;
    coil.digital = on ? PW_CIA401_OUT_CONTACTOR : 0;
    struct pw_can_frame frame;
    assert_int_equal(pw_cia401_pack(&coil, &frame), PW_OK);
    pw_world_dc_can(&rig->world, rig->bay.config.power_bus, &frame);
}

static void turn(struct rig *rig, pw_ms most)
{
    if (rig->bay.config.io_node == 0) {
        inner_contactor(rig);
    }
    pw_ms world = pw_world_dc_step(&rig->world, rig->now);
    wires(rig);
    pump(rig);
    pw_ms bay = pw_bay_step(&rig->bay, rig->now);
    pump(rig);
    check(rig);
    if (pw_bay_keep_due(&rig->bay, rig->now)) {
        struct pw_bay_keep keep = pw_bay_keep(&rig->bay);
        pw_bay_kept(&rig->bay, &keep, rig->now);
        rig->keeps++;
    }
    rig->turns++;
    pw_ms next = pw_earlier(pw_earlier(world, bay), most);
    rig->now = next > rig->now ? next : rig->now + 1;
}

void rig_run(struct rig *rig, pw_ms span)
{
    pw_ms end = rig->now + span;
    while (rig->now < end) {
        turn(rig, end);
    }
}

void rig_until(struct rig *rig, enum pw_dc_state state, pw_ms span)
{
    pw_ms end = rig->now + span;
    while (rig->bay.dc.state != state) {
        if (rig->now >= end) {
            fail_msg("not %s within %llu ms but %s: %s", pw_dc_state_name(state),
                     (unsigned long long)span, pw_dc_state_name(rig->bay.dc.state),
                     rig->bay.dc.why);
        }
        turn(rig, end);
    }
}

void rig_charge(struct rig *rig)
{
    rig_run(rig, 2000);
    pw_world_dc_plug(&rig->world, true);
    rig_until(rig, PW_DC_READY, 5000);
    assert_int_equal(
        pw_session_authorise(&rig->bay.session, PW_STR("CARD1"), PW_START_CARD, rig->now), PW_OK);
    rig_until(rig, PW_DC_CHARGING, 30000);
    rig_run(rig, 5000);
}

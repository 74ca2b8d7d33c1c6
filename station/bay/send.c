// Frames out: set-points at once when they change and in the maker's rhythm, questions round robin,
// the answer to the BMS, the contactor's coil. Sources: facts/dc-can.md §1.1 (periods), §1.3, §4.
#include "bay/parts.h"
#include "can/cia401.h"

#define IO_MS 250 // the I/O node drops the coil when its master is silent

static void queue(struct pw_bay *bay, uint8_t bus, const struct pw_can_frame *frame)
{
    if (!bay->bus[bus].transmit) {
        return;
    }
    if (!pw_bay_frames_push(&bay->tx, (struct pw_bay_tx){.bus = bus, .frame = *frame})) {
        bay->tx_dropped++;
    }
}

bool pw_bay_take_can(struct pw_bay *bay, uint8_t *bus, struct pw_can_frame *frame)
{
    struct pw_bay_tx tx;
    while (pw_bay_frames_pop(&bay->tx, &tx)) {
        // A bus may have gone off since: what was meant for it is void.
        if (bay->bus[tx.bus].transmit) {
            *bus = tx.bus;
            *frame = tx.frame;
            return true;
        }
    }
    return false;
}

static void send_coil(struct pw_bay *bay, pw_ms *next, pw_ms now)
{
    bool coil = bay->dc.out.contactor_closed;
    if (coil != bay->poll.coil_sent) {
        bay->poll.io_at = now;
    }
    if (!pw_bay_due(&bay->poll.io_at, IO_MS, next, now)) {
        return;
    }
    struct pw_can_frame frame;
    struct pw_cia401_message message = {.node = bay->config.io_node};
    if (bay->poll.node_rests) {
        message.kind = PW_CIA401_NMT;
        message.nmt = PW_CIA401_START;
        if (pw_cia401_pack(&message, &frame) == PW_OK) {
            queue(bay, bay->config.power_bus, &frame);
        }
    }
    message.kind = PW_CIA401_OUTPUTS;
    message.digital = coil ? PW_CIA401_OUT_CONTACTOR : 0;
    int err = pw_cia401_pack(&message, &frame);
    PW_ASSERT(err == PW_OK);
    queue(bay, bay->config.power_bus, &frame);
    bay->poll.coil_sent = coil;
}

static void send_ovp_clear(struct pw_bay *bay)
{
    const struct pw_rectifier_driver *d = bay->config.rectifier;
    struct pw_can_frame frame;
    if (d->clear_ovp != NULL && d->clear_ovp(&bay->rectifier_config, &frame) == PW_OK) {
        queue(bay, bay->config.power_bus, &frame);
    }
}

static void send_control(struct pw_bay *bay, pw_ms *next, pw_ms now)
{
    const struct pw_rectifier_driver *d = bay->config.rectifier;
    struct pw_rectifier_command want = {
        .on = bay->dc.out.rectifier_on,
        .voltage_mv = bay->dc.out.set_mv,
        .current_ma = bay->dc.out.set_ma,
    };
    const struct pw_rectifier_command *sent = &bay->poll.sent;
    bool same = bay->poll.sent_once && want.on == sent->on && want.voltage_mv == sent->voltage_mv &&
                want.current_ma == sent->current_ma;
    if (!same) {
        bay->poll.control_at = now;
    }
    if (!pw_bay_due(&bay->poll.control_at, d->control_ms, next, now)) {
        return;
    }
    for (unsigned i = 0; i < d->control_count; i++) {
        struct pw_can_frame frame;
        int err = pw_rectifier_control(d, &bay->rectifier_config, &want, i, &frame);
        PW_ASSERT(err >= 0); // core/dc keeps set-points far inside the wire's range
        queue(bay, bay->config.power_bus, &frame);
    }
    bay->poll.sent = want;
    bay->poll.sent_once = true;
    if (bay->wants_ovp_clear) {
        send_ovp_clear(bay);
    }
}

static void send_questions(struct pw_bay *bay, pw_ms *next, pw_ms now)
{
    const struct pw_rectifier_driver *d = bay->config.rectifier;
    struct pw_can_frame frame;
    bool idle = bay->dc.state == PW_DC_IDLE && !bay->dc.plugged;
    if (bay->poll.idled && !idle) {
        bay->poll.query_at = now; // what is known may be old
    }
    bay->poll.idled = idle;
    pw_ms asking = idle ? d->poll_idle_ms : d->poll_ms;
    if (d->poll_count > 0 && pw_bay_due(&bay->poll.query_at, asking, next, now)) {
        bay->poll.query_row = (bay->poll.query_row + 1) % d->poll_count;
        if (pw_rectifier_poll(d, &bay->rectifier_config, bay->poll.query_row, &frame) >= 0) {
            queue(bay, bay->config.power_bus, &frame);
        }
    }
    bool there =
        bay->vehicle.at != PW_NEVER && !pw_elapsed(bay->vehicle.at, PW_BAY_VEHICLE_MS, now);
    unsigned count = pw_bms_poll_count(&bay->bms_config);
    if (there && count > 0 && pw_bay_due(&bay->poll.vehicle_at, PW_BMS_POLL_MS, next, now)) {
        bay->poll.vehicle_row = (bay->poll.vehicle_row + 1) % count;
        pw_bms_poll(&bay->bms_config, bay->poll.vehicle_row, &frame);
        queue(bay, bay->config.vehicle_bus, &frame);
    }
    pw_ms period = (pw_ms)bay->config.status_period_ms;
    if (there && pw_bay_due(&bay->poll.status_at, period, next, now)) {
        bool known = bay->terminal.at != PW_NEVER &&
                     !pw_elapsed(bay->terminal.at, (pw_ms)bay->dc.config.measure_ms, now);
        pw_bms_status(&bay->bms_config, known ? bay->terminal.mv : 0, known ? bay->terminal.ma : 0,
                      bay->dc.out.flags, &frame);
        queue(bay, bay->config.vehicle_bus, &frame);
    }
}

pw_ms pw_bay_send(struct pw_bay *bay, pw_ms now)
{
    pw_ms next = PW_NEVER;
    bool speaks = bay->bus[bay->config.power_bus].transmit;
    if (speaks && !bay->poll.spoke) {
        // What was decided while nobody could be told is told first.
        bay->poll.control_at = now;
        bay->poll.io_at = now;
    }
    bay->poll.spoke = speaks;
    // The rectifier before the coil: a contactor must not open under a current that can be avoided.
    send_control(bay, &next, now);
    if (bay->config.io_node != 0) {
        send_coil(bay, &next, now);
    }
    send_questions(bay, &next, now);
    return next;
}

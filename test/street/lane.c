#include "lane.h"

#include "scenario/scenario.h"
#include "test.h"

#define ASK_WINDOW_MS 3000 // a station may take this long to follow the BMS down

static struct pw_bay_config bay_for(const struct pw_world_dc_config *world)
{
    bool huawei = world->rectifier.maker == PW_WORLD_RECTIFIER_HUAWEI;
    return (struct pw_bay_config){
        .connector_id = 1,
        .vehicle_bus = (uint8_t)world->vehicle_bus,
        .power_bus = (uint8_t)world->power_bus,
        .rectifier = huawei ? &pw_rectifier_driver_huawei : &pw_rectifier_driver_infypower,
        .rectifier_address = world->rectifier.address,
        .rectifier_rated_ma = (int32_t)world->rectifier.rated_ma,
        .rectifier_modules = world->rectifier.modules,
        .elcon_soc = world->scooter.form == PW_WORLD_BMS_ELCON_SOC,
        .daly_poll = true,
        .terminal_id = 0x00433F01,
        .io_node = world->io_node,
    };
}

void lane_init(struct lane *lane, const struct pw_world_dc_config *config)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_bay_config bay = bay_for(config);
    *lane = (struct lane){.now = 1000};
    lane->observer.last = lane->now;
    pw_world_dc_init(&lane->world, config, lane->now);
    if (pw_bay_init(&lane->bay, &bay, NULL, lane->now, &why) != PW_OK) {
        fail_msg("bay: %s", text);
    }
    for (unsigned bus = 0; bus < PW_WORLD_DC_BUSES; bus++) {
        lane->bus[bus] = PW_CAN_ACTIVE;
        pw_bay_bus_state(&lane->bay, (uint8_t)bus, PW_CAN_ACTIVE, lane->now);
    }
}

struct pw_world_dc_truth lane_truth(const struct lane *lane)
{
    return pw_world_dc_truth(&lane->world);
}

static void observe(struct lane *lane)
{
    struct lane_observer *observer = &lane->observer;
    struct pw_world_dc_truth truth = lane_truth(lane);
    pw_ms passed = lane->now - observer->last;
    observer->last = lane->now;
    observer->worst_mv = (int32_t)pw_max(observer->worst_mv, truth.terminal_mv);
    if (truth.contactor_closed && !truth.plugged) {
        observer->closed_unplugged_ms += passed;
    }
    // The most the BMS has asked for during the last 3 to 6 s: a lower wish is obeyed later.
    if (pw_elapsed(observer->ask_since, ASK_WINDOW_MS, lane->now)) {
        observer->ask_since = lane->now;
        observer->ask_before_ma = observer->ask_ma;
        observer->ask_ma = 0;
    }
    observer->ask_ma = (uint32_t)pw_max(observer->ask_ma, truth.ask_ma);
    int64_t asked = pw_max(observer->ask_ma, observer->ask_before_ma);
    observer->worst_over_ma = (int32_t)pw_max(observer->worst_over_ma, truth.connector_ma - asked);
}

static void pass_frames(struct lane *lane)
{
    struct pw_can_frame frame;
    unsigned from = 0;
    uint8_t to = 0;
    while (pw_world_dc_take_can(&lane->world, &from, &frame)) {
        pw_bay_can(&lane->bay, (uint8_t)from, &frame, lane->now);
    }
    for (unsigned bus = 0; bus < PW_WORLD_DC_BUSES; bus++) {
        // A restart alone does not heal a bus; "bus on" does.
        (void)pw_bay_take_restart(&lane->bay, (uint8_t)bus, lane->now);
        if (lane->bus[bus] != lane->world.bus[bus]) {
            lane->bus[bus] = lane->world.bus[bus];
            pw_bay_bus_state(&lane->bay, (uint8_t)bus, lane->bus[bus], lane->now);
        }
    }
    (void)pw_bay_step(&lane->bay, lane->now);
    while (pw_bay_take_can(&lane->bay, &to, &frame)) {
        pw_world_dc_can(&lane->world, to, &frame);
    }
}

static void take_events(struct lane *lane)
{
    struct pw_session_event event;
    while (pw_session_take(&lane->bay.session, &event)) {
        switch (event.kind) {
        case PW_SESSION_BEGIN:
            lane->begun++;
            pw_session_recorded(&lane->bay.session, true, lane->now);
            break;
        case PW_SESSION_END:
            lane->ended++;
            lane->reason = event.reason;
            break;
        case PW_SESSION_TIMEOUT:
        case PW_SESSION_CHANGED: break;
        }
    }
}

// One turn at lane->now; returns the earliest deadline.
static pw_ms turn(struct lane *lane)
{
    pw_ms world_at = pw_world_dc_step(&lane->world, lane->now);
    pass_frames(lane);
    take_events(lane);
    if (pw_bay_keep_due(&lane->bay, lane->now)) {
        struct pw_bay_keep keep = pw_bay_keep(&lane->bay);
        pw_bay_kept(&lane->bay, &keep, lane->now);
    }
    pw_ms bay_at = pw_bay_step(&lane->bay, lane->now);
    observe(lane);
    return pw_earlier(world_at, pw_earlier(bay_at, lane->now + 10));
}

void lane_run(struct lane *lane, pw_ms ms)
{
    pw_ms end = lane->now + ms;
    while (lane->now < end) {
        pw_ms next = turn(lane);
        PW_ASSERT(next > lane->now);
        lane->now = pw_earlier(next, end);
    }
    (void)turn(lane);
    pw_bay_view(&lane->bay, &lane->view, lane->now);
}

void lane_until(struct lane *lane, enum pw_session_status status, pw_ms ms)
{
    for (pw_ms passed = 0; passed < ms; passed += 100) {
        lane_run(lane, 100);
        if (lane->view.status == status) {
            return;
        }
    }
    fail_msg("not %s within %u s, but %s: %s %s", pw_session_status_name(status),
             (unsigned)(ms / 1000), pw_session_status_name(lane->view.status),
             pw_dc_state_name(lane->view.state), lane->view.info);
}

void lane_do(struct lane *lane, const char *command)
{
    char text[PW_SCENARIO_ANSWER_MAX];
    struct pw_out answer = PW_OUT(text);
    if (pw_scenario_run(&lane->world, pw_str_of(command), &answer) != PW_OK) {
        fail_msg("%s: %s", command, text);
    }
}

void lane_card(struct lane *lane)
{
    int err =
        pw_session_authorise(&lane->bay.session, PW_STR("04A1B2C3"), PW_START_CARD, lane->now);
    assert_int_equal(err, PW_OK);
}

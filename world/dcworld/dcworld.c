#include "dcworld/dcworld.h"

#include "json/json.h"

#include <math.h>

struct pw_world_dc_config pw_world_dc_defaults(void)
{
    return (struct pw_world_dc_config){
        .scooter = {.model = PW_SCOOTER_CLASSIC,
                    .chemistry = PW_PACK_LFP23,
                    .form = PW_WORLD_BMS_ELCON_SOC,
                    .soc = 0.2},
        .rectifier = pw_world_rectifier_defaults(),
        .io_node = 0x20,
        .temp_c = 25.0,
        .seed = 1,
    };
}

void pw_world_dc_init(struct pw_world_dc *world, const struct pw_world_dc_config *config, pw_ms now)
{
    PW_ASSERT(config->vehicle_bus < PW_WORLD_DC_BUSES && config->power_bus < PW_WORLD_DC_BUSES);
    *world = (struct pw_world_dc){
        .config = *config, .plugged = config->plugged, .now = now, .wake_at = now};
    for (size_t bus = 0; bus < PW_WORLD_DC_BUSES; bus++) {
        world->bus[bus] = PW_CAN_ACTIVE;
    }
    world->config.scooter.seed = config->seed;
    world->config.scooter.temp_c = config->temp_c;
    world->config.rectifier.seed = config->seed;
    pw_scooter_init(&world->scooter, &world->config.scooter, now);
    pw_world_rectifier_init(&world->rectifier, &world->config.rectifier, now);
    world->rectifier.ambient_c = config->temp_c;
    world->rectifier.temp_c = config->temp_c;
    pw_charger_init(&world->charger);
    pw_ionode_init(&world->ionode, config->io_node, now);
}

static bool carries(const struct pw_world_dc *world, unsigned bus)
{
    return bus < PW_WORLD_DC_BUSES && world->bus[bus] != PW_CAN_OFF;
}

void pw_world_dc_can(struct pw_world_dc *world, unsigned bus, const struct pw_can_frame *frame)
{
    if (carries(world, bus)) {
        (void)pw_world_dc_frames_push(&world->rx, (struct pw_world_dc_frame){bus, *frame});
    }
}

bool pw_world_dc_take_can(struct pw_world_dc *world, unsigned *bus, struct pw_can_frame *frame)
{
    struct pw_world_dc_frame next;
    if (!pw_world_dc_frames_pop(&world->tx, &next)) {
        return false;
    }
    *bus = next.bus;
    *frame = next.frame;
    return true;
}

static struct pw_charger_battery battery_of(const struct pw_world_dc *world)
{
    return (struct pw_charger_battery){
        .plugged = world->plugged,
        .charge_mosfet = world->scooter.bms.mosfet_closed,
        .emf_v = pw_pack_emf(&world->scooter.pack),
        .ohm = world->scooter.pack.r0_ohm,
    };
}

static void flow(struct pw_world_dc *world, uint32_t ms)
{
    struct pw_charger_battery battery = battery_of(world);
    struct pw_world_rectifier_drive drive = pw_world_rectifier_drive(&world->rectifier, ms);
    double source_a = pw_charger_flow(&world->charger, drive, &battery, ms);
    pw_world_rectifier_output(&world->rectifier, world->charger.cap_v, source_a, ms);
    pw_pack_step(&world->scooter.pack, world->charger.amps, ms);
}

static void emit(struct pw_world_dc *world, unsigned bus, const struct pw_can_frame *frame)
{
    if (carries(world, bus)) {
        (void)pw_world_dc_frames_push(&world->tx, (struct pw_world_dc_frame){bus, *frame});
    }
}

static void collect(struct pw_world_dc *world)
{
    struct pw_can_frame frame;
    while (pw_world_bms_take_can(&world->scooter.bms, &frame)) {
        emit(world, world->config.vehicle_bus, &frame);
    }
    while (pw_world_rectifier_take_can(&world->rectifier, &frame)) {
        emit(world, world->config.power_bus, &frame);
    }
    while (pw_ionode_take_can(&world->ionode, &frame)) {
        emit(world, world->config.power_bus, &frame);
    }
}

// Everybody acts on the world as it stands at world->now.
static void act(struct pw_world_dc *world)
{
    pw_ms now = world->now;
    struct pw_charger *charger = &world->charger;
    struct pw_world_bms *bms = &world->scooter.bms;
    pw_ms wake = pw_world_bms_step(bms, &world->scooter.pack, charger->amps, world->plugged, now);
    struct pw_charger_battery battery = battery_of(world);
    struct pw_ionode_inputs inputs = {
        .contactor_closed = charger->closed,
        .estop_pressed = charger->estop,
        .connector_mv = (int32_t)lrint(charger->conn_v * 1000.0),
    };
    wake = pw_earlier(wake, pw_world_rectifier_step(&world->rectifier, now));
    wake = pw_earlier(wake, pw_ionode_step(&world->ionode, &inputs, now));
    pw_charger_set_coil(charger, world->ionode.outputs, now);
    wake = pw_earlier(wake, pw_charger_move(charger, &battery, now));
    world->wake_at = wake;
    collect(world);
}

static void hear(struct pw_world_dc *world)
{
    struct pw_world_dc_frame in;
    while (pw_world_dc_frames_pop(&world->rx, &in)) {
        if (in.bus == world->config.power_bus) {
            pw_world_rectifier_can(&world->rectifier, &in.frame, world->now);
            pw_ionode_can(&world->ionode, &in.frame, world->now);
        }
        if (in.bus == world->config.vehicle_bus && world->plugged) {
            pw_world_bms_can(&world->scooter.bms, &world->scooter.pack, world->charger.amps,
                             &in.frame);
        }
    }
}

static pw_ms stride(const struct pw_world_dc *world)
{
    bool flows =
        world->rectifier.state == PW_WORLD_RECTIFIER_ON || pw_charger_busy(&world->charger);
    return flows ? PW_WORLD_DC_STEP_MS : PW_WORLD_DC_REST_MS;
}

pw_ms pw_world_dc_step(struct pw_world_dc *world, pw_ms now)
{
    while (world->now < now) {
        pw_ms to = pw_earlier(now, world->now + stride(world));
        if (world->wake_at > world->now) {
            to = pw_earlier(to, world->wake_at);
        }
        flow(world, (uint32_t)(to - world->now));
        world->now = to;
        if (to >= world->wake_at) {
            act(world);
        }
    }
    hear(world);
    act(world);
    return pw_earlier(world->wake_at, world->now + PW_WORLD_DC_REST_MS);
}

void pw_world_dc_plug(struct pw_world_dc *world, bool in)
{
    world->plugged = in;
    act(world); // before anything flows again
}

void pw_world_dc_bus(struct pw_world_dc *world, unsigned bus, enum pw_can_state state)
{
    if (bus < PW_WORLD_DC_BUSES) {
        world->bus[bus] = state;
    }
}

int pw_world_dc_vehicle(struct pw_world_dc *world, enum pw_scooter_model model)
{
    if (world->plugged) {
        return PW_ERR_BUSY;
    }
    struct pw_scooter_config config = world->scooter.config;
    config.model = model;
    config.soc = world->scooter.pack.soc;
    config.temp_c = world->scooter.pack.temp_c;
    pw_scooter_init(&world->scooter, &config, world->now);
    return PW_OK;
}

int pw_world_dc_card(struct pw_world_dc *world, struct pw_str id)
{
    if (id.len == 0 || id.len >= sizeof(world->card)) {
        return PW_ERR_RANGE;
    }
    return pw_str_copy(world->card, sizeof(world->card), id);
}

bool pw_world_dc_take_card(struct pw_world_dc *world, char *to, size_t cap)
{
    struct pw_str card = pw_str_of(world->card);
    if (card.len == 0 || pw_str_copy(to, cap, card) != PW_OK) {
        return false;
    }
    world->card[0] = '\0';
    return true;
}

#define NJ_PER_MWH INT64_C(3600000000) // 1 mWh = 3.6 J

struct pw_world_dc_truth pw_world_dc_truth(const struct pw_world_dc *world)
{
    const struct pw_charger *charger = &world->charger;
    const struct pw_scooter *scooter = &world->scooter;
    return (struct pw_world_dc_truth){
        .energy_nj = charger->energy_nj,
        .energy_mwh = charger->energy_nj / NJ_PER_MWH,
        .soc_permille = (int32_t)pw_clamp(lrint(scooter->pack.soc * 1000.0), 0, 1000),
        .connector_mv = (int32_t)lrint(charger->conn_v * 1000.0),
        .connector_ma = (int32_t)lrint(charger->amps * 1000.0),
        .terminal_mv = (int32_t)lrint(charger->cap_v * 1000.0),
        .pack_temp_dc = (int32_t)lrint(scooter->pack.temp_c * 10.0),
        .rectifier_temp_dc =
            (int32_t)lrint((world->rectifier.temp_c + world->rectifier.forced_heat_c) * 10.0),
        .ask_ma = scooter->bms.ask_ma,
        .plugged = world->plugged,
        .contactor_closed = charger->closed,
        .coil = charger->coil,
        .estop_pressed = charger->estop,
        .charge_mosfet = scooter->bms.mosfet_closed,
        .bms = scooter->bms.state,
        .rectifier = world->rectifier.state,
        .wear = charger->wear,
        .frames_lost = world->tx.refused + world->rx.refused + scooter->bms.tx.refused +
                       world->rectifier.tx.refused + world->ionode.tx.refused,
    };
}

void pw_world_dc_print(const struct pw_world_dc *world, struct pw_out *out)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(world);
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "vehicle", world->scooter.kind->name);
    pw_json_say_bool(&json, "plugged", truth.plugged);
    pw_json_say_fixed(&json, "soc_percent", truth.soc_permille, 1);
    pw_json_say_fixed(&json, "energy_wh_physical", truth.energy_mwh, 3);
    pw_json_say_fixed(&json, "connector_v", truth.connector_mv, 3);
    pw_json_say_fixed(&json, "connector_a", truth.connector_ma, 3);
    pw_json_say_fixed(&json, "terminal_v", truth.terminal_mv, 3);
    pw_json_say_fixed(&json, "bms_asks_a", truth.ask_ma, 3);
    pw_json_say_s(&json, "bms", pw_world_bms_state_name(truth.bms));
    pw_json_say_s(&json, "rectifier", pw_world_rectifier_state_name(truth.rectifier));
    pw_json_say_bool(&json, "coil", truth.coil);
    pw_json_say_bool(&json, "contactor_closed", truth.contactor_closed);
    pw_json_say_bool(&json, "charge_mosfet", truth.charge_mosfet);
    pw_json_say_bool(&json, "estop_pressed", truth.estop_pressed);
    pw_json_say_s(&json, "bus0", pw_can_state_name(world->bus[0]));
    pw_json_say_s(&json, "bus1", pw_can_state_name(world->bus[1]));
    pw_json_say_fixed(&json, "pack_c", truth.pack_temp_dc, 1);
    pw_json_say_fixed(&json, "rectifier_c", truth.rectifier_temp_dc, 1);
    pw_json_say_fixed(&json, "opened_loaded", truth.wear.opened_loaded, 0);
    pw_json_say_fixed(&json, "closed_apart", truth.wear.closed_apart, 0);
    pw_json_say_fixed(&json, "pulled_loaded", truth.wear.pulled_loaded, 0);
    pw_json_say_fixed(&json, "frames_lost", truth.frames_lost, 0);
    pw_json_close(&json, '}');
}

#include "bms/bms.h"

#include "can/daly.h"
#include "can/elcon.h"

#include <math.h>

#define PERIOD_MS    1000
#define LOOK_MS      100
#define COLD_C       0.0
#define COLD_OVER_C  3.0
#define DERATE_C     45.0
#define HOT_C        55.0
#define HOT_OVER_C   50.0
#define HOT_LEAST    0.2 // of the current, just below HOT_C
#define USED_SOC     0.97
#define HEATER_W     150.0 // for 30 Ah
#define DISOBEYED_MS 5000
#define TRIP_HOLD_MS 5000
#define OVER_FACTOR  1.25 // more than this times the asked current, and
#define OVER_A       2.0  // this, is disobedience
#define END_OF_TAPER 0.05 // of the constant current

// What the BMS does in each state.
struct output {
    const char *name;
    bool allows; // byte 4 of the Elcon frame
    bool asks;   // for a current
    bool heats;
    bool mosfet;
};

static const struct output outputs[] = {
    [PW_WORLD_BMS_READY] = {"ready", true, true, false, true},
    [PW_WORLD_BMS_COLD] = {"cold", true, false, true, true},
    [PW_WORLD_BMS_HOT] = {"hot", false, false, false, true},
    [PW_WORLD_BMS_FULL] = {"full", false, false, false, true},
    [PW_WORLD_BMS_TRIPPED] = {"tripped", false, false, false, false},
};

const char *pw_world_bms_state_name(enum pw_world_bms_state state)
{
    PW_ASSERT(state < PW_COUNT(outputs));
    return outputs[state].name;
}

void pw_world_bms_init(struct pw_world_bms *bms, const struct pw_world_bms_config *config,
                       pw_ms now)
{
    PW_ASSERT(config->imax_ma > 0);
    *bms = (struct pw_world_bms){
        .config = *config,
        .disobeyed_at = PW_NEVER,
        .look_at = now,
        .frame_at = now,
    };
    if (bms->config.period_ms == 0) {
        bms->config.period_ms = PERIOD_MS;
    }
}

// The current at which the highest cell would stand between taper and full voltage. Solved for the
// cell's own resistance: reacting to the voltage under load would swing, one frame a second.
static double taper_a(const struct pw_world_bms *bms, const struct pw_pack *pack)
{
    const struct pw_pack_kind *kind = pack->kind;
    double most_a = bms->config.imax_ma * 0.001;
    double per_volt = most_a / (kind->cell_full_v - kind->cell_taper_v);
    double cell_ohm = pack->r0_ohm / kind->cells;
    double room_v = kind->cell_full_v - pw_pack_cell_high(pack, 0.0);
    return fmin(fmax(room_v * per_volt / (1.0 + per_volt * cell_ohm), 0.0), most_a);
}

static double derated(double temp_c)
{
    double over = fmin(fmax((temp_c - DERATE_C) / (HOT_C - DERATE_C), 0.0), 1.0);
    return 1.0 - over * (1.0 - HOT_LEAST);
}

static bool is_full(const struct pw_world_bms *bms, const struct pw_pack *pack, double current_a)
{
    return pack->soc >= 1.0 || pw_pack_cell_high(pack, current_a) >= pack->kind->cell_full_v ||
           taper_a(bms, pack) < END_OF_TAPER * bms->config.imax_ma * 0.001;
}

static enum pw_world_bms_state settle(const struct pw_world_bms *bms, const struct pw_pack *pack)
{
    if (pack->temp_c < COLD_C) {
        return PW_WORLD_BMS_COLD;
    }
    if (pack->temp_c > HOT_C) {
        return PW_WORLD_BMS_HOT;
    }
    return is_full(bms, pack, 0.0) ? PW_WORLD_BMS_FULL : PW_WORLD_BMS_READY;
}

static enum pw_world_bms_state next(const struct pw_world_bms *bms, const struct pw_pack *pack,
                                    double current_a, pw_ms now)
{
    bool over_volt = pw_pack_cell_high(pack, current_a) >= pack->kind->cell_trip_v;
    bool disobeyed = pw_elapsed(bms->disobeyed_at, DISOBEYED_MS, now);
    if (bms->state != PW_WORLD_BMS_TRIPPED && (over_volt || disobeyed)) {
        return PW_WORLD_BMS_TRIPPED;
    }
    switch (bms->state) {
    case PW_WORLD_BMS_READY:
        return is_full(bms, pack, current_a) ? PW_WORLD_BMS_FULL : settle(bms, pack);
    case PW_WORLD_BMS_COLD:
        return pack->temp_c < COLD_OVER_C ? PW_WORLD_BMS_COLD : settle(bms, pack);
    case PW_WORLD_BMS_HOT: return pack->temp_c > HOT_OVER_C ? PW_WORLD_BMS_HOT : settle(bms, pack);
    case PW_WORLD_BMS_FULL: return pack->soc < USED_SOC ? settle(bms, pack) : PW_WORLD_BMS_FULL;
    case PW_WORLD_BMS_TRIPPED: {
        bool high = pw_pack_cell_high(pack, 0.0) > pack->kind->cell_release_v;
        return now < bms->release_at || high ? PW_WORLD_BMS_TRIPPED : settle(bms, pack);
    }
    }
    PW_UNREACHABLE();
}

static void enter(struct pw_world_bms *bms, enum pw_world_bms_state state, pw_ms now)
{
    if (state == bms->state) {
        return;
    }
    bms->state = state;
    bms->release_at = now + TRIP_HOLD_MS;
    bms->disobeyed_at = PW_NEVER;
}

static void look(struct pw_world_bms *bms, struct pw_pack *pack, double current_a, bool linked,
                 pw_ms now)
{
    double allowed_a = bms->ask_ma * 0.001 * OVER_FACTOR + OVER_A;
    if (current_a <= allowed_a || bms->state == PW_WORLD_BMS_TRIPPED) {
        bms->disobeyed_at = PW_NEVER;
    } else if (bms->disobeyed_at == PW_NEVER) {
        bms->disobeyed_at = now;
    }
    enter(bms, next(bms, pack, current_a, now), now);
    const struct output *out = &outputs[bms->state];
    double ask_a = 0.0;
    if (out->asks && bms->fault != PW_WORLD_BMS_STOPS) {
        double most_a = bms->config.imax_ma * 0.001 * derated(pack->temp_c);
        ask_a = fmin(taper_a(bms, pack), most_a);
    }
    bms->ask_ma = (uint32_t)lrint(ask_a * 1000.0);
    bms->mosfet_closed = out->mosfet;
    pack->heater_w = out->heats && linked ? HEATER_W / pack->r_size : 0.0;
}

// What a lying BMS asks for: more than cells, cable and station bear.
#define LIE_MV 95000
#define LIE_MA 400000

static int32_t reported_soc(const struct pw_pack *pack)
{
    return (int32_t)pw_clamp(lrint(pack->soc * 1000.0), 0, 1000);
}

static void request(struct pw_world_bms *bms, const struct pw_pack *pack)
{
    const struct output *out = &outputs[bms->state];
    bool lies = bms->fault == PW_WORLD_BMS_LIES;
    double full_v = pack->kind->cells * pack->kind->cell_full_v;
    enum pw_elcon_form form =
        bms->config.form == PW_WORLD_BMS_ELCON_SOC ? PW_ELCON_SOC : PW_ELCON_HEATING;
    struct pw_elcon_request said = {
        .charger = PW_ELCON_CHARGER,
        .limit_mv = lies ? LIE_MV : (int32_t)lrint(full_v * 10.0) * 100,
        .limit_ma = lies ? LIE_MA : (int32_t)bms->ask_ma,
        .charge = lies || (out->allows && bms->fault != PW_WORLD_BMS_STOPS),
        .heating = form == PW_ELCON_HEATING && out->heats,
        .has_soc = form == PW_ELCON_SOC,
        .soc_permille = form == PW_ELCON_SOC ? reported_soc(pack) : 0,
    };
    struct pw_can_frame frame;
    int err = pw_elcon_pack_request(form, &said, &frame);
    PW_ASSERT(err == PW_OK);
    (void)pw_world_bms_tx_push(&bms->tx, frame);
}

pw_ms pw_world_bms_step(struct pw_world_bms *bms, struct pw_pack *pack, double current_a,
                        bool linked, pw_ms now)
{
    if (now >= bms->look_at) {
        look(bms, pack, current_a, linked, now);
        bms->look_at = now + LOOK_MS;
    }
    if (now >= bms->frame_at) {
        if (linked && bms->fault != PW_WORLD_BMS_SILENT) {
            request(bms, pack);
        }
        bms->frame_at = now + bms->config.period_ms;
    }
    return pw_earlier(bms->look_at, bms->frame_at);
}

static int32_t milli(double value)
{
    return (int32_t)lrint(value * 1000.0);
}

static struct pw_daly_answer measure(const struct pw_world_bms *bms, const struct pw_pack *pack,
                                     double current_a)
{
    int32_t temp_dc = (int32_t)lrint(pack->temp_c) * 10;
    bool charges = current_a > 0.1;
    return (struct pw_daly_answer){
        .pack_mv = milli(pw_pack_voltage(pack, current_a)),
        .gathered_mv = milli(pw_pack_voltage(pack, current_a)),
        .pack_ma = milli(current_a),
        .soc_permille = reported_soc(pack),
        .cell_max_mv = milli(pw_pack_cell_high(pack, current_a)),
        .cell_max_number = 7,
        .cell_min_mv = milli(pw_pack_cell_low(pack, current_a)),
        .cell_min_number = 15,
        .temp_max_dc = temp_dc,
        .temp_max_number = 1,
        .temp_min_dc = temp_dc,
        .temp_min_number = 2,
        .work = charges ? PW_DALY_CHARGING : PW_DALY_IDLE,
        .charge_switch = bms->mosfet_closed ? 1 : 0,
        .discharge_switch = 1,
        .remaining_mah = (int32_t)lrint(fmax(pack->soc, 0.0) * pack->capacity_as / 3.6),
        .cell_count = (int32_t)pack->kind->cells,
        .sensor_count = 2,
        .charger_connected = 1,
        .charged_mah = (int32_t)lrint(pack->charge_as / 3.6),
        .discharged_mah = (int32_t)lrint(pack->discharge_as / 3.6),
    };
}

void pw_world_bms_can(struct pw_world_bms *bms, const struct pw_pack *pack, double current_a,
                      const struct pw_can_frame *frame)
{
    enum pw_daly_item item;
    if (bms->fault == PW_WORLD_BMS_SILENT || pw_daly_unpack_poll(frame, &item) != PW_OK) {
        return;
    }
    struct pw_daly_answer answer = measure(bms, pack, current_a);
    struct pw_can_frame reply;
    if (pw_daly_pack_answer(item, &answer, &reply) == PW_OK) {
        (void)pw_world_bms_tx_push(&bms->tx, reply);
    }
}

bool pw_world_bms_take_can(struct pw_world_bms *bms, struct pw_can_frame *frame)
{
    return pw_world_bms_tx_pop(&bms->tx, frame);
}

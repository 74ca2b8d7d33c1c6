#include "openevse.h"

#include "scenario/oescenario.h"
#include "sim.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#define PRESENT_MS    60000 // a station that has not written for so long does not read either
#define CT_PRESENT_MS 1000
#define BLOCK_MS      (PW_WORLD_HOUSE_BLOCK * 1000 / PW_WORLD_HOUSE_RATE_HZ)

// The command's subject, whichever of both kinds it is.
static struct pw_sim_openevse *of(struct pw_sim *sim)
{
    return &sim->openevse;
}

static void hear_rapi(void *context, const uint8_t *bytes, size_t len)
{
    struct pw_sim *sim = context;
    pw_world_oe_hear(&of(sim)->world, bytes, len, pw_clock_now(&sim->clock));
}

static void hear_ct(void *context, const uint8_t *bytes, size_t len)
{
    struct pw_sim *sim = context;
    for (size_t i = 0; i < len; i++) {
        (void)pw_frontend_board_feed(&of(sim)->front, bytes[i], pw_clock_now(&sim->clock));
    }
}

// ---------------------------------------------------------------------------------------------

static int open_broker(struct pw_sim *sim, struct pw_out *reason)
{
    const struct pw_sim_options *options = &sim->options;
    struct pw_mqtt_wire_config config = {
        .url = options->mqtt,
        .client_id = "pilotwire-sim",
        .username = options->mqtt_user != NULL ? options->mqtt_user : "",
        .password = getenv("PILOTWIRE_SIM_MQTT_PASSWORD"),
        .ca_file = options->mqtt_ca != NULL ? options->mqtt_ca : "",
        .will = {.topic = "", .payload = ""},
        .seed = (uint32_t)options->oe.seed,
    };
    if (options->mqtt == NULL) {
        return PW_OK;
    }
    if (config.password == NULL) {
        config.password = "";
    }
    const char *topic = options->topic != NULL ? options->topic : "house/meter";
    if (pw_str_copy(of(sim)->topic, sizeof(of(sim)->topic), pw_str_of(topic)) != PW_OK) {
        pw_put_s(reason, "--topic: at most 127 characters");
        return PW_ERR_RANGE;
    }
    of(sim)->broker = pw_mqtt_wire_open(&sim->loop, &config, reason);
    return of(sim)->broker != NULL ? PW_OK : PW_ERR_RANGE;
}

static int open_ct(struct pw_sim *sim, struct pw_out *reason)
{
    const struct pw_frontend_hello hello = {
        .version = PW_FRONTEND_VERSION,
        .phases = (uint8_t)(sim->options.oe.house.phases == 3 ? 3 : 1),
        .has = PW_FRONTEND_HAS_BLOCKS,
        .step_ppm = 1,
        .watchdog_ms = PW_BOARD_SILENCE_MS,
        .rate_hz = PW_WORLD_HOUSE_RATE_HZ,
        .name = "house",
    };
    struct pw_sim_openevse *oe = of(sim);
    pw_frontend_board_init(&oe->front, &hello);
    pw_sim_line_init(&oe->ct, &sim->loop, hear_ct, sim);
    return sim->options.ct != NULL
               ? pw_sim_line_open(&oe->ct, "--ct", sim->options.ct, NULL, reason)
               : PW_OK;
}

static int open_house(struct pw_sim *sim, struct pw_out *reason)
{
    struct pw_sim_openevse *oe = of(sim);
    pw_ms now = pw_clock_now(&sim->clock);
    if (sim->options.trace != NULL) {
        int err =
            pw_sim_trace_read(sim->options.trace, &oe->trace, &sim->options.oe.house.trace, reason);
        if (err != PW_OK) {
            return err;
        }
    }
    pw_world_oe_init(&oe->world, &sim->options.oe, now);
    oe->block_at = now;
    pw_world_clamps_init(&oe->clamps, sim->options.oe.seed);
    oe->soc_start_permille = pw_world_oe_truth(&oe->world).soc_permille;
    pw_sim_line_init(&oe->line, &sim->loop, hear_rapi, sim);
    int err = open_ct(sim, reason);
    return err == PW_OK ? open_broker(sim, reason) : err;
}

static int open_openevse(struct pw_sim *sim, struct pw_out *reason)
{
    int err = open_house(sim, reason);
    return err == PW_OK ? pw_sim_line_open(&of(sim)->line, "--link", sim->options.link,
                                           sim->options.listen, reason)
                        : err;
}

static void close_openevse(struct pw_sim *sim)
{
    struct pw_sim_openevse *oe = of(sim);
    pw_sim_line_close(&oe->line);
    pw_sim_line_close(&oe->ct);
    pw_mqtt_wire_close(oe->broker);
    free(oe->trace);
    oe->broker = NULL;
    oe->trace = NULL;
}

// ---------------------------------------------------------------------------------------------
// The meter, three times.

static void put_value(struct pw_out *out, const char *key, unsigned phase, int32_t milli,
                      bool absurd)
{
    pw_put_s(out, out->len > 1 ? ",\"l" : "\"l");
    pw_put_uint(out, phase + 1);
    pw_put_s(out, key);
    if (absurd) {
        pw_put_s(out, "NaN"); // no JSON at all, as some meters' gateways write it
    } else {
        pw_put_fixed(out, milli, 3);
    }
}

static void publish(struct pw_sim_openevse *oe, const struct pw_board_mains *mains)
{
    char text[320];
    struct pw_out out = PW_OUT(text);
    bool absurd = oe->world.house.mood == PW_WORLD_HOUSE_ABSURD;
    pw_put_c(&out, '{');
    for (unsigned p = 0; p < oe->world.house.config.phases; p++) {
        put_value(&out, "_v\":", p, mains->mv[p], absurd);
        put_value(&out, "_a\":", p, mains->ma[p], absurd);
        put_value(&out, "_w\":", p, mains->mw[p], absurd);
    }
    pw_put_c(&out, '}');
    struct pw_str reason;
    while (pw_mqtt_wire_news(oe->broker, &reason) != PW_MQTT_WIRE_NONE) {
        // A meter does not care whether anybody listens: what cannot go is old a second later.
    }
    const struct pw_broker_message message = {.topic = pw_str_of(oe->topic),
                                              .payload = pw_out_str(&out)};
    (void)!pw_mqtt_wire_send(oe->broker, &message);
}

// A float register shows what cannot be as "not a number".
static void show_registers(struct pw_sim *sim, struct pw_board_mains *mains)
{
    static const enum pw_modbus_mood moods[] = {
        [PW_WORLD_HOUSE_GOOD] = PW_MODBUS_ANSWERS,     [PW_WORLD_HOUSE_SILENT] = PW_MODBUS_SILENT,
        [PW_WORLD_HOUSE_FROZEN] = PW_MODBUS_ANSWERS,   [PW_WORLD_HOUSE_ABSURD] = PW_MODBUS_ANSWERS,
        [PW_WORLD_HOUSE_REVERSED] = PW_MODBUS_ANSWERS, [PW_WORLD_HOUSE_OPEN] = PW_MODBUS_ANSWERS,
    };
    enum pw_world_house_mood mood = of(sim)->world.house.mood;
    if (sim->wired.server == NULL) {
        return;
    }
    pw_modbus_server_mood(sim->wired.server, moods[mood]);
    for (unsigned p = 0; p < PW_BOARD_PHASES && mood == PW_WORLD_HOUSE_ABSURD; p++) {
        mains->mv[p] = mains->ma[p] = mains->mw[p] = PW_BOARD_UNKNOWN;
    }
    pw_modbus_server_show(sim->wired.server, mains);
}

static void tell_meter(struct pw_sim *sim)
{
    struct pw_board_mains mains = PW_BOARD_NO_MAINS;
    if (pw_world_oe_take_mains(&of(sim)->world, &mains)) {
        if (of(sim)->broker != NULL) {
            publish(of(sim), &mains);
        }
        show_registers(sim, &mains);
    } else if (sim->wired.server != NULL && of(sim)->world.house.mood == PW_WORLD_HOUSE_SILENT) {
        pw_modbus_server_mood(sim->wired.server, PW_MODBUS_SILENT);
    }
}

static void sample(struct pw_sim_openevse *oe, pw_ms now)
{
    struct pw_board_block block;
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    bool heard = pw_sim_line_is_heard(&oe->ct, CT_PRESENT_MS, now);
    while (oe->block_at <= now) {
        bool says = pw_world_clamps_block(&oe->clamps, &oe->world.house, oe->block_at, &block);
        oe->block_at += BLOCK_MS;
        if (heard && says) {
            size_t len = pw_frontend_board_hello(&oe->front, now, frame);
            pw_sim_line_send(&oe->ct, frame, len);
            len = pw_frontend_board_block(&oe->front, &block, now, frame);
            pw_sim_line_send(&oe->ct, frame, len);
        }
    }
    pw_sim_line_flush(&oe->ct);
}

static pw_ms turn_openevse(struct pw_sim *sim, pw_ms now)
{
    struct pw_sim_openevse *oe = of(sim);
    uint8_t bytes[1024];
    size_t len;
    pw_ms next = pw_world_oe_step(&oe->world, now);
    bool heard = pw_sim_line_is_heard(&oe->line, PRESENT_MS, now);
    while ((len = pw_world_oe_take(&oe->world, bytes, sizeof(bytes))) > 0) {
        if (heard) {
            pw_sim_line_send(&oe->line, bytes, len);
        }
    }
    pw_sim_line_flush(&oe->line);
    tell_meter(sim);
    if (sim->options.ct != NULL) {
        sample(oe, now);
        next = pw_earlier(next, oe->block_at);
    }
    return next;
}

// ---------------------------------------------------------------------------------------------

static int line_openevse(struct pw_sim *sim, struct pw_str text, struct pw_out *answer)
{
    return pw_oescenario_run(&of(sim)->world, text, answer);
}

static bool take_card_openevse(struct pw_sim *sim, char *to, size_t cap)
{
    return pw_world_oe_take_card(&of(sim)->world, to, cap);
}

static void status_house(const struct pw_sim *sim, struct pw_line *line)
{
    struct pw_world_oe_truth truth = pw_world_oe_truth(&sim->openevse.world);
    pw_line_fixed(line, "grid1", truth.grid_ma[0], 3);
    pw_line_fixed(line, "grid2", truth.grid_ma[1], 3);
    pw_line_fixed(line, "grid3", truth.grid_ma[2], 3);
    pw_line_s(line, "meter", pw_world_house_mood_name(sim->openevse.world.house.mood));
}

static void status_openevse(const struct pw_sim *sim, struct pw_line *line)
{
    struct pw_world_oe_truth truth = pw_world_oe_truth(&sim->openevse.world);
    pw_line_s(line, "car", truth.plugged ? sim->openevse.world.car.kind->word : "none");
    pw_line_fixed(line, "soc", truth.soc_permille, 1);
    pw_line_s(line, "level", pw_world_ac_level_name(truth.level));
    pw_line_int(line, "state", (int64_t)truth.state);
    pw_line_fixed(line, "offer", truth.offer_ma, 3);
    pw_line_fixed(line, "a1", truth.ma[0], 3);
    pw_line_fixed(line, "w", truth.mw, 3);
    pw_line_fixed(line, "wh", truth.energy_mwh, 3);
    pw_line_s(line, "relay", truth.any_closed ? "closed" : "open");
    status_house(sim, line);
}

static void result_openevse(const struct pw_sim *sim, struct pw_out *out)
{
    struct pw_world_oe_truth truth = pw_world_oe_truth(&sim->openevse.world);
    pw_put_s(out, "{\"energy_wh_physical\":");
    pw_put_fixed(out, truth.energy_mwh, 3);
    pw_put_s(out, ",\"soc_start\":");
    pw_put_fixed(out, sim->openevse.soc_start_permille, 1);
    pw_put_s(out, ",\"soc_end\":");
    pw_put_fixed(out, truth.soc_permille, 1);
    pw_put_s(out, ",\"car\":\"");
    pw_put_s(out, sim->openevse.world.car.kind->word);
    pw_put_s(out, "\",\"opened_loaded\":");
    pw_put_uint(out, truth.wear.opened_loaded);
    pw_put_s(out, ",\"import_wh\":");
    pw_put_fixed(out, (int64_t)(sim->openevse.world.house.import_wh * 1000.0), 3);
    pw_put_c(out, '}');
}

const struct pw_sim_kind pw_sim_kind_openevse = {
    .open = open_openevse,
    .close = close_openevse,
    .turn = turn_openevse,
    .line = line_openevse,
    .take_card = take_card_openevse,
    .status = status_openevse,
    .result = result_openevse,
};

// The house alone: its charger's board is nobody's, and no car comes.
const struct pw_sim_kind pw_sim_kind_house = {
    .open = open_house,
    .close = close_openevse,
    .turn = turn_openevse,
    .line = line_openevse,
    .status = status_house,
    .result = result_openevse,
};

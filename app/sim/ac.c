#include "scenario/acscenario.h"
#include "sim.h"

#define PRESENT_MS 1000 // a station that has not written for so long does not read either

static struct pw_frontend_hello hello_of(const struct pw_sim_options *options)
{
    const struct pw_acpath_config *path = &options->ac.path;
    const struct pw_acboard_config *board = &options->ac.board;
    uint16_t has = PW_FRONTEND_HAS_ALL;
    struct pw_frontend_hello hello = {
        .version = PW_FRONTEND_VERSION,
        .phases = (uint8_t)path->phases,
        .step_ppm = (uint16_t)board->step_ppm,
        .watchdog_ms = PW_BOARD_SILENCE_MS,
        .rate_hz = board->raw ? PW_ACBOARD_RATE_HZ : 0,
        .name = "pilotwire-sim",
    };
    has &= (uint16_t) ~(board->raw ? PW_FRONTEND_HAS_MAINS : PW_FRONTEND_HAS_BLOCKS);
    if (!path->socket) {
        has &= (uint16_t) ~(PW_FRONTEND_HAS_LOCK | PW_FRONTEND_HAS_PP);
    }
    hello.has = has;
    return hello;
}

static void hear(void *context, const uint8_t *bytes, size_t len)
{
    struct pw_sim *sim = context;
    struct pw_sim_ac *ac = &sim->ac;
    pw_ms now = pw_clock_now(&sim->clock);
    for (size_t i = 0; i < len; i++) {
        bool deaf = ac->world.board.deaf || ac->world.board.dead;
        if (!deaf && pw_frontend_board_feed(&ac->board, bytes[i], now)) {
            pw_world_ac_drive(&ac->world, &ac->board.drive, now);
        }
    }
}

static int open_ac(struct pw_sim *sim, struct pw_out *reason)
{
    struct pw_sim_ac *ac = &sim->ac;
    struct pw_frontend_hello hello = hello_of(&sim->options);
    pw_world_ac_init(&ac->world, &sim->options.ac, pw_clock_now(&sim->clock));
    pw_frontend_board_init(&ac->board, &hello);
    ac->mains_at = PW_NEVER;
    ac->soc_start_permille = pw_world_ac_truth(&ac->world).soc_permille;
    pw_sim_line_init(&ac->line, &sim->loop, hear, sim);
    return pw_sim_line_open(&ac->line, "--link", sim->options.link, sim->options.listen, reason);
}

static void close_ac(struct pw_sim *sim)
{
    pw_sim_line_close(&sim->ac.line);
}

static void report(struct pw_sim_ac *ac, pw_ms now)
{
    uint8_t frame[PW_FRONTEND_FRAME_MAX];
    struct pw_board_senses senses;
    struct pw_board_block block;
    bool heard = pw_sim_line_is_heard(&ac->line, PRESENT_MS, now);
    while (pw_world_ac_take_block(&ac->world, &block)) {
        if (heard) {
            pw_sim_line_send(&ac->line, frame,
                             pw_frontend_board_block(&ac->board, &block, now, frame));
        }
    }
    if (!pw_world_ac_take_senses(&ac->world, &senses) || !heard) {
        return;
    }
    pw_sim_line_send(&ac->line, frame, pw_frontend_board_hello(&ac->board, now, frame));
    pw_sim_line_send(&ac->line, frame, pw_frontend_board_senses(&ac->board, &senses, now, frame));
    if (senses.mains.at != PW_NEVER && senses.mains.at != ac->mains_at) {
        ac->mains_at = senses.mains.at;
        pw_sim_line_send(&ac->line, frame,
                         pw_frontend_board_mains(&ac->board, &senses.mains, now, frame));
    }
}

// What a certified meter before the contactor shows: the truth, with the power shared out as the
// currents are.
static struct pw_board_mains at_the_meter(const struct pw_sim_ac *ac)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&ac->world);
    struct pw_board_mains mains = {
        .at = ac->world.now,
        .mhz = (int32_t)(ac->world.path.hertz * 1000),
        .import_mwh = truth.energy_mwh,
    };
    int64_t sum = 0;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        sum += truth.ma[p];
    }
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        mains.mv[p] = truth.mv[p];
        mains.ma[p] = truth.ma[p];
        mains.mw[p] = sum > 0 ? (int32_t)((int64_t)truth.mw * truth.ma[p] / sum) : 0;
    }
    return mains;
}

static pw_ms turn_ac(struct pw_sim *sim, pw_ms now)
{
    struct pw_sim_ac *ac = &sim->ac;
    if (ac->was_dead && !ac->world.board.dead) {
        struct pw_frontend_hello hello = hello_of(&sim->options);
        pw_frontend_board_init(&ac->board, &hello); // it starts anew
    }
    ac->was_dead = ac->world.board.dead;
    (void)pw_world_ac_step(&ac->world, now);
    if (sim->wired.server != NULL) {
        struct pw_board_mains mains = at_the_meter(ac);
        pw_modbus_server_show(sim->wired.server, &mains);
    }
    report(ac, now);
    pw_sim_line_flush(&ac->line);
    return pw_world_ac_step(&ac->world, now);
}

static int line_ac(struct pw_sim *sim, struct pw_str text, struct pw_out *answer)
{
    return pw_acscenario_run(&sim->ac.world, text, answer);
}

static bool take_card_ac(struct pw_sim *sim, char *to, size_t cap)
{
    return pw_world_ac_take_card(&sim->ac.world, to, cap);
}

static void status_ac(const struct pw_sim *sim, struct pw_line *line)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&sim->ac.world);
    pw_line_s(line, "car", truth.plugged ? sim->ac.world.car.kind->word : "none");
    pw_line_fixed(line, "soc", truth.soc_permille, 1);
    pw_line_s(line, "level", pw_world_ac_level_name(truth.level));
    pw_line_fixed(line, "offer", truth.offer_ma, 3);
    pw_line_fixed(line, "a1", truth.ma[0], 3);
    pw_line_fixed(line, "a2", truth.ma[1], 3);
    pw_line_fixed(line, "a3", truth.ma[2], 3);
    pw_line_fixed(line, "w", truth.mw, 3);
    pw_line_fixed(line, "wh", truth.energy_mwh, 3);
    pw_line_s(line, "contactor", truth.any_closed ? "closed" : "open");
}

static void result_ac(const struct pw_sim *sim, struct pw_out *out)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(&sim->ac.world);
    pw_put_s(out, "{\"energy_wh_physical\":");
    pw_put_fixed(out, truth.energy_mwh, 3);
    pw_put_s(out, ",\"soc_start\":");
    pw_put_fixed(out, sim->ac.soc_start_permille, 1);
    pw_put_s(out, ",\"soc_end\":");
    pw_put_fixed(out, truth.soc_permille, 1);
    pw_put_s(out, ",\"car\":\"");
    pw_put_s(out, sim->ac.world.car.kind->word);
    pw_put_s(out, "\",\"opened_loaded\":");
    pw_put_uint(out, truth.wear.opened_loaded);
    pw_put_c(out, '}');
}

const struct pw_sim_kind pw_sim_kind_ac = {
    .open = open_ac,
    .close = close_ac,
    .turn = turn_ac,
    .line = line_ac,
    .take_card = take_card_ac,
    .status = status_ac,
    .result = result_ac,
};

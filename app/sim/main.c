// pilotwire-sim: joins the simulated world of one connector to its wires, standard input, a control
// socket and a card reader, at the pace of the shared clock.
#include "scenario/scenario.h"
#include "sim.h"
#include "tell.h"

#include <stdlib.h>
#include <unistd.h>

static void present_card(struct pw_sim *sim)
{
    char id[PW_WORLD_DC_CARD_MAX];
    struct pw_line line;
    if (sim->kind->take_card == NULL || !sim->kind->take_card(sim, id, sizeof(id))) {
        return;
    }
    int err = pw_sim_reader_send(&sim->reader, pw_str_of(id));
    pw_line(&line, &sim->logger.log, err == PW_OK ? PW_LOG_INFO : PW_LOG_WARN, "sim", "card");
    pw_line_s(&line, "id", id);
    pw_line_s(&line, "result", err == PW_OK ? "sent" : pw_err_name(err));
    pw_line_end(&line);
}

static void show_status(struct pw_sim *sim)
{
    struct pw_line line;
    pw_line(&line, &sim->logger.log, PW_LOG_INFO, "sim", "status");
    sim->kind->status(sim, &line);
    pw_line_end(&line);
}

static pw_ms turn(void *context, pw_ms now)
{
    struct pw_sim *sim = context;
    pw_ms next = sim->kind->turn(sim, now);
    next = pw_earlier(next, pw_sim_signer_turn(&sim->signer, now));
    present_card(sim);
    if (sim->options.status_s > 0) {
        if (now >= sim->status_at) {
            show_status(sim);
            sim->status_at = now + (pw_ms)sim->options.status_s * 1000U;
        }
        next = pw_earlier(next, sim->status_at);
    }
    return next;
}

static void run_line(void *context, struct pw_str text, struct pw_out *answer)
{
    struct pw_sim *sim = context;
    char refused[PW_SCENARIO_ANSWER_MAX];
    struct pw_out out = PW_OUT(refused);
    (void)sim->kind->turn(sim, pw_clock_now(&sim->clock));
    int err =
        sim->signer.key == NULL ? PW_ERR_UNKNOWN : pw_signmeter_run(&sim->signer.meter, text, &out);
    if (err == PW_ERR_UNKNOWN) {
        err = sim->kind->line(sim, text, &out);
    }
    if (err != PW_OK) {
        pw_put_s(answer, "error: ");
    }
    pw_put(answer, pw_str_trim(pw_out_str(&out)));
}

static int open_all(struct pw_sim *sim, struct pw_out *reason)
{
    int err = pw_sim_reader_open(&sim->reader, sim->options.card_reader, reason);
    if (err == PW_OK) {
        err = sim->kind->open(sim, reason);
    }
    if (err == PW_OK) {
        err = pw_sim_wired_open(&sim->wired, sim->options.meter, reason);
    }
    if (err == PW_OK) {
        err =
            pw_sim_signer_open(&sim->signer, &sim->wired, &sim->options, &sim->logger.log, reason);
    }
    if (err == PW_OK) {
        sim->lines.run = run_line;
        sim->lines.context = sim;
        err = pw_sim_lines_open(&sim->lines, &sim->loop, sim->options.control, reason);
    }
    return err;
}

static void close_all(struct pw_sim *sim)
{
    if (sim->lines.loop != NULL) {
        pw_sim_lines_close(&sim->lines);
    }
    sim->kind->close(sim);
    pw_sim_signer_close(&sim->signer);
    pw_sim_wired_close(&sim->wired);
    pw_sim_reader_close(&sim->reader);
    pw_loop_close(&sim->loop);
}

static void print_result(const struct pw_sim *sim)
{
    char text[512] = "";
    struct pw_out out = PW_OUT(text);
    sim->kind->result(sim, &out);
    (void)puts(text);
}

static int run(struct pw_sim *sim)
{
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    if (pw_clock_init(&sim->clock, getenv("PILOTWIRE_CLOCK")) != PW_OK) {
        (void)fputs("pilotwire-sim: PILOTWIRE_CLOCK must be "
                    "<real_unix_ms>:<virtual_unix_ms>:<speed 0.1..1000>\n",
                    stderr);
        return EXIT_FAILURE;
    }
    pw_logger_init(&sim->logger, &sim->clock, STDERR_FILENO, PW_LOG_INFO);
    if (pw_loop_init(&sim->loop, &sim->clock) != PW_OK) {
        (void)fputs("pilotwire-sim: no event loop to be had\n", stderr);
        return EXIT_FAILURE;
    }
    static const struct pw_sim_kind *const kinds[] = {[PW_SIM_DC] = &pw_sim_kind_dc,
                                                      [PW_SIM_AC] = &pw_sim_kind_ac,
                                                      [PW_SIM_METER] = &pw_sim_kind_meter,
                                                      [PW_SIM_OPENEVSE] = &pw_sim_kind_openevse,
                                                      [PW_SIM_HOUSE] = &pw_sim_kind_house};
    sim->wired.pty = PW_SIM_PTY_NONE;
    sim->kind = kinds[sim->options.kind];
    sim->status_at = pw_clock_now(&sim->clock);
    if (open_all(sim, &reason) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-sim: %s\n", text);
        close_all(sim);
        return EXIT_FAILURE;
    }
    pw_loop_on_turn(&sim->loop, turn, sim);
    pw_loop_run(&sim->loop);
    if (!sim->lost) {
        (void)sim->kind->turn(sim, pw_clock_now(&sim->clock));
    }
    close_all(sim);
    print_result(sim);
    return sim->lost ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static struct pw_sim sim; // large, and one a program
    char text[512] = "";
    struct pw_out reason = PW_OUT(text);
    if (argc > 1 && pw_str_is(pw_str_of(argv[1]), "tell")) {
        return pw_sim_tell(argc - 2, argv + 2);
    }
    if (pw_sim_options_read(&sim.options, argc - 1, argv + 1, &reason) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-sim: %s\n", text);
        return 2;
    }
    if (sim.options.help) {
        pw_sim_options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (sim.options.version) {
        (void)puts("pilotwire-sim " PW_VERSION);
        return EXIT_SUCCESS;
    }
    return run(&sim);
}

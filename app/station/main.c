// pilotwire-station: reads options and settings, then runs the station until it is told to end.
#include "boards.h"
#include "meters.h"
#include "options.h"
#include "program.h"
#include "settings_file.h"
#include "tasks.h"
#include "vault/vault.h"
#include "wires.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WHY_MAX   512
#define TABLE_MAX 65536

enum { EXIT_SETTINGS = 2, EXIT_UPDATED = 75 }; // 75: EX_TEMPFAIL of sysexits.h, "start me again"

static int complain(const struct pw_out *why)
{
    (void)fprintf(stderr, "pilotwire-station: %s\n", why->at);
    return EXIT_SETTINGS;
}

static int print_settings(const struct pw_settings *settings)
{
    char *table = malloc(TABLE_MAX);
    if (table == NULL) {
        return EXIT_FAILURE;
    }
    struct pw_out out = {.at = table, .cap = TABLE_MAX};
    settings_file_print(settings, &out);
    int failed = out.full || fputs(table, stdout) == EOF;
    free(table);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int read_settings(struct pw_settings *settings, const struct options *options,
                         struct pw_out *why)
{
    const struct settings_files files = {.config = options->config,
                                         .secrets = options->secrets,
                                         .credentials = options->credentials};
    return settings_file_read(settings, &files, why);
}

// Runs, and runs again as often as a restart is asked for, with the files read anew.
static int run(const struct options *options, struct pw_settings *settings, struct pw_out *why)
{
    struct pw_clock clock;
    const char *shared = getenv("PILOTWIRE_CLOCK");
    if (pw_clock_init(&clock, shared) != PW_OK) {
        pw_put_s(why,
                 "PILOTWIRE_CLOCK: must be <real_unix_ms>:<virtual_unix_ms>:<speed 0.1..1000>");
        return complain(why);
    }
    struct pw_logger *logger = malloc(sizeof(*logger));
    if (logger == NULL) {
        return EXIT_FAILURE;
    }
    pw_logger_init(logger, &clock, STDERR_FILENO, PW_LOG_INFO);
    enum outcome outcome = program_run(options, settings, &clock, logger, why);
    int err = PW_OK;
    while ((outcome == OUTCOME_AGAIN || outcome == OUTCOME_FACTORY) && err == PW_OK) {
        // One that cannot be done is said, and the station runs on: nobody is left without a
        // charge.
        if (outcome == OUTCOME_FACTORY &&
            factory_reset(options, true, &logger->log, why) != PW_OK) {
            (void)complain(why);
            *why = (struct pw_out){.at = why->at, .cap = why->cap};
        }
        err = read_settings(settings, options, why);
        if (err == PW_OK) {
            outcome = program_run(options, settings, &clock, logger, why);
        }
    }
    free(logger);
    if (err != PW_OK) {
        return complain(why);
    }
    if (outcome == OUTCOME_SETTINGS) {
        return complain(why);
    }
    if (outcome == OUTCOME_UPDATED) {
        return EXIT_UPDATED;
    }
    if (outcome == OUTCOME_FAILED) {
        (void)complain(why);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static int do_task(const struct options *options, const struct pw_settings *settings,
                   struct pw_out *why)
{
    struct pw_clock clock;
    static struct pw_logger logger; // too big for the stack
    if (pw_clock_init(&clock, NULL) != PW_OK) {
        return EXIT_FAILURE;
    }
    pw_logger_init(&logger, &clock, STDERR_FILENO, PW_LOG_WARN);
    if (task_run(options, settings, &logger.log, why) != PW_OK) {
        (void)complain(why);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    // pilotwire-boot starts it by a descriptor, whose number would be its name.
    (void)prctl(PR_SET_NAME, "pilotwire-station");
    struct options options;
    static struct pw_settings settings; // too big for the stack
    char text[WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!pw_vault_private_process()) {
        (void)fprintf(stderr, "pilotwire-station: core dumps cannot be switched off\n");
    }
    if (options_parse(&options, argc, argv, &why) != PW_OK) {
        return complain(&why);
    }
    if (options.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (options.version) {
        (void)printf("pilotwire-station %s\n", PW_VERSION);
        return EXIT_SUCCESS;
    }
    if (options.config != NULL && !options.check && factory_reset_resume(&options, &why) != PW_OK) {
        return complain(&why);
    }
    pw_settings_init(&settings);
    if (options.config != NULL && read_settings(&settings, &options, &why) != PW_OK) {
        return complain(&why);
    }
    if (options.print_settings) {
        return print_settings(&settings);
    }
    if (options.check) {
        if (boards_check(&settings, options.config, &why) != PW_OK ||
            wires_check(&settings, &why) != PW_OK || meters_check(&settings, &why) != PW_OK) {
            return complain(&why);
        }
        (void)printf("%s: ok, %u connector(s)\n", options.config, settings.connectors);
        return EXIT_SUCCESS;
    }
    return task_wanted(&options) ? do_task(&options, &settings, &why)
                                 : run(&options, &settings, &why);
}

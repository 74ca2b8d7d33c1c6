// pilotwire-central: reads its command line, joins the central's logic with the Linux port, serves.
#include "central_crypto.h"
#include "embedded.h"
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2

struct pw_instant program_now(const struct program *program)
{
    return (struct pw_instant){.now = pw_clock_now(&program->clock),
                               .wall = pw_clock_wall(&program->clock)};
}

int program_fail(const char *what, const char *name, const char *why)
{
    (void)fprintf(stderr, "pilotwire-central: %s %s: %s\n", what, name, why);
    return EXIT_FAILURE;
}

void program_path(char *to, const char *folder, const char *name)
{
    struct pw_out out = {.cap = PROGRAM_PATH_MAX};
    out.at = to;
    pw_put_s(&out, folder);
    pw_put_s(&out, name);
}

static bool open_store(struct program *program)
{
    const char *why = "";
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, program->options.data);
    pw_put_s(&out, "/central.db");
    (void)umask(077); // keys and passwords are hashed, sessions are nobody else's business
    if (mkdir(program->options.data, 0700) != 0 && errno != EEXIST) {
        (void)program_fail("cannot make the folder", program->options.data, strerror(errno));
        return false;
    }
    if (out.full) {
        (void)program_fail("--data", program->options.data, "the path is longer than 500 bytes");
        return false;
    }
    if (pw_central_store_open(&program->store, path, &program->logger.log, &why) != PW_OK) {
        (void)program_fail("cannot open", path, why);
        return false;
    }
    return true;
}

bool program_central(struct program *program, const struct pw_central_net *net)
{
    const char *why = "";
    struct pw_central_config config = {
        .db = &program->store.db,
        .net = net,
        .wires = program->links != NULL ? pw_linkserver_wires(program->links) : NULL,
        .link_port = program->links != NULL ? pw_linkserver_port(program->links) : 0,
        .link_pin = pw_str_of(program->links != NULL ? pw_linkserver_pin(program->links) : ""),
        .crypto = program->derive != NULL ? pw_derive_crypto(program->derive)
                                          : &pw_central_crypto_openssl,
        .ca = program->ca != NULL ? pw_central_ca_port(program->ca) : NULL,
        .depot = program->depot != NULL ? pw_folder_depot_port(program->depot) : NULL,
        .release_root = program->options.release_root != NULL ? &program->root : NULL,
        .release_crypto = &program->crypto,
        .public_url = pw_str_of(program->url),
        .public_url_tls = pw_str_of(program->url_tls),
        .log = &program->logger.log,
        .asset = pw_web_assets,
        .asset_count = pw_web_assets_count,
        .openapi = {.at = (const char *)openapi_yaml, .len = openapi_yaml_len},
        .version = PW_STR(PW_VERSION),
        .host = pw_str_of(program->options.own_host),
        .accept_unknown_stations = program->options.accept_unknown,
        .heartbeat_s = (uint32_t)program->options.heartbeat_s,
    };
    if (pw_central_new(&program->central, &config, program_now(program), &why) != PW_OK) {
        (void)program_fail("cannot use the database in", program->options.data, why);
        return false;
    }
    return true;
}

// What was asked for, with database and vault open.
static int carry_out(struct program *program)
{
    const struct options *options = &program->options;
    const struct pw_secret *secret = pw_vault_port(program->vault);
    switch (options->task) {
    case TASK_SERVE: return serve(program);
    case TASK_LINK_PIN: return links_show_pin(options, secret);
    case TASK_KEY_ROTATE: return secrets_rotate(program->vault, options);
    case TASK_CA_INIT:
    case TASK_CA_SHOW:
    case TASK_CA_SERVER: return authority_task(options, secret, pw_clock_wall(&program->clock));
    case TASK_STATION_ADD:
    case TASK_STATION_LIST:
    case TASK_STATION_REMOVE:
    case TASK_USER_ADD:
    case TASK_USER_LIST:
    case TASK_USER_ROLE:
    case TASK_USER_REMOVE:
    case TASK_USER_PASSWORD:
    case TASK_CARD_ADD: return tasks_run(program);
    case TASK_HELP:
    case TASK_VERSION: break;
    }
    PW_UNREACHABLE();
}

int main(int argc, char **argv)
{
    static struct program program;
    char why[256];
    if (!pw_vault_private_process()) {
        (void)fprintf(stderr, "pilotwire-central: core dumps cannot be switched off\n");
    }
    if (!options_read(&program.options, argc, argv, why, sizeof(why))) {
        (void)fprintf(stderr, "pilotwire-central: %s\n", why);
        return EXIT_USAGE;
    }
    if (program.options.task == TASK_HELP) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (program.options.task == TASK_VERSION) {
        (void)puts("pilotwire-central " PW_VERSION);
        return EXIT_SUCCESS;
    }
    if (pw_clock_init(&program.clock, getenv("PILOTWIRE_CLOCK")) != PW_OK) {
        (void)fprintf(stderr, "pilotwire-central: PILOTWIRE_CLOCK is not REAL_MS:VIRTUAL_MS:SPEED "
                              "with a speed from 0.1 to 1000\n");
        return EXIT_USAGE;
    }
    pw_logger_init(&program.logger, &program.clock, STDERR_FILENO, program.options.level);
    int result = EXIT_FAILURE;
    bool opened = open_store(&program);
    if (opened && program.options.task == TASK_SERVE) {
        secrets_hold(&program.options);
    }
    if (opened && (program.vault = secrets_open(&program.options)) != NULL) {
        result = carry_out(&program);
        pw_central_free(program.central);
    }
    pw_vault_close(program.vault);
    pw_central_store_close(&program.store);
    return result;
}

// Serving: everything opened, the turn, everything closed.
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pw_ms turn(void *context, pw_ms now)
{
    struct program *program = context;
    struct pw_instant at = {.now = now, .wall = pw_clock_wall(&program->clock)};
    pw_derive_turn(program->derive, program->central, at);
    pw_service_alive(&program->service);
    pw_ms look_at = reload_step(&program->reload, now);
    return pw_earlier(pw_central_step(program->central, at), look_at);
}

// "127.0.0.1:8180" for an address people can open: one of ours when we listen on all.
static const char *place_of(const char *host, unsigned port, char *to, size_t cap)
{
    bool any = host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool six = strchr(host, ':') != NULL && !any;
    struct pw_out out = {.cap = cap};
    out.at = to;
    pw_put_s(&out, six ? "[" : "");
    pw_put_s(&out, any ? "127.0.0.1" : host);
    pw_put_s(&out, six ? "]:" : ":");
    pw_put_uint(&out, port);
    return to;
}

// Under which address stations find what this server has for them.
static void name_urls(struct program *program)
{
    const struct options *options = &program->options;
    struct pw_out url = PW_OUT(program->url);
    struct pw_out tls = PW_OUT(program->url_tls);
    char place[96];
    if (options->public_url != NULL) {
        pw_put_s(&url, options->public_url);
        return;
    }
    pw_put_s(&url, "http://");
    pw_put_s(&url, place_of(options->host, pw_web_port(program->web), place, sizeof(place)));
    if (pw_web_tls_port(program->web) != 0) {
        pw_put_s(&tls, "https://");
        pw_put_s(&tls,
                 place_of(options->tls_host, pw_web_tls_port(program->web), place, sizeof(place)));
    }
}

static void announce(const struct program *program)
{
    const struct options *options = &program->options;
    char place[96];
    if (program->links != NULL) {
        (void)printf(
            "Station links: tls://%s with pin %s\n",
            place_of(options->link_host, pw_linkserver_port(program->links), place, sizeof(place)),
            pw_linkserver_pin(program->links));
    }
    (void)place_of(options->host, pw_web_port(program->web), place, sizeof(place));
    (void)printf("Dashboard: http://%s/\nStations:  ws://%s/ocpp/{station id}\n", place, place);
    if (pw_web_tls_port(program->web) != 0) {
        (void)place_of(options->tls_host, pw_web_tls_port(program->web), place, sizeof(place));
        (void)printf("With TLS:  wss://%s/ocpp/{station id}\n", place);
    }
    (void)fflush(stdout);
    pw_service_ready();
}

static void on_hangup(void *context)
{
    struct program *program = context;
    reload_now(&program->reload);
}

static void start_reload(struct program *program)
{
    program->reload =
        (struct reload){.web = program->web, .links = program->links, .log = &program->logger.log};
    if (program->options.tls) {
        reload_watch(&program->reload, program->tls.certificate, false);
        reload_watch(&program->reload, program->tls.key, false);
        reload_watch(&program->reload, program->tls.tls.client_ca, true);
    }
    if (program->links != NULL) {
        reload_watch(&program->reload, program->identity.certificate, false);
        reload_watch(&program->reload, program->identity.key, false);
        reload_watch(&program->reload, program->identity.client_ca, true);
    }
    reload_lists(&program->reload);
    pw_loop_on_hangup(&program->loop, on_hangup, program);
}

// Whoever serves people beyond this machine in the clear shall have heard what that means.
static void warn_plain(const struct options *options)
{
    const char *host = options->host;
    bool here =
        strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
    if (!here && options->trusted_proxy[0] == '\0') {
        (void)fprintf(
            stderr,
            "pilotwire-central: warning: --listen %s: other machines reach it without TLS:"
            " passwords of people and keys of stations can be read on the way. Use"
            " --tls-listen, or a TLS proxy and --trusted-proxy.\n",
            host[0] != '\0' ? host : "(all addresses)");
    }
}

static bool open_web(struct program *program)
{
    const struct options *options = &program->options;
    const struct pw_httpd_tls *tls =
        authority_tls(&program->tls, options, pw_vault_port(program->vault));
    char where[96] = "";
    struct pw_out out = PW_OUT(where);
    if (tls != NULL && !authority_check(tls)) {
        return false;
    }
    int err = pw_web_open(&program->web, &program->loop, options->host, options->port, tls,
                          options->trusted_proxy);
    if (err != PW_OK) {
        bool of_tls = err == PW_ERR_STORE;
        pw_put_s(&out, of_tls ? options->tls_host : options->host);
        pw_put_c(&out, ':');
        pw_put_uint(&out, of_tls ? options->tls_port : options->port);
        (void)program_fail("cannot listen on", where,
                           "the port is in use, or the address is not this machine's");
    }
    return err == PW_OK;
}

static bool open_derive(struct program *program)
{
    if (pw_derive_open(&program->derive, &program->loop) == PW_OK) {
        return true;
    }
    (void)program_fail("cannot start", "the thread that checks passwords", strerror(errno));
    return false;
}

// False with a message printed; close_all in either case.
static bool open_all(struct program *program)
{
    if (!open_web(program)) {
        return false;
    }
    name_urls(program);
    return open_derive(program) && releases_open(program) && releases_read_root(program) &&
           links_open(program) &&
           authority_open(&program->ca, &program->options, pw_vault_port(program->vault)) &&
           program_central(program, pw_web_net(program->web)) && first_user(program);
}

static void run(struct program *program)
{
    pw_web_serve(program->web, program->central);
    if (program->links != NULL) {
        pw_linkserver_serve(program->links, program->central);
    }
    start_reload(program);
    warn_plain(&program->options);
    pw_loop_on_turn(&program->loop, turn, program);
    announce(program);
    pw_loop_run(&program->loop);
    pw_service_stopping();
}

static void close_all(struct program *program)
{
    pw_linkserver_close(program->links);
    pw_web_close(program->web);
    pw_central_free(program->central);
    program->central = NULL;
    pw_folder_depot_close(program->depot);
    pw_derive_close(program->derive);
    pw_central_ca_close(program->ca);
    pw_service_close(&program->service);
    pw_loop_close(&program->loop);
}

int serve(struct program *program)
{
    if (pw_clock_init(&program->pace, NULL) != PW_OK ||
        pw_loop_init(&program->loop, &program->clock) != PW_OK) {
        return program_fail("cannot start", "the event loop", strerror(errno));
    }
    pw_service_init(&program->service, &program->loop, &program->pace);
    bool opened = open_all(program);
    if (opened) {
        run(program);
    }
    close_all(program);
    return opened ? EXIT_SUCCESS : EXIT_FAILURE;
}

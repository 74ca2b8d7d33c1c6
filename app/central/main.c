// pilotwire-central: reads its command line, joins the central's logic with the Linux port, serves.
#include "authority.h"
#include "central.h"
#include "central_crypto.h"
#include "central_depot.h"
#include "central_store.h"
#include "clock.h"
#include "derive.h"
#include "ed25519/ed25519.h"
#include "embedded.h"
#include "linkserver.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "reload.h"
#include "secrets.h"
#include "service.h"
#include "web.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2

#define FILE_MAX 512

struct identity {
    char certificate[FILE_MAX];
    char key[FILE_MAX];
    bool make;
};

struct program {
    struct options options;
    struct pw_clock clock;
    struct pw_logger logger;
    struct pw_loop loop;
    struct pw_central_store store;
    struct pw_vault *vault;
    struct pw_web *web;
    struct pw_linkserver *links;      // NULL: no station links
    struct pw_derive *derive;         // NULL: nothing is served
    struct pw_central_ca_openssl *ca; // NULL: certificates are not signed here
    struct tls_files tls;
    struct reload reload;
    struct identity identity;      // its files
    struct pw_folder_depot *depot; // releases and logs
    struct pw_release_crypto crypto;
    struct pw_release_root root; // with options.release_root
    char url[256];               // under which stations reach us …
    char url_tls[256];           // … and with TLS; empty: not
    struct pw_service service;
    struct pw_clock pace; // real time, for the service manager
    struct pw_central *central;
};

static struct pw_instant instant(const struct program *program)
{
    return (struct pw_instant){.now = pw_clock_now(&program->clock),
                               .wall = pw_clock_wall(&program->clock)};
}

static int fail(const char *what, const char *name, const char *why)
{
    (void)fprintf(stderr, "pilotwire-central: %s %s: %s\n", what, name, why);
    return EXIT_FAILURE;
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
        (void)fail("cannot make the folder", program->options.data, strerror(errno));
        return false;
    }
    if (out.full) {
        (void)fail("--data", program->options.data, "the path is longer than 500 bytes");
        return false;
    }
    if (pw_central_store_open(&program->store, path, &program->logger.log, &why) != PW_OK) {
        (void)fail("cannot open", path, why);
        return false;
    }
    return true;
}

static bool make_central(struct program *program, const struct pw_central_net *net)
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
    if (pw_central_new(&program->central, &config, instant(program), &why) != PW_OK) {
        (void)fail("cannot use the database in", program->options.data, why);
        return false;
    }
    return true;
}

// --- Tasks of the command line.

static struct pw_str read_secret(const struct program *program, char *to, size_t cap)
{
    if (!program->options.from_stdin || fgets(to, (int)cap, stdin) == NULL) {
        return (struct pw_str){.at = "", .len = 0};
    }
    return pw_str_trim(pw_str_of(to));
}

static int station_add(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_KEY_MAX];
    const char *id = program->options.name;
    struct pw_str key = read_secret(program, given, sizeof(given));
    int result = pw_central_station_add(program->central, pw_str_of(id), key,
                                        program->options.replace, made, instant(program));
    if (result == PW_ERR_RANGE) {
        return fail("station add", id,
                    "an id has 1 to 48 letters, digits or _.:@=*+-, a key 16 to 40 printable "
                    "characters");
    }
    if (result == PW_ERR_BUSY) {
        return fail("station add", id, "it exists; --replace gives it a new key");
    }
    if (result != PW_OK) {
        return fail("station add", id, pw_err_name(result));
    }
    if (made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return EXIT_SUCCESS;
}

static void print_station(void *context, const char *id, bool has_key, pw_unix_ms last_seen)
{
    (void)context;
    char seen[PW_TIME_TEXT_MAX] = "never";
    if (last_seen != 0) {
        struct pw_out out = PW_OUT(seen);
        pw_put_time(&out, last_seen);
    }
    (void)printf("%-48s  %-6s  last seen %s\n", id, has_key ? "key" : "no key", seen);
}

static int station_remove(struct program *program)
{
    const char *id = program->options.name;
    int result = pw_central_station_remove(program->central, pw_str_of(id), instant(program));
    if (result != PW_OK) {
        return fail("station remove", id,
                    result == PW_ERR_UNKNOWN ? "there is no station with a key of this id"
                                             : pw_err_name(result));
    }
    return EXIT_SUCCESS;
}

// What became of a change to a user, in words.
static int user_changed(const char *task, const char *name, int result)
{
    static const struct {
        int result;
        const char *why;
    } words[] = {
        {PW_ERR_RANGE, "a name has 1 to 64 letters, digits or _.@+-, a password 10 to 128 bytes; a "
                       "role is viewer, operator or admin"},
        {PW_ERR_UNKNOWN, "there is no such user; user add makes one"},
    };
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        if (result == words[i].result) {
            return fail(task, name, words[i].why);
        }
    }
    return result == PW_OK ? EXIT_SUCCESS : fail(task, name, pw_err_name(result));
}

static int user_add(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_PASSWORD_MAX];
    const char *name = program->options.name;
    if (program->options.role == NULL) {
        return fail("user add", name, "--role is missing: viewer, operator or admin");
    }
    int result =
        pw_central_user_add(program->central, pw_str_of(name), pw_str_of(program->options.role),
                            read_secret(program, given, sizeof(given)), made);
    if (result == PW_ERR_BUSY) {
        return fail("user add", name, "the user exists; user password gives a new password");
    }
    if (result == PW_OK && made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return user_changed("user add", name, result);
}

static void print_user(void *context, struct pw_str name, struct pw_str role)
{
    (void)context;
    (void)printf("%-64.*s  %.*s\n", (int)name.len, name.at, (int)role.len, role.at);
}

static int user_role(struct program *program)
{
    const char *name = program->options.name;
    int result =
        pw_central_user_role(program->central, pw_str_of(name), pw_str_of(program->options.label));
    return result == PW_ERR_BUSY ? fail("user role", name, "this is the last admin")
                                 : user_changed("user role", name, result);
}

static int user_remove(struct program *program)
{
    const char *name = program->options.name;
    int result = pw_central_user_remove(program->central, pw_str_of(name));
    return result == PW_ERR_BUSY ? fail("user remove", name, "this is the last admin")
                                 : user_changed("user remove", name, result);
}

static int user_password(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_PASSWORD_MAX];
    const char *name = program->options.name;
    int result = pw_central_user_password(program->central, pw_str_of(name),
                                          read_secret(program, given, sizeof(given)), made);
    if (result == PW_OK && made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return user_changed("user password", name, result);
}

static int card_add(struct program *program)
{
    int result = pw_central_card_add(program->central, pw_str_of(program->options.name),
                                     pw_str_of(program->options.label));
    if (result != PW_OK) {
        return fail("card add", program->options.name,
                    result == PW_ERR_RANGE ? "a tag has 1 to 20 characters, a name at most 64"
                                           : pw_err_name(result));
    }
    return EXIT_SUCCESS;
}

static int run_task(struct program *program)
{
    if (!make_central(program, NULL)) {
        return EXIT_FAILURE;
    }
    switch (program->options.task) {
    case TASK_STATION_ADD: return station_add(program);
    case TASK_STATION_LIST:
        pw_central_station_list(program->central, print_station, NULL);
        return EXIT_SUCCESS;
    case TASK_STATION_REMOVE: return station_remove(program);
    case TASK_USER_ADD: return user_add(program);
    case TASK_USER_LIST:
        pw_central_user_list(program->central, print_user, NULL);
        return EXIT_SUCCESS;
    case TASK_USER_ROLE: return user_role(program);
    case TASK_USER_REMOVE: return user_remove(program);
    case TASK_USER_PASSWORD: return user_password(program);
    case TASK_CARD_ADD: return card_add(program);
    case TASK_LINK_PIN:
    case TASK_CA_INIT:
    case TASK_CA_SHOW:
    case TASK_CA_SERVER:
    case TASK_KEY_ROTATE:
    case TASK_SERVE:
    case TASK_HELP:
    case TASK_VERSION: break;
    }
    PW_UNREACHABLE();
}

// --- Station links.

static void put_file(char *to, const char *folder, const char *name)
{
    struct pw_out out = {.cap = FILE_MAX};
    out.at = to;
    pw_put_s(&out, folder);
    pw_put_s(&out, name);
}

static struct identity identity_of(const struct options *options)
{
    struct identity identity = {.make = options->link_cert == NULL};
    put_file(identity.certificate, identity.make ? options->data : options->link_cert,
             identity.make ? "/link.crt" : "");
    put_file(identity.key, identity.make ? options->data : options->link_key,
             identity.make ? "/link.key" : "");
    return identity;
}

static int show_pin(const struct options *options, const struct pw_secret *secret)
{
    char pin[PW_IDENTITY_PIN_MAX];
    char text[768];
    struct pw_out why = PW_OUT(text);
    struct identity identity = identity_of(options);
    const struct pw_identity_files files = {.certificate = identity.certificate,
                                            .key = identity.key,
                                            .make = identity.make,
                                            .secret = identity.make ? secret : NULL};
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int result = context == NULL ? PW_ERR_BUG : pw_identity_load(context, &files, pin, &why);
    SSL_CTX_free(context);
    if (result != PW_OK) {
        return fail("link", "pin", text);
    }
    (void)printf("%s\n", pin);
    return EXIT_SUCCESS;
}

static bool open_links(struct program *program)
{
    const struct options *options = &program->options;
    char text[768];
    struct pw_out why = PW_OUT(text);
    struct identity identity = identity_of(options);
    const struct pw_linkserver_options wanted = {
        .host = options->link_host,
        .port = options->link_port,
        .certificate = identity.certificate,
        .key = identity.key,
        .make = identity.make,
        .secret = identity.make ? pw_vault_port(program->vault) : NULL};
    if (options->links && pw_linkserver_open(&program->links, &program->loop, &wanted,
                                             &program->logger.log, &why) != PW_OK) {
        (void)fail("cannot take", "station links", text);
        return false;
    }
    return true;
}

// --- Serving.

static pw_ms turn(void *context, pw_ms now)
{
    struct program *program = context;
    struct pw_instant at = {.now = now, .wall = pw_clock_wall(&program->clock)};
    pw_derive_turn(program->derive, program->central, at);
    pw_service_alive(&program->service);
    pw_ms look_at = reload_step(&program->reload, now);
    return pw_earlier(pw_central_step(program->central, at), look_at);
}

// A service manager keeps what is printed. There the password goes to a file of its owner's, to be
// read once and removed.
static bool leave_password(const struct options *options, const char *made)
{
    char path[512];
    struct pw_out out = PW_OUT(path);
    pw_put_s(&out, options->data);
    pw_put_s(&out, "/first-password");
    int fd =
        out.full ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && dprintf(fd, "%s\n", made) > 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!good) {
        (void)fail("cannot leave the first password in", path, strerror(errno));
        return false;
    }
    (void)printf(
        "First start: log in as admin; the password is in %s: read it, then remove that file.\n",
        path);
    return true;
}

// Printed once, to the person who started the program; never logged, never stored in clear.
static bool first_user(struct program *program)
{
    char made[PW_CENTRAL_PASSWORD_MAX];
    if (pw_central_has_admin(program->central)) {
        return true;
    }
    int result =
        pw_central_user_add(program->central, PW_STR("admin"), PW_STR("admin"), PW_STR(""), made);
    if (result != PW_OK) {
        (void)fail("cannot make the user", "admin", pw_err_name(result));
        return false;
    }
    if (getenv("JOURNAL_STREAM") != NULL) {
        return leave_password(&program->options, made);
    }
    (void)printf("First start: log in as admin with the password %s (shown only now).\n", made);
    return true;
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

// --- Releases.

static bool open_depot(struct program *program)
{
    char path[FILE_MAX];
    char text[256];
    struct pw_out why = PW_OUT(text);
    put_file(path, program->options.data, "/files");
    if (pw_folder_depot_open(&program->depot, path, &why) != PW_OK) {
        (void)fail("cannot use the folder", path, text);
        return false;
    }
    return true;
}

static bool read_root(struct program *program)
{
    static char bytes[PW_RELEASE_ROOT_MAX + 1];
    const char *name = program->options.release_root;
    char text[256];
    struct pw_out why = PW_OUT(text);
    program->crypto = pw_ed25519_crypto();
    FILE *file = name != NULL ? fopen(name, "rb") : NULL;
    if (name == NULL) {
        return true;
    }
    if (file == NULL) {
        (void)fail("cannot read", name, strerror(errno));
        return false;
    }
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    if (pw_release_root_read((struct pw_str){.at = bytes, .len = len}, &program->crypto,
                             &program->root, &why) != PW_OK) {
        (void)fail("this is no root of releases:", name, text);
        return false;
    }
    return true;
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
    program->identity = identity_of(&program->options);
    program->reload =
        (struct reload){.web = program->web, .links = program->links, .log = &program->logger.log};
    reload_watch(&program->reload, program->options.tls ? program->tls.certificate : "",
                 program->options.tls ? program->tls.key : "");
    if (program->links != NULL) {
        reload_watch(&program->reload, program->identity.certificate, program->identity.key);
    }
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

static int serve(struct program *program)
{
    const struct options *options = &program->options;
    if (pw_clock_init(&program->pace, NULL) != PW_OK ||
        pw_loop_init(&program->loop, &program->clock) != PW_OK) {
        return fail("cannot start", "the event loop", strerror(errno));
    }
    pw_service_init(&program->service, &program->loop, &program->pace);
    int result = EXIT_FAILURE;
    int opened = pw_web_open(&program->web, &program->loop, options->host, options->port,
                             authority_tls(&program->tls, options, pw_vault_port(program->vault)),
                             options->trusted_proxy);
    if (opened == PW_ERR_STORE) {
        (void)fail("cannot serve TLS with", program->tls.certificate,
                   access(program->tls.certificate, R_OK) != 0
                       ? "it cannot be read; ca init and ca server make one"
                       : "its key does not fit or cannot be read, or the address of "
                         "--tls-listen is taken");
    } else if (opened != PW_OK) {
        char where[96] = "";
        struct pw_out out = PW_OUT(where);
        pw_put_s(&out, options->host);
        pw_put_c(&out, ':');
        pw_put_uint(&out, options->port);
        (void)fail("cannot listen on", where,
                   "the port is in use, or the address is not this machine's");
    } else {
        name_urls(program);
        if (pw_derive_open(&program->derive, &program->loop) != PW_OK) {
            (void)fail("cannot start", "the thread that checks passwords", strerror(errno));
        } else if (open_depot(program) && read_root(program) && open_links(program) &&
                   authority_open(&program->ca, options, pw_vault_port(program->vault)) &&
                   make_central(program, pw_web_net(program->web)) && first_user(program)) {
            pw_web_serve(program->web, program->central);
            if (program->links != NULL) {
                pw_linkserver_serve(program->links, program->central);
            }
            start_reload(program);
            warn_plain(options);
            pw_loop_on_turn(&program->loop, turn, program);
            announce(program);
            pw_loop_run(&program->loop);
            pw_service_stopping();
            result = EXIT_SUCCESS;
        }
        pw_linkserver_close(program->links);
        pw_web_close(program->web);
    }
    pw_central_free(program->central);
    program->central = NULL;
    pw_derive_close(program->derive);
    pw_central_ca_close(program->ca);
    pw_service_close(&program->service);
    pw_loop_close(&program->loop);
    return result;
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
        (void)fputs(options_help, stdout);
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
    if (open_store(&program) && (program.vault = secrets_open(&program.options)) != NULL) {
        bool authority = program.options.task == TASK_CA_INIT ||
                         program.options.task == TASK_CA_SHOW ||
                         program.options.task == TASK_CA_SERVER;
        result = program.options.task == TASK_SERVE ? serve(&program)
                 : program.options.task == TASK_LINK_PIN
                     ? show_pin(&program.options, pw_vault_port(program.vault))
                 : program.options.task == TASK_KEY_ROTATE
                     ? secrets_rotate(program.vault, &program.options)
                 : authority ? authority_task(&program.options, pw_vault_port(program.vault),
                                              pw_clock_wall(&program.clock))
                             : run_task(&program);
        pw_central_free(program.central);
    }
    pw_vault_close(program.vault);
    pw_central_store_close(&program.store);
    return result;
}

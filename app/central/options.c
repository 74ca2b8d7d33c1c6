#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <string.h>

#define LINK_PORT_OFFSET 10 // 8180 for OCPP and people, 8190 for station links

const char options_help[] =
    "pilotwire-central: OCPP 1.6J central system with REST interface and dashboard\n"
    "\n"
    "  pilotwire-central [OPTIONS]                    serve\n"
    "  pilotwire-central [OPTIONS] station add ID     add a station, print its new key\n"
    "  pilotwire-central [OPTIONS] station list       list stations\n"
    "  pilotwire-central [OPTIONS] station remove ID  take a station's key away\n"
    "  pilotwire-central [OPTIONS] user add NAME --role ROLE  add a user (viewer, operator, "
    "admin)\n"
    "  pilotwire-central [OPTIONS] user list          list users and their roles\n"
    "  pilotwire-central [OPTIONS] user role NAME ROLE  change a user's role\n"
    "  pilotwire-central [OPTIONS] user remove NAME   remove a user (the last admin stays)\n"
    "  pilotwire-central [OPTIONS] user password NAME reset a user's password, print it\n"
    "  pilotwire-central [OPTIONS] card add TAG [NAME] accept a card\n"
    "  pilotwire-central [OPTIONS] link pin           print by which stations know this server\n"
    "  pilotwire-central [OPTIONS] ca init OPERATOR   make an authority for stations' "
    "certificates\n"
    "  pilotwire-central [OPTIONS] ca show            print its certificate, the stations' root\n"
    "  pilotwire-central [OPTIONS] ca server NAME [NAME]  issue this server's TLS certificate\n"
    "  pilotwire-central [OPTIONS] key rotate         make a new key of this machine, and seal\n"
    "                                                 everything with it\n"
    "\n"
    "  -l, --listen ADDRESS:PORT    where to serve (127.0.0.1:8180; port 0: a free one)\n"
    "  -d, --data DIR               where the database is kept (pilotwire-central-data)\n"
    "      --tpm WHERE              where private keys are sealed: auto (in the machine's TPM 2.0\n"
    "                               when it has one, else DIR/device.key), off, or a TCTI\n"
    "      --link-listen ADDRESS:PORT  where to take station links, or: off (address of --listen\n"
    "                               and its port plus 10: 127.0.0.1:8190; of port 0: a free one)\n"
    "      --link-cert FILE         certificate chain and private key (PEM) for station links;\n"
    "      --link-key FILE          without them both are made in the data folder\n"
    "      --link-client-ca FILE    as --tls-client-ca, for station links (the same file)\n"
    "      --tls-listen ADDRESS:PORT  also serve https and, for security profiles 2 and 3, wss "
    "there\n"
    "      --tls-cert FILE          certificate chain and private key (PEM) for it; without them\n"
    "      --tls-key FILE           those that ca server has made in the data folder\n"
    "      --tls-client-ca FILE     who vouches for stations' certificates, and lists of revoked "
    "ones\n"
    "                               (PEM); without it our own authority, if there is one\n"
    "      --trusted-proxy ADDRESS  a reverse proxy whose Forwarded, X-Forwarded-For and -Proto "
    "count\n"
    "      --host NAME              name under which browsers reach this server, if it has one\n"
    "      --public-url URL         under which stations reach this server, for releases and logs\n"
    "                               (the address of --listen, and of --tls-listen)\n"
    "      --release-root FILE      signed root document of a maker: releases are judged by it\n"
    "      --heartbeat SECONDS      heartbeat interval told to stations, 10 to 86400 (300)\n"
    "      --accept-unknown-stations  let stations without a key connect (only on a trusted net)\n"
    "      --replace                station add: give a known station a new key\n"
    "      --role ROLE              user add: viewer (sees), operator (also runs charging) or "
    "admin\n"
    "      --stdin                  station add, user add, user password: read the secret from\n"
    "                               standard input instead of making one\n"
    "      --log-level LEVEL        error, warn, info or debug (info)\n"
    "  -V, --version\n"
    "  -h, --help\n"
    "\n"
    "Stations connect to ws://ADDRESS:PORT/ocpp/ID with subprotocol ocpp1.6 and HTTP Basic\n"
    "authentication (user: the station's id, password: its key); over wss also with a client\n"
    "certificate whose commonName is the station's id.\n"
    "SIGHUP, or new files: certificates are read again, connections stay.\n"
    "Exit status: 0 done, 1 failed, 2 bad command line.\n";

enum {
    OPT_HOST = 256,
    OPT_PROXY,
    OPT_HEARTBEAT,
    OPT_ACCEPT,
    OPT_REPLACE,
    OPT_STDIN,
    OPT_ROLE,
    OPT_LEVEL,
    OPT_LINK_LISTEN,
    OPT_LINK_CERT,
    OPT_LINK_KEY,
    OPT_LINK_CLIENT_CA,
    OPT_TLS_LISTEN,
    OPT_TLS_CERT,
    OPT_TLS_KEY,
    OPT_TLS_CLIENT_CA,
    OPT_PUBLIC_URL,
    OPT_RELEASE_ROOT,
    OPT_TPM
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, 'l'},
    {"data", required_argument, NULL, 'd'},
    {"link-listen", required_argument, NULL, OPT_LINK_LISTEN},
    {"link-cert", required_argument, NULL, OPT_LINK_CERT},
    {"link-key", required_argument, NULL, OPT_LINK_KEY},
    {"link-client-ca", required_argument, NULL, OPT_LINK_CLIENT_CA},
    {"tls-listen", required_argument, NULL, OPT_TLS_LISTEN},
    {"tls-cert", required_argument, NULL, OPT_TLS_CERT},
    {"tls-key", required_argument, NULL, OPT_TLS_KEY},
    {"tls-client-ca", required_argument, NULL, OPT_TLS_CLIENT_CA},
    {"tpm", required_argument, NULL, OPT_TPM},
    {"host", required_argument, NULL, OPT_HOST},
    {"trusted-proxy", required_argument, NULL, OPT_PROXY},
    {"public-url", required_argument, NULL, OPT_PUBLIC_URL},
    {"release-root", required_argument, NULL, OPT_RELEASE_ROOT},
    {"heartbeat", required_argument, NULL, OPT_HEARTBEAT},
    {"accept-unknown-stations", no_argument, NULL, OPT_ACCEPT},
    {"replace", no_argument, NULL, OPT_REPLACE},
    {"stdin", no_argument, NULL, OPT_STDIN},
    {"role", required_argument, NULL, OPT_ROLE},
    {"log-level", required_argument, NULL, OPT_LEVEL},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void say(struct pw_out *why, const char *a, const char *b, const char *c)
{
    pw_put_s(why, a);
    pw_put_s(why, b);
    pw_put_s(why, c);
}

static bool read_listen(const char *name, const char *text, char *host, size_t cap, uint16_t *port,
                        struct pw_out *why)
{
    const char *colon = strrchr(text, ':');
    int64_t number = 0;
    if (colon != NULL && pw_parse_int(pw_str_of(colon + 1), 0, 65535, &number) == PW_OK) {
        struct pw_str given = {.at = text, .len = (size_t)(colon - text)};
        if (given.len > 2 && given.at[0] == '[' && given.at[given.len - 1] == ']') {
            given = (struct pw_str){.at = given.at + 1, .len = given.len - 2};
        }
        if (pw_str_copy(host, cap, given) == PW_OK) {
            *port = (uint16_t)number;
            return true;
        }
    }
    say(why, name, ": \"", text);
    pw_put_s(why, "\" is not ADDRESS:PORT with a port from 0 to 65535");
    return false;
}

static bool read_url(struct options *options, const char *text, struct pw_out *why)
{
    bool web = strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
    size_t len = strlen(text);
    options->public_url = text;
    if (web && len <= 200 && text[len - 1] != '/' && strchr(text, ' ') == NULL) {
        return true;
    }
    say(why, "--public-url: \"", text,
        "\" is not http:// or https:// with a host, at most 200 characters, without a slash at its "
        "end");
    return false;
}

static bool is_address(const char *text)
{
    unsigned char bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool read_level(struct options *options, const char *text, struct pw_out *why)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < PW_COUNT(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            options->level = (enum pw_level)i;
            return true;
        }
    }
    say(why, "--log-level: \"", text, "\" is none of error, warn, info, debug");
    return false;
}

static bool read_link_listen(struct options *options, const char *text, struct pw_out *why)
{
    options->links = strcmp(text, "off") != 0;
    options->link_given = true;
    return !options->links || read_listen("--link-listen", text, options->link_host,
                                          sizeof(options->link_host), &options->link_port, why);
}

// Two centrals on one machine then have two ports for links as well.
static void default_link(struct options *options)
{
    if (options->link_given) {
        return;
    }
    options->links = true;
    memcpy(options->link_host, options->host, sizeof(options->link_host));
    bool fits = options->port != 0 && options->port <= UINT16_MAX - LINK_PORT_OFFSET;
    options->link_port = fits ? (uint16_t)(options->port + LINK_PORT_OFFSET) : 0;
}

static bool read_option(struct options *options, int option, struct pw_out *why)
{
    switch (option) {
    case 'l':
        return read_listen("--listen", optarg, options->host, sizeof(options->host), &options->port,
                           why);
    case OPT_LINK_LISTEN: return read_link_listen(options, optarg, why);
    case OPT_LINK_CERT: options->link_cert = optarg; return true;
    case OPT_LINK_KEY: options->link_key = optarg; return true;
    case OPT_LINK_CLIENT_CA: options->link_client_ca = optarg; return true;
    case OPT_TLS_LISTEN:
        options->tls = true;
        return read_listen("--tls-listen", optarg, options->tls_host, sizeof(options->tls_host),
                           &options->tls_port, why);
    case OPT_TLS_CERT: options->tls_cert = optarg; return true;
    case OPT_TLS_KEY: options->tls_key = optarg; return true;
    case OPT_TLS_CLIENT_CA: options->tls_client_ca = optarg; return true;
    case OPT_TPM: options->tpm = optarg; return true;
    case 'd': options->data = optarg; return true;
    case OPT_PROXY:
        options->trusted_proxy = optarg;
        if (!is_address(optarg)) {
            say(why, "--trusted-proxy: \"", optarg, "\" is no IP address");
            return false;
        }
        return true;
    case OPT_HOST: options->own_host = optarg; return true;
    case OPT_PUBLIC_URL: return read_url(options, optarg, why);
    case OPT_RELEASE_ROOT: options->release_root = optarg; return true;
    case OPT_HEARTBEAT:
        if (pw_parse_int(pw_str_of(optarg), 10, 86400, &options->heartbeat_s) != PW_OK) {
            say(why, "--heartbeat: \"", optarg, "\" is not a whole number from 10 to 86400");
            return false;
        }
        return true;
    case OPT_ACCEPT: options->accept_unknown = true; return true;
    case OPT_REPLACE: options->replace = true; return true;
    case OPT_STDIN: options->from_stdin = true; return true;
    case OPT_ROLE: options->role = optarg; return true;
    case OPT_LEVEL: return read_level(options, optarg, why);
    case 'V': options->task = TASK_VERSION; return true;
    case 'h': options->task = TASK_HELP; return true;
    default: say(why, "unknown or incomplete option; see --help", "", ""); return false;
    }
}

static const struct {
    const char *noun;
    const char *verb;
    enum task task;
    int least; // words behind the verb
    int most;
} tasks[] = {
    {"station", "add", TASK_STATION_ADD, 1, 1},
    {"station", "list", TASK_STATION_LIST, 0, 0},
    {"station", "remove", TASK_STATION_REMOVE, 1, 1},
    {"user", "add", TASK_USER_ADD, 1, 1},
    {"user", "list", TASK_USER_LIST, 0, 0},
    {"user", "role", TASK_USER_ROLE, 2, 2},
    {"user", "remove", TASK_USER_REMOVE, 1, 1},
    {"user", "password", TASK_USER_PASSWORD, 1, 1},
    {"card", "add", TASK_CARD_ADD, 1, 2},
    {"link", "pin", TASK_LINK_PIN, 0, 0},
    {"ca", "init", TASK_CA_INIT, 1, 1},
    {"ca", "show", TASK_CA_SHOW, 0, 0},
    {"ca", "server", TASK_CA_SERVER, 1, 2},
    {"key", "rotate", TASK_KEY_ROTATE, 0, 0},
};

static bool read_task(struct options *options, int count, char **words, struct pw_out *why)
{
    if (count == 0) {
        return true;
    }
    for (size_t i = 0; count >= 2 && i < PW_COUNT(tasks); i++) {
        if (strcmp(words[0], tasks[i].noun) != 0 || strcmp(words[1], tasks[i].verb) != 0) {
            continue;
        }
        if (count - 2 < tasks[i].least || count - 2 > tasks[i].most) {
            say(why, words[0], " ", words[1]);
            say(why, ": wrong number of words; see --help", "", "");
            return false;
        }
        options->task = tasks[i].task;
        options->name = count > 2 ? words[2] : "";
        options->label = count > 3 ? words[3] : "";
        return true;
    }
    say(why, "\"", words[0], count > 1 ? " " : "");
    say(why, count > 1 ? words[1] : "", "\" is none of station add, station list, station remove, ",
        "user add, user list, user role, user remove, user password, card add, link pin, ca init, "
        "ca show, ca server, key rotate; see --help");
    return false;
}

bool options_read(struct options *options, int argc, char **argv, char *why, size_t cap)
{
    struct pw_out out = {.cap = cap};
    out.at = why;
    *options = (struct options){.task = TASK_SERVE,
                                .host = "127.0.0.1",
                                .port = 8180,
                                .data = "pilotwire-central-data",
                                .tpm = "auto",
                                .level = PW_LOG_INFO,
                                .own_host = "",
                                .trusted_proxy = "",
                                .heartbeat_s = 300};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "l:d:Vh", long_options, NULL)) != -1;) {
        if (!read_option(options, option, &out)) {
            return false;
        }
    }
    default_link(options);
    if ((options->link_cert == NULL) != (options->link_key == NULL)) {
        say(&out, "--link-cert and --link-key: give both or none", "", "");
        return false;
    }
    if ((options->tls_cert == NULL) != (options->tls_key == NULL)) {
        say(&out, "--tls-cert and --tls-key: give both or none", "", "");
        return false;
    }
    return options->task != TASK_SERVE || read_task(options, argc - optind, argv + optind, &out);
}

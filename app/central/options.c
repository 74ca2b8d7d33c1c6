#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>

#define LINK_PORT_OFFSET 10 // 8180 for OCPP and people, 8190 for station links

static void say(struct pw_out *why, const char *a, const char *b, const char *c)
{
    pw_put_s(why, a);
    pw_put_s(why, b);
    pw_put_s(why, c);
}

static bool read_place(const char *name, const char *text, char *host, size_t cap, uint16_t *port,
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

static bool read_proxy(struct options *options, const char *text, struct pw_out *why)
{
    unsigned char bytes[16];
    options->trusted_proxy = text;
    if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1) {
        return true;
    }
    say(why, "--trusted-proxy: \"", text, "\" is no IP address");
    return false;
}

static bool read_heartbeat(struct options *options, const char *text, struct pw_out *why)
{
    if (pw_parse_int(pw_str_of(text), 10, 86400, &options->heartbeat_s) == PW_OK) {
        return true;
    }
    say(why, "--heartbeat: \"", text, "\" is not a whole number from 10 to 86400");
    return false;
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

static bool read_listen(struct options *options, const char *text, struct pw_out *why)
{
    return read_place("--listen", text, options->host, sizeof(options->host), &options->port, why);
}

static bool read_tls_listen(struct options *options, const char *text, struct pw_out *why)
{
    options->tls = true;
    return read_place("--tls-listen", text, options->tls_host, sizeof(options->tls_host),
                      &options->tls_port, why);
}

static bool read_link_listen(struct options *options, const char *text, struct pw_out *why)
{
    options->links = strcmp(text, "off") != 0;
    options->link_given = true;
    return !options->links || read_place("--link-listen", text, options->link_host,
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

// --- What there is, in the order of the help. A text of several lines has its ends in it.

// What an option does: `read`, or else its text goes to `*text`, or true to `*flag`.
static const struct row {
    const char *name;
    char letter;       // 0: none
    const char *value; // how it is called in the help; NULL: it has none
    enum { READ, TEXT, FLAG, ASK } kind;
    size_t at; // of TEXT and FLAG, in struct options
    bool (*read)(struct options *options, const char *text, struct pw_out *why);
    enum task task; // of ASK
    const char *about;
} rows[] = {
#define TEXT_AT(member) .kind = TEXT, .at = offsetof(struct options, member)
#define FLAG_AT(member) .kind = FLAG, .at = offsetof(struct options, member)
    {"listen", 'l', "ADDRESS:PORT", .read = read_listen,
     .about = "where to serve (127.0.0.1:8180; port 0: a free one)"},
    {"data", 'd', "DIR", TEXT_AT(data),
     .about = "where the database is kept (pilotwire-central-data)"},
    {"tpm", 0, "WHERE", TEXT_AT(tpm),
     .about = "where private keys are sealed: auto (in the machine's TPM 2.0\n"
              "when it has one, else DIR/device.key), off, or a TCTI"},
    {"link-listen", 0, "ADDRESS:PORT", .read = read_link_listen,
     .about = "where to take station links, or: off (address of --listen\n"
              "and its port plus 10: 127.0.0.1:8190; of port 0: a free one)"},
    {"link-cert", 0, "FILE", TEXT_AT(link_cert),
     .about = "certificate chain and private key (PEM) for station links;"},
    {"link-key", 0, "FILE", TEXT_AT(link_key),
     .about = "without them both are made in the data folder"},
    {"link-client-ca", 0, "FILE", TEXT_AT(link_client_ca),
     .about = "as --tls-client-ca, for station links (the same file)"},
    {"tls-listen", 0, "ADDRESS:PORT", .read = read_tls_listen,
     .about = "also serve https and, for security profiles 2 and 3, wss there"},
    {"tls-cert", 0, "FILE", TEXT_AT(tls_cert),
     .about = "certificate chain and private key (PEM) for it; without them"},
    {"tls-key", 0, "FILE", TEXT_AT(tls_key),
     .about = "those that ca server has made in the data folder"},
    {"tls-client-ca", 0, "FILE", TEXT_AT(tls_client_ca),
     .about = "who vouches for stations' certificates, and lists of revoked ones\n"
              "(PEM); without it our own authority, if there is one at the start"},
    {"trusted-proxy", 0, "ADDRESS", .read = read_proxy,
     .about = "a reverse proxy whose Forwarded, X-Forwarded-For and -Proto count"},
    {"host", 0, "NAME", TEXT_AT(own_host),
     .about = "name under which browsers reach this server, if it has one"},
    {"public-url", 0, "URL", .read = read_url,
     .about = "under which stations reach this server, for releases and logs\n"
              "(the address of --listen, and of --tls-listen)"},
    {"release-root", 0, "FILE", TEXT_AT(release_root),
     .about = "signed root document of a maker: releases are judged by it"},
    {"heartbeat", 0, "SECONDS", .read = read_heartbeat,
     .about = "heartbeat interval told to stations, 10 to 86400 (300)"},
    {"accept-unknown-stations", 0, NULL, FLAG_AT(accept_unknown),
     .about = "let stations without a key connect (only on a trusted net)"},
    {"replace", 0, NULL, FLAG_AT(replace), .about = "station add: give a known station a new key"},
    {"role", 0, "ROLE", TEXT_AT(role),
     .about = "user add: viewer (sees), operator (also runs charging) or admin"},
    {"stdin", 0, NULL, FLAG_AT(from_stdin),
     .about = "station add, user add, user password: read the secret from\n"
              "standard input instead of making one"},
    {"log-level", 0, "LEVEL", .read = read_level, .about = "error, warn, info or debug (info)"},
    {"version", 'V', NULL, .kind = ASK, .task = TASK_VERSION, .about = ""},
    {"help", 'h', NULL, .kind = ASK, .task = TASK_HELP, .about = ""},
#undef TEXT_AT
#undef FLAG_AT
};

static const struct {
    const char *noun;
    const char *verb;
    enum task task;
    int least; // words behind the verb
    int most;
    const char *words; // how they are called in the help
    const char *about;
} tasks[] = {
    {"station", "add", TASK_STATION_ADD, 1, 1, "ID", "add a station, print its new key"},
    {"station", "list", TASK_STATION_LIST, 0, 0, "", "list stations"},
    {"station", "remove", TASK_STATION_REMOVE, 1, 1, "ID", "take a station's key away"},
    {"user", "add", TASK_USER_ADD, 1, 1, "NAME --role ROLE",
     "add a user (viewer, operator, admin)"},
    {"user", "list", TASK_USER_LIST, 0, 0, "", "list users and their roles"},
    {"user", "role", TASK_USER_ROLE, 2, 2, "NAME ROLE", "change a user's role"},
    {"user", "remove", TASK_USER_REMOVE, 1, 1, "NAME", "remove a user (the last admin stays)"},
    {"user", "password", TASK_USER_PASSWORD, 1, 1, "NAME", "reset a user's password, print it"},
    {"card", "add", TASK_CARD_ADD, 1, 2, "TAG [NAME]", "accept a card"},
    {"link", "pin", TASK_LINK_PIN, 0, 0, "", "print by which stations know this server"},
    {"ca", "init", TASK_CA_INIT, 1, 1, "OPERATOR", "make an authority for stations' certificates"},
    {"ca", "show", TASK_CA_SHOW, 0, 0, "", "print its certificate, the stations' root"},
    {"ca", "server", TASK_CA_SERVER, 1, 2, "NAME [NAME]", "issue this server's TLS certificate"},
    {"key", "rotate", TASK_KEY_ROTATE, 0, 0, "",
     "make a new key of this machine, and seal\neverything with it"},
};

// --- The help.

// `left`, and the text from `column` on, or right behind a longer one.
static void put_row(FILE *to, const char *left, int column, const char *text)
{
    struct pw_str rest = pw_str_of(text);
    struct pw_str line = pw_str_cut(&rest, '\n');
    int gap = column - (int)strlen(left);
    (void)fprintf(to, "%s%*s%.*s\n", left,
                  text[0] == '\0' ? 0
                  : gap > 2       ? gap
                                  : 2,
                  "", (int)line.len, line.at);
    while (rest.len > 0) {
        line = pw_str_cut(&rest, '\n');
        (void)fprintf(to, "%*s%.*s\n", column, "", (int)line.len, line.at);
    }
}

void options_help(FILE *to)
{
    char left[96];
    (void)fputs("pilotwire-central: OCPP 1.6J central system with REST interface and dashboard\n"
                "\n"
                "  pilotwire-central [OPTIONS]                    serve\n",
                to);
    for (size_t i = 0; i < PW_COUNT(tasks); i++) {
        (void)snprintf(left, sizeof(left), "  pilotwire-central [OPTIONS] %s %s%s%s", tasks[i].noun,
                       tasks[i].verb, tasks[i].words[0] != '\0' ? " " : "", tasks[i].words);
        put_row(to, left, 49, tasks[i].about);
    }
    (void)fputs("\n", to);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char letter[5] = "    ";
        if (rows[i].letter != 0) {
            (void)snprintf(letter, sizeof(letter), "-%c, ", rows[i].letter);
        }
        (void)snprintf(left, sizeof(left), "  %s--%s%s%s", letter, rows[i].name,
                       rows[i].value != NULL ? " " : "",
                       rows[i].value != NULL ? rows[i].value : "");
        put_row(to, left, 31, rows[i].about);
    }
    (void)fputs(
        "\n"
        "Stations connect to ws://ADDRESS:PORT/ocpp/ID with subprotocol ocpp1.6 and HTTP Basic\n"
        "authentication (user: the station's id, password: its key); over wss also with a client\n"
        "certificate whose commonName is the station's id.\n"
        "SIGHUP, or new files: certificates are read again, connections stay.\n"
        "Exit status: 0 done, 1 failed, 2 bad command line.\n",
        to);
}

// --- Reading.

static bool read_option(struct options *options, const struct row *row, struct pw_out *why)
{
    char *at = (char *)options + row->at;
    switch (row->kind) {
    case READ: return row->read(options, optarg, why);
    case TEXT: *(const char **)(void *)at = optarg; return true;
    case FLAG: *(bool *)(void *)at = true; return true;
    case ASK: options->task = row->task; return true;
    }
    PW_UNREACHABLE();
}

// getopt's rows of ours; a long option is returned as its place, a letter as itself.
static const struct row *next_option(int argc, char **argv, bool *wrong)
{
    struct option known[PW_COUNT(rows) + 1] = {{0}};
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        known[i] =
            (struct option){.name = rows[i].name,
                            .has_arg = rows[i].value != NULL ? required_argument : no_argument,
                            .val = UINT8_MAX + 1 + (int)i};
    }
    int option = getopt_long(argc, argv, "l:d:Vh", known, NULL);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (option == known[i].val || (rows[i].letter != 0 && option == rows[i].letter)) {
            return &rows[i];
        }
    }
    *wrong = option != -1;
    return NULL;
}

static void refuse_task(const char *noun, const char *verb, struct pw_out *why)
{
    say(why, "\"", noun, verb[0] != '\0' ? " " : "");
    say(why, verb, "\" is none of ", "");
    for (size_t i = 0; i < PW_COUNT(tasks); i++) {
        say(why, i > 0 ? ", " : "", tasks[i].noun, " ");
        pw_put_s(why, tasks[i].verb);
    }
    pw_put_s(why, "; see --help");
}

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
    refuse_task(words[0], count > 1 ? words[1] : "", why);
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
    bool wrong = false;
    for (const struct row *row; (row = next_option(argc, argv, &wrong)) != NULL;) {
        if (!read_option(options, row, &out)) {
            return false;
        }
    }
    if (wrong) {
        say(&out, "unknown or incomplete option; see --help", "", "");
        return false;
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

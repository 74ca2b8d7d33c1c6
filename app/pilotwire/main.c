// pilotwire: the command line for people and scripts, to a station or a central system.
#include "maker/maker.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATION_DEFAULT "/run/pilotwire/station.sock"

static const char station_help[] =
    "pilotwire: see and command a charging station, or the central system\n"
    "\n"
    "At a station:\n"
    "  pilotwire [--station PATH] COMMAND\n"
    "    status                        state, figures, and why the current is what it is\n"
    "    watch                         the same, every second, until Ctrl-C\n"
    "    start [CONNECTOR] [--card ID] start a charge by hand; a card alone means connector 1\n"
    "    stop [CONNECTOR]              stop the charge\n"
    "    card ID [CONNECTOR]           as if the card were held to the reader\n"
    "    get [SETTING]                 show settings\n"
    "    set SETTING VALUE             change a setting\n"
    "    limits                        who limits the current, why, since when\n"
    "    limit AMPERE|off [CONNECTOR]  lower the current by hand\n"
    "    schedule                      what holds a charge back, until when, and what it may use\n"
    "    now [off] [CONNECTOR]         charge now, whatever timer and plan say, until unplugged\n"
    "    until energy|time|soc VALUE [CONNECTOR]\n"
    "                                  end the charge by itself at so many Wh, seconds, percent\n"
    "    house                         the phases of the house against its breaker, and the roof\n"
    "    charges                       the last charges that ended, newest first\n"
    "    cards [list [CARD]]           cards it knows without asking: the last that were answered; "
    "the\n"
    "                                  local list, from a card on\n"
    "    reservations                  what is kept free, for whom, until when\n"
    "    profiles                      charging profiles of the central system, and what they "
    "allow\n"
    "    files                         how the upload of a log and the update of the program "
    "stand\n"
    "    update [FILE|URL|check|cancel|status] [--force] [--now]\n"
    "                                  install a release: from a file here, from a URL, or what "
    "lies at\n"
    "                                  update.source; give it up; how it stands. --force: also "
    "the\n"
    "                                  version that runs; --now: ends charges instead of waiting\n"
    "    seclog [COUNT|check]          the security log; check: its whole chain anew\n"
    "    certificate [new]             what its page shows over TLS, to compare; new: make "
    "another\n"
    "    faults                        what is wrong\n"
    "    clear-fault [CONNECTOR]       clear faults that stay\n"
    "    factory-reset NAME [forget]   forget secrets, certificates, cards and records; NAME: of "
    "the\n"
    "                                  station; forget: also charges that nobody was told of\n"
    "    enable, disable [CONNECTOR]   make available or unavailable\n"
    "    can                           CAN buses\n"
    "    bms, rectifier, output        what they last said\n"
    "    pilot                         control pilot, cable, and the phases\n"
    "    board                         OpenEVSE boards: state, counters, heartbeat\n"
    "    rapi [CONNECTOR] COMMAND      a command for such a board, GS for one, and its answer\n"
    "    network [scan]                the station's own network; scan: look what is in reach\n"
    "    unlock [CONNECTOR]            end the charge and open the lock\n"
    "    log [--follow]                the last log lines\n"
    "    verify FILE [--key KEY]       signed meter values in a file, no station needed: are they\n"
    "                                  what the meter signed, and for what energy\n"
    "    version                       the station's version\n"
    "\n"
    "At the maker's:\n"
    "  pilotwire COMMAND\n"
    "    release                       keys, roots of trust and releases of programs: make, sign,\n"
    "                                  check; pilotwire release --help lists it\n"
    "\n";
static const char central_help[] =
    "At a central system:\n"
    "  pilotwire --central URL [--user NAME] [--password-file FILE] COMMAND\n"
    "    stations                      stations and connectors\n"
    "    sessions [--of STATION]       charges, newest first\n"
    "    verify SESSION [--key KEY]    its signed meter values: are they what the meter signed, "
    "and\n"
    "                                  for what energy; KEY: as printed on the meter, or a file\n"
    "    start STATION [CONNECTOR] --card ID\n"
    "    stop STATION [TRANSACTION]    the running one when it is the only one\n"
    "    reset STATION [hard|soft]     restart a station\n"
    "    get STATION [KEY]             OCPP configuration keys\n"
    "    set STATION KEY VALUE         change one\n"
    "    cards                         cards and what they may do\n"
    "    accept CARD [NAME]            let a card charge, also one that was blocked\n"
    "    block CARD [NAME]             let it charge no more\n"
    "    forget CARD                   remove it\n"
    "    unknown-cards                 cards presented that nobody knows\n"
    "    refused                       stations that were turned away, and why\n"
    "    log STATION                   its OCPP messages, newest first\n"
    "    watch                         live events, until Ctrl-C\n"
    "  every command of OCPP 1.6, and what is kept:\n"
    "    actions                       the commands there are\n"
    "    send STATION ACTION [JSON]    one of them, checked before it goes, and its answer\n"
    "    commands STATION              what was asked, answered, and seen after it\n"
    "    configuration STATION         keys as last read; what counts after a reboot\n"
    "    local-list STATION [sync|full|automatic|manual]\n"
    "                                  the cards it knows without asking; bring them up to date\n"
    "    reservations STATION\n"
    "    reserve STATION CONNECTOR UNTIL --card ID\n"
    "    unreserve STATION RESERVATION\n"
    "    profiles STATION              charging profiles it has taken\n"
    "    clear-profiles STATION [PROFILE]\n"
    "    files STATION                 firmware updates, diagnostics and logs with their states\n"
    "    firmware STATION URL [--certificate FILE --signature FILE]\n"
    "                                  have it install a program, signed by that certificate "
    "(PEM)\n"
    "    diagnostics STATION [URL|here [diagnostics|DiagnosticsLog|SecurityLog]]\n"
    "                                  have it upload, to the central system unless told "
    "otherwise\n"
    "    uploads STATION               what it has uploaded here\n"
    "    fetch UPLOAD FILE             one of them, into a new file\n"
    "    release [add FILE|delete RELEASE]\n"
    "                                  the releases here; bring one, delete one\n"
    "    release models RELEASE [MODEL...]\n"
    "                                  for which models it is; without one as its hardware says\n"
    "    release ocpp-signature RELEASE [--certificate FILE --signature FILE]\n"
    "                                  roll it out as SignedUpdateFirmware, signed by that\n"
    "                                  certificate (PEM); without them as UpdateFirmware\n"
    "    rollout [show ROLLOUT|plan RELEASE [SETTING=VALUE...]|start RELEASE [SETTING=VALUE...]]\n"
    "                                  roll-outs, one station by station; say who would go first;\n"
    "                                  start one: canary=N canary_failures=0 stages=10,50,100\n"
    "                                  soak_s=3600 at_most=20 stop_percent=5 stop_count=0\n"
    "                                  deadline_s=86400 way=auto model= stations=ID,ID\n"
    "    rollout pause|resume|cancel|retry ROLLOUT\n"
    "    security-events [STATION]\n"
    "    trust STATION central|maker [FILE]\n"
    "                                  have it trust a root (PEM) of the central system or of the\n"
    "                                  maker of its programs; without FILE our own authority\n"
    "    certificates STATION          those our authority has issued to it\n"
    "    renew STATION                 have it ask for a new certificate\n"
    "    rekey STATION                 give it a new key over OCPP\n";
static const char link_help[] =
    "  over the station link:\n"
    "    limit STATION AMPERE|off [CONNECTOR] [--lease SECONDS] [--fallback AMPERE]\n"
    "                                  at most so much per phase, 0 pauses; for 300 s unless "
    "said,\n"
    "                                  then 6 A unless said, until off\n"
    "    energize STATION on|off [CONNECTOR] [--card ID] [--force]\n"
    "                                  ask the safety machine; off opens in order, or at once\n"
    "    snapshot STATION              read everything again, and show it\n"
    "    logs STATION [--find TEXT] [--level LEVEL] [--follow]\n"
    "                                  the station's own log, newest first\n"
    "    link-events STATION           what it told the moment it happened, newest first\n"
    "\n";
static const char options_help[] =
    "Options:\n"
    "  --station PATH        control socket (default: $PILOTWIRE_CONTROL or\n"
    "                        " STATION_DEFAULT ")\n"
    "  --central URL         http(s)://host:port of the central system\n"
    "  --ca-file FILE        who may sign an https central's certificate (PEM; the system's "
    "store)\n"
    "  --user NAME           default: admin\n"
    "  --password-file FILE  first line is the password; without it $PILOTWIRE_PASSWORD counts,\n"
    "                        else it is asked for. Never give it on the command line.\n"
    "                        Scripts may have a token of the central in $PILOTWIRE_TOKEN instead\n"
    "  --trusted-network     send it over http to another machine, where nobody listens\n"
    "  --json, --tsv         for scripts; default: for people on a terminal, --tsv otherwise\n"
    "  --limit N             length of lists\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 the other side cannot be reached or is broken, 2 wrong command line,\n"
    "3 refused (the reason is on standard error).\n";

static bool take_flag(struct request *request, const char *name)
{
    if (strcmp(name, "--json") == 0) {
        request->form = FORM_JSON;
    } else if (strcmp(name, "--tsv") == 0) {
        request->form = FORM_TSV;
    } else if (strcmp(name, "--follow") == 0 || strcmp(name, "-f") == 0) {
        request->follow = true;
    } else if (strcmp(name, "--trusted-network") == 0) {
        request->trusted_network = true;
    } else if (strcmp(name, "--force") == 0) {
        request->force = true;
    } else if (strcmp(name, "--now") == 0) {
        request->at_once = true;
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        request->help = true;
    } else if (strcmp(name, "--version") == 0) {
        request->version = true;
    } else {
        return false;
    }
    return true;
}

static const char **value_of(struct request *request, const char *name)
{
    const struct {
        const char *name;
        const char **value;
    } rows[] = {
        {"--station", &request->station},
        {"--central", &request->central},
        {"--user", &request->user},
        {"--password-file", &request->password_file},
        {"--ca-file", &request->ca_file},
        {"--card", &request->card},
        {"--of", &request->filter},
        {"--limit", &request->limit},
        {"--lease", &request->lease},
        {"--fallback", &request->fallback},
        {"--find", &request->find},
        {"--level", &request->level},
        {"--key", &request->key},
        {"--certificate", &request->certificate},
        {"--signature", &request->signature},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            return rows[i].value;
        }
    }
    return NULL;
}

static int take_argument(struct request *request, const char *text)
{
    if (request->word == NULL) {
        request->word = text;
        return EXIT_DONE;
    }
    if (request->arguments == ARGUMENTS_MAX) {
        return fail_usage(text, "too many arguments");
    }
    request->argument[request->arguments++] = text;
    return EXIT_DONE;
}

static int parse(struct request *request, int argc, char **argv)
{
    int code = EXIT_DONE;
    for (int i = 1; i < argc && code == EXIT_DONE; i++) {
        const char **value = value_of(request, argv[i]);
        if (take_flag(request, argv[i])) {
            continue;
        }
        if (value == NULL && argv[i][0] == '-' && argv[i][1] == '-') {
            return fail_usage(argv[i], "no such option");
        }
        if (value == NULL) {
            code = take_argument(request, argv[i]);
        } else if (i + 1 == argc) {
            return fail_usage(argv[i], "needs a value");
        } else {
            i++;
            *value = argv[i];
        }
    }
    return code;
}

int main(int argc, char **argv)
{
    const char *socket = getenv("PILOTWIRE_CONTROL");
    if (argc > 1 && strcmp(argv[1], "release") == 0) {
        return run_maker(argc - 2, argv + 2);
    }
    struct request request = {
        .station = socket != NULL && socket[0] != '\0' ? socket : STATION_DEFAULT,
        .user = "admin",
        .form = isatty(STDOUT_FILENO) != 0 ? FORM_HUMAN : FORM_TSV,
    };
    int code = parse(&request, argc, argv);
    if (code != EXIT_DONE) {
        return code;
    }
    if (request.help) {
        (void)printf("%s%s%s%s", station_help, central_help, link_help, options_help);
        return EXIT_DONE;
    }
    if (request.version) {
        (void)printf("pilotwire %s\n", PW_VERSION);
        return EXIT_DONE;
    }
    if (request.word == NULL) {
        return fail_usage("COMMAND", "is missing");
    }
    if (request.central == NULL && strcmp(request.word, "verify") == 0) {
        return run_verify(&request);
    }
    return request.central != NULL ? run_central(&request) : run_station(&request);
}

#include "options.h"

#include <stdlib.h>
#include <string.h>

#define DATA_DEFAULT    "/var/lib/pilotwire"
#define CONTROL_DEFAULT "/run/pilotwire/station.sock"

static const char help[] =
    "pilotwire-station: the controller of a charging station\n"
    "\n"
    "  pilotwire-station --config FILE [--secrets FILE] [--data DIR] [--control PATH]\n"
    "\n"
    "  --config FILE        settings, YAML; examples/dc-station.yaml explains them\n"
    "  --secrets FILE       passwords, YAML; readable by its owner only. Credentials of systemd\n"
    "                       named as their settings count before it\n"
    "  --data DIR           folder of the records (default: $STATE_DIRECTORY or\n"
    "                       " DATA_DEFAULT ")\n"
    "  --control PATH       socket of the pilotwire command (default: $PILOTWIRE_CONTROL or\n"
    "                       " CONTROL_DEFAULT ")\n"
    "  --control-mode MODE  0600 (default), or 0660 to let the socket's group in\n"
    "  --tpm WHERE          key of the device: auto (default: in the TPM 2.0 of this machine when\n"
    "                       it has one, else in DIR/device.key), off, or a TCTI as\n"
    "                       swtpm:path=/run/tpm.sock\n"
    "  --seal-secrets       move what --secrets FILE holds into DIR, sealed, remove FILE, and end\n"
    "  --rotate-device-key  make a new key of the device, seal everything anew, and end\n"
    "  --factory-reset      forget secrets, certificates, cards, charges and logs, and end;\n"
    "                       refused while charges are not told to the central system, but for\n"
    "  --discard-unsent     which forgets them too\n"
    "  --check              read the settings, say what is wrong, and end\n"
    "  --print-settings     list every setting with value, range and meaning, and end\n"
    "  --version            print the version and end\n"
    "  --help               print this and end\n"
    "\n"
    "SIGTERM or SIGINT stops charges in order and ends; a second one switches off and ends at "
    "once.\n"
    "Exit status: 0 ended as asked, 1 could not start or go on, 2 wrong settings or options,\n"
    "75 another program was installed: start pilotwire-boot again.\n";

void options_help(FILE *to)
{
    (void)fputs(help, to);
}

static const char *environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

static int parse_mode(const char *text, unsigned *mode)
{
    if (strcmp(text, "0600") == 0) {
        *mode = 0600;
        return PW_OK;
    }
    if (strcmp(text, "0660") == 0) {
        *mode = 0660;
        return PW_OK;
    }
    return PW_ERR_RANGE;
}

// Options with a value after them. False when `name` is none.
static bool value_option(struct options *options, const char *name, const char ***value)
{
    const struct {
        const char *name;
        const char **value;
    } rows[] = {
        {"--config", &options->config},   {"--secrets", &options->secrets},
        {"--data", &options->data},       {"--tpm", &options->tpm},
        {"--control", &options->control},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            *value = rows[i].value;
            return true;
        }
    }
    return false;
}

static bool flag_option(struct options *options, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } rows[] = {
        {"--check", &options->check},
        {"--print-settings", &options->print_settings},
        {"--version", &options->version},
        {"--help", &options->help},
        {"-h", &options->help},
        {"--seal-secrets", &options->seal_secrets},
        {"--rotate-device-key", &options->rotate_key},
        {"--factory-reset", &options->factory_reset},
        {"--discard-unsent", &options->discard_unsent},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (strcmp(name, rows[i].name) == 0) {
            *rows[i].flag = true;
            return true;
        }
    }
    return false;
}

int options_parse(struct options *options, int argc, char **argv, struct pw_out *why)
{
    *options = (struct options){
        .data = environment("STATE_DIRECTORY", DATA_DEFAULT),
        .control = environment("PILOTWIRE_CONTROL", CONTROL_DEFAULT),
        .tpm = "auto",
        .credentials = environment("CREDENTIALS_DIRECTORY", NULL),
        .control_mode = 0600,
    };
    for (int i = 1; i < argc; i++) {
        const char **value = NULL;
        bool mode = strcmp(argv[i], "--control-mode") == 0;
        if (flag_option(options, argv[i])) {
            continue;
        }
        if (!mode && !value_option(options, argv[i], &value)) {
            return pw_refuse(why, PW_ERR_RANGE, argv[i], "no such option; --help lists them");
        }
        if (i + 1 == argc || argv[i + 1][0] == '\0') {
            return pw_refuse(why, PW_ERR_RANGE, argv[i], "needs a value");
        }
        i++;
        if (mode && parse_mode(argv[i], &options->control_mode) != PW_OK) {
            return pw_refuse(why, PW_ERR_RANGE, "--control-mode", "must be 0600 or 0660");
        }
        if (!mode) {
            *value = argv[i];
        }
    }
    bool needs_config = !options->help && !options->version && !options->print_settings;
    if (needs_config && options->config == NULL) {
        return pw_refuse(why, PW_ERR_RANGE, "--config",
                         "is missing; examples/dc-station.yaml is one to begin with");
    }
    return PW_OK;
}

#include "options.h"

#include "stream.h"

#include <string.h>
#include <sys/stat.h>

struct row {
    const char *name;
    const char *value; // what stands for it in the help
    const char *help;
    int64_t least;
    int64_t most;
};

static const struct row rows[] = {
    {"--board", "LINE", "the board: serial:/dev/ttyUSB0@115200, a pty, or tcp:127.0.0.1:2000", 0,
     0},
    {"--modem", "LINE", "the radio modem: serial:/dev/ttyUSB1@9600, or as above", 0, 0},
    {"--key-file", "FILE",
     "its first line is the key, 32 to 64 characters, as the station's lora.key", 0, 0},
    {"--heartbeat-s", "S", "silent this long, the board falls back by itself (10)", 5, 60},
    {"--heartbeat-ma", "MA", "to so many milliampere (6000)", 6000, 80000},
    {"--air-bps", "BPS", "the modem's rate on the air (2400)", 300, 62500},
    {"--frame-ms", "MS", "on the air beside the bytes (60)", 0, 500},
    {"--help", NULL, "this text", 0, 0},
    {"--version", NULL, "the version", 0, 0},
};

enum { BOARD, MODEM, KEY_FILE, HEARTBEAT_S, HEARTBEAT_MA, AIR_BPS, FRAME_MS, HELP, VERSION };

void options_help(FILE *to)
{
    (void)fputs(
        "pilotwire-relay: drives an OpenEVSE board for a station at the other end of a radio\n"
        "\n"
        "pilotwire-relay --board LINE --modem LINE --key-file FILE [options]\n\n",
        to);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        char left[32];
        struct pw_out out = PW_OUT(left);
        pw_put_s(&out, rows[i].name);
        pw_put_c(&out, ' ');
        pw_put_s(&out, rows[i].value == NULL ? "" : rows[i].value);
        (void)fprintf(to, "  %-20s %s\n", left, rows[i].help);
    }
    (void)fputs("\nWithout the station for 75 s the board gets no more than --heartbeat-ma. "
                "doc/lora.md says more.\n",
                to);
}

// The key's file, which nobody else may read.
static int read_key(struct options *options, const char *path, struct pw_out *why)
{
    char line[128] = "";
    struct stat about;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return pw_refuse(why, PW_ERR_RANGE, "--key-file", "it cannot be read");
    }
    bool open_to_all = fstat(fileno(file), &about) != 0 || (about.st_mode & 077) != 0;
    bool read = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    if (open_to_all) {
        return pw_refuse(why, PW_ERR_RANGE, "--key-file",
                         "others may read it; it must be mode 0600");
    }
    struct pw_str key = pw_str_trim(pw_str_of(line));
    if (!read || key.len < PW_LORA_KEY_LEAST ||
        pw_str_copy(options->key, sizeof(options->key), key) != PW_OK) {
        return pw_refuse(why, PW_ERR_RANGE, "--key-file",
                         "its first line must have 32 to 64 characters");
    }
    return PW_OK;
}

static int take_line(const char **to, const char *name, const char *value, struct pw_out *why)
{
    char text[200] = "";
    struct pw_out reason = PW_OUT(text);
    if (pw_stream_check(pw_str_of(value), &reason) != PW_OK) {
        return pw_refuse(why, PW_ERR_RANGE, name, text);
    }
    *to = value;
    return PW_OK;
}

static int take_number(struct options *options, unsigned row, const char *value, struct pw_out *why)
{
    int64_t number;
    if (pw_parse_int(pw_str_of(value), rows[row].least, rows[row].most, &number) != PW_OK) {
        pw_put_s(why, rows[row].name);
        pw_put_s(why, ": must be ");
        pw_put_int(why, rows[row].least);
        pw_put_s(why, " to ");
        pw_put_int(why, rows[row].most);
        return PW_ERR_RANGE;
    }
    int32_t *const into[] = {[HEARTBEAT_S] = &options->rapi.heartbeat_s,
                             [HEARTBEAT_MA] = &options->rapi.heartbeat_ma,
                             [AIR_BPS] = &options->air_bps,
                             [FRAME_MS] = &options->frame_ms};
    *into[row] = (int32_t)number;
    return PW_OK;
}

static int take(struct options *options, unsigned row, const char *value, struct pw_out *why)
{
    switch (row) {
    case BOARD: return take_line(&options->board, rows[row].name, value, why);
    case MODEM: return take_line(&options->modem, rows[row].name, value, why);
    case KEY_FILE: return read_key(options, value, why);
    case HELP: options->help = true; return PW_OK;
    case VERSION: options->version = true; return PW_OK;
    default: return take_number(options, row, value, why);
    }
}

static unsigned row_of(const char *name)
{
    unsigned row = 0;
    while (row < PW_COUNT(rows) && strcmp(name, rows[row].name) != 0) {
        row++;
    }
    return row;
}

int options_parse(struct options *options, int argc, char **argv, struct pw_out *why)
{
    *options = (struct options){.rapi = PW_RAPI_CONFIG_DEFAULT, .air_bps = 2400, .frame_ms = 60};
    for (int i = 1; i < argc; i++) {
        unsigned row = row_of(argv[i]);
        if (row == PW_COUNT(rows)) {
            return pw_refuse(why, PW_ERR_RANGE, argv[i], "there is no such option; see --help");
        }
        bool valued = rows[row].value != NULL;
        if (valued && i + 1 == argc) {
            return pw_refuse(why, PW_ERR_RANGE, argv[i], "its value is missing");
        }
        int err = take(options, row, valued ? argv[i + 1] : NULL, why);
        if (err != PW_OK) {
            return err;
        }
        i += valued ? 1 : 0;
    }
    bool idle = options->help || options->version;
    if (!idle && (options->board == NULL || options->modem == NULL || options->key[0] == '\0')) {
        return pw_refuse(why, PW_ERR_RANGE, "--board, --modem, --key-file", "all three are needed");
    }
    return PW_OK;
}

#include "modbus/url.h"

#include <string.h>

static const uint32_t bauds[] = {1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200};

static int refuse(struct pw_out *why, const char *must)
{
    pw_put_s(why, must);
    return PW_ERR_RANGE;
}

// The text behind the last `separator`; *rest keeps what is before it.
static struct pw_str cut_last(struct pw_str *rest, char separator)
{
    struct pw_str last = {.at = rest->at + rest->len, .len = 0};
    while (rest->len > 0 && rest->at[rest->len - 1] != separator) {
        rest->len--;
        last.at--;
        last.len++;
    }
    rest->len -= rest->len > 0 ? 1 : 0;
    return last;
}

static bool read_baud(struct pw_str text, uint32_t *baud)
{
    int64_t number = 0;
    if (pw_parse_int(text, 1200, 115200, &number) != PW_OK) {
        return false;
    }
    for (size_t i = 0; i < PW_COUNT(bauds); i++) {
        if (bauds[i] == (uint32_t)number) {
            *baud = bauds[i];
            return true;
        }
    }
    return false;
}

// "8N1" and its kind.
static bool read_frame(struct pw_str text, struct pw_modbus_url *url)
{
    if (text.len != 3 || text.at[0] != '8' || (text.at[2] != '1' && text.at[2] != '2') ||
        (text.at[1] != 'N' && text.at[1] != 'E' && text.at[1] != 'O')) {
        return false;
    }
    url->parity = text.at[1];
    url->stop = (uint8_t)(text.at[2] - '0');
    return true;
}

static int read_serial(struct pw_str line, struct pw_modbus_url *url, struct pw_out *why)
{
    struct pw_str path = pw_str_cut(&line, '@');
    struct pw_str rate = pw_str_cut(&line, '-');
    url->serial = true;
    url->baud = 9600;
    url->parity = 'N';
    url->stop = 1;
    if (path.len == 0 || path.at[0] != '/' ||
        pw_str_copy(url->place, sizeof(url->place), path) != PW_OK) {
        return refuse(why, "the device must be a path, as in /dev/ttyUSB0@9600");
    }
    if (rate.len > 0 && !read_baud(rate, &url->baud)) {
        return refuse(why, "the rate must be one of 1200, 2400, 4800, 9600, 19200, 38400, "
                           "57600, 115200");
    }
    if (line.len > 0 && !read_frame(line, url)) {
        return refuse(why, "behind the rate may stand -8N1, -8N2, -8E1 or -8O1");
    }
    return PW_OK;
}

static int read_tcp(struct pw_str line, struct pw_modbus_url *url, struct pw_out *why)
{
    int64_t port = 0;
    struct pw_str host = line;
    struct pw_str number = cut_last(&host, ':');
    if (pw_parse_int(number, 1, 65535, &port) != PW_OK ||
        pw_str_copy(url->port, sizeof(url->port), number) != PW_OK || host.len == 0 ||
        pw_str_copy(url->place, sizeof(url->place), host) != PW_OK) {
        return refuse(why, "host and port are needed, as in modbus:tcp:10.0.0.5:502/1/sdm630");
    }
    return PW_OK;
}

static int read_map(struct pw_str name, struct pw_modbus_url *url, struct pw_out *why)
{
    url->map = pw_modbus_map_of(name);
    if (url->map != NULL) {
        return PW_OK;
    }
    (void)refuse(why, "the meter must be one of");
    for (unsigned i = 0; pw_modbus_map_at(i) != NULL; i++) {
        pw_put_s(why, i == 0 ? " " : ", ");
        pw_put_s(why, pw_modbus_map_at(i)->name);
    }
    return PW_ERR_RANGE;
}

int pw_modbus_url_read(struct pw_str text, struct pw_modbus_url *url, struct pw_out *why)
{
    struct pw_modbus_url read = {.serial = false};
    struct pw_str line = text;
    struct pw_str map = cut_last(&line, '/');
    struct pw_str unit = cut_last(&line, '/');
    int64_t number = 0;
    int err = PW_ERR_RANGE;
    if (pw_str_starts(text, "modbus:tcp:")) {
        line = (struct pw_str){.at = text.at + 11, .len = line.len > 11 ? line.len - 11 : 0};
        err = read_tcp(line, &read, why);
    } else if (pw_str_starts(text, "modbus:rtu:")) {
        line = (struct pw_str){.at = text.at + 11, .len = line.len > 11 ? line.len - 11 : 0};
        err = read_serial(line, &read, why);
    } else {
        err = refuse(why,
                     "it must be modbus:tcp:HOST:PORT/UNIT/MAP or modbus:rtu:DEVICE@RATE/UNIT/MAP");
    }
    if (err == PW_OK && pw_parse_int(unit, 1, PW_MODBUS_UNIT_MAX, &number) != PW_OK) {
        err = refuse(why, "the unit must be 1..247, as in .../1/sdm630");
    }
    if (err == PW_OK) {
        read.unit = (uint8_t)number;
        err = read_map(map, &read, why);
    }
    if (err == PW_OK) {
        *url = read;
    }
    return err;
}

bool pw_modbus_url_same_line(const struct pw_modbus_url *a, const struct pw_modbus_url *b)
{
    return a->serial == b->serial && strcmp(a->place, b->place) == 0 &&
           strcmp(a->port, b->port) == 0;
}

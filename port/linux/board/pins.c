#include "board/pins.h"

#include "board/kind.h"

#include <errno.h>
#include <gpiod.h>
#include <poll.h>
#include <string.h>

#define EDGES_MAX 64 // taken at once; the kernel keeps no more than 16 a line

static const char *const names[PW_BOARD_LINES] = {
    [PW_BOARD_LINE_CONTACTOR] = "contactor",
    [PW_BOARD_LINE_LOCK] = "lock",
    [PW_BOARD_LINE_LOCK_CLOSE] = "lock_close",
    [PW_BOARD_LINE_LOCK_OPEN] = "lock_open",
    [PW_BOARD_LINE_RCD_TEST] = "rcd_test",
    [PW_BOARD_LINE_VENTILATION] = "ventilation",
    [PW_BOARD_LINE_GREEN] = "green",
    [PW_BOARD_LINE_BLUE] = "blue",
    [PW_BOARD_LINE_RED] = "red",
    [PW_BOARD_LINE_BUZZER] = "buzzer",
    [PW_BOARD_LINE_CONTACT] = "contact",
    [PW_BOARD_LINE_LOCKED] = "locked",
    [PW_BOARD_LINE_RCD_TRIP] = "rcd_trip",
    [PW_BOARD_LINE_EARTH_LOST] = "earth_lost",
    [PW_BOARD_LINE_ESTOP] = "estop",
};

static int complain(const struct pw_board_line *line, size_t id, const char *what,
                    struct pw_out *why)
{
    int error = errno;
    pw_put_s(why, "lines.");
    pw_put_s(why, names[id]);
    pw_put_s(why, ": \"");
    pw_put_s(why, line->chip);
    pw_put_c(why, ':');
    pw_put_s(why, line->line);
    pw_put_s(why, "\": ");
    pw_put_s(why, what);
    pw_put_s(why, ": ");
    pw_put_s(why, strerror(error));
    return PW_ERR_UNKNOWN;
}

static struct gpiod_line *find(struct gpiod_chip *chip, const char *name)
{
    int64_t offset = 0;
    if (pw_parse_int(pw_str_of(name), 0, UINT16_MAX, &offset) == PW_OK) {
        return gpiod_chip_get_line(chip, (unsigned)offset);
    }
    return gpiod_chip_find_line(chip, name);
}

static int flags_of(const struct pw_board_line *line)
{
    static const int pulls[] = {
        [PW_BOARD_PULL_ASIS] = 0,
        [PW_BOARD_PULL_NONE] = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
        [PW_BOARD_PULL_UP] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
        [PW_BOARD_PULL_DOWN] = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
    };
    unsigned low = line->active_low ? (unsigned)GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0U;
    return (int)((unsigned)pulls[line->pull] | low);
}

static int request(struct pw_pins *pins, size_t id, const struct pw_board_line *line,
                   struct pw_out *why)
{
    bool output = id < PW_BOARD_OUTPUTS;
    const struct gpiod_line_request_config config = {
        .consumer = "pilotwire",
        .request_type =
            output ? GPIOD_LINE_REQUEST_DIRECTION_OUTPUT : GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES,
        .flags = flags_of(line),
    };
    struct gpiod_chip *chip = gpiod_chip_open_lookup(line->chip);
    if (chip == NULL) {
        return complain(line, id, "no such chip", why);
    }
    pins->pin[id].chip = chip;
    struct gpiod_line *found = find(chip, line->line);
    if (found == NULL) {
        return complain(line, id, "no such line", why);
    }
    if (gpiod_line_request(found, &config, 0) != 0) {
        return complain(line, id, "cannot be had", why);
    }
    pins->pin[id].line = found;
    pins->pin[id].fd = output ? -1 : gpiod_line_event_get_fd(found);
    return PW_OK;
}

int pw_pins_open(struct pw_pins *pins, const struct pw_board_file *file, struct pw_out *why)
{
    memset(pins, 0, sizeof(*pins));
    int err = PW_OK;
    for (size_t id = 0; id < PW_BOARD_LINES && err == PW_OK; id++) {
        pins->pin[id].fd = -1;
        if (file->line[id].chip[0] != '\0') {
            err = request(pins, id, &file->line[id], why);
        }
    }
    if (err == PW_OK && pw_pins_read(pins) != PW_OK) {
        pw_hardware_say(why, "lines: cannot be read", errno);
        err = PW_ERR_UNKNOWN;
    }
    if (err != PW_OK) {
        pw_pins_close(pins);
    }
    return err;
}

void pw_pins_close(struct pw_pins *pins)
{
    for (size_t id = 0; id < PW_BOARD_LINES; id++) {
        if (pins->pin[id].chip != NULL) {
            gpiod_chip_close(pins->pin[id].chip); // gives its lines back
        }
        pins->pin[id].chip = NULL;
        pins->pin[id].line = NULL;
    }
}

bool pw_pins_has(const struct pw_pins *pins, enum pw_board_line_id id)
{
    return pins->pin[id].line != NULL;
}

int pw_pins_set(struct pw_pins *pins, enum pw_board_line_id id, bool value)
{
    if (pins->pin[id].line == NULL || pins->pin[id].value == value) {
        return PW_OK;
    }
    if (gpiod_line_set_value(pins->pin[id].line, value ? 1 : 0) != 0) {
        return PW_ERR_PEER;
    }
    pins->pin[id].value = value;
    return PW_OK;
}

void pw_pins_force(struct pw_pins *pins, enum pw_board_line_id id, bool value)
{
    if (pins->pin[id].line != NULL) {
        (void)gpiod_line_set_value(pins->pin[id].line, value ? 1 : 0);
        pins->pin[id].value = value;
    }
}

// Edges only wake: what counts is the level now.
static int drop_edges(struct gpiod_line *line, int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (unsigned i = 0; i < EDGES_MAX && poll(&ready, 1, 0) > 0; i++) {
        struct gpiod_line_event event;
        if (gpiod_line_event_read(line, &event) != 0) {
            return PW_ERR_PEER;
        }
    }
    return PW_OK;
}

int pw_pins_read(struct pw_pins *pins)
{
    for (size_t id = PW_BOARD_OUTPUTS; id < PW_BOARD_LINES; id++) {
        struct gpiod_line *line = pins->pin[id].line;
        if (line == NULL) {
            continue;
        }
        if (drop_edges(line, pins->pin[id].fd) != PW_OK) {
            return PW_ERR_PEER;
        }
        int value = gpiod_line_get_value(line);
        if (value < 0) {
            return PW_ERR_PEER;
        }
        pins->pin[id].value = value == 1;
    }
    return PW_OK;
}

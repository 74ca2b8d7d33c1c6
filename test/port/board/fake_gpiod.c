#include "fake_gpiod.h"

#include <errno.h>
#include <gpiod.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gpiod_line {
    bool held;
    bool occupied;
    bool broken;
    bool output;
    bool level;
    bool active_low;
    unsigned flags;
    int edges[2]; // a pipe with a byte an edge
};

struct gpiod_chip {
    int holds[FAKE_LINES];
};

static struct gpiod_line lines[FAKE_LINES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // the watchdog is another thread

void fake_gpiod_reset(void)
{
    memset(lines, 0, sizeof(lines));
}

bool fake_gpiod_level(unsigned line)
{
    (void)pthread_mutex_lock(&lock);
    bool level = lines[line].level;
    (void)pthread_mutex_unlock(&lock);
    return level;
}

void fake_gpiod_put(unsigned line, bool level)
{
    bool edge = lines[line].level != level;
    lines[line].level = level;
    if (edge && lines[line].held && !lines[line].output &&
        write(lines[line].edges[1], "e", 1) != 1) {
        abort();
    }
}

bool fake_gpiod_is_output(unsigned line)
{
    return lines[line].output;
}

bool fake_gpiod_is_held(unsigned line)
{
    return lines[line].held;
}

unsigned fake_gpiod_pulls(unsigned line)
{
    return lines[line].flags & ~(unsigned)GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW;
}

void fake_gpiod_break(unsigned line)
{
    lines[line].broken = true;
}

void fake_gpiod_occupy(unsigned line)
{
    lines[line].occupied = true;
}

// ---------------------------------------------------------------------------------------------

struct gpiod_chip *gpiod_chip_open_lookup(const char *descr)
{
    if (strcmp(descr, "gpiochip0") != 0) {
        errno = ENOENT;
        return NULL;
    }
    return calloc(1, sizeof(struct gpiod_chip));
}

static void release(struct gpiod_line *line)
{
    if (!line->output) {
        (void)close(line->edges[0]);
        (void)close(line->edges[1]);
    }
    line->held = false;
}

// As libgpiod: a line belongs to the chip object that it was found through.
static struct gpiod_chip *owner[FAKE_LINES];

void gpiod_chip_close(struct gpiod_chip *chip)
{
    for (unsigned i = 0; i < FAKE_LINES; i++) {
        if (owner[i] == chip && lines[i].held) {
            release(&lines[i]);
        }
        owner[i] = owner[i] == chip ? NULL : owner[i];
    }
    free(chip);
}

struct gpiod_line *gpiod_chip_get_line(struct gpiod_chip *chip, unsigned int offset)
{
    if (offset >= FAKE_LINES) {
        errno = EINVAL;
        return NULL;
    }
    owner[offset] = chip;
    return &lines[offset];
}

struct gpiod_line *gpiod_chip_find_line(struct gpiod_chip *chip, const char *name)
{
    if (strcmp(name, "CONTACTOR") == 0) {
        return gpiod_chip_get_line(chip, 17);
    }
    errno = ENOENT;
    return NULL;
}

int gpiod_line_request(struct gpiod_line *line, const struct gpiod_line_request_config *config,
                       int default_val)
{
    if (line->held || line->occupied) {
        errno = EBUSY;
        return -1;
    }
    line->held = true;
    line->flags = (unsigned)config->flags;
    line->active_low = (line->flags & (unsigned)GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW) != 0;
    line->output = config->request_type == GPIOD_LINE_REQUEST_DIRECTION_OUTPUT;
    if (line->output) {
        return gpiod_line_set_value(line, default_val);
    }
    return pipe(line->edges);
}

int gpiod_line_event_get_fd(struct gpiod_line *line)
{
    return line->edges[0];
}

int gpiod_line_event_read(struct gpiod_line *line, struct gpiod_line_event *event)
{
    char byte = 0;
    memset(event, 0, sizeof(*event));
    return read(line->edges[0], &byte, 1) == 1 ? 0 : -1;
}

int gpiod_line_get_value(struct gpiod_line *line)
{
    if (line->broken) {
        errno = EIO;
        return -1;
    }
    return line->level != line->active_low ? 1 : 0;
}

int gpiod_line_set_value(struct gpiod_line *line, int value)
{
    if (line->broken) {
        errno = EIO;
        return -1;
    }
    (void)pthread_mutex_lock(&lock);
    line->level = (value != 0) != line->active_low;
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

// The machine that has nothing.
#include "blank.h"

static uint32_t ticks_ms(void *context)
{
    (void)context;
    return 0;
}

static void put(void *context, struct pw_str text)
{
    (void)context;
    (void)text;
}

static bool sense(void *context, struct pw_board_senses *senses, pw_ms now)
{
    (void)context;
    (void)senses;
    (void)now;
    return false;
}

static void drive(void *context, const struct pw_board_drive *drive)
{
    (void)context;
    (void)drive;
}

static void off(void *context)
{
    (void)context;
}

const struct pw_blank_machine pw_blank_nothing = {
    .ticks_ms = ticks_ms,
    .put = put,
    .sense = sense,
    .drive = drive,
    .off = off,
    .restart = off,
};

#include "blank.h"

void pw_blank_clock_init(struct pw_blank_clock *clock, const struct pw_blank_machine *machine)
{
    *clock =
        (struct pw_blank_clock){.machine = machine, .ticks = machine->ticks_ms(machine->context)};
}

pw_ms pw_blank_now(struct pw_blank_clock *clock)
{
    uint32_t ticks = clock->machine->ticks_ms(clock->machine->context);
    clock->now += (uint32_t)(ticks - clock->ticks); // right across the wrap
    clock->ticks = ticks;
    return clock->now;
}

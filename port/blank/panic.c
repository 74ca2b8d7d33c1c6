#include "blank.h"

// pw_panic is called from anywhere and takes no context: the machine can only live here.
static const struct pw_blank_machine *machine;
static bool failing;

void pw_blank_panic_machine(const struct pw_blank_machine *own)
{
    machine = own;
}

static void say(const char *file, int line, const char *what)
{
    char text[160];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, "PANIC ");
    pw_put_s(&out, file);
    pw_put_c(&out, ':');
    pw_put_int(&out, line);
    pw_put_s(&out, ": assertion failed: ");
    pw_put_s(&out, what);
    machine->put(machine->context, pw_out_str(&out));
}

_Noreturn void pw_panic(const char *file, int line, const char *what)
{
    if (machine != NULL) {
        machine->off(machine->context); // first of all
        if (!failing) {
            failing = true; // saying it may fail too
            say(file, line, what);
        }
        machine->restart(machine->context);
    }
    for (;;) {
    }
}

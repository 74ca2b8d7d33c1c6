#include "blank.h"

// pw_panic is called from anywhere and takes no context: the machine can only live here.
static const struct pw_blank_machine *ours;
static bool failing;

void pw_blank_panic_machine(const struct pw_blank_machine *machine)
{
    ours = machine;
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
    ours->put(ours->context, pw_out_str(&out));
}

_Noreturn void pw_panic(const char *file, int line, const char *what)
{
    if (ours != NULL) {
        ours->off(ours->context); // first of all
        if (!failing) {
            failing = true; // saying it may fail too
            say(file, line, what);
        }
        ours->restart(ours->context);
    }
    for (;;) {
    }
}

#include "panic.h"

#include "base/base.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// pw_panic is called from anywhere and takes no context: the hook can only live here.
static void (*hook)(void *context);
static void *hook_context;
static atomic_flag failing = ATOMIC_FLAG_INIT;

void pw_panic_hook(void (*safe)(void *context), void *context)
{
    hook_context = context;
    hook = safe;
}

_Noreturn void pw_panic(const char *file, int line, const char *what)
{
    // An assertion that fails inside the hook must not call the hook again.
    if (!atomic_flag_test_and_set(&failing) && hook != NULL) {
        hook(hook_context);
    }
    char text[256];
    struct pw_out out = {.at = text, .cap = sizeof(text) - 1};
    pw_put_s(&out, "PANIC ");
    pw_put_s(&out, file);
    pw_put_c(&out, ':');
    pw_put_int(&out, line);
    pw_put_s(&out, ": assertion failed: ");
    pw_put_s(&out, what);
    text[out.len++] = '\n';
    ssize_t written = write(STDERR_FILENO, text, out.len);
    (void)written;
    abort();
}

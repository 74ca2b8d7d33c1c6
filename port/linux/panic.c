#include "panic.h"

#include "base/base.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// pw_panic is called from anywhere and takes no context: the hook can only live here.
static void (*hook)(void *context);
static void *hook_context;
static atomic_flag failing = ATOMIC_FLAG_INIT;

static void make_safe(void)
{
    // A hook that fails must not be called again.
    if (!atomic_flag_test_and_set(&failing) && hook != NULL) {
        hook(hook_context);
    }
}

static void on_crash(int number)
{
    make_safe();
    // The default action is in force again (SA_RESETHAND): core dump and end.
    (void)raise(number);
}

// On a stack of its own: an overflown one is a crash too.
static void catch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    static char memory[65536];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
    struct sigaction action = {.sa_handler = on_crash,
                               .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK | SA_NODEFER)};
    (void)sigaltstack(&stack, NULL);
    for (size_t i = 0; i < PW_COUNT(numbers); i++) {
        (void)sigaction(numbers[i], &action, NULL);
    }
}

void pw_panic_hook(void (*safe)(void *context), void *context)
{
    hook_context = context;
    hook = safe;
    if (safe != NULL) {
        catch_crashes();
    }
}

_Noreturn void pw_panic(const char *file, int line, const char *what)
{
    make_safe();
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

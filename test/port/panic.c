// An assertion that fails makes the hardware safe first, says where, and ends the program.
#include "panic.h"

#include "base/base.h"
#include "test.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_safe(void *context)
{
    static const char text[] = "safe;";
    const int *fd = context;
    ssize_t sent = write(*fd, text, sizeof(text) - 1);
    (void)sent;
}

static void write_safe_and_fail(void *context)
{
    write_safe(context);
    PW_ASSERT(false); // a hook with a bug of its own must not run twice
}

// What a failing child wrote, hook and message in one pipe, in order.
static void run_child(void (*hook)(void *context), char *heard, size_t cap)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        pw_panic_hook(hook, &ends[1]);
        PW_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < cap - 1) {
        got = read(ends[0], heard + len, cap - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    heard[len] = '\0';
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void the_hook_comes_before_the_message(void **state)
{
    (void)state;
    char heard[512];
    run_child(write_safe, heard, sizeof(heard));
    assert_memory_equal(heard, "safe;PANIC ", 11);
    assert_non_null(strstr(heard, "assertion failed: 1 + 1 == 3\n"));
}

static void a_hook_that_fails_itself_runs_once(void **state)
{
    (void)state;
    char heard[512];
    run_child(write_safe_and_fail, heard, sizeof(heard));
    assert_memory_equal(heard, "safe;PANIC ", 11);
    assert_null(strstr(heard + 1, "safe;"));
}

static void without_a_hook_it_only_says_where(void **state)
{
    (void)state;
    char heard[512];
    run_child(NULL, heard, sizeof(heard));
    assert_memory_equal(heard, "PANIC ", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hook_comes_before_the_message),
        cmocka_unit_test(a_hook_that_fails_itself_runs_once),
        cmocka_unit_test(without_a_hook_it_only_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

// What a failing child wrote, hook and message in one pipe, in order. `number` 0: an assertion.
static void run_child(void (*hook)(void *context), int number, char *heard, size_t cap)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL); // cmocka's handlers are not the program's
        (void)signal(SIGSEGV, SIG_DFL);
        pw_panic_hook(hook, &ends[1]);
        PW_ASSERT(number != 0 || 1 + 1 == 3);
        (void)raise(number);
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
    assert_int_equal(WTERMSIG(status), number == 0 ? SIGABRT : number);
}

static void the_hook_comes_before_the_message(void **state)
{
    (void)state;
    char heard[512];
    run_child(write_safe, 0, heard, sizeof(heard));
    assert_memory_equal(heard, "safe;PANIC ", 11);
    assert_non_null(strstr(heard, "assertion failed: number != 0 || 1 + 1 == 3\n"));
}

static void a_hook_that_fails_itself_runs_once(void **state)
{
    (void)state;
    char heard[512];
    run_child(write_safe_and_fail, 0, heard, sizeof(heard));
    assert_memory_equal(heard, "safe;PANIC ", 11);
    assert_null(strstr(heard + 1, "safe;"));
}

static void without_a_hook_it_only_says_where(void **state)
{
    (void)state;
    char heard[512];
    run_child(NULL, 0, heard, sizeof(heard));
    assert_memory_equal(heard, "PANIC ", 6);
}

static void a_crash_runs_the_hook_and_takes_its_course(void **state)
{
    (void)state;
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    for (size_t i = 0; i < PW_COUNT(numbers); i++) {
        char heard[512];
        run_child(write_safe, numbers[i], heard, sizeof(heard));
        assert_memory_equal(heard, "safe;", 5);
        assert_null(strstr(heard + 1, "safe;"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hook_comes_before_the_message),
        cmocka_unit_test(a_hook_that_fails_itself_runs_once),
        cmocka_unit_test(without_a_hook_it_only_says_where),
        cmocka_unit_test(a_crash_runs_the_hook_and_takes_its_course),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The cases as a table: each in a process of its own.
//     conformance_central               all; one line each: id, situation, outcome, tab separated
//     conformance_central "T36 a" …     these
#include "cases.h"

#include <sys/wait.h>
#include <unistd.h>

struct bench bench;
uint64_t a;

static const struct row {
    const char *id;
    const char *situation;
    void (*run)(void);
} rows[] = {
#define ROW(id, function, situation) {id, situation, central_##function},
    CENTRAL_CASES(ROW)
#undef ROW
};

void expect(const char *action, const char *payload, const char *answer)
{
    static unsigned number;
    char text[8192];
    char wanted[8192];
    (void)snprintf(text, sizeof(text), "[2,\"e%u\",\"%s\",%s]", ++number, action, payload);
    (void)snprintf(wanted, sizeof(wanted), "[3,\"e%u\",%s]", number, answer);
    assert_string_equal(bench_ask(&bench, a, text), wanted);
}

const char *get(const char *target)
{
    return people(&bench, 200, PW_HTTP_GET, target, "");
}

int64_t count(const char *sql)
{
    return bench_count(&bench, sql);
}

static bool passes(const struct row *row)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    PW_ASSERT(child >= 0);
    if (child == 0) {
        bench_open(&bench);
        a = bench_station(&bench, "A");
        bench.answering = a;
        bench_login(&bench);
        row->run();
        bench_close(&bench);
        _exit(0);
    }
    PW_ASSERT(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
    unsigned good = 0;
    unsigned bad = 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        bool wanted = argc < 2;
        for (int k = 1; k < argc; k++) {
            wanted = wanted || strcmp(argv[k], rows[i].id) == 0;
        }
        if (wanted) {
            bool pass = passes(&rows[i]);
            good += pass ? 1 : 0;
            bad += pass ? 0 : 1;
            (void)printf("%s\t%s\t%s\n", rows[i].id, rows[i].situation, pass ? "pass" : "FAIL");
        }
    }
    (void)printf("total\t%u pass, %u FAIL\n", good, bad);
    return bad > 0 ? 1 : 0;
}

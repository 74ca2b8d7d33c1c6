// The cases as a table: each in a process of its own, so that a case that breaks says so and the
// others still run.
//     conformance_ocpp16                 all; one line each: id, situation, outcome, tab separated
//     conformance_ocpp16 "A 001" "B 12"  these
//     conformance_ocpp16 --part tags     one part's
#include "cases.def"
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// A case that nobody has written is a null pointer.
#define DECLARE(part, id, function, situation) __attribute__((weak)) void case_##function(void);
OCPP16_CASES(DECLARE)
OCPP16_HOSTILE_CASES(DECLARE)
#undef DECLARE

static const struct row {
    const char *part;
    const char *id;
    const char *situation;
    void (*run)(void);
} rows[] = {
#define ROW(part, id, function, situation) {#part, id, situation, case_##function},
    OCPP16_CASES(ROW) OCPP16_HOSTILE_CASES(ROW)
#undef ROW
};

#define ONE(part, id, function, situation) +1
_Static_assert((0 OCPP16_CASES(ONE)) == 177, "107 of the testing tool, 70 more");
#undef ONE

enum { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_NOT_APPLICABLE, OUTCOME_UNWRITTEN, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = {"pass", "FAIL", "not applicable",
                                                    "not written"};

static char *note; // shared with the case's process

void rig_end(enum rig_end how, const char *text)
{
    (void)snprintf(note, RIG_NOTE_MAX, "%s", text);
    _exit((int)how);
}

static int run(const struct row *row)
{
    int status = 0;
    note[0] = '\0';
    if (row->run == NULL) {
        return OUTCOME_UNWRITTEN;
    }
    (void)fflush(NULL);
    pid_t child = fork();
    PW_ASSERT(child >= 0);
    if (child == 0) {
        row->run();
        rig_end(RIG_PASS, "");
    }
    PW_ASSERT(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == RIG_PASS) {
        return OUTCOME_PASS;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == RIG_NOT_APPLICABLE) {
        return OUTCOME_NOT_APPLICABLE;
    }
    if (note[0] == '\0') {
        (void)snprintf(note, RIG_NOTE_MAX, "it died: %s %d",
                       WIFSIGNALED(status) ? "signal" : "exit",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return OUTCOME_FAIL;
}

static bool wanted(const struct row *row, int argc, char **argv)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--part") == 0 && i + 1 < argc) {
            any = any || strcmp(argv[++i], row->part) == 0;
        } else {
            any = any || strcmp(argv[i], row->id) == 0;
        }
    }
    return any;
}

int main(int argc, char **argv)
{
    unsigned counts[OUTCOMES] = {0};
    note = mmap(NULL, RIG_NOTE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    PW_ASSERT(note != MAP_FAILED);
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (!wanted(&rows[i], argc, argv)) {
            continue;
        }
        int outcome = run(&rows[i]);
        counts[outcome]++;
        printf("%s\t%s\t%s%s%s\n", rows[i].id, rows[i].situation, outcome_names[outcome],
               note[0] == '\0' ? "" : ": ", note);
    }
    for (unsigned i = 0; i < OUTCOMES; i++) {
        printf("%s%u %s", i == 0 ? "total\t" : ", ", counts[i], outcome_names[i]);
    }
    printf("\n");
    return counts[OUTCOME_FAIL] > 0 || counts[OUTCOME_UNWRITTEN] > 0 ? 1 : 0;
}

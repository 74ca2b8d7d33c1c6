// The journal on SQLite after a long time without a central system: 1,000 charges begun and ended,
// and a queue of 10,000 messages with meter values. How long it takes to open, what memory it
// takes, how fast the queue empties.
#include "journal/journal.h"

#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { CHARGES = 1000, MESSAGES = 10000, VALUES = (MESSAGES - 2 * CHARGES) / CHARGES };

static double now_ms(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static long resident_kb(void)
{
    char line[128] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    (void)!fgets(line, sizeof(line), file);
    (void)fclose(file);
    // The second number: resident pages.
    char *end = line;
    (void)strtol(line, &end, 10);
    return strtol(end, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
}

static void advanced(void *context)
{
    (void)context;
}

static void await(const struct pw_journal *journal, int64_t ticket)
{
    if (ticket < 0) {
        (void)fprintf(stderr, "journal: the store refuses\n");
        exit(1);
    }
    while (pw_journal_durable(journal, ticket) == 0) {
        (void)usleep(100);
    }
}

static struct pw_sample sample(pw_ms mono, enum pw_reading reading, uint32_t boot)
{
    struct pw_sample it = {.reading = reading, .has = 0x3F};
    it.at = (struct pw_stamp){.wall = 1790000000000 + (pw_unix_ms)mono, .mono = mono, .boot = boot};
    it.value[PW_ENERGY_WH] = (int64_t)mono / 1000;
    return it;
}

static void fill(struct pw_journal *journal)
{
    pw_ms mono = 1000;
    for (int charge = 0; charge < CHARGES; charge++) {
        struct pw_transaction transaction = {.connector = 1, .id_tag = "04A2B19C"};
        transaction.first = sample(mono, PW_READING_BEGIN, journal->boot);
        int64_t ticket = pw_journal_begin(journal, &transaction);
        for (int i = 0; i < VALUES && ticket > 0; i++) {
            mono += 60000;
            struct pw_sample value = sample(mono, PW_READING_PERIODIC, journal->boot);
            if (pw_journal_meter(journal, 1, &value) != PW_OK ||
                pw_journal_note(journal, 1, &value) != PW_OK) {
                ticket = PW_ERR_STORE;
            }
        }
        mono += 60000;
        struct pw_sample last = sample(mono, PW_READING_END, journal->boot);
        ticket = ticket < 0 ? ticket : pw_journal_end(journal, 1, 1, PW_STR(""), &last);
        await(journal, ticket);
    }
}

static void empty(struct pw_journal *journal, int messages)
{
    struct pw_message message;
    for (int left = messages; left > 0;) {
        int err = pw_journal_head(journal, &message);
        if (err == PW_OK) {
            err = pw_journal_answered(journal, &message, (int32_t)message.transaction.seq);
            left -= err == PW_OK ? 1 : 0;
        }
        if (err == PW_ERR_AGAIN || err == PW_ERR_LIMIT) {
            (void)usleep(50);
        } else if (err != PW_OK) {
            (void)fprintf(stderr, "journal: %d messages left\n", left);
            exit(1);
        }
    }
}

int main(void)
{
    enum { ROUNDS = 9, EMPTIED = 2000 };
    char folder[] = "/tmp/pilotwire-bench-XXXXXX";
    char path[64];
    char why[200];
    struct pw_out out = PW_OUT(why);
    struct pw_journal journal;
    double best_ms = 1e9;
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/station.db", folder);
    struct pw_sqlite *sqlite = pw_sqlite_open(path, advanced, NULL, NULL, &out);
    if (sqlite == NULL) {
        (void)fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct pw_store store = pw_sqlite_store(sqlite);
    if (pw_journal_open(&journal, &store, NULL) != PW_OK) {
        return 1;
    }
    double fill_ms = -now_ms();
    fill(&journal);
    fill_ms += now_ms();
    long before_kb = resident_kb();
    for (int i = 0; i < ROUNDS; i++) {
        double took_ms = -now_ms();
        if (pw_journal_open(&journal, &store, NULL) != PW_OK) {
            return 1;
        }
        took_ms += now_ms();
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    long waiting = (long)pw_journal_waiting(&journal);
    double empty_ms = -now_ms();
    empty(&journal, EMPTIED);
    empty_ms += now_ms();
    (void)printf("journal       %ld messages of %d charges: open %.1f ms; RAM %zu B and %ld kB "
                 "more resident; kept in %.0f ms; %.0f messages/s leave\n",
                 waiting, CHARGES, best_ms, sizeof(journal), resident_kb() - before_kb, fill_ms,
                 EMPTIED / empty_ms * 1000);
    (void)printf("{\"bench\":\"journal\",\"messages\":%ld,\"open_ms\":%.1f,\"bytes\":%zu,"
                 "\"leave_per_s\":%.0f}\n",
                 waiting, best_ms, sizeof(journal), EMPTIED / empty_ms * 1000);
    pw_sqlite_close(sqlite);
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < PW_COUNT(files); i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s%s", path, files[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
    return 0;
}

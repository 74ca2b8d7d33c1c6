// The SQLite store keeps what it said is durable. What a station bills hangs on it.
#include "store.h"

#include "folder.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct folder folder;
    char path[128];
    char why[256];
    sem_t advanced;
    struct pw_log log;
    char logged[1024];
};

static void on_advance(void *context)
{
    struct fixture *f = context;
    (void)sem_post(&f->advanced);
}

static void on_log(void *context, enum pw_level level, const char *room, struct pw_str text)
{
    struct fixture *f = context;
    (void)level;
    (void)room;
    assert_int_equal(pw_str_copy(f->logged, sizeof(f->logged), text), PW_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    folder_make(&f->folder);
    folder_file(&f->folder, "station.db", f->path);
    (void)sem_init(&f->advanced, 0, 0);
    f->log = (struct pw_log){.context = f, .write = on_log};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    folder_remove(&f->folder);
    (void)sem_destroy(&f->advanced);
    free(f);
    return 0;
}

static struct pw_sqlite *try_open(struct fixture *f)
{
    struct pw_out why = PW_OUT(f->why);
    return pw_sqlite_open(f->path, on_advance, f, &f->log, &why);
}

static struct pw_sqlite *open_store(struct fixture *f)
{
    struct pw_sqlite *sqlite = try_open(f);
    if (sqlite == NULL) {
        fail_msg("%s", f->why);
    }
    return sqlite;
}

static void wait_durable(struct fixture *f, const struct pw_store *store, int64_t ticket)
{
    while (store->durable(store->context) < ticket) {
        assert_true(store->durable(store->context) >= 0);
        while (sem_wait(&f->advanced) != 0) {
            assert_int_equal(errno, EINTR);
        }
    }
}

static struct pw_store_change put(const char *key, const char *value)
{
    return (struct pw_store_change){.key = pw_str_of(key), .value = pw_str_of(value)};
}

static int64_t write_one(const struct pw_store *store, const char *key, const char *value)
{
    struct pw_store_change change = put(key, value);
    return store->write(store->context, &change, 1);
}

static void assert_record(const struct pw_store *store, const char *key, const char *value)
{
    char have[PW_STORE_VALUE_MAX];
    int len = store->get(store->context, pw_str_of(key), have, sizeof(have));
    assert_int_equal(len, strlen(value));
    assert_memory_equal(have, value, strlen(value));
}

static void what_is_durable_is_read_back_after_reopening(void **state)
{
    struct fixture *f = *state;
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    assert_int_equal(store.durable(store.context), 0);
    assert_int_equal(write_one(&store, "tx/1", "start"), 1);
    assert_int_equal(write_one(&store, "tx/2", ""), 2);
    wait_durable(f, &store, 2);
    assert_record(&store, "tx/1", "start");
    pw_sqlite_close(sqlite);

    sqlite = open_store(f);
    store = pw_sqlite_store(sqlite);
    assert_record(&store, "tx/1", "start");
    assert_record(&store, "tx/2", ""); // an empty value is a record, not a missing one
    char small[2];
    assert_int_equal(store.get(store.context, PW_STR("tx/1"), small, 2), PW_ERR_LIMIT);
    assert_int_equal(store.get(store.context, PW_STR("tx/3"), small, 2), PW_ERR_UNKNOWN);
    pw_sqlite_close(sqlite);
}

// The writer may group batches as it likes, but the last write of a key wins and a removal counts.
static void batches_keep_their_order(void **state)
{
    struct fixture *f = *state;
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    int64_t last = 0;
    for (int i = 0; i < 500; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d", i);
        struct pw_store_change changes[] = {put("n", value),
                                            {.key = PW_STR("gone"), .remove = true}};
        if (i == 499) {
            changes[1] = put("gone", "back");
        }
        int64_t ticket = store.write(store.context, changes, 2);
        assert_int_equal(ticket, last + 1);
        last = ticket;
    }
    wait_durable(f, &store, last);
    assert_record(&store, "n", "499");
    assert_record(&store, "gone", "back");
    struct pw_store_change drop = {.key = PW_STR("n"), .remove = true};
    wait_durable(f, &store, store.write(store.context, &drop, 1));
    char have[8];
    assert_int_equal(store.get(store.context, PW_STR("n"), have, 8), PW_ERR_UNKNOWN);
    pw_sqlite_close(sqlite);
}

static void next_walks_one_prefix_bytewise(void **state)
{
    static const char *const keys[] = {"a/9", "q/", "q/1", "q/10", "q/2", "q/\xC3\xA4", "q0", "r"};
    struct fixture *f = *state;
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    int64_t last = 0;
    for (size_t i = PW_COUNT(keys); i-- > 0;) {
        last = write_one(&store, keys[i], keys[i]);
    }
    wait_durable(f, &store, last);
    char key[PW_STORE_KEY_MAX + 1] = "";
    char value[16];
    for (size_t i = 1; i <= 5; i++) {
        char after[PW_STORE_KEY_MAX + 1];
        memcpy(after, key, sizeof(after));
        int len = store.next(store.context, PW_STR("q/"), pw_str_of(after), key, value, 16);
        assert_int_equal(len, strlen(keys[i]));
        assert_string_equal(key, keys[i]);
    }
    int end = store.next(store.context, PW_STR("q/"), PW_STR("q/\xC3\xA4"), key, value, 16);
    assert_int_equal(end, PW_ERR_UNKNOWN);
    end = store.next(store.context, PW_STR("z"), PW_STR(""), key, value, 16);
    assert_int_equal(end, PW_ERR_UNKNOWN);
    int all = store.next(store.context, PW_STR(""), PW_STR(""), key, value, 16);
    assert_int_equal(all, 3);
    assert_string_equal(key, "a/9");
    pw_sqlite_close(sqlite);
}

static void a_second_program_is_refused(void **state)
{
    struct fixture *f = *state;
    struct pw_sqlite *sqlite = open_store(f);
    assert_null(try_open(f));
    assert_non_null(strstr(f->why, "station.db: is in use by another program"));
    pw_sqlite_close(sqlite);
}

static void a_missing_folder_is_named(void **state)
{
    struct fixture *f = *state;
    folder_file(&f->folder, "no/station.db", f->path);
    assert_null(try_open(f));
    assert_non_null(strstr(f->why, "no/station.db.lock: cannot be opened: No such file"));
}

static void damage_middle_of(const char *path)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    for (long i = 100; i < size; i++) {
        assert_int_not_equal(fputc(0xA5, file), EOF);
    }
    assert_int_equal(fclose(file), 0);
}

// Losing records silently would be worse than not starting: the file stays and the log says so.
static void a_damaged_file_is_set_aside_and_named_in_the_log(void **state)
{
    struct fixture *f = *state;
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    wait_durable(f, &store, write_one(&store, "tx/1", "start"));
    pw_sqlite_close(sqlite);
    damage_middle_of(f->path);

    sqlite = open_store(f);
    store = pw_sqlite_store(sqlite);
    char have[8];
    assert_int_equal(store.get(store.context, PW_STR("tx/1"), have, 8), PW_ERR_UNKNOWN);
    const char *kept = strstr(f->logged, "kept_as=");
    assert_non_null(kept);
    char path[128];
    int len = (int)strcspn(kept + 8, " ");
    (void)snprintf(path, sizeof(path), "%.*s", len, kept + 8);
    assert_int_equal(access(path, R_OK), 0);
    pw_sqlite_close(sqlite);
}

static void a_file_that_is_no_database_is_set_aside(void **state)
{
    struct fixture *f = *state;
    char long_text[2048];
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    folder_write(&f->folder, "station.db", long_text, 0600, f->path);
    struct pw_sqlite *sqlite = open_store(f);
    assert_non_null(strstr(f->logged, "damaged_file_set_aside"));
    pw_sqlite_close(sqlite);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit = {.rlim_cur = size, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void wait_logged(struct fixture *f, struct pw_sqlite *sqlite, const char *text)
{
    pw_sqlite_report(sqlite, &f->log);
    while (strstr(f->logged, text) == NULL) {
        assert_int_equal(sem_wait(&f->advanced), 0);
        pw_sqlite_report(sqlite, &f->log);
    }
}

// A full disk: nothing becomes durable, nothing is lost, and it goes on by itself when there is
// room again (facts/reliability.md F04). The kernel refuses the writes by a limit here.
static void a_full_disk_holds_tickets_back_until_there_is_room(void **state)
{
    struct fixture *f = *state;
    (void)signal(SIGXFSZ, SIG_IGN);
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    wait_durable(f, &store, write_one(&store, "before", "1"));
    assert_int_equal(store.able(store.context), PW_OK);
    limit_files(1);
    int64_t ticket = write_one(&store, "during", "2");
    wait_logged(f, sqlite, "to=failing");
    assert_int_equal(store.durable(store.context), 1);
    assert_int_equal(store.able(store.context), PW_ERR_STORE);
    assert_record(&store, "before", "1");
    limit_files(RLIM_INFINITY);
    wait_durable(f, &store, ticket);
    wait_logged(f, sqlite, "from=failing to=well");
    assert_int_equal(store.able(store.context), PW_OK);
    assert_record(&store, "during", "2");
    pw_sqlite_close(sqlite);
}

static void more_batches_than_the_queue_holds_are_refused(void **state)
{
    struct fixture *f = *state;
    (void)signal(SIGXFSZ, SIG_IGN);
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    limit_files(1);
    int64_t ticket = 0;
    for (int i = 0; i < PW_STORE_QUEUE_MAX; i++) {
        ticket = write_one(&store, "key", "value");
        assert_int_equal(ticket, i + 1);
    }
    assert_int_equal(write_one(&store, "key", "value"), PW_ERR_LIMIT);
    limit_files(RLIM_INFINITY);
    wait_durable(f, &store, ticket);
    assert_true(write_one(&store, "key", "value") > ticket);
    pw_sqlite_close(sqlite);
}

// ---------------------------------------------------------------------------------------------
// kill -9: a child writes as fast as it can and reports each durable ticket; every ticket it got
// out before it died must be there with all before it, and no batch may be there by half.

#define BATCH_KEYS 3
#define ROUNDS     20

static void key_of(char *to, size_t cap, int64_t ticket, int part)
{
    (void)snprintf(to, cap, "b/%012lld/%d", (long long)ticket, part);
}

static _Noreturn void write_until_killed(struct fixture *f, int report, int64_t base)
{
    struct pw_sqlite *sqlite = open_store(f);
    struct pw_store store = pw_sqlite_store(sqlite);
    int64_t told = 0;
    for (;;) {
        char keys[BATCH_KEYS][32];
        struct pw_store_change changes[BATCH_KEYS];
        int64_t number = base;
        for (int part = 0; part < BATCH_KEYS; part++) {
            key_of(keys[part], sizeof(keys[part]), number, part);
            changes[part] = put(keys[part], "value");
        }
        if (store.write(store.context, changes, BATCH_KEYS) > 0) {
            base++;
        }
        int64_t durable = store.durable(store.context);
        if (durable > told) {
            told = durable;
            if (write(report, &durable, sizeof(durable)) != (ssize_t)sizeof(durable)) {
                _exit(1);
            }
        }
    }
}

// Kills the child after `reports` reports; returns the last ticket it got out.
static int64_t run_child(struct fixture *f, int64_t base, unsigned reports)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        write_until_killed(f, ends[1], base);
    }
    (void)close(ends[1]);
    int64_t last = 0;
    int64_t ticket = 0;
    for (unsigned i = 0; i < reports && read(ends[0], &ticket, sizeof(ticket)) > 0; i++) {
        last = ticket;
    }
    (void)kill(child, SIGKILL);
    while (read(ends[0], &ticket, sizeof(ticket)) == (ssize_t)sizeof(ticket)) {
        last = ticket;
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(ends[0]);
    return last;
}

static int parts_there(const struct pw_store *store, int64_t number)
{
    int parts = 0;
    for (int part = 0; part < BATCH_KEYS; part++) {
        char key[32];
        char value[8];
        key_of(key, sizeof(key), number, part);
        parts += store->get(store->context, pw_str_of(key), value, sizeof(value)) == 5;
    }
    return parts;
}

static void nothing_durable_is_lost_by_kill_9(void **state)
{
    struct fixture *f = *state;
    unsigned seed = (unsigned)getpid();
    print_message("seed %u\n", seed);
    int64_t base = 0;
    for (int round = 0; round < ROUNDS; round++) {
        seed = seed * 1103515245U + 12345U;
        int64_t reported = run_child(f, base, 1 + (seed >> 16) % 40);
        assert_true(reported > 0);
        struct pw_sqlite *sqlite = open_store(f);
        struct pw_store store = pw_sqlite_store(sqlite);
        for (int64_t i = base; i < base + reported; i++) {
            assert_int_equal(parts_there(&store, i), BATCH_KEYS);
        }
        // Behind what was reported there may be more, but whole batches without a gap.
        int64_t i = base + reported;
        while (parts_there(&store, i) == BATCH_KEYS) {
            i++;
        }
        for (int64_t rest = i; rest < i + (int64_t)3 * PW_STORE_QUEUE_MAX; rest++) {
            assert_int_equal(parts_there(&store, rest), 0);
        }
        base = i;
        pw_sqlite_close(sqlite);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_durable_is_read_back_after_reopening, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(batches_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(next_walks_one_prefix_bytewise, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_program_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_folder_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside_and_named_in_the_log, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_set_aside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_holds_tickets_back_until_there_is_room, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_batches_than_the_queue_holds_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_durable_is_lost_by_kill_9, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

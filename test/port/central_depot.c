// central_depot: files in a folder, under names of the central's making.
#include "central_depot.h"

#include "folder.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ONE "00112233445566778899aabbccddeeff"
#define TWO "ffeeddccbbaa99887766554433221100"

static struct folder folder;

static int setup(void **state)
{
    (void)state;
    folder_make(&folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static struct pw_folder_depot *open_depot(void)
{
    struct pw_folder_depot *depot = NULL;
    char text[128];
    struct pw_out why = PW_OUT(text);
    assert_int_equal(pw_folder_depot_open(&depot, folder.path, &why), PW_OK);
    return depot;
}

static unsigned files(void)
{
    unsigned count = 0;
    DIR *entries = opendir(folder.path);
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(entries);
    return count;
}

static void a_file_is_there_when_it_is_whole_and_not_before(void **state)
{
    (void)state;
    struct pw_folder_depot *made = open_depot();
    const struct pw_depot *depot = pw_folder_depot_port(made);
    char got[16] = "";
    assert_int_equal(depot->create(depot->context, ONE), PW_OK);
    assert_int_equal(depot->append(depot->context, ONE, PW_STR("hello ")), PW_OK);
    assert_int_equal(depot->append(depot->context, ONE, PW_STR("there")), PW_OK);
    assert_int_equal(depot->read(depot->context, ONE, 0, got, sizeof(got)), PW_ERR_STORE);
    assert_int_equal(depot->keep(depot->context, ONE), PW_OK);
    assert_int_equal(depot->append(depot->context, ONE, PW_STR("more")), PW_ERR_STORE);
    assert_int_equal(depot->read(depot->context, ONE, 6, got, sizeof(got)), 5);
    assert_memory_equal(got, "there", 5);
    assert_int_equal(depot->read(depot->context, ONE, 11, got, sizeof(got)), 0);
    assert_int_equal(depot->read(depot->context, TWO, 0, got, sizeof(got)), PW_ERR_STORE);
    char name[128];
    struct stat about;
    folder_file(&folder, ONE, name);
    assert_int_equal(stat(name, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    pw_folder_depot_close(made);
    made = open_depot(); // it is still there for the next program
    depot = pw_folder_depot_port(made);
    assert_int_equal(depot->read(depot->context, ONE, 0, got, 5), 5);
    depot->drop(depot->context, ONE);
    depot->drop(depot->context, ONE);
    assert_int_equal(depot->read(depot->context, ONE, 0, got, 5), PW_ERR_STORE);
    pw_folder_depot_close(made);
    assert_int_equal(files(), 0);
}

static bool wanted(void *of, const char *name)
{
    (void)of;
    return strcmp(name, ONE) == 0;
}

static void what_nobody_knows_and_what_is_not_whole_goes(void **state)
{
    (void)state;
    struct pw_folder_depot *made = open_depot();
    const struct pw_depot *depot = pw_folder_depot_port(made);
    for (unsigned i = 0; i < 2; i++) {
        const char *name = i == 0 ? ONE : TWO;
        assert_int_equal(depot->create(depot->context, name), PW_OK);
        assert_int_equal(depot->keep(depot->context, name), PW_OK);
    }
    char stray[128];
    folder_write(&folder, ONE ".part", "as a power cut leaves it", 0600, stray);
    assert_int_equal(files(), 3);
    depot->sweep(depot->context, wanted, NULL);
    assert_int_equal(files(), 1);
    assert_int_equal(depot->create(depot->context, TWO), PW_OK);
    assert_int_equal(files(), 2);
    pw_folder_depot_close(made); // in the middle of an upload
    assert_int_equal(files(), 1);
}

// Reason: 500 stations download at once; each has a place of its own in the file, not in this
// program.
static void more_files_than_are_kept_open_are_read_and_written_in_turns(void **state)
{
    (void)state;
    struct pw_folder_depot *made = open_depot();
    const struct pw_depot *depot = pw_folder_depot_port(made);
    char name[PW_DEPOT_NAME_MAX];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 100; i++) {
            (void)snprintf(name, sizeof(name), "%032x", i);
            assert_int_equal(round == 0 ? depot->create(depot->context, name) : PW_OK, PW_OK);
            char digit = (char)('0' + round);
            assert_int_equal(
                depot->append(depot->context, name, (struct pw_str){.at = &digit, .len = 1}),
                PW_OK);
        }
    }
    for (unsigned i = 0; i < 100; i++) {
        char got[4] = "";
        (void)snprintf(name, sizeof(name), "%032x", i);
        assert_int_equal(depot->keep(depot->context, name), PW_OK);
        assert_int_equal(depot->read(depot->context, name, 0, got, sizeof(got)), 3);
        assert_memory_equal(got, "012", 3);
    }
    pw_folder_depot_close(made);
    assert_int_equal(files(), 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_there_when_it_is_whole_and_not_before),
        TEST(what_nobody_knows_and_what_is_not_whole_goes),
        TEST(more_files_than_are_kept_open_are_read_and_written_in_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Each way to write a settings file wrongly gets one sentence that names file, line and cause.
#include "config.h"

#include "folder.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct folder folder;
    struct pw_config config;
    char path[128];
    char why[512];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    folder_make(&f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    folder_remove(&f->folder);
    free(f);
    return 0;
}

static int read_text(struct fixture *f, const char *text)
{
    struct pw_out why = PW_OUT(f->why);
    f->why[0] = '\0';
    folder_write(&f->folder, "s.yaml", text, 0644, f->path);
    return pw_config_read(&f->config, f->path, false, &why);
}

static void assert_entry(const struct fixture *f, size_t i, const char *path, const char *value,
                         unsigned line)
{
    assert_true(i < f->config.count);
    assert_true(pw_str_is(f->config.entry[i].path, path));
    assert_true(pw_str_is(f->config.entry[i].value, value));
    assert_int_equal(f->config.entry[i].line, line);
}

static void sections_and_lists_become_paths_with_their_lines(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_text(f, "# a station\n"
                                  "station:\n"
                                  "  id: CP1   # its name\n"
                                  "  serial: \"\"\n"
                                  "alone: 7\n"
                                  "connectors:\n"
                                  "  - kind: dc\n"
                                  "    rectifier: 'infypower'\n"
                                  "  - {kind: dc, io_node: 33}\n"
                                  "log: {level: debug}\n"),
                     PW_OK);
    assert_int_equal(f->config.count, 8);
    assert_entry(f, 0, "station.id", "CP1", 3);
    assert_entry(f, 1, "station.serial", "", 4);
    assert_entry(f, 2, "alone", "7", 5);
    assert_entry(f, 3, "connectors[0].kind", "dc", 7);
    assert_entry(f, 4, "connectors[0].rectifier", "infypower", 8);
    assert_entry(f, 5, "connectors[1].kind", "dc", 9);
    assert_entry(f, 6, "connectors[1].io_node", "33", 9);
    assert_entry(f, 7, "log.level", "debug", 10);
}

static void an_empty_file_has_no_settings(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_text(f, ""), PW_OK);
    assert_int_equal(f->config.count, 0);
    assert_int_equal(read_text(f, "# nothing\n"), PW_OK);
    assert_int_equal(f->config.count, 0);
}

static void each_bad_file_is_refused_with_line_and_cause(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *why; // behind the file's name
    } rows[] = {
        {"a:\n  b: 1\n  b: 2\n", ":3: a.b: is set twice, first in line 2"},
        {"l:\n- a: 1\n  a: 1\n", ":3: l[0].a: is set twice, first in line 2"},
        {"a: {b: 1}\na: {b: 2}\n", ":2: a.b: is set twice, first in line 1"},
        {"a: &x 1\n", ":1: anchors and tags are not allowed"},
        {"a: &x {b: 1}\n", ":1: anchors and tags are not allowed"},
        {"a: 1\nb: *x\n", ":2: anchors and tags are not allowed"},
        {"a: !!int 1\n", ":1: anchors and tags are not allowed"},
        {"a: !x [b]\n", ":1: anchors and tags are not allowed"},
        {"a:\n  b:\n    c: 1\n", ":3: sections inside sections are not allowed"},
        {"l:\n- a:\n    b: 1\n", ":3: sections inside sections are not allowed"},
        {"? {a: 1}\n: 2\n", ":1: sections inside sections are not allowed"},
        {"a: [1, 2]\n", ":1: a list holds sections of \"key: value\" only"},
        {"a:\n  b: [1]\n", ":2: a list is not allowed here"},
        {"- a: 1\n", ":1: a list is not allowed here"},
        {"l:\n- [a]\n", ":2: a list is not allowed here"},
        {"just text\n", ":1: expected sections of \"key: value\""},
        {"a: 1\n---\nb: 2\n", ":2: a second document (---) is not allowed"},
        {"a:\n  b:\n", ":2: b: has no value; write \"\" for an empty text"},
        {"A: 1\n", ":1: A: is no key: small letters, digits and _ only"},
        {"a b: 1\n", ":1: a b: is no key: small letters, digits and _ only"},
        {"<<: 1\n", ":1: <<: is no key: small letters, digits and _ only"},
        {"\"\": 1\n", ":1: : is no key: small letters, digits and _ only"},
        {"a: \"x\n", ":2: found unexpected end of stream"},
        {"a: 1\n\tb: 2\n", ":2: found a tab character that violates indentation"},
        {"a:\n  b: 1\n c: 2\n", ":3: did not find expected key"},
        {"a: \xFF\n", ":1: invalid leading UTF-8 octet"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        int err = read_text(f, rows[i].text);
        char want[512];
        (void)snprintf(want, sizeof(want), "%s%s", f->path, rows[i].why);
        if (err != PW_ERR_PEER || strcmp(f->why, want) != 0) {
            fail_msg("%s\n-> %d %s\nwanted %s", rows[i].text, err, f->why, want);
        }
    }
}

static void limits_are_kept(void **state)
{
    struct fixture *f = *state;
    static char text[PW_CONFIG_FILE_MAX + 2];
    memset(text, '#', PW_CONFIG_FILE_MAX);
    assert_int_equal(read_text(f, text), PW_OK);
    memset(text, '#', PW_CONFIG_FILE_MAX + 1);
    assert_int_equal(read_text(f, text), PW_ERR_PEER);
    assert_non_null(strstr(f->why, "s.yaml: is longer than 65536 bytes"));

    struct pw_out out = PW_OUT(text);
    for (int i = 0; i <= PW_CONFIG_ENTRIES_MAX; i++) {
        pw_put_s(&out, "k");
        pw_put_int(&out, i);
        pw_put_s(&out, ": 1\n");
    }
    assert_int_equal(read_text(f, text), PW_ERR_PEER);
    assert_non_null(strstr(f->why, "s.yaml:513: more than 512 settings"));

    out = PW_OUT(text);
    pw_put_s(&out, "l:\n");
    for (int i = 0; i <= PW_CONFIG_LIST_MAX; i++) {
        pw_put_s(&out, "- a: 1\n");
    }
    assert_int_equal(read_text(f, text), PW_ERR_PEER);
    assert_non_null(strstr(f->why, "s.yaml:18: more than 16 sections in a list"));
}

static void a_missing_file_and_a_folder_are_named(void **state)
{
    struct fixture *f = *state;
    struct pw_out why = PW_OUT(f->why);
    assert_int_equal(pw_config_read(&f->config, "no.yaml", false, &why), PW_ERR_PEER);
    assert_string_equal(f->why, "no.yaml: No such file or directory");
    why = PW_OUT(f->why);
    assert_int_equal(pw_config_read(&f->config, f->folder.path, false, &why), PW_ERR_PEER);
    assert_non_null(strstr(f->why, ": is no file"));
}

// Every mode with a bit for group or others is refused, and only those.
static void secrets_that_others_can_read_are_refused(void **state)
{
    struct fixture *f = *state;
    folder_write(&f->folder, "secrets.yaml", "ocpp:\n  authorization_key: x\n", 0600, f->path);
    for (unsigned mode = 0400; mode <= 0777; mode++) {
        assert_int_equal(chmod(f->path, mode), 0);
        struct pw_out why = PW_OUT(f->why);
        int err = pw_config_read(&f->config, f->path, true, &why);
        assert_int_equal(err, (mode & 077) == 0 ? PW_OK : PW_ERR_PEER);
    }
    char want[512];
    (void)snprintf(want, sizeof(want),
                   "%s: holds secrets and others may read it (mode 0777); run: chmod 600 %s",
                   f->path, f->path);
    assert_string_equal(f->why, want);
    pw_config_wipe(&f->config);
    for (size_t i = 0; i < sizeof(f->config.bytes); i++) {
        assert_int_equal(f->config.bytes[i], 0);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sections_and_lists_become_paths_with_their_lines),
        CASE(an_empty_file_has_no_settings),
        CASE(each_bad_file_is_refused_with_line_and_cause),
        CASE(limits_are_kept),
        CASE(a_missing_file_and_a_folder_are_named),
        CASE(secrets_that_others_can_read_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Tasks of the command line on the database: stations, users, cards.
#include "program.h"

#include <stdio.h>
#include <stdlib.h>

static struct pw_str read_secret(const struct program *program, char *to, size_t cap)
{
    if (!program->options.from_stdin || fgets(to, (int)cap, stdin) == NULL) {
        return (struct pw_str){.at = "", .len = 0};
    }
    return pw_str_trim(pw_str_of(to));
}

static int station_add(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_KEY_MAX];
    const char *id = program->options.name;
    struct pw_str key = read_secret(program, given, sizeof(given));
    int result = pw_central_station_add(program->central, pw_str_of(id), key,
                                        program->options.replace, made, program_now(program));
    if (result == PW_ERR_RANGE) {
        return program_fail(
            "station add", id,
            "an id has 1 to 48 letters, digits or _.:@=*+-, a key 16 to 40 printable "
            "characters");
    }
    if (result == PW_ERR_BUSY) {
        return program_fail("station add", id, "it exists; --replace gives it a new key");
    }
    if (result != PW_OK) {
        return program_fail("station add", id, pw_err_name(result));
    }
    if (made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return EXIT_SUCCESS;
}

static void print_station(void *context, const char *id, bool has_key, pw_unix_ms last_seen)
{
    (void)context;
    char seen[PW_TIME_TEXT_MAX] = "never";
    if (last_seen != 0) {
        struct pw_out out = PW_OUT(seen);
        pw_put_time(&out, last_seen);
    }
    (void)printf("%-48s  %-6s  last seen %s\n", id, has_key ? "key" : "no key", seen);
}

static int station_remove(struct program *program)
{
    const char *id = program->options.name;
    int result = pw_central_station_remove(program->central, pw_str_of(id), program_now(program));
    if (result != PW_OK) {
        return program_fail("station remove", id,
                            result == PW_ERR_UNKNOWN ? "there is no station with a key of this id"
                                                     : pw_err_name(result));
    }
    return EXIT_SUCCESS;
}

// What became of a change to a user, in words.
static int user_changed(const char *task, const char *name, int result)
{
    static const struct {
        int result;
        const char *why;
    } words[] = {
        {PW_ERR_RANGE, "a name has 1 to 64 letters, digits or _.@+-, a password 10 to 128 bytes; a "
                       "role is viewer, operator or admin"},
        {PW_ERR_UNKNOWN, "there is no such user; user add makes one"},
    };
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        if (result == words[i].result) {
            return program_fail(task, name, words[i].why);
        }
    }
    return result == PW_OK ? EXIT_SUCCESS : program_fail(task, name, pw_err_name(result));
}

static int user_add(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_PASSWORD_MAX];
    const char *name = program->options.name;
    if (program->options.role == NULL) {
        return program_fail("user add", name, "--role is missing: viewer, operator or admin");
    }
    int result =
        pw_central_user_add(program->central, pw_str_of(name), pw_str_of(program->options.role),
                            read_secret(program, given, sizeof(given)), made);
    if (result == PW_ERR_BUSY) {
        return program_fail("user add", name,
                            "the user exists; user password gives a new password");
    }
    if (result == PW_OK && made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return user_changed("user add", name, result);
}

static void print_user(void *context, struct pw_str name, struct pw_str role)
{
    (void)context;
    (void)printf("%-64.*s  %.*s\n", (int)name.len, name.at, (int)role.len, role.at);
}

static int user_role(struct program *program)
{
    const char *name = program->options.name;
    int result =
        pw_central_user_role(program->central, pw_str_of(name), pw_str_of(program->options.label));
    return result == PW_ERR_BUSY ? program_fail("user role", name, "this is the last admin")
                                 : user_changed("user role", name, result);
}

static int user_remove(struct program *program)
{
    const char *name = program->options.name;
    int result = pw_central_user_remove(program->central, pw_str_of(name));
    return result == PW_ERR_BUSY ? program_fail("user remove", name, "this is the last admin")
                                 : user_changed("user remove", name, result);
}

static int user_password(struct program *program)
{
    char given[256];
    char made[PW_CENTRAL_PASSWORD_MAX];
    const char *name = program->options.name;
    int result = pw_central_user_password(program->central, pw_str_of(name),
                                          read_secret(program, given, sizeof(given)), made);
    if (result == PW_OK && made[0] != '\0') {
        (void)printf("%s\n", made);
    }
    return user_changed("user password", name, result);
}

static int card_add(struct program *program)
{
    int result = pw_central_card_add(program->central, pw_str_of(program->options.name),
                                     pw_str_of(program->options.label));
    if (result != PW_OK) {
        return program_fail("card add", program->options.name,
                            result == PW_ERR_RANGE
                                ? "a tag has 1 to 20 characters, a name at most 64"
                                : pw_err_name(result));
    }
    return EXIT_SUCCESS;
}

int tasks_run(struct program *program)
{
    if (!program_central(program, NULL)) {
        return EXIT_FAILURE;
    }
    switch (program->options.task) {
    case TASK_STATION_ADD: return station_add(program);
    case TASK_STATION_LIST:
        pw_central_station_list(program->central, print_station, NULL);
        return EXIT_SUCCESS;
    case TASK_STATION_REMOVE: return station_remove(program);
    case TASK_USER_ADD: return user_add(program);
    case TASK_USER_LIST:
        pw_central_user_list(program->central, print_user, NULL);
        return EXIT_SUCCESS;
    case TASK_USER_ROLE: return user_role(program);
    case TASK_USER_REMOVE: return user_remove(program);
    case TASK_USER_PASSWORD: return user_password(program);
    case TASK_CARD_ADD: return card_add(program);
    case TASK_LINK_PIN:
    case TASK_CA_INIT:
    case TASK_CA_SHOW:
    case TASK_CA_SERVER:
    case TASK_KEY_ROTATE:
    case TASK_SERVE:
    case TASK_HELP:
    case TASK_VERSION: break;
    }
    PW_UNREACHABLE();
}

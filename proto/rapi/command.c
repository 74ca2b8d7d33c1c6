// Commands as rows, and the judgement of a line by them.
#include "rapi/command.h"

#include <string.h>

#define NONE                                                                                       \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define NUMBER(name_, unit_, least_, most_)                                                        \
    {.name = (name_), .form = PW_RAPI_NUMBER, .unit = (unit_), .least = (least_), .most = (most_)},
#define CHOICE(name_, words_)                                                                      \
    {.name = (name_), .form = PW_RAPI_CHOICE, .unit = "", .words = (words_)},
#define TEXT(name_) {.name = (name_), .form = PW_RAPI_TEXT, .unit = ""},
#define ROW(name_, text_, answer_, who_, why_, since_, until_, board_, slow_, ...)                 \
    {.name = (name_),                                                                              \
     .text = (text_),                                                                              \
     .arg = {__VA_ARGS__},                                                                         \
     .answer = (answer_),                                                                          \
     .who = PW_RAPI_##who_,                                                                        \
     .why = (why_),                                                                                \
     .since_rapi = (since_),                                                                       \
     .until_rapi = (until_),                                                                       \
     .since_board = (board_),                                                                      \
     .slow_ms = (slow_)},

static const struct pw_rapi_command commands[] = {
#include "rapi/commands.def"
};

// A body leaves room for the checksum; a sequence id goes along when there is room for it too.
enum { BODY_MAX = PW_RAPI_COMMAND_MAX - 3 };

const struct pw_rapi_command *pw_rapi_command_at(unsigned index)
{
    return index < PW_COUNT(commands) ? &commands[index] : NULL;
}

static unsigned args_of(const struct pw_rapi_command *command)
{
    unsigned count = 0;
    while (count < PW_RAPI_ARGS_MAX && command->arg[count].name != NULL) {
        count++;
    }
    return count;
}

static bool is_one_of(struct pw_str word, const char *words)
{
    struct pw_str rest = pw_str_of(words);
    while (rest.len > 0) {
        if (pw_str_eq(word, pw_str_cut(&rest, '|'))) {
            return true;
        }
    }
    return false;
}

static void say_wrong(struct pw_out *why, const struct pw_rapi_command *command,
                      const struct pw_rapi_arg *arg, struct pw_str word)
{
    if (why == NULL) {
        return;
    }
    pw_put_c(why, '$');
    pw_put_s(why, command->name);
    pw_put_s(why, ": ");
    pw_put_s(why, arg->name);
    pw_put_s(why, " is ");
    pw_put(why, word);
    pw_put_s(why, ", must be ");
    if (arg->form == PW_RAPI_NUMBER) {
        pw_put_int(why, arg->least);
        if (arg->most != arg->least) {
            pw_put_s(why, " to ");
            pw_put_int(why, arg->most);
        }
        pw_put_s(why, arg->unit[0] == '\0' ? "" : " ");
        pw_put_s(why, arg->unit);
    } else {
        pw_put_s(why, "one of ");
        pw_put_s(why, arg->words);
    }
}

// The first argument that does not fit; the number of arguments when all do.
static unsigned first_wrong(const struct pw_rapi_command *command, const struct pw_rapi_line *line)
{
    unsigned args = args_of(command);
    for (unsigned i = 0; i < args; i++) {
        const struct pw_rapi_arg *arg = &command->arg[i];
        struct pw_str word = line->word[i + 1];
        int64_t value;
        bool fits = true;
        switch (arg->form) {
        case PW_RAPI_NUMBER:
            fits = word.len <= 10 && word.at[0] != '-' &&
                   pw_parse_int(word, arg->least, arg->most, &value) == PW_OK;
            break;
        case PW_RAPI_CHOICE: fits = is_one_of(word, arg->words); break;
        case PW_RAPI_TEXT: break;
        }
        if (!fits) {
            return i;
        }
    }
    return args;
}

static bool count_fits(const struct pw_rapi_command *command, unsigned given)
{
    unsigned args = args_of(command);
    bool text = args > 0 && command->arg[args - 1].form == PW_RAPI_TEXT;
    return given == args || (text && given > args);
}

// Of the rows with this name and number of arguments the one that fits furthest is spoken of.
const struct pw_rapi_command *pw_rapi_command_of(const struct pw_rapi_line *line,
                                                 struct pw_out *why)
{
    const struct pw_rapi_command *nearest = NULL;
    bool named = false;
    unsigned best = 0;
    unsigned given = line->words - 1U;
    for (unsigned i = 0; i < PW_COUNT(commands); i++) {
        const struct pw_rapi_command *command = &commands[i];
        if (!pw_str_is(line->word[0], command->name)) {
            continue;
        }
        named = true;
        if (!count_fits(command, given)) {
            continue;
        }
        unsigned wrong = first_wrong(command, line);
        if (wrong == args_of(command)) {
            return command;
        }
        if (nearest == NULL || wrong >= best) {
            nearest = command;
            best = wrong;
        }
    }
    if (nearest != NULL) {
        say_wrong(why, nearest, &nearest->arg[best], line->word[best + 1]);
    } else if (why != NULL) {
        pw_put_c(why, '$');
        pw_put(why, line->word[0]);
        pw_put_s(why, named ? ": wrong number of arguments" : " is no command of RAPI");
    }
    return NULL;
}

// What a line may consist of: the board takes it apart at these, or prints them as it likes.
static bool is_plain(struct pw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c < 0x20 || c > 0x7E || c == '$' || c == '^' || c == '*') {
            return false;
        }
    }
    return true;
}

static int refuse(struct pw_out *why, const char *text, int err)
{
    if (why != NULL) {
        pw_put_s(why, text);
    }
    return err;
}

static int judge(const struct pw_rapi_line *line, enum pw_rapi_who who, struct pw_out *why)
{
    struct pw_str bare = {.at = line->body.at + 1, .len = line->body.len - 1};
    if (!is_plain(bare)) {
        return refuse(why, "a character that RAPI cannot carry", PW_ERR_PEER);
    }
    if (line->body.len > BODY_MAX || line->words > PW_RAPI_TOKENS_MAX) {
        return refuse(why, "longer than a board takes: 28 characters, 10 words", PW_ERR_LIMIT);
    }
    const struct pw_rapi_command *command = pw_rapi_command_of(line, why);
    if (command == NULL) {
        return PW_ERR_RANGE;
    }
    if (command->who == PW_RAPI_NOBODY) {
        return refuse(why, command->why, PW_ERR_BUSY);
    }
    if (command->who > who) {
        return refuse(why, "only an administrator may send it", PW_ERR_BUSY);
    }
    return PW_OK;
}

int pw_rapi_command_raw(struct pw_str line, enum pw_rapi_who who, struct pw_out *body,
                        struct pw_out *why)
{
    char text[PW_RAPI_LINE_MAX];
    struct pw_out with = PW_OUT(text);
    struct pw_rapi_line split;
    line = pw_str_trim(line);
    pw_put_s(&with, line.len > 0 && line.at[0] == '$' ? "" : "$");
    pw_put(&with, line);
    if (with.full) {
        return refuse(why, "longer than a board takes: 28 characters, 10 words", PW_ERR_LIMIT);
    }
    int err = pw_rapi_split(pw_out_str(&with), &split);
    if (err == PW_ERR_LIMIT) {
        return refuse(why, "longer than a board takes: 28 characters, 10 words", PW_ERR_LIMIT);
    }
    if (err != PW_OK) {
        return refuse(why, "no RAPI line, or its checksum does not hold", PW_ERR_PEER);
    }
    err = judge(&split, who, why);
    if (err != PW_OK) {
        return err;
    }
    pw_put(body, split.body);
    return pw_out_err(body);
}

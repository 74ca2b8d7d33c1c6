#include "scenario/rows.h"

static void put_quoted(struct pw_out *out, struct pw_str text)
{
    pw_put_c(out, '"');
    pw_put(out, text);
    pw_put_c(out, '"');
}

static void put_name(struct pw_out *out, const struct pw_row *row)
{
    pw_put_s(out, row->verb);
    if (row->word != NULL) {
        pw_put_c(out, ' ');
        pw_put_s(out, row->word);
    }
}

static const char *word_of(const struct pw_row *row, size_t place)
{
    return row->words != NULL ? row->words[place] : row->word_at(place);
}

static void put_words(struct pw_out *out, const struct pw_row *row)
{
    for (size_t i = 0; word_of(row, i) != NULL; i++) {
        pw_put_s(out, i > 0 ? ", " : "");
        pw_put_s(out, word_of(row, i));
    }
}

void pw_rows_help(const struct pw_row *rows, struct pw_out *out)
{
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        size_t start = out->len;
        pw_put_s(out, "  ");
        put_name(out, row);
        if (row->shows != NULL) {
            pw_put_c(out, ' ');
            pw_put_s(out, row->shows);
        }
        while (out->len < start + 34 && !out->full) {
            pw_put_c(out, ' ');
        }
        pw_put_s(out, row->doc);
        pw_put_c(out, '\n');
    }
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        if (row->kind == PW_ROW_WORD) {
            put_name(out, row);
            pw_put_s(out, ": ");
            put_words(out, row);
            pw_put_c(out, '\n');
        }
    }
}

static int refuse_verb(const struct pw_row *rows, struct pw_str verb, struct pw_out *answer)
{
    pw_put_s(answer, "unknown command ");
    put_quoted(answer, verb);
    pw_put_s(answer, "; commands are ");
    const char *last = "";
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        if (!pw_str_is(pw_str_of(last), row->verb)) {
            pw_put_s(answer, row > rows ? ", " : "");
            pw_put_s(answer, row->verb);
            last = row->verb;
        }
    }
    return PW_ERR_UNKNOWN;
}

static int refuse_word(const struct pw_row *rows, struct pw_str verb, struct pw_str word,
                       struct pw_out *answer)
{
    pw_put(answer, verb);
    pw_put_c(answer, ' ');
    put_quoted(answer, word);
    pw_put_s(answer, ": must be ");
    const char *between = "";
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        if (pw_str_is(verb, row->verb)) {
            pw_put_s(answer, between);
            pw_put_s(answer, row->word != NULL ? row->word : "nothing");
            between = ", ";
        }
    }
    return PW_ERR_RANGE;
}

static int refuse_argument(const struct pw_row *row, struct pw_str text, struct pw_out *answer)
{
    put_name(answer, row);
    pw_put_c(answer, ' ');
    put_quoted(answer, text);
    pw_put_s(answer, ": must be ");
    switch (row->kind) {
    case PW_ROW_NOTHING: pw_put_s(answer, "nothing"); break;
    case PW_ROW_NUMBER:
    case PW_ROW_MAYBE:
        pw_put_fixed(answer, row->least, row->decimals);
        pw_put_s(answer, "..");
        pw_put_fixed(answer, row->most, row->decimals);
        break;
    case PW_ROW_WORD: put_words(answer, row); break;
    case PW_ROW_TEXT:
        pw_put_s(answer, "a text of ");
        pw_put_int(answer, row->least);
        pw_put_s(answer, "..");
        pw_put_int(answer, row->most);
        pw_put_s(answer, " characters, got ");
        pw_put_uint(answer, text.len);
        break;
    }
    return PW_ERR_RANGE;
}

static bool read_word(const struct pw_row *row, struct pw_str text, int64_t *place)
{
    for (size_t i = 0; word_of(row, i) != NULL; i++) {
        if (pw_str_is(text, word_of(row, i))) {
            *place = (int64_t)i;
            return true;
        }
    }
    return false;
}

static bool read_argument(const struct pw_row *row, struct pw_str text, struct pw_row_call *call)
{
    call->text = text;
    switch (row->kind) {
    case PW_ROW_NOTHING: return text.len == 0;
    case PW_ROW_NUMBER:
        return pw_parse_fixed(text, row->decimals, &call->number) == PW_OK &&
               call->number >= row->least && call->number <= row->most;
    case PW_ROW_MAYBE:
        return text.len == 0 || pw_parse_int(text, row->least, row->most, &call->number) == PW_OK;
    case PW_ROW_WORD: return read_word(row, text, &call->number);
    case PW_ROW_TEXT: return (int64_t)text.len >= row->least && (int64_t)text.len <= row->most;
    }
    PW_UNREACHABLE();
}

// The row of a verb and, where its rows have one, a word; *rest loses the word. NULL without one.
static const struct pw_row *find(const struct pw_row *rows, struct pw_str verb, struct pw_str *rest)
{
    const struct pw_row *plain = NULL;
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        if (!pw_str_is(verb, row->verb)) {
            continue;
        }
        struct pw_str after = *rest;
        if (row->word == NULL) {
            plain = row;
        } else if (pw_str_is(pw_str_cut(&after, ' '), row->word)) {
            *rest = pw_str_trim(after);
            return row;
        }
    }
    return plain;
}

static bool has_verb(const struct pw_row *rows, struct pw_str verb)
{
    for (const struct pw_row *row = rows; row->verb != NULL; row++) {
        if (pw_str_is(verb, row->verb)) {
            return true;
        }
    }
    return false;
}

static int run(const struct pw_row *rows, const struct pw_row *row, void *world,
               const struct pw_row_call *call)
{
    struct pw_out *answer = call->answer;
    size_t before = answer->len;
    int err = PW_OK;
    if (row->run != NULL) {
        err = row->run(world, call);
    } else {
        pw_rows_help(rows, answer);
    }
    if (err != PW_OK) {
        return err;
    }
    if (answer->len > before || answer->full) {
        return pw_out_err(answer);
    }
    pw_put_s(answer, "ok");
    return 1;
}

int pw_rows_run(const struct pw_row *rows, void *world, struct pw_str line, struct pw_out *answer)
{
    struct pw_str rest = pw_str_trim(line);
    if (rest.len == 0) {
        return 0;
    }
    struct pw_str verb = pw_str_cut(&rest, ' ');
    rest = pw_str_trim(rest);
    const struct pw_row *row = find(rows, verb, &rest);
    if (row == NULL) {
        return has_verb(rows, verb) ? refuse_word(rows, verb, rest, answer)
                                    : refuse_verb(rows, verb, answer);
    }
    struct pw_row_call call = {.which = row->which, .answer = answer};
    if (!read_argument(row, rest, &call)) {
        return row->word == NULL && row->kind == PW_ROW_NOTHING && rest.len > 0
                   ? refuse_word(rows, verb, rest, answer)
                   : refuse_argument(row, rest, answer);
    }
    return run(rows, row, world, &call);
}

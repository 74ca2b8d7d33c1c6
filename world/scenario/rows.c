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

static void put_words(struct pw_out *out, const struct pw_row *row)
{
    for (size_t i = 0; row->words(i) != NULL; i++) {
        pw_put_s(out, i > 0 ? ", " : "");
        pw_put_s(out, row->words(i));
    }
}

void pw_rows_help(pw_rows_at at, struct pw_out *out)
{
    for (size_t i = 0; at(i) != NULL; i++) {
        size_t start = out->len;
        pw_put_s(out, "  ");
        put_name(out, at(i));
        if (at(i)->shows != NULL) {
            pw_put_c(out, ' ');
            pw_put_s(out, at(i)->shows);
        }
        while (out->len < start + 34 && !out->full) {
            pw_put_c(out, ' ');
        }
        pw_put_s(out, at(i)->doc);
        pw_put_c(out, '\n');
    }
    for (size_t i = 0; at(i) != NULL; i++) {
        if (at(i)->kind == PW_ROW_WORD) {
            put_name(out, at(i));
            pw_put_s(out, ": ");
            put_words(out, at(i));
            pw_put_c(out, '\n');
        }
    }
}

static int refuse_verb(pw_rows_at at, struct pw_str verb, struct pw_out *answer)
{
    pw_put_s(answer, "unknown command ");
    put_quoted(answer, verb);
    pw_put_s(answer, "; commands are ");
    const char *last = "";
    for (size_t i = 0; at(i) != NULL; i++) {
        if (!pw_str_is(pw_str_of(last), at(i)->verb)) {
            pw_put_s(answer, i > 0 ? ", " : "");
            pw_put_s(answer, at(i)->verb);
            last = at(i)->verb;
        }
    }
    return PW_ERR_UNKNOWN;
}

static int refuse_word(pw_rows_at at, struct pw_str verb, struct pw_str word, struct pw_out *answer)
{
    pw_put(answer, verb);
    pw_put_c(answer, ' ');
    put_quoted(answer, word);
    pw_put_s(answer, ": must be ");
    const char *between = "";
    for (size_t i = 0; at(i) != NULL; i++) {
        if (pw_str_is(verb, at(i)->verb)) {
            pw_put_s(answer, between);
            pw_put_s(answer, at(i)->word != NULL ? at(i)->word : "nothing");
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
    case PW_ROW_TEXT: pw_put_s(answer, "a text"); break;
    }
    return PW_ERR_RANGE;
}

static bool read_word(const struct pw_row *row, struct pw_str text, int64_t *place)
{
    for (size_t i = 0; row->words(i) != NULL; i++) {
        if (pw_str_is(text, row->words(i))) {
            *place = (int64_t)i;
            return true;
        }
    }
    return false;
}

static bool read_argument(const struct pw_row *row, struct pw_str text,
                          struct pw_row_argument *argument)
{
    argument->text = text;
    switch (row->kind) {
    case PW_ROW_NOTHING: return text.len == 0;
    case PW_ROW_NUMBER:
        return pw_parse_fixed(text, row->decimals, &argument->number) == PW_OK &&
               argument->number >= row->least && argument->number <= row->most;
    case PW_ROW_MAYBE:
        return text.len == 0 ||
               pw_parse_int(text, row->least, row->most, &argument->number) == PW_OK;
    case PW_ROW_WORD: return read_word(row, text, &argument->number);
    case PW_ROW_TEXT: return text.len > 0;
    }
    PW_UNREACHABLE();
}

// Where the row of a verb and, where its rows have one, a word stands; *rest loses the word. False
// without one.
static bool find(pw_rows_at at, struct pw_str verb, struct pw_str *rest, size_t *row)
{
    bool plain = false;
    for (size_t i = 0; at(i) != NULL; i++) {
        if (!pw_str_is(verb, at(i)->verb)) {
            continue;
        }
        struct pw_str after = *rest;
        if (at(i)->word == NULL) {
            *row = i;
            plain = true;
        } else if (pw_str_is(pw_str_cut(&after, ' '), at(i)->word)) {
            *rest = pw_str_trim(after);
            *row = i;
            return true;
        }
    }
    return plain;
}

static bool has_verb(pw_rows_at at, struct pw_str verb)
{
    for (size_t i = 0; at(i) != NULL; i++) {
        if (pw_str_is(verb, at(i)->verb)) {
            return true;
        }
    }
    return false;
}

int pw_rows_read(pw_rows_at at, struct pw_str line, size_t *row, struct pw_row_argument *argument,
                 struct pw_out *answer)
{
    struct pw_str rest = pw_str_trim(line);
    if (rest.len == 0) {
        return 0;
    }
    struct pw_str verb = pw_str_cut(&rest, ' ');
    rest = pw_str_trim(rest);
    if (!find(at, verb, &rest, row)) {
        return has_verb(at, verb) ? refuse_word(at, verb, rest, answer)
                                  : refuse_verb(at, verb, answer);
    }
    const struct pw_row *found = at(*row);
    *argument = (struct pw_row_argument){0};
    if (!read_argument(found, rest, argument)) {
        return found->word == NULL && found->kind == PW_ROW_NOTHING && rest.len > 0
                   ? refuse_word(at, verb, rest, answer)
                   : refuse_argument(found, rest, answer);
    }
    return 1;
}

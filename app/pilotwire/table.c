#include "table.h"

#include <stdlib.h>
#include <string.h>

#define CELL_MAX    4096
#define COLUMNS_MAX 24

int document_read(struct document *document, struct pw_str text, struct pw_out *why)
{
    size_t nodes = text.len / 2 + 1;
    nodes = nodes > PW_JSON_NODES_MAX ? PW_JSON_NODES_MAX : nodes;
    *document = (struct document){.node = calloc(nodes, sizeof(struct pw_json_node)),
                                  .spare = malloc(text.len + 1)};
    if (document->node == NULL || document->spare == NULL) {
        document_free(document);
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    document->json = (struct pw_json){.node = document->node,
                                      .cap = (uint32_t)nodes,
                                      .spare = document->spare,
                                      .spare_cap = text.len + 1};
    int err = pw_json_read(&document->json, text);
    if (err != PW_OK) {
        pw_put_s(why, "the answer is no JSON: ");
        pw_put_s(why, pw_json_fault_name(document->json.fault));
        document_free(document);
    }
    return err;
}

void document_free(struct document *document)
{
    free(document->node);
    free(document->spare);
    document->node = NULL;
    document->spare = NULL;
}

const struct pw_json_node *document_root(const struct document *document)
{
    return document->node;
}

const struct pw_json_node *member_at(const struct pw_json_node *object, const char *path)
{
    struct pw_str rest = pw_str_of(path);
    while (rest.len > 0 && object != NULL) {
        char key[64];
        struct pw_str part = pw_str_cut(&rest, '.');
        if (pw_str_copy(key, sizeof(key), part) != PW_OK) {
            return NULL;
        }
        object = pw_json_member(object, key);
    }
    return object;
}

static void put_safe(struct pw_out *out, struct pw_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t obeyed = pw_str_obeyed(text, i);
        pw_put_c(out, obeyed > 0 ? '?' : text.at[i]);
        i += obeyed > 0 ? obeyed : 1;
    }
}

static void put_one(struct pw_out *out, const struct pw_json_node *value, bool human)
{
    struct pw_str text = {0};
    if (value == NULL || pw_json_is(value, PW_JSON_NULL)) {
        pw_put_s(out, human ? "-" : "");
    } else if (pw_json_is(value, PW_JSON_TRUE)) {
        pw_put_s(out, human ? "yes" : "true");
    } else if (pw_json_is(value, PW_JSON_FALSE)) {
        pw_put_s(out, human ? "no" : "false");
    } else if (pw_json_text(value, &text) == PW_OK) {
        put_safe(out, text);
        pw_put_s(out, human && text.len == 0 ? "-" : "");
    } else {
        put_safe(out, (struct pw_str){.at = value->at, .len = value->len});
    }
}

void put_value(struct pw_out *out, const struct pw_json_node *value, enum form form)
{
    bool human = form == FORM_HUMAN;
    if (value == NULL || !pw_json_is(value, PW_JSON_ARRAY)) {
        put_one(out, value, human);
        return;
    }
    struct pw_json_iter it = pw_json_each(value);
    const char *between = "";
    for (const struct pw_json_node *item = pw_json_next(&it); item != NULL;
         item = pw_json_next(&it)) {
        pw_put_s(out, between);
        put_one(out, item, human);
        between = " ";
    }
}

static const struct pw_json_node *
cell(const struct column *column, const struct pw_json_node *around, const struct pw_json_node *row)
{
    return column->path[0] == '^' ? member_at(around, column->path + 1)
                                  : member_at(row, column->path);
}

// ---------------------------------------------------------------------------------------------

struct printing {
    const struct table *table;
    enum form form;
    FILE *to;
    size_t width[COLUMNS_MAX];
    bool measuring;
};

static void pad(FILE *to, size_t spaces)
{
    for (size_t i = 0; i < spaces; i++) {
        (void)fputc(' ', to);
    }
}

static void print_cell(const struct printing *printing, size_t i, struct pw_str text)
{
    const struct table *table = printing->table;
    bool last = i + 1 == table->columns;
    if (printing->form == FORM_TSV) {
        (void)fprintf(printing->to, "%.*s%c", (int)text.len, text.at, last ? '\n' : '\t');
        return;
    }
    size_t chars = pw_json_chars(text);
    size_t spaces = printing->width[i] > chars ? printing->width[i] - chars : 0;
    bool right = table->column[i].right;
    pad(printing->to, right ? spaces : 0);
    (void)fprintf(printing->to, "%.*s", (int)text.len, text.at);
    pad(printing->to, right || last ? 0 : spaces);
    (void)fputs(last ? "\n" : "  ", printing->to);
}

static void do_cell(struct printing *printing, size_t i, struct pw_str text)
{
    if (printing->measuring) {
        size_t chars = pw_json_chars(text);
        printing->width[i] = chars > printing->width[i] ? chars : printing->width[i];
    } else {
        print_cell(printing, i, text);
    }
}

static void do_row(struct printing *printing, const struct pw_json_node *around,
                   const struct pw_json_node *row)
{
    for (size_t i = 0; i < printing->table->columns; i++) {
        char text[CELL_MAX];
        struct pw_out out = PW_OUT(text);
        put_value(&out, cell(&printing->table->column[i], around, row), printing->form);
        do_cell(printing, i, pw_out_str(&out));
    }
}

static void do_all(struct printing *printing)
{
    const struct table *table = printing->table;
    for (size_t i = 0; i < table->columns && (printing->measuring || !table->untitled); i++) {
        do_cell(printing, i, pw_str_of(table->column[i].title));
    }
    struct pw_json_iter outer = pw_json_each(table->rows);
    for (const struct pw_json_node *row = pw_json_next(&outer); row != NULL;
         row = pw_json_next(&outer)) {
        if (table->inner == NULL) {
            do_row(printing, NULL, row);
            continue;
        }
        struct pw_json_iter inner = pw_json_each(pw_json_member(row, table->inner));
        for (const struct pw_json_node *item = pw_json_next(&inner); item != NULL;
             item = pw_json_next(&inner)) {
            do_row(printing, row, item);
        }
    }
}

void table_print_row(const struct table *table, const struct pw_json_node *row, enum form form,
                     FILE *to)
{
    struct printing printing = {.table = table, .form = form, .to = to};
    do_row(&printing, NULL, row);
}

void table_print(const struct table *table, enum form form, FILE *to)
{
    struct printing printing = {.table = table, .form = form, .to = to};
    PW_ASSERT(table->columns <= COLUMNS_MAX);
    if (form == FORM_HUMAN) {
        printing.measuring = true;
        do_all(&printing);
        printing.measuring = false;
    }
    do_all(&printing);
}

// table: JSON into what people and scripts read. Columns are rows of a table that name a member;
// people get aligned columns, scripts tab-separated values with the titles as first line.
#ifndef PW_APP_PILOTWIRE_TABLE_H
#define PW_APP_PILOTWIRE_TABLE_H

#include "json/json.h"

#include <stdio.h>

enum form { FORM_HUMAN, FORM_TSV, FORM_JSON };

struct column {
    const char *title;
    const char *path; // "status", "vehicle.model"; "^id" is a member of the object around
    bool right;       // numbers stand right-aligned for people
};

// A parsed document; its nodes borrow from the text it was read from.
struct document {
    struct pw_json json;
    struct pw_json_node *node;
    char *spare;
};

// Reads `text`, which must stay. PW_OK, or an error with a sentence in *why.
PW_MUST_USE int document_read(struct document *document, struct pw_str text, struct pw_out *why);
void document_free(struct document *document);
const struct pw_json_node *document_root(const struct document *document);

struct table {
    const struct column *column;
    size_t columns;
    const struct pw_json_node *rows; // an array of objects
    const char *inner; // NULL, or the member of each object whose array holds the rows
    bool untitled;     // without the first line
};

// One row by itself, for lists that grow.
void table_print_row(const struct table *table, const struct pw_json_node *row, enum form form,
                     FILE *to);
void table_print(const struct table *table, enum form form, FILE *to);

// The member at a path with dots, NULL without one.
const struct pw_json_node *member_at(const struct pw_json_node *object, const char *path);
// A value as text for `form`: control characters leave as '?', an array as its values with spaces.
void put_value(struct pw_out *out, const struct pw_json_node *value, enum form form);

#endif

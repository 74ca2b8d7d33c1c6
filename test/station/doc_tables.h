// doc_tables: a page of doc/ whose tables are made from rows. Each table stands between its mark
// ("<!-- values -->") and "<!-- end -->"; the rest of the page is written by hand.
#ifndef PW_DOC_TABLES_H
#define PW_DOC_TABLES_H

#include "base/base.h"

struct doc_table {
    const char *mark; // with its newline
    void (*put)(struct pw_out *out);
};

// The main() of such a program: compares the page with its rows, or with `--write` makes its tables
// anew. The tables stand in the page in this order.
int doc_tables(const char *path, const struct doc_table *tables, size_t count, int argc,
               char **argv);
void doc_code(struct pw_out *out, const char *text); // `text`, or nothing for ""

#endif

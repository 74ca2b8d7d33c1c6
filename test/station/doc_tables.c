#include "doc_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOC_MAX 131072

void doc_code(struct pw_out *out, const char *text)
{
    pw_put_s(out, text[0] == '\0' ? "" : "`");
    pw_put_s(out, text);
    pw_put_s(out, text[0] == '\0' ? "" : "`");
}

// The document with its tables made anew.
static bool make(const char *doc, const struct doc_table *tables, size_t count, struct pw_out *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *mark = strstr(doc, tables[i].mark);
        const char *end = mark == NULL ? NULL : strstr(mark, "<!-- end -->");
        if (end == NULL) {
            return false;
        }
        pw_put(out,
               (struct pw_str){.at = doc, .len = (size_t)(mark - doc) + strlen(tables[i].mark)});
        pw_put_c(out, '\n');
        tables[i].put(out);
        pw_put_c(out, '\n');
        doc = end;
    }
    pw_put_s(out, doc);
    return !out->full;
}

static bool write_whole(const char *path, struct pw_str text)
{
    FILE *file = fopen(path, "we");
    bool done = file != NULL && fwrite(text.at, 1, text.len, file) == text.len;
    return file != NULL && fclose(file) == 0 && done;
}

int doc_tables(const char *path, const struct doc_table *tables, size_t count, int argc,
               char **argv)
{
    static char doc[DOC_MAX];
    static char made[DOC_MAX];
    struct pw_out out = PW_OUT(made);
    FILE *file = fopen(path, "re");
    size_t len = file == NULL ? 0 : fread(doc, 1, sizeof(doc) - 1, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    doc[len] = '\0';
    if (!make(doc, tables, count, &out)) {
        (void)fprintf(stderr, "%s: a mark of a table is missing\n", path);
        return EXIT_FAILURE;
    }
    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        return write_whole(path, pw_out_str(&out)) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (strcmp(doc, made) != 0) {
        (void)fprintf(stderr, "%s is out of date: %s --write makes its tables\n", path, argv[0]);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

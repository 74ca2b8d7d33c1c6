#include "said.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 400000, KNOWN_MAX = 1 << 20 };

static FILE *file_of_run(void)
{
    static FILE *file;
    static bool asked;
    if (!asked) {
        const char *path = getenv("PW_OCPP_DUMP");
        asked = true;
        file = path == NULL || path[0] == '\0' ? NULL : fopen(path, "a");
        if (file != NULL) {
            // A line at once: processes that begin as copies of this one write to the same file.
            (void)setvbuf(file, NULL, _IOFBF, LINE_MAX_BYTES);
        }
    }
    return file;
}

static bool is_known(struct pw_str text)
{
    static uint64_t known[KNOWN_MAX];
    static unsigned count;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.at[i]) * UINT64_C(1099511628211);
    }
    hash += hash == 0 ? 1 : 0;
    size_t at = (size_t)(hash % KNOWN_MAX);
    while (known[at] != 0 && known[at] != hash) {
        at = (at + 1) % KNOWN_MAX;
    }
    if (known[at] == 0 && count < KNOWN_MAX / 2) {
        known[at] = hash;
        count++;
        return false;
    }
    return known[at] == hash;
}

// As a JSON string; bytes that are no UTF-8 stay as they are.
static void put_quoted(FILE *file, struct pw_str text)
{
    (void)fputc('"', file);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20) {
            (void)fprintf(file, "\\u%04x", c);
        } else {
            (void)fprintf(file, c == '"' || c == '\\' ? "\\%c" : "%c", c);
        }
    }
    (void)fputc('"', file);
}

void said(enum said_by by, uint64_t link, struct pw_str frame)
{
    static const char *const names[] = {"station", "central", "to station", "to central"};
    FILE *file = file_of_run();
    bool ours = by == SAID_BY_STATION || by == SAID_BY_CENTRAL;
    bool call = pw_str_starts(frame, "[2,");
    if (file == NULL || (ours && call && is_known(frame)) || (!ours && !call)) {
        return;
    }
    (void)fprintf(file, "{\"by\":\"%s\",\"link\":\"%ld/%llu\",\"frame\":", names[by],
                  (long)getpid(), (unsigned long long)link);
    put_quoted(file, frame);
    (void)fputs("}\n", file);
    (void)fflush(file);
}

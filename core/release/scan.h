// scan: reads canonical JSON: one way to write each thing, so that what was read is what was
// signed. Members stand in one fixed order, without spaces, escapes or leading zeros. For this room
// only.
#ifndef PW_RELEASE_SCAN_H
#define PW_RELEASE_SCAN_H

#include "release/release.h"

struct scan {
    struct pw_str left;
    size_t len;       // of the whole text
    const char *what; // "manifest", "root document"
    const char *name; // the member being read
    bool bad;         // then everything else reads as nothing
    struct pw_out *why;
};

struct scan pw_scan_of(struct pw_str text, const char *what, struct pw_out *why);
// Says what is wrong with the member being read, once.
void pw_scan_fail(struct scan *scan, const char *sentence);
// Exactly these bytes must come.
void pw_scan_expect(struct scan *scan, const char *literal);
// True when these bytes come; then they are read.
bool pw_scan_if(struct scan *scan, const char *literal);
// Next member: `before`, then "name": with its quotes and colon.
void pw_scan_member(struct scan *scan, const char *before, const char *name);
// A text in quotes, 0..cap - 1 characters of which `allowed` says true.
void pw_scan_text(struct scan *scan, char *to, size_t cap, bool (*allowed)(char c));
uint64_t pw_scan_number(struct scan *scan, uint64_t least, uint64_t most);
// A text of 2 × len lower-case hexadecimal digits.
void pw_scan_hex(struct scan *scan, uint8_t *to, size_t len);
// A text as pw_put_time writes it, or "" for 0 when `never`.
pw_unix_ms pw_scan_time(struct scan *scan, bool never);
int pw_scan_end(struct scan *scan);

bool pw_scan_is_name(char c);    // a-z 0-9 . - _
bool pw_scan_is_visible(char c); // ASCII without space, quotation mark and backslash

void pw_scan_put_hex(struct pw_out *out, const uint8_t *at, size_t len);

#endif

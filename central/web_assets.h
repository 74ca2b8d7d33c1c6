// web_assets: the dashboard's files as the web build leaves them, compressed, in the program.
// web/CMakeLists.txt defines the library `pw_web_assets` with this table; without it (no Node.js)
// the program has an empty table and says so on its front page.
#ifndef PW_CENTRAL_WEB_ASSETS_H
#define PW_CENTRAL_WEB_ASSETS_H

#include <stddef.h>
#include <stdint.h>

struct pw_web_asset {
    const char *path; // as requested, with leading slash: "/index.html", "/assets/app-3f2a.js"
    const char *content_type; // "text/html; charset=utf-8"
    const uint8_t *gzip;      // the file, gzip-compressed
    size_t len;               // bytes in `gzip`
    const char *etag;         // with its quotes: "\"3f2a91…\""
};

// "/" is served as "/index.html", as is every path without a dot that is no file (the pages of the
// dashboard). Paths under /assets/ never change their content: they are cached for a year.
extern const struct pw_web_asset pw_web_assets[];
extern const size_t pw_web_assets_count;

#endif

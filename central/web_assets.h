// web_assets: the dashboard's files as the web build leaves them, compressed, in the program.
// web/CMakeLists.txt defines the library `pw_web_assets` with this table; without it (no Node.js)
// the program has an empty table and says so on its front page.
#ifndef PW_CENTRAL_WEB_ASSETS_H
#define PW_CENTRAL_WEB_ASSETS_H

#include "http/http.h"

extern const struct pw_http_asset pw_web_assets[];
extern const size_t pw_web_assets_count;

#endif

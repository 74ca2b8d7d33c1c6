// The files of the station's page, as web/CMakeLists.txt makes them (library pw_page_assets);
// without Node.js the table is empty and the page says so.
#ifndef PW_APP_STATION_EMBEDDED_PAGE_H
#define PW_APP_STATION_EMBEDDED_PAGE_H

#include "http/http.h"

extern const struct pw_http_asset pw_page_assets[];
extern const size_t pw_page_assets_count;

#endif

// The table of a station that was built without Node.js.
#include "embedded_page.h"

const struct pw_http_asset pw_page_assets[1] = {{0}};
const size_t pw_page_assets_count = 0;

// The dashboard of a build without Node.js: none. The front page says so.
#include "web_assets.h"

const struct pw_http_asset pw_web_assets[1] = {{0}};
const size_t pw_web_assets_count = 0;

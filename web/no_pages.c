// The table of a build without Node.js: there are no pages, the interface under /api works.
#include "web_assets.h"

const struct pw_web_asset pw_web_assets[1] = {{NULL, NULL, NULL, 0, NULL}};
const size_t pw_web_assets_count = 0;

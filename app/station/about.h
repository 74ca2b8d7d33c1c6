// about: what this program says of itself on its page: version, build, licence, and the libraries
// it was built with.
#ifndef PW_STATION_ABOUT_H
#define PW_STATION_ABOUT_H

#include "page/page.h"

extern const struct pw_page_about about_station;

#endif

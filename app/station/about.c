// Versions are those of the build (CMakeLists.txt asks pkg-config and web/package-lock.json).
#include "about.h"

static const struct pw_page_library libraries[] = {
    {"libwebsockets", PW_WITH_LIBWEBSOCKETS, "MIT"},
    {"OpenSSL", PW_WITH_OPENSSL, "Apache-2.0"},
    {"SQLite", PW_WITH_SQLITE3, "public domain"},
    {"libyaml", PW_WITH_YAML, "MIT"},
    {"libmosquitto", PW_WITH_MOSQUITTO, "EPL-2.0 or BSD-3-Clause"},
    {"libmodbus", PW_WITH_MODBUS, "LGPL-2.1-or-later"},
    {"libgpiod", PW_WITH_GPIOD, "LGPL-2.1-or-later"},
    {"libsystemd", PW_WITH_SYSTEMD, "LGPL-2.1-or-later"},
    {"libev", "", "BSD-2-Clause"},
    {"Pango", PW_WITH_PANGO, "LGPL-2.0-or-later"},
    {"cairo", PW_WITH_CAIRO, "LGPL-2.1 or MPL-1.1"},
    {"libqrencode", PW_WITH_QRENCODE, "LGPL-2.1-or-later"},
    {"Preact", PW_WITH_PREACT, "MIT"},
    {"Preact Signals", PW_WITH_SIGNALS, "MIT"},
    {"uPlot", PW_WITH_UPLOT, "MIT"},
};

const struct pw_page_about about_station = {
    .program = "pilotwire-station",
    .version = PW_VERSION,
    .build = PW_BUILD,
    .licence = "Apache-2.0",
    .library = libraries,
    .libraries = PW_COUNT(libraries),
};

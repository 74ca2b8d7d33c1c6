// proxy: what the settings say of the proxy, for everybody who connects.
#ifndef PW_APP_STATION_PROXY_H
#define PW_APP_STATION_PROXY_H

#include "proxy/proxy.h"
#include "settings/settings.h"

// Once the station is there: a password may come out of its store. One that cannot be opened is a
// fault, and nothing goes through the proxy without it. PW_ERR_RANGE with *why.
PW_MUST_USE int proxy_read(const struct pw_settings *settings, struct pw_proxy *proxy,
                           struct pw_out *why);

#endif

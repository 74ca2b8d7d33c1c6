// gateway: the interface of an OpenEVSE gateway (station/openevse_api over httpd), for evcc and
// Home Assistant. Not needed to charge: a port that is taken is tried again.
#ifndef PW_APP_STATION_GATEWAY_H
#define PW_APP_STATION_GATEWAY_H

#include "certificate.h"
#include "httpd.h"
#include "openevse_api/openevse_api.h"

struct gateway {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    struct certificate *certificate; // what it shows over TLS

    struct pw_httpd *httpd;
    struct pw_httpd_tls tls;
    struct address tls_address;
    struct pw_http_site site;
    struct pw_openevse_api_port port;
    struct pw_openevse_api api;
    pw_ms open_at; // the next try to listen; PW_NEVER: listening, or it is not wanted
    bool refused;  // it has been said that the port cannot be had
};

// Listens as the settings say.
void gateway_open(struct gateway *gateway, pw_ms now);
// After the station has stepped. Returns when it wants to be called next. Requests are served
// between turns; the next turn decides on what they told.
pw_ms gateway_step(struct gateway *gateway, pw_ms now);
void gateway_close(struct gateway *gateway);

#endif

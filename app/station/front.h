// front: what people meet at the station: its page (station/page over httpd) and its display
// (station/face over lcd). Neither is needed to charge: a port that is taken is tried again, a
// display that cannot be opened is said once.
#ifndef PW_APP_STATION_FRONT_H
#define PW_APP_STATION_FRONT_H

#include "certificate.h"
#include "httpd.h"
#include "lcd.h"
#include "page/page.h"

struct front {
    struct pw_loop *loop;
    struct pw_station *station;
    const struct pw_log *log;
    const struct pw_logring *lines;  // what the page shows as log
    struct certificate *certificate; // what it shows over TLS

    struct pw_httpd *httpd;
    struct pw_httpd_tls tls;
    struct address tls_address;
    struct pw_http_site site;
    struct pw_page_port port;
    struct pw_page page;
    pw_ms open_at; // the next try to listen; PW_NEVER: listening, or no page is wanted
    bool refused;  // it has been said that the port cannot be had
    struct pw_lcd *lcd;
    pw_ms draw_at;
    char url[PW_SCREEN_URL_MAX]; // of the page, for the QR code
};

// Opens page and display as the settings say.
void front_open(struct front *front, pw_ms now);
// After the station has stepped: what it has come to is shown. Returns when it wants to be called
// next. Requests of the page are served between turns; the next turn decides on what they told.
pw_ms front_step(struct front *front, pw_ms now);
void front_close(struct front *front);

#endif

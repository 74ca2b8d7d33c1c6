// certificate: what page and OpenEVSE interface show over TLS: the owner's files, or a certificate
// of the station's own (port/linux/issue). Looked at while the station runs: what is new counts for
// the connections to come.
#ifndef PW_APP_STATION_CERTIFICATE_H
#define PW_APP_STATION_CERTIFICATE_H

#include "address.h"
#include "changed.h"
#include "httpd.h"
#include "issue/selfsigned.h"
#include "station.h"

#define CERTIFICATE_PATH_MAX 512
#define CERTIFICATE_SERVERS  2 // the page's and the OpenEVSE interface's

struct certificate {
    struct pw_station *station;
    const struct pw_log *log;
    const struct pw_clock *clock;
    const struct pw_secret *secret; // seals the station's own key

    struct pw_station_tls state;
    char file[CERTIFICATE_PATH_MAX];
    char key[CERTIFICATE_PATH_MAX];
    struct pw_changed look[2];
    struct pw_httpd *shown[CERTIFICATE_SERVERS]; // who shows it
    size_t servers;
    pw_ms look_at;
};

// Makes the station's own certificate if it is to be one and there is none that will do. `folder`:
// where it is kept. What goes wrong is logged: a station charges without.
void certificate_open(struct certificate *certificate, const char *folder, pw_ms now);
// The TLS that a setting (page.tls_listen) asks for, for pw_httpd_config; NULL: none. *address and
// *tls outlive the server.
const struct pw_httpd_tls *certificate_tls(struct certificate *certificate,
                                           enum pw_setting_id listen, struct address *address,
                                           struct pw_httpd_tls *tls);
// A server with such a TLS listens now: it gets the certificate, and every later one. Closed before
// this certificate goes; NULL is harmless.
void certificate_show(struct certificate *certificate, struct pw_httpd *httpd);
// Looks whether files have changed, the certificate ends or another one was asked for. Returns when
// it wants to be called next.
pw_ms certificate_step(struct certificate *certificate, pw_ms now);

#endif

// address: where this program's interfaces listen, and how browsers name them.
#ifndef PW_APP_STATION_ADDRESS_H
#define PW_APP_STATION_ADDRESS_H

#include "base/base.h"

struct address {
    char host[104]; // without brackets
    uint16_t port;
};

// Reads "address:port" with a port of 1..65535, the address in brackets when it has colons.
// PW_ERR_RANGE when it is none.
PW_MUST_USE int address_parse(struct pw_str text, struct address *address);
// The same with what it must be in *why.
PW_MUST_USE int address_check_listen(struct pw_str listen, struct pw_out *why);

// The host of "http://host:port/...", without port; empty when it is none.
struct pw_str address_host(struct pw_str url);
// PW_OK for an address that browsers use: http:// or https://, a host, perhaps a port.
PW_MUST_USE int address_check_url(struct pw_str url, struct pw_out *why);

#endif

// wsfault: what an alert of TLS means for the security log of a station.
#ifndef PW_LINUX_WSFAULT_H
#define PW_LINUX_WSFAULT_H

#include "wsclient.h"

// RFC 8446 §6.2. A handshake that fails before a cipher suite was chosen found none in common.
// `ssl` is an SSL of OpenSSL; `alert` its description; whose it is, the server's or ours.
enum pw_ws_fault pw_ws_fault_of(const void *ssl, bool from_server, int alert);

#endif

// carrier: the transfer port on Linux, with libcurl. One thread for each transfer under way; the
// loop is woken as it goes on. An upload is first written to a nameless file in the folder, so that
// it has a length, and is the same bytes however often a server wants them; a download is the file
// "download" there, with what a server says of its version beside it ("download.tag"), so that a
// part of one version is never continued with another.
//
// HTTP uploads are PUT, and POST where the server knows no PUT. FTP is passive; ftps:// is FTP that
// turns to TLS before the password (RFC 4217); on port 990 it is TLS from its first byte. TLS
// is 1.2 or newer, and the certificate must be good for the host. At most three redirects are
// followed: none from https to http, and none into a private or link-local network unless the URL
// itself was there (facts/reliability.md T11). No netrc, no file://, no proxy but the one that is
// given. Through that one everything goes by CONNECT. Names are looked up by the proxy then:
// addresses are judged as always, names without a dot and those of private networks count as
// private, and where the others lead the proxy has to judge.
#ifndef PW_LINUX_CARRIER_H
#define PW_LINUX_CARRIER_H

#include "../loop.h"
#include "../proxy/proxy.h"
#include "transfer/transfer.h"

struct pw_carrier; // owned by the caller of pw_carrier_new

// Who vouches for servers, as for the central system: the roots in `folder` (port/linux/trust; "":
// none) and `ca_file` ("": none), which does not count beside a root of the folder when
// `exclusive`; without any the system's store. The cipher suites are not those of the whitepaper,
// which are for the central system: a server of files may use every suite with GCM or ChaCha20.
struct pw_carrier_roots {
    const char *folder;
    const char *ca_file;
    bool exclusive;
};

// `folder` exists and is writable. `proxy`: read whenever a transfer begins; NULL: none. NULL with
// a sentence in *why.
struct pw_carrier *pw_carrier_new(struct pw_loop *loop, const char *folder,
                                  const struct pw_carrier_roots *roots,
                                  const struct pw_proxy *proxy, struct pw_out *why);
// Transfers under way end by themselves, seen by nobody. Before pw_loop_close.
void pw_carrier_free(struct pw_carrier *carrier);
// The port; lives as long as the carrier.
const struct pw_transfer *pw_carrier_port(const struct pw_carrier *carrier);
// Where a download lies once it is DONE, for who installs it.
const char *pw_carrier_file(const struct pw_carrier *carrier);

#endif

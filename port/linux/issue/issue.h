// issue: every X.509 certificate that our programs make: those of a central's authority
// (central_ca), the one it shows to station links (linkserver), and the one that a station shows on
// its page. Source: RFC 5280.
#ifndef PW_LINUX_ISSUE_H
#define PW_LINUX_ISSUE_H

#include "base/base.h"

#include <openssl/x509.h>

// From 1970 on for so long: to 9999-12-31 23:59:59, the date that means no end (§4.1.2.5).
#define PW_ISSUE_NO_END_S INT64_C(253402300799)

struct pw_issue_wish {
    struct pw_str common_name;  // 1..64 bytes
    struct pw_str organisation; // empty: none
    EVP_PKEY *key;              // the public one
    const char *use;            // keyUsage as OpenSSL writes it
    const char *extended;       // extendedKeyUsage; NULL: none
    const char *alternative;    // subjectAltName, "DNS:wallbox,IP:192.0.2.1"; NULL: none
    bool authority;
    pw_unix_ms from; // counts from then on …
    int64_t seconds; // … for so long
};

// A certificate with a random serial number, signed by `signer` in the name of `issuer`; NULL: by
// itself. The caller frees it. NULL when OpenSSL fails.
X509 *pw_issue(const struct pw_issue_wish *wish, X509 *issuer, EVP_PKEY *signer);

// Writes it as PEM, as whole.h does. False, with errno, when it cannot be kept.
PW_MUST_USE bool pw_issue_keep(const char *path, X509 *certificate);

// "DNS:" or "IP:" and the name, behind a comma unless it is the first: one more subjectAltName.
void pw_issue_put_name(struct pw_out *alternative, const char *name);
// Whether a name is an address (IPv4, IPv6).
bool pw_issue_is_address(const char *name);

#endif

#include "wsfault.h"

#include <openssl/ssl.h>

enum pw_ws_fault pw_ws_fault_of(const void *ssl, bool from_server, int alert)
{
    switch (alert) {
    case SSL_AD_PROTOCOL_VERSION: return PW_WS_FAULT_TLS_VERSION;
    case SSL_AD_INSUFFICIENT_SECURITY: return PW_WS_FAULT_TLS_SUITE;
    case SSL_AD_HANDSHAKE_FAILURE:
        return from_server && SSL_get_pending_cipher(ssl) != NULL ? PW_WS_FAULT_REFUSED
                                                                  : PW_WS_FAULT_TLS_SUITE;
    case SSL_AD_ILLEGAL_PARAMETER: return from_server ? PW_WS_FAULT_NONE : PW_WS_FAULT_TLS_SUITE;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return from_server ? PW_WS_FAULT_REFUSED : PW_WS_FAULT_CERTIFICATE;
    default: return PW_WS_FAULT_NONE;
    }
}

// The certificate of a peer, as the handshake of a station sees it.
#include "links.h"

#include <openssl/bn.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

// The only commonName; empty when there is none, several, one with a NUL or one too long for an id.
static void read_name(const X509 *from, char *to, size_t cap)
{
    X509_NAME *name = X509_get_subject_name(from);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) {
        return;
    }
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len > 0 && (size_t)len < cap && memchr(text, '\0', (size_t)len) == NULL) {
        memcpy(to, text, (size_t)len);
        to[len] = '\0';
    }
    OPENSSL_free(text);
}

static void read_serial(const X509 *from, char *to, size_t cap)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(from), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    struct pw_out out = {.cap = cap};
    out.at = to;
    for (size_t i = 0; hex != NULL && hex[i] != '\0'; i++) {
        bool upper = hex[i] >= 'A' && hex[i] <= 'F';
        pw_put_c(&out, upper ? (char)(hex[i] - 'A' + 'a') : hex[i]);
    }
    OPENSSL_free(hex);
    BN_free(number);
}

void certificate_of(struct lws *wsi, struct certificate *to)
{
    *to = (struct certificate){0};
    SSL *ssl = lws_is_ssl(wsi) != 0 ? lws_get_ssl(wsi) : NULL;
    X509 *shown = ssl != NULL ? SSL_get1_peer_certificate(ssl) : NULL;
    if (shown != NULL && SSL_get_verify_result(ssl) == X509_V_OK) {
        read_name(shown, to->common_name, sizeof(to->common_name));
        read_serial(shown, to->serial, sizeof(to->serial));
    }
    X509_free(shown);
}

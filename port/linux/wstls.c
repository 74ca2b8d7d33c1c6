// TLS of the WebSocket client. What it has against a connection comes as alerts, ours and the
// server's.
#include "wsfault.h"
#include "wsparts.h"

#include <openssl/err.h>
#include <stdio.h>

static int own_index(void)
{
    static int index = -1;
    if (index < 0) {
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    }
    return index;
}

static void on_alert(const SSL *ssl, int where, int value)
{
    struct pw_ws_client *client = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), own_index());
    int alert = value & 0xFF;
    if (client == NULL || (where & SSL_CB_ALERT) == 0 || alert == SSL_AD_CLOSE_NOTIFY) {
        return;
    }
    bool from_server = (where & SSL_CB_READ) != 0;
    if (client->refused[0] != '\0') {
        char refused[PW_WS_REASON_SIZE];
        struct pw_out out = PW_OUT(refused);
        pw_put_s(&out, "the server's certificate: ");
        pw_put_s(&out, client->refused);
        pw_ws_note_fault(client, PW_WS_FAULT_CERTIFICATE);
        pw_ws_note_end(client, refused);
        return;
    }
    if (!from_server && ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_EXCESSIVE_MESSAGE_SIZE) {
        pw_ws_note_fault(client, PW_WS_FAULT_CERTIFICATE);
        pw_ws_note_end(client, "the server's certificates are too long");
        return;
    }
    enum pw_ws_fault fault = pw_ws_fault_of(ssl, from_server, alert);
    if (fault == PW_WS_FAULT_NONE || client->end.fault != PW_WS_FAULT_NONE) {
        return;
    }
    char reason[PW_WS_REASON_SIZE];
    (void)snprintf(
        reason, sizeof(reason), "TLS: %s %s",
        from_server ? "the server says" : "we refuse:", SSL_alert_desc_string_long(value));
    pw_ws_note_fault(client, fault);
    pw_ws_note_end(client, reason);
}

static bool is_pinned(const struct pw_ws_client *client)
{
    return client->rules != NULL && client->rules->pins != NULL && client->rules->pins->count > 0;
}

int pw_ws_tls_prepare(struct pw_ws_client *client)
{
    char text[PW_WS_REASON_SIZE] = "";
    struct pw_out why = PW_OUT(text);
    if (!client->to.tls || client->ssl_ctx == NULL) {
        return PW_OK;
    }
    int err = PW_OK;
    client->refused[0] = '\0';
    if (is_pinned(client)) {
        pw_peer_pin(client->ssl_ctx, client->rules->pins, client->refused);
    } else {
        SSL_CTX_set_cert_verify_callback(client->ssl_ctx, NULL, NULL);
    }
    if (!pw_peer_expect(client->ssl_ctx, client->to.host)) {
        pw_put_s(&why, "no certificate can carry the host's name");
        err = PW_ERR_RANGE;
    } else if (client->rules != NULL) {
        err = client->rules->prepare(client->rules->context, client->ssl_ctx, &why);
    }
    if (err != PW_OK) {
        pw_ws_note_fault(client, PW_WS_FAULT_CERTIFICATE);
        pw_ws_note_end(client, text);
    }
    return err;
}

// Each certificate of the server's chain as OpenSSL judged it.
int pw_ws_tls_verify(struct pw_ws_client *client, X509_STORE_CTX *check, bool good)
{
    if (!good) {
        char reason[PW_WS_REASON_SIZE];
        (void)snprintf(reason, sizeof(reason), "the server's certificate: %s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
        pw_ws_note_fault(client, PW_WS_FAULT_CERTIFICATE);
        pw_ws_note_end(client, reason);
        return 1;
    }
    if (X509_STORE_CTX_get_error_depth(check) == 0 && client->rules != NULL) {
        client->rules->vouched(client->rules->context, check);
    }
    return 0;
}

int pw_ws_tls_ready(struct pw_ws_client *client)
{
    const char *wrong = client->to.tls && client->rules != NULL
                            ? client->rules->ready(client->rules->context)
                            : NULL;
    if (wrong != NULL) {
        pw_ws_note_fault(client, PW_WS_FAULT_PROFILE);
        pw_ws_note_end(client, wrong);
    }
    return wrong != NULL ? -1 : 0;
}

void pw_ws_tls_watch(struct pw_ws_client *client, void *ssl_ctx)
{
    client->ssl_ctx = ssl_ctx;
    (void)SSL_CTX_set_ex_data(client->ssl_ctx, own_index(), client);
    SSL_CTX_set_info_callback(client->ssl_ctx, on_alert);
}

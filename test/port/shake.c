#include "shake.h"

#include "base/base.h"

#include <openssl/err.h>

enum { ROUNDS = 50 };

void shake_begin(struct shake *shake, SSL_CTX *client, SSL_CTX *server)
{
    BIO *ours = NULL;
    BIO *theirs = NULL;
    char byte = 'x';
    *shake = (struct shake){.client = SSL_new(client), .server = SSL_new(server)};
    PW_ASSERT(shake->client != NULL && shake->server != NULL &&
              BIO_new_bio_pair(&ours, 0, &theirs, 0) == 1);
    SSL_set_bio(shake->client, ours, ours);
    SSL_set_bio(shake->server, theirs, theirs);
    SSL_set_connect_state(shake->client);
    SSL_set_accept_state(shake->server);
    for (int i = 0; i < ROUNDS && !shake->good; i++) {
        if (SSL_do_handshake(shake->client) == 1) {
            (void)SSL_write(shake->client, &byte, 1);
        }
        shake->good =
            SSL_do_handshake(shake->server) == 1 && SSL_read(shake->server, &byte, 1) == 1;
    }
    ERR_clear_error();
}

void shake_end(struct shake *shake)
{
    SSL_free(shake->client);
    SSL_free(shake->server);
    *shake = (struct shake){.good = false};
}

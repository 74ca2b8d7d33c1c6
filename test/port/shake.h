// shake: a TLS handshake of two SSL_CTX in memory, without sockets.
#ifndef PW_TEST_SHAKE_H
#define PW_TEST_SHAKE_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct shake {
    SSL *client;
    SSL *server;
    bool good; // both ends have finished, and a byte of the client came through
};

// Ended with shake_end, whatever came of it.
void shake_begin(struct shake *shake, SSL_CTX *client, SSL_CTX *server);
void shake_end(struct shake *shake);

#endif

// central_crypto: the central's cryptography on OpenSSL.
#ifndef PW_LINUX_CENTRAL_CRYPTO_H
#define PW_LINUX_CENTRAL_CRYPTO_H

#include "central.h"

// Valid for the life of the program.
extern const struct pw_central_crypto pw_central_crypto_openssl;

#endif

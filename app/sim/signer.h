// signer: the key of a simulated meter that signs, and its registers on the Modbus server. The
// model is world/signmeter; OpenSSL signs.
#ifndef PW_SIM_SIGNER_H
#define PW_SIM_SIGNER_H

#include "log.h"
#include "options.h"
#include "signmeter/signmeter.h"
#include "wired.h"

#include <openssl/evp.h>

enum pw_sim_signer_kind { PW_SIM_P256, PW_SIM_ED25519 };

struct pw_sim_signer {
    struct pw_signmeter meter;
    struct pw_modbus_server *server;
    const struct pw_modbus_map *map;
    EVP_PKEY *key; // NULL: the meter does not sign
};

// Nothing when what is wired is no meter that signs. The key comes from the file the options name
// (PEM), which is made when it is not there; without one: a key of this run only. On an error
// `reason` says what failed.
PW_MUST_USE int pw_sim_signer_open(struct pw_sim_signer *signer, const struct pw_sim_wired *wired,
                                   const struct pw_sim_options *options, const struct pw_log *log,
                                   struct pw_out *reason);
void pw_sim_signer_close(struct pw_sim_signer *signer);
// Returns when it wants to be called next.
pw_ms pw_sim_signer_turn(struct pw_sim_signer *signer, pw_ms now);

#endif

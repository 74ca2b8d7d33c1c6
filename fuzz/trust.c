// Target functions: the trust port's readers: install, accept, check_signer, verify.
// Any text; nothing that is not signed by whom it should be is taken.
#include "trust/openssl.h"
#include "vault/vault.h"

#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_trust_keeper *keeper;
    static char folder[] = "/tmp/fuzz-trust-XXXXXX";
    static const pw_unix_ms wall = INT64_C(1767225600000);
    static const uint8_t digest[32] = {1};
    const struct pw_trust_subject subject = {.serial = {.at = "SN", .len = 2}};
    char text[300];
    struct pw_out why = PW_OUT(text);
    struct pw_str all = {.at = (const char *)data, .len = size};
    if (keeper == NULL) {
        PW_ASSERT(mkdtemp(folder) != NULL);
        struct pw_vault *vault = pw_vault_without(); // nothing is to be kept
        PW_ASSERT(vault != NULL);
        keeper = pw_trust_open(folder, "", false, pw_vault_port(vault), NULL, &why);
        PW_ASSERT(keeper != NULL && rmdir(folder) == 0); // nothing is to be kept
    }
    struct pw_trust trust = pw_trust_port(keeper);
    if (size > PW_TRUST_CHAIN_MAX) {
        return 0;
    }
    const struct pw_trust_root root = {.use = PW_TRUST_CENTRAL, .pem = all, .most = 10};
    int err = trust.install(keeper, &root, wall, &why);
    PW_ASSERT(err != PW_OK && err != PW_ERR_BUG && why.len > 0);
    PW_ASSERT(trust.accept(keeper, all, &subject, wall, &why) == PW_ERR_RANGE);
    PW_ASSERT(trust.check_signer(keeper, all, wall, &why) == PW_ERR_RANGE);
    struct pw_str rest = all;
    struct pw_str pem = pw_str_cut(&rest, '\0');
    PW_ASSERT(trust.verify(keeper, pem, rest, digest, &why) == PW_ERR_RANGE);
    return 0;
}

// The key of the device in a TPM 2.0: sealed below a storage key that the TPM makes again from its
// own seed each time, so that the file is of no use anywhere else. No PCRs: an update of the
// machine must not lock it out (what that protects against, and what not, is in doc/security.md).
// The talk with the TPM is encrypted, so that who listens on its bus hears no key. Sources: TCG
// TPM 2.0 Library part 1 §19 (sessions), part 3 §12, §24; TCG provisioning guidance.
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>
#include <unistd.h>

struct tpm {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR primary;
    ESYS_TR session;
};

bool vault_tpm_there(void)
{
    return access("/dev/tpmrm0", R_OK | W_OK) == 0;
}

static int refuse(struct pw_out *why, int err, const char *what, TSS2_RC code)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "%s (TPM code 0x%08x)", what, (unsigned)code);
    return pw_refuse(why, err, "TPM", text);
}

static void leave(struct tpm *tpm)
{
    if (tpm->session != ESYS_TR_NONE) {
        (void)Esys_FlushContext(tpm->esys, tpm->session);
    }
    if (tpm->primary != ESYS_TR_NONE) {
        (void)Esys_FlushContext(tpm->esys, tpm->primary);
    }
    if (tpm->esys != NULL) {
        Esys_Finalize(&tpm->esys);
    }
    if (tpm->tcti != NULL) {
        Tss2_TctiLdr_Finalize(&tpm->tcti);
    }
}

// The storage key that every provisioned machine has the like of: P-256, AES-128 below it.
static TSS2_RC make_primary(struct tpm *tpm)
{
    const TPM2B_SENSITIVE_CREATE nothing = {.size = 0};
    const TPM2B_DATA outside = {.size = 0};
    const TPML_PCR_SELECTION pcrs = {.count = 0};
    const TPM2B_PUBLIC wanted = {
        .publicArea =
            {
                .type = TPM2_ALG_ECC,
                .nameAlg = TPM2_ALG_SHA256,
                .objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED |
                                    TPMA_OBJECT_DECRYPT | TPMA_OBJECT_NODA | TPMA_OBJECT_FIXEDTPM |
                                    TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN,
                .parameters.eccDetail =
                    {
                        .symmetric = {.algorithm = TPM2_ALG_AES,
                                      .keyBits.aes = 128,
                                      .mode.aes = TPM2_ALG_CFB},
                        .scheme.scheme = TPM2_ALG_NULL,
                        .curveID = TPM2_ECC_NIST_P256,
                        .kdf.scheme = TPM2_ALG_NULL,
                    },
            },
    };
    return Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                              ESYS_TR_NONE, &nothing, &wanted, &outside, &pcrs, &tpm->primary, NULL,
                              NULL, NULL, NULL);
}

// Salted with the storage key: both ends know a secret that nobody on the wire does.
static TSS2_RC begin_session(struct tpm *tpm)
{
    const TPMT_SYM_DEF cipher = {
        .algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
    const TPMA_SESSION both =
        TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
    TSS2_RC code = Esys_StartAuthSession(tpm->esys, tpm->primary, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &cipher,
                                         TPM2_ALG_SHA256, &tpm->session);
    return code == TSS2_RC_SUCCESS ? Esys_TRSess_SetAttributes(tpm->esys, tpm->session, both, 0xFF)
                                   : code;
}

static int enter(struct tpm *tpm, const char *tcti, struct pw_out *why)
{
    *tpm = (struct tpm){.primary = ESYS_TR_NONE, .session = ESYS_TR_NONE};
    (void)setenv("TSS2_LOG", "all+none", 0); // the library would write to our standard error
    TSS2_RC code = Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);
    if (code == TSS2_RC_SUCCESS) {
        code = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
    }
    if (code != TSS2_RC_SUCCESS) {
        leave(tpm);
        return refuse(why, PW_ERR_UNKNOWN, "it cannot be reached", code);
    }
    code = Esys_Startup(tpm->esys, TPM2_SU_CLEAR);
    if (code == TSS2_RC_SUCCESS || code == TPM2_RC_INITIALIZE) {
        code = make_primary(tpm);
    }
    if (code == TSS2_RC_SUCCESS) {
        code = begin_session(tpm);
    }
    if (code != TSS2_RC_SUCCESS) {
        leave(tpm);
        return refuse(why, PW_ERR_UNKNOWN, "it makes no storage key for us", code);
    }
    return PW_OK;
}

int vault_tpm_wrap(const char *tcti, const struct vault_ring *ring, char *to, size_t cap,
                   struct pw_out *why)
{
    struct tpm tpm;
    TPM2B_PRIVATE *private = NULL;
    TPM2B_PUBLIC *public = NULL;
    const TPM2B_DATA outside = {.size = 0};
    const TPML_PCR_SELECTION pcrs = {.count = 0};
    const TPM2B_PUBLIC wanted = {
        .publicArea = {.type = TPM2_ALG_KEYEDHASH,
                       .nameAlg = TPM2_ALG_SHA256,
                       .objectAttributes = TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                           TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT,
                       .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL},
    };
    TPM2B_SENSITIVE_CREATE sealed = {.size = 0};
    size_t len = 0;
    int err = enter(&tpm, tcti, why);
    if (err != PW_OK) {
        return err;
    }
    sealed.sensitive.data.size = (UINT16)(ring->count * PW_DEVICE_KEY_BYTES);
    memcpy(sealed.sensitive.data.buffer, ring->key, sealed.sensitive.data.size);
    TSS2_RC code =
        Esys_Create(tpm.esys, tpm.primary, tpm.session, ESYS_TR_NONE, ESYS_TR_NONE, &sealed,
                    &wanted, &outside, &pcrs, &private, &public, NULL, NULL, NULL);
    if (code == TSS2_RC_SUCCESS) {
        code = Tss2_MU_TPM2B_PUBLIC_Marshal(public, (uint8_t *)to, cap, &len);
    }
    if (code == TSS2_RC_SUCCESS) {
        code = Tss2_MU_TPM2B_PRIVATE_Marshal(private, (uint8_t *)to, cap, &len);
    }
    pw_secret_wipe(&sealed, sizeof(sealed));
    Esys_Free(private);
    Esys_Free(public);
    leave(&tpm);
    return code == TSS2_RC_SUCCESS ? (int)len
                                   : refuse(why, PW_ERR_STORE, "it does not seal our key", code);
}

static TSS2_RC unseal(struct tpm *tpm, struct pw_str wrapped, TPM2B_SENSITIVE_DATA **data)
{
    TPM2B_PUBLIC public = {.size = 0};
    TPM2B_PRIVATE private = {.size = 0};
    ESYS_TR object = ESYS_TR_NONE;
    size_t at = 0;
    const uint8_t *bytes = (const uint8_t *)wrapped.at;
    TSS2_RC code = Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, wrapped.len, &at, &public);
    if (code == TSS2_RC_SUCCESS) {
        code = Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, wrapped.len, &at, &private);
    }
    if (code == TSS2_RC_SUCCESS) {
        code = Esys_Load(tpm->esys, tpm->primary, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE,
                         &private, &public, &object);
    }
    if (code == TSS2_RC_SUCCESS) {
        code = Esys_Unseal(tpm->esys, object, tpm->session, ESYS_TR_NONE, ESYS_TR_NONE, data);
    }
    if (object != ESYS_TR_NONE) {
        (void)Esys_FlushContext(tpm->esys, object);
    }
    return code;
}

int vault_tpm_unwrap(const char *tcti, struct pw_str wrapped, struct vault_ring *ring,
                     struct pw_out *why)
{
    struct tpm tpm;
    TPM2B_SENSITIVE_DATA *data = NULL;
    int err = enter(&tpm, tcti, why);
    if (err != PW_OK) {
        return err;
    }
    TSS2_RC code = unseal(&tpm, wrapped, &data);
    size_t len = data != NULL ? data->size : 0;
    bool fits = len == PW_DEVICE_KEY_BYTES || len == sizeof(ring->key);
    if (code == TSS2_RC_SUCCESS && fits) {
        memcpy(ring->key, data->buffer, len);
        ring->count = (unsigned)(len / PW_DEVICE_KEY_BYTES);
    }
    if (data != NULL) {
        pw_secret_wipe(data, sizeof(*data));
        Esys_Free(data);
    }
    leave(&tpm);
    return code == TSS2_RC_SUCCESS && fits
               ? PW_OK
               : refuse(
                     why, PW_ERR_UNKNOWN,
                     "it does not open the key of this device: it is another TPM, or was cleared",
                     code);
}

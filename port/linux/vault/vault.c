#include "hmac/hmac.h"
#include "parts.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define CIPHER_LABEL "pilotwire-secret-1"
#define ID_LABEL     "pilotwire-secret-id"

struct cipher {
    uint8_t key[PW_DEVICE_KEY_BYTES];
    uint8_t id[PW_SECRET_KEY_ID];
};

struct pw_vault {
    char folder[VAULT_PATH_MAX];
    char tpm[VAULT_PATH_MAX];    // of the present key; "": none
    char wanted[VAULT_PATH_MAX]; // of the next one
    enum pw_vault_place place;
    struct vault_ring ring;
    struct cipher cipher[PW_DEVICE_KEYS_MAX]; // of the ring's keys
    struct pw_secret port;
};

// ---------------------------------------------------------------------------------------------
// Sealing and opening.

static void derive(const uint8_t key[PW_DEVICE_KEY_BYTES], const char *label,
                   uint8_t to[PW_SHA256_LEN])
{
    struct pw_hmac hmac;
    pw_hmac_begin(&hmac, key, PW_DEVICE_KEY_BYTES);
    pw_hmac_add(&hmac, label, strlen(label));
    pw_hmac_end(&hmac, to);
    pw_secret_wipe(&hmac, sizeof(hmac));
}

static void make_ciphers(struct pw_vault *vault)
{
    for (unsigned i = 0; i < vault->ring.count; i++) {
        uint8_t id[PW_SHA256_LEN];
        derive(vault->ring.key[i], CIPHER_LABEL, vault->cipher[i].key);
        derive(vault->ring.key[i], ID_LABEL, id);
        memcpy(vault->cipher[i].id, id, PW_SECRET_KEY_ID);
    }
}

// What the tag covers beside the value.
static bool bind(EVP_CIPHER_CTX *context, struct pw_str head, struct pw_str name)
{
    const struct pw_str parts[] = {PW_STR(CIPHER_LABEL), head, name};
    int done = 0;
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        if (EVP_CipherUpdate(context, NULL, &done, (const unsigned char *)parts[i].at,
                             (int)parts[i].len) != 1) {
            return false;
        }
    }
    return true;
}

static bool is_name(struct pw_str name)
{
    return name.len > 0 && name.len <= PW_SECRET_NAME_MAX;
}

static bool encrypt(const struct cipher *cipher, struct pw_str name, struct pw_str plain, char *to)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char *nonce = (unsigned char *)to + PW_SECRET_HEAD;
    unsigned char *value = nonce + PW_SECRET_NONCE;
    int done = 0;
    bool good =
        context != NULL && RAND_bytes(nonce, PW_SECRET_NONCE) == 1 &&
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, cipher->key, nonce) == 1 &&
        bind(context, (struct pw_str){.at = to, .len = PW_SECRET_HEAD}, name) &&
        EVP_EncryptUpdate(context, value, &done, (const unsigned char *)plain.at, (int)plain.len) ==
            1 &&
        EVP_EncryptFinal_ex(context, value + done, &done) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, PW_SECRET_TAG, value + plain.len) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    return good;
}

static int seal(void *context, struct pw_str name, struct pw_str plain, char *to, size_t cap)
{
    const struct pw_vault *vault = context;
    if (!is_name(name) || plain.len > PW_SECRET_PLAIN_MAX || cap < plain.len + PW_SECRET_EXTRA) {
        return PW_ERR_LIMIT;
    }
    if (vault->ring.count == 0) {
        return PW_ERR_STORE;
    }
    pw_secret_head(vault->cipher[0].id, to);
    return encrypt(&vault->cipher[0], name, plain, to) ? (int)(plain.len + PW_SECRET_EXTRA)
                                                       : PW_ERR_STORE;
}

static bool decrypt(const struct cipher *cipher, struct pw_str name,
                    const struct pw_secret_blob *blob, unsigned char *to)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char tag[PW_SECRET_TAG];
    int done = 0;
    memcpy(tag, blob->tag.at, sizeof(tag));
    bool good = context != NULL &&
                EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, cipher->key,
                                   (const unsigned char *)blob->nonce.at) == 1 &&
                bind(context, blob->head, name) &&
                EVP_DecryptUpdate(context, to, &done, (const unsigned char *)blob->value.at,
                                  (int)blob->value.len) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, PW_SECRET_TAG, tag) == 1 &&
                EVP_DecryptFinal_ex(context, to + done, &done) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    return good;
}

// The key that a sealed value names; the count of keys when it is none of ours.
static unsigned key_of(const struct pw_vault *vault, const struct pw_secret_blob *blob)
{
    unsigned i = 0;
    while (i < vault->ring.count && memcmp(vault->cipher[i].id, blob->key.at, blob->key.len) != 0) {
        i++;
    }
    return i;
}

static int open_value(void *context, struct pw_str name, struct pw_str sealed, char *to, size_t cap)
{
    const struct pw_vault *vault = context;
    struct pw_secret_blob blob;
    if (!is_name(name) || pw_secret_read(sealed, &blob) != PW_OK) {
        return PW_ERR_PEER;
    }
    unsigned key = key_of(vault, &blob);
    if (key == vault->ring.count) {
        return PW_ERR_UNKNOWN;
    }
    if (blob.value.len > cap) {
        return PW_ERR_LIMIT;
    }
    // Into a room of its own: nothing of a value that is not right gets out.
    unsigned char *room = OPENSSL_malloc(blob.value.len + 1);
    int result = PW_ERR_LIMIT;
    if (room != NULL) {
        result =
            decrypt(&vault->cipher[key], name, &blob, room) ? (int)blob.value.len : PW_ERR_PEER;
        if (result > 0) {
            memcpy(to, room, blob.value.len);
        }
    }
    OPENSSL_clear_free(room, blob.value.len + 1);
    return result;
}

static bool stale(void *context, struct pw_str sealed)
{
    const struct pw_vault *vault = context;
    struct pw_secret_blob blob;
    return pw_secret_read(sealed, &blob) == PW_OK && key_of(vault, &blob) == 1 &&
           vault->ring.count == 2;
}

// ---------------------------------------------------------------------------------------------
// The keys.

// The file as the ring is now.
static int keep_ring(const struct pw_vault *vault, const struct vault_ring *ring,
                     struct pw_out *why)
{
    char payload[PW_DEVICE_FILE_PAYLOAD];
    char bytes[PW_DEVICE_FILE_MAX];
    struct pw_device_file file = {.kind = PW_DEVICE_FILE_KEYS};
    int len = (int)(ring->count * PW_DEVICE_KEY_BYTES);
    if (vault->tpm[0] != '\0') {
        file.kind = PW_DEVICE_FILE_TPM;
        len = vault_tpm_wrap(vault->tpm, ring, payload, sizeof(payload), why);
    } else {
        memcpy(payload, ring->key, (size_t)len);
    }
    if (len > 0) {
        file.payload = (struct pw_str){.at = payload, .len = (size_t)len};
        len = pw_device_file_write(&file, bytes, sizeof(bytes));
    }
    int err = len > 0 ? vault_file_write(vault->folder, bytes, (size_t)len, why) : len;
    pw_secret_wipe(payload, sizeof(payload));
    pw_secret_wipe(bytes, sizeof(bytes));
    return err;
}

static int take_file(struct pw_vault *vault, struct pw_str bytes, struct pw_out *why)
{
    struct pw_device_file file;
    if (pw_device_file_read(bytes, &file) != PW_OK) {
        return pw_refuse(why, PW_ERR_PEER, VAULT_FILE,
                         "the key of the device is damaged, or of a newer version");
    }
    if (file.kind == PW_DEVICE_FILE_KEYS) {
        vault->ring.count = (unsigned)(file.payload.len / PW_DEVICE_KEY_BYTES);
        memcpy(vault->ring.key, file.payload.at, file.payload.len);
        vault->place = PW_VAULT_FILE;
        vault->tpm[0] = '\0';
        return PW_OK;
    }
    if (vault->tpm[0] == '\0') {
        return pw_refuse(why, PW_ERR_UNKNOWN, VAULT_FILE,
                         "a TPM keeps the key of this device, and there is none to be used");
    }
    vault->place = PW_VAULT_TPM;
    return vault_tpm_unwrap(vault->tpm, file.payload, &vault->ring, why);
}

static int make_key(struct pw_vault *vault, struct pw_out *why)
{
    vault->ring.count = 1;
    vault->place = vault->tpm[0] != '\0' ? PW_VAULT_TPM : PW_VAULT_FILE;
    return RAND_priv_bytes(vault->ring.key[0], PW_DEVICE_KEY_BYTES) == 1
               ? keep_ring(vault, &vault->ring, why)
               : pw_refuse(why, PW_ERR_STORE, VAULT_FILE, "the system gave no random numbers");
}

static int read_keys(struct pw_vault *vault, const char *credentials, struct pw_out *why)
{
    char bytes[PW_DEVICE_FILE_MAX + 1];
    uint8_t given[PW_DEVICE_KEY_BYTES];
    int credential =
        credentials != NULL ? vault_credential(credentials, given, why) : PW_ERR_UNKNOWN;
    if (credential != PW_OK && credential != PW_ERR_UNKNOWN) {
        return credential;
    }
    int len = vault_file_read(vault->folder, VAULT_FILE, false, bytes, sizeof(bytes), why);
    int err = len > 0    ? take_file(vault, (struct pw_str){.at = bytes, .len = (size_t)len}, why)
              : len == 0 ? pw_refuse(why, PW_ERR_PEER, VAULT_FILE, "the file is empty")
                         : len;
    pw_secret_wipe(bytes, sizeof(bytes));
    if (credential == PW_OK && (err == PW_OK || err == PW_ERR_UNKNOWN)) {
        // The file's key stays until all is sealed with the one that was given.
        memcpy(vault->ring.key[1], vault->ring.key[0], PW_DEVICE_KEY_BYTES);
        memcpy(vault->ring.key[0], given, PW_DEVICE_KEY_BYTES);
        vault->ring.count = err == PW_OK ? 2 : 1;
        vault->place = PW_VAULT_CREDENTIAL;
        err = PW_OK;
    } else if (credential == PW_ERR_UNKNOWN && len == PW_ERR_UNKNOWN) {
        err = make_key(vault, why);
    }
    pw_secret_wipe(given, sizeof(given));
    return err;
}

static int choose_tpm(struct pw_vault *vault, const char *tpm, struct pw_out *why)
{
    if (tpm == NULL || strcmp(tpm, PW_VAULT_TPM_OFF) == 0) {
        return PW_OK;
    }
    const char *wanted = strcmp(tpm, PW_VAULT_TPM_AUTO) != 0 ? tpm
                         : vault_tpm_there()                 ? "device:/dev/tpmrm0"
                                                             : "";
    int err = pw_str_copy(vault->wanted, sizeof(vault->wanted), pw_str_of(wanted));
    memcpy(vault->tpm, vault->wanted, sizeof(vault->tpm));
    return err == PW_OK ? PW_OK : pw_refuse(why, PW_ERR_STORE, "--tpm", "it is too long");
}

struct pw_vault *pw_vault_without(void)
{
    struct pw_vault *vault = calloc(1, sizeof(*vault));
    if (vault != NULL) {
        vault->port =
            (struct pw_secret){.context = vault, .seal = seal, .open = open_value, .stale = stale};
    }
    return vault;
}

int pw_vault_open(struct pw_vault **vault, const struct pw_vault_options *options,
                  struct pw_out *why)
{
    struct pw_vault *made = pw_vault_without();
    *vault = NULL;
    if (made == NULL) {
        return pw_refuse(why, PW_ERR_STORE, VAULT_FILE, "out of memory");
    }
    int err = pw_str_copy(made->folder, sizeof(made->folder), pw_str_of(options->folder));
    if (err != PW_OK) {
        err = pw_refuse(why, PW_ERR_STORE, options->folder, "the path is too long");
    }
    if (err == PW_OK) {
        err = vault_folder(made->folder, why);
    }
    if (err == PW_OK) {
        err = choose_tpm(made, options->tpm, why);
    }
    if (err == PW_OK) {
        err = read_keys(made, options->credentials, why);
    }
    if (err != PW_OK) {
        pw_vault_close(made);
        return err;
    }
    make_ciphers(made);
    *vault = made;
    return PW_OK;
}

void pw_vault_close(struct pw_vault *vault)
{
    if (vault != NULL) {
        OPENSSL_cleanse(vault, sizeof(*vault));
        free(vault);
    }
}

const struct pw_secret *pw_vault_port(const struct pw_vault *vault)
{
    return &vault->port;
}

enum pw_vault_place pw_vault_place(const struct pw_vault *vault)
{
    return vault->place;
}

int pw_vault_rotate(struct pw_vault *vault, struct pw_out *why)
{
    struct vault_ring next = {.count = 2};
    if (vault->place == PW_VAULT_CREDENTIAL) {
        return pw_refuse(why, PW_ERR_BUSY, VAULT_FILE,
                         "the key comes as a credential: give another one");
    }
    if (vault->ring.count != 1) {
        return pw_refuse(why, PW_ERR_BUSY, VAULT_FILE,
                         "there is no key, or it is being changed already");
    }
    memcpy(next.key[1], vault->ring.key[0], PW_DEVICE_KEY_BYTES);
    char before[VAULT_PATH_MAX];
    memcpy(before, vault->tpm, sizeof(before));
    memcpy(vault->tpm, vault->wanted, sizeof(vault->tpm));
    int err = RAND_priv_bytes(next.key[0], PW_DEVICE_KEY_BYTES) == 1
                  ? keep_ring(vault, &next, why)
                  : pw_refuse(why, PW_ERR_STORE, VAULT_FILE, "the system gave no random numbers");
    if (err == PW_OK) {
        vault->ring = next;
        vault->place = vault->tpm[0] != '\0' ? PW_VAULT_TPM : PW_VAULT_FILE;
        make_ciphers(vault);
    } else {
        memcpy(vault->tpm, before, sizeof(before));
    }
    pw_secret_wipe(&next, sizeof(next));
    return err;
}

bool pw_vault_unsettled(const struct pw_vault *vault)
{
    return vault->ring.count == 2;
}

int pw_vault_settle(struct pw_vault *vault, struct pw_out *why)
{
    if (vault->ring.count != 2) {
        return PW_OK;
    }
    struct vault_ring settled = vault->ring;
    settled.count = 1;
    pw_secret_wipe(settled.key[1], PW_DEVICE_KEY_BYTES);
    int err = vault->place == PW_VAULT_CREDENTIAL ? vault_file_remove(vault->folder, why)
                                                  : keep_ring(vault, &settled, why);
    if (err == PW_OK) {
        vault->ring = settled;
        pw_secret_wipe(&vault->cipher[1], sizeof(vault->cipher[1]));
    }
    pw_secret_wipe(&settled, sizeof(settled));
    return err;
}

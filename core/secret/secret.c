#include "secret/secret.h"

#include "hmac/hmac.h"

#include <string.h>

static const char blob_magic[5] = {'P', 'W', 'S', 1, 0};
static const char file_magic[5] = {'P', 'W', 'D', 'K', 1};

enum { FILE_HEAD = 8 };

static struct pw_str part(struct pw_str of, size_t at, size_t len)
{
    return (struct pw_str){.at = of.at + at, .len = len};
}

int pw_secret_read(struct pw_str sealed, struct pw_secret_blob *blob)
{
    if (sealed.len < PW_SECRET_EXTRA || sealed.len > PW_SECRET_SEALED_MAX ||
        memcmp(sealed.at, blob_magic, sizeof(blob_magic)) != 0) {
        return PW_ERR_PEER;
    }
    blob->head = part(sealed, 0, PW_SECRET_HEAD);
    blob->key = part(sealed, sizeof(blob_magic), PW_SECRET_KEY_ID);
    blob->nonce = part(sealed, PW_SECRET_HEAD, PW_SECRET_NONCE);
    blob->value = part(sealed, PW_SECRET_HEAD + PW_SECRET_NONCE, sealed.len - PW_SECRET_EXTRA);
    blob->tag = part(sealed, sealed.len - PW_SECRET_TAG, PW_SECRET_TAG);
    return PW_OK;
}

void pw_secret_head(const uint8_t key[PW_SECRET_KEY_ID], char to[PW_SECRET_HEAD])
{
    memcpy(to, blob_magic, sizeof(blob_magic));
    memcpy(to + sizeof(blob_magic), key, PW_SECRET_KEY_ID);
}

void pw_secret_wipe(void *at, size_t len)
{
    volatile uint8_t *byte = at;
    while (len-- > 0) {
        *byte++ = 0;
    }
}

// ---------------------------------------------------------------------------------------------

static void digest(struct pw_str bytes, uint8_t to[PW_SHA256_LEN])
{
    struct pw_sha256 hash;
    pw_sha256_begin(&hash);
    pw_sha256_add(&hash, bytes.at, bytes.len);
    pw_sha256_end(&hash, to);
    pw_secret_wipe(&hash, sizeof(hash));
}

static bool fits_kind(const struct pw_device_file *file)
{
    return file->kind == PW_DEVICE_FILE_TPM
               ? file->payload.len > 0
               : file->payload.len == PW_DEVICE_KEY_BYTES ||
                     file->payload.len == (size_t)PW_DEVICE_KEY_BYTES * PW_DEVICE_KEYS_MAX;
}

int pw_device_file_read(struct pw_str bytes, struct pw_device_file *file)
{
    uint8_t sum[PW_SHA256_LEN];
    if (bytes.len < FILE_HEAD + PW_SHA256_LEN || bytes.len > PW_DEVICE_FILE_MAX ||
        memcmp(bytes.at, file_magic, sizeof(file_magic)) != 0) {
        return PW_ERR_PEER;
    }
    size_t len = (size_t)(uint8_t)bytes.at[6] << 8U | (uint8_t)bytes.at[7];
    uint8_t kind = (uint8_t)bytes.at[5];
    if (len != bytes.len - FILE_HEAD - PW_SHA256_LEN || kind >= PW_DEVICE_FILE_KINDS) {
        return PW_ERR_PEER;
    }
    digest(part(bytes, 0, FILE_HEAD + len), sum);
    file->kind = (enum pw_device_file_kind)kind;
    file->payload = part(bytes, FILE_HEAD, len);
    return memcmp(sum, bytes.at + FILE_HEAD + len, sizeof(sum)) == 0 && fits_kind(file)
               ? PW_OK
               : PW_ERR_PEER;
}

int pw_device_file_write(const struct pw_device_file *file, char *to, size_t cap)
{
    size_t len = file->payload.len;
    size_t whole = FILE_HEAD + len + PW_SHA256_LEN;
    PW_ASSERT(fits_kind(file));
    if (len > PW_DEVICE_FILE_PAYLOAD || whole > cap) {
        return PW_ERR_LIMIT;
    }
    memcpy(to, file_magic, sizeof(file_magic));
    to[5] = (char)file->kind;
    to[6] = (char)(len >> 8U);
    to[7] = (char)(len & 0xFFU);
    memcpy(to + FILE_HEAD, file->payload.at, len);
    digest((struct pw_str){.at = to, .len = FILE_HEAD + len}, (uint8_t *)to + FILE_HEAD + len);
    return (int)whole;
}

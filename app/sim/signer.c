#include "signer.h"

#include "ocmf/ocmf.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

static size_t sign(void *context, struct pw_str text, uint8_t *signature, size_t cap)
{
    EVP_PKEY *key = context;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool ed25519 = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    size_t len = cap;
    bool ok =
        digest != NULL &&
        EVP_DigestSignInit(digest, NULL, ed25519 ? NULL : EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(digest, signature, &len, (const unsigned char *)text.at, text.len) == 1;
    EVP_MD_CTX_free(digest);
    return ok ? len : 0;
}

static bool peek(void *context, uint16_t address, uint16_t *word, size_t words)
{
    return pw_modbus_server_peek(context, address, word, words);
}

static bool fill(void *context, uint16_t address, const uint16_t *word, size_t words)
{
    return pw_modbus_server_fill(context, address, word, words);
}

static EVP_PKEY *new_key(enum pw_sim_signer_kind kind)
{
    return kind == PW_SIM_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                  : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static int fail(struct pw_out *reason, const char *file, const char *what)
{
    pw_put_s(reason, "--meter-key \"");
    pw_put_s(reason, file);
    pw_put_s(reason, "\": ");
    pw_put_s(reason, what);
    return PW_ERR_UNKNOWN;
}

// Only its owner may read it.
static int keep_key(EVP_PKEY *key, const char *file, struct pw_out *reason)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    bool ok = to != NULL && PEM_write_PKCS8PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (to != NULL) {
        ok = fclose(to) == 0 && ok;
    } else if (fd >= 0) {
        (void)close(fd);
    }
    return ok ? PW_OK : fail(reason, file, "cannot be written");
}

static int open_key(struct pw_sim_signer *signer, const char *file, enum pw_sim_signer_kind kind,
                    struct pw_out *reason)
{
    FILE *from = file == NULL ? NULL : fopen(file, "re");
    if (from != NULL) {
        signer->key = PEM_read_PrivateKey(from, NULL, NULL, NULL);
        (void)fclose(from);
        return signer->key != NULL ? PW_OK : fail(reason, file, "is no private key in PEM");
    }
    if (file != NULL && errno != ENOENT) {
        return fail(reason, file, strerror(errno));
    }
    signer->key = new_key(kind);
    if (signer->key == NULL) {
        return fail(reason, file != NULL ? file : "", "no key can be made");
    }
    return file == NULL ? PW_OK : keep_key(signer->key, file, reason);
}

static void tell(const struct pw_signmeter_signer *with, const struct pw_log *log)
{
    char text[2 * PW_SIGNED_KEY_MAX + 1] = "";
    struct pw_out hex = PW_OUT(text);
    struct pw_line line;
    for (size_t i = 0; i < with->key_len; i++) {
        pw_put_hex(&hex, with->key[i], 2);
    }
    pw_line(&line, log, PW_LOG_INFO, "sim", "meter-key");
    pw_line_s(&line, "algorithm", with->algorithm);
    pw_line_s(&line, "public", text);
    pw_line_end(&line);
}

int pw_sim_signer_open(struct pw_sim_signer *signer, const struct pw_sim_wired *wired,
                       const struct pw_sim_options *options, const struct pw_log *log,
                       struct pw_out *reason)
{
    const struct pw_modbus_map *map = wired->map;
    const char *file = options->meter_key;
    *signer = (struct pw_sim_signer){.server = wired->server, .map = map};
    const struct pw_modbus_signer *registers = map == NULL ? NULL : pw_modbus_signer_of(map);
    if (registers == NULL) {
        return PW_OK;
    }
    int err = open_key(signer, file, (enum pw_sim_signer_kind)options->meter_key_kind, reason);
    if (err != PW_OK) {
        return err;
    }
    bool ed25519 = EVP_PKEY_get_base_id(signer->key) == EVP_PKEY_ED25519;
    struct pw_signmeter_signer with = {
        .context = signer->key,
        .algorithm = ed25519 ? PW_OCMF_ED25519 : PW_OCMF_P256,
        .sign = sign,
    };
    const struct pw_signmeter_registers on = {.context = wired->server, .peek = peek, .fill = fill};
    int len = i2d_PUBKEY(signer->key, NULL);
    if (len <= 0 || len > 2 * registers->key_words) {
        return fail(reason, file != NULL ? file : "", "has no place in the meter");
    }
    unsigned char *to = with.key;
    with.key_len = (size_t)i2d_PUBKEY(signer->key, &to);
    pw_signmeter_init(&signer->meter, registers, &with, &on);
    tell(&with, log);
    return PW_OK;
}

void pw_sim_signer_close(struct pw_sim_signer *signer)
{
    EVP_PKEY_free(signer->key);
    signer->key = NULL;
}

// What it signs is what it shows.
static int64_t shown_energy(const struct pw_sim_signer *signer)
{
    for (unsigned i = 0; i < signer->map->rows; i++) {
        const struct pw_modbus_row *row = &signer->map->row[i];
        uint16_t word[2];
        if (row->value == PW_MODBUS_IMPORT_MWH && row->form == PW_MODBUS_U32 &&
            pw_modbus_server_peek(signer->server, row->address, word, 2)) {
            return (int64_t)((uint32_t)word[0] << 16 | word[1]) * row->factor;
        }
    }
    return 0;
}

pw_ms pw_sim_signer_turn(struct pw_sim_signer *signer, pw_ms now)
{
    return signer->key == NULL ? PW_NEVER
                               : pw_signmeter_step(&signer->meter, shown_energy(signer), now);
}

// The vault: what a disk without its key gives away (nothing), what a disk with another key does
// (it is said, and nothing opens), and how the key of a device is changed whatever happens
// meanwhile. facts/reliability.md §2.1 (assets 4), §3.1 (configuration and keys: old or new, never
// mixed), F03.
#include "vault/vault.h"

#include "folder.h"
#include "sealed/sealed.h"
#include "simstore.h"
#include "station.h"
#include "test.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define VALUE "a-very-secret-value-0001"
#define NAME  "store/set/ocpp.authorization_key"

struct fixture {
    struct folder folder;
    struct folder credentials;
    struct pw_vault *vault;
    const struct pw_secret *secret;
    char text[512];
    struct pw_out why;
};

static int open_with(struct fixture *f, const char *tpm, bool credentials)
{
    const struct pw_vault_options options = {.folder = f->folder.path,
                                             .tpm = tpm,
                                             .credentials =
                                                 credentials ? f->credentials.path : NULL};
    pw_vault_close(f->vault);
    f->vault = NULL;
    f->why = PW_OUT(f->text);
    int err = pw_vault_open(&f->vault, &options, &f->why);
    f->secret = err == PW_OK ? pw_vault_port(f->vault) : NULL;
    return err;
}

static int open_file(struct fixture *f)
{
    return open_with(f, PW_VAULT_TPM_OFF, false);
}

static int set_up(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    folder_make(&f.folder);
    folder_make(&f.credentials);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    pw_vault_close(f->vault);
    folder_remove(&f->folder);
    folder_remove(&f->credentials);
    return 0;
}

static struct pw_str seal(const struct fixture *f, const char *name, const char *value, char *to,
                          size_t cap)
{
    int len = f->secret->seal(f->secret->context, pw_str_of(name), pw_str_of(value), to, cap);
    assert_int_equal(len, strlen(value) + PW_SECRET_EXTRA);
    return (struct pw_str){.at = to, .len = (size_t)len};
}

static int open_value(const struct fixture *f, const char *name, struct pw_str sealed, char to[128])
{
    memset(to, 0, 128);
    return f->secret->open(f->secret->context, pw_str_of(name), sealed, to, 127);
}

static bool file_holds(const char *path, const char *bytes, size_t len)
{
    char all[4096];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t got = fread(all, 1, sizeof(all), file);
    (void)fclose(file);
    return memmem(all, got, bytes, len) != NULL;
}

// ---------------------------------------------------------------------------------------------

static void a_value_opens_under_its_own_name_only(void **state)
{
    struct fixture *f = *state;
    char sealed[128];
    char other[128];
    char plain[128];
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str one = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    struct pw_str two = seal(f, NAME, VALUE, other, sizeof(other));
    assert_memory_not_equal(one.at, two.at, one.len); // equal passwords look different
    assert_int_equal(open_value(f, NAME, one, plain), strlen(VALUE));
    assert_string_equal(plain, VALUE);
    assert_int_equal(open_value(f, "store/set/page.password", one, plain), PW_ERR_PEER);
    assert_string_equal(plain, "");
    assert_int_equal(open_value(f, NAME, PW_STR(VALUE), plain), PW_ERR_PEER); // was never sealed
    // Another device, another key: the disk alone is worth nothing.
    assert_int_equal(open_file(f), PW_OK);
    assert_int_equal(open_value(f, NAME, one, plain), strlen(VALUE));
    char path[128];
    folder_file(&f->folder, "device.key", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_file(f), PW_OK);
    assert_int_equal(open_value(f, NAME, one, plain), PW_ERR_UNKNOWN);
}

// Opens a value as core/secret/secret.h describes it, with OpenSSL alone; `plain` is terminated.
static bool open_by_hand(const unsigned char key[PW_DEVICE_KEY_BYTES], const char *name,
                         struct pw_str sealed, char plain[128])
{
    static const char label[] = "pilotwire-secret-1";
    const unsigned char *at = (const unsigned char *)sealed.at;
    const unsigned char *value = at + PW_SECRET_HEAD + PW_SECRET_NONCE;
    int len = (int)(sealed.len - PW_SECRET_EXTRA);
    int done = 0;
    unsigned char cipher[32];
    unsigned cipher_len = 0;
    unsigned char tag[PW_SECRET_TAG];
    memcpy(tag, value + len, sizeof(tag));
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool good =
        HMAC(EVP_sha256(), key, PW_DEVICE_KEY_BYTES, (const unsigned char *)label, strlen(label),
             cipher, &cipher_len) != NULL &&
        EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, cipher, at + PW_SECRET_HEAD) == 1 &&
        EVP_DecryptUpdate(context, NULL, &done, (const unsigned char *)label, (int)strlen(label)) ==
            1 &&
        EVP_DecryptUpdate(context, NULL, &done, at, PW_SECRET_HEAD) == 1 &&
        EVP_DecryptUpdate(context, NULL, &done, (const unsigned char *)name, (int)strlen(name)) ==
            1 &&
        EVP_DecryptUpdate(context, (unsigned char *)plain, &done, value, len) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) == 1 &&
        EVP_DecryptFinal_ex(context, (unsigned char *)plain + done, &done) == 1;
    EVP_CIPHER_CTX_free(context);
    plain[good ? len : 0] = '\0';
    return good;
}

// Reason: what is on the disk must open with every later version: the form, and what the tag
// covers, are those of the header and no others.
static void a_sealed_value_is_as_its_header_says(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char sealed[128];
    char plain[128];
    char file[PW_DEVICE_FILE_MAX];
    struct pw_device_file keys;
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str blob = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    folder_file(&f->folder, "device.key", path);
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    size_t len = fread(file, 1, sizeof(file), from);
    (void)fclose(from);
    assert_int_equal(pw_device_file_read((struct pw_str){.at = file, .len = len}, &keys), PW_OK);
    const unsigned char *key = (const unsigned char *)keys.payload.at;
    assert_true(open_by_hand(key, NAME, blob, plain));
    assert_string_equal(plain, VALUE);
    assert_false(open_by_hand(key, "store/set/page.password", blob, plain));
}

static void every_flipped_bit_of_a_sealed_value_is_found(void **state)
{
    struct fixture *f = *state;
    char sealed[128];
    char plain[128];
    unsigned flips = 0;
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str blob = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    for (size_t bit = 0; bit < blob.len * 8; bit++) {
        sealed[bit / 8] = (char)((unsigned char)sealed[bit / 8] ^ 1U << bit % 8);
        assert_true(open_value(f, NAME, blob, plain) < 0);
        assert_string_equal(plain, "");
        sealed[bit / 8] = (char)((unsigned char)sealed[bit / 8] ^ 1U << bit % 8);
        flips++;
    }
    for (size_t len = 0; len < blob.len; len++) {
        assert_true(open_value(f, NAME, (struct pw_str){.at = sealed, .len = len}, plain) < 0);
    }
    assert_int_equal(open_value(f, NAME, blob, plain), strlen(VALUE));
    print_message("%u bits flipped, none opened\n", flips);
}

static void every_flipped_bit_of_the_key_file_is_found(void **state)
{
    struct fixture *f = *state;
    char path[128];
    char bytes[PW_DEVICE_FILE_MAX];
    assert_int_equal(open_file(f), PW_OK);
    folder_file(&f->folder, "device.key", path);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    assert_int_equal(len, 8 + PW_DEVICE_KEY_BYTES + 32);
    for (size_t bit = 0; bit < len * 8; bit++) {
        rewind(file);
        bytes[bit / 8] = (char)((unsigned char)bytes[bit / 8] ^ 1U << bit % 8);
        assert_int_equal(fwrite(bytes, 1, len, file), len);
        assert_int_equal(fflush(file), 0);
        assert_int_equal(open_file(f), PW_ERR_PEER);
        assert_non_null(strstr(f->text, "damaged"));
        bytes[bit / 8] = (char)((unsigned char)bytes[bit / 8] ^ 1U << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(ftruncate(fileno(file), (off_t)cut), 0);
        assert_int_equal(open_file(f), PW_ERR_PEER);
    }
    (void)fclose(file);
}

// Reason: a key that others could read is no key any more, and whoever can write the folder can put
// his own in its place.
static void a_key_that_others_can_reach_is_refused_in_words(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct stat about;
    assert_int_equal(open_file(f), PW_OK);
    folder_file(&f->folder, "device.key", path);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(open_file(f), PW_ERR_STORE);
    assert_non_null(strstr(f->text, "others can read it"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(f->folder.path, 0770), 0);
    assert_int_equal(open_file(f), PW_ERR_STORE);
    assert_non_null(strstr(f->text, "others can write it"));
    assert_int_equal(chmod(f->folder.path, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 1, 1), 0);
        assert_int_equal(open_file(f), PW_ERR_STORE);
        assert_non_null(strstr(f->text, "another user"));
        assert_int_equal(chown(path, 0, 0), 0);
    }
    assert_int_equal(open_file(f), PW_OK);
    // A link to somewhere else is no key.
    char elsewhere[128];
    folder_file(&f->credentials, "key", elsewhere);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    assert_int_equal(open_file(f), PW_ERR_STORE);
}

static void without_a_key_nothing_is_sealed_or_opened(void **state)
{
    struct fixture *f = *state;
    char sealed[128];
    char plain[128];
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str blob = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    pw_vault_close(f->vault);
    f->vault = pw_vault_without();
    f->secret = pw_vault_port(f->vault);
    assert_int_equal(open_value(f, NAME, blob, plain), PW_ERR_UNKNOWN);
    assert_int_equal(
        f->secret->seal(f->secret->context, PW_STR(NAME), PW_STR(VALUE), plain, sizeof(plain)),
        PW_ERR_STORE);
}

// ---------------------------------------------------------------------------------------------
// Another key.

static void a_changed_key_opens_both_until_all_is_sealed_anew(void **state)
{
    struct fixture *f = *state;
    char first[128];
    char second[128];
    char plain[128];
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str old = seal(f, NAME, VALUE, first, sizeof(first));
    assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_OK);
    assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_ERR_BUSY);
    assert_int_equal(open_file(f), PW_OK); // a start in between
    assert_true(pw_vault_unsettled(f->vault));
    assert_int_equal(open_value(f, NAME, old, plain), strlen(VALUE));
    assert_true(f->secret->stale(f->secret->context, old));
    struct pw_str new = seal(f, NAME, VALUE, second, sizeof(second));
    assert_false(f->secret->stale(f->secret->context, new));
    assert_int_equal(pw_vault_settle(f->vault, &f->why), PW_OK);
    for (unsigned starts = 0; starts < 2; starts++) {
        assert_int_equal(open_value(f, NAME, old, plain), PW_ERR_UNKNOWN);
        assert_int_equal(open_value(f, NAME, new, plain), strlen(VALUE));
        assert_int_equal(open_file(f), PW_OK);
    }
}

// Reason: systemd-creds may hold the key better than a file does; nothing must be lost on the way.
static void a_credential_takes_the_place_of_the_file(void **state)
{
    struct fixture *f = *state;
    char sealed[128];
    char again[128];
    char plain[128];
    char path[128];
    static const char hex[] = "000102030405060708090a0b0c0d0e0f"
                              "101112131415161718191a1b1c1d1e1f\n";
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str old = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    folder_write(&f->credentials, "device.key", hex, 0600, path);
    assert_int_equal(open_with(f, PW_VAULT_TPM_OFF, true), PW_OK);
    assert_int_equal(pw_vault_place(f->vault), PW_VAULT_CREDENTIAL);
    assert_int_equal(open_value(f, NAME, old, plain), strlen(VALUE));
    assert_true(f->secret->stale(f->secret->context, old));
    struct pw_str new = seal(f, NAME, VALUE, again, sizeof(again));
    assert_int_equal(pw_vault_settle(f->vault, &f->why), PW_OK);
    folder_file(&f->folder, "device.key", path);
    assert_int_equal(access(path, F_OK), -1); // no key on the disk any more
    assert_int_equal(open_with(f, PW_VAULT_TPM_OFF, true), PW_OK);
    assert_int_equal(open_value(f, NAME, new, plain), strlen(VALUE));
    assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_ERR_BUSY);
    folder_write(&f->credentials, "device.key", "too short", 0600, path);
    assert_int_equal(open_with(f, PW_VAULT_TPM_OFF, true), PW_ERR_PEER);
}

// ---------------------------------------------------------------------------------------------
// The power goes while all is sealed anew.

// All records that a station keeps secret, from the settings' rows on.
enum { SECRETS_MAX = 32 };
static char keys[SECRETS_MAX][PW_STORE_KEY_MAX + 1];
static unsigned secrets;

static void list_secrets(void)
{
    static const char *const others[] = {"network/ap_password", "up", "fw"};
    secrets = 0;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        if (pw_setting_rows[id].when == PW_WHEN_SECRET) {
            (void)snprintf(keys[secrets++], sizeof(keys[0]), "set/%s", pw_setting_rows[id].path);
        }
    }
    for (size_t i = 0; i < PW_COUNT(others); i++) {
        (void)snprintf(keys[secrets++], sizeof(keys[0]), "%s", others[i]);
    }
    for (unsigned i = 0; i < secrets; i++) {
        assert_true(pw_station_keeps_secret(pw_str_of(keys[i])));
    }
}

static void put_secrets(struct pw_sealed *sealed)
{
    list_secrets();
    for (unsigned i = 0; i < secrets; i++) {
        const struct pw_store_change change = {.key = pw_str_of(keys[i]), .value = PW_STR(VALUE)};
        assert_true(sealed->port.write(sealed->port.context, &change, 1) > 0);
    }
    const struct pw_store_change open = {.key = PW_STR("set/log.level"), .value = PW_STR("info")};
    int64_t ticket = sealed->port.write(sealed->port.context, &open, 1);
    assert_true(ticket > 0 && sealed->port.durable(sealed->port.context) >= ticket);
}

static void check_secrets(struct pw_sealed *sealed)
{
    char value[PW_STORE_VALUE_MAX];
    for (unsigned i = 0; i < secrets; i++) {
        int len = sealed->port.get(sealed->port.context, pw_str_of(keys[i]), value, sizeof(value));
        assert_int_equal(len, strlen(VALUE));
        assert_memory_equal(value, VALUE, strlen(VALUE));
    }
    assert_int_equal(
        sealed->port.get(sealed->port.context, PW_STR("set/log.level"), value, sizeof(value)), 4);
}

// What a program does at its start (app/station/secrets.c). False when the power went.
static bool renew(struct fixture *f, struct pw_sim_store *disk, struct pw_sealed *sealed)
{
    struct pw_sealed_walk walk = pw_sealed_walk(sealed, PW_STR(""), NULL);
    for (unsigned look = 0; look < 100 && !disk->cut; look++) {
        int64_t durable = disk->port.durable(disk->port.context);
        if (durable >= walk.ticket) {
            assert_int_equal(walk.locked, 0);
            assert_int_equal(pw_vault_settle(f->vault, &f->why), PW_OK);
            return true;
        }
    }
    return false;
}

static void a_change_of_the_key_survives_a_power_cut_at_every_operation(void **state)
{
    struct fixture *f = *state;
    struct pw_sim_store disk;
    struct pw_sealed sealed;
    unsigned cuts = 0;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        for (unsigned pending = 0; pending < 2; pending++) {
            assert_int_equal(open_file(f), PW_OK);
            pw_sim_store_init(&disk);
            pw_sealed_init(&sealed, &disk.port, f->secret, pw_station_keeps_secret);
            put_secrets(&sealed);
            assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_OK);
            disk.lag = 3;
            disk.operations = 0;
            disk.cut_at = at;
            disk.keep_pending = pending != 0;
            whole = renew(f, &disk, &sealed);
            pw_sim_store_restart(&disk);
            assert_int_equal(open_file(f), PW_OK);
            pw_sealed_init(&sealed, &disk.port, f->secret, pw_station_keeps_secret);
            check_secrets(&sealed);
            assert_true(renew(f, &disk, &sealed));
            assert_false(pw_vault_unsettled(f->vault));
            check_secrets(&sealed);
            pw_sim_store_free(&disk);
            cuts++;
        }
    }
    assert_true(cuts > 10);
    print_message("%u cuts, nothing lost\n", cuts);
}

// The file of the key itself: what a cut leaves beside it is not it.
static void half_a_new_key_file_is_not_the_key(void **state)
{
    struct fixture *f = *state;
    char sealed[128];
    char plain[128];
    char path[128];
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str blob = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    folder_write(&f->folder, "device.key.new", "PWDK\x01 half", 0600, path);
    assert_int_equal(open_file(f), PW_OK);
    assert_int_equal(open_value(f, NAME, blob, plain), strlen(VALUE));
    assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_OK);
    assert_int_equal(open_value(f, NAME, blob, plain), strlen(VALUE));
}

static void a_store_with_another_key_reads_as_locked_and_keeps_what_it_has(void **state)
{
    struct fixture *f = *state;
    struct pw_sim_store disk;
    struct pw_sealed sealed;
    char path[128];
    char value[PW_STORE_VALUE_MAX];
    char key[PW_STORE_KEY_MAX + 1];
    assert_int_equal(open_file(f), PW_OK);
    pw_sim_store_init(&disk);
    pw_sealed_init(&sealed, &disk.port, f->secret, pw_station_keeps_secret);
    put_secrets(&sealed);
    for (size_t i = 0; i < disk.count; i++) {
        assert_null(memmem(disk.records[i].value, disk.records[i].len, VALUE, strlen(VALUE)));
    }
    folder_file(&f->folder, "device.key", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_file(f), PW_OK);
    pw_sealed_init(&sealed, &disk.port, f->secret, pw_station_keeps_secret);
    assert_int_equal(sealed.port.get(sealed.port.context, pw_str_of(keys[0]), value, sizeof(value)),
                     1);
    assert_memory_equal(value, PW_SEALED_LOCKED, 1);
    assert_int_equal(sealed.port.next(sealed.port.context, PW_STR("set/ocpp.a"), PW_STR(""), key,
                                      value, sizeof(value)),
                     1);
    assert_string_equal(key, "set/ocpp.authorization_key");
    struct pw_sealed_walk walk = pw_sealed_walk(&sealed, PW_STR(""), NULL);
    assert_int_equal(walk.secrets, secrets);
    assert_int_equal(walk.locked, secrets);
    assert_int_equal(walk.renewed, 0);
    pw_sim_store_free(&disk);
}

// ---------------------------------------------------------------------------------------------
// A real software TPM.

static pid_t start_tpm(const struct folder *folder, char tcti[160])
{
    extern char **environ;
    char state[160];
    char server[160];
    char control[160];
    pid_t pid = 0;
    (void)snprintf(state, sizeof(state), "dir=%s", folder->path);
    (void)snprintf(server, sizeof(server), "type=unixio,path=%s/tpm", folder->path);
    (void)snprintf(control, sizeof(control), "type=unixio,path=%s/tpm.ctrl", folder->path);
    (void)snprintf(tcti, 160, "swtpm:path=%s/tpm", folder->path);
    char words[][20] = {"swtpm",  "socket", "--tpm2",  "--tpmstate",   "", "--server", "",
                        "--ctrl", "",       "--flags", "not-need-init"};
    char *args[PW_COUNT(words) + 1] = {NULL};
    for (size_t i = 0; i < PW_COUNT(words); i++) {
        args[i] = words[i];
    }
    args[4] = state;
    args[6] = server;
    args[8] = control;
    posix_spawn_file_actions_t quiet;
    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(
        posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0), 0);
    if (posix_spawnp(&pid, "swtpm", &quiet, NULL, args, environ) != 0) {
        fail_msg("swtpm is not there: tools/setup test");
    }
    (void)posix_spawn_file_actions_destroy(&quiet);
    char socket[160];
    (void)snprintf(socket, sizeof(socket), "%s/tpm", folder->path);
    for (unsigned look = 0; look < 500 && access(socket, F_OK) != 0; look++) {
        (void)usleep(10000);
    }
    return pid;
}

static void stop_tpm(pid_t pid)
{
    int status = 0;
    (void)kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void a_tpm_keeps_the_key_and_another_one_does_not_open_it(void **state)
{
    struct fixture *f = *state;
    struct folder machine;
    struct folder other;
    char tcti[160];
    char wrong[160];
    char sealed[128];
    char anew[128];
    char plain[128];
    char path[128];
    folder_make(&machine);
    folder_make(&other);
    // A key in a file first; changing it brings it into the TPM.
    assert_int_equal(open_file(f), PW_OK);
    struct pw_str blob = seal(f, NAME, VALUE, sealed, sizeof(sealed));
    pid_t pid = start_tpm(&machine, tcti);
    assert_int_equal(open_with(f, tcti, false), PW_OK);
    assert_int_equal(pw_vault_place(f->vault), PW_VAULT_FILE);
    assert_int_equal(pw_vault_rotate(f->vault, &f->why), PW_OK);
    assert_int_equal(open_with(f, tcti, false), PW_OK);
    assert_int_equal(pw_vault_place(f->vault), PW_VAULT_TPM);
    assert_int_equal(open_value(f, NAME, blob, plain), strlen(VALUE));
    struct pw_str new = seal(f, NAME, VALUE, anew, sizeof(anew));
    assert_int_equal(pw_vault_settle(f->vault, &f->why), PW_OK);
    assert_int_equal(open_with(f, tcti, false), PW_OK);
    assert_int_equal(open_value(f, NAME, new, plain), strlen(VALUE));
    // The disk in another machine, and in one without a TPM.
    pid_t second = start_tpm(&other, wrong);
    assert_int_equal(open_with(f, wrong, false), PW_ERR_UNKNOWN);
    assert_non_null(strstr(f->text, "another TPM"));
    stop_tpm(second);
    assert_int_equal(open_with(f, wrong, false), PW_ERR_UNKNOWN);
    assert_int_equal(open_file(f), PW_ERR_UNKNOWN);
    assert_non_null(strstr(f->text, "a TPM keeps the key"));
    folder_file(&f->folder, "device.key", path);
    assert_true(file_holds(path, "PWDK\x01\x01", 6));
    assert_int_equal(open_with(f, tcti, false), PW_OK);
    assert_int_equal(open_value(f, NAME, new, plain), strlen(VALUE));
    stop_tpm(pid);
    folder_remove(&machine);
    folder_remove(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_opens_under_its_own_name_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sealed_value_is_as_its_header_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_of_a_sealed_value_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_of_the_key_file_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_others_can_reach_is_refused_in_words, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_key_nothing_is_sealed_or_opened, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_changed_key_opens_both_until_all_is_sealed_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_credential_takes_the_place_of_the_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_change_of_the_key_survives_a_power_cut_at_every_operation,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_new_key_file_is_not_the_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_store_with_another_key_reads_as_locked_and_keeps_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tpm_keeps_the_key_and_another_one_does_not_open_it,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

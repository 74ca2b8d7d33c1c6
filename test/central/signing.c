// A release with OCPP's own signature at the central: what is taken, what is refused and why, and
// what stations are sent with it and without.
#include "authority.h"
#include "bench.h"
#include "bodies.h"
#include "central_crypto.h"
#include "make.h"
#include "shelf.h"

#include <stdlib.h>

#define BODY_MAX 16384

static struct shelf shelf;
static struct pw_central_crypto crypto;
static uint8_t file[8192];
static size_t file_len;

static int setup(void **state)
{
    static struct bench bench;
    bench_open(&bench);
    pw_central_free(bench.central);
    shelf_open(&shelf);
    crypto = *bench.config.crypto;
    crypto.signed_file = pw_central_crypto_openssl.signed_file;
    bench.config.crypto = &crypto;
    bench.config.depot = &shelf.port;
    bench.config.public_url = PW_STR("http://central.example:8180");
    const char *why = "";
    assert_int_equal(pw_central_new(&bench.central, &bench.config, bench.at, &why), PW_OK);
    bench_login(&bench);
    static uint8_t program[1000];
    const struct pw_make make = {.version = "1.2.3",
                                 .component = {{.bytes = program, .len = sizeof(program)}},
                                 .hardware = {"wallbox-9"}};
    file_len = pw_make_release(&make, file, sizeof(file));
    *state = &bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    shelf_close(&shelf);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void bring(struct bench *bench)
{
    const struct pw_http_request request = {
        .method = PW_HTTP_POST,
        .path = PW_STR("/api/v1/releases"),
        .host = pw_str_of(bench->host),
        .cookie = pw_str_of(bench->cookie),
        .csrf = pw_str_of(bench->csrf),
        .address = PW_STR("192.0.2.1"),
        .length = file_len,
        .stream = ++bench->links,
    };
    struct pw_http_reply reply = {0};
    assert_true(pw_central_takes(bench->central, &request, &reply, bench->at) > 0);
    assert_int_equal(pw_central_piece(bench->central, request.stream,
                                      (struct pw_str){.at = (const char *)file, .len = file_len},
                                      bench->at),
                     file_len);
    pw_central_http(bench->central, &request, &reply, bench->at);
    assert_int_equal(reply.status, 201);
}

// In base64, as people hand it over.
static void sign(const struct authority *signer, const uint8_t *bytes, size_t len, char to[1024])
{
    uint8_t signature[512];
    size_t size = sizeof(signature);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    struct pw_out out = {.cap = 1024};
    EVP_PKEY_CTX *key = NULL;
    out.at = to;
    assert_int_equal(EVP_DigestSignInit(digest, &key, EVP_sha256(), NULL, signer->key), 1);
    if (EVP_PKEY_get_base_id(signer->key) == EVP_PKEY_RSA) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key, 6), 1); // PSS
    }
    assert_int_equal(EVP_DigestSign(digest, signature, &size, bytes, len), 1);
    EVP_MD_CTX_free(digest);
    pw_put_base64(&out, signature, size);
}

static int put(struct bench *bench, const char *certificate, const char *signature)
{
    static char text[BODY_MAX];
    struct pw_out out = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&out);
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "certificate", certificate);
    pw_json_say_s(&json, "signature", signature);
    pw_json_close(&json, '}');
    return bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/1", text);
}

static struct authority signer_of(enum authority_kind kind, int rsa_bits)
{
    return authority_make(NULL, kind, "signer", NULL, rsa_bits, 0, 1000 * AUTHORITY_DAY);
}

// What a station is sent for this release: the action.
static int told(struct bench *bench, char text[BODY_MAX])
{
    const struct kept_release release = release_find(bench->central, 1);
    struct pw_out out = {.cap = BODY_MAX};
    int64_t request = 0;
    out.at = text;
    return release_command(bench->central, station_find(bench->central, PW_STR("CP1")), &release,
                           &out, &request, bench->at);
}

static void release_with_a_signature_is_sent_as_signed_and_without_one_again_as_it_was(void **state)
{
    struct bench *bench = *state;
    static char text[BODY_MAX];
    bring(bench);
    (void)bench_station(bench, "CP1");
    for (int rsa_bits = 0; rsa_bits <= 2048; rsa_bits += 2048) {
        struct authority signer = signer_of(AUTHORITY_SIGNER, rsa_bits);
        char pem[AUTHORITY_PEM_MAX] = "";
        char signature[1024] = "";
        authority_pem(signer.certificate, pem);
        sign(&signer, file, file_len, signature);
        assert_int_equal(told(bench, text), PW_OCPP16_UPDATE_FIRMWARE);
        assert_int_equal(put(bench, pem, signature), 200);
        assert_has(bench->body, "\"ocpp_signed\":true");
        assert_int_equal(told(bench, text), PW_OCPP16_SIGNED_UPDATE_FIRMWARE);
        assert_has(text, "\"signingCertificate\":\"-----BEGIN CERTIFICATE-----\\n");
        assert_has(text, signature);
        // Models alone leave it; both empty take it away.
        assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/1",
                                    "{\"models\":[\"Wallbox\",\"Box 2\"]}"),
                         200);
        assert_has(bench->body, "\"ocpp_signed\":true");
        assert_has(bench->body, "\"only_models\":[\"Wallbox\",\"Box 2\"]");
        assert_int_equal(put(bench, "", ""), 200);
        assert_has(bench->body, "\"ocpp_signed\":false");
        assert_has(bench->body, "\"only_models\":[\"Wallbox\",\"Box 2\"]");
        authority_free(&signer);
    }
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/1", "{\"models\":[]}"), 200);
    assert_has(bench->body, "\"only_models\":[]");
}

// Reason: a wrong one would be refused by two hundred stations, each with one word.
static void signature_that_is_not_the_certificates_over_this_file_is_refused_in_words(void **state)
{
    struct bench *bench = *state;
    struct authority signer = signer_of(AUTHORITY_SIGNER, 0);
    struct authority other = signer_of(AUTHORITY_SIGNER, 0);
    struct authority weak = signer_of(AUTHORITY_SIGNER, 1024);
    struct authority root = signer_of(AUTHORITY_CA, 0);
    char pem[AUTHORITY_PEM_MAX] = "";
    char weak_pem[AUTHORITY_PEM_MAX] = "";
    char root_pem[AUTHORITY_PEM_MAX] = "";
    char two[AUTHORITY_PEM_MAX] = "";
    char good[1024] = "";
    char others[1024] = "";
    char another[1024] = "";
    bring(bench);
    authority_pem(signer.certificate, pem);
    authority_pem(weak.certificate, weak_pem);
    authority_pem(root.certificate, root_pem);
    authority_pem(signer.certificate, two);
    authority_pem(other.certificate, two);
    sign(&signer, file, file_len, good);
    sign(&other, file, file_len, others);
    sign(&signer, file, file_len - 1, another);
    assert_int_equal(put(bench, pem, good), 200);
    const struct {
        const char *certificate;
        const char *signature;
        const char *why;
    } rows[] = {
        {pem, "", "give both or none"},
        {"", good, "give both or none"},
        {pem, others, "the signature is not the signer's over this file"},
        {pem, another, "the signature is not the signer's over this file"},
        {pem, "%%%", "the signature is no base64"},
        {"-----BEGIN", good, "is not one certificate in PEM form"},
        {two, good, "is not one certificate in PEM form"},
        {weak_pem, good, "weaker than RSA 2048"},
        {root_pem, good, "not made for signatures"},
    };
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        assert_int_equal(put(bench, rows[i].certificate, rows[i].signature), 400);
        assert_has(bench->body, "certificate and signature: ");
        assert_has(bench->body, rows[i].why);
    }
    // Models that come with a wrong one are not taken either.
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/1",
                                "{\"models\":[\"X\"],\"certificate\":\"x\",\"signature\":\"x\"}"),
                     400);
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/1",
                                "{\"models\":[\"a name that is far too long\"]}"),
                     400);
    assert_has(bench->body, "models: must be");
    assert_int_equal(bench_http(bench, PW_HTTP_PUT, "/api/v1/releases/2", "{\"models\":[]}"), 404);
    assert_int_equal(bench_http(bench, PW_HTTP_GET, "/api/v1/releases/1", ""), 200);
    assert_has(bench->body, "\"ocpp_signed\":true");
    assert_has(bench->body, "\"only_models\":[]");
    authority_free(&signer);
    authority_free(&other);
    authority_free(&weak);
    authority_free(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(release_with_a_signature_is_sent_as_signed_and_without_one_again_as_it_was),
        TEST(signature_that_is_not_the_certificates_over_this_file_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

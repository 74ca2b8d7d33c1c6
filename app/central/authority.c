#include "authority.h"

#include "peer/authorities.h"
#include "peer/peer.h"
#include "vault/pem.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void path_of(char to[AUTHORITY_PATH_MAX], const struct options *options, const char *given,
                    const char *name)
{
    struct pw_out out = {.cap = AUTHORITY_PATH_MAX};
    out.at = to;
    pw_put_s(&out, given != NULL ? given : options->data);
    pw_put_s(&out, given != NULL ? "" : name);
}

static int fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "pilotwire-central: %s: %s\n", what, why);
    return EXIT_FAILURE;
}

bool authority_open(struct pw_central_ca_openssl **ca, const struct options *options,
                    const struct pw_secret *secret)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    *ca = NULL;
    int result = pw_central_ca_open(ca, options->data, secret, &why);
    if (result != PW_OK && result != PW_ERR_UNKNOWN) {
        (void)fail(options->data, text);
        return false;
    }
    return true;
}

const char *authority_clients(char to[AUTHORITY_PATH_MAX], const struct options *options,
                              const char *given)
{
    path_of(to, options, given, "/ca.crt");
    return given != NULL || access(to, R_OK) == 0 ? to : NULL;
}

const struct pw_httpd_tls *authority_tls(struct tls_files *files, const struct options *options,
                                         const struct pw_secret *secret)
{
    if (!options->tls) {
        return NULL;
    }
    path_of(files->certificate, options, options->tls_cert, "/tls.crt");
    path_of(files->key, options, options->tls_key, "/tls.key");
    files->tls = (struct pw_httpd_tls){
        .host = options->tls_host,
        .port = options->tls_port,
        .certificate = files->certificate,
        .key = files->key,
        .secret = options->tls_key == NULL ? secret : NULL,
        .client_ca = authority_clients(files->client_ca, options, options->tls_client_ca)};
    return &files->tls;
}

bool authority_check(const struct pw_httpd_tls *tls)
{
    char text[AUTHORITY_PATH_MAX + 256] = "";
    struct pw_out why = PW_OUT(text);
    if (access(tls->certificate, R_OK) != 0) {
        (void)fail(tls->certificate, "it cannot be read; ca init and ca server make one");
        return false;
    }
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = trial != NULL ? pw_key_read(tls->key, tls->secret, &why) : NULL;
    bool good = key != NULL && pw_peer_reload(trial, tls->certificate, key, &why) == PW_OK &&
                (tls->client_ca == NULL ||
                 pw_authorities_trust(trial, tls->client_ca, true, &why) == PW_OK);
    EVP_PKEY_free(key);
    SSL_CTX_free(trial);
    if (!good) {
        (void)fail("cannot serve TLS", text);
    }
    return good;
}

static int make_server(const struct options *options, const struct pw_secret *secret,
                       pw_unix_ms now)
{
    char text[256] = "";
    char certificate[AUTHORITY_PATH_MAX];
    char key[AUTHORITY_PATH_MAX];
    struct pw_out why = PW_OUT(text);
    struct pw_central_ca_openssl *ca = NULL;
    const char *const names[] = {options->name, options->label};
    if (pw_central_ca_open(&ca, options->data, secret, &why) != PW_OK) {
        return fail("ca server", text);
    }
    path_of(certificate, options, options->tls_cert, "/tls.crt");
    path_of(key, options, options->tls_key, "/tls.key");
    const struct pw_central_ca_server server = {.names = names,
                                                .count = options->label[0] != '\0' ? 2 : 1,
                                                .certificate = certificate,
                                                .key = key,
                                                .secret = options->tls_key == NULL ? secret : NULL};
    int result = pw_central_ca_server(ca, &server, now, &why);
    pw_central_ca_close(ca);
    if (result != PW_OK) {
        return fail("ca server", text);
    }
    (void)printf("%s\n%s\n", certificate, key);
    return EXIT_SUCCESS;
}

static int show(const struct options *options, const struct pw_secret *secret)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_central_ca_openssl *ca = NULL;
    if (pw_central_ca_open(&ca, options->data, secret, &why) != PW_OK) {
        return fail("ca show", text);
    }
    struct pw_str pem = pw_central_ca_port(ca)->certificate;
    (void)printf("%.*s", (int)pem.len, pem.at);
    pw_central_ca_close(ca);
    return EXIT_SUCCESS;
}

int authority_task(const struct options *options, const struct pw_secret *secret, pw_unix_ms now)
{
    char text[256] = "";
    struct pw_out why = PW_OUT(text);
    if (options->task == TASK_CA_SERVER) {
        return make_server(options, secret, now);
    }
    if (options->task == TASK_CA_INIT) {
        if (pw_central_ca_make(options->data, pw_str_of(options->name), secret, now, &why) !=
            PW_OK) {
            return fail("ca init", text);
        }
        (void)fputs("pilotwire-central: ca init: a central system that serves from this folder now"
                    " has no authority before it is started again\n",
                    stderr);
    }
    return show(options, secret);
}

// Station links: who we are there, and the listener.
#include "program.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

void links_identity(struct identity *identity, const struct options *options)
{
    const char *clients =
        options->link_client_ca != NULL ? options->link_client_ca : options->tls_client_ca;
    identity->make = options->link_cert == NULL;
    program_path(identity->certificate, identity->make ? options->data : options->link_cert,
                 identity->make ? "/link.crt" : "");
    program_path(identity->key, identity->make ? options->data : options->link_key,
                 identity->make ? "/link.key" : "");
    identity->client_ca = authority_clients(identity->clients, options, clients);
}

int links_show_pin(const struct options *options, const struct pw_secret *secret)
{
    char pin[PW_IDENTITY_PIN_MAX];
    char text[768];
    struct pw_out why = PW_OUT(text);
    struct identity identity;
    links_identity(&identity, options);
    const struct pw_identity_files files = {.certificate = identity.certificate,
                                            .key = identity.key,
                                            .make = identity.make,
                                            .secret = identity.make ? secret : NULL};
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int result = context == NULL ? PW_ERR_BUG : pw_identity_load(context, &files, pin, &why);
    SSL_CTX_free(context);
    if (result != PW_OK) {
        return program_fail("link", "pin", text);
    }
    (void)printf("%s\n", pin);
    return EXIT_SUCCESS;
}

bool links_open(struct program *program)
{
    const struct options *options = &program->options;
    char text[768];
    struct pw_out why = PW_OUT(text);
    const struct identity *identity = &program->identity;
    links_identity(&program->identity, options);
    const struct pw_linkserver_options wanted = {
        .host = options->link_host,
        .port = options->link_port,
        .certificate = identity->certificate,
        .key = identity->key,
        .make = identity->make,
        .secret = identity->make ? pw_vault_port(program->vault) : NULL,
        .client_ca = identity->client_ca};
    if (options->links && pw_linkserver_open(&program->links, &program->loop, &wanted,
                                             &program->logger.log, &why) != PW_OK) {
        (void)program_fail("cannot take", "station links", text);
        return false;
    }
    return true;
}

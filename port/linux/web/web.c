#include "web.h"

#include "links.h"

#include <stdlib.h>

static void serve(void *context, const struct pw_http_request *request, struct pw_http_reply *reply,
                  pw_ms now, pw_unix_ms wall)
{
    pw_central_http(context, request, reply, (struct pw_instant){.now = now, .wall = wall});
}

static int stream_take(void *context, uint64_t stream, char *to, size_t cap)
{
    return pw_central_stream_take(context, stream, to, cap);
}

static void stream_closed(void *context, uint64_t stream)
{
    pw_central_stream_closed(context, stream);
}

static uint64_t takes(void *context, const struct pw_http_request *request,
                      struct pw_http_reply *reply, pw_ms now, pw_unix_ms wall)
{
    return pw_central_takes(context, request, reply, (struct pw_instant){.now = now, .wall = wall});
}

static int piece(void *context, uint64_t stream, struct pw_str bytes, pw_ms now)
{
    return pw_central_piece(context, stream, bytes, (struct pw_instant){.now = now});
}

static int flow(void *context, uint64_t stream, char *to, size_t cap)
{
    return pw_central_flow(context, stream, to, cap);
}

int pw_web_open(struct pw_web **web, struct pw_loop *loop, const char *host, uint16_t port,
                const struct pw_httpd_tls *tls, const char *trusted_proxy)
{
    struct pw_web *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return PW_ERR_LIMIT;
    }
    made->loop = loop;
    link_net(made);
    const struct pw_httpd_config config = {
        .loop = loop,
        .host = host,
        .port = port,
        .connections = CONNS_MAX,
        .unfinished = UNFINISHED_MAX,
        .body_max = PW_CENTRAL_BODY_MAX,
        .links = &web_links,
        .links_context = made,
        .tls = tls,
        .hsts = true,
        .trusted_proxy = trusted_proxy,
    };
    int err = pw_httpd_open(&made->httpd, &config);
    if (err != PW_OK) {
        free(made);
        return err;
    }
    *web = made;
    return PW_OK;
}

int pw_web_reload(struct pw_web *web, struct pw_out *why)
{
    return pw_httpd_reload(web->httpd, why);
}

uint16_t pw_web_port(const struct pw_web *web)
{
    return pw_httpd_port(web->httpd);
}

uint16_t pw_web_tls_port(const struct pw_web *web)
{
    return pw_httpd_tls_port(web->httpd);
}

const struct pw_central_net *pw_web_net(const struct pw_web *web)
{
    return &web->net;
}

void pw_web_serve(struct pw_web *web, struct pw_central *central)
{
    web->central = central;
    web->site = (struct pw_http_site){.context = central,
                                      .serve = serve,
                                      .stream_take = stream_take,
                                      .stream_closed = stream_closed,
                                      .flow = flow,
                                      .takes = takes,
                                      .piece = piece};
    pw_httpd_serve(web->httpd, &web->site);
}

void pw_web_close(struct pw_web *web)
{
    if (web != NULL) {
        pw_httpd_close(web->httpd);
        free(web);
    }
}

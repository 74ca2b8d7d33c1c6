// Target functions: pw_proxy_hear, pw_proxy_read_url, pw_proxy_read_direct, pw_proxy_leads,
// pw_proxy_put_connect.
// Any bytes as a proxy's answer: in whatever pieces they come, the end and what was taken are the
// same, and no more than PW_PROXY_HEAD_MAX is. Any text as settings: what is taken makes a request
// with one blank line, at its end.
#include "proxy/proxy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hear(struct pw_str all)
{
    struct pw_proxy_answer whole = {.heard = 0};
    struct pw_proxy_answer pieces = {.heard = 0};
    size_t used = pw_proxy_hear(&whole, all);
    size_t at = 0;
    for (size_t step = 1; at < all.len && !pieces.open && !pieces.refused; step = step % 7 + 1) {
        size_t len = step < all.len - at ? step : all.len - at;
        at += pw_proxy_hear(&pieces, (struct pw_str){.at = all.at + at, .len = len});
    }
    PW_ASSERT(used == at && used <= PW_PROXY_HEAD_MAX);
    PW_ASSERT(whole.open == pieces.open && whole.refused == pieces.refused);
    PW_ASSERT(!(whole.open && whole.refused) && whole.refused == (whole.why[0] != '\0'));
    PW_ASSERT(!whole.open || (whole.status / 100 == 2 && all.at[used - 1] == '\n'));
}

static void read_settings(struct pw_str text)
{
    char reason[200];
    char bytes[PW_PROXY_ASK_SIZE];
    struct pw_proxy proxy = {.port = 0};
    struct pw_out why = PW_OUT(reason);
    struct pw_out ask = PW_OUT(bytes);
    struct pw_str url = pw_str_cut(&text, '\n');
    struct pw_str list = pw_str_cut(&text, '\n');
    if (pw_proxy_read_url(url, &proxy, &why) != PW_OK ||
        pw_proxy_read_direct(list, &proxy, &why) != PW_OK || proxy.host[0] == '\0') {
        return;
    }
    PW_ASSERT(proxy.port != 0);
    if (pw_proxy_leads(&proxy, text) && pw_proxy_put_connect(&proxy, text, 443, &ask) == PW_OK) {
        PW_ASSERT(strstr(bytes, "\r\n\r\n") == bytes + ask.len - 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_str all = {.at = (const char *)data, .len = size};
    hear(all);
    read_settings(all);
    return 0;
}

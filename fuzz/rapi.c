// Target functions: pw_rapi_bytes, pw_rapi_step, pw_rapi_command_raw. Input: what a board says, in
// pieces: each piece begins with a byte of its length and of the time that passes before it; the
// first half of the pieces' bytes is also tried as a raw line of people. Whatever is said, what is
// known of the board stays in its ranges, no line is longer than a board takes, and nothing but
// what has a row is ever sent.
#include "rapi/rapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pw_rapi_client *client)
{
    const struct pw_rapi_view *view = pw_rapi_view(client);
    struct pw_str out = pw_rapi_out(client);
    PW_ASSERT(out.len <= PW_RAPI_COMMAND_MAX + 1);
    PW_ASSERT(view->offered_ma == PW_RAPI_UNKNOWN ||
              (view->offered_ma >= 1000 && view->offered_ma <= 80000));
    PW_ASSERT(view->config_ma == PW_RAPI_UNKNOWN || view->config_ma <= 80000);
    PW_ASSERT(view->ma == PW_RAPI_UNKNOWN || (view->ma >= 0 && view->ma <= 100000));
    PW_ASSERT(view->mv == PW_RAPI_UNKNOWN || (view->mv >= 0 && view->mv <= 500000));
    PW_ASSERT(view->gfi_trips == PW_RAPI_UNKNOWN || view->gfi_trips <= 255);
    PW_ASSERT(view->session_ws >= -1 && view->session_ws <= UINT32_MAX);
}

static void try_raw(const uint8_t *data, size_t size)
{
    char text[PW_RAPI_LINE_MAX];
    struct pw_out body = PW_OUT(text);
    struct pw_str line = {.at = (const char *)data, .len = size};
    if (pw_rapi_command_raw(line, PW_RAPI_ADMIN, &body, NULL) == PW_OK) {
        struct pw_rapi_line split;
        PW_ASSERT(pw_rapi_split(pw_out_str(&body), &split) == PW_OK);
        PW_ASSERT(pw_rapi_command_of(&split, NULL)->who != PW_RAPI_NOBODY);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pw_rapi_want want = {
        .power = PW_RAPI_ENABLED, .limit_ma = 16000, .lcd_on = true, .lcd = {"fuzz", "target"}};
    struct pw_rapi_config config = PW_RAPI_CONFIG_DEFAULT;
    struct pw_rapi_client client;
    pw_ms now = 1;
    PW_ASSERT(pw_rapi_init(&client, &config, NULL, 0, NULL) == PW_OK);
    pw_rapi_up(&client, 0);
    pw_rapi_want(&client, &want);
    try_raw(data, size / 2);
    for (size_t at = 0; at < size;) {
        size_t len = pw_earlier(data[at] & 0x3FU, size - at - 1);
        now += (pw_ms)(data[at] >> 6) * 700;
        size_t taken = pw_rapi_bytes(&client, data + at + 1, len);
        PW_ASSERT(taken == len);
        pw_ms due = pw_rapi_step(&client, now);
        PW_ASSERT(due > now);
        check(&client);
        pw_rapi_out_sent(&client, pw_rapi_out(&client).len, now);
        at += 1 + len;
    }
    return 0;
}

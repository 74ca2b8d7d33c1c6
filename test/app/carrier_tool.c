// The transfer port as a command, for the tests with real servers:
//     carrier_tool up FOLDER CA URL NAME MOST PATIENCE <text      uploads what it reads
//     carrier_tool down FOLDER CA URL - MOST PATIENCE [resume] [FIRST]
//                                                  downloads to FOLDER/download; so many bytes of
//                                                  it
//     carrier_tool hand FOLDER CA TOTAL FROM MOST PATIENCE [resume] <bytes
//                                                  hands in TOTAL bytes, those it reads from FROM
//                                                  on
// CARRIER_PROXY and CARRIER_PROXY_PASSWORD in the environment: through this proxy.
// One line: how it ended, bytes, hash, why.
#include "transfer/carrier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 20, ALL_S = 60 };

struct tool {
    struct pw_loop loop;
    const struct pw_transfer *port;
    enum pw_transfer_lane lane;
    bool given;
    bool hands;
    uint64_t offset;
    char piece[4096];
    size_t len;
    size_t at;
};

static void feed(struct tool *tool)
{
    while (!tool->given) {
        if (tool->at == tool->len) {
            tool->len = fread(tool->piece, 1, sizeof(tool->piece), stdin);
            tool->at = 0;
        }
        if (tool->len == 0) {
            tool->given = true;
            tool->port->given(tool->port->context);
            return;
        }
        struct pw_str rest = {.at = tool->piece + tool->at, .len = tool->len - tool->at};
        size_t taken = tool->port->give(tool->port->context, rest);
        if (taken == 0) {
            return;
        }
        tool->at += taken;
    }
}

// False when there is no more, or none is taken.
static bool hand(struct tool *tool)
{
    size_t len = fread(tool->piece, 1, sizeof(tool->piece), stdin);
    int err = len == 0 ? PW_ERR_AGAIN
                       : tool->port->deliver(tool->port->context, tool->offset,
                                             (struct pw_str){.at = tool->piece, .len = len});
    tool->offset += len;
    return err == PW_OK;
}

static pw_ms carry(void *context, pw_ms now)
{
    struct tool *tool = context;
    struct pw_transfer_state state;
    if (tool->lane == PW_TRANSFER_UP) {
        feed(tool);
    }
    while (tool->hands) {
        tool->hands = hand(tool);
        if (!tool->hands) {
            tool->port->state(tool->port->context, tool->lane, &state);
            if (state.bytes != state.total && state.end == PW_TRANSFER_RUNNING) {
                (void)printf("waits %llu - -\n", (unsigned long long)state.bytes);
                pw_loop_end(&tool->loop);
                return now + POLL_MS;
            }
        }
    }
    tool->port->state(tool->port->context, tool->lane, &state);
    if (state.end != PW_TRANSFER_RUNNING) {
#define WORD(name, word) word,
        static const char *const words[] = {PW_TRANSFER_ENDS(WORD)};
#undef WORD
        (void)printf("%s %llu ", words[state.end], (unsigned long long)state.bytes);
        for (size_t i = 0; i < PW_SHA256_LEN; i++) {
            (void)printf("%02x", state.sha256[i]);
        }
        (void)printf(" %s\n", state.why);
        pw_loop_end(&tool->loop);
    }
    return now + POLL_MS;
}

static int refuse(const char *why)
{
    (void)printf("refused 0 - %s\n", why);
    return EXIT_SUCCESS;
}

static int start_transfer(struct tool *tool, int argc, char **argv)
{
    bool resume = argc > 8 && strcmp(argv[8], "resume") == 0;
    bool first = argc > 8 && strcmp(argv[argc - 1], "resume") != 0;
    tool->hands = strcmp(argv[1], "hand") == 0;
    tool->offset = tool->hands ? strtoull(argv[5], NULL, 10) : 0;
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    const struct pw_transfer_job job = {.url = pw_str_of(tool->hands ? "" : argv[4]),
                                        .name = pw_str_of(argv[5]),
                                        .total = tool->hands ? strtoull(argv[4], NULL, 10) : 0,
                                        .first_bytes =
                                            first ? strtoull(argv[argc - 1], NULL, 10) : 0,
                                        .most_bytes = strtoull(argv[6], NULL, 10),
                                        .most_s = ALL_S,
                                        .patience_s = (uint32_t)strtoul(argv[7], NULL, 10),
                                        .resume = resume};
    tool->lane = strcmp(argv[1], "up") == 0 ? PW_TRANSFER_UP : PW_TRANSFER_DOWN;
    if (tool->port->begin(tool->port->context, tool->lane, &job, &why) != PW_OK) {
        return refuse(text);
    }
    pw_loop_on_turn(&tool->loop, carry, tool);
    pw_loop_run(&tool->loop);
    return EXIT_SUCCESS;
}

static bool read_proxy(struct pw_proxy *proxy, struct pw_out *why)
{
    return pw_proxy_read_url(pw_str_of(getenv("CARRIER_PROXY")), proxy, why) == PW_OK &&
           pw_str_copy(proxy->password, sizeof(proxy->password),
                       pw_str_of(getenv("CARRIER_PROXY_PASSWORD"))) == PW_OK;
}

int main(int argc, char **argv)
{
    char text[200] = "";
    struct pw_out why = PW_OUT(text);
    struct pw_clock clock;
    struct tool tool = {.given = false};
    struct pw_proxy proxy = {.port = 0};
    if (argc < 8 || !read_proxy(&proxy, &why) || pw_clock_init(&clock, NULL) != PW_OK ||
        pw_loop_init(&tool.loop, &clock) != PW_OK) {
        return EXIT_FAILURE;
    }
    const struct pw_carrier_roots roots = {.folder = "", .ca_file = argv[3]};
    struct pw_carrier *carrier = pw_carrier_new(&tool.loop, argv[2], &roots, &proxy, &why);
    int result = EXIT_FAILURE;
    if (carrier != NULL) {
        tool.port = pw_carrier_port(carrier);
        result = start_transfer(&tool, argc, argv);
    }
    pw_carrier_free(carrier);
    pw_loop_close(&tool.loop);
    return result;
}

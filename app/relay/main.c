// pilotwire-relay: runs the far end of a radio until it is told to end. The board then falls back
// by itself.
#include "log.h"
#include "options.h"
#include "relay.h"

#include <stdlib.h>
#include <unistd.h>

enum { EXIT_OPTIONS = 2, WHY_MAX = 320 };

static int complain(const struct pw_out *why)
{
    (void)fprintf(stderr, "pilotwire-relay: %s\n", why->at);
    return EXIT_OPTIONS;
}

static int run(const struct options *options, struct pw_out *why)
{
    static struct pw_logger logger; // too big for the stack, as the next
    static struct relay relay;
    struct pw_clock clock;
    struct pw_loop loop;
    if (pw_clock_init(&clock, getenv("PILOTWIRE_CLOCK")) != PW_OK) {
        pw_put_s(why,
                 "PILOTWIRE_CLOCK: must be <real_unix_ms>:<virtual_unix_ms>:<speed 0.1..1000>");
        return complain(why);
    }
    pw_logger_init(&logger, &clock, STDERR_FILENO, PW_LOG_INFO);
    if (pw_loop_init(&loop, &clock) != PW_OK) {
        pw_put_s(why, "the system has no epoll instance left");
        return complain(why);
    }
    if (relay_open(&relay, options, &loop, &logger.log, why) != PW_OK) {
        pw_loop_close(&loop);
        return complain(why);
    }
    pw_loop_on_turn(&loop, relay_turn, &relay);
    pw_loop_run(&loop);
    relay_close(&relay);
    pw_loop_close(&loop);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct options options;
    char text[WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (options_parse(&options, argc, argv, &why) != PW_OK) {
        return complain(&why);
    }
    if (options.help) {
        options_help(stdout);
        return EXIT_SUCCESS;
    }
    if (options.version) {
        (void)printf("pilotwire-relay %s\n", PW_VERSION);
        return EXIT_SUCCESS;
    }
    return run(&options, &why);
}

// place: pilotwire-sim as another process, for its tests: a folder of its own, the program's
// standard streams, its control socket. Every wait is bounded.
#ifndef PW_TEST_PLACE_H
#define PW_TEST_PLACE_H

#include "base/base.h"

#include <sys/types.h>

#define PATIENCE_MS 8000
#define ARGS_MAX    32

struct place {
    char dir[64];
    char url[64];
    char card[96];
    char card_link[96];
    char control[96];
    char line[96]; // the front-end's pty
};

struct program {
    pid_t pid;
    int out; // its standard output and error
    int in;
};

pw_ms place_now_ms(void);
void place_setup(struct place *place);
// `arguments` ends in NULL; `clock` is PILOTWIRE_CLOCK.
struct program place_start(const char *const *arguments, const char *clock);
// Everything it prints until it ends; returns its exit status.
int place_finish(struct program *program, char *text, size_t cap);
int place_connect_control(const struct place *place);
// One line from a descriptor.
void place_read_line(int fd, char *line, size_t cap);
// The answer to a command, in a buffer that the next one reuses.
const char *place_ask(int control, const char *command);

#endif

#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(struct pw_out *reason, const char *path, const char *what)
{
    pw_put_s(reason, "--trace ");
    pw_put_s(reason, path);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    return PW_ERR_RANGE;
}

static int fail_at(struct pw_out *reason, const char *path, unsigned line, const char *what)
{
    (void)fail(reason, path, "line ");
    pw_put_uint(reason, line);
    pw_put_s(reason, ": ");
    pw_put_s(reason, what);
    return PW_ERR_RANGE;
}

// Room for one more; doubles.
static bool grow(struct pw_world_house_sample **samples, size_t count, size_t *room)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? 4096 : *room * 2;
    struct pw_world_house_sample *to = realloc(*samples, more * sizeof(**samples));
    if (to == NULL || count >= PW_SIM_TRACE_MAX) {
        *samples = to != NULL ? to : *samples;
        return false;
    }
    *samples = to;
    *room = more;
    return true;
}

static int read_all(FILE *file, const char *path, struct pw_world_house_sample **samples,
                    struct pw_world_trace *trace, struct pw_out *reason)
{
    char line[256];
    char text[256];
    size_t room = 0;
    int64_t origin = 0;
    uint32_t last = 0;
    for (unsigned number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        struct pw_out why = PW_OUT(text);
        struct pw_world_house_sample sample;
        int got = pw_world_trace_line(pw_str_of(line), &origin, &sample, &why);
        if (got < 0) {
            return fail_at(reason, path, number, text);
        }
        if (got == 0) {
            continue;
        }
        if (sample.second < last) {
            return fail_at(reason, path, number, "the time goes back");
        }
        if (!grow(samples, trace->count, &room)) {
            return fail_at(reason, path, number, "too many lines");
        }
        last = sample.second;
        (*samples)[trace->count++] = sample;
    }
    return trace->count > 0 ? PW_OK : fail(reason, path, "no line time,L1,L2,L3 in it");
}

int pw_sim_trace_read(const char *path, struct pw_world_house_sample **samples,
                      struct pw_world_trace *trace, struct pw_out *reason)
{
    *samples = NULL;
    *trace = (struct pw_world_trace){0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fail(reason, path, strerror(errno));
    }
    int err = read_all(file, path, samples, trace, reason);
    (void)fclose(file);
    trace->sample = *samples;
    return err;
}

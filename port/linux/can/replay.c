// A candump log as a bus: its first line comes at once, the others at their distance from it.
#include "can/candump.h"
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 256
#define US_PER_MS    1000

struct link {
    FILE *file;
    pw_ms start;
    uint64_t first_us;
    bool begun;
    bool has_next;
    struct pw_candump_line next;
    char line[LINE_MAX_LEN];
};

static int open_link(struct pw_can_wire *wire, struct pw_str rest, pw_ms now, struct pw_out *reason)
{
    char path[PW_CAN_WIRE_URL_MAX];
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL || pw_str_copy(path, sizeof(path), rest) != PW_OK) {
        pw_put_s(reason, "the path is too long");
        free(link);
        return PW_ERR_RANGE;
    }
    link->file = fopen(path, "re");
    if (link->file == NULL) {
        pw_can_link_say(reason, "the log cannot be opened", errno);
        free(link);
        return PW_ERR_UNKNOWN;
    }
    link->start = now;
    wire->link = link;
    wire->deadline = now;
    return PW_OK;
}

static void close_link(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    (void)fclose(link->file);
    free(link);
}

// The next line that is one; false at the end of the log.
static bool fetch(struct pw_can_wire *wire)
{
    struct link *link = wire->link;
    while (!link->has_next && fgets(link->line, sizeof(link->line), link->file) != NULL) {
        struct pw_str text = pw_str_trim(pw_str_of(link->line));
        link->has_next = pw_candump_parse(text, &link->next) == PW_OK;
        wire->stats.malformed += !link->has_next && text.len > 0 ? 1 : 0;
    }
    if (link->has_next && !link->begun) {
        link->begun = true;
        link->first_us = link->next.at_us;
    }
    return link->has_next;
}

static pw_ms due(const struct link *link)
{
    // a log whose clock stepped back goes on at once
    uint64_t us = link->next.at_us > link->first_us ? link->next.at_us - link->first_us : 0;
    return pw_after(link->start, us / US_PER_MS);
}

static int read_link(struct pw_can_wire *wire, pw_ms now, struct pw_can_event *event)
{
    struct link *link = wire->link;
    while (fetch(wire)) {
        wire->deadline = due(link);
        if (now < wire->deadline) {
            return 0;
        }
        link->has_next = false;
        if (!link->next.is_error) {
            return pw_can_link_frame(wire, &link->next.frame, event);
        }
        if (pw_can_link_error(wire, &link->next.error, event) == 1) {
            return 1;
        }
    }
    return PW_ERR_PEER;
}

static int send_link(struct pw_can_wire *wire, const struct pw_can_frame *frame)
{
    (void)wire;
    (void)frame;
    return PW_OK;
}

static int send_error(struct pw_can_wire *wire, const struct pw_can_error *error)
{
    (void)wire;
    (void)error;
    return PW_ERR_UNKNOWN;
}

const struct pw_can_link_ops pw_can_link_replay = {
    .scheme = "replay",
    .open = open_link,
    .close = close_link,
    .read = read_link,
    .send = send_link,
    .send_error = send_error,
};

// parts: what the two ends of the link share. Nobody else includes this.
#ifndef PW_LINK_PARTS_H
#define PW_LINK_PARTS_H

#include "link/link.h"

enum pw_link_form { PW_LINK_FORM_REQUEST, PW_LINK_FORM_ANSWER, PW_LINK_FORM_NOTICE };
enum pw_link_from { PW_LINK_FROM_STATION = 1, PW_LINK_FROM_CENTRAL = 2, PW_LINK_FROM_BOTH = 3 };

// The row of a message; NULL for a type that is none.
struct pw_link_type_row {
    uint8_t type;
    enum pw_link_from from;
    enum pw_link_form form;
    const char *name;
    const struct pw_link_object *rows; // NULL: no fields
};
const struct pw_link_type_row *pw_link_type_row(uint8_t type);

// The room an answer of any text takes: nothing is taken in before there is that much.
enum { PW_LINK_ANSWER_ROOM = 256 };

void pw_link_pipe_init(struct pw_link_pipe *pipe, pw_ms now);
size_t pw_link_pipe_bytes(struct pw_link_pipe *pipe, const uint8_t *at, size_t len);
// The next frame, as pw_link_frame_read; it stays where it is until the next call.
PW_MUST_USE int pw_link_pipe_take(struct pw_link_pipe *pipe, struct pw_link_frame *frame,
                                  pw_ms now);
// The frame taken last comes again with the next take.
void pw_link_pipe_put_back(struct pw_link_pipe *pipe, const struct pw_link_frame *frame);
struct pw_str pw_link_pipe_out(const struct pw_link_pipe *pipe);
void pw_link_pipe_sent(struct pw_link_pipe *pipe, size_t len, pw_ms now);
size_t pw_link_pipe_room(const struct pw_link_pipe *pipe);
uint16_t pw_link_pipe_number(struct pw_link_pipe *pipe);

// A writer at the end of what is to be sent, and what becomes of it.
struct pw_link_writer pw_link_pipe_writer(const struct pw_link_pipe *pipe);
PW_MUST_USE int pw_link_pipe_written(struct pw_link_pipe *pipe, struct pw_link_writer *w,
                                     pw_ms now);
// All in one, for messages without lists.
PW_MUST_USE int pw_link_pipe_write(struct pw_link_pipe *pipe, uint8_t type, uint16_t number,
                                   const void *object, pw_ms now);

void pw_link_pipe_pong(struct pw_link_pipe *pipe, uint16_t number, pw_ms now);
// Sends the ping that is due. NULL, or why the other side is given up (a literal).
const char *pw_link_pipe_step(struct pw_link_pipe *pipe, pw_ms now);
pw_ms pw_link_pipe_deadline(const struct pw_link_pipe *pipe);

#endif

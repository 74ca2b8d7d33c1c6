// body: what stands inside a frame, without its coding. Private to this room.
#ifndef PW_FRONTEND_BODY_H
#define PW_FRONTEND_BODY_H

#include "frontend/frontend.h"

// Writes the body of *message; returns its length. `to` has PW_FRONTEND_BODY_MAX bytes.
size_t pw_frontend_body_put(const struct pw_frontend_message *message, pw_ms now, uint8_t *to);

// Reads a body of message->kind. False for a wrong length or a value that cannot be.
bool pw_frontend_body_get(const uint8_t *body, size_t len, pw_ms now,
                          struct pw_frontend_message *message);

#endif

// control: the local socket by which people's programs talk to the station. One request is one
// line; each answer is one frame, "<word> <bytes>\n" and then as many bytes, so that it may hold
// anything:
//
//     request   status\n
//     answer    ok 27\n<27 bytes>
//     answer    range 31\n<31 bytes>       a refusal: the word is pw_err_name's
//     stream    event 80\n<80 bytes>       lines of a client that watches
//
// Who may open the socket's file may command the station: mode 0660 lets its group in.
#ifndef PW_LINUX_CONTROL_H
#define PW_LINUX_CONTROL_H

#include "loop.h"

#define PW_CONTROL_CLIENTS_MAX 8
#define PW_CONTROL_LINE_MAX    4352 // a piece of a release, 3072 bytes in base64, is the longest
#define PW_CONTROL_OUT_MAX     65536 // bytes waiting for one client; one that does not read is cut off

struct pw_control; // owned by pw_control_open's caller

// Listens at `path` (at most 107 bytes). A socket left behind by a program that died is replaced,
// one that answers is not. NULL with a sentence in *why.
struct pw_control *pw_control_open(struct pw_loop *loop, const char *path, unsigned mode,
                                   struct pw_out *why);
void pw_control_close(struct pw_control *control); // removes the socket; NULL is harmless

// The next request, oldest client first in turn. The line is valid until the next call.
bool pw_control_take(struct pw_control *control, unsigned *client, struct pw_str *line);

// Sends one frame; `word` is one word. A client that went away is ignored.
void pw_control_answer(struct pw_control *control, unsigned client, const char *word,
                       struct pw_str text);

// What this client wants streamed (the caller's bits); 0 when it goes away.
void pw_control_set_topics(struct pw_control *control, unsigned client, unsigned topics);
// True when any client wants one of `topics`.
bool pw_control_wanted(const struct pw_control *control, unsigned topics);
// Sends an event frame to each client that wants one of `topics`.
void pw_control_publish(struct pw_control *control, unsigned topics, struct pw_str text);

#endif

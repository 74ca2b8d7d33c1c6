// loop: one libev loop for everything a program waits for. File descriptors and other threads only
// announce; at the end of each turn the program's `turn` function runs once, decides, and says when
// it wants to run next. libwebsockets joins the same loop as a foreign loop (pw_loop_ev).
#ifndef PW_LINUX_LOOP_H
#define PW_LINUX_LOOP_H

#include "clock.h"

#include <ev.h>

// What is ready at the same time is served in this order.
enum pw_loop_priority {
    PW_LOOP_CONSOLE = -2, // people: console, card reader, control socket
    PW_LOOP_NETWORK = 0,  // libwebsockets works at libev's default priority
    PW_LOOP_CAN = 2,      // vehicle and rectifier come first
};

#define PW_LOOP_READ  1U
#define PW_LOOP_WRITE 2U

struct pw_loop {
    struct ev_loop *ev;
    const struct pw_clock *clock;
    pw_ms (*turn)(void *context, pw_ms now);
    void *turn_context;
    void (*stop)(void *context, int signal);
    void *stop_context;
    pw_ms deadline; // of the turn being prepared
    ev_prepare prepare;
    ev_timer timer;
    ev_async wake;
    ev_signal interrupt;
    ev_signal terminate;
    ev_signal hangup; // watched once somebody wants it
    void (*reload)(void *context);
    void *reload_context;
};

// A file descriptor being watched. The caller owns it and keeps it in place while it is watched.
struct pw_watch {
    ev_io io;
    struct pw_loop *loop;
    void (*ready)(void *context, unsigned events); // PW_LOOP_READ, PW_LOOP_WRITE or both
    void *context;
};

// Makes the loop, ignores SIGPIPE and takes SIGINT and SIGTERM: either ends pw_loop_run unless
// pw_loop_on_signal says otherwise. `clock` must outlive the loop. PW_ERR_LIMIT when the system has
// no epoll instance left.
PW_MUST_USE int pw_loop_init(struct pw_loop *loop, const struct pw_clock *clock);

// Frees it. Watches must have been ended and libwebsockets contexts destroyed before.
void pw_loop_close(struct pw_loop *loop);

// `turn` runs at the end of every turn, after all that was ready has been announced, and once
// before the first wait. It returns the instant (clock's pace) of the next turn it wants;
// PW_NEVER for none. It may run earlier than asked.
void pw_loop_on_turn(struct pw_loop *loop, pw_ms (*turn)(void *context, pw_ms now), void *context);

// `stop` gets SIGINT and SIGTERM inside the loop instead of ending it.
void pw_loop_on_signal(struct pw_loop *loop, void (*stop)(void *context, int signal),
                       void *context);

// `reload` is called inside the loop for each SIGHUP, which ends the program otherwise.
void pw_loop_on_hangup(struct pw_loop *loop, void (*reload)(void *context), void *context);

// Also wake at `at`. Counts for the present turn only; the earliest wins.
void pw_loop_deadline(struct pw_loop *loop, pw_ms at);

// Runs until pw_loop_end.
void pw_loop_run(struct pw_loop *loop);
void pw_loop_end(struct pw_loop *loop);

// Makes the loop take another turn. The one function that other threads and signal handlers may
// call.
void pw_loop_wake(struct pw_loop *loop);

// Watches `fd` for `events` until pw_watch_end. `ready` must read or write without blocking, and a
// bounded amount: the loop comes back as long as more is there.
void pw_watch_start(struct pw_watch *watch, struct pw_loop *loop, int fd, unsigned events,
                    enum pw_loop_priority priority);
// Waits for other events from now on; 0 pauses.
void pw_watch_change(struct pw_watch *watch, unsigned events);
void pw_watch_end(struct pw_watch *watch); // harmless when it was never started

// The libev loop, for libwebsockets' foreign_loops.
struct ev_loop *pw_loop_ev(const struct pw_loop *loop);

#endif

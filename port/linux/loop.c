#include "loop.h"

#include <signal.h>

// The longest sleep, real time. Bounds what a missed deadline could cost.
#define SLEEP_MAX_MS 60000

static void arm(struct pw_loop *loop, pw_ms now)
{
    ev_timer_stop(loop->ev, &loop->timer);
    if (loop->deadline == PW_NEVER) {
        return;
    }
    pw_ms span = loop->deadline > now ? loop->deadline - now : 0;
    pw_ms real = pw_clock_real(loop->clock, span);
    double seconds = (double)(real < SLEEP_MAX_MS ? real : SLEEP_MAX_MS) / 1000.0;
    ev_now_update(loop->ev);
    ev_timer_set(&loop->timer, seconds, 0.0);
    ev_timer_start(loop->ev, &loop->timer);
}

// libev runs prepare watchers once a turn, right before it waits: all that was ready has been
// announced by then.
static void on_prepare(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    (void)ev;
    (void)events;
    struct pw_loop *loop = watcher->data;
    loop->deadline = PW_NEVER;
    if (loop->turn != NULL) {
        pw_ms next = loop->turn(loop->turn_context, pw_clock_now(loop->clock));
        pw_loop_deadline(loop, next);
    }
    arm(loop, pw_clock_now(loop->clock));
}

// The turn itself is the answer to a deadline or a wake-up.
static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
}

static void on_wake(struct ev_loop *ev, ev_async *watcher, int events)
{
    (void)ev;
    (void)watcher;
    (void)events;
}

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
    (void)ev;
    (void)events;
    struct pw_loop *loop = watcher->data;
    if (loop->stop != NULL) {
        loop->stop(loop->stop_context, watcher->signum);
    } else {
        pw_loop_end(loop);
    }
}

static void on_io(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    struct pw_watch *watch = watcher->data;
    unsigned seen = ((events & EV_READ) != 0 ? PW_LOOP_READ : 0U) |
                    ((events & EV_WRITE) != 0 ? PW_LOOP_WRITE : 0U);
    watch->ready(watch->context, seen);
}

static void start_signal(struct pw_loop *loop, ev_signal *watcher, int number)
{
    ev_signal_init(watcher, on_signal, number);
    watcher->data = loop;
    ev_signal_start(loop->ev, watcher);
}

int pw_loop_init(struct pw_loop *loop, const struct pw_clock *clock)
{
    *loop = (struct pw_loop){.clock = clock, .deadline = PW_NEVER};
    loop->ev = ev_loop_new(EVBACKEND_EPOLL);
    if (loop->ev == NULL) {
        return PW_ERR_LIMIT;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    // A limit on the size of files is a full disk, not the end of the program.
    (void)signal(SIGXFSZ, SIG_IGN);
    ev_prepare_init(&loop->prepare, on_prepare);
    loop->prepare.data = loop;
    // Last among the prepare watchers: what libwebsockets prepares is seen by the turn.
    ev_set_priority(&loop->prepare, EV_MINPRI);
    ev_prepare_start(loop->ev, &loop->prepare);
    ev_timer_init(&loop->timer, on_timer, 0.0, 0.0);
    ev_async_init(&loop->wake, on_wake);
    ev_async_start(loop->ev, &loop->wake);
    start_signal(loop, &loop->interrupt, SIGINT);
    start_signal(loop, &loop->terminate, SIGTERM);
    return PW_OK;
}

void pw_loop_close(struct pw_loop *loop)
{
    if (loop->ev == NULL) {
        return;
    }
    ev_signal_stop(loop->ev, &loop->interrupt);
    ev_signal_stop(loop->ev, &loop->terminate);
    if (loop->reload != NULL) {
        ev_signal_stop(loop->ev, &loop->hangup);
    }
    ev_async_stop(loop->ev, &loop->wake);
    ev_timer_stop(loop->ev, &loop->timer);
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_loop_destroy(loop->ev);
    loop->ev = NULL;
}

void pw_loop_on_turn(struct pw_loop *loop, pw_ms (*turn)(void *context, pw_ms now), void *context)
{
    loop->turn = turn;
    loop->turn_context = context;
}

static void on_hangup(struct ev_loop *ev, ev_signal *watcher, int events)
{
    const struct pw_loop *loop = watcher->data;
    (void)ev;
    (void)events;
    loop->reload(loop->reload_context);
}

void pw_loop_on_hangup(struct pw_loop *loop, void (*reload)(void *context), void *context)
{
    loop->reload = reload;
    loop->reload_context = context;
    ev_signal_init(&loop->hangup, on_hangup, SIGHUP);
    loop->hangup.data = loop;
    ev_signal_start(loop->ev, &loop->hangup);
}

void pw_loop_on_signal(struct pw_loop *loop, void (*stop)(void *context, int signal), void *context)
{
    loop->stop = stop;
    loop->stop_context = context;
}

void pw_loop_deadline(struct pw_loop *loop, pw_ms at)
{
    loop->deadline = pw_earlier(loop->deadline, at);
}

void pw_loop_run(struct pw_loop *loop)
{
    (void)ev_run(loop->ev, 0);
}

void pw_loop_end(struct pw_loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

void pw_loop_wake(struct pw_loop *loop)
{
    ev_async_send(loop->ev, &loop->wake);
}

static int ev_events(unsigned events)
{
    return ((events & PW_LOOP_READ) != 0 ? EV_READ : 0) |
           ((events & PW_LOOP_WRITE) != 0 ? EV_WRITE : 0);
}

void pw_watch_start(struct pw_watch *watch, struct pw_loop *loop, int fd, unsigned events,
                    enum pw_loop_priority priority)
{
    PW_ASSERT(watch->ready != NULL && fd >= 0);
    watch->loop = loop;
    ev_io_init(&watch->io, on_io, fd, ev_events(events));
    ev_set_priority(&watch->io, (int)priority);
    watch->io.data = watch;
    if (events != 0) {
        ev_io_start(loop->ev, &watch->io);
    }
}

void pw_watch_change(struct pw_watch *watch, unsigned events)
{
    int fd = watch->io.fd;
    ev_io_stop(watch->loop->ev, &watch->io);
    ev_io_set(&watch->io, fd, ev_events(events));
    if (events != 0) {
        ev_io_start(watch->loop->ev, &watch->io);
    }
}

void pw_watch_end(struct pw_watch *watch)
{
    if (watch->loop != NULL) {
        ev_io_stop(watch->loop->ev, &watch->io);
        watch->loop = NULL;
    }
}

struct ev_loop *pw_loop_ev(const struct pw_loop *loop)
{
    return loop->ev;
}

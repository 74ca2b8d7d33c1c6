#include "service.h"

#include <systemd/sd-daemon.h>

static void on_alarm(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)ev; // the turn that follows is the sign of life
    (void)watcher;
    (void)events;
}

void pw_service_init(struct pw_service *service, struct pw_loop *loop, const struct pw_clock *pace)
{
    uint64_t limit_us = 0;
    *service = (struct pw_service){.pace = pace, .loop = loop};
    if (sd_watchdog_enabled(0, &limit_us) > 0) {
        service->watchdog_ms = limit_us / 2000; // twice as often as it must be
    }
    ev_timer_init(&service->alarm, on_alarm, 0.0, 0.0);
}

void pw_service_close(struct pw_service *service)
{
    ev_timer_stop(service->loop->ev, &service->alarm);
}

void pw_service_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

void pw_service_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

void pw_service_status(const char *line)
{
    (void)sd_notifyf(0, "STATUS=%s", line);
}

void pw_service_alive(struct pw_service *service)
{
    if (service->watchdog_ms == 0) {
        return;
    }
    pw_ms now = pw_clock_now(service->pace);
    if (now < service->alive_at) {
        return;
    }
    (void)sd_notify(0, "WATCHDOG=1");
    service->alive_at = pw_after(now, service->watchdog_ms);
    ev_timer_stop(service->loop->ev, &service->alarm);
    ev_timer_set(&service->alarm, (double)service->watchdog_ms / 1000.0, 0.0);
    ev_timer_start(service->loop->ev, &service->alarm);
}

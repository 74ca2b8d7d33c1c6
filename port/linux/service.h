// service: what the service manager (systemd) is told: ready, alive, what we are at, stopping.
// Without one, all of it does nothing.
#ifndef PW_LINUX_SERVICE_H
#define PW_LINUX_SERVICE_H

#include "loop.h"

struct pw_service {
    const struct pw_clock *pace; // real time: the manager's watchdog knows no other
    pw_ms watchdog_ms;           // between signs of life; 0: nobody watches
    pw_ms alive_at;
    ev_timer alarm;
    struct pw_loop *loop;
};

void pw_service_init(struct pw_service *service, struct pw_loop *loop, const struct pw_clock *pace);
void pw_service_close(struct pw_service *service);
void pw_service_ready(void);
void pw_service_stopping(void);
void pw_service_status(const char *line); // one line for `systemctl status`

// One sign of life for each turn that got this far; wakes the loop for the next one itself.
void pw_service_alive(struct pw_service *service);

#endif

// Boot and heartbeat: being known to the central system, and staying so.
#include "cp16/parts.h"

enum { BOOT_FIRST_MS = 10000 };

static void booted(struct pw_cp16 *cp, enum pw_cp16_boot boot, int32_t interval_s, pw_ms now)
{
    struct pw_line line;
    bool first = boot == PW_CP16_BOOT_ACCEPTED && cp->boot != PW_CP16_BOOT_ACCEPTED;
    cp->boot = boot;
    cp->boot_tries = 0;
    cp->interval_s = interval_s > 0 ? (uint32_t)interval_s : PW_CP16_QUIET_MS / 1000;
    cp->boot_at = pw_after(now, (pw_ms)cp->interval_s * 1000);
    pw_line(&line, cp->log, PW_LOG_INFO, "ocpp", "boot");
    pw_line_s(&line, "status", pw_cp16_state_name(cp));
    pw_line_int(&line, "interval_s", interval_s);
    pw_line_end(&line);
    if (first) {
        cp->connected_at = now;
        pw_cp16_spoke(cp, now);
        // Erratum 3.22: after acceptance every connector and the station itself are reported.
        for (unsigned i = 0; i <= cp->connectors; i++) {
            cp->voice[i].said_any = false;
        }
    }
}

static pw_ms boot_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    return cp->boot == PW_CP16_BOOT_ACCEPTED ? PW_NEVER : cp->boot_at;
}

static void say_boot(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_ocpp16_boot_notification_req req = {
        .has = PW_OCPP16_HAS(boot_notification_req, firmware_version),
        .charge_point_vendor = pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_VENDOR)),
        .charge_point_model = pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_MODEL)),
        .charge_point_serial_number =
            pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_SERIAL)),
        .firmware_version = pw_str_of(cp->firmware),
    };
    if (req.charge_point_serial_number.len > 0) {
        req.has |= PW_OCPP16_HAS(boot_notification_req, charge_point_serial_number);
    }
    pw_cp16_send(cp, PW_OCPP16_BOOT_NOTIFICATION, &req, now);
}

static bool boot_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_boot_notification_conf conf;
    if (!pw_cp16_decode(cp, PW_OCPP16_BOOT_NOTIFICATION, payload, &conf)) {
        return false;
    }
    pw_cp16_learn_clock(cp, conf.current_time, now);
    switch (conf.status) {
    case PW_OCPP16_REGISTRATION_ACCEPTED:
        booted(cp, PW_CP16_BOOT_ACCEPTED, conf.interval_s, now);
        break;
    case PW_OCPP16_REGISTRATION_PENDING:
        booted(cp, PW_CP16_BOOT_PENDING, conf.interval_s, now);
        break;
    case PW_OCPP16_REGISTRATION_REJECTED:
        booted(cp, PW_CP16_BOOT_REJECTED, conf.interval_s, now);
        break;
    }
    return true;
}

static void boot_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    (void)code;
    cp->boot_at = pw_after(now, pw_cp16_back_off(cp, cp->boot_tries, BOOT_FIRST_MS));
    cp->boot_tries++;
}

const struct pw_cp16_topic pw_cp16_boot_topic = {
    .name = "BootNotification",
    .unaccepted = true,
    .due = boot_due,
    .say = say_boot,
    .answered = boot_answered,
    .failed = boot_failed,
};

// Every message is a sign of life: the heartbeat waits a whole interval from the last one.
void pw_cp16_spoke(struct pw_cp16 *cp, pw_ms now)
{
    int32_t set = pw_settings_int(cp->settings, PW_SET_HEARTBEAT_S);
    uint32_t interval_s = set > 0 ? (uint32_t)set : cp->interval_s;
    // While the clock is not known nothing else tells the time.
    if (!cp->clock_known && cp->speaking != NULL && cp->speaking != &pw_cp16_heartbeat_topic &&
        cp->heartbeat_at != PW_NEVER) {
        return;
    }
    cp->heartbeat_at = pw_after(now, (pw_ms)interval_s * 1000);
}

// A half-open link is silent, and nobody tells: the port's pings find it. Without them, or with
// few, a heartbeat does, however long its own interval is.
static pw_ms heartbeat_due(const struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    pw_ms ping_ms = (pw_ms)pw_settings_int(cp->settings, PW_SET_WS_PING_S) * 1000;
    bool pinged = ping_ms > 0 && ping_ms <= PW_CP16_SILENCE_MS;
    return pinged ? cp->heartbeat_at
                  : pw_earlier(cp->heartbeat_at, pw_after(cp->heard_at, PW_CP16_SILENCE_MS));
}

static void say_heartbeat(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_ocpp16_heartbeat_req req = {.has = 0};
    pw_cp16_send(cp, PW_OCPP16_HEARTBEAT, &req, now);
}

static bool heartbeat_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_heartbeat_conf conf;
    if (!pw_cp16_decode(cp, PW_OCPP16_HEARTBEAT, payload, &conf)) {
        return false;
    }
    pw_cp16_learn_clock(cp, conf.current_time, now);
    return true;
}

const struct pw_cp16_topic pw_cp16_heartbeat_topic = {
    .name = "Heartbeat",
    .due = heartbeat_due,
    .say = say_heartbeat,
    .answered = heartbeat_answered,
};

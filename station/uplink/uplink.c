#include "uplink/uplink.h"

#include "uplink/facts.h"

#include <string.h>

enum {
    LIMIT_LEAST_MA = 6000, // below that a pilot cannot offer (IEC 61851-1 Annex A)
    LOG_PACE_MS = 1000,
    LINE_ROOM = 64, // of a log line in a frame, besides room and text
    BATCH_ROOM = PW_LINK_STATION_BATCH - 64,
};

static bool is_used(const struct pw_uplink *up)
{
    return pw_settings_text(up->parts.settings, PW_SET_UPLINK_URL)[0] != '\0';
}

// ---------------------------------------------------------------------------------------------
// Events.

static void tell(struct pw_uplink *up, unsigned connector, uint8_t kind,
                 const struct pw_uplink_fact *fact, pw_ms now)
{
    struct pw_link_happening what = {.at = now,
                                     .wall = pw_cp16_wall(up->parts.cp16, now),
                                     .value = fact->value,
                                     .kind = kind,
                                     .connector = (uint8_t)connector};
    memcpy(what.text, fact->text, sizeof(what.text));
    pw_link_station_event(&up->link, &what);
}

static pw_ms tell_connector(struct pw_uplink *up, unsigned index,
                            const struct pw_uplink_sight *sight, pw_ms now)
{
    pw_ms at = PW_NEVER;
    for (size_t row = 0; row < pw_uplink_fact_rows(); row++) {
        uint8_t kind = pw_uplink_fact_kind(row);
        struct pw_uplink_told *told = &up->of[index].told[kind];
        struct pw_uplink_fact fact;
        pw_ms wait = PW_NEVER;
        pw_uplink_fact_read(row, sight, &fact);
        if (pw_uplink_fact_is_news(row, told, &fact, now, &wait)) {
            told->value = fact.value;
            told->at = now;
            memcpy(told->text, fact.text, sizeof(told->text));
            tell(up, index + 1, kind, &fact, now);
        }
        at = pw_earlier(at, wait);
    }
    return at;
}

static void tell_update(struct pw_uplink *up, pw_ms now)
{
    struct pw_uplink_told *told = &up->told_update;
    struct pw_uplink_fact fact = {.value = 0};
    if (pw_uplink_update_fact(up, &fact)) {
        told->value = fact.value;
        told->at = now;
        memcpy(told->text, fact.text, sizeof(told->text));
        tell(up, 0, PW_LINK_EVENT_UPDATE, &fact, now);
    }
}

void pw_uplink_init(struct pw_uplink *up, const struct pw_uplink_parts *parts, pw_ms now)
{
    memset(up, 0, sizeof(*up));
    up->parts = *parts;
    const struct pw_link_identity who = {
        .id = pw_str_of(pw_settings_text(parts->settings, PW_SET_STATION_ID)),
        .firmware = pw_str_of(parts->firmware),
        .vendor = pw_str_of(pw_settings_text(parts->settings, PW_SET_STATION_VENDOR)),
        .model = pw_str_of(pw_settings_text(parts->settings, PW_SET_STATION_MODEL)),
        .connectors = (uint8_t)parts->connectors,
        .boot = parts->boot,
    };
    pw_link_station_init(&up->link, &who, parts->seed, now);
    for (unsigned i = 0; i < parts->connectors; i++) {
        up->of[i].lease_until = PW_NEVER;
        up->of[i].fallback_ma = pw_settings_int(parts->settings, PW_SET_UPLINK_FAILSAFE_MA);
        for (size_t kind = 0; kind < PW_UPLINK_KINDS; kind++) {
            up->of[i].told[kind].at = PW_NEVER;
        }
        if (is_used(up)) {
            // RANGE cannot be: the setting's row bounds it.
            (void)!pw_connector_limit(&parts->connector[i], PW_LIMIT_LOAD, up->of[i].fallback_ma,
                                      "the central has not spoken yet", PW_NEVER, now);
        }
    }
    up->told_update.at = PW_NEVER;
    struct pw_uplink_fact start = {.value = 0};
    struct pw_out out = PW_OUT(start.text);
    pw_put_s(&out, parts->firmware);
    tell(up, 0, PW_LINK_EVENT_START, &start, now);
}

// ---------------------------------------------------------------------------------------------
// The connection.

bool pw_uplink_wants(const struct pw_uplink *up, pw_ms now)
{
    return is_used(up) && !pw_settings_locked(up->parts.settings, PW_SET_OCPP_KEY) &&
           pw_link_station_wants(&up->link, now);
}

void pw_uplink_up(struct pw_uplink *up, pw_ms now)
{
    // The key may have been changed since the last time.
    up->link.who.key = pw_str_of(pw_settings_text(up->parts.settings, PW_SET_OCPP_KEY));
    up->reason[0] = '\0';
    pw_link_station_up(&up->link, now);
}

void pw_uplink_down(struct pw_uplink *up, struct pw_str reason, pw_ms now)
{
    struct pw_out out = PW_OUT(up->reason);
    pw_put(&out, reason);
    pw_link_station_down(&up->link, now);
}

static void log_state(struct pw_uplink *up)
{
    const struct pw_link_station *link = &up->link;
    struct pw_line line;
    if (link->state != up->logged) {
        bool lost = link->state == PW_LINK_WAITING || link->state == PW_LINK_ENDING;
        pw_line(&line, up->parts.log, lost ? PW_LOG_WARN : PW_LOG_INFO, "uplink", "state");
        pw_line_s(&line, "from", pw_link_state_name(up->logged));
        pw_line_s(&line, "to", pw_link_state_name(link->state));
        pw_line_s(&line, "why", link->why);
        if (lost && up->reason[0] != '\0') {
            pw_line_s(&line, "reason", up->reason);
        }
        pw_line_end(&line);
        up->logged = link->state;
    }
    if (link->lost != up->lost_logged) {
        pw_line(&line, up->parts.log, PW_LOG_WARN, "uplink", "events-lost");
        pw_line_int(&line, "count", (int64_t)(link->lost - up->lost_logged));
        pw_line_s(&line, "why", "the central was away too long");
        pw_line_end(&line);
        up->lost_logged = link->lost;
    }
}

// ---------------------------------------------------------------------------------------------
// Requests.

static void log_request(const struct pw_uplink *up, const char *event, unsigned connector,
                        struct pw_str detail)
{
    struct pw_line line;
    pw_line(&line, up->parts.log, PW_LOG_INFO, "uplink", event);
    pw_line_int(&line, "connector", connector);
    pw_line_str(&line, "detail", detail);
    pw_line_end(&line);
}

static enum pw_link_error_code code_of(int err)
{
    return err == PW_OK            ? PW_LINK_E_NONE
           : err == PW_ERR_RANGE   ? PW_LINK_E_RANGE
           : err == PW_ERR_STORE   ? PW_LINK_E_STORE
           : err == PW_ERR_UNKNOWN ? PW_LINK_E_UNAVAILABLE
                                   : PW_LINK_E_REFUSED;
}

static int check_connector(const struct pw_uplink *up, unsigned connector, struct pw_out *why)
{
    if (connector >= 1 && connector <= up->parts.connectors) {
        return PW_OK;
    }
    pw_put_s(why, "connector: ");
    pw_put_uint(why, connector);
    pw_put_s(why, " is outside 1..");
    pw_put_uint(why, up->parts.connectors);
    return PW_ERR_RANGE;
}

// The wire has bounded it to 0..80000.
static int check_ma(const char *name, int32_t ma, struct pw_out *why)
{
    if (ma == 0 || ma >= LIMIT_LEAST_MA) {
        return PW_OK;
    }
    pw_put_s(why, name);
    pw_put_s(why, ": ");
    pw_put_int(why, ma);
    pw_put_s(why, " is not allowed; it must be 0 or 6000..80000");
    return PW_ERR_RANGE;
}

static int on_set_limit(struct pw_uplink *up, const struct pw_link_set_limit *ask,
                        struct pw_out *why, pw_ms now)
{
    int err = check_connector(up, ask->connector, why);
    err = err == PW_OK ? check_ma("limit_ma", ask->limit_ma, why) : err;
    err = err == PW_OK ? check_ma("fallback_ma", ask->fallback_ma, why) : err;
    if (err != PW_OK) {
        return err;
    }
    if (pw_settings_int(up->parts.settings, PW_SET_REMOTE_ADJUST) == 0) {
        // The lease that runs, and its fall-back, stay: what the fuse was promised is kept.
        pw_put_s(why, "charging.remote_adjust is off: the owner lets nobody adjust from outside");
        return PW_ERR_BUSY;
    }
    unsigned index = ask->connector - 1U;
    struct pw_uplink_connector *own = &up->of[index];
    err = pw_connector_limit(&up->parts.connector[index], PW_LIMIT_LOAD, ask->limit_ma,
                             "set by the central", PW_NEVER, now);
    if (err != PW_OK) {
        pw_put_s(why, "the connector does not take the limit");
        return err;
    }
    own->leased = true;
    own->fallback_ma = ask->fallback_ma;
    own->lease_until = pw_after(now, (pw_ms)ask->lease_s * 1000);
    return PW_OK;
}

static int on_energize(struct pw_uplink *up, const struct pw_link_energize *ask, struct pw_out *why,
                       pw_ms now)
{
    const struct pw_uplink_host *host = up->parts.host;
    struct pw_str id_tag = ask->id_tag;
    int err = check_connector(up, ask->connector, why);
    if (err != PW_OK) {
        return err;
    }
    if (ask->on && ask->force) {
        pw_put_s(why, "force: true is not allowed with on; nothing forces a contactor closed");
        return PW_ERR_RANGE;
    }
    if (ask->on) {
        if (id_tag.len == 0) {
            id_tag = pw_str_of(pw_settings_text(up->parts.settings, PW_SET_LOCAL_ID));
        }
        return host->start(host->context, ask->connector, id_tag, why, now);
    }
    if (ask->force) {
        struct pw_uplink_connector *own = &up->of[ask->connector - 1U];
        // Held for one turn, as a button would be; one that somebody else holds stays held.
        own->pressed =
            !pw_connector_estop(&up->parts.connector[ask->connector - 1U], true) || own->pressed;
        pw_put_s(why, "emergency stop; the fault stays until somebody clears it");
        return PW_OK;
    }
    return host->stop(host->context, ask->connector, why, now);
}

static void answer(struct pw_uplink *up, const struct pw_link_message *message, pw_ms now)
{
    char text[PW_LINK_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (message->type >= PW_LINK_FW_BEGIN) {
        pw_uplink_firmware(up, message, now);
        return;
    }
    bool limit = message->type == PW_LINK_SET_LIMIT;
    unsigned connector = limit ? message->as.set_limit.connector : message->as.energize.connector;
    int err = limit ? on_set_limit(up, &message->as.set_limit, &why, now)
                    : on_energize(up, &message->as.energize, &why, now);
    // A limit comes every few seconds: the limit stack keeps its reason, the log only what failed.
    if (!limit || err != PW_OK) {
        log_request(up, err == PW_OK ? "request-done" : "request-refused", connector,
                    pw_out_str(&why));
    }
    pw_link_station_answer(&up->link, code_of(err), pw_out_str(&why), now);
}

static void end_leases(struct pw_uplink *up, pw_ms now)
{
    for (unsigned i = 0; i < up->parts.connectors; i++) {
        struct pw_uplink_connector *own = &up->of[i];
        if (own->lease_until == PW_NEVER || now < own->lease_until) {
            continue;
        }
        own->lease_until = PW_NEVER;
        // RANGE cannot be: it was checked when it was told.
        (void)!pw_connector_limit(&up->parts.connector[i], PW_LIMIT_LOAD, own->fallback_ma,
                                  "lease over", PW_NEVER, now);
        struct pw_line line;
        pw_line(&line, up->parts.log, PW_LOG_WARN, "uplink", "lease-over");
        pw_line_int(&line, "connector", (int64_t)i + 1);
        pw_line_fixed(&line, "fallback_a", own->fallback_ma, 3);
        pw_line_end(&line);
    }
}

void pw_uplink_hear(struct pw_uplink *up, pw_ms now)
{
    struct pw_link_message message;
    // A lease that is renewed in the same turn is not over.
    while (pw_link_station_next(&up->link, &message, now)) {
        if (message.type == PW_LINK_GET_ALL) {
            break; // answered by tell, with the state this turn leads to
        }
        answer(up, &message, now);
    }
    end_leases(up, now);
}

// ---------------------------------------------------------------------------------------------
// The snapshot, and log lines.

static void send_snapshot(struct pw_uplink *up, pw_ms now)
{
    struct pw_uplink_sight sight[PW_CONNECTORS_MAX];
    struct pw_link_connector connectors[PW_CONNECTORS_MAX];
    struct pw_link_snapshot snapshot;
    pw_link_blank(&pw_link_snapshot_rows, &snapshot);
    snapshot.schema = PW_LINK_SCHEMA;
    snapshot.wall = pw_cp16_wall(up->parts.cp16, now);
    snapshot.uptime_ms = now;
    snapshot.boot = up->link.who.boot;
    snapshot.firmware = up->link.who.firmware;
    snapshot.event = up->link.next - 1;
    snapshot.settings = pw_uplink_settings_hash(up->parts.settings);
    snapshot.ocpp = pw_str_of(pw_cp16_state_name(up->parts.cp16));
    snapshot.at_rest = up->parts.host->at_rest(up->parts.host->context);
    for (unsigned i = 0; i < up->parts.connectors; i++) {
        pw_uplink_look(&up->parts.connector[i], &sight[i], now);
        pw_uplink_describe(up, i, &sight[i], &connectors[i], now);
    }
    // AGAIN: it is still due, and there will be room when bytes have left.
    (void)!pw_link_station_snapshot(&up->link, &snapshot, connectors, up->parts.connectors, now);
}

// What one batch will hold: the cursor behind its last line. False: there is nothing to send.
static bool plan_batch(const struct pw_uplink *up, uint64_t cursor, struct pw_link_log_batch *batch)
{
    struct pw_logring_line line;
    size_t size = 0;
    uint64_t at = cursor;
    while (pw_logring_read(up->parts.logring, at, PW_LOG_DEBUG, &line)) {
        size += LINE_ROOM + PW_LOGRING_ROOM + line.text.len;
        if (size > BATCH_ROOM) {
            break;
        }
        at = line.cursor + 1;
    }
    *batch = (struct pw_link_log_batch){
        .cursor = cursor, .dropped = pw_logring_gone(up->parts.logring, cursor, at), .next = at};
    return at > cursor;
}

static pw_ms send_log(struct pw_uplink *up, pw_ms now)
{
    struct pw_link_log_batch batch;
    struct pw_link_writer w;
    struct pw_logring_line line;
    uint64_t cursor = 0;
    if (up->parts.logring == NULL || !pw_link_station_wants_log(&up->link, &cursor) ||
        cursor >= up->parts.logring->next) {
        return PW_NEVER;
    }
    if (now < up->log_at) {
        return up->log_at;
    }
    if (!plan_batch(up, cursor, &batch)) {
        return PW_NEVER;
    }
    pw_link_station_log_begin(&up->link, &batch, &w);
    for (uint64_t at = cursor; at < batch.next; at = line.cursor + 1) {
        if (!pw_logring_read(up->parts.logring, at, PW_LOG_DEBUG, &line)) {
            break;
        }
        const struct pw_link_line sent = {.cursor = line.cursor,
                                          .level = (uint8_t)line.level,
                                          .wall = line.wall,
                                          .at_ms = line.at,
                                          .room = pw_str_of(line.room),
                                          .text = line.text};
        if (!pw_link_station_log_line(&w, &sent)) {
            break; // plan_batch reckons with more than a line takes
        }
    }
    pw_link_station_log_end(&up->link, &w, now);
    // A full batch is followed at once: the ring is behind.
    up->log_at = batch.next < up->parts.logring->next ? now : pw_after(now, LOG_PACE_MS);
    return PW_NEVER;
}

pw_ms pw_uplink_tell(struct pw_uplink *up, pw_ms now)
{
    pw_ms at = PW_NEVER;
    if (!is_used(up)) {
        return at;
    }
    tell_update(up, now);
    for (unsigned i = 0; i < up->parts.connectors; i++) {
        struct pw_uplink_sight sight;
        pw_uplink_look(&up->parts.connector[i], &sight, now);
        at = pw_earlier(at, tell_connector(up, i, &sight, now));
        at = pw_earlier(at, up->of[i].lease_until);
        if (up->of[i].pressed) {
            up->of[i].pressed = false;
            (void)pw_connector_estop(&up->parts.connector[i], false);
        }
    }
    if (up->link.request == PW_LINK_GET_ALL || pw_link_station_snapshot_due(&up->link, now)) {
        send_snapshot(up, now);
    }
    // Events first; what is left of the line may carry log.
    at = pw_earlier(at, pw_link_station_step(&up->link, now));
    at = pw_earlier(at, send_log(up, now));
    log_state(up);
    return pw_link_station_waits(&up->link) ? now : at;
}

// ---------------------------------------------------------------------------------------------

static void report_lease(const struct pw_uplink *up, unsigned index, struct pw_out *out, pw_ms now)
{
    const struct pw_uplink_connector *own = &up->of[index];
    pw_put_s(out, "connector ");
    pw_put_uint(out, index + 1);
    pw_put_s(out, "\t");
    if (own->lease_until != PW_NEVER) {
        pw_put_s(out, "limit of the central for ");
        pw_put_uint(out, own->lease_until > now ? (own->lease_until - now) / 1000 : 0);
        pw_put_s(out, " s, then ");
    } else {
        pw_put_s(out, own->leased ? "lease over: " : "never told: ");
    }
    pw_put_fixed(out, own->fallback_ma, 3);
    pw_put_s(out, " A\n");
}

void pw_uplink_report(const struct pw_uplink *up, struct pw_out *out, pw_ms now)
{
    const struct pw_link_station *link = &up->link;
    if (!is_used(up)) {
        pw_put_s(out, "uplink\tnot used: uplink.url is empty\n");
        return;
    }
    pw_put_s(out, "uplink\t");
    pw_put_s(out, pw_link_state_name(link->state));
    pw_put_s(out, " (");
    pw_put_s(out, link->why);
    if (up->reason[0] != '\0') {
        pw_put_s(out, ": ");
        pw_put_s(out, up->reason);
    }
    pw_put_s(out, ")\tfor ");
    pw_put_uint(out, (now - link->since) / 1000);
    pw_put_s(out, " s\ncentral\t");
    pw_put_s(out, pw_settings_text(up->parts.settings, PW_SET_UPLINK_URL));
    if (link->state == PW_LINK_ONLINE && link->pipe.rtt_ms != UINT32_MAX) {
        pw_put_s(out, "\tround trip ");
        pw_put_uint(out, link->pipe.rtt_ms);
        pw_put_s(out, " ms");
    }
    pw_put_s(out, "\nevents\t");
    pw_put_uint(out, link->next - 1);
    pw_put_s(out, "\twaiting ");
    pw_put_uint(out, link->next - link->first);
    pw_put_s(out, "\tlost ");
    pw_put_uint(out, link->lost);
    pw_put_c(out, '\n');
    for (unsigned i = 0; i < up->parts.connectors; i++) {
        report_lease(up, i, out, now);
    }
}
